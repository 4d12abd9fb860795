import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createTestDatabase, type TestDatabase } from "../helpers/database.js";
import { type FireOptions, nextFire } from "./sql.js";

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

type Case = [
  what: string,
  schedule: string,
  timezone: string | null,
  after: string,
  slot: string | null,
  options?: FireOptions,
];

function table(cases: Case[]): void {
  test.each(cases)("%s: %s in %s", async (_what, schedule, timezone, after, slot, options) => {
    expect(await nextFire(db.sql, schedule, timezone, after, options)).toBe(slot);
  });
}

describe("the fields", () => {
  table([
    ["every minute", "* * * * *", "GMT", "2026-01-01T00:00Z", "2026-01-01T00:01Z"],
    ["within a minute", "* * * * *", "GMT", "2026-01-01T00:00:59.999999Z", "2026-01-01T00:01Z"],
    ["strictly after", "0 9 * * *", "GMT", "2026-01-01T09:00Z", "2026-01-02T09:00Z"],
    [
      "a microsecond before",
      "0 9 * * *",
      "GMT",
      "2026-01-01T08:59:59.999999Z",
      "2026-01-01T09:00Z",
    ],
    ["a step", "*/15 * * * *", "GMT", "2026-01-01T00:46Z", "2026-01-01T01:00Z"],
    [
      "a step that does not divide",
      "*/25 * * * *",
      "GMT",
      "2026-01-01T00:50Z",
      "2026-01-01T01:00Z",
    ],
    ["a range with a step", "10-30/10 * * * *", "GMT", "2026-01-01T00:20Z", "2026-01-01T00:30Z"],
    ["a list", "5,7,50 3 * * *", "GMT", "2026-01-01T03:07Z", "2026-01-01T03:50Z"],
    ["leading zeros", "05 09 01 01 00", "GMT", "2026-01-02T00:00Z", "2026-01-04T09:05Z"],
    ["blanks and tabs", " \t0  9\t* *   * ", "GMT", "2026-01-01T00:00Z", "2026-01-01T09:00Z"],
    ["the end of a year", "0 0 1 1 *", "GMT", "2026-01-01T00:00Z", "2027-01-01T00:00Z"],
    ["weekdays", "0 0 * * 1-5", "GMT", "2026-05-08T00:00Z", "2026-05-11T00:00Z"],
    ["Sunday is 0", "0 0 * * 0", "GMT", "2026-05-08T00:00Z", "2026-05-10T00:00Z"],
    ["Sunday is 7", "0 0 * * 7", "GMT", "2026-05-08T00:00Z", "2026-05-10T00:00Z"],
    ["Friday to Sunday", "0 0 * * 5-7", "GMT", "2026-05-09T00:00Z", "2026-05-10T00:00Z"],
    ["the 31st", "0 0 31 * *", "GMT", "2026-04-01T00:00Z", "2026-05-31T00:00Z"],
    ["months", "0 0 1 2,8 *", "GMT", "2026-02-01T00:00Z", "2026-08-01T00:00Z"],
    ["no zone is GMT", "0 9 * * *", null, "2026-07-01T00:00Z", "2026-07-01T09:00Z"],
  ]);
});

describe("the last day of the month", () => {
  table([
    ["31", "0 0 $ * *", "GMT", "2026-01-30T00:00Z", "2026-01-31T00:00Z"],
    ["30", "0 0 $ * *", "GMT", "2026-04-01T00:00Z", "2026-04-30T00:00Z"],
    ["28", "0 0 $ * *", "GMT", "2026-02-01T00:00Z", "2026-02-28T00:00Z"],
    ["29", "0 0 $ * *", "GMT", "2028-02-01T00:00Z", "2028-02-29T00:00Z"],
    ["no leap year by 100", "0 0 $ 2 *", "GMT", "2100-01-01T00:00Z", "2100-02-28T00:00Z"],
    ["in the zone", "0 0 $ * *", "Asia/Tokyo", "2026-02-01T00:00Z", "2026-02-27T15:00Z"],
    ["or a weekday", "0 0 $ * 1", "GMT", "2026-04-27T00:00Z", "2026-04-30T00:00Z"],
  ]);
});

