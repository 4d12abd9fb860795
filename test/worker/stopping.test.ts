import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { JobAborted } from "../../src/index.js";
import { createStarts, spawnWorker } from "./child.js";
import { type Bench, createBench, gate, until } from "./helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

const connections = async () => {
  const [row] = await bench.sql<{ n: number }[]>`
    select count(*)::int as n from pg_stat_activity
    where datname = ${bench.db.name} and application_name like 'carillon%'`;
  return row!.n;
};

describe("stop()", () => {
  test("lets running jobs end, takes no new ones, and closes every connection", async () => {
    const { opened, open } = gate();
    let started = 0;
    const worker = await bench.work(
      {
        onJob: async () => {
          started += 1;
          await opened;
          return "in time";
        },
      },
      { concurrency: 2, drainSeconds: 20 },
    );
    const ids = [await bench.enqueue({}), await bench.enqueue({}), await bench.enqueue({})];
    await until(() => started === 2, "two running jobs");
    const stopped = worker.stop();
    await bench.enqueue({});
    open();
    await stopped;
    expect(await bench.history()).toMatchObject([
      { jobId: ids[0], status: "completed" },
      { jobId: ids[1], status: "completed" },
    ]);
    expect(await bench.live()).toBe(2);
    expect(started).toBe(2);
    expect(await connections()).toBe(0);
  });

  test("aborts at the deadline and hands back what does not end, without blame", async () => {
    const reasons: unknown[] = [];
    const { opened, open } = gate();
    const worker = await bench.work(
      {
        onJob: async ({ deaf }, _caller, { signal }) => {
          if (deaf) return opened;
          await new Promise((resolve) => signal.addEventListener("abort", resolve));
          reasons.push(signal.reason);
          throw signal.reason;
        },
      },
      { drainSeconds: 0 },
    );
    const ids = [await bench.enqueue({ deaf: true }), await bench.enqueue({})];
    await until(async () => {
      const rows = await bench.sql`select from pgmq.q_jobs where headers ? 'lease'`;
      return rows.length === 2;
    }, "two running jobs");
    await worker.stop();
    expect(reasons).toEqual([expect.any(JobAborted)]);
    expect((reasons[0] as JobAborted).why).toBe("shutdown");
    expect(await bench.history()).toEqual([]);
    const left = await bench.sql`
      select msg_id as id, vt <= now() as due, headers ? 'lease' as leased, headers ? 'lost' as lost
      from pgmq.q_jobs order by msg_id`;
    expect(left).toEqual(ids.map((id) => ({ id, due: true, leased: false, lost: false })));
    // Its late result changes nothing.
    open();
    await using _next = await bench.work({ onJob: () => "second try" });
    expect(await bench.ended(ids[0]!)).toMatchObject({ result: "second try", attempt: 2 });
  });

  test("called again waits no longer", async () => {
    const { opened, open } = gate();
    let started = false;
    const worker = await bench.work(
      {
        onJob: () => {
          started = true;
          return opened;
        },
      },
      { drainSeconds: 3600 },
    );
    await bench.enqueue({});
    await until(() => started, "a running job");
    void worker.stop();
    await worker.stop();
    const [left] = await bench.sql`select headers ? 'lease' as leased from pgmq.q_jobs`;
    expect(left).toEqual({ leased: false });
    open();
  });

  test("hands prefetched jobs back at once", async () => {
    // Short jobs fill the prefetch; then one closes the gate with others waiting behind it.
    const { opened, open } = gate();
    let closed = false;
    const worker = await bench.work(
      {
        onJob: ({ close }) => {
          closed ||= close === true;
          return closed ? opened : null;
        },
      },
      { concurrency: 1, drainSeconds: 3600 },
    );
    await bench.sql`
      select carillon.enqueue_job(${bench.app}, jsonb_build_object('close', n = 3000))
      from generate_series(1, 4000) n`;
    await until(() => closed, "the closed gate");
    void worker.stop();
    const leased = async () =>
      (await bench.sql`select from pgmq.q_jobs where headers ? 'lease'`).length;
    await until(async () => (await leased()) === 1, "one lease");
    open();
    await worker.stopped;
    expect(await bench.history()).toHaveLength(3000);
    expect(await bench.live()).toBe(1000);
  });
});

describe("a worker process", () => {
  beforeEach(() => createStarts(bench));

  test("ends by itself on SIGTERM, with its running job done", async () => {
    const worker = await spawnWorker(bench);
    const id = await bench.enqueue({ ms: 300 });
    await until(async () => (await bench.sql`select from starts`).length === 1, "the start");
    worker.process.kill("SIGTERM");
    expect(await worker.exited).toBe(0);
    expect(worker.output()).toContain("shut down");
    expect(await bench.ended(id)).toMatchObject({ status: "completed", attempt: 1 });
  });

  test("waits no longer at the second SIGTERM, and hands its job back", async () => {
    const worker = await spawnWorker(bench, { drainSeconds: 3600 });
    await bench.enqueue({ hang: true });
    await until(async () => (await bench.sql`select from starts`).length === 1, "the start");
    worker.process.kill("SIGTERM");
    await until(
      async () =>
        (
          await bench.sql`
      select from pg_stat_activity where datname = ${bench.db.name} and query ilike 'unlisten%'`
        ).length > 0,
      "the end of listening",
    );
    worker.process.kill("SIGTERM");
    expect(await worker.exited).toBe(0);
    const [left] = await bench.sql`select headers ? 'lease' as leased, read_ct from pgmq.q_jobs`;
    expect(left).toEqual({ leased: false, read_ct: 1 });
  });
});
