import { z } from "zod";
import { getCron } from "../../db/crons.js";
import { STATS_BUCKETS } from "../../db/stats.js";
import { getCalendar, listUpcoming } from "../../db/upcoming.js";
import { AppId } from "../../manifest/schema.js";
import { Instant, Timezone } from "../../schedules/schema.js";
import { fillPermission, hasPermission } from "../permissions.js";
import { defineRoute, reply } from "../route.js";
import { OneCron } from "../shapes/scalars.js";
import { CalendarAnswer, UpcomingAnswer } from "../shapes/upcoming.js";

/** What is to come, and what was, day by day. */
export const upcomingRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/upcoming",
    operationId: "listUpcoming",
    summary: "How many slots are to come, when, and of which crons, across all apps one may read",
    permission: "authenticated",
    query: z.strictObject({
      from: Instant.optional().describe("Default, and at the earliest: now."),
      to: Instant.optional().describe("At most 7 days after from. Default: one hour after it."),
      bucket: z
        .enum(STATS_BUCKETS)
        .optional()
        .describe("At most 1000 of them. Default: by the length of the window."),
      timezone: Timezone.optional().describe("Whose wall clock the buckets follow. Default: GMT."),
      app: AppId.optional().describe("Only of this app."),
    }),
    responses: { 200: UpcomingAnswer },
    handler: async ({ sql, query, principal }) =>
      reply(200, await listUpcoming(sql, query, principal)),
  }),
  defineRoute({
    method: "get",
    path: "/api/v1/apps/{appId}/crons/{id}/calendar",
    operationId: "getCronCalendar",
    summary: "What was on each day of a cron, in its time zone",
    permission: "app:{appId}:cron.read",
    params: OneCron,
    query: z.strictObject({
      from: Instant.optional().describe("Default: 365 days before to; 400 at most."),
      to: Instant.optional().describe("Default: now."),
    }),
    responses: { 200: CalendarAnswer },
    handler: async ({ sql, params: { appId, id }, query, principal }) => {
      await getCron(sql, appId, id);
      const calendar = await getCalendar(sql, id, query);
      const jobRead = fillPermission("app:{appId}:job.read", { appId });
      if (hasPermission(principal.permissions, jobRead)) return reply(200, calendar);
      const days = calendar.days.map((day) => ({ ...day, jobs: null }));
      return reply(200, { ...calendar, days: days.filter(({ slots }) => slots !== null) });
    },
  }),
];
