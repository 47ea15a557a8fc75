import { assertEquals } from "@std/assert";
import type { Facts } from "../../../core/rules/facts.ts";
import { createEngine } from "../../../core/rules/engine.ts";
import { RULES } from "../../../core/rules/rules.ts";
import { readAccountSettings } from "../../../core/rules/settings.ts";
import { factsOf } from "./facts.ts";

const engine = createEngine(readAccountSettings({}), "USD");

function fired(facts: Facts) {
  return engine.fire(facts).map(({ rule, priority }) => `${rule.name} ${priority}`);
}

/**
 * For each rule facts that just fulfil its row of the table, what it says of them, and changes each of
 * which silences it.
 */
const CASES: {
  rule: string;
  priority: number;
  facts: Parameters<typeof factsOf>[0];
  silencedBy: Parameters<typeof factsOf>[0][];
}[] = [
  {
    rule: "scale_up",
    priority: 7,
    facts: {
      features: { leads_7d: 3, days_with_leads_7d: 4, cpl_trend: 10 },
      believed: { "cpl_ratio <= 0.7": 0.8 },
      beliefs: { ratio: () => 0.61 },
    },
    silencedBy: [
      { isActive: false },
      { features: { leads_7d: 2 } },
      { features: { days_with_leads_7d: 3 } },
      { features: { cpl_trend: 10.1 } },
      { features: { cpl_trend: null } },
      { believed: { "cpl_ratio <= 0.7": 0.79 } },
    ],
  },
  {
    rule: "budget_increase",
    priority: 4,
    facts: {
      features: { leads_7d: 2, days_with_leads_7d: 3, cpl_trend: -15 },
      believed: { "cpl_ratio <= 1": 0.8 },
      beliefs: { ratio: () => 0.71 },
    },
    silencedBy: [
      { isActive: false },
      { features: { leads_7d: 1 } },
      { features: { days_with_leads_7d: 2 } },
      { features: { cpl_trend: -15.1 } },
      { features: { cpl_trend: 15.1 } },
      { beliefs: { ratio: () => 0.7 } },
      { beliefs: { ratio: () => 1.01 } },
      { believed: { "cpl_ratio <= 1": 0.79 } },
    ],
  },
  {
    rule: "budget_decrease",
    priority: 6,
    facts: {
      entityType: "adset",
      features: { spend_7d: 40, cpl_trend: 1 },
      believed: { "cpl_ratio >= 1.5": 0.8 },
      beliefs: { ratio: () => 1.9 },
    },
    silencedBy: [
      { isActive: false },
      { entityType: "ad" },
      { features: { spend_7d: 39.9 } },
      { features: { cpl_trend: 0 } },
      { believed: { "cpl_ratio >= 1.5": 0.79 } },
    ],
  },
  {
    rule: "pause_without_leads",
    priority: 7,
    facts: { features: { leads_7d: 0 }, believed: { "cpl_ratio >= 1.5": 0.95 } },
    silencedBy: [
      { isActive: false },
      { features: { leads_7d: 1 } },
      { believed: { "cpl_ratio >= 1.5": 0.94 } },
    ],
  },
  {
    rule: "pause_expensive",
    priority: 6,
    facts: { features: { days_active: 7 }, believed: { "cpl_ratio >= 2.5": 0.9 } },
    silencedBy: [
      { isActive: false },
      { features: { days_active: 6 } },
      { believed: { "cpl_ratio >= 2.5": 0.89 } },
    ],
  },
  {
    rule: "pause_lasting",
    priority: 5,
    facts: { daysUnderperforming: 7, believed: { "cpl_ratio >= 1.5": 0.8 } },
    silencedBy: [
      { isActive: false },
      { daysUnderperforming: 6 },
      { believed: { "cpl_ratio >= 1.5": 0.79 } },
    ],
  },
  {
    rule: "pause_against_siblings",
    priority: 5,
    facts: { believed: { "cpl_by_siblings >= 2": 0.9 } },
    silencedBy: [
      { isActive: false },
      { entityType: "campaign" },
      { beliefs: { chanceAmongEquals: () => 0.11 } },
      { beliefs: { chanceAmongEquals: () => null } },
      { believed: { "cpl_by_siblings >= 2": 0.89 } },
    ],
  },
  {
    rule: "reactivate",
    priority: 3,
    facts: {
      isActive: false,
      features: { leads_30d: 5, cpl_30d: 22 },
      believed: { "cpl_ratio <= 1.1": 0.7 },
    },
    silencedBy: [
      { isActive: true },
      { parentIsActive: false },
      { features: { leads_30d: 4 } },
      { features: { cpl_30d: 22.1 } },
      { believed: { "cpl_ratio <= 1.1": 0.69 } },
    ],
  },
  {
    rule: "audience_review",
    priority: 5,
    facts: {
      entityType: "adset",
      features: { leads_7d: 2, cpl_trend: 20.1, leads_trend: -15.1, ctr_trend: -5 },
      believed: { "cpl_change >= 10": 0.9 },
    },
    silencedBy: [
      { isActive: false },
      { entityType: "ad" },
      { features: { leads_7d: 1 } },
      { features: { cpl_trend: 20 } },
      { features: { leads_trend: -15 } },
      { features: { ctr_trend: -5.1 } },
      { believed: { "cpl_change >= 10": 0.89 } },
    ],
  },
  {
    rule: "audience_expansion",
    priority: 5,
    facts: {
      entityType: "adset",
      features: { leads_7d: 5, share_of_parent_spend: 0.29 },
      believed: { "cpl_ratio <= 0.9": 0.7 },
    },
    silencedBy: [
      { isActive: false },
      { entityType: "campaign" },
      { features: { leads_7d: 6 } },
      { features: { leads_7d: 0 } },
      { features: { share_of_parent_spend: 0.3 } },
      { features: { share_of_parent_spend: null } },
      { believed: { "cpl_ratio <= 0.9": 0.69 } },
    ],
  },
  {
    rule: "audience_narrowing",
    priority: 5,
    facts: {
      entityType: "adset",
      features: { ctr_7d: 1.5, conversion_rate_7d: 3.2 },
      believed: { "cpl_ratio >= 1.3": 0.7 },
      beliefs: {
        rateAtMost: (rate, factor) => rate === "conversion_rate" && factor > 0.8 ? 0.9 : 0,
      },
    },
    silencedBy: [
      { isActive: false },
      { entityType: "ad" },
      { features: { ctr_7d: 1.4 } },
      { features: { conversion_rate_7d: 3.3 } },
      { beliefs: { rateAtMost: () => 0.89 } },
      { believed: { "cpl_ratio >= 1.3": 0.69 } },
    ],
  },
  {
    rule: "creative_refresh",
    priority: 5,
    facts: {
      features: { frequency_7d: 3, ctr_trend: -10.1 },
      believed: { "ctr_change <= -5": 0.9 },
    },
    silencedBy: [
      { isActive: false },
      { entityType: "adset" },
      { features: { frequency_7d: 2.9 } },
      { features: { frequency_7d: null } },
      { features: { ctr_trend: -10 } },
      { believed: { "ctr_change <= -5": 0.89 } },
    ],
  },
  {
    rule: "creative_test",
    priority: 4,
    facts: {
      features: { impressions_7d: 1000, cpl_std_7d: 0.1 },
      believed: { "cpl_ratio <= 1.2": 0.8, "cpl_ratio <= 0.9": 0.1 },
    },
    silencedBy: [
      { isActive: false },
      { entityType: "adset" },
      { features: { impressions_7d: 999 } },
      { features: { cpl_std_7d: 0 } },
      { features: { cpl_std_7d: null } },
      // A claim about a range is believed by the difference of two probabilities.
      { believed: { "cpl_ratio <= 0.9": 0.11 } },
    ],
  },
  {
    rule: "creative_winner",
    priority: 7,
    facts: {
      features: { leads_7d: 3 },
      believed: { "cpl_by_siblings <= 0.7": 0.8 },
    },
    silencedBy: [
      { isActive: false },
      { entityType: "adset" },
      { features: { leads_7d: 2 } },
      { beliefs: { chanceAmongEquals: () => 0.11 } },
      { believed: { "cpl_by_siblings <= 0.7": 0.79 } },
    ],
  },
];

