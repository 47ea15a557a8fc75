-- Views ask with the rights of their caller, so that row level security holds through them too. Siblings
-- are compared by ads.parent_totals, which reaches the parent of one entity by key;
-- ads.parent_daily added up all parents of the account first.

-- migrate:up
drop view ads.stale_runs;
drop function ads.store_features;
drop view ads.latest_classifications;
drop view ads.entity_evidence;
drop view ads.entity_features;
drop view ads.account_reference;
drop view ads.entity_totals;
drop view ads.entity_daily;
drop view ads.entities;
drop function ads.create_insight_partitions;
-- remove: sql/views/parent_daily.sql
drop view ads.parent_daily;
-- include: sql/functions/create_insight_partitions.sql
-- Creates the monthly partitions of ads.insights that hold the days from date_from to date_to.
create or replace function ads.create_insight_partitions(date_from date, date_to date)
returns void
language plpgsql
set search_path = ''
as $$
declare
  month date;
  partition_name text;
begin
  for month in
    select generate_series(date_trunc('month', date_from), date_to, interval '1 month')::date
  loop
    partition_name := 'insights_' || to_char(month, 'YYYY_MM');
    continue when to_regclass(format('ads.%I', partition_name)) is not null;
    -- One creator at a time; the others wait here and then find the partition.
    lock table ads.insights in share update exclusive mode;
    continue when to_regclass(format('ads.%I', partition_name)) is not null;
    -- Attaching lets readers of ads.insights go on, which "partition of" would lock out until the
    -- end of a long import.
    execute format('create table ads.%I (like ads.insights including all)', partition_name);
    -- Without a policy it lets nobody in but through ads.insights, which has one.
    execute format('alter table ads.%I enable row level security', partition_name);
    execute format(
      'alter table ads.insights attach partition ads.%I for values from (%L) to (%L)',
      partition_name, month, (month + interval '1 month')::date
    );
  end loop;
end;
$$;

comment on function ads.create_insight_partitions(date, date) is
  'Creates the monthly partitions of ads.insights for these days, both included; others stay.';
-- end include

-- include: sql/views/entities.sql
-- One row per campaign, ad set and ad.
-- Left joins, although no parent is missing: before anything was analyzed the planner expects inner
-- joins to leave a single row, and joins that to thousands by comparing all with all.
create or replace view ads.entities
with (security_invoker = true) as
select
  c.config_id,
  'campaign'::text as entity_type,
  c.campaign_id as entity_id,
  null::text as parent_id,
  c.campaign_id,
  null::text as adset_id,
  c.name,
  c.name as campaign_name,
  c.objective,
  c.status,
  c.effective_status,
  c.daily_budget,
  c.lifetime_budget,
  coalesce(c.daily_budget, c.lifetime_budget) is not null as has_budget,
  case when coalesce(c.daily_budget, c.lifetime_budget) is not null then 'campaign' end
    as budget_holder,
  ads.is_running(c.status, c.effective_status) as is_active
from ads.campaigns c
union all
select
  s.config_id,
  'adset'::text,
  s.adset_id,
  s.campaign_id,
  s.campaign_id,
  s.adset_id,
  s.name,
  c.name,
  c.objective,
  s.status,
  s.effective_status,
  s.daily_budget,
  s.lifetime_budget,
  coalesce(c.daily_budget, c.lifetime_budget, s.daily_budget, s.lifetime_budget) is not null,
  case
    when coalesce(c.daily_budget, c.lifetime_budget) is not null then 'campaign'
    when coalesce(s.daily_budget, s.lifetime_budget) is not null then 'adset'
  end,
  ads.is_running(s.status, s.effective_status)
    and ads.is_running(c.status, c.effective_status)
from ads.adsets s
left join ads.campaigns c
  on c.config_id = s.config_id
  and c.campaign_id = s.campaign_id
union all
select
  a.config_id,
  'ad'::text,
  a.ad_id,
  a.adset_id,
  a.campaign_id,
  a.adset_id,
  a.name,
  c.name,
  c.objective,
  a.status,
  a.effective_status,
  null::numeric,
  null::numeric,
  coalesce(c.daily_budget, c.lifetime_budget, s.daily_budget, s.lifetime_budget) is not null,
  case
    when coalesce(c.daily_budget, c.lifetime_budget) is not null then 'campaign'
    when coalesce(s.daily_budget, s.lifetime_budget) is not null then 'adset'
  end,
  ads.is_running(a.status, a.effective_status)
    and ads.is_running(s.status, s.effective_status)
    and ads.is_running(c.status, c.effective_status)
from ads.ads a
left join ads.adsets s
  on s.config_id = a.config_id
  and s.adset_id = a.adset_id
left join ads.campaigns c
  on c.config_id = a.config_id
  and c.campaign_id = a.campaign_id;

comment on view ads.entities is 'All campaigns, ad sets and ads of an account.';
comment on column ads.entities.parent_id is
  'The campaign of an ad set, the ad set of an ad, null for a campaign.';
comment on column ads.entities.daily_budget is
  'Its own, in major units of the account''s currency; an ad has none.';
comment on column ads.entities.lifetime_budget is
  'Its own, in major units of the account''s currency; an ad has none.';
comment on column ads.entities.has_budget is
  'Its own or the one above it that pays for it is known.';
comment on column ads.entities.budget_holder is
  'The level that holds the budget it spends: campaign or adset, null where none is known.';
comment on column ads.entities.is_active is 'It and all above it run, as far as is known.';
-- end include

-- include: sql/views/entity_daily.sql
-- One row per entity and day with delivery.
-- The constant entity_type lets a filter on the level drop the other branches at plan time. Counts
-- are added up as double precision: exact up to 2^53, and without memory of its own for each sum as
-- bigint needs it.
create or replace view ads.entity_daily
with (security_invoker = true) as
select
  d.config_id,
  d.entity_type,
  d.entity_id,
  d.parent_id,
  d.date,
  d.spend,
  d.impressions,
  d.reach,
  d.clicks,
  d.link_clicks,
  d.leads,
  d.conversions,
  d.spend_double,
  d.weekday
from (
  select
    i.config_id,
    'campaign'::text as entity_type,
    i.campaign_id as entity_id,
    null::text as parent_id,
    i.date,
    sum(i.spend) as spend,
    sum(i.impressions::double precision)::bigint as impressions,
    case
      when bool_and(i.reach is not null or i.impressions = 0)
        then sum(i.reach::double precision)::bigint
    end as reach,
    sum(i.clicks::double precision)::bigint as clicks,
    sum(i.link_clicks::double precision)::bigint as link_clicks,
    sum(i.leads::double precision)::bigint as leads,
    sum(i.conversions::double precision)::bigint as conversions,
    sum(i.spend_double) as spend_double,
    -- 1 January 2001 was a Monday.
    (i.date - date '2001-01-01') % 7 as weekday
  from ads.insights i
  group by i.config_id, i.campaign_id, i.date
  union all
  select
    i.config_id,
    'adset'::text,
    i.adset_id,
    i.campaign_id,
    i.date,
    sum(i.spend),
    sum(i.impressions::double precision)::bigint,
    case
      when bool_and(i.reach is not null or i.impressions = 0)
        then sum(i.reach::double precision)::bigint
    end,
    sum(i.clicks::double precision)::bigint,
    sum(i.link_clicks::double precision)::bigint,
    sum(i.leads::double precision)::bigint,
    sum(i.conversions::double precision)::bigint,
    sum(i.spend_double),
    (i.date - date '2001-01-01') % 7
  from ads.insights i
  group by i.config_id, i.adset_id, i.campaign_id, i.date
  union all
  select
    i.config_id,
    'ad'::text,
    i.ad_id,
    i.adset_id,
    i.date,
    i.spend,
    i.impressions,
    i.reach,
    i.clicks,
    i.link_clicks,
    i.leads,
    i.conversions,
    i.spend_double,
    (i.date - date '2001-01-01') % 7
  from ads.insights i
) d
-- Not in the branch of ads: a condition there costs a step of its own for each row.
where d.entity_type <> 'ad'
  or d.entity_id <> d.parent_id;

comment on view ads.entity_daily is
  'Daily numbers of every campaign, ad set and ad. A parent''s are the sums of its ads'', and of '
  'what was reported for the ad set as a whole.';
comment on column ads.entity_daily.spend is 'In major units of the account''s currency.';
comment on column ads.entity_daily.reach is
  'Of an ad as Meta reports it; of a parent the sum of its ads, an upper bound. Null where that of '
  'any is unknown.';
comment on column ads.entity_daily.spend_double is
  'spend once more, for ratios: quicker to add up.';
