/**
 * Forecasts of many short daily series at once: small methods, combined for each series by how far off
 * they were before, made to add up over the tree, with ranges from the errors of the past.
 */
import { METHODS, type Outlook } from "./methods.ts";
import { intervalsOf, type PastError } from "./intervals.ts";
import type { DayForecast, ForecastMethod } from "./series.ts";
import { type Guess, levelsOf, type Node, reconcile } from "./tree.ts";
import { EVEN, type Profile, weekdayProfiles } from "./weekdays.ts";

/** Days that no method is judged by, because it has seen too little by then. */
const WARM_DAYS = 21;
/** At most so many days of the past are looked back from. */
const JUDGED_DAYS = 84;
/** How far ahead methods are judged. */
const JUDGED_AHEAD = [1, 4, 7, 14];
/** Weights are the inverse of the mean absolute error to this power. */
const SHARPNESS = 10;
/** As many errors of its own as the errors of its level count. */
const POOLED_ERRORS = 60;

/** Forecasts all series. */
export const forecastAll: ForecastMethod = (all, { horizon }) => {
  const levels = levelsOf(all);
  const profiles = weekdayProfiles(levels);
  const combined = new Map<Node, Outlook>();
  const errors: PastError[][] = [];
  for (const nodes of levels) {
    const outlooks = combineLevel(nodes, profiles);
    nodes.forEach((node, index) => {
      const outlook = outlooks[index];
      if (outlook) combined.set(node, outlook);
    });
    errors.push(nodes.flatMap((node) => {
      const outlook = combined.get(node);
      const { leverage } = profiles.get(node) ?? EVEN;
      return outlook ? [{ ...pastErrors(node, outlook, horizon), leverage }] : [];
    }));
  }
  const ranges = intervalsOf(levels, errors);
  const result = new Map<string, DayForecast[]>(all.map(({ id }) => [id, []]));
  for (let ahead = 1; ahead <= horizon; ahead++) {
    const guesses = new Map<Node, Guess>();
    for (const nodes of levels) {
      for (const node of nodes) {
        const outlook = combined.get(node);
        const mean = Math.max(outlook?.(node.values.length - 1, ahead) ?? 0, 0);
        guesses.set(node, { mean, variance: ranges.varianceOf(node, mean, ahead) });
      }
    }
    reconcile(levels, guesses);
    for (const [node, { mean }] of guesses) {
      result.get(node.id)?.push({ mean, ...ranges.around(node, mean, ahead) });
    }
  }
  return result;
};

/** Combines the methods for each node of a level. */
function combineLevel(nodes: readonly Node[], profiles: Map<Node, Profile>): Outlook[] {
  const judged = nodes.map((node) => {
    const { factors } = profiles.get(node) ?? EVEN;
    const outlooks = METHODS.map((method) => method(node.values, factors));
    return { outlooks, ...judge(node.values, outlooks) };
  });
  // How far off each method is on this level, by the best one of each series.
  const pooled = METHODS.map((_, method) => {
    let sum = 0;
    let weight = 0;
    for (const { errors, count } of judged) {
      const error = errors[method] ?? NaN;
      const base = errors[0] ?? NaN;
      if (!(error > 0 && base > 0)) continue;
      sum += count * Math.log(error / base);
      weight += count;
    }
    return weight > 0 ? sum / weight : NaN;
  });
  return judged.map(({ outlooks, errors, count }) => {
    const share = count / (count + POOLED_ERRORS);
    const base = errors[0] ?? NaN;
    const logs = outlooks.map((_, method) => {
      const ofLevel = pooled[method] ?? NaN;
      const error = errors[method] ?? NaN;
      const own = error > 0 && base > 0 ? Math.log(error / base) : ofLevel;
      return Number.isNaN(ofLevel) ? own : share * own + (1 - share) * ofLevel;
    });
    // By the best one, because errors may differ by more than a number can hold.
    const least = Math.min(...logs.filter((log) => !Number.isNaN(log)));
    const weights = logs.map((log) => Number.isNaN(log) ? 0 : Math.exp(SHARPNESS * (least - log)));
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
  });
}

/** The mean absolute error of each method, on the same days. */
function judge(values: Float64Array, outlooks: Outlook[]): { errors: number[]; count: number } {
  const sums = new Float64Array(outlooks.length);
  const counts = new Float64Array(outlooks.length);
  const first = Math.max(WARM_DAYS, values.length - JUDGED_DAYS);
  for (let target = first; target < values.length; target++) {
    const value = values[target] ?? NaN;
    if (Number.isNaN(value)) continue;
    for (const ahead of JUDGED_AHEAD) {
      const day = target - ahead;
      if (day < WARM_DAYS - 7) continue;
      for (let method = 0; method < outlooks.length; method++) {
        const expected = outlooks[method]?.(day, ahead) ?? NaN;
        if (Number.isNaN(expected)) continue;
        sums[method] = (sums[method] ?? 0) + Math.abs(value - expected);
        counts[method] = (counts[method] ?? 0) + 1;
      }
    }
  }
  const most = Math.max(...counts);
  return {
    // A method that could not be asked on half of the days is not compared.
    errors: Array.from(
      sums,
      (sum, method) => (counts[method] ?? 0) > most / 2 ? sum / (counts[method] ?? 1) : NaN,
    ),
    count: most / JUDGED_AHEAD.length,
  };
}

/** How far the combination was off before: what was expected and what came. */
function pastErrors(
  node: Node,
  outlook: Outlook,
  horizon: number,
): Omit<PastError, "leverage"> {
  const expected: number[] = [];
  const came: number[] = [];
  const ahead: number[] = [];
  const { values } = node;
  const first = Math.max(WARM_DAYS, values.length - JUDGED_DAYS);
  for (let target = first; target < values.length; target++) {
    const value = values[target] ?? NaN;
    if (Number.isNaN(value)) continue;
    for (const steps of JUDGED_AHEAD) {
      if (steps > horizon || target - steps < WARM_DAYS - 7) continue;
      expected.push(Math.max(outlook(target - steps, steps), 0));
      came.push(value);
      ahead.push(steps);
    }
  }
  return { expected, came, ahead };
}
