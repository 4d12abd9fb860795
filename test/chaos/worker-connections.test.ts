import { afterEach, beforeEach, expect, test } from "vitest";
import { createStarts, spawnWorker } from "../worker/child.js";
import { type Bench, createBench, until } from "../worker/helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
  await createStarts(bench);
});
afterEach(() => bench[Symbol.asyncDispose]());

test("connections cut again and again: nothing is lost, nothing runs twice, nothing crashes", async () => {
  const worker = await spawnWorker(bench, { concurrency: 20, leaseSeconds: 30 });
  await bench.sql`
    select carillon.enqueue_job(${bench.app}, '{"ms": 10}') from generate_series(1, 600)`;
  for (const ended of [50, 150, 250, 350, 450]) {
    await until(async () => (await bench.history()).length >= ended, `${ended} jobs`);
    await bench.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
      where datname = ${bench.db.name} and application_name like 'carillon worker%'`;
  }
  // A claim whose answer was lost leaves leases nobody works on; they run out, here at once.
  await until(async () => {
    await bench.sql`
      update pgmq.q_jobs q set vt = clock_timestamp()
      where not exists (select from starts s where s.job_id = q.msg_id and s.attempt = q.read_ct)
        and q.headers ? 'lease' and q.last_read_at < clock_timestamp() - interval '1 second'`;
    return (await bench.live()) === 0;
  }, "an empty queue");
  worker.process.kill("SIGTERM");
  expect(await worker.exited).toBe(0);
  expect(worker.output()).not.toContain("UNHANDLED");
  const [sums] = await bench.sql`
    select count(*)::int as ended, count(distinct job_id)::int as jobs,
      count(*) filter (where status = 'completed')::int as completed
    from carillon.job_history`;
  expect(sums).toEqual({ ended: 600, jobs: 600, completed: 600 });
});
