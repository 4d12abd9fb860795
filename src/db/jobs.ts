import { acting } from "./audit.js";
import { json, one, run, type JsonObject, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

export type JobStatus = "pending" | "queued" | "running" | "completed" | "failed" | "canceled";
export type JobTrigger = "automatic" | "manual" | "api";

/** Where a job goes instead of to its app's workers; what it takes depends on the type. */
export interface JobTarget {
  readonly type: "http" | "agent" | "faktory" | "container";
  readonly [field: string]: unknown;
}

/** A job, live or finished, as the view carillon.jobs has it. */
export interface JobRow {
  jobId: number;
  appId: string;
  cronId: string | null;
  scheduledFor: Date | null;
  trigger: JobTrigger;
  status: JobStatus;
  userId: string | null;
  payload: JsonObject;
  headers: JsonObject;
  result: unknown;
  error: JobError | null;
  attempt: number;
  worker: string | null;
  enqueuedAt: Date;
  dueAt: Date | null;
  startedAt: Date | null;
  finishedAt: Date | null;
  attempts: AttemptRecord[];
}

/** One attempt on record; times as JSON has them. */
export interface AttemptRecord {
  attempt: number;
  worker: string | null;
  startedAt: string;
  finishedAt?: string | null;
  error?: JobError | null;
  /** What its target answered. */
  result?: unknown;
}

/** Why a job failed, as it is kept. */
export interface JobError {
  name: string;
  message: string;
  stack?: string;
  cause?: JobError;
}

/** A job leased to a worker. */
export interface ClaimedJob {
  jobId: number;
  /** Counts deliveries, from 1; with the id it fences every later call about this attempt. */
  attempt: number;
  appId: string;
  payload: JsonObject;
  cronId: string | null;
  scheduledFor: Date | null;
  trigger: JobTrigger;
  userId: string | null;
  username: string | null;
  enqueuedAt: Date;
  /** Seconds the handler may run; null for the worker's own limit. */
  timeoutSeconds: number | null;
  /** Null for a job of the app's own workers. */
  target: JobTarget | null;
}

/** How an attempt ended. */
export interface JobOutcome {
  jobId: number;
  attempt: number;
  status: "completed" | "failed";
  result?: unknown;
  /** The result's JSON, where it is written already. */
  resultJson?: string;
  error?: JobError;
  /** Try again after so many seconds, whatever attempts are left; of a failed attempt only. */
  retryIn?: number;
  /** Seconds until the next attempt where one is left, instead of the backoff. */
  wait?: number;
  /** Fail the job for good, whatever attempts are left; of a failed attempt only. */
  discard?: boolean;
}

/** Names one attempt of one job. */
export interface Lease {
  jobId: number;
  attempt: number;
}

/** What a job may be told when it is enqueued; what is absent has its default. */
export interface JobOptions {
  /** Not before this time (RFC 3339); the past means now. */
  runAt?: string | null | undefined;
  /** Higher goes first, -32768 to 32767; default 0. */
  priority?: number | null | undefined;
  /** Tries until the job has failed, 1 to 100; default 1. */
  maxAttempts?: number | null | undefined;
  /** Seconds before the second try, 0 to 86400; default 10. */
  retryDelay?: number | null | undefined;
  /** Factor by which the delay grows with every further try, 1 to 10; default 2. */
  retryBackoff?: number | null | undefined;
  /** Seconds the handler may run, 1 to 86400; default the worker's. */
  timeout?: number | null | undefined;
  /** A job not started by then (RFC 3339) is canceled. */
  expiresAt?: string | null | undefined;
  /** At most 20 labels to find it by. */
  tags?: string[] | null | undefined;
  /** Where it goes; default to the app's workers. */
  target?: JobTarget | null | undefined;
}

/** Besides, for one job: on whose behalf it runs, and the key that keeps it from being enqueued twice. */
export interface OneJobOptions extends JobOptions {
  userId?: string | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** Enqueues one job; its id. */
export const enqueueJob = async (
  sql: Queryable,
  appId: string,
  payload: JsonObject,
  options: OneJobOptions = {},
) => {
  const row = await one<{ jobId: number }>(sql`
    select carillon.enqueue_job(
      app => ${appId}, payload => ${json(sql, payload)},
      user_id => ${options.userId ?? null}, run_at => ${options.runAt ?? null},
      priority => ${options.priority ?? null}, idempotency_key => ${options.idempotencyKey ?? null},
      max_attempts => ${options.maxAttempts ?? null}, retry_delay => ${options.retryDelay ?? null},
      retry_backoff => ${options.retryBackoff ?? null}, timeout => ${options.timeout ?? null},
      expires_at => ${options.expiresAt ?? null}, tags => ${options.tags ?? null},
      target => ${options.target ? json(sql, options.target) : null}) as job_id`);
  return row.jobId;
};

/** A job of a batch. */
export interface BatchedJob extends JobOptions {
  payload?: JsonObject | null | undefined;
  idempotencyKey?: string | null | undefined;
}

/** Enqueues many jobs at once, all or none; their ids in the same order. */
export const enqueueJobs = async (
  sql: Queryable,
  appId: string,
  jobs: readonly BatchedJob[],
  userId: string | null = null,
) => {
  const rows = await run(sql<{ jobId: number }[]>`
    select * from carillon.enqueue_jobs(
      app => ${appId}, jobs => ${json(sql, jobs)}, user_id => ${userId}) as job_id`);
  return rows.map((row) => row.jobId);
};

/** Stands for the jobs with targets of all apps where jobs are claimed. */
export const ALL_TARGETS = "@";

/** Stands for an app's jobs with targets where jobs are claimed. */
export const targetsOf = (appId: string): string => `${ALL_TARGETS}${appId}`;

/** A job as carillon.claim_jobs writes it; most are direct ones, and end with the user's name. */
type WrittenJob = [
  jobId: number,
  attempt: number,
  appId: string,
  payload: JsonObject,
  enqueuedMs: number,
  trigger: JobTrigger,
  userId: string | null,
  username: string | null,
  cronId?: string | null,
  scheduledFor?: string | null,
  timeoutSeconds?: number | null,
  target?: JobTarget | null,
];

function readJob(json: string): ClaimedJob {
  const job = JSON.parse(json) as WrittenJob;
  const scheduledFor = job[9] ?? null;
  return {
    jobId: job[0],
    attempt: job[1],
    appId: job[2],
    payload: job[3],
    cronId: job[8] ?? null,
    scheduledFor: scheduledFor === null ? null : new Date(scheduledFor),
    trigger: job[5],
    userId: job[6],
    username: job[7],
    enqueuedAt: new Date(job[4]),
    timeoutSeconds: job[10] ?? null,
    target: job[11] ?? null,
  };
}

/** Leases up to `max` due jobs of these apps (or keys as above), by priority, oldest due first. */
export const claimJobs = async (
  sql: Queryable,
  apps: string[],
  worker: string,
  max: number,
  leaseSeconds: number,
) => {
  const rows = await run(sql<{ job: string }[]>`
    select carillon.claim_jobs(
      apps => ${apps}, worker => ${worker}, max_jobs => ${max}, lease_seconds => ${leaseSeconds}) as job`);
  return rows.map(({ job }) => readJob(job));
};

/** Seconds until these apps' next job comes due; null when none is waiting. */
export const nextJobIn = async (sql: Queryable, apps: string[]) => {
  const row = await one<{ seconds: number | null }>(sql`
    select carillon.next_job_in(apps => ${apps}) as seconds`);
  return row.seconds;
};

/** What is absent is null, and not written. */
function outcomeJson(outcome: JobOutcome): string {
  const { jobId, attempt, status } = outcome;
  const result = outcome.resultJson ?? JSON.stringify(outcome.result ?? null);
  const head = `{"job_id":${jobId},"attempt":${attempt},"status":"${status}","result":${result}`;
  if (status === "completed") return `${head}}`;
  const { error, retryIn, wait, discard } = outcome;
  const terms = { error: error ?? null, retry_in: retryIn, wait, discard };
  return `${head},${JSON.stringify(terms).slice(1)}`;
}

/** Records how attempts ended; the ids of those that had lost their lease, and are not recorded. */
export const finishJobs = async (sql: Queryable, outcomes: readonly JobOutcome[]) => {
  const records = `[${outcomes.map(outcomeJson).join(",")}]`;
  const { recorded } = await one<{ recorded: number[] | null }>(sql`
    select case when count(*) < ${outcomes.length} then coalesce(array_agg(f.job_id), '{}') end as recorded
    from carillon.finish_jobs(outcomes => ${records}::text::jsonb) as f (job_id)`);
  // Most often it is all of them, and then they need not be sent.
  if (recorded === null) return [];
  const found = new Set(recorded);
  return outcomes.map(({ jobId }) => jobId).filter((jobId) => !found.has(jobId));
};

const columns = (leases: readonly Lease[]) => ({
  ids: leases.map((lease) => lease.jobId),
  attempts: leases.map((lease) => lease.attempt),
});

/** The heartbeat; the ids still held. */
export const extendLeases = async (
  sql: Queryable,
  leases: readonly Lease[],
  leaseSeconds: number,
) => {
  const { ids, attempts } = columns(leases);
  const rows = await run(sql<{ jobId: number }[]>`
    select * from carillon.extend_leases(
      job_ids => ${ids}, attempts => ${attempts}, lease_seconds => ${leaseSeconds}) as job_id`);
  return rows.map((row) => row.jobId);
};

/** Hands jobs that were not started back to the queue. */
export const releaseJobs = async (sql: Queryable, leases: readonly Lease[]) => {
  const { ids, attempts } = columns(leases);
  const rows = await run(sql<{ jobId: number }[]>`
    select * from carillon.release_jobs(job_ids => ${ids}, attempts => ${attempts}) as job_id`);
  return rows.map((row) => row.jobId);
};

/** Which jobs of an app are meant; what is absent is no condition. Times are RFC 3339. */
export interface JobFilter {
  cronId?: string | undefined;
  /** Statuses, or live and finished for three each. */
  status?: readonly string[] | undefined;
  trigger?: readonly string[] | undefined;
  tag?: string | undefined;
  ids?: readonly number[] | undefined;
  enqueuedAfter?: string | undefined;
  enqueuedBefore?: string | undefined;
  startedAfter?: string | undefined;
  startedBefore?: string | undefined;
  finishedAfter?: string | undefined;
  finishedBefore?: string | undefined;
  /** Types of targets, or any, or none. */
  target?: readonly string[] | undefined;
}

/** By id, which is the order of enqueuing; or, for jobs that wait, by the time they are due. */
export const JOB_SORTS = ["newest", "oldest", "due"] as const;
export type JobSort = (typeof JOB_SORTS)[number];

export interface PageOptions {
  filter?: JobFilter;
  sort?: JobSort;
  cursor?: string | undefined;
  limit?: number;
}

/** One page of an app's jobs, live and finished. It may be short and still not be the last. */
export const pageJobs = async (sql: Queryable, appId: string, options: PageOptions = {}) => {
  type Row = JobRow & { nextCursor: string | null };
  const rows = await run(sql<Row[]>`
    select p.next_cursor, j.* from carillon.page_jobs(
      app => ${appId}, filter => ${json(sql, options.filter ?? {})}, sort => ${options.sort ?? "newest"},
      after_cursor => ${options.cursor ?? null}, max_rows => ${options.limit ?? 100}) p
    left join lateral unnest(p.page) j on true`);
  // An empty page is one row without a job.
  const items: JobRow[] = rows.filter((row) => (row.jobId as number | null) !== null);
  return { items, nextCursor: rows[0]?.nextCursor ?? null };
};

/** How many jobs of an app a filter means, as far as they are counted. */
export const countJobs = async (sql: Queryable, appId: string, filter: JobFilter) => {
  const row = await one<{ counted: number; capped: boolean }>(sql`
    select counted, capped from carillon.count_jobs(app => ${appId}, filter => ${json(sql, filter)})`);
  return { count: row.counted, capped: row.capped };
};

export const getJob = (sql: Queryable, appId: string, jobId: number) =>
  one<JobRow>(sql`select * from carillon.get_job(job => ${jobId}, app => ${appId})`);

/** Cancels a waiting or running job. */
export const cancelJob = (
  sql: Queryable,
  appId: string,
  jobId: number,
  reason?: string | null,
  actor: Actor | null = null,
) =>
  one<JobRow>(sql`
    select * from carillon.cancel_job(
      job => ${jobId}, app => ${appId}, reason => ${reason ?? "canceled by hand"}, ${acting(sql, actor)})`);

/** What can be changed of a job that waits; null resets a field. */
export interface JobPatch {
  /** When it is due (RFC 3339). */
  runAt?: string | undefined;
  payload?: JsonObject | null | undefined;
  target?: JobTarget | null | undefined;
}

/** Changes the given fields of a waiting job. */
export const updateJob = (
  sql: Queryable,
  appId: string,
  jobId: number,
  patch: JobPatch,
  actor: Actor | null = null,
) =>
  one<JobRow>(sql`
    select * from carillon.update_job(
      job => ${jobId}, patch => ${json(sql, patch)}, app => ${appId}, ${acting(sql, actor)})`);

/** Runs a job that has ended again, as a new job; its id. */
export const retryJob = async (
  sql: Queryable,
  appId: string,
  jobId: number,
  actor: Actor | null = null,
) => {
  const row = await one<{ jobId: number }>(sql`
    select carillon.retry_job(job => ${jobId}, app => ${appId}, ${acting(sql, actor)}) as job_id`);
  return row.jobId;
};

/** The jobs that have run a job again, oldest first. */
export const retriedBy = async (sql: Queryable, jobId: number) => {
  const row = await one<{ jobIds: number[] }>(
    sql`select carillon.retried_by(job => ${jobId}) as job_ids`,
  );
  return row.jobIds;
};

export interface BulkOptions {
  filter: JobFilter;
  dryRun: boolean;
  cursor?: string | undefined;
  limit: number;
}

/** What one call about many jobs did. */
interface BulkResult {
  dryRun: boolean;
  /** Jobs that were meant, of those looked at. */
  matched: number;
  /** Where the next call goes on; null when there are no more. */
  nextCursor: string | null;
}

/** Cancels live jobs by filter, newest first. */
export const cancelJobs = async (
  sql: Queryable,
  appId: string,
  { filter, dryRun, cursor, limit, reason }: BulkOptions & { reason?: string | null | undefined },
  actor: Actor | null = null,
) => {
  const row = await one<{ result: BulkResult & { canceled: number } }>(sql`
    select carillon.cancel_jobs(
      app => ${appId}, filter => ${json(sql, filter)}, reason => ${reason ?? "canceled by hand"},
      dry_run => ${dryRun}, after_cursor => ${cursor ?? null}, max_jobs => ${limit}, ${acting(sql, actor)}) as result`);
  return row.result;
};

/** Runs ended jobs again by filter, newest first; those that have been already are skipped. */
export const retryJobs = async (
  sql: Queryable,
  appId: string,
  { filter, dryRun, cursor, limit }: BulkOptions,
  actor: Actor | null = null,
) => {
  type Retried = { retried: number; skipped: number; jobs: { msgId: number; retryOf: number }[] };
  const row = await one<{ result: BulkResult & Retried }>(sql`
    select carillon.retry_jobs(
      app => ${appId}, filter => ${json(sql, filter)}, dry_run => ${dryRun},
      after_cursor => ${cursor ?? null}, max_jobs => ${limit}, ${acting(sql, actor)}) as result`);
  return row.result;
};

/** Channel on which the queue announces new jobs; the payload is the app's id, or that of a canceled job. */
export const JOBS_CHANNEL = "carillon_jobs";

/** The canceled job that an announcement is about; undefined for one of new jobs. */
export const canceledJob = (announcement: string): number | undefined =>
  announcement.startsWith("canceled:") ? Number(announcement.slice(9)) : undefined;
