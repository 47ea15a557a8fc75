-- One row per known ad set or ad and as_of: what was delivered below its parent in 7 days.
-- By entity and not by parent, so that a filter on one entity looks up its parent alone. In a branch
-- of its own each parent is a column with statistics: from them the planner knows that siblings
-- follow each other, and has each parent added up once (Memoize). Sums by parent would be no quicker
-- for a whole level, and reach one entity only by adding up all of the account.
-- The level is a constant inside of the sums, so that a filter on the other one ends there and no
-- month of ads.insights is planned for it: 0.5 ms for each query of one entity.
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
    campaign.entity_type,
    s.adset_id as entity_id,
    s.campaign_id as parent_id,
    campaign.spend_7d,
    campaign.leads_7d
  from ads.adsets s
  cross join lateral (
    select
      'adset'::text as entity_type,
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
    adset.entity_type,
    a.ad_id,
    a.adset_id,
    adset.spend_7d,
    adset.leads_7d
  from ads.ads a
  cross join lateral (
    select
      'ad'::text as entity_type,
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
