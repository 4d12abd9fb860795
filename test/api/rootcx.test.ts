import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { generateKey } from "../../src/api/keys.js";
import { startServer, type ApiServer } from "../../src/api/server.js";
import { bootstrapAdmin, createApiKey } from "../../src/db/api-keys.js";
import { connect, type Sql } from "../../src/db/connect.js";
import { createPrincipal } from "../../src/db/principals.js";
import { createRole } from "../../src/db/roles.js";
import { createLogger } from "../../src/log.js";
import { serve } from "../../src/worker/serve.js";
import { startCronEngine, type CronEngine } from "../helpers/engine.js";

/*
 * RootCX's page on scheduled jobs, from its first endpoint to its last field, with real pg_cron:
 * a program written for it works here as it is.
 */

const { pgCron } = inject("server");
const knowsSeconds = pgCron !== null && !/^1\.[0-4]\b/.test(pgCron);

interface Cron {
  id: string;
  name: string;
  pgJobId: number | null;
  [field: string]: unknown;
}

let live: CronEngine;
let sql: Sql;
let server: ApiServer;
let admin: string;

beforeAll(async () => {
  live = await startCronEngine();
  sql = connect(live.url, { max: 4 });
  server = await startServer({ sql, host: "127.0.0.1", port: 0, log: createLogger("silent") });
  const { key, prefix, hash } = generateKey();
  await bootstrapAdmin(sql, prefix, hash);
  admin = key;
  await ok("PUT", "/apps/crm/manifest", {});
});
afterAll(async () => {
  await server.close();
  await sql.end({ timeout: 5 });
  await live[Symbol.asyncDispose]();
});

