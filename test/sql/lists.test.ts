import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";

import { setClock } from "../helpers/clock.js";
import {
  connect,
  createTestDatabase,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { claim, complete, createCron, fireDue, one, refusal } from "./support.js";

/** A job as the view has it, as far as filters ask. */
interface Listed {
  job_id: number;
  cron_id: string | null;
  status: string;
  trigger: string;
  tags: string[];
  enqueued_at: Date;
  due_at: Date | null;
  started_at: Date | null;
  finished_at: Date | null;
}

interface Filter {
  cronId?: string;
  status?: string[];
  trigger?: string[];
  tag?: string;
  ids?: number[];
  [time: `${string}After` | `${string}Before`]: string;
}

let db: TestDatabase;
let sql: TestSql;
let crons: string[];
let all: Listed[];

const NOW = "2026-03-10T12:00:00Z";

beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
  for (const day of ["06", "08", "10"]) {
    await setClock(sql, `2026-03-${day}T12:00:00Z`);
    await sql`select carillon._ensure_partitions()`;
  }
  for (const app of ["crm", "shop"]) await sql`select carillon.install_app(app => ${app})`;
  crons = [(await createCron(sql, "crm", "a")).id, (await createCron(sql, "crm", "b")).id];
  await createCron(sql, "shop", "c");
  await fill(sql, crons);
  await setClock(sql, NOW);
  all = await sql<Listed[]>`
    select *, coalesce(headers -> 'tags', '[]') as tags from carillon.jobs where app_id = 'crm'`;
});
afterAll(() => db.drop());

/** 600 jobs of eight days, two of which have no partition; some still in the queue. */
async function fill(sql: TestSql, crons: string[]): Promise<void> {
  await sql`select setseed(0.42)`;
  await sql`
    insert into carillon.job_history (job_id, app_id, cron_id, trigger, status, headers, error, attempt, enqueued_at, started_at, finished_at)
    select i, case when i % 5 = 0 then 'shop' else 'crm' end, j.cron, j.trigger, j.status,
      case when i % 3 = 0 then '{}' else jsonb_build_object('tags', array['t' || i % 4, 'u' || i % 50]) end,
      case j.status when 'failed' then '{"message": "no"}'::jsonb end, 1, j.at, j.at + interval '1 second',
      -- Some wait for days: ids and the days on which jobs finish are in another order.
      j.at + case when i % 7 = 0 then interval '50 hours' else interval '2 seconds' end
    from (
      select i, (${crons}::uuid[])[1 + (random() * 3)::integer] as cron,
        (array['automatic', 'manual', 'api'])[1 + floor(random() * 3)::integer] as trigger,
        (array['completed', 'completed', 'failed', 'canceled'])[1 + floor(random() * 4)::integer] as status,
        timestamptz '2026-03-03T00:00:00Z' + i * interval '18 minutes' as at
      from generate_series(1, 560) i order by i
    ) j`;
  await sql`alter sequence pgmq.q_jobs_msg_id_seq restart with 1000`;
  await setClock(sql, "2026-03-10T11:59:50Z");
  await sql`
    select carillon.enqueue_job(app => case when i % 5 = 0 then 'shop' else 'crm' end, priority => i % 3,
      run_at => case when i % 2 = 0 then '2026-03-10T11:00:00Z'::timestamptz + (i % 4) * interval '1 hour' end,
      tags => case when i % 3 > 0 then array['t' || i % 4, 'u' || i % 50] end)
    from generate_series(1, 60) i`;
  for (const id of crons)
    await sql`select carillon.trigger_cron(cron => ${id}) from generate_series(1, 3)`;
  await claim(sql, "crm", 9, 60);
}

/** The sweep's work, as often as it takes. */
async function rollUp(sql: TestSql): Promise<void> {
  const settled = async () =>
    one(sql<{ over: boolean }[]>`
      select carillon._stats_until() >= carillon._settled_until(carillon.now()) as over`);
  do await sql`select carillon._roll_up()`;
  while (!(await settled()).over);
}

interface Page {
  ids: number[];
  next_cursor: string | null;
}

