/** Simulated accounts whose true CPLs are known, to measure how far the statistics can be trusted. */
import { addDays } from "../core/days.ts";
import type { Level } from "../core/level.ts";
import { createRandom, type Random } from "../core/random.ts";
import type { Sql } from "../db/connect.ts";

/** What differs between simulated accounts. Deviations are of the logarithm, or about that. */
export type Scenario = {
  name: string;
  campaigns: number;
  adsetsPerCampaign: number;
  adsPerAdset: number;
  /** Draws how many times its parent's CPL an entity has. */
  cplStep: (random: Random, deviation: number) => number;
  campaignDeviation: number;
  adsetDeviation: number;
  adDeviation: number;
  /** Of all ads; the ads' own lie around it. */
  medianLeadsPerWeek: number;
  /** Draws how many times the median an ad spends. */
  spendFactor: (random: Random) => number;
  /** Whether each week's budget follows the CPL of the week before, luck included. */
  budgetFollowsCpl: boolean;
  /** Deviation of the change of an ad's CPL from one week to the next. */
  weeklyDrift: number;
  /** Relative variance of the rate from day to day; 0 gives Poisson counts. */
  dailyVariance: number;
  /** The share of ads whose CTR falls by 30 to 60 % over the last ten days, and the leads with it. */
  tiredShare: number;
};

/** Twelve campaigns of five ad sets of four ads, log-normal throughout, with Poisson counts. */
export const ORDINARY: Scenario = {
  name: "ordinary",
  campaigns: 12,
  adsetsPerCampaign: 5,
  adsPerAdset: 4,
  cplStep: (random, deviation) => Math.exp(random.normal(0, deviation)),
  campaignDeviation: 0.3,
  adsetDeviation: 0.3,
  adDeviation: 0.4,
  medianLeadsPerWeek: 5,
  spendFactor: (random) => Math.exp(random.normal(0, 0.8)),
  budgetFollowsCpl: false,
  weeklyDrift: 0,
  dailyVariance: 0,
  tiredShare: 0,
};

/** Accounts of different kinds; the method knows nothing of them. The first is the ordinary one. */
export const SCENARIOS: Scenario[] = [
  ORDINARY,
  { ...ORDINARY, name: "few leads", medianLeadsPerWeek: 2 },
  { ...ORDINARY, name: "many leads", medianLeadsPerWeek: 10 },
  {
    ...ORDINARY,
    name: "alike",
    campaignDeviation: 0.15,
    adsetDeviation: 0.15,
    adDeviation: 0.2,
  },
  { ...ORDINARY, name: "unlike", campaignDeviation: 0.4, adsetDeviation: 0.5, adDeviation: 0.6 },
  { ...ORDINARY, name: "drifting", weeklyDrift: 0.2 },
  { ...ORDINARY, name: "overdispersed", dailyVariance: 0.5 },
  { ...ORDINARY, name: "small account", campaigns: 2, adsetsPerCampaign: 2, adsPerAdset: 3 },
  {
    ...ORDINARY,
    name: "gamma CPLs",
    cplStep: (random, deviation) => random.gamma(1 / deviation ** 2, deviation ** 2),
  },
  {
    ...ORDINARY,
    name: "heavy-tailed spend",
    // Pareto with infinite variance, divided by its median.
    spendFactor: (random) => (2 * random.uniform()) ** (-1 / 1.5),
  },
  { ...ORDINARY, name: "budget follows CPL", budgetFollowsCpl: true },
  { ...ORDINARY, name: "many tiny ads", adsPerAdset: 8, medianLeadsPerWeek: 0.5 },
];

/** A simulated account with the truth about it. */
export type SimulatedAccount = {
  rows: {
    date: string;
    campaign_id: string;
    adset_id: string;
    ad_id: string;
    spend: number;
    impressions: number;
    reach: number | null;
    clicks: number;
    leads: number;
  }[];
  /** The true CPL on the last day, by level and entity. A parent's is that of its mix. */
  truth: Record<Level, Map<string, number>>;
  /** How the true rates of the last 7 days differ from those of the 7 before, in percent. */
  changes: Record<Level, Map<string, { cpl: number; ctr: number }>>;
  /** The ads whose creative has tired. */
  tired: Set<string>;
};

