import { z } from "zod";
import type { SlotRow, TimezoneRow } from "../../db/schedules.js";
import { Time } from "./scalars.js";

const Slot = z.strictObject({
  at: Time.describe("The slot, in UTC."),
  local: z.string().describe("Its wall-clock time in the schedule's zone, without offset."),
  offset: z.string().describe("The zone's offset from UTC at the slot, such as -04:00."),
  note: z.string().nullable().describe("What daylight saving time did to it, if anything."),
});

const Comparison = z.strictObject({
  added: z.array(Time).describe("Slots it has and the other has not."),
  removed: z.array(Time).describe("Slots the other has and it has not."),
  until: Time.nullable().describe("Up to where both were compared; null: to their ends."),
});

/** A schedule read. */
export const Preview = z.strictObject({
  schedule: z.string(),
  timezone: z.string(),
  description: z.string().describe("The schedule in plain English."),
  form: z.enum(["cron", "seconds", "rate", "once"]),
  fields: z
    .array(
      z.strictObject({
        name: z.string(),
        text: z.string(),
        start: z.int().describe("Where in the schedule's text it begins."),
        end: z.int(),
        low: z.int().describe("The lowest number it takes."),
        high: z.int(),
        meaning: z.string(),
      }),
    )
    .describe("Of the form of five fields."),
  notes: z
    .array(
      z.strictObject({
        code: z.string(),
        severity: z.enum(["info", "warning"]),
        text: z.string(),
        fix: z.string().optional().describe("A schedule that may be meant instead."),
      }),
    )
    .describe("What should be known of it, though it is not wrong."),
  perYear: z
    .strictObject({ from: z.iso.date(), counts: z.array(z.int()) })
    .describe(
      "How many slots each of 365 local days has, by the wall clock: a day the clocks change may differ.",
    ),
  drivenBy: z
    .strictObject({
      driver: z.enum(["pg_cron", "ticker"]),
      expression: z
        .string()
        .nullable()
        .describe("The pg_cron job's, in GMT: it may wake more often than there are slots."),
      why: z.string().nullable().describe("Why it is the ticker; null where it is pg_cron."),
    })
    .describe("What would fire a cron of this schedule if it were made now."),
  slots: z.array(Slot),
  compared: Comparison.nullable().describe("With compareTo; null without."),
});

export const toSlot = ({ slot, localTime, utcOffset, note }: SlotRow): z.input<typeof Slot> => ({
  at: slot.toISOString(),
  local: localTime,
  offset: utcOffset,
  note,
});

/** What differs between the next slots of two schedules, as far as both are known. */
export function compareSlots(
  rows: readonly SlotRow[],
  others: readonly SlotRow[],
  count: number,
): z.input<typeof Comparison> {
  const times = rows.map(({ slot }) => slot.getTime());
  const otherTimes = others.map(({ slot }) => slot.getTime());
  const endOf = (list: readonly number[]) => (list.length < count ? Infinity : (list.at(-1) ?? 0));
  const until = Math.min(endOf(times), endOf(otherTimes));
  const missingIn = (there: ReadonlySet<number>, list: readonly number[]) =>
    list
      .filter((time) => time <= until && !there.has(time))
      .map((time) => new Date(time).toISOString());
  return {
    added: missingIn(new Set(otherTimes), times),
    removed: missingIn(new Set(times), otherTimes),
    until: until === Infinity ? null : new Date(until).toISOString(),
  };
}

/** A time zone the server knows. */
export const TimezoneEntry = z.strictObject({
  name: z.string(),
  aliases: z.array(z.string()).describe("Old names of it, which are taken as well."),
  offset: z.string().describe("From UTC, now: such as -04:00."),
  offsetSeconds: z.int(),
  nextChange: z
    .strictObject({ at: Time, offset: z.string().describe("The one it changes to.") })
    .nullable()
    .describe("When its clocks change next; null when they do not within 13 months."),
});

export const toTimezone = (row: TimezoneRow): z.input<typeof TimezoneEntry> => row;
