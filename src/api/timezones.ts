import type { Queryable } from "../db/connect.js";
import { listTimezones, type TimezoneRow } from "../db/schedules.js";

/** How long a list is good: offsets change by the hour at most, and the server's names by an upgrade. */
const KEPT_MS = 10 * 60_000;

interface Kept {
  zones: Promise<TimezoneRow[]>;
  until: number;
}

const kept = new WeakMap<Queryable, Kept>();

/** The time zones the server knows, asked of each database every ten minutes at most. */
export function timezonesOf(sql: Queryable): Promise<TimezoneRow[]> {
  const last = kept.get(sql);
  if (last !== undefined && last.until > Date.now()) return last.zones;
  const zones = listTimezones(sql);
  kept.set(sql, { zones, until: Date.now() + KEPT_MS });
  zones.catch(() => kept.delete(sql));
  return zones;
}
