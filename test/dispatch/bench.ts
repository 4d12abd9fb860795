import { spawn } from "node:child_process";
import { randomBytes } from "node:crypto";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import { connect, type Sql } from "../../src/db/connect.js";
import { getJob, type JobRow } from "../../src/db/jobs.js";
import {
  type Dispatcher,
  type DispatcherOptions,
  startDispatcher,
} from "../../src/dispatch/dispatcher.js";
import { Keyring } from "../../src/secrets/keyring.js";
import { readTargetsConfig } from "../../src/targets/config.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";
import { type LogLine, memoryLogger, until } from "../worker/helpers.js";

const CLI = fileURLToPath(new URL("../../dist/cli/index.js", import.meta.url));

export interface DispatchBench extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly sql: Sql;
  readonly lines: LogLine[];
  /** What its dispatchers open secrets with. */
  readonly keyring: Keyring;
  /** Starts a dispatcher that may call this machine, and waits until it is ready. */
  dispatch(
    env?: NodeJS.ProcessEnv,
    options?: Partial<Omit<DispatcherOptions, "sql" | "targets">>,
  ): Promise<Dispatcher>;
  /** Starts one in a process of its own, by the command line: `carillon dispatch`, or another. */
  spawn(env?: NodeJS.ProcessEnv, args?: readonly string[]): Promise<DispatchProcess>;
  enqueue(target: object, options?: string): Promise<number>;
  /** A job once it has ended. */
  ended(jobId: number): Promise<JobRow>;
}

export interface DispatchProcess {
  /** What it printed so far. */
  output(): string;
  kill(signal: NodeJS.Signals): Promise<void>;
}

/** A database with the app `crm` in it, and dispatchers for it. */
export async function createDispatchBench(): Promise<DispatchBench> {
  const db = await createTestDatabase();
  const sql = connect(db.url, { max: 6 });
  await sql`select carillon.install_app(app => 'crm')`;
  const { lines, logger } = memoryLogger();
  const keyring = new Keyring(randomBytes(32));
  const started: AsyncDisposable[] = [];
  return {
    ...{ db, sql, lines, keyring },
    async dispatch(env = {}, options = {}) {
      const targets = readTargetsConfig({ CARILLON_HTTP_ALLOW: "127.0.0.1", ...env });
      const dispatcher = startDispatcher({
        ...{ sql, targets, logger, keyring, drainSeconds: 0.1 },
        ...options,
      });
      started.push(dispatcher);
      await dispatcher.worker.ready;
      return dispatcher;
    },
    spawn: (env = {}, args = ["dispatch", "--no-ticker"]) => spawnDispatcher(db, env, args),
    async enqueue(target, options = "priority => 0") {
      const [row] = await sql.unsafe<{ id: number }[]>(
        `select carillon.enqueue_job(app => 'crm', target => $1::text::jsonb, ${options}) as id`,
        [JSON.stringify(target)],
      );
      return row!.id;
    },
    ended: (jobId) =>
      until(async () => {
        const job = await getJob(sql, "crm", jobId);
        return job.finishedAt === null ? undefined : job;
      }, `the end of job ${jobId}`),
    async [Symbol.asyncDispose]() {
      for (const dispatcher of started) await dispatcher[Symbol.asyncDispose]();
      await sql.end({ timeout: 5 });
      await db.drop();
    },
  };
}

async function spawnDispatcher(
  db: TestDatabase,
  env: NodeJS.ProcessEnv,
  args: readonly string[],
): Promise<DispatchProcess> {
  const child = spawn(process.execPath, [CLI, ...args], {
    env: {
      PATH: process.env.PATH,
      DATABASE_URL: db.url,
      CARILLON_HTTP_ALLOW: "127.0.0.1",
      CARILLON_LEASE: "1",
      ...env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const exited = new Promise<void>((resolve) => child.on("exit", () => resolve()));
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the dispatcher ended: ${output}`);
    return output.includes("worker ready") || output.includes("listening on");
  }, "a ready dispatcher");
  return {
    output: () => output,
    async kill(signal) {
      child.kill(signal);
      await exited;
    },
  };
}
