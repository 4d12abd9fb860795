import { generateKey } from "../api/keys.js";
import { startServer } from "../api/server.js";
import { connect, type Sql } from "../db/connect.js";
import { bootstrapAdmin, createApiKey } from "../db/api-keys.js";
import { findPrincipal } from "../db/principals.js";
import { install } from "../deploy/install.js";
import { startDispatcher } from "../dispatch/dispatcher.js";
import type { Logger } from "../log.js";
import { readKeyring } from "../secrets/keyring.js";
import { readTargetsConfig } from "../targets/config.js";
import { startTicker } from "../worker/ticker.js";
import { type Engine, startEngine } from "./engines/index.js";
import { pgmqSql } from "./pgmq.js";

export interface SystemOptions {
  /** Port of the API; 0, the default, takes a free one. */
  port?: number;
  host?: string;
  /** Whether jobs are sent to their targets; default true. */
  dispatcher?: boolean;
  logger: Logger;
  /** Gets a line for everything worth telling a person. */
  say: (line: string) => void;
}

/** A whole Carillon on a Postgres of its own: database, schema, API and, without pg_cron, the ticker. */
export interface System extends AsyncDisposable {
  readonly engine: Engine;
  readonly sql: Sql;
  readonly url: string;
  /** An administrator's API key. */
  readonly key: string;
  /** Version of pg_cron that drives; null when the ticker does. */
  readonly pgCron: string | null;
}

/** Brings a whole system up; disposing of it stops everything it started, last first. */
export async function startSystem(options: SystemOptions): Promise<System> {
  const cleanups: (() => PromiseLike<void>)[] = [];
  const dispose = async () => {
    for (const cleanup of cleanups.splice(0).reverse()) await cleanup();
  };
  const own = <T extends AsyncDisposable>(resource: T) => {
    cleanups.push(() => resource[Symbol.asyncDispose]());
    return resource;
  };
  try {
    const engine = own(await startEngine({ log: options.say }));
    const { pgCron, pgCronMissing } = await install(engine.databaseUrl, { pgmqSql });
    options.say(
      pgCronMissing
        ? `the ticker drives: ${pgCronMissing.message}`
        : `pg_cron ${pgCron ?? ""} drives the schedules`,
    );
    const sql = connect(engine.databaseUrl, { name: "carillon dev" });
    cleanups.push(() => sql.end({ timeout: 5 }));
    const { logger: log, host = "127.0.0.1", port = 0 } = options;
    const keyring = readKeyring();
    const server = own(await startServer({ sql, log, host, port, keyring }));
    // With pg_cron alone one sees that ticks need no process of ours.
    if (pgCron === null) own(startTicker({ sql, log }));
    if (options.dispatcher !== false) {
      own(startDispatcher({ sql, logger: log, keyring, targets: readTargetsConfig() }));
    }
    const key = await adminKey(sql);
    return { engine, sql, url: server.url, key, pgCron, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await dispose();
    throw error;
  }
}

/** A key of the administrator, who is made on the way in a new database. */
async function adminKey(sql: Sql): Promise<string> {
  const { key, prefix, hash } = generateKey();
  if (!(await bootstrapAdmin(sql, prefix, hash))) {
    const principalId = await findPrincipal(sql, "admin");
    await createApiKey(sql, { principalId, name: "dev", prefix, hash });
  }
  return key;
}