const DAYS = 30;
/** Around which CPLs are drawn. */
export const TYPICAL_CPL = 20;
const CTR = 0.015;
const CPC = 0.8;

/** Draws one account of a scenario, 30 days to `asOf`. The same seed gives the same account. */
export function simulateAccount(scenario: Scenario, seed: number, asOf: string): SimulatedAccount {
  const random = createRandom(seed);
  const rows: SimulatedAccount["rows"] = [];
  const truth = { campaign: new Map(), adset: new Map(), ad: new Map() };
  const mixes = { campaign: new Map<string, Mix>(), adset: new Map<string, Mix>() };
  const weeks: Record<Level, Map<string, Expected[]>> = {
    campaign: new Map(),
    adset: new Map(),
    ad: new Map(),
  };
  const tired = new Set<string>();
  for (let c = 0; c < scenario.campaigns; c++) {
    const campaignCpl = TYPICAL_CPL * scenario.cplStep(random, scenario.campaignDeviation);
    for (let s = 0; s < scenario.adsetsPerCampaign; s++) {
      const adsetCpl = campaignCpl * scenario.cplStep(random, scenario.adsetDeviation);
      for (let a = 0; a < scenario.adsPerAdset; a++) {
        const ids = { campaign_id: `c${c}`, adset_id: `c${c}s${s}`, ad_id: `c${c}s${s}a${a}` };
        const { days, cpl, dailySpend, isTired } = simulateAd(scenario, random, adsetCpl);
        if (isTired) tired.add(ids.ad_id);
        days.forEach(({ expected, ...day }, index) => {
          rows.push({ date: addDays(asOf, index - DAYS + 1), ...ids, ...day });
          const weeksAgo = Math.floor((DAYS - 1 - index) / 7);
          addExpected(weeks.ad, ids.ad_id, weeksAgo, day, expected);
          addExpected(weeks.adset, ids.adset_id, weeksAgo, day, expected);
          addExpected(weeks.campaign, ids.campaign_id, weeksAgo, day, expected);
        });
        truth.ad.set(ids.ad_id, cpl);
        addToMix(mixes.adset, ids.adset_id, dailySpend, cpl);
        addToMix(mixes.campaign, ids.campaign_id, dailySpend, cpl);
      }
    }
  }
  for (const level of ["campaign", "adset"] as const) {
    for (const [id, { spend, leads }] of mixes[level]) truth[level].set(id, spend / leads);
  }
  const changesOf = (level: Level) =>
    new Map([...weeks[level]].map(([id, told]) => [id, changeBetween(told)]));
  const changes = {
    campaign: changesOf("campaign"),
    adset: changesOf("adset"),
    ad: changesOf("ad"),
  };
  return { rows, truth, changes, tired };
}

/** What the true rates of a week make of what was spent and shown in it. */
type Expected = { spend: number; leads: number; impressions: number; clicks: number };

function addExpected(
  weeks: Map<string, Expected[]>,
  id: string,
  weeksAgo: number,
  { spend, impressions }: { spend: number; impressions: number },
  { leads, clicks }: { leads: number; clicks: number },
): void {
  const told = weeks.get(id) ?? [];
  const week = told[weeksAgo] ?? { spend: 0, leads: 0, impressions: 0, clicks: 0 };
  told[weeksAgo] = {
    spend: week.spend + spend,
    leads: week.leads + leads,
    impressions: week.impressions + impressions,
    clicks: week.clicks + clicks,
  };
  weeks.set(id, told);
}

function changeBetween([now, before]: Expected[]): { cpl: number; ctr: number } {
  if (!now || !before) return { cpl: 0, ctr: 0 };
  const percent = (later: number, earlier: number) => 100 * (later / earlier - 1);
  return {
    cpl: percent(now.spend / now.leads, before.spend / before.leads),
    ctr: percent(now.clicks / now.impressions, before.clicks / before.impressions),
  };
}

