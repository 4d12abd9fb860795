import { z } from "zod";
import type { SecretRow } from "../../db/secrets.js";
import type { SigningKeyRow } from "../../db/signing-keys.js";
import { Time, timeOrNull, Uuid } from "./scalars.js";

export const SecretName = z
  .string()
  .regex(/^[A-Z][A-Z0-9_]{0,63}$/, {
    error:
      "must be 1 to 64 upper-case letters, digits and underscores, beginning with a letter, for example HOOK_TOKEN",
  })
  .meta({ examples: ["HOOK_TOKEN"] });

/** Bytes a secret may have. */
const MOST_BYTES = 65_536;

export const SecretValue = z
  .string()
  .min(1)
  .refine((value) => Buffer.byteLength(value) <= MOST_BYTES, {
    error: "must be at most 64 KiB in UTF-8",
  });

/** A secret, without its value. */
export const Secret = z.strictObject({
  name: z.string(),
  createdAt: Time,
  createdBy: Uuid.nullable().describe("Null for who is gone."),
  updatedAt: Time,
  updatedBy: Uuid.nullable(),
  lastUsedAt: Time.nullable().describe("When a job last needed it; precise to a minute."),
});

export const toSecret = (row: SecretRow): z.input<typeof Secret> => ({
  name: row.name,
  createdAt: row.createdAt.toISOString(),
  createdBy: row.createdBy,
  updatedAt: row.updatedAt.toISOString(),
  updatedBy: row.updatedBy,
  lastUsedAt: timeOrNull(row.lastUsedAt),
});

/** A signing key, without itself. */
export const SigningKey = z.strictObject({
  id: Uuid,
  createdAt: Time,
  createdBy: Uuid.nullable().describe("Null where a dispatcher needed one."),
  expiresAt: Time.nullable().describe("Until when it signs; null for the current one."),
});

export const toSigningKey = (row: SigningKeyRow): z.input<typeof SigningKey> => ({
  id: row.id,
  createdAt: row.createdAt.toISOString(),
  createdBy: row.createdBy,
  expiresAt: timeOrNull(row.expiresAt),
});
