import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { connect, type TestSql } from "../helpers/database.js";
import { declare, newDatabase } from "./decisions.js";
import { getCron, one, refusal } from "./support.js";

const NEW_YORK = "America/New_York";

/** What the rules of a zone are to this server, from 1 March 2026. */
const rules = async (sql: TestSql, zone: string) =>
  (
    await one(sql<{ rules: string | null }[]>`
      select carillon._zone_rules(${zone}, '2026-03-01T00:00:00Z') as rules`)
  ).rules;

const known = async (sql: TestSql) =>
  (
    await one(sql<{ value: { at: string; from: string; rules: Record<string, string> } }[]>`
      select value from carillon.settings where key = 'zones'`)
  ).value;

/** Makes the rules that were seen before others than they are now: a new tzdata was installed. */
const plant = (sql: TestSql, zone: string, seen: string) => sql`
  update carillon.settings set value = jsonb_set(value, ${["rules", zone]}, to_jsonb(${seen}::text))
  where key = 'zones'`;

/** A daily cron in New York, whose zone the sweep has seen, armed by rules that hold no more. */
async function misplaced() {
  const db = await newDatabase();
  const { sql } = db;
  const { id } = await declare(sql, "ny", { schedule: "0 9 * * *", timezone: NEW_YORK });
  const other = await declare(sql, "ldn", { schedule: "0 9 * * *", timezone: "Europe/London" });
  await sql`select carillon.sweep()`;
  await sql`update carillon.crons set next_fire_at = '2026-03-03T13:00:00Z' where id = ${id}`;
  return { db, sql, id, other: other.id };
}
const RIGHT = new Date("2026-03-02T14:00:00Z");
const WRONG = new Date("2026-03-03T13:00:00Z");

test("a zone's rules are its offset and each change in two years, to the second", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const epoch = (instant: string) => Date.parse(instant) / 1000;
  expect(await rules(sql, NEW_YORK)).toBe(
    [
      "-18000",
      `-14400@${epoch("2026-03-08T07:00:00Z")}`,
      `-18000@${epoch("2026-11-01T06:00:00Z")}`,
      `-14400@${epoch("2027-03-14T07:00:00Z")}`,
      `-18000@${epoch("2027-11-07T06:00:00Z")}`,
    ].join(" "),
  );
  expect(await rules(sql, "Asia/Kolkata")).toBe("19800");
  expect(await rules(sql, "Mars/Olympus")).toBeNull();
});

describe("the sweep, after a new tzdata", () => {
  test("arms the crons of zones that have changed anew, and leaves the others", async () => {
    const { db, sql, id, other } = await misplaced();
    await using _ = db;
    await plant(sql, NEW_YORK, "-14400");
    await sql`select carillon.sweep()`;
    expect((await getCron(sql, id)).next_fire_at).toEqual(WRONG); // it looks once an hour
    const before = (await getCron(sql, other)).next_fire_at;
    await advanceClock(sql, "61 minutes");
    await sql`select carillon.sweep()`;
    expect((await getCron(sql, id)).next_fire_at).toEqual(RIGHT);
    expect((await getCron(sql, other)).next_fire_at).toEqual(before);
    expect((await known(sql)).rules[NEW_YORK]).toBe(await rules(sql, NEW_YORK));
  });

  test("sees a change of but an hour, or of but a week", async () => {
    const { db, sql, id } = await misplaced();
    await using _ = db;
    const now = (await rules(sql, NEW_YORK))!;
    for (const seconds of [3600, 7 * 86_400]) {
      const moved = now.replace(/(?<=-18000@)\d+/, (at) => String(Number(at) - seconds));
      expect(moved).not.toBe(now);
      await plant(sql, NEW_YORK, moved);
      await sql`update carillon.crons set next_fire_at = ${WRONG} where id = ${id}`;
      await advanceClock(sql, "61 minutes");
      await sql`select carillon.sweep()`;
      expect((await getCron(sql, id)).next_fire_at, String(seconds)).toEqual(RIGHT);
    }
  });

  test("sees it when a month has begun meanwhile, and no change where there was none", async () => {
    const { db, sql, id } = await misplaced();
    await using _ = db;
    await setClock(sql, "2026-04-01T00:00:30Z");
    await sql`update carillon.crons set next_fire_at = '2026-04-01T14:00:00Z' where id = ${id}`;
    const seen = await known(sql);
    expect((await one(sql`select carillon._follow_zones() as n`)).n).toBe(0);
    expect((await known(sql)).from).not.toBe(seen.from);
    await sql`update carillon.settings set value = ${sql.json(seen)} where key = 'zones'`;
    await plant(sql, NEW_YORK, "-14400");
    expect((await one(sql`select carillon._follow_zones() as n`)).n).toBe(1);
    expect((await getCron(sql, id)).next_fire_at).toEqual(new Date("2026-04-01T13:00:00Z"));
  });

  test("comes back for a cron that was being edited", async () => {
    const { db, sql, id } = await misplaced();
    await using _ = db;
    await plant(sql, NEW_YORK, "-14400");
    await advanceClock(sql, "61 minutes");
    const editor = connect(db.url, 1);
    await editor.begin(async (tx) => {
      await tx`select from carillon._lock_cron(null, ${id})`;
      await sql`select carillon.sweep()`;
    });
    await editor.end();
    expect((await getCron(sql, id)).next_fire_at).toEqual(WRONG);
    await sql`select carillon.sweep()`;
    expect((await getCron(sql, id)).next_fire_at).toEqual(RIGHT);
  });

  test("leaves a slot that has come due to those who decide it", async () => {
    const { db, sql, id } = await misplaced();
    await using _ = db;
    await plant(sql, NEW_YORK, "-14400");
    await sql`update carillon.crons set next_fire_at = '2026-03-02T10:30:00Z' where id = ${id}`;
    await advanceClock(sql, "61 minutes");
    await sql`select carillon._follow_zones()`;
    expect((await getCron(sql, id)).next_fire_at).toEqual(new Date("2026-03-02T10:30:00Z"));
  });
});

test("a zone that this server does not know keeps nobody from being swept", async () => {
  // What a dump from a server with newer zones brings along.
  const { db, sql, id } = await misplaced();
  await using _ = db;
  await plant(sql, NEW_YORK, "-14400");
  const lost = await declare(sql, "lost", { schedule: "0 9 * * *" });
  await sql`update carillon.crons set timezone = 'Mars/Olympus' where id = ${lost.id}`;
  await advanceClock(sql, "61 minutes");
  expect((await one(sql`select carillon.sweep() as result`)).result).toMatchObject({ swept: true });
  expect((await getCron(sql, id)).next_fire_at).toEqual(RIGHT);
  expect(Object.keys((await known(sql)).rules).sort()).toEqual([NEW_YORK, "Europe/London"]);
  expect(
    await refusal(sql`select carillon.check_schedule('* * * * *', 'Mars/Olympus')`),
  ).toMatchObject({ code: "TK003" });
});
