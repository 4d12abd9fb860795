import type { Benchmark } from "./harness/benchmark.js";
import type { BenchSql } from "./harness/server.js";
import { median, percentile } from "./harness/stats.js";
import { table } from "./harness/table.js";

/*
 * What one claim of 100 jobs costs, by what else the queue holds. Beside it, pgmq.read on a queue
 * of its own that holds the same. Times are of single calls on one connection, round trip included.
 */

const BATCH = 100;

interface State {
  readonly title: string;
  readonly delayed: number;
  readonly leased: number;
  /** Jobs that come and go while a transaction held open keeps their remains from being removed. */
  readonly churned: number;
}

interface Result {
  readonly state: State;
  readonly ours: number[];
  readonly pgmq: number[];
}

const state = (title: string, given: Partial<State> = {}): State => ({
  ...{ delayed: 0, leased: 0, churned: 0 },
  ...given,
  title,
});

const STATES: readonly State[] = [
  state("nothing else"),
  state("10,000 delayed", { delayed: 10_000 }),
  state("1,000,000 delayed", { delayed: 1_000_000 }),
  state("100,000 leased", { leased: 100_000 }),
  state("100,000 gone under an open transaction", { churned: 100_000 }),
];

/** Names the two queues apart: what a job looks like, and how it is claimed. */
interface Queue {
  readonly name: string;
  fill(count: number, dueIn: string): Promise<unknown>;
  claim(count: number): Promise<unknown>;
  /** Claims and finishes so many. */
  churn(count: number): Promise<void>;
}

export const bench: Benchmark = async ({ server, tiny, rounds, say }) => {
  const url = await server.carillon("bench_claim");
  const sql = server.connect(url, 1);
  const other = server.connect(url, 1);
  await sql`select carillon.sync_manifest(app => 'bench', manifest => '{}')`;
  await sql`select pgmq.create('plain')`;
  const [ours, plain] = [carillonQueue(sql), pgmqQueue(sql)];
  const calls = tiny ? 2 : 50;
  const results = STATES.map((given): Result => ({
    state: tiny ? shrink(given) : given,
    ours: [],
    pgmq: [],
  }));
  for (let n = 1; n <= rounds; n += 1) {
    for (const result of results) {
      result.ours.push(...(await measure(sql, other, ours, result.state, calls)));
      result.pgmq.push(...(await measure(sql, other, plain, result.state, calls)));
    }
    say(`round ${n} of ${rounds} done`);
  }
  say(
    table(
      ["the queue also holds", "claim p50 ms", "p95 ms", "pgmq.read p50 ms", "p95 ms"],
      results.map((result) => [
        result.state.title,
        median(result.ours),
        percentile(result.ours, 95),
        median(result.pgmq),
        percentile(result.pgmq, 95),
      ]),
    ),
  );
  const [empty, , million, leased, held] = results.map((result) => median(result.ours));
  if (!empty || !million || !leased || !held) throw new Error("a state was not measured");
  return {
    claim_empty_ms: empty,
    claim_1m_delayed_ms: million,
    ratio_1m_delayed: million / empty,
    ratio_100k_leased: leased / empty,
    ratio_open_transaction: held / empty,
  };
};

const shrink = (given: State): State => ({
  title: given.title,
  delayed: Math.min(given.delayed, 1000),
  leased: Math.min(given.leased, 1000),
  churned: Math.min(given.churned, 1000),
});

async function measure(
  sql: BenchSql,
  other: BenchSql,
  queue: Queue,
  { delayed, leased, churned }: State,
  calls: number,
): Promise<number[]> {
  await sql.unsafe(`truncate ${queue.name}`);
  if (queue.name === "pgmq.q_jobs") await sql`truncate carillon.job_history`;
  if (leased > 0) {
    await queue.fill(leased, "0");
    await queue.claim(leased);
  }
  if (delayed > 0) await queue.fill(delayed, "1 day");
  await sql`vacuum analyze`;
  const times: number[] = [];
  await other.begin("isolation level repeatable read", async (tx) => {
    if (churned > 0) {
      await tx`select count(*) from pg_class`;
      await queue.fill(churned, "0");
      await queue.churn(churned);
    }
    await queue.fill((calls + 5) * BATCH, "0");
    if (churned === 0) await sql.unsafe(`analyze ${queue.name}`);
    for (let n = 0; n < calls + 5; n += 1) {
      const start = performance.now();
      await queue.claim(BATCH);
      if (n >= 5) times.push(performance.now() - start);
    }
  });
  return times;
}

function carillonQueue(sql: BenchSql): Queue {
  const claim = (count: number) => sql<{ job: string }[]>`
    select carillon.claim_jobs(
      apps => array['bench'], worker => 'bench', max_jobs => ${count}, lease_seconds => 3600) as job`;
  return {
    name: "pgmq.q_jobs",
    fill: (count, dueIn) => sql`
      insert into pgmq.q_jobs (enqueued_at, vt, message, headers)
      select now(), clock_timestamp() + ${dueIn}::interval, m.message, '{"trigger": "api"}'
      from (
        select jsonb_build_object('app_id', 'bench', 'user_id', (
          select id from carillon.principals where kind = 'system'
        ), 'payload', '{"text": "hello"}'::jsonb) as message
      ) m, generate_series(1, ${count})`,
    claim,
    churn: async (count) => {
      for (let left = count; left > 0; left -= 500) {
        const outcomes = (await claim(500)).map(({ job }) => {
          const [job_id, attempt] = JSON.parse(job) as [number, number];
          return { job_id, attempt, status: "completed" };
        });
        await sql`select carillon.finish_jobs(outcomes => ${sql.json(outcomes)})`;
      }
    },
  };
}

function pgmqQueue(sql: BenchSql): Queue {
  const claim = (count: number) => sql<{ msg_id: number }[]>`
    select * from pgmq.read('plain', 3600, ${count}::integer)`;
  return {
    name: "pgmq.q_plain",
    fill: (count, dueIn) => sql`
      insert into pgmq.q_plain (vt, message)
      select clock_timestamp() + ${dueIn}::interval, '{"app_id": "bench", "text": "hello"}'
      from generate_series(1, ${count})`,
    claim,
    churn: async (count) => {
      for (let left = count; left > 0; left -= 500) {
        const ids = (await claim(500)).map(({ msg_id }) => msg_id);
        await sql`select pgmq.archive('plain', ${ids}::bigint[])`;
      }
    },
  };
}
