/** What a change did: each metric against what it would have been, and the verdict. */
import { type Effect, effectOf } from "./effect.ts";
import { isDelivered, type Member, type Span } from "./history.ts";
import { learnVariation, RATE_PRIORS, VOLUME_PRIORS } from "./learn.ts";
import { IMPACT_METRICS, type ImpactMetric, isInverse, isVolume, valueOf } from "./metrics.ts";
import { expect, type Movement } from "./movement.ts";
import { type Known, type Panel, panelOf } from "./panel.ts";
import { startOf } from "./start.ts";

/** What can be said of a change. */
export const VERDICTS = ["positive", "negative", "neutral", "inconclusive"] as const;

/** One of them. */
export type ImpactVerdict = typeof VERDICTS[number];

/** The metric whose test decides. A lead is what an account buys. */
export const DECIDING_METRIC: ImpactMetric = "cpl";

/** What is asked for its own sake: what a lead costs, and whether the change moved money at all. */
const ASKED_ALONE: readonly ImpactMetric[] = [DECIDING_METRIC, "spend"];

/** How often an analysis may find an effect where there is none. */
const LEVEL = 0.05;

/** What is asked. */
export type Question = Span & {
  /** The entity on which the change is measured, then the others of its level. */
  members: readonly Member[];
  windowBefore: number;
  known: Known;
  /** An effect on the CPL of up to so many percent is small. */
  smallPercent: number;
  /** Without these, all. */
  metrics?: readonly ImpactMetric[];
};

/** What a change did to a metric. */
export type MetricChange = {
  metric: ImpactMetric;
  /** Over the window before, its weekdays weighted as after; null where it is undefined. */
  before: number | null;
  after: number | null;
  /** What it would have been after, without the change. */
  expected: number;
  /** Of what was expected, in percent. */
  pct_change: number;
  /** Holds the true one with a probability of 95 %. */
  interval: { low: number; high: number };
  p_value: number;
  /** The same for as many metrics as are tested together: all but the CPL and spend. */
  adjusted_p_value: number;
  is_significant: boolean;
  confidence: number;
  /** In standard deviations of a day. */
  effect_size: number;
};

/** Who is compared with. */
export type Control = {
  /** The nearest that there are. */
  kind: "siblings" | "account" | "none";
  siblings: number;
  others: number;
  /** How they moved since the time before, in percent of their CPL, 95 % sure. */
  pct_change: number;
  interval: { low: number; high: number };
};

/** What a change did. */
export type Impact = {
  verdict: ImpactVerdict;
  metrics: MetricChange[];
  control: Control;
};

/** Why nothing can be said: too few days of delivery on a side, no spend after, or no leads before. */
export type Missing = {
  missing: { what: "days_before" | "days_after" | "spend" | "leads"; days: number; of: number };
};

/** The least days of delivery on each side. */
export const LEAST_DAYS = 3;

/** Measures a change by all metrics that are defined. */
export function analyzeChange(question: Question): Impact | Missing {
  const missing = missingDays(question);
  if (missing) return { missing };
  const { metrics: wanted = IMPACT_METRICS } = question;
  const measured = wanted.flatMap((metric) => measure(metric, question) ?? []);
  const deciding = measured.find(({ metric }) => metric === DECIDING_METRIC);
  if (!deciding) {
    return { missing: { what: spentAfter(question) ? "leads" : "spend", days: 0, of: 0 } };
  }
  const together = measured.filter(({ metric }) => !ASKED_ALONE.includes(metric));
  const adjusted = holm(together.map(({ effect }) => effect.p));
  const metrics = measured.map((each) =>
    changeOf(each, adjusted[together.indexOf(each)] ?? each.effect.p)
  );
  const cpl = metrics.find(({ metric }) => metric === DECIDING_METRIC);
  return {
    verdict: cpl ? verdictOf(cpl, question.smallPercent) : "inconclusive",
    metrics,
    control: controlOf(deciding),
  };
}

function missingDays(
  { members, changeDay, lastDay, windowBefore }: Question,
): Missing["missing"] | null {
  const days = members[0]?.days ?? [];
  const delivered = (from: number, to: number) => days.slice(from, to).filter(isDelivered).length;
  const before = delivered(Math.max(changeDay - windowBefore, 0), changeDay);
  if (before < LEAST_DAYS) return { what: "days_before", days: before, of: windowBefore };
  const after = delivered(changeDay + 1, lastDay + 1);
  if (after < LEAST_DAYS) {
    return { what: "days_after", days: after, of: Math.max(lastDay - changeDay, 0) };
  }
  return null;
}

