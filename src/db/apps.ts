import { acting } from "./audit.js";
import { json, one, run, type JsonObject, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

export interface AppRow {
  id: string;
  name: string | null;
  manifest: JsonObject;
  permissions: string[];
  /** What makes it an agent; null for an app that is none. */
  agent: JsonObject | null;
  maxConcurrency: number | null;
  createdAt: Date;
  updatedAt: Date;
}

export const listApps = (sql: Queryable) => run(sql<AppRow[]>`select * from carillon.list_apps()`);

/** One app; TK101 when it is not installed. */
export const getApp = (sql: Queryable, appId: string) =>
  one<AppRow>(sql`select * from carillon.get_app(app => ${appId})`);

/** What can be changed of an app without a deploy; null resets a field. */
export interface AppChanges {
  name?: string | null | undefined;
  agent?: boolean | JsonObject | null | undefined;
  maxConcurrency?: number | null | undefined;
}

/** Changes the given fields of an app. */
export const patchApp = (
  sql: Queryable,
  appId: string,
  patch: AppChanges,
  actor: Actor | null = null,
) =>
  one<AppRow>(sql`
    select * from carillon.patch_app(
      app => ${appId}, patch => ${json(sql, patch)}, ${acting(sql, actor)})`);

/** Removes an app with its crons; its live jobs are canceled, its history stays. */
export const uninstallApp = (sql: Queryable, appId: string, actor: Actor | null = null) =>
  run(sql`select carillon.uninstall_app(app => ${appId}, ${acting(sql, actor)})`);

/** Whether the first apps are to be installed by this transaction; true once in a database's life. */
export const beginSeed = async (sql: Queryable) => {
  const row = await one<{ begun: boolean }>(sql`select carillon.begin_seed() as begun`);
  return row.begun;
};
