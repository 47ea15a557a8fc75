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

/** What a series alone tells about a weekday. */
type Told = { factor: number; variance: number; weeks: number };

/** No profile at all. */
export const EVEN: Profile = { factors: new Float64Array(7).fill(1), leverage: 0 };

/**
 * The profile of every series. The top starts from no profile at all, a child from that of its parent;
 * how far it goes its own way depends on how much children of its level really differ, and on how
 * much it tells itself (empirical Bayes, by moments).
 *
 * @param levels The nodes by level, the top first.
 */
export function weekdayProfiles(levels: readonly (readonly Node[])[]): Map<Node, Profile> {
  const profiles = new Map<Node, Profile>();
  for (const nodes of levels) {
    const told = nodes.map((node) => ({
      node,
      parent: (node.parent && profiles.get(node.parent)?.factors) ?? EVEN.factors,
      days: tellWeekdays(node.values),
    }));
    let excess = 0;
    let weight = 0;
    for (const { parent, days } of told) {
      days.forEach((day, weekday) => {
        if (day === null) return;
        const own = 1 / (day.variance + 0.05) ** 2;
        excess += own * ((day.factor - (parent[weekday] ?? 1)) ** 2 - day.variance);
        weight += own;
      });
    }
    const spread = weight > 0 ? Math.max(excess / weight, 0) : 0;
    for (const { node, parent, days } of told) {
      let leverage = 0;
      const mixed = parent.map((usual, weekday) => {
        const day = days[weekday];
        if (!day) return usual;
        const share = spread / (spread + day.variance);
        leverage += share / day.weeks / 7;
        return usual + share * (day.factor - usual);
      });
      const mean = mixed.reduce((sum, factor) => sum + factor, 0) / 7;
      profiles.set(node, { factors: mixed.map((factor) => factor / mean), leverage });
    }
  }
  return profiles;
}

/** The share of each weekday in the level around it, null where there is none. */
function tellWeekdays(values: Float64Array): (Told | null)[] {
  const days: { value: number; level: number }[][] = Array.from({ length: 7 }, () => []);
  for (let day = Math.max(values.length - LEARNED_DAYS, 3); day < values.length - 3; day++) {
    const value = values[day] ?? NaN;
    const level = levelAround(values, day);
    if (!Number.isNaN(value) && level > 0) days[day % 7]?.push({ value, level });
  }
  const sumOf = (told: typeof days[number], value: (each: typeof told[number]) => number) =>
    told.reduce((sum, each) => sum + value(each), 0);
  const factors = days.map((told) =>
    sumOf(told, ({ value }) => value) / sumOf(told, ({ level }) => level)
  );
  // How far days lie from their factor, by their level. Over all weekdays: the few days of one may all
  // have been 0 by chance.
  let squares = 0;
  let levels = 0;
  let spent = 0;
  days.forEach((told, weekday) => {
    if (told.length === 0) return;
    const factor = factors[weekday] ?? 0;
    squares += sumOf(told, ({ value, level }) => (value - factor * level) ** 2);
    levels += sumOf(told, ({ level }) => level);
    spent += 1 / told.length / 7;
  });
  const dispersion = squares / levels / Math.max(1 - spent, 0.1);
  return days.map((told, weekday) => {
    const level = sumOf(told, (each) => each.level);
    if (level === 0) return null;
    const variance = Math.max(dispersion / level, LEAST_VARIANCE / told.length);
    return { factor: factors[weekday] ?? 1, variance, weeks: told.length };
  });
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
