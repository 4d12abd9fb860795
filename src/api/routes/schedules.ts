import { z } from "zod";
import { describeSchedule, previewSchedule } from "../../db/schedules.js";
import { Instant } from "../../schedules/schema.js";
import { defineRoute, reply } from "../route.js";
import { limitUpTo, Time } from "../shapes/scalars.js";

const Preview = z.strictObject({
  schedule: z.string(),
  timezone: z.string(),
  description: z.string().describe("The schedule in plain English."),
  slots: z.array(
    z.strictObject({
      at: Time.describe("The slot, in UTC."),
      local: z.string().describe("Its wall-clock time in the schedule's zone, without offset."),
      offset: z.string().describe("The zone's offset from UTC at the slot, such as -04:00."),
      note: z.string().nullable().describe("What daylight saving time did to it, if anything."),
    }),
  ),
});

/** Schedules as such, before they belong to a cron. */
export const scheduleRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/schedules/preview",
    operationId: "previewSchedule",
    summary: "Read a schedule: its next slots, and what it means in plain English",
    permission: "authenticated",
    query: z.strictObject({
      schedule: z.string(),
      timezone: z.string().default("GMT").describe("IANA name."),
      from: Instant.optional().describe("Slots strictly after this time. Default: now."),
      count: limitUpTo(1000, 10),
      startsAt: Instant.optional(),
      endsAt: Instant.optional(),
      gap: z.enum(["shift", "skip"]).optional(),
      fold: z.enum(["first", "both"]).optional(),
    }),
    responses: { 200: Preview },
    handler: async ({ sql, query: { from, count, ...input } }) => {
      const { schedule, timezone } = input;
      const description = await describeSchedule(sql, schedule, timezone);
      const rows = await previewSchedule(sql, input, from, count);
      const slots = rows.map(({ slot, localTime, utcOffset, note }) => ({
        at: slot.toISOString(),
        local: localTime,
        offset: utcOffset,
        note,
      }));
      return reply(200, { schedule, timezone, description, slots });
    },
  }),
];
