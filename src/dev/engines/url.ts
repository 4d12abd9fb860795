import postgres from "postgres";

import { type Engine, EngineError } from "./types.js";

/** A server that somebody else runs: never stopped, never emptied. */
export async function urlEngine(databaseUrl: string | undefined): Promise<Engine> {
  if (databaseUrl === undefined || databaseUrl === "") {
    throw new EngineError("DATABASE_URL is not set");
  }
  const { version, pgCron } = await inspect(databaseUrl);
  const notOurs = () =>
    Promise.reject(new EngineError("the server at DATABASE_URL is not ours to stop"));
  return {
    name: "url",
    description: `PostgreSQL ${version} at DATABASE_URL, ${
      pgCron === null ? "without pg_cron" : `with pg_cron ${pgCron}`
    }`,
    why: "DATABASE_URL is set",
    databaseUrl,
    pgCron,
    dataDir: null,
    start: () => Promise.resolve(),
    stop: notOurs,
    close: () => Promise.resolve(),
    leave: () => Promise.resolve(),
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

async function inspect(databaseUrl: string): Promise<{ version: string; pgCron: string | null }> {
  let sql: postgres.Sql | undefined;
  try {
    sql = postgres(databaseUrl, { max: 1, connect_timeout: 10, onnotice: () => undefined });
    const [row] = await sql<{ version: string; pgCron: string | null }[]>`
      select current_setting('server_version') as version,
             -- Without shared_preload_libraries the extension can be seen but not used.
             coalesce((select extversion from pg_catalog.pg_extension where extname = 'pg_cron'),
                      (select e.default_version
                         from pg_catalog.pg_available_extensions e, pg_catalog.pg_settings s
                        where e.name = 'pg_cron' and s.name = 'cron.database_name')) as "pgCron"`;
    if (row === undefined) throw new Error("no answer");
    return row;
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message : String(cause);
    throw new EngineError(`the server at DATABASE_URL cannot be used: ${reason}`, {
      final: true,
      cause,
    });
  } finally {
    await sql?.end({ timeout: 1 });
  }
}
