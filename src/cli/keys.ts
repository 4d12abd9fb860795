import { Command } from "commander";
import { generateKey } from "../api/keys.js";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { connect } from "../db/connect.js";
import { createApiKey } from "../db/api-keys.js";
import { findPrincipal } from "../db/principals.js";

const createCommand = new Command("create")
  .description("make an API key for a principal, straight in the database, and print it once")
  .argument("<username>", 'for example "admin"')
  .option("--name <name>", "what the key is for", "cli")
  .action(async (username: string, options: { name: string }) => {
    const sql = connect(requireDatabaseUrl(readConfig()), { max: 1, name: "carillon keys" });
    try {
      const { key, prefix, hash } = generateKey();
      const principalId = await findPrincipal(sql, username);
      await createApiKey(sql, { principalId, name: options.name, prefix, hash });
      console.log(key);
    } finally {
      await sql.end({ timeout: 5 });
    }
  });

/** Administration of API keys by whoever has the database. */
export const keysCommand = new Command("keys").description("API keys").addCommand(createCommand);
