import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { setClock } from "../helpers/clock.js";
import type { TestDatabase, TestSql } from "../helpers/database.js";
import { declare, fail, minute, newDatabase } from "./decisions.js";
import { claim, complete, createUser, one, refusal } from "./support.js";

interface Upcoming {
  from: string;
  to: string;
  bucket: string;
  timezone: string;
  count: number;
  capped: boolean;
  until: string;
  buckets: { at: string; count: number; crons: { name: string; count: number }[] }[];
  next: { name: string; at: string }[];
}

const upcoming = async (sql: TestSql, args = "") =>
  (await one(sql.unsafe<{ u: Upcoming }[]>(`select carillon.list_upcoming(${args}) as u`))).u;

/** When a slot of a cron comes, by the preview, from one time on and before another. */
const slotsOf = async (sql: TestSql, name: string, from: string, to: string) =>
  (
    await sql<{ slot: Date }[]>`
      select p.slot from carillon.crons c
      cross join lateral carillon.preview_schedule(c.schedule, c.timezone, ${from}::text::timestamptz - interval '1 microsecond',
        1000, c.anchor_at, c.starts_at, c.ends_at, c.dst_gap, c.dst_fold) p
      where c.name = ${name} and p.slot < ${to}::text::timestamptz`
  ).map(({ slot }) => slot);

const hour = (time: string | Date) => `${new Date(time).toISOString().slice(0, 13)}:00:00.000Z`;

