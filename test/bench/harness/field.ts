import { install } from "../../../src/deploy/install.js";
import type { BenchContext } from "./benchmark.js";
import { Child } from "./child.js";
import { installPeers, peerNode, peerVersion } from "./peers.js";
import type { BenchSql } from "./server.js";

export type SystemName = "carillon" | "graphile-worker" | "pg-boss" | "pgmq";

interface System {
  readonly program: URL;
  readonly isPeer: boolean;
  /** What stays of a finished job. */
  readonly keeps: string;
  readonly settings: string;
  /** Whether any job is not yet recorded as done. */
  readonly busy: string;
  /** Empties what a round left behind, so that each begins alike. */
  readonly clear: string;
}

const program = (path: string) => new URL(`../${path}`, import.meta.url);

const SYSTEMS: Record<SystemName, System> = {
  carillon: {
    program: program("systems/carillon.ts"),
    isPeer: false,
    keeps: "every job with result, error, attempts, times, worker: partitioned, 3 indexes",
    settings: "concurrency 500",
    busy: "select exists (select from pgmq.q_jobs where vt <= clock_timestamp() or headers ? 'lease') as busy",
    clear: "truncate pgmq.q_jobs, carillon.job_history",
  },
  "graphile-worker": {
    program: program("peers/graphile-worker.ts"),
    isPeer: true,
    keeps: "nothing: finished jobs are deleted",
    settings: "concurrentJobs 24, localQueue 500, completeJobBatchDelay 0, failJobBatchDelay 0",
    busy: `select exists (
      select from graphile_worker._private_jobs where attempts < max_attempts or locked_at is not null
    ) as busy`,
    clear: "truncate graphile_worker._private_jobs",
  },
  "pg-boss": {
    program: program("peers/pg-boss.ts"),
    isPeer: true,
    keeps: "every job as a row in the job table (7 days), output included",
    settings: "batchSize 500, localConcurrency 2, burstWhenBatchFull, NOTIFY",
    busy: "select exists (select from pgboss.job where name = 'bench' and state < 'completed') as busy",
    clear: "delete from pgboss.job where name = 'bench'",
  },
  pgmq: {
    program: program("systems/pgmq.ts"),
    isPeer: false,
    keeps: "the message only, in the archive: no outcome, 1 index",
    settings: "read 500, archive 500, one loop per connection",
    busy: "select exists (select from pgmq.q_bench) as busy",
    clear: "truncate pgmq.q_bench, pgmq.a_bench",
  },
};

/** A system that takes part in a run: its database, and ways to start processes of it. */
export interface Entrant {
  readonly name: SystemName;
  /** With its version. */
  readonly title: string;
  readonly system: System;
  readonly url: string;
  readonly sql: BenchSql;
  /** Starts a process of it that is connected. */
  start(): Promise<Child>;
}

/** Sets up one database per system; in a tiny run, without the peers. */
export async function enter(
  context: BenchContext,
  names: readonly SystemName[],
): Promise<Entrant[]> {
  const wanted = names.filter((name) => !context.tiny || !SYSTEMS[name].isPeer);
  if (wanted.some((name) => SYSTEMS[name].isPeer)) await installPeers(context.say);
  const entrants: Entrant[] = [];
  for (const name of wanted) {
    const { server } = context;
    const database = `bench_${name.replace("-", "_")}`;
    const url = await (name === "carillon" ? server.carillon(database) : server.database(database));
    entrants.push(await entrant(context, name, url));
  }
  return entrants;
}

/** Carillon alone, in pg_cron's database and with pg_cron driving it, where the server has it. */
export async function carillonEntrant(context: BenchContext): Promise<Entrant> {
  await install(context.server.cronUrl);
  return entrant(context, "carillon", context.server.cronUrl);
}

async function entrant(
  { server, say }: BenchContext,
  name: SystemName,
  url: string,
): Promise<Entrant> {
  const system = SYSTEMS[name];
  const title = system.isPeer ? await peerVersion(name) : name;
  const start = async () => {
    const child = new Child(system.program, system.isPeer ? peerNode : process.execPath);
    await child.call("open", { url });
    return child;
  };
  say(`${title}: keeps ${system.keeps}; ${system.settings}`);
  return { name, title, system, url, sql: server.connect(url), start };
}

/** Empties the tables and lets the planner know what they hold now. */
export async function settle({ sql, system }: Entrant, clear: boolean): Promise<void> {
  if (clear) await sql.unsafe(system.clear);
  await sql.unsafe("vacuum analyze");
}

/** Waits until every job is recorded as done. */
export async function untilDone({ sql, system }: Entrant): Promise<void> {
  for (;;) {
    const [row] = await sql.unsafe<{ busy: boolean }[]>(system.busy);
    if (row?.busy === false) return;
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}