describe("day-of-month and day-of-week", () => {
  // 2026-02-13 and 2026-03-13 are Fridays.
  table([
    ["or: the 13th", "0 0 13 * 5", "GMT", "2026-01-10T00:00Z", "2026-01-13T00:00Z"],
    ["or: a Friday", "0 0 13 * 5", "GMT", "2026-01-13T00:00Z", "2026-01-16T00:00Z"],
    ["and, for */2 begins with *", "0 0 */2 * 5", "GMT", "2026-01-01T00:00Z", "2026-01-09T00:00Z"],
    ["and, the other way round", "0 0 13 * */5", "GMT", "2026-01-01T00:00Z", "2026-02-13T00:00Z"],
    [
      "or: a full range is restricted",
      "0 0 1-31 * 5",
      "GMT",
      "2026-01-01T00:00Z",
      "2026-01-02T00:00Z",
    ],
    ["or: a date that never comes", "0 0 31 2 1", "GMT", "2026-01-01T00:00Z", "2026-02-02T00:00Z"],
    [
      "a list that begins with *",
      "0 0 */31,15 * 5",
      "GMT",
      "2026-01-01T00:00Z",
      "2026-05-01T00:00Z",
    ],
  ]);
});

describe("years ahead", () => {
  table([
    ["leap day", "0 0 29 2 *", "GMT", "2025-01-01T00:00Z", "2028-02-29T00:00Z"],
    [
      "leap day, in a zone",
      "0 0 29 2 *",
      "America/New_York",
      "2025-01-01T00:00Z",
      "2028-02-29T05:00Z",
    ],
    ["eight years, over 2100", "0 0 29 2 *", "GMT", "2096-03-01T00:00Z", "2104-02-29T00:00Z"],
    ["leap day on a Sunday", "0 0 29 2 */7", "GMT", "2026-01-01T00:00Z", "2032-02-29T00:00Z"],
    ["forty years", "0 0 29 2 */7", "GMT", "2088-03-01T00:00Z", "2128-02-29T00:00Z"],
    ["the last year", "0 0 1 1 *", "GMT", "9998-06-01T00:00Z", "9999-01-01T00:00Z"],
    ["nothing after it", "0 0 1 1 *", "GMT", "9999-01-01T00:00Z", null],
    ["nor in 10000, GMT", "0 23 31 12 *", "America/New_York", "9999-06-01T00:00Z", null],
    ["infinity", "* * * * *", "GMT", "infinity", null],
    ["minus infinity", "0 0 * * *", "GMT", "-infinity", "1970-01-01T00:00Z"],
  ]);
});

describe("gaps: the offset before them holds", () => {
  table([
    ["New York", "30 2 * * *", "America/New_York", "2026-03-08T05:00Z", "2026-03-08T07:30Z"],
    ["once, not twice", "30 2 * * *", "America/New_York", "2026-03-08T07:30Z", "2026-03-09T06:30Z"],
    [
      "asked after the gap",
      "30 2 * * *",
      "America/New_York",
      "2026-03-08T07:10Z",
      "2026-03-08T07:30Z",
    ],
    ["its first minute", "0 2 * * *", "America/New_York", "2026-03-08T05:00Z", "2026-03-08T07:00Z"],
    [
      "two become one",
      "30 2,3 * * *",
      "America/New_York",
      "2026-03-08T07:30Z",
      "2026-03-09T06:30Z",
    ],
    [
      "out of order",
      "0,30 2,3 * * *",
      "America/New_York",
      "2026-03-08T07:00Z",
      "2026-03-08T07:30Z",
    ],
    ["London", "30 1 * * *", "Europe/London", "2026-03-29T00:00Z", "2026-03-29T01:30Z"],
    [
      "Lord Howe, half an hour",
      "15 2 * * *",
      "Australia/Lord_Howe",
      "2026-10-03T12:00Z",
      "2026-10-03T15:45Z",
    ],
    [
      "Troll, two hours",
      "30 1 * * *",
      "Antarctica/Troll",
      "2026-03-29T00:00Z",
      "2026-03-29T01:30Z",
    ],
    [
      "Santiago, at midnight",
      "0 0 * * *",
      "America/Santiago",
      "2026-09-05T12:00Z",
      "2026-09-06T04:00Z",
    ],
    ["Beirut, at midnight", "0 0 * * *", "Asia/Beirut", "2026-03-28T12:00Z", "2026-03-28T22:00Z"],
    [
      "Dublin, where winter is the exception",
      "30 1 * * *",
      "Europe/Dublin",
      "2026-03-29T00:00Z",
      "2026-03-29T01:30Z",
    ],
    ["Apia, a whole day", "0 9 30 12 *", "Pacific/Apia", "2011-12-29T22:00Z", "2011-12-30T19:00Z"],
    [
      "Apia, the day itself comes next",
      "0 9 * * *",
      "Pacific/Apia",
      "2011-12-30T19:00Z",
      "2011-12-31T19:00Z",
    ],
    [
      "a gap and a weekday",
      "30 2 * * 0",
      "America/New_York",
      "2026-03-02T00:00Z",
      "2026-03-08T07:30Z",
    ],
    [
      "skip",
      "30 2 * * *",
      "America/New_York",
      "2026-03-08T05:00Z",
      "2026-03-09T06:30Z",
      { gap: "skip" },
    ],
    [
      "skip leaves the others",
      "30 2,3 * * *",
      "America/New_York",
      "2026-03-08T05:00Z",
      "2026-03-08T07:30Z",
      { gap: "skip" },
    ],
    ["null is shift", "30 2 * * *", "America/New_York", "2026-03-08T05:00Z", "2026-03-08T07:30Z"],
  ]);
});

