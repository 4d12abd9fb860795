import { randomBytes, randomUUID } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import { createUser, newApp, one, refusal } from "./support.js";

let db: TestDatabase;
let sql: TestSql;
const KEY = "0123456789abcdef";

beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
  await setClock(sql, "2026-03-02T10:00:30Z");
});
afterAll(() => db.drop());

const install = () => newApp(sql);

interface Row {
  id: string;
  created_by: string | null;
  expires_at: Date | null;
}

async function rotate(app: string, overlap: number | null = 86_400, actor?: string) {
  const id = randomUUID();
  await one(sql<Row[]>`
    select * from carillon.rotate_signing_key(app => ${app}, id => ${id}, key_id => ${KEY}, nonce => ${randomBytes(12)},
      ciphertext => ${randomBytes(60)}, overlap_seconds => ${overlap}, actor => ${actor ?? null})`);
  return id;
}

async function ensure(app: string, on: TestSql = sql) {
  const id = randomUUID();
  await on`
    select carillon.ensure_signing_key(app => ${app}, id => ${id}, key_id => ${KEY}, nonce => ${randomBytes(12)},
      ciphertext => ${randomBytes(60)})`;
  return id;
}

const list = (app: string) => sql<Row[]>`select * from carillon.list_signing_keys(app => ${app})`;
const signing = async (app: string) =>
  (await sql<Row[]>`select id from carillon.fetch_signing_keys(app => ${app})`).map(({ id }) => id);

describe("signing keys", () => {
  test("sign with the one before for the overlap, which is a day unless said otherwise", async () => {
    const app = await install();
    expect(await signing(app)).toEqual([]);
    const first = await rotate(app);
    expect(await signing(app)).toEqual([first]);
    const second = await rotate(app);
    expect(await signing(app)).toEqual([second, first]);
    expect(await list(app)).toMatchObject([
      { id: second, expires_at: null },
      { id: first, expires_at: new Date("2026-03-03T10:00:30Z") },
    ]);
    await advanceClock(sql, "1 day");
    expect(await signing(app)).toEqual([second]);
    expect(await list(app)).toHaveLength(1);
    await sql`select carillon.sweep()`;
    expect(await sql`select from carillon.signing_keys where app_id = ${app}`).toHaveLength(1);
  });

  test("are two at most: a third one ends the oldest; without overlap there is one", async () => {
    const app = await install();
    const [, second, third] = [await rotate(app), await rotate(app), await rotate(app, 60)];
    expect(await signing(app)).toEqual([third, second]);
    const fourth = await rotate(app, 0);
    expect(await signing(app)).toEqual([fourth]);
  });

  test("are made for an app that has none, once, however many need one", async () => {
    const app = await install();
    const pools = [sql, sql, sql, sql];
    const made = await Promise.all([...pools.map((on) => ensure(app, on)), rotate(app)]);
    const keys = await signing(app);
    expect(keys.length).toBeGreaterThanOrEqual(1);
    expect(keys[0]).toBe(made.at(-1));
    await ensure(app);
    expect(await signing(app)).toEqual(keys);
    const audited = await sql`
      select from carillon.audit_log where app_id = ${app} and action = 'signing.create'`;
    expect(audited).toHaveLength(keys.length - 1);
  });

  test("are rotated by who may set secrets, on record", async () => {
    const app = await install();
    const ann = await createUser(sql, `ann${app}`, [`app:${app}:secret.write`]);
    const bob = await createUser(sql, `bob${app}`, [`app:${app}:secret.read`]);
    expect(await refusal(rotate(app, 60, bob))).toMatchObject({ code: "TK403" });
    const first = await rotate(app, 60, ann);
    const second = await rotate(app, 60, ann);
    expect((await list(app))[0]).toMatchObject({ created_by: ann });
    const rows = await sql`
      select object_id, before, after, actor_id from carillon.audit_log
      where app_id = ${app} and action = 'signing.rotate' order by id`;
    expect([...rows]).toEqual([
      { object_id: first, before: null, after: { id: first }, actor_id: ann },
      {
        object_id: second,
        before: { id: first },
        after: { id: second, previousExpiresAt: expect.any(String) as string },
        actor_id: ann,
      },
    ]);
    for (const overlap of [-1, 2_592_001, null]) {
      expect(await refusal(rotate(app, overlap))).toMatchObject({
        ...{ code: "TK001", field: "overlap" },
      });
    }
    expect(await refusal(rotate("nowhere"))).toMatchObject({ code: "TK101" });
  });

  test("go with their app", async () => {
    const app = await install();
    await rotate(app);
    await sql`select carillon.uninstall_app(app => ${app})`;
    expect(await sql`select from carillon.signing_keys where app_id = ${app}`).toHaveLength(0);
  });
});
