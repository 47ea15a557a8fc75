-- What recommendations did that somebody applied, measured when enough days have passed. A row is
-- measured again when the days that it rests on change; a recommendation is only ever measured once it
-- is applied, which it stays.

-- migrate:up
create table ads.impact_results (
  config_id integer not null references ads.accounts on delete cascade,
  recommendation_id bigint not null,
  window_days integer not null check (window_days between 3 and 30),
  entity_type text not null check (entity_type in ('campaign', 'adset', 'ad')),
  entity_id text not null,
  recommendation_type text not null,
  change_type text not null check (
    change_type in ('budget_change', 'creative_change', 'audience_change', 'pause', 'reactivate')
  ),
  change_date date not null,
  as_of date not null,
  measured_type text check (measured_type in ('account', 'campaign', 'adset', 'ad')),
  measured_id text,
  verdict text check (verdict in ('positive', 'negative', 'neutral', 'inconclusive')),
  missing text,
  sentence text,
  advice text,
  cpl_pct_change double precision,
  cpl_low double precision,
  cpl_high double precision,
  p_value double precision check (p_value between 0 and 1),
  metrics jsonb,
  control jsonb,
  model_version text not null,
  measured_at timestamptz not null,
  primary key (config_id, recommendation_id, window_days),
  foreign key (config_id, recommendation_id) references ads.ml_recommendations on delete cascade,
  check ((verdict is null) = (missing is not null)),
  check ((verdict is null) = (metrics is null))
);
comment on table ads.impact_results is
  'One row per applied recommendation and window: what it did, or why that cannot be said.';
comment on column ads.impact_results.window_days is 'Days before and after the change.';
comment on column ads.impact_results.change_date is
  'The day on which it was applied, in the account''s time zone. It counts on neither side.';
comment on column ads.impact_results.as_of is 'The last day that counted.';
comment on column ads.impact_results.measured_type is
  'What was measured: the entity itself, or what is above what was paused or started.';
comment on column ads.impact_results.verdict is
  'By the CPL: positive is cheaper, negative dearer, neutral shown to have changed little, '
  'inconclusive that it cannot be told. Null where too little was delivered, as missing says.';
comment on column ads.impact_results.cpl_pct_change is
  'In percent of what the CPL would have been without the change.';
comment on column ads.impact_results.cpl_low is
  'With cpl_high the interval that holds the true change with a probability of 95 %.';
comment on column ads.impact_results.metrics is
  'Each metric with its change, interval, p value and effect size.';
comment on column ads.impact_results.control is 'What it was compared with, and how that moved.';

select ads.keep_accounts_apart('ads.impact_results');

-- migrate:down
drop table ads.impact_results;
