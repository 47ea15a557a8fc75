-- One row per entity and period from date_from to date_to, both included.
create or replace view ads.entity_totals
with (security_invoker = true) as
select
  f.as_of as date_from,
  t.as_of as date_to,
  w.config_id,
  w.entity_type,
  w.entity_id,
  w.parent_id,
  w.impressions,
  w.reach,
  w.clicks,
  w.spend,
  w.leads,
  w.conversions,
  100.0 * w.clicks / nullif(w.impressions, 0) as ctr,
  w.spend / nullif(w.clicks, 0) as cpc,
  w.spend / nullif(w.leads, 0) as cpl,
  w.days_active
from ads.calendar f
cross join ads.calendar t
cross join lateral (
  select
    d.config_id,
    d.entity_type,
    d.entity_id,
    d.parent_id,
    sum(d.impressions)::bigint as impressions,
    case when bool_and(d.reach is not null or d.impressions = 0) then sum(d.reach)::bigint end
      as reach,
    sum(d.clicks)::bigint as clicks,
    sum(d.spend) as spend,
    sum(d.leads)::bigint as leads,
    sum(d.conversions)::bigint as conversions,
    count(*) filter (where d.impressions > 0 or d.spend > 0) as days_active
  from ads.entity_daily d
  where d.date between f.as_of and t.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) w;

comment on view ads.entity_totals is
  'Totals per entity over any period: filter date_from and date_to to one day each.';
comment on column ads.entity_totals.reach is
  'The sum of daily reach, an upper bound of the people reached; null where that of any day is '
  'unknown.';
comment on column ads.entity_totals.ctr is 'Percent; null without impressions.';
comment on column ads.entity_totals.cpc is 'Null without clicks.';
comment on column ads.entity_totals.cpl is 'Null without leads.';
