-- One row per entity and as_of: its features over the 30 days that end on as_of.
-- An entity without a row in those days has none here either.
create or replace view ads.entity_features
with (security_invoker = true) as
select
  c.as_of,
  own.config_id,
  own.entity_type,
  own.entity_id,
  own.parent_id,
  own.spend_7d,
  own.impressions_7d::bigint as impressions_7d,
  own.clicks_7d::bigint as clicks_7d,
  own.leads_7d::bigint as leads_7d,
  trend.cpl_7d,
  trend.ctr_7d,
  own.spend_double_7d / nullif(own.clicks_7d, 0) as cpc_7d,
  100 * own.leads_7d / nullif(own.clicks_7d, 0) as conversion_rate_7d,
  ads.pct_change(trend.cpl_before, trend.cpl_7d) as cpl_trend,
  ads.pct_change(own.leads_before, own.leads_7d) as leads_trend,
  ads.pct_change(own.spend_before, own.spend_double_7d) as spend_trend,
  ads.pct_change(trend.ctr_before, trend.ctr_7d) as ctr_trend,
  (own.spend_double_7d + own.spend_before)
    / nullif(own.leads_7d + own.leads_before, 0) as cpl_14d,
  (own.leads_7d + own.leads_before)::bigint as leads_14d,
  own.spend_30d / nullif(own.leads_30d, 0) as cpl_30d,
  own.leads_30d::bigint as leads_30d,
  own.spend_30d / nullif(own.days_active, 0) as avg_daily_spend_30d,
  own.cpl_std_7d,
  sqrt((own.leads_squared_7d - own.leads_7d ^ 2 / 7) / 6) as leads_std_7d,
  case
    least(
      own.cpl_monday,
      own.cpl_tuesday,
      own.cpl_wednesday,
      own.cpl_thursday,
      own.cpl_friday,
      own.cpl_saturday,
      own.cpl_sunday
    )
    when own.cpl_monday then 0
    when own.cpl_tuesday then 1
    when own.cpl_wednesday then 2
    when own.cpl_thursday then 3
    when own.cpl_friday then 4
    when own.cpl_saturday then 5
    when own.cpl_sunday then 6
  end as best_day_of_week,
  case
    greatest(
      own.cpl_monday,
      own.cpl_tuesday,
      own.cpl_wednesday,
      own.cpl_thursday,
      own.cpl_friday,
      own.cpl_saturday,
      own.cpl_sunday
    )
    when own.cpl_monday then 0
    when own.cpl_tuesday then 1
    when own.cpl_wednesday then 2
    when own.cpl_thursday then 3
    when own.cpl_friday then 4
    when own.cpl_saturday then 5
    when own.cpl_sunday then 6
  end as worst_day_of_week,
  own.impressions_7d / nullif(own.reach_7d, 0) as frequency_7d,
  own.reach_7d::bigint as reach_7d,
  own.days_with_leads_7d,
  own.days_active,
  coalesce(e.is_active, true) as is_active,
  coalesce(e.has_budget, false) as has_budget,
  own.spend_double_7d / nullif(parent.spend_7d, 0) as share_of_parent_spend,
  own.leads_7d / nullif(parent.leads_7d, 0) as share_of_parent_leads,
  1 - trend.cpl_7d / nullif(siblings.cpl_7d, 0) as performance_vs_siblings,
  own.spend_before as spend_7d_before,
  coalesce(own.impressions_before, 0)::bigint as impressions_7d_before,
  coalesce(own.clicks_before, 0)::bigint as clicks_7d_before
