import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { z } from "zod";
import type { Level } from "../../../core/level.ts";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, daily, insertAccount, insertInsights, type InsightRow, perEntity } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

/** The features of one account by entity. */
async function features(configId: number, asOf = AS_OF) {
  const rows = await database.sql`
    select *
    from ads.entity_features
    where config_id = ${configId} and as_of = ${asOf}`;
  return perEntity(rows);
}

/** Days of the ad 31 around both ends of each window. */
const AD_31: InsightRow[] = [
  { date: "2026-03-01", spend: 9000, impressions: 9000, reach: 1, clicks: 900, leads: 900 },
  { date: "2026-03-02", spend: 30, impressions: 1000, reach: 500, clicks: 10, leads: 5 },
  { date: "2026-03-18", spend: 40, impressions: 1000, reach: 500, clicks: 10, leads: 2 },
  { date: "2026-03-24", spend: 20, impressions: 1000, reach: 500, clicks: 30, leads: 3 },
  { date: "2026-03-25", spend: 20, impressions: 1000, reach: 400, clicks: 10, leads: 2 },
  { date: "2026-03-27", spend: 10, impressions: 500, reach: 100, clicks: 5 },
  { date: "2026-03-31", spend: 60, impressions: 500, reach: 500, clicks: 5, leads: 3 },
  { date: "2026-04-01", spend: 9000, impressions: 9000, reach: 1, clicks: 900, leads: 900 },
];

Deno.test("ads.entity_features has every feature of an ad over exactly its windows", async () => {
  await insertAccount(database.sql, 1, {
    campaigns: [{ campaign_id: "11", daily_budget: 50 }],
    adsets: [{ adset_id: "21" }],
    ads: [{ ad_id: "31" }, { ad_id: "32" }],
    insights: [...AD_31, { ad_id: "32", spend: 360, leads: 15 }],
  });
  assertEquals((await features(1))["31"], {
    as_of: AS_OF,
    config_id: 1,
    entity_type: "ad",
    entity_id: "31",
    parent_id: "21",
    spend_7d: 90,
    impressions_7d: 2000,
    clicks_7d: 20,
    leads_7d: 5,
    cpl_7d: 18,
    ctr_7d: 1,
    cpc_7d: 4.5,
    conversion_rate_7d: 25,
    cpl_trend: 50,
    leads_trend: 0,
    spend_trend: 50,
    ctr_trend: -50,
    cpl_14d: 15,
    leads_14d: 10,
    cpl_30d: 12,
    leads_30d: 15,
    avg_daily_spend_30d: 30,
    cpl_std_7d: Math.sqrt(50),
    leads_std_7d: Math.sqrt(11 / 7),
    best_day_of_week: 0,
    worst_day_of_week: 2,
    frequency_7d: 2,
    reach_7d: 1000,
    days_with_leads_7d: 2,
    days_active: 6,
    is_active: true,
    has_budget: true,
    share_of_parent_spend: 0.2,
    share_of_parent_leads: 0.25,
    performance_vs_siblings: 0.25,
    spend_7d_before: 60,
    impressions_7d_before: 2000,
    clicks_7d_before: 40,
  });
});

Deno.test("ads.entity_features ends its windows on as_of, whatever day is asked", async () => {
  await insertAccount(database.sql, 2, { insights: AD_31 });
  const told = async (asOf: string) => {
    const ad = (await features(2, asOf))["31"];
    return [ad?.spend_7d, ad?.leads_14d, ad?.leads_30d];
  };
  assertEquals(await told("2026-03-30"), [50, 7, 912]);
  assertEquals(await told("2026-04-01"), [9070, 908, 910]);
  assertEquals(await features(2, "2026-05-01"), {});
});

