import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestSql } from "../helpers/database.js";
import {
  claim,
  createCron,
  drain,
  fingerprint,
  fireDue,
  one,
  outcomesOf,
  refusal,
  sync,
} from "./support.js";

async function newDatabase() {
  const db = await createTestDatabase();
  await setClock(db.sql, "2026-03-02T10:00:30Z");
  await db.sql`select carillon.install_app(app => 'crm')`;
  return db;
}

/** As one would write them in SQL, for a cron and for a single job alike. */
const OPTIONS = `priority => 7, max_attempts => 5, retry_delay => 30, retry_backoff => 1.5, timeout => 60,
  tags => '{nightly,a b}'`;

interface Made {
  id: string;
}

const create = (sql: TestSql, args: string) =>
  one(
    sql.unsafe<Made[]>(
      `select * from carillon.create_cron(app => 'crm', name => 'c', schedule => '* * * * *', ${args})`,
    ),
  );

const patch = (sql: TestSql, id: string, change: object) =>
  one(sql`
    select * from carillon.patch_cron(cron => ${id}, patch => ${sql.json(change as never)})`);

/** The headers of every live job but those that say what made it, oldest first. */
const optionsOf = async (sql: TestSql) =>
  (
    await sql<{ options: unknown }[]>`
      select headers - '{trigger,cron_id,scheduled_for,backfill_id}'::text[] as options
      from pgmq.q_jobs order by msg_id`
  ).map(({ options }) => options);

const HEADERS = {
  ...{ priority: 7, max_attempts: 5, retry_delay: 30, retry_backoff: 1.5, timeout: 60 },
  tags: ["nightly", "a b"],
};

describe("a cron's options for its jobs", () => {
  test("are shown, with those of default", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await create(sql, `${OPTIONS}, expires_after => 90, max_concurrency => 2`);
    expect(cron).toMatchObject({
      ...{ priority: 7, max_attempts: 5, retry_delay_seconds: 30, retry_backoff: 1.5 },
      ...{ timeout_seconds: 60, expires_after_seconds: 90, max_concurrency: 2 },
      tags: ["nightly", "a b"],
    });
    expect(await createCron(sql, "crm", "plain")).toMatchObject({
      ...{ priority: 0, max_attempts: 1, retry_delay_seconds: 10, retry_backoff: 2 },
      ...{ timeout_seconds: null, expires_after_seconds: null, max_concurrency: null, tags: [] },
    });
  });

  test("reach the jobs of slots, on time or caught up, of triggers and of backfills as those of a single job do", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await create(sql, `${OPTIONS}, overlap_policy => 'queue'`);
    await advanceClock(sql, "30 seconds");
    await fireDue(sql);
    await advanceClock(sql, "10 minutes");
    await fireDue(sql);
    expect((await outcomesOf(sql, id)).slice(-2)).toEqual(["10:10 missed", "10:11 enqueued"]);
    await sql`select carillon.trigger_cron(cron => ${id})`;
    await sql`
      select carillon.backfill_cron(
        cron => ${id}, from_at => '2026-03-01T00:00Z', to_at => '2026-03-01T00:00Z')`;
    await sql.unsafe(`select carillon.enqueue_job(app => 'crm', ${OPTIONS})`);
    expect(await optionsOf(sql)).toEqual([HEADERS, HEADERS, HEADERS, HEADERS, HEADERS]);
    expect(await claim(sql, "crm")).toMatchObject(
      Array.from({ length: 5 }, () => ({ timeout_seconds: 60 })),
    );
  });

  test("let a failed job be tried again", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await create(sql, "max_attempts => 2, retry_delay => 30");
    await advanceClock(sql, "30 seconds");
    await fireDue(sql);
    const [job] = await claim(sql, "crm");
    const outcome = { job_id: job?.job_id, attempt: 1, status: "failed", error: { name: "Error" } };
    await sql`select carillon.finish_jobs(outcomes => ${sql.json([outcome] as never)})`;
    expect(await one(sql`select status from carillon.jobs`)).toEqual({ status: "pending" });
    await advanceClock(sql, "33 seconds");
    expect(await claim(sql, "crm")).toMatchObject([{ job_id: job?.job_id, attempt: 2 }]);
  });

  test("hold for later jobs when they are changed; null resets one and leaves the others", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await create(sql, `${OPTIONS}, overlap_policy => 'queue'`);
    const tick = async () => {
      await advanceClock(sql, "1 minute");
      await fireDue(sql);
    };
    await tick();
    expect(await patch(sql, id, { maxAttempts: 9, tags: null, priority: 0 })).toMatchObject({
      ...{ max_attempts: 9, tags: [], priority: 0, timeout_seconds: 60 },
    });
    await tick();
    await sql`select from carillon.update_cron(cron => ${id}, timeout => 3, tags => '{}')`;
    await tick();
    const rest = { retry_delay: 30, retry_backoff: 1.5, max_attempts: 9 };
    expect(await optionsOf(sql)).toEqual([
      HEADERS,
      { ...rest, timeout: 60 },
      { ...rest, timeout: 3, tags: [] },
    ]);
    const all = ["priority", "maxAttempts", "retryDelay", "retryBackoff", "timeout", "tags"];
    await patch(sql, id, Object.fromEntries(all.map((name) => [name, null])));
    await drain(sql, "crm");
    await tick();
    expect(await optionsOf(sql)).toEqual([{}]);
  });

  test("change neither the slot to come nor the beat", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await create(sql, "max_attempts => 2");
    const before = await one(sql`
      select id, next_fire_at, enabled from carillon.crons where id = ${id}`);
    await patch(sql, id, { maxAttempts: 3, maxConcurrency: 4, expiresAfter: 60 });
    expect(
      await one(sql`select id, next_fire_at, enabled from carillon.crons where id = ${id}`),
    ).toEqual(before);
  });

  test("refuse what breaks a rule, and name the field", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const wrong: [string, string][] = [
      ["priority", "priority => 32768"],
      ["maxAttempts", "max_attempts => 0"],
      ["maxAttempts", "max_attempts => 101"],
      ["retryDelay", "retry_delay => 86401"],
      ["retryBackoff", "retry_backoff => 10.5"],
      ["timeout", "timeout => 0"],
      ["tags", "tags => '{\"\"}'"],
      ["tags", "tags => array_fill('x'::text, '{21}')"],
      ["expiresAfter", "expires_after => 0"],
      ["maxConcurrency", "max_concurrency => 0"],
      ["maxConcurrency", "max_concurrency => 1000001"],
    ];
    const { id } = await create(sql, "max_attempts => 2");
    const before = await fingerprint(sql);
    for (const [field, args] of wrong) {
      const refused = { code: "TK001", field };
      expect(await refusal(create(sql, args)), args).toMatchObject(refused);
      expect(await refusal(patch(sql, id, { [field]: "3" })), field).toMatchObject(refused);
      expect(await refusal(patch(sql, id, { [field]: {} })), field).toMatchObject(refused);
    }
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("expires_after", () => {
  test("counts from when the job is due, whenever its slot was", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const args = "expires_after => 60, overlap_policy => 'queue', jitter => 600";
    const { id } = await create(sql, args);
    const { jitter } = await one(sql<{ jitter: number }[]>`
      select extract(epoch from carillon._jitter(${id}, 600))::integer as jitter`);
    await setClock(sql, "2026-03-02T10:01:00Z");
    await fireDue(sql);
    await setClock(sql, "2026-03-02T10:31:10Z");
    await fireDue(sql);
    await sql`select carillon.trigger_cron(cron => ${id})`;
    await sql`
      select carillon.backfill_cron(
        cron => ${id}, from_at => '2026-03-01T00:00Z', to_at => '2026-03-01T00:00Z')`;
    const expiring = await sql<{ at: Date; due: Date }[]>`
      select (headers ->> 'expires_at')::timestamptz as at, vt as due from pgmq.q_jobs order by msg_id`;
    const from = (start: string, seconds: number) => new Date(Date.parse(start) + seconds * 1000);
    expect(expiring.map(({ at }) => at)).toEqual([
      from("2026-03-02T10:01:00Z", jitter + 60),
      from("2026-03-02T10:31:10Z", jitter + 60),
      from("2026-03-02T10:32:10Z", 0),
      from("2026-03-02T10:32:10Z", 0),
    ]);
    expect(expiring.map(({ at, due }) => at.getTime() - due.getTime())).toEqual(
      Array.from({ length: 4 }, () => 60_000),
    );
  });

  test("cancels a job nobody started, which keeps no later slot from its own", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await create(sql, "expires_after => 45");
    for (let n = 0; n < 2; n += 1) {
      await advanceClock(sql, "1 minute");
      await fireDue(sql);
    }
    expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued", "10:02 enqueued"]);
    await sql`select carillon.sweep()`;
    expect(await sql`select status from carillon.jobs order by job_id`).toEqual([
      { status: "canceled" },
      { status: "queued" },
    ]);
    expect(await claim(sql, "crm")).toHaveLength(1);
  });
});

