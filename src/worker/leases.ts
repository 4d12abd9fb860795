import type { Sql } from "../db/connect.js";
import { extendLeases, getJob } from "../db/jobs.js";
import { CarillonError } from "../errors.js";
import type { Logger } from "../log.js";
import type { AbortCause } from "./abort.js";
import type { Attempt } from "./attempt.js";
import { type Emitter, jobInfo } from "./events.js";
import { pause } from "./retry.js";

export interface LeasesDeps {
  sql: Sql;
  leaseSeconds: number;
  events: Emitter;
  log: Logger;
}

/** Every attempt this worker holds, and their heartbeat: one statement for all, thrice a lease. */
export class Leases {
  readonly #deps: LeasesDeps;
  readonly #held = new Map<number, Attempt>();
  #beating: Promise<boolean> | undefined;
  #beatAt = performance.now();

  constructor(deps: LeasesDeps) {
    this.#deps = deps;
  }

  get size(): number {
    return this.#held.size;
  }

  /** Attempts whose handlers run, or have just ended. */
  active(): Attempt[] {
    return [...this.#held.values()].filter(({ phase }) => phase !== "waiting");
  }

  hold(attempt: Attempt): void {
    // A job delivered here again while its handler still runs: the earlier lease was lost.
    const earlier = this.#held.get(attempt.job.jobId);
    if (earlier !== undefined) this.#abort(earlier, "lease_lost");
    this.#held.set(attempt.job.jobId, attempt);
  }

  drop(attempt: Attempt): void {
    // A later attempt of the same job may have come to this very worker.
    if (this.#held.get(attempt.job.jobId) === attempt) this.#held.delete(attempt.job.jobId);
  }

  /** Tells the handler of a canceled job, if it is held here and it is true: anybody in the database can announce it. */
  async cancel(jobId: number): Promise<void> {
    const attempt = this.#held.get(jobId);
    if (attempt === undefined || attempt.phase === "settling") return;
    if ((await this.#why(attempt)) !== "canceled") return;
    this.#abort(attempt, "canceled");
    this.drop(attempt);
  }

  /** Beats until the signal is aborted. */
  async run(signal: AbortSignal): Promise<void> {
    const interval = (this.#deps.leaseSeconds * 1000) / 3;
    let wait = interval;
    for (;;) {
      await pause(wait, signal);
      if (signal.aborted) return;
      wait = (await this.#beatOnce()) ? interval : Math.min(interval, 1000);
    }
  }

  /**
   * The heartbeat that is overdue, after the event loop was blocked; undefined when none is. Who
   * claims before it has gone out may take its own jobs, whose leases have run out meanwhile.
   */
  overdue(): Promise<unknown> | undefined {
    const late = performance.now() - this.#beatAt > this.#deps.leaseSeconds * 500;
    return late && this.#held.size > 0 ? this.#beatOnce() : undefined;
  }

  async #beatOnce(): Promise<boolean> {
    this.#beating ??= this.#beat().finally(() => (this.#beating = undefined));
    const beaten = await this.#beating;
    if (beaten) this.#beatAt = performance.now();
    return beaten;
  }

  async #beat(): Promise<boolean> {
    // In order of id, as finished jobs are, so that the two do not deadlock.
    const attempts = [...this.#held.values()].sort((a, b) => a.job.jobId - b.job.jobId);
    if (attempts.length === 0) return true;
    const { sql, leaseSeconds, log } = this.#deps;
    try {
      const leases = attempts.map(({ lease }) => lease);
      const kept = new Set(await extendLeases(sql, leases, leaseSeconds));
      const lost = attempts.filter(({ job }) => !kept.has(job.jobId));
      await Promise.all(lost.map((attempt) => this.#lose(attempt)));
      return true;
    } catch (error) {
      log.warn({ err: error, held: attempts.length }, "heartbeat failed, trying again");
      return false;
    }
  }

  async #lose(attempt: Attempt): Promise<void> {
    // One whose outcome is being recorded left the queue by that, or will be refused by the fence.
    if (attempt.phase === "settling") return;
    const why = await this.#why(attempt);
    this.#abort(attempt, why);
    this.drop(attempt);
  }

  #abort(attempt: Attempt, why: AbortCause): void {
    // Meanwhile the handler may have ended, or another heartbeat have found out.
    if (attempt.phase === "settling" || attempt.aborted !== undefined) return;
    this.#deps.log.warn(
      attempt.fields,
      why === "canceled" ? "the job was canceled" : "lease lost: another worker may have the job",
    );
    attempt.abort(why);
    this.#deps.events.emit("job:lost", () => ({ job: jobInfo(attempt.job), why }));
  }

  async #why({ job }: Attempt): Promise<AbortCause> {
    try {
      const { status } = await getJob(this.#deps.sql, job.appId, job.jobId);
      return status === "canceled" ? "canceled" : "lease_lost";
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      return "lease_lost";
    }
  }
}
