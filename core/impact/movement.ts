/**
 * What would have come of an entity without the change: its rate is followed from week to week, and
 * moves with that of the others.
 *
 * What is known of a rate is a gamma distribution of `shape` events, as in the discounted
 * gamma-Poisson filter (Harvey and Fernandes 1989): a count that it was right about makes it surer, a
 * week that passes less sure. It expects, for the next week, what all that came before makes most
 * probable. So who was chosen because the last week was bad is expected to come back by as much as
 * such weeks are luck, and that it does is no effect.
 */
import { lgamma } from "lib-r-math.js";
import { type Block, NOTHING, type Panel, type Row } from "./panel.ts";

/** How rates move: relative variances. */
export type Variation = {
  /** Of a day around the week. */
  day: number;
  /** Of a step of an entity from one week to the next. */
  own: number;
  /** Of a step that all of one parent make together. */
  parent: number;
  /** Of a step that the whole account makes. */
  account: number;
  /** By which share of the way an entity comes back in a week to what it was all the time before. */
  reversion: number;
};

/** What is expected of a count: how much by unit of exposure, and the relative variance of that. */
export type Expectation = { rate: number; variance: number };

/** What the controls say of the way everything moved since the last week before the change. */
export type Movement = {
  /** How many times as much everything became. */
  factor: number;
  /** Relative variance of it. */
  variance: number;
};

/** What is known of a rate: `shape` events in `shape / rate` units of exposure. */
type Gamma = { rate: number; shape: number };

/** What is known of an entity's rate: what it is now, and what it was all the time. */
type Level = { now: Gamma; ever: Gamma };

/** How the others moved: what was seen beside what was expected, each weighted by what it tells. */
type Sums = { seen: number; expected: number };

/** What all rows are known to be before their first week. */
export type Start = { rate: number; variance: number }[];

/** A run through the weeks before a change. */
export type Filtered = {
  /** The logarithm of the probability of all counts, each given those before it. */
  likelihood: number;
  /** What is known of each row when the weeks before the change are over. */
  levels: (Level | null)[];
};

/** Follows all rows through the weeks before the change. */
export function follow(panel: Panel, start: Start, variation: Variation): Filtered {
  const { rows, groups } = panel;
  const levels: (Level | null)[] = rows.map(() => null);
  const weeks = rows[0]?.weeks.length ?? 0;
  let likelihood = 0;
  for (let week = 0; week < weeks; week++) {
    const blockOf = (row: Row) => row.weeks[week] ?? NOTHING;
    const moves = movesOf(rows, levels, groups, blockOf, variation);
    for (const [index, row] of rows.entries()) {
      const block = blockOf(row);
      const before = levels[index];
      if (!before) {
        const { rate = 0, variance = 1 } = start[index] ?? {};
        if (block.exposure === 0 || rate === 0) continue;
        const known = learn({ rate, shape: 1 / variance }, block, variation);
        levels[index] = { now: known, ever: known };
        continue;
      }
      const move = moves(row, index);
      const back = comeBack(before, variation.reversion);
      const rate = back.rate * move.factor;
      const known = { rate, shape: 1 / (1 / back.shape + variation.own + move.variance) };
      const ever = {
        rate: before.ever.rate * move.factor,
        shape: 1 / (1 / before.ever.shape + move.variance),
      };
      if (block.exposure === 0) {
        levels[index] = { now: known, ever };
        continue;
      }
      likelihood += logProbability(
        block.events,
        rate * block.exposure,
        1 / known.shape + variation.day * block.concentration,
      );
      levels[index] = {
        now: learn(known, block, variation),
        ever: learn(ever, block, variation),
      };
    }
  }
  return { likelihood, levels };
}

