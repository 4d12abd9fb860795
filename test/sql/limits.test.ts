import { describe, expect, test } from "vitest";

import { advanceClock, setClock } from "../helpers/clock.js";
import { connect, createTestDatabase, type TestSql } from "../helpers/database.js";
import { claim, claimCost, complete, type Cron, createCron, type Job, one } from "./support.js";

async function newDatabase(max = 10) {
  const db = await createTestDatabase({ max });
  await setClock(db.sql, "2026-03-02T10:00:00Z");
  await db.sql`select carillon.install_app(app => 'crm')`;
  return db;
}

const limitCron = (sql: TestSql, { id }: Cron, most: number | null) =>
  sql`update carillon.crons set max_concurrency = ${most} where id = ${id}`;

const limitApp = (sql: TestSql, app: string, most: number | null) =>
  sql`update carillon.apps set max_concurrency = ${most} where id = ${app}`;

/** Jobs of a cron, as so many triggers make them. */
const trigger = (sql: TestSql, { id }: Cron, count: number) =>
  sql`select carillon.trigger_cron(cron => ${id}) from generate_series(1, ${count})`;

const direct = (sql: TestSql, count: number, app = "crm") =>
  sql`select carillon.enqueue_jobs(app => ${app}, jobs => (
    select jsonb_agg('{"payload": {}}'::jsonb) from generate_series(1, ${count})))`;

const running = async (sql: TestSql) =>
  (
    await one(sql<{ n: number }[]>`
    select count(*)::int as n from pgmq.q_jobs where headers ? 'lease'`)
  ).n;

