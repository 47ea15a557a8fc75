import { assertEquals, assertRejects } from "@std/assert";
import { listClassifications } from "../../db/classifications.ts";
import type { Sql } from "../../db/connect.ts";
import { migrate, migrationState } from "../../db/migrate.ts";
import { Refusal } from "../../core/refusal.ts";
import { testDatabase } from "../database.ts";

const ADOPTION = "20261101090150";
const CAMPAIGN = "120210000000000001";

/** The older schema with rows of two accounts, and with everything that can hang on a table. */
const OLDER_SCHEMA = `
  create type public.campaigntier as enum ('HIGH_PERFORMER', 'MODERATE', 'LOW', 'UNDERPERFORMER');
  create table public.ml_campaign_classifications (
    id serial primary key,
    config_id integer not null,
    campaign_id varchar(100) not null,
    tier public.campaigntier not null,
    confidence_score double precision not null default 0.5,
    metrics_snapshot json,
    feature_importances json,
    previous_tier public.campaigntier,
    tier_change_direction varchar(20),
    classified_at timestamp default now(),
    valid_until timestamp,
    model_version varchar(50),
    reviewed_by text,
    unique (config_id, campaign_id, classified_at),
    constraint confidence_range check (confidence_score >= 0)
  );
  create index ix_classifications_tier on public.ml_campaign_classifications (tier);
  create index ix_classifications_open on public.ml_campaign_classifications (config_id)
    where valid_until is null;
  comment on table public.ml_campaign_classifications is 'Tiers of campaigns';
  comment on column public.ml_campaign_classifications.tier is 'What it is';
  comment on index public.ix_classifications_tier is 'For the list';
  grant select on public.ml_campaign_classifications to public;
  insert into public.ml_campaign_classifications values
    (1, 7, '${CAMPAIGN}', 'LOW', 0.6, '{"cpl_7d": 12.5}', null, null, null,
      '2026-01-05 05:00:00.123456', '2026-01-06 05:00', null, null),
    (41, 7, '${CAMPAIGN}', 'MODERATE', 0.85, '{"cpl_7d": 9, "leads_7d": 4}', '{"cpl": 1}', 'LOW',
      'improved', '2026-01-06 05:00', null, 'rules-2', 'Ana'),
    (2, 8, '23850000000000009', 'UNDERPERFORMER', 'NaN', null, '[1]', null, 'worse', null, null,
      null, null);
  select setval('public.ml_campaign_classifications_id_seq', 57);

  create table public.ml_features (
    id bigint generated always as identity primary key,
    config_id integer not null,
    campaign_id varchar(100) not null,
    window_days integer not null default 30,
    feature_date date not null,
    spend_7d numeric(12, 2),
    leads_7d double precision,
    cpl_7d double precision,
    leads_30d numeric(10, 2),
    best_day_of_week varchar(10),
    is_active boolean,
    score double precision,
    insufficient_data boolean not null default false,
    computed_at timestamptz
  );
  create index ix_features_date on public.ml_features (config_id, feature_date desc);
  alter table public.ml_features add constraint window_range check (window_days > 0);
  insert into public.ml_features (
    config_id, campaign_id, feature_date, spend_7d, leads_7d, cpl_7d, leads_30d, best_day_of_week,
    is_active, score, computed_at
  ) values
    (7, '${CAMPAIGN}', '2026-01-05', 100.50, 3, 33.5, 11.00, '2', true, 0.1, '2026-01-06 05:00+01'),
    (7, '${CAMPAIGN}', '2026-01-05', 90, 2, 45, 10, '2', true, 0.1, '2026-01-05 05:00+01'),
    (9, '42', '2026-01-05', 0, 0, 'NaN', null, 'Monday', false, 'Infinity', null);
`;

const UPPER_TIERS = `
  create table public.ml_campaign_classifications (
    id uuid, config_id bigint, campaign_id bigint, tier text, previous_tier text, classified_at date
  );
  insert into public.ml_campaign_classifications values
    ('00000000-0000-0000-0000-00000000000a', 7, ${CAMPAIGN}, 'low', 'Moderate', '2026-01-05');
`;

