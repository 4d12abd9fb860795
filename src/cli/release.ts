import { Command } from "commander";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { connect } from "../db/connect.js";
import { releaseClone, setOnClone } from "../db/system.js";

/** Takes a copy of a database into service. */
export const releaseCommand = new Command("release")
  .option("--on-clone <policy>", 'what copies made of it do from now on: "warn" or "hold"')
  .action(async (options: { onClone?: string }) => {
    const sql = connect(requireDatabaseUrl(readConfig()), { max: 1, name: "carillon release" });
    try {
      if (options.onClone !== undefined) await setOnClone(sql, options.onClone as "warn" | "hold");
      const { here, onClone } = await releaseClone(sql);
      console.log(`the schedules fire in ${here.database} of cluster ${here.systemIdentifier}`);
      console.log(`copies of it ${onClone === "hold" ? "fire nothing" : "warn, and fire"}`);
    } finally {
      await sql.end({ timeout: 5 });
    }
  });
