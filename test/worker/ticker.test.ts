import { afterEach, beforeEach, expect, test } from "vitest";
import { connect } from "../../src/db/connect.js";
import { startTicker, Ticker } from "../../src/worker/ticker.js";
import { type Bench, createBench, memoryLogger, until } from "./helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

test("a worker ticks: a cron's slot becomes a job and is run", async () => {
  const slots: (Date | null)[] = [];
  await using _worker = await bench.work(
    { onJob: (_p, _c, { scheduledFor }) => void slots.push(scheduledFor) },
    { ticker: true },
  );
  await bench.sql`select id from carillon.create_cron(
    app => ${bench.app}, name => 'often', schedule => '1 seconds')`;
  await until(() => slots.length >= 3, "three slots");
  const [first, second, third] = slots.map((slot) => slot!.getTime());
  expect([second! - first!, third! - second!]).toEqual([1000, 1000]);
});

test("ticks come once a second, whatever goes wrong, with a line a minute about it", async () => {
  const { lines, logger } = memoryLogger();
  const sql = connect(bench.db.url, { max: 1 });
  await bench.sql`create table beats (at timestamptz default clock_timestamp())`;
  const body = (then: string) =>
    bench.sql.unsafe(`
    create or replace function carillon.tick() returns jsonb language plpgsql as $$
    begin ${then} return '{"leader": true}'; end $$`);
  await body("raise exception 'broken';");
  {
    await using _ticker = startTicker({ sql, log: logger });
    await until(() => lines.some(({ level }) => level === "error"), "a complaint");
    await body("insert into public.beats default values;");
    await until(async () => (await bench.sql`select from beats`).length >= 2, "two beats");
  }
  const [gap] = await bench.sql<{ ms: number }[]>`
    select extract(epoch from max(at) - min(at))::float * 1000 as ms from beats`;
  expect(gap!.ms).toBeGreaterThan(500);
  expect(lines.map(({ message }) => message)).toEqual([
    "tick failed, trying every second",
    "ticking again",
  ]);
  await sql.end();
});

test("where a tick says that there is more, the next one comes at once", async () => {
  const { logger } = memoryLogger();
  const stop = new AbortController();
  const at: number[] = [];
  const tick = () => {
    at.push(performance.now());
    if (at.length === 6) stop.abort();
    return Promise.resolve({ leader: true, more: at.length < 5 });
  };
  await new Ticker({ tick, log: logger }).run(stop.signal);
  const gaps = at.slice(1).map((time, n) => time - (at[n] ?? 0));
  // Five in a row, then the next second.
  expect(gaps).toHaveLength(5);
  expect(Math.max(...gaps.slice(0, 4))).toBeLessThan(gaps[4] ?? 0);
  expect((at[4] ?? 0) - (at[0] ?? 0)).toBeLessThan(500);
});
