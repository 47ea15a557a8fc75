/** Tests of the last days of an entity against what was to be expected of them. */
import { qnorm } from "lib-r-math.js";
import { mean } from "simple-statistics";
import {
  amountDistance,
  type AmountLevel,
  type AmountModel,
  amountP,
  amountTail,
  nextLevel,
  OUTLIER,
  spreadOf,
  UNKNOWN_LEVEL,
} from "./amounts.ts";
import type { AnomalyType } from "./anomaly.ts";
import { isMadeByBudget } from "./budgets.ts";
import { addDays, daysBetween } from "../days.ts";
import type { Day, History } from "./history.ts";
import {
  type Amount,
  amountOf,
  AMOUNTS,
  delivered,
  exposureOf,
  type Metric,
  type Rate,
  RATES,
} from "./metrics.ts";
import {
  countsOf,
  deliveryDays,
  LEAST_DAYS,
  LEAST_IMPRESSIONS,
  logsOf,
  ownPauseRate,
  type Profile,
} from "./profile.ts";
import {
  countDistance,
  countP,
  nextRate,
  noEventP,
  ownModel,
  type RateLevel,
  type RateModel,
  startingRate,
} from "./rates.ts";

/** One metric of one entity on one day against its expectation. */
export type AnomalyTest = {
  metric: Metric | "reach";
  type: AnomalyType;
  date: string;
  /** The days, `date` being the last one, that deviate the most clearly together. */
  windowDays: number;
  /** Over the window. Null is a CPL without a lead. */
  observed: number | null;
  expected: number;
  /** In standard deviations of a normal distribution: negative where less was observed. */
  deviation: number;
  p: number;
  /** The money that is at stake: spent in vain, too much, or not at all. */
  stake: number;
  /** No lead at all came from clicks that went on. */
  leadsStopped: boolean;
};

/**
 * No alarm is raised above this p value, in accounts of any size: of five independent tests a day
 * (CPL, CTR, conversion rate, spend and frequency) at most 2.5 in 1,000 would be false, and fewer are,
 * since what stands out has to be worth telling, to go on, and to be new. False discovery control
 * alone would promise 50 per 1,000 to an account of one campaign.
 */
export const ALARM_P = 5e-4;

/** A window that ends on the tested day. */
type Window = { days: number; weight: number };

/**
 * The windows looked at, and what each weighs. Their p values are put together by the weighted
 * harmonic mean (Wilson 2019), which holds under any dependence at small p and costs less than
 * Bonferroni where several windows say the same.
 */
const RATE_WINDOWS: Window[] = [
  { days: 1, weight: 0.4 },
  { days: 2, weight: 0.12 },
  { days: 3, weight: 0.12 },
  { days: 4, weight: 0.12 },
  { days: 5, weight: 0.12 },
  { days: 6, weight: 0.12 },
];

/** Spend does not need to be counted for days: only a slow slide needs more than one. */
const SPEND_WINDOWS: Window[] = [
  { days: 1, weight: 0.7 },
  { days: 3, weight: 0.15 },
  { days: 6, weight: 0.15 },
];

/** One day on which people see an ad more often than usual tires nobody. */
const FREQUENCY_WINDOWS: Window[] = [
  { days: 3, weight: 0.5 },
  { days: 6, weight: 0.5 },
];

/**
 * Smaller factors are nobody's business. People's own rules call 30 % a change, and Meta itself spends
 * up to 75 % over a daily budget on a day.
 */
export const LEAST_EFFECT = Math.log(1.3);
const LEAST_SPEND_RISE = Math.log(1.75);

/**
 * Pauses are told of entities that begin one on fewer than 1 in 1,000 days of delivery: then telling
 * each of them uses up half of the false alarms that an account is allowed.
 */
const MOST_PAUSES = 0.001;

/** Whether an entity pauses so often that nobody wants to be told of it. */
export function pausesOften(history: History, end: number, profile: Profile): boolean {
  return ownPauseRate(history, end, profile) > MOST_PAUSES;
}

