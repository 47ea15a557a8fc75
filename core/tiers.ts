/** Tiers: how an entity's true CPL compares with the reference, and how sure that is. */
import { type Posterior, probabilityCplAtMost } from "./evidence.ts";

/** The tiers from the best to the worst. */
export const TIERS = ["HIGH_PERFORMER", "MODERATE", "LOW", "UNDERPERFORMER"] as const;

/** A tier. */
export type Tier = (typeof TIERS)[number];

/** The largest CPL ratio (CPL / reference) of each tier, in the order of `TIERS`. */
export const TIER_LIMITS = [0.7, 1.0, 1.5, Infinity] as const;

/** A tier with the posterior probability of each. */
export type TierDecision = {
  tier: Tier;
  /** The posterior probability of `tier`. */
  confidence: number;
  probabilities: Record<Tier, number>;
};

/** Adds up counts by tier, with all four tiers. */
export function countsByTier(rows: { tier: Tier; count: number }[]): Record<Tier, number> {
  const counts = { HIGH_PERFORMER: 0, MODERATE: 0, LOW: 0, UNDERPERFORMER: 0 };
  for (const { tier, count } of rows) counts[tier] += count;
  return counts;
}

/** The tier of a known CPL ratio. */
export function tierOfRatio(ratio: number): Tier {
  return TIERS[TIER_LIMITS.findIndex((limit) => ratio <= limit)] ?? "UNDERPERFORMER";
}

/**
 * The tier in which the posterior median of the CPL lies, with its probability.
 *
 * The median is the tier with the least expected distance from the true one, and it does not jump to
 * an extreme tier on little data as the most probable tier would. Above a confidence of one half both
 * are the same.
 *
 * @param reference What the CPL is compared with, in units of the account's currency.
 */
export function decideTier(posterior: Posterior, reference: number): TierDecision {
  const atMost = TIER_LIMITS.map((limit) =>
    limit === Infinity ? 1 : probabilityCplAtMost(posterior, limit * reference)
  );
  // Two tails next to 1 may differ by a rounding error the wrong way round.
  const probability = (index: number) =>
    Math.max((atMost[index] ?? 1) - (atMost[index - 1] ?? 0), 0);
  const probabilities = {
    HIGH_PERFORMER: probability(0),
    MODERATE: probability(1),
    LOW: probability(2),
    UNDERPERFORMER: probability(3),
  };
  const tier = TIERS[atMost.findIndex((p) => p >= 0.5)] ?? "UNDERPERFORMER";
  return { tier, confidence: probabilities[tier], probabilities };
}

/**
 * Whether the worst tier is possible at all, quicker than `decideTier`: the median of a gamma
 * distribution is above its shape less a third (Chen and Rubin 1986).
 */
export function canUnderperform({ alpha, beta }: Posterior, reference: number): boolean {
  const [, , limit] = TIER_LIMITS;
  return beta > (alpha - 1 / 3) * limit * reference;
}

/** How a tier compares with the one before. */
export function tierChange(previous: Tier, current: Tier): "improved" | "declined" | "stable" {
  const change = TIERS.indexOf(current) - TIERS.indexOf(previous);
  return change === 0 ? "stable" : change < 0 ? "improved" : "declined";
}
