/** Ranges around forecasts, from the errors of the past. */
import { qnorm, qt } from "lib-r-math.js";
import { medianOfMean } from "../quantiles.ts";
import type { DayForecast } from "./series.ts";

/** What was expected of a series so many days ahead, and what came, in the order of the days. */
export type PastErrors = {
  expected: number[];
  came: number[];
  ahead: number[];
  /** The day that each was expected from. */
  from: number[];
};

/** What all past errors of a series come to. */
export type ErrorSums = {
  /** Squared errors, what was expected, and how many there are. */
  squares: number;
  means: number;
  count: number;
  /** What is expected of it now, where there are none. */
  level: number;
};

/** The ends of the ranges, as shares of what lies below them. */
const ENDS = { low95: 0.025, low80: 0.1, high80: 0.9, high95: 0.975 } as const;

/** How the errors of a level are distributed, in units of their spread. */
export type Shape = Record<keyof typeof ENDS, number> & {
  /** How the errors of two of the first so many days are correlated, on average: none of the first. */
  dayCorrelations: number[];
};

/** As many errors of its own as the dispersion of its level counts. */
const POOLED_ERRORS = 40;

/** A half without noise was quiet by chance: its squared errors count as this part of all at least. */
const LEAST_OF_WHOLE = 0.25;

/** As many days of a month are added up at most. */
const MOST_DAYS = 31;

/** Between single events, 0, and what moves as a whole, 1. */
const POWER = 0.5;

/** Errors of some series of a level, brought to the same size. */
type ScaledErrors = { error: number; ahead: number; from: number; node: number }[];

/** What the past errors of one level come to. */
export type Ranges = Pick<Shape, "dayCorrelations"> & {
  /** In spreads, in the order of the series they came from, to compare with another metric's. */
  errors: Float64Array;
  /** As how many errors that know nothing of each other they count. */
  independent: number;
  /** How far off a forecast is: the root of its mean squared error. */
  spreadOf(place: number, mean: number, ahead: number): number;
};

/**
 * Squared errors grow with the mean and with its square: dispersion x mean for what comes in single
 * events, and more for what moves as a whole. Both are estimated on the level and scaled for each
 * series.
 *
 * @param sums Those of each series of the level.
 * @param pastOf All errors of the series at a place, or null where they are left out of the shape.
 */
export function rangesOf(
  sums: readonly ErrorSums[],
  pastOf: (place: number) => PastErrors | null,
): Ranges {
  const relative = sums.filter(({ means }) => means > 0).map(({ squares, means, count }) =>
    squares / means / (means / count) ** POWER / medianOfMean(count)
  );
  // What never differs from what was expected tells nothing of how much others do.
  const positive = relative.filter((each) => each > 0);
  const median = quantileOf(Float64Array.from(positive).sort(), 0.5);
  const usual = median ?? (relative.length > 0 ? 0 : 1);
  // How far off each series is around any mean: squared errors are factor x mean, at least at floor.
  const factorOf = ({ squares, means }: ErrorSums, mean: number) => {
    const prior = usual * mean ** POWER;
    const factor = (squares + POOLED_ERRORS * prior * mean) /
      (means + POOLED_ERRORS * mean);
    return Math.max(factor, 1e-12);
  };
  const factors = new Float64Array(sums.length);
  const floors = new Float64Array(sums.length);
  const errors: ScaledErrors = [];
  sums.forEach((sum, node) => {
    const mean = Math.max(sum.count > 0 ? sum.means / sum.count : sum.level, 1e-9);
    const floor = Math.max(mean / 4, 1e-9);
    const factor = factorOf(sum, mean);
    factors[node] = factor;
    floors[node] = floor;
    const past = pastOf(node);
    if (!past) return;
    // Each half of the days by the factor of the other one: an error that is part of what it is divided
    // by looks smaller than one to come.
    const [first, second] = halvesOf(past);
    const factorsOfOther = [second, first].map((half) =>
      Math.max(factorOf({ ...sum, ...half.sums }, mean), LEAST_OF_WHOLE * factor)
    );
    [first, second].forEach(({ from, to }, half) => {
      for (let index = from; index < to; index++) {
        const expected = past.expected[index] ?? 0;
        const spread = Math.sqrt((factorsOfOther[half] ?? 1) * Math.max(expected, floor));
        errors.push({
          error: ((past.came[index] ?? 0) - expected) / spread,
          ahead: past.ahead[index] ?? 1,
          from: past.from[index] ?? 0,
          node,
        });
      }
    });
  });
  const growth = growthOf(errors);
  const covariance = covarianceOfDays(errors);
  for (const each of errors) each.error /= growth(each.ahead);
  return {
    dayCorrelations: correlationsOfDays(covariance, growth),
    errors: Float64Array.from(errors, ({ error }) => error),
    independent: independentOf(errors),
    spreadOf: (place, mean, ahead) =>
      growth(ahead) * Math.sqrt((factors[place] ?? 1) * Math.max(mean, floors[place] ?? 1)),
  };
}

