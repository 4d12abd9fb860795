import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { JobAborted, JobContext } from "../../src/index.js";
import { type Bench, createBench, gate, until } from "./helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

/** Resolves with why, when the signal is aborted. */
const aborted = ({ signal }: JobContext) =>
  new Promise<string>((resolve) => {
    const tell = () => resolve((signal.reason as JobAborted).why);
    if (signal.aborted) tell();
    else signal.addEventListener("abort", tell);
  });

test("no more jobs run at once than concurrency allows", async () => {
  let running = 0;
  let most = 0;
  await using _worker = await bench.work(
    {
      onJob: async () => {
        running += 1;
        most = Math.max(most, running);
        await new Promise((resolve) => setTimeout(resolve, 3));
        running -= 1;
      },
    },
    { concurrency: 4 },
  );
  await bench.sql`
    select carillon.enqueue_job(${bench.app}, '{}') from generate_series(1, 200)`;
  await until(async () => (await bench.history()).length === 200, "200 finished jobs");
  expect(most).toBe(4);
});

test("long jobs are not hoarded by a busy worker", async () => {
  const { opened, open } = gate();
  await using _worker = await bench.work({ onJob: () => opened }, { concurrency: 2 });
  await bench.sql`select carillon.enqueue_job(${bench.app}, '{}') from generate_series(1, 10)`;
  const leased = async () => {
    const [row] = await bench.sql<{ n: number }[]>`
      select count(*)::int as n from pgmq.q_jobs where headers ? 'lease'`;
    return row!.n;
  };
  await until(async () => (await leased()) === 2, "two leases");
  expect(await leased()).toBe(2);
  open();
  await until(async () => (await bench.history()).length === 10, "all jobs");
});

describe("a job past its timeout", () => {
  test("fails although its handler ignores the signal, whose late result is dropped", async () => {
    const { opened, open } = gate();
    const why: Promise<string>[] = [];
    await using worker = await bench.work(
      {
        onJob: async (_p, _c, ctx) => {
          why.push(aborted(ctx));
          await opened;
          return "late";
        },
      },
      { timeoutSeconds: 0.1, concurrency: 1 },
    );
    const [first, second] = [await bench.enqueue({}), await bench.enqueue({})];
    const job = await bench.ended(first);
    expect(job).toMatchObject({ status: "failed", result: null, error: { name: "Timeout" } });
    expect(job.error?.message).toContain("0.1 s");
    // The slot is free again, although the first handler still hangs.
    await bench.ended(second);
    expect(await Promise.all(why)).toEqual(["timeout", "timeout"]);
    open();
    await worker.stop();
    expect(await bench.history()).toMatchObject([{ status: "failed" }, { status: "failed" }]);
  });
});

describe("a lease", () => {
  test("is kept by heartbeats for as long as the handler runs, so it runs once", async () => {
    let runs = 0;
    const leaseSeconds = 1;
    const { opened, open } = gate();
    const hooks = {
      onJob: async () => {
        runs += 1;
        await opened;
        return runs;
      },
    };
    await using _one = await bench.work(hooks, { leaseSeconds, pollMs: 50 });
    const id = await bench.enqueue({});
    // The lease was extended past the end of a whole further lease, with jobs polled all the time.
    await until(async () => {
      const [row] = await bench.sql<{ outlived: boolean }[]>`
        select vt > last_read_at + interval '2.1 seconds' as outlived from pgmq.q_jobs`;
      return row!.outlived;
    }, "a lease extended twice");
    open();
    expect(await bench.ended(id)).toMatchObject({ status: "completed", result: 1, attempt: 1 });
  });

  test("that ran out while its handler kept the event loop is not taken by its own worker", async () => {
    let runs = 0;
    await using _worker = await bench.work(
      {
        onJob: () => {
          runs += 1;
          const end = performance.now() + 1500;
          while (performance.now() < end);
          return new Promise((resolve) => setTimeout(() => resolve("once"), 300));
        },
      },
      { leaseSeconds: 1, pollMs: 20 },
    );
    const id = await bench.enqueue({});
    expect(await bench.ended(id)).toMatchObject({
      status: "completed",
      result: "once",
      attempt: 1,
    });
    expect(runs).toBe(1);
  });

  test("that is lost aborts the handler's signal, and its late outcome does not count", async () => {
    const why: Promise<string>[] = [];
    await using _worker = await bench.work(
      {
        onJob: async (_p, _c, ctx) => {
          const cause = aborted(ctx);
          why.push(cause);
          return ctx.attempt === 1 ? `late: ${await cause}` : "second";
        },
      },
      { leaseSeconds: 1 },
    );
    const id = await bench.enqueue({});
    await until(() => why.length === 1, "the first attempt");
    // As if the worker had been cut off until its lease ran out: another attempt may begin.
    await bench.sql`update pgmq.q_jobs set vt = now() where msg_id = ${id}`;
    await bench.sql`notify carillon_jobs`;
    await bench.sql`select pg_notify('carillon_jobs', ${bench.app})`;
    const job = await bench.ended(id);
    expect(job).toMatchObject({ status: "completed", result: "second", attempt: 2 });
    expect(await why[0]).toBe("lease_lost");
    expect(job.headers.attempts).toMatchObject([{ attempt: 1, error: { name: "LeaseLost" } }]);
    await until(
      () => bench.lines.some(({ message }) => message.startsWith("outcome dropped")),
      "a line about the dropped outcome",
    );
  });
});

