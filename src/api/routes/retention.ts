import { z } from "zod";
import { getJobRetention, setJobRetention } from "../../db/retention.js";
import { defineRoute, reply } from "../route.js";
import { InApp, OneCron } from "../shapes/scalars.js";

const keep = (which: string) =>
  z.int().min(1).max(10_000).nullable().describe(`${which} are kept beyond the days. null: none.`);

const Retention = z.strictObject({
  days: z
    .int()
    .min(1)
    .max(3650)
    .nullable()
    .describe("Days a finished job is kept. null: as the app, or as the installation."),
  keepLast: keep("So many of the last finished jobs"),
  keepFailed: keep("So many of the last failed jobs"),
});

const RetentionAnswer = Retention.extend({
  effectiveDays: z.int().describe("The days that follow, from whoever sets them."),
});

const ofApp = "/api/v1/apps/{appId}/retention";
const ofCron = "/api/v1/apps/{appId}/crons/{id}/retention";

/** How long finished jobs are kept. */
export const retentionRoutes = [
  defineRoute({
    method: "get",
    path: ofApp,
    operationId: "getAppRetention",
    summary: "How long the finished jobs of an app are kept",
    permission: "app:{appId}:job.read",
    params: InApp,
    responses: { 200: RetentionAnswer },
    handler: async ({ sql, params: { appId } }) => reply(200, await getJobRetention(sql, appId)),
  }),
  defineRoute({
    method: "put",
    path: ofApp,
    operationId: "setAppRetention",
    summary: "Set how long the finished jobs of an app are kept",
    permission: "app:{appId}:job.write",
    params: InApp,
    body: Retention,
    responses: { 200: RetentionAnswer },
    handler: async ({ sql, params: { appId }, body, principal }) =>
      reply(200, await setJobRetention(sql, appId, undefined, body, principal)),
  }),
  defineRoute({
    method: "get",
    path: ofCron,
    operationId: "getCronRetention",
    summary: "How long the finished jobs of a cron are kept",
    permission: "app:{appId}:job.read",
    params: OneCron,
    responses: { 200: RetentionAnswer },
    handler: async ({ sql, params: { appId, id } }) =>
      reply(200, await getJobRetention(sql, appId, id)),
  }),
  defineRoute({
    method: "put",
    path: ofCron,
    operationId: "setCronRetention",
    summary: "Set how long the finished jobs of a cron are kept",
    permission: "app:{appId}:job.write",
    params: OneCron,
    body: Retention,
    responses: { 200: RetentionAnswer },
    handler: async ({ sql, params: { appId, id }, body, principal }) =>
      reply(200, await setJobRetention(sql, appId, id, body, principal)),
  }),
];
