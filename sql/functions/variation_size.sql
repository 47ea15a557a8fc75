-- What ads.excess_variation would be if the parts' rates had a relative variance of 1.
create or replace function ads.variation_size(
  events double precision,
  expected double precision,
  expected_squared double precision,
  expected_cubed double precision
)
returns double precision
language sql
immutable
parallel safe
return ads.variation_weight(expected_squared / expected) * events * (events - 1) * (
  expected_squared / expected ^ 2
  - 2 * expected_cubed / expected ^ 3
  + (expected_squared / expected ^ 2) ^ 2
);

comment on function ads.variation_size(
  double precision, double precision, double precision, double precision
) is
  'Events times events less one estimates the square of their expectation without bias.';
