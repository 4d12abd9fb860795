import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemOf, TestApi, type Answer } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
});
afterAll(() => api[Symbol.asyncDispose]());

const put = (appId: string, manifest: unknown, caller = api.admin) =>
  api.as(caller, "PUT", `/api/v1/apps/${appId}/manifest`, { body: manifest });
const idsOf = (answer: Answer) => (answer.body as { id: string }[]).map(({ id }) => id);
const crons = async (appId: string) =>
  (await api.as(api.admin, "GET", `/api/v1/apps/${appId}/crons`)).body as {
    name: string;
    id: string;
    updatedAt: string;
    enabled: boolean;
  }[];

const daily = { name: "daily", schedule: "0 9 * * *", timezone: "America/New_York" };
const often = { name: "often", schedule: "10 seconds", method: "onOften", payload: { a: 1 } };

describe("PUT manifest", () => {
  test("installs, updates and leaves alone, and says what it did", async () => {
    const manifest = {
      $schema: "https://example.com/manifest.schema.json",
      id: "shop",
      name: "Shop",
      crons: [daily, often],
    };
    const nothing = { created: [], updated: [], unchanged: [], deleted: [] };
    const first = await put("shop", manifest);
    expect(first.status).toBe(201);
    expect(first.body).toEqual({
      ...nothing,
      appId: "shop",
      installed: true,
      created: ["daily", "often"],
    });
    const made = await crons("shop");
    expect(made).toMatchObject([
      { name: "daily", origin: "manifest", createdBy: api.admin.id, timezone: "America/New_York" },
      { name: "often", method: "onOften", payload: { a: 1, method: "onOften" } },
    ]);

    const again = await put("shop", manifest);
    expect(again.status).toBe(200);
    expect(again.body).toEqual({
      ...nothing,
      appId: "shop",
      installed: false,
      unchanged: ["daily", "often"],
    });
    expect(await crons("shop")).toEqual(made);

    const runtime = { name: "runtime", schedule: "0 1 * * *" };
    await api.as(api.admin, "POST", "/api/v1/apps/shop/crons", { body: runtime });
    const changed = await put("shop", {
      crons: [
        { ...daily, schedule: "0 10 * * *" },
        { name: "new", schedule: "* * * * *" },
      ],
    });
    expect(changed.body).toMatchObject({
      created: ["new"],
      updated: ["daily"],
      unchanged: [],
      deleted: ["often"],
    });
    const emptied = await put("shop", {});
    expect(emptied.body).toMatchObject({ deleted: ["daily", "new"] });
    expect((await crons("shop")).map(({ name }) => name)).toEqual(["runtime"]);
  });

  test("keeps a pause made at runtime", async () => {
    await put("paused", { crons: [daily] });
    const [cron] = await crons("paused");
    const path = `/api/v1/apps/paused/crons/${cron?.id}`;
    await api.as(api.admin, "PATCH", path, { body: { enabled: false } });
    expect((await put("paused", { crons: [daily] })).body).toMatchObject({ unchanged: ["daily"] });
    expect(await crons("paused")).toMatchObject([{ id: cron?.id, enabled: false }]);
  });

  test("changes nothing at all when one entry is wrong", async () => {
    await put("whole", { name: "Before", crons: [daily] });
    const before = await crons("whole");
    const bad = [
      [{ ...often, schedule: "99 * * * *" }, "crons[1].schedule"],
      [{ ...often, timezone: "Mars/Olympus" }, "crons[1].timezone"],
      [{ ...often, name: "no spaces" }, "crons[1].name"],
      [{ ...often, name: "daily" }, "crons[1].name"],
      [{ ...often, retries: 3 }, "crons[1].retries"],
      [{ ...often, payload: [1] }, "crons[1].payload"],
      [
        { ...often, startsAt: "2027-01-01T00:00:00Z", endsAt: "2026-01-01T00:00:00Z" },
        "crons[1].endsAt",
      ],
    ] as const;
    for (const [entry, field] of bad) {
      const answer = await put("whole", {
        name: "After",
        crons: [{ ...daily, schedule: "1 1 * * *" }, entry],
      });
      expect(answer.status, answer.text).toBe(400);
      expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
      expect(await crons("whole")).toEqual(before);
    }
    const apps = await api.as(api.admin, "GET", "/api/v1/apps");
    expect(apps.body).toContainEqual(expect.objectContaining({ id: "whole", name: "Before" }));
    // Nor does a refused manifest install an app.
    expect((await put("never", { crons: [{ ...often, schedule: "@daily" }] })).status).toBe(400);
    expect((await api.as(api.admin, "GET", "/api/v1/apps/never/crons")).status).toBe(404);
  });

  test("refuses another app's manifest, and a name taken at runtime", async () => {
    const answer = await put("one", { id: "two" });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors).toMatchObject([{ field: "id" }]);
    await put("taken", {});
    await api.as(api.admin, "POST", "/api/v1/apps/taken/crons", { body: daily });
    const taken = await put("taken", { crons: [daily] });
    expect(taken.status).toBe(400);
    expect(problemOf(taken)).toMatchObject({
      code: "name_taken",
      errors: [{ field: "crons[0].name" }],
    });
  });

  test.each(["carillon", "information_schema", "pg_catalog", "pg_mine"])(
    "refuses the reserved id %s",
    async (appId) => {
      for (const [method, path] of [
        ["PUT", "manifest"],
        ["GET", "crons"],
        ["GET", "jobs"],
        ["POST", "jobs"],
      ] as const) {
        const body = method === "GET" ? undefined : {};
        const answer = await api.as(api.admin, method, `/api/v1/apps/${appId}/${path}`, { body });
        expect(answer.status, path).toBe(403);
        expect(problemOf(answer).code).toBe("reserved_app_id");
      }
    },
  );

  test("gives the installer the app's admin role, cron.manage_others included", async () => {
    const installer = await api.caller("installer", ["app:mine:manifest.write"]);
    expect((await put("mine", { crons: [daily] }, installer)).status).toBe(201);
    const answer = await api.as(installer, "GET", "/api/v1/apps/mine/crons");
    expect(answer.status).toBe(200);
    const elsewhere = await put("not-mine", {}, installer);
    expect(elsewhere.status).toBe(403);
    expect(problemOf(elsewhere).detail).toBe("missing app:not-mine:manifest.write");
  });
});

