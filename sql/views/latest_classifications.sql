-- One row per entity: its newest classification, that of the latest day. Replaying an earlier day
-- does not hide it.
create or replace view ads.latest_classifications as
select distinct on (c.config_id, c.entity_type, c.entity_id)
  c.config_id,
  c.id,
  c.entity_type,
  c.entity_id,
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
from ads.ml_classifications c
order by
  c.config_id,
  c.entity_type,
  c.entity_id,
  c.as_of desc,
  c.classified_at desc,
  c.id desc;

comment on view ads.latest_classifications is 'The newest classification of every entity: of its latest as_of the last one made.';
