import { z } from "zod";
import { CRON_STATES, type CronSummaryRow } from "../../db/summaries.js";
import { Cron, CronVerbs, toCron } from "./cron.js";
import { MsgId, Time, timeOrNull } from "./scalars.js";

export const CronState = z
  .enum(CRON_STATES)
  .describe("How it is: the most serious of these that is true.");

/** What a slot's letter stands for. */
export const STRIP = {
  c: "its job completed",
  f: "its job failed",
  x: "its job was canceled",
  r: "its job is in flight: pending, queued or running",
  e: "it was enqueued, and what became of its job is not known (its record is gone) or not yours to see",
  l: "it was caught up late, and its job completed",
  p: "its job took another's place, and completed",
  s: "skipped",
  m: "missed",
  d: "denied",
  t: "it could not be decided",
} as const;

const LETTERS = Object.entries(STRIP)
  .map(([letter, meaning]) => `${letter}: ${meaning}`)
  .join("; ");

/** A cron with what a list shows of it. */
export const CronSummary = z.strictObject({
  cron: Cron,
  state: CronState,
  stateText: z.string().describe("The same as a sentence."),
  strip: z
    .string()
    .regex(new RegExp(`^[${Object.keys(STRIP).join("")}]{0,120}$`))
    .describe(`One letter for each of its newest decided slots, oldest first. ${LETTERS}.`),
  stripFrom: Time.nullable().describe("The strip's oldest slot."),
  stripTo: Time.nullable().describe("The strip's newest slot."),
  next: Time.nullable().describe("Its next slot."),
  last: z
    .strictObject({
      jobId: MsgId,
      status: z.enum(["completed", "failed", "canceled"]),
      finishedAt: Time,
      duration: z.number().nullable().describe("Seconds it ran; null when it never started."),
    })
    .nullable()
    .describe("Its job that ended last, of the strip's time; needs job.read."),
  typical: z
    .strictObject({ p50: z.number(), p95: z.number() })
    .nullable()
    .describe("Seconds that the strip's jobs ran; needs job.read."),
  sentence: z.string().describe("The schedule in words."),
  can: CronVerbs,
});

export const toCronSummary = (row: CronSummaryRow): z.input<typeof CronSummary> => ({
  cron: toCron(row),
  state: row.state,
  stateText: row.stateText,
  strip: row.strip,
  stripFrom: timeOrNull(row.stripFrom),
  stripTo: timeOrNull(row.stripTo),
  next: timeOrNull(row.nextFireAt),
  last: row.last,
  typical: row.typical,
  sentence: row.description,
  can: row.verbs,
});