comment on column ads.entity_daily.weekday is '0 is Monday.';
-- end include

-- include: sql/views/parent_totals.sql
-- One row per known ad set or ad and as_of: what was delivered below its parent in 7 days.
-- By entity and not by parent, so that a filter on one entity looks up its parent alone. In a branch
-- of its own each parent is a column with statistics: from them the planner knows that siblings
-- follow each other, and has each parent added up once (Memoize). Sums by parent would be no quicker
-- for a whole level, and reach one entity only by adding up all of the account.
create or replace view ads.parent_totals
with (security_invoker = true) as
select
  c.as_of,
  p.config_id,
  p.entity_type,
  p.entity_id,
  p.parent_id,
  p.spend_7d,
  p.leads_7d
from ads.calendar c
cross join lateral (
  select
    s.config_id,
    'adset'::text as entity_type,
    s.adset_id as entity_id,
    s.campaign_id as parent_id,
    campaign.spend_7d,
    campaign.leads_7d
  from ads.adsets s
  cross join lateral (
    select
      sum(i.spend_double) as spend_7d,
      sum(i.leads::double precision) as leads_7d
    from ads.insights i
    where i.config_id = s.config_id
      and i.campaign_id = s.campaign_id
      and i.date between c.from_7d and c.as_of
  ) campaign
  union all
  select
    a.config_id,
    'ad'::text,
    a.ad_id,
    a.adset_id,
    adset.spend_7d,
    adset.leads_7d
  from ads.ads a
  cross join lateral (
    select
      sum(i.spend_double) as spend_7d,
      sum(i.leads::double precision) as leads_7d
    from ads.insights i
    where i.config_id = a.config_id
      and i.adset_id = a.adset_id
      and i.date between c.from_7d and c.as_of
  ) adset
) p;

comment on view ads.parent_totals is
  'What the parent of each ad set and ad delivered in the 7 days that end on as_of, the entity '
  'itself and its siblings; filter as_of to one day. Null where nothing was.';
comment on column ads.parent_totals.parent_id is
  'Where the entity is now; its earlier days may have had another parent.';
comment on column ads.parent_totals.spend_7d is 'In major units of the account''s currency.';
-- end include

-- include: sql/views/entity_totals.sql
-- One row per entity and period from date_from to date_to, both included.
create or replace view ads.entity_totals
with (security_invoker = true) as
select
  f.as_of as date_from,
  t.as_of as date_to,
  w.config_id,
  w.entity_type,
  w.entity_id,
  w.parent_id,
  w.impressions,
  w.reach,
  w.clicks,
  w.spend,
  w.leads,
  w.conversions,
  100.0 * w.clicks / nullif(w.impressions, 0) as ctr,
  w.spend / nullif(w.clicks, 0) as cpc,
  w.spend / nullif(w.leads, 0) as cpl,
  w.days_active
from ads.calendar f
cross join ads.calendar t
cross join lateral (
  select
    d.config_id,
    d.entity_type,
    d.entity_id,
    d.parent_id,
    sum(d.impressions)::bigint as impressions,
    case when bool_and(d.reach is not null or d.impressions = 0) then sum(d.reach)::bigint end
      as reach,
    sum(d.clicks)::bigint as clicks,
    sum(d.spend) as spend,
    sum(d.leads)::bigint as leads,
    sum(d.conversions)::bigint as conversions,
    count(*) filter (where d.impressions > 0 or d.spend > 0) as days_active
  from ads.entity_daily d
  where d.date between f.as_of and t.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) w;

comment on view ads.entity_totals is
  'Totals per entity over any period: filter date_from and date_to to one day each.';
comment on column ads.entity_totals.reach is
  'The sum of daily reach, an upper bound of the people reached; null where that of any day is '
  'unknown.';
comment on column ads.entity_totals.ctr is 'Percent; null without impressions.';
comment on column ads.entity_totals.cpc is 'Null without clicks.';
comment on column ads.entity_totals.cpl is 'Null without leads.';
-- end include

-- include: sql/views/account_reference.sql
-- One row per account and as_of: what its CPLs are compared with.
create or replace view ads.account_reference
with (security_invoker = true) as
select
  a.config_id,
  c.as_of,
  a.target_cpl,
  w.spend_14d,
  w.leads_14d,
  w.spend_14d / nullif(w.leads_14d, 0) as cpl_14d,
  coalesce(a.target_cpl, nullif(w.spend_14d, 0) / nullif(w.leads_14d, 0)) as reference,
  case
    when a.target_cpl is not null then 'target'
    when w.leads_14d > 0 and w.spend_14d > 0 then 'account'
  end as reference_source
from ads.calendar c
cross join ads.accounts a
cross join lateral (
  select
    coalesce(sum(i.spend), 0) as spend_14d,
    coalesce(sum(i.leads), 0)::bigint as leads_14d
  from ads.insights i
  where i.config_id = a.config_id
    and i.date between c.as_of - 13 and c.as_of
) w;

comment on view ads.account_reference is
  'The reference of an account: its target CPL, else its own CPL over the 14 days to as_of.';
comment on column ads.account_reference.reference is
  'In major units of the account''s currency; null where there is neither a target nor a paid lead.';
comment on column ads.account_reference.reference_source is
  'target, account, or null where there is no reference.';
-- end include

-- include: sql/views/entity_features.sql
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
  own.spend_7d::double precision / nullif(own.clicks_7d, 0) as cpc_7d,
  100 * own.leads_7d / nullif(own.clicks_7d, 0) as conversion_rate_7d,
  ads.pct_change(trend.cpl_before, trend.cpl_7d) as cpl_trend,
  ads.pct_change(own.leads_before, own.leads_7d) as leads_trend,
  ads.pct_change(own.spend_before, own.spend_7d::double precision) as spend_trend,
  ads.pct_change(trend.ctr_before, trend.ctr_7d) as ctr_trend,
  (own.spend_7d::double precision + own.spend_before)
    / nullif(own.leads_7d + own.leads_before, 0) as cpl_14d,
  (own.leads_7d + own.leads_before)::bigint as leads_14d,
  own.spend_30d / nullif(own.leads_30d, 0) as cpl_30d,
  own.leads_30d::bigint as leads_30d,
  (own.spend_30d / nullif(own.days_active, 0))::numeric as avg_daily_spend_30d,
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
  own.spend_7d::double precision / nullif(parent.spend_7d, 0) as share_of_parent_spend,
  own.leads_7d / nullif(parent.leads_7d, 0) as share_of_parent_leads,
  1 - trend.cpl_7d / nullif(siblings.cpl_7d, 0) as performance_vs_siblings
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
    sum(d.spend_double) as spend_30d,
    sum(d.leads::double precision) as leads_30d,
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
      as cpl_sunday
  from ads.entity_daily d
  where d.date between c.from_30d and c.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) own
