-- Runs become rows that any number of instances can claim: one per account, job, level and scheduled
-- time, with a lease that a living worker renews. And the days that changed after they were worked on.

-- migrate:up
alter table ads.job_runs
  drop constraint job_runs_status_check,
  add constraint job_runs_status_check
    check (status in ('waiting', 'running', 'succeeded', 'failed', 'skipped')),
  alter column started_at drop not null,
  add column scheduled_at timestamptz not null default now(),
  add column is_scheduled boolean not null default false,
  add column is_recomputation boolean not null default false,
  add column waits_for text[] not null default '{}',
  add column size bigint not null default 0,
  add column attempt integer not null default 1,
  add column claimable_at timestamptz,
  add column worker text,
  add column lease_until timestamptz,
  add column versions jsonb not null default '{}';
update ads.job_runs
set
  scheduled_at = started_at,
  -- Nobody renews what an earlier version left running.
  lease_until = case when status = 'running' then started_at end;
create unique index job_runs_schedule
  on ads.job_runs (config_id, job, entity_type, scheduled_at, as_of)
  where is_scheduled;
create index job_runs_open on ads.job_runs (status) where status in ('waiting', 'running');
create index job_runs_id on ads.job_runs (id);
create index job_runs_time on ads.job_runs (job, entity_type, scheduled_at desc) where is_scheduled;
create index job_runs_day on ads.job_runs (config_id, job, entity_type, as_of desc, started_at desc);
comment on column ads.job_runs.status is
  'waiting to be claimed, running, succeeded, failed (after its last try), or skipped with the '
  'reason in error.';
comment on column ads.job_runs.scheduled_at is
  'The time of the schedule, the same on every instance; of a run that somebody asked for, when.';
comment on column ads.job_runs.is_recomputation is
  'The day was done before, and days that it rests on have changed since.';
comment on column ads.job_runs.waits_for is
  'Jobs that have to succeed first, for the same account, level and day.';
comment on column ads.job_runs.size is 'How many ads the account has: the largest go first.';
comment on column ads.job_runs.attempt is 'The number of this try; with the worker it names the claim.';
comment on column ads.job_runs.claimable_at is 'When a waiting run may be claimed, the earliest.';
comment on column ads.job_runs.lease_until is
  'Until when the worker has promised to be alive; afterwards another one takes the run over.';
comment on column ads.job_runs.versions is 'Which versions of program and model did it.';

create table ads.changed_days (
  config_id integer not null references ads.accounts on delete cascade,
  date date not null,
  changed_at timestamptz not null,
  primary key (config_id, date)
);
comment on table ads.changed_days is
  'One row per account and day: when its insights changed the last time. What was computed from them '
  'before is stale.';

-- migrate:down
drop table ads.changed_days;
drop index ads.job_runs_day;
drop index ads.job_runs_time;
drop index ads.job_runs_id;
drop index ads.job_runs_open;
drop index ads.job_runs_schedule;
delete from ads.job_runs where status in ('waiting', 'skipped') or started_at is null;
alter table ads.job_runs
  drop column versions,
  drop column lease_until,
  drop column worker,
  drop column claimable_at,
  drop column attempt,
  drop column size,
  drop column waits_for,
  drop column is_recomputation,
  drop column is_scheduled,
  drop column scheduled_at,
  alter column started_at set not null,
  drop constraint job_runs_status_check,
  add constraint job_runs_status_check check (status in ('running', 'succeeded', 'failed'));
