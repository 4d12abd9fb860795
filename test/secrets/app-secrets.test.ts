import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { connect, type Sql } from "../../src/db/connect.js";
import { deleteSecret, setSecret } from "../../src/db/secrets.js";
import { listSigningKeys, rotateSigningKey } from "../../src/db/signing-keys.js";
import { SecretStore } from "../../src/secrets/app-secrets.js";
import { Keyring } from "../../src/secrets/keyring.js";
import { resealAll } from "../../src/secrets/reseal.js";
import { newSigningKey } from "../../src/secrets/signing-key.js";
import { AllowList } from "../../src/targets/http/allow.js";
import { HttpTarget } from "../../src/targets/http/target.js";
import { verifyWebhook } from "../../src/targets/http/verify.js";
import type { Secrets } from "../../src/targets/types.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";
import { Endpoint } from "../targets/http/endpoint.js";
import { context, job } from "../targets/support.js";

let db: TestDatabase;
let sql: Sql;
const keyring = new Keyring(randomBytes(32));

beforeAll(async () => {
  db = await createTestDatabase();
  sql = connect(db.url, { max: 4 });
  for (const app of ["crm", "billing", "new", "many"]) {
    await sql`select carillon.install_app(app => ${app})`;
  }
});
afterAll(async () => {
  await sql.end({ timeout: 5 });
  await db.drop();
});

const set = (appId: string, name: string, value: string, ring = keyring) =>
  setSecret(sql, appId, name, ring.seal({ kind: "secret", appId, name }, value));
const store = (rememberMs = 60_000) => new SecretStore({ sql, keyring, rememberMs });

/** What a statement made of a table's row: how often it was written. */
const fetches = async (name: string) => {
  const rows = await sql<{ lastUsedAt: Date | null }[]>`
    select last_used_at from carillon.app_secrets where name = ${name}`;
  return rows[0]?.lastUsedAt ?? null;
};

describe("an app's secrets", () => {
  test("are its own, opened", async () => {
    await set("crm", "TOKEN", "swordfish");
    await set("billing", "TOKEN", "marlin");
    const all = store();
    expect(await all.of("crm").get("TOKEN")).toBe("swordfish");
    expect(await all.of("billing").get("TOKEN")).toBe("marlin");
    expect(await all.of("crm").get("NONE")).toBeUndefined();
    expect(await fetches("TOKEN")).not.toBeNull();
  });

  test("are remembered, asked for once however many need one, and forgotten in time", async () => {
    await set("crm", "KEPT", "one");
    const secrets = store().of("crm");
    const all = await Promise.all(Array.from({ length: 50 }, () => secrets.get("KEPT")));
    expect(new Set(all)).toEqual(new Set(["one"]));
    await set("crm", "KEPT", "two");
    await deleteSecret(sql, "crm", "TOKEN");
    expect(await secrets.get("KEPT")).toBe("one");
    const forgetful = store(0).of("crm");
    expect(await forgetful.get("KEPT")).toBe("two");
    await set("crm", "KEPT", "three");
    expect(await forgetful.get("KEPT")).toBe("three");
  });

  test("that are missing are found as soon as they are set", async () => {
    const secrets = store().of("crm");
    expect(await secrets.get("LATE")).toBeUndefined();
    await set("crm", "LATE", "here");
    expect(await secrets.get("LATE")).toBe("here");
  });

  test("that cannot be read are told by name and reason", async () => {
    const other = new Keyring(randomBytes(32));
    await set("crm", "ALIEN", "swordfish", other);
    await expect(store().of("crm").get("ALIEN")).rejects.toMatchObject({
      class: "secret_unreadable",
      message: `the secret ALIEN cannot be read: it is sealed by the key ${other.keyId}, which is neither CARILLON_SECRETS_KEY nor CARILLON_SECRETS_KEY_PREVIOUS`,
    });
    const blind = new SecretStore({ sql, keyring: undefined }).of("crm");
    await expect(blind.get("ALIEN")).rejects.toMatchObject({
      class: "secret_unreadable",
      message: "the secret ALIEN cannot be read: the dispatcher has no CARILLON_SECRETS_KEY",
    });
    expect(await blind.get("NONE")).toBeUndefined();
    // A row that somebody copied from another app.
    await sql`
      insert into carillon.app_secrets
      select (jsonb_populate_record(s, '{"app_id": "billing"}')).* from carillon.app_secrets s
      where app_id = 'crm' and name = 'KEPT'`;
    await expect(store().of("billing").get("KEPT")).rejects.toThrow(
      "the secret KEPT cannot be read: it was changed, or belongs to another app or name",
    );
  });
});

