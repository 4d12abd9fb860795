import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import {
  claim,
  createUser,
  type Cron as BareCron,
  drain,
  fingerprint,
  fireDue,
  one,
  refusal,
  sync,
  ticksOf,
} from "./support.js";

/*
 * On whose authority a cron fires: its owner's, who may be a service account (runAs).
 */

type Cron = BareCron & { run_as: string | null; denied: string | null };

let db: TestDatabase;
let sql: TestSql;
let unique = 0;
const fresh = (prefix: string) => `${prefix}${(unique += 1)}`;

let app: string;
/** May write the app's crons, and send reports. */
let bot: string;
let botName: string;
/** Holds all that the bot holds. */
let ann: string;
/** May write crons, but holds less than the bot. */
let eve: string;

async function createService(name: string, permissions: string[]) {
  await sql`select carillon.create_role(name => ${name}, permissions => ${permissions})`;
  const { id } = await one(sql<{ id: string }[]>`
    select carillon.create_principal(username => ${name}, kind => 'service', roles => ${[name]}) as id`);
  return id;
}

beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
});
beforeEach(async () => {
  await setClock(sql, "2026-03-02T10:00:30Z");
  app = fresh("app");
  botName = fresh("bot");
  await sql`select carillon.install_app(app => ${app})`;
  const held = [`app:${app}:cron.write`, `app:${app}:report.send`];
  bot = await createService(botName, held);
  ann = await createUser(sql, fresh("ann"), held);
  eve = await createUser(sql, fresh("eve"), [`app:${app}:cron.write`]);
});
afterAll(() => db.drop());

const make = (runAs: string | null, actor: string | null, scopes: string[] | null = null) =>
  one(sql<Cron[]>`
    select * from carillon.declare_cron(
      app => ${app}, spec => ${sql.json({ name: fresh("c"), schedule: "* * * * *", runAs })},
      actor => ${actor}, actor_scopes => ${scopes})`);

const patch = (id: string, change: object, actor: string | null, scopes: string[] | null = null) =>
  one(sql<Cron[]>`
    select * from carillon.patch_cron(
      cron => ${id}, patch => ${sql.json(change as never)}, actor => ${actor}, actor_scopes => ${scopes})`);

const shown = (id: string) => one(sql<Cron[]>`select * from carillon.get_cron(cron => ${id})`);

/** Refused, and nothing changed by it. */
async function denied(act: () => PromiseLike<unknown>) {
  const before = await fingerprint(sql);
  const refused = await refusal(act());
  expect(await fingerprint(sql)).toEqual(before);
  return refused;
}

describe("a cron that runs as a service account", () => {
  test("is owned by it, named or by id, and its jobs run on its behalf", async () => {
    for (const account of [botName, bot]) {
      expect(await make(account, ann)).toMatchObject({
        ...{ created_by: bot, run_as: bot, denied: null },
      });
    }
    const { id } = await one(sql<Cron[]>`
      select * from carillon.create_cron(
        app => ${app}, name => 'named', schedule => '0 9 * * *', run_as => ${botName})`);
    await sql`select carillon.trigger_cron(cron => ${id})`;
    expect(await claim(sql, app)).toMatchObject([{ user_id: bot, username: botName }]);
    expect(await make(null, ann)).toMatchObject({ created_by: ann, run_as: null });
  });

  test("goes on when its maker leaves, and stops with the account, which the cron and the ledger say", async () => {
    const { id } = await make(bot, ann);
    const tick = async () => {
      await advanceClock(sql, "1 minute");
      await fireDue(sql);
      await drain(sql, app);
      const { outcome, reason } = (await ticksOf(sql, id)).at(-1)!;
      return { outcome, reason, denied: (await shown(id)).denied };
    };
    await setClock(sql, "2026-03-02T10:00:30Z");
    await sql`select carillon.delete_principal(principal => ${ann})`;
    expect(await tick()).toEqual({ outcome: "enqueued", reason: null, denied: null });

    const stopped = (reason: string) => ({ outcome: "denied", reason, denied: reason });
    await sql`select carillon.set_principal_enabled(principal => ${bot}, enabled => false)`;
    expect(await tick()).toEqual(stopped("the owner is disabled"));
    await sql`select carillon.set_principal_enabled(principal => ${bot}, enabled => true)`;
    expect(await tick()).toEqual({ outcome: "enqueued", reason: null, denied: null });
    await sql`select carillon.update_role(name => ${botName}, permissions => '{x}')`;
    expect(await tick()).toEqual(stopped(`the owner no longer holds app:${app}:cron.write`));
    await sql`select carillon.delete_principal(principal => ${bot})`;
    expect(await tick()).toEqual(stopped("the owner is gone"));
    expect(await shown(id)).toMatchObject({ created_by: null, run_as: null });
  });

  test("is set by who holds all that the account holds, or may act as others in the app", async () => {
    const missing = { code: "TK403", field: "runAs", message: `missing app:${app}:act_as` };
    expect(await denied(() => make(bot, eve))).toMatchObject(missing);
    const own = await make(null, eve);
    expect(await denied(() => patch(own.id, { runAs: botName }, eve))).toMatchObject(missing);
    // Neither another app's act_as helps, nor a permission that the credential does not carry.
    const actor = await createUser(sql, fresh("actor"), [`app:${app}:act_as`, "app:other:act_as"]);
    expect(await make(bot, actor)).toMatchObject({ created_by: bot });
    expect(await denied(() => make(bot, actor, ["app:other:*"]))).toMatchObject(missing);
    const boss = await createUser(sql, fresh("boss"), ["*"]);
    expect(await denied(() => make(bot, boss, [`app:${app}:cron.write`]))).toMatchObject(missing);
    expect(await make(bot, boss)).toMatchObject({ created_by: bot });
    expect(await make(bot, null)).toMatchObject({ created_by: bot });
    // One that holds nothing is not therefore everybody's.
    const empty = await createService(fresh("empty"), []);
    expect(await denied(() => make(empty, eve))).toMatchObject(missing);
  });

  test.each([["nobody"], ["00000000-0000-4000-8000-000000000000"], ["system"], [7], [""], [{}]])(
    "is refused for %j",
    async (account) => {
      for (const actor of [ann, null]) {
        expect(await denied(() => make(account as string, actor))).toMatchObject({
          ...{ code: "TK001", field: "runAs" },
        });
      }
    },
  );

  test("is refused for a person", async () => {
    expect(await denied(() => make(eve, null))).toMatchObject({
      message: "runAs must be the name or the id of a service account",
    });
  });

  test("is managed by who may act as the account, and by nobody else without manage_others", async () => {
    const { id } = await make(bot, ann);
    expect(await patch(id, { jitter: 1 }, ann)).toMatchObject({ created_by: bot });
    expect(await patch(id, { jitter: 2 }, bot)).toMatchObject({ created_by: bot });
    expect(await denied(() => patch(id, { jitter: 3 }, eve))).toMatchObject({ code: "TK402" });
    expect(
      await denied(() => patch(id, { jitter: 3 }, ann, [`app:${app}:cron.write`])),
    ).toMatchObject({ code: "TK402" });
  });

  test("is taken over with null, by its manager or, of an owner who is gone, by who manages others' crons", async () => {
    const { id } = await make(bot, ann);
    expect(await patch(id, { runAs: null }, ann)).toMatchObject({ created_by: ann, run_as: null });
    expect(await patch(id, { runAs: bot }, ann)).toMatchObject({ created_by: bot });
    await sql`select carillon.delete_principal(principal => ${bot})`;
    expect(await denied(() => patch(id, { runAs: null }, ann))).toMatchObject({ code: "TK402" });
    const manager = await createUser(sql, fresh("manager"), [`app:${app}:*`]);
    expect(await patch(id, { jitter: 4 }, manager)).toMatchObject({ denied: "the owner is gone" });
    expect(await patch(id, { runAs: null }, manager)).toMatchObject({
      ...{ created_by: manager, denied: null },
    });
  });
});

