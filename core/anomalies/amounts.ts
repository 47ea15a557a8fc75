/**
 * Amounts on a log scale: a level that drifts, and days that scatter around it.
 *
 * The local level model of structural time series (Harvey 1989, Durbin and Koopman 2012): a day's
 * logarithm is the level plus noise, the level walks at random. All variances are in units of the
 * noise's, so that one drift serves entities that scatter more or less.
 */
import { pt } from "lib-r-math.js";

/** What an account's entities of a level have in common about an amount. */
export type AmountModel = {
  /** What each day's logarithm is to be lowered by: weekday and account-wide moves. */
  offsets: Float64Array;
  /** The part of it that is account-wide moves. */
  moves: Float64Array;
  /** Variance of a step of the level from one day to the next, in units of the noise's variance. */
  drift: number;
  /** Typical standard deviation of the noise, and how many days of an own one it counts for. */
  spread: number;
  spreadWeight: number;
  /** What the noise may be distributed like, how far out outliers are being the question. */
  tails: Tail[];
};

/** Student's t as the distribution of the noise: few degrees of freedom where outliers are common. */
export type Tail = {
  degrees: number;
  /** What standard deviations are to be divided by. */
  scale: number;
  /** The probability that it is this one. */
  weight: number;
};

/** What is known about a level before a day. */
export type AmountLevel = {
  level: number;
  variance: number;
  /** The last day's standardised distance from what was expected. */
  surprise: number;
};

/** Where nothing is known yet. The variance says so: the first day sets the level. */
export const UNKNOWN_LEVEL: AmountLevel = { level: 0, variance: 1e6, surprise: 0 };

/** Days farther off than so many standard deviations count less, the farther the less. */
export const OUTLIER = 3;

/** No amount is so regular that a deviation of this size, of the logarithm, would be a surprise. */
const LEAST_SPREAD = 0.03;

/** Of a squared normal deviate cut off at 2.5 standard deviations, the expectation. */
export const CUT = 2.5;
export const CUT_MEAN = 0.9775;

/**
 * The level after a day.
 *
 * One far day moves it little (its variance is taken as large as it takes to make it ordinary, as
 * with Student's t); a second one in a row on the same side is no outlier but a new level.
 *
 * @param log The day's logarithm, offset taken off; NaN for a day without.
 */
export function nextLevel(
  before: AmountLevel,
  log: number,
  spread: number,
  drift: number,
): AmountLevel {
  const { level, variance, surprise } = before;
  if (Number.isNaN(log)) return { level, variance: variance + drift, surprise };
  const distance = (log - level) / (spread * Math.sqrt(1 + variance));
  const isFar = Math.abs(distance) > OUTLIER;
  const isNewLevel = isFar && Math.abs(surprise) > OUTLIER && distance * surprise > 0;
  const known = isNewLevel ? variance + distance ** 2 : variance;
  const noise = isFar && !isNewLevel ? (distance / OUTLIER) ** 2 * (1 + variance) : 1;
  const gain = known / (known + noise);
  return {
    level: level + gain * (log - level),
    variance: known * (1 - gain) + drift,
    surprise: distance,
  };
}

/** The spread of an entity's own days from one day to the next, and what it is worth in days. */
export function ownSpread(logs: Float64Array, end: number, drift: number) {
  const steps = [];
  for (let day = 1; day < end; day++) {
    const step = (logs[day] ?? NaN) - (logs[day - 1] ?? NaN);
    if (!Number.isNaN(step)) steps.push(Math.abs(step));
  }
  if (steps.length < 5) return { variance: NaN, weight: 0 };
  const absolute = Float64Array.from(steps).sort();
  const middle = Math.max((absolute[absolute.length >> 1] ?? 0) / 0.6745, 1e-6);
  let sum = 0;
  for (const step of steps) sum += Math.min(step, CUT * middle) ** 2;
  return {
    variance: Math.max(sum / steps.length / CUT_MEAN / (2 + drift), LEAST_SPREAD ** 2),
    // Neighbouring steps share a day: the variance of their mean square is 1.5 times as large.
    weight: steps.length / 1.5,
  };
}

/** The spread of an entity: its own, moderated by that of all (Smyth 2004, as in limma). */
export function spreadOf(logs: Float64Array, end: number, model: AmountModel): number {
  const { variance, weight } = ownSpread(logs, end, model.drift);
  if (weight === 0) return model.spread;
  return Math.sqrt(
    (model.spreadWeight * model.spread ** 2 + weight * variance) / (model.spreadWeight + weight),
  );
}

/**
 * How far the sum of a window's days lies from its expectation, in standard deviations.
 *
 * @param excess The logarithm of observed / expected.
 */
export function amountDistance(
  excess: number,
  days: number,
  { variance }: AmountLevel,
  spread: number,
  drift: number,
): number {
  return excess / (spread * Math.sqrt(1 / days + variance + drift * (days - 1) / 2));
}

/** The probability of a distance or a farther one on its side, over all that the tail may be. */
export function amountTail(distance: number, { tails }: AmountModel): number {
  let sum = 0;
  for (const { degrees, scale, weight } of tails) {
    sum += weight * pt(-Math.abs(distance) / scale, degrees);
  }
  return sum;
}

/** The two-sided p value of a distance. */
export function amountP(distance: number, model: AmountModel): number {
  return 2 * amountTail(distance, model);
}
