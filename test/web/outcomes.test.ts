import { describe, expect, test } from "vitest";
import { STRIP } from "../../src/api/shapes/summary.js";
import {
  fromLetters,
  OUTCOMES,
  slotOutcome,
  tally,
  worst,
  type Outcome,
} from "../../web/src/outcomes/outcomes.js";

const all = Object.keys(OUTCOMES) as Outcome[];

describe("every outcome", () => {
  test("of the API's strip has a look of its own", () => {
    const letters = Object.keys(STRIP).join("");
    expect(fromLetters(letters)).toHaveLength(letters.length);
    expect(fromLetters(letters).filter((outcome) => outcome === "enqueued")).toHaveLength(1);
  });

  test("is told by its shape from all those that mean something else", () => {
    const drawn = (outcome: Outcome) => OUTCOMES[outcome].shape(0, 0, 4, 18);
    for (const a of all) {
      expect(drawn(a)).toMatch(/^M[-\d.a-zA-Z ]+z$/);
      for (const b of all) {
        if (OUTCOMES[a].tone !== OUTCOMES[b].tone)
          expect(drawn(a), `${a}, ${b}`).not.toBe(drawn(b));
      }
    }
  });
});

test("a slot that made a job is what became of that; one that made none is its decision", () => {
  expect(slotOutcome("enqueued", "failed")).toBe("failed");
  expect(slotOutcome("enqueued", undefined)).toBe("enqueued");
  expect(slotOutcome("caught_up", "completed")).toBe("caught_up");
  expect(slotOutcome("caught_up", "failed")).toBe("failed");
  expect(slotOutcome("replaced", "running")).toBe("running");
  expect(slotOutcome("skipped", undefined)).toBe("skipped");
  expect(slotOutcome("failed", undefined)).toBe("undecided");
});

test("the worst of several is what a day is told by", () => {
  expect(worst(["completed", "skipped", "failed", "missed"])).toBe("failed");
  expect(worst([])).toBeUndefined();
});

test("a strip is read aloud by its counts, the most frequent first", () => {
  expect(tally(fromLetters("cccfmcc"))).toBe("5 completed, 1 failed, 1 missed");
});
