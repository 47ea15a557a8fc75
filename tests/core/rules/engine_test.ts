import { assert, assertEquals } from "@std/assert";
import fc from "fast-check";
import { LEVELS } from "../../../core/level.ts";
import { createEngine, type Past } from "../../../core/rules/engine.ts";
import { FEATURE_NAMES } from "../../../core/rules/facts.ts";
import { RULES } from "../../../core/rules/rules.ts";
import { readAccountSettings } from "../../../core/rules/settings.ts";
import { factsOf } from "./facts.ts";

const AS_OF = "2026-03-10";
const NOW = new Date("2026-03-11T07:00:00Z");
const POSTERIOR = { alpha: 20, beta: 400 };

/** Facts on which `scale_up` fires, of a campaign that holds its budget. */
const CHEAP = {
  entityType: "campaign",
  entityId: "11",
  parentId: null,
  budget: { holder: "campaign", daily: 100, lifetime: null },
  believed: { "cpl_ratio <= 0.7": 0.9 },
  beliefs: { ratio: () => 0.65 },
} as const;

/** Facts on which `pause_expensive` fires. */
const EXPENSIVE = {
  believed: { "cpl_ratio >= 2.5": 0.95, "cpl_ratio >= 1.2": 0.99 },
  beliefs: { ratio: () => 3 },
};

/** A scale-up of three days ago that is open. */
const OPEN: Past = {
  id: 5,
  recommendation_type: "SCALE_UP",
  reason_code: "scale_up",
  status: "active",
  priority: 7,
  confidence_score: 0.9,
  as_of: "2026-03-07",
  expires_at: new Date("2026-03-15T07:00:00Z"),
  applied_at: null,
  claim: { about: "cpl_ratio", at_most: 0.7 },
};

function decide(
  facts: Parameters<typeof factsOf>[0],
  { past = [], force = false, settings = {} }: {
    past?: Past[];
    force?: boolean;
    settings?: unknown;
  } = {},
) {
  const engine = createEngine(readAccountSettings(settings), "USD");
  const { advice, superseded } = engine.decide({
    facts: factsOf(facts),
    posterior: POSTERIOR,
    asOf: AS_OF,
    past,
    at: NOW,
    force,
  });
  return { advice, superseded, rules: advice.map(({ reasoning }) => reasoning.rule) };
}

Deno.test("decide() gives the probability of the claim and each number that was compared", () => {
  const { advice: [advice] } = decide(CHEAP);
  assertEquals(advice?.reasoning.claim, { about: "cpl_ratio", at_most: 0.7 });
  assertEquals(advice?.reasoning.probability, 0.9);
  assertEquals(advice?.reasoning.compared, [
    { name: "leads_7d", value: 7, is: ">=", bound: 3 },
    { name: "days_with_leads_7d", value: 5, is: ">=", bound: 4 },
    { name: "cpl_trend", value: 0, is: "<=", bound: 10 },
    { name: "probability", value: 0.9, is: ">=", bound: 0.8 },
  ]);
});

Deno.test("decide() advises nothing in the learning phase", () => {
  assertEquals(decide({ ...CHEAP, isLearning: true }).rules, []);
  assertEquals(decide({ ...EXPENSIVE, isLearning: true }).rules, []);
});

Deno.test("decide() advises nothing on fewer than three days of delivery", () => {
  assertEquals(decide({ ...CHEAP, features: { days_active: 2 } }).rules, []);
  assertEquals(decide({ ...CHEAP, features: { days_active: 3 } }).rules, ["scale_up"]);
});

Deno.test("decide() keeps budget steps within what the account allows", () => {
  const settings = { guardrails: { budget_step_percent: 12 } };
  const { advice: [advice] } = decide(CHEAP, { settings });
  assertEquals(advice?.reasoning.suggestion, { change: "budget", percent: 12 });
});

