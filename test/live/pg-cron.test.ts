import { fork } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";

import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";

import { install } from "../../src/deploy/install.js";
import type { TestSql } from "../helpers/database.js";
import { startCronEngine, type CronEngine } from "../helpers/engine.js";
import { createCron, type Cron, getCron, one, sync } from "../sql/support.js";

/*
 * Real pg_cron by the real clock. Where pg_cron knows seconds nothing else drives; where it does
 * not (before 1.5), the worker's ticker drives what pg_cron cannot. One wait for the next minute.
 */

const { pgCron } = inject("server");
const knowsSeconds = pgCron !== null && !/^1\.[0-4]\b/.test(pgCron);

const WORKER = fileURLToPath(new URL("worker.mjs", import.meta.url));
const MINUTE = { timeout: 110_000 };

interface Run {
  runid: number;
  job_pid: number | null;
  status: string;
  start_time: Date;
  end_time: Date | null;
  outcome: string | null;
  scheduled_for: Date | null;
  msg_id: number | null;
}

const listRuns = (sql: TestSql, cron: string) => sql<Run[]>`
  select * from carillon.list_runs(cron => ${cron}, max_rows => 500)`;

/** Asks until the answer is not undefined. */
async function until<T>(ask: () => Promise<T | undefined>): Promise<T> {
  for (;;) {
    const answer = await ask();
    if (answer !== undefined) return answer;
    await sleep(100);
  }
}

/** The jobs of Carillon in pg_cron, by name. */
const cronJobs = (sql: TestSql) => sql<{ jobid: number; name: string; schedule: string }[]>`
  select jobid, jobname as name, schedule from cron.job where jobname like 'carillon%' order by 2, 1`;

const cronNamed = (sql: TestSql, app: string, name: string) =>
  one(sql<Cron[]>`select * from carillon.list_crons(app => ${app}) where name = ${name}`);

