/** Quantiles where those of the library do not serve: of mixtures, of some shapes, and by the million. */
import { pbeta, qbeta } from "lib-r-math.js";

/** Halvings of an interval, after which a number has no more digits. */
const HALVINGS = 60;

/**
 * Where a distribution function reaches a probability.
 *
 * @param low Is below the quantile, and `high` above it.
 */
export function quantileBetween(
  below: (value: number) => number,
  probability: number,
  { low, high, tolerance = 0 }: { low: number; high: number; tolerance?: number },
): number {
  let [least, most] = [low, high];
  for (let step = 0; step < HALVINGS && most - least > tolerance; step++) {
    const middle = (least + most) / 2;
    if (below(middle) < probability) least = middle;
    else most = middle;
  }
  return (least + most) / 2;
}

/** No quantile is told more exactly. */
const LEAST_ERROR = 1e-6;

/**
 * A quantile of a beta distribution. The library's is 0 or 1 for a few shapes, as those of 0.5 and
 * (50.29456789611499, 2.1280987955009403): what it says is made sure of.
 */
export function betaQuantile(probability: number, alpha: number, beta: number): number {
  const found = qbeta(probability, alpha, beta);
  const below = (share: number) => pbeta(share, alpha, beta);
  if (Math.abs(below(found) - probability) < LEAST_ERROR) return found;
  return quantileBetween(below, probability, { low: 0, high: 1 });
}

/** The median of a mean of so many squared normal numbers (Wilson and Hilferty 1931). */
export function medianOfMean(count: number): number {
  return (1 - 2 / (9 * count)) ** 3;
}
