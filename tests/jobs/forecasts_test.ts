import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { addDays } from "../../core/days.ts";
import { forecasts, HORIZON, validation } from "../../jobs/forecasts.ts";
import { startRun } from "../../jobs/runs.ts";
import type { TaskRequest } from "../../jobs/task.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { type AccountRows, AS_OF, daily, insertAccount, insertInsights } from "../db/views/rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

/** The morning after the last day. */
const NOW = new Date("2026-04-01T04:00:00Z");
const DAY = { spend: 40, impressions: 4000, clicks: 40, leads: 4 };
const OTHER = { ...DAY, ad_id: "32", spend: 10, leads: 1 };
const NO_LEADS = { ...OTHER, leads: 0 };

let accounts = 0;

/** Two ads of one ad set that deliver the same on each of 60 days, and what is told else. */
async function addAccount(rows: AccountRows = {}): Promise<number> {
  const configId = ++accounts;
  await insertAccount(database.sql, configId, {
    insights: [...daily(60, DAY), ...daily(60, OTHER)],
    ...rows,
  });
  return configId;
}

/** Tells when the days of an account were written, as an import does. */
async function noteChange(configId: number, at: string): Promise<void> {
  await database.sql`
    select ads.store_account_days(
      ${configId}, array(select ${AS_OF}::date - age from generate_series(0, 59) age), ${at}
    )`;
  await database.sql`update ads.accounts set updated_at = ${at} where config_id = ${configId}`;
}

async function forecast(configId: number, request: Partial<Omit<TaskRequest, "configId">> = {}) {
  const run = await startRun(database.sql, forecasts, {
    configId,
    entityType: "ad",
    asOf: AS_OF,
    now: NOW,
    ...request,
  });
  return await run.done;
}

async function validate(configId: number, asOf: string, entityType: "campaign" | "ad" = "ad") {
  const now = new Date(`${addDays(asOf, 1)}T08:00:00Z`);
  const run = await startRun(database.sql, validation, { configId, entityType, asOf, now });
  return await run.done;
}

/** The first day of spend and leads of each entity, as of the day. */
async function firstDays(configId: number, asOf = AS_OF) {
  const rows = await database.sql<
    { name: string; spend: number; leads: number; length: number }[]
  >`
    select
      entity_type || ' ' || entity_id as name, spend[1] as spend, leads[1] as leads,
      cardinality(leads) as length
    from ads.ml_forecasts
    where config_id = ${configId} and as_of = ${asOf}
    order by array_position(array['account', 'campaign', 'adset', 'ad'], entity_type), entity_id`;
  for (const { length } of rows) assertEquals(length, HORIZON);
  return rows.map(({ name, spend, leads }) => [name, Math.round(spend), Math.round(leads)]);
}

Deno.test("forecasts stores all levels and the account from whichever level runs first", async () => {
  const configId = await addAccount();
  assertEquals(await forecast(configId), { asOf: AS_OF, read: 2, forecast: 5, kept: 0 });
  assertEquals(await firstDays(configId), [
    [`account ${configId}`, 50, 5],
    ["campaign 11", 50, 5],
    ["adset 21", 50, 5],
    ["ad 31", 40, 4],
    ["ad 32", 10, 1],
  ]);
});

Deno.test("forecasts keeps what holds, and makes it anew after a change or when it is forced", async () => {
  const configId = await addAccount();
  await noteChange(configId, "2026-04-01T02:00:00Z");
  assertEquals((await forecast(configId)).forecast, 5);
  const later = new Date("2026-04-01T04:30:00Z");
  assertEquals(await forecast(configId, { entityType: "campaign", now: later }), {
    asOf: AS_OF,
    read: 0,
    forecast: 0,
    kept: 1,
  });
  assertEquals((await forecast(configId, { now: later })).kept, 2);
  assertEquals((await forecast(configId, { now: later, force: true })).forecast, 5);
  await database.sql`
    update ads.insights set spend = 2 * spend where config_id = ${configId} and ad_id = '31'`;
  await noteChange(configId, "2026-04-01T04:10:00Z");
  assertEquals((await forecast(configId, { now: later })).forecast, 5);
  assertEquals((await firstDays(configId))[0], [`account ${configId}`, 90, 5]);
});

