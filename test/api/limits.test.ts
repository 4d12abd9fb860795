import type { Response } from "express";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { z } from "zod";
import type { ApiSettings } from "../../src/config-api.js";
import { createLimiter } from "../../src/api/rate-limit.js";
import { defineRoute, reply, type Route } from "../../src/api/route.js";
import { startServer } from "../../src/api/server.js";
import { connect } from "../../src/db/connect.js";
import { run } from "../../src/db/connect.js";
import { problemOf, TestApi } from "./api.js";
import { Proxy } from "./proxy.js";

const ORIGIN = "https://ops.example.com";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start({ corsOrigins: [ORIGIN], rateLimit: 20 });
  await api.install("crm");
});
afterAll(() => api[Symbol.asyncDispose]());

describe("the rate limit", () => {
  test("is told with every answer, and refuses what goes beyond", async () => {
    const caller = await api.caller("busy", ["*"]);
    const one = () => api.as(caller, "GET", "/api/v1/apps");
    const first = await one();
    expect(first.headers.get("ratelimit-policy")).toBe('"principal";q=20;w=60');
    expect(first.headers.get("ratelimit")).toMatch(/^"principal";r=19;t=\d+$/);
    const rest = await Promise.all(Array.from({ length: 24 }, one));
    const refused = rest.filter(({ status }) => status === 429);
    expect(refused.length).toBe(5);
    for (const answer of refused) {
      expect(problemOf(answer).code).toBe("rate_limited");
      expect(Number(answer.headers.get("retry-after"))).toBeGreaterThan(0);
      expect(answer.headers.get("ratelimit")).toContain("r=0");
    }
  });

  test("of one principal leaves the others alone", async () => {
    const other = await api.caller("calm", ["*"]);
    expect((await api.as(other, "GET", "/api/v1/apps")).status).toBe(200);
  });

  test("refuses before anything is done", async () => {
    const caller = await api.caller("eager", ["*"]);
    const path = "/api/v1/apps/crm/jobs";
    const all = await Promise.all(
      Array.from({ length: 30 }, () => api.as(caller, "POST", path, { body: {} })),
    );
    expect(all.filter(({ status }) => status === 201).length).toBe(20);
    expect(await api.sql`select from pgmq.q_jobs`).toHaveLength(20);
  });

  test("fills a bucket evenly, and says exactly when there is room again", () => {
    let now = 0;
    const limit = createLimiter(60, () => now);
    const headers: Record<string, string> = {};
    const set = (...pairs: [Record<string, string>] | [string, string]) =>
      Object.assign(headers, typeof pairs[0] === "string" ? { [pairs[0]]: pairs[1] } : pairs[0]);
    const response = { set } as unknown as Response;
    const ask = () => {
      try {
        limit("p", response);
        return true;
      } catch {
        return false;
      }
    };
    expect(Array.from({ length: 61 }, ask).filter(Boolean).length).toBe(60);
    expect(headers["retry-after"]).toBe("1");
    now += 999;
    expect(ask()).toBe(false);
    now += 1;
    expect(ask()).toBe(true);
    expect(ask()).toBe(false);
    now += 3_600_000;
    expect(Array.from({ length: 70 }, ask).filter(Boolean).length).toBe(60);
  });
});

describe("CORS", () => {
  const preflight = (origin: string) =>
    api.request("OPTIONS", "/api/v1/apps/crm/jobs", {
      headers: { origin, "access-control-request-method": "POST" },
    });

  test("lets listed origins in, and no other", async () => {
    const allowed = await preflight(ORIGIN);
    expect(allowed.status).toBe(204);
    expect(allowed.headers.get("access-control-allow-origin")).toBe(ORIGIN);
    expect(allowed.headers.get("access-control-allow-methods")).toContain("POST");
    expect(allowed.headers.get("access-control-allow-headers")).toContain("idempotency-key");
    expect(allowed.headers.get("vary")?.toLowerCase()).toContain("origin");
    for (const origin of ["https://evil.example.com", "null", `${ORIGIN}.evil.com`, ""]) {
      const answer = await preflight(origin);
      expect(answer.status).toBe(204);
      for (const name of answer.headers.keys()) expect(name).not.toMatch(/^access-control/);
    }
  });

  test("lets a page read the answers, refusals too", async () => {
    for (const path of ["/api/v1/apps", "/nowhere"]) {
      const answer = await api.request("GET", path, { headers: { origin: ORIGIN } });
      expect(answer.headers.get("access-control-allow-origin")).toBe(ORIGIN);
      expect(answer.headers.get("access-control-expose-headers")).toContain("etag");
    }
  });
});

describe("time", () => {
  const silent = () => undefined;
  const log = { debug: silent, info: silent, warn: silent, error: silent };
  const local = { host: "127.0.0.1", port: 0, log };
  const quick: Partial<ApiSettings> = { requestTimeoutSeconds: 1 };

  const get = async (url: string) => {
    const headers = { authorization: `Bearer ${api.admin.key}` };
    const response = await fetch(url, { headers });
    return { status: response.status, text: await response.text() };
  };

  test("that a statement takes is limited by the database", async () => {
    const sql = connect(api.db.url, { max: 1, statementTimeoutSeconds: 1 });
    const sleepy: Route = defineRoute({
      method: "get",
      path: "/sleepy",
      operationId: "sleepy",
      summary: "Sleeps",
      permission: "public",
      responses: { 200: z.strictObject({}) },
      handler: async ({ sql }) => {
        await run(sql`select pg_sleep(60)`);
        return reply(200, {});
      },
    });
    await using server = await startServer({ ...local, sql, routes: [sleepy] });
    const { status, text } = await get(`${server.url}/sleepy`);
    expect(status).toBe(504);
    expect(JSON.parse(text)).toMatchObject({ code: "timeout" });
    expect(text).not.toMatch(/canceling|pg_sleep/);
    await sql.end();
  });

  test("that a database takes which does not answer at all is limited, too", async () => {
    await using proxy = await Proxy.to(api.db.url);
    const sql = connect(proxy.url, { max: 1 });
    await using server = await startServer({ ...local, sql, settings: quick });
    expect((await get(`${server.url}/api/v1/crons`)).status).toBe(200);
    proxy.freeze();
    const { status, text } = await get(`${server.url}/api/v1/crons`);
    expect(status).toBe(504);
    expect(JSON.parse(text)).toMatchObject({ detail: "no result within 1 s; it may still come" });
    await sql.end({ timeout: 0 });
  });
});
