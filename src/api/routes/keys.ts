import { z } from "zod";
import * as keys from "../../db/api-keys.js";
import { Instant } from "../../schedules/schema.js";
import { generateKey } from "../keys.js";
import { pageOf, toPage } from "../page.js";
import { defineRoute, reply } from "../route.js";
import { Key, Permission, toKey } from "../shapes/access.js";
import { limitUpTo, Uuid } from "../shapes/scalars.js";

const ALL = "/api/v1/keys";

/** API keys: one's own, or with system:key.read and system:key.write everybody's. */
export const keyRoutes = [
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listKeys",
    summary: "List API keys, newest first: one's own, another principal's, or all",
    permission: "authenticated",
    alsoNeeds: [{ permission: "system:key.read", when: "they are not one's own" }],
    query: z
      .strictObject({
        principalId: Uuid.optional().describe("Whose keys. Default: the caller's."),
        all: z.enum(["true", "false"]).optional().describe("true: everybody's."),
        limit: limitUpTo(500, 100),
        cursor: Uuid.optional().describe("The nextCursor of the page before."),
      })
      .refine(({ principalId, all }) => principalId === undefined || all !== "true", {
        error: "contradicts principalId; give only one of them",
        path: ["all"],
      }),
    responses: { 200: pageOf(Key) },
    handler: async ({ sql, query: { limit, cursor, ...query }, principal, demand }) => {
      const whose = (query.principalId ?? principal.principalId).toLowerCase();
      const principalId = query.all === "true" ? null : whose;
      if (principalId !== principal.principalId) demand("system:key.read");
      const rows = await keys.listApiKeys(sql, { principalId, after: cursor, limit: limit + 1 });
      return reply(
        200,
        toPage(rows, limit, toKey, ({ id }) => id),
      );
    },
  }),
  defineRoute({
    method: "post",
    path: ALL,
    operationId: "createKey",
    summary: "Make an API key, which is shown this once; not with a key, but the bootstrap key",
    permission: "authenticated",
    secret: true,
    alsoNeeds: [{ permission: "system:key.write", when: "it is for somebody else" }],
    body: z.strictObject({
      name: z.string().min(1).max(200).describe("What it is for."),
      principalId: Uuid.nullish().describe("Whose key it is. Default: the caller's."),
      scopes: z
        .array(Permission)
        .min(1)
        .max(100)
        .nullish()
        .describe("What it carries of its principal's permissions. Default: all of them."),
      expiresAt: Instant.nullish().describe("When it stops working. Default: never."),
    }),
    responses: {
      201: Key.extend({ key: z.string().describe("The secret. It is stored nowhere.") }),
    },
    handler: async ({ sql, body, principal }) => {
      const { key, prefix, hash } = generateKey();
      const principalId = body.principalId ?? principal.principalId;
      const input = { ...body, principalId, prefix, hash };
      const id = await keys.createApiKey(sql, input, principal);
      return reply(201, { ...toKey(await keys.getApiKey(sql, id)), key });
    },
  }),
  defineRoute({
    method: "delete",
    path: `${ALL}/{id}`,
    operationId: "revokeKey",
    summary: "Revoke an API key: it is refused from the next request on",
    permission: "authenticated",
    alsoNeeds: [{ permission: "system:key.write", when: "it is somebody else's" }],
    params: z.strictObject({ id: Uuid.describe("The key's id.") }),
    responses: { 200: Key },
    handler: async ({ sql, params: { id }, principal }) => {
      await keys.revokeApiKey(sql, id, principal);
      return reply(200, toKey(await keys.getApiKey(sql, id)));
    },
  }),
];
