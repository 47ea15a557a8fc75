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
