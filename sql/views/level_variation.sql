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
