import { assert, assertAlmostEquals } from "@std/assert";
import { pf } from "lib-r-math.js";
import { effectOf } from "../../../core/impact/effect.ts";

const block = (events: number, exposure: number) => ({
  events,
  exposure,
  plain: exposure,
  concentration: 1 / 7,
});
const certain = (rate: number, variance = 1e-9) => [{ expectation: { rate, variance }, weight: 1 }];

Deno.test("effectOf() gives the interval of a count where the expectation is certain", () => {
  const { ratio, interval, p } = effectOf(block(20, 10), certain(1));
  assertAlmostEquals(ratio, 2, 0.03);
  // The exact Poisson interval of 20 is 12.2 to 30.9; half an event makes it a bit shorter.
  assertAlmostEquals(interval.low, 1.26, 0.03);
  assertAlmostEquals(interval.high, 3.02, 0.05);
  assert(p < 0.01);
});

Deno.test("effectOf() ends where quantiles of the F distribution cannot be computed", () => {
  // The library's quantile of 2.5 % with these degrees of freedom is 0.
  for (const [events, before] of [[92, 4.2203479996344075], [232, 4.091082877578439]] as const) {
    const { ratio, interval } = effectOf(block(events, events), certain(1, 2 / before));
    const x = interval.low / ((events + 0.5) / events);
    assertAlmostEquals(pf(x, 2 * events + 1, before), 0.025, 1e-4);
    assert(interval.low < ratio && ratio < interval.high);
  }
});

Deno.test("effectOf() is never sure of a few leads", () => {
  const { p, interval } = effectOf(block(0, 2), certain(1));
  assert(p > 0.05 && interval.low < 0.01 && interval.high > 1);
});

Deno.test("effectOf() is the less sure the less certain the expectation is", () => {
  const width = (variance: number) => {
    const { interval } = effectOf(block(50, 50), certain(1, variance));
    return Math.log(interval.high / interval.low);
  };
  assert(width(0.04) > width(0.01) && width(0.01) > width(0.0001));
});

Deno.test("effectOf() is the mean of what is possible", () => {
  const possibilities = [0.5, 2].map((rate) => ({
    expectation: { rate, variance: 0.001 },
    weight: 0.5,
  }));
  const { ratio, p, interval } = effectOf(block(1000, 1000), possibilities);
  assert(interval.low < 0.53 && interval.high > 1.9 && p > 0.9);
  assert(ratio > 0.5 && ratio < 2);
});
