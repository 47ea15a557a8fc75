-- Why: with statistics of a time when there were none, tiers were looked for among all of an account
-- and entities were compared with all, once for each of them.

-- migrate:up
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

-- include: sql/functions/newest_tier.sql
-- The tier that an entity had on a day: of its latest classification to then the last one made.
create or replace function ads.newest_tier(
  of_config_id integer,
  of_entity_type text,
  of_entity_id text,
  of_day date
)
returns table (tier text, as_of date, valid_until timestamptz)
language sql
stable
parallel safe
rows 1
set search_path = ''
-- The index by entity has the rows in this order. Where little is known about the table, the planner
-- would as well read all of an account and sort it, for each entity.
set enable_sort = off
as $$
  select
    c.tier,
    c.as_of,
    c.valid_until
  from ads.ml_classifications c
  where c.config_id = of_config_id
    and c.entity_type = of_entity_type
    and c.entity_id = of_entity_id
    and c.as_of <= of_day
  order by c.as_of desc, c.classified_at desc, c.id desc
  limit 1
$$;

comment on function ads.newest_tier(integer, text, text, date) is
  'The tier of an entity as of a day, the day that it was given for and until when it holds; no row '
  'where it never had one. Quicker than ads.latest_classifications for many single entities.';
-- end include

-- include: sql/functions/days_underperforming.sql
-- For how many days to a day an entity has been an underperformer without a break, of the last 30.
create or replace function ads.days_underperforming(
  of_config_id integer,
  of_entity_type text,
  of_entity_id text,
  of_day date
)
returns integer
language sql
stable
parallel safe
set search_path = ''
-- As in ads.newest_tier.
set enable_sort = off
as $$
  select
    coalesce(
      (
        select of_day - c.as_of
        from ads.ml_classifications c
        where c.config_id = of_config_id
          and c.entity_type = of_entity_type
          and c.entity_id = of_entity_id
          and c.as_of between of_day - 29 and of_day
          and c.tier <> 'UNDERPERFORMER'
        order by c.as_of desc, c.classified_at desc, c.id desc
        limit 1
      ),
      (
        select of_day + 1 - c.as_of
        from ads.ml_classifications c
        where c.config_id = of_config_id
          and c.entity_type = of_entity_type
          and c.entity_id = of_entity_id
          and c.as_of between of_day - 29 and of_day
        order by c.as_of, c.classified_at, c.id
        limit 1
      ),
      0
    )
$$;

comment on function ads.days_underperforming(integer, text, text, date) is
  'Days since the last other tier, that day not counted, or since the first tier of the last 30 days '
  'where it had no other; 0 where it had none. A day between two without a tier counts.';
-- end include

-- migrate:down
drop function ads.days_underperforming;
drop function ads.newest_tier;
drop function ads.level_evidence;
