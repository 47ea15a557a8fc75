-- A database may come from the older schema that knew campaigns only, by campaign_id:
-- public.ml_campaign_classifications and public.ml_features. Their rows become rows of
-- ads.ml_classifications and ads.ml_features. The tables themselves, with all that hangs on them,
-- are moved aside to schema ads_campaign_only as they are: down restores them exactly, and values
-- that the new tables have no place for stay there. A database without them is left alone.
--
-- Only the keys are certain. The rest is read by name from the row as jsonb, so that a column that
-- is missing, unknown or of another type breaks nothing.

-- migrate:up
do $$
declare
  old_table text;
begin
  for old_table in
    select c.relname
    from pg_catalog.pg_class c
    join pg_catalog.pg_namespace n on n.oid = c.relnamespace
    where n.nspname = 'public'
      and c.relname in ('ml_campaign_classifications', 'ml_features')
      and c.relkind in ('r', 'p')
      -- A table of the same name without these is somebody else's.
      and (
        select count(*)
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid
          and a.attname in ('config_id', 'campaign_id')
          and not a.attisdropped
      ) = 2
    order by c.relname
  loop
    create schema if not exists ads_campaign_only;
    comment on schema ads_campaign_only is
      'The tables of the older campaign-only schema, unchanged, and which rows of schema ads were '
      'made for them. Migrating down restores them from here.';
    create table if not exists ads_campaign_only.adopted_accounts (config_id integer primary key);
    create table if not exists ads_campaign_only.adopted_classifications (
      config_id integer,
      id bigint,
      primary key (config_id, id)
    );
    create table if not exists ads_campaign_only.adopted_features (
      config_id integer,
      entity_id text,
      window_days integer,
      feature_date date,
      primary key (config_id, entity_id, window_days, feature_date)
    );

    -- Indexes, constraints, owned sequences, comments and privileges move along.
    execute format('alter table public.%I set schema ads_campaign_only', old_table);

    -- The older schema knew neither name nor currency nor time zone of an account: placeholders, to
    -- be corrected by hand.
    execute format(
      $f$
        with inserted as (
          insert into ads.accounts (config_id, name, currency, time_zone)
          select distinct
            o.config_id::text::integer,
            'Account ' || o.config_id,
            'USD',
            'UTC'
          from ads_campaign_only.%I o
          on conflict (config_id) do nothing
          returning config_id
        )
        insert into ads_campaign_only.adopted_accounts (config_id)
        select config_id
        from inserted
      $f$,
      old_table
    );
  end loop;
end;
$$;

do $$
declare
  tiers constant text[] := array['HIGH_PERFORMER', 'MODERATE', 'LOW', 'UNDERPERFORMER'];
  whole_number constant text := '^[0-9]{1,18}$';
  number constant text := '^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$';
  id_sequence constant text := pg_catalog.pg_get_serial_sequence('ads.ml_classifications', 'id');
  unknown_tier text;