/** A stop is told for so many days; after that it is the new state. */
export const LONGEST_STOP = 7;

/** What is below a hundredth of the usual is nothing, whatever its logarithm. */
const NOTHING = Math.log(0.01);

/**
 * A return to normal after some days of a fault is no alarm: what stands out against the level of
 * today has to be unusual by that of a week before, too, if only by so much.
 */
const EARLIER = 7;
const EARLIER_P = 0.01;

/** Closer than this, in standard deviations, a window cannot alarm, whatever its exact p value. */
const CLOSE = 2.5;

/**
 * Tests each metric of an entity on each of the days asked about.
 *
 * What is not in the answer could not be tested: entities with under seven days of delivery, rates of
 * so few expected events that even none would not be an alarm, amounts of a few impressions.
 */
export function testEntity(history: History, profile: Profile): AnomalyTest[] {
  const { days } = history;
  const { options: { asOf, daysToAnalyze } } = profile;
  const end = days.length - daysToAnalyze;
  const tested = Array.from({ length: daysToAnalyze }, (_, index) => end + index).filter((today) =>
    (history.isActive || delivered(days[today])) && deliveryDays(days, today) >= LEAST_DAYS
  );
  if (tested.length === 0) return [];
  const amounts = AMOUNTS.map((amount) => followAmount(amount, days, end, profile.amounts[amount]));
  const rates = RATES.map((rate) => followRate(rate, days, end, profile.rates[rate]));
  return tested.flatMap((today) => {
    const date = addDays(asOf, today - days.length + 1);
    const found = [
      ...amounts.map((followed) => testAmount(history, followed, today, profile)),
      ...rates.map((followed) => testRate(history, followed, today)),
      testReach(history, amounts, today),
    ];
    return found.filter((test) => test !== null).map(({ excess, ...test }) => ({
      ...test,
      date,
      deviation: Math.sign(excess) * Math.abs(qnorm(Math.max(test.p, 1e-300) / 2)),
    }));
  });
}

/** A test before its date and deviation; `excess` is the logarithm of observed / expected. */
type Found = Omit<AnomalyTest, "date" | "deviation"> & { excess: number };

type FollowedAmount = {
  amount: Amount;
  model: AmountModel;
  spread: number;
  logs: Float64Array;
  /** What was known before each day. */
  levels: AmountLevel[];
};

function followAmount(
  amount: Amount,
  days: (Day | null)[],
  end: number,
  model: AmountModel,
): FollowedAmount {
  const logs = logsOf(amount, days, model.offsets);
  const spread = spreadOf(logs, end, model);
  const levels: AmountLevel[] = [];
  let level = UNKNOWN_LEVEL;
  for (const log of logs) {
    levels.push(level);
    level = nextLevel(level, log, spread, model.drift);
  }
  return { amount, model, spread, logs, levels };
}

