import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { generateKey } from "../../src/api/keys.js";
import { createApiKey } from "../../src/db/api-keys.js";
import { problemOf, TestApi, type Answer } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  await api.install("other");
});
afterAll(() => api[Symbol.asyncDispose]());

interface CronBody {
  id: string;
  name: string;
  updatedAt: string;
  [field: string]: unknown;
}

const CRONS = "/api/v1/apps/crm/crons";
const cronOf = (answer: Answer) => answer.body as CronBody;
const namesOf = (answer: Answer) => (answer.body as CronBody[]).map(({ name }) => name);

async function makeCron(fields: object, caller = api.admin): Promise<CronBody> {
  const answer = await api.as(caller, "POST", CRONS, { body: fields });
  expect(answer.status, answer.text).toBe(201);
  return cronOf(answer);
}

const UUID = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const TIME = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/;

describe("the RootCX document", () => {
  test("creates a cron as it shows", async () => {
    const answer = await api.as(api.admin, "POST", CRONS, {
      body: {
        name: "daily-check",
        schedule: "0 9 * * *",
        timezone: "America/New_York",
        payload: { task: "check_replies" },
        overlapPolicy: "skip",
      },
    });
    expect(answer.status).toBe(201);
    expect(answer.body).toEqual({
      id: expect.stringMatching(UUID) as string,
      appId: "crm",
      can: ["write", "trigger", "readJobs", "writeJobs", "readAudit"],
      name: "daily-check",
      schedule: "0 9 * * *",
      timezone: "America/New_York",
      payload: { task: "check_replies" },
      overlapPolicy: "skip",
      enabled: true,
      // The test database has no pg_cron: the ticker drives.
      pgJobId: null,
      createdBy: api.admin.id,
      runAs: null,
      denied: null,
      createdAt: expect.stringMatching(TIME) as string,
      updatedAt: expect.stringMatching(TIME) as string,
      version: 1,
      catchUp: "latest",
      catchUpMax: 100,
      catchUpWindow: 3600,
      maxConsecutiveFailures: null,
      priority: 0,
      maxAttempts: 1,
      retryDelay: 10,
      retryBackoff: 2,
      timeout: null,
      expiresAfter: null,
      tags: [],
      target: null,
      maxConcurrency: null,
      consecutiveFailures: 0,
      description: "Every day at 09:00, America/New_York time",
      paused: null,
      method: null,
      startsAt: null,
      endsAt: null,
      jitter: 0,
      dst: { gap: "shift", fold: "first" },
      origin: "api",
      nextFireAt: expect.stringMatching(TIME) as string,
      completedAt: null,
    });
  });

  test("fills in its defaults, null meaning the same as absent", async () => {
    const expected = { timezone: "GMT", payload: {}, overlapPolicy: "skip", enabled: true };
    const bare = await makeCron({ name: "bare", schedule: "10 seconds" });
    expect(bare).toMatchObject(expected);
    const nulls = { timezone: null, payload: null, overlapPolicy: null, enabled: null, dst: null };
    expect(await makeCron({ name: "nulls", schedule: "* * * * *", ...nulls })).toMatchObject(
      expected,
    );
  });

  test.each([
    "* * * * *",
    "*/5 * * * *",
    "0 9 * * *",
    "0 0 * * 1-5",
    "0 0 1,15 * *",
    "0 0 $ * *",
    "10 seconds",
    "30 seconds",
    "1 seconds",
  ])("takes its schedule %s", async (schedule) => {
    const cron = await makeCron({ name: `s-${Buffer.from(schedule).toString("hex")}`, schedule });
    expect(cron.schedule).toBe(schedule);
  });

  test("updates, disables and enables by PATCH", async () => {
    const { id, updatedAt } = await makeCron({ name: "patched", schedule: "0 9 * * *" });
    const change = { schedule: "*/5 * * * *", enabled: false, overlapPolicy: "queue" };
    const patched = await api.as(api.admin, "PATCH", `${CRONS}/${id}`, { body: change });
    expect(patched.status).toBe(200);
    expect(patched.body).toMatchObject({ id, ...change, pgJobId: null, nextFireAt: null });
    expect(Date.parse(cronOf(patched).updatedAt)).toBeGreaterThan(Date.parse(updatedAt));

    const enabled = await api.as(api.admin, "PATCH", `${CRONS}/${id}`, { body: { enabled: true } });
    expect(enabled.body).toMatchObject({ schedule: "*/5 * * * *", enabled: true });
    expect(cronOf(enabled).nextFireAt).toMatch(TIME);

    const renamed = await api.as(api.admin, "PATCH", `${CRONS}/${id}`, {
      body: { name: "renamed", timezone: "Europe/London", payload: { a: [1] } },
    });
    expect(renamed.body).toMatchObject({ id, name: "renamed", timezone: "Europe/London" });
    const reset = await api.as(api.admin, "PATCH", `${CRONS}/${id}`, {
      body: { timezone: null, payload: null },
    });
    expect(reset.body).toMatchObject({ timezone: "GMT", payload: {} });
    const nothing = await api.as(api.admin, "PATCH", `${CRONS}/${id}`, { body: {} });
    expect(nothing.body).toEqual(reset.body);
  });

  test("takes, shows and changes what its jobs are told", async () => {
    const options = {
      ...{ priority: 5, maxAttempts: 3, retryDelay: 60, retryBackoff: 1.5, timeout: 120 },
      ...{ expiresAfter: 300, tags: ["nightly"], maxConcurrency: 2 },
    };
    const made = await makeCron({ name: "options", schedule: "0 9 * * *", ...options });
    const path = `${CRONS}/${made.id}`;
    expect((await api.as(api.admin, "GET", path)).body).toMatchObject(options);
    const change = { maxAttempts: null, tags: ["a", "b"], maxConcurrency: null };
    const patched = await api.as(api.admin, "PATCH", path, { body: change });
    expect(patched.body).toMatchObject({ ...options, ...change, maxAttempts: 1 });
    const { msgId } = (await api.as(api.admin, "POST", `${path}/trigger`)).body as {
      msgId: number;
    };
    const job = await api.as(api.admin, "GET", `/api/v1/apps/crm/jobs/${msgId}`);
    expect(job.body).toMatchObject({ priority: 5, maxAttempts: 1, tags: ["a", "b"] });
  });

  test("runs as a service account for who may act as it, and says why it is denied", async () => {
    const { id: bot } = (
      await api.as(api.admin, "POST", "/api/v1/principals", {
        body: { username: "crm-bot", kind: "service", roles: ["app:crm:admin"] },
      })
    ).body as { id: string };
    const body = { name: "as-bot", schedule: "0 9 * * *", runAs: "crm-bot" };
    const writer = await api.caller("no-actor", ["app:crm:cron.write"]);
    const refused = await api.as(writer, "POST", CRONS, { body });
    expect(refused.status).toBe(403);
    expect(problemOf(refused)).toMatchObject({
      code: "permission_denied",
      detail: "missing app:crm:act_as",
      errors: [{ field: "runAs", message: "missing app:crm:act_as" }],
    });
    const made = await makeCron(body);
    expect(made).toMatchObject({ createdBy: bot, runAs: bot, denied: null });
    await api.as(api.admin, "PATCH", `/api/v1/principals/${bot}`, { body: { enabled: false } });
    const path = `${CRONS}/${made.id}`;
    expect((await api.as(api.admin, "GET", path)).body).toMatchObject({
      denied: "the owner is disabled",
    });
    const patched = await api.as(api.admin, "PATCH", path, { body: { runAs: null } });
    expect(patched.body).toMatchObject({ createdBy: api.admin.id, runAs: null, denied: null });
  });

  test("lets a scoped key do no more than its scopes, though its owner may", async () => {
    const owner = await api.caller("scoped-owner", ["app:crm:cron.write"]);
    const made = await api.as(owner, "POST", CRONS, {
      body: { name: "not-yours", schedule: "0 9 * * *" },
    });
    const { key, prefix, hash } = generateKey();
    await createApiKey(api.sql, {
      ...{ principalId: api.admin.id, name: "s", prefix, hash, scopes: ["app:crm:cron.write"] },
    });
    const path = `${CRONS}/${cronOf(made).id}`;
    const answer = await api.as({ ...api.admin, key }, "PATCH", path, { body: { jitter: 1 } });
    expect(answer.status).toBe(403);
    expect(problemOf(answer).code).toBe("not_owner");
    expect((await api.as(api.admin, "PATCH", path, { body: { jitter: 1 } })).status).toBe(200);
  });

  test("deletes", async () => {
    const { id } = await makeCron({ name: "deleted", schedule: "0 9 * * *" });
    const deleted = await api.as(api.admin, "DELETE", `${CRONS}/${id}`);
    expect(deleted.status).toBe(200);
    expect(deleted.body).toEqual({ message: "cron deleted" });
    for (const method of ["GET", "DELETE"]) {
      const gone = await api.as(api.admin, method, `${CRONS}/${id}`);
      expect(gone.status).toBe(404);
      expect(problemOf(gone).code).toBe("cron_not_found");
    }
  });

  test("lists an app's crons as a bare array, by name", async () => {
    const answer = await api.as(api.admin, "GET", CRONS);
    expect(answer.status).toBe(200);
    const names = namesOf(answer);
    expect(names).toContain("daily-check");
    expect(names).toEqual([...names].sort());
    expect((await api.as(api.admin, "GET", "/api/v1/apps/other/crons")).body).toEqual([]);
  });

  test("triggers at once, with the cron's payload or another", async () => {
    const { id } = await makeCron({
      name: "triggered",
      schedule: "0 9 * * *",
      payload: { task: "x" },
      method: "onDaily",
      enabled: false,
    });
    const first = await api.as(api.admin, "POST", `${CRONS}/${id}/trigger`);
    expect(first.status).toBe(200);
    expect(first.body).toEqual({ msgId: expect.any(Number) as number });
    const { msgId } = first.body as { msgId: number };
    const job = await api.as(api.admin, "GET", `/api/v1/apps/crm/jobs/${msgId}`);
    expect(job.body).toMatchObject({
      msgId,
      cronId: id,
      trigger: "manual",
      status: "queued",
      payload: { task: "x", cron_id: id, method: "onDaily" },
      userId: api.admin.id,
    });
    const other = await api.as(api.admin, "POST", `${CRONS}/${id}/trigger`, {
      body: { payload: { task: "y" } },
    });
    const { msgId: second } = other.body as { msgId: number };
    expect(second).toBeGreaterThan(msgId);
    const job2 = await api.as(api.admin, "GET", `/api/v1/apps/crm/jobs/${second}`);
    expect(job2.body).toMatchObject({ payload: { task: "y", cron_id: id, method: "onDaily" } });
  });

  test("lists runs and ticks, a limit within its bounds", async () => {
    const { id } = await makeCron({ name: "ran", schedule: "0 9 * * *" });
    await api.sql`
      insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, driver, decided_at)
      select ${id}, now() - make_interval(hours => h), 'crm', 'skipped', 'because', 'ticker', now()
      from generate_series(1, 3) as h`;
    for (const limit of ["", "?limit=1", "?limit=50", "?limit=500"]) {
      const runs = await api.as(api.admin, "GET", `${CRONS}/${id}/runs${limit}`);
      expect(runs.status).toBe(200);
      expect(runs.body).toEqual([]);
    }
    const ticks = await api.as(api.admin, "GET", `${CRONS}/${id}/ticks?limit=2`);
    const times = (ticks.body as { items: { scheduledFor: string }[] }).items.map(
      (tick) => tick.scheduledFor,
    );
    expect(times).toHaveLength(2);
    expect(times).toEqual([...times].sort().reverse());
    expect((ticks.body as { items: object[] }).items[0]).toMatchObject({
      cronId: id,
      appId: "crm",
      outcome: "skipped",
      reason: "because",
      msgId: null,
      blockedBy: null,
      driver: "ticker",
    });
  });
});

