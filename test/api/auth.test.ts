import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateKey, hashKey, isKey } from "../../src/api/keys.js";
import { createApiKey, revokeApiKey } from "../../src/db/api-keys.js";
import { setPrincipalEnabled } from "../../src/db/principals.js";
import { problemOf, TestApi } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api[Symbol.asyncDispose]());

const APPS = "/api/v1/apps";
const withHeader = (authorization: string) =>
  api.request("GET", APPS, { headers: { authorization } });

describe("a key", () => {
  test("is 256 random bits, known by its hash", () => {
    const made = Array.from({ length: 100 }, () => generateKey());
    expect(new Set(made.map(({ key }) => key)).size).toBe(100);
    for (const { key, prefix, hash } of made) {
      expect(key).toMatch(/^crl_[A-Za-z0-9_-]{43}$/);
      expect(key.slice(4, 12)).toBe(prefix);
      expect(Buffer.from(hash)).toEqual(createHash("sha256").update(key).digest());
      expect(Buffer.from(hashKey(key))).toEqual(Buffer.from(hash));
      expect(isKey(key)).toBe(true);
    }
    expect(isKey("crl_short")).toBe(false);
  });

  test("opens the API, whatever the case of the word Bearer", async () => {
    for (const scheme of ["Bearer", "bearer", "BEARER"]) {
      expect((await withHeader(`${scheme} ${api.admin.key}`)).status).toBe(200);
    }
  });

  test("leaves the secret neither in the database nor in the log", async () => {
    await withHeader(`Bearer ${api.admin.key}`);
    const secret = api.admin.key.slice(4);
    expect(JSON.stringify(api.log)).not.toContain(secret);
    const rows = await api.sql<
      { k: string }[]
    >`select to_jsonb(k)::text as k from carillon.api_keys k`;
    expect(rows.length).toBeGreaterThan(0);
    expect(JSON.stringify(rows)).not.toContain(secret);
  });
});

describe("no good credentials get 401 and what is missing", () => {
  test("none at all", async () => {
    const answer = await api.request("GET", APPS);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="carillon"');
    expect(problemOf(answer)).toMatchObject({
      code: "unauthenticated",
      detail: "no credentials: this endpoint needs an API key (crl_…)",
      hint: "send the header Authorization: Bearer crl_…",
    });
  });

  test.each([
    ["another scheme", "Basic Ym9zczpib3Nz"],
    ["no token", "Bearer"],
    ["two tokens", `Bearer ${generateKey().key} ${generateKey().key}`],
    ["not a key", "Bearer hello"],
    ["a token of another kind", "Bearer eyJhbGciOiJIUzI1NiJ9.e30.x"],
    ["an unknown key", `Bearer ${generateKey().key}`],
    ["the bare key", generateKey().key],
    ["an injection", `Bearer ' or true --`],
  ])("%s", async (_, header) => {
    const answer = await withHeader(header);
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe(
      'Bearer realm="carillon", error="invalid_token"',
    );
    expect(answer.text).not.toContain("eyJ");
  });

  test("a revoked key, at once", async () => {
    const caller = await api.caller("revoked", []);
    expect((await api.as(caller, "GET", APPS)).status).toBe(200);
    await revokeApiKey(api.sql, caller.keyId);
    expect((await api.as(caller, "GET", APPS)).status).toBe(401);
  });

  test("an expired key", async () => {
    const caller = await api.caller("expired", []);
    const keyFor = async (expiresAt: string) => {
      const { key, prefix, hash } = generateKey();
      await createApiKey(api.sql, { principalId: caller.id, name: "k", prefix, hash, expiresAt });
      return key;
    };
    const past = await keyFor(new Date(Date.now() - 1000).toISOString());
    const future = await keyFor(new Date(Date.now() + 60_000).toISOString());
    expect((await withHeader(`Bearer ${past}`)).status).toBe(401);
    expect((await withHeader(`Bearer ${future}`)).status).toBe(200);
  });

  test("a disabled principal, until enabled again", async () => {
    const caller = await api.caller("disabled", []);
    await setPrincipalEnabled(api.sql, caller.id, false);
    expect((await api.as(caller, "GET", APPS)).status).toBe(401);
    await setPrincipalEnabled(api.sql, caller.id, true);
    expect((await api.as(caller, "GET", APPS)).status).toBe(200);
  });

  test("a deleted principal", async () => {
    const caller = await api.caller("deleted", []);
    await api.sql`select carillon.delete_principal(${caller.id})`;
    expect((await api.as(caller, "GET", APPS)).status).toBe(401);
  });
});

test("a body is not read before its sender may send it", async () => {
  const path = "/api/v1/apps/crm/crons";
  const body = "{ this is not JSON";
  expect((await api.request("POST", path, { body })).status).toBe(401);
  const stranger = await api.caller("stranger", []);
  expect((await api.as(stranger, "POST", path, { body })).status).toBe(403);
  expect((await api.as(api.admin, "POST", path, { body })).status).toBe(400);
});