test("uninstalling the app cancels its running job and aborts the signal", async () => {
  const why: Promise<string>[] = [];
  await using _worker = await bench.work(
    {
      onJob: async (_p, _c, ctx) => {
        const cause = aborted(ctx);
        why.push(cause);
        throw new Error(await cause);
      },
    },
    { leaseSeconds: 1 },
  );
  const id = await bench.enqueue({});
  await until(() => why.length === 1, "the start");
  await bench.sql`select carillon.uninstall_app(${bench.app})`;
  expect(await why[0]).toBe("canceled");
  expect(await bench.ended(id)).toMatchObject({ status: "canceled", error: null });
});

test("an outcome the database refuses fails its own job only", async () => {
  await bench.sql`
    alter table carillon.job_history add constraint no_cats check (result is distinct from '"cat"')`;
  await using _worker = await bench.work({ onJob: ({ n }) => (n === 7 ? "cat" : "dog") });
  await bench.sql`
    select carillon.enqueue_job(${bench.app}, jsonb_build_object('n', n)) from generate_series(1, 20) n`;
  await until(async () => (await bench.history()).length === 20, "all jobs");
  const failed = (await bench.history()).filter(({ status }) => status === "failed");
  expect(failed).toMatchObject([{ error: { name: "UnstorableOutcome" } }]);
});

test("a message sent by pgmq.send runs like any other, and a malformed one harms nobody", async () => {
  const { sql, app } = bench;
  const send = async (message: object) => {
    const [row] = await sql<{ id: number }[]>`
      select * from pgmq.send('jobs', ${sql.json(message as never)}) as id`;
    return row!.id;
  };
  const plain = await send({ app_id: app, payload: { a: 1 } });
  const odd = await send({ app_id: app, payload: "text", user_id: "nobody" });
  await using _worker = await bench.work({ onJob: (payload, caller) => ({ payload, caller }) });
  const good = await bench.enqueue({});
  expect(await bench.ended(plain)).toMatchObject({
    status: "completed",
    trigger: "api",
    result: { payload: { a: 1 }, caller: null },
  });
  expect(await bench.ended(odd)).toMatchObject({ status: "completed", userId: null });
  expect(await bench.ended(good)).toMatchObject({ status: "completed" });
});

test("several apps share a worker, and none of its jobs are of others", async () => {
  const { sql, app } = bench;
  await sql`select carillon.install_app('a'), carillon.install_app('b'), carillon.install_app('c')`;
  const seen: string[] = [];
  await using _worker = await bench.work(
    { onJob: (_p, _c, { appId }) => void seen.push(appId) },
    { apps: ["a", "b"], concurrency: 1 },
  );
  await sql`
    select carillon.enqueue_job(id, '{}')
    from carillon.apps, generate_series(1, 3) where id <> ${app}`;
  await until(async () => (await bench.history()).length === 6, "six jobs");
  expect(seen.sort()).toEqual(["a", "a", "a", "b", "b", "b"]);
  expect(await bench.live()).toBe(3);
});
