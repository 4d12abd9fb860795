import { describe, expect, inject, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestSql } from "../helpers/database.js";
import { startCronEngine } from "../helpers/engine.js";
import { claim, complete, createCron, one, sync } from "../sql/support.js";
import { until } from "../worker/helpers.js";
import { errorsOf, Race } from "./race.js";

const DRIVERS = [
  "select carillon.fire_due('api')",
  "select carillon.fire_beat(1)",
  "select carillon.tick()",
  "select carillon.sweep()",
  "select carillon.fire_due('ticker')",
];

test("fifty drivers at once decide every slot once, and enqueue one job for it", async () => {
  await using db = await createTestDatabase();
  const { sql } = db;
  await setClock(sql, "2026-03-02T10:00:30Z");
  await sql`select carillon.install_app(app => 'crm')`;
  await sql`
    select carillon.create_cron(app => 'crm', name => policy || i, schedule => '* * * * *',
      overlap_policy => policy)
    from unnest(array['skip', 'queue']) policy, generate_series(1, 10) i`;
  await using race = await Race.open(db.url);
  const rounds = 16;
  for (let round = 0; round < rounds; round += 1) {
    // A round now and then finds several slots due, and some find the last jobs still there.
    await advanceClock(sql, round % 5 === 4 ? "3 minutes" : "1 minute");
    const results = await race.run((lane) => [DRIVERS[(lane + round) % DRIVERS.length]!]);
    expect(errorsOf(results)).toEqual({});
    if (round % 3 !== 2) await complete(sql, await claim(sql, "crm", 1000));
  }

  const ledger = await sql<{ policy: string; crons: number; slots: number }[]>`
    select c.overlap_policy as policy, count(distinct c.id) as crons, count(*) as slots
    from carillon.ticks t join carillon.crons c on c.id = t.cron_id group by 1 order by 1`;
  // 16 rounds, of which 3 brought three minutes.
  expect(ledger).toEqual([
    { policy: "queue", crons: 10, slots: 220 },
    { policy: "skip", crons: 10, slots: 220 },
  ]);
  // Every job has its row, every row that says so its job, and no slot two.
  const jobs = await sql`
    select from carillon.jobs j full join (
      select * from carillon.ticks where msg_id is not null
    ) t on t.msg_id = j.job_id and t.cron_id = j.cron_id and t.scheduled_for = j.scheduled_for
    where t.msg_id is null or j.job_id is null`;
  expect(jobs).toHaveLength(0);
  const outcomes = await sql`
    select c.overlap_policy as policy, t.outcome, count(*) as n
    from carillon.ticks t join carillon.crons c on c.id = t.cron_id group by 1, 2 order by 1, 2`;
  expect(outcomes).toEqual([
    { policy: "queue", outcome: "enqueued", n: 160 },
    { policy: "queue", outcome: "missed", n: 60 },
    // Rounds 4, 7, 10, 13 and 16 find a job that rounds 3, 6, 9, 12 and 15 left.
    { policy: "skip", outcome: "enqueued", n: 110 },
    { policy: "skip", outcome: "missed", n: 60 },
    { policy: "skip", outcome: "skipped", n: 50 },
  ]);
});

test("under skip, fifty drivers enqueue one job for as long as it is not finished", async () => {
  await using db = await createTestDatabase();
  const { sql } = db;
  await setClock(sql, "2026-03-02T10:00:30Z");
  await sql`select carillon.install_app(app => 'crm')`;
  const { id } = await createCron(sql, "crm", "c", "1 seconds");
  await using race = await Race.open(db.url);
  // While they race, the clock goes on: each driver finds another "now".
  for (let round = 0; round < 3; round += 1) {
    const ticking = race.run(() => Array<string>(10).fill("select carillon.fire_due()"));
    for (let second = 0; second < 20; second += 1) await advanceClock(sql, "1 second");
    expect(errorsOf(await ticking)).toEqual({});
  }
  const enqueued = await sql`
    select from carillon.ticks where cron_id = ${id} and outcome in ('enqueued', 'caught_up')`;
  expect(enqueued).toHaveLength(1);
  expect(await sql`select from pgmq.q_jobs`).toHaveLength(1);
});

test("of fifty who create a cron of the same name one succeeds, the others are told so", async () => {
  await using db = await createTestDatabase();
  const { sql } = db;
  await sql`select carillon.install_app(app => 'crm')`;
  await using race = await Race.open(db.url);
  const results = await race.run(() => [
    "select id from carillon.create_cron(app => 'crm', name => 'c', schedule => '* * * * *')",
  ]);
  expect(errorsOf(results)).toEqual({ 'TK201 app "crm" has a cron named "c" already': 49 });
  expect(await sql`select from carillon.crons`).toHaveLength(1);
});

/** Whether beats, members, enlistments and cron.job agree: what does not, in words. */
const disagreements = (sql: TestSql) => sql`
  select 'beat without job' as what, b.expression as which from carillon.beats b
  where b.pg_job_id is null and exists (select from carillon.crons c where c.beat_id = b.id)
  union all
  select 'job without member', b.expression from carillon.beats b
  where b.pg_job_id is not null and not exists (select from carillon.crons c where c.beat_id = b.id)
  union all
  select 'not in cron.job as it should be', b.expression from carillon.beats b
  left join cron.job j on j.jobid = b.pg_job_id
  where b.pg_job_id is not null and (j.schedule, j.command, j.active)
    is distinct from (b.expression, 'select carillon.fire_beat(' || b.id || ')', true)
  union all
  select 'unknown job', j.jobname from cron.job j
  where starts_with(j.jobname, 'carillon beat') and not exists (
    select from carillon.beats b where b.pg_job_id = j.jobid)
  union all
  select 'cron on no beat, or on a wrong one', c.name from carillon.crons c
  left join carillon.beats b on b.id = c.beat_id
  where b.expression is distinct from case when c.next_fire_at is not null then c.schedule end
  union all
  select 'open enlistment', c.name from carillon.crons c
  left join carillon.enlistments e on e.cron_id = c.id and e.enlisted_until is null
  where e.beat_id is distinct from c.beat_id`;