describe("what is to come", () => {
  let db: TestDatabase;
  let sql: TestSql;
  beforeAll(async () => {
    db = await newDatabase();
    sql = db.sql;
    await sql`select carillon.install_app(app => 'ops')`;
  });
  afterAll(() => db.drop());

  test("is nothing where there are no crons", async () => {
    expect(await upcoming(sql)).toEqual({
      from: "2026-03-02T10:00:30.000000Z",
      to: "2026-03-02T11:00:30.000000Z",
      ...{ bucket: "1m", timezone: "GMT", count: 0, capped: false },
      until: "2026-03-02T11:00:30.000000Z",
      ...{ buckets: [], next: [] },
    });
  });

  test("is what the schedules say, bucket by bucket", async () => {
    const names = ["minutely", "also-minutely", "berlin", "often", "rate", "once", "ends", "off"];
    await declare(sql, "minutely");
    await declare(sql, "also-minutely");
    await declare(sql, "berlin", { schedule: "*/7 12-14 * * *", timezone: "Europe/Berlin" });
    await declare(sql, "often", { schedule: "7 seconds", endsAt: "2026-03-02T15:30:00Z" });
    await declare(sql, "rate", { schedule: "every 90 minutes from 2026-03-02T08:10:00Z" });
    await declare(sql, "once", { schedule: "at 2026-03-02T12:00" });
    await declare(sql, "ends", { schedule: "30 * * * *", endsAt: "2026-03-02T13:30:00Z" });
    await declare(sql, "off", { enabled: false });
    const [from, to] = ["2026-03-02T10:00:30Z", "2026-03-02T16:20:00Z"];
    const found = await upcoming(sql, `to_at => '${to}', bucket => '1h'`);
    const wanted = new Map<string, Map<string, number>>();
    for (const name of names.slice(0, -1)) {
      let slots = await slotsOf(sql, name, from, to);
      // A preview lists 1000 at most.
      if (name === "often") {
        const [first, last] = [Date.parse(from) / 7000, Date.parse("2026-03-02T15:30:00Z") / 7000];
        slots = Array.from(
          { length: Math.floor(last) - Math.ceil(first) + 1 },
          (_, n) => new Date((Math.ceil(first) + n) * 7000),
        );
      }
      expect(slots.length, name).toBeGreaterThan(0);
      for (const slot of slots) {
        const bucket = wanted.get(hour(slot)) ?? new Map<string, number>();
        bucket.set(name, (bucket.get(name) ?? 0) + 1);
        wanted.set(hour(slot), bucket);
      }
    }
    const shown = found.buckets.map(({ at, count, crons }) => {
      expect(count).toBe(crons.reduce((sum, cron) => sum + cron.count, 0));
      expect(crons.map((cron) => cron.count)).toEqual(
        crons.map((cron) => cron.count).toSorted((a, b) => b - a),
      );
      return [hour(at), Object.fromEntries(crons.map((cron) => [cron.name, cron.count]))];
    });
    expect(Object.fromEntries(shown)).toEqual(
      Object.fromEntries([...wanted].map(([at, crons]) => [at, Object.fromEntries(crons)])),
    );
    expect(found).toMatchObject({ capped: false, until: "2026-03-02T16:20:00.000000Z" });
    expect(found.count).toBe(found.buckets.reduce((sum, { count }) => sum + count, 0));
    expect(found.next.map(({ name }) => name)).toEqual([
      ...["often", "also-minutely", "minutely", "ends", "berlin", "rate", "once"],
    ]);
  });

  test("follows the wall clock of a zone, and may begin later than now", async () => {
    const days = await upcoming(
      sql,
      "from_at => '2026-03-28T00:00:00Z', to_at => '2026-03-31T00:00:00Z', bucket => '1d', timezone => 'Europe/Berlin'",
    );
    expect(days.buckets.map(({ at }) => at.slice(0, 16))).toEqual([
      ...["2026-03-27T23:00", "2026-03-28T23:00", "2026-03-29T22:00", "2026-03-30T22:00"],
    ]);
    // The day the clocks jump has 23 hours.
    expect(days.buckets[1]?.crons.find(({ name }) => name === "minutely")?.count).toBe(1380);
    expect((await upcoming(sql, "from_at => '2020-01-01T00:00:00Z'")).from).toBe(
      "2026-03-02T10:00:30.000000Z",
    );
  });

  test("names eight crons of a bucket at most, and counts all", async () => {
    for (let n = 0; n < 12; n += 1) {
      await sql`
        select carillon.create_cron(app => 'ops', name => ${`at-ten-${String(n).padStart(2, "0")}`}, schedule => '0 10 3 3 *')`;
    }
    const found = await upcoming(
      sql,
      "from_at => '2026-03-03T10:00:00Z', to_at => '2026-03-03T10:01:00Z', app => 'ops'",
    );
    expect(found.buckets).toHaveLength(1);
    expect(found.buckets[0]).toMatchObject({ count: 12, at: "2026-03-03T10:00:00.000000Z" });
    expect(found.buckets[0]?.crons.map(({ name }) => name)).toEqual(
      Array.from({ length: 8 }, (_, n) => `at-ten-0${n}`),
    );
  });

  test("says up to where it is complete when there is too much", async () => {
    const found = await upcoming(sql, "to_at => carillon.now() + interval '7 days', app => 'crm'");
    expect(found.capped).toBe(true);
    expect(found.until < found.to).toBe(true);
    const whole = found.buckets.find(({ at }) => at.startsWith("2026-03-04T00:00"));
    expect(whole?.crons.find(({ name }) => name === "minutely")?.count).toBe(60);
    expect(found.buckets.every(({ at }) => at <= found.until)).toBe(true);
  });

  test("is that of crons which the actor may read", async () => {
    const reader = await createUser(sql, "reader", ["app:ops:cron.read"]);
    const found = await upcoming(
      sql,
      `to_at => carillon.now() + interval '3 days', actor => '${reader}'`,
    );
    expect(found.count).toBe(12);
    expect((await upcoming(sql, `actor => '${reader}', app => 'crm'`)).count).toBe(0);
  });

  test.each([
    ["to_at => carillon.now()", "to"],
    ["to_at => carillon.now() + interval '8 days'", "to"],
    ["to_at => carillon.now() + interval '2 days', bucket => '1m'", "bucket"],
    ["bucket => '2h'", "bucket"],
    ["timezone => 'Nowhere/City'", "timezone"],
  ])("refuses %s, naming %s", async (args, field) => {
    expect((await refusal(upcoming(sql, args))).field).toBe(field);
  });
});

interface Calendar {
  timezone: string;
  from: string;
  to: string;
  days: {
    date: string;
    from: string;
    to: string;
    slots: Record<string, number | null> | null;
    jobs: Record<string, number> | null;
  }[];
}

const calendar = async (sql: TestSql, cron: string, args = "") =>
  (
    await one(
      sql.unsafe<{ c: Calendar }[]>(`select carillon.get_calendar(cron => '${cron}'${args}) as c`),
    )
  ).c;

