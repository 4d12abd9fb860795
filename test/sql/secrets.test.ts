import { randomBytes } from "node:crypto";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestDatabase, type TestSql } from "../helpers/database.js";
import { createUser, fingerprint, newApp, one, refusal } from "./support.js";

/*
 * What apps keep secret, as the database sees it: sealed values it cannot open, by app and name.
 */

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

const set = async (app: string, name: string, bytes = randomBytes(40), actor?: string) =>
  (
    await one(sql<{ made: boolean }[]>`
      select carillon.set_secret(app => ${app}, name => ${name}, key_id => ${KEY}, nonce => ${randomBytes(12)},
        ciphertext => ${bytes}, actor => ${actor ?? null}) as made`)
  ).made;

const fetched = (app: string, name: string) => sql<{ ciphertext: Uint8Array }[]>`
  select * from carillon.fetch_secret(app => ${app}, name => ${name})`;

interface Details {
  name: string;
  created_at: Date;
  created_by: string | null;
  updated_at: Date;
  updated_by: string | null;
  last_used_at: Date | null;
}
const list = (app: string) => sql<Details[]>`select * from carillon.list_secrets(app => ${app})`;

describe("a secret", () => {
  test("is made, replaced, fetched and deleted, each on record by name only", async () => {
    const app = await install();
    const ann = await createUser(sql, `ann${app}`, [`app:${app}:secret.write`]);
    expect(await set(app, "TOKEN", Buffer.from("sealed in some way"), ann)).toBe(true);
    const [made] = await list(app);
    expect(made).toMatchObject({ name: "TOKEN", created_by: ann, updated_by: ann });
    await advanceClock(sql, "1 hour");
    const second = randomBytes(40);
    expect(await set(app, "TOKEN", second)).toBe(false);
    const [changed] = await list(app);
    expect(changed).toMatchObject({ created_by: ann, updated_by: null });
    expect(changed?.updated_at.getTime()).toBe((made?.created_at.getTime() ?? 0) + 3_600_000);
    expect(changed?.created_at).toEqual(made?.created_at);
    expect((await fetched(app, "TOKEN"))[0]?.ciphertext).toEqual(second);
    await sql`select carillon.delete_secret(app => ${app}, name => 'TOKEN')`;
    expect(await fetched(app, "TOKEN")).toHaveLength(0);

    const rows = await sql`
      select action, object_id, object_name, before, after from carillon.audit_log
      where app_id = ${app} and action like 'secret.%' order by id`;
    const what = { object_id: "TOKEN", object_name: "TOKEN" };
    expect([...rows]).toEqual([
      { action: "secret.create", ...what, before: null, after: { keyId: KEY } },
      { action: "secret.update", ...what, before: null, after: { keyId: KEY } },
      { action: "secret.delete", ...what, before: { keyId: KEY }, after: null },
    ]);
  });

  test("that is not there is TK107, and for a dispatcher no row", async () => {
    const app = await install();
    const missing = {
      code: "TK107",
      message: `the app "${app}" has no secret named NONE`,
      hint: `carillon secrets set NONE --app ${app}`,
    };
    expect(
      await refusal(sql`select carillon.get_secret(app => ${app}, name => 'NONE')`),
    ).toMatchObject(missing);
    expect(
      await refusal(sql`select carillon.delete_secret(app => ${app}, name => 'NONE')`),
    ).toMatchObject(missing);
    expect(await fetched(app, "NONE")).toHaveLength(0);
    for (const call of [
      sql`select carillon.list_secrets(app => 'nowhere')`,
      sql`select carillon.get_secret(app => 'nowhere', name => 'A')`,
    ]) {
      expect(await refusal(call)).toMatchObject({ code: "TK101" });
    }
    expect(await refusal(set("nowhere", "A"))).toMatchObject({ code: "TK101" });
  });

  test.for(["token", "1TOKEN", "_A", "A-B", "", "A".repeat(65), "A\n"])(
    "cannot be named %j",
    async (name) => {
      const app = await install();
      expect(await refusal(set(app, name))).toMatchObject({ code: "TK001", field: "name" });
    },
  );

  test("is set and deleted by who may, within the scopes of the credential", async () => {
    const app = await install();
    const reader = await createUser(sql, `reader${app}`, [`app:${app}:secret.read`]);
    expect(await refusal(set(app, "A", randomBytes(20), reader))).toMatchObject({
      code: "TK403",
      message: `missing app:${app}:secret.write`,
    });
    const writer = await createUser(sql, `writer${app}`, [`app:${app}:*`]);
    await set(app, "A", randomBytes(20), writer);
    expect(
      await refusal(sql`
        select carillon.delete_secret(app => ${app}, name => 'A', actor => ${writer}, actor_scopes => ${[`app:${app}:cron.*`]})`),
    ).toMatchObject({ code: "TK403" });
  });

  test("is one of a hundred at most; one that is there can still be replaced", async () => {
    const app = await install();
    for (let at = 0; at < 100; at += 1) await set(app, `S_${at}`);
    expect(await refusal(set(app, "ONE_MORE"))).toMatchObject({ code: "TK001", field: "name" });
    expect(await set(app, "S_7")).toBe(false);
  });

  test("goes with its app, and stays without who set it", async () => {
    const app = await install();
    const ann = await createUser(sql, `ann${app}`, [`app:${app}:*`]);
    await set(app, "A", randomBytes(20), ann);
    await sql`select carillon.delete_principal(principal => ${ann})`;
    expect(await list(app)).toMatchObject([{ name: "A", created_by: null, updated_by: null }]);
    await sql`select carillon.uninstall_app(app => ${app})`;
    expect(await sql`select from carillon.app_secrets where app_id = ${app}`).toHaveLength(0);
  });

  test("knows to a minute when it was last used; to look at it is no use", async () => {
    const app = await install();
    await set(app, "A");
    await set(app, "B");
    const used = async () =>
      (await list(app)).map(({ last_used_at: at }) => at?.toISOString() ?? null);
    expect(await used()).toEqual([null, null]);
    await fetched(app, "A");
    const [first] = await used();
    expect(await used()).toEqual([first, null]);
    expect(first).not.toBeNull();
    const before = await fingerprint(sql);
    await fetched(app, "A");
    await sql`select carillon.get_secret(app => ${app}, name => 'B')`;
    expect(await fingerprint(sql)).toEqual(before);
    await advanceClock(sql, "2 minutes");
    await fetched(app, "A");
    expect((await used())[0]).not.toBe(first);
  });

  test("is fetched without waiting for who sets it", async () => {
    const app = await install();
    await set(app, "A", Buffer.from("the value before this"));
    await sql.begin(async (tx) => {
      await tx`select from carillon.app_secrets where app_id = ${app} for update`;
      const [row] = await fetched(app, "A");
      expect(Buffer.from(row?.ciphertext ?? []).toString()).toBe("the value before this");
    });
  });
});
