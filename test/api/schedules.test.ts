import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { problemOf, TestApi, type Caller } from "./api.js";

let api: TestApi;
let nobody: Caller;
beforeAll(async () => {
  api = await TestApi.start();
  nobody = await api.caller("nobody", []);
});
afterAll(() => api[Symbol.asyncDispose]());

const preview = (query: Record<string, string>) =>
  api.as(nobody, "GET", `/api/v1/schedules/preview?${new URLSearchParams(query).toString()}`);

describe("GET /api/v1/schedules/preview", () => {
  test("shows slots in UTC and in the zone, and what DST did to them", async () => {
    const answer = await preview({
      schedule: "30 2 * * *",
      timezone: "America/New_York",
      from: "2026-03-07T12:00:00Z",
      count: "2",
    });
    expect(answer.status, answer.text).toBe(200);
    expect(answer.body).toEqual({
      schedule: "30 2 * * *",
      timezone: "America/New_York",
      description: expect.stringContaining("02:30") as string,
      form: "cron",
      fields: expect.any(Array) as unknown[],
      notes: expect.any(Array) as unknown[],
      perYear: { from: "2026-03-07", counts: expect.any(Array) as unknown[] },
      drivenBy: {
        ...{ driver: "ticker", expression: null },
        why: "pg_cron does not drive this database",
      },
      compared: null,
      slots: [
        {
          at: "2026-03-08T07:30:00.000Z",
          local: "2026-03-08T03:30:00",
          offset: "-04:00",
          note: expect.stringContaining("03:30") as string,
        },
        {
          at: "2026-03-09T06:30:00.000Z",
          local: "2026-03-09T02:30:00",
          offset: "-04:00",
          note: null,
        },
      ],
    });
  });

  test.each([
    ["*/5 * * * *", "minutes"],
    ["10 seconds", "seconds"],
    ["every 90 minutes from 2026-05-08T10:30:00Z", "90 minutes"],
    ["at 2099-05-08T10:30", "2099-05-08"],
  ])("describes %s in a sentence", async (schedule, word) => {
    const answer = await preview({ schedule, count: "1" });
    expect(answer.status, answer.text).toBe(200);
    expect((answer.body as { description: string }).description).toContain(word);
  });

  test("begins now and lists ten slots where nothing else is asked for", async () => {
    const answer = await preview({ schedule: "* * * * *" });
    const { slots } = answer.body as { slots: { at: string }[] };
    expect(slots).toHaveLength(10);
    const first = Date.parse(slots[0]?.at ?? "") - Date.now();
    expect(first).toBeGreaterThan(-5_000);
    expect(first).toBeLessThanOrEqual(60_000);
  });

  test("keeps to startsAt, endsAt and the dst overrides", async () => {
    const answer = await preview({
      schedule: "30 2 * * *",
      timezone: "America/New_York",
      from: "2026-03-01T00:00:00Z",
      startsAt: "2026-03-07T00:00:00Z",
      endsAt: "2026-03-09T12:00:00Z",
      gap: "skip",
    });
    const { slots } = answer.body as { slots: { at: string }[] };
    expect(slots.map(({ at }) => at)).toEqual([
      "2026-03-07T07:30:00.000Z",
      "2026-03-09T06:30:00.000Z",
    ]);
  });

  test.each([
    [{ schedule: "99 * * * *" }, "schedule", "minute"],
    [{ schedule: "0 9 * * *", timezone: "Mars/Olympus" }, "timezone", "Mars/Olympus"],
    [{ schedule: "0 9 * * *", count: "0" }, "count", "1 to 1000"],
    [{ schedule: "0 9 * * *", from: "yesterday" }, "from", "RFC 3339"],
    [{ timezone: "GMT" }, "schedule", ""],
    [{ schedule: "0 9 * * *", surprise: "1" }, "surprise", ""],
  ])("refuses %j, naming the field and the rule", async (query, field, rule) => {
    const answer = await preview(query);
    expect(answer.status, answer.text).toBe(400);
    const problem = problemOf(answer);
    expect(problem.errors?.[0]?.field).toBe(field);
    expect(problem.errors?.[0]?.message).toContain(rule);
  });

  test("needs a credential", async () => {
    const answer = await api.request("GET", "/api/v1/schedules/preview?schedule=*+*+*+*+*");
    expect(answer.status).toBe(401);
  });
});

test("an edit is compared with what was before, as far as both are known", async () => {
  const answer = await preview({
    schedule: "0 9,18 * * *",
    compareTo: "0 9 * * *",
    from: "2026-03-01T00:00:00Z",
    count: "3",
  });
  expect(answer.status, answer.text).toBe(200);
  expect((answer.body as { compared: unknown }).compared).toEqual({
    added: ["2026-03-01T18:00:00.000Z"],
    removed: [],
    until: "2026-03-02T09:00:00.000Z",
  });
  const zone = await preview({
    schedule: "at 2099-01-01T09:00",
    compareTo: "at 2099-01-01T09:00",
    compareTimezone: "Asia/Tokyo",
  });
  expect((zone.body as { compared: unknown }).compared).toEqual({
    added: ["2099-01-01T09:00:00.000Z"],
    removed: ["2099-01-01T00:00:00.000Z"],
    until: null,
  });
  const bad = await preview({ schedule: "0 9 * * *", compareTo: "nonsense" });
  expect(bad.status).toBe(400);
});

test("the time zones, from memory the second time", async () => {
  const first = await api.as(nobody, "GET", "/api/v1/timezones");
  expect(first.status, first.text).toBe(200);
  const { items } = first.body as { items: { name: string }[] };
  expect(items.map(({ name }) => name)).toContain("America/New_York");
  const begun = performance.now();
  const again = await api.as(nobody, "GET", "/api/v1/timezones", {
    headers: { "if-none-match": first.headers.get("etag") ?? "" },
  });
  expect(again.status).toBe(304);
  expect(performance.now() - begun).toBeLessThan(1000);
});
