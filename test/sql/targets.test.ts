import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import {
  connect,
  createTestDatabase,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { claim, complete, createCron, fireDue, one, refusal } from "./support.js";

/*
 * Jobs with targets: what SQL holds them to, and who claims them. A claim by "@crm" is one of the
 * app's jobs with targets, by "@" of those of all apps.
 */

const HOOK = { type: "http", url: "https://example.com/hook" };

/** One database for everything that is refused, and so leaves nothing behind. */
let refusing: TestDatabase;
beforeAll(async () => {
  refusing = await newDatabase();
});
afterAll(() => refusing.drop());

async function newDatabase() {
  const db = await createTestDatabase();
  await setClock(db.sql, "2026-03-02T10:00:00Z");
  await db.sql`select carillon.install_app(app => 'crm')`;
  return db;
}

const enqueue = async (sql: TestSql, target: object | null, app = "crm", runAt?: string) =>
  (
    await one(sql<{ id: number }[]>`
      select carillon.enqueue_job(app => ${app}, run_at => ${runAt ?? null},
        target => ${target === null ? null : sql.json(target as never)}) as id`)
  ).id;

const idsOf = (jobs: readonly { job_id: number }[]) => jobs.map(({ job_id }) => job_id).sort();

const nextJobIn = async (sql: TestSql, ...keys: string[]) =>
  (await one(sql<{ s: number | null }[]>`select carillon.next_job_in(apps => ${keys}) as s`)).s;

const targetOf = async (sql: TestSql, job: number) =>
  (
    await one(sql<{ target: unknown }[]>`
      select headers -> 'target' as target from carillon.get_job(job => ${job})`)
  ).target;

describe("a target", () => {
  test("of a cron is shown, changed, reset, audited, and goes along with every job of it", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const spec = { name: "hook", schedule: "* * * * *", target: { ...HOOK, body: { a: null } } };
    const made = await one(sql<{ id: string; target: unknown }[]>`
      select id, target from carillon.declare_cron(app => 'crm', spec => ${sql.json(spec)})`);
    expect(made.target).toEqual({ ...HOOK, body: { a: null } });
    const named = await one(sql<{ target: unknown }[]>`
      select target from carillon.create_cron(app => 'crm', name => 'other', schedule => '0 0 1 1 *',
        target => ${sql.json(HOOK)})`);
    expect(named.target).toEqual(HOOK);
    const [triggered] = await sql<{ id: number }[]>`
      select carillon.trigger_cron(cron => ${made.id}) as id`;
    expect(await targetOf(sql, triggered!.id)).toEqual(spec.target);
    expect(await claim(sql, "crm")).toEqual([]);
    await complete(sql, await claim(sql, "@crm"));
    await advanceClock(sql, "1 minute");
    expect(await fireDue(sql)).toMatchObject({ fired: 1 });
    const [fired] = await claim(sql, "@crm");
    expect(fired).toMatchObject({ cron_id: made.id, trigger: "automatic", target: spec.target });
    await sql`select carillon.patch_cron(cron => ${made.id}, patch => '{"target": null}')`;
    const plain = await one(sql<{ target: unknown }[]>`
      select target from carillon.get_cron(cron => ${made.id})`);
    expect(plain.target).toBeNull();
    const [entry] = await sql<{ before: unknown }[]>`
      select before from carillon.list_audit(cron => ${made.id}, action => 'cron.update')`;
    expect(entry!.before).toEqual({ target: spec.target });
  });

  test("of a manifest's cron is created, changed and left alone", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const deploy = async (target: object | null) =>
      (
        await one(sql<{ result: unknown }[]>`
          select carillon.sync_manifest(app => 'crm', manifest => ${sql.json({
            crons: [{ name: "a", schedule: "* * * * *", target: target as never }],
          })}) as result`)
      ).result;
    expect(await deploy(HOOK)).toMatchObject({ created: ["a"] });
    expect(await deploy(HOOK)).toMatchObject({ unchanged: ["a"] });
    expect(await deploy({ ...HOOK, method: "PUT" })).toMatchObject({ updated: ["a"] });
    expect(await deploy(null)).toMatchObject({ updated: ["a"] });
  });

  test.each([
    ["target", '"http"'],
    ["target", "[]"],
    ["target.type", "{}"],
    ["target.type", '{"type": "carrier pigeon"}'],
    ["target.type", '{"type": null}'],
    ["target.type", '{"type": {"http": 1}}'],
    ["target.url", '{"type": "http"}'],
    ["target.url", '{"type": "http", "url": 7}'],
    ["target.url", '{"type": "agent", "url": null}'],
    ["target.jobType", '{"type": "faktory"}'],
    ["target.image", '{"type": "container", "image": []}'],
    ["target", `{"type": "http", "url": "https://a.b", "body": "${"x".repeat(2_200_000)}"}`],
  ])("is refused, naming %s: %.60s", async (field, target) => {
    const { sql } = refusing;
    const jsonb = sql`${target}::text::jsonb`;
    const spec = sql`jsonb_build_object('name', 'a', 'schedule', '* * * * *', 'target', ${jsonb})`;
    const refused = [
      [field, sql`select carillon.enqueue_job(app => 'crm', target => ${jsonb})`],
      [field, sql`select carillon.declare_cron(app => 'crm', spec => ${spec})`],
      [
        `jobs[0].${field}`,
        sql`select carillon.enqueue_jobs(app => 'crm',
          jobs => jsonb_build_array(jsonb_build_object('target', ${jsonb})))`,
      ],
      [
        `crons[0].${field}`,
        sql`select carillon.sync_manifest(app => 'crm',
          manifest => jsonb_build_object('crons', jsonb_build_array(${spec})))`,
      ],
    ] as const;
    for (const [where, statement] of refused) {
      expect(await refusal(statement)).toMatchObject({ code: "TK001", field: where });
    }
  });

  test("of a job stays through retries by hand, in batches, and with an idempotency key", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, HOOK);
    const [job] = await claim(sql, "@");
    await sql`select carillon.finish_jobs(outcomes => ${sql.json([
      { job_id: id, attempt: job!.attempt, status: "failed", error: { message: "no" } },
    ])})`;
    const [again] = await sql<{ id: number }[]>`select carillon.retry_job(job => ${id}) as id`;
    expect(await targetOf(sql, again!.id)).toEqual(HOOK);
    const batch = [
      { payload: { n: 1 }, target: { ...HOOK, body: { keep: null } }, idempotencyKey: "k" },
      { payload: { n: 2 }, target: null },
    ];
    const enqueueBatch = async () =>
      (
        await sql<{ id: number }[]>`
          select * from carillon.enqueue_jobs(app => 'crm', jobs => ${sql.json(batch.slice(0, 1))}) as id`
      )[0]!.id;
    const first = await enqueueBatch();
    expect(await enqueueBatch()).toBe(first);
    expect(await targetOf(sql, first)).toEqual({ ...HOOK, body: { keep: null } });
    const same = await one(sql<{ id: number }[]>`
      select carillon.enqueue_job(app => 'crm', payload => '{"n": 1}', idempotency_key => 'k',
        target => ${sql.json({ ...HOOK, body: { keep: null } })}) as id`);
    expect(same.id).toBe(first);
    const other = await refusal(sql`
      select carillon.enqueue_job(app => 'crm', payload => '{"n": 1}', idempotency_key => 'k',
        target => ${sql.json(HOOK)})`);
    expect(other.code).toBe("TK203");
    await sql`select carillon.enqueue_jobs(app => 'crm', jobs => ${sql.json(batch.slice(1))})`;
    expect((await claim(sql, "crm")).map(({ payload }) => payload)).toEqual([{ n: 2 }]);
  });
});

