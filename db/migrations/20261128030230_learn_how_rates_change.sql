-- Why: 

-- migrate:up
drop view ads.stale_runs;
drop function ads.store_features;
drop view ads.entity_features;
-- include: sql/views/entity_features.sql
-- One row per entity and as_of: its features over the 30 days that end on as_of.
-- An entity without a row in those days has none here either.
create or replace view ads.entity_features
with (security_invoker = true) as
select
  c.as_of,
  own.config_id,
  own.entity_type,
  own.entity_id,
  own.parent_id,
  own.spend_7d,
  own.impressions_7d::bigint as impressions_7d,
  own.clicks_7d::bigint as clicks_7d,
  own.leads_7d::bigint as leads_7d,
  trend.cpl_7d,
  trend.ctr_7d,
  own.spend_double_7d / nullif(own.clicks_7d, 0) as cpc_7d,
  100 * own.leads_7d / nullif(own.clicks_7d, 0) as conversion_rate_7d,
  ads.pct_change(trend.cpl_before, trend.cpl_7d) as cpl_trend,
  ads.pct_change(own.leads_before, own.leads_7d) as leads_trend,
  ads.pct_change(own.spend_before, own.spend_double_7d) as spend_trend,
  ads.pct_change(trend.ctr_before, trend.ctr_7d) as ctr_trend,
  (own.spend_double_7d + own.spend_before)
    / nullif(own.leads_7d + own.leads_before, 0) as cpl_14d,
  (own.leads_7d + own.leads_before)::bigint as leads_14d,
  own.spend_30d / nullif(own.leads_30d, 0) as cpl_30d,
  own.leads_30d::bigint as leads_30d,
  (own.spend_30d / nullif(own.days_active, 0))::numeric as avg_daily_spend_30d,
  own.cpl_std_7d,
  sqrt((own.leads_squared_7d - own.leads_7d ^ 2 / 7) / 6) as leads_std_7d,
  case
    least(
      own.cpl_monday,
      own.cpl_tuesday,
      own.cpl_wednesday,
      own.cpl_thursday,
      own.cpl_friday,
      own.cpl_saturday,
      own.cpl_sunday
    )
    when own.cpl_monday then 0
    when own.cpl_tuesday then 1
    when own.cpl_wednesday then 2
    when own.cpl_thursday then 3
    when own.cpl_friday then 4
    when own.cpl_saturday then 5
    when own.cpl_sunday then 6
  end as best_day_of_week,
  case
    greatest(
      own.cpl_monday,
      own.cpl_tuesday,
      own.cpl_wednesday,
      own.cpl_thursday,
      own.cpl_friday,
      own.cpl_saturday,
      own.cpl_sunday
    )
    when own.cpl_monday then 0
    when own.cpl_tuesday then 1
    when own.cpl_wednesday then 2
    when own.cpl_thursday then 3
    when own.cpl_friday then 4
    when own.cpl_saturday then 5
    when own.cpl_sunday then 6
  end as worst_day_of_week,
  own.impressions_7d / nullif(own.reach_7d, 0) as frequency_7d,
  own.reach_7d::bigint as reach_7d,
  own.days_with_leads_7d,
  own.days_active,
  coalesce(e.is_active, true) as is_active,
  coalesce(e.has_budget, false) as has_budget,
  own.spend_double_7d / nullif(parent.spend_7d, 0) as share_of_parent_spend,
  own.leads_7d / nullif(parent.leads_7d, 0) as share_of_parent_leads,
  1 - trend.cpl_7d / nullif(siblings.cpl_7d, 0) as performance_vs_siblings,
  own.spend_before::numeric as spend_7d_before,
  coalesce(own.impressions_before, 0)::bigint as impressions_7d_before,
  coalesce(own.clicks_before, 0)::bigint as clicks_7d_before
