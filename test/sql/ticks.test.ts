import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { connect, createTestDatabase, type TestSql } from "../helpers/database.js";
import {
  claim,
  complete,
  createCron,
  createUser,
  type Cron,
  drain,
  fingerprint,
  fireDue,
  getCron,
  one,
  outcomesOf,
  refusal,
  ticksOf,
} from "./support.js";

/** A database whose clock stands at 10:00:30 on a Monday, with one app. */
async function newDatabase() {
  const db = await createTestDatabase();
  await setClock(db.sql, "2026-03-02T10:00:30Z");
  await db.sql`select carillon.install_app(app => 'crm')`;
  return db;
}

const liveJobs = (sql: TestSql) => sql<{ msg_id: number; message: unknown; headers: unknown }[]>`
  select msg_id, message, headers from pgmq.q_jobs order by msg_id`;

describe("a slot", () => {
  test("is decided once: one ledger row and one job that name each other", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await one(sql<Cron[]>`
      select * from carillon.create_cron(app => 'crm', name => 'c', schedule => '* * * * *',
        payload => '{"a": 1}', method => 'report')`);
    expect(await fireDue(sql)).toEqual({ fired: 0, failed: 0 });
    await advanceClock(sql, "30 seconds");
    expect(await fireDue(sql, "ticker")).toEqual({ fired: 1, failed: 0 });
    const before = await fingerprint(sql);
    expect(await fireDue(sql)).toEqual({ fired: 0, failed: 0 });
    expect(await fingerprint(sql)).toEqual(before);

    const jobs = await liveJobs(sql);
    expect(await ticksOf(sql, cron.id)).toMatchObject([
      {
        scheduled_for: new Date("2026-03-02T10:01:00Z"),
        outcome: "enqueued",
        reason: null,
        msg_id: jobs[0]?.msg_id,
        blocked_by: null,
        driver: "ticker",
        decided_at: new Date("2026-03-02T10:01:00Z"),
      },
    ]);
    expect(jobs).toMatchObject([
      {
        message: {
          app_id: "crm",
          payload: { a: 1, method: "report", cron_id: cron.id },
          user_id: cron.created_by,
        },
        headers: {
          trigger: "automatic",
          cron_id: cron.id,
          scheduled_for: "2026-03-02T10:01:00+00:00",
        },
      },
    ]);
    expect((await getCron(sql, cron.id)).next_fire_at).toEqual(new Date("2026-03-02T10:02:00Z"));
  });

  test("is decided by every driver alike, and by no other", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c");
    const drivers: ((step: number) => PromiseLike<unknown>)[] = [
      () => sql`select carillon.fire_beat(beat => 1)`,
      () => sql`select carillon.tick()`,
      () => sql`select carillon.sweep()`,
      () => sql`select carillon.fire_due()`,
    ];
    // The sweep has to be first to find anything: tick() sweeps only when nobody has for a minute.
    await sql`select carillon.sweep()`;
    for (const [step, drive] of drivers.entries()) {
      await drain(sql, "crm");
      // The sweep leaves what is due just now to the others, and takes what they missed.
      await setClock(sql, `2026-03-02T10:0${step + 1}:06Z`);
      await drive(step);
    }
    expect((await ticksOf(sql, id)).map((tick) => [tick.driver, tick.outcome])).toEqual([
      ["pg_cron", "enqueued"],
      ["ticker", "enqueued"],
      ["sweep", "enqueued"],
      ["api", "enqueued"],
    ]);
    for (const driver of ["", "cron", null]) {
      expect(await refusal(sql`select carillon.fire_due(driver => ${driver})`)).toMatchObject({
        code: "TK001",
        field: "driver",
      });
    }
  });

  test("of a paused cron is none", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c");
    await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => false)`;
    await advanceClock(sql, "5 minutes");
    expect(await fireDue(sql)).toEqual({ fired: 0, failed: 0 });
    expect(await ticksOf(sql, id)).toHaveLength(0);
  });
});

describe("overlap", () => {
  test("skip waits for the job to be finished, queued or running, and says which one", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c");
    const minute = async () => {
      await advanceClock(sql, "1 minute");
      await fireDue(sql);
    };
    await minute();
    await minute(); // queued
    const jobs = await claim(sql, "crm", 10, 3600);
    await minute(); // running
    expect(await complete(sql, jobs)).toHaveLength(1);
    await minute();
    const ticks = await ticksOf(sql, id);
    expect(ticks.map((tick) => tick.outcome)).toEqual([
      "enqueued",
      "skipped",
      "skipped",
      "enqueued",
    ]);
    expect(ticks[1]).toMatchObject({
      blocked_by: jobs[0]?.job_id,
      msg_id: null,
      reason: "a job of this cron is still queued or running",
    });
    expect(ticks[2]).toMatchObject({ blocked_by: jobs[0]?.job_id });
    expect(await liveJobs(sql)).toHaveLength(1);
  });

  test("skip also waits for a job triggered by hand", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c");
    await sql`select carillon.trigger_cron(cron => ${id})`;
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual(["10:01 skipped"]);
  });

  test("queue stacks", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await one(sql<Cron[]>`
      select * from carillon.create_cron(app => 'crm', name => 'c', schedule => '* * * * *',
        overlap_policy => 'queue')`);
    for (let minute = 0; minute < 3; minute += 1) {
      await advanceClock(sql, "1 minute");
      await fireDue(sql);
    }
    expect(await outcomesOf(sql, id)).toEqual([
      "10:01 enqueued",
      "10:02 enqueued",
      "10:03 enqueued",
    ]);
    expect(await liveJobs(sql)).toHaveLength(3);
  });

  test("is judged by the trusted header: a forged payload stops nobody's cron", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'rogue')`;
    const { id } = await createCron(sql, "crm", "victim");
    const forged = { cron_id: id };
    await sql`select carillon.enqueue_job(app => 'rogue', payload => ${sql.json(forged)})`;
    await sql`select carillon.enqueue_job(app => 'crm', payload => ${sql.json(forged)})`;
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued"]);
    const listed = await sql`select cron_id from carillon.list_jobs(app => 'rogue')`;
    expect(listed).toEqual([{ cron_id: null }]);
  });

  test("is judged by an index, however long the queue", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await createCron(sql, "crm", "c");
    await sql`
      insert into pgmq.q_jobs (vt, message, headers)
      select now(), '{"app_id": "crm", "payload": {}}', jsonb_build_object('cron_id', gen_random_uuid())
      from generate_series(1, 20000)`;
    await sql`analyze pgmq.q_jobs`;
    const plan = await sql`
      explain select q.msg_id
      from carillon.crons c, lateral (
        select q.msg_id from pgmq.q_jobs q where q.headers ->> 'cron_id' = c.id::text limit 1
      ) q`.values();
    expect(plan.flat().join("\n")).toContain("carillon_jobs_cron_idx");
  });

  test("reads only the jobs of the crons asked for, also when the queue was empty a moment ago", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const asking = connect(db.url, 1);
    const read = async () => {
      await asking`select pg_stat_force_next_flush()`;
      const row = await one(asking<{ n: number }[]>`
        select idx_tup_fetch + seq_tup_read as n from pg_stat_user_tables where relid = 'pgmq.q_jobs'::regclass`);
      return row.n;
    };
    const ask = () => asking`
      select b.msg_id
      from carillon._blockers_of(
        array(select (headers ->> 'cron_id')::uuid from test_ids limit 1000), array_fill('skip'::text, array[1000]), now()) b`;
    await sql`create table test_ids as
      select jsonb_build_object('cron_id', gen_random_uuid()) as headers from generate_series(1, 5000)`;
    await sql`vacuum analyze pgmq.q_jobs`;
    for (let n = 0; n < 8; n += 1) expect(await ask()).toHaveLength(0);
    await sql`
      insert into pgmq.q_jobs (vt, message, headers) select now(), '{"app_id": "crm"}', headers from test_ids`;
    const before = await read();
    expect(await ask()).toHaveLength(1000);
    expect((await read()) - before).toBe(1000);
    await asking.end();
  });

  test("is judged after an earlier decision of the same cron has been committed", async () => {
    // The race: a driver takes its snapshot, another decides slot 1 and commits, and the first then
    // locks the cron, finds slot 2 due, and must see slot 1's job. A row policy makes it wait in between.
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c", "1 seconds");
    const role = `racer_${db.name}`;
    await sql.unsafe(`
      create role ${role};
      grant usage on schema carillon, pgmq, test_clock to ${role};
      grant all on all tables in schema carillon, pgmq to ${role};
      grant all on all sequences in schema carillon, pgmq to ${role};
      grant execute on all functions in schema carillon to ${role};
      create function test_clock.hold() returns boolean language plpgsql volatile as
        'begin perform pg_advisory_xact_lock_shared(42); return true; end';
      alter table carillon.crons enable row level security;
      create policy hold on carillon.crons to ${role} using (test_clock.hold());`);
    const [gate, slow] = [connect(db.url, 1), connect(db.url, 1)];
    try {
      await gate`select pg_advisory_lock(42)`;
      await setClock(sql, "2026-03-02T10:00:32Z");
      await slow.unsafe(`set role ${role}`);
      const racing = slow`
        select decided, late from carillon._fire_batch(carillon.now(), 'ticker', 100)`.execute();
      await waiting(sql);
      // Meanwhile another driver, a second behind by its clock, decides slot 10:00:31.
      await sql`select carillon._fire_batch('2026-03-02T10:00:31Z', 'api', 100)`;
      await gate`select pg_advisory_unlock(42)`;
      await racing;
    } finally {
      await gate.end();
      await slow.end();
      await sql.unsafe(`drop owned by ${role}; drop role ${role}`);
    }
    expect((await ticksOf(sql, id)).map((tick) => tick.outcome)).toEqual(["enqueued", "skipped"]);
    expect(await liveJobs(sql)).toHaveLength(1);
  });
});

