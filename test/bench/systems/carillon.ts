import { connect, type Sql } from "../../../src/db/connect.js";
import { createCron, syncManifest } from "../../../src/db/crons.js";
import { enqueueJob } from "../../../src/db/jobs.js";
import { serve, type Worker } from "../../../src/index.js";
import { createLogger } from "../../../src/log.js";
import {
  type Contestant,
  type Handler,
  type JobPayload,
  payload,
  times,
  type WorkOptions,
} from "../harness/contestant.js";
import { runProgram } from "../harness/program.js";

const APP = "bench";
const BATCH = 1000;

/** Carillon as it is shipped: `serve` from dist/, history kept. */
class Carillon implements Contestant {
  #url = "";
  #sql: Sql | undefined;
  #worker: Worker | undefined;

  get #db(): Sql {
    if (this.#sql === undefined) throw new Error("not open");
    return this.#sql;
  }

  async open(url: string): Promise<void> {
    this.#url = url;
    this.#sql = connect(url, { max: 10, name: "bench carillon" });
    await this.#db`
      select from carillon.sync_manifest(app => ${APP}, manifest => '{}')
      where not exists (select from carillon.apps where id = ${APP})`;
  }

  async enqueue(count: number): Promise<void> {
    const [found] = await this.#db`
      select exists (
        select from pg_proc where pronamespace = 'carillon'::regnamespace and proname = 'enqueue_jobs'
      ) as batch`;
    for (let first = 0; first < count; first += BATCH) {
      const jobs = Array.from({ length: Math.min(BATCH, count - first) }, (_, i) => ({
        payload: payload(first + i),
      }));
      if (found?.batch === true) {
        await this.#db`
          select carillon.enqueue_jobs(app => ${APP}, jobs => ${this.#db.json(jobs as never)})`;
      } else {
        await this.#db`
          select carillon.enqueue_job(app => ${APP}, payload => j -> 'payload')
          from jsonb_array_elements(${this.#db.json(jobs as never)}) as j`;
      }
    }
  }

  async send(job: JobPayload): Promise<void> {
    await enqueueJob(this.#db, APP, { ...job });
  }

  async work(handler: Handler, options: WorkOptions): Promise<void> {
    this.#worker = serve(
      {
        app: APP,
        databaseUrl: this.#url,
        concurrency: options.concurrency ?? 500,
        ticker: options.schedules ?? false,
        signals: false,
        logger: createLogger(process.env.BENCH_LOG ?? "silent"),
      },
      {
        onJob: (job: unknown, _caller, ctx) => {
          if (options.log === true) ctx.log.info("a line of the job's log");
          return handler(job as JobPayload);
        },
      },
    );
    await this.#worker.ready;
  }

  async rest(): Promise<void> {
    await this.#worker?.stop();
    this.#worker = undefined;
  }

  /** One call at once means one manifest; more mean a call per cron, as the API makes it. */
  async schedule(count: number, expression: string, atOnce: number): Promise<void> {
    const cron = (n: number) => ({
      name: `cron-${n}`,
      schedule: expressionOf(expression, n),
      payload: { ...payload(n) },
    });
    if (atOnce === 1) {
      const crons = Array.from({ length: count }, (_, n) => cron(n));
      await syncManifest(this.#db, APP, { crons }, null);
    } else {
      await times(count, atOnce, (n) => createCron(this.#db, APP, cron(n), null));
    }
  }

  async close(): Promise<void> {
    await this.rest();
    await this.#sql?.end({ timeout: 1 });
  }
}

/**
 * `distinct M H` stands for another schedule per cron, each of which is due at M minutes past H today
 * and at some other time.
 */
function expressionOf(expression: string, n: number): string {
  const [, minute, hour] = /^distinct (\d+) (\d+)$/.exec(expression) ?? [];
  if (minute === undefined || hour === undefined) return expression;
  const otherMinute = (Number(minute) + 1 + (n % 59)) % 60;
  const otherHour = (Number(hour) + 1 + (Math.floor(n / 59) % 23)) % 24;
  const months = [
    "*",
    "1-12",
    "1,2-12",
    "1-2,3-12",
    "1-3,4-12",
    "1-4,5-12",
    "1-5,6-12",
    "1-6,7-12",
  ];
  const month = months[Math.floor(n / (59 * 23)) % months.length] ?? "*";
  return `${minute},${otherMinute} ${hour},${otherHour} * ${month} *`;
}

runProgram(new Carillon());
