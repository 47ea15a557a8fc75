-- How many of the alarms are luck: beside the alarms that a day raised, those that the same account
-- raises when its days are shuffled, so that nothing that happened is left in its place.

-- migrate:up
create table ads.anomaly_luck (
  config_id integer not null references ads.accounts on delete cascade,
  entity_type text not null check (entity_type in ('account', 'campaign', 'adset', 'ad')),
  anomaly_date date not null,
  entities integer not null check (entities >= 0),
  alarms integer not null check (alarms >= 0),
  shuffles integer not null check (shuffles > 0),
  expected_by_luck double precision not null check (expected_by_luck >= 0),
  model_version text not null,
  updated_at timestamptz not null,
  primary key (config_id, entity_type, anomaly_date)
);
comment on table ads.anomaly_luck is
  'One row per day and level that was searched for anomalies, and per day of the account as a whole.';
comment on column ads.anomaly_luck.entities is 'How many could be tested.';
comment on column ads.anomaly_luck.alarms is
  'How many the newest search raised, those that somebody has closed included.';
comment on column ads.anomaly_luck.shuffles is
  'How often the days were shuffled: more often, the fewer entities there are.';
comment on column ads.anomaly_luck.expected_by_luck is
  'How many alarms a shuffle raised on average. Faults of the past are shuffled along and count, what '
  'a drifting level makes stand out does not.';

select ads.keep_accounts_apart('ads.anomaly_luck');

-- migrate:down
drop table ads.anomaly_luck;