cross join lateral (
  select
    own.spend_7d::double precision / nullif(own.leads_7d, 0) as cpl_7d,
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
    i.config_id,
    'campaign'::text as entity_type,
    sum(i.spend_double) as spend_7d,
    sum(i.leads::double precision) as leads_7d
  from ads.insights i
  where i.date between c.from_7d and c.as_of
  group by i.config_id
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
    (parent.spend_7d - own.spend_7d::double precision)
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
-- end include

-- include: sql/views/entity_evidence.sql
-- One row per entity, metric and as_of: what is known about its rate, by partial pooling.
--
-- A chain of Gamma-Poisson steps: days lie around their week, weeks around an entity's present, ads
-- around their ad set, ad sets around their campaign, campaigns around the account. The relative
-- variance of each step is estimated from the account itself; what passes a step is weakened by it
-- (ads.passed_share). So recent days weigh more the more rates move, and siblings weigh more the
-- more alike they are. An entity's prior is its parent's posterior without the entity's own events,
-- so that nothing counts twice (Jewell's hierarchical credibility: Buehlmann and Gisler 2005,
-- chapter 6).
--
-- Both sides of a full join have the same keys here. An inner join would mean the same, but on rows
-- that were never analyzed the planner takes it for one of single rows and compares all with all.
create or replace view ads.entity_evidence
with (security_invoker = true) as
select
  c.as_of,
  a.config_id,
  m.metric,
  t.entity_type,
  e.entity_id,
  e.parent_id,
  e.events,
  e.exposure,
  e.prior_events as prior_alpha,
  e.prior_exposure as prior_beta,
  e.prior_events + e.events as alpha,
  e.prior_exposure + e.exposure as beta
from ads.calendar c
cross join ads.accounts a
cross join (values ('cpl'), ('ctr'), ('conversion_rate')) m (metric)
cross join (values ('campaign'), ('adset'), ('ad')) t (entity_type)
cross join lateral (
  with
  ad_weeks as materialized (
    select
      d.campaign_id,
      d.adset_id,
      d.ad_id,
      d.week,
      sum(d.events) as events,
      sum(d.exposure) as exposure,
      sum(d.events * d.events) as events_squared,
      sum(d.events * d.exposure) as events_exposure,
      sum(d.exposure * d.exposure) as exposure_squared,
      sum(d.exposure * d.exposure * d.exposure) as exposure_cubed
    from (
      select
        i.campaign_id,
        i.adset_id,
        i.ad_id,
        least((c.as_of - i.date) / 7, 3) as week,
        (case m.metric when 'ctr' then i.clicks else i.leads end)::double precision as events,
        case m.metric
          when 'cpl' then i.spend_double
          when 'ctr' then i.impressions::double precision
          else i.clicks::double precision
        end as exposure
      from ads.insights i
      where i.config_id = a.config_id
        and i.date between c.as_of - 29 and c.as_of
      -- Keeps the planner from repeating the choice of the metric in each of the sums.
      offset 0
    ) d
    group by d.campaign_id, d.adset_id, d.ad_id, d.week
  ),
  -- From here on exposure is measured by the events that the account's own rate makes of it.
  account as materialized (
    select (sum(w.events) + 0.5) / nullif(sum(w.exposure), 0) as rate
    from ad_weeks w
  ),
  -- A parent's rate is that of the mix of ads which it runs now, and budgets wander. So what an ad
  -- did in an earlier week counts by its exposure in the last one; and the less of the mix of now
  -- ran in that week, the less all of it counts.
  mixes as materialized (
    select
      m.*,
      sum(m.exposure_now) over (partition by m.parent_id, m.week) as present_now,
      sum(m.exposure_now ^ 2 / nullif(m.exposure, 0)) over (partition by m.parent_id, m.week)
        as spread,
      sum(m.exposure) filter (where m.week = 0) over (partition by m.parent_id) as parent_now
    from (
      select
        w.*,
        case t.entity_type when 'adset' then w.adset_id else w.campaign_id end as parent_id,
        coalesce(
          sum(w.exposure) filter (where w.week = 0)
            over (partition by w.campaign_id, w.adset_id, w.ad_id),
          0
        ) as exposure_now
      from ad_weeks w
      where t.entity_type <> 'ad'
    ) m
  ),
  -- One walk per level: an ad set moves as a whole, not as each of its ads.
  entity_weeks as materialized (
    select
      'ad' as entity_type,
      w.campaign_id,
      w.adset_id,
      w.ad_id as entity_id,
      w.week,
      w.events,
      w.exposure * r.rate as expected,
      w.events_squared,
      w.events_exposure * r.rate as events_expected,
      w.exposure_squared * r.rate ^ 2 as expected_squared,
      w.exposure_cubed * r.rate ^ 3 as expected_cubed
    from ad_weeks w
    cross join account r
    union all
    select
      t.entity_type,
      w.campaign_id,
      case t.entity_type when 'adset' then w.adset_id end,
      w.parent_id,
      w.week,
      sum(f.factor * w.events),
      sum(f.factor * w.exposure * r.rate),
      sum(f.factor ^ 2 * w.events_squared),
      sum(f.factor ^ 2 * w.events_exposure * r.rate),
      sum(f.factor ^ 2 * w.exposure_squared * r.rate ^ 2),
      sum(f.factor ^ 3 * w.exposure_cubed * r.rate ^ 3)
    from mixes w
    cross join account r
    cross join lateral (
      -- present_now / spread makes the weighted sum as sure as that many events are (Kish 1965).
      select
        case
          when w.parent_now > 0 and w.exposure > 0
            then coalesce(
              (w.present_now / w.parent_now) ^ 2
                * w.present_now / nullif(w.spread, 0)
                * w.exposure_now / w.exposure,
              0
            )
          else 1
        end as factor
    ) f
    group by 2, 3, 4, w.week
  ),
  day_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          w.events, w.expected, w.events_squared, w.events_expected, w.expected_squared
        )),
        sum(ads.variation_size(w.events, w.expected, w.expected_squared, w.expected_cubed)),
        0
      ) as variance
    from entity_weeks w
    where w.entity_type = 'ad'
      and w.expected > 0
  ),
  entity_spans as materialized (
    select
      w.entity_type,
      w.campaign_id,
      w.adset_id,
      w.entity_id,
      sum(p.share * w.events) as events,
      sum(p.share * w.expected) as expected,
      sum((p.share * w.events) ^ 2) as events_squared,
      sum(p.share * w.events * p.share * w.expected) as events_expected,
      sum((p.share * w.expected) ^ 2) as expected_squared,
      sum((p.share * w.expected) ^ 3) as expected_cubed,
      coalesce(sum(p.share * w.events) filter (where w.week = 0), 0) as events_0,
      coalesce(sum(p.share * w.events) filter (where w.week = 1), 0) as events_1,
      coalesce(sum(p.share * w.events) filter (where w.week = 2), 0) as events_2,
      coalesce(sum(p.share * w.events) filter (where w.week = 3), 0) as events_3,
      coalesce(sum(p.share * w.expected) filter (where w.week = 0), 0) as expected_0,
      coalesce(sum(p.share * w.expected) filter (where w.week = 1), 0) as expected_1,
      coalesce(sum(p.share * w.expected) filter (where w.week = 2), 0) as expected_2,
      coalesce(sum(p.share * w.expected) filter (where w.week = 3), 0) as expected_3
    from entity_weeks w
    cross join day_step s
    cross join lateral (
      select
        ads.passed_share(
          coalesce(w.expected_squared / nullif(w.expected, 0), 0), s.variance
        ) as share
    ) p
    group by w.entity_type, w.campaign_id, w.adset_id, w.entity_id
  ),
  -- If the rate walks by v a week, the means of weeks spread by 2/3 v around their common mean,
  -- each lies 2/3 v from the one before, and the last one 1/3 v from where the walk stands now.
  week_step as materialized (
    select
      w.entity_type,
      ads.relative_variance(
        sum(ads.excess_variation(
          w.events, w.expected, w.events_squared, w.events_expected, w.expected_squared
        )),
        sum(ads.variation_size(w.events, w.expected, w.expected_squared, w.expected_cubed)),
        0
      ) as variance
    from entity_spans w
    where w.expected > 0
    group by w.entity_type
  ),
  entities_now as materialized (
    select
      w.entity_type,
      w.campaign_id,
      w.adset_id,
      w.entity_id,
      p0.share * (
        w.events_0 + p1.share * (w.events_1 + p2.share * (w.events_2 + p3.share * w.events_3))
      ) as events,
      p0.share * w0.expected as expected
    from entity_spans w
    left join week_step s
      on s.entity_type = w.entity_type
    cross join lateral (
      select ads.passed_share(w.expected_3, coalesce(s.variance, 0)) as share
    ) p3
    cross join lateral (select w.expected_2 + p3.share * w.expected_3 as expected) w2
    cross join lateral (
      select ads.passed_share(w2.expected, coalesce(s.variance, 0)) as share
    ) p2
    cross join lateral (select w.expected_1 + p2.share * w2.expected as expected) w1
    cross join lateral (
      select ads.passed_share(w1.expected, coalesce(s.variance, 0)) as share
    ) p1
    cross join lateral (select w.expected_0 + p1.share * w1.expected as expected) w0
    cross join lateral (
      select ads.passed_share(w0.expected, coalesce(s.variance, 0) / 2) as share
    ) p0
  ),
  parents_now as (
    select
      n.entity_id,
      n.events,
      n.expected
    from entities_now n
    where n.entity_type <> 'ad'
  ),
  -- From the bottom up: what each child tells about the centre of its siblings.
  ad_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        )),
        sum(ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed)),
        0.1
      ) as variance
    from (
      select
        sum(n.events) as events,
        sum(n.expected) as expected,
        sum(n.events ^ 2) as events_squared,
        sum(n.events * n.expected) as events_expected,
        sum(n.expected ^ 2) as expected_squared,
        sum(n.expected ^ 3) as expected_cubed
      from entities_now n
      where n.entity_type = 'ad'
      group by n.adset_id
    ) x
    where x.expected > 0
  ),
  ads_now as materialized (
    select
      n.campaign_id,
      n.adset_id,
      n.entity_id as ad_id,
      n.events,
      n.expected,
      -- Leads without any spend (late ones of a stopped ad) are no evidence about a rate.
      case when n.expected > 0 then p.share * n.events else 0 end as passed_events,
      p.share * n.expected as passed_expected
    from entities_now n
    cross join ad_step s
    cross join lateral (select ads.passed_share(n.expected, s.variance) as share) p
    where n.entity_type = 'ad'
  ),
  adset_centres as materialized (
    select
      x.campaign_id,
      x.adset_id,
      sum(x.expected) as expected,
      sum(x.expected ^ 2) as expected_squared,
      sum(x.passed_events) as centre_events,
      sum(x.passed_expected) as centre_expected
    from ads_now x
    group by x.campaign_id, x.adset_id
  ),
  adset_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        )),
        sum(ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed)),
        0.1
      ) as variance
    from (
      select
        sum(n.centre_events) as events,
        sum(n.centre_expected) as expected,
        sum(n.centre_events ^ 2) as events_squared,
        sum(n.centre_events * n.centre_expected) as events_expected,
        sum(n.centre_expected ^ 2) as expected_squared,
        sum(n.centre_expected ^ 3) as expected_cubed
      from adset_centres n
      group by n.campaign_id
    ) x
    where x.expected > 0
  ),
  adsets_now as materialized (
    select
      n.*,
      p.share * n.centre_events as passed_events,
      p.share * n.centre_expected as passed_expected
    from adset_centres n
    cross join adset_step s
    cross join lateral (select ads.passed_share(n.centre_expected, s.variance) as share) p
  ),
  campaign_centres as materialized (
    select
      x.campaign_id,
      sum(x.expected) as expected,
      sum(x.expected ^ 2) as adset_expected_squared,
      sum(x.expected_squared) as ad_expected_squared,
      sum(x.passed_events) as centre_events,
      sum(x.passed_expected) as centre_expected
    from adsets_now x
    group by x.campaign_id
  ),
  campaign_step as materialized (
    select
      ads.relative_variance(
        ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        ),
        ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed),
        0.1
      ) as variance
    from (
      select
        sum(n.centre_events) as events,
        nullif(sum(n.centre_expected), 0) as expected,
        sum(n.centre_events ^ 2) as events_squared,
        sum(n.centre_events * n.centre_expected) as events_expected,
        sum(n.centre_expected ^ 2) as expected_squared,
        sum(n.centre_expected ^ 3) as expected_cubed
      from campaign_centres n
    ) x
  ),
  campaigns_now as materialized (
    select
      n.*,
      p.share * n.centre_events as passed_events,
      p.share * n.centre_expected as passed_expected
    from campaign_centres n
    cross join campaign_step s
    cross join lateral (select ads.passed_share(n.centre_expected, s.variance) as share) p
  ),
  -- From the top down: what all others tell, weakened by each step on the way. Half an event is
  -- Jeffreys' prior of a rate of which nothing is known.
  campaign_priors as materialized (
    select
      x.*,
      p.share * x.other_events as prior_events,
      p.share * x.other_expected as prior_expected
    from (
      select
        n.*,
        0.5 + greatest(sum(n.passed_events) over () - n.passed_events, 0) as other_events,
        greatest(sum(n.passed_expected) over () - n.passed_expected, 0) as other_expected
      from campaigns_now n
    ) x
    cross join campaign_step s
    cross join lateral (select ads.passed_share(x.other_expected, s.variance) as share) p
  ),
  adset_priors as materialized (
    select
      x.*,
      p.share * o.events as prior_events,
      p.share * o.expected as prior_expected
    from adsets_now x
    full join campaign_priors u
      on u.campaign_id = x.campaign_id
    cross join adset_step s
    cross join lateral (
      select
        u.prior_events + greatest(u.centre_events - x.passed_events, 0) as events,
        u.prior_expected + greatest(u.centre_expected - x.passed_expected, 0) as expected
    ) o
    cross join lateral (select ads.passed_share(o.expected, s.variance) as share) p
  ),
  -- A parent's own rate is the mix of its children's: it lies around the centre by what the mix
  -- leaves of their variance.
  posteriors as (
    select
      'campaign' as entity_type,
      x.campaign_id as entity_id,
      null::text as parent_id,
      n.events,
      n.expected,
      p.share * x.prior_events as prior_events,
      p.share * x.prior_expected as prior_expected
    from campaign_priors x
    full join parents_now n
      on n.entity_id = x.campaign_id
    cross join adset_step v
    cross join ad_step w
    cross join lateral (
      select
        ads.passed_share(
          x.prior_expected,
          coalesce(
            (v.variance * x.adset_expected_squared + w.variance * x.ad_expected_squared)
              / nullif(x.expected, 0) ^ 2,
            0
          )
        ) as share
    ) p
    union all
    select
      'adset',
      x.adset_id,
      x.campaign_id,
      n.events,
      n.expected,
      p.share * x.prior_events,
      p.share * x.prior_expected
    from adset_priors x
    full join parents_now n
      on n.entity_id = x.adset_id
    cross join ad_step w
    cross join lateral (
      select
        ads.passed_share(
          x.prior_expected,
          coalesce(w.variance * x.expected_squared / nullif(x.expected, 0) ^ 2, 0)
        ) as share
    ) p
    union all
    select
      'ad',
      x.ad_id,
      x.adset_id,
      x.events,
      x.expected,
      p.share * o.events,
      p.share * o.expected
    from ads_now x
    full join adset_priors u
      on u.adset_id = x.adset_id
    cross join ad_step w
    cross join lateral (
      select
        u.prior_events + greatest(u.centre_events - x.passed_events, 0) as events,
        u.prior_expected + greatest(u.centre_expected - x.passed_expected, 0) as expected
    ) o
    cross join lateral (select ads.passed_share(o.expected, w.variance) as share) p
    where x.ad_id is distinct from x.adset_id
  )
  select
    p.entity_id,
    p.parent_id,
    p.events,
    p.expected / r.rate as exposure,
    p.prior_events,
    p.prior_expected / r.rate as prior_exposure
  from posteriors p
  cross join account r
  where p.entity_type = t.entity_type
) e;

