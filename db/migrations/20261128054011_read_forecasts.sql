-- Why: 

-- migrate:up
-- include: sql/views/forecast_series.sql
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
-- end include

-- include: sql/views/forecast_days.sql
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
-- end include

-- include: sql/views/month_pacing.sql
-- One row per entity and day that was forecast from: what its month will come to.
create or replace view ads.month_pacing
with (security_invoker = true) as
select
  f.config_id,
  f.entity_type,
  f.entity_id,
  f.parent_id,
  f.as_of,
  m.month_start,
  m.month_end,
  m.month_end - f.as_of as days_left,
  f.insufficient_data,
  d.spend as spend_to_date,
  d.leads as leads_to_date,
  r.spend,
  greatest(r.spend - 1.2816 * s.widened80 * r.spend_spread, d.spend) as spend_low80,
  r.spend + 1.2816 * s.widened80 * r.spend_spread as spend_high80,
  greatest(r.spend - 1.96 * s.widened95 * r.spend_spread, d.spend) as spend_low95,
  r.spend + 1.96 * s.widened95 * r.spend_spread as spend_high95,
  r.leads,
  greatest(r.leads - 1.2816 * l.widened80 * r.leads_spread, d.leads) as leads_low80,
  r.leads + 1.2816 * l.widened80 * r.leads_spread as leads_high80,
  greatest(r.leads - 1.96 * l.widened95 * r.leads_spread, d.leads) as leads_low95,
  r.leads + 1.96 * l.widened95 * r.leads_spread as leads_high95,
  c.cpl,
  c.cpl * exp(-1.2816 * c.cpl_spread) as cpl_low80,
  c.cpl * exp(1.2816 * c.cpl_spread) as cpl_high80,
  c.cpl * exp(-1.96 * c.cpl_spread) as cpl_low95,
  c.cpl * exp(1.96 * c.cpl_spread) as cpl_high95
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
cross join lateral (
  select
    date_trunc('month', f.as_of + 1)::date as month_start,
    (date_trunc('month', f.as_of + 1) + interval '1 month')::date - 1 as month_end
) m
cross join lateral (
  select
    coalesce(sum(x.spend), 0) as spend,
    coalesce(sum(x.leads), 0) as leads
  from (
    select e.spend_double as spend, e.leads::double precision as leads
    from ads.entity_daily e
    where e.config_id = f.config_id
      and e.entity_type = f.entity_type
      and e.entity_id = f.entity_id
      and e.date between m.month_start and f.as_of
    union all
    select a.spend::double precision, a.leads::double precision
    from ads.account_daily a
    where a.config_id = f.config_id
      and f.entity_type = 'account'
      and a.date between m.month_start and f.as_of
  ) x
) d
-- Errors of days that were forecast from the same day go together in part.
cross join lateral (
  select
    d.spend + coalesce(sum(x.spend), 0) as spend,
    d.leads + coalesce(sum(x.leads), 0) as leads,
    sqrt(coalesce(
      (1 - s.day_correlation) * sum(x.spend_spread ^ 2)
        + s.day_correlation * sum(x.spend_spread) ^ 2,
      0
    )) as spend_spread,
    sqrt(coalesce(
      (1 - l.day_correlation) * sum(x.leads_spread ^ 2)
        + l.day_correlation * sum(x.leads_spread) ^ 2,
      0
    )) as leads_spread
  from unnest(
    f.spend[1:m.month_end - f.as_of],
    f.spend_spread[1:m.month_end - f.as_of]::double precision[],
    f.leads[1:m.month_end - f.as_of],
    f.leads_spread[1:m.month_end - f.as_of]::double precision[]
  ) x (spend, spend_spread, leads, leads_spread)
) r
cross join lateral (
  select
    p.cpl,
    case when p.variance <= 25 then sqrt(greatest(p.variance, 0)) end as cpl_spread
  from (
    select
      r.spend / nullif(r.leads, 0) as cpl,
      (r.spend_spread / nullif(r.spend, 0)) ^ 2
        + (r.leads_spread / nullif(r.leads, 0)) ^ 2
        - 2 * l.metric_correlation * r.spend_spread * r.leads_spread / nullif(r.spend * r.leads, 0)
        as variance
  ) p
) c;