/** The days of one ad, and its true CPL and usual spend at their end. */
function simulateAd(scenario: Scenario, random: Random, adsetCpl: number) {
  let dailySpend = scenario.medianLeadsPerWeek * TYPICAL_CPL / 7 * scenario.spendFactor(random);
  let cpl = adsetCpl * scenario.cplStep(random, scenario.adDeviation);
  const days = [];
  const week = { spend: 0, leads: 0 };
  const isTired = scenario.tiredShare > 0 && random.uniform() < scenario.tiredShare;
  const fall = isTired ? 0.3 + 0.3 * random.uniform() : 0;
  for (let day = 0; day < DAYS; day++) {
    if (scenario.weeklyDrift > 0) {
      cpl *= Math.exp(random.normal(0, scenario.weeklyDrift / Math.sqrt(7)));
    }
    if (scenario.budgetFollowsCpl && day > 0 && day % 7 === 0) {
      // As if everybody had seen one more lead at the typical CPL.
      const ratio = (week.spend + TYPICAL_CPL) / (week.leads + 1) / TYPICAL_CPL;
      dailySpend *= Math.min(Math.max(1 / ratio, 0.5), 1.5);
      week.spend = week.leads = 0;
    }
    const spend = Math.round(100 * dailySpend * Math.exp(random.normal(0, 0.3))) / 100;
    const noise = scenario.dailyVariance > 0
      ? random.gamma(1 / scenario.dailyVariance, scenario.dailyVariance)
      : 1;
    // Less of it is left on each of the last ten days.
    const left = 1 - fall * Math.max(day - (DAYS - 11), 0) / 10;
    const clickNoise = scenario.tiredShare > 0 && scenario.dailyVariance > 0
      ? random.gamma(20 / scenario.dailyVariance, scenario.dailyVariance / 20)
      : 1;
    const clicks = random.poisson(spend / CPC * left * clickNoise);
    const leads = random.poisson(spend / cpl * left * noise);
    const impressions = scenario.tiredShare > 0
      ? Math.round(spend / CPC / CTR)
      : Math.round(clicks / CTR);
    days.push({
      spend,
      impressions,
      reach: scenario.tiredShare > 0 ? Math.round(impressions / 3.5) : null,
      clicks,
      leads,
      expected: { leads: spend / cpl * left, clicks: impressions * CTR * left },
    });
    week.spend += spend;
    week.leads += leads;
  }
  // What it costs by now.
  return { days, cpl: cpl / (1 - fall), dailySpend, isTired };
}

type Mix = { spend: number; leads: number };

function addToMix(mixes: Map<string, Mix>, id: string, spend: number, cpl: number) {
  const mix = mixes.get(id) ?? { spend: 0, leads: 0 };
  mixes.set(id, { spend: mix.spend + spend, leads: mix.leads + spend / cpl });
}

/** Writes a simulated account into a database, as an import would. */
export async function storeAccount(sql: Sql, configId: number, { rows }: SimulatedAccount) {
  const column = <K extends keyof (typeof rows)[number]>(name: K) => rows.map((row) => row[name]);
  const days = column("date").toSorted();
  await sql.begin(async (transaction) => {
    await transaction`
      insert into ads.accounts (config_id, name, currency, time_zone)
      values (${configId}, 'Simulated', 'USD', 'UTC')`;
    await transaction`
      select ads.create_insight_partitions(${days[0] ?? ""}, ${days.at(-1) ?? ""})`;
    await transaction`
      insert into ads.insights (
        config_id, date, campaign_id, adset_id, ad_id, spend, impressions, reach, clicks, leads
      )
      select ${configId}, r.*
      from unnest(
        ${column("date")}::date[],
        ${column("campaign_id")}::text[],
        ${column("adset_id")}::text[],
        ${column("ad_id")}::text[],
        ${column("spend")}::numeric[],
        ${column("impressions")}::bigint[],
        ${column("reach")}::bigint[],
        ${column("clicks")}::bigint[],
        ${column("leads")}::bigint[]
      ) r`;
  });
}
