/** How good forecasts are: scores by level at rolling origins. */
import { mean, sum } from "simple-statistics";
import type { DayForecast, Forecasts, Series } from "../core/forecast/series.ts";

/** Series that are forecast together: all of the same length, from the same first day on. */
export type SeriesSet = {
  firstDay: string;
  series: readonly Series[];
};

/** How a forecast of one series at one origin turned out. */
export type ForecastScore = {
  mase: number;
  rmsse: number;
  /** Mean scaled interval scores. */
  msis80: number;
  msis95: number;
  /** Mean of forecast less actual, scaled like the MASE: above 0 is too high. */
  bias: number;
  /** Days whose actual is known, and how many of them the intervals hold. */
  days: number;
  covered80: number;
  covered95: number;
};

/** The score of a series at an origin; null where it has no scale. */
export type SeriesScore = { id: string; level: string; score: ForecastScore | null };

/** Scores of many forecasts. */
export type ForecastAccuracy = {
  series: number;
  /** Pairs of series and origin. */
  forecasts: number;
  /** More of them, with nothing to scale by. */
  leftOut: number;
  mase: number;
  rmsse: number;
  msis80: number;
  msis95: number;
  bias: number;
  /** Shares of all days that are held. */
  coverage80: number;
  coverage95: number;
};

/** What is asked of the mean MASE, as a part of that of the seasonal naive forecast, and more. */
export const ASKED_OF_FORECASTS = {
  toSeasonalNaive: 0.82,
  /** A level with fewer series is not compared with the best other method. */
  leastSeries: 20,
  coverage80: { low: 0.76, high: 0.84 },
  coverage95: { low: 0.93, high: 0.97 },
} as const;

const WEEK = 7;
const YEAR = 365;

/** A scale from fewer pairs of days says nothing. */
const LEAST_PAIRS = 7;

/** Days before the first origin, where there are that many. */
const LEAST_HISTORY = 28;

/**
 * The indices of the first days that are forecast, the earliest first: the last ones whose days do
 * not overlap, or evenly spaced ones where those would leave less than 28 days before the first.
 * There are none where nothing could be scored, with less than 14 days before the last.
 */
export function rollingOrigins(days: number, count: number, horizon: number): number[] {
  const last = days - horizon;
  if (last < WEEK + LEAST_PAIRS) return [];
  const earliest = Math.min(LEAST_HISTORY, last);
  // Whole weeks apart, all would start on one weekday, which flatters or wrongs what ignores weekdays.
  const apart = horizon % WEEK === 0 ? horizon + 1 : horizon;
  const step = count < 2 ? 0 : Math.min(apart, (last - earliest) / (count - 1));
  const origins = Array.from(
    { length: count },
    (_, index) => Math.round(last - step * (count - 1 - index)),
  );
  return [...new Set(origins)];
}

/**
 * What was known at an origin. Series of which nothing was, nor of anything below them, did not
 * exist yet.
 */
export function seriesAt(all: readonly Series[], origin: number): Series[] {
  const parents = new Map(all.map(({ id, parentId }) => [id, parentId]));
  const begun = new Set<string>();
  for (const { id, values } of all) {
    if (!values.slice(0, origin).some((value) => value !== null)) continue;
    for (
      let at: string | null = id;
      at !== null && parents.has(at) && !begun.has(at);
      at = parents.get(at) ?? null
    ) begun.add(at);
  }
  return all.filter(({ id }) => begun.has(id))
    .map(({ id, parentId, values }) => ({ id, parentId, values: values.slice(0, origin) }));
}

const LEVEL_NAMED = /^(account|campaign|adset|ad)(?![\p{L}\p{N}])/u;

/**
 * The levels by the ids of series: as all ids say that begin with one, such as `campaign:7`, else by
 * the depth, from `depth 0` at the top.
 */
export function levelsOf(all: readonly Series[]): Map<string, string> {
  const names = all.map(({ id }) => [id, LEVEL_NAMED.exec(id)?.[1] ?? ""] as const);
  if (names.every(([, name]) => name !== "")) return new Map(names);
  const parents = new Map(all.map(({ id, parentId }) => [id, parentId]));
  const depthOf = (id: string): number => {
    const parent = parents.get(id) ?? null;
    return parent === null ? 0 : 1 + depthOf(parent);
  };
  return new Map(all.map(({ id }) => [id, `depth ${depthOf(id)}`]));
}

/** What errors are divided by: those that the value of the week before makes, in-sample. */
export type Scale = { absolute: number; squared: number };

/**
 * The seasonal naive errors of the year before the origin. Null where they are all 0, or where fewer
 * than seven pairs of days are known: such a series cannot be scored.
 */
