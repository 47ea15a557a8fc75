import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { cplMedian } from "../../../core/evidence.ts";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, daily, insertAccount, type InsightRow, perEntity } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

type EvidenceRow = {
  entity_type: string;
  entity_id: string;
  parent_id: string | null;
  events: number;
  exposure: number;
  prior_alpha: number;
  prior_beta: number;
  alpha: number;
  beta: number;
};

/** What is known about one account's entities. */
async function evidence(configId: number, metric = "cpl") {
  const rows = await database.sql<EvidenceRow[]>`
    select entity_type, entity_id, parent_id, events, exposure, prior_alpha, prior_beta, alpha, beta
    from ads.entity_evidence
    where config_id = ${configId} and as_of = ${AS_OF} and metric = ${metric}`;
  return perEntity(rows);
}

async function medians(configId: number) {
  const rows = Object.entries(await evidence(configId));
  return Object.fromEntries(rows.map(([id, row]) => [id, cplMedian(row)]));
}

/** Asserts each number within a billionth of its size. */
function assertClose(actual: EvidenceRow | undefined, expected: Partial<EvidenceRow>) {
  for (const [name, value] of Object.entries(expected)) {
    const found = Object.entries(actual ?? {}).find(([key]) => key === name)?.[1];
    if (typeof value !== "number") assertEquals(found, value);
    else assertAlmostEquals(Number(found), value, 1e-9 * Math.max(1, Math.abs(value)), name);
  }
}

Deno.test("ads.entity_evidence is half a lead and the own results when an account has one ad", async () => {
  await insertAccount(database.sql, 1, {
    insights: daily(10, { spend: 10, impressions: 1000, clicks: 20, leads: 2 }),
  });
  const ad = { events: 20, exposure: 100, prior_alpha: 0.5, prior_beta: 0, alpha: 20.5, beta: 100 };
  const found = await evidence(1);
  assertClose(found["11"], { entity_type: "campaign", parent_id: null, ...ad });
  assertClose(found["21"], { entity_type: "adset", parent_id: "11", ...ad });
  assertClose(found["31"], { entity_type: "ad", parent_id: "21", ...ad });
  assertEquals(Object.keys(found), ["11", "21", "31"]);
});

Deno.test("ads.entity_evidence tells CTR by impressions and the conversion rate by clicks", async () => {
  await insertAccount(database.sql, 2, {
    insights: daily(10, { spend: 10, impressions: 1000, clicks: 20, leads: 2 }),
  });
  assertClose((await evidence(2, "ctr"))["31"], { alpha: 200.5, beta: 10_000 });
  assertClose((await evidence(2, "conversion_rate"))["31"], { alpha: 20.5, beta: 200 });
});

Deno.test("ads.entity_evidence uses the 30 days to as_of and no other", async () => {
  await insertAccount(database.sql, 3, {
    insights: [
      { date: "2026-03-01", spend: 900, leads: 900 },
      { date: "2026-03-02", spend: 10, leads: 1 },
      { date: "2026-03-31", spend: 10, leads: 1 },
      { date: "2026-04-01", spend: 900, leads: 900 },
      { date: "2026-03-01", ad_id: "32", spend: 900, leads: 900 },
    ],
  });
  const found = await evidence(3);
  assertClose(found["31"], { events: 2, exposure: 20, prior_alpha: 0.5, prior_beta: 0 });
  assertEquals(found["32"], undefined);
});

Deno.test("ads.entity_evidence pools siblings fully when they do not differ", async () => {
  const ads = ["31", "32", "33", "34", "35", "36"];
  await insertAccount(database.sql, 4, {
    insights: ads.flatMap((ad_id) => daily(10, { ad_id, spend: 10, leads: 1 })),
  });
  const found = await evidence(4);
  for (const id of ads) {
    assertClose(found[id], {
      events: 10,
      exposure: 100,
      prior_alpha: 50.5,
      prior_beta: 500,
      alpha: 60.5,
      beta: 600,
    });
  }
});

