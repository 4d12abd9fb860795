import { Command } from "commander";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { connect } from "../db/connect.js";
import { startDispatcher } from "../dispatch/dispatcher.js";
import { createLogger } from "../log.js";
import { readKeyring } from "../secrets/keyring.js";
import { readTargetsConfig } from "../targets/config.js";
import { whole } from "./parse.js";
import { untilSignal } from "./signals.js";

interface Options {
  app?: string[];
  concurrency?: number;
  ticker: boolean;
}

const several = (id: string, before: string[] = []) => [...before, id];

/** What sends jobs to their targets, without the API. */
export const dispatchCommand = new Command("dispatch")
  .option("--app <id>", "only this app's jobs; may be given several times", several)
  .option(
    "--concurrency <n>",
    "jobs under way at once (default CARILLON_DISPATCH_CONCURRENCY or 50)",
    whole(1, 1000),
  )
  .option("--no-ticker", "do not tick in this process")
  .addHelpText("after", "\nExample:\n  DATABASE_URL=postgres://… carillon dispatch")
  .action(async (options: Options) => {
    const config = readConfig();
    const targets = readTargetsConfig();
    const keyring = readKeyring();
    const sql = connect(requireDatabaseUrl(config), {
      name: "carillon dispatch",
      max: config.connections,
      prepare: config.prepare,
    });
    try {
      await using _dispatcher = startDispatcher({
        ...{ sql, targets, keyring, logger: createLogger(config.logLevel) },
        apps: options.app ?? [],
        concurrency: options.concurrency ?? config.dispatchConcurrency,
        leaseSeconds: config.leaseSeconds,
        drainSeconds: config.drainSeconds,
        listen: config.listen,
        ticker: options.ticker && config.ticker,
      });
      await untilSignal();
    } finally {
      await sql.end({ timeout: 5 });
    }
  });
