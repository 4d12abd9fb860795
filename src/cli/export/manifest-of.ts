import { isDeepStrictEqual } from "node:util";
import type { App, Cron, Manifest, NewCron } from "../../client/index.js";

/** What a cron has when its manifest does not say: as CronSpec documents it. */
const DEFAULTS = {
  timezone: "GMT",
  method: null,
  payload: {},
  overlapPolicy: "skip",
  catchUp: "latest",
  catchUpMax: 100,
  catchUpWindow: 3600,
  maxConsecutiveFailures: null,
  priority: 0,
  maxAttempts: 1,
  retryDelay: 10,
  retryBackoff: 2,
  timeout: null,
  expiresAfter: null,
  tags: [],
  target: null,
  maxConcurrency: null,
  runAs: null,
  enabled: true,
  pauseNote: null,
  startsAt: null,
  endsAt: null,
  jitter: 0,
  dst: { gap: "shift", fold: "first" },
} satisfies Record<keyof Omit<NewCron, "name" | "schedule">, unknown>;

const DEFAULT_PERMISSIONS = ["cron.read", "cron.write", "cron.trigger"];

/** A cron as a manifest would declare it: what is as usual is left out. */
export function specOf(cron: Cron): NewCron {
  const { name, schedule, method, paused } = cron;
  const payload = { ...cron.payload };
  if (method !== null) delete payload.method;
  const values: Record<string, unknown> = { ...cron, payload, pauseNote: paused?.note ?? null };
  const special = Object.entries(DEFAULTS).filter(
    ([field, usual]) => !isDeepStrictEqual(values[field], usual),
  );
  return {
    name,
    schedule,
    ...Object.fromEntries(special.map(([field]) => [field, values[field]])),
  };
}

const agentOf = (agent: Record<string, unknown>) =>
  (Object.keys(agent).length === 0 ? true : agent) as NonNullable<Manifest["agent"]>;

/** The manifest that makes an app and its crons as they are. */
export function manifestOf(app: App, crons: readonly Cron[]): Manifest {
  const prefix = `app:${app.id}:`;
  const permissions = app.permissions.map((one) => one.slice(prefix.length));
  return {
    id: app.id,
    ...(app.name === null ? {} : { name: app.name }),
    ...(isDeepStrictEqual(permissions, DEFAULT_PERMISSIONS) ? {} : { permissions }),
    ...(app.agent === null ? {} : { agent: agentOf(app.agent) }),
    ...(app.maxConcurrency === null ? {} : { maxConcurrency: app.maxConcurrency }),
    crons: crons.map(specOf),
  };
}
