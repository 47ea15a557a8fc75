-- Scores all forecasts of one day on one level of an account against what came, by one statement.
create or replace function ads.score_forecasts(
  of_config_id integer,
  of_entity_type text,
  of_day date,
  at timestamptz
)
returns bigint
language plpgsql
set search_path = ''
-- The plan depends on the account's size, and has to be right before anything was analyzed.
set plan_cache_mode = 'force_custom_plan'
set enable_nestloop = off
as $$
declare
  stored bigint;
begin
  with
  came as materialized (
    select
      d.entity_id,
      d.spend_double as spend,
      d.leads::double precision as leads
    from ads.entity_daily d
    where d.config_id = of_config_id
      and d.entity_type = of_entity_type
      and d.date = of_day
    union all
    select
      a.config_id::text,
      a.spend::double precision,
      a.leads::double precision
    from ads.account_daily a
    where a.config_id = of_config_id
      and a.date = of_day
      and of_entity_type = 'account'
  ),
  shapes as materialized (
    select s.metric, s.as_of, s.low95, s.low80, s.high80, s.high95, s.widened80, s.widened95
    from ads.forecast_shapes s
    where s.config_id = of_config_id
      and s.entity_type = of_entity_type
      and s.as_of between of_day - 31 and of_day - 1
  ),
  errors as (
    select
      m.metric,
      of_day - f.as_of as days_ahead,
      m.error,
      nullif(m.scale, 0) as scale,
      -- In spreads; what has stopped has none.
      m.error / nullif(m.spread, 0) as scaled,
      s.low95,
      s.low80,
      s.high80,
      s.high95,
      s.widened80,
      s.widened95
    from ads.ml_forecasts f
    left join came c
      on c.entity_id = f.entity_id
    cross join lateral (
      values
        (
          'spend',
          coalesce(c.spend, 0) - f.spend[of_day - f.as_of],
          f.spend_spread[of_day - f.as_of]::double precision,
          f.spend_scale::double precision
        ),
        (
          'leads',
          coalesce(c.leads, 0) - f.leads[of_day - f.as_of],
          f.leads_spread[of_day - f.as_of]::double precision,
          f.leads_scale::double precision
        )
    ) m (metric, error, spread, scale)
    join shapes s
      on s.as_of = f.as_of
      and s.metric = m.metric
    where f.config_id = of_config_id
      and f.entity_type = of_entity_type
      and f.as_of between of_day - 31 and of_day - 1
      and m.error is not null
      -- A day on which nothing of the account is known was no day without delivery.
      and exists (
        select
        from ads.account_daily a
        where a.config_id = of_config_id
          and a.date = of_day
      )
  )
  insert into ads.forecast_scores (
    config_id,
    entity_type,
    metric,
    date,
    days_ahead,
    forecasts,
    scaled,
    scaled_error,
    scaled_bias,
    ranges,
    within80,
    within95,
    needed80,
    needed95,
    updated_at
  )
  select
    of_config_id,
    of_entity_type,
    e.metric,
    of_day,
    e.days_ahead,
    count(*),
    count(e.scale),
    coalesce(sum(abs(e.error) / e.scale), 0),
    coalesce(sum(-e.error / e.scale), 0),
    count(e.scaled),
    count(*) filter (where e.scaled between e.low80 and e.high80),
    count(*) filter (where e.scaled between e.low95 and e.high95),
    percentile_cont(0.8) within group (
      order by e.widened80 * e.scaled / nullif(case when e.scaled < 0 then e.low80 else e.high80 end, 0)
    ),
    percentile_cont(0.95) within group (
      order by e.widened95 * e.scaled / nullif(case when e.scaled < 0 then e.low95 else e.high95 end, 0)
    ),
    at
  from errors e
  group by e.metric, e.days_ahead
  on conflict (config_id, entity_type, date, metric, days_ahead) do update set
    forecasts = excluded.forecasts,
    scaled = excluded.scaled,
    scaled_error = excluded.scaled_error,
    scaled_bias = excluded.scaled_bias,
    ranges = excluded.ranges,
    within80 = excluded.within80,
    within95 = excluded.within95,
    needed80 = excluded.needed80,
    needed95 = excluded.needed95,
    updated_at = excluded.updated_at;
  get diagnostics stored = row_count;
  return stored;
end;
$$;

comment on function ads.score_forecasts(integer, text, date, timestamptz) is
  'Writes ads.forecast_scores of a day that came, over what was stored before; returns the number of '
  'rows, 0 where nothing of the account is known of that day.';
