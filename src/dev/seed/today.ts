import { patchCron, triggerCron } from "../../db/crons.js";
import { claimJobs, enqueueJob } from "../../db/jobs.js";
import { appendLogs } from "../../db/logs.js";
import { setPrincipalEnabled } from "../../db/principals.js";
import { noteWorker } from "../../db/workers.js";
import { CRONS } from "./company.js";
import { daysBefore, type Seeding } from "./seeding.js";

interface Edit {
  cron: string;
  days: number;
  by: string;
  patch: Record<string, unknown>;
  reason: string | null;
}

/** What people did to crons, and why. */
const EDITS: readonly Edit[] = [
  {
    ...{ cron: "crm/daily-digest", days: 62.3, by: "maria.okafor" },
    ...{ patch: { schedule: "0 8 * * 1-5" }, reason: null },
  },
  {
    ...{ cron: "warehouse/stock-sync", days: 40.2, by: "aylin.demir" },
    ...{ patch: { overlapPolicy: "queue" }, reason: "trying whether they may pile up" },
  },
  {
    ...{ cron: "warehouse/stock-sync", days: 39.9, by: "aylin.demir" },
    ...{
      patch: { overlapPolicy: "skip" },
      reason: "they may not: the carrier asked for slower polling",
    },
  },
  {
    ...{ cron: "crm/daily-digest", days: 4.9, by: "maria.okafor" },
    ...{ patch: { schedule: "0 9 * * 1-5" }, reason: "sales starts at nine since the move" },
  },
  {
    ...{ cron: "billing/charge-renewals", days: 2.1, by: "priya.raman" },
    ...{
      patch: { retryDelay: 20, maxAttempts: 4 },
      reason: "the provider's 503s pass within a minute",
    },
  },
];

/** Tells the edits, pauses and leavings, each at its time. */
export async function change({ sql, clock, now, actors, crons }: Seeding): Promise<void> {
  const edit = async ({ cron, days, by, patch, reason }: Edit) => {
    await clock.set(daysBefore(now, days));
    const actor = actors[by];
    if (actor?.origin === undefined) throw new Error(`nobody is called ${by}`);
    const [app = ""] = cron.split("/");
    const origin = { ...actor.origin, reason };
    await patchCron(sql, app, crons[cron] ?? "", patch, { ...actor, origin });
    await sql`update carillon.crons set next_fire_at = ${now}::timestamptz + interval '30 days' where enabled`;
  };
  for (const one of EDITS) await edit(one);
  for (const { app, name, paused } of CRONS) {
    if (paused === undefined) continue;
    const patch = { enabled: false, pauseNote: paused.note };
    await edit({ cron: `${app}/${name}`, days: paused.days, by: paused.by, patch, reason: null });
  }
  await clock.set(daysBefore(now, 3));
  await setPrincipalEnabled(sql, actors["tom.becker"]?.principalId ?? "", false);
  await sql`update carillon.crons set origin = 'manifest' where app_id in ('crm', 'warehouse', 'compliance')`;
}

/** Jobs that run just now: since so many seconds, and how far they are. */
const RUNNING = [
  { cron: "analytics/rebuild-cube", seconds: 8060, percent: 64, note: "aggregating week 46" },
  { cron: "warehouse/stock-sync", seconds: 252, percent: 81, note: "mailing 640 of 1,000" },
  { cron: "analytics/rollup-hourly", seconds: 41, percent: null, note: "" },
  { cron: "billing/charge-renewals", seconds: 12, percent: 20, note: "50 of 250 cards" },
  { cron: "crm/lead-sync", seconds: 2, percent: null, note: "" },
] as const;

/** Has jobs running, waiting for a worker and waiting for their time, as on any day. */
export async function startJobs({ sql, clock, now, actors, crons }: Seeding): Promise<void> {
  const maria = actors["maria.okafor"] ?? null;
  for (const { cron, seconds, percent, note } of RUNNING) {
    const begun = new Date(now.getTime() - seconds * 1000);
    await clock.set(begun);
    const [app = ""] = cron.split("/");
    await triggerCron(sql, app, crons[cron] ?? "", {}, maria);
    const [job] = await claimJobs(sql, [app], `${app}-7f2c`, 1, 86_400);
    if (job === undefined) throw new Error(`the job of ${cron} was not claimed`);
    const at = begun.getTime();
    const lines = [
      { at, message: "began" },
      ...(percent === null ? [] : [{ at, stream: "progress", percent, message: note }]),
    ].map((line) => JSON.stringify(line));
    const chunk = { jobId: job.jobId, attempt: job.attempt, seq: undefined, lines };
    await appendLogs(sql, [chunk], at, false);
  }
  await clock.set(now);
}

/** Workers of every app but compliance, whose is down, and what sends jobs to their targets. */
const WORKERS = [
  ...["crm", "billing", "warehouse", "mail", "analytics", "shop", "assistant"].map((app, n) => ({
    ...{ name: `${app}-7f2c`, keys: [app], host: `${app}-1.larkfield.example`, pid: 400 + 37 * n },
    concurrency: 10,
  })),
  ...["dispatcher-1c9e", "dispatcher-8ab0"].map((name, n) => ({
    ...{ name, keys: ["@"], host: `out-${n + 1}.larkfield.example`, pid: 1207 + 11 * n },
    concurrency: 20,
  })),
];

/** Has them there: since last night, and heard of a moment ago. */
export async function startWorkers({ sql, clock, now }: Seeding): Promise<void> {
  for (const at of [daysBefore(now, 0.7), new Date(now.getTime() - 9000)]) {
    await clock.set(at);
    for (const worker of WORKERS) await noteWorker(sql, { ...worker, version: "0.1.0" });
  }
  await clock.set(now);
}

/** Jobs for later, and some that no worker takes: theirs is down. */
export async function startWaiting({ sql, clock, now }: Seeding): Promise<void> {
  await clock.set(daysBefore(now, 0.2));
  for (let n = 1; n <= 14; n++) {
    const runAt = new Date(now.getTime() + n * 47 * 60_000).toISOString();
    await enqueueJob(sql, "shop", { method: "remind", order: `LF-2026-${118_842 + n}` }, { runAt });
  }
  await clock.set(new Date(now.getTime() - 12 * 60_000));
  for (let n = 0; n < 9; n++) await enqueueJob(sql, "compliance", { method: "erase", subject: n });
}