export function scaleOf(values: Series["values"], origin: number): Scale | null {
  const errors: number[] = [];
  for (let day = Math.max(WEEK, origin - YEAR + WEEK); day < origin; day++) {
    const [before = null, value = null] = [values[day - WEEK], values[day]];
    if (before !== null && value !== null) errors.push(value - before);
  }
  if (errors.length < LEAST_PAIRS || errors.every((error) => error === 0)) return null;
  return { absolute: mean(errors.map(Math.abs)), squared: mean(errors.map((error) => error ** 2)) };
}

/** Scores the days whose actual is known; of these there has to be one. */
export function scoreForecast(
  forecast: readonly DayForecast[],
  actuals: Series["values"],
  scale: Scale,
): ForecastScore {
  const days = forecast.flatMap((day, index) => {
    const actual = actuals[index] ?? null;
    return actual === null ? [] : [{ ...day, actual, error: day.mean - actual }];
  });
  const scores80 = days.map(({ low80, high80, actual }) =>
    intervalScore(low80, high80, actual, 0.2)
  );
  const scores95 = days.map(({ low95, high95, actual }) =>
    intervalScore(low95, high95, actual, 0.05)
  );
  return {
    mase: mean(days.map(({ error }) => Math.abs(error))) / scale.absolute,
    rmsse: Math.sqrt(mean(days.map(({ error }) => error ** 2)) / scale.squared),
    msis80: mean(scores80) / scale.absolute,
    msis95: mean(scores95) / scale.absolute,
    bias: mean(days.map(({ error }) => error)) / scale.absolute,
    days: days.length,
    covered80: days.filter(({ low80, high80, actual }) => low80 <= actual && actual <= high80)
      .length,
    covered95: days.filter(({ low95, high95, actual }) => low95 <= actual && actual <= high95)
      .length,
  };
}

/** The width of an interval, and 2 / alpha of what lies outside (Gneiting and Raftery, 2007). */
export function intervalScore(low: number, high: number, actual: number, alpha: number): number {
  return high - low + 2 / alpha * (Math.max(0, low - actual) + Math.max(0, actual - high));
}

/** Scores the forecasts of all series at one origin; those without any known actual have no score. */
export function scoreOrigin(
  all: readonly Series[],
  origin: number,
  forecasts: Forecasts,
  levels: ReadonlyMap<string, string> = levelsOf(all),
): SeriesScore[] {
  const byId = new Map(all.map((series) => [series.id, series]));
  return [...forecasts.keys()].flatMap((id) => {
    const forecast = forecasts.get(id) ?? [];
    const { values } = byId.get(id) ?? { values: [] };
    if (!forecast.every((day) => Object.values(day).every(Number.isFinite))) {
      throw new Error(`The forecast of "${id}" from day ${origin} on is no finite number`);
    }
    const actuals = values.slice(origin, origin + forecast.length);
    if (actuals.every((actual) => actual === null)) return [];
    const scale = scaleOf(values, origin);
    const score = scale && scoreForecast(forecast, actuals, scale);
    return [{ id, level: levels.get(id) ?? "", score }];
  });
}

/** Pools scores: each series at each origin counts the same, each day for the coverage. */
export function poolScores(scores: readonly SeriesScore[]): ForecastAccuracy {
  const scored = scores.flatMap(({ id, score }) => score ? [{ id, ...score }] : []);
  const meanOf = (name: keyof ForecastScore) =>
    scored.length === 0 ? NaN : mean(scored.map((score) => score[name]));
  const days = sum(scored.map((score) => score.days));
  return {
    series: new Set(scored.map(({ id }) => id)).size,
    forecasts: scored.length,
    leftOut: scores.length - scored.length,
    mase: meanOf("mase"),
    rmsse: meanOf("rmsse"),
    msis80: meanOf("msis80"),
    msis95: meanOf("msis95"),
    bias: meanOf("bias"),
    coverage80: sum(scored.map(({ covered80 }) => covered80)) / days,
    coverage95: sum(scored.map(({ covered95 }) => covered95)) / days,
  };
}

/** By how much the means of a parent and the sum of its children differ at most. */
export function largestGap(
  all: readonly Series[],
  forecasts: Forecasts,
): number {
  const sums = new Map<string, number[]>();
  for (const { id, parentId } of all) {
    const forecast = forecasts.get(id);
    if (parentId === null || forecast === undefined) continue;
    const before = sums.get(parentId);
    sums.set(parentId, forecast.map(({ mean }, index) => mean + (before?.[index] ?? 0)));
  }
  let gap = 0;
  for (const [parentId, means] of sums) {
    forecasts.get(parentId)?.forEach(({ mean }, index) => {
      gap = Math.max(gap, Math.abs(mean - (means[index] ?? 0)));
    });
  }
  return gap;
}