describe.skipIf(inject("server").pgCron === null)("with pg_cron", () => {
  const expressions = ["0 1 1 1 *", "0 2 1 1 *", "0 3 1 1 *", "0 4 1 1 *"];
  const pick = <T>(from: readonly T[]) => from[Math.floor(Math.random() * from.length)]!;

  test("editing crons that share beats deadlocks nobody and leaves every beat with its members", async () => {
    await using live = await startCronEngine();
    const { sql } = live;
    await sql`select carillon.install_app(app => 'crm')`;
    const crons: string[] = [];
    for (let i = 0; i < 20; i += 1) {
      crons.push((await createCron(sql, "crm", `c${i}`, pick(expressions))).id);
    }
    await using race = await Race.open(live.url);
    const results = await race.run((lane) =>
      Array.from({ length: 8 }, (_, step) => {
        const cron = pick(crons);
        return pick([
          () =>
            `select carillon.update_cron(cron => '${cron}', schedule => '${pick(expressions)}')`,
          () =>
            `select carillon.set_cron_enabled(cron => '${cron}', enabled => ${pick([true, false])})`,
          () =>
            `select carillon.set_cron_enabled(cron => '${cron}', enabled => ${pick([true, false])})`,
          () =>
            `select carillon.create_cron(app => 'crm', name => 'n${lane}_${step}', schedule => '${pick(expressions)}')`,
          () =>
            `select carillon.delete_cron(cron => id) from carillon.crons where name like 'n${lane}\\_%' limit 1`,
          () => "select carillon.sweep()",
          () => "select carillon.fire_due()",
        ])();
      }),
    );
    expect(errorsOf(results)).toEqual({});
    expect(await disagreements(sql)).toEqual([]);

    // Deploys switch pg_cron on, or off, under the same load.
    const switching = await race.run((lane) =>
      lane % 10 === 0
        ? [
            `select carillon.${pick(["enable", "disable"])}_pg_cron()`,
            "select carillon.enable_pg_cron()",
          ]
        : Array.from({ length: 3 }, () =>
            pick([
              `select carillon.update_cron(cron => '${pick(crons)}', schedule => '${pick(expressions)}')`,
              `select carillon.set_cron_enabled(cron => '${pick(crons)}', enabled => true)`,
            ]),
          ),
    );
    expect(errorsOf(switching)).toEqual({});
    // Who was edited while pg_cron was off is put back on a beat by the sweep.
    await sql`select carillon.sweep()`;
    expect(await disagreements(sql)).toEqual([]);
  });

  test("those who waited for a beat that its last member left put it back, all of them", async () => {
    await using live = await startCronEngine();
    const { sql } = live;
    await sql`select carillon.install_app(app => 'crm')`;
    const leaving = await createCron(sql, "crm", "leaving", expressions[0]);
    const joining: Promise<unknown>[] = [];
    await sql.begin(async (tx) => {
      await tx`select carillon.set_cron_enabled(cron => ${leaving.id}, enabled => false)`;
      for (let i = 1; i <= 4; i += 1) {
        joining.push(createCron(sql, "crm", `c${i}`, expressions[0]));
        await until(async () => {
          const waiting = await sql`
            select from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'create_cron'`;
          return waiting.length === i;
        });
      }
    });
    await Promise.all(joining);
    expect(await disagreements(sql)).toEqual([]);
    expect(await sql`select from cron.job where schedule = ${expressions[0] ?? ""}`).toHaveLength(
      1,
    );
  });

  test("deploys of one app and of many at once all succeed, and the last one's crons are there", async () => {
    await using live = await startCronEngine();
    const { sql } = live;
    await using race = await Race.open(live.url);
    const manifest = (seed: number) =>
      JSON.stringify({
        crons: expressions.map((_, i) => ({
          name: `c${(seed + i) % 5}`,
          schedule: expressions[(seed * (i + 1)) % expressions.length],
        })),
      });
    const deploy = (app: string, seed: number) =>
      `select carillon.sync_manifest(app => '${app}', manifest => '${manifest(seed)}')`;
    // Ten apps, five lanes each, each deploying manifests that move crons between the same beats.
    const results = await race.run((lane) =>
      Array.from({ length: 4 }, (_, step) => deploy(`app${lane % 10}`, lane + step)),
    );
    expect(errorsOf(results)).toEqual({});
    expect(await disagreements(sql)).toEqual([]);

    const removing = await race.run((lane) =>
      lane % 5 === 0
        ? [`select carillon.uninstall_app(app => 'app${lane % 10}')`]
        : [deploy(`app${lane % 10}`, lane)],
    );
    const errors = Object.keys(errorsOf(removing));
    // Someone else may have uninstalled it before; that is all that may go wrong.
    expect(errors.filter((error) => !error.startsWith("TK101"))).toEqual([]);
    expect(await disagreements(sql)).toEqual([]);

    const last = [{ name: "only", schedule: "0 1 1 1 *" }];
    for (let i = 0; i < 10; i += 1) await sync(sql, `app${i}`, last);
    const row = await one(sql`
      select count(*) as crons, (select count(*) from cron.job where jobname like 'carillon beat %') as jobs
      from carillon.crons`);
    expect(row).toEqual({ crons: 10, jobs: 1 });
  });
});
