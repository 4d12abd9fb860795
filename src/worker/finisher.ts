import type { Sql } from "../db/connect.js";
import { finishJobs, type JobOutcome, releaseJobs } from "../db/jobs.js";
import type { Logger } from "../log.js";
import type { Attempt } from "./attempt.js";
import { type Emitter, jobInfo } from "./events.js";
import { failure } from "./failure.js";
import type { LogBook } from "./logs.js";
import { backoff, isTransient, pause } from "./retry.js";

const BATCH = 500;
const STATEMENTS = 2;

interface Entry {
  readonly attempt: Attempt;
  readonly outcome: JobOutcome;
}

export interface FinisherDeps {
  sql: Sql;
  log: Logger;
  events: Emitter;
  /** What an attempt has logged is stored before its end is. */
  logs: LogBook;
  /** Called once an attempt is no longer this worker's. */
  onSettled: (attempt: Attempt) => void;
  /** Aborted when a stopping worker may wait for the database no longer. */
  giveUp: AbortSignal;
}

/**
 * Records how attempts ended, in batches: what ends while a statement is under way goes into the
 * next. While the database is away it keeps trying; only a stopping worker gives up, and then the
 * lease runs out and the job is delivered again.
 */
export class Finisher {
  readonly #deps: FinisherDeps;
  readonly #waiting: Entry[] = [];
  readonly #returning: Attempt[] = [];
  readonly #underWay = new Set<Promise<void>>();
  /** Ends that wait for their logs. */
  readonly #held = new Set<Promise<void>>();
  #scheduled = false;

  constructor(deps: FinisherDeps) {
    this.#deps = deps;
  }

  /** Outcomes not yet given to the database. */
  get backlog(): number {
    return this.#waiting.length + this.#held.size;
  }

  finish(attempt: Attempt, outcome: JobOutcome): void {
    this.#afterLog(attempt, () => this.#waiting.push({ attempt, outcome }));
  }

  /** Hands an attempt back to the queue, at once and without blame. */
  release(...attempts: Attempt[]): void {
    for (const attempt of attempts) this.#afterLog(attempt, () => this.#returning.push(attempt));
  }

  #afterLog(attempt: Attempt, end: () => void): void {
    const stored = this.#deps.logs.settle(attempt);
    if (stored === undefined) {
      end();
      this.#schedule();
      return;
    }
    const held = stored.then(() => {
      this.#held.delete(held);
      end();
      this.#schedule();
    });
    this.#held.add(held);
  }

  /** Waits until everything so far is on record, or has been given up. */
  async flush(): Promise<void> {
    while (
      this.#waiting.length + this.#returning.length + this.#underWay.size + this.#held.size >
      0
    ) {
      this.#schedule();
      const work = [...this.#underWay, ...this.#held];
      await (work.length > 0 ? Promise.race(work) : new Promise(setImmediate));
    }
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    // After the microtasks: everything that ends in this burst goes together.
    process.nextTick(() => {
      this.#scheduled = false;
      while (this.#mayStart()) {
        const batch = this.#waiting.splice(0, BATCH);
        batch.sort((a, b) => a.outcome.jobId - b.outcome.jobId);
        this.#track(this.#record(batch));
      }
      if (this.#returning.length > 0) this.#track(this.#return(this.#returning.splice(0)));
    });
  }

  #mayStart(): boolean {
    if (this.#waiting.length === 0) return false;
    const busy = this.#underWay.size;
    return busy === 0 || (busy < STATEMENTS && this.#waiting.length >= BATCH);
  }

  #track(statement: Promise<void>): void {
    const work = statement.finally(() => {
      this.#underWay.delete(work);
      this.#schedule();
    });
    this.#underWay.add(work);
  }

  /** Never rejects. */
  async #return(attempts: readonly Attempt[]): Promise<void> {
    const { sql, log, onSettled } = this.#deps;
    const leases = attempts.map(({ lease }) => lease);
    try {
      await this.#persist(() => releaseJobs(sql, leases));
    } catch (error) {
      log.error({ err: error, jobs: leases.length }, "jobs not handed back: their leases will end");
    }
    attempts.forEach(onSettled);
  }

  /** Never rejects. */
  async #record(batch: readonly Entry[]): Promise<void> {
    const { sql, log, onSettled } = this.#deps;
    try {
      const { value, tries } = await this.#persist(() =>
        finishJobs(
          sql,
          batch.map(({ outcome }) => outcome),
        ),
      );
      const refused = new Set(value);
      for (const entry of batch) {
        if (refused.has(entry.outcome.jobId)) this.#reportRefused(entry, tries > 1);
        else this.#announce(entry);
        onSettled(entry.attempt);
      }
    } catch (error) {
      if (isTransient(error)) {
        log.error({ err: error, jobs: batch.length }, "outcomes not recorded: jobs will run again");
        batch.forEach(({ attempt }) => onSettled(attempt));
      } else {
        await this.#isolate(batch, error);
      }
    }
  }

  /** One outcome that cannot be stored must not hold up its neighbours. */
  async #isolate(batch: readonly Entry[], error: unknown): Promise<void> {
    const [first] = batch;
    if (first !== undefined && batch.length === 1) {
      await this.#replace(first, error);
      return;
    }
    const middle = batch.length >> 1;
    await this.#record(batch.slice(0, middle));
    await this.#record(batch.slice(middle));
  }

  async #replace({ attempt, outcome }: Entry, error: unknown): Promise<void> {
    const { log, onSettled } = this.#deps;
    if (outcome.error?.name === "UnstorableOutcome") {
      log.error({ ...attempt.fields, err: error }, "outcome refused by the database");
      onSettled(attempt);
      return;
    }
    log.warn({ ...attempt.fields, err: error }, "outcome cannot be stored: failing the job");
    const { jobId, attempt: delivery } = outcome;
    const message = `the job ${outcome.status}, but its outcome cannot be stored`;
    await this.#record([
      {
        attempt,
        outcome: {
          jobId,
          attempt: delivery,
          status: "failed",
          error: failure("UnstorableOutcome", message),
        },
      },
    ]);
  }

  #announce({ attempt, outcome }: Entry): void {
    const { events } = this.#deps;
    const { job, ms } = attempt;
    const { error, result } = outcome;
    if (error === undefined) events.emit("job:complete", () => ({ job: jobInfo(job), result, ms }));
    else events.emit("job:fail", () => ({ job: jobInfo(job), error, ms }));
  }

  #reportRefused({ attempt, outcome }: Entry, retried: boolean): void {
    const { log, events } = this.#deps;
    const fields = { ...attempt.fields, outcome: outcome.status };
    // A statement whose connection broke may have been carried out all the same.
    if (retried) {
      log.info(fields, "outcome already on record, or the lease was lost");
      return;
    }
    log.warn(fields, "outcome refused: the lease was lost or the job canceled");
    events.emit("job:lost", () => ({ job: jobInfo(attempt.job), why: "lease_lost" }));
  }

  async #persist<T>(statement: () => Promise<T>): Promise<{ value: T; tries: number }> {
    const { log, giveUp } = this.#deps;
    for (let tries = 1; ; tries += 1) {
      try {
        return { value: await statement(), tries };
      } catch (error) {
        if (!isTransient(error) || giveUp.aborted) throw error;
        if (tries === 1) log.warn({ err: error }, "outcomes wait for the database");
        await pause(backoff(tries), giveUp);
      }
    }
  }
}
