import { afterAll, beforeAll, expect, test } from "vitest";
import { examine } from "../../src/deploy/doctor.js";
import { packageVersion } from "../../src/version.js";
import { type Bench, createBench, until } from "./helpers.js";

/* Workers are known of while they have nothing to do. */

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const workers = () => bench.sql`select * from carillon.list_workers(app => ${bench.app})`;

test("an idle worker is listed while it is there, and not once it has stopped", async () => {
  const worker = await bench.work({ onJob: () => null }, { concurrency: 7 });
  expect(await workers()).toMatchObject([
    {
      ...{ name: worker.name, kind: "worker", apps: [bench.app], pid: process.pid },
      ...{ version: packageVersion(), concurrency: 7, there: true, running: 0 },
    },
  ]);
  await worker.stop();
  expect(await workers()).toEqual([]);
});

test("how many jobs it has running is told, and one that was killed is told from one that is there", async () => {
  let release: (value: unknown) => void = () => undefined;
  const held = new Promise((resolve) => (release = resolve));
  await using worker = await bench.work({ onJob: () => held });
  const id = await bench.enqueue({});
  await until(async () => (await workers())[0]?.running === 1, "a running job");
  release(null);
  await bench.ended(id);
  // What a worker that was killed leaves behind.
  await bench.sql`
    select carillon.note_worker(
      worker => 'killed', keys => ${[bench.app]}, host => 'far', pid => 1, version => '1', concurrency => 1)`;
  await bench.sql`
    update carillon.workers set started_at = started_at - interval '2 minutes', seen_at = seen_at - interval '91 seconds'
    where name = 'killed'`;
  expect(await workers()).toMatchObject([
    { name: worker.name, there: true },
    { name: "killed", there: false },
  ]);
  await bench.sql`
    update carillon.workers set started_at = started_at - interval '2 hours', seen_at = seen_at - interval '1 hour'
    where name = 'killed'`;
  await bench.sql`select carillon.sweep()`;
  expect((await workers()).map(({ name }) => name as string)).toEqual([worker.name]);
});

test("doctor says who is there, and whose jobs nobody takes", async () => {
  const found = async () => (await examine(bench.db.url)).find(({ check }) => check === "workers");
  await bench.sql`truncate carillon.workers`;
  expect(await found()).toMatchObject({
    state: "note",
    message: "no worker is there, nor a dispatcher",
  });
  const worker = await bench.work({ onJob: () => null });
  expect(await found()).toMatchObject({
    ...{ state: "ok", message: `worker ${worker.name} of ${bench.app}` },
  });
  await worker.stop();
  await bench.sql`truncate carillon.job_history`;
  await bench.enqueue({});
  await bench.sql`update pgmq.q_jobs set vt = vt - interval '3 minutes'`;
  expect(await found()).toMatchObject({
    state: "broken",
    message: expect.stringContaining(`No worker takes the jobs of ${bench.app}`) as string,
  });
});
