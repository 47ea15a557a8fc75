-- One row per account, job, level and day that was worked on before days changed which it rests on.
create or replace view ads.stale_runs
with (security_invoker = true) as
select
  r.config_id,
  r.job,
  r.entity_type,
  r.as_of,
  r.worked_at,
  d.changed_at
from (
  select
    j.config_id,
    j.job,
    j.entity_type,
    j.as_of,
    max(j.started_at) as worked_at
  from ads.job_runs j
  where j.status = 'succeeded'
  group by j.config_id, j.job, j.entity_type, j.as_of
) r
join ads.calendar c
  on c.as_of = r.as_of
cross join lateral (
  select max(x.changed_at) as changed_at
  from ads.account_days x
  where x.config_id = r.config_id
    and x.date between c.from_30d and c.as_of
) d
where d.changed_at > r.worked_at;

comment on view ads.stale_runs is
  'Days whose results rest on insights that have changed since: features, tiers and the like look at '
  'the 30 days to as_of. The next run of the job computes them again.';
comment on column ads.stale_runs.worked_at is 'When the last run that succeeded began to read.';
comment on column ads.stale_runs.changed_at is 'When a day among its 30 changed the last time.';
