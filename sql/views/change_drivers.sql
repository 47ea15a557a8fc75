-- One row per entity, as_of and comparison; an entity without a row in the days compared has none.
-- A day is expected to be the mean of the 28 before it: four whole weeks, in which every weekday
-- counts the same. The same weekday of those weeks would be four days only, too few leads for the
-- rates of an ad. It is a mean of calendar days, not of days with delivery, so that the children's
-- add up to their parent's.
--
-- core/drivers.ts has the same split, and says why it is this one; a test holds both together.
create or replace view ads.change_drivers
with (security_invoker = true) as
select
  c.as_of,
  p.comparison,
  own.config_id,
  own.entity_type,
  own.entity_id,
  own.parent_id,
  own.spend_before,
  own.impressions_before,
  own.clicks_before,
  own.leads_before,
  own.spend,
  own.impressions,
  own.clicks,
  own.leads,
  whole.measure,
  whole.change,
  case whole.measure when 'cpl' then 0 else whole.change + chain.spend end as spend_part,
  whole.sign * (chain.spend - chain.impressions) as cpm_part,
  whole.sign * (chain.impressions - chain.clicks) as ctr_part,
  whole.sign * (chain.clicks - chain.leads) as conversion_rate_part
from ads.calendar c
cross join (values ('day', 1, 28), ('week', 7, 7)) p (comparison, days, days_before)
cross join lateral (
  select
    d.config_id,
    d.entity_type,
    d.entity_id,
    d.parent_id,
    coalesce(sum(d.spend) filter (where d.date <= c.as_of - p.days), 0)
      * p.days / p.days_before as spend_before,
    coalesce(sum(d.impressions::double precision) filter (where d.date <= c.as_of - p.days), 0)
      * p.days / p.days_before as impressions_before,
    coalesce(sum(d.clicks::double precision) filter (where d.date <= c.as_of - p.days), 0)
      * p.days / p.days_before as clicks_before,
    coalesce(sum(d.leads::double precision) filter (where d.date <= c.as_of - p.days), 0)
      * p.days / p.days_before as leads_before,
    coalesce(sum(d.spend) filter (where d.date > c.as_of - p.days), 0) as spend,
    coalesce(sum(d.impressions::double precision) filter (where d.date > c.as_of - p.days), 0)
      as impressions,
    coalesce(sum(d.clicks::double precision) filter (where d.date > c.as_of - p.days), 0)
      as clicks,
    coalesce(sum(d.leads::double precision) filter (where d.date > c.as_of - p.days), 0)
      as leads
  from ads.entity_daily d
  where d.date between c.as_of - p.days - p.days_before + 1 and c.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) own
cross join lateral (
  select
    own.spend_before::double precision / nullif(own.leads_before, 0) as before,
    own.spend::double precision / nullif(own.leads, 0) as after
) cpl
cross join lateral (
  select
    case when cpl.before is null or cpl.after is null then 'leads' else 'cpl' end as measure,
    case when cpl.before is null or cpl.after is null then -1 else 1 end as sign,
    coalesce(cpl.after - cpl.before, own.leads - own.leads_before) as change,
    -- Where both are nearly the same, so are their logarithmic and their arithmetic mean: to 1e-13.
    case
      when cpl.before <= 0 or cpl.after <= 0 then 0
      when abs(cpl.after / cpl.before - 1) < 1e-6 then (cpl.before + cpl.after) / 2
      else (cpl.after - cpl.before) / ln(cpl.after / cpl.before)
    end as mean_cpl
) whole
cross join lateral (
  -- Of leads, what the side without any has of the other one.
  select
    case
      when own.leads_before > 0 then own.spend::double precision / nullif(own.spend_before, 0)
      else own.spend_before::double precision / nullif(own.spend, 0)
    end as spend,
    case
      when own.leads_before > 0 then own.impressions / nullif(own.impressions_before, 0)
      else own.impressions_before / nullif(own.impressions, 0)
    end as impressions,
    case
      when own.leads_before > 0 then own.clicks / nullif(own.clicks_before, 0)
      else own.clicks_before / nullif(own.clicks, 0)
    end as clicks,
    case
      when own.leads_before > 0 then own.leads / nullif(own.leads_before, 0)
      else own.leads_before / nullif(own.leads, 0)
    end as leads
) ratio
cross join lateral (
  select
    case
      when whole.measure = 'leads' and ratio.spend > 1 then -whole.change
      when whole.measure = 'leads' then -whole.change * ratio.spend
      when ratio.spend > 0 then whole.mean_cpl * ln(ratio.spend)
    end as spend,
    case
      when whole.measure = 'leads' and ratio.impressions > 1 then -whole.change
      when whole.measure = 'leads' then -whole.change * ratio.impressions
      when ratio.impressions > 0 then whole.mean_cpl * ln(ratio.impressions)
    end as impressions,
    case
      when whole.measure = 'leads' and ratio.clicks > 1 then -whole.change
      when whole.measure = 'leads' then -whole.change * ratio.clicks
      when ratio.clicks > 0 then whole.mean_cpl * ln(ratio.clicks)
    end as clicks,
    case
      when whole.measure = 'leads' then -whole.change * ratio.leads
      when ratio.leads > 0 then whole.mean_cpl * ln(ratio.leads)
    end as leads
) step
cross join lateral (
  select
    case whole.measure
      when 'cpl' then coalesce(step.spend, whole.change)
      else coalesce(step.spend, step.impressions, step.clicks, step.leads, 0)
    end as spend,
    coalesce(step.impressions, step.clicks, step.leads, 0) as impressions,
    coalesce(step.clicks, step.leads, 0) as clicks,
    coalesce(step.leads, 0) as leads
) chain;

comment on view ads.change_drivers is
  'What changed the cost per lead of every entity, or its leads where a CPL is undefined: a day '
  'against what was expected of it, 7 days against the 7 before. Filter as_of and comparison.';
comment on column ads.change_drivers.comparison is
  'day: as_of against the mean of the 28 days before it; week: the 7 days that end on as_of '
  'against the 7 before them.';
comment on column ads.change_drivers.spend_before is
  'In major units of the account''s currency. What is compared with, as a mean of days where the '
  'comparison is day; so are the other numbers before.';
comment on column ads.change_drivers.spend is 'In major units of the account''s currency.';
comment on column ads.change_drivers.measure is
  'cpl where there are leads on both sides, else leads: what change and its parts are in.';
comment on column ads.change_drivers.change is
  'Of the CPL in major units of the account''s currency, or of the leads; the four parts added up.';
comment on column ads.change_drivers.spend_part is
  'Because of what was spent; 0 of the CPL, which does not depend on it.';
comment on column ads.change_drivers.cpm_part is 'Because of the price of impressions.';
comment on column ads.change_drivers.ctr_part is 'Because of clicks per impression.';
comment on column ads.change_drivers.conversion_rate_part is 'Because of leads per click.';