function testAmount(
  history: History,
  followed: FollowedAmount,
  today: number,
  profile: Profile,
): Found | null {
  const { amount, model, spread, logs, levels } = followed;
  const value = amountOf(amount, history.days[today]);
  const before = levels[today];
  if (value === null || before === undefined || before.variance > 1e3) return null;
  if (!isLarge(amount, before, history, today)) return null;
  if (value === 0) return testStop(history, followed, today, profile);
  // Impressions rise and fall with spend, or with its price, which the CPL and the CTR tell of.
  if (amount === "impressions") return null;
  const offset = model.offsets[today] ?? 0;
  // A day of next to no impressions is a day all the same when it is the one asked about.
  const known = logs[today] ?? NaN;
  const log = Math.max(
    Number.isNaN(known) ? Math.log(value) - offset : known,
    before.level + NOTHING,
  );
  const windows = amount === "frequency" ? FREQUENCY_WINDOWS : SPEND_WINDOWS;
  const best = bestWindow(windows, (window) => {
    const start = today - window + 1;
    const level = levels[start];
    if (level === undefined || level.variance > 1e3) return null;
    // One far day is no spell: in a longer window it counts as far as an ordinary day may be.
    const farthest = window === 1 ? Infinity : OUTLIER * spread;
    const meanExcess = (from: number) => {
      let sum = 0;
      for (let day = from; day <= today; day++) {
        const excess = (day === today ? log : logs[day] ?? NaN) - level.level;
        sum += Math.min(Math.max(excess, -farthest), farthest);
      }
      return sum / (today - from + 1);
    };
    const excess = meanExcess(start);
    if (Number.isNaN(excess)) return null;
    const isWorthTelling = (amount === "frequency"
      ? excess >= LEAST_EFFECT
      : isSpendWorthTelling(history, excess, today, window)) &&
      goesOn(excess, 0, start, today, (from, effect) =>
        meanExcess(from) - effect);
    return {
      level,
      excess,
      p: isWorthTelling ? amountWindowP(followed, level.level + excess, start, window) : 1,
    };
  });
  if (best === null) return null;
  const { level, excess, p, window } = best;
  let observed = 0;
  let expected = 0;
  for (let day = today - window + 1; day <= today; day++) {
    const days = amount === "frequency" ? window : 1;
    observed += (amountOf(amount, history.days[day]) ?? 0) / days;
    expected += Math.exp(level.level + (model.offsets[day] ?? 0)) / days;
  }
  const spend = spendOf(history.days, today, window);
  return {
    metric: amount,
    type: amount === "frequency" ? "frequency_alert" : excess > 0 ? "spend_spike" : "spend_drop",
    windowDays: window,
    observed,
    expected,
    p,
    stake: amount === "spend"
      ? Math.abs(observed - expected)
      : spend * Math.abs(1 - Math.exp(-excess)),
    leadsStopped: false,
    excess,
  };
}

/** The p value of a window's mean logarithm against the level before it and a week earlier. */
function amountWindowP(
  { model, spread, levels }: FollowedAmount,
  mean: number,
  start: number,
  window: number,
): number {
  const against = (level: AmountLevel) =>
    amountDistance(mean - level.level, window, level, spread, model.drift);
  const level = levels[start] ?? UNKNOWN_LEVEL;
  const distance = against(level);
  if (Math.abs(distance) < CLOSE) return 1;
  const p = amountP(distance, model);
  const earlier = levels[start - EARLIER];
  if (earlier === undefined || earlier.variance > 1) return p;
  const variance = earlier.variance + EARLIER * model.drift;
  const fromEarlier = against({ ...earlier, variance });
  return fromEarlier * distance > 0 && amountP(fromEarlier, model) <= EARLIER_P ? p : 1;
}

/** Whether enough is expected for the amount to say something. */
function isLarge(
  amount: Amount,
  { level }: AmountLevel,
  { days }: History,
  today: number,
): boolean {
  if (amount === "impressions") return Math.exp(level) >= LEAST_IMPRESSIONS;
  let shown = 0;
  for (let day = today - LEAST_DAYS; day < today; day++) {
    if ((days[day]?.impressions ?? 0) >= LEAST_IMPRESSIONS) shown++;
  }
  return shown > LEAST_DAYS / 2;
}

/** Whether a rise or fall is large, and neither what a budget makes nor what people wanted. */
function isSpendWorthTelling(
  history: History,
  excess: number,
  today: number,
  windowDays: number,
): boolean {
  const isLarge = excess > 0
    ? excess >= LEAST_SPEND_RISE
    : -excess >= LEAST_EFFECT && history.isActive;
  return isLarge && !isMadeByBudget(history, { excess, today, windowDays });
}

