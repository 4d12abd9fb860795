import { z } from "zod";
import { getApiKey } from "../../db/api-keys.js";
import * as principals from "../../db/principals.js";
import { pageOf, toPage } from "../page.js";
import { defineRoute, reply } from "../route.js";
import { Key, Kind, Principal, RoleName, toKey, toPrincipal, Username } from "../shapes/access.js";
import { limitUpTo, Message, Uuid } from "../shapes/scalars.js";

const ALL = "/api/v1/principals";
const ONE = `${ALL}/{id}`;

const OnePrincipal = z.strictObject({ id: Uuid.describe("The principal's id.") });
const OneGrant = z.strictObject({ id: Uuid.describe("The principal's id."), role: RoleName });

/** Users and service accounts, and the roles they hold. SQL refuses whoever would give more than they hold. */
export const principalRoutes = [
  defineRoute({
    method: "get",
    path: "/api/v1/me",
    operationId: "getMe",
    summary: "Who one is, what one may do, and by which key",
    permission: "authenticated",
    responses: {
      200: z.strictObject({
        principal: Principal,
        permissions: z.array(z.string()).describe("What this credential may do."),
        key: Key.nullable().describe("The key that was sent; null with a token or a session."),
      }),
    },
    handler: async ({ sql, principal }) => {
      const [row, key] = await Promise.all([
        principals.getPrincipal(sql, principal.principalId),
        principal.keyId === null ? null : getApiKey(sql, principal.keyId),
      ]);
      const { permissions } = principal;
      return reply(200, { principal: toPrincipal(row), permissions, key: key && toKey(key) });
    },
  }),
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listPrincipals",
    summary: "List users and service accounts, by name",
    permission: "system:principal.read",
    query: z.strictObject({
      kind: Kind.optional(),
      limit: limitUpTo(500, 100),
      cursor: z.string().max(128).optional().describe("The nextCursor of the page before."),
    }),
    responses: { 200: pageOf(Principal) },
    handler: async ({ sql, query: { kind, limit, cursor } }) => {
      const filter = { kind, limit: limit + 1, after: cursor };
      const rows = await principals.listPrincipals(sql, filter);
      return reply(
        200,
        toPage(rows, limit, toPrincipal, ({ username }) => username),
      );
    },
  }),
  defineRoute({
    method: "post",
    path: ALL,
    operationId: "createPrincipal",
    summary: "Create a user or a service account",
    permission: "system:principal.write",
    body: z.strictObject({
      username: Username,
      kind: z.enum(["user", "service"]).optional().describe("Default: user."),
      roles: z.array(RoleName).max(100).optional().describe("Roles to hold from the start."),
    }),
    responses: { 201: Principal },
    handler: async ({ sql, body: { username, ...options }, principal }) => {
      const id = await principals.createPrincipal(sql, username, options, principal);
      return reply(201, toPrincipal(await principals.getPrincipal(sql, id)));
    },
  }),
  defineRoute({
    method: "get",
    path: ONE,
    operationId: "getPrincipal",
    summary: "Get a user or service account",
    permission: "system:principal.read",
    params: OnePrincipal,
    responses: { 200: Principal },
    handler: async ({ sql, params: { id } }) =>
      reply(200, toPrincipal(await principals.getPrincipal(sql, id))),
  }),
  defineRoute({
    method: "patch",
    path: ONE,
    operationId: "updatePrincipal",
    summary: "Rename, disable or enable a user or service account",
    permission: "system:principal.write",
    params: OnePrincipal,
    body: z.strictObject({
      username: Username.optional(),
      enabled: z
        .boolean()
        .optional()
        .describe("While disabled its keys are refused and its crons are denied."),
    }),
    responses: { 200: Principal },
    handler: async ({ sql, params: { id }, body, principal }) => {
      await principals.updatePrincipal(sql, id, body, principal);
      return reply(200, toPrincipal(await principals.getPrincipal(sql, id)));
    },
  }),
  defineRoute({
    method: "delete",
    path: ONE,
    operationId: "deletePrincipal",
    summary: "Delete a user or service account and its keys; its crons stay and are denied",
    permission: "system:principal.write",
    params: OnePrincipal,
    responses: { 200: Message },
    handler: async ({ sql, params: { id }, principal }) => {
      await principals.deletePrincipal(sql, id, principal);
      return reply(200, { message: "principal deleted" });
    },
  }),
  defineRoute({
    method: "put",
    path: `${ONE}/roles/{role}`,
    operationId: "grantRole",
    summary: "Grant a role, all of whose permissions the caller holds",
    permission: "system:principal.write",
    params: OneGrant,
    responses: { 200: Principal },
    handler: async ({ sql, params: { id, role }, principal }) => {
      await principals.grantRole(sql, id, role, principal);
      return reply(200, toPrincipal(await principals.getPrincipal(sql, id)));
    },
  }),
  defineRoute({
    method: "delete",
    path: `${ONE}/roles/{role}`,
    operationId: "revokeRole",
    summary: "Revoke a role",
    permission: "system:principal.write",
    params: OneGrant,
    responses: { 200: Principal },
    handler: async ({ sql, params: { id, role }, principal }) => {
      await principals.revokeRole(sql, id, role, principal);
      return reply(200, toPrincipal(await principals.getPrincipal(sql, id)));
    },
  }),
];
