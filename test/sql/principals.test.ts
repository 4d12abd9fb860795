import { createHash } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import {
  createCron,
  createUser,
  type Cron,
  fingerprint,
  getCron,
  one,
  refusal,
} from "./support.js";

let db: TestDatabase;
let sql: TestSql;
let unique = 0;
const fresh = (prefix: string) => `${prefix}${(unique += 1)}`;

beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
  await setClock(sql, "2026-03-02T10:00:30Z");
});
afterAll(() => db.drop());

const hash = (secret: string) => createHash("sha256").update(secret).digest();

const addKey = async (principal: string, secret: string, expires: string | null = null) =>
  (
    await one(sql<{ id: string }[]>`
      select carillon.create_api_key(principal => ${principal}, name => 'k', prefix => 'tk_',
        hash => ${hash(secret)}, expires_at => ${expires}) as id`)
  ).id;

const authenticate = (secret: string) => sql`
  select * from carillon.authenticate_key(hash => ${hash(secret)})`;

describe("permissions", () => {
  test.each([
    ["*", "app:crm:cron.read", true],
    ["app:crm:cron.read", "app:crm:cron.read", true],
    ["app:crm:cron.read", "app:crm:cron.write", false],
    ["app:crm:*", "app:crm:cron.read", true],
    ["app:*", "app:crm:cron.read", true],
    ["app:crm:*", "app:crm2:cron.read", false],
    ["app:crm:*", "app:crm", false],
    ["app:crm:*", "app:crm:", true],
    ["app:crm", "app:crm:cron.read", false],
    ["app:cr*", "app:crm:cron.read", false],
    ["app:_rm:*", "app:crm:cron.read", false],
    ["app:%:*", "app:crm:cron.read", false],
    [":*", "app:crm:cron.read", false],
    ["", "app:crm:cron.read", false],
  ])("%j grants %j: %j", async (held, wanted, granted) => {
    const row = await one(sql`select carillon._has_permission(${[held]}, ${wanted}) as granted`);
    expect(row).toEqual({ granted });
  });

  test("come from all roles, once each, and from none while disabled", async () => {
    const [r1, r2] = [fresh("role"), fresh("role")];
    await sql`select carillon.create_role(name => ${r1}, permissions => '{a:b,c}')`;
    await sql`select carillon.create_role(name => ${r2}, permissions => '{c,d:*}')`;
    const { id } = await one(sql<{ id: string }[]>`
      select carillon.create_principal(username => ${fresh("u")}, roles => ${[r1, r2, r1]}) as id`);
    const held = async () =>
      (await one(sql<{ p: string[] }[]>`select carillon._permissions_of(${id}) as p`)).p;
    expect(await held()).toEqual(["a:b", "c", "d:*"]);
    await sql`select carillon.update_role(name => ${r2}, permissions => '{}')`;
    expect(await held()).toEqual(["a:b", "c"]);
    await sql`select carillon.set_principal_enabled(principal => ${id}, enabled => false)`;
    expect(await held()).toEqual([]);
  });

  test.each([["a b"], ["app:*:x"], ["**"], [""], ["app:"], [":x"], [null]])(
    "%j is none",
    async (permission) => {
      const before = await fingerprint(sql);
      const refused = await refusal(
        sql`select carillon.create_role(name => 'r', permissions => ${[permission] as string[]})`,
      );
      expect(refused).toMatchObject({ code: "TK001", field: "permissions" });
      expect(await fingerprint(sql)).toEqual(before);
    },
  );
});

