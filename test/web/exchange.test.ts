import { describe, expect, test } from "vitest";
import { whatOf } from "../../web/src/jobs/what.js";
import { exchangeOf, readable } from "../../web/src/screens/job/exchange.js";

const request = { method: "GET", url: "https://a.example/", headers: { accept: "*/*" } };

describe("what is kept of a call", () => {
  test("is told part by part, what was not measured as the rest", () => {
    const timing = { dns: 2, connect: 8, tls: null, firstByte: 30, total: 50 };
    const found = exchangeOf({ type: "http", request, statusCode: 200, timing });
    expect(found?.timing).toEqual([
      { name: "DNS", ms: 2 },
      { name: "Connect", ms: 8 },
      { name: "Waiting", ms: 30 },
      { name: "Rest", ms: 10 },
    ]);
    expect(found).toMatchObject({ status: 200, total: 50, body: null, redirects: [] });
  });

  test("may be half of it, or of another kind", () => {
    expect(exchangeOf({ type: "http", request: {} })).toMatchObject({
      ...{ request: { method: "", url: "", headers: [] } },
      ...{ status: null, timing: [], total: null },
    });
    for (const other of [null, 7, "x", {}, { type: "faktory", jid: "1" }, { type: "http" }]) {
      expect(exchangeOf(other)).toBeUndefined();
    }
  });

  test("has a header that came twice twice", () => {
    const headers = { "set-cookie": ["a=1", "b=2"], server: "x" };
    expect(exchangeOf({ type: "http", request, headers })?.headers).toEqual([
      ["set-cookie", "a=1"],
      ["set-cookie", "b=2"],
      ["server", "x"],
    ]);
  });
});

describe("a body", () => {
  const json = [["Content-Type", "application/problem+json; charset=utf-8"]] as const;

  test("of JSON is read line by line, unless that would change a number of it", () => {
    expect(readable('{"a":[1]}', json)).toBe('{\n  "a": [\n    1\n  ]\n}');
    expect(readable('{"id":12345678901234567890}', json)).toBe('{"id":12345678901234567890}');
    expect(readable('{"cut":', json)).toBe('{"cut":');
  });

  test("of anything else stays as it came", () => {
    expect(readable('{"a":1}', [["content-type", "text/plain"]])).toBe('{"a":1}');
  });
});

test("a job without a cron is called by its target, or its method", () => {
  const http = { type: "http" as const, url: "https://a.example:8443/x?token=1" };
  expect(whatOf({ target: http, payload: null })).toBe("POST a.example:8443/x");
  expect(whatOf({ target: { type: "container", image: "ops/vacuum:3" }, payload: null })).toBe(
    "ops/vacuum:3",
  );
  const faktory = { type: "faktory" as const, jobType: "Mail", queue: "low" };
  expect(whatOf({ target: faktory, payload: { method: "x" } })).toBe("Mail → low");
  expect(whatOf({ target: null, payload: { method: "erase" } })).toBe("erase");
  expect(whatOf({ target: null, payload: {} })).toBeUndefined();
});