Deno.test("ads.entity_evidence pools less the more siblings differ", async () => {
  const siblings = (leads: number[]) =>
    leads.flatMap((each, index) => daily(14, { ad_id: `a${index}`, spend: 40, leads: each }));
  await insertAccount(database.sql, 5, { insights: siblings([3, 3, 3, 3, 3, 3]) });
  await insertAccount(database.sql, 6, { insights: siblings([2, 2, 3, 3, 4, 4]) });
  await insertAccount(database.sql, 7, { insights: siblings([1, 1, 2, 3, 5, 6]) });
  const priors = [];
  for (const configId of [5, 6, 7]) priors.push((await evidence(configId))["a2"]?.prior_alpha ?? 0);
  const [alike = 0, near = 0, far = 0] = priors;
  assert(alike > 2 * near && near > 1.5 * far, `${priors}`);
});

/** A star and a newcomer among ads that pay 20 a lead. */
const AD_SET: InsightRow[] = [
  ...["31", "32", "33", "34"].flatMap((ad_id) => daily(28, { ad_id, spend: 40, leads: 2 })),
  ...daily(28, { ad_id: "star", spend: 100, leads: 20 }),
  ...daily(2, { ad_id: "newcomer", spend: 1, leads: 0 }),
];

Deno.test("ads.entity_evidence lets an ad with many leads speak for itself", async () => {
  await insertAccount(database.sql, 8, { insights: AD_SET });
  const found = await evidence(8);
  assertAlmostEquals((await medians(8))["star"] ?? 0, 5, 0.1);
  assert((found["star"]?.prior_alpha ?? Infinity) < 0.02 * (found["star"]?.events ?? 0));
});

Deno.test("ads.entity_evidence puts an ad without leads near its siblings", async () => {
  const ordinary = AD_SET.filter((row) => row.ad_id !== "star");
  await insertAccount(database.sql, 9, { insights: ordinary });
  assertAlmostEquals((await medians(9))["newcomer"] ?? 0, 20, 1);
  const { exposure = 0, prior_beta = 0 } = (await evidence(9))["newcomer"] ?? {};
  assert(exposure < 0.01 * prior_beta);
});

Deno.test("ads.entity_evidence moves an ad from its siblings towards its own CPL by what it spent", async () => {
  const siblings = ["31", "32", "33", "34"].flatMap((ad_id, index) =>
    daily(28, { ad_id, spend: 40, leads: 1 + index })
  );
  const spent = [1, 20, 100, 1000];
  const found = [];
  for (const [index, spend] of spent.entries()) {
    const configId = 20 + index;
    await insertAccount(database.sql, configId, {
      insights: [...siblings, ...daily(28, { ad_id: "leadless", spend })],
    });
    found.push((await medians(configId))["leadless"] ?? 0);
  }
  assertEquals(found, found.toSorted((a, b) => a - b));
  const [little = 0, , , much = 0] = found;
  assert(little < 30 && much > 1000, `${found}`);
});

Deno.test("ads.entity_evidence prefers the own ad set to the campaign, and the campaign to the rest", async () => {
  const branch = (campaign: number, adset: number, leads: number) =>
    ["a", "b", "c"].flatMap((ad) =>
      daily(28, {
        campaign_id: `c${campaign}`,
        adset_id: `c${campaign}s${adset}`,
        ad_id: `c${campaign}s${adset}${ad}`,
        spend: 60,
        leads,
      })
    );
  const newcomer = (campaign: number, adset: number): InsightRow => ({
    campaign_id: `c${campaign}`,
    adset_id: `c${campaign}s${adset}`,
    ad_id: `c${campaign}s${adset}new`,
    spend: 1,
  });
  await insertAccount(database.sql, 30, {
    insights: [
      // CPLs of 10 and 15 in one campaign, 30 and 60 in the other; ad set 3 has no other ad.
      ...branch(1, 1, 6),
      ...branch(1, 2, 4),
      ...branch(2, 1, 2),
      ...branch(2, 2, 1),
      newcomer(1, 1),
      newcomer(1, 2),
      newcomer(1, 3),
      newcomer(2, 1),
      newcomer(2, 2),
      newcomer(2, 3),
    ],
  });
  const found = await medians(30);
  const order = ["c1s1new", "c1s2new", "c2s1new", "c2s2new"].map((id) => found[id] ?? 0);
  assertEquals(order, order.toSorted((a, b) => a - b));
  const withoutSiblings = [found["c1s3new"] ?? 0, found["c2s3new"] ?? 0];
  assert((withoutSiblings[0] ?? 0) < 20 && (withoutSiblings[1] ?? 0) > 20, `${withoutSiblings}`);
});

