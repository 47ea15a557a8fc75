-- The change from one value to another in percent.
create or replace function ads.pct_change(earlier double precision, later double precision)
returns double precision
language sql
immutable
parallel safe
return case
  when earlier is null or later is null then null
  when earlier <> 0 then 100 * (later - earlier) / earlier
  when later > 0 then 100
  else 0
end;

comment on function ads.pct_change(double precision, double precision) is
  'Percent; from 0 to something is +100, 0 to 0 is 0, null where a side is undefined.';
