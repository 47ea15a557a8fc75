/** The small methods that are combined. Each looks back from any day of a series, and ahead of it. */
import { withoutOutliers } from "./outliers.ts";

/** What a method expects so many days after a day, knowing nothing that came later. */
export type Outlook = (day: number, ahead: number) => number;

/** The numbers that methods note for each day of a series. */
export type Notes = Float64Array;

/**
 * A method, set up for one series and its weekday profile. What it tells holds until its notes are used
 * for another series: there are too many of them for each to have its own.
 */
export type Method = {
  /** Whether it knows the weekday profile, and so a part of each day of the past. */
  usesProfile: boolean;
  lookFrom: (
    values: Float32Array,
    profile: Float64Array,
    notes: (place: number) => Notes,
  ) => Outlook;
};

/** How fast a level follows: from nearly a mean of all days to the last day alone. */
const PACES = [0.04, 0.1, 0.2, 0.4, 1];
/** The same where there is a trend: slowly growing, and moved in a few days. */
const TRENDING_PACES = [0.2, 0.7];
/** Over how many weeks a weekday is averaged. */
const WEEKS = [2, 4, 8];

/** All methods, in a fixed order. */
export const METHODS: readonly Method[] = [
  ...PACES.map((pace): Method => ({
    usesProfile: true,
    lookFrom: (values, profile, notes) => smoothed(values, profile, notes(0), pace),
  })),
  ...TRENDING_PACES.map((pace): Method => ({
    usesProfile: true,
    lookFrom: (values, profile, notes) => trending(values, profile, notes(0), notes(1), pace),
  })),
  ...WEEKS.map((weeks): Method => ({
    usesProfile: false,
    lookFrom: (values, _, notes) => sameWeekdays(values, notes(0), weeks),
  })),
  {
    usesProfile: true,
    lookFrom: (values, profile, notes) => lastYear(values, profile, notes(0), notes(1)),
  },
];

/** All methods set up for a series, and its days as they see them. */
export type Outlooks = { outlooks: Outlook[]; seen: Float32Array };

/**
 * Sets up all methods for one series after another of so many days. None of them sees outliers, but for
 * those of the first two weeks.
 */
export function methodsFor(
  days: number,
): (values: Float32Array, profile: Float64Array) => Outlooks {
  const all = METHODS.map(() => [new Float64Array(days + 1), new Float64Array(days + 1)]);
  const cleaned = new Float32Array(days);
  return (values, profile) => {
    const seen = withoutOutliers(values, profile, startLevel(values, profile), cleaned);
    const outlooks = METHODS.map((method, index) =>
      method.lookFrom(seen, profile, (place) => all[index]?.[place] ?? new Float64Array(days + 1))
    );
    return { outlooks, seen };
  };
}

/** Simple exponential smoothing of what is left without the weekdays. */
function smoothed(
  values: Float32Array,
  profile: Float64Array,
  levels: Notes,
  pace: number,
): Outlook {
  let level = startLevel(values, profile);
  for (let day = 0; day < values.length; day++) {
    const value = values[day] ?? NaN;
    const factor = profile[day % 7] ?? 1;
    // A quiet weekday tells less of the level than its factor would make of it.
    if (!Number.isNaN(value)) level += pace * (value - level * factor) / Math.max(factor, 0.5);
    levels[day] = level;
  }
  return (day, ahead) => (levels[day] ?? 0) * (profile[(day + ahead) % 7] ?? 1);
}

/** A trend follows slower than its level: by one day's error only so much of it. */
const TREND_OF_LEVEL = 0.25;
const DAMPING = 0.9;

const fadings: number[] = [];

/** How many days' trend is left of so many. Kept, because it is asked for millions of times. */
function fading(days: number): number {
  return fadings[days] ??= DAMPING * (1 - DAMPING ** days) / (1 - DAMPING);
}

/** The same with a trend that fades (Gardner and McKenzie 1985). */
function trending(
  values: Float32Array,
  profile: Float64Array,
  levels: Notes,
  trends: Notes,
  pace: number,
): Outlook {
  let level = startLevel(values, profile);
  let trend = 0;
  for (let day = 0; day < values.length; day++) {
    const value = values[day] ?? NaN;
    const factor = profile[day % 7] ?? 1;
    const expected = level + DAMPING * trend;
    const error = Number.isNaN(value) ? 0 : (value - expected * factor) / Math.max(factor, 0.5);
    level = expected + pace * error;
    trend = DAMPING * trend + TREND_OF_LEVEL * pace * error;
    levels[day] = level;
    trends[day] = trend;
  }
  return (day, ahead) => {
    const level = (levels[day] ?? 0) + fading(ahead) * (trends[day] ?? 0);
    return Math.max(level, 0) * (profile[(day + ahead) % 7] ?? 1);
  };
}

/** The mean of the same weekday over some weeks. */
function sameWeekdays(values: Float32Array, means: Notes, weeks: number): Outlook {
  for (let latest = 0; latest < values.length; latest++) {
    let sum = 0;
    let known = 0;
    for (let week = 0; week < weeks; week++) {
      const value = values[latest - 7 * week] ?? NaN;
      if (Number.isNaN(value)) continue;
      sum += value;
      known += 1;
    }
    means[latest] = known > 0 ? sum / known : NaN;
  }
  return (day, ahead) => means[day + ahead - 7 * Math.ceil(ahead / 7)] ?? NaN;
}

const YEAR = 364;
const MONTH = 28;

/** What happened at the same weekday a year before, at the level of now. */
function lastYear(
  values: Float32Array,
  profile: Float64Array,
  sums: Notes,
  factors: Notes,
): Outlook {
  if (values.length <= YEAR + MONTH) return () => NaN;
  // Sums of values and of weekday factors up to each day, of known days.
  sums[0] = factors[0] = 0;
  values.forEach((value, day) => {
    const isKnown = !Number.isNaN(value);
    sums[day + 1] = (sums[day] ?? 0) + (isKnown ? value : 0);
    factors[day + 1] = (factors[day] ?? 0) + (isKnown ? profile[day % 7] ?? 1 : 0);
  });
  const level = (from: number, to: number) => {
    const weight = (factors[to + 1] ?? NaN) - (factors[from] ?? NaN);
    return weight > 0 ? ((sums[to + 1] ?? NaN) - (sums[from] ?? NaN)) / weight : NaN;
  };
  return (day, ahead) => {
    const target = day + ahead - YEAR;
    const before = day - YEAR;
    if (before - MONTH < 0) return NaN;
    const growth = level(before - MONTH + 1, before) > 0
      ? level(target - 3, target + 3) / level(before - MONTH + 1, before)
      : NaN;
    return growth * level(day - MONTH + 1, day) * (profile[(day + ahead) % 7] ?? 1);
  };
}

/** The first known day, 0 if there is none. */
export function beginOf(values: Float32Array): number {
  return Math.max(values.findIndex((value) => !Number.isNaN(value)), 0);
}

/** From so many days a series has its first level. */
export const START_DAYS = 14;

/** The level of the first days from the first known one on. */
function startLevel(values: Float32Array, profile: Float64Array): number {
  let sum = 0;
  let weight = 0;
  const begin = beginOf(values);
  for (let day = begin; day < Math.min(values.length, begin + START_DAYS); day++) {
    const value = values[day] ?? NaN;
    if (Number.isNaN(value)) continue;
    sum += value;
    weight += profile[day % 7] ?? 1;
  }
  return weight > 0 ? sum / weight : 0;
}
