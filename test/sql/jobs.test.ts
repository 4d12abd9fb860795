import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestSql } from "../helpers/database.js";
import {
  claim,
  complete,
  createCron,
  createUser,
  fingerprint,
  fireDue,
  type Job,
  one,
  refusal,
} from "./support.js";

async function newDatabase() {
  const db = await createTestDatabase();
  await setClock(db.sql, "2026-03-02T10:00:00Z");
  await db.sql`select carillon.install_app(app => 'crm')`;
  return db;
}

const enqueue = async (
  sql: TestSql,
  app = "crm",
  payload: object = {},
  runAt: string | null = null,
) =>
  (
    await one(sql<{ id: number }[]>`
      select carillon.enqueue_job(
        app => ${app}, payload => ${sql.json(payload as never)}, run_at => ${runAt}) as id`)
  ).id;

const getJob = (sql: TestSql, id: number) =>
  one(sql`
  select * from carillon.get_job(job => ${id})`);

const statusOf = async (sql: TestSql, id: number) => (await getJob(sql, id)).status as string;

const leases = (jobs: readonly Job[]) => ({
  ids: jobs.map((job) => job.job_id),
  attempts: jobs.map((job) => job.attempt),
});

const extend = async (sql: TestSql, jobs: readonly Job[], seconds = 30) => {
  const { ids, attempts } = leases(jobs);
  const rows = await sql<{ id: number }[]>`
    select * from carillon.extend_leases(
      job_ids => ${ids}, attempts => ${attempts}, lease_seconds => ${seconds}) as id`;
  return rows.map(({ id }) => id);
};

const release = async (sql: TestSql, jobs: readonly Job[]) => {
  const { ids, attempts } = leases(jobs);
  const rows = await sql<{ id: number }[]>`
    select * from carillon.release_jobs(job_ids => ${ids}, attempts => ${attempts}) as id`;
  return rows.map(({ id }) => id);
};

const finish = async (sql: TestSql, outcomes: readonly object[]) => {
  const rows = await sql<{ id: number }[]>`
    select * from carillon.finish_jobs(outcomes => ${sql.json(outcomes as never)}) as id`;
  return rows.map(({ id }) => id);
};

describe("enqueue_job", () => {
  test("enqueues in the caller's transaction, for the system unless told for whom", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ann = await createUser(sql, "ann", ["x"]);
    await sql
      .begin(async (tx) => {
        await tx`select carillon.enqueue_job(app => 'crm')`;
        throw new Error("undone");
      })
      .catch(() => undefined);
    const { id } = await one(sql<{ id: number }[]>`
      select carillon.enqueue_job(app => 'crm', payload => '{"a": [1]}', user_id => ${ann}) as id`);
    expect(await sql`select job_id from carillon.list_jobs(app => 'crm')`).toEqual([
      { job_id: id },
    ]);
    expect(await getJob(sql, id)).toMatchObject({
      app_id: "crm",
      cron_id: null,
      trigger: "api",
      status: "queued",
      user_id: ann,
      payload: { a: [1] },
      attempt: 0,
      worker: null,
      enqueued_at: new Date("2026-03-02T10:00:00Z"),
      due_at: new Date("2026-03-02T10:00:00Z"),
      started_at: null,
      finished_at: null,
    });
    const system = await one(sql`select carillon._system_principal() as id`);
    expect((await getJob(sql, await enqueue(sql))).user_id).toBe(system.id);
  });

  test("delays until run_at; the past means now", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const later = await enqueue(sql, "crm", {}, "2026-03-02T10:05:00Z");
    const past = await enqueue(sql, "crm", {}, "2020-01-01T00:00:00Z");
    expect(await statusOf(sql, later)).toBe("pending");
    expect((await getJob(sql, past)).due_at).toEqual(new Date("2026-03-02T10:00:00Z"));
    expect((await claim(sql, "crm")).map((job) => job.job_id)).toEqual([past]);
    const wait = () => one(sql`select carillon.next_job_in(apps => '{crm}') as seconds`);
    expect(await wait()).toEqual({ seconds: 30 }); // the lease of the other one
    await advanceClock(sql, "5 minutes");
    expect(await statusOf(sql, later)).toBe("queued");
    expect(await claim(sql, "crm", 1, 30, "w2")).toMatchObject([{ attempt: 2 }]);
  });

  test.each([
    ["payload", "TK001", "payload => '[1]'"],
    ["payload", "TK001", "payload => '\"x\"'"],
    ["payload", "TK001", "payload => 'null'"],
    ["payload", "TK001", "payload => null"],
    ["payload", "TK001", "payload => jsonb_build_object('a', repeat('x', 1048577))"],
    ["userId", "TK001", "user_id => gen_random_uuid()"],
    ["runAt", "TK001", "run_at => 'infinity'"],
    ["runAt", "TK001", "run_at => '10000-01-01Z'"],
  ])("refuses a wrong %s (%s): %s", async (field, code, args) => {
    await using db = await newDatabase();
    const { sql } = db;
    const before = await fingerprint(sql);
    const refused = await refusal(sql.unsafe(`select carillon.enqueue_job(app => 'crm', ${args})`));
    expect(refused).toMatchObject({ code, field });
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("refuses an app that is not installed", async () => {
    await using db = await newDatabase();
    expect(await refusal(enqueue(db.sql, "nope"))).toMatchObject({ code: "TK101" });
    expect(await refusal(enqueue(db.sql, "No"))).toMatchObject({ code: "TK001", field: "appId" });
  });
});

