import type { BenchContext, Benchmark, Figures } from "./harness/benchmark.js";
import { type Child, handled } from "./harness/child.js";
import type { WorkOptions } from "./harness/contestant.js";
import { enter, type Entrant, settle, type SystemName, untilDone } from "./harness/field.js";
import { median, since } from "./harness/stats.js";
import { table } from "./harness/table.js";

/*
 * Jobs a second through a queue that is full beforehand: from the word to begin until the database
 * says that every job is done. What each system keeps of a finished job is printed.
 */

const JOBS = 100_000;
const WARM_UP = 10_000;
const TIMEOUT_MS = 300_000;

/** One way to be measured. */
interface Lane {
  readonly title: string;
  readonly system: SystemName;
  readonly processes: number;
  readonly options: WorkOptions;
  readonly jobs: number;
}

interface Result {
  readonly lane: Lane;
  readonly rates: number[];
  readonly enqueueRates: number[];
}

function lanes(jobs: number, tiny: boolean): Lane[] {
  const lane = (
    title: string,
    system: SystemName,
    processes = 1,
    options: WorkOptions = {},
    share = 1,
  ) => ({ title, system, processes, options, jobs: Math.round(jobs * share) });
  const all = [
    lane("no-op", "carillon"),
    lane("no-op", "graphile-worker"),
    lane("no-op", "pg-boss"),
    lane("no-op", "pgmq", 1, { concurrency: 1 }),
    lane("no-op, 2 connections", "pgmq", 1, { concurrency: 2 }),
    lane("no-op, 4 processes", "carillon", 4),
    lane("no-op, 4 processes", "graphile-worker", 4),
    lane("no-op, 4 processes", "pg-boss", 4),
    lane("10 ms, 500 at once", "carillon", 1, { sleepMs: 10, concurrency: 500 }, 0.5),
    lane("10 ms, 500 at once", "graphile-worker", 1, { sleepMs: 10, concurrency: 500 }, 0.5),
    lane("10 ms, 5 × 100 at once", "pg-boss", 1, { sleepMs: 10, concurrency: 5 }, 0.5),
    lane("half fail", "carillon", 1, { failHalf: true }, 0.2),
    lane("half fail", "graphile-worker", 1, { failHalf: true }, 0.2),
    // Its batches fail as one: fetched one by one, it does some hundred a second.
    lane("half fail, 2,000 jobs", "pg-boss", 1, { failHalf: true }, 0.02),
    lane("a log line each", "carillon", 1, { log: true }),
    // Ten times as many: what has gone lies in the way until it is vacuumed.
    lane("a million no-ops", "carillon", 1, {}, 10),
    lane("a million no-ops", "graphile-worker", 1, {}, 10),
    lane("a million no-ops", "pg-boss", 1, {}, 10),
    lane("a million no-ops", "pgmq", 1, { concurrency: 1 }, 10),
  ];
  return tiny ? all.filter((one) => one.processes === 1 && one.jobs <= jobs) : all;
}

export const bench: Benchmark = async (context) => {
  const { say, tiny, rounds } = context;
  const entrants = await enter(context, ["carillon", "graphile-worker", "pg-boss", "pgmq"]);
  const jobs = tiny ? 200 : JOBS;
  const results = lanes(jobs, tiny)
    .filter(({ system }) => entrants.some(({ name }) => name === system))
    .filter(({ title, system }) => `${system} ${title}`.includes(context.only))
    .map((lane): Result => ({ lane, rates: [], enqueueRates: [] }));
  for (let n = 1; n <= rounds; n += 1) {
    for (const result of results) {
      const entrant = entrants.find(({ name }) => name === result.lane.system);
      if (entrant) await measure(context, entrant, result);
    }
    say(`round ${n} of ${rounds} done`);
  }
  say(
    table(
      ["handlers", "system", "processes", "jobs/s", "slowest", "fastest", "batch enqueue/s"],
      results.map(({ lane, rates, enqueueRates }) => [
        lane.title,
        entrants.find(({ name }) => name === lane.system)?.title ?? lane.system,
        lane.processes,
        median(rates),
        Math.min(...rates),
        Math.max(...rates),
        median(enqueueRates),
      ]),
    ),
  );
  return summarise(results);
};

