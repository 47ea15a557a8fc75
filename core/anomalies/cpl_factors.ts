/** Why a cost per lead is not as expected: CPL = cost per click / conversion rate. */
import { splitChange, type Sums } from "../drivers.ts";
import { ownSpread } from "./amounts.ts";
import { type AnomalyTest, compareWindow, LEAST_EFFECT } from "./detect.ts";
import { type Day, type History, sumOfDays, windowOf } from "./history.ts";
import type { Rate } from "./metrics.ts";
import type { Profile } from "./profile.ts";

const RATIOS = {
  cpc: ({ spend, clicks }: Sums) => spend / clicks,
  cpm: ({ spend, impressions }: Sums) => 1000 * spend / impressions,
  ctr: ({ impressions, clicks }: Sums) => clicks / impressions,
  conversion_rate: ({ clicks, leads }: Sums) => leads / clicks,
};

/** What a factor of a cost did over a window of days. */
export type FactorChange = {
  factor: keyof typeof RATIOS;
  observed: number;
  expected: number;
  /** Of the change that it is a factor of; negative where it went against it. */
  share: number;
  /** Whether people would say so. */
  isUnchanged: boolean;
  /** What it is made of itself, the larger share first. */
  factors: FactorChange[];
};

/** A factor with less of a change than this did not make it. */
const LEAST_SHARE = 0.15;

/**
 * Nobody calls this a change: a tenth, or what is below the effect that alarms are about and within
 * so many standard deviations of the factor's own days.
 */
const SMALL_EFFECT = Math.log(1.1);
const NOISE = 2;

/**
 * The factors of a CPL over the window of an alarm, the larger share first; null where there is
 * nothing to compare with.
 *
 * Expected of the CPL, the conversion rate and the CTR is what the tests expect of them. The cost per
 * click and the CPM have no test; expected of them is what those three leave, so that what was
 * expected multiplies as what was observed does, and nothing of the change is left over.
 */
export function cplFactors(
  history: History,
  profile: Profile,
  window: Pick<AnomalyTest, "date" | "windowDays">,
): FactorChange[] | null {
  const { days } = history;
  const { start, end } = windowOf(history, profile.options.asOf, window);
  const after = sumOfDays(days.slice(start, end));
  if (!after?.impressions || !after.clicks) return null;
  const compare = (metric: Rate) => compareWindow(history, profile, { ...window, metric });
  const [cpl, ctr, conversion] = [compare("cpl"), compare("ctr"), compare("conversion_rate")];
  if (!cpl?.expected || !ctr?.expected || !conversion?.expected) return null;
  // What was expected of the same spend.
  const clicks = cpl.expected * after.clicks / conversion.expected;
  const before = {
    spend: after.spend,
    impressions: clicks * after.impressions / ctr.expected,
    clicks,
    leads: cpl.expected,
  };
  const { change, parts } = splitChange({ before, after });
  if (change === 0) return null;
  const excessOf = (factor: FactorChange["factor"]) =>
    Math.log(RATIOS[factor](after) / RATIOS[factor](before));
  const costDistance = (factor: "cpc" | "cpm") =>
    excessOf(factor) / (dailyNoise(factor, days, start) / Math.sqrt(window.windowDays));
  const changeOf = (
    factor: FactorChange["factor"],
    share: number,
    distance: number,
    factors: FactorChange[] = [],
  ): FactorChange => {
    const effect = Math.abs(excessOf(factor));
    const isSmall = effect < (Math.abs(distance) < NOISE ? LEAST_EFFECT : SMALL_EFFECT);
    return {
      factor,
      observed: RATIOS[factor](after),
      expected: RATIOS[factor](before),
      share,
      isUnchanged: isSmall && Math.abs(share) < LEAST_SHARE,
      factors: factors.toSorted(byShare),
    };
  };
  const ofCosts = excessOf("cpc");
  return [
    changeOf("cpc", (parts.cpm + parts.ctr) / change, costDistance("cpc"), [
      changeOf("cpm", excessOf("cpm") / ofCosts, costDistance("cpm")),
      changeOf("ctr", -excessOf("ctr") / ofCosts, ctr.distanceAt(1)),
    ]),
    changeOf("conversion_rate", parts.conversion_rate / change, conversion.distanceAt(1)),
  ].toSorted(byShare);
}

function byShare(a: FactorChange, b: FactorChange): number {
  return b.share - a.share;
}

/** The standard deviation of a ratio's logarithm from day to day. */
function dailyNoise(factor: "cpc" | "cpm", days: (Day | null)[], end: number): number {
  const logs = days.map((day) => day === null ? NaN : Math.log(RATIOS[factor](day)));
  const known = Float64Array.from(logs, (log) => Number.isFinite(log) ? log : NaN);
  return Math.sqrt(ownSpread(known, end, 0).variance);
}
