import { createHash } from "node:crypto";

import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import { createUser, fingerprint, one, refusal } from "./support.js";

/*
 * Who may change what somebody may do: nobody can give, take or use more than they hold.
 */

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

const role = async (permissions: string[], inherits: string[] = []) => {
  const name = fresh("r");
  await sql`
    select carillon.create_role(name => ${name}, permissions => ${permissions}, inherits => ${inherits})`;
  return name;
};

const inherit = (name: string, inherits: string[]) =>
  sql`select carillon.update_role(name => ${name}, inherits => ${inherits})`;

const grant = (id: string, name: string, actor: string | null = null) =>
  sql`select carillon.grant_role(principal => ${id}, role => ${name}, actor => ${actor})`;

const held = async (id: string) =>
  (await one(sql<{ p: string[] }[]>`select carillon._permissions_of(${id}) as p`)).p;

/** Refused, and nothing changed by it. */
async function denied(statement: PromiseLike<unknown>) {
  const before = await fingerprint(sql);
  const refused = await refusal(statement);
  expect(await fingerprint(sql)).toEqual(before);
  return refused;
}

describe("roles inherit", () => {
  test("through any number of others, at once for all who hold them", async () => {
    const [a, b] = [await role(["a:1"]), await role(["b:*"])];
    const c = await role(["c"], [a]);
    const d = await role([], [b, c]);
    const id = await createUser(sql, fresh("u"), ["own"]);
    await grant(id, d);
    await grant(id, d);
    expect(await held(id)).toEqual(["a:1", "b:*", "c", "own"]);
    expect(await one(sql`select * from carillon.get_role(name => ${d})`)).toMatchObject({
      ...{ permissions: [], granted: ["a:1", "b:*", "c"], members: 1 },
      inherits: [b, c].sort(),
    });
    await sql`select carillon.update_role(name => ${a}, permissions => '{a:2}')`;
    expect(await held(id)).toEqual(["a:2", "b:*", "c", "own"]);
    await inherit(d, [b]);
    expect(await held(id)).toEqual(["b:*", "own"]);
    await sql`select carillon.delete_role(name => ${b})`;
    expect(await held(id)).toEqual(["own"]);
    await sql`select carillon.revoke_role(principal => ${id}, role => ${d})`;
    await sql`select carillon.revoke_role(principal => ${id}, role => ${d})`;
    const { roles } = await one(sql<{ roles: string[] }[]>`
      select roles from carillon.get_principal(principal => ${id})`);
    expect(roles).toHaveLength(1);
  });

  test("but never from themselves, and the refusal shows the way round", async () => {
    const a = await role([]);
    const b = await role([], [a]);
    const c = await role([], [b]);
    for (const [name, inherits, way] of [
      [a, [c], `${a} → ${c} → ${b} → ${a}`],
      [a, [a], `${a} → ${a}`],
      [b, [a, b], `${b} → ${b}`],
    ] as const) {
      expect(await denied(inherit(name, [...inherits]))).toMatchObject({
        ...{ code: "TK001", field: "inherits" },
        message: `inherits would make a role inherit from itself: ${way}`,
      });
    }
    expect(await denied(inherit(a, ["nope"]))).toMatchObject({ code: "TK001", field: "inherits" });
  });

  test("nor when two changes that make a cycle together race", async () => {
    for (let n = 0; n < 5; n += 1) {
      const [a, b] = [await role([]), await role([])];
      const results = await Promise.allSettled([inherit(a, [b]), inherit(b, [a])]);
      expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    }
  });
});