Deno.test("ads.entity_features has null and not 0 where there is nothing to divide by", async () => {
  await insertAccount(database.sql, 3, { insights: [{ date: "2026-03-10", spend: 7 }] });
  assertEquals((await features(3))["31"], {
    as_of: AS_OF,
    config_id: 3,
    entity_type: "ad",
    entity_id: "31",
    parent_id: "21",
    spend_7d: 0,
    impressions_7d: 0,
    clicks_7d: 0,
    leads_7d: 0,
    cpl_7d: null,
    ctr_7d: null,
    cpc_7d: null,
    conversion_rate_7d: null,
    cpl_trend: null,
    leads_trend: 0,
    spend_trend: 0,
    ctr_trend: null,
    cpl_14d: null,
    leads_14d: 0,
    cpl_30d: null,
    leads_30d: 0,
    avg_daily_spend_30d: 7,
    cpl_std_7d: null,
    leads_std_7d: 0,
    best_day_of_week: null,
    worst_day_of_week: null,
    frequency_7d: null,
    reach_7d: null,
    days_with_leads_7d: 0,
    days_active: 1,
    is_active: true,
    has_budget: false,
    share_of_parent_spend: null,
    share_of_parent_leads: null,
    performance_vs_siblings: null,
    spend_7d_before: 0,
    impressions_7d_before: 0,
    clicks_7d_before: 0,
  });
});

Deno.test("ads.entity_features has trends of +100 from 0, 0 from 0 to 0 and null from nothing", async () => {
  const before = "2026-03-20";
  const now = "2026-03-28";
  await insertAccount(database.sql, 4, {
    insights: [
      { ad_id: "new", date: now, spend: 10, impressions: 100, clicks: 1, leads: 2 },
      { ad_id: "ended", date: before, spend: 10, impressions: 100, clicks: 1, leads: 2 },
      { ad_id: "idle", date: before, impressions: 100 },
      { ad_id: "idle", date: now, impressions: 100 },
      { ad_id: "free before", date: before, impressions: 100, leads: 1 },
      { ad_id: "free before", date: now, spend: 10, impressions: 100, clicks: 1, leads: 1 },
    ],
  });
  const found = await features(4);
  const trends = (id: string) => {
    const ad = found[id];
    return [ad?.cpl_trend, ad?.leads_trend, ad?.spend_trend, ad?.ctr_trend];
  };
  assertEquals(trends("new"), [null, 100, 100, null]);
  assertEquals(trends("ended"), [null, -100, -100, null]);
  assertEquals(trends("idle"), [null, 0, 0, 0]);
  assertEquals(trends("free before"), [100, 0, 100, 100]);
});

Deno.test("ads.entity_features has a cpl_std_7d from two days with leads on", async () => {
  await insertAccount(database.sql, 5, {
    insights: [
      { ad_id: "one", date: "2026-03-24", spend: 90, leads: 1 },
      { ad_id: "one", date: "2026-03-25", spend: 10, leads: 1 },
      { ad_id: "one", date: "2026-03-26", spend: 10 },
      { ad_id: "two", date: "2026-03-25", spend: 10, leads: 1 },
      { ad_id: "two", date: "2026-03-26", spend: 10 },
      { ad_id: "two", date: "2026-03-27", spend: 10, leads: 1 },
    ],
  });
  const found = await features(5);
  assertEquals(found["one"]?.cpl_std_7d, null);
  assertEquals(found["two"]?.cpl_std_7d, 0);
});

Deno.test("ads.entity_features counts days without a row as 0 in leads_std_7d", async () => {
  await insertAccount(database.sql, 6, {
    insights: [
      { ad_id: "once", date: "2026-03-25", leads: 7 },
      ...daily(7, { ad_id: "steady", leads: 1 }),
    ],
  });
  const found = await features(6);
  assertEquals(found["once"]?.leads_std_7d, Math.sqrt(7));
  assertEquals(found["steady"]?.leads_std_7d, 0);
});

Deno.test("ads.entity_features numbers weekdays from Monday, 0", async () => {
  // The 23rd was a Monday.
  const week = Array.from({ length: 7 }, (_, weekday) => `2026-03-${23 + weekday}`);
  const best = (day: number) =>
    week.map((date, weekday): InsightRow => ({
      ad_id: `best ${day}`,
      date,
      spend: weekday === day ? 5 : 10,
      leads: 1,
    }));
  const worst = (day: number) =>
    week.map((date, weekday): InsightRow => ({
      ad_id: `worst ${day}`,
      date,
      spend: weekday === day ? 15 : 10,
      // Spend without a lead is no CPL.
      leads: weekday === (day + 1) % 7 ? 0 : 1,
    }));
  const days = [0, 1, 2, 3, 4, 5, 6];
  await insertAccount(database.sql, 7, {
    insights: days.flatMap((day) => [...best(day), ...worst(day)]),
  });
  const found = await features(7);
  assertEquals(days.map((day) => found[`best ${day}`]?.best_day_of_week), days);
  assertEquals(days.map((day) => found[`worst ${day}`]?.worst_day_of_week), days);
});

