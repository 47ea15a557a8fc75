-- One row per account, as_of, level, metric and number of days ahead: over the 28 days to as_of.
create or replace view ads.forecast_accuracy
with (security_invoker = true) as
select
  c.as_of,
  s.config_id,
  s.entity_type,
  s.metric,
  s.days_ahead,
  s.days,
  s.forecasts,
  s.mase,
  s.bias,
  s.coverage80,
  s.coverage95,
  s.needed80,
  s.needed95
from ads.calendar c
cross join lateral (
  select
    f.config_id,
    f.entity_type,
    f.metric,
    f.days_ahead,
    count(*) as days,
    sum(f.forecasts) as forecasts,
    sum(f.scaled_error) / nullif(sum(f.scaled), 0) as mase,
    sum(f.scaled_bias) / nullif(sum(f.scaled), 0) as bias,
    sum(f.within80)::double precision / nullif(sum(f.ranges), 0) as coverage80,
    sum(f.within95)::double precision / nullif(sum(f.ranges), 0) as coverage95,
    sum(f.needed80 * f.ranges) / nullif(sum(f.ranges) filter (where f.needed80 is not null), 0)
      as needed80,
    sum(f.needed95 * f.ranges) / nullif(sum(f.ranges) filter (where f.needed95 is not null), 0)
      as needed95
  from ads.forecast_scores f
  where f.date between c.as_of - 27 and c.as_of
  group by f.config_id, f.entity_type, f.metric, f.days_ahead
) s;

comment on view ads.forecast_accuracy is
  'How the forecasts of the past turned out, of the 28 days to as_of: filter config_id and as_of.';
comment on column ads.forecast_accuracy.days is 'Days that were scored.';
comment on column ads.forecast_accuracy.forecasts is 'Forecasts of one entity and day.';
comment on column ads.forecast_accuracy.mase is
  'Mean absolute scaled error (Hyndman and Koehler 2006): 1 is as good as telling the value of the '
  'same weekday of the week before is in the days that the forecast was made from; null where nothing '
  'varies there.';
comment on column ads.forecast_accuracy.bias is 'Forecast less actual, scaled alike: above 0 is too high.';
comment on column ads.forecast_accuracy.coverage80 is
  'Fraction of what came that the ranges of 80 % held; what has stopped has no range.';
comment on column ads.forecast_accuracy.needed80 is
  'How many times as wide as the errors of before made them they had to be to hold 80 %.';
