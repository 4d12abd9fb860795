import { one, run, type Queryable } from "./connect.js";

/** What one tick of the ticker did. */
export interface TickResult {
  leader: boolean;
  fired?: number;
  failed?: number;
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
  beats: number;
}

/** Decides what is due, once: the ticker's statement. */
export const tick = async (sql: Queryable) => {
  const row = await one<{ result: TickResult }>(sql`select carillon.tick() as result`);
  return row.result;
};

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

/** Answers when the database does and Carillon is installed in it. */
export const ping = async (sql: Queryable) => {
  await one(sql`select carillon.now()`);
};
