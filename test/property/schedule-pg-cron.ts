/*
 * When pg_cron would wake, by its own rules: Vixie's bit maps, with the leading * of a day field
 * deciding between "and" and "or", the digits-only grammar of 1.4, and $ from 1.6 on.
 */

interface Entry {
  minute: Set<number>;
  hour: Set<number>;
  monthDay: Set<number>;
  month: Set<number>;
  weekDay: Set<number>;
  lastDay: boolean;
  both: boolean;
}

function bits(field: string, low: number, high: number): Set<number> {
  const found = new Set<number>();
  for (const range of field.split(",")) {
    const parts = /^(?:(\*)|(\d+)(?:-(\d+))?)(?:\/(\d+))?$/.exec(range);
    if (parts === null) throw new Error(`pg_cron does not take ${field}`);
    const [, star, first, last, step] = parts;
    if (step !== undefined && star === undefined && last === undefined) {
      throw new Error(`pg_cron does not take a step on a number: ${field}`);
    }
    const from = star === undefined ? Number(first) : low;
    const to = star === undefined ? Number(last ?? first) : high;
    if (from < low || to > high || to < from || Number(step ?? 1) < 1) {
      throw new Error(`pg_cron does not take ${field}`);
    }
    for (let n = from; n <= to; n += Number(step ?? 1)) found.add(n);
  }
  return found;
}

/** Parses a pg_cron expression of 5 fields; throws where pg_cron of that version would. */
export function parsePgCron(expression: string, version: "1.4" | "1.6"): Entry {
  const fields = expression.split(" ");
  if (fields.length !== 5) throw new Error(`pg_cron does not take ${expression}`);
  const [minute = "", hour = "", monthDay = "", month = "", weekDay = ""] = fields;
  const lastDay = monthDay === "$" && version === "1.6";
  return {
    minute: bits(minute, 0, 59),
    hour: bits(hour, 0, 23),
    monthDay: lastDay ? new Set() : bits(monthDay, 1, 31),
    month: bits(month, 1, 12),
    weekDay: new Set([...bits(weekDay, 0, 7)].map((n) => n % 7)),
    lastDay,
    both: monthDay.startsWith("*") || weekDay.startsWith("*"),
  };
}

/** Whether pg_cron wakes in the minute that begins at this second (GMT). */
export function wakes(entry: Entry, second: number): boolean {
  const at = new Date(second * 1000);
  const tomorrow = new Date((second + 86_400) * 1000);
  const byMonthDay = entry.lastDay
    ? at.getUTCMonth() !== tomorrow.getUTCMonth()
    : entry.monthDay.has(at.getUTCDate());
  const byWeekDay = entry.weekDay.has(at.getUTCDay());
  return (
    entry.minute.has(at.getUTCMinutes()) &&
    entry.hour.has(at.getUTCHours()) &&
    entry.month.has(at.getUTCMonth() + 1) &&
    (entry.both ? byMonthDay && byWeekDay : byMonthDay || byWeekDay)
  );
}
