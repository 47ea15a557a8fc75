/** What the entities of an account's level have in common: no single one has enough data for it. */
import { digamma, pt, qt, trigamma } from "lib-r-math.js";
import { hashOf } from "../random.ts";
import {
  type AmountModel,
  nextLevel,
  ownSpread,
  spreadOf,
  type Tail,
  UNKNOWN_LEVEL,
} from "./amounts.ts";
import type { Day, History } from "./history.ts";
import { type Amount, amountOf, delivered, eventsOf, exposureOf, type Rate } from "./metrics.ts";
import {
  countDistance,
  nextRate,
  OUTLIER,
  ownDispersion,
  type RateModel,
  startingRate,
} from "./rates.ts";

/** What is asked. */
export type AnomalyOptions = {
  /** The last day of all histories. */
  asOf: string;
  /** How many days back a baseline reaches. */
  historyDays: number;
  /** How many days are tested, the last one being `asOf`. */
  daysToAnalyze: number;
  /**
   * The share of a day's leads that is known on the day itself, one day later and so on; 1 beyond.
   * Where nothing is given all leads count as known: attribution that is late for everybody is an
   * account-wide move, so that it is still no alarm of any entity.
   */
  completeness?: readonly number[];
};

/** What `testEntity()` has to know of the account. */
export type Profile = {
  options: AnomalyOptions;
  /** The number of days of each history. */
  length: number;
  amounts: Record<Amount, AmountModel>;
  rates: Record<Rate, RateModel>;
  pauses: PauseModel;
};

/** How often entities that were shown on one day are not on the next, and later are again. */
export type PauseModel = {
  /** Per day of delivery, over all entities. */
  rate: number;
  /** What that is worth for one of them, in days of its own: little where they differ much in it. */
  weight: number;
};

/** Learns a profile from histories that come one after the other. */
export type ProfileLearner = {
  add(history: History): void;
  /** @param look How the histories are to be seen, the account's too: as they are, if not given. */
  finish(look?: (history: History) => History): Profile;
};

/** Under so many days of delivery an entity has no behaviour of its own yet. */
export const LEAST_DAYS = 7;

/**
 * A profile is learned from so many entities: a dispersion is then known to a few percent, and
 * memory does not grow with the account.
 */
const SAMPLE = 512;

/** An amount of fewer impressions says more about chance than about a change. */
export const LEAST_IMPRESSIONS = 50;

/**
 * Starts to learn a profile. For the account as a whole, add only `account` itself.
 *
 * @param account The sums over all its entities.
 */
export function startProfile(account: History, options: AnomalyOptions): ProfileLearner {
  const firstTested = account.days.length - options.daysToAnalyze;
  // Those with the smallest hashes: a random choice, and the same in whatever order they come.
  let sample: { hash: number; history: History }[] = [];
  let limit = Infinity;
  return {
    add(history) {
      const hash = hashOf(history.entityId);
      if (hash >= limit || deliveryDays(history.days, firstTested) < LEAST_DAYS) return;
      sample.push({ hash, history });
      if (sample.length < 2 * SAMPLE) return;
      sample = smallest(sample);
      limit = sample.at(-1)?.hash ?? limit;
    },
    finish(look = (history) => history) {
      const histories = smallest(sample).map(({ history }) => look(history));
      const whole = look(account);
      const amount = (name: Amount) => learnAmount(name, histories, whole, firstTested);
      const rate = (name: Rate) => learnRate(name, histories, whole, firstTested, options);
      return {
        options,
        length: account.days.length,
        amounts: {
          spend: amount("spend"),
          impressions: amount("impressions"),
          frequency: amount("frequency"),
        },
        rates: {
          ctr: rate("ctr"),
          cpl: rate("cpl"),
          conversion_rate: rate("conversion_rate"),
        },
        pauses: learnPauses(histories, firstTested),
      };
    },
  };
}

/** The days with delivery before `end`. */
export function deliveryDays(days: (Day | null)[], end: number): number {
  let count = 0;
  for (let day = 0; day < end; day++) if (delivered(days[day])) count++;
  return count;
}

