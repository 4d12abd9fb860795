import type { Queryable } from "../db/connect.js";
import { type Follower, type Tail, tailLogs } from "../db/logs.js";
import { CarillonError } from "../errors.js";

/** How often followers are looked after, how many in one statement, and how many lines each gets. */
const POLL_MS = 250;
const GROUP = 50;
const LINES = 500;

interface Want extends Follower {
  /** What the follower knows of the job's status. */
  readonly state: string;
  readonly resolve: (tail: Tail | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** A job's status and attempt as one text, to see whether they have changed. */
export const stateOf = ({ status, attempt }: Tail) => `${status}.${attempt}`;

/**
 * Everybody in this process who follows a log, looked after by one statement a quarter of a second;
 * by none while nobody does. Who has not taken the last lines yet is given no more.
 */
export class LogTail {
  static readonly #tails = new WeakMap<Queryable, LogTail>();
  readonly #sql: Queryable;
  readonly #wants = new Set<Want>();
  readonly #urgent = new Set<Want>();
  #lastPoll = -Infinity;
  #timer: NodeJS.Timeout | undefined;
  #polling = false;

  constructor(sql: Queryable) {
    this.#sql = sql;
  }

  /** The one of a pool. */
  static of(sql: Queryable): LogTail {
    const tail = this.#tails.get(sql) ?? new LogTail(sql);
    this.#tails.set(sql, tail);
    return tail;
  }

  /**
   * Resolves with what is new, as soon as something is: lines, or another status. Undefined when
   * the signal is aborted.
   *
   * @param state what `stateOf` gave last
   * @param more whether there were more lines already
   */
  next(
    follower: Follower,
    state: string,
    more: boolean,
    signal: AbortSignal,
  ): Promise<Tail | undefined> {
    if (signal.aborted) return Promise.resolve(undefined);
    return new Promise((resolve, reject) => {
      const settle = <T>(how: (value: T) => void) => {
        return (value: T) => {
          signal.removeEventListener("abort", leave);
          this.#wants.delete(want);
          this.#urgent.delete(want);
          how(value);
        };
      };
      const want = { ...follower, state, resolve: settle(resolve), reject: settle(reject) };
      const leave = () => want.resolve(undefined);
      signal.addEventListener("abort", leave, { once: true });
      // Who comes new is not kept waiting.
      (more || state === "" ? this.#urgent : this.#wants).add(want);
      this.#schedule();
    });
  }

  #schedule(): void {
    if (this.#polling || (this.#wants.size === 0 && this.#urgent.size === 0)) return;
    if (this.#timer !== undefined && this.#urgent.size === 0) return;
    clearTimeout(this.#timer);
    const wait = this.#urgent.size > 0 ? 0 : this.#lastPoll + POLL_MS - performance.now();
    this.#timer = setTimeout(() => void this.#poll(), Math.max(0, wait));
  }

  /** Never rejects. */
  async #poll(): Promise<void> {
    this.#timer = undefined;
    this.#polling = true;
    const wants = [...this.#urgent];
    if (performance.now() - this.#lastPoll >= POLL_MS) {
      this.#lastPoll = performance.now();
      wants.push(...this.#wants);
    }
    for (let at = 0; at < wants.length; at += GROUP) await this.#serve(wants.slice(at, at + GROUP));
    this.#polling = false;
    this.#schedule();
  }

  async #serve(wants: readonly Want[]): Promise<void> {
    try {
      const tails = await tailLogs(this.#sql, wants, LINES);
      wants.forEach((want, at) => {
        const tail = tails[at];
        if (tail === undefined) return;
        if (tail.lines.length > 0 || stateOf(tail) !== want.state) want.resolve(tail);
      });
    } catch (error) {
      // A database that is away comes back; the streams wait for it, and their clients with them.
      const away = error instanceof CarillonError && error.code === "database_unavailable";
      for (const want of wants) {
        if (!away) want.reject(error);
        else if (this.#urgent.delete(want)) this.#wants.add(want);
      }
    }
  }
}
