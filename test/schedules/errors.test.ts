import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { createTestDatabase, type TestDatabase } from "../helpers/database.js";
import { refusalOf } from "./sql.js";

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

const check = (schedule: string | null, timezone: string | null = "GMT") =>
  refusalOf(db.sql`select carillon.check_schedule(${schedule}, ${timezone})`);

/** schedule, what the message says, what the hint says */
const refused: [schedule: string, message: RegExp, hint: RegExp][] = [
  // Out of range, field by field.
  ["99 * * * *", /^minute "99" is out of range$/, /from 0 to 59/],
  ["60 * * * *", /^minute "60" is out of range$/, /from 0 to 59/],
  ["* 24 * * *", /^hour "24" is out of range$/, /from 0 to 23/],
  ["* * 0 * *", /^day-of-month "0" is out of range$/, /from 1 to 31/],
  ["* * 32 * *", /^day-of-month "32" is out of range$/, /from 1 to 31/],
  ["* * * 0 *", /^month "0" is out of range$/, /from 1 to 12/],
  ["* * * 13 *", /^month "13" is out of range$/, /from 1 to 12/],
  ["* * * * 8", /^day-of-week "8" is out of range$/, /from 0 to 7/],
  ["0-60 * * * *", /^minute "0-60" is out of range$/, /from 0 to 59/],
  ["1,2,61 * * * *", /^minute "61" is out of range$/, /from 0 to 59/],
  [
    "99999999999999999999 * * * *",
    /^minute "99999999999999999999" has too many digits$/,
    /0 to 59/,
  ],
  ["0 0 31-32/2 * *", /^day-of-month "31-32\/2" is out of range$/, /1 to 31/],
  // Steps.
  ["*/0 * * * *", /^minute "\*\/0" has a step of zero$/, /step of 1 or more/],
  ["0-30/0 * * * *", /^minute "0-30\/0" has a step of zero$/, /step of 1 or more/],
  ["5/10 * * * *", /^minute "5\/10" has a step on a single number$/, /5-59\/10/],
  ["0 0 * * 1/2", /^day-of-week "1\/2" has a step on a single number$/, /1-7\/2/],
  ["*/60 * * * *", /^minute "\*\/60" has a step larger than the field$/, /every 60 minutes/],
  ["0 */36 * * *", /^hour "\*\/36" has a step larger than the field$/, /every 36 hours/],
  ["*/ * * * *", /^minute "\*\/" is not a number, a range or a step$/, /\*\/5/],
  ["*/5/5 * * * *", /^minute "\*\/5\/5" is not a number/, /\*\/5/],
  // Ranges and lists.
  ["5-1 * * * *", /^minute "5-1" is a reversed range$/, /5-59,0-1/],
  ["0 22-4 * * *", /^hour "22-4" is a reversed range$/, /22-23,0-4/],
  ["0 0 * * 5-0", /^day-of-week "5-0" is a reversed range$/, /Sunday is also 7: 5-7/],
  ["1- * * * *", /^minute "1-" is not a number/, /from 0 to 59/],
  ["1-2-3 * * * *", /^minute "1-2-3" is not a number/, /from 0 to 59/],
  ["-5 * * * *", /^minute "-5" is a negative number$/, /from 0 to 59/],
  ["1,,2 * * * *", /^minute has an empty list element$/, /extra comma/],
  [",1 * * * *", /^minute has an empty list element$/, /extra comma/],
  ["1, * * * *", /^minute has an empty list element$/, /extra comma/],
  ["** * * * *", /^minute "\*\*" is not a number/, /from 0 to 59/],
  ["*5 * * * *", /^minute "\*5" is not a number/, /from 0 to 59/],
  ["*-5 * * * *", /^minute "\*-5" is not a number/, /from 0 to 59/],
  // Characters.
  ["0x10 * * * *", /^minute "0x10" is a hexadecimal number$/, /from 0 to 59/],
  ["1.5 * * * *", /^minute "1\.5" is not a whole number$/, /from 0 to 59/],
  ["0 0 * * MON", /^day-of-week "MON" is a name$/, /MON is 1/],
  ["0 0 * * mon-fri", /^day-of-week "mon-fri" is a name$/, /mon is 1/],
  ["0 0 1 JAN *", /^month "JAN" is a name$/, /JAN is 1\./],
  ["0 0 1 december *", /^month "december" is a name$/, /dec is 12/],
  ["0 0 L * *", /^day-of-month "L" contains/, /last day of the month is \$/],
  ["0 0 ? * 1", /^day-of-month "\?" contains/, /Use \*/],
  ["0 0 15W * *", /^day-of-month "15W" contains/, /from 1 to 31/],
  ["0 0 * * 1#2", /^day-of-week "1#2" contains/, /from 0 to 7/],
  ["0;1 * * * *", /^minute "0;1" contains/, /from 0 to 59/],
  ["٣ * * * *", /^minute "٣" contains/, /from 0 to 59/],
  ["0 9 * * *\n", /^day-of-week "\*\\\?" contains a control character$/, /one line/],
  ["0 9\n* * * *", /fields? instead of 5|control character/, /./],
  // $.
  ["0 0 $,15 * *", /^day-of-month "\$" ?|\$ must stand alone/, /only element/],
  ["0 0 1-$ * *", /^day-of-month "1-\$": \$ must stand alone$/, /only element/],
  ["$ 0 1 * *", /^minute "\$": \$ is allowed in day-of-month only$/, /from 0 to 59/],
  ["0 0 * * $", /^day-of-week "\$": \$ is allowed in day-of-month only$/, /from 0 to 7/],
  // The whole.
  ["", /^schedule is empty$/, /0 9 \* \* 1-5/],
  [" \t ", /^schedule is empty$/, /0 9 \* \* 1-5/],
  ["* * * *", /^schedule has 4 fields instead of 5$/, /minute, hour/],
  ["*", /^schedule has 1 field instead of 5$/, /minute, hour/],
  ["0 * * * * *", /^schedule has 6 fields instead of 5$/, /Remove the seconds field/],
  ["0 0 * * * * 2026", /^schedule has 7 fields instead of 5$/, /Remove the seconds field/],
  ["@daily", /^schedule "@daily" is a shortcut$/, /^Write 0 0 \* \* \*\.$/],
  ["@hourly", /is a shortcut$/, /^Write 0 \* \* \* \*\.$/],
  ["@weekly", /is a shortcut$/, /^Write 0 0 \* \* 0\.$/],
  ["@monthly", /is a shortcut$/, /^Write 0 0 1 \* \*\.$/],
  ["@yearly", /is a shortcut$/, /^Write 0 0 1 1 \*\.$/],
  ["@reboot", /is a shortcut$/, /five fields/],
  ["noon", /^schedule "noon" is not a schedule$/, /./],
  ["0 0 31 2 *", /^day-of-month "31" never comes in month "2"$/, /up to 29, \$/],
  ["30 2 30 2 *", /^day-of-month "30" never comes in month "2"$/, /up to 29/],
  ["0 0 31 4,6,9,11 *", /^day-of-month "31" never comes in month "4,6,9,11"$/, /up to 30/],
  ["0 0 31 2 */2", /^day-of-month "31" never comes in month "2"$/, /up to 29/],
  [`${"1,".repeat(120)}1 * * * *`, /^schedule is 249 characters long$/, /several crons/],
  // Seconds.
  ["0 seconds", /^interval "0" is out of range$/, /./],
  ["60 seconds", /^interval "60" is out of range$/, /every 1 minutes/],
  ["90 seconds", /^interval "90" is out of range$/, /rate form/],
  ["abc seconds", /^interval "abc" is not a whole number$/, /10 seconds/],
  ["1.5 seconds", /^interval "1\.5" is not a whole number$/, /10 seconds/],
  ["-1 seconds", /^interval "-1" is not a whole number$/, /10 seconds/],
  ["1 second", /^unit "second" is not known$/, /^Write 1 seconds\.$/],
  ["10 secs", /^unit "secs" is not known$/, /^Write 10 seconds\.$/],
  ["10 SECONDS", /is not in lower case$/, /./],
  ["5 minutes", /lacks the word every$/, /^Write every 5 minutes\.$/],
  // Rate.
  ["every", /^interval "" is not a whole number$/, /every 90 minutes/],
  ["every minute", /^interval "minute" is not a whole number$/, /every 90 minutes/],
  ["every 0 minutes", /^interval "0" is out of range$/, /1 or more/],
  ["every 1.5 hours", /^interval "1\.5" is not a whole number$/, /./],
  ["every -1 days", /^interval "-1" is not a whole number$/, /./],
  ["every 40000 days", /^interval "40000 days" is out of range$/, /100 years/],
  ["every 5", /^unit "" is not known$/, /minutes, hours or days/],
  ["every 5 fortnights", /^unit "fortnights" is not known$/, /minutes, hours or days/],
  ["every 2 weeks", /^unit "weeks" is not known$/, /every 14 days/],
  ["every 3 months", /^unit "months" is not known$/, /5-field form/],
  ["every 30 seconds", /^unit "seconds" is not known$/, /30 seconds/],
  ["every 5 minutess", /^unit "minutess" is not known$/, /./],
  ["every 5 minutes since 2026-05-08T10:30", /"since" is not expected/, /from 2026/],
  ["every 5 minutes from", /from takes exactly one time/, /from 2026/],
  ["every 5 minutes from 2026-05-08 10:30", /from takes exactly one time/, /T10:30/],
  ["every 5 minutes from noon", /^time "noon" is not a date and time$/, /2026-05-08T10:30/],
  ["Every 5 minutes", /is not in lower case$/, /Write every/],
  // Once.
  ["at", /at takes exactly one time/, /at 2026/],
  ["at 2026-05-08 10:30", /at takes exactly one time/, /T10:30/],
  ["at 10:30", /^time "10:30" is not a date and time$/, /2026-05-08T10:30/],
  ["at 2026-05-08", /^time "2026-05-08" is not a date and time$/, /2026-05-08T10:30/],
  ["at 2026-13-08T10:30", /month 13 is out of range$/, /01 to 12/],
  ["at 2026-02-29T10:30", /day 29 does not exist in that month$/, /01 to 28/],
  ["at 2026-05-00T10:30", /day 00 does not exist in that month$/, /01 to 31/],
  ["at 2026-05-08T24:00", /hour 24 is out of range$/, /00 to 23/],
  ["at 2026-05-08T10:60", /minute 60 is out of range$/, /00 to 59/],
  ["at 2026-05-08T10:30:60", /second 60 is out of range$/, /00 to 59/],
  ["at 2026-05-08T10:30+24:00", /offset \+24:00 is out of range$/, /23:59/],
  ["at 2026-05-08T10:30 Europe/London", /at takes exactly one time/, /./],
  ["at 1969-12-31T23:59", /year 1969 is out of range$/, /1970/],
];

