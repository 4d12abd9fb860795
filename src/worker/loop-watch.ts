import type { Logger } from "../log.js";
import type { Attempt } from "./attempt.js";
import { type Emitter, jobInfo } from "./events.js";

const LOOK_MS = 250;
/** Shorter stops are nobody's business. */
const BLOCKED_MS = 1000;
const MOST_NAMED = 10;

export interface LoopWatchDeps {
  leaseSeconds: number;
  /** Attempts whose handlers run, or have just ended. */
  suspects: () => Attempt[];
  events: Emitter;
  log: Logger;
}

/**
 * Notices that the event loop stood still: then no heartbeat went out, no timeout was noticed and
 * no other job went on. A timer that comes late tells how long; who it was, a handler that returned
 * no promise before it did, or else one of those that run.
 */
export class LoopWatch {
  readonly #deps: LoopWatchDeps;
  readonly #threshold: number;
  #timer: NodeJS.Timeout | undefined;
  #expected = 0;
  #culprits: Attempt[] = [];

  constructor(deps: LoopWatchDeps) {
    this.#deps = deps;
    this.#threshold = Math.min(BLOCKED_MS, (deps.leaseSeconds * 1000) / 3);
  }

  start(): void {
    this.#expected = performance.now() + LOOK_MS;
    this.#timer = setInterval(() => this.#look(), LOOK_MS).unref();
  }

  stop(): void {
    clearInterval(this.#timer);
  }

  /** Is told how long a handler ran before it returned. */
  ran(attempt: Attempt, ms: number): void {
    if (ms >= this.#threshold / 2) this.#culprits.push(attempt);
  }

  #look(): void {
    const now = performance.now();
    const late = now - this.#expected;
    this.#expected = now + LOOK_MS;
    const culprits = this.#culprits.splice(0);
    if (late < this.#threshold) return;
    const { suspects, leaseSeconds, events, log } = this.#deps;
    const jobs = culprits.length > 0 ? culprits : suspects();
    if (jobs.length === 0) return;
    const ms = Math.round(late);
    const risk = late > leaseSeconds * 1000 ? `, longer than the leases of ${leaseSeconds} s` : "";
    log.warn(
      { blockedMs: ms, jobs: jobs.slice(0, MOST_NAMED).map(({ fields }) => fields) },
      `the event loop was blocked for ${ms} ms${risk}: no heartbeat went out; split the work, or move it to a worker thread`,
    );
    events.emit("worker:blocked", () => ({ ms, jobs: jobs.map(({ job }) => jobInfo(job)) }));
  }
}
