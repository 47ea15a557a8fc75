/** What a reasoning says in words. */
import { LEVEL_FACTS } from "../level.ts";
import type { Claim } from "./claim.ts";
import type { FeatureName } from "./facts.ts";
import type { Reasoning } from "./reasoning.ts";

/** The languages that recommendations are written in. */
export const LANGUAGES = ["en", "pt"] as const;

/** One of them. */
export type Language = typeof LANGUAGES[number];

/** What the texts of a rule are made of. */
export type Words = {
  /** The entity's name, in quotes, with what it is. */
  name: string;
  claim: Claim;
  /** The title of any advice about a budget. */
  budgetTitle: string;
  siblingsCpl: string;
  accountConversionRate: string;
  /** Numbers that the rule compared, or features, by their names. */
  count(name: string): string;
  number(name: string): string;
  money(name: FeatureName): string;
  /** A rate in percent. */
  rate(name: FeatureName): string;
  /** A fraction. */
  share(name: FeatureName): string;
  /** A trend, as so many percent more or less. */
  change(name: FeatureName): string;
};

/** A vocabulary: what is said of all recommendations alike. */
type Vocabulary = {
  locale: string;
  level: Record<Reasoning["entity_type"], string>;
  budgetTitle(
    name: string,
    percent: string,
    holder: "itself" | "above" | "unknown",
    isMore: boolean,
  ): string;
  budgetSteps: Record<Reasoning["entity_type"] | "unknown", (percent: string) => string[]>;
  change(percent: string, isMore: boolean): string;
  cost(low: string, high: string, ratio: string, reference: string): string;
  claim(claim: Claim, sure: string, bound: (percent: number) => string): string;
  effect(leads: string, spend: string | null, assumption: string): string;
  leads(low: string, high: string, isMore: boolean | null): string;
  spend(amount: string, isMore: boolean): string;
  elsewhere(leads: string): string;
  assumptions: Record<NonNullable<Reasoning["effect"]>["assumption"], string>;
};

