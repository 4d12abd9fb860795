import type { BenchContext } from "../harness/benchmark.js";
import { type Child, handled } from "../harness/child.js";
import { epochMs } from "../harness/contestant.js";
import { carillonEntrant, type Entrant, settle, untilDone } from "../harness/field.js";
import type { BenchSql } from "../harness/server.js";
import { median } from "../harness/stats.js";
import { copyCrons } from "./copies.js";
import {
  after,
  expressionAt,
  type Instant,
  lastCommit,
  minuteAfter,
  type Storm,
  summarise,
  untilInstant,
} from "./storm.js";

interface Plan {
  readonly key: string;
  readonly title: string;
  readonly crons: number;
  readonly distinct?: boolean;
  /** Whether the worker's ticker drives beside pg_cron, as it does unless it is switched off. */
  readonly ticker: boolean;
}

const PLANS: readonly Plan[] = [
  { key: "carillon1k", title: "carillon, one schedule", crons: 1000, ticker: true },
  { key: "carillon10k", title: "carillon, one schedule", crons: 10_000, ticker: true },
  { key: "carillon10k_pg_cron", title: "carillon, no ticker", crons: 10_000, ticker: false },
  {
    key: "carillon10k_distinct",
    title: "carillon, distinct schedules",
    crons: 10_000,
    distinct: true,
    ticker: true,
  },
  { key: "carillon100k", title: "carillon, one schedule", crons: 100_000, ticker: true },
];

/** What is beyond any manifest is put into the table, and on its beat, by SQL. */
const MOST_BY_MANIFEST = 20_000;

/** A worker process, and minutes at which everything is due at once. */
export async function carillonStorms(context: BenchContext): Promise<Storm[]> {
  const { say, tiny, rounds, only } = context;
  const entrant = await carillonEntrant(context);
  const plans = tiny
    ? PLANS.slice(1, 2).map((plan) => ({ ...plan, crons: 20 }))
    : PLANS.filter(({ key }) => key.includes(only));
  if (plans.length === 0) return [];
  const storms: Storm[] = [];
  for (const plan of plans) {
    const instants: Instant[] = [];
    for (let n = 0; n < rounds; n += 1) instants.push(await storm(context, entrant, plan));
    storms.push(summarise(plan.key, plan.title, plan.crons, instants));
    say(`${plan.title}, ${plan.crons} crons: handled ${show(instants)} s after the instant`);
  }
  return storms;
}

const show = (instants: readonly Instant[]) =>
  `${median(instants.map((instant) => instant.handled ?? NaN)).toFixed(2)}`;

async function storm(context: BenchContext, entrant: Entrant, plan: Plan): Promise<Instant> {
  const { sql } = entrant;
  await using worker = await entrant.start();
  await sql`select carillon.sync_manifest(app => 'bench', manifest => '{}')`;
  await settle(entrant, true);
  // What the worker has never run, it runs slowly: this is a worker that has been up for a while.
  await worker.call("work", { schedules: plan.ticker });
  const warm = context.tiny ? 10 : 3000;
  await worker.call("enqueue", { count: warm });
  await handled([worker], warm, 60_000);
  await untilDone(entrant);

  const instant = await prepare(context, worker, sql, plan);
  await sql`vacuum analyze carillon.crons`;
  await sql`vacuum analyze pgmq.q_jobs`;
  await untilInstant(instant);
  await handled([worker], warm + plan.crons, 150_000);
  await untilDone(entrant);
  const { handled: total, lastAt } = worker.progress;
  const at = `scheduled_for = '${new Date(instant).toISOString()}'`;
  const ticks = await sql.unsafe<{ driver: string; jobs: number }[]>(
    `select driver, count(msg_id) as jobs from carillon.ticks where ${at} group by 1 order by 2 desc`,
  );
  const result = {
    enqueuedJobs: ticks.reduce((sum, { jobs }) => sum + jobs, 0),
    handledJobs: total - warm,
    enqueued: after(instant, await lastCommit(sql, "carillon.ticks", at)),
    handled: after(instant, total > warm ? lastAt : null),
    recorded: after(instant, await lastCommit(sql, "carillon.job_history", at)),
    driver: ticks.map(({ driver }) => driver).join("+"),
  };
  await worker.call("rest", {});
  return result;
}

/** Makes the crons and says when they are due; the first minute that leaves time to make them. */
async function prepare(
  { tiny }: BenchContext,
  worker: Child,
  sql: BenchSql,
  { crons, distinct = false }: Plan,
): Promise<number> {
  if (tiny) {
    const soon = Math.ceil(epochMs() / 1000) * 1000 + 1000;
    const expression = `at ${new Date(soon).toISOString()}`;
    await worker.call("schedule", { count: crons, expression, atOnce: 1 });
    return soon;
  }
  const instant = minuteAfter(
    5 + crons / (distinct ? 100 : crons > MOST_BY_MANIFEST ? 5000 : 1000),
  );
  const expression = expressionAt(instant, distinct);
  if (crons > MOST_BY_MANIFEST) await insertCrons(sql, crons, expression, instant);
  else await worker.call("schedule", { count: crons, expression, atOnce: 1 });
  if (epochMs() > instant - 1000) throw new Error(`making ${crons} crons took too long`);
  return instant;
}

async function insertCrons(sql: BenchSql, count: number, schedule: string, instant: number) {
  const due = `'${new Date(instant).toISOString()}'::timestamptz`;
  await copyCrons(sql, { from: 1, to: count, schedule, due });
  await sql`select carillon._enlist_crons(array(select id from carillon.crons))`;
}
