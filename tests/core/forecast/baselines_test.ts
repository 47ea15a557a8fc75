import { assertAlmostEquals, assertEquals } from "@std/assert";
import type { Series } from "../../../core/forecast/series.ts";
import {
  BASELINES,
  forecastEmaBlend,
  forecastLinearFit,
  forecastSeasonalNaive,
  forecastWeekdayMean,
  withIntervals,
} from "../../forecast_baselines.ts";

type Values = Series["values"];

const OPTIONS = { horizon: 2 };

function assertClose(actual: number[], expected: number[]): void {
  assertEquals(actual.length, expected.length);
  actual.forEach((value, index) => assertAlmostEquals(value, expected[index] ?? NaN, 1e-9));
}

function forecastOne(points: Parameters<typeof withIntervals>[0], values: Values) {
  return withIntervals(points)([{ id: "a", parentId: null, values }], OPTIONS).get("a");
}

Deno.test("forecastSeasonalNaive() repeats the last known value of each weekday", () => {
  const values = [1, 2, 3, 4, 5, 6, 7, null, 9, 10, 11, 12, 13, 14];
  assertEquals(forecastSeasonalNaive(values, 14, 8), [1, 9, 10, 11, 12, 13, 14, 1]);
});

Deno.test("forecastSeasonalNaive() takes the last value when a weekday was never known", () => {
  assertEquals(forecastSeasonalNaive([3, 5], 2, 7), [5, 5, 5, 5, 5, 3, 5]);
});

Deno.test("forecastWeekdayMean() averages the known ones of the last eight", () => {
  const weeks = (last: number | null): Values =>
    [0, 1, 2, 3, 4, 5, 6, 7, 8, last].flatMap((first) => [first, 5, 5, 5, 5, 5, 5]);
  assertEquals(forecastWeekdayMean(weeks(9), 70, 2), [5.5, 5]);
  assertEquals(forecastWeekdayMean(weeks(null), 70, 2), [5, 5]);
});

Deno.test("forecastWeekdayMean() averages all days when a weekday is unknown", () => {
  assertEquals(forecastWeekdayMean([null, 2, 4, null, null, null, null], 7, 3), [3, 2, 4]);
});

// Spans 3, 7 and 14 of [0, 8] end at 4, 2 and 16/15; the trend is (4 - 16/15) / 5.5 = 8/15 a day.
Deno.test("forecastEmaBlend() weighs three EMAs and damps their trend", () => {
  const expected = [2 + 0.6 + 16 / 75 + 0.9 * 8 / 15, 2 + 0.6 + 16 / 75 + 1.71 * 8 / 15];
  assertClose(forecastEmaBlend([0, 8], 2, 2), expected);
  assertClose(forecastEmaBlend([null, 0, null, 8, null], 5, 2), expected);
});

Deno.test("forecastEmaBlend() stays where nothing moves", () => {
  assertClose(forecastEmaBlend([4, 4, 4, 4], 4, 3), [4, 4, 4]);
});

Deno.test("forecastLinearFit() continues the line of the last 14 days", () => {
  const rising: Values = [500, 500, 1, 2, 3, null, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14];
  assertClose(forecastLinearFit(rising, 16, 3), [15, 16, 17]);
});

Deno.test("forecastLinearFit() is clipped at 0", () => {
  assertClose(forecastLinearFit([4, 3, 2], 3, 4), [1, 0, 0, 0]);
});

Deno.test("withIntervals() widens by the errors that the method made so many days ahead", () => {
  // Of 0, 1, 2, 3, 4 the last value is wrong by 1 a day later and by 2 two days later.
  const [one, two] = forecastOne(
    (values, end, horizon) => Array(horizon).fill(values[end - 1] ?? 0),
    [0, 1, 2, 3, 4],
  ) ?? [];
  assertClose(Object.values(one ?? {}), [
    4,
    4 - 1.2815515655446,
    4 + 1.2815515655446,
    4 - 1.9599639845401,
    4 + 1.9599639845401,
  ]);
  assertAlmostEquals(two?.high80 ?? NaN, 4 + 2 * 1.2815515655446, 1e-9);
});

Deno.test("withIntervals() stays at 0 or above where the series did", () => {
  const zeros = (_values: Values, _end: number, horizon: number) => Array(horizon).fill(0);
  assertEquals(forecastOne(zeros, [3, 3, 3])?.[0]?.low95, 0);
  assertAlmostEquals(forecastOne(zeros, [-3, -3, -3])?.[0]?.low80 ?? NaN, -3 * 1.2815515655446);
});

Deno.test("every baseline forecasts 0 when nothing was ever known", () => {
  const nothing = { mean: 0, low80: 0, high80: 0, low95: 0, high95: 0 };
  for (const [name, method] of BASELINES) {
    const forecasts = method([{ id: "a", parentId: null, values: [null, null] }], OPTIONS);
    assertEquals(forecasts.get("a"), [nothing, nothing], name);
  }
});
