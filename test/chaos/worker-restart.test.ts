import { afterAll, beforeAll, expect, test } from "vitest";
import { serve } from "../../src/worker/serve.js";
import { connect, type TestSql } from "../helpers/database.js";
import { type CronEngine, startCronEngine } from "../helpers/engine.js";
import { memoryLogger, until } from "../worker/helpers.js";

let server: CronEngine;
const unhandled: unknown[] = [];
const note = (reason: unknown) => void unhandled.push(reason);

beforeAll(async () => {
  process.on("unhandledRejection", note);
  server = await startCronEngine();
});
afterAll(async () => {
  process.off("unhandledRejection", note);
  await server[Symbol.asyncDispose]();
});

test("a worker outlives crashes and restarts of Postgres, with jobs in flight", async () => {
  let sql: TestSql = connect(server.url, 2);
  await sql`select carillon.install_app('crm')`;
  const { lines, logger } = memoryLogger();
  const runs = new Map<number, number>();
  await using worker = serve(
    {
      ...{ app: "crm", databaseUrl: server.url, signals: false, logger },
      ...{ concurrency: 20, leaseSeconds: 2, pollMs: 600_000 },
    },
    {
      onJob: async (_payload, _caller, { jobId }) => {
        runs.set(jobId, (runs.get(jobId) ?? 0) + 1);
        await new Promise((resolve) => setTimeout(resolve, 20));
        return "done";
      },
    },
  );
  await worker.ready;
  await sql`select carillon.enqueue_job('crm', '{}') from generate_series(1, 300)`;

  for (const mode of ["immediate", "fast"] as const) {
    await until(() => runs.size >= (mode === "fast" ? 120 : 40), "some jobs");
    await sql.end({ timeout: 1 });
    await server.engine.stop(mode);
    await until(() => lines.some(({ message }) => message === "cannot claim jobs, trying again"));
    await server.engine.start();
    sql = connect(server.url, 2);
  }
  const count = async () => {
    const [row] = await sql<{ live: number; ended: number; completed: number; lost: number }[]>`
      select (select count(*)::int from pgmq.q_jobs) as live, count(*)::int as ended,
        count(distinct job_id) filter (where status = 'completed')::int as completed,
        count(*) filter (where headers ? 'lost')::int as lost
      from carillon.job_history`;
    return row!;
  };
  await until(async () => (await count()).live === 0, "an empty queue");
  const { lost, ...sums } = await count();
  expect(sums).toEqual({ live: 0, ended: 300, completed: 300 });
  // Whatever ran more than once had lost its lease first, on record.
  expect([...runs.values()].filter((n) => n > 1).length).toBeLessThanOrEqual(lost);

  // It is heard from again: the next poll is ten minutes away.
  const [row] = await sql<{ id: number }[]>`select carillon.enqueue_job('crm', '{}') as id`;
  await until(() => runs.has(row!.id), "a job announced after the restarts");
  expect(unhandled).toEqual([]);
  await sql.end({ timeout: 1 });
});