/** The logarithms of an amount, NaN where there is none or too little to speak of. */
export function logsOf(amount: Amount, days: (Day | null)[], offsets: Float64Array): Float64Array {
  const logs = new Float64Array(days.length);
  for (let index = 0; index < days.length; index++) {
    const day = days[index];
    const value = (day?.impressions ?? 0) < LEAST_IMPRESSIONS ? null : amountOf(amount, day);
    logs[index] = value ? Math.log(value) - (offsets[index] ?? 0) : NaN;
  }
  return logs;
}

/** The events of a rate by day, and what they came from, multiplied by the factors of the days. */
export function countsOf(rate: Rate, days: (Day | null)[], { factors }: RateModel) {
  return {
    events: Float64Array.from(days, (day) => eventsOf(rate, day)),
    exposures: Float64Array.from(
      days,
      (day, index) => exposureOf(rate, day) * (factors[index] ?? 1),
    ),
  };
}

function smallest(sample: { hash: number; history: History }[]) {
  return sample.toSorted((a, b) => a.hash - b.hash).slice(0, SAMPLE);
}

/** Lags, in days, over which the wandering of a level is read. */
const LAGS = [1, 2, 3, 5, 7, 10, 14];

function learnAmount(
  amount: Amount,
  histories: History[],
  account: History,
  end: number,
): AmountModel {
  const length = account.days.length;
  const none = new Float64Array(length);
  const raw = histories.map((history) => logsOf(amount, history.days, none));
  const offsets = weekdayOffsets(length, end, (day) => {
    const excesses = raw.map((logs) => excessOverWeek(logs, day)).filter((x) => !Number.isNaN(x));
    return excesses.length > 0 ? median(excesses) : NaN;
  });
  const logs = histories.map((history) => logsOf(amount, history.days, offsets));
  const drift = amountDrift(logs, end);
  const moves = new Float64Array(length);
  const model = { offsets, moves, drift, ...commonSpread(logs, end, drift), tails: [] };
  const spreads = logs.map((each) => spreadOf(each, end, model));
  const levels = logs.map(() => UNKNOWN_LEVEL);
  const surprises: number[] = [];
  for (let day = 0; day < length; day++) {
    const excesses: Excess[] = [];
    levels.forEach(({ level, variance }, entity) => {
      const log = logs[entity]?.[day] ?? NaN;
      if (day < LEAST_DAYS || variance >= 1e3 || Number.isNaN(log)) return;
      excesses.push({ campaignId: histories[entity]?.campaignId ?? "", value: log - level });
    });
    const move = commonMove(excesses);
    moves[day] = move;
    offsets[day] = (offsets[day] ?? 0) + move;
    levels.forEach((before, entity) => {
      const log = (logs[entity]?.[day] ?? NaN) - move;
      const after = nextLevel(before, log, spreads[entity] ?? model.spread, model.drift);
      if (day >= LEAST_DAYS && day < end && before.variance < 1e3 && !Number.isNaN(log)) {
        surprises.push(Math.abs(after.surprise));
      }
      levels[entity] = after;
    });
  }
  return { ...model, tails: tailsOf(surprises) };
}

/**
 * How fast levels walk, from how much farther apart days are that lie farther apart in time: the
 * variogram, by medians, so that neither outliers nor steps made by people count.
 */
function amountDrift(logs: Float64Array[], end: number): number {
  const distances = LAGS.map((): number[] => []);
  for (const each of logs) {
    const own = Math.sqrt(ownSpread(each, end, 0).variance);
    if (!(own > 0)) continue;
    LAGS.forEach((lag, index) => {
      for (let day = lag; day < end; day++) {
        const distance = Math.abs((each[day] ?? NaN) - (each[day - lag] ?? NaN));
        if (!Number.isNaN(distance)) distances[index]?.push(distance / own);
      }
    });
  }
  const medians = distances.map((each) => each.length > 0 ? median(each) : NaN);
  // With noise of variance 1, days h apart differ by a variance of 2 + h x drift; least squares.
  let above = 0;
  let below = 0;
  LAGS.forEach((lag, index) => {
    const growth = ((medians[index] ?? NaN) / (medians[0] ?? NaN)) ** 2;
    if (Number.isNaN(growth) || lag === 1) return;
    above += 2 * (growth - 1) * (lag - growth);
    below += (lag - growth) ** 2;
  });
  return below > 0 ? Math.min(Math.max(above / below, 0.002), 2) : 0.02;
}

