import { z } from "zod";
import { TICK_OUTCOMES, type BackfillRow, type TickRow } from "../../db/ticks.js";
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
