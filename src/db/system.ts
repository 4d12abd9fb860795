import { acting } from "./audit.js";
import { one, run, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** What one tick of the ticker did. */
export interface TickResult {
  leader: boolean;
  fired?: number;
  failed?: number;
  /** More was due than one transaction decides: tick again at once. */
  more?: boolean;
  /** Nothing fires: this database is a copy, and held. */
  held?: boolean;
  /** This database is a copy of the one the schedules were made for. */
  clone?: boolean;
  /** pg_cron should drive and does not. */
  pgCronStuck?: boolean;
}

/** Whether this database is the one its schedules were made for. */
export interface CloneStatus {
  home: { systemIdentifier: string; database: string };
  here: { systemIdentifier: string; database: string };
  clone: boolean;
  onClone: "warn" | "hold";
  held: boolean;
}

/** What pg_cron is to this database. */
export interface PgCronStatus {
  /** Version the server could install; null when its package is missing. */
  available: string | null;
  loaded: boolean;
  /** The one database pg_cron lives in. */
  database: string | null;
  /** Version that drives this database; null while the ticker does. */
  driving: string | null;
  /** When pg_cron last swept; null while it does not drive. */
  lastSeenAt: string | null;
  /** It should drive and does not: its launcher is dead, stuck or switched off. */
  stuck: boolean;
  beats: number;
}

/** What tells this database apart from every other, its copies included. */
export const databaseIdentity = async (sql: Queryable) => {
  const row = await one<{ identity: string }>(sql`select carillon.database_identity() as identity`);
  return row.identity;
};

/** Decides what is due, once: the ticker's statement. */
export const tick = async (sql: Queryable) => {
  const row = await one<{ result: TickResult }>(sql`select carillon.tick() as result`);
  return row.result;
};

/**
 * The same, and in how many seconds these apps' next job comes due (null: none waits): all that an
 * idle worker has to ask, in one statement.
 */
export const tickAndLook = (sql: Queryable, apps: readonly string[]) =>
  one<{ result: TickResult; seconds: number | null }>(sql`
    select carillon.tick() as result, carillon.next_job_in(apps => ${[...apps]}) as seconds`);

/** Lets pg_cron drive this database; its version. TK901 says what is missing. */
export const enablePgCron = async (sql: Queryable) => {
  const row = await one<{ version: string }>(sql`select carillon.enable_pg_cron() as version`);
  return row.version;
};

export const disablePgCron = (sql: Queryable) => run(sql`select carillon.disable_pg_cron()`);

export const pgCronStatus = async (sql: Queryable) => {
  const row = await one<{ status: PgCronStatus }>(sql`select carillon.pg_cron_status() as status`);
  return row.status;
};

export const cloneStatus = async (sql: Queryable) => {
  const row = await one<{ status: CloneStatus }>(sql`select carillon.clone_status() as status`);
  return row.status;
};

/** Makes this database the home of its schedules: they fire here from now on. */
export const releaseClone = async (sql: Queryable, actor: Actor | null = null) => {
  const row = await one<{ status: CloneStatus }>(sql`
    select carillon.release_clone(${acting(sql, actor)}) as status`);
  return row.status;
};

/** What a copy of this database does until it is released. */
export const setOnClone = (sql: Queryable, policy: "warn" | "hold") =>
  run(sql`select carillon.set_on_clone(policy => ${policy})`);

/** Answers when the database does and Carillon is installed in it. */
export const ping = async (sql: Queryable) => {
  await one(sql`select carillon.now()`);
};
