import { z } from "zod";
import {
  TICK_OUTCOMES,
  type AdminTick,
  type BackfillResult,
  type BackfillRow,
  type TickRow,
} from "../../db/ticks.js";
import { MsgId, Time, timeOrNull, Uuid } from "./scalars.js";

export const Outcome = z.enum(TICK_OUTCOMES);

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
});

export const toTick = (row: TickRow): z.input<typeof Tick> => ({
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
});

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
