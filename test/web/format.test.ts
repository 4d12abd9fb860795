import { describe, expect, test } from "vitest";
import {
  calendarDay,
  cityOf,
  clockTime,
  counted,
  duration,
  nearDay,
  offsetAt,
  relative,
} from "../../web/src/time/format.js";

const berlin = { zone: "Europe/Berlin", hour12: false };
const at = (text: string) => Date.parse(text);

describe("instants", () => {
  test("are read by the clock of the zone that is asked for", () => {
    const noon = at("2026-11-23T12:00:00Z");
    expect(clockTime(noon, berlin)).toBe("13:00");
    expect(clockTime(noon, { zone: "America/New_York", hour12: true })).toBe("7:00 am");
    expect(clockTime(noon, { zone: "GMT", hour12: false }, true)).toBe("12:00:00");
    expect(clockTime(at("2026-11-23T00:05:00Z"), { zone: "UTC", hour12: false })).toBe("00:05");
    expect(clockTime(at("2026-11-23T00:05:00Z"), { zone: "UTC", hour12: true })).toBe("12:05 am");
  });

  test("tell the two hours apart that a clock change makes alike", () => {
    const [first, second] = [at("2026-10-25T00:30:00Z"), at("2026-10-25T01:30:00Z")];
    expect([clockTime(first, berlin), offsetAt(first, berlin.zone)]).toEqual(["02:30", "+02:00"]);
    expect([clockTime(second, berlin), offsetAt(second, berlin.zone)]).toEqual(["02:30", "+01:00"]);
    expect(offsetAt(first, "America/New_York")).toBe("−04:00");
    expect(offsetAt(first, "Australia/Lord_Howe")).toBe("+11:00");
  });

  test("carry their year only where it is another", () => {
    const now = at("2026-11-23T12:00:00Z");
    expect(calendarDay(at("2026-09-01T12:00:00Z"), berlin, now)).toBe("Tue 1 Sep");
    expect(calendarDay(at("2025-11-23T12:00:00Z"), berlin, now)).toBe("Sun 23 Nov 2025");
  });

  test("are today by the calendar of their zone, not by hours", () => {
    const now = at("2026-11-23T23:30:00Z");
    expect(nearDay(at("2026-11-23T00:30:00Z"), { zone: "UTC", hour12: false }, now)).toBe("today");
    expect(nearDay(at("2026-11-23T00:30:00Z"), berlin, now)).toBe("yesterday");
    expect(nearDay(at("2026-11-24T23:30:00Z"), berlin, now)).toBe("tomorrow");
    expect(nearDay(at("2026-11-30T00:30:00Z"), berlin, now)).toBeUndefined();
  });

  test("of a zone that this browser does not know are shown by UTC, and nothing breaks", () => {
    expect(clockTime(at("2026-11-23T12:00:00Z"), { zone: "Mars/Base", hour12: false })).toBe(
      "12:00",
    );
  });
});

test("zones are called by their city, and GMT by the name that sentences call it", () => {
  const names = ["America/New_York", "Etc/UTC", "GMT", "America/Argentina/Buenos_Aires"];
  expect(names.map(cityOf)).toEqual(["New York", "UTC", "GMT", "Buenos Aires"]);
});

test.each([
  [0, "0 s"],
  [0.3, "< 1 ms"],
  [38, "38 ms"],
  [999.7, "1.0 s"],
  [1432, "1.4 s"],
  [9951, "10 s"],
  [59_400, "59 s"],
  [252_000, "4 min 12 s"],
  [3_600_000, "1 h"],
  [11_100_000, "3 h 5 min"],
  [187_200_000, "2 d 4 h"],
  [-1500, "−1.5 s"],
  [NaN, "—"],
])("a length of %d ms reads %s", (ms, text) => {
  expect(duration(ms)).toBe(text);
});

test("what is near is told by its distance, both ways", () => {
  const now = at("2026-11-23T12:00:00Z");
  const told = [-90_000, -4000, 0, 4000, 252_000, 200_000_000].map((ms) => relative(now + ms, now));
  expect(told).toEqual(["1 min ago", "4 s ago", "now", "in 4 s", "in 4 min", "in 2 d"]);
});

test("one of a thing is one", () => {
  expect([0, 1, 2, 12_345].map((n) => counted(n, "job"))).toEqual([
    ...["0 jobs", "1 job", "2 jobs", "12,345 jobs"],
  ]);
});
