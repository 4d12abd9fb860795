import { connect } from "../db/connect.js";
import { appliedMigrations, pgmqVersion, serverVersion } from "../db/schema.js";
import { cloneStatus, pgCronStatus, type PgCronStatus } from "../db/system.js";
import { CarillonError } from "../errors.js";
import { checkTracker, committedMigrations } from "./migrations.js";

export interface Finding {
  check: string;
  /** `note`: works, but differently from what one may expect. */
  state: "ok" | "note" | "broken";
  message: string;
  /** The line that mends it. */
  fix?: string;
}

/** Examines an installation from the outside in; later checks need what earlier ones found. */
export async function examine(databaseUrl: string): Promise<Finding[]> {
  const sql = connect(databaseUrl, { max: 1, name: "carillon doctor" });
  const findings: Finding[] = [];
  const check = async (name: string, examineOne: () => Promise<Omit<Finding, "check">>) => {
    try {
      findings.push({ check: name, ...(await examineOne()) });
      return true;
    } catch (error) {
      if (!(error instanceof CarillonError)) throw error;
      const fix = error.hint === undefined ? {} : { fix: error.hint };
      findings.push({ check: name, state: "broken", message: error.message, ...fix });
      return false;
    }
  };
  try {
    const reached = await check("database", async () => ({
      state: "ok",
      message: `PostgreSQL ${await serverVersion(sql)}`,
    }));
    if (!reached) return findings;
    await check("pgmq", async () => {
      const version = await pgmqVersion(sql);
      if (version === null) {
        const hint = "carillon migrate";
        throw new CarillonError("pgmq_missing", "pgmq is not installed", { hint });
      }
      return { state: "ok", message: version === "sql" ? "installed as plain SQL" : version };
    });
    const installed = await check("schema", async () => {
      const ours = await committedMigrations();
      const applied = await appliedMigrations(sql);
      checkTracker(applied, ours);
      if (applied.length === ours.length) return { state: "ok", message: "up to date" };
      return {
        state: "broken",
        message: `${ours.length - applied.length} migrations behind`,
        fix: "carillon migrate",
      };
    });
    if (installed) {
      await check("pg_cron", async () => pgCronFinding(await pgCronStatus(sql)));
      await check("home", async () => {
        const { clone, home, here, held } = await cloneStatus(sql);
        if (!clone) return { state: "ok", message: "the schedules were made for this database" };
        const message = `a copy: made for ${home.database} of cluster ${home.systemIdentifier}, this is ${here.database} of ${here.systemIdentifier}`;
        const does = held ? "nothing fires" : "everything fires here too";
        return { state: "broken", message: `${message}; ${does}`, fix: "carillon release" };
      });
    }
    return findings;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

function pgCronFinding(status: PgCronStatus): Omit<Finding, "check"> {
  if (status.stuck) {
    return {
      state: "broken",
      message: `${status.driving} should drive and was last seen at ${status.lastSeenAt}; the ticker drives`,
      fix: "see that the server log has pg_cron's launcher running, or restart the server",
    };
  }
  if (status.driving !== null) {
    return { state: "ok", message: `${status.driving} drives with ${status.beats} beats` };
  }
  const note = "does not drive; the ticker of a worker or server does";
  return { state: "note", message: note, fix: "select carillon.enable_pg_cron();" };
}
