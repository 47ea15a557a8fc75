-- Shows requests the rows of their own accounts only, in a table with config_id.
create or replace function ads.keep_accounts_apart(table_name regclass)
returns void
language plpgsql
set search_path = ''
as $$
begin
  execute format('alter table %s enable row level security', table_name);
  -- Other roles see what they were granted, as without row level security.
  execute format('create policy everybody on %s using (true)', table_name);
  -- The setting is read once and not for each row. Unknown to the planner as a comparison, because it
  -- would take the account of the query and that of the setting for two independent conditions.
  execute format(
    $policy$
      create policy accounts_of_key on %s as restrictive to adstrata_request
      using (coalesce(
        config_id = any (
          (select string_to_array(current_setting('adstrata.config_ids', true), ','))::integer[]
        ),
        false
      ))
    $policy$,
    table_name
  );
end;
$$;

comment on function ads.keep_accounts_apart(regclass) is
  'Turns on row level security, by which the role of requests sees the accounts of its setting.';
