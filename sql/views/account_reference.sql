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
    coalesce(sum(d.spend), 0) as spend_14d,
    coalesce(sum(d.leads), 0)::bigint as leads_14d
  from ads.account_daily d
  where d.config_id = a.config_id
    and d.date between c.from_14d and c.as_of
) w;

comment on view ads.account_reference is
  'The reference of an account: its target CPL, else its own CPL over the 14 days to as_of.';
comment on column ads.account_reference.reference is
  'In major units of the account''s currency; null where there is neither a target nor a paid lead.';
comment on column ads.account_reference.reference_source is
  'target, account, or null where there is no reference.';