/** Waits until a statement of this database waits for an advisory lock. */
async function waiting(sql: TestSql): Promise<void> {
  for (;;) {
    const found = await sql`
      select from pg_stat_activity
      where datname = current_database() and wait_event_type = 'Lock' and wait_event = 'advisory'`;
    if (found.length > 0) return;
  }
}

describe("the owner", () => {
  async function ownedCron(sql: TestSql) {
    const owner = await createUser(sql, "ann", ["app:crm:cron.write"]);
    const cron = await one(sql<Cron[]>`
      select * from carillon.create_cron(app => 'crm', name => 'c', schedule => '* * * * *',
        actor => ${owner})`);
    return { owner, cron };
  }
  const minute = async (sql: TestSql) => {
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    await drain(sql, "crm");
  };

  test("who is gone, disabled or no longer permitted fires nothing: denied, with the reason", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { owner, cron } = await ownedCron(sql);
    await minute(sql);
    await sql`select carillon.set_principal_enabled(principal => ${owner}, enabled => false)`;
    await minute(sql);
    await sql`select carillon.set_principal_enabled(principal => ${owner}, enabled => true)`;
    await minute(sql);
    await sql`select carillon.update_role(name => 'ann', permissions => '{app:other:*}')`;
    await minute(sql);
    await sql`select carillon.update_role(name => 'ann', permissions => '{app:crm:*}')`;
    await minute(sql);
    await sql`select carillon.delete_principal(principal => ${owner})`;
    await minute(sql);
    const ticks = await ticksOf(sql, cron.id);
    expect(ticks.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ["enqueued", null],
      ["denied", "the owner is disabled"],
      ["enqueued", null],
      ["denied", "the owner no longer holds app:crm:cron.write"],
      ["enqueued", null],
      ["denied", "the owner is gone"],
    ]);
    expect((await getCron(sql, cron.id)).created_by).toBeNull();
  });

  test("is asked of a late slot, and of a trigger, too", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { owner, cron } = await ownedCron(sql);
    await sql`select carillon.set_principal_enabled(principal => ${owner}, enabled => false)`;
    const before = await fingerprint(sql);
    expect(await refusal(sql`select carillon.trigger_cron(cron => ${cron.id})`)).toMatchObject({
      code: "TK403",
      message: 'cron "c" may not run: the owner is disabled',
    });
    expect(await fingerprint(sql)).toEqual(before);
    await advanceClock(sql, "10 minutes");
    await fireDue(sql);
    const newest = (await ticksOf(sql, cron.id)).at(-1);
    expect(newest).toMatchObject({ outcome: "denied", reason: "the owner is disabled" });
    expect(await liveJobs(sql)).toHaveLength(0);
  });
});

