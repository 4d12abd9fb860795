import type { PgCronJob } from "../../db/importable.js";
import { collect } from "./collect.js";
import { convertCron, type Dialect } from "./cron-text.js";
import type { Entry, Imported } from "./types.js";

const PG_CRON: Dialect = {
  starStepRestricts: false,
  fullRangeIsStar: false,
  numberStep: "error",
  seconds: false,
};

/** Takes over pg_cron's own jobs; those that wake Carillon itself are not among them. */
export function importPgCron(jobs: readonly PgCronJob[], timezone: string): Imported {
  return collect(
    jobs.map((job) => toEntry(job, timezone)),
    [
      "pg_cron ran each command itself: here onJob gets it, as method sql with payload.command, and has to run it",
      "pg_cron starts a job that is due while it still runs as soon as it has ended: overlapPolicy is buffer",
      "pg_cron leaves out what was due while the server was down: catchUp is none",
      "jobs that are taken over go on in pg_cron as well until you unschedule them there: select cron.unschedule(jobid)",
    ],
  );
}

function toEntry(job: PgCronJob, timezone: string): Entry {
  const { schedule, notes } = convertCron(job.schedule, PG_CRON);
  const elsewhere = job.database === job.here ? {} : { database: job.database };
  return {
    label: job.jobname ?? `job-${job.jobid}`,
    schedule,
    fields: {
      ...(/^(GMT|UTC|Etc\/UTC)$/.test(timezone) ? {} : { timezone }),
      method: "sql",
      payload: { command: job.command, username: job.username, ...elsewhere },
      overlapPolicy: "buffer",
      catchUp: "none",
      ...(job.active ? {} : { enabled: false, pauseNote: "not active in pg_cron" }),
    },
    notes: [
      ...notes,
      ...(job.database === job.here
        ? []
        : [{ kind: "changed" as const, text: `it ran in the database ${job.database}` }]),
    ],
  };
}
