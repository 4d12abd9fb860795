import { defineSearch, oneOf, someOf } from "../../url/search.js";

export const TABS = [
  "ledger",
  ...(["calendar", "timing", "jobs", "runs", "configuration", "audit"] as const),
] as const;
export type Tab = (typeof TABS)[number];

/** What the ledger says of a slot. */
export const TICK_OUTCOMES = [
  ...(["enqueued", "skipped", "replaced", "caught_up", "missed", "denied", "failed"] as const),
] as const;
export type TickOutcome = (typeof TICK_OUTCOMES)[number];

/** How far back the charts reach: by how often the cron fires, unless one is chosen. */
export const RANGES = ["auto", "6h", "1d", "7d", "30d", "90d", "1y"] as const;
export type Range = (typeof RANGES)[number];

export const cronSearch = defineSearch<{
  tab: Tab;
  outcome: readonly TickOutcome[];
  range: Range;
}>({
  tab: oneOf(TABS),
  outcome: someOf(TICK_OUTCOMES),
  range: oneOf(RANGES),
});
