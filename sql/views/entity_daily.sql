-- One row per entity and day with delivery.
-- The constant entity_type lets a filter on the level drop the other branches at plan time.
create or replace view ads.entity_daily as
select
  i.config_id,
  'campaign'::text as entity_type,
  i.campaign_id as entity_id,
  null::text as parent_id,
  i.date,
  sum(i.spend) as spend,
  sum(i.impressions)::bigint as impressions,
  case
    when bool_and(i.reach is not null or i.impressions = 0) then sum(i.reach)::bigint
  end as reach,
  sum(i.clicks)::bigint as clicks,
  sum(i.link_clicks)::bigint as link_clicks,
  sum(i.leads)::bigint as leads,
  sum(i.conversions)::bigint as conversions
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
  sum(i.impressions)::bigint,
  case when bool_and(i.reach is not null or i.impressions = 0) then sum(i.reach)::bigint end,
  sum(i.clicks)::bigint,
  sum(i.link_clicks)::bigint,
  sum(i.leads)::bigint,
  sum(i.conversions)::bigint
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
  i.conversions
from ads.insights i
where i.ad_id <> i.adset_id;

comment on view ads.entity_daily is
  'Daily numbers of every campaign, ad set and ad. A parent''s are the sums of its ads'', and of what '
  'was reported for the ad set as a whole.';
comment on column ads.entity_daily.spend is 'In major units of the account''s currency.';
comment on column ads.entity_daily.reach is
  'Of an ad as Meta reports it; of a parent the sum of its ads, an upper bound. Null where that of '
  'any is unknown.';
