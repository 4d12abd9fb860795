import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { setClock } from "../helpers/clock.js";
import {
  connect,
  createTestDatabase,
  type TestDatabase,
  type TestSql,
} from "../helpers/database.js";
import { claim as claimJobs, one, refusal } from "./support.js";

let db: TestDatabase;
let sql: TestSql;
beforeAll(async () => {
  db = await createTestDatabase();
  sql = db.sql;
  await sql`select carillon.install_app('crm')`;
  await sql`select carillon.install_app('other')`;
});
afterAll(() => db.drop());

const enqueue = async (options = {}) =>
  (
    await one(sql<{ id: number }[]>`
      select carillon.enqueue_jobs('crm', ${sql.json([options])}) as id`)
  ).id;
/** Claims the job by running out whatever lease it has; the attempt. */
async function claim(id: number): Promise<number> {
  await sql`update pgmq.q_jobs set vt = clock_timestamp() - interval '1 minute' where msg_id = ${id}`;
  const jobs = await claimJobs(sql, "crm", 1);
  expect(jobs).toMatchObject([{ job_id: id }]);
  return jobs[0]!.attempt;
}
const running = async () => {
  const id = await enqueue();
  await claim(id);
  return id;
};
const finish = (job_id: number, attempt: number, status = "completed", more = {}) => sql`
  select * from carillon.finish_jobs(${sql.json([{ job_id, attempt, status, ...more }])})`;

interface Chunk {
  job_id: number;
  attempt: number;
  seq?: number;
  lines: object[];
}
const append = (chunks: Chunk[], sentAt: number | null = null, again = false) =>
  sql<
    { job_id: number; attempt: number; next_seq: number }[]
  >`select * from carillon.append_logs(${sql.json(chunks as never)}, ${sentAt}, ${again})`;
const lines = (...messages: string[]) => messages.map((message) => ({ message }));
const stored = (id: number) => sql<{ seq: number; attempt: number; message: string }[]>`
  select seq, attempt, message from carillon.job_logs where job_id = ${id} order by seq`;
const texts = async (id: number) =>
  (await stored(id)).map((row) => `${row.seq} ${row.attempt} ${row.message}`);

