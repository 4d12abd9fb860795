import { afterAll, beforeAll, expect, test } from "vitest";
import { problemOf, TestApi } from "./api.js";

let api: TestApi;
let cronId: string;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "often", schedule: "*/5 * * * *" }] });
  await api.install("ops", { crons: [{ name: "sweep", schedule: "0 * * * *" }] });
  const list = await api.as(api.admin, "GET", "/api/v1/apps/crm/crons");
  cronId = (list.body as { id: string }[])[0]?.id ?? "";
});
afterAll(() => api[Symbol.asyncDispose]());

const get = (path: string, caller = api.admin) => api.as(caller, "GET", `/api/v1/${path}`);

test("the next hour, of all apps or one", async () => {
  const all = await get("upcoming");
  expect(all.status, all.text).toBe(200);
  expect(all.body).toMatchObject({ bucket: "1m", count: 13, capped: false });
  const names = (all.body as { next: { name: string }[] }).next.map(({ name }) => name);
  expect(names.sort()).toEqual(["often", "sweep"]);
  expect((await get("upcoming?app=ops&bucket=1h")).body).toMatchObject({ count: 1 });
  const reader = await api.caller("reader", ["app:ops:cron.read"]);
  expect((await get("upcoming", reader)).body).toMatchObject({ count: 1 });
  expect((await get("upcoming?app=crm", reader)).body).toMatchObject({ count: 0 });
});

test.each([
  ["bucket=2h", "bucket"],
  ["to=2020-01-01T00:00:00Z", "to"],
  ["from=tomorrow", "from"],
  ["timezone=Nowhere/City", "timezone"],
  ["app=Not+An+App", "app"],
])("slots to come with %s are refused, naming %s", async (query, field) => {
  const answer = await get(`upcoming?${query}`);
  expect(answer.status, answer.text).toBe(400);
  expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
});

test("the calendar of a cron, without its jobs for who may not see them", async () => {
  await api.sql`
    insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, driver, decided_at)
    values (${cronId}, now() - interval '1 day', 'crm', 'missed', 'api', now())`;
  await api.as(api.admin, "POST", `/api/v1/apps/crm/crons/${cronId}/trigger`);
  await api.sql`select carillon.cancel_job(job => job_id) from carillon.list_jobs(app => 'crm')`;
  const path = `apps/crm/crons/${cronId}/calendar`;
  const whole = await get(path);
  expect(whole.status, whole.text).toBe(200);
  expect(whole.body).toMatchObject({
    timezone: "GMT",
    days: [
      { slots: { enqueued: 0, missed: 1 }, jobs: null },
      { slots: null, jobs: { completed: 0, failed: 0, canceled: 1 } },
    ],
  });
  const reader = await api.caller("cron-reader", ["app:crm:cron.read"]);
  expect((await get(path, reader)).body).toMatchObject({ days: [{ jobs: null }] });
  expect((await get(`apps/ops/crons/${cronId}/calendar`)).status).toBe(404);
  expect((await get(`${path}?from=1900-01-01T00:00:00Z`)).status).toBe(400);
});
