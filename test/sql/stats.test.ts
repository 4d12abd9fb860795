import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import {
  connect,
  createTestDatabase,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { newDatabase } from "./decisions.js";
import { claim, complete, createCron, one, refusal } from "./support.js";

interface Summary {
  completed: number;
  failed: number;
  canceled: number;
  successRate: number | null;
  duration: { p50: number; p95: number; p99: number; mean: number; max: number } | null;
  wait: { p50: number; p95: number; p99: number } | null;
  lag: { p50: number; p95: number; p99: number } | null;
}

interface Stats {
  from: string;
  to: string;
  bucket: string;
  timezone: string;
  total: Summary;
  buckets: (Summary & { from: string; to: string })[];
}

const stats = async (sql: TestSql, args: string, app = "crm") =>
  (await one(sql.unsafe<{ s: Stats }[]>(`select carillon.get_stats(app => '${app}'${args}) as s`)))
    .s;

const rollUp = (sql: TestSql) => sql`select carillon._roll_up()`;

interface Ended {
  cron_id: string | null;
  status: string;
  enqueued_at: Date;
  started_at: Date;
  finished_at: Date;
  duration: number;
  wait: number;
  lag: number | null;
}

/** The value at a rank, as the definition of a percentile has it. */
function percentile(values: number[], percent: number): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.ceil((percent / 100) * sorted.length) - 1] ?? NaN;
}

const counted = (jobs: Ended[], status: string) =>
  jobs.filter((job) => job.status === status).length;

/** Counts are exact, percentiles right to 5 %. */
function expectSummary(found: Summary, jobs: Ended[]): void {
  const [completed, failed] = [counted(jobs, "completed"), counted(jobs, "failed")];
  expect(found).toMatchObject({ completed, failed, canceled: counted(jobs, "canceled") });
  if (completed + failed === 0) expect(found.successRate).toBeNull();
  else expect(found.successRate).toBeCloseTo(completed / (completed + failed), 5);
  for (const metric of ["duration", "wait", "lag"] as const) {
    const values = jobs.flatMap((job) => job[metric] ?? []);
    if (values.length === 0) {
      expect(found[metric]).toBeNull();
      continue;
    }
    for (const percent of [50, 95, 99] as const) {
      const right = Math.max(percentile(values, percent), 0.0001);
      const value = found[metric]?.[`p${percent}`] ?? NaN;
      expect(
        Math.abs(value / right - 1),
        `${metric} p${percent} ${value} ${right}`,
      ).toBeLessThanOrEqual(0.05);
    }
  }
  const durations = jobs.map(({ duration }) => duration);
  if (durations.length > 0) {
    expect(found.duration?.max).toBeCloseTo(Math.max(...durations), 3);
    expect(found.duration?.mean).toBeCloseTo(
      durations.reduce((a, b) => a + b) / durations.length,
      3,
    );
  }
}