test("takes every further field a cron has", async () => {
  const fields = {
    schedule: "every 90 minutes",
    startsAt: "2026-05-08T10:30:00+02:00",
    endsAt: "2099-01-01T00:00:00.5Z",
    jitter: 30,
    dst: { gap: "skip", fold: "both" },
    method: "onIt",
    enabled: false,
  };
  const cron = await makeCron({ name: "full", ...fields });
  expect(cron).toMatchObject({
    ...fields,
    startsAt: "2026-05-08T08:30:00.000Z",
    endsAt: "2099-01-01T00:00:00.500Z",
    payload: { method: "onIt" },
  });
  const patched = await api.as(api.admin, "PATCH", `${CRONS}/${cron.id}`, {
    body: { dst: { gap: "shift" }, jitter: null, startsAt: null },
  });
  expect(patched.body).toMatchObject({
    dst: { gap: "shift", fold: "first" },
    jitter: 0,
    startsAt: null,
  });
});

describe("ownership", () => {
  const write = ["cron.read", "cron.write", "cron.trigger"].map((p) => `app:crm:${p}`);

  test("lets only the owner, or a holder of manage_others, change or trigger a cron", async () => {
    const owner = await api.caller("owner", write);
    const peer = await api.caller("peer", write);
    const lead = await api.caller("lead", [...write, "app:crm:cron.manage_others"]);
    const { id } = await makeCron({ name: "owned", schedule: "0 9 * * *" }, owner);
    const attempts = [
      ["PATCH", `${CRONS}/${id}`, { enabled: false }],
      ["POST", `${CRONS}/${id}/trigger`, undefined],
      ["DELETE", `${CRONS}/${id}`, undefined],
    ] as const;
    for (const [method, path, body] of attempts) {
      const refused = await api.as(peer, method, path, { body });
      expect(refused.status, method).toBe(403);
      expect(problemOf(refused)).toMatchObject({ code: "not_owner" });
      expect(problemOf(refused).hint).toContain("app:crm:cron.manage_others");
    }
    expect((await api.as(peer, "GET", `${CRONS}/${id}`)).body).toMatchObject({ enabled: true });
    expect(namesOf(await api.as(peer, "GET", CRONS))).toContain("owned");
    const jobs = await api.as(api.admin, "GET", `/api/v1/apps/crm/jobs?cronId=${id}`);
    expect(jobs.body).toEqual({ items: [], nextCursor: null });

    for (const caller of [owner, lead]) {
      for (const [method, path, body] of attempts.slice(0, 2)) {
        expect((await api.as(caller, method, path, { body })).status).toBe(200);
      }
    }
    expect((await api.as(lead, "DELETE", `${CRONS}/${id}`)).status).toBe(200);
  });

  test("of a deleted owner passes to nobody but managers of others' crons", async () => {
    const leaver = await api.caller("leaver", write);
    const stayer = await api.caller("stayer", write);
    const { id } = await makeCron({ name: "left", schedule: "0 9 * * *" }, leaver);
    await api.sql`select carillon.delete_principal(${leaver.id})`;
    const seen = await api.as(stayer, "GET", `${CRONS}/${id}`);
    expect(seen.body).toMatchObject({ createdBy: null });
    const patch = { body: { enabled: false } };
    expect((await api.as(stayer, "PATCH", `${CRONS}/${id}`, patch)).status).toBe(403);
    expect((await api.as(stayer, "POST", `${CRONS}/${id}/trigger`)).status).toBe(403);
    // A manager may change it, but it must not run on behalf of nobody.
    expect((await api.as(api.admin, "PATCH", `${CRONS}/${id}`, patch)).status).toBe(200);
    const trigger = await api.as(api.admin, "POST", `${CRONS}/${id}/trigger`);
    expect(trigger.status).toBe(403);
    expect(problemOf(trigger).detail).toContain("the owner is gone");
  });

  test("cannot be taken by PATCH", async () => {
    const { id } = await makeCron({ name: "kept", schedule: "0 9 * * *" });
    const answer = await api.as(api.admin, "PATCH", `${CRONS}/${id}`, {
      body: { createdBy: api.admin.id },
    });
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors).toEqual([
      { field: "createdBy", message: "is not a known field" },
    ]);
  });
});

