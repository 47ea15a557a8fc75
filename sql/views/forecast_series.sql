-- One row per leaf, as_of and first day: its daily spend and leads of the days between them.
-- A leaf is an ad, or what was reported for an ad set as a whole: all else adds up from them.
create or replace view ads.forecast_series
with (security_invoker = true) as
select
  c.as_of,
  f.as_of as date_from,
  d.config_id,
  d.campaign_id,
  d.adset_id,
  nullif(d.ad_id, d.adset_id) as ad_id,
  d.ages,
  d.spend,
  d.leads
from ads.calendar c
cross join ads.calendar f
cross join lateral (
  select
    i.config_id,
    i.campaign_id,
    i.adset_id,
    i.ad_id,
    array_agg(c.as_of - i.date) as ages,
    array_agg(i.spend_double) as spend,
    array_agg(i.leads) as leads
  from ads.insights i
  where i.date between f.as_of and c.as_of
  group by i.config_id, i.campaign_id, i.adset_id, i.ad_id
) d;

comment on view ads.forecast_series is
  'The daily numbers that forecasts are made from; filter as_of and date_from to one day each.';
comment on column ads.forecast_series.ad_id is
  'Null for what was reported for an ad set as a whole, beside its ads or without them.';
comment on column ads.forecast_series.ages is
  'How many days before as_of each day lies, in no order: 0 is as_of itself. The numbers of a day have '
  'the same place in the other arrays; a day without delivery has none.';
