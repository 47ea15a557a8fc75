import { assert } from "@std/assert";
import { ASKED_OF_IMPACT, type ImpactAccuracy, measureImpact } from "../../impact_accuracy.ts";
import { IMPACT_SCENARIOS } from "../../impact_simulation.ts";
import { isWithin } from "../../tier_accuracy.ts";

/** A few accounts of these kinds; `deno task bench impact` has all kinds and more of each. */
const KINDS = ["account drifts", "ad sets drift by 20 %", "no siblings", "the account shifts"];

let measured: ImpactAccuracy[];

Deno.test.beforeAll(() => {
  measured = KINDS.map((kind) => {
    const scenario = IMPACT_SCENARIOS.find(({ name }) => name === kind);
    if (!scenario) throw new Error(`There is no kind "${kind}"`);
    return measureImpact(scenario, { placebos: 60, changes: 15 });
  });
});

Deno.test("impacts are not found where nothing was changed, chance and a bad week apart", () => {
  for (const [index, each] of measured.entries()) {
    for (
      const [one, other] of [
        [each.random, each.worst],
        [each.randomInTwoWeeks, each.worstInTwoWeeks],
      ] as const
    ) {
      const both = { hits: one.hits + other.hits, of: one.of + other.of };
      assert(
        isWithin(both, ASKED_OF_IMPACT.placebos),
        `${KINDS[index]}: ${both.hits} of ${both.of}`,
      );
    }
  }
});

Deno.test("impacts are found where a change made leads 30 % cheaper", () => {
  const [account] = measured;
  assert(isWithin(account?.cheaper ?? { hits: 0, of: 1 }, ASKED_OF_IMPACT.found));
  assert(isWithin(account?.cheaperInTwoWeeks ?? { hits: 0, of: 1 }, ASKED_OF_IMPACT.found));
});

Deno.test("impacts are found nearly as often as by who knows how rates move", () => {
  const sum = (name: "cheaper" | "cheaperByOracle") =>
    measured.reduce((total, { [name]: { hits } }) => total + hits, 0);
  const oracle = sum("cheaperByOracle");
  assert(oracle > 15 && sum("cheaper") > 0.8 * oracle, `${sum("cheaper")} by ${oracle}`);
});

Deno.test("impacts have intervals that hold the truth", () => {
  for (const [index, { interval }] of measured.entries()) {
    assert(isWithin(interval, ASKED_OF_IMPACT.interval), `${KINDS[index]}: ${interval.hits}`);
  }
});
