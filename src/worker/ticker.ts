import type { Sql } from "../db/connect.js";
import { tick, tickAndLook, type TickResult } from "../db/system.js";
import type { Logger } from "../log.js";
import { pause } from "./retry.js";

/** After the second has begun by this clock, it has begun by the database's too (about). */
const OFFSET_MS = 5;
const REPEAT_MS = 60_000;

const CLONE =
  "this database is a copy of the one its schedules were made for: see carillon doctor, carillon release";
const STUCK = "pg_cron has stopped launching jobs; the ticker drives: see carillon doctor";

interface TickerDeps {
  tick: () => Promise<TickResult>;
  log: Logger;
}

/**
 * Ticks once a second, just after the second begins, never twice at once. Any number of tickers may
 * run against one database: SQL lets one of them lead. Errors are logged, at most once a minute.
 */
export class Ticker {
  readonly #deps: TickerDeps;
  #complainedAt = -Infinity;
  readonly #warned = new Set<string>();
  #failing = false;

  constructor(deps: TickerDeps) {
    this.#deps = deps;
  }

  /** Ticks until the signal is aborted; resolves when the last tick has ended. */
  async run(signal: AbortSignal): Promise<void> {
    let more = false;
    for (;;) {
      if (!more) await pause(1000 - ((Date.now() - OFFSET_MS) % 1000), signal);
      if (signal.aborted) return;
      more = await this.#tick();
    }
  }

  /** Says what is the matter when it begins, not every minute that it lasts. */
  #warnOnce(state: boolean | undefined, message: string): void {
    if (state === true && !this.#warned.has(message)) this.#deps.log.warn({}, message);
    if (state === true) this.#warned.add(message);
    if (state === false) this.#warned.delete(message);
  }

  /** Whether there is more to do at once. */
  async #tick(): Promise<boolean> {
    const { tick, log } = this.#deps;
    try {
      const { failed = 0, more = false, clone, pgCronStuck } = await tick();
      this.#warnOnce(clone, CLONE);
      this.#warnOnce(pgCronStuck, STUCK);
      if (this.#failing) log.info({}, "ticking again");
      this.#failing = false;
      this.#complainedAt = -Infinity;
      if (failed > 0) log.warn({ failed }, "crons could not be decided: see their ticks");
      return more;
    } catch (error) {
      this.#failing = true;
      if (Date.now() - this.#complainedAt >= REPEAT_MS) {
        this.#complainedAt = Date.now();
        log.error({ err: error }, "tick failed, trying every second");
      }
      return false;
    }
  }
}

/**
 * Starts a ticker; disposing of it waits for a tick under way.
 *
 * @example
 * await using ticker = startTicker({ sql, log });
 */
export function startTicker({ sql, log }: { sql: Sql; log: Logger }): AsyncDisposable {
  const stop = new AbortController();
  const run = new Ticker({ tick: () => tick(sql), log }).run(stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await run;
    },
  };
}

/** Who wants ticks, and to be told in how many seconds the next job of its own comes due. */
export interface Idler {
  /** Whose jobs: see `keys` of a worker's configuration. */
  readonly keys: readonly string[];
  /** Null when none waits. */
  onLook: (seconds: number | null) => void;
}

/** One ticker for all workers of a process, in the same statement as what idle ones would ask. */
export class Pulse {
  readonly #sql: Sql;
  readonly #idlers = new Set<Idler>();
  #stop = new AbortController();
  #run = Promise.resolve();

  constructor(sql: Sql) {
    this.#sql = sql;
  }

  /** Ticks from now on, for as long as anybody has joined; to be left by what it returns. */
  join(idler: Idler, log: Logger): () => Promise<void> {
    this.#idlers.add(idler);
    if (this.#idlers.size === 1) {
      this.#stop = new AbortController();
      this.#run = new Ticker({ tick: () => this.#tick(), log }).run(this.#stop.signal);
    }
    return async () => {
      this.#idlers.delete(idler);
      if (this.#idlers.size > 0) return;
      this.#stop.abort();
      await this.#run;
    };
  }

  async #tick(): Promise<TickResult> {
    const keys = new Set([...this.#idlers].flatMap(({ keys }) => keys));
    const { result, seconds } = await tickAndLook(this.#sql, [...keys]);
    // It may have looked before it ticked.
    const soonest = (result.fired ?? 0) > 0 ? 0 : seconds;
    for (const { onLook } of this.#idlers) onLook(soonest);
    return result;
  }
}