from ads.calendar c
cross join lateral (
  -- Counts are added up as double precision: exact up to 2^53, and without memory of its own for
  -- each sum as bigint and numeric need it. So is money of which only ratios are made.
  select
    d.config_id,
    d.entity_type,
    d.entity_id,
    d.parent_id,
    coalesce(sum(d.spend) filter (where d.date >= c.from_7d), 0) as spend_7d,
    -- Converted here once, and not in each of the ratios below: the same sum is added up once.
    coalesce(sum(d.spend) filter (where d.date >= c.from_7d), 0)::double precision
      as spend_double_7d,
    coalesce(sum(d.impressions::double precision) filter (where d.date >= c.from_7d), 0)
      as impressions_7d,
    coalesce(sum(d.clicks::double precision) filter (where d.date >= c.from_7d), 0) as clicks_7d,
    coalesce(sum(d.leads::double precision) filter (where d.date >= c.from_7d), 0) as leads_7d,
    coalesce(sum(d.leads::double precision * d.leads) filter (where d.date >= c.from_7d), 0)
      as leads_squared_7d,
    case
      when bool_and(d.reach is not null or d.impressions = 0) filter (where d.date >= c.from_7d)
        then sum(d.reach::double precision) filter (where d.date >= c.from_7d)
    end as reach_7d,
    stddev_samp(d.spend_double / nullif(d.leads, 0)) filter (where d.date >= c.from_7d)
      as cpl_std_7d,
    count(*) filter (where d.date >= c.from_7d and d.leads > 0) as days_with_leads_7d,
    coalesce(
      sum(d.spend_double) filter (where d.date >= c.from_14d and d.date < c.from_7d),
      0
    ) as spend_before,
    sum(d.impressions::double precision)
      filter (where d.date >= c.from_14d and d.date < c.from_7d) as impressions_before,
    sum(d.clicks::double precision)
      filter (where d.date >= c.from_14d and d.date < c.from_7d) as clicks_before,
    coalesce(
      sum(d.leads::double precision)
        filter (where d.date >= c.from_14d and d.date < c.from_7d),
      0
    ) as leads_before,
    sum(d.spend_double) as spend_30d,
    sum(d.leads::double precision) as leads_30d,
    count(*) filter (where d.impressions > 0 or d.spend_double > 0) as days_active,
    sum(d.spend_double) filter (where d.weekday = 0)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 0), 0)
      as cpl_monday,
    sum(d.spend_double) filter (where d.weekday = 1)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 1), 0)
      as cpl_tuesday,
    sum(d.spend_double) filter (where d.weekday = 2)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 2), 0)
      as cpl_wednesday,
    sum(d.spend_double) filter (where d.weekday = 3)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 3), 0)
      as cpl_thursday,
    sum(d.spend_double) filter (where d.weekday = 4)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 4), 0)
      as cpl_friday,
    sum(d.spend_double) filter (where d.weekday = 5)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 5), 0)
      as cpl_saturday,
    sum(d.spend_double) filter (where d.weekday = 6)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 6), 0)
      as cpl_sunday
  from ads.entity_daily d
  where d.date between c.from_30d and c.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) own
cross join lateral (
  select
    own.spend_double_7d / nullif(own.leads_7d, 0) as cpl_7d,
    100 * own.clicks_7d / nullif(own.impressions_7d, 0) as ctr_7d,
    own.spend_before / nullif(own.leads_before, 0) as cpl_before,
    100 * own.clicks_before / nullif(own.impressions_before, 0) as ctr_before
) trend
left join ads.entities e
  on e.config_id = own.config_id
  and e.entity_type = own.entity_type
  and e.entity_id = own.entity_id
left join lateral (
  select
    d.config_id,
    d.child_type as entity_type,
    sum(d.spend)::double precision as spend_7d,
    sum(d.leads::double precision) as leads_7d
  from ads.account_daily d
  where d.date between c.from_7d and c.as_of
  group by d.config_id, d.child_type
) account
  on account.config_id = own.config_id
  and account.entity_type = own.entity_type
left join ads.parent_totals adset_or_campaign
  on adset_or_campaign.as_of = c.as_of
  and adset_or_campaign.config_id = own.config_id
  and adset_or_campaign.entity_type = own.entity_type
  and adset_or_campaign.entity_id = own.entity_id
  and adset_or_campaign.parent_id = own.parent_id
cross join lateral (
  select
    coalesce(account.spend_7d, adset_or_campaign.spend_7d) as spend_7d,
    coalesce(account.leads_7d, adset_or_campaign.leads_7d) as leads_7d
) parent
cross join lateral (
  select
    (parent.spend_7d - own.spend_double_7d)
      / nullif(parent.leads_7d - own.leads_7d, 0) as cpl_7d
) siblings;

comment on view ads.entity_features is
  'Features of every entity over the days that end on as_of; filter as_of to one day. What they '
  'mean and when they are null is said at each column.';
comment on column ads.entity_features.spend_7d is 'In major units of the account''s currency.';
comment on column ads.entity_features.cpl_7d is 'Null without leads.';
comment on column ads.entity_features.ctr_7d is 'Percent; null without impressions.';
comment on column ads.entity_features.cpc_7d is 'Null without clicks.';
comment on column ads.entity_features.conversion_rate_7d is
  'Leads per click in percent; null without clicks.';
comment on column ads.entity_features.cpl_trend is
  'Percent change of 7 days against the 7 before, like the other trends; null where either CPL is.';
comment on column ads.entity_features.avg_daily_spend_30d is 'Over the days with delivery.';
comment on column ads.entity_features.cpl_std_7d is
  'Sample standard deviation of the daily CPL over days with leads; null below two of them.';
comment on column ads.entity_features.leads_std_7d is
  'Sample standard deviation over all 7 days; a day without a row counts 0.';
