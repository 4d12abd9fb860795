import type { Output } from "carillon/client";

/** A cron with what lists show of it. */
export type CronSummary = Output<"GET /api/v1/cron-summaries">["items"][number];

export type CronState = CronSummary["state"];

/** Every state, what needs somebody first. */
export const CRON_STATES = [
  ...(["failing", "late", "denied", "self_paused", "paused", "running", "ok", "waiting"] as const),
  "done",
] as const satisfies readonly CronState[];

export const CRON_ORDERS = ["attention", "name", "next", "last"] as const;
export type CronOrder = (typeof CRON_ORDERS)[number];

/** Where jobs of crons go: "none" is the app's own workers. */
export const CRON_TARGETS = ["none", "http", "agent", "faktory", "container"] as const;
export type CronTarget = (typeof CRON_TARGETS)[number];

export const TARGET_WORDS: Readonly<Record<CronTarget, string>> = {
  none: "App's workers",
  http: "HTTP",
  agent: "Agent",
  faktory: "Faktory",
  container: "Container",
};
