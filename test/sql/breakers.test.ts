import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { advanceClock, setClock } from "../helpers/clock.js";
import {
  connect,
  createTestDatabase,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { createUser, fingerprint, newApp, one, refusal } from "./support.js";

let db: TestDatabase;
let sql: TestSql;
const KEY = "https://example.com";

beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
  await setClock(sql, "2026-03-02T10:00:30Z");
});
afterAll(() => db.drop());

const install = () => newApp(sql);

/** For how many milliseconds no call is to be made after one more failure. */
const fail = async (app: string, { failures = 3, key = KEY, message = "answered 503" } = {}) =>
  (
    await one(sql<{ wait: number | null }[]>`
      select carillon.note_failure(app => ${app}, key => ${key}, error_class => 'status', error_message => ${message},
        usual_failures => ${failures}, usual_cool_down => 60) as wait`)
  ).wait;
const probe = async (app: string, on: TestSql = sql) =>
  (
    await one(on<{ wait: number }[]>`
      select carillon.begin_probe(app => ${app}, key => ${KEY}, usual_failures => 3, usual_cool_down => 60) as wait`)
  ).wait;
const recover = (app: string) => sql`select carillon.note_recovery(app => ${app}, key => ${KEY})`;
const abandon = (app: string) => sql`select carillon.abandon_probe(app => ${app}, key => ${KEY})`;

interface Row {
  key: string;
  state: string;
  failures: number;
  opened_at: Date | null;
  probe_at: Date | null;
  error_message: string;
}
const list = (app: string) => sql<Row[]>`select * from carillon.list_targets(app => ${app})`;
const stateOf = async (app: string) => {
  const [row] = await list(app);
  return row && `${row.state} ${row.failures}`;
};

/** An app whose target's breaker has just opened. */
async function opened(): Promise<string> {
  const app = await install();
  for (let i = 0; i < 3; i += 1) await fail(app);
  return app;
}

describe("a breaker", () => {
  test("opens after so many failures in a row, of one target of one app", async () => {
    const [app, other] = [await install(), await install()];
    expect([await fail(app), await fail(app)]).toEqual([null, null]);
    expect(await stateOf(app)).toBe("closed 2");
    await recover(app);
    expect(await stateOf(app)).toBeUndefined();
    expect([await fail(app), await fail(app), await fail(app, { message: "the last" })]).toEqual([
      ...[null, null, 60_000],
    ]);
    expect(await list(app)).toMatchObject([
      { key: KEY, state: "open", failures: 3, error_message: "the last" },
    ]);
    expect(await fail(app, { key: "faktory default" })).toBeNull();
    expect(await list(other)).toEqual([]);
    const { watch } = await one(sql<{ watch: { targets: [string, string, boolean][] } }[]>`
      select carillon.watch_breakers() as watch`);
    expect(watch.targets.filter(([id]) => id === app).sort()).toEqual([
      [app, "faktory default", false],
      [app, KEY, true],
    ]);
  });

  test("is not kept open by what was under way when it opened", async () => {
    const app = await opened();
    const [before] = await list(app);
    await advanceClock(sql, "10 seconds");
    expect(await fail(app)).toBe(50_000);
    expect(await list(app)).toEqual([before]);
    await recover(app);
    expect(await list(app)).toEqual([]);
  });

  test("lets one probe after the cool-down; its failure opens it for another, its success for good", async () => {
    const app = await opened();
    expect(await probe(app)).toBe(60_000);
    await advanceClock(sql, "60 seconds");
    expect(await stateOf(app)).toBe("half-open 3");
    expect(await probe(app)).toBe(0);
    expect(await stateOf(app)).toBe("half-open 3");
    expect(await probe(app)).toBe(60_000);
    await advanceClock(sql, "5 seconds");
    expect(await fail(app)).toBe(60_000);
    expect(await stateOf(app)).toBe("open 4");
    await advanceClock(sql, "60 seconds");
    expect(await probe(app)).toBe(0);
    await recover(app);
    expect(await probe(app)).toBe(0);
    expect(await list(app)).toEqual([]);
  });

  test("lets another probe when one was aborted, or is never heard of again", async () => {
    const app = await opened();
    await abandon(app);
    expect(await probe(app)).toBe(60_000);
    await advanceClock(sql, "60 seconds");
    expect(await probe(app)).toBe(0);
    await advanceClock(sql, "1 second");
    await abandon(app);
    expect(await probe(app)).toBe(0);
    await advanceClock(sql, "59 seconds");
    expect(await probe(app)).toBe(1000);
    await advanceClock(sql, "1 second");
    expect(await probe(app)).toBe(0);
  });

  test("lets exactly one of many dispatchers probe", async () => {
    const app = await opened();
    await advanceClock(sql, "60 seconds");
    const pools = Array.from({ length: 8 }, () => connect(db.url, 2));
    try {
      const asked = pools.flatMap((pool) => [probe(app, pool), probe(app, pool)]);
      const waits = await Promise.all(asked);
      expect(waits.filter((wait) => wait === 0)).toHaveLength(1);
      expect(waits.filter((wait) => wait === 60_000)).toHaveLength(15);
    } finally {
      await Promise.all(pools.map((pool) => pool.end({ timeout: 5 })));
    }
  });

  test("counts every failure of many at once", async () => {
    const app = await install();
    await Promise.all(Array.from({ length: 40 }, () => fail(app, { failures: 1000 })));
    expect(await stateOf(app)).toBe("closed 40");
  });

  test("is off where it is told to be, and then writes nothing", async () => {
    const app = await install();
    const before = await fingerprint(sql);
    expect(await fail(app, { failures: 0 })).toBeNull();
    expect(await fail("nowhere")).toBeNull();
    expect(await fingerprint(sql)).toEqual(before);
  });

  test("goes with its app, and is forgotten when nobody has called the target for long", async () => {
    const [gone, kept] = [await opened(), await opened()];
    await sql`select carillon.uninstall_app(app => ${gone})`;
    expect(await sql`select from carillon.breakers where app_id = ${gone}`).toHaveLength(0);
    await advanceClock(sql, "30 days");
    await sql`select carillon.sweep()`;
    expect(await list(kept)).toHaveLength(1);
    await advanceClock(sql, "1 minute");
    await sql`select carillon.sweep()`;
    expect(await list(kept)).toEqual([]);
  });
});

