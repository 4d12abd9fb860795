import { acting, type Origin } from "./audit.js";
import { one, run, type Queryable } from "./connect.js";

export type PrincipalKind = "user" | "service" | "system";

/** On whose behalf something is done, within the scopes of the credential; null is the database's owner. */
export interface Actor {
  principalId: string;
  scopes: string[] | null;
  /** Where they come from, for the audit log. */
  origin?: Origin | undefined;
}

/** Who a request comes from, with everything they may do by their credential. */
export interface Principal extends Actor {
  username: string;
  kind: PrincipalKind;
  permissions: string[];
  /** The API key it came by; null when it came by a token or a session. */
  keyId: string | null;
}

/** A user or service account, as the view carillon.principal_details has it. */
export interface PrincipalRow {
  id: string;
  kind: PrincipalKind;
  username: string;
  enabled: boolean;
  disabledAt: Date | null;
  createdAt: Date;
  roles: string[];
  permissions: string[];
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
  options: { kind?: "user" | "service" | undefined; roles?: string[] | undefined } = {},
  actor: Actor | null = null,
) => {
  const row = await one<{ id: string }>(sql`
    select carillon.create_principal(
      username => ${username}, kind => ${options.kind ?? "user"}, roles => ${options.roles ?? []}, ${acting(sql, actor)}) as id`);
  return row.id;
};

/** Renames, disables or enables; what is not given stays. */
export const updatePrincipal = (
  sql: Queryable,
  principalId: string,
  change: { username?: string | undefined; enabled?: boolean | undefined },
  actor: Actor | null,
) =>
  run(sql`
    select carillon.update_principal(
      principal => ${principalId}, username => ${change.username ?? null},
      enabled => ${change.enabled ?? null}, ${acting(sql, actor)})`);

export const setPrincipalEnabled = (sql: Queryable, principalId: string, enabled: boolean) =>
  updatePrincipal(sql, principalId, { enabled }, null);

export const deletePrincipal = (sql: Queryable, principalId: string, actor: Actor | null = null) =>
  run(sql`
    select carillon.delete_principal(
      principal => ${principalId}, ${acting(sql, actor)})`);

/** Gives a principal a role. */
export const grantRole = (sql: Queryable, principalId: string, role: string, actor: Actor | null) =>
  run(sql`
    select carillon.grant_role(
      principal => ${principalId}, role => ${role}, ${acting(sql, actor)})`);

/** Takes a role from a principal. */
export const revokeRole = (
  sql: Queryable,
  principalId: string,
  role: string,
  actor: Actor | null,
) =>
  run(sql`
    select carillon.revoke_role(
      principal => ${principalId}, role => ${role}, ${acting(sql, actor)})`);

export const getPrincipal = (sql: Queryable, principalId: string) =>
  one<PrincipalRow>(sql`select * from carillon.get_principal(principal => ${principalId})`);

/** Principals by name, those after the cursor. */
export const listPrincipals = (
  sql: Queryable,
  filter: { after?: string | undefined; limit: number; kind?: PrincipalKind | undefined },
) =>
  run(sql<PrincipalRow[]>`
    select * from carillon.list_principals(
      after => ${filter.after ?? null}, max_rows => ${filter.limit}, kind => ${filter.kind ?? null})`);

/** The id of a principal by its user name. */
export const findPrincipal = async (sql: Queryable, username: string) => {
  const row = await one<{ id: string }>(
    sql`select carillon.find_principal(username => ${username}) as id`,
  );
  return row.id;
};
