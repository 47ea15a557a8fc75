/**
 * Simulated accounts whose days can be replayed, with faults planted in known places, to measure
 * what a search for anomalies finds and what it makes up.
 */
import { pnbinom, qnbinom, qt } from "lib-r-math.js";
import type { Day, History } from "../core/anomalies/history.ts";
import { addDays } from "../core/days.ts";
import { type Level, LEVELS } from "../core/level.ts";
import { createRandom, type Random } from "../core/random.ts";

/** What differs between simulated accounts. Deviations are of the logarithm. */
export type AnomalyScenario = {
  name: string;
  campaigns: number;
  adsetsPerCampaign: number;
  adsPerAdset: number;
  /** Median of the leads a day of an ad, and how the ads' own lie around it. */
  leadsPerDay: number;
  leadsDeviation: number;
  /** How much the level of spend, CTR and conversion rate of an ad moves within a week. */
  weeklyDrift: number;
  /** 0 for days that are all alike, 1 for weekends with a quarter less spend. */
  weekdayStrength: number;
  /** Deviation of the spend of a day that ads share in an ad set, and of what each adds. */
  adsetSpendNoise: number;
  adSpendNoise: number;
  /** Degrees of freedom of Student's t that spend is drawn from; infinite for a normal. */
  spendTails: number;
  /** Deviations of the CPM and the CTR of a day. */
  cpmNoise: number;
  ctrNoise: number;
  /** Relative variance of the conversion rate of an ad from day to day. */
  conversionVariance: number;
  /** Share of the days of an ad with a burst, three times the usual conversion rate. */
  bursts: number;
  /** Deviation of what a day does to the spend and the conversion rate of the whole account. */
  accountNoise: number;
  /** Whether campaigns or ad sets (in turn) hold daily budgets that are always spent. */
  hasBudgets: boolean;
  /** Share of the days on which a budget is exceeded, by up to 75 %. */
  overspends: number;
  /** Share of the days on which people change a budget, or an ad's share of the spend. */
  budgetSteps: number;
  /** Share of the days on which an ad happens not to deliver. */
  emptyDays: number;
  /** Share of the days on which people pause an ad, for three to eight days. */
  pauses: number;
  /** Share of the ads that begin within the simulated days. */
  young: number;
  /** Shares of a day's leads known on the day itself, one day later, and so on; then all are. */
  completeness: number[];
};

/** Eight campaigns of two ad sets of three ads with a weekday pattern and slow drifts. */
export const ORDINARY: AnomalyScenario = {
  name: "ordinary",
  campaigns: 8,
  adsetsPerCampaign: 2,
  adsPerAdset: 3,
  leadsPerDay: 2,
  leadsDeviation: 0.5,
  weeklyDrift: 0.08,
  weekdayStrength: 1,
  adsetSpendNoise: 0.1,
  adSpendNoise: 0.15,
  spendTails: Infinity,
  cpmNoise: 0.1,
  ctrNoise: 0.1,
  conversionVariance: 0.1,
  bursts: 0,
  accountNoise: 0.03,
  hasBudgets: false,
  overspends: 0,
  budgetSteps: 0,
  emptyDays: 0,
  pauses: 0,
  young: 0,
  completeness: [],
};

/** The ordinary account with ads of so many leads a day: what is asked at every rate. */
export const RATE_SCENARIOS: AnomalyScenario[] = [0.1, 0.5, 1, 2, 5, 15].map((leadsPerDay) => ({
  ...ORDINARY,
  name: `ordinary, ${leadsPerDay} leads`,
  leadsPerDay,
}));

const MIXED: AnomalyScenario = { ...ORDINARY, leadsDeviation: 1 };

const OVERDISPERSED: AnomalyScenario = {
  ...MIXED,
  name: "overdispersed",
  conversionVariance: 0.5,
  ctrNoise: 0.2,
};
const DRIFTING: AnomalyScenario = { ...MIXED, name: "drifting", weeklyDrift: 0.25 };