/** What a level is expected to be after a part of its way back, before anything moves. */
function comeBack({ now, ever }: Level, reversion: number): Gamma {
  if (now.rate === 0 || ever.rate === 0) return now;
  // Both rest on the same counts, so their errors add up.
  const error = (1 - reversion) / Math.sqrt(now.shape) + reversion / Math.sqrt(ever.shape);
  return {
    rate: now.rate ** (1 - reversion) * ever.rate ** reversion,
    shape: 1 / error ** 2,
  };
}

/** How probable it is that the whole account, or all of a parent, makes a step unlike its others. */
const SHOCK = 0.05;

/** The relative variance of such a step: by half, or to twice as much. */
const SHOCK_VARIANCE = 0.25;

/** One of the ways in which the others may have moved, and how probable it is. */
export type Expected = { expectation: Expectation; move: Movement; weight: number };

/**
 * What is expected of the measured entity in the window after, and how the others moved.
 *
 * Weeks do not tell of what never happened in them: that the price of all leads jumps on a day. So the
 * steps of the account and of the parent are believed to be as usual with a probability of 95 %, and
 * may be large otherwise. Controls tell which of both it was; without any, it stays possible.
 */
export function expect(panel: Panel, { levels }: Filtered, variation: Variation): Expected[] {
  const [subject] = panel.rows;
  const [before] = levels;
  if (!subject || !before) return [];
  const steps = stepsTo(panel.daysAfter);
  const usual = {
    day: variation.day,
    own: steps * variation.own,
    parent: steps * variation.parent,
    account: steps * variation.account + panel.lateness,
    reversion: 1 - (1 - variation.reversion) ** steps,
  };
  const known = levels.map((level, index) => panel.rows[index]?.isControl ? level : null);
  const { siblings, others } = sumsAround(panel, known, usual);
  // Without siblings nobody can tell a step of the parent from one of the entity.
  const ofParents = siblings.expected > 0 ? [0, SHOCK_VARIANCE] : [0];
  const ways = [0, SHOCK_VARIANCE].flatMap((ofAccount) =>
    ofParents.map((ofParent) => {
      const start = { factor: 1, variance: usual.account + ofAccount };
      const account = after(start, others);
      const parent = { ...account, variance: account.variance + usual.parent + ofParent };
      const move = after(parent, siblings);
      return {
        move,
        log: logProbabilityOf(start, others) + logProbabilityOf(parent, siblings),
        prior: (ofAccount > 0 ? SHOCK : 1 - SHOCK) * (ofParent > 0 ? SHOCK : 1 - SHOCK),
      };
    })
  );
  const back = comeBack(before, usual.reversion);
  const most = Math.max(...ways.map(({ log }) => log));
  const total = ways.reduce((sum, { log, prior }) => sum + prior * Math.exp(log - most), 0);
  return ways.map(({ move, log, prior }) => ({
    move,
    weight: prior * Math.exp(log - most) / total,
    expectation: {
      rate: back.rate * move.factor,
      variance: 1 / back.shape + usual.own + move.variance +
        usual.day * subject.after.concentration,
    },
  }));
}

/** What the controls did in the window after: those beside the measured entity, and the others. */
function sumsAround(
  { rows, groups }: Panel,
  levels: readonly (Level | null)[],
  variation: Variation,
): { siblings: Sums; others: Sums } {
  const { byGroup, weighted } = sumsOf(rows, levels, groups, ({ after }) => after, variation);
  const group = rows[0]?.group ?? 0;
  return {
    siblings: byGroup[group] ?? { seen: 0, expected: 0 },
    others: added(weighted.filter((_, index) => index !== group)),
  };
}

function added(all: Sums[]): Sums {
  return all.reduce((sum, { seen, expected }) => ({
    seen: sum.seen + seen,
    expected: sum.expected + expected,
  }), { seen: 0, expected: 0 });
}

function logProbabilityOf({ factor, variance }: Movement, { seen, expected }: Sums): number {
  return expected > 0 ? logProbability(seen, factor * expected, variance) : 0;
}

/**
 * How many weekly steps lie between the last week before a change and the window after it. The mean of
 * a random walk over n days lies n / 3 days' variance from either end of it, and the day of the change
 * lies between.
 */
