import type { JsonObject } from "../db/connect.js";
import type { JobOptions, JobTrigger } from "../db/jobs.js";

/** Who a job is run for: its owner. */
export interface Caller {
  readonly userId: string;
  readonly username: string;
}

/** A log whose lines carry the fields of the job (app, job, cron, attempt). */
export interface JobLog {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

/** How a handler enqueues a job: as {@link JobOptions}, with times as Dates, too. */
export interface EnqueueOptions extends Omit<JobOptions, "runAt" | "expiresAt"> {
  /** When the job is due: a Date, or RFC 3339 text with an offset. Now when absent or past. */
  runAt?: Date | string | null | undefined;
  /** A job not started by then is canceled. */
  expiresAt?: Date | string | null | undefined;
  /** The same key and request within 24 hours give the same job; another request is refused. */
  idempotencyKey?: string | null | undefined;
}

/** Enqueues a job of the same app and gives its id. */
export type Enqueue = (payload: JsonObject, options?: EnqueueOptions) => Promise<number>;

/** What a handler is told about the job it runs, beside its payload. */
export interface JobContext {
  readonly appId: string;
  /** The job's id: pgmq's `msg_id`. */
  readonly jobId: number;
  /** The cron that enqueued it; null for other jobs. */
  readonly cronId: string | null;
  /** The slot a cron's job stands for; null for triggered and other jobs. */
  readonly scheduledFor: Date | null;
  /** Counts deliveries, from 1. */
  readonly attempt: number;
  readonly trigger: JobTrigger;
  /** Aborted when the work is no longer wanted; its `reason` is a {@link JobAborted}. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  /** Enqueues a job of the same app, on behalf of this job's owner. */
  readonly enqueue: Enqueue;
}

/** What `onStart` is given, once for every app the worker serves. */
export interface StartContext {
  readonly appId: string;
  /** Aborted when the worker begins to stop. */
  readonly signal: AbortSignal;
  readonly log: JobLog;
  readonly enqueue: Enqueue;
}

/**
 * Runs one job. What it returns (or resolves to) completes the job and is kept as its result;
 * what it throws fails the job and is kept as its error.
 */
export type JobHandler<Payload = JsonObject> = {
  // A method, so that a handler may declare the payload it expects.
  handle(payload: Payload, caller: Caller | null, ctx: JobContext): unknown;
}["handle"];

/** Runs one scheduled invocation of an agent: `payload.message`, or "Scheduled invocation". */
export type AgentHandler = (message: string, caller: Caller | null, ctx: JobContext) => unknown;

/** What a worker does; at least one of `onJob` and `onAgent`. */
export interface Hooks {
  /** One function for every job, or a map of functions by `payload.method`. */
  onJob?: JobHandler | Record<string, JobHandler>;
  /** Makes the app an agent: its crons' jobs go here, and the others too where there is no `onJob`. */
  onAgent?: AgentHandler;
  /** Runs once per app, before the first job; when it throws, the worker stops. */
  onStart?: (ctx: StartContext) => unknown;
  /** Runs once, after the last job, while the database can still be reached. */
  onShutdown?: () => unknown;
}

/** A running worker. Disposing of it stops it. */
export interface Worker extends AsyncDisposable {
  /** How the worker is named in the queue, the history and `pg_stat_activity`. */
  readonly name: string;
  /** Fulfilled once jobs are being taken; rejected when `onStart` throws or it is stopped before. */
  readonly ready: Promise<void>;
  /** Fulfilled when everything has ended; never rejected. */
  readonly stopped: Promise<void>;
  /** Stops in order, as on SIGTERM; called again, it stops waiting for running jobs. */
  stop(): Promise<void>;
}
