import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { Instant, SCHEDULE_PATTERN, TIMEZONE_PATTERN } from "../../src/schedules/schema.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";

/*
 * The edges know schedules by a pattern. It may take what the parser refuses, never the reverse:
 * an editor must not underline a schedule that would work.
 */

let db: TestDatabase;
beforeAll(async () => {
  db = await createTestDatabase();
  await db.sql`
    create function pg_temp_takes(schedule text, timezone text) returns boolean language plpgsql as
    $$ begin perform carillon.check_schedule(schedule, timezone); return true;
       exception when sqlstate 'TK002' or sqlstate 'TK003' then return false; end $$`;
});
afterAll(() => db.drop());

const parserTakes = async (schedules: string[]) => {
  const rows = await db.sql<{ taken: boolean }[]>`
    select pg_temp_takes(s.schedule, 'GMT') as taken
    from unnest(${schedules}::text[]) with ordinality as s (schedule, at) order by s.at`;
  return rows.map(({ taken }) => taken);
};
const edgeTakes = (schedule: string) => new RegExp(SCHEDULE_PATTERN).test(schedule);

const blank = fc.constantFrom(" ", "  ", "\t");
const number = (least: number, most: number) => fc.integer({ min: least, max: most }).map(String);
const field = (least: number, most: number) => {
  const one = number(least, most);
  const range = fc
    .tuple(fc.integer({ min: least, max: most }), fc.integer({ min: least, max: most }))
    .map(([a, b]) => `${Math.min(a, b)}-${Math.max(a, b)}`);
  const stepped = fc
    .tuple(fc.oneof(fc.constant("*"), range), fc.integer({ min: 1, max: most }))
    .map(([base, step]) => `${base}/${step}`);
  const list = fc.array(fc.oneof(one, range), { minLength: 1, maxLength: 4 });
  return fc.oneof(
    fc.constant("*"),
    one,
    range,
    stepped,
    list.map((parts) => parts.join(",")),
  );
};
const time = fc
  .tuple(
    fc.date({ min: new Date("1971-01-01"), max: new Date("2100-01-01"), noInvalidDate: true }),
    fc.constantFrom("", "Z", "z", "+02:00", "-09:30"),
    fc.constantFrom(16, 19, 23),
  )
  .map(([date, zone, length]) => date.toISOString().slice(0, length) + zone);

const words = (...parts: fc.Arbitrary<string>[]) =>
  fc.tuple(blank, fc.tuple(...parts)).map(([gap, all]) => all.join(gap));
const schedule = fc.oneof(
  words(
    field(0, 59),
    field(0, 23),
    fc.oneof(field(1, 28), fc.constant("$")),
    field(1, 12),
    field(0, 7),
  ),
  words(number(1, 59), fc.constant("seconds")),
  words(
    fc.constant("every"),
    number(1, 1000),
    fc.constantFrom("minute", "minutes", "hour", "hours", "day", "days"),
  ),
  words(fc.constant("every"), number(1, 99), fc.constant("days"), fc.constant("from"), time),
  words(fc.constant("at"), time),
);

describe("SCHEDULE_PATTERN", () => {
  test("takes whatever the parser takes", async () => {
    const samples = fc.sample(schedule, 3000);
    const taken = await parserTakes(samples);
    const wrong = samples.filter((sample, at) => taken[at] === true && !edgeTakes(sample));
    expect(wrong).toEqual([]);
    expect(taken.filter(Boolean).length).toBeGreaterThan(2500);
  });

  test("takes whatever the parser takes of schedules with one character changed", async () => {
    const mutated = fc
      .tuple(schedule, fc.nat(), fc.constantFrom(..."0159*/,-$ @MTZz:+.e\t\n;'"))
      .map(([text, at, char]) => {
        const place = at % (text.length + 1);
        return text.slice(0, place) + char + text.slice(place + (at % 2));
      });
    const samples = fc.sample(mutated, 3000);
    const taken = await parserTakes(samples);
    const wrong = samples.filter((sample, at) => taken[at] === true && !edgeTakes(sample));
    expect(wrong).toEqual([]);
    expect(taken.filter((one) => !one).length).toBeGreaterThan(300);
  });

  test.each(["@daily", "0 9 * * MON", "0 9 * *", "0 0 9 * * *", "1.5 seconds", "noon", "", "a;b"])(
    "does not take %j",
    (text) => {
      expect(edgeTakes(text)).toBe(false);
    },
  );
});

test("TIMEZONE_PATTERN takes every zone the parser takes", async () => {
  const names = [
    ...Intl.supportedValuesOf("timeZone"),
    "GMT",
    "UTC",
    "Etc/GMT+12",
    "W-SU",
    "NZ-CHAT",
  ];
  const rows = await db.sql<{ name: string }[]>`
    select name from unnest(${names}::text[]) as name where pg_temp_takes('0 9 * * *', name)`;
  expect(rows.length).toBeGreaterThan(400);
  const refused = rows.filter(({ name }) => !new RegExp(TIMEZONE_PATTERN).test(name));
  expect(refused).toEqual([]);
});

describe("Instant", () => {
  test("takes what the database takes, and only that", async () => {
    const cases = [
      "2026-05-08T10:30:00Z",
      "2026-05-08t10:30:00z",
      "2026-05-08T10:30Z",
      "2026-05-08T10:30:00.123456+02:00",
      "2024-02-29T00:00:00Z",
      "2026-02-29T00:00:00Z",
      "2026-02-30T00:00:00Z",
      "2100-02-29T00:00:00Z",
      "2000-02-29T00:00:00Z",
      "2026-04-31T00:00:00Z",
      "2026-13-01T00:00:00Z",
      "2026-00-01T00:00:00Z",
      "2026-01-00T00:00:00Z",
      "2026-05-08T25:00:00Z",
      "2026-05-08T10:60:00Z",
      "0000-01-01T00:00:00Z",
      "2026-05-08",
      "2026-05-08T10:30:00",
      "2026-05-08 10:30:00Z",
      "2026-05-08T10:30:00.1234567Z",
      "2026-05-08T10:30:00+0200",
      "infinity",
      "now",
      "",
    ];
    for (const text of cases) {
      const taken =
        await db.sql`select carillon._json_timestamp(to_jsonb(${text}::text), 'f')`.then(
          () => true,
          () => false,
        );
      expect(Instant.safeParse(text).success, text).toBe(taken);
    }
  });
});
