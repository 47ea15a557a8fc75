/** Simulated accounts of ad sets in which it is known what a change did. */
import type { Sums } from "../core/drivers.ts";
import type { Member } from "../core/impact/history.ts";
import { createRandom, type Random } from "../core/random.ts";

/** What differs between simulated accounts. Deviations are of logarithms. */
export type ImpactScenario = {
  name: string;
  campaigns: number;
  adsetsPerCampaign: number;
  /** Of the ad set in the middle; the ad sets' own lie around it. */
  leadsPerDay: number;
  sizeDeviation: number;
  /** How much the CPLs of campaigns, and of ad sets in them, differ. */
  cplDeviation: number;
  /** Deviation of a week's step of the CPL of all, of a campaign, of an ad set. */
  accountDrift: number;
  campaignDrift: number;
  ownDrift: number;
  /** Deviation of an ad set's weeks around its level: bad weeks that pass. */
  weekDeviation: number;
  /** Relative variance of a day's rate; 0 gives Poisson counts. */
  dailyVariance: number;
  /** How many times its usual leads by spend each weekday has. */
  weekdays: number[];
  /** The share of an ad set's weeks in which its rate jumps for good, and by how much. */
  jumps: { share: number; deviation: number };
  /** What share of a day's leads is known, by its age; all where there is none. */
  completeness: number[];
  /** What happens to the leads of the whole account on the day of the change. */
  shift: number;
  /** Days of history before the change. */
  daysBefore: number;
};

const EVEN = [1, 1, 1, 1, 1, 1, 1];

/** Four campaigns of six ad sets whose account drifts, with Poisson counts. */
export const ORDINARY: ImpactScenario = {
  name: "account drifts",
  campaigns: 4,
  adsetsPerCampaign: 6,
  leadsPerDay: 5,
  sizeDeviation: 0.7,
  cplDeviation: 0.3,
  accountDrift: 0.1,
  campaignDrift: 0,
  ownDrift: 0,
  weekDeviation: 0,
  dailyVariance: 0,
  weekdays: EVEN,
  jumps: { share: 0, deviation: 0 },
  completeness: [],
  shift: 1,
  daysBefore: 84,
};

/** Accounts of different kinds; the method knows nothing of them. */
export const IMPACT_SCENARIOS: ImpactScenario[] = [
  ORDINARY,
  { ...ORDINARY, name: "nothing moves", accountDrift: 0 },
  { ...ORDINARY, name: "campaigns drift", campaignDrift: 0.1 },
  { ...ORDINARY, name: "ad sets drift by 10 %", ownDrift: 0.1 },
  { ...ORDINARY, name: "ad sets drift by 20 %", ownDrift: 0.2 },
  { ...ORDINARY, name: "bad weeks pass", weekDeviation: 0.2 },
  { ...ORDINARY, name: "days differ", dailyVariance: 0.3 },
  { ...ORDINARY, name: "weekdays", weekdays: [1.2, 1.2, 1.1, 1.1, 0.9, 0.7, 0.8] },
  { ...ORDINARY, name: "jumps", jumps: { share: 0.05, deviation: 0.4 } },
  { ...ORDINARY, name: "few leads", leadsPerDay: 0.5 },
  { ...ORDINARY, name: "many leads", leadsPerDay: 40, ownDrift: 0.05 },
  { ...ORDINARY, name: "many siblings", campaigns: 2, adsetsPerCampaign: 30 },
  { ...ORDINARY, name: "no siblings", campaigns: 8, adsetsPerCampaign: 1 },
  { ...ORDINARY, name: "an only child", campaigns: 1, adsetsPerCampaign: 1, leadsPerDay: 10 },
  { ...ORDINARY, name: "late leads", completeness: [0.6, 0.8, 0.9, 0.95] },
  { ...ORDINARY, name: "the account shifts", shift: 0.7 },
  { ...ORDINARY, name: "a still one shifts", accountDrift: 0, shift: 0.7 },
  { ...ORDINARY, name: "young", daysBefore: 17 },
  {
    ...ORDINARY,
    name: "all at once",
    campaignDrift: 0.05,
    ownDrift: 0.1,
    weekDeviation: 0.1,
    dailyVariance: 0.2,
    weekdays: [1.2, 1.2, 1.1, 1.1, 0.9, 0.7, 0.8],
    completeness: [0.6, 0.8, 0.9, 0.95],
  },
];

