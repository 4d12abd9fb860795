import { Command } from "commander";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { connect } from "../db/connect.js";
import { adminTick } from "../db/ticks.js";

/** One tick, for whoever drives from outside. */
export const tickCommand = new Command("tick")
  .description("decide what is due in the database DATABASE_URL, once, and print what was done")
  .action(async () => {
    const sql = connect(requireDatabaseUrl(readConfig()), { max: 1, name: "carillon tick" });
    try {
      console.log(JSON.stringify(await adminTick(sql, ["*"])));
    } finally {
      await sql.end({ timeout: 5 });
    }
  });
