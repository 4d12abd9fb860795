import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { connect, type TestSql } from "../helpers/database.js";
import { declare, fail, liveJobs, minute, newDatabase, statuses } from "./decisions.js";
import {
  claim,
  complete,
  createCron,
  fingerprint,
  fireDue,
  one,
  outcomesOf,
  refusal,
  ticksOf,
} from "./support.js";

const trigger = async (sql: TestSql, id: string, respectOverlap = true) =>
  (
    await one(sql<{ job: number }[]>`
      select carillon.trigger_cron(cron => ${id}, respect_overlap => ${respectOverlap}) as job`)
  ).job;

describe("buffer", () => {
  test("lets one job run and one wait", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { overlapPolicy: "buffer" });
    await minute(sql); // the first waits
    await minute(sql); // so there is no second
    const running = await claim(sql, "crm", 10, 3600);
    expect(running).toHaveLength(1);
    await minute(sql); // one runs, one may wait
    await minute(sql);
    await complete(sql, running);
    await minute(sql); // the one that waits still does
    const ticks = await ticksOf(sql, id);
    expect(ticks.map(({ outcome, blocked_by }) => [outcome, blocked_by])).toEqual([
      ["enqueued", null],
      ["skipped", ticks[0]?.msg_id],
      ["enqueued", null],
      ["skipped", ticks[2]?.msg_id],
      ["skipped", ticks[2]?.msg_id],
    ]);
    expect(ticks[1]?.reason).toBe("a job of this cron is already waiting");
  });

  test("counts a job whose lease has run out as waiting again", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { overlapPolicy: "buffer" });
    await minute(sql);
    await claim(sql, "crm", 10, 30);
    await minute(sql);
    expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued", "10:02 skipped"]);
  });

  test("counts a job that its jitter still holds back as waiting", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { overlapPolicy: "buffer", jitter: 86_400 });
    await minute(sql);
    await minute(sql);
    expect(await outcomesOf(sql, id)).toEqual(["10:01 enqueued", "10:02 skipped"]);
  });
});

describe("replace", () => {
  test("cancels the job that waits, and says which gave way to which", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { overlapPolicy: "replace" });
    await minute(sql);
    await minute(sql);
    const [first, second] = await ticksOf(sql, id);
    expect(first).toMatchObject({ outcome: "enqueued", blocked_by: null });
    expect(second).toMatchObject({
      outcome: "replaced",
      blocked_by: first?.msg_id,
      reason: "the job before it was canceled",
    });
    expect(await liveJobs(sql)).toMatchObject([{ msg_id: second?.msg_id }]);
    const canceled = await one(sql`select * from carillon.job_history`);
    expect(canceled).toMatchObject({
      job_id: first?.msg_id,
      status: "canceled",
      cron_id: id,
      headers: { canceled: "replaced by the job of the slot 2026-03-02T10:02:00+00:00" },
    });
  });

  test("cancels the job that runs: its worker's lease is refused from then on", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await declare(sql, "c", { overlapPolicy: "replace" });
    await minute(sql);
    const jobs = await claim(sql, "crm", 10, 3600);
    const [job] = jobs;
    await minute(sql);
    const extended = await sql`
      select * from carillon.extend_leases(
        job_ids => ${[job!.job_id]}, attempts => ${[job!.attempt]}, lease_seconds => 30)`;
    expect(extended).toHaveLength(0);
    expect(await complete(sql, jobs)).toEqual([]);
    expect(await fail(sql, jobs)).toEqual([]);
    expect(await statuses(sql)).toEqual({ canceled: 1, queued: 1 });
  });

  test("cancels all there are, those triggered by hand included", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { overlapPolicy: "replace" });
    const other = await declare(sql, "other", { overlapPolicy: "queue" });
    await trigger(sql, id, false);
    await trigger(sql, id, false);
    await trigger(sql, other.id, false);
    await minute(sql);
    expect(await statuses(sql)).toEqual({ canceled: 2, queued: 3 });
    expect(await outcomesOf(sql, id)).toEqual(["10:01 replaced"]);
  });
});

describe("a backlog", () => {
  // Three slots were missed, all to be caught up, while a job is still there (or is not).
  const cases: [policy: string, live: string, outcomes: string[], jobs: Record<string, number>][] =
    [
      ["skip", "none", ["caught_up", "skipped", "skipped"], { queued: 1 }],
      ["skip", "running", ["skipped", "skipped", "skipped"], { running: 1 }],
      ["buffer", "none", ["caught_up", "skipped", "skipped"], { queued: 1 }],
      ["buffer", "running", ["caught_up", "skipped", "skipped"], { queued: 1, running: 1 }],
      ["buffer", "queued", ["skipped", "skipped", "skipped"], { queued: 1 }],
      ["queue", "running", ["caught_up", "caught_up", "caught_up"], { queued: 3, running: 1 }],
      ["replace", "none", ["caught_up", "replaced", "replaced"], { canceled: 2, queued: 1 }],
      ["replace", "running", ["replaced", "replaced", "replaced"], { canceled: 3, queued: 1 }],
    ];
  test.each(cases)("under %s with a job %s", async (policy, live, outcomes, jobs) => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", {
      schedule: "*/10 * * * *",
      overlapPolicy: policy,
      catchUp: "all",
    });
    if (live !== "none") await trigger(sql, id, false);
    if (live === "running") await claim(sql, "crm", 10, 36_000);
    await setClock(sql, "2026-03-02T10:35:00Z");
    await fireDue(sql);
    const ticks = await ticksOf(sql, id);
    expect(ticks.map(({ outcome }) => outcome)).toEqual(outcomes);
    expect(await statuses(sql)).toEqual(jobs);
  });
});

