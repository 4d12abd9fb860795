import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { connect } from "../../src/db/connect.js";
import { type Bench, createBench, until } from "./helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

const backends = (query: string) =>
  bench.sql<{ pid: number }[]>`
    select pid from pg_stat_activity
    where datname = ${bench.db.name} and application_name like 'carillon worker%'
      and query ilike ${query}`;

describe("an announced job", () => {
  test("starts at once, long before the next poll", async () => {
    let startedAt = 0;
    await using _worker = await bench.work(
      { onJob: () => void (startedAt = performance.now()) },
      { pollMs: 600_000 },
    );
    // The first one opens connections and plans statements.
    await bench.ended(await bench.enqueue({}));
    const waits: number[] = [];
    for (let i = 0; i < 10; i += 1) {
      const before = performance.now();
      await bench.ended(await bench.enqueue({}));
      waits.push(startedAt - before);
    }
    expect(Math.min(...waits)).toBeLessThan(50);
    expect(Math.max(...waits)).toBeLessThan(2000);
  });

  test("does not wait for a poll when more had ended than the database had taken", async () => {
    const { sql, app } = bench;
    // Each end waits for its log line: thousands of them are held when the claims stop.
    await sql`
      select carillon.enqueue_jobs(app => ${app}, jobs => (
        select jsonb_agg(jsonb_build_object('payload', jsonb_build_object('n', n)))
        from generate_series(1, 8000) n))`;
    await using _worker = await bench.work(
      { onJob: (_job, _caller, ctx) => ctx.log.info("a line") },
      { pollMs: 600_000, concurrency: 500 },
    );
    await until(async () => (await bench.live()) === 0, "the end of all jobs");
  });

  test("is heard again after the listening connection was cut", async () => {
    await using _worker = await bench.work({ onJob: () => "heard" }, { pollMs: 600_000 });
    const [listening] = await backends('listen "carillon_jobs"');
    await bench.sql`select pg_terminate_backend(${listening!.pid})`;
    // Enqueued while nobody listens, and heard of by the new subscription.
    const id = await bench.enqueue({});
    expect(await bench.ended(id)).toMatchObject({ result: "heard" });
    await until(async () => {
      const now = await backends('listen "carillon_jobs"');
      return now.length === 1 && now[0]!.pid !== listening!.pid;
    }, "a new subscription");
    expect(await bench.ended(await bench.enqueue({}))).toMatchObject({ result: "heard" });
  });
});

test("without LISTEN, jobs are found by polling", async () => {
  await using _worker = await bench.work({ onJob: () => "polled" }, { listen: false, pollMs: 30 });
  expect(await backends("listen%")).toEqual([]);
  expect(await bench.ended(await bench.enqueue({}))).toMatchObject({ result: "polled" });
});

test("a delayed job starts when it is due, not at the next poll", async () => {
  let startedAt = 0;
  await using _worker = await bench.work(
    { onJob: () => void (startedAt = Date.now()) },
    { pollMs: 600_000 },
  );
  const due = new Date(Date.now() + 400);
  await bench.ended(await bench.enqueue({}, due));
  expect(startedAt).toBeGreaterThanOrEqual(due.getTime());
  expect(startedAt - due.getTime()).toBeLessThan(1500);
});

test("a lease that ran out is taken over without waiting for a poll", async () => {
  const id = await bench.enqueue({});
  await bench.sql`select * from carillon.claim_jobs(${[bench.app]}, 'a dead worker', 1, 1)`;
  await using _worker = await bench.work({ onJob: () => "mine" }, { pollMs: 600_000 });
  expect(await bench.ended(id)).toMatchObject({ result: "mine", attempt: 2 });
});

/** Statements that pools made here send, as the driver itself sees them, by their first words. */
function counted(url: string) {
  const sql = connect(url);
  const statements: string[] = [];
  Object.assign(sql.options, {
    debug: (_pid: number, text: string) =>
      statements.push(text.trim().replace(/\s+/g, " ").slice(0, 60)),
  });
  return { sql, statements };
}

test("an idle worker that does not tick asks the database next to nothing", async () => {
  const { sql, statements } = counted(bench.db.url);
  await using worker = await bench.work({ onJob: () => null }, { sql, pollMs: 600_000 });
  await bench.ended(await bench.enqueue({}));
  const before = statements.length;
  await new Promise((resolve) => setTimeout(resolve, 600));
  // At most the question when the next job is due, and the recording of the outcome.
  expect(statements.length - before).toBeLessThanOrEqual(2);
  await worker.stop();
  await sql.end();
});

test("idle workers of one process tick, poll and listen by one statement a second together", async () => {
  const { sql, statements } = counted(bench.db.url);
  await bench.sql`select carillon.install_app('second')`;
  const options = { sql, ticker: true, pollMs: 1000 };
  await using one = await bench.work({ onJob: () => null }, options);
  await using two = await bench.work({ onJob: () => "two" }, { ...options, apps: ["second"] });
  await until(() => statements.some((text) => text.includes("carillon.tick")), "a tick");
  await new Promise((resolve) => setTimeout(resolve, 300));
  statements.length = 0;
  const begun = performance.now();
  await until(() => statements.length >= 4, "four statements");
  const seconds = (performance.now() - begun) / 1000;
  expect(new Set(statements)).toEqual(
    new Set(["select carillon.tick() as result, carillon.next_job_in(apps "]),
  );
  expect(seconds).toBeGreaterThan(3);
  // The ticking goes on when the worker that began it has stopped.
  await one.stop();
  statements.length = 0;
  await until(() => statements.filter((text) => text.includes("tick")).length >= 2, "two ticks");
  await two.stop();
  await sql.end();
});

test("without LISTEN, a job is found by the tick's statement", async () => {
  await using _worker = await bench.work(
    { onJob: () => "by the tick" },
    { listen: false, ticker: true, pollMs: 600_000 },
  );
  await new Promise((resolve) => setTimeout(resolve, 100));
  expect(await bench.ended(await bench.enqueue({}))).toMatchObject({ result: "by the tick" });
});
