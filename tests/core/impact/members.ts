/** Small literal histories for the tests of impacts. */
import type { Sums } from "../../../core/drivers.ts";
import type { Member } from "../../../core/impact/history.ts";

/** The day of the change, after twelve weeks. */
export const CHANGE_DAY = 84;
/** The last day of a week after it. */
export const LAST_DAY = CHANGE_DAY + 7;

/** 10 leads and 100 clicks for 100 a day. */
export const USUAL: Sums = { spend: 100, impressions: 10_000, clicks: 100, leads: 10 };

/** A member that delivers the same every day, or what is said of a day. */
export function member(
  entityId: string,
  dayOf: (day: number) => Sums | null = () => USUAL,
  { parentId = "p", isChanged = false }: { parentId?: string; isChanged?: boolean } = {},
): Member {
  const days = Array.from({ length: LAST_DAY + 1 }, (_, day) => dayOf(day));
  return { entityId, parentId, isChanged, days };
}

/** All days are complete. */
export const KNOWN = { share: () => 1, atWorst: () => 1 };
