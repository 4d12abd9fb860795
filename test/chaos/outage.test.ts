import { expect, inject, test } from "vitest";

import { connect, type TestSql } from "../helpers/database.js";
import { type CronEngine, startCronEngine } from "../helpers/engine.js";
import { createCron, ticksOf } from "../sql/support.js";

/*
 * Postgres crashes, stays down for some slots, and comes back; pg_cron drives all the time. Jobs
 * pile up (overlap "queue", no worker), so that each slot shows what its catch-up policy made of it.
 */

const POLICIES = {
  latest: { catchUp: "latest" },
  few: { catchUp: "all", catchUpMax: 4 },
  many: { catchUp: "all", catchUpMax: 1000 },
  short: { catchUp: "all", catchUpMax: 1000, catchUpWindow: 1200 },
  none: { catchUp: "none" },
} as const;
type Policy = keyof typeof POLICIES;
const SCHEDULES = { "1 seconds": 1, "10 seconds": 10, "* * * * *": 60, "*/5 * * * *": 300 };
type Schedule = keyof typeof SCHEDULES;

interface Subject {
  id: string;
  policy: Policy;
  schedule: Schedule;
}

async function declareAll(sql: TestSql): Promise<Subject[]> {
  await sql`select carillon.install_app(app => 'crm')`;
  const subjects: Subject[] = [];
  for (const schedule of Object.keys(SCHEDULES) as Schedule[]) {
    for (const policy of Object.keys(POLICIES) as Policy[]) {
      const name = `${schedule}-${policy}`.replace(/[^\w-]/g, "");
      const { id } = await createCron(sql, "crm", name, schedule);
      const patch = { overlapPolicy: "queue", ...POLICIES[policy] };
      await sql`select carillon.patch_cron(cron => ${id}, patch => ${sql.json(patch)})`;
      subjects.push({ id, policy, schedule });
    }
  }
  return subjects;
}

/** The outcomes that a policy gives to slots that are decided together, by README's rules. */
function expected(policy: Policy, slots: readonly number[], decidedAt: number): string[] {
  const { catchUp, ...limits } = POLICIES[policy];
  const { catchUpMax = 100, catchUpWindow = 3600 } = limits as Record<string, number>;
  const keep = catchUp === "all" ? catchUpMax : 1;
  const window = catchUp === "none" ? 90 : catchUpWindow;
  return slots.map((slot, at) => {
    const late = (decidedAt - slot) / 1000;
    if (at < slots.length - keep || late >= window) return "missed";
    return late < 90 ? "enqueued" : "caught_up";
  });
}

/** Crashes the server, keeps it down for a while, and has pg_cron decide something again. */
async function outage({ engine, url }: CronEngine, milliseconds: number): Promise<void> {
  await engine.stop("immediate");
  const down = Date.now();
  while (Date.now() < down + milliseconds) await new Promise((resolve) => setTimeout(resolve, 50));
  await engine.start();
  const sql = connect(url, 1);
  await expect
    .poll(
      async () =>
        sql`select from carillon.ticks where decided_at > carillon.now() - interval '1 second'`.then(
          (rows) => rows.length,
        ),
      { timeout: 20_000 },
    )
    .toBeGreaterThan(0);
  await sql.end();
}

/** Holds the ledger of each cron to its schedule and its policy; the longest gap that was bridged, in slots. */
async function audit(sql: TestSql, subjects: readonly Subject[]): Promise<number> {
  let longest = 0;
  for (const { id, policy, schedule } of subjects) {
    const label = `${schedule} ${policy}`;
    const ticks = await ticksOf(sql, id);
    const times = ticks.map(({ scheduled_for }) => scheduled_for.getTime());
    const gaps = times.slice(1).map((time, at) => time - times[at]!);
    // One row for each slot, none left out, none too many.
    expect(new Set(gaps.concat(SCHEDULES[schedule] * 1000)).size, label).toBe(1);
    // What was decided at one time was due then: by the policy, what is one slot as well as what is many.
    for (const decidedAt of new Set(ticks.map(({ decided_at }) => decided_at.getTime()))) {
      const together = ticks.filter(({ decided_at }) => decided_at.getTime() === decidedAt);
      const slots = together.map(({ scheduled_for }) => scheduled_for.getTime());
      const outcomes = together.map(({ outcome }) => outcome);
      expect(outcomes, label).toEqual(expected(policy, slots, decidedAt));
      longest = Math.max(longest, slots.length);
    }
  }
  const torn = await sql`
    select from carillon.ticks t full join carillon.jobs j
      on j.job_id = t.msg_id and j.cron_id = t.cron_id and j.scheduled_for = t.scheduled_for
    where t.cron_id is null or (t.msg_id is not null and j.job_id is null)`;
  expect(torn).toHaveLength(0);
  return longest;
}

test.skipIf(inject("server").pgCron === null)(
  "after a crash every slot of the outage is on record, and each catch-up policy does what it says",
  { timeout: 90_000 },
  async () => {
    await using live = await startCronEngine();
    const { sql } = live;
    const subjects = await declareAll(sql);
    await expect
      .poll(async () => (await sql`select from carillon.ticks`).length, { timeout: 20_000 })
      .toBeGreaterThan(0);

    await outage(live, 4000);
    expect(await audit(sql, subjects)).toBeGreaterThanOrEqual(4);

    // And once more, for 47 minutes: after the next start of the server the clock is that much further.
    await sql.unsafe(`
      create or replace function carillon.now() returns timestamptz language sql volatile
      set search_path = '' as $$
        select clock_timestamp()
          + case when pg_postmaster_start_time() > '${new Date().toISOString()}' then interval '47 minutes' else '0' end
      $$`);
    await outage(live, 0);
    const settled = () =>
      sql`select from carillon.crons where next_fire_at < carillon.now() - interval '5 seconds'`;
    await expect.poll(async () => (await settled()).length, { timeout: 20_000 }).toBe(0);
    expect(await audit(sql, subjects)).toBeGreaterThanOrEqual(47 * 60);
    const outcomes = await sql<{ outcome: string }[]>`
      select distinct outcome from carillon.ticks order by 1`;
    expect(outcomes.map(({ outcome }) => outcome)).toEqual(["caught_up", "enqueued", "missed"]);
  },
);
