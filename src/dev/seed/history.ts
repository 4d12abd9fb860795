/*
 * What happened, told in SQL: every slot is one that the schedule has, and every number comes from a
 * hash of cron and slot, so that the same seed gives the same picture. Runs in one connection: what it
 * works with is temporary.
 */

/** Functions and tables of the seeding connection. */
export const TOOLS = `
  create temp table seed_cron (
    cron_id uuid primary key, app_id text, name text, from_at timestamptz, to_at timestamptz,
    median float8, spread float8, fails float8, attempts integer, delay integer, story text);
  create temp table seed_message (n bigint generated always as identity, text text);

  -- Even between 0 and 1, and always the same for the same.
  create function pg_temp.even(key text, salt integer) returns float8 language sql immutable as
    'select ((hashtextextended(key, salt) & 9007199254740991)::float8 + 0.5) / 9007199254740992.0';
  create function pg_temp.normal(key text, salt integer) returns float8 language sql immutable as
    'select sqrt(-2 * ln(pg_temp.even(key, salt))) * cos(6.283185307 * pg_temp.even(key, salt + 1))';

  create function pg_temp.slots_of(cron uuid, from_at timestamptz, to_at timestamptz) returns setof timestamptz
  language plpgsql as $$
  declare
    v_cron carillon.crons;
    v_slot timestamptz := from_at;
  begin
    select c.* into v_cron from carillon.crons c where c.id = cron;
    loop
      v_slot := carillon._cron_next(v_cron, v_slot);
      exit when v_slot is null or v_slot >= to_at;
      return next v_slot;
    end loop;
  end $$`;

/** An SQL text at an instant: {now} in it is that. */
export const at = (text: string, now: Date): string =>
  text.replaceAll("{now}", `'${now.toISOString()}'::timestamptz`);

/**
 * Decides every slot. A database upgrade 13 days ago kept everything
 * from firing for 47 minutes; 11 days ago, a pool ran dry between 03:10 and 04:25.
 */
export const SLOTS = `
  create temp table seed_slot as
  select s.*, row_number() over (order by s.enqueued_at, s.cron_id, s.slot) as job_id
  from (
    select d.*,
      case when d.outcome in ('enqueued', 'caught_up') then d.decided_at end as enqueued_at
    from (
      select c.*, t.slot, t.key, t.prior_skip, t.next_skip,
        case
          when c.story = 'denied' and t.slot > {now} - interval '3 days' then 'denied'
          when t.slot between i.upgrade_from and i.upgrade_to then
            case when lead(t.slot) over (partition by c.cron_id order by t.slot) > i.upgrade_to then 'caught_up' else 'missed' end
          when t.skip and not t.prior_skip then 'skipped'
          else 'enqueued'
        end as outcome,
        case
          when t.slot between i.upgrade_from and i.upgrade_to then i.upgrade_to + interval '1 second' * (1 + pg_temp.even(t.key, 3))
          else t.slot + interval '1 second' * (0.04 * exp(1.0 * pg_temp.normal(t.key, 4))
            + case when extract(minute from t.slot) = 0 then 0.2 + 2 * pg_temp.even(t.key, 6) else 0 end)
        end as decided_at,
        t.slot between i.pool_from and i.pool_to as pool_dry
      from seed_cron c
      cross join lateral (
        select s.slot, s.key, s.skip, coalesce(lag(s.skip) over w, false) as prior_skip, coalesce(lead(s.skip) over w, false) as next_skip
        from (
          select slot, c.name || ' ' || extract(epoch from slot)::bigint as key,
            -- More of them the nearer it is to today.
            c.story = 'overlaps' and slot > {now} - interval '20 days'
              and pg_temp.even(c.name || extract(epoch from slot)::bigint, 1)
                < 0.34 * (1 - extract(epoch from {now} - slot) / 1728000.0) as skip
          from pg_temp.slots_of(c.cron_id, c.from_at, c.to_at) slot
        ) s
        window w as (order by s.slot)
      ) t
      cross join lateral (
        select date_trunc('day', {now}) - interval '13 days' + time '22:00' as upgrade_from,
          date_trunc('day', {now}) - interval '13 days' + time '22:47' as upgrade_to,
          date_trunc('day', {now}) - interval '11 days' + time '03:10' as pool_from,
          date_trunc('day', {now}) - interval '11 days' + time '04:25' as pool_to
      ) i
    ) d
  ) s`;

