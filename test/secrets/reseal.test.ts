import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, type Sql } from "../../src/db/connect.js";
import { fetchSecret, listStaleSecrets, resealSecret, setSecret } from "../../src/db/secrets.js";
import { Keyring } from "../../src/secrets/keyring.js";
import { resealAll } from "../../src/secrets/reseal.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";

let db: TestDatabase;
let sql: Sql;
beforeAll(async () => {
  db = await createTestDatabase();
  sql = connect(db.url, { max: 2 });
});
afterAll(async () => {
  await sql.end({ timeout: 5 });
  await db.drop();
});

const [old, young, lost] = [randomBytes(32), randomBytes(32), randomBytes(32)];
const before = new Keyring(old);
const during = new Keyring(young, old);
const after = new Keyring(young);

const set = (ring: Keyring, appId: string, name: string, value: string) =>
  setSecret(sql, appId, name, ring.seal({ kind: "secret", appId, name }, value));

async function open(ring: Keyring, appId: string, name: string) {
  const sealed = await fetchSecret(sql, appId, name);
  if (sealed === undefined) throw new Error(`no ${name}`);
  return ring.open({ kind: "secret", appId, name }, sealed);
}

test("everything is sealed by the new key, in batches, and what no key opens is told and kept", async () => {
  const names = Array.from({ length: 99 }, (_, at) => `S_${at}`);
  for (const app of ["crm", "billing"]) {
    await sql`select carillon.install_app(app => ${app})`;
    for (const name of names) await set(before, app, name, `${app} ${name}`);
  }
  await set(new Keyring(lost), "crm", "LOST", "gone");
  await set(during, "billing", "YOUNG", "new already");

  expect(await resealAll(sql, during)).toEqual({
    resealed: 198,
    unreadable: [
      {
        kind: "secret",
        appId: "crm",
        name: "LOST",
        why: expect.stringContaining("sealed by the key") as string,
      },
    ],
  });
  for (const app of ["crm", "billing"]) {
    for (const name of names) expect(await open(after, app, name)).toBe(`${app} ${name}`);
  }
  expect(await open(new Keyring(lost), "crm", "LOST")).toBe("gone");
  // Again, there is nothing to do.
  expect(await resealAll(sql, during)).toMatchObject({ resealed: 0 });
  const [{ n } = { n: 0 }] = await sql<{ n: number }[]>`
    select count(*) as n from carillon.audit_log where action = 'secret.reseal'`;
  expect(n).toBe(198);
});

test("a secret that was set since it was read stays as it was set", async () => {
  await sql`select carillon.install_app(app => 'race')`;
  await set(before, "race", "A", "old");
  const stale = (await listStaleSecrets(sql, during.keyId, undefined, 1000)).find(
    ({ appId }) => appId === "race",
  );
  if (stale === undefined) throw new Error("it is not stale");
  await set(during, "race", "A", "new");
  const place = { kind: "secret", appId: "race", name: "A" } as const;
  expect(await resealSecret(sql, stale, during.seal(place, "old"))).toBe(false);
  expect(await open(during, "race", "A")).toBe("new");
});
