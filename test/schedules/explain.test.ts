import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import { one, refusal } from "../sql/support.js";

let db: TestDatabase;
let sql: TestSql;
beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
});
afterAll(() => db.drop());

interface Explanation {
  form: string;
  fields: { name: string; text: string; start: number; end: number; meaning: string }[];
  notes: { code: string; severity: string; text: string; fix?: string }[];
  perYear: { from: string; counts: number[] };
  drivenBy: { driver: string; expression: string | null; why: string | null };
}

const FROM = "2026-11-21T16:00:00Z";

const explain = async (schedule: string, timezone = "GMT", args = "") =>
  (
    await one(
      sql.unsafe<{ e: Explanation }[]>(
        `select carillon.explain_schedule(schedule => $1, timezone => $2, "from" => '${FROM}'${args}) as e`,
        [schedule, timezone],
      ),
    )
  ).e;

const codes = async (schedule: string, timezone = "GMT") =>
  (await explain(schedule, timezone)).notes.map(({ code }) => code);

describe("fields", () => {
  test("say where they are, what they take, and what they mean", async () => {
    const schedule = "  0,30 9-17\t* 1-3  1-5";
    const { form, fields } = await explain(schedule);
    expect(form).toBe("cron");
    for (const { text, start, end } of fields) expect(schedule.slice(start, end)).toBe(text);
    expect(fields.map(({ name, meaning }) => [name, meaning])).toEqual([
      ["minute", "minutes 0 and 30"],
      ["hour", "hours 9 to 17"],
      ["day-of-month", "any day"],
      ["month", "January to March"],
      ["day-of-week", "Monday to Friday"],
    ]);
    const others = (await explain("5 * $ * 7")).fields.map(({ meaning }) => meaning);
    expect(others).toEqual([
      ...["minute 5", "every hour", "the last day of the month", "any month", "Sunday"],
    ]);
  });

  test.each([
    ["10 seconds", "seconds"],
    ["every 2 days", "rate"],
    ["at 2027-01-01T00:00", "once"],
  ])("are those of the form of five fields only: %s", async (schedule, form) => {
    expect(await explain(schedule)).toMatchObject({ form, fields: [] });
  });
});

describe("the year", () => {
  test.each([
    ["0 9 * * 1-5", "America/New_York"],
    ["*/15 8-10 * * *", "GMT"],
    ["0 0 13 * 5", "Europe/Berlin"],
    ["30 12 $ * *", "Asia/Tokyo"],
    ["0 12 */2 * 1", "GMT"],
    ["0 6 29 2 *", "GMT"],
    ["every 7 hours", "GMT"],
    ["every 2 days from 2026-12-01T10:30", "Europe/Berlin"],
    ["at 2027-03-28T02:30", "Europe/Berlin"],
  ])("has as many slots each day as there are: %s %s", async (schedule, timezone) => {
    const { perYear } = await explain(schedule, timezone);
    expect(perYear.counts).toHaveLength(365);
    const rows = await sql<{ day: string; n: number }[]>`
      with recursive slots as (
        select carillon.next_fire(${schedule}, ${timezone},
          (${perYear.from}::text::date::timestamp at time zone ${timezone}) - interval '1 microsecond', ${FROM}::text::timestamptz) as slot
        union all
        select carillon.next_fire(${schedule}, ${timezone}, s.slot, ${FROM}::text::timestamptz) from slots s
        where s.slot < (${perYear.from}::text::date + 365)::timestamp at time zone ${timezone}
      )
      select ((s.slot at time zone ${timezone})::date - ${perYear.from}::text::date)::text as day, count(*) as n
      from slots s
      where s.slot < (${perYear.from}::text::date + 365)::timestamp at time zone ${timezone}
      group by 1`;
    const wanted = Array.from({ length: 365 }, () => 0);
    for (const { day, n } of rows) wanted[Number(day)] = n;
    expect(perYear.counts).toEqual(wanted);
  });

  test("begins today in the zone, and ends where the schedule does", async () => {
    const { perYear } = await explain(
      "0 9 * * *",
      "Pacific/Kiritimati",
      ", ends_at => '2026-11-30T00:00:00Z'",
    );
    expect(perYear.from).toBe("2026-11-22");
    expect(perYear.counts.reduce((a, b) => a + b)).toBe(9);
    expect((await explain("20 seconds")).perYear.counts.every((n) => n === 4320)).toBe(true);
  });
});

