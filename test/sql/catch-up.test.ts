import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { connect, type TestSql } from "../helpers/database.js";
import { ALL_ACCOUNTED, declare, liveJobs, newDatabase, patch, unaccounted } from "./decisions.js";
import { drain, fireDue, getCron, outcomesOf, sync, ticksOf } from "./support.js";

/** Outcomes of a cron's ledger, counted. */
async function counts(sql: TestSql, id: string): Promise<Record<string, number>> {
  const counted: Record<string, number> = {};
  for (const { outcome } of await ticksOf(sql, id)) counted[outcome] = (counted[outcome] ?? 0) + 1;
  return counted;
}

describe("after an outage of 50 minutes, a cron every five minutes", () => {
  // Down from 10:00:30 to 10:52: the slots 10:05 to 10:50. The last is two minutes late.
  const cases: [fields: object, outcomes: Record<string, number>, first: string | undefined][] = [
    [{}, { missed: 9, caught_up: 1 }, "10:50"],
    [{ catchUp: "none" }, { missed: 10 }, undefined],
    [{ catchUp: "all" }, { caught_up: 10 }, "10:05"],
    [{ catchUp: "all", catchUpMax: 3 }, { missed: 7, caught_up: 3 }, "10:40"],
    [{ catchUp: "all", catchUpMax: 10 }, { caught_up: 10 }, "10:05"],
    [{ catchUp: "all", catchUpWindow: 1200 }, { missed: 6, caught_up: 4 }, "10:35"],
    [{ catchUp: "all", catchUpWindow: 1200, catchUpMax: 2 }, { missed: 8, caught_up: 2 }, "10:45"],
    [{ catchUp: "all", catchUpWindow: 0 }, { missed: 10 }, undefined],
    [{ catchUpWindow: 119 }, { missed: 10 }, undefined],
    [{ catchUpWindow: 121 }, { missed: 9, caught_up: 1 }, "10:50"],
  ];
  test.each(cases)("with %j gives %j", async (fields, outcomes, first) => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", {
      schedule: "*/5 * * * *",
      overlapPolicy: "queue",
      ...fields,
    });
    await setClock(sql, "2026-03-02T10:52:00Z");
    await fireDue(sql);
    expect(await counts(sql, id)).toEqual(outcomes);
    const jobs = await liveJobs(sql);
    expect(jobs).toHaveLength(outcomes.caught_up ?? 0);
    expect((jobs[0]?.headers.scheduled_for as string | undefined)?.slice(11, 16)).toBe(first);
    expect(await unaccounted(sql, id, "2026-03-02T10:00:31Z", "2026-03-02T10:52:00Z")).toEqual(
      ALL_ACCOUNTED,
    );
    expect((await getCron(sql, id)).next_fire_at).toEqual(new Date("2026-03-02T10:55:00Z"));
  });
});

test("a slot that has just come due is no catching up, whatever the policy", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const ids = await Promise.all(
    ["latest", "all", "none"].map(
      async (catchUp) => (await declare(sql, catchUp, { catchUp, catchUpWindow: 0 })).id,
    ),
  );
  await setClock(sql, "2026-03-02T10:02:35Z"); // 10:01 was missed, 10:02 is 35 s old
  await fireDue(sql);
  for (const id of ids) {
    expect(await outcomesOf(sql, id)).toEqual(["10:01 missed", "10:02 enqueued"]);
  }
});

test("a slot whose wake found the cron locked is decided by the next one, a minute later", async () => {
  // Without catching up, too: the database was there all the time.
  await using db = await newDatabase();
  const { sql } = db;
  const { id } = await declare(sql, "c", { schedule: "5 10 * * *", catchUp: "none" });
  const editor = connect(db.url, 1);
  await setClock(sql, "2026-03-02T10:05:00.2Z");
  await editor.begin(async (tx) => {
    await tx`select from carillon._lock_cron(null, ${id})`;
    expect(await fireDue(sql, "pg_cron")).toEqual({ fired: 0, failed: 0 });
  });
  await editor.end();
  await setClock(sql, "2026-03-02T10:06:00.9Z");
  await sql`select carillon.sweep()`;
  expect(await outcomesOf(sql, id)).toEqual(["10:05 enqueued"]);
});

describe("before a change, what came due is decided by what was in force", () => {
  const settled = ["10:05 missed", "10:10 missed", "10:15 missed", "10:20 caught_up"];
  async function overdue() {
    const db = await newDatabase();
    const { id } = await declare(db.sql, "c", { schedule: "*/5 * * * *" });
    await setClock(db.sql, "2026-03-02T10:22:00Z");
    return { db, sql: db.sql, id };
  }

  test("of the schedule, and nothing of the past by the new one", async () => {
    const { db, sql, id } = await overdue();
    await using _ = db;
    await patch(sql, id, { schedule: "*/2 * * * *" });
    expect(await outcomesOf(sql, id)).toEqual(settled);
    await drain(sql, "crm");
    await advanceClock(sql, "2 minutes");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual([...settled, "10:24 enqueued"]);
  });

  test("of the time zone", async () => {
    const { db, sql, id } = await overdue();
    await using _ = db;
    await patch(sql, id, { timezone: "Asia/Kolkata" });
    expect(await outcomesOf(sql, id)).toEqual(settled);
  });

  test("of being enabled; and resuming catches nothing up", async () => {
    const { db, sql, id } = await overdue();
    await using _ = db;
    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => false)`;
    expect(await outcomesOf(sql, id)).toEqual(settled);
    await drain(sql, "crm");
    await advanceClock(sql, "30 minutes");
    await fireDue(sql);
    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`;
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual(settled);
    await setClock(sql, "2026-03-02T10:55:00Z");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual([...settled, "10:55 enqueued"]);
  });

  test("of a manifest", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sync(sql, "crm", [{ name: "m", schedule: "*/5 * * * *" }]);
    const [cron] = await sql<{ id: string }[]>`select id from carillon.crons`;
    await setClock(sql, "2026-03-02T10:22:00Z");
    await sync(sql, "crm", [{ name: "m", schedule: "0 0 1 1 *" }]);
    expect(await outcomesOf(sql, cron!.id)).toEqual(settled);
  });

  test("of nothing when only the payload changes: the drivers decide it", async () => {
    const { db, sql, id } = await overdue();
    await using _ = db;
    await patch(sql, id, { payload: { a: 1 } });
    expect(await outcomesOf(sql, id)).toEqual([]);
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual(settled);
  });
});

test("every slot of a long outage is accounted for, whatever the schedule and its policy", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const schedules = [
    "45 seconds",
    "*/7 * * * *",
    "30 */2 * * 1-5",
    "every 25 minutes",
    "0 0 $ * *",
  ];
  const ids: string[] = [];
  for (const [at, schedule] of schedules.entries()) {
    for (const catchUp of ["latest", "all", "none"]) {
      const name = `c${at}-${catchUp}`;
      const timezone = at % 2 === 0 ? "GMT" : "America/New_York";
      ids.push((await declare(sql, name, { schedule, timezone, catchUp, catchUpMax: 7 })).id);
    }
  }
  await setClock(sql, "2026-03-02T21:17:10Z");
  await sql`select carillon.sweep()`;
  await fireDue(sql);
  for (const id of ids) {
    expect(await unaccounted(sql, id, "2026-03-02T10:00:31Z", "2026-03-02T21:17:10Z")).toEqual(
      ALL_ACCOUNTED,
    );
  }
  expect((await sql`select from carillon.ticks`).length).toBeGreaterThan(3000);
});
