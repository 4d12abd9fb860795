import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateKey } from "../../src/api/keys.js";
import { fillPermission } from "../../src/api/permissions.js";
import type { Route } from "../../src/api/route.js";
import { ROUTES } from "../../src/api/routes/index.js";
import { bootstrapAdmin, createApiKey } from "../../src/db/api-keys.js";
import { findPrincipal } from "../../src/db/principals.js";
import { problemOf, TestApi, type Answer, type Caller } from "./api.js";

let api: TestApi;
/** With the one key that makes keys. */
let root: Caller;

beforeAll(async () => {
  api = await TestApi.start();
  const { key, prefix, hash } = generateKey();
  await bootstrapAdmin(api.sql, prefix, hash);
  root = { id: await findPrincipal(api.sql, "admin"), username: "admin", key, keyId: "" };
});
afterAll(() => api[Symbol.asyncDispose]());

const PRINCIPALS = "/api/v1/principals";
const ROLES = "/api/v1/roles";
const KEYS = "/api/v1/keys";

interface Named {
  id: string;
  name: string;
  username: string;
}
interface Page {
  items: Named[];
  nextCursor: string | null;
}

async function done(caller: Caller, method: string, path: string, body?: unknown) {
  const answer = await api.as(caller, method, path, { body });
  expect([200, 201], answer.text).toContain(answer.status);
  return answer.body as Named & Record<string, unknown>;
}

/** What was refused: status, code and what is missing. */
const refusalOf = (answer: Answer) => [
  answer.status,
  problemOf(answer).code,
  problemOf(answer).detail,
];

const everything = () => api.sql`
  select (select jsonb_agg(p) from carillon.principals p) as principals,
         (select jsonb_agg(r) from carillon.roles r) as roles,
         (select jsonb_agg(i) from carillon.role_inherits i) as inherits,
         (select jsonb_agg(m) from carillon.role_members m) as members,
         (select jsonb_agg(to_jsonb(k) - 'last_used_at') from carillon.api_keys k) as keys`;

describe("every route of the installation", () => {
  const guarded = ROUTES.filter(({ permission }) => permission.startsWith("system:"));
  const cases = guarded.map(
    (route) => [`${route.method.toUpperCase()} ${route.path}`, route] as const,
  );
  const bodies: Record<string, object> = {
    [`post ${PRINCIPALS}`]: { username: "somebody" },
    [`patch ${PRINCIPALS}/{id}`]: { enabled: false },
    [`post ${ROLES}`]: { name: "some-role", permissions: [] },
    [`patch ${ROLES}/{name}`]: { permissions: [] },
  };
  const request = (caller: Caller, route: Route) => {
    const path = fillPermission(route.path, { id: root.id, name: "admin", role: "admin" });
    const body = bodies[`${route.method} ${route.path}`];
    return api.as(caller, route.method.toUpperCase(), path, { body });
  };

  test.each(cases)("%s names what is missing and does nothing", async (label, route) => {
    const others = guarded
      .map(({ permission }) => permission)
      .filter((p) => p !== route.permission);
    const almost = await api.caller(`almost-${label.replace(/\W/g, "")}`, [...others, "app:*"]);
    const before = await everything();
    const answer = await request(almost, route);
    expect(refusalOf(answer)).toEqual([403, "permission_denied", `missing ${route.permission}`]);
    expect(await everything()).toEqual(before);
  });

  test.each(cases.filter(([, { method }]) => method === "get"))(
    "%s is open to a holder of just its permission",
    async (label, route) => {
      const caller = await api.caller(`exact-${label.replace(/\W/g, "")}`, [route.permission]);
      expect((await request(caller, route)).status).toBe(200);
    },
  );

  test.each(cases.filter(([, { method }]) => method !== "get"))(
    "%s is refused to a scoped key of an administrator",
    async (_, route) => {
      const { key, prefix, hash } = generateKey();
      const scopes = ["app:*", "system:principal.read"];
      await createApiKey(api.sql, { principalId: root.id, name: "s", prefix, hash, scopes });
      const before = await everything();
      const answer = await request({ ...root, key }, route);
      expect(refusalOf(answer)).toEqual([403, "permission_denied", `missing ${route.permission}`]);
      expect(await everything()).toEqual(before);
    },
  );
});

