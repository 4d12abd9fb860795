import { z } from "zod";
import * as signing from "../../db/signing-keys.js";
import { newSigningKey } from "../../secrets/signing-key.js";
import { defineRoute, reply } from "../route.js";
import { InApp } from "../shapes/scalars.js";
import { SigningKey, toSigningKey } from "../shapes/secret.js";

const ALL = "/api/v1/apps/{appId}/signing-keys";

/** Seconds for which the key before signs as well: a day. */
const USUAL_OVERLAP = 86_400;

/** What an app's requests to HTTP targets are signed by (Standard Webhooks). */
export const signingKeyRoutes = [
  defineRoute({
    method: "get",
    path: ALL,
    operationId: "listSigningKeys",
    summary: "List the keys that an app's requests are signed by, without the keys themselves",
    permission: "app:{appId}:secret.read",
    params: InApp,
    responses: { 200: z.strictObject({ items: z.array(SigningKey).max(2) }) },
    handler: async ({ sql, params: { appId } }) =>
      reply(200, { items: (await signing.listSigningKeys(sql, appId)).map(toSigningKey) }),
  }),
  defineRoute({
    method: "post",
    path: `${ALL}/rotate`,
    operationId: "rotateSigningKey",
    summary: "Make a new signing key, shown this once; the one before it signs as well for a while",
    permission: "app:{appId}:secret.write",
    secret: true,
    params: InApp,
    body: z
      .strictObject({
        overlap: z
          .int()
          .min(0)
          .max(2_592_000)
          .nullish()
          .describe("Seconds for which the key before signs as well. Default: 86400, a day."),
      })
      .optional(),
    responses: {
      201: SigningKey.extend({
        secret: z.string().describe("whsec_…, for receivers to verify by. It is not shown again."),
      }),
    },
    handler: async ({ sql, params: { appId }, body, principal, keyring }) => {
      const { secret, sealed } = newSigningKey(keyring(), appId);
      const overlap = body?.overlap ?? USUAL_OVERLAP;
      const row = await signing.rotateSigningKey(sql, appId, sealed, overlap, principal);
      return reply(201, { ...toSigningKey(row), secret });
    },
  }),
];
