import { createHash, randomBytes } from "node:crypto";

const MARK = "crl_";
const FORM = /^crl_[A-Za-z0-9_-]{43}$/;

/** A new API key: the secret, shown once, and what is kept of it. */
export interface GeneratedKey {
  /** `crl_` and 43 characters: 256 random bits. */
  key: string;
  /** The first 8 characters after `crl_`, to tell keys apart in lists. */
  prefix: string;
  /** SHA-256 of the whole key; all the database ever sees of it. */
  hash: Uint8Array;
}

/** Makes an API key. */
export function generateKey(): GeneratedKey {
  const secret = randomBytes(32).toString("base64url");
  const key = MARK + secret;
  return { key, prefix: secret.slice(0, 8), hash: hashKey(key) };
}

/** What the database knows a key by. A key is random, so a plain hash is enough. */
export const hashKey = (key: string): Uint8Array => createHash("sha256").update(key).digest();

/** Whether a text could be an API key at all. */
export const isKey = (text: string): boolean => FORM.test(text);
