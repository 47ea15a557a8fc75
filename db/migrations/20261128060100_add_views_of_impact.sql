-- What is changed around an entity is not compared with it, and what advice did is asked in SQL.

-- migrate:up
-- include: sql/views/entity_changes.sql
-- One row per entity and applied recommendation about it or about something in it.
create or replace view ads.entity_changes
with (security_invoker = true) as
select
  r.config_id,
  t.entity_type,
  t.entity_id,
  r.id as recommendation_id,
  r.entity_type = t.entity_type as is_own,
  r.applied_at,
  (r.applied_at at time zone a.time_zone)::date as date
from ads.ml_recommendations r
join ads.accounts a
  on a.config_id = r.config_id
cross join lateral (
  values
    ('campaign', case r.entity_type when 'campaign' then r.entity_id else r.campaign_id end),
    ('adset', case r.entity_type when 'adset' then r.entity_id when 'ad' then r.parent_id end),
    ('ad', case r.entity_type when 'ad' then r.entity_id end)
) t (entity_type, entity_id)
where r.status = 'applied'
  and t.entity_id is not null;

comment on view ads.entity_changes is
  'What somebody changed, as far as it was advised and noted as applied: campaigns, ad sets and ads, '
  'each also where something in it was changed.';
comment on column ads.entity_changes.is_own is 'Whether it was changed itself.';
comment on column ads.entity_changes.date is 'The day, in the account''s time zone.';
-- end include

-- include: sql/views/impact_by_type.sql
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
-- end include

-- migrate:down
drop view ads.impact_by_type;
drop view ads.entity_changes;
