-- Who may ask for what. A key is good for some accounts. What it asks runs in a role that owns nothing
-- and that sees only the rows of the accounts in a setting of its transaction, so that a query
-- which forgets its "where" finds nothing instead of somebody else's rows.

-- migrate:up
create table ads.api_keys (
  id integer generated always as identity primary key,
  prefix text not null unique,
  secret_hash bytea not null check (octet_length(secret_hash) = 32),
  name text not null,
  role text not null check (role in ('read', 'write', 'admin')),
  created_at timestamptz not null,
  expires_at timestamptz,
  revoked_at timestamptz,
  last_used_at timestamptz
);
comment on table ads.api_keys is
  'One row per key. Not by account like other tables: a key is good for several.';
comment on column ads.api_keys.prefix is 'The readable part of the key, which names it.';
comment on column ads.api_keys.secret_hash is
  'SHA-256 of the 256 random bits of the key. Nothing shorter than the secret itself guesses it, so '
  'it needs no salt and no slow hash.';
comment on column ads.api_keys.expires_at is 'Null: never.';
comment on column ads.api_keys.last_used_at is 'To the minute.';

create table ads.api_key_accounts (
  config_id integer not null references ads.accounts on delete cascade,
  key_id integer not null references ads.api_keys on delete cascade,
  primary key (config_id, key_id)
);
create index api_key_accounts_key on ads.api_key_accounts (key_id);
comment on table ads.api_key_accounts is 'One row per key and account that it may see.';

-- include: sql/functions/keep_accounts_apart.sql
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
-- end include

do $$
declare
  relation record;
begin
  -- A role belongs to the whole server: it stays there when another database goes down, and so it may
  -- exist before the first one comes up. Whoever migrates has to be able to switch to it.
  begin
    if not exists (select from pg_catalog.pg_roles where rolname = 'adstrata_request') then
      begin
        create role adstrata_request nologin;
      exception
        when duplicate_object or unique_violation then null;
      end;
    end if;
    begin
      set local role adstrata_request;
      reset role;
    exception
      when insufficient_privilege then
        execute format('grant adstrata_request to %I', current_user);
    end;
  exception
    when insufficient_privilege then
      raise exception '% may neither create the role adstrata_request nor use it', current_user
        using hint = format(
          'Somebody who may has to do once for this server: create role adstrata_request nologin; '
          'grant adstrata_request to %I;',
          current_user
        );
  end;
  grant usage on schema ads to adstrata_request;
  -- Of what comes later, too; a partition lets nobody in but through its table.
  alter default privileges in schema ads grant select on tables to adstrata_request;
  for relation in
    select
      c.oid::regclass as name,
      c.relkind,
      c.relispartition,
      exists (
        select
        from pg_catalog.pg_attribute a
        where a.attrelid = c.oid and a.attname = 'config_id'
      ) as is_of_account
    from pg_catalog.pg_class c
    where c.relnamespace = 'ads'::regnamespace
      and c.relkind in ('r', 'p', 'v')
      and c.relname not in ('api_keys', 'api_key_accounts')
  loop
    if relation.relispartition then
      execute format('alter table %s enable row level security', relation.name);
      continue;
    end if;
    execute format('grant select on %s to adstrata_request', relation.name);
    continue when relation.relkind = 'v' or not relation.is_of_account;
    perform ads.keep_accounts_apart(relation.name);
  end loop;
  -- No policy, no grant: nobody but the owner.
  alter table ads.api_keys enable row level security;
  alter table ads.api_key_accounts enable row level security;
  grant insert on ads.ml_classification_feedback to adstrata_request;
end;
$$;

-- migrate:down
do $$
declare
  relation record;
begin
  for relation in
    select c.oid::regclass as name, c.relkind, c.relispartition
    from pg_catalog.pg_class c
    where c.relnamespace = 'ads'::regnamespace
      and c.relkind in ('r', 'p')
  loop
    execute format('drop policy if exists accounts_of_key on %s', relation.name);
    execute format('drop policy if exists everybody on %s', relation.name);
    execute format('alter table %s disable row level security', relation.name);
  end loop;
  alter default privileges in schema ads revoke select on tables from adstrata_request;
  revoke all on all tables in schema ads from adstrata_request;
  revoke all on schema ads from adstrata_request;
end;
$$;
drop function ads.keep_accounts_apart;
drop table ads.api_key_accounts;
drop table ads.api_keys;
