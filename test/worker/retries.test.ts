import { afterEach, beforeEach, expect, test } from "vitest";
import { discard, type JobAborted, retryAfter } from "../../src/index.js";
import { type Bench, createBench, gate } from "./helpers.js";

let bench: Bench;
beforeEach(async () => {
  bench = await createBench();
});
afterEach(() => bench[Symbol.asyncDispose]());

async function enqueue(args: string): Promise<number> {
  const [row] = await bench.sql.unsafe<{ id: number }[]>(
    `select carillon.enqueue_job(app => '${bench.app}', ${args}) as id`,
  );
  return row!.id;
}

/** The messages of a job's earlier attempts. */
const earlier = (headers: Record<string, unknown>) =>
  (headers.attempts as { error: { message: string } }[]).map(({ error }) => error.message);

test("a job that fails is tried again, without waiting for a poll, until it succeeds", async () => {
  await using _worker = await bench.work(
    {
      onJob: (_p, _c, { attempt }) => {
        if (attempt < 3) throw new Error(`no ${attempt}`);
        return attempt;
      },
    },
    { pollMs: 60_000 },
  );
  const id = await enqueue("max_attempts => 5, retry_delay => 1, retry_backoff => 1");
  const job = await bench.ended(id);
  expect(job).toMatchObject({ status: "completed", result: 3, attempt: 3 });
  expect(earlier(job.headers)).toEqual(["no 1", "no 2"]);
});

test("a handler can ask for another time, and rule one out", async () => {
  const begun: number[] = [];
  await using _worker = await bench.work(
    {
      onJob: (_p, _c, { attempt }) => {
        begun.push(Date.now());
        if (attempt === 1) throw retryAfter(300);
        throw discard("of no use");
      },
    },
    { pollMs: 60_000 },
  );
  const job = await bench.ended(await enqueue("max_attempts => 9"));
  expect(job).toMatchObject({
    status: "failed",
    attempt: 2,
    error: { name: "Discard", message: "of no use" },
  });
  expect(earlier(job.headers)).toEqual(["asked to be tried again after 300 ms"]);
  expect(begun[1]! - begun[0]!).toBeGreaterThanOrEqual(290);
  for (const wrong of [-1, NaN, Infinity]) {
    expect(() => retryAfter(wrong)).toThrow(/milliseconds/);
  }
});

test("a job's own timeout goes before the worker's", async () => {
  await using _worker = await bench.work({ onJob: () => new Promise(() => undefined) });
  const job = await bench.ended(await enqueue("timeout => 1"));
  expect(job.error).toEqual({
    name: "Timeout",
    message: "the handler ran longer than its timeout of 1 s",
  });
});

test("ctx.enqueue takes the options", async () => {
  const expiresAt = new Date(Date.now() + 3_600_000);
  await using _worker = await bench.work({
    onJob: ({ next }, _c, ctx) =>
      next === true
        ? ctx.enqueue({}, { priority: 2, tags: ["t"], maxAttempts: 2, expiresAt })
        : null,
  });
  const { result } = await bench.ended(await enqueue(`payload => '{"next": true}'`));
  const { headers } = await bench.ended(result as number);
  expect(headers).toMatchObject({ priority: 2, tags: ["t"], max_attempts: 2 });
  expect(new Date(headers.expires_at as string)).toEqual(expiresAt);
});

test("the handler of a canceled job is told at once, not at the next heartbeat", async () => {
  const started = gate();
  let why: Promise<string> | undefined;
  await using _worker = await bench.work(
    {
      onJob: (_p, _c, { signal }) => {
        why = new Promise((resolve) =>
          signal.addEventListener("abort", () => resolve((signal.reason as JobAborted).why)),
        );
        started.open();
        return why;
      },
    },
    { leaseSeconds: 3600 },
  );
  const id = await enqueue("max_attempts => 3");
  await started.opened;
  await bench.sql`select carillon.cancel_job(job => ${id}, reason => 'enough')`;
  expect(await why).toBe("canceled");
  expect(await bench.ended(id)).toMatchObject({
    status: "canceled",
    attempt: 1,
    headers: { canceled: "enough" },
  });
});
