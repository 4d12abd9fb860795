import type { Sql } from "../db/connect.js";
import { ALL_TARGETS, canceledJob, JOBS_CHANNEL, nextJobIn } from "../db/jobs.js";
import type { Logger } from "../log.js";
import { pause } from "./retry.js";

/** The longest delay a timer of Node takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const RETRY_MS = 100;
/** After a claim that emptied the queue: when to ask for the next due time, at most so often. */
const PLAN_MS = 100;

export interface WakerDeps {
  sql: Sql;
  /** Whose jobs: see `keys` of a worker's configuration. */
  keys: readonly string[];
  listen: boolean;
  pollMs: number;
  log: Logger;
  /** Called whenever there may be something to claim. */
  onWake: () => void;
  /** Called when a running job was canceled, of this worker or another. */
  onCanceled: (jobId: number) => void;
}

/**
 * Says when to claim: when a job is announced, and when the next one comes due. When that is, it
 * asks after a claim that emptied the queue, and every `pollMs` unless others have asked.
 */
export class Waker {
  readonly #deps: WakerDeps;
  readonly #keys: ReadonlySet<string>;
  #polling: NodeJS.Timeout | undefined;
  #planned: NodeJS.Timeout | undefined;
  #lookedAt = -Infinity;
  #due: NodeJS.Timeout | undefined;
  #unlisten: (() => Promise<void>) | undefined;
  #stopped = false;

  constructor(deps: WakerDeps) {
    this.#deps = deps;
    this.#keys = new Set(deps.keys);
  }

  /** Resolves once announcements are heard, where they are listened for. */
  async start(): Promise<void> {
    const { listen, pollMs } = this.#deps;
    this.#polling = setInterval(() => this.#poll(), pollMs);
    if (listen) await this.#listen();
    this.#wake();
  }

  /** Looks again after so many milliseconds, besides the polling; replaces an earlier call. */
  wakeIn(ms: number): void {
    clearTimeout(this.#due);
    if (!this.#stopped) this.#due = setTimeout(() => this.#wake(), Math.min(ms, MAX_TIMER_MS));
  }

  /** Asks soon when the next job comes due: delayed ones are announced when enqueued, not when due. */
  planLook(): void {
    if (!this.#stopped) this.#planned ??= setTimeout(() => void this.#look(), PLAN_MS);
  }

  /** Is told in how many seconds the next job comes due; null when none waits. */
  looked(seconds: number | null): void {
    this.#lookedAt = performance.now();
    if (seconds === 0) this.#wake();
    else if (seconds !== null) this.wakeIn(seconds * 1000 + 1);
  }

  /** Wakes nobody any more; resolves when the subscription has ended, at the latest by the signal. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#polling);
    clearTimeout(this.#planned);
    clearTimeout(this.#due);
    const { listen, sql } = this.#deps;
    // Asked to listen once more, postgres.js awaits a subscription that is just being renewed.
    // Closing the pool meanwhile would leave that connection open, and the process with it.
    while (listen && !signal.aborted) {
      try {
        const again = await sql.listen(JOBS_CHANNEL, () => undefined);
        await again.unlisten();
        await this.#unlisten?.();
        return;
      } catch {
        await pause(RETRY_MS, signal);
      }
    }
  }

  #wake(): void {
    if (!this.#stopped) this.#deps.onWake();
  }

  #isOurs(announced: string): boolean {
    return (
      this.#keys.has(announced) ||
      (announced.startsWith(ALL_TARGETS) && this.#keys.has(ALL_TARGETS))
    );
  }

  #poll(): void {
    // Who looks as often may be a little late.
    if (performance.now() - this.#lookedAt > this.#deps.pollMs * 1.25) void this.#look();
  }

  async #look(): Promise<void> {
    const { sql, keys, log } = this.#deps;
    clearTimeout(this.#planned);
    this.#planned = undefined;
    try {
      this.looked(await nextJobIn(sql, [...keys]));
    } catch (error) {
      log.debug({ err: error }, "cannot tell when the next job is due");
      // A claim fails as well, and goes on trying.
      this.#wake();
    }
  }

  async #listen(): Promise<void> {
    const { sql, log, onCanceled } = this.#deps;
    try {
      const subscription = await sql.listen(
        JOBS_CHANNEL,
        (announced) => {
          const canceled = canceledJob(announced);
          if (canceled !== undefined) onCanceled(canceled);
          else if (this.#isOurs(announced)) this.#wake();
        },
        // Runs at every subscription, the later ones too: what was announced meanwhile was missed.
        () => this.#wake(),
      );
      this.#unlisten = () => subscription.unlisten();
      if (this.#stopped) await this.#unlisten();
    } catch (error) {
      // postgres.js goes on trying by itself; until then there is the polling.
      log.warn({ err: error }, "cannot listen yet, polling");
    }
  }
}
