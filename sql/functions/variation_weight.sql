-- How much a whole counts in the estimate of how its parts differ.
create or replace function ads.variation_weight(expected_events double precision)
returns double precision
language sql
immutable
parallel safe
return expected_events / (1 + 2 * expected_events * (1 + 0.1 * expected_events) ^ 2);

comment on function ads.variation_weight(double precision) is
  'By the events expected of a typical part: inverse to the variance of a squared deviation at a '
  'relative variance of 0.1, so that the estimate errs least near there. Any weight is unbiased.';
