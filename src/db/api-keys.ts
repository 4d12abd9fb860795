import { acting } from "./audit.js";
import { one, run, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** An API key, as the view carillon.key_details has it: never its secret, nor its hash. */
export interface KeyRow {
  id: string;
  principalId: string;
  username: string;
  name: string;
  prefix: string;
  scopes: string[] | null;
  mintsKeys: boolean;
  status: "active" | "expired" | "revoked" | "disabled";
  createdBy: string | null;
  createdAt: Date;
  expiresAt: Date | null;
  revokedAt: Date | null;
  lastUsedAt: Date | null;
}

export interface KeyInput {
  principalId: string;
  name: string;
  prefix: string;
  /** SHA-256 of the key. */
  hash: Uint8Array;
  expiresAt?: string | null | undefined;
  scopes?: string[] | null | undefined;
}

/** Records a key by its hash; the key that asks for it, if any, has to be the bootstrap key. */
export const createApiKey = async (
  sql: Queryable,
  key: KeyInput,
  actor: (Actor & { keyId: string | null }) | null = null,
) => {
  const row = await one<{ id: string }>(sql`
    select carillon.create_api_key(
      principal => ${key.principalId}, name => ${key.name}, prefix => ${key.prefix},
      hash => ${key.hash}, expires_at => ${key.expiresAt ?? null}::text::timestamptz, scopes => ${key.scopes ?? null}, ${acting(sql, actor)},
      actor_key => ${actor?.keyId ?? null}) as id`);
  return row.id;
};

export const revokeApiKey = (sql: Queryable, keyId: string, actor: Actor | null = null) =>
  run(sql`
    select carillon.revoke_api_key(
      key => ${keyId}, ${acting(sql, actor)})`);

export const getApiKey = (sql: Queryable, keyId: string) =>
  one<KeyRow>(sql`select * from carillon.get_api_key(key => ${keyId})`);

/** Keys of one principal or of all, newest first, those after the cursor. */
export const listApiKeys = (
  sql: Queryable,
  filter: { principalId: string | null; after?: string | undefined; limit: number },
) =>
  run(sql<KeyRow[]>`
    select * from carillon.list_api_keys(
      principal => ${filter.principalId}, after => ${filter.after ?? null}, max_rows => ${filter.limit})`);

/** Makes the first admin with this key; false, and nothing changed, when there has been one. */
export const bootstrapAdmin = async (sql: Queryable, prefix: string, hash: Uint8Array) => {
  const row = await one<{ made: boolean }>(sql`
    select carillon.bootstrap_admin(prefix => ${prefix}, hash => ${hash}) as made`);
  return row.made;
};