describe("catching up", () => {
  test("one late slot gets its job", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c", "0 * * * *");
    await setClock(sql, "2026-03-02T11:20:00Z");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual(["11:00 caught_up"]);
    expect(await liveJobs(sql)).toMatchObject([
      { headers: { scheduled_for: "2026-03-02T11:00:00+00:00" } },
    ]);
  });

  test("of many missed slots the newest gets a job, the others are on record as missed", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c", "*/15 * * * *");
    await setClock(sql, "2026-03-02T12:05:00Z");
    await fireDue(sql);
    const ticks = await ticksOf(sql, id);
    expect(ticks.map(({ outcome, reason }) => [outcome, reason])).toEqual([
      ...Array<unknown>(4).fill([
        "missed",
        'nothing could fire within the catch-up window (catchUp "latest")',
      ]),
      ...Array<unknown>(3).fill(["missed", 'newer slots were due as well (catchUp "latest")']),
      ["caught_up", null],
    ]);
    expect(await liveJobs(sql)).toHaveLength(1);
    expect((await getCron(sql, id)).next_fire_at).toEqual(new Date("2026-03-02T12:15:00Z"));
  });

  test("beyond the window there is no job", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c", "0 11 * * *");
    await setClock(sql, "2026-03-02T12:00:00Z");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual(["11:00 missed"]);
    expect(await liveJobs(sql)).toHaveLength(0);
  });

  test("just inside the window, and just in time", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c", "0 11 * * *");
    await setClock(sql, "2026-03-02T11:59:59.999Z");
    await fireDue(sql);
    await drain(sql, "crm");
    await setClock(sql, "2026-03-03T11:00:59.999Z");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual(["11:00 caught_up", "11:00 enqueued"]);
  });

  test("a long outage is settled 5,000 slots at a time, and then the cron is back", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c");
    const punctual = await createCron(sql, "crm", "punctual", "0 9 * * *");
    // 10 days: 14,400 minutes.
    await setClock(sql, "2026-03-12T10:00:30Z");
    const counts: number[] = [];
    for (let wake = 0; wake < 4; wake += 1) {
      await fireDue(sql);
      const row = await one(sql<{ n: number }[]>`
        select count(*) as n from carillon.ticks where cron_id = ${id}`);
      counts.push(row.n);
    }
    expect(counts).toEqual([4999, 9998, 14_400, 14_400]);
    const outcomes = await sql`
      select outcome, count(*) as n from carillon.ticks where cron_id = ${id} group by 1 order by 1`;
    expect(outcomes).toEqual([
      { outcome: "enqueued", n: 1 },
      { outcome: "missed", n: 14_399 },
    ]);
    expect(await outcomesOf(sql, punctual.id)).toHaveLength(10);
    expect((await getCron(sql, id)).next_fire_at).toEqual(new Date("2026-03-12T10:01:00Z"));
  });

  test("with a job still live, skip holds for a late slot as well", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c");
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    await advanceClock(sql, "3 minutes");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual([
      "10:01 enqueued",
      "10:02 missed",
      "10:03 missed",
      "10:04 skipped",
    ]);
  });
});

