import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { TestApi, type Caller } from "./api.js";

/* Who changed what, from where and why, as the API tells it. */

let api: TestApi;
let auditor: Caller;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  await api.install("billing");
  auditor = await api.caller("auditor", ["app:crm:audit.read"]);
});
afterAll(() => api[Symbol.asyncDispose]());

interface Entry {
  id: number;
  action: string;
  appId: string | null;
  object: { type: string; id: string | null; name: string | null };
  actor: { kind: string; id: string | null; name: string };
  requestId: string | null;
  [field: string]: unknown;
}

const list = async (path: string, caller = api.admin) => {
  const answer = await api.as(caller, "GET", path);
  expect(answer.status, answer.text).toBe(200);
  return answer.body as { items: Entry[]; nextCursor: string | null };
};

const CRONS = "/api/v1/apps/crm/crons";

async function makeCron(name: string, headers: Record<string, string> = {}) {
  const body = { name, schedule: "0 9 * * *" };
  const answer = await api.as(api.admin, "POST", CRONS, { body, headers });
  expect(answer.status, answer.text).toBe(201);
  return { id: (answer.body as { id: string }).id, headers: answer.headers };
}

describe("an entry", () => {
  test("says who, by which key, from where, in which request, and why", async () => {
    const { id, headers } = await makeCron("nightly", {
      ...{
        "x-carillon-reason": encodeURIComponent("für den Monatsabschluss"),
        "user-agent": "t/1",
      },
    });
    const { items } = await list(`${CRONS}/${id}/audit`);
    expect(items).toEqual([
      expect.objectContaining({
        ...{ action: "cron.create", appId: "crm", via: "key", keyId: api.admin.keyId },
        object: { type: "cron", id, name: "nightly" },
        actor: { kind: "user", id: api.admin.id, name: "boss" },
        ...{ before: null, userAgent: "t/1", reason: "für den Monatsabschluss" },
        requestId: headers.get("x-request-id"),
      }),
    ]);
    expect(items[0]?.ip).toMatch(/127\.0\.0\.1$/);
    expect(items[0]?.keyPrefix).toMatch(/^.{8}$/);
  });

  test("is written for each of the changes that routes make, each by its caller", async () => {
    const { id } = await makeCron("busy");
    const job = await api.as(api.admin, "POST", "/api/v1/apps/crm/jobs", { body: {} });
    const jobPath = `/api/v1/apps/crm/jobs/${(job.body as { msgId: number }).msgId}`;
    const runAt = "2099-01-01T00:00:00Z";
    const calls = [
      ["PATCH", `${CRONS}/${id}`, { schedule: "1 9 * * *" }, "cron.update"],
      ["POST", `${CRONS}/${id}/trigger`, {}, "cron.trigger"],
      ["PATCH", jobPath, { runAt }, "job.update"],
      ["POST", `${jobPath}/cancel`, {}, "job.cancel"],
      ["POST", `${jobPath}/retry`, undefined, "job.retry"],
      ["DELETE", `${CRONS}/${id}`, undefined, "cron.delete"],
      ["POST", "/api/v1/roles", { name: "r1", permissions: ["a:b"] }, "role.create"],
      ["POST", "/api/v1/principals", { username: "p1", roles: ["r1"] }, "principal.create"],
    ] as const;
    for (const [method, path, body, action] of calls) {
      const answer = await api.as(api.admin, method, path, body === undefined ? {} : { body });
      expect(answer.status, answer.text).toBeLessThan(300);
      const { items } = await list(`/api/v1/audit?limit=1`);
      expect(items[0]).toMatchObject({
        ...{ action, actor: { name: "boss" }, requestId: answer.headers.get("x-request-id") },
      });
    }
  });

  test("is not written for a refused request, nor for one that reads", async () => {
    const newest = async () => (await list("/api/v1/audit?limit=1")).items[0]?.id;
    const before = await newest();
    await api.as(api.admin, "GET", CRONS);
    const refused = await api.as(auditor, "POST", CRONS, {
      body: { name: "x", schedule: "0 9 * * *" },
    });
    expect(refused.status).toBe(403);
    expect(await newest()).toBe(before);
  });

  test.each([
    ["too long", "x".repeat(501)],
    ["with a control character", "a%00b"],
  ])("takes no reason that is %s", async (_what, reason) => {
    const headers = { "x-carillon-reason": reason };
    const body = { name: "bad", schedule: "0 9 * * *" };
    const answer = await api.as(api.admin, "POST", CRONS, { body, headers });
    expect(answer.status).toBe(400);
    expect(answer.text).toContain("x-carillon-reason");
  });

  test("takes a percent sign for what it is", async () => {
    const { id } = await makeCron("percent", { "x-carillon-reason": "100% sure" });
    const { items } = await list(`${CRONS}/${id}/audit`);
    expect(items[0]?.reason).toBe("100% sure");
  });
});

describe("who may read it", () => {
  test("of an app: its auditors, and they see that app only", async () => {
    const { items } = await list("/api/v1/apps/crm/audit", auditor);
    expect(items.length).toBeGreaterThan(0);
    expect(new Set(items.map(({ appId }) => appId))).toEqual(new Set(["crm"]));
    for (const path of ["/api/v1/audit", "/api/v1/apps/billing/audit"]) {
      expect((await api.as(auditor, "GET", path)).status).toBe(403);
    }
    // A cron of another app is not there.
    const foreign = await api.as(api.admin, "POST", "/api/v1/apps/billing/crons", {
      body: { name: "b", schedule: "0 9 * * *" },
    });
    const { id } = foreign.body as { id: string };
    expect((await list(`${CRONS}/${id}/audit`, auditor)).items).toEqual([]);
  });
});

describe("the list", () => {
  test("pages by cursor and filters by actor, action and time", async () => {
    const whole = (await list("/api/v1/apps/crm/audit?limit=500")).items;
    const paged: Entry[] = [];
    let cursor: string | null = "";
    while (cursor !== null) {
      const path = `/api/v1/apps/crm/audit?limit=3${cursor === "" ? "" : `&cursor=${cursor}`}`;
      const page = await list(path);
      paged.push(...page.items);
      cursor = page.nextCursor;
    }
    expect(paged).toEqual(whole);
    const creations = await list("/api/v1/apps/crm/audit?action=cron.create&actor=boss");
    expect(creations.items.length).toBeGreaterThan(0);
    expect(new Set(creations.items.map(({ action }) => action))).toEqual(new Set(["cron.create"]));
    expect((await list("/api/v1/audit?actor=nobody")).items).toEqual([]);
    expect((await list("/api/v1/audit?to=2001-01-01T00:00:00Z")).items).toEqual([]);
  });

  test.each(["action=cron", "cursor=x", "actor=", "limit=501", "from=yesterday"])(
    "refuses ?%s",
    async (query) => {
      expect((await api.as(api.admin, "GET", `/api/v1/audit?${query}`)).status).toBe(400);
    },
  );
});
