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
