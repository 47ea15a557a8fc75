/** How far the impact of changes can be trusted on simulated accounts in which it is known. */
import {
  analyzeChange,
  DECIDING_METRIC,
  type Impact,
  type ImpactVerdict,
} from "../core/impact/analyze.ts";
import type { ImpactMetric } from "../core/impact/metrics.ts";
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
  /** Those of the true changes that got the right verdict. */
  cheaper: Hits;
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
    cheaper: none(),
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
    const account = simulateImpact(scenario, seedOf("placebo", number), 7);
    const { uniform } = createRandom(seedOf("choice", number));
    const at = Math.floor(uniform() * account.members.length);
    for (const [hits, index] of [[total.random, at], [total.worst, worstOf(account)]] as const) {
      const impact = analyze(account, index, 7);
      count(hits, impact?.verdict === "positive" || impact?.verdict === "negative");
      count(total.interval, holds(impact, "cpl", 0));
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
    cheaper: sum("cheaper"),
    cheaperInTwoWeeks: sum("cheaperInTwoWeeks"),
    cheaperWithFewLeads: sum("cheaperWithFewLeads"),
    dearer: sum("dearer"),
    spend: sum("spend"),
    interval: sum("interval"),
    spendInterval: sum("spendInterval"),
  };
}

/** What is said of the ad set at a place, null where too little is known to say anything. */
function analyze(
  { members, changeDay, completenessAt }: SimulatedImpact,
  index: number,
  days: number,
  metrics: ImpactMetric[] = [DECIDING_METRIC],
): Impact | null {
  const share = completenessAt(changeDay + days);
  const impact = analyzeChange({
    members: [...members.slice(index, index + 1), ...members.toSpliced(index, 1)],
    changeDay,
    lastDay: changeDay + days,
    windowBefore: days,
    known: { share, atWorst: share },
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
