/** All rules. */
import { AUDIENCE_RULES } from "./audience.ts";
import { COMMON_RULES } from "./common.ts";
import { CREATIVE_RULES } from "./creative.ts";
import type { Rule } from "./rule.ts";

/** In the order in which they win where all else is equal. */
export const RULES: readonly Rule[] = [...COMMON_RULES, ...CREATIVE_RULES, ...AUDIENCE_RULES];

/** Types that older rows may have. They are never generated. */
const OLD_TYPES = ["PAUSE_CAMPAIGN", "OPTIMIZE_SCHEDULE"];

/** All types of recommendations. */
export const RECOMMENDATION_TYPES: readonly string[] = [
  ...new Set([...RULES.map(({ type }) => type), ...OLD_TYPES]),
];
