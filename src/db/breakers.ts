import { acting } from "./audit.js";
import { one, run, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** When a breaker opens, and for how long. */
export interface BreakerRule {
  /** After so many failures in a row; 0 is never. */
  failures: number;
  /** Seconds. */
  coolDown: number;
}

/** What dispatchers go by. */
export interface BreakerWatch {
  /** Rules of the apps that have their own. */
  apps: Record<string, BreakerRule>;
  /** App, key, and whether its breaker is open, or half open. */
  targets: [appId: string, key: string, isOpen: boolean][];
}

/** A target that was broken when last called. */
export interface TargetRow {
  appId: string;
  key: string;
  state: "closed" | "open" | "half-open";
  failures: number;
  openedAt: Date | null;
  probeAt: Date | null;
  errorClass: string;
  errorMessage: string;
  failedAt: Date;
}

export const watchBreakers = async (sql: Queryable) => {
  const row = await one<{ watch: BreakerWatch }>(sql`select carillon.watch_breakers() as watch`);
  return row.watch;
};

/** Counts a failure; for how many milliseconds no call is to be made, null while calls are. */
export const noteFailure = async (
  sql: Queryable,
  appId: string,
  key: string,
  error: { class: string; message: string },
  usual: BreakerRule,
) => {
  const row = await one<{ wait: number | null }>(sql`
    select carillon.note_failure(
      app => ${appId}, key => ${key}, error_class => ${error.class}, error_message => ${error.message},
      usual_failures => ${usual.failures}, usual_cool_down => ${usual.coolDown}) as wait`);
  return row.wait;
};

export const noteRecovery = (sql: Queryable, appId: string, key: string) =>
  run(sql`select carillon.note_recovery(app => ${appId}, key => ${key})`);

/** 0 when a call may be made; otherwise after how many milliseconds to ask again. */
export const beginProbe = async (
  sql: Queryable,
  appId: string,
  key: string,
  usual: BreakerRule,
) => {
  const row = await one<{ wait: number }>(sql`
    select carillon.begin_probe(
      app => ${appId}, key => ${key}, usual_failures => ${usual.failures},
      usual_cool_down => ${usual.coolDown}) as wait`);
  return row.wait;
};

export const abandonProbe = (sql: Queryable, appId: string, key: string) =>
  run(sql`select carillon.abandon_probe(app => ${appId}, key => ${key})`);

/** The targets of an app that were broken when last called, by key. */
export const listTargets = (
  sql: Queryable,
  appId: string,
  { after, limit }: { after?: string | undefined; limit: number },
) =>
  run(sql<TargetRow[]>`
    select * from carillon.list_targets(app => ${appId}, after => ${after ?? null}, max_rows => ${limit})`);

/** Closes the breaker of one target, or of all; how many had failed. */
export const resetTargets = async (
  sql: Queryable,
  appId: string,
  key: string | undefined,
  actor: Actor | null = null,
) => {
  const row = await one<{ reset: number }>(sql`
    select carillon.reset_targets(app => ${appId}, key => ${key ?? null}, ${acting(sql, actor)}) as reset`);
  return row.reset;
};

/** An app's own rule; nulls where it has none. */
export const getBreaker = (sql: Queryable, appId: string) =>
  one<{ failures: number | null; coolDownSeconds: number | null }>(
    sql`select * from carillon.get_breaker(app => ${appId})`,
  );

export const setBreaker = (
  sql: Queryable,
  appId: string,
  { failures, coolDown }: { failures: number | null; coolDown: number | null },
  actor: Actor | null = null,
) =>
  run(sql`
    select carillon.set_breaker(
      app => ${appId}, failures => ${failures}, cool_down_seconds => ${coolDown}, ${acting(sql, actor)})`);
