import { z } from "zod";
import * as secrets from "../../db/secrets.js";
import { AppId } from "../../manifest/schema.js";
import { defineRoute, reply } from "../route.js";
import { InApp, Message } from "../shapes/scalars.js";
import { Secret, SecretName, SecretValue, toSecret } from "../shapes/secret.js";

const ALL = "/api/v1/apps/{appId}/secrets";
const ONE = `${ALL}/{name}` as const;

const OneSecret = z.strictObject({ appId: AppId, name: SecretName.describe("The secret's name.") });

/** What an app's targets may refer to by {{secret.NAME}}. Values come in, and never go out. */
export const secretRoutes = [
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listSecrets",
    summary: "List the secrets of an app, by name and without their values",
    permission: "app:{appId}:secret.read",
    params: InApp,
    responses: { 200: z.strictObject({ items: z.array(Secret).max(100) }) },
    handler: async ({ sql, params: { appId } }) =>
      reply(200, { items: (await secrets.listSecrets(sql, appId)).map(toSecret) }),
  }),
  defineRoute({
    method: "get",
    path: ONE,
    operationId: "getSecret",
    summary: "Get what is known of a secret besides its value",
    permission: "app:{appId}:secret.read",
    params: OneSecret,
    responses: { 200: Secret },
    handler: async ({ sql, params: { appId, name } }) =>
      reply(200, toSecret(await secrets.getSecret(sql, appId, name))),
  }),
  defineRoute({
    method: "put",
    path: ONE,
    operationId: "setSecret",
    summary: "Set a secret, new or not; its value is never shown again",
    permission: "app:{appId}:secret.write",
    takesSecret: true,
    params: OneSecret,
    body: z.strictObject({ value: SecretValue.describe("1 byte to 64 KiB of text.") }),
    responses: { 200: Secret, 201: Secret },
    handler: async ({ sql, params: { appId, name }, body: { value }, principal, keyring }) => {
      const sealed = keyring().seal({ kind: "secret", appId, name }, value);
      const made = await secrets.setSecret(sql, appId, name, sealed, principal);
      return reply(made ? 201 : 200, toSecret(await secrets.getSecret(sql, appId, name)));
    },
  }),
  defineRoute({
    method: "delete",
    path: ONE,
    operationId: "deleteSecret",
    summary: "Delete a secret; jobs that refer to it fail from then on",
    permission: "app:{appId}:secret.write",
    params: OneSecret,
    responses: { 200: Message },
    handler: async ({ sql, params: { appId, name }, principal }) => {
      await secrets.deleteSecret(sql, appId, name, principal);
      return reply(200, { message: "secret deleted" });
    },
  }),
];
