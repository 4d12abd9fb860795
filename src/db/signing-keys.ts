import { acting } from "./audit.js";
import { one, run, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";
import type { SealedValue } from "./secrets.js";

/** A signing key as everybody but dispatchers sees it. */
export interface SigningKeyRow {
  id: string;
  appId: string;
  createdAt: Date;
  createdBy: string | null;
  /** Null for the current one. */
  expiresAt: Date | null;
}

/** A signing key to keep: its id, by which it was sealed, and what was sealed. */
export type SealedSigningKey = SealedValue & { id: string };

/** Makes a key the current one; the one before it signs as well for so long. */
export const rotateSigningKey = (
  sql: Queryable,
  appId: string,
  { id, keyId, nonce, ciphertext }: SealedSigningKey,
  overlapSeconds: number,
  actor: Actor | null = null,
) =>
  one<SigningKeyRow>(sql`
    select * from carillon.rotate_signing_key(
      app => ${appId}, id => ${id}, key_id => ${keyId}, nonce => ${nonce}, ciphertext => ${ciphertext},
      overlap_seconds => ${overlapSeconds}, ${acting(sql, actor)})`);

export const listSigningKeys = (sql: Queryable, appId: string) =>
  run(sql<SigningKeyRow[]>`select * from carillon.list_signing_keys(app => ${appId})`);

/** What to sign by now, to be opened by a dispatcher: the newest first. */
export const fetchSigningKeys = (sql: Queryable, appId: string) =>
  run(sql<SealedSigningKey[]>`select * from carillon.fetch_signing_keys(app => ${appId})`);

/** Makes a key the current one of an app that has none. */
export const ensureSigningKey = (
  sql: Queryable,
  appId: string,
  { id, keyId, nonce, ciphertext }: SealedSigningKey,
) =>
  run(sql`
    select carillon.ensure_signing_key(
      app => ${appId}, id => ${id}, key_id => ${keyId}, nonce => ${nonce}, ciphertext => ${ciphertext})`);
