-- Adds up days of an account whose insights have changed, and remembers when they did.
create or replace function ads.store_account_days(
  account integer,
  days date[],
  changed_at timestamptz
)
returns void
language plpgsql
set search_path = ''
as $$
begin
  insert into ads.account_days as k (
    config_id, date, changed_at, spend, impressions, clicks, leads
  )
  select
    account,
    d.date,
    store_account_days.changed_at,
    coalesce(t.spend, 0),
    coalesce(t.impressions, 0),
    coalesce(t.clicks, 0),
    coalesce(t.leads, 0)
  from unnest(days) d (date)
  left join (
    select
      i.date,
      sum(i.spend) as spend,
      sum(i.impressions::double precision) as impressions,
      sum(i.clicks::double precision) as clicks,
      sum(i.leads::double precision) as leads
    from ads.insights i
    where i.config_id = account
      and i.date between (select min(x) from unnest(days) x) and (select max(x) from unnest(days) x)
    group by i.date
  ) t
    on t.date = d.date
  on conflict (config_id, date) do update
  set
    changed_at = excluded.changed_at,
    spend = excluded.spend,
    impressions = excluded.impressions,
    clicks = excluded.clicks,
    leads = excluded.leads;
end;
$$;

comment on function ads.store_account_days(integer, date[], timestamptz) is
  'Whoever writes ads.insights calls it in the same transaction, with the days that were written, '
  'changed or deleted: their totals are kept, and what was computed from them before is stale. The '
  'import does.';
