import { CarillonConnectionError } from "./errors.js";

/** One attempt: its signal is the caller's, or the time limit's, whichever comes first. */
export class Attempt {
  readonly #own = new AbortController();
  readonly #outer: AbortSignal | undefined;
  readonly #timeoutMs: number;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #late = false;
  readonly #stop = () => this.#own.abort(this.#outer?.reason);

  constructor(outer: AbortSignal | undefined, timeoutMs: number) {
    outer?.throwIfAborted();
    this.#outer = outer;
    this.#timeoutMs = timeoutMs;
    outer?.addEventListener("abort", this.#stop, { once: true });
    this.extend(timeoutMs);
  }

  get signal(): AbortSignal {
    return this.#own.signal;
  }

  /** Begins the time limit anew. */
  extend(ms: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => {
      this.#late = true;
      this.#own.abort();
    }, ms);
  }

  /** Ends the time limit; the caller's signal stays. */
  untimed(): void {
    clearTimeout(this.#timer);
  }

  /** What to throw for what fetch threw. */
  explain(thrown: unknown): unknown {
    if (this.#outer?.aborted) return this.#outer.reason;
    if (this.#late) {
      return new CarillonConnectionError(
        "timeout",
        `the server did not answer within ${this.#timeoutMs} ms`,
        thrown,
      );
    }
    const cause = (thrown as Error).cause ?? thrown;
    const why = cause instanceof Error && cause.message !== "" ? cause.message : String(cause);
    return new CarillonConnectionError("network", `the server cannot be reached: ${why}`, thrown);
  }

  /** Lets go of everything; what is still running is aborted. */
  end(): void {
    clearTimeout(this.#timer);
    this.#outer?.removeEventListener("abort", this.#stop);
    this.#own.abort();
  }
}
