import { randomBytes, randomUUID } from "node:crypto";
import type { SealedSigningKey } from "../db/signing-keys.js";
import type { Keyring } from "./keyring.js";

/** Within the 24 to 64 bytes that Standard Webhooks asks for. */
const KEY_BYTES = 32;

/**
 * A new key to sign an app's requests by: as receivers are given it, and as the database keeps it.
 *
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function newSigningKey(
  keyring: Keyring,
  appId: string,
): { secret: string; sealed: SealedSigningKey } {
  const id = randomUUID();
  const secret = `whsec_${randomBytes(KEY_BYTES).toString("base64")}`;
  return { secret, sealed: { id, ...keyring.seal({ kind: "signing", appId, name: id }, secret) } };
}
