import { createApiKey, revokeApiKey } from "../../db/api-keys.js";
import { noteFailure, setBreaker } from "../../db/breakers.js";
import { linkIdentity } from "../../db/identities.js";
import { setJobRetention } from "../../db/retention.js";
import { setSecret } from "../../db/secrets.js";
import { generateKey } from "../../api/keys.js";
import { Keyring } from "../../secrets/keyring.js";
import { daysBefore, type Seeding } from "./seeding.js";

interface SeedKey {
  of: string;
  name: string;
  /** Days before now: made, ends, last used; negative is ahead. */
  made: number;
  ends?: number;
  used?: number;
  scopes?: string[];
  revoked?: boolean;
}

const KEYS: readonly SeedKey[] = [
  {
    ...{ of: "deploy-ci", name: "pipeline", made: 78, ends: -12, used: 0.4 },
    scopes: ["app:crm:manifest.write", "app:warehouse:manifest.write"],
  },
  { of: "deploy-ci", name: "pipeline-before", made: 380, ends: 20, used: 21 },
  { of: "grafana-reader", name: "panels", made: 200, used: 0.0002 },
  { of: "jonas.lindqvist", name: "old laptop", made: 390, used: 92, revoked: true },
  { of: "priya.raman", name: "month end", made: 30, ends: -60, scopes: ["app:billing:job.read"] },
];

const SECRETS = [
  { app: "billing", name: "PAYMENTS_TOKEN", made: 120, used: 0.01 },
  { app: "billing", name: "LEDGER_PASSWORD", made: 300, used: 0.3 },
  { app: "shop", name: "FEED_KEY", made: 44, used: undefined },
] as const;

/** How people and programs come in, what targets are trusted with, and how long things are kept. */
export async function giveAccess({ sql, clock, now, actors }: Seeding): Promise<void> {
  const jonas = actors["jonas.lindqvist"] ?? null;
  for (const { of, name, made, ends, used, scopes, revoked = false } of KEYS) {
    await clock.set(daysBefore(now, made));
    const { prefix, hash } = generateKey();
    const principalId = actors[of]?.principalId ?? "";
    const expiresAt = ends === undefined ? null : daysBefore(now, ends).toISOString();
    const id = await createApiKey(sql, { principalId, name, prefix, hash, expiresAt, scopes });
    if (used !== undefined) {
      await sql`update carillon.api_keys set last_used_at = ${daysBefore(now, used)} where id = ${id}`;
    }
    if (revoked) {
      await clock.set(daysBefore(now, 90));
      await revokeApiKey(sql, id, jonas);
    }
  }
  // Sealed by a key that nobody has: they are there to be seen, not to be used.
  const keyring = new Keyring(new Uint8Array(32));
  for (const { app, name, made, used } of SECRETS) {
    await clock.set(daysBefore(now, made));
    const sealed = keyring.seal({ kind: "secret", appId: app, name }, "larkfield");
    await setSecret(sql, app, name, sealed, jonas);
    if (used !== undefined) {
      await sql`update carillon.app_secrets set last_used_at = ${daysBefore(now, used)} where app_id = ${app} and name = ${name}`;
    }
  }
  await clock.set(daysBefore(now, 60));
  const people = { "maria.okafor": "9f4c1f6e", "hanna.virtanen": "1b07d3aa" };
  for (const [name, subject] of Object.entries(people)) {
    await linkIdentity(
      sql,
      actors[name]?.principalId ?? "",
      { issuer: "session", subject: `${subject}-2d61-4c7b-9a54-0d3c5be1f720` },
      jonas,
    );
  }
  await setJobRetention(
    sql,
    "shop",
    undefined,
    { days: 365, keepLast: null, keepFailed: 200 },
    jonas,
  );
  await setBreaker(sql, "shop", { failures: 5, coolDown: 120 }, jonas);
  await clock.set(new Date(now.getTime() - 48_000));
  const error = { class: "timeout", message: "no answer came in time" };
  for (let n = 0; n < 6; n++) {
    await noteFailure(sql, "shop", "https://feed.larkfield.example", error, {
      failures: 5,
      coolDown: 120,
    });
  }
}
