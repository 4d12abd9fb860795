import { acting } from "./audit.js";
import { one, run, type JsonObject, type Queryable } from "./connect.js";
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

/** Removes an app with its crons; its live jobs are canceled, its history stays. */
export const uninstallApp = (sql: Queryable, appId: string, actor: Actor | null = null) =>
  run(sql`select carillon.uninstall_app(app => ${appId}, ${acting(sql, actor)})`);
