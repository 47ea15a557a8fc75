import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { believed, withoutOutliers } from "../../../core/forecast/outliers.ts";
import { createRandom } from "../../../core/random.ts";

const EVEN = new Float64Array(7).fill(1);

function cleaned(values: number[], profile = EVEN, level = values[0] ?? 0): number[] {
  const days = Float32Array.from(values);
  return [...withoutOutliers(days, profile, level, new Float32Array(values.length + 5))];
}

/** Days around a mean. */
function noise(days: number, mean: number, spread: number, seed = 1): number[] {
  const random = createRandom(seed);
  return Array.from({ length: days }, () => Math.fround(random.normal(mean, spread)));
}

Deno.test("believed() cuts where a gamma distribution is three deviations off", () => {
  // R: qgamma(pnorm(c(-3, 3)), shape = 4, rate = 0.04), of mean 100 and variance 2500.
  assertAlmostEquals(believed(0, 100, 2500) / 11.63, 1, 0.1);
  assertAlmostEquals(believed(1e6, 100, 2500) / 317, 1, 0.02);
  assertEquals(believed(200, 100, 2500), 200);
  // One day in twelve brings something: there is no telling what is usual.
  assertEquals(believed(1e6, 1 / 12, 11 / 144), 1e6);
});

Deno.test("withoutOutliers() believes an outlier as far as three standard deviations", () => {
  for (const outlier of [1000, 0]) {
    const days = noise(60, 100, 5);
    const seen = cleaned(days.with(50, outlier), EVEN, 100);
    assertAlmostEquals(Math.abs((seen[50] ?? 0) - 100), 15, 6);
    // Days before it are not changed, and the one after is expected as if there had been none.
    assertEquals(seen.slice(0, 50), days.slice(0, 50));
    assertEquals(seen.slice(51), days.slice(51));
  }
});

Deno.test("withoutOutliers() expects each weekday as its profile says", () => {
  const profile = Float64Array.from([2, 1, 0.8, 0.8, 0.8, 0.8, 0.8]);
  const days = noise(70, 100, 2, 2)
    .map((value, day) => Math.fround(value * (profile[day % 7] ?? 1)));
  assertEquals(cleaned(days, profile, 100), days);
  // What is usual on the first weekday is not on the second.
  const [spoilt = 0] = cleaned(days.with(64, 200), profile, 100).slice(64);
  assert(spoilt < 120, `${spoilt}`);
});

Deno.test("withoutOutliers() is not deceived by a second outlier", () => {
  const days = noise(80, 100, 5).with(50, 1000).with(52, 1000).with(60, 1000);
  const seen = cleaned(days, EVEN, 100);
  for (const day of [50, 52, 60]) assert((seen[day] ?? NaN) < 150, `${day}: ${seen[day]}`);
});

Deno.test("withoutOutliers() believes a new level within a week", () => {
  const days = [...noise(60, 100, 5, 2), ...noise(14, 300, 15, 3)];
  const seen = cleaned(days, EVEN, 100);
  assert((seen[60] ?? 0) < 150);
  assertEquals(seen.slice(67), days.slice(67));
});

Deno.test("withoutOutliers() leaves rare events and unknown days alone", () => {
  const rare = Array.from({ length: 84 }, (_, day) => day % 20 === 19 ? 3 : 0);
  assertEquals(cleaned(rare), rare);
  const days = noise(40, 100, 5).with(20, NaN).with(30, NaN);
  assertEquals(cleaned(days, EVEN, 100), days);
});

Deno.test("withoutOutliers() hardly changes the mean of counts", () => {
  const random = createRandom(4);
  const keptOf = (days: number[]) =>
    cleaned(days).reduce((sum, value) => sum + value, 0) /
    days.reduce((sum, value) => sum + value, 0);
  for (const mean of [0.2, 1, 5]) {
    const days = Array.from({ length: 20_000 }, () => random.poisson(mean));
    assertAlmostEquals(keptOf(days), 1, 0.01, `${mean}`);
  }
  // Amounts with a heavy tail lose a little of it.
  const amounts = Array.from({ length: 20_000 }, () => Math.exp(random.normal(0, 1)));
  assertAlmostEquals(keptOf(amounts), 0.98, 0.015);
});
