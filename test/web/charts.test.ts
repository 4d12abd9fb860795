import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bandPath, linePath, stretches, type Points } from "../../web/src/charts/lines.js";
import { secondsScale } from "../../web/src/charts/scale.js";
import { timeTicks } from "../../web/src/charts/time-axis.js";
import { cadenceOf, shortestGap, windowFor } from "../../web/src/screens/cron/windows.js";
import { fromWall, toWall } from "../../web/src/time/wall.js";

const seconds = fc.array(fc.double({ min: 0.0001, max: 500_000, noNaN: true }), {
  minLength: 1,
  maxLength: 20,
});

describe("an axis of seconds", () => {
  test("has every value on it, in their order, and few words beside it", () => {
    fc.assert(
      fc.property(seconds, (values) => {
        const { at, ticks } = secondsScale(values);
        const sorted = values.toSorted((a, b) => a - b);
        const places = sorted.map(at);
        for (const place of [...places, ...ticks.map(at)]) {
          expect(place).toBeGreaterThanOrEqual(0);
          expect(place).toBeLessThanOrEqual(1);
        }
        expect(places).toEqual(places.toSorted((a, b) => a - b));
        // What is longest is not lost at the ground, whatever else there is.
        expect(places.at(-1)).toBeGreaterThan(0.3);
        expect(ticks.length).toBeGreaterThan(1);
        expect(ticks.length).toBeLessThan(7);
      }),
    );
  });

  test("goes by round lengths of time", () => {
    expect(secondsScale([40, 280]).ticks).toEqual([0, 120, 240, 360]);
    expect(secondsScale([0.0004, 0.9]).ticks).toEqual([0.0001, 0.001, 0.01, 0.1, 1]);
  });

  test("of nothing breaks nothing", () => {
    expect(secondsScale([]).at(0)).toBe(0);
    expect(Number.isFinite(secondsScale([0]).at(0))).toBe(true);
  });
});

describe("an axis of time", () => {
  const berlin = { zone: "Europe/Berlin", hour12: false };
  const every = (from: string, minutes: number, many: number) =>
    Array.from({ length: many }, (_, n) => Date.parse(from) + n * minutes * 60_000);
  const texts = (starts: readonly number[], most: number) =>
    timeTicks(starts, berlin, most).map(({ text }) => text);

  test("says hours of a day, and at midnight which day it is", () => {
    const day = every("2026-11-22T14:00:00Z", 15, 96);
    expect(texts(day, 10)).toEqual(
      // By three hours.
      ["15:00", "18:00", "21:00", "23 Nov", "03:00", "06:00", "09:00", "12:00"],
    );
    expect(texts(day, 3)).toEqual(["23 Nov", "12:00"]);
  });

  test("says days and months of what is longer", () => {
    const week = every("2026-11-16T23:00:00Z", 60, 7 * 24);
    expect(texts(week, 8)).toEqual([
      "17 Nov",
      "18 Nov",
      "19 Nov",
      "20 Nov",
      "21 Nov",
      "22 Nov",
      "23 Nov",
    ]);
    expect(texts(week, 3)).toEqual(["19 Nov", "22 Nov"]);
    const year = every("2025-11-23T23:00:00Z", 24 * 60, 365);
    expect(texts(year, 13).slice(0, 3)).toEqual(["Dec", "Jan", "Feb"]);
  });

  test("treats the day of a clock change like all others", () => {
    // 25 hours, of which 02:00 to 03:00 comes twice.
    const day = every("2026-10-24T22:00:00Z", 60, 26);
    expect(texts(day, 5)).toEqual(["25 Oct", "06:00", "12:00", "18:00", "26 Oct"]);
  });
});

describe("a line", () => {
  const points = (...values: (number | undefined)[]): Points =>
    values.map((y, x) => (y === undefined ? undefined : [x * 10, y]));

  test("goes across what is empty as a rule, and stops where something is missing", () => {
    expect(stretches(points(1, 2, undefined, undefined, undefined, 3))).toHaveLength(2);
    const sparse = points(1, undefined, undefined, 2, undefined, undefined, 3);
    expect(stretches(sparse)).toHaveLength(1);
    expect(linePath(points(1, 2))).toBe("M0 1L10 2");
    // Alone, it is a dot.
    expect(linePath(points(undefined, 5))).toBe("M9 5h2");
    expect(linePath([])).toBe("");
    expect(bandPath(points(1, 2), points(5, 6))).toBe("M0 1L10 2L10 6L0 5z");
  });
});

describe("what a zone's clock shows", () => {
  test("is the same instant again", () => {
    const zones = fc.constantFrom(
      "Europe/Berlin",
      "America/New_York",
      "Asia/Kolkata",
      "UTC",
      "Australia/Lord_Howe",
    );
    const instants = fc.integer({
      min: Date.parse("2020-01-01") / 1000,
      max: Date.parse("2035-01-01") / 1000,
    });
    fc.assert(
      fc.property(zones, instants, (zone, at) => {
        const text = toWall(at * 1000, zone);
        const back = Date.parse(fromWall(text, zone) ?? "");
        // The hour that comes twice is read as the first.
        expect([at, at - 3600, at - 1800]).toContain(back / 1000);
        expect(toWall(back, zone)).toBe(text);
      }),
      { numRuns: 300 },
    );
  });

  test("is read as the first of two, and beyond a gap", () => {
    expect(fromWall("2026-10-25T02:30", "Europe/Berlin")).toBe("2026-10-25T00:30:00.000Z");
    expect(fromWall("2027-03-28T02:30:00", "Europe/Berlin")).toBe("2027-03-28T01:30:00.000Z");
    expect(fromWall("2026-11-23T09:00", "Nowhere/City")).toBe("2026-11-23T09:00:00.000Z");
    for (const text of ["", "2026-11-23", "2026-13-45T09:00", "soon"]) {
      expect(fromWall(text, "Europe/Berlin"), text).toBeUndefined();
    }
  });
});

test("a window fits how often a cron fires", () => {
  const strip = (hours: number) => ({
    ...{ strip: "ccc", stripFrom: "2026-11-23T00:00:00Z" },
    stripTo: new Date(Date.parse("2026-11-23T00:00:00Z") + 2 * hours * 3_600_000).toISOString(),
  });
  const windowOf = (hours: number) => windowFor("auto", cadenceOf(strip(hours)));
  expect([1 / 120, 1 / 12, 1, 6, 24].map(windowOf)).toEqual(["6h", "1d", "7d", "30d", "1y"]);
  expect(windowFor("90d", 1)).toBe("90d");
  expect(windowFor("auto", cadenceOf({ strip: "", stripFrom: null, stripTo: null }))).toBe("7d");
  const slots = ["2026-11-23T08:00:00Z", "2026-11-23T08:15:00Z", "2026-11-24T08:00:00Z"];
  expect(shortestGap(slots.map((at) => ({ at })))).toBe(900);
  expect(shortestGap([])).toBeUndefined();
});
