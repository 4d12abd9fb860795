import type { Output } from "carillon/client";
import { duration } from "../../time/format.js";

export type Queue = Output<"GET /api/v1/overview">["queues"][number];
export type Worker = Output<"GET /api/v1/workers">[number];
export type SystemStatus = Output<"GET /api/v1/system">;

/** What was found, what it causes, and what to do. */
export interface Check {
  area: "Clock and drivers" | "Workers" | "Database" | "Copies";
  state: "ok" | "warning" | "problem";
  found: string;
  means?: string;
  /** To be copied, never run from here. */
  repair?: string;
}

interface Facts {
  system: SystemStatus;
  /** Of the apps whose jobs one may see. */
  queues: readonly Queue[];
  /** Why the database does not answer; undefined where it does. */
  unready: string | undefined;
  /** Milliseconds the answer took. */
  took: number;
  /** How far this browser's clock is from the server's, in milliseconds. */
  skew: number;
  now: number;
}

/** Every check, by what the API tells. */
export function checksOf(facts: Facts): Check[] {
  return [
    ...driverChecks(facts),
    ...workerChecks(facts),
    ...databaseChecks(facts),
    ...copyChecks(facts),
  ];
}

function driverChecks({ system: { pgCron }, skew, now }: Facts): Check[] {
  const area = "Clock and drivers";
  return [
    pgCron.available === null
      ? {
          area,
          state: "warning",
          found: "pg_cron is not installed on this PostgreSQL.",
          means: "Slots are decided by the ticker of a server or worker: one has to be up.",
          repair: "apt-get install postgresql-17-cron",
        }
      : { area, state: "ok", found: `pg_cron ${pgCron.available} is there.` },
    pgCron.available !== null && !pgCron.loaded
      ? {
          area,
          state: "warning",
          found: "pg_cron is installed, and not loaded.",
          means: "It wakes nothing until it is, and PostgreSQL has been restarted.",
          repair: "alter system set shared_preload_libraries = 'pg_cron';",
        }
      : { area, state: "ok", found: "What has to be loaded at start is." },
    driverOf(pgCron, now),
    Math.abs(skew) > 5000
      ? {
          area,
          state: "warning",
          found: `This browser's clock is ${duration(Math.abs(skew))} ${skew > 0 ? "behind" : "ahead of"} the server's.`,
          means: "Times here follow the server. Only your own clock is wrong, or the server's is.",
        }
      : { area, state: "ok", found: "This browser's clock and the server's agree." },
  ];
}

function driverOf(
  { driving, stuck, lastSeenAt, beats }: SystemStatus["pgCron"],
  now: number,
): Check {
  const area = "Clock and drivers";
  const seen = lastSeenAt === null ? undefined : now - Date.parse(lastSeenAt);
  const ago = seen === undefined ? "never" : `${duration(Math.max(0, seen))} ago`;
  if (stuck) {
    return {
      area,
      state: "problem",
      found: `pg_cron should drive, and its scheduler is silent. It swept last: ${ago}.`,
      means: "Slots are decided late, by the ticker of a server or worker where one is up.",
      repair: "select * from cron.job_run_details order by start_time desc limit 5;",
    };
  }
  return driving === null
    ? {
        area,
        state: "ok",
        found: "The ticker drives: the slots are decided by servers and workers.",
      }
    : {
        area,
        state: "ok",
        found: `pg_cron ${driving} drives with ${beats} ${beats === 1 ? "beat" : "beats"}; it swept ${ago}.`,
      };
}

/** How long a due job may wait before somebody should look, in milliseconds. */
const STALLED_MS = 120_000;

function workerChecks({ queues, now }: Facts): Check[] {
  const area = "Workers";
  const stalled = queues.filter(
    ({ running, oldestDueAt }) =>
      running === 0 && oldestDueAt !== null && now - Date.parse(oldestDueAt) > STALLED_MS,
  );
  if (stalled.length === 0) {
    return [{ area, state: "ok", found: "Every job that is due is being taken." }];
  }
  return stalled.map(({ appId, due, oldestDueAt }) => ({
    area,
    state: "problem",
    found: `No worker takes the jobs of ${appId}: ${due.count}${due.capped ? "+" : ""} ${due.count === 1 ? "is" : "are"} due, the oldest for ${duration(now - Date.parse(oldestDueAt ?? ""))}.`,
    means: "They wait until a worker of this app is up.",
    repair: `carillon worker --app ${appId} jobs.js`,
  }));
}

function databaseChecks({ unready, took, system: { pgCron } }: Facts): Check[] {
  const area = "Database";
  return [
    unready === undefined
      ? { area, state: "ok", found: "The database answers, and Carillon is installed in it." }
      : { area, state: "problem", found: unready, means: "Nothing can be read or decided here." },
    took > 1000
      ? {
          area,
          state: "warning",
          found: `It took ${duration(took)} to answer.`,
          means: "Pages are slow. The database or the way to it is busy.",
        }
      : { area, state: "ok", found: `It answered in ${duration(took)}.` },
    pgCron.database === null
      ? { area, state: "ok", found: "pg_cron lives in no database here." }
      : { area, state: "ok", found: `pg_cron lives in the database ${pgCron.database}.` },
  ];
}

function copyChecks({ system: { clone } }: Facts): Check[] {
  const area = "Copies";
  if (!clone.clone) {
    return [{ area, state: "ok", found: `${clone.here.database} is the home of its schedules.` }];
  }
  const found = `This database, ${clone.here.database}, is a copy of ${clone.home.database}, or it has moved.`;
  return clone.held
    ? [
        {
          area,
          state: "problem",
          found,
          means: "Nothing fires here until it is released, so that nothing runs twice.",
          repair: "carillon release",
        },
      ]
    : [
        {
          area,
          state: "warning",
          found,
          means: "It fires all the same: if the original does as well, everything runs twice.",
          repair: "carillon release",
        },
      ];
}

/** All of it as text, for whoever is asked for help. */
export const reportOf = (checks: readonly Check[], at: string): string =>
  [
    `Carillon, ${at}`,
    ...checks.map(
      ({ area, state, found, means, repair }) =>
        `[${state}] ${area}: ${found}${means ? ` ${means}` : ""}${repair ? ` Try: ${repair}` : ""}`,
    ),
  ].join("\n");
