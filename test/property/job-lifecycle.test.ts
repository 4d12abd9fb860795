import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";

import { setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import { JobModel, LEASE, type Snapshot } from "./job-model.js";
import { type Step, steps } from "./job-steps.js";

/*
 * Whatever is done to jobs, in whatever order and by whomever: each has one status, changes it only
 * as carillon.job_transitions says, ends once and stays as it ended, and none is lost.
 */

const RUNS = 30 * Number(process.env.CARILLON_ORACLE_ROUNDS ?? "1");
const START = Date.UTC(2026, 2, 2, 10);

let database: TestDatabase;
let sql: TestSql;
let legal: Set<string>;
const seen = new Set<string>();
let redriven = 0;

beforeAll(async () => {
  database = await createTestDatabase({ max: 6 });
  sql = database.sql;
  await setClock(sql, new Date(START));
  await sql`select carillon.install_app(app => 'crm')`;
  const rows = await sql<{ change: string }[]>`
    select concat_ws(' ', coalesce(status, 'none'), next_status) as change from carillon.job_transitions`;
  legal = new Set(rows.map(({ change }) => change));
});

afterAll(() => database.drop());

beforeEach(async () => {
  await clear();
});

async function clear(): Promise<void> {
  await sql`truncate pgmq.q_jobs, pgmq.q_jobs_dlq, carillon.job_history`;
  await setClock(sql, new Date(START));
}

/** Every job there is; a job that is there twice fails. */
async function snapshot(): Promise<Snapshot> {
  const rows = await sql<{ job_id: number; status: string; attempt: number; print: string }[]>`
    select j.job_id, j.status, j.attempt,
      case when j.finished_at is not null then md5(to_jsonb(j)::text) else '' end as print
    from carillon.jobs j order by j.job_id`;
  expect(new Set(rows.map((row) => row.job_id)).size).toBe(rows.length);
  return new Map(rows.map(({ job_id, ...row }) => [job_id, row]));
}

/** Checks each change of status, and that what has ended is as it was to the last field. */
function compare(before: Snapshot, after: Snapshot, may: ReadonlySet<string>): void {
  for (const [id, old] of before) {
    const now = after.get(id);
    expect(now, `job ${id} is lost`).toBeDefined();
    if (old.print !== "") expect(now).toEqual(old);
  }
  for (const [id, now] of after) {
    const change = `${before.get(id)?.status ?? "none"} ${now.status}`;
    if (before.get(id)?.status === now.status) continue;
    expect(may.has(change), `job ${id}: ${change}`).toBe(true);
    if (may === legal) seen.add(change);
  }
}

test("one step after the other, every job is where the model says", async () => {
  await fc.assert(
    fc.asyncProperty(steps(40, 80), async (given) => {
      await clear();
      const model = new JobModel(START);
      let before: Snapshot = new Map();
      for (const step of given) {
        await model.take(sql, step);
        const after = await snapshot();
        expect(Object.fromEntries([...after].map(([id, { status }]) => [id, status]))).toEqual(
          model.statuses(),
        );
        if (step.op !== "die") compare(before, after, legal);
        before = after;
      }
      redriven += model.redriven;
    }),
    { numRuns: RUNS },
  );
});

test("every change that the table allows has happened, and none is missing in it", () => {
  expect([...seen].sort()).toEqual([...legal].sort());
  expect(redriven).toBeGreaterThan(0);
});

/** Steps that end in one, of any number of legal changes. */
function closure(changes: ReadonlySet<string>): Set<string> {
  const all = new Set(changes);
  for (let size = 0; size !== all.size;) {
    size = all.size;
    for (const a of [...all]) {
      for (const b of changes) {
        const [from, middle] = a.split(" ");
        const [start, to] = b.split(" ");
        if (middle === start) all.add(`${from} ${to}`);
      }
    }
  }
  return all;
}

test("at once from several connections, each job ends once and none is lost", async () => {
  const reachable = closure(legal);
  await fc.assert(
    fc.asyncProperty(fc.array(steps(3, 8), { minLength: 8, maxLength: 16 }), async (rounds) => {
      await clear();
      // The model knows who holds what, and is told by the answers; what it predicts is not asked.
      const model = new JobModel(START);
      let before: Snapshot = new Map();
      for (const round of rounds) {
        const together = round.filter(({ op }) => op !== "advance" && op !== "die");
        await Promise.all(together.map((step) => model.act(sql, step)));
        const after = await snapshot();
        compare(before, after, reachable);
        for (const id of model.accepted) expect(after.has(id), `job ${id} is lost`).toBe(true);
        expect(after.size).toBe(model.accepted.size);
        for (const [id, status] of model.recorded) expect(after.get(id)?.status).toBe(status);
        before = after;
        for (const step of round) if (step.op === "advance") await model.act(sql, step);
      }
      // In the end all of them end.
      for (let left = 1; left > 0;) {
        await model.act(sql, { op: "advance", by: 2 * LEASE, pick: 0 } satisfies Step);
        await model.act(sql, { op: "sweep", by: 0, pick: 0 });
        await model.act(sql, { op: "claim", by: 100, pick: 0 });
        await model.finishAll(sql);
        left = (await sql`select from pgmq.q_jobs`).length;
      }
      const after = await snapshot();
      compare(before, after, reachable);
      expect(new Set(after.keys())).toEqual(model.accepted);
    }),
    { numRuns: RUNS / 2 },
  );
});
