import type { Sql } from "../../db/connect.js";
import type { Actor } from "../../db/principals.js";
import type { SeedClock } from "./clock.js";

/** What seeding works with. */
export interface Seeding {
  sql: Sql;
  clock: SeedClock;
  now: Date;
  actors: Record<string, Actor>;
  crons: Record<string, string>;
}

const DAY = 86_400_000;

export const daysBefore = (now: Date, days: number) => new Date(now.getTime() - days * DAY);
