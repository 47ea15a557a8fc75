/** The rules of ads: what people see. */
import { z } from "@hono/zod-openapi";
import type { Claim } from "./claim.ts";
import { recoveryEffect, shiftEffect } from "./effect.ts";
import { count, percentage, probability, ratio, share } from "./limits.ts";
import { defineRule, type Rule } from "./rule.ts";

/** By how much a winner is assumed to grow, by what the ads beside it give up. */
const MOVED_PERCENT = 20;

const OF_ADS = {
  levels: ["ad"],
  movesMoney: false,
  expiresAfterDays: 7,
} as const;

/** In the order in which they win where all else is equal. */
export const CREATIVE_RULES: Rule[] = [
  defineRule({
    ...OF_ADS,
    type: "CREATIVE_WINNER",
    name: "creative_winner",
    stance: "more",
    limits: z.strictObject({
      times_siblings: ratio(0.7),
      probability: probability(0.8),
      chance_among_equals: probability(0.1),
      leads_7d: count(3),
      priority: count(7),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_by_siblings", at_most: limits.times_siblings } as const;
      return facts.isActive && check.feature("leads_7d", ">=", limits.leads_7d) &&
          check.claim(claim, limits.probability) &&
          check.number(
            "chance_among_equals",
            facts.beliefs.chanceAmongEquals("best"),
            "<=",
            limits.chance_among_equals,
          )
        ? {
          claim,
          priority: limits.priority,
          suggestion: { change: "advice", action: "build_on_winner" },
        }
        : null;
    },
    effect: (facts, _, elasticity) => shiftEffect(facts, MOVED_PERCENT, elasticity),
    texts: {
      en: (words) => ({
        title: `Build on ${words.name}, a winner`,
        because: `A lead from the ads beside it costs about ${words.siblingsCpl}.`,
        steps: [
          "Move spend to it from the ads beside it",
          "Make two or three variants that keep what it does differently",
          "Use it in other ad sets with the same offer",
        ],
      }),
      pt: (words) => ({
        title: `Aproveitar ${words.name}, um vencedor`,
        because: `Um lead dos anúncios ao lado custa cerca de ${words.siblingsCpl}.`,
        steps: [
          "Passe gasto dos anúncios ao lado para ele",
          "Crie duas ou três variações que mantenham o que ele tem de diferente",
          "Use-o em outros conjuntos com a mesma oferta",
        ],
      }),
    },
  }),
  defineRule({
    ...OF_ADS,
    type: "CREATIVE_REFRESH",
    name: "creative_refresh",
    stance: "change",
    limits: z.strictObject({
      frequency_7d: ratio(3),
      ctr_trend: percentage(-10),
      cpl_trend: percentage(15),
      /** What part of the change the truth has to have at least, and how surely. */
      true_share: share(0.5),
      probability: probability(0.9),
      priority: count(5),
      priority_both: count(6),
    }),
    fires(facts, limits, check) {
      if (!facts.isActive || !check.feature("frequency_7d", ">=", limits.frequency_7d)) return null;
      const ctr: Claim = { about: "ctr_change", at_most: limits.ctr_trend * limits.true_share };
      const cpl: Claim = { about: "cpl_change", at_least: limits.cpl_trend * limits.true_share };
      const ctrFell = check.feature("ctr_trend", "<", limits.ctr_trend) &&
        check.claim(ctr, limits.probability);
      const cplRose = check.feature("cpl_trend", ">", limits.cpl_trend) &&
        check.claim(cpl, limits.probability);
      if (!ctrFell && !cplRose) return null;
      return {
        claim: ctrFell ? ctr : cpl,
        priority: ctrFell && cplRose ? limits.priority_both : limits.priority,
        suggestion: { change: "advice", action: "refresh_creative" },
      };
    },
    effect: (facts, { claim }) =>
      claim.about === "cpl_change" || claim.about === "ctr_change"
        ? recoveryEffect(facts, claim.about)
        : null,
    texts: {
      en: (words) => ({
        title: `Refresh the creative ${words.ofName}`,
        because:
          `Who saw it saw it at least ${words.number("frequency_7d")} times in 7 days, and ` +
          (words.claim.about === "ctr_change"
            ? `its CTR is ${words.change("ctr_trend")} against the week before.`
            : `a lead costs ${words.change("cpl_trend")} against the week before.`),
        steps: [
          "Keep the offer and show it in a new picture, video or opening line",
          "Run the new version beside the old one before you stop that",
        ],
      }),
      pt: (words) => ({
        title: `Renovar o criativo ${words.ofName}`,
        because: `Quem o viu o viu pelo menos ${words.number("frequency_7d")} vezes em 7 dias, e ` +
          (words.claim.about === "ctr_change"
            ? `o CTR está ${words.change("ctr_trend")} em relação à semana anterior.`
            : `um lead custa ${words.change("cpl_trend")} em relação à semana anterior.`),
        steps: [
          "Mantenha a oferta e mostre-a com outra imagem, vídeo ou abertura",
          "Rode a nova versão ao lado da antiga antes de parar a antiga",
        ],
      }),
    },
  }),
  defineRule({
    ...OF_ADS,
    type: "CREATIVE_TEST",
    name: "creative_test",
    stance: "change",
    limits: z.strictObject({
      ratio_min: ratio(0.9),
      ratio_max: ratio(1.2),
      // As sure as the least sure of the other rules has to be.
      probability: probability(0.7),
      impressions_7d: count(1000),
      priority: count(4),
    }),
    fires(facts, limits, check) {
      const claim = {
        about: "cpl_ratio",
        at_least: limits.ratio_min,
        at_most: limits.ratio_max,
      } as const;
      return facts.isActive && check.feature("impressions_7d", ">=", limits.impressions_7d) &&
          check.feature("cpl_std_7d", ">", 0) &&
          check.claim(claim, limits.probability)
        ? {
          claim,
          priority: limits.priority,
          suggestion: { change: "advice", action: "test_creative" },
        }
        : null;
    },
    texts: {
      en: (words) => ({
        title: `Test a variant ${words.ofName}`,
        because:
          `It costs about what a lead may cost, and enough people see it to tell whether a ` +
          `variant does better: ${words.count("impressions_7d")} impressions in 7 days.`,
        steps: [
          "Change one thing: the opening, the picture or the call to action",
          "Give both versions the same audience and budget until one of them is better",
        ],
      }),
      pt: (words) => ({
        title: `Testar uma variação ${words.ofName}`,
        because: `Custa mais ou menos o que um lead pode custar, e gente suficiente o vê para ` +
          `saber se uma variação vai melhor: ${
            words.count("impressions_7d")
          } impressões em 7 dias.`,
        steps: [
          "Mude uma coisa só: a abertura, a imagem ou a chamada",
          "Dê às duas versões o mesmo público e orçamento até uma ser melhor",
        ],
      }),
    },
  }),
];
