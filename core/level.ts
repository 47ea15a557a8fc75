/** The three levels of a Meta ad account. This file is the only place that knows how they differ. */

/** The levels from the widest to the narrowest, so that a parent stands before its children. */
export const LEVELS = ["campaign", "adset", "ad"] as const;

/** A level, called `entity_type` in SQL and over HTTP. */
export type Level = (typeof LEVELS)[number];

type LevelFacts = {
  /** The level above, null for a campaign, whose parent is the account itself. */
  parent: Level | null;
  /** The level's name in a sentence, one and many. */
  one: string;
  many: string;
  /** Whether Meta lets a budget stand on this level. An ad has none. */
  canHoldBudget: boolean;
};

/** What differs between the levels. */
export const LEVEL_FACTS: Record<Level, LevelFacts> = {
  campaign: { parent: null, one: "campaign", many: "campaigns", canHoldBudget: true },
  adset: { parent: "campaign", one: "ad set", many: "ad sets", canHoldBudget: true },
  ad: { parent: "adset", one: "ad", many: "ads", canHoldBudget: false },
};
