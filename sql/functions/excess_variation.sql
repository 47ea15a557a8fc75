-- How much more the parts of a whole differ than chance alone would make them, weighted.
create or replace function ads.excess_variation(
  events double precision,
  expected double precision,
  events_squared double precision,
  events_expected double precision,
  expected_squared double precision
)
returns double precision
language sql
immutable
parallel safe
return ads.variation_weight(expected_squared / expected) * (
  events_squared
  - 2 * events / expected * events_expected
  + (events / expected) ^ 2 * expected_squared
  - events * (1 - expected_squared / expected ^ 2)
);

comment on function ads.excess_variation(
  double precision, double precision, double precision, double precision, double precision
) is
  'Squared deviations of the parts'' events from their share of the whole, less what Poisson noise '
  'adds, from sums over the parts. Its expectation is the relative variance of the parts'' rates times '
  'ads.variation_size (Buehlmann and Straub 1970, for counts). expected is above 0.';
