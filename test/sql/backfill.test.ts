import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { connect, type TestSql } from "../helpers/database.js";
import { declare, liveJobs, newDatabase, statuses } from "./decisions.js";
import {
  claim,
  complete,
  createUser,
  drain,
  fingerprint,
  fireDue,
  one,
  outcomesOf,
  refusal,
  ticksOf,
} from "./support.js";

interface Options {
  from?: string;
  to?: string;
  dryRun?: boolean;
  concurrency?: number | null;
  app?: string;
  actor?: string;
}
interface Result {
  id: string | null;
  dryRun: boolean;
  count: number;
  slots: string[];
}

async function backfill(sql: TestSql, id: string, options: Options = {}): Promise<Result> {
  const { from = "2026-03-02T05:30:00Z", to = "2026-03-02T10:00:00Z" } = options;
  const { dryRun = false, concurrency = 2, app = null, actor = null } = options;
  const row = await one(sql<{ result: Result }[]>`
    select carillon.backfill_cron(cron => ${id}, from_at => ${from}::text::timestamptz,
      to_at => ${to}::text::timestamptz, dry_run => ${dryRun}, concurrency => ${concurrency},
      app => ${app}, actor => ${actor}) as result`);
  return row.result;
}

const hours = ({ slots }: Result) => slots.map((slot) => new Date(slot).getUTCHours());
const open = (sql: TestSql, id: string) =>
  sql<{ slots: number; enqueued: number; finished_at: Date | null }[]>`
    select slots, enqueued, finished_at from carillon.list_backfills(cron => ${id})`;

/** An hourly cron; it is 10:00:30. */
const hourly = (sql: TestSql, fields: object = {}) =>
  declare(sql, "c", { schedule: "0 * * * *", ...fields });

