import { z } from "zod";
import type { ProgressRow } from "../../db/logs.js";
import { Time } from "./scalars.js";

/** How far a job is, by the last report of its handler. */
export const Progress = z.strictObject({
  percent: z.number().describe("0 to 100."),
  note: z.string().nullable().describe("What it is at."),
  attempt: z.int().describe("The attempt that reported it."),
  at: Time,
});

export const toProgress = (row: Omit<ProgressRow, "jobId">): z.input<typeof Progress> => ({
  percent: row.percent,
  note: row.note,
  attempt: row.attempt,
  at: row.at.toISOString(),
});