comment on column ads.entity_features.best_day_of_week is
  '0 is Monday: the weekday with the lowest CPL over 30 days; null without leads.';
comment on column ads.entity_features.worst_day_of_week is
  '0 is Monday: the weekday with the highest CPL over 30 days; null without leads.';
comment on column ads.entity_features.frequency_7d is
  'A lower bound: impressions by reach_7d. Null where reach is unknown.';
comment on column ads.entity_features.reach_7d is
  'An upper bound: the sum of daily reach, which counts a person once a day and ad. Null '
  'where that of any day is unknown.';
comment on column ads.entity_features.days_active is 'Days with delivery in the last 30.';
comment on column ads.entity_features.is_active is 'It and all above it run.';
comment on column ads.entity_features.has_budget is
  'Its own, or the one above it that pays for it.';
comment on column ads.entity_features.share_of_parent_spend is
  'Fraction 0 to 1 over 7 days; a campaign''s parent is the account. Null where that has none, and, '
  'like what compares siblings, where ads.entities does not know the ad set or ad below its parent.';
comment on column ads.entity_features.share_of_parent_leads is
  'Fraction 0 to 1 over 7 days; a campaign''s parent is the account. Null where that has none.';
comment on column ads.entity_features.performance_vs_siblings is
  '(siblings'' CPL - own CPL) / siblings'' CPL over 7 days, positive is better; null without '
  'siblings or leads on either side.';
comment on column ads.entity_features.spend_7d_before is
  'Of the 7 days before those, like impressions_7d_before and clicks_7d_before.';
-- end include

-- include: sql/views/level_variation.sql
-- One row per account, level, as_of and rate: how the rate differs between entities, from day to day
-- and from week to week, beyond chance.
--
-- Everything by moments, as in ads.entity_evidence. Days of a week differ first; what a week tells is
-- weakened by that, so that a few odd days are no change. What all entities changed alike is compared
-- within each of them (Mantel and Haenszel 1959), because another mix of entities is no change.
create or replace view ads.level_variation
with (security_invoker = true) as
select
  c.as_of,
  a.config_id,
  t.entity_type,
  m.metric,
  v.rate,
  v.variance,
  v.day_variance,
  v.change,
  v.change_variance,
  v.change_error
