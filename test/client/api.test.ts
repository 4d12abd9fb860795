import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startServer } from "../../src/api/server.js";
import { CarillonApiError, createClient } from "../../src/client/index.js";
import { claimJobs, finishJobs } from "../../src/db/jobs.js";
import { appendLogs } from "../../src/db/logs.js";
import { TestApi } from "../api/api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
});
afterAll(() => api[Symbol.asyncDispose]());

const clientOf = (key = api.admin.key, url = api.server.url) => createClient({ url, key });
const nightly = { schedule: "0 3 * * *", timezone: "America/New_York" };

describe("against the real API", () => {
  test("an app is deployed, listed and uninstalled", async () => {
    const client = clientOf();
    const crons = [{ name: "nightly", ...nightly }];
    expect(await client.apps.deploy("shop", { name: "Shop", crons })).toMatchObject({
      installed: true,
      created: ["nightly"],
    });
    expect(await client.apps.list()).toContainEqual(expect.objectContaining({ id: "shop" }));
    expect(await client.crons.listAll()).toHaveLength(1);
    await client.apps.uninstall("shop");
    expect((await client.apps.list()).map(({ id }) => id)).toEqual(["crm"]);
  });

  test("a cron lives its life, and its jobs theirs", async () => {
    const { audit, crons, jobs } = clientOf();
    const cron = await crons.create("crm", { name: "nightly", ...nightly, payload: { a: 1 } });
    expect(await crons.get("crm", cron.id)).toMatchObject({
      name: "nightly",
      timezone: "America/New_York",
    });
    const stale = crons.update("crm", cron.id, { jitter: 1 }, { ifMatch: cron.version - 1 });
    await expect(stale).rejects.toMatchObject({ status: 412, code: "version_mismatch" });
    const pause = { enabled: false, pauseNote: "why" };
    const options = { ifMatch: cron.version, reason: "we möve" };
    expect(await crons.update("crm", cron.id, pause, options)).toMatchObject({
      paused: { note: "why" },
    });
    expect((await audit.ofCron("crm", cron.id)).items[0]?.reason).toBe("we möve");
    // The same call twice under one key is done once.
    const once = { idempotencyKey: `key-${cron.id}` };
    const { msgId } = await crons.trigger("crm", cron.id, { payload: { a: 2 } }, once);
    expect(await crons.trigger("crm", cron.id, { payload: { a: 2 } }, once)).toEqual({ msgId });
    expect(await jobs.get("crm", msgId)).toMatchObject({ cronId: cron.id, payload: { a: 2 } });
    expect(await jobs.cancel("crm", msgId)).toMatchObject({ status: "canceled" });
    const retried = await jobs.retry("crm", msgId);
    expect(await jobs.get("crm", String(retried.msgId))).toMatchObject({ retryOf: msgId });
    expect(await crons.runs("crm", cron.id, { limit: 5 })).toEqual([]);

    const range = { from: "2026-05-01T00:00:00Z", to: "2026-05-10T00:00:00Z" };
    const { count } = await crons.backfill("crm", cron.id, { ...range, concurrency: 20 });
    expect(await crons.backfills("crm", cron.id)).toMatchObject([{ slots: count }]);
    const each: string[] = [];
    for await (const tick of crons.ticks("crm", cron.id, { limit: 4 }))
      each.push(tick.scheduledFor);
    expect(each).toHaveLength(count);
    expect(new Set(each).size).toBe(count);
    await crons.delete("crm", cron.id);
    expect((await crons.list("crm")).map(({ id }) => id)).not.toContain(cron.id);
  });

  test("principals, roles, keys and the system are within reach", async () => {
    const { principals, roles, keys, system, permissions, schedules } = clientOf();
    await roles.create({ name: "reader", permissions: ["app:crm:cron.read"] });
    const ann = await principals.create({ username: "ann" });
    expect(await principals.grantRole(ann.id, "reader")).toMatchObject({ roles: ["reader"] });
    const names: string[] = [];
    for await (const { username } of principals.list({ limit: 1 })) names.push(username);
    expect(names).toContain("ann");
    expect(await principals.revokeRole(ann.id, "reader")).toMatchObject({ roles: [] });
    await roles.delete("reader");
    await principals.delete(ann.id);
    expect((await keys.list({ all: true })).items.length).toBeGreaterThan(0);
    expect(await system.me()).toMatchObject({ principal: { username: "boss" } });
    expect(await system.tick()).toMatchObject({ failed: [] });
    expect(await system.ready()).toEqual({ status: "ok" });
    expect((await permissions.list()).items.length).toBeGreaterThan(5);
    const { slots } = await schedules.preview({
      schedule: "0 0 $ * *",
      count: 2,
      from: "2026-02-01T00:00:00Z",
    });
    expect(slots.map(({ at }) => at)).toEqual([
      "2026-02-28T00:00:00.000Z",
      "2026-03-31T00:00:00.000Z",
    ]);
  });

  test("refusals come as typed errors", async () => {
    const reader = await api.caller("reader", ["app:crm:cron.read"]);
    const { crons } = clientOf(reader.key);
    expect(await crons.list("crm")).toEqual([]);
    await expect(crons.create("crm", { name: "x", ...nightly })).rejects.toMatchObject({
      ...{ status: 403, code: "permission_denied" },
      message: "missing app:crm:cron.write",
      requestId: expect.stringMatching(/./) as string,
    });
    await expect(clientOf("crl_no").crons.list("crm")).rejects.toMatchObject({ status: 401 });
    const bad = { name: "no spaces", schedule: "0 25 * * *", jitter: -1 };
    const error: unknown = await clientOf()
      .crons.create("crm", bad)
      .catch((e: unknown) => e);
    expect(error).toBeInstanceOf(CarillonApiError);
    expect((error as CarillonApiError).fields.map(({ field }) => field)).toEqual([
      "name",
      "jitter",
    ]);
  });
});

describe("a job's log", () => {
  const say = (jobId: number, ...messages: string[]) => {
    const lines = messages.map((message) => JSON.stringify({ message }));
    return appendLogs(api.sql, [{ jobId, attempt: 1, seq: undefined, lines }], 0, false);
  };

  test("is paged, downloaded, and followed across a restart of the server", async () => {
    await api.install("logs");
    const { jobs } = clientOf();
    const { msgId: id } = await jobs.enqueue("logs");
    await claimJobs(api.sql, ["logs"], "w", 1, 300);
    await say(id, "one", "two");
    const lines: string[] = [];
    for await (const { message } of jobs.logs("logs", id, { limit: 1 })) lines.push(message);
    expect(lines).toEqual(["one", "two"]);
    const file = await jobs.downloadLog("logs", id, { format: "txt" });
    expect(file).toMatchObject({ name: `logs-job-${id}.txt` });
    expect(await file.text()).toMatch(/one\n.*two\n/);

    const parts = { sql: api.sql, log: api.logger, host: "127.0.0.1" };
    let server = await startServer({ ...parts, port: 0 });
    const { port } = server;
    const got: unknown[] = [];
    for await (const { event, data } of clientOf(undefined, server.url).jobs.followLog(
      "logs",
      id,
    )) {
      if (event === "end") got.push(data.status);
      if (event !== "log") continue;
      got.push(data.message);
      if (data.message === "meanwhile")
        await finishJobs(api.sql, [{ jobId: id, attempt: 1, status: "completed" }]);
      if (data.message !== "two") continue;
      await server.close();
      await say(id, "meanwhile");
      server = await startServer({ ...parts, port });
    }
    await server.close();
    expect(got).toEqual(["one", "two", "meanwhile", "completed"]);
  });
});