describe("folds: the first time", () => {
  table([
    ["New York", "30 1 * * *", "America/New_York", "2026-11-01T04:00Z", "2026-11-01T05:30Z"],
    ["not again", "30 1 * * *", "America/New_York", "2026-11-01T05:30Z", "2026-11-02T06:30Z"],
    [
      "asked within the second half",
      "45 1 * * *",
      "America/New_York",
      "2026-11-01T06:10Z",
      "2026-11-02T06:45Z",
    ],
    ["after it", "0 2 * * *", "America/New_York", "2026-11-01T05:59Z", "2026-11-01T07:00Z"],
    ["London", "30 1 * * *", "Europe/London", "2026-10-25T00:00Z", "2026-10-25T00:30Z"],
    ["Lord Howe", "45 1 * * *", "Australia/Lord_Howe", "2026-04-04T14:00Z", "2026-04-04T14:45Z"],
    [
      "Lord Howe, not again",
      "45 1 * * *",
      "Australia/Lord_Howe",
      "2026-04-04T14:45Z",
      "2026-04-05T15:15Z",
    ],
    [
      "both: the second",
      "30 1 * * *",
      "America/New_York",
      "2026-11-01T05:30Z",
      "2026-11-01T06:30Z",
      { fold: "both" },
    ],
    [
      "both: then the next day",
      "30 1 * * *",
      "America/New_York",
      "2026-11-01T06:30Z",
      "2026-11-02T06:30Z",
      { fold: "both" },
    ],
  ]);
});

describe("an hour field that begins with * follows elapsed time", () => {
  table([
    [
      "hourly over a fold",
      "30 * * * *",
      "America/New_York",
      "2026-11-01T05:30Z",
      "2026-11-01T06:30Z",
    ],
    [
      "hourly over a gap",
      "30 * * * *",
      "America/New_York",
      "2026-03-08T06:30Z",
      "2026-03-08T07:30Z",
    ],
    [
      "every minute, within a fold",
      "* * * * *",
      "America/New_York",
      "2026-11-01T06:10Z",
      "2026-11-01T06:11Z",
    ],
    [
      "*/2 drops the hour that does not exist",
      "0 */2 * * *",
      "America/New_York",
      "2026-03-08T05:00Z",
      "2026-03-08T08:00Z",
    ],
    [
      "*/3 has no such hour",
      "30 */3 * * *",
      "America/New_York",
      "2026-03-08T05:30Z",
      "2026-03-08T07:30Z",
    ],
    [
      "0-23 does not begin with *",
      "30 0-23 * * *",
      "America/New_York",
      "2026-11-01T05:30Z",
      "2026-11-01T07:30Z",
    ],
    [
      "the overrides do not apply",
      "30 * * * *",
      "America/New_York",
      "2026-11-01T05:30Z",
      "2026-11-01T06:30Z",
      { gap: "skip", fold: "first" },
    ],
  ]);
});

