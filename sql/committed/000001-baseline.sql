--! Previous: -
--! Hash: sha1:6a586e6d97fadecb58a714b46538f4c760898cd7
--! Message: baseline

--! split: 1-current.sql
--! Included baseline.sql
--! Included tables.sql
--! Included tables/schema.sql
create schema carillon;
comment on schema carillon is 'Carillon: a Postgres-native scheduler. Tables are private; functions and views are the interface.';
revoke all on schema carillon from public;
--! EndIncluded tables/schema.sql
--! Included core/now.sql
create or replace function carillon.now() returns timestamptz
language sql volatile security invoker
return clock_timestamp();
comment on function carillon.now() is 'The one clock of Carillon.';
revoke all on function carillon.now() from public;
--! EndIncluded core/now.sql
--! Included tables/settings.sql
create table carillon.settings (
  key text primary key,
  value jsonb not null
);
comment on table carillon.settings is 'One row per setting of this installation; read and written by carillon functions only.';
--! EndIncluded tables/settings.sql
--! Included tables/apps.sql
create table carillon.apps (
  id text primary key constraint apps_id_form check (id ~ '^[a-z0-9][a-z0-9_-]{0,62}$'),
  name text,
  manifest jsonb not null default '{}' constraint apps_manifest_is_object check (jsonb_typeof(manifest) = 'object'),
  permissions text[] not null default '{}',
  agent jsonb constraint apps_agent_is_object check (jsonb_typeof(agent) = 'object'),
  max_concurrency integer constraint apps_max_concurrency_positive check (max_concurrency > 0),
  created_at timestamptz not null default carillon.now(),
  updated_at timestamptz not null default carillon.now()
);
comment on table carillon.apps is 'What is deployed with a manifest: owns crons and jobs, and is the unit of isolation.';
comment on column carillon.apps.agent is 'What makes it an agent, as its manifest says; null for an app that is none.';
comment on column carillon.apps.max_concurrency is 'How many jobs of the app may run at once; null is unlimited.';
--! EndIncluded tables/apps.sql
--! Included tables/principals.sql
create table carillon.principals (
  id uuid primary key default gen_random_uuid(),
  kind text not null constraint principals_kind_known check (kind in ('user', 'service', 'system')),
  username text not null constraint principals_username_unique unique
    constraint principals_username_form check (username ~ '^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}$'),
  disabled_at timestamptz,
  created_at timestamptz not null default carillon.now()
);
comment on table carillon.principals is 'Users and service accounts. The one of kind system owns what the database''s owner makes in SQL.';

create table carillon.roles (
  name text primary key,
  app_id text references carillon.apps on delete cascade,
  permissions text[] not null default '{}',
  created_at timestamptz not null default carillon.now()
);
comment on table carillon.roles is 'Named sets of permission strings; a role of an app goes with the app.';
create index roles_app_id_idx on carillon.roles (app_id);

create table carillon.role_inherits (
  role text not null references carillon.roles on delete cascade,
  inherits text not null references carillon.roles on delete cascade,
  primary key (role, inherits),
  constraint role_inherits_another check (role <> inherits)
);
comment on table carillon.role_inherits is 'Which role grants all that another grants; without cycles.';
create index role_inherits_inherits_idx on carillon.role_inherits (inherits);

create table carillon.role_members (
  principal_id uuid not null references carillon.principals on delete cascade,
  role text not null references carillon.roles on delete cascade,
  primary key (principal_id, role)
);
comment on table carillon.role_members is 'Which principal holds which role.';
create index role_members_role_idx on carillon.role_members (role);

create table carillon.api_keys (
  id uuid primary key default gen_random_uuid(),
  principal_id uuid not null references carillon.principals on delete cascade,
  name text not null,
  prefix text not null,
  hash bytea not null constraint api_keys_hash_unique unique,
  created_at timestamptz not null default carillon.now(),
  scopes text[] constraint api_keys_scopes_not_empty check (cardinality(scopes) > 0),
  mints_keys boolean not null default false,
  created_by uuid references carillon.principals on delete set null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
comment on table carillon.api_keys is 'API keys by the SHA-256 of their secret, which is stored nowhere.';
comment on column carillon.api_keys.scopes is 'What of its principal''s permissions the key carries; null is all of them.';
comment on column carillon.api_keys.mints_keys is 'Whether other keys may be made with it: true of the bootstrap key only.';
create index api_keys_created_by_idx on carillon.api_keys (created_by) where created_by is not null;
create index api_keys_principal_id_idx on carillon.api_keys (principal_id);
--! EndIncluded tables/principals.sql
--! Included tables/identities.sql
create table carillon.identities (
  issuer text not null,
  subject text not null,
  principal_id uuid not null references carillon.principals on delete cascade,
  created_at timestamptz not null default carillon.now(),
  primary key (issuer, subject),
  constraint identities_form check (length(issuer) between 1 and 500 and length(subject) between 1 and 255)
);
comment on table carillon.identities is 'Who a principal is to the issuers of tokens and sessions. A subject means something to its issuer only.';
create index identities_principal_id_idx on carillon.identities (principal_id);
--! EndIncluded tables/identities.sql
--! Included tables/beats.sql
create table carillon.beats (
  id bigint generated always as identity primary key,
  expression text not null constraint beats_expression_unique unique,
  pg_job_id bigint
);
comment on table carillon.beats is 'One pg_cron job per compiled expression, shared by all crons that need waking at the same times.';
comment on column carillon.beats.pg_job_id is
  'cron.job.jobid while scheduled; null while no enabled cron needs the beat. In no unique index: setting it must not wait for those who join the beat.';

create table carillon.beat_jobs (
  pg_job_id bigint primary key,
  beat_id bigint not null references carillon.beats on delete cascade
);
comment on table carillon.beat_jobs is 'Every pg_cron job a beat has ever had: a beat that is emptied and joined again gets a new one.';
create index beat_jobs_beat_id_idx on carillon.beat_jobs (beat_id);
--! EndIncluded tables/beats.sql
--! Included tables/crons.sql
create table carillon.crons (
  id uuid primary key default gen_random_uuid(),
  app_id text not null references carillon.apps on delete cascade,
  name text not null constraint crons_name_form check (name ~ '^[A-Za-z0-9_-]{1,64}$'),
  schedule text not null,
  timezone text not null default 'GMT',
  dst_gap text not null default 'shift' constraint crons_dst_gap_known check (dst_gap in ('shift', 'skip')),
  dst_fold text not null default 'first' constraint crons_dst_fold_known check (dst_fold in ('first', 'both')),
  starts_at timestamptz,
  ends_at timestamptz,
  anchor_at timestamptz,
  jitter_seconds integer not null default 0
    constraint crons_jitter_range check (jitter_seconds between 0 and 86400),
  method text,
  payload jsonb not null default '{}' constraint crons_payload_is_object check (jsonb_typeof(payload) = 'object'),
  overlap_policy text not null default 'skip'
    constraint crons_overlap_policy_known check (overlap_policy in ('skip', 'queue', 'buffer', 'replace')),
  catch_up text not null default 'latest' constraint crons_catch_up_known check (catch_up in ('latest', 'all', 'none')),
  catch_up_max integer not null default 100 constraint crons_catch_up_max_range check (catch_up_max between 1 and 1000),
  catch_up_window_seconds integer not null default 3600
    constraint crons_catch_up_window_range check (catch_up_window_seconds between 0 and 31536000),
  max_consecutive_failures integer
    constraint crons_max_consecutive_failures_range check (max_consecutive_failures between 1 and 1000000),
  job_headers jsonb not null default '{}' constraint crons_job_headers_is_object check (jsonb_typeof(job_headers) = 'object'),
  expires_after_seconds integer constraint crons_expires_after_range check (expires_after_seconds between 1 and 31536000),
  max_concurrency integer constraint crons_max_concurrency_positive check (max_concurrency > 0),
  description text not null,
  enabled boolean not null default true,
  origin text not null constraint crons_origin_known check (origin in ('manifest', 'api', 'sql')),
  declared_enabled boolean,
  declared_run_as uuid,
  owner_id uuid references carillon.principals on delete set null,
  paused_at timestamptz,
  paused_by uuid references carillon.principals on delete set null,
  pause_note text,
  beat_id bigint references carillon.beats,
  next_fire_at timestamptz constraint crons_next_fire_only_when_enabled check (enabled or next_fire_at is null),
  last_slot_at timestamptz,
  completed_at timestamptz,
  created_at timestamptz not null default carillon.now(),
  updated_at timestamptz not null default carillon.now(),
  version integer not null default 1,
  constraint crons_name_unique unique (app_id, name),
  constraint crons_bounds_in_order check (starts_at <= ends_at),
  constraint crons_paused_iff_disabled check (enabled = (paused_at is null)),
  constraint crons_note_only_when_paused check (enabled <= (pause_note is null))
);
comment on table carillon.crons is 'Named schedules. next_fire_at is the next slot to decide; a wake decides exactly the crons whose next_fire_at has come.';
comment on column carillon.crons.last_slot_at is 'The newest slot that has been decided; null before the first.';
comment on column carillon.crons.anchor_at is 'Slot 0 of a rate schedule that names no start of its own; null for other forms.';
comment on column carillon.crons.jitter_seconds is 'Upper bound of the stable delay of this cron''s jobs; the slot itself does not move.';
comment on column carillon.crons.version is 'Grows with every change of the cron, not with its firing; what an update expects, so that it overwrites nobody else''s.';
comment on column carillon.crons.declared_enabled is 'What the manifest last said of enabled, so that a deploy overrides a pause only when the manifest changed.';
comment on column carillon.crons.job_headers is 'The options of its jobs (priority, attempts, timeout, tags, target) as their headers carry them; those of default are absent.';
comment on column carillon.crons.expires_after_seconds is 'How long a job may wait to be started once it is due; null is for ever.';
comment on column carillon.crons.max_concurrency is 'How many jobs of the cron may run at once; null is unlimited.';
comment on column carillon.crons.declared_run_as is 'The service account the manifest last named, so that a deploy changes the owner only when the manifest does.';
create index crons_limited_idx on carillon.crons (app_id) where max_concurrency is not null;
create index crons_due_idx on carillon.crons (next_fire_at) where next_fire_at is not null;
-- The sweep looks for those that have lost their next slot.
create index crons_unarmed_idx on carillon.crons (id) where enabled and next_fire_at is null and completed_at is null;
create index crons_beat_id_idx on carillon.crons (beat_id) where beat_id is not null;
create index crons_owner_id_idx on carillon.crons (owner_id, app_id);
create index crons_paused_by_idx on carillon.crons (paused_by) where paused_by is not null;

create table carillon.cron_failures (
  cron_id uuid primary key references carillon.crons on delete cascade,
  consecutive integer not null constraint cron_failures_positive check (consecutive > 0)
);
comment on table carillon.cron_failures is
  'How many jobs of a cron have failed in a row; apart from crons, so that finishing jobs never waits for firing.';

create table carillon.enlistments (
  id bigint generated always as identity primary key,
  cron_id uuid not null references carillon.crons on delete cascade,
  beat_id bigint not null references carillon.beats,
  widened boolean not null default false,
  enlisted_from timestamptz not null,
  enlisted_until timestamptz,
  constraint enlistments_in_order check (enlisted_from <= enlisted_until)
);
comment on table carillon.enlistments is 'Which beat woke a cron, from when to when; with beat_jobs it keeps a cron''s run history across edits.';
comment on column carillon.enlistments.widened is 'Whether the beat wakes more often than the narrowest one would, because there are very many; wakes at which the cron has no slot are then not its runs.';
create index enlistments_cron_id_idx on carillon.enlistments (cron_id, enlisted_from desc);
create index enlistments_beat_id_idx on carillon.enlistments (beat_id);
create unique index enlistments_one_open_idx on carillon.enlistments (cron_id) where enlisted_until is null;
--! EndIncluded tables/crons.sql
--! Included tables/backfills.sql
create table carillon.backfills (
  id uuid primary key default gen_random_uuid(),
  cron_id uuid not null references carillon.crons on delete cascade,
  from_at timestamptz not null,
  to_at timestamptz not null,
  concurrency integer not null constraint backfills_concurrency_range check (concurrency between 1 and 1000),
  slots timestamptz[] not null,
  enqueued integer not null default 0,
  created_by uuid references carillon.principals on delete set null,
  created_at timestamptz not null default carillon.now(),
  finished_at timestamptz,
  constraint backfills_in_order check (from_at <= to_at),
  constraint backfills_enqueued_range check (enqueued between 0 and cardinality(slots))
);
comment on table carillon.backfills is 'Past slots being enqueued on demand, oldest first, at most concurrency of their jobs live at a time.';
comment on column carillon.backfills.slots is 'The slots that had no tick when the backfill was asked for; the first enqueued of them are done.';
create index backfills_cron_id_idx on carillon.backfills (cron_id, created_at desc);
create index backfills_created_by_idx on carillon.backfills (created_by);
create index backfills_open_idx on carillon.backfills (created_at) where finished_at is null;
--! EndIncluded tables/backfills.sql
--! Included tables/ticks.sql
create table carillon.ticks (
  cron_id uuid not null,
  scheduled_for timestamptz not null,
  app_id text not null,
  outcome text not null constraint ticks_outcome_known
    check (outcome in ('enqueued', 'skipped', 'replaced', 'caught_up', 'missed', 'denied', 'failed')),
  reason text,
  msg_id bigint,
  blocked_by bigint,
  driver text not null constraint ticks_driver_known check (driver in ('pg_cron', 'ticker', 'sweep', 'api', 'backfill')),
  pid integer not null default pg_backend_pid(),
  decided_at timestamptz not null,
  constraint ticks_one_per_slot primary key (cron_id, scheduled_for),
  constraint ticks_job_iff_enqueued check ((outcome in ('enqueued', 'replaced', 'caught_up')) = (msg_id is not null))
) partition by range (scheduled_for);
comment on table carillon.ticks is 'The ledger: one row per decided slot, written in the transaction that enqueued (or did not).';
comment on column carillon.ticks.blocked_by is 'The job that was still queued or running when the slot was skipped, or that gave way when it was replaced.';
-- What is not as usual is found without reading the rest; a slot that is enqueued does not write here.
create index ticks_other_idx on carillon.ticks (cron_id, scheduled_for, outcome) where outcome <> 'enqueued';
-- Rows lie in the order in which they were decided: this costs next to nothing to write.
create index ticks_decided_idx on carillon.ticks using brin (decided_at) with (pages_per_range = 16);
create table carillon.ticks_default partition of carillon.ticks default;
comment on table carillon.ticks_default is 'Slots outside the prepared days.';
--! EndIncluded tables/ticks.sql
--! Included tables/job_filter.sql
create type carillon.job_filter as (
  app_id text,
  cron_id uuid,
  statuses text[],
  triggers text[],
  tag text,
  job_ids bigint[],
  enqueued_after timestamptz,
  enqueued_before timestamptz,
  started_after timestamptz,
  started_before timestamptz,
  finished_after timestamptz,
  finished_before timestamptz,
  targets text[]
);
comment on type carillon.job_filter is
  'Which jobs of an app are meant; null is no condition. Times: at or after, and before.';
--! EndIncluded tables/job_filter.sql
--! Included jobs/_tag_job.sql
create or replace function carillon._tag_job() returns trigger
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  insert into carillon.job_tags (app_id, tag, job_id, finished_at)
  select distinct new.app_id, t.tag, new.job_id, new.finished_at
  from jsonb_array_elements_text(case jsonb_typeof(new.headers -> 'tags') when 'array' then new.headers -> 'tags' else '[]' end) as t (tag)
  where t.tag is not null;
  return null;
end;
$$;
comment on function carillon._tag_job() is 'Trigger of job_history: lists a finished job under its tags. Jobs without tags do not come here.';
revoke all on function carillon._tag_job() from public;
--! EndIncluded jobs/_tag_job.sql
--! Included tables/job_history.sql
create table carillon.job_history (
  job_id bigint not null,
  app_id text not null,
  cron_id uuid,
  scheduled_for timestamptz,
  trigger text not null constraint job_history_trigger_known check (trigger in ('automatic', 'manual', 'api')),
  status text not null constraint job_history_status_terminal check (status in ('completed', 'failed', 'canceled')),
  user_id uuid,
  payload jsonb,
  headers jsonb not null,
  result jsonb,
  error jsonb,
  attempt integer not null,
  worker text,
  enqueued_at timestamptz not null,
  started_at timestamptz,
  finished_at timestamptz not null,
  constraint job_history_error_iff_failed check ((status = 'failed') = (error is not null))
) partition by range (finished_at);
comment on table carillon.job_history is 'Every finished job with its outcome, partitioned by the day it finished.';
comment on column carillon.job_history.headers is 'The pgmq headers at the end, with the earlier attempts under "attempts".';
create index job_history_job_idx on carillon.job_history (job_id);
-- Lists are in the order of ids, which is that of enqueuing and never changes: a list of several statuses merges
-- one walk for each. Written in ascending order, at the end of each stretch.
create index job_history_app_idx on carillon.job_history (app_id, status, job_id);
create index job_history_cron_idx on carillon.job_history (cron_id, status, job_id) where cron_id is not null;
-- Rare among millions.
create index job_history_manual_idx on carillon.job_history (app_id, job_id) where trigger = 'manual';
-- Rows lie in the order in which they finished: this costs next to nothing to write.
create index job_history_finished_idx on carillon.job_history using brin (finished_at) with (pages_per_range = 16);
create table carillon.job_history_default partition of carillon.job_history default;
comment on table carillon.job_history_default is 'Jobs finished outside the prepared days.';

create table carillon.job_tags (
  app_id text not null,
  tag text not null,
  job_id bigint not null,
  finished_at timestamptz not null
) partition by range (finished_at);
comment on table carillon.job_tags is 'The tags of finished jobs, for lists by tag; partitioned as the history is.';
create index job_tags_tag_idx on carillon.job_tags (app_id, tag, job_id);
create table carillon.job_tags_default partition of carillon.job_tags default;
comment on table carillon.job_tags_default is 'Tags of jobs finished outside the prepared days.';
create trigger job_history_tags after insert on carillon.job_history
  for each row when (new.headers ? 'tags') execute function carillon._tag_job();

create table carillon.job_retries (
  job_id bigint primary key,
  retry_of bigint not null,
  created_at timestamptz not null
);
comment on table carillon.job_retries is 'Which job runs which other one again; kept as long as the history.';
create index job_retries_retry_of_idx on carillon.job_retries (retry_of);
create index job_retries_created_idx on carillon.job_retries (created_at);
--! EndIncluded tables/job_history.sql
--! Included tables/job_stats.sql
create table carillon.job_stats (
  app_id text not null,
  scope uuid not null,
  step integer not null constraint job_stats_step_known check (step in (60, 900, 3600, 86400)),
  from_at timestamptz not null,
  status text not null constraint job_stats_status_terminal check (status in ('completed', 'failed', 'canceled')),
  jobs bigint not null constraint job_stats_jobs_positive check (jobs > 0),
  first_job bigint not null,
  last_job bigint not null,
  durations bigint[] not null,
  duration_sum double precision not null,
  duration_max double precision not null,
  waits bigint[] not null,
  lags bigint[] not null,
  constraint job_stats_one_per_step unique (app_id, scope, step, from_at, status)
);
comment on table carillon.job_stats is
  'How jobs ended, rolled up by the sweep from the history: for crons and for whole apps (whose scope is the UUID of zeros), by steps of so many seconds. Complete up to the setting stats_until.';
comment on column carillon.job_stats.durations is
  'A histogram of seconds: the number of each bucket times 2^40, plus how many fell into it. See _log_bucket.';
create index job_stats_age_idx on carillon.job_stats (step, from_at);
--! EndIncluded tables/job_stats.sql
--! Included tables/tick_stats.sql
create table carillon.tick_stats (
  app_id text not null,
  from_at timestamptz not null,
  outcome text not null,
  slots bigint not null constraint tick_stats_slots_positive check (slots > 0),
  constraint tick_stats_one_per_hour unique (app_id, from_at, outcome)
);
comment on table carillon.tick_stats is
  'How many slots of an app were decided how in each hour, rolled up by the sweep from the ledger. Complete up to the setting stats_until.';
create index tick_stats_age_idx on carillon.tick_stats (from_at);
--! EndIncluded tables/tick_stats.sql
--! Included tables/attention.sql
create type carillon.attention_item as (
  severity integer,
  kind text,
  app_id text,
  crons jsonb,
  cron_count integer,
  count bigint,
  since timestamptz,
  error text,
  text text
);
comment on type carillon.attention_item is
  'Something that needs somebody: how serious it is (3 critical, 2 warning, 1 to know), of which kind, about which app and crons (eight at most of so many), how often, since when, by which error, and all that as a sentence.';
--! EndIncluded tables/attention.sql
--! Included tables/retentions.sql
create table carillon.retentions (
  app_id text not null references carillon.apps on delete cascade,
  cron_id uuid references carillon.crons on delete cascade,
  days integer constraint retentions_days_range check (days between 1 and 3650),
  keep_last integer constraint retentions_keep_last_range check (keep_last between 1 and 10000),
  keep_failed integer constraint retentions_keep_failed_range check (keep_failed between 1 and 10000),
  last_from bigint,
  failed_from bigint,
  counted_on date,
  trimmed_through date,
  constraint retentions_one_per_scope unique nulls not distinct (app_id, cron_id),
  constraint retentions_not_empty check (num_nonnulls(days, keep_last, keep_failed) > 0)
);
comment on table carillon.retentions is
  'How long the finished jobs of an app, or of one of its crons, are kept where that differs from the setting jobRetentionDays, and how many of the last and the last failed ones beyond that.';
comment on column carillon.retentions.last_from is
  'The oldest of the last keep_last jobs on the day counted_on, failed_from that of the last failed ones: these and all younger ones are kept.';
comment on column carillon.retentions.trimmed_through is 'The last day of the history of which what is past its days has been deleted.';
create index retentions_cron_id_idx on carillon.retentions (cron_id) where cron_id is not null;
--! EndIncluded tables/retentions.sql
--! Included tables/job_logs.sql
create table carillon.job_logs (
  job_id bigint not null,
  seq integer not null constraint job_logs_seq_positive check (seq > 0),
  attempt integer not null constraint job_logs_attempt_positive check (attempt > 0),
  at timestamptz not null,
  level text not null constraint job_logs_level_known check (level in ('debug', 'info', 'warn', 'error')),
  stream text not null constraint job_logs_stream_known check (stream in ('log', 'stdout', 'stderr', 'progress')),
  message text not null constraint job_logs_message_bounded check (octet_length(message) <= 1048576),
  data jsonb,
  percent double precision constraint job_logs_percent_in_range check (percent between 0 and 100),
  altered jsonb,
  constraint job_logs_percent_iff_progress check ((stream = 'progress') = (percent is not null))
) partition by range (at);
comment on table carillon.job_logs is 'What handlers log, a row a line, partitioned by the day it was logged.';
comment on column carillon.job_logs.seq is 'Counts the lines of the job from 1, through all its attempts.';
comment on column carillon.job_logs.percent is 'How far the job was, in lines of the stream progress, whose message is the note.';
comment on column carillon.job_logs.altered is
  'What is not as it was logged: cutBytes off the end of the message, replaced characters that cannot be stored (U+FFFD stands for them), dataBytes of data left out.';
create index job_logs_line_idx on carillon.job_logs (job_id, seq);
create index job_logs_progress_idx on carillon.job_logs (job_id, seq) where stream = 'progress';
create table carillon.job_logs_default partition of carillon.job_logs default;
comment on table carillon.job_logs_default is 'Lines logged outside the prepared days.';
--! EndIncluded tables/job_logs.sql
--! Included tables/queue.sql
-- pgmq's own tables are made by pgmq (carillon migrate does it through pgmq-js); only indexes are added here.
do $$
begin
  if to_regclass('pgmq.q_jobs') is null or to_regclass('pgmq.q_jobs_dlq') is null then
    raise exception using errcode = 'TK902',
      message = 'the pgmq queues "jobs" and "jobs_dlq" are missing in this database',
      hint = 'create extension pgmq; select pgmq.create(''jobs''); select pgmq.create(''jobs_dlq'');';
  end if;
end;
$$;

-- pgmq's own index by time is of no use to pgmq.read (which compares with a volatile clock), and would be written
-- with every claim.
drop index if exists pgmq.q_jobs_vt_idx;

-- What waits is in one of these, by what claims it in which order (_pick_jobs); what is leased is in none of them.
-- The first column is what _claim_key says: whoever may write into this table evaluates it, and has no rights on functions.
-- Direct jobs and those of unlimited crons, by due time:
create index carillon_jobs_direct_idx on pgmq.q_jobs
  ((case when headers ? 'target' then '@' || (message ->> 'app_id') else message ->> 'app_id' end), (coalesce((headers ->> 'priority')::integer, 0)) desc, vt, msg_id)
  where (headers ? 'cron_id') is not true and (headers ? 'lease') is not true;
create index carillon_jobs_due_idx on pgmq.q_jobs
  ((case when headers ? 'target' then '@' || (message ->> 'app_id') else message ->> 'app_id' end), (coalesce((headers ->> 'priority')::integer, 0)) desc, vt, msg_id)
  where headers ? 'cron_id' and not headers ? 'lease' and not headers ? 'limited';
-- The jobs of crons, cron by cron, those of limited crons (true) apart:
create index carillon_jobs_lane_idx on pgmq.q_jobs
  ((case when headers ? 'target' then '@' || (message ->> 'app_id') else message ->> 'app_id' end), (headers ? 'limited'), (coalesce((headers ->> 'priority')::integer, 0)) desc, (headers ->> 'cron_id'), vt, msg_id)
  where headers ? 'cron_id' and not headers ? 'lease';
-- The leased ones, by when they are lost; and how many of a limited cron there are.
create index carillon_jobs_lease_idx on pgmq.q_jobs ((message ->> 'app_id'), vt) where headers ? 'lease';
create index carillon_jobs_limited_lease_idx on pgmq.q_jobs ((headers ->> 'cron_id')) where headers ? 'limited' and headers ? 'lease';
-- Dispatchers ask which apps have jobs with targets that are due, or whose lease is lost: the oldest, and app by app.
create index carillon_jobs_target_idx on pgmq.q_jobs (vt) where headers ? 'target';
create index carillon_jobs_target_app_idx on pgmq.q_jobs ((message ->> 'app_id'), vt) where headers ? 'target';
-- The sweep looks for jobs that were not started in time.
create index carillon_jobs_expiry_idx on pgmq.q_jobs ((headers ->> 'expires_at')) where headers ? 'expires_at';
-- Overlap asks for the live jobs of one cron, by the trusted header.
-- With the id, so that no plan walks the whole queue to find the oldest of them.
create index carillon_jobs_cron_idx on pgmq.q_jobs ((headers ->> 'cron_id'), msg_id) where headers ->> 'cron_id' is not null;

-- Dead letters are listed app by app.
create index carillon_letters_app_idx on pgmq.q_jobs_dlq ((message ->> 'app_id'), msg_id);
--! EndIncluded tables/queue.sql
--! Included tables/queue_fronts.sql
-- What is lost here is looked for anew within the second: it needs no log and no crash safety.
create unlogged table carillon.queue_fronts (
  claim_key text primary key,
  priority integer not null,
  due_at timestamptz not null,
  msg_id bigint not null,
  looked_at timestamptz not null
) with (fillfactor = 50);
comment on table carillon.queue_fronts is
  'Where the direct jobs begin that wait behind a deep backlog: who looks from the start passes all that have gone since the last vacuum.';
comment on column carillon.queue_fronts.claim_key is 'Which jobs: see _claim_key.';
comment on column carillon.queue_fronts.looked_at is 'When none waited before this place; a job that is seen later, or comes back, may.';
--! EndIncluded tables/queue_fronts.sql
--! Included tables/idempotency_keys.sql
create table carillon.idempotency_keys (
  app_id text not null references carillon.apps (id) on delete cascade,
  key text not null,
  request_hash bytea not null,
  job_id bigint not null,
  created_at timestamptz not null,
  primary key (app_id, key)
);
comment on table carillon.idempotency_keys is 'Which job an idempotency key of an app stands for, for 24 hours.';
create index idempotency_keys_created_idx on carillon.idempotency_keys (created_at);
--! EndIncluded tables/idempotency_keys.sql
--! Included tables/audit.sql
create type carillon.audit_entry as (
  action text,
  app_id text,
  object_id text,
  object_name text,
  before jsonb,
  after jsonb
);
comment on type carillon.audit_entry is 'What was done to what: a row of the audit log but for who did it, when and from where.';

create table carillon.audit_log (
  id bigint generated always as identity primary key,
  at timestamptz not null,
  action text not null constraint audit_log_action_form check (action ~ '^[a-z]+\.[a-z_]+$'),
  app_id text,
  object_id text,
  object_name text,
  before jsonb,
  after jsonb,
  actor_id uuid,
  actor_name text not null,
  actor_kind text not null constraint audit_log_actor_kind_known check (actor_kind in ('user', 'service', 'system', 'database')),
  via text not null constraint audit_log_via_known check (via in ('key', 'token', 'session', 'sql', 'system')),
  key_id uuid,
  key_prefix text,
  database_role text not null,
  ip text,
  user_agent text,
  request_id text,
  reason text
);
comment on table carillon.audit_log is 'Who changed what, from what to what, by which credential and from where; only ever appended to, until its retention ends.';
comment on column carillon.audit_log.action is 'Such as cron.update; the word before the dot says what kind of object it was done to.';
comment on column carillon.audit_log.before is 'The fields that changed, as they were; null for what is new. Never secrets; of large values only size and hash.';
comment on column carillon.audit_log.actor_name is 'The name the principal had then, or the database role for what was done in SQL without an actor.';
comment on column carillon.audit_log.database_role is 'As which role whoever wrote the row was connected.';
-- Nothing refers to other tables: rows outlive what they are about.
create index audit_log_at_idx on carillon.audit_log (at, id);
create index audit_log_app_idx on carillon.audit_log (app_id, at, id) where app_id is not null;
create index audit_log_object_idx on carillon.audit_log (object_id, at, id) where object_id is not null;
create index audit_log_actor_idx on carillon.audit_log (actor_name, at, id);
create index audit_log_actor_id_idx on carillon.audit_log (actor_id, at, id) where actor_id is not null;
--! EndIncluded tables/audit.sql
--! Included tables/requests.sql
create table carillon.requests (
  principal_id uuid not null references carillon.principals on delete cascade,
  line text not null,
  key text not null,
  body_hash bytea not null,
  status integer not null,
  answer text,
  created_at timestamptz not null,
  primary key (principal_id, line, key)
);
comment on table carillon.requests is 'Requests of the API that came with an Idempotency-Key, and what they were answered, for 24 hours.';
comment on column carillon.requests.line is 'Method and path.';
comment on column carillon.requests.answer is 'The body of the answer; null where that held a secret, which is not kept.';
create index requests_created_idx on carillon.requests (created_at);
--! EndIncluded tables/requests.sql
--! Included tables/app_secrets.sql
create table carillon.app_secrets (
  app_id text not null references carillon.apps on delete cascade,
  name text not null constraint app_secrets_name_form check (name ~ '^[A-Z][A-Z0-9_]{0,63}$'),
  key_id text not null constraint app_secrets_key_id_form check (key_id ~ '^[0-9a-f]{16}$'),
  nonce bytea not null constraint app_secrets_nonce_size check (octet_length(nonce) = 12),
  ciphertext bytea not null constraint app_secrets_ciphertext_size check (octet_length(ciphertext) between 17 and 65552),
  created_at timestamptz not null,
  created_by uuid references carillon.principals on delete set null,
  updated_at timestamptz not null,
  updated_by uuid references carillon.principals on delete set null,
  last_used_at timestamptz,
  primary key (app_id, name)
);
comment on table carillon.app_secrets is
  'What apps keep secret, sealed (AES-256-GCM, app and name bound in) by a key that no database ever sees; for dispatchers only.';
comment on column carillon.app_secrets.key_id is 'Which key it is sealed by: a digest of that key, not the key.';
comment on column carillon.app_secrets.ciphertext is 'With the tag of 16 bytes at its end.';
comment on column carillon.app_secrets.last_used_at is 'When a dispatcher last asked for it; precise to a minute.';
create index app_secrets_created_by_idx on carillon.app_secrets (created_by) where created_by is not null;
create index app_secrets_updated_by_idx on carillon.app_secrets (updated_by) where updated_by is not null;
--! EndIncluded tables/app_secrets.sql
--! Included tables/signing_keys.sql
create table carillon.signing_keys (
  id uuid primary key,
  app_id text not null references carillon.apps on delete cascade,
  key_id text not null constraint signing_keys_key_id_form check (key_id ~ '^[0-9a-f]{16}$'),
  nonce bytea not null constraint signing_keys_nonce_size check (octet_length(nonce) = 12),
  ciphertext bytea not null constraint signing_keys_ciphertext_size check (octet_length(ciphertext) between 17 and 1024),
  created_at timestamptz not null,
  created_by uuid references carillon.principals on delete set null,
  expires_at timestamptz,
  constraint signing_keys_in_order check (expires_at >= created_at)
);
comment on table carillon.signing_keys is
  'What requests to an app''s HTTP targets are signed by, sealed as app_secrets are, with the id in place of a name: the current one, and until it expires the one before it.';
comment on column carillon.signing_keys.expires_at is 'Until when it signs; null for the current one.';
create unique index signing_keys_current_idx on carillon.signing_keys (app_id) where expires_at is null;
create index signing_keys_app_id_idx on carillon.signing_keys (app_id, created_at desc);
create index signing_keys_created_by_idx on carillon.signing_keys (created_by) where created_by is not null;
create index signing_keys_expires_at_idx on carillon.signing_keys (expires_at) where expires_at is not null;
--! EndIncluded tables/signing_keys.sql
--! Included tables/breakers.sql
create table carillon.breakers (
  app_id text not null references carillon.apps on delete cascade,
  key text not null constraint breakers_key_size check (length(key) between 1 and 500),
  failures integer not null constraint breakers_failures_positive check (failures > 0),
  opened_at timestamptz,
  probe_at timestamptz,
  probing boolean not null default false,
  error_class text not null,
  error_message text not null,
  failed_at timestamptz not null,
  primary key (app_id, key),
  constraint breakers_open_is_probed check ((opened_at is null) = (probe_at is null) and (opened_at is not null or not probing))
);
comment on table carillon.breakers is 'Targets of apps that were broken when last called, and how often in a row; one that works has no row.';
comment on column carillon.breakers.key is 'What breaks together: an origin, a Faktory instance, an image.';
comment on column carillon.breakers.opened_at is 'Since when no calls are made; null while they are.';
comment on column carillon.breakers.probe_at is 'When one call may find out whether it works again.';
comment on column carillon.breakers.probing is 'Whether that call is under way; when nobody hears of it, it counts as failed at probe_at.';
create index breakers_failed_at_idx on carillon.breakers (failed_at);

create table carillon.breaker_settings (
  app_id text primary key references carillon.apps on delete cascade,
  failures integer not null constraint breaker_settings_failures_range check (failures between 0 and 1000),
  cool_down_seconds integer not null constraint breaker_settings_cool_down_range check (cool_down_seconds between 1 and 86400)
);
comment on table carillon.breaker_settings is 'When the circuit breakers of an app''s targets open, and for how long, where that differs from what dispatchers are told.';
comment on column carillon.breaker_settings.failures is 'After so many in a row; 0 is never.';
--! EndIncluded tables/breakers.sql
--! Included tables/database_roles.sql
create table carillon.database_roles (
  role_name name primary key,
  apps text[] not null,
  bound_at timestamptz not null
);
comment on table carillon.database_roles is 'Which apps a worker''s database role is bound to. The owner, superusers and members of carillon_api need no row; any other role without one reaches no app.';
--! EndIncluded tables/database_roles.sql
--! Included tables/workers.sql
-- Who is there can be told anew within half a minute: it needs no log and no crash safety.
create unlogged table carillon.workers (
  name text primary key,
  keys text[] not null constraint workers_keys_some check (cardinality(keys) > 0),
  host text not null,
  pid integer not null,
  version text not null,
  concurrency integer not null constraint workers_concurrency_positive check (concurrency > 0),
  started_at timestamptz not null,
  seen_at timestamptz not null,
  constraint workers_seen_since_start check (seen_at >= started_at)
);
comment on table carillon.workers is 'Workers and dispatchers that said lately that they are there, idle ones too; one that stops in order has no row any more.';
comment on column carillon.workers.keys is 'What it claims: apps, or @ and an app for its jobs with targets, or @ alone for those of all apps.';
create index workers_seen_at_idx on carillon.workers (seen_at);
--! EndIncluded tables/workers.sql
--! EndIncluded tables.sql
--! Included all.sql
-- Every function and view, in an order in which each finds what it names.
--! Included core/now.sql
create or replace function carillon.now() returns timestamptz
language sql volatile security invoker
return clock_timestamp();
comment on function carillon.now() is 'The one clock of Carillon.';
revoke all on function carillon.now() from public;
--! EndIncluded core/now.sql
--! Included core/_invalid.sql
create or replace function carillon._invalid(field text, problem text, hint text default null) returns void
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if hint is null then
    raise exception using errcode = 'TK001', column = field, message = field || ' ' || problem;
  end if;
  raise exception using errcode = 'TK001', column = field, message = field || ' ' || problem, hint = _invalid.hint;
end;
$$;
comment on function carillon._invalid(text, text, text) is 'Refuses an input: raises TK001 naming the field and the rule.';
revoke all on function carillon._invalid(text, text, text) from public;
--! EndIncluded core/_invalid.sql
--! Included core/_json_text.sql
create or replace function carillon._json_text(value jsonb, field text, max_length integer default 1000) returns text
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if jsonb_typeof(value) is distinct from 'string' then
    perform carillon._invalid(field, format('must be a string, got %s', coalesce(jsonb_typeof(value), 'nothing')));
  end if;
  if length(value #>> '{}') > max_length then
    perform carillon._invalid(field, format('must be at most %s characters long', max_length));
  end if;
  return value #>> '{}';
end;
$$;
comment on function carillon._json_text(jsonb, text, integer) is 'A JSON value that has to be a string, as text.';
revoke all on function carillon._json_text(jsonb, text, integer) from public;
--! EndIncluded core/_json_text.sql
--! Included core/_json_timestamp.sql
create or replace function carillon._json_timestamp(value jsonb, field text) returns timestamptz
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_text text := carillon._json_text(value, field, 40);
begin
  -- timestamptz input is far more liberal (and depends on TimeZone); only RFC 3339 is taken.
  if v_text !~ '^\d{4}-\d\d-\d\d[Tt]\d\d:\d\d(:\d\d(\.\d{1,6})?)?([Zz]|[+-]\d\d:\d\d)$' then
    perform carillon._invalid(field, format('must be an RFC 3339 time with an offset, got "%s"', v_text),
      'for example 2026-05-08T10:30:00Z');
  end if;
  begin
    return v_text::timestamptz;
  exception when datetime_field_overflow or invalid_datetime_format or invalid_time_zone_displacement_value then
    perform carillon._invalid(field, format('is not a time that exists: "%s"', v_text));
  end;
end;
$$;
comment on function carillon._json_timestamp(jsonb, text) is 'A JSON value that has to be an RFC 3339 time with an offset.';
revoke all on function carillon._json_timestamp(jsonb, text) from public;
--! EndIncluded core/_json_timestamp.sql
--! Included core/_time_text.sql
create or replace function carillon._time_text(value timestamptz) returns text
language sql stable parallel safe security invoker
return to_char(value at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"');
comment on function carillon._time_text(timestamptz) is 'A time in RFC 3339, always in the same form: such texts sort as their times do.';
revoke all on function carillon._time_text(timestamptz) from public;
--! EndIncluded core/_time_text.sql
--! Included core/_time_json.sql
create or replace function carillon._time_json(value timestamptz, field text) returns jsonb
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if value < '0001-01-01 00:00:00+00' or value >= '10000-01-01 00:00:00+00' then
    perform carillon._invalid(field, 'must be a time between the years 1 and 9999');
  end if;
  return to_jsonb(carillon._time_text(value));
end;
$$;
comment on function carillon._time_json(timestamptz, text) is 'A time as JSON has it, in RFC 3339; refuses infinite ones.';
revoke all on function carillon._time_json(timestamptz, text) from public;
--! EndIncluded core/_time_json.sql
--! Included core/_json_integer.sql
create or replace function carillon._json_integer(value jsonb, field text, least_value integer, most_value integer) returns integer
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if jsonb_typeof(value) is distinct from 'number' then
    perform carillon._invalid(field, format('must be a whole number from %s to %s', least_value, most_value));
  end if;
  if (value #>> '{}')::numeric % 1 <> 0 or (value #>> '{}')::numeric not between least_value and most_value then
    perform carillon._invalid(field, format('must be a whole number from %s to %s, got %s', least_value, most_value, value));
  end if;
  return (value #>> '{}')::numeric::integer;
end;
$$;
comment on function carillon._json_integer(jsonb, text, integer, integer) is 'A JSON value that has to be a whole number within bounds.';
revoke all on function carillon._json_integer(jsonb, text, integer, integer) from public;
--! EndIncluded core/_json_integer.sql
--! Included core/_json_words.sql
create or replace function carillon._json_words(value jsonb, field text, allowed text[]) returns text[]
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  v_words text[];
begin
  if jsonb_typeof(value) = 'array' and not exists (
    select from jsonb_array_elements(value) as e (item) where jsonb_typeof(e.item) <> 'string')
  then
    v_words := array(select distinct w from jsonb_array_elements_text(value) as w order by w);
  elsif jsonb_typeof(value) = 'string' then
    v_words := array[value #>> '{}'];
  end if;
  if v_words is null or v_words = '{}' or not v_words operator(pg_catalog.<@) allowed then
    perform carillon._invalid(field, format('must be one or more of %s', array_to_string(allowed, ', ')));
  end if;
  return v_words;
end;
$$;
comment on function carillon._json_words(jsonb, text, text[]) is 'A JSON value that has to be one of these words, or an array of some.';
revoke all on function carillon._json_words(jsonb, text, text[]) from public;
--! EndIncluded core/_json_words.sql
--! Included core/_json_uuid.sql
create or replace function carillon._json_uuid(value jsonb, field text) returns uuid
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if carillon._json_text(value, field) !~* '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then
    perform carillon._invalid(field, 'must be a UUID');
  end if;
  return (value #>> '{}')::uuid;
end;
$$;
comment on function carillon._json_uuid(jsonb, text) is 'A JSON value that has to be a UUID.';
revoke all on function carillon._json_uuid(jsonb, text) from public;
--! EndIncluded core/_json_uuid.sql
--! Included core/_ensure_partitions.sql
create or replace function carillon._ensure_partitions() returns integer
language plpgsql volatile security invoker
set search_path = ''
set lock_timeout = '500ms'
as $$
declare
  v_today date := (carillon.now() at time zone 'UTC')::date;
  v_made integer := 0;
  v_parent text;
  v_day date;
  v_name text;
begin
  foreach v_parent in array array['ticks', 'job_history', 'job_tags', 'job_logs'] loop
    foreach v_day in array array[v_today, v_today + 1, v_today + 2] loop
      v_name := v_parent || '_' || to_char(v_day, 'YYYYMMDD');
      continue when to_regclass(format('carillon.%I', v_name)) is not null;
      -- A day whose rows already fell into the default partition stays there. Readers in a long transaction
      -- are not waited for: there are days of time.
      begin
        execute format('create table carillon.%I partition of carillon.%I for values from (%L) to (%L)',
          v_name, v_parent, v_day::text || ' 00:00:00+00', (v_day + 1)::text || ' 00:00:00+00');
        v_made := v_made + 1;
      exception
        when check_violation or duplicate_table then null;
        when lock_not_available then return v_made;
      end;
    end loop;
  end loop;
  return v_made;
end;
$$;
comment on function carillon._ensure_partitions() is 'Makes the day partitions of today and the two days after, where they are missing.';
revoke all on function carillon._ensure_partitions() from public;
--! EndIncluded core/_ensure_partitions.sql
--! Included core/_drop_old_partitions.sql
create or replace function carillon._drop_old_partitions() returns integer
language plpgsql volatile security invoker
set search_path = ''
set lock_timeout = '500ms'
as $$
declare
  v_now timestamptz := carillon.now();
  v_job_days integer := coalesce((select (s.value #>> '{}')::integer from carillon.settings s where s.key = 'jobRetentionDays'), 90);
  v_parent text;
  v_partition text;
  v_days integer;
  v_dropped integer := 0;
  v_kept carillon.job_history[];
begin
  -- The history lasts as long as anybody's jobs are kept; what others keep for less is deleted from it.
  v_job_days := greatest(v_job_days, (select max(r.days) from carillon.retentions r));
  for v_parent, v_days in
    values
      ('ticks', coalesce((select (s.value #>> '{}')::integer from carillon.settings s where s.key = 'tickRetentionDays'), 90)),
      ('job_history', v_job_days),
      ('job_tags', v_job_days),
      -- A job keeps its log as long as itself, unless told otherwise.
      ('job_logs', coalesce((select (s.value #>> '{}')::integer from carillon.settings s where s.key = 'logRetentionDays'), v_job_days))
  loop
    for v_partition in
      select c.relname
      from pg_catalog.pg_inherits i
      join pg_catalog.pg_class c on c.oid = i.inhrelid
      where i.inhparent = ('carillon.' || v_parent)::regclass
        and c.relname ~ ('^' || v_parent || '_\d{8}$')
        and to_date(right(c.relname, 8), 'YYYYMMDD') < (v_now at time zone 'UTC')::date - v_days
      order by c.relname
    loop
      -- Which jobs are kept by number is found out bit by bit.
      exit when v_parent = 'job_history' and not carillon._count_kept();
      begin
        if v_parent = 'job_history' then
          v_kept := carillon._kept_of_day(right(v_partition, 8));
          execute format('drop table if exists carillon.%I', replace(v_partition, 'history', 'tags'));
        end if;
        execute format('drop table carillon.%I', v_partition);
        v_dropped := v_dropped + 1;
        if v_parent = 'job_history' then
          -- They find their place in the default partition, and their tags do.
          insert into carillon.job_history select k.* from unnest(v_kept) as k;
        end if;
      exception when lock_not_available then
        exit; -- dropping waits for readers, and others then wait for it: not for long, the next sweep tries again
      end;
    end loop;
    -- The default partitions hold what came when no day was prepared, and what is kept by number.
    execute format(
      'delete from carillon.%1$I d where d.ctid = any (array(select e.ctid from carillon.%1$I e where e.%2$I < $1%3$s limit 10000))',
      v_parent || '_default', case v_parent when 'ticks' then 'decided_at' when 'job_logs' then 'at' else 'finished_at' end,
      case v_parent
        when 'job_history' then ' and not carillon._is_kept(e.app_id, e.cron_id, e.status, e.job_id)'
        when 'job_tags' then ' and not exists (select from carillon.job_history_default h where h.job_id = e.job_id)'
        else '' end)
    using v_now - make_interval(days => v_days);
  end loop;
  return v_dropped;
end;
$$;
comment on function carillon._drop_old_partitions() is
  'Drops the day partitions of the ledger, the job history and the job logs past their retention (settings tickRetentionDays and jobRetentionDays, default 90, and logRetentionDays, default as the jobs; the history and its logs as long as any app or cron keeps its jobs), and trims the default ones; returns how many it dropped.';
revoke all on function carillon._drop_old_partitions() from public;
--! EndIncluded core/_drop_old_partitions.sql
--! Included core/set_retention.sql
create or replace function carillon.set_retention(tick_days integer default null, job_days integer default null, log_days integer default null,
  audit_days integer default null) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_keys constant text[] := '{tickRetentionDays,jobRetentionDays,logRetentionDays,auditRetentionDays}';
  v_before jsonb := carillon._settings_state(v_keys);
begin
  if tick_days not between 1 and 3650 then
    perform carillon._invalid('tickRetentionDays', 'must be from 1 to 3650');
  end if;
  if job_days not between 1 and 3650 then
    perform carillon._invalid('jobRetentionDays', 'must be from 1 to 3650');
  end if;
  if log_days not between 1 and 3650 then
    perform carillon._invalid('logRetentionDays', 'must be from 1 to 3650');
  end if;
  -- Long enough that nobody who gets in makes his own traces go soon.
  if audit_days not between 30 and 3650 then
    perform carillon._invalid('auditRetentionDays', 'must be from 30 to 3650');
  end if;
  insert into carillon.settings (key, value)
  select v.key, to_jsonb(v.days)
  from (values ('tickRetentionDays', tick_days), ('jobRetentionDays', job_days), ('logRetentionDays', log_days),
    ('auditRetentionDays', audit_days)) as v (key, days)
  where v.days is not null
  on conflict (key) do update set value = excluded.value;
  perform carillon._audit(null, 'settings.update', null, null, null, v_before, carillon._settings_state(v_keys));
  return carillon._settings_state(v_keys);
end;
$$;
comment on function carillon.set_retention(integer, integer, integer, integer) is
  'How many days the ledger and the job history are kept (default 90 each), the logs of jobs (default as long as the jobs), and the audit log (default 400); null leaves one as it is. Returns what is set.';
revoke all on function carillon.set_retention(integer, integer, integer, integer) from public;
--! EndIncluded core/set_retention.sql
--! Included core/_here.sql
create or replace function carillon._here() returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select jsonb_build_object('systemIdentifier', c.system_identifier::text, 'database', current_database())
  from pg_catalog.pg_control_system() c
$$;
comment on function carillon._here() is
  'Which database this is: the cluster''s system identifier (kept by a promoted standby, new after initdb and pg_upgrade) and its name.';
revoke all on function carillon._here() from public;
--! EndIncluded core/_here.sql
--! Included core/database_identity.sql
create or replace function carillon.database_identity() returns text
language sql stable security definer
set search_path = ''
as $$
  select h.here ->> 'systemIdentifier' || '/' || (h.here ->> 'database') from (select carillon._here() as here) h
$$;
comment on function carillon.database_identity() is
  'What tells this database apart from every other one, its copies included; what the idempotency keys of jobs with targets are made with.';
revoke all on function carillon.database_identity() from public;
--! EndIncluded core/database_identity.sql
--! Included core/clone_status.sql
create or replace function carillon.clone_status() returns jsonb
language sql stable security definer
set search_path = ''
as $$
  select jsonb_build_object(
    'home', h.value,
    'here', carillon._here(),
    'clone', h.value <> carillon._here(),
    'onClone', coalesce(o.value #>> '{}', 'warn'),
    'held', h.value <> carillon._here() and coalesce(o.value = '"hold"', false))
  from carillon.settings h
  left join carillon.settings o on o.key = 'onClone'
  where h.key = 'home'
$$;
comment on function carillon.clone_status() is
  'Whether this database is a copy of the one the schedules were made for, and whether firing is held because of it.';
revoke all on function carillon.clone_status() from public;
--! EndIncluded core/clone_status.sql
--! Included core/_is_held.sql
create or replace function carillon._is_held() returns boolean
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return coalesce((carillon.clone_status() ->> 'held')::boolean, false);
end;
$$;
comment on function carillon._is_held() is 'Whether nothing may fire here, because this database is a copy and held.';
revoke all on function carillon._is_held() from public;
--! EndIncluded core/_is_held.sql
--! Included core/set_on_clone.sql
create or replace function carillon.set_on_clone(policy text, actor uuid default null, actor_scopes text[] default null) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_before jsonb := carillon._settings_state('{onClone}');
begin
  perform carillon._require_held(actor, actor_scopes, array['system:release']);
  if policy is null or policy not in ('warn', 'hold') then
    perform carillon._invalid('onClone', 'must be "warn" or "hold"');
  end if;
  insert into carillon.settings (key, value) values ('onClone', to_jsonb(policy))
  on conflict (key) do update set value = excluded.value;
  perform carillon._audit(actor, 'settings.update', null, null, null, v_before, carillon._settings_state('{onClone}'));
end;
$$;
comment on function carillon.set_on_clone(text, uuid, text[]) is
  'What a copy of this database does: warn (and fire), or hold everything until release_clone().';
revoke all on function carillon.set_on_clone(text, uuid, text[]) from public;
--! EndIncluded core/set_on_clone.sql
--! Included core/release_clone.sql
create or replace function carillon.release_clone(actor uuid default null, actor_scopes text[] default null) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_before jsonb := carillon._settings_state('{home}');
begin
  perform carillon._require_held(actor, actor_scopes, array['system:release']);
  insert into carillon.settings (key, value) values ('home', carillon._here())
  on conflict (key) do update set value = excluded.value;
  -- Slots that came due elsewhere, or while held, are not this database's to catch up on.
  update carillon.crons c set next_fire_at = null, completed_at = null where c.next_fire_at <= v_now;
  perform carillon._rearm_crons(null);
  perform carillon._audit(actor, 'settings.release', null, null, null, v_before, carillon._settings_state('{home}'));
  return carillon.clone_status();
end;
$$;
comment on function carillon.release_clone(uuid, text[]) is
  'Makes this database the home of its schedules: they fire here from now on. Slots of before are not caught up.';
revoke all on function carillon.release_clone(uuid, text[]) from public;
--! EndIncluded core/release_clone.sql
--! Included audit/_differing.sql
create or replace function carillon._differing(this jsonb, other jsonb) returns jsonb
language sql immutable parallel safe security invoker
return (
  select jsonb_object_agg(e.key, case when pg_column_size(e.value) > 8192
    then jsonb_build_object('bytes', octet_length(e.value::text), 'sha256', encode(sha256(convert_to(e.value::text, 'UTF8')), 'hex'))
    else e.value end)
  from jsonb_each(this) as e
  where other is null or e.value is distinct from other -> e.key
);
comment on function carillon._differing(jsonb, jsonb) is
  'The fields of an object that another has not, or has otherwise; null when there are none. Of large values only size and hash.';
revoke all on function carillon._differing(jsonb, jsonb) from public;
--! EndIncluded audit/_differing.sql
--! Included audit/_cron_state.sql
create or replace function carillon._cron_state(cron carillon.crons) returns jsonb
language sql stable parallel safe security invoker
return case when (cron).id is not null then jsonb_strip_nulls(jsonb_build_object(
  'name', (cron).name, 'schedule', (cron).schedule, 'timezone', (cron).timezone,
  'dst', jsonb_build_object('gap', (cron).dst_gap, 'fold', (cron).dst_fold),
  'startsAt', (cron).starts_at, 'endsAt', (cron).ends_at, 'jitter', (cron).jitter_seconds, 'method', (cron).method,
  'overlapPolicy', (cron).overlap_policy, 'catchUp', (cron).catch_up, 'catchUpMax', (cron).catch_up_max,
  'catchUpWindow', (cron).catch_up_window_seconds, 'maxConsecutiveFailures', (cron).max_consecutive_failures,
  'expiresAfter', (cron).expires_after_seconds, 'maxConcurrency', (cron).max_concurrency, 'enabled', (cron).enabled,
  'pauseNote', (cron).pause_note, 'origin', (cron).origin, 'owner', (cron).owner_id,
  'priority', (cron).job_headers -> 'priority', 'maxAttempts', (cron).job_headers -> 'max_attempts',
  'retryDelay', (cron).job_headers -> 'retry_delay', 'retryBackoff', (cron).job_headers -> 'retry_backoff',
  'timeout', (cron).job_headers -> 'timeout', 'tags', (cron).job_headers -> 'tags'))
  || jsonb_build_object('payload', (cron).payload)
  || case when (cron).job_headers ? 'target' then jsonb_build_object('target', (cron).job_headers -> 'target') else '{}' end end;
comment on function carillon._cron_state(carillon.crons) is 'A cron as the audit log has it: what it is declared with and who owns it, in API spelling.';
revoke all on function carillon._cron_state(carillon.crons) from public;
--! EndIncluded audit/_cron_state.sql
--! Included audit/_app_state.sql
create or replace function carillon._app_state(app carillon.apps) returns jsonb
language sql stable parallel safe security invoker
return case when (app).id is not null then jsonb_strip_nulls(jsonb_build_object('name', (app).name, 'permissions', (app).permissions,
  'maxConcurrency', (app).max_concurrency, 'agent', (app).agent))
  -- Its crons have entries of their own.
  || jsonb_build_object('manifest', (app).manifest - 'crons' - 'name' - 'permissions' - 'maxConcurrency' - 'agent') end;
comment on function carillon._app_state(carillon.apps) is 'An app as the audit log has it.';
revoke all on function carillon._app_state(carillon.apps) from public;
--! EndIncluded audit/_app_state.sql
--! Included audit/_principal_state.sql
create or replace function carillon._principal_state(principal uuid) returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select jsonb_build_object('username', p.username, 'kind', p.kind, 'enabled', p.disabled_at is null,
    'roles', array(select m.role from carillon.role_members m where m.principal_id = p.id order by m.role))
  from carillon.principals p where p.id = principal
$$;
comment on function carillon._principal_state(uuid) is 'A principal as the audit log has it.';
revoke all on function carillon._principal_state(uuid) from public;
--! EndIncluded audit/_principal_state.sql
--! Included audit/_role_state.sql
create or replace function carillon._role_state(name text) returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select jsonb_build_object('permissions', r.permissions,
    'inherits', array(select i.inherits from carillon.role_inherits i where i.role = r.name order by i.inherits))
  from carillon.roles r where r.name = _role_state.name
$$;
comment on function carillon._role_state(text) is 'A role as the audit log has it.';
revoke all on function carillon._role_state(text) from public;
--! EndIncluded audit/_role_state.sql
--! Included audit/_key_state.sql
create or replace function carillon._key_state(key carillon.api_keys) returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select jsonb_strip_nulls(jsonb_build_object('name', (key).name, 'prefix', (key).prefix, 'scopes', (key).scopes,
    'expiresAt', (key).expires_at, 'mintsKeys', (key).mints_keys, 'revoked', (key).revoked_at is not null,
    'principal', (select p.username from carillon.principals p where p.id = (key).principal_id)))
$$;
comment on function carillon._key_state(carillon.api_keys) is 'An API key as the audit log has it: without its hash.';
revoke all on function carillon._key_state(carillon.api_keys) from public;
--! EndIncluded audit/_key_state.sql
--! Included audit/_settings_state.sql
create or replace function carillon._settings_state(keys text[]) returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(s.key, s.value), '{}') from carillon.settings s where s.key = any (keys)
$$;
comment on function carillon._settings_state(text[]) is 'Those of these settings that are set.';
revoke all on function carillon._settings_state(text[]) from public;
--! EndIncluded audit/_settings_state.sql
--! Included audit/_audit_all.sql
create or replace function carillon._audit_all(actor uuid, entries carillon.audit_entry[]) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_origin jsonb := nullif(current_setting('carillon.origin', true), '')::jsonb;
  v_by carillon.audit_log;
begin
  v_by.database_role := session_user;
  if actor is null then
    v_by.actor_name := session_user;
    v_by.actor_kind := 'database';
    v_by.via := 'sql';
    v_by.ip := host(inet_client_addr());
    v_by.user_agent := nullif(current_setting('application_name'), '');
    v_by.reason := left(nullif(current_setting('carillon.reason', true), ''), 500);
  else
    v_by.actor_id := actor;
    select p.username, p.kind, case p.kind when 'system' then 'system' else 'sql' end
    into v_by.actor_name, v_by.actor_kind, v_by.via
    from carillon.principals p where p.id = actor;
    -- What an earlier call of this transaction said of another actor is not this one's.
    if v_origin ->> 'principalId' = actor::text then
      v_by.via := coalesce(v_origin ->> 'via', v_by.via);
      v_by.key_id := (v_origin ->> 'keyId')::uuid;
      v_by.key_prefix := (select k.prefix from carillon.api_keys k where k.id = v_by.key_id);
      v_by.ip := v_origin ->> 'ip';
      v_by.user_agent := v_origin ->> 'userAgent';
      v_by.request_id := v_origin ->> 'requestId';
      v_by.reason := v_origin ->> 'reason';
    end if;
  end if;
  insert into carillon.audit_log (at, action, app_id, object_id, object_name, before, after, actor_id, actor_name, actor_kind, via, key_id,
    key_prefix, database_role, ip, user_agent, request_id, reason)
  select v_now, e.action, e.app_id, e.object_id, e.object_name, d.before, d.after, v_by.actor_id, v_by.actor_name, v_by.actor_kind, v_by.via,
    v_by.key_id, v_by.key_prefix, v_by.database_role, v_by.ip, v_by.user_agent, v_by.request_id, v_by.reason
  from unnest(entries) with ordinality as e (action, app_id, object_id, object_name, before, after, n)
  cross join lateral (
    select carillon._differing(e.before, e.after) as before, carillon._differing(e.after, e.before) as after
  ) d
  where e.before is null or e.after is null or d.before is not null or d.after is not null
  order by e.n;
end;
$$;
comment on function carillon._audit_all(uuid, carillon.audit_entry[]) is
  'The one place that writes the audit log: entries with who (a null actor is the database role) and from where (what acting() was told, or the connection). Of before and after only what differs is kept; an entry without a difference is none.';
revoke all on function carillon._audit_all(uuid, carillon.audit_entry[]) from public;
--! EndIncluded audit/_audit_all.sql
--! Included audit/_audit.sql
create or replace function carillon._audit(
  actor uuid,
  action text,
  app text,
  object_id text,
  object_name text,
  before jsonb default null,
  after jsonb default null
) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  perform carillon._audit_all(actor, array[row(action, app, object_id, object_name, before, after)::carillon.audit_entry]);
end;
$$;
comment on function carillon._audit(uuid, text, text, text, text, jsonb, jsonb) is
  'Records one change in the audit log; one from an object to an equal one is none.';
revoke all on function carillon._audit(uuid, text, text, text, text, jsonb, jsonb) from public;
--! EndIncluded audit/_audit.sql
--! Included audit/_cron_entry.sql
create or replace function carillon._cron_entry(before carillon.crons, after carillon.crons) returns carillon.audit_entry
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_entry carillon.audit_entry;
begin
  v_entry.before := carillon._cron_state(before);
  v_entry.after := carillon._cron_state(after);
  v_entry.action := 'cron.' || case
    when before.id is null then 'create'
    when after.id is null then 'delete'
    when after.enabled and not before.enabled then 'resume'
    when before.enabled and not after.enabled then 'pause'
    else 'update' end;
  v_entry.app_id := coalesce(before.app_id, after.app_id);
  v_entry.object_id := coalesce(before.id, after.id);
  v_entry.object_name := coalesce(after.name, before.name);
  return v_entry;
end;
$$;
comment on function carillon._cron_entry(carillon.crons, carillon.crons) is
  'What the audit log says of a cron made (before is null), changed, paused, resumed or deleted (after is null).';
revoke all on function carillon._cron_entry(carillon.crons, carillon.crons) from public;
--! EndIncluded audit/_cron_entry.sql
--! Included audit/acting.sql
create or replace function carillon.acting(principal uuid, origin jsonb default null) returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform set_config('carillon.origin', coalesce((origin || jsonb_build_object('principalId', principal))::text, ''), true);
  return principal;
end;
$$;
comment on function carillon.acting(uuid, jsonb) is
  'Its first argument, having told the audit log where that actor comes from: {via: key|token|session, keyId, ip, userAgent, requestId, reason}. For use as an argument: select carillon.patch_cron(…, actor => carillon.acting(…)). Holds until the end of the transaction.';
revoke all on function carillon.acting(uuid, jsonb) from public;
--! EndIncluded audit/acting.sql
--! Included audit/_audit_retention.sql
create or replace function carillon._audit_retention() returns interval
language sql stable security invoker
set search_path = ''
as $$
  select make_interval(days => coalesce((select (s.value #>> '{}')::integer from carillon.settings s where s.key = 'auditRetentionDays'), 400))
$$;
comment on function carillon._audit_retention() is 'How long rows of the audit log are kept: setting auditRetentionDays, default 400 days.';
revoke all on function carillon._audit_retention() from public;
--! EndIncluded audit/_audit_retention.sql
--! Included audit/_keep_audit.sql
create or replace function carillon._keep_audit() returns trigger
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  if tg_op = 'DELETE' and tg_level = 'ROW' then
    if old.at < carillon.now() - carillon._audit_retention() then
      return old;
    end if;
  end if;
  raise exception using errcode = 'TK403', message = 'the audit log is only ever appended to',
    hint = 'rows go by themselves when their retention ends: select carillon.set_retention(audit_days => …)';
end;
$$;
comment on function carillon._keep_audit() is 'Refuses (TK403) to change the audit log, and to delete of it what is within its retention.';
revoke all on function carillon._keep_audit() from public;

create or replace trigger audit_log_kept before update or delete on carillon.audit_log
for each row execute function carillon._keep_audit();
create or replace trigger audit_log_not_truncated before truncate on carillon.audit_log
for each statement execute function carillon._keep_audit();
--! EndIncluded audit/_keep_audit.sql
--! Included audit/_trim_audit.sql
create or replace function carillon._trim_audit() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_before timestamptz := carillon.now() - carillon._audit_retention();
  v_trimmed integer;
begin
  delete from carillon.audit_log a
  where a.id = any (array(select o.id from carillon.audit_log o where o.at < v_before order by o.at limit 10000));
  get diagnostics v_trimmed = row_count;
  return v_trimmed;
end;
$$;
comment on function carillon._trim_audit() is 'Deletes rows of the audit log past their retention, at most 10000 at a time; returns how many.';
revoke all on function carillon._trim_audit() from public;
--! EndIncluded audit/_trim_audit.sql
--! Included audit/list_audit.sql
create or replace function carillon.list_audit(
  app text default null,
  cron uuid default null,
  actor text default null,
  action text default null,
  from_at timestamptz default null,
  to_at timestamptz default null,
  after bigint default null,
  max_rows integer default 100
) returns setof carillon.audit_log
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if max_rows is null or max_rows not between 1 and 1000 then
    perform carillon._invalid('limit', 'must be from 1 to 1000');
  end if;
  -- Planned anew each time: each filter has its index, and one that is not given costs nothing.
  return query execute
    'select a.* from carillon.audit_log a where true'
    || case when app is not null then ' and a.app_id = $1' else '' end
    || case when cron is not null then ' and a.object_id = $2::text and starts_with(a.action, ''cron.'')' else '' end
    || case when actor ~* '^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$' then ' and a.actor_id = $3::uuid'
      when actor is not null then ' and a.actor_name = $3' else '' end
    || case when action like '%.*' then ' and starts_with(a.action, rtrim($4, ''*''))'
      when action is not null then ' and a.action = $4' else '' end
    || case when from_at is not null then ' and a.at >= $5' else '' end
    || case when to_at is not null then ' and a.at < $6' else '' end
    || case when after is not null then ' and (a.at, a.id) < (select c.at, c.id from carillon.audit_log c where c.id = $7)' else '' end
    || ' order by a.at desc, a.id desc limit $8'
  using app, cron, actor, action, from_at, to_at, after, max_rows;
end;
$$;
comment on function carillon.list_audit(text, uuid, text, text, timestamptz, timestamptz, bigint, integer) is
  'The audit log, newest first: of an app or a cron (which may be gone), by an actor (name or id), of an action (cron.update, or cron.* for all of crons), from one time until before another, those after a row (the cursor).';
revoke all on function carillon.list_audit(text, uuid, text, text, timestamptz, timestamptz, bigint, integer) from public;
--! EndIncluded audit/list_audit.sql
--! Included rights/database_rights.sql
create or replace view carillon.database_rights (role_name, function_name) as
select 'carillon_worker', f from unnest(array[
  'append_logs', 'claim_jobs', 'database_access', 'enqueue_job', 'extend_leases', 'finish_jobs', 'forget_worker',
  'get_job', 'list_apps', 'next_job_in', 'note_worker', 'now', 'release_jobs', 'tick'
]) as f
union all
select 'carillon_dispatcher', f from unnest(array[
  'abandon_probe', 'append_logs', 'begin_probe', 'claim_jobs', 'database_access', 'database_identity',
  'ensure_signing_key', 'extend_leases', 'fetch_secret', 'fetch_signing_keys', 'finish_jobs', 'forget_worker', 'get_job',
  'next_job_in', 'note_failure', 'note_recovery', 'note_worker', 'now', 'release_jobs', 'tick', 'watch_breakers'
]) as f
union all
select 'carillon_api', f from unnest(array[
  'acting', 'admin_tick', 'authenticate_identity', 'authenticate_key', 'backfill_cron', 'begin_request',
  'begin_seed', 'bootstrap_admin', 'cancel_job', 'cancel_jobs', 'clone_status', 'count_jobs', 'count_letters', 'create_api_key',
  'create_principal', 'create_role', 'cron_verbs', 'database_access', 'declare_cron', 'delete_cron', 'delete_letters',
  'delete_principal', 'delete_role', 'delete_secret', 'describe_schedule', 'end_request', 'enqueue_job',
  'enqueue_jobs', 'explain_schedule', 'find_crons', 'get_api_key', 'get_app', 'get_breaker', 'get_calendar',
  'get_cron', 'get_job', 'get_job_retention', 'get_overview', 'get_principal', 'get_role', 'get_secret', 'get_stats',
  'grant_role', 'job_progress', 'link_identity', 'list_accessible_crons', 'list_api_keys', 'list_apps',
  'list_attention', 'list_audit', 'list_backfills', 'list_crons', 'list_identities', 'list_letters', 'list_logs',
  'list_principals', 'list_roles', 'list_runs', 'list_secrets', 'list_signing_keys', 'list_slot_jobs', 'list_targets', 'list_ticks',
  'list_timezones', 'list_upcoming', 'list_workers', 'next_job_in', 'now', 'page_jobs', 'patch_app', 'patch_cron', 'pg_cron_status',
  'preview_schedule', 'provision_identity', 'redrive_letters', 'release_clone', 'reset_targets', 'retried_by',
  'retry_job', 'retry_jobs', 'revoke_api_key', 'revoke_role', 'rotate_signing_key', 'set_breaker',
  'set_job_retention', 'set_secret', 'summarize_crons', 'sync_manifest', 'tail_logs', 'tick', 'trigger_cron',
  'uninstall_app', 'unlink_identity', 'update_job', 'update_principal', 'update_role'
]) as f;
comment on view carillon.database_rights is
  'Which functions the group roles of the API, of workers and of dispatchers may execute, and all that they may do: exactly those that src/db calls for them.';
--! EndIncluded rights/database_rights.sql
--! Included rights/_bound_apps.sql
create or replace function carillon._bound_apps() returns text[]
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_apps text[];
begin
  -- Asked by functions that run as the owner; the role that connected is the session's, whatever it has set since.
  if session_user = current_user then
    return null;
  end if;
  select r.apps into v_apps from carillon.database_roles r where r.role_name = session_user;
  if found then
    return v_apps;
  end if;
  if pg_has_role(session_user, current_user, 'member')
    or exists (select from pg_catalog.pg_roles r where r.rolname = 'carillon_api' and pg_has_role(session_user, r.oid, 'member'))
  then
    return null;
  end if;
  if exists (select from pg_catalog.pg_roles r where r.rolname = 'carillon_dispatcher' and pg_has_role(session_user, r.oid, 'member')) then
    return '{@}';
  end if;
  return '{}';
end;
$$;
comment on function carillon._bound_apps() is
  'The apps that the session''s database role is bound to; null is all of them, for the owner, superusers and the API; @ is the jobs with targets of all apps, for dispatchers. A role that is none of these and bound to nothing has none.';
revoke all on function carillon._bound_apps() from public;
--! EndIncluded rights/_bound_apps.sql
--! Included rights/_require_bound.sql
create or replace function carillon._require_bound(apps text[]) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_bound constant text[] := carillon._bound_apps();
  v_foreign text;
begin
  if v_bound is null or apps operator(pg_catalog.<@) v_bound then
    return;
  end if;
  v_foreign := (select a from unnest(apps) as a where a <> all (v_bound) and not ('@' = any (v_bound) and starts_with(a, '@')) limit 1);
  if starts_with(v_foreign, '@') then
    raise exception using errcode = 'TK403', message = format('the database role %I is none of a dispatcher', session_user),
      hint = format('as the owner: grant carillon_dispatcher to %I', session_user);
  end if;
  if v_foreign is not null then
    raise exception using errcode = 'TK403', message = format('the database role %I is not bound to the app "%s"', session_user, v_foreign),
      hint = format('as the owner, by carillon.bind_worker_role: role => %L, apps => %L', session_user, v_bound || v_foreign);
  end if;
end;
$$;
comment on function carillon._require_bound(text[]) is 'Refuses (TK403) a session whose database role is not bound to all of these apps.';
revoke all on function carillon._require_bound(text[]) from public;
--! EndIncluded rights/_require_bound.sql
--! Included rights/_may_reach.sql
create or replace function carillon._may_reach(bound text[], message jsonb, headers jsonb) returns boolean
language sql immutable parallel safe security invoker
return bound is null or message ->> 'app_id' = any (bound) or (headers ? 'target' and '@' = any (bound));
comment on function carillon._may_reach(text[], jsonb, jsonb) is
  'Whether a session that is bound like this (_bound_apps) may do with a job what its attempt allows: one of an app it is bound to, or, for a dispatcher, one that has a target.';
revoke all on function carillon._may_reach(text[], jsonb, jsonb) from public;
--! EndIncluded rights/_may_reach.sql
--! Included rights/create_database_roles.sql
create or replace function carillon.create_database_roles() returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_group text;
  v_made text[] := '{}';
  v_right record;
begin
  perform pg_advisory_xact_lock(hashtextextended('carillon.database_roles', 0));
  for v_group in select distinct r.role_name from carillon.database_rights r order by 1 loop
    if not exists (select from pg_catalog.pg_roles r where r.rolname = v_group) then
      begin
        execute format('create role %I nologin', v_group);
        v_made := v_made || v_group;
      exception
        when insufficient_privilege then
          raise exception using errcode = 'TK403', message = format('the role %I may not create roles', current_user),
            hint = 'as a superuser: create role carillon_api nologin; create role carillon_worker nologin; create role carillon_dispatcher nologin; then again';
        when duplicate_object or unique_violation then null; -- roles are the cluster's: another database's deploy was there first
      end;
    end if;
    -- What an earlier version gave and this one does not.
    execute format('revoke all on all functions in schema carillon from %I', v_group);
    execute format('revoke all on all tables in schema carillon from %I', v_group);
    execute format('grant usage on schema carillon to %I', v_group);
  end loop;
  for v_right in
    select r.role_name, p.oid::regprocedure as function
    from carillon.database_rights r
    join pg_catalog.pg_proc p on p.pronamespace = 'carillon'::regnamespace and p.proname = r.function_name
  loop
    execute format('grant execute on function %s to %I', v_right.function, v_right.role_name);
  end loop;
  insert into carillon.settings (key, value) values ('databaseRoles', 'true') on conflict (key) do nothing;
  if found then
    perform carillon._audit(null, 'database.create_roles', null, null, null, null, jsonb_build_object('created', v_made));
  end if;
end;
$$;
comment on function carillon.create_database_roles() is
  'Makes the group roles carillon_api, carillon_worker and carillon_dispatcher where they are missing, and gives them the rights of database_rights and no others in this schema. To be called again after every migration, as carillon migrate does.';
revoke all on function carillon.create_database_roles() from public;
--! EndIncluded rights/create_database_roles.sql
--! Included rights/refresh_database_roles.sql
create or replace function carillon.refresh_database_roles() returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  if not exists (select from carillon.settings s where s.key = 'databaseRoles') then
    return false;
  end if;
  perform carillon.create_database_roles();
  return true;
end;
$$;
comment on function carillon.refresh_database_roles() is
  'Gives the group roles the rights of this version where create_database_roles() has been called before; returns whether it has.';
revoke all on function carillon.refresh_database_roles() from public;
--! EndIncluded rights/refresh_database_roles.sql
--! Included rights/bind_worker_role.sql
create or replace function carillon.bind_worker_role(role name, apps text[]) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_app text;
  v_apps text[];
  v_old carillon.database_roles;
begin
  if not exists (select from pg_catalog.pg_roles r where r.rolname = bind_worker_role.role) then
    perform carillon._invalid('role', format('is no role of this server: "%s"', coalesce(role, '')),
      format('create role %I login password ''…'';', coalesce(role, 'crm_worker')));
  end if;
  if pg_has_role(bind_worker_role.role, current_user, 'member') then
    perform carillon._invalid('role', 'must not be a superuser or a member of the role that owns Carillon: nothing would bind it');
  end if;
  if exists (select from pg_catalog.pg_roles r where r.rolname = 'carillon_api' and pg_has_role(bind_worker_role.role, r.oid, 'member')) then
    perform carillon._invalid('role', 'must not be a member of carillon_api: whoever is may act for every app');
  end if;
  if exists (select from pg_catalog.pg_roles r where r.rolname = 'carillon_dispatcher' and pg_has_role(bind_worker_role.role, r.oid, 'member')) then
    perform carillon._invalid('role', 'must not be a member of carillon_dispatcher: whoever is reaches jobs of every app');
  end if;
  if bind_worker_role.apps is null then
    perform carillon._invalid('apps', 'must be an array of app ids');
  end if;
  foreach v_app in array bind_worker_role.apps loop
    perform carillon._check_app_id(v_app);
  end loop;
  v_apps := array(select distinct a from unnest(bind_worker_role.apps) as a order by a);
  perform pg_advisory_xact_lock(hashtextextended('carillon.database_roles', 0));
  perform carillon.create_database_roles();
  if not pg_has_role(bind_worker_role.role, 'carillon_worker', 'member') then
    begin
      execute format('grant carillon_worker to %I', bind_worker_role.role);
    exception when insufficient_privilege then
      raise exception using errcode = 'TK403', message = format('the role %I may not grant carillon_worker', current_user),
        hint = format('as a superuser: grant carillon_worker to %I; then again', bind_worker_role.role);
    end;
  end if;
  select r.* into v_old from carillon.database_roles r where r.role_name = bind_worker_role.role;
  insert into carillon.database_roles as r (role_name, apps, bound_at) values (bind_worker_role.role, v_apps, carillon.now())
  on conflict (role_name) do update set apps = excluded.apps, bound_at = excluded.bound_at where r.apps <> excluded.apps;
  perform carillon._audit(null, 'database.bind_role', null, bind_worker_role.role::text, bind_worker_role.role::text,
    case when v_old.role_name is not null then jsonb_build_object('apps', v_old.apps) end, jsonb_build_object('apps', v_apps));
end;
$$;
comment on function carillon.bind_worker_role(name, text[]) is
  'Makes a database role that of workers of exactly these apps: a member of carillon_worker, which can neither claim, read, finish, extend, log to nor enqueue jobs of other apps. Holds at once; {} is none.';
revoke all on function carillon.bind_worker_role(name, text[]) from public;
--! EndIncluded rights/bind_worker_role.sql
--! Included rights/unbind_worker_role.sql
create or replace function carillon.unbind_worker_role(role name) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_old carillon.database_roles;
begin
  delete from carillon.database_roles r where r.role_name = unbind_worker_role.role returning * into v_old;
  if v_old.role_name is not null then
    perform carillon._audit(null, 'database.unbind_role', null, v_old.role_name::text, v_old.role_name::text,
      jsonb_build_object('apps', v_old.apps));
  end if;
end;
$$;
comment on function carillon.unbind_worker_role(name) is
  'Takes a worker''s database role off its apps: it reaches none any more. To be called before the role is dropped.';
revoke all on function carillon.unbind_worker_role(name) from public;
--! EndIncluded rights/unbind_worker_role.sql
--! Included rights/database_access.sql
create or replace function carillon.database_access() returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_bound constant text[] := carillon._bound_apps();
begin
  return jsonb_build_object(
    'role', session_user,
    'owner', pg_has_role(session_user, current_user, 'member'),
    'groups', array(
      select r.rolname from pg_catalog.pg_roles r
      where r.rolname in (select d.role_name from carillon.database_rights d) and pg_has_role(session_user, r.oid, 'member')
      order by r.rolname),
    'apps', to_jsonb(v_bound),
    'missing', array(
      select d.role_name || ': ' || d.function_name
      from carillon.database_rights d
      join pg_catalog.pg_roles r on r.rolname = d.role_name
      left join pg_catalog.pg_proc p on p.pronamespace = 'carillon'::regnamespace and p.proname = d.function_name
      where pg_has_role(session_user, r.oid, 'member') and not coalesce(has_function_privilege(r.oid, p.oid, 'execute'), false)
        and exists (select from carillon.settings s where s.key = 'databaseRoles')
      order by 1));
end;
$$;
comment on function carillon.database_access() is
  'As whom the session is connected: whether that is the owner, its group roles, the apps it is bound to (null is all), and which functions its groups should execute and cannot.';
revoke all on function carillon.database_access() from public;
--! EndIncluded rights/database_access.sql
--! Included schedules.sql
--! Included schedules/_quote_input.sql
create or replace function carillon._quote_input(input text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select '"'
    || regexp_replace(left(input, 60), '[[:cntrl:]]', '\\?', 'g')
    || case when length(input) > 60 then '…' else '' end
    || '"'
$$;

comment on function carillon._quote_input(text) is
  'A piece of user input as error messages show it: quoted, cut at 60 characters, control characters as \?.';

revoke all on function carillon._quote_input(text) from public;
--! EndIncluded schedules/_quote_input.sql
--! Included schedules/_refuse_schedule.sql
-- Every refusal of a schedule leaves through this door, so that all of them carry
-- the same code, name the same field and quote the user's text in the same way.
create or replace function carillon._refuse_schedule(message text, detail text, hint text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  raise exception using
    errcode = 'TK002',
    message = _refuse_schedule.message,
    detail = _refuse_schedule.detail,
    hint = _refuse_schedule.hint,
    column = 'schedule';
end
$$;

comment on function carillon._refuse_schedule(text, text, text) is
  'Raises TK002 (invalid schedule) with a message, the rule that was broken and what would be right.';

revoke all on function carillon._refuse_schedule(text, text, text) from public;
--! EndIncluded schedules/_refuse_schedule.sql
--! Included schedules/_refuse_field.sql
-- Called for one list element that the grammar has already turned down. It only has
-- to find the most helpful words; it never decides whether an element is right.
create or replace function carillon._refuse_field(
  element text,
  field text,
  low integer,
  high integer
)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_names constant text[] := array[
    'sun', 'mon', 'tue', 'wed', 'thu', 'fri', 'sat',
    'jan', 'feb', 'mar', 'apr', 'may', 'jun', 'jul', 'aug', 'sep', 'oct', 'nov', 'dec'
  ];
  v_rule text := format(
    '%s takes numbers from %s to %s, ranges (a-b), steps on * or on a range (*/n, a-b/n) and lists of these; digits * / - , only%s.',
    field, low, high, case when field = 'day-of-month' then ', or $ alone for the last day' else '' end
  );
  v_what text := format('%s %s', field, carillon._quote_input(element));
  v_parts text[];
  v_name integer;
begin
  if element = '' then
    perform carillon._refuse_schedule(
      format('%s has an empty list element', field), v_rule, 'Remove the extra comma.');
  end if;

  v_parts := regexp_match(element, '^(\d+)(?:-(\d+))?(?:/(\d+))?$');
  if v_parts is null then
    v_parts := regexp_match(element, '^\*()()(?:/(\d+))?$');
  end if;

  if v_parts is not null and length(element) > 16 then
    perform carillon._refuse_schedule(
      format('%s has too many digits', v_what), v_rule, format('Use a number from %s to %s.', low, high));
  elsif v_parts is not null then
    if v_parts[3] is not null and v_parts[3]::numeric = 0 then
      perform carillon._refuse_schedule(
        format('%s has a step of zero', v_what), v_rule, 'Use a step of 1 or more, for example */5.');
    elsif v_parts[3] is not null and v_parts[1] <> '' and v_parts[2] is null then
      perform carillon._refuse_schedule(
        format('%s has a step on a single number', v_what),
        v_rule,
        format('Write the range in full: %s-%s/%s.', v_parts[1], high, v_parts[3]));
    elsif greatest(nullif(v_parts[1], '')::numeric, nullif(v_parts[2], '')::numeric) > high
      or least(nullif(v_parts[1], '')::numeric, nullif(v_parts[2], '')::numeric) < low then
      perform carillon._refuse_schedule(
        format('%s is out of range', v_what),
        v_rule,
        format('Use a number from %s to %s.', low, high));
    elsif nullif(v_parts[2], '')::numeric < nullif(v_parts[1], '')::numeric then
      perform carillon._refuse_schedule(
        format('%s is a reversed range', v_what),
        v_rule,
        case
          when field = 'day-of-week' and v_parts[2]::numeric = 0
            then format('Sunday is also 7: %s-7.', v_parts[1])
          else format('Split it in two: %s-%s,%s-%s.', v_parts[1], high, low, v_parts[2])
        end);
    else
      perform carillon._refuse_schedule(
        format('%s has a step larger than the field', v_what),
        v_rule,
        case field
          when 'minute' then format('For an interval longer than an hour use the rate form: every %s minutes.', v_parts[3])
          when 'hour' then format('For an interval longer than a day use the rate form: every %s hours.', v_parts[3])
          when 'day-of-month' then format('For an interval longer than a month use the rate form: every %s days.', v_parts[3])
          else format('Use a step from 1 to %s.', high)
        end);
    end if;
  end if;

  if element ~ '[[:cntrl:]]' then
    perform carillon._refuse_schedule(
      format('%s contains a control character', v_what), v_rule,
      'Write the schedule on one line, with blanks between the fields.');
  end if;

  v_name := array_position(v_names, lower(left(element, 3)));
  if v_name is not null and element ~ '^[[:alpha:]]+([-,/].*)?$' then
    perform carillon._refuse_schedule(
      format('%s is a name', v_what),
      v_rule,
      case
        when field = 'day-of-week' and v_name <= 7 then format('Use the number: %s is %s.', left(element, 3), v_name - 1)
        when field = 'month' and v_name > 7 then format('Use the number: %s is %s.', left(element, 3), v_name - 7)
        else format('Use a number from %s to %s.', low, high)
      end);
  end if;

  perform carillon._refuse_schedule(
    case
      when strpos(element, '$') > 0 and field = 'day-of-month' then format('%s: $ must stand alone', v_what)
      when strpos(element, '$') > 0 then format('%s: $ is allowed in day-of-month only', v_what)
      when element ~ '^0[xX]' then format('%s is a hexadecimal number', v_what)
      when element ~ '^\d*\.\d+$' then format('%s is not a whole number', v_what)
      when element ~ '^-' then format('%s is a negative number', v_what)
      when element ~ '^[0-9*/-]+$' then format('%s is not a number, a range or a step', v_what)
      else format('%s contains characters that are not allowed', v_what)
    end,
    v_rule,
    case
      when strpos(element, '$') > 0 and field = 'day-of-month' then 'Use $ as the only element, or two crons.'
      when upper(element) = 'L' and field = 'day-of-month' then 'The last day of the month is $.'
      when element = '?' then 'Use * for any value.'
      else format('Use a number from %s to %s, * for any value, or for example %s.', low, high,
        case field when 'minute' then '*/5' when 'hour' then '9-17' when 'day-of-month' then '1,15'
          when 'month' then '1-6' else '1-5' end)
    end);
end
$$;

comment on function carillon._refuse_field(text, text, integer, integer) is
  'Raises TK002 for one element of a cron field, saying which rule it breaks and what would be right.';

revoke all on function carillon._refuse_field(text, text, integer, integer) from public;
--! EndIncluded schedules/_refuse_field.sql
--! Included schedules/_refuse_words.sql
-- What is neither a phrase nor five fields: guess what was meant, and say so.
create or replace function carillon._refuse_words(phrase text, words text[], forms text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_what constant text := format('schedule %s', carillon._quote_input(phrase));
  v_count constant integer := cardinality(words);
begin
  if left(phrase, 1) = '@' then
    perform carillon._refuse_schedule(
      format('%s is a shortcut', v_what),
      'Shortcuts that begin with @ are not supported. ' || forms,
      case lower(phrase)
        when '@hourly' then 'Write 0 * * * *.'
        when '@daily' then 'Write 0 0 * * *.'
        when '@midnight' then 'Write 0 0 * * *.'
        when '@weekly' then 'Write 0 0 * * 0.'
        when '@monthly' then 'Write 0 0 1 * *.'
        when '@yearly' then 'Write 0 0 1 1 *.'
        when '@annually' then 'Write 0 0 1 1 *.'
        else 'Write the five fields, for example 0 0 * * *.'
      end);
  elsif lower(words[1]) in ('every', 'at') or lower(words[v_count]) = 'seconds' then
    perform carillon._refuse_schedule(
      format('%s is not in lower case', v_what), forms, format('Write %s.', lower(words[1])));
  elsif v_count = 2 and words[2] ~* '^(second|secs?|s)$' then
    perform carillon._refuse_schedule(
      format('unit %s is not known', carillon._quote_input(words[2])),
      'A seconds schedule is "N seconds" with N from 1 to 59.',
      format('Write %s seconds.', words[1]));
  elsif v_count = 2 and words[2] ~* '^(minute|hour|day)s?$' then
    perform carillon._refuse_schedule(
      format('%s lacks the word every', v_what), forms, format('Write every %s %s.', words[1], lower(words[2])));
  elsif v_count in (6, 7) and phrase ~ '^[0-9*]' then
    perform carillon._refuse_schedule(
      format('schedule has %s fields instead of 5', v_count),
      forms || ' There is no field for seconds or years.',
      'Remove the seconds field; for intervals below a minute write for example 10 seconds.');
  elsif phrase ~ '^[0-9*@$?/,-]' or v_count > 1 then
    perform carillon._refuse_schedule(
      format('schedule has %s field%s instead of 5', v_count, case when v_count = 1 then '' else 's' end),
      forms,
      'Separate minute, hour, day-of-month, month and day-of-week by blanks, for example 0 9 * * 1-5.');
  else
    perform carillon._refuse_schedule(
      format('%s is not a schedule', v_what), forms, 'For example: 0 9 * * 1-5.');
  end if;
end
$$;

comment on function carillon._refuse_words(text, text[], text) is
  'Raises TK002 for a text that is in none of the four forms, with the likeliest correction.';

revoke all on function carillon._refuse_words(text, text[], text) from public;
--! EndIncluded schedules/_refuse_words.sql
--! Included schedules/_refuse_dst.sql
create or replace function carillon._refuse_dst(dst_gap text, dst_fold text)
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
begin
  raise exception using
    errcode = 'TK001',
    message = case
      when dst_gap in ('shift', 'skip') then format('dst.fold %s is not known', carillon._quote_input(dst_fold))
      else format('dst.gap %s is not known', carillon._quote_input(dst_gap))
    end,
    detail = 'dst.gap says what a local time that does not exist does; dst.fold what one that occurs twice does.',
    hint = 'dst.gap is shift or skip; dst.fold is first or both.',
    column = 'dst';
end
$$;

comment on function carillon._refuse_dst(text, text) is
  'Raises TK001 for overrides of the daylight saving rules that are neither shift/skip nor first/both.';

revoke all on function carillon._refuse_dst(text, text) from public;
--! EndIncluded schedules/_refuse_dst.sql
--! Included schedules/_month_length.sql
create or replace function carillon._month_length(year integer, month integer)
returns integer
language sql
immutable
security invoker
as $$
  select case
    when month <> 2 then 30 + ((month + (month >> 3)) & 1)
    when year % 4 = 0 and (year % 100 <> 0 or year % 400 = 0) then 29
    else 28
  end
$$;

comment on function carillon._month_length(integer, integer) is
  'Days in a month of the Gregorian calendar. Unpinned so that it is inlined; it names nothing.';

revoke all on function carillon._month_length(integer, integer) from public;
--! EndIncluded schedules/_month_length.sql
--! Included schedules/_lowest_bit.sql
create or replace function carillon._lowest_bit(bits bigint)
returns integer
language sql
immutable
security invoker
as $$
  -- Postgres has no count-trailing-zeros; a power of two up to 2^62 survives ln() and rounding.
  select (pg_catalog.ln((bits & -bits)::double precision) / 0.6931471805599453)::integer
$$;

comment on function carillon._lowest_bit(bigint) is
  'Position of the lowest bit set in a positive number. Unpinned so that it is inlined; it names nothing.';

revoke all on function carillon._lowest_bit(bigint) from public;
--! EndIncluded schedules/_lowest_bit.sql
--! Included schedules/_parse_field.sql
create or replace function carillon._parse_field(
  value text,
  field text,
  low integer,
  high integer
)
returns bigint
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_bits bigint := 0;
  v_element text;
  v_parts text[];
  v_first bigint;
  v_last bigint;
  v_step bigint;
  v_run bigint;
begin
  -- The commonest field is one number, and this is called for every next_fire.
  if length(value) between 1 and 2 and translate(value, '0123456789', '') = '' then
    v_first := value::integer;
    if v_first between low and high then
      return 1::bigint << (v_first - low)::integer;
    end if;
  end if;

  if value = '' then
    perform carillon._refuse_field('', field, low, high);
  end if;

  foreach v_element in array string_to_array(value, ',') loop
    -- What is left without the digits tells the kind of element; cheaper than a regular expression.
    case translate(v_element, '0123456789', '')
      when '' then
        v_parts := array[v_element, v_element, '1'];
      when '-' then
        v_parts := array[split_part(v_element, '-', 1), split_part(v_element, '-', 2), '1'];
      when '-/' then
        v_parts := array[split_part(v_element, '-', 1), split_part(split_part(v_element, '-', 2), '/', 1), split_part(v_element, '/', 2)];
      when '*' then
        v_parts := array[low::text, high::text, case when v_element = '*' then '1' else '' end];
      when '*/' then
        v_parts := array[low::text, high::text, case when left(v_element, 2) = '*/' then substr(v_element, 3) else '' end];
      else
        perform carillon._refuse_field(v_element, field, low, high);
    end case;
    if '' = any (v_parts) or length(v_element) > 16 then
      perform carillon._refuse_field(v_element, field, low, high);
    end if;
    v_first := v_parts[1]::bigint;
    v_last := v_parts[2]::bigint;
    v_step := v_parts[3]::bigint;
    if v_first < low or v_last > high or v_last < v_first or v_step < 1 or v_step > high then
      perform carillon._refuse_field(v_element, field, low, high);
    end if;

    -- Bits 0, step, 2 × step … by doubling, then cut to the length of the range.
    v_run := 1;
    while v_step < 64 loop
      v_run := v_run | (v_run << v_step::integer);
      v_step := v_step * 2;
    end loop;
    v_bits := v_bits | ((v_run & ((1::bigint << (v_last - v_first + 1)::integer) - 1)) << (v_first - low)::integer);
  end loop;

  return v_bits;
end
$$;

comment on function carillon._parse_field(text, text, integer, integer) is
  'The numbers a cron field selects, as a bit set: bit 0 is the lowest number the field takes. Raises TK002.';

revoke all on function carillon._parse_field(text, text, integer, integer) from public;
--! EndIncluded schedules/_parse_field.sql
--! Included schedules/_refuse_time.sql
-- Called for a time that is already known to be wrong; parts is its split by the grammar, or null.
create or replace function carillon._refuse_time(value text, parts text[])
returns void
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_rule constant text :=
    'A time is YYYY-MM-DDTHH:MM, optionally with seconds, read in the time zone of the cron; or RFC 3339 with Z or an offset such as +02:00.';
  v_what constant text := format('time %s', carillon._quote_input(value));
  v_year constant integer := parts[1]::integer;
  v_month constant integer := parts[2]::integer;
begin
  if parts is null then
    perform carillon._refuse_schedule(format('%s is not a date and time', v_what), v_rule,
      'For example 2026-05-08T10:30 or 2026-05-08T10:30:00Z.');
  elsif v_year < 1970 then
    perform carillon._refuse_schedule(
      format('%s: year %s is out of range', v_what, parts[1]), v_rule, 'Use a year from 1970 to 9999.');
  elsif v_month not between 1 and 12 then
    perform carillon._refuse_schedule(
      format('%s: month %s is out of range', v_what, parts[2]), v_rule, 'Use a month from 01 to 12.');
  elsif parts[3]::integer not between 1 and carillon._month_length(v_year, v_month) then
    perform carillon._refuse_schedule(
      format('%s: day %s does not exist in that month', v_what, parts[3]),
      v_rule,
      format('Use a day from 01 to %s.', carillon._month_length(v_year, v_month)));
  elsif parts[4]::integer > 23 then
    perform carillon._refuse_schedule(
      format('%s: hour %s is out of range', v_what, parts[4]), v_rule, 'Use an hour from 00 to 23.');
  elsif parts[5]::integer > 59 then
    perform carillon._refuse_schedule(
      format('%s: minute %s is out of range', v_what, parts[5]), v_rule, 'Use a minute from 00 to 59.');
  elsif coalesce(parts[6]::integer, 0) > 59 then
    perform carillon._refuse_schedule(
      format('%s: second %s is out of range', v_what, parts[6]), v_rule, 'Use a second from 00 to 59.');
  elsif parts[10]::integer > 23 or parts[11]::integer > 59 then
    perform carillon._refuse_schedule(
      format('%s: offset %s%s:%s is out of range', v_what, parts[9], parts[10], parts[11]),
      v_rule,
      'Use an offset from -23:59 to +23:59, or Z.');
  end if;
end
$$;

comment on function carillon._refuse_time(text, text[]) is
  'Raises TK002 for the time of an at or from clause, saying which part of it is wrong.';

revoke all on function carillon._refuse_time(text, text[]) from public;
--! EndIncluded schedules/_refuse_time.sql
--! Included schedules/_parse_time.sql
create or replace function carillon._parse_time(
  value text,
  out local_time timestamp,
  out instant timestamptz
)
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_parts constant text[] := regexp_match(
    value,
    '^(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d)(?::(\d\d)(?:(\.\d{1,6})\d*)?)?(?:([Zz])|([+-])(\d\d):(\d\d))?$'
  );
  v_year constant integer := v_parts[1]::integer;
  v_month constant integer := v_parts[2]::integer;
begin
  if v_parts is null
    or v_year < 1970
    or v_month not between 1 and 12
    or v_parts[3]::integer not between 1 and carillon._month_length(v_year, v_month)
    or v_parts[4]::integer > 23
    or v_parts[5]::integer > 59
    or v_parts[6]::integer > 59
    or v_parts[10]::integer > 23
    or v_parts[11]::integer > 59
  then
    perform carillon._refuse_time(value, v_parts);
  end if;

  local_time := make_timestamp(
    v_year, v_month, v_parts[3]::integer, v_parts[4]::integer, v_parts[5]::integer,
    (coalesce(v_parts[6], '0') || coalesce(v_parts[7], ''))::double precision
  );
  if v_parts[8] is not null then
    instant := local_time at time zone 'UTC';
  elsif v_parts[9] is not null then
    instant := (
      local_time - make_interval(
        mins => (v_parts[9] || '1')::integer * (v_parts[10]::integer * 60 + v_parts[11]::integer)
      )
    ) at time zone 'UTC';
  end if;
end
$$;

comment on function carillon._parse_time(text) is
  'The time of an at or from clause: always as written, and as an instant when it carries an offset. Raises TK002.';

revoke all on function carillon._parse_time(text) from public;
--! EndIncluded schedules/_parse_time.sql
--! Included schedules/_parse_phrase.sql
create or replace function carillon._parse_phrase(
  phrase text,
  words text[],
  forms text,
  out form text,
  out seconds bigint,
  out local_time timestamp,
  out instant timestamptz
)
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_rate constant text :=
    'A rate is "every N minutes", "every N hours" or "every N days", optionally followed by "from TIME". A day is 24 hours.';
  v_number integer;
begin
  if words[1] = 'at' then
    form := 'once';
    if cardinality(words) <> 2 then
      perform carillon._refuse_schedule(
        format('schedule %s: at takes exactly one time', carillon._quote_input(phrase)),
        'A once schedule is "at TIME": date and time joined by T, without blanks.',
        'For example: at 2026-05-08T10:30 or at 2026-05-08T10:30:00Z.');
    end if;
    select p.local_time, p.instant into local_time, instant from carillon._parse_time(words[2]) as p;

  elsif words[1] = 'every' then
    form := 'rate';
    if words[2] is null or words[2] !~ '^\d{1,9}$' then
      perform carillon._refuse_schedule(
        format('interval %s is not a whole number', carillon._quote_input(coalesce(words[2], ''))),
        v_rate, 'For example: every 90 minutes.');
    end if;
    v_number := words[2]::integer;
    seconds := v_number::bigint * case rtrim(words[3], 's') when 'minute' then 60 when 'hour' then 3600 when 'day' then 86400 end;
    if words[3] is null or words[3] not in ('minute', 'minutes', 'hour', 'hours', 'day', 'days') then
      perform carillon._refuse_schedule(
        format('unit %s is not known', carillon._quote_input(coalesce(words[3], ''))),
        v_rate,
        case
          when words[3] like 'second%' then format('For seconds write "%s seconds" (1 to 59).', v_number)
          when words[3] like 'week%' then format('A week is 7 days: every %s days.', v_number::bigint * 7)
          when words[3] like 'month%' then 'For months use the 5-field form, for example 0 9 1 * *.'
          else 'Use minutes, hours or days.'
        end);
    elsif v_number = 0 then
      perform carillon._refuse_schedule(
        'interval "0" is out of range', v_rate, 'Use an interval of 1 or more.');
    elsif seconds > 36525 * 86400::bigint then
      perform carillon._refuse_schedule(
        format('interval %s is out of range', carillon._quote_input(words[2] || ' ' || words[3])),
        v_rate, 'Use an interval of at most 100 years (36525 days).');
    elsif words[4] <> 'from' then
      perform carillon._refuse_schedule(
        format('schedule %s: %s is not expected after the unit',
          carillon._quote_input(phrase), carillon._quote_input(words[4])),
        v_rate, 'For example: every 2 days from 2026-05-08T10:30.');
    elsif words[4] = 'from' and cardinality(words) <> 5 then
      perform carillon._refuse_schedule(
        format('schedule %s: from takes exactly one time', carillon._quote_input(phrase)),
        'The time is written without blanks: date and time joined by T.',
        'For example: every 2 days from 2026-05-08T10:30.');
    end if;
    if words[4] = 'from' then
      select p.local_time, p.instant into local_time, instant from carillon._parse_time(words[5]) as p;
    end if;

  elsif words[2] = 'seconds' and cardinality(words) = 2 then
    form := 'seconds';
    if words[1] !~ '^\d{1,9}$' then
      perform carillon._refuse_schedule(
        format('interval %s is not a whole number', carillon._quote_input(words[1])),
        'A seconds schedule is "N seconds" with N from 1 to 59.', 'For example: 10 seconds.');
    elsif words[1]::integer not between 1 and 59 then
      perform carillon._refuse_schedule(
        format('interval %s is out of range', carillon._quote_input(words[1])),
        'A seconds schedule is "N seconds" with N from 1 to 59.',
        case when words[1]::integer % 60 = 0 and words[1]::integer > 0
          then format('For whole minutes use the rate form: every %s minutes.', words[1]::integer / 60)
          else 'For longer intervals use the rate form (every N minutes) or the 5-field form.' end);
    end if;
    seconds := words[1]::bigint;

  else
    perform carillon._refuse_words(phrase, words, forms);
  end if;
end
$$;

comment on function carillon._parse_phrase(text, text[], text) is
  'Parses the forms made of words: N seconds, every …, at …; raises TK002 for anything else.';

revoke all on function carillon._parse_phrase(text, text[], text) from public;
--! EndIncluded schedules/_parse_phrase.sql
--! Included schedules/_parse_schedule.sql
-- The only parser of schedules in the project. Text is read once, into bit sets:
-- bit 0 of minutes, hours and weekdays is 0 (Sunday), bit 0 of days and months is 1.
create or replace function carillon._parse_schedule(
  schedule text,
  out form text,
  out minutes bigint,
  out hours bigint,
  out days bigint,
  out months bigint,
  out weekdays bigint,
  out last_day boolean,
  out either_day boolean,
  out elapsed boolean,
  out seconds bigint,
  out local_time timestamp,
  out instant timestamptz
)
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_forms constant text :=
    'A schedule is 5 cron fields (minute hour day-of-month month day-of-week), "N seconds", "every N minutes|hours|days [from TIME]" or "at TIME".';
  v_text text := btrim(schedule, E' \t');
  v_fields text[];
  v_longest integer;
begin
  if schedule is null or v_text = '' then
    perform carillon._refuse_schedule('schedule is empty', v_forms, 'For example: 0 9 * * 1-5.');
  elsif length(schedule) > 200 then
    perform carillon._refuse_schedule(
      format('schedule is %s characters long', length(schedule)),
      'A schedule has at most 200 characters.',
      'Shorten lists with ranges and steps, or use several crons.');
  end if;

  if strpos(v_text, '  ') > 0 or strpos(v_text, E'\t') > 0 then
    v_text := regexp_replace(v_text, '[ \t]+', ' ', 'g');
  end if;
  v_fields := string_to_array(v_text, ' ');

  if cardinality(v_fields) <> 5 or left(v_text, 1) = 'e' then
    select p.form, p.seconds, p.local_time, p.instant
      into form, seconds, local_time, instant
      from carillon._parse_phrase(v_text, v_fields, v_forms) as p;
    return;
  end if;

  form := 'cron';
  minutes := case when v_fields[1] = '*' then 1152921504606846975
    else carillon._parse_field(v_fields[1], 'minute', 0, 59) end;
  hours := case when v_fields[2] = '*' then 16777215
    else carillon._parse_field(v_fields[2], 'hour', 0, 23) end;
  last_day := v_fields[3] = '$';
  days := case when v_fields[3] = '*' then 2147483647 when last_day then 0
    else carillon._parse_field(v_fields[3], 'day-of-month', 1, 31) end;
  months := case when v_fields[4] = '*' then 4095
    else carillon._parse_field(v_fields[4], 'month', 1, 12) end;
  if v_fields[5] = '*' then
    weekdays := 127;
  else
    weekdays := carillon._parse_field(v_fields[5], 'day-of-week', 0, 7);
    weekdays := (weekdays | (weekdays >> 7)) & 127;
  end if;
  elapsed := left(v_fields[2], 1) = '*';
  -- Vixie's rule, which pg_cron keeps: the two day fields are alternatives only when
  -- neither begins with *; otherwise a day has to satisfy both.
  either_day := left(v_fields[3], 1) <> '*' and left(v_fields[5], 1) <> '*';

  if not either_day and not last_day then
    v_longest := case when months & 2773 > 0 then 31 when months & 1320 > 0 then 30 else 29 end;
    if days & ((1::bigint << v_longest) - 1) = 0 then
      perform carillon._refuse_schedule(
        format('day-of-month %s never comes in month %s', carillon._quote_input(v_fields[3]), carillon._quote_input(v_fields[4])),
        'A schedule must be able to fire: no month it selects has such a day.',
        format('Use a day up to %s, $ for the last day of the month, or another month.', v_longest));
    end if;
  end if;
end
$$;

comment on function carillon._parse_schedule(text) is
  'Parses a schedule of any of the four forms; raises TK002 naming the field, the rule and what would be right.';

revoke all on function carillon._parse_schedule(text) from public;
--! EndIncluded schedules/_parse_schedule.sql
--! Included schedules/_zone_offset.sql
create or replace function carillon._zone_offset(timezone text, instant bigint)
returns bigint
language sql
stable
security invoker
as $$
  select pg_catalog.date_part('epoch', pg_catalog.to_timestamp(instant) at time zone timezone)::bigint - instant
$$;

comment on function carillon._zone_offset(text, bigint) is
  'Seconds a zone is ahead of UTC at an instant (seconds since the Unix epoch). Unpinned so that it is inlined.';

revoke all on function carillon._zone_offset(text, bigint) from public;
--! EndIncluded schedules/_zone_offset.sql
--! Included schedules/_zone_change.sql
create or replace function carillon._zone_change(timezone text, low bigint, high bigint)
returns bigint
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_offset constant bigint := carillon._zone_offset(timezone, low);
  v_low bigint := low;
  v_high bigint := high;
  v_middle bigint;
begin
  while v_high - v_low > 1 loop
    v_middle := (v_low + v_high) / 2;
    if carillon._zone_offset(timezone, v_middle) = v_offset then
      v_low := v_middle;
    else
      v_high := v_middle;
    end if;
  end loop;
  return v_high;
end
$$;

comment on function carillon._zone_change(text, bigint, bigint) is
  'The first second of the new offset, between two instants at which the zone''s offsets differ.';

revoke all on function carillon._zone_change(text, bigint, bigint) from public;
--! EndIncluded schedules/_zone_change.sql
--! Included schedules/_zone_aliases.sql
-- Old names that IANA keeps as links (its file "backward"). Debian 13 and others moved them to a package of
-- their own (tzdata-legacy), so a server may not know US/Eastern although everybody else does.
create or replace function carillon._zone_aliases()
returns jsonb
language sql
immutable
security invoker
set search_path = ''
as $$
  select '{
    "africa/asmera": "Africa/Nairobi", "america/argentina/comodrivadavia": "America/Argentina/Catamarca",
    "america/buenos_aires": "America/Argentina/Buenos_Aires",
    "america/catamarca": "America/Argentina/Catamarca", "america/cordoba": "America/Argentina/Cordoba",
    "america/fort_wayne": "America/Indiana/Indianapolis", "america/godthab": "America/Nuuk",
    "america/indianapolis": "America/Indiana/Indianapolis", "america/jujuy": "America/Argentina/Jujuy",
    "america/knox_in": "America/Indiana/Knox", "america/louisville": "America/Kentucky/Louisville",
    "america/mendoza": "America/Argentina/Mendoza", "america/rosario": "America/Argentina/Cordoba",
    "antarctica/south_pole": "Pacific/Auckland", "asia/ashkhabad": "Asia/Ashgabat",
    "asia/calcutta": "Asia/Kolkata", "asia/choibalsan": "Asia/Ulaanbaatar", "asia/chungking": "Asia/Shanghai",
    "asia/dacca": "Asia/Dhaka", "asia/katmandu": "Asia/Kathmandu", "asia/macao": "Asia/Macau",
    "asia/rangoon": "Asia/Yangon", "asia/saigon": "Asia/Ho_Chi_Minh", "asia/thimbu": "Asia/Thimphu",
    "asia/ujung_pandang": "Asia/Makassar", "asia/ulan_bator": "Asia/Ulaanbaatar",
    "atlantic/faeroe": "Atlantic/Faroe", "australia/act": "Australia/Sydney",
    "australia/lhi": "Australia/Lord_Howe", "australia/north": "Australia/Darwin",
    "australia/nsw": "Australia/Sydney", "australia/queensland": "Australia/Brisbane",
    "australia/south": "Australia/Adelaide", "australia/tasmania": "Australia/Hobart",
    "australia/victoria": "Australia/Melbourne", "australia/west": "Australia/Perth",
    "brazil/acre": "America/Rio_Branco", "brazil/denoronha": "America/Noronha",
    "brazil/east": "America/Sao_Paulo", "brazil/west": "America/Manaus", "canada/atlantic": "America/Halifax",
    "canada/central": "America/Winnipeg", "canada/eastern": "America/Toronto",
    "canada/mountain": "America/Edmonton", "canada/newfoundland": "America/St_Johns",
    "canada/pacific": "America/Vancouver", "canada/saskatchewan": "America/Regina",
    "canada/yukon": "America/Whitehorse", "chile/continental": "America/Santiago",
    "chile/easterisland": "Pacific/Easter", "cuba": "America/Havana", "egypt": "Africa/Cairo",
    "eire": "Europe/Dublin", "europe/kiev": "Europe/Kyiv", "europe/uzhgorod": "Europe/Kyiv",
    "europe/zaporozhye": "Europe/Kyiv", "gb": "Europe/London", "gb-eire": "Europe/London", "greenwich": "GMT",
    "hongkong": "Asia/Hong_Kong", "iceland": "Africa/Abidjan", "iran": "Asia/Tehran",
    "israel": "Asia/Jerusalem", "jamaica": "America/Jamaica", "japan": "Asia/Tokyo",
    "kwajalein": "Pacific/Kwajalein", "libya": "Africa/Tripoli", "mexico/bajanorte": "America/Tijuana",
    "mexico/bajasur": "America/Mazatlan", "mexico/general": "America/Mexico_City", "navajo": "America/Denver",
    "nz": "Pacific/Auckland", "nz-chat": "Pacific/Chatham", "pacific/enderbury": "Pacific/Kanton",
    "pacific/ponape": "Pacific/Guadalcanal", "pacific/truk": "Pacific/Port_Moresby", "poland": "Europe/Warsaw",
    "portugal": "Europe/Lisbon", "prc": "Asia/Shanghai", "roc": "Asia/Taipei", "rok": "Asia/Seoul",
    "singapore": "Asia/Singapore", "turkey": "Europe/Istanbul", "uct": "UTC", "universal": "UTC",
    "us/alaska": "America/Anchorage", "us/aleutian": "America/Adak", "us/arizona": "America/Phoenix",
    "us/central": "America/Chicago", "us/east-indiana": "America/Indiana/Indianapolis",
    "us/eastern": "America/New_York", "us/hawaii": "Pacific/Honolulu",
    "us/indiana-starke": "America/Indiana/Knox", "us/michigan": "America/Detroit",
    "us/mountain": "America/Denver", "us/pacific": "America/Los_Angeles", "us/samoa": "Pacific/Pago_Pago",
    "w-su": "Europe/Moscow", "zulu": "UTC"
  }'::jsonb
$$;

comment on function carillon._zone_aliases() is
  'The present names of zones that have been renamed, by their old ones in small letters.';

revoke all on function carillon._zone_aliases() from public;
--! EndIncluded schedules/_zone_aliases.sql
--! Included schedules/_zone_alias.sql
create or replace function carillon._zone_alias(timezone text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select carillon._zone_aliases() ->> lower(timezone)
$$;

comment on function carillon._zone_alias(text) is
  'The present name of a zone that has been renamed, or null.';

revoke all on function carillon._zone_alias(text) from public;
--! EndIncluded schedules/_zone_alias.sql
--! Included schedules/_offset_text.sql
create or replace function carillon._offset_text(seconds bigint)
returns text
language sql
immutable
security invoker
return case when seconds < 0 then '-' else '+' end
  || to_char(make_interval(secs => abs(seconds)), case when seconds % 60 = 0 then 'HH24:MI' else 'HH24:MI:SS' end);

comment on function carillon._offset_text(bigint) is
  'An offset from UTC as people write it, such as -04:00.';

revoke all on function carillon._offset_text(bigint) from public;
--! EndIncluded schedules/_offset_text.sql
--! Included schedules/_next_offset.sql
create or replace function carillon._next_offset(timezone text, from_time timestamptz)
returns timestamptz
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  c_step constant bigint := 7 * 86400;
  v_from constant bigint := date_part('epoch', from_time);
  v_offset constant bigint := carillon._zone_offset(timezone, v_from);
begin
  -- No zone changes there and back within a week; most that change do so within half a year.
  for v_week in 1 .. 57 loop
    if carillon._zone_offset(timezone, v_from + v_week * c_step) <> v_offset then
      return to_timestamp(carillon._zone_change(timezone, v_from + (v_week - 1) * c_step, v_from + v_week * c_step));
    end if;
  end loop;
  return null;
end
$$;

comment on function carillon._next_offset(text, timestamptz) is
  'When the clocks of a zone change next, within 13 months; null when they do not.';

revoke all on function carillon._next_offset(text, timestamptz) from public;
--! EndIncluded schedules/_next_offset.sql
--! Included schedules/_zone_name.sql
-- Postgres takes far more than zone names: abbreviations (EST), POSIX rules (EST5EDT, Foo/Bar7),
-- bare offsets (+02). A POSIX rule cannot do without a digit, so a name made of letters only that
-- Postgres accepts, with a slash in it, is in its tz database. pg_timezone_names would be the
-- obvious way to ask, but it reads every file (10 ms) and fails on a dangling link.
create or replace function carillon._zone_name(timezone text)
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_rule constant text := 'A time zone is a name of the IANA database, such as Europe/London or America/New_York.';
begin
  if timezone in ('GMT', 'UTC') or timezone is null then
    return coalesce(timezone, 'GMT');
  end if;

  if timezone ~ '^[A-Za-z]+(/[A-Za-z_-]+)+$' and lower(split_part(timezone, '/', 1)) not in ('posix', 'right', 'systemv')
    or timezone ~* '^Etc/GMT(0|[+-]0|\+([1-9]|1[0-2])|-([1-9]|1[0-4]))$'
    or lower(timezone) in (
      'cuba', 'egypt', 'eire', 'gb', 'gb-eire', 'gmt', 'greenwich', 'hongkong', 'iceland', 'iran',
      'israel', 'jamaica', 'japan', 'kwajalein', 'libya', 'navajo', 'nz', 'nz-chat', 'poland',
      'portugal', 'prc', 'roc', 'rok', 'singapore', 'turkey', 'uct', 'universal', 'utc', 'w-su', 'zulu'
    )
  then
    begin
      perform '2000-01-01 00:00:00+00'::timestamptz at time zone timezone;
      return timezone;
    exception
      when invalid_parameter_value then
        if carillon._zone_alias(timezone) is not null then
          return carillon._zone_alias(timezone);
        end if;
    end;
    raise exception using
      errcode = 'TK003',
      message = format('time zone %s is not known to this server', carillon._quote_input(timezone)),
      detail = v_rule,
      hint = 'Check the spelling; the view pg_timezone_names lists what this server knows.',
      column = 'timezone';
  end if;

  raise exception using
    errcode = 'TK003',
    message = case
      when timezone = '' then 'time zone is empty'
      when length(timezone) > 64 then format('time zone is %s characters long', length(timezone))
      when timezone ~ '^\s|\s$' then format('time zone %s begins or ends with a blank', carillon._quote_input(timezone))
      when timezone ~ '^[+-]?\d' or timezone ~* '^(utc|gmt)[+-]?\d'
        then format('time zone %s is an offset', carillon._quote_input(timezone))
      when timezone ~ '\d' then format('time zone %s is a POSIX rule', carillon._quote_input(timezone))
      when timezone ~ '^[A-Za-z]{1,5}$' then format('time zone %s is an abbreviation', carillon._quote_input(timezone))
      else format('time zone %s is not a name of the IANA database', carillon._quote_input(timezone))
    end,
    detail = v_rule || ' Abbreviations, offsets and POSIX rules are refused: they are ambiguous or do not follow daylight saving time.',
    hint = case
      when upper(timezone) in ('EST', 'EDT', 'ET', 'EST5EDT') then 'Did you mean America/New_York?'
      when upper(timezone) in ('CST', 'CDT', 'CT', 'CST6CDT') then 'Did you mean America/Chicago?'
      when upper(timezone) in ('MST', 'MDT', 'MT', 'MST7MDT') then 'Did you mean America/Denver?'
      when upper(timezone) in ('PST', 'PDT', 'PT', 'PST8PDT') then 'Did you mean America/Los_Angeles?'
      when upper(timezone) in ('BST', 'WET') then 'Did you mean Europe/London?'
      when upper(timezone) in ('CET', 'CEST', 'MET') then 'Did you mean Europe/Paris?'
      when upper(timezone) in ('EET', 'EEST') then 'Did you mean Europe/Athens?'
      when upper(timezone) = 'IST' then 'Did you mean Asia/Kolkata, Asia/Jerusalem or Europe/Dublin?'
      when upper(timezone) = 'JST' then 'Did you mean Asia/Tokyo?'
      when upper(timezone) in ('AEST', 'AEDT') then 'Did you mean Australia/Sydney?'
      when timezone ~ '\d' then 'Use the name of a place; for a fixed offset use for example Etc/GMT-2, which is two hours ahead of GMT.'
      else 'For example: Europe/London, America/New_York, GMT.'
    end,
    column = 'timezone';
end
$$;

comment on function carillon._zone_name(text) is
  'The name by which this server knows a zone of the IANA database, given in any letter case or by an old name; null is GMT. Raises TK003.';

revoke all on function carillon._zone_name(text) from public;
--! EndIncluded schedules/_zone_name.sql
--! Included schedules/_resolve_local.sql
-- RFC 5545 section 3.3.5: a local time in a gap is read with the offset before the gap,
-- one that occurs twice is the first of the two. Postgres agrees about the gap and takes
-- the second of the two.
create or replace function carillon._resolve_local(local_time timestamp, timezone text)
returns timestamptz
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_instant constant timestamptz := local_time at time zone timezone;
  v_second constant bigint := floor(date_part('epoch', v_instant))::bigint;
  v_before constant bigint := carillon._zone_offset(timezone, v_second - 93600);
  v_fold constant bigint := v_before - carillon._zone_offset(timezone, v_second);
begin
  if v_fold > 0 and carillon._zone_offset(timezone, v_second - v_fold) = v_before then
    return v_instant - make_interval(secs => v_fold);
  end if;
  return v_instant;
end
$$;

comment on function carillon._resolve_local(timestamp, text) is
  'The instant a local time names in a zone, by the rules of RFC 5545 for gaps and folds.';

revoke all on function carillon._resolve_local(timestamp, text) from public;
--! EndIncluded schedules/_resolve_local.sql
--! Included schedules/_next_match.sql
-- Pure calendar arithmetic on local seconds (as if UTC, since 1970): no zone comes in here.
create or replace function carillon._next_match(
  minutes bigint,
  hours bigint,
  days bigint,
  months bigint,
  weekdays bigint,
  last_day boolean,
  either_day boolean,
  local_second bigint
)
returns bigint
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  c_weeks constant bigint := 34630287489; -- times a week's bits: six copies of the week in a row
  -- Division truncates towards zero; 100 days more keep it on one side around 1970.
  v_today bigint := (local_second + 8640000) / 86400 - 100;
  v_minute integer := (local_second - v_today * 86400) / 60;
  v_hour integer := v_minute / 60;
  v_time integer;
  v_rest bigint;
  v_day bigint;
  v_date timestamp;
  v_year integer;
  v_month integer;
  v_first integer; -- the day number of the first of the month
  v_length integer;
  v_over integer; -- days of the month that are over
begin
  -- Is there a later time today, whatever the day?
  v_minute := v_minute % 60;
  v_rest := minutes >> (v_minute + 1);
  if v_rest > 0 and (hours >> v_hour) & 1 = 1 then
    v_time := v_hour * 60 + v_minute + 1 + carillon._lowest_bit(v_rest);
  else
    v_rest := hours >> (v_hour + 1);
    if v_rest > 0 then
      v_time := (v_hour + 1 + carillon._lowest_bit(v_rest)) * 60 + carillon._lowest_bit(minutes);
    end if;
  end if;

  v_day := case when v_time is null then v_today + 1 else v_today end;

  if days = 2147483647 and months = 4095 then
    -- No calendar needed: any day, or a day of the week (1970-01-01 was a Thursday).
    if weekdays <> 127 and not either_day then
      v_day := v_day + carillon._lowest_bit((weekdays | (weekdays << 7)) >> ((v_day + 704) % 7)::integer);
    end if;
  else
    v_date := timestamp 'epoch' + make_interval(days => v_day::integer);
    v_year := date_part('year', v_date);
    v_month := date_part('month', v_date);
    v_over := date_part('day', v_date) - 1;
    loop
      if (months >> (v_month - 1)) & 1 = 0 then
        v_rest := months >> v_month;
        if v_rest > 0 then
          v_month := v_month + 1 + carillon._lowest_bit(v_rest);
        else
          v_year := v_year + 1;
          v_month := 1 + carillon._lowest_bit(months);
        end if;
        v_over := 0;
      end if;
      if v_year > 9999 then
        return null;
      end if;

      v_first := make_date(v_year, v_month, 1) - date '1970-01-01';
      v_length := carillon._month_length(v_year, v_month);
      v_rest := case when last_day then 1::bigint << (v_length - 1) else days end;
      -- The weeks are turned so that bit 0 is the first of the month.
      if either_day then
        v_rest := v_rest | ((weekdays * c_weeks) >> ((v_first + 704) % 7));
      elsif weekdays <> 127 then
        v_rest := v_rest & ((weekdays * c_weeks) >> ((v_first + 704) % 7));
      end if;
      v_rest := (v_rest & ((1::bigint << v_length) - 1)) >> v_over;
      exit when v_rest > 0;

      v_over := 0;
      v_month := v_month + 1;
      if v_month > 12 then
        v_month := 1;
        v_year := v_year + 1;
      end if;
    end loop;
    v_day := v_first + v_over + carillon._lowest_bit(v_rest);
  end if;

  if v_day > v_today then
    v_time := carillon._lowest_bit(hours) * 60 + carillon._lowest_bit(minutes);
  end if;
  return v_day * 86400 + v_time * 60;
end
$$;

comment on function carillon._next_match(bigint, bigint, bigint, bigint, bigint, boolean, boolean, bigint) is
  'The first local second after local_second at which a parsed 5-field schedule matches; null beyond the year 9999.';

revoke all on function carillon._next_match(bigint, bigint, bigint, bigint, bigint, boolean, boolean, bigint) from public;
--! EndIncluded schedules/_next_match.sql
--! Included schedules/_next_stretch_slot.sql
-- A stretch runs from starts to before ends at one offset; was is the offset before it.
-- starts is null when the stretch began too long ago to matter.
create or replace function carillon._next_stretch_slot(
  minutes bigint,
  hours bigint,
  days bigint,
  months bigint,
  weekdays bigint,
  last_day boolean,
  either_day boolean,
  elapsed boolean,
  after bigint,
  starts bigint,
  ends bigint,
  was bigint,
  zone_offset bigint,
  dst_gap text,
  dst_fold text
)
returns bigint
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_after constant bigint := greatest(after, starts - 1);
  v_local bigint := v_after + zone_offset;
  v_slot bigint;
begin
  -- Local times the stretch before has already had are not due again.
  if was > zone_offset and dst_fold = 'first' and not elapsed then
    v_local := greatest(v_local, starts + was - 1);
  end if;
  v_slot := carillon._next_match(
    minutes, hours, days, months, weekdays, last_day, either_day, v_local) - zone_offset;

  -- Local times skipped when the stretch began are due now, by the offset before it.
  if was < zone_offset and dst_gap = 'shift' and not elapsed then
    v_local := carillon._next_match(
      minutes, hours, days, months, weekdays, last_day, either_day, v_after + was);
    if v_local < starts + zone_offset then
      v_slot := least(v_slot, v_local - was);
    end if;
  end if;

  return case when v_slot < ends then v_slot end;
end
$$;

comment on function carillon._next_stretch_slot(bigint, bigint, bigint, bigint, bigint, boolean, boolean, boolean, bigint, bigint, bigint, bigint, bigint, text, text) is
  'The first slot of a parsed 5-field schedule after an instant, within one stretch of constant zone offset.';

revoke all on function carillon._next_stretch_slot(bigint, bigint, bigint, bigint, bigint, boolean, boolean, boolean, bigint, bigint, bigint, bigint, bigint, text, text) from public;
--! EndIncluded schedules/_next_stretch_slot.sql
--! Included schedules/_next_cron_slot.sql
-- Between two changes of its offset a zone is plain arithmetic, so the work is done per stretch of
-- constant offset. A day and a bit is longer than any gap or fold (Apia skipped 24 hours in 2011)
-- and shorter than the time between any two changes; the offsets that far around an instant tell
-- whether a change is near.
create or replace function carillon._next_cron_slot(
  minutes bigint,
  hours bigint,
  days bigint,
  months bigint,
  weekdays bigint,
  last_day boolean,
  either_day boolean,
  elapsed boolean,
  timezone text,
  after bigint,
  dst_gap text,
  dst_fold text
)
returns bigint
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  c_near constant bigint := 93600; -- 26 hours
  v_after bigint := after;
  v_before bigint;
  v_offset bigint;
  v_ahead bigint;
  v_local bigint;
  v_slot bigint;
  v_start bigint;
  v_end bigint;
begin
  if timezone in ('GMT', 'UTC') then
    return carillon._next_match(minutes, hours, days, months, weekdays, last_day, either_day, after);
  end if;

  loop
    v_before := carillon._zone_offset(timezone, v_after - c_near);
    v_offset := carillon._zone_offset(timezone, v_after);
    v_ahead := carillon._zone_offset(timezone, v_after + c_near);

    if v_before = v_offset and v_offset = v_ahead then
      v_local := carillon._next_match(
        minutes, hours, days, months, weekdays, last_day, either_day, v_after + v_offset);
      v_slot := v_local - v_offset;
      if v_slot is null
        or v_slot <= v_after + c_near
        or carillon._zone_offset(timezone, v_slot - c_near) = v_offset
          and carillon._zone_offset(timezone, v_slot) = v_offset
      then
        return v_slot;
      end if;
      -- Far away and beyond a change: whatever the offset is there, nothing comes before this.
      v_after := greatest(v_after + c_near, v_slot - c_near - 1);
      continue;
    end if;

    -- The stretch v_after lies in, and the one after it, up to c_near ahead.
    v_start := case when v_before <> v_offset
      then carillon._zone_change(timezone, v_after - c_near, v_after) end;
    v_end := case when v_offset <> v_ahead
      then carillon._zone_change(timezone, v_after, v_after + c_near)
      else v_after + c_near + 1 end;
    v_slot := carillon._next_stretch_slot(
      minutes, hours, days, months, weekdays, last_day, either_day, elapsed,
      v_after, v_start, v_end, v_before, v_offset, dst_gap, dst_fold);
    if v_slot is null and v_offset <> v_ahead then
      v_slot := carillon._next_stretch_slot(
        minutes, hours, days, months, weekdays, last_day, either_day, elapsed,
        v_after, v_end, v_after + c_near + 1, v_offset, v_ahead, dst_gap, dst_fold);
    end if;
    if v_slot is not null then
      return v_slot;
    end if;
    v_after := v_after + c_near;
  end loop;
end
$$;

comment on function carillon._next_cron_slot(bigint, bigint, bigint, bigint, bigint, boolean, boolean, boolean, text, bigint, text, text) is
  'The first slot of a parsed 5-field schedule after an instant, in seconds since the Unix epoch.';

revoke all on function carillon._next_cron_slot(bigint, bigint, bigint, bigint, bigint, boolean, boolean, boolean, text, bigint, text, text) from public;
--! EndIncluded schedules/_next_cron_slot.sql
--! Included schedules/next_fire.sql
create or replace function carillon.next_fire(
  schedule text,
  timezone text,
  after timestamptz,
  anchor timestamptz default null,
  starts_at timestamptz default null,
  ends_at timestamptz default null,
  dst_gap text default 'shift',
  dst_fold text default 'first'
)
returns timestamptz
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_schedule record;
  v_zone constant text := carillon._zone_name(timezone);
  v_after timestamptz := after;
  v_slot timestamptz;
begin
  v_schedule := carillon._parse_schedule(schedule);
  if dst_gap not in ('shift', 'skip') or dst_fold not in ('first', 'both') then
    perform carillon._refuse_dst(dst_gap, dst_fold);
  end if;

  -- Slots are counted from 1970 to 9999. A slot equal to starts_at is in.
  if starts_at > v_after then
    v_after := starts_at - interval '1 microsecond';
  end if;
  if v_after < timestamptz '1970-01-01 00:00:00+00' then
    v_after := timestamptz '1969-12-31 23:59:59+00';
  elsif v_after > timestamptz '9999-12-31 23:59:59+00' then
    return null;
  end if;

  case v_schedule.form
    when 'cron' then
      v_slot := to_timestamp(
        carillon._next_cron_slot(
          v_schedule.minutes, v_schedule.hours, v_schedule.days, v_schedule.months,
          v_schedule.weekdays, v_schedule.last_day, v_schedule.either_day, v_schedule.elapsed,
          v_zone, floor(date_part('epoch', v_after))::bigint,
          coalesce(dst_gap, 'shift'), coalesce(dst_fold, 'first')));
    when 'seconds' then
      v_slot := to_timestamp(
        floor(floor(date_part('epoch', v_after)) / v_schedule.seconds) * v_schedule.seconds + v_schedule.seconds);
    when 'rate' then
      v_slot := coalesce(
        v_schedule.instant,
        carillon._resolve_local(v_schedule.local_time, v_zone),
        anchor,
        timestamptz '1970-01-01 00:00:00+00');
      if v_slot <= v_after then
        -- numeric, so that no microsecond is lost however far the start is away
        v_slot := v_slot + make_interval(secs =>
          ((floor(extract(epoch from v_after - v_slot) / v_schedule.seconds) + 1) * v_schedule.seconds)::double precision);
      end if;
    when 'once' then
      v_slot := coalesce(v_schedule.instant, carillon._resolve_local(v_schedule.local_time, v_zone));
      if v_slot <= v_after then
        v_slot := null;
      end if;
  end case;

  return case when v_slot > ends_at or v_slot >= timestamptz '10000-01-01 00:00:00+00' then null else v_slot end;
end
$$;

comment on function carillon.next_fire(text, text, timestamptz, timestamptz, timestamptz, timestamptz, text, text) is
  'The first slot of a schedule strictly after an instant and within starts_at and ends_at (both included), or null. anchor is where a rate without "from" counts from. Raises TK002, TK003.';

revoke all on function carillon.next_fire(text, text, timestamptz, timestamptz, timestamptz, timestamptz, text, text) from public;
--! EndIncluded schedules/next_fire.sql
--! Included schedules/check_schedule.sql
create or replace function carillon.check_schedule(schedule text, timezone text)
returns void
language plpgsql
stable
security definer
set search_path = ''
as $$
begin
  perform carillon._parse_schedule(schedule);
  perform carillon._zone_name(timezone);
end
$$;

comment on function carillon.check_schedule(text, text) is
  'Raises TK002 (schedule) or TK003 (time zone) when a cron with these could not be created; a null zone is GMT.';

revoke all on function carillon.check_schedule(text, text) from public;
--! EndIncluded schedules/check_schedule.sql
--! Included schedules/_clock.sql
create or replace function carillon._clock(local_time timestamp)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select to_char(local_time, case when date_part('second', local_time) = 0 then 'HH24:MI' else 'HH24:MI:SS' end)
$$;

comment on function carillon._clock(timestamp) is
  'The time of day as people read it: hours and minutes, and seconds if there are any.';

revoke all on function carillon._clock(timestamp) from public;
--! EndIncluded schedules/_clock.sql
--! Included schedules/_note_slot.sql
-- Says what daylight saving time did to a slot, or to the slots between the previous one and it.
create or replace function carillon._note_slot(
  schedule text,
  timezone text,
  previous timestamptz,
  slot timestamptz,
  dst_gap text,
  dst_fold text
)
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  c_near constant bigint := 93600;
  v_schedule record;
  v_slot constant bigint := floor(date_part('epoch', slot));
  v_previous bigint := date_part('epoch', previous);
  v_here bigint;
  v_other bigint;
  v_change bigint;
  v_local bigint;
  v_written timestamp;
  v_time text;
begin
  v_schedule := carillon._parse_schedule(schedule);
  if v_schedule.form = 'seconds' or v_schedule.form = 'rate' or v_schedule.instant is not null then
    return null;
  end if;
  v_here := carillon._zone_offset(timezone, v_slot);
  v_other := carillon._zone_offset(timezone, v_slot - c_near);

  if v_schedule.form = 'once' then
    v_written := v_schedule.local_time;
  elsif v_other < v_here and dst_gap = 'shift' and not v_schedule.elapsed then
    -- Just after a gap: which local time before it or in it was written?
    v_change := carillon._zone_change(timezone, v_slot - c_near, v_slot);
    if v_slot < v_change + v_here - v_other then
      v_local := carillon._next_match(
        v_schedule.minutes, v_schedule.hours, v_schedule.days, v_schedule.months, v_schedule.weekdays,
        v_schedule.last_day, v_schedule.either_day, v_slot + v_other - 1);
      if v_local = v_slot + v_other then
        v_written := timestamp 'epoch' + make_interval(secs => v_local);
      end if;
    end if;
  end if;
  if v_written <> slot at time zone timezone then
    return format('%s does not exist on %s; moved to %s',
      carillon._clock(v_written), v_written::date, carillon._clock(slot at time zone timezone));
  end if;

  v_time := carillon._clock(slot at time zone timezone);
  -- The second of two: before the change the clock already showed this time.
  if v_other > v_here and carillon._zone_offset(timezone, v_slot - (v_other - v_here)) = v_other then
    return format('%s comes twice on %s; this is the second', v_time, (slot at time zone timezone)::date);
  end if;
  -- The first of two: it comes again after the change.
  v_other := carillon._zone_offset(timezone, v_slot + c_near);
  if v_other < v_here and carillon._zone_offset(timezone, v_slot + v_here - v_other) = v_other then
    return format('%s comes twice on %s; %s', v_time, (slot at time zone timezone)::date,
      case
        when v_schedule.form = 'cron' and (v_schedule.elapsed or dst_fold = 'both') then 'this is the first'
        else 'fires the first time only'
      end);
  end if;

  -- Was a local time skipped on the way here? Read as if it were to be shifted, it would show up.
  -- (An hour field of * alone loses nothing: it fires in every hour there is.)
  if v_schedule.form = 'cron' and v_schedule.hours <> 16777215 and (v_schedule.elapsed or dst_gap = 'skip') then
    v_local := carillon._next_cron_slot(
      v_schedule.minutes, v_schedule.hours, v_schedule.days, v_schedule.months, v_schedule.weekdays,
      v_schedule.last_day, v_schedule.either_day, false, timezone, v_previous, 'shift', 'both');
    if v_local <= v_slot then
      v_here := carillon._zone_offset(timezone, v_local);
      v_other := carillon._zone_offset(timezone, v_local - c_near);
      if v_other < v_here then
        v_change := carillon._zone_change(timezone, v_local - c_near, v_local);
        v_local := carillon._next_match(
          v_schedule.minutes, v_schedule.hours, v_schedule.days, v_schedule.months, v_schedule.weekdays,
          v_schedule.last_day, v_schedule.either_day, greatest(v_previous, v_change - 1) + v_other);
        if v_local < v_change + v_here and v_local >= v_change + v_other and v_change > v_previous then
          v_written := timestamp 'epoch' + make_interval(secs => v_local);
          return format('%s does not exist on %s; skipped', carillon._clock(v_written), v_written::date);
        end if;
      end if;
    end if;
  end if;
  return null;
end
$$;

comment on function carillon._note_slot(text, text, timestamptz, timestamptz, text, text) is
  'A sentence on what a change of the zone''s offset did to a slot, or null.';

revoke all on function carillon._note_slot(text, text, timestamptz, timestamptz, text, text) from public;
--! EndIncluded schedules/_note_slot.sql
--! Included schedules/preview_schedule.sql
create or replace function carillon.preview_schedule(
  schedule text,
  timezone text,
  "from" timestamptz,
  count integer,
  anchor timestamptz default null,
  starts_at timestamptz default null,
  ends_at timestamptz default null,
  dst_gap text default 'shift',
  dst_fold text default 'first'
)
returns table (slot timestamptz, local_time timestamp, utc_offset text, note text)
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_zone constant text := carillon._zone_name(timezone);
  v_previous timestamptz := "from";
begin
  perform carillon._parse_schedule(schedule);
  if count is null or count not between 1 and 1000 then
    raise exception using
      errcode = 'TK001',
      message = format('count %s is out of range', coalesce(count::text, 'null')),
      detail = 'A preview lists from 1 to 1000 slots.',
      hint = 'Ask for fewer slots, and go on from the last one.',
      column = 'count';
  end if;

  for v_index in 1 .. count loop
    slot := carillon.next_fire(schedule, timezone, v_previous, anchor, starts_at, ends_at, dst_gap, dst_fold);
    exit when slot is null;
    local_time := slot at time zone v_zone;
    utc_offset := carillon._offset_text(date_part('epoch', local_time - slot at time zone 'UTC')::bigint);
    note := carillon._note_slot(
      schedule, v_zone, greatest(v_previous, starts_at - interval '1 microsecond'), slot,
      coalesce(dst_gap, 'shift'), coalesce(dst_fold, 'first'));
    return next;
    v_previous := slot;
  end loop;
end
$$;

comment on function carillon.preview_schedule(text, text, timestamptz, integer, timestamptz, timestamptz, timestamptz, text, text) is
  'The next slots strictly after "from", each with its local time, its offset from UTC and a note when daylight saving time moved, dropped or doubled it. Raises TK001, TK002, TK003.';

revoke all on function carillon.preview_schedule(text, text, timestamptz, integer, timestamptz, timestamptz, timestamptz, text, text) from public;
--! EndIncluded schedules/preview_schedule.sql
--! Included schedules/_describe_zone.sql
create or replace function carillon._describe_zone(timezone text)
returns text
language sql
immutable
security invoker
set search_path = ''
as $$
  select case when timezone in ('GMT', 'UTC') then ' ' || timezone else format(', %s time', timezone) end
$$;

comment on function carillon._describe_zone(text) is
  'The end of a phrase that names a time of day: " GMT", ", America/New_York time".';

revoke all on function carillon._describe_zone(text) from public;
--! EndIncluded schedules/_describe_zone.sql
--! Included schedules/_join_words.sql
create or replace function carillon._join_words(words text[])
returns text
language sql
immutable
security invoker
return case
  when cardinality(words) < 2 then words[1]
  else array_to_string(words[:cardinality(words) - 1], ', ') || ' and ' || words[cardinality(words)]
end;

comment on function carillon._join_words(text[]) is
  'A list in English: "a", "a and b", "a, b and c".';

revoke all on function carillon._join_words(text[]) from public;
--! EndIncluded schedules/_join_words.sql
--! Included schedules/_describe_bits.sql
create or replace function carillon._describe_bits(bits bigint, low integer, names text[] default null)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_words text[] := '{}';
  v_rest bigint := bits;
  v_first integer := 0;
  v_last integer;
  v_names text[];
begin
  while v_rest > 0 loop
    -- a run of neighbours
    v_last := carillon._lowest_bit(v_rest);
    v_rest := v_rest >> v_last;
    v_first := v_first + v_last;
    v_last := v_first + carillon._lowest_bit(v_rest + 1) - 1;
    v_rest := v_rest >> (v_last - v_first + 1);
    v_names := array[coalesce(names[v_first + 1], (v_first + low)::text), coalesce(names[v_last + 1], (v_last + low)::text)];
    v_words := v_words || case v_last - v_first
      when 0 then v_names[:1]
      when 1 then v_names
      else array[v_names[1] || ' to ' || v_names[2]]
    end;
    v_first := v_last + 1;
  end loop;
  return carillon._join_words(v_words);
end
$$;

comment on function carillon._describe_bits(bigint, integer, text[]) is
  'The numbers (or names) of a bit set in English: "1, 2, 5 to 9 and 12".';

revoke all on function carillon._describe_bits(bigint, integer, text[]) from public;
--! EndIncluded schedules/_describe_bits.sql
--! Included schedules/_describe_days.sql
create or replace function carillon._describe_days(
  days bigint,
  last_day boolean,
  either_day boolean,
  months bigint,
  weekdays bigint
)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  c_weekdays constant text[] := array['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
  c_months constant text[] := array['January', 'February', 'March', 'April', 'May', 'June', 'July',
    'August', 'September', 'October', 'November', 'December'];
  v_weekdays text;
  v_monthdays text;
  v_months text;
begin
  if either_day and (days = 2147483647 or weekdays = 127) then
    v_monthdays := null; -- one of the alternatives is always true
  else
    if weekdays <> 127 then
      v_weekdays := case weekdays
        when 62 then case when days = 2147483647 and not last_day or either_day then 'weekday (Monday to Friday)' else 'Monday to Friday' end
        when 65 then 'Saturday and Sunday'
        else carillon._describe_bits(weekdays, 0, c_weekdays)
      end;
    end if;
    if last_day then
      v_monthdays := 'the last day';
    elsif days <> 2147483647 then
      v_monthdays := case when days & (days - 1) = 0 then 'day ' else 'days ' end || carillon._describe_bits(days, 1);
    end if;
  end if;
  v_months := case when months <> 4095 then carillon._describe_bits(months, 1, c_months) end;

  return case
    when v_monthdays is not null then
      format('On %s of %s', v_monthdays, coalesce(v_months, 'every month'))
      || case
        when v_weekdays is null then ''
        when either_day then format(' and on every %s', v_weekdays) || coalesce(' in ' || v_months, '')
        else format(', if it is %s,', replace(v_weekdays, ' and ', ' or '))
      end
    when v_weekdays is not null then 'Every ' || v_weekdays || coalesce(' in ' || v_months, '')
    when v_months is not null then 'Every day in ' || v_months
  end;
end
$$;

comment on function carillon._describe_days(bigint, boolean, boolean, bigint, bigint) is
  'The days a 5-field schedule selects as a phrase, or null when it selects every day.';

revoke all on function carillon._describe_days(bigint, boolean, boolean, bigint, bigint) from public;
--! EndIncluded schedules/_describe_days.sql
--! Included schedules/_describe_cron.sql
create or replace function carillon._describe_cron(schedule text, timezone text)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_schedule record;
  v_minute_step text;
  v_hour_step text;
  v_days text;
  v_time text;
  v_zone text := carillon._describe_zone(timezone);
begin
  v_schedule := carillon._parse_schedule(schedule);
  v_minute_step := substring(carillon._format_bits(v_schedule.minutes, 0, 59, true) from '^\*/(\d+)$');
  v_hour_step := substring(carillon._format_bits(v_schedule.hours, 0, 23, true) from '^\*/(\d+)$');
  v_days := carillon._describe_days(
    v_schedule.days, v_schedule.last_day, v_schedule.either_day, v_schedule.months, v_schedule.weekdays);

  -- Fixed times of day, if they are few: the days come first.
  if v_schedule.minutes & (v_schedule.minutes - 1) = 0
    and length(replace(v_schedule.hours::bit(24)::text, '0', '')) <= 4
    and (v_hour_step is null or v_days is not null)
  then
    select carillon._join_words(array_agg(
        case when i = 0 and v_schedule.minutes = 1 then 'midnight'
          else format('%s:%s', to_char(i, 'FM00'), to_char(carillon._lowest_bit(v_schedule.minutes), 'FM00')) end
        order by i))
      into v_time
      from generate_series(0, 23) as i
      where (v_schedule.hours >> i) & 1 = 1;
    return coalesce(v_days, 'Every day') || ' at ' || v_time || v_zone;
  end if;

  v_time := case
    when v_schedule.minutes = 1152921504606846975 then 'Every minute'
    when 60 % v_minute_step::integer = 0 then format('Every %s minutes', v_minute_step)
    when v_schedule.minutes & (v_schedule.minutes - 1) = 0 then null
    else 'At minutes ' || carillon._describe_bits(v_schedule.minutes, 0)
  end;
  if v_time is null then
    v_time := case
      when v_schedule.hours = 16777215 then 'Every hour'
      when 24 % v_hour_step::integer = 0 then format('Every %s hours', v_hour_step)
      else 'Every hour from ' || carillon._describe_bits(v_schedule.hours, 0)
    end || case when v_schedule.minutes = 1 then ''
      else ' at :' || to_char(carillon._lowest_bit(v_schedule.minutes), 'FM00') end;
  elsif v_schedule.hours <> 16777215 then
    v_time := v_time || case
      when 24 % v_hour_step::integer = 0 then format(' of every %s hours', v_hour_step)
      when v_schedule.hours & (v_schedule.hours - 1) = 0 then ' of hour ' || carillon._describe_bits(v_schedule.hours, 0)
      else ' of hours ' || carillon._describe_bits(v_schedule.hours, 0)
    end;
  elsif v_time like 'At %' then
    v_time := v_time || ' of every hour';
  end if;

  v_zone := regexp_replace(v_zone, '^ ', ', ');
  if v_days is not null then
    return v_time || ', ' || lower(left(v_days, 1)) || substr(v_days, 2) || v_zone;
  end if;
  -- "Every 5 minutes" is the same in all zones, "every 2 hours" is not.
  return v_time || case when v_schedule.hours = 16777215
      and (v_schedule.minutes & (v_schedule.minutes - 1) > 0 or v_zone in (', GMT', ', UTC'))
    then '' else v_zone end;
end
$$;

comment on function carillon._describe_cron(text, text) is
  'A 5-field schedule as a plain English phrase.';

revoke all on function carillon._describe_cron(text, text) from public;
--! EndIncluded schedules/_describe_cron.sql
--! Included schedules/describe_schedule.sql
create or replace function carillon.describe_schedule(schedule text, timezone text)
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_zone constant text := coalesce(timezone, 'GMT');
  v_words constant text[] := regexp_split_to_array(btrim(schedule, E' \t'), '[ \t]+');
  v_schedule record;
  v_unit text;
  v_when text;
begin
  v_schedule := carillon._parse_schedule(schedule);
  perform carillon._zone_name(v_zone);

  if v_schedule.local_time is not null then
    v_when := format('%s at %s%s',
      v_schedule.local_time::date,
      carillon._clock(v_schedule.local_time),
      case
        when v_schedule.instant is null then carillon._describe_zone(v_zone)
        when right(v_words[cardinality(v_words)], 6) ~ '^[+-]' then ', UTC' || right(v_words[cardinality(v_words)], 6)
        else ' UTC'
      end);
  end if;

  case v_schedule.form
    when 'cron' then
      return carillon._describe_cron(schedule, v_zone);
    when 'seconds' then
      return case when v_schedule.seconds = 1 then 'Every second' else format('Every %s seconds', v_schedule.seconds) end;
    when 'once' then
      return 'Once, on ' || v_when;
    when 'rate' then
      v_unit := rtrim(v_words[3], 's');
      return case when v_words[2]::integer = 1 then 'Every ' || v_unit else format('Every %s %ss', v_words[2]::integer, v_unit) end
        || coalesce(', counted from ' || v_when, '');
  end case;
end
$$;

comment on function carillon.describe_schedule(text, text) is
  'A schedule as a plain English phrase, such as "Every weekday (Monday to Friday) at 09:00, America/New_York time". Raises TK002, TK003.';

revoke all on function carillon.describe_schedule(text, text) from public;
--! EndIncluded schedules/describe_schedule.sql
--! Included schedules/_schedule_fields.sql
create or replace function carillon._schedule_fields(schedule text)
returns jsonb
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  c_names constant text[] := array['minute', 'hour', 'day-of-month', 'month', 'day-of-week'];
  c_lows constant integer[] := array[0, 0, 1, 1, 0];
  c_highs constant integer[] := array[59, 23, 31, 12, 7];
  c_weekdays constant text[] := array['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
  c_months constant text[] := array['January', 'February', 'March', 'April', 'May', 'June', 'July',
    'August', 'September', 'October', 'November', 'December'];
  v_schedule record;
  v_bits bigint[];
  v_at integer := 1;
  v_word text;
  v_fields jsonb := '[]';
begin
  v_schedule := carillon._parse_schedule(schedule);
  if v_schedule.form <> 'cron' then
    return '[]';
  end if;
  v_bits := array[v_schedule.minutes, v_schedule.hours, v_schedule.days, v_schedule.months, v_schedule.weekdays];
  for v_place in 1 .. 5 loop
    v_at := v_at + length(substring(substr(schedule, v_at) from '^[ \t]*'));
    v_word := substring(substr(schedule, v_at) from '^[^ \t]+');
    v_fields := v_fields || jsonb_build_object(
      'name', c_names[v_place], 'text', v_word, 'start', v_at - 1, 'end', v_at - 1 + length(v_word),
      'low', c_lows[v_place], 'high', c_highs[v_place],
      'meaning', case
        when v_word = '$' then 'the last day of the month'
        when v_bits[v_place] = (array[1152921504606846975, 16777215, 2147483647, 4095, 127])[v_place]
          then (array['every minute', 'every hour', 'any day', 'any month', 'any day'])[v_place]
        when v_place = 4 then carillon._describe_bits(v_bits[4], 1, c_months)
        when v_place = 5 then carillon._describe_bits(v_bits[5], 0, c_weekdays)
        when bit_count(v_bits[v_place]::bit(64)) = 1 then c_names[v_place] || ' ' || carillon._describe_bits(v_bits[v_place], c_lows[v_place])
        else (array['minutes ', 'hours ', 'days '])[v_place] || carillon._describe_bits(v_bits[v_place], c_lows[v_place]) end);
    v_at := v_at + length(v_word);
  end loop;
  return v_fields;
end
$$;

comment on function carillon._schedule_fields(text) is
  'The five fields of a schedule of that form: where in its text each is, what it takes, and what it means. Of the other forms none.';

revoke all on function carillon._schedule_fields(text) from public;
--! EndIncluded schedules/_schedule_fields.sql
--! Included schedules/_slots_of_days.sql
create or replace function carillon._slots_of_days(schedule text, timezone text, from_day date, anchor timestamptz, starts_at timestamptz, ends_at timestamptz)
returns integer[]
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_schedule record;
  v_zone constant text := carillon._zone_name(timezone);
  v_each integer;
  v_start timestamptz;
begin
  v_schedule := carillon._parse_schedule(schedule);
  v_each := bit_count(coalesce(v_schedule.minutes, 0)::bit(64)) * bit_count(coalesce(v_schedule.hours, 0)::bit(64));
  v_start := coalesce(v_schedule.instant, carillon._resolve_local(v_schedule.local_time, v_zone), anchor, timestamptz '1970-01-01 00:00:00+00');
  return array(
    select case
      when e.low >= e.high then 0
      when v_schedule.form = 'once' then (v_start >= e.low and v_start < e.high)::integer
      when v_schedule.form in ('seconds', 'rate') then (
        ceil(greatest(extract(epoch from e.high - c.origin), 0) / v_schedule.seconds)
          - ceil(greatest(extract(epoch from e.low - c.origin), 0) / v_schedule.seconds))::integer
      when (v_schedule.months >> d.month - 1) & 1 = 1 and case
          when v_schedule.either_day then d.is_day or d.is_weekday
          else d.is_day and d.is_weekday end
        then v_each
      else 0 end
    from generate_series(0, 364) as n
    cross join lateral (
      select f.day, date_part('month', f.day)::integer as month,
        (v_schedule.days >> date_part('day', f.day)::integer - 1) & 1 = 1
          or v_schedule.last_day and date_part('day', f.day + 1) = 1 as is_day,
        (v_schedule.weekdays >> date_part('dow', f.day)::integer) & 1 = 1 as is_weekday
      from (select from_day + n as day) f) d
    cross join lateral (
      select greatest(d.day::timestamp at time zone v_zone, starts_at) as low,
        least((d.day + 1)::timestamp at time zone v_zone, ends_at + interval '1 microsecond') as high) e
    cross join lateral (
      select case v_schedule.form when 'rate' then v_start else timestamptz '1970-01-01 00:00:00+00' end as origin) c
    order by n);
end
$$;

comment on function carillon._slots_of_days(text, text, date, timestamptz, timestamptz, timestamptz) is
  'How many slots a schedule has on each of 365 local days. A 5-field one by the wall clock: on days the clocks change it may have some more or less, and the days of starts_at and ends_at count whole.';

revoke all on function carillon._slots_of_days(text, text, date, timestamptz, timestamptz, timestamptz) from public;
--! EndIncluded schedules/_slots_of_days.sql
--! Included schedules/_schedule_notes.sql
create or replace function carillon._schedule_notes(schedule text, timezone text, from_time timestamptz, per_year integer[], dst_gap text, dst_fold text)
returns jsonb
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_zone constant text := carillon._zone_name(timezone);
  v_schedule record;
  v_words constant text[] := regexp_split_to_array(btrim(schedule, E' \t'), '[ \t]+');
  v_notes jsonb := '[]';
  v_step integer;
  v_change timestamptz := from_time;
  v_note text;
  v_days integer;
begin
  v_schedule := carillon._parse_schedule(schedule);
  v_days := cardinality(array_remove(per_year, 0));
  if v_schedule.form = 'seconds' and 60 % v_schedule.seconds <> 0 then
    v_notes := v_notes || jsonb_build_object('code', 'drifting_seconds', 'severity', 'info',
      'text', format('60 is not a multiple of %s: every minute has other seconds.', v_schedule.seconds));
  elsif v_schedule.form = 'rate' and v_schedule.seconds % 86400 = 0 and carillon._next_offset(v_zone, from_time) is not null then
    v_notes := v_notes || jsonb_build_object('code', 'elapsed_days', 'severity', 'info',
      'text', 'Counts hours, not clock times: after the clocks change it comes at another hour. To stay at one, use five fields.');
  elsif v_schedule.form = 'once' and v_days = 0 and coalesce(v_schedule.instant, carillon._resolve_local(v_schedule.local_time, v_zone)) <= from_time then
    v_notes := v_notes || jsonb_build_object('code', 'in_the_past', 'severity', 'warning', 'text', 'That time is over: it never fires.');
  elsif v_schedule.form = 'cron' then
    for v_place in 1 .. 2 loop
      v_step := substring(v_words[v_place] from '^\*/(\d+)$')::integer;
      if (array[60, 24])[v_place] % v_step <> 0 then
        v_notes := v_notes || jsonb_build_object('code', 'uneven_step', 'severity', 'info', 'text', format(
          '%s is not a multiple of %s: after %s %s comes %s 0, %s %s later.', (array[60, 24])[v_place], v_step, (array['minute', 'hour'])[v_place],
          ((array[60, 24])[v_place] - 1) / v_step * v_step, (array['minute', 'hour'])[v_place],
          (array[60, 24])[v_place] - ((array[60, 24])[v_place] - 1) / v_step * v_step, (array['minutes', 'hours'])[v_place]));
      end if;
    end loop;
    if v_schedule.either_day and v_schedule.days <> 2147483647 and v_schedule.weekdays <> 127 then
      v_notes := v_notes || jsonb_build_object('code', 'either_day', 'severity', 'warning', 'text', format(
        'Day and weekday are both set, so either one is enough: %s days in a year.', v_days));
    elsif not v_schedule.either_day and (v_schedule.last_day or v_schedule.days <> 2147483647) and v_schedule.weekdays <> 127 then
      v_notes := v_notes || jsonb_build_object('code', 'both_days', 'severity', 'info', 'text', format(
        'A field of the two days begins with *, so both have to be right: %s days in a year.', v_days));
    elsif not v_schedule.last_day and v_schedule.days & ((1::bigint << 28) - 1) = 0 and v_schedule.weekdays = 127 then
      if v_schedule.months = 2 then
        v_notes := v_notes || jsonb_build_object('code', 'leap_day', 'severity', 'warning',
          'text', format('Only in leap years: next on %s.', (carillon.next_fire(schedule, v_zone, from_time) at time zone v_zone)::date));
      else
        v_notes := v_notes || jsonb_build_object('code', 'some_months', 'severity', 'warning',
          'text', format('Not in every month: on %s days in a year. $ is the last day of every month.', v_days),
          'fix', array_to_string(v_words[1:2] || '$'::text || v_words[4:5], ' '));
      end if;
    end if;
    -- What the next two changes of the clocks do to it.
    for n in 1 .. 2 loop
      v_change := carillon._next_offset(v_zone, v_change);
      exit when v_change is null;
      select p.note into v_note
      from carillon.preview_schedule(schedule, v_zone, v_change - interval '3 hours', 3, dst_gap => _schedule_notes.dst_gap, dst_fold => _schedule_notes.dst_fold) p
      where p.note is not null and p.slot < v_change + interval '26 hours'
      limit 1;
      if v_note is not null then
        v_notes := v_notes || jsonb_build_object('code', 'clock_change', 'severity', 'info', 'text', v_note || '.');
      end if;
      v_change := v_change + interval '1 day';
    end loop;
  end if;
  return v_notes;
end
$$;

comment on function carillon._schedule_notes(text, text, timestamptz, integer[], text, text) is
  'What somebody should know of a schedule that is not wrong: [{code, severity, text, fix}]; fix is a schedule that may be meant instead.';

revoke all on function carillon._schedule_notes(text, text, timestamptz, integer[], text, text) from public;
--! EndIncluded schedules/_schedule_notes.sql
--! Included schedules/explain_schedule.sql
create or replace function carillon.explain_schedule(
  schedule text,
  timezone text,
  "from" timestamptz,
  starts_at timestamptz default null,
  ends_at timestamptz default null,
  dst_gap text default 'shift',
  dst_fold text default 'first'
)
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_zone constant text := carillon._zone_name(timezone);
  v_day constant date := ("from" at time zone v_zone)::date;
  v_per_year integer[];
  v_form text;
begin
  select p.form into v_form from carillon._parse_schedule(schedule) p;
  v_per_year := carillon._slots_of_days(schedule, v_zone, v_day, "from", starts_at, ends_at);
  return jsonb_build_object(
    'form', v_form, 'fields', carillon._schedule_fields(schedule),
    'notes', carillon._schedule_notes(schedule, v_zone, "from", v_per_year, dst_gap, dst_fold),
    'perYear', jsonb_build_object('from', v_day, 'counts', to_jsonb(v_per_year)),
    'drivenBy', carillon._driven_by(schedule, v_zone, carillon.now()));
end
$$;

comment on function carillon.explain_schedule(text, text, timestamptz, timestamptz, timestamptz, text, text) is
  'What an editor shows of a schedule besides its slots: its form, its fields, what should be known of it, how many slots each of the next 365 local days has, and what would drive it. Raises TK002, TK003.';

revoke all on function carillon.explain_schedule(text, text, timestamptz, timestamptz, timestamptz, text, text) from public;
--! EndIncluded schedules/explain_schedule.sql
--! Included schedules/_format_bits.sql
create or replace function carillon._format_bits(bits bigint, low integer, high integer, may_step boolean)
returns text
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  v_full constant bigint := (1::bigint << (high - low + 1)) - 1;
  v_step integer;
  v_run bigint;
  v_width integer;
  v_position integer := 0;
  v_length integer;
  v_rest bigint := bits;
  v_text text := '';
begin
  if bits = v_full then
    return '*';
  end if;

  -- */n: from the lowest number on, every n-th. Where a leading * has a meaning of its own
  -- (the day fields) it is not for us to write.
  v_step := case when may_step and bits & 1 = 1 and bits > 1 then carillon._lowest_bit(bits & (bits - 1)) end;
  if (high - low + 1) % v_step = 0 then
    v_run := 1;
    v_width := v_step;
    while v_width < 64 loop
      v_run := v_run | (v_run << v_width);
      v_width := v_width * 2;
    end loop;
    if v_run & v_full = bits then
      return '*/' || v_step;
    end if;
  end if;

  while v_rest > 0 loop
    v_length := carillon._lowest_bit(v_rest);
    v_position := v_position + v_length;
    v_rest := v_rest >> v_length;
    v_length := carillon._lowest_bit(v_rest + 1); -- how many in a row
    v_text := v_text
      || case when v_text = '' then '' else ',' end
      || low + v_position
      || case v_length
           when 1 then ''
           when 2 then ',' || low + v_position + 1
           else '-' || low + v_position + v_length - 1
         end;
    v_position := v_position + v_length;
    v_rest := v_rest >> v_length;
  end loop;
  return v_text;
end
$$;

comment on function carillon._format_bits(bigint, integer, integer, boolean) is
  'A bit set as a cron field: *, */n (where allowed) or a list of numbers and ranges.';

revoke all on function carillon._format_bits(bigint, integer, integer, boolean) from public;
--! EndIncluded schedules/_format_bits.sql
--! Included schedules/_wake_minutes.sql
create or replace function carillon._wake_minutes(seconds bigint, jitter integer)
returns bigint[]
language sql
immutable
security invoker
return case
  when (seconds + jitter) % 60 = 0 or jitter > 0
    then array[ceil((seconds + jitter) / 60.0)::bigint]
  else array[floor(seconds / 60.0)::bigint, ceil(seconds / 60.0)::bigint]
end;

comment on function carillon._wake_minutes(bigint, integer) is
  'The whole minutes at which pg_cron has to wake for something due at a second: the first one that is not before it; without jitter also the minute it lies in.';

revoke all on function carillon._wake_minutes(bigint, integer) from public;
--! EndIncluded schedules/_wake_minutes.sql
--! Included schedules/_zone_offsets.sql
-- Five years, so that a database whose sweep was off for long still wakes at the right times, and so
-- that rules which move from year to year (Ramadan in Morocco) are seen. Steps of a week, because
-- no zone has ever changed there and back within one; what holds at one end of a step is taken to
-- hold in the months of both.
create or replace function carillon._zone_offsets(timezone text, from_time timestamptz)
returns table (month integer, zone_offset bigint)
language plpgsql
stable
security invoker
set search_path = ''
as $$
begin
  if timezone in ('GMT', 'UTC') then
    return query select m, 0::bigint from generate_series(1, 12) as m;
    return;
  end if;
  return query
    with samples as (
      select
        date_part('month', i.instant at time zone timezone)::integer as month,
        date_part('epoch', i.instant at time zone timezone)::bigint - date_part('epoch', i.instant)::bigint as zone_offset,
        i.instant
      from (
        select to_timestamp(date_part('epoch', from_time) + 86400 * (7 * s - 2)) as instant
        from generate_series(0, 262) as s
      ) as i
    ), steps as (
      select
        s.month, s.zone_offset,
        lag(s.month, 1, s.month) over w as last_month,
        lag(s.zone_offset, 1, s.zone_offset) over w as last_offset
      from samples as s
      window w as (order by s.instant)
    )
    select distinct p.month, p.zone_offset
    from steps as s
    cross join lateral (values
      (s.month, s.zone_offset), (s.month, s.last_offset),
      (s.last_month, s.zone_offset), (s.last_month, s.last_offset)
    ) as p (month, zone_offset);
end
$$;

comment on function carillon._zone_offsets(text, timestamptz) is
  'The offsets from UTC, in seconds, that a zone has in each month of the year during the five years from from_time.';

revoke all on function carillon._zone_offsets(text, timestamptz) from public;
--! EndIncluded schedules/_zone_offsets.sql
--! Included schedules/_shift_times.sql
create or replace function carillon._shift_times(minutes bigint, hours bigint, shift integer)
returns table (minutes bigint, hours bigint, day_shift integer)
language sql
immutable
security invoker
begin atomic
  select m.bits, h.bits, h.day_shift
  from (
    -- in minutes: less than an hour forward, and the rest in whole hours
    select
      shift - 60 * floor(shift / 60.0)::integer as minute,
      floor(shift / 60.0)::integer as hour
  ) as s
  cross join lateral (values
    ((_shift_times.minutes << s.minute) & 1152921504606846975, s.hour),
    (_shift_times.minutes >> (60 - s.minute), s.hour + 1)
  ) as m (bits, carry)
  cross join lateral (
    select m.carry - 24 * floor(m.carry / 24.0)::integer as hour, floor(m.carry / 24.0)::integer as day
  ) as c
  cross join lateral (values
    ((_shift_times.hours << c.hour) & 16777215, c.day),
    (_shift_times.hours >> (24 - c.hour), c.day + 1)
  ) as h (bits, day_shift)
  where m.bits > 0 and h.bits > 0;
end;

comment on function carillon._shift_times(bigint, bigint, integer) is
  'Minute and hour sets moved by a number of minutes, split by the number of days they move into.';

revoke all on function carillon._shift_times(bigint, bigint, integer) from public;
--! EndIncluded schedules/_shift_times.sql
--! Included schedules/_shift_days.sql
create or replace function carillon._shift_days(
  monthdays bigint,
  last_day boolean,
  either_day boolean,
  selected_months bigint,
  day_shift integer,
  out days bigint,
  out months bigint
)
language plpgsql
immutable
security invoker
set search_path = ''
as $$
declare
  c_february constant bigint := 402653184; -- 28 and 29
  v_ends bigint[]; -- the days that may be the last of each month
  v_sets bigint[] := '{}';
  v_moved bigint[];
  v_every bigint := 0;
begin
  for v_month in 1 .. 12 loop
    v_ends[v_month] := case when v_month = 2 then c_february
      else 1::bigint << (carillon._month_length(2000, v_month) - 1) end;
    v_sets[v_month] := case
      when (selected_months >> (v_month - 1)) & 1 = 0 then 0
      when last_day then v_ends[v_month]
      else monthdays & ((1::bigint << carillon._month_length(2000, v_month)) - 1)
    end;
  end loop;

  -- The day after the last is the first, which says more than 28 or 29 February and one.
  if last_day and day_shift > 0 then
    for v_month in 1 .. 12 loop
      v_sets[v_month] := (selected_months >> ((v_month + 10) % 12)) & 1;
    end loop;
  end if;

  for v_step in case when last_day and day_shift > 0 then 2 else 1 end .. abs(day_shift) loop
    v_moved := v_sets;
    for v_month in 1 .. 12 loop
      if day_shift > 0 then
        v_moved[v_month] := (v_sets[v_month] << 1) & ((1::bigint << carillon._month_length(2000, v_month)) - 1)
          | case when v_sets[(v_month + 10) % 12 + 1] & v_ends[(v_month + 10) % 12 + 1] > 0 then 1 else 0 end;
      else
        v_moved[v_month] := v_sets[v_month] >> 1
          | case when v_sets[v_month % 12 + 1] & 1 = 1 then v_ends[v_month] else 0 end;
      end if;
    end loop;
    v_sets := v_moved;
  end loop;

  days := 0;
  months := 0;
  for v_month in 1 .. 12 loop
    days := days | v_sets[v_month];
    if v_sets[v_month] > 0 then
      months := months | (1::bigint << (v_month - 1));
    end if;
  end loop;

  -- By day of the week any day of the selected months may come, so their neighbours do as well.
  if either_day then
    months := months | selected_months;
    if day_shift > 0 then
      months := (months | (selected_months << 1) | (selected_months >> 11)) & 4095;
    elsif day_shift < 0 then
      months := (months | (selected_months >> 1) | (selected_months << 11)) & 4095;
    end if;
  end if;
end
$$;

comment on function carillon._shift_days(bigint, boolean, boolean, bigint, integer) is
  'The days of the month and the months reached from the selected ones by moving some days on or back; wider where months differ in length.';

revoke all on function carillon._shift_days(bigint, boolean, boolean, bigint, integer) from public;
--! EndIncluded schedules/_shift_days.sql
--! Included schedules/_compile_cron.sql
-- A pg_cron expression is a product of sets, so the answer is the product of everything that
-- occurs: for each offset the zone has in the selected months, the local minutes, hours and days
-- moved by it. It may be too wide, never too narrow.
create or replace function carillon._compile_cron(
  schedule text,
  timezone text,
  from_time timestamptz,
  jitter integer,
  has_last_day boolean
)
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  v_fields constant text[] := regexp_split_to_array(btrim(schedule, E' \t'), '[ \t]+');
  v_schedule record;
  v_zone record;
  v_shift record;
  v_days record;
  v_minutes bigint := 0;
  v_hours bigint := 0;
  v_monthdays bigint := 0;
  v_months bigint := 0;
  v_weekdays bigint := 0;
  v_longest bigint;
  v_moved boolean := false;
  v_day_field text;
  v_weekday_field text;
begin
  v_schedule := carillon._parse_schedule(schedule);

  for v_zone in
    select o.zone_offset, bit_or(1::bigint << o.month - 1) & v_schedule.months as months
    from carillon._zone_offsets(timezone, from_time) as o
    group by o.zone_offset
    having bit_or(1::bigint << o.month - 1) & v_schedule.months > 0
  loop
    for v_shift in
      select s.minutes, s.hours, s.day_shift
      from unnest(carillon._wake_minutes(-v_zone.zone_offset, jitter)) as w (minute)
      cross join lateral carillon._shift_times(v_schedule.minutes, v_schedule.hours, w.minute::integer) as s
    loop
      v_minutes := v_minutes | v_shift.minutes;
      v_hours := v_hours | v_shift.hours;
      v_moved := v_moved or v_shift.day_shift <> 0;
      v_days := carillon._shift_days(
        v_schedule.days, v_schedule.last_day, v_schedule.either_day, v_zone.months, v_shift.day_shift);
      v_monthdays := v_monthdays | v_days.days;
      v_months := v_months | v_days.months;
      -- Two weeks in a row, turned back by the shift.
      v_weekdays := v_weekdays
        | (((v_schedule.weekdays | (v_schedule.weekdays << 7)) >> ((7 - v_shift.day_shift % 7) % 7)) & 127);
    end loop;
  end loop;

  v_longest := (1::bigint << case when v_months & 2773 > 0 then 31 when v_months & 1320 > 0 then 30 else 29 end) - 1;
  v_day_field := case
    when v_monthdays = 0 or v_monthdays & v_longest = v_longest then '*'
    else carillon._format_bits(v_monthdays, 1, 31, false)
  end;
  v_weekday_field := carillon._format_bits(v_weekdays, 0, 6, false);
  if v_schedule.last_day and has_last_day and not v_moved then
    v_day_field := '$';
  end if;
  if v_schedule.either_day then
    -- Alternatives: one that always holds makes the other moot (one that never does leaves the other).
    if v_day_field = '*' and v_monthdays > 0 or v_weekday_field = '*' then
      v_day_field := '*';
      v_weekday_field := '*';
    end if;
  elsif v_day_field <> '*' and v_weekday_field <> '*' then
    -- Both must hold, which pg_cron reads only from a leading *.
    if not v_moved then
      v_day_field := case when left(v_fields[3], 1) = '*' then v_fields[3] else v_day_field end;
      v_weekday_field := case when left(v_fields[5], 1) = '*' then v_fields[5] else v_weekday_field end;
    elsif length(replace(v_monthdays::bit(31)::text, '0', '')) * 7
        <= length(replace(v_weekdays::bit(7)::text, '0', '')) * 31 then
      v_weekday_field := '*';
    else
      v_day_field := '*';
    end if;
  end if;

  return format('%s %s %s %s %s',
    carillon._format_bits(v_minutes, 0, 59, true),
    carillon._format_bits(v_hours, 0, 23, true),
    v_day_field,
    carillon._format_bits(v_months, 1, 12, true),
    v_weekday_field);
end
$$;

comment on function carillon._compile_cron(text, text, timestamptz, integer, boolean) is
  'The narrowest pg_cron expression in GMT that covers a 5-field schedule of a zone.';

revoke all on function carillon._compile_cron(text, text, timestamptz, integer, boolean) from public;
--! EndIncluded schedules/_compile_cron.sql
--! Included schedules/_compile_once.sql
create or replace function carillon._compile_once(instant timestamptz, jitter integer)
returns text
language sql
stable
security invoker
set search_path = ''
as $$
  select format('%s %s %s %s *',
    carillon._format_bits(bit_or(1::bigint << date_part('minute', w.wake)::integer), 0, 59, true),
    carillon._format_bits(bit_or(1::bigint << date_part('hour', w.wake)::integer), 0, 23, true),
    carillon._format_bits(bit_or(1::bigint << date_part('day', w.wake)::integer - 1), 1, 31, false),
    carillon._format_bits(bit_or(1::bigint << date_part('month', w.wake)::integer - 1), 1, 12, true))
  from (
    select timestamp 'epoch' + make_interval(secs => m.minute * 60::double precision) as wake
    from unnest(carillon._wake_minutes(ceil(date_part('epoch', _compile_once.instant))::bigint, _compile_once.jitter)) as m (minute)
  ) as w
$$;

comment on function carillon._compile_once(timestamptz, integer) is
  'The pg_cron expression that wakes for a single instant (and on the same date every year).';

revoke all on function carillon._compile_once(timestamptz, integer) from public;
--! EndIncluded schedules/_compile_once.sql
--! Included schedules/_compile_rate.sql
create or replace function carillon._compile_rate(start timestamptz, seconds bigint, jitter integer)
returns text
language plpgsql
stable
security invoker
set search_path = ''
as $$
declare
  -- The times of day a rate ever reaches are those its start reaches in steps of this many minutes.
  v_grid constant integer := gcd(seconds / 60, 1440);
  v_base bigint;
  v_times record;
  v_minutes bigint := 0;
  v_hours bigint := 0;
  v_weekdays bigint := 0;
begin
  foreach v_base in array carillon._wake_minutes(ceil(date_part('epoch', start))::bigint, jitter) loop
    -- Forty thousand weeks more keep the remainders positive.
    v_base := v_base + 40000 * 10080::bigint;
    select bit_or(1::bigint << t % 60) as minutes, bit_or(1::bigint << t / 60) as hours
      into v_times
      from generate_series((v_base % v_grid)::integer, 1439, v_grid) as t;
    v_minutes := v_minutes | v_times.minutes;
    v_hours := v_hours | v_times.hours;
    v_weekdays := v_weekdays
      | case when seconds % 604800 = 0 then 1::bigint << ((v_base / 1440 + 4) % 7)::integer else 127 end;
  end loop;
  return format('%s %s * * %s',
    carillon._format_bits(v_minutes, 0, 59, true),
    carillon._format_bits(v_hours, 0, 23, true),
    carillon._format_bits(v_weekdays, 0, 6, false));
end
$$;

comment on function carillon._compile_rate(timestamptz, bigint, integer) is
  'The narrowest pg_cron expression that wakes at start + k × seconds for every k.';

revoke all on function carillon._compile_rate(timestamptz, bigint, integer) from public;
--! EndIncluded schedules/_compile_rate.sql
--! Included schedules/compile_schedule.sql
create or replace function carillon.compile_schedule(
  schedule text,
  timezone text,
  pg_cron_version text,
  from_time timestamptz,
  anchor timestamptz default null,
  jitter integer default 0
)
returns text
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_zone constant text := carillon._zone_name(timezone);
  v_version constant text[] := regexp_match(pg_cron_version, '^(\d{1,4})\.(\d{1,4})');
  v_release constant integer := v_version[1]::integer * 10000 + v_version[2]::integer;
  v_schedule record;
  v_start timestamptz;
begin
  v_schedule := carillon._parse_schedule(schedule);
  if pg_cron_version is null then
    return null;
  elsif v_release is null then
    raise exception using
      errcode = 'TK001',
      message = format('pg_cron version %s is not a version', carillon._quote_input(pg_cron_version)),
      detail = 'It is the extversion of pg_extension, such as 1.6.',
      hint = 'Pass null when pg_cron is not installed.',
      column = 'pg_cron_version';
  elsif jitter is null or jitter not between 0 and 86400 then
    raise exception using
      errcode = 'TK001',
      message = format('jitter %s is out of range', coalesce(jitter::text, 'null')),
      detail = 'jitter is a number of seconds from 0 to 86400.',
      hint = 'Use a smaller jitter.',
      column = 'jitter';
  end if;

  case v_schedule.form
    when 'seconds' then
      -- pg_cron counts an interval from whenever it learned of the job, we count from the epoch:
      -- only a wake every second decides each slot within a second.
      return case when v_release >= 10005 then '1 seconds' end;
    when 'cron' then
      return carillon._compile_cron(schedule, v_zone, from_time, jitter, v_release >= 10006);
    when 'once' then
      return carillon._compile_once(
        coalesce(v_schedule.instant, carillon._resolve_local(v_schedule.local_time, v_zone)), jitter);
    when 'rate' then
      v_start := coalesce(v_schedule.instant, carillon._resolve_local(v_schedule.local_time, v_zone), anchor);
      -- Without a start nothing is known about the phase.
      return case
        when v_start is null then '* * * * *'
        else carillon._compile_rate(v_start, v_schedule.seconds, jitter)
      end;
  end case;
end
$$;

comment on function carillon.compile_schedule(text, text, text, timestamptz, timestamptz, integer) is
  'The narrowest pg_cron expression, in GMT, that wakes at every slot from from_time on (jitter seconds later; at the first whole minute then), or null where this pg_cron cannot. Looks five years ahead. Raises TK001, TK002, TK003.';

revoke all on function carillon.compile_schedule(text, text, text, timestamptz, timestamptz, integer) from public;
--! EndIncluded schedules/compile_schedule.sql
--! EndIncluded schedules.sql
--! Included principals/_has_permission.sql
create or replace function carillon._has_permission(held text[], wanted text) returns boolean
language plpgsql immutable parallel safe security invoker
set search_path = ''
as $$
begin
  -- plpgsql, as all that is asked at every request and every slot: it keeps its plans.
  return exists (
    select
    from unnest(held) as h (permission)
    where h.permission in ('*', wanted)
      or (right(h.permission, 2) = ':*' and starts_with(wanted, left(h.permission, -1))));
end;
$$;
comment on function carillon._has_permission(text[], text) is
  'Whether a set of permission strings grants one: exactly, by "*", or by "prefix:*".';
revoke all on function carillon._has_permission(text[], text) from public;
--! EndIncluded principals/_has_permission.sql
--! Included principals/_narrow.sql
create or replace function carillon._narrow(held text[], scopes text[]) returns text[]
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if scopes is null then
    return held;
  end if;
  return array(
    select s from unnest(scopes) as s where carillon._has_permission(held, s)
    union
    select h from unnest(held) as h where carillon._has_permission(scopes, h)
    order by 1);
end;
$$;
comment on function carillon._narrow(text[], text[]) is
  'What is left of a set of permissions within scopes; null scopes leave all of it.';
revoke all on function carillon._narrow(text[], text[]) from public;
--! EndIncluded principals/_narrow.sql
--! Included principals/_role_permissions.sql
create or replace function carillon._role_permissions(roles text[]) returns text[]
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return (
    with recursive held (role) as (
      select r.name from carillon.roles r where r.name = any (_role_permissions.roles)
      union
      select i.inherits from held h join carillon.role_inherits i on i.role = h.role
    )
    select coalesce(array_agg(distinct p.permission), '{}')
    from held h
    join carillon.roles r on r.name = h.role
    cross join unnest(r.permissions) as p (permission));
end;
$$;
comment on function carillon._role_permissions(text[]) is 'What these roles grant, with all they inherit.';
revoke all on function carillon._role_permissions(text[]) from public;
--! EndIncluded principals/_role_permissions.sql
--! Included principals/_granted_to.sql
create or replace function carillon._granted_to(principal uuid) returns text[]
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return carillon._role_permissions(array(select m.role from carillon.role_members m where m.principal_id = principal));
end;
$$;
comment on function carillon._granted_to(uuid) is
  'What a principal''s roles grant it, whether it is enabled or not.';
revoke all on function carillon._granted_to(uuid) from public;
--! EndIncluded principals/_granted_to.sql
--! Included principals/_permissions_of.sql
create or replace function carillon._permissions_of(principal uuid) returns text[]
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if exists (select from carillon.principals p where p.id = principal and p.disabled_at is null) then
    return carillon._granted_to(principal);
  end if;
  return '{}';
end;
$$;
comment on function carillon._permissions_of(uuid) is
  'What an enabled principal may do, by all of its roles; nothing when disabled or unknown.';
revoke all on function carillon._permissions_of(uuid) from public;
--! EndIncluded principals/_permissions_of.sql
--! Included principals/_may.sql
create or replace function carillon._may(actor uuid, actor_scopes text[], permission text) returns boolean
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return actor is null or carillon._has_permission(carillon._narrow(carillon._permissions_of(actor), actor_scopes), permission);
end;
$$;
comment on function carillon._may(uuid, text[], text) is
  'Whether an actor holds a permission, within the scopes of the credential it came with. A null actor is the database''s owner.';
revoke all on function carillon._may(uuid, text[], text) from public;
--! EndIncluded principals/_may.sql
--! Included principals/_require_held.sql
create or replace function carillon._require_held(actor uuid, actor_scopes text[], permissions text[]) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_held constant text[] := carillon._narrow(carillon._permissions_of(actor), actor_scopes);
  v_missing text;
begin
  if actor is null then
    return;
  end if;
  v_missing := (
    select p from unnest(permissions) as p
    where not carillon._has_permission(v_held, p)
    order by p
    limit 1);
  if v_missing is not null then
    raise exception using errcode = 'TK403', message = format('missing %s', v_missing),
      detail = 'nobody can give, take or act with more than they hold';
  end if;
end;
$$;
comment on function carillon._require_held(uuid, text[], text[]) is
  'Refuses (TK403) an actor who does not hold all of these permissions. A null actor is the database''s owner.';
revoke all on function carillon._require_held(uuid, text[], text[]) from public;
--! EndIncluded principals/_require_held.sql
--! Included principals/_check_permissions.sql
create or replace function carillon._check_permissions(permissions text[], field text) returns void
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  v_permission text;
begin
  foreach v_permission in array coalesce(permissions, '{}') loop
    if v_permission is null or length(v_permission) > 200
      or v_permission !~ '^(\*|[A-Za-z0-9_.-]+(:[A-Za-z0-9_.-]+)*(:\*)?)$' then
      perform carillon._invalid(field,
        format('holds "%s", which is no permission', v_permission), 'for example app:crm:cron.read, app:crm:*, or *');
    end if;
  end loop;
end;
$$;
comment on function carillon._check_permissions(text[], text) is
  'Refuses (TK001) what is not of the form of a permission.';
revoke all on function carillon._check_permissions(text[], text) from public;
--! EndIncluded principals/_check_permissions.sql
--! Included principals/_has_admin.sql
create or replace function carillon._has_admin() returns boolean
language sql stable security invoker
set search_path = ''
as $$
  with recursive allmighty (role) as (
    select r.name from carillon.roles r where '*' = any (r.permissions)
    union
    select i.role from allmighty a join carillon.role_inherits i on i.inherits = a.role
  )
  select exists (
    select from allmighty a
    join carillon.role_members m on m.role = a.role
    join carillon.principals p on p.id = m.principal_id
    where p.disabled_at is null)
$$;
comment on function carillon._has_admin() is 'Whether an enabled principal holds every permission.';
revoke all on function carillon._has_admin() from public;
--! EndIncluded principals/_has_admin.sql
--! Included principals/_lock_access.sql
create or replace function carillon._lock_access() returns boolean
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('carillon.access', 0));
  return carillon._has_admin();
end;
$$;
comment on function carillon._lock_access() is
  'Lets one change of roles and their members at a time pass, so that two together make no cycle and remove no last admin; returns whether there is an admin.';
revoke all on function carillon._lock_access() from public;
--! EndIncluded principals/_lock_access.sql
--! Included principals/_require_admin_left.sql
create or replace function carillon._require_admin_left(actor uuid, had_admin boolean) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if actor is not null and had_admin and not carillon._has_admin() then
    raise exception using errcode = 'TK205', message = 'this would leave nobody who holds every permission',
      hint = 'make somebody else an administrator first: grant them the role admin';
  end if;
end;
$$;
comment on function carillon._require_admin_left(uuid, boolean) is
  'Refuses (TK205) a change that has removed the last administrator. A null actor, the database''s owner, can make a new one.';
revoke all on function carillon._require_admin_left(uuid, boolean) from public;
--! EndIncluded principals/_require_admin_left.sql
--! Included principals/_system_principal.sql
create or replace function carillon._system_principal() returns uuid
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return (
    select id from carillon.principals where username = 'system'
  );
end;
$$;
comment on function carillon._system_principal() is 'The owner of what is made in SQL without naming an owner.';
revoke all on function carillon._system_principal() from public;
--! EndIncluded principals/_system_principal.sql
--! Included principals/_require_principal.sql
create or replace function carillon._require_principal(principal uuid) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if principal is null or not exists (select from carillon.principals p where p.id = principal) then
    raise exception using errcode = 'TK104', message = format('no principal %s', coalesce(principal::text, 'given'));
  end if;
end;
$$;
comment on function carillon._require_principal(uuid) is 'Refuses (TK104) a principal that does not exist.';
revoke all on function carillon._require_principal(uuid) from public;
--! EndIncluded principals/_require_principal.sql
--! Included principals/_require_changeable_principal.sql
create or replace function carillon._require_changeable_principal(principal uuid) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  perform carillon._require_principal(principal);
  if principal = carillon._system_principal() then
    raise exception using errcode = 'TK403', message = 'the system''s own principal cannot be changed';
  end if;
end;
$$;
comment on function carillon._require_changeable_principal(uuid) is
  'Refuses a principal that does not exist (TK104), or the system''s own (TK403).';
revoke all on function carillon._require_changeable_principal(uuid) from public;
--! EndIncluded principals/_require_changeable_principal.sql
--! Included principals/_require_role.sql
create or replace function carillon._require_role(name text) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if name is null or not exists (select from carillon.roles r where r.name = _require_role.name) then
    raise exception using errcode = 'TK106', message = format('no role "%s"', coalesce(name, ''));
  end if;
end;
$$;
comment on function carillon._require_role(text) is 'Refuses (TK106) a role that does not exist.';
revoke all on function carillon._require_role(text) from public;
--! EndIncluded principals/_require_role.sql
--! Included principals/_require_changeable_role.sql
create or replace function carillon._require_changeable_role(name text) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  perform carillon._require_role(name);
  if name = 'admin' or starts_with(name, 'app:') then
    raise exception using errcode = 'TK403',
      message = format('the role "%s" comes with %s and cannot be changed', name,
        case when name = 'admin' then 'Carillon' else 'its app' end),
      hint = 'make a role of your own; it may inherit this one';
  end if;
end;
$$;
comment on function carillon._require_changeable_role(text) is
  'Refuses a role that does not exist (TK106), or that is not for people to change (TK403).';
revoke all on function carillon._require_changeable_role(text) from public;
--! EndIncluded principals/_require_changeable_role.sql
--! Included principals/_inherit_roles.sql
create or replace function carillon._inherit_roles(role text, inherits text[]) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_parent text;
  v_cycle text[];
begin
  delete from carillon.role_inherits i where i.role = _inherit_roles.role and i.inherits <> all (_inherit_roles.inherits);
  foreach v_parent in array _inherit_roles.inherits loop
    if not exists (select from carillon.roles r where r.name = v_parent) then
      perform carillon._invalid('inherits', format('names a role that does not exist: "%s"', coalesce(v_parent, 'null')));
    end if;
    v_cycle := (
      with recursive way (role, path) as (
        select v_parent, array[_inherit_roles.role, v_parent]
        union all
        select i.inherits, w.path || i.inherits
        from way w join carillon.role_inherits i on i.role = w.role
        where w.role <> _inherit_roles.role
      )
      select w.path from way w where w.role = _inherit_roles.role limit 1);
    if v_cycle is not null then
      perform carillon._invalid('inherits', 'would make a role inherit from itself: ' || array_to_string(v_cycle, ' → '));
    end if;
    insert into carillon.role_inherits (role, inherits) values (_inherit_roles.role, v_parent) on conflict do nothing;
  end loop;
end;
$$;
comment on function carillon._inherit_roles(text, text[]) is
  'Makes a role inherit from exactly these; one that does not exist, or a cycle, is TK001. Under _lock_access.';
revoke all on function carillon._inherit_roles(text, text[]) from public;
--! EndIncluded principals/_inherit_roles.sql
--! Included principals/_check_username.sql
create or replace function carillon._check_username(username text) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if username is null or username !~ '^[A-Za-z0-9][A-Za-z0-9_.@+-]{0,127}$' then
    perform carillon._invalid('username',
      'must be 1 to 128 letters, digits, dots, dashes, underscores, "+" or "@", beginning with a letter or digit');
  end if;
  if exists (select from carillon.principals p where p.username = _check_username.username) then
    raise exception using errcode = 'TK201', column = 'username',
      message = format('a principal named "%s" exists already', username);
  end if;
end;
$$;
comment on function carillon._check_username(text) is
  'Refuses a user name of the wrong form (TK001) or a taken one (TK201). Under _lock_access.';
revoke all on function carillon._check_username(text) from public;
--! EndIncluded principals/_check_username.sql
--! Included principals/_may_fire.sql
create or replace function carillon._may_fire(owner uuid, app text) returns text
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_kind text;
  v_disabled_at timestamptz;
begin
  select p.kind, p.disabled_at into v_kind, v_disabled_at from carillon.principals p where p.id = owner;
  return case
    when v_kind is null then 'the owner is gone'
    when v_disabled_at is not null then 'the owner is disabled'
    when v_kind = 'system' then null
    when not carillon._has_permission(carillon._granted_to(owner), 'app:' || app || ':cron.write')
      then 'the owner no longer holds app:' || app || ':cron.write'
    -- Nobody's schedule may have an agent do what its owner may not.
    when exists (select from carillon.apps a where a.id = app and a.agent is not null)
      and not carillon._has_permission(carillon._granted_to(owner), 'app:' || app || ':invoke')
      then 'the owner no longer holds app:' || app || ':invoke'
  end;
end;
$$;
comment on function carillon._may_fire(uuid, text) is
  'Why crons of this owner in this app must not fire; null when they may.';
revoke all on function carillon._may_fire(uuid, text) from public;
--! EndIncluded principals/_may_fire.sql
--! Included principals/_may_act_as.sql
create or replace function carillon._may_act_as(actor uuid, actor_scopes text[], principal uuid, app text) returns boolean
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_held text[];
  v_lent text[];
begin
  if actor is null or principal = actor then
    return true;
  end if;
  if not exists (select from carillon.principals p where p.id = principal and p.kind = 'service') then
    return false;
  end if;
  v_held := carillon._narrow(carillon._permissions_of(actor), actor_scopes);
  v_lent := carillon._granted_to(principal);
  return carillon._has_permission(v_held, 'app:' || app || ':act_as')
    -- An account that holds nothing is not therefore everybody's.
    or (cardinality(v_lent) > 0
      and not exists (select from unnest(v_lent) as l (permission) where not carillon._has_permission(v_held, l.permission)));
end;
$$;
comment on function carillon._may_act_as(uuid, text[], uuid, text) is
  'Whether an actor may let things of an app be done in the name of a principal: of themselves, or of a service account whose every permission they hold, or with act_as.';
revoke all on function carillon._may_act_as(uuid, text[], uuid, text) from public;
--! EndIncluded principals/_may_act_as.sql
--! Included principals/_held_by.sql
create or replace function carillon._held_by(actor uuid, actor_scopes text[]) returns text[]
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return case when actor is null then '{*}' else carillon._narrow(carillon._permissions_of(actor), actor_scopes) end;
end;
$$;
comment on function carillon._held_by(uuid, text[]) is
  'All that an actor may do, within the scopes of the credential it came with. A null actor is the database''s owner.';
revoke all on function carillon._held_by(uuid, text[]) from public;
--! EndIncluded principals/_held_by.sql
--! Included principals/cron_verbs.sql
create or replace function carillon.cron_verbs(owner uuid, app text, actor uuid default null, actor_scopes text[] default null) returns text[]
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_held constant text[] := carillon._held_by(actor, actor_scopes);
  v_own constant boolean := carillon._may_act_as(actor, actor_scopes, owner, app)
    or carillon._has_permission(v_held, 'app:' || app || ':cron.manage_others');
begin
  return array(
    select v.verb
    from (values (1, 'write', 'cron.write', v_own), (2, 'trigger', 'cron.trigger', v_own), (3, 'readJobs', 'job.read', true),
      (4, 'writeJobs', 'job.write', true), (5, 'readAudit', 'audit.read', true)) as v (place, verb, permission, own)
    where v.own and carillon._has_permission(v_held, 'app:' || app || ':' || v.permission)
    order by v.place);
end;
$$;
comment on function carillon.cron_verbs(uuid, text, uuid, text[]) is
  'What an actor may do with the crons of an owner in an app, by the rules that changing one is held to: write, trigger, readJobs, writeJobs, readAudit. All of it without an actor.';
revoke all on function carillon.cron_verbs(uuid, text, uuid, text[]) from public;
--! EndIncluded principals/cron_verbs.sql
--! Included principals/_denied_owners.sql
create or replace function carillon._denied_owners(apps text[]) returns table (owner_id uuid, app_id text, reason text)
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return query
    -- From one owner and app to the next along their index: there are few, of however many crons.
    with recursive permits as (
      (select c.owner_id as owner, c.app_id as app from carillon.crons c where c.owner_id is not null order by c.owner_id, c.app_id limit 1)
      union all
      select n.owner, n.app
      from permits p
      cross join lateral (
        select c.owner_id as owner, c.app_id as app from carillon.crons c
        where (c.owner_id, c.app_id) > (p.owner, p.app)
        order by c.owner_id, c.app_id
        limit 1) n
    )
    select p.owner, p.app, m.reason
    from permits p
    cross join lateral (select carillon._may_fire(p.owner, p.app) as reason offset 0) m
    where p.app = any (apps) and m.reason is not null;
end;
$$;
comment on function carillon._denied_owners(text[]) is
  'Who owns crons in these apps and may not fire them, and why. Crons without an owner are denied, too, and not among these.';
revoke all on function carillon._denied_owners(text[]) from public;
--! EndIncluded principals/_denied_owners.sql
--! Included principals/_require_act_as.sql
create or replace function carillon._require_act_as(actor uuid, actor_scopes text[], principal uuid, app text) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if not carillon._may_act_as(actor, actor_scopes, principal, app) then
    raise exception using errcode = 'TK403', column = 'runAs', message = format('missing app:%s:act_as', app),
      detail = 'a service account is lent to who holds all that it holds, or may act as others in the app';
  end if;
end;
$$;
comment on function carillon._require_act_as(uuid, text[], uuid, text) is
  'Refuses (TK403) an actor who may not act as a principal.';
revoke all on function carillon._require_act_as(uuid, text[], uuid, text) from public;
--! EndIncluded principals/_require_act_as.sql
--! Included principals/_service_account.sql
create or replace function carillon._service_account(account jsonb, field text) returns uuid
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_name constant text := carillon._json_text(account, field, 128);
  v_id uuid;
begin
  v_id := (
    select p.id from carillon.principals p
    where p.kind = 'service' and v_name in (p.username, p.id::text)
    order by p.username <> v_name
    limit 1);
  if v_id is null then
    perform carillon._invalid(field, 'must be the name or the id of a service account');
  end if;
  return v_id;
end;
$$;
comment on function carillon._service_account(jsonb, text) is
  'A service account named by its user name or its id; TK001 when it is none.';
revoke all on function carillon._service_account(jsonb, text) from public;
--! EndIncluded principals/_service_account.sql
--! Included principals/_require_cron_owner.sql
create or replace function carillon._require_cron_owner(cron carillon.crons, actor uuid, actor_scopes text[]) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if carillon._may_act_as(actor, actor_scopes, cron.owner_id, cron.app_id)
    or carillon._may(actor, actor_scopes, 'app:' || cron.app_id || ':cron.manage_others') then
    return;
  end if;
  raise exception using errcode = 'TK402',
    message = format('not the owner of cron "%s"', cron.name),
    hint = format('its owner, or a holder of app:%s:cron.manage_others, may do this', cron.app_id);
end;
$$;
comment on function carillon._require_cron_owner(carillon.crons, uuid, text[]) is
  'Refuses (TK402) an actor who neither is, nor may act as, the owner of the cron, nor manages others'' crons. A null actor is the database''s owner.';
revoke all on function carillon._require_cron_owner(carillon.crons, uuid, text[]) from public;
--! EndIncluded principals/_require_cron_owner.sql
--! Included principals/principal_details.sql
create or replace view carillon.principal_details as
select
  p.id, p.kind, p.username, p.disabled_at is null as enabled, p.disabled_at, p.created_at,
  array(select m.role from carillon.role_members m where m.principal_id = p.id order by m.role) as roles,
  carillon._permissions_of(p.id) as permissions
from carillon.principals p;
comment on view carillon.principal_details is 'Users and service accounts as the API shows them, with all that they may do.';
--! EndIncluded principals/principal_details.sql
--! Included principals/role_details.sql
create or replace view carillon.role_details as
select
  r.name, r.app_id, r.permissions,
  array(select i.inherits from carillon.role_inherits i where i.role = r.name order by i.inherits) as inherits,
  carillon._role_permissions(array[r.name]) as granted,
  (select count(*) from carillon.role_members m where m.role = r.name) as members,
  r.created_at
from carillon.roles r;
comment on view carillon.role_details is 'Roles as the API shows them, with all that they grant.';
--! EndIncluded principals/role_details.sql
--! Included principals/key_details.sql
create or replace view carillon.key_details as
select
  k.id, k.principal_id, p.username, k.name, k.prefix, k.scopes, k.mints_keys, k.created_by, k.created_at, k.expires_at,
  k.revoked_at, k.last_used_at,
  case
    when k.revoked_at is not null then 'revoked'
    when k.expires_at <= carillon.now() then 'expired'
    when p.disabled_at is not null then 'disabled'
    else 'active'
  end as status
from carillon.api_keys k
join carillon.principals p on p.id = k.principal_id;
comment on view carillon.key_details is 'API keys as the API shows them: never their hashes.';
--! EndIncluded principals/key_details.sql
--! Included principals/create_role.sql
create or replace function carillon.create_role(
  name text,
  permissions text[],
  inherits text[] default '{}',
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform carillon._lock_access();
  if create_role.name is null or create_role.name !~ '^[A-Za-z0-9][A-Za-z0-9_.:-]{0,127}$' then
    perform carillon._invalid('name', 'must be 1 to 128 letters, digits, dots, colons, dashes or underscores');
  end if;
  if starts_with(create_role.name, 'app:') then
    perform carillon._invalid('name', 'must not begin with "app:": those roles come with their apps');
  end if;
  perform carillon._check_permissions(create_role.permissions, 'permissions');
  perform carillon._require_held(actor, actor_scopes, array['system:role.write'] || create_role.permissions
    || carillon._role_permissions(create_role.inherits));
  insert into carillon.roles (name, permissions) values (create_role.name, coalesce(create_role.permissions, '{}'))
  on conflict on constraint roles_pkey do nothing;
  if not found then
    raise exception using errcode = 'TK201', column = 'name',
      message = format('a role named "%s" exists already', create_role.name);
  end if;
  perform carillon._inherit_roles(create_role.name, coalesce(create_role.inherits, '{}'));
  perform carillon._audit(actor, 'role.create', null, create_role.name, create_role.name, null, carillon._role_state(create_role.name));
end;
$$;
comment on function carillon.create_role(text, text[], text[], uuid, text[]) is
  'Makes a role with these permissions and those of the roles it inherits. TK201 when the name is taken, TK403 when it would grant more than the actor holds.';
revoke all on function carillon.create_role(text, text[], text[], uuid, text[]) from public;
--! EndIncluded principals/create_role.sql
--! Included principals/update_role.sql
create or replace function carillon.update_role(
  name text,
  permissions text[] default null,
  inherits text[] default null,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_had_admin boolean;
  v_before jsonb;
begin
  v_had_admin := carillon._lock_access();
  perform carillon._require_changeable_role(update_role.name);
  perform carillon._check_permissions(update_role.permissions, 'permissions');
  -- What it grants now, and what it is to grant, before the actor, who may be a member, has it by this change.
  perform carillon._require_held(actor, actor_scopes, array['system:role.write'] || update_role.permissions
    || carillon._role_permissions(array[update_role.name] || update_role.inherits));
  v_before := carillon._role_state(update_role.name);
  if update_role.permissions is not null then
    update carillon.roles r set permissions = update_role.permissions where r.name = update_role.name;
  end if;
  if update_role.inherits is not null then
    perform carillon._inherit_roles(update_role.name, update_role.inherits);
  end if;
  perform carillon._audit(actor, 'role.update', null, update_role.name, update_role.name, v_before, carillon._role_state(update_role.name));
  perform carillon._require_admin_left(actor, v_had_admin);
end;
$$;
comment on function carillon.update_role(text, text[], text[], uuid, text[]) is
  'Changes what a role grants or inherits; null leaves either as it is.';
revoke all on function carillon.update_role(text, text[], text[], uuid, text[]) from public;
--! EndIncluded principals/update_role.sql
--! Included principals/delete_role.sql
create or replace function carillon.delete_role(
  name text,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_had_admin boolean;
begin
  v_had_admin := carillon._lock_access();
  perform carillon._require_changeable_role(delete_role.name);
  perform carillon._require_held(actor, actor_scopes,
    array['system:role.write'] || carillon._role_permissions(array[delete_role.name]));
  perform carillon._audit(actor, 'role.delete', null, delete_role.name, delete_role.name, carillon._role_state(delete_role.name));
  delete from carillon.roles r where r.name = delete_role.name;
  perform carillon._require_admin_left(actor, v_had_admin);
end;
$$;
comment on function carillon.delete_role(text, uuid, text[]) is
  'Deletes a role: its members and the roles that inherit it lose what it grants.';
revoke all on function carillon.delete_role(text, uuid, text[]) from public;
--! EndIncluded principals/delete_role.sql
--! Included principals/get_role.sql
create or replace function carillon.get_role(name text) returns carillon.role_details
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_details carillon.role_details;
begin
  perform carillon._require_role(get_role.name);
  select d.* into v_details from carillon.role_details d where d.name = get_role.name;
  return v_details;
end;
$$;
comment on function carillon.get_role(text) is 'One role; TK106 when unknown.';
revoke all on function carillon.get_role(text) from public;
--! EndIncluded principals/get_role.sql
--! Included principals/list_roles.sql
create or replace function carillon.list_roles(
  after text default null,
  max_rows integer default 100
) returns setof carillon.role_details
language sql stable security definer
set search_path = ''
as $$
  select d.* from carillon.role_details d
  where list_roles.after is null or d.name > list_roles.after
  order by d.name
  limit max_rows
$$;
comment on function carillon.list_roles(text, integer) is 'Roles by name: those after a name (the cursor).';
revoke all on function carillon.list_roles(text, integer) from public;
--! EndIncluded principals/list_roles.sql
--! Included principals/create_principal.sql
create or replace function carillon.create_principal(
  username text,
  kind text default 'user',
  roles text[] default '{}',
  actor uuid default null,
  actor_scopes text[] default null
) returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_id uuid;
  v_role text;
begin
  perform carillon._lock_access();
  if create_principal.kind is null or create_principal.kind not in ('user', 'service') then
    perform carillon._invalid('kind', 'must be "user" or "service"');
  end if;
  perform carillon._check_username(create_principal.username);
  foreach v_role in array coalesce(create_principal.roles, '{}') loop
    if not exists (select from carillon.roles r where r.name = v_role) then
      perform carillon._invalid('roles', format('names a role that does not exist: "%s"', coalesce(v_role, 'null')));
    end if;
  end loop;
  perform carillon._require_held(actor, actor_scopes,
    array['system:principal.write'] || carillon._role_permissions(create_principal.roles));
  insert into carillon.principals (username, kind)
  values (create_principal.username, create_principal.kind)
  returning id into v_id;
  insert into carillon.role_members (principal_id, role) select distinct v_id, r from unnest(create_principal.roles) as r;
  perform carillon._audit(actor, 'principal.create', null, v_id::text, create_principal.username, null, carillon._principal_state(v_id));
  return v_id;
end;
$$;
comment on function carillon.create_principal(text, text, text[], uuid, text[]) is
  'Makes a user or a service account that holds the given roles; returns its id.';
revoke all on function carillon.create_principal(text, text, text[], uuid, text[]) from public;
--! EndIncluded principals/create_principal.sql
--! Included principals/update_principal.sql
create or replace function carillon.update_principal(
  principal uuid,
  username text default null,
  enabled boolean default null,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_had_admin boolean;
  v_before jsonb;
begin
  v_had_admin := carillon._lock_access();
  perform carillon._require_changeable_principal(update_principal.principal);
  -- Disabling takes, and enabling gives, all that its roles grant.
  perform carillon._require_held(actor, actor_scopes,
    array['system:principal.write'] || carillon._granted_to(update_principal.principal));
  v_before := carillon._principal_state(update_principal.principal);
  if update_principal.username is not null
    and update_principal.username <> (select p.username from carillon.principals p where p.id = update_principal.principal)
  then
    perform carillon._check_username(update_principal.username);
    update carillon.principals p set username = update_principal.username where p.id = update_principal.principal;
  end if;
  if update_principal.enabled is not null then
    update carillon.principals p
    set disabled_at = case when not update_principal.enabled then coalesce(p.disabled_at, carillon.now()) end
    where p.id = update_principal.principal;
  end if;
  perform carillon._audit(actor, 'principal.update', null, update_principal.principal::text,
    coalesce(update_principal.username, v_before ->> 'username'), v_before, carillon._principal_state(update_principal.principal));
  perform carillon._require_admin_left(actor, v_had_admin);
end;
$$;
comment on function carillon.update_principal(uuid, text, boolean, uuid, text[]) is
  'Renames, disables or enables a principal; null leaves either as it is. While disabled its keys are refused and its crons are denied.';
revoke all on function carillon.update_principal(uuid, text, boolean, uuid, text[]) from public;
--! EndIncluded principals/update_principal.sql
--! Included principals/set_principal_enabled.sql
create or replace function carillon.set_principal_enabled(principal uuid, enabled boolean) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  if set_principal_enabled.enabled is null then
    perform carillon._invalid('enabled', 'must be true or false');
  end if;
  perform carillon.update_principal(set_principal_enabled.principal, enabled => set_principal_enabled.enabled);
end;
$$;
comment on function carillon.set_principal_enabled(uuid, boolean) is
  'Disables or enables a principal. While disabled its keys are refused and its crons are denied.';
revoke all on function carillon.set_principal_enabled(uuid, boolean) from public;
--! EndIncluded principals/set_principal_enabled.sql
--! Included principals/delete_principal.sql
create or replace function carillon.delete_principal(
  principal uuid,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_had_admin boolean;
  v_before jsonb;
begin
  v_had_admin := carillon._lock_access();
  perform carillon._require_changeable_principal(delete_principal.principal);
  perform carillon._require_held(actor, actor_scopes,
    array['system:principal.write'] || carillon._granted_to(delete_principal.principal));
  v_before := carillon._principal_state(delete_principal.principal);
  perform carillon._audit(actor, 'principal.delete', null, delete_principal.principal::text, v_before ->> 'username', v_before);
  delete from carillon.principals p where p.id = delete_principal.principal;
  perform carillon._require_admin_left(actor, v_had_admin);
end;
$$;
comment on function carillon.delete_principal(uuid, uuid, text[]) is
  'Deletes a principal and its keys. Its crons stay, without an owner, and are denied until somebody takes them over.';
revoke all on function carillon.delete_principal(uuid, uuid, text[]) from public;
--! EndIncluded principals/delete_principal.sql
--! Included principals/grant_role.sql
create or replace function carillon.grant_role(
  principal uuid,
  role text,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform carillon._lock_access();
  perform carillon._require_changeable_principal(grant_role.principal);
  perform carillon._require_role(grant_role.role);
  perform carillon._require_held(actor, actor_scopes,
    array['system:principal.write'] || carillon._role_permissions(array[grant_role.role]));
  insert into carillon.role_members (principal_id, role) values (grant_role.principal, grant_role.role) on conflict do nothing;
  if found then
    perform carillon._audit(actor, 'principal.grant', null, grant_role.principal::text,
      (select p.username from carillon.principals p where p.id = grant_role.principal), null, jsonb_build_object('role', grant_role.role));
  end if;
end;
$$;
comment on function carillon.grant_role(uuid, text, uuid, text[]) is
  'Gives a principal a role, all of whose permissions the actor has to hold. Granting twice changes nothing.';
revoke all on function carillon.grant_role(uuid, text, uuid, text[]) from public;
--! EndIncluded principals/grant_role.sql
--! Included principals/revoke_role.sql
create or replace function carillon.revoke_role(
  principal uuid,
  role text,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_had_admin boolean;
begin
  v_had_admin := carillon._lock_access();
  perform carillon._require_changeable_principal(revoke_role.principal);
  perform carillon._require_role(revoke_role.role);
  perform carillon._require_held(actor, actor_scopes,
    array['system:principal.write'] || carillon._role_permissions(array[revoke_role.role]));
  delete from carillon.role_members m where m.principal_id = revoke_role.principal and m.role = revoke_role.role;
  if found then
    perform carillon._audit(actor, 'principal.revoke', null, revoke_role.principal::text,
      (select p.username from carillon.principals p where p.id = revoke_role.principal), jsonb_build_object('role', revoke_role.role));
  end if;
  perform carillon._require_admin_left(actor, v_had_admin);
end;
$$;
comment on function carillon.revoke_role(uuid, text, uuid, text[]) is
  'Takes a role from a principal. Revoking twice changes nothing.';
revoke all on function carillon.revoke_role(uuid, text, uuid, text[]) from public;
--! EndIncluded principals/revoke_role.sql
--! Included principals/get_principal.sql
create or replace function carillon.get_principal(principal uuid) returns carillon.principal_details
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_details carillon.principal_details;
begin
  perform carillon._require_principal(get_principal.principal);
  select d.* into v_details from carillon.principal_details d where d.id = get_principal.principal;
  return v_details;
end;
$$;
comment on function carillon.get_principal(uuid) is 'One user or service account; TK104 when unknown.';
revoke all on function carillon.get_principal(uuid) from public;
--! EndIncluded principals/get_principal.sql
--! Included principals/list_principals.sql
create or replace function carillon.list_principals(
  after text default null,
  max_rows integer default 100,
  kind text default null
) returns setof carillon.principal_details
language sql stable security definer
set search_path = ''
as $$
  select d.* from carillon.principal_details d
  where (list_principals.after is null or d.username > list_principals.after)
    and (list_principals.kind is null or d.kind = list_principals.kind)
  order by d.username
  limit max_rows
$$;
comment on function carillon.list_principals(text, integer, text) is
  'Users and service accounts by name: those after a name (the cursor), of one kind.';
revoke all on function carillon.list_principals(text, integer, text) from public;
--! EndIncluded principals/list_principals.sql
--! Included principals/find_principal.sql
create or replace function carillon.find_principal(username text) returns uuid
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_id uuid := (select p.id from carillon.principals p where p.username = find_principal.username);
begin
  if v_id is null then
    raise exception using errcode = 'TK104', message = format('no principal named "%s"', username);
  end if;
  return v_id;
end;
$$;
comment on function carillon.find_principal(text) is 'The id of a principal by its user name; TK104 when there is none.';
revoke all on function carillon.find_principal(text) from public;
--! EndIncluded principals/find_principal.sql
--! Included principals/create_api_key.sql
create or replace function carillon.create_api_key(
  principal uuid,
  name text,
  prefix text,
  hash bytea,
  expires_at timestamptz default null,
  scopes text[] default null,
  mints_keys boolean default false,
  actor uuid default null,
  actor_scopes text[] default null,
  actor_key uuid default null
) returns uuid
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_beyond text;
  v_key carillon.api_keys;
begin
  if octet_length(create_api_key.hash) is distinct from 32 then
    perform carillon._invalid('hash', 'must be the SHA-256 of the key');
  end if;
  if create_api_key.name is null or length(create_api_key.name) not between 1 and 200 then
    perform carillon._invalid('name', 'must be 1 to 200 characters long');
  end if;
  if create_api_key.prefix is null then
    perform carillon._invalid('prefix', 'is required');
  end if;
  if cardinality(create_api_key.scopes) not between 1 and 100 then
    perform carillon._invalid('scopes', 'must be 1 to 100 permissions');
  end if;
  perform carillon._check_permissions(create_api_key.scopes, 'scopes');
  if actor is not null and create_api_key.expires_at <= carillon.now() then
    perform carillon._invalid('expiresAt', 'must lie in the future');
  end if;
  if actor_key is not null and not exists (select from carillon.api_keys k where k.id = actor_key and k.mints_keys) then
    raise exception using errcode = 'TK403', message = 'a key cannot make keys',
      hint = 'only a person who has signed in, the bootstrap key, or the command "carillon keys create" can';
  end if;
  perform carillon._require_principal(create_api_key.principal);
  if create_api_key.principal <> actor then
    perform carillon._require_held(actor, actor_scopes, array['system:key.write']);
  end if;
  v_beyond := (
    select s from unnest(create_api_key.scopes) as s
    where not carillon._has_permission(carillon._granted_to(create_api_key.principal), s)
    order by s
    limit 1);
  if v_beyond is not null then
    perform carillon._invalid('scopes', format('names %s, which the key''s principal does not hold', v_beyond));
  end if;
  perform carillon._require_held(actor, actor_scopes,
    carillon._narrow(carillon._granted_to(create_api_key.principal), create_api_key.scopes));
  insert into carillon.api_keys (principal_id, name, prefix, hash, expires_at, scopes, mints_keys, created_by)
  values (create_api_key.principal, create_api_key.name, create_api_key.prefix, create_api_key.hash, create_api_key.expires_at,
    create_api_key.scopes, create_api_key.mints_keys, actor)
  returning * into v_key;
  perform carillon._audit(actor, 'key.create', null, v_key.id::text, v_key.name, null, carillon._key_state(v_key));
  return v_key.id;
end;
$$;
comment on function carillon.create_api_key(uuid, text, text, bytea, timestamptz, text[], boolean, uuid, text[], uuid) is
  'Records a key by its hash; the secret itself never reaches the database. scopes narrow what it carries of its principal''s permissions. The actor has to hold all that it carries, and cannot come with a key of its own (actor_key) but the bootstrap key.';
revoke all on function carillon.create_api_key(uuid, text, text, bytea, timestamptz, text[], boolean, uuid, text[], uuid) from public;
--! EndIncluded principals/create_api_key.sql
--! Included principals/revoke_api_key.sql
create or replace function carillon.revoke_api_key(
  key uuid,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_key carillon.api_keys;
  v_before jsonb;
begin
  select k.* into v_key from carillon.api_keys k where k.id = revoke_api_key.key for no key update;
  -- Somebody else's key is not there for those who may not touch it.
  if v_key.id is null or (v_key.principal_id <> actor and not carillon._may(actor, actor_scopes, 'system:key.write')) then
    raise exception using errcode = 'TK105', message = format('no API key %s', revoke_api_key.key);
  end if;
  perform carillon._require_held(actor, actor_scopes, carillon._narrow(carillon._granted_to(v_key.principal_id), v_key.scopes));
  if v_key.revoked_at is null then
    v_before := carillon._key_state(v_key);
    update carillon.api_keys k set revoked_at = carillon.now() where k.id = v_key.id returning k.* into v_key;
    perform carillon._audit(actor, 'key.revoke', null, v_key.id::text, v_key.name, v_before, carillon._key_state(v_key));
  end if;
end;
$$;
comment on function carillon.revoke_api_key(uuid, uuid, text[]) is
  'Refuses a key from now on. Revoking twice changes nothing.';
revoke all on function carillon.revoke_api_key(uuid, uuid, text[]) from public;
--! EndIncluded principals/revoke_api_key.sql
--! Included principals/get_api_key.sql
create or replace function carillon.get_api_key(key uuid) returns carillon.key_details
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_details carillon.key_details;
begin
  select d.* into v_details from carillon.key_details d where d.id = get_api_key.key;
  if v_details.id is null then
    raise exception using errcode = 'TK105', message = format('no API key %s', get_api_key.key);
  end if;
  return v_details;
end;
$$;
comment on function carillon.get_api_key(uuid) is 'One API key; TK105 when unknown.';
revoke all on function carillon.get_api_key(uuid) from public;
--! EndIncluded principals/get_api_key.sql
--! Included principals/list_api_keys.sql
create or replace function carillon.list_api_keys(
  principal uuid default null,
  after uuid default null,
  max_rows integer default 100
) returns setof carillon.key_details
language sql stable security definer
set search_path = ''
as $$
  select d.* from carillon.key_details d
  where (list_api_keys.principal is null or d.principal_id = list_api_keys.principal)
    and (list_api_keys.after is null
      or (d.created_at, d.id) < (select k.created_at, k.id from carillon.api_keys k where k.id = list_api_keys.after))
  order by d.created_at desc, d.id desc
  limit max_rows
$$;
comment on function carillon.list_api_keys(uuid, uuid, integer) is
  'API keys, newest first: of one principal or of all, those after a key (the cursor).';
revoke all on function carillon.list_api_keys(uuid, uuid, integer) from public;
--! EndIncluded principals/list_api_keys.sql
--! Included principals/bootstrap_admin.sql
create or replace function carillon.bootstrap_admin(prefix text, hash bytea) returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_admin uuid;
begin
  perform pg_advisory_xact_lock(hashtextextended('carillon.bootstrap_admin', 0));
  if exists (select from carillon.settings where key = 'bootstrapped') then
    return false;
  end if;
  insert into carillon.settings (key, value) values ('bootstrapped', to_jsonb(carillon.now()));
  -- Somebody called admin is not therefore made the administrator.
  v_admin := carillon.create_principal(
    case when exists (select from carillon.principals p where p.username = 'admin')
      then 'admin-' || left(gen_random_uuid()::text, 8) else 'admin' end,
    'user', '{admin}');
  perform carillon.create_api_key(v_admin, 'bootstrap', bootstrap_admin.prefix, bootstrap_admin.hash, mints_keys => true);
  return true;
end;
$$;
comment on function carillon.bootstrap_admin(text, bytea) is
  'The first call makes an administrator (the principal admin, where the name is free) with this key, the only one that can make others, and returns true; every later call changes nothing and returns false.';
revoke all on function carillon.bootstrap_admin(text, bytea) from public;
--! EndIncluded principals/bootstrap_admin.sql
--! Included principals/authenticate_key.sql
create or replace function carillon.authenticate_key(hash bytea)
returns table (principal_id uuid, username text, kind text, permissions text[], key_id uuid, scopes text[])
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_key carillon.api_keys;
begin
  select k.* into v_key from carillon.api_keys k where k.hash = authenticate_key.hash;
  if v_key.id is null or v_key.revoked_at is not null or v_key.expires_at <= v_now then
    return;
  end if;
  -- Once a minute is precise enough for "last used", and spares a write per request.
  update carillon.api_keys k set last_used_at = v_now
  where k.id = v_key.id and (k.last_used_at is null or k.last_used_at < v_now - interval '1 minute');
  return query
    select p.id, p.username, p.kind, carillon._narrow(carillon._permissions_of(p.id), v_key.scopes), v_key.id, v_key.scopes
    from carillon.principals p
    where p.id = v_key.principal_id and p.disabled_at is null;
end;
$$;
comment on function carillon.authenticate_key(bytea) is
  'The principal behind a key''s SHA-256, with what the key carries of its permissions; no row for an unknown, revoked or expired key or a disabled principal.';
revoke all on function carillon.authenticate_key(bytea) from public;
--! EndIncluded principals/authenticate_key.sql
--! Included principals/link_identity.sql
create or replace function carillon.link_identity(
  principal uuid,
  issuer text,
  subject text,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_whose uuid;
begin
  if length(issuer) not between 1 and 500 or issuer is null then
    perform carillon._invalid('issuer', 'must be 1 to 500 characters long');
  end if;
  if length(subject) not between 1 and 255 or subject is null then
    perform carillon._invalid('subject', 'must be 1 to 255 characters long');
  end if;
  perform carillon._lock_access();
  perform carillon._require_changeable_principal(link_identity.principal);
  -- Whoever it is linked to may do all that the principal may.
  perform carillon._require_held(actor, actor_scopes,
    array['system:principal.write'] || carillon._granted_to(link_identity.principal));
  insert into carillon.identities (issuer, subject, principal_id) values (issuer, subject, principal)
  on conflict on constraint identities_pkey do nothing;
  if found then
    perform carillon._audit(actor, 'principal.link', null, principal::text,
      (select p.username from carillon.principals p where p.id = link_identity.principal), null,
      jsonb_build_object('issuer', issuer, 'subject', subject));
    return;
  end if;
  select i.principal_id into v_whose from carillon.identities i
  where i.issuer = link_identity.issuer and i.subject = link_identity.subject;
  if v_whose <> principal then
    raise exception using errcode = 'TK201', column = 'subject',
      message = 'subject is linked to another principal already', hint = 'unlink it there first';
  end if;
end;
$$;
comment on function carillon.link_identity(uuid, text, text, uuid, text[]) is
  'Lets whoever an issuer of tokens or sessions calls by this subject act as a principal, all of whose permissions the actor has to hold. Linking twice changes nothing.';
revoke all on function carillon.link_identity(uuid, text, text, uuid, text[]) from public;
--! EndIncluded principals/link_identity.sql
--! Included principals/unlink_identity.sql
create or replace function carillon.unlink_identity(
  principal uuid,
  issuer text,
  subject text,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform carillon._lock_access();
  perform carillon._require_changeable_principal(unlink_identity.principal);
  perform carillon._require_held(actor, actor_scopes,
    array['system:principal.write'] || carillon._granted_to(unlink_identity.principal));
  delete from carillon.identities i
  where i.principal_id = unlink_identity.principal and i.issuer = unlink_identity.issuer and i.subject = unlink_identity.subject;
  if found then
    perform carillon._audit(actor, 'principal.unlink', null, principal::text,
      (select p.username from carillon.principals p where p.id = unlink_identity.principal),
      jsonb_build_object('issuer', issuer, 'subject', subject));
  end if;
end;
$$;
comment on function carillon.unlink_identity(uuid, text, text, uuid, text[]) is
  'Lets an issuer''s subject act as this principal no longer, all of whose permissions the actor has to hold. Unlinking twice changes nothing.';
revoke all on function carillon.unlink_identity(uuid, text, text, uuid, text[]) from public;
--! EndIncluded principals/unlink_identity.sql
--! Included principals/list_identities.sql
create or replace function carillon.list_identities(principal uuid)
returns table (issuer text, subject text, created_at timestamptz)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform carillon._require_principal(principal);
  return query
    select i.issuer, i.subject, i.created_at from carillon.identities i
    where i.principal_id = principal order by i.issuer, i.subject;
end;
$$;
comment on function carillon.list_identities(uuid) is 'By which issuers and subjects a principal is known.';
revoke all on function carillon.list_identities(uuid) from public;
--! EndIncluded principals/list_identities.sql
--! Included principals/provision_identity.sql
create or replace function carillon.provision_identity(issuer text, subject text, username text, roles text[] default '{}') returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_name text := left(regexp_replace(coalesce(provision_identity.username, ''), '[^A-Za-z0-9_.@+-]', '-', 'g'), 100);
begin
  -- Of two first requests at once, one makes the principal and the other finds it.
  perform pg_advisory_xact_lock(hashtextextended(format('carillon.identity %s %s', issuer, subject), 0));
  if exists (
    select from carillon.identities i
    where i.issuer = provision_identity.issuer and i.subject = provision_identity.subject
  ) then
    return false;
  end if;
  -- A name that is taken is somebody else's: nobody becomes another by what an issuer calls him.
  if v_name !~ '^[A-Za-z0-9]' or exists (select from carillon.principals p where p.username = v_name) then
    v_name := left(regexp_replace(v_name, '^[^A-Za-z0-9]+', ''), 100);
    v_name := case when v_name = '' then 'user' else v_name end || '-' || left(gen_random_uuid()::text, 8);
  end if;
  perform carillon.link_identity(carillon.create_principal(v_name, 'user', roles), issuer, subject);
  return true;
end;
$$;
comment on function carillon.provision_identity(text, text, text, text[]) is
  'Makes a user with these roles for an issuer''s subject that is linked to nobody, named like this where the name is free; returns whether it did.';
revoke all on function carillon.provision_identity(text, text, text, text[]) from public;
--! EndIncluded principals/provision_identity.sql
--! Included principals/authenticate_identity.sql
create or replace function carillon.authenticate_identity(issuer text, subject text)
returns table (principal_id uuid, username text, kind text, permissions text[], key_id uuid, scopes text[])
language sql stable security definer
set search_path = ''
as $$
  select p.id, p.username, p.kind, carillon._permissions_of(p.id), null::uuid, null::text[]
  from carillon.identities i
  join carillon.principals p on p.id = i.principal_id
  where i.issuer = authenticate_identity.issuer and i.subject = authenticate_identity.subject and p.disabled_at is null
$$;
comment on function carillon.authenticate_identity(text, text) is
  'The principal an issuer''s subject is linked to; no row for an unknown subject or a disabled principal.';
revoke all on function carillon.authenticate_identity(text, text) from public;
--! EndIncluded principals/authenticate_identity.sql
--! Included apps/_check_app_id.sql
create or replace function carillon._check_app_id(app text) returns void
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if app is null or app !~ '^[a-z0-9][a-z0-9_-]{0,62}$' then
    perform carillon._invalid('appId',
      'must be 1 to 63 lower-case letters, digits, dashes or underscores, beginning with a letter or digit');
  end if;
  if app in ('carillon', 'information_schema') or starts_with(app, 'pg_') then
    raise exception using errcode = 'TK401', column = 'appId',
      message = format('the app id "%s" is reserved', app);
  end if;
end;
$$;
comment on function carillon._check_app_id(text) is 'Refuses an app id of the wrong form (TK001) or a reserved one (TK401).';
revoke all on function carillon._check_app_id(text) from public;
--! EndIncluded apps/_check_app_id.sql
--! Included apps/_require_app.sql
create or replace function carillon._require_app(app text) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  perform carillon._check_app_id(app);
  if not exists (select from carillon.apps a where a.id = app) then
    raise exception using errcode = 'TK101',
      message = format('no app "%s"', app),
      hint = 'deploy its manifest first';
  end if;
end;
$$;
comment on function carillon._require_app(text) is 'Refuses (TK101) an app that is not installed.';
revoke all on function carillon._require_app(text) from public;
--! EndIncluded apps/_require_app.sql
--! Included principals/_apps_where.sql
create or replace function carillon._apps_where(held text[], permission text, app text default null) returns text[]
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return array(
    select a.id from carillon.apps a
    where (app is null or a.id = app) and carillon._has_permission(held, 'app:' || a.id || ':' || permission)
    order by a.id);
end;
$$;
comment on function carillon._apps_where(text[], text, text) is
  'The installed apps in which a set of permissions holds this one, such as cron.read; of them only the given one, where one is given.';
revoke all on function carillon._apps_where(text[], text, text) from public;
--! EndIncluded principals/_apps_where.sql
--! Included apps/_hold_app.sql
create or replace function carillon._hold_app(app text) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  -- Uninstalling waits for this lock, and then cancels what was enqueued under it.
  perform from carillon.apps a where a.id = app for key share;
  if not found then
    perform carillon._require_app(app);
  end if;
end;
$$;
comment on function carillon._hold_app(text) is
  'Keeps an app installed until the end of the transaction; refuses (TK101) one that is not.';
revoke all on function carillon._hold_app(text) from public;
--! EndIncluded apps/_hold_app.sql
--! Included apps/_app_permissions.sql
create or replace function carillon._app_permissions(app text, declared jsonb) returns text[]
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  v_permission text;
  v_all text[] := '{}';
  v_at integer := 0;
  v_value jsonb;
begin
  if declared is null then
    return array['app:' || app || ':cron.read', 'app:' || app || ':cron.write', 'app:' || app || ':cron.trigger'];
  end if;
  if jsonb_typeof(declared) <> 'array' then
    perform carillon._invalid('permissions', 'must be an array of strings');
  end if;
  for v_value in select e.value from jsonb_array_elements(declared) as e loop
    v_permission := carillon._json_text(v_value, format('permissions[%s]', v_at), 100);
    if v_permission !~ '^[a-z][a-z0-9_]*([.:][a-z0-9_]+)*$' then
      perform carillon._invalid(format('permissions[%s]', v_at),
        'must be lower-case words joined by dots, without the app:… prefix', 'for example cron.manage_others');
    end if;
    v_all := v_all || ('app:' || app || ':' || v_permission);
    v_at := v_at + 1;
  end loop;
  return v_all;
end;
$$;
comment on function carillon._app_permissions(text, jsonb) is
  'The permissions an app brings: those its manifest declares, or cron.read, cron.write and cron.trigger.';
revoke all on function carillon._app_permissions(text, jsonb) from public;
--! EndIncluded apps/_app_permissions.sql
--! Included apps/_app_agent.sql
create or replace function carillon._app_agent(agent jsonb) returns jsonb
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if coalesce(agent, 'null') in ('null', 'false') then
    return null;
  end if;
  if agent = 'true' then
    return '{}';
  end if;
  if jsonb_typeof(agent) <> 'object' then
    perform carillon._invalid('agent', 'must be true, false or a JSON object');
  end if;
  if coalesce(agent -> 'endpoint', 'null') <> 'null' then
    if jsonb_typeof(agent -> 'endpoint') <> 'object' then
      perform carillon._invalid('agent.endpoint', 'must be a JSON object');
    end if;
    perform carillon._check_target(agent -> 'endpoint' || '{"type": "agent"}', 'agent.endpoint');
  end if;
  return agent;
end;
$$;
comment on function carillon._app_agent(jsonb) is 'What a manifest says of an agent, checked; null for an app that is none.';
revoke all on function carillon._app_agent(jsonb) from public;
--! EndIncluded apps/_app_agent.sql
--! Included apps/_agent_options.sql
create or replace function carillon._agent_options(app text) returns jsonb
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return coalesce((
    select jsonb_build_object('target', a.agent -> 'endpoint' || '{"type": "agent"}')
    from carillon.apps a where a.id = app and jsonb_typeof(a.agent -> 'endpoint') = 'object'), '{}');
end;
$$;
comment on function carillon._agent_options(text) is
  'The headers that jobs of an app''s crons have where its crons do not say otherwise: to go to the app''s agent, where that is an HTTP endpoint.';
revoke all on function carillon._agent_options(text) from public;
--! EndIncluded apps/_agent_options.sql
--! Included apps/_app_from_spec.sql
create or replace function carillon._app_from_spec(base carillon.apps, spec jsonb) returns carillon.apps
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  v_app carillon.apps := base;
begin
  if spec ? 'name' then
    v_app.name := case when nullif(spec -> 'name', 'null') is not null then carillon._json_text(spec -> 'name', 'name', 200) end;
  end if;
  if spec ? 'maxConcurrency' then
    v_app.max_concurrency := case when nullif(spec -> 'maxConcurrency', 'null') is not null
      then carillon._json_integer(spec -> 'maxConcurrency', 'maxConcurrency', 1, 1000000) end;
  end if;
  if spec ? 'agent' then
    v_app.agent := carillon._app_agent(spec -> 'agent');
  end if;
  return v_app;
end;
$$;
comment on function carillon._app_from_spec(carillon.apps, jsonb) is
  'An app with what a manifest, or a patch, says of it (API spelling; null resets a field to its default); what it does not name is the base''s.';
revoke all on function carillon._app_from_spec(carillon.apps, jsonb) from public;
--! EndIncluded apps/_app_from_spec.sql
--! Included apps/install_app.sql
create or replace function carillon.install_app(app text, manifest jsonb default '{}', actor uuid default null) returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_permissions text[];
  v_new boolean;
  v_old carillon.apps;
  v_app carillon.apps;
begin
  perform carillon._check_app_id(app);
  if jsonb_typeof(manifest) is distinct from 'object' then
    perform carillon._invalid('manifest', 'must be a JSON object');
  end if;
  v_permissions := carillon._app_permissions(app, nullif(manifest -> 'permissions', 'null'));
  v_app := carillon._app_from_spec(v_app, manifest);

  insert into carillon.apps as a (id, name, manifest, permissions, agent, max_concurrency, created_at, updated_at)
  values (app, v_app.name, install_app.manifest, v_permissions, v_app.agent, v_app.max_concurrency, v_now, v_now)
  on conflict (id) do nothing;
  v_new := found;
  if v_new then
    insert into carillon.roles (name, app_id, permissions)
    values ('app:' || app || ':admin', app, array['app:' || app || ':*']);
    if actor is not null then
      perform carillon._require_principal(actor);
      insert into carillon.role_members (principal_id, role) values (actor, 'app:' || app || ':admin');
      perform carillon._audit(actor, 'principal.grant', null, actor::text, (select p.username from carillon.principals p where p.id = actor),
        null, jsonb_build_object('role', 'app:' || app || ':admin'));
    end if;
  else
    -- One deploy of an app at a time; the row stays locked until the end of the transaction.
    select a.* into v_old from carillon.apps a where a.id = app for no key update;
    update carillon.apps a
    set name = v_app.name, manifest = install_app.manifest, permissions = v_permissions, agent = v_app.agent,
      max_concurrency = v_app.max_concurrency, updated_at = v_now
    where a.id = app and (a.name, a.manifest, a.permissions, a.agent, a.max_concurrency)
      is distinct from (v_app.name, install_app.manifest, v_permissions, v_app.agent, v_app.max_concurrency);
  end if;
  select a.* into v_app from carillon.apps a where a.id = app;
  perform carillon._audit(actor, case when v_new then 'app.install' else 'app.update' end, app, app, v_app.name,
    carillon._app_state(v_old), carillon._app_state(v_app));
  return v_new;
end;
$$;
comment on function carillon.install_app(text, jsonb, uuid) is
  'Installs an app, or updates the installed one''s manifest; returns whether it is new. A new app''s installer gets its role app:<id>:admin.';
revoke all on function carillon.install_app(text, jsonb, uuid) from public;
--! EndIncluded apps/install_app.sql
--! Included apps/patch_app.sql
create or replace function carillon.patch_app(
  app text,
  patch jsonb,
  actor uuid default null,
  actor_scopes text[] default null
) returns carillon.apps
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_field text;
  v_old carillon.apps;
  v_new carillon.apps;
begin
  perform carillon._require_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':manifest.write']);
  if jsonb_typeof(patch) is distinct from 'object' then
    perform carillon._invalid('patch', 'must be a JSON object');
  end if;
  select f into v_field from jsonb_object_keys(patch) as f where f not in ('name', 'agent', 'maxConcurrency') limit 1;
  if found then
    perform carillon._invalid(v_field, 'is not a known field', 'name, agent and maxConcurrency can be changed');
  end if;
  select a.* into v_old from carillon.apps a where a.id = patch_app.app for no key update;
  v_new := carillon._app_from_spec(v_old, patch);
  if v_new is distinct from v_old then
    v_new.updated_at := v_now;
    update carillon.apps a
    set name = v_new.name, agent = v_new.agent, max_concurrency = v_new.max_concurrency, updated_at = v_now
    where a.id = patch_app.app;
    perform carillon._audit(actor, 'app.update', app, app, v_new.name, carillon._app_state(v_old), carillon._app_state(v_new));
  end if;
  return v_new;
end;
$$;
comment on function carillon.patch_app(text, jsonb, uuid, text[]) is
  'Changes the given fields of an app (name, agent, maxConcurrency; null resets one to its default) until its manifest is deployed the next time. Its crons stay as they are.';
revoke all on function carillon.patch_app(text, jsonb, uuid, text[]) from public;
--! EndIncluded apps/patch_app.sql
--! Included apps/uninstall_app.sql
create or replace function carillon.uninstall_app(app text, actor uuid default null, actor_scopes text[] default null) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_app carillon.apps;
  v_crons uuid[];
  v_canceled integer;
begin
  perform carillon._require_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':uninstall']);
  select a.* into v_app from carillon.apps a where a.id = app for update;
  with stopped as (
    update carillon.crons c set next_fire_at = null where c.app_id = app returning c.id
  )
  select coalesce(array_agg(id), '{}') into v_crons from stopped;
  perform carillon._enlist_crons(v_crons);
  v_canceled := carillon._cancel_jobs(array(select carillon._live_jobs_of_app(app)),
    'the app was uninstalled');
  perform carillon._audit(actor, 'app.uninstall', app, app, v_app.name,
    carillon._app_state(v_app) || jsonb_build_object('crons', cardinality(v_crons), 'canceledJobs', v_canceled));
  delete from carillon.queue_fronts f where f.claim_key in (app, '@' || app);
  delete from carillon.apps a where a.id = app;
end;
$$;
comment on function carillon.uninstall_app(text, uuid, text[]) is
  'Removes an app with its crons and roles, and cancels its jobs; slots that are due and not yet decided are dropped. Its ledger and job history stay until their retention ends.';
revoke all on function carillon.uninstall_app(text, uuid, text[]) from public;
--! EndIncluded apps/uninstall_app.sql
--! Included apps/begin_seed.sql
create or replace function carillon.begin_seed() returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('carillon.begin_seed', 0));
  if exists (select from carillon.settings where key = 'seeded') or exists (select from carillon.apps) then
    return false;
  end if;
  insert into carillon.settings (key, value) values ('seeded', to_jsonb(carillon.now()));
  return true;
end;
$$;
comment on function carillon.begin_seed() is
  'Whether the first apps are to be installed by this transaction: there are none, and none have been installed so before. Every later call returns false, also when those apps are gone.';
revoke all on function carillon.begin_seed() from public;
--! EndIncluded apps/begin_seed.sql
--! Included apps/list_apps.sql
create or replace function carillon.list_apps() returns setof carillon.apps
language sql stable security definer
set search_path = ''
as $$
  select a.* from carillon.apps a, carillon._bound_apps() as bound where bound is null or a.id = any (bound) order by a.id
$$;
comment on function carillon.list_apps() is 'All installed apps; for a worker''s database role, those it is bound to.';
revoke all on function carillon.list_apps() from public;
--! EndIncluded apps/list_apps.sql
--! Included apps/get_app.sql
create or replace function carillon.get_app(app text) returns carillon.apps
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_app carillon.apps;
begin
  perform carillon._require_app(app);
  select a.* into v_app from carillon.apps a where a.id = get_app.app;
  return v_app;
end;
$$;
comment on function carillon.get_app(text) is 'One installed app; TK101 when there is none of this id.';
revoke all on function carillon.get_app(text) from public;
--! EndIncluded apps/get_app.sql
--! Included secrets/secret_details.sql
create or replace view carillon.secret_details as
select s.app_id, s.name, s.created_at, s.created_by, s.updated_at, s.updated_by, s.last_used_at
from carillon.app_secrets s;
comment on view carillon.secret_details is 'Secrets as everybody but dispatchers sees them: by name, without value.';
--! EndIncluded secrets/secret_details.sql
--! Included secrets/_secret_missing.sql
create or replace function carillon._secret_missing(app text, name text) returns void
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  raise exception using errcode = 'TK107', message = format('the app "%s" has no secret named %s', app, name),
    hint = format('carillon secrets set %s --app %s', name, app);
end;
$$;
comment on function carillon._secret_missing(text, text) is 'Raises TK107 for a secret that an app does not have.';
revoke all on function carillon._secret_missing(text, text) from public;
--! EndIncluded secrets/_secret_missing.sql
--! Included secrets/set_secret.sql
create or replace function carillon.set_secret(
  app text,
  name text,
  key_id text,
  nonce bytea,
  ciphertext bytea,
  actor uuid default null,
  actor_scopes text[] default null
) returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_most constant integer := 100;
  v_new boolean;
begin
  perform carillon._hold_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':secret.write']);
  if name is null or name !~ '^[A-Z][A-Z0-9_]{0,63}$' then
    perform carillon._invalid('name', 'must be 1 to 64 upper-case letters, digits and underscores, beginning with a letter',
      'for example HOOK_TOKEN');
  end if;
  update carillon.app_secrets s
  set key_id = set_secret.key_id, nonce = set_secret.nonce, ciphertext = set_secret.ciphertext, updated_at = v_now, updated_by = actor
  where s.app_id = app and s.name = set_secret.name;
  v_new := not found;
  if v_new then
    if (select count(*) from carillon.app_secrets s where s.app_id = app) >= v_most then
      perform carillon._invalid('name', format('is one too many: an app has at most %s secrets', v_most));
    end if;
    insert into carillon.app_secrets as s (app_id, name, key_id, nonce, ciphertext, created_at, created_by, updated_at, updated_by)
    values (app, set_secret.name, set_secret.key_id, set_secret.nonce, set_secret.ciphertext, v_now, actor, v_now, actor)
    on conflict on constraint app_secrets_pkey do update
      set key_id = excluded.key_id, nonce = excluded.nonce, ciphertext = excluded.ciphertext, updated_at = v_now,
        updated_by = excluded.updated_by;
  end if;
  perform carillon._audit(actor, case when v_new then 'secret.create' else 'secret.update' end, app, name, name, null,
    jsonb_build_object('keyId', key_id));
  return v_new;
end;
$$;
comment on function carillon.set_secret(text, text, text, bytea, bytea, uuid, text[]) is
  'Keeps a secret of an app, sealed by its caller (src/secrets/keyring.ts), in place of the one of that name; returns whether it is new. At most 100 of an app.';
revoke all on function carillon.set_secret(text, text, text, bytea, bytea, uuid, text[]) from public;
--! EndIncluded secrets/set_secret.sql
--! Included secrets/delete_secret.sql
create or replace function carillon.delete_secret(
  app text,
  name text,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_key text;
begin
  perform carillon._hold_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':secret.write']);
  delete from carillon.app_secrets s where s.app_id = app and s.name = delete_secret.name returning s.key_id into v_key;
  if v_key is null then
    perform carillon._secret_missing(app, name);
  end if;
  perform carillon._audit(actor, 'secret.delete', app, name, name, jsonb_build_object('keyId', v_key));
end;
$$;
comment on function carillon.delete_secret(text, text, uuid, text[]) is 'Forgets a secret of an app; TK107 when there is none of this name.';
revoke all on function carillon.delete_secret(text, text, uuid, text[]) from public;
--! EndIncluded secrets/delete_secret.sql
--! Included secrets/get_secret.sql
create or replace function carillon.get_secret(app text, name text) returns carillon.secret_details
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_secret carillon.secret_details;
begin
  perform carillon._require_app(app);
  select s.* into v_secret from carillon.secret_details s where s.app_id = app and s.name = get_secret.name;
  if v_secret.name is null then
    perform carillon._secret_missing(app, name);
  end if;
  return v_secret;
end;
$$;
comment on function carillon.get_secret(text, text) is
  'What is known of a secret besides its value: who set it when, and when it was last used; TK107 when there is none of this name.';
revoke all on function carillon.get_secret(text, text) from public;
--! EndIncluded secrets/get_secret.sql
--! Included secrets/list_secrets.sql
create or replace function carillon.list_secrets(app text) returns setof carillon.secret_details
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform carillon._require_app(app);
  return query select s.* from carillon.secret_details s where s.app_id = app order by s.name;
end;
$$;
comment on function carillon.list_secrets(text) is 'The secrets of an app by name, without their values.';
revoke all on function carillon.list_secrets(text) from public;
--! EndIncluded secrets/list_secrets.sql
--! Included secrets/fetch_secret.sql
create or replace function carillon.fetch_secret(app text, name text)
returns table (key_id text, nonce bytea, ciphertext bytea)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  -- Without waiting: whoever notes the use of a secret must not wait for who sets it.
  update carillon.app_secrets s set last_used_at = v_now
  where (s.app_id, s.name) in (
    select u.app_id, u.name from carillon.app_secrets u
    where u.app_id = app and u.name = fetch_secret.name and (u.last_used_at is null or u.last_used_at < v_now - interval '1 minute')
    for no key update skip locked);
  return query
    select s.key_id, s.nonce, s.ciphertext from carillon.app_secrets s where s.app_id = app and s.name = fetch_secret.name;
end;
$$;
comment on function carillon.fetch_secret(text, text) is
  'A secret of an app as it is sealed, for a dispatcher to open; no row when the app has none of this name. Notes its use.';
revoke all on function carillon.fetch_secret(text, text) from public;
--! EndIncluded secrets/fetch_secret.sql
--! Included secrets/list_stale_secrets.sql
create or replace function carillon.list_stale_secrets(key_id text, after text[] default null, max_rows integer default 100)
returns table (kind text, app_id text, name text, stale_key_id text, nonce bytea, ciphertext bytea)
language sql stable security definer
set search_path = ''
as $$
  select s.kind, s.app_id, s.name, s.key_id, s.nonce, s.ciphertext
  from (
    select 'secret' as kind, a.app_id, a.name, a.key_id, a.nonce, a.ciphertext from carillon.app_secrets a
    union all
    select 'signing', k.app_id, k.id::text, k.key_id, k.nonce, k.ciphertext from carillon.signing_keys k
  ) s
  where s.key_id <> list_stale_secrets.key_id and (after is null or (s.kind, s.app_id, s.name) > (after[1], after[2], after[3]))
  order by s.kind, s.app_id, s.name
  limit max_rows
$$;
comment on function carillon.list_stale_secrets(text, text[], integer) is
  'Secrets and signing keys (named by their ids) that are sealed by another key than this one, to be sealed again by it: for the owner, who replaces the key. In order; those after a kind, app and name.';
revoke all on function carillon.list_stale_secrets(text, text[], integer) from public;
--! EndIncluded secrets/list_stale_secrets.sql
--! Included secrets/reseal_secret.sql
create or replace function carillon.reseal_secret(
  kind text,
  app text,
  name text,
  old_nonce bytea,
  key_id text,
  nonce bytea,
  ciphertext bytea
) returns boolean
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_old text;
begin
  if kind = 'secret' then
    select s.key_id into v_old from carillon.app_secrets s
    where s.app_id = app and s.name = reseal_secret.name and s.nonce = old_nonce
    for no key update;
    update carillon.app_secrets s
    set key_id = reseal_secret.key_id, nonce = reseal_secret.nonce, ciphertext = reseal_secret.ciphertext
    where s.app_id = app and s.name = reseal_secret.name and s.nonce = old_nonce;
  else
    select s.key_id into v_old from carillon.signing_keys s
    where s.app_id = app and s.id = reseal_secret.name::uuid and s.nonce = old_nonce
    for no key update;
    update carillon.signing_keys s
    set key_id = reseal_secret.key_id, nonce = reseal_secret.nonce, ciphertext = reseal_secret.ciphertext
    where s.app_id = app and s.id = reseal_secret.name::uuid and s.nonce = old_nonce;
  end if;
  -- Set anew since it was read, or gone.
  if v_old is null then
    return false;
  end if;
  perform carillon._audit(null, kind || '.reseal', app, name, case when kind = 'secret' then name end,
    jsonb_build_object('keyId', v_old), jsonb_build_object('keyId', key_id));
  return true;
end;
$$;
comment on function carillon.reseal_secret(text, text, text, bytea, text, bytea, bytea) is
  'Puts what is sealed by a new key in the place of the same sealed by an old one, which its nonce tells; returns whether it was still there.';
revoke all on function carillon.reseal_secret(text, text, text, bytea, text, bytea, bytea) from public;
--! EndIncluded secrets/reseal_secret.sql
--! Included secrets/signing_key_details.sql
create or replace view carillon.signing_key_details as
select s.id, s.app_id, s.created_at, s.created_by, s.expires_at
from carillon.signing_keys s;
comment on view carillon.signing_key_details is 'Signing keys as everybody but dispatchers sees them: by id.';
--! EndIncluded secrets/signing_key_details.sql
--! Included secrets/rotate_signing_key.sql
create or replace function carillon.rotate_signing_key(
  app text,
  id uuid,
  key_id text,
  nonce bytea,
  ciphertext bytea,
  overlap_seconds integer default 86400,
  actor uuid default null,
  actor_scopes text[] default null
) returns carillon.signing_key_details
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_expires constant timestamptz := v_now + make_interval(secs => overlap_seconds);
  v_old uuid;
  v_new carillon.signing_key_details;
begin
  perform carillon._hold_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':secret.write']);
  if overlap_seconds is null or overlap_seconds not between 0 and 2592000 then
    perform carillon._invalid('overlap', 'must be from 0 to 2592000 seconds (30 days)');
  end if;
  -- One rotation at a time; what only holds the app goes on.
  perform from carillon.apps a where a.id = app for no key update;
  update carillon.signing_keys s set expires_at = v_expires where s.app_id = app and s.expires_at is null returning s.id into v_old;
  -- Two at most, so one that was still being replaced goes now.
  delete from carillon.signing_keys s where s.app_id = app and (s.id <> v_old or overlap_seconds = 0);
  insert into carillon.signing_keys (id, app_id, key_id, nonce, ciphertext, created_at, created_by)
  values (rotate_signing_key.id, app, rotate_signing_key.key_id, rotate_signing_key.nonce, rotate_signing_key.ciphertext, v_now, actor);
  perform carillon._audit(actor, 'signing.rotate', app, id::text, null,
    case when v_old is not null then jsonb_build_object('id', v_old) end,
    jsonb_build_object('id', id) || case when v_old is not null and overlap_seconds > 0
      then jsonb_build_object('previousExpiresAt', v_expires) else '{}' end);
  select d.* into v_new from carillon.signing_key_details d where d.id = rotate_signing_key.id;
  return v_new;
end;
$$;
comment on function carillon.rotate_signing_key(text, uuid, text, bytea, bytea, integer, uuid, text[]) is
  'Makes this, sealed by its caller, the key an app''s requests are signed by. The one before it signs as well for some seconds more (a day, unless said otherwise; 0: no more); one that was before that goes at once.';
revoke all on function carillon.rotate_signing_key(text, uuid, text, bytea, bytea, integer, uuid, text[]) from public;
--! EndIncluded secrets/rotate_signing_key.sql
--! Included secrets/ensure_signing_key.sql
create or replace function carillon.ensure_signing_key(app text, id uuid, key_id text, nonce bytea, ciphertext bytea) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform carillon._hold_app(app);
  -- As a rotation does: of several at once the first one's stays.
  perform from carillon.apps a where a.id = app for no key update;
  insert into carillon.signing_keys (id, app_id, key_id, nonce, ciphertext, created_at)
  values (ensure_signing_key.id, app, ensure_signing_key.key_id, ensure_signing_key.nonce, ensure_signing_key.ciphertext, carillon.now())
  on conflict (app_id) where expires_at is null do nothing;
  if found then
    perform carillon._audit(null, 'signing.create', app, id::text, null, null, jsonb_build_object('id', id));
  end if;
end;
$$;
comment on function carillon.ensure_signing_key(text, uuid, text, bytea, bytea) is
  'Makes this, sealed by a dispatcher that needs one, the key an app''s requests are signed by, unless it has one.';
revoke all on function carillon.ensure_signing_key(text, uuid, text, bytea, bytea) from public;
--! EndIncluded secrets/ensure_signing_key.sql
--! Included secrets/fetch_signing_keys.sql
create or replace function carillon.fetch_signing_keys(app text)
returns table (id uuid, key_id text, nonce bytea, ciphertext bytea)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  return query
    select s.id, s.key_id, s.nonce, s.ciphertext from carillon.signing_keys s
    where s.app_id = app and (s.expires_at is null or s.expires_at > v_now)
    order by s.expires_at desc nulls first;
end;
$$;
comment on function carillon.fetch_signing_keys(text) is
  'What an app''s requests are to be signed by now, sealed, for a dispatcher to open: the newest first, two at most.';
revoke all on function carillon.fetch_signing_keys(text) from public;
--! EndIncluded secrets/fetch_signing_keys.sql
--! Included secrets/list_signing_keys.sql
create or replace function carillon.list_signing_keys(app text) returns setof carillon.signing_key_details
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  perform carillon._require_app(app);
  return query
    select d.* from carillon.signing_key_details d
    where d.app_id = app and (d.expires_at is null or d.expires_at > v_now)
    order by d.expires_at desc nulls first;
end;
$$;
comment on function carillon.list_signing_keys(text) is 'The signing keys of an app, the current one first, by id.';
revoke all on function carillon.list_signing_keys(text) from public;
--! EndIncluded secrets/list_signing_keys.sql
--! Included secrets/_trim_signing_keys.sql
create or replace function carillon._trim_signing_keys() returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  delete from carillon.signing_keys s
  where s.id in (
    select o.id from carillon.signing_keys o where o.expires_at <= v_now order by o.expires_at limit 1000 for update skip locked);
end;
$$;
comment on function carillon._trim_signing_keys() is 'Deletes signing keys that sign no more, 1000 at most.';
revoke all on function carillon._trim_signing_keys() from public;
--! EndIncluded secrets/_trim_signing_keys.sql
--! Included targets/_breaker_settings.sql
create or replace function carillon._breaker_settings(app text, usual_failures integer, usual_cool_down integer)
returns table (failures integer, cool_down interval)
language sql stable security invoker
set search_path = ''
as $$
  select coalesce(s.failures, usual_failures, 0), make_interval(secs => coalesce(s.cool_down_seconds, usual_cool_down, 60))
  from (values (app)) as a (id)
  left join carillon.breaker_settings s on s.app_id = a.id
$$;
comment on function carillon._breaker_settings(text, integer, integer) is
  'After how many failures the breakers of an app open (0: never) and for how long: as the app is set, or as usual.';
revoke all on function carillon._breaker_settings(text, integer, integer) from public;
--! EndIncluded targets/_breaker_settings.sql
--! Included targets/note_failure.sql
create or replace function carillon.note_failure(
  app text,
  key text,
  error_class text,
  error_message text,
  usual_failures integer default 0,
  usual_cool_down integer default 60
) returns double precision
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_failures integer;
  v_cool_down interval;
  v_probe_at timestamptz;
begin
  select s.failures, s.cool_down into v_failures, v_cool_down
  from carillon._breaker_settings(app, usual_failures, usual_cool_down) s;
  if v_failures = 0 then
    return null;
  end if;
  -- The app may have gone while the target was called.
  perform from carillon.apps a where a.id = app for key share;
  if not found then
    return null;
  end if;
  insert into carillon.breakers as b (app_id, key, failures, opened_at, probe_at, error_class, error_message, failed_at)
  values (app, note_failure.key, 1, case when v_failures = 1 then v_now end, case when v_failures = 1 then v_now + v_cool_down end,
    left(note_failure.error_class, 100), left(note_failure.error_message, 1000), v_now)
  on conflict on constraint breakers_pkey do update set
    failures = b.failures + 1,
    opened_at = case when b.opened_at is not null then b.opened_at when b.failures + 1 >= v_failures then v_now end,
    probe_at = case when b.probing or b.failures + 1 >= v_failures then v_now + v_cool_down end,
    probing = false,
    error_class = excluded.error_class,
    error_message = excluded.error_message,
    failed_at = excluded.failed_at
  -- What was under way when it opened says nothing new.
  where b.opened_at is null or b.probing;
  select b.probe_at into v_probe_at from carillon.breakers b where b.app_id = app and b.key = note_failure.key;
  return extract(epoch from v_probe_at - v_now) * 1000;
end;
$$;
comment on function carillon.note_failure(text, text, text, text, integer, integer) is
  'Counts a failure that was the target''s own, by the settings of the app or else the usual ones: after so many in a row its breaker opens. Returns for how many milliseconds no call is to be made; null while calls are.';
revoke all on function carillon.note_failure(text, text, text, text, integer, integer) from public;
--! EndIncluded targets/note_failure.sql
--! Included targets/note_recovery.sql
create or replace function carillon.note_recovery(app text, key text) returns void
language sql volatile security definer
set search_path = ''
as $$
  delete from carillon.breakers b where b.app_id = app and b.key = note_recovery.key
$$;
comment on function carillon.note_recovery(text, text) is 'Closes the breaker of a target that answered: its failures are no longer in a row.';
revoke all on function carillon.note_recovery(text, text) from public;
--! EndIncluded targets/note_recovery.sql
--! Included targets/begin_probe.sql
create or replace function carillon.begin_probe(
  app text,
  key text,
  usual_failures integer default 0,
  usual_cool_down integer default 60
) returns double precision
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_failures integer;
  v_cool_down interval;
  v_probe_at timestamptz;
begin
  select s.failures, s.cool_down into v_failures, v_cool_down
  from carillon._breaker_settings(app, usual_failures, usual_cool_down) s;
  -- Of several at once one gets the row as it was; the others find it taken.
  update carillon.breakers b set probing = true, probe_at = v_now + v_cool_down
  where b.app_id = app and b.key = begin_probe.key and b.probe_at <= v_now and v_failures > 0;
  if found then
    return 0;
  end if;
  select b.probe_at into v_probe_at from carillon.breakers b where b.app_id = app and b.key = begin_probe.key and v_failures > 0;
  return greatest(coalesce(extract(epoch from v_probe_at - v_now) * 1000, 0), 0);
end;
$$;
comment on function carillon.begin_probe(text, text, integer, integer) is
  'Asks for a call to a target whose breaker is open: 0 for the one that may be made now, to see whether it works again, and for a target that works; for others, after how many milliseconds to ask again.';
revoke all on function carillon.begin_probe(text, text, integer, integer) from public;
--! EndIncluded targets/begin_probe.sql
--! Included targets/abandon_probe.sql
create or replace function carillon.abandon_probe(app text, key text) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  update carillon.breakers b set probing = false, probe_at = least(b.probe_at, v_now)
  where b.app_id = app and b.key = abandon_probe.key and b.probing;
end;
$$;
comment on function carillon.abandon_probe(text, text) is 'Lets another call probe a target, where the one that should have was aborted and found out nothing.';
revoke all on function carillon.abandon_probe(text, text) from public;
--! EndIncluded targets/abandon_probe.sql
--! Included targets/watch_breakers.sql
create or replace function carillon.watch_breakers() returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
begin
  return jsonb_build_object(
    'apps', coalesce((
      select jsonb_object_agg(s.app_id, jsonb_build_object('failures', s.failures, 'coolDown', s.cool_down_seconds))
      from carillon.breaker_settings s), '{}'),
    'targets', coalesce((
      select jsonb_agg(jsonb_build_array(b.app_id, b.key, b.opened_at is not null))
      from (select * from carillon.breakers b order by b.failed_at desc limit 10000) b), '[]'));
end;
$$;
comment on function carillon.watch_breakers() is
  'What dispatchers go by: the settings of apps that have some, and of each target that was broken when last called whether its breaker is open, the newest 10,000.';
revoke all on function carillon.watch_breakers() from public;
--! EndIncluded targets/watch_breakers.sql
--! Included targets/target_details.sql
create or replace view carillon.target_details as
select b.app_id, b.key,
  case when b.opened_at is null then 'closed' when b.probing or b.probe_at <= carillon.now() then 'half-open' else 'open' end as state,
  b.failures, b.opened_at, b.probe_at, b.error_class, b.error_message, b.failed_at
from carillon.breakers b;
comment on view carillon.target_details is 'Targets that were broken when last called, each with the state of its circuit breaker.';
--! EndIncluded targets/target_details.sql
--! Included targets/list_targets.sql
create or replace function carillon.list_targets(app text, after text default null, max_rows integer default 100)
returns setof carillon.target_details
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform carillon._require_app(app);
  if max_rows is null or max_rows not between 1 and 1000 then
    perform carillon._invalid('limit', 'must be from 1 to 1000');
  end if;
  return query
    select d.* from carillon.target_details d
    where d.app_id = app and (after is null or d.key > after)
    order by d.key limit max_rows;
end;
$$;
comment on function carillon.list_targets(text, text, integer) is
  'The targets of an app that were broken when last called, by key: those after a key (the cursor).';
revoke all on function carillon.list_targets(text, text, integer) from public;
--! EndIncluded targets/list_targets.sql
--! Included targets/reset_targets.sql
create or replace function carillon.reset_targets(
  app text,
  key text default null,
  actor uuid default null,
  actor_scopes text[] default null
) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_entries carillon.audit_entry[];
begin
  perform carillon._hold_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':target.write']);
  with gone as (
    delete from carillon.breakers b
    where b.app_id = app and (reset_targets.key is null or b.key = reset_targets.key)
    returning b.key, b.failures, b.opened_at
  )
  select array_agg(row('target.reset', app, g.key, g.key,
    jsonb_build_object('failures', g.failures, 'open', g.opened_at is not null), null)::carillon.audit_entry order by g.key)
  into v_entries from gone g;
  perform carillon._audit_all(actor, v_entries);
  return coalesce(cardinality(v_entries), 0);
end;
$$;
comment on function carillon.reset_targets(text, text, uuid, text[]) is
  'Closes the breaker of a target of an app, or of all of them: calls are made again, and failures counted anew. Returns how many had failed.';
revoke all on function carillon.reset_targets(text, text, uuid, text[]) from public;
--! EndIncluded targets/reset_targets.sql
--! Included targets/get_breaker.sql
create or replace function carillon.get_breaker(app text) returns table (failures integer, cool_down_seconds integer)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  perform carillon._require_app(app);
  return query
    select s.failures, s.cool_down_seconds from (values (app)) as a (id)
    left join carillon.breaker_settings s on s.app_id = a.id;
end;
$$;
comment on function carillon.get_breaker(text) is
  'After how many failures the breakers of an app''s targets open (0: never), and for how many seconds; nulls where it is as dispatchers are told.';
revoke all on function carillon.get_breaker(text) from public;
--! EndIncluded targets/get_breaker.sql
--! Included targets/set_breaker.sql
create or replace function carillon.set_breaker(
  app text,
  failures integer,
  cool_down_seconds integer default 60,
  actor uuid default null,
  actor_scopes text[] default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_old jsonb;
begin
  perform carillon._hold_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':target.write']);
  if failures not between 0 and 1000 then
    perform carillon._invalid('failures', 'must be from 0 to 1000');
  end if;
  if cool_down_seconds not between 1 and 86400 then
    perform carillon._invalid('coolDown', 'must be from 1 to 86400');
  end if;
  v_old := (
    select jsonb_build_object('failures', s.failures, 'coolDown', s.cool_down_seconds)
    from carillon.breaker_settings s where s.app_id = app);
  if failures is null then
    delete from carillon.breaker_settings s where s.app_id = app;
  else
    insert into carillon.breaker_settings as s (app_id, failures, cool_down_seconds)
    values (app, set_breaker.failures, coalesce(set_breaker.cool_down_seconds, 60))
    on conflict on constraint breaker_settings_pkey do update
      set failures = excluded.failures, cool_down_seconds = excluded.cool_down_seconds;
  end if;
  if failures = 0 then
    delete from carillon.breakers b where b.app_id = app;
  end if;
  perform carillon._audit(actor, 'target.breaker', app, app, null, coalesce(v_old, '{}'), case when failures is null then '{}'
    else jsonb_build_object('failures', failures, 'coolDown', coalesce(cool_down_seconds, 60)) end);
end;
$$;
comment on function carillon.set_breaker(text, integer, integer, uuid, text[]) is
  'After how many failures in a row the breakers of an app''s targets open (0: never; null: as dispatchers are told), and for how many seconds.';
revoke all on function carillon.set_breaker(text, integer, integer, uuid, text[]) from public;
--! EndIncluded targets/set_breaker.sql
--! Included targets/_trim_breakers.sql
create or replace function carillon._trim_breakers() returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_before timestamptz := carillon.now() - interval '30 days';
begin
  delete from carillon.breakers b
  where (b.app_id, b.key) in (
    select o.app_id, o.key from carillon.breakers o where o.failed_at < v_before order by o.failed_at limit 1000 for update skip locked);
end;
$$;
comment on function carillon._trim_breakers() is 'Forgets targets that were last called, in vain, 30 days ago; 1000 at most.';
revoke all on function carillon._trim_breakers() from public;
--! EndIncluded targets/_trim_breakers.sql
--! Included queue/_job_message.sql
create or replace function carillon._job_message(app text, payload jsonb, user_id uuid) returns jsonb
language sql stable parallel safe security invoker
return jsonb_build_object('app_id', app, 'payload', payload, 'user_id', user_id);
comment on function carillon._job_message(text, jsonb, uuid) is 'The shape of every message in the queue jobs.';
revoke all on function carillon._job_message(text, jsonb, uuid) from public;
--! EndIncluded queue/_job_message.sql
--! Included queue/_claim_key.sql
create or replace function carillon._claim_key(message jsonb, headers jsonb) returns text
language sql immutable parallel safe security invoker
-- As the indexes have it (tables/queue.sql), which cannot name a function that others may not execute.
return case when headers ? 'target' then '@' || (message ->> 'app_id') else message ->> 'app_id' end;
comment on function carillon._claim_key(jsonb, jsonb) is
  'By what a waiting job is claimed: the id of its app, whose workers run it; with an @ before it where the job has a target, and dispatchers do.';
revoke all on function carillon._claim_key(jsonb, jsonb) from public;
--! EndIncluded queue/_claim_key.sql
--! Included queue/_job_priority.sql
create or replace function carillon._job_priority(headers jsonb) returns integer
language sql immutable parallel safe security invoker
-- As the indexes have it (tables/queue.sql), which cannot name a function that others may not execute.
return coalesce((headers ->> 'priority')::integer, 0);
comment on function carillon._job_priority(jsonb) is 'The priority of a job: without the header, 0.';
revoke all on function carillon._job_priority(jsonb) from public;
--! EndIncluded queue/_job_priority.sql
--! Included queue/_announce_jobs.sql
create or replace function carillon._announce_jobs(app text, headers jsonb[]) returns void
language sql volatile security invoker
set search_path = ''
as $$
  select pg_notify('carillon_jobs', k.key)
  from (
    select distinct carillon._claim_key(jsonb_build_object('app_id', app), h) as key
    from unnest(coalesce(_announce_jobs.headers, '{null}')) as h
  ) k
$$;
comment on function carillon._announce_jobs(text, jsonb[]) is 'Wakes, at commit, whoever claims jobs of an app with such headers; without any, jobs without a target.';
revoke all on function carillon._announce_jobs(text, jsonb[]) from public;
--! EndIncluded queue/_announce_jobs.sql
--! Included queue/_due_header.sql
create or replace function carillon._due_header(due_at timestamptz, now timestamptz) returns jsonb
language sql stable parallel safe security invoker
return case when due_at > now then jsonb_build_object('due_at', carillon._time_text(due_at)) else '{}' end;
comment on function carillon._due_header(timestamptz, timestamptz) is
  'Remembers, for a job that is for later, when it was due: vt is overwritten by every lease.';
revoke all on function carillon._due_header(timestamptz, timestamptz) from public;
--! EndIncluded queue/_due_header.sql
--! Included queue/_cron_headers.sql
create or replace function carillon._cron_headers(
  cron uuid,
  trigger text,
  slot timestamptz,
  options jsonb,
  due_at timestamptz,
  expires_after integer
) returns jsonb
language sql stable parallel safe security invoker
return options
  || jsonb_build_object('trigger', trigger, 'cron_id', cron)
  || case when slot is null then '{}' else jsonb_build_object('scheduled_for', slot) end
  || case when expires_after is null then '{}'
    else jsonb_build_object('expires_at', carillon._time_text(due_at + expires_after * interval '1 second')) end;
comment on function carillon._cron_headers(uuid, text, timestamptz, jsonb, timestamptz, integer) is
  'The trusted headers of a job of a cron: the cron''s options for its jobs, and what made this one; no slot for one made by hand.';
revoke all on function carillon._cron_headers(uuid, text, timestamptz, jsonb, timestamptz, integer) from public;
--! EndIncluded queue/_cron_headers.sql
--! Included jobs/_has_expired.sql
create or replace function carillon._has_expired(headers jsonb, now timestamptz) returns boolean
language sql stable parallel safe security invoker
return coalesce(headers ? 'expires_at' and not headers ? 'lease' and not headers ? 'attempts'
  and (headers ->> 'expires_at')::timestamptz <= now, false);
comment on function carillon._has_expired(jsonb, timestamptz) is 'Whether a job has not been started by the time its headers say.';
revoke all on function carillon._has_expired(jsonb, timestamptz) from public;
--! EndIncluded jobs/_has_expired.sql
--! Included queue/_blockers_of.sql
create or replace function carillon._blockers_of(crons uuid[], overlap_policies text[], now timestamptz)
returns table (cron_id uuid, msg_id bigint)
language plpgsql stable security invoker
set search_path = ''
-- Whatever the statistics say of a queue that was empty a second ago: cron by cron, by the index.
set enable_seqscan = off
set enable_bitmapscan = off
set jit = off
as $$
begin
  return query
    select w.cron, l.msg_id
    from unnest(crons, overlap_policies) as w (cron, overlap_policy)
    cross join lateral (
      select q.msg_id
      from pgmq.q_jobs q
      where q.headers ->> 'cron_id' = w.cron::text
        and case w.overlap_policy
          when 'skip' then true
          -- One job may run and one may wait.
          when 'buffer' then not (q.headers ? 'lease' and q.vt > _blockers_of.now)
          else false
        end
        -- A backfill has a concurrency of its own.
        and not q.headers ? 'backfill_id'
        -- It is canceled at the next sweep, and claimed by nobody.
        and not carillon._has_expired(q.headers, _blockers_of.now)
      -- Not by the bare id: the walk along its index looks as cheap, while the queue seems empty.
      order by q.msg_id + 0
      limit 1
    ) l;
end;
$$;
comment on function carillon._blockers_of(uuid[], text[], timestamptz) is
  'Of each of these crons the oldest live job, found by the trusted header, that keeps its overlap policy from enqueuing another; no row for a cron that nothing holds up.';
revoke all on function carillon._blockers_of(uuid[], text[], timestamptz) from public;
--! EndIncluded queue/_blockers_of.sql
--! Included queue/_blocker_of.sql
create or replace function carillon._blocker_of(cron uuid, overlap_policy text, now timestamptz) returns bigint
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return (select b.msg_id from carillon._blockers_of(array[cron], array[overlap_policy], _blocker_of.now) b);
end;
$$;
comment on function carillon._blocker_of(uuid, text, timestamptz) is
  'The live job of one cron that keeps its overlap policy from enqueuing another; null when nothing does.';
revoke all on function carillon._blocker_of(uuid, text, timestamptz) from public;
--! EndIncluded queue/_blocker_of.sql
--! Included queue/_live_jobs_of_app.sql
create or replace function carillon._live_jobs_of_app(app text) returns setof bigint
language sql stable security invoker
begin atomic
  -- Each branch has an index of its own; together they are all jobs.
  select q.msg_id from pgmq.q_jobs q
  where carillon._claim_key(q.message, q.headers) = any (array[app, '@' || app]) and (q.headers ? 'cron_id') is not true and (q.headers ? 'lease') is not true
  union all
  select q.msg_id from pgmq.q_jobs q where carillon._claim_key(q.message, q.headers) = any (array[app, '@' || app])
    and q.headers ? 'cron_id' and not q.headers ? 'lease'
  union all
  select q.msg_id from pgmq.q_jobs q where q.message ->> 'app_id' = app and q.headers ? 'lease';
end;
comment on function carillon._live_jobs_of_app(text) is 'Every job of an app that is still in the queue, due or not.';
revoke all on function carillon._live_jobs_of_app(text) from public;
--! EndIncluded queue/_live_jobs_of_app.sql
--! Included queue/_live_jobs_of_backfill.sql
create or replace function carillon._live_jobs_of_backfill(cron uuid, backfill uuid) returns integer
language sql stable security invoker
set search_path = ''
as $$
  select count(*)
  from pgmq.q_jobs q
  where q.headers ->> 'cron_id' = cron::text and q.headers ->> 'backfill_id' = backfill::text
$$;
comment on function carillon._live_jobs_of_backfill(uuid, uuid) is 'How many jobs of a backfill are still queued or running.';
revoke all on function carillon._live_jobs_of_backfill(uuid, uuid) from public;
--! EndIncluded queue/_live_jobs_of_backfill.sql
--! Included queue/_next_job_id.sql
create or replace function carillon._next_job_id() returns bigint
language sql volatile security invoker
-- The sequence that pgmq made for the queue; looking it up by pg_get_serial_sequence takes longer than sending a job.
return nextval('pgmq.q_jobs_msg_id_seq');
comment on function carillon._next_job_id() is 'Draws the id of a job before the job is sent.';
revoke all on function carillon._next_job_id() from public;
--! EndIncluded queue/_next_job_id.sql
--! Included queue/_send_job.sql
create or replace function carillon._send_job(app text, payload jsonb, user_id uuid, headers jsonb, due_at timestamptz, id bigint default null) returns bigint
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_id bigint;
begin
  insert into pgmq.q_jobs (msg_id, enqueued_at, vt, message, headers) overriding system value
  values (coalesce(_send_job.id, carillon._next_job_id()), carillon.now(), due_at, carillon._job_message(app, payload, user_id), _send_job.headers)
  returning msg_id into v_id;
  perform pg_notify('carillon_jobs', carillon._claim_key(jsonb_build_object('app_id', app), _send_job.headers));
  return v_id;
end;
$$;
comment on function carillon._send_job(text, jsonb, uuid, jsonb, timestamptz, bigint) is
  'Puts one message into the queue and wakes who claims it at commit; returns its msg_id.';
revoke all on function carillon._send_job(text, jsonb, uuid, jsonb, timestamptz, bigint) from public;
--! EndIncluded queue/_send_job.sql
--! Included queue/_replace_jobs.sql
create or replace function carillon._replace_jobs(cron uuid, reason text) returns bigint
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_jobs bigint[] := array(
    select q.msg_id from pgmq.q_jobs q
    where q.headers ->> 'cron_id' = cron::text and not q.headers ? 'backfill_id'
    order by q.msg_id);
begin
  if carillon._cancel_jobs(v_jobs, reason) = 0 then
    return null; -- they finished in the meantime
  end if;
  return v_jobs[1];
end;
$$;
comment on function carillon._replace_jobs(uuid, text) is
  'Cancels every live job of a cron, but those of backfills, to make room for a new one; returns the oldest of them, or null when there was none.';
revoke all on function carillon._replace_jobs(uuid, text) from public;
--! EndIncluded queue/_replace_jobs.sql
--! Included beats/_pg_cron_version.sql
create or replace function carillon._pg_cron_version() returns text
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return (
    select e.extversion
    from pg_catalog.pg_extension e
    where e.extname = 'pg_cron' and exists (select from carillon.settings s where s.key = 'pg_cron' and s.value = 'true')
  );
end;
$$;
comment on function carillon._pg_cron_version() is 'The version of pg_cron that drives this database; null while it does not.';
revoke all on function carillon._pg_cron_version() from public;
--! EndIncluded beats/_pg_cron_version.sql
--! Included beats/_pg_cron_home.sql
create or replace function carillon._pg_cron_home() returns text
language sql stable security invoker
set search_path = ''
as $$
  -- Not current_setting(): that knows the line in postgresql.conf even while pg_cron is not loaded,
  -- and raises for roles that may not read it.
  select s.setting from pg_catalog.pg_settings s where s.name = 'cron.database_name'
$$;
comment on function carillon._pg_cron_home() is
  'The one database pg_cron lives in; null when it is not loaded, or when this role may not know.';
revoke all on function carillon._pg_cron_home() from public;
--! EndIncluded beats/_pg_cron_home.sql
--! Included beats/_beat_expression.sql
create or replace function carillon._beat_expression(schedule text, timezone text, version text, from_time timestamptz, anchor timestamptz) returns text
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return carillon.compile_schedule(schedule, timezone, version, from_time, anchor);
exception when sqlstate 'TK002' or sqlstate 'TK003' then
  -- A zone that this server does not know (any more). Other crons get their beats all the same;
  -- the sweep decides this one, and so records what is wrong.
  return null;
end;
$$;
comment on function carillon._beat_expression(text, text, text, timestamptz, timestamptz) is
  'The pg_cron expression that wakes a schedule; null where pg_cron cannot, or where the schedule cannot be computed.';
revoke all on function carillon._beat_expression(text, text, text, timestamptz, timestamptz) from public;
--! EndIncluded beats/_beat_expression.sql
--! Included beats/_driven_by.sql
create or replace function carillon._driven_by(schedule text, timezone text, now timestamptz) returns jsonb
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_version constant text := carillon._pg_cron_version();
  -- A rate without a start of its own counts from when its cron is made.
  v_expression constant text := carillon._beat_expression(schedule, timezone, v_version, now, now);
begin
  return jsonb_build_object(
    'driver', case when v_expression is null then 'ticker' else 'pg_cron' end,
    'expression', v_expression,
    'why', case
      when v_expression is not null then null
      when v_version is null then 'pg_cron does not drive this database'
      else format('pg_cron %s cannot wake this schedule', v_version)
    end);
end;
$$;
comment on function carillon._driven_by(text, text, timestamptz) is
  'Which driver would fire a cron of this schedule if it were made now: pg_cron with the expression of its beat (in GMT), or the ticker, and why.';
revoke all on function carillon._driven_by(text, text, timestamptz) from public;
--! EndIncluded beats/_driven_by.sql
--! Included beats/_widen_expression.sql
create or replace function carillon._widen_expression(expression text) returns text
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  v_minutes bigint;
  v_step integer;
begin
  if expression is null or expression like '%second%' then
    return expression;
  end if;
  v_minutes := carillon._parse_field(split_part(expression, ' ', 1), 'minute', 0, 59);
  if v_minutes & (v_minutes - 1) = 0 then
    return carillon._lowest_bit(v_minutes) || ' * * * *';
  end if;
  foreach v_step in array array[30, 15, 10, 5] loop
    if v_minutes & ~carillon._parse_field('*/' || v_step, 'minute', 0, 59) = 0 then
      return format('*/%s * * * *', v_step);
    end if;
  end loop;
  return '* * * * *';
end;
$$;
comment on function carillon._widen_expression(text) is
  'A pg_cron expression that wakes whenever this one does, one of 65: a minute of every hour, every 30, 15, 10 or 5 minutes, or every minute.';
revoke all on function carillon._widen_expression(text) from public;
--! EndIncluded beats/_widen_expression.sql
--! Included beats/_wanted_beats.sql
create or replace function carillon._wanted_beats(crons uuid[]) returns table (cron_id uuid, expression text, widened boolean)
language plpgsql stable security invoker
set search_path = ''
-- Planned once, for few crons as for many: planning takes longer than running it for one.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  -- So many pg_cron jobs may wake at the same minute without being a load of their own.
  v_most constant integer := 60;
  v_now timestamptz := carillon.now();
  v_version text := carillon._pg_cron_version();
  v_crons uuid[] := coalesce(crons, array(select c.id from carillon.crons c));
begin
  return query
    -- Crons that share a schedule share its compilation.
    with plans as materialized (
      select m.ids, m.present, m.widened,
        case when m.wakes then carillon._beat_expression(m.schedule, m.timezone, v_version, v_now, m.anchor_at) end as narrow
      from (
        select c.schedule, c.timezone, c.anchor_at, c.next_fire_at is not null and v_version is not null as wakes,
          array_agg(c.id) as ids, array_agg(b.expression) as present, array_agg(coalesce(e.widened, false)) as widened
        from carillon.crons c
        left join carillon.beats b on b.id = c.beat_id
        left join carillon.enlistments e on e.cron_id = c.id and e.enlisted_until is null
        where c.id = any (v_crons)
        group by 1, 2, 3, 4
      ) m
    ),
    misplaced as materialized (
      select m.id, p.narrow, exists (
        select from carillon.beats b where b.expression = p.narrow and b.pg_job_id is not null) as beats_already
      from plans p
      cross join lateral unnest(p.ids, p.present, p.widened) as m (id, present, is_widened)
      where m.present is distinct from p.narrow
        -- Who was put on a wider beat stays there while it is wide enough: nobody moves because the
        -- bound is crossed, in either direction.
        and not (m.is_widened and m.present is not distinct from carillon._widen_expression(p.narrow))
    ),
    room as materialized (
      select (select count(*) from carillon.beats b where b.pg_job_id is not null)
        + (select count(distinct x.narrow) from misplaced x where not x.beats_already) <= v_most as is_enough
    )
    select w.id, w.wanted, w.wanted is distinct from w.narrow
    from (
      select x.id, x.narrow, case when r.is_enough or x.beats_already then x.narrow else carillon._widen_expression(x.narrow) end as wanted
      from misplaced x
      cross join room r
    ) w;
end;
$$;
comment on function carillon._wanted_beats(uuid[]) is
  'Which of these crons (null: of all) should be on another beat, and on which: none when a cron has no slot to come, or where pg_cron cannot wake it; a widened one when it would be yet another of very many.';
revoke all on function carillon._wanted_beats(uuid[]) from public;
--! EndIncluded beats/_wanted_beats.sql
--! Included beats/_schedule_job.sql
create or replace function carillon._schedule_job(job_name text, expression text, command text) returns bigint
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  -- cron.schedule with a known name keeps the job's id.
  return cron.schedule(job_name, expression, command);
end;
$$;
comment on function carillon._schedule_job(text, text, text) is 'Makes or changes a pg_cron job by name; returns its id.';
revoke all on function carillon._schedule_job(text, text, text) from public;
--! EndIncluded beats/_schedule_job.sql
--! Included beats/_unschedule_job.sql
create or replace function carillon._unschedule_job(job bigint) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  -- The extension may have been dropped, and its jobs with it.
  if to_regclass('cron.job') is null then
    return;
  end if;
  -- cron.unschedule raises for a job that is gone already; gone is what is wanted.
  perform cron.unschedule(j.jobid) from cron.job j where j.jobid = job;
end;
$$;
comment on function carillon._unschedule_job(bigint) is 'Removes a pg_cron job if it is still there.';
revoke all on function carillon._unschedule_job(bigint) from public;
--! EndIncluded beats/_unschedule_job.sql
--! Included beats/_settle_beats.sql
create or replace function carillon._settle_beats(beats bigint[]) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_beat carillon.beats;
  v_needed boolean;
  v_job bigint;
begin
  for v_beat in select b.* from carillon.beats b where b.id = any (beats) order by b.expression for no key update loop
    v_needed := exists (select from carillon.crons c where c.beat_id = v_beat.id);
    if v_needed and v_beat.pg_job_id is null then
      v_job := carillon._schedule_job('carillon beat ' || v_beat.id, v_beat.expression,
        format('select carillon.fire_beat(%s)', v_beat.id));
      insert into carillon.beat_jobs (pg_job_id, beat_id) values (v_job, v_beat.id)
      on conflict (pg_job_id) do update set beat_id = excluded.beat_id; -- a pg_cron made anew counts from 1 again
      update carillon.beats b set pg_job_id = v_job where b.id = v_beat.id;
    elsif not v_needed and v_beat.pg_job_id is not null then
      perform carillon._unschedule_job(v_beat.pg_job_id);
      update carillon.beats b set pg_job_id = null where b.id = v_beat.id;
    end if;
  end loop;
end;
$$;
comment on function carillon._settle_beats(bigint[]) is
  'Schedules with pg_cron the beats that have members and no job, and unschedules those that have a job and no members.';
revoke all on function carillon._settle_beats(bigint[]) from public;
--! EndIncluded beats/_settle_beats.sql
--! Included beats/_enlist_crons.sql
create or replace function carillon._enlist_crons(crons uuid[]) returns void
language plpgsql volatile security invoker
set search_path = ''
-- Planned once, for few crons as for many: planning takes longer than running it for one.
set plan_cache_mode = force_generic_plan
set enable_seqscan = off
set jit = off
as $$
declare
  v_now timestamptz := carillon.now();
  v_ids uuid[];
  v_expressions text[];
  v_widened boolean[];
  v_left text[];
  v_expression text;
  v_beat bigint;
  v_job bigint;
  v_unsettled bigint[] := '{}';
begin
  select coalesce(array_agg(w.cron_id), '{}'), array_agg(w.expression), array_agg(w.widened) into v_ids, v_expressions, v_widened
  from carillon._wanted_beats(_enlist_crons.crons) as w;
  if cardinality(v_ids) = 0 then
    return;
  end if;
  v_left := array(
    select distinct b.expression from carillon.crons c join carillon.beats b on b.id = c.beat_id where c.id = any (v_ids));

  -- Lock order: beats by expression. Who leaves a beat, and may have to unschedule it, waits for all who join it;
  -- who has to schedule it waits for who does the same; who joins one that is scheduled waits for leavers only.
  for v_expression in
    select u.e from (select unnest(v_expressions) union select unnest(v_left)) as u (e) where u.e is not null order by u.e
  loop
    if v_expression = any (v_left) then
      select b.id into v_beat from carillon.beats b where b.expression = v_expression for update;
      v_unsettled := v_unsettled || v_beat;
      continue;
    end if;
    -- No condition on the job here: a row that is locked and then found not to meet it stays locked all the same.
    select b.id, b.pg_job_id into v_beat, v_job from carillon.beats b where b.expression = v_expression for key share;
    if v_job is null then
      insert into carillon.beats (expression) values (v_expression)
      on conflict on constraint beats_expression_unique do nothing;
      -- Not "for update": others who found it so hold their share, and would wait for ours.
      select b.id into v_beat from carillon.beats b where b.expression = v_expression for no key update;
      v_unsettled := v_unsettled || v_beat;
    end if;
  end loop;

  update carillon.crons c set beat_id = b.id
  from unnest(v_ids, v_expressions) as w (cron_id, expression)
  left join carillon.beats b on b.expression = w.expression
  where c.id = w.cron_id;
  if cardinality(v_left) > 0 then
    update carillon.enlistments e set enlisted_until = greatest(v_now, e.enlisted_from)
    where e.cron_id = any (v_ids) and e.enlisted_until is null;
  end if;
  insert into carillon.enlistments (cron_id, beat_id, widened, enlisted_from)
  select w.cron_id, b.id, w.widened, v_now
  from unnest(v_ids, v_expressions, v_widened) as w (cron_id, expression, widened)
  join carillon.beats b on b.expression = w.expression;

  if cardinality(v_unsettled) > 0 then
    perform carillon._settle_beats(v_unsettled);
  end if;
end;
$$;
comment on function carillon._enlist_crons(uuid[]) is
  'Puts crons (null: all) on the beats that wake them, and takes those with no slot to come off theirs; a beat lives in pg_cron exactly while it has members.';
revoke all on function carillon._enlist_crons(uuid[]) from public;
--! EndIncluded beats/_enlist_crons.sql
--! Included beats/_enlist_strays.sql
create or replace function carillon._enlist_strays(max_crons integer) returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_version text := carillon._pg_cron_version();
  v_crons uuid[];
begin
  if v_version is null then
    return 0;
  end if;
  -- Firing does not touch beats, so a cron that has no slot to come is still on its own; and one that
  -- was made while pg_cron was being enabled, or before it could wake such a schedule, is on none.
  with beatless as materialized (
    select p.schedule, p.timezone, p.anchor_at, carillon._beat_expression(p.schedule, p.timezone, v_version, v_now, p.anchor_at) as expression
    from (
      select distinct c.schedule, c.timezone, c.anchor_at from carillon.crons c where c.beat_id is null and c.next_fire_at is not null
    ) p
  )
  select array(
    select c.id
    from carillon.crons c
    where (c.beat_id is not null and c.next_fire_at is null)
      or (c.beat_id is null and c.next_fire_at is not null and exists (
        select from beatless b where b.schedule = c.schedule and b.timezone = c.timezone and b.anchor_at is not distinct from c.anchor_at
          and b.expression is not null))
    limit max_crons
    for no key update skip locked
  ) into v_crons;
  perform carillon._enlist_crons(v_crons);
  return cardinality(v_crons);
end;
$$;
comment on function carillon._enlist_strays(integer) is
  'Takes crons that have no slot to come off their beats, and puts those on one that should be on one and are not; returns how many.';
revoke all on function carillon._enlist_strays(integer) from public;
--! EndIncluded beats/_enlist_strays.sql
--! Included beats/_repair_beats.sql
create or replace function carillon._repair_beats() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_sweep constant text := 'select carillon.sweep()';
  v_broken bigint[];
begin
  -- pg_cron raises when two remove the same job; who enables it right now mends everything anyway.
  if carillon._pg_cron_version() is null
     or not pg_try_advisory_xact_lock(hashtextextended('carillon.enable_pg_cron', 0)) then
    return 0;
  end if;
  -- Jobs that somebody removed or changed. cron.schedule() would keep what else was changed about them.
  -- And beats that lost theirs to one who left in a transaction that could not see another join.
  select coalesce(array_agg(b.id), '{}') into v_broken
  from carillon.beats b
  left join cron.job j on j.jobid = b.pg_job_id
  where case when b.pg_job_id is null then exists (select from carillon.crons c where c.beat_id = b.id)
    else j.jobid is null
      or (j.jobname, j.schedule, j.command, j.active, j.database, j.username)
        is distinct from ('carillon beat ' || b.id, b.expression, format('select carillon.fire_beat(%s)', b.id), true,
          current_database()::text, current_user::text) end;
  if cardinality(v_broken) > 0 then
    perform from carillon.beats b where b.id = any (v_broken) order by b.expression for update;
    perform carillon._unschedule_job(j.jobid)
    from carillon.beats b
    join cron.job j on j.jobname = 'carillon beat ' || b.id or j.command = format('select carillon.fire_beat(%s)', b.id)
    where b.id = any (v_broken);
    update carillon.beats b set pg_job_id = null where b.id = any (v_broken);
    perform carillon._settle_beats(v_broken);
  end if;

  -- Jobs that no beat knows.
  perform carillon._unschedule_job(j.jobid)
  from cron.job j
  where starts_with(j.jobname, 'carillon beat ') and j.database = current_database()
    and not exists (select from carillon.beats b where b.pg_job_id = j.jobid);

  if not exists (
    select from cron.job j
    where j.jobname = 'carillon sweep' and j.schedule = '* * * * *' and j.command = v_sweep and j.active
      and j.database = current_database() and j.username = current_user
  ) then
    perform carillon._unschedule_job(j.jobid) from cron.job j where j.jobname = 'carillon sweep' or j.command = v_sweep;
    perform carillon._schedule_job('carillon sweep', '* * * * *', v_sweep);
  end if;
  return cardinality(v_broken);
end;
$$;
comment on function carillon._repair_beats() is
  'Makes cron.job hold exactly the sweep and the jobs of the beats; returns how many beats had to be scheduled again.';
revoke all on function carillon._repair_beats() from public;
--! EndIncluded beats/_repair_beats.sql
--! Included beats/_trim_runs.sql
create or replace function carillon._trim_runs() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_before timestamptz := carillon.now() - interval '7 days';
  v_from bigint := coalesce((select (s.value #>> '{}')::bigint from carillon.settings s where s.key = 'runs_trimmed_to'), 0);
  v_to bigint;
  v_trimmed integer;
begin
  if carillon._pg_cron_version() is null then
    return 0;
  end if;
  -- pg_cron's history has no index but its key, and holds other people's runs too: it is walked once, from
  -- where the last sweep stopped, a bounded number of runs at a time.
  if v_from > (select max(d.runid) from cron.job_run_details d) then
    v_from := 0; -- a pg_cron made anew counts from 1 again
  end if;
  select max(r.runid) filter (where coalesce(r.end_time, r.start_time) < v_before) into v_to
  from (
    select d.runid, d.start_time, d.end_time from cron.job_run_details d where d.runid > v_from order by d.runid limit 20000
  ) r;
  if v_to is null then
    return 0;
  end if;
  delete from cron.job_run_details d
  where d.runid > v_from and d.runid <= v_to
    and (coalesce(d.end_time, d.start_time) < v_before or d.start_time is null)
    and d.database = current_database()
    and (d.command = 'select carillon.sweep()' or starts_with(d.command, 'select carillon.fire_beat('));
  get diagnostics v_trimmed = row_count;
  insert into carillon.settings (key, value) values ('runs_trimmed_to', to_jsonb(v_to))
  on conflict (key) do update set value = excluded.value;
  return v_trimmed;
end;
$$;
comment on function carillon._trim_runs() is 'Deletes runs of Carillon''s jobs that ended over 7 days ago from pg_cron''s history, which nothing else trims.';
revoke all on function carillon._trim_runs() from public;
--! EndIncluded beats/_trim_runs.sql
--! Included beats/fire_beat.sql
create or replace function carillon.fire_beat(beat bigint) returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  -- A wake decides all that is due, not only the crons of its own beat: when thousands of beats wake
  -- at one minute, the first does the work and the others find nothing left.
  return (carillon.fire_due('pg_cron') ->> 'fired')::integer;
end;
$$;
comment on function carillon.fire_beat(bigint) is 'What a beat''s pg_cron job calls at each wake; returns how many crons were decided.';
revoke all on function carillon.fire_beat(bigint) from public;
--! EndIncluded beats/fire_beat.sql
--! Included beats/enable_pg_cron.sql
create or replace function carillon.enable_pg_cron() returns text
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_here boolean := exists (select from pg_catalog.pg_extension e where e.extname = 'pg_cron');
  v_home text := carillon._pg_cron_home();
begin
  perform pg_advisory_xact_lock(hashtextextended('carillon.enable_pg_cron', 0));
  if not exists (select from pg_catalog.pg_available_extensions e where e.name = 'pg_cron') then
    raise exception using errcode = 'TK901', message = 'pg_cron is not installed on this server',
      hint = 'install its package (Debian: postgresql-' || current_setting('server_version_num')::integer / 10000
        || '-cron), set shared_preload_libraries = ''pg_cron'' in postgresql.conf, and restart the server';
  end if;
  if v_home is null and not v_here and pg_has_role(current_user, 'pg_read_all_settings', 'usage') then
    raise exception using errcode = 'TK901', message = 'pg_cron is installed but not loaded',
      hint = 'set shared_preload_libraries = ''pg_cron'' in postgresql.conf, and restart the server';
  end if;
  if v_home <> current_database() then
    raise exception using errcode = 'TK901',
      message = format('pg_cron of this server lives in the database "%s", not in "%s"', v_home, current_database()),
      hint = format('set cron.database_name = ''%s'' in postgresql.conf, and restart the server', current_database());
  end if;
  if not (select r.rolcanlogin from pg_catalog.pg_roles r where r.rolname = current_user) then
    raise exception using errcode = 'TK901', message = format('pg_cron refuses jobs of the role "%s", which cannot log in', current_user),
      hint = format('alter role %I login;', current_user);
  end if;
  if not v_here then
    begin
      -- With search_path empty there is no default schema; from 1.5 on pg_cron asks for this one itself.
      create extension pg_cron schema pg_catalog;
    exception when insufficient_privilege then
      raise exception using errcode = 'TK901', message = format('the role "%s" may not create the extension pg_cron', current_user),
        hint = format('as a superuser: create extension pg_cron; grant usage on schema cron to %I;', current_user);
    end;
  end if;
  if not has_schema_privilege(current_user, 'cron', 'usage') then
    raise exception using errcode = 'TK901', message = format('the role "%s" may not use pg_cron', current_user),
      hint = format('as a superuser: grant usage on schema cron to %I;', current_user);
  end if;

  insert into carillon.settings (key, value) values ('pg_cron', 'true') on conflict (key) do nothing;
  if found then
    perform carillon._audit(null, 'settings.update', null, null, null, '{"pgCron": false}', '{"pgCron": true}');
  end if;
  insert into carillon.settings (key, value) values ('pg_cron_seen_at', to_jsonb(carillon.now())) on conflict (key) do nothing;
  if exists (select from carillon._wanted_beats(null)) then
    -- Lock order: crons, then beats. Whoever edits or fires a cron is waited for, and waits.
    lock table carillon.crons in exclusive mode;
    perform carillon._enlist_crons(null);
  end if;
  perform carillon._repair_beats();
  return carillon._pg_cron_version();
end;
$$;
comment on function carillon.enable_pg_cron() is
  'Lets pg_cron drive this database: makes the extension where needed, schedules the sweep and all beats, and returns pg_cron''s version. TK901 says what is missing and the line that fixes it.';
revoke all on function carillon.enable_pg_cron() from public;
--! EndIncluded beats/enable_pg_cron.sql
--! Included beats/disable_pg_cron.sql
create or replace function carillon.disable_pg_cron() returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform pg_advisory_xact_lock(hashtextextended('carillon.enable_pg_cron', 0));
  if carillon._pg_cron_version() is not null then
    perform carillon._unschedule_job(j.jobid) from cron.job j where j.jobname = 'carillon sweep';
  end if;
  delete from carillon.settings s where s.key in ('pg_cron', 'pg_cron_seen_at');
  if found then
    perform carillon._audit(null, 'settings.update', null, null, null, '{"pgCron": true}', '{"pgCron": false}');
  end if;
  -- Lock order: crons, then beats. Whoever edits or fires a cron is waited for, and waits.
  lock table carillon.crons in exclusive mode;
  perform carillon._enlist_crons(null);
end;
$$;
comment on function carillon.disable_pg_cron() is 'Takes every job of Carillon out of pg_cron; the ticker drives from then on.';
revoke all on function carillon.disable_pg_cron() from public;
--! EndIncluded beats/disable_pg_cron.sql
--! Included beats/_pg_cron_stuck.sql
create or replace function carillon._pg_cron_stuck(now timestamptz) returns boolean
language sql stable security invoker
set search_path = ''
as $$
  -- It is due at every whole minute, and 15 seconds late is late even under load.
  select carillon._pg_cron_version() is not null and exists (
    select from carillon.settings s
    where s.key = 'pg_cron_seen_at'
      and (s.value #>> '{}')::timestamptz < date_trunc('minute', now - interval '15 seconds') - interval '1 second'
  )
$$;
comment on function carillon._pg_cron_stuck(timestamptz) is
  'Whether pg_cron, which should drive, did not sweep at the last whole minute: its launcher is dead, stuck or switched off.';
revoke all on function carillon._pg_cron_stuck(timestamptz) from public;
--! EndIncluded beats/_pg_cron_stuck.sql
--! Included beats/pg_cron_status.sql
create or replace function carillon.pg_cron_status() returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_version text := carillon._pg_cron_version();
begin
  return jsonb_build_object(
    'available', (select e.default_version from pg_catalog.pg_available_extensions e where e.name = 'pg_cron'),
    'loaded', v_version is not null or carillon._pg_cron_home() is not null,
    'database', case when v_version is not null then current_database() else carillon._pg_cron_home() end,
    'driving', v_version,
    'lastSeenAt', (select s.value from carillon.settings s where s.key = 'pg_cron_seen_at'),
    'stuck', carillon._pg_cron_stuck(carillon.now()),
    'beats', (select count(*) from carillon.beats b where b.pg_job_id is not null));
end;
$$;
comment on function carillon.pg_cron_status() is 'What pg_cron is to this database: available, loaded, in which database it lives, the version that drives, and whether it still does.';
revoke all on function carillon.pg_cron_status() from public;
--! EndIncluded beats/pg_cron_status.sql
--! Included beats/list_runs.sql
create or replace function carillon.list_runs(cron uuid, max_rows integer default 50)
returns table (
  runid bigint, job_pid integer, status text, return_message text, start_time timestamptz, end_time timestamptz,
  outcome text, scheduled_for timestamptz, msg_id bigint
)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if max_rows is null or max_rows not between 1 and 500 then
    perform carillon._invalid('limit', 'must be from 1 to 500');
  end if;
  if to_regclass('cron.job_run_details') is null then
    return;
  end if;
  return query
    select d.runid, d.job_pid, d.status, d.return_message, d.start_time, d.end_time, t.outcome, t.scheduled_for, t.msg_id
    from (
      select r.*, b.expression, (
        select bool_and(e.widened)
        from carillon.enlistments e
        where e.cron_id = list_runs.cron and e.beat_id = b.id
          -- A run that never started has no times; it belongs to whoever is enlisted.
          and coalesce(r.start_time, r.end_time, e.enlisted_from) >= e.enlisted_from - interval '1 second'
          and (e.enlisted_until is null or coalesce(r.start_time, r.end_time, e.enlisted_until) <= e.enlisted_until)
      ) as is_widened
      from cron.job_run_details r
      join carillon.beat_jobs j on j.pg_job_id = r.jobid
      join carillon.beats b on b.id = j.beat_id
      where b.id in (select e.beat_id from carillon.enlistments e where e.cron_id = list_runs.cron)
    ) d
    -- The slot a wake was for is the newest one at its time, whichever driver decided it.
    left join lateral (
      select k.outcome, k.scheduled_for, k.msg_id
      from carillon.ticks k
      where k.cron_id = list_runs.cron
        and k.scheduled_for <= d.start_time
        and k.scheduled_for > d.start_time - case when d.expression like '%second%' then interval '1 second' else interval '1 minute' end
      order by k.scheduled_for desc
      limit 1
    ) t on true
    where d.is_widened = false or d.is_widened and t.scheduled_for is not null
    order by d.runid desc
    limit max_rows;
end;
$$;
comment on function carillon.list_runs(uuid, integer) is
  'pg_cron''s record of the wakes of a cron across all beats it has been on, newest first, each with the outcome of the slot it was for.';
revoke all on function carillon.list_runs(uuid, integer) from public;
--! EndIncluded beats/list_runs.sql
--! Included ticks/_jitter.sql
create or replace function carillon._jitter(cron uuid, seconds integer) returns interval
language sql immutable parallel safe security invoker
return case when seconds = 0 then interval '0'
  else ((hashtextextended(cron::text, 0) & 2147483647) % (seconds + 1)) * interval '1 second' end;
comment on function carillon._jitter(uuid, integer) is 'The stable delay of a cron''s jobs: 0 to the given seconds, by hash of its id.';
revoke all on function carillon._jitter(uuid, integer) from public;
--! EndIncluded ticks/_jitter.sql
--! Included ticks/_cron_next.sql
create or replace function carillon._cron_next(cron carillon.crons, after timestamptz) returns timestamptz
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return carillon.next_fire(cron.schedule, cron.timezone, after, cron.anchor_at, cron.starts_at, cron.ends_at,
    cron.dst_gap, cron.dst_fold);
end;
$$;
comment on function carillon._cron_next(carillon.crons, timestamptz) is 'A cron''s first slot after a time.';
revoke all on function carillon._cron_next(carillon.crons, timestamptz) from public;
--! EndIncluded ticks/_cron_next.sql
--! Included ticks/_overlap_reason.sql
create or replace function carillon._overlap_reason(overlap_policy text) returns text
language sql immutable parallel safe security invoker
return case overlap_policy
  when 'buffer' then 'a job of this cron is already waiting'
  else 'a job of this cron is still queued or running'
end;
comment on function carillon._overlap_reason(text) is 'Why an overlap policy let no job through, for the ledger.';
revoke all on function carillon._overlap_reason(text) from public;
--! EndIncluded ticks/_overlap_reason.sql
--! Included ticks/_decide_slot.sql
create or replace function carillon._decide_slot(
  cron carillon.crons,
  slot timestamptz,
  now timestamptz,
  driver text,
  outcome text
) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_outcome text := outcome;
  v_reason text := carillon._may_fire(cron.owner_id, cron.app_id);
  v_due timestamptz := now + carillon._jitter(cron.id, cron.jitter_seconds);
  v_other bigint;
  v_job bigint;
begin
  if exists (select from carillon.ticks t where t.cron_id = cron.id and t.scheduled_for = slot) then
    return;
  end if;
  if v_reason is not null then
    v_outcome := 'denied';
  else
    v_other := carillon._blocker_of(cron.id, cron.overlap_policy, now);
    if v_other is not null then
      v_outcome := 'skipped';
      v_reason := carillon._overlap_reason(cron.overlap_policy);
    else
      if cron.overlap_policy = 'replace' then
        v_other := carillon._replace_jobs(cron.id, format('replaced by the job of the slot %s', to_json(slot) #>> '{}'));
        if v_other is not null then
          v_outcome := 'replaced';
          v_reason := 'the job before it was canceled';
        end if;
      end if;
      v_job := carillon._send_job(cron.app_id, carillon._cron_payload(cron.id, cron.payload, cron.method), cron.owner_id,
        carillon._cron_headers(cron.id, 'automatic', slot, carillon._agent_options(cron.app_id) || cron.job_headers, v_due, cron.expires_after_seconds)
          || carillon._due_header(v_due, now), v_due);
    end if;
  end if;
  insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, msg_id, blocked_by, driver, decided_at)
  values (cron.id, slot, cron.app_id, v_outcome, v_reason, v_job, v_other, driver, now);
end;
$$;
comment on function carillon._decide_slot(carillon.crons, timestamptz, timestamptz, text, text) is
  'Decides one slot of a cron whose row the caller has locked: permission, overlap, job and ledger row together.';
revoke all on function carillon._decide_slot(carillon.crons, timestamptz, timestamptz, text, text) from public;
--! EndIncluded ticks/_decide_slot.sql
--! Included ticks/_decide_backlog.sql
create or replace function carillon._decide_backlog(cron carillon.crons, now timestamptz, driver text) returns timestamptz
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  -- A wake that finds the cron locked leaves it to the next one, which may come a minute later.
  v_on_time constant interval := interval '90 seconds';
  v_batch constant integer := 5000;
  v_keep constant integer := case cron.catch_up when 'all' then cron.catch_up_max else 1 end;
  v_since constant timestamptz := now - case when cron.catch_up = 'none' then v_on_time
    else greatest(v_on_time, cron.catch_up_window_seconds * interval '1 second') end;
  v_slots timestamptz[] := '{}';
  v_slot timestamptz := cron.next_fire_at;
  v_settled integer;
begin
  while v_slot <= now and cardinality(v_slots) < v_batch loop
    v_slots := v_slots || v_slot;
    v_slot := carillon._cron_next(cron, v_slot);
  end loop;

  -- Of a backlog longer than a batch, those that newer slots will outlive are settled now.
  v_settled := greatest(cardinality(v_slots) - v_keep, 0);
  if v_slot <= now then
    v_slot := v_slots[v_settled + 1];
    v_slots := v_slots[1 : v_settled];
  end if;

  insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, driver, decided_at)
  select cron.id, m.slot, cron.app_id, 'missed',
    case when m.slot <= v_since then format('nothing could fire within the catch-up window (catchUp "%s")', cron.catch_up)
      else format('newer slots were due as well (catchUp "%s")', cron.catch_up) end,
    driver, now
  from unnest(v_slots) with ordinality as m (slot, place)
  where m.place <= v_settled or m.slot <= v_since
  on conflict on constraint ticks_one_per_slot do nothing;

  for v_at in v_settled + 1 .. cardinality(v_slots) loop
    if v_slots[v_at] > v_since then
      perform carillon._decide_slot(cron, v_slots[v_at], now, driver,
        case when v_slots[v_at] > now - v_on_time then 'enqueued' else 'caught_up' end);
    end if;
  end loop;
  return v_slot;
end;
$$;
comment on function carillon._decide_backlog(carillon.crons, timestamptz, text) is
  'Decides every slot of a locked cron that has come due, by its catch-up policy; what is not caught up is recorded as missed. Returns the slot to decide next.';
revoke all on function carillon._decide_backlog(carillon.crons, timestamptz, text) from public;
--! EndIncluded ticks/_decide_backlog.sql
--! Included ticks/_pass_slots.sql
create or replace function carillon._pass_slots(cron carillon.crons, now timestamptz, driver text, outcome text, reason text)
returns timestamptz
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_batch constant integer := 5000;
  v_slots timestamptz[] := '{}';
  v_slot timestamptz := cron.next_fire_at;
begin
  while v_slot <= now and cardinality(v_slots) < v_batch loop
    v_slots := v_slots || v_slot;
    v_slot := carillon._cron_next(cron, v_slot);
  end loop;
  insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, driver, decided_at)
  select cron.id, s, cron.app_id, outcome, reason, driver, now from unnest(v_slots) as s
  on conflict on constraint ticks_one_per_slot do nothing;
  return v_slot;
end;
$$;
comment on function carillon._pass_slots(carillon.crons, timestamptz, text, text, text) is
  'Records slots of a locked cron that have come due with an outcome without a job, unless they are decided, a bounded number at a time; returns the slot to go on with.';
revoke all on function carillon._pass_slots(carillon.crons, timestamptz, text, text, text) from public;
--! EndIncluded ticks/_pass_slots.sql
--! Included ticks/_fire_one.sql
create or replace function carillon._fire_one(cron uuid, now timestamptz, driver text) returns boolean
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_pause_after constant integer := 10;
  v_cron carillon.crons;
  v_next timestamptz;
  v_pause text;
  v_error text;
begin
  select c.* into v_cron from carillon.crons c where c.id = _fire_one.cron for no key update;
  if v_cron.next_fire_at is null or v_cron.next_fire_at > now then
    return true;
  end if;

  begin
    if carillon._failed_too_often(v_cron.id, v_cron.max_consecutive_failures) then
      v_pause := format('%s jobs in a row failed', v_cron.max_consecutive_failures);
      v_next := carillon._pass_slots(v_cron, now, driver, 'skipped', 'paused: ' || v_pause);
    else
      v_next := carillon._decide_backlog(v_cron, now, driver);
    end if;
  exception when others then
    -- The one place that isolates a bad cron: what it raised becomes the slot's outcome.
    v_error := sqlerrm;
    insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, driver, decided_at)
    values (v_cron.id, v_cron.next_fire_at, v_cron.app_id, 'failed', v_error, driver, now)
    on conflict on constraint ticks_one_per_slot do nothing;
    begin
      v_next := carillon._pass_slots(v_cron, now, driver, 'missed', 'a slot before it could not be decided');
    exception when others then
      v_next := null; -- the sweep tries to arm it again
    end;
  end;
  update carillon.crons c
  set next_fire_at = v_next,
      -- Of a backlog, the newest of its slots.
      last_slot_at = greatest(c.last_slot_at, (
        select max(t.scheduled_for) from carillon.ticks t where t.cron_id = v_cron.id and t.scheduled_for >= v_cron.next_fire_at)),
      completed_at = case when v_next is null and v_error is null then now end
  where c.id = v_cron.id;

  if v_error is not null and v_pause_after = (
    select count(*) filter (where t.outcome = 'failed')
    from (
      select k.outcome from carillon.ticks k
      where k.cron_id = v_cron.id and k.outcome <> 'missed'
      order by k.scheduled_for desc
      limit v_pause_after
    ) t
  ) then
    v_pause := format('its last %s slots could not be decided: %s', v_pause_after, left(v_error, 300));
  end if;
  -- Of a backlog longer than a batch, the rest is on record before the cron is paused.
  if v_pause is not null and coalesce(v_next > now, true) then
    perform carillon._pause_cron(v_cron.id, v_pause);
  end if;
  return v_error is null;
end;
$$;
comment on function carillon._fire_one(uuid, timestamptz, text) is
  'Decides what is due of one cron; an error is recorded as the outcome failed instead of stopping its neighbours, and pauses the cron when it keeps happening. Returns whether it went well.';
revoke all on function carillon._fire_one(uuid, timestamptz, text) from public;
--! EndIncluded ticks/_fire_one.sql
--! Included ticks/_fire_batch.sql
create or replace function carillon._fire_batch(now timestamptz, driver text, max_crons integer, out decided integer, out late uuid[])
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_due uuid[];
  v_keys text[];
begin
  -- Lock order: crons, then the queue. Rows that another driver or an edit holds are left to it, or to the next wake.
  -- A statement of its own: the next one's snapshot then shows every job that an earlier holder of these rows sent.
  v_due := array(
    select c.id
    from carillon.crons c
    where c.next_fire_at <= _fire_batch.now
    order by c.next_fire_at, c.id
    limit max_crons
    for no key update skip locked);
  if cardinality(v_due) = 0 then
    decided := 0;
    late := '{}';
    return;
  end if;

  with due as materialized (
    select c.id, c.app_id, c.owner_id, c.overlap_policy, c.payload, c.method, c.next_fire_at as slot,
      c.schedule, c.timezone, c.anchor_at, c.starts_at, c.ends_at, c.dst_gap, c.dst_fold,
      c.max_consecutive_failures, c.job_headers, c.expires_after_seconds,
      _fire_batch.now + carillon._jitter(c.id, c.jitter_seconds) as due_at
    from carillon.crons c
    where c.id = any (v_due)
  ),
  -- Crons that share a schedule share its arithmetic; those that share an owner, its rights.
  numbered as materialized (
    select d.*,
      dense_rank() over (order by d.schedule, d.timezone, d.slot, d.anchor_at, d.starts_at, d.ends_at, d.dst_gap, d.dst_fold) as plan,
      dense_rank() over (order by d.app_id, d.owner_id) as permit
    from due d
  ),
  plans as materialized (
    select p.plan, carillon.next_fire(p.schedule, p.timezone, p.slot, p.anchor_at, p.starts_at, p.ends_at, p.dst_gap, p.dst_fold) as following
    from (select distinct on (n.plan) n.* from numbered n) p
  ),
  permits as materialized (
    select p.permit, carillon._may_fire(p.owner_id, p.app_id) as denied, carillon._agent_options(p.app_id) as options
    from (select distinct n.permit, n.owner_id, n.app_id from numbered n) p
  ),
  blocked as materialized (
    select b.cron_id, b.msg_id
    from (
      select array_agg(d.id) as crons, array_agg(case d.overlap_policy when 'replace' then 'skip' else d.overlap_policy end) as policies
      from due d
      where d.overlap_policy <> 'queue'
    ) w
    cross join lateral carillon._blockers_of(w.crons, w.policies, _fire_batch.now) b
  ),
  judged as materialized (
    select n.*, p.following, o.denied, case when o.options = '{}' then n.job_headers else o.options || n.job_headers end as options,
      n.slot > _fire_batch.now - interval '90 seconds' and (p.following is null or p.following > _fire_batch.now)
        -- Canceling and pausing are done one cron at a time.
        and (n.max_consecutive_failures is null or not carillon._failed_too_often(n.id, n.max_consecutive_failures))
        and (n.overlap_policy <> 'replace' or b.msg_id is null) as fresh,
      case when n.overlap_policy in ('skip', 'buffer') and o.denied is null then b.msg_id end as blocker
    from numbered n
    join plans p using (plan)
    join permits o using (permit)
    left join blocked b on b.cron_id = n.id
  ),
  -- The job's id is drawn before the job is sent, so that ledger and queue need no join.
  fresh as materialized (
    select j.*,
      case when j.denied is null and j.blocker is null
        then carillon._next_job_id() end as msg_id
    from judged j
    where j.fresh
  ),
  sent as (
    insert into pgmq.q_jobs (msg_id, enqueued_at, vt, message, headers) overriding system value
    select f.msg_id, _fire_batch.now, f.due_at,
      carillon._job_message(f.app_id, carillon._cron_payload(f.id, f.payload, f.method), f.owner_id),
      carillon._cron_headers(f.id, 'automatic', f.slot, f.options, f.due_at, f.expires_after_seconds)
        || carillon._due_header(f.due_at, _fire_batch.now)
    from fresh f
    where f.msg_id is not null
  ),
  ledger as (
    insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, msg_id, blocked_by, driver, decided_at)
    select f.id, f.slot, f.app_id,
      case when f.denied is not null then 'denied' when f.blocker is not null then 'skipped' else 'enqueued' end,
      case when f.denied is not null then f.denied
        when f.blocker is not null then carillon._overlap_reason(f.overlap_policy) end,
      f.msg_id, f.blocker, _fire_batch.driver, _fire_batch.now
    from fresh f
  ),
  moved as (
    update carillon.crons c
    set next_fire_at = f.following, last_slot_at = f.slot, completed_at = case when f.following is null then _fire_batch.now end
    from fresh f
    where c.id = f.id
  )
  select count(*) filter (where j.fresh), coalesce(array_agg(j.id) filter (where not j.fresh), '{}'),
    array_agg(distinct case when j.options ? 'target' then '@' || j.app_id else j.app_id end)
      filter (where j.fresh and j.denied is null and j.blocker is null)
  into decided, late, v_keys
  from judged j;

  perform pg_notify('carillon_jobs', k) from unnest(v_keys) as k;
end;
$$;
comment on function carillon._fire_batch(timestamptz, text, integer) is
  'Locks all due crons and decides their slots in one statement: overlap, ledger, queue. Crons with more than one slot due, a late one, or a job to replace are returned in late and stay locked.';
revoke all on function carillon._fire_batch(timestamptz, text, integer) from public;
--! EndIncluded ticks/_fire_batch.sql
--! Included ticks/_rearm_crons.sql
create or replace function carillon._rearm_crons(max_crons integer) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_cron carillon.crons;
begin
  for v_cron in
    select c.* from carillon.crons c
    where c.enabled and c.next_fire_at is null and c.completed_at is null
    limit max_crons
    for no key update skip locked
  loop
    begin
      v_cron := carillon._arm_cron(v_cron, v_now);
      update carillon.crons c set next_fire_at = v_cron.next_fire_at, completed_at = v_cron.completed_at where c.id = v_cron.id;
    exception when others then
      continue; -- still cannot be computed; its last tick says why
    end;
  end loop;
end;
$$;
comment on function carillon._rearm_crons(integer) is 'Gives enabled crons that have no next slot one, at most so many (null: all): it could not be computed, or was given up.';
revoke all on function carillon._rearm_crons(integer) from public;
--! EndIncluded ticks/_rearm_crons.sql
--! Included ticks/_fire_some.sql
create or replace function carillon._fire_some(now timestamptz, driver text, max_crons integer, out fired integer, out failed integer, out more boolean)
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_cron uuid;
  v_late uuid[];
begin
  failed := 0;
  begin
    select b.decided, b.late into fired, v_late from carillon._fire_batch(now, driver, max_crons) as b;
  exception when others then
    -- Some cron in the batch raises: find it by deciding them one at a time.
    fired := 0;
    v_late := array(
      select c.id from carillon.crons c where c.next_fire_at <= _fire_some.now
      order by c.next_fire_at, c.id limit max_crons for no key update skip locked);
  end;
  more := fired + cardinality(v_late) = max_crons;
  foreach v_cron in array v_late loop
    if carillon._fire_one(v_cron, now, driver) then
      fired := fired + 1;
    else
      failed := failed + 1;
    end if;
  end loop;
end;
$$;
comment on function carillon._fire_some(timestamptz, text, integer) is
  'Decides what is due of at most so many crons that no other driver is deciding; whether there may be more.';
revoke all on function carillon._fire_some(timestamptz, text, integer) from public;
--! EndIncluded ticks/_fire_some.sql
--! Included ticks/_ticker_at_work.sql
create or replace function carillon._ticker_at_work() returns boolean
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_key constant bigint := hashtextextended('carillon.tick', 0);
begin
  if not pg_try_advisory_lock_shared(v_key) then
    return true;
  end if;
  perform pg_advisory_unlock_shared(v_key);
  return false;
end;
$$;
comment on function carillon._ticker_at_work() is 'Whether a tick is under way in another session just now.';
revoke all on function carillon._ticker_at_work() from public;
--! EndIncluded ticks/_ticker_at_work.sql
--! Included ticks/fire_due.sql
create or replace function carillon.fire_due(driver text default 'api') returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  -- What pg_cron leaves for a ticker is as much as that takes at a time.
  v_batch constant integer := case driver when 'pg_cron' then 2500 else 20000 end;
  v_some record;
  v_fired integer := 0;
  v_failed integer := 0;
begin
  if driver is null or driver not in ('pg_cron', 'ticker', 'sweep', 'api') then
    perform carillon._invalid('driver', 'must be "pg_cron", "ticker", "sweep" or "api"');
  end if;
  if carillon._is_held() then
    return jsonb_build_object('fired', 0, 'failed', 0, 'held', true);
  end if;
  loop
    v_some := carillon._fire_some(v_now, driver, v_batch);
    v_fired := v_fired + v_some.fired;
    v_failed := v_failed + v_some.failed;
    -- A ticker goes on with the rest, and commits as it goes: its jobs run while this transaction would only grow.
    exit when not v_some.more or driver = 'pg_cron' and carillon._ticker_at_work();
  end loop;
  return jsonb_build_object('fired', v_fired, 'failed', v_failed);
end;
$$;
comment on function carillon.fire_due(text) is
  'Decides every slot that has come due and that no other driver is deciding. Calling it too often is harmless. In a storm pg_cron leaves the rest to a ticker that is at work. Fires nothing in a copy of the database that is held (clone_status).';
revoke all on function carillon.fire_due(text) from public;
--! EndIncluded ticks/fire_due.sql
--! Included ticks/fire_next_slot.sql
create or replace function carillon.fire_next_slot(cron uuid, app text default null)
returns table (scheduled_for timestamptz, outcome text, reason text, job_id bigint)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_cron carillon.crons := carillon._lock_cron(fire_next_slot.app, fire_next_slot.cron);
  v_slot timestamptz := v_cron.next_fire_at;
begin
  if v_slot is null then
    perform carillon._invalid('cron', 'has no next slot: it is paused, or has completed');
  end if;
  perform carillon._decide_slot(v_cron, v_slot, v_now, 'api', 'enqueued');
  update carillon.crons c
  set next_fire_at = carillon._cron_next(v_cron, v_slot),
      last_slot_at = v_slot,
      completed_at = case when carillon._cron_next(v_cron, v_slot) is null then v_now end
  where c.id = v_cron.id;
  return query
    select t.scheduled_for, t.outcome, t.reason, t.msg_id
    from carillon.ticks t
    where t.cron_id = v_cron.id and t.scheduled_for = v_slot;
end;
$$;
comment on function carillon.fire_next_slot(uuid, text) is
  'Decides the next slot of a cron now, ahead of its time, as if it had come: to try a cron out. Its place in the ledger is taken by that. Returns what was decided; TK001 for one that has no next slot.';
revoke all on function carillon.fire_next_slot(uuid, text) from public;
--! EndIncluded ticks/fire_next_slot.sql
--! Included ticks/_zone_rules.sql
create or replace function carillon._zone_rules(timezone text, from_time timestamptz) returns text
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_zone text;
begin
  v_zone := carillon._zone_name(timezone);
  -- Steps of a week: no zone has ever changed there and back within one.
  return (
    select string_agg(
      case when s.before is null then s.zone_offset::text
        else format('%s@%s', s.zone_offset, carillon._zone_change(v_zone, s.instant - 7 * 86400, s.instant)) end,
      ' ' order by s.instant)
    from (
      select i.instant, carillon._zone_offset(v_zone, i.instant) as zone_offset,
        lag(carillon._zone_offset(v_zone, i.instant)) over (order by i.instant) as before
      from (select date_part('epoch', from_time)::bigint + 7 * 86400 * w as instant from generate_series(0, 105) as w) i
    ) s
    where s.before is distinct from s.zone_offset
  );
exception when sqlstate 'TK003' then
  return null;
end;
$$;
comment on function carillon._zone_rules(text, timestamptz) is
  'A time zone''s offset (in seconds) at a time and its changes, to the second, in the two years after it; null for a zone that this server does not know.';
revoke all on function carillon._zone_rules(text, timestamptz) from public;
--! EndIncluded ticks/_zone_rules.sql
--! Included ticks/_follow_zones.sql
create or replace function carillon._follow_zones() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_from timestamptz := date_trunc('month', v_now, 'UTC');
  v_known jsonb := coalesce((select s.value from carillon.settings s where s.key = 'zones'), '{"at": "-infinity", "rules": {}}');
  v_rules jsonb;
  v_changed text[];
  v_crons uuid[];
begin
  if (v_known ->> 'at')::timestamptz > v_now - interval '1 hour' then
    return 0;
  end if;
  -- Compared is the window that was looked at before; kept is the one from this month on. What a
  -- server no longer knows is remembered, for the day on which it does.
  with zones as materialized (
    select c.timezone, v_known -> 'rules' ->> c.timezone as known,
      carillon._zone_rules(c.timezone, (v_known ->> 'from')::timestamptz) as then_now,
      carillon._zone_rules(c.timezone, v_from) as rules
    from (select distinct c.timezone from carillon.crons c where c.timezone not in ('GMT', 'UTC')) c
  )
  select coalesce(jsonb_object_agg(z.timezone, coalesce(z.rules, z.known)) filter (where coalesce(z.rules, z.known) is not null), '{}'),
    coalesce(array_agg(z.timezone) filter (where z.known <> z.then_now), '{}')
  into v_rules, v_changed
  from zones z;

  if cardinality(v_changed) > 0 then
    v_crons := array(
      select c.id from carillon.crons c where c.timezone = any (v_changed) and c.next_fire_at > v_now for no key update skip locked);
    update carillon.crons c set next_fire_at = carillon._cron_next(c, v_now) where c.id = any (v_crons);
    perform carillon._enlist_crons(v_crons);
    -- Those that somebody is editing are for the next sweep.
    if exists (
      select from carillon.crons c where c.timezone = any (v_changed) and c.next_fire_at > v_now and c.id <> all (v_crons)
    ) then
      return cardinality(v_changed);
    end if;
  end if;
  if (v_known ->> 'from')::timestamptz is distinct from v_from then
    -- pg_cron's expressions look five years ahead: once a month is often enough to look again.
    v_crons := array(
      select c.id from carillon.crons c where c.id in (select w.cron_id from carillon._wanted_beats(null) w)
      for no key update skip locked);
    perform carillon._enlist_crons(v_crons);
  end if;
  insert into carillon.settings (key, value)
  values ('zones', jsonb_build_object('at', v_now, 'from', v_from, 'rules', v_rules))
  on conflict (key) do update set value = excluded.value;
  return cardinality(v_changed);
end;
$$;
comment on function carillon._follow_zones() is
  'Once an hour: finds time zones whose rules have changed (a new tzdata), and computes and compiles their crons anew; returns how many zones. Once a month all crons are compiled anew.';
revoke all on function carillon._follow_zones() from public;
--! EndIncluded ticks/_follow_zones.sql
--! Included ticks/_undecided_slots.sql
create or replace function carillon._undecided_slots(cron carillon.crons, from_at timestamptz, to_at timestamptz, most integer)
returns timestamptz[]
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_slots timestamptz[] := '{}';
  v_slot timestamptz := carillon._cron_next(cron, from_at - interval '1 microsecond');
  v_steps integer := 0;
begin
  while v_slot <= to_at and cardinality(v_slots) <= most loop
    if not exists (select from carillon.ticks t where t.cron_id = cron.id and t.scheduled_for = v_slot) then
      v_slots := v_slots || v_slot;
    end if;
    v_steps := v_steps + 1;
    if v_steps > 100000 then
      perform carillon._invalid('to', 'must end the range within 100000 slots of the cron');
    end if;
    v_slot := carillon._cron_next(cron, v_slot);
  end loop;
  return v_slots;
end;
$$;
comment on function carillon._undecided_slots(carillon.crons, timestamptz, timestamptz, integer) is
  'The slots of a cron from one time to another, both included, that have no tick; one more than most where there are more.';
revoke all on function carillon._undecided_slots(carillon.crons, timestamptz, timestamptz, integer) from public;
--! EndIncluded ticks/_undecided_slots.sql
--! Included ticks/_run_backfills.sql
create or replace function carillon._run_backfills(backfill uuid default null) returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_backfill carillon.backfills;
  v_cron carillon.crons;
  v_slots timestamptz[];
  v_slot timestamptz;
  v_denied text;
  v_total integer := 0;
begin
  if carillon._is_held() then
    return 0;
  end if;
  for v_backfill in
    select b.* from carillon.backfills b
    where b.finished_at is null and b.id = coalesce(backfill, b.id)
      -- Those that wait for their jobs must not stand in the way of others.
      and carillon._live_jobs_of_backfill(b.cron_id, b.id) < b.concurrency
    order by b.created_at
    limit 100
    for update skip locked
  loop
    -- Two backfills of a cron may hold the same slot. (Not the cron's own lock: drivers would pass it by.)
    continue when not pg_try_advisory_xact_lock(hashtextextended('carillon.backfill ' || v_backfill.cron_id, 0));
    select c.* into v_cron from carillon.crons c where c.id = v_backfill.cron_id;
    v_denied := carillon._may_fire(v_cron.owner_id, v_cron.app_id);
    v_slots := v_backfill.slots[v_backfill.enqueued + 1 : v_backfill.enqueued + v_backfill.concurrency
      - carillon._live_jobs_of_backfill(v_cron.id, v_backfill.id)];
    foreach v_slot in array v_slots loop
      insert into carillon.ticks (cron_id, scheduled_for, app_id, outcome, reason, msg_id, driver, decided_at)
      select v_cron.id, v_slot, v_cron.app_id, case when v_denied is null then 'caught_up' else 'denied' end,
        coalesce(v_denied, 'backfill'),
        case when v_denied is null then carillon._send_job(v_cron.app_id,
          carillon._cron_payload(v_cron.id, v_cron.payload, v_cron.method), v_cron.owner_id,
          carillon._cron_headers(v_cron.id, 'automatic', v_slot, carillon._agent_options(v_cron.app_id) || v_cron.job_headers, v_now, v_cron.expires_after_seconds)
            || jsonb_build_object('backfill_id', v_backfill.id), v_now) end,
        'backfill', v_now
      where not exists (select from carillon.ticks t where t.cron_id = v_cron.id and t.scheduled_for = v_slot);
    end loop;
    v_total := v_total + cardinality(v_slots);
    update carillon.backfills b
    set enqueued = b.enqueued + cardinality(v_slots),
        finished_at = case when b.enqueued + cardinality(v_slots) = cardinality(b.slots) then v_now end
    where b.id = v_backfill.id;
  end loop;
  return v_total;
end;
$$;
comment on function carillon._run_backfills(uuid) is
  'Enqueues the next slots of one backfill or of all open ones, as far as the concurrency of each allows; returns how many.';
revoke all on function carillon._run_backfills(uuid) from public;
--! EndIncluded ticks/_run_backfills.sql
--! Included ticks/backfill_cron.sql
create or replace function carillon.backfill_cron(
  cron uuid,
  from_at timestamptz,
  to_at timestamptz,
  dry_run boolean default false,
  concurrency integer default 1,
  app text default null,
  actor uuid default null,
  actor_scopes text[] default null
) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_most constant integer := 10000;
  v_now timestamptz := carillon.now();
  v_cron carillon.crons := carillon._lock_cron(app, cron);
  v_slots timestamptz[];
  v_id uuid;
begin
  perform carillon._require_cron_owner(v_cron, actor, actor_scopes);
  if from_at is null or not isfinite(from_at) then
    perform carillon._invalid('from', 'must be a time');
  end if;
  if to_at is null or from_at > to_at then
    perform carillon._invalid('to', 'must not be before from');
  end if;
  if to_at > v_now then
    perform carillon._invalid('to', 'must not be in the future: slots to come are the schedule''s');
  end if;
  if concurrency is null or concurrency not between 1 and 1000 then
    perform carillon._invalid('concurrency', 'must be a whole number from 1 to 1000');
  end if;
  -- What has come due but is not decided yet is the drivers' to decide.
  v_slots := carillon._undecided_slots(v_cron, from_at,
    least(to_at, coalesce(v_cron.next_fire_at, 'infinity') - interval '1 microsecond'), v_most);
  if cardinality(v_slots) > v_most then
    perform carillon._invalid('to', format('must end the range within %s undecided slots', v_most));
  end if;
  if not dry_run and cardinality(v_slots) > 0 then
    insert into carillon.backfills (cron_id, from_at, to_at, concurrency, slots, created_by, created_at)
    values (v_cron.id, from_at, to_at, backfill_cron.concurrency, v_slots, actor, v_now)
    returning id into v_id;
    perform carillon._run_backfills(v_id);
    perform carillon._audit(actor, 'cron.backfill', v_cron.app_id, v_cron.id::text, v_cron.name, null,
      jsonb_build_object('backfillId', v_id, 'from', from_at, 'to', to_at, 'slots', cardinality(v_slots), 'concurrency', backfill_cron.concurrency));
  end if;
  return jsonb_build_object('id', v_id, 'dryRun', dry_run, 'count', cardinality(v_slots), 'slots', to_jsonb(v_slots));
end;
$$;
comment on function carillon.backfill_cron(uuid, timestamptz, timestamptz, boolean, integer, text, uuid, text[]) is
  'Enqueues the slots of a past range that have no tick, by the cron''s present schedule, oldest first and at most concurrency jobs at a time; dry_run only lists them. At most 10000 slots. Its jobs and those of the schedule do not hold up or replace each other.';
revoke all on function carillon.backfill_cron(uuid, timestamptz, timestamptz, boolean, integer, text, uuid, text[]) from public;
--! EndIncluded ticks/backfill_cron.sql
--! Included ticks/list_backfills.sql
create or replace function carillon.list_backfills(cron uuid)
returns table (
  id uuid, from_at timestamptz, to_at timestamptz, concurrency integer, slots integer, enqueued integer, created_by uuid,
  created_at timestamptz, finished_at timestamptz
)
language sql stable security definer
set search_path = ''
as $$
  select b.id, b.from_at, b.to_at, b.concurrency, cardinality(b.slots), b.enqueued, b.created_by, b.created_at, b.finished_at
  from carillon.backfills b
  where b.cron_id = cron
  order by b.created_at desc
  limit 100
$$;
comment on function carillon.list_backfills(uuid) is 'The newest backfills of a cron with their progress.';
revoke all on function carillon.list_backfills(uuid) from public;
--! EndIncluded ticks/list_backfills.sql
--! Included ticks/_sweep.sql
create or replace function carillon._sweep() returns jsonb
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_fired jsonb;
  v_buried integer;
begin
  if not pg_try_advisory_xact_lock(hashtextextended('carillon.sweep', 0)) then
    return jsonb_build_object('swept', false);
  end if;
  -- First, while nothing is locked for others.
  perform carillon._roll_up();
  perform carillon._pause_failing_crons();
  perform carillon._rearm_crons(1000);
  perform carillon._follow_zones();
  -- Not both: each locks beats in order, the two after one another would not.
  if carillon._repair_beats() = 0 then
    perform carillon._enlist_strays(1000);
  end if;
  -- What is due just now is a beat's to decide; the sweep is for what was missed.
  if (select min(c.next_fire_at) from carillon.crons c) <= v_now - interval '5 seconds' then
    v_fired := carillon.fire_due('sweep');
  end if;
  perform carillon._run_backfills();
  v_buried := carillon._bury_lost_jobs();
  perform carillon._expire_jobs();
  perform carillon._trim_idempotency_keys();
  perform carillon._trim_retries();
  perform carillon._trim_stats();
  perform carillon._trim_history();
  perform carillon._trim_audit();
  perform carillon._trim_requests();
  perform carillon._trim_signing_keys();
  perform carillon._trim_breakers();
  perform carillon._trim_workers();
  perform carillon._trim_runs();
  insert into carillon.settings (key, value) values ('swept_at', to_jsonb(v_now))
  on conflict (key) do update set value = excluded.value;
  -- Last, because they lock the ledger and the history until the end of this transaction.
  perform carillon._ensure_partitions();
  perform carillon._drop_old_partitions();
  return jsonb_build_object('swept', true, 'buried', v_buried) || coalesce(v_fired, '{"fired": 0, "failed": 0}');
end;
$$;
comment on function carillon._sweep() is 'The once-a-minute work, by whoever drives; one at a time.';
revoke all on function carillon._sweep() from public;
--! EndIncluded ticks/_sweep.sql
--! Included ticks/sweep.sql
create or replace function carillon.sweep() returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  -- Only pg_cron calls this; that it did is how the ticker knows that pg_cron lives.
  insert into carillon.settings (key, value) values ('pg_cron_seen_at', to_jsonb(carillon.now()))
  on conflict (key) do update set value = excluded.value;
  return carillon._sweep();
end;
$$;
comment on function carillon.sweep() is
  'What pg_cron calls once a minute: fires what was missed, makes and drops partitions, mends beats, pauses failing crons, buries jobs past their delivery limit, trims pg_cron''s history.';
revoke all on function carillon.sweep() from public;
--! EndIncluded ticks/sweep.sql
--! Included ticks/admin_tick.sql
create or replace function carillon.admin_tick(permissions text[]) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_minute timestamptz := date_trunc('minute', v_now);
  -- Asked per app: there are far fewer than crons.
  v_apps constant text[] := array(
    select a.id from carillon.apps a where carillon._has_permission(admin_tick.permissions, 'app:' || a.id || ':cron.read'));
  v_due jsonb;
  v_held boolean;
  v_answer jsonb;
begin
  -- What may come due in this call, before it does: a tick of ours from there on is one of this call.
  select coalesce(jsonb_object_agg(c.id, c.next_fire_at), '{}') into v_due
  from carillon.crons c
  where c.next_fire_at <= v_now + interval '1 minute' and c.app_id = any (v_apps);
  v_held := carillon.fire_due('api') ? 'held';
  -- Only what the caller may see is told and counted.
  with mine as materialized (
    select t.cron_id, t.scheduled_for, t.outcome, t.reason, t.msg_id
    from jsonb_each_text(v_due) as d (cron, slot)
    join carillon.ticks t on t.cron_id = d.cron::uuid and t.scheduled_for >= d.slot::timestamptz
    where t.driver = 'api' and t.pid = pg_backend_pid() and t.decided_at >= v_now
  ),
  others as (
    select c.enabled, c.completed_at,
      exists (select from carillon.ticks t where t.cron_id = c.id and t.scheduled_for >= v_minute) as done
    from carillon.crons c
    where c.app_id = any (v_apps) and c.id not in (select m.cron_id from mine m)
  )
  select jsonb_build_object(
    'fired', coalesce((select jsonb_agg(jsonb_build_object('cronId', m.cron_id, 'scheduledFor', m.scheduled_for,
      'outcome', m.outcome, 'msgId', m.msg_id) order by m.scheduled_for, m.cron_id) from mine m where m.outcome <> 'failed'), '[]'),
    'failed', coalesce((select jsonb_agg(jsonb_build_object('cronId', m.cron_id, 'scheduledFor', m.scheduled_for,
      'error', m.reason) order by m.scheduled_for, m.cron_id) from mine m where m.outcome = 'failed'), '[]'),
    'skippedAlreadyFired', count(*) filter (where o.done),
    'skippedExpired', count(*) filter (where not o.done and o.completed_at is not null),
    'skippedNotMatching', count(*) filter (where not o.done and o.enabled and o.completed_at is null),
    'held', v_held)
  into v_answer
  from others o;
  return v_answer;
end;
$$;
comment on function carillon.admin_tick(text[]) is
  'Ticks once for an outside driver, and says what it did, over the crons that a holder of these permissions may see: fired, failed, and how many were already fired this minute, expired, or have no slot due.';
revoke all on function carillon.admin_tick(text[]) from public;
--! EndIncluded ticks/admin_tick.sql
--! Included ticks/tick.sql
create or replace function carillon.tick() returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  -- So many in one transaction that their jobs are being run while the next are decided.
  v_batch constant integer := 2500;
  v_some record;
  v_swept_at timestamptz;
  v_result jsonb := '{"leader": true, "fired": 0, "failed": 0}';
begin
  -- Leadership is the database's: whoever gets the lock ticks, the others have nothing to do.
  if not pg_try_advisory_xact_lock(hashtextextended('carillon.tick', 0)) then
    return '{"leader": false}';
  end if;
  -- min(), not exists: that would be planned, for any time, as if a third of all crons were due, and scan them.
  if (select min(c.next_fire_at) from carillon.crons c) <= v_now then
    if carillon._is_held() then
      v_result := v_result || '{"held": true}';
    else
      v_some := carillon._fire_some(v_now, 'ticker', v_batch);
      v_result := v_result || jsonb_build_object('fired', v_some.fired, 'failed', v_some.failed);
      if v_some.more then
        return v_result || '{"more": true}';
      end if;
    end if;
  end if;
  if exists (select from carillon.backfills b where b.finished_at is null) then
    perform carillon._run_backfills();
  end if;
  select (s.value #>> '{}')::timestamptz into v_swept_at from carillon.settings s where s.key = 'swept_at';
  -- A little over a minute, so that pg_cron, where it lives, is there first.
  if v_swept_at is null or v_swept_at < v_now - interval '75 seconds' then
    perform carillon._sweep();
  end if;
  return v_result || jsonb_build_object(
    'clone', (carillon.clone_status() ->> 'clone')::boolean, 'pgCronStuck', carillon._pg_cron_stuck(v_now));
end;
$$;
comment on function carillon.tick() is
  'The ticker''s one statement a second: decides what is due (where it says more, a part of it: call it again at once), sweeps when nobody has for a minute, and says whether this database is a copy, and whether pg_cron has stopped. Only one caller at a time is the leader.';
revoke all on function carillon.tick() from public;
--! EndIncluded ticks/tick.sql
--! Included ticks/list_ticks.sql
create or replace function carillon.list_ticks(
  cron uuid,
  max_rows integer default 50,
  before timestamptz default null,
  outcomes text[] default null,
  from_at timestamptz default null,
  to_at timestamptz default null
) returns setof carillon.ticks
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_before timestamptz := coalesce(before, 'infinity');
  v_from timestamptz := coalesce(from_at, '-infinity');
  v_to timestamptz := coalesce(to_at, 'infinity');
begin
  if max_rows is null or max_rows not between 1 and 500 then
    perform carillon._invalid('limit', 'must be from 1 to 500');
  end if;
  return query
    select t.* from carillon.ticks t
    where t.cron_id = list_ticks.cron and t.scheduled_for < v_before and t.scheduled_for >= v_from and t.scheduled_for <= v_to
      and (outcomes is null or t.outcome = any (outcomes))
    order by t.scheduled_for desc
    limit max_rows;
end;
$$;
comment on function carillon.list_ticks(uuid, integer, timestamptz, text[], timestamptz, timestamptz) is
  'Decided slots of a cron, newest first: those before a slot (the cursor), of the given outcomes, from one time to another.';
revoke all on function carillon.list_ticks(uuid, integer, timestamptz, text[], timestamptz, timestamptz) from public;
--! EndIncluded ticks/list_ticks.sql
--! Included ticks/list_slot_jobs.sql
create or replace function carillon.list_slot_jobs(cron uuid, jobs bigint[], since timestamptz)
returns table (
  job_id bigint,
  status text,
  enqueued_at timestamptz,
  due_at timestamptz,
  finished_at timestamptz,
  attempt integer,
  attempts jsonb,
  cancel_reason text
)
language plpgsql stable security definer
set search_path = ''
set enable_seqscan = off
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
    with found as materialized (
      select l.job_id, l.status, l.enqueued_at, l.due_at, l.finished_at, l.attempt, l.attempts, null::text as cancel_reason
      from carillon._live_jobs l
      where l.job_id = any (jobs) and l.cron_id = cron
      union all
      select h.job_id, h.status, h.enqueued_at, null, h.finished_at, h.attempt,
        -- What they returned may be large, and is not asked for.
        carillon._job_attempts(h.headers, h.attempt, h.worker, h.started_at, h.finished_at, h.error, null), h.headers ->> 'canceled'
      from carillon.job_history h
      where h.job_id = any (jobs) and h.cron_id = cron and h.finished_at >= since
    )
    select f.job_id, f.status, f.enqueued_at, f.due_at, f.finished_at, f.attempt,
      coalesce((select jsonb_agg(a.value - 'result' order by a.place) from jsonb_array_elements(f.attempts) with ordinality as a (value, place)), '[]'),
      f.cancel_reason
    from found f;
end;
$$;
comment on function carillon.list_slot_jobs(uuid, bigint[], timestamptz) is
  'The jobs of decided slots of a cron, live and ended since a time, each with its attempts but not what they returned. Those whose record is gone are missing.';
revoke all on function carillon.list_slot_jobs(uuid, bigint[], timestamptz) from public;
--! EndIncluded ticks/list_slot_jobs.sql
--! Included crons/cron_details.sql
create or replace view carillon.cron_details as
select
  c.id, c.app_id, c.name, c.schedule, c.timezone, c.dst_gap, c.dst_fold, c.starts_at, c.ends_at, c.jitter_seconds,
  c.method,
  c.payload || case when c.method is null then '{}' else jsonb_build_object('method', c.method) end as payload,
  c.overlap_policy, c.catch_up, c.catch_up_max, c.catch_up_window_seconds, c.max_consecutive_failures,
  carillon._job_priority(c.job_headers) as priority,
  coalesce((c.job_headers ->> 'max_attempts')::integer, 1) as max_attempts,
  coalesce((c.job_headers ->> 'retry_delay')::integer, 10) as retry_delay_seconds,
  coalesce((c.job_headers ->> 'retry_backoff')::double precision, 2) as retry_backoff,
  (c.job_headers ->> 'timeout')::integer as timeout_seconds,
  c.expires_after_seconds,
  coalesce(c.job_headers -> 'tags', '[]') as tags,
  c.job_headers -> 'target' as target,
  c.max_concurrency,
  coalesce(f.consecutive, 0) as consecutive_failures, c.description, c.enabled, c.paused_at, c.paused_by, c.pause_note, c.origin,
  -- A completed cron leaves its beat at the next sweep, and is as good as gone from it.
  case when c.next_fire_at is not null then b.pg_job_id end as pg_job_id,
  c.next_fire_at, c.completed_at, c.owner_id as created_by,
  case when o.kind = 'service' then c.owner_id end as run_as,
  m.denied, c.created_at, c.updated_at, c.version
from carillon.crons c
left join carillon.beats b on b.id = c.beat_id
left join carillon.principals o on o.id = c.owner_id
left join carillon.cron_failures f on f.cron_id = c.id
-- Kept apart by the offset, so that its answers are kept (Memoize): a list asks once for each owner, not for each cron.
cross join lateral (select carillon._may_fire(c.owner_id, c.app_id) as denied offset 0) as m;
comment on view carillon.cron_details is 'Crons as the API shows them.';
--! EndIncluded crons/cron_details.sql
--! Included crons/_cron_payload.sql
create or replace function carillon._cron_payload(cron uuid, payload jsonb, method text) returns jsonb
language sql stable parallel safe security invoker
return payload
  || case when method is null then jsonb_build_object('cron_id', cron) else jsonb_build_object('cron_id', cron, 'method', method) end;
comment on function carillon._cron_payload(uuid, jsonb, text) is 'What onJob gets of a cron: its payload with cron_id and method merged in.';
revoke all on function carillon._cron_payload(uuid, jsonb, text) from public;
--! EndIncluded crons/_cron_payload.sql
--! Included crons/_describe_schedule_at.sql
create or replace function carillon._describe_schedule_at(schedule text, timezone text, path text) returns text
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_state text;
  v_message text;
  v_detail text;
  v_hint text;
  v_column text;
begin
  return carillon.describe_schedule(schedule, timezone);
exception when sqlstate 'TK002' or sqlstate 'TK003' then
  get stacked diagnostics v_state = returned_sqlstate, v_message = message_text, v_detail = pg_exception_detail,
    v_hint = pg_exception_hint, v_column = column_name;
  raise exception using errcode = v_state, message = v_message, detail = v_detail, hint = v_hint, column = path || v_column;
end;
$$;
comment on function carillon._describe_schedule_at(text, text, text) is
  'A schedule as a plain English phrase; one that is refused is, naming the field by its whole path within a manifest.';
revoke all on function carillon._describe_schedule_at(text, text, text) from public;
--! EndIncluded crons/_describe_schedule_at.sql
--! Included crons/_failed_too_often.sql
create or replace function carillon._failed_too_often(cron uuid, most integer) returns boolean
language sql stable security invoker
set search_path = ''
as $$
  select exists (select from carillon.cron_failures f where f.cron_id = cron and f.consecutive >= most)
$$;
comment on function carillon._failed_too_often(uuid, integer) is 'Whether at least so many jobs of a cron have failed in a row; null counts as never.';
revoke all on function carillon._failed_too_often(uuid, integer) from public;
--! EndIncluded crons/_failed_too_often.sql
--! Included crons/_pause_cron.sql
create or replace function carillon._pause_cron(cron uuid, note text) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_old carillon.crons;
  v_new carillon.crons;
begin
  select c.* into v_old from carillon.crons c where c.id = _pause_cron.cron and c.enabled;
  update carillon.crons c
  set enabled = false, next_fire_at = null, completed_at = null, paused_at = carillon.now(), paused_by = carillon._system_principal(),
      pause_note = note, updated_at = carillon.now(), version = version + 1
  where c.id = v_old.id
  returning c.* into v_new;
  if v_new.id is not null then
    perform carillon._audit_all(carillon._system_principal(), array[carillon._cron_entry(v_old, v_new)]);
  end if;
end;
$$;
comment on function carillon._pause_cron(uuid, text) is
  'Pauses a cron (locked by the caller) on the system''s own account; it leaves its beat at the next sweep.';
revoke all on function carillon._pause_cron(uuid, text) from public;
--! EndIncluded crons/_pause_cron.sql
--! Included crons/_pause_failing_crons.sql
create or replace function carillon._pause_failing_crons() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_cron carillon.crons;
  v_paused integer := 0;
begin
  for v_cron in
    select c.* from carillon.cron_failures f
    join carillon.crons c on c.id = f.cron_id
    where c.enabled and f.consecutive >= c.max_consecutive_failures
      -- What has come due is decided first; that pauses the cron as well.
      and (c.next_fire_at is null or c.next_fire_at > v_now)
    limit 1000
    for no key update of c skip locked
  loop
    perform carillon._pause_cron(v_cron.id, format('%s jobs in a row failed', v_cron.max_consecutive_failures));
    v_paused := v_paused + 1;
  end loop;
  return v_paused;
end;
$$;
comment on function carillon._pause_failing_crons() is
  'Pauses crons whose jobs have failed maxConsecutiveFailures times in a row; returns how many.';
revoke all on function carillon._pause_failing_crons() from public;
--! EndIncluded crons/_pause_failing_crons.sql
--! Included crons/_cron_from_spec.sql
create or replace function carillon._cron_from_spec(base carillon.crons, spec jsonb, path text default '') returns carillon.crons
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_key text;
  v jsonb;
  v_field text;
begin
  if jsonb_typeof(spec) is distinct from 'object' then
    perform carillon._invalid(coalesce(nullif(rtrim(path, '.'), ''), 'cron'), 'must be a JSON object');
  end if;
  for v_key, v in select e.key, nullif(e.value, 'null') from jsonb_each(spec) as e loop
    v_field := path || v_key;
    case v_key
      when 'name' then
        base.name := carillon._json_text(v, v_field);
        if base.name !~ '^[A-Za-z0-9_-]{1,64}$' then
          perform carillon._invalid(v_field, 'must be 1 to 64 letters, digits, dashes or underscores');
        end if;
      when 'schedule' then
        base.schedule := carillon._json_text(v, v_field, 200);
      when 'timezone' then
        base.timezone := case when v is null then 'GMT' else carillon._json_text(v, v_field, 100) end;
      when 'dst' then
        if v is not null and jsonb_typeof(v) <> 'object' then
          perform carillon._invalid(v_field, 'must be an object with "gap", "fold", or both');
        end if;
        if exists (select from jsonb_object_keys(coalesce(v, '{}')) as k where k not in ('gap', 'fold')) then
          perform carillon._invalid(v_field, 'takes only "gap" and "fold"');
        end if;
        base.dst_gap := coalesce(v ->> 'gap', 'shift');
        base.dst_fold := coalesce(v ->> 'fold', 'first');
        if base.dst_gap not in ('shift', 'skip') then
          perform carillon._invalid(v_field || '.gap', 'must be "shift" or "skip"');
        end if;
        if base.dst_fold not in ('first', 'both') then
          perform carillon._invalid(v_field || '.fold', 'must be "first" or "both"');
        end if;
      when 'startsAt' then
        base.starts_at := case when v is not null then carillon._json_timestamp(v, v_field) end;
      when 'endsAt' then
        base.ends_at := case when v is not null then carillon._json_timestamp(v, v_field) end;
      when 'jitter' then
        base.jitter_seconds := case when v is null then 0 else carillon._json_integer(v, v_field, 0, 86400) end;
      when 'method' then
        base.method := case when v is not null then carillon._json_text(v, v_field, 200) end;
        if base.method = '' then
          perform carillon._invalid(v_field, 'must not be empty');
        end if;
      when 'payload' then
        if jsonb_typeof(coalesce(v, '{}')) <> 'object' then
          perform carillon._invalid(v_field, format('must be a JSON object, got %s', jsonb_typeof(v)));
        end if;
        if octet_length(v::text) > 1048576 then
          perform carillon._invalid(v_field, 'must be at most 1 MiB');
        end if;
        base.payload := coalesce(v, '{}');
      when 'overlapPolicy' then
        base.overlap_policy := case when v is null then 'skip' else carillon._json_text(v, v_field) end;
        if base.overlap_policy not in ('skip', 'queue', 'buffer', 'replace') then
          perform carillon._invalid(v_field, format('must be "skip", "queue", "buffer" or "replace", got "%s"', base.overlap_policy));
        end if;
      when 'catchUp' then
        base.catch_up := case when v is null then 'latest' else carillon._json_text(v, v_field) end;
        if base.catch_up not in ('latest', 'all', 'none') then
          perform carillon._invalid(v_field, format('must be "latest", "all" or "none", got "%s"', base.catch_up));
        end if;
      when 'catchUpMax' then
        base.catch_up_max := case when v is null then 100 else carillon._json_integer(v, v_field, 1, 1000) end;
      when 'catchUpWindow' then
        base.catch_up_window_seconds := case when v is null then 3600 else carillon._json_integer(v, v_field, 0, 31536000) end;
      when 'maxConsecutiveFailures' then
        base.max_consecutive_failures := case when v is not null then carillon._json_integer(v, v_field, 1, 1000000) end;
      when 'priority', 'maxAttempts', 'retryDelay', 'retryBackoff', 'timeout', 'tags', 'target' then
        base.job_headers := (base.job_headers - lower(regexp_replace(v_key, '[A-Z]', '_\&', 'g')))
          || carillon._option_headers(jsonb_build_object(v_key, v), path);
      when 'runAs' then
        base.owner_id := case when v is not null then carillon._service_account(v, v_field) end;
      when 'expiresAfter' then
        base.expires_after_seconds := case when v is not null then carillon._json_integer(v, v_field, 1, 31536000) end;
      when 'maxConcurrency' then
        base.max_concurrency := case when v is not null then carillon._json_integer(v, v_field, 1, 1000000) end;
      when 'enabled' then
        if jsonb_typeof(coalesce(v, 'true')) <> 'boolean' then
          perform carillon._invalid(v_field, 'must be true or false');
        end if;
        base.enabled := coalesce(v, 'true')::boolean;
      when 'pauseNote' then
        base.pause_note := case when v is not null then carillon._json_text(v, v_field, 500) end;
      else
        perform carillon._invalid(v_field, 'is not a field of a cron');
    end case;
  end loop;

  if base.name is null then
    perform carillon._invalid(path || 'name', 'is required');
  end if;
  if base.schedule is null then
    perform carillon._invalid(path || 'schedule', 'is required', 'for example "0 9 * * 1-5" or "30 seconds"');
  end if;
  if base.starts_at > base.ends_at then
    perform carillon._invalid(path || 'endsAt', 'must not be before startsAt');
  end if;
  if spec ?| array['schedule', 'timezone'] then
    base.description := carillon._describe_schedule_at(base.schedule, base.timezone, path);
  end if;
  if base.pause_note is not null and base.enabled then
    if nullif(spec -> 'pauseNote', 'null') is not null then
      perform carillon._invalid(path || 'pauseNote', 'goes with "enabled": false');
    end if;
    base.pause_note := null;
  end if;
  return base;
end;
$$;
comment on function carillon._cron_from_spec(carillon.crons, jsonb, text) is
  'The one place that reads a cron''s declaration: base with the given fields (API spelling; null means the default) put in, or TK0xx naming path and field.';
revoke all on function carillon._cron_from_spec(carillon.crons, jsonb, text) from public;
--! EndIncluded crons/_cron_from_spec.sql
--! Included crons/_new_cron.sql
create or replace function carillon._new_cron(app text, origin text, owner uuid) returns carillon.crons
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_cron carillon.crons;
begin
  if owner is not null then
    perform carillon._require_principal(owner);
  end if;
  v_cron.id := gen_random_uuid();
  v_cron.app_id := app;
  v_cron.timezone := 'GMT';
  v_cron.dst_gap := 'shift';
  v_cron.dst_fold := 'first';
  v_cron.jitter_seconds := 0;
  v_cron.payload := '{}';
  v_cron.overlap_policy := 'skip';
  v_cron.catch_up := 'latest';
  v_cron.catch_up_max := 100;
  v_cron.catch_up_window_seconds := 3600;
  v_cron.job_headers := '{}';
  v_cron.enabled := true;
  v_cron.origin := origin;
  v_cron.owner_id := coalesce(owner, carillon._system_principal());
  v_cron.created_at := v_now;
  v_cron.updated_at := v_now;
  v_cron.version := 1;
  return v_cron;
end;
$$;
comment on function carillon._new_cron(text, text, uuid) is 'A cron with every default, not yet stored.';
revoke all on function carillon._new_cron(text, text, uuid) from public;
--! EndIncluded crons/_new_cron.sql
--! Included crons/_arm_cron.sql
create or replace function carillon._arm_cron(cron carillon.crons, after timestamptz, actor uuid default null) returns carillon.crons
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  -- Only a rate schedule counts from an anchor; other forms must not differ by it (firing groups crons by it).
  -- A whole minute, so that pg_cron, which wakes at whole minutes, is there on time.
  cron.anchor_at := case when cron.schedule ~* '^\s*every\s' then date_trunc('minute', coalesce(cron.starts_at, cron.anchor_at, after)) end;
  cron.next_fire_at := case when cron.enabled then carillon._cron_next(cron, after) end;
  cron.completed_at := case when cron.enabled and cron.next_fire_at is null then coalesce(cron.completed_at, after) end;
  if cron.enabled then
    cron.paused_at := null;
    cron.paused_by := null;
    cron.pause_note := null;
  elsif cron.paused_at is null then
    cron.paused_at := after;
    cron.paused_by := actor;
  end if;
  return cron;
end;
$$;
comment on function carillon._arm_cron(carillon.crons, timestamptz, uuid) is
  'The cron with its next slot after a time, or with who paused it and when; a cron that has no slot any more is completed.';
revoke all on function carillon._arm_cron(carillon.crons, timestamptz, uuid) from public;
--! EndIncluded crons/_arm_cron.sql
--! Included crons/_lock_cron.sql
create or replace function carillon._lock_cron(app text, cron uuid) returns carillon.crons
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_cron carillon.crons;
begin
  select c.* into v_cron from carillon.crons c
  where c.id = _lock_cron.cron and c.app_id = coalesce(_lock_cron.app, c.app_id)
  for update;
  if v_cron.id is null then
    raise exception using errcode = 'TK102', message = format('no cron %s', _lock_cron.cron);
  end if;
  return v_cron;
end;
$$;
comment on function carillon._lock_cron(text, uuid) is
  'The cron, locked until the end of the transaction; TK102 when unknown, or of another app where app is given.';
revoke all on function carillon._lock_cron(text, uuid) from public;
--! EndIncluded crons/_lock_cron.sql
--! Included crons/_require_version.sql
create or replace function carillon._require_version(cron carillon.crons, expected integer) returns void
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  if cron.version <> expected then
    raise exception using errcode = 'TK206',
      message = format('cron "%s" is at version %s by now, not %s', cron.name, cron.version, expected),
      detail = format('it was changed at %s', carillon._time_text(cron.updated_at)),
      hint = 'read it again, and make the change to what it is now';
  end if;
end;
$$;
comment on function carillon._require_version(carillon.crons, integer) is
  'Refuses (TK206) to change a cron that has another version than the caller has seen. Null is any.';
revoke all on function carillon._require_version(carillon.crons, integer) from public;
--! EndIncluded crons/_require_version.sql
--! Included crons/_store_cron.sql
create or replace function carillon._store_cron(cron carillon.crons) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  update carillon.crons c
  set (name, schedule, timezone, dst_gap, dst_fold, starts_at, ends_at, anchor_at, jitter_seconds, method, payload,
       overlap_policy, catch_up, catch_up_max, catch_up_window_seconds, max_consecutive_failures, job_headers,
       expires_after_seconds, max_concurrency, description, enabled, paused_at, paused_by, pause_note, origin, declared_enabled,
       declared_run_as, owner_id, next_fire_at, completed_at, updated_at, version)
    = (cron.name, cron.schedule, cron.timezone, cron.dst_gap, cron.dst_fold, cron.starts_at, cron.ends_at, cron.anchor_at,
       cron.jitter_seconds, cron.method, cron.payload, cron.overlap_policy, cron.catch_up, cron.catch_up_max,
       cron.catch_up_window_seconds, cron.max_consecutive_failures, cron.job_headers, cron.expires_after_seconds,
       cron.max_concurrency, cron.description, cron.enabled, cron.paused_at, cron.paused_by, cron.pause_note, cron.origin,
       cron.declared_enabled, cron.declared_run_as, cron.owner_id, cron.next_fire_at, cron.completed_at, cron.updated_at,
       c.version + 1)
  where c.id = cron.id;
exception when unique_violation then
  raise exception using errcode = 'TK201', column = 'name',
    message = format('app "%s" has a cron named "%s" already', cron.app_id, cron.name);
end;
$$;
comment on function carillon._store_cron(carillon.crons) is 'Updates one cron; a name already taken is TK201.';
revoke all on function carillon._store_cron(carillon.crons) from public;
--! EndIncluded crons/_store_cron.sql
--! Included crons/_store_new_crons.sql
create or replace function carillon._store_new_crons(crons carillon.crons[], fields text[], actor uuid) returns void
language plpgsql volatile security invoker
set search_path = ''
set plan_cache_mode = force_generic_plan
as $$
declare
  v_stored integer;
  v_at integer;
begin
  insert into carillon.crons select c.* from unnest(_store_new_crons.crons) as c
  on conflict on constraint crons_name_unique do nothing;
  get diagnostics v_stored = row_count;
  if v_stored < cardinality(_store_new_crons.crons) then
    select i into v_at
    from generate_subscripts(_store_new_crons.crons, 1) as i
    where not exists (select from carillon.crons c where c.id = (_store_new_crons.crons[i]).id)
    order by i
    limit 1;
    raise exception using errcode = 'TK201', column = fields[v_at],
      message = format('app "%s" has a cron named "%s" already', (_store_new_crons.crons[v_at]).app_id, (_store_new_crons.crons[v_at]).name);
  end if;
  perform carillon._audit_all(actor, array(select carillon._cron_entry(null, c) from unnest(_store_new_crons.crons) as c));
end;
$$;
comment on function carillon._store_new_crons(carillon.crons[], text[], uuid) is
  'Inserts crons, made by an actor; a name already taken is TK201, naming the field given for that cron.';
revoke all on function carillon._store_new_crons(carillon.crons[], text[], uuid) from public;
--! EndIncluded crons/_store_new_crons.sql
--! Included crons/_change_cron.sql
create or replace function carillon._change_cron(old carillon.crons, new carillon.crons, actor uuid) returns boolean
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  if new is not distinct from old then
    return false;
  end if;
  new.updated_at := v_now;
  if (new.schedule, new.timezone, new.dst_gap, new.dst_fold, new.starts_at, new.ends_at, new.enabled)
     is distinct from (old.schedule, old.timezone, old.dst_gap, old.dst_fold, old.starts_at, old.ends_at, old.enabled) then
    -- Slots that came due under the old schedule are decided by it; in a copy that is held, they are not its own.
    while old.next_fire_at <= v_now and not carillon._is_held() loop
      perform carillon._fire_one(old.id, v_now, 'api');
      select c.next_fire_at into old.next_fire_at from carillon.crons c where c.id = old.id;
    end loop;
    if new.schedule is distinct from old.schedule then
      new.anchor_at := null;
      new.completed_at := null;
    end if;
    new := carillon._arm_cron(new, v_now, actor);
  end if;
  if new.enabled and not old.enabled then
    delete from carillon.cron_failures f where f.cron_id = new.id;
  end if;
  perform carillon._store_cron(new);
  return true;
end;
$$;
comment on function carillon._change_cron(carillon.crons, carillon.crons, uuid) is
  'Stores a changed cron (locked by the caller): settles what came due before, arms it anew, and returns whether anything changed.';
revoke all on function carillon._change_cron(carillon.crons, carillon.crons, uuid) from public;
--! EndIncluded crons/_change_cron.sql
--! Included crons/_drop_crons.sql
create or replace function carillon._drop_crons(crons uuid[], touched uuid[], actor uuid) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  update carillon.crons c set next_fire_at = null where c.id = any (_drop_crons.crons);
  -- All beats in one call, so that two deploys lock them in the same order.
  perform carillon._enlist_crons(touched || _drop_crons.crons);
  perform carillon._audit_all(actor, array(
    select carillon._cron_entry(c, null) from carillon.crons c where c.id = any (_drop_crons.crons) order by c.name));
  delete from carillon.crons c where c.id = any (_drop_crons.crons);
end;
$$;
comment on function carillon._drop_crons(uuid[], uuid[], uuid) is
  'Takes crons off their beats and deletes them, for an actor; beats of crons touched before are settled in the same go.';
revoke all on function carillon._drop_crons(uuid[], uuid[], uuid) from public;
--! EndIncluded crons/_drop_crons.sql
--! Included crons/_cron_spec.sql
create or replace function carillon._cron_spec(
  name text,
  schedule text,
  timezone text,
  payload jsonb,
  method text,
  overlap_policy text,
  enabled boolean,
  starts_at timestamptz,
  ends_at timestamptz,
  jitter integer,
  dst jsonb,
  catch_up text,
  catch_up_max integer,
  catch_up_window integer,
  max_consecutive_failures integer,
  priority integer,
  max_attempts integer,
  retry_delay integer,
  retry_backoff numeric,
  timeout integer,
  expires_after integer,
  tags text[],
  max_concurrency integer,
  run_as text,
  pause_note text,
  target jsonb
) returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select coalesce(jsonb_object_agg(f.key, f.value), '{}')
  from jsonb_each(jsonb_build_object(
    'name', name, 'schedule', schedule, 'timezone', timezone, 'payload', payload, 'method', method,
    'overlapPolicy', overlap_policy, 'enabled', enabled, 'startsAt', carillon._time_json(starts_at, 'startsAt'),
    'endsAt', carillon._time_json(ends_at, 'endsAt'), 'jitter', jitter, 'dst', dst, 'catchUp', catch_up,
    'catchUpMax', catch_up_max, 'catchUpWindow', catch_up_window, 'maxConsecutiveFailures', max_consecutive_failures,
    'priority', priority, 'maxAttempts', max_attempts, 'retryDelay', retry_delay, 'retryBackoff', retry_backoff,
    'timeout', timeout, 'expiresAfter', expires_after, 'tags', tags, 'maxConcurrency', max_concurrency, 'runAs', run_as,
    'pauseNote', pause_note, 'target', target)) as f
  where f.value <> 'null'
$$;
comment on function carillon._cron_spec(text, text, text, jsonb, text, text, boolean, timestamptz, timestamptz, integer, jsonb, text, integer, integer, integer, integer, integer, integer, numeric, integer, integer, text[], integer, text, text, jsonb) is
  'The named arguments of create_cron and update_cron as a declaration in API spelling; those not given are left out.';
revoke all on function carillon._cron_spec(text, text, text, jsonb, text, text, boolean, timestamptz, timestamptz, integer, jsonb, text, integer, integer, integer, integer, integer, integer, numeric, integer, integer, text[], integer, text, text, jsonb) from public;
--! EndIncluded crons/_cron_spec.sql
--! Included crons/declare_cron.sql
create or replace function carillon.declare_cron(
  app text,
  spec jsonb,
  actor uuid default null,
  actor_scopes text[] default null
) returns carillon.cron_details
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_cron carillon.crons;
  v_details carillon.cron_details;
begin
  perform carillon._require_app(app);
  v_cron := carillon._cron_from_spec(carillon._new_cron(app, case when actor is null then 'sql' else 'api' end, actor), spec);
  v_cron.owner_id := coalesce(v_cron.owner_id, actor, carillon._system_principal());
  perform carillon._require_act_as(actor, actor_scopes, v_cron.owner_id, app);
  v_cron := carillon._arm_cron(v_cron, v_cron.created_at, actor);
  perform carillon._store_new_crons(array[v_cron], array['name'], actor);
  perform carillon._enlist_crons(array[v_cron.id]);
  select d.* into v_details from carillon.cron_details d where d.id = v_cron.id;
  return v_details;
end;
$$;
comment on function carillon.declare_cron(text, jsonb, uuid, text[]) is
  'Makes a cron of an app from its declaration, as a manifest has it (API spelling; null means the default).';
revoke all on function carillon.declare_cron(text, jsonb, uuid, text[]) from public;
--! EndIncluded crons/declare_cron.sql
--! Included crons/create_cron.sql
create or replace function carillon.create_cron(
  app text,
  name text,
  schedule text,
  timezone text default null,
  payload jsonb default null,
  method text default null,
  overlap_policy text default null,
  enabled boolean default null,
  starts_at timestamptz default null,
  ends_at timestamptz default null,
  jitter integer default null,
  dst jsonb default null,
  catch_up text default null,
  catch_up_max integer default null,
  catch_up_window integer default null,
  max_consecutive_failures integer default null,
  priority integer default null,
  max_attempts integer default null,
  retry_delay integer default null,
  retry_backoff numeric default null,
  timeout integer default null,
  expires_after integer default null,
  tags text[] default null,
  max_concurrency integer default null,
  run_as text default null,
  pause_note text default null,
  target jsonb default null,
  actor uuid default null
) returns carillon.cron_details
language sql volatile security definer
set search_path = ''
as $$
  select carillon.declare_cron(create_cron.app,
    carillon._cron_spec(
      name, schedule, timezone, payload, method, overlap_policy, enabled, starts_at, ends_at, jitter, dst, catch_up,
      catch_up_max, catch_up_window, max_consecutive_failures, priority, max_attempts, retry_delay, retry_backoff, timeout,
      expires_after, tags, max_concurrency, run_as, pause_note, target),
    actor => create_cron.actor)
$$;
comment on function carillon.create_cron(text, text, text, text, jsonb, text, text, boolean, timestamptz, timestamptz, integer, jsonb, text, integer, integer, integer, integer, integer, integer, numeric, integer, integer, text[], integer, text, text, jsonb, uuid) is
  'Makes a cron of an app: select carillon.create_cron(app => ''crm'', name => ''daily'', schedule => ''0 9 * * *''). Null means the default.';
revoke all on function carillon.create_cron(text, text, text, text, jsonb, text, text, boolean, timestamptz, timestamptz, integer, jsonb, text, integer, integer, integer, integer, integer, integer, numeric, integer, integer, text[], integer, text, text, jsonb, uuid) from public;
--! EndIncluded crons/create_cron.sql
--! Included crons/patch_cron.sql
create or replace function carillon.patch_cron(
  cron uuid,
  patch jsonb,
  app text default null,
  actor uuid default null,
  actor_scopes text[] default null,
  expected_version integer default null
) returns carillon.cron_details
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_old carillon.crons := carillon._lock_cron(app, cron);
  v_new carillon.crons;
  v_details carillon.cron_details;
begin
  perform carillon._require_cron_owner(v_old, actor, actor_scopes);
  perform carillon._require_version(v_old, expected_version);
  v_new := carillon._cron_from_spec(v_old, patch);
  if patch ? 'runAs' then
    v_new.owner_id := coalesce(v_new.owner_id, actor, carillon._system_principal());
    perform carillon._require_act_as(actor, actor_scopes, v_new.owner_id, v_new.app_id);
  end if;
  if carillon._change_cron(v_old, v_new, actor) then
    perform carillon._audit_all(actor, array[carillon._cron_entry(v_old, v_new)]);
    perform carillon._enlist_crons(array[v_old.id]);
  end if;
  select d.* into v_details from carillon.cron_details d where d.id = v_old.id;
  return v_details;
end;
$$;
comment on function carillon.patch_cron(uuid, jsonb, text, uuid, text[], integer) is
  'Changes the given fields of a cron (API spelling; null resets a field to its default, runAs to the actor) and keeps its id, pg_cron job and history. TK206 when it has another version than expected.';
revoke all on function carillon.patch_cron(uuid, jsonb, text, uuid, text[], integer) from public;
--! EndIncluded crons/patch_cron.sql
--! Included crons/update_cron.sql
create or replace function carillon.update_cron(
  cron uuid,
  name text default null,
  schedule text default null,
  timezone text default null,
  payload jsonb default null,
  method text default null,
  overlap_policy text default null,
  enabled boolean default null,
  starts_at timestamptz default null,
  ends_at timestamptz default null,
  jitter integer default null,
  dst jsonb default null,
  catch_up text default null,
  catch_up_max integer default null,
  catch_up_window integer default null,
  max_consecutive_failures integer default null,
  priority integer default null,
  max_attempts integer default null,
  retry_delay integer default null,
  retry_backoff numeric default null,
  timeout integer default null,
  expires_after integer default null,
  tags text[] default null,
  max_concurrency integer default null,
  run_as text default null,
  pause_note text default null,
  target jsonb default null,
  actor uuid default null,
  expected_version integer default null
) returns carillon.cron_details
language sql volatile security definer
set search_path = ''
as $$
  select carillon.patch_cron(update_cron.cron,
    carillon._cron_spec(
      name, schedule, timezone, payload, method, overlap_policy, enabled, starts_at, ends_at, jitter, dst, catch_up,
      catch_up_max, catch_up_window, max_consecutive_failures, priority, max_attempts, retry_delay, retry_backoff, timeout,
      expires_after, tags, max_concurrency, run_as, pause_note, target),
    actor => update_cron.actor, expected_version => update_cron.expected_version)
$$;
comment on function carillon.update_cron(uuid, text, text, text, jsonb, text, text, boolean, timestamptz, timestamptz, integer, jsonb, text, integer, integer, integer, integer, integer, integer, numeric, integer, integer, text[], integer, text, text, jsonb, uuid, integer) is
  'Changes the fields that are given: select carillon.update_cron(cron => ''…'', schedule => ''*/5 * * * *''). To reset one, use patch_cron.';
revoke all on function carillon.update_cron(uuid, text, text, text, jsonb, text, text, boolean, timestamptz, timestamptz, integer, jsonb, text, integer, integer, integer, integer, integer, integer, numeric, integer, integer, text[], integer, text, text, jsonb, uuid, integer) from public;
--! EndIncluded crons/update_cron.sql
--! Included crons/set_cron_enabled.sql
create or replace function carillon.set_cron_enabled(
  cron uuid,
  enabled boolean,
  note text default null,
  app text default null,
  actor uuid default null,
  actor_scopes text[] default null,
  expected_version integer default null
) returns carillon.cron_details
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  if enabled is null then
    perform carillon._invalid('enabled', 'must be true or false');
  end if;
  return carillon.patch_cron(cron, jsonb_build_object('enabled', enabled, 'pauseNote', note), app, actor, actor_scopes, expected_version);
end;
$$;
comment on function carillon.set_cron_enabled(uuid, boolean, text, text, uuid, text[], integer) is
  'Pauses or resumes a cron. While paused it is not woken by pg_cron; triggers by hand still work.';
revoke all on function carillon.set_cron_enabled(uuid, boolean, text, text, uuid, text[], integer) from public;
--! EndIncluded crons/set_cron_enabled.sql
--! Included crons/delete_cron.sql
create or replace function carillon.delete_cron(
  cron uuid,
  app text default null,
  actor uuid default null,
  actor_scopes text[] default null,
  expected_version integer default null
) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_cron carillon.crons := carillon._lock_cron(app, cron);
begin
  perform carillon._require_cron_owner(v_cron, actor, actor_scopes);
  perform carillon._require_version(v_cron, expected_version);
  perform carillon._drop_crons(array[v_cron.id], '{}', actor);
end;
$$;
comment on function carillon.delete_cron(uuid, text, uuid, text[], integer) is
  'Deletes a cron. Jobs it has enqueued still run, a slot that is due and not yet decided is dropped with it; its ledger and job history stay until their retention ends.';
revoke all on function carillon.delete_cron(uuid, text, uuid, text[], integer) from public;
--! EndIncluded crons/delete_cron.sql
--! Included crons/trigger_cron.sql
create or replace function carillon.trigger_cron(
  cron uuid,
  payload jsonb default null,
  respect_overlap boolean default false,
  app text default null,
  actor uuid default null,
  actor_scopes text[] default null
) returns bigint
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_cron carillon.crons;
  v_blocker bigint;
  v_job bigint;
begin
  if respect_overlap then
    v_cron := carillon._lock_cron(app, cron);
  else
    select c.* into v_cron from carillon.crons c
    where c.id = trigger_cron.cron and c.app_id = coalesce(trigger_cron.app, c.app_id);
    if v_cron.id is null then
      raise exception using errcode = 'TK102', message = format('no cron %s', trigger_cron.cron);
    end if;
  end if;
  perform carillon._require_cron_owner(v_cron, actor, actor_scopes);
  if carillon._may_fire(v_cron.owner_id, v_cron.app_id) is not null then
    raise exception using errcode = 'TK403',
      message = format('cron "%s" may not run: %s', v_cron.name, carillon._may_fire(v_cron.owner_id, v_cron.app_id));
  end if;
  if trigger_cron.payload is not null then
    v_cron := carillon._cron_from_spec(v_cron, jsonb_build_object('payload', trigger_cron.payload));
  end if;
  if respect_overlap then
    v_blocker := carillon._blocker_of(v_cron.id, v_cron.overlap_policy, v_now);
    if v_blocker is not null then
      raise exception using errcode = 'TK202',
        message = format('%s (job %s), and its overlap policy is "%s"', carillon._overlap_reason(v_cron.overlap_policy), v_blocker,
          v_cron.overlap_policy);
    end if;
    if v_cron.overlap_policy = 'replace' then
      perform carillon._replace_jobs(v_cron.id, 'replaced by a job triggered by hand');
    end if;
  end if;
  v_job := carillon._send_job(
    v_cron.app_id,
    carillon._cron_payload(v_cron.id, v_cron.payload, v_cron.method),
    v_cron.owner_id,
    carillon._cron_headers(v_cron.id, 'manual', null, carillon._agent_options(v_cron.app_id) || v_cron.job_headers, v_now, v_cron.expires_after_seconds),
    v_now);
  perform carillon._audit(actor, 'cron.trigger', v_cron.app_id, v_cron.id::text, v_cron.name, null,
    jsonb_build_object('jobId', v_job, 'ownPayload', trigger_cron.payload is null));
  return v_job;
end;
$$;
comment on function carillon.trigger_cron(uuid, jsonb, boolean, text, uuid, text[]) is
  'Enqueues one job of a cron at once, whatever its schedule or pause; with respect_overlap its overlap policy holds (TK202 when that lets no job through). Returns the job''s id (pgmq msg_id).';
revoke all on function carillon.trigger_cron(uuid, jsonb, boolean, text, uuid, text[]) from public;
--! EndIncluded crons/trigger_cron.sql
--! Included crons/sync_manifest.sql
create or replace function carillon.sync_manifest(
  app text,
  manifest jsonb,
  actor uuid default null,
  actor_scopes text[] default null
) returns jsonb
language plpgsql volatile security definer
set search_path = ''
-- The lookups by name are planned while the table is small, and run while it grows by thousands of rows.
set enable_seqscan = off
set jit = off
as $$
declare
  v_entries jsonb := coalesce(nullif(manifest -> 'crons', 'null'), '[]');
  v_entry record;
  v_path text;
  v_new_app boolean;
  v_blank carillon.crons;
  v_old carillon.crons;
  v_new carillon.crons;
  v_ids uuid[] := '{}';
  v_fresh carillon.crons[] := '{}';
  v_fresh_paths text[] := '{}';
  v_touched uuid[] := '{}';
  v_created text[] := '{}';
  v_updated text[] := '{}';
  v_unchanged text[] := '{}';
  v_deleted text[];
  v_dropped uuid[];
  v_entries_of_updated carillon.audit_entry[] := '{}';
begin
  v_new_app := carillon.install_app(app, manifest, actor);
  if jsonb_typeof(v_entries) <> 'array' then
    perform carillon._invalid('crons', 'must be an array');
  end if;
  v_blank := carillon._new_cron(app, 'manifest', actor);

  -- A statement of its own: what is read next is what the rows are once they are locked.
  perform from carillon.crons c
  where c.app_id = app and c.name in (select e.value ->> 'name' from jsonb_array_elements(v_entries) as e)
  order by c.id
  for update;
  for v_entry in
    select e.value as spec, e.place - 1 as at, c as old, lag(e.place) over (partition by e.value ->> 'name' order by e.place) as twin
    from jsonb_array_elements(v_entries) with ordinality as e (value, place)
    left join carillon.crons c on c.app_id = app and c.name = e.value ->> 'name'
    order by e.place
  loop
    v_path := format('crons[%s].', v_entry.at);
    v_old := v_entry.old;
    if v_entry.twin is not null and v_entry.spec ->> 'name' is not null then
      perform carillon._invalid(v_path || 'name', format('is given twice: "%s"', v_entry.spec ->> 'name'));
    end if;
    if v_old.origin <> 'manifest' then
      raise exception using errcode = 'TK201', column = v_path || 'name',
        message = format('app "%s" has a cron named "%s" already, made at runtime', app, v_old.name),
        hint = 'rename one of them, or delete the one made at runtime';
    end if;

    v_blank.id := gen_random_uuid();
    v_new := carillon._cron_from_spec(v_blank, v_entry.spec, v_path);
    v_new.declared_enabled := v_new.enabled;
    v_new.declared_run_as := case when nullif(v_entry.spec -> 'runAs', 'null') is not null then v_new.owner_id end;
    v_new.owner_id := coalesce(v_new.owner_id, actor, carillon._system_principal());
    if v_new.declared_run_as is distinct from v_old.declared_run_as then
      perform carillon._require_act_as(actor, actor_scopes, v_new.owner_id, app);
    elsif v_old.id is not null then
      v_new.owner_id := coalesce(v_old.owner_id, v_new.owner_id);
    end if;
    if v_old.id is null then
      v_fresh := v_fresh || carillon._arm_cron(v_new, v_new.created_at, actor);
      v_fresh_paths := v_fresh_paths || (v_path || 'name');
      v_created := v_created || v_new.name;
      v_touched := v_touched || v_new.id;
    else
      -- The declaration is new; identity and state are the old cron's.
      v_new.id := v_old.id;
      v_new.created_at := v_old.created_at;
      v_new.updated_at := v_old.updated_at;
      v_new.version := v_old.version;
      v_new.anchor_at := v_old.anchor_at;
      v_new.beat_id := v_old.beat_id;
      v_new.next_fire_at := v_old.next_fire_at;
      v_new.completed_at := v_old.completed_at;
      if v_new.declared_enabled is not distinct from v_old.declared_enabled then
        v_new.enabled := v_old.enabled;
        v_new.paused_at := v_old.paused_at;
        v_new.paused_by := v_old.paused_by;
        v_new.pause_note := v_old.pause_note;
      end if;
      if carillon._change_cron(v_old, v_new, actor) then
        v_updated := v_updated || v_new.name;
        v_entries_of_updated := v_entries_of_updated || carillon._cron_entry(v_old, v_new);
        v_touched := v_touched || v_new.id;
      else
        v_unchanged := v_unchanged || v_new.name;
      end if;
    end if;
    v_ids := v_ids || v_new.id;
  end loop;
  perform carillon._store_new_crons(v_fresh, v_fresh_paths, actor);
  perform carillon._audit_all(actor, v_entries_of_updated);

  select coalesce(array_agg(c.id), '{}'), coalesce(array_agg(c.name order by c.name), '{}') into v_dropped, v_deleted
  from carillon.crons c
  where c.app_id = app and c.origin = 'manifest' and c.id <> all (v_ids);
  perform carillon._drop_crons(v_dropped, v_touched, actor);
  if v_touched || v_dropped <> '{}' then
    perform carillon._audit(actor, 'app.deploy', app, app, manifest ->> 'name', null, jsonb_build_object('created', cardinality(v_created),
      'updated', cardinality(v_updated), 'unchanged', cardinality(v_unchanged), 'deleted', cardinality(v_deleted)));
  end if;

  return jsonb_build_object('appId', app, 'installed', v_new_app, 'created', v_created, 'updated', v_updated,
    'unchanged', v_unchanged, 'deleted', v_deleted);
end;
$$;
comment on function carillon.sync_manifest(text, jsonb, uuid, text[]) is
  'Makes an app and its manifest crons as the manifest says, in one transaction; returns the names created, updated, unchanged and deleted. Crons made at runtime are left alone.';
revoke all on function carillon.sync_manifest(text, jsonb, uuid, text[]) from public;
--! EndIncluded crons/sync_manifest.sql
--! Included crons/get_cron.sql
create or replace function carillon.get_cron(cron uuid, app text default null) returns carillon.cron_details
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_details carillon.cron_details;
begin
  select d.* into v_details from carillon.cron_details d
  where d.id = get_cron.cron and d.app_id = coalesce(get_cron.app, d.app_id);
  if v_details.id is null then
    raise exception using errcode = 'TK102', message = format('no cron %s', get_cron.cron);
  end if;
  return v_details;
end;
$$;
comment on function carillon.get_cron(uuid, text) is 'One cron; TK102 when unknown, or of another app where app is given.';
revoke all on function carillon.get_cron(uuid, text) from public;
--! EndIncluded crons/get_cron.sql
--! Included crons/list_crons.sql
create or replace function carillon.list_crons(app text) returns setof carillon.cron_details
language sql stable security definer
set search_path = ''
as $$
  select d.* from carillon.cron_details d where d.app_id = list_crons.app order by d.name
$$;
comment on function carillon.list_crons(text) is 'All crons of an app, by name.';
revoke all on function carillon.list_crons(text) from public;
--! EndIncluded crons/list_crons.sql
--! Included crons/list_accessible_crons.sql
create or replace function carillon.list_accessible_crons(principal uuid, permissions text[]) returns setof carillon.cron_details
language sql stable security definer
set search_path = ''
as $$
  select d.*
  from carillon.apps a
  join carillon.cron_details d on d.app_id = a.id
  where carillon._has_permission(list_accessible_crons.permissions, 'app:' || a.id || ':cron.read')
    and (d.created_by = list_accessible_crons.principal or carillon._has_permission(list_accessible_crons.permissions, 'app:' || a.id || ':cron.manage_others'))
  order by d.app_id, d.name
$$;
comment on function carillon.list_accessible_crons(uuid, text[]) is
  'Crons across all apps for a holder of these permissions: of apps it may read, its own, or all where it manages others'' crons.';
revoke all on function carillon.list_accessible_crons(uuid, text[]) from public;
--! EndIncluded crons/list_accessible_crons.sql
--! Included jobs/_job_trigger.sql
create or replace function carillon._job_trigger(headers jsonb) returns text
language sql immutable parallel safe security invoker
return coalesce(headers ->> 'trigger', 'api');
comment on function carillon._job_trigger(jsonb) is
  'What enqueued a job. A message put into the queue by pgmq.send itself has no such header, and counts as api.';
revoke all on function carillon._job_trigger(jsonb) from public;
--! EndIncluded jobs/_job_trigger.sql
--! Included jobs/_job_user.sql
create or replace function carillon._job_user(message jsonb, headers jsonb) returns uuid
language sql immutable parallel safe security invoker
return case
  when headers ? 'trigger' then (message ->> 'user_id')::uuid
  when message ->> 'user_id' ~ '^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$' then (message ->> 'user_id')::uuid
end;
comment on function carillon._job_user(jsonb, jsonb) is
  'Who a job is run for. In a message that was not put into the queue by Carillon, what is no uuid is nobody: one malformed message must not keep the whole queue from being claimed.';
revoke all on function carillon._job_user(jsonb, jsonb) from public;
--! EndIncluded jobs/_job_user.sql
--! Included jobs/job_transitions.sql
create or replace view carillon.job_transitions (status, event, next_status) as
values
  (null, 'enqueue', 'queued'),
  (null, 'enqueue', 'pending'),
  ('pending', 'come due', 'queued'),
  ('pending', 'move', 'queued'),
  ('queued', 'move', 'pending'),
  ('queued', 'claim', 'running'),
  ('running', 'release', 'queued'),
  ('running', 'lose', 'queued'),
  ('running', 'retry later', 'pending'),
  ('running', 'retry later', 'queued'),
  ('running', 'complete', 'completed'),
  ('running', 'fail', 'failed'),
  -- A lease that ran out and that nobody has taken over is its attempt's still.
  ('queued', 'extend', 'running'),
  ('queued', 'retry later', 'pending'),
  ('queued', 'complete', 'completed'),
  ('queued', 'fail', 'failed'),
  ('queued', 'bury', 'failed'),
  ('queued', 'expire', 'canceled'),
  ('pending', 'cancel', 'canceled'),
  ('queued', 'cancel', 'canceled'),
  ('running', 'cancel', 'canceled');
comment on view carillon.job_transitions is
  'How the status of a job may change, and by what; a null status is that of a job not yet enqueued. What has none from it is terminal: completed, failed, canceled.';
--! EndIncluded jobs/job_transitions.sql
--! Included jobs/_job_attempts.sql
create or replace function carillon._job_attempts(headers jsonb, attempt integer, worker text, started_at timestamptz, finished_at timestamptz, error jsonb, result jsonb)
returns jsonb
language sql stable parallel safe security invoker
return case
  -- A job may be held back many times; of those in a row the last one says it all.
  when error ->> 'name' = 'held_back' and headers #>> '{attempts,-1,error,name}' = 'held_back' then (headers -> 'attempts') - (-1)
  else coalesce(headers -> 'attempts', '[]') end
|| case
  -- A lost attempt is on record already, and one handed back is not one.
  when started_at is null or headers -> 'attempts' -> -1 -> 'attempt' = to_jsonb(attempt) then '[]'
  else jsonb_build_array(jsonb_build_object(
    'attempt', attempt, 'worker', worker, 'startedAt', started_at, 'finishedAt', finished_at, 'error', error)
    -- What a target answered is of the attempt; what a handler returns is of the job.
    || case when headers ? 'target' and result is not null then jsonb_build_object('result', result) else '{}' end)
end;
comment on function carillon._job_attempts(jsonb, integer, text, timestamptz, timestamptz, jsonb, jsonb) is
  'Every attempt of a job, oldest first: those on record in its headers, then the running or last one. Of those held back in a row by a circuit breaker, the last.';
revoke all on function carillon._job_attempts(jsonb, integer, text, timestamptz, timestamptz, jsonb, jsonb) from public;
--! EndIncluded jobs/_job_attempts.sql
--! Included jobs/_tag_job.sql
create or replace function carillon._tag_job() returns trigger
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  insert into carillon.job_tags (app_id, tag, job_id, finished_at)
  select distinct new.app_id, t.tag, new.job_id, new.finished_at
  from jsonb_array_elements_text(case jsonb_typeof(new.headers -> 'tags') when 'array' then new.headers -> 'tags' else '[]' end) as t (tag)
  where t.tag is not null;
  return null;
end;
$$;
comment on function carillon._tag_job() is 'Trigger of job_history: lists a finished job under its tags. Jobs without tags do not come here.';
revoke all on function carillon._tag_job() from public;
--! EndIncluded jobs/_tag_job.sql
--! Included jobs/_live_jobs.sql
create or replace view carillon._live_jobs as
select
  q.msg_id as job_id,
  q.message ->> 'app_id' as app_id,
  (q.headers ->> 'cron_id')::uuid as cron_id,
  (q.headers ->> 'scheduled_for')::timestamptz as scheduled_for,
  carillon._job_trigger(q.headers) as trigger,
  case
    when q.vt > carillon.now() and q.headers ? 'lease' then 'running'
    when q.vt > carillon.now() then 'pending'
    else 'queued'
  end as status,
  carillon._job_user(q.message, q.headers) as user_id,
  q.message -> 'payload' as payload,
  coalesce(q.headers, '{}') as headers,
  null::jsonb as result,
  null::jsonb as error,
  q.read_ct as attempt,
  q.headers #>> '{lease,worker}' as worker,
  q.enqueued_at,
  q.vt as due_at,
  case when q.headers ? 'lease' then q.last_read_at end as started_at,
  null::timestamptz as finished_at,
  carillon._job_attempts(q.headers, q.read_ct, q.headers #>> '{lease,worker}', case when q.headers ? 'lease' then q.last_read_at end, null, null, null)
    as attempts
from pgmq.q_jobs q;
comment on view carillon._live_jobs is 'The jobs in the queue, as carillon.jobs shows them.';
--! EndIncluded jobs/_live_jobs.sql
--! Included jobs/jobs.sql
create or replace view carillon.jobs as
select * from carillon._live_jobs
union all
select
  h.job_id, h.app_id, h.cron_id, h.scheduled_for, h.trigger, h.status, h.user_id, h.payload, h.headers, h.result, h.error,
  h.attempt, h.worker, h.enqueued_at, null, h.started_at, h.finished_at,
  carillon._job_attempts(h.headers, h.attempt, h.worker, h.started_at, h.finished_at, h.error, h.result)
from carillon.job_history h;
comment on view carillon.jobs is 'Every job: the live ones as the queue has them, the finished ones from the history.';
--! EndIncluded jobs/jobs.sql
--! Included jobs/_running_crons.sql
create or replace function carillon._running_crons(apps text[], now timestamptz) returns uuid[]
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
begin
  return array(
    select distinct (q.headers ->> 'cron_id')::uuid
    from pgmq.q_jobs q
    where q.message ->> 'app_id' = any (apps) and q.headers ? 'lease' and q.vt > _running_crons.now and q.headers ->> 'cron_id' is not null);
end;
$$;
comment on function carillon._running_crons(text[], timestamptz) is 'The crons of these apps that have a job running.';
revoke all on function carillon._running_crons(text[], timestamptz) from public;
--! EndIncluded jobs/_running_crons.sql
--! Included jobs/_live_among.sql
create or replace function carillon._live_among(jobs bigint[]) returns setof bigint
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
begin
  return query select q.msg_id from pgmq.q_jobs q where q.msg_id = any (jobs);
end;
$$;
comment on function carillon._live_among(bigint[]) is 'Those of these jobs that are still in the queue.';
revoke all on function carillon._live_among(bigint[]) from public;
--! EndIncluded jobs/_live_among.sql
--! Included jobs/_is_lost_for_good.sql
create or replace function carillon._is_lost_for_good(headers jsonb) returns boolean
language sql immutable parallel safe security invoker
return coalesce(headers ? 'lease' and coalesce((headers ->> 'lost')::integer, 0) >= 4, false);
comment on function carillon._is_lost_for_good(jsonb) is
  'Whether a job whose lease has run out has been delivered in vain five times, the limit.';
revoke all on function carillon._is_lost_for_good(jsonb) from public;
--! EndIncluded jobs/_is_lost_for_good.sql
--! Included jobs/_lost_headers.sql
create or replace function carillon._lost_headers(headers jsonb, read_ct integer, last_read_at timestamptz) returns jsonb
language sql stable parallel safe security invoker
return (headers - 'lease') || jsonb_build_object(
  'lost', coalesce((headers ->> 'lost')::integer, 0) + 1,
  'attempts', coalesce(headers -> 'attempts', '[]') || jsonb_build_object(
    'attempt', read_ct, 'worker', headers #> '{lease,worker}', 'startedAt', last_read_at, 'error',
    jsonb_build_object('name', 'LeaseLost', 'message', 'the worker stopped reporting and its lease ran out')));
comment on function carillon._lost_headers(jsonb, integer, timestamptz) is
  'Headers with the open lease turned into a recorded attempt that was lost.';
revoke all on function carillon._lost_headers(jsonb, integer, timestamptz) from public;
--! EndIncluded jobs/_lost_headers.sql
--! Included jobs/_ended_job.sql
create or replace function carillon._ended_job(
  job_id bigint, message jsonb, headers jsonb, status text, result jsonb, error jsonb, attempt integer, enqueued_at timestamptz,
  last_read_at timestamptz, now timestamptz
) returns setof carillon.job_history
language sql stable parallel safe security invoker
begin atomic
  select job_id, message ->> 'app_id', (headers ->> 'cron_id')::uuid, (headers ->> 'scheduled_for')::timestamptz,
    carillon._job_trigger(headers), status, carillon._job_user(message, headers), message -> 'payload',
    coalesce(headers - '{lease,limited}'::text[], '{}'), result, error, attempt, headers #>> '{lease,worker}', enqueued_at, last_read_at,
    greatest(now, last_read_at);
end;
comment on function carillon._ended_job(bigint, jsonb, jsonb, text, jsonb, jsonb, integer, timestamptz, timestamptz, timestamptz) is
  'The row of the history for a job that leaves the queue: the only place that says what of a job is kept. Inlined where it is called.';
revoke all on function carillon._ended_job(bigint, jsonb, jsonb, text, jsonb, jsonb, integer, timestamptz, timestamptz, timestamptz) from public;
--! EndIncluded jobs/_ended_job.sql
--! Included jobs/_holds_place.sql
create or replace function carillon._holds_place(headers jsonb) returns boolean
language sql immutable parallel safe security invoker
return headers ? 'lease' and (headers ? 'limited' or headers -> 'lease' ? 'limited');
comment on function carillon._holds_place(jsonb) is
  'Whether a leased job takes one of so many places that its cron or its app has, for which others may wait.';
revoke all on function carillon._holds_place(jsonb) from public;
--! EndIncluded jobs/_holds_place.sql
--! Included jobs/_bury_lost_jobs.sql
create or replace function carillon._bury_lost_jobs() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_buried integer;
begin
  with dead as (
    select q.msg_id from pgmq.q_jobs q
    where q.headers ? 'lease' and q.vt <= v_now and carillon._is_lost_for_good(q.headers)
    limit 1000
    for update skip locked
  ),
  gone as (
    delete from pgmq.q_jobs q using dead where q.msg_id = dead.msg_id returning q.*
  ),
  kept as (
    insert into carillon.job_history
    select e.*
    from gone g
    cross join lateral carillon._ended_job(g.msg_id, g.message,
      -- The lease is what names the worker.
      carillon._lost_headers(g.headers, g.read_ct, g.last_read_at) || jsonb_build_object('lease', g.headers -> 'lease'), 'failed', null,
      '{"name": "LeaseLost", "message": "delivered 5 times, and every worker stopped reporting"}',
      g.read_ct, g.enqueued_at, g.last_read_at, v_now) e
  )
  insert into pgmq.q_jobs_dlq (vt, message, headers)
  select v_now, g.message,
    carillon._lost_headers(g.headers, g.read_ct, g.last_read_at) || jsonb_build_object('job_id', g.msg_id, 'reason', 'lease_lost')
  from gone g;
  get diagnostics v_buried = row_count;
  return v_buried;
end;
$$;
comment on function carillon._bury_lost_jobs() is
  'Fails jobs whose lease was lost at the last of five deliveries, with a copy in the queue jobs_dlq; returns how many.';
revoke all on function carillon._bury_lost_jobs() from public;
--! EndIncluded jobs/_bury_lost_jobs.sql
--! Included jobs/_cancel_jobs.sql
create or replace function carillon._cancel_jobs(job_ids bigint[], reason text) returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_canceled integer;
  v_told integer;
begin
  loop
    begin
      perform from pgmq.q_jobs q where q.msg_id = any (_cancel_jobs.job_ids) order by q.msg_id for update;
      exit;
    exception when deadlock_detected then
      continue; -- this transaction holds jobs of another cron already, and a worker that waits for them gives way (finish_jobs)
    end;
  end loop;
  with gone as (
    delete from pgmq.q_jobs q where q.msg_id = any (_cancel_jobs.job_ids) returning q.*
  ),
  kept as (
    insert into carillon.job_history
    select e.*
    from gone g
    cross join lateral carillon._ended_job(g.msg_id, g.message, coalesce(g.headers, '{}') || jsonb_build_object('canceled', reason),
      'canceled', null, null, g.read_ct, g.enqueued_at, g.last_read_at, v_now) e
  ),
  told as (
    -- A worker that listens aborts the handler at once; any other at its next heartbeat.
    select pg_notify('carillon_jobs', 'canceled:' || g.msg_id) from gone g where g.headers ? 'lease'
    union all
    select pg_notify('carillon_jobs', k.key) from (select distinct g.message ->> 'app_id' as app from gone g where carillon._holds_place(g.headers)) a,
      unnest(array[a.app, '@' || a.app]) as k (key)
  )
  select count(*), (select count(*) from told) into v_canceled, v_told from gone;
  return v_canceled;
end;
$$;
comment on function carillon._cancel_jobs(bigint[], text) is
  'Cancels live jobs: they leave the queue for the history. A running attempt loses its lease; its worker is told, and finds out at its next heartbeat at the latest.';
revoke all on function carillon._cancel_jobs(bigint[], text) from public;
--! EndIncluded jobs/_cancel_jobs.sql
--! Included jobs/_expire_jobs.sql
create or replace function carillon._expire_jobs() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  return carillon._cancel_jobs(array(
    select q.msg_id from pgmq.q_jobs q
    -- As text, in the one form in which it is written.
    where q.headers ? 'expires_at' and q.headers ->> 'expires_at' <= carillon._time_json(v_now, 'now') #>> '{}'
      and carillon._has_expired(q.headers, v_now)
    limit 1000
    for update skip locked), 'not started before it expired');
end;
$$;
comment on function carillon._expire_jobs() is 'Cancels jobs that were not started in time, 1000 at most; returns how many.';
revoke all on function carillon._expire_jobs() from public;
--! EndIncluded jobs/_expire_jobs.sql
--! Included jobs/_next_priorities.sql
create or replace function carillon._next_priorities(
  key text, below integer, front integer default null, front_due timestamptz default null, front_id bigint default null,
  out direct integer, out due integer, out limited integer
)
language plpgsql stable parallel safe security invoker
set search_path = ''
as $$
begin
  if front < below then
    direct := coalesce(
      (
        select carillon._job_priority(q.headers) from pgmq.q_jobs q
        where carillon._claim_key(q.message, q.headers) = key
          and carillon._job_priority(q.headers) < below and carillon._job_priority(q.headers) > front
          and (q.headers ? 'cron_id') is not true and (q.headers ? 'lease') is not true
        order by carillon._job_priority(q.headers) desc
        limit 1
      ), (
        select front from pgmq.q_jobs q
        where carillon._claim_key(q.message, q.headers) = key
          and carillon._job_priority(q.headers) = front and (q.vt, q.msg_id) >= (front_due, front_id)
          and (q.headers ? 'cron_id') is not true and (q.headers ? 'lease') is not true
        order by q.vt, q.msg_id
        limit 1
      ));
  end if;
  if direct is null then
    direct := (
      select carillon._job_priority(q.headers) from pgmq.q_jobs q
      where carillon._claim_key(q.message, q.headers) = key and carillon._job_priority(q.headers) < least(below, front)
        and (q.headers ? 'cron_id') is not true and (q.headers ? 'lease') is not true
      order by carillon._job_priority(q.headers) desc
      limit 1
    );
  end if;
  due := (
    select carillon._job_priority(q.headers) from pgmq.q_jobs q
    where carillon._claim_key(q.message, q.headers) = key and carillon._job_priority(q.headers) < below
      and q.headers ? 'cron_id' and not q.headers ? 'lease' and not q.headers ? 'limited'
    order by carillon._job_priority(q.headers) desc
    limit 1
  );
  limited := (
    select carillon._job_priority(q.headers) from pgmq.q_jobs q
    where carillon._claim_key(q.message, q.headers) = key and (q.headers ? 'limited') and carillon._job_priority(q.headers) < below
      and q.headers ? 'cron_id' and not q.headers ? 'lease'
    order by (q.headers ? 'limited'), carillon._job_priority(q.headers) desc
    limit 1
  );
end;
$$;
comment on function carillon._next_priorities(text, integer, integer, timestamptz, bigint) is
  'The highest priority below the given one that waiting jobs of a claim key have: direct ones, those of unlimited crons, and of limited crons. Direct ones are looked for from the front on where one is given (queue_fronts). A few probes of indexes.';
revoke all on function carillon._next_priorities(text, integer, integer, timestamptz, bigint) from public;
--! EndIncluded jobs/_next_priorities.sql
--! Included jobs/_is_limited.sql
create or replace function carillon._is_limited(cron text) returns boolean
language sql stable parallel safe security invoker
return exists (select from carillon.crons c where c.id = cron::uuid and c.max_concurrency is not null);
comment on function carillon._is_limited(text) is 'Whether only so many jobs of a cron may run at once.';
revoke all on function carillon._is_limited(text) from public;
--! EndIncluded jobs/_is_limited.sql
--! Included jobs/_limit_left.sql
create or replace function carillon._limit_left(cron text) returns integer
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_most integer;
begin
  select c.max_concurrency into v_most from carillon.crons c where c.id = cron::uuid;
  if v_most is null then
    return 2147483647; -- the limit was lifted, or the cron deleted
  end if;
  return greatest(0, v_most - (
    select count(*) from (
      select from pgmq.q_jobs q where q.headers ->> 'cron_id' = cron and q.headers ? 'limited' and q.headers ? 'lease' limit v_most) leased));
end;
$$;
comment on function carillon._limit_left(text) is
  'How many more jobs of a limited cron may run. What counts is every lease that nobody has taken back.';
revoke all on function carillon._limit_left(text) from public;
--! EndIncluded jobs/_limit_left.sql
--! Included jobs/_lane_room.sql
create or replace function carillon._lane_room(cron text) returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  -- Whoever holds it is claiming jobs of this cron right now. Held to the end of the transaction, so that the
  -- next one counts what this one claimed; never waited for, because lanes are visited in any order.
  if not pg_try_advisory_xact_lock(hashtextextended('carillon.limited.' || cron, 0)) then
    return 0;
  end if;
  return carillon._limit_left(cron);
end;
$$;
comment on function carillon._lane_room(text) is
  'How many more jobs of a limited cron this transaction may claim; 0 while another one claims them.';
revoke all on function carillon._lane_room(text) from public;
--! EndIncluded jobs/_lane_room.sql
--! Included jobs/_app_room.sql
create or replace function carillon._app_room(app text, most integer) returns integer
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return greatest(0, most - (
    select count(*) from (select from pgmq.q_jobs q where q.message ->> 'app_id' = app and q.headers ? 'lease' limit most) leased));
end;
$$;
comment on function carillon._app_room(text, integer) is
  'How many more jobs of an app may run, of so many at most. What counts is every lease that nobody has taken back.';
revoke all on function carillon._app_room(text, integer) from public;
--! EndIncluded jobs/_app_room.sql
--! Included jobs/_lock_limited_apps.sql
create or replace function carillon._lock_limited_apps(apps text[]) returns jsonb
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_limits jsonb;
  v_app text;
begin
  select jsonb_object_agg(a.id, a.max_concurrency order by a.id) into v_limits from carillon.apps a
  where a.id = any (apps) and a.max_concurrency is not null;
  if v_limits is null then
    return '{}';
  end if;
  -- Lock order: by id. Held to the end of the transaction, so that the next one counts what this one claimed.
  for v_app in select k from jsonb_object_keys(v_limits) as k order by k loop
    perform pg_advisory_xact_lock(hashtextextended('carillon.limited.' || v_app, 0));
  end loop;
  return v_limits;
end;
$$;
comment on function carillon._lock_limited_apps(text[]) is
  'Those of these apps that are limited, with their limits; nobody else claims jobs of them until the end of the transaction.';
revoke all on function carillon._lock_limited_apps(text[]) from public;
--! EndIncluded jobs/_lock_limited_apps.sql
--! Included jobs/_limit_jobs.sql
create or replace function carillon._limit_jobs(crons text[], key text, priority integer) returns void
language sql volatile security invoker
set search_path = ''
as $$
  update pgmq.q_jobs q
  set headers = q.headers || '{"limited": true}'
  where q.ctid = any (array(
    select w.ctid
    from unnest(crons) as c (id)
    cross join lateral (
      select q.ctid from pgmq.q_jobs q
      where carillon._claim_key(q.message, q.headers) = key and (q.headers ? 'limited') = false
        and carillon._job_priority(q.headers) = _limit_jobs.priority and q.headers ->> 'cron_id' = c.id
        and q.headers ? 'cron_id' and not q.headers ? 'lease'
      order by q.vt, q.msg_id
      limit 1000
      for update skip locked) w))
$$;
comment on function carillon._limit_jobs(text[], text, integer) is
  'Takes up to 1000 waiting jobs of each of these crons, which are limited, out of the way of the others.';
revoke all on function carillon._limit_jobs(text[], text, integer) from public;
--! EndIncluded jobs/_limit_jobs.sql
--! Included jobs/_pick_lanes.sql
create or replace function carillon._pick_lanes(key text, priority integer, limited boolean, limits boolean, want integer, now timestamptz) returns tid[]
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  -- Where the last claim of this session stopped; the first begins anywhere.
  v_place constant text := format('carillon.lane_%s_%s', limited::integer, hashtext(key)::bigint + 2147483648);
  v_start constant text := coalesce(nullif(current_setting(v_place, true), ''), gen_random_uuid()::text);
  v_lane text := v_start;
  v_next text;
  v_around boolean := false;
  v_idle integer := case when limited then 32 else 8 end;
  v_visits integer := case when limited then want + 32 else 8 end;
  v_share constant integer := case when limited then want else (want + 7) / 8 end;
  v_picks tid[] := '{}';
  v_found tid[];
  v_room integer;
begin
  while cardinality(v_picks) < want and v_idle > 0 and v_visits > 0 loop
    select q.headers ->> 'cron_id' into v_next from pgmq.q_jobs q
    where carillon._claim_key(q.message, q.headers) = key and (q.headers ? 'limited') = _pick_lanes.limited
      and carillon._job_priority(q.headers) = priority and q.headers ->> 'cron_id' > v_lane
      and q.headers ? 'cron_id' and not q.headers ? 'lease'
    order by q.headers ->> 'cron_id'
    limit 1;
    if v_next is null then
      exit when v_around;
      v_around := true;
      v_lane := '';
      continue;
    end if;
    exit when v_around and v_next > v_start;
    v_lane := v_next;
    v_visits := v_visits - 1;
    v_room := least(v_share, want - cardinality(v_picks));
    if limited then
      v_room := least(v_room, carillon._lane_room(v_lane));
    elsif limits and carillon._is_limited(v_lane) then
      perform carillon._limit_jobs(array[v_lane], key, priority);
      v_room := 0;
    end if;
    v_found := '{}';
    if v_room > 0 then
      v_found := array(
        select q.ctid from pgmq.q_jobs q
        where carillon._claim_key(q.message, q.headers) = key and (q.headers ? 'limited') = _pick_lanes.limited
          and carillon._job_priority(q.headers) = priority and q.headers ->> 'cron_id' = v_lane and q.vt <= now
          and q.headers ? 'cron_id' and not q.headers ? 'lease'
          and not carillon._has_expired(q.headers, now)
        order by q.vt, q.msg_id
        limit v_room
        for update skip locked);
    end if;
    v_picks := v_picks || v_found;
    if cardinality(v_found) = 0 then
      v_idle := v_idle - 1;
    end if;
  end loop;
  perform set_config(v_place, v_lane, false);
  return v_picks;
end;
$$;
comment on function carillon._pick_lanes(text, integer, boolean, boolean, integer, timestamptz) is
  'Locks due jobs of one priority cron by cron, each cron in its turn: of eight unlimited crons an eighth of want each, or of limited ones what their limits leave; returns where they are. It gives up after 8, or 32, that have nothing to give.';
revoke all on function carillon._pick_lanes(text, integer, boolean, boolean, integer, timestamptz) from public;
--! EndIncluded jobs/_pick_lanes.sql
--! Included jobs/_pick_due.sql
create or replace function carillon._pick_due(key text, priority integer, limits boolean, want integer, now timestamptz) returns tid[]
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  -- Half cron by cron, so that none waits behind all the jobs of another; the rest by due time.
  v_picks tid[] := carillon._pick_lanes(key, priority, false, limits, (want + 1) / 2, now);
  v_found tid[];
  v_crons text[];
begin
  -- More than once only where a cron has been limited since its jobs were enqueued.
  for n in 1 .. 3 loop
    exit when cardinality(v_picks) = want;
    select coalesce(array_agg(d.at) filter (where not d.is_limited), '{}'), array_agg(distinct d.cron) filter (where d.is_limited)
    into v_found, v_crons
    from (
      select q.ctid as at, q.headers ->> 'cron_id' as cron, limits and carillon._is_limited(q.headers ->> 'cron_id') as is_limited
      from pgmq.q_jobs q
      where carillon._claim_key(q.message, q.headers) = key and carillon._job_priority(q.headers) = priority and q.vt <= now
        and q.headers ? 'cron_id' and not q.headers ? 'lease' and not q.headers ? 'limited'
        and not carillon._has_expired(q.headers, now) and q.ctid <> all (v_picks)
      order by q.vt, q.msg_id
      limit want - cardinality(v_picks)
      for update skip locked) d;
    v_picks := v_picks || v_found;
    exit when v_crons is null;
    perform carillon._limit_jobs(v_crons, key, priority);
  end loop;
  return v_picks;
end;
$$;
comment on function carillon._pick_due(text, integer, boolean, integer, timestamptz) is
  'Locks due jobs of unlimited crons; returns where they are. Where the app has limits, jobs of limited crons are put aside for _pick_lanes.';
revoke all on function carillon._pick_due(text, integer, boolean, integer, timestamptz) from public;
--! EndIncluded jobs/_pick_due.sql
--! Included jobs/_pick_jobs.sql
create or replace function carillon._pick_jobs(
  key text, priority integer, direct boolean, due boolean, limited boolean, limits boolean, want integer, now timestamptz,
  since timestamptz, since_id bigint
) returns tid[]
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_limited integer := 0;
  v_due integer := 0;
  v_picks tid[] := '{}';
begin
  -- Of the kinds that wait, jobs of limited crons may have half, and those of the others half of the rest. For an odd
  -- job a coin is tossed.
  if limited then
    v_limited := case when direct or due then floor(want / 2.0 + random()) else want end;
  end if;
  if v_limited > 0 then
    v_picks := carillon._pick_lanes(key, priority, true, limits, v_limited, now);
  end if;
  if due then
    v_due := want - cardinality(v_picks);
    v_due := case when direct then floor(v_due / 2.0 + random()) else v_due end;
  end if;
  if v_due > 0 then
    v_picks := v_picks || carillon._pick_due(key, priority, limits, v_due, now);
  end if;
  if direct and cardinality(v_picks) < want then
    v_picks := v_picks || array(
      select q.ctid from pgmq.q_jobs q
      where carillon._claim_key(q.message, q.headers) = key and carillon._job_priority(q.headers) = priority and q.vt <= now
        and (q.vt, q.msg_id) >= (since, since_id)
        and (q.headers ? 'cron_id') is not true and (q.headers ? 'lease') is not true
        and not carillon._has_expired(q.headers, now)
      order by q.vt, q.msg_id
      limit want - cardinality(v_picks)
      for update skip locked);
  end if;
  -- Whom the coin passed over comes after those that it did not.
  if due and v_due = 0 and cardinality(v_picks) < want then
    v_picks := v_picks || carillon._pick_due(key, priority, limits, want - cardinality(v_picks), now);
  end if;
  if limited and v_limited = 0 and cardinality(v_picks) < want then
    v_picks := v_picks || carillon._pick_lanes(key, priority, true, limits, want - cardinality(v_picks), now);
  end if;
  return v_picks;
end;
$$;
comment on function carillon._pick_jobs(text, integer, boolean, boolean, boolean, boolean, integer, timestamptz, timestamptz, bigint) is
  'Locks up to want due jobs of one claim key and priority, fairly among direct jobs and those of its crons; returns where they are. Direct ones from this place on. It may return fewer than there are where more than one kind waits, but none only when none can be had.';
revoke all on function carillon._pick_jobs(text, integer, boolean, boolean, boolean, boolean, integer, timestamptz, timestamptz, bigint) from public;
--! EndIncluded jobs/_pick_jobs.sql
--! Included jobs/_return_lost_jobs.sql
create or replace function carillon._return_lost_jobs(app text, now timestamptz) returns void
language sql volatile security invoker
set search_path = ''
as $$
  update pgmq.q_jobs q
  set headers = carillon._lost_headers(q.headers, q.read_ct, q.last_read_at)
  where q.ctid = any (array(
    select l.ctid from pgmq.q_jobs l
    where l.message ->> 'app_id' = app and l.headers ? 'lease' and l.vt <= now and not carillon._is_lost_for_good(l.headers)
    order by l.vt
    limit 1000
    for update skip locked))
$$;
comment on function carillon._return_lost_jobs(text, timestamptz) is
  'Lets the jobs of an app whose leases have run out wait again, as due as ever, with the lost attempt on record; those that may be delivered again.';
revoke all on function carillon._return_lost_jobs(text, timestamptz) from public;
--! EndIncluded jobs/_return_lost_jobs.sql
--! Included jobs/_next_due.sql
create or replace function carillon._next_due(key text, now timestamptz) returns timestamptz
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_next timestamptz;
  v_from record;
  v_below integer := 2147483647;
  v_priority integer;
  v_lane text;
  v_lanes integer := 100;
begin
  loop
    v_from := carillon._next_priorities(key, v_below);
    v_priority := greatest(v_from.direct, v_from.due, v_from.limited);
    exit when v_priority is null or v_next <= now;
    v_next := least(v_next,
      (select q.vt from pgmq.q_jobs q
       where carillon._claim_key(q.message, q.headers) = key and carillon._job_priority(q.headers) = v_priority
         and (q.headers ? 'cron_id') is not true and (q.headers ? 'lease') is not true
         and not (q.vt <= now and carillon._has_expired(q.headers, now))
       order by q.vt, q.msg_id
       limit 1),
      (select q.vt from pgmq.q_jobs q
       where carillon._claim_key(q.message, q.headers) = key and carillon._job_priority(q.headers) = v_priority
         and q.headers ? 'cron_id' and not q.headers ? 'lease' and not q.headers ? 'limited'
         and not (q.vt <= now and carillon._has_expired(q.headers, now))
       order by q.vt, q.msg_id
       limit 1));
    v_lane := case when v_from.limited = v_priority then '' end;
    while v_lane is not null loop
      select q.headers ->> 'cron_id' into v_lane from pgmq.q_jobs q
      where carillon._claim_key(q.message, q.headers) = key and (q.headers ? 'limited') and carillon._job_priority(q.headers) = v_priority
        and q.headers ->> 'cron_id' > v_lane and q.headers ? 'cron_id' and not q.headers ? 'lease'
      order by q.headers ->> 'cron_id'
      limit 1;
      exit when v_lane is null or v_next <= now;
      if v_lanes = 0 then
        v_next := least(v_next, now + interval '1 second'); -- too many to look at each
        exit;
      end if;
      v_lanes := v_lanes - 1;
      -- One that is at its limit waits for a lease of its app.
      if carillon._limit_left(v_lane) > 0 then
        v_next := least(v_next, (
          select q.vt from pgmq.q_jobs q
          where carillon._claim_key(q.message, q.headers) = key and (q.headers ? 'limited') and carillon._job_priority(q.headers) = v_priority
            and q.headers ->> 'cron_id' = v_lane and q.headers ? 'cron_id' and not q.headers ? 'lease'
            and not (q.vt <= now and carillon._has_expired(q.headers, now))
          order by q.vt, q.msg_id
          limit 1));
      end if;
    end loop;
    v_below := v_priority;
  end loop;
  return v_next;
end;
$$;
comment on function carillon._next_due(text, timestamptz) is
  'When the next waiting job of a claim key comes due that no limit of its cron holds back; null when there is none.';
revoke all on function carillon._next_due(text, timestamptz) from public;
--! EndIncluded jobs/_next_due.sql
--! Included jobs/_idempotent_job.sql
create or replace function carillon._idempotent_job(app text, key text, request jsonb, now timestamptz, job bigint, path text default '') returns bigint
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_hash bytea := sha256(convert_to(request::text, 'UTF8'));
  v_known carillon.idempotency_keys;
begin
  if length(key) not between 1 and 255 then
    perform carillon._invalid(path || 'idempotencyKey', 'must be from 1 to 255 characters long');
  end if;
  -- Whoever comes second waits here for the first to commit.
  insert into carillon.idempotency_keys as k (app_id, key, request_hash, job_id, created_at)
  values (app, _idempotent_job.key, v_hash, job, _idempotent_job.now)
  on conflict on constraint idempotency_keys_pkey do update
    set request_hash = excluded.request_hash, job_id = excluded.job_id, created_at = excluded.created_at
    where k.created_at <= excluded.created_at - interval '24 hours';
  if found then
    return job;
  end if;
  select k.* into v_known from carillon.idempotency_keys k where k.app_id = app and k.key = _idempotent_job.key;
  if v_known.request_hash <> v_hash then
    raise exception using errcode = 'TK203', column = path || 'idempotencyKey',
      message = format('the idempotency key "%s" was used for another request', _idempotent_job.key),
      hint = format('job %s was enqueued with it; keys are kept for 24 hours', v_known.job_id);
  end if;
  return v_known.job_id;
end;
$$;
comment on function carillon._idempotent_job(text, text, jsonb, timestamptz, bigint, text) is
  'The job an idempotency key stands for: the given new one, or that of an equal request in the last 24 hours; TK203 after an unequal one.';
revoke all on function carillon._idempotent_job(text, text, jsonb, timestamptz, bigint, text) from public;
--! EndIncluded jobs/_idempotent_job.sql
--! Included jobs/_trim_idempotency_keys.sql
create or replace function carillon._trim_idempotency_keys() returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_before timestamptz := carillon.now() - interval '24 hours';
begin
  delete from carillon.idempotency_keys k
  using (
    select o.app_id, o.key from carillon.idempotency_keys o
    where o.created_at <= v_before
    order by o.created_at
    limit 10000
    for update skip locked
  ) old
  where k.app_id = old.app_id and k.key = old.key;
end;
$$;
comment on function carillon._trim_idempotency_keys() is 'Forgets idempotency keys after 24 hours, 10,000 at most.';
revoke all on function carillon._trim_idempotency_keys() from public;
--! EndIncluded jobs/_trim_idempotency_keys.sql
--! Included requests/_body_hash.sql
create or replace function carillon._body_hash(body jsonb) returns bytea
language sql immutable parallel safe security invoker
return sha256(convert_to(coalesce(body::text, ''), 'UTF8'));
comment on function carillon._body_hash(jsonb) is 'By which bodies of requests are compared: the order of their fields does not matter.';
revoke all on function carillon._body_hash(jsonb) from public;
--! EndIncluded requests/_body_hash.sql
--! Included requests/begin_request.sql
create or replace function carillon.begin_request(principal uuid, line text, key text, body jsonb)
returns table (status integer, answer text)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_known carillon.requests;
begin
  if key is null or length(key) not between 1 and 255 then
    perform carillon._invalid('Idempotency-Key', 'must be from 1 to 255 characters long');
  end if;
  -- Whoever comes second waits here until the first has committed, or has given up.
  perform pg_advisory_xact_lock(hashtextextended(format('carillon.request %s %s %s', principal, line, key), 0));
  select r.* into v_known from carillon.requests r
  where r.principal_id = principal and r.line = begin_request.line and r.key = begin_request.key
    and r.created_at > v_now - interval '24 hours';
  if v_known.key is null then
    return;
  end if;
  if v_known.body_hash <> carillon._body_hash(body) then
    raise exception using errcode = 'TK203', column = 'Idempotency-Key',
      message = format('the idempotency key "%s" was used for another request', begin_request.key),
      hint = 'send each new request with a new key; keys are kept for 24 hours';
  end if;
  return query select v_known.status, v_known.answer;
end;
$$;
comment on function carillon.begin_request(uuid, text, text, jsonb) is
  'What the same request of a principal was answered under the same idempotency key in the last 24 hours; no row for a new one, which this transaction then answers (end_request), with all others of its key waiting. TK203 after another body.';
revoke all on function carillon.begin_request(uuid, text, text, jsonb) from public;
--! EndIncluded requests/begin_request.sql
--! Included requests/end_request.sql
create or replace function carillon.end_request(principal uuid, line text, key text, body jsonb, status integer, answer text) returns void
language sql volatile security definer
set search_path = ''
as $$
  insert into carillon.requests as r (principal_id, line, key, body_hash, status, answer, created_at)
  values (principal, line, key, carillon._body_hash(body), status, answer, carillon.now())
  on conflict on constraint requests_pkey do update
    set body_hash = excluded.body_hash, status = excluded.status, answer = excluded.answer, created_at = excluded.created_at
$$;
comment on function carillon.end_request(uuid, text, text, jsonb, integer, text) is
  'Keeps what a request was answered, in the transaction that did its work, so that there is never one without the other.';
revoke all on function carillon.end_request(uuid, text, text, jsonb, integer, text) from public;
--! EndIncluded requests/end_request.sql
--! Included requests/_trim_requests.sql
create or replace function carillon._trim_requests() returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_before timestamptz := carillon.now() - interval '24 hours';
begin
  delete from carillon.requests r
  using (
    select o.principal_id, o.line, o.key from carillon.requests o
    where o.created_at <= v_before
    order by o.created_at
    limit 10000
    for update skip locked
  ) old
  where r.principal_id = old.principal_id and r.line = old.line and r.key = old.key;
end;
$$;
comment on function carillon._trim_requests() is 'Forgets answered requests after 24 hours, 10,000 at most.';
revoke all on function carillon._trim_requests() from public;
--! EndIncluded requests/_trim_requests.sql
--! Included jobs/_check_payload.sql
create or replace function carillon._check_payload(payload jsonb, field text) returns void
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if jsonb_typeof(coalesce(payload, 'null')) <> 'object' then
    perform carillon._invalid(field, format('must be a JSON object, got %s', coalesce(jsonb_typeof(payload), 'nothing')));
  end if;
  if octet_length(payload::text) > 1048576 then
    perform carillon._invalid(field, 'must be at most 1 MiB');
  end if;
end;
$$;
comment on function carillon._check_payload(jsonb, text) is 'Refuses a payload that is no JSON object, or too large.';
revoke all on function carillon._check_payload(jsonb, text) from public;
--! EndIncluded jobs/_check_payload.sql
--! Included jobs/_check_target.sql
create or replace function carillon._check_target(target jsonb, field text) returns void
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  -- What a target of each type cannot be without.
  c_needs constant jsonb := '{"http": "url", "agent": "url", "faktory": "jobType", "container": "image"}';
  v_needed text;
begin
  if jsonb_typeof(target) <> 'object' then
    perform carillon._invalid(field, format('must be a JSON object, got %s', jsonb_typeof(target)));
  end if;
  v_needed := c_needs ->> (target ->> 'type');
  if v_needed is null then
    perform carillon._invalid(field || '.type', case when target -> 'type' is null then 'is required'
      else 'must be "http", "agent", "faktory" or "container"' end);
  end if;
  if coalesce(jsonb_typeof(target -> v_needed), 'null') <> 'string' then
    perform carillon._invalid(field || '.' || v_needed, case when jsonb_typeof(target -> v_needed) is null then 'is required'
      else 'must be a string' end);
  end if;
  if pg_column_size(target) > 1000000 and octet_length(target::text) > 2097152 then
    perform carillon._invalid(field, 'must be at most 2 MiB');
  end if;
end;
$$;
comment on function carillon._check_target(jsonb, text) is
  'Refuses what cannot be a target: no object, of no known type, without what that type cannot do without, or too large. Its other fields are checked by the API and the command line, and by the dispatcher, which fails a job for good whose target is not valid.';
revoke all on function carillon._check_target(jsonb, text) from public;
--! EndIncluded jobs/_check_target.sql
--! Included jobs/_option_headers.sql
create or replace function carillon._option_headers(options jsonb, path text) returns jsonb
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  v_given constant jsonb := jsonb_strip_nulls(options - 'target');
  v_headers jsonb := '{}';
  v_backoff numeric;
begin
  if v_given ? 'priority' then
    -- The default is no header: so are most jobs.
    v_headers := v_headers || jsonb_strip_nulls(jsonb_build_object('priority',
      nullif(carillon._json_integer(v_given -> 'priority', path || 'priority', -32768, 32767), 0)));
  end if;
  if v_given ? 'maxAttempts' then
    v_headers := v_headers || jsonb_build_object('max_attempts',
      carillon._json_integer(v_given -> 'maxAttempts', path || 'maxAttempts', 1, 100));
  end if;
  if v_given ? 'retryDelay' then
    v_headers := v_headers || jsonb_build_object('retry_delay',
      carillon._json_integer(v_given -> 'retryDelay', path || 'retryDelay', 0, 86400));
  end if;
  if v_given ? 'retryBackoff' then
    v_backoff := case when jsonb_typeof(v_given -> 'retryBackoff') = 'number' then (v_given ->> 'retryBackoff')::numeric end;
    if v_backoff is null or v_backoff not between 1 and 10 then
      perform carillon._invalid(path || 'retryBackoff', 'must be a number from 1 to 10');
    end if;
    v_headers := v_headers || jsonb_build_object('retry_backoff', v_backoff);
  end if;
  if v_given ? 'timeout' then
    v_headers := v_headers || jsonb_build_object('timeout',
      carillon._json_integer(v_given -> 'timeout', path || 'timeout', 1, 86400));
  end if;
  if v_given ? 'tags' then
    if jsonb_typeof(v_given -> 'tags') <> 'array' or jsonb_array_length(v_given -> 'tags') > 20
      or exists (
        select from jsonb_array_elements(v_given -> 'tags') as t (tag)
        where jsonb_typeof(t.tag) <> 'string' or length(t.tag #>> '{}') not between 1 and 100)
    then
      perform carillon._invalid(path || 'tags', 'must be at most 20 strings of 1 to 100 characters');
    end if;
    v_headers := v_headers || jsonb_build_object('tags', v_given -> 'tags');
  end if;
  -- Nulls within a target mean something.
  if coalesce(options -> 'target', 'null') <> 'null' then
    perform carillon._check_target(options -> 'target', path || 'target');
    v_headers := v_headers || jsonb_build_object('target', options -> 'target');
  end if;
  return v_headers;
end;
$$;
comment on function carillon._option_headers(jsonb, text) is
  'The trusted headers for the options that single jobs and the jobs of crons have in common (API spelling; null means the default); TK001 names the option that breaks a rule.';
revoke all on function carillon._option_headers(jsonb, text) from public;
--! EndIncluded jobs/_option_headers.sql
--! Included jobs/_given_options.sql
create or replace function carillon._given_options(job jsonb) returns jsonb
language sql immutable parallel safe security invoker
-- Nulls within a target mean something.
return jsonb_strip_nulls(job - 'payload' - 'target') || case when coalesce(job -> 'target', 'null') = 'null' then '{}'
  else jsonb_build_object('target', job -> 'target') end;
comment on function carillon._given_options(jsonb) is 'What a job of a batch says besides its payload: null is as good as nothing.';
revoke all on function carillon._given_options(jsonb) from public;
--! EndIncluded jobs/_given_options.sql
--! Included jobs/_job_headers.sql
create or replace function carillon._job_headers(options jsonb, path text, due_at timestamptz) returns jsonb
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_headers jsonb := carillon._option_headers(options, path) || '{"trigger": "api"}' || carillon._due_header(due_at, carillon.now());
  v_expires timestamptz;
begin
  if options ? 'expiresAt' then
    v_expires := carillon._json_timestamp(options -> 'expiresAt', path || 'expiresAt');
    if v_expires <= due_at then
      perform carillon._invalid(path || 'expiresAt', 'must lie in the future, and after runAt');
    end if;
    v_headers := v_headers || jsonb_build_object('expires_at', carillon._time_json(v_expires, path || 'expiresAt'));
  end if;
  return v_headers;
end;
$$;
comment on function carillon._job_headers(jsonb, text, timestamptz) is
  'The trusted headers of a job enqueued with these options (API spelling); TK001 names the option that breaks a rule.';
revoke all on function carillon._job_headers(jsonb, text, timestamptz) from public;
--! EndIncluded jobs/_job_headers.sql
--! Included jobs/enqueue_job.sql
create or replace function carillon.enqueue_job(
  app text,
  payload jsonb default '{}',
  user_id uuid default null,
  run_at timestamptz default null,
  priority integer default null,
  idempotency_key text default null,
  max_attempts integer default null,
  retry_delay integer default null,
  retry_backoff numeric default null,
  timeout integer default null,
  expires_at timestamptz default null,
  tags text[] default null,
  target jsonb default null
) returns bigint
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_due timestamptz := greatest(run_at, v_now);
  v_options jsonb;
  v_new bigint;
  v_job bigint;
begin
  perform carillon._require_bound(array[app]);
  perform carillon._hold_app(app);
  perform carillon._check_payload(payload, 'payload');
  if user_id is not null and not exists (select from carillon.principals p where p.id = enqueue_job.user_id) then
    perform carillon._invalid('userId', 'is not a known principal');
  end if;
  if run_at >= '10000-01-01 00:00:00+00' then
    perform carillon._invalid('runAt', 'must be a time before the year 10000');
  end if;
  v_options := jsonb_strip_nulls(jsonb_build_object('priority', priority, 'maxAttempts', max_attempts, 'retryDelay', retry_delay,
    'retryBackoff', retry_backoff, 'timeout', timeout, 'expiresAt', carillon._time_json(expires_at, 'expiresAt')))
    || case when tags is null then '{}' else jsonb_build_object('tags', tags) end
    || case when target is null then '{}' else jsonb_build_object('target', target) end;
  if idempotency_key is not null then
    v_new := carillon._next_job_id();
    v_job := carillon._idempotent_job(app, idempotency_key,
      jsonb_build_object('payload', payload, 'userId', user_id, 'runAt', carillon._time_json(run_at, 'runAt'), 'options', v_options),
      v_now, v_new);
    if v_job <> v_new then
      return v_job;
    end if;
  end if;
  -- After the key: a request that is repeated has its job, even where it would come too late by now.
  return carillon._send_job(app, payload, coalesce(user_id, carillon._system_principal()),
    carillon._job_headers(v_options, '', v_due), v_due, v_new);
end;
$$;
comment on function carillon.enqueue_job(text, jsonb, uuid, timestamptz, integer, text, integer, integer, numeric, integer, timestamptz, text[], jsonb) is
  'Enqueues one job of an app, in the caller''s transaction, and returns its id (pgmq msg_id). A run_at in the past means now; higher priority goes first (default 0); the same idempotency_key and request within 24 hours give the same job (TK203 for another request); a job not started by expires_at is canceled. max_attempts (default 1) counts failures; between them pass retry_delay seconds (default 10) times retry_backoff (default 2) to the power of the failures before, give or take a tenth. timeout in seconds. With a target, a dispatcher sends it there: {"type": "http", "url": …}.';
revoke all on function carillon.enqueue_job(text, jsonb, uuid, timestamptz, integer, text, integer, integer, numeric, integer, timestamptz, text[], jsonb) from public;
--! EndIncluded jobs/enqueue_job.sql
--! Included jobs/enqueue_jobs.sql
create or replace function carillon.enqueue_jobs(app text, jobs jsonb, user_id uuid default null) returns setof bigint
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_user uuid := coalesce(user_id, carillon._system_principal());
  v_message jsonb := carillon._job_message(app, '{}', v_user);
  v_at bigint;
  v_job jsonb;
  v_path text;
  v_unknown text;
  v_due timestamptz[];
  v_headers jsonb[];
  v_keyed bigint[] := '{}';
  v_ids bigint[];
  v_new bigint;
begin
  perform carillon._require_bound(array[app]);
  perform carillon._hold_app(app);
  if jsonb_typeof(jobs) is distinct from 'array' or jsonb_array_length(jobs) > 10000 then
    perform carillon._invalid('jobs', 'must be a JSON array of at most 10000 jobs');
  end if;
  if user_id is not null and not exists (select from carillon.principals p where p.id = enqueue_jobs.user_id) then
    perform carillon._invalid('userId', 'is not a known principal');
  end if;
  -- Plain jobs pass by with one look; the others are read one by one.
  for v_at, v_job in
    select i.at, i.job from jsonb_array_elements(jobs) with ordinality as i (job, at)
    where jsonb_typeof(i.job -> 'payload') is distinct from 'object' or i.job - 'payload' <> '{}' or pg_column_size(i.job) > 100000
  loop
    v_path := format('jobs[%s].', v_at - 1);
    if jsonb_typeof(v_job) <> 'object' then
      perform carillon._invalid(rtrim(v_path, '.'), 'must be an object');
    end if;
    select k into v_unknown from jsonb_object_keys(v_job) as k
    where k not in ('payload', 'runAt', 'priority', 'maxAttempts', 'retryDelay', 'retryBackoff', 'timeout', 'expiresAt', 'tags', 'idempotencyKey', 'target')
    limit 1;
    if v_unknown is not null then
      perform carillon._invalid(v_path || v_unknown, 'is not a field of a job in a batch');
    end if;
    perform carillon._check_payload(coalesce(nullif(v_job -> 'payload', 'null'), '{}'), v_path || 'payload');
    v_job := carillon._given_options(v_job);
    if v_due is null then
      v_due := array_fill(v_now, array[jsonb_array_length(jobs)]);
      v_headers := array_fill('{"trigger": "api"}'::jsonb, array[jsonb_array_length(jobs)]);
    end if;
    if v_job ? 'runAt' then
      v_due[v_at] := greatest(v_now, carillon._json_timestamp(v_job -> 'runAt', v_path || 'runAt'));
    end if;
    v_headers[v_at] := carillon._job_headers(v_job, v_path, v_due[v_at]);
    if v_job ? 'idempotencyKey' then
      perform carillon._json_text(v_job -> 'idempotencyKey', v_path || 'idempotencyKey', 255);
      v_keyed := v_keyed || v_at;
    end if;
  end loop;

  if v_keyed <> '{}' then
    v_ids := array(select carillon._next_job_id() from generate_series(1, jsonb_array_length(jobs)));
    -- Lock order: by key.
    for v_at in select k from unnest(v_keyed) as k order by jobs -> (k::integer - 1) ->> 'idempotencyKey', k loop
      v_job := carillon._given_options(jobs -> (v_at::integer - 1));
      v_path := format('jobs[%s].', v_at - 1);
      v_new := carillon._idempotent_job(app, v_job ->> 'idempotencyKey',
        -- As enqueue_job says it.
        jsonb_build_object('payload', coalesce(nullif(jobs -> (v_at::integer - 1) -> 'payload', 'null'), '{}'), 'userId', user_id,
          'runAt', case when v_job ? 'runAt' then carillon._time_json(carillon._json_timestamp(v_job -> 'runAt', 'runAt'), 'runAt') end,
          'options', v_job - '{runAt,idempotencyKey}'::text[] || case when v_job ? 'expiresAt' then jsonb_build_object('expiresAt',
            carillon._time_json(carillon._json_timestamp(v_job -> 'expiresAt', 'expiresAt'), 'expiresAt')) else '{}' end),
        v_now, v_ids[v_at], v_path);
      if v_new <> v_ids[v_at] then
        v_ids[v_at] := v_new;
        v_due[v_at] := null; -- it is there already
      end if;
    end loop;
    insert into pgmq.q_jobs (msg_id, enqueued_at, vt, message, headers) overriding system value
    select i.id, v_now, i.due, carillon._job_message(app, coalesce(nullif(i.job -> 'payload', 'null'), '{}'), v_user), i.headers
    from rows from (jsonb_array_elements(jobs), unnest(v_due), unnest(v_headers), unnest(v_ids)) as i (job, due, headers, id)
    where i.due is not null
    order by i.id;
    perform carillon._announce_jobs(app, v_headers);
    return query select unnest(v_ids);
    return;
  end if;

  if v_due is null then
    -- Nothing but payloads: the message is what came, and what is the same for all.
    return query
      insert into pgmq.q_jobs (enqueued_at, vt, message, headers)
      select v_now, v_now, v_message || i.job, '{"trigger": "api"}'
      from jsonb_array_elements(jobs) as i (job)
      returning msg_id;
  else
    return query
      insert into pgmq.q_jobs (enqueued_at, vt, message, headers)
      select v_now, i.due, carillon._job_message(app, coalesce(nullif(i.job -> 'payload', 'null'), '{}'), v_user), i.headers
      from rows from (jsonb_array_elements(jobs), unnest(v_due), unnest(v_headers)) as i (job, due, headers)
      returning msg_id;
  end if;
  if jsonb_array_length(jobs) > 0 then
    perform carillon._announce_jobs(app, v_headers);
  end if;
end;
$$;
comment on function carillon.enqueue_jobs(text, jsonb, uuid) is
  'Enqueues many jobs of an app at once: [{payload, runAt, priority, maxAttempts, retryDelay, retryBackoff, timeout, expiresAt, tags, idempotencyKey, target}], all or none. Returns their ids in the same order.';
revoke all on function carillon.enqueue_jobs(text, jsonb, uuid) from public;
--! EndIncluded jobs/enqueue_jobs.sql
--! Included jobs/_due_target_keys.sql
create or replace function carillon._due_target_keys(now timestamptz) returns text[]
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  c_window constant integer := 100;
  v_seen integer;
  v_keys text[];
  v_app text;
  v_due timestamptz;
  v_around boolean := false;
begin
  -- Usually that is all of them.
  select count(*), coalesce(array_agg('@' || w.app), '{}') into v_seen, v_keys
  from (
    select q.message ->> 'app_id' as app from pgmq.q_jobs q
    where q.headers ? 'target' and q.vt <= now
      and not carillon._has_expired(q.headers, now) and not carillon._is_lost_for_good(q.headers)
    order by q.vt
    limit c_window) w;
  if v_seen = c_window then
    -- One app may have them all. So some others, going on where the last claim of this session stopped.
    v_app := coalesce(nullif(current_setting('carillon.target_app', true), ''), gen_random_uuid()::text);
    for v_step in 1 .. 32 loop
      select q.message ->> 'app_id', q.vt into v_app, v_due from pgmq.q_jobs q
      where q.headers ? 'target' and q.message ->> 'app_id' > v_app
      order by q.message ->> 'app_id', q.vt
      limit 1;
      if v_app is null then
        exit when v_around;
        v_around := true;
        v_app := '';
      elsif v_due <= now then
        v_keys := v_keys || ('@' || v_app);
      end if;
    end loop;
    perform set_config('carillon.target_app', coalesce(v_app, ''), false);
  end if;
  -- Whoever comes first is served first where there is not enough for all.
  return array(select k from unnest(v_keys) as k group by k order by random());
end;
$$;
comment on function carillon._due_target_keys(timestamptz) is
  'The claim keys of apps that have jobs with targets that are due: of the 100 oldest and, where there are more, of 32 apps in turn. What it costs does not grow with the number of apps.';
revoke all on function carillon._due_target_keys(timestamptz) from public;
--! EndIncluded jobs/_due_target_keys.sql
--! Included jobs/_claimed_json.sql
create or replace function carillon._claimed_json(
  job_id bigint, attempt integer, app jsonb, message jsonb, headers jsonb, enqueued_at timestamptz, username text
) returns text
language sql stable parallel safe security invoker
return concat('[', job_id, ',', attempt, ',', app, ',', coalesce(message -> 'payload', 'null'), ',', date_part('epoch', enqueued_at) * 1000, ',',
  to_json(carillon._job_trigger(headers)), ',', coalesce('"' || carillon._job_user(message, headers) || '"', 'null'), ',', coalesce(to_json(username), 'null'),
  -- Most jobs have none of these.
  case when headers ?| '{cron_id,timeout,target}' then ',' || ltrim(json_build_array(
    headers -> 'cron_id', headers -> 'scheduled_for', (headers ->> 'timeout')::integer, headers -> 'target')::text, '[')
  else ']' end);
comment on function carillon._claimed_json(bigint, integer, jsonb, jsonb, jsonb, timestamptz, text) is
  'What a worker is told of a job it claims (see claim_jobs): the only place that says so. Inlined where it is called.';
revoke all on function carillon._claimed_json(bigint, integer, jsonb, jsonb, jsonb, timestamptz, text) from public;
--! EndIncluded jobs/_claimed_json.sql
--! Included jobs/_note_front.sql
create or replace function carillon._note_front(key text, priority integer, first tid, now timestamptz) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  -- One note a second is enough: nobody waits for another's.
  perform from carillon.queue_fronts f where f.claim_key = key for update skip locked;
  if found then
    update carillon.queue_fronts f
    set priority = _note_front.priority, due_at = q.vt, msg_id = q.msg_id, looked_at = _note_front.now
    from pgmq.q_jobs q
    where f.claim_key = key and q.ctid = first;
  else
    insert into carillon.queue_fronts (claim_key, priority, due_at, msg_id, looked_at)
    select key, _note_front.priority, q.vt, q.msg_id, _note_front.now from pgmq.q_jobs q where q.ctid = first
    on conflict do nothing;
  end if;
end;
$$;
comment on function carillon._note_front(text, integer, tid, timestamptz) is
  'Remembers for the claims of the next second that the direct jobs of a claim key begin with this one, which has to be locked.';
revoke all on function carillon._note_front(text, integer, tid, timestamptz) from public;
--! EndIncluded jobs/_note_front.sql
--! Included jobs/claim_jobs.sql
create or replace function carillon.claim_jobs(apps text[], worker text, max_jobs integer, lease_seconds integer) returns setof text
language plpgsql volatile security definer
set search_path = ''
-- A queue that was empty when it was last analyzed fills within a second: only the walk along the index
-- and the rows found by their place stay cheap then.
set enable_seqscan = off
set enable_bitmapscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
-- Planned once: for one job, planning takes longer than claiming it.
set plan_cache_mode = force_generic_plan
as $$
declare
  v_now timestamptz := carillon.now();
  v_until timestamptz;
  v_lease jsonb;
  v_rooms jsonb;
  v_left integer := max_jobs;
  v_waiting text[];
  v_again text[];
  v_share integer;
  v_key text;
  v_app text;
  v_app_json jsonb;
  v_want integer;
  v_next record;
  v_below integer;
  v_priority integer;
  v_again_at integer;
  v_limits boolean;
  v_direct boolean;
  v_due boolean;
  v_limited boolean;
  v_lost boolean;
  v_from integer; -- the priority of the front, if one is known
  v_from_due timestamptz;
  v_from_id bigint;
  v_picks tid[];
begin
  if apps is null or worker is null then
    perform carillon._invalid(case when apps is null then 'apps' else 'worker' end, 'is required');
  end if;
  if max_jobs is null or max_jobs < 0 then
    perform carillon._invalid('maxJobs', 'must be at least 0');
  end if;
  if lease_seconds is null or lease_seconds < 1 then
    perform carillon._invalid('leaseSeconds', 'must be at least 1');
  end if;
  v_until := v_now + lease_seconds * interval '1 second';
  v_waiting := array(select a.app from unnest(apps) with ordinality as a (app, at) where a.app is not null group by a.app order by min(a.at));
  perform carillon._require_bound(v_waiting);
  if '@' = any (v_waiting) then
    v_waiting := array_remove(v_waiting, '@') || carillon._due_target_keys(v_now);
  end if;
  v_rooms := carillon._lock_limited_apps(case when array_to_string(v_waiting, ' ') not like '%@%' then v_waiting
    else array(select ltrim(w, '@') from unnest(v_waiting) as w) end);

  -- Every app has an equal share, and those that have more waiting share what the others leave.
  while v_left > 0 and v_waiting <> '{}' loop
    v_again := '{}';
    v_share := (v_left + cardinality(v_waiting) - 1) / cardinality(v_waiting);
    foreach v_key in array v_waiting loop
      exit when v_left = 0;
      v_app := ltrim(v_key, '@');
      v_app_json := to_jsonb(v_app);
      -- In one statement: for a single job, each counts.
      select f.priority, f.due_at, f.msg_id,
        f.claim_key is null and exists (
          select from pgmq.q_jobs q where q.message ->> 'app_id' = v_app and q.headers ? 'lease' and q.vt <= v_now),
        exists (select from carillon.crons c where c.app_id = v_app and c.max_concurrency is not null)
      into v_from, v_from_due, v_from_id, v_lost, v_limits
      from (select) one
      left join carillon.queue_fronts f on f.claim_key = v_key and f.looked_at between v_now - interval '1 second' and v_now;
      if v_lost then
        perform carillon._return_lost_jobs(v_app, v_now);
      end if;
      v_want := least(v_left, v_share);
      v_lease := jsonb_build_object('lease', jsonb_build_object('worker', worker));
      if v_rooms ? v_app then
        v_want := least(v_want, carillon._app_room(v_app, (v_rooms ->> v_app)::integer));
        v_lease := jsonb_set(v_lease, '{lease,limited}', 'true');
      end if;
      v_below := 2147483647;
      v_again_at := null;
      while v_want > 0 loop
        v_next := carillon._next_priorities(v_key, v_below, v_from, v_from_due, v_from_id);
        v_priority := greatest(v_next.direct, v_next.due, v_next.limited);
        if v_priority is null then
          exit when v_from is null;
          -- Too few from there on: whatever lies before it now, too.
          perform carillon._return_lost_jobs(v_app, v_now);
          v_from := null;
          v_below := 2147483647;
          v_again_at := null;
          continue;
        end if;
        v_direct := coalesce(v_next.direct = v_priority, false);
        v_due := coalesce(v_next.due = v_priority, false);
        v_limited := coalesce(v_next.limited = v_priority, false);
        v_picks := carillon._pick_jobs(v_key, v_priority, v_direct, v_due, v_limited, v_limits, v_want, v_now,
          case when v_priority = v_from then v_from_due else '-infinity' end, case when v_priority = v_from then v_from_id else 0 end);
        if v_from is null and cardinality(v_picks) = v_want and v_direct and not v_due and not v_limited then
          perform carillon._note_front(v_key, v_priority, v_picks[1], v_now);
        end if;
        -- By their places: these rows are locked, and no plan can then read the whole queue to find them. They come in
        -- the order they were picked in: the only join there is walks along the picks.
        return query
          update pgmq.q_jobs q
          set read_ct = q.read_ct + 1, last_read_at = v_now, vt = v_until, headers = coalesce(q.headers, '{}') || v_lease
          from unnest(v_picks) as p (at)
          where q.ctid = p.at
          returning carillon._claimed_json(q.msg_id, q.read_ct, v_app_json, q.message, q.headers, q.enqueued_at,
            (select u.username from carillon.principals u where u.id = carillon._job_user(q.message, q.headers)));
        v_want := v_want - cardinality(v_picks);
        v_left := v_left - cardinality(v_picks);
        if v_picks = '{}' then
          -- Looking for due jobs may have put some aside that are limited.
          if v_limits and v_due and v_again_at is distinct from v_priority then
            v_again_at := v_priority;
          else
            v_below := v_priority;
          end if;
        elsif not v_limits and v_direct <> v_due then
          -- Otherwise one kind may have had less than its part, and leaves the others more.
          v_below := v_priority;
        end if;
      end loop;
      if v_want = 0 and not v_rooms ? v_app then
        v_again := v_again || v_key;
      end if;
    end loop;
    v_waiting := v_again;
  end loop;
end;
$$;
comment on function carillon.claim_jobs(text[], text, integer, integer) is
  'Leases up to max_jobs due jobs of these apps to a worker: those without a target; @crm stands for those of the app crm that have one, and @ for those of all apps. In equal shares where each has enough. Of an app those of the highest priority go first; of one priority oldest due first, except that direct jobs and those of crons, and the crons among themselves, take turns where many wait, and that the limits of apps and crons (max_concurrency) hold. The pair (job_id, attempt) fences every later call about them. Each comes as a JSON array, which a client reads in a third of the time that a dozen columns take it: id, attempt, app, payload, milliseconds since 1970 it was enqueued at, trigger, id and name of its user; and, of some, cron, slot, seconds it may take, and target.';
revoke all on function carillon.claim_jobs(text[], text, integer, integer) from public;
--! EndIncluded jobs/claim_jobs.sql
--! Included jobs/next_job_in.sql
create or replace function carillon.next_job_in(apps text[]) returns double precision
language plpgsql volatile security definer
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  v_now timestamptz := carillon.now();
  v_keys text[] := apps;
  v_key text;
  v_app text;
  v_most integer;
  v_next timestamptz;
begin
  perform carillon._require_bound(apps);
  if '@' = any (apps) then
    v_keys := array_remove(apps, '@') || carillon._due_target_keys(v_now);
    v_next := (select q.vt from pgmq.q_jobs q where q.headers ? 'target' and q.vt > v_now order by q.vt limit 1);
  end if;
  foreach v_key in array v_keys loop
    v_app := ltrim(v_key, '@');
    -- When a lease runs out its job is due again, and its place is free.
    v_next := least(v_next, (
      select q.vt from pgmq.q_jobs q
      where q.message ->> 'app_id' = v_app and q.headers ? 'lease'
        and not (q.vt <= v_now and carillon._is_lost_for_good(q.headers))
      order by q.vt
      limit 1));
    select a.max_concurrency into v_most from carillon.apps a where a.id = v_app;
    if v_most is null or carillon._app_room(v_app, v_most) > 0 then
      v_next := least(v_next, carillon._next_due(v_key, v_now));
    end if;
    exit when v_next <= v_now;
  end loop;
  -- greatest() would pass over a null.
  return greatest(extract(epoch from v_next - v_now), case when v_next is not null then 0 end);
end;
$$;
comment on function carillon.next_job_in(text[]) is
  'Seconds until the next job of these apps comes due, or a lease on one runs out: tells an idle worker when to look again. 0 when one is due that no limit holds back, null when there is none. @crm and @ as in claim_jobs.';
revoke all on function carillon.next_job_in(text[]) from public;
--! EndIncluded jobs/next_job_in.sql
--! Included jobs/_count_failures.sql
create or replace function carillon._count_failures(succeeded uuid[], failed uuid[]) returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  -- Lock order: by cron. A cron with both in one batch is on its feet again.
  if succeeded is not null then
    perform from carillon.cron_failures f where f.cron_id = any (succeeded) order by f.cron_id for update;
    delete from carillon.cron_failures f where f.cron_id = any (succeeded);
  end if;
  insert into carillon.cron_failures as f (cron_id, consecutive)
  select c.id, count(*)
  from unnest(failed) as n (cron_id)
  join carillon.crons c on c.id = n.cron_id
  where c.id <> all (coalesce(succeeded, '{}'))
  group by c.id
  order by c.id
  on conflict (cron_id) do update set consecutive = f.consecutive + excluded.consecutive;
end;
$$;
comment on function carillon._count_failures(uuid[], uuid[]) is
  'Counts the failed jobs of crons (one element a job), and forgets the count of those that had a job succeed.';
revoke all on function carillon._count_failures(uuid[], uuid[]) from public;
--! EndIncluded jobs/_count_failures.sql
--! Included jobs/_short_result.sql
create or replace function carillon._short_result(result jsonb) returns jsonb
language sql immutable parallel safe security invoker
-- What is written again with every later attempt must stay small.
return case when length(result ->> 'body') > 4096
  then result || jsonb_build_object('body', left(result ->> 'body', 4096), 'bodyTruncated', true) else result end;
comment on function carillon._short_result(jsonb) is 'What is kept of what a target answered to an attempt that was not the last: of its body, the first 4096 characters.';
revoke all on function carillon._short_result(jsonb) from public;
--! EndIncluded jobs/_short_result.sql
--! Included jobs/_retry_attempts.sql
create or replace function carillon._retry_attempts(outcomes jsonb, now timestamptz, bound text[]) returns bigint[]
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_retried bigint[];
  v_keys text[];
begin
  with o as materialized (
    select * from jsonb_to_recordset(outcomes)
      as o (job_id bigint, attempt integer, status text, error jsonb, result jsonb, retry_in numeric, wait numeric, discard boolean)
    where o.status = 'failed' and o.error is not null
  ),
  again as (
    update pgmq.q_jobs q
    set vt = _retry_attempts.now + interval '1 second' * coalesce(o.retry_in, o.wait, least(86400,
          coalesce((q.headers ->> 'retry_delay')::numeric, 10)
          -- A hundred failures at a factor of ten are beyond any number.
          * power(coalesce((q.headers ->> 'retry_backoff')::numeric, 2), least(coalesce((q.headers ->> 'failures')::integer, 0), 20))
          * (0.9 + 0.2 * random())::numeric)),
      headers = (q.headers - 'lease')
        || jsonb_build_object('attempts', carillon._job_attempts(q.headers, q.read_ct, q.headers #>> '{lease,worker}',
          q.last_read_at, greatest(_retry_attempts.now, q.last_read_at), o.error,
          carillon._short_result(o.result)))
        || case when o.retry_in is null
          then jsonb_build_object('failures', coalesce((q.headers ->> 'failures')::integer, 0) + 1) else '{}' end
    from o
    where q.msg_id = o.job_id and q.read_ct = o.attempt and q.headers -> 'lease' is not null
      and carillon._may_reach(bound, q.message, q.headers)
      and (o.retry_in is not null or (o.discard is not true
        and coalesce((q.headers ->> 'failures')::integer, 0) + 1 < coalesce((q.headers ->> 'max_attempts')::integer, 1)))
    returning q.msg_id, carillon._claim_key(q.message, q.headers) as key
  )
  select array_agg(a.msg_id), array_agg(distinct a.key) into v_retried, v_keys from again a;
  -- Idle workers then plan for the time it is due.
  perform pg_notify('carillon_jobs', k) from unnest(v_keys) as k;
  return v_retried;
end;
$$;
comment on function carillon._retry_attempts(jsonb, timestamptz, text[]) is
  'Puts failed jobs that have attempts left, or asked for another time, back into the queue for later, those the caller may reach; returns their ids.';
revoke all on function carillon._retry_attempts(jsonb, timestamptz, text[]) from public;
--! EndIncluded jobs/_retry_attempts.sql
--! Included jobs/finish_jobs.sql
create or replace function carillon.finish_jobs(outcomes jsonb) returns setof bigint
language plpgsql volatile security definer
set search_path = ''
-- Jobs are found and locked one by one, in order of their ids, as everywhere.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
-- Planned once: for one job, planning takes longer than finishing it.
set plan_cache_mode = force_generic_plan
-- Whoever cancels the jobs of several crons in one transaction cannot keep that order. The worker tries again.
set lock_timeout = '3s'
as $$
declare
  v_now timestamptz := carillon.now();
  v_retried bigint[];
  v_finished bigint[];
  v_succeeded uuid[];
  v_failed uuid[];
  v_apps text[];
  -- A job of an app the role is not bound to is as one whose lease was lost.
  v_bound constant text[] := carillon._bound_apps();
begin
  if jsonb_typeof(outcomes) is distinct from 'array' then
    perform carillon._invalid('outcomes', 'must be a JSON array');
  end if;
  if outcomes @? '$[*] ? (@.status == "failed")' then
    -- Some jobs are put back and the others end: two statements, whose locks together have to be in order.
    perform from pgmq.q_jobs q
    where q.msg_id = any (array(select (o ->> 'job_id')::bigint from jsonb_array_elements(outcomes) as o))
      and carillon._may_reach(v_bound, q.message, q.headers)
    order by q.msg_id
    for update;
    v_retried := carillon._retry_attempts(outcomes, v_now, v_bound);
  end if;
  -- What is tried again has given its lease back, and is passed over.
  with o as materialized (
    select * from jsonb_to_recordset(outcomes)
      as o (job_id bigint, attempt integer, status text, result jsonb, error jsonb)
    order by o.job_id
  ),
  gone as (
    -- The fence: only the attempt that holds the lease finishes the job.
    delete from pgmq.q_jobs q
    using o
    where q.msg_id = o.job_id and q.read_ct = o.attempt and q.headers -> 'lease' is not null
      and carillon._may_reach(v_bound, q.message, q.headers)
    returning q.msg_id, q.read_ct, q.enqueued_at, q.last_read_at, q.message, q.headers, o.status, o.result, o.error
  ),
  kept as (
    insert into carillon.job_history as h
    select e.*
    from gone g
    cross join lateral carillon._ended_job(g.msg_id, g.message, g.headers, g.status, g.result, g.error, g.read_ct, g.enqueued_at,
      g.last_read_at, v_now) e
    returning h.job_id, h.cron_id, h.status
  )
  select array_agg(k.job_id), array_agg(k.cron_id) filter (where k.status = 'completed' and k.cron_id is not null),
    array_agg(k.cron_id) filter (where k.status = 'failed' and k.cron_id is not null),
    (select array_agg(distinct g.message ->> 'app_id') from gone g where carillon._holds_place(g.headers))
  into v_finished, v_succeeded, v_failed, v_apps
  from kept k;

  if v_succeeded is not null or v_failed is not null then
    perform carillon._count_failures(v_succeeded, v_failed);
  end if;
  -- Somebody may have waited for the place.
  perform pg_notify('carillon_jobs', k) from unnest(v_apps) as a, unnest(array[a, '@' || a]) as k;
  return query select unnest(v_finished || v_retried);
end;
$$;
comment on function carillon.finish_jobs(jsonb) is
  'Records how attempts ended: [{job_id, attempt, status: completed|failed, result, error, retry_in, wait, discard}]. Jobs move to the history, failed ones with attempts left (or a retry_in, in seconds) wait for the next, wait seconds where given; discard rules that out. The result of a failed attempt is what its target answered. Returns the ids recorded; one that is missing had lost its lease.';
revoke all on function carillon.finish_jobs(jsonb) from public;
--! EndIncluded jobs/finish_jobs.sql
--! Included jobs/extend_leases.sql
create or replace function carillon.extend_leases(job_ids bigint[], attempts integer[], lease_seconds integer) returns setof bigint
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_until timestamptz := carillon.now() + lease_seconds * interval '1 second';
  v_bound constant text[] := carillon._bound_apps();
begin
  if lease_seconds is null or lease_seconds < 1 then
    perform carillon._invalid('leaseSeconds', 'must be at least 1');
  end if;
  return query
    with held as materialized (
      -- A held job that somebody has locked is being finished, canceled or buried right now. Waiting for
      -- that while holding others' locks would deadlock with whoever locks them in another order.
      select q.msg_id
      from unnest(extend_leases.job_ids, extend_leases.attempts) as l (job_id, attempt)
      join pgmq.q_jobs q on q.msg_id = l.job_id and q.read_ct = l.attempt
      where q.headers -> 'lease' is not null and carillon._may_reach(v_bound, q.message, q.headers)
      -- Not "for update": a job whose log is being appended to (for key share) is ours all the same.
      for no key update of q skip locked
    )
    update pgmq.q_jobs q
    set vt = v_until
    from held
    where q.msg_id = held.msg_id
    returning q.msg_id;
end;
$$;
comment on function carillon.extend_leases(bigint[], integer[], integer) is
  'The heartbeat of running attempts; returns the ids still held. One that is missing has been lost or canceled, or is being finished.';
revoke all on function carillon.extend_leases(bigint[], integer[], integer) from public;
--! EndIncluded jobs/extend_leases.sql
--! Included jobs/release_jobs.sql
create or replace function carillon.release_jobs(job_ids bigint[], attempts integer[]) returns setof bigint
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_key text;
  v_bound constant text[] := carillon._bound_apps();
begin
  perform from pgmq.q_jobs q where q.msg_id = any (release_jobs.job_ids) and carillon._may_reach(v_bound, q.message, q.headers)
  order by q.msg_id for update;
  return query
    update pgmq.q_jobs q
    set vt = v_now, headers = q.headers - 'lease'
    from unnest(release_jobs.job_ids, release_jobs.attempts) as l (job_id, attempt)
    where q.msg_id = l.job_id and q.read_ct = l.attempt and q.headers -> 'lease' is not null
      and carillon._may_reach(v_bound, q.message, q.headers)
    returning q.msg_id;
  for v_key in select distinct carillon._claim_key(q.message, q.headers) from pgmq.q_jobs q where q.msg_id = any (release_jobs.job_ids)
    and carillon._may_reach(v_bound, q.message, q.headers) loop
    perform pg_notify('carillon_jobs', v_key);
  end loop;
end;
$$;
comment on function carillon.release_jobs(bigint[], integer[]) is
  'Hands leased jobs that were not started back to the queue, at once and without counting as lost.';
revoke all on function carillon.release_jobs(bigint[], integer[]) from public;
--! EndIncluded jobs/release_jobs.sql
--! Included jobs/_job_filter.sql
create or replace function carillon._job_filter(app text, filter jsonb) returns carillon.job_filter
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_given constant jsonb := jsonb_strip_nulls(filter);
  v_filter carillon.job_filter;
  v_unknown text;
begin
  if jsonb_typeof(filter) is distinct from 'object' then
    perform carillon._invalid('filter', 'must be a JSON object');
  end if;
  select k into v_unknown from jsonb_object_keys(v_given) as k
  where k not in ('cronId', 'status', 'trigger', 'tag', 'ids', 'enqueuedAfter', 'enqueuedBefore', 'startedAfter', 'startedBefore',
    'finishedAfter', 'finishedBefore', 'target')
  order by k limit 1;
  if v_unknown is not null then
    perform carillon._invalid(v_unknown, 'is not a filter of jobs');
  end if;
  v_filter.app_id := app;
  if v_given ? 'cronId' then
    v_filter.cron_id := carillon._json_uuid(v_given -> 'cronId', 'cronId');
  end if;
  if v_given ? 'status' then
    v_filter.statuses := carillon._json_words(v_given -> 'status', 'status',
      '{pending,queued,running,completed,failed,canceled,live,finished}');
    if 'live' = any (v_filter.statuses) then
      v_filter.statuses := v_filter.statuses || '{pending,queued,running}';
    end if;
    if 'finished' = any (v_filter.statuses) then
      v_filter.statuses := v_filter.statuses || '{completed,failed,canceled}';
    end if;
  end if;
  if v_given ? 'trigger' then
    v_filter.triggers := carillon._json_words(v_given -> 'trigger', 'trigger', '{automatic,manual,api}');
  end if;
  if v_given ? 'tag' then
    v_filter.tag := carillon._json_text(v_given -> 'tag', 'tag', 100);
  end if;
  if v_given ? 'ids' then
    if jsonb_typeof(v_given -> 'ids') <> 'array' or jsonb_array_length(v_given -> 'ids') > 1000 or exists (
      select from jsonb_array_elements(v_given -> 'ids') as i (id)
      where jsonb_typeof(i.id) <> 'number' or not (i.id)::numeric between 0 and 9007199254740991 or (i.id)::numeric % 1 <> 0)
    then
      perform carillon._invalid('ids', 'must be an array of at most 1000 ids of jobs');
    end if;
    v_filter.job_ids := array(select (i.id)::bigint from jsonb_array_elements(v_given -> 'ids') as i (id));
  end if;
  if v_given ? 'enqueuedAfter' then
    v_filter.enqueued_after := carillon._json_timestamp(v_given -> 'enqueuedAfter', 'enqueuedAfter');
  end if;
  if v_given ? 'enqueuedBefore' then
    v_filter.enqueued_before := carillon._json_timestamp(v_given -> 'enqueuedBefore', 'enqueuedBefore');
  end if;
  if v_given ? 'startedAfter' then
    v_filter.started_after := carillon._json_timestamp(v_given -> 'startedAfter', 'startedAfter');
  end if;
  if v_given ? 'startedBefore' then
    v_filter.started_before := carillon._json_timestamp(v_given -> 'startedBefore', 'startedBefore');
  end if;
  if v_given ? 'finishedAfter' then
    v_filter.finished_after := carillon._json_timestamp(v_given -> 'finishedAfter', 'finishedAfter');
  end if;
  if v_given ? 'finishedBefore' then
    v_filter.finished_before := carillon._json_timestamp(v_given -> 'finishedBefore', 'finishedBefore');
  end if;
  if v_given ? 'target' then
    v_filter.targets := carillon._json_words(v_given -> 'target', 'target', '{none,any,http,agent,faktory,container}');
    if 'any' = any (v_filter.targets) then
      v_filter.targets := v_filter.targets || '{http,agent,faktory,container}';
    end if;
  end if;
  return v_filter;
end;
$$;
comment on function carillon._job_filter(text, jsonb) is
  'A filter of an app''s jobs as the API spells it; TK001 names the field at fault.';
revoke all on function carillon._job_filter(text, jsonb) from public;
--! EndIncluded jobs/_job_filter.sql
--! Included jobs/_filter_conditions.sql
create or replace function carillon._filter_conditions(filter carillon.job_filter) returns text
language sql stable security invoker
set search_path = ''
as $$
  select coalesce(string_agg(' and ' || c, ''), '')
  from unnest(array[
    case when filter.cron_id is not null then format('j.cron_id = %L', filter.cron_id) end,
    case when filter.statuses is not null then format('j.status = any (%L)', filter.statuses) end,
    case when filter.triggers is not null then format('j.trigger = any (%L)', filter.triggers) end,
    case when filter.tag is not null then format('j.headers -> ''tags'' ? %L', filter.tag) end,
    case when filter.targets is not null
      then format('coalesce(j.headers #>> ''{target,type}'', ''none'') = any (%L)', filter.targets) end,
    case when filter.job_ids is not null then format('j.job_id = any (%L)', filter.job_ids) end,
    case when filter.enqueued_after is not null then format('j.enqueued_at >= %L', filter.enqueued_after) end,
    case when filter.enqueued_before is not null then format('j.enqueued_at < %L', filter.enqueued_before) end,
    case when filter.started_after is not null then format('j.started_at >= %L', filter.started_after) end,
    case when filter.started_before is not null then format('j.started_at < %L', filter.started_before) end,
    case when filter.finished_after is not null then format('j.finished_at >= %L', filter.finished_after) end,
    case when filter.finished_before is not null then format('j.finished_at < %L', filter.finished_before) end
  ]) as c
$$;
comment on function carillon._filter_conditions(carillon.job_filter) is
  'What a filter asks of a row j of jobs besides its app, as SQL, each condition after an and.';
revoke all on function carillon._filter_conditions(carillon.job_filter) from public;
--! EndIncluded jobs/_filter_conditions.sql
--! Included jobs/_live_conditions.sql
create or replace function carillon._live_conditions(filter carillon.job_filter, now timestamptz) returns text
language sql stable security invoker
set search_path = ''
as $$
  select coalesce(string_agg(' and ' || c, ''), '')
  from unnest(array[
    format('q.message ->> ''app_id'' = %L', filter.app_id),
    case when filter.cron_id is not null then format('q.headers ->> ''cron_id'' = %L', filter.cron_id::text) end,
    case when filter.statuses is not null then coalesce((
      select '(' || string_agg(s.condition, ' or ') || ')'
      from (values
        ('running', format('(q.vt > %L and coalesce(q.headers ? ''lease'', false))', now)),
        ('pending', format('(q.vt > %L and not coalesce(q.headers ? ''lease'', false))', now)),
        ('queued', format('q.vt <= %L', now))) as s (status, condition)
      where s.status = any (filter.statuses)), 'false') end,
    case when filter.triggers is not null then format('carillon._job_trigger(q.headers) = any (%L)', filter.triggers) end,
    case when filter.tag is not null then format('q.headers -> ''tags'' ? %L', filter.tag) end,
    case when filter.targets is not null
      then format('coalesce(q.headers #>> ''{target,type}'', ''none'') = any (%L)', filter.targets) end,
    case when filter.job_ids is not null then format('q.msg_id = any (%L)', filter.job_ids) end,
    case when filter.enqueued_after is not null then format('q.enqueued_at >= %L', filter.enqueued_after) end,
    case when filter.enqueued_before is not null then format('q.enqueued_at < %L', filter.enqueued_before) end,
    case when coalesce(filter.started_after, filter.started_before) is not null then 'coalesce(q.headers ? ''lease'', false)' end,
    case when filter.started_after is not null then format('q.last_read_at >= %L', filter.started_after) end,
    case when filter.started_before is not null then format('q.last_read_at < %L', filter.started_before) end,
    case when coalesce(filter.finished_after, filter.finished_before) is not null then 'false' end
  ]) as c
$$;
comment on function carillon._live_conditions(carillon.job_filter, timestamptz) is
  'What a filter asks of a message q of the queue, as SQL, each condition after an and.';
revoke all on function carillon._live_conditions(carillon.job_filter, timestamptz) from public;
--! EndIncluded jobs/_live_conditions.sql
--! Included jobs/_live_page.sql
create or replace function carillon._live_page(filter carillon.job_filter, from_job bigint, oldest_first boolean, max_rows integer,
  out job_ids bigint[], out frontier bigint)
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  c_rows constant integer := 5000;
  v_conditions constant text := carillon._live_conditions(filter, carillon.now());
  v_order constant text := case when oldest_first then '' else ' desc' end;
  v_walk text := format('q.msg_id %s %L::bigint', case when oldest_first then '>' else '<' end, from_job);
  -- Each job of an app is in one of three indexes; one that runs is in the last.
  v_of_app constant text := (
    select string_agg(format('(select q.* from pgmq.q_jobs q where %s and %s limit %s)',
      case when i.leased then format('q.message ->> ''app_id'' = %L', filter.app_id)
        else format('carillon._claim_key(q.message, q.headers) = any (%L)', array[filter.app_id, '@' || filter.app_id]) end,
      i.condition, c_rows / 2 + 1), ' union all ')
    from (values
      ('(q.headers ? ''cron_id'') is not true and (q.headers ? ''lease'') is not true', false),
      ('q.headers ? ''cron_id'' and not q.headers ? ''lease''', false),
      ('q.headers ? ''lease''', true)) as i (condition, leased)
    where i.leased or filter.statuses is null or filter.statuses operator(pg_catalog.&&) '{pending,queued}');
  v_few integer := c_rows;
  v_from text;
begin
  if filter.job_ids is null and filter.cron_id is null then
    execute format('select count(*) from (select from (%s) q limit %s) few', v_of_app, c_rows / 2 + 1) into v_few;
  end if;
  if filter.job_ids is not null then
    v_from := format('pgmq.q_jobs q where q.msg_id = any (%L::bigint[]) and %s', filter.job_ids, v_walk);
  elsif v_few <= c_rows / 2 then
    -- The app has only a few jobs in the queue: these and no others are looked at.
    v_from := format('(%s) q where %s', v_of_app, v_walk);
  else
    -- One walk in the order of ids, along the cron's index or through the whole queue.
    v_walk := v_walk || case when filter.cron_id is not null then format(' and q.headers ->> ''cron_id'' = %L', filter.cron_id::text) else '' end;
    v_from := format('(select * from pgmq.q_jobs q where %s order by q.msg_id%s limit %s) q where true', v_walk, v_order, c_rows);
  end if;
  execute format('select array(select q.msg_id from %s%s order by q.msg_id%s limit %s)', v_from, v_conditions, v_order, max_rows)
  into job_ids;
  if filter.job_ids is null and v_few > c_rows / 2 and cardinality(job_ids) < max_rows then
    execute format('select q.msg_id from pgmq.q_jobs q where %s order by q.msg_id%s offset %s limit 1', v_walk, v_order, c_rows - 1)
    into frontier;
  end if;
end;
$$;
comment on function carillon._live_page(carillon.job_filter, bigint, boolean, integer) is
  'The next live jobs that a filter means, beyond an id. With a frontier, no job beyond that one has been looked at.';
revoke all on function carillon._live_page(carillon.job_filter, bigint, boolean, integer) from public;
--! EndIncluded jobs/_live_page.sql
--! Included jobs/_waiting_walks.sql
create or replace function carillon._waiting_walks(keys text[]) returns text[]
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  -- The conditions of the indexes of what waits, and what they begin with after the claim key.
  c_direct constant text := '(q.headers ? ''cron_id'') is not true and (q.headers ? ''lease'') is not true';
  c_due constant text := 'q.headers ? ''cron_id'' and not q.headers ? ''lease'' and not q.headers ? ''limited''';
  c_limited constant text := 'q.headers ? ''cron_id'' and not q.headers ? ''lease'' and (q.headers ? ''limited'') = true';
  v_walks text[] := '{}';
  v_key text;
  v_kind text;
  v_priority integer;
  v_cron text;
begin
  for v_key, v_kind in
    select k.key, i.kind from unnest(keys) as k (key), unnest(array[c_direct, c_due, c_limited]) as i (kind)
  loop
    v_priority := 2147483647;
    loop
      execute format($sql$
        select carillon._job_priority(q.headers) from pgmq.q_jobs q
        where carillon._claim_key(q.message, q.headers) = $1 and %s and carillon._job_priority(q.headers) < $2
        order by carillon._job_priority(q.headers) desc limit 1$sql$, v_kind)
      into v_priority using v_key, v_priority;
      exit when v_priority is null;
      v_cron := '';
      loop
        if v_kind = c_limited then
          select q.headers ->> 'cron_id' into v_cron from pgmq.q_jobs q
          where carillon._claim_key(q.message, q.headers) = v_key and q.headers ? 'cron_id' and not q.headers ? 'lease' and (q.headers ? 'limited') = true
            and carillon._job_priority(q.headers) = v_priority and q.headers ->> 'cron_id' > v_cron
          order by q.headers ->> 'cron_id' limit 1;
          exit when v_cron is null;
        end if;
        v_walks := v_walks || format(
          'carillon._claim_key(q.message, q.headers) = %L and %s and coalesce((q.headers ->> ''priority'')::integer, 0) = %s%s', v_key, v_kind, v_priority, case when v_cron <> '' then format(' and q.headers ->> ''cron_id'' = %L', v_cron) else '' end);
        exit when v_kind <> c_limited;
      end loop;
    end loop;
  end loop;
  return v_walks;
end;
$$;
comment on function carillon._waiting_walks(text[]) is
  'The stretches of the indexes of the waiting jobs, each in the order of due time, that together have all those of some claim keys.';
revoke all on function carillon._waiting_walks(text[]) from public;
--! EndIncluded jobs/_waiting_walks.sql
--! Included jobs/_waiting_page.sql
create or replace function carillon._waiting_page(filter carillon.job_filter, from_due timestamptz, from_job bigint, max_rows integer,
  out job_ids bigint[], out frontier_due timestamptz, out frontier_job bigint)
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  c_budget constant integer := 2000;
  v_conditions constant text := carillon._live_conditions(filter, carillon.now()) || ' and not coalesce(q.headers ? ''lease'', false)';
  v_walks constant text[] := array(
    select format('%s and (q.vt, q.msg_id) > (%L::timestamptz, %L::bigint)', w.walk, from_due, from_job)
    from unnest(carillon._waiting_walks(array[filter.app_id, '@' || filter.app_id])) as w (walk));
begin
  job_ids := '{}';
  if v_walks = '{}' then
    return;
  end if;
  execute (
    select 'select w.vt, w.msg_id from (' || string_agg(format(
      '(select q.vt, q.msg_id from pgmq.q_jobs q where %s order by q.vt, q.msg_id offset %s limit 1)', w.walk, c_budget - 1), ' union all ')
      || ') w order by w.vt, w.msg_id limit 1'
    from unnest(v_walks) as w (walk))
  into frontier_due, frontier_job;
  execute (
    select 'select array(select w.msg_id from (' || string_agg(format(
      '(select q.vt, q.msg_id from pgmq.q_jobs q where %s%s%s order by q.vt, q.msg_id limit %s)', w.walk, v_conditions,
      case when frontier_due is not null
        then format(' and (q.vt, q.msg_id) <= (%L::timestamptz, %L::bigint)', frontier_due, frontier_job) else '' end, max_rows), ' union all ')
      || format(') w order by w.vt, w.msg_id limit %s)', max_rows)
    from unnest(v_walks) as w (walk))
  into job_ids;
end;
$$;
comment on function carillon._waiting_page(carillon.job_filter, timestamptz, bigint, integer) is
  'The next jobs that wait and that a filter means, by due time, beyond a place (due time, id). With a frontier, none beyond that place has been looked at.';
revoke all on function carillon._waiting_page(carillon.job_filter, timestamptz, bigint, integer) from public;
--! EndIncluded jobs/_waiting_page.sql
--! Included jobs/_lease_holders.sql
create or replace function carillon._lease_holders(apps text[], now timestamptz, most integer) returns table (app_id text, worker text, running bigint, since timestamptz)
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
begin
  return query
    select q.message ->> 'app_id', q.headers #>> '{lease,worker}', count(*), min(q.last_read_at)
    from pgmq.q_jobs q
    where q.message ->> 'app_id' = any (apps) and q.headers ? 'lease' and q.vt > _lease_holders.now
    group by 1, 2
    order by 3 desc, 1, 2
    limit most;
end;
$$;
comment on function carillon._lease_holders(text[], timestamptz, integer) is 'The workers that have jobs of these apps running, those with the most first and so many at most: how many, and since when the oldest.';
revoke all on function carillon._lease_holders(text[], timestamptz, integer) from public;
--! EndIncluded jobs/_lease_holders.sql
--! Included workers/_is_there.sql
create or replace function carillon._is_there(seen_at timestamptz, now timestamptz) returns boolean
language sql immutable parallel safe security invoker
-- It says so every 30 seconds.
return seen_at > now - interval '90 seconds';
comment on function carillon._is_there(timestamptz, timestamptz) is 'Whether a worker that was last heard of at a time counts as being there.';
revoke all on function carillon._is_there(timestamptz, timestamptz) from public;
--! EndIncluded workers/_is_there.sql
--! Included workers/note_worker.sql
create or replace function carillon.note_worker(worker text, keys text[], host text, pid integer, version text, concurrency integer) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  if worker is null or coalesce(cardinality(keys), 0) = 0 then
    perform carillon._invalid(case when worker is null then 'worker' else 'keys' end, 'is required');
  end if;
  if coalesce(concurrency, 0) < 1 then
    perform carillon._invalid('concurrency', 'must be at least 1');
  end if;
  perform carillon._require_bound(keys);
  insert into carillon.workers as w (name, keys, host, pid, version, concurrency, started_at, seen_at)
  values (left(worker, 200), note_worker.keys, left(coalesce(note_worker.host, ''), 200), coalesce(note_worker.pid, 0), left(coalesce(note_worker.version, ''), 50),
    note_worker.concurrency, v_now, v_now)
  -- A role that is bound to some apps cannot speak for those of others.
  on conflict (name) do update set seen_at = greatest(excluded.seen_at, w.started_at) where w.keys = excluded.keys;
end;
$$;
comment on function carillon.note_worker(text, text[], text, integer, text, integer) is
  'What every worker says when it begins and every 30 seconds from then on: that it is there, and what it claims (see claim_jobs).';
revoke all on function carillon.note_worker(text, text[], text, integer, text, integer) from public;
--! EndIncluded workers/note_worker.sql
--! Included workers/forget_worker.sql
create or replace function carillon.forget_worker(worker text, keys text[]) returns void
language plpgsql volatile security definer
set search_path = ''
as $$
begin
  perform carillon._require_bound(keys);
  delete from carillon.workers w where w.name = left(worker, 200) and w.keys = forget_worker.keys;
end;
$$;
comment on function carillon.forget_worker(text, text[]) is 'What a worker says last: that it is not there any more.';
revoke all on function carillon.forget_worker(text, text[]) from public;
--! EndIncluded workers/forget_worker.sql
--! Included workers/list_workers.sql
create or replace function carillon.list_workers(app text default null, actor uuid default null, actor_scopes text[] default null)
returns table (
  name text, kind text, apps text[], host text, pid integer, version text, concurrency integer, started_at timestamptz,
  seen_at timestamptz, there boolean, running bigint
)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_now constant timestamptz := carillon.now();
  v_apps constant text[] := carillon._apps_where(carillon._held_by(actor, actor_scopes), 'job.read', app);
begin
  return query
    with busy as materialized (
      select h.worker, sum(h.running)::bigint as jobs from carillon._lease_holders(v_apps, v_now, 100000) h group by 1
    )
    select w.name, case when starts_with(w.keys[1], '@') then 'dispatcher' else 'worker' end,
      case when '@' <> all (w.keys) then s.apps end,
      w.host, w.pid, w.version, w.concurrency, w.started_at, w.seen_at, carillon._is_there(w.seen_at, v_now), coalesce(b.jobs, 0)
    from carillon.workers w
    -- Of a worker of several apps, those that the actor may read.
    cross join lateral (select array(select ltrim(k, '@') from unnest(w.keys) as k where ltrim(k, '@') = any (v_apps) order by 1) as apps) s
    left join busy b on b.worker = w.name
    where s.apps <> '{}' or ('@' = any (w.keys) and v_apps <> '{}') or (actor is null and list_workers.app is null)
    order by carillon._is_there(w.seen_at, v_now) desc, 2, w.keys, w.name
    limit 1000;
end;
$$;
comment on function carillon.list_workers(text, uuid, text[]) is
  'The workers and dispatchers that were heard of within the last hour, idle ones too, those that are there first: of the apps whose jobs the actor may read (apps is null for dispatchers of all apps), with how many jobs of these each has running.';
revoke all on function carillon.list_workers(text, uuid, text[]) from public;
--! EndIncluded workers/list_workers.sql
--! Included workers/_trim_workers.sql
create or replace function carillon._trim_workers() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_gone integer;
begin
  delete from carillon.workers w
  where w.ctid = any (array(select o.ctid from carillon.workers o where o.seen_at < v_now - interval '1 hour' limit 1000));
  get diagnostics v_gone = row_count;
  return v_gone;
end;
$$;
comment on function carillon._trim_workers() is 'Forgets workers that were not heard of for an hour, 1000 at a time; returns how many.';
revoke all on function carillon._trim_workers() from public;
--! EndIncluded workers/_trim_workers.sql
--! Included jobs/_queue_depths.sql
create or replace function carillon._queue_depths(apps text[], now timestamptz)
returns table (app_id text, targets boolean, due integer, oldest timestamptz, running integer)
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  c_most constant integer := 10001;
  v_walks text[];
begin
  for app_id, targets in select a, t from unnest(apps) as a, unnest('{false,true}'::boolean[]) as t order by 1, 2 loop
    v_walks := carillon._waiting_walks(array[case when targets then '@' else '' end || app_id]);
    select count(*) into running
    from (
      select from pgmq.q_jobs q
      where q.message ->> 'app_id' = _queue_depths.app_id and q.headers ? 'lease' and q.vt > _queue_depths.now
        and q.headers ? 'target' = targets
      limit c_most) r;
    due := 0;
    oldest := null;
    if v_walks <> '{}' then
      execute (
        select format('select least(sum(w.due), %s), min(w.oldest) from (', c_most) || string_agg(format(
          '(select count(*) as due, min(q.vt) as oldest from (select q.vt from pgmq.q_jobs q where %s and q.vt <= %L::timestamptz order by q.vt, q.msg_id limit %s) q)',
          w.walk, _queue_depths.now, c_most), ' union all ') || ') w'
        from unnest(v_walks) as w (walk))
      into due, oldest;
    end if;
    if running > 0 or v_walks <> '{}' then
      return next;
    end if;
  end loop;
end;
$$;
comment on function carillon._queue_depths(text[], timestamptz) is
  'Of each of these apps that has live jobs, those without targets and those with (which dispatchers take): how many are due and wait, since when the oldest has been due, and how many run; counted to 10001.';
revoke all on function carillon._queue_depths(text[], timestamptz) from public;
--! EndIncluded jobs/_queue_depths.sql
--! Included jobs/_stalled_items.sql
create or replace function carillon._stalled_items(apps text[], now timestamptz) returns setof carillon.attention_item
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
begin
  return query
    select 3, 'no_worker', d.app_id, '[]'::jsonb, 0, d.due::bigint, d.oldest, null::text,
      case when t.there > 0
        then format('%s there, and %s none of %s: %s, and none has been started',
          case t.there when 1 then 'A ' || n.who || ' is' else t.there || ' ' || n.who || 's are' end,
          case t.there when 1 then 'takes' else 'take' end, n.jobs, n.due)
        else format('No %s takes %s: %s, and none has been started', n.who, n.jobs, n.due) end
    from carillon._queue_depths(apps, _stalled_items.now) d
    cross join lateral (
      select case when d.targets then 'dispatcher' else 'worker' end as who,
        case when d.targets then 'the jobs with targets of ' else 'the jobs of ' end || d.app_id as jobs,
        case d.due when 1 then 'one is due' when 10001 then 'more than 10000 are due' else d.due || ' are due' end as due) n
    cross join lateral (
      select count(*) as there from carillon.workers w
      where carillon._is_there(w.seen_at, _stalled_items.now)
        and w.keys && case when d.targets then array['@', '@' || d.app_id] else array[d.app_id] end) t
    where d.due > 0 and d.oldest < _stalled_items.now - interval '2 minutes'
      -- With one that takes them, one is running now or has ended lately.
      and d.running = 0
      and not exists (
        select from carillon.job_history h
        where h.app_id = d.app_id and h.finished_at > _stalled_items.now - interval '2 minutes' and h.started_at is not null
          and h.headers ? 'target' = d.targets);
end;
$$;
comment on function carillon._stalled_items(text[], timestamptz) is
  'Apps of these with jobs, without targets or with, that have been due for more than two minutes, of which none runs and none has ended in that time; and whether somebody is there who should take them.';
revoke all on function carillon._stalled_items(text[], timestamptz) from public;
--! EndIncluded jobs/_stalled_items.sql
--! Included jobs/_letter_items.sql
create or replace function carillon._letter_items(apps text[]) returns setof carillon.attention_item
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
begin
  return query
    with letters as materialized (
      select a.app, d.cron_id, d.buried_at, coalesce(d.error, d.reason, 'unknown') as error
      from unnest(apps) as a (app)
      cross join lateral (
        select (l.headers ->> 'cron_id')::uuid as cron_id, l.vt as buried_at, carillon._error_text(l.headers #> '{attempts,-1,error}') as error,
          l.headers ->> 'reason' as reason
        from pgmq.q_jobs_dlq l
        where l.message ->> 'app_id' = a.app
        order by l.msg_id desc
        limit 1000) d
    )
    select 2, 'dead_letters', l.app, carillon._cron_names(array_agg(distinct l.cron_id) filter (where l.cron_id is not null)),
      count(distinct l.cron_id)::integer, count(*), min(l.buried_at), min(l.error),
      format('%s of %s: %s', case count(*) when 1 then 'One dead letter' else count(*) || ' dead letters' end, l.app, min(l.error))
    from letters l
    group by l.app, carillon._error_gist(l.error);
end;
$$;
comment on function carillon._letter_items(text[]) is 'The newest 1000 dead letters of each of these apps, by what their errors have in common.';
revoke all on function carillon._letter_items(text[]) from public;
--! EndIncluded jobs/_letter_items.sql
--! Included jobs/_longest_running.sql
create or replace function carillon._longest_running(apps text[], now timestamptz)
returns table (job_id bigint, app_id text, cron_id uuid, worker text, attempt integer, enqueued_at timestamptz, started_at timestamptz, p95 double precision)
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
begin
  return query
    with running as materialized (
      select r.* from (
        select q.msg_id, q.message ->> 'app_id' as app, (q.headers ->> 'cron_id')::uuid as cron, q.headers #>> '{lease,worker}' as worker,
          q.read_ct, q.enqueued_at, q.last_read_at
        from pgmq.q_jobs q
        where q.message ->> 'app_id' = any (apps) and q.headers ? 'lease' and q.vt > _longest_running.now
        limit 10000) r
      order by r.last_read_at, r.msg_id
      limit 100
    ),
    -- How long the jobs of the last days ran.
    ran as (
      select s.scope, e >> 40 as bucket, sum(e & 1099511627775) as n
      from carillon.job_stats s
      cross join lateral unnest(s.durations) as e
      where (s.app_id, s.scope) in (select r.app, r.cron from running r where r.cron is not null)
        and s.step = 86400 and s.from_at >= _longest_running.now - interval '8 days'
      group by 1, 2
    ),
    typical as (
      select x.scope, carillon._bucket_value(min(x.bucket) filter (where x.upto >= 0.95 * x.jobs)) as p95
      from (select r.*, sum(r.n) over (partition by r.scope order by r.bucket) as upto, sum(r.n) over (partition by r.scope) as jobs from ran r) x
      group by 1
    )
    select r.msg_id, r.app, r.cron, r.worker, r.read_ct, r.enqueued_at, r.last_read_at, t.p95
    from running r
    left join typical t on t.scope = r.cron
    order by extract(epoch from _longest_running.now - r.last_read_at)::double precision / t.p95 desc nulls last, r.last_read_at, r.msg_id
    limit 8;
end;
$$;
comment on function carillon._longest_running(text[], timestamptz) is
  'Eight running jobs of these apps: of the hundred that have run longest, those that have for their cron, whose jobs of the last days took p95 seconds or less.';
revoke all on function carillon._longest_running(text[], timestamptz) from public;
--! EndIncluded jobs/_longest_running.sql
--! Included stats/_stats_until.sql
create or replace function carillon._stats_until() returns timestamptz
language sql stable security invoker
set search_path = ''
as $$
  select coalesce((select (s.value #>> '{}')::timestamptz from carillon.settings s where s.key = 'stats_until'), '-infinity')
$$;
comment on function carillon._stats_until() is 'Up to when the statistics have every job that ended.';
revoke all on function carillon._stats_until() from public;
--! EndIncluded stats/_stats_until.sql
--! Included jobs/_history_parts.sql
create or replace function carillon._history_parts(filter carillon.job_filter)
returns table (part text, statuses text[], first_job bigint, last_job bigint, jobs bigint)
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_until constant timestamptz := carillon._stats_until();
begin
  return query
    with days as materialized (
      select right(c.relname, 8) as part, to_date(right(c.relname, 8), 'YYYYMMDD')::timestamp at time zone 'UTC' as from_at
      from pg_catalog.pg_inherits i
      join pg_catalog.pg_class c on c.oid = i.inhrelid
      where i.inhparent = 'carillon.job_history'::regclass and c.relname ~ '\d{8}$'
    ),
    known as materialized (
      -- A day that is rolled up and over is listed there with all its jobs of the app, or cron, or not at all.
      select s.from_at, array_agg(s.status) as statuses, min(s.first_job) as first_job, max(s.last_job) as last_job, sum(s.jobs)::bigint as jobs
      from carillon.job_stats s
      where s.app_id = filter.app_id and s.scope = coalesce(filter.cron_id, '00000000-0000-0000-0000-000000000000') and s.step = 86400
        and (filter.statuses is null or s.status = any (filter.statuses))
      group by 1
    )
    select d.part, coalesce(k.statuses, '{completed,failed,canceled}'), k.first_job, k.last_job, k.jobs
    from days d
    -- With a day's grace for a clock that was set back.
    left join known k on k.from_at = d.from_at and d.from_at + interval '48 hours' <= v_until
    where d.from_at < coalesce(filter.finished_before, 'infinity')
      -- What starts or is enqueued after some time ends after it.
      and d.from_at + interval '24 hours' > coalesce(greatest(filter.finished_after, filter.started_after, filter.enqueued_after), '-infinity')
      and (k.jobs is not null or d.from_at + interval '48 hours' > v_until)
      and (k.jobs is null or filter.job_ids is null or exists (select from unnest(filter.job_ids) as i where i between k.first_job and k.last_job));
  if exists (select from carillon.job_history_default) then
    return query select 'default', '{completed,failed,canceled}'::text[], null::bigint, null::bigint, null::bigint;
  end if;
end;
$$;
comment on function carillon._history_parts(carillon.job_filter) is
  'The partitions of the history that may hold what a filter means, by the ends of their names; of days that are over also the statuses, from which job to which, and how many, of the app or cron.';
revoke all on function carillon._history_parts(carillon.job_filter) from public;
--! EndIncluded jobs/_history_parts.sql
--! Included jobs/_history_walks.sql
create or replace function carillon._history_walks(filter carillon.job_filter, part text, statuses text[]) returns text[]
language sql stable security invoker
set search_path = ''
as $$
  select case
    when filter.job_ids is not null then array[
      format('carillon.job_history_%s j where j.app_id = %L and j.job_id = any (%L::bigint[])', part, filter.app_id, filter.job_ids)]
    -- The tags first: a walk along the jobs that looks for the tag of each may look at most of them.
    when filter.tag is not null then array[
      format('carillon.job_tags_%s t cross join lateral (select * from carillon.job_history_%1$s h where h.job_id = t.job_id and h.app_id = %2$L '
        'offset 0) j where t.app_id = %2$L and t.tag = %3$L', part, filter.app_id, filter.tag)]
    when filter.triggers = '{manual}' then array[format('carillon.job_history_%s j where j.app_id = %L and j.trigger = ''manual''', part, filter.app_id)]
    else array(
      select format('carillon.job_history_%s j where j.app_id = %L and j.status = %L', part, filter.app_id, s)
        || case when filter.cron_id is not null then format(' and j.cron_id = %L', filter.cron_id) else '' end
      from unnest(statuses) as s
      where filter.statuses is null or s = any (filter.statuses))
  end
$$;
comment on function carillon._history_walks(carillon.job_filter, text, text[]) is
  'The walks along an index of a partition of the history, each in the order of ids, that together have all that a filter means.';
revoke all on function carillon._history_walks(carillon.job_filter, text, text[]) from public;
--! EndIncluded jobs/_history_walks.sql
--! Included jobs/_job_span.sql
create or replace function carillon._job_span(filter carillon.job_filter, out above bigint, out below bigint)
language plpgsql stable security invoker
set search_path = ''
set jit = off
as $$
declare
  c_app constant uuid := '00000000-0000-0000-0000-000000000000';
  -- For a clock that was set back.
  c_grace constant interval := '10 minutes';
  v_before timestamptz := least(filter.enqueued_before, filter.started_before, filter.finished_before);
  v_step record;
  v_first bigint;
  v_last bigint;
begin
  above := -1;
  below := 9223372036854775807;
  -- Ids are given in the order of enqueuing. What has ended by some time was enqueued by then.
  if filter.enqueued_after is not null then
    above := greatest(above, (
      select max(s.last_job) from carillon.job_stats s
      where s.app_id = filter.app_id and s.scope = c_app and s.step = 900
        and s.from_at <= filter.enqueued_after - c_grace - interval '15 minutes' and s.from_at > filter.enqueued_after - interval '2 days'));
  end if;
  -- One that was enqueued after a time is beyond all that were before.
  if v_before is not null then
    for v_step in
      select s.from_at, s.last_job from carillon.job_stats s
      where s.app_id = filter.app_id and s.scope = c_app and s.step = 900 and s.from_at >= v_before
      order by s.from_at
      limit 20
    loop
      if exists (
        select from carillon.job_history h
        where h.job_id = v_step.last_job and h.finished_at >= v_step.from_at and h.finished_at < v_step.from_at + interval '15 minutes'
          and h.enqueued_at >= v_before + c_grace)
      then
        below := v_step.last_job;
        exit;
      end if;
    end loop;
  end if;
  -- Of what is rolled up it is known between which ids it lies.
  if filter.finished_after is not null and filter.finished_before <= carillon._stats_until() - interval '48 hours' then
    select min(s.first_job), max(s.last_job) into v_first, v_last from carillon.job_stats s
    where s.app_id = filter.app_id and s.scope = coalesce(filter.cron_id, c_app)
      and s.step = case when filter.finished_before - filter.finished_after > interval '2 days' then 86400 else 900 end
      and s.from_at > filter.finished_after - s.step * interval '1 second' and s.from_at < filter.finished_before
      and (filter.statuses is null or s.status = any (filter.statuses));
    above := greatest(above, coalesce(v_first, 0) - 1);
    below := least(below, coalesce(v_last, -1) + 1);
  end if;
end;
$$;
comment on function carillon._job_span(carillon.job_filter, out bigint, out bigint) is
  'Two ids between which all finished jobs lie that a filter''s times mean, as far as the statistics tell.';
revoke all on function carillon._job_span(carillon.job_filter) from public;
--! EndIncluded jobs/_job_span.sql
--! Included jobs/_rest_of_filter.sql
create or replace function carillon._rest_of_filter(filter carillon.job_filter) returns carillon.job_filter
language plpgsql immutable security invoker
set search_path = ''
as $$
begin
  if filter.job_ids is not null then
    filter.job_ids := null;
  elsif filter.tag is not null then
    filter.tag := null;
  elsif filter.triggers = '{manual}' then
    filter.triggers := null;
  else
    filter.cron_id := null;
    filter.statuses := null;
  end if;
  return filter;
end;
$$;
comment on function carillon._rest_of_filter(carillon.job_filter) is 'What a filter asks besides what _history_walks goes by.';
revoke all on function carillon._rest_of_filter(carillon.job_filter) from public;
--! EndIncluded jobs/_rest_of_filter.sql
--! Included jobs/_finished_job.sql
create or replace function carillon._finished_job(h carillon.job_history) returns carillon.jobs
language sql stable parallel safe security invoker
return row(
  h.job_id, h.app_id, h.cron_id, h.scheduled_for, h.trigger, h.status, h.user_id, h.payload, h.headers, h.result, h.error,
  h.attempt, h.worker, h.enqueued_at, null::timestamptz, h.started_at, h.finished_at,
  carillon._job_attempts(h.headers, h.attempt, h.worker, h.started_at, h.finished_at, h.error, h.result))::carillon.jobs;
comment on function carillon._finished_job(carillon.job_history) is 'A row of the history as carillon.jobs shows it.';
revoke all on function carillon._finished_job(carillon.job_history) from public;
--! EndIncluded jobs/_finished_job.sql
--! Included jobs/_finished_page.sql
create or replace function carillon._finished_page(filter carillon.job_filter, from_job bigint, oldest_first boolean, max_rows integer, with_rows boolean,
  out jobs carillon.jobs[], out job_ids bigint[], out frontier bigint)
language plpgsql stable security invoker
set search_path = ''
-- A walk along an index is right here even where the planner has seen only a few rows.
set enable_seqscan = off
set jit = off
as $$
declare
  -- Rows and partitions to look at in one step, and steps.
  c_rows constant integer := 6000;
  c_parts constant integer := 40;
  c_steps constant integer := 4;
  v_conditions text := carillon._filter_conditions(carillon._rest_of_filter(filter));
  v_key constant text := case when filter.tag is not null and filter.job_ids is null then 't.job_id' else 'j.job_id' end;
  v_order constant text := case when oldest_first then '' else ' desc' end;
  v_counted constant boolean := v_conditions = '' and filter.tag is null and filter.triggers is null;
  v_above bigint;
  v_below bigint;
  v_parts text[];
  v_statuses text[];
  v_bounds bigint[];
  v_counts bigint[];
  v_at integer := 1;
  v_take integer;
  v_walks text[];
  v_frontier bigint;
  v_new carillon.jobs[];
  v_new_ids bigint[];
begin
  jobs := '{}';
  job_ids := '{}';
  select s.above, s.below into v_above, v_below from carillon._job_span(filter) s;
  if oldest_first then
    v_above := greatest(v_above, from_job);
  else
    v_below := least(v_below, from_job);
  end if;
  -- In the order of the first job that each may have: a part is not asked once those found come before all of its own.
  select array_agg(p.part order by p.bound, p.part desc), array_agg(array_to_string(p.statuses, ' ') order by p.bound, p.part desc),
    array_agg(p.bound order by p.bound, p.part desc), array_agg(p.jobs order by p.bound, p.part desc)
  into v_parts, v_statuses, v_bounds, v_counts
  from (
    select p.*, coalesce(case when oldest_first then p.first_job else - p.last_job end, -9223372036854775807) as bound
    from carillon._history_parts(filter) p
    where p.first_job is null or p.last_job > v_above and p.first_job < v_below
  ) p;
  for v_step in 1 .. c_steps + 1 loop
    exit when v_at > coalesce(cardinality(v_parts), 0);
    if v_step > c_steps then
      -- Far enough for one page.
      frontier := case when oldest_first then least(frontier, v_bounds[v_at] - 1) else greatest(frontier, - v_bounds[v_at] + 1) end;
      exit;
    end if;
    -- All that are not known, and of the others as many as will fill the page.
    select count(*) into v_take
    from (
      select n.at, n.jobs, coalesce(sum(n.jobs) over (order by n.at rows between unbounded preceding and 1 preceding), 0) as before
      from unnest(v_counts[v_at:]) with ordinality as n (jobs, at)
    ) n
    where n.jobs is null or n.at <= c_parts and case when v_counted then n.before < max_rows else n.at <= 3 ^ v_step end;
    v_walks := array(
      select format('%1$s and %2$s > %3$L::bigint and %2$s < %4$L::bigint', w.walk, v_key, v_above, v_below)
      from unnest(v_parts[v_at:v_at + v_take - 1], v_statuses[v_at:v_at + v_take - 1]) as p (part, statuses)
      cross join unnest(carillon._history_walks(filter, p.part, string_to_array(p.statuses, ' '))) as w (walk));
    v_at := v_at + v_take;
    if v_walks <> '{}' then
      if v_conditions <> '' and filter.job_ids is null then
        execute format('select %s(w.job_id) from (%s) w', case when oldest_first then 'min' else 'max' end, (
          select string_agg(format('(select %s as job_id from %s order by 1%s offset %s limit 1)', v_key, w.walk, v_order,
            greatest(c_rows / cardinality(v_walks), 20)), ' union all ')
          from unnest(v_walks) as w (walk)))
        into v_frontier;
        frontier := case when oldest_first then least(frontier, v_frontier) else greatest(frontier, v_frontier) end;
      end if;
      execute format('select coalesce(array_agg(w.job_id), ''{}''), %s from (select * from (%s) w order by w.job_id%s limit %s) w',
        case when with_rows then 'coalesce(array_agg(carillon._finished_job(row(w.*)::carillon.job_history)), ''{}'')' else '''{}''::carillon.jobs[]' end,
        (
          select string_agg(format('(select %s from %s%s%s order by %s%s limit %s)', case when with_rows then 'j.*' else 'j.job_id' end,
            w.walk, v_conditions,
            case when frontier is not null then format(' and %s %s= %L::bigint', v_key, case when oldest_first then '<' else '>' end, frontier) else '' end,
            v_key, v_order, max_rows), ' union all ')
          from unnest(v_walks) as w (walk)),
        v_order, max_rows)
      into v_new_ids, v_new;
      if job_ids = '{}' then
        job_ids := v_new_ids;
        jobs := v_new;
      elsif v_new_ids <> '{}' then
        job_ids := array(select i from unnest(job_ids || v_new_ids) as i order by case when oldest_first then i else - i end limit max_rows);
        jobs := array(select f from unnest(jobs || v_new) as f where f.job_id = any (job_ids));
      end if;
    end if;
    exit when v_at > cardinality(v_parts)
      or cardinality(job_ids) = max_rows and case when oldest_first then job_ids[max_rows] else - job_ids[max_rows] end < v_bounds[v_at]
      or frontier is not null and case when oldest_first then frontier else - frontier end < v_bounds[v_at];
  end loop;
  if frontier is not null then
    job_ids := array(
      select f.i from unnest(job_ids) with ordinality as f (i, at)
      where case when oldest_first then f.i <= frontier else f.i >= frontier end order by f.at);
    jobs := array(select f from unnest(jobs) as f where f.job_id = any (job_ids));
  end if;
end;
$$;
comment on function carillon._finished_page(carillon.job_filter, bigint, boolean, integer, boolean) is
  'The next finished jobs that a filter means, beyond an id: their ids in order, and their rows in any. With a frontier, no job beyond that one has been looked at.';
revoke all on function carillon._finished_page(carillon.job_filter, bigint, boolean, integer, boolean) from public;
--! EndIncluded jobs/_finished_page.sql
--! Included jobs/_write_cursor.sql
create or replace function carillon._write_cursor(variadic place text[]) returns text
language sql immutable security invoker
set search_path = ''
as $$
  -- The alphabet of base64 that needs no escaping in a query string.
  select case when array_position(place, null) is null then rtrim(translate(replace(encode(convert_to(array_to_string(place, ' '), 'UTF8'), 'base64'), E'\n', ''), '+/', '-_'), '=') end
$$;
comment on function carillon._write_cursor(text[]) is 'An opaque cursor: what list it is of, and the place in it.';
revoke all on function carillon._write_cursor(text[]) from public;
--! EndIncluded jobs/_write_cursor.sql
--! Included jobs/_read_cursor.sql
create or replace function carillon._read_cursor(cursor_text text, list text) returns text[]
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  v_base64 constant text := translate(cursor_text, '-_', '+/');
  v_place text[];
begin
  if cursor_text is null then
    return null;
  end if;
  if cursor_text ~ '^[A-Za-z0-9_-]{2,200}$' and length(cursor_text) % 4 <> 1 then
    -- Every byte is a character: only what _write_cursor wrote is looked for.
    v_place := regexp_match(encode(decode(rpad(v_base64, (length(v_base64) + 3) / 4 * 4, '='), 'base64'), 'escape'),
      '^' || list || ' (\d{1,18})(?: (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z))?$');
  end if;
  if v_place is null then
    perform carillon._invalid('cursor', 'must be the nextCursor of a page of this list in the same order');
  end if;
  return v_place;
end;
$$;
comment on function carillon._read_cursor(text, text) is 'The place that a cursor of this list stands for: an id, and a time where the list is in the order of one.';
revoke all on function carillon._read_cursor(text, text) from public;
--! EndIncluded jobs/_read_cursor.sql
--! Included jobs/page_jobs.sql
create or replace function carillon.page_jobs(
  app text,
  filter jsonb default '{}',
  sort text default 'newest',
  after_cursor text default null,
  max_rows integer default 100,
  out page carillon.jobs[],
  out next_cursor text
)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  c_live constant text[] := '{pending,queued,running}';
  v_filter carillon.job_filter := carillon._job_filter(app, filter);
  v_place text[];
  v_from bigint;
  v_due timestamptz;
  v_frontier bigint;
  v_frontier_due timestamptz;
  v_ids bigint[] := '{}';
  v_live_frontier bigint;
  v_oldest constant boolean := sort = 'oldest';
begin
  if max_rows is null or max_rows not between 1 and 1000 then
    perform carillon._invalid('limit', 'must be from 1 to 1000');
  end if;
  if sort is null or sort not in ('newest', 'oldest', 'due') then
    perform carillon._invalid('sort', 'must be newest, oldest or due');
  end if;
  if sort = 'due' then
    v_filter.statuses := coalesce(v_filter.statuses, '{pending,queued}');
    if not v_filter.statuses operator(pg_catalog.<@) '{pending,queued}' then
      perform carillon._invalid('sort', 'due is an order of jobs that wait: status pending or queued');
    end if;
  end if;
  v_place := carillon._read_cursor(after_cursor, sort);
  -- One more than the page holds tells whether there are more.
  if sort = 'due' then
    v_due := coalesce(v_place[2]::timestamptz, '-infinity');
    v_from := coalesce(v_place[1]::bigint, 0);
    select w.job_ids, w.frontier_due, w.frontier_job into v_ids, v_frontier_due, v_frontier
    from carillon._waiting_page(v_filter, v_due, v_from, max_rows + 1) w;
    page := array(
      select row(j.*)::carillon.jobs from carillon._live_jobs j where j.job_id = any (v_ids)
      order by j.due_at, j.job_id limit max_rows);
    next_cursor := case
      when cardinality(v_ids) > max_rows
        then carillon._write_cursor(sort, page[max_rows].job_id::text, carillon._time_text(page[max_rows].due_at))
      when v_frontier is not null then carillon._write_cursor(sort, v_frontier::text, carillon._time_text(v_frontier_due))
    end;
    return;
  end if;
  v_from := coalesce(v_place[1]::bigint, case when v_oldest then -1 else 9223372036854775807 end);
  page := '{}';
  if v_filter.statuses is null or v_filter.statuses operator(pg_catalog.&&) '{completed,failed,canceled}' then
    select f.jobs, f.frontier into page, v_frontier from carillon._finished_page(v_filter, v_from, v_oldest, max_rows + 1, true) f;
  end if;
  if v_filter.statuses is null or v_filter.statuses operator(pg_catalog.&&) c_live then
    select l.job_ids, l.frontier into v_ids, v_live_frontier from carillon._live_page(v_filter, v_from, v_oldest, max_rows + 1) l;
    -- Beyond either frontier something may have been passed over.
    v_frontier := case when v_oldest then least(v_frontier, v_live_frontier) else greatest(v_frontier, v_live_frontier) end;
  end if;
  page := array(
    select j.job from (
      select f as job, f.job_id from unnest(page) f
      union all
      select row(l.*)::carillon.jobs, l.job_id from carillon._live_jobs l where l.job_id = any (v_ids)
    ) j
    where v_frontier is null or case when v_oldest then j.job_id <= v_frontier else j.job_id >= v_frontier end
    order by case when v_oldest then j.job_id else - j.job_id end
    limit max_rows + 1);
  if cardinality(page) > max_rows then
    page := page[:max_rows];
    next_cursor := carillon._write_cursor(sort, page[max_rows].job_id::text);
  elsif v_frontier is not null then
    next_cursor := carillon._write_cursor(sort, v_frontier::text);
  end if;
end;
$$;
comment on function carillon.page_jobs(text, jsonb, text, text, integer) is
  'One page of an app''s jobs, live and finished: newest (by id, which is the order of enqueuing), oldest, or by the time they are due. filter: {cronId, status, trigger, tag, ids, enqueuedAfter, enqueuedBefore, startedAfter, startedBefore, finishedAfter, finishedBefore, target}. A page looks at a bounded number of jobs, so it may be short, or empty, and still have a next_cursor; after the last it is null.';
revoke all on function carillon.page_jobs(text, jsonb, text, text, integer) from public;
--! EndIncluded jobs/page_jobs.sql
--! Included jobs/_log_starts.sql
create or replace function carillon._log_starts(chunks jsonb, again boolean) returns integer[]
language sql volatile security invoker
set search_path = ''
as $$
  select array_agg(case
      when c.seq is not null then
        case when again and exists (select from carillon.job_logs s where s.job_id = c.job_id and s.seq = c.seq) then 0 else c.seq end
      -- The first lines of a later attempt, stored by a statement whose answer was lost.
      when again and last.attempt = c.attempt then 0
      else coalesce(last.seq, 0) + 1
    end order by c.n)
  from rows from (jsonb_to_recordset(chunks) as (job_id bigint, attempt integer, seq integer)) with ordinality as c (job_id, attempt, seq, n)
  left join pgmq.q_jobs q on c.seq is null and q.msg_id = c.job_id
  left join lateral (
    select s.seq, s.attempt from carillon.job_logs s
    -- The bound spares the partitions of the days before the job was there.
    where c.seq is null and s.job_id = c.job_id and s.at >= coalesce(q.enqueued_at - interval '1 hour', '-infinity')
    order by s.seq desc
    limit 1
  ) last on true
$$;
comment on function carillon._log_starts(jsonb, boolean) is
  'The number of the first line of each chunk, in order; 0 for a chunk that is stored already. Its job must be locked, so that nobody else appends.';
revoke all on function carillon._log_starts(jsonb, boolean) from public;
--! EndIncluded jobs/_log_starts.sql
--! Included jobs/append_logs.sql
create or replace function carillon.append_logs(chunks jsonb, sent_at double precision default null, again boolean default false)
returns table (job_id bigint, attempt integer, next_seq integer)
language plpgsql volatile security definer
set search_path = ''
-- As in claim_jobs: a queue that was empty when it was last analyzed fills within a second.
set enable_seqscan = off
set enable_hashjoin = off
set enable_mergejoin = off
set jit = off
as $$
#variable_conflict use_column
declare
  v_now timestamptz := carillon.now();
  v_taken bigint[];
  v_starts integer[];
  v_bound constant text[] := carillon._bound_apps();
begin
  if jsonb_typeof(chunks) is distinct from 'array' or chunks @? '$[*] ? (@.lines.type() != "array" || !exists (@.lines))' then
    perform carillon._invalid('chunks', 'must be a JSON array of objects that have an array of lines');
  end if;
  -- The lock keeps the next attempt from beginning meanwhile, so one attempt at a time numbers lines. Nothing but
  -- a claim waits for it (passes the job over): heartbeats take a lock that goes with it.
  select array_agg(l.n) into v_taken from (
    select c.n
    from rows from (jsonb_to_recordset(chunks) as (job_id bigint, attempt integer)) with ordinality as c (job_id, attempt, n)
    join pgmq.q_jobs q on q.msg_id = c.job_id and q.read_ct = c.attempt
    where carillon._may_reach(v_bound, q.message, q.headers)
    order by q.msg_id
    for key share of q
  ) l;
  if coalesce(cardinality(v_taken), 0) < jsonb_array_length(chunks) then
    -- What a handler logs after its timeout or cancellation: no later attempt can begin any more.
    v_taken := v_taken || array(
      select c.n
      from rows from (jsonb_to_recordset(chunks) as (job_id bigint, attempt integer)) with ordinality as c (job_id, attempt, n)
      join carillon.job_history h on h.job_id = c.job_id and h.attempt = c.attempt
      where (v_bound is null or h.app_id = any (v_bound) or (h.headers ? 'target' and '@' = any (v_bound))) and h.finished_at > v_now - interval '1 minute' and c.n <> all (coalesce(v_taken, '{}')));
  end if;
  if again or jsonb_path_exists(chunks, '$[*] ? (!exists (@.seq))') then
    v_starts := carillon._log_starts(chunks, again);
  end if;
  return query
    with c as materialized (
      select c.job_id, c.attempt, c.lines, coalesce(v_starts[c.n], c.seq) as first, c.seq
      from rows from (jsonb_to_recordset(chunks) as (job_id bigint, attempt integer, seq integer, lines jsonb)) with ordinality
        as c (job_id, attempt, seq, lines, n)
      where c.n = any (v_taken)
    ),
    kept as (
      insert into carillon.job_logs (job_id, seq, attempt, at, level, stream, message, data, percent, altered)
      select c.job_id, c.first + l.n - 1, c.attempt,
        -- By the age of the line: the clocks of workers need not be right.
        v_now - interval '1 millisecond' * least(greatest(coalesce(sent_at - l.at, 0), 0), 86400000),
        coalesce(l.level, 'info'), coalesce(l.stream, 'log'), coalesce(l.message, ''), l.data, l.percent, l.altered
      from c
      cross join lateral rows from (jsonb_to_recordset(c.lines) as
        (at double precision, level text, stream text, message text, data jsonb, percent double precision, altered jsonb))
        with ordinality as l (at, level, stream, message, data, percent, altered, n)
      where c.first > 0
    )
    select c.job_id, c.attempt,
      case when c.first > 0 then c.first + jsonb_array_length(c.lines)
        when c.seq is not null then c.seq + jsonb_array_length(c.lines)
        else (select max(s.seq) + 1 from carillon.job_logs s where s.job_id = c.job_id) end
    from c;
end;
$$;
comment on function carillon.append_logs(jsonb, double precision, boolean) is
  'Appends log lines of attempts: [{job_id, attempt, seq: number of the first line, lines: [{message, level, stream, data, at, percent, altered}]}], numbered on from the last line without a seq. at and sent_at are milliseconds of one clock of the sender; again says that the same chunks may be stored already. An attempt may write until the next one begins, and until a minute after the job has ended; returns the number that follows for each chunk that was taken.';
revoke all on function carillon.append_logs(jsonb, double precision, boolean) from public;
--! EndIncluded jobs/append_logs.sql
--! Included jobs/count_jobs.sql
create or replace function carillon.count_jobs(app text, filter jsonb default '{}', out counted integer, out capped boolean)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  c_most constant integer := 10000;
  c_page constant integer := 1000;
  v_filter constant carillon.job_filter := carillon._job_filter(app, filter);
  v_live boolean;
  v_page record;
  v_ids bigint[];
  v_from bigint;
begin
  counted := 0;
  capped := false;
  foreach v_live in array '{false,true}'::boolean[] loop
    continue when not coalesce(v_filter.statuses operator(pg_catalog.&&)
      case when v_live then '{pending,queued,running}'::text[] else '{completed,failed,canceled}' end, true);
    v_from := 9223372036854775807;
    -- A page looks at a bounded number of jobs, and so does this.
    for v_step in 1 .. c_most / c_page + 2 loop
      if v_live then
        v_page := carillon._live_page(v_filter, v_from, false, c_page);
      else
        v_page := carillon._finished_page(v_filter, v_from, false, c_page, false);
      end if;
      v_ids := v_page.job_ids;
      counted := counted + cardinality(v_ids);
      v_from := case when cardinality(v_ids) = c_page then v_ids[c_page] else v_page.frontier end;
      exit when v_from is null or counted > c_most;
    end loop;
    capped := capped or v_from is not null;
  end loop;
  capped := capped or counted > c_most;
  counted := least(counted, c_most);
end;
$$;
comment on function carillon.count_jobs(text, jsonb) is
  'How many jobs of an app a filter means (see page_jobs), counted to 10000 and as far as a few pages look: capped where there are more, or may be.';
revoke all on function carillon.count_jobs(text, jsonb) from public;
--! EndIncluded jobs/count_jobs.sql
--! Included jobs/list_jobs.sql
create or replace function carillon.list_jobs(app text, filter jsonb default '{}', sort text default 'newest', max_rows integer default 100)
returns setof carillon.jobs
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_left integer := max_rows;
  v_page carillon.jobs[];
  v_cursor text;
begin
  loop
    select p.page, p.next_cursor into v_page, v_cursor
    from carillon.page_jobs(app => list_jobs.app, filter => list_jobs.filter, sort => list_jobs.sort, after_cursor => v_cursor, max_rows => v_left) p;
    return query select j.* from unnest(v_page) as j;
    v_left := v_left - cardinality(v_page);
    exit when v_left = 0 or v_cursor is null;
  end loop;
end;
$$;
comment on function carillon.list_jobs(text, jsonb, text, integer) is
  'Jobs of an app as rows, live and finished, by the filters and orders of page_jobs, however far it has to look for them: select * from carillon.list_jobs(app => ''crm'', filter => ''{"status": "failed"}'').';
revoke all on function carillon.list_jobs(text, jsonb, text, integer) from public;
--! EndIncluded jobs/list_jobs.sql
--! Included jobs/get_job.sql
create or replace function carillon.get_job(job bigint, app text default null) returns carillon.jobs
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_job carillon.jobs;
  v_filter carillon.job_filter;
  v_bound constant text[] := carillon._bound_apps();
begin
  select j.* into v_job from carillon._live_jobs j where j.job_id = get_job.job;
  if v_job.job_id is null and app is not null then
    v_filter.app_id := app;
    v_filter.job_ids := array[job];
    select j.* into v_job from unnest((carillon._finished_page(v_filter, 9223372036854775807, false, 1, true)).jobs) as j;
  elsif v_job.job_id is null then
    select j.* into v_job from carillon.jobs j where j.job_id = get_job.job and j.finished_at is not null limit 1;
  end if;
  if v_job.job_id is null or v_job.app_id <> get_job.app or not carillon._may_reach(v_bound, jsonb_build_object('app_id', v_job.app_id), v_job.headers) then
    raise exception using errcode = 'TK103', message = format('no job %s', get_job.job);
  end if;
  return v_job;
end;
$$;
comment on function carillon.get_job(bigint, text) is 'One job, live or finished; TK103 when unknown, or of another app where app is given.';
revoke all on function carillon.get_job(bigint, text) from public;
--! EndIncluded jobs/get_job.sql
--! Included jobs/list_logs.sql
create or replace function carillon.list_logs(
  job bigint,
  app text default null,
  after integer default null,
  max_rows integer default 100,
  descending boolean default false,
  levels text[] default null,
  streams text[] default null,
  q text default null,
  of_attempt integer default null
) returns table (
  seq integer, attempt integer, at timestamptz, level text, stream text, message text, data jsonb, percent double precision,
  altered jsonb, more boolean
)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_job carillon.jobs := carillon.get_job(list_logs.job, list_logs.app);
begin
  if max_rows is null or max_rows not between 1 and 1000 then
    perform carillon._invalid('limit', 'must be from 1 to 1000');
  end if;
  -- Planned anew each time: the days are known then, and a filter that is not given costs nothing.
  return query execute format(
    $query$
      select p.seq, p.attempt, p.at, p.level, p.stream, p.message, p.data, p.percent, p.altered, p.more
      from (
        select l.*, row_number() over page as n, lead(true) over page is not null as more,
          sum(octet_length(l.message) + coalesce(pg_column_size(l.data), 0)) over page
            - octet_length(l.message) - coalesce(pg_column_size(l.data), 0) as bytes_before
        from (
          select l.seq, l.attempt, l.at, l.level, l.stream, l.message, l.data, l.percent, l.altered
          from carillon.job_logs l
          where l.job_id = $1 and l.at between $2 and $3 and ($4 is null or l.seq %1$s $4)
            and ($5 is null or l.level = any ($5)) and ($6 is null or l.stream = any ($6)) and ($8 is null or l.attempt = $8)
            and ($7 is null or strpos(lower(l.message), lower($7)) > 0 or strpos(lower(l.data::text), lower($7)) > 0)
          order by l.seq %2$s
          limit $9 + 1
        ) l
        window page as (order by l.seq %2$s rows between unbounded preceding and current row)
      ) p
      where p.n <= $9 and p.bytes_before < 4194304
      order by p.seq %2$s
    $query$,
    case when descending then '<' else '>' end, case when descending then 'desc' else 'asc' end)
  using v_job.job_id, v_job.enqueued_at - interval '1 hour', coalesce(v_job.finished_at + interval '1 hour', 'infinity'),
    after, levels, streams, nullif(q, ''), of_attempt, max_rows;
end;
$$;
comment on function carillon.list_logs(bigint, text, integer, integer, boolean, text[], text[], text, integer) is
  'Log lines of a job after (or, descending, before) a number, of the given levels, streams and attempt, that hold a text. Fewer than max_rows where a page would grow beyond 4 MiB: more says whether lines follow. TK103 for an unknown job, or of another app where app is given.';
revoke all on function carillon.list_logs(bigint, text, integer, integer, boolean, text[], text[], text, integer) from public;
--! EndIncluded jobs/list_logs.sql
--! Included jobs/tail_logs.sql
create or replace function carillon.tail_logs(jobs bigint[], after integer[], max_rows integer default 200)
returns table (
  n integer, status text, job_attempt integer, seq integer, attempt integer, at timestamptz, level text, stream text, message text,
  data jsonb, percent double precision, altered jsonb, more boolean
)
language sql stable security definer
set search_path = ''
as $$
  select w.n::integer, j.status, j.attempt, l.seq, l.attempt, l.at, l.level, l.stream, l.message, l.data, l.percent, l.altered,
    coalesce(l.more, false)
  from unnest(tail_logs.jobs, tail_logs.after) with ordinality as w (job_id, after, n)
  left join lateral (
    select j.status, j.attempt, j.enqueued_at, j.finished_at from carillon.jobs j where j.job_id = w.job_id limit 1
  ) j on true
  left join lateral (
    select p.* from (
      select l.*, row_number() over page as at_row, lead(true) over page is not null as more,
        sum(octet_length(l.message)) over page - octet_length(l.message) as bytes_before
      from (
        select l.seq, l.attempt, l.at, l.level, l.stream, l.message, l.data, l.percent, l.altered
        from carillon.job_logs l
        where l.job_id = w.job_id and l.seq > w.after
          and l.at between j.enqueued_at - interval '1 hour' and coalesce(j.finished_at + interval '1 hour', 'infinity')
        order by l.seq
        limit max_rows + 1
      ) l
      window page as (order by l.seq rows between unbounded preceding and current row)
    ) p
    where p.at_row <= max_rows and p.bytes_before < 262144
  ) l on true
  order by w.n, l.seq
$$;
comment on function carillon.tail_logs(bigint[], integer[], integer) is
  'For everybody who follows a log, in one call: each job''s status and its next lines after a number, as much as fits, in one snapshot. n is the place in the arrays; the status is null for a job that is gone, seq where there is no new line.';
revoke all on function carillon.tail_logs(bigint[], integer[], integer) from public;
--! EndIncluded jobs/tail_logs.sql
--! Included jobs/job_progress.sql
create or replace function carillon.job_progress(jobs bigint[], from_at timestamptz[], to_at timestamptz[])
returns table (job_id bigint, attempt integer, percent double precision, note text, at timestamptz)
language sql stable security definer
set search_path = ''
as $$
  select j.job_id, l.attempt, l.percent, nullif(l.message, ''), l.at
  from unnest(job_progress.jobs, job_progress.from_at, job_progress.to_at) as j (job_id, from_at, to_at)
  cross join lateral (
    select l.attempt, l.percent, l.message, l.at
    from carillon.job_logs l
    where l.job_id = j.job_id and l.stream = 'progress'
      and l.at between coalesce(j.from_at - interval '1 hour', '-infinity') and coalesce(j.to_at + interval '1 hour', 'infinity')
    order by l.seq desc
    limit 1
  ) l
$$;
comment on function carillon.job_progress(bigint[], timestamptz[], timestamptz[]) is
  'How far jobs are, by the last progress each has reported; none for a job that reported none. The times of their enqueuing and end spare a look at other days.';
revoke all on function carillon.job_progress(bigint[], timestamptz[], timestamptz[]) from public;
--! EndIncluded jobs/job_progress.sql
--! Included jobs/_lock_job.sql
create or replace function carillon._lock_job(job bigint, app text) returns pgmq.q_jobs
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_live pgmq.q_jobs;
begin
  select q.* into v_live from pgmq.q_jobs q
  where q.msg_id = job and q.message ->> 'app_id' = coalesce(app, q.message ->> 'app_id')
  for update;
  if v_live.msg_id is null then
    -- TK103 where there is none at all.
    raise exception using errcode = 'TK204',
      message = format('job %s has ended: it is %s', job, (carillon.get_job(job, app)).status);
  end if;
  return v_live;
end;
$$;
comment on function carillon._lock_job(bigint, text) is 'A live job, locked; TK204 when it has ended, TK103 when unknown.';
revoke all on function carillon._lock_job(bigint, text) from public;
--! EndIncluded jobs/_lock_job.sql
--! Included jobs/cancel_job.sql
create or replace function carillon.cancel_job(
  job bigint,
  app text default null,
  reason text default 'canceled by hand',
  actor uuid default null,
  actor_scopes text[] default null
) returns carillon.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_live pgmq.q_jobs;
begin
  if length(reason) not between 1 and 1000 then
    perform carillon._invalid('reason', 'must be from 1 to 1000 characters long');
  end if;
  v_live := carillon._lock_job(job, app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || (v_live.message ->> 'app_id') || ':job.write']);
  perform carillon._cancel_jobs(array[job], coalesce(cancel_job.reason, 'canceled by hand'));
  perform carillon._audit(actor, 'job.cancel', v_live.message ->> 'app_id', job::text, null, null,
    jsonb_build_object('reason', coalesce(cancel_job.reason, 'canceled by hand')));
  return carillon.get_job(job, app);
end;
$$;
comment on function carillon.cancel_job(bigint, text, text, uuid, text[]) is
  'Cancels a job that is waiting or running, whose handler is told to stop. TK204 when it has ended, TK103 when unknown.';
revoke all on function carillon.cancel_job(bigint, text, text, uuid, text[]) from public;
--! EndIncluded jobs/cancel_job.sql
--! Included jobs/update_job.sql
create or replace function carillon.update_job(
  job bigint,
  patch jsonb,
  app text default null,
  actor uuid default null,
  actor_scopes text[] default null
) returns carillon.jobs
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_unknown text;
  v_due timestamptz;
  v_old pgmq.q_jobs;
  v_new pgmq.q_jobs;
begin
  if jsonb_typeof(patch) is distinct from 'object' then
    perform carillon._invalid('patch', 'must be a JSON object');
  end if;
  select k into v_unknown from jsonb_object_keys(patch) as k where k not in ('runAt', 'payload', 'target') limit 1;
  if v_unknown is not null then
    perform carillon._invalid(v_unknown, 'is nothing that can be changed of a job: runAt, payload and target can');
  end if;
  if patch = '{}' then
    perform carillon._invalid('body', 'must give runAt, payload or target');
  end if;
  if patch ? 'runAt' then
    v_due := carillon._json_timestamp(patch -> 'runAt', 'runAt');
    if v_due >= '10000-01-01 00:00:00+00' then
      perform carillon._invalid('runAt', 'must be a time before the year 10000');
    end if;
  end if;
  v_old := carillon._lock_job(job, app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || (v_old.message ->> 'app_id') || ':job.write']);
  if v_old.headers ? 'lease' then
    raise exception using errcode = 'TK204', message = format('job %s has been started', job);
  end if;
  if patch ?| '{payload,target}' and v_old.read_ct > 0 then
    raise exception using errcode = 'TK204', message = format('job %s has been started before', job),
      hint = 'what an attempt has begun with stays; only runAt can be changed';
  end if;
  v_new := v_old;
  v_new.headers := coalesce(v_old.headers, '{}');
  if v_due is not null then
    if (v_old.headers ->> 'expires_at')::timestamptz <= v_due and not v_old.headers ? 'attempts' then
      perform carillon._invalid('runAt', 'must be before the job expires');
    end if;
    v_new.vt := greatest(v_due, v_now);
    v_new.headers := v_new.headers - 'due_at' || carillon._due_header(v_due, v_now);
  end if;
  if patch ? 'payload' then
    perform carillon._check_payload(coalesce(nullif(patch -> 'payload', 'null'), '{}'), 'payload');
    v_new.message := jsonb_set(v_old.message, '{payload}', coalesce(nullif(patch -> 'payload', 'null'), '{}')
      || case when v_old.headers ? 'cron_id' then jsonb_build_object('cron_id', v_old.headers -> 'cron_id') else '{}' end);
  end if;
  if patch ? 'target' then
    v_new.headers := v_new.headers - 'target' || carillon._option_headers(jsonb_build_object('target', patch -> 'target'), '');
  end if;
  update pgmq.q_jobs q set vt = v_new.vt, message = v_new.message, headers = v_new.headers where q.msg_id = job;
  perform pg_notify('carillon_jobs', carillon._claim_key(v_new.message, v_new.headers));
  perform carillon._audit(actor, 'job.update', v_old.message ->> 'app_id', job::text, null,
    jsonb_build_object('dueAt', v_old.vt, 'payload', v_old.message -> 'payload', 'target', v_old.headers -> 'target'),
    jsonb_build_object('dueAt', v_new.vt, 'payload', v_new.message -> 'payload', 'target', v_new.headers -> 'target'));
  return carillon.get_job(job, app);
end;
$$;
comment on function carillon.update_job(bigint, jsonb, text, uuid, text[]) is
  'Changes the given fields of a job that waits: runAt (the past means now) and, while it has never been started, payload and target (null is none). TK204 when it runs, or has ended; TK103 when unknown.';
revoke all on function carillon.update_job(bigint, jsonb, text, uuid, text[]) from public;
--! EndIncluded jobs/update_job.sql
--! Included jobs/_retry_headers.sql
create or replace function carillon._retry_headers(headers jsonb, job bigint) returns jsonb
language sql immutable parallel safe security invoker
set search_path = ''
as $$
  -- What it was told when it was enqueued; not what became of it.
  select coalesce(jsonb_object_agg(h.key, h.value), '{}') || jsonb_build_object('trigger', 'manual', 'retry_of', job)
  from jsonb_each(headers) as h (key, value)
  where h.key in ('cron_id', 'scheduled_for', 'priority', 'max_attempts', 'retry_delay', 'retry_backoff', 'timeout', 'tags', 'target')
$$;
comment on function carillon._retry_headers(jsonb, bigint) is 'The headers of a job that runs another one again.';
revoke all on function carillon._retry_headers(jsonb, bigint) from public;
--! EndIncluded jobs/_retry_headers.sql
--! Included jobs/_send_retries.sql
create or replace function carillon._send_retries(app text, old_ids bigint[], payloads jsonb[], user_ids uuid[], headers jsonb[]) returns bigint[]
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
  v_system uuid := carillon._system_principal();
  v_new bigint[];
  v_keys text[];
begin
  with new as (
    insert into pgmq.q_jobs (enqueued_at, vt, message, headers)
    select v_now, v_now, carillon._job_message(app, coalesce(o.payload, '{}'), coalesce(o.user_id, v_system)),
      carillon._retry_headers(o.headers, o.old_id)
    from unnest(old_ids, payloads, user_ids, _send_retries.headers) with ordinality as o (old_id, payload, user_id, headers, at)
    order by o.at
    returning msg_id, (pgmq.q_jobs.headers ->> 'retry_of')::bigint as retry_of, carillon._claim_key(message, pgmq.q_jobs.headers) as key
  ),
  linked as (
    insert into carillon.job_retries (job_id, retry_of, created_at) select n.msg_id, n.retry_of, v_now from new n
  )
  select array_agg(n.msg_id order by array_position(old_ids, n.retry_of)), array_agg(distinct n.key) into v_new, v_keys from new n;
  perform pg_notify('carillon_jobs', k) from unnest(v_keys) as k;
  return v_new;
end;
$$;
comment on function carillon._send_retries(text, bigint[], jsonb[], uuid[], jsonb[]) is
  'Enqueues jobs that run others again, given what those had, and links each to its own; their ids in the same order.';
revoke all on function carillon._send_retries(text, bigint[], jsonb[], uuid[], jsonb[]) from public;
--! EndIncluded jobs/_send_retries.sql
--! Included jobs/retry_job.sql
create or replace function carillon.retry_job(job bigint, app text default null, actor uuid default null, actor_scopes text[] default null) returns bigint
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_old carillon.jobs := carillon.get_job(job, app);
  v_new bigint;
begin
  perform carillon._require_held(actor, actor_scopes, array['app:' || v_old.app_id || ':job.write']);
  if v_old.finished_at is null then
    raise exception using errcode = 'TK204', message = format('job %s has not ended: it is %s', job, v_old.status),
      hint = 'only a completed, failed or canceled job can be run again';
  end if;
  perform carillon._hold_app(v_old.app_id);
  v_new := (carillon._send_retries(v_old.app_id, array[job], array[v_old.payload], array[v_old.user_id], array[v_old.headers]))[1];
  perform carillon._audit(actor, 'job.retry', v_old.app_id, job::text, null, null, jsonb_build_object('jobId', v_new));
  return v_new;
end;
$$;
comment on function carillon.retry_job(bigint, text, uuid, text[]) is
  'Runs a job that has ended again, as a new job that links to it, and returns that one''s id. TK204 while it is live, TK103 when unknown.';
revoke all on function carillon.retry_job(bigint, text, uuid, text[]) from public;
--! EndIncluded jobs/retry_job.sql
--! Included jobs/retried_by.sql
create or replace function carillon.retried_by(job bigint) returns bigint[]
language sql stable security definer
set search_path = ''
as $$
  select coalesce(array_agg(r.job_id order by r.job_id), '{}') from carillon.job_retries r where r.retry_of = retried_by.job
$$;
comment on function carillon.retried_by(bigint) is 'The jobs that have run a job again, oldest first.';
revoke all on function carillon.retried_by(bigint) from public;
--! EndIncluded jobs/retried_by.sql
--! Included jobs/cancel_jobs.sql
create or replace function carillon.cancel_jobs(
  app text,
  filter jsonb,
  reason text default 'canceled by hand',
  dry_run boolean default false,
  after_cursor text default null,
  max_jobs integer default 1000,
  actor uuid default null,
  actor_scopes text[] default null
) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_filter carillon.job_filter := carillon._job_filter(app, filter);
  v_from bigint := coalesce((carillon._read_cursor(after_cursor, 'cancel'))[1]::bigint, 9223372036854775807);
  v_now timestamptz := carillon.now();
  v_page record;
  v_matched integer := 0;
  v_canceled integer := 0;
begin
  perform carillon._require_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':job.write']);
  if length(reason) not between 1 and 1000 then
    perform carillon._invalid('reason', 'must be from 1 to 1000 characters long');
  end if;
  if max_jobs is null or max_jobs not between 1 and 1000 then
    perform carillon._invalid('limit', 'must be from 1 to 1000');
  end if;
  v_filter.statuses := coalesce(v_filter.statuses, '{pending,queued,running}');
  if not v_filter.statuses operator(pg_catalog.<@) '{pending,queued,running,live}' then
    perform carillon._invalid('status', 'must be pending, queued or running: only live jobs can be canceled');
  end if;
  for v_step in 1 .. case when dry_run then 10 else 1 end loop
    v_page := carillon._live_page(v_filter, v_from, false, max_jobs);
    v_from := case when cardinality(v_page.job_ids) = max_jobs then v_page.job_ids[max_jobs] else v_page.frontier end;
    v_matched := v_matched + cardinality(v_page.job_ids);
    exit when v_from is null;
  end loop;
  if not coalesce(dry_run, false) then
    loop
      begin
        -- What has been claimed or has ended since it was looked at may not be meant any more.
        execute format('select array(select q.msg_id from pgmq.q_jobs q where q.msg_id = any ($1)%s order by q.msg_id for update)',
          carillon._live_conditions(v_filter, v_now))
        into v_page.job_ids using v_page.job_ids;
        exit;
      exception when deadlock_detected then
        continue; -- a worker finishing the same jobs locked them in another order, and goes first
      end;
    end loop;
    v_canceled := carillon._cancel_jobs(v_page.job_ids, coalesce(reason, 'canceled by hand'));
    if v_canceled > 0 then
      perform carillon._audit(actor, 'job.cancel', app, null, null, null,
        jsonb_build_object('filter', filter, 'reason', coalesce(reason, 'canceled by hand'), 'jobs', v_canceled));
    end if;
  end if;
  return jsonb_build_object('dryRun', coalesce(dry_run, false), 'matched', v_matched, 'canceled', v_canceled,
    'nextCursor', carillon._write_cursor('cancel', v_from::text));
end;
$$;
comment on function carillon.cancel_jobs(text, jsonb, text, boolean, text, integer, uuid, text[]) is
  'Cancels the live jobs of an app that a filter means (see page_jobs), newest first and max_jobs at most; nextCursor, where there are more, is the after_cursor of the next call. dry_run counts, to 10 times max_jobs at most.';
revoke all on function carillon.cancel_jobs(text, jsonb, text, boolean, text, integer, uuid, text[]) from public;
--! EndIncluded jobs/cancel_jobs.sql
--! Included jobs/retry_jobs.sql
create or replace function carillon.retry_jobs(
  app text,
  filter jsonb,
  dry_run boolean default false,
  after_cursor text default null,
  max_jobs integer default 1000,
  actor uuid default null,
  actor_scopes text[] default null
) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_filter carillon.job_filter := carillon._job_filter(app, filter);
  v_from bigint := coalesce((carillon._read_cursor(after_cursor, 'retry'))[1]::bigint, 9223372036854775807);
  v_page record;
  v_matched integer := 0;
  v_again integer := 0;
  v_ids bigint[];
  v_new bigint[];
begin
  perform carillon._hold_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':job.write']);
  if max_jobs is null or max_jobs not between 1 and 1000 then
    perform carillon._invalid('limit', 'must be from 1 to 1000');
  end if;
  v_filter.statuses := coalesce(v_filter.statuses, case when v_filter.job_ids is null then '{failed}'::text[] else '{completed,failed,canceled}' end);
  if not v_filter.statuses operator(pg_catalog.<@) '{completed,failed,canceled,finished}' then
    perform carillon._invalid('status', 'must be completed, failed or canceled: only jobs that have ended can be run again');
  end if;
  -- Two at a time would both find a job not yet run again.
  perform pg_advisory_xact_lock(hashtextextended('carillon.retry_jobs ' || app, 0));
  for v_step in 1 .. case when dry_run then 10 else 1 end loop
    v_page := carillon._finished_page(v_filter, v_from, false, max_jobs, false);
    v_from := case when cardinality(v_page.job_ids) = max_jobs then v_page.job_ids[max_jobs] else v_page.frontier end;
    v_matched := v_matched + cardinality(v_page.job_ids);
    v_ids := array(
      select i from unnest(v_page.job_ids) as i
      where not exists (select from carillon.job_retries r where r.retry_of = i)
      order by i);
    v_again := v_again + cardinality(v_page.job_ids) - cardinality(v_ids);
    exit when v_from is null;
  end loop;
  if not coalesce(dry_run, false) and v_ids <> '{}' then
    select carillon._send_retries(app, v_ids, array_agg(j.payload order by j.job_id), array_agg(j.user_id order by j.job_id),
      array_agg(j.headers order by j.job_id)) into v_new
    from unnest((carillon._finished_page(
      row(app, null, null, null, null, v_ids, null, null, null, null, null, null, null)::carillon.job_filter, 9223372036854775807, false, max_jobs, true)).jobs) as j;
    perform carillon._audit(actor, 'job.retry', app, null, null, null, jsonb_build_object('filter', filter, 'jobs', cardinality(v_new)));
  end if;
  return jsonb_build_object('dryRun', coalesce(dry_run, false), 'matched', v_matched, 'retried', coalesce(cardinality(v_new), 0),
    'skipped', v_again,
    'jobs', (select coalesce(jsonb_agg(jsonb_build_object('msgId', r.new, 'retryOf', r.old) order by r.old), '[]')
      from unnest(v_new, case when v_new is not null then v_ids end) as r (new, old)),
    'nextCursor', carillon._write_cursor('retry', v_from::text));
end;
$$;
comment on function carillon.retry_jobs(text, jsonb, boolean, text, integer, uuid, text[]) is
  'Runs the ended jobs of an app that a filter means (see page_jobs; without a status or ids, the failed ones) again, newest first and max_jobs at most, as new jobs that link to them; those that have been run again already are skipped. nextCursor, where there are more, is the after_cursor of the next call. dry_run counts, to 10 times max_jobs at most.';
revoke all on function carillon.retry_jobs(text, jsonb, boolean, text, integer, uuid, text[]) from public;
--! EndIncluded jobs/retry_jobs.sql
--! Included jobs/list_letters.sql
create or replace function carillon.list_letters(app text, before_letter bigint default null, max_rows integer default 100)
returns table (
  letter_id bigint, job_id bigint, app_id text, cron_id uuid, trigger text, reason text, user_id uuid, payload jsonb, tags jsonb,
  buried_at timestamptz, attempts jsonb, target jsonb
)
language plpgsql stable security definer
set search_path = ''
as $$
begin
  if max_rows is null or max_rows not between 1 and 1000 then
    perform carillon._invalid('limit', 'must be from 1 to 1000');
  end if;
  return query
    select d.msg_id, (d.headers ->> 'job_id')::bigint, d.message ->> 'app_id', (d.headers ->> 'cron_id')::uuid,
      carillon._job_trigger(d.headers), d.headers ->> 'reason', carillon._job_user(d.message, d.headers), d.message -> 'payload',
      coalesce(d.headers -> 'tags', '[]'), d.vt, coalesce(d.headers -> 'attempts', '[]'), d.headers -> 'target'
    from pgmq.q_jobs_dlq d
    where d.message ->> 'app_id' = list_letters.app and d.msg_id < coalesce(before_letter, 9223372036854775807)
    order by d.msg_id desc
    limit max_rows;
end;
$$;
comment on function carillon.list_letters(text, bigint, integer) is
  'The dead letters of an app, newest first, those before one (the cursor): copies of jobs that were delivered in vain too often.';
revoke all on function carillon.list_letters(text, bigint, integer) from public;
--! EndIncluded jobs/list_letters.sql
--! Included jobs/count_letters.sql
create or replace function carillon.count_letters(app text, cron uuid default null) returns integer
language sql stable security definer
set search_path = ''
as $$
  select count(*) from (
    select from pgmq.q_jobs_dlq d
    where d.message ->> 'app_id' = app and (cron is null or d.headers ->> 'cron_id' = cron::text)
    limit 10000) counted
$$;
comment on function carillon.count_letters(text, uuid) is 'How many dead letters an app has, or a cron of it; counted to 10000.';
revoke all on function carillon.count_letters(text, uuid) from public;
--! EndIncluded jobs/count_letters.sql
--! Included jobs/_take_letters.sql
create or replace function carillon._take_letters(app text, letters bigint[], cron uuid, max_letters integer) returns setof pgmq.q_jobs_dlq
language plpgsql volatile security invoker
set search_path = ''
as $$
begin
  if max_letters is null or max_letters not between 1 and 1000 then
    perform carillon._invalid('limit', 'must be from 1 to 1000');
  end if;
  if cardinality(letters) > 1000 then
    perform carillon._invalid('ids', 'must be at most 1000');
  end if;
  return query
    with taken as materialized (
      select d.msg_id from pgmq.q_jobs_dlq d
      where d.message ->> 'app_id' = app and (letters is null or d.msg_id = any (letters))
        and (cron is null or d.headers ->> 'cron_id' = cron::text)
      order by d.msg_id
      limit max_letters
      for update skip locked
    )
    delete from pgmq.q_jobs_dlq d using taken where d.msg_id = taken.msg_id returning d.*;
end;
$$;
comment on function carillon._take_letters(text, bigint[], uuid, integer) is
  'Takes dead letters of an app out of their queue, oldest first: those of the given ids and cron, or all; what somebody else is just taking is left to them.';
revoke all on function carillon._take_letters(text, bigint[], uuid, integer) from public;
--! EndIncluded jobs/_take_letters.sql
--! Included jobs/redrive_letters.sql
create or replace function carillon.redrive_letters(
  app text,
  letters bigint[] default null,
  cron uuid default null,
  max_letters integer default 1000,
  actor uuid default null,
  actor_scopes text[] default null
)
returns table (letter_id bigint, job_id bigint, retry_of bigint)
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_letters bigint[];
  v_old bigint[];
  v_payloads jsonb[];
  v_users uuid[];
  v_headers jsonb[];
begin
  perform carillon._hold_app(app);
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':job.write']);
  select array_agg(d.msg_id order by d.msg_id), array_agg((d.headers ->> 'job_id')::bigint order by d.msg_id),
    array_agg(d.message -> 'payload' order by d.msg_id), array_agg(carillon._job_user(d.message, d.headers) order by d.msg_id),
    array_agg(d.headers order by d.msg_id)
  into v_letters, v_old, v_payloads, v_users, v_headers
  from carillon._take_letters(app, letters, cron, max_letters) d;
  if v_letters is null then
    return;
  end if;
  perform carillon._audit(actor, 'job.redrive', app, null, null, null,
    jsonb_build_object('letters', cardinality(v_letters)) || case when cron is null then '{}' else jsonb_build_object('cronId', cron) end);
  return query
    select r.letter, r.job, r.old
    from unnest(v_letters, carillon._send_retries(app, v_old, v_payloads, v_users, v_headers), v_old) as r (letter, job, old);
end;
$$;
comment on function carillon.redrive_letters(text, bigint[], uuid, integer, uuid, text[]) is
  'Puts dead letters of an app back to work, oldest first: each becomes a new job that links to the one that died, in the transaction that removes the letter. By their ids or their cron, or all, max_letters at a time.';
revoke all on function carillon.redrive_letters(text, bigint[], uuid, integer, uuid, text[]) from public;
--! EndIncluded jobs/redrive_letters.sql
--! Included jobs/delete_letters.sql
create or replace function carillon.delete_letters(
  app text,
  letters bigint[] default null,
  cron uuid default null,
  max_letters integer default 1000,
  actor uuid default null,
  actor_scopes text[] default null
)
returns integer
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_deleted integer;
begin
  perform carillon._require_held(actor, actor_scopes, array['app:' || app || ':job.write']);
  select count(*) into v_deleted from carillon._take_letters(app, letters, cron, max_letters);
  if v_deleted > 0 then
    perform carillon._audit(actor, 'job.delete_letters', app, null, null, jsonb_build_object('letters', v_deleted)
      || case when cron is null then '{}' else jsonb_build_object('cronId', cron) end);
  end if;
  return v_deleted;
end;
$$;
comment on function carillon.delete_letters(text, bigint[], uuid, integer, uuid, text[]) is
  'Deletes dead letters of an app for good, by their ids or their cron, or all, max_letters at a time; returns how many. The jobs stay in the history.';
revoke all on function carillon.delete_letters(text, bigint[], uuid, integer, uuid, text[]) from public;
--! EndIncluded jobs/delete_letters.sql
--! Included stats/_stats_kept.sql
create or replace function carillon._stats_kept(step integer) returns interval
language sql stable security invoker
set search_path = ''
as $$
  select case step
    when 60 then interval '3 days'
    when 900 then interval '100 days'
    when 3600 then interval '400 days'
    -- Besides, they say which days of the history have jobs of an app, and which.
    else interval '3700 days'
  end
$$;
comment on function carillon._stats_kept(integer) is 'How long the statistics by a step of so many seconds are kept.';
revoke all on function carillon._stats_kept(integer) from public;
--! EndIncluded stats/_stats_kept.sql
--! Included stats/_log_bucket.sql
create or replace function carillon._log_bucket(seconds double precision) returns bigint
language sql immutable parallel safe security invoker
return case when seconds > 0.0001 then least(ceil(ln(seconds / 0.0001) / ln(1.1)), 400) when seconds is not null then 0 end::bigint;
comment on function carillon._log_bucket(double precision) is
  'The bucket of a histogram that a time falls into: number n ends at 0.0001 * 1.1^n seconds. What _bucket_value gives for it is wrong by 5 % at most.';
revoke all on function carillon._log_bucket(double precision) from public;
--! EndIncluded stats/_log_bucket.sql
--! Included stats/_bucket_value.sql
create or replace function carillon._bucket_value(bucket bigint) returns double precision
language sql immutable parallel safe security invoker
return case bucket when 0 then 0.0001 else 0.0001 * power(1.1::double precision, bucket - 0.5) end;
comment on function carillon._bucket_value(bigint) is 'The seconds that a bucket of a histogram stands for: the middle of it, by ratio.';
revoke all on function carillon._bucket_value(bigint) from public;
--! EndIncluded stats/_bucket_value.sql
--! Included stats/_job_wait.sql
create or replace function carillon._job_wait(headers jsonb, enqueued_at timestamptz, started_at timestamptz) returns double precision
language sql stable parallel safe security invoker
return extract(epoch from greatest(coalesce((headers #>> '{attempts,0,startedAt}')::timestamptz, started_at)
  - greatest(enqueued_at, (headers ->> 'due_at')::timestamptz), interval '0'))::double precision;
comment on function carillon._job_wait(jsonb, timestamptz, timestamptz) is
  'Seconds from when a job was due (enqueued, unless for later) to its first start; null when it never started.';
revoke all on function carillon._job_wait(jsonb, timestamptz, timestamptz) from public;
--! EndIncluded stats/_job_wait.sql
--! Included stats/_job_lag.sql
create or replace function carillon._job_lag(trigger text, scheduled_for timestamptz, enqueued_at timestamptz) returns double precision
language sql stable parallel safe security invoker
return case when trigger = 'automatic' then extract(epoch from greatest(enqueued_at - scheduled_for, interval '0'))::double precision end;
comment on function carillon._job_lag(text, timestamptz, timestamptz) is
  'Seconds from the slot of a cron''s job to the decision that enqueued it; null for other jobs.';
revoke all on function carillon._job_lag(text, timestamptz, timestamptz) from public;
--! EndIncluded stats/_job_lag.sql
--! Included stats/_roll_up_span.sql
create or replace function carillon._roll_up_span(from_at timestamptz, to_at timestamptz) returns integer
language plpgsql volatile security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  v_now timestamptz := carillon.now();
  v_rows integer;
begin
  with ended as materialized (
    select h.app_id, h.cron_id, h.status, date_bin('1 minute', h.finished_at, '2000-01-01 00:00:00+00') as minute,
      carillon._log_bucket(extract(epoch from h.finished_at - h.started_at)::double precision) as duration,
      carillon._log_bucket(carillon._job_wait(h.headers, h.enqueued_at, h.started_at)) as wait,
      carillon._log_bucket(carillon._job_lag(h.trigger, h.scheduled_for, h.enqueued_at)) as lag,
      count(*) as n, min(h.job_id) as first_job, max(h.job_id) as last_job,
      sum(extract(epoch from h.finished_at - h.started_at))::double precision as total,
      max(extract(epoch from h.finished_at - h.started_at))::double precision as most
    from carillon.job_history h
    where h.finished_at >= _roll_up_span.from_at and h.finished_at < _roll_up_span.to_at
    group by 1, 2, 3, 4, 5, 6, 7
  ),
  -- Metric j counts the jobs themselves.
  base as materialized (
    select e.app_id, e.cron_id, e.status, e.minute, m.metric, m.bucket, sum(e.n)::bigint as n, sum(m.total) as total, max(m.most) as most,
      min(e.first_job) as first_job, max(e.last_job) as last_job
    from ended e
    cross join lateral (values
      ('j', 0::bigint, null::double precision, null::double precision), ('d', e.duration, e.total, e.most), ('w', e.wait, null, null), ('l', e.lag, null, null))
      as m (metric, bucket, total, most)
    where m.bucket is not null
    group by 1, 2, 3, 4, 5, 6
  ),
  new as materialized (
    select b.app_id, c.scope, s.step, date_bin(s.step * interval '1 second', b.minute, '2000-01-01 00:00:00+00') as from_at, b.status,
      b.metric, b.bucket, sum(b.n)::bigint as n, sum(b.total) as total, max(b.most) as most, min(b.first_job) as first_job, max(b.last_job) as last_job
    from base b
    join (values (60), (900), (3600), (86400)) as s (step) on b.minute >= v_now - carillon._stats_kept(s.step)
    cross join lateral (
      select '00000000-0000-0000-0000-000000000000'::uuid as scope union all select b.cron_id where b.cron_id is not null) c
    group by 1, 2, 3, 4, 5, 6, 7
  ),
  old as materialized (
    select s.* from new n
    join carillon.job_stats s on s.app_id = n.app_id and s.scope = n.scope and s.step = n.step and s.from_at = n.from_at and s.status = n.status
    where n.metric = 'j'
  ),
  -- The sweep, of which there is one at a time, is all that writes here.
  added as (
    select * from new
    union all
    select o.app_id, o.scope, o.step, o.from_at, o.status, m.metric, m.bucket, m.n, m.total, m.most, o.first_job, o.last_job
    from old o
    cross join lateral (
      select 'j' as metric, 0::bigint as bucket, o.jobs as n, o.duration_sum as total, o.duration_max as most
      union all select 'd', e >> 40, e & 1099511627775, null, null from unnest(o.durations) as e
      union all select 'w', e >> 40, e & 1099511627775, null, null from unnest(o.waits) as e
      union all select 'l', e >> 40, e & 1099511627775, null, null from unnest(o.lags) as e
    ) m
  ),
  summed as (
    select a.app_id, a.scope, a.step, a.from_at, a.status, a.metric, a.bucket, sum(a.n)::bigint as n, sum(a.total) as total, max(a.most) as most,
      min(a.first_job) as first_job, max(a.last_job) as last_job
    from added a
    group by 1, 2, 3, 4, 5, 6, 7
  ),
  stored as (
    insert into carillon.job_stats (app_id, scope, step, from_at, status, jobs, first_job, last_job, durations, duration_sum, duration_max, waits, lags)
    select r.app_id, r.scope, r.step, r.from_at, r.status, sum(r.n) filter (where r.metric = 'j'), min(r.first_job), max(r.last_job),
      coalesce(array_agg((r.bucket << 40) + r.n order by r.bucket) filter (where r.metric = 'd'), '{}'),
      coalesce(sum(r.total), 0), coalesce(max(r.most), 0),
      coalesce(array_agg((r.bucket << 40) + r.n order by r.bucket) filter (where r.metric = 'w'), '{}'),
      coalesce(array_agg((r.bucket << 40) + r.n order by r.bucket) filter (where r.metric = 'l'), '{}')
    from summed r
    group by 1, 2, 3, 4, 5
    on conflict on constraint job_stats_one_per_step do update
    set jobs = excluded.jobs, first_job = excluded.first_job, last_job = excluded.last_job, durations = excluded.durations,
      duration_sum = excluded.duration_sum, duration_max = excluded.duration_max, waits = excluded.waits, lags = excluded.lags
  )
  select coalesce(sum(e.n), 0) into v_rows from ended e;
  return v_rows;
end;
$$;
comment on function carillon._roll_up_span(timestamptz, timestamptz) is
  'Adds the jobs that ended in a span of time to the statistics; returns how many. Called once for each span, in order.';
revoke all on function carillon._roll_up_span(timestamptz, timestamptz) from public;
--! EndIncluded stats/_roll_up_span.sql
--! Included jobs/_settled_until.sql
create or replace function carillon._settled_until(now timestamptz) returns timestamptz
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  -- Between reading the clock and taking its first lock a function is for an instant invisible.
  c_margin constant interval := '10 seconds';
  v_seen jsonb := (select s.value from carillon.settings s where s.key = 'stats_seen');
  v_writing text[];
begin
  -- Whoever ends jobs or decides slots holds a lock of this kind on the queue, the history or the ledger, from just
  -- after it reads the clock (that is, finished_at or decided_at) until it commits. virtualtransaction names it before it has an id.
  v_writing := array(
    select distinct l.virtualtransaction from pg_catalog.pg_locks l
    where l.locktype = 'relation' and l.database = (select d.oid from pg_catalog.pg_database d where d.datname = current_database())
      and l.relation in ('carillon.job_history'::regclass, 'carillon.ticks'::regclass, 'pgmq.q_jobs'::regclass)
      and l.mode <> 'AccessShareLock' and l.pid is distinct from pg_backend_pid());
  if v_writing = '{}' then
    delete from carillon.settings s where s.key = 'stats_seen';
    return _settled_until.now - c_margin;
  end if;
  -- Those seen writing at the last look are done: all that was written up to then is there.
  if v_seen is not null and exists (select from jsonb_array_elements_text(v_seen -> 'writing') as w where w = any (v_writing)) then
    return null;
  end if;
  insert into carillon.settings (key, value)
  values ('stats_seen', jsonb_build_object('at', _settled_until.now, 'writing', to_jsonb(v_writing)))
  on conflict (key) do update set value = excluded.value;
  return (v_seen ->> 'at')::timestamptz - c_margin;
end;
$$;
comment on function carillon._settled_until(timestamptz) is
  'A time before which no job can any more be found to have ended, nor a slot to have been decided: everybody who might yet commit one began later. Null when that cannot be said now.';
revoke all on function carillon._settled_until(timestamptz) from public;
--! EndIncluded jobs/_settled_until.sql
--! Included stats/_summarize_history.sql
create or replace function carillon._summarize_history(from_at timestamptz) returns void
language plpgsql volatile security invoker
set search_path = ''
set lock_timeout = '200ms'
as $$
declare
  v_index regclass;
begin
  for v_index in
    select i.indexrelid
    from pg_catalog.pg_inherits p
    join pg_catalog.pg_class c on c.oid = p.inhrelid
    join pg_catalog.pg_index i on i.indrelid = c.oid
    join pg_catalog.pg_class x on x.oid = i.indexrelid
    join pg_catalog.pg_am a on a.oid = x.relam
    where p.inhparent in ('carillon.job_history'::regclass, 'carillon.ticks'::regclass) and a.amname = 'brin'
      and (c.relname !~ '_\d{8}$' or to_date(right(c.relname, 8), 'YYYYMMDD')
        between (greatest(_summarize_history.from_at, carillon.now() - interval '2 days') at time zone 'UTC')::date and (carillon.now() at time zone 'UTC')::date)
  loop
    begin
      perform brin_summarize_new_values(v_index);
    exception when lock_not_available then
      null; -- it is being vacuumed, and summarized by that
    end;
  end loop;
end;
$$;
comment on function carillon._summarize_history(timestamptz) is
  'Lets the indexes of the history and the ledger by time know what has come since, so that the latest minutes are found without reading the whole day.';
revoke all on function carillon._summarize_history(timestamptz) from public;
--! EndIncluded stats/_summarize_history.sql
--! Included stats/_roll_up_ticks.sql
create or replace function carillon._roll_up_ticks(from_at timestamptz, to_at timestamptz) returns void
language plpgsql volatile security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
begin
  insert into carillon.tick_stats as s (app_id, from_at, outcome, slots)
  select t.app_id, date_trunc('hour', t.decided_at, 'UTC'), t.outcome, count(*)
  from carillon.ticks t
  where t.decided_at >= _roll_up_ticks.from_at and t.decided_at < _roll_up_ticks.to_at
  group by 1, 2, 3
  on conflict on constraint tick_stats_one_per_hour do update set slots = s.slots + excluded.slots;
end;
$$;
comment on function carillon._roll_up_ticks(timestamptz, timestamptz) is
  'Adds the slots that were decided in a span of time to the statistics. Called once for each span, in order.';
revoke all on function carillon._roll_up_ticks(timestamptz, timestamptz) from public;
--! EndIncluded stats/_roll_up_ticks.sql
--! Included stats/_roll_up.sql
create or replace function carillon._roll_up() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  c_patience constant interval := '1 second';
  v_started constant timestamptz := clock_timestamp();
  v_until timestamptz := carillon._stats_until();
  v_settled timestamptz := carillon._settled_until(carillon.now());
  v_span interval := '1 minute';
  v_next timestamptz;
  v_begun timestamptz;
  v_all integer := 0;
begin
  if v_settled is null then
    return 0;
  end if;
  perform carillon._summarize_history(v_until);
  if v_until = '-infinity' then
    v_until := least(
      (select min(to_date(p.part, 'YYYYMMDD')::timestamp at time zone 'UTC') from carillon._history_parts(null) p where p.part <> 'default'),
      (select date_trunc('minute', min(h.finished_at)) from carillon.job_history_default h), v_settled);
  end if;
  while v_until < v_settled and clock_timestamp() < v_started + c_patience loop
    v_next := least(v_until + v_span, v_settled);
    v_begun := clock_timestamp();
    v_all := v_all + carillon._roll_up_span(v_until, v_next);
    perform carillon._roll_up_ticks(v_until, v_next);
    v_until := v_next;
    -- Long spans cost less for each job, and none of them should take long: days without jobs say nothing of the next.
    v_span := case when clock_timestamp() - v_begun < c_patience / 8 then least(v_span * 2, '1 hour')
      when clock_timestamp() - v_begun > c_patience / 2 then greatest(v_span / 4, '1 second') else v_span end;
  end loop;
  insert into carillon.settings (key, value) values ('stats_until', to_jsonb(v_until))
  on conflict (key) do update set value = excluded.value;
  return v_all;
end;
$$;
comment on function carillon._roll_up() is
  'Adds what has ended and been decided since the last time to the statistics, for about a second at most; returns how many jobs. The span and where it ends are stored together: each job is counted once.';
revoke all on function carillon._roll_up() from public;
--! EndIncluded stats/_roll_up.sql
--! Included stats/_decided_slots.sql
create or replace function carillon._decided_slots(apps text[], since timestamptz) returns table (hour timestamptz, outcome text, slots bigint)
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
declare
  v_until constant timestamptz := greatest(carillon._stats_until(), _decided_slots.since);
begin
  return query
    select r.hour, r.outcome, sum(r.slots)::bigint
    from (
      select s.from_at as hour, s.outcome, s.slots
      from carillon.tick_stats s
      where s.app_id = any (apps) and s.from_at >= _decided_slots.since
      union all
      -- What was decided since the last roll-up.
      select date_trunc('hour', t.decided_at, 'UTC'), t.outcome, count(*)
      from carillon.ticks t
      where t.decided_at >= v_until and t.app_id = any (apps)
      group by 1, 2) r
    group by 1, 2;
end;
$$;
comment on function carillon._decided_slots(text[], timestamptz) is
  'How many slots of these apps were decided how, hour by hour since the beginning of an hour.';
revoke all on function carillon._decided_slots(text[], timestamptz) from public;
--! EndIncluded stats/_decided_slots.sql
--! Included stats/_trim_stats.sql
create or replace function carillon._trim_stats() returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_now timestamptz := carillon.now();
begin
  delete from carillon.job_stats s
  using (
    select o.ctid as at
    from (values (60), (900), (3600), (86400)) as k (step)
    cross join lateral (
      select j.ctid from carillon.job_stats j
      where j.step = k.step and j.from_at < v_now - carillon._stats_kept(k.step)
      order by j.from_at
      limit 5000) o
  ) old
  where s.ctid = old.at;
  delete from carillon.tick_stats s where s.from_at < v_now - carillon._stats_kept(3600);
end;
$$;
comment on function carillon._trim_stats() is 'Deletes statistics past their time, 5000 of each step at most.';
revoke all on function carillon._trim_stats() from public;
--! EndIncluded stats/_trim_stats.sql
--! Included stats/_stats_edges.sql
create or replace function carillon._stats_edges(from_at timestamptz, to_at timestamptz, bucket text, timezone text) returns timestamptz[]
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_step constant interval := case bucket when '1m' then '1 minute' when '5m' then '5 minutes' when '15m' then '15 minutes'
    when '1h' then '1 hour' when '6h' then '6 hours' when '1d' then '1 day' end;
  v_origin constant timestamp := '2000-01-01 00:00:00';
  v_local timestamp := case when v_step < interval '1 day' then date_bin(v_step, from_at at time zone timezone, v_origin)
    else date_trunc('day', from_at at time zone timezone) end;
  v_edge timestamptz;
  v_edges timestamptz[] := '{}';
begin
  -- Up to an hour, steps are of elapsed time: the hour that comes twice is two of them. Longer ones follow the wall clock.
  v_edge := v_local at time zone timezone;
  if v_edge > from_at then
    -- That was the later of two equal wall clock times.
    v_local := v_local - v_step;
    v_edge := case when v_step <= interval '1 hour' then v_edge - v_step else v_local at time zone timezone end;
  end if;
  loop
    v_edges := v_edges || v_edge;
    exit when v_edge >= to_at or cardinality(v_edges) > 1001;
    if v_step <= interval '1 hour' then
      v_edge := v_edge + v_step;
    else
      loop
        v_local := v_local + v_step;
        v_edge := v_local at time zone timezone;
        exit when v_edge > v_edges[cardinality(v_edges)];
      end loop;
    end if;
  end loop;
  return v_edges;
end;
$$;
comment on function carillon._stats_edges(timestamptz, timestamptz, text, text) is
  'Where the buckets of a window begin and the last one ends, in a time zone; more than 1001 when there are too many.';
revoke all on function carillon._stats_edges(timestamptz, timestamptz, text, text) from public;
--! EndIncluded stats/_stats_edges.sql
--! Included stats/get_stats.sql
create or replace function carillon.get_stats(
  app text,
  cron uuid default null,
  from_at timestamptz default null,
  to_at timestamptz default null,
  bucket text default null,
  timezone text default 'GMT'
) returns jsonb
language plpgsql stable security definer
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  v_now timestamptz := carillon.now();
  v_to timestamptz := coalesce(to_at, v_now);
  v_from timestamptz := coalesce(from_at, v_to - interval '24 hours');
  v_bucket text;
  v_zone text := carillon._zone_name(timezone);
  v_edges timestamptz[];
  v_first timestamptz;
  v_last timestamptz;
  v_step integer;
  v_until timestamptz := carillon._stats_until();
  v_buckets jsonb;
  v_total jsonb;
begin
  perform carillon._require_app(app);
  if not (v_from between '1990-01-01' and '2200-01-01') then
    perform carillon._invalid('from', 'must be between the years 1990 and 2200');
  end if;
  if not (v_to > v_from and v_to <= '2200-01-01') then
    perform carillon._invalid('to', 'must be after from');
  end if;
  v_bucket := coalesce(bucket, case
    when v_to - v_from <= interval '2 hours' then '1m' when v_to - v_from <= interval '12 hours' then '5m'
    when v_to - v_from <= interval '2 days' then '15m' when v_to - v_from <= interval '15 days' then '1h'
    when v_to - v_from <= interval '60 days' then '6h' else '1d' end);
  if v_bucket not in ('1m', '5m', '15m', '1h', '6h', '1d') then
    perform carillon._invalid('bucket', 'must be 1m, 5m, 15m, 1h, 6h or 1d');
  end if;
  v_edges := carillon._stats_edges(v_from, v_to, v_bucket, v_zone);
  if cardinality(v_edges) > 1001 then
    perform carillon._invalid('bucket', format('must be longer: from to to has more than 1000 of %s', v_bucket));
  end if;
  v_first := v_edges[1];
  v_last := v_edges[cardinality(v_edges)];
  -- The longest step that no edge cuts through.
  select max(s.step) into v_step
  from (values (60), (900), (3600), (86400)) as s (step)
  where s.step <= case v_bucket when '1m' then 60 when '5m' then 60 when '15m' then 900 when '1d' then 86400 else 3600 end
    and not exists (select from unnest(v_edges) as e where extract(epoch from e)::bigint % s.step <> 0);
  if v_first < v_now - carillon._stats_kept(v_step) then
    perform carillon._invalid('from', format('must be at most %s ago for buckets of %s in %s', carillon._stats_kept(v_step), v_bucket, v_zone),
      'longer buckets reach further back');
  end if;

  with rows as materialized (
    select width_bucket(s.from_at, v_edges) as at, s.status, s.jobs, s.duration_sum, s.duration_max, s.durations, s.waits, s.lags
    from carillon.job_stats s
    where s.app_id = app and s.scope = coalesce(get_stats.cron, '00000000-0000-0000-0000-000000000000') and s.step = v_step and s.from_at >= v_first and s.from_at < v_last
    union all
    -- What has ended since the last roll-up.
    select width_bucket(h.finished_at, v_edges), h.status, 1, coalesce(t.duration, 0), coalesce(t.duration, 0),
      case when t.duration is not null then array[(carillon._log_bucket(t.duration) << 40) + 1] end,
      case when t.wait is not null then array[(carillon._log_bucket(t.wait) << 40) + 1] end,
      case when t.lag is not null then array[(carillon._log_bucket(t.lag) << 40) + 1] end
    from carillon.job_history h
    cross join lateral (select extract(epoch from h.finished_at - h.started_at)::double precision as duration,
      carillon._job_wait(h.headers, h.enqueued_at, h.started_at) as wait, carillon._job_lag(h.trigger, h.scheduled_for, h.enqueued_at) as lag) t
    where h.app_id = app and (get_stats.cron is null or h.cron_id = get_stats.cron)
      and h.finished_at >= greatest(v_first, v_until) and h.finished_at < v_last
  ),
  -- Each bucket, and (as number 0) all of them.
  grouped as materialized (
    select coalesce(r.at, 0) as at, sum(r.jobs) filter (where r.status = 'completed') as completed,
      sum(r.jobs) filter (where r.status = 'failed') as failed, sum(r.jobs) filter (where r.status = 'canceled') as canceled,
      sum(r.duration_sum) as total, max(r.duration_max) as most
    from rows r
    group by grouping sets ((r.at), ())
  ),
  counted as (
    select r.at, m.metric, e >> 40 as bucket, sum(e & 1099511627775) as n
    from rows r
    cross join lateral (values ('duration', r.durations), ('wait', r.waits), ('lag', r.lags)) as m (metric, histogram)
    cross join lateral unnest(m.histogram) as e
    group by 1, 2, 3
  ),
  summed as (
    select coalesce(c.at, 0) as at, c.metric, c.bucket, sum(c.n) as n
    from counted c
    group by grouping sets ((c.at, c.metric, c.bucket), (c.metric, c.bucket))
  ),
  ranked as (
    select s.*, sum(s.n) over w as upto, sum(s.n) over (partition by s.at, s.metric) as jobs
    from summed s
    window w as (partition by s.at, s.metric order by s.bucket)
  ),
  percentiles as materialized (
    select r.at, r.metric, jsonb_build_object(
      'p50', carillon._bucket_value(min(r.bucket) filter (where r.upto >= 0.50 * r.jobs)),
      'p95', carillon._bucket_value(min(r.bucket) filter (where r.upto >= 0.95 * r.jobs)),
      'p99', carillon._bucket_value(min(r.bucket) filter (where r.upto >= 0.99 * r.jobs))) as value,
      max(r.jobs) as jobs
    from ranked r
    group by 1, 2
  ),
  shown as (
    select a.at, jsonb_build_object(
      'completed', coalesce(g.completed, 0), 'failed', coalesce(g.failed, 0), 'canceled', coalesce(g.canceled, 0),
      'successRate', round(coalesce(g.completed, 0)::numeric / nullif(coalesce(g.completed, 0) + coalesce(g.failed, 0), 0), 6),
      'duration', d.value || jsonb_build_object('mean', g.total / d.jobs, 'max', g.most),
      'wait', w.value, 'lag', l.value) as value
    from generate_series(0, cardinality(v_edges) - 1) as a (at)
    left join grouped g on g.at = a.at
    left join percentiles d on d.at = a.at and d.metric = 'duration'
    left join percentiles w on w.at = a.at and w.metric = 'wait'
    left join percentiles l on l.at = a.at and l.metric = 'lag'
  )
  select jsonb_agg(s.value || jsonb_build_object('from', carillon._time_text(v_edges[s.at]), 'to', carillon._time_text(v_edges[s.at + 1])) order by s.at)
      filter (where s.at > 0),
    jsonb_agg(s.value) filter (where s.at = 0) -> 0
  into v_buckets, v_total
  from shown s;
  return jsonb_build_object('from', carillon._time_text(v_first), 'to', carillon._time_text(v_last), 'bucket', v_bucket, 'timezone', v_zone,
    'total', v_total, 'buckets', v_buckets);
end;
$$;
comment on function carillon.get_stats(text, uuid, timestamptz, timestamptz, text, text) is
  'How the jobs of an app, or of one of its crons, ended from one time to another (default the last 24 hours), as a whole and by buckets of 1m, 5m, 15m, 1h, 6h or 1d in a time zone: counts, success rate, and percentiles in seconds, right to 5 %, of how long jobs ran, waited once due, and how late their slots were decided. The window is widened to whole buckets.';
revoke all on function carillon.get_stats(text, uuid, timestamptz, timestamptz, text, text) from public;
--! EndIncluded stats/get_stats.sql
--! Included jobs/_oldest_of_last.sql
create or replace function carillon._oldest_of_last(app text, cron uuid, statuses text[], jobs integer) returns bigint
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_filter carillon.job_filter;
  v_from bigint := 9223372036854775807;
  v_left integer := _oldest_of_last.jobs;
  v_page record;
begin
  v_filter.app_id := app;
  v_filter.cron_id := cron;
  v_filter.statuses := statuses;
  loop
    v_page := carillon._finished_page(v_filter, v_from, false, v_left, false);
    if cardinality(v_page.job_ids) = v_left then
      return v_page.job_ids[v_left];
    end if;
    v_left := v_left - cardinality(v_page.job_ids);
    if v_page.frontier is null then
      return 0; -- there are fewer
    end if;
    v_from := v_page.frontier;
  end loop;
end;
$$;
comment on function carillon._oldest_of_last(text, uuid, text[], integer) is
  'The oldest of so many last finished jobs of an app or cron (by id) with these statuses; 0 when there are fewer.';
revoke all on function carillon._oldest_of_last(text, uuid, text[], integer) from public;
--! EndIncluded jobs/_oldest_of_last.sql
--! Included jobs/_count_kept.sql
create or replace function carillon._count_kept() returns boolean
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  c_batch constant integer := 50;
  v_today date := (carillon.now() at time zone 'UTC')::date;
begin
  update carillon.retentions r
  set last_from = case when r.keep_last is not null then carillon._oldest_of_last(r.app_id, r.cron_id, null, r.keep_last) end,
    failed_from = case when r.keep_failed is not null then carillon._oldest_of_last(r.app_id, r.cron_id, '{failed}', r.keep_failed) end,
    counted_on = v_today
  from (
    select o.ctid as at from carillon.retentions o
    where coalesce(o.keep_last, o.keep_failed) is not null and o.counted_on is distinct from v_today
    limit c_batch
    for update skip locked
  ) due
  where r.ctid = due.at;
  return not exists (
    select from carillon.retentions r
    where coalesce(r.keep_last, r.keep_failed) is not null and r.counted_on is distinct from v_today);
end;
$$;
comment on function carillon._count_kept() is
  'Finds out once a day which jobs are kept by number, for 50 apps and crons at a time; returns whether that is done for today.';
revoke all on function carillon._count_kept() from public;
--! EndIncluded jobs/_count_kept.sql
--! Included jobs/_is_kept.sql
create or replace function carillon._is_kept(app text, cron uuid, status text, job bigint) returns boolean
language sql stable security invoker
set search_path = ''
as $$
  select exists (
    select from carillon.retentions r
    where r.app_id = app and (r.cron_id is null or r.cron_id = cron)
      and (job >= r.last_from or status = 'failed' and job >= r.failed_from))
$$;
comment on function carillon._is_kept(text, uuid, text, bigint) is
  'Whether a finished job is among the last ones of its app or cron that are kept whatever their age.';
revoke all on function carillon._is_kept(text, uuid, text, bigint) from public;
--! EndIncluded jobs/_is_kept.sql
--! Included jobs/_kept_of_day.sql
create or replace function carillon._kept_of_day(part text) returns carillon.job_history[]
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
as $$
declare
  v_rule record;
  v_rows carillon.job_history[];
  v_kept carillon.job_history[] := '{}';
begin
  -- By index, rule by rule: a day of millions is not read for the few that stay.
  for v_rule in
    select r.app_id, r.cron_id, s.status, case when s.status = 'failed' then least(r.last_from, r.failed_from) else r.last_from end as from_job
    from carillon.retentions r
    cross join (values ('completed'), ('failed'), ('canceled')) as s (status)
  loop
    continue when v_rule.from_job is null;
    execute format('select array(select row(j.*)::carillon.job_history from carillon.job_history_%s j where j.app_id = %L and j.status = %L and j.job_id >= %s%s)',
      part, v_rule.app_id, v_rule.status, v_rule.from_job,
      case when v_rule.cron_id is not null then format(' and j.cron_id = %L', v_rule.cron_id) else '' end)
    into v_rows;
    v_kept := v_kept || v_rows;
  end loop;
  return array(select distinct on (k.job_id) k from unnest(v_kept) as k order by k.job_id);
end;
$$;
comment on function carillon._kept_of_day(text) is 'The jobs of a day of the history that are kept whatever their age.';
revoke all on function carillon._kept_of_day(text) from public;
--! EndIncluded jobs/_kept_of_day.sql
--! Included jobs/_trim_history.sql
create or replace function carillon._trim_history() returns integer
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  c_rows constant integer := 5000;
  c_parts constant integer := 200;
  v_today date := (carillon.now() at time zone 'UTC')::date;
  v_rule record;
  v_day date;
  v_through date;
  v_deleted integer;
  v_all integer := 0;
  v_parts integer := 0;
begin
  for v_rule in
    select r.app_id, r.cron_id, r.trimmed_through, v_today - r.days as before
    from carillon.retentions r
    where r.days is not null and coalesce(r.trimmed_through, '-infinity') < v_today - r.days - 1
    union all
    -- Everybody else, where somebody keeps jobs for longer.
    select null, null, g.trimmed_through, v_today - g.days
    from (
      select coalesce((select (s.value #>> '{}')::integer from carillon.settings s where s.key = 'jobRetentionDays'), 90) as days,
        (select (s.value #>> '{}')::date from carillon.settings s where s.key = 'history_trimmed_through') as trimmed_through
    ) g
    where exists (select from carillon.retentions r where r.days > g.days) and coalesce(g.trimmed_through, '-infinity') < v_today - g.days - 1
    limit 100
  loop
    v_through := v_rule.trimmed_through;
    for v_day in
      select d.day from (
        select to_date(right(c.relname, 8), 'YYYYMMDD') as day
        from pg_catalog.pg_inherits i
        join pg_catalog.pg_class c on c.oid = i.inhrelid
        where i.inhparent = 'carillon.job_history'::regclass and c.relname ~ '\d{8}$'
      ) d
      where d.day < v_rule.before and d.day > coalesce(v_rule.trimmed_through, '-infinity')
      order by d.day
    loop
      -- Crons with days of their own follow these, and apps do.
      execute format($sql$
        delete from carillon.job_history_%1$s h
        where h.ctid = any (array(
          select j.ctid from carillon.job_history_%1$s j
          where %2$s and not carillon._is_kept(j.app_id, j.cron_id, j.status, j.job_id)
          limit %3$s))$sql$,
        to_char(v_day, 'YYYYMMDD'),
        case when v_rule.cron_id is not null then format('j.app_id = %L and j.cron_id = %L', v_rule.app_id, v_rule.cron_id)
          when v_rule.app_id is not null
            then format('j.app_id = %L and not exists (select from carillon.retentions o where o.cron_id = j.cron_id and o.days is not null)', v_rule.app_id)
          else 'not exists (select from carillon.retentions o where o.app_id = j.app_id and (o.cron_id is null or o.cron_id = j.cron_id) and o.days is not null)'
        end,
        c_rows - v_all);
      get diagnostics v_deleted = row_count;
      v_all := v_all + v_deleted;
      v_parts := v_parts + 1;
      exit when v_all >= c_rows;
      v_through := v_day;
      exit when v_parts >= c_parts;
    end loop;
    if v_all < c_rows and v_parts < c_parts then
      v_through := v_rule.before - 1;
    end if;
    if v_rule.app_id is null then
      insert into carillon.settings (key, value) values ('history_trimmed_through', to_jsonb(v_through))
      on conflict (key) do update set value = excluded.value;
    else
      update carillon.retentions r set trimmed_through = v_through
      where r.app_id = v_rule.app_id and r.cron_id is not distinct from v_rule.cron_id;
    end if;
    exit when v_all >= c_rows or v_parts >= c_parts;
  end loop;
  return v_all;
end;
$$;
comment on function carillon._trim_history() is
  'Deletes finished jobs of apps and crons that are kept for fewer days than the partitions last, 5000 at most; returns how many.';
revoke all on function carillon._trim_history() from public;
--! EndIncluded jobs/_trim_history.sql
--! Included jobs/_trim_retries.sql
create or replace function carillon._trim_retries() returns void
language plpgsql volatile security invoker
set search_path = ''
as $$
declare
  v_days integer := coalesce((select (s.value #>> '{}')::integer from carillon.settings s where s.key = 'jobRetentionDays'), 90);
  v_before timestamptz;
begin
  v_days := greatest(v_days, (select max(r.days) from carillon.retentions r));
  v_before := carillon.now() - make_interval(days => v_days + 2);
  delete from carillon.job_retries r
  using (
    select o.job_id from carillon.job_retries o
    where o.created_at < v_before
    order by o.created_at
    limit 10000
  ) old
  where r.job_id = old.job_id;
end;
$$;
comment on function carillon._trim_retries() is 'Forgets which job ran which one again once both are past their days, 10,000 at most.';
revoke all on function carillon._trim_retries() from public;
--! EndIncluded jobs/_trim_retries.sql
--! Included jobs/get_job_retention.sql
create or replace function carillon.get_job_retention(app text, cron uuid default null) returns jsonb
language plpgsql stable security definer
set search_path = ''
as $$
declare
  v_own carillon.retentions;
begin
  perform carillon._require_app(app);
  if cron is not null then
    perform carillon.get_cron(cron, app);
  end if;
  select r.* into v_own from carillon.retentions r where r.app_id = app and r.cron_id is not distinct from cron;
  return jsonb_build_object('days', v_own.days, 'keepLast', v_own.keep_last, 'keepFailed', v_own.keep_failed,
    'effectiveDays', coalesce(v_own.days,
      (select r.days from carillon.retentions r where r.app_id = app and r.cron_id is null),
      (select (s.value #>> '{}')::integer from carillon.settings s where s.key = 'jobRetentionDays'), 90));
end;
$$;
comment on function carillon.get_job_retention(text, uuid) is
  'The retention set for the finished jobs of an app, or of one of its crons, and the days that follow from it.';
revoke all on function carillon.get_job_retention(text, uuid) from public;
--! EndIncluded jobs/get_job_retention.sql
--! Included jobs/set_job_retention.sql
create or replace function carillon.set_job_retention(
  app text,
  cron uuid default null,
  days integer default null,
  keep_last integer default null,
  keep_failed integer default null,
  actor uuid default null,
  actor_scopes text[] default null
) returns jsonb
language plpgsql volatile security definer
set search_path = ''
as $$
declare
  v_old jsonb;
  v_new jsonb;
begin
  perform carillon._hold_app(app);
  if cron is not null then
    perform carillon.get_cron(cron, app);
  end if;
  if days not between 1 and 3650 then
    perform carillon._invalid('days', 'must be from 1 to 3650');
  end if;
  if keep_last not between 1 and 10000 then
    perform carillon._invalid('keepLast', 'must be from 1 to 10000');
  end if;
  if keep_failed not between 1 and 10000 then
    perform carillon._invalid('keepFailed', 'must be from 1 to 10000');
  end if;
  v_old := carillon.get_job_retention(app, cron);
  delete from carillon.retentions r where r.app_id = app and r.cron_id is not distinct from cron;
  if coalesce(days, keep_last, keep_failed) is not null then
    insert into carillon.retentions (app_id, cron_id, days, keep_last, keep_failed) values (app, cron, days, keep_last, keep_failed);
  end if;
  -- A cron that had days of its own follows its app's again, or the other way round.
  update carillon.retentions r set trimmed_through = null where r.app_id = app;
  delete from carillon.settings s where s.key = 'history_trimmed_through';
  v_new := carillon.get_job_retention(app, cron);
  perform carillon._audit(actor, 'job.retention', app, coalesce(cron::text, app), null, v_old, v_new);
  return v_new;
end;
$$;
comment on function carillon.set_job_retention(text, uuid, integer, integer, integer, uuid, text[]) is
  'How many days the finished jobs of an app, or of one of its crons, are kept (null: as the app, or as set_retention says), and how many of the last, and of the last failed, are kept beyond that (null: none). A cron''s days go before its app''s; what either keeps by number stays.';
revoke all on function carillon.set_job_retention(text, uuid, integer, integer, integer, uuid, text[]) from public;
--! EndIncluded jobs/set_job_retention.sql
--! Included summaries/_state_of.sql
create or replace function carillon._state_of(cron carillon.crons, failures integer, denied boolean, running boolean, system uuid, late timestamptz)
returns text
language sql immutable parallel safe security invoker
return case
  when not (cron).enabled then case when (cron).paused_by = system then 'self_paused' else 'paused' end
  when (cron).completed_at is not null then case when running then 'running' else 'done' end
  when denied then 'denied'
  when failures > 0 then 'failing'
  when coalesce((cron).next_fire_at, '-infinity') <= late then 'late'
  when running then 'running'
  when (cron).last_slot_at is null then 'waiting'
  else 'ok'
end;
comment on function carillon._state_of(carillon.crons, integer, boolean, boolean, uuid, timestamptz) is
  'The one word for how a cron is: the most serious that is true. failures: in a row; denied: its owner may not fire it; running: a job of it is; system: _system_principal(); late: a slot not decided by then is late. Inlined where it is called.';
revoke all on function carillon._state_of(carillon.crons, integer, boolean, boolean, uuid, timestamptz) from public;
--! EndIncluded summaries/_state_of.sql
--! Included summaries/_state_text.sql
create or replace function carillon._state_text(state text, cron carillon.cron_details, paused_by text) returns text
language sql stable parallel safe security invoker
return case state
  when 'self_paused' then 'Paused itself' || coalesce(': ' || (cron).pause_note, '')
  when 'paused' then 'Paused' || coalesce(' by ' || paused_by, '') || coalesce(': ' || (cron).pause_note, '')
  when 'denied' then 'Denied: ' || (cron).denied
  when 'failing' then case (cron).consecutive_failures when 1 then 'Its last job failed'
    else format('Its last %s jobs failed', (cron).consecutive_failures) end
  when 'late' then coalesce('Its slot of ' || to_char((cron).next_fire_at at time zone (cron).timezone, 'Dy DD Mon, HH24:MI:SS')
    || ' has not been decided', 'Its next slot cannot be computed')
  when 'running' then 'A job of it is running'
  when 'waiting' then 'No slot of it has come yet'
  when 'done' then 'It has no slot any more'
  when 'ok' then 'Nothing is wrong with it'
end;
comment on function carillon._state_text(text, carillon.cron_details, text) is
  'A sentence on how a cron is; times are those of its zone. paused_by: the name of who paused it.';
revoke all on function carillon._state_text(text, carillon.cron_details, text) from public;
--! EndIncluded summaries/_state_text.sql
--! Included summaries/_pressing_crons.sql
create or replace function carillon._pressing_crons(owners uuid[], owner_apps text[], late timestamptz) returns setof uuid
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  -- Each by an index that holds few others.
  return query
    select f.cron_id from carillon.cron_failures f
    union
    select c.id from carillon.crons c where c.paused_by = carillon._system_principal()
    union
    select c.id from carillon.crons c where c.next_fire_at <= _pressing_crons.late
    union
    select c.id from carillon.crons c where c.enabled and c.next_fire_at is null and c.completed_at is null
    union
    select c.id from carillon.crons c where c.owner_id is null
    union
    select c.id from unnest(owners, owner_apps) as d (owner, app) join carillon.crons c on c.owner_id = d.owner and c.app_id = d.app;
end;
$$;
comment on function carillon._pressing_crons(uuid[], text[], timestamptz) is
  'Every cron that may be failing, late, denied or self-paused, and some that are not: those of these owners in these apps are denied.';
revoke all on function carillon._pressing_crons(uuid[], text[], timestamptz) from public;
--! EndIncluded summaries/_pressing_crons.sql
--! Included summaries/_read_place.sql
create or replace function carillon._read_place(cursor_text text, list text) returns text[]
language plpgsql immutable security invoker
set search_path = ''
as $$
declare
  v_base64 constant text := translate(cursor_text, '-_', '+/');
  v_place text[];
begin
  if cursor_text is null then
    return null;
  end if;
  if cursor_text ~ '^[A-Za-z0-9_-]+$' and length(cursor_text) <= 300 and length(cursor_text) % 4 <> 1 then
    v_place := regexp_match(encode(decode(rpad(v_base64, (length(v_base64) + 3) / 4 * 4, '='), 'base64'), 'escape'),
      '^' || list || ' ([0-2]) (\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{6}Z|none) ([A-Za-z0-9_-]{1,64}) ([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$');
  end if;
  begin
    perform v_place[2]::timestamptz where v_place[2] <> 'none';
  exception when datetime_field_overflow or invalid_datetime_format then
    v_place := null;
  end;
  if v_place is null then
    perform carillon._invalid('cursor', 'must be the nextCursor of a page of this list in the same order');
  end if;
  return v_place;
end;
$$;
comment on function carillon._read_place(text, text) is
  'The place that a cursor of a list of crons in this order stands for: the stretch of the list, and the time, name and id of its last cron.';
revoke all on function carillon._read_place(text, text) from public;
--! EndIncluded summaries/_read_place.sql
--! Included summaries/find_crons.sql
create or replace function carillon.find_crons(
  filter jsonb default '{}',
  sort text default 'attention',
  after_cursor text default null,
  max_rows integer default 50,
  actor uuid default null,
  actor_scopes text[] default null,
  out crons uuid[],
  out next_cursor text,
  out matched integer
)
language plpgsql stable security definer
set search_path = ''
as $$
declare
  c_states constant text[] := '{failing,late,paused,self_paused,denied,running,ok,waiting,done}';
  c_pressing constant text[] := '{failing,self_paused,denied,late}';
  c_most constant integer := 10000;
  v_now constant timestamptz := carillon.now();
  -- A slot that is not decided by then is settled as one that was missed.
  v_late constant timestamptz := v_now - interval '90 seconds';
  v_given constant jsonb := jsonb_strip_nulls(filter);
  v_states text[];
  v_targets text[];
  v_apps text[];
  v_owners uuid[];
  v_owner_apps text[];
  v_running uuid[];
  v_unknown text;
  v_denied text;
  v_state text;
  v_from text := 'carillon.crons c left join carillon.cron_failures f on f.cron_id = c.id';
  v_where text;
  v_place text[];
  v_tier integer;
  v_condition text;
  v_key text;
  v_order text;
  v_rows record;
  v_last record;
begin
  if max_rows is null or max_rows not between 1 and 200 then
    perform carillon._invalid('limit', 'must be from 1 to 200');
  end if;
  if sort is null or sort not in ('attention', 'name', 'next', 'last') then
    perform carillon._invalid('order', 'must be attention, name, next or last');
  end if;
  if jsonb_typeof(filter) is distinct from 'object' then
    perform carillon._invalid('filter', 'must be a JSON object');
  end if;
  select k into v_unknown from jsonb_object_keys(v_given) as k where k not in ('app', 'q', 'state', 'enabled', 'timezone', 'target') order by k limit 1;
  if v_unknown is not null then
    perform carillon._invalid(v_unknown, 'is not a filter of crons');
  end if;
  v_place := carillon._read_place(after_cursor, sort);

  v_apps := carillon._apps_where(carillon._held_by(actor, actor_scopes), 'cron.read',
    case when v_given ? 'app' then carillon._json_text(v_given -> 'app', 'app', 63) end);
  crons := '{}';
  matched := 0;
  if v_apps = '{}' then
    return;
  end if;
  select coalesce(array_agg(d.owner_id), '{}'), coalesce(array_agg(d.app_id), '{}') into v_owners, v_owner_apps from carillon._denied_owners(v_apps) d;
  v_running := carillon._running_crons(v_apps, v_now);
  v_denied := '(c.owner_id is null' || case when v_owners = '{}' then ')'
    else format(' or (c.owner_id, c.app_id) in (select d.o, d.a from unnest(%L::uuid[], %L::text[]) as d (o, a)))', v_owners, v_owner_apps) end;
  v_state := format('carillon._state_of(c, f.consecutive, %s, c.id = any (%L::uuid[]), %L::uuid, %L::timestamptz)',
    v_denied, v_running, carillon._system_principal(), v_late);

  v_where := case
    when cardinality(v_apps) = 1 then format('c.app_id = %L', v_apps[1])
    when exists (select from carillon.apps a where a.id <> all (v_apps)) then format('c.app_id = any (%L::text[])', v_apps)
    else 'true' end;
  if v_given ? 'q' then
    v_where := v_where || format(' and (strpos(lower(c.name), %1$L) > 0 or strpos(lower(c.description), %1$L) > 0)',
      lower(carillon._json_text(v_given -> 'q', 'q', 200)));
  end if;
  if v_given ? 'enabled' then
    if jsonb_typeof(v_given -> 'enabled') <> 'boolean' then
      perform carillon._invalid('enabled', 'must be true or false');
    end if;
    v_where := v_where || case when (v_given -> 'enabled')::boolean then ' and c.enabled' else ' and not c.enabled' end;
  end if;
  if v_given ? 'timezone' then
    v_where := v_where || format(' and lower(c.timezone) = %L', lower(carillon._json_text(v_given -> 'timezone', 'timezone', 100)));
  end if;
  if v_given ? 'target' then
    v_targets := carillon._json_words(v_given -> 'target', 'target', '{none,any,http,agent,faktory,container}');
    if 'any' = any (v_targets) then
      v_targets := v_targets || '{http,agent,faktory,container}';
    end if;
    v_where := v_where || format(' and coalesce(c.job_headers #>> ''{target,type}'', ''none'') = any (%L::text[])', v_targets);
  end if;
  if v_given ? 'state' then
    v_states := carillon._json_words(v_given -> 'state', 'state', c_states);
    -- What is cheap to know goes first.
    v_where := v_where || ' and (' || (
      select string_agg(distinct case
        when s = 'failing' then 'f.cron_id is not null'
        when s in ('paused', 'self_paused') then 'not c.enabled'
        when s = 'denied' then v_denied
        when s = 'late' then format('c.next_fire_at <= %1$L::timestamptz or c.enabled and c.next_fire_at is null', v_late)
        when s = 'running' then format('c.id = any (%L::uuid[])', v_running)
        when s = 'done' then 'c.completed_at is not null'
        else 'c.enabled' end, ' or ')
      from unnest(v_states) as s) || format(') and %s = any (%L::text[])', v_state, v_states);
  end if;
  execute format('select count(*) from (select from %s where %s limit %s) m', v_from, v_where, c_most + 1) into matched;

  -- The list is one stretch after another, each along an index where there may be many: a page costs what it shows.
  for v_tier, v_condition, v_key, v_order in
    select t.tier, t.condition, t.key, t.direction
    from (values
      ('attention', 0, format('c.id in (select carillon._pressing_crons(%L::uuid[], %L::text[], %L::timestamptz)) and %s = any (%L::text[])',
        v_owners, v_owner_apps, v_late, v_state, c_pressing), 'coalesce(c.next_fire_at, ''infinity'')', ''),
      ('attention', 1, format('c.next_fire_at is not null and %s <> all (%L::text[])', v_state, c_pressing), 'c.next_fire_at', ''),
      ('attention', 2, format('c.next_fire_at is null and %s <> all (%L::text[])', v_state, c_pressing), null, ''),
      ('next', 1, 'c.next_fire_at is not null', 'c.next_fire_at', ''),
      ('next', 2, 'c.next_fire_at is null', null, ''),
      ('last', 1, 'c.last_slot_at is not null', 'c.last_slot_at', 'desc'),
      ('last', 2, 'c.last_slot_at is null', null, ''),
      ('name', 1, 'true', null, '')) as t (list, tier, condition, key, direction)
    where t.list = sort and t.tier >= coalesce(v_place[1]::integer, 0)
    order by t.tier
  loop
    for v_rows in execute format(
      'select c.id, c.name, %1$s as key from %2$s where %3$s and %4$s%5$s order by %6$sc.name, c.id limit %7$s',
      coalesce(v_key, 'null::timestamptz'), v_from, v_where, v_condition,
      case when v_tier <> v_place[1]::integer or v_place is null then ''
        when v_key is null then format(' and (c.name, c.id) > (%L, %L::uuid)', v_place[3], v_place[4])
        when v_order = 'desc' then format(' and %1$s <= %2$L::timestamptz and (%1$s < %2$L::timestamptz or (c.name, c.id) > (%3$L, %4$L::uuid))',
          v_key, replace(v_place[2], 'none', 'infinity'), v_place[3], v_place[4])
        else format(' and (%s, c.name, c.id) > (%L::timestamptz, %L, %L::uuid)', v_key, replace(v_place[2], 'none', 'infinity'), v_place[3], v_place[4]) end,
      coalesce(v_key || ' ' || v_order || ', ', ''), max_rows + 1 - cardinality(crons))
    loop
      if cardinality(crons) = max_rows then
        next_cursor := carillon._write_cursor(sort, v_last.tier::text, v_last.place, v_last.name, v_last.id::text);
        return;
      end if;
      crons := crons || v_rows.id;
      select v_tier as tier, v_rows.name, v_rows.id,
        case when isfinite(v_rows.key) then carillon._time_text(v_rows.key) else 'none' end as place into v_last;
    end loop;
  end loop;
end;
$$;
comment on function carillon.find_crons(jsonb, text, text, integer, uuid, text[]) is
  'A page of crons of all apps in which the actor holds cron.read: those that fail, are denied, late or have paused themselves first, then by next slot (attention), by name, by next slot, or by the newest slot decided (last). filter: {app, q: a part of name or description, state, enabled, timezone, target: types of it, or none, or any}. matched counts all that the filter means, to 10001 at most.';
revoke all on function carillon.find_crons(jsonb, text, text, integer, uuid, text[]) from public;
--! EndIncluded summaries/find_crons.sql
--! Included summaries/_last_ticks.sql
create or replace function carillon._last_ticks(crons uuid[], slots integer, now timestamptz) returns setof carillon.ticks
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
declare
  v_crons uuid[] := crons;
  v_wanted integer[] := array_fill(slots, array[cardinality(crons)]);
  v_some carillon.ticks[];
  v_from timestamptz;
  v_until timestamptz := 'infinity';
  v_days integer;
begin
  -- The ledger has a partition for each day. Most crons have enough slots in the last ones; only those that have not
  -- are looked for in those before.
  foreach v_days in array array[1, 8, 40, null] loop
    exit when v_crons = '{}';
    v_from := coalesce(date_trunc('day', now - make_interval(days => v_days), 'UTC'), '-infinity');
    v_some := array(
      select row(k.*)::carillon.ticks
      from unnest(v_crons, v_wanted) as w (cron, wanted)
      cross join lateral (
        select t.* from carillon.ticks t
        where t.cron_id = w.cron and t.scheduled_for >= v_from and t.scheduled_for < v_until
        order by t.scheduled_for desc
        limit w.wanted) k);
    return query select s.* from unnest(v_some) s;
    select coalesce(array_agg(l.cron), '{}'), coalesce(array_agg(l.wanted), '{}') into v_crons, v_wanted
    from (
      select w.cron, w.wanted - count(s.cron_id)::integer as wanted
      from unnest(v_crons, v_wanted) as w (cron, wanted)
      left join unnest(v_some) s on s.cron_id = w.cron
      group by w.cron, w.wanted) l
    where l.wanted > 0;
    v_until := v_from;
  end loop;
end;
$$;
comment on function carillon._last_ticks(uuid[], integer, timestamptz) is 'The newest so many decided slots of each of these crons.';
revoke all on function carillon._last_ticks(uuid[], integer, timestamptz) from public;
--! EndIncluded summaries/_last_ticks.sql
--! Included summaries/_jobs_of_ticks.sql
create or replace function carillon._jobs_of_ticks(ticks carillon.ticks[], crons uuid[], most integer, now timestamptz)
returns table (cron_id uuid, job_id bigint, status text, started_at timestamptz, finished_at timestamptz)
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
    with slots as materialized (
      select t.cron_id, t.msg_id, t.decided_at from unnest(ticks) t where t.msg_id is not null and t.cron_id = any (crons)
    ),
    spans as materialized (
      select w.cron, coalesce(min(s.msg_id), 0) as first_job, coalesce(min(s.decided_at), _jobs_of_ticks.now - interval '8 days') as since
      from unnest(crons) as w (cron)
      left join slots s on s.cron_id = w.cron
      group by 1
    ),
    -- What has ended since, whatever it was for, newest first.
    ended as materialized (
      select s.cron, h.job_id, k.status, h.started_at, h.finished_at
      from spans s
      cross join (values ('completed'), ('failed'), ('canceled')) as k (status)
      cross join lateral (
        select j.job_id, j.started_at, j.finished_at from carillon.job_history j
        where j.cron_id = s.cron and j.status = k.status and j.job_id >= s.first_job and j.finished_at >= s.since
        order by j.job_id desc
        limit most) h
    ),
    others as materialized (
      select s.* from slots s where not exists (select from ended e where e.job_id = s.msg_id)
    ),
    live as materialized (
      select l as job_id from carillon._live_among(array(select o.msg_id from others o)) as l
    )
    select e.cron, e.job_id, e.status, e.started_at, e.finished_at from ended e
    union all
    select o.cron_id, o.msg_id, 'live', null, null from others o join live l on l.job_id = o.msg_id
    union all
    -- Rarely: more than that has ended since, or it is not kept any more.
    select o.cron_id, o.msg_id, h.status, h.started_at, h.finished_at
    from others o
    cross join lateral (
      select j.status, j.started_at, j.finished_at from carillon.job_history j
      where j.job_id = o.msg_id and j.finished_at >= o.decided_at
      limit 1) h
    where not exists (select from live l where l.job_id = o.msg_id);
end;
$$;
comment on function carillon._jobs_of_ticks(carillon.ticks[], uuid[], integer, timestamptz) is
  'The jobs of decided slots of these crons, and others of them that have ended since the first: their status, or live. Those whose record is gone are missing.';
revoke all on function carillon._jobs_of_ticks(carillon.ticks[], uuid[], integer, timestamptz) from public;
--! EndIncluded summaries/_jobs_of_ticks.sql
--! Included summaries/_slot_letter.sql
create or replace function carillon._slot_letter(outcome text, status text) returns text
language sql immutable parallel safe security invoker
return case
  when outcome = 'skipped' then 's'
  when outcome = 'missed' then 'm'
  when outcome = 'denied' then 'd'
  when outcome = 'failed' then 't'
  when status = 'failed' then 'f'
  when status = 'canceled' then 'x'
  when status = 'live' then 'r'
  when status is null then 'e'
  when outcome = 'caught_up' then 'l'
  when outcome = 'replaced' then 'p'
  else 'c'
end;
comment on function carillon._slot_letter(text, text) is
  'What a strip shows of a slot: c its job completed, f failed, x was canceled, r is in flight, e is not known; l completed after the slot was caught up late, p after it took another''s place; s skipped, m missed, d denied, t could not be decided.';
revoke all on function carillon._slot_letter(text, text) from public;
--! EndIncluded summaries/_slot_letter.sql
--! Included summaries/summarize_crons.sql
create or replace function carillon.summarize_crons(
  crons uuid[],
  slots integer default 30,
  actor uuid default null,
  actor_scopes text[] default null
)
returns table (
  cron carillon.cron_details, state text, state_text text, strip text, strip_from timestamptz, strip_to timestamptz,
  last jsonb, typical jsonb, verbs text[]
)
language plpgsql stable security definer
set search_path = ''
set jit = off
as $$
declare
  v_now constant timestamptz := carillon.now();
  v_held constant text[] := carillon._held_by(actor, actor_scopes);
  v_shown uuid[];
  v_apps text[];
  v_running uuid[];
  v_ticks carillon.ticks[];
begin
  if slots is null or slots not between 1 and 120 then
    perform carillon._invalid('slots', 'must be from 1 to 120');
  end if;
  select coalesce(array_agg(c.id), '{}'), coalesce(array_agg(distinct c.app_id), '{}') into v_shown, v_apps
  from carillon.crons c
  where c.id = any (crons) and c.app_id = any (carillon._apps_where(v_held, 'cron.read'));
  v_running := carillon._running_crons(v_apps, v_now);
  v_ticks := array(select t from carillon._last_ticks(v_shown, slots, v_now) t);
  return query
    with jobs as materialized (
      select j.*
      from carillon._jobs_of_ticks(v_ticks, array(
        select c.id from carillon.crons c
        where c.id = any (v_shown) and carillon._has_permission(v_held, 'app:' || c.app_id || ':job.read')), 2 * slots, v_now) j
    ),
    strips as materialized (
      select t.cron_id, string_agg(carillon._slot_letter(t.outcome, j.status), '' order by t.scheduled_for) as strip,
        min(t.scheduled_for) as strip_from, max(t.scheduled_for) as strip_to,
        percentile_cont(array[0.5, 0.95]) within group (order by extract(epoch from j.finished_at - j.started_at)::double precision)
          filter (where j.status in ('completed', 'failed')) as durations
      from unnest(v_ticks) t
      left join jobs j on j.job_id = t.msg_id
      group by 1
    ),
    newest as materialized (
      select distinct on (j.cron_id) j.cron_id, jsonb_build_object('jobId', j.job_id, 'status', j.status,
        'finishedAt', carillon._time_text(j.finished_at), 'duration', extract(epoch from j.finished_at - j.started_at)::double precision) as last
      from jobs j
      where j.finished_at is not null
      order by j.cron_id, j.finished_at desc, j.job_id desc
    )
    select d, s.state, carillon._state_text(s.state, d, p.username), coalesce(t.strip, ''), t.strip_from, t.strip_to, n.last,
      case when t.durations[1] is not null then jsonb_build_object('p50', t.durations[1], 'p95', t.durations[2]) end, m.verbs
    from unnest(crons) with ordinality as w (id, place)
    join carillon.crons c on c.id = w.id and c.id = any (v_shown)
    join carillon.cron_details d on d.id = w.id
    left join carillon.principals p on p.id = c.paused_by
    left join strips t on t.cron_id = w.id
    left join newest n on n.cron_id = w.id
    cross join lateral (
      select carillon._state_of(c, d.consecutive_failures, d.denied is not null, c.id = any (v_running), carillon._system_principal(),
        v_now - interval '90 seconds') as state) s
    -- One answer for each owner and app, as in cron_details.
    cross join lateral (select carillon.cron_verbs(c.owner_id, c.app_id, actor, actor_scopes) as verbs offset 0) m
    order by w.place;
end;
$$;
comment on function carillon.summarize_crons(uuid[], integer, uuid, text[]) is
  'What a list shows of each of these crons, in their order: how it is, in a word and a sentence; its newest decided slots as letters, oldest first (_slot_letter); its last job that ended; p50 and p95 of the seconds that the strip''s jobs ran; what the actor may do with it. Only for crons that the actor may read; what became of jobs, only with job.read.';
revoke all on function carillon.summarize_crons(uuid[], integer, uuid, text[]) from public;
--! EndIncluded summaries/summarize_crons.sql
--! Included summaries/_plans_ahead.sql
create or replace function carillon._plans_ahead(apps text[], from_at timestamptz, to_at timestamptz)
returns table (
  plan bigint, crons integer, shown jsonb, schedule text, timezone text, anchor_at timestamptz, starts_at timestamptz, ends_at timestamptz,
  dst_gap text, dst_fold text, first_slot timestamptz, seconds bigint
)
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return query
    with due as materialized (
      select dense_rank() over (order by c.schedule, c.timezone, c.anchor_at, c.starts_at, c.ends_at, c.dst_gap, c.dst_fold,
          greatest(c.next_fire_at, from_at)) as plan,
        c.*
      from carillon.crons c
      where c.next_fire_at < to_at and c.app_id = any (apps)
    ),
    members as materialized (
      select d.plan, count(*)::integer as crons, min(d.id::text)::uuid as one,
        jsonb_path_query_array(jsonb_agg(jsonb_build_object('id', d.id, 'appId', d.app_id, 'name', d.name) order by d.app_id, d.name), '$[0 to 7]') as shown
      from due d
      group by 1
    )
    select m.plan, m.crons, m.shown, d.schedule, d.timezone, d.anchor_at, d.starts_at, d.ends_at, d.dst_gap, d.dst_fold,
      case when d.next_fire_at >= from_at then d.next_fire_at else carillon._cron_next(c, from_at - interval '1 microsecond') end,
      case s.form when 'seconds' then s.seconds end
    from members m
    join due d on d.plan = m.plan and d.id = m.one
    join carillon.crons c on c.id = m.one
    cross join lateral carillon._parse_schedule(d.schedule) s;
end;
$$;
comment on function carillon._plans_ahead(text[], timestamptz, timestamptz) is
  'The crons of these apps that have a slot from one time to another, those of equal slots as one plan: how many they are, eight of them, and the first of the slots; seconds only for schedules of seconds.';
revoke all on function carillon._plans_ahead(text[], timestamptz, timestamptz) from public;
--! EndIncluded summaries/_plans_ahead.sql
--! Included summaries/list_upcoming.sql
create or replace function carillon.list_upcoming(
  from_at timestamptz default null,
  to_at timestamptz default null,
  bucket text default null,
  timezone text default 'GMT',
  app text default null,
  actor uuid default null,
  actor_scopes text[] default null
) returns jsonb
language plpgsql stable security definer
set search_path = ''
set jit = off
as $$
declare
  -- Slots found out one after another, for all plans together.
  c_most constant integer := 10000;
  v_now constant timestamptz := carillon.now();
  v_from constant timestamptz := greatest(coalesce(from_at, v_now), v_now);
  v_to constant timestamptz := coalesce(to_at, v_from + interval '1 hour');
  v_zone constant text := carillon._zone_name(timezone);
  v_bucket text;
  v_edges timestamptz[];
  v_apps text[];
  v_until timestamptz;
  v_buckets jsonb;
  v_next jsonb;
  v_slots bigint;
begin
  if not (v_to > v_from and v_to <= v_from + interval '7 days') then
    perform carillon._invalid('to', 'must be after from (and now), by 7 days at most');
  end if;
  v_bucket := coalesce(bucket, case when v_to - v_from <= interval '2 hours' then '1m' when v_to - v_from <= interval '12 hours' then '5m'
    when v_to - v_from <= interval '2 days' then '15m' else '1h' end);
  if v_bucket not in ('1m', '5m', '15m', '1h', '6h', '1d') then
    perform carillon._invalid('bucket', 'must be 1m, 5m, 15m, 1h, 6h or 1d');
  end if;
  v_edges := carillon._stats_edges(v_from, v_to, v_bucket, v_zone);
  if cardinality(v_edges) > 1001 then
    perform carillon._invalid('bucket', format('must be longer: from to to has more than 1000 of %s', v_bucket));
  end if;
  v_apps := carillon._apps_where(carillon._held_by(actor, actor_scopes), 'cron.read', app);

  with recursive plans as materialized (
    select * from carillon._plans_ahead(v_apps, v_from, v_to) p where p.first_slot < v_to
  ),
  -- One slot of each plan after the other: were there too many, all would be known up to the same place.
  chain as (
    select p.plan, p.first_slot as slot from plans p where p.seconds is null
    union all
    select c.plan, carillon.next_fire(p.schedule, p.timezone, c.slot, p.anchor_at, p.starts_at, p.ends_at, p.dst_gap, p.dst_fold)
    from chain c
    join plans p on p.plan = c.plan
    where c.slot < v_to
  ),
  walked as materialized (
    select * from chain limit c_most
  ),
  -- Of a plan that was walked to its end, the last slot is none, or beyond.
  broken as (
    select max(w.slot) as last_slot from walked w group by w.plan having max(w.slot) < v_to and bool_and(w.slot is not null)
    union all
    select min(p.first_slot) - interval '1 microsecond' from plans p where p.seconds is null and not exists (select from walked w where w.plan = p.plan)
  ),
  known as materialized (
    select coalesce(min(b.last_slot), v_to) as until from broken b where (select count(*) from walked) = c_most
  ),
  counted as materialized (
    select width_bucket(w.slot, v_edges) as at, w.plan, count(*) as slots
    from walked w
    cross join known k
    where w.slot < v_to and w.slot <= k.until
    group by 1, 2
    union all
    -- Multiples of so many seconds need no walk.
    select e.at, p.plan, s.slots
    from plans p
    cross join known k
    cross join lateral (
      select n as at, greatest(v_edges[n], p.first_slot) as low,
        least(v_edges[n + 1], v_to, k.until + interval '1 microsecond', p.ends_at + interval '1 microsecond') as high
      from generate_series(1, cardinality(v_edges) - 1) as n) e
    cross join lateral (
      select (ceil(extract(epoch from e.high) / p.seconds) - ceil(extract(epoch from e.low) / p.seconds))::bigint as slots) s
    where p.seconds is not null and e.low < e.high and s.slots > 0
  ),
  ranked as (
    select c.*, p.crons, p.shown, row_number() over (partition by c.at order by c.slots desc, c.plan) as place
    from counted c
    join plans p on p.plan = c.plan
  ),
  shown as (
    select r.at, sum(r.slots * r.crons)::bigint as count,
      (select jsonb_agg(m.cron || jsonb_build_object('count', m.slots) order by m.slots desc, m.cron ->> 'appId', m.cron ->> 'name')
       from (
         select x.slots, e.cron
         from ranked x
         cross join lateral jsonb_array_elements(x.shown) as e (cron)
         where x.at = r.at and x.place <= 8
         order by x.slots desc, e.cron ->> 'appId', e.cron ->> 'name'
         limit 8) m) as crons
    from ranked r
    group by r.at
  )
  select (select jsonb_agg(jsonb_build_object('at', carillon._time_text(v_edges[s.at]), 'count', s.count, 'crons', s.crons) order by s.at) from shown s),
    (select sum(s.count) from shown s), (select k.until from known k),
    (select jsonb_agg(n.item order by n.slot, n.item ->> 'appId', n.item ->> 'name')
     from (
       select p.first_slot as slot, e.cron || jsonb_build_object('at', carillon._time_text(p.first_slot)) as item
       from plans p
       cross join lateral jsonb_array_elements(p.shown) as e (cron)
       order by 1, e.cron ->> 'appId', e.cron ->> 'name'
       limit 50) n)
  into v_buckets, v_slots, v_until, v_next;
  return jsonb_build_object('from', carillon._time_text(v_from), 'to', carillon._time_text(v_to), 'bucket', v_bucket, 'timezone', v_zone,
    'count', coalesce(v_slots, 0), 'capped', v_until < v_to, 'until', carillon._time_text(v_until), 'buckets', coalesce(v_buckets, '[]'),
    'next', coalesce(v_next, '[]'));
end;
$$;
comment on function carillon.list_upcoming(timestamptz, timestamptz, text, text, text, uuid, text[]) is
  'The slots to come, by the schedules as they are, of the crons that the actor may read, of one app or all: how many fall into each bucket (1m, 5m, 15m, 1h, 6h, 1d in a time zone) and of which crons (eight at most), and which crons are next. Default the next hour, at most 7 days. Where that is more than can be found out at once, it is capped: complete up to until.';
revoke all on function carillon.list_upcoming(timestamptz, timestamptz, text, text, text, uuid, text[]) from public;
--! EndIncluded summaries/list_upcoming.sql
--! Included summaries/get_calendar.sql
create or replace function carillon.get_calendar(cron uuid, from_at timestamptz default null, to_at timestamptz default null) returns jsonb
language plpgsql stable security definer
set search_path = ''
set enable_seqscan = off
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
declare
  c_counted constant interval := '32 days';
  v_now constant timestamptz := carillon.now();
  v_cron carillon.cron_details := carillon.get_cron(get_calendar.cron);
  v_to constant timestamptz := coalesce(to_at, v_now);
  v_from constant timestamptz := coalesce(from_at, v_to - interval '365 days');
  v_until constant timestamptz := carillon._stats_until();
  v_edges timestamptz[];
  v_first timestamptz;
  v_last timestamptz;
  v_step integer;
  v_days jsonb;
begin
  if not (v_from between '1990-01-01' and '2200-01-01') then
    perform carillon._invalid('from', 'must be between the years 1990 and 2200');
  end if;
  if not (v_to > v_from and v_to <= v_from + interval '400 days') then
    perform carillon._invalid('to', 'must be after from, by 400 days at most');
  end if;
  v_edges := carillon._stats_edges(v_from, v_to, '1d', v_cron.timezone);
  v_first := v_edges[1];
  v_last := v_edges[cardinality(v_edges)];
  -- Days that begin within an hour can be told apart by quarters only while these are kept.
  v_step := case
    when not exists (select from unnest(v_edges) as e where extract(epoch from e)::bigint % 86400 <> 0) then 86400
    when v_first >= v_now - carillon._stats_kept(900) and exists (select from unnest(v_edges) as e where extract(epoch from e)::bigint % 3600 <> 0)
      then 900
    else 3600 end;

  with all_slots as materialized (
    -- Day by day along the key, so that nothing but the key is read. A year of minutes would take too long.
    select d as day, n.slots
    from generate_series(1, cardinality(v_edges) - 1) as d
    cross join lateral (
      select count(*) as slots from carillon.ticks t
      where t.cron_id = get_calendar.cron and t.scheduled_for >= v_edges[d] and t.scheduled_for < v_edges[d + 1]) n
    where v_edges[d] <= v_now and v_edges[d] >= v_last - c_counted and n.slots > 0
  ),
  others as materialized (
    select width_bucket(t.scheduled_for, v_edges) as day, t.outcome, count(*) as slots
    from carillon.ticks t
    where t.cron_id = get_calendar.cron and t.outcome <> 'enqueued' and t.scheduled_for >= v_first and t.scheduled_for < v_last
    group by 1, 2
  ),
  slots as (
    select coalesce(a.day, o.day) as day, jsonb_build_object(
      'enqueued', a.slots - coalesce(sum(o.slots), 0), 'skipped', coalesce(sum(o.slots) filter (where o.outcome = 'skipped'), 0),
      'replaced', coalesce(sum(o.slots) filter (where o.outcome = 'replaced'), 0),
      'caughtUp', coalesce(sum(o.slots) filter (where o.outcome = 'caught_up'), 0),
      'missed', coalesce(sum(o.slots) filter (where o.outcome = 'missed'), 0),
      'denied', coalesce(sum(o.slots) filter (where o.outcome = 'denied'), 0),
      'failed', coalesce(sum(o.slots) filter (where o.outcome = 'failed'), 0)) as counts
    from all_slots a
    full join others o on o.day = a.day
    group by 1, a.slots
  ),
  ended as materialized (
    select width_bucket(s.from_at, v_edges) as day, s.status, s.jobs
    from carillon.job_stats s
    where s.app_id = v_cron.app_id and s.scope = get_calendar.cron and s.step = v_step and s.from_at >= v_first and s.from_at < v_last
    union all
    -- What has ended since the last roll-up.
    select width_bucket(h.finished_at, v_edges), h.status, 1
    from carillon.job_history h
    where h.app_id = v_cron.app_id and h.cron_id = get_calendar.cron
      and h.finished_at >= greatest(v_first, v_until) and h.finished_at < v_last
  ),
  jobs as (
    select e.day, jsonb_build_object(
      'completed', coalesce(sum(e.jobs) filter (where e.status = 'completed'), 0),
      'failed', coalesce(sum(e.jobs) filter (where e.status = 'failed'), 0),
      'canceled', coalesce(sum(e.jobs) filter (where e.status = 'canceled'), 0)) as counts
    from ended e
    group by 1
  )
  select jsonb_agg(jsonb_build_object(
      'date', to_char(v_edges[d] at time zone v_cron.timezone, 'YYYY-MM-DD'), 'from', carillon._time_text(v_edges[d]),
      'to', carillon._time_text(v_edges[d + 1]), 'slots', s.counts, 'jobs', j.counts) order by d)
  into v_days
  from generate_series(1, cardinality(v_edges) - 1) as d
  left join slots s on s.day = d
  left join jobs j on j.day = d
  where s.day is not null or j.day is not null;
  return jsonb_build_object('timezone', v_cron.timezone, 'from', carillon._time_text(v_first), 'to', carillon._time_text(v_last),
    'days', coalesce(v_days, '[]'));
end;
$$;
comment on function carillon.get_calendar(uuid, timestamptz, timestamptz) is
  'The days of a cron, in its time zone, on which anything was: how many of its slots were decided how (how many were plainly enqueued: of the last 32 days only), and how many of its jobs (those started by hand, too) ended how. Default the last 365 days, at most 400.';
revoke all on function carillon.get_calendar(uuid, timestamptz, timestamptz) from public;
--! EndIncluded summaries/get_calendar.sql
--! Included summaries/_error_text.sql
create or replace function carillon._error_text(error jsonb) returns text
language sql immutable parallel safe security invoker
return left(split_part(btrim(coalesce(error ->> 'message', error ->> 'name', error #>> '{}'), E' \n\r\t'), E'\n', 1), 200);
comment on function carillon._error_text(jsonb) is 'The first line of what an error says.';
revoke all on function carillon._error_text(jsonb) from public;
--! EndIncluded summaries/_error_text.sql
--! Included summaries/_error_gist.sql
create or replace function carillon._error_gist(message text) returns text
language sql immutable parallel safe security invoker
return regexp_replace(lower(message), '[0-9a-f]{8}-[0-9a-f-]{27}|0x[0-9a-f]+|[0-9]+', '#', 'g');
comment on function carillon._error_gist(text) is 'What two errors have in common that differ only in ids and numbers.';
revoke all on function carillon._error_gist(text) from public;
--! EndIncluded summaries/_error_gist.sql
--! Included summaries/_cron_names.sql
create or replace function carillon._cron_names(crons uuid[]) returns jsonb
language sql stable security invoker
set search_path = ''
as $$
  select coalesce(jsonb_agg(jsonb_build_object('id', n.id, 'appId', n.app_id, 'name', n.name) order by n.app_id, n.name), '[]')
  from (select c.id, c.app_id, c.name from carillon.crons c where c.id = any (crons) order by c.app_id, c.name limit 8) n
$$;
comment on function carillon._cron_names(uuid[]) is 'Eight of these crons at most, by app and name: [{id, appId, name}].';
revoke all on function carillon._cron_names(uuid[]) from public;
--! EndIncluded summaries/_cron_names.sql
--! Included summaries/_failing_items.sql
create or replace function carillon._failing_items(apps text[], job_apps text[], now timestamptz) returns setof carillon.attention_item
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
begin
  return query
    with failing as materialized (
      select c.id, c.app_id, c.name, f.consecutive as failures, false as paused, null::timestamptz as paused_at, null::text as note
      from carillon.cron_failures f
      join carillon.crons c on c.id = f.cron_id
      where f.consecutive >= 2 and c.enabled and c.completed_at is null and c.app_id = any (apps)
      union all
      select c.id, c.app_id, c.name, coalesce(f.consecutive, 0), true, c.paused_at, c.pause_note
      from carillon.crons c
      left join carillon.cron_failures f on f.cron_id = c.id
      where c.paused_by = carillon._system_principal() and not c.enabled and c.app_id = any (apps)
    ),
    -- Why is looked up for the first 200 only.
    explained as materialized (
      select f.*, e.error, g.since
      from (select x.*, row_number() over (order by x.paused, x.failures desc, x.id) as place from failing x) f
      left join lateral (
        select carillon._error_text(h.error) as error
        from carillon.job_history h
        where f.place <= 200 and h.cron_id = f.id and h.status = 'failed' and h.app_id = any (job_apps)
          and h.finished_at >= _failing_items.now - interval '32 days'
        order by h.job_id desc
        limit 1) e on true
      left join lateral (
        select h.finished_at as since
        from carillon.job_history h
        where e.error is not null and h.cron_id = f.id and h.status = 'failed' and h.finished_at >= _failing_items.now - interval '32 days'
        order by h.job_id desc
        offset least(greatest(f.failures, 1), 100) - 1
        limit 1) g on true
    ),
    causes as (
      select x.paused, coalesce(carillon._error_gist(x.error), x.app_id) as cause, count(*)::integer as crons, sum(x.failures)::bigint as failures,
        array_agg(x.id order by x.failures desc, x.app_id, x.name) as ids, min(x.app_id) as app_id, count(distinct x.app_id) as app_count,
        min(x.name) as name, min(x.note) as note, min(x.error) as error, min(coalesce(x.paused_at, x.since)) as since
      from explained x
      group by 1, 2, x.error is null
    )
    select 3, case when c.paused then 'self_paused' else 'failing' end, case when c.app_count = 1 then c.app_id end,
      carillon._cron_names(c.ids), c.crons, c.failures, c.since, c.error,
      case when c.paused then
        case when c.crons = 1 then format('%s / %s paused itself', c.app_id, c.name) || coalesce(': ' || c.note, '') || coalesce(': ' || c.error, '')
          else format('%s crons%s paused themselves', c.crons, case when c.app_count = 1 then ' of ' || c.app_id else '' end)
            || coalesce(' after one error: ' || c.error, '') end
      else
        case when c.crons = 1 then format('%s / %s failed %s times in a row', c.app_id, c.name, c.failures) || coalesce(': ' || c.error, '')
          else format('%s crons%s fail', c.crons, case when c.app_count = 1 then ' of ' || c.app_id else '' end)
            || coalesce(' with one error: ' || c.error, '') end
      end
    from causes c;
end;
$$;
comment on function carillon._failing_items(text[], text[], timestamptz) is
  'Crons of these apps whose last two jobs or more have failed, and those that have paused themselves, by what the errors have in common; errors only of the apps job_apps.';
revoke all on function carillon._failing_items(text[], text[], timestamptz) from public;
--! EndIncluded summaries/_failing_items.sql
--! Included summaries/_denied_items.sql
create or replace function carillon._denied_items(apps text[]) returns setof carillon.attention_item
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return query
    select 3, 'denied', d.app_id, carillon._cron_names(array_agg(c.id)), count(*)::integer, count(*), null::timestamptz, d.reason,
      case when count(*) = 1 then format('%s / %s is denied: %s', d.app_id, min(c.name), d.reason)
        else format('%s crons of %s are denied: %s', count(*), d.app_id, d.reason) end
    from (
      select o.owner_id, o.app_id, o.reason from carillon._denied_owners(apps) o
      union all
      select null, a, carillon._may_fire(null, a) from unnest(apps) as a
    ) d
    join carillon.crons c on c.app_id = d.app_id and c.owner_id is not distinct from d.owner_id
    where c.enabled and c.completed_at is null
    group by d.owner_id, d.app_id, d.reason;
end;
$$;
comment on function carillon._denied_items(text[]) is 'Crons of these apps whose owner may not fire them, owner by owner.';
revoke all on function carillon._denied_items(text[]) from public;
--! EndIncluded summaries/_denied_items.sql
--! Included summaries/_lost_slot_items.sql
create or replace function carillon._lost_slot_items(apps text[], now timestamptz) returns setof carillon.attention_item
language plpgsql stable security invoker
set search_path = ''
set enable_seqscan = off
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
declare
  v_since constant timestamptz := now - interval '24 hours';
begin
  return query
    with others as materialized (
      select t.cron_id, t.outcome, count(*) as slots, min(t.scheduled_for) as since
      from carillon.ticks t
      where t.outcome <> 'enqueued' and t.scheduled_for > v_since and t.scheduled_for <= _lost_slot_items.now
      group by 1, 2
    ),
    of_apps as materialized (
      select o.*, c.app_id, c.name from others o join carillon.crons c on c.id = o.cron_id
      where o.outcome in ('missed', 'failed', 'skipped') and c.app_id = any (apps)
    ),
    -- Some skipped slots are what the policy is for. Many are a sign that the cron takes longer than its interval.
    skipped as materialized (
      select s.*, (select count(*) from carillon.ticks t where t.cron_id = s.cron_id and t.scheduled_for > v_since and t.scheduled_for <= _lost_slot_items.now) as all_slots
      from (select o.* from of_apps o where o.outcome = 'skipped' and o.slots >= 10 order by o.slots desc limit 50) s
    )
    select case o.outcome when 'failed' then 3 else 2 end, case o.outcome when 'failed' then 'undecided' else 'missed' end, o.app_id,
      carillon._cron_names(array_agg(o.cron_id)), count(*)::integer, sum(o.slots)::bigint, min(o.since), null,
      format('%s of %s %s in the last 24 hours',
        case sum(o.slots) when 1 then 'One slot' else sum(o.slots) || ' slots' end,
        case when count(*) = 1 then o.app_id || ' / ' || min(o.name) else count(*) || ' crons of ' || o.app_id end,
        case when o.outcome = 'failed' then 'could not be decided' when sum(o.slots) = 1 then 'was missed' else 'were missed' end)
    from of_apps o
    where o.outcome in ('missed', 'failed')
    group by o.app_id, o.outcome
    union all
    select 2, 'skipping', s.app_id, carillon._cron_names(array[s.cron_id]), 1, s.slots, s.since, null,
      format('%s / %s skipped %s of %s slots in the last 24 hours', s.app_id, s.name, s.slots, s.all_slots)
    from skipped s
    where s.slots * 10 >= s.all_slots;
end;
$$;
comment on function carillon._lost_slot_items(text[], timestamptz) is
  'Slots of these apps of the last 24 hours that were missed or could not be decided, and crons that skipped a tenth of theirs (ten at least).';
revoke all on function carillon._lost_slot_items(text[], timestamptz) from public;
--! EndIncluded summaries/_lost_slot_items.sql
--! Included summaries/_late_items.sql
create or replace function carillon._late_items(apps text[], now timestamptz) returns setof carillon.attention_item
language plpgsql stable security invoker
set search_path = ''
set jit = off
as $$
declare
  v_recent constant timestamptz := date_trunc('hour', now - interval '1 hour', 'UTC');
begin
  return query
    with recent as materialized (
      select s.app_id, e >> 40 as bucket, sum(e & 1099511627775) as n
      from carillon.job_stats s
      cross join lateral unnest(s.lags) as e
      where s.app_id = any (apps) and s.scope = '00000000-0000-0000-0000-000000000000' and s.step = 3600 and s.from_at >= v_recent
      group by 1, 2
    ),
    late as materialized (
      select r.app_id, carillon._bucket_value(min(r.bucket) filter (where r.upto >= 0.99 * r.jobs)) as p99, max(r.jobs)::bigint as jobs
      from (
        select x.*, sum(x.n) over (partition by x.app_id order by x.bucket) as upto, sum(x.n) over (partition by x.app_id) as jobs from recent x) r
      group by 1
    ),
    usual as (
      select r.app_id, carillon._bucket_value(min(r.bucket) filter (where r.upto >= 0.99 * r.jobs)) as p99
      from (
        select x.*, sum(x.n) over (partition by x.app_id order by x.bucket) as upto, sum(x.n) over (partition by x.app_id) as jobs
        from (
          select s.app_id, e >> 40 as bucket, sum(e & 1099511627775) as n
          from carillon.job_stats s
          cross join lateral unnest(s.lags) as e
          where s.app_id in (select l.app_id from late l where l.p99 > 5)
            and s.scope = '00000000-0000-0000-0000-000000000000' and s.step = 3600
            and s.from_at >= v_recent - interval '7 days' and s.from_at < v_recent
          group by 1, 2) x) r
      group by 1
    )
    select 2, 'late', l.app_id, '[]'::jsonb, 0, l.jobs, v_recent, null::text,
      format('The slots of %s are decided late: p99 is %s s, usually %s s', l.app_id, round(l.p99::numeric, 1), round(u.p99::numeric, 1))
    from late l
    join usual u on u.app_id = l.app_id
    where l.p99 > 5 and l.p99 > 5 * u.p99;
end;
$$;
comment on function carillon._late_items(text[], timestamptz) is
  'Apps of these whose slots have been decided late in the last hour or two: by more than 5 s at the 99th percentile, and 5 times as much as in the 7 days before.';
revoke all on function carillon._late_items(text[], timestamptz) from public;
--! EndIncluded summaries/_late_items.sql
--! Included summaries/_forgotten_items.sql
create or replace function carillon._forgotten_items(apps text[], now timestamptz) returns setof carillon.attention_item
language plpgsql stable security invoker
set search_path = ''
as $$
begin
  return query
    select 1, 'forgotten', c.app_id, carillon._cron_names((array_agg(c.id order by c.app_id, c.name))[:8]), count(*)::integer, count(*), min(c.paused_at), null::text,
      case when count(*) = 1 then format('%s / %s has been paused for more than 7 days', c.app_id, min(c.name))
        else format('%s crons of %s have been paused for more than 7 days', count(*), c.app_id) end
    from carillon.crons c
    where c.paused_at < _forgotten_items.now - interval '7 days' and c.app_id = any (apps)
      and c.paused_by is distinct from carillon._system_principal()
    group by c.app_id;
end;
$$;
comment on function carillon._forgotten_items(text[], timestamptz) is 'Crons of these apps that somebody paused more than 7 days ago.';
revoke all on function carillon._forgotten_items(text[], timestamptz) from public;
--! EndIncluded summaries/_forgotten_items.sql
--! Included summaries/_system_items.sql
create or replace function carillon._system_items(now timestamptz) returns setof carillon.attention_item
language plpgsql stable security invoker
set search_path = ''
as $$
declare
  v_clone constant jsonb := carillon.clone_status();
begin
  return query
    select 3, 'clone', null::text, '[]'::jsonb, 0, 1::bigint, null::timestamptz, null::text,
      case when (v_clone ->> 'held')::boolean then 'Nothing fires: this database is a copy, and held'
        else 'This database is a copy of the one its schedules were made for, and fires them all the same' end
    where (v_clone ->> 'clone')::boolean
    union all
    select 2, 'pg_cron_stuck', null, '[]', 0, 1, (select (s.value #>> '{}')::timestamptz from carillon.settings s where s.key = 'pg_cron_seen_at'),
      null, 'pg_cron should drive the schedules and has stopped: the ticker decides them'
    where carillon._pg_cron_stuck(_system_items.now);
end;
$$;
comment on function carillon._system_items(timestamptz) is 'What is wrong with the installation as such: it is a copy, or pg_cron has stopped.';
revoke all on function carillon._system_items(timestamptz) from public;
--! EndIncluded summaries/_system_items.sql
--! Included summaries/list_attention.sql
create or replace function carillon.list_attention(app text default null, actor uuid default null, actor_scopes text[] default null) returns jsonb
language plpgsql stable security definer
set search_path = ''
set jit = off
as $$
declare
  v_now constant timestamptz := carillon.now();
  v_since constant timestamptz := date_trunc('hour', v_now, 'UTC') - interval '23 hours';
  v_held constant text[] := carillon._held_by(actor, actor_scopes);
  v_apps constant text[] := carillon._apps_where(v_held, 'cron.read', app);
  v_job_apps constant text[] := carillon._apps_where(v_held, 'job.read', app);
  v_items jsonb;
  v_count integer;
begin
  with items as materialized (
    select * from carillon._failing_items(v_apps, v_job_apps, v_now)
    union all select * from carillon._denied_items(v_apps)
    union all select * from carillon._lost_slot_items(v_apps, v_now)
    union all select * from carillon._late_items(v_apps, v_now)
    union all select * from carillon._forgotten_items(v_apps, v_now)
    union all select * from carillon._letter_items(v_job_apps)
    union all select * from carillon._stalled_items(v_job_apps, v_now)
    union all select * from carillon._system_items(v_now) where app is null and carillon._has_permission(v_held, 'system:read')
  ),
  ranked as (
    select i.*, row_number() over (order by i.severity desc, array_position(
      array['clone', 'no_worker', 'failing', 'self_paused', 'denied', 'undecided', 'pg_cron_stuck', 'missed', 'skipping', 'late', 'dead_letters', 'forgotten'],
      i.kind), i.count desc, i.app_id, i.text) as place
    from items i
  )
  select jsonb_agg(jsonb_build_object(
      'kind', r.kind, 'severity', case r.severity when 3 then 'critical' when 2 then 'warning' else 'info' end, 'text', r.text,
      'appId', r.app_id, 'cronId', case when r.cron_count = 1 then r.crons #> '{0,id}' end, 'crons', r.crons, 'cronCount', r.cron_count,
      'since', carillon._time_text(r.since), 'count', r.count, 'error', r.error) order by r.place) filter (where r.place <= 100),
    count(*)
  into v_items, v_count
  from ranked r;
  return (
    select jsonb_build_object('items', coalesce(v_items, '[]'), 'count', v_count, 'decided', jsonb_build_object(
      'since', carillon._time_text(v_since), 'slots', coalesce(sum(d.slots), 0),
      'onTime', coalesce(sum(d.slots) filter (where d.outcome in ('enqueued', 'replaced')), 0),
      'late', coalesce(sum(d.slots) filter (where d.outcome = 'caught_up'), 0),
      'skipped', coalesce(sum(d.slots) filter (where d.outcome = 'skipped'), 0),
      'missed', coalesce(sum(d.slots) filter (where d.outcome = 'missed'), 0),
      'denied', coalesce(sum(d.slots) filter (where d.outcome = 'denied'), 0),
      'undecided', coalesce(sum(d.slots) filter (where d.outcome = 'failed'), 0)))
    from carillon._decided_slots(v_apps, v_since) d);
end;
$$;
comment on function carillon.list_attention(text, uuid, text[]) is
  'What needs somebody, most serious first, one item for each cause, 100 at most: crons that fail, are denied, skip much or paused themselves; missed, late and undecided slots; dead letters; jobs that no worker takes; crons paused long ago; what is wrong with the installation. And how the slots of the last 24 hours were decided. Of the apps that the actor may read.';
revoke all on function carillon.list_attention(text, uuid, text[]) from public;
--! EndIncluded summaries/list_attention.sql
--! Included summaries/get_overview.sql
create or replace function carillon.get_overview(app text default null, actor uuid default null, actor_scopes text[] default null) returns jsonb
language plpgsql stable security definer
set search_path = ''
set jit = off
-- There is a partition a day: to plan for all of them takes longer than to run.
set plan_cache_mode = force_generic_plan
as $$
declare
  v_now constant timestamptz := carillon.now();
  v_from constant timestamptz := date_trunc('hour', v_now, 'UTC') - interval '23 hours';
  v_until constant timestamptz := greatest(carillon._stats_until(), v_from);
  v_held constant text[] := carillon._held_by(actor, actor_scopes);
  v_apps constant text[] := carillon._apps_where(v_held, 'cron.read', app);
  v_job_apps constant text[] := carillon._apps_where(v_held, 'job.read', app);
  v_hours jsonb;
begin
  with ended as materialized (
    select s.from_at as hour, s.status, s.jobs, s.lags
    from carillon.job_stats s
    where s.app_id = any (v_job_apps) and s.scope = '00000000-0000-0000-0000-000000000000' and s.step = 3600 and s.from_at >= v_from
    union all
    -- What has ended since the last roll-up.
    select date_trunc('hour', h.finished_at, 'UTC'), h.status, count(*), null
    from carillon.job_history h
    where h.finished_at >= v_until and h.app_id = any (v_job_apps)
    group by 1, 2
  ),
  jobs as (
    select e.hour, sum(e.jobs) filter (where e.status = 'completed') as completed, sum(e.jobs) filter (where e.status = 'failed') as failed,
      sum(e.jobs) filter (where e.status = 'canceled') as canceled
    from ended e
    group by 1
  ),
  lags as (
    select x.hour, jsonb_build_object('p50', carillon._bucket_value(min(x.bucket) filter (where x.upto >= 0.50 * x.jobs)),
      'p99', carillon._bucket_value(min(x.bucket) filter (where x.upto >= 0.99 * x.jobs))) as lag
    from (
      select l.*, sum(l.n) over (partition by l.hour order by l.bucket) as upto, sum(l.n) over (partition by l.hour) as jobs
      from (
        select e.hour, b >> 40 as bucket, sum(b & 1099511627775) as n from ended e cross join lateral unnest(e.lags) as b group by 1, 2) l) x
    group by 1
  ),
  slots as (
    select d.hour, jsonb_object_agg(case d.outcome when 'caught_up' then 'caughtUp' when 'failed' then 'undecided' else d.outcome end, d.slots) as counts
    from carillon._decided_slots(v_apps, v_from) d
    group by 1
  )
  select jsonb_agg(jsonb_build_object('at', carillon._time_text(h),
    'jobs', jsonb_build_object('completed', coalesce(j.completed, 0), 'failed', coalesce(j.failed, 0), 'canceled', coalesce(j.canceled, 0)),
    'slots', '{"enqueued": 0, "skipped": 0, "replaced": 0, "caughtUp": 0, "missed": 0, "denied": 0, "undecided": 0}' || coalesce(s.counts, '{}'),
    'lag', l.lag) order by h)
  into v_hours
  from generate_series(v_from, v_now, interval '1 hour') as h
  left join jobs j on j.hour = h
  left join slots s on s.hour = h
  left join lags l on l.hour = h;

  return jsonb_build_object('now', carillon._time_text(v_now), 'hours', v_hours,
    'running', coalesce((
      select jsonb_agg(jsonb_build_object('jobId', r.job_id, 'appId', r.app_id, 'cronId', r.cron_id, 'name', c.name, 'worker', r.worker,
        'attempt', r.attempt, 'startedAt', carillon._time_text(r.started_at), 'p95', r.p95,
        'progress', (select jsonb_build_object('percent', p.percent, 'note', p.note)
          from carillon.job_progress(array[r.job_id], array[r.enqueued_at], array[null::timestamptz]) p)) order by r.place)
      from carillon._longest_running(v_job_apps, v_now)
        with ordinality as r (job_id, app_id, cron_id, worker, attempt, enqueued_at, started_at, p95, place)
      left join carillon.crons c on c.id = r.cron_id), '[]'),
    'queues', coalesce((
      select jsonb_agg(jsonb_build_object('appId', q.app_id, 'due', jsonb_build_object('count', least(q.due, 10000), 'capped', q.due > 10000),
        'oldestDueAt', carillon._time_text(q.oldest), 'running', q.running) order by q.due desc, q.running desc, q.app_id)
      from (
        select d.app_id, sum(d.due) as due, min(d.oldest) as oldest, least(sum(d.running), 10001) as running
        from carillon._queue_depths(v_job_apps, v_now) d
        group by 1) q), '[]'),
    'workers', coalesce((
      select jsonb_agg(jsonb_build_object('appId', w.app_id, 'worker', w.worker, 'running', w.running, 'since', carillon._time_text(w.since)))
      from carillon._lease_holders(v_job_apps, v_now, 100) w), '[]'),
    'pgCron', case when carillon._has_permission(v_held, 'system:read') then
      (select jsonb_build_object('driving', p ->> 'driving', 'lastSeenAt', p ->> 'lastSeenAt', 'stuck', (p ->> 'stuck')::boolean)
       from carillon.pg_cron_status() as p) end);
end;
$$;
comment on function carillon.get_overview(text, uuid, text[]) is
  'The last 24 hours of the apps that the actor may read: how jobs ended and slots were decided, hour by hour; the jobs that run unusually long; what waits in each queue; the workers that have jobs running; what pg_cron does (with system:read).';
revoke all on function carillon.get_overview(text, uuid, text[]) from public;
--! EndIncluded summaries/get_overview.sql
--! Included schedules/list_timezones.sql
create or replace function carillon.list_timezones()
returns jsonb
language plpgsql
stable
security definer
set search_path = ''
as $$
declare
  v_now constant timestamptz := carillon.now();
  v_aliases constant jsonb := carillon._zone_aliases();
begin
  return (
    with known as materialized (
      select n.name from pg_catalog.pg_timezone_names n
      -- What _zone_name takes: names of places, and the few without a slash that are no abbreviations.
      where n.name ~ '^[A-Za-z]+(/[A-Za-z_-]+)+$' and lower(split_part(n.name, '/', 1)) not in ('posix', 'right', 'systemv', 'etc')
        or n.name in ('GMT', 'UTC') or n.name ~ '^Etc/GMT[+-]([1-9]|1[0-4])$'
    ),
    named as materialized (
      select k.name, date_part('epoch', v_now at time zone k.name - v_now at time zone 'UTC')::bigint as seconds, carillon._next_offset(k.name, v_now) as change
      from known k
      where not v_aliases ? lower(k.name)
    )
    select jsonb_agg(jsonb_build_object(
      'name', n.name,
      'aliases', coalesce((
        select jsonb_agg(coalesce(k.name, a.key) order by coalesce(k.name, a.key))
        from jsonb_each_text(v_aliases) as a (key, value)
        left join known k on lower(k.name) = a.key
        where a.value = n.name), '[]'),
      'offset', carillon._offset_text(n.seconds), 'offsetSeconds', n.seconds,
      'nextChange', case when n.change is not null then jsonb_build_object('at', carillon._time_text(n.change), 'offset',
        carillon._offset_text(date_part('epoch', n.change at time zone n.name - n.change at time zone 'UTC')::bigint)) end)
      order by n.name in ('UTC', 'GMT') desc, n.name collate "C")
    from named n
  );
end
$$;

comment on function carillon.list_timezones() is
  'The time zones this server knows, UTC and GMT first: name, old names, offset from UTC now, and when the clocks change next and to which offset (null within 13 months). Takes a tenth of a second: keep the answer.';

revoke all on function carillon.list_timezones() from public;
--! EndIncluded schedules/list_timezones.sql
--! EndIncluded all.sql
--! Included core/install_defaults.sql
do $$
begin
  perform carillon._ensure_partitions();
  insert into carillon.principals (kind, username) values ('system', 'system') on conflict do nothing;
  insert into carillon.settings (key, value) values ('home', carillon._here()) on conflict do nothing;
  insert into carillon.roles (name, permissions) values ('admin', '{*}') on conflict do nothing;
end;
$$;
--! EndIncluded core/install_defaults.sql
--! EndIncluded baseline.sql
