import { hostname } from "node:os";
import type { Sql } from "../db/connect.js";
import { forgetWorker, noteWorker, type WorkerNote } from "../db/workers.js";
import type { Logger } from "../log.js";
import { packageVersion } from "../version.js";
import { pause } from "./retry.js";

/** How often a worker says that it is there; SQL counts it as gone after three times as long. */
const EVERY_MS = 30_000;

export interface PresenceDeps {
  sql: Sql;
  name: string;
  /** What it claims: see `keys` of a worker's configuration. */
  keys: readonly string[];
  concurrency: number;
  log: Logger;
}

/** Lets others see that a worker is there, also while it has nothing to do. Never throws. */
export class Presence {
  readonly #deps: PresenceDeps;
  readonly #note: WorkerNote;

  constructor(deps: PresenceDeps) {
    const { name, keys, concurrency } = deps;
    this.#deps = deps;
    this.#note = {
      ...{ name, keys, concurrency },
      ...{ host: hostname(), pid: process.pid, version: packageVersion() },
    };
  }

  /** Says so at once. */
  async note(): Promise<void> {
    await this.#try(() => noteWorker(this.#deps.sql, this.#note));
  }

  /** Goes on saying so until the signal is aborted, and then that it is gone. */
  async run(signal: AbortSignal): Promise<void> {
    for (;;) {
      await pause(EVERY_MS, signal);
      if (signal.aborted) break;
      await this.note();
    }
    const { sql, name, keys } = this.#deps;
    await this.#try(() => forgetWorker(sql, name, keys));
  }

  async #try(statement: () => Promise<unknown>): Promise<void> {
    try {
      await statement();
    } catch (error) {
      // Whoever claims jobs meets the same, and says so.
      this.#deps.log.debug({ err: error }, "cannot tell that the worker is there");
    }
  }
}