describe.skipIf(pgCron === null).concurrent("by the real clock", () => {
  let live: CronEngine;
  let stopWorker: () => Promise<unknown> = () => Promise.resolve();

  beforeAll(async () => {
    live = await startCronEngine();
    await sync(live.sql, "demo", [
      { name: "minute", schedule: "* * * * *", payload: { a: 1 }, overlapPolicy: "queue" },
      { name: "quick", schedule: "2 seconds", overlapPolicy: "queue" },
    ]);
    const worker = fork(WORKER, [], {
      stdio: ["ignore", "inherit", "ignore", "ipc"],
      env: {
        ...process.env,
        DATABASE_URL: live.url,
        CARILLON_APP: "demo",
        CARILLON_TICKER: knowsSeconds ? "off" : "on",
      },
    });
    stopWorker = () => {
      const gone = once(worker, "exit");
      worker.disconnect();
      return gone;
    };
    await once(worker, "message");
  });
  afterAll(async () => {
    await stopWorker();
    await live[Symbol.asyncDispose]();
  });

  test(
    "a cron at * * * * * fires, reaches a worker in another process, and is in its runs",
    MINUTE,
    async () => {
      const { sql } = live;
      const cron = await cronNamed(sql, "demo", "minute");
      const run = await until(async () =>
        (await listRuns(sql, cron.id)).find(
          (it) => it.status === "succeeded" && it.outcome === "enqueued",
        ),
      );
      expect(run.scheduled_for?.getUTCSeconds()).toBe(0);
      expect(run.start_time.getTime() - run.scheduled_for!.getTime()).toBeLessThan(5000);
      const job = await until(async () => {
        const [found] = await sql`select * from carillon.job_history where job_id = ${run.msg_id}`;
        return found;
      });
      expect(job).toMatchObject({
        app_id: "demo",
        cron_id: cron.id,
        scheduled_for: run.scheduled_for,
        trigger: "automatic",
        status: "completed",
        attempt: 1,
        result: { payload: { a: 1, cron_id: cron.id }, slot: run.scheduled_for?.toISOString() },
      });
      expect(job.result).not.toMatchObject({ pid: process.pid });
      // The sweep wakes at the same moment, and may come first.
      const [tick] = await sql`select driver from carillon.ticks where msg_id = ${run.msg_id}`;
      expect(["pg_cron", "sweep", ...(knowsSeconds ? [] : ["ticker"])]).toContain(tick?.driver);
      const [job_] = await sql`select command from cron.job where jobid = ${cron.pg_job_id}`;
      expect(job_?.command).toMatch(/^select carillon\.fire_beat\(\d+\)$/);
    },
  );

  test("a cron at 2 seconds fires at each even second, once", MINUTE, async () => {
    const { sql } = live;
    const cron = await cronNamed(sql, "demo", "quick");
    expect(cron.pg_job_id === null).toBe(!knowsSeconds);
    const jobs = await until(async () => {
      const found = await sql`
        select j.scheduled_for, j.status, t.driver, t.decided_at
        from carillon.job_history j join carillon.ticks t on t.msg_id = j.job_id
        where j.cron_id = ${cron.id} order by 1`;
      return found.length >= 4 ? found : undefined;
    });
    for (const job of jobs) {
      expect((job.scheduled_for as Date).getTime() % 2000).toBe(0);
      expect(job.status).toBe("completed");
      expect([knowsSeconds ? "pg_cron" : "ticker", "sweep"]).toContain(job.driver);
    }
    const slots = jobs.map((job) => (job.scheduled_for as Date).getTime());
    expect(new Set(slots).size).toBe(slots.length);
    if (!knowsSeconds) return;
    // pg_cron wakes it every second; a slot is one run's, and a wake between slots has none.
    const runs = (await listRuns(sql, cron.id)).filter((run) => run.status === "succeeded");
    const credited = runs.flatMap((run) =>
      run.scheduled_for ? [run.scheduled_for.getTime()] : [],
    );
    expect(credited.length).toBeGreaterThanOrEqual(3);
    expect(new Set(credited).size).toBe(credited.length);
    expect(runs.some((run) => run.outcome === null)).toBe(true);
    for (const { scheduled_for, start_time, msg_id } of runs) {
      if (!scheduled_for) continue;
      expect(start_time.getTime()).toBeGreaterThanOrEqual(scheduled_for.getTime());
      expect(slots.includes(scheduled_for.getTime()) || msg_id !== null).toBe(true);
    }
  });

  test(
    "edited, disabled and enabled twenty times, a cron still shows every run it had",
    MINUTE,
    async () => {
      const { sql } = live;
      await sql`select carillon.install_app(app => 'edits')`;
      const quick = knowsSeconds ? "1 seconds" : "* * * * *";
      const { id } = await createCron(sql, "edits", "edited", quick);
      const seen = new Set<number>();
      const look = async () => {
        const now = new Set((await listRuns(sql, id)).map((run) => run.runid));
        expect([...seen].filter((runid) => !now.has(runid))).toEqual([]);
        const more = now.size > seen.size;
        now.forEach((runid) => seen.add(runid));
        return more || undefined;
      };
      for (let round = 1; round <= 20; round += 1) {
        if (round % 4 === 1 && (knowsSeconds || round === 17)) await until(look);
        const off = await one(sql<Cron[]>`
        select * from carillon.set_cron_enabled(cron => ${id}, enabled => false)`);
        expect(off.pg_job_id).toBeNull();
        const schedule = round % 2 === 0 ? quick : "*/2 * * * *";
        await sql`select carillon.update_cron(cron => ${id}, schedule => ${schedule})`;
        const on = await one(sql<Cron[]>`
        select * from carillon.set_cron_enabled(cron => ${id}, enabled => true)`);
        expect(on.pg_job_id).not.toBeNull();
        await look();
      }
      expect(seen.size).toBeGreaterThan(0);
      // What the beat does without this cron is not this cron's.
      await sql`select carillon.set_cron_enabled(cron => ${id}, enabled => false)`;
      await look();
      const frozen = seen.size;
      if (knowsSeconds) {
        const other = await createCron(sql, "edits", "other", quick);
        await until(async () => (await listRuns(sql, other.id)).length >= 2 || undefined);
        await look();
        expect(seen.size - frozen).toBeLessThanOrEqual(1);
      }
    },
  );
});

