/** Methods combined for each series by how far off they were before. */
import {
  beginOf,
  METHODS,
  methodsFor,
  type Outlook,
  type Outlooks,
  START_DAYS,
} from "./methods.ts";
import type { Node } from "./tree.ts";
import type { Profiles } from "./weekdays.ts";

/** Methods are judged by at most so many days of the past: by a year, which has all its seasons. */
const JUDGED_DAYS = 364;
/** How far off they were is told of at most so many: how much days scatter changes. */
const RANGED_DAYS = 84;
/** How far ahead methods are judged. */
const JUDGED_AHEAD = [1, 4, 7, 14];
/** How far ahead the errors of a combination are looked at. */
const RANGED_AHEAD = [...JUDGED_AHEAD, 28];
/**
 * Weights are the inverse of the root of the mean squared error to this power. Squares, because a mean
 * is forecast: by their absolute errors, methods that say 0 would be best for what is rare.
 */
const SHARPNESS = 16;
/** Of so many days half of that: who was best in a few days may not be the best one. */
const LEARNING_DAYS = 28;
/** As many errors of its own as the errors of its level count. */
const POOLED_ERRORS = 60;
/** Of so many series, what methods do on a level is known well enough. */
const POOLED_SERIES = 4000;

/** As many errors as are told of a series at most. */
export const MOST_PAST_ERRORS = RANGED_DAYS * RANGED_AHEAD.length;

/** The methods combined for one series. It holds until the next one is combined. */
export type Combination = {
  outlook: Outlook;
  /** How much of what the outlook says comes, by how long the series has been silent: 1 where it is not. */
  returning: number;
  /** Tells how far off it was before: what was expected, what came, how far ahead, from which day. */
  pastErrors(tell: (expected: number, came: number, ahead: number, from: number) => void): void;
};

/** Combines the methods for the series of a level, one after the other. */
export function combinationsOf(
  nodes: readonly Node[],
  profiles: Profiles,
): (node: Node) => Combination {
  const days = nodes.reduce((most, { values }) => Math.max(most, values.length), 0);
  const outlooksOf = methodsFor(days);
  const past = new LookBack();
  const look = ({ values, index }: Node) => {
    const outlooks = outlooksOf(values, profiles.factorsOf(index));
    past.look(values, outlooks, (day) => profiles.leverageOf(index, day, values.length));
    return outlooks.outlooks;
  };
  const stride = Math.ceil(nodes.length / POOLED_SERIES);
  const sums = new Float64Array(METHODS.length);
  const weights = new Float64Array(METHODS.length);
  let judgedDays = 0;
  const silent: Node[] = [];
  for (let place = 0; place < nodes.length; place += stride) {
    const node = nodes[place];
    if (!node) continue;
    look(node);
    if (past.wasSilent) silent.push(node);
    const { errors, count } = past.errors("both");
    judgedDays = Math.max(judgedDays, count);
    relativeLogs(errors).forEach((log, method) => {
      if (Number.isNaN(log)) return;
      sums[method] = (sums[method] ?? 0) + count * log;
      weights[method] = (weights[method] ?? 0) + count;
    });
  }
  const pooled = {
    logs: Array.from(sums, (sum, method) => sum / (weights[method] ?? 0)),
    count: judgedDays,
  };
  const returns = new Returns();
  for (const node of silent) {
    look(node);
    past.tellSilent(weightsOf(past.errors("both"), pooled), returns);
  }
  return (node) => {
    const outlooks = look(node);
    const weights = weightsOf(past.errors("both"), pooled);
    // Errors on days that chose the weights are smaller than those to come: each half of the days is
    // expected with the weights of the other half.
    const of = {
      first: weightsOf(past.errors("second"), pooled),
      second: weightsOf(past.errors("first"), pooled),
    };
    return {
      outlook: (day, ahead) => combine(weights, outlooks.map((outlook) => outlook(day, ahead))),
      returning: returns.after(past.silenceOf(node.values.length - 1)),
      pastErrors: (tell) => past.tell(of, tell),
    };
  };
}

/**
 * The weights of the methods, by how far off they were of a series, and on its level.
 *
 * @param pooled The logarithms of the errors of a level, and the days of the series that has most: one
 * day of many series is not many days, because they move together.
 */
function weightsOf(
  { errors, count }: { errors: number[]; count: number },
  pooled: { logs: readonly number[]; count: number },
): number[] {
  const share = count / (count + POOLED_ERRORS);
  const own = relativeLogs(errors);
  let least = Infinity;
  const logs = pooled.logs.map((ofLevel, method) => {
    const ofOne = own[method] ?? NaN;
    const log = Number.isNaN(ofLevel)
      ? ofOne
      : Number.isNaN(ofOne)
      ? ofLevel
      : share * ofOne + (1 - share) * ofLevel;
    if (log < least) least = log;
    return log;
  });
  // Where nothing is known of any, all count alike.
  if (least === Infinity) return logs.map(() => 1);
  const days = Math.max(count, pooled.count);
  const sharpness = SHARPNESS * days / (days + LEARNING_DAYS);
  // By the best one, because errors may differ by more than a number can hold.
  return logs.map((log) => Number.isNaN(log) ? 0 : Math.exp(sharpness * (least - log)));
}