Deno.test("forecasts expects nothing of what was stopped, but knows no statuses of the past", async () => {
  const configId = await addAccount({
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }],
    ads: [{ ad_id: "31", status: "PAUSED" }, { ad_id: "32", status: "PAUSED" }],
  });
  await noteChange(configId, "2026-04-01T02:00:00Z");
  await forecast(configId);
  assertEquals((await firstDays(configId)).map(([, spend, leads]) => [spend, leads]), [
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
    [0, 0],
  ]);
  const earlier = addDays(AS_OF, -5);
  await forecast(configId, { asOf: earlier });
  assertEquals((await firstDays(configId, earlier))[0], [`account ${configId}`, 50, 5]);
});

Deno.test("forecasts does not take days that are missing for days without delivery", async () => {
  // More than a few: those would be outliers.
  const gone = Array.from({ length: 10 }, (_, index) => addDays(AS_OF, -2 * index - 1));
  const isThere = ({ date }: { date?: string }) => !gone.includes(date ?? AS_OF);
  const whole = await addAccount();
  const gaps = await addAccount({
    insights: [...daily(60, DAY), ...daily(60, OTHER)].filter(isThere),
  });
  // Of one ad only: it did not deliver, which lowers what to expect.
  const off = await addAccount({
    insights: [...daily(60, DAY).filter(isThere), ...daily(60, OTHER)],
  });
  for (const configId of [whole, gaps, off]) await forecast(configId);
  const spendOf = async (configId: number) => (await firstDays(configId))[3]?.[1];
  assertEquals([await spendOf(whole), await spendOf(gaps)], [40, 40]);
  assert(Number(await spendOf(off)) < 40);
});

for (
  const [what, seen, leads] of [
    // Imports on many mornings found half of the leads of the day before, and all a day later.
    ["allows for leads that come late", 2, 2],
    // They found none of them, and then one.
    ["takes leads for unknown where hardly any are known", 0, 1],
  ] as const
) {
  Deno.test(`forecasts ${what}`, async () => {
    const configId = await addAccount({ insights: [...daily(60, DAY), ...daily(60, NO_LEADS)] });
    const { sql } = database;
    await sql`
      insert into ads.leads_seen (config_id, date, age, leads)
      select ${configId}, ${AS_OF}::date - before, age, case age when 0 then ${seen}::integer else 4 end
      from generate_series(28, 59) before
      cross join generate_series(0, 1) age`;
    await sql`
      update ads.accounts set last_import_at = '2026-04-01T02:00:00Z' where config_id = ${configId}`;
    await noteChange(configId, "2026-04-01T02:00:00Z");
    await sql`
      update ads.insights set leads = ${leads}
      where config_id = ${configId} and date = ${AS_OF} and ad_id = '31'`;
    await forecast(configId);
    const [account, , , ad] = await firstDays(configId);
    assertEquals([account, ad], [[`account ${configId}`, 50, 4], ["ad 31", 40, 4]]);
  });
}

Deno.test("validation scores each day that came once, and again when it changed", async () => {
  const configId = await addAccount({
    insights: [...daily(50, DAY), ...daily(50, OTHER)],
  });
  const origin = addDays(AS_OF, -3);
  await forecast(configId, { asOf: origin });
  await noteChange(configId, "2026-04-01T02:00:00Z");
  assertEquals(await validate(configId, AS_OF), { asOf: AS_OF, days: 3, scores: 6 });
  assertEquals((await validate(configId, AS_OF)).days, 0);
  await noteChange(configId, "2026-04-01T09:00:00Z");
  assertEquals((await validate(configId, AS_OF)).days, 3);
  assertEquals(
    [...await validate(configId, AS_OF, "campaign").then(({ days }) => [days])],
    // Of the account and of the campaigns.
    [6],
  );
});