/** Nothing where there used to be something. */
function testStop(
  history: History,
  { amount, model, spread, levels }: FollowedAmount,
  today: number,
  profile: Profile,
): Found | null {
  const { days, isActive } = history;
  if (!isActive || amount === "frequency") return null;
  let start = today;
  while (start > 0 && amountOf(amount, days[start - 1]) === 0) start--;
  const level = levels[start];
  const stopped = today - start + 1;
  if (level === undefined || level.variance > 1e3 || stopped > LONGEST_STOP) return null;
  if (pausesOften(history, start, profile)) return null;
  const expected = Math.exp(level.level + (model.offsets[today] ?? 0));
  return {
    metric: amount,
    type: `zero_${amount}`,
    windowDays: stopped,
    observed: 0,
    expected: expected * stopped,
    p: amountP(amountDistance(NOTHING, 1, level, spread, model.drift), model),
    stake: spendOf(days, start - 1, LEAST_DAYS) / LEAST_DAYS * stopped,
    leadsStopped: false,
    excess: NOTHING,
  };
}

/**
 * Reach that stands still while impressions grow: this week's impressions are a quarter over those of
 * the week before, at most a quarter of that growth is new people, and the frequency is more than its
 * own ups and downs explain.
 */
function testReach(history: History, followed: FollowedAmount[], today: number): Found | null {
  const { days } = history;
  const start = today - LEAST_DAYS + 1;
  const frequency = followed.find(({ amount }) => amount === "frequency");
  const level = frequency?.levels[start];
  if (frequency === undefined || level === undefined || level.variance > 1) return null;
  let sum = 0;
  const growth = { impressions: 0, reach: 0 };
  const week = { impressions: 0, reach: 0 };
  const last = { impressions: 0, reach: 0 };
  for (let day = start; day <= today; day++) {
    sum += frequency.logs[day] ?? NaN;
    for (const name of ["impressions", "reach"] as const) {
      week[name] += days[day]?.[name] ?? NaN;
      last[name] += days[day - LEAST_DAYS]?.[name] ?? NaN;
      growth[name] = Math.log(week[name] / last[name]);
    }
  }
  if (Number.isNaN(sum + growth.reach + growth.impressions)) return null;
  const excess = sum / LEAST_DAYS - level.level;
  const isStill = growth.impressions >= Math.log(1.25) && growth.reach <= growth.impressions / 4;
  const distance = amountDistance(
    excess,
    LEAST_DAYS,
    level,
    frequency.spread,
    frequency.model.drift,
  );
  return {
    metric: "reach",
    type: "reach_saturation",
    windowDays: LEAST_DAYS,
    observed: week.reach,
    expected: week.reach * Math.exp(excess),
    p: isStill && distance > CLOSE ? amountTail(distance, frequency.model) : 1,
    stake: spendOf(days, today, LEAST_DAYS) * (1 - Math.exp(-Math.max(excess, 0))),
    leadsStopped: false,
    excess: -excess,
  };
}

type FollowedRate = {
  rate: Rate;
  model: RateModel;
  events: Float64Array;
  /** Multiplied by the factors of the days. */
  exposures: Float64Array;
  /** What was known before each day. */
  levels: RateLevel[];
};

function followRate(
  rate: Rate,
  days: (Day | null)[],
  end: number,
  common: RateModel,
): FollowedRate {
  const { events, exposures } = countsOf(rate, days, common);
  const model = ownModel(events, exposures, end, common);
  const levels: RateLevel[] = [];
  if (model.rate > 0) {
    let level = startingRate(model);
    for (let day = 0; day < days.length; day++) {
      levels.push(level);
      level = nextRate(level, events[day] ?? 0, exposures[day] ?? 0, model);
    }
  }
  return { rate, model, events, exposures, levels };
}

