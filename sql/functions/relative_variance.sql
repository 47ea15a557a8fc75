-- The relative variance of the rates of parts around their whole, from all wholes of an account.
create or replace function ads.relative_variance(
  excess double precision,
  size double precision,
  guess double precision
)
returns double precision
language sql
immutable
parallel safe
return greatest(
  (coalesce(excess, 0) + 10 * guess) / (greatest(coalesce(size, 0), 0) + 10),
  0
);

comment on function ads.relative_variance(double precision, double precision, double precision) is
  'The moment estimate excess / size, at least 0. size is the inverse of the estimate''s squared '
  'error; the guess counts as 10 units of it, which is an error of 0.3.';
