import { randomBytes } from "node:crypto";
import { listApps } from "../db/apps.js";
import type { Sql } from "../db/connect.js";
import type { ClaimedJob } from "../db/jobs.js";
import { ping } from "../db/system.js";
import { CarillonError } from "../errors.js";
import { childLogger, type Logger } from "../log.js";
import { ContextFactory } from "./context.js";
import { Emitter, type WorkerEvents } from "./events.js";
import { Executor } from "./executor.js";
import { Finisher } from "./finisher.js";
import { Leases } from "./leases.js";
import { LogBook } from "./logs.js";
import { LoopWatch } from "./loop-watch.js";
import { WorkerLoop } from "./loop.js";
import type { WorkerConfig } from "./options.js";
import { Presence } from "./presence.js";
import { backoff, pause, within } from "./retry.js";
import type { Route } from "./router.js";
import { HOST, SharedDatabase } from "./shared.js";
import { StateMachine } from "./state.js";
import type { Hooks, Worker } from "./types.js";
import { Waker } from "./waker.js";

/** What a worker does with its jobs. */
export interface WorkerParts extends Pick<Hooks, "onStart" | "onShutdown"> {
  readonly route: Route;
  /** Seconds a job may take that does not say; default the worker's. */
  readonly timeoutOf?: (job: ClaimedJob) => number;
}

/** How long an aborted handler may take to end, and the last outcomes to be recorded. */
const GRACE_MS = 2_000;
const FLUSH_MS = 10_000;

/** One worker: puts the parts together, and starts and stops them in order. */
export class QueueWorker implements Worker {
  readonly name = `${HOST}:${process.pid}:${randomBytes(3).toString("hex")}`;
  readonly ready: Promise<void>;
  readonly stopped: Promise<void>;
  /** Whether `onStart` threw, and the worker ended by it. */
  startFailed = false;

  readonly #config: WorkerConfig;
  readonly #parts: WorkerParts;
  /** Errors written here are events, too. */
  readonly #log: Logger;
  readonly #events: Emitter;
  readonly #state = new StateMachine();
  /** Aborted when the worker begins to stop: claiming, listening and ticking end. */
  readonly #stopping = new AbortController();
  /** Aborted by the second call of stop(): nothing is waited for any longer. */
  readonly #hurry = new AbortController();
  /** Aborted when outcomes can be waited for no longer. */
  readonly #giveUp = new AbortController();
  /** Aborted at the very end: heartbeats end. */
  readonly #over = new AbortController();
  /** Aborted before the connections are closed. */
  readonly #closed = new AbortController();

