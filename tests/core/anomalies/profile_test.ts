import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { amountTail } from "../../../core/anomalies/amounts.ts";
import type { History } from "../../../core/anomalies/history.ts";
import { ownPauseRate, type Profile, startProfile } from "../../../core/anomalies/profile.ts";
import { drawAccount, heavyTailed, PLAIN, type Scenario } from "./accounts.ts";

const OPTIONS = { asOf: "2026-01-31", historyDays: 30, daysToAnalyze: 1 };

function learn({ account, entities }: { account: History; entities: History[] }): Profile {
  const learner = startProfile(account, OPTIONS);
  entities.forEach(learner.add);
  return learner.finish();
}

/** The mean of what is learned over some accounts of a scenario. */
function averageOf(scenario: Scenario, read: (profile: Profile) => number): number {
  const values = [1, 2, 3, 4, 5].map((seed) => read(learn(drawAccount(scenario, seed))));
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

Deno.test("startProfile() learns the dispersion of counts at every rate", () => {
  for (const leadsPerDay of [2, 15]) {
    const scenario = { ...PLAIN, leadsPerDay, dispersion: 0.3, drift: 0 };
    const dispersion = averageOf(scenario, ({ rates }) => rates.conversion_rate.dispersion);
    assertAlmostEquals(dispersion, 0.3, 0.08, `${leadsPerDay}`);
  }
});

Deno.test("startProfile() keeps the faults of the past out of the dispersion", () => {
  const scenario = { ...PLAIN, leadsPerDay: 15 };
  const read = ({ rates }: Profile) => rates.ctr.drift;
  const faulty = [1, 2, 3].map((seed) =>
    read(learn(drawAccount(
      scenario,
      seed,
      (entity, day) => entity < 4 && day >= 20 && day < 25 ? { clicks: 0.35 } : {},
    )))
  );
  // A step of 3 % a day has a variance of 0.0009.
  for (const drift of faulty) assert(drift < 0.004, `${drift}`);
});

Deno.test("startProfile() learns weekdays, and none where there are none", () => {
  const weekend = (profile: Profile) => {
    // Day 40 is the sixth of a week of the simulation, day 38 the fourth.
    const offsets = profile.amounts.spend.offsets;
    return (offsets[40] ?? 0) - (offsets[38] ?? 0);
  };
  assertAlmostEquals(averageOf(PLAIN, weekend), Math.log(0.7), 0.08);
  assertAlmostEquals(averageOf({ ...PLAIN, weekend: 1 }, weekend), 0, 0.05);
});

Deno.test("startProfile() learns the spread of spend, and that outliers are common", () => {
  assertAlmostEquals(averageOf(PLAIN, ({ amounts }) => amounts.spend.spread), 0.25, 0.05);
  const far = (scenario: Scenario) =>
    averageOf(scenario, ({ amounts }) => amountTail(6, amounts.spend));
  const [heavy, normal] = [far({ ...PLAIN, draw: heavyTailed }), far(PLAIN)];
  assert(heavy > 10 * normal, `${heavy} and ${normal}`);
});

Deno.test("startProfile() tells a move of all from a move of one", () => {
  const last = PLAIN.days - 1;
  const moveIf = (isMoved: (entity: number) => boolean) =>
    learn(drawAccount(
      PLAIN,
      7,
      (entity, day) => day === last && isMoved(entity) ? { spend: 0.6 } : {},
    )).amounts.spend.moves[last] ?? NaN;
  assertAlmostEquals(moveIf(() => true), Math.log(0.6), 0.2);
  assertEquals(moveIf((entity) => entity < 5), 0);
  // 16 of 20 entities, but what they are in is one of two things only.
  const ofOneCampaign = drawAccount(
    PLAIN,
    7,
    (entity, day) => day === last && entity < 16 ? { spend: 0.2 } : {},
  );
  const inTwo = ofOneCampaign.entities.map((entity, index): History => ({
    ...entity,
    campaignId: index < 16 ? "large" : "small",
  }));
  const moves = learn({ ...ofOneCampaign, entities: inTwo }).amounts.spend.moves;
  assertAlmostEquals(moves[last] ?? NaN, 0, 0.3);
});

Deno.test("startProfile() counts pauses that ended, those of one parent and day as one", () => {
  const drawn = drawAccount(
    PLAIN,
    3,
    (entity, day) => entity % 2 === 0 && day % 8 === 0 && day > 0 ? { spend: 0 } : {},
  );
  // Ten ads of five ad sets pause on days 8, 16, 24, 32 and 40 of 43.
  const running = 10 * 43 + 10 * (43 - 5);
  assertAlmostEquals(learn(drawn).pauses.rate, (5 * 5 - 2) / running, 1e-12);
});

Deno.test("ownPauseRate() goes by the entity where entities differ, and by all where they are alike", () => {
  const rates = (pauses: (entity: number, day: number) => boolean) => {
    const drawn = drawAccount(
      PLAIN,
      3,
      (entity, day) => day > 0 && pauses(entity, day) ? { spend: 0 } : {},
    );
    const profile = learn(drawn);
    return drawn.entities.map((entity) => ownPauseRate(entity, PLAIN.days - 1, profile));
  };
  const [often, never] = rates((entity, day) => entity === 0 && day % 5 === 0);
  assert((often ?? 0) > 0.05 && (never ?? 1) < 0.001, `${often} and ${never}`);
  const alike = rates((entity, day) => (7 * entity + day) % 20 === 0);
  assert(Math.min(...alike) > 0.01, `${alike}`);
});

Deno.test("startProfile() does not depend on the order of the entities", () => {
  const { account, entities } = drawAccount(PLAIN, 5);
  const many = Array.from(
    { length: 80 },
    (_, copy) =>
      entities.map((entity): History => ({ ...entity, entityId: `${entity.entityId} ${copy}` })),
  )
    .flat();
  assertEquals(
    learn({ account, entities: many }),
    learn({ account, entities: many.toReversed() }),
  );
});
