import { Command } from "commander";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { connect } from "../db/connect.js";
import { adminTick } from "../db/ticks.js";
import { usesApi } from "./either-way.js";
import { openSession, withConnection } from "./session.js";

/** One tick, for whoever drives from outside. */
export const tickCommand = withConnection(new Command("tick"))
  .addHelpText(
    "after",
    "\nStraight in the database DATABASE_URL; or over the API with --url (or CARILLON_URL, without DATABASE_URL).",
  )
  .action(async (options: { url?: string; key?: string }) => {
    if (usesApi(options)) {
      const { client } = await openSession(options);
      console.log(JSON.stringify(await client.system.tick()));
      return;
    }
    const sql = connect(requireDatabaseUrl(readConfig()), { max: 1, name: "carillon tick" });
    try {
      console.log(JSON.stringify(await adminTick(sql, ["*"])));
    } finally {
      await sql.end({ timeout: 5 });
    }
  });