describe("an app's signing keys", () => {
  test("are made when first needed, one for all dispatchers, and rotated with an overlap", async () => {
    const stores = Array.from({ length: 4 }, () => store(0).of("new"));
    const all = await Promise.all(stores.map((secrets) => secrets.signing()));
    const [first = ""] = all[0] ?? [];
    expect(all).toEqual(stores.map(() => [first]));
    expect(first).toMatch(/^whsec_[A-Za-z0-9+/]{43}=$/);
    expect(await listSigningKeys(sql, "new")).toHaveLength(1);
    const { secret, sealed } = newSigningKey(keyring, "new");
    await rotateSigningKey(sql, "new", sealed, 60);
    expect(await stores[0]?.signing()).toEqual([secret, first]);
    await rotateSigningKey(sql, "new", newSigningKey(keyring, "new").sealed, 0);
    expect(await stores[0]?.signing()).toHaveLength(1);
  });

  test("are none without a key to seal by; those that are there then cannot be read", async () => {
    const blind = new SecretStore({ sql, keyring: undefined, rememberMs: 0 });
    expect(await blind.of("many").signing()).toEqual([]);
    await store().of("many").signing();
    await expect(blind.of("many").signing()).rejects.toMatchObject({ class: "secret_unreadable" });
  });

  test("are sealed anew with the secrets", async () => {
    const [old, young] = [randomBytes(32), randomBytes(32)];
    await sql`select carillon.install_app(app => 'resealed')`;
    const before = new SecretStore({ sql, keyring: new Keyring(old) }).of("resealed");
    const keys = await before.signing();
    const { resealed } = await resealAll(sql, new Keyring(young, old));
    expect(resealed).toBe(1);
    const after = new SecretStore({ sql, keyring: new Keyring(young) }).of("resealed");
    expect(await after.signing()).toEqual(keys);
  });
});

describe("an HTTP target", () => {
  async function call(secrets: Secrets, headers: Record<string, string> = {}) {
    await using endpoint = await Endpoint.start();
    await using target = new HttpTarget({
      allow: new AllowList(`127.0.0.1:${endpoint.port}`),
      version: "0",
    });
    const spec = { type: "http", url: endpoint.url, headers } as const;
    const outcome = await target.run(spec, job(), { ...context(), secrets });
    return { outcome, received: endpoint.received };
  }

  test("sends what the app keeps secret, signed by what the app was given", async () => {
    const { secret, sealed } = newSigningKey(keyring, "crm");
    await rotateSigningKey(sql, "crm", sealed, 0);
    await set("crm", "HOOK", "swordfish");
    const { outcome, received } = await call(store().of("crm"), {
      Authorization: "Bearer {{secret.HOOK}}",
    });
    expect(outcome.status).toBe("completed");
    expect(JSON.stringify(outcome)).not.toContain("swordfish");
    const [{ headers, body } = { headers: {}, body: "" }] = received;
    expect(headers).toMatchObject({ authorization: "Bearer swordfish" });
    expect(await verifyWebhook({ secrets: secret, headers, body })).toBe(job().key);
  });

  test("fails at once, by name, for a secret that is missing or cannot be read, and calls nobody", async () => {
    const refers = { "X-Key": "{{secret.NEVER_SET}}" };
    const missing = await call(store().of("crm"), refers);
    expect(missing.received).toEqual([]);
    expect(missing.outcome).toMatchObject({
      status: "failed",
      error: { class: "secret_missing", message: "the app has no secret named NEVER_SET" },
      retryable: false,
      broken: false,
    });
    await set("crm", "LOCKED", "swordfish", new Keyring(randomBytes(32)));
    const locked = await call(store().of("crm"), { "X-Key": "{{secret.LOCKED}}" });
    expect(locked.received).toEqual([]);
    // The operator can mend it, so the job may try again.
    expect(locked.outcome).toMatchObject({
      status: "failed",
      error: { class: "secret_unreadable" },
      retryable: true,
      broken: false,
    });
  });
});
