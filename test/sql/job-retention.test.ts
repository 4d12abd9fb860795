import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import type { TestSql } from "../helpers/database.js";
import { declare, newDatabase } from "./decisions.js";
import { one, refusal } from "./support.js";

/**
 * Ten days of history, each with ten jobs of two crons and of none: every third one failed.
 * The job numbered 100 * day + n is the nth of its day; the clock stands at the end of the tenth.
 */
async function tenDays() {
  const db = await newDatabase();
  const { sql } = db;
  await sql`select carillon.install_app(app => 'shop')`;
  const [a, b] = [
    await declare(sql, "a", { enabled: false }),
    await declare(sql, "b", { enabled: false }),
  ];
  for (let day = 1; day <= 10; day += 1) {
    await sql`select carillon.sweep()`;
    await sql`
      insert into carillon.job_history (job_id, app_id, cron_id, trigger, status, headers, error, attempt, enqueued_at, started_at, finished_at)
      select ${day}::integer * 100 + n, case when n = 9 then 'shop' else 'crm' end,
        case n % 3 when 0 then ${a.id}::uuid when 1 then ${b.id}::uuid end, 'api', case when n % 3 = 0 then 'failed' else 'completed' end,
        '{"tags": ["x"]}', case when n % 3 = 0 then '{"message": "no"}'::jsonb end, 1, carillon.now(), carillon.now(), carillon.now()
      from generate_series(0, 9) n`;
    if (day < 10) await advanceClock(sql, "1 day");
  }
  return { db, sql, a: a.id, b: b.id };
}

/** The jobs of the app still there, oldest first. */
const left = async (sql: TestSql, app = "crm") =>
  (
    await sql<
      { id: number }[]
    >`select job_id as id from carillon.jobs where app_id = ${app} order by 1`
  ).map(({ id }) => id);

const of = (days: number[], ns = [0, 1, 2, 3, 4, 5, 6, 7, 8]) =>
  days.flatMap((day) => ns.map((n) => day * 100 + n));
const from = (first: number, last = 10) =>
  Array.from({ length: last - first + 1 }, (_, at) => first + at);

const set = (sql: TestSql, args: string) =>
  sql.unsafe(`select carillon.set_job_retention(app => 'crm'${args}) as r`);

async function sweeps(sql: TestSql, times = 3) {
  for (let n = 0; n < times; n += 1) {
    await advanceClock(sql, "1 minute");
    await sql`select carillon.sweep()`;
  }
}

