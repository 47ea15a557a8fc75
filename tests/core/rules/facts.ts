/** Facts about one ad, for the tests of rules. */
import type { Beliefs } from "../../../core/rules/beliefs.ts";
import type { Quantity } from "../../../core/rules/claim.ts";
import type { Facts, Features } from "../../../core/rules/facts.ts";

const FEATURES: Features = {
  spend_7d: 140,
  impressions_7d: 10_000,
  clicks_7d: 150,
  leads_7d: 7,
  cpl_7d: 20,
  ctr_7d: 1.5,
  conversion_rate_7d: 4.7,
  cpl_trend: 0,
  leads_trend: 0,
  ctr_trend: 0,
  leads_14d: 14,
  cpl_30d: 20,
  leads_30d: 30,
  avg_daily_spend_30d: 20,
  cpl_std_7d: 5,
  frequency_7d: 1.5,
  days_with_leads_7d: 5,
  days_active: 30,
  share_of_parent_spend: 0.25,
  spend_7d_before: 140,
  impressions_7d_before: 10_000,
  clicks_7d_before: 150,
};

/**
 * An ordinary active ad whose CPL is the reference of 20, but for what is given.
 *
 * @param believed Probabilities by claim, such as `{ "cpl_ratio <= 0.7": 0.9 }`; others are 0.
 */
export function factsOf(
  { features, beliefs, believed = {}, ...facts }:
    & Partial<Omit<Facts, "features" | "beliefs">>
    & {
      features?: Partial<Features>;
      beliefs?: Partial<Beliefs>;
      believed?: Record<string, number>;
    } = {},
): Facts {
  const probability = (about: Quantity, is: "<=" | ">=", value: number) =>
    believed[`${about} ${is} ${value}`] ?? 0;
  return {
    entityType: "ad",
    entityId: "31",
    parentId: "21",
    name: "Beach",
    isActive: true,
    parentIsActive: true,
    isLearning: false,
    isBelowPause: false,
    budget: { holder: "adset", daily: null, lifetime: null },
    daysUnderperforming: 0,
    account: { reference: 20, ctr_7d: 1.5, conversion_rate_7d: 4.7 },
    ...facts,
    features: { ...FEATURES, ...features },
    beliefs: {
      atMost: (about, value) => probability(about, "<=", value),
      atLeast: (about, value) => probability(about, ">=", value),
      ratio: () => 1,
      cpl: () => ({ low: 15, median: 20, high: 25 }),
      change: () => ({ low: 10, median: 20, high: 30 }),
      siblings: { count: 3, spend: 300, cpl: 20 },
      isBest: () => 0,
      chanceAmongEquals: () => 0,
      rateAtMost: () => 1,
      ...beliefs,
    },
  };
}
