import { z } from "zod";
import { getOverview, listAttention } from "../../db/overview.js";
import { listWorkers } from "../../db/workers.js";
import { AppId } from "../../manifest/schema.js";
import { defineRoute, reply } from "../route.js";
import {
  AttentionAnswer,
  OverviewAnswer,
  toOverview,
  toWorkerPresence,
  WorkerPresence,
} from "../shapes/overview.js";

const OfApp = z.strictObject({ app: AppId.optional().describe("Only of this app.") });

/** What a page begins with. What is about jobs is of the apps in which one holds job.read. */
export const overviewRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/attention",
    operationId: "listAttention",
    summary: "What needs somebody, most serious first, across all apps one may read",
    permission: "authenticated",
    query: OfApp,
    responses: { 200: AttentionAnswer },
    handler: async ({ sql, query: { app }, principal }) =>
      reply(200, await listAttention(sql, app, principal)),
  }),
  defineRoute({
    method: "get",
    path: "/api/v1/overview",
    operationId: "getOverview",
    summary: "The last 24 hours hour by hour, what runs, what waits, and who works",
    permission: "authenticated",
    query: OfApp,
    responses: { 200: OverviewAnswer },
    handler: async ({ sql, query: { app }, principal }) =>
      reply(200, toOverview(await getOverview(sql, app, principal))),
  }),
  defineRoute({
    method: "get",
    path: "/api/v1/workers",
    operationId: "listWorkers",
    summary:
      "The workers and dispatchers that are there, idle ones too, or were within the last hour",
    permission: "authenticated",
    query: OfApp,
    responses: { 200: z.array(WorkerPresence) },
    handler: async ({ sql, query: { app }, principal }) =>
      reply(200, (await listWorkers(sql, app, principal)).map(toWorkerPresence)),
  }),
];
