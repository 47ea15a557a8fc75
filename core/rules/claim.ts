/** What a rule claims about the truth, in a form that can be judged by the truth. */
import type { Beliefs } from "./beliefs.ts";

/**
 * What a claim is about: the true CPL by the reference, by that of the siblings, or the true change of
 * the last 7 days against the 7 before, in percent.
 */
export type Quantity = "cpl_ratio" | "cpl_by_siblings" | "cpl_change" | "ctr_change";

/** That a true quantity lies in a range. */
export type Claim = { about: Quantity; at_least?: number; at_most?: number };

/** The probability of a claim, null where nothing is known about its quantity. */
export function probabilityOf(beliefs: Beliefs, claim: Claim): number | null {
  const { about, at_least, at_most } = claim;
  if (at_least === undefined) return beliefs.atMost(about, at_most ?? Infinity);
  if (at_most === undefined) return beliefs.atLeast(about, at_least);
  const below = beliefs.atMost(about, at_most);
  const tooLow = beliefs.atMost(about, at_least);
  return below === null || tooLow === null ? null : below - tooLow;
}

/** Whether a claim is true of a quantity that is known. */
export function isTrue(
  { at_least = -Infinity, at_most = Infinity }: Claim,
  truth: number,
): boolean {
  return at_least <= truth && truth <= at_most;
}
