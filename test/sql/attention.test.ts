import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import type { TestDatabase, TestSql } from "../helpers/database.js";
import { declare, fail, minute, newDatabase } from "./decisions.js";
import { claim, complete, createCron, createUser, fireDue, one } from "./support.js";

interface Item {
  kind: string;
  severity: string;
  text: string;
  appId: string | null;
  cronId: string | null;
  crons: { id: string; name: string }[];
  cronCount: number;
  since: string | null;
  count: number;
  error: string | null;
}

interface Attention {
  items: Item[];
  count: number;
  decided: Record<string, number> & { since: string };
}

const attention = async (sql: TestSql, args = "") =>
  (await one(sql.unsafe<{ a: Attention }[]>(`select carillon.list_attention(${args}) as a`))).a;

/** The only item of a kind. */
async function item(sql: TestSql, kind: string): Promise<Item> {
  const { items } = await attention(sql);
  const found = items.filter((one) => one.kind === kind);
  expect(found, JSON.stringify(items)).toHaveLength(1);
  return found[0]!;
}

const failWith = async (
  sql: TestSql,
  jobs: readonly { job_id: number; attempt: number }[],
  message: string,
) => {
  const outcomes = jobs.map(({ job_id, attempt }) => ({
    ...{ job_id, attempt, status: "failed", error: { name: "Error", message } },
  }));
  await sql`select carillon.finish_jobs(outcomes => ${sql.json(outcomes)})`;
};