from ads.calendar c
cross join ads.accounts a
cross join (values ('campaign'), ('adset'), ('ad')) t (entity_type)
cross join (values ('cpl'), ('ctr'), ('conversion_rate')) m (metric)
cross join lateral (
  with
  weeks as materialized (
    select
      d.entity_id,
      d.is_now,
      sum(d.events) as events,
      sum(d.exposure) as exposure,
      sum(d.events * d.events) as events_squared,
      sum(d.events * d.exposure) as events_exposure,
      sum(d.exposure * d.exposure) as exposure_squared,
      sum(d.exposure * d.exposure * d.exposure) as exposure_cubed
    from (
      select
        i.entity_id,
        i.date >= c.from_7d as is_now,
        (case m.metric when 'ctr' then i.clicks else i.leads end)::double precision as events,
        case m.metric
          when 'cpl' then i.spend_double
          when 'ctr' then i.impressions::double precision
          else i.clicks::double precision
        end as exposure
      from ads.entity_daily i
      where i.config_id = a.config_id
        and i.entity_type = t.entity_type
        and i.date between c.from_14d and c.as_of
      -- Keeps the planner from repeating the choice of the metric in each of the sums.
      offset 0
    ) d
    group by d.entity_id, d.is_now
  ),
  rates as materialized (
    select
      w.is_now,
      sum(w.events) as events,
      sum(w.events) / nullif(sum(w.exposure), 0) as rate,
      sum(w.events ^ 2) as events_squared,
      sum(w.events * w.exposure) as events_exposure,
      sum(w.exposure ^ 2) as exposure_squared,
      sum(w.exposure ^ 3) as exposure_cubed
    from weeks w
    group by w.is_now
  ),
  day_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          w.events,
          w.exposure * r.rate,
          w.events_squared,
          w.events_exposure * r.rate,
          w.exposure_squared * r.rate ^ 2
        )),
        sum(ads.variation_size(
          w.events,
          w.exposure * r.rate,
          w.exposure_squared * r.rate ^ 2,
          w.exposure_cubed * r.rate ^ 3
        )),
        0
      ) as variance
    from weeks w
    join rates r
      on r.is_now = w.is_now
    where w.exposure > 0
      and r.rate > 0
  ),
  -- Both weeks of each entity, as many independent events as they are worth.
  pairs as materialized (
    select
      p.share * n.events as events,
      p.share * n.exposure as exposure,
      p.share * b.events as events_before,
      p.share * b.exposure as exposure_before
    from weeks n
    join weeks b
      on b.entity_id = n.entity_id
      and b.is_now is false
    cross join day_step s
    cross join lateral (
      select ads.passed_share((n.events + b.events) / 14, s.variance) as share
    ) p
    where n.is_now
      and n.exposure > 0
      and b.exposure > 0
  ),
  common as materialized (
    select
      x.now / nullif(x.before, 0) as change,
      x.noise / nullif(x.now * x.before, 0) as noise,
      x.weight_squared / nullif(x.weight, 0) ^ 2 as concentration,
      x.events / nullif(x.exposure * x.now / nullif(x.before, 0) + x.exposure_before, 0) as rate
    from (
      select
        sum(p.events * p.exposure_before / (p.exposure + p.exposure_before)) as now,
        sum(p.events_before * p.exposure / (p.exposure + p.exposure_before)) as before,
        sum(
          (p.events + p.events_before) * p.exposure * p.exposure_before
            / (p.exposure + p.exposure_before) ^ 2
        ) as noise,
        sum(p.exposure * p.exposure_before / (p.exposure + p.exposure_before)) as weight,
        sum((p.exposure * p.exposure_before / (p.exposure + p.exposure_before)) ^ 2)
          as weight_squared,
        sum(p.events + p.events_before) as events,
        sum(p.exposure) as exposure,
        sum(p.exposure_before) as exposure_before
      from pairs p
    ) x
  ),
  -- The two weeks of an entity are the parts of a whole, once the change of all is taken out.
  week_step as (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          p.events + p.events_before,
          x.now + x.before,
          p.events ^ 2 + p.events_before ^ 2,
          p.events * x.now + p.events_before * x.before,
          x.now ^ 2 + x.before ^ 2
        )),
        sum(ads.variation_size(
          p.events + p.events_before,
          x.now + x.before,
          x.now ^ 2 + x.before ^ 2,
          x.now ^ 3 + x.before ^ 3
        )),
        0
      ) as variance
    from pairs p
    cross join common o
    cross join lateral (
      select p.exposure * o.rate * o.change as now, p.exposure_before * o.rate as before
    ) x
    where x.now > 0
      and x.before > 0
  )
  select
    r.rate,
    case
      when r.events > 0
        then ads.relative_variance(
          ads.excess_variation(
            r.events,
            r.events,
            r.events_squared,
            r.events_exposure * r.rate,
            r.exposure_squared * r.rate ^ 2
          ),
          ads.variation_size(
            r.events,
            r.events,
            r.exposure_squared * r.rate ^ 2,
            r.exposure_cubed * r.rate ^ 3
          ),
          0.1
        )
      else 0.1
    end as variance,
    s.variance as day_variance,
    nullif(o.change, 0) as change,
    w.variance as change_variance,
    coalesce(o.noise + 2 * w.variance * o.concentration, 0) as change_error
  from rates r
  cross join day_step s
  cross join common o
  cross join week_step w
  where r.is_now
) v;

comment on view ads.level_variation is
  'How a rate (cpl: leads by spend, ctr: clicks by impressions, conversion_rate: leads by clicks) '
  'differs between the entities of a level over the 7 days to as_of, and how it changes against the 7 '
  'days before. No row where nothing was delivered in those 7 days.';
comment on column ads.level_variation.metric is 'cpl, ctr or conversion_rate; filter it to one.';
comment on column ads.level_variation.rate is 'Of all together, as a fraction; null without exposure.';
comment on column ads.level_variation.variance is
  'The relative variance of the entities'' true rates around it.';
comment on column ads.level_variation.day_variance is
  'The relative variance of an entity''s rate from day to day within a week.';
comment on column ads.level_variation.change is
  'How many times what it was before the rate is, within entities; null without events on a side.';
comment on column ads.level_variation.change_variance is
  'The relative variance of an entity''s true rates of the two weeks around their mean, beyond that.';
comment on column ads.level_variation.change_error is 'The relative variance of change itself.';
-- end include