function spentAfter({ members, changeDay, lastDay }: Question): boolean {
  const after = members[0]?.days.slice(changeDay + 1, lastDay + 1) ?? [];
  return after.some((day) => (day?.spend ?? 0) > 0);
}

/** A metric as it was measured. */
type Measured = {
  metric: ImpactMetric;
  panel: Panel;
  effect: Effect;
  /** Events by exposure that were expected, and how much days differ. */
  rate: number;
  dayVariance: number;
  move: Movement;
};

function measure(
  metric: ImpactMetric,
  { members, changeDay, lastDay, windowBefore, known }: Question,
): Measured | null {
  const panel = panelOf(metric, members, { changeDay, lastDay }, { windowBefore, known });
  const [subject] = panel.rows;
  if (!subject || subject.after.exposure === 0) return null;
  const priors = isVolume(metric) ? VOLUME_PRIORS : RATE_PRIORS;
  const beliefs = learnVariation(panel, startOf(panel), priors);
  const expected = beliefs.flatMap(({ variation, filtered, weight }) =>
    expect(panel, filtered, variation).map((each) => ({
      ...each,
      variation,
      weight: weight * each.weight,
    }))
  );
  if (expected.length === 0) return null;
  const mean = (value: (each: typeof expected[number]) => number) =>
    expected.reduce((sum, each) => sum + each.weight * value(each), 0);
  const log = mean(({ move }) => Math.log(move.factor));
  return {
    metric,
    panel,
    effect: effectOf(subject.after, expected),
    rate: mean(({ expectation }) => expectation.rate),
    dayVariance: mean(({ variation }) => variation.day),
    move: {
      factor: Math.exp(log),
      variance: mean(({ move }) => move.variance + (Math.log(move.factor) - log) ** 2),
    },
  };
}

function changeOf(
  { metric, panel, effect, rate, dayVariance }: Measured,
  adjusted: number,
): MetricChange {
  const { part, before, daysAfter } = panel;
  const after = panel.rows[0]?.after ?? before;
  const events = rate * after.exposure;
  const percent = (ratio: number) => 100 * (isInverse(metric) ? 1 / ratio - 1 : ratio - 1);
  const ends = [percent(effect.interval.low), percent(effect.interval.high)];
  const log = Math.log(effect.ratio) * (isInverse(metric) ? -1 : 1);
  return {
    metric,
    before: valueOf(metric, before, part),
    after: valueOf(metric, after, part),
    expected: valueOf(metric, { events, plain: after.plain }, part) ?? 0,
    pct_change: percent(effect.ratio),
    interval: { low: Math.min(...ends), high: Math.max(...ends) },
    p_value: effect.p,
    adjusted_p_value: adjusted,
    is_significant: adjusted < LEVEL,
    confidence: 1 - effect.p,
    effect_size: log / Math.sqrt(daysAfter / events + dayVariance),
  };
}

function verdictOf(
  { is_significant, pct_change, interval }: MetricChange,
  smallPercent: number,
): ImpactVerdict {
  const isSmall = interval.low >= -smallPercent && interval.high <= smallPercent;
  if (isSmall) return "neutral";
  if (!is_significant) return "inconclusive";
  return pct_change < 0 ? "positive" : "negative";
}

function controlOf({ metric, panel, move }: Measured): Control {
  const [subject, ...rows] = panel.rows;
  const controls = rows.filter(({ isControl }) => isControl);
  const siblings = controls.filter(({ group }) => group === subject?.group).length;
  const others = controls.length - siblings;
  const percent = (log: number) => {
    const ratio = move.factor * Math.exp(log);
    return 100 * (isInverse(metric) ? 1 / ratio - 1 : ratio - 1);
  };
  const wide = 1.96 * Math.sqrt(move.variance);
  return {
    kind: siblings > 0 ? "siblings" : others > 0 ? "account" : "none",
    siblings,
    others,
    pct_change: percent(0),
    interval: { low: percent(wide), high: percent(-wide) },
  };
}

/** The p values of several tests, so that one of them is wrongly below 5 % in at most 5 % (Holm 1979). */
function holm(values: number[]): number[] {
  const order = [...values.keys()].sort((a, b) => (values[a] ?? 0) - (values[b] ?? 0));
  const adjusted = values.map(() => 1);
  let least = 0;
  for (const [rank, place] of order.entries()) {
    least = Math.max(least, Math.min((values.length - rank) * (values[place] ?? 1), 1));
    adjusted[place] = least;
  }
  return adjusted;
}