from ads.calendar c
cross join lateral (
  -- Counts are added up as double precision: exact up to 2^53, and without memory of its own for
  -- each sum as bigint and numeric need it. So is money of which only ratios are made.
  select
    d.config_id,
    d.entity_type,
    d.entity_id,
    d.parent_id,
    coalesce(sum(d.spend) filter (where d.date >= c.from_7d), 0) as spend_7d,
    -- Converted here once, and not in each of the ratios below: the same sum is added up once.
    coalesce(sum(d.spend) filter (where d.date >= c.from_7d), 0)::double precision
      as spend_double_7d,
    coalesce(sum(d.impressions::double precision) filter (where d.date >= c.from_7d), 0)
      as impressions_7d,
    coalesce(sum(d.clicks::double precision) filter (where d.date >= c.from_7d), 0) as clicks_7d,
    coalesce(sum(d.leads::double precision) filter (where d.date >= c.from_7d), 0) as leads_7d,
    coalesce(sum(d.leads::double precision * d.leads) filter (where d.date >= c.from_7d), 0)
      as leads_squared_7d,
    case
      when bool_and(d.reach is not null or d.impressions = 0) filter (where d.date >= c.from_7d)
        then sum(d.reach::double precision) filter (where d.date >= c.from_7d)
    end as reach_7d,
    stddev_samp(d.spend_double / nullif(d.leads, 0)) filter (where d.date >= c.from_7d)
      as cpl_std_7d,
    count(*) filter (where d.date >= c.from_7d and d.leads > 0) as days_with_leads_7d,
    coalesce(
      sum(d.spend_double) filter (where d.date >= c.from_14d and d.date < c.from_7d),
      0
    ) as spend_before,
    sum(d.impressions::double precision)
      filter (where d.date >= c.from_14d and d.date < c.from_7d) as impressions_before,
    sum(d.clicks::double precision)
      filter (where d.date >= c.from_14d and d.date < c.from_7d) as clicks_before,
    coalesce(
      sum(d.leads::double precision)
        filter (where d.date >= c.from_14d and d.date < c.from_7d),
      0
    ) as leads_before,
    count(*) filter (where d.impressions > 0 or d.spend_double > 0) as days_active,
    sum(d.spend_double) filter (where d.weekday = 0)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 0), 0)
      as cpl_monday,
    sum(d.spend_double) filter (where d.weekday = 1)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 1), 0)
      as cpl_tuesday,
    sum(d.spend_double) filter (where d.weekday = 2)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 2), 0)
      as cpl_wednesday,
    sum(d.spend_double) filter (where d.weekday = 3)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 3), 0)
      as cpl_thursday,
    sum(d.spend_double) filter (where d.weekday = 4)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 4), 0)
      as cpl_friday,
    sum(d.spend_double) filter (where d.weekday = 5)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 5), 0)
      as cpl_saturday,
    sum(d.spend_double) filter (where d.weekday = 6)
      / nullif(sum(d.leads::double precision) filter (where d.weekday = 6), 0)
      as cpl_sunday,
    -- The same sums again, which costs nothing: quicker than adding up all days twice more.
    coalesce(sum(d.spend_double) filter (where d.weekday = 0), 0)
      + coalesce(sum(d.spend_double) filter (where d.weekday = 1), 0)
      + coalesce(sum(d.spend_double) filter (where d.weekday = 2), 0)
      + coalesce(sum(d.spend_double) filter (where d.weekday = 3), 0)
      + coalesce(sum(d.spend_double) filter (where d.weekday = 4), 0)
      + coalesce(sum(d.spend_double) filter (where d.weekday = 5), 0)
      + coalesce(sum(d.spend_double) filter (where d.weekday = 6), 0)
      as spend_30d,
    coalesce(sum(d.leads::double precision) filter (where d.weekday = 0), 0)
      + coalesce(sum(d.leads::double precision) filter (where d.weekday = 1), 0)
      + coalesce(sum(d.leads::double precision) filter (where d.weekday = 2), 0)
      + coalesce(sum(d.leads::double precision) filter (where d.weekday = 3), 0)
      + coalesce(sum(d.leads::double precision) filter (where d.weekday = 4), 0)
      + coalesce(sum(d.leads::double precision) filter (where d.weekday = 5), 0)
      + coalesce(sum(d.leads::double precision) filter (where d.weekday = 6), 0)
      as leads_30d
  from ads.entity_daily d
  where d.date between c.from_30d and c.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) own
