/** Weekday profiles: how many times its level a series has on each weekday, pooled over siblings. */
import type { Node } from "./tree.ts";

/** A weekday profile. */
export type Profile = {
  /** Seven factors around 1, the first for the weekday of the first day. */
  factors: Float64Array;
  /**
   * How much of a past value went into its own factor. Errors of the past are smaller by it than those
   * to come.
   */
  leverage: number;
};

/** Days that a profile is learned from: older ones may have been another season. */
const LEARNED_DAYS = 84;
/** A level needs so many known days of the seven around it. */
const LEAST_KNOWN = 4;
/** No day is known better than to 10 %, whatever few of them say. */
const LEAST_VARIANCE = 0.01;

/** What a series alone tells about its weekdays: seven each. Where it tells nothing, weeks are 0. */
type Told = { factors: Float64Array; variances: Float64Array; weeks: Float64Array };

/** No profile at all. */
export const EVEN: Profile = { factors: new Float64Array(7).fill(1), leverage: 0 };

/**
 * The profiles of the nodes of a tree, by their index. The top starts from no profile at all, a child
 * from that of its parent; how far it goes its own way depends on how much children of its level
 * really differ, and on how much it tells itself (empirical Bayes, by moments).
 *
 * @param levels The nodes by level, the top first.
 */
export function weekdayProfiles(levels: readonly (readonly Node[])[]): Profile[] {
  const profiles: Profile[] = [];
  for (const nodes of levels) {
    const parentOf = ({ parent }: Node) => (parent && profiles[parent.index] || EVEN).factors;
    const told = nodes.map(({ values }) => tellWeekdays(values));
    let excess = 0;
    let weight = 0;
    nodes.forEach((node, place) => {
      const parent = parentOf(node);
      const { factors, variances, weeks } = told[place] ?? NOTHING;
      for (let weekday = 0; weekday < 7; weekday++) {
        if (!weeks[weekday]) continue;
        const variance = variances[weekday] ?? 0;
        const own = 1 / (variance + 0.05) ** 2;
        excess += own * (((factors[weekday] ?? 1) - (parent[weekday] ?? 1)) ** 2 - variance);
        weight += own;
      }
    });
    const spread = weight > 0 ? Math.max(excess / weight, 0) : 0;
    nodes.forEach((node, place) => {
      const { factors, variances, weeks } = told[place] ?? NOTHING;
      let leverage = 0;
      const mixed = parentOf(node).map((usual, weekday) => {
        const count = weeks[weekday] ?? 0;
        if (count === 0) return usual;
        const share = spread / (spread + (variances[weekday] ?? 0));
        leverage += share / count / 7;
        return usual + share * ((factors[weekday] ?? 1) - usual);
      });
      const mean = mixed.reduce((sum, factor) => sum + factor, 0) / 7;
      profiles.push({ factors: mixed.map((factor) => factor / mean), leverage });
    });
  }
  return profiles;
}

const NOTHING: Told = {
  factors: new Float64Array(7),
  variances: new Float64Array(7),
  weeks: new Float64Array(7),
};

/** The share of each weekday in the level around it. */
function tellWeekdays(values: Float64Array): Told {
  const factors = new Float64Array(7);
  const levels = new Float64Array(7);
  const weeks = new Float64Array(7);
  // How far days lie from their factor, by their level: (value - factor x level) squared, as sums.
  const sums = { valueSquares: new Float64Array(7), products: new Float64Array(7) };
  const levelSquares = new Float64Array(7);
  for (let day = Math.max(values.length - LEARNED_DAYS, 3); day < values.length - 3; day++) {
    const value = values[day] ?? NaN;
    const level = levelAround(values, day);
    if (Number.isNaN(value) || !(level > 0)) continue;
    const weekday = day % 7;
    factors[weekday] = (factors[weekday] ?? 0) + value;
    levels[weekday] = (levels[weekday] ?? 0) + level;
    weeks[weekday] = (weeks[weekday] ?? 0) + 1;
    sums.valueSquares[weekday] = (sums.valueSquares[weekday] ?? 0) + value ** 2;
    sums.products[weekday] = (sums.products[weekday] ?? 0) + value * level;
    levelSquares[weekday] = (levelSquares[weekday] ?? 0) + level ** 2;
  }
  // Over all weekdays: the few days of one may all have been 0 by chance.
  let squares = 0;
  let all = 0;
  let spent = 0;
  for (let weekday = 0; weekday < 7; weekday++) {
    const count = weeks[weekday] ?? 0;
    if (count === 0) continue;
    const factor = (factors[weekday] ?? 0) / (levels[weekday] ?? 1);
    factors[weekday] = factor;
    squares += (sums.valueSquares[weekday] ?? 0) - 2 * factor * (sums.products[weekday] ?? 0) +
      factor ** 2 * (levelSquares[weekday] ?? 0);
    all += levels[weekday] ?? 0;
    spent += 1 / count / 7;
  }
  const dispersion = Math.max(squares, 0) / all / Math.max(1 - spent, 0.1);
  const variances = levels.map((level, weekday) =>
    Math.max(dispersion / level, LEAST_VARIANCE / (weeks[weekday] ?? 1))
  );
  return { factors, variances, weeks };
}

/** The mean of the seven days around a day, NaN where too few of them are known. */
function levelAround(values: Float64Array, day: number): number {
  let sum = 0;
  let known = 0;
  for (let near = day - 3; near <= day + 3; near++) {
    const value = values[near] ?? NaN;
    if (Number.isNaN(value)) continue;
    sum += value;
    known += 1;
  }
  return known >= LEAST_KNOWN ? sum / known : NaN;
}
