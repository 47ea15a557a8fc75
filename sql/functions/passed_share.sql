-- The share of the evidence about one rate that is evidence about a rate that differs from it.
create or replace function ads.passed_share(expected_events double precision, variance double precision)
returns double precision
language sql
immutable
parallel safe
return 1 / (1 + expected_events * variance);

comment on function ads.passed_share(double precision, double precision) is
  'Buehlmann''s credibility: n expected events tell a rate with a relative variance of 1/n; of a rate '
  'that differs from it by the relative variance v, they tell 1/n + v, as n / (1 + n v) events would.';
