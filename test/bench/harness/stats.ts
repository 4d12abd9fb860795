/** The middle value; of an even number, the mean of the two in the middle. */
export function median(values: readonly number[]): number {
  return percentile(values, 50);
}

/** A percentile, interpolated linearly; NaN of nothing. */
export function percentile(values: readonly number[], percent: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  const at = ((sorted.length - 1) * percent) / 100;
  const below = sorted[Math.floor(at)] ?? NaN;
  const above = sorted[Math.ceil(at)] ?? NaN;
  return below + (above - below) * (at - Math.floor(at));
}

/** Rounded to three significant figures, for people and for the line of JSON. */
export function round(value: number): number {
  return Number(value.toPrecision(3));
}

/** Seconds since an instant of `performance.now()`. */
export const since = (start: number): number => (performance.now() - start) / 1000;
