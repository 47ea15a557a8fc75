/** What the search for anomalies looks at: the days of an entity, one after the other. */
import { daysBetween } from "../days.ts";
import type { Level } from "../level.ts";

/** A day of an entity with delivery. */
export type Day = {
  spend: number;
  impressions: number;
  clicks: number;
  leads: number;
  /** Unique people; null where unknown. Of a parent the sum of its ads, an upper bound. */
  reach: number | null;
};

/** Who holds a daily budget for all below it. */
export type Holder = {
  dailyBudget: number;
  /** What all of them together spent on each of the days. */
  spend: number[];
};

/** The days of one entity. */
export type History = {
  entityType: Level;
  entityId: string;
  parentId: string | null;
  /** The campaign it belongs to, or is. */
  campaignId: string;
  /**
   * What it may spend a day: its own budget, or those of its children where each holds one. Null where
   * that is not known, or decided above it.
   */
  dailyBudget: number | null;
  /** The one above it that holds the budget it spends, null where none is known to. */
  holder: Holder | null;
  /** It and all above it run. */
  isActive: boolean;
  /** The oldest first, the last one is the day that is asked about; null for a day without a row. */
  days: (Day | null)[];
};

/**
 * Which days are told of when `windowDays` days to `date` are: those from `start`, before `end`.
 *
 * @param asOf The last of all days.
 */
export function windowOf(
  { days }: History,
  asOf: string,
  { date, windowDays }: { date: string; windowDays: number },
): { start: number; end: number } {
  const end = days.length - daysBetween(date, asOf);
  return { start: end - windowDays, end };
}

/** The sum of some days, null where none was shown. */
export function sumOfDays(days: (Day | null | undefined)[]): Day | null {
  let total: Day | null = null;
  for (const day of days) {
    if (!day) continue;
    total = total === null ? { ...day } : {
      spend: total.spend + day.spend,
      impressions: total.impressions + day.impressions,
      clicks: total.clicks + day.clicks,
      leads: total.leads + day.leads,
      reach: total.reach === null || day.reach === null ? null : total.reach + day.reach,
    };
  }
  return total;
}