const page = async (
  sql: TestSql,
  filter: object,
  sort = "newest",
  cursor: string | null = null,
  limit = 100,
) =>
  one(sql<Page[]>`
    select array(select job_id from unnest(p.page) with ordinality j order by j.ordinality) as ids, p.next_cursor
    from carillon.page_jobs(app => 'crm', filter => ${sql.json(filter as never)}, sort => ${sort},
      after_cursor => ${cursor}, max_rows => ${limit}) p`);

/** All pages of a list, one after another. */
async function walk(sql: TestSql, filter: object, sort: string, limit: number): Promise<number[]> {
  const ids: number[] = [];
  let cursor: string | null = null;
  do {
    const next: Page = await page(sql, filter, sort, cursor, limit);
    ids.push(...next.ids);
    expect(next.ids.length).toBeLessThanOrEqual(limit);
    cursor = next.next_cursor;
  } while (cursor !== null);
  return ids;
}

const LIVE = ["pending", "queued", "running"];
const ENDED = ["completed", "failed", "canceled"];
const widened = (status: readonly string[]) =>
  status.flatMap((word) => (word === "live" ? LIVE : word === "finished" ? ENDED : [word]));

function isMeant(job: Listed, filter: Filter): boolean {
  const within = (field: "enqueued" | "started" | "finished") => {
    const at = job[`${field}_at`]?.toISOString();
    const [after, before] = [filter[`${field}After`], filter[`${field}Before`]];
    if (after === undefined && before === undefined) return true;
    return at !== undefined && at >= (after ?? "") && at < (before ?? "9");
  };
  return (
    (filter.cronId === undefined || job.cron_id === filter.cronId) &&
    (filter.status === undefined || widened(filter.status).includes(job.status)) &&
    (filter.trigger === undefined || filter.trigger.includes(job.trigger)) &&
    (filter.tag === undefined || job.tags.includes(filter.tag)) &&
    (filter.ids === undefined || filter.ids.includes(job.job_id)) &&
    (["enqueued", "started", "finished"] as const).every(within)
  );
}