describe("statistics", () => {
  let db: TestDatabase;
  let sql: TestSql;
  let cron: string;
  let jobs: Ended[];

  // Two days around the night in which New York's clocks go forward (8 March 2026).
  beforeAll(async () => {
    db = await createTestDatabase();
    sql = db.sql;
    await setClock(sql, "2026-03-07T00:00:00Z");
    await sql`select carillon._ensure_partitions()`;
    for (const app of ["crm", "shop"]) await sql`select carillon.install_app(app => ${app})`;
    cron = (await createCron(sql, "crm", "c")).id;
    await sql`select setseed(0.5)`;
    await sql`
      insert into carillon.job_history (job_id, app_id, cron_id, scheduled_for, trigger, status, headers, error, attempt,
        enqueued_at, started_at, finished_at)
      select i, case when i % 9 = 0 then 'shop' else 'crm' end, j.cron, j.at, case when j.cron is null then 'api' else 'automatic' end,
        j.status, case when i % 4 = 0 then jsonb_build_object('due_at', j.at + interval '1 second') else '{}' end,
        case j.status when 'failed' then '{"message": "no"}'::jsonb end, 1,
        j.at + interval '0.02 seconds' * exp(random() * 3), j.at + interval '1.5 seconds' + interval '0.1 seconds' * exp(random() * 4),
        j.at + interval '8 seconds' + interval '0.3 seconds' * exp(random() * 6)
      from (
        select i, case when i % 3 = 0 and i % 9 <> 0 then ${cron}::uuid end as cron,
          (array['completed', 'completed', 'completed', 'failed', 'canceled'])[1 + floor(random() * 5)::integer] as status,
          timestamptz '2026-03-07T00:00:00Z' + i * interval '57 seconds' as at
        from generate_series(1, 3000) i
      ) j`;
    jobs = await sql<Ended[]>`
      select *, extract(epoch from finished_at - started_at)::float8 as duration,
        greatest(0, extract(epoch from started_at - greatest(enqueued_at, (headers ->> 'due_at')::timestamptz)))::float8 as wait,
        case when trigger = 'automatic' then extract(epoch from enqueued_at - scheduled_for)::float8 end as lag
      from carillon.job_history where app_id = 'crm'`;
    await setClock(sql, "2026-03-09T00:00:00Z");
  });
  afterAll(() => db.drop());

  /** Holds an answer against the jobs themselves. */
  function expectStats(answer: Stats, of: Ended[]): void {
    const within = (job: Ended, { from, to }: { from: string; to: string }) =>
      job.finished_at >= new Date(from) && job.finished_at < new Date(to);
    expect(of.filter((job) => within(job, answer)).length).toBeGreaterThan(10);
    for (const bucket of answer.buckets)
      expectSummary(
        bucket,
        of.filter((job) => within(job, bucket)),
      );
    expectSummary(
      answer.total,
      of.filter((job) => within(job, answer)),
    );
    const [first] = answer.buckets;
    expect([first?.from, answer.buckets.at(-1)?.to]).toEqual([answer.from, answer.to]);
    answer.buckets.slice(1).forEach(({ from }, at) => expect(from).toBe(answer.buckets[at]?.to));
  }

  const WINDOWS = [
    [
      "1m",
      ", from_at => '2026-03-08 05:13:20+00', to_at => '2026-03-08 06:40:00+00', bucket => '1m'",
    ],
    [
      "5m",
      ", from_at => '2026-03-08 05:13:20+00', to_at => '2026-03-08 09:41:00+00', bucket => '5m'",
    ],
    ["15m", ", from_at => '2026-03-07 05:13:20+00', bucket => '15m'"],
    ["1h", ", from_at => '2026-03-07 00:00+00', bucket => '1h', timezone => 'Asia/Kolkata'"],
    ["6h", ", from_at => '2026-03-07 09:00+00', bucket => '6h', timezone => 'America/New_York'"],
    ["1d", ", from_at => '2026-03-07 09:00+00', bucket => '1d'"],
    ["1d", ", from_at => '2026-03-07 09:00+00', bucket => '1d', timezone => 'America/New_York'"],
  ] as const;

  test("are right before anything is rolled up, and the same after every step of that", async () => {
    const ask = async (check: boolean) => {
      const answers: Stats[] = [];
      for (const [bucket, args] of WINDOWS) {
        for (const [of, which] of [
          ["", jobs],
          [`, cron => '${cron}'`, jobs.filter(({ cron_id }) => cron_id === cron)],
        ] as const) {
          const answer = await stats(sql, args + of);
          expect(answer.bucket).toBe(bucket);
          if (check) expectStats(answer, which);
          answers.push(answer);
        }
      }
      return answers;
    };
    const direct = await ask(true);
    for (const to of [
      "2026-03-07 00:00:07+00",
      "2026-03-08 05:47:31+00",
      "2026-03-08 05:47:31.5+00",
      "2026-03-08 23:00+00",
    ]) {
      await sql`select carillon._roll_up_span(carillon._stats_until(), ${to}::timestamptz)`;
      await sql`
        insert into carillon.settings values ('stats_until', to_jsonb(${to}::text))
        on conflict (key) do update set value = excluded.value`;
      const rolled = await ask(false);
      const bare = (answers: Stats[]) =>
        JSON.stringify(answers, (key, value: unknown) => (key === "mean" ? undefined : value));
      expect(bare(rolled)).toBe(bare(direct));
    }
  });

  test("have buckets by the wall clock: a day of 23 hours, hours that exist", async () => {
    const day = await stats(
      sql,
      ", from_at => '2026-03-07 12:00+00', bucket => '1d', timezone => 'America/New_York'",
    );
    expect(day.buckets.map(({ from }) => from.slice(0, 16))).toEqual([
      "2026-03-07T05:00",
      "2026-03-08T05:00",
    ]);
    expect(day.to.slice(0, 16)).toBe("2026-03-09T04:00");
    const six = await stats(
      sql,
      ", from_at => '2026-03-08 05:30+00', bucket => '6h', timezone => 'America/New_York'",
    );
    expect(six.buckets.map(({ from }) => from.slice(11, 16))).toEqual([
      "05:00",
      "10:00",
      "16:00",
      "22:00",
    ]);
    const hours = await stats(
      sql,
      ", from_at => '2026-03-08 04:10+00', to_at => '2026-03-08 08:00+00', bucket => '1h', timezone => 'America/New_York'",
    );
    expect(hours.buckets.map(({ from }) => from.slice(11, 16))).toEqual([
      "04:00",
      "05:00",
      "06:00",
      "07:00",
    ]);
    const india = await stats(
      sql,
      ", from_at => '2026-03-07 12:00+00', to_at => '2026-03-07 13:00+00', bucket => '1h', timezone => 'Asia/Kolkata'",
    );
    expect(india.buckets.map(({ from }) => from.slice(11, 16))).toEqual(["11:30", "12:30"]);
  });

  test("of an app have nothing of another", async () => {
    const { total } = await stats(sql, ", from_at => '2026-03-07 00:00+00'", "shop");
    const [all] = await sql<
      { n: number }[]
    >`select count(*) as n from carillon.job_history where app_id = 'shop'`;
    expect(total.completed + total.failed + total.canceled).toBe(all?.n);
    const foreign = await stats(
      sql,
      `, from_at => '2026-03-07 00:00+00', cron => '${cron}'`,
      "shop",
    );
    expect(foreign.total).toMatchObject({
      completed: 0,
      failed: 0,
      duration: null,
      successRate: null,
    });
  });

  test.each([
    ["bucket", ", bucket => '2h'"],
    ["bucket", ", from_at => '2026-03-06 00:00+00', bucket => '1m'"],
    ["from", ", from_at => '2026-03-05 00:00+00', to_at => '2026-03-05 01:00+00', bucket => '1m'"],
    ["from", ", from_at => '-infinity'"],
    ["to", ", from_at => '2026-03-08 00:00+00', to_at => '2026-03-08 00:00+00'"],
  ])("refuse a wrong %s%s", async (field, args) => {
    expect(await refusal(stats(sql, args))).toMatchObject({ code: "TK001", field });
  });

  test("refuse an unknown app and zone", async () => {
    expect(await refusal(stats(sql, "", "nowhere"))).toMatchObject({ code: "TK101" });
    expect(await refusal(stats(sql, ", timezone => 'Mars/Base'"))).toMatchObject({ code: "TK003" });
  });
});

