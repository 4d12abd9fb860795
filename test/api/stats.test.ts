import { afterAll, beforeAll, expect, test } from "vitest";
import { claimJobs, finishJobs } from "../../src/db/jobs.js";
import { problemOf, TestApi } from "./api.js";

let api: TestApi;
let cronId: string;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "daily", schedule: "0 9 * * *" }] });
  await api.install("other");
  const list = await api.as(api.admin, "GET", "/api/v1/apps/crm/crons");
  cronId = (list.body as { id: string }[])[0]?.id ?? "";
  await api.as(api.admin, "POST", `/api/v1/apps/crm/crons/${cronId}/trigger`);
  const jobs = Array.from({ length: 3 }, () => ({}));
  await api.as(api.admin, "POST", "/api/v1/apps/crm/jobs/batch", { body: { jobs } });
  const claimed = await claimJobs(api.sql, ["crm"], "w", 10, 60);
  const error = { name: "Error", message: "no" };
  await finishJobs(
    api.sql,
    claimed.map(({ jobId, attempt, cronId: cron }) =>
      cron === null
        ? { jobId, attempt, status: "completed" }
        : { jobId, attempt, status: "failed", error },
    ),
  );
});
afterAll(() => api[Symbol.asyncDispose]());

const get = (path: string) => api.as(api.admin, "GET", `/api/v1/apps/${path}`);

test("statistics of an app and of a cron, by buckets in a time zone", async () => {
  const app = await get("crm/stats");
  expect(app.status, app.text).toBe(200);
  expect(app.body).toMatchObject({
    ...{ bucket: "15m", timezone: "GMT" },
    total: { completed: 3, failed: 1, canceled: 0, successRate: 0.75, lag: null },
  });
  const cron = await get(`crm/crons/${cronId}/stats?bucket=1h&timezone=Asia/Kolkata`);
  expect(cron.body).toMatchObject({
    ...{ bucket: "1h", timezone: "Asia/Kolkata" },
    total: {
      completed: 0,
      failed: 1,
      successRate: 0,
      duration: { p50: expect.any(Number) as number },
    },
  });
  expect((cron.body as { from: string }).from).toMatch(/T\d\d:30:00/);
  const other = await get("other/stats");
  expect(other.body).toMatchObject({ total: { completed: 0, failed: 0, successRate: null } });
});

test.each([
  ["bucket=2h", "bucket"],
  ["from=yesterday", "from"],
  ["from=2026-01-02T00:00:00Z&to=2026-01-01T00:00:00Z", "to"],
  ["from=2020-01-01T00:00:00Z&bucket=1h", "bucket"],
  ["limit=5", "limit"],
])("statistics with %s are refused, naming %s", async (query, field) => {
  const answer = await get(`crm/stats?${query}`);
  expect(answer.status, answer.text).toBe(400);
  expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
});

test("retention is set for an app and for a cron, and taken back", async () => {
  const put = (path: string, body: object) =>
    api.as(api.admin, "PUT", `/api/v1/apps/${path}`, { body });
  const app = await put("crm/retention", { days: 30, keepLast: null, keepFailed: 5 });
  expect(app.status, app.text).toBe(200);
  expect(app.body).toEqual({ days: 30, keepLast: null, keepFailed: 5, effectiveDays: 30 });
  const ofCron = `crm/crons/${cronId}/retention`;
  expect((await get(ofCron)).body).toMatchObject({ days: null, effectiveDays: 30 });
  const cron = await put(ofCron, { days: 3, keepLast: 10, keepFailed: null });
  expect(cron.body).toEqual({ days: 3, keepLast: 10, keepFailed: null, effectiveDays: 3 });
  await put(ofCron, { days: null, keepLast: null, keepFailed: null });
  await put("crm/retention", { days: null, keepLast: null, keepFailed: null });
  expect((await get("crm/retention")).body).toMatchObject({ days: null, effectiveDays: 90 });
  for (const [body, field] of [
    [{ days: 0, keepLast: null, keepFailed: null }, "days"],
    [{ days: null, keepLast: null }, "keepFailed"],
    [{ days: null, keepLast: 10_001, keepFailed: null }, "keepLast"],
    [{ days: null, keepLast: null, keepFailed: null, weeks: 2 }, "weeks"],
  ] as const) {
    const answer = await put("crm/retention", body);
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
  }
});

test("neither knows an app that is not installed, or a cron of another", async () => {
  for (const path of ["nowhere/stats", "nowhere/retention"]) {
    expect(problemOf(await get(path)).code, path).toBe("app_not_found");
  }
  for (const what of ["stats", "retention"]) {
    const answer = await get(`other/crons/${cronId}/${what}`);
    expect(answer.status).toBe(404);
    expect(problemOf(answer).code).toBe("cron_not_found");
  }
});
