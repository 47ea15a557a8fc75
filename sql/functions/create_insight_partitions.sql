-- Creates the monthly partitions of ads.insights that hold the days from date_from to date_to.
create or replace function ads.create_insight_partitions(date_from date, date_to date)
returns void
language plpgsql
set search_path = ''
as $$
declare
  month date;
  partition_name text;
begin
  for month in
    select generate_series(date_trunc('month', date_from), date_to, interval '1 month')::date
  loop
    partition_name := 'insights_' || to_char(month, 'YYYY_MM');
    continue when to_regclass(format('ads.%I', partition_name)) is not null;
    -- One creator at a time; the others wait here and then find the partition.
    lock table ads.insights in share update exclusive mode;
    continue when to_regclass(format('ads.%I', partition_name)) is not null;
    -- Attaching lets readers of ads.insights go on, which "partition of" would lock out until the
    -- end of a long import.
    execute format('create table ads.%I (like ads.insights including all)', partition_name);
    -- Without a policy it lets nobody in but through ads.insights, which has one.
    execute format('alter table ads.%I enable row level security', partition_name);
    execute format(
      'alter table ads.insights attach partition ads.%I for values from (%L) to (%L)',
      partition_name, month, (month + interval '1 month')::date
    );
  end loop;
end;
$$;

comment on function ads.create_insight_partitions(date, date) is
  'Creates the monthly partitions of ads.insights for these days, both included; others stay.';
