/** What an analysis of a change is given: the days of the entity it is measured on, and of others. */
import type { Sums } from "../drivers.ts";

/** An entity of the level on which a change is measured. */
export type Member = {
  entityId: string;
  parentId: string | null;
  /** Somebody changed it too around that time, so that it says nothing of what else went on. */
  isChanged: boolean;
  /** From the first day of the history on, one after the other; null without delivery. */
  days: (Sums | null)[];
};

/** The days that an analysis looks at, counted from the first one of the history. */
export type Span = {
  /** The day of the change, which counts on neither side. */
  changeDay: number;
  /** The last day that is compared. */
  lastDay: number;
};

/** How far back a history goes. Older weeks say next to nothing of a rate that drifts. */
export const HISTORY_WEEKS = 12;

/** Whether something was delivered on a day. */
export function isDelivered(day: Sums | null | undefined): day is Sums {
  return day !== null && day !== undefined && (day.impressions > 0 || day.spend > 0);
}