/** A part of the errors of a series, by their places, and what they come to. */
type Half = { from: number; to: number; sums: Pick<ErrorSums, "squares" | "means" | "count"> };

/** The errors of the first half of the days, and those of the second. */
function halvesOf({ expected, came, ahead, from }: PastErrors): [Half, Half] {
  const targetOf = (index: number) => (from[index] ?? 0) + (ahead[index] ?? 0);
  const middle = (targetOf(0) + targetOf(from.length - 1)) / 2;
  const later = from.findIndex((_, index) => targetOf(index) >= middle);
  const sumsOf = (begin: number, end: number): Half => {
    const sums = { squares: 0, means: 0, count: 0 };
    for (let index = begin; index < end; index++) {
      sums.squares += ((came[index] ?? 0) - (expected[index] ?? 0)) ** 2;
      sums.means += expected[index] ?? 0;
      sums.count += 1;
    }
    return { from: begin, to: end, sums };
  };
  return [sumsOf(0, Math.max(later, 0)), sumsOf(Math.max(later, 0), from.length)];
}

/** What moves many series at once does so for days: whole weeks are told apart. */
const TOGETHER_DAYS = 7;
/** That they tell one error a day is taken for usual, as if so many weeks had told so. */
const USUAL_WEEKS = 4;

/**
 * As how many independent errors some count: told by how much the share of those beyond the ends of the
 * range of 80 % differs from week to week (the design effect of Kish 1965). Many series that move
 * together are hardly more than one.
 */
function independentOf(errors: ScaledErrors): number {
  const sorted = Float64Array.from(errors, ({ error }) => error).sort();
  const [low = 0, high = 0] = [quantileOf(sorted, ENDS.low80), quantileOf(sorted, ENDS.high80)];
  const weeks = new Map<number, { beyond: number; count: number }>();
  const days = new Set<number>();
  let beyond = 0;
  for (const { error, ahead, from } of errors) {
    const day = from + ahead;
    days.add(day);
    const week = weeks.getOrInsertComputed(
      Math.floor(day / TOGETHER_DAYS),
      () => ({ beyond: 0, count: 0 }),
    );
    week.count += 1;
    if (low <= error && error <= high) continue;
    week.beyond += 1;
    beyond += 1;
  }
  const share = beyond / errors.length;
  let differences = 0;
  for (const week of weeks.values()) differences += (week.beyond - week.count * share) ** 2;
  const variance = differences / errors.length ** 2 * weeks.size / (weeks.size - 1);
  // One through as many as they count. A week alone tells nothing of how weeks differ.
  const told = variance / (share * (1 - share));
  if (weeks.size < 2 || !(told > 0)) return days.size;
  const telling = days.size / TOGETHER_DAYS;
  return (telling + USUAL_WEEKS) / (telling * told + USUAL_WEEKS / days.size);
}

function quantileOf(sorted: Float64Array, below: number): number | undefined {
  return sorted[Math.min(Math.floor(below * sorted.length), sorted.length - 1)];
}

/** Of so many errors one lies beyond an end of the range of 80 %: of fewer, they hardly have a shape. */
const SHAPELESS_ERRORS = 10;
/** Of fewer nothing is known of how far errors scatter. */
const LEAST_INDEPENDENT = 2;

/**
 * The shape of the errors of a level: by their quantiles, so that the ranges hold as much as they did
 * before (conformal). The fewer errors it knows, the more it is that of the normal distribution, and
 * the wider, as Student's t is. The mean is always within.
 *
 * @param all The errors of the level, and those of others that are taken for alike.
 */