-- include: sql/functions/store_features.sql
-- Stores the features of one level of an account on a day, by one statement.
create or replace function ads.store_features(
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
  insert into ads.ml_features (
    config_id,
    entity_type,
    entity_id,
    window_days,
    feature_date,
    parent_id,
    spend_7d,
    impressions_7d,
    clicks_7d,
    leads_7d,
    cpl_7d,
    ctr_7d,
    cpc_7d,
    conversion_rate_7d,
    cpl_trend,
    leads_trend,
    spend_trend,
    ctr_trend,
    cpl_14d,
    leads_14d,
    cpl_30d,
    leads_30d,
    avg_daily_spend_30d,
    cpl_std_7d,
    leads_std_7d,
    best_day_of_week,
    worst_day_of_week,
    frequency_7d,
    reach_7d,
    days_with_leads_7d,
    days_active,
    is_active,
    has_budget,
    share_of_parent_spend,
    share_of_parent_leads,
    performance_vs_siblings,
    spend_7d_before,
    impressions_7d_before,
    clicks_7d_before,
    insufficient_data,
    computed_at
  )
  select
    f.config_id,
    f.entity_type,
    f.entity_id,
    30,
    f.as_of,
    f.parent_id,
    f.spend_7d,
    f.impressions_7d,
    f.clicks_7d,
    f.leads_7d,
    f.cpl_7d,
    f.ctr_7d,
    f.cpc_7d,
    f.conversion_rate_7d,
    f.cpl_trend,
    f.leads_trend,
    f.spend_trend,
    f.ctr_trend,
    f.cpl_14d,
    f.leads_14d,
    f.cpl_30d,
    f.leads_30d,
    f.avg_daily_spend_30d,
    f.cpl_std_7d,
    f.leads_std_7d,
    f.best_day_of_week,
    f.worst_day_of_week,
    f.frequency_7d,
    f.reach_7d,
    f.days_with_leads_7d,
    f.days_active,
    f.is_active,
    f.has_budget,
    f.share_of_parent_spend,
    f.share_of_parent_leads,
    f.performance_vs_siblings,
    f.spend_7d_before,
    f.impressions_7d_before,
    f.clicks_7d_before,
    r.reference is null or f.avg_daily_spend_30d is null or f.avg_daily_spend_30d = 0,
    at
  from ads.entity_features f
  join ads.account_reference r
    on r.config_id = f.config_id
    and r.as_of = f.as_of
  where f.config_id = of_config_id
    and f.entity_type = of_entity_type
    and f.as_of = of_day
  on conflict (config_id, entity_type, entity_id, window_days, feature_date) do update set
    parent_id = excluded.parent_id,
    spend_7d = excluded.spend_7d,
    impressions_7d = excluded.impressions_7d,
    clicks_7d = excluded.clicks_7d,
    leads_7d = excluded.leads_7d,
    cpl_7d = excluded.cpl_7d,
    ctr_7d = excluded.ctr_7d,
    cpc_7d = excluded.cpc_7d,
    conversion_rate_7d = excluded.conversion_rate_7d,
    cpl_trend = excluded.cpl_trend,
    leads_trend = excluded.leads_trend,
    spend_trend = excluded.spend_trend,
    ctr_trend = excluded.ctr_trend,
    cpl_14d = excluded.cpl_14d,
    leads_14d = excluded.leads_14d,
    cpl_30d = excluded.cpl_30d,
    leads_30d = excluded.leads_30d,
    avg_daily_spend_30d = excluded.avg_daily_spend_30d,
    cpl_std_7d = excluded.cpl_std_7d,
    leads_std_7d = excluded.leads_std_7d,
    best_day_of_week = excluded.best_day_of_week,
    worst_day_of_week = excluded.worst_day_of_week,
    frequency_7d = excluded.frequency_7d,
    reach_7d = excluded.reach_7d,
    days_with_leads_7d = excluded.days_with_leads_7d,
    days_active = excluded.days_active,
    is_active = excluded.is_active,
    has_budget = excluded.has_budget,
    share_of_parent_spend = excluded.share_of_parent_spend,
    share_of_parent_leads = excluded.share_of_parent_leads,
    performance_vs_siblings = excluded.performance_vs_siblings,
    spend_7d_before = excluded.spend_7d_before,
    impressions_7d_before = excluded.impressions_7d_before,
    clicks_7d_before = excluded.clicks_7d_before,
    insufficient_data = excluded.insufficient_data,
    computed_at = excluded.computed_at;
  get diagnostics stored = row_count;
  return stored;
end;
$$;

comment on function ads.store_features(integer, text, date, timestamptz) is
  'Writes ads.entity_features of a day to ads.ml_features, over what was stored before; returns the '
  'number of entities.';
-- end include

-- include: sql/views/stale_runs.sql
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
-- end include

-- migrate:down
drop view ads.stale_runs;
drop function ads.store_features;
drop view ads.level_variation;
drop view ads.entity_features;
-- include: sql/views/entity_features.sql
-- One row per entity and as_of: its features over the 30 days that end on as_of.
-- An entity without a row in those days has none here either.
create or replace view ads.entity_features
with (security_invoker = true) as
select
  c.as_of,
  own.config_id,
  own.entity_type,
  own.entity_id,
  own.parent_id,
  own.spend_7d,
  own.impressions_7d::bigint as impressions_7d,
  own.clicks_7d::bigint as clicks_7d,
  own.leads_7d::bigint as leads_7d,
  trend.cpl_7d,
  trend.ctr_7d,
  own.spend_double_7d / nullif(own.clicks_7d, 0) as cpc_7d,
  100 * own.leads_7d / nullif(own.clicks_7d, 0) as conversion_rate_7d,
  ads.pct_change(trend.cpl_before, trend.cpl_7d) as cpl_trend,
  ads.pct_change(own.leads_before, own.leads_7d) as leads_trend,
  ads.pct_change(own.spend_before, own.spend_double_7d) as spend_trend,
  ads.pct_change(trend.ctr_before, trend.ctr_7d) as ctr_trend,
  (own.spend_double_7d + own.spend_before)
    / nullif(own.leads_7d + own.leads_before, 0) as cpl_14d,
  (own.leads_7d + own.leads_before)::bigint as leads_14d,
  own.spend_30d / nullif(own.leads_30d, 0) as cpl_30d,
  own.leads_30d::bigint as leads_30d,
  (own.spend_30d / nullif(own.days_active, 0))::numeric as avg_daily_spend_30d,
  own.cpl_std_7d,
  sqrt((own.leads_squared_7d - own.leads_7d ^ 2 / 7) / 6) as leads_std_7d,
  case
    least(
      own.cpl_monday,
      own.cpl_tuesday,
      own.cpl_wednesday,
      own.cpl_thursday,
      own.cpl_friday,
      own.cpl_saturday,
      own.cpl_sunday
    )
    when own.cpl_monday then 0
    when own.cpl_tuesday then 1
    when own.cpl_wednesday then 2
    when own.cpl_thursday then 3
    when own.cpl_friday then 4
    when own.cpl_saturday then 5
    when own.cpl_sunday then 6
  end as best_day_of_week,
  case
    greatest(
      own.cpl_monday,
      own.cpl_tuesday,
      own.cpl_wednesday,
      own.cpl_thursday,
      own.cpl_friday,
      own.cpl_saturday,
      own.cpl_sunday
    )
    when own.cpl_monday then 0
    when own.cpl_tuesday then 1
    when own.cpl_wednesday then 2
    when own.cpl_thursday then 3
    when own.cpl_friday then 4
    when own.cpl_saturday then 5
    when own.cpl_sunday then 6
  end as worst_day_of_week,
  own.impressions_7d / nullif(own.reach_7d, 0) as frequency_7d,
  own.reach_7d::bigint as reach_7d,
  own.days_with_leads_7d,
  own.days_active,
  coalesce(e.is_active, true) as is_active,
  coalesce(e.has_budget, false) as has_budget,
  own.spend_double_7d / nullif(parent.spend_7d, 0) as share_of_parent_spend,
  own.leads_7d / nullif(parent.leads_7d, 0) as share_of_parent_leads,
  1 - trend.cpl_7d / nullif(siblings.cpl_7d, 0) as performance_vs_siblings
from ads.calendar c
cross join lateral (
  -- Counts are added up as double precision: exact up to 2^53, and without memory of its own for
  -- each sum as bigint and numeric need it. So is money of which only ratios are made.
  select
    d.config_id,
    d.entity_type,
    d.entity_id,
    d.parent_id,
    coalesce(sum(d.spend) filter (where d.date >= c.from_7d), 0) as spend_7d,
    -- Converted here once, and not in each of the ratios below: the same sum is added up once.
    coalesce(sum(d.spend) filter (where d.date >= c.from_7d), 0)::double precision
      as spend_double_7d,
    coalesce(sum(d.impressions::double precision) filter (where d.date >= c.from_7d), 0)
      as impressions_7d,
    coalesce(sum(d.clicks::double precision) filter (where d.date >= c.from_7d), 0) as clicks_7d,
    coalesce(sum(d.leads::double precision) filter (where d.date >= c.from_7d), 0) as leads_7d,
    coalesce(sum(d.leads::double precision * d.leads) filter (where d.date >= c.from_7d), 0)
      as leads_squared_7d,
    case
      when bool_and(d.reach is not null or d.impressions = 0) filter (where d.date >= c.from_7d)
        then sum(d.reach::double precision) filter (where d.date >= c.from_7d)
    end as reach_7d,
    stddev_samp(d.spend_double / nullif(d.leads, 0)) filter (where d.date >= c.from_7d)
      as cpl_std_7d,
    count(*) filter (where d.date >= c.from_7d and d.leads > 0) as days_with_leads_7d,
    coalesce(
      sum(d.spend_double) filter (where d.date >= c.from_14d and d.date < c.from_7d),
      0
    ) as spend_before,
    sum(d.impressions::double precision)
      filter (where d.date >= c.from_14d and d.date < c.from_7d) as impressions_before,
    sum(d.clicks::double precision)
      filter (where d.date >= c.from_14d and d.date < c.from_7d) as clicks_before,
    coalesce(
      sum(d.leads::double precision)
        filter (where d.date >= c.from_14d and d.date < c.from_7d),
      0
    ) as leads_before,
    sum(d.spend_double) as spend_30d,
    sum(d.leads::double precision) as leads_30d,
    count(*) filter (where d.impressions > 0 or d.spend_double > 0) as days_active,
    sum(d.spend_double) filter (where d.weekday = 0)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 0), 0)
      as cpl_monday,
    sum(d.spend_double) filter (where d.weekday = 1)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 1), 0)
      as cpl_tuesday,
    sum(d.spend_double) filter (where d.weekday = 2)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 2), 0)
      as cpl_wednesday,
    sum(d.spend_double) filter (where d.weekday = 3)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 3), 0)
      as cpl_thursday,
    sum(d.spend_double) filter (where d.weekday = 4)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 4), 0)
      as cpl_friday,
    sum(d.spend_double) filter (where d.weekday = 5)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 5), 0)
      as cpl_saturday,
    sum(d.spend_double) filter (where d.weekday = 6)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 6), 0)
      as cpl_sunday
  from ads.entity_daily d
  where d.date between c.from_30d and c.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) own
