import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { fillPermission, hasPermission, holdsAnyOf } from "../../src/api/permissions.js";
import type { Route } from "../../src/api/route.js";
import { ROUTES } from "../../src/api/routes/index.js";
import { problemOf, TestApi, type Caller } from "./api.js";

let api: TestApi;
let cronId: string;
let nobody: Caller;
let neighbour: Caller;
let snapshot: unknown;

beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm", { crons: [{ name: "daily", schedule: "0 9 * * *" }] });
  await api.install("other");
  const list = await api.as(api.admin, "GET", "/api/v1/apps/crm/crons");
  cronId = (list.body as { id: string }[])[0]?.id ?? "";
  nobody = await api.caller("nobody", []);
  neighbour = await api.caller("neighbour", ["app:other:*"]);
  snapshot = await everything();
});
afterAll(() => api[Symbol.asyncDispose]());

const everything = () => api.sql`
  select (select jsonb_agg(a) from carillon.apps a) as apps,
         (select jsonb_agg(c) from carillon.crons c) as crons,
         (select count(*) from pgmq.q_jobs) as jobs`;

/** The route as a request that would be good if it were allowed. */
function requestFor(route: Route) {
  const id = route.path.includes("/jobs/") ? "1" : cronId;
  const path = fillPermission(route.path, { appId: "crm", id, name: "TOKEN" });
  return {
    method: route.method.toUpperCase(),
    path,
    body: bodies[`${route.method} ${route.path}`],
  };
}

const bodies: Record<string, object> = {
  "post /api/v1/apps/{appId}/crons": { name: "x", schedule: "0 9 * * *" },
  "patch /api/v1/apps/{appId}/crons/{id}": { enabled: false },
  "patch /api/v1/apps/{appId}/jobs/{id}": { runAt: "2099-01-01T00:00:00Z" },
  "put /api/v1/apps/{appId}/retention": { days: 3, keepLast: null, keepFailed: null },
  "put /api/v1/apps/{appId}/crons/{id}/retention": { days: 3, keepLast: null, keepFailed: null },
  "post /api/v1/apps/{appId}/jobs/batch": { jobs: [{}] },
  "post /api/v1/apps/{appId}/jobs/cancel": { filter: {} },
  "post /api/v1/apps/{appId}/jobs/retry": { filter: {} },
  "post /api/v1/apps/{appId}/dead-letters/redrive": { all: true },
  "post /api/v1/apps/{appId}/dead-letters/delete": { all: true },
  "put /api/v1/apps/{appId}/manifest": { crons: [] },
  "put /api/v1/apps/{appId}/secrets/{name}": { value: "hidden" },
};

const label = (route: Route) => `${route.method.toUpperCase()} ${route.path}`;
const guarded = ROUTES.filter(({ permission }) => permission.startsWith("app:"));
const cases = (routes: readonly Route[]) => routes.map((route) => [label(route), route] as const);

describe("every guarded route", () => {
  test.each(cases(guarded))("%s names what is missing and does nothing", async (_, route) => {
    const { method, path, body } = requestFor(route);
    const missing = `missing ${fillPermission(route.permission, { appId: "crm" })}`;
    // Everything but the one permission, and everything in another app.
    const held = guarded.map((other) => fillPermission(other.permission, { appId: "crm" }));
    const rest = held.filter((permission) => `missing ${permission}` !== missing);
    const almost = await api.caller(`almost-${label(route).replace(/\W/g, "")}`, rest);
    for (const caller of [nobody, neighbour, almost]) {
      const answer = await api.as(caller, method, path, { body });
      expect(answer.status, caller.username).toBe(403);
      expect(problemOf(answer)).toMatchObject({ code: "permission_denied", detail: missing });
    }
    expect(await everything()).toEqual(snapshot);
  });

  test.each(cases(guarded))("%s tells nobody whether an app exists", async (_, route) => {
    const { method, path, body } = requestFor(route);
    const answer = await api.as(nobody, method, path.replace("/crm", "/nowhere"), { body });
    expect(answer.status).toBe(403);
    expect(problemOf(answer).detail).toContain("missing app:nowhere:");
  });

  test.each(cases(guarded.filter(({ method }) => method === "get")))(
    "%s is open to a holder of just its permission",
    async (_, route) => {
      const exact = fillPermission(route.permission, { appId: "crm" });
      const caller = await api.caller(`exact-${label(route).replace(/\W/g, "")}`, [exact]);
      const { method, path } = requestFor(route);
      // There is no job 1 and no such secret: but that is for those to know who may read them.
      const absent = /\/jobs\/1|\/secrets\/TOKEN/.test(path);
      expect((await api.as(caller, method, path)).status).toBe(absent ? 404 : 200);
    },
  );
});

