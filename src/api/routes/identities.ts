import { z } from "zod";
import * as identities from "../../db/identities.js";
import { defineRoute, reply } from "../route.js";
import { Time, Uuid } from "../shapes/scalars.js";

const ALL = "/api/v1/principals/{id}/identities";

const OnePrincipal = z.strictObject({ id: Uuid.describe("The principal's id.") });

const Identity = {
  issuer: z.string().min(1).max(500).describe("The iss of its tokens; session for cookies."),
  subject: z.string().min(1).max(255).describe("What that issuer calls it: sub, or identity.id."),
};

const List = z.array(z.strictObject({ ...Identity, createdAt: Time }));

const toList = (rows: Awaited<ReturnType<typeof identities.listIdentities>>) =>
  rows.map(({ createdAt, ...row }) => ({ ...row, createdAt: createdAt.toISOString() }));

/** By which tokens and sessions somebody comes as a principal. */
export const identityRoutes = [
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listIdentities",
    summary: "List the identities that act as a user or service account",
    permission: "system:principal.read",
    params: OnePrincipal,
    responses: { 200: List },
    handler: async ({ sql, params: { id } }) =>
      reply(200, toList(await identities.listIdentities(sql, id))),
  }),
  defineRoute({
    method: "put",
    path: ALL,
    operationId: "linkIdentity",
    summary: "Let an identity act as a principal, all of whose permissions the caller holds",
    permission: "system:principal.write",
    params: OnePrincipal,
    body: z.strictObject(Identity),
    responses: { 200: List },
    handler: async ({ sql, params: { id }, body, principal }) => {
      await identities.linkIdentity(sql, id, body, principal);
      return reply(200, toList(await identities.listIdentities(sql, id)));
    },
  }),
  defineRoute({
    method: "delete",
    path: ALL,
    operationId: "unlinkIdentity",
    summary: "Let an identity act as a principal no longer",
    permission: "system:principal.write",
    params: OnePrincipal,
    query: z.strictObject(Identity),
    responses: { 200: List },
    handler: async ({ sql, params: { id }, query, principal }) => {
      await identities.unlinkIdentity(sql, id, query, principal);
      return reply(200, toList(await identities.listIdentities(sql, id)));
    },
  }),
];