/**
 * The typical spread, and how much entities differ in it: the variance of the logarithms of their
 * own variances beyond what chance gives (Smyth 2004).
 */
function commonSpread(logs: Float64Array[], end: number, drift: number) {
  const own = logs.map((each) => ownSpread(each, end, drift)).filter(({ weight }) => weight > 0);
  if (own.length === 0) return { spread: 0.3, spreadWeight: 5 };
  const centred = own.map(({ variance, weight }) =>
    Math.log(variance) - digamma(weight / 2) + Math.log(weight / 2)
  );
  const mean = average(centred);
  // A typical variance among accounts, worth one entity, stands beside those seen.
  const between = average([...centred.map((x) => (x - mean) ** 2), 0.5]);
  const excess = between - average(own.map(({ weight }) => trigamma(weight / 2)));
  // trigamma(x) is 1 / x + 1 / (2 x^2) to a few percent, which is solved here.
  const half = excess > 0.005 ? (1 + Math.sqrt(1 + 2 * excess)) / (2 * excess) : 200;
  return { spread: Math.exp(mean / 2), spreadWeight: 2 * half };
}

/** Bounds of the parts in which surprises are counted, in multiples of their median. */
const BOUNDS = [0, 1, 1.5, 2, 2.5, 3, 3.5, 4.5, Infinity];

/** The share of days that may be faults of the past: the farthest ones, which are not counted. */
const PAST_FAULTS = 0.003;

/**
 * The tails that are weighed against each other: degrees of freedom, what is expected of accounts
 * before anything was seen (about 12, within a factor of two), and how likely each part is.
 */
const TAILS = [3, 4, 5, 6, 8, 10, 14, 20, 40, 100].map((degrees) => {
  const middle = qt(0.75, degrees);
  const below = BOUNDS.map((bound) => pt(bound * middle, degrees));
  return {
    degrees,
    middle,
    prior: -((Math.log(degrees / 12) / Math.LN2) ** 2) / 2,
    parts: below.slice(1).map((each, part) => 2 * (each - (below[part] ?? 0))),
  };
});

/**
 * How common outliers are. It is read off the shoulders of the distribution, how many days lie beyond
 * some 3 standard deviations being the last of it: the farthest ones are the very faults that are
 * looked for, and would hide them. How far out the tail goes is not certain then, so all tails are
 * kept, by their likelihood.
 */
