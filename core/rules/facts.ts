/** What a rule may look at: one entity on one day. */
import type { Level } from "../level.ts";
import type { Beliefs } from "./beliefs.ts";

/** The features that rules compare, named as in `ads.ml_features`. Null where they are undefined. */
export const FEATURE_NAMES = [
  "spend_7d",
  "impressions_7d",
  "clicks_7d",
  "leads_7d",
  "cpl_7d",
  "ctr_7d",
  "conversion_rate_7d",
  "cpl_trend",
  "leads_trend",
  "ctr_trend",
  "leads_14d",
  "cpl_30d",
  "leads_30d",
  "avg_daily_spend_30d",
  "cpl_std_7d",
  "frequency_7d",
  "days_with_leads_7d",
  "days_active",
  "share_of_parent_spend",
  "spend_7d_before",
  "impressions_7d_before",
  "clicks_7d_before",
] as const;

/** One of them. */
export type FeatureName = typeof FEATURE_NAMES[number];

/** Their values. */
export type Features = Record<FeatureName, number | null>;

/** The budget that pays for an entity. */
export type Budget = {
  /** The level that holds it: above the entity, its own or below it; null where none is known. */
  holder: Level | null;
  /** The entity's own, in units of the currency; null where it holds none. */
  daily: number | null;
  lifetime: number | null;
};

/** Everything about one entity on one day. */
export type Facts = {
  entityType: Level;
  entityId: string;
  parentId: string | null;
  name: string;
  features: Features;
  /** It and all above it run. */
  isActive: boolean;
  /** All above it run. */
  parentIsActive: boolean;
  /** Meta reports its learning phase, or that of its ad set. */
  isLearning: boolean;
  /** It is advised to pause something above it. */
  isBelowPause: boolean;
  budget: Budget;
  /** How many days it has been an underperformer without a break, 0 where it is none. */
  daysUnderperforming: number;
  /** The account's own rates over 7 days, in percent. */
  account: { reference: number; ctr_7d: number | null; conversion_rate_7d: number | null };
  beliefs: Beliefs;
};