test.each(cases(ROUTES.filter(({ permission }) => permission !== "public")))(
  "%s needs credentials",
  async (_, route) => {
    const { method, path, body } = requestFor(route);
    const answer = await api.request(method, path, { body });
    expect(answer.status).toBe(401);
    expect(answer.headers.get("www-authenticate")).toBe('Bearer realm="carillon"');
    expect(problemOf(answer).code).toBe("unauthenticated");
  },
);

test("the document's endpoints have the document's permissions", () => {
  const table = Object.fromEntries(ROUTES.map((route) => [label(route), route.permission]));
  expect(table).toMatchObject({
    "GET /api/v1/crons": "authenticated",
    "GET /api/v1/apps/{appId}/crons": "app:{appId}:cron.read",
    "POST /api/v1/apps/{appId}/crons": "app:{appId}:cron.write",
    "PATCH /api/v1/apps/{appId}/crons/{id}": "app:{appId}:cron.write",
    "DELETE /api/v1/apps/{appId}/crons/{id}": "app:{appId}:cron.write",
    "GET /api/v1/apps/{appId}/crons/{id}/runs": "app:{appId}:cron.read",
    "POST /api/v1/apps/{appId}/crons/{id}/trigger": "app:{appId}:cron.trigger",
  });
  expect(ROUTES.filter(({ permission }) => permission === "public").map(label)).toEqual([
    "GET /healthz",
    "GET /readyz",
  ]);
});

describe("matching", () => {
  test.each([
    [["*"], "app:crm:cron.read", true],
    [["app:crm:*"], "app:crm:cron.read", true],
    [["app:*"], "app:crm:cron.read", true],
    [["app:crm:cron.read"], "app:crm:cron.read", true],
    [["app:crm:cron.rea"], "app:crm:cron.read", false],
    [["app:crm:cron.*"], "app:crm:cron.read", false],
    [["app:cr:*"], "app:crm:cron.read", false],
    [["app:crm*"], "app:crm:cron.read", false],
    [["app:crm"], "app:crm:cron.read", false],
    [["APP:CRM:*"], "app:crm:cron.read", false],
    [[], "app:crm:cron.read", false],
  ])("%j grants %s: %s", (held, wanted, granted) => {
    expect(hasPermission(held, wanted)).toBe(granted);
  });

  test("is the same rule in SQL", async () => {
    const part = fc.constantFrom("*", "app", "crm", "a_b", "cron.read", "", "%", "app:crm");
    const permission = fc.array(part, { maxLength: 4 }).map((parts) => parts.join(":"));
    const sample = fc.sample(fc.tuple(fc.array(permission, { maxLength: 4 }), permission), 2000);
    const rows = await api.sql<{ granted: boolean }[]>`
      select carillon._has_permission(
        array(select jsonb_array_elements_text(c.value -> 0)), c.value ->> 1) as granted
      from jsonb_array_elements(${api.sql.json(sample)}) with ordinality as c (value, at)
      order by c.at`;
    expect(rows.map(({ granted }) => granted)).toEqual(
      sample.map(([held, wanted]) => hasPermission(held, wanted)),
    );
    expect(rows.filter(({ granted }) => granted).length).toBeGreaterThan(50);
  });

  test("sees an app by any permission in it", () => {
    expect(holdsAnyOf(["app:crm:x"], "crm")).toBe(true);
    expect(holdsAnyOf(["app:crm2:x"], "crm")).toBe(false);
    expect(holdsAnyOf(["app:*"], "crm")).toBe(true);
    expect(holdsAnyOf(["*"], "crm")).toBe(true);
    expect(holdsAnyOf([], "crm")).toBe(false);
  });
});
