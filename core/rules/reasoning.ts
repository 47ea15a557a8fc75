/** Why something is recommended: every number, from which all words are made. */
import type { Level } from "../level.ts";
import type { Posterior } from "../evidence.ts";
import type { Claim } from "./claim.ts";
import type { Effect } from "./effect.ts";
import type { Budget } from "./facts.ts";
import type { Compared, Suggestion } from "./rule.ts";

/** The reasoning of a recommendation. Money is in units of `currency`, rates and trends in percent. */
export type Reasoning = {
  rule: string;
  entity_type: Level;
  entity_id: string;
  entity_name: string;
  as_of: string;
  currency: string;
  claim: Claim;
  /** The posterior probability of the claim. */
  probability: number;
  /** Each number that the rule compared with a limit. */
  compared: Compared[];
  /** As in `ads.ml_features`. */
  features: Record<string, number | null>;
  /** Leads by spend are Gamma(alpha, beta); the range of the CPL is 80 % sure. */
  estimate: Posterior & {
    reference: number;
    cpl_ratio: number;
    cpl_low_80: number;
    cpl: number;
    cpl_high_80: number;
  };
  siblings: { count: number; spend: number; cpl: number } | null;
  account: { ctr_7d: number | null; conversion_rate_7d: number | null };
  suggestion: Suggestion;
  budget: Budget;
  /** The account's elasticity of leads is in it, where it is assumed. */
  effect: Effect | null;
};
