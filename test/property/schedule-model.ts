import { offsetAt, type Zone } from "./schedule-zones.js";

/*
 * The rules of DESIGN section 4 once more, as plainly as they can be written: every local day and
 * minute is looked at, nothing is skipped, no bit sets. Slow and obviously right.
 */

export interface Rules {
  gap: "shift" | "skip";
  fold: "first" | "both";
}

interface Fields {
  minutes: Set<number>;
  hours: Set<number>;
  elapsed: boolean;
  matchesDay(year: number, month: number, day: number): boolean;
}

function numbers(field: string, low: number, high: number): Set<number> {
  const found = new Set<number>();
  for (const element of field.split(",")) {
    const [range = "", step = "1"] = element.split("/");
    const [first = "", last = first] = range === "*" ? [`${low}`, `${high}`] : range.split("-");
    for (let n = Number(first); n <= Number(last); n += Number(step)) found.add(n);
  }
  return found;
}

function parse(schedule: string): Fields {
  const [minute = "", hour = "", monthDay = "", month = "", weekDay = ""] = schedule.split(" ");
  const monthDays = monthDay === "$" ? null : numbers(monthDay, 1, 31);
  const months = numbers(month, 1, 12);
  const weekDays = new Set([...numbers(weekDay, 0, 7)].map((n) => n % 7));
  return {
    minutes: numbers(minute, 0, 59),
    hours: numbers(hour, 0, 23),
    elapsed: hour.startsWith("*"),
    matchesDay(y, m, d) {
      const byMonth =
        monthDays === null ? d === new Date(Date.UTC(y, m, 0)).getUTCDate() : monthDays.has(d);
      const byWeek = weekDays.has(new Date(Date.UTC(y, m - 1, d)).getUTCDay());
      const both = monthDay.startsWith("*") || weekDay.startsWith("*");
      return months.has(m) && (both ? byMonth && byWeek : byMonth || byWeek);
    },
  };
}

const offsetsOf = new WeakMap<Zone, number[]>();

function distinctOffsets(zone: Zone): number[] {
  const known = offsetsOf.get(zone) ?? [...new Set(zone.changes.map(({ offset }) => offset))];
  offsetsOf.set(zone, known);
  return known;
}

/** All instants that show a local time (both counted in seconds), in order. */
function instantsOf(zone: Zone, local: number): number[] {
  return distinctOffsets(zone)
    .map((offset) => local - offset)
    .filter((instant) => instant + offsetAt(zone, instant) === local)
    .sort((a, b) => a - b);
}

/** For a local time that does not exist: the instant by the offset before the gap. */
function shifted(zone: Zone, local: number): number {
  const after = zone.changes.findIndex(
    ({ from, offset }, i) =>
      i > 0 && local < from + offset && local >= from + (zone.changes[i - 1]?.offset ?? 0),
  );
  const before = zone.changes[after - 1];
  if (before === undefined) throw new Error(`${local} is not in a gap of ${zone.name}`);
  return local - before.offset;
}

/** The slots of one local day (counted from 1970), in no order. */
function slotsOfDay(fields: Fields, zone: Zone, day: number, rules: Rules): number[] {
  const date = new Date(day * 86_400_000);
  if (!fields.matchesDay(date.getUTCFullYear(), date.getUTCMonth() + 1, date.getUTCDate())) {
    return [];
  }
  const slots: number[] = [];
  for (const hour of fields.hours) {
    for (const minute of fields.minutes) {
      const local = day * 86_400 + hour * 3600 + minute * 60;
      const instants = instantsOf(zone, local);
      if (fields.elapsed || (rules.fold === "both" && instants.length > 0)) slots.push(...instants);
      else if (instants[0] !== undefined) slots.push(instants[0]);
      else if (rules.gap === "shift") slots.push(shifted(zone, local));
    }
  }
  return slots;
}

/** The first slot after an instant, or null when there is none up to the horizon. */
export function nextSlot(
  schedule: string,
  zone: Zone,
  after: number,
  horizon: number,
  rules: Rules,
): number | null {
  const fields = parse(schedule);
  // The slots of a local day lie between 14 hours before and 36 hours after its midnight in UTC.
  let found = Infinity;
  for (let day = Math.floor(after / 86_400) - 1; day * 86_400 <= horizon + 86_400; day++) {
    if (found < (day - 1) * 86_400) break;
    for (const slot of slotsOfDay(fields, zone, day, rules)) {
      if (slot > after && slot < found) found = slot;
    }
  }
  return found <= horizon ? found : null;
}
