/** An account's days in another order: what stands out in them then is luck. */
import { createRandom, hashOf } from "../random.ts";
import { LONGEST_STOP } from "./detect.ts";
import type { History } from "./history.ts";
import { delivered } from "./metrics.ts";

/** Where each day of a shuffled history comes from, by its place. */
export type DayOrder = readonly number[];

/** Which shuffle is meant. The same one gives the same order. */
export type Shuffle = { configId: number; asOf: string; number: number };

/**
 * Draws an order of days, in which each comes from another week but the same weekday, so that the
 * pattern of the weekdays stays. One order is for all entities of an account: what moved all of them
 * on one day still does.
 *
 * Each weekday is one random cycle (Sattolo 1986), so that no day stays where it is: a real fault of
 * the tested day would be taken for luck each time.
 *
 * Days come from any week, and each weekday's for itself. Exchanging near weeks only, or whole weeks,
 * comes no closer to the alarms that a drifting level makes, and whole weeks would carry the faults
 * of several days to the tested one. So what drifts is not counted as luck.
 */
export function shuffleDays(length: number, { configId, asOf, number }: Shuffle): DayOrder {
  const random = createRandom(hashOf(`${configId} ${asOf} ${number}`));
  const order = Array.from({ length }, (_, day) => day);
  for (let day = length - 1; day >= WEEK; day--) {
    const other = day - WEEK * Math.ceil(random.uniform() * Math.floor(day / WEEK));
    const source = order[day] ?? day;
    order[day] = order[other] ?? other;
    order[other] = source;
  }
  return order;
}

const WEEK = 7;

/**
 * A history with its days in another order. A day's numbers stay together.
 *
 * Days before the first delivery stay empty, and so do those after the last one if it lies longer ago
 * than a stop is told: otherwise who is young or has ended would have gaps that nobody has. Where the
 * order takes a day from there, the day is taken that the order puts into its place, and so on. A
 * cycle without some of its days is a cycle, so each day is used once and none stays, and entities
 * exchange alike whatever days they have in common.
 */
export function reorder(history: History, order: DayOrder): History {
  const { days, holder } = history;
  const first = days.findIndex(delivered);
  const last = days.findLastIndex(delivered);
  const end = last < days.length - 1 - LONGEST_STOP ? last : days.length - 1;
  const sources = days.map((_, place) => {
    if (first === -1 || place < first || place > end) return place;
    let source = order[place] ?? place;
    while (source < first || source > end) source = order[source] ?? place;
    return source;
  });
  return {
    ...history,
    days: sources.map((source) => days[source] ?? null),
    holder: holder && { ...holder, spend: sources.map((source) => holder.spend[source] ?? 0) },
  };
}