describe("roles", () => {
  test("have a name of their own; those of apps and admin are not for people to change", async () => {
    const name = await role(["x"]);
    await sql`select carillon.install_app(app => 'rolled')`;
    const make = (named: string) =>
      sql`select carillon.create_role(name => ${named}, permissions => '{x}')`;
    expect(await denied(make(name))).toMatchObject({ code: "TK201", field: "name" });
    expect(await denied(make("app:next:admin"))).toMatchObject({ code: "TK001", field: "name" });
    for (const fixed of ["admin", "app:rolled:admin"]) {
      for (const change of [
        sql`select carillon.update_role(name => ${fixed}, permissions => '{}')`,
        sql`select carillon.delete_role(name => ${fixed})`,
      ]) {
        expect(await denied(change)).toMatchObject({ code: "TK403" });
      }
    }
    const unknown = fresh("nobody");
    const id = await createUser(sql, fresh("u"), []);
    for (const change of [
      sql`select carillon.update_role(name => ${unknown}, permissions => '{}')`,
      sql`select carillon.delete_role(name => ${unknown})`,
      sql`select carillon.get_role(name => ${unknown})`,
      grant(id, unknown),
      sql`select carillon.revoke_role(principal => ${id}, role => ${unknown})`,
    ]) {
      expect(await denied(change)).toMatchObject({ code: "TK106" });
    }
  });

  test("of an app come with it as the document says, and go with it", async () => {
    await sql`select carillon.install_app(app => 'plain')`;
    await sql`
      select carillon.install_app(app => 'own', manifest => '{"permissions": ["cron.read", "cron.manage_others"]}')`;
    const { permissions } = await one(
      sql`select permissions from carillon.get_app(app => 'plain')`,
    );
    expect(permissions).toEqual(
      ["cron.read", "cron.write", "cron.trigger"].map((p) => `app:plain:${p}`),
    );
    const own = await one(sql`select permissions from carillon.get_app(app => 'own')`);
    expect(own.permissions).toEqual(["app:own:cron.read", "app:own:cron.manage_others"]);
    expect(
      await one(sql`select * from carillon.get_role(name => 'app:plain:admin')`),
    ).toMatchObject({
      ...{ app_id: "plain", permissions: ["app:plain:*"] },
    });
    await sql`select carillon.uninstall_app(app => 'plain')`;
    expect(await denied(sql`select carillon.get_role(name => 'app:plain:admin')`)).toMatchObject({
      code: "TK106",
    });
  });
});

