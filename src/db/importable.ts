import { CarillonError } from "../errors.js";
import { one, run, type Queryable } from "./connect.js";

/** A job of pg_cron. */
export interface PgCronJob {
  jobid: number;
  jobname: string | null;
  schedule: string;
  command: string;
  database: string;
  username: string;
  active: boolean;
  /** The database that was asked. */
  here: string;
}

/** pg_cron's jobs but those that wake Carillon, and the zone their schedules follow. */
export async function listPgCronJobs(
  sql: Queryable,
): Promise<{ jobs: PgCronJob[]; timezone: string }> {
  const { there, timezone } = await one<{ there: boolean; timezone: string | null }>(sql`
    select to_regclass('cron.job') is not null as there, current_setting('cron.timezone', true) as timezone`);
  if (!there) {
    throw new CarillonError("pg_cron_missing", "this database has no pg_cron, and so no cron.job", {
      hint: "pg_cron lives in one database of a server: name that one",
    });
  }
  const jobs = await run(sql<PgCronJob[]>`
    select jobid, jobname::text, schedule, command, database, username, active, current_database() as here
    from cron.job
    where not starts_with(coalesce(jobname, ''), 'carillon ')
    order by jobid`);
  return { jobs, timezone: timezone ?? "GMT" };
}

/** A schedule of pg-boss. */
export interface PgBossSchedule {
  name: string;
  /** Of version 11 and later: several schedules of a queue. */
  key?: string | null;
  cron: string;
  timezone: string | null;
  data?: unknown;
  options?: Record<string, unknown> | null;
}

/** The schedules of a pg-boss that lives in a schema. */
export async function listPgBossSchedules(
  sql: Queryable,
  schema: string,
): Promise<PgBossSchedule[]> {
  const { there } = await one<{ there: boolean }>(
    sql`select to_regclass(format('%I.schedule', ${schema}::text)) is not null as there`,
  );
  if (!there) {
    throw new CarillonError(
      "invalid_input",
      `the database has no table ${schema}.schedule of pg-boss`,
      {
        hint: "name the schema of pg-boss by --schema",
      },
    );
  }
  return run(sql<PgBossSchedule[]>`
    select to_jsonb(s) ->> 'name' as name, to_jsonb(s) ->> 'key' as key, s.cron, s.timezone, s.data, s.options
    from ${sql(schema)}.schedule s order by 1, 2`);
}
