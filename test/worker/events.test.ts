import { pino } from "pino";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { WorkerEvents, Worker } from "../../src/index.js";
import { connect, discard } from "../../src/index.js";
import { type Bench, createBench, gate, memoryLogger, until } from "./helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

const NAMES = ["job:start", "job:complete", "job:fail", "job:lost", "worker:idle"] as const;

/** Notes what the worker tells. */
function noted(worker: Worker) {
  const events: [string, WorkerEvents[(typeof NAMES)[number]]][] = [];
  for (const name of NAMES) worker.on(name, (event) => events.push([name, event]));
  return events;
}

/** Keeps the event loop. */
function block(ms: number): void {
  const end = performance.now() + ms;
  while (performance.now() < end);
}

test("a worker tells of every job's start and end once they are on record, and of being idle", async () => {
  await using worker = await bench.work({
    onJob: async ({ fail }) => {
      await new Promise((resolve) => setTimeout(resolve, 20));
      if (fail === true) throw discard("no use");
      return 7;
    },
  });
  const events = noted(worker);
  const told = (which: string) => events.filter(([name]) => name === which).map(([, e]) => e);
  const idleAfter = (count: number) =>
    until(() => {
      const { length } = told("job:start");
      return length === count && events.at(-1)?.[0] === "worker:idle";
    }, "idleness");
  const good = await bench.enqueue({ a: 1 });
  await idleAfter(1);
  // What is told is on record.
  expect(await bench.history()).toHaveLength(1);
  const bad = await bench.enqueue({ fail: true });
  await idleAfter(2);
  expect(await bench.history()).toHaveLength(2);
  const job = { appId: bench.app, jobId: good, attempt: 1, payload: { a: 1 }, trigger: "api" };
  expect(told("job:start")).toMatchObject([{ job }, { job: { jobId: bad } }]);
  expect(told("job:complete")).toMatchObject([{ job, result: 7 }]);
  expect((told("job:complete")[0] as { ms: number }).ms).toBeGreaterThanOrEqual(19);
  expect(told("job:fail")).toMatchObject([
    { job: { jobId: bad }, error: { name: "Discard", message: "no use" } },
  ]);
});

test("a listener that throws is logged and harms nobody, and one taken off is not called", async () => {
  await using worker = await bench.work({ onJob: () => 1 });
  let calls = 0;
  const once = () => {
    calls += 1;
    worker.off("job:start", once);
  };
  worker
    .on("job:start", once)
    .on("job:start", () => {
      throw new Error("listener");
    })
    .on("job:complete", () => Promise.reject(new Error("later")));
  await bench.ended(await bench.enqueue({}));
  await bench.ended(await bench.enqueue({}));
  const failed = () => bench.lines.filter(({ message }) => message === "a listener failed");
  await until(() => failed().length === 4, "four complaints");
  expect(calls).toBe(1);
});

test("a lost lease and trouble with the database are told", async () => {
  const { opened, open } = gate();
  await using worker = await bench.work({ onJob: () => opened }, { leaseSeconds: 1 });
  const lost: WorkerEvents["job:lost"][] = [];
  const errors: string[] = [];
  worker.on("job:lost", (event) => lost.push(event));
  worker.on("worker:error", ({ message }) => errors.push(message));
  const id = await bench.enqueue({});
  await until(
    async () => (await bench.sql`select from pgmq.q_jobs where read_ct = 1`).length === 1,
  );
  await bench.sql`select carillon.cancel_job(job => ${id}, reason => 'enough')`;
  await until(() => lost.length === 1, "the loss");
  expect(lost).toMatchObject([{ job: { jobId: id }, why: "canceled" }]);
  open();
  await bench.sql`alter function carillon.claim_jobs rename to claimed_jobs`;
  await bench.enqueue({});
  await until(() => errors.length > 0, "the error");
  expect(errors).toEqual(["cannot claim jobs, trying again"]);
  await bench.sql`alter function carillon.claimed_jobs rename to claim_jobs`;
});

