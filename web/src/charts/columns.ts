/*
 * Columns over time, as paths: what is drawn comes from buckets that the server made, so that no
 * calendar is needed here.
 */

/** A rounded top for one column of a chart. */
export function columnPath(x: number, y: number, width: number, height: number): string {
  if (height <= 0) return "";
  const r = Math.min(2, width / 2, height);
  return `M${n(x)} ${n(y + height)}v${n(-(height - r))}q0 ${n(-r)} ${n(r)} ${n(-r)}h${n(width - 2 * r)}q${n(r)} 0 ${n(r)} ${n(r)}v${n(height - r)}z`;
}

/** A column without rounding, for what is stacked below another. */
export const blockPath = (x: number, y: number, width: number, height: number): string =>
  height <= 0 ? "" : `M${n(x)} ${n(y)}h${n(width)}v${n(height)}h${n(-width)}z`;

const n = (value: number) => String(Math.round(value * 100) / 100);

/** The next round number at or above: 1, 2 or 5 times a power of ten. */
export function niceMax(value: number): number {
  if (value <= 1) return 1;
  const power = 10 ** Math.floor(Math.log10(value));
  return [1, 2, 5, 10].map((factor) => factor * power).find((nice) => nice >= value) ?? value;
}