describe("an app's own rule", () => {
  const set = (app: string, failures: number | null, coolDown = 5, actor?: string) => sql`
    select carillon.set_breaker(app => ${app}, failures => ${failures}, cool_down_seconds => ${coolDown},
      actor => ${actor ?? null})`;

  test("goes before what dispatchers are told, on record, until it is taken back", async () => {
    const app = await install();
    await set(app, 1);
    expect(await fail(app, { failures: 0 })).toBe(5000);
    await set(app, 0);
    expect(await list(app)).toEqual([]);
    expect(await fail(app, { failures: 1 })).toBeNull();
    await set(app, null);
    await set(app, null);
    expect(await fail(app, { failures: 1 })).toBe(60_000);
    const rows = await sql`
      select before, after from carillon.audit_log
      where app_id = ${app} and action = 'target.breaker' order by id`;
    expect([...rows]).toEqual([
      { before: null, after: { failures: 1, coolDown: 5 } },
      { before: { failures: 1 }, after: { failures: 0 } },
      { before: { failures: 0, coolDown: 5 }, after: null },
    ]);
  });

  test("is checked, and set by who may", async () => {
    const app = await install();
    expect(await refusal(set(app, 1001))).toMatchObject({ code: "TK001", field: "failures" });
    expect(await refusal(set(app, 1, 0))).toMatchObject({ code: "TK001", field: "coolDown" });
    expect(await refusal(set("nowhere", 1))).toMatchObject({ code: "TK101" });
    const reader = await createUser(sql, `reader${app}`, [`app:${app}:target.read`]);
    expect(await refusal(set(app, 1, 5, reader))).toMatchObject({ code: "TK403" });
  });
});

describe("resetting", () => {
  test("closes one breaker or all of an app, on record by who may", async () => {
    const app = await opened();
    await fail(app, { key: "b" });
    await fail(app, { key: "c" });
    const reset = async (key: string | null, actor?: string) =>
      (
        await one(sql<{ n: number }[]>`
          select carillon.reset_targets(app => ${app}, key => ${key}, actor => ${actor ?? null}) as n`)
      ).n;
    const reader = await createUser(sql, `reader${app}`, [`app:${app}:target.read`]);
    expect(await refusal(reset(null, reader))).toMatchObject({ code: "TK403" });
    expect(await reset("none")).toBe(0);
    expect(await reset(KEY)).toBe(1);
    expect(await probe(app)).toBe(0);
    expect(await reset(null)).toBe(2);
    expect(await list(app)).toEqual([]);
    const rows = await sql`
      select object_id, before from carillon.audit_log
      where app_id = ${app} and action = 'target.reset' order by id`;
    expect([...rows]).toEqual([
      { object_id: KEY, before: { failures: 3, open: true } },
      { object_id: "b", before: { failures: 1, open: false } },
      { object_id: "c", before: { failures: 1, open: false } },
    ]);
  });
});