comment on view ads.month_pacing is
  'What spend, leads and CPL of the month of the day after as_of will come to: its days to as_of, and '
  'what is forecast of the rest. Filter config_id, entity_type, as_of and, in a large account, '
  'entity_id.';
comment on column ads.month_pacing.days_left is 'Days of the month after as_of.';
comment on column ads.month_pacing.spend is 'Of the whole month, in major units of the currency.';
comment on column ads.month_pacing.spend_low80 is
  'The range to spend_high80 holds four of five months; never below what was spent already.';
comment on column ads.month_pacing.cpl is 'Spend by leads of the whole month; null without leads.';
-- end include

-- include: sql/views/forecast_accuracy.sql
-- One row per account, as_of, level, metric and number of days ahead: over the 28 days to as_of.
create or replace view ads.forecast_accuracy
with (security_invoker = true) as
select
  c.as_of,
  s.config_id,
  s.entity_type,
  s.metric,
  s.days_ahead,
  s.days,
  s.forecasts,
  s.mase,
  s.bias,
  s.coverage80,
  s.coverage95,
  s.needed80,
  s.needed95
from ads.calendar c
cross join lateral (
  select
    f.config_id,
    f.entity_type,
    f.metric,
    f.days_ahead,
    count(*) as days,
    sum(f.forecasts) as forecasts,
    sum(f.scaled_error) / nullif(sum(f.scaled), 0) as mase,
    sum(f.scaled_bias) / nullif(sum(f.scaled), 0) as bias,
    sum(f.within80)::double precision / nullif(sum(f.ranges), 0) as coverage80,
    sum(f.within95)::double precision / nullif(sum(f.ranges), 0) as coverage95,
    sum(f.needed80 * f.ranges) / nullif(sum(f.ranges) filter (where f.needed80 is not null), 0)
      as needed80,
    sum(f.needed95 * f.ranges) / nullif(sum(f.ranges) filter (where f.needed95 is not null), 0)
      as needed95
  from ads.forecast_scores f
  where f.date between c.as_of - 27 and c.as_of
  group by f.config_id, f.entity_type, f.metric, f.days_ahead
) s;

comment on view ads.forecast_accuracy is
  'How the forecasts of the past turned out, of the 28 days to as_of: filter config_id and as_of.';
comment on column ads.forecast_accuracy.days is 'Days that were scored.';
comment on column ads.forecast_accuracy.forecasts is 'Forecasts of one entity and day.';
comment on column ads.forecast_accuracy.mase is
  'Mean absolute scaled error (Hyndman and Koehler 2006): 1 is as good as telling the value of the '
  'same weekday of the week before is in the days that the forecast was made from; null where nothing '
  'varies there.';
comment on column ads.forecast_accuracy.bias is 'Forecast less actual, scaled alike: above 0 is too high.';
comment on column ads.forecast_accuracy.coverage80 is
  'Fraction of what came that the ranges of 80 % held; what has stopped has no range.';
comment on column ads.forecast_accuracy.needed80 is
  'How many times as wide as the errors of before made them they had to be to hold 80 %.';
-- end include

-- include: sql/functions/score_forecasts.sql
-- Scores all forecasts of one day on one level of an account against what came, by one statement.
create or replace function ads.score_forecasts(
  of_config_id integer,
  of_entity_type text,
  of_day date,
  at timestamptz
)
returns bigint
language plpgsql
set search_path = ''
-- The plan depends on the account's size, and has to be right before anything was analyzed.
set plan_cache_mode = 'force_custom_plan'
set enable_nestloop = off
as $$
declare
  stored bigint;