cross join lateral (
  select
    own.spend_double_7d / nullif(own.leads_7d, 0) as cpl_7d,
    100 * own.clicks_7d / nullif(own.impressions_7d, 0) as ctr_7d,
    own.spend_before / nullif(own.leads_before, 0) as cpl_before,
    100 * own.clicks_before / nullif(own.impressions_before, 0) as ctr_before
) trend
left join ads.entities e
  on e.config_id = own.config_id
  and e.entity_type = own.entity_type
  and e.entity_id = own.entity_id
left join lateral (
  select
    d.config_id,
    d.child_type as entity_type,
    sum(d.spend)::double precision as spend_7d,
    sum(d.leads::double precision) as leads_7d
  from ads.account_daily d
  where d.date between c.from_7d and c.as_of
  group by d.config_id, d.child_type
) account
  on account.config_id = own.config_id
  and account.entity_type = own.entity_type
left join ads.parent_totals adset_or_campaign
  on adset_or_campaign.as_of = c.as_of
  and adset_or_campaign.config_id = own.config_id
  and adset_or_campaign.entity_type = own.entity_type
  and adset_or_campaign.entity_id = own.entity_id
  and adset_or_campaign.parent_id = own.parent_id
cross join lateral (
  select
    coalesce(account.spend_7d, adset_or_campaign.spend_7d) as spend_7d,
    coalesce(account.leads_7d, adset_or_campaign.leads_7d) as leads_7d
) parent
cross join lateral (
  select
    (parent.spend_7d - own.spend_double_7d)
      / nullif(parent.leads_7d - own.leads_7d, 0) as cpl_7d
) siblings;

