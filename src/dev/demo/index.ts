import { setTimeout } from "node:timers/promises";
import { CarillonError } from "../../errors.js";
import { serve } from "../../index.js";
import { createLogger } from "../../log.js";
import { startSystem } from "../system.js";
import { clock, demoHooks, demoManifest } from "./app.js";

/*
 * `npm run demo`: a whole Carillon on a private Postgres. It deploys a manifest over the API, runs
 * the app's worker, and shows what the worker gets beside what the ledger and the history record.
 */

const started = Date.now();
const say = (line: string) => {
  console.log(`${((Date.now() - started) / 1000).toFixed(1).padStart(6)} s  ${line}`);
};

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const)
  process.on(signal, () => {
    stop.abort();
  });

try {
  await demo(stop.signal);
} catch (error) {
  if (!stop.signal.aborted) {
    console.error(error instanceof Error ? `demo: ${error.message}` : error);
    if (error instanceof CarillonError && error.hint) console.error(`hint: ${error.hint}`);
    process.exitCode = 1;
  }
}

async function demo(signal: AbortSignal): Promise<void> {
  const logger = createLogger("warn");
  await using system = await startSystem({ logger, say });
  const api = client(system.url, system.key);
  const manifest = await demoManifest();
  const result = await api<{ created: string[] }>("PUT", `/apps/${manifest.id}/manifest`, manifest);
  say(`deployed the manifest: created ${result.created.join(", ")}`);
  await using worker = serve(
    { app: manifest.id, sql: system.sql, ticker: false, signals: false, logger },
    demoHooks(say),
  );
  await worker.ready;
  for (const line of [
    "",
    `  API  ${system.url}/api/v1/crons`,
    `  page ${system.url}/`,
    `  key  ${system.key}`,
    `  try  curl -H "Authorization: Bearer ${system.key}" ${system.url}/api/v1/apps/${manifest.id}/crons`,
    "  Ctrl-C stops everything.",
    "",
  ]) {
    console.log(line);
  }
  await report(api, manifest.id, signal);
  say("stopping");
}

/** Prints every slot the ledger has decided, with what became of its job, until told to stop. */
async function report(api: Api, appId: string, signal: AbortSignal): Promise<void> {
  const crons = await api<{ id: string; name: string }[]>("GET", `/apps/${appId}/crons`);
  const seen = new Set<string>();
  while (!signal.aborted) {
    const path = `/apps/${appId}/jobs?status=finished&limit=50`;
    const { items: jobs } = await api<{ items: Job[] }>("GET", path);
    for (const cron of crons) {
      const path = `/apps/${appId}/crons/${cron.id}/ticks?limit=5`;
      const { items: ticks } = await api<{ items: Tick[] }>("GET", path);
      for (const tick of ticks.reverse()) {
        const job = jobs.find(({ msgId }) => msgId === tick.msgId);
        const id = `${cron.id} ${tick.scheduledFor}`;
        if (seen.has(id) || (tick.msgId !== null && !job)) continue;
        seen.add(id);
        const ending = job
          ? `job ${job.msgId} ${job.status}: ${JSON.stringify(job.result)}`
          : tick.reason;
        say(
          `recorded  ${cron.name} of ${clock(new Date(tick.scheduledFor))} ${tick.outcome} by ${tick.driver}, ${ending}`,
        );
      }
    }
    await setTimeout(500, undefined, { signal }).catch(() => undefined);
  }
}

interface Tick {
  scheduledFor: string;
  outcome: string;
  reason: string | null;
  driver: string;
  msgId: number | null;
}

interface Job {
  msgId: number;
  status: string;
  result: unknown;
}

type Api = <T>(method: string, path: string, body?: object) => Promise<T>;

function client(url: string, key: string): Api {
  return async <T>(method: string, path: string, body?: object) => {
    const response = await fetch(`${url}/api/v1${path}`, {
      method,
      headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (!response.ok)
      throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as T;
  };
}
