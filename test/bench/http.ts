import { spawn } from "node:child_process";
import { once } from "node:events";
import { PassThrough } from "node:stream";
import { fileURLToPath } from "node:url";

import { Agent, request } from "undici";

import { AllowList } from "../../src/targets/http/allow.js";
import type { HttpSpec } from "../../src/targets/http/schema.js";
import { HttpTarget } from "../../src/targets/http/target.js";
import type { TargetContext, TargetJob } from "../../src/targets/types.js";
import type { JobLog } from "../../src/worker/types.js";
import type { Benchmark } from "./harness/benchmark.js";
import { times } from "./harness/contestant.js";
import { median, since } from "./harness/stats.js";
import { table } from "./harness/table.js";
import { createDispatcherBench } from "./http/dispatcher.js";

/*
 * Calls per second at concurrency 100 against a server in another process: of nothing but undici, of
 * the HTTP target, signing and recording as it does, and of one whole dispatcher, which takes its
 * jobs from the queue, holds their leases, and puts every call on record in the history.
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

const contextOf = ({ signal }: AbortController): TargetContext => ({
  signal,
  whenAborted: () => undefined,
  log: NO_LOG,
  secrets: {
    get: () => Promise.resolve("value"),
    signing: () => Promise.resolve(SIGNING),
  },
});

/** As many as there are calls at once: workers make one for each attempt, whatever it does. */
const CONTEXTS = Array.from({ length: CONCURRENCY }, () => contextOf(new AbortController()));

type Call = (n: number) => Promise<void>;

async function perSecond(calls: number, call: Call): Promise<number> {
  const began = performance.now();
  await times(calls, CONCURRENCY, call);
  return calls / since(began);
}

/** A call with nothing but undici, and one as the target makes it. */
function loops(url: string, spec: HttpSpec, target: HttpTarget, agent: Agent) {
  const bare: Call = async (n) => {
    const answer = await request(url, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ n }),
      dispatcher: agent,
    });
    await answer.body.text();
    if (answer.statusCode !== 200) throw new Error(`answered ${answer.statusCode}`);
  };
  const targeted: Call = async (n) => {
    const context = CONTEXTS[n % CONCURRENCY] ?? contextOf(new AbortController());
    const outcome = await target.run(spec, job(n), context);
    if (outcome.status !== "completed") throw new Error(JSON.stringify(outcome));
  };
  return { bare, targeted };
}

/** One way to make calls, and how many a second it made in each round. */
interface Lane {
  readonly title: string;
  readonly run: (calls: number) => Promise<number>;
  readonly rates: number[];
}

export const bench: Benchmark = async (context) => {
  const { tiny, rounds, say, only } = context;
  const calls = tiny ? 200 : 20_000;
  const server = await startServer();
  const headers = { Authorization: "Bearer {{secret.KEY}}" };
  const spec = { type: "http", url: server.url, headers } as const;
  const agent = new Agent();
  await using target = new HttpTarget({ allow: new AllowList("127.0.0.1"), version: "bench" });
  await using dispatcher = await createDispatcherBench(context, spec);
  const { bare, targeted } = loops(server.url, spec, target, agent);
  const lane = (title: string, run: Lane["run"]): Lane => ({ title, run, rates: [] });
  const lanes = [
    lane("bare undici", (count) => perSecond(count, bare)),
    lane("carillon, the target alone", (count) => perSecond(count, targeted)),
    lane("carillon, a dispatcher", (count) => dispatcher.perSecond(count, CONCURRENCY)),
  ].filter(({ title }) => title.includes(only));
  for (const { run } of lanes) await run(calls / 10);
  for (let round = 0; round < rounds; round++) {
    for (const { run, rates } of lanes) rates.push(await run(calls));
  }
  await agent.destroy();
  await server.stop();

  const rateOf = (name: string) =>
    median(lanes.find(({ title }) => title.endsWith(name))?.rates ?? []);
  const [undici, alone, whole] = [rateOf("undici"), rateOf("alone"), rateOf("dispatcher")];
  say(
    table(
      ["HTTP calls, 100 at once", "calls/s", "ratio", "slowest", "fastest"],
      lanes.map(({ title, rates }) => [
        title,
        median(rates),
        median(rates) / undici,
        Math.min(...rates),
        Math.max(...rates),
      ]),
    ),
  );
  const figures = {
    calls_per_s: alone,
    undici_calls_per_s: undici,
    ratio_undici: alone / undici,
    dispatcher_calls_per_s: whole,
    dispatcher_ratio: whole / undici,
  };
  return Object.fromEntries(Object.entries(figures).filter(([, value]) => Number.isFinite(value)));
};