cross join lateral (
  select
    own.spend_double_7d / nullif(own.leads_7d, 0) as cpl_7d,
    100 * own.clicks_7d / nullif(own.impressions_7d, 0) as ctr_7d,
    own.spend_before / nullif(own.leads_before, 0) as cpl_before,
    100 * own.clicks_before / nullif(own.impressions_before, 0) as ctr_before
) trend
left join ads.entities e
  on e.config_id = own.config_id
  and e.entity_type = own.entity_type
  and e.entity_id = own.entity_id
left join lateral (
  select
    d.config_id,
    d.child_type as entity_type,
    sum(d.spend)::double precision as spend_7d,
    sum(d.leads::double precision) as leads_7d
  from ads.account_daily d
  where d.date between c.from_7d and c.as_of
  group by d.config_id, d.child_type
) account
  on account.config_id = own.config_id
  and account.entity_type = own.entity_type
left join ads.parent_totals adset_or_campaign
  on adset_or_campaign.as_of = c.as_of
  and adset_or_campaign.config_id = own.config_id
  and adset_or_campaign.entity_type = own.entity_type
  and adset_or_campaign.entity_id = own.entity_id
  and adset_or_campaign.parent_id = own.parent_id
cross join lateral (
  select
    coalesce(account.spend_7d, adset_or_campaign.spend_7d) as spend_7d,
    coalesce(account.leads_7d, adset_or_campaign.leads_7d) as leads_7d
) parent
cross join lateral (
  select
    (parent.spend_7d - own.spend_double_7d)
      / nullif(parent.leads_7d - own.leads_7d, 0) as cpl_7d
) siblings;

comment on view ads.entity_features is
  'Features of every entity over the days that end on as_of; filter as_of to one day. What they '
  'mean and when they are null is said at each column.';
comment on column ads.entity_features.spend_7d is 'In major units of the account''s currency.';
comment on column ads.entity_features.cpl_7d is 'Null without leads.';
comment on column ads.entity_features.ctr_7d is 'Percent; null without impressions.';
comment on column ads.entity_features.cpc_7d is 'Null without clicks.';
comment on column ads.entity_features.conversion_rate_7d is
  'Leads per click in percent; null without clicks.';
comment on column ads.entity_features.cpl_trend is
  'Percent change of 7 days against the 7 before, like the other trends; null where either CPL is.';
comment on column ads.entity_features.avg_daily_spend_30d is 'Over the days with delivery.';
comment on column ads.entity_features.cpl_std_7d is
  'Sample standard deviation of the daily CPL over days with leads; null below two of them.';
comment on column ads.entity_features.leads_std_7d is
  'Sample standard deviation over all 7 days; a day without a row counts 0.';
comment on column ads.entity_features.best_day_of_week is
  '0 is Monday: the weekday with the lowest CPL over 30 days; null without leads.';
comment on column ads.entity_features.worst_day_of_week is
  '0 is Monday: the weekday with the highest CPL over 30 days; null without leads.';
comment on column ads.entity_features.frequency_7d is
  'A lower bound: impressions by reach_7d. Null where reach is unknown.';
comment on column ads.entity_features.reach_7d is
  'An upper bound: the sum of daily reach, which counts a person once a day and ad. Null '
  'where that of any day is unknown.';
comment on column ads.entity_features.days_active is 'Days with delivery in the last 30.';
comment on column ads.entity_features.is_active is 'It and all above it run.';
comment on column ads.entity_features.has_budget is
  'Its own, or the one above it that pays for it.';
comment on column ads.entity_features.share_of_parent_spend is
  'Fraction 0 to 1 over 7 days; a campaign''s parent is the account. Null where that has none, and, '
  'like what compares siblings, where ads.entities does not know the ad set or ad below its parent.';
comment on column ads.entity_features.share_of_parent_leads is
  'Fraction 0 to 1 over 7 days; a campaign''s parent is the account. Null where that has none.';
comment on column ads.entity_features.performance_vs_siblings is
  '(siblings'' CPL - own CPL) / siblings'' CPL over 7 days, positive is better; null without '
  'siblings or leads on either side.';
comment on column ads.entity_features.spend_7d_before is
  'Of the 7 days before those, like impressions_7d_before and clicks_7d_before.';
