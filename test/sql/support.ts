import type { TestSql } from "../helpers/database.js";

/** What a refused statement said. */
export interface Refusal {
  code: string;
  /** The field at fault, in API spelling; "" when none is named. */
  field: string;
  message: string;
  hint: string;
}

/** The error of a statement that has to be refused. */
export async function refusal(statement: PromiseLike<unknown>): Promise<Refusal> {
  let done: unknown;
  try {
    done = await statement;
  } catch (error) {
    const e = error as { code?: string; column_name?: string; message: string; hint?: string };
    return {
      code: e.code ?? "",
      field: e.column_name ?? "",
      message: e.message,
      hint: e.hint ?? "",
    };
  }
  throw new Error(`should have been refused, but returned ${JSON.stringify(done)}`);
}

/**
 * Every row of Carillon's tables and queues with the transaction that wrote it: equal before and
 * after means that nothing was changed, and nothing written again with the same values.
 */
export async function fingerprint(sql: TestSql): Promise<Record<string, string>> {
  const tables = await sql<{ name: string }[]>`
    select c.oid::regclass::text as name
    from pg_class c
    where c.relkind in ('r', 'p') and not c.relispartition
      and (c.relnamespace = 'carillon'::regnamespace or c.oid::regclass::text like 'pgmq.q\\_%')
    order by 1`;
  const prints: Record<string, string> = {};
  for (const { name } of tables) {
    const [row] = await sql.unsafe<{ print: string }[]>(
      `select count(*) || ':' || coalesce(sum(hashtextextended(t.xmin::text || t::text, 0)::numeric), 0) as print
       from ${name} t`,
    );
    prints[name] = row?.print ?? "";
  }
  return prints;
}

/** The only row of a query. */
export async function one<T>(query: PromiseLike<readonly T[]>): Promise<T> {
  const rows = await query;
  const [row] = rows;
  if (row === undefined || rows.length > 1) throw new Error(`${rows.length} rows instead of one`);
  return row;
}

export interface Cron {
  id: string;
  app_id: string;
  name: string;
  schedule: string;
  timezone: string;
  payload: Record<string, unknown>;
  method: string | null;
  overlap_policy: string;
  enabled: boolean;
  origin: string;
  pg_job_id: number | null;
  next_fire_at: Date | null;
  completed_at: Date | null;
  created_by: string | null;
  created_at: Date;
  updated_at: Date;
  starts_at: Date | null;
  ends_at: Date | null;
  jitter_seconds: number;
  dst_gap: string;
  dst_fold: string;
}

/** A cron at `* * * * *` unless told otherwise. */
export const createCron = (sql: TestSql, app: string, name: string, schedule = "* * * * *") =>
  one(sql<Cron[]>`
    select * from carillon.create_cron(app => ${app}, name => ${name}, schedule => ${schedule})`);

export const getCron = (sql: TestSql, id: string) =>
  one(sql<Cron[]>`select * from carillon.get_cron(cron => ${id})`);

export interface Tick {
  cron_id: string;
  scheduled_for: Date;
  outcome: string;
  reason: string | null;
  msg_id: number | null;
  blocked_by: number | null;
  driver: string;
  decided_at: Date;
}

/** The ledger of a cron, oldest slot first. */
export const ticksOf = (sql: TestSql, id: string) => sql<Tick[]>`
  select * from carillon.ticks where cron_id = ${id} order by scheduled_for`;

/** Its outcomes, such as `10:01 enqueued`. */
export const outcomesOf = async (sql: TestSql, id: string) =>
  (await ticksOf(sql, id)).map(
    (tick) => `${tick.scheduled_for.toISOString().slice(11, 16)} ${tick.outcome}`,
  );

export interface Job {
  job_id: number;
  attempt: number;
  app_id: string;
  payload: Record<string, unknown>;
  cron_id: string | null;
  scheduled_for: Date | null;
  trigger: string;
  user_id: string | null;
  username: string | null;
  timeout_seconds: number | null;
  target: unknown;
}

/** Claims jobs, and reads what carillon.claim_jobs says of each. */
export async function claim(
  sql: TestSql,
  apps: string | readonly string[],
  max = 100,
  lease = 30,
  worker = "w1",
): Promise<Job[]> {
  const rows = await sql<{ job: unknown[] }[]>`
    select claim_jobs::jsonb as job from carillon.claim_jobs(
      apps => ${[apps].flat()}, worker => ${worker}, max_jobs => ${max}, lease_seconds => ${lease})`;
  return rows.map(({ job }) => {
    const [job_id, attempt, app_id, payload, , trigger, user_id, username, ...rest] = job;
    const [cron_id = null, slot, timeout_seconds = null, target = null] = rest;
    const scheduled_for = typeof slot === "string" ? new Date(slot) : null;
    const who = { app_id, trigger, user_id, username, cron_id, scheduled_for };
    return { job_id, attempt, payload, ...who, timeout_seconds, target } as Job;
  });
}

/** Claims up to ten jobs of the app crm: how many it got, and how many blocks the server looked at for it. */
export async function claimCost(sql: TestSql): Promise<{ jobs: number; blocks: number }> {
  const [plan] = await sql<{ "QUERY PLAN": [{ Plan: Record<string, number> }] }[]>`
    explain (analyze, buffers, format json)
    select * from carillon.claim_jobs(apps => '{crm}', worker => 'w', max_jobs => 10, lease_seconds => 30)`;
  const {
    "Actual Rows": jobs = 0,
    "Shared Hit Blocks": hit = 0,
    "Shared Read Blocks": read = 0,
  } = plan!["QUERY PLAN"][0].Plan;
  return { jobs, blocks: hit + read };
}

/** Completes jobs; the ids that were moved. */
export async function complete(sql: TestSql, jobs: readonly Job[]): Promise<number[]> {
  const outcomes = jobs.map(({ job_id, attempt }) => ({ job_id, attempt, status: "completed" }));
  const rows = await sql<{ id: number }[]>`
    select * from carillon.finish_jobs(outcomes => ${sql.json(outcomes)}) as id`;
  return rows.map(({ id }) => id);
}

/** Claims all that an app has due and completes it. */
export const drain = async (sql: TestSql, app: string) => complete(sql, await claim(sql, app));

export const fireDue = async (sql: TestSql, driver = "api") =>
  (
    await one(sql<{ result: { fired: number; failed: number } }[]>`
      select carillon.fire_due(driver => ${driver}) as result`)
  ).result;

export interface SyncResult {
  appId: string;
  installed: boolean;
  created: string[];
  updated: string[];
  unchanged: string[];
  deleted: string[];
}

export const sync = async (
  sql: TestSql,
  app: string,
  crons: readonly object[],
  actor: string | null = null,
) =>
  (
    await one(sql<{ result: SyncResult }[]>`
      select carillon.sync_manifest(
        app => ${app}, manifest => ${sql.json({ crons } as never)}, actor => ${actor}) as result`)
  ).result;

/** A principal who holds one role of their own with these permissions. */
export async function createUser(sql: TestSql, name: string, permissions: string[]) {
  await sql`select carillon.create_role(name => ${name}, permissions => ${permissions})`;
  const { id } = await one(sql<{ id: string }[]>`
    select carillon.create_principal(username => ${name}, roles => ${[name]}) as id`);
  return id;
}

let apps = 0;

/** Installs an app of its own for a test. */
export async function newApp(sql: TestSql): Promise<string> {
  const app = `app${(apps += 1)}`;
  await sql`select carillon.install_app(app => ${app})`;
  return app;
}