const countBy = (jobs: readonly Job[], key: (job: Job) => string | null) => {
  const counts: Record<string, number> = {};
  for (const job of jobs) {
    const name = key(job) ?? "direct";
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
};

const nextJobIn = async (sql: TestSql, app = "crm") =>
  (await one(sql<{ s: number | null }[]>`select carillon.next_job_in(apps => ${[app]}) as s`)).s;

/** Claims and completes one at a time; the jobs in the order claimed. */
async function drainOneByOne(sql: TestSql, app: string, most: number): Promise<Job[]> {
  const session = await sql.reserve();
  try {
    const jobs: Job[] = [];
    while (jobs.length < most) {
      const [job] = await claim(session, app, 1);
      if (job === undefined) break;
      jobs.push(job);
      await complete(session, [job]);
    }
    return jobs;
  } finally {
    session.release();
  }
}

describe("a limit", () => {
  test("of a cron holds, whatever else is claimed, and gives a place back when a job ends", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const [few, many] = [await createCron(sql, "crm", "few"), await createCron(sql, "crm", "many")];
    await limitCron(sql, few, 2);
    await trigger(sql, few, 10);
    await trigger(sql, many, 3);
    await direct(sql, 3);
    const jobs = await claim(sql, "crm", 100);
    expect(countBy(jobs, (job) => job.cron_id)).toEqual({ [few.id]: 2, [many.id]: 3, direct: 3 });
    expect(await claim(sql, "crm", 100)).toEqual([]);
    const ours = jobs.filter((job) => job.cron_id === few.id);
    await complete(sql, ours.slice(0, 1));
    const next = await claim(sql, "crm", 100);
    expect(next.map((job) => job.cron_id)).toEqual([few.id]);
    await sql`select carillon.release_jobs(
      job_ids => ${next.map((job) => job.job_id)}, attempts => ${next.map((job) => job.attempt)})`;
    expect(await claim(sql, "crm", 100)).toHaveLength(1);
    await sql`select carillon.cancel_job(job => ${ours[1]!.job_id})`;
    expect(await claim(sql, "crm", 100)).toHaveLength(1);
  });

  test("of an app holds for all its jobs together", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await createCron(sql, "crm", "c");
    await limitApp(sql, "crm", 5);
    await trigger(sql, cron, 4);
    await direct(sql, 4);
    const jobs = await claim(sql, "crm", 3);
    expect(jobs).toHaveLength(3);
    expect(await claim(sql, "crm", 100)).toHaveLength(2);
    expect(await claim(sql, "crm", 100)).toEqual([]);
    await complete(sql, jobs);
    expect(await claim(sql, "crm", 100)).toHaveLength(3);
  });

  test("counts what a worker lost until somebody takes it back, and then again", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await createCron(sql, "crm", "c");
    await limitCron(sql, cron, 1);
    await trigger(sql, cron, 3);
    const [lost] = await claim(sql, "crm", 10, 30, "dead");
    expect(await claim(sql, "crm", 10)).toEqual([]);
    await advanceClock(sql, "31 seconds");
    const again = await claim(sql, "crm", 10, 30, "alive");
    expect(again).toHaveLength(1);
    expect(await running(sql)).toBe(1);
    await complete(sql, again);
    await complete(sql, await claim(sql, "crm", 10));
    expect(await claim(sql, "crm", 10)).toMatchObject([{ job_id: lost!.job_id, attempt: 2 }]);
  });

  test("can be changed and lifted while jobs wait", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await createCron(sql, "crm", "c");
    await trigger(sql, cron, 3000);
    await limitCron(sql, cron, 4);
    expect(await claim(sql, "crm", 100)).toHaveLength(4);
    await limitCron(sql, cron, 6);
    expect(await claim(sql, "crm", 100)).toHaveLength(2);
    await limitCron(sql, cron, 1);
    expect(await claim(sql, "crm", 100)).toEqual([]);
    await limitCron(sql, cron, null);
    expect(await claim(sql, "crm", 1000)).toHaveLength(1000);
    await sql`select carillon.delete_cron(cron => ${cron.id})`;
    let left = 0;
    for (let jobs; (jobs = await claim(sql, "crm", 1000)).length > 0;) left += jobs.length;
    expect(left).toBe(3000 - 1006);
  });

  test("tells an idle worker to wait for a place, and the end of a job wakes it", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await createCron(sql, "crm", "c");
    await limitCron(sql, cron, 1);
    await trigger(sql, cron, 2);
    expect(await nextJobIn(sql)).toBe(0);
    const jobs = await claim(sql, "crm", 10, 30);
    expect(await nextJobIn(sql)).toBe(30);
    await limitApp(sql, "crm", 1);
    expect(await nextJobIn(sql)).toBe(30);
    await limitApp(sql, "crm", 2);
    await direct(sql, 1);
    expect(await nextJobIn(sql)).toBe(0);
    await claim(sql, "crm", 10, 20);
    expect(await nextJobIn(sql)).toBe(20);
    const heard: string[] = [];
    const ear = connect(db.url, 1);
    try {
      const woken = new Promise<void>((resolve) => {
        void ear.listen(
          "carillon_jobs",
          (app) => {
            heard.push(app);
            resolve();
          },
          () => void complete(sql, jobs),
        );
      });
      await woken;
    } finally {
      await ear.end();
    }
    expect(heard).toEqual(["crm", "@crm"]);
    expect(await nextJobIn(sql)).toBe(0);
  });

  test.each(["cron", "app"])(
    "of a %s is never exceeded, however many claim at once",
    async (of) => {
      await using db = await newDatabase(20);
      const { sql } = db;
      const cron = await createCron(sql, "crm", "c");
      await trigger(sql, cron, 200);
      if (of === "cron") await limitCron(sql, cron, 7);
      else await limitApp(sql, "crm", 7);
      let [seen, done] = [0, 0];
      const work = async (n: number) => {
        while (done < 200) {
          const jobs = await claim(sql, "crm", 1 + (n % 4), 30, `w${n}`);
          seen = Math.max(seen, await running(sql));
          const ended = await complete(sql, jobs);
          done += ended.length;
        }
      };
      await Promise.all(Array.from({ length: 16 }, (_, n) => work(n)));
      expect(done).toBe(200);
      expect(seen).toBeLessThanOrEqual(7);
      expect(seen).toBeGreaterThan(3);
    },
  );

  test("with 20,000 jobs behind it costs the claims of others nothing", async () => {
    await using db = await newDatabase(1);
    const { sql } = db;
    const cron = await createCron(sql, "crm", "c");
    await limitCron(sql, cron, 1);
    await sql`
      insert into pgmq.q_jobs (enqueued_at, vt, message, headers)
      select carillon.now(), carillon.now() - interval '1 hour', carillon._job_message('crm', '{}', null),
        carillon._cron_headers(${cron.id}, 'manual', null, '{}', null, null)
      from generate_series(1, 20000)`;
    const blocks = async () => {
      await direct(sql, 1);
      const cost = await claimCost(sql);
      expect(cost.jobs).toBe(1);
      return cost.blocks;
    };
    // They are put aside a thousand at a time; the first of them runs.
    for (let n = 0; n < 40; n += 1) await claim(sql, "crm", 100);
    await sql`vacuum pgmq.q_jobs`;
    await blocks();
    expect(await blocks()).toBeLessThan(300);
  });
});

