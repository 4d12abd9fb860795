import type { Writable } from "node:stream";
import type { JsonObject } from "../db/connect.js";
import type { JobOptions, JobTrigger } from "../db/jobs.js";
import type { AnyPayload, Jobs, MethodOf, PayloadOf, ResultOf } from "./declared.js";
import type { WorkerEvents } from "./events.js";
import type { StandardSchema } from "./standard-schema.js";

/** Who a job is run for: its owner. */
export interface Caller {
  readonly userId: string;
  readonly username: string;
}

/** A log of the process, whose lines carry the fields of what they are about. */
export interface Log {
  debug(message: string, data?: object): void;
  info(message: string, data?: object): void;
  warn(message: string, data?: object): void;
  error(message: string, data?: object): void;
}

/**
 * The log of a job, kept with it: text, and data where that helps. Lines are stored in batches
 * while the handler runs, and all of them before the job's end is. What is too large or too much
 * is cut or dropped at stated limits, and the log says so. They go to the process's log, too.
 */
export interface JobLog extends Log {
  /**
   * Takes the output of a program, line by line.
   *
   * @example child.stdout.pipe(ctx.log.stream("stdout"));
   */
  stream(name: "stdout" | "stderr"): Writable;
  /** Resolves when what was logged so far is stored: for handlers that log a great deal. */
  flush(): Promise<void>;
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
export type Enqueue = (payload: AnyPayload<Jobs>, options?: EnqueueOptions) => Promise<number>;

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
  /**
   * Says how far the job is, 0 to 100, and on what: shown with the job, and kept in its log, once
   * a second at most.
   */
  readonly progress: (percent: number, note?: string) => void;
  /** Enqueues a job of the same app, on behalf of this job's owner. */
  readonly enqueue: Enqueue;
}

/** What `onStart` is given, once for every app the worker serves. */
export interface StartContext {
  readonly appId: string;
  /** Aborted when the worker begins to stop. */
  readonly signal: AbortSignal;
  readonly log: Log;
  readonly enqueue: Enqueue;
}

/**
 * Runs one job. What it returns (or resolves to) completes the job and is kept as its result;
 * what it throws fails the job and is kept as its error.
 */
export type JobHandler<Payload = JsonObject, Result = unknown> = {
  // A method, so that a handler may declare the payload it expects.
  handle(payload: Payload, caller: Caller | null, ctx: JobContext): Result | PromiseLike<Result>;
}["handle"];

/**
 * A handler with a schema of any library that follows Standard Schema. It sees the whole payload,
 * with its `method`, and is given what the schema makes of it. A payload that does not pass fails
 * its job at once.
 */
export interface CheckedJob<Payload, Result = unknown> {
  readonly schema: StandardSchema<unknown, Payload>;
  readonly run: JobHandler<Payload, Result>;
}

type Expected<M> =
  M extends MethodOf<Jobs> ? PayloadOf<Jobs, M> : [keyof Jobs] extends [never] ? JsonObject : never;
type Given<M> = M extends MethodOf<Jobs> ? ResultOf<Jobs, M> : unknown;

/**
 * Handlers by `payload.method`, each a function or with a schema. Where methods are declared (see
 * {@link Jobs}), only those.
 */
export type JobMap<Checked = Record<string, unknown>> = {
  [M in keyof Checked]: [Expected<M>] extends [never]
    ? never
    : JobHandler<Expected<M>, Given<M>> | CheckedJob<Checked[M], Given<M>>;
};

/** What an agent is asked to do. */
export interface AgentInvocation {
  /** The payload's `message`, or "Scheduled invocation". */
  readonly message: string;
  /** A UUID of its own for every invocation, the same for all of its attempts. */
  readonly sessionId: string;
  readonly appId: string;
  readonly cronId: string | null;
  readonly scheduledFor: Date | null;
  readonly trigger: JobTrigger;
  readonly payload: JsonObject;
}

/** Runs one invocation of an agent. */
export type AgentHandler = (
  invocation: AgentInvocation,
  caller: Caller | null,
  ctx: JobContext,
) => unknown;

/** What a worker does; at least one of `onJob` and `onAgent`. */
export interface Hooks<Checked = Record<string, unknown>> {
  /** One function for every job, or a map by `payload.method`. */
  onJob?: JobHandler<AnyPayload<Jobs>> | JobMap<Checked>;
  /** Makes the app an agent: its crons' jobs go here, and the others too where there is no `onJob`. */
  onAgent?: AgentHandler;
  /** Runs once per app, before the first job; when it throws, the worker stops. */
  onStart?: (ctx: StartContext) => unknown;
  /** Runs once, after the last job, while the database can still be reached. */
  onShutdown?: () => unknown;
}

/** A running worker. Disposing of it stops it. */
export interface Worker extends AsyncDisposable {
  /** How the worker is named in the queue and in the history. */
  readonly name: string;
  /** Fulfilled once jobs are being taken; rejected when `onStart` throws or it is stopped before. */
  readonly ready: Promise<void>;
  /** Fulfilled when everything has ended; never rejected. */
  readonly stopped: Promise<void>;
  /** Stops in order, as on SIGTERM; called again, it stops waiting for running jobs. */
  stop(): Promise<void>;
  /**
   * Calls the listener at every such event, until {@link off}. What it throws is logged.
   *
   * @example worker.on("job:fail", ({ job, error }) => metrics.failed(job.appId, error.name));
   */
  on<Name extends keyof WorkerEvents>(
    name: Name,
    listener: (event: WorkerEvents[Name]) => unknown,
  ): this;
  off<Name extends keyof WorkerEvents>(
    name: Name,
    listener: (event: WorkerEvents[Name]) => unknown,
  ): this;
}
