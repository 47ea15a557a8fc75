/** What a rule is: one value that says what it needs, when it fires, what it claims and what it suggests. */
import type { z } from "@hono/zod-openapi";
import type { Level } from "../level.ts";
import { type Claim, probabilityOf } from "./claim.ts";
import type { Effect, Elasticity } from "./effect.ts";
import type { Facts, FeatureName } from "./facts.ts";
import type { Language, Words } from "./words.ts";

/** In which direction advice goes: what points in two directions contradicts itself. */
export type Stance = "more" | "less" | "stop" | "start" | "change";

/** What a recommendation suggests. Budgets change in percent. */
export type Suggestion =
  | { change: "budget"; percent: number }
  | { change: "status"; to: "PAUSED" | "ACTIVE" }
  | { change: "advice"; action: string };

const HOLDS = {
  ">=": (value: number, bound: number) => value >= bound,
  ">": (value: number, bound: number) => value > bound,
  "<=": (value: number, bound: number) => value <= bound,
  "<": (value: number, bound: number) => value < bound,
};

/** How a number is compared with a bound. */
export type Comparison = keyof typeof HOLDS;

/** One number that a rule compared. */
export type Compared = { name: string; value: number; is: Comparison; bound: number };

/** Compares numbers and remembers which. Whatever is unknown fulfils nothing. */
export type Check = {
  /** Compares a feature. */
  feature(name: FeatureName, is: Comparison, bound: number): boolean;
  /** Compares any other number. */
  number(name: string, value: number | null, is: Comparison, bound: number): boolean;
  /** Whether a claim is as probable as it has to be. */
  claim(claim: Claim, probability: number): boolean;
};

/** What a rule says when it fires. */
export type Finding = {
  /** What it is sure of, with the probability that is told as its confidence. */
  claim: Claim;
  /** 1 to 10, the most urgent is 10. */
  priority: number;
  suggestion: Suggestion;
};

/** A finding of one entity with what it rests on. */
export type Fired = Finding & { rule: Rule; probability: number; compared: Compared[] };

/** A rule whose limits are set. */
export type BoundRule = {
  rule: Rule;
  /** The finding about an entity, null where the rule does not fire. */
  apply(facts: Facts): Fired | null;
};

/** A rule, whatever its limits are. */
export type Rule = {
  /** The type of its recommendations. */
  type: string;
  /** Its own name, the reason code of its recommendations. */
  name: string;
  levels: readonly Level[];
  stance: Stance;
  /** Whether it changes a budget or the status: of these an entity has one at a time. */
  movesMoney: boolean;
  expiresAfterDays: number;
  /** Its limits with their defaults. */
  limits: z.ZodObject;
  /** What to expect, where the suggestion does not say it already. */
  effect?(facts: Facts, finding: Finding, elasticity: Elasticity): Effect | null;
  texts: Record<Language, (words: Words) => Texts>;
  /** @param limits Settings that fit `limits`; what is missing has its default. */
  bind(limits: unknown): BoundRule;
};

/** What a person reads. */
export type Texts = {
  title: string;
  /** Why: what is not said of all recommendations alike. */
  because: string;
  /** What to do, step by step, where it is more than one change of one field. */
  steps?: string[];
};

/** Makes a rule of its parts. */
export function defineRule<Limits extends z.ZodObject>(
  { fires, ...parts }:
    & Omit<Rule, "limits" | "bind">
    & {
      limits: Limits;
      /** The finding about an entity, null where it does not fire. The cheap checks come first. */
      fires(facts: Facts, limits: z.output<Limits>, check: Check): Finding | null;
    },
): Rule {
  const rule: Rule = {
    ...parts,
    bind(settings) {
      const limits = parts.limits.parse(settings ?? {});
      return {
        rule,
        apply(facts) {
          const compared: Compared[] = [];
          const finding = fires(facts, limits, checkOf(facts, compared));
          if (finding === null) return null;
          const probability = probabilityOf(facts.beliefs, finding.claim);
          return probability === null ? null : { ...finding, rule, probability, compared };
        },
      };
    },
  };
  return rule;
}

function checkOf(facts: Facts, compared: Compared[]): Check {
  const number: Check["number"] = (name, value, is, bound) => {
    if (value === null) return false;
    compared.push({ name, value, is, bound });
    return HOLDS[is](value, bound);
  };
  return {
    number,
    feature: (name, is, bound) => number(name, facts.features[name], is, bound),
    claim: (claim, probability) =>
      number("probability", probabilityOf(facts.beliefs, claim), ">=", probability),
  };
}