export function shapeOf(
  all: readonly Pick<Ranges, "errors" | "independent">[],
  dayCorrelations: Shape["dayCorrelations"],
): Shape {
  const sorted = new Float64Array(all.reduce((count, { errors }) => count + errors.length, 0));
  let place = 0;
  for (const { errors } of all) {
    sorted.set(errors, place);
    place += errors.length;
  }
  sorted.sort();
  const independent = Math.max(...all.map((each) => each.independent));
  const distance = (below: number, side: 1 | -1) => {
    const normal = qnorm(below);
    const found = quantileOf(sorted, below);
    if (found === undefined) return normal;
    const wider = qt(below, Math.max(independent, LEAST_INDEPENDENT)) / normal;
    const blended = (independent * found + SHAPELESS_ERRORS * normal) /
      (independent + SHAPELESS_ERRORS);
    return side * Math.max(side * blended, 0) * wider;
  };
  return {
    low95: distance(ENDS.low95, -1),
    low80: distance(ENDS.low80, -1),
    high80: distance(ENDS.high80, 1),
    high95: distance(ENDS.high95, 1),
    dayCorrelations,
  };
}

/** The ranges around a mean, never below 0. */
export function around(mean: number, spread: number, shape: Shape): DayForecast {
  const at = (end: keyof typeof ENDS) => Math.max(mean + shape[end] * spread, 0);
  return {
    mean,
    low80: at("low80"),
    high80: at("high80"),
    low95: at("low95"),
    high95: at("high95"),
  };
}

/** How many times their mean errors are, the further ahead: in between on a line, never less. */
function growthOf(errors: ScaledErrors): (ahead: number) => number {
  const sums = new Map<number, { squares: number; count: number }>();
  for (const { error, ahead } of errors) {
    const sum = sums.getOrInsertComputed(ahead, () => ({ squares: 0, count: 0 }));
    sum.squares += error ** 2;
    sum.count += 1;
  }
  let most = 0;
  const knots = [...sums].sort(([a], [b]) => a - b).map(([ahead, { squares, count }]) => {
    most = Math.max(most, Math.sqrt(squares / count));
    return { ahead, error: most };
  });
  const usual = knots.reduce((sum, { error }) => sum + error, 0) / knots.length;
  if (!(usual > 0)) return () => 1;
  const growths: number[] = [];
  const at = (ahead: number) => {
    const next = knots.findIndex((knot) => knot.ahead >= ahead);
    const right = knots[next] ?? knots.at(-1);
    const left = knots[next - 1] ?? right;
    if (!left || !right) return 1;
    const way = right.ahead > left.ahead ? (ahead - left.ahead) / (right.ahead - left.ahead) : 0;
    return (left.error + way * (right.error - left.error)) / usual;
  };
  return (ahead) => growths[ahead] ??= at(ahead);
}

/**
 * What two errors share that one series made from one day, by the nearer of the two days. If the level
 * of the series walks, all errors share how far off the level was, and what it walked until the nearer
 * day (Hyndman et al. 2008, chapter 6): a line, fitted to the products.
 */
function covarianceOfDays(errors: ScaledErrors): (nearer: number) => number {
  const origins = new Map<string, ScaledErrors>();
  for (const each of errors) {
    origins.getOrInsertComputed(`${each.node} ${each.from}`, () => []).push(each);
  }
  const sums = { count: 0, nearer: 0, product: 0, nearerSquared: 0, nearerProduct: 0 };
  for (const days of origins.values()) {
    for (const [index, one] of days.entries()) {
      for (const other of days.slice(index + 1)) {
        const nearer = Math.min(one.ahead, other.ahead);
        const product = one.error * other.error;
        sums.count += 1;
        sums.nearer += nearer;
        sums.product += product;
        sums.nearerSquared += nearer ** 2;
        sums.nearerProduct += nearer * product;
      }
    }
  }
  if (sums.count === 0) return () => 0;
  const mean = sums.product / sums.count;
  const middle = sums.nearer / sums.count;
  const width = sums.nearerSquared / sums.count - middle ** 2;
  const slope = width > 0
    ? Math.max((sums.nearerProduct / sums.count - middle * mean) / width, 0)
    : 0;
  return (nearer) => Math.max(mean + slope * (nearer - middle), 0);
}

/** The mean correlation of two of the first days, for each number of days. */
function correlationsOfDays(
  covariance: (nearer: number) => number,
  growth: (ahead: number) => number,
): number[] {
  let shared = 0;
  let most = 0;
  let spreads = 0;
  return Array.from({ length: MOST_DAYS }, (_, index) => {
    const ahead = index + 1;
    for (let nearer = 1; nearer < ahead; nearer++) shared += covariance(nearer);
    most += spreads * growth(ahead);
    spreads += growth(ahead);
    return most > 0 ? Math.min(shared / most, 1) : 0;
  });
}
