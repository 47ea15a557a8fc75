/** What following a recommendation is expected to do, with diminishing returns. */
import type { Facts } from "./facts.ts";

/** Leads grow by spend to a power: what is likely, and the range of it. */
export type Elasticity = { low: number; expected: number; high: number };

/** A change per week. */
export type Effect = {
  spend_per_week: number;
  /** 80 % sure. */
  leads_per_week: { low: number; expected: number; high: number };
  /** What it rests on, by name. */
  assumption: "diminishing_returns" | "all_lost" | "as_before" | "back_to_reference";
  elasticity?: Elasticity;
};

/**
 * The effect of a budget that is changed by a percentage.
 *
 * Leads follow spend by a power below 1: people who are cheap to reach are reached first. So a budget
 * never buys leads at the average price, and one that is cut loses fewer than its share.
 */
export function budgetEffect(facts: Facts, percent: number, elasticity: Elasticity): Effect {
  const spend = facts.features.spend_7d ?? 0;
  const growth = (power: number) => (1 + percent / 100) ** power - 1;
  const { low, median, high } = facts.beliefs.cpl();
  const ends = [
    spend / high * growth(elasticity.low),
    spend / low * growth(elasticity.high),
  ];
  return {
    spend_per_week: spend * percent / 100,
    leads_per_week: {
      low: Math.min(...ends),
      expected: spend / median * growth(elasticity.expected),
      high: Math.max(...ends),
    },
    assumption: "diminishing_returns",
    elasticity,
  };
}

/** The effect of stopping: all that is spent is saved, and all leads are lost. */
export function pauseEffect({ features, beliefs }: Facts): Effect {
  const spend = features.spend_7d ?? 0;
  const { low, median, high } = beliefs.cpl();
  return {
    spend_per_week: -spend,
    leads_per_week: { low: -spend / low, expected: -spend / median, high: -spend / high },
    assumption: "all_lost",
  };
}

/** The effect of starting again with what it used to spend. */
export function reactivateEffect({ features, beliefs }: Facts): Effect {
  const spend = 7 * (features.avg_daily_spend_30d ?? 0);
  const { low, median, high } = beliefs.cpl();
  return {
    spend_per_week: spend,
    leads_per_week: { low: spend / high, expected: spend / median, high: spend / low },
    assumption: "as_before",
  };
}

/** The effect of undoing a change of the last 7 days. Null where it is not known. */
export function recoveryEffect(
  { features, beliefs }: Facts,
  about: "cpl_change" | "ctr_change",
): Effect | null {
  const change = beliefs.change(about);
  if (change === null) return null;
  const leads = (features.spend_7d ?? 0) / beliefs.cpl().median;
  const gains = [change.low, change.median, change.high].map((percent) =>
    // A CPL that rose by half took a third of the leads; a CTR that fell by a third did the same.
    leads * (about === "cpl_change" ? percent / 100 : 1 / (1 + percent / 100) - 1)
  );
  const [first = 0, expected = 0, last = 0] = gains;
  return {
    spend_per_week: 0,
    leads_per_week: { low: Math.min(first, last), expected, high: Math.max(first, last) },
    assumption: "as_before",
  };
}

/** The effect of bringing the CPL back to the reference. */
export function referenceEffect({ features, beliefs, account: { reference } }: Facts): Effect {
  const spend = features.spend_7d ?? 0;
  const { low, median, high } = beliefs.cpl();
  const gain = (cpl: number) => spend / reference - spend / cpl;
  return {
    spend_per_week: 0,
    leads_per_week: { low: gain(low), expected: gain(median), high: gain(high) },
    assumption: "back_to_reference",
  };
}

/** The effect of a percentage more of spend that its siblings give up. Null without siblings. */
export function shiftEffect(
  { features, beliefs }: Facts,
  percent: number,
  elasticity: Elasticity,
): Effect | null {
  const { siblings } = beliefs;
  const spend = features.spend_7d ?? 0;
  if (siblings === null || spend === 0) return null;
  const moved = Math.min(spend * percent / 100, siblings.spend);
  const { low, median, high } = beliefs.cpl();
  const gain = (cpl: number, power: number) =>
    spend / cpl * ((1 + moved / spend) ** power - 1) - moved / siblings.cpl;
  return {
    spend_per_week: 0,
    leads_per_week: {
      low: gain(high, elasticity.low),
      expected: gain(median, elasticity.expected),
      high: gain(low, elasticity.high),
    },
    assumption: "diminishing_returns",
    elasticity,
  };
}
