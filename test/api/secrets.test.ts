import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../src/api/server.js";
import { connect } from "../../src/db/connect.js";
import { fetchSecret } from "../../src/db/secrets.js";
import { Keyring } from "../../src/secrets/keyring.js";
import { type Caller, problemOf, TestApi } from "./api.js";
import { Proxy } from "./proxy.js";

let api: TestApi;
let writer: Caller;
let reader: Caller;

beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  await api.install("billing");
  writer = await api.caller("writer", ["app:crm:secret.read", "app:crm:secret.write"]);
  reader = await api.caller("reader", ["app:crm:secret.read"]);
});
afterAll(() => api[Symbol.asyncDispose]());

const ALL = "/api/v1/apps/crm/secrets";
const put = (name: string, value: unknown, headers: Record<string, string> = {}) =>
  api.as(writer, "PUT", `${ALL}/${name}`, { body: { value }, headers });

describe("secrets over the API", () => {
  test("are set, listed without values, replaced and deleted", async () => {
    const made = await put("TOKEN", "swordfish");
    expect(made.status).toBe(201);
    expect(made.body).toEqual({
      name: "TOKEN",
      createdAt: expect.any(String) as string,
      createdBy: writer.id,
      updatedAt: expect.any(String) as string,
      updatedBy: writer.id,
      lastUsedAt: null,
    });
    expect((await put("TOKEN", "another")).status).toBe(200);
    const listed = await api.as(reader, "GET", ALL);
    expect(listed.body).toMatchObject({ items: [{ name: "TOKEN" }] });
    expect((await api.as(reader, "GET", `${ALL}/TOKEN`)).body).toMatchObject({ name: "TOKEN" });
    const gone = await api.as(writer, "DELETE", `${ALL}/TOKEN`);
    expect(gone.body).toEqual({ message: "secret deleted" });
    for (const method of ["GET", "DELETE"]) {
      const answer = await api.as(writer, method, `${ALL}/TOKEN`);
      expect([answer.status, problemOf(answer).code]).toEqual([404, "secret_not_found"]);
    }
  });

  test("are read and written by different permissions, app by app", async () => {
    const missing = async (caller: Caller, method: string, path: string) => {
      const body = method === "PUT" ? { value: "x" } : undefined;
      return problemOf(await api.as(caller, method, path, { body })).missing;
    };
    expect(await missing(reader, "PUT", `${ALL}/A`)).toBe("app:crm:secret.write");
    expect(await missing(reader, "DELETE", `${ALL}/A`)).toBe("app:crm:secret.write");
    expect(await missing(writer, "GET", "/api/v1/apps/billing/secrets")).toBe(
      "app:billing:secret.read",
    );
    const listed = await api.as(api.admin, "GET", "/api/v1/permissions");
    const { items } = listed.body as { items: { permission: string }[] };
    expect(items.map(({ permission }) => permission)).toEqual(
      expect.arrayContaining(["app:billing:secret.read", "app:billing:secret.write"]),
    );
  });

  test.for<[string, unknown, string]>([
    ["A", undefined, "value"],
    ["A", "", "value"],
    ["A", 7, "value"],
    ["A", null, "value"],
    ["A", "x".repeat(65_537), "value"],
    ["A", "ü".repeat(32_769), "value"],
    ["A", "a\0b", "value"],
    ["a", "x", "name"],
    ["A".repeat(65), "x", "name"],
    ["A-B", "x", "name"],
  ])("%s = %j is refused for its %s", async ([name, value, field]) => {
    const answer = await put(name, value);
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
  });

  test("may be of 64 KiB, and of any text", async () => {
    for (const value of ["x".repeat(65_536), "ü".repeat(32_768), " \n🔑\r\n", "-"]) {
      expect((await put("LARGE", value)).status).toBeLessThan(300);
      const sealed = await fetchSecret(api.sql, "crm", "LARGE");
      if (sealed === undefined) throw new Error("it is not there");
      expect(sealed.ciphertext.length).toBe(Buffer.byteLength(value) + 16);
    }
  });

  test("are off without a key, which the answer names; what is there can be listed and deleted", async () => {
    await put("OLD", "from when there was a key");
    const { sql, logger: log } = api;
    await using server = await startServer({ sql, log, host: "127.0.0.1", port: 0 });
    const call = async (method: string, path: string, headers: Record<string, string> = {}) => {
      const response = await fetch(server.url + path, {
        method,
        headers: {
          authorization: `Bearer ${writer.key}`,
          "content-type": "application/json",
          ...headers,
        },
        ...(method === "PUT" ? { body: '{"value": "swordfish"}' } : {}),
      });
      return [response.status, await response.text()] as const;
    };
    for (const headers of [{}, { "idempotency-key": "off" }]) {
      const [status, text] = await call("PUT", `${ALL}/NEW`, headers);
      expect(status).toBe(503);
      expect(JSON.parse(text)).toMatchObject({
        code: "secrets_off",
        detail: "secrets are off: CARILLON_SECRETS_KEY is not set",
        hint: expect.stringContaining("openssl rand -base64 32") as string,
      });
    }
    expect((await call("GET", ALL))[1]).toContain('"OLD"');
    expect((await call("DELETE", `${ALL}/OLD`))[0]).toBe(200);
  });

  test("are set once under an idempotency key, whose record has nothing of the value", async () => {
    const once = { "idempotency-key": "one" };
    const first = await put("ONCE", "hunter2", once);
    expect(first.status).toBe(201);
    const again = await put("ONCE", "hunter2", once);
    expect([again.status, again.text]).toEqual([201, first.text]);
    expect(again.headers.get("idempotency-replayed")).toBe("true");
    const other = await put("ONCE", "hunter3", once);
    expect([other.status, problemOf(other).code]).toEqual([409, "idempotency_conflict"]);
    // Somebody who reads the table cannot try values against the record.
    const rows = await api.sql<{ bodyHash: Uint8Array }[]>`
      select body_hash from carillon.requests where line like '%/secrets/ONCE'`;
    expect(rows).toHaveLength(1);
    const guesses = await api.sql<{ hash: Uint8Array }[]>`
      select carillon._body_hash(b) as hash from (values
        ('[{"value": "hunter2"}]'::jsonb), ('{"value": "hunter2"}'), ('["hunter2"]'), ('"hunter2"')) as v (b)`;
    for (const { hash } of guesses) expect(rows[0]?.bodyHash).not.toEqual(hash);
  });
});