describe("the calendar of a cron", () => {
  test("has what was on each day of its zone, before and after the roll-up", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await setClock(sql, "2026-03-02T22:58:30Z");
    const cron = await declare(sql, "c", { timezone: "Europe/Berlin" });
    expect((await calendar(sql, cron.id)).days).toEqual([]);
    await minute(sql); // 23:59 in Berlin
    await complete(sql, await claim(sql, "crm"));
    await minute(sql); // 00:00 of the next day
    await fail(sql, await claim(sql, "crm"));
    await minute(sql); // 00:01
    await minute(sql); // 00:02, skipped
    const found = await calendar(sql, cron.id);
    const none = { skipped: 0, replaced: 0, caughtUp: 0, missed: 0, denied: 0, failed: 0 };
    expect(found.days).toEqual([
      {
        date: "2026-03-02",
        from: "2026-03-01T23:00:00.000000Z",
        to: "2026-03-02T23:00:00.000000Z",
        slots: { ...none, enqueued: 1 },
        jobs: { completed: 1, failed: 0, canceled: 0 },
      },
      {
        date: "2026-03-03",
        from: "2026-03-02T23:00:00.000000Z",
        to: "2026-03-03T23:00:00.000000Z",
        slots: { ...none, enqueued: 2, skipped: 1 },
        jobs: { completed: 0, failed: 1, canceled: 0 },
      },
    ]);
    expect(found).toMatchObject({
      timezone: "Europe/Berlin",
      from: "2025-03-02T23:00:00.000000Z",
      to: "2026-03-03T23:00:00.000000Z",
    });
    await setClock(sql, "2026-03-02T23:02:50Z");
    await sql`select carillon._roll_up()`;
    expect(await calendar(sql, cron.id)).toEqual(found);
  });

  test("counts every outcome, on days of 23 and 25 hours, too", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await setClock(sql, "2026-11-05T12:00:00Z");
    const cron = await declare(sql, "c", { timezone: "America/New_York" });
    // Every hour, decided in one of seven ways.
    await sql`
      insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, msg_id, driver, decided_at)
      select ${cron.id}, s, 'crm', o.outcome, case when o.outcome in ('enqueued', 'replaced', 'caught_up') then n end, 'api', s
      from generate_series('2026-03-01 00:00:00+00'::timestamptz, '2026-11-03', '1 hour') with ordinality as x (s, n)
      cross join lateral (select (array['skipped', 'replaced', 'caught_up', 'missed', 'denied', 'failed'])[(n / 5 % 10 + 1)::integer]) as y (o)
      cross join lateral (select coalesce(y.o, 'enqueued') as outcome) o`;
    const { days } = await calendar(
      sql,
      cron.id,
      ", from_at => '2026-03-02', to_at => '2026-11-02T05:00:00Z'",
    );
    const rows = await sql<{ date: string; outcome: string; n: number }[]>`
      select to_char(t.scheduled_for at time zone 'America/New_York', 'YYYY-MM-DD') as date, t.outcome, count(*) as n
      from carillon.ticks t
      where t.scheduled_for >= '2026-03-01 05:00:00+00' and t.scheduled_for < '2026-11-02 05:00:00+00'
      group by 1, 2`;
    const wanted = new Map<string, Record<string, number>>();
    for (const { date, outcome, n } of rows) {
      wanted.set(date, {
        ...wanted.get(date),
        [outcome === "caught_up" ? "caughtUp" : outcome]: n,
      });
    }
    expect(days).toHaveLength(wanted.size);
    for (const day of days) {
      const found = Object.entries(day.slots ?? {}).filter(([, n]) => n !== 0 && n !== null);
      const all = wanted.get(day.date) ?? {};
      if (day.slots?.enqueued === null) delete all.enqueued;
      expect(Object.fromEntries(found), day.date).toEqual(all);
    }
    const counted = days.filter(({ slots }) => slots?.enqueued != null).map(({ date }) => date);
    expect([counted[0], counted.length]).toEqual(["2026-10-02", 31]);
    const hours = (date: string) =>
      Object.values(days.find((day) => day.date === date)?.slots ?? {}).reduce<number>(
        (a, b) => a + (b ?? 0),
        0,
      );
    expect(hours("2026-11-01")).toBe(25);
  });

  test("refuses windows without end, and crons that are not there", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c");
    const tooLong = calendar(sql, id, ", from_at => carillon.now() - interval '500 days'");
    expect((await refusal(tooLong)).field).toBe("to");
    expect((await refusal(calendar(sql, id, ", from_at => '1900-01-01'"))).field).toBe("from");
    const gone = calendar(sql, "00000000-0000-0000-0000-000000000001");
    expect((await refusal(gone)).code).toBe("TK102");
  });
});
