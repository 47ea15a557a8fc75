-- Why: the evidence is read by itself now, in another session while features are stored, and the
-- features of a day are read without it. The only index had those of all days of an entity together.

-- migrate:up
create index ml_features_day on ads.ml_features (config_id, entity_type, feature_date);

-- remove: sql/functions/level_evidence.sql
drop function ads.level_evidence;
-- migrate:down
drop index ads.ml_features_day;

-- include: sql/functions/level_evidence.sql
-- What is known about the CPL of all entities of a level, from ads.entity_evidence.
create or replace function ads.level_evidence(of_config_id integer, of_entity_type text, of_day date)
returns table (
  entity_id text,
  events double precision,
  exposure double precision,
  prior_alpha double precision,
  prior_beta double precision,
  alpha double precision,
  beta double precision
)
language sql
stable
parallel safe
rows 10000
set search_path = ''
-- Planned by itself: what the caller keeps the planner from would cost the evidence a quarter more time.
set enable_nestloop = on
as $$
  select
    e.entity_id,
    e.events,
    e.exposure,
    e.prior_alpha,
    e.prior_beta,
    e.alpha,
    e.beta
  from ads.entity_evidence e
  where e.config_id = of_config_id
    and e.entity_type = of_entity_type
    and e.as_of = of_day
    and e.metric = 'cpl'
$$;

comment on function ads.level_evidence(integer, text, date) is
  'The posterior of the CPL of each entity of a level as of a day, for joins: columns as in '
  'ads.entity_evidence.';
-- end include

