import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestSql } from "../helpers/database.js";
import { claim, claimCost, complete, fingerprint, type Job, one, refusal } from "./support.js";

async function newDatabase() {
  const db = await createTestDatabase();
  await setClock(db.sql, "2026-03-02T10:00:00Z");
  await db.sql`select carillon.install_app(app => 'crm')`;
  return db;
}

const enqueue = async (sql: TestSql, args = "") =>
  (
    await one(
      sql.unsafe<{ id: number }[]>(
        `select carillon.enqueue_job(app => 'crm'${args === "" ? "" : `, ${args}`}) as id`,
      ),
    )
  ).id;

const enqueueAll = async (sql: TestSql, jobs: unknown) =>
  (
    await sql<{ id: number }[]>`
      select * from carillon.enqueue_jobs(app => 'crm', jobs => ${sql.json(jobs as never)}) as id`
  ).map(({ id }) => id);

const getJob = (sql: TestSql, id: number) => one(sql`select * from carillon.get_job(job => ${id})`);

/** One connection of the pool, given back at the end of the block. */
async function reserved(sql: TestSql) {
  const session = await sql.reserve();
  return { sql: session, [Symbol.dispose]: () => session.release() };
}

const idsOf = (jobs: readonly Job[]) => jobs.map(({ job_id }) => job_id);

const fail = async (sql: TestSql, job: Job | undefined, more: object = {}) => {
  const error = { name: "Error", message: `no ${job?.attempt}` };
  const outcome = { job_id: job?.job_id, attempt: job?.attempt, status: "failed", error, ...more };
  const rows = await sql<{ id: number }[]>`
    select * from carillon.finish_jobs(outcomes => ${sql.json([outcome] as never)}) as id`;
  return rows.map(({ id }) => id);
};

describe("priority", () => {
  test("goes before due time, and within one by due time", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const plain = await enqueue(sql);
    const low = await enqueue(sql, "priority => -3");
    await advanceClock(sql, "1 second");
    const high = await enqueue(sql, "priority => 9");
    const zero = await enqueue(sql, "priority => 0");
    const later = await enqueue(sql, "priority => 32767, run_at => '2026-03-02T10:05:00Z'");
    const order: number[] = [];
    for (let n = 0; n < 4; n += 1) order.push(...idsOf(await claim(sql, "crm", 1)));
    expect(order).toEqual([high, plain, zero, low]);
    expect(await claim(sql, "crm")).toEqual([]);
    expect(await one(sql`select carillon.next_job_in(apps => '{crm}') as s`)).toEqual({ s: 30 });
    await advanceClock(sql, "5 minutes");
    expect(idsOf(await claim(sql, "crm", 1))).toEqual([later]);
  });

  test("is walked by index: a claim reads as little with 20,000 jobs waiting as with few", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`
      select carillon.enqueue_jobs(app => 'crm', jobs => (
        select jsonb_agg(jsonb_build_object('payload', '{}'::jsonb, 'priority', n % 3,
          'runAt', '2026-03-02T11:00:00Z')) from generate_series(1, 5000) n))
      from generate_series(1, 4)`;
    await sql`vacuum analyze pgmq.q_jobs`;
    using session = await reserved(sql);
    // The first call of a session reads the catalog, too.
    await enqueue(sql);
    await session.sql`
      select from carillon.claim_jobs(
        apps => '{crm}', worker => 'w', max_jobs => 10, lease_seconds => 30)`;
    const due = await enqueue(sql, "priority => 1");
    expect((await claimCost(session.sql)).blocks).toBeLessThan(150);
    expect((await getJob(sql, due)).status).toBe("running");
  });
});

