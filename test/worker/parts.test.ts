import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { describeFailure } from "../../src/worker/failure.js";
import { Pace } from "../../src/worker/pace.js";
import { storableResult } from "../../src/worker/result.js";
import { type State, StateMachine, TRANSITIONS } from "../../src/worker/state.js";

describe("describeFailure", () => {
  test("bounds depth and size", () => {
    let error = new Error("x".repeat(100_000));
    for (let i = 0; i < 50; i += 1) error = new Error(`level ${i}`, { cause: error });
    const text = JSON.stringify(describeFailure(error));
    expect(text.length).toBeLessThan(200_000);
    let depth = 0;
    for (let e = describeFailure(error); e.cause; e = e.cause) depth += 1;
    expect(depth).toBe(5);
  });

  test("survives a cause that goes round", () => {
    const error = new Error("a");
    error.cause = error;
    expect(describeFailure(error).cause?.cause?.message).toBe("a");
  });

  test.each([
    ["text", "text"],
    [undefined, "undefined"],
    [null, "null"],
    [{ code: 7 }, "{ code: 7 }"],
    [Symbol("s"), "Symbol(s)"],
  ])("takes %o for what it is", (thrown, message) => {
    expect(describeFailure(thrown)).toEqual({ name: "Thrown", message });
  });

  test("survives whatever getters are on it", () => {
    const hostile = new Error("x");
    Object.defineProperty(hostile, "message", {
      get: () => {
        throw new Error("no");
      },
    });
    expect(describeFailure(hostile).message).toMatch(/cannot be described/);
    expect(describeFailure(runInNewContext("new Error('elsewhere')")).message).toContain(
      "elsewhere",
    );
  });
});

test("a storable result is the same JSON, without what jsonb cannot hold", () => {
  fc.assert(
    fc.property(fc.jsonValue(), fc.string({ unit: "binary" }), (value, text) => {
      const stored = storableResult({ value, [text]: text }).resultJson;
      expect(stored).not.toMatch(/(?<!\\)(\\\\)*\\(u0000|ud[89a-f])/);
      if (!/\\(u0000|ud[89a-f])/.test(JSON.stringify({ value, [text]: text }))) {
        expect(stored).toBe(JSON.stringify({ value, [text]: text }));
      }
    }),
  );
});

test("Pace holds about what ended lately, and nothing when little does", () => {
  const pace = new Pace();
  expect(pace.prefetch(1000)).toBe(0);
  for (let i = 0; i < 30; i += 1) pace.record(1000 + i);
  expect(pace.prefetch(1031)).toBe(30);
  expect(pace.prefetch(1060)).toBe(30);
  expect(pace.prefetch(1300)).toBe(0);
  for (let i = 0; i < 5000; i += 1) pace.record(2000);
  expect(pace.prefetch(2001)).toBe(1000);
});

test("the states of a worker lead to the end, and only as the table says", () => {
  const states = Object.keys(TRANSITIONS) as State[];
  fc.assert(
    fc.property(fc.array(fc.constantFrom(...states), { maxLength: 12 }), (moves) => {
      const machine = new StateMachine();
      for (const next of moves) {
        const before = machine.current;
        const allowed: readonly State[] = TRANSITIONS[before];
        if (allowed.includes(next)) machine.move(next);
        else expect(() => machine.move(next)).toThrow(`cannot go from ${before} to ${next}`);
        expect(machine.current).toBe(allowed.includes(next) ? next : before);
      }
    }),
  );
  const ends = (state: State): boolean =>
    state === "stopped" || TRANSITIONS[state].every((next) => ends(next));
  expect(states.filter((state) => state !== "stopped").every(ends)).toBe(true);
});