/** Accounts of other kinds, each with ads of many sizes; the method knows nothing of them. */
export const KIND_SCENARIOS: AnomalyScenario[] = [
  OVERDISPERSED,
  { ...MIXED, name: "bursts", bursts: 0.04 },
  DRIFTING,
  { ...MIXED, name: "heavy-tailed spend", spendTails: 4 },
  { ...MIXED, name: "account moves", accountNoise: 0.2 },
  { ...MIXED, name: "budgets", hasBudgets: true, overspends: 0.03, weekdayStrength: 0.2 },
  { ...MIXED, name: "budget steps", hasBudgets: true, budgetSteps: 0.03 },
  { ...MIXED, name: "gaps", emptyDays: 0.05, pauses: 0.01 },
  { ...MIXED, name: "young ads", young: 0.5 },
  { ...MIXED, name: "small account", campaigns: 2, adsPerAdset: 2 },
  { ...MIXED, name: "late leads", completeness: [0.6, 0.85, 0.95] },
];

/** Accounts whose days differ by chance only, and those whose levels move as well. */
export const LUCK_SCENARIOS: AnomalyScenario[] = [
  ...[ORDINARY, OVERDISPERSED].map((scenario) => ({
    ...scenario,
    name: `${scenario.name}, levels stand still`,
    weeklyDrift: 0,
  })),
  ORDINARY,
  DRIFTING,
];

/** The days that are simulated, and of these the last ones, which are tested. */
export const SIMULATED_DAYS = 70;
export const TESTED_DAYS = 21;

const FIRST_DAY = "2025-09-01";

/** The calendar day of the number of a simulated day. */
export function dayOf(index: number): string {
  return addDays(FIRST_DAY, index);
}

/** An entity of a simulated account; parents are the sums of their ads. */
export type SimulatedEntity = {
  entityType: Level | "account";
  entityId: string;
  parentId: string | null;
  /** All above it, the account included. */
  ancestors: SimulatedEntity[];
  days: (Day | null)[];
  /** Leads as they were known at first, at the age of 0 days, of 1 day and so on. */
  earlyLeads: number[][];
  isActive: boolean[];
  /** Its own, or what its children may spend together. */
  dailyBudget: (number | null)[];
  /** Mean leads on a tested day with delivery, as the generator expects them. */
  leadsPerDay: number;
};

/** Something that was planted. */
export type Fault = {
  kind: FaultKind;
  entity: SimulatedEntity;
  from: number;
  to: number;
  /** The first day on which the generator's own distribution sees it, null for never. */
  due: number | null;
};

/** A simulated account with what was planted in it. */
export type ReplayedAccount = {
  account: SimulatedEntity;
  entities: SimulatedEntity[];
  faults: Fault[];
  completeness: number[];
};

/** What a fault multiplies. */
type Effect = { spend?: number; cpm?: number; ctr?: number; conversion?: number };

type FaultFacts = {
  effect: Effect;
  /** The shortest and the longest. */
  days: [number, number];
  levels: readonly SimulatedEntity["entityType"][];
  /** What somebody who knew the generator would look at. */
  sees: "spend" | "clicks per impression" | "leads per spend" | "leads per click";
};

/** What is planted. */
export const FAULTS = {
  "spend x3": { effect: { spend: 3 }, days: [1, 1], levels: LEVELS, sees: "spend" },
  "spend x0.2": { effect: { spend: 0.2 }, days: [1, 1], levels: LEVELS, sees: "spend" },
  "delivery stopped": { effect: { spend: 0 }, days: [1, 1], levels: LEVELS, sees: "spend" },
  "CTR x0.35": {
    effect: { ctr: 0.35 },
    days: [3, 6],
    levels: LEVELS,
    sees: "clicks per impression",
  },
  "CPL x4 by its cost": {
    effect: { cpm: 4 },
    days: [3, 6],
    levels: LEVELS,
    sees: "leads per spend",
  },
  "CPL x4 by its leads": {
    effect: { conversion: 1 / 4 },
    days: [3, 6],
    levels: LEVELS,
    sees: "leads per spend",
  },
  "conversion x0.3": {
    effect: { conversion: 0.3 },
    days: [3, 6],
    levels: LEVELS,
    sees: "leads per click",
  },
  "all spend x0.6": { effect: { spend: 0.6 }, days: [1, 1], levels: ["account"], sees: "spend" },
  "tracking broken": {
    effect: { conversion: 0 },
    days: [1, 3],
    levels: ["account"],
    sees: "leads per click",
  },
} as const satisfies Record<string, FaultFacts>;

