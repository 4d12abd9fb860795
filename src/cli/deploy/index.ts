import { Command } from "commander";
import { readConfig, requireDatabaseUrl } from "../../config.js";
import { connect } from "../../db/connect.js";
import { syncManifest } from "../../db/crons.js";
import { rehearseManifest } from "../../db/plan.js";
import { CarillonError } from "../../errors.js";
import { loadManifest } from "../../manifest/load.js";
import { terminal } from "../session.js";
import { planText, toPlan } from "./plan.js";

interface DeployOptions {
  app?: string;
  json?: true;
  dryRun?: true;
}

/** Makes an app's crons as its manifest says. */
export const deployCommand = new Command("deploy")
  .argument("<manifest>", "manifest.json, or .yaml")
  .option("--app <id>", 'the app\'s id, where the manifest has no "id"')
  .option("--dry-run", "print what would change as a diff, and change nothing")
  .option("--json", "print the result as JSON")
  .addHelpText(
    "after",
    `
Examples:
  DATABASE_URL=postgres://… carillon deploy manifest.json --dry-run
  DATABASE_URL=postgres://… carillon deploy manifest.yaml`,
  )
  .action(async (file: string, options: DeployOptions) => {
    const config = readConfig();
    const manifest = await loadManifest(file);
    const appId = options.app ?? manifest.id;
    if (appId === undefined) {
      throw new CarillonError("invalid_input", "the manifest has no id", {
        fields: [{ field: "id", message: "is required, here or as --app" }],
      });
    }
    const sql = connect(requireDatabaseUrl(config), { max: 1, name: "carillon deploy" });
    try {
      if (options.dryRun) {
        const plan = toPlan(await rehearseManifest(sql, appId, manifest));
        console.log(options.json ? JSON.stringify(plan) : planText(plan, terminal().colors));
        return;
      }
      const result = await syncManifest(sql, appId, manifest, null);
      if (options.json) {
        console.log(JSON.stringify(result));
        return;
      }
      console.log(`app ${appId}: ${result.installed ? "installed" : "deployed"}`);
      for (const change of ["created", "updated", "deleted", "unchanged"] as const) {
        if (result[change].length > 0) console.log(`  ${change}: ${result[change].join(", ")}`);
      }
    } finally {
      await sql.end({ timeout: 5 });
    }
  });
