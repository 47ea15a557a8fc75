import { assert, assertAlmostEquals, assertEquals, assertMatch } from "@std/assert";
import { addDays } from "../../core/days.ts";
import type { Level } from "../../core/level.ts";
import { acknowledgeAnomaly, listAnomalies, listIncidents } from "../../db/anomalies.ts";
import type { Sql } from "../../db/connect.ts";
import { anomalies } from "../../jobs/anomalies.ts";
import { startRun } from "../../jobs/runs.ts";
import { testDatabase } from "../database.ts";
import { AS_OF } from "../db/views/rows.ts";

const NOW = new Date("2026-04-01T06:00:00Z");
const BROKEN = "ad 7";

/** 20 ads in 5 ad sets of two campaigns, over 60 days that differ by a few percent. */
async function openAccount() {
  const database = await testDatabase();
  const { sql } = database;
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone)
    values (1, 'Example', 'EUR', 'UTC')`;
  await sql`
    insert into ads.campaigns (config_id, campaign_id, name)
    values (1, '11', 'Spring'), (1, '12', 'Summer')`;
  await sql`
    insert into ads.adsets (config_id, adset_id, campaign_id, name)
    select 1, 'adset ' || n, 11 + n / 3, 'Ad set ' || n from generate_series(0, 4) n`;
  await sql`
    insert into ads.ads (config_id, ad_id, adset_id, campaign_id, name)
    select 1, 'ad ' || n, 'adset ' || n / 4, 11 + n / 12, 'Ad ' || n from generate_series(0, 19) n`;
  await sql`select ads.create_insight_partitions(${addDays(AS_OF, -60)}, ${addDays(AS_OF, 3)})`;
  await sql`
    insert into ads.insights (
      config_id, date, campaign_id, adset_id, ad_id, spend, impressions, reach, clicks, leads
    )
    select
      1, ${AS_OF}::date - day, 11 + n / 12, 'adset ' || n / 4, 'ad ' || n,
      50 + (7 * n + 3 * day) % 11, 5000 + (5 * n + 7 * day) % 13 * 60, 4000,
      100 + (3 * n + 5 * day) % 17, 8 + (n + day) % 5
    from generate_series(0, 60) day
    cross join generate_series(0, 19) n`;
  return database;
}

async function detect(sql: Sql, entityType: Level, asOf = AS_OF, now = NOW) {
  const run = await startRun(sql, anomalies, { configId: 1, entityType, asOf, now });
  return await run.done;
}

async function spend(sql: Sql, factor: number): Promise<void> {
  await sql`
    update ads.insights
    set
      spend = 55 * ${factor}::numeric,
      impressions = 5300 * ${factor}::numeric,
      reach = 4000 * ${factor}::numeric,
      clicks = 108 * ${factor}::numeric,
      leads = 10 * ${factor}::numeric
    where config_id = 1 and ad_id = ${BROKEN} and date = ${AS_OF}`;
}

async function stored(sql: Sql) {
  const filter = { configId: 1, entityId: BROKEN, type: "spend_spike" as const };
  return [...await listAnomalies(sql, filter, { limit: 10, offset: 0 })];
}

Deno.test("anomalies stores nothing when every day is as usual", async () => {
  await using database = await openAccount();
  const { sql } = database;
  for (const entityType of ["campaign", "adset", "ad"] as const) {
    const { read, tested, added } = await detect(sql, entityType);
    assert(tested > read && read > 0, `${tested} tests of ${read}`);
    assertEquals([entityType, added], [entityType, 0]);
  }
});

Deno.test("anomalies stores what stands out once, however often it runs", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await spend(sql, 5);
  assert((await detect(sql, "ad")).added > 0);
  const [found, ...others] = await stored(sql);
  assertEquals(others, []);
  if (!found) throw new Error("Nothing stands out");
  assertEquals(
    [found?.entity_type, found?.anomaly_date, found?.status, found?.observed_value],
    ["ad", AS_OF, "open", 275],
  );
  assert(found.p_value < 2e-4 && found.q_value < 0.05, `${found.p_value}`);
  assertAlmostEquals(found.expected_value ?? 0, 55, 5);

  const later = new Date("2026-04-01T07:00:00Z");
  const { added, changed, restated } = await detect(sql, "ad", AS_OF, later);
  assertEquals([added, changed, restated], [0, 0, 0]);
  assertEquals(await stored(sql), [found]);
});

Deno.test("anomalies changes an open one with its day, and closes it when nothing is left", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await spend(sql, 5);
  await detect(sql, "ad");
  await spend(sql, 6);
  assert((await detect(sql, "ad")).changed > 0);
  const [changed] = await stored(sql);
  assertEquals([changed?.observed_value, changed?.status], [330, "open"]);
  await spend(sql, 1);
  assert((await detect(sql, "ad")).restated > 0);
  assertEquals((await stored(sql))[0]?.status, "closed");
  await spend(sql, 5);
  await detect(sql, "ad");
  assertEquals((await stored(sql))[0]?.status, "open");
});

Deno.test("anomalies waits with the account for leads that may be late", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await sql`update ads.insights set leads = round(leads * 0.6) where date = ${AS_OF}`;
  const ofAccount = async () => {
    await detect(sql, "campaign");
    const rows = await sql<{ anomaly_type: string }[]>`
      select anomaly_type
      from ads.ml_anomalies
      where entity_type = 'account' and status = 'open'
      order by anomaly_type`;
    return rows.map(({ anomaly_type }) => anomaly_type);
  };
  const late = ["cpl_spike", "performance_drop"];
  assertEquals(await ofAccount(), late);
  const importOn = (day: string) =>
    sql`update ads.accounts set last_import_at = ${`${day}T05:00:00Z`}`;
  await importOn("2026-04-01");
  assertEquals(await ofAccount(), []);
  // Three days later those of the day would be there.
  await importOn("2026-04-04");
  assertEquals(await ofAccount(), late);
  await importOn("2026-04-01");
  // What such days showed before: nothing is ever missing.
  await sql`
    select ads.store_account_days(1, array_agg(d::date), now())
    from generate_series(date '2026-01-31', date '2026-02-20', interval '1 day') d`;
  await sql`
    insert into ads.leads_seen (config_id, date, age, leads)
    select config_id, date, 0, leads from ads.account_days where config_id = 1 and leads > 0`;
  assertEquals(await ofAccount(), late);
  await sql`update ads.leads_seen set leads = round(leads * 0.6)`;
  assertEquals(await ofAccount(), []);
});

Deno.test("anomalies leaves alone what a person has closed", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await spend(sql, 5);
  await detect(sql, "ad");
  const [found] = await stored(sql);
  assert(await acknowledgeAnomaly(sql, { id: found?.id ?? 0, userId: 7, notes: "Sale", at: NOW }));
  const [closed] = await stored(sql);
  await spend(sql, 8);
  await detect(sql, "ad");
  assertEquals(await stored(sql), [closed]);
  assertEquals(
    [closed?.status, closed?.acknowledged_by, closed?.resolution_notes],
    ["closed", 7, "Sale"],
  );
});

Deno.test("anomalies knows nothing of the days after the one it is asked about", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await spend(sql, 5);
  await detect(sql, "ad");
  const before = (await stored(sql)).map((
    { p_value, expected_value },
  ) => [p_value, expected_value]);
  await sql`delete from ads.ml_anomalies`;
  await sql`
    insert into ads.insights (config_id, date, campaign_id, adset_id, ad_id, spend, impressions)
    select 1, ${AS_OF}::date + day, 11 + n / 12, 'adset ' || n / 4, 'ad ' || n, 500, 90000
    from generate_series(1, 3) day
    cross join generate_series(0, 19) n`;
  await detect(sql, "ad");
  const after = (await stored(sql)).map(({ p_value, expected_value }) => [p_value, expected_value]);
  assertEquals(after, before);
});

async function luck(sql: Sql) {
  const rows = await sql`
    select entity_type, anomaly_date, entities, alarms, shuffles, expected_by_luck, updated_at
    from ads.anomaly_luck
    order by entity_type, anomaly_date`;
  return [...rows];
}

Deno.test("anomalies stores how many alarms of a day are luck, once and per level", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await spend(sql, 5);
  await detectAll(sql);
  const before = await luck(sql);
  const [{ count: raised }] = await sql<[{ count: number }]>`
    select count(*) as count from ads.ml_anomalies where entity_type = 'ad'`;
  assert(raised > 0);
  assertEquals(
    before.map(({ entity_type, anomaly_date, entities, shuffles }) => [
      entity_type,
      anomaly_date,
      entities,
      shuffles,
    ]),
    [
      ["account", AS_OF, 1, 4],
      ["ad", AS_OF, 20, 4],
      ["adset", AS_OF, 5, 4],
      ["campaign", AS_OF, 2, 4],
    ],
  );
  assertEquals(before[1]?.alarms, raised);
  // What was planted on the tested day lies elsewhere after a shuffle.
  assertEquals(before.map((row) => row.expected_by_luck), [0, 0, 0, 0]);

  await sql`update ads.ml_anomalies set status = 'closed', closed_because = 'acknowledged'`;
  const later = new Date("2026-04-01T07:00:00Z");
  for (const entityType of ["campaign", "adset", "ad"] as const) {
    await detect(sql, entityType, AS_OF, later);
  }
  assertEquals(await luck(sql), before);

  await spend(sql, 1);
  await detect(sql, "ad", AS_OF, later);
  const [, ofAds] = await luck(sql);
  assertEquals([ofAds?.alarms, ofAds?.updated_at], [0, later]);
});

Deno.test("anomalies counts luck as often as a fault of the past comes to the tested day", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await sql`
    update ads.insights
    set spend = 55 * 5, impressions = 5300 * 5, reach = 4000 * 5, clicks = 108 * 5, leads = 50
    where config_id = 1 and ad_id = ${BROKEN} and date = ${AS_OF}::date - 14`;
  await detect(sql, "ad");
  const [ofAds] = await luck(sql);
  assertEquals(ofAds?.alarms, 0);
  assert(ofAds?.expected_by_luck > 0 && ofAds?.expected_by_luck < 1, `${ofAds?.expected_by_luck}`);
});

async function detectAll(sql: Sql, asOf = AS_OF): Promise<void> {
  for (const entityType of ["campaign", "adset", "ad"] as const) {
    await detect(sql, entityType, asOf);
  }
}

async function incidents(sql: Sql) {
  const rows = await listIncidents(sql, { configId: 1 }, { limit: 10, offset: 0 });
  return rows.map(({ entity_type, entity_id, state, first_date, last_date }) => [
    entity_type,
    entity_id,
    state,
    first_date,
    last_date,
  ]);
}

Deno.test("anomalies tells one story at the ad that caused it, once", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await spend(sql, 25);
  await detectAll(sql);
  const told = [["ad", BROKEN, "open", AS_OF, AS_OF]];
  assertEquals(await incidents(sql), told);
  const [incident] = await listIncidents(sql, { configId: 1 }, { limit: 1, offset: 0 });
  assertMatch(incident?.sentence ?? "", /'Ad 7'.* spend .*1375 EUR a day/);
  // What it did to the ad set and the campaign belongs to it.
  const members = await sql`
    select a.entity_type, bool_and(m.contribution between 0.5 and 1) as explains
    from ads.incident_members m
    join ads.ml_anomalies a on a.config_id = m.config_id and a.id = m.anomaly_id
    where a.metric_name = 'spend'
    group by a.entity_type
    order by a.entity_type`;
  assertEquals(members.map(({ entity_type, explains }) => [entity_type, explains]), [
    ["account", true],
    ["ad", true],
    ["adset", true],
    ["campaign", true],
  ]);
  await detectAll(sql);
  assertEquals(await incidents(sql), told);
});

Deno.test("anomalies lets a story go on while it lasts, and recover afterwards", async () => {
  await using database = await openAccount();
  const { sql } = database;
  await sql`
    update ads.insights
    set spend = 55 * 25, impressions = 5300 * 25, reach = 4000 * 25, clicks = 108 * 25, leads = 250
    where config_id = 1 and ad_id = ${BROKEN} and date between ${AS_OF}::date - 4 and ${AS_OF}::date - 3`;
  for (const before of [4, 3, 2, 1, 0]) await detectAll(sql, addDays(AS_OF, -before));
  const [story, ...others] = await incidents(sql);
  assertEquals(others, []);
  assertEquals(story, ["ad", BROKEN, "recovered", addDays(AS_OF, -4), addDays(AS_OF, -3)]);
});
