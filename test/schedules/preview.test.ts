import { afterAll, beforeAll, expect, test } from "vitest";

import { createTestDatabase, type TestDatabase } from "../helpers/database.js";

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

interface Line {
  slot: string;
  local: string;
  offset: string;
  note: string | null;
}

const line = (slot: string, local: string, offset: string, note: string | null = null): Line => ({
  slot,
  local,
  offset,
  note,
});

async function preview(
  schedule: string,
  timezone: string,
  from: string,
  count: number,
  options: {
    gap?: string;
    fold?: string;
    anchor?: string;
    startsAt?: string;
    endsAt?: string;
  } = {},
): Promise<Line[]> {
  const rows = await db.sql<Line[]>`
    select to_char(slot at time zone 'UTC', 'MM-DD HH24:MI') as slot,
      to_char(local_time, 'MM-DD HH24:MI') as local, utc_offset as offset, note
    from carillon.preview_schedule(
      ${schedule}, ${timezone}, ${from}, ${count}, ${options.anchor ?? null}, ${options.startsAt ?? null},
      ${options.endsAt ?? null}, ${options.gap ?? "shift"}, ${options.fold ?? "first"}) as p
    order by p.slot`;
  return rows.map((row) => ({ ...row }));
}

test("slots in UTC and in the zone, with the offset", async () => {
  expect(await preview("0 9 * * 1-5", "America/New_York", "2026-03-06T00:00Z", 3)).toEqual([
    line("03-06 14:00", "03-06 09:00", "-05:00"),
    line("03-09 13:00", "03-09 09:00", "-04:00"),
    line("03-10 13:00", "03-10 09:00", "-04:00"),
  ]);
  expect(await preview("0 9 * * *", "Asia/Kathmandu", "2026-03-06T00:00Z", 1)).toEqual([
    line("03-06 03:15", "03-06 09:00", "+05:45"),
  ]);
});

test("as many as there are", async () => {
  expect(await preview("at 2026-05-08T10:30Z", "GMT", "2026-01-01T00:00Z", 5)).toHaveLength(1);
  expect(await preview("at 2026-05-08T10:30Z", "GMT", "2026-06-01T00:00Z", 5)).toEqual([]);
  expect(await preview("* * * * *", "GMT", "2026-01-01T00:00Z", 1000)).toHaveLength(1000);
  const cut = { startsAt: "2026-01-02T09:00Z", endsAt: "2026-01-04T09:00Z" };
  expect(await preview("0 9 * * *", "GMT", "2026-01-01T00:00Z", 10, cut)).toHaveLength(3);
});

test("a slot moved out of a gap says so", async () => {
  expect(await preview("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", 2)).toEqual([
    line(
      "03-08 07:30",
      "03-08 03:30",
      "-04:00",
      "02:30 does not exist on 2026-03-08; moved to 03:30",
    ),
    line("03-09 06:30", "03-09 02:30", "-04:00"),
  ]);
  const [once] = await preview("at 2026-03-08T02:30", "America/New_York", "2026-01-01T00:00Z", 1);
  expect(once?.note).toBe("02:30 does not exist on 2026-03-08; moved to 03:30");
  const [lordHowe] = await preview("15 2 * * *", "Australia/Lord_Howe", "2026-10-03T14:00Z", 1);
  expect(lordHowe).toMatchObject({
    local: "10-04 02:45",
    note: "02:15 does not exist on 2026-10-04; moved to 02:45",
  });
});

test("a slot dropped in a gap is told by the one after it", async () => {
  const skip = { gap: "skip" };
  expect(await preview("30 2 * * *", "America/New_York", "2026-03-07T12:00Z", 2, skip)).toEqual([
    line("03-09 06:30", "03-09 02:30", "-04:00", "02:30 does not exist on 2026-03-08; skipped"),
    line("03-10 06:30", "03-10 02:30", "-04:00"),
  ]);
  expect(await preview("30 */2 * * *", "America/New_York", "2026-03-08T04:00Z", 3)).toEqual([
    line("03-08 05:30", "03-08 00:30", "-05:00"),
    line("03-08 08:30", "03-08 04:30", "-04:00", "02:30 does not exist on 2026-03-08; skipped"),
    line("03-08 10:30", "03-08 06:30", "-04:00"),
  ]);
});

test("a slot in a fold says what happens to the other one", async () => {
  const at = "2026-10-31T12:00Z";
  expect(await preview("30 1 * * *", "America/New_York", at, 2)).toEqual([
    line(
      "11-01 05:30",
      "11-01 01:30",
      "-04:00",
      "01:30 comes twice on 2026-11-01; fires the first time only",
    ),
    line("11-02 06:30", "11-02 01:30", "-05:00"),
  ]);
  expect(await preview("30 1 * * *", "America/New_York", at, 3, { fold: "both" })).toEqual([
    line(
      "11-01 05:30",
      "11-01 01:30",
      "-04:00",
      "01:30 comes twice on 2026-11-01; this is the first",
    ),
    line(
      "11-01 06:30",
      "11-01 01:30",
      "-05:00",
      "01:30 comes twice on 2026-11-01; this is the second",
    ),
    line("11-02 06:30", "11-02 01:30", "-05:00"),
  ]);
  const overGap = await preview("30 * * * *", "America/New_York", "2026-03-08T05:00Z", 4);
  expect(overGap.map(({ note }) => note)).toEqual([null, null, null, null]);
  const hourly = await preview("30 * * * *", "America/New_York", "2026-11-01T04:00Z", 4);
  expect(hourly.map(({ note }) => note)).toEqual([
    null,
    "01:30 comes twice on 2026-11-01; this is the first",
    "01:30 comes twice on 2026-11-01; this is the second",
    null,
  ]);
});

test("intervals have no notes: they know no wall clock", async () => {
  for (const schedule of ["every 30 minutes", "10 seconds", "every 1 day from 2026-03-07T02:30"]) {
    const lines = await preview(schedule, "America/New_York", "2026-03-08T06:59Z", 5);
    expect(lines.map(({ note }) => note)).toEqual([null, null, null, null, null]);
  }
});
