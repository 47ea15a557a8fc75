/** What budgets explain of an entity's spend: its own, or that of the one above it that pays. */
import type { History } from "./history.ts";

/** A rise or fall of spend over the `windowDays` days to the one at `today`. */
export type SpendMove = {
  /** The logarithm of observed / expected. */
  excess: number;
  today: number;
  windowDays: number;
};

/** Meta's overspend: on one day, and over a week, in daily budgets. */
const OVERSPEND_DAY = 1.75;
const OVERSPEND_WEEK = 7;

/** Who spends this share of its budget has not stopped to deliver, whatever it spent before. */
const FULL_SPEND = 0.8;

/** A child that moves by less against its siblings goes with them. */
const LEAST_SHIFT = Math.log(OVERSPEND_DAY);

/** A child drives its holder over the budget where that is by so much of what it spent more. */
const LEAST_PART = 0.5;

/** The days before a window that say how a holder's spend is usually shared. */
const DAYS_BEFORE = 7;

/**
 * Whether a rise or fall is no more than a budget makes: a usual overspend, or a budget that is spent
 * in full although something fell. Where no budget is known nothing is explained.
 *
 * Of a child it is the budget of its holder that says so, as long as the holder itself is as usual:
 * - What goes with the siblings is the holder's overspend, or a budget that people changed.
 * - A rise that the siblings do not share is Meta's way of using a budget, which it moves between the
 *   children as it likes, unless it drives the holder over that budget: then it is money.
 * - A fall that the siblings do not share is the child's own, although they got its money.
 */
export function isMadeByBudget(history: History, move: SpendMove): boolean {
  const { dailyBudget, holder } = history;
  const { excess, today, windowDays } = move;
  const start = today - windowDays + 1;
  const days = history.days.map((day) => day?.spend ?? 0);
  const own = sumOf(days, start, today + 1);
  if (dailyBudget !== null) return isUsual(dailyBudget, own, move);
  if (holder === null) return false;
  const all = sumOf(holder.spend, start, today + 1);
  if (!isUsual(holder.dailyBudget, all, move)) return false;
  const ownBefore = sumOf(days, start - DAYS_BEFORE, start);
  const othersBefore = sumOf(holder.spend, start - DAYS_BEFORE, start) - ownBefore;
  const shift = Math.log(own / ownBefore) - Math.log((all - own) / othersBefore);
  const isOwn = Math.sign(excess) * shift >= LEAST_SHIFT;
  if (!isOwn || excess < 0) return !isOwn;
  const more = own * (1 - Math.exp(-excess));
  return all - windowDays * holder.dailyBudget < LEAST_PART * more;
}

/** Whether one who holds a budget spends it as usual. */
function isUsual(dailyBudget: number, spent: number, { excess, windowDays }: SpendMove): boolean {
  return excess > 0
    ? spent <= dailyBudget * Math.min(OVERSPEND_DAY * windowDays, OVERSPEND_WEEK)
    : spent >= dailyBudget * FULL_SPEND * windowDays;
}

function sumOf(values: number[], from: number, to: number): number {
  let sum = 0;
  for (let index = Math.max(from, 0); index < to; index++) sum += values[index] ?? 0;
  return sum;
}