describe("the history of jobs", () => {
  test("of an app with fewer days than others goes earlier, and of a cron by its own days", async () => {
    const { db, sql, a } = await tenDays();
    await using _ = db;
    await set(sql, ", days => 5");
    await set(sql, `, cron => '${a}', days => 2`);
    await sweeps(sql);
    const others = [1, 2, 4, 5, 7, 8];
    expect(await left(sql)).toEqual(
      [...of(from(5, 7), others), ...of(from(8))].toSorted((x, y) => x - y),
    );
    expect(await left(sql, "shop")).toEqual(of(from(1), [9]));
    await set(sql, `, cron => '${a}'`);
    await set(sql, ", days => 1");
    await sweeps(sql);
    expect(await left(sql)).toEqual(of(from(9)));
  });

  test("outlives its day by number: the last ones of an app, the last failed ones of a cron", async () => {
    const { db, sql, a } = await tenDays();
    await using _ = db;
    await sql`select carillon.set_retention(job_days => 1)`;
    await set(sql, ", keep_last => 30");
    await set(sql, `, cron => '${a}', keep_failed => 20`);
    await sweeps(sql);
    // The last 30 of the app are those of days 8, 9, 10 and three of day 7; failed ones of cron a are 0, 3 and 6 of each day.
    const failed = of(from(1), [0, 3, 6]).slice(-20);
    const last = of(from(1)).slice(-30);
    expect(await left(sql)).toEqual([...new Set([...failed, ...last])].toSorted((x, y) => x - y));
    expect(await left(sql, "shop")).toEqual(of(from(9), [9]));
    const parts =
      await sql`select relname from pg_class where relname ~ '^job_history_2026030[2-9]$'`;
    expect(parts).toHaveLength(0);

    // They are listed as before, by tag too, and go when younger ones take their place.
    const [{ n } = { n: 0 }] = await sql<{ n: number }[]>`
      select count(*) as n from carillon.list_jobs(app => 'crm', filter => '{"tag": "x"}', max_rows => 1000)`;
    expect(n).toBe(new Set([...failed, ...last]).size);
    await advanceClock(sql, "1 day");
    await sql`
      insert into carillon.job_history (job_id, app_id, cron_id, trigger, status, headers, error, attempt, enqueued_at, started_at, finished_at)
      select 2000 + i, 'crm', ${a}, 'api', 'failed', '{}', '{"message": "no"}', 1, carillon.now(), carillon.now(), carillon.now()
      from generate_series(1, 12) i`;
    await advanceClock(sql, "1 day");
    await sweeps(sql);
    const now = await left(sql);
    expect(now.filter((id) => id > 2000)).toHaveLength(12);
    expect(now.filter((id) => id < 2000)).toEqual(
      [...new Set([...failed.slice(12), ...last.slice(12)])].toSorted((x, y) => x - y),
    );
  });

  test("is deleted in small steps, however much is past its days", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.sweep()`;
    await sql`
      insert into carillon.job_history (job_id, app_id, trigger, status, headers, attempt, enqueued_at, finished_at)
      select i, 'crm', 'api', 'completed', '{}', 1, carillon.now(), carillon.now() from generate_series(1, 12000) i`;
    await set(sql, ", days => 1");
    await setClock(sql, "2026-03-05T10:00:00Z");
    const counts: number[] = [];
    for (let n = 0; n < 3; n += 1) {
      await sweeps(sql, 1);
      counts.push((await left(sql)).length);
    }
    expect(counts).toEqual([7000, 2000, 0]);
  });

  test("can be kept longer for one app than for the others", async () => {
    const { db, sql } = await tenDays();
    await using _ = db;
    await sql`select carillon.set_retention(job_days => 1)`;
    await set(sql, ", days => 6");
    await sweeps(sql);
    expect(await left(sql)).toEqual(of(from(4)));
    // The partitions last as long as anybody's days; nobody else's jobs are kept by that.
    expect((await left(sql, "shop")).length).toBeLessThanOrEqual(7);
  });
});

describe("set_job_retention", () => {
  test("says what follows, and null takes a setting back", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c");
    const get = async (args = "") =>
      (
        await one(
          sql.unsafe<{ r: object }[]>(
            `select carillon.get_job_retention(app => 'crm'${args}) as r`,
          ),
        )
      ).r;
    expect(await get()).toEqual({
      days: null,
      keepLast: null,
      keepFailed: null,
      effectiveDays: 90,
    });
    expect(await set(sql, ", days => 7, keep_failed => 3")).toEqual([
      { r: { days: 7, keepLast: null, keepFailed: 3, effectiveDays: 7 } },
    ]);
    expect(await get(`, cron => '${id}'`)).toMatchObject({ days: null, effectiveDays: 7 });
    await set(sql, `, cron => '${id}', days => 200`);
    expect(await get(`, cron => '${id}'`)).toMatchObject({ days: 200, effectiveDays: 200 });
    await set(sql, "");
    await set(sql, `, cron => '${id}'`);
    expect(await sql`select from carillon.retentions`).toHaveLength(0);
    await sql`select carillon.set_retention(job_days => 30)`;
    expect(await get(`, cron => '${id}'`)).toMatchObject({ effectiveDays: 30 });
  });

  test.each([
    ["days", ", days => 0"],
    ["days", ", days => 3651"],
    ["keepLast", ", keep_last => 0"],
    ["keepFailed", ", keep_failed => 10001"],
  ])("refuses a wrong %s%s", async (field, args) => {
    await using db = await newDatabase();
    expect(await refusal(set(db.sql, args))).toMatchObject({ code: "TK001", field });
  });

  test("knows only the app's own crons", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'shop')`;
    const { id } = await declare(sql, "c");
    expect(
      await refusal(
        sql`select carillon.set_job_retention(app => 'shop', cron => ${id}, days => 3)`,
      ),
    ).toMatchObject({ code: "TK102" });
    expect(
      await refusal(sql`select carillon.set_job_retention(app => 'nowhere', days => 3)`),
    ).toMatchObject({ code: "TK101" });
  });
});
