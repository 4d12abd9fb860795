import { advanceClock, setClock } from "../helpers/clock.js";
import { createTestDatabase, type TestSql } from "../helpers/database.js";
import { type Cron, fireDue, one } from "./support.js";

/** A database whose clock stands at 10:00:30 on a Monday, with one app. */
export async function newDatabase() {
  const db = await createTestDatabase();
  await setClock(db.sql, "2026-03-02T10:00:30Z");
  await db.sql`select carillon.install_app(app => 'crm')`;
  return db;
}

/** A cron of app crm, at `* * * * *` unless told otherwise; fields in the API's spelling. */
export async function declare(sql: TestSql, name: string, fields: object = {}): Promise<Cron> {
  const { id } = await one(sql<Cron[]>`
    select id from carillon.create_cron(app => 'crm', name => ${name}, schedule => '* * * * *')`);
  return patch(sql, id, fields);
}

export const patch = (sql: TestSql, id: string, fields: object) =>
  one(sql<Cron[]>`
    select * from carillon.patch_cron(cron => ${id}, patch => ${sql.json(fields as never)})`);

/** Lets a minute go by and decides what is due. */
export async function minute(sql: TestSql): Promise<void> {
  await advanceClock(sql, "1 minute");
  await fireDue(sql);
}

export interface LiveJob {
  msg_id: number;
  read_ct: number;
  headers: Record<string, unknown>;
}

export const liveJobs = (sql: TestSql) => sql<LiveJob[]>`
  select msg_id, read_ct, headers from pgmq.q_jobs order by msg_id`;

/** How many jobs of each status there are: `{ running: 1, canceled: 2 }`. */
export async function statuses(sql: TestSql): Promise<Record<string, number>> {
  const rows = await sql<{ status: string; n: number }[]>`
    select status, count(*) as n from carillon.jobs group by 1 order by 1`;
  return Object.fromEntries(rows.map(({ status, n }) => [status, n]));
}

/** Ends claimed jobs as failed; the ids that were moved. */
export async function fail(
  sql: TestSql,
  jobs: readonly { job_id: number; attempt: number }[],
): Promise<number[]> {
  const error = { name: "Error", message: "no" };
  const outcomes = jobs.map(({ job_id, attempt }) => ({
    job_id,
    attempt,
    status: "failed",
    error,
  }));
  const rows = await sql<{ id: number }[]>`
    select * from carillon.finish_jobs(outcomes => ${sql.json(outcomes)}) as id`;
  return rows.map(({ id }) => id);
}

/**
 * Holds the ledger of a cron against its schedule, from one slot to another, both included: slots
 * without a row, and rows that are no slot.
 */
export async function unaccounted(sql: TestSql, id: string, from: string, to: string) {
  const rows = await sql<{ slot: Date; known: boolean; planned: boolean }[]>`
    select coalesce(p.slot, t.scheduled_for) as slot, t.scheduled_for is not null as known, p.slot is not null as planned
    from (
      select p.slot
      from carillon.crons c
      cross join lateral carillon.preview_schedule(
        c.schedule, c.timezone, ${from}::text::timestamptz - interval '1 microsecond', 1000, c.anchor_at) p
      where c.id = ${id} and p.slot <= ${to}::text::timestamptz
    ) p
    full join (
      select * from carillon.ticks
      where cron_id = ${id} and scheduled_for between ${from}::text::timestamptz and ${to}::text::timestamptz
    ) t on t.scheduled_for = p.slot
    order by 1`;
  const which = (wanted: (row: { known: boolean; planned: boolean }) => boolean) =>
    rows.filter(wanted).map(({ slot }) => slot.toISOString());
  return { missing: which((row) => !row.known), surplus: which((row) => !row.planned) };
}

export const ALL_ACCOUNTED = { missing: [], surplus: [] };

/** Makes the job of one cron impossible to enqueue, as a trigger that somebody put there would. */
export const breakCron = (sql: TestSql, id: string) =>
  sql.unsafe(`
    create function public.refuse() returns trigger language plpgsql as $$
    begin
      if new.headers ->> 'cron_id' = '${id}' then raise exception 'the disk of this cron is full'; end if;
      return new;
    end $$;
    create trigger refuse before insert on pgmq.q_jobs for each row execute function public.refuse()`);

export const mendCron = (sql: TestSql) =>
  sql.unsafe("drop trigger refuse on pgmq.q_jobs; drop function public.refuse()");
