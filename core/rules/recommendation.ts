/** A reasoning as people and programs read it: title, description and the change that is suggested. */
import type { Reasoning } from "./reasoning.ts";
import { RULES } from "./rules.ts";
import { holderOf, type Language, wordsFor } from "./words.ts";

/** The change that is suggested, in the words of the API. */
export type SuggestedAction = Record<string, unknown>;

/** What is told of a recommendation. */
export type Told = { title: string; description: string; suggested_action: SuggestedAction };

/**
 * Writes a recommendation in a language. Everything comes from the reasoning, so it can be written
 * again at any time.
 */
export function tell(reasoning: Reasoning, language: Language): Told {
  const rule = RULES.find(({ name }) => name === reasoning.rule);
  if (!rule) throw new Error(`There is no rule "${reasoning.rule}"`);
  const { words, sentences, budgetSteps } = wordsFor(reasoning, language);
  const { title, because, steps = budgetSteps } = rule.texts[language](words);
  return {
    title,
    description: [because, ...sentences].join(" "),
    suggested_action: suggestedAction(reasoning, steps),
  };
}

function suggestedAction(reasoning: Reasoning, steps: string[]): SuggestedAction {
  const { suggestion, budget, entity_type, entity_id, effect } = reasoning;
  const itself = { target_entity_type: entity_type, target_entity_id: entity_id };
  const expected = effect === null ? {} : { expected_effect: effect };
  switch (suggestion.change) {
    case "status":
      return {
        field: "status",
        change_type: "set",
        change_value: suggestion.to,
        ...itself,
        ...expected,
      };
    case "budget": {
      const field = budget.daily === null ? "lifetime_budget" : "daily_budget";
      const current = budget.daily ?? budget.lifetime;
      if (holderOf(reasoning) === "itself") {
        return {
          field,
          change_type: "percentage",
          change_value: suggestion.percent,
          ...(current === null ? {} : {
            current_value: current,
            new_value: Math.round(current * (100 + suggestion.percent)) / 100,
          }),
          ...itself,
          ...expected,
        };
      }
      return {
        action: "shift_budget",
        recommendations: steps,
        ...itself,
        ...expected,
      };
    }
    case "advice":
      return { action: suggestion.action, recommendations: steps, ...itself, ...expected };
  }
}
