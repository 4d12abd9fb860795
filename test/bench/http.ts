import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";

import { Agent, request } from "undici";

import { AllowList } from "../../src/targets/http/allow.js";
import { HttpTarget } from "../../src/targets/http/target.js";
import type { TargetContext, TargetJob } from "../../src/targets/types.js";
import type { JobLog } from "../../src/worker/types.js";
import type { Benchmark } from "./harness/benchmark.js";
import { times } from "./harness/contestant.js";
import { median, since } from "./harness/stats.js";
import { table } from "./harness/table.js";

/*
 * Calls per second of the HTTP target at concurrency 100, signing and recording as it does, beside
 * the same loop with nothing but undici, against a server in another process.
 */

const CONCURRENCY = 100;
const SIGNING = ["whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"];

async function startServer() {
  const path = (file: string) => fileURLToPath(new URL(file, import.meta.url));
  const child = spawn(
    process.execPath,
    ["--import", path("./harness/register.mjs"), path("./http/server.ts")],
    { stdio: ["pipe", "pipe", "inherit"] },
  );
  const [line] = (await once(child.stdout, "data")) as [Buffer];
  return {
    url: `http://127.0.0.1:${Number(String(line))}/hook`,
    stop: async () => {
      child.stdin.end();
      await once(child, "exit");
    },
  };
}

const job = (n: number): TargetJob => ({
  appId: "bench",
  jobId: n,
  cronId: null,
  scheduledFor: null,
  attempt: 1,
  trigger: "api",
  payload: { n },
  caller: null,
  invocation: {
    message: "Scheduled invocation",
    sessionId: "",
    appId: "bench",
    cronId: null,
    scheduledFor: null,
    trigger: "api",
    payload: { n },
  },
  key: `job_${n}_bench`,
});

const nothing = () => undefined;
const NO_LOG: JobLog = {
  ...{ debug: nothing, info: nothing, warn: nothing, error: nothing },
  stream: () => new PassThrough().resume(),
  flush: () => Promise.resolve(),
};

const context = ({ signal }: AbortController): TargetContext => ({
  signal,
  log: NO_LOG,
  secrets: {
    get: () => Promise.resolve("value"),
    signing: () => Promise.resolve(SIGNING),
  },
});

/** As many as there are calls at once: workers make one for each attempt, whatever it does. */
const CONTEXTS = Array.from({ length: CONCURRENCY }, () => context(new AbortController()));

type Call = (n: number) => Promise<void>;

async function perSecond(calls: number, call: Call): Promise<number> {
  const began = performance.now();
  await times(calls, CONCURRENCY, call);
  return calls / since(began);
}

export const bench: Benchmark = async ({ tiny, rounds, say }) => {
  const calls = tiny ? 200 : 20_000;
  const server = await startServer();
  await using target = new HttpTarget({ allow: new AllowList("127.0.0.1"), version: "bench" });
  const agent = new Agent();
  const contestants: Record<string, Call> = {
    undici: async (n) => {
      const answer = await request(server.url, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ n }),
        dispatcher: agent,
      });
      await answer.body.text();
      if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
    },
    carillon: async (n) => {
      const outcome = await target.run(
        { type: "http", url: server.url, headers: { Authorization: "Bearer {{secret.KEY}}" } },
        job(n),
        CONTEXTS[n % CONCURRENCY] ?? context(new AbortController()),
      );
      if (outcome.status !== "completed") throw new Error(JSON.stringify(outcome));
    },
  };
  const found = new Map(Object.keys(contestants).map((name) => [name, [] as number[]]));
  for (const call of Object.values(contestants)) await perSecond(calls / 10, call);
  for (let round = 0; round < rounds; round++) {
    for (const [name, call] of Object.entries(contestants)) {
      found.get(name)?.push(await perSecond(calls, call));
    }
  }
  await agent.destroy();
  await server.stop();

  const figure = (name: string) => median(found.get(name) ?? []);
  const undici = figure("undici");
  const carillon = figure("carillon");
  say(
    table(
      ["HTTP calls, 100 at once", "calls/s", "ratio"],
      [
        ["bare undici", undici, 1],
        ["carillon", carillon, carillon / undici],
      ],
    ),
  );
  return { calls_per_s: carillon, undici_calls_per_s: undici, ratio_undici: carillon / undici };
};
