import { one, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** What there is to attend to. */
export const ATTENTION_KINDS = [
  ...(["clone", "no_worker", "failing", "self_paused", "denied", "undecided"] as const),
  ...(["pg_cron_stuck", "missed", "skipping", "late", "dead_letters", "forgotten"] as const),
] as const;

export const SEVERITIES = ["critical", "warning", "info"] as const;

export interface AttentionItem {
  kind: (typeof ATTENTION_KINDS)[number];
  severity: (typeof SEVERITIES)[number];
  text: string;
  appId: string | null;
  /** The cron, where it is about one. */
  cronId: string | null;
  /** Eight at most. */
  crons: { id: string; appId: string; name: string }[];
  cronCount: number;
  since: string | null;
  count: number;
  error: string | null;
}

export interface Attention {
  items: AttentionItem[];
  /** How many causes there are; items has 100 at most. */
  count: number;
  decided: Record<
    "slots" | "onTime" | "late" | "skipped" | "missed" | "denied" | "undecided",
    number
  > & { since: string };
}

/** What needs somebody, of the apps that an actor may read. */
export const listAttention = async (
  sql: Queryable,
  app: string | undefined,
  actor: Actor | null,
) => {
  const row = await one<{ attention: Attention }>(sql`
    select carillon.list_attention(
      app => ${app ?? null}, actor => ${actor?.principalId ?? null}, actor_scopes => ${actor?.scopes ?? null}) as attention`);
  return row.attention;
};

export interface Overview {
  now: string;
  hours: {
    at: string;
    jobs: Record<"completed" | "failed" | "canceled", number>;
    slots: Record<
      "enqueued" | "skipped" | "replaced" | "caughtUp" | "missed" | "denied" | "undecided",
      number
    >;
    /** Seconds from slot to decision. */
    lag: { p50: number; p99: number } | null;
  }[];
  running: {
    jobId: number;
    appId: string;
    cronId: string | null;
    name: string | null;
    worker: string | null;
    attempt: number;
    startedAt: string;
    p95: number | null;
    progress: { percent: number; note: string | null } | null;
  }[];
  queues: {
    appId: string;
    due: { count: number; capped: boolean };
    oldestDueAt: string | null;
    running: number;
  }[];
  workers: { appId: string; worker: string; running: number; since: string }[];
  pgCron: { driving: string | null; lastSeenAt: string | null; stuck: boolean } | null;
}

/** The last 24 hours and the present of the apps that an actor may read. */
export const getOverview = async (sql: Queryable, app: string | undefined, actor: Actor | null) => {
  const row = await one<{ overview: Overview }>(sql`
    select carillon.get_overview(
      app => ${app ?? null}, actor => ${actor?.principalId ?? null}, actor_scopes => ${actor?.scopes ?? null}) as overview`);
  return row.overview;
};
