import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import type { TestSql } from "../helpers/database.js";
import {
  ALL_ACCOUNTED,
  breakCron,
  declare,
  fail,
  liveJobs,
  mendCron,
  minute,
  newDatabase,
  patch,
  unaccounted,
} from "./decisions.js";
import { claim, complete, drain, fireDue, one, outcomesOf, ticksOf } from "./support.js";

interface State {
  enabled: boolean;
  next_fire_at: Date | null;
  consecutive_failures: number;
  paused_at: Date | null;
  paused_by: string | null;
  pause_note: string | null;
}
const state = (sql: TestSql, id: string) =>
  one(sql<State[]>`select * from carillon.get_cron(cron => ${id})`);

/** One minute, and what is due runs and fails (or does what it is told). */
async function failing(sql: TestSql, end: typeof complete = fail) {
  await minute(sql);
  await end(sql, await claim(sql, "crm"));
}

const system = async (sql: TestSql) =>
  (await one(sql<{ id: string }[]>`select id from carillon.principals where kind = 'system'`)).id;

describe("jobs that fail in a row", () => {
  test("pause their cron at the limit, with the reason; its next slot is on record", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { maxConsecutiveFailures: 3 });
    const neighbour = await declare(sql, "n");
    for (let i = 1; i <= 3; i += 1) {
      await failing(sql);
      expect(await state(sql, id)).toMatchObject({ enabled: true, consecutive_failures: i });
    }
    await minute(sql);
    expect(await state(sql, id)).toMatchObject({
      enabled: false,
      next_fire_at: null,
      consecutive_failures: 3,
      pause_note: "3 jobs in a row failed",
      paused_by: await system(sql),
      paused_at: new Date("2026-03-02T10:04:30Z"),
    });
    expect((await ticksOf(sql, id)).at(-1)).toMatchObject({
      outcome: "skipped",
      reason: "paused: 3 jobs in a row failed",
      msg_id: null,
    });
    await minute(sql);
    expect(await outcomesOf(sql, id)).toHaveLength(4);
    // A cron without the limit goes on.
    expect((await state(sql, neighbour.id)).enabled).toBe(true);
  });

  test("pause it at the next sweep, too, before any slot comes", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { maxConsecutiveFailures: 1 });
    await failing(sql);
    await sql`select carillon.sweep()`;
    expect(await state(sql, id)).toMatchObject({
      enabled: false,
      pause_note: "1 jobs in a row failed",
    });
    expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued"]);
  });

  test("leave every slot of an outage on record when they pause it", async () => {
    for (const first of ["select carillon.sweep()", "select carillon.fire_due()"]) {
      await using db = await newDatabase();
      const { sql } = db;
      const { id } = await declare(sql, "c", { maxConsecutiveFailures: 1 });
      await failing(sql);
      await setClock(sql, "2026-03-02T10:20:10Z");
      await sql.unsafe(first);
      await fireDue(sql);
      expect(await state(sql, id)).toMatchObject({ enabled: false, next_fire_at: null });
      const range = ["2026-03-02T10:01:00Z", "2026-03-02T10:20:10Z"] as const;
      expect(await unaccounted(sql, id, ...range)).toEqual(ALL_ACCOUNTED);
      expect(await liveJobs(sql)).toHaveLength(0);
    }
  });

  test("are forgotten after a success", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { maxConsecutiveFailures: 2 });
    await failing(sql);
    await failing(sql, complete);
    expect(await state(sql, id)).toMatchObject({ consecutive_failures: 0 });
    await failing(sql);
    await minute(sql);
    expect(await state(sql, id)).toMatchObject({ enabled: true, consecutive_failures: 1 });
  });

  test("are counted by job, not by batch, and a success in the batch forgets them", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { overlapPolicy: "queue" });
    for (let i = 0; i < 6; i += 1) await minute(sql);
    await fail(sql, await claim(sql, "crm", 3));
    expect((await state(sql, id)).consecutive_failures).toBe(3);
    const [bad, good, worse] = await claim(sql, "crm", 3);
    const outcomes = [
      { job_id: bad!.job_id, attempt: 1, status: "failed", error: {} },
      { job_id: good!.job_id, attempt: 1, status: "completed" },
      { job_id: worse!.job_id, attempt: 1, status: "failed", error: {} },
    ];
    await sql`select carillon.finish_jobs(outcomes => ${sql.json(outcomes)})`;
    expect((await state(sql, id)).consecutive_failures).toBe(0);
  });

  test("count those triggered by hand, and not jobs that are no cron's", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { enabled: false });
    await sql`select carillon.trigger_cron(cron => ${id})`;
    await sql`select carillon.enqueue_job(app => 'crm')`;
    await fail(sql, await claim(sql, "crm"));
    expect((await state(sql, id)).consecutive_failures).toBe(1);
    expect(await sql`select from carillon.cron_failures`).toHaveLength(1);
  });

  test("do not count leases that were lost, nor jobs canceled or handed back", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { maxConsecutiveFailures: 1 });
    await minute(sql);
    for (let delivery = 1; delivery <= 5; delivery += 1) {
      const jobs = await claim(sql, "crm", 1, 10);
      expect(jobs).toMatchObject([{ attempt: delivery }]);
      await advanceClock(sql, "11 seconds");
    }
    // The worker comes back too late: its outcome counts for nothing.
    expect(await fail(sql, [{ job_id: 1, attempt: 4 }])).toEqual([]);
    await sql`select carillon.sweep()`;
    const buried = await one(sql`
      select status, error ->> 'name' as error from carillon.job_history`);
    expect(buried).toEqual({ status: "failed", error: "LeaseLost" });
    expect(await state(sql, id)).toMatchObject({ enabled: true, consecutive_failures: 0 });
  });

  test("do not stop triggers by hand; resuming starts from zero", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { maxConsecutiveFailures: 2 });
    for (let i = 0; i < 3; i += 1) await failing(sql);
    expect((await state(sql, id)).enabled).toBe(false);
    await sql`select carillon.trigger_cron(cron => ${id}, respect_overlap => true)`;
    expect(await liveJobs(sql)).toMatchObject([{ headers: { trigger: "manual" } }]);
    await fail(sql, await claim(sql, "crm"));
    expect((await state(sql, id)).consecutive_failures).toBe(3);

    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`;
    expect(await state(sql, id)).toMatchObject({
      enabled: true,
      consecutive_failures: 0,
      pause_note: null,
      paused_by: null,
      paused_at: null,
    });
    await failing(sql);
    await minute(sql);
    expect(await state(sql, id)).toMatchObject({ enabled: true, consecutive_failures: 1 });
  });

  test("pause it at once when the limit is lowered below them", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c");
    for (let i = 0; i < 2; i += 1) await failing(sql);
    await patch(sql, id, { maxConsecutiveFailures: 2 });
    await sql`select carillon.sweep()`;
    expect((await state(sql, id)).enabled).toBe(false);
  });
});

describe("a cron that raises", () => {
  async function broken(fields: object = {}) {
    const db = await newDatabase();
    const { sql } = db;
    const neighbours = await Promise.all(["a", "z"].map((name) => declare(sql, name)));
    const { id } = await declare(sql, "m", fields);
    await breakCron(sql, id);
    return { db, sql, id, neighbours };
  }

  test("is recorded with its error and tried at its next slot, while its neighbours fire", async () => {
    const { db, sql, id, neighbours } = await broken();
    await using _ = db;
    await minute(sql);
    await drain(sql, "crm");
    await minute(sql);
    await mendCron(sql);
    await minute(sql);
    const ticks = await ticksOf(sql, id);
    expect(ticks.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ["failed", "the disk of this cron is full"],
      ["failed", "the disk of this cron is full"],
      ["enqueued", null],
    ]);
    for (const neighbour of neighbours) {
      expect((await outcomesOf(sql, neighbour.id)).slice(0, 2)).toEqual([
        "10:01 enqueued",
        "10:02 enqueued",
      ]);
    }
  });

  test.each(["skip", "queue", "buffer", "replace"])(
    "under %s leaves no job and no half decision",
    async (overlapPolicy) => {
      const { db, sql, id } = await broken({ overlapPolicy, catchUp: "all" });
      await using _ = db;
      await advanceClock(sql, "3 minutes");
      expect(await fireDue(sql)).toEqual({ fired: 2, failed: 1 });
      const jobs = await liveJobs(sql);
      expect(jobs.filter(({ headers }) => headers.cron_id === id)).toEqual([]);
      // The slot at which it raised, and those after it: none is forgotten.
      expect(await outcomesOf(sql, id)).toEqual(["10:01 failed", "10:02 missed", "10:03 missed"]);
    },
  );

  test("ten times in a row is paused, with the error in its note", async () => {
    const { db, sql, id, neighbours } = await broken();
    await using _ = db;
    for (let slot = 1; slot <= 9; slot += 1) await minute(sql);
    expect((await state(sql, id)).enabled).toBe(true);
    await minute(sql);
    expect(await state(sql, id)).toMatchObject({
      enabled: false,
      pause_note: "its last 10 slots could not be decided: the disk of this cron is full",
      paused_by: await system(sql),
    });
    expect((await state(sql, neighbours[0]!.id)).enabled).toBe(true);
    await minute(sql);
    expect(await outcomesOf(sql, id)).toHaveLength(10);
    // Mended and resumed, it fires, and one more error does not pause it again.
    await mendCron(sql);
    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => true)`;
    await minute(sql);
    expect((await outcomesOf(sql, id)).at(-1)).toBe("10:12 enqueued");
    await breakCron(sql, id);
    await drain(sql, "crm");
    await minute(sql);
    expect((await state(sql, id)).enabled).toBe(true);
  });

  test("ten times, with slots missed in between, is paused as well", async () => {
    const { db, sql, id } = await broken();
    await using _ = db;
    for (let slot = 1; slot <= 10; slot += 1) {
      await advanceClock(sql, "3 minutes");
      await fireDue(sql);
    }
    expect((await state(sql, id)).enabled).toBe(false);
    const range = ["2026-03-02T10:00:31Z", "2026-03-02T10:30:30Z"] as const;
    expect(await unaccounted(sql, id, ...range)).toEqual(ALL_ACCOUNTED);
  });

  test("does not keep the sweep from its other work", async () => {
    const { db, sql, id } = await broken();
    await using _ = db;
    const lost = await declare(sql, "lost");
    await sql`update carillon.crons set timezone = 'Mars/Olympus' where id = ${lost.id}`;
    await advanceClock(sql, "1 minute");
    const swept = await one(sql`select carillon.sweep() as result`);
    expect(swept.result).toMatchObject({ swept: true, fired: 2, failed: 2 });
    expect(await outcomesOf(sql, id)).toEqual(["10:01 failed"]);
    expect(await outcomesOf(sql, lost.id)).toEqual(["10:01 failed"]);
    await advanceClock(sql, "1 minute");
    expect((await one(sql`select carillon.tick() as result`)).result).toMatchObject({
      leader: true,
    });
    expect((await one(sql`select carillon.sweep() as result`)).result).toMatchObject({
      swept: true,
    });
  });
});