export function stepsTo(daysAfter: number): number {
  return (7 / 3 + 1 + daysAfter / 3) / (7 / 3 + 7 / 3);
}

/** A level after a count. Many events of few days say less than of many days. */
function learn(
  { rate, shape }: Gamma,
  { events, exposure, concentration }: Block,
  { day }: Variation,
): Gamma {
  const weight = 1 / (1 + day * concentration * rate * exposure);
  const after = shape + weight * events;
  return { shape: after, rate: after / (shape / rate + weight * exposure) };
}

/**
 * How everybody but one moved in a block, by what was expected of each. Where nobody tells anything,
 * nothing moved, give or take what is usual.
 */
function movesOf(
  rows: readonly Row[],
  levels: readonly (Level | null)[],
  groups: number,
  blockOf: (row: Row) => Block,
  variation: Variation,
): (row: Row, index: number) => Movement {
  const { own, byGroup, weighted } = sumsOf(rows, levels, groups, blockOf, variation);
  const all = added(weighted);
  return ({ group }, index) => {
    const others = weighted[group] ?? all;
    const ofAccount = after({ factor: 1, variance: variation.account }, {
      seen: all.seen - others.seen,
      expected: all.expected - others.expected,
    });
    const siblings = byGroup[group] ?? { seen: 0, expected: 0 };
    const itself = own[index] ?? { seen: 0, expected: 0 };
    const variance = ofAccount.variance + variation.parent;
    return after({ factor: ofAccount.factor, variance }, {
      seen: siblings.seen - itself.seen,
      expected: siblings.expected - itself.expected,
    });
  };
}

/**
 * What was seen of each in a block beside what was expected. Counts of one parent are put together
 * first, then the parents, each weighted by what it tells of the others: its information in the sense
 * of Fisher.
 */
function sumsOf(
  rows: readonly Row[],
  levels: readonly (Level | null)[],
  groups: number,
  blockOf: (row: Row) => Block,
  { day, own: drift, parent, reversion }: Variation,
): { own: Sums[]; byGroup: Sums[]; weighted: Sums[] } {
  const own: Sums[] = [];
  const byGroup: Sums[] = Array.from({ length: groups }, () => ({ seen: 0, expected: 0 }));
  for (const [index, row] of rows.entries()) {
    const level = levels[index];
    const { events, exposure, concentration } = blockOf(row);
    const sums = { seen: 0, expected: 0 };
    own.push(sums);
    if (!level || exposure === 0) continue;
    const { rate, shape } = comeBack(level, reversion);
    const expected = rate * exposure;
    const doubt = 1 / shape + drift + day * concentration;
    const weight = 1 / (1 + expected * doubt);
    sums.seen = weight * events;
    sums.expected = weight * expected;
    const group = byGroup[row.group];
    if (!group) continue;
    group.seen += sums.seen;
    group.expected += sums.expected;
  }
  const weighted = byGroup.map(({ seen, expected }) => {
    const weight = 1 / (1 + parent * expected);
    return { seen: weight * seen, expected: weight * expected };
  });
  return { own, byGroup, weighted };
}

/** A movement as it was believed to be, after what was seen of it. */
function after({ factor, variance }: Movement, { seen, expected }: Sums): Movement {
  const shape = 1 / Math.max(variance, 1e-9);
  const events = Math.max(seen, 0);
  const of = shape / factor + Math.max(expected, 0);
  return { factor: (shape + events) / of, variance: 1 / (shape + events) };
}

/**
 * The logarithm of the probability of a count around an expected one whose relative variance is given:
 * negative binomial, but for what does not depend on the expectation.
 */
function logProbability(events: number, expected: number, variance: number): number {
  const size = 1 / variance;
  return lgamma(events + size) - lgamma(size) + size * Math.log(size / (size + expected)) +
    events * Math.log(expected / (size + expected));
}