describe("a dry run", () => {
  test("lists the slots of the range, both ends included, and changes nothing", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await hourly(sql);
    const before = await fingerprint(sql);
    const result = await backfill(sql, id, { from: "2026-03-02T07:00:00Z", dryRun: true });
    expect(result).toMatchObject({ id: null, dryRun: true, count: 4 });
    expect(hours(result)).toEqual([7, 8, 9, 10]);
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("a backfill", () => {
  test("enqueues oldest first, as many at a time as it may, while jobs finish", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await hourly(sql);
    expect(hours(await backfill(sql, id))).toEqual([6, 7, 8, 9, 10]);
    const running: number[] = [];
    for (let round = 0; (await liveJobs(sql)).length > 0; round += 1) {
      expect((await liveJobs(sql)).length).toBeLessThanOrEqual(2);
      const [job] = await claim(sql, "crm", 1);
      running.push(job!.scheduled_for!.getUTCHours());
      await complete(sql, [job!]);
      // Both that tick and that sweep go on with it.
      await sql.unsafe(round % 2 === 0 ? "select carillon.tick()" : "select carillon.sweep()");
    }
    expect(running).toEqual([6, 7, 8, 9, 10]);
    const ticks = await ticksOf(sql, id);
    expect(ticks.map((tick) => [tick.outcome, tick.driver, tick.reason])).toEqual(
      Array(5).fill(["caught_up", "backfill", "backfill"]),
    );
    expect(await open(sql, id)).toMatchObject([{ slots: 5, enqueued: 5 }]);
    expect((await open(sql, id))[0]?.finished_at).not.toBeNull();
    // Its jobs are the cron's, and say so.
    const job = await one(sql`select * from carillon.job_history order by job_id limit 1`);
    expect(job).toMatchObject({ cron_id: id, trigger: "automatic", payload: { cron_id: id } });
  });

  test("leaves slots alone that have a tick, whatever was decided, and those still to be decided", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await hourly(sql, { catchUpWindow: 3600 });
    await setClock(sql, "2026-03-02T13:30:00Z");
    await fireDue(sql);
    await setClock(sql, "2026-03-02T14:30:00Z"); // 14:00 is due and not decided
    const before = await ticksOf(sql, id);
    const result = await backfill(sql, id, { to: "2026-03-02T14:30:00Z", concurrency: 100 });
    expect(hours(result)).toEqual([6, 7, 8, 9, 10]);
    expect((await ticksOf(sql, id)).slice(5)).toEqual(before);
    await drain(sql, "crm");
    await fireDue(sql);
    expect((await outcomesOf(sql, id)).slice(5)).toEqual([
      "11:00 missed",
      "12:00 missed",
      "13:00 caught_up",
      "14:00 caught_up",
    ]);
    // Nothing is left to do, which is no error.
    expect(await backfill(sql, id)).toEqual({ id: null, dryRun: false, count: 0, slots: [] });
  });

  test("works on a paused cron, and does not resume it", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await hourly(sql, { enabled: false });
    expect((await backfill(sql, id)).count).toBe(5);
    const [cron] = await sql`select enabled, next_fire_at from carillon.crons`;
    expect(cron).toEqual({ enabled: false, next_fire_at: null });
  });

  test("of a cron whose owner may not is denied, slot by slot", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await hourly(sql);
    const ann = await createUser(sql, "ann", ["app:crm:cron.write"]);
    await sql`update carillon.crons set owner_id = ${ann}`;
    await sql`select carillon.set_principal_enabled(principal => ${ann}, enabled => false)`;
    await backfill(sql, id, { concurrency: 100 });
    const ticks = await ticksOf(sql, id);
    expect(ticks.map(({ outcome, reason }) => `${outcome}: ${reason}`)).toEqual(
      Array(5).fill("denied: the owner is disabled"),
    );
    expect(await liveJobs(sql)).toHaveLength(0);
  });

  test("ends with its cron, and an unknown cron has none", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await hourly(sql);
    await backfill(sql, id);
    await sql`select carillon.delete_cron(cron => ${id})`;
    await drain(sql, "crm");
    expect(await sql`select carillon._run_backfills()`).toEqual([{ _run_backfills: 0 }]);
    expect(await statuses(sql)).toEqual({ completed: 2 });
    expect(await refusal(backfill(sql, id))).toMatchObject({ code: "TK102" });
  });

  test("belongs to an app and an owner", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'other')`;
    const { id } = await hourly(sql);
    const eve = await createUser(sql, "eve", ["app:crm:cron.trigger"]);
    const before = await fingerprint(sql);
    expect(await refusal(backfill(sql, id, { app: "other" }))).toMatchObject({ code: "TK102" });
    expect(await refusal(backfill(sql, id, { actor: eve }))).toMatchObject({ code: "TK402" });
    expect(await fingerprint(sql)).toEqual(before);
  });
});

describe("the schedule goes on beside a backfill", () => {
  test.each(["skip", "buffer", "replace"])("under %s", async (overlapPolicy) => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await hourly(sql, { overlapPolicy });
    await backfill(sql, id, { concurrency: 2 });
    const [running] = await claim(sql, "crm", 1);
    await setClock(sql, "2026-03-02T11:00:00Z");
    await fireDue(sql);
    const own = one(sql<{ msg_id: number }[]>`
      select msg_id from pgmq.q_jobs where not headers ? 'backfill_id'`);
    const { msg_id: first } = await own;
    expect((await outcomesOf(sql, id)).slice(2)).toEqual(["11:00 enqueued"]);
    // Nor is a trigger that respects the policy held up by it, only by the schedule's own job.
    const trigger = sql`select carillon.trigger_cron(cron => ${id}, respect_overlap => true)`;
    if (overlapPolicy !== "replace") {
      expect((await refusal(trigger)).message).toContain(`(job ${first})`);
    }
    await setClock(sql, "2026-03-02T12:00:00Z");
    await fireDue(sql);
    const last = (await ticksOf(sql, id)).at(-1);
    expect(last).toMatchObject({
      outcome: overlapPolicy === "replace" ? "replaced" : "skipped",
      blocked_by: first,
    });
    // The backfill's jobs are as they were, the running one is still its worker's.
    const theirs = await sql`select from pgmq.q_jobs where headers ? 'backfill_id'`;
    expect(theirs).toHaveLength(2);
    expect(await complete(sql, [running!])).toHaveLength(1);
  });
});

test("bad input is refused by name", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const { id } = await declare(sql, "c");
  const before = await fingerprint(sql);
  const cases: [options: Options, field: string][] = [
    [{ from: "2026-03-02T10:00:00Z", to: "2026-03-02T09:00:00Z" }, "to"],
    [{ to: "2026-03-02T10:00:31Z" }, "to"],
    [{ to: "infinity" }, "to"],
    [{ from: "-infinity" }, "from"],
    [{ from: "2026-02-23T00:00:00Z" }, "to"], // 10,680 minutes
    [{ concurrency: 0 }, "concurrency"],
    [{ concurrency: 1001 }, "concurrency"],
    [{ concurrency: null }, "concurrency"],
  ];
  for (const [options, field] of cases) {
    const refused = await refusal(backfill(sql, id, options));
    expect(refused, JSON.stringify(options)).toMatchObject({ code: "TK001", field });
  }
  // Of a cron that fires rarely, the range may be as long as one likes.
  const rare = await declare(sql, "rare", { schedule: "0 0 1 1 *" });
  expect((await backfill(sql, rare.id, { from: "1990-06-01T00:00:00Z" })).count).toBe(36);
  expect(await fingerprint(sql)).not.toEqual(before);
});

test("the cap is 10,000 undecided slots", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const { id } = await declare(sql, "c");
  const from = new Date(Date.parse("2026-03-02T10:00:00Z") - 9_999 * 60_000).toISOString();
  expect((await backfill(sql, id, { from, dryRun: true })).count).toBe(10_000);
  const earlier = new Date(Date.parse(from) - 60_000).toISOString();
  expect(await refusal(backfill(sql, id, { from: earlier, dryRun: true }))).toMatchObject({
    message: "to must end the range within 10000 undecided slots",
  });
});

test("two backfills of the same slots enqueue each slot once, and neither fails", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const { id } = await hourly(sql);
  const ask = () => sql`
    insert into carillon.backfills (cron_id, from_at, to_at, concurrency, slots)
    values (${id}, '2026-03-02T06:00:00Z', '2026-03-02T10:00:00Z', 9,
      array(select generate_series('2026-03-02T06:00:00Z'::timestamptz, '2026-03-02T10:00:00Z', interval '1 hour')))`;
  await ask();
  const other = connect(db.url, 1);
  // One driver has enqueued all five and not committed; the second is asked for meanwhile.
  await other.begin(async (tx) => {
    expect(await tx`select carillon._run_backfills() as n`).toEqual([{ n: 5 }]);
    await ask();
    expect(await sql`select carillon._run_backfills() as n`).toEqual([{ n: 0 }]);
  });
  await other.end();
  await sql`select carillon.tick()`;
  expect(await outcomesOf(sql, id)).toHaveLength(5);
  expect(await liveJobs(sql)).toHaveLength(5);
  expect(await open(sql, id)).toMatchObject([{ enqueued: 5 }, { enqueued: 5 }]);
});

test("a hundred backfills that wait for their workers do not hold up another app's", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const { id } = await hourly(sql);
  for (let i = 0; i < 101; i += 1) {
    await sql`
      insert into carillon.backfills (cron_id, from_at, to_at, concurrency, slots, enqueued)
      select ${id}, '2026-01-01', '2026-01-02', 1, array['2026-01-01T01:00:00Z', '2026-01-01T02:00:00Z']::timestamptz[], 1`;
  }
  await sql`
    insert into pgmq.q_jobs (vt, message, headers)
    select now(), '{"app_id": "crm"}', jsonb_build_object('cron_id', ${id}::text, 'backfill_id', b.id) from carillon.backfills b`;
  await sql`select carillon.install_app(app => 'late')`;
  const late = await one(sql<{ id: string }[]>`
    select id from carillon.create_cron(app => 'late', name => 'c', schedule => '0 * * * *')`);
  await advanceClock(sql, "1 second");
  await backfill(sql, late.id, { concurrency: 1 });
  await drain(sql, "late");
  await sql`select carillon.tick()`;
  expect(await outcomesOf(sql, late.id)).toEqual(["06:00 caught_up", "07:00 caught_up"]);
});

test("whoever asks for a backfill leaves those of others alone", async () => {
  // Their rows would stay locked for as long as the asking transaction lasts.
  await using db = await newDatabase();
  const { sql } = db;
  const { id } = await hourly(sql);
  const other = await declare(sql, "other", { schedule: "0 * * * *" });
  await backfill(sql, other.id, { concurrency: 1 });
  await drain(sql, "crm");
  const asking = connect(db.url, 1);
  await asking.begin(async (tx) => {
    await backfill(tx as unknown as TestSql, id);
    await sql`select carillon.tick()`;
    expect(await outcomesOf(sql, other.id)).toEqual(["06:00 caught_up", "07:00 caught_up"]);
  });
  await asking.end();
});
