import { afterAll, beforeAll, expect, test } from "vitest";

import { createTestDatabase, type TestDatabase } from "../helpers/database.js";

let db: TestDatabase;

beforeAll(async () => {
  db = await createTestDatabase();
});
afterAll(() => db.drop());

test.each([
  ["1 seconds", "GMT", "Every second"],
  ["10 seconds", "America/New_York", "Every 10 seconds"],
  ["* * * * *", "America/New_York", "Every minute"],
  ["*/5 * * * *", "America/New_York", "Every 5 minutes"],
  ["0,30 * * * *", "GMT", "Every 30 minutes"],
  ["0 * * * *", "GMT", "Every hour"],
  ["15 * * * *", "GMT", "Every hour at :15"],
  ["15 * * * *", "Asia/Kolkata", "Every hour at :15, Asia/Kolkata time"],
  ["0 */2 * * *", "GMT", "Every 2 hours, GMT"],
  ["5 */6 * * *", "Europe/Berlin", "Every 6 hours at :05, Europe/Berlin time"],
  ["0 0 * * *", "GMT", "Every day at midnight GMT"],
  ["0 9 * * *", "GMT", "Every day at 09:00 GMT"],
  ["0 9 * * *", null, "Every day at 09:00 GMT"],
  ["0 9 * * *", "America/New_York", "Every day at 09:00, America/New_York time"],
  ["0 9,17 * * *", "UTC", "Every day at 09:00 and 17:00 UTC"],
  ["30 0,8,16 * * *", "GMT", "Every 8 hours at :30, GMT"],
  ["0 9 * * 1", "GMT", "Every Monday at 09:00 GMT"],
  ["0 9 * * 7", "GMT", "Every Sunday at 09:00 GMT"],
  ["0 9 * * 1-5", "GMT", "Every weekday (Monday to Friday) at 09:00 GMT"],
  ["0 9 * * 0,6", "GMT", "Every Saturday and Sunday at 09:00 GMT"],
  ["0 9 * * 1,3,5", "GMT", "Every Monday, Wednesday and Friday at 09:00 GMT"],
  ["0 0 1 * *", "GMT", "On day 1 of every month at midnight GMT"],
  ["0 0 1,15 * *", "GMT", "On days 1 and 15 of every month at midnight GMT"],
  ["0 0 1-7 * *", "GMT", "On days 1 to 7 of every month at midnight GMT"],
  ["30 18 $ * *", "GMT", "On the last day of every month at 18:30 GMT"],
  ["0 0 $ 2 *", "GMT", "On the last day of February at midnight GMT"],
  ["0 0 29 2 *", "GMT", "On day 29 of February at midnight GMT"],
  ["0 9 * 6-8 *", "GMT", "Every day in June to August at 09:00 GMT"],
  ["0 9 * 1 1", "GMT", "Every Monday in January at 09:00 GMT"],
  ["0 0 13 * 5", "GMT", "On day 13 of every month and on every Friday at midnight GMT"],
  ["0 0 13 1 5", "GMT", "On day 13 of January and on every Friday in January at midnight GMT"],
  ["0 0 13 * */5", "GMT", "On day 13 of every month, if it is Sunday or Friday, at midnight GMT"],
  ["0 0 1-31 * 5", "GMT", "Every day at midnight GMT"],
  [
    "*/15 9-17 * * 1-5",
    "Europe/Berlin",
    "Every 15 minutes of hours 9 to 17, every weekday (Monday to Friday), Europe/Berlin time",
  ],
  ["* 9 * * *", "GMT", "Every minute of hour 9, GMT"],
  ["7,22 * * * *", "GMT", "At minutes 7 and 22 of every hour"],
  ["7,22 9,10 * * *", "GMT", "At minutes 7 and 22 of hours 9 and 10, GMT"],
  ["0 9-17 * * *", "GMT", "Every hour from 9 to 17, GMT"],
  ["every 1 minute", "GMT", "Every minute"],
  ["every 90 minutes", "GMT", "Every 90 minutes"],
  ["every 1 hours", "GMT", "Every hour"],
  [
    "every 2 days from 2026-05-08T10:30",
    "Europe/London",
    "Every 2 days, counted from 2026-05-08 at 10:30, Europe/London time",
  ],
  [
    "every 2 days from 2026-05-08T10:30+02:00",
    "GMT",
    "Every 2 days, counted from 2026-05-08 at 10:30, UTC+02:00",
  ],
  ["at 2026-05-08T10:30", "GMT", "Once, on 2026-05-08 at 10:30 GMT"],
  [
    "at 2026-05-08T10:30",
    "America/New_York",
    "Once, on 2026-05-08 at 10:30, America/New_York time",
  ],
  ["at 2026-05-08T10:30:15Z", "America/New_York", "Once, on 2026-05-08 at 10:30:15 UTC"],
])("%s in %s", async (schedule, timezone, expected) => {
  const [row] = await db.sql<{ text: string }[]>`
    select carillon.describe_schedule(${schedule}, ${timezone}) as text`;
  expect(row?.text).toBe(expected);
});
