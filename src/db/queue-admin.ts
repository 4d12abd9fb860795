import { Pgmq } from "pgmq-js";

/** The queue of live jobs, and the one for jobs that were delivered too often. */
export const QUEUES = ["jobs", "jobs_dlq"] as const;
export type QueueName = (typeof QUEUES)[number];

/** Length and age of a queue, as pgmq.metrics() counts them. */
export interface QueueMetrics {
  queueName: string;
  queueLength: number;
  newestMsgAgeSec?: number;
  oldestMsgAgeSec?: number;
  totalMessages: number;
  scrapeTime: Date;
}

/** Administration of the queues through pgmq-js; the hot paths go through our SQL functions. */
export class QueueAdmin implements AsyncDisposable {
  readonly #pgmq: Pgmq;

  private constructor(pgmq: Pgmq) {
    this.#pgmq = pgmq;
  }

  /** Connects; pgmq itself must be installed already. */
  static async open(databaseUrl: string): Promise<QueueAdmin> {
    const url = new URL(databaseUrl);
    const mode = url.searchParams.get("sslmode") ?? "disable";
    // Every pool setting is given: pgmq-js raises `max` to 1000 when idleTimeoutMillis is left out.
    const pgmq = await Pgmq.new(
      {
        host: decodeURIComponent(url.hostname),
        port: Number(url.port || 5432),
        user: decodeURIComponent(url.username),
        password: decodeURIComponent(url.password),
        database: decodeURIComponent(url.pathname.slice(1)),
        ssl: !["disable", "allow", "prefer"].includes(mode),
        max: 1,
        idleTimeoutMillis: 1000,
        connectionTimeoutMillis: 10_000,
        maxUses: 7500,
      },
      { skipExtensionCreation: true },
    );
    return new QueueAdmin(pgmq);
  }

  /** Makes the queues that are missing. */
  async ensureQueues(): Promise<void> {
    for (const queue of QUEUES) await this.#pgmq.queue.create(queue);
  }

  metrics(queue: QueueName): Promise<QueueMetrics> {
    return this.#pgmq.queue.getMetrics(queue);
  }

  /** Deletes every message of a queue, for good. */
  purge(queue: QueueName): Promise<void> {
    return this.#pgmq.queue.purge(queue);
  }

  /** Makes a message visible after so many seconds. */
  async setVisibility(queue: QueueName, msgId: number, seconds: number): Promise<void> {
    await this.#pgmq.msg.setVt(queue, msgId, seconds);
  }

  close(): Promise<void> {
    return this.#pgmq.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}
