import { z } from "zod";

/** A push to a Faktory server; null and absent mean the default. */
export const FaktorySpec = z.strictObject({
  type: z.literal("faktory").describe("A queue of a Faktory server."),
  instance: z
    .string()
    .regex(/^[A-Za-z0-9][A-Za-z0-9_-]{0,62}$/, {
      error: "must be letters, digits, dashes or underscores",
    })
    .nullish()
    .describe("Name of the Faktory server, as the operator configured it. Default: default."),
  queue: z
    .string()
    .regex(/^[A-Za-z0-9_.-]{1,100}$/, {
      error: "must be 1 to 100 letters, digits, dashes, dots or underscores",
    })
    .nullish()
    .describe("Queue to push to. Default: default."),
  jobType: z
    .string()
    .regex(/^[\x21-\x7e]{1,200}$/, { error: "must be 1 to 200 printable characters, no blanks" })
    .describe("The job type that Faktory's workers know."),
  args: z
    .array(z.unknown())
    .max(1000)
    .refine((args) => isExact(args), {
      error: "holds a whole number that JSON readers round; give it as a string",
    })
    .nullish()
    .describe("What the worker is called with, and nothing else. Default: []."),
  reserveFor: z
    .int()
    .min(60)
    .max(86_400)
    .nullish()
    .describe("Seconds Faktory gives a worker for it. Default: Faktory's (1800)."),
  retry: z
    .int()
    .min(-1)
    .max(1000)
    .nullish()
    .describe("How often Faktory retries it; -1 discards it instead. Default: Faktory's (25)."),
  timeout: z
    .number()
    .min(0.1)
    .max(300)
    .nullish()
    .describe("Seconds until the server must have accepted it. Default: 10."),
});
export type FaktorySpec = z.output<typeof FaktorySpec>;

/** Whether every whole number is still the one that was written. */
function isExact(value: unknown): boolean {
  if (typeof value === "number") return !Number.isInteger(value) || Number.isSafeInteger(value);
  if (typeof value !== "object" || value === null) return true;
  return Object.values(value).every(isExact);
}