begin
  if to_regclass('ads_campaign_only.ml_campaign_classifications') is null then
    return;
  end if;

  -- Instants without a time zone were written in UTC.
  set local time zone 'UTC';

  select coalesce(t.tier, 'null')
  into unknown_tier
  from ads_campaign_only.ml_campaign_classifications o
  cross join lateral (select to_jsonb(o) ->> 'tier' as tier) t
  where (upper(t.tier) = any (tiers)) is not true
  limit 1;
  if found then
    raise exception
      'public.ml_campaign_classifications holds the tier "%", which is none of %',
      unknown_tier, array_to_string(tiers, ', ')
      using hint = 'Correct or delete those rows, then migrate again';
  end if;

  -- First, so that an id drawn below is neither an older one nor one that is in use.
  perform setval(id_sequence, greatest(ids.last_old, ids.last_new, 1))
  from (
    select
      (
        select max(i.id::bigint)
        from ads_campaign_only.ml_campaign_classifications o
        cross join lateral (select to_jsonb(o) ->> 'id' as id) i
        where i.id ~ whole_number
      ) as last_old,
      (select max(c.id) from ads.ml_classifications c) as last_new
  ) ids
  where ids.last_old is not null
    or ids.last_new is not null;

  with older as (
    select to_jsonb(o) as fields
    from ads_campaign_only.ml_campaign_classifications o
  ),
  keyed as (
    select
      o.fields,
      (o.fields ->> 'config_id')::integer as config_id,
      case when o.fields ->> 'id' ~ whole_number then (o.fields ->> 'id')::bigint end as id
    from older o
  ),
  numbered as (
    select
      k.fields,
      k.config_id,
      -- An id stays unless it is taken or no whole number (a uuid).
      case
        when c.id is null and row_number() over (partition by k.config_id, k.id) = 1 then k.id
      end as id
    from keyed k
    left join ads.ml_classifications c on c.config_id = k.config_id and c.id = k.id
  ),
  dated as (
    select
      n.fields,
      n.config_id,
      n.id,
      coalesce(
        (n.fields ->> 'classified_at')::timestamptz,
        (n.fields ->> 'valid_until')::timestamptz - interval '24 hours',
        -- Nobody knows when: older than everything that has a date.
        timestamptz 'epoch'
      ) as classified_at
    from numbered n
  ),
  told as (
    select
      d.config_id,
      coalesce(d.id, nextval(id_sequence)) as id,
      d.fields ->> 'campaign_id' as entity_id,
      upper(d.fields ->> 'tier') as tier,
      -- What is no probability claims nothing.
      case
        when d.fields ->> 'confidence_score' ~ number
          and (d.fields ->> 'confidence_score')::double precision between 0 and 1
          then (d.fields ->> 'confidence_score')::double precision
        else 0
      end as confidence_score,
      case
        when jsonb_typeof(d.fields -> 'metrics_snapshot') = 'object'
          then d.fields -> 'metrics_snapshot'
        else '{}'
      end as metrics_snapshot,
      case
        when jsonb_typeof(d.fields -> 'feature_importances') = 'object'
          then d.fields -> 'feature_importances'
      end as feature_importances,
      case
        when upper(d.fields ->> 'previous_tier') = any (tiers)
          then upper(d.fields ->> 'previous_tier')
      end as previous_tier,
      case
        when lower(d.fields ->> 'tier_change_direction') in ('improved', 'declined', 'stable')
          then lower(d.fields ->> 'tier_change_direction')
      end as tier_change_direction,
      -- The last complete day when it was made, as near as an account without a time zone tells.
      d.classified_at::date - 1 as as_of,
      case
        when d.fields ->> 'window_days' ~ whole_number then (d.fields ->> 'window_days')::integer
        else 30
      end as window_days,
      coalesce(d.fields ->> 'model_version', 'campaign-only') as model_version,
      d.classified_at,
      coalesce(
        (d.fields ->> 'valid_until')::timestamptz,
        d.classified_at + interval '24 hours'
      ) as valid_until,
      d.fields
    from dated d
  ),
  -- Materialized: otherwise each row is turned into jsonb anew for every one of its values.
  compared as materialized (
    select
      t.*,
      to_jsonb(t) as told
    from told t
  ),
  adopted as (
    insert into ads.ml_classifications (
      config_id,
      id,
      entity_type,
      entity_id,
      tier,
      confidence_score,
      metrics_snapshot,
      feature_importances,
      previous_tier,
      tier_change_direction,
      as_of,
      window_days,
      model_version,
      classified_at,
      valid_until
    )
    select
      c.config_id,
      c.id,
      'campaign',
      c.entity_id,
      c.tier,
      c.confidence_score,
      case
        when homeless.fields is null then c.metrics_snapshot
        else c.metrics_snapshot || jsonb_build_object('campaign_only', homeless.fields)
      end,
      c.feature_importances,
      c.previous_tier,
      c.tier_change_direction,
      c.as_of,
      c.window_days,
      c.model_version,
      c.classified_at,
      c.valid_until
    from compared c
    -- Every value that the new row does not hold as it was, except instants, which only look other.
    cross join lateral (
      select jsonb_object_agg(f.key, f.value) as fields
      from jsonb_each(c.fields) f
      where f.key not in ('campaign_id', 'classified_at', 'valid_until')
        and f.value <> 'null'
        and f.value is distinct from c.told -> f.key
    ) homeless
    returning config_id, id
  )
  insert into ads_campaign_only.adopted_classifications (config_id, id)
  select config_id, id
  from adopted;
end;
$$;

do $$
declare
  number constant text := '^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$';
