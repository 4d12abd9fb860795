import { z } from "zod";
import { describeSchedule, explainSchedule, previewSchedule } from "../../db/schedules.js";
import { Instant } from "../../schedules/schema.js";
import { defineRoute, reply } from "../route.js";
import { limitUpTo } from "../shapes/scalars.js";
import { compareSlots, Preview, TimezoneEntry, toSlot, toTimezone } from "../shapes/schedule.js";
import { timezonesOf } from "../timezones.js";

/** Schedules as such, before they belong to a cron. */
export const scheduleRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/schedules/preview",
    operationId: "previewSchedule",
    summary: "Read a schedule: its next slots, what it means, and what should be known of it",
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
      compareTo: z
        .string()
        .optional()
        .describe("Another schedule, such as the one before an edit."),
      compareTimezone: z.string().optional().describe("Its zone. Default: the same."),
    }),
    responses: { 200: Preview },
    handler: async ({ sql, query: { from, count, compareTo, compareTimezone, ...input } }) => {
      const { schedule, timezone } = input;
      const description = await describeSchedule(sql, schedule, timezone);
      const other =
        compareTo === undefined
          ? null
          : { ...input, schedule: compareTo, timezone: compareTimezone ?? timezone };
      const [explanation, rows, others] = await Promise.all([
        explainSchedule(sql, input, from),
        previewSchedule(sql, input, from, count),
        other && previewSchedule(sql, other, from, count),
      ]);
      return reply(200, {
        ...{ schedule, timezone, description },
        ...explanation,
        slots: rows.map(toSlot),
        compared: others && compareSlots(rows, others, count),
      });
    },
  }),
  defineRoute({
    method: "get",
    path: "/api/v1/timezones",
    operationId: "listTimezones",
    summary: "List the time zones the server knows, with their offsets and next changes",
    permission: "authenticated",
    responses: { 200: z.strictObject({ items: z.array(TimezoneEntry) }) },
    handler: async ({ sql }) => reply(200, { items: (await timezonesOf(sql)).map(toTimezone) }),
  }),
];