Deno.test("ads.entity_evidence weighs recent weeks more when the rate moves", async () => {
  const weeks = [8, 1, 8, 1];
  await insertAccount(database.sql, 31, {
    insights: ["31", "32", "33"].flatMap((ad_id) =>
      daily(28, { ad_id, spend: 40 }).map((row, before) => ({
        ...row,
        leads: weeks[Math.floor(before / 7)] ?? 0,
      }))
    ),
  });
  // Over all weeks a lead costs 8.9, over the last one 5.
  assertAlmostEquals((await medians(31))["31"] ?? 0, 5, 0.6);
  const { events = 0, exposure = 0 } = (await evidence(31))["31"] ?? {};
  assert(events < 28 * 4.5 / 2 && exposure < 28 * 40 / 2);
});

Deno.test("ads.entity_evidence weighs each week less than the one after it when rates move", async () => {
  const weeksOf = (ad_id: string, weeks: number[]) =>
    daily(28, { ad_id, spend: 40 }).map((row, before) => ({
      ...row,
      leads: weeks[Math.floor(before / 7)] ?? 0,
    }));
  await insertAccount(database.sql, 42, {
    insights: [
      ...weeksOf("week 0", [4, 0, 0, 0]),
      ...weeksOf("week 1", [0, 4, 0, 0]),
      ...weeksOf("week 2", [0, 0, 4, 0]),
      ...weeksOf("week 3", [0, 0, 0, 4]),
    ],
  });
  // The spend is the same, so the share of the 28 leads that counts is the weight of their week.
  const weights = Object.values(await evidence(42))
    .filter((row) => row.entity_type === "ad")
    .map((row) => row.events / 28);
  for (const [week, weight] of weights.entries()) {
    assert(weight > 0 && weight < 0.9 * (weights[week - 1] ?? 1), `${weights}`);
  }
});

Deno.test("ads.entity_evidence takes a parent for the mix of ads that it runs now", async () => {
  // A lead costs 5 below the one ad and 20 below the other, each week alike.
  const weeks = (ad_id: string, cpl: number, [now, before]: [number, number]) =>
    daily(28, { ad_id }).map((row, day) => {
      const spend = day < 7 ? now : before;
      return { ...row, spend, leads: spend / cpl };
    });
  await insertAccount(database.sql, 43, {
    insights: [...weeks("31", 5, [200, 100]), ...weeks("32", 20, [100, 200])],
  });
  const cheaperNow = await evidence(43);
  for (const parent of ["21", "11"]) {
    const { events = 0, exposure = 0 } = cheaperNow[parent] ?? {};
    // Of today's mix, not the 7.5 of all weeks.
    assertAlmostEquals(exposure / events, 300 / (200 / 5 + 100 / 20), 0.01);
  }
  await insertAccount(database.sql, 44, {
    insights: [...weeks("31", 5, [100, 100]), ...weeks("32", 20, [0, 200]).slice(7)],
  });
  const { events = 0, exposure = 0 } = (await evidence(44))["21"] ?? {};
  assertAlmostEquals(exposure / events, 5, 0.01);
});

