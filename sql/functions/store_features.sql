-- Stores the features of one level of an account on a day, by one statement.
create or replace function ads.store_features(
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
  insert into ads.ml_features (
    config_id,
    entity_type,
    entity_id,
    window_days,
    feature_date,
    parent_id,
    spend_7d,
    impressions_7d,
    clicks_7d,
    leads_7d,
    cpl_7d,
    ctr_7d,
    cpc_7d,
    conversion_rate_7d,
    cpl_trend,
    leads_trend,
    spend_trend,
    ctr_trend,
    cpl_14d,
    leads_14d,
    cpl_30d,
    leads_30d,
    avg_daily_spend_30d,
    cpl_std_7d,
    leads_std_7d,
    best_day_of_week,
    worst_day_of_week,
    frequency_7d,
    reach_7d,
    days_with_leads_7d,
    days_active,
    is_active,
    has_budget,
    share_of_parent_spend,
    share_of_parent_leads,
    performance_vs_siblings,
    spend_7d_before,
    impressions_7d_before,
    clicks_7d_before,
    insufficient_data,
    computed_at
  )
  select
    f.config_id,
    f.entity_type,
    f.entity_id,
    30,
    f.as_of,
    f.parent_id,
    f.spend_7d,
    f.impressions_7d,
    f.clicks_7d,
    f.leads_7d,
    f.cpl_7d,
    f.ctr_7d,
    f.cpc_7d,
    f.conversion_rate_7d,
    f.cpl_trend,
    f.leads_trend,
    f.spend_trend,
    f.ctr_trend,
    f.cpl_14d,
    f.leads_14d,
    f.cpl_30d,
    f.leads_30d,
    f.avg_daily_spend_30d,
    f.cpl_std_7d,
    f.leads_std_7d,
    f.best_day_of_week,
    f.worst_day_of_week,
    f.frequency_7d,
    f.reach_7d,
    f.days_with_leads_7d,
    f.days_active,
    f.is_active,
    f.has_budget,
    f.share_of_parent_spend,
    f.share_of_parent_leads,
    f.performance_vs_siblings,
    f.spend_7d_before,
    f.impressions_7d_before,
    f.clicks_7d_before,
    r.reference is null or f.avg_daily_spend_30d is null or f.avg_daily_spend_30d = 0,
    at
  from ads.entity_features f
  join ads.account_reference r
    on r.config_id = f.config_id
    and r.as_of = f.as_of
  where f.config_id = of_config_id
    and f.entity_type = of_entity_type
    and f.as_of = of_day
  on conflict (config_id, entity_type, entity_id, window_days, feature_date) do update set
    parent_id = excluded.parent_id,
    spend_7d = excluded.spend_7d,
    impressions_7d = excluded.impressions_7d,
    clicks_7d = excluded.clicks_7d,
    leads_7d = excluded.leads_7d,
    cpl_7d = excluded.cpl_7d,
    ctr_7d = excluded.ctr_7d,
    cpc_7d = excluded.cpc_7d,
    conversion_rate_7d = excluded.conversion_rate_7d,
    cpl_trend = excluded.cpl_trend,
    leads_trend = excluded.leads_trend,
    spend_trend = excluded.spend_trend,
    ctr_trend = excluded.ctr_trend,
    cpl_14d = excluded.cpl_14d,
    leads_14d = excluded.leads_14d,
    cpl_30d = excluded.cpl_30d,
    leads_30d = excluded.leads_30d,
    avg_daily_spend_30d = excluded.avg_daily_spend_30d,
    cpl_std_7d = excluded.cpl_std_7d,
    leads_std_7d = excluded.leads_std_7d,
    best_day_of_week = excluded.best_day_of_week,
    worst_day_of_week = excluded.worst_day_of_week,
    frequency_7d = excluded.frequency_7d,
    reach_7d = excluded.reach_7d,
    days_with_leads_7d = excluded.days_with_leads_7d,
    days_active = excluded.days_active,
    is_active = excluded.is_active,
    has_budget = excluded.has_budget,
    share_of_parent_spend = excluded.share_of_parent_spend,
    share_of_parent_leads = excluded.share_of_parent_leads,
    performance_vs_siblings = excluded.performance_vs_siblings,
    spend_7d_before = excluded.spend_7d_before,
    impressions_7d_before = excluded.impressions_7d_before,
    clicks_7d_before = excluded.clicks_7d_before,
    insufficient_data = excluded.insufficient_data,
    computed_at = excluded.computed_at;
  get diagnostics stored = row_count;
  return stored;
end;
$$;

comment on function ads.store_features(integer, text, date, timestamptz) is
  'Writes ads.entity_features of a day to ads.ml_features, over what was stored before; returns the '
  'number of entities.';