/** No method is taken for more than so many times as good as the others are on average. */
const MOST_BETTER = 1000;

/** The logarithms of errors by their mean, so that series of any size compare. NaN is unknown. */
function relativeLogs(errors: readonly number[]): number[] {
  let sum = 0;
  let known = 0;
  for (const error of errors) {
    if (Number.isNaN(error)) continue;
    sum += error;
    known += 1;
  }
  const mean = sum / known;
  // Where all are right, none is better.
  return errors.map((error) => mean > 0 ? Math.log(Math.max(error / mean, 1 / MOST_BETTER)) : NaN);
}

/** What methods say together, of those that can be asked; 0 if none can. */
function combine(weights: readonly number[], said: ArrayLike<number>, place = 0): number {
  let sum = 0;
  let total = 0;
  for (let method = 0; method < weights.length; method++) {
    const weight = weights[method] ?? 0;
    const value = said[place + method] ?? NaN;
    if (weight === 0 || Number.isNaN(value)) continue;
    sum += weight * value;
    total += weight;
  }
  return total > 0 ? sum / total : 0;
}

/** How far off each method was on some days: the sum of its squared errors, and their number. */
class Misses {
  sums = new Float64Array(METHODS.length);
  counts = new Float64Array(METHODS.length);
}

/**
 * How much comes of series that are silent: of what their methods expect, by how many times as long as
 * chance explains they have been so. Some pause, most are over (as in Teunter, Syntetos and Babai 2011,
 * but learned from all series of a level).
 */
class Returns {
  #expected = new Float64Array(SILENCES.length + 1);
  #came = new Float64Array(SILENCES.length + 1);

  /** Notes a day after a silence, in usual days of its series. */
  note(silence: number, expected: number, came: number): void {
    this.#expected[silence] = (this.#expected[silence] ?? 0) + expected;
    this.#came[silence] = (this.#came[silence] ?? 0) + came;
  }

