import { clockTime, dateKey, knownZone } from "./format.js";

/* What <input type="datetime-local"> speaks, by the clock of any zone: `2026-11-23T09:00:00`. */

/** An instant as the clock of a zone shows it. */
export const toWall = (at: number, zone: string): string =>
  `${dateKey(at, zone)}T${clockTime(at, { zone, hour12: false }, true)}`;

/** How far a zone's clock is from UTC's, in milliseconds. */
const offset = (at: number, zone: string): number => {
  const second = Math.floor(at / 1000) * 1000;
  return Date.parse(`${toWall(second, zone)}Z`) - second;
};

/**
 * The instant at which the clock of a zone shows a time: of two the first, and where the clock jumps over
 * it, as if it had not yet jumped. Undefined for a half-typed one.
 */
export function fromWall(text: string, zone: string): string | undefined {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d(:\d\d)?$/.test(text)) return undefined;
  const known = knownZone(zone);
  const utc = Date.parse(`${text}Z`);
  if (Number.isNaN(utc)) return undefined;
  // No zone's clock is further from UTC than that: one of the two offsets holds.
  const [before, after] = [offset(utc - 86_400_000, known), offset(utc + 86_400_000, known)];
  const fits = [utc - before, utc - after].filter((at) => at + offset(at, known) === utc);
  return new Date(fits.length === 0 ? utc - before : Math.min(...fits)).toISOString();
}
