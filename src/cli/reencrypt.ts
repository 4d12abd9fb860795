import { readConfig, requireDatabaseUrl } from "../config.js";
import { connect } from "../db/connect.js";
import { readKeyring, requireKeyring } from "../secrets/keyring.js";
import { resealAll } from "../secrets/reseal.js";

/** Encrypts everything in the database DATABASE_URL anew, by the key of the environment. */
export async function reencrypt() {
  const keyring = requireKeyring(readKeyring());
  const sql = connect(requireDatabaseUrl(readConfig()), { max: 1, name: "carillon secrets" });
  try {
    return await resealAll(sql, keyring);
  } finally {
    await sql.end({ timeout: 5 });
  }
}