/** One of the kinds of faults. */
export type FaultKind = keyof typeof FAULTS;

/** All kinds of faults. */
export const FAULT_KINDS = Object.keys(FAULTS).filter((kind): kind is FaultKind => kind in FAULTS);

const PLACES = FAULT_KINDS.flatMap((kind) => FAULTS[kind].levels.map((level) => ({ kind, level })));

/** What an ad is expected to do on a day, without faults; null where people have it paused. */
type Expected = { spend: number; cpm: number; ctr: number; conversion: number } | null;

type Ad = {
  entity: SimulatedEntity;
  expected: Expected[];
  /** Impressions a day that its audience amounts to. */
  audience: number;
};

/** The ads that share a budget, or an ad set's; `dailyBudget` is null where nobody holds one. */
type Pool = { adsets: Ad[][]; holder: SimulatedEntity };

const TYPICAL_CPM = 12;
const TYPICAL_CTR = 0.015;
const TYPICAL_CONVERSION = 0.04;

/**
 * Draws one account. The same seed gives the same account, and the same one but for the faults
 * whether or not there are any.
 */
export function simulateReplay(
  scenario: AnomalyScenario,
  seed: number,
  options: { withFaults: boolean },
): ReplayedAccount {
  const random = createRandom(seed);
  const account = newEntity("account", "account", null);
  const market = drawMarket(random, scenario);
  const pools: Pool[] = [];
  for (let c = 0; c < scenario.campaigns; c++) {
    pools.push(...drawCampaign(random, scenario, market, account, c));
  }
  const ads = pools.flatMap(({ adsets }) => adsets.flat());
  const entities = [...new Set(ads.flatMap(({ entity }) => [entity, ...entity.ancestors]))]
    .filter((entity) => entity !== account);
  for (const entity of entities) describe(entity, ads);
  describe(account, ads);
  const faults = options.withFaults
    ? plantFaults(createRandom(seed + 1e9), scenario, seed, [account, ...entities], pools)
    : [];
  for (let day = 0; day < SIMULATED_DAYS; day++) {
    for (const pool of pools) drawDay(random, scenario, pool, day, faults);
  }
  return { account, entities, faults, completeness: scenario.completeness };
}

/** What was known of an entity on a day: `days` days up to it. */
export function historyAt(entity: SimulatedEntity, day: number, days: number): History {
  const first = Math.max(day - days + 1, 0);
  const budget = entity.dailyBudget[day] ?? null;
  const holder = entity.ancestors.find(({ dailyBudget }) => typeof dailyBudget[day] === "number");
  return {
    // The account itself stands above the campaigns and has no level of its own.
    entityType: entity.entityType === "account" ? "campaign" : entity.entityType,
    entityId: entity.entityId,
    parentId: entity.parentId,
    campaignId: [entity, ...entity.ancestors]
      .find(({ entityType }) => entityType === "campaign")?.entityId ?? entity.entityId,
    dailyBudget: budget,
    holder: holder && budget === null
      ? {
        dailyBudget: holder.dailyBudget[day] ?? 0,
        spend: holder.days.slice(first, day + 1).map((values) => values?.spend ?? 0),
      }
      : null,
    isActive: entity.isActive[day] ?? false,
    days: entity.days.slice(first, day + 1).map((values, index) => {
      const early = entity.earlyLeads[day - first - index];
      return values && early ? { ...values, leads: early[first + index] ?? 0 } : values;
    }),
  };
}