/** What became of the jobs: each attempt fails by chance, and is tried again after twice the delay. */
export const JOBS = `
  create temp table seed_job as
  select j.*, j.started_at + interval '1 second' * j.took as finished_at
  from (
    select a.*,
      a.enqueued_at + interval '1 second' * (0.006 * exp(0.8 * pg_temp.normal(a.key, 20))
        + (2 ^ (a.tries - 1) - 1) * a.delay + (a.tries - 1) * a.median * 0.6) as started_at,
      greatest(0.05, case when a.outcome = 'enqueued' and a.next_skip then 300 + 120 * pg_temp.even(a.key, 22)
        else a.median * exp(a.spread * pg_temp.normal(a.key, 24))
          * case when extract(isodow from a.slot) = 1 then 1.3 else 1 end end) as took
    from (
      select s.*, n.tries, n.failed
      from (
        select s.*, row_number() over (partition by s.cron_id order by s.slot desc) as from_last
        from seed_slot s where s.enqueued_at is not null
      ) s
      cross join lateral (
        select (s.story = 'gives_up' and s.from_last <= 5) or (s.story = 'fails_now' and s.from_last <= 3)
          or (s.pool_dry and pg_temp.even(s.key, 30) < 0.8) as doomed
      ) x
      cross join lateral (
        select
          case when x.doomed then s.attempts
            when pg_temp.even(s.key, 31) >= s.fails then 1
            else least(s.attempts, 2 + floor(2.5 * pg_temp.even(s.key, 32))::integer) end as tries,
          x.doomed or (pg_temp.even(s.key, 31) < s.fails
            and (s.attempts = 1 or pg_temp.even(s.key, 33) < 0.35)) as failed
      ) n
    ) a
  ) j`;

export const STORE = [
  `insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, msg_id, blocked_by, driver, pid, decided_at)
   select s.cron_id, s.slot, s.app_id, s.outcome,
     case s.outcome when 'skipped' then carillon._overlap_reason('skip')
       when 'denied' then 'the owner tom.becker is disabled'
       when 'missed' then 'a later slot was due when it could be caught up' end,
     case when s.enqueued_at is not null then s.job_id end,
     case when s.outcome = 'skipped' then p.job_id end,
     case when s.outcome in ('caught_up', 'missed') then 'sweep' else 'pg_cron' end, 4000 + s.job_id % 900, s.decided_at
   from seed_slot s
   left join lateral (
     select p.job_id from seed_slot p
     where s.outcome = 'skipped' and p.cron_id = s.cron_id and p.slot < s.slot and p.enqueued_at is not null
     order by p.slot desc limit 1
   ) p on true
   left join seed_job j on j.job_id = s.job_id
   -- What has not ended by now is told by startJobs.
   where s.enqueued_at is null or j.finished_at < {now}`,
  `insert into carillon.job_history (job_id, app_id, cron_id, scheduled_for, trigger, status, user_id, payload, headers, result,
     error, attempt, worker, enqueued_at, started_at, finished_at)
   select j.job_id, j.app_id, j.cron_id, j.slot, 'automatic', case when j.failed then 'failed' else 'completed' end, c.owner_id,
     c.payload || jsonb_build_object('cron_id', j.cron_id),
     jsonb_build_object('trigger', 'automatic', 'cron_id', j.cron_id, 'scheduled_for', j.slot)
       || case when j.attempts > 1 then jsonb_build_object('max_attempts', j.attempts, 'retry_delay', j.delay) else '{}' end
       || case when j.tries > 1 then jsonb_build_object('attempts', (
         select jsonb_agg(jsonb_build_object('attempt', n, 'worker', w.name,
           'startedAt', j.enqueued_at + interval '1 second' * ((2 ^ (n - 1) - 1) * j.delay + (n - 1) * j.median * 0.6),
           'finishedAt', j.enqueued_at + interval '1 second' * ((2 ^ (n - 1) - 1) * j.delay + n * j.median * 0.6),
           'error', e.error) order by n)
         from generate_series(1, j.tries - 1) n)) else '{}' end,
     case when not j.failed then jsonb_build_object('ok', true, 'rows', floor(900 * pg_temp.even(j.key, 40))) end,
     case when j.failed then e.error end,
     j.tries, w.name, j.enqueued_at, j.started_at, j.finished_at
   from seed_job j
   join carillon.crons c on c.id = j.cron_id
   cross join lateral (select j.app_id || '-' || substr(md5(j.app_id || floor(3 * pg_temp.even(j.key, 41))), 1, 4) as name) w
   cross join lateral (
     select case when j.pool_dry then 'sorry, too many clients already' when j.story = 'gives_up' and j.from_last <= 5 then '550 mailbox unavailable'
       else (select g.text from seed_message g where g.n = 1 + floor(14 * pg_temp.even(j.key, 42))) end as message
   ) m
   cross join lateral (
     select jsonb_build_object('name', 'Error', 'message', m.message, 'stack', 'Error: ' || m.message
       || E'\\n    at ' || coalesce(c.method, 'onJob') || ' (/srv/' || j.app_id || '/jobs/' || j.name || '.js:' || 20 + length(m.message) || E':11)'
       || E'\\n    at process.processTicksAndRejections (node:internal/process/task_queues:95:5)') as error
   ) e
   where j.finished_at < {now}
   order by j.finished_at`,
  `insert into carillon.job_logs (job_id, seq, attempt, at, level, stream, message, data)
   select j.job_id, l.seq, j.tries, j.started_at + (j.finished_at - j.started_at) * (l.seq / 7.0),
     case when j.failed and l.seq = 6 then 'error' when l.seq = 4 and j.tries > 1 then 'warn' else 'info' end, 'log',
     case l.seq when 1 then 'began ' || j.name when 2 then 'read ' || floor(900 * pg_temp.even(j.key, 40)) || ' rows'
       when 3 then 'page 1 of 3 done' when 4 then case when j.tries > 1 then 'the attempt before failed, going on where it stopped' else 'page 2 of 3 done' end
       when 5 then 'page 3 of 3 done' else case when j.failed then 'giving up' else 'done' end end,
     case when l.seq = 2 then jsonb_build_object('order', 'LF-2026-' || 100000 + floor(20000 * pg_temp.even(j.key, 44))) end
   from seed_job j cross join generate_series(1, 6) as l (seq)
   where j.finished_at < {now} and j.finished_at > {now} - interval '36 hours'`,
];

