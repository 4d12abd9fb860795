import { z } from "zod";
import { TargetSpec } from "../targets/schema.js";

/**
 * What a job may be told, and a cron for all its jobs: shared by everything that takes either.
 * SQL holds the same rules in carillon._option_headers.
 */
export const JOB_OPTIONS = {
  priority: z
    .int()
    .min(-32768)
    .max(32767)
    .nullish()
    .describe("Higher goes first, within the app. Default: 0."),
  maxAttempts: z.int().min(1).max(100).nullish().describe("Tries until it failed. Default: 1."),
  retryDelay: z
    .int()
    .min(0)
    .max(86_400)
    .nullish()
    .describe("Seconds before the second try. Default: 10."),
  retryBackoff: z
    .number()
    .min(1)
    .max(10)
    .nullish()
    .describe("Factor by which the delay grows with every further try. Default: 2."),
  timeout: z
    .int()
    .min(1)
    .max(86_400)
    .nullish()
    .describe(
      "Seconds the handler may run. Default: the worker's; with a target, more than that takes.",
    ),
  tags: z.array(z.string().min(1).max(100)).max(20).nullish().describe("Labels to find it by."),
  target: TargetSpec.nullish().describe("Where it goes. Default: the app's workers."),
};

/** How many jobs of an app, or of a cron, may run at once. */
export const MaxConcurrency = z.int().min(1).max(1_000_000).nullish();
