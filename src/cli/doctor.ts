import { Command } from "commander";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { examine } from "../deploy/doctor.js";

/** Says what is wrong with an installation, and the line that mends it. */
export const doctorCommand = new Command("doctor")
  .option("--json", "print the findings as JSON")
  .action(async (options: { json?: true }) => {
    const findings = await examine(requireDatabaseUrl(readConfig()));
    if (options.json) console.log(JSON.stringify(findings));
    else {
      for (const { check, state, message, fix } of findings) {
        console.log(`${state.padEnd(6)} ${check}: ${message}`);
        if (fix) console.log(`       fix: ${fix}`);
      }
    }
    if (findings.some(({ state }) => state === "broken")) process.exitCode = 1;
  });
