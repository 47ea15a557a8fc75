/**
 * What the posterior of a rate says. The posterior itself comes from `ads.entity_evidence`: `alpha`
 * events in `beta` units of exposure. For the CPL that is leads in spend, and leads per unit of spend
 * are Gamma distributed, the CPL being their inverse; CTR and conversion rate are Beta distributed.
 */
import { pgamma, qgamma } from "lib-r-math.js";
import { betaQuantile } from "./quantiles.ts";

/** A posterior as `ads.entity_evidence` has it. */
export type Posterior = { alpha: number; beta: number };

/** A range that holds the true value with a given probability. */
export type Interval = { low: number; high: number };

/** The probability that the true CPL is at most `cpl`. */
export function probabilityCplAtMost({ alpha, beta }: Posterior, cpl: number): number {
  return pgamma(1 / cpl, alpha, beta, undefined, false);
}

/** The posterior mean of the CPL, null where so little is known that it has none. */
export function cplMean({ alpha, beta }: Posterior): number | null {
  return alpha > 1 ? beta / (alpha - 1) : null;
}

/** The CPL that the true one exceeds with a probability of one half. */
export function cplMedian(posterior: Posterior): number {
  return cplQuantile(posterior, 0.5);
}

/**
 * The equal-tailed credible interval of the true CPL.
 *
 * @param probability That it holds the truth, for example 0.8.
 */
export function cplInterval(posterior: Posterior, probability: number): Interval {
  return {
    low: cplQuantile(posterior, (1 - probability) / 2),
    high: cplQuantile(posterior, (1 + probability) / 2),
  };
}

/**
 * The equal-tailed credible interval of a CTR or conversion rate, as a fraction.
 *
 * @param probability That it holds the truth, for example 0.8.
 */
export function rateInterval({ alpha, beta }: Posterior, probability: number): Interval {
  // More leads than clicks happen (views count too); then the rate is no share, but still a rate.
  const quantile = (p: number) =>
    beta > alpha ? betaQuantile(p, alpha, beta - alpha) : qgamma(p, alpha, beta);
  return { low: quantile((1 - probability) / 2), high: quantile((1 + probability) / 2) };
}

function cplQuantile({ alpha, beta }: Posterior, probability: number): number {
  return 1 / qgamma(probability, alpha, beta, undefined, false);
}