test("GET /me says who one is and what one may do", async () => {
  const caller = await api.caller("myself", ["app:crm:cron.read", "x"]);
  expect(await done(caller, "GET", "/api/v1/me")).toMatchObject({
    principal: { id: caller.id, username: "myself", kind: "user", roles: ["role-myself"] },
    permissions: ["app:crm:cron.read", "x"],
    key: { id: caller.keyId, status: "active", scopes: null, mintsKeys: false },
  });
  const { key, prefix, hash } = generateKey();
  const scopes = ["app:crm:*"];
  await api.sql`select carillon.update_role(name => 'role-myself', permissions => '{app:*}')`;
  await createApiKey(api.sql, { principalId: caller.id, name: "s", prefix, hash, scopes });
  expect(await done({ ...caller, key }, "GET", "/api/v1/me")).toMatchObject({
    principal: { permissions: ["app:*"] },
    permissions: ["app:crm:*"],
    key: { scopes, prefix },
  });
});

describe("principals", () => {
  test("are made, shown, renamed, disabled, enabled and deleted", async () => {
    const made = await done(root, "POST", PRINCIPALS, { username: "ann", roles: ["admin"] });
    expect(made).toMatchObject({
      ...{ username: "ann", kind: "user", enabled: true, disabledAt: null },
      ...{ roles: ["admin"], permissions: ["*"] },
    });
    const path = `${PRINCIPALS}/${made.id}`;
    expect(await done(root, "GET", path)).toEqual(made);
    expect(await done(root, "PATCH", path, { username: "ann.b", enabled: false })).toMatchObject({
      ...{ id: made.id, username: "ann.b", enabled: false, permissions: [], roles: ["admin"] },
    });
    expect(await done(root, "PATCH", path, { enabled: true })).toMatchObject({ disabledAt: null });
    expect(await done(root, "PATCH", path, {})).toMatchObject({ username: "ann.b" });
    expect(await done(root, "DELETE", path)).toEqual({ message: "principal deleted" });
    for (const method of ["GET", "DELETE"]) {
      expect((await api.as(root, method, path)).status).toBe(404);
    }
    const service = await done(root, "POST", PRINCIPALS, { username: "bot", kind: "service" });
    expect(service).toMatchObject({ kind: "service", roles: [], permissions: [] });
  });

  test("hold roles from the moment they are granted to the moment they are revoked", async () => {
    const caller = await api.caller("grantee", []);
    await done(root, "POST", ROLES, { name: "app-lister", permissions: ["system:role.read"] });
    expect((await api.as(caller, "GET", ROLES)).status).toBe(403);
    const grant = `${PRINCIPALS}/${caller.id}/roles/app-lister`;
    expect(await done(root, "PUT", grant)).toMatchObject({ permissions: ["system:role.read"] });
    expect((await api.as(caller, "GET", ROLES)).status).toBe(200);
    expect(await done(root, "DELETE", grant)).toMatchObject({ roles: ["role-grantee"] });
    expect((await api.as(caller, "GET", ROLES)).status).toBe(403);
    const unknown = await api.as(root, "PUT", `${PRINCIPALS}/${caller.id}/roles/nope`);
    expect(refusalOf(unknown)).toEqual([404, "role_not_found", 'no role "nope"']);
  });

  test("are refused with what is wrong", async () => {
    await done(root, "POST", PRINCIPALS, { username: "taken" });
    for (const [body, field] of [
      [{}, "username"],
      [{ username: "a b" }, "username"],
      [{ username: "taken" }, "username"],
      [{ username: "ok", kind: "system" }, "kind"],
      [{ username: "ok", roles: ["nope"] }, "roles"],
      [{ username: "ok", permissions: ["*"] }, "permissions"],
    ] as const) {
      const answer = await api.as(root, "POST", PRINCIPALS, { body });
      expect(answer.status, answer.text).toBe(400);
      expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
    }
  });

  test("are listed by name, page by page and by kind", async () => {
    for (const username of ["zz-3", "zz-1", "zz-2"]) {
      await done(root, "POST", PRINCIPALS, { username, kind: "service" });
    }
    const page = async (query: string) =>
      (await done(root, "GET", `${PRINCIPALS}?${query}`)) as unknown as Page;
    const names: string[] = [];
    let cursor = "zz-";
    for (let pages = 0; ; pages += 1) {
      const { items, nextCursor } = await page(`limit=2&cursor=${cursor}`);
      names.push(...items.map(({ username }) => username));
      if (nextCursor === null) break;
      expect(pages).toBeLessThan(5);
      cursor = nextCursor;
    }
    expect(names).toEqual(["zz-1", "zz-2", "zz-3"]);
    const { items } = await page("kind=system");
    expect(items.map(({ username }) => username)).toEqual(["system"]);
  });

  test("the last administrator stays", async () => {
    await using lone = await TestApi.start();
    const { admin } = lone;
    const path = `${PRINCIPALS}/${admin.id}`;
    for (const [method, to, body] of [
      ["PATCH", path, { enabled: false }],
      ["DELETE", path, undefined],
      ["DELETE", `${path}/roles/role-boss`, undefined],
      ["PATCH", `${ROLES}/role-boss`, { permissions: ["app:*"] }],
      ["DELETE", `${ROLES}/role-boss`, undefined],
    ] as const) {
      const answer = await lone.as(admin, method, to, { body });
      expect(refusalOf(answer)).toEqual([
        ...[409, "last_admin", "this would leave nobody who holds every permission"],
      ]);
    }
  });
});