/** One lane once: warm up, fill, vacuum, begin. */
async function measure({ tiny }: BenchContext, entrant: Entrant, result: Result): Promise<void> {
  const { jobs, processes, options } = result.lane;
  const children: Child[] = [];
  try {
    for (let n = 0; n < processes; n += 1) children.push(await entrant.start());
    await settle(entrant, true);
    if (!tiny) await drain(entrant, children, options, Math.min(WARM_UP, jobs));
    await settle(entrant, true);
    const [loader] = children;
    const enqueueSeconds = (await loader?.call("enqueue", { count: jobs })) as number;
    await settle(entrant, false);
    const seconds = await run(entrant, children, options, jobs);
    result.enqueueRates.push(jobs / enqueueSeconds);
    result.rates.push(jobs / seconds);
  } finally {
    await Promise.all(children.map((child) => child[Symbol.asyncDispose]()));
  }
}

async function drain(
  entrant: Entrant,
  children: readonly Child[],
  options: WorkOptions,
  jobs: number,
): Promise<void> {
  await children[0]?.call("enqueue", { count: jobs });
  await run(entrant, children, options, jobs);
}

async function run(
  entrant: Entrant,
  children: readonly Child[],
  options: WorkOptions,
  jobs: number,
): Promise<number> {
  const start = performance.now();
  const begun = Promise.all(children.map((child) => child.call("work", options)));
  const inTime = await handled(children, jobs, TIMEOUT_MS);
  if (!inTime) throw new Error(`${entrant.title} did not handle ${jobs} jobs in time`);
  await untilDone(entrant);
  const seconds = since(start);
  await begun;
  await Promise.all(children.map((child) => child.call("rest", {})));
  return seconds;
}

function summarise(results: readonly Result[]): Figures {
  const rate = (title: string, ...systems: SystemName[]) =>
    Math.max(
      ...results
        .filter(({ lane }) => lane.title.startsWith(title) && systems.includes(lane.system))
        .filter(({ lane }) => title.includes("4") || lane.processes === 1)
        .map(({ rates }) => median(rates)),
    );
  const enqueue = (system: SystemName) =>
    median(
      results
        .filter(({ lane }) => lane.system === system && lane.title === "no-op")
        .flatMap(({ enqueueRates }) => enqueueRates),
    );
  const figures = {
    jobs_per_s: rate("no-op", "carillon"),
    ratio_best_peer: rate("no-op", "carillon") / rate("no-op", "graphile-worker", "pg-boss"),
    ratio_pgmq: rate("no-op", "carillon") / rate("no-op", "pgmq"),
    enqueue_per_s: enqueue("carillon"),
    enqueue_ratio_pgmq: enqueue("carillon") / enqueue("pgmq"),
    ratio_best_peer_4:
      rate("no-op, 4", "carillon") / rate("no-op, 4", "graphile-worker", "pg-boss"),
    ratio_best_peer_10ms: rate("10 ms", "carillon") / rate("10 ms", "graphile-worker", "pg-boss"),
    ratio_best_peer_failing:
      rate("half fail", "carillon") / rate("half fail", "graphile-worker", "pg-boss"),
    logging_per_s: rate("a log line", "carillon"),
    million_per_s: rate("a million", "carillon"),
    ratio_best_peer_million:
      rate("a million", "carillon") / rate("a million", "graphile-worker", "pg-boss"),
    ratio_pgmq_million: rate("a million", "carillon") / rate("a million", "pgmq"),
  };
  return Object.fromEntries(
    Object.entries(figures).filter(([, value]) => Number.isFinite(value) && value > 0),
  );
}
