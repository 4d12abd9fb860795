import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Caller, JobContext } from "../../src/index.js";
import { type Bench, createBench } from "./helpers.js";

let bench: Bench;
beforeAll(async () => {
  bench = await createBench();
});
afterAll(() => bench[Symbol.asyncDispose]());

describe("a job", () => {
  test("completes with what the handler returns", async () => {
    await using worker = await bench.work({
      onJob: (payload) => Promise.resolve({ checked: true, task: payload.task }),
    });
    const job = await bench.ended(await bench.enqueue({ task: "check_replies" }));
    expect(job).toMatchObject({
      status: "completed",
      result: { checked: true, task: "check_replies" },
      error: null,
      attempt: 1,
      worker: worker.name,
    });
    expect(await bench.live()).toBe(0);
  });

  test("completes with null when the handler returns nothing", async () => {
    await using _worker = await bench.work({ onJob: () => undefined });
    const job = await bench.ended(await bench.enqueue({}));
    expect(job).toMatchObject({ status: "completed", result: null });
  });

  test("fails with what the handler throws, its causes included", async () => {
    await using _worker = await bench.work({
      onJob: () => {
        throw new TypeError("no mailbox\u0000", { cause: new Error("offline", { cause: "dns" }) });
      },
    });
    const job = await bench.ended(await bench.enqueue({}));
    expect(job).toMatchObject({
      status: "failed",
      result: null,
      error: {
        name: "TypeError",
        message: "no mailbox\ufffd",
        cause: { name: "Error", message: "offline", cause: { name: "Thrown", message: "dns" } },
      },
    });
    expect(job.error?.stack).toContain("jobs.test.ts");
  });

  test.each([
    ["a BigInt", () => ({ n: 1n }), /"n" in the result is a bigint/],
    ["a function", () => () => 1, /the result is a function/],
    ["too large", () => "x".repeat(1_048_577), /1 MiB/],
    [
      "a cycle",
      () => {
        const a: Record<string, unknown> = {};
        a.a = a;
        return a;
      },
      /not JSON: .*circular/,
    ],
  ])("fails clearly when its result is %s", async (_what, onJob, message) => {
    await using _worker = await bench.work({ onJob });
    const job = await bench.ended(await bench.enqueue({}));
    expect(job).toMatchObject({ status: "failed", error: { name: "UnstorableResult" } });
    expect(job.error?.message).toMatch(message);
  });

  test("keeps a result of just under 1 MiB, and one with odd characters", async () => {
    const big = "x".repeat(1_048_574);
    await using _worker = await bench.work({
      onJob: ({ odd }) => (odd ? { "k\u0000": ["\ud800", "😀", "\\u0000"] } : big),
    });
    const [plain, odd] = [await bench.enqueue({}), await bench.enqueue({ odd: true })];
    expect((await bench.ended(plain)).result).toBe(big);
    expect((await bench.ended(odd)).result).toEqual({ "k\ufffd": ["\ufffd", "😀", "\\u0000"] });
  });
});

describe("onJob as a map", () => {
  test("routes by payload.method and fails what it has no handler for", async () => {
    await using _worker = await bench.work({
      onJob: { greet: ({ name }) => `hello ${String(name)}`, bye: () => "bye" },
    });
    const ids = [
      await bench.enqueue({ method: "greet", name: "Ada" }),
      await bench.enqueue({ method: "bye" }),
      await bench.enqueue({ method: "toString" }),
      await bench.enqueue({}),
    ];
    const jobs = await Promise.all(ids.map((id) => bench.ended(id)));
    expect(jobs.map(({ result }) => result)).toEqual(["hello Ada", "bye", null, null]);
    expect(jobs[2]?.error).toMatchObject({
      name: "UnknownMethod",
      message: 'no handler for the method "toString"; this worker has: greet, bye',
    });
    expect(jobs[3]?.error?.message).toMatch(/^payload.method is missing/);
  });
});

describe("onAgent", () => {
  test("gets the message of a cron's job, and other jobs where there is no onJob", async () => {
    const cron = await makeCron({ payload: { message: "summarize" } });
    await using _worker = await bench.work({
      onAgent: ({ message, sessionId }) => ({ message, sessionId }),
    });
    const [fired] = await bench.sql<{ id: number }[]>`select carillon.trigger_cron(${cron}) as id`;
    const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-8[0-9a-f]{3}-a[0-9a-f]{3}-[0-9a-f]{12}$/;
    const sessionId = expect.stringMatching(UUID) as string;
    const summarized = await bench.ended(fired!.id);
    expect(summarized.result).toEqual({ message: "summarize", sessionId });
    const other = await bench.ended(await bench.enqueue({}));
    expect(other.result).toEqual({ message: "Scheduled invocation", sessionId });
    expect(other.result).not.toEqual(summarized.result);
  });
});