describe("nobody gives more than they hold", () => {
  test("over the API neither, and the refusal names it", async () => {
    const manager = await api.caller("manager", [
      ...["system:principal.write", "system:role.write", "system:key.write", "app:crm:*"],
    ]);
    const missing = async (method: string, path: string, body?: unknown) => {
      const before = await everything();
      const answer = await api.as(manager, method, path, { body });
      expect(await everything()).toEqual(before);
      return refusalOf(answer);
    };
    const lacks = (permission: string) => [403, "permission_denied", `missing ${permission}`];
    expect(
      await missing("POST", ROLES, { name: "x", permissions: ["app:crm:x", "app:shop:x"] }),
    ).toEqual(lacks("app:shop:x"));
    expect(
      await missing("POST", ROLES, { name: "x", permissions: [], inherits: ["admin"] }),
    ).toEqual(lacks("*"));
    expect(await missing("PATCH", `${ROLES}/role-manager`, { permissions: ["*"] })).toEqual(
      lacks("*"),
    );
    expect(await missing("POST", PRINCIPALS, { username: "x", roles: ["admin"] })).toEqual(
      lacks("*"),
    );
    expect(await missing("PUT", `${PRINCIPALS}/${manager.id}/roles/admin`)).toEqual(lacks("*"));
    expect(await missing("PATCH", `${PRINCIPALS}/${root.id}`, { enabled: false })).toEqual(
      lacks("*"),
    );
    expect(await missing("DELETE", `${PRINCIPALS}/${root.id}`)).toEqual(lacks("*"));
    await done(manager, "POST", ROLES, { name: "crm-reader", permissions: ["app:crm:cron.read"] });
    await done(manager, "POST", PRINCIPALS, { username: "crm-ann", roles: ["crm-reader"] });
  });
});

