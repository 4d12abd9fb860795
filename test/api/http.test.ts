import { gzipSync } from "node:zlib";
import { connect as dial } from "node:net";
import { once } from "node:events";
import { text as readAll } from "node:stream/consumers";
import { z } from "zod";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { MOST_LEVELS } from "../../src/api/json.js";
import { defineRoute } from "../../src/api/route.js";
import { startServer } from "../../src/api/server.js";
import { problemOf, TestApi } from "./api.js";

let api: TestApi;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
});
afterAll(() => api[Symbol.asyncDispose]());

const CRONS = "/api/v1/apps/crm/crons";
const JOBS = "/api/v1/apps/crm/jobs";
const post = (body: unknown, headers: Record<string, string> = {}) =>
  api.as(api.admin, "POST", JOBS, { body, headers });
const jobs = async () => {
  const [row] = await api.sql<{ n: number }[]>`select count(*) as n from pgmq.q_jobs`;
  return row?.n;
};

describe("headers", () => {
  test("keep answers private and say nothing of the server", async () => {
    for (const path of ["/healthz", "/api/v1/apps", "/nowhere"]) {
      const { headers } = await api.as(api.admin, "GET", path);
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
      expect(headers.get("x-request-id")).toMatch(/^[0-9a-f-]{36}$/);
      expect(headers.get("content-security-policy")).toContain("default-src 'none'");
      for (const name of ["x-powered-by", "server", "access-control-allow-origin", "vary"]) {
        expect(headers.get(name), name).toBeNull();
      }
    }
  });

  test("carry the caller's request id when it is harmless", async () => {
    const id = async (given: string) =>
      (await api.request("GET", "/nowhere", { headers: { "x-request-id": given } })).headers.get(
        "x-request-id",
      );
    expect(await id("my-id.1")).toBe("my-id.1");
    expect(await id("two words")).not.toBe("two words");
    expect(await id("x".repeat(65))).toMatch(/^[0-9a-f-]{36}$/);
  });
});

describe("a problem", () => {
  test("is an RFC 9457 document with our members", async () => {
    const answer = await api.as(api.admin, "POST", CRONS, { body: { name: "x" } });
    expect(answer.headers.get("content-type")).toMatch(/^application\/problem\+json/);
    expect(answer.body).toEqual({
      type: "urn:carillon:error:invalid_input",
      title: "Invalid input",
      status: 400,
      detail: "schedule is required",
      instance: answer.headers.get("x-request-id"),
      code: "invalid_input",
      error: "schedule is required",
      errors: [{ field: "schedule", message: "is required" }],
    });
  });

  test("that is our own fault tells the log everything and the caller nothing", async () => {
    const routes = [
      defineRoute({
        method: "get",
        path: "/broken",
        operationId: "broken",
        summary: "Breaks",
        permission: "public",
        responses: { 200: z.strictObject({}) },
        handler: (): Promise<never> => Promise.reject(new Error("secret: select * from t")),
      }),
    ];
    const lines: { fields: { err?: Error; code?: string } }[] = [];
    const record = (fields: object) => void lines.push({ fields });
    const log = { debug: record, info: record, warn: record, error: record };
    const options = { sql: api.sql, host: "127.0.0.1", port: 0, log, routes };
    await using server = await startServer(options);
    const response = await fetch(`${server.url}/broken`);
    const text = await response.text();
    expect(response.status).toBe(500);
    expect(JSON.parse(text)).toMatchObject({ code: "internal", detail: "an unexpected error" });
    expect(text).not.toContain("secret");
    expect(lines[0]?.fields.code).toBe("internal");
    expect(lines[0]?.fields.err?.message).toContain("secret");
  });
});

describe("methods and paths", () => {
  test("unknown ones get 404 and 405 with Allow", async () => {
    for (const path of ["/", "/api", "/api/v1/CRONS", "/api/v1/apps/crm", "/api/v1/apps/a/b/c"]) {
      const answer = await api.as(api.admin, "GET", path);
      const known = path === "/api/v1/apps/crm";
      expect(answer.status, path).toBe(known ? 405 : 404);
      expect(problemOf(answer).code).toBe(known ? "method_not_allowed" : "route_not_found");
    }
    const wrong = await api.as(api.admin, "DELETE", CRONS);
    expect(wrong.status).toBe(405);
    expect(wrong.headers.get("allow")).toBe("GET, POST, HEAD, OPTIONS");
    const options = await api.request("OPTIONS", CRONS);
    expect(options.status).toBe(204);
    expect(options.headers.get("allow")).toBe("GET, POST, HEAD, OPTIONS");
  });

  test("HEAD answers as GET does, without the body", async () => {
    const answer = await api.as(api.admin, "HEAD", CRONS);
    expect(answer.status).toBe(200);
    expect(answer.text).toBe("");
    expect((await api.request("HEAD", CRONS)).status).toBe(401);
  });
});

