import { inject } from "vitest";

import { install } from "../../src/deploy/install.js";
import { type Engine, type EngineName, startEngine } from "../../src/dev/engines/index.js";
import type { EngineOptions } from "../../src/dev/engines/index.js";
import { connect, type TestSql } from "./database.js";

export interface CronEngine extends AsyncDisposable {
  readonly engine: Engine;
  /** Superuser, on pg_cron's own database, with Carillon installed. */
  readonly url: string;
  readonly sql: TestSql;
}

/**
 * A private server with real pg_cron and Carillon installed in pg_cron's database, for tests that
 * let cron jobs really run. It can be stopped, crashed and started without disturbing other tests.
 */
export async function startCronEngine(options: EngineOptions = {}): Promise<CronEngine> {
  const engine = await startEngine({ engine: cronEngineName(), ...options });
  try {
    if (engine.pgCron === null) throw new Error(`${engine.description} cannot run pg_cron`);
    await install(engine.databaseUrl);
    const sql = connect(engine.databaseUrl);
    const dispose = async () => {
      await sql.end({ timeout: 5 });
      await engine.close();
    };
    return { engine, url: engine.databaseUrl, sql, [Symbol.asyncDispose]: dispose };
  } catch (error) {
    await engine.close();
    throw error;
  }
}

/** The run's own kind of engine, if that can have a private cluster with pg_cron. */
function cronEngineName(): EngineName {
  const { engine } = inject("server");
  if (engine !== "url" && engine !== "embedded") return engine;
  return process.getuid?.() === 0 ? "pg17" : "installed";
}
