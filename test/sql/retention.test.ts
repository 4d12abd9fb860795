import { describe, expect, test } from "vitest";

import { setClock } from "../helpers/clock.js";
import { connect, type TestSql } from "../helpers/database.js";
import { claim, complete, createCron, one, outcomesOf, refusal } from "./support.js";
import { minute, newDatabase } from "./decisions.js";

/** Makes the day partitions of three days, and takes one job through the first of them. */
async function aged() {
  const db = await newDatabase();
  const { sql } = db;
  await sql`select carillon.sweep()`;
  const { id } = await createCron(sql, "crm", "c");
  await minute(sql);
  const [job] = await claim(sql, "crm", 1);
  await complete(sql, [job!]);
  await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => false)`;
  return { db, sql, id };
}

/** The day partitions from March 2026, such as `ticks 0302`. */
async function days(sql: TestSql): Promise<string[]> {
  const rows = await sql<{ day: string }[]>`
    select replace(replace(c.relname, '_2026', ' '), 'job_history', 'jobs') as day from pg_class c
    where c.relkind = 'r' and c.relname ~ '^(ticks|job_history)_202603\\d\\d$' order by 1`;
  return rows.map(({ day }) => day);
}

const counts = (sql: TestSql) =>
  one(sql<{ ticks: number; jobs: number }[]>`
    select (select count(*) from carillon.ticks) as ticks, (select count(*) from carillon.job_history) as jobs`);

const TWO_DAYS = "2026-03-04T10:00:00Z";

describe("retention", () => {
  test("drops the days past it, and keeps the young ones", async () => {
    const { db, sql } = await aged();
    await using _ = db;
    expect(await days(sql)).toEqual([
      "jobs 0302",
      "jobs 0303",
      "jobs 0304",
      "ticks 0302",
      "ticks 0303",
      "ticks 0304",
    ]);
    await setClock(sql, "2026-05-31T23:59:59Z"); // 90 days
    await sql`select carillon.sweep()`;
    expect(await counts(sql)).toEqual({ ticks: 1, jobs: 1 });
    await setClock(sql, "2026-06-01T00:00:00Z");
    await sql`select carillon.sweep()`;
    expect(await counts(sql)).toEqual({ ticks: 0, jobs: 0 });
    expect(await days(sql)).toEqual(["jobs 0303", "jobs 0304", "ticks 0303", "ticks 0304"]);
  });

  test("is set for the ledger and the jobs apart, in days", async () => {
    const { db, sql } = await aged();
    await using _ = db;
    const set = (ticks: number | null, jobs: number | null) => sql`
      select carillon.set_retention(tick_days => ${ticks}, job_days => ${jobs}) as r`;
    expect(await set(1, null)).toEqual([{ r: { tickRetentionDays: 1 } }]);
    await setClock(sql, TWO_DAYS);
    await sql`select carillon.sweep()`;
    expect(await counts(sql)).toEqual({ ticks: 0, jobs: 1 });
    expect(await set(null, 1)).toEqual([{ r: { tickRetentionDays: 1, jobRetentionDays: 1 } }]);
    await sql`select carillon.sweep()`;
    expect(await counts(sql)).toEqual({ ticks: 0, jobs: 0 });
    for (const days of [0, -1, 3651]) {
      expect(await refusal(set(days, null))).toMatchObject({ field: "tickRetentionDays" });
      expect(await refusal(set(null, days))).toMatchObject({ field: "jobRetentionDays" });
    }
  });

  test("trims the default partitions, which hold what came on no prepared day", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    // Nobody has swept since the day of installation.
    const at = (day: string) => sql`
      with t as (
        insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, driver, decided_at)
        values (gen_random_uuid(), ${day}::timestamptz, 'crm', 'missed', 'api', ${day}::timestamptz)
      )
      insert into carillon.job_history (job_id, app_id, trigger, status, headers, attempt, enqueued_at, finished_at)
      values (1, 'crm', 'api', 'completed', '{}', 1, ${day}::timestamptz, ${day}::timestamptz)`;
    await at("2026-01-05T00:00:00Z");
    await at("2026-01-20T00:00:00Z");
    await sql`select carillon.set_retention(tick_days => 50, job_days => 50)`;
    await sql`select carillon.sweep()`;
    expect(await counts(sql)).toEqual({ ticks: 1, jobs: 1 });
    // A slot of long ago that was decided just now is young.
    await sql`
      insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, driver, decided_at)
      values (gen_random_uuid(), '2025-01-01', 'crm', 'missed', 'api', carillon.now())`;
    await sql`select carillon.sweep()`;
    expect((await counts(sql)).ticks).toBe(2);
  });
});

describe("a reader in a long transaction", () => {
  /** Runs something while a transaction has read all of the ledger and the history. */
  async function whileRead<T>(url: string, act: () => Promise<T>): Promise<T> {
    const reader = connect(url, 1);
    try {
      return (await reader.begin(async (tx) => {
        await tx`select count(*) from carillon.ticks`;
        await tx`select count(*) from carillon.job_history`;
        return await act();
      })) as T;
    } finally {
      await reader.end();
    }
  }

  test("does not hold up a sweep for long, however many days are past retention", async () => {
    const { db, sql } = await aged();
    await using _ = db;
    for (let day = 1; day <= 20; day += 1) {
      await sql.unsafe(`
        create table carillon.ticks_202510${String(day).padStart(2, "0")} partition of carillon.ticks
          for values from ('2025-10-${day}') to ('2025-10-${day + 1}')`);
    }
    await whileRead(db.url, async () => {
      const started = performance.now();
      const swept = await one(sql`select carillon.sweep() as result`);
      expect(swept.result).toMatchObject({ swept: true });
      expect(performance.now() - started).toBeLessThan(2500);
    });
    const left = () =>
      sql`select from pg_class where relkind = 'r' and relname like 'ticks\\_202510%'`;
    expect(await left()).toHaveLength(20);
    await sql`select carillon.sweep()`;
    expect(await left()).toHaveLength(0);
  });

  test("does not stop the ticker from firing when new days have to be made", async () => {
    const { db, sql, id } = await aged();
    await using _ = db;
    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`;
    await setClock(sql, "2026-03-03T00:00:10Z");
    await whileRead(db.url, async () => {
      const started = performance.now();
      expect((await one(sql`select carillon.tick() as t`)).t).toMatchObject({ leader: true });
      expect(performance.now() - started).toBeLessThan(2500);
      expect((await outcomesOf(sql, id)).at(-1)).toBe("00:00 enqueued");
    });
    expect(await days(sql)).not.toContain("ticks 0305");
    await sql`select carillon.sweep()`;
    expect(await days(sql)).toContain("ticks 0305");
  });
});

test("the sweep locks the ledger, to make and drop days, only when all its other work is done", async () => {
  // Whoever fires or finishes jobs would have to wait for that work.
  const { db, sql, id } = await aged();
  await using _ = db;
  await sql`select carillon.set_retention(tick_days => 1, job_days => 1)`;
  await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`;
  await sql.unsafe(`
    create table public.locked (mode text);
    create function public.look() returns trigger language plpgsql as $$
    begin
      insert into public.locked
      select l.mode from pg_locks l
      where l.pid = pg_backend_pid() and l.mode = 'AccessExclusiveLock'
        and l.relation in ('carillon.ticks'::regclass, 'carillon.job_history'::regclass);
      return null;
    end $$;
    create trigger look after insert on pgmq.q_jobs for each row execute function public.look()`);
  await setClock(sql, TWO_DAYS);
  const swept = await one(sql`select carillon.sweep() as result`);
  expect(swept.result).toMatchObject({ fired: 1 });
  expect(await days(sql)).not.toContain("ticks 0302");
  expect(await sql`select * from public.locked`).toHaveLength(0);
});
