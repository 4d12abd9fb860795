import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { setClock } from "../helpers/clock.js";
import { connect, type TestSql } from "../helpers/database.js";
import { startCronEngine, type CronEngine } from "../helpers/engine.js";
import { createCron, type Cron, fireDue, getCron, one, sync } from "../sql/support.js";

/*
 * pg_cron starts some two hundred jobs a second: thousands of beats waking at one minute would take
 * it tens of seconds. From some number of beats on, further crons share wider ones.
 */

const { pgCron } = inject("server");
const BOUND = 60;
/** What a beat may be widened to: at most six of them wake at any one minute. */
const WIDE = /^([0-9]{1,2}|\*|\*\/(5|10|15|30)) \* \* \* \*$/;

describe.skipIf(pgCron === null)("very many schedules", () => {
  let live: CronEngine;
  let sql: TestSql;

  beforeAll(async () => {
    live = await startCronEngine();
    sql = live.sql;
    await setClock(sql, "2026-03-02T10:00:30Z");
    // Runs are written by the tests. Before 1.5, pg_cron cannot be told to launch nothing: it seldom does here.
    const known = await sql`select from pg_settings where name = 'cron.launch_active_jobs'`;
    if (known.length > 0) await sql`alter system set cron.launch_active_jobs = off`;
    await sql`select pg_reload_conf()`;
  });
  afterAll(() => live[Symbol.asyncDispose]());

  const jobs = () => sql<{ jobid: number; schedule: string }[]>`
    select jobid, schedule from cron.job where jobname like 'carillon beat %' order by jobid`;
  const scheduleOf = async (cron: Cron) =>
    (
      await one(sql<{ schedule: string }[]>`
      select schedule from cron.job where jobid = ${cron.pg_job_id}`)
    ).schedule;
  const crons = (app: string) => sql<Cron[]>`select * from carillon.list_crons(app => ${app})`;
  const daily = (n: number) => `${n % 60} ${Math.floor(n / 60)} * * *`;
  const clear = async (app: string) => {
    await sync(sql, app, []);
    for (const { id } of await crons(app)) await sql`select carillon.delete_cron(cron => ${id})`;
  };

  test("a widened expression wakes whenever the narrow one does", async () => {
    const wrong = await sql`
      select e.narrow, w.wide
      from (
        select string_agg(m::text, ',') || ' 3 * * 1' as narrow, bit_or(1::bigint << m) as minutes
        from (select n, (n * 7919 * i) % 60 / s * s as m from generate_series(0, 99) n, generate_series(1, 4) i, unnest(array[1, 5, 10, 15, 30]) s) x
        group by n, x.n % 7
      ) e
      cross join lateral (select carillon._widen_expression(e.narrow) as wide) w
      where e.minutes & ~carillon._parse_field(split_part(w.wide, ' ', 1), 'minute', 0, 59) <> 0`;
    expect(wrong).toEqual([]);
    const widened = await sql<{ wide: string | null }[]>`
      select carillon._widen_expression(e) as wide
      from unnest(array['7 3 * * 1', '0,30 9 * * *', '*/30 * 1 * *', '15,45 * * * *', '0,10,50 * * * *',
        '5,20 8-17 * * *', '1,2 * * * *', '* 9 * * *', '1 seconds', null]) with ordinality as x (e, n)
      order by n`;
    expect(widened.map(({ wide }) => wide)).toEqual([
      ...["7 * * * *", "*/30 * * * *", "*/30 * * * *", "*/15 * * * *", "*/10 * * * *"],
      ...["*/5 * * * *", "* * * * *", "* * * * *", "1 seconds", null],
    ]);
  });

  test("deployed at once share a few wide beats, and all of them fire", async () => {
    const entries = Array.from({ length: 500 }, (_, n) => ({
      ...{ name: `c${n}`, schedule: `0,${1 + (n % 59)} 11,${12 + Math.floor(n / 59)} * * *` },
    }));
    await sync(sql, "deployed", entries);
    const beats = await jobs();
    expect(beats.length).toBeLessThanOrEqual(6);
    for (const { schedule } of beats) expect(schedule).toMatch(WIDE);
    const known = new Set(beats.map(({ jobid }) => jobid));
    for (const cron of await crons("deployed")) expect(known).toContain(cron.pg_job_id);
    await setClock(sql, "2026-03-02T11:00:00.1Z");
    const row = await one(sql<{ fired: number }[]>`
      select carillon.fire_beat(beat => b.id) as fired from carillon.beats b where pg_job_id is not null limit 1`);
    expect(row.fired).toBe(500);
    // The same manifest again moves nothing.
    await sync(sql, "deployed", entries);
    expect(await jobs()).toEqual(beats);
    await clear("deployed");
    expect(await jobs()).toEqual([]);
  });

  test("crossing the bound, up or down, moves nobody who is there", async () => {
    await sql`select carillon.install_app(app => 'calls')`;
    const made: Cron[] = [];
    for (let n = 0; n < BOUND + 10; n += 1) {
      made.push(await createCron(sql, "calls", `c${n}`, daily(n)));
    }
    const beats = await jobs();
    const narrow = made.slice(0, BOUND);
    const widened = made.slice(BOUND);
    for (const [n, cron] of narrow.entries()) expect(await scheduleOf(cron)).toBe(daily(n));
    for (const cron of widened) expect(await scheduleOf(cron)).toMatch(WIDE);
    // Who needs what is scheduled already gets it, however many there are.
    const joined = await createCron(sql, "calls", "joined", daily(3));
    expect(joined.pg_job_id).toBe(narrow[3]?.pg_job_id);

    // Fewer again: the widened stay where they are, also when all are looked at.
    for (const { id } of narrow.slice(10)) await sql`select carillon.delete_cron(cron => ${id})`;
    const left = (await jobs()).map(({ jobid }) => jobid);
    expect(beats.map(({ jobid }) => jobid)).toEqual(expect.arrayContaining(left));
    expect(await sql`select * from carillon._wanted_beats(null)`).toEqual([]);
    await sql`select carillon.enable_pg_cron()`;
    await sql`select carillon.sweep()`;
    expect((await jobs()).map(({ jobid }) => jobid)).toEqual(left);
    for (const cron of widened)
      expect((await getCron(sql, cron.id)).pg_job_id).toBe(cron.pg_job_id);

    // An edit that a wide beat covers leaves the job, one that needs another finds room now.
    const [first] = widened;
    if (first === undefined) throw new Error("none is widened");
    const edit = (schedule: string) =>
      sql`select carillon.update_cron(cron => ${first.id}, schedule => ${schedule})`;
    await edit("0 17 * * *");
    expect((await getCron(sql, first.id)).pg_job_id).toBe(first.pg_job_id);
    await edit("13 17 * * *");
    expect(await scheduleOf(await getCron(sql, first.id))).toBe("13 17 * * *");
    await clear("calls");
    expect(await jobs()).toEqual([]);
  });

  test("runs of a widened cron are the wakes at its slots, and those before it was widened stay", async () => {
    await setClock(sql, "2026-03-02T10:00:30Z");
    await sql`select carillon.install_app(app => 'history')`;
    const cron = await createCron(sql, "history", "c", "5 11 * * *");
    const add = (job: number | null, at: string) => sql`
      insert into cron.job_run_details (jobid, database, username, command, status, start_time, end_time)
      values (${job}, current_database(), current_user, 'select carillon.fire_beat(1)', 'succeeded', ${at}, ${at})`;
    const fireAt = async (at: string) => {
      await setClock(sql, at);
      await fireDue(sql, "pg_cron");
      await sql`truncate pgmq.q_jobs`;
    };
    await fireAt("2026-03-02T11:05:00.2Z");
    await add(cron.pg_job_id, "2026-03-02T11:05:00.2Z");

    await setClock(sql, "2026-03-02T11:30:00Z");
    for (let n = 0; n < BOUND; n += 1) await createCron(sql, "history", `n${n}`, `${n} 3 1 1 *`);
    await sql`select carillon.update_cron(cron => ${cron.id}, schedule => '7 13 * * *')`;
    const widened = await getCron(sql, cron.id);
    expect(await scheduleOf(widened)).toBe("7 * * * *");
    await add(widened.pg_job_id, "2026-03-02T12:07:00.2Z"); // not at a slot of this cron
    await fireAt("2026-03-02T13:07:00.2Z");
    await add(widened.pg_job_id, "2026-03-02T13:07:00.2Z");
    await add(widened.pg_job_id, "2026-03-02T14:07:00.2Z");

    const runs = await sql<{ start_time: Date; scheduled_for: Date; outcome: string }[]>`
      select * from carillon.list_runs(cron => ${cron.id})`;
    expect(
      runs.map((run) => [
        run.start_time.toISOString(),
        run.scheduled_for.toISOString(),
        run.outcome,
      ]),
    ).toEqual([
      ["2026-03-02T13:07:00.200Z", "2026-03-02T13:07:00.000Z", "enqueued"],
      ["2026-03-02T11:05:00.200Z", "2026-03-02T11:05:00.000Z", "enqueued"],
    ]);
    await clear("history");
  });

  test("who joins a beat waits for nobody who joins it, and who leaves it waits for them", async () => {
    await sql`select carillon.install_app(app => 'race')`;
    const first = await createCron(sql, "race", "first", "9 9 * * *");
    const before = await jobs();
    const other = connect(live.url, 1);
    const leaver = connect(live.url, 1);
    const [{ pid } = { pid: 0 }] = await leaver<{ pid: number }[]>`select pg_backend_pid() as pid`;
    await other`begin`;
    await createCron(other, "race", "second", "9 9 * * *");
    const third = await createCron(sql, "race", "third", "9 9 * * *");
    const leaving = leaver.begin(async (tx) => {
      for (const { id } of [first, third]) await tx`select carillon.delete_cron(cron => ${id})`;
    });
    await expect
      .poll(() => sql`select from pg_stat_activity where pid = ${pid} and wait_event_type = 'Lock'`)
      .toHaveLength(1);
    await other`commit`;
    await leaving;
    expect(await jobs()).toEqual(before);
    await Promise.all([other.end(), leaver.end()]);
    await clear("race");
    expect(await jobs()).toEqual([]);
  });
});