describe("an idempotency key", () => {
  test("gives the same job for 24 hours, finished or not, and another one after them", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const args = "payload => '{\"n\": 1}', idempotency_key => 'k'";
    const id = await enqueue(sql, args);
    expect(await enqueue(sql, args)).toBe(id);
    await complete(sql, await claim(sql, "crm"));
    await advanceClock(sql, "23 hours 59 minutes");
    expect(await enqueue(sql, args)).toBe(id);
    expect(await sql`select from pgmq.q_jobs`).toHaveLength(0);
    await advanceClock(sql, "1 minute");
    const next = await enqueue(sql, args);
    expect(next).toBeGreaterThan(id);
    expect(await enqueue(sql, args)).toBe(next);
  });

  test("gives the same job after the time it had to be started by", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const args = "idempotency_key => 'k', expires_at => '2026-03-02T10:01:00Z'";
    const id = await enqueue(sql, args);
    await advanceClock(sql, "2 minutes");
    expect(await enqueue(sql, args)).toBe(id);
    expect(await refusal(enqueue(sql, args.replace("'k'", "'new'")))).toMatchObject({
      code: "TK001",
      field: "expiresAt",
    });
    expect(await sql`select key from carillon.idempotency_keys`).toEqual([{ key: "k" }]);
  });

  test("refuses another request, is the app's own, and is forgotten by the sweep", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'shop')`;
    const id = await enqueue(sql, "idempotency_key => 'k'");
    const before = await fingerprint(sql);
    for (const other of ["payload => '{\"a\": 1}'", "priority => 1", "run_at => '2027-01-01Z'"]) {
      const refused = await refusal(enqueue(sql, `idempotency_key => 'k', ${other}`));
      expect(refused).toMatchObject({ code: "TK203", field: "idempotencyKey" });
      expect(refused.hint).toContain(String(id));
    }
    expect(await fingerprint(sql)).toEqual(before);
    await sql`select carillon.enqueue_job(app => 'shop', idempotency_key => 'k', priority => 1)`;
    expect(await sql`select from carillon.idempotency_keys`).toHaveLength(2);
    await advanceClock(sql, "25 hours");
    await sql`select carillon.sweep()`;
    expect(await sql`select from carillon.idempotency_keys`).toHaveLength(0);
  });

  test("makes one job, however many ask at once", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ids = await Promise.all(
      Array.from({ length: 20 }, () => enqueue(sql, "idempotency_key => 'k'")),
    );
    expect(new Set(ids).size).toBe(1);
    expect(await sql`select from pgmq.q_jobs`).toHaveLength(1);
  });
});

describe("expires_at", () => {
  test("cancels what was not started by then, with the reason", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const expires = "expires_at => '2026-03-02T10:01:00Z'";
    const started = await enqueue(sql, `${expires}, max_attempts => 2, retry_delay => 120`);
    const [job] = await claim(sql, "crm");
    const id = await enqueue(sql, expires);
    await advanceClock(sql, "60 seconds");
    await fail(sql, job);
    expect(await claim(sql, "crm")).toEqual([]);
    await sql`select carillon.sweep()`;
    expect(await getJob(sql, id)).toMatchObject({
      status: "canceled",
      started_at: null,
      headers: { canceled: "not started before it expired" },
    });
    expect(await getJob(sql, started)).toMatchObject({ status: "pending" });
  });
});

describe("options", () => {
  test.each([
    ["priority", "priority => 32768"],
    ["priority", "priority => -32769"],
    ["idempotencyKey", "idempotency_key => ''"],
    ["idempotencyKey", "idempotency_key => repeat('x', 256)"],
    ["maxAttempts", "max_attempts => 0"],
    ["maxAttempts", "max_attempts => 101"],
    ["retryDelay", "retry_delay => -1"],
    ["retryBackoff", "retry_backoff => 0.5"],
    ["retryBackoff", "retry_backoff => 'NaN'"],
    ["timeout", "timeout => 0"],
    ["timeout", "timeout => 86401"],
    ["expiresAt", "expires_at => '2026-03-02T10:00:00Z'"],
    ["expiresAt", "expires_at => 'infinity'"],
    ["expiresAt", "expires_at => '2026-03-02T11:00:00Z', run_at => '2026-03-02T11:00:00Z'"],
    ["tags", "tags => '{\"\"}'"],
    ["tags", "tags => array[null]"],
    ["tags", "tags => array_fill('x'::text, '{21}')"],
  ])("refuse a wrong %s: %s", async (field, args) => {
    await using db = await newDatabase();
    const { sql } = db;
    const before = await fingerprint(sql);
    expect(await refusal(enqueue(sql, args))).toMatchObject({ code: "TK001", field });
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("reach the headers and the worker", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, "timeout => 7, tags => '{a,b c}', priority => 2");
    expect((await getJob(sql, id)).headers).toEqual({
      ...{ trigger: "api", timeout: 7, tags: ["a", "b c"], priority: 2 },
    });
    expect(await claim(sql, "crm")).toMatchObject([{ job_id: id, timeout_seconds: 7 }]);
  });
});

describe("enqueue_jobs", () => {
  test("enqueues plain jobs and others in the order given", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ids = await enqueueAll(sql, [
      { payload: { n: 0 } },
      { payload: { n: 1, nothing: null }, priority: 4, tags: ["t"], runAt: null },
      { runAt: "2026-03-02T12:00:00+01:00" },
      {},
    ]);
    expect(ids).toEqual([...ids].sort((a, b) => a - b));
    const jobs = await Promise.all(ids.map((id) => getJob(sql, id)));
    expect(jobs.map(({ payload }) => payload as object)).toEqual([
      { n: 0 },
      { n: 1, nothing: null },
      {},
      {},
    ]);
    expect(jobs[1]?.headers).toEqual({ trigger: "api", priority: 4, tags: ["t"] });
    expect(jobs.map(({ status }) => status as string)).toEqual([
      ...["queued", "queued", "pending", "queued"],
    ]);
    expect(jobs[2]?.due_at).toEqual(new Date("2026-03-02T11:00:00Z"));
    expect(await enqueueAll(sql, [])).toEqual([]);
  });

  test.each([
    ["jobs", {}],
    ["jobs", Array.from({ length: 10_001 }, () => ({}))],
    ["jobs[1]", [{}, 3]],
    ["jobs[1].payload", [{}, { payload: [] }]],
    ["jobs[0].payload", [{ payload: { a: "x".repeat(1_048_577) } }]],
    ["jobs[0].priority", [{ priority: "high" }]],
    ["jobs[0].runAt", [{ runAt: "tomorrow" }]],
    ["jobs[1].expiresAt", [{}, { expiresAt: "2020-01-01T00:00:00Z" }]],
    ["jobs[0].colour", [{ colour: "red" }]],
    ["jobs[0].idempotencyKey", [{ idempotencyKey: "" }]],
    ["jobs[1].idempotencyKey", [{}, { idempotencyKey: 7 }]],
  ])("refuses all for a wrong %s", async (field, jobs) => {
    await using db = await newDatabase();
    const { sql } = db;
    const before = await fingerprint(sql);
    expect(await refusal(enqueueAll(sql, jobs))).toMatchObject({ code: "TK001", field });
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("idempotency keys in a batch", () => {
  test("stand for one job each, as those of single jobs do", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const expires = "2026-03-02T12:00:00Z";
    const single = await enqueue(
      sql,
      `payload => '{"n": 1}', idempotency_key => 'a', priority => 3, expires_at => '${expires}'`,
    );
    const jobs = [
      { payload: { n: 2 }, idempotencyKey: "z" },
      {
        payload: { n: 1 },
        idempotencyKey: "a",
        priority: 3,
        expiresAt: "2026-03-02T13:00:00+01:00",
      },
      { payload: { n: 3 } },
      { payload: { n: 2 }, idempotencyKey: "z" },
    ];
    const ids = await enqueueAll(sql, jobs);
    expect(ids).toEqual([ids[0], single, ids[2], ids[0]]);
    expect(new Set(ids).size).toBe(3);
    expect(await sql`select from pgmq.q_jobs`).toHaveLength(3);
    const again = await enqueueAll(sql, jobs);
    expect([again[0], again[1], again[3]]).toEqual([ids[0], single, ids[0]]);
    expect(await getJob(sql, ids[0] ?? 0)).toMatchObject({ payload: { n: 2 } });
    const before = await fingerprint(sql);
    const other = enqueueAll(sql, [{}, { payload: { n: 9 }, idempotencyKey: "z" }]);
    expect(await refusal(other)).toMatchObject({ code: "TK203", field: "jobs[1].idempotencyKey" });
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("a failed attempt", () => {
  test("with attempts left waits, longer each time, and stays on record", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, "max_attempts => 3, retry_delay => 60, retry_backoff => 3");
    for (const [attempt, delay] of [
      [1, 60],
      [2, 180],
    ] as const) {
      const [job] = await claim(sql, "crm", 1, 30, `w${attempt}`);
      expect(job).toMatchObject({ job_id: id, attempt });
      expect(await fail(sql, job)).toEqual([id]);
      const waiting = await getJob(sql, id);
      expect(waiting).toMatchObject({
        status: "pending",
        attempt,
        worker: null,
        finished_at: null,
      });
      const { now } = await one(sql<{ now: Date }[]>`select carillon.now()`);
      const seconds = ((waiting.due_at as Date).getTime() - now.getTime()) / 1000;
      expect(seconds).toBeGreaterThanOrEqual(delay * 0.9 - 0.01);
      expect(seconds).toBeLessThanOrEqual(delay * 1.1 + 0.01);
      expect(await fail(sql, job), "has given its lease back").toEqual([]);
      await advanceClock(sql, "10 minutes");
    }
    const [last] = await claim(sql, "crm", 1, 30, "w3");
    await fail(sql, last);
    expect(await getJob(sql, id)).toMatchObject({
      status: "failed",
      attempt: 3,
      error: { message: "no 3" },
      attempts: [1, 2, 3].map((attempt) => ({
        attempt,
        worker: `w${attempt}`,
        startedAt: expect.any(String) as string,
        finishedAt: expect.any(String) as string,
        error: { message: `no ${attempt}` },
      })),
    });
    expect(await sql`select from pgmq.q_jobs`).toHaveLength(0);
  });

  test("is not counted when it asked for another time; is final when discarded", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, "max_attempts => 2");
    for (let n = 1; n <= 4; n += 1) {
      await fail(sql, (await claim(sql, "crm"))[0], { retry_in: 90 });
      expect(await one(sql`select carillon.next_job_in(apps => '{crm}') as s`)).toEqual({ s: 90 });
      await advanceClock(sql, "90 seconds");
    }
    await fail(sql, (await claim(sql, "crm"))[0], { discard: true });
    const job = await getJob(sql, id);
    expect(job).toMatchObject({ status: "failed", attempt: 5 });
    expect(job.attempts).toHaveLength(5);
  });

  test("and a lost one are counted apart", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, "max_attempts => 2, retry_delay => 0");
    await claim(sql, "crm", 1, 30, "dead");
    await advanceClock(sql, "31 seconds");
    await fail(sql, (await claim(sql, "crm"))[0]);
    expect((await getJob(sql, id)).status).toBe("queued");
    await complete(sql, await claim(sql, "crm"));
    const job = await getJob(sql, id);
    expect(job).toMatchObject({ status: "completed", attempt: 3 });
    expect(job.attempts).toMatchObject([
      { attempt: 1, worker: "dead", error: { name: "LeaseLost" } },
      { attempt: 2, error: { message: "no 2" } },
      { attempt: 3, error: null },
    ]);
  });
});

describe("a job in the wrong state", () => {
  test("is not moved, canceled or run again", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, "priority => 3, max_attempts => 2");
    const move = () => sql`select carillon.update_job(job => ${id},
      patch => '{"runAt": "2026-03-03T00:00:00Z"}')`;
    const retry = () => sql`select carillon.retry_job(job => ${id}) as id`;
    const cancel = () => sql`select carillon.cancel_job(job => ${id})`;
    expect(await refusal(retry())).toMatchObject({ code: "TK204" });
    const [job] = await claim(sql, "crm");
    expect(await refusal(move())).toMatchObject({ code: "TK204" });
    expect(await refusal(retry())).toMatchObject({ code: "TK204" });
    await fail(sql, job);
    await move();
    expect((await getJob(sql, id)).due_at).toEqual(new Date("2026-03-03T00:00:00Z"));
    await cancel();
    expect(await refusal(move())).toMatchObject({ code: "TK204" });
    expect(await refusal(cancel())).toMatchObject({ code: "TK204" });
    const canceled = await getJob(sql, id);
    expect(canceled).toMatchObject({ status: "canceled", attempt: 1 });
    expect(canceled.attempts).toHaveLength(1);
    const [again] = await retry();
    expect((await getJob(sql, again!.id as number)).headers).toEqual({
      ...{ trigger: "manual", retry_of: id, priority: 3, max_attempts: 2 },
    });
    const unknown = sql`select carillon.cancel_job(job => 99999)`;
    expect(await refusal(unknown)).toMatchObject({ code: "TK103" });
  });

  test.each([
    ["runAt", `carillon.update_job(job => 1, patch => '{"runAt": null}')`],
    ["runAt", `carillon.update_job(job => 1, patch => '{"runAt": "infinity"}')`],
    ["reason", "carillon.cancel_job(job => 1, reason => '')"],
  ])("is beside the point with a wrong %s: %s", async (field, call) => {
    await using db = await newDatabase();
    const refused = await refusal(db.sql.unsafe(`select ${call}`));
    expect(refused).toMatchObject({ code: "TK001", field });
  });
});
