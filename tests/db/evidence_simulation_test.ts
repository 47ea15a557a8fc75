import { assert } from "@std/assert";
import { LEVELS } from "../../core/level.ts";
import { testDatabase } from "../database.ts";
import { SCENARIOS } from "../simulation.ts";
import {
  type Accuracy,
  ASKED_DISTANCES,
  ASKED_SHARES,
  isWithin,
  measureTiers,
  poolAccuracy,
} from "../tier_accuracy.ts";

/** Accounts of each kind; `deno task bench tiers` has more of them, and the kinds that miss. */
const SEEDS = {
  "ordinary": 20,
  "few leads": 5,
  "many leads": 5,
  "gamma CPLs": 5,
  "heavy-tailed spend": 5,
  "small account": 20,
};

const measured = new Map<string, Accuracy>();

Deno.test.beforeAll(async () => {
  await using database = await testDatabase();
  let firstConfigId = 1;
  for (const [name, seeds] of Object.entries(SEEDS)) {
    const scenario = SCENARIOS.find((scenario) => scenario.name === name);
    if (!scenario) throw new Error(`There is no scenario "${name}"`);
    measured.set(name, await measureTiers(database.sql, scenario, { seeds, firstConfigId }));
    firstConfigId += seeds;
  }
});

Deno.test("ads.entity_evidence gives tiers nearer to the truth than raw CPLs, of ads by a quarter", () => {
  for (const [name, accuracy] of measured) {
    for (const level of LEVELS) {
      const { distance, rawDistance } = accuracy[level];
      const ratio = distance / rawDistance;
      assert(ratio <= ASKED_DISTANCES[level], `${name}, ${level}: ${ratio}`);
    }
  }
});

Deno.test("ads.entity_evidence gives tiers that are right as often as their confidence says", () => {
  assertShares("likely");
  assertShares("sure");
});

Deno.test("ads.entity_evidence gives 80 % intervals that hold the truth in 77 to 83 % of cases", () => {
  assertShares("interval80");
});

/** Of the ordinary accounts and of all together: the entities of few accounts share their fate. */
function assertShares(claim: keyof typeof ASKED_SHARES): void {
  const together = poolAccuracy([...measured.values()]);
  for (const accuracy of [measured.get("ordinary") ?? together, together]) {
    for (const level of LEVELS) {
      const { hits, of } = accuracy[level][claim];
      const isRight = isWithin({ hits, of }, ASKED_SHARES[claim]);
      assert(isRight, `${level}, ${claim}: ${hits} of ${of}, a share of ${hits / of}`);
    }
  }
}
