import { acting } from "./audit.js";
import { one, run, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** A value as the database keeps it: without the key it is nothing. */
export interface SealedValue {
  keyId: string;
  nonce: Uint8Array;
  ciphertext: Uint8Array;
}

/** A secret as everybody but dispatchers sees it. */
export interface SecretRow {
  appId: string;
  name: string;
  createdAt: Date;
  createdBy: string | null;
  updatedAt: Date;
  updatedBy: string | null;
  lastUsedAt: Date | null;
}

/** Keeps a sealed secret, in place of the one of that name; whether it is new. */
export const setSecret = async (
  sql: Queryable,
  appId: string,
  name: string,
  { keyId, nonce, ciphertext }: SealedValue,
  actor: Actor | null = null,
) => {
  const row = await one<{ made: boolean }>(sql`
    select carillon.set_secret(
      app => ${appId}, name => ${name}, key_id => ${keyId}, nonce => ${nonce}, ciphertext => ${ciphertext},
      ${acting(sql, actor)}) as made`);
  return row.made;
};

export const deleteSecret = (
  sql: Queryable,
  appId: string,
  name: string,
  actor: Actor | null = null,
) =>
  run(sql`select carillon.delete_secret(app => ${appId}, name => ${name}, ${acting(sql, actor)})`);

export const getSecret = (sql: Queryable, appId: string, name: string) =>
  one<SecretRow>(sql`select * from carillon.get_secret(app => ${appId}, name => ${name})`);

export const listSecrets = (sql: Queryable, appId: string) =>
  run(sql<SecretRow[]>`select * from carillon.list_secrets(app => ${appId})`);

/** A secret to be opened by a dispatcher; undefined when the app has none of that name. */
export const fetchSecret = async (sql: Queryable, appId: string, name: string) => {
  const rows = await run(
    sql<SealedValue[]>`select * from carillon.fetch_secret(app => ${appId}, name => ${name})`,
  );
  return rows[0];
};

/** Something that is sealed by an old key. */
export interface StaleSecret {
  kind: "secret" | "signing";
  appId: string;
  name: string;
  staleKeyId: string;
  nonce: Uint8Array;
  ciphertext: Uint8Array;
}

/** What is sealed by another key than this one, in order: those after one of them, so many at most. */
export const listStaleSecrets = (
  sql: Queryable,
  keyId: string,
  after: StaleSecret | undefined,
  limit: number,
) =>
  run(sql<StaleSecret[]>`
    select * from carillon.list_stale_secrets(
      key_id => ${keyId}, after => ${after ? [after.kind, after.appId, after.name] : null}::text[],
      max_rows => ${limit})`);

/** Puts a value sealed by a new key in the place of the same by an old one; whether it was still there. */
export const resealSecret = async (
  sql: Queryable,
  { kind, appId, name, nonce: oldNonce }: StaleSecret,
  { keyId, nonce, ciphertext }: SealedValue,
) => {
  const row = await one<{ done: boolean }>(sql`
    select carillon.reseal_secret(
      kind => ${kind}, app => ${appId}, name => ${name}, old_nonce => ${oldNonce},
      key_id => ${keyId}, nonce => ${nonce}, ciphertext => ${ciphertext}) as done`);
  return row.done;
};
