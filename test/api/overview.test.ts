import { afterAll, beforeAll, expect, test } from "vitest";
import { createClient } from "../../src/client/index.js";
import { problemOf, TestApi } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "daily", schedule: "0 9 * * *" }] });
  await api.install("ops", { crons: [{ name: "sweep", schedule: "0 * * * *" }] });
  await api.sql`insert into carillon.cron_failures select id, 3 from carillon.crons`;
});
afterAll(() => api[Symbol.asyncDispose]());

test("attention, of all apps or one, as far as one may read", async () => {
  const all = await api.as(api.admin, "GET", "/api/v1/attention");
  expect(all.status, all.text).toBe(200);
  expect(all.body).toMatchObject({
    items: [
      { kind: "failing", severity: "critical", text: "crm / daily failed 3 times in a row" },
      { kind: "failing", text: "ops / sweep failed 3 times in a row", count: 3 },
    ],
    count: 2,
    decided: { slots: 0, onTime: 0, skipped: 0, missed: 0 },
  });
  const reader = await api.caller("reader", ["app:ops:cron.read"]);
  const own = await api.as(reader, "GET", "/api/v1/attention");
  expect(own.body).toMatchObject({ items: [{ appId: "ops" }], count: 1 });
  const other = await api.as(reader, "GET", "/api/v1/attention?app=crm");
  expect(other.body).toMatchObject({ items: [], count: 0 });
  const bad = await api.as(reader, "GET", "/api/v1/attention?app=Not+An+App");
  expect(problemOf(bad).errors?.[0]?.field).toBe("app");
});

test("the overview, by the client", async () => {
  const client = createClient({ url: api.server.url, key: api.admin.key });
  const overview = await client.overview.get();
  expect(overview.hours).toHaveLength(24);
  expect(overview.pgCron?.stuck).toBe(false);
  const reader = await api.caller("other-reader", ["app:crm:*"]);
  const answer = await api.as(reader, "GET", "/api/v1/overview?app=crm");
  expect(answer.status, answer.text).toBe(200);
  expect(answer.body).toMatchObject({ pgCron: null, running: [] });
});

test("workers that are there, idle ones too, of the apps whose jobs one may read", async () => {
  const note = (worker: string, keys: string[]) =>
    api.sql`
      select carillon.note_worker(
        worker => ${worker}, keys => ${keys}, host => 'h', pid => 7, version => '1.2', concurrency => 5)`;
  await note("both", ["crm", "ops"]);
  await note("ops", ["ops"]);
  await note("all targets", ["@"]);
  await note("targets of crm", ["@crm"]);
  const list = async (key: string, app?: string) =>
    (
      await createClient({ url: api.server.url, key }).overview.workers(
        app === undefined ? {} : { app },
      )
    ).map(({ worker, apps }) => [worker, apps]);
  expect(await list(api.admin.key)).toEqual([
    ["all targets", null],
    ["targets of crm", ["crm"]],
    ["both", ["crm", "ops"]],
    ["ops", ["ops"]],
  ]);
  const reader = await api.caller("job-reader", ["app:crm:job.read"]);
  expect(await list(reader.key)).toEqual([
    ["all targets", null],
    ["targets of crm", ["crm"]],
    ["both", ["crm"]],
  ]);
  expect(await list(reader.key, "ops")).toEqual([]);
  expect(await list((await api.caller("cron-reader", ["app:crm:cron.read"])).key)).toEqual([]);
  const [first] = (await api.as(reader, "GET", "/api/v1/workers?app=crm")).body as object[];
  expect(first).toEqual({
    ...{ worker: "all targets", kind: "dispatcher", apps: null, host: "h", pid: 7 },
    ...{ version: "1.2", concurrency: 5, there: true, running: 0 },
    startedAt: expect.any(String) as string,
    lastSeenAt: expect.any(String) as string,
  });
});
