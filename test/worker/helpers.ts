import { randomBytes } from "node:crypto";
import type { JobRow } from "../../src/db/jobs.js";
import type { Logger } from "../../src/log.js";
import { type Hooks, serve, type ServeOptions, type Worker } from "../../src/worker/serve.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";

export interface LogLine {
  level: "debug" | "info" | "warn" | "error";
  message: string;
  fields: Record<string, unknown>;
}

/** A logger that keeps its lines. */
export function memoryLogger() {
  const lines: LogLine[] = [];
  const at = (level: LogLine["level"]) => (fields: object, message: string) =>
    void lines.push({ level, message, fields: { ...fields } });
  const logger: Logger = {
    debug: at("debug"),
    info: at("info"),
    warn: at("warn"),
    error: at("error"),
  };
  return { lines, logger };
}

/** Waits for a fact: asks again and again until the answer is neither false nor undefined. */
export async function until<T>(
  ask: () => T | Promise<T>,
  what = "the fact",
  ms = 20_000,
): Promise<Exclude<T, false | undefined | null>> {
  const deadline = performance.now() + ms;
  for (;;) {
    const answer = await ask();
    if (answer !== false && answer !== undefined && answer !== null) {
      return answer as Exclude<T, false | undefined | null>;
    }
    if (performance.now() > deadline) throw new Error(`${what} did not come true in ${ms} ms`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

export interface Bench extends AsyncDisposable {
  readonly db: TestDatabase;
  readonly sql: TestSql;
  readonly app: string;
  readonly lines: LogLine[];
  /** Starts a worker of the app and waits until it is ready. */
  work<Checked = Record<string, unknown>>(
    hooks: Hooks<Checked>,
    options?: ServeOptions,
  ): Promise<Worker>;
  enqueue(payload: object, runAt?: Date): Promise<number>;
  /** A job once it has ended. */
  ended(jobId: number): Promise<JobRow>;
  /** Rows of the history, oldest first. */
  history(): Promise<{ jobId: number; status: string; attempt: number; error: JobRow["error"] }[]>;
  /** Jobs still in the queue. */
  live(): Promise<number>;
}

/** A database of its own with an app in it, and workers for it. */
export async function createBench(): Promise<Bench> {
  const db = await createTestDatabase();
  const { sql } = db;
  const app = `app-${randomBytes(4).toString("hex")}`;
  await sql`select carillon.install_app(${app})`;
  const { lines, logger } = memoryLogger();
  const workers: Worker[] = [];
  return {
    db,
    sql,
    app,
    lines,
    async work(hooks, options = {}) {
      const fixed = { databaseUrl: db.url, logger, ticker: false, signals: false, drainSeconds: 2 };
      const worker = serve({ ...fixed, ...(options.apps ? {} : { app }), ...options }, hooks);
      workers.push(worker);
      await worker.ready;
      return worker;
    },
    async enqueue(payload, runAt) {
      const [row] = await sql<{ id: number }[]>`
        select carillon.enqueue_job(${app}, ${sql.json(payload as never)},
          run_at => ${runAt ?? null}) as id`;
      return row!.id;
    },
    ended(jobId) {
      return until(async () => {
        const rows = await sql<JobRow[]>`
          select job_id as "jobId", app_id as "appId", cron_id as "cronId", status, result, error,
            attempt, worker, headers, payload, trigger, user_id as "userId"
          from carillon.job_history where job_id = ${jobId}`;
        if (rows.length > 1) throw new Error(`job ${jobId} ended ${rows.length} times`);
        return rows[0];
      }, `the end of job ${jobId}`);
    },
    history: () => sql`
      select job_id as "jobId", status, attempt, error from carillon.job_history
      order by finished_at, job_id`,
    async live() {
      const [row] = await sql<{ n: number }[]>`select count(*)::int as n from pgmq.q_jobs`;
      return row!.n;
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(workers.map((worker) => worker.stop()));
      await db.drop();
    },
  };
}

/** A gate that handlers wait at until the test opens it. */
export function gate() {
  let open: () => void = () => undefined;
  const opened = new Promise<void>((resolve) => (open = resolve));
  return { opened, open: () => open() };
}
