import { afterAll, beforeAll, expect, test } from "vitest";
import { SecretStore } from "../../src/secrets/app-secrets.js";
import { problemOf, TestApi } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
});
afterAll(() => api[Symbol.asyncDispose]());

const ALL = "/api/v1/apps/crm/signing-keys";
const rotate = (body?: object, headers = {}) =>
  api.as(api.admin, "POST", `${ALL}/rotate`, { ...(body ? { body } : {}), headers });

interface Made {
  id: string;
  secret: string;
}
interface Listed {
  items: { id: string; expiresAt: string | null }[];
}

test("a signing key is shown when it is made, and then signs, first alone, then beside the next", async () => {
  const signing = () => new SecretStore({ sql: api.sql, keyring: api.keyring }).of("crm").signing();
  expect((await api.as(api.admin, "GET", ALL)).body).toEqual({ items: [] });
  const first = await rotate();
  expect(first.status).toBe(201);
  expect(first.body).toEqual({
    id: expect.any(String) as string,
    secret: expect.stringMatching(/^whsec_[A-Za-z0-9+/]{43}=$/) as string,
    createdAt: expect.any(String) as string,
    createdBy: api.admin.id,
    expiresAt: null,
  });
  const [one, two] = [first.body as Made, (await rotate({ overlap: 3600 })).body as Made];
  expect(await signing()).toEqual([two.secret, one.secret]);
  const listed = await api.as(api.admin, "GET", ALL);
  const { items } = listed.body as Listed;
  expect(items.map(({ id }) => id)).toEqual([two.id, one.id]);
  expect(items[0]?.expiresAt).toBeNull();
  const left = Date.parse(items[1]?.expiresAt ?? "") - Date.now();
  expect(left).toBeGreaterThan(3_500_000);
  expect(left).toBeLessThanOrEqual(3_600_000);
  expect(listed.text).not.toContain("whsec_");
  const three = (await rotate({ overlap: 0 })).body as Made;
  expect(await signing()).toEqual([three.secret]);
});

test("its making is answered once; the record of the answer has nothing of it", async () => {
  const key = { "idempotency-key": "rotate" };
  const made = await rotate(undefined, key);
  const { secret } = made.body as Made;
  const again = await rotate(undefined, key);
  expect([again.status, problemOf(again).code]).toEqual([409, "idempotency_conflict"]);
  expect(again.text).not.toContain("whsec_");
  const [record] = await api.sql`select answer from carillon.requests where line like '%rotate'`;
  expect(record).toEqual({ answer: null });
  const stored = await api.db.sql<{ t: string }[]>`
    select t::text as t from carillon.signing_keys t
    union all select t::text from carillon.audit_log t`;
  const all = stored.map(({ t }) => t).join("\n") + JSON.stringify(api.log);
  for (const form of [secret, secret.slice(6), Buffer.from(secret).toString("hex")]) {
    expect(all).not.toContain(form);
  }
});

test.for([{ overlap: -1 }, { overlap: 2_592_001 }, { overlap: "1h" }, { until: 1 }])(
  "%j is refused",
  async (body) => {
    expect((await rotate(body)).status).toBe(400);
  },
);