describe("nobody gives, takes or changes more than they hold", () => {
  let manager: string;
  let victim: string;
  let strong: string;
  let weak: string;
  beforeAll(async () => {
    manager = await createUser(sql, fresh("manager"), [
      ...["system:principal.write", "system:role.write", "system:key.write", "app:crm:*"],
    ]);
    strong = await role(["app:*"]);
    weak = await role(["app:crm:cron.read"]);
    victim = await createUser(sql, fresh("victim"), ["system:release"]);
  });

  const refused: [string, string, () => PromiseLike<unknown>][] = [
    [
      "make a role",
      "app:*",
      () => sql`
        select carillon.create_role(name => 'mine', permissions => '{app:crm:x,app:*}', actor => ${manager})`,
    ],
    [
      "make a role by inheriting",
      "app:*",
      () => sql`
        select carillon.create_role(name => 'mine', permissions => '{}', inherits => ${[strong]},
          actor => ${manager})`,
    ],
    [
      "let a role grant more",
      "app:shop:cron.read",
      () => sql`
        select carillon.update_role(name => ${weak}, permissions => '{app:shop:cron.read}', actor => ${manager})`,
    ],
    [
      "let a role inherit more",
      "app:*",
      () => sql`
        select carillon.update_role(name => ${weak}, inherits => ${[strong]}, actor => ${manager})`,
    ],
    [
      "let a role grant less",
      "app:*",
      () => sql`
        select carillon.update_role(name => ${strong}, permissions => '{}', actor => ${manager})`,
    ],
    [
      "delete a role",
      "app:*",
      () => sql`select carillon.delete_role(name => ${strong}, actor => ${manager})`,
    ],
    ["grant a role", "app:*", () => grant(victim, strong, manager)],
    ["grant themselves a role", "*", () => grant(manager, "admin", manager)],
    [
      "revoke a role",
      "app:*",
      () => sql`
        select carillon.revoke_role(principal => ${victim}, role => ${strong}, actor => ${manager})`,
    ],
    [
      "make a principal",
      "app:*",
      () => sql`
        select carillon.create_principal(username => 'new', roles => ${[weak, strong]}, actor => ${manager})`,
    ],
    [
      "disable a principal",
      "system:release",
      () => sql`
        select carillon.update_principal(principal => ${victim}, enabled => false, actor => ${manager})`,
    ],
    [
      "rename a principal",
      "system:release",
      () => sql`
        select carillon.update_principal(principal => ${victim}, username => 'me', actor => ${manager})`,
    ],
    [
      "delete a principal",
      "system:release",
      () => sql`select carillon.delete_principal(principal => ${victim}, actor => ${manager})`,
    ],
    [
      "make a key",
      "system:release",
      () => sql`
        select carillon.create_api_key(principal => ${victim}, name => 'k', prefix => 'p',
          hash => ${hash("x")}, actor => ${manager})`,
    ],
  ];
  test.each(refused)("to %s: missing %s", async (_what, missing, act) => {
    expect(await denied(act())).toMatchObject({ code: "TK403", message: `missing ${missing}` });
  });

  test("a disabled principal is enabled only by who holds what it then holds", async () => {
    const id = await createUser(sql, fresh("off"), ["system:release"]);
    await sql`select carillon.set_principal_enabled(principal => ${id}, enabled => false)`;
    const enable = sql`
      select carillon.update_principal(principal => ${id}, enabled => true, actor => ${manager})`;
    expect(await denied(enable)).toMatchObject({ message: "missing system:release" });
  });

  test("a member of a role does not hold more by changing it", async () => {
    const name = fresh("self");
    const id = await createUser(sql, name, ["system:role.write", "a"]);
    const more = sql`
      select carillon.update_role(name => ${name}, permissions => '{system:role.write,*}', actor => ${id})`;
    expect(await denied(more)).toMatchObject({ message: "missing *" });
    await sql`select carillon.update_role(name => ${name}, permissions => '{a}', actor => ${id})`;
    expect(await held(id)).toEqual(["a"]);
  });

  test("scopes of the credential count as well", async () => {
    const id = await createUser(sql, fresh("boss"), ["*"]);
    const act = (scopes: string[] | null) => sql`
      select carillon.create_role(name => ${fresh("scoped")}, permissions => '{app:crm:cron.read}',
        actor => ${id}, actor_scopes => ${scopes})`;
    expect(await denied(act(["app:*"]))).toMatchObject({ message: "missing system:role.write" });
    expect(await denied(act(["system:role.write"]))).toMatchObject({
      message: "missing app:crm:cron.read",
    });
    await act(["system:*", "app:crm:*"]);
    await act(null);
  });

  test("what they hold they may give: a role, a principal, a grant, and take it again", async () => {
    const name = fresh("given");
    await sql`
      select carillon.create_role(name => ${name}, permissions => '{app:crm:cron.read,app:crm:*}',
        inherits => ${[weak]}, actor => ${manager})`;
    const { id } = await one(sql<{ id: string }[]>`
      select carillon.create_principal(username => ${fresh("u")}, kind => 'service', roles => ${[name]},
        actor => ${manager}) as id`);
    await grant(id, weak, manager);
    const renamed = fresh("renamed");
    await sql`
      select carillon.update_principal(principal => ${id}, username => ${renamed}, enabled => false,
        actor => ${manager})`;
    expect(await one(sql`select * from carillon.get_principal(principal => ${id})`)).toMatchObject({
      ...{ kind: "service", username: renamed, enabled: false, permissions: [] },
      roles: [name, weak].sort(),
    });
    await sql`select carillon.revoke_role(principal => ${id}, role => ${weak}, actor => ${manager})`;
    await sql`select carillon.delete_role(name => ${name}, actor => ${manager})`;
    await sql`select carillon.delete_principal(principal => ${id}, actor => ${manager})`;
  });

  test.each([
    ["system:principal.write", "create_principal(username => 'n'"],
    ["system:role.write", "create_role(name => 'n', permissions => '{}'"],
  ])("without %s not even nothing", async (permission, call) => {
    const id = await createUser(sql, fresh("u"), []);
    const statement = sql.unsafe(`select carillon.${call}, actor => '${id}')`);
    expect(await denied(statement)).toMatchObject({ message: `missing ${permission}` });
  });
});

