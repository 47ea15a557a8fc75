/** Weekday profiles: how many times its level a series has on each weekday, pooled over siblings. */
import { medianOfMean } from "../quantiles.ts";
import { believed, errorGrowth } from "./outliers.ts";
import type { Node } from "./tree.ts";

/** The weekday profiles of the nodes of a tree, by their index. */
export class Profiles {
  #factors: Float64Array;
  #leverages: Float64Array;

  constructor(nodes: number) {
    this.#factors = new Float64Array(7 * nodes).fill(1);
    this.#leverages = new Float64Array(7 * nodes);
  }

  /** Seven factors around 1, the first for the weekday of the first day. */
  factorsOf(index: number): Float64Array {
    return this.#factors.subarray(7 * index, 7 * index + 7);
  }

  /** How much of each day that is learned from is in the factor of its weekday: seven of them. */
  leveragesOf(index: number): Float64Array {
    return this.#leverages.subarray(7 * index, 7 * index + 7);
  }

  /** How much of a day of a series of some days is in what its profile says of it. */
  leverageOf(index: number, day: number, days: number): number {
    const isLearned = day >= firstLearned(days) && day < days - AROUND;
    return isLearned ? this.#leverages[7 * index + day % 7] ?? 0 : 0;
  }
}

/** Days that a profile is learned from: a year, which has all its seasons. */
const LEARNED_DAYS = 364;
/** No weekday has more of a week than all of it. */
const MOST_FACTOR = 7;
/** So many days on each side of a day make its level. */
const AROUND = 3;
/** A level needs so many known days of the seven around it. */
const LEAST_KNOWN = 4;
/**
 * Of fewer days a series tells nothing, nor of fewer days on which something came: how far they
 * scatter would hardly be known, and not at all if each weekday was there once.
 */
const LEAST_DAYS = { known: 21, positive: 14 };
/** So often outliers are looked for: with those that were found, the next ones show. */
const ROUNDS = 5;
/** No day is known better than to 10 %, whatever few of them say. */
const LEAST_VARIANCE = 0.01;
/** Where a weekday was known once, it says nothing of itself; no more is taken from a day than half. */
const MOST_LEVERAGE = 0.5;

/** What series alone tell about their weekdays: seven of each. Where one tells nothing, weeks are 0. */
type Told = {
  factors: Float64Array;
  /** What its days are shares of. */
  levels: Float64Array;
  weeks: Float64Array;
  /** How far its days lie from their factors: squared errors, one for each series. */
  squares: Float64Array;
};

const EVEN = new Float64Array(7).fill(1);

/**
 * The profiles of the nodes of a tree, by their index. The top starts from no profile at all, a child
 * from that of its parent; how far it goes its own way depends on how much children of its level
 * really differ, and on how much it tells itself (empirical Bayes, by moments).
 *
 * @param levels The nodes by level, the top first.
 */
