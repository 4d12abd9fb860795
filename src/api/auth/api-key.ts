import type { Sql } from "../../db/connect.js";
import { authenticateKey } from "../../db/principals.js";
import { hashKey, isKey } from "../keys.js";
import { unauthenticated, type BearerLink } from "./link.js";

/** `Authorization: Bearer crl_…`. The key is looked up by its hash: no comparison leaks a prefix. */
export const apiKeys = (sql: Sql): BearerLink => ({
  name: "an API key (crl_…)",
  accepts: isKey,
  authenticate: async (key) => {
    const principal = await authenticateKey(sql, hashKey(key));
    if (principal !== undefined) return principal;
    // One message for all of them: which it was is nobody's business without a valid key.
    throw unauthenticated("the API key is unknown, revoked or expired, or its holder is disabled");
  },
});
