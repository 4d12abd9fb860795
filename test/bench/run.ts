import { loadavg } from "node:os";
import { parseArgs } from "node:util";

import type { BenchContext, Benchmark } from "./harness/benchmark.js";
import { installPeers } from "./harness/peers.js";
import { BenchServer } from "./harness/server.js";
import { round } from "./harness/stats.js";

/*
 * npm run bench -- NAME [--tiny] [--rounds 3] [--only PART]
 *
 * Brings up a private server, measures Carillon and its peers on it side by side, prints tables for
 * people, and ends with one line of JSON.
 */

const BENCHMARKS: Record<string, () => Promise<Benchmark>> = {
  storm: async () => (await import("./storm.js")).bench,
  throughput: async () => (await import("./throughput.js")).bench,
  latency: async () => (await import("./latency.js")).bench,
  claim: async () => (await import("./claim.js")).bench,
  http: async () => (await import("./http.js")).bench,
  api: async () => (await import("./api.js")).bench,
  history: async () => (await import("./history.js")).bench,
  schedule: () => Promise.resolve(schedule),
};

const schedule: Benchmark = async ({ server, tiny, say }) => {
  if (!tiny) await installPeers(say);
  const { benchSchedule } = await import("./schedule.js");
  const sql = server.connect(await server.carillon("bench_schedule"), 1);
  const found = await benchSchedule(sql, { calls: tiny ? 1 : 20_000, print: say });
  const numbers = Object.entries(found).filter(([, value]) => typeof value === "number");
  return Object.fromEntries(numbers);
};

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      tiny: { type: "boolean", default: false },
      rounds: { type: "string" },
      only: { type: "string" },
    },
  });
  const [name = ""] = positionals;
  const load = BENCHMARKS[name];
  const rounds = values.tiny ? 1 : Number(values.rounds ?? 3);
  if (load === undefined || positionals.length !== 1 || !(rounds >= 1)) {
    const names = Object.keys(BENCHMARKS).join(", ");
    console.error(
      `usage: npm run bench -- NAME [--tiny] [--rounds 3] [--only PART]\nNAME is one of ${names}`,
    );
    process.exitCode = 2;
    return;
  }
  const bench = await load();
  const loadBefore = loadavg()[0] ?? 0;
  await using server = await BenchServer.start(console.log);
  console.log(`machine: load average ${round(loadBefore)} before the run, node ${process.version}`);
  const context: BenchContext = {
    ...{ server, rounds, say: console.log },
    tiny: values.tiny,
    only: values.only ?? "",
  };
  const figures = await bench(context);
  if (Object.keys(figures).length === 0) {
    console.error(`nothing was measured: ${name} has no part "${context.only}"`);
    process.exitCode = 2;
    return;
  }
  const rounded = Object.entries(figures).map(([field, value]) => [field, round(value)]);
  console.log(
    JSON.stringify({
      bench: name,
      tiny: values.tiny,
      rounds,
      load_before: round(loadBefore),
      ...Object.fromEntries(rounded),
    }),
  );
}

await main();
