-- One row per entity and applied recommendation about it or about something in it.
create or replace view ads.entity_changes
with (security_invoker = true) as
select
  r.config_id,
  t.entity_type,
  t.entity_id,
  r.id as recommendation_id,
  r.entity_type = t.entity_type as is_own,
  r.applied_at,
  (r.applied_at at time zone a.time_zone)::date as date
from ads.ml_recommendations r
join ads.accounts a
  on a.config_id = r.config_id
cross join lateral (
  values
    ('campaign', case r.entity_type when 'campaign' then r.entity_id else r.campaign_id end),
    ('adset', case r.entity_type when 'adset' then r.entity_id when 'ad' then r.parent_id end),
    ('ad', case r.entity_type when 'ad' then r.entity_id end)
) t (entity_type, entity_id)
where r.status = 'applied'
  and t.entity_id is not null;

comment on view ads.entity_changes is
  'What somebody changed, as far as it was advised and noted as applied: campaigns, ad sets and ads, '
  'each also where something in it was changed.';
comment on column ads.entity_changes.is_own is 'Whether it was changed itself.';
comment on column ads.entity_changes.date is 'The day, in the account''s time zone.';
