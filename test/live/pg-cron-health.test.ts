import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { connect as connectCarillon } from "../../src/db/connect.js";
import { examine } from "../../src/deploy/doctor.js";
import { startTicker } from "../../src/worker/ticker.js";
import { setClock } from "../helpers/clock.js";
import type { TestSql } from "../helpers/database.js";
import { type CronEngine, startCronEngine } from "../helpers/engine.js";
import { createCron, one, ticksOf } from "../sql/support.js";

describe.skipIf(inject("server").pgCron === null)("pg_cron", () => {
  let live: CronEngine;
  let sql: TestSql;
  beforeAll(async () => {
    live = await startCronEngine();
    sql = live.sql;
    await sql`select carillon.install_app(app => 'crm')`;
  });
  afterAll(() => live[Symbol.asyncDispose]());

  /** Lets the clock be ahead of the real time, and go on. */
  const shift = (seconds: number) =>
    sql.unsafe(`
      create or replace function carillon.now() returns timestamptz language sql volatile
      set search_path = '' as 'select clock_timestamp() + interval ''${seconds} seconds'''`);

  const status = async () =>
    (
      await one(sql<{ status: { stuck: boolean; driving: string | null; lastSeenAt: string } }[]>`
        select carillon.pg_cron_status() as status`)
    ).status;

  test("is missed fifteen seconds after the minute at which it did not sweep, and not before", async () => {
    const stuckAt = async (seen: string, now: string) => {
      await sql`
        update carillon.settings set value = to_jsonb(${seen}::timestamptz) where key = 'pg_cron_seen_at'`;
      const row = await one(sql<{ stuck: boolean }[]>`
        select carillon._pg_cron_stuck(${now}::timestamptz) as stuck`);
      return row.stuck;
    };
    const seen = "2026-03-02T10:00:00.4Z";
    expect(await stuckAt(seen, "2026-03-02T10:00:59Z")).toBe(false);
    expect(await stuckAt(seen, "2026-03-02T10:01:14.9Z")).toBe(false);
    expect(await stuckAt(seen, "2026-03-02T10:01:15.1Z")).toBe(true);
    // Enabled in the middle of a minute, or a little late under load.
    expect(await stuckAt("2026-03-02T10:00:40Z", "2026-03-02T10:01:16Z")).toBe(true);
    expect(await stuckAt("2026-03-02T10:01:09Z", "2026-03-02T10:01:59Z")).toBe(false);
    await sql`
      update carillon.settings set value = to_jsonb(clock_timestamp()) where key = 'pg_cron_seen_at'`;
  });

  test("that has stopped is noticed by the ticker, which drives; doctor and status say so; so is the next time", async ({
    skip,
  }) => {
    const known = await sql`select from pg_settings where name = 'cron.launch_active_jobs'`;
    skip(known.length === 0, "this pg_cron cannot be told to launch nothing");
    const { id } = await createCron(sql, "crm", "often", "1 seconds");
    const by = async (driver: string) =>
      (await ticksOf(sql, id)).filter((tick) => tick.driver === driver).length;
    await expect.poll(() => by("pg_cron"), { timeout: 15_000 }).toBeGreaterThan(0);
    expect((await status()).stuck).toBe(false);

    await sql`alter system set cron.launch_active_jobs = off`;
    await sql`select pg_reload_conf()`;
    const lines: string[] = [];
    const note = (_: object, message: string) => void lines.push(message);
    const log = { debug: note, info: note, warn: note, error: note };
    const stuckLines = () => lines.filter((line) => line.startsWith("pg_cron has stopped")).length;
    const pool = connectCarillon(live.url, { max: 1 });
    {
      await using _ticker = startTicker({ sql: pool, log });
      await expect.poll(() => by("ticker"), { timeout: 10_000 }).toBeGreaterThan(1);
      expect(stuckLines()).toBe(0);

      // A minute and a quarter later, in which it has not swept.
      await shift(75);
      await expect.poll(stuckLines, { timeout: 5000 }).toBe(1);
      expect(await status()).toMatchObject({ stuck: true, driving: expect.any(String) as string });
      const found = (await examine(live.url)).find(({ check }) => check === "pg_cron");
      expect(found).toMatchObject({ state: "broken" });
      expect(found?.message).toContain("the ticker drives");

      // It sweeps again, and the ticker knows; it stops again, and that is news.
      await sql`select carillon.sweep()`;
      expect((await status()).stuck).toBe(false);
      const before = await by("ticker");
      await expect.poll(() => by("ticker"), { timeout: 5000 }).toBeGreaterThan(before + 1);
      await shift(150);
      await expect.poll(stuckLines, { timeout: 5000 }).toBe(2);
    }
    await pool.end();
    await shift(0);
    await sql`alter system reset cron.launch_active_jobs`;
    await sql`select pg_reload_conf()`;
  });

  describe("has its history trimmed", () => {
    const runs = async () =>
      (
        await sql<{ run: string }[]>`
          select command || case when start_time is null then ' never started' else '' end as run
          from cron.job_run_details where runid >= 900000 order by runid`
      ).map(({ run }) => run);
    const add = (runid: number, command: string, daysAgo: number | null) => sql`
      insert into cron.job_run_details (jobid, runid, database, username, command, status, start_time, end_time)
      values (1, ${runid}, current_database(), current_user, ${command}, 'succeeded',
        carillon.now() - ${daysAgo}::float8 * interval '1 day', carillon.now() - ${daysAgo}::float8 * interval '1 day')`;
    const SWEEP = "select carillon.sweep()";
    const BEAT = "select carillon.fire_beat(7)";

    test("of Carillon's own runs, after seven days, and of nobody else's", async () => {
      await add(900_001, SWEEP, 8);
      await add(900_002, BEAT, 7.1);
      await add(900_003, "vacuum", 30);
      await add(900_004, BEAT, null);
      await add(900_005, SWEEP, 7.1);
      await add(900_006, BEAT, 6.9);
      await add(900_007, BEAT, null);
      await sql`select carillon.sweep()`;
      const kept = ["vacuum", BEAT, `${BEAT} never started`];
      expect(await runs()).toEqual(kept);
      await sql`select carillon.sweep()`;
      expect(await runs()).toEqual(kept);
      await sql`delete from cron.job_run_details where runid >= 900000`;
    });

    test("also of a pg_cron made anew, which counts from 1 again", async () => {
      await sql`
        insert into carillon.settings (key, value) values ('runs_trimmed_to', '99999999')
        on conflict (key) do update set value = excluded.value`;
      await add(900_001, SWEEP, 8);
      await sql`select carillon.sweep()`;
      expect(await runs()).toEqual([]);
    });
  });

  test("is never the bottleneck: crons that are due together share a beat", async () => {
    await setClock(sql, "2026-03-02T10:00:30Z");
    await sql`
      select carillon.create_cron(app => 'crm', name => 'm' || i, schedule => (i % 5) || ' 9 * * *')
      from generate_series(0, 299) i`;
    const row = await one(sql<{ beats: number }[]>`
      select count(*) as beats from cron.job where jobname like 'carillon beat %' and schedule like '% 9 * * *'`);
    expect(row.beats).toBe(5);
  });
});
