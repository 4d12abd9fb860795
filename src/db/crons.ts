import { acting } from "./audit.js";
import type { JobTarget } from "./jobs.js";
import type { TickOutcome } from "./ticks.js";
import { json, one, run, type JsonObject, type Queryable } from "./connect.js";
import type { Actor, Principal } from "./principals.js";

export type OverlapPolicy = "skip" | "queue" | "buffer" | "replace";
export type CatchUp = "latest" | "all" | "none";

/** What somebody may do with a cron. */
export const CRON_VERBS = ["write", "trigger", "readJobs", "writeJobs", "readAudit"] as const;
export type CronVerb = (typeof CRON_VERBS)[number];

/** What an actor may do with the crons of an owner; without one, as the database's owner: all. */
const verbs = (sql: Queryable, actor: Actor | null) => sql`
  carillon.cron_verbs(
    owner => c.created_by, app => c.app_id, actor => ${actor?.principalId ?? null},
    actor_scopes => ${actor?.scopes ?? null}) as verbs`;

/** The same for a list, once for each owner and app; lists stay in their order. */
const eachOwner = (sql: Queryable, actor: Actor | null) => sql`
  join lateral (select ${verbs(sql, actor)} offset 0) v on true`;

/** A cron, as the view carillon.cron_details has it. */
export interface CronRow {
  id: string;
  appId: string;
  name: string;
  schedule: string;
  timezone: string;
  dstGap: "shift" | "skip";
  dstFold: "first" | "both";
  startsAt: Date | null;
  endsAt: Date | null;
  jitterSeconds: number;
  method: string | null;
  payload: JsonObject;
  overlapPolicy: OverlapPolicy;
  catchUp: CatchUp;
  catchUpMax: number;
  catchUpWindowSeconds: number;
  maxConsecutiveFailures: number | null;
  priority: number;
  maxAttempts: number;
  retryDelaySeconds: number;
  retryBackoff: number;
  timeoutSeconds: number | null;
  expiresAfterSeconds: number | null;
  tags: string[];
  target: JobTarget | null;
  maxConcurrency: number | null;
  consecutiveFailures: number;
  description: string;
  enabled: boolean;
  pausedAt: Date | null;
  pausedBy: string | null;
  pauseNote: string | null;
  origin: "manifest" | "api" | "sql";
  pgJobId: number | null;
  nextFireAt: Date | null;
  completedAt: Date | null;
  createdBy: string | null;
  /** The owner, where that is a service account. */
  runAs: string | null;
  /** Why its owner may not fire it. */
  denied: string | null;
  createdAt: Date;
  updatedAt: Date;
  version: number;
  /** What whoever asked may do with it. */
  verbs: CronVerb[];
}

/** What a cron is declared with; absent fields take their defaults. */
export interface CronInput {
  name: string;
  schedule: string;
  timezone?: string | null | undefined;
  payload?: JsonObject | null | undefined;
  method?: string | null | undefined;
  overlapPolicy?: OverlapPolicy | null | undefined;
  catchUp?: CatchUp | null | undefined;
  catchUpMax?: number | null | undefined;
  catchUpWindow?: number | null | undefined;
  maxConsecutiveFailures?: number | null | undefined;
  priority?: number | null | undefined;
  maxAttempts?: number | null | undefined;
  retryDelay?: number | null | undefined;
  retryBackoff?: number | null | undefined;
  timeout?: number | null | undefined;
  expiresAfter?: number | null | undefined;
  tags?: string[] | null | undefined;
  target?: JobTarget | null | undefined;
  maxConcurrency?: number | null | undefined;
  runAs?: string | null | undefined;
  enabled?: boolean | null | undefined;
  pauseNote?: string | null | undefined;
  startsAt?: string | null | undefined;
  endsAt?: string | null | undefined;
  jitter?: number | null | undefined;
  dst?:
    { gap?: "shift" | "skip" | undefined; fold?: "first" | "both" | undefined } | null | undefined;
}

/** What a deploy did, by cron name. */
export interface SyncResult {
  appId: string;
  installed: boolean;
  created: string[];
  updated: string[];
  unchanged: string[];
  deleted: string[];
}