describe("appending", () => {
  test("numbers the lines of a job through its attempts", async () => {
    const id = await enqueue({ maxAttempts: 3, retryDelay: 0 });
    await claim(id);
    expect(await append([{ job_id: id, attempt: 1, seq: 1, lines: lines("a", "b") }])).toEqual([
      { job_id: id, attempt: 1, next_seq: 3 },
    ]);
    await append([{ job_id: id, attempt: 1, seq: 3, lines: lines("c") }]);
    await finish(id, 1, "failed", { error: { name: "E", message: "no" } });
    expect(await claim(id)).toBe(2);
    expect(await append([{ job_id: id, attempt: 2, lines: lines("d") }])).toEqual([
      { job_id: id, attempt: 2, next_seq: 5 },
    ]);
    await append([{ job_id: id, attempt: 2, seq: 5, lines: lines("e") }]);
    expect(await texts(id)).toEqual(["1 1 a", "2 1 b", "3 1 c", "4 2 d", "5 2 e"]);
  });

  test("takes many jobs at once, and refuses those whose attempt is over", async () => {
    const [a, b] = [await running(), await running()];
    await claim(b);
    const taken = await append([
      { job_id: b, attempt: 1, seq: 1, lines: lines("of the attempt before") },
      { job_id: a, attempt: 1, seq: 1, lines: lines("a") },
      { job_id: b, attempt: 2, lines: lines("b") },
      { job_id: 999_999_999, attempt: 1, seq: 1, lines: lines("of no job") },
    ]);
    expect(taken).toHaveLength(2);
    expect(taken).toContainEqual({ job_id: a, attempt: 1, next_seq: 2 });
    expect(taken).toContainEqual({ job_id: b, attempt: 2, next_seq: 2 });
    expect(await texts(b)).toEqual(["1 2 b"]);
  });

  test("twice the same, as after a lost answer, stores it once", async () => {
    const id = await running();
    const first = { job_id: id, attempt: 1, seq: 1, lines: lines("a", "b") };
    await append([first]);
    expect(await append([first], null, true)).toEqual([{ job_id: id, attempt: 1, next_seq: 3 }]);
    await claim(id);
    const later = { job_id: id, attempt: 2, lines: lines("c", "d") };
    await append([later]);
    expect(await append([later], null, true)).toEqual([{ job_id: id, attempt: 2, next_seq: 5 }]);
    // And what was not stored is, then.
    await append([{ job_id: id, attempt: 2, seq: 5, lines: lines("e") }], null, true);
    expect(await texts(id)).toEqual(["1 1 a", "2 1 b", "3 2 c", "4 2 d", "5 2 e"]);
  });

  test("goes on for a minute after the job has ended, by its last attempt only", async () => {
    await using own = await createTestDatabase();
    const { sql } = own;
    await setClock(sql, "2026-03-02T10:00:00Z");
    await sql`select carillon.install_app('crm')`;
    const { id } = await one(sql<{ id: number }[]>`select carillon.enqueue_job('crm') as id`);
    await sql`select * from carillon.claim_jobs('{crm}', 'w', 1, 30)`;
    await sql`select carillon.cancel_job(${id})`;
    const late = async (attempt: number) =>
      (
        await sql`select * from carillon.append_logs(
          ${sql.json([{ job_id: id, attempt, lines: lines("cleaning up") }])})`
      ).length;
    expect(await late(1)).toBe(1);
    expect(await late(2)).toBe(0);
    await setClock(sql, "2026-03-02T10:00:59Z");
    expect(await late(1)).toBe(1);
    await setClock(sql, "2026-03-02T10:01:00Z");
    expect(await late(1)).toBe(0);
    expect(await sql`select seq from carillon.list_logs(${id})`).toEqual([{ seq: 1 }, { seq: 2 }]);
  });

  test("dates lines by their age, whatever the sender's clock says", async () => {
    const id = await running();
    const old = { message: "old", at: 1_000 };
    const ahead = { message: "ahead", at: 99_000 };
    await append([{ job_id: id, attempt: 1, seq: 1, lines: [old, ahead] }], 61_000);
    const rows = await sql<{ age: number }[]>`
      select extract(epoch from clock_timestamp() - at)::float8 as age
      from carillon.list_logs(${id})`;
    expect(rows[0]?.age).toBeGreaterThanOrEqual(60);
    expect(rows[0]?.age).toBeLessThan(65);
    expect(rows[1]?.age).toBeGreaterThanOrEqual(0);
    expect(rows[1]?.age).toBeLessThan(5);
  });

  test("neither loses the lease nor lets another attempt begin meanwhile", async () => {
    const id = await running();
    const other = connect(db.url, 1);
    try {
      await other.begin(async (tx) => {
        await tx`select * from carillon.append_logs(
          ${sql.json([{ job_id: id, attempt: 1, seq: 1, lines: lines("a") }])})`;
        const kept = await sql`
          select * from carillon.extend_leases(${[id]}::bigint[], '{1}', 30)`;
        expect(kept).toHaveLength(1);
        await sql`update pgmq.q_jobs set vt = clock_timestamp() where msg_id = ${id}`;
        const claimed = await claimJobs(sql, "crm");
        expect(claimed.map(({ job_id }) => job_id)).not.toContain(id);
      });
    } finally {
      await other.end();
    }
    expect(await claim(id)).toBe(2);
  });

  test.each([
    ["no array", {}],
    ["a chunk without lines", [{ job_id: 1, attempt: 1 }]],
    ["lines that are none", [{ job_id: 1, attempt: 1, lines: "x" }]],
  ])("refuses %s", async (_, chunks) => {
    expect(
      await refusal(sql`select * from carillon.append_logs(${sql.json(chunks as never)})`),
    ).toMatchObject({ code: "TK001", field: "chunks" });
  });

  test.each([
    ["job_logs_level_known", { level: "fatal" }],
    ["job_logs_stream_known", { stream: "other" }],
    ["job_logs_percent_in_range", { stream: "progress", percent: 101 }],
    ["job_logs_percent_iff_progress", { percent: 1 }],
    ["job_logs_message_bounded", { message: "x".repeat(1_048_577) }],
  ])("is held to %s", async (constraint, line) => {
    const id = await running();
    const { code, message } = await refusal(append([{ job_id: id, attempt: 1, lines: [line] }]));
    expect(code).toBe("23514");
    expect(message).toContain(constraint);
  });
});

