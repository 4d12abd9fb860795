import { z } from "zod";
import { STATS_BUCKETS, type Stats } from "../../db/stats.js";
import { Time } from "./scalars.js";

const Percentiles = z.strictObject({ p50: z.number(), p95: z.number(), p99: z.number() });

const SUMMARY = {
  completed: z.int(),
  failed: z.int(),
  canceled: z.int(),
  successRate: z
    .number()
    .nullable()
    .describe("Completed ones among those completed or failed; null when there are none."),
  duration: Percentiles.extend({ mean: z.number(), max: z.number() })
    .nullable()
    .describe("Seconds the last attempt of a job ran."),
  wait: Percentiles.nullable().describe("Seconds a job waited for its first start, once due."),
  lag: Percentiles.nullable().describe("Seconds from a cron's slot to its decision."),
};

/** How jobs ended in a window, as a whole and bucket by bucket. Percentiles are right to 5 %. */
export const StatsAnswer = z.strictObject({
  from: Time.describe("Where the first bucket begins."),
  to: Time.describe("Where the last bucket ends."),
  bucket: z.enum(STATS_BUCKETS),
  timezone: z.string(),
  total: z.strictObject(SUMMARY),
  buckets: z.array(z.strictObject({ from: Time, to: Time, ...SUMMARY })),
});

export const toStats = (stats: Stats): z.input<typeof StatsAnswer> => stats;
