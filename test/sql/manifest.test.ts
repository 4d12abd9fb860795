import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import {
  createCron,
  createUser,
  type Cron,
  drain,
  fingerprint,
  fireDue,
  one,
  outcomesOf,
  refusal,
  sync,
} from "./support.js";

async function newDatabase() {
  const db = await createTestDatabase();
  await setClock(db.sql, "2026-03-02T10:00:30Z");
  return db;
}

/** For tests that change nothing. */
let shared: TestDatabase;
beforeAll(async () => {
  shared = await newDatabase();
});
afterAll(() => shared.drop());

const cronsOf = async (sql: TestSql, app = "crm") => {
  const rows = await sql<Cron[]>`select * from carillon.list_crons(app => ${app})`;
  return new Map(rows.map((row) => [row.name, row]));
};

const a = { name: "a", schedule: "0 9 * * *" };
const b = { name: "b", schedule: "*/5 * * * *", payload: { n: 1 }, method: "report" };
const c = { name: "c", schedule: "0 0 $ * *", overlapPolicy: "queue", timezone: "Europe/Paris" };

describe("sync_manifest", () => {
  test("creates, updates, leaves alone and deletes, and says which", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const none = { created: [], updated: [], unchanged: [], deleted: [] };
    expect(await sync(sql, "crm", [a, b])).toEqual({
      ...none,
      appId: "crm",
      installed: true,
      created: ["a", "b"],
    });
    const before = await cronsOf(sql);
    await advanceClock(sql, "1 minute");
    expect(await sync(sql, "crm", [c, { ...b, payload: { n: 2 } }, a])).toEqual({
      appId: "crm",
      installed: false,
      created: ["c"],
      updated: ["b"],
      unchanged: ["a"],
      deleted: [],
    });
    const after = await cronsOf(sql);
    expect(after.get("a")).toEqual(before.get("a"));
    expect(after.get("b")).toEqual({
      ...before.get("b"),
      payload: { n: 2, method: "report" },
      updated_at: new Date("2026-03-02T10:01:30Z"),
      version: 2,
    });
    expect(after.get("c")).toMatchObject({
      origin: "manifest",
      overlap_policy: "queue",
      timezone: "Europe/Paris",
    });
    expect(await sync(sql, "crm", [c])).toMatchObject({
      unchanged: ["c"],
      deleted: ["a", "b"],
    });
    expect(await sync(sql, "crm", [])).toMatchObject({ ...none, deleted: ["c"] });
    expect((await cronsOf(sql)).size).toBe(0);
  });

  test("without crons, or with null, removes the last one", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    for (const manifest of ["{}", '{"crons": null}', '{"crons": []}']) {
      await sync(sql, "crm", [a]);
      await sql`select carillon.sync_manifest(app => 'crm', manifest => ${manifest}::text::jsonb)`;
      expect((await cronsOf(sql)).size).toBe(0);
    }
  });

  test("leaves crons made at runtime alone, and refuses to take one over", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sync(sql, "crm", [a]);
    const runtime = await createCron(sql, "crm", "runtime");
    await sync(sql, "crm", [b]);
    expect([...(await cronsOf(sql)).keys()]).toEqual(["b", "runtime"]);
    expect((await cronsOf(sql)).get("runtime")).toEqual(runtime);
    const before = await fingerprint(sql);
    const refused = await refusal(sync(sql, "crm", [a, { ...a, name: "runtime" }]));
    expect(refused).toMatchObject({ code: "TK201", field: "crons[1].name" });
    expect(refused.hint).toContain("rename");
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("leaves other apps alone", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sync(sql, "crm", [a]);
    await sync(sql, "shop", [a, b]);
    const crm = await cronsOf(sql);
    await sync(sql, "shop", []);
    expect(await cronsOf(sql)).toEqual(crm);
  });

  test("keeps a pause until the manifest itself says otherwise", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sync(sql, "crm", [a, b]);
    const { id } = (await cronsOf(sql)).get("a")!;
    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => false)`;
    expect(await sync(sql, "crm", [a, b])).toMatchObject({ unchanged: ["a", "b"] });
    // Declaring the default is no change, and neither is another field.
    expect(await sync(sql, "crm", [{ ...a, enabled: true }, b])).toMatchObject({
      unchanged: ["a", "b"],
    });
    await sync(sql, "crm", [{ ...a, schedule: "0 10 * * *" }, b]);
    expect((await cronsOf(sql)).get("a")).toMatchObject({ enabled: false, schedule: "0 10 * * *" });
    // Now the manifest has changed its mind, twice.
    await sync(sql, "crm", [{ ...a, enabled: false }, b]);
    expect((await cronsOf(sql)).get("a")?.enabled).toBe(false);
    await sync(sql, "crm", [{ ...a, enabled: true }, b]);
    expect((await cronsOf(sql)).get("a")).toMatchObject({ id, enabled: true });
    await sync(sql, "crm", [{ ...a, enabled: false }, b]);
    expect((await cronsOf(sql)).get("a")?.enabled).toBe(false);
    // And what an operator resumed stays resumed.
    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`;
    await sync(sql, "crm", [{ ...a, enabled: false }, b]);
    expect((await cronsOf(sql)).get("a")?.enabled).toBe(true);
  });

  test("takes away what the manifest no longer says of a cron", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sync(sql, "crm", [
      {
        ...b,
        timezone: "Asia/Tokyo",
        jitter: 9,
        startsAt: "2026-01-01T00:00:00Z",
        dst: { gap: "skip" },
      },
    ]);
    await sync(sql, "crm", [{ name: "b", schedule: "*/5 * * * *" }]);
    expect((await cronsOf(sql)).get("b")).toMatchObject({
      payload: {},
      method: null,
      timezone: "GMT",
      jitter_seconds: 0,
      starts_at: null,
      dst_gap: "shift",
    });
  });

  test("keeps id, ledger and jobs of a cron whose schedule changes", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sync(sql, "crm", [{ name: "x", schedule: "* * * * *" }]);
    const { id } = (await cronsOf(sql)).get("x")!;
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    await drain(sql, "crm");
    // Due, and not decided yet, when the deploy comes.
    await advanceClock(sql, "1 minute");
    await sync(sql, "crm", [{ name: "x", schedule: "0 0 1 1 *" }]);
    expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued", "10:02 enqueued"]);
    expect((await cronsOf(sql)).get("x")?.id).toBe(id);
  });

  test("makes the deployer the owner, keeps that owner, and replaces one who is gone", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ann = await createUser(sql, "ann", ["*"]);
    const bob = await createUser(sql, "bob", ["*"]);
    await sync(sql, "crm", [a], ann);
    await sync(sql, "crm", [{ ...a, payload: { x: 1 } }, b], bob);
    const owners = async () =>
      [...(await cronsOf(sql)).values()].map(({ name, created_by }) => [name, created_by]);
    expect(await owners()).toEqual([
      ["a", ann],
      ["b", bob],
    ]);
    await sql`select carillon.delete_principal(principal => ${ann})`;
    expect(await sync(sql, "crm", [{ ...a, payload: { x: 1 } }, b], bob)).toMatchObject({
      updated: ["a"],
      unchanged: ["b"],
    });
    expect(await owners()).toEqual([
      ["a", bob],
      ["b", bob],
    ]);
  });

  const wrong: [string, object | null, string, string][] = [
    ["no manifest", null, "TK001", "manifest"],
    ["a manifest that is an array", [], "TK001", "manifest"],
    ["crons that are an object", { crons: {} }, "TK001", "crons"],
    ["crons that are a string", { crons: "x" }, "TK001", "crons"],
    ["an entry that is a number", { crons: [a, b, 3] }, "TK001", "crons[2]"],
    ["an entry that is null", { crons: [a, null] }, "TK001", "crons[1]"],
    [
      "an entry without a name",
      { crons: [a, b, { schedule: "* * * * *" }] },
      "TK001",
      "crons[2].name",
    ],
    ["an entry without a schedule", { crons: [a, b, { name: "x" }] }, "TK001", "crons[2].schedule"],
    [
      "a bad third entry",
      { crons: [b, c, { ...a, schedule: "@daily" }] },
      "TK002",
      "crons[2].schedule",
    ],
    ["a bad zone", { crons: [{ ...a, timezone: "EST" }] }, "TK003", "crons[0].timezone"],
    ["an unknown field", { crons: [{ ...a, cron: "x" }] }, "TK001", "crons[0].cron"],
    ["an array as payload", { crons: [{ ...a, payload: [] }] }, "TK001", "crons[0].payload"],
    ["a wrong dst", { crons: [{ ...a, dst: { gap: "x" } }] }, "TK001", "crons[0].dst.gap"],
    ["a name given twice", { crons: [b, c, b] }, "TK001", "crons[2].name"],
    ["a name that is a number", { name: 3 }, "TK001", "name"],
    ["a long name", { name: "x".repeat(201) }, "TK001", "name"],
    ["permissions that are a string", { permissions: "x" }, "TK001", "permissions"],
    ["a permission that is a number", { permissions: ["ok", 3] }, "TK001", "permissions[1]"],
    [
      "a permission with its prefix",
      { permissions: ["app:crm:x", "*"] },
      "TK001",
      "permissions[1]",
    ],
  ];
  test.each(wrong)("refuses %s and changes nothing", async (_what, manifest, code, field) => {
    const { sql } = shared;
    await sync(sql, "crm", [
      { ...a, payload: { old: true } },
      { name: "gone", schedule: "1 1 1 1 1" },
    ]);
    const before = await fingerprint(sql);
    for (const app of ["crm", "new"]) {
      const refused = await refusal(sql`
        select carillon.sync_manifest(app => ${app},
          manifest => ${manifest === null ? null : sql.json(manifest as never)})`);
      expect(refused).toMatchObject({ code, field });
    }
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("of the same manifest a hundred times writes nothing at all", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ann = await createUser(sql, "ann", ["*"]);
    const crons = [a, b, c, { name: "r", schedule: "every 90 minutes" }];
    await sync(sql, "crm", crons, ann);
    const before = await fingerprint(sql);
    for (let deploy = 0; deploy < 100; deploy += 1) {
      await advanceClock(sql, "7 minutes");
      expect(await sync(sql, "crm", crons, ann)).toMatchObject({
        created: [],
        updated: [],
        unchanged: ["a", "b", "c", "r"],
        deleted: [],
      });
    }
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("takes a thousand entries, and the next deploy with one change is as exact", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const crons = Array.from({ length: 1000 }, (_, i) => ({
      name: `c${i}`,
      schedule: `${i % 60} ${i % 24} * * *`,
      payload: { i },
    }));
    expect((await sync(sql, "crm", crons)).created).toHaveLength(1000);
    crons[500] = { ...crons[500]!, payload: { i: -1 } };
    crons.pop();
    const second = await sync(sql, "crm", crons);
    expect(second.updated).toEqual(["c500"]);
    expect(second.deleted).toEqual(["c999"]);
    expect(second.unchanged).toHaveLength(998);
  });
});

