import { describe, expect, test } from "vitest";

import { connect as connectCarillon } from "../../src/db/connect.js";
import { examine } from "../../src/deploy/doctor.js";
import { startTicker } from "../../src/worker/ticker.js";
import { advanceClock, realClock, setClock } from "../helpers/clock.js";
import { connect, createTestDatabase, type TestSql } from "../helpers/database.js";
import { withDatabase } from "../helpers/engine-url.js";
import { liveJobs, newDatabase, patch } from "./decisions.js";
import { createCron, drain, fireDue, getCron, one, outcomesOf, refusal } from "./support.js";

interface Status {
  home: { systemIdentifier: string; database: string };
  here: { systemIdentifier: string; database: string };
  clone: boolean;
  onClone: string;
  held: boolean;
}
const status = async (sql: TestSql) =>
  (await one(sql<{ status: Status }[]>`select carillon.clone_status() as status`)).status;

/** Makes this database find itself elsewhere than its schedules were made for. */
const move = (sql: TestSql, policy?: "warn" | "hold") =>
  sql`
  update carillon.settings set value = value || '{"systemIdentifier": "7000000000000000001"}' where key = 'home'`.then(
    async () => {
      if (policy !== undefined) await sql`select carillon.set_on_clone(policy => ${policy})`;
    },
  );