describe("seconds", () => {
  table([
    [
      "multiples since the epoch",
      "10 seconds",
      "GMT",
      "2026-01-01T00:00:03.5Z",
      "2026-01-01T00:00:10Z",
    ],
    ["strictly after", "10 seconds", "GMT", "2026-01-01T00:00:10Z", "2026-01-01T00:00:20Z"],
    ["1 seconds", "1 seconds", "GMT", "2026-01-01T00:00:10Z", "2026-01-01T00:00:11Z"],
    ["not by the minute", "7 seconds", "GMT", "1970-01-01T00:00:57Z", "1970-01-01T00:01:03Z"],
    [
      "a zone changes nothing",
      "10 seconds",
      "Asia/Kolkata",
      "2026-01-01T00:00:10Z",
      "2026-01-01T00:00:20Z",
    ],
  ]);
});

describe("rate", () => {
  const anchor = "2026-05-08T10:30:00.25Z";
  table([
    [
      "from, local",
      "every 90 minutes from 2026-05-08T10:30",
      "Europe/London",
      "2026-05-08T09:30Z",
      "2026-05-08T11:00Z",
    ],
    [
      "the start is the first slot",
      "every 2 days from 2026-05-08T10:30Z",
      "GMT",
      "2026-01-01T00:00Z",
      "2026-05-08T10:30Z",
    ],
    [
      "a day is 24 hours",
      "every 1 day from 2026-03-07T09:00",
      "America/New_York",
      "2026-03-07T14:00Z",
      "2026-03-08T14:00Z",
    ],
    [
      "no drift after years",
      "every 90 minutes from 2026-05-08T10:30Z",
      "GMT",
      "2036-05-08T10:31Z",
      "2036-05-08T12:00Z",
    ],
    [
      "with an offset",
      "every 3 hours from 2026-05-08T10:30+02:00",
      "GMT",
      "2026-05-08T08:30Z",
      "2026-05-08T11:30Z",
    ],
    [
      "the anchor, to the microsecond",
      "every 1 minute",
      "GMT",
      anchor,
      "2026-05-08T10:31:00.250000Z",
      { anchor },
    ],
    [
      "the anchor is a slot",
      "every 1 hour",
      "GMT",
      "2026-05-08T10:00Z",
      "2026-05-08T10:30:00.250000Z",
      { anchor },
    ],
    [
      "from wins over the anchor",
      "every 1 hour from 2026-05-08T10:15Z",
      "GMT",
      "2026-05-08T10:20Z",
      "2026-05-08T11:15Z",
      { anchor },
    ],
    ["without either: the epoch", "every 7 hours", "GMT", "1970-01-01T07:00Z", "1970-01-01T14:00Z"],
    [
      "a start in a gap",
      "every 1 day from 2026-03-08T02:30",
      "America/New_York",
      "2026-03-01T00:00Z",
      "2026-03-08T07:30Z",
    ],
    [
      "100 years",
      "every 36525 days from 2026-01-01T00:00Z",
      "GMT",
      "2026-01-01T00:00Z",
      "2126-01-02T00:00Z",
    ],
  ]);
});