describe("install_app", () => {
  const installed = (sql: TestSql) => sql`
    select id, name, permissions from carillon.list_apps()`;

  test("gives the installer of a new app its admin role, and nobody later", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const ann = await createUser(sql, "ann", ["x"]);
    const bob = await createUser(sql, "bob", ["x"]);
    await sync(sql, "crm", [], ann);
    await sync(sql, "crm", [], bob);
    const held = async (id: string) =>
      (await one(sql<{ p: string[] }[]>`select carillon._permissions_of(${id}) as p`)).p;
    expect(await held(ann)).toEqual(["app:crm:*", "x"]);
    expect(await held(bob)).toEqual(["x"]);
  });

  test("brings the permissions its manifest declares, or the usual three", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'plain')`;
    await sql`
      select carillon.install_app(app => 'own', manifest =>
        '{"name": "Own", "permissions": ["cron.read", "cron.manage_others"]}')`;
    await sql`select carillon.install_app(app => 'none', manifest => '{"permissions": []}')`;
    expect(await installed(sql)).toEqual([
      { id: "none", name: null, permissions: [] },
      { id: "own", name: "Own", permissions: ["app:own:cron.read", "app:own:cron.manage_others"] },
      {
        id: "plain",
        name: null,
        permissions: ["app:plain:cron.read", "app:plain:cron.write", "app:plain:cron.trigger"],
      },
    ]);
  });

  test.each([
    ["Crm", "TK001"],
    ["-crm", "TK001"],
    ["a b", "TK001"],
    ["a\n", "TK001"],
    ["x".repeat(64), "TK001"],
    ["", "TK001"],
    [null, "TK001"],
    ["carillon", "TK401"],
    ["information_schema", "TK401"],
    ["pg_catalog", "TK401"],
  ])("refuses the app id %j", async (app, code) => {
    const { sql } = shared;
    const before = await fingerprint(sql);
    const refused = await refusal(sql`select carillon.install_app(app => ${app})`);
    expect(refused).toMatchObject({ code, field: "appId" });
    expect(await refusal(sql`select carillon.get_app(app => ${app})`)).toMatchObject({ code });
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("refuses an installer who does not exist", async () => {
    const { sql } = shared;
    const before = await fingerprint(sql);
    const refused = await refusal(
      sql`select carillon.install_app(app => 'absent', actor => gen_random_uuid())`,
    );
    expect(refused.code).toBe("TK104");
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("uninstall_app", () => {
  test("removes the app, its crons and its role, cancels its jobs, and keeps its history", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sync(sql, "crm", [a, { name: "m", schedule: "* * * * *" }]);
    await sync(sql, "shop", [{ name: "m", schedule: "* * * * *" }]);
    await createCron(sql, "crm", "runtime");
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    await drain(sql, "crm");
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    await sql`select carillon.enqueue_job(app => 'crm', run_at => '2027-01-01')`;
    await sql`select carillon.claim_jobs(apps => '{crm}', worker => 'w', max_jobs => 1, lease_seconds => 30)`;

    await sql`select carillon.uninstall_app(app => 'crm')`;

    expect(await refusal(sql`select carillon.get_app(app => 'crm')`)).toMatchObject({
      code: "TK101",
    });
    expect((await cronsOf(sql)).size).toBe(0);
    expect((await cronsOf(sql, "shop")).size).toBe(1);
    expect(await sql`select from carillon.roles where app_id = 'crm'`).toHaveLength(0);
    expect(await sql`select from carillon.enlistments`).toHaveLength(0);
    const jobs = await sql`
      select status, headers ->> 'canceled' as why, count(*) as n
      from carillon.jobs where app_id = 'crm' group by 1, 2 order by 1`;
    expect(jobs).toEqual([
      { status: "canceled", why: "the app was uninstalled", n: 3 },
      { status: "completed", why: null, n: 2 },
    ]);
    expect(await sql`select from pgmq.q_jobs where message ->> 'app_id' = 'crm'`).toHaveLength(0);
    expect(await sql`select from carillon.ticks where app_id = 'crm'`).toHaveLength(4);
  });

  test("refuses an app that is not there", async () => {
    const { sql } = shared;
    expect(await refusal(sql`select carillon.uninstall_app(app => 'absent')`)).toMatchObject({
      code: "TK101",
    });
  });
});