describe("bodies", () => {
  test.each([
    ["{", "is not valid JSON"],
    ["{'a': 1}", "is not valid JSON"],
    ["undefined", "is not valid JSON"],
    ['{"payload": {}} x', "is not valid JSON"],
    ['{"payload": {"a": 1,}}', "is not valid JSON"],
  ])("%j is refused", async (body, reason) => {
    const answer = await post(body);
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.[0]).toMatchObject({ field: "body" });
    expect(problemOf(answer).errors?.[0]?.message).toContain(reason);
  });

  test.each([
    ["text/plain"],
    ["application/x-www-form-urlencoded"],
    ["multipart/form-data"],
    ["application/json; charset=utf-16"],
    ["application/json; charset=latin1"],
    ["application/jsonp"],
    [""],
  ])("of type %j get 415", async (type) => {
    const answer = await post("{}", { "content-type": type });
    expect(answer.status).toBe(415);
    expect(problemOf(answer).code).toBe("unsupported_media_type");
  });

  test.each([
    ["application/json"],
    ["application/json; charset=utf-8"],
    ['Application/JSON;charset="UTF-8"'],
    ["application/vnd.x+json"],
  ])("of type %j are read", async (type) => {
    expect((await post("{}", { "content-type": type })).status).toBe(201);
  });

  test("over 2 MiB get 413, compressed or not", async () => {
    const big = JSON.stringify({ payload: { a: "x".repeat(2 * 1024 * 1024) } });
    for (const answer of [
      await post(big),
      await post(gzipSync(big), { "content-encoding": "gzip" }),
    ]) {
      expect(answer.status).toBe(413);
      expect(problemOf(answer)).toMatchObject({
        code: "payload_too_large",
        detail: "the body is larger than 2 MiB",
      });
    }
    const small = gzipSync(JSON.stringify({ payload: { a: 1 } }));
    expect((await post(small, { "content-encoding": "gzip" })).status).toBe(201);
    expect((await post(small, { "content-encoding": "zstd-x" })).status).toBe(415);
    expect((await post("{}", { "content-encoding": "gzip" })).status).toBe(400);
  });

  test("in broken UTF-8 are refused, a byte order mark is not", async () => {
    const before = await jobs();
    const bytes = Buffer.concat([
      Buffer.from('{"payload":{"a":"'),
      Buffer.from([0xff, 0xfe, 0xc3]),
      Buffer.from('"}}'),
    ]);
    const answer = await post(bytes);
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors).toEqual([{ field: "body", message: "is not valid UTF-8" }]);
    expect(await jobs()).toBe(before);
    expect((await post(Buffer.from("\ufeff{}"))).status).toBe(201);
  });
});

describe("values that cannot be kept as they are", () => {
  const deep = (levels: number, open: string, close: string) =>
    `{"payload":{"a":${open.repeat(levels)}1${close.repeat(levels)}}}`;

  test.each([
    ["NUL in a string", '{"payload":{"a":["\\u0000"]}}', "payload.a[0]"],
    ["NUL in a name", '{"payload":{"a\\u0000b":1}}', 'payload["a\\u0000b"]'],
    ["half a surrogate pair", '{"payload":{"a":"\\ud800"}}', "payload.a"],
    ["__proto__", '{"payload":{"__proto__":{"admin":true}}}', "payload.__proto__"],
    ["__proto__ at the top", '{"__proto__":{"payload":{}}}', "__proto__"],
    ["a number beyond a double", '{"payload":{"a":1e400}}', "payload.a"],
    ["a whole number beyond 2^53", '{"payload":{"id":12345678901234567890}}', "payload.id"],
    ["objects without end", deep(100_000, '{"a":', "}"), "payload.a.a"],
    ["arrays without end", deep(500_000, "[", "]"), "payload.a[0]"],
    ["one level too deep", deep(MOST_LEVELS - 1, "[", "]"), "payload.a[0]"],
  ])("%s", async (_, body, field) => {
    const before = await jobs();
    const answer = await post(body);
    expect(answer.status, answer.text.slice(0, 300)).toBe(400);
    expect(problemOf(answer).errors).toMatchObject([{ field }]);
    expect(await jobs()).toBe(before);
  });

  test("everything else comes back as it was sent", async () => {
    const payload = {
      constructor: { prototype: 1 },
      toString: "x",
      "": "empty name",
      'quote"s': "'; drop table carillon.crons; --",
      unicode: "ä 漢 😀 \u2028 \u007f \u0001",
      numbers: [0, -1, 1.5, 1e-7, 1e300 / 1e299, Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER],
      nothing: null,
    };
    const answer = await post({ payload });
    const { msgId } = answer.body as { msgId: number };
    const job = await api.as(api.admin, "GET", `${JOBS}/${msgId}`);
    expect((job.body as { payload: unknown }).payload).toEqual(payload);
    const nested = await post(deep(MOST_LEVELS - 3, "[", "]"));
    expect(nested.status).toBe(201);
  });
});

