import { one, run, type Queryable } from "./connect.js";

/** Who a request comes from, with everything they may do. */
export interface Principal {
  principalId: string;
  username: string;
  kind: "user" | "service" | "system";
  permissions: string[];
  /** The API key it came by; null when it came by a token or a session. */
  keyId: string | null;
}

/** The principal behind the SHA-256 of a key; undefined when the key is not good. */
export const authenticateKey = async (sql: Queryable, hash: Uint8Array) => {
  const rows = await run(sql<Principal[]>`
    select * from carillon.authenticate_key(hash => ${hash})`);
  return rows[0];
};

export const createPrincipal = async (
  sql: Queryable,
  username: string,
  options: { kind?: "user" | "service"; roles?: string[] } = {},
) => {
  const row = await one<{ id: string }>(sql`
    select carillon.create_principal(
      username => ${username}, kind => ${options.kind ?? "user"},
      roles => ${options.roles ?? []}) as id`);
  return row.id;
};

export const setPrincipalEnabled = (sql: Queryable, principalId: string, enabled: boolean) =>
  run(
    sql`select carillon.set_principal_enabled(principal => ${principalId}, enabled => ${enabled})`,
  );

export const deletePrincipal = (sql: Queryable, principalId: string) =>
  run(sql`select carillon.delete_principal(principal => ${principalId})`);

/** Makes a role, or gives an existing one these permissions. */
export const createRole = (sql: Queryable, name: string, permissions: string[]) =>
  run(sql`select carillon.create_role(name => ${name}, permissions => ${permissions})`);

export const createApiKey = async (
  sql: Queryable,
  key: {
    principalId: string;
    name: string;
    prefix: string;
    hash: Uint8Array;
    expiresAt?: string | null;
  },
) => {
  const row = await one<{ id: string }>(sql`
    select carillon.create_api_key(
      principal => ${key.principalId}, name => ${key.name}, prefix => ${key.prefix},
      hash => ${key.hash}, expires_at => ${key.expiresAt ?? null}) as id`);
  return row.id;
};

export const revokeApiKey = (sql: Queryable, keyId: string) =>
  run(sql`select carillon.revoke_api_key(key => ${keyId})`);

/** Makes the first admin with this key; false, and nothing changed, when there has been one. */
export const bootstrapAdmin = async (sql: Queryable, prefix: string, hash: Uint8Array) => {
  const row = await one<{ made: boolean }>(sql`
    select carillon.bootstrap_admin(prefix => ${prefix}, hash => ${hash}) as made`);
  return row.made;
};

/** The id of a principal by its user name. */
export const findPrincipal = async (sql: Queryable, username: string) => {
  const row = await one<{ id: string }>(
    sql`select carillon.find_principal(username => ${username}) as id`,
  );
  return row.id;
};
