/** How far the impact of changes can be trusted on simulated accounts in which it is known. */
import {
  analyzeChange,
  DECIDING_METRIC,
  type Impact,
  type ImpactVerdict,
} from "../core/impact/analyze.ts";
import { effectOf } from "../core/impact/effect.ts";
import type { ImpactMetric } from "../core/impact/metrics.ts";
import { expect, follow, type Variation } from "../core/impact/movement.ts";
import { panelOf } from "../core/impact/panel.ts";
import { startOf } from "../core/impact/start.ts";
import { createRandom, hashOf } from "../core/random.ts";
import { type ImpactScenario, type SimulatedImpact, simulateImpact } from "./impact_simulation.ts";
import type { Hits } from "./tier_accuracy.ts";

/** What is asked. */
export const ASKED_OF_IMPACT = {
  /** Positive or negative verdicts where nothing was changed. */
  placebos: { low: 0, high: 0.06 },
  /** Positive verdicts where an ad set with 10 leads a day truly costs 30 % less. */
  found: { low: 0.7, high: 1 },
  /** Of 95 % intervals, those that hold the truth. */
  interval: { low: 0.93, high: 1 },
} as const;

/** How many accounts are drawn, of those without and of those with a change. */
export type Sample = { placebos: number; changes: number };

/** What was counted of a kind of accounts. */
export type ImpactAccuracy = {
  /** Verdicts on entities that were chosen at random, and because they had just done worst. */
  random: Hits;
  worst: Hits;
  /** The same with two weeks on each side. */
  randomInTwoWeeks: Hits;
  worstInTwoWeeks: Hits;
  /** Those of the true changes that got the right verdict. */
  cheaper: Hits;
  /** The same of who is told how rates move in that kind of accounts, and has nothing to learn. */
  cheaperByOracle: Hits;
  /** The same with two weeks on each side, and with 3 leads a day. */
  cheaperInTwoWeeks: Hits;
  cheaperWithFewLeads: Hits;
  dearer: Hits;
  /** Spend that truly fell by 20 % and was found significantly lower. */
  spend: Hits;
  /** Intervals of the CPL, and of the spend, that hold the truth. */
  interval: Hits;
  spendInterval: Hits;
};

/** Draws accounts of a kind, and judges what is said of them. */
export function measureImpact(
  scenario: ImpactScenario,
  { placebos, changes }: Sample,
): ImpactAccuracy {
  const none = (): Hits => ({ hits: 0, of: 0 });
  const total: ImpactAccuracy = {
    random: none(),
    worst: none(),
    randomInTwoWeeks: none(),
    worstInTwoWeeks: none(),
    cheaper: none(),
    cheaperByOracle: none(),
    cheaperInTwoWeeks: none(),
    cheaperWithFewLeads: none(),
    dearer: none(),
    spend: none(),
    interval: none(),
    spendInterval: none(),
  };
  // No two kinds have the same luck.
  const seedOf = (what: string, number: number) => hashOf(`${scenario.name} ${what} ${number}`);
  for (let number = 1; number <= placebos; number++) {
    const { uniform } = createRandom(seedOf("choice", number));
    const place = uniform();
    const spans = [
      { days: 7, random: total.random, worst: total.worst },
      { days: 14, random: total.randomInTwoWeeks, worst: total.worstInTwoWeeks },
    ];
    for (const { days, random, worst } of spans) {
      const account = simulateImpact(scenario, seedOf("placebo", number), days);
      const at = Math.floor(place * account.members.length);
      for (const [hits, index] of [[random, at], [worst, worstOf(account)]] as const) {
        const impact = analyze(account, index, days);
        count(hits, impact?.verdict === "positive" || impact?.verdict === "negative");
        count(total.interval, holds(impact, "cpl", 0));
      }
    }
  }
  const kinds = [
    { hits: total.cheaper, leadsPerDay: 10, days: 7, percent: -30, verdict: "positive" },
    { hits: total.cheaperInTwoWeeks, leadsPerDay: 10, days: 14, percent: -30, verdict: "positive" },
    {
      hits: total.cheaperWithFewLeads,
      leadsPerDay: 3,
      days: 7,
      percent: -30,
      verdict: "positive",
    },
    { hits: total.dearer, leadsPerDay: 10, days: 7, percent: 40, verdict: "negative" },
  ] satisfies { hits: Hits; verdict: ImpactVerdict; [other: string]: unknown }[];
  const adsets = scenario.campaigns * scenario.adsetsPerCampaign;
  for (let number = 1; number <= changes; number++) {
    const index = number % adsets;
    for (const { hits, leadsPerDay, days, percent, verdict } of kinds) {
      const treatment = { index, leads: 1 / (1 + percent / 100), spend: 1 };
      const seed = seedOf("change", number);
      const account = simulateImpact({ ...scenario, leadsPerDay }, seed, days, treatment);
      const impact = analyze(account, index, days);
      count(hits, impact?.verdict === verdict);
      count(total.interval, holds(impact, "cpl", percent));
      if (hits === total.cheaper) {
        count(total.cheaperByOracle, isFoundByOracle(account, index, days, variationOf(scenario)));
      }
    }
    const account = simulateImpact(
      { ...scenario, leadsPerDay: 10 },
      seedOf("spend", number),
      7,
      { index, leads: 1, spend: 0.8 },
    );
    const impact = analyze(account, index, 7, [DECIDING_METRIC, "spend"]);
    const spend = impact?.metrics.find(({ metric }) => metric === "spend");
    count(total.spend, spend !== undefined && spend.is_significant && spend.pct_change < 0);
    count(total.spendInterval, holds(impact, "spend", -20));
  }
  return total;
}

