-- One row per entity, day that was forecast from, metric and day that was forecast.
create or replace view ads.forecast_days
with (security_invoker = true) as
select
  f.config_id,
  f.entity_type,
  f.entity_id,
  f.parent_id,
  f.as_of,
  m.metric,
  f.as_of + d.days_ahead::integer as date,
  d.days_ahead::integer as days_ahead,
  m.mean,
  m.low80,
  m.high80,
  m.low95,
  m.high95
from ads.ml_forecasts f
join ads.forecast_shapes s
  on s.config_id = f.config_id
  and s.entity_type = f.entity_type
  and s.as_of = f.as_of
  and s.metric = 'spend'
join ads.forecast_shapes l
  on l.config_id = f.config_id
  and l.entity_type = f.entity_type
  and l.as_of = f.as_of
  and l.metric = 'leads'
cross join lateral unnest(f.spend, f.spend_spread, f.leads, f.leads_spread)
  with ordinality d (spend, spend_spread, leads, leads_spread, days_ahead)
-- The CPL is one total by another: both are off by a part of themselves, and partly together.
cross join lateral (
  select
    d.spend / nullif(d.leads, 0) as mean,
    case when p.variance <= 25 then sqrt(greatest(p.variance, 0)) end as spread
  from (
    select
      (d.spend_spread / nullif(d.spend, 0)) ^ 2
        + (d.leads_spread / nullif(d.leads, 0)) ^ 2
        - 2 * l.metric_correlation * d.spend_spread * d.leads_spread / nullif(d.spend * d.leads, 0)
        as variance
  ) p
) c
cross join lateral (
  values
    (
      'spend',
      d.spend,
      greatest(d.spend + s.low80 * d.spend_spread, 0),
      greatest(d.spend + s.high80 * d.spend_spread, 0),
      greatest(d.spend + s.low95 * d.spend_spread, 0),
      greatest(d.spend + s.high95 * d.spend_spread, 0)
    ),
    (
      'leads',
      d.leads,
      greatest(d.leads + l.low80 * d.leads_spread, 0),
      greatest(d.leads + l.high80 * d.leads_spread, 0),
      greatest(d.leads + l.low95 * d.leads_spread, 0),
      greatest(d.leads + l.high95 * d.leads_spread, 0)
    ),
    (
      'cpl',
      c.mean,
      c.mean * exp(-1.2816 * c.spread),
      c.mean * exp(1.2816 * c.spread),
      c.mean * exp(-1.96 * c.spread),
      c.mean * exp(1.96 * c.spread)
    )
) m (metric, mean, low80, high80, low95, high95);

comment on view ads.forecast_days is
  'What is expected of each day: filter config_id, entity_type and as_of. Spend in major units of the '
  'account''s currency, leads as a count, cpl as spend by leads.';
comment on column ads.forecast_days.as_of is 'The last day that was known.';
comment on column ads.forecast_days.mean is
  'Of cpl, expected spend by expected leads; null where neither or no leads are expected.';
comment on column ads.forecast_days.low80 is
  'The range from low80 to high80 holds four of five days. That of the cpl is of days with leads, and '
  'null where it would span more than e^6 times.';
comment on column ads.forecast_days.low95 is
  'The range from low95 to high95 holds 19 of 20 days.';
