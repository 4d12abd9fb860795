import { setTimeout } from "node:timers/promises";
import { CarillonError } from "../errors.js";
import { one, run, type Queryable } from "./connect.js";

/** Held for the whole of a deploy, so that concurrent ones queue up instead of failing. */
const DEPLOY_LOCK = "carillon.deploy";

/** Waits for the deploy lock of this session's database. */
export const lockDeploys = (sql: Queryable) =>
  run(sql`select pg_advisory_lock(hashtextextended(${DEPLOY_LOCK}, 0))`);

export const unlockDeploys = (sql: Queryable) =>
  run(sql`select pg_advisory_unlock(hashtextextended(${DEPLOY_LOCK}, 0))`);

/** A migration as graphile-migrate's tracker has it. */
export interface AppliedMigration {
  filename: string;
  hash: string;
}

/** What the tracker of this database holds, oldest first; nothing when there is no tracker. */
export const appliedMigrations = async (sql: Queryable): Promise<AppliedMigration[]> => {
  const { tracked } = await one<{ tracked: boolean }>(
    sql`select to_regclass('graphile_migrate.migrations') is not null as tracked`,
  );
  if (!tracked) return [];
  return await run(sql<AppliedMigration[]>`
    select filename, hash from graphile_migrate.migrations order by filename`);
};

/** Version of the server, such as "17.5". */
export const serverVersion = async (sql: Queryable): Promise<string> => {
  const row = await one<{ version: string }>(
    sql`select split_part(current_setting('server_version'), ' ', 1) as version`,
  );
  return row.version;
};

/** Whether the schema is there, whoever made it. */
export const schemaExists = async (sql: Queryable): Promise<boolean> => {
  const { there } = await one<{ there: boolean }>(
    sql`select to_regnamespace('carillon') is not null as there`,
  );
  return there;
};

/** Version of pgmq: of its extension, "sql" when installed as plain SQL, null when missing. */
export const pgmqVersion = async (sql: Queryable): Promise<string | null> => {
  const row = await one<{ version: string | null }>(sql`
    select coalesce(
      (select extversion from pg_catalog.pg_extension where extname = 'pgmq'),
      case when to_regprocedure('pgmq.create(text)') is not null then 'sql' end) as version`);
  return row.version;
};

/**
 * Makes sure pgmq is there: as it is, or by `create extension`, or by running its own SQL.
 *
 * @throws CarillonError `pgmq_missing` with the lines that mend it
 */
export async function ensurePgmq(sql: Queryable, plainSql?: () => Promise<string>): Promise<void> {
  if ((await pgmqVersion(sql)) !== null) return;
  const { available } = await one<{ available: boolean }>(sql`
    select exists (select from pg_catalog.pg_available_extensions where name = 'pgmq') as available`);
  if (available) await run(sql`create extension pgmq`);
  else if (plainSql) await run(sql.unsafe(await plainSql()));
  else {
    throw new CarillonError("pgmq_missing", "pgmq is not installed on this database server", {
      hint:
        "install the pgmq extension on the server, or give its SQL script: " +
        "carillon migrate --pgmq-sql pgmq.sql",
    });
  }
}

/** Waits until no session of this application name is left in this database. */
export async function untilDisconnected(sql: Queryable, application: string): Promise<void> {
  for (;;) {
    const { sessions } = await one<{ sessions: number }>(sql`
      select count(*) as sessions from pg_catalog.pg_stat_activity
      where application_name = ${application} and datname = current_database()`);
    if (sessions === 0) return;
    await setTimeout(20);
  }
}
