import { afterAll, beforeAll, expect, test } from "vitest";
import { generateKey } from "../../src/api/keys.js";
import { startServer, type ApiServer } from "../../src/api/server.js";
import { connect, type Sql } from "../../src/db/connect.js";
import { bootstrapAdmin } from "../../src/db/api-keys.js";
import { createLogger } from "../../src/log.js";
import { startCronEngine, type CronEngine } from "../helpers/engine.js";

/*
 * What only a real pg_cron can show: pgJobId, and runs that outlive edits.
 */

let live: CronEngine;
let sql: Sql;
let server: ApiServer;
let key: string;

beforeAll(async () => {
  live = await startCronEngine();
  sql = connect(live.url, { max: 3 });
  server = await startServer({ sql, host: "127.0.0.1", port: 0, log: createLogger("silent") });
  const made = generateKey();
  expect(await bootstrapAdmin(sql, made.prefix, made.hash)).toBe(true);
  key = made.key;
});
afterAll(async () => {
  await server.close();
  await sql.end({ timeout: 5 });
  await live[Symbol.asyncDispose]();
});

async function call<T>(method: string, path: string, body?: object): Promise<T> {
  const response = await fetch(`${server.url}/api/v1/apps/live${path}`, {
    method,
    headers: { authorization: `Bearer ${key}`, "content-type": "application/json" },
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  });
  const text = await response.text();
  expect(response.status, text).toBeLessThan(300);
  return JSON.parse(text) as T;
}

interface CronBody {
  id: string;
  pgJobId: number | null;
}
interface RunBody {
  runid: number;
  status: string;
  outcome: string | null;
  scheduledFor: string | null;
  msgId: number | null;
  startTime: string | null;
}

test("runs are pg_cron's own, with the outcome of their slot, and survive edits", async () => {
  const crons = [{ name: "often", schedule: "1 seconds", overlapPolicy: "queue" }];
  await call("PUT", "/manifest", { crons });
  const [cron] = await call<CronBody[]>("GET", "/crons");
  expect(cron?.pgJobId).toEqual(expect.any(Number));
  const path = `/crons/${cron?.id}`;
  const runs = (query = "") => call<RunBody[]>("GET", `${path}/runs${query}`);
  const enqueued = async () =>
    (await runs()).filter((run) => run.status === "succeeded" && run.outcome === "enqueued");

  await expect.poll(async () => (await enqueued()).length, { timeout: 15_000 }).toBeGreaterThan(1);
  const [run] = await enqueued();
  expect(run).toMatchObject({ msgId: expect.any(Number) as number });
  const slot = Date.parse(run?.scheduledFor ?? "");
  expect(Math.abs(Date.parse(run?.startTime ?? "") - slot)).toBeLessThan(2000);
  const job = await call<object>("GET", `/jobs/${run?.msgId}`);
  expect(job).toMatchObject({
    cronId: cron?.id,
    trigger: "automatic",
    scheduledFor: run?.scheduledFor,
  });
  expect(await runs("?limit=1")).toHaveLength(1);

  const paused = await call<CronBody>("PATCH", path, { enabled: false });
  expect(paused.pgJobId).toBeNull();
  const before = (await enqueued()).map(({ runid }) => runid);
  const resumed = await call<CronBody>("PATCH", path, { enabled: true, schedule: "2 seconds" });
  expect(resumed.pgJobId).toEqual(expect.any(Number));
  await expect
    .poll(async () => (await enqueued()).length, { timeout: 15_000 })
    .toBeGreaterThan(before.length);
  expect((await enqueued()).map(({ runid }) => runid)).toEqual(expect.arrayContaining(before));
});
