import type { Sql } from "../db/connect.js";
import { enqueueJob } from "../db/jobs.js";
import type { LogLevel } from "../db/logs.js";
import type { Logger } from "../log.js";
import type { Attempt } from "./attempt.js";
import { LineWriter } from "./line-writer.js";
import type { LogBook } from "./logs.js";
import type { Caller, Enqueue, JobContext, JobLog, Log, StartContext } from "./types.js";

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

  job(attempt: Attempt): JobContext {
    const { job, signal } = attempt;
    return {
      appId: job.appId,
      jobId: job.jobId,
      cronId: job.cronId,
      scheduledFor: job.scheduledFor,
      attempt: job.attempt,
      trigger: job.trigger,
      signal,
      log: this.#jobLog(attempt),
      progress: (percent, note) => this.#logs.of(attempt).progress(percent, note),
      enqueue: this.#enqueue(job.appId, job.userId),
    };
  }

  start(appId: string, signal: AbortSignal): StartContext {
    return {
      appId,
      signal,
      log: this.#processLog({ app: appId }),
      enqueue: this.#enqueue(appId, null),
    };
  }

  #enqueue(appId: string, userId: string | null): Enqueue {
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

  /** The log of a job: every line goes into the database, and to the process's log. */
  #jobLog(attempt: Attempt): JobLog {
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

const asText = (time: Date | string | null | undefined) =>
  time instanceof Date ? time.toISOString() : time;