function testRate(
  { days }: History,
  followed: FollowedRate,
  today: number,
): Found | null {
  const { rate, model, exposures, levels } = followed;
  if ((exposures[today] ?? 0) === 0 || levels.length === 0) return null;
  const best = bestWindow(RATE_WINDOWS, (window) => {
    const start = today - window + 1;
    const level = levels[start];
    if (level === undefined || deliveryDays(days, start) < LEAST_DAYS) return null;
    const { observed, exposure, expected, scatter, walk, variance } = countWindow(
      followed,
      level,
      start,
      today,
    );
    const pAgainst = (expected: number, known: number) =>
      countP(observed, expected, scatter, known, model.dispersionWeight);
    if (noEventP(expected, variance) > ALARM_P) return null;
    const excess = Math.log((observed + 0.5) / (expected + 0.5));
    const distance = countDistance(observed, expected, variance);
    const result = { excess, p: 1, observed, expected };
    const distanceFrom = (from: number, ratio: number) => {
      const late = countWindow(followed, level, from, today);
      return countDistance(late.observed, late.expected * ratio, late.variance);
    };
    if (
      // A single good day is luck that nobody has to be woken for.
      Math.abs(excess) < LEAST_EFFECT || Math.abs(distance) < CLOSE ||
      (excess > 0 && window === 1) ||
      !goesOn(observed / expected, 1, start, today, distanceFrom)
    ) return result;
    const p = pAgainst(expected, 1 / level.alpha + walk);
    const earlier = levels[start - EARLIER];
    if (earlier === undefined || deliveryDays(days, start - EARLIER) < LEAST_DAYS) {
      return { ...result, p };
    }
    const fromEarlier = exposure * earlier.alpha / earlier.beta;
    if ((observed - fromEarlier) * excess <= 0) return result;
    const pFromEarlier = pAgainst(fromEarlier, 1 / earlier.alpha + walk + EARLIER * model.drift);
    return pFromEarlier <= EARLIER_P ? { ...result, p } : result;
  });
  if (best === null) return null;
  const { window, observed, expected, excess, p } = best;
  const exposure = exposureSum(rate, days, today - window + 1, today);
  const isMore = excess > 0;
  const spend = spendOf(days, today, window);
  return {
    metric: rate,
    type: rate === "cpl"
      ? isMore ? "cpl_drop" : "cpl_spike"
      : `${rate === "ctr" ? "ctr" : "performance"}_${isMore ? "spike" : "drop"}`,
    windowDays: window,
    observed: metricOf(rate, observed, exposure),
    expected: metricOf(rate, expected, exposure) ?? 0,
    p,
    stake: spend * Math.min(Math.abs(1 - observed / expected), 1),
    leadsStopped: rate === "conversion_rate" && observed === 0,
    excess: rate === "cpl" ? -excess : excess,
  };
}

/** The days of a window against what was expected of them. */
export type Comparison = {
  /** Events, or the amount: what adds up over children. */
  observed: number;
  expected: number;
  /** The metric that so many events, or such an amount, would make. */
  metricOf(sum: number): number | null;
  /** How far off it would be, in standard deviations, if so many times the expected were right. */
  distanceAt(ratio: number): number;
};

/**
 * Compares without asking whether it is worth telling; null where nothing was to be expected.
 *
 * @param isAccountWide Whether moves of the whole account are what is asked about, so that they are
 * not expected of anybody.
 */
