import type { Benchmark } from "./harness/benchmark.js";
import type { BenchSql } from "./harness/server.js";
import { median, percentile, since } from "./harness/stats.js";
import { table } from "./harness/table.js";
import { fillHistory, JOBS_OF, rollUpOutline } from "./history/fill.js";
import { PlanWatch } from "./history/plans.js";

/*
 * What a page of the list of jobs and a call for statistics cost over a history of ten million jobs
 * in thirty days, by what they ask for. Times are of the call inside the database, on one connection,
 * with the pages in memory. Pages are asked for from the newest on, and from places anywhere in between.
 * The sweep rolls ten million jobs up in half an hour; `--only lists` does without what only the
 * statistics need.
 */

interface Question {
  readonly title: string;
  readonly app?: string;
  readonly filter: Readonly<Record<string, unknown>>;
  readonly sort?: "newest" | "oldest" | "due";
  /** A page that begins at a place anywhere in the list. */
  readonly deep?: boolean;
}

interface Timed {
  readonly title: string;
  readonly ms: number[];
  readonly rows: number;
  readonly indexes: string;
}

const CRON = "00000000-0000-4000-8000-000000000013";
const SPARSE = "00000000-0000-4000-8000-00000000ffff";
const days = (ago: number) => new Date(Date.now() - ago * 86_400_000).toISOString();

const QUESTIONS: readonly Question[] = [
  { title: "an app", filter: {} },
  { title: "an app, anywhere", filter: {}, deep: true },
  { title: "an app, oldest first", filter: {}, sort: "oldest" },
  { title: "a small app", app: "small", filter: {} },
  { title: "status failed", filter: { status: ["failed"] } },
  { title: "status failed, anywhere", filter: { status: ["failed"] }, deep: true },
  { title: "status canceled or failed", filter: { status: ["failed", "canceled"] } },
  { title: "status pending", filter: { status: ["pending"] } },
  { title: "pending by due time", filter: { status: ["pending"] }, sort: "due" },
  { title: "a cron", filter: { cronId: CRON } },
  { title: "a cron, anywhere", filter: { cronId: CRON }, deep: true },
  { title: "failed of a cron", filter: { cronId: CRON, status: ["failed"] } },
  { title: "a cron once a day", filter: { cronId: SPARSE } },
  { title: "trigger manual (1 in 1,009)", filter: { trigger: ["manual"] } },
  { title: "trigger automatic", filter: { trigger: ["automatic"] } },
  { title: "a tag of many", filter: { tag: "eu" } },
  { title: "a tag of many, anywhere", filter: { tag: "eu" }, deep: true },
  { title: "a tag of a few", filter: { tag: "order-77" } },
  { title: "a tag and failed", filter: { tag: "eu", status: ["failed"] } },
  { title: "manual and failed", filter: { trigger: ["manual"], status: ["failed"] } },
  {
    title: "finished in an hour, 9 days ago",
    filter: { finishedAfter: days(9), finishedBefore: days(8.96) },
  },
  {
    title: "enqueued on a day, 9 days ago",
    filter: { enqueuedAfter: days(9), enqueuedBefore: days(8) },
  },
  { title: "started since an hour", filter: { startedAfter: days(1 / 24) } },
];

interface StatsQuestion {
  readonly title: string;
  readonly days: number;
  readonly cron?: string;
  readonly bucket?: string;
  readonly timezone?: string;
}

const STATS: readonly StatsQuestion[] = [
  { title: "24 hours of an app", days: 1 },
  { title: "2 hours of an app by minute", days: 2 / 24, bucket: "1m" },
  { title: "7 days of an app by hour", days: 7, bucket: "1h" },
  { title: "30 days of an app by day", days: 29, bucket: "1d" },
  {
    title: "30 days of an app by day in New York",
    days: 29,
    bucket: "1d",
    timezone: "America/New_York",
  },
  { title: "30 days of a cron by day", days: 29, cron: CRON, bucket: "1d" },
  { title: "24 hours of a cron", days: 1, cron: CRON },
];