comment on view ads.entity_evidence is
  'Posterior of each entity''s rate as of a day. cpl: leads per unit of spend, Gamma(alpha, beta), '
  'the CPL being its inverse. ctr: clicks per impression, conversion_rate: leads per click, both '
  'Beta(alpha, beta - alpha). Uses the 30 days to as_of; an entity without a row there has none.';
comment on column ads.entity_evidence.metric is 'cpl, ctr or conversion_rate; filter it to one.';
comment on column ads.entity_evidence.events is
  'Own leads (ctr: clicks), as many recent and independent ones as they are worth; those of a '
  'parent in the mix of ads that it ran in the last 7 days.';
comment on column ads.entity_evidence.exposure is
  'What they came from, weighted alike: spend, impressions or clicks. Null, as beta and '
  'prior_beta, where the whole account has none.';
comment on column ads.entity_evidence.prior_alpha is
  'What all other entities tell about this one, in events.';
comment on column ads.entity_evidence.prior_beta is
  'What all other entities tell about this one, in exposure.';
comment on column ads.entity_evidence.alpha is 'Prior and own events.';
comment on column ads.entity_evidence.beta is 'Prior and own exposure.';
-- end include

-- include: sql/views/latest_classifications.sql
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
-- end include

-- include: sql/functions/store_features.sql
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
    insufficient_data = excluded.insufficient_data,
    computed_at = excluded.computed_at;
  get diagnostics stored = row_count;
  return stored;
end;
$$;

comment on function ads.store_features(integer, text, date, timestamptz) is
  'Writes ads.entity_features of a day to ads.ml_features, over what was stored before; returns the '
  'number of entities.';
-- end include

-- include: sql/views/stale_runs.sql
-- One row per account, job, level and day that was worked on before days changed which it rests on.
create or replace view ads.stale_runs
with (security_invoker = true) as
select
  r.config_id,
  r.job,
  r.entity_type,
  r.as_of,
  r.worked_at,
  d.changed_at
from (
  select
    j.config_id,
    j.job,
    j.entity_type,
    j.as_of,
    max(j.started_at) as worked_at
  from ads.job_runs j
  where j.status = 'succeeded'
  group by j.config_id, j.job, j.entity_type, j.as_of
) r
join ads.calendar c
  on c.as_of = r.as_of
cross join lateral (
  select max(x.changed_at) as changed_at
  from ads.changed_days x
  where x.config_id = r.config_id
    and x.date between c.from_30d and c.as_of
) d
where d.changed_at > r.worked_at;

