import { once } from "node:events";
import { createServer, connect as dial, type AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { Problem } from "../../src/api/shapes/problem.js";
import { defineRoute, reply } from "../../src/api/route.js";
import { startServer, type ApiServer } from "../../src/api/server.js";
import { connect, type Sql } from "../../src/db/connect.js";
import { createTestDatabase } from "../helpers/database.js";
import { TestApi } from "./api.js";
import { Proxy } from "./proxy.js";
import { z } from "zod";

const silent = { debug: () => undefined, info: () => undefined, warn: () => undefined };
const log = { ...silent, error: () => undefined };
const local = { host: "127.0.0.1", port: 0, log };

/** A pool that connects nowhere until asked. */
const nowhere = () => connect("postgres://nobody@127.0.0.1:1/none", { max: 1 });

const get = async (server: ApiServer, path: string, key?: string) => {
  const started = performance.now();
  const headers = key === undefined ? {} : { authorization: `Bearer ${key}` };
  const response = await fetch(server.url + path, { headers });
  const text = await response.text();
  return {
    status: response.status,
    headers: response.headers,
    text,
    problem: JSON.parse(text) as Problem,
    ms: performance.now() - started,
  };
};

describe("listening", () => {
  test("on a port that is taken says which, and how to take another", async () => {
    const squatter = createServer().listen(0, "127.0.0.1");
    await once(squatter, "listening");
    const { port } = squatter.address() as AddressInfo;
    const sql = nowhere();
    await expect(startServer({ ...local, sql, port })).rejects.toMatchObject({
      code: "invalid_config",
      message: expect.stringMatching(
        new RegExp(`^port ${port} on 127.0.0.1 is in use: .*CARILLON_PORT`),
      ) as string,
    });
    await sql.end();
    squatter.close();
  });

  test("on an address of another machine says so", async () => {
    const sql = nowhere();
    await expect(startServer({ ...local, sql, host: "192.0.2.1" })).rejects.toThrow(
      /^192\.0\.2\.1 is not an address of this machine: set CARILLON_HOST/,
    );
    await sql.end();
  });

  test("gives a URL one can open, for IPv6 and wildcards too", async () => {
    const sql = nowhere();
    for (const host of ["127.0.0.1", "0.0.0.0", "localhost"]) {
      await using server = await startServer({ ...local, sql, host });
      expect(new URL(server.url).port).toBe(String(server.port));
      expect((await get(server, "/healthz")).status).toBe(200);
    }
    await sql.end();
  });
});

describe("closing", () => {
  const slow = (release: Promise<void>, entered: () => void) => [
    defineRoute({
      method: "get",
      path: "/slow",
      operationId: "slow",
      summary: "Waits",
      permission: "public",
      responses: { 200: z.strictObject({ done: z.boolean() }) },
      handler: async () => {
        entered();
        await release;
        return reply(200, { done: true });
      },
    }),
  ];

  test("lets a running request end and takes no new one", async () => {
    let open: () => void = () => undefined;
    let entered: () => void = () => undefined;
    const released = new Promise<void>((resolve) => (open = resolve));
    const inside = new Promise<void>((resolve) => (entered = resolve));
    const sql = nowhere();
    const server = await startServer({ ...local, sql, routes: slow(released, () => entered()) });
    const running = get(server, "/slow");
    await inside;
    const closed = server.close();
    await expect(fetch(`${server.url}/slow`)).rejects.toThrow();
    open();
    expect((await running).text).toBe('{"done":true}');
    await closed;
    await server.close();
    await sql.end();
  });

  test("cuts off what outlasts the deadline, and idle connections at once", async () => {
    const sql = nowhere();
    let entered: () => void = () => undefined;
    const inside = new Promise<void>((resolve) => (entered = resolve));
    const routes = slow(new Promise<void>(() => undefined), () => entered());
    const server = await startServer({ ...local, sql, routes, drainSeconds: 0.2 });
    const idle = dial(server.port, "127.0.0.1");
    await once(idle, "connect");
    const running = fetch(`${server.url}/slow`).catch((error: unknown) => error);
    await inside;
    await server.close();
    expect(await running).toBeInstanceOf(Error);
    idle.destroy();
    await sql.end();
  });
});

describe("the database", () => {
  test("that was never there: 503 and no word of the driver", async () => {
    const sql = nowhere();
    await using server = await startServer({ ...local, sql });
    expect((await get(server, "/healthz")).status).toBe(200);
    const key = `crl_${"a".repeat(43)}`;
    for (const [path, sent] of [
      ["/readyz", undefined],
      ["/api/v1/crons", key],
      ["/api/v1/apps/crm/jobs", key],
    ] as const) {
      const answer = await get(server, path, sent);
      expect(answer.status, path).toBe(503);
      expect(answer.headers.get("retry-after")).toMatch(/^\d+$/);
      expect(answer.problem.code).toBe("database_unavailable");
      expect(answer.text).not.toMatch(/ECONN|127\.0\.0\.1|select|postgres/i);
    }
    await sql.end();
  });

  test("that goes down and comes back: 503 meanwhile, and soon well again", async () => {
    await using api = await TestApi.start();
    await using proxy = await Proxy.to(api.db.url);
    const sql = connect(proxy.url, { max: 3 });
    await using server = await startServer({ ...local, sql });
    const { key } = api.admin;
    expect((await get(server, "/readyz")).status).toBe(200);
    await proxy.shut();
    // Often enough for a backoff that grows without bound to show.
    for (let n = 0; n < 14; n++) {
      const answer = await get(server, "/api/v1/crons", key);
      expect(answer.status).toBe(503);
      expect(answer.problem.code).toBe("database_unavailable");
      expect(answer.ms).toBeLessThan(3000);
    }
    await proxy.open();
    await expect
      .poll(async () => (await get(server, "/api/v1/crons", key)).status, { timeout: 10_000 })
      .toBe(200);
    expect((await get(server, "/readyz")).status).toBe(200);
    await end(sql);
  });

  test("that hangs: not ready, without waiting for it", async () => {
    await using db = await createTestDatabase();
    await using proxy = await Proxy.to(db.url);
    const sql = connect(proxy.url, { max: 1 });
    await using server = await startServer({ ...local, sql });
    expect((await get(server, "/readyz")).status).toBe(200);
    proxy.freeze();
    const answer = await get(server, "/readyz");
    expect(answer.status).toBe(503);
    expect(answer.problem.detail).toContain("did not answer within");
    await end(sql);
  });

  test("without Carillon: not ready, and how to mend it", async () => {
    await using db = await createTestDatabase();
    await db.sql`drop schema carillon cascade`;
    const sql = connect(db.url, { max: 1 });
    await using server = await startServer({ ...local, sql });
    const answer = await get(server, "/readyz");
    expect(answer.status).toBe(503);
    expect(answer.problem).toMatchObject({
      code: "schema_missing",
      hint: "run: carillon migrate",
    });
    await end(sql);
  });
});

const end = (sql: Sql) => sql.end({ timeout: 0 });