describe("a trigger by hand", () => {
  test("ignores the policy unless asked to respect it", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const { id } = await createCron(sql, "crm", "c");
    const first = await trigger(sql, id, false);
    await trigger(sql, id, false);
    const before = await fingerprint(sql);
    expect(await refusal(trigger(sql, id))).toMatchObject({
      code: "TK202",
      message: `a job of this cron is still queued or running (job ${first}), and its overlap policy is "skip"`,
    });
    expect(await fingerprint(sql)).toEqual(before);
    expect(await liveJobs(sql)).toHaveLength(2);
  });

  test("respects each policy as a slot does", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const buffer = await declare(sql, "b", { overlapPolicy: "buffer" });
    await trigger(sql, buffer.id);
    expect(await refusal(trigger(sql, buffer.id))).toMatchObject({ code: "TK202" });
    await claim(sql, "crm", 1, 3600);
    await trigger(sql, buffer.id);
    expect(await refusal(trigger(sql, buffer.id))).toMatchObject({ code: "TK202" });
    const replace = await declare(sql, "r", { overlapPolicy: "replace" });
    const first = await trigger(sql, replace.id);
    await trigger(sql, replace.id);
    const canceled = await one(sql<{ headers: object }[]>`
      select headers from carillon.job_history where job_id = ${first}`);
    expect(canceled.headers).toMatchObject({ canceled: "replaced by a job triggered by hand" });
    const queue = await declare(sql, "q", { overlapPolicy: "queue" });
    await trigger(sql, queue.id);
    await trigger(sql, queue.id);
    expect(await statuses(sql)).toEqual({ canceled: 1, queued: 4, running: 1 });
  });
});

describe("fifty sessions at once", () => {
  const SESSIONS = 50;

  /** Triggers and fires from fifty connections, while workers take and end jobs and the clock goes on. */
  async function storm(policy: string, respectOverlap = true) {
    const db = await newDatabase();
    const { sql } = db;
    const { id } = await declare(sql, "c", { schedule: "1 seconds", overlapPolicy: policy });
    // What a job's arrival finds, seen under the lock of the cron: who is there with it.
    await sql.unsafe(`
      create table public.seen (msg_id bigint, waiting integer, running integer);
      create function public.look() returns trigger language plpgsql as $$
      begin
        insert into public.seen
        select new.msg_id, count(*) filter (where not q.headers ? 'lease'), count(*) filter (where q.headers ? 'lease')
        from pgmq.q_jobs q where q.headers ->> 'cron_id' = '${id}';
        return null;
      end $$;
      create trigger look after insert on pgmq.q_jobs for each row execute function public.look()`);
    const pool = connect(db.url, SESSIONS);
    const codes: Record<string, number> = {};
    const attempt = async (statement: PromiseLike<unknown>) => {
      try {
        await statement;
      } catch (error) {
        const { code = "none" } = error as { code?: string };
        codes[code] = (codes[code] ?? 0) + 1;
      }
    };
    await Promise.all(Array.from({ length: SESSIONS }, () => pool`select pg_sleep(0.05)`));
    await Promise.all(
      Array.from({ length: SESSIONS }, async (_, lane) => {
        for (let step = 0; step < 6; step += 1) {
          if (lane % 5 === 0) await attempt(pool`select carillon.fire_due()`);
          else if (lane % 5 === 1) await attempt(pool`select carillon.tick()`);
          else if (lane === 2) await attempt(complete(pool, await claim(pool, "crm", 5, 3600)));
          else if (lane === 3) await attempt(claim(pool, "crm", 1, 3600));
          else if (lane === 4) await attempt(advanceClock(pool, "1 second"));
          else
            await attempt(
              pool`select carillon.trigger_cron(cron => ${id}, respect_overlap => ${respectOverlap})`,
            );
        }
      }),
    );
    await pool.end();
    const most = await one(sql<{ live: number; waiting: number; arrivals: number }[]>`
      select max(waiting + running) as live, max(waiting) as waiting, count(*) as arrivals from public.seen`);
    const ledger = await sql`
      select from carillon.ticks t left join carillon.jobs j on j.job_id = t.msg_id
      where t.msg_id is not null and j.job_id is null`;
    await db.drop();
    return { codes, most, orphans: ledger.length };
  }

  test("never make more than one job live under skip", async () => {
    const { codes, most, orphans } = await storm("skip");
    expect(Object.keys(codes)).toEqual(["TK202"]);
    expect(most.live).toBe(1);
    expect(orphans).toBe(0);
  });

  test("never make more than one job wait under buffer", async () => {
    const { codes, most, orphans } = await storm("buffer");
    expect(Object.keys(codes)).toEqual(["TK202"]);
    expect(most.waiting).toBe(1);
    expect(orphans).toBe(0);
  });

  test("leave one job live under replace, and never refuse", async () => {
    const { codes, most, orphans } = await storm("replace");
    expect(codes).toEqual({});
    expect(most.live).toBe(1);
    expect(most.arrivals).toBeGreaterThan(100);
    expect(orphans).toBe(0);
  });

  test("are all served under queue, and by triggers that do not ask", async () => {
    const asked = await storm("queue");
    expect(asked.codes).toEqual({});
    const unasked = await storm("skip", false);
    expect(unasked.codes).toEqual({});
    // 27 lanes trigger six times each, whatever is there.
    expect(asked.most.arrivals).toBeGreaterThanOrEqual(27 * 6);
    expect(unasked.most.arrivals).toBeGreaterThanOrEqual(27 * 6);
  });
});
