import { acting } from "./audit.js";
import { one, run, type JsonObject, type Queryable } from "./connect.js";
import type { Actor } from "./principals.js";
import type { AttemptRecord, JobTarget, JobTrigger } from "./jobs.js";

/** A dead letter: the copy of a job that was delivered in vain too often. */
export interface LetterRow {
  letterId: number;
  jobId: number;
  appId: string;
  cronId: string | null;
  trigger: JobTrigger;
  reason: string | null;
  userId: string | null;
  payload: JsonObject;
  tags: string[];
  buriedAt: Date;
  attempts: AttemptRecord[];
  target: JobTarget | null;
}

/** Which dead letters of an app are meant: of these ids and this cron; all where both are absent. */
export interface LetterChoice {
  ids?: number[] | undefined;
  cronId?: string | undefined;
  limit: number;
}

/** Dead letters of an app, newest first. */
export const listLetters = (
  sql: Queryable,
  appId: string,
  options: { before?: number | undefined; limit: number },
) =>
  run(sql<LetterRow[]>`
    select * from carillon.list_letters(
      app => ${appId}, before_letter => ${options.before ?? null}, max_rows => ${options.limit})`);

/** How many there are, of an app or of a cron of it; counted to 10,000. */
export const countLetters = async (sql: Queryable, appId: string, cronId?: string) => {
  const row = await one<{ n: number }>(
    sql`select carillon.count_letters(app => ${appId}, cron => ${cronId ?? null}) as n`,
  );
  return row.n;
};

/** Puts dead letters back to work, oldest first, as new jobs that link to those that died. */
export const redriveLetters = (
  sql: Queryable,
  appId: string,
  { ids, cronId, limit }: LetterChoice,
  actor: Actor | null = null,
) =>
  run(sql<{ letterId: number; jobId: number; retryOf: number }[]>`
    select * from carillon.redrive_letters(
      app => ${appId}, letters => ${ids ?? null}, cron => ${cronId ?? null}, max_letters => ${limit}, ${acting(sql, actor)})`);

/** Deletes dead letters for good; how many. */
export const deleteLetters = async (
  sql: Queryable,
  appId: string,
  { ids, cronId, limit }: LetterChoice,
  actor: Actor | null = null,
) => {
  const row = await one<{ n: number }>(sql`
    select carillon.delete_letters(
      app => ${appId}, letters => ${ids ?? null}, cron => ${cronId ?? null}, max_letters => ${limit}, ${acting(sql, actor)}) as n`);
  return row.n;
};