describe("a manifest", () => {
  const daily = { name: "daily", schedule: "0 9 * * *" };
  const owner = async () =>
    (await one(sql<Cron[]>`select * from carillon.list_crons(app => ${app})`)).created_by;

  test("names the account, and changes the owner only where it changes itself", async () => {
    const deployer = await createUser(sql, fresh("deployer"), [`app:${app}:*`]);
    const withBot = [{ ...daily, runAs: botName }];
    expect((await sync(sql, app, withBot, deployer)).created).toEqual(["daily"]);
    expect(await owner()).toBe(bot);
    // Whoever deploys the same again lends nothing.
    expect((await sync(sql, app, withBot, eve)).unchanged).toEqual(["daily"]);
    const [cron] = await sql<Cron[]>`select * from carillon.list_crons(app => ${app})`;
    await patch(cron!.id, { runAs: null }, deployer);
    expect((await sync(sql, app, withBot, deployer)).unchanged).toEqual(["daily"]);
    expect(await owner()).toBe(deployer);
    expect((await sync(sql, app, [daily], deployer)).updated).toEqual(["daily"]);
    expect((await sync(sql, app, withBot, deployer)).updated).toEqual(["daily"]);
    expect(await owner()).toBe(bot);
    expect((await sync(sql, app, [daily], deployer)).updated).toEqual(["daily"]);
    expect(await owner()).toBe(deployer);
  });

  test("lends an account only by who may act as it, and is refused as a whole", async () => {
    const entries = [
      { ...daily, name: "first" },
      { ...daily, runAs: botName },
    ];
    expect(await denied(() => sync(sql, app, entries, eve))).toMatchObject({
      ...{ code: "TK403", message: `missing app:${app}:act_as` },
    });
    await sync(sql, app, [daily], eve);
    expect(await denied(() => sync(sql, app, [{ ...daily, runAs: bot }], eve))).toMatchObject({
      code: "TK403",
    });
    expect(
      await denied(() => sync(sql, app, [daily, { ...daily, name: "x", runAs: "nobody" }], null)),
    ).toMatchObject({ code: "TK001", field: "crons[1].runAs" });
  });
});

test("a credential's scopes count where others' crons are managed", async () => {
  const { id } = await make(null, eve);
  const boss = await createUser(sql, fresh("boss"), ["*"]);
  const scopes = [`app:${app}:cron.write`, `app:${app}:cron.trigger`];
  const acts = [
    (allowed: string[] | null) => patch(id, { jitter: 1 }, boss, allowed),
    (allowed: string[] | null) => sql`
      select carillon.set_cron_enabled(cron => ${id}, enabled => true, actor => ${boss}, actor_scopes => ${allowed})`,
    (allowed: string[] | null) => sql`
      select carillon.trigger_cron(cron => ${id}, actor => ${boss}, actor_scopes => ${allowed})`,
    (allowed: string[] | null) => sql`
      select carillon.backfill_cron(cron => ${id}, from_at => '2026-03-01Z', to_at => '2026-03-01Z',
        dry_run => true, actor => ${boss}, actor_scopes => ${allowed})`,
    (allowed: string[] | null) => sql`
      select carillon.delete_cron(cron => ${id}, actor => ${boss}, actor_scopes => ${allowed})`,
  ];
  for (const act of acts) {
    expect(await denied(() => act(scopes))).toMatchObject({ code: "TK402" });
    await act([`app:${app}:*`]);
  }
});
