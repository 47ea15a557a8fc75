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
