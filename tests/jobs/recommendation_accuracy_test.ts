import { assert } from "@std/assert";
import {
  ADVICE_SCENARIOS,
  ASKED_OF_ADVICE,
  measureAdvice,
  poolAdvice,
} from "../recommendation_accuracy.ts";
import { isWithin } from "../tier_accuracy.ts";
import { testDatabase } from "../database.ts";

/** Two accounts of each of these kinds; `deno task bench advice` has all kinds and 20 of each. */
const KINDS = ["siblings 0, 5", "siblings 0.2, 10", "siblings 0.6, 2", "siblings 0.6, 10"];

async function measure() {
  await using database = await testDatabase();
  const measured = [];
  for (const [index, kind] of KINDS.entries()) {
    const scenario = ADVICE_SCENARIOS.find(({ name }) => name.startsWith(`${kind} `));
    if (!scenario) throw new Error(`There is no kind "${kind}"`);
    const run = { seeds: 2, firstConfigId: 1 + 2 * index };
    measured.push(await measureAdvice(database.sql, scenario, run));
  }
  return { equals: measured[0], ...poolAdvice(measured.slice(1)) };
}

let measured: Awaited<ReturnType<typeof measure>>;

Deno.test.beforeAll(async () => {
  measured = await measure();
});

Deno.test("recommendations pause neither what is near the reference nor the best of siblings", () => {
  const { pausedNearReference, pausedBest } = measured.adstrata;
  assert(pausedNearReference.of > 200);
  assert(isWithin(pausedNearReference, ASKED_OF_ADVICE.pausedNearReference));
  assert(isWithin(pausedBest, ASKED_OF_ADVICE.pausedBest));
});

Deno.test("recommendations crown winners that truly are, and nobody among equals", () => {
  const { winners } = measured.adstrata;
  assert(winners.of > 100);
  assert(isWithin(winners, ASKED_OF_ADVICE.winners));
  const crowned = measured.equals?.adstrata.crowned ?? { hits: 1, of: 1 };
  assert(isWithin(crowned, ASKED_OF_ADVICE.crownedAmongEquals));
});

Deno.test("recommendations scale what truly costs less than the reference", () => {
  const { scaled } = measured.adstrata;
  assert(scaled.of > 100);
  assert(isWithin(scaled, ASKED_OF_ADVICE.scaled));
});

Deno.test("recommendations are as often true as they are sure", () => {
  for (const { hits, of, confidence } of measured.adstrata.bands) {
    if (of < 100) continue;
    const error = 2.5 * Math.sqrt(confidence / of * (1 - confidence / of) / of);
    assert(
      Math.abs(hits - confidence) / of <= ASKED_OF_ADVICE.calibration + error,
      `${hits} of ${of}`,
    );
  }
});

Deno.test("recommendations find most of what an oracle finds", () => {
  const { found } = measured.adstrata;
  for (const [type, hits] of Object.entries(found)) {
    assert(hits.of > 50, type);
    assert(isWithin(hits, ASKED_OF_ADVICE.found), `${type}: ${hits.hits} of ${hits.of}`);
  }
});

Deno.test("recommendations are better than the same rules on raw ratios", () => {
  const { adstrata, raw } = measured;
  const share = ({ hits, of }: { hits: number; of: number }) => hits / of;
  assert(share(raw.pausedNearReference) > 4 * share(adstrata.pausedNearReference));
  assert(share(raw.pausedBest) > 4 * share(adstrata.pausedBest));
  assert(share(raw.winners) < share(adstrata.winners));
});
