import type { BenchServer } from "./server.js";

/** What a benchmark has found: the fields of the last line, all numbers. */
export type Figures = Record<string, number>;

/** What every benchmark is given. */
export interface BenchContext {
  readonly server: BenchServer;
  /** A run with tiny counts and without the peers, which only shows that the benchmark works. */
  readonly tiny: boolean;
  /** How often each contestant is measured; the median counts. */
  readonly rounds: number;
  /** Of benchmarks with several parts: only those whose title or name holds this. */
  readonly only: string;
  /** Prints a line, or a table, for people. */
  readonly say: (text: string) => void;
}

/** A module `test/bench/NAME.ts` exports this as `bench`. */
export type Benchmark = (context: BenchContext) => Promise<Figures>;
