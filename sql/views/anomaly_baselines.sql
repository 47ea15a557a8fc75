-- One row per entity, as_of and first day: its daily numbers of the days between them.
create or replace view ads.anomaly_baselines
with (security_invoker = true) as
select
  c.as_of,
  f.as_of as date_from,
  d.config_id,
  d.entity_type,
  d.entity_id,
  d.parent_id,
  d.ages,
  d.spend,
  d.impressions,
  d.reach,
  d.clicks,
  d.leads
from ads.calendar c
cross join ads.calendar f
cross join lateral (
  -- In one aggregate each, so that the numbers of a day have the same place in all of them.
  select
    e.config_id,
    e.entity_type,
    e.entity_id,
    e.parent_id,
    array_agg(c.as_of - e.date) as ages,
    array_agg(e.spend_double) as spend,
    array_agg(e.impressions) as impressions,
    array_agg(e.reach) as reach,
    array_agg(e.clicks) as clicks,
    array_agg(e.leads) as leads
  from ads.entity_daily e
  where e.date between f.as_of and c.as_of
  group by e.config_id, e.entity_type, e.entity_id, e.parent_id
) d;

comment on view ads.anomaly_baselines is
  'The daily numbers that anomalies are looked for in; filter as_of and date_from to one day each.';
comment on column ads.anomaly_baselines.ages is
  'How many days before as_of each day lies, in no order: 0 is as_of itself. The numbers of a day have '
  'the same place in the other arrays; a day without delivery has none.';