function tailsOf(surprises: number[]): Tail[] {
  const middle = surprises.length > 0 ? median(surprises) : TYPICAL_SURPRISE;
  const usual = surprises.toSorted((a, b) => a - b)
    .slice(0, Math.ceil((1 - PAST_FAULTS) * surprises.length));
  const counts = BOUNDS.slice(1).map((bound, part) =>
    usual.filter((each) => each < bound * middle && each >= (BOUNDS[part] ?? 0) * middle).length
  );
  const likelihoods = TAILS.map(({ prior, parts }) =>
    counts.reduce((sum, count, part) => sum + count * Math.log(parts[part] ?? 1), prior)
  );
  const most = Math.max(...likelihoods);
  const weights = likelihoods.map((likelihood) => Math.exp(likelihood - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return TAILS.map((tail, index) => ({
    degrees: tail.degrees,
    scale: Math.min(Math.max(middle / tail.middle, 0.8), 1.5),
    weight: (weights[index] ?? 0) / total,
  })).filter(({ weight }) => weight > 1e-6);
}

/** The median distance of a standard normal deviate. */
const TYPICAL_SURPRISE = 0.6745;

function learnRate(
  rate: Rate,
  histories: History[],
  account: History,
  end: number,
  { completeness = [] }: AnomalyOptions,
): RateModel {
  const { days } = account;
  const length = days.length;
  const logRate = (from: number, to: number) => {
    let events = 0;
    let exposure = 0;
    for (let day = from; day <= to; day++) {
      events += eventsOf(rate, days[day]);
      exposure += exposureOf(rate, days[day]);
    }
    return events > 0 && exposure > 0 ? Math.log(events / exposure) : NaN;
  };
  const offsets = weekdayOffsets(
    length,
    end,
    (day) => logRate(day, day) - logRate(day - 3, day + 3),
  );
  const factors = offsets.map((offset, day) =>
    Math.exp(offset) * (rate === "ctr" ? 1 : completeness[length - 1 - day] ?? 1)
  );
  const overall = logRate(0, end - 1);
  const moves = new Float64Array(length);
  const model = {
    factors,
    moves,
    rate: Number.isNaN(overall) ? 0 : Math.exp(overall),
    ...scatter(rate, histories, factors, end),
    dispersionWeight: TYPICAL_WEIGHT,
  };
  if (model.rate === 0) return model;
  const usual = histories.map((history) => withoutOutliers(rate, history, model));
  Object.assign(model, scatter(rate, usual, factors, end));
  const levels = histories.map(() => startingRate(model));
  for (let day = 0; day < length; day++) {
    const factor = factors[day] ?? 1;
    const excesses: Excess[] = [];
    levels.forEach(({ alpha, beta }, entity) => {
      const at = histories[entity]?.days[day];
      const expected = exposureOf(rate, at) * factor * alpha / beta;
      if (day < LEAST_DAYS || expected < LEAST_EXPECTED) return;
      const value = Math.log((eventsOf(rate, at) + 0.5) / (expected + 0.5));
      excesses.push({ campaignId: histories[entity]?.campaignId ?? "", value });
    });
    const move = commonMove(excesses);
    moves[day] = move;
    factors[day] = factor * Math.exp(move);
    levels.forEach((before, entity) => {
      const at = histories[entity]?.days[day];
      const exposure = exposureOf(rate, at) * (factors[day] ?? 1);
      levels[entity] = nextRate(before, eventsOf(rate, at), exposure, model);
    });
  }
  return { ...model, dispersionWeight: dispersionWeight(rate, histories, end, model) };
}

/** How much entities differ in their dispersion beyond what chance gives, as degrees of freedom. */
function dispersionWeight(rate: Rate, histories: History[], end: number, model: RateModel): number {
  // What is typical of accounts stands beside what is seen, as an entity of a month of large counts.
  let differences = 30 * 2 / TYPICAL_WEIGHT;
  let weights = 30;
  for (const { days } of histories) {
    const { events, exposures } = countsOf(rate, days, model);
    const { dispersion, weight } = ownDispersion(events, exposures, end, model);
    // Of fewer such days the ratio below is anything.
    if (weight < LEAST_EXPECTED) continue;
    differences += weight * (Math.min(dispersion / model.dispersion, 4) - 1) ** 2 - 2;
    weights += weight;
  }
  return Math.min(Math.max(2 * weights / Math.max(differences, 1e-9), 4), 200);
}

/** Dispersions of entities of an account usually differ by half of themselves. */
const TYPICAL_WEIGHT = 8;

/**
 * The days that a first look at the dispersion does not call outliers: the faults of the past, of
 * which a few percent are enough to double a variance, are no part of what is usual.
 */
function withoutOutliers(rate: Rate, history: History, model: RateModel): History {
  let level = startingRate(model);
  const days = history.days.map((day, index) => {
    const exposure = exposureOf(rate, day) * (model.factors[index] ?? 1);
    const expected = exposure * level.alpha / level.beta;
    const variance = model.dispersion + 1 / level.alpha;
    const distance = countDistance(eventsOf(rate, day), expected, variance);
    level = nextRate(level, eventsOf(rate, day), exposure, model);
    return index >= LEAST_DAYS && Math.abs(distance) > OUTLIER ? null : day;
  });
  return { ...history, days };
}

/** Under so many expected events the ratio of one or two days says nothing. */
const LEAST_EXPECTED = 4;

/**
 * Dispersion and drift of a rate from pairs of days of the same entity. For two days with counts x, y
 * and exposures e, f at a lag of h days, (x f - y e)^2 / (e f) - (x + y) has the expectation
 * r^2 e f (2 dispersion + h drift), and x y that of r^2 e f; so the ratio of their sums is free of the
 * entities' rates, and a line over h gives both.
 */
function scatter(rate: Rate, histories: History[], factors: Float64Array, end: number) {
  const lags = LAGS.map((lag) => ({ lag, above: 0, below: 0 }));
  for (const { days } of histories) {
    let total = 0;
    for (let day = 0; day < end; day++) total += eventsOf(rate, days[day]);
    // Where counts are large all pairs say the same about a dispersion, however large.
    const weight = 1 / (1 + TYPICAL_DISPERSION * total / Math.max(deliveryDays(days, end), 1)) ** 2;
    for (const sums of lags) {
      for (let day = sums.lag; day < end; day++) {
        const before = days[day - sums.lag];
        const e = exposureOf(rate, days[day]) * (factors[day] ?? 1);
        const f = exposureOf(rate, before) * (factors[day - sums.lag] ?? 1);
        if (e === 0 || f === 0) continue;
        const x = eventsOf(rate, days[day]);
        const y = eventsOf(rate, before);
        sums.above += weight * ((x * f - y * e) ** 2 / (e * f) - x - y);
        sums.below += weight * x * y;
      }
    }
  }
  // What accounts usually show stands beside what this one does, as so many pairs of events.
  const typical = 50;
  const points = lags.map(({ lag, above, below }) => ({
    lag,
    value: (above + typical * (2 * TYPICAL_DISPERSION + lag * TYPICAL_DRIFT)) / (below + typical),
  }));
  const meanLag = average(LAGS);
  const meanValue = average(points.map(({ value }) => value));
  const slope = points.reduce((sum, { lag, value }) => sum + (lag - meanLag) * value, 0) /
    LAGS.reduce((sum, lag) => sum + (lag - meanLag) ** 2, 0);
  const drift = Math.min(Math.max(slope, LEAST_DRIFT), 0.05);
  return { drift, dispersion: Math.max((meanValue - drift * meanLag) / 2, LEAST_DISPERSION) };
}

const TYPICAL_DISPERSION = 0.1;
const TYPICAL_DRIFT = 0.001;

/** No rate is steadier than this: 1 % from one day to the next, 5 % from day to day beside it. */
const LEAST_DRIFT = 0.0001;
const LEAST_DISPERSION = 0.0025;

/** How far an entity's day lies from what was expected of it, on a log scale. */
type Excess = { campaignId: string; value: number };

/** Of fewer nobody can tell a move of all from that of one. */
const LEAST_WITNESSES = 6;

/**
 * By how much, on a log scale, everybody moved on a day; 0 unless three quarters went the same way by
 * a median that is three times its standard error, and the campaigns did.
 *
 * What met a campaign met all that is in it, however many that are: each campaign says the same once,
 * by its median. Under six campaigns all have to say it, and the least of them is what all moved by.
 */
function commonMove(excesses: Excess[]): number {
  const count = excesses.length;
  if (count < LEAST_WITNESSES) return 0;
  const { low, middle, high } = quartiles(excesses.map(({ value }) => value));
  // 1.25 sigma / sqrt(n) is the median's standard error, the quartiles are 1.35 sigma apart; of few
  // entities they lie close together by chance, as Student's t has it with few degrees of freedom.
  const error = 1.25 * (high - low) / 1.35 / Math.sqrt(count) * (1 + 6 / count);
  const isShared = (low > 0 || high < 0) && Math.abs(middle) > 3 * error;
  if (!isShared) return 0;
  const byCampaign = Map.groupBy(excesses, ({ campaignId }) => campaignId);
  const moves = [...byCampaign.values()].map((own) => median(own.map(({ value }) => value)));
  if (moves.length >= LEAST_WITNESSES) {
    const ofCampaigns = quartiles(moves);
    return ofCampaigns.low > 0 || ofCampaigns.high < 0 ? ofCampaigns.middle : 0;
  }
  if (moves.some((move) => move * middle <= 0)) return 0;
  return Math.sign(middle) * Math.min(...moves.map(Math.abs));
}

function quartiles(values: number[]): { low: number; middle: number; high: number } {
  const sorted = Float64Array.from(values).sort();
  const at = (share: number) => sorted[Math.floor(share * sorted.length)] ?? 0;
  return { low: at(0.25), middle: at(0.5), high: at(0.75) };
}

/**
 * Weekday effects on a log scale by day: the median over the days of a weekday, all of them shrunk
 * towards none by the share of their variance that chance gives (James and Stein 1961).
 *
 * @param excess How far a day lies over the week around it, NaN where it is not known.
 */
function weekdayOffsets(
  length: number,
  end: number,
  excess: (day: number) => number,
): Float64Array {
  const byWeekday = Array.from({ length: 7 }, (): number[] => []);
  for (let day = 3; day < end - 3; day++) {
    const value = excess(day);
    if (!Number.isNaN(value)) byWeekday[day % 7]?.push(value);
  }
  if (byWeekday.some((values) => values.length < 2)) return new Float64Array(length);
  const medians = byWeekday.map(median);
  const centre = average(medians);
  const effects = medians.map((value) => value - centre);
  const residuals = byWeekday.flatMap((values, weekday) =>
    values.map((value) => Math.abs(value - (medians[weekday] ?? 0)))
  );
  // Each weekday's own median has taken one of its days: residuals of n days are too small.
  const days = residuals.length / 7;
  const noise = (median(residuals) / 0.6745) ** 2 * days / (days - 1);
  const signal = effects.reduce((sum, effect) => sum + effect ** 2, 0) / 6;
  const share = signal > 0 ? Math.max(1 - 1.57 * noise / days / signal, 0) : 0;
  return Float64Array.from({ length }, (_, day) => share * (effects[day % 7] ?? 0));
}

/** How far a day lies over the mean of the week around it, NaN where days are missing. */
function excessOverWeek(logs: Float64Array, day: number): number {
  let sum = 0;
  for (let other = day - 3; other <= day + 3; other++) sum += logs[other] ?? NaN;
  return (logs[day] ?? NaN) - sum / 7;
}

/**
 * How often entities pause, and how much they differ in it, as a beta-binomial by its moments. For the
 * rate, the pauses of one parent on one day are one, since they have one cause, and the two that faults
 * of the past may be are not counted; so what is looked for does not make itself look usual.
 */
function learnPauses(histories: History[], end: number): PauseModel {
  const pauses = new Set<string>();
  const own = histories.map(({ days, parentId }) => {
    const found = pausesOf(days, end);
    for (const day of found) pauses.add(`${day} ${parentId}`);
    return { found: found.length, days: deliveryDays(days, end) };
  });
  const running = own.reduce((sum, { days }) => sum + days, 0);
  const all = own.reduce((sum, { found }) => sum + found, 0) / Math.max(running, 1);
  let squares = 0;
  let chance = 0;
  for (const { found, days } of own) {
    squares += (found - days * all) ** 2;
    chance += days * all * (1 - all);
  }
  const days = running / Math.max(own.length, 1);
  const excess = chance > 0 ? Math.max(squares / chance - 1, 0) : TYPICAL_ALIKE * days;
  const alike = Math.min(Math.max(excess / Math.max(days - 1, 1), 0.001), 0.9);
  return { rate: Math.max(pauses.size - 2, 0) / Math.max(running, 1), weight: 1 / alike - 1 };
}

/** The intraclass correlation of pauses where none were seen. */
const TYPICAL_ALIKE = 0.1;

/**
 * How often an entity pauses, by its own days before `end` and those of all. One pause of its own may
 * have been a fault.
 */
export function ownPauseRate({ days }: History, end: number, { pauses }: Profile): number {
  const own = Math.max(pausesOf(days, end).length - 1, 0);
  return (pauses.weight * pauses.rate + own) / (pauses.weight + deliveryDays(days, end));
}

/** The first days of the pauses before `end` that came to an end. */
function pausesOf(days: (Day | null)[], end: number): number[] {
  const pauses: number[] = [];
  let last = end - 1;
  while (last >= 0 && !delivered(days[last])) last--;
  for (let day = 1; day < last; day++) {
    if (delivered(days[day - 1]) && !delivered(days[day])) pauses.push(day);
  }
  return pauses;
}

function average(values: number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}

function median(values: number[]): number {
  const sorted = Float64Array.from(values).sort();
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? NaN;
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? NaN) + upper) / 2;
}
