import { CarillonError } from "../errors.js";
import { connect } from "../db/connect.js";
import { lockDeploys, unlockDeploys } from "../db/schema.js";
import { createDatabaseRoles, refreshDatabaseRoles } from "../db/database-roles.js";
import { enablePgCron } from "../db/system.js";
import { migrate, type MigrateOptions, type MigrateReport } from "./migrate.js";

export interface InstallOptions extends MigrateOptions {
  /** "auto" lets pg_cron drive where it can; "off" leaves it alone. Default "auto". */
  pgCron?: "auto" | "off";
  /** Makes the group roles carillon_api, carillon_worker and carillon_dispatcher; once made they are kept up to date. */
  roles?: boolean;
}

export interface InstallReport extends MigrateReport {
  /** Version of the pg_cron that drives this database; null while the ticker does. */
  pgCron: string | null;
  /** Why pg_cron does not drive, and the line that mends it. */
  pgCronMissing?: { message: string; hint: string | undefined };
}

/**
 * Installs or updates Carillon in a database and lets pg_cron drive it where that is possible.
 * Running it again changes nothing; without pg_cron everything works by the ticker.
 */
export async function install(
  databaseUrl: string,
  options: InstallOptions = {},
): Promise<InstallReport> {
  const report = await migrate(databaseUrl, options);
  const sql = connect(databaseUrl, { max: 1, name: "carillon install" });
  try {
    await lockDeploys(sql);
    if (options.roles === true) await createDatabaseRoles(sql);
    // A new version has new functions.
    else if (report.applied.length > 0) await refreshDatabaseRoles(sql);
    if (options.pgCron === "off") return { ...report, pgCron: null };
    return { ...report, pgCron: await enablePgCron(sql) };
  } catch (error) {
    if (!(error instanceof CarillonError) || error.code !== "pg_cron_missing") throw error;
    return { ...report, pgCron: null, pgCronMissing: { message: error.message, hint: error.hint } };
  } finally {
    await unlockDeploys(sql).catch(() => undefined);
    await sql.end({ timeout: 5 });
  }
}