export function compareWindow(
  { days }: History,
  profile: Profile,
  { metric, date, windowDays }: Pick<AnomalyTest, "metric" | "date" | "windowDays">,
  isAccountWide = false,
): Comparison | null {
  const today = days.length - 1 - daysBetween(date, profile.options.asOf);
  const start = today - windowDays + 1;
  if (deliveryDays(days, start) < LEAST_DAYS) return null;
  const end = days.length - profile.options.daysToAnalyze;
  const meanMove = (moves: Float64Array) =>
    isAccountWide ? mean([...moves.subarray(start, today + 1)]) : 0;
  const rate = RATES.find((each) => each === metric);
  if (rate !== undefined) {
    const model = profile.rates[rate];
    const followed = followRate(rate, days, end, model);
    const level = followed.levels[start];
    if (level === undefined) return null;
    const { observed, expected: withMoves, variance } = countWindow(followed, level, start, today);
    const expected = withMoves * Math.exp(-meanMove(model.moves));
    return {
      observed,
      expected,
      metricOf: (events) => metricOf(rate, events, exposureSum(rate, days, start, today)),
      distanceAt: (ratio) => countDistance(observed, expected * ratio, variance),
    };
  }
  const amount = metric === "spend" || metric === "impressions" ? metric : "frequency";
  const model = profile.amounts[amount];
  const { levels, spread } = followAmount(amount, days, end, model);
  const level = levels[start];
  if (level === undefined || level.variance > 1) return null;
  let observed = 0;
  let expected = 0;
  for (let day = start; day <= today; day++) {
    observed += amountOf(amount, days[day]) ?? 0;
    expected += Math.exp(level.level + (model.offsets[day] ?? 0) - meanMove(model.moves));
  }
  const excess = Math.max(Math.log(observed / expected), NOTHING);
  return {
    observed,
    expected,
    metricOf: (sum) => amount === "frequency" ? sum / windowDays : sum,
    distanceAt: (ratio) =>
      amountDistance(
        excess - Math.max(Math.log(ratio), NOTHING),
        windowDays,
        level,
        spread,
        model.drift,
      ),
  };
}

/** A rate as people read it: the CPL upside down, null without a lead. */
function metricOf(rate: Rate, events: number, exposure: number): number | null {
  if (rate !== "cpl") return events / exposure;
  return events > 0 ? exposure / events : null;
}

function exposureSum(rate: Rate, days: (Day | null)[], start: number, today: number): number {
  let sum = 0;
  for (let day = start; day <= today; day++) sum += exposureOf(rate, days[day]);
  return sum;
}

/** The events of a window, what is expected of them, and their relative variance beyond Poisson's. */
function countWindow(
  { model, events, exposures }: FollowedRate,
  { alpha, beta }: RateLevel,
  start: number,
  today: number,
) {
  let observed = 0;
  let exposure = 0;
  let squares = 0;
  for (let day = start; day <= today; day++) {
    const each = exposures[day] ?? 0;
    observed += events[day] ?? 0;
    exposure += each;
    squares += each ** 2;
  }
  // Days that differ by chance even out; the level walks on average for half of the window.
  const scatter = model.dispersion * squares / Math.max(exposure, 1e-9) ** 2;
  const walk = model.drift * (today - start) / 2;
  return {
    observed,
    exposure,
    expected: exposure * alpha / beta,
    scatter,
    walk,
    variance: 1 / alpha + scatter + walk,
  };
}

/**
 * Whether what a window shows goes on until its end: each of its last stretches looks more like the
 * whole window than like what is usual. Otherwise yesterday's fault would be told again today.
 *
 * @param distanceFrom How far the days from one on lie from a size of the effect.
 */
function goesOn(
  effect: number,
  noEffect: number,
  start: number,
  today: number,
  distanceFrom: (day: number, effect: number) => number,
): boolean {
  for (let from = start + 1; from <= today; from++) {
    if (Math.abs(distanceFrom(from, noEffect)) < Math.abs(distanceFrom(from, effect))) return false;
  }
  return true;
}

/** Tests the windows that can be tested and puts them together; the smallest p value names one. */
function bestWindow<T extends { p: number }>(
  windows: Window[],
  test: (days: number) => T | null,
): (T & { window: number }) | null {
  let best: (T & { window: number }) | null = null;
  let weights = 0;
  let sum = 0;
  for (const { days, weight } of windows) {
    const result = test(days);
    if (result === null) continue;
    weights += weight;
    sum += weight / Math.max(result.p, 1e-300);
    if (best === null || result.p < best.p) best = { ...result, window: days };
  }
  return best && { ...best, p: Math.min(weights / sum, 1) };
}

/** The spend of a window's days. */
function spendOf(days: (Day | null)[], today: number, window: number): number {
  let sum = 0;
  for (let day = today - window + 1; day <= today; day++) sum += days[day]?.spend ?? 0;
  return sum;
}
