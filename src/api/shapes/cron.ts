import { z } from "zod";
import type { CronRow, RunRow, TickRow } from "../../db/crons.js";
import { Payload } from "../../manifest/schema.js";
import { MsgId, Time, timeOrNull, Uuid } from "./scalars.js";

/** A cron as every answer shows it. */
export const Cron = z.strictObject({
  id: Uuid,
  appId: z.string(),
  name: z.string(),
  schedule: z.string(),
  timezone: z.string(),
  payload: Payload.describe("What onJob gets, method included."),
  overlapPolicy: z.enum(["skip", "queue"]),
  enabled: z.boolean(),
  pgJobId: z.int().nullable().describe("The pg_cron job that wakes it; null while none does."),
  createdBy: Uuid.nullable().describe("Its owner; null once that principal is deleted."),
  createdAt: Time,
  updatedAt: Time,
  method: z.string().nullable(),
  startsAt: Time.nullable(),
  endsAt: Time.nullable(),
  jitter: z.int().describe("Seconds by which its jobs may start later."),
  dst: z.strictObject({ gap: z.enum(["shift", "skip"]), fold: z.enum(["first", "both"]) }),
  origin: z.enum(["manifest", "api", "sql"]).describe("Where it was made."),
  nextFireAt: Time.nullable().describe("Its next slot; null while disabled or completed."),
  completedAt: Time.nullable().describe("When it had its last slot; null while more may come."),
});

export const toCron = (row: CronRow): z.input<typeof Cron> => ({
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
  createdAt: row.createdAt.toISOString(),
  updatedAt: row.updatedAt.toISOString(),
  method: row.method,
  startsAt: timeOrNull(row.startsAt),
  endsAt: timeOrNull(row.endsAt),
  jitter: row.jitterSeconds,
  dst: { gap: row.dstGap, fold: row.dstFold },
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

/** The recorded decision about one slot. */
export const Tick = z.strictObject({
  cronId: Uuid,
  appId: z.string(),
  scheduledFor: Time.describe("The slot."),
  outcome: z.string(),
  reason: z.string().nullable(),
  msgId: MsgId.nullable(),
  blockedBy: MsgId.nullable().describe("The job that was still queued or running."),
  driver: z.string().describe("Who decided: pg_cron, ticker, sweep or api."),
  decidedAt: Time,
});

export const toTick = (row: TickRow): z.input<typeof Tick> => ({
  cronId: row.cronId,
  appId: row.appId,
  scheduledFor: row.scheduledFor.toISOString(),
  outcome: row.outcome,
  reason: row.reason,
  msgId: row.msgId,
  blockedBy: row.blockedBy,
  driver: row.driver,
  decidedAt: row.decidedAt.toISOString(),
});
