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
  /** The entity's name, in quotes, with what it is: after a verb, after "of", and after "to". */
  name: string;
  ofName: string;
  toName: string;
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
  /** A trend, as so many percent more or less, and of a count more or fewer. */
  change(name: FeatureName): string;
  countChange(name: FeatureName): string;
};

/** A vocabulary: what is said of all recommendations alike. */
type Vocabulary = {
  locale: string;
  level: Record<Reasoning["entity_type"], { name: string; of: string; to: string }>;
  budgetTitle(
    names: Pick<Words, "name" | "ofName" | "toName">,
    percent: string,
    holder: "itself" | "above" | "unknown",
    isMore: boolean,
  ): string;
  budgetSteps: Record<Reasoning["entity_type"] | "unknown", (percent: string) => string[]>;
  change(percent: string, isMore: boolean): string;
  countChange(percent: string, isMore: boolean): string;
  cost(low: string, high: string, ratio: string, reference: string): string;
  claim(claim: Claim, sure: string, number: (value: number) => string): string;
  effect(leads: string, spend: string | null, assumption: string): string;
  leads(low: string, high: string, isMore: boolean | null): string;
  spend(amount: string, isMore: boolean): string;
  lost(low: string, high: string, spend: string, elsewhere: string): string;
  assumptions: Record<NonNullable<Reasoning["effect"]>["assumption"], string>;
};

