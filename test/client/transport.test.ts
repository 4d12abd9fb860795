import { describe, expect, test } from "vitest";
import {
  CarillonApiError,
  CarillonConnectionError,
  type ClientOptions,
  createClient,
} from "../../src/client/index.js";
import { readRetryAfter } from "../../src/client/retry.js";
import { answer, cutOff, events, FlakyServer, hang, hangUp, problem } from "./flaky.js";

const clientOf = (server: FlakyServer, options: Partial<ClientOptions> = {}) =>
  createClient({ url: server.url, key: "crl_test", ...options });

const ID = "0f6d1c1e-5b0a-4a3e-9f8e-111111111111";

describe("trying again", () => {
  test("a GET, after a broken connection, a cut answer and a 503", async () => {
    await using server = await FlakyServer.start(
      hangUp,
      cutOff,
      problem(503, "database_unavailable"),
    );
    expect(await clientOf(server).apps.list()).toEqual([]);
    expect(server.seen).toHaveLength(4);
    expect(server.seen[0]?.headers).toMatchObject({ authorization: "Bearer crl_test" });
    expect(server.seen[0]?.headers).not.toHaveProperty("idempotency-key");
  });

  test("a POST, under one Idempotency-Key of its own; another call has another", async () => {
    await using server = await FlakyServer.start(
      hangUp,
      answer(201, { msgId: 1 }),
      answer(201, { msgId: 2 }),
    );
    const client = clientOf(server);
    const job = { payload: { a: "ä" } };
    expect(await client.jobs.enqueue("crm", job)).toEqual({ msgId: 1 });
    expect(await client.jobs.enqueue("crm", job)).toEqual({ msgId: 2 });
    const [first, again, other] = server.seen.map(({ headers }) => headers["idempotency-key"]);
    expect(first).toMatch(/^[0-9a-f]{32}$/);
    expect(again).toBe(first);
    expect(other).not.toBe(first);
    expect(server.seen[1]).toMatchObject({ body: '{"payload":{"a":"ä"}}', method: "POST" });
  });

  test("not after a refusal, nor for what a person has to mend", async () => {
    for (const step of [
      problem(400, "invalid_input"),
      problem(409, "overlap"),
      problem(503, "schema_missing"),
    ]) {
      await using server = await FlakyServer.start(step);
      await expect(clientOf(server).apps.list()).rejects.toBeInstanceOf(CarillonApiError);
      expect(server.seen).toHaveLength(1);
    }
  });

  test("as often as it is told, and then throws what it was", async () => {
    await using server = await FlakyServer.start(hangUp, hangUp, hangUp);
    const asked = clientOf(server, { maxRetries: 1 }).apps.list();
    await expect(asked).rejects.toMatchObject({
      name: "CarillonConnectionError",
      reason: "network",
    });
    expect(server.seen).toHaveLength(2);
    await expect(clientOf(server, { maxRetries: 0 }).apps.list()).rejects.toThrow(
      /cannot be reached/,
    );
    expect(server.seen).toHaveLength(3);
  });

  test("not before Retry-After says, and not at all when that is too long", async () => {
    await using server = await FlakyServer.start(
      problem(429, "rate_limited", { "retry-after": "1" }),
      answer(200, []),
      problem(429, "rate_limited", { "retry-after": "3600" }),
    );
    const client = clientOf(server);
    await client.apps.list();
    const [first, second] = server.seen;
    expect(second!.at - first!.at).toBeGreaterThan(990);
    await expect(client.apps.list()).rejects.toMatchObject({
      code: "rate_limited",
      retryAfterMs: 3_600_000,
    });
    expect(server.seen).toHaveLength(3);
    expect(readRetryAfter("Sat, 21 Nov 2026 15:00:10 GMT", Date.UTC(2026, 10, 21, 15))).toBe(
      10_000,
    );
    expect([readRetryAfter("soon"), readRetryAfter(null)]).toEqual([undefined, undefined]);
  });
});

