import { acting } from "./audit.js";
import { one, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";

/** What is set for the finished jobs of an app or cron; null where nothing is. */
export interface JobRetention {
  days: number | null;
  keepLast: number | null;
  keepFailed: number | null;
}

/** The same, with the days that follow from it. */
export type EffectiveRetention = JobRetention & { effectiveDays: number };

export const getJobRetention = async (sql: Queryable, appId: string, cronId?: string) => {
  const row = await one<{ retention: EffectiveRetention }>(
    sql`select carillon.get_job_retention(app => ${appId}, cron => ${cronId ?? null}) as retention`,
  );
  return row.retention;
};

export const setJobRetention = async (
  sql: Queryable,
  appId: string,
  cronId: string | undefined,
  retention: JobRetention,
  actor: Actor | null,
) => {
  const row = await one<{ retention: EffectiveRetention }>(sql`
    select carillon.set_job_retention(
      app => ${appId}, cron => ${cronId ?? null}, days => ${retention.days},
      keep_last => ${retention.keepLast}, keep_failed => ${retention.keepFailed}, ${acting(sql, actor)}) as retention`);
  return row.retention;
};
