import { setTimeout as sleep } from "node:timers/promises";

import { epochMs } from "../harness/contestant.js";
import type { BenchSql } from "../harness/server.js";
import { median } from "../harness/stats.js";
import { table } from "../harness/table.js";

/** What one instant looked like, in seconds after it. */
export interface Instant {
  /** Jobs that were enqueued for it, and that were handled. */
  enqueuedJobs: number;
  handledJobs: number;
  /** When the last enqueue was visible, the last handler began, and the last outcome was on record. */
  enqueued: number | null;
  handled: number | null;
  recorded: number | null;
  driver: string;
}

/** A storm, seen at several instants: medians. */
export interface Storm {
  readonly key: string;
  readonly title: string;
  readonly crons: number;
  readonly jobs: number;
  readonly enqueued: number;
  readonly handled: number;
  readonly recorded: number | null;
  readonly driver: string;
}

export function summarise(
  key: string,
  title: string,
  crons: number,
  instants: readonly Instant[],
): Storm {
  const middle = (pick: (instant: Instant) => number | null) =>
    median(instants.map(pick).filter((value) => value !== null));
  const recorded = middle((instant) => instant.recorded);
  return {
    ...{ key, title, crons },
    jobs: Math.min(...instants.map(({ handledJobs }) => handledJobs)),
    enqueued: middle((instant) => instant.enqueued),
    handled: middle((instant) => instant.handled),
    recorded: Number.isNaN(recorded) ? null : recorded,
    driver: [...new Set(instants.map(({ driver }) => driver))].join(", "),
  };
}

export function stormTable(storms: readonly Storm[]): string {
  return table(
    ["storm", "driver", "crons", "handled", "last enqueue s", "last handler s", "last record s"],
    storms.map((storm) => [
      ...[storm.title, storm.driver, storm.crons, storm.jobs],
      ...[storm.enqueued, storm.handled, storm.recorded],
    ]),
  );
}

/** The beginning of the next minute that is at least so many seconds away, in epoch milliseconds. */
export function minuteAfter(seconds: number): number {
  return Math.ceil((epochMs() + seconds * 1000) / 60_000) * 60_000;
}

export const untilInstant = (at: number): Promise<unknown> => sleep(Math.max(0, at - epochMs()));

/** When the latest of these rows became visible to others, in epoch milliseconds; null of none. */
export async function lastCommit(
  sql: BenchSql,
  relation: string,
  condition: string,
): Promise<number | null> {
  const [row] = await sql.unsafe<{ at: number | null }[]>(`
    select max(extract(epoch from pg_xact_commit_timestamp(x.xmin::text::xid)) * 1000)::float8 as at
    from (select distinct xmin from ${relation} where ${condition}) x`);
  return row?.at ?? null;
}

/** Seconds from an instant to a time. */
export const after = (instant: number, time: number | null): number | null =>
  time === null ? null : (time - instant) / 1000;

/** `distinct M H` for schedules that differ, `M H * * *` for one that all share, both due then. */
export function expressionAt(instant: number, distinct: boolean): string {
  const at = new Date(instant);
  const [minute, hour] = [at.getUTCMinutes(), at.getUTCHours()];
  return distinct ? `distinct ${minute} ${hour}` : `${minute} ${hour} * * *`;
}
