import { expect, test } from "vitest";
import { createStarts, spawnWorker } from "../worker/child.js";
import { createBench } from "../worker/helpers.js";

/*
 * Scaled down for the suite; CARILLON_LONG=1 runs it as it is promised: a handler of 3 minutes with
 * a lease of 20 seconds.
 */
const long = process.env.CARILLON_LONG === "1";
const [handlerSeconds, leaseSeconds] = long ? [180, 20] : [12, 2];

test(
  `a handler of ${handlerSeconds} s with a lease of ${leaseSeconds} s runs once, with other workers asking for it all the time`,
  { timeout: handlerSeconds * 1000 + 60_000 },
  async () => {
    await using bench = await createBench();
    await createStarts(bench);
    const options = { leaseSeconds, pollMs: 50 };
    await Promise.all([spawnWorker(bench, options), spawnWorker(bench, options)]);
    const ids = await Promise.all(
      [1, 2, 3].map(() => bench.enqueue({ ms: handlerSeconds * 1000 })),
    );
    await bench.sql`select pg_sleep(${handlerSeconds})`;
    const jobs = await Promise.all(ids.map((id) => bench.ended(id)));
    for (const job of jobs) expect(job).toMatchObject({ status: "completed", attempt: 1 });
    const starts = await bench.sql<{ id: number }[]>`select job_id as id from starts order by 1`;
    expect(starts.map(({ id }) => id)).toEqual(ids.sort((a, b) => a - b));
    const lost = await bench.sql`select from carillon.job_history where headers ? 'attempts'`;
    expect(lost).toEqual([]);
  },
);
