import {
  Logger,
  makeWorkerUtils,
  type ParsedCronItem,
  parseCronItems,
  run,
  type Runner,
  type WorkerUtils,
} from "graphile-worker";

import {
  type Contestant,
  type Handler,
  type JobPayload,
  payload,
  type WorkOptions,
} from "../harness/contestant.js";
import { runProgram } from "../harness/program.js";

const TASK = "bench";

/** graphile-worker, with the preset its page on performance names. It deletes finished jobs. */
class Graphile implements Contestant {
  #url = "";
  #utils: WorkerUtils | undefined;
  #runner: Runner | undefined;
  #crons: ParsedCronItem[] = [];

  async open(url: string): Promise<void> {
    this.#url = url;
    this.#utils = await makeWorkerUtils(this.#options());
    await this.#utils.migrate();
  }

  #options(concurrency = 24) {
    return {
      preset: {
        worker: {
          connectionString: this.#url,
          concurrentJobs: concurrency,
          maxPoolSize: 25,
          localQueue: { size: 500 },
          completeJobBatchDelay: 0,
          failJobBatchDelay: 0,
          logger: new Logger(() => () => undefined),
        },
      },
    };
  }

  async enqueue(count: number): Promise<void> {
    for (let first = 0; first < count; first += 5000) {
      const jobs = Array.from({ length: Math.min(5000, count - first) }, (_, i) => ({
        identifier: TASK,
        payload: payload(first + i),
        maxAttempts: 1,
      }));
      await this.#utils?.addJobs(jobs);
    }
  }

  async send(job: JobPayload): Promise<void> {
    await this.#utils?.addJob(TASK, job);
  }

  async work(handler: Handler, options: WorkOptions): Promise<void> {
    this.#runner = await run({
      ...this.#options(options.concurrency),
      taskList: { [TASK]: (job) => handler(job as JobPayload) },
      parsedCronItems: options.schedules === true ? this.#crons : [],
      noHandleSignals: true,
    });
  }

  async rest(): Promise<void> {
    await this.#runner?.stop();
    this.#runner = undefined;
  }

  /** Its crons live in the process, not in the database. */
  schedule(count: number, expression: string): Promise<void> {
    this.#crons = parseCronItems(
      Array.from({ length: count }, (_, n) => ({
        task: TASK,
        match: expression,
        identifier: `cron-${n}`,
        payload: payload(n),
      })),
    );
    return Promise.resolve();
  }

  async close(): Promise<void> {
    await this.rest();
    await this.#utils?.release();
  }
}

runProgram(new Graphile());
