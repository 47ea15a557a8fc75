import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { decideTier, type Tier, tierChange, tierOfRatio, TIERS } from "../../core/tiers.ts";

Deno.test("tierOfRatio() includes the limit of each tier", () => {
  const tiers = [0, 0.7, 0.7000001, 1, 1.0000001, 1.5, 1.5000001, 1e9, Infinity].map(tierOfRatio);
  assertEquals(tiers, [
    "HIGH_PERFORMER",
    "HIGH_PERFORMER",
    "MODERATE",
    "MODERATE",
    "LOW",
    "LOW",
    "UNDERPERFORMER",
    "UNDERPERFORMER",
    "UNDERPERFORMER",
  ]);
});

Deno.test("decideTier() is sure when much evidence lies inside one tier", () => {
  // 1000 leads, each at 0.5, 0.85, 1.25 and 2 times the reference.
  const decisions = [0.5, 0.85, 1.25, 2].map((ratio) =>
    decideTier({ alpha: 1000, beta: 1000 * 20 * ratio }, 20)
  );
  assertEquals(decisions.map(({ tier }) => tier), [...TIERS]);
  for (const { confidence } of decisions) assert(confidence > 0.99);
});

Deno.test("decideTier() has the closed form of one lead", () => {
  // Gamma(1, b) is exponential: P(CPL <= c) = exp(-b / c), here b = 20 and a reference of 20.
  const { tier, confidence, probabilities } = decideTier({ alpha: 1, beta: 20 }, 20);
  const atMost = [0.7, 1, 1.5].map((ratio) => Math.exp(-1 / ratio));
  const [high = 0, moderate = 0, low = 0] = atMost;
  assertAlmostEquals(probabilities.HIGH_PERFORMER, high, 1e-12);
  assertAlmostEquals(probabilities.MODERATE, moderate - high, 1e-12);
  assertAlmostEquals(probabilities.LOW, low - moderate, 1e-12);
  assertAlmostEquals(probabilities.UNDERPERFORMER, 1 - low, 1e-12);
  // The median, 20 / ln 2, is 1.44 times the reference, although UNDERPERFORMER is most probable.
  assertEquals(tier, "LOW");
  assertEquals(confidence, probabilities.LOW);
});

Deno.test("decideTier() is as unsure as a coin when the posterior straddles a limit", () => {
  const { probabilities } = decideTier({ alpha: 100_000, beta: 2_000_000 }, 20);
  assertAlmostEquals(probabilities.MODERATE, 0.5, 0.01);
  assertAlmostEquals(probabilities.LOW, 0.5, 0.01);
});

const posterior = fc.record({
  alpha: fc.double({ min: 0.1, max: 1e6, noNaN: true }),
  cpl: fc.double({ min: 0.01, max: 1e5, noNaN: true }),
}).map(({ alpha, cpl }) => ({ alpha, beta: alpha * cpl }));
const reference = fc.double({ min: 0.01, max: 1e5, noNaN: true });

Deno.test("decideTier() gives probabilities that add up to 1, and the chosen one as confidence", () => {
  fc.assert(fc.property(posterior, reference, (known, reference) => {
    const { tier, confidence, probabilities } = decideTier(known, reference);
    const all = TIERS.map((each) => probabilities[each]);
    assert(all.every((probability) => probability >= 0 && probability <= 1), `${all}`);
    assertAlmostEquals(all.reduce((sum, probability) => sum + probability, 0), 1, 1e-12);
    assertEquals(confidence, probabilities[tier]);
  }));
});

Deno.test("decideTier() leaves at most one half on either side of its tier", () => {
  fc.assert(fc.property(posterior, reference, (known, reference) => {
    const { tier, probabilities } = decideTier(known, reference);
    const all = TIERS.map((each) => probabilities[each]);
    const sum = (part: number[]) => part.reduce((total, probability) => total + probability, 0);
    assert(sum(all.slice(0, TIERS.indexOf(tier))) <= 0.5 + 1e-12);
    assert(sum(all.slice(TIERS.indexOf(tier) + 1)) <= 0.5 + 1e-12);
  }));
});

Deno.test("decideTier() does not depend on the currency", () => {
  fc.assert(fc.property(posterior, reference, ({ alpha, beta }, reference) => {
    const here = decideTier({ alpha, beta }, reference);
    // A power of two, so that the numbers stay the same to the last bit.
    assertEquals(decideTier({ alpha, beta: 1024 * beta }, 1024 * reference), here);
  }));
});

Deno.test("decideTier() never gets worse when the reference rises", () => {
  fc.assert(fc.property(posterior, reference, reference, (known, one, other) => {
    const strict = decideTier(known, Math.min(one, other)).tier;
    const lenient = decideTier(known, Math.max(one, other)).tier;
    assert(TIERS.indexOf(lenient) <= TIERS.indexOf(strict));
  }));
});

Deno.test("tierChange() compares a tier with the one before", () => {
  const changes = ([
    ["LOW", "HIGH_PERFORMER"],
    ["UNDERPERFORMER", "LOW"],
    ["MODERATE", "MODERATE"],
    ["HIGH_PERFORMER", "MODERATE"],
    ["MODERATE", "UNDERPERFORMER"],
  ] satisfies [Tier, Tier][]).map(([previous, current]) => tierChange(previous, current));
  assertEquals(changes, ["improved", "improved", "stable", "declined", "declined"]);
});
