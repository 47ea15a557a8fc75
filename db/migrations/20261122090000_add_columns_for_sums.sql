-- Columns that the sums over many days read instead of computing them for each row and each sum: the
-- conversion of a numeric takes nearly as long as reading its row, and the bounds of windows are the
-- same for all rows of a day.

-- migrate:up
alter table ads.insights
  add column spend_double double precision not null
    generated always as (spend::double precision) stored;
comment on column ads.insights.spend_double is 'spend once more, for ratios: quicker to add up.';

alter table ads.calendar
  add column from_7d date not null generated always as (as_of - 6) stored,
  add column from_14d date not null generated always as (as_of - 13) stored,
  add column from_30d date not null generated always as (as_of - 29) stored;
comment on column ads.calendar.from_7d is 'First of the 7 days that end on as_of.';
comment on column ads.calendar.from_14d is 'First of the 14 days that end on as_of.';
comment on column ads.calendar.from_30d is 'First of the 30 days that end on as_of.';

-- migrate:down
alter table ads.calendar
  drop column from_7d,
  drop column from_14d,
  drop column from_30d;
alter table ads.insights drop column spend_double;
