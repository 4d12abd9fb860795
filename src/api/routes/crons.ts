import { z } from "zod";
import { getApp } from "../../db/apps.js";
import * as crons from "../../db/crons.js";
import { CronPatch, CronSpec, Payload } from "../../manifest/schema.js";
import { defineRoute, reply } from "../route.js";
import { Cron, Run, toCron, toRun } from "../shapes/cron.js";
import { InApp, limitUpTo, Message, MsgId, OneCron } from "../shapes/scalars.js";

const ALL = "/api/v1/apps/{appId}/crons";
const ONE = "/api/v1/apps/{appId}/crons/{id}";

/** Who holds all that the service account holds needs it not. */
const ACT_AS = {
  permission: "app:{appId}:act_as",
  when: "runAs names a service account that holds more than the caller",
} as const;

/** Every cron endpoint; ownership and manage_others are SQL's to enforce. */
export const cronRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/crons",
    operationId: "listAllCrons",
    summary: "List crons across all apps: one's own, or all of an app with its cron.manage_others",
    permission: "authenticated",
    responses: { 200: z.array(Cron) },
    handler: async ({ sql, principal }) => {
      const rows = await crons.listAccessibleCrons(sql, principal);
      return reply(200, rows.map(toCron));
    },
  }),
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listCrons",
    summary: "List the crons of an app, by name",
    permission: "app:{appId}:cron.read",
    params: InApp,
    responses: { 200: z.array(Cron) },
    handler: async ({ sql, params: { appId }, principal }) => {
      await getApp(sql, appId);
      const rows = await crons.listCrons(sql, appId, principal);
      return reply(200, rows.map(toCron));
    },
  }),
  defineRoute({
    method: "post",
    path: ALL,
    operationId: "createCron",
    summary: "Create a cron",
    permission: "app:{appId}:cron.write",
    versioned: true,
    alsoNeeds: [ACT_AS],
    params: InApp,
    body: CronSpec,
    responses: { 201: Cron },
    handler: async ({ sql, params: { appId }, body, principal }) => {
      const row = await crons.createCron(sql, appId, body, principal);
      return reply(201, toCron(row));
    },
  }),
  defineRoute({
    method: "get",
    path: ONE,
    operationId: "getCron",
    summary: "Get a cron",
    permission: "app:{appId}:cron.read",
    versioned: true,
    params: OneCron,
    responses: { 200: Cron },
    handler: async ({ sql, params: { appId, id }, principal }) => {
      const row = await crons.getCron(sql, appId, id, principal);
      return reply(200, toCron(row));
    },
  }),
  defineRoute({
    method: "patch",
    path: ONE,
    operationId: "updateCron",
    summary: "Change the given fields of a cron; null resets one to its default",
    permission: "app:{appId}:cron.write",
    alsoNeeds: [
      { permission: "app:{appId}:cron.manage_others", when: "another owns the cron" },
      ACT_AS,
    ],
    versioned: true,
    params: OneCron,
    body: CronPatch,
    responses: { 200: Cron },
    handler: async ({ sql, params: { appId, id }, body, principal, expectedVersion }) => {
      const row = await crons.patchCron(sql, appId, id, body, principal, expectedVersion);
      return reply(200, toCron(row));
    },
  }),
  defineRoute({
    method: "delete",
    path: ONE,
    operationId: "deleteCron",
    summary: "Delete a cron; its history stays until its retention ends",
    permission: "app:{appId}:cron.write",
    alsoNeeds: [{ permission: "app:{appId}:cron.manage_others", when: "another owns the cron" }],
    versioned: true,
    params: OneCron,
    responses: { 200: Message },
    handler: async ({ sql, params: { appId, id }, principal, expectedVersion }) => {
      await crons.deleteCron(sql, appId, id, principal, expectedVersion);
      return reply(200, { message: "cron deleted" });
    },
  }),
  defineRoute({
    method: "post",
    path: `${ONE}/trigger`,
    operationId: "triggerCron",
    summary: "Enqueue one job of a cron at once, whatever its schedule",
    permission: "app:{appId}:cron.trigger",
    alsoNeeds: [{ permission: "app:{appId}:cron.manage_others", when: "another owns the cron" }],
    params: OneCron,
    body: z
      .strictObject({
        payload: Payload.nullish().describe("In place of the cron's own payload, this once."),
        respectOverlap: z
          .boolean()
          .optional()
          .describe("Refuse (409) where the overlap policy lets no job through. Default: false."),
      })
      .optional(),
    responses: { 200: z.strictObject({ msgId: MsgId }) },
    handler: async ({ sql, params: { appId, id }, body, principal }) => {
      const msgId = await crons.triggerCron(sql, appId, id, body ?? {}, principal);
      return reply(200, { msgId });
    },
  }),
  defineRoute({
    method: "get",
    path: `${ONE}/runs`,
    operationId: "listRuns",
    summary: "List pg_cron's runs of a cron, newest first, each with what came of its slot",
    permission: "app:{appId}:cron.read",
    params: OneCron,
    query: z.strictObject({ limit: limitUpTo(500, 50) }),
    responses: { 200: z.array(Run) },
    handler: async ({ sql, params: { appId, id }, query }) => {
      await crons.getCron(sql, appId, id);
      const rows = await crons.listRuns(sql, id, query.limit);
      return reply(200, rows.map(toRun));
    },
  }),
];
