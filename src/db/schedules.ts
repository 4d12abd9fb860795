import { one, run, type Queryable } from "./connect.js";

/** A schedule with everything that decides its slots. */
export interface ScheduleInput {
  schedule: string;
  timezone: string;
  startsAt?: string | undefined;
  endsAt?: string | undefined;
  gap?: "shift" | "skip" | undefined;
  fold?: "first" | "both" | undefined;
}

/** A slot to come. */
export interface SlotRow {
  slot: Date;
  /** Wall-clock time in the schedule's zone, without offset: `2026-03-08T03:30:00`. */
  localTime: string;
  /** The zone's offset from UTC at the slot: `-04:00`. */
  utcOffset: string;
  /** What daylight saving time did to the slot, if anything. */
  note: string | null;
}

/** The next `count` slots after a time (now when absent). */
export const previewSchedule = (
  sql: Queryable,
  input: ScheduleInput,
  from: string | undefined,
  count: number,
) =>
  run(sql<SlotRow[]>`
    select p.slot, to_char(p.local_time, 'YYYY-MM-DD"T"HH24:MI:SS') as local_time, p.utc_offset, p.note
    from carillon.preview_schedule(
      schedule => ${input.schedule}, timezone => ${input.timezone},
      "from" => coalesce(${from ?? null}::timestamptz, carillon.now()), count => ${count},
      starts_at => ${input.startsAt ?? null}, ends_at => ${input.endsAt ?? null},
      dst_gap => ${input.gap ?? "shift"}, dst_fold => ${input.fold ?? "first"}) as p`);

/** The schedule in plain English. */
export const describeSchedule = async (sql: Queryable, schedule: string, timezone: string) => {
  const row = await one<{ description: string }>(sql`
    select carillon.describe_schedule(schedule => ${schedule}, timezone => ${timezone}) as description`);
  return row.description;
};

/** What should be known of a schedule, though it is not wrong. */
export interface ScheduleNote {
  code: string;
  severity: "info" | "warning";
  text: string;
  /** A schedule that may be meant instead. */
  fix?: string;
}

export interface ScheduleField {
  name: string;
  text: string;
  /** Where in the text of the schedule it begins and ends. */
  start: number;
  end: number;
  low: number;
  high: number;
  meaning: string;
}

/** What would fire a cron of the schedule if it were made now. */
export interface DrivenBy {
  driver: "pg_cron" | "ticker";
  /** Of the pg_cron job, in GMT; null for the ticker. */
  expression: string | null;
  /** Why pg_cron does not; null where it does. */
  why: string | null;
}

export interface Explanation {
  form: "cron" | "seconds" | "rate" | "once";
  fields: ScheduleField[];
  notes: ScheduleNote[];
  /** How many slots each of 365 local days has, from a day on. */
  perYear: { from: string; counts: number[] };
  drivenBy: DrivenBy;
}

/** What an editor shows of a schedule besides its slots. */
export const explainSchedule = async (
  sql: Queryable,
  input: ScheduleInput,
  from: string | undefined,
) => {
  const row = await one<{ explanation: Explanation }>(sql`
    select carillon.explain_schedule(
      schedule => ${input.schedule}, timezone => ${input.timezone},
      "from" => coalesce(${from ?? null}::timestamptz, carillon.now()),
      starts_at => ${input.startsAt ?? null}, ends_at => ${input.endsAt ?? null},
      dst_gap => ${input.gap ?? "shift"}, dst_fold => ${input.fold ?? "first"}) as explanation`);
  return row.explanation;
};

export interface TimezoneRow {
  name: string;
  /** Old names of it. */
  aliases: string[];
  /** From UTC now: `-04:00`. */
  offset: string;
  offsetSeconds: number;
  nextChange: { at: string; offset: string } | null;
}

/** The time zones the server knows; it takes a tenth of a second. */
export const listTimezones = async (sql: Queryable) => {
  const row = await one<{ zones: TimezoneRow[] }>(sql`select carillon.list_timezones() as zones`);
  return row.zones;
};