Deno.test("ads.entity_features weighs weekdays by summed spend and leads, not by daily CPLs", async () => {
  await insertAccount(database.sql, 8, {
    insights: [
      // Mondays: 110 for 11 leads, although one of them cost 100 a lead.
      { date: "2026-03-23", spend: 100, leads: 1 },
      { date: "2026-03-30", spend: 10, leads: 10 },
      { date: "2026-03-31", spend: 20, leads: 1 },
    ],
  });
  const found = await features(8);
  assertEquals([found["31"]?.best_day_of_week, found["31"]?.worst_day_of_week], [0, 1]);
});

Deno.test("ads.entity_features takes the account for a campaign's parent", async () => {
  await insertAccount(database.sql, 9, {
    insights: [
      { campaign_id: "11", spend: 30, leads: 3 },
      { campaign_id: "12", adset_id: "22", ad_id: "32", spend: 90, leads: 6 },
      { campaign_id: "13", adset_id: "23", ad_id: "33", spend: 30, leads: 1 },
    ],
  });
  const found = await features(9);
  const told = (id: string) => {
    const campaign = found[id];
    return [
      campaign?.parent_id,
      campaign?.share_of_parent_spend,
      campaign?.share_of_parent_leads,
      campaign?.performance_vs_siblings,
    ];
  };
  assertEquals(told("11"), [null, 0.2, 0.3, 1 - 10 / (120 / 7)]);
  assertEquals(told("12"), [null, 0.6, 0.6, 0]);
  assertEquals(told("13"), [null, 0.2, 0.1, 1 - 30 / (120 / 9)]);
});

/** The ad that rows are of where they name none. */
const ONE_AD = {
  campaigns: [{ campaign_id: "11" }],
  adsets: [{ adset_id: "21" }],
  ads: [{ ad_id: "31" }],
};

Deno.test("ads.entity_features compares only with siblings, and without the entity itself", async () => {
  await insertAccount(database.sql, 10, {
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }, { adset_id: "22" }],
    ads: [
      ...["good", "bad", "leadless", "before"].map((ad_id) => ({ ad_id })),
      { ad_id: "elsewhere", adset_id: "22" },
    ],
    insights: [
      { ad_id: "good", spend: 10, leads: 2 },
      { ad_id: "bad", spend: 20, leads: 1 },
      { ad_id: "leadless", spend: 0, impressions: 10 },
      { ad_id: "elsewhere", adset_id: "22", spend: 1000, leads: 1 },
      { ad_id: "before", date: "2026-03-24", spend: 1000, leads: 1 },
    ],
  });
  const found = await features(10);
  const versus = (id: string) => found[id]?.performance_vs_siblings;
  assertEquals(versus("good"), 0.75);
  assertEquals(versus("bad"), -3);
  assertEquals(versus("leadless"), null);
  // An only child has nobody to be compared with.
  assertEquals([versus("elsewhere"), found["elsewhere"]?.share_of_parent_spend], [null, 1]);
});

Deno.test("ads.entity_features has no comparison when the siblings have no lead", async () => {
  await insertAccount(database.sql, 11, {
    ...ONE_AD,
    insights: [{ ad_id: "31", spend: 10, leads: 2 }, { ad_id: "32", spend: 10 }],
  });
  const ad = (await features(11))["31"];
  assertEquals([ad?.performance_vs_siblings, ad?.share_of_parent_leads], [null, 1]);
});

Deno.test("ads.entity_features takes a share of all that was delivered in the ad set", async () => {
  await insertAccount(database.sql, 12, {
    ...ONE_AD,
    insights: [{ ad_id: "31", spend: 10, leads: 1 }, { ad_id: "21", spend: 30, leads: 4 }],
  });
  const found = await features(12);
  assertEquals(Object.keys(found).sort(), ["11", "21", "31"]);
  assertEquals(
    [found["31"]?.share_of_parent_spend, found["31"]?.share_of_parent_leads],
    [0.25, 0.2],
  );
  assertEquals([found["21"]?.entity_type, found["21"]?.spend_7d], ["adset", 40]);
});

