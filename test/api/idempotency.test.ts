import { z } from "zod";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { defineRoute, reply } from "../../src/api/route.js";
import { startServer } from "../../src/api/server.js";
import { run } from "../../src/db/connect.js";
import { enqueueJob } from "../../src/db/jobs.js";
import { advanceClock, realClock, setClock } from "../helpers/clock.js";
import { type Caller, problemOf, TestApi } from "./api.js";

let api: TestApi;
let cronId: string;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  await api.install("other");
  const body = { name: "daily", schedule: "0 9 * * *" };
  const created = await api.as(api.admin, "POST", "/api/v1/apps/crm/crons", { body });
  cronId = (created.body as { id: string }).id;
});
afterAll(() => api[Symbol.asyncDispose]());
beforeEach(() => api.sql`delete from pgmq.q_jobs`);

const JOBS = "/api/v1/apps/crm/jobs";
const send = (key: string, body: unknown, path = JOBS, caller: Caller = api.admin) =>
  api.as(caller, "POST", path, { body, headers: { "idempotency-key": key } });
const jobs = async () => {
  const [row] = await api.sql<{ n: number }[]>`select count(*) as n from pgmq.q_jobs`;
  return row?.n;
};

describe("the same key", () => {
  test("with the same body repeats the answer and does the work once", async () => {
    const first = await send("a", { payload: { x: 1, y: 2 } });
    expect(first.status).toBe(201);
    expect(first.headers.get("idempotency-replayed")).toBeNull();
    for (const body of ['{"payload":{"x":1,"y":2}}', '{ "payload": {"y": 2.0, "x": 1} }']) {
      const again = await send("a", body);
      expect([again.status, again.text]).toEqual([201, first.text]);
      expect(again.headers.get("idempotency-replayed")).toBe("true");
    }
    expect(await jobs()).toBe(1);
  });

  test("with another body is refused", async () => {
    await send("b", { payload: { x: 1 } });
    for (const body of [{ payload: { x: 2 } }, {}, undefined]) {
      const answer = await send("b", body);
      expect(answer.status).toBe(409);
      expect(problemOf(answer)).toMatchObject({
        code: "idempotency_conflict",
        errors: [{ field: "Idempotency-Key" }],
      });
    }
    expect(await jobs()).toBe(1);
  });

  test("of another path, another query or another caller is another request", async () => {
    const other = await api.caller("other-sender", ["app:crm:*", "app:other:*"]);
    await send("c", {});
    await send("c", {}, "/api/v1/apps/other/jobs");
    await send("c", {}, JOBS, other);
    expect(await jobs()).toBe(3);
  });

  test("of ten at once is worked on once; the others wait and get the same answer", async () => {
    const answers = await Promise.all(Array.from({ length: 10 }, () => send("d", {})));
    expect(new Set(answers.map(({ text }) => text)).size).toBe(1);
    expect(new Set(answers.map(({ status }) => status))).toEqual(new Set([201]));
    const replayed = answers.filter(({ headers }) => headers.has("idempotency-replayed"));
    expect([replayed.length, await jobs()]).toEqual([9, 1]);
  });

  test("is free again after 24 hours, and forgotten by the sweep", async () => {
    await setClock(api.db.sql, "2030-01-01T00:00:00Z");
    await send("e", { payload: { day: 1 } });
    await advanceClock(api.db.sql, "23 hours 59 minutes");
    expect((await send("e", { payload: { day: 2 } })).status).toBe(409);
    await advanceClock(api.db.sql, "1 minute");
    expect((await send("e", { payload: { day: 2 } })).status).toBe(201);
    expect((await send("e", { payload: { day: 2 } })).headers.has("idempotency-replayed")).toBe(
      true,
    );
    await advanceClock(api.db.sql, "1 day");
    await api.sql`select carillon.sweep()`;
    expect(await api.sql`select from carillon.requests`).toHaveLength(0);
    await realClock(api.db.sql);
  });

  test("after a refusal may be sent again, mended", async () => {
    expect((await send("f", { payload: 5 })).status).toBe(400);
    const nowhere = "/api/v1/apps/later/jobs";
    expect((await send("f", {}, nowhere)).status).toBe(404);
    await api.install("later");
    expect((await send("f", {}, nowhere)).status).toBe(201);
    expect((await send("f", { payload: {} })).status).toBe(201);
    expect(await jobs()).toBe(2);
  });

  test("does not open what has been closed to its sender since", async () => {
    const leaver = await api.caller("leaver", ["app:crm:*"]);
    expect((await send("g", {}, JOBS, leaver)).status).toBe(201);
    await api.sql`select carillon.update_role('role-leaver', permissions => '{}')`;
    expect((await send("g", {}, JOBS, leaver)).status).toBe(403);
  });
});

