import type { BenchSql } from "../harness/server.js";

/** Jobs in the history. */
export const JOBS_OF = { full: 10_000_000, tiny: 20_000 };

/*
 * Ten apps with ten crons each and a small one; two of three jobs are of crons, one in 97 failed,
 * one in 499 was canceled, one in 20 has tags, of which one is common and one rare. One in seven waits
 * for two hours, so that ids are not quite in the order in which jobs finish.
 */

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

interface Crons {
  readonly main: string;
  readonly sparse: string;
}

interface Span {
  readonly from: Date;
  readonly jobs: number;
}

/** Fills thirty days up to now, and a queue of 10,000 jobs. */
export async function fillHistory(sql: BenchSql, jobs: number, crons: Crons): Promise<void> {
  await sql.unsafe("set timezone = 'UTC'; set jit = off");
  for (const app of [...Array.from({ length: 10 }, (_, n) => `app${n}`), "small"]) {
    await sql`select carillon.install_app(app => ${app})`;
  }
  await sql.unsafe(MEASURES);
  const span = { from: new Date(Date.now() - 30 * DAY), jobs };
  const firstDay = Math.floor(span.from.getTime() / DAY) * DAY;
  const days: Date[] = [];
  for (let day = firstDay; day < Date.now(); day += DAY) days.push(new Date(day));
  // All of them first: what runs over midnight belongs to the next one.
  for (const day of days) await makeDay(sql, day);
  for (const day of days) await fillDay(sql, span, day, crons);
  await sql`select setval('pgmq.q_jobs_msg_id_seq', ${jobs + 1000}::bigint)`;
  await sql`
    select carillon.enqueue_job(app => 'app' || i % 10, run_at => case when i % 2 = 0 then now() + i * interval '1 minute' end)
    from generate_series(1, ${Math.min(10_000, jobs)}::integer) i`;
}

async function makeDay(sql: BenchSql, day: Date): Promise<void> {
  const name = day.toISOString().slice(0, 10).replaceAll("-", "");
  const [from, to] = [day, new Date(day.getTime() + 86_400_000)].map((at) => at.toISOString());
  for (const parent of ["job_history", "job_tags"]) {
    await sql.unsafe(`
      create table if not exists carillon.${parent}_${name} partition of carillon.${parent}
        for values from ('${from}') to ('${to}')`);
  }
}

/** The jobs that finished on a day; their ids are given evenly over all the time. */
async function fillDay(sql: BenchSql, span: Span, day: Date, crons: Crons): Promise<void> {
  const { from, jobs } = span;
  const idAt = (ms: number) => Math.round(((ms - from.getTime()) / (30 * DAY)) * jobs);
  const first = idAt(day.getTime() - 3 * HOUR);
  const last = Math.min(idAt(day.getTime() + DAY), jobs);
  await sql`
  insert into carillon.job_history (job_id, app_id, cron_id, scheduled_for, trigger, status, user_id, payload, headers, result,
    error, attempt, worker, enqueued_at, started_at, finished_at)
  select i, case when i % 10007 = 0 then 'small' else 'app' || i % 10 end,
    case when i % 333330 = 3 then ${crons.sparse}::uuid when i % 3 > 0 then (left(${crons.main}, -2) || lpad((i % 100)::text, 2, '0'))::uuid end,
    case when i % 3 > 0 then at end,
    case when i % 1009 = 0 then 'manual' when i % 3 > 0 then 'automatic' else 'api' end,
    case when i % 97 = 0 then 'failed' when i % 499 = 0 then 'canceled' else 'completed' end, null,
    jsonb_build_object('order', i, 'customer', 'c' || i % 5000),
    case when i % 20 = 3 then jsonb_build_object('trigger', 'api', 'tags', array['eu', 'order-' || i / 20 % 20000]) else '{"trigger": "automatic"}' end,
    '{"ok": true}', case when i % 97 = 0 then '{"name": "Error", "message": "no"}'::jsonb end, 1, 'worker-' || i % 4,
    at, r.ran_at + interval '4 ms' * exp(random() * 3),
    r.ran_at + interval '80 ms' + interval '20 ms' * exp(random() * 5)
  from (
    select i, ${from}::timestamptz + (i::double precision / ${jobs}::double precision) * interval '30 days' as at
    from generate_series(greatest(1, ${first}::integer), ${last}::integer) i
  ) s
  cross join lateral (select at + case when i % 7 = 0 then interval '2 hours' else '0' end as ran_at) r
  where date_trunc('day', r.ran_at) = ${day}::timestamptz and r.ran_at < now() - interval '10 seconds'
  order by r.ran_at`;
}

/** What the lists need of the roll-ups: how many jobs of which ids ended when. Times taken are left out. */
export async function rollUpOutline(sql: BenchSql): Promise<void> {
  for (const step of [900, 3600, 86_400]) {
    await sql`
      insert into carillon.job_stats (app_id, scope, step, from_at, status, jobs, first_job, last_job, durations, duration_sum,
        duration_max, waits, lags)
      select h.app_id, coalesce(h.cron_id, '00000000-0000-0000-0000-000000000000'), ${step}, b.from_at, h.status, count(*),
        min(h.job_id), max(h.job_id), '{}', 0, 0, '{}', '{}'
      from carillon.job_history h
      cross join lateral (select date_bin(make_interval(secs => ${step}), h.finished_at, '2000-01-01 00:00:00+00') as from_at) b
      group by grouping sets ((h.app_id, b.from_at, h.status), (h.app_id, h.cron_id, b.from_at, h.status))
      having grouping(h.cron_id) = 1 or h.cron_id is not null`;
  }
  await sql`
    insert into carillon.settings (key, value) values ('stats_until', to_jsonb(date_trunc('day', now())))
    on conflict (key) do update set value = excluded.value`;
}

/** Time a call where it is made. */
const MEASURES = `
  create function public.bench_page(app text, filter jsonb, sort text, place text, out ms float8, out rows integer)
  language plpgsql as $$
  declare v_start timestamptz := clock_timestamp();
  begin
    select cardinality(p.page) into rows from carillon.page_jobs(app, filter, sort, place, 100) p;
    ms := extract(epoch from clock_timestamp() - v_start) * 1000;
  end $$;
  create function public.bench_stats(app text, cron uuid, from_at timestamptz, bucket text, timezone text) returns float8
  language plpgsql as $$
  declare v_start timestamptz := clock_timestamp();
  begin
    perform carillon.get_stats(app => app, cron => cron, from_at => from_at, bucket => bucket, timezone => timezone);
    return extract(epoch from clock_timestamp() - v_start) * 1000;
  end $$`;
