import { z } from "zod";
import type { LetterRow } from "../../db/letters.js";
import { Payload } from "../../manifest/schema.js";
import { Attempt, toAttempt } from "./job.js";
import { MsgId, Time, Uuid } from "./scalars.js";
import { Target } from "./target.js";

/** A dead letter: the copy of a job that was delivered in vain too often. */
export const Letter = z.strictObject({
  id: z.int().describe("The letter's id: the msg_id of its message in the queue jobs_dlq."),
  jobId: MsgId.describe("The job that died; it is in the history."),
  appId: z.string(),
  cronId: Uuid.nullable(),
  trigger: z.enum(["automatic", "manual", "api"]),
  reason: z.string().nullable().describe("Why it is here, such as lease_lost."),
  userId: Uuid.nullable(),
  payload: Payload.nullable(),
  tags: z.array(z.string()),
  buriedAt: Time,
  target: Target.nullable().describe("Where it went; null for the app's workers."),
  attempts: z.array(Attempt).describe("Every attempt, oldest first."),
});

export const toLetter = (row: LetterRow): z.input<typeof Letter> => ({
  id: row.letterId,
  jobId: row.jobId,
  appId: row.appId,
  cronId: row.cronId,
  trigger: row.trigger,
  reason: row.reason,
  userId: row.userId,
  payload: row.payload,
  tags: row.tags,
  buriedAt: row.buriedAt.toISOString(),
  target: row.target,
  attempts: row.attempts.map(toAttempt),
});