describe("once", () => {
  table([
    ["local", "at 2026-05-08T10:30", "America/New_York", "2026-01-01T00:00Z", "2026-05-08T14:30Z"],
    [
      "with Z",
      "at 2026-05-08T10:30:00Z",
      "America/New_York",
      "2026-01-01T00:00Z",
      "2026-05-08T10:30Z",
    ],
    [
      "with an offset",
      "at 2026-05-08T10:30:15-05:30",
      "GMT",
      "2026-01-01T00:00Z",
      "2026-05-08T16:00:15Z",
    ],
    [
      "with milliseconds",
      "at 2026-05-08T10:30:15.250Z",
      "GMT",
      "2026-01-01T00:00Z",
      "2026-05-08T10:30:15.250000Z",
    ],
    ["over", "at 2026-05-08T10:30Z", "GMT", "2026-05-08T10:30Z", null],
    [
      "in a gap",
      "at 2026-03-08T02:30",
      "America/New_York",
      "2026-01-01T00:00Z",
      "2026-03-08T07:30Z",
    ],
    [
      "in a fold",
      "at 2026-11-01T01:30",
      "America/New_York",
      "2026-01-01T00:00Z",
      "2026-11-01T05:30Z",
    ],
    [
      "in Apia's lost day",
      "at 2011-12-30T09:00",
      "Pacific/Apia",
      "2011-01-01T00:00Z",
      "2011-12-30T19:00Z",
    ],
    [
      "the overrides do not apply",
      "at 2026-03-08T02:30",
      "America/New_York",
      "2026-01-01T00:00Z",
      "2026-03-08T07:30Z",
      { gap: "skip" },
    ],
  ]);
});

describe("bounds", () => {
  const startsAt = "2026-02-01T09:00Z";
  const endsAt = "2026-02-03T09:00Z";
  table([
    [
      "a slot at startsAt fires",
      "0 9 * * *",
      "GMT",
      "2026-01-01T00:00Z",
      "2026-02-01T09:00Z",
      { startsAt },
    ],
    [
      "later than startsAt",
      "0 9 * * *",
      "GMT",
      "2026-02-01T09:00Z",
      "2026-02-02T09:00Z",
      { startsAt },
    ],
    [
      "a slot at endsAt fires",
      "0 9 * * *",
      "GMT",
      "2026-02-02T09:00Z",
      "2026-02-03T09:00Z",
      { endsAt },
    ],
    ["none after endsAt", "0 9 * * *", "GMT", "2026-02-03T09:00Z", null, { endsAt }],
    [
      "a once before startsAt never fires",
      "at 2026-01-15T00:00Z",
      "GMT",
      "2026-01-01T00:00Z",
      null,
      { startsAt },
    ],
    [
      "a rate keeps its phase",
      "every 2 days from 2026-01-02T09:00Z",
      "GMT",
      "2026-01-01T00:00Z",
      "2026-02-01T09:00Z",
      { startsAt },
    ],
    [
      "seconds too",
      "7 seconds",
      "GMT",
      "1970-01-01T00:00:00Z",
      "1970-01-01T00:00:14Z",
      { startsAt: "1970-01-01T00:00:08Z" },
    ],
  ]);
});

test("the session's own time zone changes nothing", async () => {
  const answers = new Set<string>();
  for (const zone of ["UTC", "America/New_York", "Pacific/Apia"]) {
    await db.sql.begin(async (tx) => {
      await tx.unsafe(`set local timezone to '${zone}'; set local datestyle to 'German'`);
      const rows = await tx<{ found: string }[]>`
        select extract(epoch from carillon.next_fire(s, z, '2026-03-08T05:00Z'))::text
          || carillon.describe_schedule(s, z)
          || carillon.compile_schedule(s, z, '1.6', '2026-03-08T05:00Z')
          || (select p.local_time || p.utc_offset || coalesce(p.note, '')
              from carillon.preview_schedule(s, z, '2026-03-08T05:00Z', 1) p) as found
        from (values
          ('30 2 * * *', 'America/New_York'),
          ('every 1 day from 2026-03-08T02:30', 'America/New_York'),
          ('at 2026-03-08T02:30', 'America/New_York')
        ) v (s, z)`;
      answers.add(rows.map(({ found }) => found).join("\n"));
    });
  }
  expect(answers.size).toBe(1);
});

test("an old name of a zone is the zone, even on a server that has no such name", async () => {
  for (const [old, present] of [
    ["US/Eastern", "America/New_York"],
    ["us/pacific", "America/Los_Angeles"],
    ["Asia/Calcutta", "Asia/Kolkata"],
    ["GB", "Europe/London"],
    ["Europe/Kiev", "Europe/Kyiv"],
    ["Zulu", "GMT"],
  ]) {
    const at = (zone: string | undefined) =>
      nextFire(db.sql, "0 9 * * *", zone ?? null, "2026-07-01T00:00Z");
    expect(await at(old)).toBe(await at(present));
  }
});
