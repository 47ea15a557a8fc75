/** What forecasts are compared with: methods that need a few lines each, with simple intervals. */
import { qnorm } from "lib-r-math.js";
import { linearRegression, linearRegressionLine, mean } from "simple-statistics";
import type { DayForecast, ForecastMethod } from "../core/forecast/series.ts";

type Values = readonly (number | null)[];

/** The means of the days from index `end` on, from what lies before it. */
type PointMethod = (values: Values, end: number, horizon: number) => number[];

const WEEK = 7;
const MEAN_WEEKS = 8;
const FITTED_DAYS = 14;

/** Of the longest EMA, days before these make up less than a millionth. */
const EMA_DAYS = 98;
const EMA_WEIGHTS = [
  { span: 3, weight: 0.5 },
  { span: 7, weight: 0.3 },
  { span: 14, weight: 0.2 },
];

/** What is left of the trend from one day to the next. */
const DAMPING = 0.9;

/** In-sample origins whose errors make the intervals. */
const PAST_ORIGINS = 56;

const Z80 = qnorm(0.9);
const Z95 = qnorm(0.975);

/** All of them, by their names. */
export const BASELINES: readonly (readonly [name: string, method: ForecastMethod])[] = [
  ["seasonal naive", withIntervals(forecastSeasonalNaive)],
  ["weekday mean", withIntervals(forecastWeekdayMean)],
  ["EMA blend", withIntervals(forecastEmaBlend)],
  ["linear fit", withIntervals(forecastLinearFit)],
];

/** The last known value of the same weekday, else the last known value. */
export function forecastSeasonalNaive(values: Values, end: number, horizon: number): number[] {
  return eachDay(horizon, (ahead) => {
    for (let day = sameWeekdayBefore(end, ahead); day >= 0; day -= WEEK) {
      const value = values[day] ?? null;
      if (value !== null) return value;
    }
    return lastKnown(values, end);
  });
}

/** The mean of the same weekday over eight weeks; of all their days where none of those is known. */
export function forecastWeekdayMean(values: Values, end: number, horizon: number): number[] {
  const overall = known(values, end - MEAN_WEEKS * WEEK, end);
  return eachDay(horizon, (ahead) => {
    const last = sameWeekdayBefore(end, ahead);
    const ofWeekday = Array.from({ length: MEAN_WEEKS }, (_, week) => values[last - week * WEEK])
      .filter((value) => value !== null && value !== undefined);
    if (ofWeekday.length > 0) return mean(ofWeekday);
    return overall.length > 0 ? mean(overall) : lastKnown(values, end);
  });
}

/**
 * The weighted sum of three EMAs with a damped trend; unknown days change nothing.
 *
 * The trend is the EMA of span 3 less that of span 14, by the days that lie between their mean ages,
 * which are `(span - 1) / 2`: 5.5. Each day ahead adds 0.9 times what the day before added, so 14
 * days ahead the forecast has moved by 6.9 days' worth of trend, and never by more than 9.
 */
export function forecastEmaBlend(values: Values, end: number, horizon: number): number[] {
  const recent = known(values, end - EMA_DAYS, end);
  const averages = EMA_WEIGHTS.map(({ span, weight }) => ({
    span,
    weight,
    value: recent.reduce(
      (average, value) => average + 2 / (span + 1) * (value - average),
      recent[0] ?? lastKnown(values, end),
    ),
  }));
  const level = averages.reduce((sum, { weight, value }) => sum + weight * value, 0);
  const [fast, slow] = [averages.at(0), averages.at(-1)];
  const trend = fast && slow ? (fast.value - slow.value) / ((slow.span - fast.span) / 2) : 0;
  return eachDay(
    horizon,
    (ahead) => level + trend * DAMPING * (1 - DAMPING ** ahead) / (1 - DAMPING),
  );
}

/** The straight line through the known ones of the last 14 days, clipped at 0. */
export function forecastLinearFit(values: Values, end: number, horizon: number): number[] {
  const points = Array.from({ length: FITTED_DAYS }, (_, index) => end - FITTED_DAYS + index)
    .flatMap((day) => {
      const value = values[day] ?? null;
      return value === null ? [] : [[day - end, value]];
    });
  if (points.length === 0) return eachDay(horizon, () => lastKnown(values, end));
  const line = linearRegressionLine(linearRegression(points));
  return eachDay(horizon, (ahead) => Math.max(0, line(ahead - 1)));
}

/**
 * A method with normal intervals around its means: their deviation, so many days ahead, is the root
 * mean square of the errors it would have made that far ahead from the last 56 days. Where no value
 * was ever negative, nothing is forecast to be.
 */
export function withIntervals(forecastPoints: PointMethod): ForecastMethod {
  return (all, { horizon }) =>
    new Map(all.map(({ id, values }) => {
      const floor = values.some((value) => value !== null && value < 0) ? -Infinity : 0;
      const means = forecastPoints(values, values.length, horizon);
      const deviations = pastDeviations(forecastPoints, values, horizon);
      return [id, means.map((mean, index) => toForecast(mean, deviations[index] ?? 0, floor))];
    }));
}

function toForecast(mean: number, deviation: number, floor: number): DayForecast {
  const at = (value: number) => Math.max(floor, value);
  return {
    mean: at(mean),
    low80: at(mean - Z80 * deviation),
    high80: at(mean + Z80 * deviation),
    low95: at(mean - Z95 * deviation),
    high95: at(mean + Z95 * deviation),
  };
}

/** By days ahead; where none that far ahead is known, that of all errors, else 0. */
function pastDeviations(forecastPoints: PointMethod, values: Values, horizon: number): number[] {
  const squares = eachDay(horizon, (): number[] => []);
  const first = values.findIndex((value) => value !== null);
  if (first < 0) return eachDay(horizon, () => 0);
  for (let end = Math.max(first + 1, values.length - PAST_ORIGINS); end < values.length; end++) {
    forecastPoints(values, end, Math.min(horizon, values.length - end)).forEach((mean, index) => {
      const actual = values[end + index] ?? null;
      if (actual !== null) squares[index]?.push((mean - actual) ** 2);
    });
  }
  const all = squares.flat();
  return squares.map((ofDay) => {
    const known = ofDay.length > 0 ? ofDay : all;
    return known.length > 0 ? Math.sqrt(mean(known)) : 0;
  });
}

function eachDay<T>(horizon: number, make: (ahead: number) => T): T[] {
  return Array.from({ length: horizon }, (_, index) => make(index + 1));
}

/** The last day before `end` with the weekday that lies so many days ahead. */
function sameWeekdayBefore(end: number, ahead: number): number {
  return end - WEEK + (ahead - 1) % WEEK;
}

function known(values: Values, from: number, to: number): number[] {
  return values.slice(Math.max(0, from), to).filter((value) => value !== null);
}

/** 0 where nothing was ever known. */
function lastKnown(values: Values, end: number): number {
  for (let day = end - 1; day >= 0; day--) {
    const value = values[day] ?? null;
    if (value !== null) return value;
  }
  return 0;
}
