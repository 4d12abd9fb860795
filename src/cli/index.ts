#!/usr/bin/env node
import { Command } from "commander";
import { CarillonError } from "../errors.js";
import { deployCommand } from "./deploy.js";
import { devCommand } from "./dev.js";
import { doctorCommand } from "./doctor.js";
import { keysCommand } from "./keys.js";
import { migrateCommand } from "./migrate.js";
import { releaseCommand } from "./release.js";
import { serveCommand } from "./serve.js";
import { tickCommand } from "./tick.js";
import { packageVersion } from "../version.js";
import { workerCommand } from "./worker.js";

const program = new Command("carillon")
  .description("A Postgres-native scheduler: pg_cron wakes, SQL decides, pgmq carries, onJob runs.")
  .version(packageVersion())
  .showHelpAfterError()
  .addCommand(migrateCommand)
  .addCommand(deployCommand)
  .addCommand(serveCommand)
  .addCommand(workerCommand)
  .addCommand(devCommand)
  .addCommand(doctorCommand)
  .addCommand(releaseCommand)
  .addCommand(tickCommand)
  .addCommand(keysCommand);

try {
  await program.parseAsync();
} catch (error) {
  report(error);
  process.exitCode = 1;
}

/** Tells a person what went wrong, which field is at fault, and what would mend it. */
function report(error: unknown): void {
  console.error(`carillon: ${error instanceof Error ? error.message : String(error)}`);
  if (!(error instanceof CarillonError)) return;
  for (const { field, message } of error.fields) {
    if (!error.message.includes(field)) console.error(`  field: ${field}: ${message}`);
  }
  if (error.detail) console.error(`  rule: ${error.detail}`);
  if (error.hint) console.error(`  hint: ${error.hint}`);
  // What the server said is for whoever runs the command, as it is not for a client of the API.
  if (/^(internal|database_unavailable)$/.test(error.code) && error.cause instanceof Error) {
    console.error(`  cause: ${error.cause.message}`);
  }
}