comment on view ads.stale_runs is
  'Days whose results rest on insights that have changed since: features, tiers and the like look at '
  'the 30 days to as_of. The next run of the job computes them again.';
comment on column ads.stale_runs.worked_at is 'When the last run that succeeded began to read.';
comment on column ads.stale_runs.changed_at is 'When a day among its 30 changed the last time.';
-- end include

-- migrate:down
drop view ads.stale_runs;
drop function ads.store_features;
drop view ads.latest_classifications;
drop view ads.entity_evidence;
drop view ads.entity_features;
drop view ads.account_reference;
drop view ads.entity_totals;
drop view ads.parent_totals;
drop view ads.entity_daily;
drop view ads.entities;
drop function ads.create_insight_partitions;
-- include: sql/views/parent_daily.sql
-- One row per group of siblings and day: the totals of what they share as a parent.
create or replace view ads.parent_daily as
select
  i.config_id,
  'campaign'::text as entity_type,
  ''::text as parent_id,
  i.date,
  i.spend_double,
  i.leads
from ads.insights i
union all
select
  i.config_id,
  'adset'::text,
  i.campaign_id,
  i.date,
  i.spend_double,
  i.leads
from ads.insights i
union all
select
  i.config_id,
  'ad'::text,
  i.adset_id,
  i.date,
  i.spend_double,
  i.leads
from ads.insights i;

comment on view ads.parent_daily is
  'The rows below each parent, by the level of its children: below an ad set for ads, below a '
  'campaign for ad sets, and of the whole account (parent_id empty) for campaigns.';
-- end include

-- include: sql/functions/create_insight_partitions.sql
-- Creates the monthly partitions of ads.insights that hold the days from date_from to date_to.
create or replace function ads.create_insight_partitions(date_from date, date_to date)
returns void
language plpgsql
set search_path = ''
as $$
declare
  month date;
  partition_name text;
begin
  for month in
    select generate_series(date_trunc('month', date_from), date_to, interval '1 month')::date
  loop
    partition_name := 'insights_' || to_char(month, 'YYYY_MM');
    continue when to_regclass(format('ads.%I', partition_name)) is not null;
    -- One creator at a time; the others wait here and then find the partition.
    lock table ads.insights in share update exclusive mode;
    continue when to_regclass(format('ads.%I', partition_name)) is not null;
    -- Attaching lets readers of ads.insights go on, which "partition of" would lock out until the
    -- end of a long import.
    execute format('create table ads.%I (like ads.insights including all)', partition_name);
    execute format(
      'alter table ads.insights attach partition ads.%I for values from (%L) to (%L)',
      partition_name, month, (month + interval '1 month')::date
    );
  end loop;
end;
$$;

comment on function ads.create_insight_partitions(date, date) is
  'Creates the monthly partitions of ads.insights for these days, both included; others stay.';
-- end include

-- include: sql/views/entities.sql
-- One row per campaign, ad set and ad.
-- Left joins, although no parent is missing: before anything was analyzed the planner expects inner
-- joins to leave a single row, and joins that to thousands by comparing all with all.
create or replace view ads.entities as
select
  c.config_id,
  'campaign'::text as entity_type,
  c.campaign_id as entity_id,
  null::text as parent_id,
  c.campaign_id,
  null::text as adset_id,
  c.name,
  c.name as campaign_name,
  c.objective,
  c.status,
  c.effective_status,
  c.daily_budget,
  c.lifetime_budget,
  coalesce(c.daily_budget, c.lifetime_budget) is not null as has_budget,
  case when coalesce(c.daily_budget, c.lifetime_budget) is not null then 'campaign' end
    as budget_holder,
  ads.is_running(c.status, c.effective_status) as is_active
from ads.campaigns c
union all
select
  s.config_id,
  'adset'::text,
  s.adset_id,
  s.campaign_id,
  s.campaign_id,
  s.adset_id,
  s.name,
  c.name,
  c.objective,
  s.status,
  s.effective_status,
  s.daily_budget,
  s.lifetime_budget,
  coalesce(c.daily_budget, c.lifetime_budget, s.daily_budget, s.lifetime_budget) is not null,
  case
    when coalesce(c.daily_budget, c.lifetime_budget) is not null then 'campaign'
    when coalesce(s.daily_budget, s.lifetime_budget) is not null then 'adset'
  end,
  ads.is_running(s.status, s.effective_status)
    and ads.is_running(c.status, c.effective_status)
from ads.adsets s
left join ads.campaigns c
  on c.config_id = s.config_id
  and c.campaign_id = s.campaign_id
union all
select
  a.config_id,
  'ad'::text,
  a.ad_id,
  a.adset_id,
  a.campaign_id,
  a.adset_id,
  a.name,
  c.name,
  c.objective,
  a.status,
  a.effective_status,
  null::numeric,
  null::numeric,
  coalesce(c.daily_budget, c.lifetime_budget, s.daily_budget, s.lifetime_budget) is not null,
  case
    when coalesce(c.daily_budget, c.lifetime_budget) is not null then 'campaign'
    when coalesce(s.daily_budget, s.lifetime_budget) is not null then 'adset'
  end,
  ads.is_running(a.status, a.effective_status)
    and ads.is_running(s.status, s.effective_status)
    and ads.is_running(c.status, c.effective_status)
from ads.ads a
left join ads.adsets s
  on s.config_id = a.config_id
  and s.adset_id = a.adset_id
left join ads.campaigns c
  on c.config_id = a.config_id
  and c.campaign_id = a.campaign_id;

comment on view ads.entities is 'All campaigns, ad sets and ads of an account.';
comment on column ads.entities.parent_id is
  'The campaign of an ad set, the ad set of an ad, null for a campaign.';
comment on column ads.entities.daily_budget is
  'Its own, in major units of the account''s currency; an ad has none.';
comment on column ads.entities.lifetime_budget is
  'Its own, in major units of the account''s currency; an ad has none.';
comment on column ads.entities.has_budget is
  'Its own or the one above it that pays for it is known.';
comment on column ads.entities.budget_holder is
  'The level that holds the budget it spends: campaign or adset, null where none is known.';
comment on column ads.entities.is_active is 'It and all above it run, as far as is known.';
-- end include

-- include: sql/views/entity_daily.sql
-- One row per entity and day with delivery.
-- The constant entity_type lets a filter on the level drop the other branches at plan time. Counts
-- are added up as double precision: exact up to 2^53, and without memory of its own for each sum as
-- bigint needs it.
create or replace view ads.entity_daily as
select
  d.config_id,
  d.entity_type,
  d.entity_id,
  d.parent_id,
  d.date,
  d.spend,
  d.impressions,
  d.reach,
  d.clicks,
  d.link_clicks,
  d.leads,
  d.conversions,
  d.spend_double,
  d.weekday
from (
  select
    i.config_id,
    'campaign'::text as entity_type,
    i.campaign_id as entity_id,
    null::text as parent_id,
    i.date,
    sum(i.spend) as spend,
    sum(i.impressions::double precision)::bigint as impressions,
    case
      when bool_and(i.reach is not null or i.impressions = 0)
        then sum(i.reach::double precision)::bigint
    end as reach,
    sum(i.clicks::double precision)::bigint as clicks,
    sum(i.link_clicks::double precision)::bigint as link_clicks,
    sum(i.leads::double precision)::bigint as leads,
    sum(i.conversions::double precision)::bigint as conversions,
    sum(i.spend_double) as spend_double,
    -- 1 January 2001 was a Monday.
    (i.date - date '2001-01-01') % 7 as weekday
  from ads.insights i
  group by i.config_id, i.campaign_id, i.date
  union all
  select
    i.config_id,
    'adset'::text,
    i.adset_id,
    i.campaign_id,
    i.date,
    sum(i.spend),
    sum(i.impressions::double precision)::bigint,
    case
      when bool_and(i.reach is not null or i.impressions = 0)
        then sum(i.reach::double precision)::bigint
    end,
    sum(i.clicks::double precision)::bigint,
    sum(i.link_clicks::double precision)::bigint,
    sum(i.leads::double precision)::bigint,
    sum(i.conversions::double precision)::bigint,
    sum(i.spend_double),
    (i.date - date '2001-01-01') % 7
  from ads.insights i
  group by i.config_id, i.adset_id, i.campaign_id, i.date
  union all
  select
    i.config_id,
    'ad'::text,
    i.ad_id,
    i.adset_id,
    i.date,
    i.spend,
    i.impressions,
    i.reach,
    i.clicks,
    i.link_clicks,
    i.leads,
    i.conversions,
    i.spend_double,
    (i.date - date '2001-01-01') % 7
  from ads.insights i
) d
-- Not in the branch of ads: a condition there costs a step of its own for each row.
where d.entity_type <> 'ad'
  or d.entity_id <> d.parent_id;

