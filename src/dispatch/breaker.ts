import {
  abandonProbe,
  beginProbe,
  type BreakerRule,
  noteFailure,
  noteRecovery,
  watchBreakers,
} from "../db/breakers.js";
import type { Sql } from "../db/connect.js";
import type { Logger } from "../log.js";
import type { Outcome } from "../targets/types.js";
import { RetryAfter } from "../worker/control.js";

/** Whether a call may be made now, and if not, when it is worth asking again. */
export type Admission =
  { readonly admitted: true } | { readonly admitted: false; readonly retryAfterMs: number };

export interface BreakersOptions {
  sql: Sql;
  log: Logger;
  /** For apps without a rule of their own. */
  usual: BreakerRule;
  /** Milliseconds for which what was last read counts as fresh: where breakers are on, and off. */
  freshMs?: { on: number; off: number };
}

const ADMITTED: Admission = { admitted: true };
const FRESH_MS = { on: 1000, off: 10_000 };

/** Thrown instead of a call to a target that is broken: the job is tried again later, and no attempt is spent. */
export class HeldBack extends RetryAfter {
  constructor(key: string, ms: number) {
    super(Math.ceil(ms));
    this.name = "held_back";
    this.message = `no calls are made to ${key} for ${Math.ceil(ms / 1000)} s: it was broken too often in a row`;
    // Where in Carillon it was made tells nobody anything.
    delete this.stack;
  }
}

/** Of a target that has failed: whether calls are made to it. */
type Breaker = "closed" | "open";

/**
 * Keeps calls from targets that are broken. A breaker is closed (calls are made) until its target was
 * broken so often in a row, then open (none is), and after a cool-down half open: one call probes, and
 * closes it again or opens it for another cool-down. Postgres decides and counts, for all dispatchers;
 * each knows the targets that have failed lately, and reads them again beside its work. So a call to
 * a target that works asks nobody.
 */
export class CircuitBreakers {
  readonly #sql: Sql;
  readonly #log: Logger;
  readonly #usual: BreakerRule;
  readonly #freshMs: { on: number; off: number };
  #rules = new Map<string, BreakerRule>();
  #failing = new Map<string, Breaker>();
  /** What was found out here since the last reading began, which may not know of it yet. */
  readonly #found = new Map<string, Breaker | undefined>();
  #readAt = -Infinity;
  #reading: Promise<void> | undefined;

  constructor({ sql, log, usual, freshMs = FRESH_MS }: BreakersOptions) {
    this.#sql = sql;
    this.#log = log;
    this.#usual = usual;
    this.#freshMs = freshMs;
  }

  /**
   * Makes a call if it may be made, and takes in what came of it.
   *
   * @throws HeldBack when none may be made
   */
  async guard(appId: string, key: string, call: () => Promise<Outcome>): Promise<Outcome> {
    // Not awaited when there is nothing to wait for: this is every job's way.
    const asked = this.admit(appId, key);
    const admission = asked instanceof Promise ? await asked : asked;
    if (!admission.admitted) throw new HeldBack(key, admission.retryAfterMs);
    const outcome = await call();
    await this.record(appId, key, outcome);
    return outcome;
  }

  /** Asks for a call; to be followed by {@link record} when it is admitted. */
  admit(appId: string, key: string): Admission | Promise<Admission> {
    // Whoever comes new must not call what all others leave alone.
    if (this.#readAt === -Infinity) return this.#read().then(() => this.admit(appId, key));
    const fresh = this.#isFresh();
    if (!fresh) void this.#read();
    const breaker = this.#failing.get(idOf(appId, key));
    if (this.#isOff(appId) || breaker === undefined || (breaker === "closed" && fresh))
      return ADMITTED;
    return this.#ask(appId, key, breaker);
  }

  /** Takes in what came of a call. */
  async record(appId: string, key: string, outcome: Outcome): Promise<void> {
    if (this.#isOff(appId)) return;
    const id = idOf(appId, key);
    try {
      if (outcome.status === "failed" && outcome.broken) {
        const wait = await noteFailure(this.#sql, appId, key, outcome.error, this.#usual);
        // Of two failures at once the one that opened it may be heard first. An open one is asked about, so that is safe.
        if (wait !== null || this.#failing.get(id) !== "open") {
          this.#note(id, wait === null ? "closed" : "open");
        }
        return;
      }
      const breaker = this.#failing.get(id);
      if (breaker === undefined) return;
      // A call that was aborted has found out nothing; the next one may probe.
      if (outcome.status === "failed" && outcome.error.class === "aborted") {
        if (breaker === "open") await abandonProbe(this.#sql, appId, key);
        return;
      }
      await noteRecovery(this.#sql, appId, key);
      this.#note(id, undefined);
    } catch (error) {
      // The job's own outcome is what counts.
      this.#log.warn({ err: error, appId, key }, "the circuit breaker was not told of a call");
    }
  }

  /** Of a target that has failed the database is asked: others may have opened its breaker meanwhile, or closed it. */
  async #ask(appId: string, key: string, breaker: Breaker): Promise<Admission> {
    try {
      const wait = await beginProbe(this.#sql, appId, key, this.#usual);
      if (wait === 0) return ADMITTED;
      this.#note(idOf(appId, key), "open");
      return { admitted: false, retryAfterMs: wait };
    } catch (error) {
      this.#log.warn({ err: error, appId, key }, "the circuit breaker could not be asked");
      return breaker === "closed" ? ADMITTED : { admitted: false, retryAfterMs: FRESH_MS.on };
    }
  }

  #note(id: string, breaker: Breaker | undefined): void {
    this.#found.set(id, breaker);
    if (breaker === undefined) this.#failing.delete(id);
    else this.#failing.set(id, breaker);
  }

  #isOff(appId: string): boolean {
    return (this.#rules.get(appId) ?? this.#usual).failures === 0;
  }

  #isFresh(): boolean {
    const on = this.#usual.failures > 0 || this.#rules.size > 0;
    return performance.now() - this.#readAt < (on ? this.#freshMs.on : this.#freshMs.off);
  }

  /** Reads what other dispatchers, and people, have made of it; one reading at a time. */
  #read(): Promise<void> {
    return (this.#reading ??= this.#readOnce().finally(() => (this.#reading = undefined)));
  }

  async #readOnce(): Promise<void> {
    this.#found.clear();
    try {
      const { apps, targets } = await watchBreakers(this.#sql);
      this.#rules = new Map(Object.entries(apps));
      this.#failing = new Map(
        targets.map(([appId, key, isOpen]) => [idOf(appId, key), isOpen ? "open" : "closed"]),
      );
      for (const [id, breaker] of [...this.#found]) this.#note(id, breaker);
    } catch (error) {
      this.#log.warn({ err: error }, "the circuit breakers could not be read");
    }
    this.#readAt = performance.now();
  }
}

/** App ids have no blanks. */
const idOf = (appId: string, key: string) => `${appId} ${key}`;
