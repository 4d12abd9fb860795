import { generateKey } from "../api/keys.js";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { createApiKey } from "../db/api-keys.js";
import { connect } from "../db/connect.js";
import { findPrincipal } from "../db/principals.js";
import type { CreateOptions } from "./keys.js";

/** Makes an API key straight in the database DATABASE_URL. */
export async function makeKey(username: string, { name, scopes, expiresAt }: CreateOptions) {
  const sql = connect(requireDatabaseUrl(readConfig()), { max: 1, name: "carillon keys" });
  try {
    const { key, prefix, hash } = generateKey();
    const principalId = await findPrincipal(sql, username);
    const limits = {
      ...(scopes === undefined ? {} : { scopes }),
      ...(expiresAt === undefined ? {} : { expiresAt }),
    };
    const id = await createApiKey(sql, { principalId, name, prefix, hash, ...limits });
    return { id, principalId, name, prefix, key };
  } finally {
    await sql.end({ timeout: 5 });
  }
}
