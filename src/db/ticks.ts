import { acting } from "./audit.js";
import { one, run, type Queryable } from "./connect.js";
import type { AttemptRecord, JobStatus } from "./jobs.js";
import type { Actor } from "./principals.js";

export const TICK_OUTCOMES = [
  "enqueued",
  "skipped",
  "replaced",
  "caught_up",
  "missed",
  "denied",
  "failed",
] as const;
export type TickOutcome = (typeof TICK_OUTCOMES)[number];

/** A row of the ledger: what was decided about a slot. */
export interface TickRow {
  cronId: string;
  scheduledFor: Date;
  appId: string;
  outcome: TickOutcome;
  reason: string | null;
  msgId: number | null;
  blockedBy: number | null;
  driver: string;
  pid: number;
  decidedAt: Date;
}

export interface TickFilter {
  limit: number;
  /** The cursor: slots before this one. */
  before?: string | undefined;
  outcomes?: readonly TickOutcome[] | undefined;
  from?: string | undefined;
  to?: string | undefined;
}

/** Decided slots of a cron, newest first. */
export const listTicks = (sql: Queryable, cronId: string, filter: TickFilter) =>
  run(sql<TickRow[]>`
    select * from carillon.list_ticks(
      cron => ${cronId}, max_rows => ${filter.limit}, before => ${filter.before ?? null}::text::timestamptz,
      outcomes => ${filter.outcomes ? [...filter.outcomes] : null},
      from_at => ${filter.from ?? null}::text::timestamptz, to_at => ${filter.to ?? null}::text::timestamptz)`);

/** The job of a decided slot, as far as its course goes. */
export interface SlotJobRow {
  jobId: number;
  status: JobStatus;
  enqueuedAt: Date;
  dueAt: Date | null;
  finishedAt: Date | null;
  /** Deliveries to a worker so far. */
  attempt: number;
  /** Without what they returned. */
  attempts: AttemptRecord[];
  cancelReason: string | null;
}

/** The jobs of decided slots of a cron; those whose record is gone are missing. */
export const listSlotJobs = async (sql: Queryable, cronId: string, ticks: readonly TickRow[]) => {
  const enqueued = ticks.filter(({ msgId }) => msgId !== null);
  if (enqueued.length === 0) return [];
  const since = new Date(Math.min(...enqueued.map(({ decidedAt }) => decidedAt.getTime())));
  return run(sql<SlotJobRow[]>`
    select * from carillon.list_slot_jobs(
      cron => ${cronId}, jobs => ${enqueued.map(({ msgId }) => msgId ?? 0)}, since => ${since})`);
};

/** What an outside driver's tick did, over the crons its caller may see. */
export interface AdminTick {
  fired: { cronId: string; scheduledFor: string; outcome: TickOutcome; msgId: number | null }[];
  failed: { cronId: string; scheduledFor: string; error: string }[];
  skippedAlreadyFired: number;
  skippedNotMatching: number;
  skippedExpired: number;
  /** Nothing fires: this database is a copy, and held. */
  held: boolean;
}

/** Decides what is due, once, and counts over what a holder of these permissions may see. */
export const adminTick = async (sql: Queryable, permissions: string[]) => {
  const row = await one<{ result: AdminTick }>(
    sql`select carillon.admin_tick(permissions => ${permissions}) as result`,
  );
  return row.result;
};

export interface BackfillInput {
  from: string;
  to: string;
  dryRun: boolean;
  concurrency: number;
}

/** The slots of a backfill; its id is null for a dry run and when there is nothing to do. */
export interface BackfillResult {
  id: string | null;
  dryRun: boolean;
  count: number;
  slots: string[];
}

export interface BackfillRow {
  id: string;
  fromAt: Date;
  toAt: Date;
  concurrency: number;
  slots: number;
  enqueued: number;
  createdBy: string | null;
  createdAt: Date;
  finishedAt: Date | null;
}

/** Enqueues the slots of a past range that have no tick yet, or lists them. */
export const backfillCron = async (
  sql: Queryable,
  appId: string,
  cronId: string,
  input: BackfillInput,
  actor: Actor | null,
) => {
  const row = await one<{ result: BackfillResult }>(sql`
    select carillon.backfill_cron(
      cron => ${cronId}, from_at => ${input.from}::text::timestamptz, to_at => ${input.to}::text::timestamptz,
      dry_run => ${input.dryRun}, concurrency => ${input.concurrency},
      app => ${appId}, ${acting(sql, actor)}) as result`);
  return row.result;
};

export const listBackfills = (sql: Queryable, cronId: string) =>
  run(sql<BackfillRow[]>`select * from carillon.list_backfills(cron => ${cronId})`);
