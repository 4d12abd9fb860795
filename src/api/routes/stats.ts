import { z } from "zod";
import { getCron } from "../../db/crons.js";
import { getStats, STATS_BUCKETS } from "../../db/stats.js";
import { Instant, Timezone } from "../../schedules/schema.js";
import { defineRoute, reply } from "../route.js";
import { InApp, OneCron } from "../shapes/scalars.js";
import { StatsAnswer, toStats } from "../shapes/stats.js";

const Window = z.strictObject({
  from: Instant.optional().describe("Default: 24 hours before to."),
  to: Instant.optional().describe("Default: now."),
  bucket: z
    .enum(STATS_BUCKETS)
    .optional()
    .describe(
      "At most 1000 of them; 1m and 5m reach back 3 days. Default: by the length of the window.",
    ),
  timezone: Timezone.optional().describe("Whose wall clock the buckets follow. Default: GMT."),
});

/** How jobs ended, in numbers. */
export const statsRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/apps/{appId}/stats",
    operationId: "getAppStats",
    summary: "How the jobs of an app ended in a window: counts, success rate, percentiles, trend",
    permission: "app:{appId}:job.read",
    params: InApp,
    query: Window,
    responses: { 200: StatsAnswer },
    handler: async ({ sql, params: { appId }, query }) =>
      reply(200, toStats(await getStats(sql, appId, query))),
  }),
  defineRoute({
    method: "get",
    path: "/api/v1/apps/{appId}/crons/{id}/stats",
    operationId: "getCronStats",
    summary: "How the jobs of a cron ended in a window",
    permission: "app:{appId}:job.read",
    params: OneCron,
    query: Window,
    responses: { 200: StatsAnswer },
    handler: async ({ sql, params: { appId, id }, query }) => {
      await getCron(sql, appId, id);
      return reply(200, toStats(await getStats(sql, appId, { ...query, cronId: id })));
    },
  }),
];
