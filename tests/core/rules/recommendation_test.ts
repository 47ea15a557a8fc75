import { assert, assertEquals, assertMatch } from "@std/assert";
import { createEngine } from "../../../core/rules/engine.ts";
import type { Facts } from "../../../core/rules/facts.ts";
import type { Reasoning } from "../../../core/rules/reasoning.ts";
import { tell } from "../../../core/rules/recommendation.ts";
import { RULES } from "../../../core/rules/rules.ts";
import { readAccountSettings } from "../../../core/rules/settings.ts";
import { LANGUAGES } from "../../../core/rules/words.ts";
import { factsOf } from "./facts.ts";

/** The reasoning of the only rule that fires. */
function reason(facts: Facts, currency = "USD"): Reasoning {
  const { advice: [advice] } = createEngine(readAccountSettings({}), currency).decide({
    facts,
    posterior: { alpha: 20, beta: 400 },
    asOf: "2026-03-10",
    past: [],
    at: new Date("2026-03-11T07:00:00Z"),
  });
  if (!advice) throw new Error("Nothing fires");
  return advice.reasoning;
}

const SCALE_UP = {
  entityType: "adset",
  entityId: "21",
  name: "Parents",
  budget: { holder: "adset", daily: 50, lifetime: null },
  believed: { "cpl_ratio <= 0.7": 0.934 },
  beliefs: { ratio: () => 0.62, cpl: () => ({ low: 9.5, median: 12.4, high: 15.9 }) },
} as const;

Deno.test("tell() writes a budget change with numbers, the currency and what to expect", () => {
  const { title, description, suggested_action } = tell(reason(factsOf(SCALE_UP)), "en");
  assertEquals(title, "Raise the budget of ad set “Parents” by 20 %");
  assertEquals(
    description,
    "It brought 7 leads in 7 days, on 5 of them. A lead probably costs $9.50 to $15.90 (80 % sure), " +
      "about 0.62 times the reference of $20.00. 93 % sure: a lead truly costs at most 0.7 times " +
      "the reference. Expected in a week, 80 % sure: 1 to 2.8 leads more, $28.00 more spent, if " +
      "more money buys leads at a rising price.",
  );
  assertEquals({ ...suggested_action, expected_effect: null }, {
    field: "daily_budget",
    change_type: "percentage",
    change_value: 20,
    current_value: 50,
    new_value: 60,
    target_entity_type: "adset",
    target_entity_id: "21",
    expected_effect: null,
  });
});

Deno.test("tell() writes Portuguese with its numbers and currency", () => {
  const { title, description } = tell(reason(factsOf(SCALE_UP), "BRL"), "pt");
  assertEquals(title, "Aumentar o orçamento do conjunto de anúncios “Parents” em 20 %");
  assertMatch(description, /Trouxe 7 leads em 7 dias/);
  assertMatch(description, /R\$\s9,50 e R\$\s15,90/);
});

Deno.test("tell() takes a lifetime budget where that is what is held", () => {
  const budget = { holder: "adset", daily: null, lifetime: 900 } as const;
  const { suggested_action } = tell(reason(factsOf({ ...SCALE_UP, budget })), "en");
  assertEquals(
    [suggested_action.field, suggested_action.new_value],
    ["lifetime_budget", 1080],
  );
});

Deno.test("tell() changes no field of a budget that is held elsewhere, or of which nothing is known", () => {
  const heldBy = (holder: "campaign" | null) => {
    const budget = { holder, daily: null, lifetime: null };
    const { title, suggested_action } = tell(reason(factsOf({ ...SCALE_UP, budget })), "en");
    return [
      title,
      suggested_action.field,
      suggested_action.action,
      suggested_action.target_entity_id,
    ];
  };
  assertEquals(heldBy("campaign"), [
    "Let ad set “Parents” have 20 % more of the budget above it",
    undefined,
    "shift_budget",
    "21",
  ]);
  assertEquals(heldBy(null), [
    "Raise the budget that pays for ad set “Parents” by 20 %",
    undefined,
    "shift_budget",
    "21",
  ]);
});

Deno.test("tell() sets the status where something is to be stopped, and what the money buys elsewhere", () => {
  const facts = factsOf({
    believed: { "cpl_ratio >= 2.5": 0.95, "cpl_ratio >= 1.2": 1 },
    beliefs: { ratio: () => 3, cpl: () => ({ low: 50, median: 60, high: 80 }) },
  });
  const { title, description, suggested_action } = tell(reason(facts), "en");
  assertEquals(title, "Pause ad “Beach”");
  assertMatch(
    description,
    /a week of it brings 1\.8 to 2\.8 leads for \$140\.00, 80 % sure; at the reference that money buys about 7\.$/,
  );
  assertEquals([suggested_action.field, suggested_action.change_value], ["status", "PAUSED"]);
});

Deno.test("tell() names the reference itself where a claim is about once the reference", () => {
  const facts = factsOf({
    ...SCALE_UP,
    believed: { "cpl_ratio <= 1": 0.9 },
    beliefs: { ratio: () => 0.9 },
  });
  const { description } = tell(reason(facts), "en");
  assertMatch(description, /90 % sure: a lead truly costs at most the reference\./);
});

Deno.test("tell() never says that something is certain", () => {
  const believed = { "cpl_ratio <= 0.7": 0.99999 };
  const { description } = tell(reason(factsOf({ ...SCALE_UP, believed })), "en");
  assertMatch(description, /> 99 % sure: a lead truly costs/);
});

Deno.test("tell() gives the same from a reasoning that was stored and read again", () => {
  const reasoning = reason(factsOf(SCALE_UP));
  for (const language of LANGUAGES) {
    assertEquals(tell(JSON.parse(JSON.stringify(reasoning)), language), tell(reasoning, language));
  }
});

Deno.test("tell() leaves no gap in the texts of any rule", () => {
  const facts = factsOf();
  const engine = createEngine(readAccountSettings({}), "EUR");
  assert(engine.fire(facts).length === 0);
  for (const rule of RULES) {
    for (const language of LANGUAGES) {
      const claim = rule.name === "audience_review"
        ? { about: "cpl_change", at_least: 10 } as const
        : { about: "cpl_ratio", at_most: 0.7 } as const;
      const told = tell({
        ...reason(factsOf(SCALE_UP), "EUR"),
        rule: rule.name,
        claim,
        suggestion: { change: "advice", action: "try" },
      }, language);
      const all = [told.title, told.description, JSON.stringify(told.suggested_action)].join(" ");
      assertEquals(
        all.match(/undefined|null|NaN|\[object/)?.[0],
        undefined,
        `${rule.name}: ${all}`,
      );
      assert(told.title.length <= 120 && told.description.length > 80, rule.name);
    }
  }
});
