/** Days that tell of themselves alone: a holiday, an hour of luck, a broken pixel. */

/** Further than so many standard deviations from what was expected, a day tells no more of others. */
export const OUTLYING = 3;

/** Where something comes on fewer days than that, each of them would lie further off. */
const LEAST_SHARE = 1 / (1 + OUTLYING ** 2);

/** How fast the level follows that days are expected from: like the middle one of the methods. */
const LEVEL_PACE = 0.2;
/** How fast the spread follows: it remembers about three weeks. */
const SPREAD_PACE = 0.05;
/** Days that have to be known before a spread is. */
const LEAST_DAYS = 14;

/**
 * The days of a series as what comes after them is learned from: each no further from what the days
 * before it let expect than three times their spread (Gelper, Fried and Croux 2010). A new level is
 * believed all the same, because the spread grows with the errors.
 *
 * @param level Of the first days.
 * @param into Where the days are written to.
 */
export function withoutOutliers(
  values: Float32Array,
  profile: Float64Array,
  level: number,
  into: Float32Array,
): Float32Array {
  const cleaned = into.subarray(0, values.length);
  cleaned.set(values);
  if (shareOfDays(values) < LEAST_SHARE) return cleaned;
  let square = 0;
  let weight = 0;
  let known = 0;
  for (let day = 0; day < values.length; day++) {
    const value = values[day] ?? NaN;
    if (Number.isNaN(value)) continue;
    const factor = profile[day % 7] ?? 1;
    const expected = level * factor;
    const error = value - expected;
    const most = known < LEAST_DAYS ? Infinity : OUTLYING * Math.sqrt(square / weight);
    const believed = Math.min(Math.max(error, -most), most);
    cleaned[day] = expected + believed;
    level += LEVEL_PACE * believed / Math.max(factor, 0.5);
    square += SPREAD_PACE * (error ** 2 - square);
    weight += SPREAD_PACE * (1 - weight);
    known += 1;
  }
  return cleaned;
}

/** On how many of its known days something came. */
function shareOfDays(values: Float32Array): number {
  let known = 0;
  let positive = 0;
  for (const value of values) {
    if (value >= 0) known += 1;
    if (value > 0) positive += 1;
  }
  return positive / known;
}
