import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { noteFailure } from "../../src/db/breakers.js";
import { fetchSecret, setSecret } from "../../src/db/secrets.js";
import { Keyring } from "../../src/secrets/keyring.js";
import { TestApi } from "../api/api.js";
import { json, run } from "./cli.js";

vi.setConfig({ testTimeout: 120_000 });

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
});
afterAll(() => api[Symbol.asyncDispose]());

const asAdmin = () => ({
  env: { CARILLON_URL: api.server.url, CARILLON_KEY: api.admin.key, CARILLON_APP: "crm" },
});

/** What the database has, by its length: the API's key is the API's. */
const lengthOf = async (name: string) =>
  ((await fetchSecret(api.sql, "crm", name))?.ciphertext.length ?? 0) - 16;

test("secrets are set from the standard input, listed and deleted", async () => {
  const empty = await run(["secrets", "list"], asAdmin());
  expect(empty.stdout).toBe("no secrets\n");
  const set = await run(["secrets", "set", "TOKEN"], { ...asAdmin(), input: "swordfish\n" });
  expect(set).toEqual({ code: 0, stdout: "set TOKEN of crm\n", stderr: "" });
  expect(await lengthOf("TOKEN")).toBe("swordfish".length);
  // One line break at the end is the shell's; all else is the secret's.
  await json(["secrets", "set", "PEM"], { ...asAdmin(), input: "-----\nüber\n\n" });
  expect(await lengthOf("PEM")).toBe(Buffer.byteLength("-----\nüber\n"));
  expect(await json(["secrets", "list"], asAdmin())).toMatchObject([
    { name: "PEM" },
    { name: "TOKEN", lastUsedAt: expect.any(String) as string },
  ]);
  const unsure = await run(["secrets", "delete", "TOKEN"], asAdmin());
  expect(unsure).toMatchObject({ code: 2, stdout: "" });
  const gone = await run(["secrets", "delete", "TOKEN", "--yes"], asAdmin());
  expect(gone.stdout).toBe("deleted TOKEN\n");
  const again = await run(["secrets", "delete", "TOKEN", "--yes"], asAdmin());
  expect(again.code).toBe(3);
  expect(again.stderr).toContain('the app "crm" has no secret named TOKEN');
});

test("a value that is none, or given as an argument, is refused and not repeated", async () => {
  const none = await run(["secrets", "set", "TOKEN"], asAdmin());
  expect(none).toMatchObject({ code: 2, stdout: "" });
  expect(none.stderr).toContain("value must not be empty");
  const argued = await run(["secrets", "set", "TOKEN", "swordfish"], asAdmin());
  expect(argued.code).toBe(2);
  expect(argued.stderr).not.toContain("swordfish");
});

test("signing keys are rotated and listed, and broken targets listed and reset", async () => {
  const made = await run(["signing-keys", "rotate"], asAdmin());
  expect(made.stdout).toMatch(/^whsec_[A-Za-z0-9+/]{43}=\n$/);
  const first = await json<{ id: string }[]>(["signing-keys", "list"], asAdmin());
  await run(["signing-keys", "rotate", "--overlap", "1h"], asAdmin());
  const both = await json<{ id: string; expiresAt: string | null }[]>(
    ["signing-keys", "list"],
    asAdmin(),
  );
  expect(both).toMatchObject([{ expiresAt: null }, { id: first[0]?.id }]);
  expect(Date.parse(both[1]?.expiresAt ?? "") - Date.now()).toBeLessThanOrEqual(3_600_000);

  const error = { class: "connect", message: "nobody listens" };
  const rule = { failures: 1, coolDown: 60 };
  for (const key of ["https://a.example", "https://b.example"]) {
    await noteFailure(api.sql, "crm", key, error, rule);
  }
  const listed = await run(["targets", "list"], asAdmin());
  expect(listed.stdout).toMatch(/^https:\/\/a\.example +open +1 .+ connect: nobody listens$/m);
  const one = await run(["targets", "reset", "https://a.example"], asAdmin());
  expect(one.stdout).toBe("reset 1\n");
  expect(await json(["targets", "reset"], asAdmin())).toEqual({ reset: 1 });
  expect((await run(["targets", "list"], asAdmin())).stdout).toBe("no broken targets\n");
});

test("everything is encrypted anew by a new key", async () => {
  const [old, young] = [randomBytes(32), randomBytes(32)];
  const place = { kind: "secret", appId: "crm", name: "MOVED" } as const;
  await setSecret(api.sql, "crm", "MOVED", new Keyring(old).seal(place, "swordfish"));
  await api.sql`delete from carillon.app_secrets where name <> 'MOVED'`;
  await api.sql`delete from carillon.signing_keys`;
  const env = { DATABASE_URL: api.db.url, CARILLON_SECRETS_KEY: young.toString("base64") };
  const blind = await run(["secrets", "reencrypt"], { env });
  expect(blind).toMatchObject({ code: 1, stdout: "encrypted anew: 0\n" });
  expect(blind.stderr).toContain("not read: MOVED of crm: it is sealed by the key");
  const both = { ...env, CARILLON_SECRETS_KEY_PREVIOUS: old.toString("base64") };
  expect(await json(["secrets", "reencrypt"], { env: both })).toEqual({
    resealed: 1,
    unreadable: [],
  });
  const sealed = await fetchSecret(api.sql, "crm", "MOVED");
  expect(sealed && new Keyring(young).open(place, sealed)).toBe("swordfish");
  const off = await run(["secrets", "reencrypt"], { env: { DATABASE_URL: api.db.url } });
  expect(off).toMatchObject({ code: 5, stdout: "" });
  expect(off.stderr).toContain("CARILLON_SECRETS_KEY is not set");
  const bad = await run(["serve"], { env: { ...env, CARILLON_SECRETS_KEY: "c2hvcnQ=" } });
  expect(bad.code).toBe(2);
  expect(bad.stderr).toContain("CARILLON_SECRETS_KEY must be 32 bytes in base64, and is 5 bytes");
});