describe("what a handler is told", () => {
  test("is who the job is for, and which job it is", async () => {
    const [user] = await bench.sql<{ id: string }[]>`
      select carillon.create_principal('ada') as id`;
    const seen: [Caller | null, JobContext][] = [];
    await using _worker = await bench.work({
      onJob: (_p, caller, ctx) => void seen.push([caller, ctx]),
    });
    const [row] = await bench.sql<{ id: number }[]>`
      select carillon.enqueue_job(${bench.app}, '{}', ${user!.id}) as id`;
    await bench.ended(row!.id);
    expect(seen).toHaveLength(1);
    const [caller, ctx] = seen[0]!;
    expect(caller).toEqual({ userId: user!.id, username: "ada" });
    expect(ctx).toMatchObject({
      appId: bench.app,
      jobId: row!.id,
      cronId: null,
      scheduledFor: null,
      attempt: 1,
      trigger: "api",
    });
    expect(ctx.signal.aborted).toBe(false);
  });

  test("is null for a caller who is gone", async () => {
    const [user] = await bench.sql<{ id: string }[]>`
      select carillon.create_principal('bob') as id`;
    const [row] = await bench.sql<{ id: number }[]>`
      select carillon.enqueue_job(${bench.app}, '{}', ${user!.id}) as id`;
    await bench.sql`select carillon.delete_principal(${user!.id})`;
    await using _worker = await bench.work({ onJob: (_p, caller) => ({ caller }) });
    expect((await bench.ended(row!.id)).result).toEqual({ caller: null });
  });

  test("is the cron and the slot, for a cron's job", async () => {
    const cron = await makeCron({ method: "remind", payload: { task: "t" } });
    await bench.sql`
      update carillon.crons set next_fire_at = date_trunc('second', now()) where id = ${cron}`;
    const [due] = await bench.sql<{ at: Date }[]>`
      select next_fire_at as at from carillon.crons where id = ${cron}`;
    await using _worker = await bench.work({
      onJob: (payload, _caller, { cronId, scheduledFor, trigger }) => ({
        ...{ payload, cronId, trigger },
        slot: scheduledFor,
      }),
    });
    await bench.sql`select carillon.tick()`;
    const [tick] = await bench.sql<{ id: number }[]>`
      select msg_id as id from carillon.ticks where cron_id = ${cron} and outcome = 'enqueued'`;
    const job = await bench.ended(tick!.id);
    expect(job.result).toEqual({
      payload: { task: "t", method: "remind", cron_id: cron },
      cronId: cron,
      trigger: "automatic",
      slot: due!.at.toISOString(),
    });
  });

  test("lets it log with the job's fields", async () => {
    await using _worker = await bench.work({
      onJob: (_p, _c, ctx) => {
        ctx.log.info("half way", { done: 5, job: "not this" });
        ctx.log.warn("slow");
        ctx.log.error("odd");
      },
    });
    const id = await bench.enqueue({});
    await bench.ended(id);
    const lines = bench.lines.filter(({ fields }) => fields.job === id);
    expect(lines.map(({ level, message }) => [level, message])).toEqual([
      ["info", "half way"],
      ["warn", "slow"],
      ["error", "odd"],
    ]);
    expect(lines[0]?.fields).toEqual({ app: bench.app, job: id, attempt: 1, done: 5 });
  });

  test("lets it enqueue, for the same user and for later", async () => {
    const [user] = await bench.sql<{ id: string }[]>`
      select carillon.create_principal('eve') as id`;
    const at = new Date(Date.now() + 300);
    const begun: number[] = [];
    await using _worker = await bench.work({
      onJob: async (payload, _caller, ctx) => {
        begun.push(Date.now());
        return payload.next ? { next: await ctx.enqueue({ b: 1 }, { runAt: at }) } : null;
      },
    });
    const [row] = await bench.sql<{ id: number }[]>`
      select carillon.enqueue_job(${bench.app}, '{"next": true}', ${user!.id}) as id`;
    const { result } = await bench.ended(row!.id);
    const next = await bench.ended((result as { next: number }).next);
    expect(next).toMatchObject({ payload: { b: 1 }, userId: user!.id, trigger: "api" });
    expect(begun[1]).toBeGreaterThanOrEqual(at.getTime());
    expect(begun[1]! - at.getTime()).toBeLessThan(1000);
  });
});

async function makeCron(input: { method?: string; payload: object }): Promise<string> {
  const { sql, app } = bench;
  const [cron] = await sql<{ id: string }[]>`
    select id from carillon.create_cron(
      app => ${app}, name => ${`c${Date.now()}`}, schedule => '0 0 1 1 *',
      payload => ${sql.json(input.payload as never)}, method => ${input.method ?? null})`;
  return cron!.id;
}