describe("the last administrator", () => {
  async function withAdmins(count: number) {
    const own = await createTestDatabase();
    const admins: string[] = [];
    for (let n = 0; n < count; n += 1) {
      const { id } = await one(own.sql<{ id: string }[]>`
        select carillon.create_principal(username => ${`boss${n}`}, roles => '{admin}') as id`);
      admins.push(id);
    }
    return { own, admins };
  }

  test("is neither disabled, deleted, nor loses the role", async () => {
    const { own, admins } = await withAdmins(1);
    await using _ = own;
    const [boss = ""] = admins;
    await own.sql`select carillon.create_role(name => 'chief', permissions => '{}', inherits => '{admin}')`;
    for (const call of [
      `update_principal(principal => '${boss}', enabled => false`,
      `delete_principal(principal => '${boss}'`,
      `revoke_role(principal => '${boss}', role => 'admin'`,
    ]) {
      const refused = await refusal(own.sql.unsafe(`select carillon.${call}, actor => '${boss}')`));
      expect(refused).toMatchObject({ code: "TK205" });
      expect(refused.hint).toContain("grant them the role admin");
    }
    // By inheritance one is an administrator, too.
    await own.sql`select carillon.grant_role(principal => ${boss}, role => 'chief', actor => ${boss})`;
    await own.sql`select carillon.revoke_role(principal => ${boss}, role => 'admin', actor => ${boss})`;
    for (const call of [
      "update_role(name => 'chief', inherits => '{}'",
      "delete_role(name => 'chief'",
    ]) {
      const refused = await refusal(own.sql.unsafe(`select carillon.${call}, actor => '${boss}')`));
      expect(refused).toMatchObject({ code: "TK205" });
    }
    // The database's owner can always make another one.
    await own.sql`select carillon.set_principal_enabled(principal => ${boss}, enabled => false)`;
  });

  test("stays, when two administrators disable each other at once", async () => {
    const { own, admins } = await withAdmins(2);
    await using _ = own;
    const disable = (whom = "", actor = "") =>
      own.sql`select carillon.update_principal(principal => ${whom}, enabled => false, actor => ${actor})`;
    const [a, b] = admins;
    const results = await Promise.allSettled([disable(a, b), disable(b, a)]);
    expect(results.map(({ status }) => status).sort()).toEqual(["fulfilled", "rejected"]);
    expect(await one(own.sql`select carillon._has_admin() as there`)).toEqual({ there: true });
  });
});

