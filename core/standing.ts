/** How the active entities of a level stand: what the page and the command line tell of a level. */
import { type Tier, TIERS } from "./tiers.ts";

/** The tiers that the best are of, the best first. */
export const BEST_TIERS = TIERS.slice(0, 2);

/** The tiers that the worst are of, the worst first. Nothing is both the best and the worst. */
export const WORST_TIERS = TIERS.slice(2).toReversed();

/** An active entity that stands out. */
export type Outstanding = {
  entity_id: string;
  name: string;
  campaign_name: string;
  tier: Tier;
  /** The posterior probability of the tier. */
  confidence_score: number;
  /** The last seven days' cost per lead, null without leads. */
  cpl_7d: number | null;
  spend_7d: number;
};

/** How many active entities of a level have which tier, and which of them stand out. */
export type Standing = {
  counts: Record<Tier, number>;
  best: Outstanding[];
  worst: Outstanding[];
};