describe("roles", () => {
  test("are made, shown, changed and deleted", async () => {
    await done(root, "POST", ROLES, { name: "reader", permissions: ["app:crm:cron.read"] });
    const made = await done(root, "POST", ROLES, {
      ...{ name: "writer", permissions: ["app:crm:cron.write"], inherits: ["reader"] },
    });
    expect(made).toMatchObject({
      ...{ name: "writer", appId: null, members: 0, inherits: ["reader"] },
      granted: ["app:crm:cron.read", "app:crm:cron.write"],
    });
    expect(await done(root, "GET", `${ROLES}/writer`)).toEqual(made);
    expect(await done(root, "PATCH", `${ROLES}/writer`, { permissions: [] })).toMatchObject({
      ...{ permissions: [], inherits: ["reader"], granted: ["app:crm:cron.read"] },
    });
    const cycle = await api.as(root, "PATCH", `${ROLES}/reader`, {
      body: { inherits: ["writer"] },
    });
    expect(cycle.status).toBe(400);
    expect(problemOf(cycle).errors).toEqual([
      {
        field: "inherits",
        message: "would make a role inherit from itself: reader → writer → reader",
      },
    ]);
    expect(await done(root, "DELETE", `${ROLES}/writer`)).toEqual({ message: "role deleted" });
    expect((await api.as(root, "GET", `${ROLES}/writer`)).status).toBe(404);
    const { items } = (await done(root, "GET", `${ROLES}?limit=500`)) as unknown as Page;
    expect(items.map(({ name }) => name)).toEqual(expect.arrayContaining(["admin", "reader"]));
  });

  test("that come by themselves stay as they are", async () => {
    await api.install("fixed");
    for (const name of ["admin", "app:fixed:admin"]) {
      const answer = await api.as(root, "DELETE", `${ROLES}/${encodeURIComponent(name)}`);
      expect(refusalOf(answer).slice(0, 2)).toEqual([403, "permission_denied"]);
    }
    expect(await done(root, "GET", `${ROLES}/app:fixed:admin`)).toMatchObject({
      ...{ appId: "fixed", permissions: ["app:fixed:*"] },
    });
  });

  test("are refused with what is wrong", async () => {
    for (const [body, field] of [
      [{ permissions: [] }, "name"],
      [{ name: "x" }, "permissions"],
      [{ name: "admin", permissions: [] }, "name"],
      [{ name: "app:x:admin", permissions: [] }, "name"],
      [{ name: "x", permissions: ["app:*:read"] }, "permissions[0]"],
      [{ name: "x", permissions: [], inherits: ["nope"] }, "inherits"],
    ] as const) {
      const answer = await api.as(root, "POST", ROLES, { body });
      expect(answer.status, answer.text).toBe(400);
      expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
    }
  });
});