Deno.test("decide() takes budget away only where it is held", () => {
  const facts = {
    entityType: "adset",
    features: { cpl_trend: 5 },
    believed: { "cpl_ratio >= 1.5": 0.9 },
    beliefs: { ratio: () => 2 },
  } as const;
  const heldBy = (holder: "campaign" | "adset" | null) =>
    decide({ ...facts, budget: { holder, daily: 50, lifetime: null } }).rules;
  assertEquals(["adset", "campaign", null].map((holder) => heldBy(holder as "adset")), [
    ["budget_decrease"],
    [],
    ["budget_decrease"],
  ]);
});

Deno.test("decide() leaves a campaign's budget advice to its ad sets where they hold the budgets", () => {
  const budget = { holder: "adset", daily: null, lifetime: null } as const;
  assertEquals(decide({ ...CHEAP, budget }).rules, []);
});

Deno.test("decide() advises below what is to be paused only to pause", () => {
  assertEquals(decide({ ...CHEAP, isBelowPause: true }).rules, []);
  assertEquals(decide({ ...EXPENSIVE, isBelowPause: true }).rules, ["pause_expensive"]);
});

Deno.test("decide() does not pause what may be the best of its siblings", () => {
  const chance = (isBest: number) =>
    decide({ ...EXPENSIVE, beliefs: { ...EXPENSIVE.beliefs, isBest: () => isBest } }).rules;
  assertEquals([0.02, 0.021].map(chance), [["pause_expensive"], []]);
});

Deno.test("decide() pauses an only child, which is the best of none", () => {
  const beliefs = { ...EXPENSIVE.beliefs, isBest: () => 1, siblings: null };
  assertEquals(decide({ ...EXPENSIVE, beliefs }).rules, ["pause_expensive"]);
});

Deno.test("decide() does not pause what is near the reference, whatever its siblings cost", () => {
  const against = (probability: number) =>
    decide({ believed: { "cpl_by_siblings >= 2": 0.95, "cpl_ratio >= 1.2": probability } }).rules;
  assertEquals([0.8, 0.79].map(against), [["pause_against_siblings"], []]);
});

Deno.test("decide() gives the most urgent of several pauses, and nothing beside it", () => {
  const { rules } = decide({
    ...EXPENSIVE,
    features: { frequency_7d: 5, ctr_trend: -30 },
    believed: {
      ...EXPENSIVE.believed,
      "cpl_ratio >= 1.5": 0.99,
      "cpl_by_siblings >= 2": 0.99,
      "ctr_change <= -5": 0.99,
    },
    daysUnderperforming: 9,
  });
  assertEquals(rules, ["pause_expensive"]);
});

Deno.test("decide() gives at most three, the most urgent first", () => {
  const facts = {
    features: { frequency_7d: 4, ctr_trend: -20 },
    believed: {
      "cpl_ratio <= 0.7": 0.9,
      "cpl_by_siblings <= 0.7": 0.9,
      "ctr_change <= -5": 0.99,
      "cpl_ratio <= 1.2": 0.9,
    },
    beliefs: { ratio: () => 0.4 },
  };
  assertEquals(decide(facts).rules, ["scale_up", "creative_winner", "creative_refresh"]);
  const settings = { guardrails: { recommendations_per_entity: 2 } };
  assertEquals(decide(facts, { settings }).rules, ["scale_up", "creative_winner"]);
});

Deno.test("decide() leaves an entity alone while something is open", () => {
  assertEquals(decide(CHEAP, { past: [OPEN] }), { advice: [], superseded: [], rules: [] });
  const expired = { ...OPEN, expires_at: NOW };
  assertEquals(decide(CHEAP, { past: [expired] }).rules, ["scale_up"]);
});

Deno.test("decide() withdraws what is open when its claim has become improbable", () => {
  const { rules, superseded } = decide(EXPENSIVE, { past: [OPEN] });
  assertEquals([rules, superseded], [["pause_expensive"], [5]]);
});

