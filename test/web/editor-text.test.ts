import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { markOf } from "../../web/src/screens/editor/mark.js";
import {
  buildCron,
  buildRate,
  formOf,
  readCron,
  readOnce,
  readRate,
  readSeconds,
} from "../../web/src/screens/editor/schedule-text.js";
import { readTarget, writeTarget } from "../../web/src/screens/editor/target-text.js";
import { readSpan, spanText } from "../../web/src/time/span.js";

const char = fc.constantFrom(..."0123456789*/,-$ ");
const texts = fc.array(char, { maxLength: 20 }).map((chars) => chars.join(""));

describe("what helps to write a schedule", () => {
  test("reads only what it would write again, letter by letter", () => {
    fc.assert(
      fc.property(texts, (text) => {
        const plan = readCron(text);
        if (plan !== undefined) expect(buildCron(plan)).toBe(text);
      }),
      { numRuns: 5000 },
    );
  });

  test("leaves alone what other editors have collapsed", () => {
    for (const text of [
      ...["0 9-21 * * *", "0 9,12,15 * * 1-5", "00 9 * * *", "0 9 * * 7", "0 9 31-31 * *"],
      ...["*/60 * * * *", "*/5 9 * * *", "0 25 * * *", "0 9 * 1 *", " 0 9 * * *", "0 9 * * * "],
      ...["@daily", "", "0 9 * * 1,2,3"],
    ]) {
      expect(readCron(text), text).toBeUndefined();
    }
    expect(readRate("every 1 hours")).toBeUndefined();
    expect(readRate("every 02 hours")).toBeUndefined();
    expect(readSeconds("010 seconds")).toBeUndefined();
    expect(readOnce("at 2026-12-24T18:00:30")).toBeUndefined();
    expect(readOnce("at 2026-12-24T18:00Z")).toBeUndefined();
  });

  test("reads what it writes", () => {
    const plans = fc.oneof(
      fc.record({ every: fc.constant("minutes" as const), step: fc.integer({ min: 1, max: 59 }) }),
      fc.record({ every: fc.constant("hour" as const), minute: fc.integer({ min: 0, max: 59 }) }),
      fc.record({
        every: fc.constant("month" as const),
        minute: fc.integer({ min: 0, max: 59 }),
        hour: fc.integer({ min: 0, max: 23 }),
        day: fc.oneof(fc.integer({ min: 1, max: 31 }), fc.constant("$" as const)),
      }),
    );
    fc.assert(
      fc.property(plans, (plan) => {
        expect(readCron(buildCron(plan))).toEqual(plan);
      }),
    );
    const rate = { many: 90, unit: "minute", from: "2026-05-08T10:30" } as const;
    expect(readRate(buildRate(rate))).toEqual(rate);
  });

  test("takes a text for the form it begins to be", () => {
    expect(["at", "at 20", "every", "every 5", "10 seconds", "0 9 *", ""].map(formOf)).toEqual([
      ...["once", "once", "rate", "rate", "seconds", "cron", "cron"],
    ]);
  });
});

describe("a mark", () => {
  test("is under the part the server named, in the field it named", () => {
    expect(markOf("0 25 * * *", 'hour "25" is out of range')).toEqual([2, 4]);
    expect(markOf("1,70,5 70 * * *", 'minute "70" is out of range')).toEqual([2, 4]);
    expect(markOf("1 70 * * *", 'hour "70" is out of range')).toEqual([2, 4]);
    expect(markOf("0  9\t* * 9", 'day-of-week "9" is out of range')).toEqual([9, 10]);
    expect(markOf("0 9 * *", "a schedule has five fields")).toBeUndefined();
  });
});

describe("a length of time", () => {
  test("is read back as it was", () => {
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 40_000_000 }), (seconds) => {
        expect(readSpan(spanText(seconds))).toBe(seconds);
      }),
    );
  });

  test("is taken as people write it", () => {
    const read = ["90", "90s", "5 min", "1h30min", "2 hours, 5 minutes", "1 d"].map(readSpan);
    expect(read).toEqual([90, 90, 300, 5400, 7500, 86_400]);
    for (const text of ["", "soon", "5 mon", "-3 s", "1.5 h"]) {
      expect(readSpan(text), text).toBeUndefined();
    }
  });
});

describe("a target", () => {
  const again = (target: object) => {
    const form = readTarget(JSON.stringify(target));
    return { type: form.type, target: JSON.parse(writeTarget(form)) as unknown };
  };

  test("comes out of its form as it went in", () => {
    const targets = [
      { type: "http", url: "https://example.com/a?b=c", headers: { "X-A": "a=b: c", B: "" } },
      { type: "http", url: "https://example.com", body: '{"a": 1}', timeout: 0.5, redirects: 0 },
      { type: "http", url: "https://example.com", body: { a: [1, "2"] }, expectedStatus: "2xx" },
      { type: "http", url: "https://example.com", expectedStatus: [200, "202-204"] },
      {
        type: "container",
        image: "crm/report:2.1",
        cmd: ["sh", "-c", "a b", ""],
        env: { A: "1=2" },
      },
      { type: "faktory", jobType: "Charge", args: [{ id: "x" }, 2], retry: -1 },
      { type: "agent", url: "https://agent.example.com", timeout: 60 },
    ];
    for (const target of targets) {
      expect(again(target)).toEqual({ type: target.type, target });
    }
  });

  test("that no form would give back is left to its JSON", () => {
    for (const target of [
      { type: "http", url: "https://example.com", method: null },
      { type: "http", url: "https://example.com", of: "a newer version" },
      { type: "container", image: "a", cmd: ["two\nlines"] },
      { type: "newer", url: "https://example.com" },
      { type: "http", url: 5 },
    ]) {
      expect(again(target)).toEqual({ type: "json", target });
    }
  });
});