describe("schedules", () => {
  test.each(refused)("%j is refused", async (schedule, message, hint) => {
    const refusal = await check(schedule);
    expect(refusal).toMatchObject({ code: "TK002", column: "schedule" });
    expect(refusal.message).toMatch(message);
    expect(refusal.hint).toMatch(hint);
    expect(refusal.detail).not.toBe("");
  });

  test("every way in refuses alike", async () => {
    const { sql } = db;
    const calls = [
      sql`select carillon.next_fire('99 * * * *', 'GMT', now())`,
      sql`select * from carillon.preview_schedule('99 * * * *', 'GMT', now(), 1)`,
      sql`select carillon.describe_schedule('99 * * * *', 'GMT')`,
      sql`select carillon.compile_schedule('99 * * * *', 'GMT', '1.6', now())`,
    ];
    for (const call of calls) {
      expect(await refusalOf(call)).toMatchObject({
        code: "TK002",
        message: 'minute "99" is out of range',
      });
    }
    expect(await check(null)).toMatchObject({ code: "TK002", message: "schedule is empty" });
  });

  test("hostile text is quoted harmlessly and refused at once", async () => {
    const started = performance.now();
    for (const text of ["*/".repeat(90), "1-".repeat(99), "(".repeat(200), "x".repeat(1_000_000)]) {
      expect((await check(text)).code).toBe("TK002");
    }
    const { message } = await check("\u001b[31m'; drop table x; -- * * * *");
    expect(message).not.toContain("\u001b");
    expect(performance.now() - started).toBeLessThan(2_000);
  });
});

