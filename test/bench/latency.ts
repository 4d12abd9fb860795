import type { BenchContext, Benchmark } from "./harness/benchmark.js";
import { handled } from "./harness/child.js";
import { enter, type Entrant, settle } from "./harness/field.js";
import { median, percentile } from "./harness/stats.js";
import { table } from "./harness/table.js";

/*
 * Milliseconds from just before a job is enqueued, by one process, to the start of its handler in
 * another, at a rate at which no queue builds up.
 */

interface Result {
  readonly entrant: Entrant;
  readonly p50: number[];
  readonly p99: number[];
  worst: number;
}

export const bench: Benchmark = async (context) => {
  const { say, rounds } = context;
  const entrants = await enter(context, ["carillon", "graphile-worker", "pg-boss"]);
  const results = entrants.map((entrant): Result => ({ entrant, p50: [], p99: [], worst: 0 }));
  for (let n = 1; n <= rounds; n += 1) {
    for (const result of results) await measure(context, result);
    say(`round ${n} of ${rounds} done`);
  }
  say(
    table(
      ["enqueue to handler", "p50 ms", "p99 ms", "worst ms"],
      results.map(({ entrant, p50, p99, worst }) => [
        entrant.title,
        median(p50),
        median(p99),
        worst,
      ]),
    ),
  );
  const [ours, ...peers] = results;
  if (ours === undefined) throw new Error("Carillon does not take part");
  const p50 = median(ours.p50);
  const p99 = median(ours.p99);
  if (peers.length === 0) return { p50_ms: p50, p99_ms: p99 };
  return {
    p50_ms: p50,
    p99_ms: p99,
    p50_ratio_best_peer: p50 / Math.min(...peers.map((peer) => median(peer.p50))),
    p99_ratio_best_peer: p99 / Math.min(...peers.map((peer) => median(peer.p99))),
  };
};

async function measure({ tiny }: BenchContext, result: Result): Promise<void> {
  const { entrant } = result;
  await using worker = await entrant.start();
  await using sender = await entrant.start();
  await settle(entrant, true);
  await worker.call("work", { concurrency: entrant.name === "pg-boss" ? 1 : 24 });
  const send = async (count: number, everyMs: number) => {
    const before = worker.progress.handled;
    await sender.call("send", { count, everyMs });
    const all = await handled([worker], before + count, 30_000);
    if (!all) throw new Error(`${entrant.title} did not handle ${count} jobs in time`);
    return (await worker.call("latencies", {})) as number[];
  };
  await send(tiny ? 5 : 100, 10);
  const latencies = await send(tiny ? 10 : 300, 33);
  await worker.call("rest", {});
  result.p50.push(percentile(latencies, 50));
  result.p99.push(percentile(latencies, 99));
  result.worst = Math.max(result.worst, ...latencies);
}
