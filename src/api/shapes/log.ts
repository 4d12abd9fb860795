import { z } from "zod";
import { LOG_LEVELS, LOG_STREAMS, type LogRow } from "../../db/logs.js";
import { Job } from "./job.js";
import { Time } from "./scalars.js";

/** A line of a job's log. */
export const LogLine = z.strictObject({
  seq: z.int().describe("Counts the lines of the job from 1, through all its attempts."),
  attempt: z.int(),
  at: Time,
  level: z.enum(LOG_LEVELS),
  stream: z
    .enum(LOG_STREAMS)
    .describe("log: the handler's; stdout, stderr: a program's; progress: how far it was."),
  message: z.string(),
  data: z.unknown().describe("What was logged with it; null otherwise."),
  percent: z.number().nullable().describe("Of the stream progress, whose message is the note."),
  altered: z
    .strictObject({
      cutBytes: z.int().optional().describe("Bytes cut off the end of the message."),
      replaced: z.int().optional().describe("Characters that U+FFFD stands for."),
      dataBytes: z.int().optional().describe("Bytes of data left out."),
    })
    .nullable()
    .describe("What is not as it was logged; null where nothing is."),
});

export const toLogLine = (row: LogRow): z.input<typeof LogLine> => ({
  seq: row.seq,
  attempt: row.attempt,
  at: row.at.toISOString(),
  level: row.level,
  stream: row.stream,
  message: row.message,
  data: row.data ?? null,
  percent: row.percent,
  altered: row.altered,
});

/** A job's status, in a stream of its log. */
export const StatusEvent = z.strictObject({
  status: Job.shape.status,
  attempt: z.int().describe("Deliveries to a worker so far."),
});

/** The last event of a stream: the job has ended, and all of its log was sent. */
export const EndEvent = z.strictObject({
  status: Job.shape.status.nullable().describe("How it ended; null where the job is gone."),
  seq: z.int().describe("The last line that was sent; 0 for none."),
});
