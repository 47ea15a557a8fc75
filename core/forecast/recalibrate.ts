/** Ranges that learn from how much they held: a level whose coverage drifted is made right again. */
import { mean, median, sampleVariance } from "simple-statistics";
import type { Widening } from "./account.ts";

/** What the ranges of one level and metric had to be to hold what came on one day. */
export type HeldDay = {
  /** How many times as wide as past errors make them, for 80 and for 95 % of what came. */
  needed80: number;
  needed95: number;
};

/** Fewer days tell nothing of a coverage. */
const LEAST_DAYS = 14;
/** What is forecast for the days of a week comes from nearly the same days: they are one observation. */
const ALIKE_DAYS = 7;
/** A width that is off by as many standard errors has drifted. */
const DRIFTED = 2;
/** No range becomes narrower or wider than so many times. */
const MOST = 3;

/**
 * How wide to make ranges, from what they had to be over the last weeks. Where past errors made them
 * right, give or take chance, they stay; else they become as wide as they had to be (conformal: the
 * quantile of the scaled errors, of forecasts that were really made).
 */
export function recalibrate(days: readonly HeldDay[]): Widening {
  const factor = (needed: keyof HeldDay) => {
    const logs = days.map((day) => Math.log(Math.min(Math.max(day[needed], 1 / MOST), MOST)));
    if (logs.length < LEAST_DAYS) return 1;
    const error = Math.sqrt(sampleVariance(logs) * ALIKE_DAYS / logs.length);
    return Math.abs(mean(logs)) <= DRIFTED * error ? 1 : Math.exp(median(logs));
  };
  return { widened80: factor("needed80"), widened95: factor("needed95") };
}