Deno.test("ads.entity_features compares only what it knows to be below the parent", async () => {
  await insertAccount(database.sql, 18, {
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }, { adset_id: "22" }],
    ads: [{ ad_id: "moved", adset_id: "22" }, { ad_id: "32", adset_id: "22" }],
    insights: [
      { ad_id: "moved", adset_id: "21", date: "2026-03-30", spend: 10 },
      { ad_id: "moved", adset_id: "22", spend: 40 },
      { ad_id: "32", adset_id: "22", spend: 10 },
      { ad_id: "unnamed", adset_id: "22", spend: 50 },
    ],
  });
  const shares = await database.sql`
    select entity_id, parent_id, share_of_parent_spend as share
    from ads.entity_features
    where config_id = 18 and as_of = ${AS_OF} and entity_type = 'ad'
    order by entity_id, parent_id`;
  assertEquals([...shares], [
    { entity_id: "32", parent_id: "22", share: 0.1 },
    { entity_id: "moved", parent_id: "21", share: null },
    { entity_id: "moved", parent_id: "22", share: 0.4 },
    { entity_id: "unnamed", parent_id: "22", share: null },
  ]);
});

/** A node of a plan that was executed, with what is below it. */
type PlanNode = {
  "Relation Name"?: string | undefined;
  "Actual Rows": number;
  "Actual Loops": number;
  "Rows Removed by Filter"?: number | undefined;
  "Rows Removed by Index Recheck"?: number | undefined;
  Plans?: PlanNode[] | undefined;
};
const PlanNode: z.ZodType<PlanNode> = z.object({
  "Relation Name": z.string().optional(),
  "Actual Rows": z.number(),
  "Actual Loops": z.number(),
  "Rows Removed by Filter": z.number().optional(),
  "Rows Removed by Index Recheck": z.number().optional(),
  get Plans() {
    return z.array(PlanNode).optional();
  },
});
const Explained = z.tuple([
  z.object({ "QUERY PLAN": z.tuple([z.object({ Plan: PlanNode })]) }),
]);

/** How many rows of insights a plan read, kept or not. */
function insightsRead(node: PlanNode): number {
  const below = (node.Plans ?? []).map(insightsRead).reduce((sum, rows) => sum + rows, 0);
  if (!node["Relation Name"]?.startsWith("insights_")) return below;
  const perLoop = node["Actual Rows"] + (node["Rows Removed by Filter"] ?? 0) +
    (node["Rows Removed by Index Recheck"] ?? 0);
  return below + perLoop * node["Actual Loops"];
}

Deno.test("ads.entity_features reads no more than an entity and its siblings when asked for one", async () => {
  const { sql } = database;
  await insertAccount(sql, 21, { campaigns: [{ campaign_id: "11" }], insights: [{}] });
  await sql`
    insert into ads.adsets (config_id, adset_id, campaign_id, name)
    select 21, 'adset ' || n, '11', '' from generate_series(0, 99) n`;
  await sql`
    insert into ads.ads (config_id, ad_id, adset_id, campaign_id, name)
    select 21, 'ad ' || n, 'adset ' || n / 5, '11', '' from generate_series(0, 499) n`;
  await sql`
    insert into ads.insights (config_id, date, campaign_id, adset_id, ad_id, spend, leads)
    select
      21, ${AS_OF}::date - day, 'campaign ' || n / 20, 'adset ' || n / 5, 'ad ' || n, 1 + n % 2, 1
    from generate_series(0, 9) day
    cross join generate_series(0, 499) n`;
  await sql`analyze ads.ads, ads.adsets, ads.insights`;
  const read = async (entityType: Level, entityId: string) => {
    const [{ "QUERY PLAN": [{ Plan }] }] = Explained.parse([
      ...await sql`
        explain (analyze, format json)
        select *
        from ads.entity_features
        where config_id = 21
          and entity_type = ${entityType}
          and as_of = ${AS_OF}
          and entity_id = ${entityId}`,
    ]);
    return insightsRead(Plan);
  };
  // Ten days of its own and seven of the five ads of its ad set, of 3,500 in the seven days.
  assert(await read("ad", "ad 77") < 100);
  // Ten days of its twenty ads; the account's seven are kept.
  const days = daily(7, {}).map(({ date }) => date ?? AS_OF);
  await sql`select ads.store_account_days(21, ${days}::date[], now())`;
  await sql`analyze ads.account_days`;
  assert(await read("campaign", "campaign 3") <= 200);
});

