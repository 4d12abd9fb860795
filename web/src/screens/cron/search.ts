import { defineSearch, oneOf, someOf } from "../../url/search.js";

export const TABS = ["ledger", "calendar", "jobs", "runs", "configuration", "audit"] as const;
export type Tab = (typeof TABS)[number];

/** What the ledger says of a slot. */
export const TICK_OUTCOMES = [
  ...(["enqueued", "skipped", "replaced", "caught_up", "missed", "denied", "failed"] as const),
] as const;
export type TickOutcome = (typeof TICK_OUTCOMES)[number];

export const cronSearch = defineSearch<{ tab: Tab; outcome: readonly TickOutcome[] }>({
  tab: oneOf(TABS),
  outcome: someOf(TICK_OUTCOMES),
});