comment on view ads.entity_features is
  'Features of every entity over the days that end on as_of; filter as_of to one day. What they '
  'mean and when they are null is said at each column.';
comment on column ads.entity_features.spend_7d is 'In major units of the account''s currency.';
comment on column ads.entity_features.cpl_7d is 'Null without leads.';
comment on column ads.entity_features.ctr_7d is 'Percent; null without impressions.';
comment on column ads.entity_features.cpc_7d is 'Null without clicks.';
comment on column ads.entity_features.conversion_rate_7d is
  'Leads per click in percent; null without clicks.';
comment on column ads.entity_features.cpl_trend is
  'Percent change of 7 days against the 7 before, like the other trends; null where either CPL is.';
comment on column ads.entity_features.avg_daily_spend_30d is 'Over the days with delivery.';
comment on column ads.entity_features.cpl_std_7d is
  'Sample standard deviation of the daily CPL over days with leads; null below two of them.';
comment on column ads.entity_features.leads_std_7d is
  'Sample standard deviation over all 7 days; a day without a row counts 0.';
comment on column ads.entity_features.best_day_of_week is
  '0 is Monday: the weekday with the lowest CPL over 30 days; null without leads.';
comment on column ads.entity_features.worst_day_of_week is
  '0 is Monday: the weekday with the highest CPL over 30 days; null without leads.';
comment on column ads.entity_features.frequency_7d is
  'A lower bound: impressions by reach_7d. Null where reach is unknown.';
comment on column ads.entity_features.reach_7d is
  'An upper bound: the sum of daily reach, which counts a person once a day and ad. Null '
  'where that of any day is unknown.';
comment on column ads.entity_features.days_active is 'Days with delivery in the last 30.';
comment on column ads.entity_features.is_active is 'It and all above it run.';
comment on column ads.entity_features.has_budget is
  'Its own, or the one above it that pays for it.';
comment on column ads.entity_features.share_of_parent_spend is
  'Fraction 0 to 1 over 7 days; a campaign''s parent is the account. Null where that has none, and, '
  'like what compares siblings, where ads.entities does not know the ad set or ad below its parent.';
