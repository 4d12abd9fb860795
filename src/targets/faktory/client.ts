import { type ConnectionOptions, FaktoryConnection } from "./connection.js";
import { FaktoryFailure } from "./failure.js";
import type { FaktoryInstance } from "./instances.js";

/** How long a connection is kept for the next push, which then need not hash the password again. */
const IDLE_MS = 5_000;
const MAX_IDLE = 10;

/** A job as Faktory takes it. */
export interface FaktoryJob {
  readonly jid: string;
  readonly jobtype: string;
  readonly queue: string;
  readonly args: readonly unknown[];
  readonly reserve_for?: number;
  readonly retry?: number;
}

interface Idle {
  readonly connection: FaktoryConnection;
  readonly timer: NodeJS.Timeout;
}

/** Talks to one Faktory server, over as many connections as there are calls at once. */
export class FaktoryClient implements Disposable {
  readonly #instance: FaktoryInstance;
  readonly #options: ConnectionOptions;
  readonly #idle: Idle[] = [];
  #closed = false;

  constructor(instance: FaktoryInstance, options: ConnectionOptions = {}) {
    this.#instance = instance;
    this.#options = options;
  }

  /**
   * Resolves once the server has accepted the job.
   *
   * @throws FaktoryFailure
   */
  async push(job: FaktoryJob, signal: AbortSignal): Promise<void> {
    const answer = await this.#command("PUSH", JSON.stringify(job), signal);
    if (answer !== "OK") throw new FaktoryFailure("protocol", "the server did not say OK to a job");
  }

  /**
   * The server's queues by name, and how many jobs each holds.
   *
   * @throws FaktoryFailure
   */
  async queues(signal: AbortSignal): Promise<{ name: string; size: number }[]> {
    const queues = queuesOf(await this.#command("INFO", "", signal));
    return Object.entries(queues)
      .map(([name, size]) => ({ name, size: Number(size) }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  async #command(name: string, argument: string, signal: AbortSignal): Promise<string | null> {
    const connection =
      this.#take() ?? (await FaktoryConnection.open(this.#instance, signal, this.#options));
    try {
      return await connection.command(name, argument, signal);
    } finally {
      this.#keep(connection);
    }
  }

  #take(): FaktoryConnection | undefined {
    for (let idle = this.#idle.pop(); idle !== undefined; idle = this.#idle.pop()) {
      clearTimeout(idle.timer);
      if (idle.connection.usable) return idle.connection;
    }
    return undefined;
  }

  #keep(connection: FaktoryConnection): void {
    if (this.#closed || !connection.usable || this.#idle.length >= MAX_IDLE) {
      connection.end();
      return;
    }
    connection.rest();
    const timer = setTimeout(() => {
      const at = this.#idle.findIndex((idle) => idle.connection === connection);
      if (at !== -1) this.#idle.splice(at, 1);
      connection.end();
    }, IDLE_MS);
    this.#idle.push({ connection, timer: timer.unref() });
  }

  [Symbol.dispose](): void {
    this.#closed = true;
    for (const { connection, timer } of this.#idle.splice(0)) {
      clearTimeout(timer);
      connection.end();
    }
  }
}

function queuesOf(info: string | null): object {
  try {
    const { faktory } = JSON.parse(info ?? "") as { faktory: { queues: unknown } };
    if (typeof faktory.queues === "object" && faktory.queues !== null) return faktory.queues;
  } catch {
    // Not what Faktory tells of itself.
  }
  throw new FaktoryFailure("protocol", "the server's INFO does not list its queues");
}
