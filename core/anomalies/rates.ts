/**
 * Rates of events: a rate that drifts, and counts that scatter more than Poisson's.
 *
 * What is known about a rate is a gamma distribution, as in the discounted gamma-Poisson filter
 * (Harvey and Fernandes 1989): `alpha` events in `beta` units of exposure. A count around it is
 * negative binomial, which has the uncertainty of the rate in it.
 */
import { pnbinom, qchisq } from "lib-r-math.js";
import { CUT, CUT_MEAN } from "./amounts.ts";

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
  /** How well that is known, in days of very many events (degrees of freedom). */
  dispersionWeight: number;
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

/**
 * The dispersion of an entity's own days, and what it is worth in days of very many events: where
 * chance explains most of the scatter, a day says next to nothing about the rest of it.
 *
 * @param end The days before this one are looked at.
 */
export function ownDispersion(
  events: Float64Array,
  exposures: Float64Array,
  end: number,
  model: RateModel,
): { dispersion: number; weight: number } {
  const distances: number[] = [];
  let level = startingRate(model);
  let total = 0;
  for (let day = 0; day < end; day++) {
    const exposure = exposures[day] ?? 0;
    if (exposure === 0) continue;
    const expected = exposure * level.alpha / level.beta;
    if (level.alpha > 1) {
      const variance = model.dispersion + 1 / level.alpha;
      distances.push(Math.abs(countDistance(events[day] ?? 0, expected, variance)));
      total += expected;
    }
    level = nextRate(level, events[day] ?? 0, exposure, model);
  }
  if (distances.length < 5) return { dispersion: model.dispersion, weight: 0 };
  const sorted = Float64Array.from(distances).sort();
  const farthest = CUT * Math.max((sorted[sorted.length >> 1] ?? 0) / 0.6745, 0.5);
  let squares = 0;
  for (const distance of distances) squares += Math.min(distance, farthest) ** 2;
  const scatter = squares / distances.length / CUT_MEAN;
  const chance = distances.length / total;
  return {
    dispersion: Math.max(scatter * (model.dispersion + chance) - chance, 0),
    weight: distances.length * (model.dispersion / (model.dispersion + chance)) ** 2,
  };
}

/** The model with the dispersion of an entity: its own, moderated by that of all (Smyth 2004). */
export function ownModel(
  events: Float64Array,
  exposures: Float64Array,
  end: number,
  model: RateModel,
): RateModel {
  const own = ownDispersion(events, exposures, end, model);
  const dispersionWeight = model.dispersionWeight + own.weight;
  const dispersion = (model.dispersionWeight * model.dispersion + own.weight * own.dispersion) /
    dispersionWeight;
  return { ...model, dispersion, dispersionWeight };
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
const FEWER_SIDE = 0.95;

/**
 * The p value of a count, two-sided, its sides weighed.
 *
 * The dispersion is not known but estimated, which makes tails heavier, as Student's t is next to the
 * normal: the probability is the mean over what the dispersion may be.
 *
 * @param scatter Relative variance beyond Poisson's that the estimated dispersion makes.
 * @param known The rest of that variance.
 * @param weight Degrees of freedom of the estimate.
 */
export function countP(
  events: number,
  expected: number,
  scatter: number,
  known: number,
  weight: number,
): number {
  let sum = 0;
  const factors = dispersionFactors(weight);
  for (const factor of factors) {
    const size = 1 / (known + scatter * factor);
    sum += events < expected
      ? pnbinom(events, size, undefined, expected) / FEWER_SIDE
      : pnbinom(events - 1, size, undefined, expected, false) / (1 - FEWER_SIDE);
  }
  return Math.min(sum / factors.length, 1);
}

/** True by estimated variance, at the middle of so many equally likely parts. */
const PARTS = 5;

const factorsByWeight = new Map<number, number[]>();

function dispersionFactors(weight: number): number[] {
  const degrees = Math.min(Math.max(Math.round(weight), 3), 200);
  let factors = factorsByWeight.get(degrees);
  if (factors === undefined) {
    factors = Array.from(
      { length: PARTS },
      (_, part) => degrees / qchisq((part + 0.5) / PARTS, degrees),
    );
    factorsByWeight.set(degrees, factors);
  }
  return factors;
}