describe("hostile requests", () => {
  const strings = [
    "%00",
    "..%2f..%2fetc%2fpasswd",
    "%ff",
    "'",
    '"; drop schema carillon cascade; --',
    "__proto__",
    "constructor",
    "${7*7}",
    "%s%s%n",
    "a".repeat(5000),
    "\u202e",
    "%F0%9F%92%A9",
    "1e999",
    "-0",
    "NaN",
    "[object Object]",
  ];

  test("never get a 5xx, wherever the string is put", async () => {
    for (const text of strings) {
      const part = text.includes("%") ? text : encodeURIComponent(text);
      const paths = [
        `/api/v1/apps/${part}/crons`,
        `${CRONS}/${part}`,
        `${CRONS}/${part}/runs?limit=${part}`,
        `${JOBS}/${part}`,
        `${JOBS}?status=${part}&cronId=${part}&${part}=1`,
        `/${part}`,
      ];
      for (const path of paths) {
        const answer = await api.as(api.admin, "GET", path);
        expect([400, 403, 404], path).toContain(answer.status);
        expect(answer.text).not.toMatch(/carillon\._|relation|syntax error|at .*\.js:/);
      }
      for (const field of ["name", "schedule", "timezone", "method", "startsAt", "payload"]) {
        const body = { name: "hostile", schedule: "0 9 * * *", enabled: "no", [field]: text };
        expect((await api.as(api.admin, "POST", CRONS, { body })).status).toBe(400);
      }
    }
    expect((await api.as(api.admin, "GET", CRONS)).body).toEqual([]);
  });

  test("that are not HTTP do not disturb the others", async () => {
    for (const [text, status, code] of [
      ["GARBAGE\r\n\r\n", 400, "malformed_request"],
      ["GET / HTTP/1.1\r\nContent-Length: -5\r\n\r\n", 400, "malformed_request"],
      ["\0\0\0\0", 400, "malformed_request"],
      [`GET /${"a".repeat(20_000)} HTTP/1.1\r\n\r\n`, 431, "headers_too_large"],
    ] as const) {
      const socket = dial(api.server.port, "127.0.0.1");
      await once(socket, "connect");
      socket.end(text);
      const [head = "", body = ""] = (await readAll(socket)).split("\r\n\r\n");
      expect(head).toMatch(
        new RegExp(`^HTTP/1.1 ${status} .*\r\ncontent-type: application/problem`),
      );
      expect(JSON.parse(body)).toMatchObject({ status, code });
    }
    const cut = dial(api.server.port, "127.0.0.1");
    await once(cut, "connect");
    const head = `POST ${JOBS} HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${api.admin.key}\r\n`;
    cut.write(`${head}Content-Type: application/json\r\nContent-Length: 100\r\n\r\n{"payl`);
    const before = await jobs();
    cut.destroy();
    expect((await api.request("GET", "/healthz")).status).toBe(200);
    expect(await jobs()).toBe(before);
  });
});

test("every request leaves one line in the log, without key or query", async () => {
  api.log.length = 0;
  const caller = await api.caller("logged", []);
  const path = `${JOBS}?status=live`;
  const answer = await api.as(caller, "GET", path, { headers: { "x-request-id": "line-1" } });
  expect(answer.status).toBe(403);
  await expect.poll(() => api.log.length).toBe(1);
  expect(api.log[0]).toEqual({
    level: "info",
    message: "request",
    fields: {
      requestId: "line-1",
      method: "GET",
      path: JOBS,
      status: 403,
      ms: expect.any(Number) as number,
      principal: "logged",
      ip: "127.0.0.1",
    },
  });
});
