import type { BenchContext } from "../harness/benchmark.js";
import { handled } from "../harness/child.js";
import { enter, type Entrant, settle } from "../harness/field.js";
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

const CRONS = 10_000;
const JOBS_OF_PG_CRON = 1000;
/** How long after the instant a system may still be at it. */
const PATIENCE_MS = 90_000;

export async function peerStorms(context: BenchContext): Promise<Storm[]> {
  const only = context.only === "peers" ? "" : context.only;
  if (only !== "" && !"graphile10k pg_boss10k pg_cron1k".includes(only)) return [];
  const [graphile, boss] = await enter(context, ["graphile-worker", "pg-boss"]);
  if (graphile === undefined || boss === undefined) return [];
  const storms: Storm[] = [];
  const observe = async (
    key: string,
    title: string,
    crons: number,
    one: () => Promise<Instant>,
  ) => {
    if (!key.includes(only)) return;
    const instants: Instant[] = [];
    for (let n = 0; n < context.rounds; n += 1) instants.push(await one());
    storms.push(summarise(key, title, crons, instants));
    context.say(`${title}: done`);
  };
  await observe("graphile10k", `${graphile.title}, cron items`, CRONS, () =>
    storm(
      graphile,
      "graphile_worker._private_known_crontabs",
      (instant) => `last_execution >= '${new Date(instant).toISOString()}'`,
    ),
  );
  await observe("pg_boss10k", `${boss.title}, schedules`, CRONS, () =>
    storm(boss, "pgboss.job", () => "name = 'bench'"),
  );
  await observe("pg_cron1k", "pg_cron, a job each", JOBS_OF_PG_CRON, () => pgCron(context));
  const measured = storms.find(({ key }) => key === "pg_cron1k");
  if (measured) {
    const factor = CRONS / JOBS_OF_PG_CRON;
    storms.push({
      ...measured,
      title: "pg_cron, a job each (extrapolated)",
      key: "pg_cron10k",
      crons: CRONS,
      jobs: measured.jobs * factor,
      enqueued: measured.enqueued * factor,
      handled: measured.handled * factor,
    });
  }
  return storms;
}

async function storm(
  entrant: Entrant,
  relation: string,
  condition: (instant: number) => string,
): Promise<Instant> {
  const { sql } = entrant;
  await using worker = await entrant.start();
  await settle(entrant, true);
  const instant = minuteAfter(25);
  await worker.call("schedule", {
    count: CRONS,
    expression: expressionAt(instant, false),
    atOnce: 10,
  });
  await settle(entrant, true);
  await worker.call("work", { schedules: true });
  await untilInstant(instant);
  await handled([worker], CRONS, PATIENCE_MS);
  const { handled: total, lastAt } = worker.progress;
  const visible = await lastCommit(sql, relation, condition(instant));
  await worker.call("rest", {});
  return {
    enqueuedJobs: total,
    handledJobs: total,
    enqueued: after(instant, visible),
    handled: after(instant, total > 0 ? lastAt : null),
    recorded: null,
    driver: "its own process",
  };
}

/** pg_cron without Carillon: each job sends one message. Nothing handles them. */
async function pgCron({ server }: BenchContext): Promise<Instant> {
  const sql = server.connect(server.cronUrl, 1);
  await sql`create extension if not exists pg_cron`;
  await sql`create extension if not exists pgmq`;
  await sql`select pgmq.create('storm')`;
  await sql`truncate pgmq.q_storm`;
  const instant = minuteAfter(10);
  await sql`
    select cron.schedule('storm ' || n, ${expressionAt(instant, false)}, $$select pgmq.send('storm', '{}')$$)
    from generate_series(1, ${JOBS_OF_PG_CRON}::integer) as n`;
  await untilInstant(instant);
  for (let n = 0; n < PATIENCE_MS / 100; n += 1) {
    const [row] = await sql<{ sent: number }[]>`select count(*) as sent from pgmq.q_storm`;
    if (row && row.sent >= JOBS_OF_PG_CRON) break;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  const [row] = await sql<{ sent: number }[]>`select count(*) as sent from pgmq.q_storm`;
  const visible = after(instant, await lastCommit(sql, "pgmq.q_storm", "true"));
  await sql`select cron.unschedule(jobid) from cron.job where jobname like 'storm %'`;
  return {
    enqueuedJobs: row?.sent ?? 0,
    handledJobs: row?.sent ?? 0,
    enqueued: visible,
    handled: visible,
    recorded: null,
    driver: "pg_cron",
  };
}