const VOCABULARIES: Record<Language, Vocabulary> = {
  en: {
    locale: "en-US",
    level: { campaign: "campaign", adset: "ad set", ad: "ad" },
    budgetTitle: (name, percent, holder, isMore) =>
      holder === "itself"
        ? `${isMore ? "Raise" : "Lower"} the budget of ${name} by ${percent}`
        : holder === "above"
        ? `Let ${name} have ${isMore ? "more" : "less"} of the budget above it`
        : `${isMore ? "Raise" : "Lower"} the budget that pays for ${name} by ${percent}`,
    budgetSteps: {
      campaign: () => [],
      adset: () => [
        "The campaign holds the budget: set a higher minimum or maximum spend for this ad set",
        "Or stop weaker ad sets beside it",
      ],
      ad: () => [
        "An ad has no budget of its own: stop weaker ads beside it",
        "Or give it an ad set of its own",
      ],
      unknown: (percent) => [
        "See whether the campaign or the ad set holds the budget",
        `Change that one by at most ${percent}, and wait three days before the next step`,
      ],
    },
    change: (percent, isMore) => `${percent} ${isMore ? "more" : "less"}`,
    cost: (low, high, ratio, reference) =>
      `A lead truly costs ${low} to ${high}, 80 % sure: about ${ratio} times the reference of ` +
      `${reference}.`,
    claim: ({ about, at_least, at_most }, sure, bound) => {
      const range = at_least !== undefined && at_most !== undefined
        ? `${bound(at_least)} to ${bound(at_most)}`
        : at_least !== undefined
        ? `at least ${bound(at_least)}`
        : `at most ${bound(at_most ?? 0)}`;
      return `${sure} sure: ` + {
        cpl_ratio: `a lead truly costs ${range} times the reference.`,
        cpl_by_siblings: `a lead truly costs ${range} times what it costs beside it.`,
        cpl_change: `a lead truly costs at least ${
          bound(at_least ?? 0)
        } more than the week before.`,
        ctr_change: `the CTR truly is at least ${
          bound(-(at_most ?? 0))
        } lower than the week before.`,
      }[about];
    },
    effect: (leads, spend, assumption) =>
      `Expected in a week, 80 % sure: ${leads}${
        spend === null ? "" : `, ${spend}`
      }, ${assumption}.`,
    leads: (low, high, isMore) =>
      isMore === null
        ? `${low} to ${high} leads more`
        : `${low} to ${high} leads ${isMore ? "more" : "fewer"}`,
    spend: (amount, isMore) => `${amount} ${isMore ? "more" : "less"} spent`,
    elsewhere: (leads) => `At the reference the same money buys about ${leads} leads.`,
    assumptions: {
      diminishing_returns: "if more money buys leads at a rising price",
      all_lost: "if nothing else takes its place",
      as_before: "if it does as before",
      back_to_reference: "if its cost comes back to the reference",
    },
  },
  pt: {
    locale: "pt-BR",
    level: { campaign: "campanha", adset: "conjunto de anúncios", ad: "anúncio" },
    budgetTitle: (name, percent, holder, isMore) =>
      holder === "itself"
        ? `${isMore ? "Aumentar" : "Reduzir"} o orçamento de ${name} em ${percent}`
        : holder === "above"
        ? `Dar a ${name} ${isMore ? "mais" : "menos"} do orçamento acima`
        : `${isMore ? "Aumentar" : "Reduzir"} o orçamento que paga ${name} em ${percent}`,
    budgetSteps: {
      campaign: () => [],
      adset: () => [
        "A campanha tem o orçamento: defina um gasto mínimo ou máximo maior para este conjunto",
        "Ou pare conjuntos mais fracos ao lado",
      ],
      ad: () => [
        "Um anúncio não tem orçamento próprio: pare anúncios mais fracos ao lado",
        "Ou dê a ele um conjunto próprio",
      ],
      unknown: (percent) => [
        "Veja se o orçamento está na campanha ou no conjunto de anúncios",
        `Mude esse em no máximo ${percent} e espere três dias até o próximo passo`,
      ],
    },
    change: (percent, isMore) => `${percent} ${isMore ? "a mais" : "a menos"}`,
    cost: (low, high, ratio, reference) =>
      `Um lead custa de verdade entre ${low} e ${high}, com 80 % de certeza: cerca de ${ratio} ` +
      `vezes a referência de ${reference}.`,
    claim: ({ about, at_least, at_most }, sure, bound) => {
      const range = at_least !== undefined && at_most !== undefined
        ? `de ${bound(at_least)} a ${bound(at_most)}`
        : at_least !== undefined
        ? `pelo menos ${bound(at_least)}`
        : `no máximo ${bound(at_most ?? 0)}`;
      return `${sure} de certeza: ` + {
        cpl_ratio: `um lead custa de verdade ${range} vezes a referência.`,
        cpl_by_siblings: `um lead custa de verdade ${range} vezes o que custa ao lado.`,
        cpl_change: `um lead custa de verdade pelo menos ${
          bound(at_least ?? 0)
        } mais que na semana anterior.`,
        ctr_change: `o CTR está de verdade pelo menos ${
          bound(-(at_most ?? 0))
        } menor que na semana anterior.`,
      }[about];
    },
    effect: (leads, spend, assumption) =>
      `Esperado em uma semana, com 80 % de certeza: ${leads}` +
      `${spend === null ? "" : `, ${spend}`}, ${assumption}.`,
    leads: (low, high, isMore) =>
      isMore === null
        ? `de ${low} a ${high} leads a mais`
        : `de ${low} a ${high} leads ${isMore ? "a mais" : "a menos"}`,
    spend: (amount, isMore) => `${amount} ${isMore ? "a mais" : "a menos"} de gasto`,
    elsewhere: (leads) => `Pela referência o mesmo dinheiro compra cerca de ${leads} leads.`,
    assumptions: {
      diminishing_returns: "se mais dinheiro compra leads cada vez mais caros",
      all_lost: "se nada ficar no lugar",
      as_before: "se for como antes",
      back_to_reference: "se o custo voltar à referência",
    },
  },
};