comment on view ads.entity_daily is
  'Daily numbers of every campaign, ad set and ad. A parent''s are the sums of its ads'', and of '
  'what was reported for the ad set as a whole.';
comment on column ads.entity_daily.spend is 'In major units of the account''s currency.';
comment on column ads.entity_daily.reach is
  'Of an ad as Meta reports it; of a parent the sum of its ads, an upper bound. Null where that of '
  'any is unknown.';
comment on column ads.entity_daily.spend_double is
  'spend once more, for ratios: quicker to add up.';
comment on column ads.entity_daily.weekday is '0 is Monday.';
-- end include

-- include: sql/views/entity_totals.sql
-- One row per entity and period from date_from to date_to, both included.
create or replace view ads.entity_totals as
select
  f.as_of as date_from,
  t.as_of as date_to,
  w.config_id,
  w.entity_type,
  w.entity_id,
  w.parent_id,
  w.impressions,
  w.reach,
  w.clicks,
  w.spend,
  w.leads,
  w.conversions,
  100.0 * w.clicks / nullif(w.impressions, 0) as ctr,
  w.spend / nullif(w.clicks, 0) as cpc,
  w.spend / nullif(w.leads, 0) as cpl,
  w.days_active
from ads.calendar f
cross join ads.calendar t
cross join lateral (
  select
    d.config_id,
    d.entity_type,
    d.entity_id,
    d.parent_id,
    sum(d.impressions)::bigint as impressions,
    case when bool_and(d.reach is not null or d.impressions = 0) then sum(d.reach)::bigint end
      as reach,
    sum(d.clicks)::bigint as clicks,
    sum(d.spend) as spend,
    sum(d.leads)::bigint as leads,
    sum(d.conversions)::bigint as conversions,
    count(*) filter (where d.impressions > 0 or d.spend > 0) as days_active
  from ads.entity_daily d
  where d.date between f.as_of and t.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) w;

comment on view ads.entity_totals is
  'Totals per entity over any period: filter date_from and date_to to one day each.';
comment on column ads.entity_totals.reach is
  'The sum of daily reach, an upper bound of the people reached; null where that of any day is '
  'unknown.';
comment on column ads.entity_totals.ctr is 'Percent; null without impressions.';
comment on column ads.entity_totals.cpc is 'Null without clicks.';
comment on column ads.entity_totals.cpl is 'Null without leads.';
-- end include

-- include: sql/views/account_reference.sql
-- One row per account and as_of: what its CPLs are compared with.
create or replace view ads.account_reference as
select
  a.config_id,
  c.as_of,
  a.target_cpl,
  w.spend_14d,
  w.leads_14d,
  w.spend_14d / nullif(w.leads_14d, 0) as cpl_14d,
  coalesce(a.target_cpl, nullif(w.spend_14d, 0) / nullif(w.leads_14d, 0)) as reference,
  case
    when a.target_cpl is not null then 'target'
    when w.leads_14d > 0 and w.spend_14d > 0 then 'account'
  end as reference_source
from ads.calendar c
cross join ads.accounts a
cross join lateral (
  select
    coalesce(sum(i.spend), 0) as spend_14d,
    coalesce(sum(i.leads), 0)::bigint as leads_14d
  from ads.insights i
  where i.config_id = a.config_id
    and i.date between c.as_of - 13 and c.as_of
) w;

comment on view ads.account_reference is
  'The reference of an account: its target CPL, else its own CPL over the 14 days to as_of.';
comment on column ads.account_reference.reference is
  'In major units of the account''s currency; null where there is neither a target nor a paid lead.';
comment on column ads.account_reference.reference_source is
  'target, account, or null where there is no reference.';
-- end include

-- include: sql/views/entity_features.sql
-- One row per entity and as_of: its features over the 30 days that end on as_of.
-- An entity without a row in those days has none here either.
create or replace view ads.entity_features as
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
  own.spend_7d::double precision / nullif(own.clicks_7d, 0) as cpc_7d,
  100 * own.leads_7d / nullif(own.clicks_7d, 0) as conversion_rate_7d,
  ads.pct_change(trend.cpl_before, trend.cpl_7d) as cpl_trend,
  ads.pct_change(own.leads_before, own.leads_7d) as leads_trend,
  ads.pct_change(own.spend_before, own.spend_7d::double precision) as spend_trend,
  ads.pct_change(trend.ctr_before, trend.ctr_7d) as ctr_trend,
  (own.spend_7d::double precision + own.spend_before)
    / nullif(own.leads_7d + own.leads_before, 0) as cpl_14d,
  (own.leads_7d + own.leads_before)::bigint as leads_14d,
  own.spend_30d / nullif(own.leads_30d, 0) as cpl_30d,
  own.leads_30d::bigint as leads_30d,
  (own.spend_30d / nullif(own.days_active, 0))::numeric as avg_daily_spend_30d,
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
  own.spend_7d::double precision / nullif(parent.spend_7d, 0) as share_of_parent_spend,
  own.leads_7d / nullif(parent.leads_7d, 0) as share_of_parent_leads,
  1 - trend.cpl_7d / nullif(siblings.cpl_7d, 0) as performance_vs_siblings
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
    sum(d.spend_double) as spend_30d,
    sum(d.leads::double precision) as leads_30d,
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
      as cpl_sunday
  from ads.entity_daily d
  where d.date between c.from_30d and c.as_of
  group by d.config_id, d.entity_type, d.entity_id, d.parent_id
) own
cross join lateral (
  select
    own.spend_7d::double precision / nullif(own.leads_7d, 0) as cpl_7d,
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
    p.config_id,
    p.entity_type,
    p.parent_id,
    sum(p.spend_double) as spend_7d,
    sum(p.leads::double precision) as leads_7d
  from ads.parent_daily p
  where p.date between c.from_7d and c.as_of
  group by p.config_id, p.entity_type, p.parent_id
) parent
  on parent.config_id = own.config_id
  and parent.entity_type = own.entity_type
  and parent.parent_id = coalesce(own.parent_id, '')