describe("giving up", () => {
  test("on an attempt that takes too long", async () => {
    await using server = await FlakyServer.start(hang, hang);
    const options = { timeoutMs: 50, maxRetries: 1 };
    const asked = clientOf(server).apps.list(options);
    await expect(asked).rejects.toMatchObject({
      name: "CarillonConnectionError",
      reason: "timeout",
    });
    expect(server.seen).toHaveLength(2);
  });

  test("at once when the caller does, with the caller's reason, in an attempt and between two", async () => {
    for (const step of [hang, problem(503, "database_unavailable", { "retry-after": "50" })]) {
      await using server = await FlakyServer.start(step);
      const stop = new AbortController();
      const asked = clientOf(server).apps.list({ signal: stop.signal });
      await expect.poll(() => server.seen.length).toBe(1);
      const reason = new Error("enough");
      stop.abort(reason);
      await expect(asked).rejects.toBe(reason);
      await expect(clientOf(server).apps.list({ signal: stop.signal })).rejects.toBe(reason);
      expect(server.seen).toHaveLength(1);
    }
  });
});

describe("errors", () => {
  test("carry all of the problem document", async () => {
    const body = {
      ...{
        status: 403,
        code: "permission_denied",
        detail: "missing app:crm:cron.read",
        hint: "ask",
      },
      ...{ rule: "by role", missing: "app:crm:cron.read", errors: [{ field: "a", message: "b" }] },
    };
    await using server = await FlakyServer.start(answer(403, body, { "x-request-id": "r-7" }));
    const error: unknown = await clientOf(server)
      .crons.list("crm")
      .catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(CarillonApiError);
    expect(error).toMatchObject({
      ...{ status: 403, code: "permission_denied", message: "missing app:crm:cron.read" },
      ...{ requestId: "r-7", hint: "ask", rule: "by role", missing: "app:crm:cron.read" },
      fields: [{ field: "a", message: "b" }],
    });
  });

  test("say when it is not Carillon that answers", async () => {
    const redirect = answer(301, "", { location: "https://elsewhere.example/" });
    for (const [step, status] of [
      [answer(200, "<html>Hello</html>"), 200],
      [answer(404, "<html>No</html>"), 404],
      [redirect, 301],
    ] as const) {
      await using server = await FlakyServer.start(step);
      const asked = clientOf(server).jobs.enqueue("crm");
      await expect(asked).rejects.toMatchObject({ code: "unexpected_answer", status });
      expect(server.seen).toHaveLength(1);
    }
  });

  test("of an address: no url, and parameters that would lead to another path", () => {
    expect(() => createClient({ url: "localhost:8080" })).toThrow(/must begin with http/);
    const client = createClient({ url: "http://127.0.0.1:1" });
    for (const bad of ["", ".", ".."]) expect(() => client.crons.list(bad)).toThrow(TypeError);
  });
});

test("requests are made as they should be", async () => {
  await using server = await FlakyServer.start();
  const client = clientOf(server, { url: `${server.url}/behind/`, headers: { "x-a": "1" } });
  await client.crons.ticks("a/b", ID, { outcome: ["enqueued", "skipped"], limit: 5 });
  await client.crons.update("crm", ID, { enabled: false }, { ifMatch: 7, headers: { "x-b": "2" } });
  await client.crons.delete("crm", ID, { idempotencyKey: "mine", reason: "no älter" });
  await client.keys.list({ all: true });
  const [ticks, update, gone, keys] = server.seen;
  expect(ticks?.url).toBe(
    `/behind/api/v1/apps/a%2Fb/crons/${ID}/ticks?outcome=enqueued%2Cskipped&limit=5`,
  );
  expect(update).toMatchObject({
    headers: { "if-match": '"7"', "x-a": "1", "x-b": "2", "content-type": "application/json" },
    body: '{"enabled":false}',
  });
  expect(gone?.headers).toMatchObject({
    "idempotency-key": "mine",
    "x-carillon-reason": "no%20%C3%A4lter",
  });
  expect(keys?.url).toBe("/behind/api/v1/keys?all=true");
});