begin
  with
  came as materialized (
    select
      d.entity_id,
      d.spend_double as spend,
      d.leads::double precision as leads
    from ads.entity_daily d
    where d.config_id = of_config_id
      and d.entity_type = of_entity_type
      and d.date = of_day
    union all
    select
      a.config_id::text,
      a.spend::double precision,
      a.leads::double precision
    from ads.account_daily a
    where a.config_id = of_config_id
      and a.date = of_day
      and of_entity_type = 'account'
  ),
  shapes as materialized (
    select s.metric, s.as_of, s.low95, s.low80, s.high80, s.high95, s.widened80, s.widened95
    from ads.forecast_shapes s
    where s.config_id = of_config_id
      and s.entity_type = of_entity_type
      and s.as_of between of_day - 31 and of_day - 1
  ),
  errors as (
    select
      m.metric,
      of_day - f.as_of as days_ahead,
      m.error,
      nullif(m.scale, 0) as scale,
      -- In spreads; what has stopped has none.
      m.error / nullif(m.spread, 0) as scaled,
      s.low95,
      s.low80,
      s.high80,
      s.high95,
      s.widened80,
      s.widened95
    from ads.ml_forecasts f
    left join came c
      on c.entity_id = f.entity_id
    cross join lateral (
      values
        (
          'spend',
          coalesce(c.spend, 0) - f.spend[of_day - f.as_of],
          f.spend_spread[of_day - f.as_of]::double precision,
          f.spend_scale::double precision
        ),
        (
          'leads',
          coalesce(c.leads, 0) - f.leads[of_day - f.as_of],
          f.leads_spread[of_day - f.as_of]::double precision,
          f.leads_scale::double precision
        )
    ) m (metric, error, spread, scale)
    join shapes s
      on s.as_of = f.as_of
      and s.metric = m.metric
    where f.config_id = of_config_id
      and f.entity_type = of_entity_type
      and f.as_of between of_day - 31 and of_day - 1
      and m.error is not null
      -- A day on which nothing of the account is known was no day without delivery.
      and exists (
        select
        from ads.account_daily a
        where a.config_id = of_config_id
          and a.date = of_day
      )
  )
  insert into ads.forecast_scores (
    config_id,
    entity_type,
    metric,
    date,
    days_ahead,
    forecasts,
    scaled,
    scaled_error,
    scaled_bias,
    ranges,
    within80,
    within95,
    needed80,
    needed95,
    updated_at
  )
  select
    of_config_id,
    of_entity_type,
    e.metric,
    of_day,
    e.days_ahead,
    count(*),
    count(e.scale),
    coalesce(sum(abs(e.error) / e.scale), 0),
    coalesce(sum(-e.error / e.scale), 0),
    count(e.scaled),
    count(*) filter (where e.scaled between e.low80 and e.high80),
    count(*) filter (where e.scaled between e.low95 and e.high95),
    percentile_cont(0.8) within group (
      order by e.widened80 * e.scaled / nullif(case when e.scaled < 0 then e.low80 else e.high80 end, 0)
    ),
    percentile_cont(0.95) within group (
      order by e.widened95 * e.scaled / nullif(case when e.scaled < 0 then e.low95 else e.high95 end, 0)
    ),
    at
  from errors e
  group by e.metric, e.days_ahead
  on conflict (config_id, entity_type, date, metric, days_ahead) do update set
    forecasts = excluded.forecasts,
    scaled = excluded.scaled,
    scaled_error = excluded.scaled_error,
    scaled_bias = excluded.scaled_bias,
    ranges = excluded.ranges,
    within80 = excluded.within80,
    within95 = excluded.within95,
    needed80 = excluded.needed80,
    needed95 = excluded.needed95,
    updated_at = excluded.updated_at;
  get diagnostics stored = row_count;
  return stored;
end;
$$;

comment on function ads.score_forecasts(integer, text, date, timestamptz) is
  'Writes ads.forecast_scores of a day that came, over what was stored before; returns the number of '
  'rows, 0 where nothing of the account is known of that day.';
-- end include

-- migrate:down
drop function ads.score_forecasts;
drop view ads.forecast_accuracy;
drop view ads.month_pacing;
drop view ads.forecast_days;
drop view ads.forecast_series;