/** The state that all this leaves behind. */
export const SETTLE = [
  `update carillon.crons c set
     last_slot_at = (select max(t.scheduled_for) from carillon.ticks t where t.cron_id = c.id),
     next_fire_at = case when c.enabled then carillon._cron_next(c, {now}) end`,
  `insert into carillon.cron_failures (cron_id, consecutive)
   select s.cron_id, case s.story when 'gives_up' then 5 else 3 end from seed_cron s where s.story in ('gives_up', 'fails_now')`,
  `update carillon.crons c set enabled = false, next_fire_at = null, paused_at = s.to_at, paused_by = carillon._system_principal(),
     pause_note = '5 jobs in a row failed', updated_at = s.to_at, version = c.version + 1
   from seed_cron s where s.cron_id = c.id and s.story = 'gives_up' `,
  `select setval('pgmq.q_jobs_msg_id_seq', (select max(job_id) from seed_slot) + 1)`,
];

/** Letters of a carrier that was down, as lost jobs leave them. */
export const LETTERS = `
  insert into pgmq.q_jobs_dlq (vt, message, headers)
  select {now} - interval '11 days' + n * interval '75 seconds',
    jsonb_build_object('app_id', s.app_id, 'user_id', c.owner_id,
      'payload', jsonb_build_object('cron_id', s.cron_id, 'method', 'labelPrint', 'parcel', 'LF-P-' || 40010 + n)),
    jsonb_build_object('trigger', 'automatic', 'cron_id', s.cron_id, 'job_id', n, 'reason', 'lease_lost', 'attempts', (
      select jsonb_agg(jsonb_build_object('attempt', a, 'worker', 'warehouse-' || substr(md5('w' || n % 3 + a), 1, 4),
        'startedAt', {now} - interval '11 days' + n * interval '75 seconds' - (6 - a) * interval '40 seconds', 'finishedAt', null,
        'error', jsonb_build_object('name', 'LeaseLost', 'message', 'the worker stopped reporting')) order by a)
      from generate_series(1, 5) a))
  from seed_cron s join carillon.crons c on c.id = s.cron_id cross join generate_series(1, 37) n
  where s.story = 'dead_letters'`;
