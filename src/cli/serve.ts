import { Command } from "commander";
import { generateKey } from "../api/keys.js";
import { startServer } from "../api/server.js";
import { type Config, readConfig, requireDatabaseUrl } from "../config.js";
import { connect, type Sql } from "../db/connect.js";
import { bootstrapAdmin } from "../db/api-keys.js";
import { databaseAccess } from "../db/database-roles.js";
import { seedFrom } from "../deploy/seed.js";
import { type Dispatcher, startDispatcher } from "../dispatch/dispatcher.js";
import { createLogger, type Logger } from "../log.js";
import { type Keyring, readKeyring } from "../secrets/keyring.js";
import { readTargetsConfig } from "../targets/config.js";
import { startTicker } from "../worker/ticker.js";
import { untilSignal } from "./signals.js";

/** The API, with the ticker and a dispatcher beside it. */
export const serveCommand = new Command("serve")
  .option("--seed <file>", "install its apps where there are none yet (default CARILLON_SEED)")
  .option("--no-ticker", "do not tick in this process")
  .option("--no-dispatcher", "do not send jobs to their targets from this process")
  .action(async (options: { seed?: string; ticker: boolean; dispatcher: boolean }) => {
    const config = readConfig();
    const keyring = readKeyring();
    const log = createLogger(config.logLevel);
    const sql = connect(requireDatabaseUrl(config), {
      name: "carillon serve",
      prepare: config.prepare,
      ...(config.prepare ? { statementTimeoutSeconds: config.statementTimeoutSeconds } : {}),
    });
    try {
      const { key, prefix, hash } = generateKey();
      if (await bootstrapAdmin(sql, prefix, hash)) {
        console.log(`The administrator's API key, shown this once: ${key}`);
      }
      await seed(sql, log, options.seed ?? config.seed);
      const { host, port, api: settings } = config;
      await using server = await startServer({ sql, log, host, port, settings, keyring });
      await using _ticker = options.ticker && config.ticker ? startTicker({ sql, log }) : undefined;
      await using _dispatcher = options.dispatcher
        ? await dispatcherOf(config, sql, log, keyring)
        : undefined;
      console.log(`listening on ${server.url}`);
      await untilSignal();
    } finally {
      await sql.end({ timeout: 5 });
    }
  });

async function seed(sql: Sql, log: Logger, file: string | undefined): Promise<void> {
  if (file === undefined) return;
  const done = await seedFrom(sql, file);
  if (done === undefined) log.info({ file }, "not seeded: there are apps, or were");
  for (const { appId, created } of done ?? []) {
    console.log(`seeded app ${appId}: ${created.length} crons`);
  }
}

/** Undefined where it is switched off, or its database role may only serve the API. */
async function dispatcherOf(
  config: Config,
  sql: Sql,
  logger: Logger,
  keyring: Keyring | undefined,
): Promise<Dispatcher | undefined> {
  if (!config.dispatcher) return undefined;
  const { owner, role, groups } = await databaseAccess(sql);
  if (!owner && !groups.includes("carillon_dispatcher")) {
    const hint = `grant carillon_dispatcher to ${role}; or run carillon dispatch, and this with --no-dispatcher`;
    logger.warn({ hint }, "no job is sent to its target from this process: the role may not");
    return undefined;
  }
  return startDispatcher({
    ...{ sql, logger, keyring, targets: readTargetsConfig() },
    concurrency: config.dispatchConcurrency,
    leaseSeconds: config.leaseSeconds,
    listen: config.listen,
  });
}
