/** The rules of all levels: budgets, stopping, and starting again. */
import { z } from "@hono/zod-openapi";
import { LEVELS } from "../level.ts";
import { count, days, percentage, probability, ratio } from "./limits.ts";
import { defineRule, type Rule } from "./rule.ts";

const BUDGET_HOLDERS = ["campaign", "adset"] as const;
const WITH_SIBLINGS = ["adset", "ad"] as const;

/** They differ in when, and suggest the same. */
const PAUSE = {
  type: "PAUSE",
  stance: "stop",
  movesMoney: true,
  expiresAfterDays: 3,
} as const;

const PAUSED = { change: "status", to: "PAUSED" } as const;

const pauseTitle = {
  en: (name: string) => `Pause ${name}`,
  pt: (name: string) => `Pausar ${name}`,
};

/** In the order in which they win where all else is equal. */
export const COMMON_RULES: Rule[] = [
  defineRule({
    ...PAUSE,
    name: "pause_without_leads",
    levels: LEVELS,
    limits: z.strictObject({
      ratio: ratio(1.5),
      probability: probability(0.95),
      priority: count(7),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_least: limits.ratio } as const;
      return facts.isActive && check.feature("leads_7d", "<=", 0) &&
          check.claim(claim, limits.probability)
        ? { claim, priority: limits.priority, suggestion: PAUSED }
        : null;
    },
    texts: {
      en: (words) => ({
        title: pauseTitle.en(words.name),
        because: `It brought no lead in 7 days, for ${words.money("spend_7d")}.`,
      }),
      pt: (words) => ({
        title: pauseTitle.pt(words.name),
        because: `Não trouxe nenhum lead em 7 dias, por ${words.money("spend_7d")}.`,
      }),
    },
  }),
  defineRule({
    ...PAUSE,
    name: "pause_expensive",
    levels: LEVELS,
    limits: z.strictObject({
      ratio: ratio(2.5),
      probability: probability(0.9),
      days_active: days(7),
      priority: count(6),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_least: limits.ratio } as const;
      return facts.isActive && check.feature("days_active", ">=", limits.days_active) &&
          check.claim(claim, limits.probability)
        ? { claim, priority: limits.priority, suggestion: PAUSED }
        : null;
    },
    texts: {
      en: (words) => ({
        title: pauseTitle.en(words.name),
        because: `It delivered on ${words.count("days_active")} days and is far too expensive.`,
      }),
      pt: (words) => ({
        title: pauseTitle.pt(words.name),
        because: `Veiculou em ${words.count("days_active")} dias e custa caro demais.`,
      }),
    },
  }),
  defineRule({
    ...PAUSE,
    name: "pause_lasting",
    levels: LEVELS,
    limits: z.strictObject({
      ratio: ratio(1.5),
      probability: probability(0.8),
      days_underperforming: days(7),
      priority: count(5),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_least: limits.ratio } as const;
      return facts.isActive &&
          check.number(
            "days_underperforming",
            facts.daysUnderperforming,
            ">=",
            limits.days_underperforming,
          ) &&
          check.claim(claim, limits.probability)
        ? { claim, priority: limits.priority, suggestion: PAUSED }
        : null;
    },
    texts: {
      en: (words) => ({
        title: pauseTitle.en(words.name),
        because: `It has been an underperformer for ${words.count("days_underperforming")} days.`,
      }),
      pt: (words) => ({
        title: pauseTitle.pt(words.name),
        because: `Está com desempenho ruim há ${words.count("days_underperforming")} dias.`,
      }),
    },
  }),
  defineRule({
    ...PAUSE,
    name: "pause_against_siblings",
    levels: WITH_SIBLINGS,
    limits: z.strictObject({
      times_siblings: ratio(2),
      probability: probability(0.9),
      chance_among_equals: probability(0.1),
      priority: count(5),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_by_siblings", at_least: limits.times_siblings } as const;
      return facts.isActive && check.claim(claim, limits.probability) &&
          check.number(
            "chance_among_equals",
            facts.beliefs.chanceAmongEquals("worst"),
            "<=",
            limits.chance_among_equals,
          )
        ? { claim, priority: limits.priority, suggestion: PAUSED }
        : null;
    },
    texts: {
      en: (words) => ({
        title: pauseTitle.en(words.name),
        because: `A lead from what runs beside it costs about ${words.siblingsCpl}.`,
      }),
      pt: (words) => ({
        title: pauseTitle.pt(words.name),
        because: `Um lead do que roda ao lado custa cerca de ${words.siblingsCpl}.`,
      }),
    },
  }),
  defineRule({
    type: "SCALE_UP",
    name: "scale_up",
    levels: LEVELS,
    stance: "more",
    movesMoney: true,
    expiresAfterDays: 7,
    limits: z.strictObject({
      ratio: ratio(0.7),
      probability: probability(0.8),
      leads_7d: count(3),
      days_with_leads_7d: days(4),
      cpl_trend: percentage(10),
      step_percent: percentage(20),
      priority: count(7),
      /** From here on one more urgent, and two. */
      ratio_urgent: ratio(0.6),
      ratio_most_urgent: ratio(0.5),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_most: limits.ratio } as const;
      if (
        !(facts.isActive && check.feature("leads_7d", ">=", limits.leads_7d) &&
          check.feature("days_with_leads_7d", ">=", limits.days_with_leads_7d) &&
          check.feature("cpl_trend", "<=", limits.cpl_trend) &&
          check.claim(claim, limits.probability))
      ) return null;
      const r = facts.beliefs.ratio();
      const urgency = r <= limits.ratio_most_urgent ? 2 : r <= limits.ratio_urgent ? 1 : 0;
      return {
        claim,
        priority: limits.priority + urgency,
        suggestion: { change: "budget", percent: limits.step_percent },
      };
    },
    texts: {
      en: (words) => ({
        title: words.budgetTitle,
        because: `It brought ${words.count("leads_7d")} leads in 7 days, ` +
          `on ${words.count("days_with_leads_7d")} of them.`,
      }),
      pt: (words) => ({
        title: words.budgetTitle,
        because: `Trouxe ${words.count("leads_7d")} leads em 7 dias, ` +
          `em ${words.count("days_with_leads_7d")} deles.`,
      }),
    },
  }),
  defineRule({
    type: "BUDGET_INCREASE",
    name: "budget_increase",
    levels: LEVELS,
    stance: "more",
    movesMoney: true,
    expiresAfterDays: 7,
    limits: z.strictObject({
      ratio_above: ratio(0.7),
      ratio: ratio(1),
      probability: probability(0.8),
      leads_7d: count(2),
      days_with_leads_7d: days(3),
      cpl_trend: percentage(15),
      step_percent: percentage(10),
      priority: count(4),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_most: limits.ratio } as const;
      return facts.isActive && check.feature("leads_7d", ">=", limits.leads_7d) &&
          check.feature("days_with_leads_7d", ">=", limits.days_with_leads_7d) &&
          check.feature("cpl_trend", "<=", limits.cpl_trend) &&
          check.feature("cpl_trend", ">=", -limits.cpl_trend) &&
          check.number("cpl_ratio", facts.beliefs.ratio(), ">", limits.ratio_above) &&
          check.number("cpl_ratio", facts.beliefs.ratio(), "<=", limits.ratio) &&
          check.claim(claim, limits.probability)
        ? {
          claim,
          priority: limits.priority,
          suggestion: { change: "budget", percent: limits.step_percent },
        }
        : null;
    },
    texts: {
      en: (words) => ({
        title: words.budgetTitle,
        because: "Its cost per lead seems to lie below the reference, and it is steady.",
      }),
      pt: (words) => ({
        title: words.budgetTitle,
        because: "O custo por lead parece estar abaixo da referência, e está estável.",
      }),
    },
  }),
  defineRule({
    type: "BUDGET_DECREASE",
    name: "budget_decrease",
    levels: BUDGET_HOLDERS,
    stance: "less",
    movesMoney: true,
    expiresAfterDays: 5,
    limits: z.strictObject({
      spend_7d_references: ratio(2),
      ratio: ratio(1.5),
      probability: probability(0.8),
      cpl_trend: percentage(0),
      step_percent: percentage(20),
      priority: count(6),
      ratio_urgent: ratio(2),
      priority_urgent: count(8),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_least: limits.ratio } as const;
      if (
        !(facts.isActive &&
          check.feature("spend_7d", ">=", limits.spend_7d_references * facts.account.reference) &&
          check.feature("cpl_trend", ">", limits.cpl_trend) &&
          check.claim(claim, limits.probability))
      ) return null;
      const isUrgent = facts.beliefs.ratio() >= limits.ratio_urgent;
      return {
        claim,
        priority: isUrgent ? limits.priority_urgent : limits.priority,
        suggestion: { change: "budget", percent: -limits.step_percent },
      };
    },
    texts: {
      en: (words) => ({
        title: words.budgetTitle,
        because: `It spent ${words.money("spend_7d")} in 7 days and became more expensive.`,
      }),
      pt: (words) => ({
        title: words.budgetTitle,
        because: `Gastou ${words.money("spend_7d")} em 7 dias e o custo subiu.`,
      }),
    },
  }),
  defineRule({
    type: "REACTIVATE",
    name: "reactivate",
    levels: LEVELS,
    stance: "start",
    movesMoney: true,
    expiresAfterDays: 14,
    limits: z.strictObject({
      ratio: ratio(1.1),
      probability: probability(0.7),
      leads_30d: count(5),
      priority: count(3),
    }),
    fires(facts, limits, check) {
      const claim = { about: "cpl_ratio", at_most: limits.ratio } as const;
      // Where something above it is stopped, it is not the one to start.
      return !facts.isActive && facts.parentIsActive &&
          check.feature("leads_30d", ">=", limits.leads_30d) &&
          check.feature("cpl_30d", "<=", limits.ratio * facts.account.reference) &&
          check.claim(claim, limits.probability)
        ? { claim, priority: limits.priority, suggestion: { change: "status", to: "ACTIVE" } }
        : null;
    },
    texts: {
      en: (words) => ({
        title: `Start ${words.name} again`,
        because: `It is stopped, and brought ${words.count("leads_30d")} leads in the last 30 ` +
          `days at ${words.money("cpl_30d")} each.`,
      }),
      pt: (words) => ({
        title: `Reativar ${words.name}`,
        because: `Está em pausa e trouxe ${words.count("leads_30d")} leads nos últimos 30 dias ` +
          `a ${words.money("cpl_30d")} cada.`,
      }),
    },
  }),
];