describe("claim_jobs", () => {
  test("leases the oldest due first, only of its apps, no more than asked", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'shop')`;
    await sql`select carillon.install_app(app => 'other')`;
    const first = await enqueue(sql, "crm", { n: 1 });
    const second = await enqueue(sql, "crm", { n: 2 });
    const early = await enqueue(sql, "crm", { n: 3 });
    await sql`update pgmq.q_jobs set vt = vt - interval '1 minute' where msg_id = ${early}`;
    const shop = await enqueue(sql, "shop");
    await enqueue(sql, "other");

    const two = await claim(sql, "crm", 2, 30, "w1");
    expect(two.map((job) => job.job_id)).toEqual([early, first]);
    expect(two[1]).toMatchObject({
      attempt: 1,
      app_id: "crm",
      payload: { n: 1 },
      trigger: "api",
      username: "system",
    });
    expect(await getJob(sql, first)).toMatchObject({
      status: "running",
      worker: "w1",
      attempt: 1,
      started_at: new Date("2026-03-02T10:00:00Z"),
      due_at: new Date("2026-03-02T10:00:30Z"),
    });
    const rest = await claim(sql, ["shop", "crm", "crm"], 10, 30, "w2");
    expect(rest.map((job) => job.job_id)).toEqual([shop, second]);
    expect(await claim(sql, "crm")).toEqual([]);
    expect(await claim(sql, "other", 0)).toEqual([]);
    expect(
      await sql`select * from carillon.claim_jobs(apps => '{}', worker => 'w', max_jobs => 1, lease_seconds => 1)`,
    ).toEqual([]);
  });

  test("tells a cron's job which slot it is for", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await createCron(sql, "crm", "c");
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    expect(await claim(sql, "crm")).toMatchObject([
      {
        cron_id: cron.id,
        scheduled_for: new Date("2026-03-02T10:01:00Z"),
        trigger: "automatic",
        payload: { cron_id: cron.id },
      },
    ]);
  });

  test.each([
    ["apps", "apps => null, worker => 'w', max_jobs => 1, lease_seconds => 1"],
    ["worker", "apps => '{crm}', worker => null, max_jobs => 1, lease_seconds => 1"],
    ["maxJobs", "apps => '{crm}', worker => 'w', max_jobs => null, lease_seconds => 1"],
    ["maxJobs", "apps => '{crm}', worker => 'w', max_jobs => -1, lease_seconds => 1"],
    ["leaseSeconds", "apps => '{crm}', worker => 'w', max_jobs => 1, lease_seconds => null"],
    ["leaseSeconds", "apps => '{crm}', worker => 'w', max_jobs => 1, lease_seconds => 0"],
  ])("refuses a wrong %s: %s", async (field, args) => {
    await using db = await newDatabase();
    const { sql } = db;
    await enqueue(sql);
    const before = await fingerprint(sql);
    const refused = await refusal(sql.unsafe(`select carillon.claim_jobs(${args})`));
    expect(refused).toMatchObject({ code: "TK001", field });
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("gives every job to one worker only, however many claim at once", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.enqueue_job(app => 'crm') from generate_series(1, 400)`;
    const claims = await Promise.all(
      Array.from({ length: 40 }, (_, i) => claim(sql, "crm", 11, 30, `w${i}`)),
    );
    const ids = claims.flat().map((job) => job.job_id);
    expect(new Set(ids).size).toBe(ids.length);
    const left = await claim(sql, "crm", 1000);
    expect(ids.length + left.length).toBe(400);
  });
});

