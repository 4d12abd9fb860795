import { connect, type Sql } from "../db/connect.js";
import { fireNextSlot, listCrons, type SlotDecision } from "../db/crons.js";
import { getJob, type JobRow } from "../db/jobs.js";
import { CarillonError } from "../errors.js";
import type { Logger } from "../log.js";
import { serve } from "../worker/serve.js";
import type { Hooks, Worker } from "../worker/types.js";

const ENDED = new Set(["completed", "failed", "canceled"]);

export interface RunNextSlotOptions {
  /** A database that Carillon is installed in, of the test's own. */
  database: string | Sql;
  app: string;
  /** The cron's name or id. */
  cron: string;
  /** How long its job may take, further attempts included; default 30000. */
  timeoutMs?: number;
  /** Default: nothing is logged. */
  logger?: Logger;
}

/** What was decided about the slot, and what became of its job. */
export interface SlotRun extends SlotDecision {
  /** Null where none was enqueued: the slot was skipped or denied. */
  job: JobRow | null;
}

/**
 * Decides the next slot of a cron now, runs its job by a worker in this process, and gives the
 * record. The worker runs whatever else is due for the app, too.
 *
 * @example
 * const { scheduledFor, job } = await runNextSlot({ onJob }, { database: url, app: "crm", cron: "daily" });
 * expect(job).toMatchObject({ status: "completed", result: { checked: true } });
 *
 * @throws CarillonError `cron_not_found`; `invalid_input` where the cron has no next slot; an Error
 *   when the job has not ended in time
 */
export async function runNextSlot<Checked = Record<string, unknown>>(
  hooks: Hooks<Checked>,
  options: RunNextSlotOptions,
): Promise<SlotRun> {
  const { database, app, cron, logger = silent } = options;
  const own = typeof database === "string";
  const sql = own ? connect(database, { max: 4, name: "carillon testing" }) : database;
  try {
    const found = (await listCrons(sql, app)).find(({ id, name }) => id === cron || name === cron);
    if (found === undefined) throw new CarillonError("cron_not_found", `no cron ${cron} of ${app}`);
    const decided = await fireNextSlot(sql, app, found.id);
    if (decided.jobId === null) return { ...decided, job: null };
    const { jobId } = decided;
    await using worker = serve({ app, sql, ticker: false, signals: false, logger }, hooks);
    await worker.ready;
    return { ...decided, job: await ended(worker, sql, app, jobId, options.timeoutMs ?? 30_000) };
  } finally {
    if (own) await sql.end({ timeout: 5 });
  }
}

/** The job once it has ended; looked at whenever the worker has told of it. */
async function ended(
  worker: Worker,
  sql: Sql,
  app: string,
  jobId: number,
  timeoutMs: number,
): Promise<JobRow> {
  const deadline = performance.now() + timeoutMs;
  for (;;) {
    const told = new Promise<void>((resolve) => {
      const hear = ({ job }: { job: { jobId: number } }) => job.jobId === jobId && resolve();
      worker.on("job:complete", hear).on("job:fail", hear).on("job:lost", hear);
      setTimeout(resolve, Math.max(0, deadline - performance.now())).unref();
    });
    const job = await getJob(sql, app, jobId);
    if (ENDED.has(job.status)) return job;
    if (performance.now() >= deadline) {
      throw new Error(`job ${jobId} is ${job.status} after ${timeoutMs} ms`);
    }
    await told;
  }
}

const ignore = () => undefined;
const silent: Logger = { debug: ignore, info: ignore, warn: ignore, error: ignore };
