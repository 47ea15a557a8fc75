-- Whether an entity runs, from what a person set and what Meta makes of it.
create or replace function ads.is_running(status text, effective_status text)
returns boolean
language sql
immutable
parallel safe
return coalesce(effective_status, status, 'ACTIVE') <> all (array[
  'ADSET_PAUSED', 'ARCHIVED', 'CAMPAIGN_PAUSED', 'COMPLETED', 'DELETED', 'DISAPPROVED', 'INACTIVE',
  'NOT_DELIVERING', 'OFF', 'PAUSED', 'RECENTLY_COMPLETED'
]);

comment on function ads.is_running(text, text) is
  'False for the states in which nothing is delivered. An unknown or untold state counts as running: '
  'an export without delivery columns shows only what ran.';
