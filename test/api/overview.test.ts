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
