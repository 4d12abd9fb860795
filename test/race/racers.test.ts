import { fork, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

import { expect, inject, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import type { TestSql } from "../helpers/database.js";
import { startCronEngine } from "../helpers/engine.js";
import { one } from "../sql/support.js";

const RACERS = fileURLToPath(new URL("racers-child.mjs", import.meta.url));
const PROCESSES = 5;
const SESSIONS = 44;
const SECONDS = 20;
const CRONS = 50;
const START = "2026-03-02T10:00:00Z";

interface Report {
  lost: number;
  errors: Record<string, number>;
}

async function spawn(url: string): Promise<ChildProcess> {
  const child = fork(RACERS, [url, String(SESSIONS)], {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
  });
  await once(child, "message");
  return child;
}

async function died(child: ChildProcess): Promise<never> {
  const [code, signal] = (await once(child, "exit")) as [number | null, string | null];
  throw new Error(`a process of racers ended with ${code ?? signal}`);
}

const go = (child: ChildProcess) => void child.send("go");

/** Terminates racers in the midst of writing; how many it hit. */
const terminate = async (sql: TestSql) =>
  (
    await sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where application_name = 'racer' and backend_xid is not null
      order by random() limit 2`
  ).length;

/** Until a slot of this second is on record: somebody drives. */
async function until(sql: TestSql, fact: () => PromiseLike<readonly object[]>): Promise<void> {
  while ((await fact()).length === 0) await sql`select pg_sleep(0.01)`;
}

test.skipIf(inject("server").pgCron === null)(
  "220 sessions of five processes, killed at random, decide 1,000 slots once each by all drivers",
  { timeout: 180_000 },
  async () => {
    await using live = await startCronEngine({ maxConnections: 400 });
    const { sql } = live;
    await setClock(sql, START);
    await sql`select carillon.install_app(app => 'crm')`;
    await sql`
      select carillon.create_cron(app => 'crm', name => 'q' || i, schedule => '1 seconds',
        overlap_policy => 'queue', catch_up => 'all', catch_up_max => 1000)
      from generate_series(1, ${CRONS}::integer) i`;
    await sql`
      select carillon.create_cron(app => 'crm', name => 's' || i, schedule => '1 seconds',
        catch_up => 'all', catch_up_max => 1000)
      from generate_series(1, 10) i`;

    const racers = await Promise.all(Array.from({ length: PROCESSES }, () => spawn(live.url)));
    const sessions = await sql`
      select from pg_stat_activity where application_name = 'racer'`;
    expect(sessions.length).toBeGreaterThanOrEqual(200);
    racers.forEach(go);

    let terminated = 0;
    let killed = 0;
    for (let second = 1; second <= SECONDS; second += 1) {
      await advanceClock(sql, "1 second");
      // As many tries as it takes to find somebody writing, while there is something to write.
      for (let tries = 0; tries < 20; tries += 1) {
        const hits = await terminate(sql);
        terminated += hits;
        if (hits > 0) break;
      }
      if (second % 5 === 0 && second < SECONDS) {
        const at = killed % PROCESSES;
        racers[at]!.kill("SIGKILL");
        racers[at] = await spawn(live.url);
        go(racers[at]);
        killed += 1;
      }
      await until(
        sql,
        () => sql`
          select from carillon.ticks
          where scheduled_for = ${START}::timestamptz + ${second} * interval '1 second' limit 1`,
      );
    }
    // Those who are left finish it: no other driver helps.
    await until(
      sql,
      () => sql`select from carillon.ticks having count(*) >= ${(CRONS + 10) * SECONDS}`,
    );
    const reports = await Promise.all(
      racers.map(async (racer) => {
        racer.send("stop");
        const [report] = (await Promise.race([once(racer, "message"), died(racer)])) as [Report];
        racer.disconnect();
        return report;
      }),
    );
    expect(killed).toBe(3);
    expect(terminated).toBeGreaterThan(5);
    expect(reports.flatMap(({ errors }) => Object.entries(errors))).toEqual([]);

    // Every slot is on record, and nothing else.
    const wrong = await sql`
      select coalesce(t.cron_id, c.id) as cron, coalesce(t.scheduled_for, s.slot) as slot
      from (
        carillon.crons c
        cross join generate_series(${START}::timestamptz + interval '1 second',
          ${START}::timestamptz + ${SECONDS} * interval '1 second', interval '1 second') as s (slot)
      )
      full join carillon.ticks t on t.cron_id = c.id and t.scheduled_for = s.slot
      where t.cron_id is null or c.id is null`;
    expect(wrong).toEqual([]);
    // Under queue each slot has one job, the one it names; under skip the first one's is still there.
    const jobs = await sql`
      select left(c.name, 1) as policy, t.outcome, count(*) as slots, count(j.job_id) as jobs,
        count(distinct j.job_id) as "distinct"
      from carillon.ticks t
      join carillon.crons c on c.id = t.cron_id
      left join carillon.jobs j on j.cron_id = t.cron_id and j.scheduled_for = t.scheduled_for
      group by 1, 2 order by 1, 2`;
    expect(jobs).toEqual([
      { policy: "q", outcome: "enqueued", slots: 1000, jobs: 1000, distinct: 1000 },
      { policy: "s", outcome: "enqueued", slots: 10, jobs: 10, distinct: 10 },
      { policy: "s", outcome: "skipped", slots: 190, jobs: 0, distinct: 0 },
    ]);
    const strays = await sql`
      select from carillon.jobs j full join carillon.ticks t on t.msg_id = j.job_id
        and t.cron_id = j.cron_id and t.scheduled_for = j.scheduled_for
      where j.job_id is null and t.msg_id is not null or t.cron_id is null`;
    expect(strays).toHaveLength(0);
    const drivers = await one(sql<{ drivers: string[]; backends: number }[]>`
      select array_agg(distinct driver order by driver) as drivers, count(distinct pid) as backends
      from carillon.ticks`);
    expect(drivers.drivers).toEqual(expect.arrayContaining(["api", "pg_cron", "ticker"]));
    expect(drivers.backends).toBeGreaterThan(5);
  },
);