describe("what needs somebody", () => {
  let db: TestDatabase;
  let sql: TestSql;
  beforeAll(async () => {
    db = await newDatabase();
    sql = db.sql;
  });
  afterAll(() => db.drop());
  const clear = async () => {
    await sql`delete from carillon.crons`;
    await sql`truncate carillon.ticks, carillon.job_history, carillon.job_stats, carillon.tick_stats, pgmq.q_jobs, pgmq.q_jobs_dlq`;
    await setClock(sql, "2026-03-02T10:00:30Z");
  };

  test("is nothing, with the slots that prove it", async () => {
    await declare(sql, "good");
    await declare(sql, "paused", { enabled: false });
    await minute(sql);
    await complete(sql, await claim(sql, "crm"));
    await minute(sql);
    await minute(sql);
    const found = await attention(sql);
    expect(found).toEqual({
      ...{ items: [], count: 0 },
      decided: {
        ...{ since: "2026-03-01T11:00:00.000000Z", slots: 3, onTime: 2, skipped: 1 },
        ...{ late: 0, missed: 0, denied: 0, undecided: 0 },
      },
    });
    await advanceClock(sql, "20 seconds");
    await sql`select carillon._roll_up()`;
    expect((await attention(sql)).decided).toEqual(found.decided);
    const rolled = await sql`select outcome, slots from carillon.tick_stats order by 1`;
    expect([...rolled]).toEqual([
      { outcome: "enqueued", slots: 2 },
      { outcome: "skipped", slots: 1 },
    ]);
    await clear();
  });

  test("are crons that fail, those of one error together", async () => {
    const [a, b, c] = [
      await declare(sql, "a"),
      await declare(sql, "b"),
      await declare(sql, "c", { overlapPolicy: "queue" }),
    ];
    for (let round = 0; round < 3; round += 1) {
      await minute(sql);
      const jobs = await claim(sql, "crm");
      const of = (...crons: { id: string }[]) =>
        jobs.filter(({ cron_id }) => crons.some(({ id }) => id === cron_id));
      await failWith(sql, of(a, b), `connect to 10.0.0.${round}: refused\nat somewhere`);
      if (round < 2) await failWith(sql, of(c), "out of paper");
      else await complete(sql, of(c));
    }
    expect(await item(sql, "failing")).toEqual({
      ...{ kind: "failing", severity: "critical", appId: "crm", cronId: null },
      text: "2 crons of crm fail with one error: connect to 10.0.0.2: refused",
      error: "connect to 10.0.0.2: refused",
      ...{ cronCount: 2, count: 6, since: "2026-03-02T10:01:30.000000Z" },
      crons: [
        { id: a.id, appId: "crm", name: "a" },
        { id: b.id, appId: "crm", name: "b" },
      ],
    });
    // Whoever may not see jobs learns that it fails, and not why.
    const reader = await createUser(sql, "cron-reader", ["app:crm:cron.read"]);
    const { items } = await attention(sql, `actor => '${reader}'`);
    expect(items.map(({ text, error }) => [text, error])).toEqual([["2 crons of crm fail", null]]);
    await clear();
  });

  test("is a cron that paused itself", async () => {
    const cron = await declare(sql, "mails", { maxConsecutiveFailures: 2 });
    for (let round = 0; round < 2; round += 1) {
      await minute(sql);
      await failWith(sql, await claim(sql, "crm"), "550 mailbox unavailable");
    }
    await sql`select carillon._sweep()`;
    expect(await item(sql, "self_paused")).toMatchObject({
      ...{ severity: "critical", cronId: cron.id, count: 2 },
      text: "crm / mails paused itself: 2 jobs in a row failed: 550 mailbox unavailable",
      since: "2026-03-02T10:02:30.000000Z",
    });
    await clear();
  });

  test("are crons whose owner may not fire them", async () => {
    const tom = await createUser(sql, "tom", ["app:crm:*"]);
    await sql`select carillon.create_cron(app => 'crm', name => 'report', schedule => '0 9 * * *', actor => ${tom})`;
    await sql`select carillon.update_principal(principal => ${tom}, enabled => false)`;
    expect(await item(sql, "denied")).toMatchObject({
      text: "crm / report is denied: the owner is disabled",
      ...{ cronCount: 1, severity: "critical" },
    });
    await sql`update carillon.crons set owner_id = null`;
    expect((await item(sql, "denied")).text).toBe("crm / report is denied: the owner is gone");
    await clear();
  });

  test("are slots that were missed or not decided, and crons that skip many", async () => {
    const [lost, busy, fine] = [
      await declare(sql, "lost", { catchUp: "none" }),
      await declare(sql, "busy"),
      await declare(sql, "fine"),
    ];
    await sql`update carillon.crons set enabled = false, next_fire_at = null, paused_at = carillon.now() where id <> ${lost.id}`;
    await advanceClock(sql, "5 minutes");
    await fireDue(sql);
    await sql`
      insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, msg_id, driver, decided_at)
      select x.id, carillon.now() - n * interval '1 minute', 'crm', case when n <= x.skipped then 'skipped' else 'enqueued' end,
        case when n > x.skipped then n end, 'api', carillon.now()
      from (values (${busy.id}::uuid, 15), (${fine.id}::uuid, 12)) as x (id, skipped)
      cross join lateral generate_series(1, x.skipped * case x.skipped when 15 then 10 else 11 end) as n`;
    await sql`
      insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, driver, decided_at)
      values (${fine.id}, '2026-03-01 20:00:00+00', 'crm', 'failed', 'api', carillon.now())`;
    expect((await item(sql, "missed")).text).toBe(
      "4 slots of crm / lost were missed in the last 24 hours",
    );
    expect(await item(sql, "missed")).toMatchObject({ severity: "warning", cronId: lost.id });
    expect((await item(sql, "skipping")).text).toBe(
      "crm / busy skipped 15 of 150 slots in the last 24 hours",
    );
    expect((await item(sql, "undecided")).text).toBe(
      "One slot of crm / fine could not be decided in the last 24 hours",
    );
    await advanceClock(sql, "25 hours");
    expect((await attention(sql)).items.map(({ kind }) => kind)).not.toContain("missed");
    await clear();
  });

  test("are slots that are decided much later than usual", async () => {
    for (const [hours, seconds] of [
      [0, 40],
      [5, 0.5],
      [30, 0.6],
    ] as const) {
      await sql`
        insert into carillon.job_stats (app_id, scope, step, from_at, status, jobs, first_job, last_job, durations, duration_sum,
          duration_max, waits, lags)
        values ('crm', '00000000-0000-0000-0000-000000000000', 3600, date_trunc('hour', carillon.now()) - ${hours}::integer * interval '1 hour',
          'completed', 100, 1, 100, '{}', 0, 0, '{}', array[(carillon._log_bucket(${seconds}::double precision) << 40) + 100])`;
    }
    const late = await item(sql, "late");
    expect(late).toMatchObject({ severity: "warning", appId: "crm", count: 100 });
    expect(late.text).toMatch(
      /^The slots of crm are decided late: p99 is (39|4\d)\.\d s, usually 0\.[56] s$/,
    );
    await sql`update carillon.job_stats set lags = (select lags from carillon.job_stats order by from_at desc limit 1)`;
    expect((await attention(sql)).items).toEqual([]);
    await clear();
  });

  test("are dead letters, those of one error together", async () => {
    await sql`
      insert into pgmq.q_jobs_dlq (vt, message, headers)
      select carillon.now() - n * interval '1 minute', '{"app_id": "crm", "payload": {}}',
        jsonb_build_object('reason', 'lease_lost', 'job_id', n, 'attempts', jsonb_build_array(jsonb_build_object('attempt', 1, 'error',
          jsonb_build_object('message', case when n = 4 then 'invalid VAT id' else 'carrier ' || n || ' answered 503' end))))
      from generate_series(1, 4) n`;
    const { items } = await attention(sql);
    expect(items.map(({ kind, count, text }) => [kind, count, text])).toEqual([
      ["dead_letters", 3, "3 dead letters of crm: carrier 1 answered 503"],
      ["dead_letters", 1, "One dead letter of crm: invalid VAT id"],
    ]);
    expect(items[0]?.since).toBe("2026-03-02T09:57:30.000000Z");
    const reader = await createUser(sql, "no-jobs", ["app:crm:cron.read"]);
    expect((await attention(sql, `actor => '${reader}'`)).items).toEqual([]);
    await clear();
  });

  test("are jobs that no worker takes", async () => {
    await sql`select carillon.enqueue_job(app => 'crm')`;
    await sql`select carillon.enqueue_job(app => 'crm', run_at => carillon.now() + interval '1 hour')`;
    await advanceClock(sql, "90 seconds");
    expect((await attention(sql)).items).toEqual([]);
    await advanceClock(sql, "1 minute");
    expect(await item(sql, "no_worker")).toMatchObject({
      ...{ severity: "critical", appId: "crm", count: 1, since: "2026-03-02T10:00:30.000000Z" },
      text: "No worker takes the jobs of crm: one is due, and none has been started",
    });
    // A worker is there, only slow.
    await sql`select carillon.enqueue_job(app => 'crm')`;
    const jobs = await claim(sql, "crm", 1);
    expect((await attention(sql)).items).toEqual([]);
    await complete(sql, jobs);
    await advanceClock(sql, "110 seconds");
    expect((await attention(sql)).items).toEqual([]);
    await advanceClock(sql, "20 seconds");
    expect((await item(sql, "no_worker")).count).toBe(1);
    await clear();
  });

  test("are jobs that whoever is there does not take, told apart from nobody's being there", async () => {
    const note = (worker: string, keys: string[]) =>
      sql`
        select carillon.note_worker(
          worker => ${worker}, keys => ${keys}, host => 'h', pid => 1, version => '1', concurrency => 1)`;
    const texts = async () => (await attention(sql)).items.map(({ text }) => text);
    const target = sql.json({ type: "http", url: "https://example.com" });
    await sql`select carillon.enqueue_job(app => 'crm')`;
    await sql`select carillon.enqueue_job(app => 'crm', target => ${target})`;
    await sql`select carillon.enqueue_job(app => 'crm', target => ${target})`;
    await advanceClock(sql, "3 minutes");
    expect(await texts()).toEqual([
      "No dispatcher takes the jobs with targets of crm: 2 are due, and none has been started",
      "No worker takes the jobs of crm: one is due, and none has been started",
    ]);
    // A dispatcher at work is none for the app's own jobs.
    await note("d", ["@"]);
    expect(await claim(sql, "@", 1)).toHaveLength(1);
    expect(await texts()).toEqual([
      "No worker takes the jobs of crm: one is due, and none has been started",
    ]);
    await note("w1", ["other", "crm"]);
    expect(await texts()).toEqual([
      "A worker is there, and takes none of the jobs of crm: one is due, and none has been started",
    ]);
    await note("w2", ["crm"]);
    expect((await item(sql, "no_worker")).text).toMatch(/^2 workers are there, and take none/);
    await advanceClock(sql, "91 seconds");
    expect((await texts()).filter((text) => text.startsWith("No worker takes"))).toHaveLength(1);
    await sql`truncate carillon.workers`;
    await clear();
  });

  test("are crons that somebody paused long ago", async () => {
    await declare(sql, "old", { enabled: false });
    await declare(sql, "older", { enabled: false });
    await advanceClock(sql, "8 days");
    await declare(sql, "new", { enabled: false });
    expect(await item(sql, "forgotten")).toMatchObject({
      ...{ severity: "info", cronCount: 2, count: 2 },
      text: "2 crons of crm have been paused for more than 7 days",
    });
    await clear();
  });

  test("is a copy of the database, for who may see the installation", async () => {
    await sql`update carillon.settings set value = '{"systemIdentifier": "1", "database": "x"}' where key = 'home'`;
    expect((await item(sql, "clone")).severity).toBe("critical");
    const reader = await createUser(sql, "app-reader", ["app:crm:*"]);
    expect((await attention(sql, `actor => '${reader}'`)).items).toEqual([]);
    await sql`select carillon.release_clone()`;
    expect((await attention(sql)).items).toEqual([]);
  });

  test("is told of the apps that one may read, and of one app where asked", async () => {
    await sql`select carillon.install_app(app => 'ops')`;
    for (const app of ["crm", "ops"]) {
      await createCron(sql, app, "c");
      for (let round = 0; round < 2; round += 1) {
        await minute(sql);
        await fail(sql, await claim(sql, app));
      }
    }
    expect((await item(sql, "failing")).text).toBe("2 crons fail with one error: no");
    const reader = await createUser(sql, "ops-reader", ["app:ops:cron.read", "app:ops:job.read"]);
    for (const args of [`actor => '${reader}'`, "app => 'ops'"]) {
      const { items } = await attention(sql, args);
      expect(items.map(({ text }) => text)).toEqual(["ops / c failed 2 times in a row: no"]);
    }
    expect((await attention(sql, `actor => '${reader}', app => 'crm'`)).items).toEqual([]);
    await clear();
  });
});