describe("a list of jobs", () => {
  const maybe = <T>(value: fc.Arbitrary<T>, of = 2) =>
    fc.oneof(
      { weight: of - 1, arbitrary: fc.constant(undefined) },
      { weight: 1, arbitrary: value },
    );
  const some = (words: string[]) => fc.uniqueArray(fc.constantFrom(...words), { minLength: 1 });
  const time = fc
    .integer({ min: Date.UTC(2026, 2, 3), max: Date.UTC(2026, 2, 10, 13) })
    .map((ms) => new Date(ms - (ms % 1000)).toISOString());
  const TIMES = ["enqueued", "started", "finished"].flatMap((t) => [`${t}After`, `${t}Before`]);

  // What is rolled up tells where to look.
  test.each([
    ["before", 0],
    ["after", 1],
  ])("has exactly what any filter means, page by page, %s the roll-up", async (_, rollUps) => {
    if (rollUps > 0) await rollUp(sql);
    const filters = fc.record(
      {
        cronId: maybe(fc.constantFrom(...crons)),
        status: maybe(some([...LIVE, ...ENDED, "live", "finished"])),
        trigger: maybe(some(["automatic", "manual", "api"])),
        tag: maybe(fc.constantFrom("t0", "t1", "u7", "none")),
        ids: maybe(fc.array(fc.integer({ min: 1, max: 1080 }), { maxLength: 300 }), 8),
        ...Object.fromEntries(TIMES.map((name) => [name, maybe(time, 9)])),
      },
      { requiredKeys: [] },
    ) as fc.Arbitrary<Filter>;
    const found = { some: 0 };
    await fc.assert(
      fc.asyncProperty(
        filters,
        fc.constantFrom("newest", "oldest"),
        fc.constantFrom(1000, 100, 7),
        async (filter, sort, limit) => {
          const meant = all.filter((job) => isMeant(job, filter)).map(({ job_id }) => job_id);
          meant.sort((a, b) => (sort === "newest" ? b - a : a - b));
          if (meant.length > 0) found.some += 1;
          expect(await walk(sql, filter, sort, meant.length > 100 ? 100 : limit)).toEqual(meant);
        },
      ),
      { numRuns: 150 },
    );
    expect(found.some).toBeGreaterThan(50);
  });

  test("of jobs that wait can be in the order in which they are due", async () => {
    const waiting = all.filter(({ status }) => status === "pending" || status === "queued");
    const byDue = (a: Listed, b: Listed) =>
      Number(a.due_at) - Number(b.due_at) || a.job_id - b.job_id;
    const ids = (jobs: Listed[]) => jobs.toSorted(byDue).map(({ job_id }) => job_id);
    for (const limit of [1000, 7]) {
      expect(await walk(sql, {}, "due", limit)).toEqual(ids(waiting));
      const pending = waiting.filter(({ status }) => status === "pending");
      expect(pending.length).toBeGreaterThan(10);
      expect(await walk(sql, { status: "pending" }, "due", limit)).toEqual(ids(pending));
      const tagged = pending.filter(({ tags }) => tags.includes("t1"));
      expect(await walk(sql, { status: ["pending"], tag: "t1" }, "due", limit)).toEqual(
        ids(tagged),
      );
    }
    expect(await refusal(page(sql, { status: "running" }, "due"))).toMatchObject({ field: "sort" });
  });

  test("is there in SQL as rows", async () => {
    const rows = await sql`
      select job_id, status from carillon.list_jobs(app => 'crm', filter => '{"status": "failed"}', max_rows => 3)`;
    const failed = all.filter(({ status }) => status === "failed").map(({ job_id }) => job_id);
    expect(rows).toEqual(
      failed
        .sort((a, b) => b - a)
        .slice(0, 3)
        .map((job_id) => ({ job_id, status: "failed" })),
    );
  });

  test.each([
    ["status", { status: "done" }],
    ["status", { status: [] }],
    ["trigger", { trigger: ["api", 3] }],
    ["cronId", { cronId: "x" }],
    ["tag", { tag: 7 }],
    ["ids", { ids: [1.5] }],
    ["ids", { ids: "1" }],
    ["finishedAfter", { finishedAfter: "yesterday" }],
    ["colour", { colour: "red" }],
    ["filter", []],
  ])("refuses a wrong %s by name", async (field, filter) => {
    expect(await refusal(page(sql, filter))).toMatchObject({ code: "TK001", field });
  });

  test("refuses what is no cursor of it, and wrong limits and orders", async () => {
    const { next_cursor } = await page(sql, {}, "newest", null, 5);
    const { next_cursor: due } = await page(sql, {}, "due", null, 5);
    for (const [cursor, sort] of [
      [next_cursor, "oldest"],
      [due, "newest"],
      ["", "newest"],
      ["_", "newest"],
      ["%%%", "newest"],
      [Buffer.from("newest 1; drop").toString("base64url"), "newest"],
      [Buffer.from("newest 99999999999999999999").toString("base64url"), "newest"],
    ] as const) {
      expect(await refusal(page(sql, {}, sort, cursor))).toMatchObject({
        code: "TK001",
        field: "cursor",
      });
    }
    expect(await refusal(page(sql, {}, "random"))).toMatchObject({ field: "sort" });
    for (const limit of [0, 1001]) {
      expect(await refusal(page(sql, {}, "newest", null, limit))).toMatchObject({ field: "limit" });
    }
  });
});

test("a page looks at a bounded number of jobs and goes on where it stopped", async () => {
  await using own = await createTestDatabase();
  const { sql } = own;
  await setClock(sql, NOW);
  await sql`select carillon.install_app(app => 'crm')`;
  // One among thousands, by something that has no index of its own.
  await sql`
    insert into carillon.job_history (job_id, app_id, trigger, status, headers, attempt, enqueued_at, started_at, finished_at)
    select i, 'crm', case i when 3 then 'automatic' else 'api' end, 'completed', '{"tags": ["all"]}', 1, carillon.now(), carillon.now(), carillon.now()
    from generate_series(1, 5000) i`;
  await sql`alter sequence pgmq.q_jobs_msg_id_seq restart with 10000`;
  await sql`select carillon.enqueue_jobs(app => 'crm',
    jobs => (select jsonb_agg(jsonb_build_object('tags', array[case i when 7 then 'rare' else 'all' end])) from generate_series(1, 9000) i))`;
  for (const filter of [
    { trigger: "automatic" },
    { trigger: "automatic", tag: "all" },
    { tag: "rare" },
  ]) {
    const first = await page(sql, filter);
    expect(first.ids).toEqual([]);
    expect(first.next_cursor).not.toBeNull();
    expect(await walk(sql, filter, "newest", 100)).toEqual(filter.tag === "rare" ? [10_006] : [3]);
    expect(await walk(sql, filter, "oldest", 100)).toEqual(filter.tag === "rare" ? [10_006] : [3]);
  }
  // All due at the same instant, which is no place to stop at.
  expect(await walk(sql, { tag: "rare" }, "due", 100)).toEqual([10_006]);
  expect(await walk(sql, {}, "due", 1000)).toHaveLength(9000);
});

