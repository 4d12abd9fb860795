import { z } from "zod";
import { AppId } from "../../manifest/schema.js";

/** A time in an answer: ISO 8601, UTC, with Z. */
export const Time = z.iso.datetime();

export const Uuid = z.guid({ error: "must be a UUID" });

/** A job's id: the msg_id of its message in pgmq. */
export const MsgId = z.int().describe("The job's id: the msg_id of its message in pgmq.");

/** A time as answers carry it; null for none, and for a bound that is infinite. */
export function timeOrNull(time: Date | null): string | null {
  return time === null || Number.isNaN(time.getTime()) ? null : time.toISOString();
}

/** `?limit=`, refused rather than cut down when it is out of range. */
export const limitUpTo = (most: number, usual: number) =>
  z
    .string()
    .refine((text) => /^\d{1,9}$/.test(text) && Number(text) >= 1 && Number(text) <= most, {
      error: `must be a whole number from 1 to ${most}`,
    })
    .transform(Number)
    .default(usual)
    .meta({
      ...{ type: "integer", minimum: 1, maximum: most },
      description: `Rows at most: 1 to ${most}. Default: ${usual}.`,
    });

export const InApp = z.strictObject({ appId: AppId });
export const OneCron = z.strictObject({ appId: AppId, id: Uuid.describe("The cron's id.") });

export const OneJob = z.strictObject({
  appId: AppId,
  id: z
    .string()
    .refine((text) => /^\d{1,16}$/.test(text) && Number.isSafeInteger(Number(text)), {
      error: "must be a whole number",
    })
    .transform(Number)
    .describe("The job's msgId."),
});

/** What a deletion answers. */
export const Message = z.strictObject({ message: z.string() });
