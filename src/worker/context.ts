import type { Sql } from "../db/connect.js";
import { enqueueJob } from "../db/jobs.js";
import type { Logger } from "../log.js";
import type { Attempt } from "./attempt.js";
import type { Caller, Enqueue, JobContext, JobLog, StartContext } from "./types.js";

/** Makes what handlers and hooks are given. */
export class ContextFactory {
  readonly #sql: Sql;
  readonly #log: Logger;

  constructor(sql: Sql, log: Logger) {
    this.#sql = sql;
    this.#log = log;
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
      log: this.#jobLog(attempt.fields),
      enqueue: this.#enqueue(job.appId, job.userId),
    };
  }

  start(appId: string, signal: AbortSignal): StartContext {
    return {
      appId,
      signal,
      log: this.#jobLog({ app: appId }),
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

  #jobLog(job: object): JobLog {
    const log = this.#log;
    return {
      info: (message, fields) => log.info({ ...fields, ...job }, message),
      warn: (message, fields) => log.warn({ ...fields, ...job }, message),
      error: (message, fields) => log.error({ ...fields, ...job }, message),
    };
  }
}

const asText = (time: Date | string | null | undefined) =>
  time instanceof Date ? time.toISOString() : time;
