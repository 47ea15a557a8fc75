/** Weekday profiles: how many times its level a series has on each weekday, pooled over siblings. */
import { believed } from "./outliers.ts";
import type { Node } from "./tree.ts";

/** The weekday profiles of the nodes of a tree, by their index. */
export class Profiles {
  #factors: Float64Array;
  #leverages: Float64Array;

  constructor(nodes: number) {
    this.#factors = new Float64Array(7 * nodes).fill(1);
    this.#leverages = new Float64Array(nodes);
  }

  /** Seven factors around 1, the first for the weekday of the first day. */
  factorsOf(index: number): Float64Array {
    return this.#factors.subarray(7 * index, 7 * index + 7);
  }

  /**
   * How much of a past value went into its own factor. Errors of the past are smaller by it than those
   * to come.
   */
  leverageOf(index: number): number {
    return this.#leverages[index] ?? 0;
  }

  /** Learns one. Its factors are those that `factorsOf` has given, and were changed. */
  note(index: number, leverage: number): void {
    this.#leverages[index] = leverage;
  }
}

/** Days that a profile is learned from: older ones may have been another season. */
const LEARNED_DAYS = 84;
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

/** What series alone tell about their weekdays: seven of each. Where one tells nothing, weeks are 0. */
type Told = { factors: Float64Array; variances: Float64Array; weeks: Float64Array };

/** The days that one series tells something by. */
type Days = { weekdays: Uint8Array; values: Float64Array; levels: Float64Array };

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
  const days: Days = {
    weekdays: new Uint8Array(LEARNED_DAYS),
    values: new Float64Array(LEARNED_DAYS),
    levels: new Float64Array(LEARNED_DAYS),
  };
  for (const nodes of levels) {
    const parentOf = ({ parent }: Node) => parent ? profiles.factorsOf(parent.index) : EVEN;
    const told: Told = {
      factors: new Float64Array(7 * nodes.length),
      variances: new Float64Array(7 * nodes.length),
      weeks: new Float64Array(7 * nodes.length),
    };
    let excess = 0;
    let weight = 0;
    nodes.forEach((node, place) => {
      tellWeekdays(node.values, days, told, 7 * place);
      const parent = parentOf(node);
      for (let weekday = 0; weekday < 7; weekday++) {
        const at = 7 * place + weekday;
        if (!told.weeks[at]) continue;
        const variance = told.variances[at] ?? 0;
        const own = 1 / (variance + 0.05) ** 2;
        excess += own * (((told.factors[at] ?? 1) - (parent[weekday] ?? 1)) ** 2 - variance);
        weight += own;
      }
    });
    const spread = weight > 0 ? Math.max(excess / weight, 0) : 0;
    nodes.forEach((node, place) => {
      const parent = parentOf(node);
      const factors = profiles.factorsOf(node.index);
      let leverage = 0;
      let sum = 0;
      for (let weekday = 0; weekday < 7; weekday++) {
        const at = 7 * place + weekday;
        const usual = parent[weekday] ?? 1;
        const weeks = told.weeks[at] ?? 0;
        const share = weeks > 0 ? spread / (spread + (told.variances[at] ?? 0)) : 0;
        if (weeks > 0) leverage += share / weeks / 7;
        factors[weekday] = usual + share * ((told.factors[at] ?? 1) - usual);
        sum += factors[weekday] ?? 1;
      }
      for (let weekday = 0; weekday < 7; weekday++) {
        factors[weekday] = 7 * (factors[weekday] ?? 1) / sum;
      }
      profiles.note(node.index, leverage);
    });
  }
  return profiles;
}

/**
 * The share of each weekday in the level around it, from a place on.
 *
 * @param days Room for what is noted meanwhile.
 */
function tellWeekdays(values: Float32Array, days: Days, told: Told, place: number): void {
  const factors = told.factors.subarray(place, place + 7);
  const variances = told.variances.subarray(place, place + 7);
  const weeks = told.weeks.subarray(place, place + 7);
  const levels = new Float64Array(7);
  const levelSquares = new Float64Array(7);
  let known = 0;
  let positive = 0;
  for (let day = Math.max(values.length - LEARNED_DAYS, 3); day < values.length - 3; day++) {
    const value = values[day] ?? NaN;
    const level = levelAround(values, day);
    if (Number.isNaN(value) || !(level > 0)) continue;
    const weekday = day % 7;
    levels[weekday] = (levels[weekday] ?? 0) + level;
    levelSquares[weekday] = (levelSquares[weekday] ?? 0) + level ** 2;
    weeks[weekday] = (weeks[weekday] ?? 0) + 1;
    days.weekdays[known] = weekday;
    days.values[known] = value;
    days.levels[known] = level;
    known += 1;
    if (value > 0) positive += 1;
  }
  if (known < LEAST_DAYS.known || positive < LEAST_DAYS.positive) {
    weeks.fill(0);
    return;
  }
  // Over all weekdays: the few days of one may all have been 0 by chance.
  let all = 0;
  let spent = 0;
  for (let weekday = 0; weekday < 7; weekday++) {
    if (!weeks[weekday]) continue;
    all += levels[weekday] ?? 0;
    spent += 1 / (weeks[weekday] ?? 1) / 7;
  }
  let dispersion = Infinity;
  let isSettled = false;
  for (let round = 0; round < ROUNDS && !isSettled; round++) {
    isSettled = round > 0;
    // How far days lie from their factor, by their level: (value - factor x level) squared, as sums.
    const sums = new Float64Array(7);
    const products = new Float64Array(7);
    let squares = 0;
    for (let index = 0; index < known; index++) {
      const weekday = days.weekdays[index] ?? 0;
      const value = days.values[index] ?? 0;
      const level = days.levels[index] ?? 0;
      const seen = believed(value, (factors[weekday] ?? 1) * level, dispersion * level);
      if (seen !== value) isSettled = false;
      sums[weekday] = (sums[weekday] ?? 0) + seen;
      products[weekday] = (products[weekday] ?? 0) + seen * level;
      squares += seen ** 2;
    }
    for (let weekday = 0; weekday < 7; weekday++) {
      if (!weeks[weekday]) continue;
      const factor = (sums[weekday] ?? 0) / (levels[weekday] ?? 1);
      factors[weekday] = factor;
      squares += factor ** 2 * (levelSquares[weekday] ?? 0) - 2 * factor * (products[weekday] ?? 0);
    }
    dispersion = Math.max(squares, 0) / all / Math.max(1 - spent, 0.1);
  }
  for (let weekday = 0; weekday < 7; weekday++) {
    variances[weekday] = Math.max(
      dispersion / (levels[weekday] ?? 1),
      LEAST_VARIANCE / Math.max(weeks[weekday] ?? 0, 1),
    );
  }
}

/** The mean of the seven days around a day, NaN where too few of them are known. */
function levelAround(values: Float32Array, day: number): number {
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
