import type { BenchContext, Figures } from "../harness/benchmark.js";
import { enter, type Entrant, type SystemName } from "../harness/field.js";
import { median } from "../harness/stats.js";
import { table } from "../harness/table.js";

interface Way {
  readonly title: string;
  readonly system: SystemName;
  readonly atOnce: number;
  readonly seconds: number[];
}

const EMPTY: Partial<Record<SystemName, string>> = {
  carillon: "select carillon.sync_manifest(app => 'bench', manifest => '{}')",
  "pg-boss": "delete from pgboss.schedule",
};

/** Seconds to make 10,000 crons, each with a schedule that many share. Nothing is driven here. */
export async function creation(context: BenchContext): Promise<Figures> {
  const entrants = await enter(context, ["carillon", "pg-boss"]);
  const count = context.tiny ? 20 : 10_000;
  const ways: Way[] = [
    { title: "one manifest", system: "carillon", atOnce: 1, seconds: [] },
    { title: "a call each, 10 at once", system: "carillon", atOnce: 10, seconds: [] },
    { title: "schedule(), one by one", system: "pg-boss", atOnce: 1, seconds: [] },
    { title: "schedule(), 10 at once", system: "pg-boss", atOnce: 10, seconds: [] },
  ];
  for (let n = 0; n < context.rounds; n += 1) {
    for (const way of ways) {
      const entrant = entrants.find(({ name }) => name === way.system);
      if (entrant) way.seconds.push(await create(entrant, count, way.atOnce));
    }
  }
  const done = ways.filter(({ seconds }) => seconds.length > 0);
  context.say(
    table(
      [`making ${count} crons`, "system", "s"],
      done.map(({ title, system, seconds }) => [title, system, median(seconds)]),
    ),
  );
  const [manifest, calls, , boss] = ways.map(({ seconds }) => median(seconds));
  const figures = {
    create10k_manifest_s: manifest,
    create10k_calls_s: calls,
    create10k_pg_boss_s: boss,
  };
  return Object.fromEntries(
    Object.entries(figures).filter(([, value]) => Number.isFinite(value)),
  ) as Figures;
}

async function create(entrant: Entrant, count: number, atOnce: number): Promise<number> {
  const empty = EMPTY[entrant.name];
  if (empty !== undefined) {
    await using first = await entrant.start();
    await entrant.sql.unsafe(empty);
    await entrant.sql`vacuum analyze`;
    const seconds = (await first.call("schedule", {
      count,
      expression: "*/5 9-17 * * *",
      atOnce,
    })) as number;
    await entrant.sql.unsafe(empty);
    return seconds;
  }
  throw new Error(`${entrant.name} keeps its crons in its process`);
}
