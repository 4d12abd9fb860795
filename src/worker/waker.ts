import type { Sql } from "../db/connect.js";
import { canceledJob, JOBS_CHANNEL } from "../db/jobs.js";
import type { Logger } from "../log.js";
import { pause } from "./retry.js";

/** The longest delay a timer of Node takes. */
const MAX_TIMER_MS = 2 ** 31 - 1;
const RETRY_MS = 100;

export interface WakerDeps {
  sql: Sql;
  apps: readonly string[];
  listen: boolean;
  pollMs: number;
  log: Logger;
  /** Called whenever there may be something to claim. */
  onWake: () => void;
  /** Called when a running job was canceled, of this worker or another. */
  onCanceled: (jobId: number) => void;
}

/**
 * Says when to look into the queue: when a job is announced, when the next one known comes due,
 * and every `pollMs` whatever happens.
 */
export class Waker {
  readonly #deps: WakerDeps;
  readonly #apps: ReadonlySet<string>;
  #polling: NodeJS.Timeout | undefined;
  #due: NodeJS.Timeout | undefined;
  #unlisten: (() => Promise<void>) | undefined;
  #stopped = false;

  constructor(deps: WakerDeps) {
    this.#deps = deps;
    this.#apps = new Set(deps.apps);
  }

  /** Resolves once announcements are heard, where they are listened for. */
  async start(): Promise<void> {
    const { listen, pollMs } = this.#deps;
    this.#polling = setInterval(() => this.#wake(), pollMs);
    if (listen) await this.#listen();
    this.#wake();
  }

  /** Looks again after so many milliseconds, besides the polling; replaces an earlier call. */
  wakeIn(ms: number): void {
    clearTimeout(this.#due);
    if (!this.#stopped) this.#due = setTimeout(() => this.#wake(), Math.min(ms, MAX_TIMER_MS));
  }

  /** Wakes nobody any more; resolves when the subscription has ended, at the latest by the signal. */
  async stop(signal: AbortSignal): Promise<void> {
    this.#stopped = true;
    clearInterval(this.#polling);
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

  async #listen(): Promise<void> {
    const { sql, log, onCanceled } = this.#deps;
    try {
      const subscription = await sql.listen(
        JOBS_CHANNEL,
        (announced) => {
          const canceled = canceledJob(announced);
          if (canceled !== undefined) onCanceled(canceled);
          else if (this.#apps.has(announced)) this.#wake();
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
