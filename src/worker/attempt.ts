import type { ClaimedJob, Lease } from "../db/jobs.js";
import { type AbortCause, JobAborted } from "./abort.js";

/** Where an attempt is: claimed and waiting, in its handler, or with its outcome being recorded. */
export type Phase = "waiting" | "running" | "settling";

/** Why a handler is waited for no longer: its deadline has come, or the worker ends. */
export type Cut = "overdue" | "abandoned";

/** One delivery of a job to this worker, from its claim until its outcome is on record. */
export class Attempt {
  readonly job: ClaimedJob;
  phase: Phase = "waiting";
  /** By performance.now(): when its handler began, and how long it took. */
  startedAt = 0;
  ms = 0;
  #why: AbortCause | undefined;
  /** Made when first asked for: most handlers never look, and a controller costs more than a job. */
  #controller: AbortController | undefined;
  #onAbort: (() => void)[] | undefined;
  #onCut: ((cut: Cut) => void) | undefined;

  constructor(job: ClaimedJob) {
    this.job = job;
  }

  get lease(): Lease {
    return { jobId: this.job.jobId, attempt: this.job.attempt };
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#why !== undefined) this.#controller.abort(new JobAborted(this.#why));
    }
    return this.#controller.signal;
  }

  /** Why the signal was aborted; undefined while it was not. */
  get aborted(): AbortCause | undefined {
    return this.#why;
  }

  /** Aborts the signal; the first cause stays. */
  abort(why: AbortCause): void {
    if (this.#why !== undefined) return;
    this.#why = why;
    this.#controller?.abort(new JobAborted(why));
    this.#onAbort?.forEach((callback) => callback());
  }

  /** Calls back once the signal is aborted, without making one; at once where it was. */
  whenAborted(callback: () => void): void {
    if (this.#why !== undefined) callback();
    else (this.#onAbort ??= []).push(callback);
  }

  /** Says what is to happen when the handler is waited for no longer. */
  onCut(callback: (cut: Cut) => void): void {
    this.#onCut = callback;
  }

  /** Waits for the handler no longer. */
  cut(cut: Cut): void {
    this.#onCut?.(cut);
  }

  /** Fields that every log line about this attempt carries. */
  get fields(): object {
    const { appId, jobId, cronId, attempt } = this.job;
    return { app: appId, job: jobId, ...(cronId === null ? {} : { cron: cronId }), attempt };
  }
}
