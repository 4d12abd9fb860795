import { z } from "zod";
import type { AuditRow } from "../../db/audit.js";
import { Time } from "./scalars.js";

const Fields = z.record(z.string(), z.unknown());

/** One change on record. Ids are as they were: what they name may be gone. */
export const AuditEntry = z.strictObject({
  id: z.int(),
  at: Time,
  action: z.string().describe("Such as cron.update, app.deploy, principal.grant."),
  appId: z.string().nullable().describe("The app it is about; null for the installation."),
  object: z
    .strictObject({ type: z.string(), id: z.string().nullable(), name: z.string().nullable() })
    .describe("What it was done to."),
  before: Fields.nullable().describe("What changed, as it was; null for what is new."),
  after: Fields.nullable().describe("What changed, as it became; null for what is gone."),
  actor: z.strictObject({
    kind: z.enum(["user", "service", "system", "database"]),
    id: z.string().nullable(),
    name: z.string().describe("The principal's name then; of kind database, the database role."),
  }),
  via: z
    .enum(["key", "token", "session", "sql", "system"])
    .describe("How the actor came: by an API key, a JWT, a session, in SQL, or by itself."),
  keyId: z.string().nullable(),
  keyPrefix: z.string().nullable(),
  databaseRole: z.string().describe("The database role of the connection that wrote it."),
  ip: z.string().nullable(),
  userAgent: z.string().nullable().describe("In SQL: the application_name."),
  requestId: z.string().nullable(),
  reason: z.string().nullable().describe("The header X-Carillon-Reason of the request."),
});

export const toAuditEntry = (row: AuditRow): z.input<typeof AuditEntry> => ({
  id: row.id,
  at: row.at.toISOString(),
  action: row.action,
  appId: row.appId,
  object: { type: row.action.split(".")[0] ?? "", id: row.objectId, name: row.objectName },
  before: row.before,
  after: row.after,
  actor: { kind: row.actorKind, id: row.actorId, name: row.actorName },
  via: row.via,
  keyId: row.keyId,
  keyPrefix: row.keyPrefix,
  databaseRole: row.databaseRole,
  ip: row.ip,
  userAgent: row.userAgent,
  requestId: row.requestId,
  reason: row.reason,
});