function newEntity(
  entityType: SimulatedEntity["entityType"],
  entityId: string,
  parent: SimulatedEntity | null,
): SimulatedEntity {
  return {
    entityType,
    entityId,
    parentId: parent?.entityType === "account" ? null : parent?.entityId ?? null,
    ancestors: parent ? [parent, ...parent.ancestors] : [],
    days: Array.from({ length: SIMULATED_DAYS }, () => null),
    earlyLeads: [],
    isActive: Array.from({ length: SIMULATED_DAYS }, () => false),
    dailyBudget: Array.from({ length: SIMULATED_DAYS }, () => null),
    leadsPerDay: 0,
  };
}

/** What all ads of an account share on each day. */
type Market = { spend: number[]; conversion: number[] };

function drawMarket(random: Random, scenario: AnomalyScenario): Market {
  const weekend = (weekday: number) => weekday >= 5 ? 1 : weekday === 4 ? 0.4 : 0;
  const spendFall = scenario.weekdayStrength * (0.2 + 0.15 * random.uniform());
  const conversionFall = scenario.weekdayStrength * 0.2 * random.uniform();
  const days = (fall: number) =>
    Array.from(
      { length: SIMULATED_DAYS },
      (_, day) => Math.exp(-fall * weekend(day % 7) + random.normal(0, scenario.accountNoise)),
    );
  return { spend: days(spendFall), conversion: days(conversionFall) };
}

/** Draws what a campaign's ads are expected to do, and who holds its budgets. */
function drawCampaign(
  random: Random,
  scenario: AnomalyScenario,
  market: Market,
  account: SimulatedEntity,
  number: number,
): Pool[] {
  const campaign = newEntity("campaign", `c${number}`, account);
  const conversion = TYPICAL_CONVERSION * Math.exp(random.normal(0, 0.2));
  const pools: Pool[] = [];
  for (let s = 0; s < scenario.adsetsPerCampaign; s++) {
    const adset = newEntity("adset", `c${number}s${s}`, campaign);
    const steps = drawSteps(random, scenario.budgetSteps);
    const ads = Array.from({ length: scenario.adsPerAdset }, (_, a) =>
      drawAd(random, scenario, {
        entity: newEntity("ad", `c${number}s${s}a${a}`, adset),
        conversion,
        market,
        steps,
      }));
    pools.push({ adsets: [ads], holder: adset });
  }
  if (!scenario.hasBudgets) return pools;
  const whole: Pool = { adsets: pools.flatMap(({ adsets }) => adsets), holder: campaign };
  const budgets = number % 2 === 0 ? pools : [whole];
  // Where the ad sets hold the budgets, a campaign's is what they may spend together.
  for (const { adsets, holder } of new Set([...budgets, whole])) {
    holder.dailyBudget = holder.dailyBudget.map((_, day) =>
      sum(adsets.flat(), ({ expected }) => expected[day]?.spend ?? 0)
    );
  }
  return budgets;
}

/** What people do to a budget over the days, as a multiple of its first value. */
function drawSteps(random: Random, share: number): number[] {
  let factor = 1;
  return Array.from({ length: SIMULATED_DAYS }, () => {
    if (share > 0 && random.uniform() < share) {
      const size = random.uniform() < 0.8 ? 1.25 : 2;
      factor *= random.uniform() < 0.5 ? size : 1 / size;
    }
    return factor;
  });
}

