import type { Sql } from "../db/connect.js";
import { claimJobs } from "../db/jobs.js";
import type { Logger } from "../log.js";
import { Attempt } from "./attempt.js";
import { type Emitter, jobInfo } from "./events.js";
import type { Executor, OnEnded } from "./executor.js";
import type { Finisher } from "./finisher.js";
import type { Leases } from "./leases.js";
import type { LoopWatch } from "./loop-watch.js";
import { Pace } from "./pace.js";
import { backoff } from "./retry.js";

/** Outcomes waiting for the database beyond which nothing new is claimed. */
const MOST_BACKLOG = 2000;

/** Jobs a claim asks for at most: no more, so that the first of them run while others are claimed. */
const BATCH = 750;
/** Claims under way at most. */
const CLAIMS = 2;

export interface LoopDeps {
  sql: Sql;
  /** What to claim: see `keys` of a worker's configuration. */
  keys: readonly string[];
  name: string;
  concurrency: number;
  leaseSeconds: number;
  executor: Executor;
  finisher: Finisher;
  watch: LoopWatch;
  events: Emitter;
  leases: Leases;
  /** Asks to be woken after so many milliseconds. */
  wakeIn: (ms: number) => void;
  /** Called when a claim found less than there was room for. */
  onEmptied: () => void;
  log: Logger;
}

/** How long handlers that never wait may keep the event loop from its other work. */
const SLICE_MS = 10;

/** Claims jobs while there is room for them, and keeps as many running as it may. */
export class WorkerLoop {
  readonly #deps: LoopDeps;
  readonly #pace = new Pace();
  /** Claimed and not started, from `#head` on. */
  #buffer: Attempt[] = [];
  #head = 0;
  readonly #running = new Set<Attempt>();
  /** Whether the queue may hold more than was claimed. */
  #hungry = false;
  /** Whether the last claim got all it asked for: one more is then worth its while. */
  #plenty = false;
  readonly #claims = new Set<Promise<void>>();
  /** Jobs that the claims under way have asked for. */
  #asked = 0;
  #filling = false;
  #idle = false;
  #errors = 0;
  #turn = 0;
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
    const first = this.#takeBuffer();
    await Promise.all(this.#claims);
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
      attempt.abort("shutdown");
    }
  }

  /** Waits for running handlers no longer. */
  abandonAll(): void {
    for (const attempt of this.#running) attempt.cut("abandoned");
  }

  #takeBuffer(): Attempt[] {
    const taken = this.#buffer.slice(this.#head);
    this.#buffer = [];
    this.#head = 0;
    return taken.filter(({ aborted }) => aborted === undefined);
  }

  /** How many to claim now; 0 until a claim is worth its round trip. */
  #room(): number {
    const { concurrency, finisher } = this.#deps;
    if (finisher.backlog > MOST_BACKLOG) return 0;
    const ahead = this.#pace.prefetch(performance.now());
    const held = this.#buffer.length - this.#head + this.#asked;
    const room = Math.max(0, concurrency - this.#running.size + ahead - held);
    return room < BATCH && held > ahead / 2 ? 0 : Math.min(BATCH, room);
  }

  #claimIfRoom(): void {
    while (this.#mayClaim()) {
      const room = this.#room();
      if (room === 0) return;
      this.#hungry = false;
      this.#asked += room;
      const claim = this.#claim(room).finally(() => {
        this.#claims.delete(claim);
        this.#asked -= room;
        this.#claimIfRoom();
        this.#noteIdle();
      });
      this.#claims.add(claim);
    }
  }

  #mayClaim(): boolean {
    if (this.#stopped) return false;
    return this.#claims.size === 0 ? this.#hungry : this.#plenty && this.#claims.size < CLAIMS;
  }

  /** Never rejects. */
  async #claim(room: number): Promise<void> {
    const { sql, name, leaseSeconds, leases, log, wakeIn, onEmptied } = this.#deps;
    try {
      await leases.overdue();
      const jobs = await claimJobs(sql, this.#keysInTurn(), name, room, leaseSeconds);
      if (this.#errors > 0) log.info({}, "claiming again");
      this.#errors = 0;
      this.#plenty = jobs.length === room;
      if (this.#plenty) this.#hungry = true;
      this.#buffer.splice(0, this.#head);
      this.#head = 0;
      for (const job of jobs) {
        const attempt = new Attempt(job);
        leases.hold(attempt);
        this.#buffer.push(attempt);
      }
      this.#fill();
      if (jobs.length < room) onEmptied();
    } catch (error) {
      this.#plenty = false;
      this.#errors += 1;
      if (this.#errors === 1) log.error({ err: error }, "cannot claim jobs, trying again");
      wakeIn(backoff(this.#errors));
    }
  }

  /** Every claim begins with another app, so that a busy one does not starve the rest. */
  #keysInTurn(): string[] {
    const { keys } = this.#deps;
    this.#turn = (this.#turn + 1) % keys.length;
    return [...keys.slice(this.#turn), ...keys.slice(0, this.#turn)];
  }

  /** Starts what may start. Handlers that return no promise end here, one after the other. */
  #fill(): void {
    if (this.#filling) return;
    this.#filling = true;
    let now = performance.now();
    const end = now + SLICE_MS;
    while (!this.#stopped && this.#running.size < this.#deps.concurrency) {
      const attempt = this.#buffer[this.#head];
      if (attempt === undefined) break;
      this.#head += 1;
      // One that was lost or canceled while it waited is not ours to run.
      if (attempt.aborted !== undefined) continue;
      this.#run(attempt);
      const begun = now;
      now = performance.now();
      this.#deps.watch.ran(attempt, now - begun);
      if (now > end) {
        setImmediate(() => this.#refill());
        return;
      }
    }
    this.#filling = false;
  }

  /** Goes on after others had their turn. */
  #refill(): void {
    this.#filling = false;
    this.#fill();
    this.#claimIfRoom();
  }

  #run(attempt: Attempt): void {
    const { events, executor } = this.#deps;
    this.#running.add(attempt);
    events.emit("job:start", () => ({ job: jobInfo(attempt.job) }));
    executor.run(attempt, this.#onEnded);
  }

  readonly #onEnded: OnEnded = (attempt, ending) => {
    const { finisher, leases } = this.#deps;
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
        this.#noteIdle();
        break;
    }
    if (this.#running.size === 0) this.#onIdle?.();
    if (this.#filling) return;
    this.#fill();
    this.#claimIfRoom();
  };

  /** An attempt is off the worker's hands: there may be room for more, or nothing left to do. */
  settled(): void {
    this.#claimIfRoom();
    this.#noteIdle();
  }

  #noteIdle(): void {
    const { leases, events } = this.#deps;
    const idle = leases.size === 0 && !this.#hungry && this.#claims.size === 0;
    if (idle && !this.#idle) events.emit("worker:idle", () => ({}));
    this.#idle = idle;
  }
}