Deno.test("ads.entity_features counts an active day and the days with leads once above the ads", async () => {
  await insertAccount(database.sql, 13, {
    insights: [
      { ad_id: "31", spend: 10, leads: 1 },
      { ad_id: "32", spend: 30, leads: 1 },
      { ad_id: "31", date: "2026-03-30", spend: 20, leads: 0 },
      { ad_id: "32", date: "2026-03-29", leads: 1 },
    ],
  });
  const campaign = (await features(13))["11"];
  assertEquals(
    [
      campaign?.days_active,
      campaign?.avg_daily_spend_30d,
      campaign?.days_with_leads_7d,
      campaign?.cpl_std_7d,
    ],
    // The daily CPLs are 20 on the 31st and 0 on the 29th.
    [2, 30, 2, Math.sqrt(200)],
  );
});

Deno.test("ads.entity_features has no frequency when the reach of a delivering day is unknown", async () => {
  const day = { impressions: 1000, reach: 800 };
  await insertAccount(database.sql, 17, {
    insights: [
      { ...day, ad_id: "partly" },
      { ...day, ad_id: "partly", date: "2026-03-30", reach: null },
      // Neither a day without delivery nor one before the 7 days matters.
      { ...day, ad_id: "known" },
      { ad_id: "known", date: "2026-03-30" },
      { ...day, ad_id: "known", date: "2026-03-24", reach: null },
    ],
  });
  const found = await features(17);
  assertEquals([found["partly"]?.reach_7d, found["partly"]?.frequency_7d], [null, null]);
  assertEquals([found["known"]?.reach_7d, found["known"]?.frequency_7d], [800, 1.25]);
});

Deno.test("ads.entity_features tells what runs and who has a budget", async () => {
  await insertAccount(database.sql, 14, {
    campaigns: [{ campaign_id: "11", status: "PAUSED" }, { campaign_id: "12" }],
    adsets: [
      { adset_id: "21", daily_budget: 5 },
      { adset_id: "22", campaign_id: "12" },
    ],
    ads: [{ ad_id: "31" }, { ad_id: "32", adset_id: "22", campaign_id: "12" }],
    insights: [{ spend: 1 }, { campaign_id: "12", adset_id: "22", ad_id: "32", spend: 1 }],
  });
  const found = await features(14);
  const told = Object.fromEntries(
    Object.entries(found).map(([id, row]) => [id, [row.is_active, row.has_budget]]),
  );
  assertEquals(told, {
    "11": [false, false],
    "12": [true, false],
    "21": [false, true],
    "22": [true, false],
    "31": [false, true],
    "32": [true, false],
  });
});

Deno.test("ads.entity_features keeps accounts apart when they hold the same ids", async () => {
  const entities = { adsets: [{ adset_id: "21" }], ads: [{ ad_id: "31" }, { ad_id: "32" }] };
  const campaigns = [{ campaign_id: "11" }];
  const insights = [{ spend: 10, leads: 1 }, { ad_id: "32", spend: 30, leads: 2 }];
  await insertAccount(database.sql, 15, { ...entities, campaigns, insights });
  const alone = await features(15);
  await insertAccount(database.sql, 16, {
    ...entities,
    campaigns: [{ campaign_id: "11", status: "PAUSED", daily_budget: 9 }],
    insights: daily(30, { spend: 77, impressions: 7, reach: 7, clicks: 7, leads: 7 }),
  });
  assertEquals(await features(15), alone);
});

