import { describe, expect, test } from "vitest";
import { HttpSpec } from "../../../src/targets/http/schema.js";

const parse = (more: object) =>
  HttpSpec.safeParse({ type: "http", url: "https://example.com/x", ...more });

const problem = (more: object): string => {
  const { error } = parse(more);
  const [issue] = error?.issues ?? [];
  return issue === undefined ? "none" : `${issue.path.join(".")}: ${issue.message}`;
};

describe("the spec of an HTTP target", () => {
  test("says as little as a URL; null means the default", () => {
    expect(parse({}).data).toEqual({ type: "http", url: "https://example.com/x" });
    const nulls = {
      method: null,
      headers: null,
      timeout: null,
      expectedStatus: null,
      redirects: null,
    };
    expect(problem({ ...nulls, body: null })).toBe("none");
  });

  test.for([
    [{ method: "PATCH", timeout: 300, redirects: 5, expectedStatus: ["2xx", 304, "400-404"] }],
    [{ headers: { Authorization: "Bearer {{secret.KEY}}", "X-B": "{{ secret.A_1 }}{{other}}" } }],
    [{ timeout: 0.5, body: [1, { a: null }], expectedStatus: 204 }],
    [{ body: "x".repeat(1_048_576) }],
  ])("takes %j", ([more]) => {
    expect(problem(more ?? {})).toBe("none");
  });

  test.for([
    [{ method: "HEAD" }, "method:"],
    [{ method: "get" }, "method:"],
    [{ timeout: 0 }, "timeout:"],
    [{ timeout: 301 }, "timeout:"],
    [{ timeout: "10" }, "timeout:"],
    [{ redirects: 6 }, "redirects:"],
    [{ redirects: -1 }, "redirects:"],
    [{ body: "x".repeat(1_048_577) }, "body: must not be larger than 1 MiB"],
    [{ body: { a: "ü".repeat(600_000) } }, "body: must not be larger than 1 MiB"],
    [{ expectedStatus: 99 }, "expectedStatus"],
    [{ expectedStatus: "6xx" }, "expectedStatus"],
    [{ expectedStatus: "299-200" }, "expectedStatus"],
    [{ expectedStatus: [] }, "expectedStatus"],
    [{ headers: { "X Y": "1" } }, "headers"],
    [{ headers: { "X-A": "1\r\nX-B: 2" } }, "headers.X-A"],
    [{ headers: { "X-A": "€" } }, "headers.X-A"],
    [{ headers: { "X-A": "{{secret.}}" } }, "headers.X-A"],
    [{ headers: { "X-A": "{{secret.key}}" } }, "headers.X-A"],
    [{ headers: { "X-A": "{{secret.KEY" } }, "headers.X-A"],
    [{ headers: { "X-A": "{{secrets.KEY}}" } }, "headers.X-A"],
    [{ headers: { a: "1", A: "2" } }, "headers: must not name a header twice"],
    [
      { headers: Object.fromEntries(Array.from({ length: 51 }, (_, i) => [`h${i}`, ""])) },
      "headers",
    ],
    [{ headers: { Host: "internal" } }, "headers"],
    [{ headers: { "Transfer-Encoding": "chunked" } }, "headers"],
    [{ headers: { "Content-Length": "0" } }, "headers"],
    [{ headers: { "Webhook-Signature": "v1," } }, "headers"],
    [{ headers: { "Idempotency-Key": "mine" } }, "headers"],
    [{ headers: { "Carillon-Attempt": "1" } }, "headers"],
    [{ url: "https://user:pw@example.com/" }, "url: must not hold a user or password"],
    [{ url: "https://example.com/?k={{secret.KEY}}" }, "url: must not refer to secrets"],
    [{ url: "/relative" }, "url: must be an absolute URL"],
    [{ url: "" }, "url:"],
    [{ url: `https://example.com/${"x".repeat(8_000)}` }, "url:"],
    [{ retries: 3 }, ": Unrecognized key"],
    [{ type: "https" }, "type:"],
  ])("does not take %j", ([more, message]) => {
    expect(problem(more as object)).toContain(message);
  });

  test("a body that refers to itself is refused, not chased", () => {
    const body: Record<string, unknown> = {};
    body.self = body;
    expect(problem({ body })).toContain("body:");
  });
});
