import { afterAll, beforeAll, expect, test } from "vitest";
import { listTargets, resetTargets } from "../../src/db/breakers.js";
import { getJob, updateJob } from "../../src/db/jobs.js";
import { Endpoint } from "../targets/http/endpoint.js";
import { until } from "../worker/helpers.js";
import { createDispatchBench, type DispatchBench } from "./bench.js";

let bench: DispatchBench;
beforeAll(async () => {
  bench = await createDispatchBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

const now = (id: number) => updateJob(bench.sql, "crm", id, { runAt: new Date().toISOString() });

const BREAKER = { CARILLON_BREAKER_FAILURES: "2", CARILLON_BREAKER_COOL_DOWN: "300" };

test("jobs for a broken target wait, without a call and without spending attempts, until it is reset", async () => {
  let status = 503;
  await using endpoint = await Endpoint.start((_request, response) => {
    response.statusCode = status;
    response.end();
  });
  const target = { type: "http", url: endpoint.url };
  await using _one = await bench.dispatch(BREAKER);
  for (const id of [await bench.enqueue(target), await bench.enqueue(target)]) {
    expect(await bench.ended(id)).toMatchObject({ status: "failed", error: { name: "status" } });
  }
  expect(await listTargets(bench.sql, "crm", { limit: 10 })).toMatchObject([
    { key: endpoint.url, state: "open", failures: 2, errorMessage: "answered 503" },
  ]);

  // Whoever comes later leaves it alone, too.
  await using _other = await bench.dispatch(BREAKER);
  const ids = await Promise.all(Array.from({ length: 5 }, () => bench.enqueue(target)));
  const held = await until(async () => {
    const jobs = await Promise.all(ids.map((id) => getJob(bench.sql, "crm", id)));
    return jobs.every((job) => job.status === "pending") ? jobs : undefined;
  }, "jobs that are held back");
  expect(endpoint.received).toHaveLength(2);
  for (const { attempts, dueAt } of held) {
    expect(attempts).toMatchObject([
      {
        attempt: 1,
        error: { name: "held_back", message: expect.stringContaining(endpoint.url) as string },
      },
    ]);
    const wait = (dueAt?.getTime() ?? 0) - Date.now();
    expect(wait).toBeGreaterThan(200_000);
    expect(wait).toBeLessThanOrEqual(301_000);
  }
  // Another app's calls to the same place are its own business.
  await bench.sql`select carillon.install_app(app => 'billing')`;
  const [{ other } = { other: 0 }] = await bench.sql<{ other: number }[]>`
    select carillon.enqueue_job(app => 'billing', target => ${bench.sql.json(target)}) as other`;
  await until(() => endpoint.received.length === 3, "the call of another app");
  expect(other).toBeGreaterThan(0);

  // Once more in vain: of what is held back in a row the last is on record.
  const [first = 0] = ids;
  await now(first);
  const again = await until(async () => {
    const job = await getJob(bench.sql, "crm", first);
    return job.status === "pending" && job.attempts[0]?.attempt === 2 ? job : undefined;
  }, "a job that is held back again");
  expect(again.attempts).toHaveLength(1);

  status = 200;
  expect(await resetTargets(bench.sql, "crm", endpoint.url)).toBe(1);
  for (const id of ids) {
    await now(id);
    const job = await bench.ended(id);
    expect(job).toMatchObject({ status: "completed" });
    expect(job.attempts.map(({ error }) => error?.name ?? null)).toEqual(["held_back", null]);
  }
});

test("a target that is not broken, only unwilling, is called all the same", async () => {
  await using endpoint = await Endpoint.start((_request, response) => {
    response.statusCode = 404;
    response.end();
  });
  await using _dispatcher = await bench.dispatch(BREAKER);
  for (let i = 0; i < 4; i += 1) {
    const job = await bench.ended(await bench.enqueue({ type: "http", url: endpoint.url }));
    expect(job).toMatchObject({ status: "failed", error: { name: "status" } });
  }
  expect(endpoint.received).toHaveLength(4);
});
