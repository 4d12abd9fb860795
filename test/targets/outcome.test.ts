import { describe, expect, test } from "vitest";
import { jobKey, traceparent } from "../../src/targets/identity.js";
import { completed, failed, settle } from "../../src/targets/outcome.js";
import type { Outcome } from "../../src/targets/types.js";
import { AttemptFailed } from "../../src/worker/control.js";
import { describeFailure } from "../../src/worker/failure.js";

const thrownBy = (outcome: Outcome): unknown => {
  try {
    settle(outcome);
  } catch (thrown) {
    return thrown;
  }
  throw new Error("nothing was thrown");
};

const error = { class: "status", message: "answered 500" };

describe("an outcome, as a handler tells it", () => {
  test("a result is returned", () => {
    expect(settle(completed({ statusCode: 200 }))).toEqual({ statusCode: 200 });
  });

  test("a failure is thrown, and recorded by its class, with what was found out", () => {
    const thrown = thrownBy(failed(error, { result: { statusCode: 500 } }));
    expect(thrown).toBeInstanceOf(AttemptFailed);
    expect(thrown).toMatchObject({ terms: { result: { statusCode: 500 } } });
    expect(describeFailure(thrown)).toEqual({ name: "status", message: "answered 500" });
  });

  test("one that knows when to come back asks for it, at most a day later", () => {
    const thrown = thrownBy(failed(error, { retryAfterMs: 5000 }));
    expect(thrown).toMatchObject({ name: "status", terms: { waitMs: 5000 } });
    const late = thrownBy(failed(error, { retryAfterMs: 9e12 }));
    expect(late).toMatchObject({ terms: { waitMs: 86_400_000 } });
  });

  test("one that no other attempt mends fails the job for good", () => {
    const thrown = thrownBy(failed(error, { retryable: false }));
    expect(thrown).toMatchObject({ message: "answered 500", terms: { final: true } });
  });
});

describe("who a job is to others", () => {
  test("its key is the same each time, and no other's", () => {
    const key = jobKey("7581/carillon", 12);
    expect(key).toMatch(/^job_12_[0-9a-f]{20}$/);
    expect(jobKey("7581/carillon", 12)).toBe(key);
    expect(jobKey("7581/staging", 12)).not.toBe(key);
    expect(jobKey("7581/carillon", 13)).not.toBe(key);
  });

  test("its attempts are spans of one trace", () => {
    const spans = [1, 2, 3].map((attempt) => traceparent("job_1_x", attempt));
    expect(new Set(spans).size).toBe(3);
    expect(new Set(spans.map((span) => span.slice(0, 36))).size).toBe(1);
    for (const span of spans) expect(span).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-01$/);
  });
});