describe("a cron whose decision raises", () => {
  test("is recorded as failed, and its neighbours fire", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const good = await createCron(sql, "crm", "good");
    const bad = await createCron(sql, "crm", "bad");
    // A zone this server does not know: what a restored dump may hold.
    await sql`update carillon.crons set timezone = 'Mars/Olympus' where id = ${bad.id}`;
    await advanceClock(sql, "1 minute");
    expect(await fireDue(sql)).toEqual({ fired: 1, failed: 1 });
    expect(await outcomesOf(sql, good.id)).toEqual(["10:01 enqueued"]);
    expect(await ticksOf(sql, bad.id)).toMatchObject([
      {
        outcome: "failed",
        reason: 'time zone "Mars/Olympus" is not known to this server',
        msg_id: null,
      },
    ]);
    await drain(sql, "crm");
    await advanceClock(sql, "1 minute");
    expect(await fireDue(sql)).toEqual({ fired: 1, failed: 0 });
    expect(await outcomesOf(sql, good.id)).toEqual(["10:01 enqueued", "10:02 enqueued"]);
    expect(await getCron(sql, bad.id)).toMatchObject({ enabled: true, next_fire_at: null });

    // The zone is there again: the sweep takes the cron back.
    await sql`update carillon.crons set timezone = 'GMT' where id = ${bad.id}`;
    await sql`select carillon.sweep()`;
    expect((await getCron(sql, bad.id)).next_fire_at).toEqual(new Date("2026-03-02T10:03:00Z"));
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    expect(await outcomesOf(sql, bad.id)).toEqual(["10:01 failed", "10:03 enqueued"]);
  });

  test("among many, and when it is late, stops no other", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`
      select carillon.create_cron(app => 'crm', name => 'c' || i, schedule => '* * * * *')
      from generate_series(1, 200) i`;
    await sql`
      update carillon.crons set timezone = 'Mars/Olympus' where name in ('c7', 'c100', 'c200')`;
    await advanceClock(sql, "5 minutes");
    expect(await fireDue(sql)).toEqual({ fired: 197, failed: 3 });
    const outcomes = await sql`
      select outcome, count(*) as n from carillon.ticks group by 1 order by 1`;
    expect(outcomes).toEqual(
      [
        { outcome: "caught_up", n: 0 },
        { outcome: "enqueued", n: 197 },
        { outcome: "failed", n: 3 },
        { outcome: "missed", n: 197 * 4 },
      ].filter(({ n }) => n > 0),
    );
  });

  test("because its slot is on record already is no failure", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c");
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
    // A clock that went back, or a row restored from a backup.
    await sql`update carillon.crons set next_fire_at = '2026-03-02T10:01:00Z' where id = ${id}`;
    expect(await fireDue(sql)).toEqual({ fired: 1, failed: 0 });
    expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued"]);
    expect(await liveJobs(sql)).toHaveLength(1);
    expect((await getCron(sql, id)).next_fire_at).toEqual(new Date("2026-03-02T10:02:00Z"));
  });
});

