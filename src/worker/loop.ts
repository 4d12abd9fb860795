import type { Sql } from "../db/connect.js";
import { claimJobs, nextJobIn } from "../db/jobs.js";
import type { Logger } from "../log.js";
import { Attempt } from "./attempt.js";
import type { Executor } from "./executor.js";
import type { Finisher } from "./finisher.js";
import type { Leases } from "./leases.js";
import { Pace } from "./pace.js";
import { backoff } from "./retry.js";

/** Outcomes waiting for the database beyond which nothing new is claimed. */
const MOST_BACKLOG = 2000;
/** After a claim that emptied the queue: when to ask for the next due time, at most so often. */
const PLAN_MS = 100;

export interface LoopDeps {
  sql: Sql;
  apps: readonly string[];
  name: string;
  concurrency: number;
  leaseSeconds: number;
  executor: Executor;
  finisher: Finisher;
  leases: Leases;
  /** Asks to be woken after so many milliseconds. */
  wakeIn: (ms: number) => void;
  log: Logger;
}

/** Claims jobs while there is room for them, and keeps as many running as it may. */
export class WorkerLoop {
  readonly #deps: LoopDeps;
  readonly #pace = new Pace();
  #buffer: Attempt[] = [];
  readonly #running = new Set<Attempt>();
  /** Whether the queue may hold more than was claimed. */
  #hungry = false;
  #claiming: Promise<void> | undefined;
  #errors = 0;
  #turn = 0;
  #planning: NodeJS.Timeout | undefined;
  #stopped = false;
  #onIdle: (() => void) | undefined;

  constructor(deps: LoopDeps) {
    this.#deps = deps;
  }

  /** There may be something to claim. */
  wake(): void {
    this.#hungry = true;
    this.#claimIfRoom();
  }

  /** Claims nothing more; gives what was claimed and not started. */
  async stop(): Promise<Attempt[]> {
    this.#stopped = true;
    clearTimeout(this.#planning);
    const first = this.#takeBuffer();
    await this.#claiming;
    return [...first, ...this.#takeBuffer()];
  }

  get running(): number {
    return this.#running.size;
  }

  /** Fulfilled when nothing runs. */
  idle(): Promise<void> {
    if (this.#running.size === 0) return Promise.resolve();
    return new Promise((resolve) => (this.#onIdle = resolve));
  }

  /** Tells running handlers to stop. */
  abortAll(): void {
    for (const attempt of this.#running) {
      if (!attempt.signal.aborted) attempt.abort("shutdown");
    }
  }

  /** Waits for running handlers no longer. */
  abandonAll(): void {
    for (const attempt of this.#running) attempt.abandon();
  }

  #takeBuffer(): Attempt[] {
    const taken = this.#buffer;
    this.#buffer = [];
    return taken.filter((attempt) => !attempt.signal.aborted);
  }

  /** How many to claim now; 0 until a claim is worth its round trip. */
  #room(): number {
    const { concurrency, finisher } = this.#deps;
    if (finisher.backlog > MOST_BACKLOG) return 0;
    const ahead = this.#pace.prefetch(performance.now());
    if (this.#buffer.length > ahead / 2) return 0;
    return Math.max(0, concurrency - this.#running.size + ahead - this.#buffer.length);
  }

  #claimIfRoom(): void {
    if (this.#stopped || !this.#hungry || this.#claiming) return;
    const room = this.#room();
    if (room === 0) return;
    this.#hungry = false;
    this.#claiming = this.#claim(room).finally(() => {
      this.#claiming = undefined;
      this.#claimIfRoom();
    });
  }

  /** Never rejects. */
  async #claim(room: number): Promise<void> {
    const { sql, name, leaseSeconds, leases, log, wakeIn } = this.#deps;
    try {
      const jobs = await claimJobs(sql, this.#appsInTurn(), name, room, leaseSeconds);
      if (this.#errors > 0) log.info({}, "claiming again");
      this.#errors = 0;
      if (jobs.length === room) this.#hungry = true;
      for (const job of jobs) {
        const attempt = new Attempt(job);
        leases.hold(attempt);
        this.#buffer.push(attempt);
      }
      if (!this.#stopped) this.#fill();
      if (jobs.length < room) this.#planWake();
    } catch (error) {
      this.#errors += 1;
      if (this.#errors === 1) log.error({ err: error }, "cannot claim jobs, trying again");
      wakeIn(backoff(this.#errors));
    }
  }

  /** Delayed jobs announce themselves when enqueued, not when due: ask for the next one's time. */
  #planWake(): void {
    this.#planning ??= setTimeout(() => void this.#askNext(), PLAN_MS);
  }

  async #askNext(): Promise<void> {
    const { sql, apps, wakeIn, log } = this.#deps;
    this.#planning = undefined;
    if (this.#stopped) return;
    try {
      const seconds = await nextJobIn(sql, [...apps]);
      if (seconds !== null) wakeIn(seconds * 1000 + 1);
    } catch (error) {
      log.debug({ err: error }, "cannot tell when the next job is due, polling");
    }
  }

  /** Every claim begins with another app, so that a busy one does not starve the rest. */
  #appsInTurn(): string[] {
    const { apps } = this.#deps;
    this.#turn = (this.#turn + 1) % apps.length;
    return [...apps.slice(this.#turn), ...apps.slice(0, this.#turn)];
  }

  #fill(): void {
    let started = 0;
    while (this.#running.size < this.#deps.concurrency && started < this.#buffer.length) {
      const attempt = this.#buffer[started];
      started += 1;
      // One that was lost or canceled while it waited is not ours to run.
      if (attempt && !attempt.signal.aborted) void this.#run(attempt);
    }
    if (started > 0) this.#buffer.splice(0, started);
  }

  async #run(attempt: Attempt): Promise<void> {
    const { executor, finisher, leases } = this.#deps;
    this.#running.add(attempt);
    const ending = await executor.run(attempt);
    this.#running.delete(attempt);
    this.#pace.record(performance.now());
    switch (ending.kind) {
      case "finished":
        finisher.finish(attempt, ending.outcome);
        break;
      case "released":
        finisher.release(attempt);
        break;
      case "dropped":
        leases.drop(attempt);
        break;
    }
    if (!this.#stopped) this.#fill();
    this.#claimIfRoom();
    if (this.#running.size === 0) this.#onIdle?.();
  }
}