export function weekdayProfiles(levels: readonly (readonly Node[])[]): Profiles {
  const profiles = new Profiles(levels.reduce((sum, nodes) => sum + nodes.length, 0));
  // One for all series: their garbage would take seconds.
  const room = new Float64Array(LEARNED_DAYS + 2 * AROUND);
  // How much there is of each node, to tell how much of its parent it is.
  const sizes = new Float64Array(levels.reduce((sum, nodes) => sum + nodes.length, 0));
  for (const nodes of levels) {
    const parentOf = ({ parent }: Node) => parent ? profiles.factorsOf(parent.index) : EVEN;
    const told: Told = {
      factors: new Float64Array(7 * nodes.length),
      levels: new Float64Array(7 * nodes.length),
      weeks: new Float64Array(7 * nodes.length),
      squares: new Float64Array(nodes.length),
    };
    let excess = 0;
    let weight = 0;
    nodes.forEach((node, place) => {
      tellWeekdays(node.values, room, told, place);
      for (let weekday = 0; weekday < 7; weekday++) {
        sizes[node.index] = (sizes[node.index] ?? 0) + (told.levels[7 * place + weekday] ?? 0);
      }
      const parent = parentOf(node);
      const varianceOf = variancesBy(parent, told, place);
      for (let weekday = 0; weekday < 7; weekday++) {
        const at = 7 * place + weekday;
        if (!told.weeks[at]) continue;
        const variance = varianceOf(weekday);
        const own = 1 / (variance + 0.05) ** 2;
        excess += own * (((told.factors[at] ?? 1) - (parent[weekday] ?? 1)) ** 2 - variance);
        weight += own;
      }
    });
    const spread = weight > 0 ? Math.max(excess / weight, 0) : 0;
    nodes.forEach((node, place) => {
      const parent = parentOf(node);
      const factors = profiles.factorsOf(node.index);
      const leverages = profiles.leveragesOf(node.index);
      const ofParent = node.parent && profiles.leveragesOf(node.parent.index);
      const partOfParent = node.parent ? partOf(sizes, node.index, node.parent.index) : 0;
      factors.set(parent);
      // How sure a weekday is depends on its factor, which is known after the first time.
      for (let time = 0; time < 2; time++) {
        const varianceOf = variancesBy(factors, told, place);
        let sum = 0;
        for (let weekday = 0; weekday < 7; weekday++) {
          const at = 7 * place + weekday;
          const usual = parent[weekday] ?? 1;
          const weeks = told.weeks[at] ?? 0;
          const share = weeks > 0 ? spread / (spread + varianceOf(weekday)) : 0;
          const own = weeks > 0 ? share / weeks : 0;
          // A day is a part of its parent's as well, and so of what is taken from there.
          const leverage = own + (1 - share) * partOfParent * (ofParent?.[weekday] ?? 0);
          leverages[weekday] = Math.min(leverage, MOST_LEVERAGE);
          factors[weekday] = usual + share * ((told.factors[at] ?? 1) - usual);
          sum += factors[weekday] ?? 1;
        }
        for (let weekday = 0; weekday < 7; weekday++) {
          factors[weekday] = 7 * (factors[weekday] ?? 1) / sum;
        }
      }
    });
  }
  return profiles;
}

/** How much of a parent a node is. */
function partOf(sizes: Float64Array, index: number, parent: number): number {
  const whole = sizes[parent] ?? 0;
  return whole > 0 ? Math.min((sizes[index] ?? 0) / whole, 1) : 0;
}

/** The first of so many days that a profile is learned from. */
function firstLearned(days: number): number {
  return Math.max(days - AROUND - LEARNED_DAYS, AROUND);
}

/** How far off what a series tells of a weekday is, in squares, if it has this profile. */
function variancesBy(
  profile: Float64Array,
  told: Told,
  place: number,
): (weekday: number) => number {
  let all = 0;
  for (let weekday = 0; weekday < 7; weekday++) {
    all += errorGrowth(profile[weekday] ?? 1) * (told.levels[7 * place + weekday] ?? 0);
  }
  // By all weekdays: the few days of one may all have been 0 by chance.
  const dispersion = (told.squares[place] ?? 0) / all;
  return (weekday) => {
    const at = 7 * place + weekday;
    return errorGrowth(profile[weekday] ?? 1) *
      Math.max(dispersion / (told.levels[at] ?? 1), LEAST_VARIANCE / (told.weeks[at] ?? 1));
  };
}

/**
 * The share of each weekday in the level around it. Outliers are neither a part of the one nor of the
 * other.
 *
 * @param room For the days that are learned from, and those around them.
 */