  after(silence: number): number {
    if (silence === 0) return 1;
    const came = (this.#came[silence] ?? 0) + USUAL_RETURN.share * USUAL_RETURN.days;
    return Math.min(came / ((this.#expected[silence] ?? 0) + USUAL_RETURN.days), 1);
  }
}

/** What the methods said of one series on the days of the past, and what came. */
class LookBack {
  #said = new Float64Array(MOST_PAST_ERRORS * METHODS.length);
  #came = new Float64Array(MOST_PAST_ERRORS);
  #ahead = new Uint8Array(MOST_PAST_ERRORS);
  #from = new Int32Array(MOST_PAST_ERRORS);
  #count = 0;
  /** Where the second half of the days begins. */
  #middle = 0;
  /** Of each day and of each error: 0 while a series is not over, else how long it has been silent. */
  #silences = new Uint8Array();
  #silenceBefore = new Uint8Array(MOST_PAST_ERRORS);
  /** The first day on which something came, and the mean of all such. */
  #firstPositive = Infinity;
  #usual = 0;
  /** Whether it was silent before any of the days that are told of. */
  wasSilent = false;
  #first = new Misses();
  #second = new Misses();

  /**
   * Takes the place of what was known of another series.
   *
   * @param leverageOf How much of a day is in the weekday profile that the methods know.
   */
  look(
    values: Float32Array,
    { outlooks, seen }: Outlooks,
    leverageOf: (day: number) => number,
  ): void {
    const begin = beginOf(values);
    this.#noteSilences(values);
    this.wasSilent = false;
    // The level that methods start from is known with the last of its days.
    const started = begin + START_DAYS - 1;
    const first = Math.max(started + 1, values.length - JUDGED_DAYS);
    // What has not begun cannot have gone silent, and nobody can expect it.
    const firstFrom = Math.max(started, this.#firstPositive);
    const middle = (first + values.length) / 2;
    for (const each of [this.#first, this.#second]) {
      each.sums.fill(0);
      each.counts.fill(0);
    }
    this.#count = this.#middle = 0;
    for (let target = first; target < values.length; target++) {
      const value = values[target] ?? NaN;
      if (Number.isNaN(value)) continue;
      const { sums, counts } = target < middle ? this.#first : this.#second;
      const leverage = leverageOf(target);
      const own = leverage * (seen[target] ?? 0);
      const isRanged = target >= values.length - RANGED_DAYS;
      for (const ahead of isRanged ? RANGED_AHEAD : JUDGED_AHEAD) {
        const from = target - ahead;
        if (from < firstFrom) continue;
        const silence = this.#silences[from] ?? 0;
        if (silence > 0 && !isRanged) continue;
        const at = this.#count;
        for (let method = 0; method < outlooks.length; method++) {
          const told = outlooks[method]?.(from, ahead) ?? NaN;
          // The day itself is a part of its weekday's factor: what was expected without that part.
          const said = METHODS[method]?.usesProfile ? (told - own) / (1 - leverage) : told;
          if (isRanged) this.#said[at * METHODS.length + method] = said;
          if (silence > 0 || ahead > MOST_JUDGED_AHEAD || Number.isNaN(said)) continue;
          sums[method] = (sums[method] ?? 0) + (value - said) ** 2;
          counts[method] = (counts[method] ?? 0) + 1;
        }
        if (!isRanged) continue;
        this.#came[at] = value;
        this.#ahead[at] = ahead;
        this.#from[at] = from;
        this.#silenceBefore[at] = silence;
        this.#count += 1;
        if (silence > 0) this.wasSilent = true;
      }
      if (target < middle) this.#middle = this.#count;
    }
  }

  /**
   * Notes on which days a series was over, and for how long. Nothing else is learned from those: the
   * many zeros after an end, each of them foreseen, would make the methods that give up at once look
   * best, and the days of all others look safer than they are.
   */
  #noteSilences(values: Float32Array): void {
    // One for all series: a new one for each makes as much garbage as their days.
    if (this.#silences.length < values.length) this.#silences = new Uint8Array(values.length);
    let known = 0;
    let positive = 0;
    let sum = 0;
    for (const value of values) {
      if (value >= 0) known += 1;
      if (value > 0) {
        positive += 1;
        sum += value;
      }
    }
    this.#firstPositive = positive > 0 ? values.findIndex((value) => value > 0) : Infinity;
    this.#usual = sum / positive;
    const surprising = Math.max(SURPRISING * known / positive, LEAST_SILENCE);
    let silent = 0;
    for (let day = 0; day < values.length; day++) {
      const value = values[day] ?? NaN;
      if (value > 0) silent = 0;
      // What is unknown is not silent.
      if (value === 0) silent += 1;
      let steps = 0;
      while (silent >= (SILENCES[steps] ?? NaN) * surprising) steps += 1;
      this.#silences[day] = steps;
    }
  }

  /** How long a series has been silent on a day: as many of the steps of `SILENCES`. */
  silenceOf(day: number): number {
    return this.#silences[day] ?? 0;
  }

  /**
   * The root of the mean squared error of each method on the days that it could be asked, and the number
   * of days.
   */
  errors(halves: "both" | "first" | "second"): { errors: number[]; count: number } {
    const known = [
      ...halves === "second" ? [] : [this.#first],
      ...halves === "first" ? [] : [this.#second],
    ];
    const total = (of: keyof Misses, method: number) =>
      known.reduce((sum, each) => sum + (each[of][method] ?? 0), 0);
    const counts = METHODS.map((_, method) => total("counts", method));
    const most = Math.max(...counts);
    return {
      // A method that could not be asked on half of the days is not compared.
      errors: counts.map((count, method) =>
        count > most / 2 ? Math.sqrt(total("sums", method) / count) : NaN
      ),
      count: most / JUDGED_AHEAD.length,
    };
  }

  /** Tells what methods expected together, with the weights for each half of the days. */
  tell(
    { first, second }: { first: readonly number[]; second: readonly number[] },
    tell: (expected: number, came: number, ahead: number, from: number) => void,
  ): void {
    for (let at = 0; at < this.#count; at++) {
      if (this.#silenceBefore[at]) continue;
      const weights = at < this.#middle ? first : second;
      tell(
        Math.max(combine(weights, this.#said, at * METHODS.length), 0),
        this.#came[at] ?? 0,
        this.#ahead[at] ?? 1,
        this.#from[at] ?? 0,
      );
    }
  }

  /** Tells what methods expected together after silences, and what came. */
  tellSilent(weights: readonly number[], returns: Returns): void {
    for (let at = 0; at < this.#count; at++) {
      const silence = this.#silenceBefore[at] ?? 0;
      if (silence === 0) continue;
      const expected = Math.max(combine(weights, this.#said, at * METHODS.length), 0);
      returns.note(silence, expected / this.#usual, (this.#came[at] ?? 0) / this.#usual);
    }
  }
}

const MOST_JUDGED_AHEAD = Math.max(...JUDGED_AHEAD);

/** What comes on a share of days stays away for 3 / share of them by chance once in e^3 = 20 times. */
const SURPRISING = 3;
/** Nothing is over after a weekend. */
const LEAST_SILENCE = 4;
/** Silences are told apart by how many times as long they are. */
const SILENCES = [1, 2, 4];
/** What is taken for usual of a silence, as if so many days had been seen after such. */
const USUAL_RETURN = { share: 0.3, days: 10 };