describe("a flood", () => {
  test("of one cron leaves every claim room for direct jobs and those of other crons", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const flood = await createCron(sql, "crm", "flood");
    await trigger(sql, flood, 2000);
    const others = [];
    for (const name of ["a", "b", "c"]) others.push(await createCron(sql, "crm", name));
    for (const other of others) await trigger(sql, other, 5);
    await direct(sql, 20);
    const jobs = await claim(sql, "crm", 100);
    expect(jobs).toHaveLength(100);
    expect(countBy(jobs, (job) => job.cron_id)).toMatchObject({
      direct: 20,
      ...Object.fromEntries(others.map(({ id }) => [id, expect.any(Number)])),
    });
  });

  test("of direct jobs leaves crons half", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await direct(sql, 2000);
    const cron = await createCron(sql, "crm", "c");
    await trigger(sql, cron, 200);
    const jobs = await claim(sql, "crm", 100);
    expect(countBy(jobs, (job) => job.cron_id)).toEqual({ direct: 50, [cron.id]: 50 });
  });

  test("is passed by others even where claims are of one job: each cron has its turn", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const flood = await createCron(sql, "crm", "flood");
    await trigger(sql, flood, 500);
    const others = new Set<string>();
    for (let n = 0; n < 9; n += 1) {
      const other = await createCron(sql, "crm", `other-${n}`);
      await trigger(sql, other, 1);
      others.add(other.id);
    }
    // Ten crons wait: ten claims go around once.
    const jobs = await drainOneByOne(sql, "crm", 10);
    expect(new Set(jobs.map((job) => job.cron_id))).toEqual(new Set([flood.id, ...others]));
  });

  test("of one app leaves another its share of a claim for both, and takes what the other leaves", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    await sql`select carillon.install_app(app => 'shop')`;
    await direct(sql, 1000, "crm");
    await direct(sql, 30, "shop");
    const both = (max: number) => claim(sql, ["crm", "shop"], max);
    expect(countBy(await both(40), (job) => job.app_id)).toEqual({ crm: 20, shop: 20 });
    expect(countBy(await both(40), (job) => job.app_id)).toEqual({ crm: 30, shop: 10 });
  });

  test("gives way to a higher priority", async () => {
    await using db = await newDatabase();
    const { sql } = db;
    const cron = await createCron(sql, "crm", "c");
    await trigger(sql, cron, 50);
    await direct(sql, 50);
    const { id } = await one(sql<{ id: number }[]>`
      select carillon.enqueue_job(app => 'crm', priority => 1) as id`);
    const jobs = await claim(sql, "crm", 10);
    expect(jobs[0]?.job_id).toBe(id);
    expect(jobs).toHaveLength(10);
  });
});