/** Adds up what was counted of several kinds. */
export function poolImpact(parts: ImpactAccuracy[]): ImpactAccuracy {
  const sum = (name: keyof ImpactAccuracy): Hits =>
    parts.reduce((total, { [name]: { hits, of } }) => ({
      hits: total.hits + hits,
      of: total.of + of,
    }), { hits: 0, of: 0 });
  return {
    random: sum("random"),
    worst: sum("worst"),
    randomInTwoWeeks: sum("randomInTwoWeeks"),
    worstInTwoWeeks: sum("worstInTwoWeeks"),
    cheaper: sum("cheaper"),
    cheaperByOracle: sum("cheaperByOracle"),
    cheaperInTwoWeeks: sum("cheaperInTwoWeeks"),
    cheaperWithFewLeads: sum("cheaperWithFewLeads"),
    dearer: sum("dearer"),
    spend: sum("spend"),
    interval: sum("interval"),
    spendInterval: sum("spendInterval"),
  };
}

/** How rates truly move in a kind of accounts, as the method has it. */
function variationOf(
  { dailyVariance, weekDeviation, ownDrift, jumps, campaignDrift, accountDrift }: ImpactScenario,
): Variation {
  // The filter wants to be a little unsure of everything.
  const atLeast = (variance: number) => Math.max(variance, 1e-6);
  return {
    // A week that is bad as a whole is as off as seven days of that much more variance.
    day: atLeast(dailyVariance + 7 * weekDeviation ** 2),
    own: atLeast(ownDrift ** 2 + jumps.share * jumps.deviation ** 2),
    parent: atLeast(campaignDrift ** 2),
    account: atLeast(accountDrift ** 2),
    reversion: 0,
  };
}

/** Whether an ad set is found cheaper by the same expectation, from the true variances. */
function isFoundByOracle(
  account: SimulatedImpact,
  index: number,
  days: number,
  variation: Variation,
): boolean {
  const { members, span, known } = questionOf(account, index, days);
  const panel = panelOf(DECIDING_METRIC, members, span, { windowBefore: days, known });
  const [subject] = panel.rows;
  if (!subject) return false;
  const filtered = follow(panel, startOf(panel), variation);
  const { ratio, p } = effectOf(subject.after, expect(panel, filtered, variation));
  return p < 0.05 && ratio > 1;
}

/** The ad set at a place, what it is compared with, and over which days. */
function questionOf(
  { members, changeDay, completenessAt }: SimulatedImpact,
  index: number,
  days: number,
) {
  const share = completenessAt(changeDay + days);
  return {
    members: [...members.slice(index, index + 1), ...members.toSpliced(index, 1)],
    span: { changeDay, lastDay: changeDay + days },
    known: { share, atWorst: share },
  };
}

/** What is said of the ad set at a place, null where too little is known to say anything. */
function analyze(
  account: SimulatedImpact,
  index: number,
  days: number,
  metrics: ImpactMetric[] = [DECIDING_METRIC],
): Impact | null {
  const { members, span, known } = questionOf(account, index, days);
  const impact = analyzeChange({
    members,
    ...span,
    windowBefore: days,
    known,
    smallPercent: 10,
    metrics,
  });
  return "missing" in impact ? null : impact;
}

function count(hits: Hits, isHit: boolean): void {
  hits.of += 1;
  hits.hits += Number(isHit);
}

/** Whether an interval holds the true change. Where nothing is said, nothing wrong is. */
function holds(impact: Impact | null, metric: ImpactMetric, percent: number): boolean {
  const { interval } = impact?.metrics.find((each) => each.metric === metric) ?? {};
  return !interval || interval.low <= percent && percent <= interval.high;
}

/** The ad set whose last week before the change was the dearest by its weeks before. */
function worstOf({ members, changeDay }: SimulatedImpact): number {
  const ratios = members.map(({ days }) => {
    const cpl = (from: number, to: number) => {
      let spend = 0;
      let leads = 0;
      for (const day of days.slice(Math.max(from, 0), to)) {
        spend += day?.spend ?? 0;
        leads += day?.leads ?? 0;
      }
      return spend / (leads + 0.5);
    };
    return cpl(changeDay - 7, changeDay) / cpl(0, changeDay - 7);
  });
  return ratios.indexOf(Math.max(...ratios));
}
