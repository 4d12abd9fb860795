import { z } from "zod";
import { listAudit, type AuditFilter } from "../../db/audit.js";
import type { Queryable } from "../../db/connect.js";
import { Instant } from "../../schedules/schema.js";
import { pageOf, toPage } from "../page.js";
import { defineRoute, reply } from "../route.js";
import { AuditEntry, toAuditEntry } from "../shapes/audit.js";
import { InApp, limitUpTo, OneCron } from "../shapes/scalars.js";

const Filter = z.strictObject({
  actor: z
    .string()
    .regex(/^[^\p{Cc}]{1,128}$/u, { error: "must be the name or id of a principal" })
    .optional()
    .describe("Only by this principal (name or id) or database role."),
  action: z
    .string()
    .regex(/^[a-z]+\.([a-z_]+|\*)$/, { error: "must be an action such as cron.update, or cron.*" })
    .optional()
    .describe("Only this action, such as cron.update; cron.* is all that is done to crons."),
  from: Instant.optional().describe("Not before this time."),
  to: Instant.optional().describe("Before this time."),
  limit: limitUpTo(500, 100),
  cursor: z
    .string()
    .regex(/^\d{1,15}$/, { error: "must be the nextCursor of a page" })
    .transform(Number)
    .optional()
    .describe("The nextCursor of the page before."),
});

async function page(
  sql: Queryable,
  { limit, cursor, ...query }: z.output<typeof Filter>,
  about: Pick<AuditFilter, "appId" | "cronId">,
) {
  const rows = await listAudit(sql, { ...query, ...about, after: cursor, limit: limit + 1 });
  return toPage(rows, limit, toAuditEntry, ({ id }) => String(id));
}

/** Who changed what. What an entry is about may be gone, and is not looked up. */
export const auditRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/audit",
    operationId: "listAudit",
    summary: "List who changed what in the whole installation, newest first",
    permission: "system:audit.read",
    query: Filter,
    responses: { 200: pageOf(AuditEntry) },
    handler: async ({ sql, query }) => reply(200, await page(sql, query, {})),
  }),
  defineRoute({
    method: "get",
    path: "/api/v1/apps/{appId}/audit",
    operationId: "listAppAudit",
    summary: "List who changed what in an app, newest first",
    permission: "app:{appId}:audit.read",
    params: InApp,
    query: Filter,
    responses: { 200: pageOf(AuditEntry) },
    handler: async ({ sql, params: { appId }, query }) =>
      reply(200, await page(sql, query, { appId })),
  }),
  defineRoute({
    method: "get",
    path: "/api/v1/apps/{appId}/crons/{id}/audit",
    operationId: "listCronAudit",
    summary: "List who changed a cron, newest first; that of a deleted one, too",
    permission: "app:{appId}:audit.read",
    params: OneCron,
    query: Filter,
    responses: { 200: pageOf(AuditEntry) },
    handler: async ({ sql, params: { appId, id }, query }) =>
      reply(200, await page(sql, query, { appId, cronId: id })),
  }),
];
