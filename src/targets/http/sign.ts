import { createHmac, createSecretKey, type KeyObject } from "node:crypto";

/** What secrets are as keys, for as long as somebody remembers the secrets. */
const KEYS = new WeakMap<readonly string[], readonly KeyObject[]>();

function keysOf(secrets: readonly string[]): readonly KeyObject[] {
  let keys = KEYS.get(secrets);
  if (keys === undefined) {
    keys = secrets.map((secret) => createSecretKey(secret.replace(/^whsec_/, ""), "base64"));
    KEYS.set(secrets, keys);
  }
  return keys;
}

/**
 * The signature headers of a request, by the Standard Webhooks specification: one signature for
 * each secret, so that a receiver may hold either while they are being replaced.
 *
 * @param secrets `whsec_` and the key in base64
 * @see https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
 */
export function signatureHeaders(
  secrets: readonly string[],
  id: string,
  seconds: number,
  body: string,
): Record<string, string> {
  const signed = `${id}.${seconds}.${body}`;
  const signatures = keysOf(secrets).map(
    (key) => `v1,${createHmac("sha256", key).update(signed).digest("base64")}`,
  );
  return {
    "webhook-id": id,
    "webhook-timestamp": String(seconds),
    ...(signatures.length === 0 ? {} : { "webhook-signature": signatures.join(" ") }),
  };
}
