import { z } from "zod";
import type { JobRow } from "../../db/jobs.js";
import { Payload } from "../../manifest/schema.js";
import { MsgId, Time, timeOrNull, Uuid } from "./scalars.js";

/** A job as every answer shows it. */
export const Job = z.strictObject({
  msgId: MsgId,
  appId: z.string(),
  cronId: Uuid.nullable(),
  scheduledFor: Time.nullable().describe("The slot it was enqueued for."),
  trigger: z.enum(["automatic", "manual", "api"]),
  status: z.enum(["pending", "queued", "running", "completed", "failed", "canceled"]),
  userId: Uuid.nullable().describe("On whose behalf it runs."),
  payload: Payload.nullable(),
  result: z.unknown().describe("What the handler returned; null until then."),
  error: z.unknown().describe("Why it failed: name, message, stack; null otherwise."),
  attempt: z.int().describe("Deliveries to a worker so far."),
  worker: z.string().nullable(),
  enqueuedAt: Time,
  dueAt: Time.nullable().describe("Not before this time; null once finished."),
  startedAt: Time.nullable(),
  finishedAt: Time.nullable(),
});

export const toJob = (row: JobRow): z.input<typeof Job> => ({
  msgId: row.jobId,
  appId: row.appId,
  cronId: row.cronId,
  scheduledFor: timeOrNull(row.scheduledFor),
  trigger: row.trigger,
  status: row.status,
  userId: row.userId,
  payload: row.payload,
  result: row.result,
  error: row.error,
  attempt: row.attempt,
  worker: row.worker,
  enqueuedAt: row.enqueuedAt.toISOString(),
  dueAt: timeOrNull(row.dueAt),
  startedAt: timeOrNull(row.startedAt),
  finishedAt: timeOrNull(row.finishedAt),
});
