-- Why: the level of a series walks, so that days further ahead share more of their errors. One
-- correlation for all days made the ranges of a whole month too narrow.

-- migrate:up
drop view ads.month_pacing;
alter table ads.forecast_shapes add column day_correlations double precision[];
update ads.forecast_shapes set day_correlations = array_fill(day_correlation, array[31]);
alter table ads.forecast_shapes
  alter column day_correlations set not null,
  drop column day_correlation;
comment on column ads.forecast_shapes.day_correlations is
  'Between the errors of two of the first days after as_of, on average: the second of it of two days, '
  'the last of 31.';
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
    s.day_correlations[m.month_end - f.as_of] as spend_correlation,
    l.day_correlations[m.month_end - f.as_of] as leads_correlation
) n
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
-- Errors of days that were forecast from the same day go together in part, the more the further off.
cross join lateral (
  select
    d.spend + coalesce(sum(x.spend), 0) as spend,
    d.leads + coalesce(sum(x.leads), 0) as leads,
    sqrt(coalesce(
      (1 - n.spend_correlation) * sum(x.spend_spread ^ 2)
        + n.spend_correlation * sum(x.spend_spread) ^ 2,
      0
    )) as spend_spread,
    sqrt(coalesce(
      (1 - n.leads_correlation) * sum(x.leads_spread ^ 2)
        + n.leads_correlation * sum(x.leads_spread) ^ 2,
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

-- migrate:down
drop view ads.month_pacing;
alter table ads.forecast_shapes
  add column day_correlation double precision check (day_correlation between 0 and 1);
update ads.forecast_shapes set day_correlation = day_correlations[14];
alter table ads.forecast_shapes
  alter column day_correlation set not null,
  drop column day_correlations;
comment on column ads.forecast_shapes.day_correlation is
  'Between the errors of two days that were forecast from the same day.';
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