for (const { rule, priority, facts = {}, silencedBy } of CASES) {
  Deno.test(`${rule} fires when all that the table asks is just so`, () => {
    assertEquals(fired(factsOf(facts)).includes(`${rule} ${priority}`), true);
  });

  Deno.test(`${rule} does not fire when any of it is missed`, () => {
    for (const change of silencedBy) {
      const changed = factsOf({
        ...facts,
        ...change,
        features: { ...facts.features, ...change?.features },
        beliefs: { ...facts.beliefs, ...change?.beliefs },
        believed: { ...facts.believed, ...change?.believed },
      });
      const names = fired(changed).map((each) => each.split(" ")[0]);
      assertEquals(names.includes(rule), false, JSON.stringify(change));
    }
  });
}

Deno.test("every rule has its row in these tests", () => {
  assertEquals(RULES.map(({ name }) => name).sort(), CASES.map(({ rule }) => rule).sort());
});

Deno.test("scale_up becomes more urgent the cheaper an entity is", () => {
  const urgencyAt = (ratio: number) =>
    fired(factsOf({ believed: { "cpl_ratio <= 0.7": 0.9 }, beliefs: { ratio: () => ratio } }))[0];
  assertEquals([0.6, 0.5].map(urgencyAt), ["scale_up 8", "scale_up 9"]);
});

Deno.test("budget_decrease becomes more urgent from twice the reference on", () => {
  const facts = factsOf({
    entityType: "campaign",
    features: { cpl_trend: 5 },
    believed: { "cpl_ratio >= 1.5": 0.9 },
    beliefs: { ratio: () => 2 },
  });
  assertEquals(fired(facts), ["budget_decrease 8"]);
});

Deno.test("creative_refresh is more urgent with both signs, and takes either", () => {
  const believed = { "ctr_change <= -5": 0.9, "cpl_change >= 7.5": 0.9 };
  const of = (features: Record<string, number>) =>
    fired(factsOf({ features: { frequency_7d: 3, ...features }, believed }));
  assertEquals(of({ ctr_trend: -20, cpl_trend: 20 }), ["creative_refresh 6"]);
  assertEquals(of({ ctr_trend: 0, cpl_trend: 20 }), ["creative_refresh 5"]);
});

Deno.test("creative_refresh does not fire when only the frequency is high", () => {
  assertEquals(fired(factsOf({ features: { frequency_7d: 9 } })), []);
});
