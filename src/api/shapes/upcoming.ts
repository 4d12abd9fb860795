import { z } from "zod";
import { STATS_BUCKETS } from "../../db/stats.js";
import { Time, Uuid } from "./scalars.js";

const CronName = z.strictObject({ id: Uuid, appId: z.string(), name: z.string() });

/** The slots to come. */
export const UpcomingAnswer = z.strictObject({
  from: Time,
  to: Time,
  bucket: z.enum(STATS_BUCKETS),
  timezone: z.string(),
  count: z.int().describe("How many slots there are."),
  capped: z.boolean().describe("There are more than can be found out at once."),
  until: Time.describe("Up to where counts and buckets are complete: to, unless capped."),
  buckets: z
    .array(
      z.strictObject({
        at: Time.describe("Where it begins."),
        count: z.int(),
        crons: z
          .array(CronName.extend({ count: z.int() }))
          .describe("Eight of the crons behind it at most, those with the most slots first."),
      }),
    )
    .describe("Those that have a slot."),
  next: z
    .array(CronName.extend({ at: Time }))
    .describe("The crons whose next slot comes first, each once; 50 at most."),
});

const slots = z.strictObject({
  enqueued: z
    .int()
    .nullable()
    .describe("Counted for the last 32 days of the window; null before, where jobs tell."),
  skipped: z.int(),
  replaced: z.int(),
  caughtUp: z.int(),
  missed: z.int(),
  denied: z.int(),
  failed: z.int().describe("Could not be decided."),
});

const jobs = z.strictObject({ completed: z.int(), failed: z.int(), canceled: z.int() });

/** What was on each day of a cron. */
export const CalendarAnswer = z.strictObject({
  timezone: z.string().describe("The cron's: whose days these are."),
  from: Time.describe("Where the first day begins."),
  to: Time.describe("Where the last day ends."),
  days: z
    .array(
      z.strictObject({
        date: z.iso.date(),
        from: Time,
        to: Time.describe("23 or 25 hours after from, on a day the clocks change."),
        slots: slots.nullable().describe("Decided slots of the day; null for none."),
        jobs: jobs
          .nullable()
          .describe(
            "Jobs that ended that day, those started by hand, too; null for none, or without job.read.",
          ),
      }),
    )
    .describe("The days on which anything was."),
});
