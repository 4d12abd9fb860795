import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { resetTargets, setBreaker } from "../../src/db/breakers.js";
import { connect, type Sql } from "../../src/db/connect.js";
import { CircuitBreakers, HeldBack } from "../../src/dispatch/breaker.js";
import { completed, failed } from "../../src/targets/outcome.js";
import type { Outcome } from "../../src/targets/types.js";
import { createTestDatabase, type TestDatabase } from "../helpers/database.js";
import { advanceClock, setClock } from "../helpers/clock.js";
import { memoryLogger, until } from "../worker/helpers.js";

let db: TestDatabase;
let sql: Sql;
/** Another process's pool. */
let elsewhere: Sql;
let unique = 0;

beforeAll(async () => {
  db = await createTestDatabase();
  sql = connect(db.url, { max: 4 });
  elsewhere = connect(db.url, { max: 4 });
  await setClock(db.sql, "2026-03-02T10:00:30Z");
});
afterAll(async () => {
  await Promise.all([sql.end({ timeout: 5 }), elsewhere.end({ timeout: 5 })]);
  await db.drop();
});

const KEY = "https://example.com";
const fine = completed(null);
const broken = failed({ class: "connect", message: "nobody listens" }, { broken: true });
const ownFault = failed({ class: "status", message: "answered 404" });
const aborted = failed({ class: "aborted", message: "" });
const { logger: log } = memoryLogger();

async function install(): Promise<string> {
  const app = `app${(unique += 1)}`;
  await db.sql`select carillon.install_app(app => ${app})`;
  return app;
}

/** Reads whenever it is asked, unless told to trust what it has read. */
const dispatcher = (on: Sql = sql, { failures = 3, freshMs = 0 } = {}) =>
  new CircuitBreakers({
    ...{ sql: on, log, usual: { failures, coolDown: 60 } },
    freshMs: { on: freshMs, off: freshMs },
  });

/** Whether a call was made, and if not, what was thrown instead. */
async function call(breakers: CircuitBreakers, app: string, outcome: Outcome) {
  let made = false;
  try {
    const got = await breakers.guard(app, KEY, () => {
      made = true;
      return Promise.resolve(outcome);
    });
    expect(got).toBe(outcome);
    return "made";
  } catch (error) {
    if (!(error instanceof HeldBack)) throw error;
    expect(made).toBe(false);
    return error;
  }
}

/** A pool that counts the statements that go through it. */
function counting(pool: Sql): { sql: Sql; sent: () => number } {
  let sent = 0;
  const apply = (target: Sql, self: unknown, args: unknown[]): unknown => {
    sent += 1;
    return Reflect.apply(target as unknown as () => unknown, self, args);
  };
  return { sql: new Proxy(pool, { apply }), sent: () => sent };
}