test("GET /api/v1/crons has one's own crons, and all of an app with its manage_others", async () => {
  await api.install("sales");
  await api.install("secret");
  const rights = ["app:crm:cron.read", "app:crm:cron.write", "app:sales:cron.read"];
  const user = await api.caller("lister", [...rights, "app:sales:cron.manage_others"]);
  await makeCron({ name: "zz-mine", schedule: "0 9 * * *" }, user);
  await makeCron({ name: "zz-not-mine", schedule: "0 9 * * *" });
  for (const app of ["sales", "secret"]) {
    const path = `/api/v1/apps/${app}/crons`;
    const cron = { name: `of-${app}`, schedule: "0 9 * * *" };
    expect((await api.as(api.admin, "POST", path, { body: cron })).status).toBe(201);
  }
  expect(namesOf(await api.as(user, "GET", "/api/v1/crons"))).toEqual(["zz-mine", "of-sales"]);
  const stranger = await api.caller("stranger", []);
  const empty = await api.as(stranger, "GET", "/api/v1/crons");
  expect(empty.status).toBe(200);
  expect(empty.body).toEqual([]);
});

test("a cron of another app is not found, whatever the caller may do there", async () => {
  const { id } = await makeCron({ name: "foreign", schedule: "0 9 * * *" });
  const path = `/api/v1/apps/other/crons/${id}`;
  const attempts = [
    ["GET", path],
    ["PATCH", path, { enabled: false }],
    ["DELETE", path],
    ["POST", `${path}/trigger`],
    ["GET", `${path}/runs`],
    ["GET", `${path}/ticks`],
  ] as const;
  for (const [method, url, body] of attempts) {
    const answer = await api.as(api.admin, method, url, { body });
    expect(answer.status, `${method} ${url}`).toBe(404);
    expect(problemOf(answer).code).toBe("cron_not_found");
  }
  expect((await api.as(api.admin, "GET", `${CRONS}/${id}`)).body).toMatchObject({ enabled: true });
});