// Quarters, so that sums in any order are exact.
const quarters = fc.nat({ max: 4000 }).map((count) => count / 4);
const count = fc.nat({ max: 100 });
const insights: fc.Arbitrary<InsightRow[]> = fc.uniqueArray(
  fc.record({
    campaign: fc.nat({ max: 1 }),
    adset: fc.nat({ max: 2 }),
    ad: fc.nat({ max: 2 }),
    day: fc.integer({ min: 1, max: 31 }),
    spend: quarters,
    impressions: count,
    reach: fc.option(count),
    clicks: count,
    leads: fc.nat({ max: 5 }),
  }),
  { selector: (row) => [row.campaign, row.adset, row.ad, row.day].join(), maxLength: 80 },
).map((rows) =>
  rows.map(({ campaign, adset, ad, day, ...numbers }) => ({
    ...numbers,
    date: `2026-03-${String(day).padStart(2, "0")}`,
    campaign_id: `c${campaign}`,
    adset_id: `s${campaign}${adset}`,
    ad_id: `a${campaign}${adset}${ad}`,
  }))
);

Deno.test("ads.entity_features adds up to the same totals on every level, and shares to 1", async () => {
  let configId = 1000;
  await fc.assert(
    fc.asyncProperty(insights, async (rows) => {
      configId += 1;
      await insertAccount(database.sql, configId, { insights: rows });
      const totals = async (level: Level) => [
        ...await database.sql`
          select sum(spend_7d) as spend_7d, sum(impressions_7d) as impressions_7d,
            sum(clicks_7d) as clicks_7d, sum(leads_7d) as leads_7d, sum(leads_14d) as leads_14d,
            sum(leads_30d) as leads_30d
          from ads.entity_features
          where config_id = ${configId} and entity_type = ${level} and as_of = ${AS_OF}`,
      ];
      const ofAds = await totals("ad");
      assertEquals(await totals("adset"), ofAds);
      assertEquals(await totals("campaign"), ofAds);

      const shares = await database.sql<{ spend: number | null; leads: number | null }[]>`
        select sum(share_of_parent_spend) as spend, sum(share_of_parent_leads) as leads
        from ads.entity_features
        where config_id = ${configId} and as_of = ${AS_OF}
        group by entity_type, parent_id`;
      for (const { spend, leads } of shares) {
        assertAlmostEquals(spend ?? 1, 1, 1e-9);
        assertAlmostEquals(leads ?? 1, 1, 1e-9);
      }
    }),
    { numRuns: 25 },
  );
});

Deno.test("ads.entity_features is the same when rows arrive in another order", async () => {
  let configId = 2000;
  const withOrder = insights.chain((rows) =>
    fc.tuple(
      fc.constant(rows),
      fc.shuffledSubarray(rows, { minLength: rows.length, maxLength: rows.length }),
    )
  );
  const without = async (id: number) =>
    Object.values(await features(id)).map(({ config_id, ...row }) => {
      assertEquals(config_id, id);
      return row;
    });
  await fc.assert(
    fc.asyncProperty(withOrder, async ([rows, shuffled]) => {
      configId += 2;
      await insertAccount(database.sql, configId, { insights: rows });
      await insertAccount(database.sql, configId + 1, {});
      for (const row of shuffled) await insertInsights(database.sql, configId + 1, [row]);
      assertEquals(await without(configId + 1), await without(configId));
    }),
    { numRuns: 10 },
  );
});

Deno.test("ads.entity_features stays within the bounds of its units for any rows", async () => {
  let configId = 3000;
  await fc.assert(
    fc.asyncProperty(insights, async (rows) => {
      configId += 1;
      await insertAccount(database.sql, configId, { insights: rows });
      for (const row of Object.values(await features(configId))) {
        for (const share of [row.share_of_parent_spend, row.share_of_parent_leads]) {
          assert(share === null || share >= 0 && share <= 1);
        }
        assert(row.days_with_leads_7d <= 7);
        assert(row.days_active <= 30);
        assert(row.leads_7d <= row.leads_14d && row.leads_14d <= row.leads_30d);
        assertEquals(row.cpl_7d === null, row.leads_7d === 0);
        assertEquals(row.ctr_7d === null, row.impressions_7d === 0);
        assertEquals(row.cpc_7d === null, row.clicks_7d === 0);
        assertEquals(row.best_day_of_week === null, row.leads_30d === 0);
        assertEquals(row.worst_day_of_week === null, row.leads_30d === 0);
        assertEquals(row.cpl_std_7d === null, row.days_with_leads_7d < 2);
        assert(row.performance_vs_siblings === null || row.performance_vs_siblings <= 1);
      }
    }),
    { numRuns: 25 },
  );
});
