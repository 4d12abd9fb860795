import { PgBoss } from "pg-boss";

import {
  type Contestant,
  type Handler,
  type JobPayload,
  payload,
  times,
  type WorkOptions,
} from "../harness/contestant.js";
import { runProgram } from "../harness/program.js";

const QUEUE = "bench";

/** pg-boss, with its fastest settings: batches of 500, burst, NOTIFY. It keeps finished jobs. */
class Boss implements Contestant {
  #boss: PgBoss | undefined;
  #url = "";
  #schedules = false;

  get #db(): PgBoss {
    if (this.#boss === undefined) throw new Error("not open");
    return this.#boss;
  }

  async open(url: string): Promise<void> {
    this.#url = url;
    await this.#restart(false);
    await this.#db.createQueue(QUEUE, { notify: true, retryLimit: 0 });
  }

  async #restart(schedule: boolean): Promise<void> {
    await this.#boss?.stop({ graceful: false });
    this.#schedules = schedule;
    this.#boss = new PgBoss({
      connectionString: this.#url,
      max: 10,
      useListenNotify: true,
      schedule,
      ...(schedule ? { cronMonitorIntervalSeconds: 1, cronWorkerIntervalSeconds: 1 } : {}),
    });
    this.#boss.on("error", (error) => process.stderr.write(`pg-boss: ${error.message}\n`));
    await this.#boss.start();
  }

  async enqueue(count: number): Promise<void> {
    for (let first = 0; first < count; first += 5000) {
      const jobs = Array.from({ length: Math.min(5000, count - first) }, (_, i) => ({
        data: payload(first + i),
      }));
      await this.#db.insert(QUEUE, jobs);
    }
  }

  async send(job: JobPayload): Promise<void> {
    await this.#db.send(QUEUE, job);
  }

  async work(handler: Handler, options: WorkOptions): Promise<void> {
    if (this.#schedules !== (options.schedules ?? false)) {
      await this.#restart(options.schedules ?? false);
    }
    await this.#db.work(
      QUEUE,
      {
        batchSize: options.failHalf === true ? 1 : (options.sleepMs ?? 0) > 0 ? 100 : 500,
        localConcurrency: options.failHalf === true ? 50 : (options.concurrency ?? 2),
        burstWhenBatchFull: true,
        pollingIntervalSeconds: 0.5,
        notifyPollingIntervalSeconds: 0.5,
      },
      async (jobs) => {
        await Promise.all(jobs.map(async (job) => handler(job.data as JobPayload)));
      },
    );
  }

  async rest(): Promise<void> {
    await this.#db.offWork(QUEUE);
  }

  async schedule(count: number, expression: string, atOnce: number): Promise<void> {
    await times(count, atOnce, (n) =>
      this.#db.schedule(QUEUE, expression, payload(n), { key: `cron-${n}` }),
    );
  }

  async close(): Promise<void> {
    await this.#boss?.stop({ graceful: false });
  }
}

runProgram(new Boss());
