import { Readable } from "node:stream";
import { pipeline } from "node:stream/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import { discard, JobAborted, retryAfter } from "../../src/index.js";
import { runJob, runNextSlot } from "../../src/testing/index.js";
import { connect } from "../../src/db/connect.js";
import { type Bench, createBench } from "../worker/helpers.js";

describe("runJob", () => {
  test("runs a job as a worker does, and records what its handler did", async () => {
    const run = await runJob(
      {
        onJob: {
          remind: async (payload, caller, ctx) => {
            ctx.log.info("begun", { n: 1 });
            await pipeline(Readable.from(["one\ntw", "o\n"]), ctx.log.stream("stdout"));
            ctx.progress(50, "half");
            const id = await ctx.enqueue({ method: "mail" }, { priority: 3 });
            return { at: new Date(0), to: payload.to, by: caller?.username, id, try: ctx.attempt };
          },
        },
      },
      { method: "remind", to: "ada" },
      { caller: { userId: "1", username: "eve" }, attempt: 2 },
    );
    expect(run).toEqual({
      status: "completed",
      result: { at: "1970-01-01T00:00:00.000Z", to: "ada", by: "eve", id: 1001, try: 2 },
      error: null,
      retryIn: null,
      discarded: false,
      logs: [
        { level: "info", message: "begun", data: { n: 1 } },
        { level: "info", message: "one", stream: "stdout" },
        { level: "info", message: "two", stream: "stdout" },
      ],
      progress: [{ percent: 50, note: "half" }],
      enqueued: [{ payload: { method: "mail" }, options: { priority: 3 } }],
    });
  });

  test("tells failures, requests and refusals apart", async () => {
    const onJob = {
      fail: () => Promise.reject(new TypeError("no")),
      later: () => {
        throw retryAfter(5000);
      },
      never: () => {
        throw discard("gone");
      },
      checked: { schema: z.object({ n: z.int() }), run: ({ n }: { n: number }) => n },
      unstorable: () => 1n,
    };
    const failed = (method: string) => runJob({ onJob }, { method, n: 0.5 });
    expect(await failed("fail")).toMatchObject({
      ...{ status: "failed", discarded: false, error: { name: "TypeError", message: "no" } },
    });
    expect(await failed("later")).toMatchObject({ retryIn: 5, discarded: false });
    expect(await failed("never")).toMatchObject({ discarded: true, error: { message: "gone" } });
    expect(await failed("checked")).toMatchObject({
      ...{ discarded: true, error: { name: "InvalidPayload" } },
    });
    expect(await failed("nothing")).toMatchObject({ error: { name: "UnknownMethod" } });
    expect(await failed("unstorable")).toMatchObject({ error: { name: "UnstorableResult" } });
  });

  test("ends what overruns its timeout, and what is aborted", async () => {
    const hang = { onJob: () => new Promise(() => undefined) };
    expect(await runJob(hang, {}, { timeoutSeconds: 0.02 })).toMatchObject({
      ...{ status: "failed", error: { name: "Timeout" } },
    });
    const stop = new AbortController();
    const reasons: unknown[] = [];
    const run = runJob(
      {
        onJob: (_p, _c, { signal }) =>
          new Promise((resolve) => {
            signal.addEventListener("abort", () => resolve(reasons.push(signal.reason)));
            stop.abort(new JobAborted("lease_lost"));
          }),
      },
      {},
      { signal: stop.signal },
    );
    expect(await run).toMatchObject({ status: "aborted", result: null });
    expect(reasons).toMatchObject([{ why: "lease_lost" }]);
  });

  test("gives agents their message", async () => {
    const onAgent = ({ message }: { message: string }) => message;
    expect((await runJob({ onAgent }, { message: "sum up" }, { cronId: "c" })).result).toBe(
      "sum up",
    );
    expect((await runJob({ onAgent }, {})).result).toBe("Scheduled invocation");
  });
});

describe("runNextSlot", () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await createBench();
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  const nextFire = async (name: string) => {
    const [row] = await bench.sql<{ at: Date | null }[]>`
      select next_fire_at as at from carillon.crons where name = ${name}`;
    return row!.at;
  };

  test("decides the cron's next slot ahead of its time and gives the record of its job", async () => {
    const { sql, app, db } = bench;
    await sql`select id from carillon.create_cron(
      app => ${app}, name => 'yearly', schedule => '0 0 1 1 *', payload => '{"task": "t"}')`;
    const due = await nextFire("yearly");
    const hooks = {
      onJob: (payload: object, _caller: unknown, ctx: { scheduledFor: Date | null }) => ({
        payload,
        slot: ctx.scheduledFor,
      }),
    };
    const run = await runNextSlot(hooks, { database: db.url, app, cron: "yearly" });
    expect(run).toMatchObject({ scheduledFor: due, outcome: "enqueued", reason: null });
    expect(run.job).toMatchObject({
      ...{ status: "completed", trigger: "automatic", scheduledFor: due },
      result: { payload: { task: "t" }, slot: due!.toISOString() },
    });
    // That slot is decided for good; the cron goes on with the one after it.
    const pool = connect(db.url, { max: 2 });
    const next = await runNextSlot(hooks, { database: pool, app, cron: "yearly" });
    expect(next.scheduledFor.getUTCFullYear()).toBe(due!.getUTCFullYear() + 1);
    expect((await nextFire("yearly"))!.getUTCFullYear()).toBe(due!.getUTCFullYear() + 2);
    const ticks = await sql`select outcome, driver from carillon.ticks`;
    expect(ticks).toEqual([
      { outcome: "enqueued", driver: "api" },
      { outcome: "enqueued", driver: "api" },
    ]);
    await pool.end();
  });

  test("waits through further attempts, says what was skipped, and refuses what has no slot", async () => {
    const { sql, app, db } = bench;
    const options = { database: db.url, app };
    await sql`select id from carillon.create_cron(
      app => ${app}, name => 'flaky', schedule => '0 0 1 1 *', max_attempts => 2, retry_delay => 0)`;
    const flaky = await runNextSlot(
      {
        onJob: (_p, _c, { attempt }) => {
          if (attempt === 1) throw new Error("no");
          return attempt;
        },
      },
      { ...options, cron: "flaky" },
    );
    expect(flaky.job).toMatchObject({ status: "completed", result: 2, attempt: 2 });

    await sql`select id from carillon.create_cron(
      app => ${app}, name => 'once', schedule => 'at 2100-01-01T00:00:00Z')`;
    const [once] = await sql<{ id: string }[]>`select id from carillon.crons where name = 'once'`;
    await sql`
      select carillon.enqueue_job(${app}, '{}', run_at => now() + interval '1 hour')`;
    await sql`update pgmq.q_jobs set headers = jsonb_build_object('cron_id', ${once!.id}::text)`;
    expect(await runNextSlot({ onJob: () => 1 }, { ...options, cron: once!.id })).toMatchObject({
      ...{ outcome: "skipped", job: null },
    });
    await expect(runNextSlot({ onJob: () => 1 }, { ...options, cron: "once" })).rejects.toThrow(
      /no next slot/,
    );
    await expect(
      runNextSlot({ onJob: () => 1 }, { ...options, cron: "none" }),
    ).rejects.toMatchObject({ code: "cron_not_found" });
  });
});
