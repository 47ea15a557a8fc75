/** From facts to recommendations: applies the rules, keeps to the guardrails, and says why. */
import type { Posterior } from "../evidence.ts";
import { type Level, LEVELS } from "../level.ts";
import { type Claim, probabilityOf } from "./claim.ts";
import { budgetEffect, type Effect, pauseEffect, reactivateEffect } from "./effect.ts";
import { type Facts, FEATURE_NAMES } from "./facts.ts";
import type { Reasoning } from "./reasoning.ts";
import type { BoundRule, Fired, Rule, Stance, Suggestion } from "./rule.ts";
import { RULES } from "./rules.ts";
import type { AccountSettings } from "./settings.ts";

/** A recommendation that was made before. */
export type Past = {
  id: number;
  recommendation_type: string;
  /** The name of its rule. */
  reason_code: string;
  status: "active" | "applied" | "dismissed" | "expired" | "superseded";
  priority: number;
  confidence_score: number;
  as_of: string;
  expires_at: Date;
  applied_at: Date | null;
  claim: Claim;
};

/** A new recommendation. */
export type Advice = {
  type: string;
  /** Of one kind an entity has one at a time. */
  kind: string;
  priority: number;
  expiresAfterDays: number;
  reasoning: Reasoning;
};

/** What becomes of the recommendations of an entity. */
export type Decision = {
  advice: Advice[];
  /** Open ones whose claim is refuted, or that give way to new ones. */
  superseded: number[];
};

/** One entity on one day, and what was advised before. */
export type Case = {
  facts: Facts;
  posterior: Posterior;
  asOf: string;
  /** All that is open, and all that was applied or dismissed and has not expired for long. */
  past: readonly Past[];
  at: Date;
  /** Whether what is open gives way. */
  force?: boolean;
};

/** The kind of all that moves an entity's money: up, down, stop and start exclude each other. */
const MONEY = "MONEY";

/** What cannot be advised together. What is to be stopped or started needs nothing else. */
const OPPOSITE: Record<Stance, readonly Stance[]> = {
  more: ["less", "stop", "start"],
  less: ["more", "stop", "start"],
  stop: ["more", "less", "start", "change"],
  start: ["more", "less", "stop", "change"],
  change: ["stop", "start"],
};

/** A smaller doubt is none. */
const LEAST_DOUBT = 0.01;

const HOUR_MS = 3_600_000;

/** Decides about the entities of one account. */
export type Engine = {
  /** All rules that fire on an entity, before the guardrails. */
  fire(facts: Facts): Fired[];
  /** The rules that fire and pass the guardrails that look at the entity alone. */
  allow(facts: Facts): Fired[];
  /** What to do about an entity, all guardrails kept. */
  decide(subject: Case): Decision;
};