cross join lateral (
  select
    (parent.spend_7d - own.spend_7d::double precision)
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
  'Fraction 0 to 1 over 7 days; a campaign''s parent is the account. Null where that has none.';
comment on column ads.entity_features.share_of_parent_leads is
  'Fraction 0 to 1 over 7 days; a campaign''s parent is the account. Null where that has none.';
comment on column ads.entity_features.performance_vs_siblings is
  '(siblings'' CPL - own CPL) / siblings'' CPL over 7 days, positive is better; null without '
  'siblings or leads on either side.';
-- end include

-- include: sql/views/entity_evidence.sql
-- One row per entity, metric and as_of: what is known about its rate, by partial pooling.
--
-- A chain of Gamma-Poisson steps: days lie around their week, weeks around an entity's present, ads
-- around their ad set, ad sets around their campaign, campaigns around the account. The relative
-- variance of each step is estimated from the account itself; what passes a step is weakened by it
-- (ads.passed_share). So recent days weigh more the more rates move, and siblings weigh more the
-- more alike they are. An entity's prior is its parent's posterior without the entity's own events,
-- so that nothing counts twice (Jewell's hierarchical credibility: Buehlmann and Gisler 2005,
-- chapter 6).
--
-- Both sides of a full join have the same keys here. An inner join would mean the same, but on rows
-- that were never analyzed the planner takes it for one of single rows and compares all with all.
create or replace view ads.entity_evidence as
select
  c.as_of,
  a.config_id,
  m.metric,
  t.entity_type,
  e.entity_id,
  e.parent_id,
  e.events,
  e.exposure,
  e.prior_events as prior_alpha,
  e.prior_exposure as prior_beta,
  e.prior_events + e.events as alpha,
  e.prior_exposure + e.exposure as beta
from ads.calendar c
cross join ads.accounts a
cross join (values ('cpl'), ('ctr'), ('conversion_rate')) m (metric)
cross join (values ('campaign'), ('adset'), ('ad')) t (entity_type)
cross join lateral (
  with
  ad_weeks as materialized (
    select
      d.campaign_id,
      d.adset_id,
      d.ad_id,
      d.week,
      sum(d.events) as events,
      sum(d.exposure) as exposure,
      sum(d.events * d.events) as events_squared,
      sum(d.events * d.exposure) as events_exposure,
      sum(d.exposure * d.exposure) as exposure_squared,
      sum(d.exposure * d.exposure * d.exposure) as exposure_cubed
    from (
      select
        i.campaign_id,
        i.adset_id,
        i.ad_id,
        least((c.as_of - i.date) / 7, 3) as week,
        (case m.metric when 'ctr' then i.clicks else i.leads end)::double precision as events,
        case m.metric
          when 'cpl' then i.spend_double
          when 'ctr' then i.impressions::double precision
          else i.clicks::double precision
        end as exposure
      from ads.insights i
      where i.config_id = a.config_id
        and i.date between c.as_of - 29 and c.as_of
      -- Keeps the planner from repeating the choice of the metric in each of the sums.
      offset 0
    ) d
    group by d.campaign_id, d.adset_id, d.ad_id, d.week
  ),
  -- From here on exposure is measured by the events that the account's own rate makes of it.
  account as materialized (
    select (sum(w.events) + 0.5) / nullif(sum(w.exposure), 0) as rate
    from ad_weeks w
  ),
  -- A parent's rate is that of the mix of ads which it runs now, and budgets wander. So what an ad
  -- did in an earlier week counts by its exposure in the last one; and the less of the mix of now
  -- ran in that week, the less all of it counts.
  mixes as materialized (
    select
      m.*,
      sum(m.exposure_now) over (partition by m.parent_id, m.week) as present_now,
      sum(m.exposure_now ^ 2 / nullif(m.exposure, 0)) over (partition by m.parent_id, m.week)
        as spread,
      sum(m.exposure) filter (where m.week = 0) over (partition by m.parent_id) as parent_now
    from (
      select
        w.*,
        case t.entity_type when 'adset' then w.adset_id else w.campaign_id end as parent_id,
        coalesce(
          sum(w.exposure) filter (where w.week = 0)
            over (partition by w.campaign_id, w.adset_id, w.ad_id),
          0
        ) as exposure_now
      from ad_weeks w
      where t.entity_type <> 'ad'
    ) m
  ),
  -- One walk per level: an ad set moves as a whole, not as each of its ads.
  entity_weeks as materialized (
    select
      'ad' as entity_type,
      w.campaign_id,
      w.adset_id,
      w.ad_id as entity_id,
      w.week,
      w.events,
      w.exposure * r.rate as expected,
      w.events_squared,
      w.events_exposure * r.rate as events_expected,
      w.exposure_squared * r.rate ^ 2 as expected_squared,
      w.exposure_cubed * r.rate ^ 3 as expected_cubed
    from ad_weeks w
    cross join account r
    union all
    select
      t.entity_type,
      w.campaign_id,
      case t.entity_type when 'adset' then w.adset_id end,
      w.parent_id,
      w.week,
      sum(f.factor * w.events),
      sum(f.factor * w.exposure * r.rate),
      sum(f.factor ^ 2 * w.events_squared),
      sum(f.factor ^ 2 * w.events_exposure * r.rate),
      sum(f.factor ^ 2 * w.exposure_squared * r.rate ^ 2),
      sum(f.factor ^ 3 * w.exposure_cubed * r.rate ^ 3)
    from mixes w
    cross join account r
    cross join lateral (
      -- present_now / spread makes the weighted sum as sure as that many events are (Kish 1965).
      select
        case
          when w.parent_now > 0 and w.exposure > 0
            then coalesce(
              (w.present_now / w.parent_now) ^ 2
                * w.present_now / nullif(w.spread, 0)
                * w.exposure_now / w.exposure,
              0
            )
          else 1
        end as factor
    ) f
    group by 2, 3, 4, w.week
  ),
  day_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          w.events, w.expected, w.events_squared, w.events_expected, w.expected_squared
        )),
        sum(ads.variation_size(w.events, w.expected, w.expected_squared, w.expected_cubed)),
        0
      ) as variance
    from entity_weeks w
    where w.entity_type = 'ad'
      and w.expected > 0
  ),
  entity_spans as materialized (
    select
      w.entity_type,
      w.campaign_id,
      w.adset_id,
      w.entity_id,
      sum(p.share * w.events) as events,
      sum(p.share * w.expected) as expected,
      sum((p.share * w.events) ^ 2) as events_squared,
      sum(p.share * w.events * p.share * w.expected) as events_expected,
      sum((p.share * w.expected) ^ 2) as expected_squared,
      sum((p.share * w.expected) ^ 3) as expected_cubed,
      coalesce(sum(p.share * w.events) filter (where w.week = 0), 0) as events_0,
      coalesce(sum(p.share * w.events) filter (where w.week = 1), 0) as events_1,
      coalesce(sum(p.share * w.events) filter (where w.week = 2), 0) as events_2,
      coalesce(sum(p.share * w.events) filter (where w.week = 3), 0) as events_3,
      coalesce(sum(p.share * w.expected) filter (where w.week = 0), 0) as expected_0,
      coalesce(sum(p.share * w.expected) filter (where w.week = 1), 0) as expected_1,
      coalesce(sum(p.share * w.expected) filter (where w.week = 2), 0) as expected_2,
      coalesce(sum(p.share * w.expected) filter (where w.week = 3), 0) as expected_3
    from entity_weeks w
    cross join day_step s
    cross join lateral (
      select
        ads.passed_share(
          coalesce(w.expected_squared / nullif(w.expected, 0), 0), s.variance
        ) as share
    ) p
    group by w.entity_type, w.campaign_id, w.adset_id, w.entity_id
  ),
  -- If the rate walks by v a week, the means of weeks spread by 2/3 v around their common mean,
  -- each lies 2/3 v from the one before, and the last one 1/3 v from where the walk stands now.
  week_step as materialized (
    select
      w.entity_type,
      ads.relative_variance(
        sum(ads.excess_variation(
          w.events, w.expected, w.events_squared, w.events_expected, w.expected_squared
        )),
        sum(ads.variation_size(w.events, w.expected, w.expected_squared, w.expected_cubed)),
        0
      ) as variance
    from entity_spans w
    where w.expected > 0
    group by w.entity_type
  ),
  entities_now as materialized (
    select
      w.entity_type,
      w.campaign_id,
      w.adset_id,
      w.entity_id,
      p0.share * (
        w.events_0 + p1.share * (w.events_1 + p2.share * (w.events_2 + p3.share * w.events_3))
      ) as events,
      p0.share * w0.expected as expected
    from entity_spans w
    left join week_step s
      on s.entity_type = w.entity_type
    cross join lateral (
      select ads.passed_share(w.expected_3, coalesce(s.variance, 0)) as share
    ) p3
    cross join lateral (select w.expected_2 + p3.share * w.expected_3 as expected) w2
    cross join lateral (
      select ads.passed_share(w2.expected, coalesce(s.variance, 0)) as share
    ) p2
    cross join lateral (select w.expected_1 + p2.share * w2.expected as expected) w1
    cross join lateral (
      select ads.passed_share(w1.expected, coalesce(s.variance, 0)) as share
    ) p1
    cross join lateral (select w.expected_0 + p1.share * w1.expected as expected) w0
    cross join lateral (
      select ads.passed_share(w0.expected, coalesce(s.variance, 0) / 2) as share
    ) p0
  ),
  parents_now as (
    select
      n.entity_id,
      n.events,
      n.expected
    from entities_now n
    where n.entity_type <> 'ad'
  ),
  -- From the bottom up: what each child tells about the centre of its siblings.
  ad_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        )),
        sum(ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed)),
        0.1
      ) as variance
    from (
      select
        sum(n.events) as events,
        sum(n.expected) as expected,
        sum(n.events ^ 2) as events_squared,
        sum(n.events * n.expected) as events_expected,
        sum(n.expected ^ 2) as expected_squared,
        sum(n.expected ^ 3) as expected_cubed
      from entities_now n
      where n.entity_type = 'ad'
      group by n.adset_id
    ) x
    where x.expected > 0
  ),
  ads_now as materialized (
    select
      n.campaign_id,
      n.adset_id,
      n.entity_id as ad_id,
      n.events,
      n.expected,
      -- Leads without any spend (late ones of a stopped ad) are no evidence about a rate.
      case when n.expected > 0 then p.share * n.events else 0 end as passed_events,
      p.share * n.expected as passed_expected
    from entities_now n
    cross join ad_step s
    cross join lateral (select ads.passed_share(n.expected, s.variance) as share) p
    where n.entity_type = 'ad'
  ),
  adset_centres as materialized (
    select
      x.campaign_id,
      x.adset_id,
      sum(x.expected) as expected,
      sum(x.expected ^ 2) as expected_squared,
      sum(x.passed_events) as centre_events,
      sum(x.passed_expected) as centre_expected
    from ads_now x
    group by x.campaign_id, x.adset_id
  ),
  adset_step as materialized (
    select
      ads.relative_variance(
        sum(ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        )),
        sum(ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed)),
        0.1
      ) as variance
    from (
      select
        sum(n.centre_events) as events,
        sum(n.centre_expected) as expected,
        sum(n.centre_events ^ 2) as events_squared,
        sum(n.centre_events * n.centre_expected) as events_expected,
        sum(n.centre_expected ^ 2) as expected_squared,
        sum(n.centre_expected ^ 3) as expected_cubed
      from adset_centres n
      group by n.campaign_id
    ) x
    where x.expected > 0
  ),
  adsets_now as materialized (
    select
      n.*,
      p.share * n.centre_events as passed_events,
      p.share * n.centre_expected as passed_expected
    from adset_centres n
    cross join adset_step s
    cross join lateral (select ads.passed_share(n.centre_expected, s.variance) as share) p
  ),
  campaign_centres as materialized (
    select
      x.campaign_id,
      sum(x.expected) as expected,
      sum(x.expected ^ 2) as adset_expected_squared,
      sum(x.expected_squared) as ad_expected_squared,
      sum(x.passed_events) as centre_events,
      sum(x.passed_expected) as centre_expected
    from adsets_now x
    group by x.campaign_id
  ),
  campaign_step as materialized (
    select
      ads.relative_variance(
        ads.excess_variation(
          x.events, x.expected, x.events_squared, x.events_expected, x.expected_squared
        ),
        ads.variation_size(x.events, x.expected, x.expected_squared, x.expected_cubed),
        0.1
      ) as variance
    from (
      select
        sum(n.centre_events) as events,
        nullif(sum(n.centre_expected), 0) as expected,
        sum(n.centre_events ^ 2) as events_squared,
        sum(n.centre_events * n.centre_expected) as events_expected,
        sum(n.centre_expected ^ 2) as expected_squared,
        sum(n.centre_expected ^ 3) as expected_cubed
      from campaign_centres n
    ) x
  ),
  campaigns_now as materialized (
    select
      n.*,
      p.share * n.centre_events as passed_events,
      p.share * n.centre_expected as passed_expected
    from campaign_centres n
    cross join campaign_step s
    cross join lateral (select ads.passed_share(n.centre_expected, s.variance) as share) p
  ),
  -- From the top down: what all others tell, weakened by each step on the way. Half an event is
  -- Jeffreys' prior of a rate of which nothing is known.
  campaign_priors as materialized (
    select
      x.*,
      p.share * x.other_events as prior_events,
      p.share * x.other_expected as prior_expected
    from (
      select
        n.*,
        0.5 + greatest(sum(n.passed_events) over () - n.passed_events, 0) as other_events,
        greatest(sum(n.passed_expected) over () - n.passed_expected, 0) as other_expected
      from campaigns_now n
    ) x
    cross join campaign_step s
    cross join lateral (select ads.passed_share(x.other_expected, s.variance) as share) p
  ),
  adset_priors as materialized (
    select
      x.*,
      p.share * o.events as prior_events,
      p.share * o.expected as prior_expected
    from adsets_now x
    full join campaign_priors u
      on u.campaign_id = x.campaign_id
    cross join adset_step s
    cross join lateral (
      select
        u.prior_events + greatest(u.centre_events - x.passed_events, 0) as events,
        u.prior_expected + greatest(u.centre_expected - x.passed_expected, 0) as expected
    ) o
    cross join lateral (select ads.passed_share(o.expected, s.variance) as share) p
  ),
  -- A parent's own rate is the mix of its children's: it lies around the centre by what the mix
  -- leaves of their variance.
  posteriors as (
    select
      'campaign' as entity_type,
      x.campaign_id as entity_id,
      null::text as parent_id,
      n.events,
      n.expected,
      p.share * x.prior_events as prior_events,
      p.share * x.prior_expected as prior_expected
    from campaign_priors x
    full join parents_now n
      on n.entity_id = x.campaign_id
    cross join adset_step v
    cross join ad_step w
    cross join lateral (
      select
        ads.passed_share(
          x.prior_expected,
          coalesce(
            (v.variance * x.adset_expected_squared + w.variance * x.ad_expected_squared)
              / nullif(x.expected, 0) ^ 2,
            0
          )
        ) as share
    ) p
    union all
    select
      'adset',
      x.adset_id,
      x.campaign_id,
      n.events,
      n.expected,
      p.share * x.prior_events,
      p.share * x.prior_expected
    from adset_priors x
    full join parents_now n
      on n.entity_id = x.adset_id
    cross join ad_step w
    cross join lateral (
      select
        ads.passed_share(
          x.prior_expected,
          coalesce(w.variance * x.expected_squared / nullif(x.expected, 0) ^ 2, 0)
        ) as share
    ) p
    union all
    select
      'ad',
      x.ad_id,
      x.adset_id,
      x.events,
      x.expected,
      p.share * o.events,
      p.share * o.expected
    from ads_now x
    full join adset_priors u
      on u.adset_id = x.adset_id
    cross join ad_step w
    cross join lateral (
      select
        u.prior_events + greatest(u.centre_events - x.passed_events, 0) as events,
        u.prior_expected + greatest(u.centre_expected - x.passed_expected, 0) as expected
    ) o
    cross join lateral (select ads.passed_share(o.expected, w.variance) as share) p
    where x.ad_id is distinct from x.adset_id
  )
  select
    p.entity_id,
    p.parent_id,
    p.events,
    p.expected / r.rate as exposure,
    p.prior_events,
    p.prior_expected / r.rate as prior_exposure
  from posteriors p
  cross join account r
  where p.entity_type = t.entity_type
) e;