describe.skipIf(pgCron === null)("what pg_cron is told", () => {
  let live: CronEngine;
  let sql: TestSql;
  let unique = 0;
  // A minute of the year that no test lives to see.
  const schedule = () => `${(unique += 1) % 60} 3 ${1 + ((new Date().getUTCDate() + 13) % 28)} 1 *`;
  const newApp = async () => {
    const app = `app${(unique += 1)}`;
    await sql`select carillon.install_app(app => ${app})`;
    return app;
  };

  beforeAll(async () => {
    live = await startCronEngine();
    sql = live.sql;
  });
  afterAll(() => live[Symbol.asyncDispose]());

  /** Sweeps; waits where pg_cron's own sweep is at it. */
  const sweep = () =>
    until(async () => {
      const [row] = await sql<{ s: { swept: boolean } }[]>`select carillon.sweep() as s`;
      return row?.s.swept === true ? true : undefined;
    });

  const jobOf = async (cron: Cron) => {
    const [job] = await sql`select * from cron.job where jobid = ${cron.pg_job_id}`;
    return job;
  };

  test("crons with the same schedule share one job, which goes with the last of them", async () => {
    const app = await newApp();
    const expression = schedule();
    const before = await cronJobs(sql);
    const a = await createCron(sql, app, "a", expression);
    const b = await createCron(sql, app, "b", expression);
    expect(a.pg_job_id).not.toBeNull();
    expect(b.pg_job_id).toBe(a.pg_job_id);
    expect(await jobOf(a)).toMatchObject({ schedule: expression, active: true });
    expect(await cronJobs(sql)).toHaveLength(before.length + 1);
    await sql`select carillon.delete_cron(cron => ${a.id})`;
    expect((await getCron(sql, b.id)).pg_job_id).toBe(a.pg_job_id);
    const off = await one(sql<Cron[]>`
      select * from carillon.set_cron_enabled(cron => ${b.id}, enabled => false)`);
    expect(off.pg_job_id).toBeNull();
    expect(await cronJobs(sql)).toEqual(before);
  });

  test("a change that leaves the schedule leaves the job", async () => {
    const app = await newApp();
    const cron = await createCron(sql, app, "c", schedule());
    const jobs = await cronJobs(sql);
    await sql`
      select carillon.patch_cron(cron => ${cron.id},
        patch => '{"name": "d", "payload": {"x": 1}, "overlapPolicy": "queue", "jitter": 3}')`;
    expect((await getCron(sql, cron.id)).pg_job_id).toBe(cron.pg_job_id);
    expect(await cronJobs(sql)).toEqual(jobs);
  });

  test("seconds have a beat where pg_cron knows them, and none where it does not", async () => {
    const app = await newApp();
    const cron = await createCron(sql, app, "c", "30 seconds");
    if (!knowsSeconds) {
      expect(cron.pg_job_id).toBeNull();
      return;
    }
    expect(await jobOf(cron)).toMatchObject({ schedule: "1 seconds" });
    await sql`select carillon.delete_cron(cron => ${cron.id})`;
  });

  test("a cron that is completed is taken off its beat by the sweep", async () => {
    const app = await newApp();
    const cron = await createCron(sql, app, "once", "at 2099-01-01T00:00:00Z");
    expect(cron.pg_job_id).not.toBeNull();
    // As after its slot: deciding it does not touch beats.
    await sql`
      update carillon.crons set next_fire_at = null, completed_at = now() where id = ${cron.id}`;
    await sweep();
    expect((await getCron(sql, cron.id)).pg_job_id).toBeNull();
    expect(await jobOf(cron)).toBeUndefined();
  });

  test("a cron that no longer can be computed keeps no other from its beat", async () => {
    const app = await newApp();
    const cron = await createCron(sql, app, "bad", schedule());
    await sql`update carillon.crons set timezone = 'Mars/Olympus' where id = ${cron.id}`;
    await install(live.url);
    await sql`select carillon.disable_pg_cron()`;
    await sql`select carillon.enable_pg_cron()`;
    const good = await createCron(sql, app, "good", schedule());
    expect(good.pg_job_id).not.toBeNull();
    await sql`select carillon.delete_cron(cron => ${cron.id})`;
  });

  const damages: [string, (job: number) => PromiseLike<unknown>][] = [
    ["removed", (job) => sql`select cron.unschedule(${job}::bigint)`],
    ["deleted", (job) => sql`delete from cron.job where jobid = ${job}`],
    ["made inactive", (job) => sql`update cron.job set active = false where jobid = ${job}`],
    ["rescheduled", (job) => sql`update cron.job set schedule = '1 1 1 1 *' where jobid = ${job}`],
    [
      "given a command",
      (job) => sql`update cron.job set command = 'select 1' where jobid = ${job}`,
    ],
    ["renamed", (job) => sql`update cron.job set jobname = 'mine ' || jobid where jobid = ${job}`],
    ["moved", (job) => sql`update cron.job set database = 'postgres' where jobid = ${job}`],
  ];
  test.each(damages)(
    "a job that somebody %s is mended by the sweep, the sweep's own too",
    async (_what, damage) => {
      const app = await newApp();
      const cron = await createCron(sql, app, "c", schedule());
      const healthy = async () =>
        (await cronJobs(sql)).map(({ name, schedule }) => [name, schedule]);
      const before = await healthy();
      await damage(cron.pg_job_id!);
      const [own] = await sql`select jobid from cron.job where jobname = 'carillon sweep'`;
      await damage(own!.jobid as number);
      await sweep();
      expect(await healthy()).toEqual(before);
      const [state] = await sql`
      select count(*) as n, bool_and(active and database = current_database()) as sound
      from cron.job where jobname like 'carillon%' or command like '%carillon%'`;
      expect(state).toEqual({ n: before.length, sound: true });
      const mended = await getCron(sql, cron.id);
      expect(await jobOf(mended)).toMatchObject({ schedule: cron.schedule, active: true });
      await sql`select carillon.delete_cron(cron => ${cron.id})`;
      expect(
        await sql`select from cron.job where command = 'select 1' and jobname like 'carillon%'`,
      ).toHaveLength(0);
    },
  );

  test("a job that no beat knows is removed, and somebody else's is left alone", async () => {
    await sql`select cron.schedule('carillon beat 999999', '1 1 1 1 *', 'select carillon.fire_beat(999999)')`;
    await sql`select cron.schedule('nightly vacuum', '1 1 1 1 *', 'vacuum')`;
    await sweep();
    const left = await sql`
      select jobname from cron.job where jobname in ('carillon beat 999999', 'nightly vacuum')`;
    expect(left).toEqual([{ jobname: "nightly vacuum" }]);
    await sql`select cron.unschedule('nightly vacuum')`;
  });

  test("deploying again, and again, changes nothing in cron.job", async () => {
    const app = await newApp();
    await createCron(sql, app, "c", schedule());
    const jobs = () => sql`select xmin::text, * from cron.job order by jobid`;
    const before = await jobs();
    for (let deploy = 0; deploy < 3; deploy += 1) {
      expect(await install(live.url)).toEqual({
        applied: [],
        pgCron: expect.any(String) as string,
      });
    }
    expect(await jobs()).toEqual(before);
  });

  test("uninstalling an app takes all of its crons out of pg_cron", async () => {
    const before = await cronJobs(sql);
    const app = await newApp();
    for (const name of ["a", "b", "c"]) await createCron(sql, app, name, schedule());
    expect(await cronJobs(sql)).toHaveLength(before.length + 3);
    await sql`select carillon.uninstall_app(app => ${app})`;
    expect(await cronJobs(sql)).toEqual(before);
  });

  test("a removed last manifest cron leaves nothing behind", async () => {
    const before = await cronJobs(sql);
    const app = await newApp();
    await sync(sql, app, [{ name: "x", schedule: schedule() }]);
    const { pg_job_id } = await cronNamed(sql, app, "x");
    await sync(sql, app, [
      { name: "x", schedule: (await cronNamed(sql, app, "x")).schedule, jitter: 1 },
    ]);
    expect((await cronNamed(sql, app, "x")).pg_job_id).toBe(pg_job_id);
    await sync(sql, app, []);
    expect(await cronJobs(sql)).toEqual(before);
  });

  test("disabled, pg_cron knows nothing of Carillon; enabled, all is as it was", async () => {
    const app = await newApp();
    const cron = await createCron(sql, app, "c", schedule());
    const expressions = async () => (await cronJobs(sql)).map((job) => job.schedule).sort();
    const before = await expressions();
    await sql`select carillon.disable_pg_cron()`;
    await sql`select carillon.disable_pg_cron()`;
    expect(await cronJobs(sql)).toEqual([]);
    expect(await sql`select carillon.pg_cron_status() as s`).toMatchObject([
      { s: { loaded: true, driving: null, beats: 0 } },
    ]);
    expect((await getCron(sql, cron.id)).pg_job_id).toBeNull();
    const off = await createCron(sql, app, "while-off", cron.schedule);
    expect(off.pg_job_id).toBeNull();
    await sql`select carillon.enable_pg_cron()`;
    expect(await expressions()).toEqual(before);
    expect((await getCron(sql, off.id)).pg_job_id).toBe((await getCron(sql, cron.id)).pg_job_id);
  });

  test("a dropped extension stops nobody from editing, and a new one takes over again", async () => {
    const app = await newApp();
    const kept = await createCron(sql, app, "kept", schedule());
    const dropped = await createCron(sql, app, "dropped", schedule());
    await sql`drop extension pg_cron`;
    await sql`select carillon.set_cron_enabled(cron => ${kept.id}, enabled => false)`;
    await sql`select carillon.set_cron_enabled(cron => ${kept.id}, enabled => true)`;
    await sql`select carillon.delete_cron(cron => ${dropped.id})`;
    await createCron(sql, app, "new", schedule());
    expect(await sql`select * from carillon.list_runs(cron => ${kept.id})`).toEqual([]);
    await sweep();
    expect((await install(live.url)).pgCron).not.toBeNull();
    const crons = await sql<Cron[]>`select * from carillon.list_crons(app => ${app})`;
    for (const cron of crons) expect(await jobOf(cron)).toMatchObject({ schedule: cron.schedule });
    const wrong = await sql`
      select from carillon.beats b left join carillon.beat_jobs j using (pg_job_id)
      where b.pg_job_id is not null and j.beat_id is distinct from b.id`;
    expect(wrong).toHaveLength(0);
  });

  test("runs over a week old are trimmed, ours only, however many others' lie before them", async () => {
    await sql`delete from cron.job_run_details`;
    const insert = (command: string, days: number, n: number) => sql`
      insert into cron.job_run_details (jobid, database, username, command, status, start_time, end_time)
      select 999, current_database(), current_user, ${command}, 'succeeded',
        now() - ${days} * interval '1 day', now() - ${days} * interval '1 day'
      from generate_series(1, ${n})`;
    await insert("vacuum", 30, 25_000);
    await insert("select carillon.sweep()", 10, 500);
    await insert("select carillon.fire_beat(1)", 10, 500);
    await insert("select carillon.fire_beat(1)", 6, 10);
    for (let at = 0; at < 3; at += 1) await sweep();
    const left = await sql`
      select command, count(*) as n from cron.job_run_details where jobid = 999 group by 1 order by 1`;
    expect(left).toEqual([
      { command: "select carillon.fire_beat(1)", n: 10 },
      { command: "vacuum", n: 25_000 },
    ]);
  });
});
