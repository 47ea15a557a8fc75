/**
 * Forecasts of many short daily series at once: small methods, combined for each series by how far off
 * they were before, made to add up over the tree, with ranges from the errors of the past.
 *
 * Of a series little more than its numbers is kept, so that there may be a hundred thousand of them.
 */
import {
  around,
  type ErrorSums,
  type PastErrors,
  rangesOf,
  type Shape,
  shapeOf,
} from "./intervals.ts";
import { combinationsOf, MOST_PAST_ERRORS } from "./combination.ts";
import type { DayForecast, ForecastOptions, Forecasts } from "./series.ts";
import { aheadOf, type Doubt, levelsOf, reconcile, type TreeSeries } from "./tree.ts";
import { weekdayProfiles } from "./weekdays.ts";

/** The shape of the errors of a level is known well enough from so many of them. */
const SHAPING_ERRORS = 100_000;

/**
 * The errors of a week are hardly more than one, and there are twelve weeks of them: of fewer series
 * not one lies beyond 2.5 %. So they take the shape of the next level below that has errors as well:
 * those are in units of their spread too.
 */
const SHAPING_SERIES = 4;

/** The forecasts of a tree of series, with what they were made of. */
export type TreeForecasts = Forecasts & {
  /** The means, and the roots of the mean squared errors, by day; null where there is no such series. */
  numbersOf(id: string): { means: Float64Array; spreads: Float64Array } | null;
  /** How errors are distributed at each depth of the tree, and those that it was learned from. */
  levels: { shape: Shape; errors: Float64Array }[];
};

/**
 * Forecasts all series.
 *
 * @param doubtOf Whose forecast gives way to whose where they do not add up; by their own errors,
 * unless other ways are compared with it.
 */
export function forecastAll(
  all: readonly TreeSeries[],
  { horizon }: ForecastOptions,
  doubtOf: Doubt = (_, variance) => variance,
): TreeForecasts {
  const levels = levelsOf(all);
  const profiles = weekdayProfiles(levels);
  const means = aheadOf(levels, horizon);
  const returns = new Float32Array(levels.reduce((sum, nodes) => sum + nodes.length, 0));
  const ranges = levels.map((nodes) => {
    const combine = combinationsOf(nodes, profiles);
    const stride = Math.ceil(nodes.length * MOST_PAST_ERRORS / SHAPING_ERRORS);
    const past = new Map<number, PastErrors>();
    const sums = nodes.map((node, place): ErrorSums => {
      const { outlook, returning, pastErrors } = combine(node);
      returns[node.index] = returning;
      let level = 0;
      for (let ahead = 1; ahead <= horizon && !node.isStopped; ahead++) {
        const mean = returning * Math.max(outlook(node.values.length - 1, ahead), 0);
        means.numbers[node.index * horizon + ahead - 1] = mean;
        level += mean / horizon;
      }
      const kept: PastErrors | null = place % stride === 0
        ? { expected: [], came: [], ahead: [], from: [] }
        : null;
      if (kept) past.set(place, kept);
      const sum = { squares: 0, means: 0, count: 0, level };
      pastErrors((expected, came, ahead, from) => {
        if (ahead > horizon) return;
        sum.squares += (came - expected) ** 2;
        sum.means += expected;
        sum.count += 1;
        kept?.expected.push(expected);
        kept?.came.push(came);
        kept?.ahead.push(ahead);
        kept?.from.push(from);
      });
      return sum;
    });
    return rangesOf(sums, (place) => past.get(place) ?? null);
  });
  // A function that outlives this one and knows the levels would keep the days of all nodes.
  const sizes = levels.map((nodes) => nodes.length);
  const shaped = ranges.map((ofLevel, depth) => {
    const below = (sizes[depth] ?? 0) < SHAPING_SERIES
      ? ranges.slice(depth + 1).find(({ errors }) => errors.length > 0)
      : undefined;
    const shape = shapeOf(below ? [ofLevel, below] : [ofLevel], ofLevel.dayCorrelations);
    return { errors: ofLevel.errors, shape };
  });
  const starts = levels.map((nodes) => nodes[0]?.index ?? 0);
  const isStopped = Uint8Array.from(levels.flat(), (node) => node.isStopped ? 1 : 0);
  // Of what was never seen itself, what adds up to it is all that is known.
  const unseen = new Map(
    levels.flat()
      .filter(({ children, values }) => children.length > 0 && values.every(Number.isNaN))
      .map(({ index, children }) => [index, children.map((child) => child.index)]),
  );
  // Computed whenever it is asked for: to keep it takes as much memory as the means.
  const spreadOf = (depth: number, index: number, mean: number, ahead: number): number => {
    if (isStopped[index]) return 0;
    const children = unseen.size > 0 ? unseen.get(index) : undefined;
    if (!children) {
      const spread = ranges[depth]?.spreadOf(index - (starts[depth] ?? 0), mean, ahead) ?? 0;
      return spreadWhere(returns[index] ?? 1, mean, spread);
    }
    return Math.hypot(
      ...children.map((child) =>
        spreadOf(depth + 1, child, means.numbers[child * horizon + ahead - 1] ?? 0, ahead)
      ),
    );
  };
  reconcile(
    levels,
    means,
    (node, mean, ahead) =>
      unseen.has(node.index)
        ? Infinity
        : doubtOf(node, spreadOf(node.depth, node.index, mean, ahead) ** 2),
  );
  // Not the nodes themselves: their days are needed no more.
  const places = new Map(levels.flatMap((nodes) => nodes.map(({ id, index }) => [id, index])));
  const depthOf = (index: number) => starts.findLastIndex((start) => start <= index);
  const numbersOf = (id: string) => {
    const index = places.get(id);
    if (index === undefined) return null;
    const depth = depthOf(index);
    const ofNode = means.numbers.subarray(index * horizon, (index + 1) * horizon);
    const spreads = ofNode.map((mean, day) => spreadOf(depth, index, mean, day + 1));
    return { means: ofNode, spreads };
  };
  return {
    keys: () => places.keys(),
    get: (id) => {
      const numbers = numbersOf(id);
      const shape = shaped[depthOf(places.get(id) ?? 0)]?.shape;
      return numbers && shape ? daysOf(numbers, shape) : undefined;
    },
    numbersOf,
    levels: shaped,
  };
}

/**
 * How far off a forecast is that holds with a probability only, and else nothing comes: of the mean of
 * both.
 */
function spreadWhere(probability: number, mean: number, spread: number): number {
  if (probability === 1) return spread;
  return Math.sqrt(probability * spread ** 2 + (1 / probability - 1) * mean ** 2);
}

function daysOf(
  { means, spreads }: { means: Float64Array; spreads: Float64Array },
  shape: Shape,
): DayForecast[] {
  return Array.from(means, (mean, day) => around(mean, spreads[day] ?? 0, shape));
}
