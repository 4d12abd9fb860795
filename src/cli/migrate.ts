import { readFile } from "node:fs/promises";
import { Command } from "commander";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { install } from "../deploy/install.js";
import { plainSql } from "../deploy/migrate.js";

/** Installs or updates the schema and lets pg_cron drive where it can. */
export const migrateCommand = new Command("migrate")
  .option("--print", "print everything as plain SQL instead, and touch nothing")
  .option("--pgmq-sql <file>", "pgmq's SQL script, for a server that lacks the extension")
  .option(
    "--roles",
    "make the group roles of server, workers and dispatchers, or renew their rights",
  )
  .option("--no-pg-cron", "leave pg_cron alone; the ticker of a worker or server drives")
  .addHelpText(
    "after",
    "\nExamples:\n  DATABASE_URL=postgres://… carillon migrate\n  carillon migrate --print > carillon.sql",
  )
  .action(async (options: { print?: true; pgmqSql?: string; roles?: true; pgCron: boolean }) => {
    if (options.print) {
      process.stdout.write(await plainSql());
      return;
    }
    const file = options.pgmqSql;
    const report = await install(requireDatabaseUrl(readConfig()), {
      pgCron: options.pgCron ? "auto" : "off",
      roles: options.roles === true,
      pgmqSql: file === undefined ? undefined : () => readFile(file, "utf8"),
    });
    console.log(
      report.applied.length === 0
        ? "schema: up to date"
        : `schema: applied ${report.applied.join(", ")}`,
    );
    if (options.roles)
      console.log(
        "roles: carillon_api, carillon_worker and carillon_dispatcher may what they need",
      );
    if (report.pgCron !== null) console.log(`pg_cron: ${report.pgCron} drives`);
    else console.log(`pg_cron: not used, the ticker drives`);
    if (report.pgCronMissing) {
      console.log(`  why: ${report.pgCronMissing.message}`);
      if (report.pgCronMissing.hint) console.log(`  fix: ${report.pgCronMissing.hint}`);
    }
  });