describe("time zones", () => {
  test.each([
    "GMT",
    "UTC",
    "America/New_York",
    "america/new_york",
    "America/Argentina/Buenos_Aires",
    "America/Port-au-Prince",
    "US/Eastern",
    "Asia/Calcutta",
    "Asia/Kolkata",
    "Etc/GMT+12",
    "Etc/GMT-14",
    "Etc/UTC",
    "Antarctica/Troll",
    "Singapore",
    "NZ-CHAT",
    null,
  ])("%j is accepted", async (timezone) => {
    const rows = await db.sql`select carillon.check_schedule('* * * * *', ${timezone})`;
    expect(rows).toHaveLength(1);
  });

  test.each([
    ["", /^time zone is empty$/, /Europe\/London/],
    ["Foo/Bar", /^time zone "Foo\/Bar" is not known to this server$/, /spelling/],
    ["America/New_Yorc", /is not known to this server$/, /spelling/],
    ["EST", /^time zone "EST" is an abbreviation$/, /America\/New_York/],
    ["PST", /is an abbreviation$/, /America\/Los_Angeles/],
    ["CET", /is an abbreviation$/, /Europe\/Paris/],
    ["MSK", /is an abbreviation$/, /./],
    ["EST5EDT", /^time zone "EST5EDT" is a POSIX rule$/, /America\/New_York/],
    ["Foo/Bar7", /is a POSIX rule$/, /place/],
    ["America/New_York7", /is a POSIX rule$/, /place/],
    ["<UTC>-2", /is a POSIX rule$/, /place/],
    ["Etc/GMT+13", /is a POSIX rule$/, /place/],
    ["Etc/GMT-15", /is a POSIX rule$/, /place/],
    ["+02", /is an offset$/, /Etc\/GMT-2/],
    ["+02:00", /is an offset$/, /Etc\/GMT-2/],
    ["-5", /is an offset$/, /Etc\/GMT-2/],
    ["UTC+3", /is an offset$/, /Etc\/GMT-2/],
    ["posix/America/New_York", /not a name of the IANA database$/, /./],
    ["right/America/New_York", /not a name of the IANA database$/, /./],
    ["posixrules", /not a name of the IANA database$/, /./],
    ["localtime", /not a name of the IANA database$/, /./],
    ["Factory", /not a name of the IANA database$/, /./],
    ["../etc/passwd", /not a name of the IANA database$/, /./],
    [" Europe/London", /begins or ends with a blank$/, /./],
    ["Europe/London\n", /begins or ends with a blank$/, /./],
    ["Europe/".repeat(20), /^time zone is 140 characters long$/, /./],
  ])("%j is refused", async (timezone, message, hint) => {
    const refusal = await check("* * * * *", timezone);
    expect(refusal).toMatchObject({ code: "TK003", column: "timezone" });
    expect(refusal.message).toMatch(message);
    expect(refusal.hint).toMatch(hint);
    expect(refusal.detail).toContain("IANA");
    expect(
      (await refusalOf(db.sql`select carillon.next_fire('* * * * *', ${timezone}, now())`)).code,
    ).toBe("TK003");
  });
});

test("unknown overrides, counts, versions and jitters are invalid input", async () => {
  const { sql } = db;
  const cases = [
    [sql`select carillon.next_fire('* * * * *', 'GMT', now(), dst_gap => 'move')`, "dst"],
    [sql`select carillon.next_fire('* * * * *', 'GMT', now(), dst_fold => 'last')`, "dst"],
    [sql`select * from carillon.preview_schedule('* * * * *', 'GMT', now(), 0)`, "count"],
    [sql`select * from carillon.preview_schedule('* * * * *', 'GMT', now(), 1001)`, "count"],
    [sql`select * from carillon.preview_schedule('* * * * *', 'GMT', now(), null)`, "count"],
    [sql`select carillon.compile_schedule('* * * * *', 'GMT', 'new', now())`, "pg_cron_version"],
    [
      sql`select carillon.compile_schedule('* * * * *', 'GMT', '1.6', now(), jitter => -1)`,
      "jitter",
    ],
  ] as const;
  for (const [call, column] of cases) {
    expect(await refusalOf(call)).toMatchObject({ code: "TK001", column });
  }
});