Deno.test("validation tells how far off forecasts were, and how much the ranges held", async () => {
  const { sql } = database;
  const configId = await addAccount({ insights: daily(1, DAY) });
  await sql`
    insert into ads.forecast_shapes
    select ${configId}, 'ad', metric, ${AS_OF}::date - 2, -2, -1, 1, 2, 1, 1.5, 0,
      array_fill(0::double precision, array[31])
    from unnest(array['spend', 'leads']) metric`;
  // One day ahead is yesterday, two are the day of 40 spent for 4 leads.
  const add = (id: string, spend: number, leads: number, spread: number, scale: number | null) =>
    sql`
      insert into ads.ml_forecasts (
        config_id, entity_type, entity_id, as_of, spend, spend_spread, spend_scale, leads,
        leads_spread, leads_scale, known_days, insufficient_data, model_version, created_at
      )
      values (
        ${configId}, 'ad', ${id}, ${AS_OF}::date - 2, array[0, ${spend}::float8],
        array[0, ${spread}::real], ${scale}, array[0, ${leads}::float8], array[0, 1], 2, 60, false,
        'test', ${NOW}
      )`;
  await add("31", 46, 2, 4, 3);
  await add("32", 1, 0.5, 1, null);
  await add("33", 0, 0, 0, 2);
  assertEquals((await validate(configId, AS_OF)).days, 1);
  const [spend, leads] = await sql`
    select
      metric, days_ahead, forecasts::int, mase, bias, coverage80, coverage95, needed80, needed95
    from ads.forecast_accuracy
    where config_id = ${configId} and as_of = ${AS_OF} and entity_type = 'ad'
    order by metric desc`;
  // 46 for 40 is 1.5 spreads off, and 2 scales; 1 for 0 is one spread; 33 has stopped, as it did.
  assertEquals({ ...spend, needed80: null, needed95: null }, {
    metric: "spend",
    days_ahead: 2,
    forecasts: 3,
    mase: 1,
    bias: 1,
    coverage80: 0.5,
    coverage95: 1,
    needed80: null,
    needed95: null,
  });
  assertAlmostEquals(spend?.needed80, 1 + 0.8 * 0.5, 1e-6);
  assertAlmostEquals(spend?.needed95, 1.5 * (0.5 + 0.95 * 0.25), 1e-6);
  // Of leads 31 is off by 2 spreads and 1 scale, 32 by half a spread and a quarter of a scale.
  assertAlmostEquals(leads?.mase, 1.25 / 3, 1e-9);
  assertEquals([leads?.bias, leads?.coverage80, leads?.coverage95], [-0.25, 2 / 3, 1]);
});

Deno.test("forecasts widens the ranges of a level that held too little of what came", async () => {
  const configId = await addAccount();
  await database.sql`
    insert into ads.forecast_scores (
      config_id, entity_type, metric, date, days_ahead, forecasts, scaled, scaled_error, scaled_bias,
      ranges, within80, within95, needed80, needed95, updated_at
    )
    select
      ${configId}, 'ad', 'leads', ${AS_OF}::date - age, 1, 100, 100, 90, 0, 100, 60, 80,
      1.5 + age % 3 * 0.01, 1 + (age % 3 - 1) * 0.1, ${NOW}
    from generate_series(0, 27) age`;
  await forecast(configId);
  const rows = await database.sql`
    select entity_type, metric, widened80, widened95
    from ads.forecast_shapes
    where config_id = ${configId} and (widened80 <> 1 or widened95 <> 1)`;
  assertEquals(rows.length, 1);
  assertEquals([rows[0]?.entity_type, rows[0]?.metric, rows[0]?.widened95], ["ad", "leads", 1]);
  assertAlmostEquals(rows[0]?.widened80, 1.51, 0.01);
});

Deno.test("ads.forecast_days and ads.month_pacing add up days, and tell the CPL of both", async () => {
  const { sql } = database;
  const configId = await addAccount();
  await insertInsights(sql, configId, [{ ...DAY, date: "2026-04-01" }]);
  await forecast(configId, { asOf: "2026-04-01", now: new Date("2026-04-02T04:00:00Z") });
  const days = await sql`
    select metric, mean, low80, high80, low95, high95
    from ads.forecast_days
    where config_id = ${configId} and entity_type = 'ad' and entity_id = '31' and days_ahead = 3`;
  const means = Object.fromEntries(days.map(({ metric, mean }) => [metric, mean]));
  assertAlmostEquals(means.cpl, means.spend / means.leads, 1e-9);
  for (const { mean, low80, high80, low95, high95 } of days) {
    assert(0 <= low95 && low95 <= low80 && low80 <= mean && mean <= high80 && high80 <= high95);
  }
  const [month] = await sql`
    select * from ads.month_pacing
    where config_id = ${configId} and entity_type = 'ad' and entity_id = '31'`;
  assertEquals(
    [month?.month_start, month?.month_end, month?.days_left, month?.spend_to_date],
    ["2026-04-01", "2026-04-30", 29, 40],
  );
  const [rest] = await sql`
    select sum(mean) filter (where metric = 'spend') as spend
    from ads.forecast_days
    where config_id = ${configId} and entity_type = 'ad' and entity_id = '31' and days_ahead <= 29`;
  assertAlmostEquals(month?.spend, 40 + rest?.spend, 1e-6);
  assertAlmostEquals(month?.cpl, month?.spend / month?.leads, 1e-9);
  assert(month?.spend_low80 >= 40 && month?.spend_low95 <= month?.spend_low80);
});
