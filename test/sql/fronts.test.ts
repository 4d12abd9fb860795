import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestSql } from "../helpers/database.js";
import { claim, claimCost, complete, one } from "./support.js";

/*
 * Of a deep backlog, claims begin where the last ones found it to begin, for a second: to look from
 * the start they would have to pass whatever has gone since the last vacuum.
 */

async function backlog(jobs: number) {
  const db = await createTestDatabase();
  const { sql } = db;
  await setClock(sql, "2026-03-02T10:00:00Z");
  await sql`select carillon.install_app(app => 'crm')`;
  for (let left = jobs; left > 0; left -= 10_000) {
    await sql`select carillon.enqueue_jobs(app => 'crm', jobs => (
      select jsonb_agg('{"payload": {}}'::jsonb) from generate_series(1, ${Math.min(left, 10_000)})))`;
  }
  return db;
}

/** A job that others see now, and whose turn was before: its transaction took that long. */
const late = async (sql: TestSql) =>
  (
    await one(sql<{ id: number }[]>`
      insert into pgmq.q_jobs (enqueued_at, vt, message, headers)
      select at, at, carillon._job_message('crm', '{}', null), '{"trigger": "api"}'
      from (values (carillon.now() - interval '1 minute')) as t (at)
      returning msg_id as id`)
  ).id;

const idsOf = async (jobs: ReturnType<typeof claim>) => (await jobs).map(({ job_id }) => job_id);

describe("of a deep backlog", () => {
  test("a claim does not pass all that has gone", async () => {
    await using db = await backlog(20_000);
    const { sql } = db;
    await sql`alter table pgmq.q_jobs set (autovacuum_enabled = off)`;
    const session = await sql.reserve();
    try {
      for (let n = 0; n < 18; n += 1) await complete(session, await claim(session, "crm", 1000));
      await advanceClock(sql, "2 seconds");
      const { blocks: fromTheStart } = await claimCost(session);
      const { blocks: fromTheFront } = await claimCost(session);
      expect(fromTheFront).toBeLessThan(fromTheStart / 2);
    } finally {
      session.release();
    }
  });

  test("what shows up before its beginning waits for a second at most", async () => {
    await using db = await backlog(100);
    const { sql } = db;
    expect(await claim(sql, "crm", 10)).toHaveLength(10);
    const first = await late(sql);
    expect(await idsOf(claim(sql, "crm", 10))).not.toContain(first);
    await advanceClock(sql, "1001 milliseconds");
    expect(await idsOf(claim(sql, "crm", 1))).toEqual([first]);
    // Or until there is room for all that wait.
    const second = await late(sql);
    const rest = await idsOf(claim(sql, "crm", 100));
    expect(rest).toHaveLength(81);
    expect(rest).toContain(second);
  });

  test("what goes first still does", async () => {
    await using db = await backlog(100);
    const { sql } = db;
    await claim(sql, "crm", 10);
    const { id } = await one(sql<{ id: number }[]>`
      select carillon.enqueue_job(app => 'crm', priority => 7) as id`);
    const low = await one(sql<{ id: number }[]>`
      select carillon.enqueue_job(app => 'crm', priority => -7) as id`);
    expect((await idsOf(claim(sql, "crm", 10)))[0]).toBe(id);
    expect((await idsOf(claim(sql, "crm", 100))).at(-1)).toBe(low.id);
  });

  test("a job whose lease was lost is back within a second", async () => {
    await using db = await backlog(100);
    const { sql } = db;
    /** Claims one, so many milliseconds later. */
    const later = async (ms: number, lease = 300) => {
      await advanceClock(sql, `${ms} milliseconds`);
      const [job] = await claim(sql, "crm", 1, lease);
      return job!.job_id;
    };
    const leased = async (id: number) =>
      (
        await one(sql<{ leased: boolean }[]>`
          select headers ? 'lease' as leased from pgmq.q_jobs where msg_id = ${id}`)
      ).leased;
    await later(0);
    const lost = await later(500, 1);
    await later(600);
    await later(500);
    expect(await leased(lost)).toBe(true);
    await later(600);
    expect(await leased(lost)).toBe(false);
  });

  test("nothing is remembered of an app that is gone", async () => {
    await using db = await backlog(100);
    const { sql } = db;
    await claim(sql, "crm", 10);
    expect(await sql`select claim_key from carillon.queue_fronts`).toEqual([{ claim_key: "crm" }]);
    await sql`select carillon.uninstall_app(app => 'crm')`;
    expect(await sql`select from carillon.queue_fronts`).toHaveLength(0);
  });
});