test.each([
  ["creating", "POST", "/api/v1/apps/crm/crons", { name: "twice", schedule: "0 9 * * *" }, 201],
  ["triggering", "POST", "/api/v1/apps/crm/crons/ID/trigger", undefined, 200],
  ["deleting", "DELETE", "/api/v1/apps/crm/crons/ID", undefined, 200],
])("%s is done once", async (_, method, template, body, status) => {
  const path = template.replace("ID", cronId);
  const headers = { "idempotency-key": "once" };
  const [first, second] = [
    await api.as(api.admin, method, path, { body, headers }),
    await api.as(api.admin, method, path, { body, headers }),
  ];
  expect([first.status, second.status]).toEqual([status, status]);
  expect(second.text).toBe(first.text);
  // A tag that came with the answer comes with its repetition, too.
  expect(second.headers.get("etag")).toBe(first.headers.get("etag"));
});

test.each(["", " ", "a b", "ä", "a".repeat(256), "tab\t."])("%j is no key", async (key) => {
  const answer = await api
    .as(api.admin, "POST", JOBS, { headers: { "idempotency-key": encodeURI(key) && key } })
    .catch(() => undefined);
  if (answer === undefined) return; // fetch itself does not send it
  expect(answer.status).toBe(400);
  expect(problemOf(answer).errors?.[0]?.field).toBe("Idempotency-Key");
});

describe("on routes of its own", () => {
  const Done = z.strictObject({ msgId: z.int() });

  test("work and record go together: what dies in between leaves neither", async () => {
    let dies = true;
    const routes = [
      defineRoute({
        method: "post",
        path: "/mortal",
        operationId: "mortal",
        summary: "Dies after its work, the first time",
        permission: "authenticated",
        responses: { 201: Done },
        handler: async ({ sql }) => {
          const msgId = await enqueueJob(sql, "crm", {});
          // Whatever follows must not be done over a new connection, outside of the transaction.
          if (dies) await run(sql`select pg_terminate_backend(pg_backend_pid())`).catch(() => 0);
          if (dies) await enqueueJob(sql, "crm", {}).catch(() => 0);
          return reply(201, { msgId });
        },
      }),
    ];
    const silent = () => undefined;
    const log = { debug: silent, info: silent, warn: silent, error: silent };
    await using server = await startServer({
      sql: api.sql,
      host: "127.0.0.1",
      port: 0,
      log,
      routes,
    });
    const post = () =>
      fetch(`${server.url}/mortal`, {
        method: "POST",
        headers: { authorization: `Bearer ${api.admin.key}`, "idempotency-key": "mortal" },
      });
    const died = await post();
    expect(died.status).toBe(503);
    expect(await jobs()).toBe(0);
    dies = false;
    const lived = await post();
    expect(lived.status).toBe(201);
    expect(await (await post()).text()).toBe(await lived.text());
    expect(await jobs()).toBe(1);
  });

  test("a secret is not kept to be shown again", async () => {
    let made = 0;
    const routes = [
      defineRoute({
        method: "post",
        path: "/secret",
        operationId: "secret",
        summary: "Makes a secret",
        permission: "authenticated",
        secret: true,
        responses: { 201: z.strictObject({ secret: z.string() }) },
        handler: () => {
          made += 1;
          return Promise.resolve(reply(201, { secret: "hunter2" }));
        },
      }),
    ];
    const silent = () => undefined;
    const log = { debug: silent, info: silent, warn: silent, error: silent };
    await using server = await startServer({
      sql: api.sql,
      host: "127.0.0.1",
      port: 0,
      log,
      routes,
    });
    const post = async () => {
      const headers = { authorization: `Bearer ${api.admin.key}`, "idempotency-key": "secret" };
      const response = await fetch(`${server.url}/secret`, { method: "POST", headers });
      return [response.status, await response.text()] as const;
    };
    expect(await post()).toEqual([201, '{"secret":"hunter2"}']);
    const [status, text] = await post();
    expect(status).toBe(409);
    expect(text).not.toContain("hunter2");
    expect(made).toBe(1);
    const kept = await api.sql`select to_jsonb(r)::text as r from carillon.requests r`;
    expect(JSON.stringify(kept)).not.toContain("hunter2");
  });
});