/** The words for a reasoning in a language, and the sentences that all recommendations have. */
export function wordsFor(reasoning: Reasoning, language: Language): {
  words: Words;
  /** What a lead costs, how sure the claim is, and what to expect. */
  sentences: string[];
  /** How to follow advice about a budget that the entity does not hold. */
  budgetSteps: string[];
} {
  const { entity_type, entity_name, currency, claim, compared, features, suggestion } = reasoning;
  const vocabulary = VOCABULARIES[language];
  const { locale } = vocabulary;
  const plain = (value: number, digits = 0) =>
    new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(value);
  const percent = (value: number, digits = 0) => `${plain(value, digits)} %`;
  const money = (value: number) =>
    new Intl.NumberFormat(locale, { style: "currency", currency }).format(value);
  const named = (name: string) =>
    compared.find((each) => each.name === name)?.value ??
      (isFeature(reasoning, name) ? features[name] : null) ?? 0;
  const name = `${vocabulary.level[entity_type]} “${entity_name}”`;
  const change = (value: number) => vocabulary.change(percent(Math.abs(value)), value >= 0);
  const step = suggestion.change === "budget" ? suggestion.percent : 0;

  const { estimate, effect, probability } = reasoning;
  // Nothing is certain.
  const sure = probability > 0.99 ? `> ${percent(99)}` : percent(100 * probability);
  const isChange = claim.about === "cpl_change" || claim.about === "ctr_change";
  const sentences = [
    vocabulary.cost(
      money(estimate.cpl_low_80),
      money(estimate.cpl_high_80),
      plain(estimate.cpl_ratio, 2),
      money(estimate.reference),
    ),
    vocabulary.claim(claim, sure, (value) => isChange ? percent(value) : plain(value, 2)),
  ];
  if (effect !== null) {
    const { low, high } = effect.leads_per_week;
    const isLess = high <= 0;
    const [least, most] = isLess ? [-high, -low] : [low, high];
    const spend = effect.spend_per_week;
    sentences.push(vocabulary.effect(
      vocabulary.leads(plain(least, 1), plain(most, 1), low < 0 && high > 0 ? null : !isLess),
      spend === 0 ? null : vocabulary.spend(money(Math.abs(spend)), spend > 0),
      vocabulary.assumptions[effect.assumption],
    ));
  }
  if (effect?.assumption === "all_lost") {
    sentences.push(vocabulary.elsewhere(plain(-effect.spend_per_week / estimate.reference, 1)));
  }
  return {
    words: {
      name,
      claim,
      budgetTitle: vocabulary.budgetTitle(
        name,
        percent(Math.abs(step)),
        holderOf(reasoning),
        step > 0,
      ),
      siblingsCpl: money(reasoning.siblings?.cpl ?? 0),
      accountConversionRate: percent(reasoning.account.conversion_rate_7d ?? 0, 1),
      count: (name) => plain(named(name)),
      number: (name) => plain(named(name), 1),
      money: (name) => money(features[name] ?? 0),
      rate: (name) => percent(features[name] ?? 0, 2),
      share: (name) => percent(100 * (features[name] ?? 0)),
      change: (name) => change(features[name] ?? 0),
    },
    sentences,
    budgetSteps: suggestion.change === "budget"
      ? vocabulary.budgetSteps[holderOf(reasoning) === "unknown" ? "unknown" : entity_type](
        percent(Math.abs(step)),
      )
      : [],
  };
}

/** Where the budget stands that pays for the entity. */
export function holderOf({ entity_type, budget }: Reasoning): "itself" | "above" | "unknown" {
  if (!LEVEL_FACTS[entity_type].canHoldBudget) return "above";
  if (budget.holder === null) return "unknown";
  return budget.holder === entity_type ? "itself" : "above";
}

function isFeature({ features }: Reasoning, name: string): name is FeatureName {
  return name in features;
}
