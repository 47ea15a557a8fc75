/** Days that tell of themselves alone: a holiday, an hour of luck, a broken pixel. */

/** Further off than so many standard deviations, a day tells no more of others. */
const OUTLYING = 3;

/** How fast the level follows that days are expected from: like the middle one of the methods. */
const LEVEL_PACE = 0.2;
/** How fast the spread follows: it remembers about three weeks. */
const SPREAD_PACE = 0.05;
/** What is left of a quiet weekday is not as quiet. */
const LEAST_FACTOR = 0.5;
/** No error counts as more than so many times the usual one: one outlier would hide the next. */
const MOST_ERROR = 2 * OUTLYING;
/** Days that have to be known before a spread is. */
const LEAST_DAYS = 14;

/**
 * As much of a day as others are learned from: no more and no less than what lies three standard
 * deviations from what was expected. As amounts and counts are skewed, as far as a gamma distribution
 * goes that rarely, by the cube root of Wilson and Hilferty (1931). Where something comes on a tenth of
 * the days or fewer, anything is usual. Nothing here is negative.
 */
export function believed(value: number, expected: number, variance: number): number {
  const off = value - expected;
  // Within that it is usual whatever the shape, and most days are.
  if (off * off <= (off > 0 ? OUTLYING ** 2 : 1) * variance) return value;
  const shape = expected ** 2 / variance;
  const middle = 1 - 1 / (9 * shape);
  if (!(middle > 0)) return value;
  const width = OUTLYING / (3 * Math.sqrt(shape));
  const low = expected * Math.max(middle - width, 0) ** 3;
  const high = expected * (middle + width) ** 3;
  return Math.min(Math.max(value, low), high);
}

/**
 * How many times those of a usual day the squared errors of a weekday are: its factor to the power of
 * 1.5, between 1 for counts and 2 for what moves as a whole.
 */
export function errorGrowth(factor: number): number {
  const usual = Math.max(factor, LEAST_FACTOR);
  return usual * Math.sqrt(usual);
}

/**
 * The days of a series as others are learned from them: each by what the days before it let expect
 * (after Gelper, Fried and Croux 2010), from the third week on. A new level is believed within days,
 * because the spread grows with the errors.
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
  let square = 0;
  let weight = 0;
  let known = 0;
  for (let day = 0; day < values.length; day++) {
    const value = values[day] ?? NaN;
    if (Number.isNaN(value)) continue;
    const factor = Math.max(profile[day % 7] ?? 1, 0.01);
    const expected = level * factor;
    const growth = errorGrowth(factor);
    const variance = growth * square / weight;
    const seen = known < LEAST_DAYS ? value : believed(value, expected, variance);
    cleaned[day] = seen;
    level += LEVEL_PACE * (seen - expected) / Math.max(factor, 0.5);
    const error = (value - expected) ** 2;
    const most = known < LEAST_DAYS || variance === 0 ? Infinity : MOST_ERROR ** 2 * variance;
    square += SPREAD_PACE * (Math.min(error, most) / growth - square);
    weight += SPREAD_PACE * (1 - weight);
    known += 1;
  }
  return cleaned;
}
