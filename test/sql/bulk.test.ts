import { describe, expect, test } from "vitest";

import { advanceClock } from "../helpers/clock.js";
import type { TestSql } from "../helpers/database.js";
import { declare, fail, newDatabase, statuses } from "./decisions.js";
import { claim, complete, fingerprint, one, refusal } from "./support.js";

interface Bulk {
  dryRun: boolean;
  matched: number;
  canceled: number;
  retried: number;
  skipped: number;
  jobs: { msgId: number; retryOf: number }[];
  nextCursor: string | null;
}

const call = async (sql: TestSql, what: string, filter: object, rest = "") =>
  (
    await one(
      sql.unsafe<{ r: Bulk }[]>(
        `select carillon.${what}_jobs(app => 'crm', filter => $1::jsonb${rest}) as r`,
        [filter as never],
      ),
    )
  ).r;

const enqueue = (sql: TestSql, count: number, args = "", app = "crm") =>
  sql.unsafe(
    `select carillon.enqueue_job(app => '${app}'${args}) from generate_series(1, ${count})`,
  );

describe("cancel_jobs", () => {
  test("cancels what the filter means, bounded, with a cursor to go on; a dry run counts", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'shop')`;
    await enqueue(sql, 7, ", tags => '{x}'");
    await enqueue(sql, 3, ", run_at => carillon.now() + interval '1 hour'");
    await enqueue(sql, 4, ", tags => '{x}'", "shop");
    await claim(sql, "crm", 2);
    const before = await fingerprint(sql);
    expect(await call(sql, "cancel", { tag: "x" }, ", dry_run => true")).toEqual({
      ...{ dryRun: true, matched: 7, canceled: 0, nextCursor: null },
    });
    expect(await fingerprint(sql)).toEqual(before);
    const first = await call(sql, "cancel", { tag: "x" }, ", max_jobs => 4, reason => 'enough'");
    expect(first).toMatchObject({ dryRun: false, matched: 4, canceled: 4 });
    expect(first.nextCursor).toEqual(expect.any(String));
    const rest = await call(
      sql,
      "cancel",
      { tag: "x" },
      `, max_jobs => 4, after_cursor => '${first.nextCursor}'`,
    );
    expect(rest).toMatchObject({ matched: 3, canceled: 3, nextCursor: null });
    expect(await statuses(sql)).toEqual({ canceled: 7, pending: 3, queued: 4 });
    expect(await sql`select distinct app_id, status from carillon.jobs order by 1, 2`).toEqual([
      { app_id: "crm", status: "canceled" },
      { app_id: "crm", status: "pending" },
      { app_id: "shop", status: "queued" },
    ]);
    expect(await call(sql, "cancel", {})).toMatchObject({ canceled: 3 });
  });

  test("leaves a job alone that is not meant any more once it is locked", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await enqueue(sql, 2);
    let canceling: Promise<Bulk> | undefined;
    await sql.begin(async (tx) => {
      await tx`
        select carillon.claim_jobs(apps => '{crm}', worker => 'w', max_jobs => 1, lease_seconds => 30)`;
      canceling = call(sql, "cancel", { status: "queued" });
      for (;;) {
        const [waiting] =
          await sql`select pid from pg_stat_activity where wait_event_type = 'Lock' and query ~ 'cancel_jobs'`;
        if (waiting) break;
      }
    });
    expect(await canceling).toMatchObject({ matched: 2, canceled: 1 });
    expect(await statuses(sql)).toEqual({ canceled: 1, running: 1 });
  });

  test.each([
    ["status", { status: "failed" }, ""],
    ["status", { status: ["live", "completed"] }, ""],
    ["colour", { colour: "red" }, ""],
    ["reason", {}, ", reason => ''"],
    ["limit", {}, ", max_jobs => 1001"],
    ["cursor", {}, ", after_cursor => 'x1'"],
  ])("refuses a wrong %s", async (field, filter, rest) => {
    await using db = await newDatabase();
    expect(await refusal(call(db.sql, "cancel", filter, rest))).toMatchObject({
      code: "TK001",
      field,
    });
  });
});

describe("retry_jobs", () => {
  test("runs failed jobs again, once each, as new ones that link to them", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await declare(sql, "c", { overlapPolicy: "queue" });
    await sql`select carillon.trigger_cron(cron => ${cron.id}, payload => '{"n": 1}') from generate_series(1, 3)`;
    await enqueue(
      sql,
      5,
      `, payload => '{"n": 2}', tags => '{x}', max_attempts => 2, retry_delay => 0`,
    );
    await fail(sql, await claim(sql, "crm"));
    await fail(sql, await claim(sql, "crm"));
    await enqueue(sql, 1);
    await complete(sql, await claim(sql, "crm"));
    expect(await statuses(sql)).toEqual({ completed: 1, failed: 8 });
    expect(await call(sql, "retry", {}, ", dry_run => true")).toMatchObject({
      matched: 8,
      retried: 0,
      jobs: [],
    });
    const first = await call(sql, "retry", {}, ", max_jobs => 6");
    expect(first).toMatchObject({ matched: 6, retried: 6, skipped: 0 });
    const again = await sql`
      select j.headers ->> 'retry_of' as old, j.payload, j.cron_id, j.trigger, j.headers -> 'max_attempts' as tries
      from carillon.list_jobs(app => 'crm', filter => '{"status": "queued"}', sort => 'oldest') j`;
    expect(again).toHaveLength(6);
    expect(again[0]).toMatchObject({
      payload: { n: 1, cron_id: cron.id },
      cron_id: cron.id,
      trigger: "manual",
      tries: null,
    });
    expect(again[5]).toMatchObject({ payload: { n: 2 }, cron_id: null, tries: 2 });
    expect(first.jobs.map(({ retryOf }) => String(retryOf))).toEqual(
      again.map(({ old }) => old as string),
    );
    for (const { msgId, retryOf } of first.jobs) {
      expect(await sql`select carillon.retried_by(job => ${retryOf}) as by`).toEqual([
        { by: [msgId] },
      ]);
    }
    // From the start: what has been run again is passed over.
    expect(await call(sql, "retry", {})).toMatchObject({
      matched: 8,
      retried: 2,
      skipped: 6,
      nextCursor: null,
    });
    const { jobs } = await call(sql, "retry", { ids: [first.jobs[0]!.retryOf] });
    expect(jobs).toEqual([]);
    const done = await one(
      sql<{ id: number }[]>`select job_id as id from carillon.jobs where status = 'completed'`,
    );
    expect(await call(sql, "retry", { ids: [done.id] })).toMatchObject({ retried: 1 });
    expect(await call(sql, "retry", { status: "completed" })).toMatchObject({
      retried: 0,
      skipped: 1,
    });
  });

  test("of everything comes to an end, though what it runs fails again", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await enqueue(sql, 25);
    await fail(sql, await claim(sql, "crm"));
    let cursor: string | null = null;
    let retried = 0;
    do {
      const step: Bulk = await call(
        sql,
        "retry",
        {},
        `, max_jobs => 10, after_cursor => ${cursor === null ? "null" : `'${cursor}'`}`,
      );
      retried += step.retried;
      cursor = step.nextCursor;
      await fail(sql, await claim(sql, "crm"));
    } while (cursor !== null);
    expect(retried).toBe(25);
  });

  test("by two at once runs nothing twice", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await enqueue(sql, 50);
    await fail(sql, await claim(sql, "crm"));
    const both = await Promise.all([1, 2, 3].map(() => call(sql, "retry", {})));
    expect(both.reduce((sum, { retried }) => sum + retried, 0)).toBe(50);
  });

  test("refuses live statuses, and an app that is gone", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    expect(await refusal(call(sql, "retry", { status: "queued" }))).toMatchObject({
      field: "status",
    });
    await sql`select carillon.uninstall_app(app => 'crm')`;
    expect(await refusal(call(sql, "retry", {}))).toMatchObject({ code: "TK101" });
  });
});

describe("dead letters", () => {
  /** Loses every lease of all jobs until they are buried. */
  async function bury(sql: TestSql): Promise<void> {
    for (let n = 0; n < 5; n += 1) {
      await claim(sql, "crm");
      await claim(sql, "shop");
      await advanceClock(sql, "1 minute");
    }
    await sql`select carillon._bury_lost_jobs()`;
  }

  async function buried() {
    const db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'shop')`;
    const cron = await declare(sql, "c", { enabled: false });
    await enqueue(sql, 3, `, payload => '{"n": 1}', tags => '{x}', priority => 2`);
    await enqueue(sql, 1, "", "shop");
    await sql`select carillon.trigger_cron(cron => ${cron.id})`;
    await bury(sql);
    return { db, sql, cron };
  }

  const list = (sql: TestSql, app = "crm", rest = "") =>
    sql.unsafe<{ letter_id: number; job_id: number; cron_id: string | null }[]>(
      `select * from carillon.list_letters(app => '${app}'${rest})`,
    );

  test("are listed app by app, newest first, with what became of the job", async () => {
    const { db, sql, cron } = await buried();
    await using _ = db;
    const letters = await list(sql);
    expect(letters).toHaveLength(4);
    expect(letters[0]).toMatchObject({ cron_id: cron.id, trigger: "manual", app_id: "crm" });
    expect(letters[1]).toMatchObject({
      reason: "lease_lost",
      payload: { n: 1 },
      tags: ["x"],
      cron_id: null,
    });
    expect((letters[1] as unknown as { attempts: object[] }).attempts).toHaveLength(5);
    const [one] = await list(
      sql,
      "crm",
      `, before_letter => ${letters[1]?.letter_id}, max_rows => 1`,
    );
    expect(one).toEqual(letters[2]);
    expect(await list(sql, "shop")).toHaveLength(1);
    expect(
      await sql`select carillon.count_letters(app => 'crm') as n, carillon.count_letters(app => 'crm', cron => ${cron.id}) as m`,
    ).toEqual([{ n: 4, m: 1 }]);
  });

  test("are redriven as new jobs that link to those that died, and leave their queue", async () => {
    const { db, sql, cron } = await buried();
    await using _ = db;
    const letters = await list(sql);
    const foreign = (await list(sql, "shop"))[0]!.letter_id;
    const ids = [letters[3]!.letter_id, letters[2]!.letter_id, foreign, 999];
    const redriven =
      await sql`select * from carillon.redrive_letters(app => 'crm', letters => ${ids})`;
    expect(redriven.map(({ letter_id }) => letter_id as number)).toEqual([ids[0], ids[1]]);
    for (const { job_id, retry_of } of redriven) {
      const job = await one(
        sql<{ headers: object }[]>`select * from carillon.get_job(job => ${job_id as number})`,
      );
      expect(job).toMatchObject({
        ...{ status: "queued", payload: { n: 1 }, attempt: 0, attempts: [], trigger: "manual" },
        headers: { retry_of: retry_of as number, priority: 2, tags: ["x"] },
      });
      expect(job.headers).not.toHaveProperty("lost");
      expect(await sql`select status from carillon.get_job(job => ${retry_of as number})`).toEqual([
        { status: "failed" },
      ]);
      expect(await sql`select carillon.retried_by(job => ${retry_of as number}) as by`).toEqual([
        { by: [job_id] },
      ]);
    }
    expect(await list(sql)).toHaveLength(2);
    expect(await list(sql, "shop")).toHaveLength(1);
    const by = await sql`select * from carillon.redrive_letters(app => 'crm', cron => ${cron.id})`;
    expect(by).toHaveLength(1);
    expect(
      await sql`select * from carillon.redrive_letters(app => 'crm', max_letters => 1)`,
    ).toHaveLength(1);
    expect(await sql`select * from carillon.redrive_letters(app => 'crm')`).toHaveLength(0);
  });

  test("by two at once go back once each", async () => {
    const { db, sql } = await buried();
    await using _ = db;
    const all = await Promise.all(
      [1, 2, 3].map(() => sql`select * from carillon.redrive_letters(app => 'crm')`),
    );
    expect(all.flat()).toHaveLength(4);
  });

  test("are deleted for good, of the app alone", async () => {
    const { db, sql } = await buried();
    await using _ = db;
    const [first] = await list(sql);
    const remove = (args: string) =>
      sql.unsafe(`select carillon.delete_letters(app => 'crm'${args}) as n`);
    expect(await remove(`, letters => '{${first!.letter_id}}'`)).toEqual([{ n: 1 }]);
    expect(await remove("")).toEqual([{ n: 3 }]);
    expect(await list(sql)).toHaveLength(0);
    expect(await list(sql, "shop")).toHaveLength(1);
    expect(await sql`select from carillon.job_history where app_id = 'crm'`).toHaveLength(4);
    expect(await refusal(remove(", max_letters => 0"))).toMatchObject({ field: "limit" });
  });
});