describe("finish_jobs", () => {
  test("moves jobs to the history with their outcome", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ids = [await enqueue(sql, "crm", { n: 1 }), await enqueue(sql), await enqueue(sql)];
    const jobs = await claim(sql, "crm", 3, 30, "w1");
    await advanceClock(sql, "10 seconds");
    const error = { name: "TypeError", message: "x is not a function" };
    const moved = await finish(sql, [
      { job_id: ids[0], attempt: 1, status: "completed", result: { ok: [1, "ü"] } },
      { job_id: ids[1], attempt: 1, status: "failed", error },
      { job_id: ids[2], attempt: 1, status: "completed", result: null },
    ]);
    expect(moved.sort((x, y) => x - y)).toEqual(ids);
    expect(await sql`select from pgmq.q_jobs`).toHaveLength(0);
    expect(await getJob(sql, ids[0]!)).toMatchObject({
      status: "completed",
      result: { ok: [1, "ü"] },
      error: null,
      payload: { n: 1 },
      attempt: 1,
      worker: "w1",
      started_at: new Date("2026-03-02T10:00:00Z"),
      finished_at: new Date("2026-03-02T10:00:10Z"),
      headers: { trigger: "api" },
    });
    expect(await getJob(sql, ids[1]!)).toMatchObject({ status: "failed", error, result: null });
    expect(await getJob(sql, ids[2]!)).toMatchObject({ status: "completed", result: null });
    expect(await complete(sql, jobs)).toEqual([]);
    expect(await sql`select from carillon.job_history`).toHaveLength(3);
  });

  test("is fenced: only the attempt that holds the lease finishes the job", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql);
    expect(await finish(sql, [{ job_id: id, attempt: 0, status: "completed" }])).toEqual([]);
    const old = await claim(sql, "crm", 1, 30, "w1");
    await advanceClock(sql, "31 seconds");
    const current = await claim(sql, "crm", 1, 30, "w2");
    expect(current).toMatchObject([{ job_id: id, attempt: 2 }]);
    const before = await fingerprint(sql);
    expect(await complete(sql, old)).toEqual([]);
    expect(await extend(sql, old)).toEqual([]);
    expect(await release(sql, old)).toEqual([]);
    expect(await fingerprint(sql)).toEqual(before);
    expect(await complete(sql, current)).toEqual([id]);
    expect(await getJob(sql, id)).toMatchObject({ attempt: 2, worker: "w2" });
  });

  test("still takes an outcome after the lease, while nobody else has the job", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql);
    const jobs = await claim(sql, "crm", 1, 30);
    await advanceClock(sql, "10 minutes");
    expect(await complete(sql, jobs)).toEqual([id]);
  });

  test.each([
    ["not an array", { job_id: 1 }],
    ["a scalar", 3],
  ])("refuses %s", async (_what, outcomes) => {
    await using db = await newDatabase();
    const refused = await refusal(finish(db.sql, outcomes as never));
    expect(refused).toMatchObject({ code: "TK001", field: "outcomes" });
  });

  test("keeps the whole batch out when one outcome is not a possible one", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ids = [await enqueue(sql), await enqueue(sql)];
    await claim(sql, "crm");
    const before = await fingerprint(sql);
    const good = { job_id: ids[0], attempt: 1, status: "completed" };
    for (const wrong of [
      { status: "done" },
      { status: "failed" },
      { status: "completed", error: { message: "x" } },
    ]) {
      await refusal(finish(sql, [good, { job_id: ids[1], attempt: 1, ...wrong }]));
    }
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("leases", () => {
  test("extending keeps the job, releasing hands it back at once and does not count as lost", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql);
    let jobs = await claim(sql, "crm", 1, 30);
    await advanceClock(sql, "20 seconds");
    expect(await extend(sql, jobs, 60)).toEqual([id]);
    await advanceClock(sql, "50 seconds");
    expect(await claim(sql, "crm")).toEqual([]);
    for (let delivery = 1; delivery <= 9; delivery += 1) {
      expect(await release(sql, jobs)).toEqual([id]);
      expect(await statusOf(sql, id)).toBe("queued");
      jobs = await claim(sql, "crm", 1, 30);
      expect(jobs).toMatchObject([{ job_id: id, attempt: delivery + 1 }]);
    }
    expect(await complete(sql, jobs)).toEqual([id]);
    const { headers } = await getJob(sql, id);
    expect(headers).not.toHaveProperty("lost");
    expect(headers).not.toHaveProperty("attempts");
  });

  test("five that are lost fail the job, with a copy in the queue jobs_dlq", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, "crm", { n: 1 });
    for (let delivery = 1; delivery <= 5; delivery += 1) {
      const jobs = await claim(sql, "crm", 1, 30, `w${delivery}`);
      expect(jobs).toMatchObject([{ job_id: id, attempt: delivery }]);
      await sql`select carillon.sweep()`;
      expect(await statusOf(sql, id)).toBe("running");
      await advanceClock(sql, "31 seconds");
    }
    expect(await claim(sql, "crm")).toEqual([]);
    expect(await sql`select carillon.sweep() as s`).toMatchObject([{ s: { buried: 1 } }]);
    expect(await sql`select carillon.sweep() as s`).toMatchObject([{ s: { buried: 0 } }]);
    const job = await getJob(sql, id);
    expect(job).toMatchObject({
      status: "failed",
      attempt: 5,
      worker: "w5",
      error: {
        name: "LeaseLost",
        message: "delivered 5 times, and every worker stopped reporting",
      },
    });
    const { attempts, lost } = job.headers as { attempts: unknown[]; lost: number };
    expect(lost).toBe(5);
    expect(attempts).toMatchObject(
      [1, 2, 3, 4, 5].map((attempt) => ({
        attempt,
        worker: `w${attempt}`,
        error: { name: "LeaseLost" },
      })),
    );
    const dead = await sql`select message, headers from pgmq.q_jobs_dlq`;
    expect(dead).toMatchObject([
      {
        message: { app_id: "crm", payload: { n: 1 } },
        headers: { job_id: id, reason: "lease_lost", trigger: "api" },
      },
    ]);
    expect(await sql`select from pgmq.q_jobs`).toHaveLength(0);
  });

  test("lost and then finished: the earlier attempts stay on record", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql);
    await claim(sql, "crm", 1, 30, "dead");
    await advanceClock(sql, "31 seconds");
    await complete(sql, await claim(sql, "crm", 1, 30, "alive"));
    expect(await getJob(sql, id)).toMatchObject({
      status: "completed",
      worker: "alive",
      headers: {
        lost: 1,
        attempts: [{ attempt: 1, worker: "dead", startedAt: "2026-03-02T10:00:00+00:00" }],
      },
    });
  });

  test("that are extended wait for nobody: a job being finished is not held, the others are", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ids = [await enqueue(sql), await enqueue(sql), await enqueue(sql)];
    const jobs = await claim(sql, "crm", 3, 30);
    await sql.begin(async (tx) => {
      const outcome = { job_id: ids[1]!, attempt: 1, status: "completed" };
      await tx`select carillon.finish_jobs(outcomes => ${tx.json([outcome])})`;
      expect(await extend(sql, [...jobs].reverse())).toEqual(
        expect.arrayContaining([ids[0], ids[2]]),
      );
    });
    expect(await statusOf(sql, ids[1]!)).toBe("completed");
  });

  test("of no length are refused", async () => {
    await using db = await newDatabase();
    for (const seconds of [0, -1, null]) {
      const refused = await refusal(extend(db.sql, [], seconds!));
      expect(refused).toMatchObject({ code: "TK001", field: "leaseSeconds" });
    }
  });
});

