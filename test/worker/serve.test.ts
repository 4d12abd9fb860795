import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { CarillonError } from "../../src/errors.js";
import { resolveOptions } from "../../src/worker/options.js";
import { type Hooks, serve, type ServeOptions } from "../../src/worker/serve.js";
import { type Bench, createBench, memoryLogger, until } from "./helpers.js";

const databaseUrl = "postgres://nobody@127.0.0.1:1/none";
const fine = { app: "crm", databaseUrl, signals: false, logger: memoryLogger().logger };
const onJob = () => null;

describe("serve refuses", () => {
  const cases: [string, () => unknown, RegExp][] = [
    ["no hooks at all", () => serve({}), /needs onJob/],
    ["empty hooks", () => serve(fine, {}), /needs onJob/],
    [
      "onJob in the first of two arguments",
      () => serve({ ...fine, onJob } as ServeOptions, { onJob }),
      /onJob belongs in the second argument/,
    ],
    [
      "an unknown option",
      () => serve({ ...fine, rpc: {} } as never, { onJob }),
      /rpc: is not an option/,
    ],
    [
      "an unknown option in the one-argument form",
      () => serve({ ...fine, onJob, onjob: 1 } as never),
      /onjob: is not an option/,
    ],
    ["an unknown hook", () => serve(fine, { onJob, onStop: onJob } as Hooks), /onStop: not a hook/],
    ["an onJob that is no function", () => serve(fine, { onJob: "x" as never }), /onJob must be/],
    [
      "a map with something else in it",
      () => serve(fine, { onJob: { a: 1 as never } }),
      /onJob\.a is not a function/,
    ],
    ["an empty map", () => serve(fine, { onJob: {} }), /without any method/],
    [
      "a hook that is no function",
      () => serve(fine, { onJob, onStart: 1 as never }),
      /onStart must/,
    ],
    ["app and apps", () => serve({ ...fine, apps: ["a"] }, { onJob }), /app or apps, not both/],
    ["no apps", () => serve({ databaseUrl, apps: [] }, { onJob }), /apps: must name at least one/],
    ["a bad app id", () => serve({ ...fine, app: "No Good" }, { onJob }), /app: must be an app id/],
    [
      "numbers out of range, all at once",
      () => serve({ ...fine, concurrency: 0, leaseSeconds: 1.5 }, { onJob }),
      /concurrency: .*; leaseSeconds: /,
    ],
  ];
  test.each(cases)("%s", (_what, call, message) => {
    let thrown: unknown;
    try {
      call();
    } catch (error) {
      thrown = error;
    }
    expect(thrown).toBeInstanceOf(CarillonError);
    expect(thrown).toMatchObject({ code: "invalid_config" });
    expect((thrown as Error).message).toMatch(message);
  });

  test("a missing app or database, saying how to give it", () => {
    const named = (env: NodeJS.ProcessEnv) => () => resolveOptions({}, env);
    expect(named({ DATABASE_URL: databaseUrl })).toThrow(/which app to serve/);
    expect(named({ CARILLON_APP: "crm" })).toThrow(/DATABASE_URL is not set/);
  });
});

test("options come from the environment, and those given win", () => {
  const env = {
    DATABASE_URL: databaseUrl,
    CARILLON_APP: "crm",
    CARILLON_CONCURRENCY: "7",
    CARILLON_LEASE: "60",
    CARILLON_LISTEN: "off",
    CARILLON_TICKER: "off",
  };
  expect(resolveOptions({ leaseSeconds: 5 }, env)).toMatchObject({
    apps: ["crm"],
    concurrency: 7,
    leaseSeconds: 5,
    timeoutSeconds: 900,
    drainSeconds: 25,
    listen: false,
    pollMs: 1000,
    ticker: false,
    signals: true,
  });
  expect(resolveOptions({ listen: true }, env)).toMatchObject({ pollMs: 5000 });
});

describe("a worker", () => {
  let bench: Bench;
  beforeAll(async () => {
    bench = await createBench();
  });
  afterAll(() => bench[Symbol.asyncDispose]());

  test("can be had by one argument, with a start before the first job and a shutdown after", async () => {
    const { db, app } = bench;
    const calls: string[] = [];
    const worker = serve({
      ...{ app, databaseUrl: db.url, ticker: false, signals: false },
      logger: memoryLogger().logger,
      onStart: async (ctx) => {
        calls.push(`start ${ctx.appId}`);
        await ctx.enqueue({ first: true });
      },
      onJob: (payload) => void calls.push(`job ${String(payload.first)}`),
      onShutdown: () => void calls.push("shutdown"),
    });
    await worker.ready;
    await until(() => calls.length === 2, "the first job");
    await worker.stop();
    expect(calls).toEqual([`start ${app}`, "job true", "shutdown"]);
  });

  test("serves an app once per process, until it is stopped", async () => {
    const first = await bench.work({ onJob });
    await expect(bench.work({ onJob })).rejects.toThrow(`already serves "${bench.app}"`);
    await first.stop();
    await using _second = await bench.work({ onJob });
  });

  test("stops when onStart throws, and says so", async () => {
    const work = bench.work({
      onStart: () => {
        throw new Error("no licence");
      },
      onJob,
    });
    await expect(work).rejects.toThrow("no licence");
    expect(bench.lines).toContainEqual(
      expect.objectContaining({ level: "error", message: "the worker could not start" }),
    );
  });

  test("waits for a database that is not there, and can be stopped meanwhile", async () => {
    const { lines, logger } = memoryLogger();
    const worker = serve({ ...fine, logger }, { onJob });
    await until(
      () => lines.some(({ message }) => message === "waiting for the database"),
      "a line",
    );
    await worker.stop();
    await expect(worker.ready).rejects.toThrow("stopped before it was ready");
  });

  test("says when its app is not installed, and runs its jobs once it is", async () => {
    await using _worker = await bench.work({ onJob: () => "now" }, { app: "later-app" });
    expect(bench.lines).toContainEqual(
      expect.objectContaining({ level: "warn", message: "this app is not installed yet" }),
    );
    await bench.sql`select carillon.install_app('later-app')`;
    const [row] = await bench.sql<{ id: number }[]>`
      select carillon.enqueue_job('later-app', '{}') as id`;
    expect(await bench.ended(row!.id)).toMatchObject({ result: "now" });
  });
});