/** Sets the limits of an account. */
export function createEngine(
  { guardrails, returns, rules }: AccountSettings,
  currency: string,
): Engine {
  const bound = RULES.map((rule) => rule.bind(rules[rule.name]));
  const ofLevel = new Map<Level, BoundRule[]>(
    LEVELS.map((level) => [level, bound.filter(({ rule }) => rule.levels.includes(level))]),
  );

  const fire: Engine["fire"] = (facts) =>
    (ofLevel.get(facts.entityType) ?? []).flatMap((rule) => rule.apply(facts) ?? []);

  const allow: Engine["allow"] = (facts) => {
    if (facts.isLearning || (facts.features.days_active ?? 0) < guardrails.days_active) return [];
    return fire(facts).filter(({ rule, suggestion }) =>
      // What is stopped from above can only be stopped more thoroughly.
      (!facts.isBelowPause || rule.stance === "stop") && mayFollow(suggestion, facts)
    );
  };

  const decide: Engine["decide"] = ({ facts, posterior, asOf, past, at, force = false }) => {
    const open = past.filter(({ status, expires_at }) => status === "active" && expires_at > at);
    // The same advice is given once a day, so what is of today stays; and of what was said of a later
    // day, this one knows less.
    const superseded = open.filter((each) =>
      each.as_of < asOf && (force || isRefuted(each, facts))
    );
    const kept = open.filter((each) => !superseded.includes(each));
    const advice: Advice[] = [];
    if (kept.length === 0 || force) {
      const others = kept.map(sortOf);
      for (const fired of allow(facts).toSorted(byUrgency)) {
        const sort = sortOf({ recommendation_type: fired.rule.type, reason_code: fired.rule.name });
        if (
          others.length < guardrails.recommendations_per_entity &&
          others.every((other) => fit(other, sort)) &&
          past.every((each) => leavesRoom(each, fired, facts, asOf, at))
        ) {
          others.push(sort);
          advice.push({
            type: fired.rule.type,
            kind: sort.kind,
            priority: fired.priority,
            expiresAfterDays: fired.rule.expiresAfterDays,
            reasoning: reasoningOf(fired, facts, posterior, asOf),
          });
        }
      }
    }
    return { advice, superseded: superseded.map(({ id }) => id) };
  };
  return { fire, allow, decide };

  function mayFollow(suggestion: Suggestion, { beliefs, budget, entityType }: Facts): boolean {
    if (suggestion.change === "budget" && budget.holder !== null) {
      const above = LEVELS.indexOf(entityType) - LEVELS.indexOf(budget.holder);
      // Budgets below an entity are advised about there. Of one above it, it can be left more, but
      // less only by who holds it.
      if (above < 0 || (above > 0 && suggestion.percent < 0)) return false;
    }
    if (suggestion.change !== "status" || suggestion.to !== "PAUSED") return true;
    const expensive = beliefs.atLeast("cpl_ratio", guardrails.pause_ratio) ?? 0;
    return expensive >= guardrails.pause_ratio_probability &&
      (beliefs.siblings === null || beliefs.isBest() <= guardrails.pause_best_probability);
  }

  function isRefuted({ claim }: Past, facts: Facts): boolean {
    return (probabilityOf(facts.beliefs, claim) ?? 1) < guardrails.withdrawn_probability;
  }

  /** Whether an earlier recommendation lets a new one be made. */
  function leavesRoom(past: Past, fired: Fired, facts: Facts, asOf: string, at: Date): boolean {
    const isSame = past.recommendation_type === fired.rule.type;
    if (isSame && past.as_of === asOf) return false;
    if (past.status === "applied") {
      if (isMoney(past) && fired.rule.movesMoney) {
        const cooldown = guardrails.cooldown_hours * HOUR_MS;
        const isCool = at.getTime() - (past.applied_at?.getTime() ?? 0) >= cooldown;
        // A budget may move again then; a status is what it was set to until the data say so.
        return isCool && !(isSame && fired.suggestion.change === "status" && past.expires_at > at);
      }
      return !isSame || past.expires_at <= at;
    }
    if (past.status === "dismissed" && isSame && past.expires_at > at) {
      // The doubt about what was dismissed: another rule of its type may be surer of something else.
      // What nobody doubted cannot become surer: a doubt of 1 % shrinks on any ordinary day.
      const doubt = 1 - past.confidence_score;
      const doubtNow = 1 - (probabilityOf(facts.beliefs, past.claim) ?? 0);
      return fired.priority > past.priority ||
        doubt >= LEAST_DOUBT && doubtNow <= guardrails.dismissed_doubt_share * doubt;
    }
    return true;
  }

  function reasoningOf(fired: Fired, facts: Facts, posterior: Posterior, asOf: string): Reasoning {
    const { rule, claim, probability, compared } = fired;
    const { beliefs, account } = facts;
    const suggestion = withinStep(fired.suggestion);
    const { low, median, high } = beliefs.cpl();
    return {
      rule: rule.name,
      entity_type: facts.entityType,
      entity_id: facts.entityId,
      entity_name: facts.name,
      as_of: asOf,
      currency,
      claim,
      probability,
      compared,
      features: Object.fromEntries(FEATURE_NAMES.map((name) => [name, facts.features[name]])),
      estimate: {
        alpha: posterior.alpha,
        beta: posterior.beta,
        reference: account.reference,
        cpl_ratio: beliefs.ratio(),
        cpl_low_80: low,
        cpl: median,
        cpl_high_80: high,
      },
      siblings: beliefs.siblings,
      account: { ctr_7d: account.ctr_7d, conversion_rate_7d: account.conversion_rate_7d },
      suggestion,
      budget: facts.budget,
      effect: effectOf({ ...fired, suggestion }, facts),
    };
  }

  function withinStep(suggestion: Suggestion): Suggestion {
    if (suggestion.change !== "budget") return suggestion;
    const most = guardrails.budget_step_percent;
    return { ...suggestion, percent: Math.min(Math.max(suggestion.percent, -most), most) };
  }

  function effectOf(fired: Fired, facts: Facts): Effect | null {
    const { rule, suggestion } = fired;
    switch (suggestion.change) {
      case "budget":
        return budgetEffect(facts, suggestion.percent, returns);
      case "status":
        return suggestion.to === "PAUSED" ? pauseEffect(facts) : reactivateEffect(facts);
      case "advice":
        return rule.effect?.(facts, fired, returns) ?? null;
    }
  }
}

/** What decides whether two recommendations of an entity go together. */
type Sort = { type: string; kind: string; stance: Stance | null };

const RULE_OF_NAME = new Map<string, Rule>(RULES.map((rule) => [rule.name, rule]));

function sortOf(
  { recommendation_type: type, reason_code }: Pick<Past, "recommendation_type" | "reason_code">,
): Sort {
  // A rule that is no more only has its type.
  const rule = RULE_OF_NAME.get(reason_code);
  return { type, kind: rule?.movesMoney ? MONEY : type, stance: rule?.stance ?? null };
}

function isMoney(past: Past): boolean {
  return sortOf(past).kind === MONEY;
}

function fit(one: Sort, other: Sort): boolean {
  const isOpposite = one.stance !== null && other.stance !== null &&
    OPPOSITE[one.stance].includes(other.stance);
  return one.kind !== other.kind && !isOpposite;
}

/** The most urgent first, then the surest; the order of the rules decides between equals. */
function byUrgency(a: Fired, b: Fired): number {
  return b.priority - a.priority || b.probability - a.probability;
}