test("a page of a time long ago has its jobs, whatever lies between", async () => {
  await using own = await createTestDatabase();
  const { sql } = own;
  await setClock(sql, NOW);
  await sql`select carillon.install_app(app => 'crm')`;
  // One a minute, for eight days; one in seven waits for two hours.
  await sql`
    insert into carillon.job_history (job_id, app_id, trigger, status, headers, attempt, enqueued_at, started_at, finished_at)
    select i, 'crm', 'api', 'completed', '{}', 1, at, at + wait, at + wait + interval '1 second'
    from generate_series(1, 11500) i,
      lateral (select ${NOW}::timestamptz - interval '8 days' + i * interval '1 minute' as at,
        case when i % 7 = 0 then interval '2 hours' else interval '1 second' end as wait) j`;
  await rollUp(sql);
  const [after, before] = ["2026-03-04T10:00:00Z", "2026-03-04T11:00:00Z"];
  // Of those that started later than some time, the oldest may have been enqueued long before.
  for (const [kind, ...sorts] of [
    ["enqueued", "newest", "oldest"],
    ["started", "newest"],
    ["finished", "newest", "oldest"],
  ]) {
    const filter = { [`${kind}After`]: after, [`${kind}Before`]: before };
    for (const sort of sorts) {
      const { ids } = await page(sql, filter, sort);
      expect(ids, `${kind}, ${sort}`).toHaveLength(60);
    }
  }
});

test("jobs that move from the queue to the history under a reader are listed once each", async () => {
  await using own = await createTestDatabase();
  const { sql } = own;
  await sql`select carillon.install_app(app => 'crm')`;
  const { id } = await createCron(sql, "crm", "c");
  await sql`
    select carillon.enqueue_job(app => 'crm', tags => array['x'],
      run_at => case when i % 10 = 0 then carillon.now() + interval '1 day' end)
    from generate_series(1, 1500) i`;
  await sql`select carillon.trigger_cron(cron => ${id}) from generate_series(1, 200)`;
  const before = (await sql<{ job_id: number }[]>`select job_id from carillon.jobs`).map(
    (j) => j.job_id,
  );
  const moved = connect(own.url, 2);
  const reader = connect(own.url, 3);
  let reading = true;
  const worker = async (name: string) => {
    let done = 0;
    while (reading) {
      await moved`select carillon.enqueue_job(app => 'crm', tags => array['x']) from generate_series(1, 2)`;
      done += (await complete(moved, await claim(moved, "crm", 17, 30, name))).length;
      await fireDue(moved);
    }
    return done;
  };
  const workers = [worker("w1"), worker("w2")];
  try {
    for (let round = 0; round < 2; round += 1) {
      const lists = await Promise.all([
        walk(reader, {}, "newest", 23),
        walk(reader, {}, "oldest", 61),
        walk(reader, { tag: "x" }, "newest", 41),
      ]);
      for (const [at, list] of lists.entries()) {
        expect(new Set(list).size).toBe(list.length);
        const sorted = list.toSorted((a, b) => (at === 1 ? a - b : b - a));
        expect(list).toEqual(sorted);
        const expected = at === 2 ? before.slice(0, 0) : before;
        const seen = new Set(list);
        expect(expected.filter((job) => !seen.has(job))).toEqual([]);
      }
      expect(lists[2].length).toBeGreaterThanOrEqual(1500);
    }
  } finally {
    reading = false;
  }
  const done = await Promise.all(workers);
  expect(done[0]! + done[1]!).toBeGreaterThan(500);
  await Promise.all([moved.end(), reader.end()]);
});
