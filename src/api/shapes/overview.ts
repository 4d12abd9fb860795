import { z } from "zod";
import { ATTENTION_KINDS, SEVERITIES, type Overview } from "../../db/overview.js";
import type { WorkerRow } from "../../db/workers.js";
import { MsgId, Time, Uuid } from "./scalars.js";
import { Count } from "./count.js";

const CronName = z.strictObject({ id: Uuid, appId: z.string(), name: z.string() });

/** What needs somebody. */
export const AttentionAnswer = z.strictObject({
  items: z
    .array(
      z.strictObject({
        kind: z.enum(ATTENTION_KINDS),
        severity: z.enum(SEVERITIES),
        text: z
          .string()
          .describe("A sentence, without times: since and now are the caller's to tell."),
        appId: z.string().nullable().describe("The app it is about; null for several, or none."),
        cronId: Uuid.nullable().describe("The cron, where it is about one."),
        crons: z.array(CronName).describe("The crons it is about, eight at most."),
        cronCount: z.int().describe("How many crons it is about."),
        since: Time.nullable(),
        count: z
          .int()
          .describe("Of what there are so many: failures, slots, letters, jobs, crons."),
        error: z.string().nullable().describe("What the errors have in common; one of them."),
      }),
    )
    .describe("One for each cause, most serious first; 100 at most."),
  count: z.int().describe("How many causes there are."),
  decided: z
    .strictObject({
      since: Time,
      slots: z.int(),
      onTime: z.int().describe("Enqueued when they were due."),
      late: z.int().describe("Caught up."),
      skipped: z.int(),
      missed: z.int(),
      denied: z.int(),
      undecided: z.int().describe("Could not be decided."),
    })
    .describe("How slots were decided in this hour and the 23 before."),
});

/** The last 24 hours, and the present. */
export const OverviewAnswer = z.strictObject({
  now: Time,
  hours: z
    .array(
      z.strictObject({
        at: Time.describe("Where the hour begins."),
        jobs: z.strictObject({ completed: z.int(), failed: z.int(), canceled: z.int() }),
        slots: z.strictObject({
          ...{ enqueued: z.int(), skipped: z.int(), replaced: z.int(), caughtUp: z.int() },
          ...{ missed: z.int(), denied: z.int(), undecided: z.int() },
        }),
        lag: z
          .strictObject({ p50: z.number(), p99: z.number() })
          .nullable()
          .describe("Seconds from a slot to its decision; null without any."),
      }),
    )
    .describe("This hour and the 23 before: how jobs ended and slots were decided in them."),
  running: z
    .array(
      z.strictObject({
        jobId: MsgId,
        appId: z.string(),
        cronId: Uuid.nullable(),
        name: z.string().nullable().describe("The cron's."),
        worker: z.string().nullable(),
        attempt: z.int(),
        startedAt: Time,
        p95: z.number().nullable().describe("Seconds within which 95 % of its cron's jobs ran."),
        progress: z
          .strictObject({ percent: z.number(), note: z.string().nullable() })
          .nullable()
          .describe("What it reported last."),
      }),
    )
    .describe("Eight running jobs at most, the longest for their cron first."),
  queues: z
    .array(
      z.strictObject({
        appId: z.string(),
        due: Count.describe("Jobs that are due and wait for a worker."),
        oldestDueAt: Time.nullable().describe("Since when the oldest of them has been due."),
        running: z.int().describe("Counted to 10001."),
      }),
    )
    .describe("Apps that have jobs waiting, delayed or running."),
  workers: z
    .array(
      z.strictObject({
        appId: z.string(),
        worker: z.string(),
        running: z.int(),
        since: Time.describe("When it began the oldest of them."),
      }),
    )
    .describe("Workers that have jobs running, 100 at most; idle ones too: GET /api/v1/workers."),
  pgCron: z
    .strictObject({
      driving: z.string().nullable().describe("Version that drives; null while the ticker does."),
      lastSeenAt: Time.nullable(),
      stuck: z.boolean(),
    })
    .nullable()
    .describe("Needs system:read; null without it."),
});

export const toOverview = (overview: Overview): z.input<typeof OverviewAnswer> => {
  const { pgCron } = overview;
  const seen = pgCron?.lastSeenAt ?? null;
  const lastSeenAt = seen === null ? null : new Date(seen).toISOString();
  return { ...overview, pgCron: pgCron && { ...pgCron, lastSeenAt } };
};

/** A worker or dispatcher, idle or not. */
export const WorkerPresence = z.strictObject({
  worker: z.string().describe("Its name, as jobs have it."),
  kind: z
    .enum(["worker", "dispatcher"])
    .describe("Whether it runs an app's jobs, or sends those with targets there."),
  apps: z
    .array(z.string())
    .nullable()
    .describe("Of these apps, as far as one may read their jobs; null: of all apps."),
  host: z.string(),
  pid: z.int(),
  version: z.string().describe("Carillon's."),
  concurrency: z.int().describe("Jobs it runs at once."),
  startedAt: Time,
  lastSeenAt: Time,
  there: z.boolean().describe("False when it was not heard of for 90 seconds, and did not stop."),
  running: z.int().describe("Jobs it has running, of the apps one may read."),
});

export const toWorkerPresence = (row: WorkerRow): z.input<typeof WorkerPresence> => {
  const { name, startedAt, seenAt, ...rest } = row;
  return {
    ...rest,
    worker: name,
    startedAt: startedAt.toISOString(),
    lastSeenAt: seenAt.toISOString(),
  };
};
