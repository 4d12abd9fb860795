import { z } from "zod";

/*
 * What the edges know of schedules: type, length and form, enough for an editor to help. The
 * parser is SQL's (carillon.check_schedule), so a form that is refused here is only "deferred":
 * parseInput lets the database say it better when nothing else is wrong.
 */

const blank = "[ \\t]+";
const field = "[0-9*/,$-]+";
const time = "\\d{4}-\\d\\d-\\d\\d[Tt]\\d\\d:\\d\\d(:\\d\\d(\\.\\d+)?)?([Zz]|[+-]\\d\\d:\\d\\d)?";

/** The four forms of a schedule, each a pattern that takes everything SQL takes of that form. */
export const SCHEDULE_FORMS = {
  cron: `${field}(${blank}${field}){4}`,
  seconds: `\\d{1,9}${blank}seconds`,
  rate: `every${blank}\\d{1,9}${blank}(minute|hour|day)s?(${blank}from${blank}${time})?`,
  once: `at${blank}${time}`,
} as const;

/** Matches every schedule SQL accepts, and nothing that is of none of the four forms. */
export const SCHEDULE_PATTERN = `^[ \\t]*(${Object.values(SCHEDULE_FORMS)
  .map((form) => `(${form})`)
  .join("|")})[ \\t]*$`;

/** Matches every time zone SQL accepts. */
export const TIMEZONE_PATTERN = "^[A-Za-z][A-Za-z0-9_+/-]*$";

const matches = (pattern: string) => {
  const compiled = new RegExp(pattern);
  return (text: string) => compiled.test(text);
};

/** When a cron fires, in one of the four forms. */
export const Schedule = z
  .string()
  .max(200, { abort: true })
  .refine(matches(SCHEDULE_PATTERN), {
    error:
      'must be 5 cron fields, "N seconds", "every N minutes|hours|days [from TIME]" or "at TIME"',
    params: { deferred: true },
  })
  .meta({
    minLength: 1,
    pattern: SCHEDULE_PATTERN,
    description:
      'When it fires: 5 cron fields (minute hour day-of-month month day-of-week; $ is the last day of the month), "N seconds" (1 to 59), "every N minutes|hours|days [from TIME]", or "at TIME".',
    examples: [
      "0 9 * * 1-5",
      "*/5 * * * *",
      "0 0 $ * *",
      "10 seconds",
      "every 90 minutes",
      "at 2026-05-08T10:30",
    ],
  });

/** The zone whose wall clock a schedule follows. */
export const Timezone = z
  .string()
  .max(100, { abort: true })
  .refine(matches(TIMEZONE_PATTERN), {
    error: "must be a name of the IANA time zone database, such as America/New_York",
    params: { deferred: true },
  })
  .meta({
    minLength: 1,
    pattern: TIMEZONE_PATTERN,
    examples: ["America/New_York", "Europe/London", "GMT"],
  });

const RFC3339 =
  /^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(?::\d\d(?:\.\d{1,6})?)?(?:[Zz]|[+-](?:[01]\d|2[0-3]):[0-5]\d)$/;

/** The years answers can show in four digits, in UTC. */
const EARLIEST = Date.parse("0001-01-01T00:00:00Z");
const LATEST = Date.parse("9999-12-31T23:59:59.999Z");

/** Whether a text is an RFC 3339 time with an offset, on a day that exists. */
function isInstant(text: string): boolean {
  if (!RFC3339.test(text)) return false;
  const [year, month, day] = text.slice(0, 10).split("-").map(Number) as [number, number, number];
  const time = Date.parse(text.toUpperCase());
  // Date.parse rolls 30 February over into March; the day of the month must survive.
  const lastDay = new Date(Date.UTC(2000 + (year % 400), month, 0)).getUTCDate();
  return day <= lastDay && time >= EARLIEST && time <= LATEST;
}

/** An instant: an RFC 3339 time with an offset. */
export const Instant = z
  .string()
  .max(40)
  .refine(isInstant, {
    error: "must be an RFC 3339 time with an offset, for example 2026-05-08T10:30:00Z",
  })
  .meta({ format: "date-time", examples: ["2026-05-08T10:30:00Z"] });