describe("reading", () => {
  let id: number;
  beforeAll(async () => {
    id = await running();
    await append([
      {
        job_id: id,
        attempt: 1,
        seq: 1,
        lines: [
          { message: "One", level: "debug" },
          { message: "two", level: "warn", data: { Order: "Größe 7" } },
          { message: "half", stream: "progress", percent: 50 },
          { message: "100% sure_", stream: "stderr" },
          { message: "five", level: "error", altered: { cutBytes: 3 } },
        ],
      },
    ]);
    await claim(id);
    await append([{ job_id: id, attempt: 2, lines: lines("six", "seven") }]);
  });

  const list = async (more: Record<string, unknown>) => {
    const {
      app = "crm",
      after = null,
      max = 100,
      desc = false,
      levels = null,
      streams = null,
      q = null,
      attempt = null,
    } = more as Record<string, never>;
    return sql<{ seq: number; more: boolean }[]>`
      select * from carillon.list_logs(${id}, ${app}, ${after}, ${max}, ${desc}, ${levels}::text[],
        ${streams}::text[], ${q}, ${attempt})`;
  };
  const seqs = async (more: Record<string, unknown> = {}) =>
    (await list(more)).map(({ seq }) => seq);

  test("pages both ways", async () => {
    expect(await seqs()).toEqual([1, 2, 3, 4, 5, 6, 7]);
    expect(await seqs({ desc: true })).toEqual([7, 6, 5, 4, 3, 2, 1]);
    expect(await seqs({ after: 3, max: 2 })).toEqual([4, 5]);
    expect(await seqs({ after: 3, desc: true, max: 2 })).toEqual([2, 1]);
    expect(await seqs({ after: 7 })).toEqual([]);
    const more = async (options: object) => (await list({ ...options })).at(-1)?.more;
    expect(await more({ max: 2 })).toBe(true);
    expect(await more({ max: 7 })).toBe(false);
    expect(await more({ after: 3, desc: true, max: 2 })).toBe(false);
  });

  test.each([
    [{ levels: ["warn", "error"] }, [2, 5]],
    [{ levels: [] }, []],
    [{ streams: ["progress", "stderr"] }, [3, 4]],
    [{ attempt: 2 }, [6, 7]],
    [{ q: "ONE" }, [1]],
    [{ q: "größe" }, [2]],
    [{ q: "100%" }, [4]],
    [{ q: "sure_" }, [4]],
    [{ q: "o" }, [1, 2]],
    [{ q: "" }, [1, 2, 3, 4, 5, 6, 7]],
    [{ q: "e", attempt: 2, desc: true }, [7]],
  ])("finds %j", async (filter, found) => {
    expect(await seqs(filter)).toEqual(found);
  });

  test("shows a line as it was logged", async () => {
    const [, two, half] = await list({});
    expect(two).toMatchObject({
      ...{ seq: 2, attempt: 1, level: "warn", stream: "log", message: "two" },
      ...{ data: { Order: "Größe 7" }, percent: null, altered: null },
    });
    expect(half).toMatchObject({ stream: "progress", percent: 50, message: "half" });
    expect((await list({ after: 4 }))[0]).toMatchObject({ altered: { cutBytes: 3 } });
  });

  test("knows no job that is not there, or another app's", async () => {
    expect(await refusal(list({ app: "other" }))).toMatchObject({ code: "TK103" });
    expect(await refusal(sql`select * from carillon.list_logs(999999999)`)).toMatchObject({
      code: "TK103",
    });
    for (const max of [0, 1001]) {
      expect(await refusal(list({ max }))).toMatchObject({ code: "TK001", field: "limit" });
    }
  });

  test("bounds a page in bytes, and says that there is more", async () => {
    const big = await running();
    const line = { message: "x".repeat(1_000_000) };
    for (let n = 0; n < 3; n += 1) {
      await append([{ job_id: big, attempt: 1, lines: [line, line] }]);
    }
    const page = await sql<{ seq: number; more: boolean }[]>`
      select seq, more from carillon.list_logs(${big})`;
    expect(page.at(-1)).toEqual({ seq: 5, more: true });
    expect(await sql`select seq, more from carillon.list_logs(${big}, after => 5)`).toEqual([
      { seq: 6, more: false },
    ]);
  });

  test("follows many jobs in one call, with their status", async () => {
    const waiting = await enqueue();
    const ended = await running();
    await append([{ job_id: ended, attempt: 1, seq: 1, lines: lines("bye") }]);
    await finish(ended, 1);
    const rows = await sql`
      select n, status, job_attempt, seq, more from carillon.tail_logs(
        ${[id, id, waiting, ended, 999_999_999]}::bigint[], ${[4, 7, 0, 0, 0]}::integer[], 2)`;
    expect(rows).toEqual([
      { n: 1, status: "running", job_attempt: 2, seq: 5, more: true },
      { n: 1, status: "running", job_attempt: 2, seq: 6, more: true },
      { n: 2, status: "running", job_attempt: 2, seq: null, more: false },
      { n: 3, status: "queued", job_attempt: 0, seq: null, more: false },
      { n: 4, status: "completed", job_attempt: 1, seq: 1, more: false },
      { n: 5, status: null, job_attempt: null, seq: null, more: false },
    ]);
  });

  test("tells the last progress of jobs, live or ended", async () => {
    const ended = await running();
    const at = (percent: number, message = "") => ({ stream: "progress", percent, message });
    await append([{ job_id: ended, attempt: 1, seq: 1, lines: [at(10, "a"), at(99.5)] }]);
    await finish(ended, 1);
    const nulls = [null, null, null];
    const rows = await sql`
      select job_id, attempt, percent, note from carillon.job_progress(
        ${[id, ended, 999_999_999]}::bigint[], ${nulls}::timestamptz[], ${nulls}::timestamptz[])`;
    expect(rows).toEqual([
      { job_id: id, attempt: 1, percent: 50, note: "half" },
      { job_id: ended, attempt: 1, percent: 99.5, note: null },
    ]);
  });
});

