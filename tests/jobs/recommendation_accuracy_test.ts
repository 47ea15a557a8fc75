import { assert } from "@std/assert";
import {
  ADVICE_SCENARIOS,
  ASKED_OF_ADVICE,
  measureAdvice,
  measureTrends,
  poolAdvice,
  TREND_SCENARIOS,
} from "../recommendation_accuracy.ts";
import { isWithin } from "../tier_accuracy.ts";
import { testDatabase } from "../database.ts";

/** Two accounts of each of these kinds; `deno task bench advice` has all kinds and 20 of each. */
const KINDS = ["siblings 0, 5", "siblings 0.2, 10", "siblings 0.6, 2", "siblings 0.6, 10"];

const TRENDS = ["0 % tired", "0 % tired, days differ", "20 % tired", "20 % tired, days differ"];

async function measure() {
  await using database = await testDatabase();
  const measured = [];
  for (const [index, kind] of KINDS.entries()) {
    const scenario = ADVICE_SCENARIOS.find(({ name }) => name.startsWith(`${kind} `));
    if (!scenario) throw new Error(`There is no kind "${kind}"`);
    const run = { seeds: 2, firstConfigId: 1 + 2 * index };
    measured.push(await measureAdvice(database.sql, scenario, run));
  }
  const trends = [];
  for (const [index, name] of TRENDS.entries()) {
    const scenario = TREND_SCENARIOS.find((each) => each.name === name);
    if (!scenario) throw new Error(`There is no kind "${name}"`);
    trends.push(
      await measureTrends(database.sql, scenario, { seeds: 1, firstConfigId: 101 + index }),
    );
  }
  return { equals: measured[0], trends, ...poolAdvice(measured.slice(1)) };
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

Deno.test("recommendations call no creative tired where none is, and find those that are", () => {
  const [still, restless, tired, both] = measured.trends;
  for (const nothing of [still, restless]) {
    const { ctr_change, cpl_change } = nothing?.claims ?? {};
    // Three levels of 312 entities: one wrong claim in an account is luck.
    assert((ctr_change?.of ?? 9) + (cpl_change?.of ?? 9) <= 1);
  }
  for (const [accuracy, least] of [[tired, 0.8], [both, 0.6]] as const) {
    const { hits = 0, of = 1 } = accuracy?.found ?? {};
    assert(of > 30 && hits / of >= least, `${hits} of ${of}`);
    const { ctr_change } = accuracy?.claims ?? {};
    assert((ctr_change?.hits ?? 0) >= 0.85 * (ctr_change?.of ?? 0));
  }
});
