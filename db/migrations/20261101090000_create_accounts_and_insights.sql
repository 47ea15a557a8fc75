-- The ground of everything: one account's campaigns, ad sets, ads and their daily insights, and the
-- days that views can be asked about. Every key starts with config_id, the tenant.

-- migrate:up
create schema if not exists ads;

create table ads.accounts (
  config_id integer primary key check (config_id > 0),
  account_id text unique check (account_id ~ '^[0-9]+$'),
  name text not null,
  currency text not null check (currency ~ '^[A-Z]{3}$'),
  time_zone text not null,
  target_cpl numeric check (target_cpl > 0),
  settings jsonb not null default '{}',
  is_active boolean not null default true,
  last_import_at timestamptz,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now()
);
comment on table ads.accounts is 'One row per connected ad account.';
comment on column ads.accounts.account_id is 'Meta''s id without act_, null where no export named it.';
comment on column ads.accounts.time_zone is 'IANA name; the days of insights are days in this zone.';
comment on column ads.accounts.target_cpl is
  'What a lead may cost, in major units of currency; null: the account''s own CPL is the reference.';
comment on column ads.accounts.settings is 'Overrides of the defaults in core/settings.ts.';

create table ads.campaigns (
  config_id integer not null references ads.accounts on delete cascade,
  campaign_id text not null,
  name text not null,
  objective text,
  status text,
  effective_status text,
  daily_budget numeric,
  lifetime_budget numeric,
  primary key (config_id, campaign_id)
);
comment on table ads.campaigns is 'One row per campaign.';

create table ads.adsets (
  config_id integer not null,
  adset_id text not null,
  campaign_id text not null,
  name text not null,
  status text,
  effective_status text,
  daily_budget numeric,
  lifetime_budget numeric,
  primary key (config_id, adset_id),
  foreign key (config_id, campaign_id) references ads.campaigns on delete cascade
);
create index adsets_campaign on ads.adsets (config_id, campaign_id);
comment on table ads.adsets is 'One row per ad set.';

create table ads.ads (
  config_id integer not null,
  ad_id text not null,
  adset_id text not null,
  campaign_id text not null,
  name text not null,
  status text,
  effective_status text,
  primary key (config_id, ad_id),
  foreign key (config_id, adset_id) references ads.adsets on delete cascade
);
create index ads_adset on ads.ads (config_id, adset_id);
create index ads_campaign on ads.ads (config_id, campaign_id);
comment on table ads.ads is 'One row per ad.';

do $$
declare
  entity_table text;
begin
  foreach entity_table in array array['campaigns', 'adsets', 'ads'] loop
    execute format($f$comment on column ads.%I.status is
      'What a person set (Meta''s configured status), upper case; null where no export told it.'$f$,
      entity_table);
    execute format($f$comment on column ads.%I.effective_status is
      'What Meta makes of it, including what a parent or a review did; unknown values are kept.'$f$,
      entity_table);
  end loop;
  foreach entity_table in array array['campaigns', 'adsets'] loop
    execute format($f$comment on column ads.%I.daily_budget is
      'In major units of the account''s currency; null where it holds none.'$f$, entity_table);
    execute format($f$comment on column ads.%I.lifetime_budget is
      'In major units of the account''s currency; null where it holds none.'$f$, entity_table);
  end loop;
end;
$$;

-- No foreign keys to the entities: checking them row by row would cost more than the insert itself.
-- The import writes the entities first, in the same transaction.
create table ads.insights (
  config_id integer not null,
  date date not null,
  campaign_id text not null,
  adset_id text not null,
  ad_id text not null,
  spend numeric not null default 0,
  impressions bigint not null default 0,
  reach bigint,
  clicks bigint not null default 0,
  link_clicks bigint,
  leads bigint not null default 0,
  conversions bigint not null default 0,
  primary key (config_id, ad_id, date)
) partition by range (date);
-- By day for a whole account, by parent for one entity and its siblings. Few distinct keys, which a
-- b-tree stores once each, so they cost a fraction of the primary key.
create index insights_day on ads.insights (config_id, date);
create index insights_adset on ads.insights (config_id, adset_id, date);
create index insights_campaign on ads.insights (config_id, campaign_id, date);
comment on table ads.insights is
  'One row per account, day and ad. Partitioned by month; ads.create_insight_partitions makes them.';
comment on column ads.insights.ad_id is
  'The ad; equal to adset_id where the export named no ad: delivery of the ad set as a whole.';
comment on column ads.insights.spend is 'In major units of the account''s currency.';
comment on column ads.insights.reach is
  'Unique people of that ad and day; null where unknown. It does not add up over days or ads.';
comment on column ads.insights.clicks is 'All clicks; link clicks where the export has only those.';
comment on column ads.insights.leads is 'The result that the account buys.';
comment on column ads.insights.conversions is
  'Results of every kind, as the export counts them; the leads where it counts no other.';

create table ads.calendar (as_of date primary key);
comment on table ads.calendar is
  'One row per day that a view can be asked about: the account''s last complete day that counts.';
insert into ads.calendar (as_of)
select generate_series(date '2010-01-01', date '2049-12-31', interval '1 day')::date;

-- migrate:down
drop schema ads cascade;
