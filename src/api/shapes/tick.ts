import { z } from "zod";
import {
  TICK_OUTCOMES,
  type AdminTick,
  type BackfillResult,
  type BackfillRow,
  type SlotJobRow,
  type TickRow,
} from "../../db/ticks.js";
import { JOB_STATUSES } from "./job.js";
import { MsgId, Time, timeOrNull, Uuid } from "./scalars.js";

export const Outcome = z.enum(TICK_OUTCOMES);

/** One step of a job's way. */
const JobEvent = z.strictObject({
  at: Time,
  event: z
    .enum(["enqueued", "started", "attempt_failed", "ended"])
    .describe("What happened; attempt_failed: it is tried again."),
  status: z.enum(JOB_STATUSES).describe("What the job was from then on."),
  attempt: z.int().nullable().describe("The attempt that it is about."),
  worker: z.string().nullable(),
  error: z.unknown().describe("Why the attempt failed; null otherwise."),
});

/** What became of the job of a slot. */
const SlotJob = z.strictObject({
  msgId: MsgId,
  status: z.enum(JOB_STATUSES),
  attempt: z.int().describe("Deliveries to a worker so far."),
  dueAt: Time.nullable().describe("Not before this time; null once finished."),
  finishedAt: Time.nullable(),
  cancelReason: z.string().nullable(),
  events: z.array(JobEvent).describe("Its way so far, oldest first."),
});

/** The recorded decision about one slot. */
export const Tick = z.strictObject({
  cronId: Uuid,
  appId: z.string(),
  scheduledFor: Time.describe("The slot."),
  outcome: Outcome,
  reason: z.string().nullable(),
  msgId: MsgId.nullable(),
  blockedBy: MsgId.nullable().describe(
    "The job that was still queued or running, or that gave way to this slot's.",
  ),
  driver: z.string().describe("Who decided: pg_cron, ticker, sweep, api or backfill."),
  decidedAt: Time,
  lag: z.number().describe("Seconds from the slot to the decision."),
  job: SlotJob.nullable()
    .optional()
    .describe(
      "With include=events: what became of its job; null where it has none, or its record is gone.",
    ),
});

/** @param jobs where they are asked for, by their ids */
export const toTick = (
  row: TickRow,
  jobs?: ReadonlyMap<number, SlotJobRow>,
): z.input<typeof Tick> => ({
  cronId: row.cronId,
  appId: row.appId,
  scheduledFor: row.scheduledFor.toISOString(),
  outcome: row.outcome,
  reason: row.reason,
  msgId: row.msgId,
  blockedBy: row.blockedBy,
  driver: row.driver,
  decidedAt: row.decidedAt.toISOString(),
  lag: (row.decidedAt.getTime() - row.scheduledFor.getTime()) / 1000,
  ...(jobs === undefined ? {} : { job: jobOf(row, jobs) }),
});

function jobOf({ msgId }: TickRow, jobs: ReadonlyMap<number, SlotJobRow>) {
  const job = msgId === null ? undefined : jobs.get(msgId);
  return job === undefined ? null : toSlotJob(job);
}

/** What became of a slot's job, as its tick shows it. */
const toSlotJob = (row: SlotJobRow): z.input<typeof SlotJob> => ({
  msgId: row.jobId,
  status: row.status,
  attempt: row.attempt,
  dueAt: timeOrNull(row.dueAt),
  finishedAt: timeOrNull(row.finishedAt),
  cancelReason: row.cancelReason,
  events: jobEvents(row),
});

/** A job's way by its record: enqueued, every attempt's start and end, its own end. */
function jobEvents(row: SlotJobRow): z.input<typeof JobEvent>[] {
  const none = { attempt: null, worker: null, error: null };
  const events: z.input<typeof JobEvent>[] = [
    { ...none, at: row.enqueuedAt.toISOString(), event: "enqueued", status: "queued" },
  ];
  let last: z.input<typeof JobEvent> | undefined;
  for (const { attempt, worker, startedAt, finishedAt, error } of row.attempts) {
    const one = { attempt, worker, error: null };
    events.push({ ...one, at: toTime(startedAt), event: "started", status: "running" });
    if (finishedAt === null || finishedAt === undefined) continue;
    last = { ...one, at: toTime(finishedAt), event: "attempt_failed", status: "pending" };
    last.error = error ?? null;
    events.push(last);
  }
  if (row.finishedAt === null) return events;
  const at = row.finishedAt.toISOString();
  // The last attempt's end is the job's, where it ended by it and was not canceled later on.
  const own = last?.at === at && events.at(-1) === last ? events.pop() : undefined;
  events.push({ ...none, ...own, at, event: "ended", status: row.status });
  return events;
}

/** A backfill with its progress. */
export const Backfill = z.strictObject({
  id: Uuid,
  from: Time,
  to: Time,
  concurrency: z.int(),
  slots: z.int().describe("How many slots it has."),
  enqueued: z.int().describe("How many of them have been enqueued so far."),
  createdBy: Uuid.nullable(),
  createdAt: Time,
  finishedAt: Time.nullable(),
});

export const toBackfill = (row: BackfillRow): z.input<typeof Backfill> => ({
  id: row.id,
  from: row.fromAt.toISOString(),
  to: row.toAt.toISOString(),
  concurrency: row.concurrency,
  slots: row.slots,
  enqueued: row.enqueued,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  finishedAt: timeOrNull(row.finishedAt),
});

/** What a backfill was asked for: the slots it has, or would have. */
export const BackfillAnswer = z.strictObject({
  id: Uuid.nullable().describe("The backfill; null for a dry run, or with nothing to do."),
  dryRun: z.boolean(),
  count: z.int(),
  slots: z.array(Time),
});

export const toBackfillAnswer = (result: BackfillResult): z.input<typeof BackfillAnswer> => ({
  ...result,
  slots: result.slots.map(toTime),
});

/** What an outside driver's tick did, over the crons its caller may see. */
export const TickAnswer = z.strictObject({
  fired: z.array(
    z.strictObject({
      cronId: Uuid,
      scheduledFor: Time,
      outcome: Outcome,
      msgId: MsgId.nullable(),
    }),
  ),
  failed: z.array(z.strictObject({ cronId: Uuid, scheduledFor: Time, error: z.string() })),
  skippedAlreadyFired: z.int().describe("Crons whose slot of this minute was decided before."),
  skippedNotMatching: z.int().describe("Enabled crons with no slot due."),
  skippedExpired: z.int().describe("Crons that have no slot any more."),
  held: z.boolean().describe("Nothing fires: this database is a copy, and held."),
});

export const toTickAnswer = (result: AdminTick): z.input<typeof TickAnswer> => ({
  ...result,
  fired: result.fired.map((slot) => ({ ...slot, scheduledFor: toTime(slot.scheduledFor) })),
  failed: result.failed.map((slot) => ({ ...slot, scheduledFor: toTime(slot.scheduledFor) })),
});

/** A time within JSON of the database has the offset of its session. */
const toTime = (text: string) => new Date(text).toISOString();
