import { z } from "zod";
import { CRON_VERBS, type CronRow, type RunRow } from "../../db/crons.js";
import { Payload } from "../../manifest/schema.js";
import { MsgId, Time, timeOrNull, Uuid } from "./scalars.js";
import { Target } from "./target.js";

/** What of a cron does not depend on who asks. */
export const CronFields = z.strictObject({
  id: Uuid,
  appId: z.string(),
  name: z.string(),
  schedule: z.string(),
  timezone: z.string(),
  payload: Payload.describe("What onJob gets, method included."),
  overlapPolicy: z.enum(["skip", "queue", "buffer", "replace"]),
  enabled: z.boolean(),
  pgJobId: z.int().nullable().describe("The pg_cron job that wakes it; null while none does."),
  createdBy: Uuid.nullable().describe("Its owner; null once that principal is deleted."),
  runAs: Uuid.nullable().describe("Its owner, where that is a service account."),
  denied: z
    .string()
    .nullable()
    .describe("Why its owner may not fire it: its slots are denied; null while it may."),
  createdAt: Time,
  updatedAt: Time,
  version: z.int().describe("Grows with every change; what If-Match compares."),
  method: z.string().nullable(),
  startsAt: Time.nullable(),
  endsAt: Time.nullable(),
  jitter: z.int().describe("Seconds by which its jobs may start later."),
  dst: z.strictObject({ gap: z.enum(["shift", "skip"]), fold: z.enum(["first", "both"]) }),
  catchUp: z.enum(["latest", "all", "none"]),
  catchUpMax: z.int(),
  catchUpWindow: z.int().describe("Seconds."),
  maxConsecutiveFailures: z.int().nullable(),
  priority: z.int().describe("Its jobs': higher goes first."),
  maxAttempts: z.int().describe("Tries until a job has failed."),
  retryDelay: z.int().describe("Seconds before the second try."),
  retryBackoff: z.number().describe("Factor by which the delay grows with every further try."),
  timeout: z.int().nullable().describe("Seconds the handler may run; null for the worker's own."),
  expiresAfter: z.int().nullable().describe("Seconds a due job may wait to be started."),
  tags: z.array(z.string()).describe("Labels of its jobs."),
  target: Target.nullable().describe("Where its jobs go; null for the app's workers."),
  maxConcurrency: z.int().nullable().describe("Jobs that may run at once; null for no limit."),
  consecutiveFailures: z.int().describe("How many of its jobs have failed in a row."),
  description: z.string().describe("The schedule in plain English."),
  paused: z
    .strictObject({
      at: Time,
      by: Uuid.nullable().describe("Who paused it; the system's own principal for a failing cron."),
      note: z.string().nullable(),
    })
    .nullable()
    .describe("Who paused it, when and why; null while it is enabled."),
  origin: z.enum(["manifest", "api", "sql"]).describe("Where it was made."),
  nextFireAt: Time.nullable().describe("Its next slot; null while disabled or completed."),
  completedAt: Time.nullable().describe("When it had its last slot; null while more may come."),
});

/** What a caller may do with a cron. */
export const CronVerbs = z
  .array(z.enum(CRON_VERBS))
  .describe(
    "What the caller may do: write (change, pause, delete), trigger (and backfill), readJobs, writeJobs, readAudit.",
  );

/** A cron as every answer shows it. */
export const Cron = CronFields.extend({ can: CronVerbs });

export const toCron = (row: CronRow): z.input<typeof Cron> => ({
  ...toCronFields(row),
  can: row.verbs,
});

export const toCronFields = (row: CronRow): z.input<typeof CronFields> => ({
  id: row.id,
  appId: row.appId,
  name: row.name,
  schedule: row.schedule,
  timezone: row.timezone,
  payload: row.payload,
  overlapPolicy: row.overlapPolicy,
  enabled: row.enabled,
  pgJobId: row.pgJobId,
  createdBy: row.createdBy,
  runAs: row.runAs,
  denied: row.denied,
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  version: row.version,
  method: row.method,
  startsAt: timeOrNull(row.startsAt),
  endsAt: timeOrNull(row.endsAt),
  jitter: row.jitterSeconds,
  dst: { gap: row.dstGap, fold: row.dstFold },
  catchUp: row.catchUp,
  catchUpMax: row.catchUpMax,
  catchUpWindow: row.catchUpWindowSeconds,
  maxConsecutiveFailures: row.maxConsecutiveFailures,
  priority: row.priority,
  maxAttempts: row.maxAttempts,
  retryDelay: row.retryDelaySeconds,
  retryBackoff: row.retryBackoff,
  timeout: row.timeoutSeconds,
  expiresAfter: row.expiresAfterSeconds,
  tags: row.tags,
  target: row.target,
  maxConcurrency: row.maxConcurrency,
  consecutiveFailures: row.consecutiveFailures,
  description: row.description,
  paused: row.pausedAt && {
    at: row.pausedAt.toISOString(),
    by: row.pausedBy,
    note: row.pauseNote,
  },
  origin: row.origin,
  nextFireAt: timeOrNull(row.nextFireAt),
  completedAt: timeOrNull(row.completedAt),
});

/** A run of pg_cron, with what came of the slot it was for. */
export const Run = z.strictObject({
  runid: z.int(),
  jobPid: z.int().nullable(),
  status: z
    .string()
    .nullable()
    .describe("pg_cron's: starting, running, sending, connecting, succeeded, failed."),
  returnMessage: z.string().nullable(),
  startTime: Time.nullable(),
  endTime: Time.nullable(),
  outcome: z.string().nullable().describe("What was decided about the slot; null when none was."),
  scheduledFor: Time.nullable().describe("The slot."),
  msgId: MsgId.nullable(),
});

export const toRun = (row: RunRow): z.input<typeof Run> => ({
  runid: row.runid,
  jobPid: row.jobPid,
  status: row.status,
  returnMessage: row.returnMessage,
  startTime: timeOrNull(row.startTime),
  endTime: timeOrNull(row.endTime),
  outcome: row.outcome,
  scheduledFor: timeOrNull(row.scheduledFor),
  msgId: row.msgId,
});