comment on view ads.entity_evidence is
  'Posterior of each entity''s rate as of a day. cpl: leads per unit of spend, Gamma(alpha, beta), '
  'the CPL being its inverse. ctr: clicks per impression, conversion_rate: leads per click, both '
  'Beta(alpha, beta - alpha). Uses the 30 days to as_of; an entity without a row there has none.';
comment on column ads.entity_evidence.metric is 'cpl, ctr or conversion_rate; filter it to one.';
comment on column ads.entity_evidence.events is
  'Own leads (ctr: clicks), as many recent and independent ones as they are worth; those of a '
  'parent in the mix of ads that it ran in the last 7 days.';
comment on column ads.entity_evidence.exposure is
  'What they came from, weighted alike: spend, impressions or clicks. Null, as beta and '
  'prior_beta, where the whole account has none.';
comment on column ads.entity_evidence.prior_alpha is
  'What all other entities tell about this one, in events.';
comment on column ads.entity_evidence.prior_beta is
  'What all other entities tell about this one, in exposure.';
comment on column ads.entity_evidence.alpha is 'Prior and own events.';
comment on column ads.entity_evidence.beta is 'Prior and own exposure.';
-- end include

-- include: sql/views/latest_classifications.sql
-- One row per entity: its newest classification, that of the latest day. Replaying an earlier day
-- does not hide it.
create or replace view ads.latest_classifications as
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
-- end include

-- include: sql/functions/store_features.sql
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
    insufficient_data = excluded.insufficient_data,
    computed_at = excluded.computed_at;
  get diagnostics stored = row_count;
  return stored;
end;
$$;

comment on function ads.store_features(integer, text, date, timestamptz) is
  'Writes ads.entity_features of a day to ads.ml_features, over what was stored before; returns the '
  'number of entities.';
-- end include

-- include: sql/views/stale_runs.sql
-- One row per account, job, level and day that was worked on before days changed which it rests on.
create or replace view ads.stale_runs as
select
  r.config_id,
  r.job,
  r.entity_type,
  r.as_of,
  r.worked_at,
  d.changed_at
from (
  select
    j.config_id,
    j.job,
    j.entity_type,
    j.as_of,
    max(j.started_at) as worked_at
  from ads.job_runs j
  where j.status = 'succeeded'
  group by j.config_id, j.job, j.entity_type, j.as_of
) r
join ads.calendar c
  on c.as_of = r.as_of
cross join lateral (
  select max(x.changed_at) as changed_at
  from ads.changed_days x
  where x.config_id = r.config_id
    and x.date between c.from_30d and c.as_of
) d
where d.changed_at > r.worked_at;

comment on view ads.stale_runs is
  'Days whose results rest on insights that have changed since: features, tiers and the like look at '
  'the 30 days to as_of. The next run of the job computes them again.';
comment on column ads.stale_runs.worked_at is 'When the last run that succeeded began to read.';
comment on column ads.stale_runs.changed_at is 'When a day among its 30 changed the last time.';
-- end include