Deno.test("ads.entity_evidence weighs days less when they vary more than chance", async () => {
  const even = daily(28, { spend: 40, leads: 4 });
  const bursts = even.map((row, before) => ({ ...row, leads: before % 4 === 0 ? 16 : 0 }));
  await insertAccount(database.sql, 32, { insights: even });
  await insertAccount(database.sql, 33, { insights: bursts });
  const alphaOf = async (configId: number) => (await evidence(configId))["31"]?.alpha ?? 0;
  assertAlmostEquals(await alphaOf(32), 112.5, 1e-6);
  assert(await alphaOf(33) < 50);
});

Deno.test("ads.entity_evidence never counts more than half a lead when an account has none", async () => {
  await insertAccount(database.sql, 34, {
    insights: [
      ...daily(10, { spend: 10 }),
      ...daily(10, { ad_id: "32", spend: 20 }),
      ...daily(10, { campaign_id: "12", adset_id: "22", ad_id: "33", spend: 30 }),
    ],
  });
  const found = Object.values(await evidence(34));
  assertEquals(found.length, 7);
  for (const { events, alpha, beta } of found) {
    assertEquals(events, 0);
    assert(alpha > 0.3 && alpha <= 0.5);
    assert(beta > 0 && beta <= 600);
  }
});

Deno.test("ads.entity_evidence counts delivery without an ad as a sibling that has no row", async () => {
  await insertAccount(database.sql, 35, {
    insights: [
      ...daily(10, { spend: 10, leads: 1 }),
      ...daily(10, { ad_id: "21", spend: 10, leads: 1 }),
    ],
  });
  const found = await evidence(35);
  assertEquals(Object.values(found).map((row) => row.entity_type), ["campaign", "adset", "ad"]);
  assertClose(found["21"], { entity_type: "adset", events: 20, exposure: 200 });
  assertClose(found["31"], { events: 10, exposure: 100 });
  const { prior_alpha = 0, prior_beta = 0 } = found["31"] ?? {};
  assert(prior_alpha > 2 && prior_beta > 20);
});

Deno.test("ads.entity_evidence follows the currency: twice the spend is twice the exposure", async () => {
  const scaled = (factor: number) =>
    AD_SET.map((row) => ({ ...row, spend: factor * (row.spend ?? 0) }));
  await insertAccount(database.sql, 36, { insights: scaled(1) });
  await insertAccount(database.sql, 37, { insights: scaled(1000) });
  const found = await evidence(37);
  for (const row of Object.values(await evidence(36))) {
    assertClose(found[row.entity_id], {
      events: row.events,
      exposure: 1000 * row.exposure,
      prior_alpha: row.prior_alpha,
      prior_beta: 1000 * row.prior_beta,
      alpha: row.alpha,
      beta: 1000 * row.beta,
    });
  }
});

Deno.test("ads.entity_evidence does not look at other accounts, even when they hold the same ids", async () => {
  await insertAccount(database.sql, 38, { insights: AD_SET });
  const alone = await evidence(38);
  await insertAccount(database.sql, 39, {
    insights: AD_SET.map((row) => ({ ...row, leads: 9 })),
  });
  assertEquals(await evidence(38), alone);
});

Deno.test("ads.entity_evidence does not take leads without spend for evidence about siblings", async () => {
  await insertAccount(database.sql, 40, {
    insights: [{ impressions: 5, leads: 5 }, { ad_id: "32", spend: 1 }],
  });
  const { prior_alpha = Infinity } = (await evidence(40))["32"] ?? {};
  assert(prior_alpha <= 0.5);
});

Deno.test("ads.entity_evidence has no exposure when an account has none at all", async () => {
  await insertAccount(database.sql, 41, { insights: [{ impressions: 100, leads: 2 }] });
  for (const metric of ["cpl", "conversion_rate"]) {
    const { events, exposure, prior_beta, beta } = (await evidence(41, metric))["31"] ?? {};
    assertEquals([events, exposure, prior_beta, beta], [2, null, null, null]);
  }
});