describe("circuit breakers", () => {
  test("hold calls back after so many failures in a row, in every dispatcher", async () => {
    const app = await install();
    const [one, other] = [dispatcher(), dispatcher(elsewhere)];
    for (const breakers of [one, other, one]) {
      expect(await call(breakers, app, broken)).toBe("made");
    }
    for (const breakers of [one, other, dispatcher(elsewhere)]) {
      const held = (await call(breakers, app, fine)) as HeldBack;
      expect(held.name).toBe("held_back");
      expect(held.message).toMatch(
        /^no calls are made to https:\/\/example\.com for (59|60) s: it was broken too often in a row$/,
      );
      expect(held.ms).toBeGreaterThan(50_000);
      expect(held.ms).toBeLessThanOrEqual(60_000);
    }
    expect(await call(one, await install(), fine)).toBe("made");
  });

  test("count only what is the target's fault, and anything else shows that it works", async () => {
    const app = await install();
    const breakers = dispatcher();
    for (const outcome of [broken, broken, fine, broken, broken, ownFault, broken, broken]) {
      expect(await call(breakers, app, outcome)).toBe("made");
    }
    expect(await call(breakers, app, fine)).toBe("made");
    expect(await db.sql`select from carillon.breakers where app_id = ${app}`).toHaveLength(0);
  });

  test("let one call of one dispatcher probe, which closes them all", async () => {
    const app = await install();
    const all = [dispatcher(), dispatcher(elsewhere), dispatcher()];
    for (let i = 0; i < 3; i += 1) await call(dispatcher(), app, broken);
    await advanceClock(db.sql, "60 seconds");
    const calls: (() => void)[] = [];
    const ended: unknown[] = [];
    const asked = all.map(async (breakers) => {
      const answer = () =>
        new Promise<Outcome>((resolve) => {
          calls.push(() => resolve(fine));
        });
      ended.push(await breakers.guard(app, KEY, answer).catch((error: unknown) => error));
    });
    await until(() => calls.length === 1 && ended.length === 2, "one probes, two are held back");
    expect(ended.every((error) => error instanceof HeldBack)).toBe(true);
    calls[0]?.();
    await Promise.all(asked);
    expect(ended.at(-1)).toBe(fine);
    for (const breakers of all) expect(await call(breakers, app, fine)).toBe("made");
  });

  test("let the next call probe when one was aborted", async () => {
    const app = await install();
    const breakers = dispatcher();
    for (let i = 0; i < 3; i += 1) await call(breakers, app, broken);
    await advanceClock(db.sql, "60 seconds");
    expect(await call(breakers, app, aborted)).toBe("made");
    expect(await call(breakers, app, broken)).toBe("made");
    expect(await call(breakers, app, fine)).not.toBe("made");
  });

  test("are closed by hand, and a call is not held back by what was read before", async () => {
    const app = await install();
    const breakers = dispatcher();
    for (let i = 0; i < 3; i += 1) await call(breakers, app, broken);
    expect(await call(breakers, app, fine)).not.toBe("made");
    await resetTargets(elsewhere, app, KEY);
    expect(await call(breakers, app, fine)).toBe("made");
  });

  test("follow an app's own rule, on or off", async () => {
    const [strict, lax] = [await install(), await install()];
    await setBreaker(sql, strict, { failures: 1, coolDown: 5 });
    await setBreaker(sql, lax, { failures: 0, coolDown: null });
    const [off, on] = [dispatcher(sql, { failures: 0 }), dispatcher()];
    expect(await call(off, strict, broken)).toBe("made");
    expect(await call(on, strict, fine)).not.toBe("made");
    for (let i = 0; i < 5; i += 1) expect(await call(on, lax, broken)).toBe("made");
  });
});

describe("what they cost", () => {
  test.for([0, 3])(
    "nothing per job where nothing has failed (usual rule: after %i failures)",
    async (failures) => {
      const app = await install();
      const { sql: counted, sent } = counting(sql);
      const breakers = dispatcher(counted, { failures, freshMs: 60_000 });
      await call(breakers, app, fine);
      expect(sent()).toBe(1);
      for (let i = 0; i < 500; i += 1) await call(breakers, app, i % 2 === 0 ? fine : ownFault);
      expect(sent()).toBe(1);
      // Not even a turn of the event loop.
      expect(breakers.admit(app, KEY)).toEqual({ admitted: true });
    },
  );

  test("one reading for all, beside the work, once what was read is old", async () => {
    const app = await install();
    const { sql: counted, sent } = counting(sql);
    const breakers = dispatcher(counted);
    await call(breakers, app, fine);
    const before = sent();
    for (let i = 0; i < 100; i += 1) {
      expect(breakers.admit(app, KEY)).toEqual({ admitted: true });
    }
    expect(sent() - before).toBeLessThanOrEqual(1);
  });

  test("no job its outcome, when the database is away", async () => {
    const app = await install();
    const gone = connect(db.url, { max: 1 });
    const breakers = dispatcher(gone);
    await call(breakers, app, broken);
    await gone.end({ timeout: 1 });
    expect(await call(breakers, app, broken)).toBe("made");
    expect(await call(breakers, app, fine)).toBe("made");
  });
});
