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
