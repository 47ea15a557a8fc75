/** What was changed, and where that shows. */
import { type Level, LEVEL_FACTS } from "../level.ts";

/** The kinds of changes. */
export const CHANGE_TYPES = [
  "budget_change",
  "creative_change",
  "audience_change",
  "pause",
  "reactivate",
] as const;

/** One of them. */
export type ChangeType = typeof CHANGE_TYPES[number];

/** Where a change is measured: a level, or the account as a whole. */
export type MeasuredLevel = Level | "account";

/**
 * Where a change shows. What is paused or started delivers nothing on one of the sides, so it is what
 * is above it that gets better or worse.
 */
export function measuredLevel(entityType: Level, changeType: ChangeType): MeasuredLevel {
  if (changeType !== "pause" && changeType !== "reactivate") return entityType;
  return LEVEL_FACTS[entityType].parent ?? "account";
}

const BY_PREFIX: [prefix: string, changeType: ChangeType][] = [
  ["PAUSE", "pause"],
  ["REACTIVATE", "reactivate"],
  ["BUDGET_", "budget_change"],
  ["SCALE_UP", "budget_change"],
  ["CREATIVE_", "creative_change"],
  ["AUDIENCE_", "audience_change"],
];

/** What somebody changes who follows a recommendation of a type; null where that moves no numbers. */
export function changeTypeOf(recommendationType: string): ChangeType | null {
  return BY_PREFIX.find(([prefix]) => recommendationType.startsWith(prefix))?.[1] ?? null;
}