export const bench: Benchmark = async ({ server, tiny, say, only }) => {
  if (!["", "lists"].includes(only)) return {};
  const url = await server.carillon("bench_history");
  const sql = server.connect(url, 1);
  const jobs = tiny ? JOBS_OF.tiny : JOBS_OF.full;
  let start = performance.now();
  await fillHistory(sql, jobs, { main: CRON, sparse: SPARSE });
  say(`${jobs.toLocaleString("en")} jobs in 30 days, in ${since(start).toFixed(0)} s`);
  start = performance.now();
  await (only === "lists" ? rollUpOutline(sql) : rollUp(sql));
  say(`rolled up in ${since(start).toFixed(0)} s`);
  await sql`vacuum analyze`;

  await using watch = await PlanWatch.open(url);
  const calls = tiny ? 3 : 30;
  const lists: Timed[] = [];
  for (const question of QUESTIONS) lists.push(await timeList(sql, watch, question, calls, jobs));
  say(
    table(
      ["a page of 100 jobs of", "p50 ms", "p95 ms", "max ms", "rows", "by"],
      lists.map(({ title, ms, rows, indexes }) => [
        title,
        median(ms),
        percentile(ms, 95),
        Math.max(...ms),
        rows,
        indexes,
      ]),
    ),
  );
  const figures = {
    jobs,
    list_p50_worst_ms: Math.max(...lists.map(({ ms }) => median(ms))),
    list_p95_worst_ms: Math.max(...lists.map(({ ms }) => percentile(ms, 95))),
  };
  if (only === "lists") return figures;
  const stats: Timed[] = [];
  for (const question of STATS) stats.push(await timeStats(sql, watch, question, calls));
  say(
    table(
      ["statistics of", "p50 ms", "p95 ms", "max ms", "by"],
      stats.map(({ title, ms, indexes }) => [
        title,
        median(ms),
        percentile(ms, 95),
        Math.max(...ms),
        indexes,
      ]),
    ),
  );
  return {
    ...figures,
    stats_p50_worst_ms: Math.max(...stats.map(({ ms }) => median(ms))),
  };
};

/** The sweep's own work, as often as it takes. */
async function rollUp(sql: BenchSql): Promise<void> {
  for (;;) {
    await sql`select carillon._roll_up()`;
    const [row] = await sql<{ done: boolean }[]>`
      select carillon._stats_until() > now() - interval '1 minute' as done`;
    if (row?.done === true) return;
  }
}

/** A cursor somewhere in the list of ids. */
const anywhere = (jobs: number) =>
  Buffer.from(`newest ${Math.ceil(Math.random() * jobs)}`).toString("base64url");

async function timeList(
  sql: BenchSql,
  watch: PlanWatch,
  question: Question,
  calls: number,
  jobs: number,
): Promise<Timed> {
  const { title, app = "app3", filter, sort = "newest", deep = false } = question;
  const ask = (on: BenchSql | PlanWatch["sql"]) => {
    const cursor = deep ? anywhere(jobs) : null;
    return on<{ ms: number; rows: number }[]>`
      select t.ms, t.rows from bench_page(${app}, ${on.json(filter as never)}, ${sort}, ${cursor}) t`;
  };
  const answers = await several(calls, async () => (await ask(sql))[0]);
  return {
    title,
    ms: answers.map(({ ms }) => ms),
    rows: answers.at(-1)?.rows ?? 0,
    indexes: await watch.indexesOf(() => ask(watch.sql)),
  };
}

async function timeStats(
  sql: BenchSql,
  watch: PlanWatch,
  question: StatsQuestion,
  calls: number,
): Promise<Timed> {
  const { title, cron = null, bucket = null, timezone = "GMT" } = question;
  const ask = (on: BenchSql | PlanWatch["sql"]) => on<{ ms: number }[]>`
    select bench_stats('app3', ${cron}::uuid, ${days(question.days)}::timestamptz, ${bucket}::text, ${timezone}) as ms`;
  const answers = await several(calls, async () => (await ask(sql))[0]);
  const ms = answers.map((answer) => answer.ms);
  return { title, ms, rows: 0, indexes: await watch.indexesOf(() => ask(watch.sql)) };
}

/** Answers of so many calls, after three to warm up. */
async function several<T>(calls: number, ask: () => Promise<T | undefined>): Promise<T[]> {
  const answers: T[] = [];
  for (let n = -3; n < calls; n += 1) {
    const answer = await ask();
    if (answer === undefined) throw new Error("no answer");
    if (n >= 0) answers.push(answer);
  }
  return answers;
}
