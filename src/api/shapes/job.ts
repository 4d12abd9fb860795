import { z } from "zod";
import type { AttemptRecord, JobRow, JobTarget } from "../../db/jobs.js";
import { JOB_OPTIONS } from "../../manifest/job-options.js";
import { Payload } from "../../manifest/schema.js";
import { Instant } from "../../schedules/schema.js";
import { Progress } from "./progress.js";
import { MsgId, Time, timeOrNull, Uuid } from "./scalars.js";
import { Target } from "./target.js";

/** What a job is enqueued with, alone or in a batch. */
export const NEW_JOB = {
  payload: Payload.nullish(),
  runAt: Instant.nullish().describe("Not before this time. Default: at once."),
  idempotencyKey: z
    .string()
    .min(1)
    .max(255)
    .nullish()
    .describe("The same key and body within 24 hours give the same job; another body is 409."),
  ...JOB_OPTIONS,
  expiresAt: Instant.nullish().describe("A job not started by then is canceled."),
};

export const Attempt = z.strictObject({
  attempt: z.int(),
  worker: z.string().nullable(),
  startedAt: Time,
  finishedAt: Time.nullable(),
  error: z.unknown().describe("Why the attempt failed; null otherwise."),
  result: z
    .unknown()
    .describe("What its target answered (of attempts before the last, the body is cut)."),
});

export const JOB_STATUSES = [
  "pending",
  "queued",
  "running",
  "completed",
  "failed",
  "canceled",
] as const;

/** What may be done with a job. */
export const JOB_VERBS = ["cancel", "update", "retry"] as const;
export type JobVerb = (typeof JOB_VERBS)[number];

/** A job as every answer shows it. */
export const Job = z.strictObject({
  msgId: MsgId,
  appId: z.string(),
  cronId: Uuid.nullable(),
  scheduledFor: Time.nullable().describe("The slot it was enqueued for."),
  trigger: z.enum(["automatic", "manual", "api"]),
  status: z.enum(JOB_STATUSES),
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
  retryDelay: z.number().nullable().describe("Seconds before the second try; null: the default."),
  retryBackoff: z.number().nullable().describe("Growth of that delay; null: the default."),
  timeout: z.int().nullable().describe("Seconds the handler may run; null: the worker's limit."),
  expiresAt: Time.nullable().describe("Canceled when not started by then."),
  tags: z.array(z.string()),
  target: Target.nullable().describe("Where it goes; null for the app's workers."),
  cancelReason: z.string().nullable().describe("Why it was canceled."),
  retryOf: MsgId.nullable().describe("The job that this one runs again."),
  progress: Progress.nullable().describe("The last report of its handler; null for none."),
  attempts: z.array(Attempt).describe("Every attempt so far, oldest first."),
  can: z
    .array(z.enum(JOB_VERBS))
    .describe("What the caller may do with it as it is: cancel, update, retry."),
});

/** One job, as its own endpoint shows it. */
export const JobInFull = Job.extend({
  retriedBy: z.array(MsgId).describe("The jobs that have run this one again, oldest first."),
});

export const toJob = (row: JobRow, can: JobVerb[]): z.input<typeof Job> => ({
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
  retryDelay: (row.headers.retry_delay as number | undefined) ?? null,
  retryBackoff: (row.headers.retry_backoff as number | undefined) ?? null,
  timeout: (row.headers.timeout as number | undefined) ?? null,
  expiresAt: asTime(row.headers.expires_at),
  tags: (row.headers.tags as string[] | undefined) ?? [],
  target: (row.headers.target as JobTarget | undefined) ?? null,
  cancelReason: (row.headers.canceled as string | undefined) ?? null,
  retryOf: (row.headers.retry_of as number | undefined) ?? null,
  progress: null,
  attempts: row.attempts.map(toAttempt),
  can,
});

export const toAttempt = (record: AttemptRecord): z.input<typeof Attempt> => ({
  attempt: record.attempt,
  worker: record.worker,
  startedAt: new Date(record.startedAt).toISOString(),
  finishedAt: asTime(record.finishedAt),
  error: record.error ?? null,
  result: record.result ?? null,
});

/** A time as the database has it in JSON. */
const asTime = (text: unknown) => (typeof text === "string" ? new Date(text).toISOString() : null);