function tellWeekdays(values: Float32Array, room: Float64Array, told: Told, place: number): void {
  const factors = told.factors.subarray(7 * place, 7 * place + 7);
  const levels = told.levels.subarray(7 * place, 7 * place + 7);
  const weeks = told.weeks.subarray(7 * place, 7 * place + 7);
  const begin = firstLearned(values.length) - AROUND;
  const seen = room.subarray(0, values.length - begin);
  seen.set(values.subarray(begin));
  let known = 0;
  let positive = 0;
  for (let day = AROUND; day < seen.length - AROUND; day++) {
    const value = seen[day] ?? NaN;
    if (value >= 0) known += 1;
    if (value > 0) positive += 1;
  }
  if (known < LEAST_DAYS.known || positive < LEAST_DAYS.positive) return;
  // Where nothing comes on most days, their medians are 0.
  if (2 * positive > known) cutTowers(seen);
  // How far days lie from their factor, by their level: (value - factor x level) squared, as sums.
  const sums = new Float64Array(7);
  const squares = new Float64Array(7);
  const products = new Float64Array(7);
  const levelSquares = new Float64Array(7);
  let dispersion = Infinity;
  let isSettled = false;
  for (let round = 0; round < ROUNDS && !isSettled; round++) {
    isSettled = round > 0;
    for (const each of [sums, squares, products, levelSquares, levels, weeks]) each.fill(0);
    for (let day = AROUND; day < seen.length - AROUND; day++) {
      const value = values[begin + day] ?? NaN;
      const level = levelAround(seen, day);
      if (Number.isNaN(value) || !(level > 0)) continue;
      const weekday = (begin + day) % 7;
      const factor = factors[weekday] ?? 1;
      const own = believed(
        Math.min(value, MOST_FACTOR * level),
        factor * level,
        dispersion * errorGrowth(factor) * level,
      );
      if (own !== seen[day]) isSettled = false;
      seen[day] = own;
      sums[weekday] = (sums[weekday] ?? 0) + own;
      squares[weekday] = (squares[weekday] ?? 0) + own ** 2;
      products[weekday] = (products[weekday] ?? 0) + own * level;
      levels[weekday] = (levels[weekday] ?? 0) + level;
      levelSquares[weekday] = (levelSquares[weekday] ?? 0) + level ** 2;
      weeks[weekday] = (weeks[weekday] ?? 0) + 1;
    }
    let error = 0;
    let usual = 0;
    let spent = 0;
    const dispersions: number[] = [];
    for (let weekday = 0; weekday < 7; weekday++) {
      const days = weeks[weekday] ?? 0;
      if (days === 0) continue;
      const factor = (sums[weekday] ?? 0) / (levels[weekday] ?? 1);
      factors[weekday] = factor;
      const ofWeekday = (squares[weekday] ?? 0) + factor ** 2 * (levelSquares[weekday] ?? 0) -
        2 * factor * (products[weekday] ?? 0);
      const usualOfWeekday = errorGrowth(factor) * (levels[weekday] ?? 0);
      error += ofWeekday;
      usual += usualOfWeekday;
      spent += 1 / days / 7;
      if (days > 1) {
        dispersions.push(ofWeekday / usualOfWeekday * days / (days - 1) / medianOfMean(days - 1));
      }
    }
    told.squares[place] = Math.max(error, 0) / Math.max(1 - spent, 0.1);
    // At first the median of the weekdays, as most are without an outlier; after it, what is believed.
    dispersion = (round === 0 ? medianOf(dispersions) : 0) || (told.squares[place] ?? 0) / usual;
  }
}

/**
 * Cuts days that would be nearly all of the level of the seven days around them, at first by their
 * median: with such a day in it, a whole week looks like outliers.
 */
function cutTowers(days: Float64Array): void {
  let sum = 0;
  let most = 0;
  for (const value of days) {
    if (Number.isNaN(value)) continue;
    sum += value;
    most = Math.max(most, value);
  }
  // Of few series there is anything to cut, and medians take time.
  if (most * days.length <= MOST_FACTOR * sum) return;
  const before = days.slice();
  for (let day = 0; day < days.length; day++) {
    const near = before.subarray(Math.max(day - AROUND, 0), day + AROUND + 1);
    const usual = medianOf([...near].filter((value) => !Number.isNaN(value)));
    if (usual > 0 && (days[day] ?? 0) > MOST_FACTOR * usual) days[day] = usual;
  }
}

function medianOf(values: number[]): number {
  return values.sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? 0;
}

/** The mean of the seven days around a day, NaN where too few of them are known. */
function levelAround(values: Float64Array, day: number): number {
  let sum = 0;
  let known = 0;
  for (let near = day - AROUND; near <= day + AROUND; near++) {
    const value = values[near] ?? NaN;
    if (Number.isNaN(value)) continue;
    sum += value;
    known += 1;
  }
  return known >= LEAST_KNOWN ? sum / known : NaN;
}