const insights: fc.Arbitrary<InsightRow[]> = fc.uniqueArray(
  fc.record({
    campaign: fc.nat({ max: 1 }),
    adset: fc.nat({ max: 2 }),
    ad: fc.nat({ max: 2 }),
    before: fc.nat({ max: 29 }),
    spend: fc.integer({ min: 1, max: 500 }),
    impressions: fc.nat({ max: 1000 }),
    clicks: fc.nat({ max: 50 }),
    leads: fc.oneof(fc.constant(0), fc.nat({ max: 20 })),
  }),
  {
    selector: (row) => [row.campaign, row.adset, row.ad, row.before].join(),
    minLength: 1,
    maxLength: 60,
  },
).map((rows) =>
  rows.map(({ campaign, adset, ad, before, ...numbers }) => {
    const adset_id = `s${campaign}${adset}`;
    return {
      ...numbers,
      date: daily(30, {})[before]?.date ?? AS_OF,
      campaign_id: `c${campaign}`,
      adset_id,
      ad_id: ad === 0 ? adset_id : `a${campaign}${adset}${ad}`,
    };
  })
);

/** The raw leads and spend of each entity, and the most leads per spend on a day of one of its ads. */
function raw(rows: InsightRow[]) {
  const sums = new Map<string, { leads: number; spend: number; highest: number }>();
  for (const { campaign_id = "", adset_id = "", ad_id = "", leads = 0, spend = 0 } of rows) {
    for (const id of new Set([campaign_id, adset_id, ad_id])) {
      const sum = sums.get(id) ?? { leads: 0, spend: 0, highest: 0 };
      sums.set(id, {
        leads: sum.leads + leads,
        spend: sum.spend + spend,
        highest: Math.max(sum.highest, leads / spend),
      });
    }
  }
  return sums;
}

// Leads of a parent weigh by what its ads spend today, so they are bounded by what its spend counts
// for: the rate is a mean of the rates of its days.
Deno.test("ads.entity_evidence counts no spend twice, and no leads beyond its rates, whatever the rows", async () => {
  let configId = 1000;
  await fc.assert(
    fc.asyncProperty(insights, async (rows) => {
      configId += 1;
      await insertAccount(database.sql, configId, { insights: rows });
      const spend = rows.reduce((sum, row) => sum + (row.spend ?? 0), 0);
      const own = raw(rows);
      const highest = Math.max(...own.values().map((sum) => sum.highest));
      const slack = 1 + 1e-9;
      for (const row of Object.values(await evidence(configId))) {
        const { leads: ownLeads = 0, spend: ownSpend = 0, highest: ownHighest = 0 } =
          own.get(row.entity_id) ?? {};
        assert(row.prior_alpha > 0 && row.prior_beta >= 0);
        assert(row.events >= 0 && row.events <= ownHighest * row.exposure * slack);
        if (row.entity_type === "ad") assert(row.events <= ownLeads * slack);
        assert(row.exposure > 0 && row.exposure <= ownSpend * slack);
        assert(row.prior_alpha <= 0.5 + highest * (spend - ownSpend) * slack + 1e-9);
        assert(row.prior_beta <= (spend - ownSpend) * slack + 1e-9);
        assertClose(row, {
          alpha: row.prior_alpha + row.events,
          beta: row.prior_beta + row.exposure,
        });
      }
    }),
    { numRuns: 40 },
  );
});

Deno.test("ads.entity_evidence has every entity with delivery once per metric, in any order of rows", async () => {
  let configId = 2000;
  await fc.assert(
    fc.asyncProperty(insights, async (rows) => {
      configId += 2;
      await insertAccount(database.sql, configId, { insights: rows });
      await insertAccount(database.sql, configId + 1, { insights: rows.toReversed() });
      for (const metric of ["cpl", "ctr", "conversion_rate"]) {
        const found = await evidence(configId, metric);
        assertEquals(Object.keys(found), [...raw(rows).keys()].sort());
        const reversed = await evidence(configId + 1, metric);
        for (const [id, row] of Object.entries(found)) assertClose(reversed[id], row);
      }
    }),
    { numRuns: 15 },
  );
});
