import { one, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";
import type { StatsBucket } from "./stats.js";

interface CronName {
  id: string;
  appId: string;
  name: string;
}

/** The slots to come. Times are in RFC 3339, with microseconds. */
export interface Upcoming {
  from: string;
  to: string;
  bucket: StatsBucket;
  timezone: string;
  count: number;
  /** There are too many: complete up to `until` only. */
  capped: boolean;
  until: string;
  buckets: { at: string; count: number; crons: (CronName & { count: number })[] }[];
  next: (CronName & { at: string })[];
}

export interface UpcomingOptions {
  from?: string | undefined;
  to?: string | undefined;
  bucket?: StatsBucket | undefined;
  timezone?: string | undefined;
  app?: string | undefined;
}

/** The slots to come, by the schedules, of the crons that an actor may read. */
export const listUpcoming = async (
  sql: Queryable,
  options: UpcomingOptions,
  actor: Actor | null,
) => {
  const row = await one<{ upcoming: Upcoming }>(sql`
    select carillon.list_upcoming(
      from_at => ${options.from ?? null}::text::timestamptz, to_at => ${options.to ?? null}::text::timestamptz,
      bucket => ${options.bucket ?? null}, timezone => ${options.timezone ?? null}, app => ${options.app ?? null},
      actor => ${actor?.principalId ?? null}, actor_scopes => ${actor?.scopes ?? null}) as upcoming`);
  return row.upcoming;
};

/** A day of a cron, in its zone. */
export interface CalendarDay {
  /** Such as `2026-03-08`. */
  date: string;
  from: string;
  to: string;
  /** How its slots were decided; null when it had none. */
  slots:
    | (Record<"skipped" | "replaced" | "caughtUp" | "missed" | "denied" | "failed", number> & {
        /** Counted for the last 32 days of the window; null before. */
        enqueued: number | null;
      })
    | null;
  /** How jobs that ended that day ended; null when none did. */
  jobs: Record<"completed" | "failed" | "canceled", number> | null;
}

export interface Calendar {
  timezone: string;
  from: string;
  to: string;
  days: CalendarDay[];
}

/** The days of a cron on which anything was. */
export const getCalendar = async (
  sql: Queryable,
  cronId: string,
  window: { from?: string | undefined; to?: string | undefined },
) => {
  const row = await one<{ calendar: Calendar }>(sql`
    select carillon.get_calendar(
      cron => ${cronId}, from_at => ${window.from ?? null}::text::timestamptz,
      to_at => ${window.to ?? null}::text::timestamptz) as calendar`);
  return row.calendar;
};
