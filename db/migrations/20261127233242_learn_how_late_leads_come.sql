-- How many leads a day had so many days after it: Meta credits some of them late, and a day that is not
-- complete yet is no alarm.

-- migrate:up
create table ads.leads_seen (
  config_id integer not null references ads.accounts on delete cascade,
  date date not null,
  age integer not null check (age between 0 and 27),
  leads bigint not null check (leads >= 0),
  primary key (config_id, date, age)
);
comment on table ads.leads_seen is
  'One row per account, day and age at which an import told it: the leads known then.';
comment on column ads.leads_seen.age is
  'Whole days between the end of the day, in the account''s time zone, and the import.';

select ads.keep_accounts_apart('ads.leads_seen');

-- include: sql/views/lead_completeness.sql
-- One row per account, as_of and age: how much of a day's leads was known so long after it.
-- Over 90 days of which nothing changes any more on as_of.
create or replace view ads.lead_completeness
with (security_invoker = true) as
select
  c.as_of,
  s.config_id,
  s.age,
  s.days,
  s.leads_then,
  s.leads_now,
  s.leads_then / nullif(s.leads_now, 0) as share
from ads.calendar c
cross join lateral (
  select
    l.config_id,
    l.age,
    count(*) as days,
    sum(l.leads::double precision) as leads_then,
    sum(k.leads::double precision) as leads_now
  from ads.leads_seen l
  join ads.account_days k
    on k.config_id = l.config_id
    and k.date = l.date
  where l.date between c.as_of - 117 and c.as_of - 28
  group by l.config_id, l.age
) s;

comment on view ads.lead_completeness is
  'How late leads come: of the leads that days have by now, those that an import found at an age. '
  'Filter as_of to one day.';
comment on column ads.lead_completeness.age is
  'Whole days between the end of a day, in the account''s time zone, and the import.';
comment on column ads.lead_completeness.days is 'The days that an import found at this age.';
comment on column ads.lead_completeness.share is
  'Fraction 0 to 1, more where leads were taken back; null without leads.';
-- end include

-- migrate:down
drop view ads.lead_completeness;
drop table ads.leads_seen;