describe("keys", () => {
  const listed = async (caller: Caller, query = "") =>
    ((await done(caller, "GET", `${KEYS}?limit=500&${query}`)) as unknown as Page).items;

  test("are shown once, work at once, and are refused at once when revoked", async () => {
    const body = { name: "ci", scopes: ["app:crm:*"], expiresAt: "2099-01-01T00:00:00Z" };
    const made = await done(root, "POST", KEYS, body);
    const { key, ...rest } = made;
    expect(rest).toMatchObject({
      ...{ name: "ci", principalId: root.id, username: "admin", scopes: ["app:crm:*"] },
      ...{ mintsKeys: false, status: "active", createdBy: root.id, lastUsedAt: null },
      expiresAt: "2099-01-01T00:00:00.000Z",
    });
    expect(String(key).slice(4, 12)).toBe(made.prefix);
    const holder = { ...root, key: String(key) };
    expect(await done(holder, "GET", "/api/v1/me")).toMatchObject({ permissions: ["app:crm:*"] });
    const list = await api.as(root, "GET", KEYS);
    expect(list.text).not.toContain(String(key).slice(12));
    expect((await listed(root)).find(({ id }) => id === made.id)).toMatchObject({
      lastUsedAt: expect.any(String) as string,
    });
    expect(await done(root, "DELETE", `${KEYS}/${made.id}`)).toMatchObject({ status: "revoked" });
    expect((await api.as(holder, "GET", "/api/v1/me")).status).toBe(401);
  });

  test("make no keys", async () => {
    const before = await everything();
    const answer = await api.as(api.admin, "POST", KEYS, { body: { name: "more" } });
    expect(refusalOf(answer)).toEqual([403, "permission_denied", "a key cannot make keys"]);
    expect(problemOf(answer).hint).toContain("carillon keys create");
    expect(await everything()).toEqual(before);
  });

  test("are one's own, or everybody's with system:key.read", async () => {
    const ann = await api.caller("key-ann", []);
    const eve = await api.caller("key-eve", ["system:key.read"]);
    expect((await listed(ann)).map(({ id }) => id)).toEqual([ann.keyId]);
    expect(await listed(ann, `principalId=${ann.id.toUpperCase()}`)).toHaveLength(1);
    for (const query of [`principalId=${eve.id}`, "all=true"]) {
      const answer = await api.as(ann, "GET", `${KEYS}?${query}`);
      expect(refusalOf(answer)).toEqual([403, "permission_denied", "missing system:key.read"]);
    }
    expect((await listed(eve, `principalId=${ann.id}`)).map(({ id }) => id)).toEqual([ann.keyId]);
    expect((await listed(eve, "all=true")).length).toBeGreaterThan(2);
    expect((await api.as(eve, "GET", `${KEYS}?all=true&principalId=${ann.id}`)).status).toBe(400);
    // Somebody else's key is not there to be revoked.
    const theirs = await api.as(eve, "DELETE", `${KEYS}/${ann.keyId}`);
    expect(refusalOf(theirs).slice(0, 2)).toEqual([404, "key_not_found"]);
    expect(await done(ann, "DELETE", `${KEYS}/${ann.keyId}`)).toMatchObject({ status: "revoked" });
  });

  test("are made for others by who holds what they carry", async () => {
    const bot = await done(root, "POST", PRINCIPALS, {
      ...{ username: "deploy-bot", kind: "service", roles: ["admin"] },
    });
    const { prefix, hash, key } = generateKey();
    const keeper = await api.caller("keeper", ["system:key.write", "app:crm:*"]);
    const minting = { principalId: keeper.id, name: "m", prefix, hash };
    await createApiKey(api.sql, minting);
    await api.sql`update carillon.api_keys set mints_keys = true where hash = ${hash}`;
    const by = { ...keeper, key };
    const all = await api.as(by, "POST", KEYS, { body: { name: "k", principalId: bot.id } });
    expect(refusalOf(all)).toEqual([403, "permission_denied", "missing *"]);
    const scopes = ["app:crm:cron.read"];
    const made = await done(by, "POST", KEYS, { name: "k", principalId: bot.id, scopes });
    expect(made).toMatchObject({ username: "deploy-bot", createdBy: keeper.id, scopes });
  });

  test("are refused with what is wrong", async () => {
    for (const [body, field] of [
      [{}, "name"],
      [{ name: "" }, "name"],
      [{ name: "k", scopes: [] }, "scopes"],
      [{ name: "k", scopes: ["a b"] }, "scopes[0]"],
      [{ name: "k", expiresAt: "2001-01-01T00:00:00Z" }, "expiresAt"],
      [{ name: "k", principalId: "me" }, "principalId"],
      [{ name: "k", mintsKeys: true }, "mintsKeys"],
    ] as const) {
      const answer = await api.as(root, "POST", KEYS, { body });
      expect(answer.status, answer.text).toBe(400);
      expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
    }
  });
});

test("GET /permissions lists what there is to be granted, and what it opens", async () => {
  await api.install("listed", { permissions: ["cron.read", "report.send"] });
  await api.install("hidden");
  const caller = await api.caller("lister", ["app:listed:*", "system:tick"]);
  const { items } = (await done(caller, "GET", "/api/v1/permissions")) as unknown as {
    items: { permission: string; appId: string | null; declared: boolean; held: boolean }[];
  };
  const find = (permission: string) => items.find((item) => item.permission === permission);
  expect(find("system:tick")).toMatchObject({ appId: null, held: true, declared: false });
  expect(find("system:role.write")).toMatchObject({ held: false });
  expect(find("app:listed:cron.read")).toMatchObject({
    ...{ appId: "listed", declared: true, held: true },
    opens: expect.arrayContaining(["List the crons of an app, by name"]) as string[],
  });
  expect(find("app:listed:cron.manage_others")).toMatchObject({ declared: false, held: true });
  expect(find("app:listed:report.send")).toMatchObject({ declared: true, opens: [] });
  expect(items.filter(({ appId }) => appId === "hidden")).toEqual([]);
  const asked = ROUTES.flatMap(({ permission, alsoNeeds = [] }) => [
    permission,
    ...alsoNeeds.map((extra) => extra.permission),
  ]).filter((permission) => permission.includes(":"));
  for (const permission of asked) {
    expect(find(fillPermission(permission, { appId: "listed" })), permission).toBeDefined();
  }
});