  constructor(config: WorkerConfig, parts: WorkerParts) {
    this.#config = config;
    this.#parts = parts;
    const log = childLogger(config.logger, { worker: this.name });
    const events = new Emitter(log);
    this.#events = events;
    this.#log = {
      debug: (fields, message) => log.debug(fields, message),
      info: (fields, message) => log.info(fields, message),
      warn: (fields, message) => log.warn(fields, message),
      error: (fields: { err?: unknown }, message) => {
        log.error(fields, message);
        events.emit("worker:error", () => ({ error: fields.err, message }));
      },
    };
    const { promise, settle } = deferred();
    this.ready = promise;
    // Nobody has to wait for it; what went wrong is logged.
    this.ready.catch(() => undefined);
    this.stopped = this.#live(settle);
  }

  stop(): Promise<void> {
    if (this.#stopping.signal.aborted) this.#hurry.abort();
    this.#stopping.abort();
    return this.stopped;
  }

  on<Name extends keyof WorkerEvents>(
    name: Name,
    listener: (event: WorkerEvents[Name]) => unknown,
  ): this {
    this.#events.on(name, listener);
    return this;
  }

  off<Name extends keyof WorkerEvents>(
    name: Name,
    listener: (event: WorkerEvents[Name]) => unknown,
  ): this {
    this.#events.off(name, listener);
    return this;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #live(settleReady: (error?: Error) => void): Promise<void> {
    const shared = SharedDatabase.enter(this.#config);
    const { sql } = shared;
    const logs = new LogBook({ sql, log: this.#log, giveUp: this.#giveUp.signal });
    const contexts = new ContextFactory(sql, this.#config.logger, logs);
    try {
      await this.#start(sql, contexts);
      await this.#serve(shared, contexts, logs, settleReady);
    } catch (error) {
      settleReady(error instanceof Error ? error : new Error(String(error)));
      if (this.#state.current !== "closing") this.#state.move("closing");
      if (!(error instanceof Stopped)) {
        this.startFailed = true;
        this.#log.error({ err: error }, "the worker could not start");
      }
    }
    if (!this.startFailed) await this.#shutDown();
    await shared.leave();
    this.#state.move("stopped");
    this.#log.info({}, "worker stopped");
  }

  /** Waits for the database, however long it takes; then `onStart`. */
  async #start(sql: Sql, contexts: ContextFactory): Promise<void> {
    const { signal } = this.#stopping;
    const stopping = untilAborted(signal);
    for (let tries = 1; !signal.aborted; tries += 1) {
      try {
        await Promise.race([ping(sql), stopping]);
        break;
      } catch (error) {
        const hint = error instanceof CarillonError ? error.hint : undefined;
        if (tries === 1) this.#log.error({ err: error, hint }, "waiting for the database");
        await pause(backoff(tries), signal);
      }
    }
    if (!signal.aborted) await this.#warnOfMissingApps(sql);
    for (const app of this.#config.apps) {
      if (signal.aborted) throw new Stopped();
      const hook = Promise.resolve(this.#parts.onStart?.(contexts.start(app, signal)));
      await Promise.race([hook, untilAborted(this.#hurry.signal)]);
    }
    if (signal.aborted) throw new Stopped();
  }

  /** A worker may come before its app's first deploy; a mistyped app looks the same. */
  async #warnOfMissingApps(sql: Sql): Promise<void> {
    if (this.#config.apps.length === 0) return;
    try {
      const installed = new Set((await listApps(sql)).map(({ id }) => id));
      for (const app of this.#config.apps) {
        if (!installed.has(app)) this.#log.warn({ app }, "this app is not installed yet");
      }
    } catch (error) {
      this.#log.debug({ err: error }, "cannot tell whether the apps are installed");
    }
  }

  /** Runs jobs until told to stop, then until they have ended. */
  async #serve(
    shared: SharedDatabase,
    contexts: ContextFactory,
    logs: LogBook,
    onReady: () => void,
  ): Promise<void> {
    const { sql, pulse } = shared;
    const config = this.#config;
    const log = this.#log;
    const { apps, keys, leaseSeconds } = config;
    const events = this.#events;
    const leases = new Leases({ sql, leaseSeconds, events, log });
    const suspects = () => leases.active();
    const watch = new LoopWatch({ leaseSeconds, suspects, events, log });
    const finisher = new Finisher({
      sql,
      ...{ log, logs, events },
      onSettled: (attempt) => {
        leases.drop(attempt);
        loop.settled();
      },
      giveUp: this.#giveUp.signal,
    });
    const executor = new Executor({
      route: this.#parts.route,
      contexts,
      timeoutOf: this.#parts.timeoutOf ?? (() => config.timeoutSeconds),
      log,
    });
    const loop = new WorkerLoop({
      ...{ sql, keys, leaseSeconds, executor, finisher, leases, watch, events, log },
      name: this.name,
      concurrency: config.concurrency,
      wakeIn: (ms) => waker.wakeIn(ms),
      onEmptied: () => waker.planLook(),
    });
    const waker = new Waker({
      ...{ sql, keys, log, listen: config.listen, pollMs: config.pollMs },
      onWake: () => loop.wake(),
      onCanceled: (jobId) => void leases.cancel(jobId),
    });

    const presence = new Presence({
      ...{ sql, keys, log, name: this.name, concurrency: config.concurrency },
    });

    this.#state.move("running");
    watch.start();
    await Promise.race([presence.note(), untilAborted(this.#stopping.signal)]);
    const present = presence.run(this.#over.signal);
    const beating = leases.run(this.#over.signal);
    const leavePulse = config.ticker
      ? pulse.join({ keys, onLook: (seconds) => waker.looked(seconds) }, log)
      : undefined;
    await Promise.race([waker.start(), untilAborted(this.#stopping.signal)]);
    log.info({ apps, concurrency: config.concurrency }, "worker ready");
    onReady();
    events.emit("worker:ready", () => ({ apps }));

    await untilAborted(this.#stopping.signal);
    this.#state.move("draining");
    const quiet = Promise.all([leavePulse?.(), waker.stop(this.#closed.signal)]);
    await this.#drain(loop, finisher, logs);
    this.#over.abort();
    watch.stop();
    await within(GRACE_MS, Promise.all([beating, present, quiet]), this.#hurry.signal);
    this.#closed.abort();
  }

  /** Every wait in here ends at the second call of stop(). */
  async #drain(loop: WorkerLoop, finisher: Finisher, logs: LogBook): Promise<void> {
    const hurry = this.#hurry.signal;
    const unstarted = loop.stop().then((attempts) => finisher.release(...attempts));
    await within(this.#config.drainSeconds * 1000, loop.idle(), hurry);
    if (loop.running > 0) {
      this.#state.move("aborting");
      this.#log.warn({ jobs: loop.running }, "aborting running jobs");
      loop.abortAll();
      await within(GRACE_MS, loop.idle(), hurry);
      if (loop.running > 0) this.#log.warn({ jobs: loop.running }, "handing back running jobs");
      loop.abandonAll();
      await loop.idle();
    }
    this.#state.move("closing");
    const flushed = unstarted.then(() => finisher.flush()).then(() => logs.flush());
    await within(FLUSH_MS, flushed, hurry);
    await within(GRACE_MS, flushed, this.#giveUp.signal);
    this.#giveUp.abort();
  }

  async #shutDown(): Promise<void> {
    try {
      const ended = Promise.resolve(this.#parts.onShutdown?.());
      await Promise.race([ended, untilAborted(this.#hurry.signal)]);
    } catch (error) {
      this.#log.error({ err: error }, "onShutdown failed");
    }
  }
}

/** The worker was told to stop before it was ready. */
class Stopped extends Error {
  constructor() {
    super("the worker was stopped before it was ready");
    this.name = "Stopped";
  }
}

const untilAborted = (signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener("abort", () => resolve(), { once: true });
  });

function deferred() {
  let settle: (error?: Error) => void = () => undefined;
  const promise = new Promise<void>((resolve, reject) => {
    settle = (error) => (error === undefined ? resolve() : reject(error));
  });
  return { promise, settle: (error?: Error) => settle(error) };
}
