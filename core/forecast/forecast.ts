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
  type Ranges,
  rangesOf,
  type Shape,
} from "./intervals.ts";
import { beginOf, METHODS, type Outlook } from "./methods.ts";
import type { DayForecast, ForecastOptions, Forecasts } from "./series.ts";
import { aheadOf, levelsOf, type Node, reconcile, type TreeSeries } from "./tree.ts";
import { EVEN, type Profile, weekdayProfiles } from "./weekdays.ts";

/** Days of a series that no method is judged by, because it has seen too little by then. */
const WARM_DAYS = 21;
/** At most so many days of the past are looked back from. */
const JUDGED_DAYS = 84;
/** How far ahead methods are judged. */
const JUDGED_AHEAD = [1, 4, 7, 14];
/** How far ahead its own errors are looked at, for its ranges. */
const RANGED_AHEAD = [...JUDGED_AHEAD, 28];
/** Weights are the inverse of the mean absolute error to this power. */
const SHARPNESS = 10;
/** As many errors of its own as the errors of its level count. */
const POOLED_ERRORS = 60;
/** The shape of the errors of a level is known well enough from so many of them. */
const SHAPING_ERRORS = 200_000;

/** The forecasts of a tree of series, with what they were made of. */
export type TreeForecasts = Forecasts & {
  /** The means, and the roots of the mean squared errors, by day; null where there is no such series. */
  numbersOf(id: string): { means: Float64Array; spreads: Float64Array } | null;
  /** How errors are distributed at each depth of the tree, and those that it was learned from. */
  levels: Pick<Ranges, "shape" | "errors">[];
};

/** Forecasts all series. */
export function forecastAll(
  all: readonly TreeSeries[],
  { horizon }: ForecastOptions,
): TreeForecasts {
  const levels = levelsOf(all);
  const profiles = weekdayProfiles(levels);
  const means = aheadOf(levels, horizon);
  const variances = aheadOf(levels, horizon);
  const ranges = levels.map((nodes) => {
    const stride = Math.ceil(nodes.length * RANGED_AHEAD.length * JUDGED_DAYS / SHAPING_ERRORS);
    const past = new Map<number, PastErrors>();
    const sums: ErrorSums[] = [];
    combineLevel(nodes, profiles).forEach((combinationOf, place) => {
      const node = nodes[place];
      if (!node) return;
      const combination = combinationOf();
      const { outlook } = combination;
      const { leverage } = profiles[node.index] ?? EVEN;
      const errors = pastErrors(node, combination, horizon);
      let level = 0;
      for (let ahead = 1; ahead <= horizon && !node.isStopped; ahead++) {
        const mean = Math.max(outlook(node.values.length - 1, ahead), 0);
        means.numbers[node.index * horizon + ahead - 1] = mean;
        level += mean / horizon;
      }
      sums.push({ ...sumsOf(errors), level, leverage });
      if (place % stride === 0) past.set(place, errors);
    });
    const ofLevel = rangesOf(sums, (place) => past.get(place) ?? null);
    eachDay(nodes, horizon, (node, place, at, ahead) => {
      const spread = node.isStopped ? 0 : ofLevel.spreadOf(place, means.numbers[at] ?? 0, ahead);
      variances.numbers[at] = spread ** 2;
    });
    return ofLevel;
  });
  reconcile(levels, means, variances);
  const spreads = variances.numbers;
  levels.forEach((nodes, depth) =>
    eachDay(nodes, horizon, (node, place, at, ahead) => {
      const mean = means.numbers[at] ?? 0;
      spreads[at] = node.isStopped ? 0 : ranges[depth]?.spreadOf(place, mean, ahead) ?? 0;
    })
  );
  const nodes = new Map(levels.flat().map((node) => [node.id, node]));
  const numbersOf = (id: string) => {
    const node = nodes.get(id);
    if (!node) return null;
    const part = [node.index * horizon, (node.index + 1) * horizon] as const;
    return { means: means.numbers.subarray(...part), spreads: spreads.subarray(...part) };
  };
  return {
    keys: () => nodes.keys(),
    get: (id) => {
      const numbers = numbersOf(id);
      const shape = ranges[nodes.get(id)?.depth ?? 0]?.shape;
      return numbers && shape ? daysOf(numbers, shape) : undefined;
    },
    numbersOf,
    levels: ranges,
  };
}

function daysOf(
  { means, spreads }: { means: Float64Array; spreads: Float64Array },
  shape: Shape,
): DayForecast[] {
  return Array.from(means, (mean, day) => around(mean, spreads[day] ?? 0, shape));
}

function eachDay(
  nodes: readonly Node[],
  horizon: number,
  tell: (node: Node, place: number, at: number, ahead: number) => void,
): void {
  nodes.forEach((node, place) => {
    for (let ahead = 1; ahead <= horizon; ahead++) {
      tell(node, place, node.index * horizon + ahead - 1, ahead);
    }
  });
}

/** A combination of the methods for one node. */
type Combination = {
  outlook: Outlook;
  /**
   * The same with weights that know nothing of the first or the second half of the judged days. Errors
   * on the days that chose the weights are smaller than those to come.
   */
  without: readonly [first: Outlook, second: Outlook];
};

