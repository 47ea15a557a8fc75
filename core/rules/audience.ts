/** The rules of ad sets: whom they reach. */
import { z } from "@hono/zod-openapi";
import { budgetEffect, recoveryEffect, referenceEffect } from "./effect.ts";
import { count, percentage, probability, ratio, share } from "./limits.ts";
import { defineRule, type Rule } from "./rule.ts";

/** By how much an audience that was widened is assumed to let an ad set grow. */
const GROWTH_PERCENT = 20;

const OF_ADSETS = {
  levels: ["adset"],
  movesMoney: false,
  expiresAfterDays: 7,
} as const;

/** In the order in which they win where all else is equal. */
export const AUDIENCE_RULES: Rule[] = [
  defineRule({
    ...OF_ADSETS,
    type: "AUDIENCE_REVIEW",
    name: "audience_review",
    stance: "change",
    limits: z.strictObject({
      leads_7d: count(2),
      cpl_trend: percentage(20),
      leads_trend: percentage(-15),
      ctr_trend: percentage(-5),
      /** What part of the change the truth has to have at least, and how surely. */
      true_share: share(0.5),
      probability: probability(0.9),
      priority: count(5),
    }),
    fires(facts, limits, check) {
      const claim = {
        about: "cpl_change",
        at_least: limits.cpl_trend * limits.true_share,
      } as const;
      return facts.isActive && check.feature("leads_7d", ">=", limits.leads_7d) &&
          check.feature("cpl_trend", ">", limits.cpl_trend) &&
          check.feature("leads_trend", "<", limits.leads_trend) &&
          check.feature("ctr_trend", ">=", limits.ctr_trend) &&
          check.claim(claim, limits.probability)
        ? {
          claim,
          priority: limits.priority,
          suggestion: { change: "advice", action: "review_audience" },
        }
        : null;
    },
    effect: (facts, { claim }) =>
      claim.about === "cpl_change" ? recoveryEffect(facts, claim.about) : null,
    texts: {
      en: (words) => ({
        title: `Review the audience ${words.ofName}`,
        because: `As many people click as before (CTR ${words.change("ctr_trend")}), but a lead ` +
          `costs ${words.change("cpl_trend")} and there are ${
            words.countChange("leads_trend")
          } leads.`,
        steps: [
          "Look at who fills in the form, and whether they are the people you want",
          "Compare the breakdown by age, gender and placement with the week before",
          "Check the landing page and the form before you change the audience",
        ],
      }),
      pt: (words) => ({
        title: `Revisar o público ${words.ofName}`,
        because: `As pessoas clicam como antes (CTR ${words.change("ctr_trend")}), mas um lead ` +
          `custa ${words.change("cpl_trend")} e há ${words.countChange("leads_trend")} leads.`,
        steps: [
          "Veja quem preenche o formulário e se são as pessoas que você quer",
          "Compare idade, gênero e posicionamento com a semana anterior",
          "Confira a página e o formulário antes de mudar o público",
        ],
      }),
    },
  }),
  defineRule({
    ...OF_ADSETS,
    type: "AUDIENCE_EXPANSION",
    name: "audience_expansion",
    stance: "more",
    limits: z.strictObject({
      ratio: ratio(0.9),
      probability: probability(0.7),
      leads_7d_min: count(1),
      leads_7d_max: count(5),
      share_of_parent_spend: share(0.3),
      priority: count(5),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_most: limits.ratio } as const;
      return facts.isActive && check.feature("leads_7d", ">=", limits.leads_7d_min) &&
          check.feature("leads_7d", "<=", limits.leads_7d_max) &&
          check.feature("share_of_parent_spend", "<", limits.share_of_parent_spend) &&
          check.claim(claim, limits.probability)
        ? {
          claim,
          priority: limits.priority,
          suggestion: { change: "advice", action: "expand_audience" },
        }
        : null;
    },
    effect: (facts, _, elasticity) => budgetEffect(facts, GROWTH_PERCENT, elasticity),
    texts: {
      en: (words) => ({
        title: `Widen the audience ${words.ofName}`,
        because: `It is cheap but small: ${words.count("leads_7d")} leads in 7 days, with ` +
          `${words.share("share_of_parent_spend")} of its campaign's spend.`,
        steps: [
          "Add a lookalike audience, or widen the one it has",
          "Remove interests that keep the audience small",
          "Leave the creatives as they are, so that the change can be judged",
        ],
      }),
      pt: (words) => ({
        title: `Ampliar o público ${words.ofName}`,
        because: `É barato mas pequeno: ${words.count("leads_7d")} leads em 7 dias, com ` +
          `${words.share("share_of_parent_spend")} do gasto da campanha.`,
        steps: [
          "Adicione um público semelhante ou amplie o atual",
          "Remova interesses que deixam o público pequeno",
          "Mantenha os criativos para poder avaliar a mudança",
        ],
      }),
    },
  }),
  defineRule({
    ...OF_ADSETS,
    type: "AUDIENCE_NARROWING",
    name: "audience_narrowing",
    stance: "less",
    limits: z.strictObject({
      ratio: ratio(1.3),
      probability: probability(0.7),
      conversion_rate: ratio(0.7),
      /** What part of the gap the truth has to have at least, and how surely. */
      true_share: share(0.5),
      rate_probability: probability(0.9),
      priority: count(5),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_least: limits.ratio } as const;
      const { ctr_7d, conversion_rate_7d } = facts.account;
      if (ctr_7d === null || conversion_rate_7d === null) return null;
      const trueRate = 1 - limits.true_share * (1 - limits.conversion_rate);
      return facts.isActive && check.feature("ctr_7d", ">=", ctr_7d) &&
          check.feature("conversion_rate_7d", "<", limits.conversion_rate * conversion_rate_7d) &&
          check.number(
            "probability_of_conversion_rate",
            facts.beliefs.rateAtMost("conversion_rate", trueRate),
            ">=",
            limits.rate_probability,
          ) &&
          check.claim(claim, limits.probability)
        ? {
          claim,
          priority: limits.priority,
          suggestion: { change: "advice", action: "narrow_audience" },
        }
        : null;
    },
    effect: referenceEffect,
    texts: {
      en: (words) => ({
        title: `Narrow the audience ${words.ofName}`,
        because: `People click (CTR ${words.rate("ctr_7d")}) but few become leads: ` +
          `${words.rate("conversion_rate_7d")} of the clicks, where the account has ` +
          `${words.accountConversionRate}.`,
        steps: [
          "Exclude people who clicked and did not sign up, and existing customers",
          "Leave out the placements and ages that click without becoming leads",
          "Say in the creative for whom the offer is",
        ],
      }),
      pt: (words) => ({
        title: `Restringir o público ${words.ofName}`,
        because: `As pessoas clicam (CTR ${words.rate("ctr_7d")}) mas poucas viram leads: ` +
          `${words.rate("conversion_rate_7d")} dos cliques, enquanto a conta tem ` +
          `${words.accountConversionRate}.`,
        steps: [
          "Exclua quem clicou e não se cadastrou, e quem já é cliente",
          "Retire posicionamentos e idades que clicam sem virar leads",
          "Diga no criativo para quem é a oferta",
        ],
      }),
    },
  }),
];
