import { z } from "zod";
import type { KeyRow } from "../../db/api-keys.js";
import type { PrincipalRow } from "../../db/principals.js";
import type { RoleRow } from "../../db/roles.js";
import { Time, timeOrNull, Uuid } from "./scalars.js";

/** A permission as it is held: exact, everything (`*`), or everything under a prefix (`app:crm:*`). */
export const Permission = z
  .string()
  .max(200)
  .regex(/^(\*|[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)*(:\*)?)$/, {
    error: "must be a permission, for example app:crm:cron.read, app:crm:*, or *",
  });

export const Username = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}$/, {
  error:
    'must be 1 to 128 letters, digits, dots, dashes, underscores, "+" or "@", beginning with a letter or digit',
});

export const RoleName = z.string().regex(/^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$/, {
  error: "must be 1 to 128 letters, digits, dots, colons, dashes or underscores",
});

export const Kind = z.enum(["user", "service", "system"]);

/** A user or service account. */
export const Principal = z.strictObject({
  id: Uuid,
  kind: Kind,
  username: z.string(),
  enabled: z.boolean(),
  disabledAt: Time.nullable(),
  createdAt: Time,
  roles: z.array(z.string()),
  permissions: z
    .array(z.string())
    .describe("All that its roles grant; nothing while it is disabled."),
});

export const toPrincipal = (row: PrincipalRow): z.input<typeof Principal> => ({
  id: row.id,
  kind: row.kind,
  username: row.username,
  enabled: row.enabled,
  disabledAt: timeOrNull(row.disabledAt),
  createdAt: row.createdAt.toISOString(),
  roles: row.roles,
  permissions: row.permissions,
});

/** A named set of permissions. */
export const Role = z.strictObject({
  name: z.string(),
  appId: z.string().nullable().describe("The app it came with, and goes with."),
  permissions: z.array(z.string()).describe("What it grants itself."),
  inherits: z.array(z.string()).describe("The roles all of whose permissions it grants besides."),
  granted: z.array(z.string()).describe("All that it grants."),
  members: z.int().describe("How many principals hold it."),
  createdAt: Time,
});

export const toRole = (row: RoleRow): z.input<typeof Role> => ({
  name: row.name,
  appId: row.appId,
  permissions: row.permissions,
  inherits: row.inherits,
  granted: row.granted,
  members: row.members,
  createdAt: row.createdAt.toISOString(),
});

/** An API key, without its secret. */
export const Key = z.strictObject({
  id: Uuid,
  principalId: Uuid,
  username: z.string().describe("Whose key it is."),
  name: z.string(),
  prefix: z.string().describe("The first 8 characters after crl_, to tell keys apart."),
  scopes: z
    .array(z.string())
    .nullable()
    .describe("What it carries of its principal's permissions; null is all of them."),
  mintsKeys: z.boolean().describe("Whether keys may be made with it: the bootstrap key's alone."),
  status: z.enum(["active", "expired", "revoked", "disabled"]),
  createdBy: Uuid.nullable().describe("Who made it; null for one made in the database."),
  createdAt: Time,
  expiresAt: Time.nullable(),
  revokedAt: Time.nullable(),
  lastUsedAt: Time.nullable().describe("Precise to a minute."),
});

export const toKey = (row: KeyRow): z.input<typeof Key> => ({
  id: row.id,
  principalId: row.principalId,
  username: row.username,
  name: row.name,
  prefix: row.prefix,
  scopes: row.scopes,
  mintsKeys: row.mintsKeys,
  status: row.status,
  createdBy: row.createdBy,
  createdAt: row.createdAt.toISOString(),
  expiresAt: timeOrNull(row.expiresAt),
  revokedAt: timeOrNull(row.revokedAt),
  lastUsedAt: timeOrNull(row.lastUsedAt),
});