describe("a job with a target", () => {
  test("is claimed by dispatchers, and one without by the app's workers", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'billing')`;
    const [plain, crm, billing] = [
      await enqueue(sql, null),
      await enqueue(sql, HOOK),
      await enqueue(sql, HOOK, "billing"),
    ];
    expect(await nextJobIn(sql, "crm")).toBe(0);
    expect(idsOf(await claim(sql, "crm"))).toEqual([plain]);
    expect(idsOf(await claim(sql, "@billing"))).toEqual([billing]);
    expect(await nextJobIn(sql, "@")).toBe(0);
    expect(idsOf(await claim(sql, "@"))).toEqual([crm]);
    expect(await claim(sql, "@")).toEqual([]);
    // What is leased counts until its lease runs out.
    expect(await nextJobIn(sql, "@")).toBe(30);
  });

  test("comes due, is lost and is delivered again as every other", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, HOOK, "crm", "2026-03-02T10:00:20Z");
    expect(await claim(sql, "@")).toEqual([]);
    expect(await nextJobIn(sql, "@")).toBe(20);
    await advanceClock(sql, "20 seconds");
    expect(await nextJobIn(sql, "@")).toBe(0);
    expect(await claim(sql, "@", 10, 30, "dead")).toMatchObject([{ job_id: id, attempt: 1 }]);
    await advanceClock(sql, "31 seconds");
    expect(await nextJobIn(sql, "@")).toBe(0);
    expect(await claim(sql, "@")).toMatchObject([{ job_id: id, attempt: 2 }]);
  });

  test("that has expired is not claimed, and keeps nobody awake", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.enqueue_job(app => 'crm', target => ${sql.json(HOOK)},
      expires_at => '2026-03-02T10:00:10Z')`;
    await advanceClock(sql, "11 seconds");
    expect(await claim(sql, "@")).toEqual([]);
    expect(await nextJobIn(sql, "@")).toBeNull();
  });

  test("counts towards its app's and its cron's limit like those without", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`update carillon.apps set max_concurrency = 3 where id = 'crm'`;
    for (let n = 0; n < 4; n += 1) {
      await enqueue(sql, null);
      await enqueue(sql, HOOK);
    }
    const plain = await claim(sql, "crm", 2);
    expect(plain).toHaveLength(2);
    const targeted = await claim(sql, "@", 10);
    expect(targeted).toHaveLength(1);
    expect(await claim(sql, "@", 10)).toEqual([]);
    // Held back, and not asked for again at once.
    expect(await nextJobIn(sql, "@")).toBe(30);
    const told: string[] = [];
    const listener = connect(db.url, 1);
    await listener.listen("carillon_jobs", (key) => told.push(key));
    await complete(sql, plain.slice(0, 1));
    await expect.poll(() => told.sort()).toEqual(["@crm", "crm"]);
    await listener.end();
    expect(await claim(sql, "@", 10)).toHaveLength(1);
    await sql`update carillon.apps set max_concurrency = null where id = 'crm'`;
    const cron = await one(sql<{ id: string }[]>`
      select id from carillon.create_cron(app => 'crm', name => 'a', schedule => '0 0 1 1 *',
        max_concurrency => 1, target => ${sql.json(HOOK)})`);
    await sql`select carillon.trigger_cron(cron => ${cron.id}) from generate_series(1, 3)`;
    const claimed = await claim(sql, "@", 100);
    expect(claimed.filter(({ cron_id }) => cron_id === cron.id)).toHaveLength(1);
    expect(claimed.filter(({ cron_id }) => cron_id === null)).toHaveLength(2);
    expect(await claim(sql, "@", 100)).toEqual([]);
  });

  test("is listed and canceled with the others of its app, and found by its target", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const plain = await enqueue(sql, null);
    const hook = await enqueue(sql, HOOK);
    const push = await enqueue(sql, { type: "faktory", jobType: "smoke" });
    await sql`select carillon.cancel_job(job => ${push})`;
    const list = async (filter: object, sort = "newest") =>
      (
        await sql<{ id: number }[]>`
          select job_id as id from carillon.list_jobs(app => 'crm', filter => ${sql.json(filter as never)},
            sort => ${sort})`
      ).map(({ id }) => id);
    expect(await list({})).toEqual([push, hook, plain]);
    expect(await list({}, "due")).toEqual([plain, hook]);
    expect(await list({ target: "http" })).toEqual([hook]);
    expect(await list({ target: "faktory" })).toEqual([push]);
    expect(await list({ target: "any" })).toEqual([push, hook]);
    expect(await list({ target: ["none", "http"] }, "due")).toEqual([plain, hook]);
    expect(await list({ target: "none" })).toEqual([plain]);
    const refused = await refusal(sql`
      select carillon.list_jobs(app => 'crm', filter => '{"target": "pigeon"}')`);
    expect(refused).toMatchObject({ code: "TK001", field: "target" });
    await sql`select carillon.uninstall_app(app => 'crm')`;
    expect(await sql`select from pgmq.q_jobs`).toHaveLength(0);
  });

  test("wakes dispatchers and not the app's workers", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const told: string[] = [];
    const listener = connect(db.url, 1);
    await listener.listen("carillon_jobs", (key) => told.push(key));
    const hears = async (...keys: string[]) => {
      await expect.poll(() => told).toEqual(keys);
      told.length = 0;
    };
    const id = await enqueue(sql, HOOK);
    await hears("@crm");
    await enqueue(sql, null);
    await hears("crm");
    await sql`select carillon.enqueue_jobs(app => 'crm', jobs => '[{"payload": {}}]')`;
    await hears("crm");
    await sql`select carillon.enqueue_jobs(app => 'crm', jobs => ${sql.json([{ target: HOOK }])})`;
    await hears("@crm");
    await sql`select carillon.update_job(job => ${id}, patch => '{"runAt": "2026-01-01T00:00:00Z"}')`;
    await hears("@crm");
    const [job] = await claim(sql, "@", 1);
    await sql`select carillon.release_jobs(array[${job!.job_id}::bigint], array[${job!.attempt}::integer])`;
    await hears("@crm");
    const { id: cron } = await createCron(sql, "crm", "plain");
    await sql`select carillon.create_cron(app => 'crm', name => 'hook', schedule => '* * * * *',
      target => ${sql.json(HOOK)})`;
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    await expect.poll(() => told.sort()).toEqual(["@crm", "crm"]);
    expect(cron).toBeDefined();
    await listener.end();
  });
});

