import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { createRandom } from "../../core/random.ts";
import { judge, type Later, reportOf, type Said } from "../../core/replay.ts";

const SAID: Said = {
  rule: "scale_up",
  entityType: "ad",
  entityId: "31",
  asOf: "2026-03-10",
  claim: { about: "cpl_ratio", at_most: 0.7 },
  confidence: 0.85,
  reference: 20,
  posterior: { alpha: 20, beta: 240 },
  weekBefore: { cpl: 0.1, ctr: 0.02 },
  isPause: false,
};

const LATER: Later = {
  spend: 140,
  impressions: 10_000,
  clicks: 150,
  leads: 10,
  siblings: { spend: 300, leads: 10 },
};

Deno.test("judge() takes what was spent for a lead afterwards for the truth", () => {
  assertEquals(judge(SAID, LATER)?.isTrue, true);
  assertEquals(judge(SAID, { ...LATER, leads: 9 })?.isTrue, false);
  assertEquals(judge(SAID, { ...LATER, leads: 0 })?.isTrue, false);
});

Deno.test("judge() expects an outcome as often as it happens when all that was believed is right", () => {
  const random = createRandom(3);
  for (
    const claim of [
      { about: "cpl_ratio", at_most: 0.7 },
      { about: "cpl_ratio", at_least: 0.7 },
      { about: "cpl_ratio", at_least: 0.5, at_most: 0.7 },
    ] as const
  ) {
    const said = { ...SAID, claim };
    let hits = 0;
    const draws = 50_000;
    for (let draw = 0; draw < draws; draw++) {
      const rate = random.gamma(said.posterior.alpha, 1 / said.posterior.beta);
      const leads = random.poisson(LATER.spend * rate);
      hits += Number(judge(said, { ...LATER, leads })?.isTrue);
    }
    assertAlmostEquals(judge(said, LATER)?.expected ?? 0, hits / draws, 0.012);
  }
});

Deno.test("judge() compares with what the siblings did afterwards", () => {
  const said: Said = { ...SAID, claim: { about: "cpl_by_siblings", at_most: 0.5 } };
  assertEquals(judge(said, LATER)?.isTrue, true);
  assertEquals(judge(said, { ...LATER, leads: 9 })?.isTrue, false);
  assertEquals(judge(said, { ...LATER, siblings: { spend: 300, leads: 0 } }), null);
});

Deno.test("judge() compares a change with the week before it", () => {
  const ofCtr: Said = { ...SAID, claim: { about: "ctr_change", at_most: -25 } };
  assertEquals(judge(ofCtr, LATER)?.isTrue, true);
  assertEquals(judge(ofCtr, { ...LATER, clicks: 151 })?.isTrue, false);
  const ofCpl: Said = { ...SAID, claim: { about: "cpl_change", at_least: 40 } };
  assertEquals(judge(ofCpl, LATER)?.isTrue, true);
  assertEquals(judge(ofCpl, { ...LATER, leads: 11 })?.isTrue, false);
});

Deno.test("judge() says nothing where next to nothing was spent afterwards", () => {
  assertEquals(judge(SAID, { ...LATER, spend: 59 }), null);
  assertEquals(judge(SAID, undefined), null);
});

Deno.test("judge() prefers the truth where it is known", () => {
  assertEquals(judge(SAID, LATER, 0.71), { isTrue: false, expected: 0.85 });
  assertEquals(judge(SAID, undefined, null), null);
});

Deno.test("reportOf() sums up by rule and level, by confidence, and what pauses would have done", () => {
  const pause: Said = { ...SAID, rule: "pause_expensive", confidence: 0.96875, isPause: true };
  const outcome = { isTrue: true, expected: 0.9 };
  const report = reportOf([
    { said: SAID, later: LATER, outcome },
    { said: SAID, later: LATER, outcome: { isTrue: false, expected: 0.7 } },
    { said: SAID, later: undefined, outcome: null },
    { said: { ...SAID, entityType: "campaign" }, later: undefined, outcome: null },
    { said: pause, later: LATER, outcome },
    // Said again while it would have been stopped, it counts once; another entity counts.
    { said: { ...pause, asOf: "2026-03-20" }, later: LATER, outcome },
    { said: { ...pause, entityId: "32" }, later: { ...LATER, spend: 60, leads: 1 }, outcome },
  ]);
  const { claim } = SAID;
  const nothing = { judged: 0, trueShare: null, expectedShare: null };
  assertEquals(report.byRule, [
    { rule: "scale_up", entityType: "campaign", claim, said: 1, ...nothing, meanConfidence: 0.85 },
    {
      rule: "pause_expensive",
      entityType: "ad",
      claim,
      said: 3,
      judged: 3,
      trueShare: 1,
      expectedShare: 0.9,
      meanConfidence: 0.96875,
    },
    {
      rule: "scale_up",
      entityType: "ad",
      claim,
      said: 3,
      judged: 2,
      trueShare: 0.5,
      expectedShare: 0.8,
      meanConfidence: 0.85,
    },
  ]);
  assertEquals(report.byConfidence.map(({ from, said }) => [from, said]), [
    [0.5, 0],
    [0.6, 0],
    [0.7, 0],
    [0.8, 4],
    [0.9, 0],
    [0.95, 3],
  ]);
  assertEquals(report.pauses, [{
    rule: "pause_expensive",
    entityType: "ad",
    pauses: 2,
    moneySaved: 200,
    leadsLost: 11,
    leadsElsewhere: 10,
  }]);
  assert(report.byConfidence.every(({ to }) => to <= 1));
});
