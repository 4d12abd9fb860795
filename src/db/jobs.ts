import { json, one, run, type JsonObject, type Queryable } from "./connect.js";

export type JobStatus = "pending" | "queued" | "running" | "completed" | "failed" | "canceled";
export type JobTrigger = "automatic" | "manual" | "api";

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
}

/** How an attempt ended. */
export interface JobOutcome {
  jobId: number;
  attempt: number;
  status: "completed" | "failed";
  result?: unknown;
  error?: JobError;
}

/** Names one attempt of one job. */
export interface Lease {
  jobId: number;
  attempt: number;
}

/** Enqueues one job; its id. `runAt` (RFC 3339) delays it. */
export const enqueueJob = async (
  sql: Queryable,
  appId: string,
  payload: JsonObject,
  options: { userId?: string | null | undefined; runAt?: string | null | undefined } = {},
) => {
  const row = await one<{ jobId: number }>(sql`
    select carillon.enqueue_job(
      app => ${appId}, payload => ${json(sql, payload)},
      user_id => ${options.userId ?? null}, run_at => ${options.runAt ?? null}) as job_id`);
  return row.jobId;
};

/** Leases up to `max` due jobs of these apps, oldest due first. */
export const claimJobs = (
  sql: Queryable,
  apps: string[],
  worker: string,
  max: number,
  leaseSeconds: number,
) =>
  run(sql<ClaimedJob[]>`
    select * from carillon.claim_jobs(
      apps => ${apps}, worker => ${worker}, max_jobs => ${max}, lease_seconds => ${leaseSeconds})`);

/** Seconds until these apps' next job comes due; null when none is waiting. */
export const nextJobIn = async (sql: Queryable, apps: string[]) => {
  const row = await one<{ seconds: number | null }>(sql`
    select carillon.next_job_in(apps => ${apps}) as seconds`);
  return row.seconds;
};

/** Moves finished jobs to the history; the ids moved. One that is missing had lost its lease. */
export const finishJobs = async (sql: Queryable, outcomes: readonly JobOutcome[]) => {
  const records = outcomes.map((o) => ({
    job_id: o.jobId,
    attempt: o.attempt,
    status: o.status,
    // What is absent is null, and need not be sent.
    result: o.result ?? undefined,
    error: o.error,
  }));
  const rows = await run(sql<{ jobId: number }[]>`
    select * from carillon.finish_jobs(outcomes => ${json(sql, records)}) as job_id`);
  return rows.map((row) => row.jobId);
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

/** Jobs of an app, newest first: the live ones, or the finished ones. */
export const listJobs = (
  sql: Queryable,
  appId: string,
  options: { finished?: boolean; cronId?: string | undefined; limit?: number } = {},
) =>
  run(sql<JobRow[]>`
    select * from carillon.list_jobs(
      app => ${appId}, finished => ${options.finished ?? false}, cron => ${options.cronId ?? null},
      max_rows => ${options.limit ?? 100})`);

export const getJob = (sql: Queryable, appId: string, jobId: number) =>
  one<JobRow>(sql`select * from carillon.get_job(job => ${jobId}, app => ${appId})`);

/** Channel on which the queue announces new jobs; the payload is the app's id. */
export const JOBS_CHANNEL = "carillon_jobs";
