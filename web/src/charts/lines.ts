/*
 * Lines and bands over buckets, as paths; what no bucket has is a gap.
 */

/** Where each bucket's value is, in pixels. */
export type Points = readonly (readonly [x: number, y: number] | undefined)[];

/** Buckets without a value that a line still goes across, in usual distances. */
const ACROSS = 2.5;

/**
 * The stretches without a gap: a cron that fires once a day has an empty bucket each hour between, and
 * a day without is a gap.
 */
export function stretches(points: Points): [x: number, y: number][][] {
  const places = points.flatMap((point, at) => (point === undefined ? [] : [at]));
  const steps = places.slice(1).map((at, n) => at - (places[n] ?? 0));
  const usual = steps.toSorted((a, b) => a - b)[Math.floor((steps.length - 1) / 2)] ?? 1;
  const found: [number, number][][] = [];
  let before: number | undefined;
  for (const at of places) {
    const [x = 0, y = 0] = points[at] ?? [];
    if (before === undefined || at - before > usual * ACROSS) found.push([]);
    found.at(-1)?.push([x, y]);
    before = at;
  }
  return found;
}

/** Straight from value to value; one that stands alone is a dot. */
export function linePath(points: Points): string {
  return stretches(points)
    .map((some) =>
      some.length === 1
        ? some.map(([x, y]) => `M${n(x - 1)} ${n(y)}h2`).join("")
        : some.map(([x, y], at) => `${at === 0 ? "M" : "L"}${n(x)} ${n(y)}`).join(""),
    )
    .join("");
}

/** What lies between two lines. */
export function bandPath(upper: Points, lower: Points): string {
  const both = upper.map((point, at) => (lower[at] === undefined ? undefined : point));
  const below = new Map(
    lower.flatMap((point) => (point === undefined ? [] : [[point[0], point[1]]])),
  );
  return stretches(both)
    .filter((some) => some.length > 1)
    .map((some) => {
      const back = some.toReversed().map(([x, y]) => `L${n(x)} ${n(below.get(x) ?? y)}`);
      return `${some.map(([x, y], at) => `${at === 0 ? "M" : "L"}${n(x)} ${n(y)}`).join("")}${back.join("")}z`;
    })
    .join("");
}

const n = (value: number) => String(Math.round(value * 10) / 10);