/** Everything that the catalog and the tables say about the older schema. */
async function olderSchema(sql: Sql) {
  const tables = await sql`
    select c.oid, c.relname, c.relkind, c.relnamespace::regnamespace::text as schema, c.relacl,
      pg_catalog.pg_get_indexdef(c.oid) as index
    from pg_catalog.pg_class c
    where c.relnamespace = 'public'::regnamespace and c.relname <> 'adstrata_migrations'
      and c.relname <> 'adstrata_migrations_pkey'
    order by c.relname`;
  const columns = await sql`
    select a.attrelid::regclass::text as relation, a.attnum, a.attname, a.attnotnull, a.attidentity,
      pg_catalog.format_type(a.atttypid, a.atttypmod) as type,
      pg_catalog.pg_get_expr(d.adbin, d.adrelid) as default
    from pg_catalog.pg_attribute a
    left join pg_catalog.pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
    where a.attrelid in (
      'public.ml_campaign_classifications'::regclass, 'public.ml_features'::regclass
    )
    order by a.attrelid, a.attnum`;
  const constraints = await sql`
    select c.conrelid::regclass::text as relation, c.conname,
      pg_catalog.pg_get_constraintdef(c.oid) as definition
    from pg_catalog.pg_constraint c
    where c.connamespace = 'public'::regnamespace and c.conrelid <> 0
      and c.conrelid <> 'public.adstrata_migrations'::regclass
    order by relation, c.conname`;
  const comments = await sql`
    select d.objoid::regclass::text as relation, d.objsubid, d.description
    from pg_catalog.pg_description d
    join pg_catalog.pg_class c on c.oid = d.objoid and d.classoid = 'pg_catalog.pg_class'::regclass
    where c.relnamespace = 'public'::regnamespace
    order by relation, d.objsubid`;
  const sequences = await sql`
    select
      (select array[last_value::text, is_called::text]
        from public.ml_campaign_classifications_id_seq) as classifications,
      (select array[last_value::text, is_called::text] from public.ml_features_id_seq) as features,
      pg_catalog.pg_get_serial_sequence('public.ml_campaign_classifications', 'id') as owned`;
  const classifications = await sql`
    select to_jsonb(o)::text as row from public.ml_campaign_classifications o order by o.id`;
  const features = await sql`
    select to_jsonb(o)::text as row from public.ml_features o order by o.id`;
  return [tables, columns, constraints, comments, sequences, classifications, features]
    .map((rows) => [...rows]);
}

/** A database that was never migrated, but holds what `statements` make. */
async function olderDatabase(statements: string) {
  const database = await testDatabase({ migrated: false });
  // Leaves the migrations table behind, which is no part of the comparison.
  await migrate(database.url, "up");
  await down(database);
  await database.sql.unsafe(statements);
  return database;
}

/** Takes migrations back until the adoption, or all, are gone. */
async function down({ sql, url }: { sql: Sql; url: string }, until = "0"): Promise<void> {
  while ((await migrationState(sql)).applied.some((version) => version >= until)) {
    await migrate(url, "down");
  }
}

Deno.test("migrate() adopts campaign-only classifications when an older schema is there", async () => {
  await using database = await olderDatabase(OLDER_SCHEMA);
  const { sql, url } = database;
  await migrate(url, "up");
  const rows = await sql`select * from ads.ml_classifications order by config_id, id`;
  const common = { entity_type: "campaign", parent_id: null, tier_probabilities: null };
  assertEquals([...rows], [
    {
      ...common,
      config_id: 7,
      id: 1,
      entity_id: CAMPAIGN,
      tier: "LOW",
      confidence_score: 0.6,
      metrics_snapshot: { cpl_7d: 12.5 },
      feature_importances: null,
      previous_tier: null,
      tier_change_direction: null,
      as_of: "2026-01-04",
      window_days: 30,
      model_version: "campaign-only",
      classified_at: new Date("2026-01-05T05:00:00.123Z"),
      valid_until: new Date("2026-01-06T05:00:00Z"),
    },
    {
      ...common,
      config_id: 7,
      id: 41,
      entity_id: CAMPAIGN,
      tier: "MODERATE",
      confidence_score: 0.85,
      metrics_snapshot: { cpl_7d: 9, leads_7d: 4, campaign_only: { reviewed_by: "Ana" } },
      feature_importances: { cpl: 1 },
      previous_tier: "LOW",
      tier_change_direction: "improved",
      as_of: "2026-01-05",
      window_days: 30,
      model_version: "rules-2",
      classified_at: new Date("2026-01-06T05:00:00Z"),
      valid_until: new Date("2026-01-07T05:00:00Z"),
    },
    {
      ...common,
      config_id: 8,
      id: 2,
      entity_id: "23850000000000009",
      tier: "UNDERPERFORMER",
      confidence_score: 0,
      metrics_snapshot: {
        campaign_only: {
          confidence_score: "NaN",
          feature_importances: [1],
          tier_change_direction: "worse",
        },
      },
      feature_importances: null,
      previous_tier: null,
      tier_change_direction: null,
      as_of: "1969-12-31",
      window_days: 30,
      model_version: "campaign-only",
      classified_at: new Date("1970-01-01T00:00:00Z"),
      valid_until: new Date("1970-01-02T00:00:00Z"),
    },
  ]);
});