describe("the jobs with targets of all apps", () => {
  test("are found at a cost that does not grow with the apps, and none starves", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`
      insert into carillon.apps (id) select 'app-' || to_char(n, 'FM0000') from generate_series(1, 3000) n`;
    // Each app has a delayed one; one app has thousands that are due, and another a single later one.
    await sql`
      insert into pgmq.q_jobs (vt, message, headers)
      select carillon.now() + interval '1 day', jsonb_build_object('app_id', a.id, 'payload', '{}'::jsonb),
        jsonb_build_object('trigger', 'api', 'target', ${sql.json(HOOK)}::jsonb)
      from carillon.apps a`;
    await sql`
      insert into pgmq.q_jobs (vt, message, headers)
      select carillon.now() - interval '1 hour', '{"app_id": "crm", "payload": {}}',
        jsonb_build_object('trigger', 'api', 'target', ${sql.json(HOOK)}::jsonb)
      from generate_series(1, 5000)`;
    const late = await enqueue(sql, HOOK, "app-1500");
    await sql`analyze pgmq.q_jobs`;
    const session = await sql.reserve();
    const touched = async () =>
      (
        await one(session<{ n: number }[]>`
          select pg_stat_get_xact_tuples_returned('pgmq.q_jobs'::regclass)::int
            + coalesce(sum(pg_stat_get_xact_tuples_returned(i.indexrelid)), 0)::int as n
          from pg_index i where i.indrelid = 'pgmq.q_jobs'::regclass`)
      ).n;
    let found = 0;
    for (let n = 1; n <= 120 && found === 0; n += 1) {
      await session`begin`;
      const jobs = await claim(session, "@", 10);
      if (n === 1) expect(await touched()).toBeLessThan(2000);
      await session`commit`;
      expect(jobs).toHaveLength(10);
      if (jobs.some(({ job_id }) => job_id === late)) found = n;
    }
    session.release();
    // 32 apps a claim: all of them within a hundred.
    expect(found).toBeGreaterThan(0);
  });

  test("are shared out among apps in equal parts", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    for (const app of ["a", "b", "c"]) {
      await sql`select carillon.install_app(app => ${app})`;
      for (let n = 0; n < (app === "a" ? 30 : 5); n += 1) await enqueue(sql, HOOK, app);
    }
    const counts: Record<string, number> = {};
    for (const { app_id } of await claim(sql, "@", 15)) counts[app_id] = (counts[app_id] ?? 0) + 1;
    expect(counts).toEqual({ a: 5, b: 5, c: 5 });
  });

  test("are claimed by an index, whatever else the queue holds", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.enqueue_jobs(app => 'crm', jobs => (
      select jsonb_agg('{"payload": {}}'::jsonb) from generate_series(1, 5000)))`;
    await enqueue(sql, HOOK);
    await sql`analyze pgmq.q_jobs`;
    for (const key of ["crm", "@crm"]) {
      const plan = await sql<{ "QUERY PLAN": string }[]>`
        explain select q.msg_id from pgmq.q_jobs q
        where carillon._claim_key(q.message, q.headers) = ${key}
          and coalesce((q.headers ->> 'priority')::integer, 0) = 0 and q.vt <= now()
          and (q.headers ? 'cron_id') is not true and (q.headers ? 'lease') is not true
        order by q.vt, q.msg_id limit 10`;
      const text = plan.map((row) => row["QUERY PLAN"]).join("\n");
      expect(text).toContain("Index Scan using carillon_jobs_direct_idx");
      expect(text).not.toContain("Sort");
    }
  });
});

describe("a failed attempt", () => {
  const finish = (sql: TestSql, job: { job_id: number; attempt: number }, more: object) =>
    sql`select carillon.finish_jobs(outcomes => ${sql.json([
      { ...{ job_id: job.job_id, attempt: job.attempt, status: "failed" }, ...more } as never,
    ])})`;

  test("keeps what its target answered, with a short body, and waits as that asked", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const [row] = await sql<{ id: number }[]>`
      select carillon.enqueue_job(app => 'crm', target => ${sql.json(HOOK)}, max_attempts => 3) as id`;
    const id = row!.id;
    const error = { name: "status", message: "answered 503" };
    const result = { statusCode: 503, body: "x".repeat(5000) };
    await finish(sql, (await claim(sql, "@"))[0]!, { error, result, wait: 120 });
    expect(await nextJobIn(sql, "@")).toBe(120);
    await advanceClock(sql, "120 seconds");
    await finish(sql, (await claim(sql, "@"))[0]!, { error, result: { statusCode: 500 } });
    await advanceClock(sql, "60 seconds");
    await finish(sql, (await claim(sql, "@"))[0]!, { error, result: { statusCode: 410 } });
    const ended = await one(sql<{ status: string; result: unknown; attempts: unknown }[]>`
      select status, result, attempts from carillon.get_job(job => ${id})`);
    const short = { statusCode: 503, body: "x".repeat(4096), bodyTruncated: true };
    expect(ended).toMatchObject({
      status: "failed",
      result: { statusCode: 410 },
      attempts: [
        { attempt: 1, error, result: short },
        { attempt: 2, result: { statusCode: 500 } },
        { attempt: 3, result: { statusCode: 410 } },
      ],
    });
  });

  test("whose worker was lost too often leaves a letter that is redriven to the same target", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await enqueue(sql, HOOK);
    for (let n = 1; n <= 5; n += 1) {
      expect(await claim(sql, "@", 10, 1, "dead")).toHaveLength(1);
      await advanceClock(sql, "2 seconds");
    }
    await sql`select carillon.sweep()`;
    const [letter] = await sql`select target from carillon.list_letters(app => 'crm')`;
    expect(letter).toEqual({ target: HOOK });
    const redriven = await one(sql<{ job_id: number }[]>`
      select job_id from carillon.redrive_letters(app => 'crm')`);
    expect(await claim(sql, "@")).toMatchObject([{ job_id: redriven.job_id, target: HOOK }]);
  });

  test("that asks to wait is the last where no other is left", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, HOOK);
    await finish(sql, (await claim(sql, "@"))[0]!, { error: { message: "busy" }, wait: 5 });
    const [job] = await sql`select status from carillon.get_job(job => ${id})`;
    expect(job).toMatchObject({ status: "failed" });
  });
});

describe("a waiting job", () => {
  const update = (sql: TestSql, id: number, patch: object) =>
    sql`select job_id, payload, due_at, headers from carillon.update_job(job => ${id},
      patch => ${sql.json(patch as never)})`;

  test("can be given another time, payload and target before it is started", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, HOOK, "crm", "2026-03-03T00:00:00Z");
    const [changed] = await update(sql, id, {
      runAt: "2026-03-02T10:00:30Z",
      payload: { n: 2 },
      target: { ...HOOK, method: "PUT" },
    });
    expect(changed).toMatchObject({ payload: { n: 2 }, headers: { target: { method: "PUT" } } });
    expect(await nextJobIn(sql, "@crm")).toBe(30);
    const [entry] =
      await sql`select before, after from carillon.list_audit(action => 'job.update')`;
    expect(entry).toMatchObject({
      before: { payload: {}, target: HOOK },
      after: { payload: { n: 2 }, target: { ...HOOK, method: "PUT" } },
    });
    await update(sql, id, { target: null, runAt: "2026-01-01T00:00:00Z" });
    expect(await claim(sql, "@")).toEqual([]);
    expect(await claim(sql, "crm")).toMatchObject([{ job_id: id, payload: { n: 2 } }]);
    expect(await refusal(update(sql, id, { payload: {} }))).toMatchObject({ code: "TK204" });
  });

  test("of a cron stays that of its cron", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id: cron } = await createCron(sql, "crm", "a");
    const [job] = await sql<{ id: number }[]>`select carillon.trigger_cron(cron => ${cron}) as id`;
    const [changed] = await update(sql, job!.id, { payload: { x: 1 } });
    expect(changed).toMatchObject({ payload: { x: 1, cron_id: cron } });
  });

  test("that has been tried can be put off, and nothing else", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const id = await enqueue(sql, HOOK);
    const [job] = await claim(sql, "@");
    await sql`select carillon.release_jobs(array[${id}::bigint], array[${job!.attempt}::integer])`;
    expect(await refusal(update(sql, id, { target: null }))).toMatchObject({ code: "TK204" });
    await update(sql, id, { runAt: "2026-03-02T11:00:00Z" });
    expect(await nextJobIn(sql, "@")).toBe(3600);
  });

  test.each([
    ["patch", "[]"],
    ["priority", '{"priority": 1}'],
    ["runAt", '{"runAt": null}'],
    ["runAt", '{"runAt": "tomorrow"}'],
    ["runAt", '{"runAt": "9999-12-31T23:59:59-12:00"}'],
    ["payload", '{"payload": 7}'],
    ["target.type", '{"target": {"type": "x"}}'],
  ])("is refused a change, naming %s: %s", async (field, patch) => {
    const { sql } = refusing;
    const id = await enqueue(sql, HOOK);
    const refused = await refusal(
      sql`select carillon.update_job(job => ${id}, patch => ${patch}::text::jsonb)`,
    );
    expect(refused).toMatchObject({ code: "TK001", field });
  });
});

describe("the database role of a dispatcher", () => {
  test("claims and finishes jobs with targets of every app, and no others", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.create_database_roles()`;
    const role = `dispatcher_${randomBytes(4).toString("hex")}`;
    await sql.unsafe(`create role ${role} login password 'secret' in role carillon_dispatcher`);
    const url = new URL(db.url);
    url.username = role;
    url.password = "secret";
    const as = connect(url.href, 1);
    try {
      await enqueue(sql, null);
      await enqueue(sql, HOOK);
      const refused = ["crm", "", "billing"].map((key) => refusal(claim(as, key)));
      for (const one of await Promise.all(refused)) expect(one.code).toBe("TK403");
      const jobs = await claim(as, "@");
      expect(jobs).toHaveLength(1);
      expect(await complete(as, jobs)).toEqual(idsOf(jobs));
      const plain = await claim(sql, "crm");
      expect(plain).toHaveLength(1);
      expect(await complete(as, plain)).toEqual([]);
      expect((await refusal(as`select carillon.get_job(job => ${plain[0]!.job_id})`)).code).toBe(
        "TK103",
      );
      expect(await nextJobIn(as, "@")).toBeNull();
      const identity = await one(as<{ id: string }[]>`select carillon.database_identity() as id`);
      expect(identity.id).toMatch(/^\d+\/t_/);
      expect((await refusal(as`select carillon.enqueue_job(app => 'crm')`)).code).toBe("42501");
      expect(
        await refusal(sql`select carillon.bind_worker_role(role => ${role}, apps => '{crm}')`),
      ).toMatchObject({ code: "TK001", field: "role" });
    } finally {
      await as.end();
      const admin = connect(inject("server").url, 1);
      await db.drop();
      await admin.unsafe(`drop role ${role}`);
      await admin.end();
    }
  });

  test("is none that a worker's role has", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.create_database_roles()`;
    const role = `worker_${randomBytes(4).toString("hex")}`;
    await sql.unsafe(`create role ${role} login password 'secret'`);
    await sql`select carillon.bind_worker_role(role => ${role}, apps => '{crm}')`;
    const url = new URL(db.url);
    url.username = role;
    url.password = "secret";
    const as = connect(url.href, 1);
    try {
      for (const key of ["@", "@crm"]) {
        const refused = await refusal(claim(as, key));
        expect(refused).toMatchObject({ code: "TK403" });
        expect(refused.hint).toContain("carillon_dispatcher");
      }
      expect(await claim(as, "crm")).toEqual([]);
    } finally {
      await as.end();
      const admin = connect(inject("server").url, 1);
      await db.drop();
      await admin.unsafe(`drop role ${role}`);
      await admin.end();
    }
  });
});
