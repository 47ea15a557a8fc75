import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { pbeta, qbeta } from "lib-r-math.js";
import { rateInterval } from "../../core/evidence.ts";
import { betaQuantile, quantileBetween } from "../../core/quantiles.ts";

Deno.test("betaQuantile() is right where the library's quantile is 0 or 1", () => {
  const shapes = [
    [0.5, 50.29456789611499, 2.1280987955009403],
    [0.025, 92.5, 2.1101739998172037],
    [0.9, 2.1950632603036415, 43.167533569527684],
  ] as const;
  for (const [probability, alpha, beta] of shapes) {
    // If this fails, the library has been mended, and the function is not needed any more.
    assert([0, 1].includes(qbeta(probability, alpha, beta)));
    const share = betaQuantile(probability, alpha, beta);
    assertAlmostEquals(pbeta(share, alpha, beta), probability, 1e-9);
  }
  assertEquals(betaQuantile(0.1, 3, 50), qbeta(0.1, 3, 50));
  // Two leads of 45 clicks are no rate of 100 %.
  const [, alpha, rest] = shapes[2];
  assert(rateInterval({ alpha, beta: alpha + rest }, 0.8).high < 0.12);
});

Deno.test("quantileBetween() finds where a function reaches a probability, and ends where it does not", () => {
  const square = (value: number) => value ** 2;
  assertAlmostEquals(quantileBetween(square, 0.25, { low: 0, high: 1 }), 0.5, 1e-12);
  assertAlmostEquals(
    quantileBetween(square, 0.25, { low: 0, high: 1, tolerance: 0.1 }),
    0.5,
    0.05,
  );
  assertAlmostEquals(quantileBetween(() => NaN, 0.5, { low: 0, high: 1 }), 0, 1e-12);
});