comment on column ads.entity_features.share_of_parent_leads is
  'Fraction 0 to 1 over 7 days; a campaign''s parent is the account. Null where that has none.';
comment on column ads.entity_features.performance_vs_siblings is
  '(siblings'' CPL - own CPL) / siblings'' CPL over 7 days, positive is better; null without '
  'siblings or leads on either side.';
-- end include

-- include: sql/functions/store_features.sql
-- Stores the features of one level of an account on a day, by one statement.
create or replace function ads.store_features(
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
  insert into ads.ml_features (
    config_id,
    entity_type,
    entity_id,
    window_days,
    feature_date,
    parent_id,
    spend_7d,
    impressions_7d,
    clicks_7d,
    leads_7d,
    cpl_7d,
    ctr_7d,
    cpc_7d,
    conversion_rate_7d,
    cpl_trend,
    leads_trend,
    spend_trend,
    ctr_trend,
    cpl_14d,
    leads_14d,
    cpl_30d,
    leads_30d,
    avg_daily_spend_30d,
    cpl_std_7d,
    leads_std_7d,
    best_day_of_week,
    worst_day_of_week,
    frequency_7d,
    reach_7d,
    days_with_leads_7d,
    days_active,
    is_active,
    has_budget,
    share_of_parent_spend,
    share_of_parent_leads,
    performance_vs_siblings,
    insufficient_data,
    computed_at
  )
  select
    f.config_id,
    f.entity_type,
    f.entity_id,
    30,
    f.as_of,
    f.parent_id,
    f.spend_7d,
    f.impressions_7d,
    f.clicks_7d,
    f.leads_7d,
    f.cpl_7d,
    f.ctr_7d,
    f.cpc_7d,
    f.conversion_rate_7d,
    f.cpl_trend,
    f.leads_trend,
    f.spend_trend,
    f.ctr_trend,
    f.cpl_14d,
    f.leads_14d,
    f.cpl_30d,
    f.leads_30d,
    f.avg_daily_spend_30d,
    f.cpl_std_7d,
    f.leads_std_7d,
    f.best_day_of_week,
    f.worst_day_of_week,
    f.frequency_7d,
    f.reach_7d,
    f.days_with_leads_7d,
    f.days_active,
    f.is_active,
    f.has_budget,
    f.share_of_parent_spend,
    f.share_of_parent_leads,
    f.performance_vs_siblings,
    r.reference is null or f.avg_daily_spend_30d is null or f.avg_daily_spend_30d = 0,
    at
  from ads.entity_features f
  join ads.account_reference r
    on r.config_id = f.config_id
    and r.as_of = f.as_of
  where f.config_id = of_config_id
    and f.entity_type = of_entity_type
    and f.as_of = of_day
  on conflict (config_id, entity_type, entity_id, window_days, feature_date) do update set
    parent_id = excluded.parent_id,
    spend_7d = excluded.spend_7d,
    impressions_7d = excluded.impressions_7d,
    clicks_7d = excluded.clicks_7d,
    leads_7d = excluded.leads_7d,
    cpl_7d = excluded.cpl_7d,
    ctr_7d = excluded.ctr_7d,
    cpc_7d = excluded.cpc_7d,
    conversion_rate_7d = excluded.conversion_rate_7d,
    cpl_trend = excluded.cpl_trend,
    leads_trend = excluded.leads_trend,
    spend_trend = excluded.spend_trend,
    ctr_trend = excluded.ctr_trend,
    cpl_14d = excluded.cpl_14d,
    leads_14d = excluded.leads_14d,
    cpl_30d = excluded.cpl_30d,
    leads_30d = excluded.leads_30d,
    avg_daily_spend_30d = excluded.avg_daily_spend_30d,
    cpl_std_7d = excluded.cpl_std_7d,
    leads_std_7d = excluded.leads_std_7d,
    best_day_of_week = excluded.best_day_of_week,
    worst_day_of_week = excluded.worst_day_of_week,
    frequency_7d = excluded.frequency_7d,
    reach_7d = excluded.reach_7d,
    days_with_leads_7d = excluded.days_with_leads_7d,
    days_active = excluded.days_active,
    is_active = excluded.is_active,
    has_budget = excluded.has_budget,
    share_of_parent_spend = excluded.share_of_parent_spend,
    share_of_parent_leads = excluded.share_of_parent_leads,
    performance_vs_siblings = excluded.performance_vs_siblings,
    insufficient_data = excluded.insufficient_data,
    computed_at = excluded.computed_at;
  get diagnostics stored = row_count;
  return stored;
end;
$$;

comment on function ads.store_features(integer, text, date, timestamptz) is
  'Writes ads.entity_features of a day to ads.ml_features, over what was stored before; returns the '
  'number of entities.';
-- end include

-- include: sql/views/stale_runs.sql
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
-- end include

