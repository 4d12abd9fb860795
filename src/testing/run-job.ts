import type { JsonObject } from "../db/connect.js";
import type { ClaimedJob, JobError } from "../db/jobs.js";
import { JobAborted } from "../worker/abort.js";
import { Attempt } from "../worker/attempt.js";
import type { AttemptContext } from "../worker/context.js";
import type { AnyPayload, Jobs } from "../worker/declared.js";
import { type Ending, Executor } from "../worker/executor.js";
import { createRoute } from "../worker/router.js";
import type { Caller, EnqueueOptions, Hooks } from "../worker/types.js";
import { recordingLog, type LoggedLine } from "./recording-log.js";

export type { LoggedLine } from "./recording-log.js";

/** What the handler is told; each has a default. */
export interface RunJobOptions {
  /** Default null: a job without an owner. */
  caller?: Caller | null;
  /** Default "test". */
  appId?: string;
  /** Default 1. */
  jobId?: number;
  /** Default null: a job of no cron. */
  cronId?: string | null;
  scheduledFor?: Date | null;
  /** Default 1. */
  attempt?: number;
  /** Default "automatic" with a cron, else "api". */
  trigger?: ClaimedJob["trigger"];
  /** Seconds after which the job fails as overdue; default 60. */
  timeoutSeconds?: number;
  /** Aborts the handler's signal; a {@link JobAborted} as its reason says why, else it is "canceled". */
  signal?: AbortSignal;
  /** Gives the ids of jobs enqueued; default 1001, 1002, … */
  enqueue?: (job: EnqueuedJob) => number | Promise<number>;
}

/** A job that the handler enqueued. */
export interface EnqueuedJob {
  payload: JsonObject;
  options: EnqueueOptions;
}

/** How it went. */
export interface JobRun {
  /** `aborted`: the handler was told to stop for a reason by which its outcome does not count. */
  status: "completed" | "failed" | "aborted";
  /** As it would be kept. */
  result: unknown;
  error: JobError | null;
  /** Seconds after which the handler asked to be tried again. */
  retryIn: number | null;
  /** Whether no further attempt would be made: `discard()`, or a payload that its schema refused. */
  discarded: boolean;
  logs: LoggedLine[];
  progress: { percent: number; note?: string }[];
  enqueued: EnqueuedJob[];
}

/**
 * Runs one job as a worker does, without a database: routing, schema, timeout, and what becomes of
 * a result or an error. What the handler logs and enqueues is recorded.
 *
 * @example
 * const run = await runJob({ onJob: { remind } }, { method: "remind", userId: "u1" });
 * expect(run).toMatchObject({ status: "completed", enqueued: [{ payload: { method: "mail" } }] });
 */
export async function runJob<Checked = Record<string, unknown>>(
  hooks: Pick<Hooks<Checked>, "onJob" | "onAgent">,
  payload: AnyPayload<Jobs>,
  options: RunJobOptions = {},
): Promise<JobRun> {
  const attempt = new Attempt(claimed(payload, options));
  const run: JobRun = {
    ...{ status: "aborted", result: null, error: null, retryIn: null, discarded: false },
    ...{ logs: [], progress: [], enqueued: [] },
  };
  const { signal } = options;
  const abort = () => {
    const reason: unknown = signal?.reason;
    attempt.abort(reason instanceof JobAborted ? reason.why : "canceled");
  };
  if (signal?.aborted === true) abort();
  signal?.addEventListener("abort", abort);
  const executor = new Executor({
    route: createRoute(hooks),
    contexts: { caller: () => options.caller ?? null, job: () => double(attempt, run, options) },
    timeoutOf: () => options.timeoutSeconds ?? 60,
    log: { debug: ignore, info: ignore, warn: ignore, error: ignore },
  });
  const ending = await new Promise<Ending>((resolve) =>
    executor.run(attempt, (_attempt, ended) => resolve(ended)),
  );
  signal?.removeEventListener("abort", abort);
  return ending.kind === "finished" ? { ...run, ...finished(ending) } : run;
}

const ignore = () => undefined;

function claimed(payload: JsonObject, options: RunJobOptions): ClaimedJob {
  const cronId = options.cronId ?? null;
  return {
    jobId: options.jobId ?? 1,
    attempt: options.attempt ?? 1,
    appId: options.appId ?? "test",
    payload: JSON.parse(JSON.stringify(payload)) as JsonObject,
    cronId,
    scheduledFor: options.scheduledFor ?? null,
    trigger: options.trigger ?? (cronId === null ? "api" : "automatic"),
    userId: options.caller?.userId ?? null,
    username: options.caller?.username ?? null,
    enqueuedAt: new Date(),
    timeoutSeconds: null,
    target: null,
  };
}

function double(attempt: Attempt, run: JobRun, options: RunJobOptions): AttemptContext {
  const { appId, jobId, cronId, scheduledFor, attempt: delivery, trigger } = attempt.job;
  return {
    ...{ appId, jobId, cronId, scheduledFor, attempt: delivery, trigger },
    signal: attempt.signal,
    whenAborted: (callback) => attempt.whenAborted(callback),
    log: recordingLog(run.logs),
    progress: (percent, note) =>
      void run.progress.push(note === undefined ? { percent } : { percent, note }),
    enqueue: async (payload, given = {}) => {
      const job = { payload, options: given };
      run.enqueued.push(job);
      return (await options.enqueue?.(job)) ?? 1000 + run.enqueued.length;
    },
  };
}

function finished({ outcome }: Extract<Ending, { kind: "finished" }>): Partial<JobRun> {
  const { status, result, error, retryIn, discard } = outcome;
  return {
    status,
    result: result === undefined || result === null ? null : JSON.parse(JSON.stringify(result)),
    error: error ?? null,
    retryIn: retryIn ?? null,
    discarded: discard ?? false,
  };
}
