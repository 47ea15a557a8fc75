-- One row per entity: its newest classification, that of the latest day. Replaying an earlier day
-- does not hide it.
create or replace view ads.latest_classifications
with (security_invoker = true) as
-- The index by entity alone says which row is the newest, so of a long history no other is read.
with newest as (
  select distinct on (config_id, entity_type, entity_id)
    config_id,
    entity_type,
    entity_id,
    id
  from ads.ml_classifications
  order by
    config_id,
    entity_type,
    entity_id,
    as_of desc,
    classified_at desc,
    id desc
)
select
  n.config_id,
  n.id,
  n.entity_type,
  n.entity_id,
  c.parent_id,
  c.tier,
  c.confidence_score,
  c.tier_probabilities,
  c.metrics_snapshot,
  c.feature_importances,
  c.previous_tier,
  c.tier_change_direction,
  c.as_of,
  c.window_days,
  c.model_version,
  c.classified_at,
  c.valid_until
from newest n
join ads.ml_classifications c
  on c.config_id = n.config_id
  and c.id = n.id;

comment on view ads.latest_classifications is
  'The newest classification of every entity: of its latest as_of the last one made.';
