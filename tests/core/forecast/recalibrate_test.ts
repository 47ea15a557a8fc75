import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { AS_BEFORE } from "../../../core/forecast/account.ts";
import { type HeldDay, recalibrate } from "../../../core/forecast/recalibrate.ts";
import { createRandom } from "../../../core/random.ts";

/** What ranges had to be for normal errors so many times as large as past errors say. */
function days(count: number, size: number, seed = 1, forecasts = 200): HeldDay[] {
  const random = createRandom(seed);
  return Array.from({ length: count }, () => {
    const errors = Array.from({ length: forecasts }, () => Math.abs(random.normal(0, size)))
      .sort((a, b) => a - b);
    const quantile = (p: number) => errors[Math.floor(p * forecasts)] ?? NaN;
    return { needed80: quantile(0.8) / 1.2816, needed95: quantile(0.95) / 1.96 };
  });
}

Deno.test("recalibrate() leaves ranges alone that hold what they say", () => {
  const found = Array.from({ length: 40 }, (_, seed) => recalibrate(days(28, 1, seed)));
  // Give or take chance: two standard errors of few weeks are left now and then.
  assert(found.filter(({ widened80 }) => widened80 === 1).length >= 36);
  assert(found.every(({ widened80 }) => Math.abs(widened80 - 1) < 0.05));
});

Deno.test("recalibrate() makes ranges as wide as they had to be", () => {
  for (const size of [0.6, 1.5, 2.2]) {
    const { widened80, widened95 } = recalibrate(days(28, size));
    assert(Math.abs(widened80 / size - 1) < 0.05 && Math.abs(widened95 / size - 1) < 0.08);
  }
});

Deno.test("recalibrate() trusts no single bad day, nor a few", () => {
  const [bad] = days(1, 4);
  if (!bad) throw new Error("There is no day");
  assertEquals(recalibrate([...days(27, 1), bad]), AS_BEFORE);
  assertEquals(recalibrate(days(13, 3)), AS_BEFORE);
  assertEquals(recalibrate([]), AS_BEFORE);
});

Deno.test("recalibrate() makes no range more than three times as wide, or as narrow", () => {
  const { widened80: wide } = recalibrate(days(28, 50));
  const { widened80: narrow } = recalibrate(days(28, 0.01));
  assertAlmostEquals(wide, 3, 1e-9);
  assertAlmostEquals(narrow, 1 / 3, 1e-9);
});
