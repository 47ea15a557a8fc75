-- One row per account, level, type of recommendation and window.
create or replace view ads.impact_by_type
with (security_invoker = true) as
select
  i.config_id,
  i.entity_type,
  i.recommendation_type,
  i.window_days,
  count(i.verdict) as measured,
  count(*) filter (where i.verdict = 'positive') as positive,
  count(*) filter (where i.verdict = 'negative') as negative,
  count(*) filter (where i.verdict = 'neutral') as neutral,
  count(*) filter (where i.verdict = 'inconclusive') as inconclusive,
  count(*) filter (where i.verdict is null) as not_measurable,
  percentile_cont(0.5) within group (order by i.cpl_pct_change) as median_cpl_pct_change
from ads.impact_results i
group by i.config_id, i.entity_type, i.recommendation_type, i.window_days;

comment on view ads.impact_by_type is
  'What applied recommendations did to the cost per lead, so many days after they were applied.';
comment on column ads.impact_by_type.measured is
  'How many have a verdict; of those without an effect about one in twenty is positive or negative by '
  'chance.';
comment on column ads.impact_by_type.not_measurable is 'Too little was delivered to say anything.';
comment on column ads.impact_by_type.median_cpl_pct_change is
  'Of those measured, in percent against what the CPL would have been; below 0 is cheaper.';
