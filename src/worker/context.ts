import type { Sql } from "../db/connect.js";
import { enqueueJob, type JobTrigger } from "../db/jobs.js";
import type { LogLevel } from "../db/logs.js";
import type { Logger } from "../log.js";
import type { Attempt } from "./attempt.js";
import { LineWriter } from "./line-writer.js";
import type { LogBook } from "./logs.js";
import type { Caller, Enqueue, JobContext, JobLog, Log, StartContext } from "./types.js";

/** What Carillon's own handlers are given besides. */
export interface AttemptContext extends JobContext {
  /** Calls back once `signal` is aborted, without making one; at once where it was. */
  whenAborted(callback: () => void): void;
}

/** Makes what handlers and hooks are given. */
export class ContextFactory {
  readonly #sql: Sql;
  readonly #log: Logger;
  readonly #logs: LogBook;

  constructor(sql: Sql, log: Logger, logs: LogBook) {
    this.#sql = sql;
    this.#log = log;
    this.#logs = logs;
  }

  /** The owner of a job; null when it has none, or is gone. */
  caller({ job: { userId, username } }: Attempt): Caller | null {
    return userId === null || username === null ? null : { userId, username };
  }

  job(attempt: Attempt): AttemptContext {
    return new HandlerContext(attempt, this);
  }

  start(appId: string, signal: AbortSignal): StartContext {
    return {
      appId,
      signal,
      log: this.#processLog({ app: appId }),
      enqueue: this.enqueue(appId, null),
    };
  }

  /** Enqueues jobs of an app on behalf of a user. */
  enqueue(appId: string, userId: string | null): Enqueue {
    return (payload, options = {}) =>
      enqueueJob(this.#sql, appId, payload, {
        ...options,
        userId,
        runAt: asText(options.runAt),
        expiresAt: asText(options.expiresAt),
      });
  }

  /** The process's log, with the fields of what it is about. */
  #processLog(about: object): Log {
    const log = this.#log;
    return {
      debug: (message, fields) => log.debug({ ...fields, ...about }, message),
      info: (message, fields) => log.info({ ...fields, ...about }, message),
      warn: (message, fields) => log.warn({ ...fields, ...about }, message),
      error: (message, fields) => log.error({ ...fields, ...about }, message),
    };
  }

  /** Says how far a job is. */
  progress(attempt: Attempt): JobContext["progress"] {
    return (percent, note) => this.#logs.of(attempt).progress(percent, note);
  }

  /** The log of a job: every line goes into the database, and to the process's log. */
  jobLog(attempt: Attempt): JobLog {
    const own = this.#processLog(attempt.fields);
    const kept = this.#logs.of(attempt);
    const at = (level: LogLevel) => (message: string, data?: object) => {
      kept.log(level, message, data);
      own[level](message, data);
    };
    return {
      debug: at("debug"),
      info: at("info"),
      warn: at("warn"),
      error: at("error"),
      stream: (stream) => new LineWriter(kept, stream),
      flush: () => kept.flush(),
    };
  }
}

/** What costs more than a field is made when a handler first asks for it. */
class HandlerContext implements AttemptContext {
  readonly appId: string;
  readonly jobId: number;
  readonly cronId: string | null;
  readonly scheduledFor: Date | null;
  readonly attempt: number;
  readonly trigger: JobTrigger;
  readonly #attempt: Attempt;
  readonly #factory: ContextFactory;
  #log: JobLog | undefined;
  #progress: JobContext["progress"] | undefined;
  #enqueue: Enqueue | undefined;

  constructor(attempt: Attempt, factory: ContextFactory) {
    const { job } = attempt;
    this.appId = job.appId;
    this.jobId = job.jobId;
    this.cronId = job.cronId;
    this.scheduledFor = job.scheduledFor;
    this.attempt = job.attempt;
    this.trigger = job.trigger;
    this.#attempt = attempt;
    this.#factory = factory;
  }

  get signal(): AbortSignal {
    return this.#attempt.signal;
  }

  whenAborted(callback: () => void): void {
    this.#attempt.whenAborted(callback);
  }

  get log(): JobLog {
    return (this.#log ??= this.#factory.jobLog(this.#attempt));
  }

  get progress(): JobContext["progress"] {
    return (this.#progress ??= this.#factory.progress(this.#attempt));
  }

  get enqueue(): Enqueue {
    const { appId, userId } = this.#attempt.job;
    return (this.#enqueue ??= this.#factory.enqueue(appId, userId));
  }
}

const asText = (time: Date | string | null | undefined) =>
  time instanceof Date ? time.toISOString() : time;
