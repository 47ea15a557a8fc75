import { assert, assertAlmostEquals, assertEquals, assertNotEquals } from "@std/assert";
import { createRandom, hashOf, type Random } from "../../core/random.ts";

function draws(count: number, draw: (random: Random) => number): number[] {
  const random = createRandom(7);
  return Array.from({ length: count }, () => draw(random));
}

function mean(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

Deno.test("createRandom() repeats its draws when the seed is the same", () => {
  const draw = (random: Random) => random.gamma(2, 3);
  assertEquals(draws(5, draw), draws(5, draw));
  assertNotEquals(createRandom(7).uniform(), createRandom(8).uniform());
});

// Bounds of five standard errors: a right draw fails once in a million seeds.
Deno.test("createRandom() draws with the mean that each distribution has", () => {
  const n = 20_000;
  assertAlmostEquals(mean(draws(n, (random) => random.uniform())), 0.5, 5 * 0.289 / Math.sqrt(n));
  assertAlmostEquals(mean(draws(n, (random) => random.normal(3, 2))), 3, 5 * 2 / Math.sqrt(n));
  assertAlmostEquals(mean(draws(n, (random) => random.gamma(4, 0.5))), 2, 5 * 1 / Math.sqrt(n));
  assertAlmostEquals(mean(draws(n, (random) => random.poisson(9))), 9, 5 * 3 / Math.sqrt(n));
  assertAlmostEquals(
    mean(draws(n, (random) => random.binomial(100, 0.1))),
    10,
    5 * 3 / Math.sqrt(n),
  );
});

Deno.test("hashOf() gives a text the same number, and spreads texts that are nearly alike", () => {
  const hashes = Array.from({ length: 1000 }, (_, number) => hashOf(`14 2026-03-31 ${number}`));
  assertEquals(hashOf("14 2026-03-31 0"), hashes[0]);
  const halves = hashes.filter((hash) => hash < 2 ** 31).length;
  assert(Math.abs(halves - 500) < 80, `${halves} of 1,000 in the lower half`);
});
