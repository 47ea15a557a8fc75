/** What the search for anomalies looks at: the days of an entity, one after the other. */
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

/** The days of one entity. */
export type History = {
  entityType: Level;
  entityId: string;
  parentId: string | null;
  /** Its own daily budget, null where it holds none or where that is not known. */
  dailyBudget: number | null;
  /** It and all above it run. */
  isActive: boolean;
  /** The oldest first, the last one is the day that is asked about; null for a day without a row. */
  days: (Day | null)[];
};
