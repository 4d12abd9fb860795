import { z } from "zod";
import type { JobRow } from "../../db/jobs.js";
import { Payload } from "../../manifest/schema.js";
import { Progress } from "./progress.js";
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
  priority: z.int().describe("Higher goes first."),
  maxAttempts: z.int().describe("Tries until it has failed."),
  expiresAt: Time.nullable().describe("Canceled when not started by then."),
  tags: z.array(z.string()),
  retryOf: MsgId.nullable().describe("The job that this one runs again."),
  progress: Progress.nullable().describe("The last report of its handler; null for none."),
  attempts: z
    .array(
      z.strictObject({
        attempt: z.int(),
        worker: z.string().nullable(),
        startedAt: Time,
        finishedAt: Time.nullable(),
        error: z.unknown().describe("Why the attempt failed; null otherwise."),
      }),
    )
    .describe("Every attempt so far, oldest first."),
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
  priority: (row.headers.priority as number | undefined) ?? 0,
  maxAttempts: (row.headers.max_attempts as number | undefined) ?? 1,
  expiresAt: asTime(row.headers.expires_at),
  tags: (row.headers.tags as string[] | undefined) ?? [],
  retryOf: (row.headers.retry_of as number | undefined) ?? null,
  progress: null,
  attempts: row.attempts.map(({ attempt, worker, startedAt, finishedAt, error }) => ({
    attempt,
    worker,
    startedAt: new Date(startedAt).toISOString(),
    finishedAt: asTime(finishedAt),
    error: error ?? null,
  })),
});

/** A time as the database has it in JSON. */
const asTime = (text: unknown) => (typeof text === "string" ? new Date(text).toISOString() : null);
