const WINDOW_MS = 50;
const MOST = 1000;

/**
 * How many jobs to hold beyond the running ones: about as many as lately ended in the time a claim
 * may take. Long jobs are not hoarded from other workers; short ones never wait for a round trip.
 */
export class Pace {
  #windowStart = 0;
  #ended = 0;
  #last = 0;

  /** Notes that a job has ended. */
  record(now: number): void {
    this.#turn(now);
    this.#ended += 1;
  }

  /** Jobs to hold ready. */
  prefetch(now: number): number {
    this.#turn(now);
    return Math.min(MOST, Math.max(this.#ended, this.#last));
  }

  #turn(now: number): void {
    const passed = now - this.#windowStart;
    if (passed < WINDOW_MS) return;
    this.#last = passed < 2 * WINDOW_MS ? this.#ended : 0;
    this.#ended = 0;
    this.#windowStart = now;
  }
}