describe("principals", () => {
  test.each([
    ["username", "username => null"],
    ["username", "username => ''"],
    ["username", "username => ' a'"],
    ["username", "username => repeat('x', 129)"],
    ["kind", "username => 'ok', kind => 'system'"],
    ["kind", "username => 'ok', kind => null"],
    ["roles", "username => 'ok', roles => '{admin,nope}'"],
    ["roles", "username => 'ok', roles => array[null]::text[]"],
  ])("refuses a wrong %s: %s", async (field, call) => {
    const before = await fingerprint(sql);
    const refused = await refusal(sql.unsafe(`select carillon.create_principal(${call})`));
    expect(refused).toMatchObject({ code: "TK001", field });
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("have a name of their own, and can be found by it", async () => {
    const name = fresh("ann+x@example.com");
    const { id } = await one(sql<{ id: string }[]>`
      select carillon.create_principal(username => ${name}, kind => 'service', roles => null) as id`);
    expect(await sql`select carillon.find_principal(username => ${name}) as id`).toEqual([{ id }]);
    const before = await fingerprint(sql);
    const refused = await refusal(sql`select carillon.create_principal(username => ${name})`);
    expect(refused).toMatchObject({ code: "TK201", field: "username" });
    expect(await fingerprint(sql)).toEqual(before);
  });

  const unknown = "00000000-0000-4000-8000-000000000000";
  test.each([
    ["find_principal", "TK104", "username => 'nobody-of-this-name'"],
    ["set_principal_enabled", "TK104", `principal => '${unknown}', enabled => true`],
    ["delete_principal", "TK104", `principal => '${unknown}'`],
    [
      "create_api_key",
      "TK104",
      `principal => '${unknown}', name => 'k', prefix => 'p', hash => sha256('x')`,
    ],
    ["revoke_api_key", "TK105", `key => '${unknown}'`],
  ])("%s answers %s for what is not there", async (name, code, args) => {
    const before = await fingerprint(sql);
    expect(await refusal(sql.unsafe(`select carillon.${name}(${args})`))).toMatchObject({ code });
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("enabled is true or false", async () => {
    const id = await createUser(sql, fresh("u"), ["*"]);
    await sql`select carillon.set_principal_enabled(principal => ${id}, enabled => false)`;
    const refused = await refusal(
      sql`select carillon.set_principal_enabled(principal => ${id}, enabled => null)`,
    );
    expect(refused).toMatchObject({ code: "TK001", field: "enabled" });
    const row = await one(sql`select disabled_at from carillon.principals where id = ${id}`);
    expect(row.disabled_at).not.toBeNull();
  });

  test("the system's own cannot be deleted", async () => {
    const before = await fingerprint(sql);
    const refused = await refusal(
      sql`select carillon.delete_principal(principal => carillon._system_principal())`,
    );
    expect(refused).toMatchObject({
      code: "TK403",
      message: "the system's own principal cannot be changed",
    });
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("API keys", () => {
  test("are known by their hash, until revoked, expired, or their principal is disabled", async () => {
    const name = fresh("u");
    const id = await createUser(sql, name, ["app:crm:*"]);
    const key = await addKey(id, name);
    const expiring = await addKey(id, `${name}-x`, "2026-03-02T10:05:00Z");
    const whole = { principal_id: id, username: name, kind: "user", permissions: ["app:crm:*"] };
    const known = { ...whole, scopes: null };
    expect(await authenticate(name)).toEqual([{ ...known, key_id: key }]);
    expect(await authenticate(`${name}-x`)).toEqual([{ ...known, key_id: expiring }]);
    expect(await authenticate("something else")).toEqual([]);

    await sql`select carillon.set_principal_enabled(principal => ${id}, enabled => false)`;
    expect(await authenticate(name)).toEqual([]);
    await sql`select carillon.set_principal_enabled(principal => ${id}, enabled => true)`;
    expect(await authenticate(name)).toHaveLength(1);

    await advanceClock(sql, "5 minutes");
    expect(await authenticate(`${name}-x`)).toEqual([]);
    await sql`select carillon.revoke_api_key(key => ${key})`;
    expect(await authenticate(name)).toEqual([]);
    const before = await fingerprint(sql);
    await sql`select carillon.revoke_api_key(key => ${key})`;
    const again = await fingerprint(sql);
    expect({ ...again, "carillon.api_keys": "" }).toEqual({ ...before, "carillon.api_keys": "" });

    await sql`select carillon.delete_principal(principal => ${id})`;
    expect(await sql`select from carillon.api_keys where principal_id = ${id}`).toHaveLength(0);
  });

  test("record their last use once a minute, not at every request", async () => {
    const name = fresh("u");
    await addKey(await createUser(sql, name, ["*"]), name);
    await authenticate(name);
    const before = await fingerprint(sql);
    await authenticate(name);
    expect(await fingerprint(sql)).toEqual(before);
    await advanceClock(sql, "61 seconds");
    await authenticate(name);
    expect(await fingerprint(sql)).not.toEqual(before);
  });

  test.each([
    ["hash", "name => 'k', prefix => 'p', hash => 'short'"],
    ["hash", "name => 'k', prefix => 'p', hash => null"],
    ["name", "name => null, prefix => 'p', hash => sha256('x')"],
    ["name", "name => '', prefix => 'p', hash => sha256('x')"],
    ["prefix", "name => 'k', prefix => null, hash => sha256('x')"],
  ])("refuse a wrong %s: %s", async (field, call) => {
    const before = await fingerprint(sql);
    const refused = await refusal(
      sql.unsafe(
        `select carillon.create_api_key(principal => carillon._system_principal(), ${call})`,
      ),
    );
    expect(refused).toMatchObject({ code: "TK001", field });
    expect(await fingerprint(sql)).toEqual(before);
  });
});

test("bootstrap_admin makes one admin, once, however many ask at a time", async () => {
  await using own = await createTestDatabase();
  const asked = await Promise.all(
    Array.from({ length: 8 }, (_, i) =>
      one(own.sql<{ made: boolean }[]>`
        select carillon.bootstrap_admin(prefix => 'tk_', hash => ${hash(`boot${i}`)}) as made`),
    ),
  );
  expect(asked.filter(({ made }) => made)).toHaveLength(1);
  const admins = await own.sql`
    select p.username, count(k.id) as keys, carillon._permissions_of(p.id) as permissions
    from carillon.principals p join carillon.api_keys k on k.principal_id = p.id group by p.id`;
  expect(admins).toEqual([{ username: "admin", keys: 1, permissions: ["*"] }]);
});

describe("ownership", () => {
  const actions: [string, (cron: string, actor: string | null) => PromiseLike<unknown>][] = [
    [
      "patch_cron",
      (cron, actor) =>
        sql`select carillon.patch_cron(cron => ${cron}, patch => '{"jitter": 1}', actor => ${actor})`,
    ],
    [
      "update_cron",
      (cron, actor) =>
        sql`select carillon.update_cron(cron => ${cron}, jitter => 2, actor => ${actor})`,
    ],
    [
      "set_cron_enabled",
      (cron, actor) =>
        sql`select carillon.set_cron_enabled(cron => ${cron}, enabled => false, actor => ${actor})`,
    ],
    [
      "trigger_cron",
      (cron, actor) => sql`select carillon.trigger_cron(cron => ${cron}, actor => ${actor})`,
    ],
    [
      "delete_cron",
      (cron, actor) => sql`select carillon.delete_cron(cron => ${cron}, actor => ${actor})`,
    ],
  ];
  test.each(actions)(
    "%s is for the owner, and for who manages others' crons",
    async (_name, act) => {
      const app = fresh("app");
      await sql`select carillon.install_app(app => ${app})`;
      const owner = await createUser(sql, fresh("owner"), [`app:${app}:cron.write`]);
      const other = await createUser(sql, fresh("other"), [
        `app:${app}:cron.write`,
        "app:elsewhere:cron.manage_others",
      ]);
      const manager = await createUser(sql, fresh("manager"), [`app:${app}:cron.manage_others`]);
      const make = () =>
        one(sql<Cron[]>`
      select * from carillon.create_cron(app => ${app}, name => ${fresh("c")},
        schedule => '* * * * *', actor => ${owner})`);

      const { id, name } = await make();
      const before = await fingerprint(sql);
      const unknown = "00000000-0000-4000-8000-000000000000";
      for (const stranger of [other, unknown]) {
        expect(await refusal(act(id, stranger))).toMatchObject({
          code: "TK402",
          message: `not the owner of cron "${name}"`,
        });
      }
      expect(await fingerprint(sql)).toEqual(before);
      await act(id, owner);
      await act((await make()).id, manager);
      await act((await make()).id, null);
    },
  );

  test("a cron without an owner is nobody's: only who manages others' crons may touch it", async () => {
    const app = fresh("app");
    await sql`select carillon.install_app(app => ${app})`;
    const owner = await createUser(sql, fresh("owner"), ["*"]);
    const { id } = await one(sql<Cron[]>`
      select * from carillon.create_cron(app => ${app}, name => 'c', schedule => '* * * * *',
        actor => ${owner})`);
    await sql`select carillon.delete_principal(principal => ${owner})`;
    const writer = await createUser(sql, fresh("w"), [`app:${app}:cron.write`]);
    expect(
      await refusal(sql`select carillon.delete_cron(cron => ${id}, actor => ${writer})`),
    ).toMatchObject({ code: "TK402" });
    expect((await getCron(sql, id)).created_by).toBeNull();
    const manager = await createUser(sql, fresh("m"), [`app:${app}:*`]);
    await sql`select carillon.delete_cron(cron => ${id}, actor => ${manager})`;
  });

  test("list_accessible_crons: of apps one may read, one's own, or all where one manages", async () => {
    const [mine, managed, closed] = [fresh("app"), fresh("app"), fresh("app")];
    const me = await createUser(sql, fresh("me"), ["x"]);
    for (const app of [mine, managed, closed]) {
      await sql`select carillon.install_app(app => ${app})`;
      await createCron(sql, app, "theirs");
      await sql`
        select carillon.create_cron(app => ${app}, name => 'own', schedule => '* * * * *', actor => ${me})`;
    }
    const permissions = [`app:${mine}:cron.read`, `app:${managed}:*`, `app:${closed}:cron.write`];
    const seen = await sql`
      select app_id, name from carillon.list_accessible_crons(
        principal => ${me}, permissions => ${permissions})`;
    expect(seen).toEqual([
      { app_id: mine, name: "own" },
      { app_id: managed, name: "own" },
      { app_id: managed, name: "theirs" },
    ]);
    const everything = await sql`
      select count(*) as n from carillon.list_accessible_crons(principal => ${me}, permissions => '{*}')`;
    const all = await sql`select count(*) as n from carillon.crons`;
    expect(everything).toEqual(all);
  });
});

test("a user who happens to be called admin is not made the administrator", async () => {
  await using own = await createTestDatabase();
  const { sql } = own;
  await sql`select carillon.create_principal(username => 'admin')`;
  const hash = Buffer.alloc(32, 7);
  const made = await one(sql<{ made: boolean }[]>`
    select carillon.bootstrap_admin(prefix => 'x', hash => ${hash}) as made`);
  expect(made).toEqual({ made: true });
  const [who] = await sql`
    select username, permissions from carillon.authenticate_key(hash => ${hash})`;
  expect(who).toMatchObject({ permissions: ["*"] });
  expect(String(who?.username)).toMatch(/^admin-[0-9a-f]{8}$/);
  const [plain] = await sql`
    select carillon._permissions_of(carillon.find_principal(username => 'admin')) as held`;
  expect(plain).toEqual({ held: [] });
});
