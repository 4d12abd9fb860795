import { z } from "zod";
import { JOB_OPTIONS, MaxConcurrency } from "./job-options.js";
import { Instant, Schedule, Timezone } from "../schedules/schema.js";
import { AgentEndpoint } from "../targets/agent/schema.js";

/** An app's id. */
export const AppId = z
  .string()
  .regex(/^[a-z0-9][a-z0-9_-]{0,62}$/, {
    error:
      "must be 1 to 63 lower-case letters, digits, dashes or underscores, beginning with a letter or digit",
  })
  .describe("The app's id: lower-case letters, digits, dashes and underscores.");

/** What onJob is given: a JSON object. */
export const Payload = z.record(z.string(), z.unknown());

const Dst = z.strictObject({
  gap: z
    .enum(["shift", "skip"])
    .optional()
    .describe(
      "A local time that does not exist: fire it by the offset before the gap (shift, the default), or not at all (skip).",
    ),
  fold: z
    .enum(["first", "both"])
    .optional()
    .describe("A local time that comes twice: fire the first (the default), or both."),
});

/** A cron as a manifest declares it and as the API takes it; null and absent mean the default. */
export const CronSpec = z.strictObject({
  name: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,64}$/, {
      error: "must be 1 to 64 letters, digits, dashes or underscores",
    })
    .describe("Name of the cron, unique within its app."),
  schedule: Schedule,
  timezone: Timezone.nullish().describe(
    "IANA time zone whose wall clock the schedule follows. Default: GMT.",
  ),
  method: z
    .string()
    .min(1)
    .max(200)
    .nullish()
    .describe("Handler to route to: added to the payload as payload.method."),
  payload: Payload.nullish().describe("JSON object handed to onJob. Default: {}."),
  overlapPolicy: z
    .enum(["skip", "queue", "buffer", "replace"])
    .nullish()
    .describe(
      "When a job of this cron is still queued or running: skip the slot (the default), queue another job, buffer at most one waiting job, or replace the old job by the new one.",
    ),
  catchUp: z
    .enum(["latest", "all", "none"])
    .nullish()
    .describe(
      "Slots missed while nothing could fire: one job for the newest (latest, the default), one for each (all), or none.",
    ),
  catchUpMax: z
    .int()
    .min(1)
    .max(1000)
    .nullish()
    .describe("Jobs at most that catchUp all enqueues for missed slots, the newest. Default: 100."),
  catchUpWindow: z
    .int()
    .min(0)
    .max(31_536_000)
    .nullish()
    .describe("Seconds a missed slot is worth catching up; older ones are missed. Default: 3600."),
  maxConsecutiveFailures: z
    .int()
    .min(1)
    .max(1_000_000)
    .nullish()
    .describe("Pause the cron when so many of its jobs in a row have failed. Default: never."),
  ...JOB_OPTIONS,
  expiresAfter: z
    .int()
    .min(1)
    .max(31_536_000)
    .nullish()
    .describe(
      "Seconds a job may wait to be started once it is due; then it is canceled. Default: for ever.",
    ),
  maxConcurrency: MaxConcurrency.describe(
    "Jobs of this cron that may run at once. Default: no limit.",
  ),
  runAs: z
    .string()
    .min(1)
    .max(128)
    .nullish()
    .describe(
      "Name or id of a service account that is to own it: by its permissions it fires, and on its behalf its jobs run. Default: whoever makes it.",
    ),
  enabled: z.boolean().nullish().describe("Whether it fires. Default: true."),
  pauseNote: z
    .string()
    .max(500)
    .nullish()
    .describe("Why it is paused; goes with enabled: false and is cleared when it is resumed."),
  startsAt: Instant.nullish().describe("No slot before this time fires."),
  endsAt: Instant.nullish().describe("No slot after this time fires; one equal to it still does."),
  jitter: z
    .int()
    .min(0)
    .max(86_400)
    .nullish()
    .describe(
      "Seconds by which a job may start later, the same for every slot of a cron. Default: 0.",
    ),
  dst: Dst.nullish().describe("What to do where daylight saving time drops or doubles a slot."),
});
export type CronSpec = z.output<typeof CronSpec>;

/** Fields of a cron to change; null resets one to its default. */
export const CronPatch = CronSpec.partial();

const Permission = z
  .string()
  .max(100)
  .regex(/^[a-z][a-z0-9_]*([.:][a-z0-9_]+)*$/, {
    error: "must be lower-case words joined by dots, without the app:… prefix",
  });

/** What makes an app an agent; what else it says is the app's own. */
const Agent = z.looseObject({
  endpoint: AgentEndpoint.nullish().describe(
    "Where the agent is invoked over HTTP. Default: its workers' onAgent.",
  ),
});

const AppName = z.string().max(200).describe("The app's name for people.");
const AppAgent = z
  .union([z.boolean(), Agent], { error: "must be true, false or a JSON object" })
  .nullish()
  .describe("Marks an AI agent: its crons' jobs go to onAgent, or to its endpoint.");
const AppMost = MaxConcurrency.describe("Jobs of the app that may run at once. Default: no limit.");

/** Fields of an app to change; null resets one to its default. */
export const AppPatch = z.strictObject({
  name: AppName.nullish(),
  agent: AppAgent,
  maxConcurrency: AppMost,
});
export type AppPatch = z.output<typeof AppPatch>;

/** A manifest: what an app is deployed with. */
export const Manifest = z
  .strictObject({
    $schema: z.string().max(2000).optional().describe("Address of this schema, for editors."),
    id: AppId.optional(),
    name: AppName.optional(),
    agent: AppAgent,
    permissions: z
      .array(Permission)
      .max(1000)
      .nullish()
      .describe(
        "Permissions the app brings, without their app:… prefix. Default: cron.read, cron.write, cron.trigger.",
      )
      .meta({ examples: [["cron.read", "cron.write", "cron.trigger", "cron.manage_others"]] }),
    maxConcurrency: AppMost,
    crons: z
      .array(CronSpec)
      .max(100_000)
      .nullish()
      .describe("The app's crons: created, updated and deleted at every deploy to match."),
  })
  .superRefine(({ crons }, context) => {
    const first = new Map<string, number>();
    for (const [at, { name }] of (crons ?? []).entries()) {
      const earlier = first.get(name);
      if (earlier === undefined) first.set(name, at);
      else {
        context.addIssue({
          code: "custom",
          path: ["crons", at, "name"],
          message: `is given twice: crons[${earlier}] is named ${JSON.stringify(name)} already`,
        });
      }
    }
  });
export type Manifest = z.output<typeof Manifest>;
