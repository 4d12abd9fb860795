import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { startCronEngine, type CronEngine } from "../helpers/engine.js";

/*
 * Schedules on real pg_cron, by the real clock, with no ticker: each cron must fire at its slot and
 * only then. All of them share one wait for the next two minute boundaries.
 */

const pgCron = inject("server").pgCron;

let live: CronEngine;
let boundary: Date;
const ids = new Map<string, string>();

beforeAll(async () => {
  live = await startCronEngine();
  const { sql } = live;
  await sql`select carillon.install_app('live')`;
  // Not so near to the minute that it passes while the crons are being made.
  for (;;) {
    const [row] = await sql<{ left: number; next: Date }[]>`
      select 60 - extract(second from clock_timestamp())::float as left,
        date_trunc('minute', clock_timestamp()) + interval '1 minute' as next`;
    if (row && row.left > 3) {
      boundary = row.next;
      break;
    }
    await sql`select pg_sleep(0.5)`;
  }
  const at = (zone: string, minutes = 0) =>
    sql<{ minute: number; hour: number; day: number; last: number; local: string }[]>`
      select extract(minute from t)::int as minute, extract(hour from t)::int as hour,
        extract(day from t)::int as day,
        extract(day from date_trunc('month', t) + interval '1 month - 1 day')::int as last,
        to_char(t, 'YYYY-MM-DD"T"HH24:MI:SS') as local
      from (select (${boundary}::timestamptz + ${minutes} * interval '1 minute') at time zone ${zone} as t) s`;
  const [newYork] = await at("America/New_York");
  const [kathmandu] = await at("Asia/Kathmandu");
  const [elsewhere] = await at("America/New_York", 120);
  const [utc] = await at("UTC");
  if (!newYork || !kathmandu || !elsewhere || !utc) throw new Error("no local times");
  const crons = {
    zoned: [`${newYork.minute} ${newYork.hour} * * *`, "America/New_York"],
    quarter: [`${kathmandu.minute} ${kathmandu.hour} * * *`, "Asia/Kathmandu"],
    // Its beat may wake at the boundary (the same minute of another hour); it must not fire then.
    notNow: [`${elsewhere.minute} ${elsewhere.hour} * * *`, "America/New_York"],
    lastDay: [`${utc.minute} ${utc.hour} $ * *`, "GMT"],
    once: [`at ${newYork.local}`, "America/New_York"],
    onceLater: [
      `at ${new Date(boundary.getTime() + 3 * 3_600_000).toISOString().slice(0, 19)}Z`,
      "GMT",
    ],
    rate: [`every 1 minute from ${boundary.toISOString().slice(0, 19)}Z`, "GMT"],
    rateLater: [`every 2 hours from ${boundary.toISOString().slice(0, 19)}Z`, "GMT"],
  };
  for (const [name, [schedule, timezone]] of Object.entries(crons)) {
    const [cron] = await sql<{ id: string }[]>`
      select id from carillon.create_cron(app => 'live', name => ${name},
        schedule => ${schedule ?? ""}, timezone => ${timezone ?? ""}, overlap_policy => 'queue')`;
    ids.set(name, cron?.id ?? "");
  }
  // The second boundary proves that what had to fire once did not fire again.
  const second = new Date(boundary.getTime() + 60_000);
  for (;;) {
    const [row] = await sql<{ fired: number }[]>`
      select count(*)::int as fired from carillon.ticks
      where cron_id = ${ids.get("rate") ?? ""} and scheduled_for = ${second}`;
    if (row?.fired === 1) break;
    await sql`select pg_sleep(0.2)`;
  }
}, 180_000);
afterAll(() => live[Symbol.asyncDispose]());

const ticksOf = (name: string) =>
  live.sql<{ scheduledFor: Date; outcome: string; driver: string; lag: number }[]>`
    select scheduled_for as "scheduledFor", outcome, driver,
      extract(epoch from decided_at - scheduled_for)::float as lag
    from carillon.ticks where cron_id = ${ids.get(name) ?? ""} order by scheduled_for`;

describe(`on pg_cron ${pgCron ?? "(none)"}`, () => {
  test.each(["zoned", "quarter", "once", "rateLater"])(
    "%s fires at its slot, once",
    async (name) => {
      const ticks = await ticksOf(name);
      expect(ticks).toHaveLength(1);
      expect(ticks[0]).toMatchObject({ scheduledFor: boundary, outcome: "enqueued" });
      expect(["pg_cron", "sweep"]).toContain(ticks[0]?.driver);
      expect(ticks[0]?.lag).toBeGreaterThanOrEqual(0);
      expect(ticks[0]?.lag).toBeLessThan(5);
    },
  );

  test.each(["notNow", "onceLater"])("%s does not fire before its slot", async (name) => {
    expect(await ticksOf(name)).toEqual([]);
    const [cron] = await live.sql<{ nextFireAt: Date; pgJobId: number }[]>`
      select next_fire_at as "nextFireAt", pg_job_id as "pgJobId"
      from carillon.cron_details where id = ${ids.get(name) ?? ""}`;
    expect(cron?.nextFireAt.getTime()).toBeGreaterThan(boundary.getTime());
    expect(cron?.pgJobId).toBeGreaterThan(0);
  });

  test("a $ cron fires on the last day of the month and on no other", async () => {
    const isLast = new Date(boundary.getTime() + 86_400_000).getUTCDate() === 1;
    expect(await ticksOf("lastDay")).toHaveLength(isLast ? 1 : 0);
    const [row] = await live.sql<{ expression: string }[]>`
      select b.expression from carillon.beats b join carillon.crons c on c.beat_id = b.id
      where c.id = ${ids.get("lastDay") ?? ""}`;
    // pg_cron 1.6 knows the last day itself; before, it is woken on every day that may be the last.
    expect(row?.expression).toMatch(pgCron?.startsWith("1.6") ? / \$ / : / 28-31 /);
  });

  test("a rate cron keeps to its anchor", async () => {
    const ticks = await ticksOf("rate");
    expect(ticks.map(({ scheduledFor }) => scheduledFor.getTime())).toEqual([
      boundary.getTime(),
      boundary.getTime() + 60_000,
    ]);
  });

  test("a once cron completes, stays listed, leaves pg_cron, and is armed again by a new time", async () => {
    const id = ids.get("once") ?? "";
    // The sweep, once a minute, takes what has completed out of pg_cron.
    await live.sql`select carillon.sweep()`;
    const [done] = await live.sql`
      select next_fire_at, completed_at is not null as completed, pg_job_id
      from carillon.cron_details where id = ${id}`;
    expect(done).toEqual({ next_fire_at: null, completed: true, pg_job_id: null });
    const [row] = await live.sql<{ left: number }[]>`
      select count(*)::int as left from cron.job j join carillon.beats b on b.pg_job_id = j.jobid
      where not exists (select from carillon.crons c where c.beat_id = b.id)`;
    expect(row?.left).toBe(0);
    const [manual] = await live.sql<
      { job: number }[]
    >`select carillon.trigger_cron(cron => ${id}) as job`;
    expect(manual?.job).toBeGreaterThan(0);
    const [again] = await live.sql`
      select completed_at, next_fire_at, pg_job_id is not null as scheduled
      from carillon.update_cron(cron => ${id}, schedule => 'at 2099-01-01T00:00:00Z')`;
    expect(again).toEqual({
      completed_at: null,
      next_fire_at: new Date("2099-01-01T00:00:00Z"),
      scheduled: true,
    });
  });
});