describe("bounds", () => {
  test("startsAt and endsAt are both slots, and the cron then is completed", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await one(sql<Cron[]>`
      select * from carillon.create_cron(app => 'crm', name => 'c', schedule => '* * * * *',
        starts_at => '2026-03-02T10:05:00Z', ends_at => '2026-03-02T10:06:00Z')`);
    expect((await getCron(sql, id)).next_fire_at).toEqual(new Date("2026-03-02T10:05:00Z"));
    for (let minute = 0; minute < 10; minute += 1) {
      await advanceClock(sql, "1 minute");
      await fireDue(sql);
      await drain(sql, "crm");
    }
    expect(await outcomesOf(sql, id)).toEqual(["10:05 enqueued", "10:06 enqueued"]);
    expect(await getCron(sql, id)).toMatchObject({
      enabled: true,
      next_fire_at: null,
      completed_at: new Date("2026-03-02T10:06:30Z"),
    });
    await sql`select carillon.update_cron(cron => ${id}, ends_at => '2026-03-02T11:00:00Z')`;
    expect(await getCron(sql, id)).toMatchObject({
      next_fire_at: new Date("2026-03-02T10:11:00Z"),
      completed_at: null,
    });
  });

  test("a once cron fires once, is completed, and stays listed", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "once", "at 2026-03-02T10:03:00Z");
    await advanceClock(sql, "5 minutes");
    await fireDue(sql);
    expect(await outcomesOf(sql, id)).toEqual(["10:03 caught_up"]);
    expect(await getCron(sql, id)).toMatchObject({
      enabled: true,
      next_fire_at: null,
      completed_at: new Date("2026-03-02T10:05:30Z"),
    });
    await sql`select carillon.sweep()`;
    await advanceClock(sql, "1 day");
    await sql`select carillon.sweep()`;
    expect(await outcomesOf(sql, id)).toEqual(["10:03 caught_up"]);
    const listed = await sql`select name from carillon.list_crons(app => 'crm')`;
    expect(listed).toEqual([{ name: "once" }]);
    // A new time makes it a new cron of the same id.
    await sql`select carillon.update_cron(cron => ${id}, schedule => 'at 2026-03-05T00:00:00Z')`;
    expect(await getCron(sql, id)).toMatchObject({
      next_fire_at: new Date("2026-03-05T00:00:00Z"),
      completed_at: null,
    });
  });

  test("a once cron in the past is completed from the start", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await createCron(sql, "crm", "past", "at 2020-01-01T00:00:00Z");
    expect(cron.next_fire_at).toBeNull();
    expect(cron.completed_at).toEqual(new Date("2026-03-02T10:00:30Z"));
    expect(await fireDue(sql)).toEqual({ fired: 0, failed: 0 });
  });
});

