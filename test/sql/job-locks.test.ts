import { expect, test } from "vitest";

import { setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestSql } from "../helpers/database.js";
import { claim, one, refusal } from "./support.js";

async function newDatabase() {
  const db = await createTestDatabase();
  await setClock(db.sql, "2026-03-02T10:00:00Z");
  await db.sql`select carillon.install_app(app => 'crm')`;
  return db;
}

/** A statement that has begun to wait for a lock. */
async function waiting<T>(sql: TestSql, statement: PromiseLike<T>) {
  const result = Promise.resolve(statement);
  for (;;) {
    const [row] = await sql<{ n: number }[]>`
      select count(*)::int as n from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock'`;
    if (row?.n === 1) return { result };
  }
}

const outcomes = (ids: readonly number[]) =>
  ids.map((id, at) => ({
    ...{ job_id: id, attempt: 1, status: at % 2 === 0 ? "completed" : "failed" },
    ...(at % 2 === 0 ? {} : { error: { name: "Error", message: "no" } }),
  }));

test.each([
  ["completed", 1],
  ["completed and failed", 2],
])("jobs are locked in order of their ids when they are %s", async (_how, attempts) => {
  await using db = await newDatabase();
  const { sql } = db;
  await sql`
    select carillon.enqueue_job(app => 'crm', max_attempts => ${attempts}) from generate_series(1, 4)`;
  const ids = (await claim(sql, "crm")).map(({ job_id }) => job_id);
  const backwards = outcomes([...ids].reverse());
  const told = attempts === 1 ? backwards.filter(({ error }) => error === undefined) : backwards;
  const [first, last] = [told.at(-1)!.job_id, told[0]!.job_id];
  const finished = await sql.begin(async (tx) => {
    await tx`select carillon.cancel_job(job => ${first})`;
    const finishing = await waiting(
      sql,
      sql<{ id: number }[]>`
        select * from carillon.finish_jobs(outcomes => ${sql.json(told)}) as id`,
    );
    // Whoever waits for the first has not locked the last.
    await tx`set local lock_timeout = '500ms'`;
    await tx`select carillon.cancel_job(job => ${last})`;
    return finishing;
  });
  const rest = told.map(({ job_id }) => job_id).filter((id) => id !== first && id !== last);
  expect((await finished.result).map(({ id }) => id).sort((a, b) => a - b)).toEqual(
    rest.sort((a, b) => a - b),
  );
});

test("a finish that waits too long for a lock gives way, to be tried again", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  await sql`select carillon.enqueue_job(app => 'crm')`;
  const [job] = await claim(sql, "crm");
  await sql.begin(async (tx) => {
    await tx`select from pgmq.q_jobs for update`;
    const refused = await refusal(
      sql`select carillon.finish_jobs(outcomes => ${sql.json(outcomes([job!.job_id]))})`,
    );
    expect(refused.code).toBe("55P03");
  });
});

test("a job enqueued while its app is being uninstalled is canceled with the others", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const { id, uninstalling } = await sql.begin(async (tx) => {
    const { id } = await one(tx<{ id: number }[]>`
      select carillon.enqueue_job(app => 'crm') as id`);
    return {
      id,
      uninstalling: await waiting(sql, sql`select carillon.uninstall_app(app => 'crm')`),
    };
  });
  await uninstalling.result;
  expect(await sql`select from pgmq.q_jobs`).toHaveLength(0);
  expect(await sql`select job_id, status from carillon.job_history`).toEqual([
    { job_id: id, status: "canceled" },
  ]);
});

test.each([
  ["one job", "carillon.enqueue_job(app => 'crm')"],
  ["many jobs", `carillon.enqueue_jobs(app => 'crm', jobs => '[{"payload": {}}]')`],
])("enqueuing %s waits for an uninstall, and is refused after it", async (_what, call) => {
  await using db = await newDatabase();
  const { sql } = db;
  const enqueuing = await sql.begin(async (tx) => {
    await tx`select carillon.uninstall_app(app => 'crm')`;
    return waiting(sql, refusal(sql.unsafe(`select ${call}`)));
  });
  expect(await enqueuing.result).toMatchObject({ code: "TK101" });
  expect(await sql`select from pgmq.q_jobs`).toHaveLength(0);
});
