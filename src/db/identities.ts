import { one, run, type Queryable } from "./connect.js";
import type { Principal } from "./principals.js";

/** Who somebody is to an issuer of tokens or sessions. */
export interface Identity {
  issuer: string;
  subject: string;
}

/** The principal an identity is linked to; undefined for an unknown one or a disabled principal. */
export const authenticateIdentity = async (sql: Queryable, { issuer, subject }: Identity) => {
  const rows = await run(sql<Principal[]>`
    select * from carillon.authenticate_identity(issuer => ${issuer}, subject => ${subject})`);
  return rows[0];
};

/** Makes a user for an identity that is linked to nobody; whether it did. */
export const provisionIdentity = async (
  sql: Queryable,
  { issuer, subject }: Identity,
  username: string,
  roles: readonly string[],
) => {
  const row = await one<{ made: boolean }>(sql`
    select carillon.provision_identity(
      issuer => ${issuer}, subject => ${subject}, username => ${username},
      roles => ${[...roles]}) as made`);
  return row.made;
};

/** Lets an identity act as this principal, and as nobody else. */
export const linkIdentity = (sql: Queryable, principalId: string, { issuer, subject }: Identity) =>
  run(sql`
    select carillon.link_identity(
      principal => ${principalId}, issuer => ${issuer}, subject => ${subject})`);

/** Lets an identity act as nobody any more; whether it did before. */
export const unlinkIdentity = async (sql: Queryable, { issuer, subject }: Identity) => {
  const row = await one<{ found: boolean }>(sql`
    select carillon.unlink_identity(issuer => ${issuer}, subject => ${subject}) as found`);
  return row.found;
};

/** By which identities a principal is known. */
export const listIdentities = (sql: Queryable, principalId: string) =>
  run(sql<(Identity & { createdAt: Date })[]>`
    select * from carillon.list_identities(principal => ${principalId})`);
