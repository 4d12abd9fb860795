import type { CronSummary } from "../../crons/types.js";
import type { Range } from "./search.js";

const HOUR = 3600;
const DAY = 24 * HOUR;

export type Window = Exclude<Range, "auto">;

/** How far each reaches, how it is called, and how finely the server may divide it. */
export const WINDOWS = {
  "6h": { seconds: 6 * HOUR, text: "6 hours", bucket: "5m" },
  "1d": { seconds: DAY, text: "24 hours", bucket: "15m" },
  "7d": { seconds: 7 * DAY, text: "7 days", bucket: "1h" },
  "30d": { seconds: 30 * DAY, text: "30 days", bucket: "6h" },
  "90d": { seconds: 90 * DAY, text: "90 days", bucket: "1d" },
  "1y": { seconds: 365 * DAY, text: "a year", bucket: "1d" },
} as const satisfies Record<Window, { seconds: number; text: string; bucket: string }>;

/** Seconds from slot to slot, by its last ones; undefined for a cron that has hardly fired. */
export function cadenceOf({
  strip,
  stripFrom,
  stripTo,
}: Pick<CronSummary, "strip" | "stripFrom" | "stripTo">): number | undefined {
  if (stripFrom === null || stripTo === null || strip.length < 2) return undefined;
  return (Date.parse(stripTo) - Date.parse(stripFrom)) / 1000 / (strip.length - 1);
}

/** Seconds between the two of these slots that are closest. */
export function shortestGap(slots: readonly { at: string }[]): number | undefined {
  const gaps = slots.slice(1).map(({ at }, n) => Date.parse(at) - Date.parse(slots[n]?.at ?? at));
  return gaps.length === 0 ? undefined : Math.min(...gaps) / 1000;
}

/** The window that shows a cron that fires so often: some hundred slots of it. */
export function windowFor(range: Range, cadence: number | undefined): Window {
  if (range !== "auto") return range;
  if (cadence === undefined) return "7d";
  if (cadence <= 150) return "6h";
  if (cadence <= 0.5 * HOUR) return "1d";
  if (cadence <= 3 * HOUR) return "7d";
  return cadence <= 13 * HOUR ? "30d" : "1y";
}