/** The longest window after a change. */
export const DAYS_AFTER = 30;

const TYPICAL_CPL = 20;
const CPC = 0.8;
const CTR = 0.015;

/** An account in which nothing was changed, and its draws. */
export type SimulatedImpact = {
  members: Member[];
  /** The day of the change, counted from the first one. */
  changeDay: number;
  /** How many of a day's leads are known at the end of the last day. */
  completenessAt: (lastDay: number) => (day: number) => number;
};

/** What is done to one ad set from the day of the change on. */
export type Treatment = { index: number; leads: number; spend: number };

/**
 * Draws an account. The same seed gives the same one, also with another treatment, but for the ad set
 * that is treated.
 *
 * @param daysAfter The last day is so many days after the change; of its leads and those of the days
 * before it some are not known yet.
 */
export function simulateImpact(
  scenario: ImpactScenario,
  seed: number,
  daysAfter: number,
  treatment: Treatment | null = null,
): SimulatedImpact {
  const random = createRandom(seed);
  const changeDay = scenario.daysBefore;
  const length = changeDay + 1 + daysAfter;
  const completenessAt = (lastDay: number) => (day: number) =>
    scenario.completeness[lastDay - day] ?? 1;
  const known = completenessAt(length - 1);
  const ofAccount = walk(random, length, scenario.accountDrift);
  const members: Member[] = [];
  for (let campaign = 0; campaign < scenario.campaigns; campaign++) {
    const ofCampaign = walk(random, length, scenario.campaignDrift);
    const campaignCpl = TYPICAL_CPL * Math.exp(random.normal(0, scenario.cplDeviation));
    for (let adset = 0; adset < scenario.adsetsPerCampaign; adset++) {
      const own = createRandom(1 + Math.floor(random.uniform() * 2 ** 31));
      const index = members.length;
      const done = treatment?.index === index ? treatment : null;
      // What is treated has as many leads as the scenario says.
      const size = treatment?.index === index ? 1 : Math.exp(own.normal(0, scenario.sizeDeviation));
      const cpl = campaignCpl * Math.exp(own.normal(0, scenario.cplDeviation));
      const budget = scenario.leadsPerDay * size * cpl;
      const ofItself = walk(own, length, scenario.ownDrift);
      const ofWeeks = Array.from(
        { length: Math.ceil(length / 7) + 1 },
        () => own.normal(0, scenario.weekDeviation),
      );
      const offset = Math.floor(7 * own.uniform());
      let jump = 0;
      const days = Array.from({ length }, (_, day): Sums => {
        const isTreated = done !== null && day >= changeDay;
        if (own.uniform() < scenario.jumps.share / 7) {
          jump += own.normal(0, scenario.jumps.deviation);
        }
        const spend = Math.round(
          100 * budget * (isTreated ? done.spend : 1) * Math.exp(own.normal(0, 0.2)),
        ) / 100;
        const noise = scenario.dailyVariance > 0
          ? own.gamma(1 / scenario.dailyVariance, scenario.dailyVariance)
          : 1;
        const log = (ofAccount[day] ?? 0) + (ofCampaign[day] ?? 0) + (ofItself[day] ?? 0) + jump +
          (ofWeeks[Math.floor((day + offset) / 7)] ?? 0);
        const leads = own.poisson(
          spend / cpl * Math.exp(log) * noise * (scenario.weekdays[day % 7] ?? 1) * known(day) *
            (day >= changeDay ? scenario.shift : 1) * (isTreated ? done.leads : 1),
        );
        const impressions = Math.round(spend / CPC / CTR * Math.exp(own.normal(0, 0.1)));
        const clicks = own.poisson(impressions * CTR);
        return { spend, impressions, clicks, leads };
      });
      members.push({
        entityId: `c${campaign}s${adset}`,
        parentId: `c${campaign}`,
        isChanged: false,
        days,
      });
    }
  }
  return { members, changeDay, completenessAt };
}

/** A random walk whose steps of a week have a deviation. */
function walk(random: Random, length: number, weekly: number): number[] {
  let log = 0;
  return Array.from({ length }, () => log += random.normal(0, weekly / Math.sqrt(7)));
}
