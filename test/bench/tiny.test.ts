import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

import { describe, expect, test } from "vitest";

/** Fields that a benchmark finds without its peers; a full run finds more. */
const BENCHMARKS = {
  storm: ["storm10k_s", "ratio_tick_1m_crons", "create10k_manifest_s"],
  throughput: ["jobs_per_s", "ratio_pgmq", "enqueue_ratio_pgmq"],
  latency: ["p50_ms", "p99_ms"],
  claim: ["ratio_1m_delayed", "ratio_100k_leased", "ratio_open_transaction"],
  http: ["calls_per_s", "ratio_undici", "dispatcher_ratio"],
  api: ["list_rps", "get_p99_ms", "create_ratio_db", "trigger_rps"],
  history: ["list_p50_worst_ms", "stats_p50_worst_ms"],
  schedule: ["typical_mean_us"],
};

const here = (path: string) => fileURLToPath(new URL(path, import.meta.url));

describe("the benchmarks, with tiny counts", { timeout: 180_000 }, () => {
  test.for(Object.entries(BENCHMARKS))(
    "%s ends with its line of figures",
    async ([name, fields]) => {
      const { stdout } = await promisify(execFile)(process.execPath, [
        ...["--import", here("./harness/register.mjs")],
        ...[here("./run.ts"), name, "--tiny"],
      ]);
      const last = stdout.trim().split("\n").at(-1) ?? "";
      const figures = JSON.parse(last) as Record<string, unknown>;
      expect(figures.bench).toBe(name);
      for (const field of fields) {
        expect(figures[field], field).toBeTypeOf("number");
      }
    },
  );

  test("a benchmark that does not exist is told what there is", async () => {
    const run = promisify(execFile)(process.execPath, [
      ...["--import", here("./harness/register.mjs")],
      ...[here("./run.ts"), "nothing"],
    ]);
    await expect(run).rejects.toMatchObject({ code: 2 });
    await expect(run).rejects.toThrow(/storm, throughput, latency, claim/);
  });
});