describe("API keys", () => {
  const create = (principal: string, more: string, secret = fresh("secret")) =>
    sql.unsafe<{ id: string }[]>(`
      select carillon.create_api_key(principal => '${principal}', name => 'k', prefix => 'p',
        hash => sha256('${secret}')${more}) as id`);
  const carried = async (secret: string) =>
    (
      await sql<{ permissions: string[]; scopes: string[] | null }[]>`
        select permissions, scopes from carillon.authenticate_key(hash => ${hash(secret)})`
    )[0];

  test("carry what their scopes leave of what their principal holds at the time", async () => {
    const name = fresh("u");
    const id = await createUser(sql, name, ["app:crm:*", "app:shop:cron.read"]);
    const secret = fresh("secret");
    await create(id, ", scopes => '{app:crm:cron.read,app:shop:cron.read}'", secret);
    expect(await carried(secret)).toEqual({
      permissions: ["app:crm:cron.read", "app:shop:cron.read"],
      scopes: ["app:crm:cron.read", "app:shop:cron.read"],
    });
    await sql`select carillon.update_role(name => ${name}, permissions => '{app:crm:*}')`;
    expect((await carried(secret))?.permissions).toEqual(["app:crm:cron.read"]);
    await sql`select carillon.update_role(name => ${name}, permissions => '{app:crm:job.read}')`;
    expect((await carried(secret))?.permissions).toEqual([]);
    await sql`select carillon.update_role(name => ${name}, permissions => '{*}')`;
    expect((await carried(secret))?.permissions).toEqual([
      "app:crm:cron.read",
      "app:shop:cron.read",
    ]);
  });

  test.each([
    ["{}", "must be 1 to 100 permissions"],
    ["{not a permission}", "is no permission"],
    ["{app:shop:cron.read}", "names app:shop:cron.read, which the key's principal does not hold"],
    ["{app:*}", "names app:*, which the key's principal does not hold"],
  ])("refuse the scopes %s", async (scopes, rule) => {
    const id = await createUser(sql, fresh("u"), ["app:crm:*"]);
    const refused = await denied(create(id, `, scopes => '${scopes}'`));
    expect(refused).toMatchObject({ code: "TK001", field: "scopes" });
    expect(refused.message).toContain(rule);
  });

  test("narrow and widen as permissions do", async () => {
    const narrow = async (held: string[], scopes: string[] | null) =>
      (await one(sql<{ n: string[] }[]>`select carillon._narrow(${held}, ${scopes}) as n`)).n;
    expect(await narrow(["b", "a"], null)).toEqual(["b", "a"]);
    expect(await narrow(["*"], ["app:crm:*"])).toEqual(["app:crm:*"]);
    expect(await narrow(["app:crm:x", "app:shop:x"], ["app:crm:*", "y"])).toEqual(["app:crm:x"]);
    expect(await narrow(["app:crm:*"], ["*"])).toEqual(["app:crm:*"]);
    expect(await narrow(["app:crm:*"], ["app:crm2:x", "app:crm"])).toEqual([]);
  });

  test("make no keys, but for the bootstrap key, and only what its scopes allow", async () => {
    const id = await createUser(sql, fresh("u"), ["app:crm:*"]);
    const [plain] = await create(id, "");
    const [minting] = await create(id, ", mints_keys => true");
    const by = (key: string | undefined, more = "") =>
      create(id, `, actor => '${id}', actor_key => '${key}'${more}`);
    expect(await denied(by(plain?.id))).toMatchObject({
      ...{ code: "TK403", message: "a key cannot make keys" },
    });
    const [made] = await by(minting?.id);
    expect(await one(sql`select * from carillon.get_api_key(key => ${made!.id})`)).toMatchObject({
      ...{ mints_keys: false, created_by: id, status: "active", principal_id: id },
    });
    expect(await denied(by(made?.id))).toMatchObject({ code: "TK403" });
    const scoped = ", actor_scopes => '{app:crm:cron.read}'";
    expect(await denied(by(minting?.id, scoped))).toMatchObject({ message: "missing app:crm:*" });
    await by(minting?.id, `${scoped}, scopes => '{app:crm:cron.read}'`);
    const past = ", expires_at => '2026-03-02T10:00:30Z'";
    expect(await denied(by(minting?.id, past))).toMatchObject({
      code: "TK001",
      field: "expiresAt",
    });
  });

  test("of others are made and revoked by who may, and else are not there", async () => {
    const id = await createUser(sql, fresh("u"), ["app:crm:cron.read"]);
    const [key] = await create(id, "");
    const reader = await createUser(sql, fresh("reader"), ["app:crm:*", "system:key.read"]);
    const weak = await createUser(sql, fresh("weak"), ["system:key.write"]);
    const keeper = await createUser(sql, fresh("keeper"), ["app:crm:*", "system:key.write"]);
    const revoke = (actor: string, scopes: string[] | null = null) => sql`
      select carillon.revoke_api_key(key => ${key!.id}, actor => ${actor}, actor_scopes => ${scopes})`;
    expect(await denied(revoke(reader))).toMatchObject({ code: "TK105" });
    expect(await denied(revoke(weak))).toMatchObject({ message: "missing app:crm:cron.read" });
    expect(await denied(revoke(keeper, ["app:*"]))).toMatchObject({ code: "TK105" });
    // A key that carries less does not stop one that carries more, though it is the same person's.
    expect(await denied(revoke(id, ["app:crm:job.read"]))).toMatchObject({ code: "TK403" });
    expect(await denied(create(id, `, actor => '${reader}'`))).toMatchObject({
      message: "missing system:key.write",
    });
    await create(id, `, actor => '${keeper}'`);
    await revoke(keeper);
    await revoke(id);
    expect(await one(sql`select status from carillon.get_api_key(key => ${key!.id})`)).toEqual({
      status: "revoked",
    });
  });

  test("are listed newest first, with what has become of them", async () => {
    const id = await createUser(sql, fresh("u"), ["a"]);
    const made: string[] = [];
    for (const more of ["", ", expires_at => '2026-01-01Z'", ""]) {
      made.unshift((await create(id, more))[0]!.id);
      await sql`update carillon.api_keys set created_at = created_at - interval '1 hour' where principal_id = ${id}`;
    }
    await sql`select carillon.revoke_api_key(key => ${made[0]!})`;
    const list = (more: string) =>
      sql.unsafe<{ id: string; status: string }[]>(
        `select id, status from carillon.list_api_keys(principal => '${id}'${more})`,
      );
    expect(await list("")).toEqual([
      { id: made[0], status: "revoked" },
      { id: made[1], status: "expired" },
      { id: made[2], status: "active" },
    ]);
    expect((await list(`, after => '${made[0]}', max_rows => 1`)).map((k) => k.id)).toEqual([
      made[1],
    ]);
    await sql`select carillon.set_principal_enabled(principal => ${id}, enabled => false)`;
    expect((await list(""))[2]).toMatchObject({ status: "disabled" });
  });
});

test("principals and roles are listed by name, page by page", async () => {
  const [a, b] = [fresh("zz-a"), fresh("zz-b")];
  for (const name of [b, a]) await createUser(sql, name, ["x"]);
  const list = async (kind: string, after: string | null) =>
    (
      await sql.unsafe<{ name: string }[]>(
        `select ${kind === "roles" ? "name" : "username as name"} from carillon.list_${kind}(after => $1, max_rows => 1)`,
        [after],
      )
    ).map(({ name }) => name);
  for (const kind of ["roles", "principals"]) {
    expect(await list(kind, "zz-")).toEqual([a]);
    expect(await list(kind, a)).toEqual([b]);
    expect(await list(kind, b)).toEqual([]);
  }
});
