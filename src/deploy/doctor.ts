import { connect, type Queryable } from "../db/connect.js";
import { databaseAccess, type DatabaseAccess } from "../db/database-roles.js";
import { listAttention } from "../db/overview.js";
import { appliedMigrations, pgmqVersion, serverVersion } from "../db/schema.js";
import { cloneStatus, pgCronStatus, type PgCronStatus } from "../db/system.js";
import { listWorkers, type WorkerRow } from "../db/workers.js";
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
    // Who is not the owner cannot see what follows, and need not: it is the owner's to mend.
    const access = await accessOf(sql);
    if (access !== undefined && access !== "owner") {
      findings.push({ check: "role", ...access });
      return findings;
    }
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
      await check("workers", async () => {
        const { items } = await listAttention(sql, undefined, null);
        const untaken = items.filter(({ kind }) => kind === "no_worker").map(({ text }) => text);
        return workersFinding(await listWorkers(sql, undefined, null), untaken);
      });
    }
    return findings;
  } finally {
    await sql.end({ timeout: 5 });
  }
}

/** What the role one is connected as may do; undefined where Carillon is not installed. */
async function accessOf(sql: Queryable): Promise<Omit<Finding, "check"> | "owner" | undefined> {
  try {
    const access = await databaseAccess(sql);
    return access.owner ? "owner" : roleFinding(access);
  } catch (error) {
    if (!(error instanceof CarillonError)) throw error;
    if (error.code !== "database_denied") return undefined;
    return {
      state: "broken",
      message: "this database role may do nothing here",
      fix: "as the owner: carillon migrate --roles; then for the API: grant carillon_api to …; for a worker: select carillon.bind_worker_role(role => '…', apps => '{…}')",
    };
  }
}

function roleFinding({ role, groups, apps, missing }: DatabaseAccess): Omit<Finding, "check"> {
  if (missing.length > 0) {
    const message = `${role} lacks what this version needs: ${missing.join(", ")}`;
    return { state: "broken", message, fix: "as the owner: carillon migrate --roles" };
  }
  if (apps?.length === 0) {
    const fix = `as the owner: select carillon.bind_worker_role(role => '${role}', apps => '{…}')`;
    return { state: "broken", message: `${role} is bound to no app`, fix };
  }
  const where = apps === null ? "all apps" : apps.join(", ");
  return { state: "ok", message: `${role} is in ${groups.join(" and ")}, for ${where}` };
}

/** @param untaken which jobs nobody takes, a sentence for each app */
function workersFinding(
  rows: readonly WorkerRow[],
  untaken: readonly string[],
): Omit<Finding, "check"> {
  const fix = "carillon worker --app … module.js; for jobs with targets: carillon dispatch";
  if (untaken.length > 0) return { state: "broken", message: untaken.join("; "), fix };
  const there = rows.filter((row) => row.there);
  if (there.length === 0) {
    return { state: "note", message: "no worker is there, nor a dispatcher", fix };
  }
  const names = there.map(({ name, kind, apps }) => {
    const of = apps === null ? "all apps" : apps.join(", ");
    return `${kind} ${name} of ${of}`;
  });
  const [shown, more] = [names.slice(0, 10).join("; "), names.length - 10];
  return { state: "ok", message: more > 0 ? `${shown}; and ${more} more` : shown };
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
