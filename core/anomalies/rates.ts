/**
 * Rates of events: a rate that drifts, and counts that scatter more than Poisson's.
 *
 * What is known about a rate is a gamma distribution, as in the discounted gamma-Poisson filter
 * (Harvey and Fernandes 1989): `alpha` events in `beta` units of exposure. A count around it is
 * negative binomial, which has the uncertainty of the rate in it.
 */
import { pnbinom } from "lib-r-math.js";

/** What an account's entities of a level have in common about a rate. */
export type RateModel = {
  /** What each day's exposure is to be multiplied by: weekday, account-wide moves, completeness. */
  factors: Float64Array;
  /** The logarithm of the part of it that is account-wide moves. */
  moves: Float64Array;
  /** Events per unit of exposure. */
  rate: number;
  /** Variance of a day's own rate around the level, relative to the level squared. */
  dispersion: number;
  /** Relative variance of a step of the level from one day to the next. */
  drift: number;
};

/** What is known about the rate before a day. */
export type RateLevel = { alpha: number; beta: number };

/** Jeffreys' half an event, at the rate of all: enough to say something of who never had one. */
export function startingRate({ rate }: RateModel): RateLevel {
  return { alpha: 0.5, beta: 0.5 / rate };
}

/** Days farther off than so many standard deviations count less, the farther the less. */
export const OUTLIER = 3;

/**
 * What is known after a day.
 *
 * @param exposure Already multiplied by the day's factor.
 */
export function nextRate(
  { alpha, beta }: RateLevel,
  events: number,
  exposure: number,
  { dispersion, drift }: RateModel,
): RateLevel {
  const expected = exposure * alpha / beta;
  const far = Math.abs(countDistance(events, expected, dispersion + 1 / alpha)) / OUTLIER;
  // A day's own rate varies, so that many events of one day say less than of many days.
  const weight = 1 / (1 + dispersion * expected) / Math.max(far, 1) ** 2;
  const known = alpha + weight * events;
  const forgotten = 1 + known * drift;
  return { alpha: known / forgotten, beta: (beta + weight * exposure) / forgotten };
}

/**
 * A count's distance from its expectation in standard deviations, by Anscombe's square root, which
 * is good to a few percent and costs nothing.
 *
 * @param variance Relative variance beyond Poisson's.
 */
export function countDistance(events: number, expected: number, variance: number): number {
  return 2 * (Math.sqrt(events + 0.375) - Math.sqrt(expected + 0.375)) /
    Math.sqrt(1 + expected * variance);
}

/** The p value of no event at all, without a call of the distribution. */
export function noEventP(expected: number, variance: number): number {
  return (1 + expected * variance) ** (-1 / variance) / FEWER_SIDE;
}

/**
 * How much of a p value's two sides is given to fewer events. They cost money, more events cost
 * nobody anything: who has to act on an alarm gains from testing the side that hurts more sharply
 * (hypotheses weighed by what they are worth: Genovese, Roeder and Wasserman 2006).
 */
const FEWER_SIDE = 0.9;

/** The p value of a count, two-sided, its sides weighed. */
export function countP(events: number, expected: number, variance: number): number {
  const p = events < expected
    ? pnbinom(events, 1 / variance, undefined, expected) / FEWER_SIDE
    : pnbinom(events - 1, 1 / variance, undefined, expected, false) / (1 - FEWER_SIDE);
  return Math.min(p, 1);
}