function drawAd(
  random: Random,
  scenario: AnomalyScenario,
  { entity, conversion, market, steps }: {
    entity: SimulatedEntity;
    conversion: number;
    market: Market;
    steps: number[];
  },
): Ad {
  const leads = scenario.leadsPerDay * Math.exp(random.normal(0, scenario.leadsDeviation));
  const level = {
    spend: leads * TYPICAL_CPM / 1000 / TYPICAL_CTR / TYPICAL_CONVERSION,
    cpm: TYPICAL_CPM * Math.exp(random.normal(0, 0.2)),
    ctr: TYPICAL_CTR * Math.exp(random.normal(0, 0.3)),
    conversion: conversion * Math.exp(random.normal(0, 0.3)),
  };
  const audience = level.spend / level.cpm * 1000 / (0.1 + 0.7 * random.uniform());
  const isYoung = random.uniform() < scenario.young;
  const begins = Math.floor((SIMULATED_DAYS - 5) * random.uniform()) * Number(isYoung);
  const drift = () => Math.exp(random.normal(0, scenario.weeklyDrift / Math.sqrt(7)));
  const expected: Expected[] = [];
  let pausedUntil = 0;
  for (let day = 0; day < SIMULATED_DAYS; day++) {
    level.spend *= drift();
    level.ctr *= drift();
    level.conversion *= drift();
    if (scenario.pauses > 0 && random.uniform() < scenario.pauses) {
      pausedUntil = day + 3 + Math.floor(6 * random.uniform());
    }
    const isRunning = day >= begins && day >= pausedUntil;
    entity.isActive[day] = isRunning;
    expected.push(
      isRunning
        ? {
          ...level,
          spend: level.spend * (market.spend[day] ?? 1) * (steps[day] ?? 1),
          conversion: level.conversion * (market.conversion[day] ?? 1),
        }
        : null,
    );
  }
  return { entity, expected, audience };
}

/** Sets what an entity is from its ads. */
function describe(entity: SimulatedEntity, ads: Ad[]): void {
  const own = ads.filter((ad) => isPartOf(ad.entity, entity));
  entity.isActive = entity.isActive.map((_, day) => own.some((ad) => ad.entity.isActive[day]));
  const tested = Array.from({ length: TESTED_DAYS }, (_, index) => SIMULATED_DAYS - 1 - index);
  const leads = tested.map((day) => sum(own, (ad) => expectedCounts(ad.expected[day]).leads));
  entity.leadsPerDay = sum(leads, (value) => value) /
    Math.max(leads.filter((value) => value > 0).length, 1);
}

/** Whether an entity is another one or lies below it. */
export function isPartOf(entity: SimulatedEntity, other: SimulatedEntity): boolean {
  return entity === other || entity.ancestors.includes(other);
}

function expectedCounts(expected: Expected | undefined) {
  const spend = expected?.spend ?? 0;
  const impressions = expected ? spend / expected.cpm * 1000 : 0;
  const clicks = impressions * (expected?.ctr ?? 0);
  return { clicks, leads: clicks * (expected?.conversion ?? 0) };
}

/** Draws one day of the ads of a pool and adds it to all above them. */
function drawDay(
  random: Random,
  scenario: AnomalyScenario,
  pool: Pool,
  day: number,
  faults: Fault[],
): void {
  const spends = drawSpends(random, scenario, pool, day);
  pool.adsets.flat().forEach(({ entity, expected, audience }, index) => {
    const fault = faults.find(({ from, to, entity: cause }) =>
      from <= day && day <= to && isPartOf(entity, cause)
    );
    const effect: Effect = fault ? FAULTS[fault.kind].effect : {};
    const usual = expected[day];
    const spend = Math.round(100 * (spends[index] ?? 0) * (effect.spend ?? 1)) / 100;
    const cpm = (usual?.cpm ?? 1) * (effect.cpm ?? 1) * drawNoise(random, scenario.cpmNoise);
    const ctr = (usual?.ctr ?? 0) * (effect.ctr ?? 1) * drawNoise(random, scenario.ctrNoise);
    const conversion = (usual?.conversion ?? 0) * (effect.conversion ?? 1) *
      drawConversionNoise(random, scenario);
    const impressions = Math.round(spend / cpm * 1000);
    const clicks = random.poisson(impressions * ctr);
    const leads = random.binomial(clicks, Math.min(conversion, 1));
    const early = scenario.completeness.map((share) => random.binomial(leads, share));
    if (spend === 0) return;
    const reached = audience * (1 - Math.exp(-impressions / audience));
    const reach = Math.min(impressions, Math.round(reached * drawNoise(random, 0.02)));
    for (const each of [entity, ...entity.ancestors]) {
      const sums = each.days[day] ??= { spend: 0, impressions: 0, clicks: 0, leads: 0, reach: 0 };
      sums.spend = Math.round(100 * (sums.spend + spend)) / 100;
      sums.impressions += impressions;
      sums.clicks += clicks;
      sums.leads += leads;
      sums.reach = (sums.reach ?? 0) + reach;
      early.forEach((count, age) => {
        const known = each.earlyLeads[age] ??= Array.from({ length: SIMULATED_DAYS }, () => 0);
        known[day] = (known[day] ?? 0) + count;
      });
    }
  });
}

