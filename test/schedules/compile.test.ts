import { afterAll, beforeAll, expect, test } from "vitest";

import { createTestDatabase, type TestDatabase } from "../helpers/database.js";

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

interface Options {
  version?: string | null;
  from?: string;
  anchor?: string;
  jitter?: number;
}

async function compile(
  schedule: string,
  timezone: string,
  options: Options = {},
): Promise<string | null> {
  const version = options.version === undefined ? "1.6" : options.version;
  const [row] = await db.sql<{ expression: string | null }[]>`
    select carillon.compile_schedule(
      ${schedule}, ${timezone}, ${version}, ${options.from ?? "2026-01-01T00:00Z"},
      ${options.anchor ?? null}, ${options.jitter ?? 0}) as expression`;
  return row?.expression ?? null;
}

test.each<[string, string, string | null, Options?]>([
  // In GMT nothing changes but the spelling, so that more crons share a beat.
  ["* * * * *", "GMT", "* * * * *"],
  ["*/5 * * * *", "GMT", "*/5 * * * *"],
  ["0,15,30,45 09 * * *", "GMT", "*/15 9 * * *"],
  ["0 0 * * 7", "GMT", "0 0 * * 0"],
  ["0 0 13 * 5", "GMT", "0 0 13 * 5"],
  ["0 0 */2 * 5", "GMT", "0 0 */2 * 5"],
  ["0 0 1-31 * 5", "GMT", "0 0 * * *"],
  ["0 0 31 2 1", "GMT", "0 0 * 2 1"],
  // Both offsets of the year, or the one that holds in the months chosen.
  ["0 9 * * *", "America/New_York", "0 13,14 * * *"],
  ["0 9 * 7 *", "America/New_York", "0 13 * 7 *"],
  ["0 9 * 1,2 *", "America/New_York", "0 14 * 1,2 *"],
  ["30 2 * * *", "America/New_York", "30 6,7 * * *"],
  ["0 9 * * *", "Asia/Kolkata", "30 3 * * *"],
  ["*/15 * * * *", "Asia/Kathmandu", "*/15 * * * *"],
  ["0 * * * *", "Asia/Kolkata", "30 * * * *"],
  ["0 12 * * *", "Australia/Lord_Howe", "*/30 1 * * *"],
  // Days that move.
  ["0 0 * * 1-5", "Asia/Tokyo", "0 15 * * 0-4"],
  ["0 20 * * 1", "America/New_York", "0 0,1 * * 2"],
  ["30 19 * * 1", "America/New_York", "30 0,23 * * 1,2"],
  ["0 0 1 * *", "Asia/Tokyo", "0 15 28-31 * *"],
  ["0 0 1 3 *", "Asia/Tokyo", "0 15 28,29 2 *"],
  ["0 22 31 12 *", "America/New_York", "0 3 1 1 *"],
  ["0 0 13 2 5", "Asia/Tokyo", "0 15 12 1,2 4"],
  // The last day.
  ["0 0 $ * *", "GMT", "0 0 $ * *"],
  ["0 0 $ * *", "GMT", "0 0 28-31 * *", { version: "1.5" }],
  ["0 0 $ 4 *", "GMT", "0 0 30 4 *", { version: "1.4" }],
  ["0 0 $ * *", "America/New_York", "0 4,5 $ * *"],
  ["0 22 $ * *", "America/New_York", "0 2,3 1 * *"],
  ["0 0 $ * *", "Asia/Tokyo", "0 15 27-30 * *"],
  ["0 20 $ * *", "America/New_York", "0 0,1 1 * *"],
  ["0 19 $ * *", "America/New_York", "0 0,23 1,30,31 * *"],
  // Seconds.
  ["10 seconds", "GMT", "1 seconds"],
  ["10 seconds", "GMT", "1 seconds", { version: "1.5" }],
  ["10 seconds", "GMT", null, { version: "1.4-1" }],
  ["10 seconds", "GMT", "1 seconds", { version: "1.10" }],
  ["10 seconds", "GMT", null, { version: null }],
  ["* * * * *", "GMT", null, { version: null }],
  // Rates.
  ["every 90 minutes", "GMT", "* * * * *"],
  ["every 1 day", "GMT", "30 10 * * *", { anchor: "2026-05-08T10:30Z" }],
  ["every 1 day from 2026-05-08T10:30", "America/New_York", "30 14 * * *"],
  ["every 36 hours from 2026-05-08T10:30Z", "GMT", "30 10,22 * * *"],
  ["every 5 minutes from 2026-05-08T10:02Z", "GMT", "2,7,12,17,22,27,32,37,42,47,52,57 * * * *"],
  ["every 14 days from 2026-05-08T10:30Z", "GMT", "30 10 * * 5"],
  ["every 7 minutes from 2026-05-08T10:30Z", "GMT", "* * * * *"],
  ["every 1 hour", "GMT", "30,31 * * * *", { anchor: "2026-05-08T10:30:20Z" }],
  // Once.
  ["at 2026-05-08T10:30", "America/New_York", "30 14 8 5 *"],
  ["at 2026-05-08T10:30:15Z", "GMT", "30,31 10 8 5 *"],
  ["at 2026-12-31T23:59:30Z", "GMT", "0,59 0,23 1,31 1,12 *"],
  // Jitter moves the wake, to the next whole minute.
  ["0 9 * * *", "GMT", "2 9 * * *", { jitter: 90 }],
  ["59 23 * * 1", "GMT", "1 0 * * 2", { jitter: 120 }],
  ["at 2026-05-08T10:30Z", "GMT", "31 10 8 5 *", { jitter: 1 }],
  ["10 seconds", "GMT", "1 seconds", { jitter: 5 }],
])("%s in %s is %s", async (schedule, timezone, expected, options) => {
  expect(await compile(schedule, timezone, options)).toBe(expected);
});
