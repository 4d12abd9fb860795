import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { onTestFinished } from "vitest";
import type { ServeOptions } from "../../src/index.js";
import { type Bench, until } from "./helpers.js";

const SCRIPT = fileURLToPath(new URL("./child.mjs", import.meta.url));

export interface WorkerProcess {
  readonly pid: number;
  readonly process: ChildProcess;
  /** What it printed so far. */
  output(): string;
  /** Resolves with its exit code, or the signal that ended it. */
  readonly exited: Promise<number | NodeJS.Signals | null>;
}

/** Makes the table in which worker processes note every start of a handler. */
export async function createStarts({ sql }: Bench): Promise<void> {
  await sql`create table public.starts (
    job_id bigint not null, attempt integer not null, pid integer not null,
    at timestamptz not null default clock_timestamp())`;
}

/** Starts a worker in a process of its own, from the built package, and waits until it is ready. */
export async function spawnWorker(
  { db, app }: Pick<Bench, "db" | "app">,
  options: ServeOptions = {},
): Promise<WorkerProcess> {
  const child = spawn(process.execPath, [SCRIPT], {
    env: {
      ...process.env,
      DATABASE_URL: db.url,
      CARILLON_APP: app,
      CARILLON_TICKER: "off",
      WORKER_OPTIONS: JSON.stringify(options),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let output = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => (output += text));
  }
  const exited = new Promise<number | NodeJS.Signals | null>((resolve) => {
    child.on("exit", (code, signal) => resolve(signal ?? code));
  });
  await until(() => {
    if (child.exitCode !== null) throw new Error(`the worker ended: ${output}`);
    return output.includes("ready\n");
  }, "a ready worker");
  return { pid: child.pid!, process: child, output: () => output, exited };
}
