import { Logger, migrate as runGraphileMigrate } from "graphile-migrate";
import { CarillonError } from "../errors.js";
import { connect } from "../db/connect.js";
import { QueueAdmin } from "../db/queue-admin.js";
import {
  appliedMigrations,
  ensurePgmq,
  lockDeploys,
  schemaExists,
  unlockDeploys,
  untilDisconnected,
} from "../db/schema.js";
import { checkTracker, committedMigrations, MIGRATIONS_FOLDER } from "./migrations.js";

const RUNNER = "carillon graphile-migrate";

export interface MigrateOptions {
  /** pgmq's install script, for servers where it is no extension. */
  pgmqSql?: (() => Promise<string>) | undefined;
}

export interface MigrateReport {
  /** File names of the migrations this call applied. */
  applied: string[];
}

/**
 * Brings the schema up to date: pgmq, its queues, then every committed migration. Concurrent calls
 * wait for one another; a database that is up to date is left as it is.
 *
 * @throws CarillonError `pgmq_missing`, `foreign_migrations`, `database_unavailable`
 */
export async function migrate(
  databaseUrl: string,
  options: MigrateOptions = {},
): Promise<MigrateReport> {
  const sql = connect(databaseUrl, { max: 1, name: "carillon migrate" });
  try {
    await lockDeploys(sql);
    const ours = await committedMigrations();
    const before = await appliedMigrations(sql);
    checkTracker(before, ours);
    if (before.length === ours.length) return { applied: [] };
    if (before.length === 0 && (await schemaExists(sql))) {
      throw new CarillonError(
        "foreign_migrations",
        "the schema carillon is in this database already, installed by plain SQL",
        { hint: "update it the way it was installed, by: carillon migrate --print" },
      );
    }
    await ensurePgmq(sql, options.pgmqSql);
    await using queues = await QueueAdmin.open(databaseUrl);
    await queues.ensureQueues();
    const url = new URL(databaseUrl);
    url.searchParams.set("application_name", RUNNER);
    await runGraphileMigrate({
      connectionString: url.href,
      migrationsFolder: MIGRATIONS_FOLDER,
      logger: new Logger(() => () => undefined),
    });
    // Its pool lingers for a moment and ends the process when the server goes away under it.
    await untilDisconnected(sql, RUNNER);
    return { applied: ours.slice(before.length).map(({ filename }) => filename) };
  } finally {
    await unlockDeploys(sql).catch(() => undefined);
    await sql.end({ timeout: 5 });
  }
}

/** The whole installation as plain SQL, for psql or another migration tool. */
export async function plainSql(): Promise<string> {
  const migrations = await committedMigrations();
  return [
    "-- Carillon, as plain SQL: psql --set ON_ERROR_STOP=1 --single-transaction --file this.sql",
    "create extension if not exists pgmq; -- or run pgmq's own SQL script first",
    "select pgmq.create('jobs');",
    "select pgmq.create('jobs_dlq');",
    ...migrations.map(({ filename, body }) => `-- ${filename}\n${body.trim()}`),
    "-- Where pg_cron is loaded for this database: select carillon.enable_pg_cron();",
    "",
  ].join("\n");
}
