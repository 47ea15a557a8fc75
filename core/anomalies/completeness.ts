/** How many of a day's leads are known already: some are credited to it days later. */
import type { AnomalyType } from "./anomaly.ts";

/** Leads of days that are complete by now, as they were known at an age. */
export type LeadsSeen = {
  /** Days from a day's end to the import; 0 is the morning after. */
  age: number;
  leadsThen: number;
  leadsNow: number;
};

/** What is known of the completeness of the days to `as_of`, the last one first. */
export type Completeness = {
  /** 1 where nothing says that leads are missing. */
  shares: number[];
  /** The same, where it is not known, as low as it may be; null where all that matters is known. */
  atWorst: number[] | null;
};

/** Of fewer leads a share says little. */
const LEAST_LEADS = 30;

/** After 28 days Meta changes a day no more. */
const COMPLETE_AGE = 28;

/**
 * What may be missing on the first days, where the account does not tell yet. By default Meta credits
 * a lead to an ad that was clicked up to 7 days before, most of them within the first.
 */
const AT_WORST = [0.5, 0.75, 0.9];

/**
 * The completeness of the days of an account.
 *
 * @param age How old `as_of` was when its leads were read the last time, null where no import says so:
 * such days are taken for complete.
 */
export function completenessOf(age: number | null, seen: readonly LeadsSeen[]): Completeness {
  if (age === null) return { shares: [], atWorst: null };
  const known = new Map(
    seen.filter(({ leadsNow }) => leadsNow >= LEAST_LEADS)
      .map(({ age, leadsThen, leadsNow }) => [age, Math.min(leadsThen / leadsNow, 1)]),
  );
  const shares: number[] = [];
  const atWorst: number[] = [];
  let last: number | undefined;
  for (let day = Math.max(age, 0); day < COMPLETE_AGE; day++) {
    // A day of which nothing is known is at least as complete as a younger one.
    last = known.get(day) ?? last;
    shares.push(last ?? 1);
    atWorst.push(last ?? AT_WORST[day] ?? 1);
  }
  const isKnown = shares.every((share, day) => share === atWorst[day]);
  return { shares, atWorst: isKnown ? null : atWorst };
}

/** Whether an anomaly may be nothing but leads that come later. */
export function mayBeLate(type: AnomalyType): boolean {
  return type === "cpl_spike" || type === "performance_drop";
}
