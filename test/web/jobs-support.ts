import {
  claimJobs,
  enqueueJob,
  finishJobs,
  targetsOf,
  type OneJobOptions,
} from "../../src/db/jobs.js";
import { appendLogs } from "../../src/db/logs.js";
import type { TestApi } from "../api/api.js";
import { createCron } from "../sql/support.js";

/** Jobs in every state, made as workers and people make them. */
export class JobMaker {
  readonly #api: TestApi;
  readonly app: string;

  constructor(api: TestApi, app: string) {
    this.#api = api;
    this.app = app;
  }

  async cron(name: string, schedule = "0 9 * * *"): Promise<string> {
    const { id } = await createCron(this.#api.db.sql, this.app, name, schedule);
    return id;
  }

  /** A job of a cron, run by hand. */
  async trigger(cronId: string, payload: Record<string, unknown> = {}): Promise<number> {
    const path = `/api/v1/apps/${this.app}/crons/${cronId}/trigger`;
    const { body } = await this.#api.as(this.#api.admin, "POST", path, {
      body: { payload, respectOverlap: false },
    });
    return (body as { msgId: number }).msgId;
  }

  enqueue(payload: Record<string, unknown> = {}, options: OneJobOptions = {}): Promise<number> {
    const { sql, admin } = this.#api;
    return enqueueJob(sql, this.app, payload, { userId: admin.id, ...options });
  }

  /** Gives a waiting job to a worker, also one whose worker has fallen silent. */
  async claim(id: number, worker = "crm-7f2c"): Promise<number> {
    const { sql } = this.#api;
    await sql`update pgmq.q_jobs set vt = clock_timestamp() - interval '1 hour' where msg_id = ${id}`;
    const claimed = await claimJobs(sql, [this.app], worker, 1, 300);
    const [job] = claimed;
    if (job?.jobId !== id) throw new Error(`claimed ${job?.jobId ?? "nothing"} instead of ${id}`);
    return job.attempt;
  }

  /** A call over HTTP that was made, and met this; `record` is what is kept of it. */
  async call(jobId: number, attempt: number, record: object, error?: Thrown): Promise<void> {
    const { sql } = this.#api;
    const [job] = await claimJobs(sql, [targetsOf(this.app)], "dispatcher-1", 1, 300);
    if (job?.jobId !== jobId || job.attempt !== attempt) throw new Error(`claimed ${job?.jobId}`);
    const result = { type: "http", ...record };
    await finishJobs(sql, [
      error === undefined
        ? { jobId, attempt, status: "completed", result }
        : { jobId, attempt, status: "failed", error, result },
    ]);
  }

  /** Loses the lease of a waiting job so often that it becomes a dead letter; its id. */
  async bury(jobId: number): Promise<number> {
    for (let n = 1; n <= 5; n++) await this.claim(jobId, `w-${n}`);
    const { sql } = this.#api;
    await sql`update pgmq.q_jobs set vt = clock_timestamp() - interval '1 hour' where msg_id = ${jobId}`;
    await sql`select carillon._bury_lost_jobs()`;
    return jobId;
  }

  async complete(jobId: number, result: unknown = null, attempt = 1): Promise<void> {
    await finishJobs(this.#api.sql, [{ jobId, attempt, status: "completed", result }]);
  }

  async fail(jobId: number, error: Thrown, attempt = 1): Promise<void> {
    await finishJobs(this.#api.sql, [{ jobId, attempt, status: "failed", error }]);
  }

  async log(jobId: number, lines: readonly object[], attempt = 1): Promise<void> {
    const chunk = {
      jobId,
      attempt,
      seq: undefined,
      lines: lines.map((line) => JSON.stringify(line)),
    };
    await appendLogs(this.#api.sql, [chunk], 0, false);
  }

  /** Many lines at once. */
  async logMany(jobId: number, count: number): Promise<void> {
    await this.#api.sql`
      insert into carillon.job_logs (job_id, seq, attempt, at, level, stream, message)
      select ${jobId}, n, 1, clock_timestamp(), case when n % 50 = 0 then 'error' else 'info' end, 'log',
        'line ' || n || ' of many'
      from generate_series(1, ${count}::integer) n`;
  }
}

/** Forgets every job. */
export async function forgetJobs({ sql }: TestApi): Promise<void> {
  await sql`delete from pgmq.q_jobs`;
  await sql`delete from pgmq.q_jobs_dlq`;
  await sql`delete from carillon.job_history`;
}

interface Thrown {
  name: string;
  message: string;
  stack?: string;
  cause?: Thrown;
}