/** The combinations for the nodes of a level, each made when it is asked for. */
function combineLevel(
  nodes: readonly Node[],
  profiles: readonly Profile[],
): (() => Combination)[] {
  const outlooksOf = ({ values, index }: Node) => {
    const { factors } = profiles[index] ?? EVEN;
    return METHODS.map((method) => method(values, factors));
  };
  const judged = nodes.map((node) => judge(node.values, outlooksOf(node)));
  // How far off each method is on this level, by the first one of each series.
  const pooled = METHODS.map((_, method) => {
    let sum = 0;
    let weight = 0;
    for (const halves of judged) {
      const { errors, count } = errorsOf(halves);
      const error = errors[method] ?? NaN;
      const base = errors[0] ?? NaN;
      if (!(error > 0 && base > 0)) continue;
      sum += count * Math.log(error / base);
      weight += count;
    }
    return weight > 0 ? sum / weight : NaN;
  });
  return judged.map((halves, place) => () => {
    const node = nodes[place];
    const outlooks = node ? outlooksOf(node) : [];
    const [first, second] = halves;
    const combined = (known: readonly Judged[]) => combine(outlooks, weightsOf(known, pooled));
    return { outlook: combined(halves), without: [combined([second]), combined([first])] };
  });
}

/** The weights of the methods, by how far off they were of a series, and on its level. */
function weightsOf(known: readonly Judged[], pooled: readonly number[]): number[] {
  const { errors, count } = errorsOf(known);
  const share = count / (count + POOLED_ERRORS);
  const base = errors[0] ?? NaN;
  const logs = pooled.map((ofLevel, method) => {
    const error = errors[method] ?? NaN;
    const own = error > 0 && base > 0 ? Math.log(error / base) : ofLevel;
    return Number.isNaN(ofLevel) ? own : share * own + (1 - share) * ofLevel;
  });
  // By the best one, because errors may differ by more than a number can hold.
  const least = Math.min(...logs.filter((log) => !Number.isNaN(log)));
  return logs.map((log) => Number.isNaN(log) ? 0 : Math.exp(SHARPNESS * (least - log)));
}

/** What methods say together, of those that can be asked. */
function combine(outlooks: readonly Outlook[], weights: readonly number[]): Outlook {
  return (day, ahead) => {
    let sum = 0;
    let total = 0;
    for (let method = 0; method < outlooks.length; method++) {
      const weight = weights[method] ?? 0;
      if (weight === 0) continue;
      const value = outlooks[method]?.(day, ahead) ?? NaN;
      if (Number.isNaN(value)) continue;
      sum += weight * value;
      total += weight;
    }
    return total > 0 ? sum / total : outlooks[0]?.(day, ahead) ?? 0;
  };
}

/** How far off each method was on some days: the sum of its absolute errors, and their number. */
type Judged = { sums: Float64Array; counts: Float64Array };

/** The mean absolute error of each method, and the number of days. */
function errorsOf(known: readonly Judged[]): { errors: number[]; count: number } {
  const total = (of: keyof Judged, method: number) =>
    known.reduce((sum, each) => sum + (each[of][method] ?? 0), 0);
  const counts = METHODS.map((_, method) => total("counts", method));
  const most = Math.max(...counts);
  return {
    // A method that could not be asked on half of the days is not compared.
    errors: counts.map((count, method) => count > most / 2 ? total("sums", method) / count : NaN),
    count: most / JUDGED_AHEAD.length,
  };
}

/** How far off the methods were, on the same days, in the first and in the second half of them. */
function judge(values: Float64Array, outlooks: Outlook[]): [Judged, Judged] {
  const empty = (): Judged => ({
    sums: new Float64Array(outlooks.length),
    counts: new Float64Array(outlooks.length),
  });
  const halves: [Judged, Judged] = [empty(), empty()];
  const days = judgedDays(values);
  for (let target = days.first; target < values.length; target++) {
    const value = values[target] ?? NaN;
    if (Number.isNaN(value)) continue;
    const { sums, counts } = halves[target < days.second ? 0 : 1];
    for (const ahead of JUDGED_AHEAD) {
      const day = target - ahead;
      if (day < days.warm) continue;
      for (let method = 0; method < outlooks.length; method++) {
        const expected = outlooks[method]?.(day, ahead) ?? NaN;
        if (Number.isNaN(expected)) continue;
        sums[method] = (sums[method] ?? 0) + Math.abs(value - expected);
        counts[method] = (counts[method] ?? 0) + 1;
      }
    }
  }
  return halves;
}

/** The days that are judged, from `first` on; the second half begins at `second`. */
function judgedDays(values: Float64Array): { warm: number; first: number; second: number } {
  const begin = beginOf(values);
  const first = Math.max(begin + WARM_DAYS, values.length - JUDGED_DAYS);
  // What is judged a week after it was said has been said after two weeks.
  return { warm: begin + WARM_DAYS - 7, first, second: (first + values.length) / 2 };
}

/** How far off the combination was before: what was expected and what came. */
function pastErrors({ values }: Node, { without }: Combination, horizon: number): PastErrors {
  const past: PastErrors = { expected: [], came: [], ahead: [], from: [] };
  const days = judgedDays(values);
  for (let target = days.first; target < values.length; target++) {
    const value = values[target] ?? NaN;
    if (Number.isNaN(value)) continue;
    const outlook = without[target < days.second ? 0 : 1];
    for (const ahead of RANGED_AHEAD) {
      const from = target - ahead;
      if (ahead > horizon || from < days.warm) continue;
      past.expected.push(Math.max(outlook(from, ahead), 0));
      past.came.push(value);
      past.ahead.push(ahead);
      past.from.push(from);
    }
  }
  return past;
}

function sumsOf({ expected, came }: PastErrors): Pick<ErrorSums, "squares" | "means" | "count"> {
  let squares = 0;
  let means = 0;
  expected.forEach((mean, index) => {
    squares += ((came[index] ?? 0) - mean) ** 2;
    means += mean;
  });
  return { squares, means, count: expected.length };
}
