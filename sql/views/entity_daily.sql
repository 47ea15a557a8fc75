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
