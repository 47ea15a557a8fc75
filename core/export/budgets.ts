/** Budget cells: an amount with its kind beside it, or a text that says who pays instead. */
import { type DecimalSign, isNothing, readNumber } from "./numbers.ts";

/** What a file tells about the budget of one campaign or ad set. */
export type Budget = {
  /** Whether the cell says anything: `Using campaign budget` does, an empty cell does not. */
  known: boolean;
  daily: number | null;
  lifetime: number | null;
};

const UNTOLD: Budget = { known: false, daily: null, lifetime: null };
const LIFETIME = /life|vital|total|gesamt|laufzeit|global|dur[ée]e/i;

/**
 * Reads a budget in major units of the account's currency. Without a word on its kind it is a daily
 * one, Meta's default.
 *
 * @returns null where the amount is not a number.
 */
export function readBudget(amount: string, kind: string, decimal: DecimalSign): Budget | null {
  if (isNothing(amount)) return UNTOLD;
  if (!/\d/.test(amount)) return { known: true, daily: null, lifetime: null };
  const value = readNumber(amount, decimal);
  if (value === null || !(value >= 0)) return null;
  // Some exports write 0 on the level that does not pay.
  if (value === 0) return { known: true, daily: null, lifetime: null };
  return LIFETIME.test(kind)
    ? { known: true, daily: null, lifetime: value }
    : { known: true, daily: value, lifetime: null };
}