describe("a log", () => {
  test("costs no look at other days than its job's", async () => {
    await using own = await createTestDatabase({ max: 1 });
    const { sql } = own;
    await setClock(sql, "2026-03-02T10:00:00Z");
    await sql`select carillon.install_app('crm')`;
    for (let day = 1; day <= 9; day += 1) {
      await setClock(sql, `2026-03-0${day}T10:00:00Z`);
      await sql`select carillon._ensure_partitions()`;
    }
    const { id } = await one(sql<{ id: number }[]>`select carillon.enqueue_job('crm') as id`);
    await sql`select * from carillon.claim_jobs('{crm}', 'w', 1, 30)`;
    await sql`select * from carillon.append_logs(
      ${sql.json([{ job_id: id, attempt: 1, lines: lines("a") }])})`;
    const where = await sql<{ part: string }[]>`
      select tableoid::regclass::text as part from carillon.job_logs`;
    expect(where).toEqual([{ part: "carillon.job_logs_20260309" }]);
    await sql`select pg_stat_force_next_flush()`;
    await sql`select pg_stat_reset()`;
    await sql`select * from carillon.list_logs(${id})`;
    await sql`select * from carillon.tail_logs(array[${id}]::bigint[], '{0}')`;
    await sql`select pg_stat_force_next_flush()`;
    const touched = await sql<{ part: string }[]>`
      select relname as part from pg_stat_user_tables
      where relname like 'job\\_logs\\_202603%' and coalesce(idx_scan, 0) + seq_scan > 0 order by 1`;
    expect(touched.map(({ part }) => part.slice(-4))).toEqual(["0309", "0310", "0311"]);
  });

  test("is kept as long as its job, unless told otherwise", async () => {
    await using own = await createTestDatabase();
    const { sql } = own;
    await setClock(sql, "2026-03-02T10:00:00Z");
    await sql`select carillon.install_app('crm')`;
    await sql`select carillon.sweep()`;
    const { id } = await one(sql<{ id: number }[]>`select carillon.enqueue_job('crm') as id`);
    await sql`select * from carillon.claim_jobs('{crm}', 'w', 1, 30)`;
    await sql`select * from carillon.append_logs(
      ${sql.json([{ job_id: id, attempt: 1, lines: lines("a") }])})`;
    await sql`select carillon.finish_jobs(
      ${sql.json([{ job_id: id, attempt: 1, status: "completed" }])})`;
    await sql`select carillon.set_retention(job_days => 5)`;
    const count = async () =>
      (await one(sql<{ n: number }[]>`select count(*) as n from carillon.job_logs`)).n;
    await setClock(sql, "2026-03-07T10:00:00Z");
    await sql`select carillon.sweep()`;
    expect(await count()).toBe(1);
    const { r } = await one(
      sql<{ r: object }[]>`select carillon.set_retention(log_days => 4) as r`,
    );
    expect(r).toEqual({ jobRetentionDays: 5, logRetentionDays: 4 });
    await sql`select carillon.sweep()`;
    expect(await count()).toBe(0);
    expect(await sql`select * from carillon.list_logs(${id})`).toEqual([]);
    expect(await refusal(sql`select carillon.set_retention(log_days => 0)`)).toMatchObject({
      field: "logRetentionDays",
    });
  });
});
