import type { Outcome } from "./types.js";

/** What is known of a target; plain data, so that it can be stored. Times are milliseconds since the epoch. */
export interface BreakerState {
  /** How often in a row it was broken. */
  readonly failures: number;
  /** Since when no calls are made, or a probe is out; null while calls are made. */
  readonly openSince: number | null;
  /** Whether the one call that may find it mended is on its way. */
  readonly probing: boolean;
}

export interface BreakerOptions {
  /** How often in a row a target must have been broken until no more calls are made. */
  readonly failures: number;
  /** How long none is made; then one is, to see. */
  readonly coolDownMs: number;
}

/** Whether a call may be made now, and if not, when it is worth asking again. */
export type Admission =
  { readonly admitted: true } | { readonly admitted: false; readonly retryAfterMs: number };

const CLOSED: BreakerState = { failures: 0, openSince: null, probing: false };

/**
 * Keeps calls from targets that are broken: closed (calls are made) until it was broken so often in
 * a row, then open (none is), and after a cool-down half open: one call probes, and closes it again
 * or opens it for another cool-down. A probe nobody hears of again counts as failed after as long.
 */
export class CircuitBreaker {
  readonly #options: BreakerOptions;
  readonly #states = new Map<string, BreakerState>();

  constructor(options: BreakerOptions) {
    this.#options = options;
  }

  /** Asks for a call; to be followed by {@link record} when it is admitted. */
  admit(key: string, now: number): Admission {
    const state = this.state(key);
    if (state.openSince === null) return { admitted: true };
    const left = state.openSince + this.#options.coolDownMs - now;
    if (left > 0) return { admitted: false, retryAfterMs: left };
    this.#states.set(key, { ...state, openSince: now, probing: true });
    return { admitted: true };
  }

  /** Takes in what came of a call. */
  record(key: string, outcome: Outcome, now: number): void {
    if (outcome.status === "failed" && outcome.broken) {
      this.#failed(key, now);
      return;
    }
    // A call that was aborted has found out nothing; the next one may probe.
    if (outcome.status === "failed" && outcome.error.class === "aborted") {
      const state = this.state(key);
      if (state.probing) this.#states.set(key, { ...state, openSince: 0, probing: false });
      return;
    }
    this.#states.delete(key);
  }

  state(key: string): BreakerState {
    return this.#states.get(key) ?? CLOSED;
  }

  /** What is known of every target that was broken lately. */
  states(): ReadonlyMap<string, BreakerState> {
    return this.#states;
  }

  /** Takes over what is known elsewhere. */
  restore(key: string, state: BreakerState): void {
    if (state.failures === 0) this.#states.delete(key);
    else this.#states.set(key, state);
  }

  #failed(key: string, now: number): void {
    const { failures, openSince, probing } = this.state(key);
    // What was under way when it opened says nothing new.
    if (openSince !== null && !probing) return;
    const count = failures + 1;
    const open = probing || count >= this.#options.failures;
    this.#states.set(key, { failures: count, openSince: open ? now : null, probing: false });
  }
}