const VOCABULARIES: Record<Language, Vocabulary> = {
  en: {
    locale: "en-US",
    level: {
      campaign: { name: "campaign", of: "of campaign", to: "campaign" },
      adset: { name: "ad set", of: "of ad set", to: "ad set" },
      ad: { name: "ad", of: "of ad", to: "ad" },
    },
    budgetTitle: ({ name, ofName, toName }, percent, holder, isMore) =>
      holder === "itself"
        ? `${isMore ? "Raise" : "Lower"} the budget ${ofName} by ${percent}`
        : holder === "above"
        ? `Let ${toName} have ${percent} ${isMore ? "more" : "less"} of the budget above it`
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
    countChange: (percent, isMore) => `${percent} ${isMore ? "more" : "fewer"}`,
    cost: (low, high, ratio, reference) =>
      `A lead probably costs ${low} to ${high} (80 % sure), about ${ratio} times the reference of ` +
      `${reference}.`,
    claim: ({ about, at_least, at_most }, sure, number) => {
      const range = at_least !== undefined && at_most !== undefined
        ? `${number(at_least)} to ${number(at_most)} times `
        : at_least !== undefined
        ? `at least ${at_least === 1 ? "" : `${number(at_least)} times `}`
        : `at most ${at_most === 1 ? "" : `${number(at_most ?? 0)} times `}`;
      return `${sure} sure: ` + {
        cpl_ratio: `a lead truly costs ${range}the reference.`,
        cpl_by_siblings: `a lead truly costs ${range}what it costs beside it.`,
        cpl_change: `a lead truly costs at least ${
          number(at_least ?? 0)
        } % more than the week before.`,
        ctr_change: `the CTR truly is at least ${
          number(-(at_most ?? 0))
        } % lower than the week before.`,
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
    lost: (low, high, spend, elsewhere) =>
      `Left running, a week of it brings ${low} to ${high} leads for ${spend}, 80 % sure; at the ` +
      `reference that money buys about ${elsewhere}.`,
    assumptions: {
      diminishing_returns: "if more money buys leads at a rising price",
      all_lost: "if nothing takes its place",
      as_before: "if it does as before",
      back_to_reference: "if its cost comes back to the reference",
    },
  },
  pt: {
    locale: "pt-BR",
    level: {
      campaign: { name: "a campanha", of: "da campanha", to: "à campanha" },
      adset: {
        name: "o conjunto de anúncios",
        of: "do conjunto de anúncios",
        to: "ao conjunto de anúncios",
      },
      ad: { name: "o anúncio", of: "do anúncio", to: "ao anúncio" },
    },
    budgetTitle: ({ name, ofName, toName }, percent, holder, isMore) =>
      holder === "itself"
        ? `${isMore ? "Aumentar" : "Reduzir"} o orçamento ${ofName} em ${percent}`
        : holder === "above"
        ? `Dar ${toName} ${percent} ${isMore ? "a mais" : "a menos"} do orçamento acima`
        : `${isMore ? "Aumentar" : "Reduzir"} em ${percent} o orçamento que paga ${name}`,
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
    countChange: (percent, isMore) => `${percent} ${isMore ? "a mais" : "a menos"}`,
    cost: (low, high, ratio, reference) =>
      `Um lead provavelmente custa entre ${low} e ${high} (80 % de certeza), cerca de ${ratio} ` +
      `vezes a referência de ${reference}.`,
    claim: ({ about, at_least, at_most }, sure, number) => {
      const range = at_least !== undefined && at_most !== undefined
        ? `de ${number(at_least)} a ${number(at_most)} vezes `
        : at_least !== undefined
        ? `pelo menos ${at_least === 1 ? "" : `${number(at_least)} vezes `}`
        : `no máximo ${at_most === 1 ? "" : `${number(at_most ?? 0)} vezes `}`;
      return `${sure} de certeza: ` + {
        cpl_ratio: `um lead custa de verdade ${range}a referência.`,
        cpl_by_siblings: `um lead custa de verdade ${range}o que custa ao lado.`,
        cpl_change: `um lead custa de verdade pelo menos ${number(at_least ?? 0)} % mais que na ` +
          `semana anterior.`,
        ctr_change: `o CTR está de verdade pelo menos ${number(-(at_most ?? 0))} % menor que na ` +
          `semana anterior.`,
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
    lost: (low, high, spend, elsewhere) =>
      `Se continuar, uma semana traz de ${low} a ${high} leads por ${spend}, com 80 % de certeza; ` +
      `pela referência esse dinheiro compra cerca de ${elsewhere}.`,
    assumptions: {
      diminishing_returns: "se mais dinheiro compra leads cada vez mais caros",
      all_lost: "se nada ficar no lugar",
      as_before: "se for como antes",
      back_to_reference: "se o custo voltar à referência",
    },
  },
};

const formats = new Map<string, Intl.NumberFormat>();

/** How numbers with so many digits or amounts of a currency are written; kept, as making it is slow. */
function formatOf(locale: string, of: number | string): Intl.NumberFormat {
  return formats.getOrInsertComputed(
    `${locale} ${of}`,
    () =>
      new Intl.NumberFormat(
        locale,
        typeof of === "number"
          ? { maximumFractionDigits: of, signDisplay: "negative" }
          : { style: "currency", currency: of },
      ),
  );
}

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
  const plain = (value: number, digits = 0) => formatOf(locale, digits).format(value);
  const percent = (value: number, digits = 0) => `${plain(value, digits)} %`;
  const money = (value: number) => formatOf(locale, currency).format(value);
  const named = (name: string) =>
    compared.find((each) => each.name === name)?.value ??
      features[name] ?? 0;
  const level = vocabulary.level[entity_type];
  const names = {
    name: `${level.name} “${entity_name}”`,
    ofName: `${level.of} “${entity_name}”`,
    toName: `${level.to} “${entity_name}”`,
  };
  const change = (value: number) => vocabulary.change(percent(Math.abs(value)), value >= 0);
  const step = suggestion.change === "budget" ? suggestion.percent : 0;

  const { estimate, effect, probability } = reasoning;
  // Nothing is certain.
  const sure = probability > 0.99 ? `> ${percent(99)}` : percent(100 * probability);
  const sentences = [
    vocabulary.cost(
      money(estimate.cpl_low_80),
      money(estimate.cpl_high_80),
      plain(estimate.cpl_ratio, 2),
      money(estimate.reference),
    ),
    vocabulary.claim(claim, sure, (value) => plain(value, 2)),
  ];
  if (effect !== null) {
    const { low, high } = effect.leads_per_week;
    const isLess = high <= 0;
    const [least, most] = isLess ? [-high, -low] : [low, high];
    const spend = effect.spend_per_week;
    sentences.push(
      effect.assumption === "all_lost"
        ? vocabulary.lost(
          plain(least, 1),
          plain(most, 1),
          money(-spend),
          plain(-spend / estimate.reference, 1),
        )
        : vocabulary.effect(
          vocabulary.leads(plain(least, 1), plain(most, 1), low < 0 && high > 0 ? null : !isLess),
          spend === 0 ? null : vocabulary.spend(money(Math.abs(spend)), spend > 0),
          vocabulary.assumptions[effect.assumption],
        ),
    );
  }
  return {
    words: {
      ...names,
      claim,
      budgetTitle: vocabulary.budgetTitle(
        names,
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
      countChange: (name) => {
        const value = features[name] ?? 0;
        return vocabulary.countChange(percent(Math.abs(value)), value >= 0);
      },
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
