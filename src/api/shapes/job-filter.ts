import { z } from "zod";
import { Instant } from "../../schedules/schema.js";
import { Uuid } from "./scalars.js";

const Status = z.enum([
  ...["pending", "queued", "running", "completed", "failed", "canceled"],
  ...["live", "finished"],
] as const);
export const TargetType = z.enum(["http", "agent", "faktory", "container", "any", "none"]);
const Trigger = z.enum(["automatic", "manual", "api"]);

const TIMES = {
  enqueuedAfter: Instant.optional().describe("Enqueued at or after this time."),
  enqueuedBefore: Instant.optional().describe("Enqueued before this time."),
  startedAfter: Instant.optional().describe("Last started at or after this time."),
  startedBefore: Instant.optional().describe("Last started before this time."),
  finishedAfter: Instant.optional().describe("Finished at or after this time."),
  finishedBefore: Instant.optional().describe("Finished before this time."),
};

const OTHERS = {
  cronId: Uuid.optional().describe("Jobs of this cron."),
  tag: z.string().min(1).max(100).optional().describe("Jobs with this tag."),
  ...TIMES,
};

/** One or more words, joined by commas in a query. */
const words = <W extends z.ZodType<string, string>>(word: W) =>
  z
    .string()
    .transform((text) => text.split(","))
    .pipe(z.array(word));

const oneOrMore = <W extends z.ZodType>(word: W) =>
  z.union([word.transform((only) => [only]), z.array(word).min(1)], {
    error: (issue) => (issue.input === undefined ? "is required" : undefined),
  });

const STATUS =
  "One or more statuses; live is pending, queued and running; finished is completed, failed and canceled.";

export const TARGET = "One or more types of target; any is all of them, none is the app's workers.";

/** A filter of jobs in a query string. */
export const JOB_FILTER_QUERY = {
  status: words(Status).optional().describe(`${STATUS} Joined by commas.`),
  trigger: words(Trigger).optional().describe("One or more triggers, joined by commas."),
  target: words(TargetType).optional().describe(`${TARGET} Joined by commas.`),
  ...OTHERS,
};

/** A filter of jobs in a body. */
export const JobFilter = z.strictObject({
  status: oneOrMore(Status).optional().describe(STATUS),
  trigger: oneOrMore(Trigger).optional().describe("One or more triggers."),
  target: oneOrMore(TargetType).optional().describe(TARGET),
  ids: z.array(z.int().min(0)).min(1).max(1000).optional().describe("Jobs by their ids."),
  ...OTHERS,
});