test("a value is in no log, no table, no answer, and in nothing that goes to the database", async () => {
  const value = `v4lue-${randomBytes(12).toString("hex")}`;
  const wire: Buffer[] = [];
  await using proxy = await Proxy.to(api.db.url, (data) => wire.push(data));
  const sql = connect(proxy.url, { max: 2 });
  const keyring = new Keyring(randomBytes(32));
  const lines: unknown[] = [];
  const at = (fields: object, message: string) => lines.push([message, ...flat(fields)]);
  const log = { debug: at, info: at, warn: at, error: at };
  const answers: string[] = [];
  try {
    await using server = await startServer({ sql, log, keyring, host: "127.0.0.1", port: 0 });
    const send = async (method: string, name: string, body: string, more: object = {}) => {
      const response = await fetch(`${server.url}/api/v1/apps/crm/secrets/${name}`, {
        method,
        headers: {
          authorization: `Bearer ${api.admin.key}`,
          "content-type": "application/json",
          ...more,
        },
        body,
      });
      answers.push(await response.text(), JSON.stringify([...response.headers]));
      return response.status;
    };
    const good = JSON.stringify({ value });
    expect(await send("PUT", "TAP", good)).toBe(201);
    expect(await send("PUT", "TAP", good, { "idempotency-key": "tap" })).toBe(200);
    expect(await send("PUT", "TAP", good, { "idempotency-key": "tap" })).toBe(200);
    expect(
      await send("PUT", "TAP", JSON.stringify({ value: `${value}!` }), {
        "idempotency-key": "tap",
      }),
    ).toBe(409);
    // Refused in every way there is: a bad name, a bad body, no app, no right, a field too many.
    expect(await send("PUT", "bad-name", good)).toBe(400);
    expect(await send("PUT", "TAP", `{"value": "${value}`)).toBe(400);
    expect(await send("PUT", "TAP", `{"value": ${value}}`)).toBe(400);
    expect(await send("PUT", "TAP", JSON.stringify({ value: [value] }))).toBe(400);
    expect(await send("PUT", "TAP", JSON.stringify({ value, x: value }))).toBe(400);
    expect(await send("PUT", "TAP", JSON.stringify(value))).toBe(400);
    expect(await send("PUT", "TAP", JSON.stringify({ value: value.repeat(4000) }))).toBe(400);
    expect(await send("PUT", "TAP", JSON.stringify({ value: `${value}\0` }))).toBe(400);
    expect(await send("PUT", "TAP", good, { "content-type": "text/plain" })).toBe(415);
    expect(await send("POST", "TAP", good)).toBe(405);
    await api.sql`alter function carillon.set_secret rename to set_secret_away`;
    expect(await send("PUT", "TAP", good)).toBe(503);
    await api.sql`alter function carillon.set_secret_away rename to set_secret`;
    await api.sql`alter table carillon.app_secrets add constraint broken check (name <> 'BROKEN')`;
    expect(await send("PUT", "BROKEN", good)).toBe(500);
  } finally {
    await sql.end({ timeout: 5 });
  }

  const written = Buffer.concat(wire);
  expect(written.includes("carillon.set_secret(")).toBe(true);
  const tables = await everythingStored();
  expect(tables).toContain("secret.create");
  const places: Record<string, string> = {
    wire: written.toString("latin1"),
    tables,
    log: lines.map(String).join("\n"),
    answers: answers.join("\n"),
  };
  expect(places.log).toContain("/secrets/TAP");
  for (const encoding of ["utf8", "hex", "base64", "base64url"] as const) {
    // Without what depends on where in a text of base64 it begins.
    const trace = Buffer.from(value.slice(6)).toString(encoding).slice(4, 20);
    for (const [place, text] of Object.entries(places)) {
      expect(text.includes(trace), `${encoding} in ${place}`).toBe(false);
    }
  }
});

/** All texts of a value, errors and what they were caused by included, hidden properties too. */
function flat(value: unknown, seen = new Set<unknown>()): string[] {
  if (typeof value !== "object" || value === null) return [String(value)];
  if (seen.has(value)) return [];
  seen.add(value);
  return Object.getOwnPropertyNames(value).flatMap((name) => [
    name,
    ...flat((value as Record<string, unknown>)[name], seen),
  ]);
}

async function everythingStored(): Promise<string> {
  const tables = await api.db.sql<{ name: string }[]>`
    select c.oid::regclass::text as name from pg_class c
    where c.relkind in ('r', 'p') and not c.relispartition
      and c.relnamespace in ('carillon'::regnamespace, 'pgmq'::regnamespace)`;
  const rows: string[] = [];
  for (const { name } of tables) {
    const all = await api.db.sql.unsafe<{ t: string }[]>(`select t::text as t from ${name} t`);
    rows.push(...all.map(({ t }) => t));
  }
  return rows.join("\n");
}
