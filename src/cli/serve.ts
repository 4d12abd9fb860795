import { Command } from "commander";
import { generateKey } from "../api/keys.js";
import { startServer } from "../api/server.js";
import { readConfig, requireDatabaseUrl } from "../config.js";
import { connect } from "../db/connect.js";
import { bootstrapAdmin } from "../db/api-keys.js";
import { createLogger } from "../log.js";
import { readKeyring } from "../secrets/keyring.js";
import { startTicker } from "../worker/ticker.js";
import { untilSignal } from "./signals.js";

/** The API, with the ticker beside it. */
export const serveCommand = new Command("serve")
  .description("serve the API on CARILLON_HOST:CARILLON_PORT (default 127.0.0.1:8080)")
  .option("--no-ticker", "do not tick in this process")
  .action(async (options: { ticker: boolean }) => {
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
      const { host, port, api: settings } = config;
      await using server = await startServer({ sql, log, host, port, settings, keyring });
      await using _ticker = options.ticker && config.ticker ? startTicker({ sql, log }) : undefined;
      console.log(`listening on ${server.url}`);
      await untilSignal();
    } finally {
      await sql.end({ timeout: 5 });
    }
  });
