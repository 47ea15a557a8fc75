-- One row per account, level, as_of and rate: how the rate differs between entities and how it changes
-- in a week, beyond chance. From the features that are stored.
create or replace view ads.level_variation
with (security_invoker = true) as
with
weeks as (
  select
    f.config_id,
    f.entity_type,
    f.feature_date as as_of,
    m.metric,
    m.events,
    m.exposure,
    m.events_before,
    m.exposure_before
  from ads.ml_features f
  cross join lateral (
    values
      (
        'cpl',
        f.leads_7d::double precision,
        f.spend_7d::double precision,
        (f.leads_14d - f.leads_7d)::double precision,
        f.spend_7d_before::double precision
      ),
      (
        'ctr',
        f.clicks_7d::double precision,
        f.impressions_7d::double precision,
        f.clicks_7d_before::double precision,
        f.impressions_7d_before::double precision
      ),
      (
        'conversion_rate',
        f.leads_7d::double precision,
        f.clicks_7d::double precision,
        (f.leads_14d - f.leads_7d)::double precision,
        f.clicks_7d_before::double precision
      )
  ) m (metric, events, exposure, events_before, exposure_before)
  where f.window_days = 30
),
totals as (
  select
    w.config_id,
    w.entity_type,
    w.as_of,
    w.metric,
    sum(w.events) as events,
    sum(w.events_before) as events_before,
    sum(w.exposure) as exposure,
    sum(w.events) / nullif(sum(w.exposure), 0) as rate,
    sum(w.events_before) / nullif(sum(w.exposure_before), 0) as rate_before,
    sum(w.events ^ 2) as events_squared,
    sum(w.events * w.exposure) as events_exposure,
    sum(w.exposure ^ 2) as exposure_squared,
    sum(w.exposure ^ 3) as exposure_cubed
  from weeks w
  group by w.config_id, w.entity_type, w.as_of, w.metric
),
-- The two weeks of an entity are the parts of a whole, once the change of all is taken out.
changes as (
  select
    w.config_id,
    w.entity_type,
    w.as_of,
    w.metric,
    ads.relative_variance(
      sum(ads.excess_variation(
        w.events + w.events_before,
        x.now + x.before,
        w.events ^ 2 + w.events_before ^ 2,
        w.events * x.now + w.events_before * x.before,
        x.now ^ 2 + x.before ^ 2
      )),
      sum(ads.variation_size(
        w.events + w.events_before,
        x.now + x.before,
        x.now ^ 2 + x.before ^ 2,
        x.now ^ 3 + x.before ^ 3
      )),
      0
    ) as variance
  from weeks w
  join totals t
    on t.config_id = w.config_id
    and t.entity_type = w.entity_type
    and t.as_of = w.as_of
    and t.metric = w.metric
  cross join lateral (
    select w.exposure * t.rate as now, w.exposure_before * t.rate_before as before
  ) x
  where x.now > 0
    and x.before > 0
  group by w.config_id, w.entity_type, w.as_of, w.metric
)
select
  t.config_id,
  t.entity_type,
  t.as_of,
  t.metric,
  t.rate,
  case
    when t.events > 0
      then ads.relative_variance(
        ads.excess_variation(
          t.events,
          t.events,
          t.events_squared,
          t.events_exposure * t.rate,
          t.exposure_squared * t.rate ^ 2
        ),
        ads.variation_size(
          t.events,
          t.events,
          t.exposure_squared * t.rate ^ 2,
          t.exposure_cubed * t.rate ^ 3
        ),
        0.1
      )
    else 0.1
  end as variance,
  t.rate / nullif(t.rate_before, 0) as change,
  coalesce(c.variance, 0) as change_variance,
  coalesce(
    1 / nullif(t.events, 0) + 1 / nullif(t.events_before, 0)
      + 2 * c.variance * t.exposure_squared / nullif(t.exposure, 0) ^ 2,
    0
  ) as change_error
from totals t
left join changes c
  on c.config_id = t.config_id
  and c.entity_type = t.entity_type
  and c.as_of = t.as_of
  and c.metric = t.metric;

comment on view ads.level_variation is
  'How a rate (cpl: leads by spend, ctr: clicks by impressions, conversion_rate: leads by clicks) '
  'differs between the entities of a level over the 7 days to as_of, and how it changed against the 7 '
  'days before. Only of days whose features are stored.';
comment on column ads.level_variation.rate is 'Of all together, as a fraction; null without exposure.';
comment on column ads.level_variation.variance is
  'The relative variance of the entities'' true rates around it.';
comment on column ads.level_variation.change is
  'How many times the rate of all is what it was before; null where one of them has no events.';
comment on column ads.level_variation.change_variance is
  'The relative variance of an entity''s true rates of the two weeks around their mean, beyond that.';
comment on column ads.level_variation.change_error is 'The relative variance of change itself.';