describe("a database", () => {
  test("under another name finds itself elsewhere", async () => {
    await using db = await createTestDatabase();
    const { sql } = db;
    expect(await status(sql)).toMatchObject({ clone: false, home: { database: db.name } });
    await sql`update carillon.settings set value = value || '{"database": "prod"}' where key = 'home'`;
    expect(await status(sql)).toMatchObject({
      clone: true,
      onClone: "warn",
      held: false,
      home: { database: "prod" },
      here: { database: db.name },
    });
    await sql`select carillon.release_clone()`;
    expect(await status(sql)).toMatchObject({
      clone: false,
      held: false,
      home: { database: db.name },
    });
  });

  test("in another cluster finds itself elsewhere by the system identifier", async () => {
    await using db = await createTestDatabase();
    const { sql } = db;
    await move(sql);
    expect(await status(sql)).toMatchObject({ clone: true, held: false });
    await sql`select carillon.set_on_clone(policy => 'hold')`;
    expect(await status(sql)).toMatchObject({ clone: true, onClone: "hold", held: true });
    for (const policy of ["", "off", null]) {
      expect(await refusal(sql`select carillon.set_on_clone(policy => ${policy})`)).toMatchObject({
        code: "TK001",
        field: "onClone",
      });
    }
  });

  test("at home is not held, whatever is set for copies", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.set_on_clone(policy => 'hold')`;
    const { id } = await createCron(sql, "crm", "c");
    await advanceClock(sql, "1 minute");
    expect(await fireDue(sql)).toEqual({ fired: 1, failed: 0 });
    expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued"]);
  });
});

test("with warn a copy fires like any other", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const { id } = await createCron(sql, "crm", "c");
  await move(sql, "warn");
  await advanceClock(sql, "1 minute");
  expect(await fireDue(sql)).toEqual({ fired: 1, failed: 0 });
  expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued"]);
});

describe("with hold", () => {
  /** Three crons, two of them overdue by ten minutes, and a backfill under way, in a held copy. */
  async function held() {
    const db = await newDatabase();
    const { sql } = db;
    const often = await createCron(sql, "crm", "often");
    const once = await createCron(sql, "crm", "once", "at 2026-03-02T10:05:00Z");
    const daily = await createCron(sql, "crm", "daily", "0 9 * * *");
    await sql`
      select carillon.backfill_cron(cron => ${daily.id}, from_at => '2026-02-25T00:00:00Z', to_at => '2026-03-01T00:00:00Z')`;
    await drain(sql, "crm");
    await move(sql, "hold");
    await advanceClock(sql, "10 minutes");
    const ledger = () => sql`select from carillon.ticks`.then((rows) => rows.length);
    return { db, sql, often, once, daily, ledger };
  }

  const drivers: [what: string, statement: string][] = [
    ["pg_cron's beat", "select carillon.fire_beat(beat => 1)"],
    ["a tick", "select carillon.tick()"],
    ["the sweep", "select carillon.sweep()"],
    ["fire_due", "select carillon.fire_due()"],
    ["an admin's tick", "select carillon.admin_tick(permissions => '{*}')"],
    ["the backfill", "select carillon._run_backfills()"],
    [
      "an edit",
      "select carillon.patch_cron(cron => id, patch => '{\"schedule\": \"*/7 * * * *\"}') from carillon.crons where name = 'often'",
    ],
    [
      "a pause",
      "select carillon.set_cron_enabled(cron => id, enabled => false) from carillon.crons where name = 'often'",
    ],
    [
      "a deploy",
      'select carillon.sync_manifest(app => \'crm\', manifest => \'{"crons": [{"name": "new", "schedule": "* * * * *"}]}\')',
    ],
    [
      "a new backfill",
      "select carillon.backfill_cron(cron => id, from_at => '2026-02-20T00:00:00Z', to_at => '2026-03-02T00:00:00Z', concurrency => 9) from carillon.crons where name = 'daily'",
    ],
  ];
  test.each(drivers)("%s fires nothing", async (_, statement) => {
    const { db, sql, ledger } = await held();
    await using _db = db;
    const before = await ledger();
    await sql.unsafe(statement);
    await sql.unsafe(statement.includes("manifest") ? "select 1" : statement);
    expect(await ledger()).toBe(before);
    expect(await liveJobs(sql)).toHaveLength(0);
  });

  test("an admin's tick says so", async () => {
    const { db, sql } = await held();
    await using _db = db;
    const { answer } = await one(sql`select carillon.admin_tick(permissions => '{*}') as answer`);
    expect(answer).toMatchObject({ held: true, fired: [], failed: [] });
    expect(await fireDue(sql)).toEqual({ fired: 0, failed: 0, held: true });
  });

  test("after its release it fires from then on, and catches nothing up", async () => {
    const { db, sql, often, once, daily } = await held();
    await using _db = db;
    const { released } = await one(sql<{ released: Status }[]>`
      select carillon.release_clone() as released`);
    expect(released).toMatchObject({ clone: false, onClone: "hold", held: false });
    await sql`select carillon.tick()`;
    await sql`select carillon.sweep()`;
    expect(await outcomesOf(sql, often.id)).toEqual([]);
    expect(await getCron(sql, often.id)).toMatchObject({
      next_fire_at: new Date("2026-03-02T10:11:00Z"),
      completed_at: null,
    });
    // Its time has passed elsewhere.
    expect(await outcomesOf(sql, once.id)).toEqual([]);
    expect((await getCron(sql, once.id)).completed_at).not.toBeNull();
    expect((await getCron(sql, daily.id)).next_fire_at).toEqual(new Date("2026-03-03T09:00:00Z"));
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    expect(await outcomesOf(sql, often.id)).toEqual(["10:11 enqueued"]);
  });

  test("an edit arms the cron from now on, without its past", async () => {
    const { db, sql, often } = await held();
    await using _db = db;
    await patch(sql, often.id, { schedule: "*/7 * * * *" });
    await sql`select carillon.release_clone()`;
    await setClock(sql, "2026-03-02T10:14:00Z");
    await fireDue(sql);
    expect(await outcomesOf(sql, often.id)).toEqual(["10:14 enqueued"]);
  });
});

test("a release arms all crons at once, however many", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  await createCron(sql, "crm", "c");
  await sql`
    insert into carillon.crons (app_id, name, schedule, description, origin, owner_id, next_fire_at)
    select app_id, 'c' || i, schedule, description, origin, owner_id, next_fire_at
    from carillon.crons, generate_series(1, 1500) i`;
  await move(sql, "hold");
  await advanceClock(sql, "10 minutes");
  await sql`select carillon.release_clone()`;
  await advanceClock(sql, "1 minute");
  expect(await fireDue(sql)).toEqual({ fired: 1501, failed: 0 });
});

describe("a copy says that it is one", () => {
  const finding = async (url: string) => (await examine(url)).find(({ check }) => check === "home");

  test("to the doctor, with what it does and what to do", async () => {
    await using db = await createTestDatabase();
    expect(await finding(db.url)).toMatchObject({ state: "ok" });
    await move(db.sql);
    const warned = await finding(db.url);
    expect(warned).toMatchObject({ state: "broken", fix: "carillon release" });
    expect(warned?.message).toContain("7000000000000000001");
    expect(warned?.message).toContain("everything fires here too");
    await move(db.sql, "hold");
    expect((await finding(db.url))?.message).toContain("nothing fires");
  });

  test("in the ticker's log, once, also where pg_cron sweeps every minute", async () => {
    await using db = await createTestDatabase();
    const { sql } = db;
    await realClock(sql);
    const lines: string[] = [];
    const note = (_: object, message: string) => void lines.push(message);
    const log = { debug: note, info: note, warn: note, error: note };
    const pool = connectCarillon(db.url, { max: 1 });
    const copy = "this database is a copy of the one its schedules were made for";
    const seen = () => lines.filter((line) => line.startsWith(copy)).length;
    await using _ticker = startTicker({ sql: pool, log });
    // Who sweeps leaves nothing for the ticker to sweep.
    await sql`select carillon.sweep()`;
    await move(sql);
    await expect.poll(seen, { timeout: 5000 }).toBe(1);
    await sql`select carillon.release_clone()`;
    await expect
      .poll(async () => (await sql`select carillon.tick() as t`)[0]?.t as object, { timeout: 5000 })
      .toMatchObject({ clone: false });
    // Again a copy: that is news.
    await sql`select pg_sleep(1.1)`;
    await move(sql);
    await expect.poll(seen, { timeout: 5000 }).toBe(2);
    await pool.end();
  });
});

test("a dump restored elsewhere takes its home, its policy and its schedules along", async () => {
  // What pg_dump and a restore do, by the one tool that is at hand: a template of the whole database.
  await using db = await newDatabase();
  const { sql } = db;
  await createCron(sql, "crm", "c");
  await sql`select carillon.set_on_clone(policy => 'hold')`;
  await sql.end();
  const admin = connect(withDatabase(db.url, "postgres"), 1);
  const name = `${db.name}_copy`;
  try {
    await admin.unsafe(`create database ${name} template ${db.name}`);
    const copy = connect(withDatabase(db.url, name), 2);
    await advanceClock(copy, "1 minute");
    expect(await status(copy)).toMatchObject({
      clone: true,
      held: true,
      home: { database: db.name },
      here: { database: name },
    });
    expect(await fireDue(copy)).toMatchObject({ fired: 0, held: true });
    await copy.end();
  } finally {
    await admin.unsafe(`drop database if exists ${name} with (force)`);
    await admin.end();
  }
});
