import { afterAll, beforeAll, expect, test } from "vitest";
import { noteFailure } from "../../src/db/breakers.js";
import { type Caller, problemOf, TestApi } from "./api.js";

let api: TestApi;
let reader: Caller;
let writer: Caller;
beforeAll(async () => {
  api = await TestApi.start();
  await api.install("crm");
  await api.install("billing");
  reader = await api.caller("reader", ["app:crm:target.read"]);
  writer = await api.caller("writer", ["app:crm:target.write"]);
});
afterAll(() => api[Symbol.asyncDispose]());

const ALL = "/api/v1/apps/crm/targets";
const KEY = "https://example.com";
const fail = (app: string, key: string) =>
  noteFailure(
    api.sql,
    app,
    key,
    { class: "connect", message: "nobody listens" },
    { failures: 2, coolDown: 60 },
  );

test("broken targets of an app are shown with their breaker, and reset", async () => {
  await fail("crm", KEY);
  await fail("crm", KEY);
  await fail("crm", "faktory default");
  await fail("billing", KEY);
  const listed = await api.as(reader, "GET", ALL);
  const lastError = {
    class: "connect",
    message: "nobody listens",
    at: expect.any(String) as string,
  };
  expect(listed.body).toEqual({
    items: [
      {
        ...{ key: "faktory default", state: "closed", failures: 1 },
        ...{ openedAt: null, nextProbeAt: null, lastError },
      },
      {
        ...{ key: KEY, state: "open", failures: 2 },
        openedAt: expect.any(String) as string,
        nextProbeAt: expect.any(String) as string,
        lastError,
      },
    ],
    nextCursor: null,
  });
  const first = (await api.as(reader, "GET", `${ALL}?limit=1`)).body as { nextCursor: string };
  const rest = await api.as(
    reader,
    "GET",
    `${ALL}?limit=1&cursor=${encodeURIComponent(first.nextCursor)}`,
  );
  expect(rest.body).toMatchObject({ items: [{ key: KEY }], nextCursor: null });

  const refused = await api.as(reader, "POST", `${ALL}/reset`, { body: { key: KEY } });
  expect(problemOf(refused).missing).toBe("app:crm:target.write");
  const reset = (body?: object) =>
    api.as(writer, "POST", `${ALL}/reset`, body === undefined ? {} : { body });
  expect((await reset({ key: KEY })).body).toEqual({ reset: 1 });
  expect((await reset({ key: KEY })).body).toEqual({ reset: 0 });
  expect((await reset()).body).toEqual({ reset: 1 });
  expect((await api.as(reader, "GET", ALL)).body).toMatchObject({ items: [] });
  // Another app's stays as it is.
  const others = await api.as(api.admin, "GET", "/api/v1/apps/billing/targets");
  expect(others.body).toMatchObject({ items: [{ key: KEY }] });
});

test("an app's own rule is set, shown and taken back", async () => {
  const rule = (body: object) => api.as(writer, "PUT", `${ALL}/breaker`, { body });
  const shown = async () => (await api.as(reader, "GET", `${ALL}/breaker`)).body;
  expect(await shown()).toEqual({ failures: null, coolDown: null });
  expect((await rule({ failures: 5, coolDown: 30 })).body).toEqual({ failures: 5, coolDown: 30 });
  expect((await rule({ failures: 0, coolDown: null })).body).toEqual({ failures: 0, coolDown: 60 });
  await rule({ failures: null, coolDown: null });
  expect(await shown()).toEqual({ failures: null, coolDown: null });
  for (const [body, field] of [
    [{ failures: 1001, coolDown: 1 }, "failures"],
    [{ failures: 1, coolDown: 0 }, "coolDown"],
    [{ failures: null, coolDown: 5 }, "coolDown"],
    [{ failures: 1 }, "coolDown"],
  ] as const) {
    const answer = await rule(body);
    expect(answer.status).toBe(400);
    expect(problemOf(answer).errors?.map((error) => error.field)).toEqual([field]);
  }
});
