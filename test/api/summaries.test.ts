import { afterAll, beforeAll, expect, test } from "vitest";
import { claimJobs, finishJobs } from "../../src/db/jobs.js";
import { createClient } from "../../src/client/index.js";
import { type Caller, problemOf, TestApi } from "./api.js";

interface Summary {
  cron: { id: string; name: string; appId: string };
  state: string;
  strip: string;
  next: string | null;
  last: { status: string } | null;
  sentence: string;
  can: string[];
}
interface Page {
  items: Summary[];
  nextCursor: string | null;
  count: { count: number; capped: boolean };
}

let api: TestApi;
let reader: Caller;
beforeAll(async () => {
  api = await TestApi.start();
  const crons = [
    { name: "daily", schedule: "0 9 * * 1-5", timezone: "Europe/Berlin" },
    { name: "paused", schedule: "0 9 * * *", enabled: false },
  ];
  await api.install("crm", { crons });
  await api.install("ops", { crons: [{ name: "sweep", schedule: "*/5 * * * *" }] });
  reader = await api.caller("reader", ["app:crm:cron.read"]);
});
afterAll(() => api[Symbol.asyncDispose]());

const list = async (query = "", caller = api.admin) => {
  const answer = await api.as(caller, "GET", `/api/v1/cron-summaries${query}`);
  expect(answer.status, answer.text).toBe(200);
  return answer.body as Page;
};
const names = (page: Page) => page.items.map(({ cron }) => cron.name);

test("a page of crons of all apps, each with how it is, in one request", async () => {
  const page = await list();
  expect(names(page)).toEqual(["sweep", "daily", "paused"]);
  expect(page.count).toEqual({ count: 3, capped: false });
  expect(page.items[1]).toMatchObject({
    ...{ state: "waiting", strip: "", last: null },
    sentence: "Every weekday (Monday to Friday) at 09:00, Europe/Berlin time",
    can: ["write", "trigger", "readJobs", "writeJobs", "readAudit"],
  });
  expect(page.items[1]?.next).toMatch(/T0[78]:00:00/);
  const first = await list("?limit=2");
  expect(first.nextCursor).not.toBeNull();
  expect(names(await list(`?limit=2&cursor=${first.nextCursor}`))).toEqual(["paused"]);
});

test("filters and orders", async () => {
  expect(names(await list("?app=ops"))).toEqual(["sweep"]);
  expect(names(await list("?q=weekday"))).toEqual(["daily"]);
  expect(names(await list("?state=paused,late"))).toEqual(["paused"]);
  expect(names(await list("?enabled=true&timezone=GMT"))).toEqual(["sweep"]);
  expect(names(await list("?target=none&app=ops"))).toEqual(["sweep"]);
  expect(names(await list("?target=http,agent"))).toEqual([]);
  expect(names(await list("?order=name"))).toEqual(["daily", "paused", "sweep"]);
  for (const [query, field] of [
    ["state=broken", "state"],
    ["order=size", "order"],
    ["limit=201", "limit"],
    ["cursor=nonsense", "cursor"],
    ["enabled=yes", "enabled"],
    ["app=Not+An+App", "app"],
  ]) {
    const answer = await api.as(api.admin, "GET", `/api/v1/cron-summaries?${query}`);
    expect(answer.status, query).toBe(400);
    expect(problemOf(answer).errors?.[0]?.field, answer.text).toMatch(new RegExp(`^${field}`));
  }
});

test("shows one what one may read, and no more", async () => {
  const page = await list("", reader);
  expect(names(page)).toEqual(["daily", "paused"]);
  expect(page.items[0]?.can).toEqual([]);
  expect(await list("?app=ops", reader)).toMatchObject({ items: [], count: { count: 0 } });
  expect((await list("", await api.caller("nobody", []))).items).toEqual([]);
});

test("one cron, with more of its slots, by its app only", async () => {
  const { items } = await list("?app=ops");
  const id = items[0]?.cron.id ?? "";
  await api.as(api.admin, "POST", `/api/v1/apps/ops/crons/${id}/trigger`);
  const jobs = await claimJobs(api.sql, ["ops"], "w", 10, 60);
  const done = jobs.map(({ jobId, attempt }) => ({ jobId, attempt, status: "completed" as const }));
  await finishJobs(api.sql, done);
  const one = await api.as(api.admin, "GET", `/api/v1/apps/ops/crons/${id}/summary?slots=120`);
  expect(one.status, one.text).toBe(200);
  expect(one.body).toMatchObject({ cron: { id }, last: { status: "completed" } });
  const foreign = await api.as(api.admin, "GET", `/api/v1/apps/crm/crons/${id}/summary`);
  expect(foreign.status).toBe(404);
  expect(problemOf(foreign).code).toBe("cron_not_found");
  const tooMany = await api.as(api.admin, "GET", `/api/v1/apps/ops/crons/${id}/summary?slots=121`);
  expect(tooMany.status).toBe(400);
});

test("an unchanged page is a 304, with the server's time on it", async () => {
  const first = await api.as(api.admin, "GET", "/api/v1/cron-summaries?order=name");
  const etag = first.headers.get("etag") ?? "";
  const again = await api.as(api.admin, "GET", "/api/v1/cron-summaries?order=name", {
    headers: { "if-none-match": etag },
  });
  expect(again.status).toBe(304);
  for (const { headers } of [first, again]) {
    const date = Date.parse(headers.get("date") ?? "");
    expect(Math.abs(date - Date.now())).toBeLessThan(5_000);
  }
});

test("by the client, page after page", async () => {
  const client = createClient({ url: api.server.url, key: api.admin.key });
  const seen: string[] = [];
  for await (const { cron } of client.crons.summaries({ limit: 1, order: "name" })) {
    seen.push(cron.name);
  }
  expect(seen).toEqual(["daily", "paused", "sweep"]);
});
