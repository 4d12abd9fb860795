import { json, run, type JsonObject, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** Where a change comes from, for the audit log. */
export interface Origin {
  via: "key" | "token" | "session";
  keyId: string | null;
  ip: string | null;
  userAgent: string | null;
  requestId: string;
  /** Why, in the caller's own words. */
  reason: string | null;
}

/**
 * The arguments `actor` and `actor_scopes` of a changing call. Being evaluated before the call, they
 * tell the audit log where the actor comes from in the very same statement: no transaction is needed
 * and nothing is left on a pooled connection.
 */
export const acting = (sql: Queryable, actor: Actor | null) => sql`
  actor => carillon.acting(
    principal => ${actor?.principalId ?? null}, origin => ${actor?.origin ? json(sql, actor.origin) : null}),
  actor_scopes => ${actor?.scopes ?? null}`;

/** A row of the audit log. */
export interface AuditRow {
  id: number;
  at: Date;
  action: string;
  appId: string | null;
  objectId: string | null;
  objectName: string | null;
  before: JsonObject | null;
  after: JsonObject | null;
  actorId: string | null;
  actorName: string;
  actorKind: "user" | "service" | "system" | "database";
  via: "key" | "token" | "session" | "sql" | "system";
  keyId: string | null;
  keyPrefix: string | null;
  databaseRole: string;
  ip: string | null;
  userAgent: string | null;
  requestId: string | null;
  reason: string | null;
}

export interface AuditFilter {
  appId?: string | undefined;
  cronId?: string | undefined;
  /** Name or id of a principal, or a database role. */
  actor?: string | undefined;
  /** `cron.update`, or `cron.*`. */
  action?: string | undefined;
  from?: string | undefined;
  to?: string | undefined;
  /** The cursor: rows after this one. */
  after?: number | undefined;
  limit: number;
}

/** The audit log, newest first. */
export const listAudit = (sql: Queryable, filter: AuditFilter) =>
  run(sql<AuditRow[]>`
    select * from carillon.list_audit(
      app => ${filter.appId ?? null}, cron => ${filter.cronId ?? null}, actor => ${filter.actor ?? null},
      action => ${filter.action ?? null}, from_at => ${filter.from ?? null}::text::timestamptz,
      to_at => ${filter.to ?? null}::text::timestamptz, after => ${filter.after ?? null},
      max_rows => ${filter.limit})`);
