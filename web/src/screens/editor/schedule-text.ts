/*
 * The text of a schedule is the only state. What helps to write one never holds a second: it reads
 * the text by rebuilding it, and where the same text does not come out, it has nothing to say.
 * Nothing here judges a schedule: that is the server's.
 */

export type Form = "cron" | "seconds" | "rate" | "once";

/** Which of the four forms a text begins to be. */
export function formOf(schedule: string): Form {
  const text = schedule.trim();
  if (/^at(\s|$)/.test(text)) return "once";
  if (/^every(\s|$)/.test(text)) return "rate";
  return /\bseconds?$/.test(text) ? "seconds" : "cron";
}

/** What a cron expression most often says. */
export type CronPlan =
  | { every: "minutes"; step: number }
  | { every: "hour"; minute: number }
  | { every: "day"; hour: number; minute: number }
  | { every: "week"; hour: number; minute: number; days: readonly number[] }
  | { every: "month"; hour: number; minute: number; day: number | "$" };

/** The expression of a plan. */
export function buildCron(plan: CronPlan): string {
  switch (plan.every) {
    case "minutes":
      return plan.step === 1 ? "* * * * *" : `*/${plan.step} * * * *`;
    case "hour":
      return `${plan.minute} * * * *`;
    case "day":
      return `${plan.minute} ${plan.hour} * * *`;
    case "week":
      return `${plan.minute} ${plan.hour} * * ${daysText(plan.days)}`;
    case "month":
      return `${plan.minute} ${plan.hour} ${plan.day} * *`;
  }
}

/** Days in a row as a range, as one would write them: `1-5`, `0,6`, `1,3,5`. */
function daysText(days: readonly number[]): string {
  const sorted = [...new Set(days)].sort((a, b) => a - b);
  const [first = 0] = sorted;
  const last = sorted.at(-1) ?? first;
  const inRow = sorted.length > 2 && last - first === sorted.length - 1;
  return inRow ? `${first}-${last}` : sorted.join(",");
}

function readDays(text: string): number[] {
  const [, first, last] = /^(\d)-(\d)$/.exec(text) ?? [];
  if (first === undefined || last === undefined) return text.split(",").map(Number);
  return Array.from({ length: Number(last) - Number(first) + 1 }, (_, at) => Number(first) + at);
}

/** The plan an expression says; undefined where building it again gives another text. */
export function readCron(schedule: string): CronPlan | undefined {
  const plan = guess(schedule);
  return plan !== undefined && buildCron(plan) === schedule && isShown(plan) ? plan : undefined;
}

/** Whether the helper's fields can show it: a clock has no hour 25. */
function isShown(plan: CronPlan): boolean {
  const within = (value: number, least: number, most: number) => value >= least && value <= most;
  if (plan.every === "minutes") return within(plan.step, 1, 59);
  if (!within(plan.minute, 0, 59)) return false;
  if (plan.every === "hour") return true;
  if (!within(plan.hour, 0, 23)) return false;
  if (plan.every === "week") return plan.days.every((day) => within(day, 0, 6));
  return plan.every === "day" || plan.day === "$" || within(plan.day, 1, 31);
}

function guess(schedule: string): CronPlan | undefined {
  const [minute = "", hour = "", day = "", month, weekday = "", ...more] = schedule.split(" ");
  if (more.length > 0 || month !== "*") return undefined;
  const at = { minute: Number(minute), hour: Number(hour) };
  if (minute === "*") return { every: "minutes", step: 1 };
  if (minute.startsWith("*/")) return { every: "minutes", step: Number(minute.slice(2)) };
  if (hour === "*") return { every: "hour", minute: at.minute };
  if (weekday !== "*") return { every: "week", ...at, days: readDays(weekday) };
  if (day === "*") return { every: "day", ...at };
  return { every: "month", ...at, day: day === "$" ? "$" : Number(day) };
}

export interface RatePlan {
  many: number;
  unit: "minute" | "hour" | "day";
  from: string;
}

export const buildRate = ({ many, unit, from }: RatePlan): string =>
  `every ${many} ${unit}${many === 1 ? "" : "s"}${from === "" ? "" : ` from ${from}`}`;

export function readRate(schedule: string): RatePlan | undefined {
  const [, many, unit, from = ""] =
    /^every (\d+) (minute|hour|day)s?(?: from (\S+))?$/.exec(schedule) ?? [];
  if (many === undefined) return undefined;
  const plan = { many: Number(many), unit: unit as RatePlan["unit"], from };
  return buildRate(plan) === schedule ? plan : undefined;
}

export const buildSeconds = (many: number): string => `${many} seconds`;

export function readSeconds(schedule: string): number | undefined {
  const many = Number(/^(\d+) seconds$/.exec(schedule)?.[1]);
  return buildSeconds(many) === schedule ? many : undefined;
}

export const buildOnce = (local: string): string => `at ${local}`;

/** `2026-12-24T18:00` of `at 2026-12-24T18:00`; times with seconds or an offset stay text. */
export function readOnce(schedule: string): string | undefined {
  const local = /^at (\d{4}-\d\d-\d\dT\d\d:\d\d)$/.exec(schedule)?.[1];
  return local !== undefined && buildOnce(local) === schedule ? local : undefined;
}