async function send(method: string, path: string, body?: unknown, key = admin) {
  const response = await fetch(`${server.url}/api/v1${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  return { status: response.status, body: await response.json() };
}

async function ok<T = unknown>(method: string, path: string, body?: unknown, key = admin) {
  const answer = await send(method, path, body, key);
  expect(answer.status, JSON.stringify(answer.body)).toBeLessThan(300);
  return answer.body as T;
}

let people = 0;
/** A key of somebody new who holds just this. */
async function keyOf(...permissions: string[]): Promise<string> {
  people += 1;
  await createRole(sql, { name: `role-${people}`, permissions });
  const principalId = await createPrincipal(sql, `user-${people}`, { roles: [`role-${people}`] });
  const { key, prefix, hash } = generateKey();
  await createApiKey(sql, { principalId, name: "test", prefix, hash });
  return key;
}

const CRONS = "/apps/crm/crons";
const create = (body: object) => ok<Cron>("POST", CRONS, body);
const cronJob = async (id: number | null) => {
  const rows = await sql<{ schedule: string }[]>`
    select schedule from cron.job where jobid = ${id ?? 0}`;
  return rows[0]?.schedule;
};

describe("the syntax of a schedule", () => {
  test.each([
    ...["* * * * *", "*/5 * * * *", "0 9 * * *", "0 0 * * 1-5", "0 0 1,15 * *", "0 0 $ * *"],
    ...["10 seconds", "30 seconds", "1 seconds", "59 seconds"],
  ])("takes %s", async (schedule) => {
    const cron = await create({ name: `ok-${Date.now()}`, schedule, enabled: false });
    expect(cron.schedule).toBe(schedule);
    await ok("DELETE", `${CRONS}/${cron.id}`);
  });

  test.each([
    ...["* * * *", "* * * * * *", "0 9 * * MON", "0 9 * JAN *", "@daily", "@hourly", "a b c d e"],
    ...["0 seconds", "60 seconds", "ten seconds", "5 second", "5seconds", "-5 seconds", ""],
  ])("refuses %j", async (schedule) => {
    const answer = await send("POST", CRONS, { name: "bad", schedule });
    expect(answer).toMatchObject({ status: 400, body: { errors: [{ field: "schedule" }] } });
  });

  test("is GMT unless told otherwise", async () => {
    const plain = await create({ name: "gmt", schedule: "0 9 * * *" });
    expect(plain.timezone).toBe("GMT");
    expect(String(plain.nextFireAt)).toMatch(/T09:00:00\.000Z$/);
    const york = await create({
      name: "york",
      schedule: "0 9 * * *",
      timezone: "America/New_York",
    });
    expect(String(york.nextFireAt)).toMatch(/T1[34]:00:00\.000Z$/);
  });
});

describe("creating at runtime", () => {
  test("answers with every field of the page", async () => {
    const answer = await send("POST", CRONS, {
      name: "daily-check",
      schedule: "0 9 * * *",
      timezone: "America/New_York",
      payload: { task: "check_replies" },
      overlapPolicy: "skip",
    });
    expect(answer.status).toBe(201);
    const uuid = expect.stringMatching(/^[0-9a-f]{8}-/) as string;
    const time = expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/) as string;
    expect(answer.body).toMatchObject({
      id: uuid,
      appId: "crm",
      name: "daily-check",
      schedule: "0 9 * * *",
      timezone: "America/New_York",
      payload: { task: "check_replies" },
      overlapPolicy: "skip",
      enabled: true,
      pgJobId: expect.any(Number) as number,
      createdBy: uuid,
      createdAt: time,
      updatedAt: time,
    });
    expect(await cronJob((answer.body as Cron).pgJobId)).toBeDefined();
  });

  test("needs a name and a schedule; the rest has its defaults", async () => {
    for (const body of [{ schedule: "0 9 * * *" }, { name: "x" }, {}]) {
      expect((await send("POST", CRONS, body)).status).toBe(400);
    }
    expect(await create({ name: "bare", schedule: "0 9 * * *" })).toMatchObject({
      timezone: "GMT",
      method: null,
      payload: {},
      overlapPolicy: "skip",
      enabled: true,
    });
  });

  test("takes names of 1 to 64 letters, digits, dashes and underscores, once in an app", async () => {
    for (const name of ["a", "A-b_9", "x".repeat(64)]) {
      expect((await create({ name, schedule: "0 9 * * *" })).name).toBe(name);
      expect((await send("POST", CRONS, { name, schedule: "0 9 * * *" })).status).toBe(400);
    }
    for (const name of ["", "x".repeat(65), "a b", "a.b", "ä", "a/b"]) {
      expect((await send("POST", CRONS, { name, schedule: "0 9 * * *" })).status).toBe(400);
    }
    await ok("PUT", "/apps/other/manifest", {});
    await ok("POST", "/apps/other/crons", { name: "a", schedule: "0 9 * * *" });
  });

  test("adds the method to the payload", async () => {
    const spec = { name: "routed", schedule: "0 9 * * *", method: "onDailyCheck" };
    const cron = await create({ ...spec, payload: { task: "x" } });
    expect(cron.payload).toEqual({ task: "x", method: "onDailyCheck" });
  });
});

describe("a manifest", () => {
  const put = (...crons: object[]) => ok("PUT", "/apps/declared/manifest", { crons });
  const list = () => ok<Cron[]>("GET", "/apps/declared/crons");
  const daily = {
    name: "daily-check",
    schedule: "0 9 * * *",
    timezone: "America/New_York",
    method: "onDailyCheck",
    payload: { task: "check_replies" },
    overlapPolicy: "skip",
  };

  test("makes, changes and deletes crons to match itself", async () => {
    await put(daily, { name: "second", schedule: "30 seconds" });
    const first = await list();
    expect(first.map(({ name }) => name)).toEqual(["daily-check", "second"]);
    expect(first[0]).toMatchObject({
      payload: { task: "check_replies", method: "onDailyCheck" },
      timezone: "America/New_York",
    });
    await put({ ...daily, schedule: "0 10 * * *" });
    const second = await list();
    expect(second).toMatchObject([{ id: first[0]?.id, schedule: "0 10 * * *" }]);
    await put();
    expect(await list()).toEqual([]);
  });
});

describe("updating", () => {
  test("changes what is given, and unschedules and schedules the pg_cron job", async () => {
    const cron = await create({ name: "changing", schedule: "7 7 7 7 *" });
    expect(await cronJob(cron.pgJobId)).toBeDefined();
    const path = `${CRONS}/${cron.id}`;
    const change = { schedule: "*/5 * * * *", enabled: false, overlapPolicy: "queue" };
    expect(await ok("PATCH", path, change)).toMatchObject({
      ...change,
      id: cron.id,
      pgJobId: null,
    });
    expect(await cronJob(cron.pgJobId)).toBeUndefined();
    const again = await ok<Cron>("PATCH", path, { enabled: true });
    expect(again).toMatchObject({
      ...change,
      enabled: true,
      pgJobId: expect.any(Number) as number,
    });
    expect(await cronJob(again.pgJobId)).toBeDefined();
    expect(await ok("PATCH", path, {})).toMatchObject({ schedule: "*/5 * * * *" });
  });

  test("is for the owner, or for who manages others' crons", async () => {
    const cron = await create({ name: "owned", schedule: "0 9 * * *" });
    const writer = await keyOf("app:crm:cron.write");
    const manager = await keyOf("app:crm:cron.write", "app:crm:cron.manage_others");
    const path = `${CRONS}/${cron.id}`;
    expect((await send("PATCH", path, { enabled: false }, writer)).status).toBe(403);
    expect((await send("DELETE", path, undefined, writer)).status).toBe(403);
    await ok("PATCH", path, { enabled: false }, manager);
    const own = await ok<Cron>("POST", CRONS, { name: "his", schedule: "0 9 * * *" }, writer);
    await ok("PATCH", `${CRONS}/${own.id}`, { enabled: false }, writer);
    await ok("DELETE", `${CRONS}/${own.id}`, undefined, writer);
    await ok("DELETE", path, undefined, manager);
  });
});

test("deleting unschedules the pg_cron job and removes the record", async () => {
  const cron = await create({ name: "leaving", schedule: "8 8 8 8 *" });
  expect(await ok("DELETE", `${CRONS}/${cron.id}`)).toEqual({ message: "cron deleted" });
  expect(await cronJob(cron.pgJobId)).toBeUndefined();
  const list = await ok<Cron[]>("GET", CRONS);
  expect(list.map(({ name }) => name)).not.toContain("leaving");
  expect((await send("DELETE", `${CRONS}/${cron.id}`)).status).toBe(404);
});

test("listing: of an app all of its crons; of all apps one's own, or all where one manages them", async () => {
  await ok("PUT", "/apps/shared/manifest", {});
  const path = "/apps/shared/crons";
  const one = await keyOf("app:shared:cron.read", "app:shared:cron.write");
  const boss = await keyOf("app:shared:cron.manage_others", "app:shared:cron.read");
  await ok("POST", path, { name: "admins", schedule: "0 9 * * *" });
  await ok("POST", path, { name: "ones", schedule: "0 9 * * *" }, one);
  const names = async (at: string, key: string) =>
    (await ok<Cron[]>("GET", at, undefined, key)).map(({ name }) => name);
  expect(await names(path, one)).toEqual(["admins", "ones"]);
  expect(await names("/crons", one)).toEqual(["ones"]);
  expect(await names("/crons", boss)).toEqual(["admins", "ones"]);
  expect(await names("/crons", await keyOf())).toEqual([]);
});

test("a trigger enqueues one job with the cron's payload and cron_id, which reaches onJob", async () => {
  await ok("PUT", "/apps/worked/manifest", {});
  const spec = { name: "check", schedule: "0 0 1 1 *", payload: { task: "check_replies" } };
  const cron = await ok<Cron>("POST", "/apps/worked/crons", spec);
  const { msgId, ...rest } = await ok<{ msgId: number }>(
    "POST",
    `/apps/worked/crons/${cron.id}/trigger`,
  );
  expect(rest).toEqual({});
  expect(msgId).toBeTypeOf("number");
  const [queued] = await sql<{ message: object }[]>`
    select message from pgmq.q_jobs where msg_id = ${msgId}`;
  expect(queued?.message).toMatchObject({
    app_id: "worked",
    payload: { task: "check_replies", cron_id: cron.id },
    user_id: cron.createdBy,
  });
  const options = {
    app: "worked",
    databaseUrl: live.url,
    signals: false,
    ticker: false,
    logger: createLogger("silent"),
  };
  const worker = serve(options, {
    onJob: (payload) => Promise.resolve({ checked: payload.cron_id === cron.id }),
  });
  const job = () => ok<{ status: string }>("GET", `/apps/worked/jobs/${msgId}`);
  await expect.poll(async () => (await job()).status, { timeout: 20_000 }).toBe("completed");
  expect(await job()).toMatchObject({ result: { checked: true }, trigger: "manual" });
  await worker.stop();
});

describe.runIf(knowsSeconds)("by real ticks", () => {
  test("runs have every field of the page, and overlap does as it says", async () => {
    await ok("PUT", "/apps/ticking/manifest", {});
    const path = "/apps/ticking/crons";
    const spec = { schedule: "1 seconds" };
    const skip = await ok<Cron>("POST", path, { ...spec, name: "skip", overlapPolicy: "skip" });
    const queue = await ok<Cron>("POST", path, { ...spec, name: "queue", overlapPolicy: "queue" });
    const jobsOf = async ({ id }: Cron) => {
      const [row] = await sql<{ n: number }[]>`
        select count(*) as n from pgmq.q_jobs where headers ->> 'cron_id' = ${id}`;
      return row?.n ?? 0;
    };
    // Nobody works here: the jobs of one stack up, of the other there is one.
    await expect.poll(() => jobsOf(queue), { timeout: 25_000 }).toBeGreaterThan(2);
    expect(await jobsOf(skip)).toBe(1);
    const runs = await ok<object[]>("GET", `${path}/${queue.id}/runs`);
    expect(runs.find((run) => (run as { status: string }).status === "succeeded")).toMatchObject({
      runid: expect.any(Number) as number,
      jobPid: expect.any(Number) as number,
      status: "succeeded",
      returnMessage: expect.any(String) as string,
      startTime: expect.stringMatching(/Z$/) as string,
      endTime: expect.stringMatching(/Z$/) as string,
    });
    expect(await ok<object[]>("GET", `${path}/${queue.id}/runs?limit=1`)).toHaveLength(1);
    await ok("GET", `${path}/${queue.id}/runs?limit=500`);
    for (const limit of ["501", "0", "-1", "x"]) {
      const answer = await send("GET", `${path}/${queue.id}/runs?limit=${limit}`);
      expect(answer.status).toBe(400);
    }
    for (const { id } of [skip, queue]) await ok("DELETE", `${path}/${id}`);
  });
});

describe("permissions", () => {
  test("are made when an app is installed, all but manage_others", async () => {
    await ok("PUT", "/apps/fresh/manifest", {});
    await ok("PUT", "/apps/explicit/manifest", {
      permissions: ["cron.read", "cron.manage_others"],
    });
    const apps = await ok<{ id: string; permissions: string[] }[]>("GET", "/apps");
    const of = (id: string) => apps.find((app) => app.id === id)?.permissions.sort();
    expect(of("fresh")).toEqual(
      ["app:fresh:cron.read", "app:fresh:cron.trigger", "app:fresh:cron.write"].sort(),
    );
    expect(of("explicit")).toEqual(["app:explicit:cron.manage_others", "app:explicit:cron.read"]);
  });

  test("of the page's summary are each needed, and each enough", async () => {
    const cron = await create({ name: "guarded", schedule: "0 9 * * *" });
    const one = `${CRONS}/${cron.id}`;
    const spec = { name: "made", schedule: "0 9 * * *" };
    const table: [string, string, object | undefined, string][] = [
      ["GET", CRONS, undefined, "cron.read"],
      ["GET", `${one}/runs?limit=50`, undefined, "cron.read"],
      ["POST", CRONS, spec, "cron.write"],
      ["PATCH", one, { enabled: true }, "cron.write"],
      ["POST", `${one}/trigger`, undefined, "cron.trigger"],
      ["DELETE", one, undefined, "cron.write"],
    ];
    const all = ["cron.read", "cron.write", "cron.trigger"];
    for (const [method, path, body, needed] of table) {
      const others = all.filter((name) => name !== needed).map((name) => `app:crm:${name}`);
      const without = await send(method, path, body, await keyOf(...others));
      expect(without).toMatchObject({ status: 403, body: { missing: `app:crm:${needed}` } });
      // The cron is the administrator's.
      const just = await keyOf(`app:crm:${needed}`, "app:crm:cron.manage_others");
      await ok(method, path, body, just);
    }
    expect((await send("GET", CRONS, undefined, "nobody")).status).toBe(401);
  });
});
