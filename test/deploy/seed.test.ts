import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeEach, afterEach, expect, test } from "vitest";
import { connect, type Sql } from "../../src/db/connect.js";
import { seedFrom } from "../../src/deploy/seed.js";
import type { CarillonError } from "../../src/errors.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";

/* A fresh store is seeded from a file: once, whole, and by one of those who try. */

let db: TestDatabase;
let sql: Sql;
const folder = mkdtempSync(join(tmpdir(), "carillon-seed-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  db = await createTestDatabase();
  sql = connect(db.url, { max: 2 });
});
afterEach(async () => {
  await sql.end({ timeout: 5 });
  await db.drop();
});

function file(text: string, name = "seed.yaml"): string {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
}
const cron = (name: string, schedule = "0 3 * * *") => ({ name, schedule });
const json = (value: unknown) => file(JSON.stringify(value), "seed.json");
const apps = async () =>
  (await sql`select id from carillon.apps order by id`).map(({ id }) => id as string);
const refused = async (path: string) =>
  seedFrom(sql, path).then(
    () => expect.fail("it was taken"),
    (error: unknown) => error as CarillonError,
  );

const TWO = `
apps:
  - id: crm
    name: Sales
    crons:
      - { name: nightly, schedule: "0 3 * * *", timezone: America/New_York }
      - { name: often, schedule: 10 seconds }
  - id: shop
`;

test("a fresh store gets its apps, and no later start changes anything", async () => {
  const path = file(TWO);
  expect(await seedFrom(sql, path)).toMatchObject([
    { appId: "crm", installed: true, created: ["nightly", "often"] },
    { appId: "shop", installed: true, created: [] },
  ]);
  const crons =
    await sql`select name, timezone, origin, owner_id from carillon.crons order by name`;
  expect(crons).toMatchObject([
    { name: "nightly", timezone: "America/New_York", origin: "manifest" },
    { name: "often" },
  ]);
  await sql`select carillon.uninstall_app(app => 'crm')`;
  expect(await seedFrom(sql, path)).toBeUndefined();
  await sql`select carillon.uninstall_app(app => 'shop')`;
  expect(await seedFrom(sql, join(folder, "gone.yaml"))).toBeUndefined();
  expect(await apps()).toEqual([]);
});

test("a store that has an app already is left alone", async () => {
  await sql`select carillon.install_app(app => 'mine')`;
  expect(await seedFrom(sql, file(TWO))).toBeUndefined();
  expect(await apps()).toEqual(["mine"]);
});

test("of two servers that start at once one seeds", async () => {
  const path = json({ id: "one", crons: [cron("a")] });
  const done = await Promise.all([seedFrom(sql, path), seedFrom(sql, path)]);
  expect(done.filter((one) => one !== undefined)).toHaveLength(1);
  expect(await sql`select from carillon.crons`).toHaveLength(1);
});

test.each<[string, unknown, string[]]>([
  ["a single manifest without its id", { crons: [] }, ["id"]],
  ["an app without its id", { apps: [{ id: "a" }, {}] }, ["apps[1].id"]],
  ["an app that is there twice", { apps: [{ id: "a" }, { id: "a" }] }, ["apps[1].id"]],
  ["no apps at all", { apps: [] }, ["apps"]],
  ["an unknown field", { apps: [{ id: "a", cron: [] }] }, ["apps[0].cron"]],
  [
    "a schedule that only the database refuses",
    { apps: [{ id: "a" }, { id: "b", crons: [cron("ok"), cron("bad", "61 * * * *")] }] },
    ["apps[1].crons[1].schedule"],
  ],
  [
    "the same in a single manifest",
    { id: "b", crons: [cron("bad", "61 * * * *")] },
    ["crons[0].schedule"],
  ],
  ["a reserved id", { apps: [{ id: "carillon" }] }, ["apps[0].appId"]],
])("refuses %s, naming file and field, and installs nothing", async (_, seed, fields) => {
  const path = json(seed);
  const error = await refused(path);
  expect(error.message).toContain(path);
  expect(error.fields.map(({ field }) => field)).toEqual(fields);
  expect(await apps()).toEqual([]);
  // Mended, it is taken.
  expect(await seedFrom(sql, json({ id: "a" }))).toHaveLength(1);
});

test("says which file is missing, or is not YAML", async () => {
  expect((await refused(join(folder, "missing.yaml"))).message).toContain("missing.yaml");
  expect((await refused(file("apps: [")))?.message).toContain("is not YAML");
});