test("jitter delays a cron's jobs by the same time at every slot, within its bound", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  await sql`
    select carillon.create_cron(app => 'crm', name => 'j' || i, schedule => '* * * * *',
      overlap_policy => 'queue', jitter => 59)
    from generate_series(1, 100) i`;
  for (let minute = 0; minute < 2; minute += 1) {
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
  }
  const delays = await sql<{ low: number; high: number; distinct: number }[]>`
    select min(d) as low, max(d) as high, count(distinct d) as distinct
    from (
      select headers ->> 'cron_id' as cron,
        array_agg(distinct extract(epoch from vt - enqueued_at)::bigint) as delays
      from pgmq.q_jobs group by 1
    ) per_cron, unnest(delays) as d
    where cardinality(delays) = 1`;
  expect(delays[0]?.low).toBeGreaterThanOrEqual(0);
  expect(delays[0]?.high).toBeLessThanOrEqual(59);
  expect(delays[0]?.distinct).toBeGreaterThan(30);
  const unstable = await sql`
    select from pgmq.q_jobs group by headers ->> 'cron_id' having count(distinct vt - enqueued_at) <> 1`;
  expect(unstable).toHaveLength(0);
});

test("list_ticks gives the newest first, and refuses a limit out of range", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const { id } = await createCron(sql, "crm", "c");
  for (let minute = 0; minute < 3; minute += 1) {
    await advanceClock(sql, "1 minute");
    await fireDue(sql);
  }
  const rows = await sql`
    select scheduled_for from carillon.list_ticks(cron => ${id}, max_rows => 2)`;
  expect(rows.map((row) => (row.scheduled_for as Date).toISOString())).toEqual([
    "2026-03-02T10:03:00.000Z",
    "2026-03-02T10:02:00.000Z",
  ]);
  for (const limit of [0, -1, 501, null]) {
    expect(
      await refusal(sql`select carillon.list_ticks(cron => ${id}, max_rows => ${limit})`),
    ).toMatchObject({ code: "TK001", field: "limit" });
  }
});

test("the sweep makes the partitions of today and the days after, once", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  await sql`select carillon.sweep()`;
  const partitions = await sql`
    select to_regclass('carillon.ticks_20260304') is not null as ticks,
      to_regclass('carillon.job_history_20260304') is not null as history`;
  expect(partitions).toEqual([{ ticks: true, history: true }]);
  const made = await one(sql<{ n: number }[]>`select carillon._ensure_partitions() as n`);
  expect(made.n).toBe(0);
});

