import type { ClaimedJob, Lease } from "../db/jobs.js";
import { type AbortCause, JobAborted } from "./abort.js";

/** Where an attempt is: claimed and waiting, in its handler, or with its outcome being recorded. */
export type Phase = "waiting" | "running" | "settling";

/** One delivery of a job to this worker, from its claim until its outcome is on record. */
export class Attempt {
  readonly job: ClaimedJob;
  phase: Phase = "waiting";
  readonly #controller = new AbortController();
  #abandon: (() => void) | undefined;

  constructor(job: ClaimedJob) {
    this.job = job;
  }

  get lease(): Lease {
    return { jobId: this.job.jobId, attempt: this.job.attempt };
  }

  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Why the signal was aborted; undefined while it was not. */
  get aborted(): AbortCause | undefined {
    return this.signal.aborted ? (this.signal.reason as JobAborted).why : undefined;
  }

  abort(why: AbortCause): void {
    this.#controller.abort(new JobAborted(why));
  }

  /** Says what is to happen when the handler is waited for no longer. */
  onAbandon(callback: () => void): void {
    this.#abandon = callback;
  }

  /** Waits for the handler no longer. */
  abandon(): void {
    this.#abandon?.();
  }

  /** Fields that every log line about this attempt carries. */
  get fields(): object {
    const { appId, jobId, cronId, attempt } = this.job;
    return { app: appId, job: jobId, ...(cronId === null ? {} : { cron: cronId }), attempt };
  }
}