/** What the ads of a pool spend on a day, without faults. */
function drawSpends(
  random: Random,
  scenario: AnomalyScenario,
  { adsets, holder }: Pool,
  day: number,
): number[] {
  const spendNoise = (deviation: number) =>
    scenario.spendTails === Infinity
      ? drawNoise(random, deviation)
      : Math.exp(deviation * qt(random.uniform(), scenario.spendTails));
  const spends = adsets.flatMap((ads) => {
    const shared = spendNoise(scenario.adsetSpendNoise);
    return ads.map(({ expected }) => {
      const own = shared * spendNoise(scenario.adSpendNoise);
      const isEmpty = scenario.emptyDays > 0 && random.uniform() < scenario.emptyDays;
      return isEmpty ? 0 : own * (expected[day]?.spend ?? 0);
    });
  });
  const budget = holder.dailyBudget[day];
  const total = sum(spends, (spend) => spend);
  if (!budget || total === 0) return spends;
  const isOver = scenario.overspends > 0 && random.uniform() < scenario.overspends;
  const use = drawNoise(random, 0.02) * (isOver ? 1 + 0.75 * random.uniform() : 1);
  return spends.map((spend) => spend / total * budget * use);
}

/** A log-normal factor with mean 1. */
function drawNoise(random: Random, deviation: number): number {
  return Math.exp(random.normal(-(deviation ** 2) / 2, deviation));
}

const BURST = 3;

/** A factor with mean 1. */
function drawConversionNoise(random: Random, scenario: AnomalyScenario): number {
  const { conversionVariance: variance, bursts } = scenario;
  const usual = random.gamma(1 / variance, variance);
  if (bursts === 0) return usual;
  return usual * (random.uniform() < bursts ? BURST : 1) / (1 + (BURST - 1) * bursts);
}

/**
 * Plants a fault in each tested week, in different campaigns. Kinds and levels take turns with
 * the seeds.
 */
function plantFaults(
  random: Random,
  scenario: AnomalyScenario,
  seed: number,
  entities: SimulatedEntity[],
  pools: Pool[],
): Fault[] {
  const faults: Fault[] = [];
  const weeks = TESTED_DAYS / 7;
  const firstCampaign = Math.floor(scenario.campaigns * random.uniform());
  for (let week = 0; week < weeks; week++) {
    const place = PLACES[(seed * weeks + week) % PLACES.length];
    if (!place) continue;
    const { kind, level } = place;
    const [shortest, longest] = FAULTS[kind].days;
    const length = shortest + Math.floor((longest - shortest + 1) * random.uniform());
    const from = SIMULATED_DAYS - TESTED_DAYS + 7 * week +
      Math.floor((7 - length + 1) * random.uniform());
    const to = from + length - 1;
    const campaign = `c${(firstCampaign + week) % scenario.campaigns}`;
    const candidates = entities.filter((entity) =>
      entity.entityType === level &&
      (level === "account" ||
        [entity, ...entity.ancestors].some(({ entityId }) => entityId === campaign)) &&
      entity.isActive.slice(0, from).filter(Boolean).length >= 14 &&
      entity.isActive.slice(from, to + 1).every(Boolean)
    );
    const entity = candidates[Math.floor(candidates.length * random.uniform())];
    if (entity) {
      const fault = { kind, entity, from, to };
      faults.push({ ...fault, due: dueDay(random, scenario, fault, pools) });
    }
  }
  return faults;
}

