import { z } from "zod";
import * as roles from "../../db/roles.js";
import { pageOf, toPage } from "../page.js";
import { defineRoute, reply } from "../route.js";
import { Permission, Role, RoleName, toRole } from "../shapes/access.js";
import { limitUpTo, Message } from "../shapes/scalars.js";

const ALL = "/api/v1/roles";
const ONE = `${ALL}/{name}`;

const OneRole = z.strictObject({ name: RoleName.describe("The role's name.") });

const Grants = {
  permissions: z.array(Permission).max(1000),
  inherits: z
    .array(RoleName)
    .max(100)
    .optional()
    .describe("Roles all of whose permissions it grants besides."),
};

/** Roles. Those of apps, and admin, come by themselves and stay as they are. */
export const roleRoutes = [
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listRoles",
    summary: "List roles, by name",
    permission: "system:role.read",
    query: z.strictObject({
      limit: limitUpTo(500, 100),
      cursor: z.string().max(128).optional().describe("The nextCursor of the page before."),
    }),
    responses: { 200: pageOf(Role) },
    handler: async ({ sql, query: { limit, cursor } }) => {
      const rows = await roles.listRoles(sql, { limit: limit + 1, after: cursor });
      return reply(
        200,
        toPage(rows, limit, toRole, ({ name }) => name),
      );
    },
  }),
  defineRoute({
    method: "post",
    path: ALL,
    operationId: "createRole",
    summary: "Create a role that grants what the caller holds",
    permission: "system:role.write",
    body: z.strictObject({ name: RoleName, ...Grants }),
    responses: { 201: Role },
    handler: async ({ sql, body, principal }) => {
      await roles.createRole(sql, body, principal);
      return reply(201, toRole(await roles.getRole(sql, body.name)));
    },
  }),
  defineRoute({
    method: "get",
    path: ONE,
    operationId: "getRole",
    summary: "Get a role",
    permission: "system:role.read",
    params: OneRole,
    responses: { 200: Role },
    handler: async ({ sql, params: { name } }) =>
      reply(200, toRole(await roles.getRole(sql, name))),
  }),
  defineRoute({
    method: "patch",
    path: ONE,
    operationId: "updateRole",
    summary: "Change what a role grants or inherits, at once for all who hold it",
    permission: "system:role.write",
    params: OneRole,
    body: z.strictObject(Grants).partial(),
    responses: { 200: Role },
    handler: async ({ sql, params: { name }, body, principal }) => {
      await roles.updateRole(sql, name, body, principal);
      return reply(200, toRole(await roles.getRole(sql, name)));
    },
  }),
  defineRoute({
    method: "delete",
    path: ONE,
    operationId: "deleteRole",
    summary: "Delete a role: whoever holds or inherits it loses what it grants",
    permission: "system:role.write",
    params: OneRole,
    responses: { 200: Message },
    handler: async ({ sql, params: { name }, principal }) => {
      await roles.deleteRole(sql, name, principal);
      return reply(200, { message: "role deleted" });
    },
  }),
];