describe("a handler that keeps the event loop", () => {
  test("is named, with how long, when it returns no promise", async () => {
    await using worker = await bench.work(
      { onJob: ({ ms }) => (ms === undefined ? null : block(ms as number)) },
      { leaseSeconds: 1 },
    );
    const blocked: WorkerEvents["worker:blocked"][] = [];
    worker.on("worker:blocked", (event) => blocked.push(event));
    const ids = [await bench.enqueue({}), await bench.enqueue({ ms: 1500 })];
    await until(() => blocked.length > 0, "the event");
    expect(blocked[0]!.ms).toBeGreaterThan(1200);
    expect(blocked[0]!.jobs.map(({ jobId }) => jobId)).toEqual([ids[1]]);
    expect(bench.lines.find(({ message }) => message.includes("event loop"))).toMatchObject({
      level: "warn",
      message: expect.stringMatching(
        /blocked for 1\d\d\d ms, longer than the leases of 1 s/,
      ) as string,
      fields: { jobs: [{ job: ids[1] }] },
    });
  });

  test("is among those named when it does so after a wait, although it has ended since", async () => {
    await using worker = await bench.work(
      {
        onJob: async () => {
          await new Promise(setImmediate);
          block(600);
        },
      },
      { leaseSeconds: 1 },
    );
    const blocked: WorkerEvents["worker:blocked"][] = [];
    worker.on("worker:blocked", (event) => blocked.push(event));
    const id = await bench.enqueue({});
    await until(() => blocked.length > 0, "the event");
    expect(blocked[0]!.jobs.map(({ jobId }) => jobId)).toEqual([id]);
  });
});

test("pino's loggers fit, and the worker's lines carry its name", async () => {
  const lines: Record<string, unknown>[] = [];
  const logger = pino(
    { level: "debug" },
    { write: (line) => void lines.push(JSON.parse(line) as Record<string, unknown>) },
  );
  const worker = await bench.work({ onJob: (_p, _c, ctx) => ctx.log.info("hello") }, { logger });
  const id = await bench.enqueue({});
  await bench.ended(id);
  await worker.stop();
  expect(lines.filter(({ msg }) => msg === "worker ready")).toMatchObject([
    { worker: worker.name },
  ]);
  expect(lines.find(({ msg }) => msg === "hello")).toMatchObject({ job: id, app: bench.app });
});

test("workers of one process share connections and their LISTEN, until the last one stops", async () => {
  const { sql } = bench;
  await sql`select carillon.install_app('second')`;
  const own = connect(bench.db.url, { max: 2, name: "carillon worker brought" });
  const backends = () => sql<{ query: string }[]>`
    select application_name as name, query from pg_stat_activity
    where datname = ${bench.db.name} and application_name like 'carillon worker%'`;
  const one = await bench.work({ onJob: () => "one" });
  const two = await bench.work({ onJob: () => "two" }, { apps: ["second"] });
  const listening = (await backends()).filter(({ query }) => query.startsWith("listen"));
  expect(listening).toHaveLength(1);
  await one.stop();
  const [row] = await sql<{ id: number }[]>`select carillon.enqueue_job('second', '{}') as id`;
  expect(await bench.ended(row!.id)).toMatchObject({ result: "two" });
  await two.stop();
  expect(await backends()).toEqual([]);
  // A pool that was brought stays open.
  const three = await bench.work({ onJob: () => 3 }, { sql: own });
  await three.stop();
  expect(await own`select 1 as one`).toEqual([{ one: 1 }]);
  await own.end();
});

test("an onStart that throws is told, too", async () => {
  const { logger } = memoryLogger();
  const work = bench.work(
    { onJob: () => 1, onStart: () => Promise.reject(new Error("no")) },
    { logger },
  );
  await expect(work).rejects.toThrow("no");
});
