import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { problemOf, TestApi } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "often", schedule: "1 seconds" }] });
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(async () => {
  await api.sql`select carillon.release_clone()`;
  await api.sql`select carillon.set_on_clone(policy => 'warn')`;
});

const move = () => api.sql`
  update carillon.settings set value = value || '{"systemIdentifier": "7000000000000000001"}' where key = 'home'`;

interface Place {
  systemIdentifier: string;
  database: string;
}
interface System {
  pgCron: Record<string, unknown>;
  clone: { home: Place; here: Place; clone: boolean; onClone: string; held: boolean };
}
const system = async (caller = api.admin) => {
  const answer = await api.as(caller, "GET", "/api/v1/system");
  expect(answer.status, answer.text).toBe(200);
  return answer.body as System;
};
const release = (caller = api.admin) => api.as(caller, "POST", "/api/v1/admin/release");

describe("GET /api/v1/system", () => {
  test("says what drives, and that the schedules are at home", async () => {
    const { pgCron, clone } = await system();
    expect(pgCron).toMatchObject({ driving: null, lastSeenAt: null, stuck: false, beats: 0 });
    expect(clone).toEqual({
      ...{ home: clone.here, here: clone.here, clone: false, onClone: "warn", held: false },
    });
    expect(clone.here).toEqual({
      systemIdentifier: expect.stringMatching(/^\d{15,}$/) as string,
      database: api.db.name,
    });
  });

  test("says of a copy what it is a copy of, and whether it is held", async () => {
    await move();
    expect((await system()).clone).toMatchObject({
      ...{ clone: true, onClone: "warn", held: false },
      home: { systemIdentifier: "7000000000000000001" },
    });
    await api.sql`delete from carillon.settings where key = 'onClone'`;
    expect((await system()).clone).toMatchObject({ clone: true, onClone: "warn", held: false });
    await api.sql`select carillon.set_on_clone(policy => 'hold')`;
    expect((await system()).clone).toMatchObject({ clone: true, onClone: "hold", held: true });
  });

  test("tells the time in UTC", async () => {
    await api.sql`
      insert into carillon.settings values ('pg_cron_seen_at', '"2026-03-02T15:30:00+05:30"')`;
    expect((await system()).pgCron.lastSeenAt).toBe("2026-03-02T10:00:00.000Z");
    await api.sql`delete from carillon.settings where key = 'pg_cron_seen_at'`;
  });

  test("needs a permission of its own, as the release does", async () => {
    const almost = await api.caller("almost", ["app:*", "system:tick"]);
    const read = await api.as(almost, "GET", "/api/v1/system");
    expect([read.status, problemOf(read).detail]).toEqual([403, "missing system:read"]);
    const answer = await release(almost);
    expect([answer.status, problemOf(answer).detail]).toEqual([403, "missing system:release"]);
    expect((await system(await api.caller("reader", ["system:read"]))).clone.clone).toBe(false);
  });
});

describe("a held copy", () => {
  test("fires nothing, says so, and fires after its release", async () => {
    await move();
    await api.sql`select carillon.set_on_clone(policy => 'hold')`;
    const due = () => api.sql`select from carillon.crons where next_fire_at <= carillon.now()`;
    await expect.poll(async () => (await due()).length, { timeout: 5000 }).toBe(1);
    const before = await api.sql`select count(*) from carillon.ticks`;
    const tick = await api.as(api.admin, "POST", "/api/v1/admin/tick");
    expect(tick.body).toMatchObject({ held: true, fired: [], failed: [] });
    expect(await api.sql`select count(*) from carillon.ticks`).toEqual(before);

    const released = await release(await api.caller("releaser", ["system:release"]));
    expect(released.status).toBe(200);
    expect(released.body).toMatchObject({ clone: false, held: false, onClone: "hold" });
    const fires = async () => {
      const answer = await api.as(api.admin, "POST", "/api/v1/admin/tick");
      return (answer.body as { fired: unknown[] }).fired.length;
    };
    await expect.poll(fires, { timeout: 5000 }).toBeGreaterThan(0);
  });

  test("is ready: it serves all the same", async () => {
    await move();
    expect((await api.request("GET", "/readyz")).status).toBe(200);
  });
});