/** The power and the p value at which a fault counts as due. */
const DUE_POWER = 0.95;
const DUE_P = 2e-4;

/**
 * The first day on which somebody who knew the generator would see a fault, on that day alone or on
 * the days of the fault so far.
 */
function dueDay(
  random: Random,
  scenario: AnomalyScenario,
  { kind, entity, from, to }: Omit<Fault, "due">,
  pools: Pool[],
): number | null {
  const { effect, sees } = FAULTS[kind];
  if (sees === "spend") {
    return isSpendSeen(random, scenario, effect.spend, entity, pools, from) ? from : null;
  }
  const ads = pools.flatMap(({ adsets }) => adsets.flat())
    .filter((ad) => isPartOf(ad.entity, entity));
  const factor = "ctr" in effect
    ? effect.ctr
    : "cpm" in effect
    ? 1 / effect.cpm
    : effect.conversion;
  for (let day = from; day <= to; day++) {
    if ([from, day].some((first) => isDropSeen(scenario, sees, factor, ads, first, day))) {
      return day;
    }
  }
  return null;
}

/** Draws the spend of a day many times. */
function isSpendSeen(
  random: Random,
  scenario: AnomalyScenario,
  factor: number,
  entity: SimulatedEntity,
  pools: Pool[],
  day: number,
): boolean {
  const draws = 25_000;
  const concerned = pools.filter(({ adsets }) =>
    adsets.flat().some((ad) => isPartOf(ad.entity, entity))
  );
  // What a day does to all is expected of the parts of an account, not of the account itself.
  const accountNoise = entity.entityType === "account" ? scenario.accountNoise : 0;
  const totals = Float64Array.from(
    { length: draws },
    () =>
      drawNoise(random, accountNoise) * sum(concerned, (pool) => {
        const spends = drawSpends(random, scenario, pool, day);
        return sum(
          pool.adsets.flat(),
          (ad, index) => isPartOf(ad.entity, entity) ? spends[index] ?? 0 : 0,
        );
      }),
  ).toSorted();
  const rank = Math.floor(DUE_P * draws);
  const bound = (factor > 1 ? totals.at(-rank) : totals[rank - 1]) ?? 0;
  const seen = totals.filter((total) =>
    factor > 1 ? factor * total > bound : factor * total < bound
  );
  return seen.length >= DUE_POWER * draws;
}

/** Whether fewer events are seen: the sums of counts as negative binomial ones of like variance. */
function isDropSeen(
  scenario: AnomalyScenario,
  sees: Exclude<FaultFacts["sees"], "spend">,
  factor: number,
  ads: Ad[],
  first: number,
  last: number,
): boolean {
  const { cpmNoise, ctrNoise, conversionVariance, bursts, emptyDays } = scenario;
  const burst = (1 + (BURST ** 2 - 1) * bursts) / (1 + (BURST - 1) * bursts) ** 2;
  const conversion = (1 + conversionVariance) * burst - 1;
  const variance = {
    "clicks per impression": ctrNoise ** 2,
    "leads per spend": cpmNoise ** 2 + ctrNoise ** 2 + conversion,
    "leads per click": conversion,
  }[sees];
  const counts = ads.flatMap(({ expected }) =>
    expected.slice(first, last + 1).map((each) => {
      const { clicks, leads } = expectedCounts(each);
      return (sees === "clicks per impression" ? clicks : leads) * (1 - emptyDays);
    })
  );
  const mean = sum(counts, (count) => count);
  const size = mean ** 2 / (variance * sum(counts, (count) => count ** 2));
  const critical = qnbinom(DUE_P, size, undefined, mean);
  // Of a discrete count the quantile itself may be too likely.
  const bound = pnbinom(critical, size, undefined, mean) <= DUE_P ? critical : critical - 1;
  return bound >= 0 && pnbinom(bound, size, undefined, factor * mean) >= DUE_POWER;
}

function sum<T>(items: Iterable<T>, value: (item: T, index: number) => number): number {
  let total = 0;
  let index = 0;
  for (const item of items) total += value(item, index++);
  return total;
}
