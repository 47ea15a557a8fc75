import { assertAlmostEquals, assertEquals, assertThrows } from "@std/assert";
import type { DayForecast, Series } from "../../../core/forecast/series.ts";
import {
  intervalScore,
  largestGap,
  levelsOf,
  poolScores,
  rollingOrigins,
  scaleOf,
  scoreForecast,
  scoreOrigin,
  seriesAt,
} from "../../forecast_accuracy.ts";

const DAY: DayForecast = { mean: 5, low80: 3, high80: 7, low95: 1, high95: 9 };

function series(id: string, parentId: string | null, values: Series["values"] = []): Series {
  return { id, parentId, values };
}

Deno.test("rollingOrigins() ends with the last one whose days are all known", () => {
  assertEquals(rollingOrigins(100, 3, 10), [70, 80, 90]);
});

Deno.test("rollingOrigins() starts on several weekdays when the horizon is whole weeks", () => {
  assertEquals(rollingOrigins(100, 3, 14), [56, 71, 86]);
});

Deno.test("rollingOrigins() moves together when there is little history", () => {
  assertEquals(rollingOrigins(60, 4, 14), [28, 34, 40, 46]);
  assertEquals(rollingOrigins(30, 3, 14), [16]);
});

Deno.test("rollingOrigins() finds none when nothing could be scored", () => {
  assertEquals(rollingOrigins(27, 3, 14), []);
});

Deno.test("seriesAt() keeps what was known of what had begun, and what stands above it", () => {
  const all = [
    series("top", null, [null, null, 3]),
    series("a", "top", [1, null, 3]),
    series("b", "top", [null, null, 4]),
  ];
  assertEquals(seriesAt(all, 2), [
    series("top", null, [null, null]),
    series("a", "top", [1, null]),
  ]);
});

Deno.test("levelsOf() names levels by the depth", () => {
  const all = [series("a", "b"), series("b", "c"), series("c", null), series("ad:1", "c")];
  assertEquals(
    levelsOf(all),
    new Map([["a", "depth 2"], ["b", "depth 1"], ["c", "depth 0"], ["ad:1", "depth 1"]]),
  );
});

Deno.test("levelsOf() takes the names of levels when all ids say them", () => {
  const all = [series("account", null), series("campaign:7", "account"), series("ad_1", null)];
  assertEquals([...levelsOf(all).values()], ["account", "campaign", "ad"]);
});

Deno.test("scaleOf() averages what the value of the week before errs by", () => {
  const values = [0, 0, 0, 0, 0, 0, 0, 1, -3, 1, 3, 1, 3, 2, 99];
  assertEquals(scaleOf(values, 14), { absolute: 2, squared: 34 / 7 });
});

Deno.test("scaleOf() is null when there is nothing to scale by", () => {
  const week = [1, 2, 3, 4, 5, 6, 7];
  assertEquals(scaleOf([...week, ...week], 14), null);
  assertEquals(scaleOf([...week, 9, 9, 9, null, 9, 9, 9], 14), null);
});

Deno.test("scaleOf() forgets what lies more than a year before the origin", () => {
  const values = Array.from({ length: 400 }, (_, day) => day < 35 ? day : 0);
  assertEquals(scaleOf(values, 400), null);
  assertEquals(scaleOf(values, 399)?.absolute, 34 / 358);
});

Deno.test("intervalScore() adds 2 / alpha of what lies outside to the width", () => {
  assertEquals(intervalScore(3, 7, 5, 0.2), 4);
  assertEquals(intervalScore(3, 7, 10, 0.2), 34);
  assertEquals(intervalScore(3, 7, 2, 0.05), 44);
});

Deno.test("scoreForecast() scores the days that are known", () => {
  const { rmsse, ...scores } = scoreForecast(
    [DAY, DAY, DAY],
    [6, null, 10],
    { absolute: 2, squared: 8 },
  );
  assertAlmostEquals(rmsse, Math.sqrt(13 / 8));
  assertEquals(scores, {
    mase: 1.5,
    // (4 + 4 + 10 * 3) / 2 / 2 and (8 + 8 + 40 * 1) / 2 / 2
    msis80: 9.5,
    msis95: 14,
    bias: -1.5,
    days: 2,
    covered80: 1,
    covered95: 1,
  });
});

Deno.test("scoreForecast() takes the ends of an interval for a part of it", () => {
  const { covered80, covered95 } = scoreForecast([DAY, DAY], [3, 9], { absolute: 1, squared: 1 });
  assertEquals([covered80, covered95], [1, 2]);
});

Deno.test("scoreOrigin() tells apart what has no scale and what has no actuals", () => {
  const rising = Array.from({ length: 14 }, (_, day) => day);
  const all = [
    series("scored", null, [...rising, 12]),
    series("constant", null, [...Array(14).fill(5), 5]),
    series("ended", null, [...rising, null]),
  ];
  const scores = scoreOrigin(all, 14, new Map(all.map(({ id }) => [id, [DAY]])));
  assertEquals(scores.map(({ id, level, score }) => [id, level, score?.mase ?? null]), [
    ["scored", "depth 0", 1],
    ["constant", "depth 0", null],
  ]);
});

Deno.test("scoreOrigin() throws when a forecast is no number", () => {
  const forecasts = new Map([["a", [{ ...DAY, mean: NaN }]]]);
  assertThrows(
    () => scoreOrigin([series("a", null, [1, 2])], 1, forecasts),
    Error,
    'The forecast of "a"',
  );
});

Deno.test("poolScores() weighs forecasts alike, and days alike for the coverage", () => {
  const score = {
    mase: 1,
    rmsse: 1,
    msis80: 4,
    msis95: 6,
    bias: 0,
    days: 14,
    covered80: 14,
    covered95: 14,
  };
  const pooled = poolScores([
    { id: "a", level: "ad", score },
    {
      id: "a",
      level: "ad",
      score: { ...score, mase: 2, bias: 1, days: 6, covered80: 1, covered95: 6 },
    },
    { id: "b", level: "ad", score: null },
  ]);
  assertEquals(pooled, {
    series: 1,
    forecasts: 2,
    leftOut: 1,
    mase: 1.5,
    rmsse: 1,
    msis80: 4,
    msis95: 6,
    bias: 0.5,
    coverage80: 0.75,
    coverage95: 1,
  });
});

Deno.test("largestGap() compares parents with the sums of their children", () => {
  const all = [series("top", null), series("a", "top"), series("b", "top")];
  const of = (mean: number) => [{ ...DAY, mean }, { ...DAY, mean: 2 * mean }];
  assertEquals(largestGap(all, new Map([["top", of(5)], ["a", of(2)], ["b", of(3)]])), 0);
  assertEquals(largestGap(all, new Map([["top", of(5)], ["a", of(2)], ["b", of(1)]])), 4);
});