describe("notes", () => {
  test.each([
    ["*/7 * * * *", "60 is not a multiple of 7: after minute 56 comes minute 0, 4 minutes later."],
    ["0 */5 * * *", "24 is not a multiple of 5: after hour 20 comes hour 0, 4 hours later."],
    ["7 seconds", "60 is not a multiple of 7: every minute has other seconds."],
    ["0 0 13 * 5", "Day and weekday are both set, so either one is enough: 63 days in a year."],
    [
      "0 0 */2 * 1",
      "A field of the two days begins with *, so both have to be right: 27 days in a year.",
    ],
    ["0 0 31 * *", "Not in every month: on 7 days in a year. $ is the last day of every month."],
    ["0 0 29 2 *", "Only in leap years: next on 2028-02-29."],
    ["at 2020-01-01T00:00", "That time is over: it never fires."],
  ])("of %s", async (schedule, text) => {
    const { notes } = await explain(schedule);
    expect(notes.map((note) => note.text)).toEqual([text]);
  });

  test("may know what is meant", async () => {
    expect((await explain("15 6 31 * *")).notes[0]?.fix).toBe("15 6 $ * *");
  });

  test("say what the next two changes of the clocks do", async () => {
    const { notes } = await explain("30 2 * * *", "Europe/Berlin");
    expect(notes.map(({ code, text }) => [code, text])).toEqual([
      ["clock_change", "02:30 does not exist on 2027-03-28; moved to 03:30."],
      ["clock_change", "02:30 comes twice on 2027-10-31; fires the first time only."],
    ]);
    expect(await codes("every 2 days", "Europe/Berlin")).toEqual(["elapsed_days"]);
  });

  test.each(["0 9 * * 1-5", "*/5 * * * *", "10 seconds", "every 90 minutes", "0 0 $ * *"])(
    "are none of %s",
    async (schedule) => {
      expect(await codes(schedule, "America/New_York")).toEqual([]);
    },
  );
});

test("what is no schedule is refused as everywhere", async () => {
  expect((await refusal(explain("0 25 * * *"))).code).toBe("TK002");
  expect((await refusal(explain("0 9 * * *", "Nowhere/City"))).code).toBe("TK003");
});

interface Zone {
  name: string;
  aliases: string[];
  offset: string;
  offsetSeconds: number;
  nextChange: { at: string; offset: string } | null;
}

test("the time zones are those that are taken, with their next changes", async () => {
  await setClock(sql, FROM);
  const { zones } = await one(sql<{ zones: Zone[] }[]>`select carillon.list_timezones() as zones`);
  const of = (name: string) => zones.find((zone) => zone.name === name);
  expect(zones.slice(0, 2).map(({ name }) => name)).toEqual(["GMT", "UTC"]);
  expect(zones.length).toBeGreaterThan(300);
  expect(of("Europe/Berlin")).toEqual({
    ...{ name: "Europe/Berlin", aliases: [], offset: "+01:00", offsetSeconds: 3600 },
    nextChange: { at: "2027-03-28T01:00:00.000000Z", offset: "+02:00" },
  });
  expect(of("Asia/Tokyo")).toMatchObject({ offset: "+09:00", nextChange: null });
  expect(of("Australia/Lord_Howe")).toMatchObject({ offset: "+11:00" });
  expect(of("Asia/Kolkata")?.aliases.map((name) => name.toLowerCase())).toEqual(["asia/calcutta"]);
  expect(of("Asia/Calcutta")).toBeUndefined();
  const refused = await sql`
    select z ->> 'name' as name from jsonb_array_elements(${sql.json(zones as never)}) z
    where carillon._zone_name(z ->> 'name') is distinct from z ->> 'name'`;
  expect([...refused]).toEqual([]);
  const aliases = zones.flatMap((zone) => zone.aliases);
  for (const alias of aliases) await sql`select carillon._zone_name(${alias})`;
  expect(aliases.length).toBeGreaterThan(50);
});

describe("what would drive it", () => {
  const drivenBy = async (schedule: string, timezone?: string) =>
    (await explain(schedule, timezone)).drivenBy;
  const version = (is: string | null) =>
    sql.unsafe(`
      create or replace function carillon._pg_cron_version() returns text language sql stable
      return ${is === null ? "null" : `'${is}'`}::text`);

  test("is pg_cron by the narrowest expression, where it drives and can", async () => {
    await version("1.6");
    expect(await drivenBy("0 9 * * *", "America/New_York")).toEqual({
      ...{ driver: "pg_cron", expression: "0 13,14 * * *", why: null },
    });
    expect(await drivenBy("10 seconds")).toMatchObject({ expression: "1 seconds" });
    await setClock(sql, "2026-11-21T16:20:00Z");
    expect(await drivenBy("every 1 hour")).toMatchObject({ expression: "20 * * * *" });
  });

  test("is the ticker where pg_cron does not drive, or cannot", async () => {
    await version("1.4");
    expect(await drivenBy("10 seconds")).toEqual({
      ...{ driver: "ticker", expression: null, why: "pg_cron 1.4 cannot wake this schedule" },
    });
    expect(await drivenBy("0 9 * * *")).toMatchObject({ driver: "pg_cron" });
    await version(null);
    expect(await drivenBy("0 9 * * *")).toEqual({
      ...{ driver: "ticker", expression: null, why: "pg_cron does not drive this database" },
    });
  });
});
