import type { Sql } from "../db/connect.js";
import { enqueueJob, type JobTrigger } from "../db/jobs.js";
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
    return new HandlerContext(attempt, this);
  }

  start(appId: string, signal: AbortSignal): StartContext {
    return {
      appId,
      signal,
      log: this.jobLog({ app: appId }),
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

  /** A log whose lines carry these fields. */
  jobLog(job: object): JobLog {
    const log = this.#log;
    return {
      info: (message, fields) => log.info({ ...fields, ...job }, message),
      warn: (message, fields) => log.warn({ ...fields, ...job }, message),
      error: (message, fields) => log.error({ ...fields, ...job }, message),
    };
  }
}

/** What costs more than a field is made when a handler first asks for it. */
class HandlerContext implements JobContext {
  readonly appId: string;
  readonly jobId: number;
  readonly cronId: string | null;
  readonly scheduledFor: Date | null;
  readonly attempt: number;
  readonly trigger: JobTrigger;
  readonly #attempt: Attempt;
  readonly #factory: ContextFactory;
  #log: JobLog | undefined;
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

  get log(): JobLog {
    return (this.#log ??= this.#factory.jobLog(this.#attempt.fields));
  }

  get enqueue(): Enqueue {
    const { appId, userId } = this.#attempt.job;
    return (this.#enqueue ??= this.#factory.enqueue(appId, userId));
  }
}

const asText = (time: Date | string | null | undefined) =>
  time instanceof Date ? time.toISOString() : time;
