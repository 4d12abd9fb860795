import type { BenchContext, Benchmark, Figures } from "./harness/benchmark.js";
import { creation } from "./storm/creation.js";
import { growth } from "./storm/growth.js";
import { carillonStorms } from "./storm/carillon.js";
import { peerStorms } from "./storm/peers.js";
import { stormTable } from "./storm/storm.js";

/*
 * Many crons due at one instant: seconds from the instant to the last enqueue (the commit that made
 * it visible) and to the last handler, in real time and with real drivers. Then what a tick costs as
 * crons grow in number, and what making them costs.
 */
export const bench: Benchmark = async (context) => {
  const { only } = context;
  const figures: Figures = {};
  if (only !== "growth" && only !== "creation") Object.assign(figures, await storms(context));
  if (only === "" || only === "growth") Object.assign(figures, await growth(context));
  if (only === "" || only === "creation") Object.assign(figures, await creation(context));
  return figures;
};

async function storms(context: BenchContext): Promise<Figures> {
  const ours = await carillonStorms(context);
  const peers = context.tiny ? [] : await peerStorms(context);
  context.say(stormTable([...ours, ...peers]));
  const handledOf = (key: string) =>
    [...ours, ...peers].find((storm) => storm.key === key)?.handled;
  const storm10k = handledOf("carillon10k");
  const peer10k = handledOf("graphile10k");
  const fields: Record<string, number | undefined> = {
    storm1k_s: handledOf("carillon1k"),
    storm10k_s: storm10k,
    storm10k_pg_cron_s: handledOf("carillon10k_pg_cron"),
    storm10k_distinct_s: handledOf("carillon10k_distinct"),
    storm100k_s: handledOf("carillon100k"),
    storm10k_graphile_s: peer10k,
    storm10k_pg_boss_s: handledOf("pg_boss10k"),
    storm10k_pg_cron_job_each_s: handledOf("pg_cron10k"),
    ratio_best_peer: storm10k && peer10k ? peer10k / storm10k : undefined,
  };
  const known = Object.entries(fields).filter(([, value]) => value !== undefined);
  return Object.fromEntries(known) as Figures;
}