Deno.test("decide() replaces what is open when it is forced, but nothing of the same day", () => {
  const forced = (past: Past) => {
    const { rules, superseded } = decide(CHEAP, { past: [past], force: true });
    return [rules, superseded];
  };
  assertEquals(forced(OPEN), [["scale_up"], [5]]);
  assertEquals(forced({ ...OPEN, as_of: AS_OF }), [[], []]);
});

Deno.test("decide() gives the same advice at most once a day", () => {
  for (const status of ["superseded", "expired", "dismissed"] as const) {
    assertEquals(decide(CHEAP, { past: [{ ...OPEN, as_of: AS_OF, status }] }).rules, []);
  }
});

Deno.test("decide() moves no budget again within 72 hours", () => {
  const applied = (hours: number): Past => ({
    ...OPEN,
    status: "applied",
    applied_at: new Date(NOW.getTime() - hours * 3_600_000),
  });
  assertEquals(decide(CHEAP, { past: [applied(71.9)] }).rules, []);
  assertEquals(decide(CHEAP, { past: [applied(72)] }).rules, ["scale_up"]);
  const settings = { guardrails: { cooldown_hours: 24 } };
  assertEquals(decide(CHEAP, { past: [applied(25)], settings }).rules, ["scale_up"]);
});

Deno.test("decide() does not repeat a pause that was applied until it would have expired", () => {
  const pause: Past = {
    ...OPEN,
    recommendation_type: "PAUSE",
    reason_code: "pause_expensive",
    status: "applied",
    applied_at: new Date("2026-03-07T08:00:00Z"),
  };
  assertEquals(decide(EXPENSIVE, { past: [pause] }).rules, []);
  assertEquals(decide(EXPENSIVE, { past: [{ ...pause, expires_at: NOW }] }).rules, [
    "pause_expensive",
  ]);
});

Deno.test("decide() keeps dismissed advice away until its expiry, unless the facts changed clearly", () => {
  const dismissed: Past = { ...OPEN, status: "dismissed", confidence_score: 0.8 };
  const believing = (probability: number, ratio = 0.65) =>
    decide({
      ...CHEAP,
      believed: { "cpl_ratio <= 0.7": probability },
      beliefs: { ratio: () => ratio },
    }, { past: [dismissed] }).rules;
  assertEquals(believing(0.94), []);
  // The doubt has shrunk from 20 to 5 %.
  assertEquals(believing(0.951), ["scale_up"]);
  // It has become more urgent.
  assertEquals(believing(0.85, 0.55), ["scale_up"]);
  assertEquals(decide(CHEAP, { past: [{ ...dismissed, expires_at: NOW }] }).rules, ["scale_up"]);
});

Deno.test("decide() tells the assumption and the interval of what to expect", () => {
  const effect = decide(CHEAP).advice[0]?.reasoning.effect;
  // 140 of spend bring 7 leads at a CPL of 20; a fifth more brings 1.2 ** 0.8 - 1 more of them.
  assertEquals(effect?.spend_per_week, 28);
  assertEquals(effect?.leads_per_week.expected, 7 * (1.2 ** 0.8 - 1));
  assertEquals(effect?.leads_per_week.low, 140 / 25 * (1.2 ** 0.6 - 1));
  assertEquals(effect?.leads_per_week.high, 140 / 15 * (1.2 ** 0.95 - 1));
  assertEquals(effect?.assumption, "diminishing_returns");
  assert(28 / (effect?.leads_per_week.expected ?? 0) > 20, "more than the average price");
});