describe("GET /api/v1/apps", () => {
  test("shows apps in which the caller holds anything, without their manifests", async () => {
    await put("seen", { permissions: ["cron.read", "report.send"], maxConcurrency: 7 });
    await put("seen-2", {});
    await put("unseen", {});
    const ids = async (name: string, permissions: string[]) =>
      idsOf(await api.as(await api.caller(name, permissions), "GET", "/api/v1/apps"));
    expect(await ids("a1", ["app:seen:job.read"])).toEqual(["seen"]);
    expect(await ids("a2", ["app:seen:*", "app:seen-2:invoke"])).toEqual(["seen", "seen-2"]);
    expect(await ids("a3", ["app:seen", "other:*", "appx:*"])).toEqual([]);
    expect(await ids("a4", ["app:*"])).toEqual(
      idsOf(await api.as(api.admin, "GET", "/api/v1/apps")),
    );
    const all = await api.as(api.admin, "GET", "/api/v1/apps");
    expect(all.body).toContainEqual({
      id: "seen",
      name: null,
      agent: null,
      permissions: ["app:seen:cron.read", "app:seen:report.send"],
      maxConcurrency: 7,
      createdAt: expect.any(String) as string,
      updatedAt: expect.any(String) as string,
    });
  });
});

describe("PATCH", () => {
  const patch = (appId: string, body: unknown, caller = api.admin) =>
    api.as(caller, "PATCH", `/api/v1/apps/${appId}`, { body });
  const audited = (appId: string) =>
    api.sql`
      select before, after from carillon.list_audit(app => ${appId}, action => 'app.update')`;

  test("changes what is given, leaves the rest and the crons alone, and is on record", async () => {
    const agent = { model: "any" };
    await put("edited", { name: "Before", agent, maxConcurrency: 7, crons: [daily] });
    const before = await crons("edited");
    const renamed = await patch("edited", { name: "After", maxConcurrency: null });
    expect(renamed.status).toBe(200);
    expect(renamed.body).toMatchObject({
      id: "edited",
      name: "After",
      maxConcurrency: null,
      agent,
    });
    expect(await crons("edited")).toEqual(before);
    expect(await audited("edited")).toEqual([
      { before: { name: "Before", maxConcurrency: 7 }, after: { name: "After" } },
    ]);
    expect((await patch("edited", { agent: false })).body).toMatchObject({ agent: null });
    expect((await audited("edited"))[0]).toEqual({ before: { agent }, after: null });
    expect((await patch("edited", { agent: true, name: null })).body).toMatchObject({
      ...{ name: null, agent: {} },
    });
    const { updatedAt } = (await patch("edited", { name: null })).body as { updatedAt: string };
    expect((await patch("edited", {})).body).toMatchObject({ updatedAt });
    expect(await audited("edited")).toHaveLength(3);
  });

  test("the next deploy has its own way again", async () => {
    const manifest = { name: "Declared", maxConcurrency: 2 };
    await put("again", manifest);
    await patch("again", { name: "Edited", maxConcurrency: 9 });
    await put("again", manifest);
    const apps = await api.as(api.admin, "GET", "/api/v1/apps");
    expect(apps.body).toContainEqual(expect.objectContaining({ id: "again", ...manifest }));
  });

  test.each([
    [{ name: 1 }, "name"],
    [{ name: "x".repeat(201) }, "name"],
    [{ maxConcurrency: 0 }, "maxConcurrency"],
    [{ agent: "yes" }, "agent"],
    [{ agent: { endpoint: { url: "ftp://example.com" } } }, "agent.endpoint.url"],
    [{ permissions: [] }, "permissions"],
    [{ id: "other" }, "id"],
  ])("refuses %j", async (body, field) => {
    await put("strict", { name: "Strict" });
    const answer = await patch("strict", body);
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
    expect(await audited("strict")).toEqual([]);
  });

  test("is for who may deploy the app, in SQL too", async () => {
    await put("guarded", {});
    const writer = await api.caller("cron-writer", ["app:guarded:cron.write"]);
    expect(problemOf(await patch("guarded", { name: "x" }, writer)).detail).toBe(
      "missing app:guarded:manifest.write",
    );
    await expect(
      api.sql`select carillon.patch_app(app => 'guarded', patch => '{}', actor => ${writer.id})`,
    ).rejects.toMatchObject({ code: "TK403" });
    await expect(
      api.sql`select carillon.patch_app(app => 'guarded', patch => '{"crons": []}')`,
    ).rejects.toMatchObject({ code: "TK001", column_name: "crons" });
    expect((await patch("absent", { name: "x" })).status).toBe(404);
  });
});

test("DELETE uninstalls: crons and live jobs go, the history stays", async () => {
  await put("gone", { crons: [daily] });
  const enqueued = await api.as(api.admin, "POST", "/api/v1/apps/gone/jobs");
  const { msgId } = enqueued.body as { msgId: number };
  const deleted = await api.as(api.admin, "DELETE", "/api/v1/apps/gone");
  expect(deleted.status).toBe(200);
  expect(deleted.body).toEqual({ message: "app uninstalled" });
  const again = await api.as(api.admin, "DELETE", "/api/v1/apps/gone");
  expect(again.status).toBe(404);
  expect(problemOf(again).code).toBe("app_not_found");
  const job = await api.as(api.admin, "GET", `/api/v1/apps/gone/jobs/${msgId}`);
  expect(job.body).toMatchObject({ status: "canceled" });
});
