import type { CronRow } from "./crons.js";
import { json, one, run, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** How a cron is, in one word: the most serious that is true. */
export const CRON_STATES = [
  ...(["failing", "late", "paused", "self_paused", "denied", "running", "ok", "waiting"] as const),
  "done",
] as const;
export type CronState = (typeof CRON_STATES)[number];

export const CRON_ORDERS = ["attention", "name", "next", "last"] as const;
export type CronOrder = (typeof CRON_ORDERS)[number];

/** A cron with what a list shows of it. */
export interface CronSummaryRow extends CronRow {
  state: CronState;
  stateText: string;
  /** One letter for each of its newest decided slots, oldest first. */
  strip: string;
  stripFrom: Date | null;
  stripTo: Date | null;
  last: {
    jobId: number;
    status: "completed" | "failed" | "canceled";
    finishedAt: string;
    duration: number | null;
  } | null;
  typical: { p50: number; p95: number } | null;
}

export interface CronQuery {
  app?: string | undefined;
  /** A part of its name or description. */
  q?: string | undefined;
  state?: CronState[] | undefined;
  enabled?: boolean | undefined;
  timezone?: string | undefined;
  target?: string[] | undefined;
}

/** What counts are exact up to. */
export const COUNTED = 10_000;

export interface CronPage {
  crons: string[];
  nextCursor: string | null;
  /** How many there are, counted to one more than COUNTED. */
  matched: number;
}

/** A page of the crons that an actor may read, as ids. */
export const findCrons = (
  sql: Queryable,
  filter: CronQuery,
  page: { order: CronOrder; cursor?: string | undefined; limit: number },
  actor: Actor | null,
) =>
  one<CronPage>(sql`
    select crons, next_cursor, matched from carillon.find_crons(
      filter => ${json(sql, filter)}, sort => ${page.order}, after_cursor => ${page.cursor ?? null},
      max_rows => ${page.limit}, actor => ${actor?.principalId ?? null},
      actor_scopes => ${actor?.scopes ?? null})`);

/** These crons with what a list shows of them, in their order; those that the actor may not read are left out. */
export const summarizeCrons = (
  sql: Queryable,
  crons: readonly string[],
  slots: number,
  actor: Actor | null,
) =>
  run(sql<CronSummaryRow[]>`
    select (s.cron).*, s.state, s.state_text, s.strip, s.strip_from, s.strip_to, s.last, s.typical, s.verbs
    from carillon.summarize_crons(
      crons => ${[...crons]}::uuid[], slots => ${slots}, actor => ${actor?.principalId ?? null},
      actor_scopes => ${actor?.scopes ?? null}) s`);
