import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { type EntityForecast, forecastAccount, type Leaf } from "../../../core/forecast/account.ts";
import { createRandom } from "../../../core/random.ts";

const DAYS = 60;

/** An ad with so much spend and so many leads on each day. */
function leaf(adId: string | null, spend: number, leads: number, more: Partial<Leaf> = {}): Leaf {
  return {
    campaignId: "11",
    adsetId: "21",
    adId,
    spend: new Float32Array(DAYS).fill(spend),
    leads: new Float32Array(DAYS).fill(leads),
    isStopped: false,
    budgetLevel: "adset",
    ...more,
  };
}

function forecast(leaves: Leaf[], horizon = 10): Map<string, EntityForecast> {
  const { entities } = forecastAccount(leaves, { accountId: "1", horizon });
  return new Map([...entities()].map((each) => [`${each.place} ${each.entityId}`, each]));
}

/** The first day of spend of each entity, rounded. */
function spends(leaves: Leaf[]) {
  return Object.fromEntries(
    [...forecast(leaves)].map(([name, { spend }]) => [name, Math.round(spend.means[0] ?? NaN)]),
  );
}

Deno.test("forecastAccount() tells of the account, its campaigns, ad sets and ads", () => {
  const found = forecast([
    leaf("31", 20, 2),
    leaf("32", 30, 1),
    leaf("33", 5, 1, { adsetId: "22" }),
  ]);
  assertEquals([...found].map(([name, { parentId, knownDays }]) => [name, parentId, knownDays]), [
    ["account 1", null, 60],
    ["campaign 11", null, 60],
    ["adset 21", "11", 60],
    ["ad 31", "21", 60],
    ["ad 32", "21", 60],
    ["adset 22", "11", 60],
    ["ad 33", "22", 60],
  ]);
  assertEquals(found.get("campaign 11")?.spend.means.length, 10);
  assertAlmostEquals(found.get("account 1")?.leads.means[9] ?? NaN, 4, 0.01);
});

Deno.test("forecastAccount() knows ad sets without ads, and what is reported beside their ads", () => {
  assertEquals(
    spends([
      leaf(null, 40, 2, { adsetId: "22" }),
      leaf("31", 20, 1),
      leaf(null, 7, 1),
    ]),
    { "account 1": 67, "campaign 11": 67, "adset 22": 40, "adset 21": 27, "ad 31": 20 },
  );
});

Deno.test("forecastAccount() expects nothing of what has stopped", () => {
  const found = forecast([
    leaf("31", 20, 2, { isStopped: true }),
    leaf("32", 30, 1, { adsetId: "22", isStopped: true }),
    leaf("33", 10, 1, { campaignId: "12", adsetId: "23" }),
  ]);
  for (const name of ["ad 31", "ad 32", "adset 21", "adset 22", "campaign 11"]) {
    const { spend, leads } = found.get(name) ?? { spend: null, leads: null };
    for (const numbers of [spend, leads]) {
      assertEquals([numbers?.means.every((mean) => mean === 0), numbers?.means.length], [true, 10]);
      assert(numbers?.spreads.every((spread) => spread === 0), name);
    }
  }
  assertAlmostEquals(found.get("account 1")?.spend.means[0] ?? NaN, 10, 0.01);
});

Deno.test("forecastAccount() leaves the money of a stopped ad to those that share its budget", () => {
  const of = (adsetId: string, budgetLevel: "campaign" | "adset") => {
    const stopped = leaf("31", 20, 2, { isStopped: true, budgetLevel });
    return spends([stopped, leaf("32", 30, 2, { adsetId, budgetLevel })])["ad 32"] ?? NaN;
  };
  assertEquals(of("22", "adset"), 30);
  // Where nothing varies a sum is as sure as its parts: they meet in between.
  for (const shared of [of("21", "adset"), of("21", "campaign"), of("22", "campaign")]) {
    assert(shared > 35 && shared <= 50, String(shared));
  }
});

Deno.test("forecastAccount() does not take a day on which nothing is known for a day without delivery", () => {
  const known = leaf("31", 20, 2);
  const gaps = leaf("31", 20, 2);
  for (const day of [20, 33, 34, 58, 59]) gaps.spend[day] = gaps.leads[day] = NaN;
  assertEquals(spends([gaps]), spends([known]));
});

Deno.test("forecastAccount() adds up on every level, is never negative, and the same in any order", () => {
  const ad = fc.record({
    campaign: fc.nat(2),
    adset: fc.nat(2),
    isWhole: fc.boolean(),
    isStopped: fc.boolean(),
    isShared: fc.boolean(),
    mean: fc.double({ min: 0, max: 50, noNaN: true }),
    begin: fc.nat(DAYS - 1),
    seed: fc.nat(1000),
  });
  fc.assert(
    fc.property(fc.array(ad, { minLength: 1, maxLength: 12 }), (ads) => {
      const leaves = ads.map((each, index) => {
        const random = createRandom(each.seed);
        const draw = (mean: number) =>
          Float32Array.from(
            { length: DAYS },
            (_, day) => day < each.begin ? NaN : random.poisson(mean),
          );
        return leaf(each.isWhole ? null : `a${index}`, 0, 0, {
          campaignId: `c${each.campaign}`,
          adsetId: `c${each.campaign}s${each.adset}${each.isWhole ? `w${index}` : ""}`,
          spend: draw(10 * each.mean),
          leads: draw(each.mean / 10),
          isStopped: each.isStopped,
          budgetLevel: each.isShared ? "campaign" : "adset",
        });
      });
      const found = forecast(leaves);
      const sums = new Map<string, number>();
      for (const { place, parentId, spend, leads } of found.values()) {
        const above =
          { account: null, campaign: "account 1", adset: "campaign", ad: "adset" }[place];
        for (const [metric, { means, spreads }] of Object.entries({ spend, leads })) {
          assert(means.every((mean) => mean >= 0) && spreads.every(Number.isFinite));
          if (above === null) continue;
          const parent = `${place === "campaign" ? above : `${above} ${parentId}`} ${metric}`;
          sums.set(parent, (sums.get(parent) ?? 0) + (means[4] ?? NaN));
        }
      }
      for (const [key, sum] of sums) {
        const name = key.slice(0, key.lastIndexOf(" "));
        const metric = key.endsWith("spend") ? "spend" : "leads";
        assertAlmostEquals(found.get(name)?.[metric].means[4] ?? NaN, sum, 1e-6);
      }
      const turned = forecast(leaves.toReversed());
      for (const [name, { spend }] of found) {
        assertAlmostEquals(turned.get(name)?.spend.means[9] ?? NaN, spend.means[9] ?? NaN, 1e-6);
      }
    }),
    { numRuns: 60, seed: 5 },
  );
});
