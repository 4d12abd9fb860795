import type { Sql } from "../../db/connect.js";
import { authenticateIdentity, provisionIdentity, type Identity } from "../../db/identities.js";
import type { Principal } from "../../db/principals.js";
import { unauthenticated } from "./link.js";

/** An identity that its issuer vouches for. */
export interface Vouched extends Identity {
  /** What the issuer calls its bearer; a name for a new principal, and never a proof of anything. */
  username: string;
}

export type Resolve = (who: Vouched) => Promise<Principal>;

/**
 * The principal an identity is linked to. One that is new here is refused, or made a principal
 * where there are roles to give it; it never becomes an existing principal by its name.
 */
export const resolveIdentity =
  (sql: Sql, provisionRoles: readonly string[] | undefined): Resolve =>
  async (who) => {
    const known = await authenticateIdentity(sql, who);
    if (known !== undefined) return known;
    if (provisionRoles !== undefined) {
      await provisionIdentity(sql, who, who.username, provisionRoles);
      const made = await authenticateIdentity(sql, who);
      if (made !== undefined) return made;
    }
    throw unauthenticated(
      "no principal is linked to this identity, or the one that is has been disabled",
      "an administrator links an identity to a principal by its issuer and subject",
    );
  };
