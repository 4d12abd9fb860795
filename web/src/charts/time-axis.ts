import { clockTime, dateKey, type TimeStyle } from "../time/format.js";

/** A place on the axis, by the number of its bucket. */
export interface TimeTick {
  at: number;
  text: string;
}

interface Start {
  /** Its day's number, of all days. */
  day: number;
  date: string;
  /** Whether another day began since the bucket before. */
  turns: boolean;
  hour: number;
  minute: number;
}

type Rule = (start: Start) => boolean;

const hours = (every: number): Rule => {
  return ({ hour, minute }) => minute === 0 && hour % every === 0;
};
const days = (every: number): Rule => {
  return ({ turns, day }) => turns && day % every === 0;
};
const months = (every: number): Rule => {
  return ({ turns, date }) =>
    turns && date.endsWith("-01") && Number(date.slice(5, 7)) % every === 1 % every;
};

/** From fine to coarse. The days of a week are counted so that one is a Monday. */
const RULES: readonly { rule: Rule; show: "clock" | "day" | "month" }[] = [
  ...[1, 3, 6, 12].map((every) => ({ rule: hours(every), show: "clock" as const })),
  ...[1, 2, 3, 7, 14].map((every) => ({ rule: days(every), show: "day" as const })),
  ...[1, 3, 6].map((every) => ({ rule: months(every), show: "month" as const })),
];

/**
 * What to write below buckets, and where: only where a bucket begins, so that clock changes take care of
 * themselves.
 *
 * @param most how many there is room for
 */
export function timeTicks(
  starts: readonly number[],
  style: TimeStyle,
  most: number,
): readonly TimeTick[] {
  const read = starts.map((at, n) => startOf(at, starts[n - 1], style.zone));
  for (const { rule, show } of RULES) {
    const found = read.flatMap((start, at) => (rule(start) ? [at] : []));
    if (found.length > 0 && found.length <= most) {
      return found.map((at) => ({ at, text: textOf(starts[at] ?? 0, read[at], show, style) }));
    }
  }
  return [];
}

function startOf(at: number, before: number | undefined, zone: string): Start {
  const date = dateKey(at, zone);
  const [hour = 0, minute = 0] = clockTime(at, { zone, hour12: false }).split(":").map(Number);
  const turns = before === undefined ? hour === 0 && minute === 0 : dateKey(before, zone) !== date;
  // The fourth day of the epoch was a Monday.
  return {
    day: Math.round(Date.parse(`${date}T00:00:00Z`) / 86_400_000) - 4,
    date,
    turns,
    hour,
    minute,
  };
}

function textOf(
  at: number,
  start: Start | undefined,
  show: "clock" | "day" | "month",
  style: TimeStyle,
): string {
  // Midnight says which day begins.
  const named = show === "clock" && start?.turns ? "day" : show;
  if (named === "clock") return clockTime(at, style).replace(":00 ", " ");
  const date = new Date(`${start?.date ?? ""}T00:00:00Z`);
  const part = (options: Intl.DateTimeFormatOptions) =>
    date.toLocaleDateString("en-US", { ...options, timeZone: "UTC" });
  const month = part({ month: "short" });
  return named === "day" ? `${date.getUTCDate()} ${month}` : month;
}
