/*
 * Where seconds stand on an axis, and which of them are written there. What is drawn comes from buckets
 * that the server made.
 */

/** Puts a value between 0 (the lowest that is shown) and 1 (the highest). */
export interface Scale {
  at: (value: number) => number;
  /** What is written beside it, from low to high. */
  ticks: readonly number[];
}

/** Lengths of time that read well: a tenth, a fifth and half of each unit and of ten of it. */
const ROUND = [
  ...[0.0001, 0.0002, 0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5],
  ...[1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800],
  ...[3600, 7200, 10_800, 21_600, 43_200, 86_400, 172_800, 432_000, 864_000],
] as const;

/** For an axis on which each step is some ten times the one before. */
const DECADES = [0.0001, 0.001, 0.01, 0.1, 1, 10, 60, 600, 3600, 36_000, 360_000] as const;

/** Beyond this ratio the short ones would lie on the ground. */
const WIDE = 50;
const MOST_TICKS = 5;

/** An axis of seconds for these values; by ratio, where they differ very much. */
export function secondsScale(values: readonly number[]): Scale {
  const shown = values.filter((value) => value > 0);
  const most = Math.max(...shown, 0);
  const least = Math.min(...shown, most);
  return most > least * WIDE ? byRatio(least, most) : byDistance(most);
}

function byDistance(most: number): Scale {
  const step = ROUND.find((one) => most / one <= MOST_TICKS - 1) ?? most / (MOST_TICKS - 1);
  const top = Math.max(1, Math.ceil(most / (step || 1))) * (step || 1);
  const ticks = Array.from({ length: Math.round(top / (step || 1)) + 1 }, (_, n) => n * step);
  return { at: (value) => Math.min(1, Math.max(0, value / top)), ticks };
}

function byRatio(least: number, most: number): Scale {
  const low = DECADES.findLast((one) => one <= least) ?? DECADES[0];
  const high = DECADES.find((one) => one >= most) ?? most;
  const [from, to] = [Math.log(low), Math.log(high)];
  const all = [...DECADES.filter((one) => one >= low && one <= high), high];
  const ticks = [...new Set(all)];
  const every = Math.ceil(ticks.length / MOST_TICKS);
  return {
    at: (value) => (value <= low ? 0 : Math.min(1, (Math.log(value) - from) / (to - from))),
    ticks: ticks.filter((_, n) => n % every === 0),
  };
}
