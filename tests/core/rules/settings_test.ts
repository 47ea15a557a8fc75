import { assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { RULES } from "../../../core/rules/rules.ts";
import { overrideSettings, readAccountSettings } from "../../../core/rules/settings.ts";

Deno.test("readAccountSettings() has the limits of the table when nothing is overridden", () => {
  const { language, guardrails, rules } = readAccountSettings({});
  assertEquals([language, guardrails.budget_step_percent, guardrails.cooldown_hours], [
    "en",
    20,
    72,
  ]);
  assertEquals(Object.keys(rules).sort(), RULES.map(({ name }) => name).sort());
  assertEquals(rules.scale_up, {
    ratio: 0.7,
    probability: 0.8,
    leads_7d: 3,
    days_with_leads_7d: 4,
    cpl_trend: 10,
    step_percent: 20,
    priority: 7,
    ratio_urgent: 0.6,
    ratio_most_urgent: 0.5,
  });
});

Deno.test("readAccountSettings() keeps what is overridden and the defaults beside it", () => {
  const { language, guardrails, rules } = readAccountSettings({
    language: "pt",
    guardrails: { cooldown_hours: 24 },
    rules: { scale_up: { probability: 0.9 } },
  });
  assertEquals([language, guardrails.cooldown_hours, guardrails.days_active], ["pt", 24, 3]);
  assertEquals([rules.scale_up?.probability, rules.scale_up?.ratio], [0.9, 0.7]);
});

const WRONG: [what: string, overrides: unknown, message: RegExp][] = [
  ["an unknown rule", { rules: { scale: {} } }, /rules: .*"scale"/],
  ["an unknown limit", { rules: { scale_up: { probabilty: 0.9 } } }, /scale_up: .*"probabilty"/],
  ["a probability above 1", { rules: { scale_up: { probability: 80 } } }, /scale_up\.probability/],
  ["a text for a number", { guardrails: { cooldown_hours: "72" } }, /guardrails\.cooldown_hours/],
  ["an unknown language", { language: "de" }, /language/],
  ["elasticities out of order", { returns: { low: 0.9 } }, /returns: low, expected and high/],
  ["something else than an object", [], /expected object/],
];

for (const [what, overrides, message] of WRONG) {
  Deno.test(`readAccountSettings() refuses ${what} with the reason`, () => {
    const error = assertThrows(() => readAccountSettings(overrides), Refusal);
    assertEquals(message.test(error.message), true, error.message);
  });
}

Deno.test("overrideSettings() sets values by their paths and keeps the others", () => {
  const before = { language: "pt", rules: { scale_up: { probability: 0.9 } } };
  assertEquals(
    overrideSettings(before, [
      [["rules", "scale_up", "leads_7d"], 5],
      [["guardrails", "cooldown_hours"], 24],
    ]),
    {
      language: "pt",
      rules: { scale_up: { probability: 0.9, leads_7d: 5 } },
      guardrails: { cooldown_hours: 24 },
    },
  );
});

Deno.test("overrideSettings() goes back to the default without leaving a trace", () => {
  const before = { language: "pt", rules: { scale_up: { probability: 0.9 } } };
  const path = ["rules", "scale_up", "probability"];
  assertEquals(overrideSettings(before, [[path, undefined]]), { language: "pt" });
  assertEquals(overrideSettings({ language: "pt" }, [[["language"], undefined]]), {});
});