Deno.test("migrate() adopts campaign-only features when an older schema is there", async () => {
  await using database = await olderDatabase(OLDER_SCHEMA);
  await migrate(database.url, "up");
  const rows = await database.sql<Record<string, unknown>[]>`
    select * from ads.ml_features order by config_id`;
  const told = rows.map((row) =>
    Object.fromEntries(Object.entries(row).filter(([_, value]) => value !== null))
  );
  assertEquals(told, [
    {
      config_id: 7,
      entity_type: "campaign",
      entity_id: CAMPAIGN,
      window_days: 30,
      feature_date: "2026-01-05",
      spend_7d: 100.5,
      leads_7d: 3,
      cpl_7d: 33.5,
      leads_30d: 11,
      best_day_of_week: 2,
      is_active: true,
      insufficient_data: false,
      computed_at: new Date("2026-01-06T04:00:00Z"),
    },
    {
      config_id: 9,
      entity_type: "campaign",
      entity_id: "42",
      window_days: 30,
      feature_date: "2026-01-05",
      spend_7d: 0,
      leads_7d: 0,
      is_active: false,
      insufficient_data: false,
      computed_at: new Date("2026-01-06T00:00:00Z"),
    },
  ]);
});

Deno.test("migrate() lets the service go on when it has adopted an older schema", async () => {
  await using database = await olderDatabase(OLDER_SCHEMA);
  const { sql, url } = database;
  await migrate(url, "up");
  const accounts = await sql`
    select config_id, name, currency, time_zone from ads.accounts order by config_id`;
  assertEquals(
    [...accounts],
    [7, 8, 9].map((id) => ({
      config_id: id,
      name: `Account ${id}`,
      currency: "USD",
      time_zone: "UTC",
    })),
  );
  const history = await listClassifications(
    sql,
    { configId: 7, entityType: "campaign" },
    { limit: 10, offset: 0 },
  );
  assertEquals(history.map(({ id, campaign_id }) => [id, campaign_id]), [
    [41, CAMPAIGN],
    [1, CAMPAIGN],
  ]);
  const [added] = await sql`
    insert into ads.ml_classifications (
      config_id, entity_id, tier, confidence_score, as_of, model_version, classified_at, valid_until
    )
    values (7, '1', 'LOW', 0.5, '2026-02-01', 'test', '2026-02-02', '2026-02-03')
    returning id, entity_type`;
  assertEquals(added, { id: 42, entity_type: "campaign" });
});

Deno.test("migrate() restores an older schema exactly when it goes down, and adopts it again", async () => {
  await using database = await olderDatabase(OLDER_SCHEMA);
  const { sql, url } = database;
  const before = await olderSchema(sql);
  for (const _ of ["the first time", "again"]) {
    await migrate(url, "up");
    const [adopted] = await sql`
      select
        (select count(*) from ads.ml_classifications) as classifications,
        (select count(*) from ads.ml_features) as features,
        to_regclass('public.ml_features') as older`;
    assertEquals(adopted, { classifications: 3, features: 2, older: null });
    await down(database);
    assertEquals(await olderSchema(sql), before);
    const [left] = await sql`select to_regnamespace('ads_campaign_only') as aside`;
    assertEquals(left?.aside, null);
  }
  const [next] = await sql`
    insert into public.ml_campaign_classifications (config_id, campaign_id, tier)
    values (7, '1', 'LOW') returning id`;
  assertEquals(next?.id, 58);
});