begin
  if to_regclass('ads_campaign_only.ml_features') is null then
    return;
  end if;

  set local time zone 'UTC';

  -- Materialized, here and below: otherwise each row is turned into jsonb anew for every column.
  with older as materialized (
    select
      -- Some versions kept the features as one object, in a column of that name.
      case jsonb_typeof(to_jsonb(o) -> 'features')
        when 'object' then to_jsonb(o) -> 'features'
        else '{}'
      end || to_jsonb(o) as fields
    from ads_campaign_only.ml_features o
  ),
  fitting as materialized (
    -- The values that their new column can hold. Others, NaN or the name of a weekday, become null.
    select
      o.fields,
      (
        select
          jsonb_object_agg(
            a.attname,
            case
              when c.kind = 'boolean' and v.value in ('true', 'false', '1', '0') then v.value
              when c.kind in ('integer', 'number') and v.value ~ number
                then case c.kind when 'integer' then round(v.value::numeric)::text else v.value end
            end
          )
        from pg_catalog.pg_attribute a
        cross join lateral (
          select
            case
              when a.atttypid in ('integer'::regtype, 'bigint'::regtype) then 'integer'
              when a.atttypid in ('numeric'::regtype, 'double precision'::regtype) then 'number'
              when a.atttypid = 'boolean'::regtype then 'boolean'
            end as kind
        ) c
        cross join lateral (select o.fields ->> a.attname as value) v
        where a.attrelid = 'ads.ml_features'::regclass
          and a.attnum > 0
          and not a.attisdropped
      ) as features
    from older o
  ),
  adopted as (
    insert into ads.ml_features
    -- The key is new: of rows for the same campaign, window and day the one computed last counts.
    select distinct on (n.config_id, n.entity_id, n.window_days, n.feature_date) n.*
    from fitting f
    cross join lateral jsonb_populate_record(
      null::ads.ml_features,
      f.features || jsonb_build_object(
        'entity_type', 'campaign',
        'entity_id', f.fields ->> 'campaign_id',
        'window_days', coalesce(f.features ->> 'window_days', '30'),
        'feature_date', f.fields ->> 'feature_date',
        'insufficient_data', coalesce(
          f.features ->> 'insufficient_data',
          (coalesce((f.features ->> 'spend_7d')::numeric, 0) = 0)::text
        ),
        'computed_at', coalesce(
          (f.fields ->> 'computed_at')::timestamptz,
          (f.fields ->> 'generated_at')::timestamptz,
          (f.fields ->> 'feature_date')::timestamptz + interval '1 day'
        )
      )
    ) n
    order by
      n.config_id,
      n.entity_id,
      n.window_days,
      n.feature_date,
      n.computed_at desc,
      f.fields desc
    on conflict (config_id, entity_type, entity_id, window_days, feature_date) do nothing
    returning config_id, entity_id, window_days, feature_date
  )
  insert into ads_campaign_only.adopted_features (config_id, entity_id, window_days, feature_date)
  select config_id, entity_id, window_days, feature_date
  from adopted;
end;
$$;

-- migrate:down
do $$
declare
  old_table text;
begin
  if to_regnamespace('ads_campaign_only') is null then
    return;
  end if;

  delete from ads.ml_classification_feedback f
  using ads_campaign_only.adopted_classifications a
  where f.config_id = a.config_id
    and f.classification_id = a.id;

  delete from ads.ml_classifications c
  using ads_campaign_only.adopted_classifications a
  where c.config_id = a.config_id
    and c.id = a.id;

  delete from ads.ml_features f
  using ads_campaign_only.adopted_features a
  where f.config_id = a.config_id
    and f.entity_type = 'campaign'
    and f.entity_id = a.entity_id
    and f.window_days = a.window_days
    and f.feature_date = a.feature_date;

  -- An account that an import has filled since is no longer ours to remove.
  delete from ads.accounts c
  using ads_campaign_only.adopted_accounts a
  where c.config_id = a.config_id
    and not exists (select 1 from ads.campaigns e where e.config_id = c.config_id);

  drop table ads_campaign_only.adopted_accounts;
  drop table ads_campaign_only.adopted_classifications;
  drop table ads_campaign_only.adopted_features;

  for old_table in
    select c.relname
    from pg_catalog.pg_class c
    where c.relnamespace = to_regnamespace('ads_campaign_only')
      and c.relname in ('ml_campaign_classifications', 'ml_features')
    order by c.relname
  loop
    execute format('alter table ads_campaign_only.%I set schema public', old_table);
  end loop;

  drop schema ads_campaign_only;
end;
$$;