describe("lists in pages", () => {
  const page = (items: number[], nextCursor: string | null) => answer(200, { items, nextCursor });

  test("are asked for page by page, as far as they are wanted", async () => {
    await using server = await FlakyServer.start(page([1, 2], "b"), hangUp, page([3, 4], "c"));
    const got: unknown[] = [];
    for await (const item of clientOf(server).roles.list({ limit: 2 })) {
      got.push(item);
      if (got.length === 3) break;
    }
    expect(got).toEqual([1, 2, 3]);
    expect(server.seen.map(({ url }) => url)).toEqual([
      "/api/v1/roles?limit=2",
      "/api/v1/roles?limit=2&cursor=b",
      "/api/v1/roles?limit=2&cursor=b",
    ]);
  });

  test("awaited are their first page, and nothing before they are awaited", async () => {
    await using server = await FlakyServer.start(page([1], "b"));
    const listing = clientOf(server).roles.list();
    expect(server.seen).toHaveLength(0);
    expect(await listing).toEqual({ items: [1], nextCursor: "b" });
    expect(await listing).toEqual({ items: [1], nextCursor: "b" });
    expect(server.seen).toHaveLength(1);
    await expect(
      clientOf(server, { url: "http://127.0.0.1:1", maxRetries: 0 }).roles.list(),
    ).rejects.toThrow(CarillonConnectionError);
  });
});

describe("a log's stream", () => {
  const log = (seq: number) => `event: log\nid: ${seq}\ndata: {"seq":${seq}}\n\n`;

  test("goes on behind the last line after every kind of loss, and ends by its end", async () => {
    await using server = await FlakyServer.start(
      events(`: hello\n\n${log(1)}${log(2)}event: log\nid: 3\nda`, true),
      hangUp,
      problem(503, "database_unavailable", { "retry-after": "0" }),
      events(`event: status\r\ndata: {"status":\r\ndata: "running"}\r\n\r\n`),
      events(`${log(3)}event: end\ndata: {"status":"completed","seq":3}\n\n${log(4)}`),
    );
    const got: unknown[] = [];
    for await (const event of clientOf(server).jobs.followLog("crm", 9, { after: 0 }))
      got.push(event);
    expect(got).toEqual([
      { event: "log", data: { seq: 1 } },
      { event: "log", data: { seq: 2 } },
      { event: "status", data: { status: "running" } },
      { event: "log", data: { seq: 3 } },
      { event: "end", data: { status: "completed", seq: 3 } },
    ]);
    const ids = server.seen.map(({ headers }) => headers["last-event-id"]);
    expect(ids).toEqual([undefined, "2", "2", "2", "2"]);
  });

  test("ends when one looks away, and when it is aborted", async () => {
    const open = (response: Parameters<ReturnType<typeof events>>[0]) => {
      response.writeHead(200, { "content-type": "text/event-stream" });
      response.write(log(1));
      response.once("close", () => closed++);
    };
    let closed = 0;
    await using server = await FlakyServer.start(open, open);
    const { jobs } = clientOf(server);
    for await (const { event } of jobs.followLog("crm", 9)) {
      expect(event).toBe("log");
      break;
    }
    await expect.poll(() => closed).toBe(1);
    const stop = new AbortController();
    const follow = async () => {
      for await (const _ of jobs.followLog("crm", 9, {}, { signal: stop.signal })) stop.abort();
    };
    await expect(follow()).rejects.toMatchObject({ name: "AbortError" });
    await expect.poll(() => closed).toBe(2);
    expect(server.seen).toHaveLength(2);
  });

  test("of something else is refused", async () => {
    await using server = await FlakyServer.start(answer(200, "<html>"));
    const follow = async () => {
      for await (const _ of clientOf(server).jobs.followLog("crm", 9)) throw new Error("no");
    };
    await expect(follow()).rejects.toMatchObject({ code: "unexpected_answer" });
  });
});