describe("rolling up", () => {
  const total = async (sql: TestSql) =>
    (await stats(sql, ", from_at => carillon.now() - interval '1 day'")).total.completed;
  const rolled = async (sql: TestSql) =>
    (
      await one(sql<{ n: number }[]>`
        select coalesce(sum(jobs), 0)::int as n from carillon.job_stats
        where step = 900 and scope = '00000000-0000-0000-0000-000000000000'`)
    ).n;

  test("counts each job once, sweep by sweep, and is no part of finishing jobs", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    let done = 0;
    for (let round = 0; round < 4; round += 1) {
      await sql`select carillon.enqueue_job(app => 'crm') from generate_series(1, 7)`;
      done += (await complete(sql, await claim(sql, "crm"))).length;
      expect(await total(sql)).toBe(done);
      await advanceClock(sql, "1 minute");
      await sql`select carillon.sweep()`;
      await sql`select carillon.sweep()`;
      expect(await rolled(sql)).toBe(done);
      expect(await total(sql)).toBe(done);
    }
    expect(done).toBe(28);
  });

  test("waits for whoever may still commit a job that ended before", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await rollUp(sql);
    await sql`select carillon.enqueue_job(app => 'crm') from generate_series(1, 2)`;
    const [early, late] = await claim(sql, "crm");
    const slow = connect(db.url, 1);
    let release = () => undefined as void;
    const held = slow.begin(async (tx) => {
      const outcome = [{ job_id: late!.job_id, attempt: late!.attempt, status: "completed" }];
      await tx`select carillon.finish_jobs(outcomes => ${tx.json(outcome)})`;
      await new Promise<void>((resolve) => (release = resolve));
    });
    for (;;) {
      const [row] =
        await sql`select pid from pg_stat_activity where state = 'idle in transaction' and query ~ 'finish_jobs'`;
      if (row) break;
    }
    await complete(sql, [early!]);
    for (let minute = 0; minute < 4; minute += 1) {
      await advanceClock(sql, "1 minute");
      await rollUp(sql);
      expect(await total(sql)).toBe(1);
    }
    expect(await rolled(sql)).toBe(0);
    release();
    await held;
    await advanceClock(sql, "1 minute");
    await rollUp(sql);
    await advanceClock(sql, "1 minute");
    await rollUp(sql);
    expect(await rolled(sql)).toBe(2);
    expect(await total(sql)).toBe(2);
    await slow.end();
  });

  test("goes on while others work without a pause, a step behind", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await rollUp(sql);
    // At every look somebody writes, but never the same one twice.
    const writers = connect(db.url, 2);
    for (let round = 0; round < 3; round += 1) {
      await sql`select carillon.enqueue_job(app => 'crm')`;
      await complete(sql, await claim(sql, "crm"));
      await advanceClock(sql, "1 minute");
      await writers.begin(async (tx) => {
        await tx`select carillon.enqueue_job(app => 'crm', run_at => '2099-01-01')`;
        await rollUp(sql);
      });
    }
    expect(await rolled(sql)).toBe(2);
    await writers.end();
  });

  test("forgets the minutes after three days, and keeps the days", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.enqueue_job(app => 'crm')`;
    await complete(sql, await claim(sql, "crm"));
    await advanceClock(sql, "1 minute");
    await sql`select carillon.sweep()`;
    const steps = async () =>
      (await sql<{ step: number }[]>`select distinct step from carillon.job_stats order by 1`).map(
        ({ step }) => step,
      );
    expect(await steps()).toEqual([60, 900, 3600, 86400]);
    await advanceClock(sql, "4 days");
    await sql`select carillon.sweep()`;
    expect(await steps()).toEqual([900, 3600, 86400]);
    await advanceClock(sql, "397 days");
    await sql`select carillon.sweep()`;
    expect(await steps()).toEqual([86400]);
  });
});