interface Overview {
  now: string;
  hours: {
    at: string;
    jobs: Record<string, number>;
    slots: Record<string, number>;
    lag: { p50: number; p99: number } | null;
  }[];
  running: { jobId: number; name: string | null; p95: number | null; progress: unknown }[];
  queues: { appId: string; due: object; oldestDueAt: string | null; running: number }[];
  workers: { worker: string; running: number }[];
  pgCron: object | null;
}

const overview = async (sql: TestSql, args = "") =>
  (await one(sql.unsafe<{ o: Overview }[]>(`select carillon.get_overview(${args}) as o`))).o;

test("the overview has the last 24 hours, what runs, what waits, and who works", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const quick = await declare(sql, "quick", { overlapPolicy: "queue" });
  await declare(sql, "slow", { overlapPolicy: "queue" });
  const empty = await overview(sql);
  expect(empty.hours).toHaveLength(24);
  expect(empty).toMatchObject({ running: [], queues: [], workers: [] });
  await minute(sql);
  const jobs = await claim(sql, "crm");
  await advanceClock(sql, "1 second");
  await complete(
    sql,
    jobs.filter(({ cron_id }) => cron_id === quick.id),
  );
  await advanceClock(sql, "9 seconds");
  await fail(
    sql,
    jobs.filter(({ cron_id }) => cron_id !== quick.id),
  );
  await advanceClock(sql, "1 hour");
  await sql`select carillon._roll_up()`;
  await fireDue(sql);
  const running = await claim(sql, "crm", 100, 60, "crm-7f2c");
  await sql`select carillon.enqueue_job(app => 'crm')`;
  await sql`select carillon.enqueue_job(app => 'crm', run_at => carillon.now() + interval '1 day')`;
  await advanceClock(sql, "5 seconds");
  const found = await overview(sql);
  expect(found.now).toBe("2026-03-02T11:01:45.000000Z");
  expect(found.hours.at(-1)?.at).toBe("2026-03-02T11:00:00.000000Z");
  expect(found.hours.at(-2)).toMatchObject({
    jobs: { completed: 1, failed: 1, canceled: 0 },
    slots: { enqueued: 2, missed: 0 },
    lag: { p50: expect.closeTo(30, -0.5) as number },
  });
  // Caught up: one of each cron; the others of the hour are missed.
  expect(found.hours.at(-1)?.slots).toMatchObject({ missed: 118, skipped: 0 });
  expect(running).toHaveLength(2);
  // Five seconds is long for the one, and short for the other.
  expect(found.running.map(({ name }) => name)).toEqual(["quick", "slow"]);
  expect(found.running[0]?.p95).toBeCloseTo(1, 0);
  expect(found.running[1]?.p95).toBeCloseTo(10, -1);
  expect(found.queues).toEqual([
    {
      ...{ appId: "crm", due: { count: 1, capped: false }, running: 2 },
      oldestDueAt: "2026-03-02T11:01:40.000000Z",
    },
  ]);
  expect(found.workers).toEqual([
    { appId: "crm", worker: "crm-7f2c", running: 2, since: "2026-03-02T11:01:40.000000Z" },
  ]);
  expect(found.pgCron).toMatchObject({ stuck: false });
  const reader = await createUser(sql, "reader", ["app:crm:cron.read"]);
  expect(await overview(sql, `actor => '${reader}'`)).toMatchObject({
    ...{ running: [], queues: [], workers: [], pgCron: null },
  });
});