describe("a manifest", () => {
  test("takes them all, and a deploy of the same changes nothing", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const plain = { name: "c", schedule: "0 9 * * *" };
    const full = {
      ...plain,
      ...{ priority: -1, maxAttempts: 3, retryDelay: 0, retryBackoff: 2.5, timeout: 5 },
      ...{ tags: ["x"], expiresAfter: 60, maxConcurrency: 1 },
    };
    expect((await sync(sql, "crm", [full])).created).toEqual(["c"]);
    expect((await sync(sql, "crm", [full])).unchanged).toEqual(["c"]);
    const shown = () => one(sql`select * from carillon.list_crons(app => 'crm')`);
    expect(await shown()).toMatchObject({
      ...{ priority: -1, max_attempts: 3, retry_delay_seconds: 0, retry_backoff: 2.5 },
      ...{ timeout_seconds: 5, tags: ["x"], expires_after_seconds: 60, max_concurrency: 1 },
    });
    expect((await sync(sql, "crm", [plain])).updated).toEqual(["c"]);
    expect(await shown()).toMatchObject({ max_attempts: 1, tags: [], max_concurrency: null });
    expect(
      await refusal(sync(sql, "crm", [plain, { ...full, name: "d", timeout: 0 }])),
    ).toMatchObject({ code: "TK001", field: "crons[1].timeout" });
  });

  test("sets how many jobs of the app may run at once", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const deploy = async (manifest: object) => {
      await sql`
        select carillon.sync_manifest(app => 'crm', manifest => ${sql.json(manifest as never)})`;
      return (await one(sql`select * from carillon.get_app(app => 'crm')`))
        .max_concurrency as unknown;
    };
    expect(await deploy({ maxConcurrency: 3 })).toBe(3);
    expect(await deploy({ maxConcurrency: null })).toBe(null);
    expect(await deploy({ maxConcurrency: 2 })).toBe(2);
    expect(await deploy({})).toBe(null);
    for (const wrong of [0, -1, 1.5, "2", true]) {
      expect(await refusal(deploy({ maxConcurrency: wrong }))).toMatchObject({
        ...{ code: "TK001", field: "maxConcurrency" },
      });
    }
  });
});
