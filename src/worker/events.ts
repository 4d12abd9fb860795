import type { ClaimedJob, JobError } from "../db/jobs.js";
import type { Logger } from "../log.js";
import type { AbortCause } from "./abort.js";

/** The job an event is about. */
export type JobInfo = Readonly<
  Pick<
    ClaimedJob,
    "appId" | "jobId" | "cronId" | "scheduledFor" | "attempt" | "trigger" | "payload"
  >
>;

/** What a worker tells its listeners. */
export interface WorkerEvents {
  /** Its handler is about to run. */
  "job:start": { job: JobInfo };
  /** It has completed, and that is on record. `ms` is how long the handler took. */
  "job:complete": { job: JobInfo; result: unknown; ms: number };
  /** An attempt has failed, and that is on record; it is tried again where attempts are left. */
  "job:fail": { job: JobInfo; error: JobError; ms: number };
  /** It is no longer this worker's: its lease was lost, or it was canceled, while it was held. */
  "job:lost": { job: JobInfo; why: AbortCause };
  /** Jobs are being taken. */
  "worker:ready": { apps: readonly string[] };
  /** Every job is on record, and the queue had no more. */
  "worker:idle": object;
  /** Something kept the event loop for `ms`: of these jobs, one. */
  "worker:blocked": { ms: number; jobs: readonly JobInfo[] };
  /** The database refused what the worker asked (it goes on trying), or a hook failed. */
  "worker:error": { error: unknown; message: string };
}

type Listener = (event: never) => unknown;

/** Tells listeners, and keeps what they throw from the worker. */
export class Emitter {
  readonly #listeners = new Map<keyof WorkerEvents, Set<Listener>>();
  readonly #log: Logger;

  constructor(log: Logger) {
    this.#log = log;
  }

  on(name: keyof WorkerEvents, listener: Listener): void {
    let listeners = this.#listeners.get(name);
    if (listeners === undefined) this.#listeners.set(name, (listeners = new Set()));
    listeners.add(listener);
  }

  off(name: keyof WorkerEvents, listener: Listener): void {
    this.#listeners.get(name)?.delete(listener);
  }

  /** The event is made only if somebody listens. */
  emit<Name extends keyof WorkerEvents>(name: Name, event: () => WorkerEvents[Name]): void {
    const listeners = this.#listeners.get(name);
    if (listeners === undefined || listeners.size === 0) return;
    const made = event();
    for (const listener of listeners) void this.#call(name, listener, made);
  }

  async #call(name: string, listener: Listener, event: object): Promise<void> {
    try {
      await listener(event as never);
    } catch (error) {
      this.#log.error({ err: error, event: name }, "a listener failed");
    }
  }
}

/** What listeners are told of a job. */
export function jobInfo(job: ClaimedJob): JobInfo {
  const { appId, jobId, cronId, scheduledFor, attempt, trigger, payload } = job;
  return { appId, jobId, cronId, scheduledFor, attempt, trigger, payload };
}
