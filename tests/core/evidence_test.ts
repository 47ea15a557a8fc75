import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import {
  cplInterval,
  cplMean,
  cplMedian,
  probabilityCplAtMost,
  rateInterval,
} from "../../core/evidence.ts";

/** Asserts that two numbers agree in their first ten digits. */
function assertClose(actual: number, expected: number) {
  assertAlmostEquals(actual, expected, 1e-10 * Math.abs(expected));
}

Deno.test("probabilityCplAtMost() has the closed forms of one and two leads", () => {
  // Leads per unit of spend are Gamma(alpha, beta); its upper tail at x is exp(-beta x) for one lead
  // and exp(-beta x) (1 + beta x) for two.
  for (const cpl of [5, 20, 100]) {
    assertClose(probabilityCplAtMost({ alpha: 1, beta: 20 }, cpl), Math.exp(-20 / cpl));
    assertClose(
      probabilityCplAtMost({ alpha: 2, beta: 20 }, cpl),
      Math.exp(-20 / cpl) * (1 + 20 / cpl),
    );
  }
});

Deno.test("probabilityCplAtMost() goes from 0 to 1 as the CPL grows", () => {
  const known = { alpha: 3, beta: 60 };
  assertEquals(probabilityCplAtMost(known, 0), 0);
  assertEquals(probabilityCplAtMost(known, Infinity), 1);
  const rising = [1, 5, 10, 20, 40, 400].map((cpl) => probabilityCplAtMost(known, cpl));
  assertEquals(rising, rising.toSorted((a, b) => a - b));
});

Deno.test("cplMean() is beta / (alpha - 1), and null up to one lead", () => {
  assertEquals(cplMean({ alpha: 3, beta: 40 }), 20);
  assertEquals(cplMean({ alpha: 1, beta: 40 }), null);
  assertEquals(cplMean({ alpha: 0.5, beta: 40 }), null);
});

Deno.test("cplMedian() has the closed form of one lead", () => {
  assertClose(cplMedian({ alpha: 1, beta: 20 }), 20 / Math.LN2);
});

Deno.test("cplMedian() comes to the plain CPL when leads are many", () => {
  assertAlmostEquals(cplMedian({ alpha: 100_000, beta: 2_000_000 }), 20, 0.001);
});

Deno.test("cplInterval() has the closed form of one lead", () => {
  const { low, high } = cplInterval({ alpha: 1, beta: 20 }, 0.8);
  assertClose(low, 20 / Math.log(10));
  assertClose(high, -20 / Math.log(0.9));
});

Deno.test("cplInterval() leaves the same probability below and above", () => {
  fc.assert(fc.property(
    fc.double({ min: 0.5, max: 1e5, noNaN: true }),
    fc.double({ min: 0.1, max: 1e6, noNaN: true }),
    fc.double({ min: 0.1, max: 0.99, noNaN: true }),
    (alpha, beta, probability) => {
      const known = { alpha, beta };
      const { low, high } = cplInterval(known, probability);
      assertAlmostEquals(probabilityCplAtMost(known, low), (1 - probability) / 2, 1e-9);
      assertAlmostEquals(probabilityCplAtMost(known, high), (1 + probability) / 2, 1e-9);
      const median = cplMedian(known);
      assert(low < median && median < high);
    },
  ));
});

Deno.test("rateInterval() has the closed forms of Beta(1, n) and Beta(n, 1)", () => {
  // One event in four: Beta(1, 3), P(rate <= x) = 1 - (1 - x)^3.
  const rare = rateInterval({ alpha: 1, beta: 4 }, 0.8);
  assertClose(rare.low, 1 - 0.9 ** (1 / 3));
  assertClose(rare.high, 1 - 0.1 ** (1 / 3));
  // Three in four: Beta(3, 1), P(rate <= x) = x^3.
  const common = rateInterval({ alpha: 3, beta: 4 }, 0.8);
  assertClose(common.low, 0.1 ** (1 / 3));
  assertClose(common.high, 0.9 ** (1 / 3));
});

Deno.test("rateInterval() lets a rate exceed 1 when leads outnumber clicks", () => {
  // Gamma(1, 0.5): P(rate <= x) = 1 - exp(-x / 2).
  const { low, high } = rateInterval({ alpha: 1, beta: 0.5 }, 0.8);
  assertClose(low, -2 * Math.log(0.9));
  assertClose(high, 2 * Math.log(10));
});

Deno.test("rateInterval() narrows down as exposure grows", () => {
  const widths = [1, 10, 100, 1000].map((times) => {
    const { low, high } = rateInterval({ alpha: 2 * times, beta: 100 * times }, 0.95);
    return high - low;
  });
  assertEquals(widths, widths.toSorted((a, b) => b - a));
});