Deno.test("migrate() takes back only what it adopted when the tables of schema ads stay", async () => {
  await using database = await olderDatabase(OLDER_SCHEMA);
  const { sql, url } = database;
  await migrate(url, "up");
  await sql`
    insert into ads.ml_classifications (
      config_id, entity_id, tier, confidence_score, as_of, model_version, classified_at, valid_until
    )
    values (7, '1', 'LOW', 0.5, '2026-02-01', 'test', '2026-02-02', '2026-02-03')`;
  await sql`
    insert into ads.ml_classification_feedback (
      config_id, classification_id, entity_type, entity_id, original_tier, correct_tier, user_id
    )
    values (7, 41, 'campaign', ${CAMPAIGN}, 'MODERATE', 'LOW', 1)`;
  await sql`insert into ads.campaigns (config_id, campaign_id, name) values (8, '5', 'Imported')`;
  await down(database, ADOPTION);
  const rows = await sql`select config_id, id, entity_id from ads.ml_classifications`;
  assertEquals([...rows], [{ config_id: 7, id: 42, entity_id: "1" }]);
  assertEquals([...await sql`select 1 from ads.ml_features`], []);
  assertEquals([...await sql`select config_id from ads.accounts`], [{ config_id: 8 }]);

  // The older program goes on with the id that the newer one has taken.
  await sql`select setval('public.ml_campaign_classifications_id_seq', 41)`;
  await sql`
    insert into public.ml_campaign_classifications (config_id, campaign_id, tier, classified_at)
    values (7, '2', 'LOW', '2026-02-03')`;
  await migrate(url, "up");
  const again = await sql`
    select id, entity_id, metrics_snapshot ->> 'campaign_only' as campaign_only
    from ads.ml_classifications
    where config_id = 7 and id >= 42
    order by id`;
  assertEquals([...again], [
    { id: 42, entity_id: "1", campaign_only: null },
    { id: 43, entity_id: "2", campaign_only: '{"id": 42}' },
  ]);
});

Deno.test("migrate() reads ids and tiers of any type when it adopts an older table alone", async () => {
  await using database = await olderDatabase(UPPER_TIERS);
  const { sql, url } = database;
  await migrate(url, "up");
  const rows = await sql`
    select id, entity_id, tier, previous_tier, as_of, metrics_snapshot
    from ads.ml_classifications`;
  assertEquals([...rows], [{
    id: 1,
    entity_id: CAMPAIGN,
    tier: "LOW",
    previous_tier: "MODERATE",
    as_of: "2026-01-04",
    metrics_snapshot: {
      campaign_only: {
        id: "00000000-0000-0000-0000-00000000000a",
        tier: "low",
        previous_tier: "Moderate",
      },
    },
  }]);
  await down(database, ADOPTION);
  assertEquals([...await sql`select 1 from ads.ml_classifications`], []);
});

Deno.test("migrate() finds features in one column of JSON when an older table has them there", async () => {
  await using database = await olderDatabase(`
    create table public.ml_features (
      config_id integer, campaign_id text, window_days integer, feature_date date, features json,
      generated_at timestamp
    );
    insert into public.ml_features values
      (7, '5', 7, '2026-01-05', '{"spend_7d": "12.50", "leads_7d": 2.0}', '2026-01-06 04:30');
  `);
  await migrate(database.url, "up");
  const rows = await database.sql`
    select window_days, spend_7d, leads_7d, insufficient_data, computed_at from ads.ml_features`;
  assertEquals([...rows], [{
    window_days: 7,
    spend_7d: 12.5,
    leads_7d: 2,
    insufficient_data: false,
    computed_at: new Date("2026-01-06T04:30:00Z"),
  }]);
});

Deno.test("migrate() refuses an older table and changes nothing when a tier is unknown", async () => {
  await using database = await olderDatabase(`
    create table public.ml_campaign_classifications (config_id integer, campaign_id text, tier text);
    insert into public.ml_campaign_classifications values (7, '5', 'GOOD');
  `);
  const { sql, url } = database;
  const error = await assertRejects(() => migrate(url, "up"), Refusal);
  assertEquals(
    error.message,
    'The migration failed: public.ml_campaign_classifications holds the tier "GOOD", which is ' +
      "none of HIGH_PERFORMER, MODERATE, LOW, UNDERPERFORMER",
  );
  assertEquals((await migrationState(sql)).applied.includes(ADOPTION), false);
  assertEquals([...await sql`select tier from public.ml_campaign_classifications`], [
    { tier: "GOOD" },
  ]);
});

Deno.test("migrate() leaves alone what is not an older schema", async () => {
  await using database = await olderDatabase(`
    create table public.ml_features (id integer, entity_id text);
  `);
  const { sql, url } = database;
  await migrate(url, "up");
  const [state] = await sql`
    select
      to_regclass('public.ml_features') is not null as kept,
      to_regnamespace('ads_campaign_only') as aside,
      (select count(*) from ads.accounts) as accounts`;
  assertEquals(state, { kept: true, aside: null, accounts: 0 });
  await down(database);
  assertEquals([...await sql`select 1 from public.ml_features`], []);
});