test("heartbeats, outcomes and a cancellation of the same jobs at once do not deadlock", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  for (let round = 0; round < 6; round += 1) {
    await sql`select carillon.enqueue_job(app => 'crm') from generate_series(1, 300)`;
    const jobs = await claim(sql, "crm", 300, 30);
    // Rows that lie in another order than their ids, and statistics that tempt to a hash join.
    await sql`update pgmq.q_jobs set vt = vt where msg_id % 3 = 0`;
    await sql`vacuum analyze pgmq.q_jobs`;
    const half = (part: number) => jobs.filter((_, at) => at % 2 === part);
    const beats = Array.from({ length: 4 }, () => extend(sql, jobs));
    await Promise.all([...beats, complete(sql, half(0)), complete(sql, half(1))]);
  }
  expect(await sql`select from pgmq.q_jobs`).toHaveLength(0);
  expect(await sql`select from carillon.job_history`).toHaveLength(1800);
});

describe("lists", () => {
  test("are newest first, live or finished, of one cron where asked, within the app", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'shop')`;
    await enqueue(sql, "shop");
    const cron = await createCron(sql, "crm", "c");
    const plain = await enqueue(sql);
    await complete(sql, await claim(sql, "crm"));
    const { id: triggered } = await one(sql<{ id: number }[]>`
      select carillon.trigger_cron(cron => ${cron.id}) as id`);
    const live = await enqueue(sql);
    const list = async (args: string) =>
      (await sql.unsafe(`select job_id from carillon.list_jobs(app => 'crm'${args})`)).map(
        (row) => row.job_id as number,
      );
    const filter = (given: object) => `, filter => '${JSON.stringify(given)}'`;
    expect(await list("")).toEqual([live, triggered, plain]);
    expect(await list(", max_rows => 1")).toEqual([live]);
    expect(await list(filter({ status: "live" }))).toEqual([live, triggered]);
    expect(await list(filter({ status: "finished" }))).toEqual([plain]);
    expect(await list(filter({ cronId: cron.id }))).toEqual([triggered]);
    expect(await list(filter({ cronId: cron.id, status: "finished" }))).toEqual([]);
    for (const limit of ["0", "-1", "1001", "null"]) {
      const refused = await refusal(list(`, max_rows => ${limit}`));
      expect(refused).toMatchObject({ code: "TK001", field: "limit" });
    }
  });

  test("get_job answers TK103 for an unknown job and one of another app", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'shop')`;
    const id = await enqueue(sql, "shop");
    expect(await refusal(getJob(sql, 999_999))).toMatchObject({ code: "TK103" });
    expect(await refusal(sql`select carillon.get_job(job => ${id}, app => 'crm')`)).toMatchObject({
      code: "TK103",
    });
    expect(await sql`select job_id from carillon.get_job(job => ${id}, app => 'shop')`).toEqual([
      { job_id: id },
    ]);
  });
});