const probability = fc.double({ min: 0, max: 1, noNaN: true });
const anyFacts = fc.record({
  entityType: fc.constantFrom(...LEVELS),
  isActive: fc.boolean(),
  parentIsActive: fc.boolean(),
  isLearning: fc.boolean(),
  daysUnderperforming: fc.nat(30),
  holder: fc.constantFrom("campaign" as const, "adset" as const, null),
  features: fc.record(
    Object.fromEntries(
      FEATURE_NAMES.map((
        name,
      ) => [name, fc.option(fc.double({ min: -100, max: 500, noNaN: true }))]),
    ),
  ),
  probabilities: fc.array(probability, { minLength: 8, maxLength: 8 }),
  ratio: fc.double({ min: 0.1, max: 5, noNaN: true }),
  isBest: fc.double({ min: 0, max: 0.05, noNaN: true }),
}).map(({ probabilities, ratio, isBest, holder, features, ...rest }) => {
  const [p = 0.5] = probabilities;
  return factsOf({
    ...rest,
    budget: { holder, daily: 100, lifetime: null },
    features,
    beliefs: {
      // Probabilities of the same quantity have to fit together.
      atMost: (about, value) => about === "cpl_ratio" ? 1 / (1 + (ratio / value) ** 4) : p,
      atLeast: (about, value) => about === "cpl_ratio" ? 1 / (1 + (value / ratio) ** 4) : p,
      ratio: () => ratio,
      isBest: () => isBest,
    },
  });
});
const anyPast = fc.array(
  fc.record({
    id: fc.nat(),
    rule: fc.constantFrom(...RULES),
    status: fc.constantFrom("active", "applied", "dismissed", "expired", "superseded"),
    priority: fc.integer({ min: 1, max: 10 }),
    confidence_score: probability,
    daysAgo: fc.nat(20),
  }).map(({ rule, daysAgo, ...rest }): Past => {
    const at = NOW.getTime() - daysAgo * 86_400_000;
    return {
      ...rest,
      recommendation_type: rule.type,
      reason_code: rule.name,
      as_of: new Date(at - 86_400_000).toISOString().slice(0, 10),
      expires_at: new Date(at + rule.expiresAfterDays * 86_400_000),
      applied_at: rest.status === "applied" ? new Date(at) : null,
      claim: { about: "cpl_ratio", at_most: 0.7 },
    };
  }),
  { maxLength: 3 },
);

Deno.test("decide() never contradicts itself, exceeds the step or the number, or ignores a guardrail", () => {
  const engine = createEngine(readAccountSettings({}), "USD");
  const stanceOf = new Map(RULES.map(({ name, stance }) => [name, stance]));
  fc.assert(
    fc.property(anyFacts, anyPast, fc.boolean(), (facts, past, force) => {
      const { advice, superseded } = engine.decide({
        facts,
        posterior: POSTERIOR,
        asOf: AS_OF,
        past,
        at: NOW,
        force,
      });
      const kept = past.filter(({ id, status, expires_at }) =>
        status === "active" && expires_at > NOW && !superseded.includes(id)
      );
      const rules = [
        ...kept.map((each) => each.reason_code),
        ...advice.map((a) => a.reasoning.rule),
      ];
      const stances = rules.map((rule) => stanceOf.get(rule));
      if (advice.length === 0) return;
      const opposites = [["more", "less"], ["stop", "more"], ["stop", "less"], ["stop", "change"]];
      for (const pair of opposites) {
        const isTold = pair.every((stance) =>
          advice.some((a) => stanceOf.get(a.reasoning.rule) === stance)
        );
        assertEquals(isTold, false, pair.join());
      }
      assertEquals(stances.filter((stance) => stance === "stop").length <= 1, true);
      const kinds = advice.map(({ kind }) => kind);
      assertEquals(new Set(kinds).size, kinds.length);
      assert(advice.length + (force ? kept.length : 0) <= Math.max(3, kept.length));
      assert(!facts.isLearning && (facts.features.days_active ?? 0) >= 3);
      for (const { reasoning: { suggestion, entity_id } } of advice) {
        assertEquals(entity_id, facts.entityId);
        if (suggestion.change === "budget") assert(Math.abs(suggestion.percent) <= 20);
      }
    }),
    { numRuns: 3000, seed: 5 },
  );
});
