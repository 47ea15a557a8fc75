import { assertEquals } from "@std/assert";
import fc from "fast-check";
import type { Level } from "../../../core/level.ts";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, insertAccount, type InsightRow } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

async function dailyOf(configId: number, level: Level) {
  const rows = await database.sql`
    select entity_id, parent_id, date, spend, impressions, reach, clicks, link_clicks, leads,
      conversions
    from ads.entity_daily
    where config_id = ${configId} and entity_type = ${level}
    order by entity_id, date`;
  return [...rows];
}

const NUMBERS = { spend: 10.1, impressions: 100, reach: 80, clicks: 5, link_clicks: 4 };

Deno.test("ads.entity_daily adds ads up to their ad set and campaign, day by day", async () => {
  await insertAccount(database.sql, 1, {
    insights: [
      { ...NUMBERS, leads: 1, conversions: 2 },
      { ...NUMBERS, ad_id: "32", spend: 0.2, leads: 3, conversions: 3 },
      { ...NUMBERS, ad_id: "33", adset_id: "22" },
      { ...NUMBERS, date: "2026-03-30" },
    ],
  });
  const ad = { ...NUMBERS, parent_id: "21", date: AS_OF, leads: 0, conversions: 0 };
  assertEquals(await dailyOf(1, "ad"), [
    { ...ad, entity_id: "31", date: "2026-03-30" },
    { ...ad, entity_id: "31", leads: 1, conversions: 2 },
    { ...ad, entity_id: "32", spend: 0.2, leads: 3, conversions: 3 },
    { ...ad, entity_id: "33", parent_id: "22" },
  ]);
  const adset = { ...ad, parent_id: "11" };
  assertEquals(await dailyOf(1, "adset"), [
    { ...adset, entity_id: "21", date: "2026-03-30" },
    {
      ...adset,
      entity_id: "21",
      spend: 10.3,
      impressions: 200,
      reach: 160,
      clicks: 10,
      link_clicks: 8,
      leads: 4,
      conversions: 5,
    },
    { ...adset, entity_id: "22" },
  ]);
  const campaign = { ...ad, entity_id: "11", parent_id: null };
  assertEquals(await dailyOf(1, "campaign"), [
    { ...campaign, date: "2026-03-30" },
    {
      ...campaign,
      spend: 20.4,
      impressions: 300,
      reach: 240,
      clicks: 15,
      link_clicks: 12,
      leads: 4,
      conversions: 5,
    },
  ]);
});

Deno.test("ads.entity_daily hides delivery without an ad on the ad level and counts it above", async () => {
  await insertAccount(database.sql, 2, {
    insights: [
      { ad_id: "21", spend: 7, leads: 1 },
      { ad_id: "31", spend: 3, leads: 2 },
    ],
  });
  const told = async (level: Level) =>
    (await dailyOf(2, level)).map(({ entity_id, spend, leads }) => [entity_id, spend, leads]);
  assertEquals(await told("ad"), [["31", 3, 2]]);
  assertEquals(await told("adset"), [["21", 10, 3]]);
  assertEquals(await told("campaign"), [["11", 10, 3]]);
});

Deno.test("ads.entity_daily leaves reach and link clicks null when no ad has them", async () => {
  await insertAccount(database.sql, 3, { insights: [{ impressions: 5 }, { ad_id: "32" }] });
  for (const level of ["campaign", "adset", "ad"] as const) {
    for (const { reach, link_clicks } of await dailyOf(3, level)) {
      assertEquals([reach, link_clicks], [null, null]);
    }
  }
});

Deno.test("ads.entity_daily has no reach of a parent when that of one delivering ad is unknown", async () => {
  await insertAccount(database.sql, 4, {
    insights: [
      { impressions: 100, reach: 80 },
      { ad_id: "32", impressions: 0, reach: null },
      { ad_id: "33", adset_id: "22", impressions: 100, reach: 80 },
      { ad_id: "34", adset_id: "22", impressions: 100, reach: null },
    ],
  });
  const reach = async (level: Level) => (await dailyOf(4, level)).map((row) => row.reach);
  assertEquals(await reach("ad"), [80, null, 80, null]);
  assertEquals(await reach("adset"), [80, null]);
  assertEquals(await reach("campaign"), [null]);
});

const count = fc.nat({ max: 1000 });
const insights: fc.Arbitrary<InsightRow[]> = fc.uniqueArray(
  fc.record({
    campaign: fc.nat({ max: 2 }),
    adset: fc.nat({ max: 2 }),
    ad: fc.nat({ max: 3 }),
    day: fc.integer({ min: 1, max: 31 }),
    cents: fc.nat({ max: 1_000_000 }),
    impressions: count,
    clicks: count,
    leads: count,
    conversions: count,
  }),
  { selector: (row) => [row.campaign, row.adset, row.ad, row.day].join(), maxLength: 60 },
).map((rows) =>
  rows.map(({ campaign, adset, ad, day, cents, ...counts }) => {
    const adset_id = `s${campaign}${adset}`;
    return {
      ...counts,
      date: `2026-03-${String(day).padStart(2, "0")}`,
      campaign_id: `c${campaign}`,
      adset_id,
      ad_id: ad === 0 ? adset_id : `a${campaign}${adset}${ad}`,
      spend: cents / 100,
    };
  })
);

Deno.test("ads.entity_daily has the account's totals of every day on every level when all is told by ad", async () => {
  let configId = 1000;
  const totals = async (level: Level) => [
    ...await database.sql`
      select date, sum(spend) as spend, sum(impressions) as impressions, sum(clicks) as clicks,
        sum(leads) as leads, sum(conversions) as conversions
      from ads.entity_daily
      where config_id = ${configId} and entity_type = ${level}
      group by date
      order by date`,
  ];
  await fc.assert(
    fc.asyncProperty(insights, async (rows) => {
      configId += 1;
      const named = rows.filter((row) => row.ad_id !== row.adset_id);
      await insertAccount(database.sql, configId, { insights: named });
      const ofAds = await totals("ad");
      assertEquals(await totals("adset"), ofAds);
      assertEquals(await totals("campaign"), ofAds);
    }),
    { numRuns: 25 },
  );
});

Deno.test("ads.entity_daily has the same totals of campaigns and ad sets when ads are not named", async () => {
  let configId = 2000;
  const spend = async (level: Level) => {
    const [row] = await database.sql<{ spend: number }[]>`
      select coalesce(sum(spend), 0) as spend
      from ads.entity_daily
      where config_id = ${configId} and entity_type = ${level}`;
    return row?.spend;
  };
  await fc.assert(
    fc.asyncProperty(insights, async (rows) => {
      configId += 1;
      await insertAccount(database.sql, configId, { insights: rows });
      const expected = rows.reduce((cents, row) => cents + Math.round(100 * (row.spend ?? 0)), 0);
      assertEquals(await spend("campaign"), expected / 100);
      assertEquals(await spend("adset"), expected / 100);
    }),
    { numRuns: 25 },
  );
});
