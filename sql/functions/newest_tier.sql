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
