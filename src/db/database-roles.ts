import { one, run, type Queryable } from "./connect.js";

/** As whom one is connected to the database. */
export interface DatabaseAccess {
  role: string;
  owner: boolean;
  /** Which of carillon_api, carillon_worker and carillon_dispatcher it is a member of. */
  groups: string[];
  /** The apps it is bound to; null is all of them. */
  apps: string[] | null;
  /** Functions that its groups should execute and cannot. */
  missing: string[];
}

export const databaseAccess = async (sql: Queryable) => {
  const row = await one<{ access: DatabaseAccess }>(
    sql`select carillon.database_access() as access`,
  );
  return row.access;
};

/** Makes the group roles of the API and of workers, with the rights of this version. */
export const createDatabaseRoles = (sql: Queryable) =>
  run(sql`select carillon.create_database_roles()`);

/** The same where it has been done before; whether it has. */
export const refreshDatabaseRoles = async (sql: Queryable) => {
  const row = await one<{ made: boolean }>(sql`select carillon.refresh_database_roles() as made`);
  return row.made;
};

/** Makes a database role that of workers of exactly these apps. */
export const bindWorkerRole = (sql: Queryable, role: string, apps: readonly string[]) =>
  run(sql`select carillon.bind_worker_role(role => ${role}, apps => ${[...apps]})`);
