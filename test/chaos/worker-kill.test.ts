import { afterEach, beforeEach, expect, test } from "vitest";
import { createStarts, spawnWorker } from "../worker/child.js";
import { type Bench, createBench, until } from "../worker/helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
  await createStarts(bench);
});
afterEach(() => bench[Symbol.asyncDispose]());

const enqueueMany = (count: number, payload: object) => bench.sql`
  select carillon.enqueue_job(${bench.app}, ${bench.sql.json(payload as never)})
  from generate_series(1, ${count}::int)`;

/** Holds the history against what is promised: each job once, each lost attempt on record. */
async function expectEachOnce(count: number): Promise<void> {
  const [sums] = await bench.sql`
    select count(*)::int as ended, count(distinct job_id)::int as jobs,
      count(*) filter (where status = 'completed')::int as completed
    from carillon.job_history`;
  expect(sums).toEqual({ ended: count, jobs: count, completed: count });
  expect(await bench.live()).toBe(0);
  // A second start without a lost (or handed back) lease between would be two attempts at once.
  const unexplained = await bench.sql`
    select s.job_id from starts s join carillon.job_history h using (job_id)
    where s.attempt < h.attempt
      and not (h.headers -> 'attempts') @> jsonb_build_array(jsonb_build_object('attempt', s.attempt))`;
  expect(unexplained).toEqual([]);
  const twice = await bench.sql`
    select job_id, attempt from starts group by 1, 2 having count(*) > 1`;
  expect(twice).toEqual([]);
}

test("two worker processes share a queue, and every job runs once", async () => {
  await enqueueMany(2000, {});
  const workers = await Promise.all([spawnWorker(bench), spawnWorker(bench)]);
  await until(async () => (await bench.live()) === 0, "an empty queue");
  for (const { process } of workers) process.kill("SIGTERM");
  expect(await Promise.all(workers.map(({ exited }) => exited))).toEqual([0, 0]);
  await expectEachOnce(2000);
  const [starts] = await bench.sql`
    select count(*)::int as n, count(distinct pid)::int as pids from starts`;
  expect(starts).toEqual({ n: 2000, pids: 2 });
});

test("killed with jobs in flight: each ends exactly once in the history", async () => {
  const options = { leaseSeconds: 1, concurrency: 20 };
  await enqueueMany(400, { ms: 20 });
  let kills = 0;
  for (const ended of [20, 120, 220]) {
    const victim = await spawnWorker(bench, options);
    await until(async () => (await bench.history()).length >= ended, `${ended} jobs`);
    victim.process.kill("SIGKILL");
    expect(await victim.exited).toBe("SIGKILL");
    kills += 1;
  }
  const last = await spawnWorker(bench, options);
  await until(async () => (await bench.live()) === 0, "an empty queue");
  last.process.kill("SIGTERM");
  expect(await last.exited).toBe(0);
  await expectEachOnce(400);
  const [lost] = await bench.sql`
    select count(*)::int as n from carillon.job_history where headers ? 'lost'`;
  expect(lost!.n).toBeGreaterThanOrEqual(kills);
});

test("a job that takes its worker down five times fails, and is kept in jobs_dlq", async () => {
  const id = await bench.enqueue({ hang: true });
  for (let delivery = 1; delivery <= 5; delivery += 1) {
    const victim = await spawnWorker(bench, { leaseSeconds: 3600 });
    await until(
      async () => (await bench.sql`select from starts where attempt = ${delivery}`).length === 1,
      `delivery ${delivery}`,
    );
    victim.process.kill("SIGKILL");
    await victim.exited;
    // The dead worker's lease, run out.
    await bench.sql`update pgmq.q_jobs set vt = clock_timestamp() where msg_id = ${id}`;
  }
  const spared = await spawnWorker(bench);
  await bench.sql`select carillon.sweep()`;
  const job = await bench.ended(id);
  expect(job).toMatchObject({ status: "failed", attempt: 5, error: { name: "LeaseLost" } });
  expect(job.headers.attempts).toHaveLength(5);
  const [dead] = await bench.sql`select message, headers ->> 'job_id' as id from pgmq.q_jobs_dlq`;
  expect(dead).toMatchObject({ id: String(id), message: { payload: { hang: true } } });
  spared.process.kill("SIGTERM");
  expect(await spared.exited).toBe(0);
  expect(await bench.sql`select from starts`).toHaveLength(5);
});
