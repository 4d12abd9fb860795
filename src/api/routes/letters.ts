import { z } from "zod";
import { getApp } from "../../db/apps.js";
import * as letters from "../../db/letters.js";
import { defineRoute, reply } from "../route.js";
import { Letter, toLetter } from "../shapes/letter.js";
import { InApp, limitUpTo, MsgId, Uuid } from "../shapes/scalars.js";

const ALL = "/api/v1/apps/{appId}/dead-letters";

/** Every letter, or some: but it has to be said which. */
const Choice = z
  .strictObject({
    ids: z.array(z.int().min(1)).min(1).max(1000).optional().describe("Letters by their ids."),
    cronId: Uuid.optional().describe("Letters of this cron."),
    all: z.literal(true).optional().describe("Every letter of the app."),
    limit: z.int().min(1).max(1000).default(1000).describe("Letters at most in this call."),
  })
  .refine(
    ({ ids, cronId, all }) => (ids !== undefined || cronId !== undefined) !== (all ?? false),
    {
      error: "give ids, cronId or both; or all: true",
    },
  );

const remaining = z.int().describe("Letters still there that are meant; counted to 10,000.");

/** Every endpoint of dead letters. */
export const letterRoutes = [
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listDeadLetters",
    summary: "List the dead letters of an app, newest first",
    permission: "app:{appId}:job.read",
    params: InApp,
    query: z.strictObject({
      limit: limitUpTo(1000, 100),
      cursor: z
        .string()
        .regex(/^\d{1,15}$/, { error: "must be the nextCursor of a page of this list" })
        .transform(Number)
        .optional()
        .describe("The nextCursor of the page before."),
    }),
    responses: {
      200: z.strictObject({
        items: z.array(Letter),
        count: z.int().describe("Dead letters of the app; counted to 10,000."),
        nextCursor: z.string().nullable(),
      }),
    },
    handler: async ({ sql, params: { appId }, query: { cursor, limit } }) => {
      await getApp(sql, appId);
      const rows = await letters.listLetters(sql, appId, { before: cursor, limit });
      const more = rows.length === limit;
      return reply(200, {
        items: rows.map(toLetter),
        count: await letters.countLetters(sql, appId),
        nextCursor: more ? String(rows.at(-1)?.letterId) : null,
      });
    },
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/redrive`,
    operationId: "redriveDeadLetters",
    summary: "Put dead letters back to work, as new jobs that link to those that died",
    permission: "app:{appId}:job.write",
    params: InApp,
    body: Choice,
    responses: {
      200: z.strictObject({
        redriven: z.int(),
        jobs: z.array(z.strictObject({ id: z.int(), msgId: MsgId, retryOf: MsgId })),
        remaining,
      }),
    },
    handler: async ({ sql, params: { appId }, body, principal }) => {
      const rows = await letters.redriveLetters(sql, appId, body, principal);
      return reply(200, {
        redriven: rows.length,
        jobs: rows.map(({ letterId, jobId, retryOf }) => ({ id: letterId, msgId: jobId, retryOf })),
        remaining: body.ids ? 0 : await letters.countLetters(sql, appId, body.cronId),
      });
    },
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/delete`,
    operationId: "deleteDeadLetters",
    summary: "Delete dead letters for good; the jobs stay in the history",
    permission: "app:{appId}:job.write",
    params: InApp,
    body: Choice,
    responses: { 200: z.strictObject({ deleted: z.int(), remaining }) },
    handler: async ({ sql, params: { appId }, body, principal }) => {
      await getApp(sql, appId);
      const deleted = await letters.deleteLetters(sql, appId, body, principal);
      return reply(200, {
        deleted,
        remaining: body.ids ? 0 : await letters.countLetters(sql, appId, body.cronId),
      });
    },
  }),
];