/** A run of pg_cron with the outcome of the slot it was for. */
export interface RunRow {
  runid: number;
  jobPid: number | null;
  status: string | null;
  returnMessage: string | null;
  startTime: Date | null;
  endTime: Date | null;
  outcome: string | null;
  scheduledFor: Date | null;
  msgId: number | null;
}

export const createCron = (sql: Queryable, appId: string, input: CronInput, actor: Actor | null) =>
  one<CronRow>(sql`
    select c.*, ${verbs(sql, actor)} from carillon.declare_cron(
      app => ${appId}, spec => ${json(sql, input)}, ${acting(sql, actor)}) c`);

/** Changes the given fields; null resets one to its default. */
export const patchCron = (
  sql: Queryable,
  appId: string,
  cronId: string,
  patch: JsonObject,
  actor: Actor | null,
  expectedVersion?: number,
) =>
  one<CronRow>(sql`
    select c.*, ${verbs(sql, actor)} from carillon.patch_cron(
      cron => ${cronId}, patch => ${json(sql, patch)}, app => ${appId},
      ${acting(sql, actor)},
      expected_version => ${expectedVersion ?? null}) c`);

export const deleteCron = (
  sql: Queryable,
  appId: string,
  cronId: string,
  actor: Actor | null,
  expectedVersion?: number,
) =>
  run(sql`
    select carillon.delete_cron(
      cron => ${cronId}, app => ${appId},
      ${acting(sql, actor)},
      expected_version => ${expectedVersion ?? null})`);

export const getCron = (
  sql: Queryable,
  appId: string,
  cronId: string,
  actor: Actor | null = null,
) =>
  one<CronRow>(sql`
    select c.*, ${verbs(sql, actor)} from carillon.get_cron(cron => ${cronId}, app => ${appId}) c`);

export const listCrons = (sql: Queryable, appId: string, actor: Actor | null = null) =>
  run(sql<CronRow[]>`
    select c.*, v.verbs from carillon.list_crons(app => ${appId}) c
    ${eachOwner(sql, actor)}`);

/** Crons across apps: of each app its holder may read, its own, or all where it manages others'. */
export const listAccessibleCrons = (sql: Queryable, principal: Principal) =>
  run(sql<CronRow[]>`
    select c.*, v.verbs from carillon.list_accessible_crons(
      principal => ${principal.principalId}, permissions => ${principal.permissions}) c
    ${eachOwner(sql, principal)}`);

/** Enqueues one job of a cron at once; the job's id. */
export const triggerCron = async (
  sql: Queryable,
  appId: string,
  cronId: string,
  options: { payload?: JsonObject | null | undefined; respectOverlap?: boolean | undefined },
  actor: Actor | null,
) => {
  const row = await one<{ msgId: number }>(sql`
    select carillon.trigger_cron(
      cron => ${cronId}, payload => ${options.payload ? json(sql, options.payload) : null},
      respect_overlap => ${options.respectOverlap ?? false},
      app => ${appId}, ${acting(sql, actor)}) as msg_id`);
  return row.msgId;
};

/** What was decided about a slot. */
export interface SlotDecision {
  scheduledFor: Date;
  outcome: TickOutcome;
  reason: string | null;
  jobId: number | null;
}

/** Decides a cron's next slot now, ahead of its time. */
export const fireNextSlot = (sql: Queryable, appId: string, cronId: string) =>
  one<SlotDecision>(sql`
    select * from carillon.fire_next_slot(cron => ${cronId}, app => ${appId})`);

/** pg_cron's own record of a cron's wakes, newest first. */
export const listRuns = (sql: Queryable, cronId: string, limit: number) =>
  run(sql<RunRow[]>`select * from carillon.list_runs(cron => ${cronId}, max_rows => ${limit})`);

/** Installs or updates an app and its manifest crons in one transaction. */
export const syncManifest = async (
  sql: Queryable,
  appId: string,
  manifest: object,
  actor: Actor | null,
) => {
  const row = await one<{ result: SyncResult }>(sql`
    select carillon.sync_manifest(
      app => ${appId}, manifest => ${json(sql, manifest)}, ${acting(sql, actor)}) as result`);
  return row.result;
};