/** A database in which 2,501 crons are due: more than is decided at a time. */
async function storm() {
  const db = await newDatabase();
  const { sql } = db;
  const { id } = await createCron(sql, "crm", "c", "1 10 * * *");
  await sql`
    insert into carillon.crons
    select r.*
    from carillon.crons c, generate_series(1, 2500) n,
      jsonb_populate_record(c, jsonb_build_object('id', gen_random_uuid(), 'name', 'n' || n)) as r
    where c.id = ${id}`;
  await advanceClock(sql, "30 seconds");
  return db;
}

test("a tick decides a part of a storm, and says that there is more", async () => {
  await using db = await storm();
  const { sql } = db;
  const tick = async () =>
    (await one(sql<{ t: { fired: number; more?: boolean } }[]>`select carillon.tick() as t`)).t;
  expect(await tick()).toMatchObject({ fired: 2500, more: true });
  expect(await liveJobs(sql)).toHaveLength(2500);
  const last = await tick();
  expect(last).toMatchObject({ fired: 1 });
  expect(last.more).toBeUndefined();
  expect((await tick()).fired).toBe(0);
  expect(await liveJobs(sql)).toHaveLength(2501);
});

test("in a storm pg_cron leaves the rest to a ticker that is at work, and to nobody else", async () => {
  const fired = async (sql: TestSql) =>
    (await one(sql<{ t: { fired: number } }[]>`select carillon.fire_due('pg_cron') as t`)).t.fired;
  await using db = await storm();
  const other = connect(db.url, 1);
  await other.begin(async (tx) => {
    // As a ticker that has decided nothing yet.
    await tx`select pg_advisory_xact_lock(hashtextextended('carillon.tick', 0))`;
    expect(await fired(db.sql)).toBe(2500);
  });
  await other.end();
  await using alone = await storm();
  expect(await fired(alone.sql)).toBe(2501);
});

test("a tick leads alone, and sweeps when nobody has for a minute", async () => {
  await using db = await newDatabase();
  const { sql } = db;
  const other = connect(db.url, 1);
  await other.begin(async (tx) => {
    expect(await tx`select carillon.tick() as t`).toMatchObject([{ t: { leader: true } }]);
    expect(await sql`select carillon.tick() as t`).toMatchObject([{ t: { leader: false } }]);
  });
  const swept = () =>
    one(sql<{ value: string }[]>`
    select value from carillon.settings where key = 'swept_at'`);
  const first = await swept();
  // A little over a minute, so that pg_cron, where it lives, is there first.
  await advanceClock(sql, "74 seconds");
  await sql`select carillon.tick()`;
  expect(await swept()).toEqual(first);
  await advanceClock(sql, "2 seconds");
  await sql`select carillon.tick()`;
  expect(await swept()).not.toEqual(first);
  await other.end();
});

test("a tick with nothing due looks at no cron, however many there are and however often it comes", async () => {
  // A plan made for any time takes a third of all crons for due, and would look at each.
  await using db = await newDatabase();
  const { sql } = db;
  await createCron(sql, "crm", "c", "0 0 1 1 *");
  await sql`
    insert into carillon.crons (app_id, name, schedule, description, origin, owner_id, next_fire_at)
    select app_id, 'c' || i, schedule, description, origin, owner_id, next_fire_at + i * interval '1 second'
    from carillon.crons, generate_series(1, 20000) i`;
  await sql`analyze carillon.crons`;
  const other = connect(db.url, 1);
  const scanned = async () => {
    await other`select pg_stat_force_next_flush()`;
    const row = await one(other<{ n: number }[]>`
      select seq_tup_read as n from pg_stat_user_tables where relid = 'carillon.crons'::regclass`);
    return row.n;
  };
  await other`select carillon.tick()`;
  const before = await scanned();
  for (let tick = 0; tick < 20; tick += 1) await other`select carillon.tick()`;
  expect((await scanned()) - before).toBe(0);
  await other.end();
});
