/** Simulated accounts of many kinds, with the daily spend and leads of all levels. */
import type { Series } from "../core/forecast/series.ts";
import { createRandom, type Random } from "../core/random.ts";
import type { SeriesSet } from "./forecast_accuracy.ts";

/** What is forecast. */
export const METRICS = ["spend", "leads"] as const;

/** One of the two. */
export type Metric = (typeof METRICS)[number];

/** What differs between kinds of accounts. Deviations are of the logarithm. */
export type ForecastScenario = {
  name: string;
  days: number;
  /** Median of the leads a day of an ad. */
  leadsPerDay: number;
  /** 0 for days that are all alike; 1 for weekends with a third less. */
  weekdayStrength: number;
  /** How the campaigns' own weekdays lie around that. */
  weekdayDeviation: number;
  /** How days differ by chance, in the spend of an ad and of the whole account. */
  adNoise: number;
  accountNoise: number;
  /** Degrees of freedom of the noise of an ad: infinite for a normal. */
  tails: number;
  /** How far levels wander within a week, of campaigns and of ads. */
  weeklyDrift: number;
  /** Share of the days on which the level of a campaign jumps, and of an ad. */
  shifts: number;
  /** Share of the days on which a trend begins in a campaign that ends after two to six weeks. */
  trends: number;
  /** Growth of the account within a year, as a factor; ads begin all along where it grows. */
  growth: number;
  /** Share of the days on which people share the budget of an ad set out anew. */
  reallocations: number;
  /** Share of the days on which an ad stops for one to three weeks or for good. */
  stops: number;
  /** Share of the ads that begin within the simulated days. */
  young: number;
  /** Share of the days on which a campaign's data are missing, for one to three days. */
  gaps: number;
  /** Share of the days on which the leads of an ad burst, to three to ten times as many. */
  bursts: number;
  /** Variance of the leads of a day beyond that of a Poisson count, by the square of their mean. */
  overdispersion: number;
  /** Half the distance, in logarithms, between the best and the worst weeks of the year. */
  season: number;
};

/** Steady ads with a weekday profile: what everything else departs from. */
const STABLE: ForecastScenario = {
  name: "stable",
  days: 300,
  leadsPerDay: 2,
  weekdayStrength: 1,
  weekdayDeviation: 0.05,
  adNoise: 0.15,
  accountNoise: 0.05,
  tails: Infinity,
  weeklyDrift: 0.01,
  shifts: 0,
  trends: 0,
  growth: 1,
  reallocations: 0,
  stops: 0,
  young: 0,
  gaps: 0,
  bursts: 0,
  overdispersion: 0,
  season: 0,
};

/** All kinds; no method knows of them. */
export const FORECAST_SCENARIOS: readonly ForecastScenario[] = [
  STABLE,
  // A lead a week: most days of an ad have none.
  { ...STABLE, name: "few leads", leadsPerDay: 0.15 },
  // Every two months a campaign or an ad moves to another level from one day to the next.
  { ...STABLE, name: "level shifts", shifts: 1 / 60 },
  // Levels wander by a tenth within a week, and never come back.
  { ...STABLE, name: "slow drift", weeklyDrift: 0.1 },
  // Campaigns rise or fall for some weeks and then stay where they are.
  { ...STABLE, name: "trends that end", trends: 1 / 50 },
  // The account triples within a year, also by new ads.
  { ...STABLE, name: "growing account", growth: 3, young: 0.5, weeklyDrift: 0.03 },
  // The budget of an ad set stays and is shared out anew between its ads every three weeks.
  { ...STABLE, name: "moved budgets", reallocations: 1 / 20 },
  // Ads begin, pause (a known 0) and end; now and then the data of a campaign are missing.
  { ...STABLE, name: "starts and stops", stops: 1 / 60, young: 0.5, gaps: 1 / 100 },
  // Some campaigns live on weekends, others on working days.
  { ...STABLE, name: "own weekdays", weekdayDeviation: 0.6 },
  // Spend with Student's noise of 3 degrees of freedom, and days with many times the usual leads.
  { ...STABLE, name: "bursts", tails: 3, adNoise: 0.25, bursts: 0.03 },
  // Leads as counts with twice and more the variance of Poisson's.
  { ...STABLE, name: "overdispersed", overdispersion: 0.7, accountNoise: 0.15 },
  // Two years with a high and a low season.
  { ...STABLE, name: "yearly season", days: 790, season: 0.5, weeklyDrift: 0.03 },
];

/** A Monday. */
const FIRST_DAY = "2024-01-01";

const CAMPAIGNS = 4;
const ADSETS = 2;
const ADS = 3;

const WEEKEND = [0, 0, 0, 0, 0, -0.4, -0.4];
const TYPICAL_CPL = 15;

/** One day of an ad; null where it is unknown or the ad has not begun. */
type AdDay = Record<Metric, number> | null;

type EntityDays = Record<Metric, (number | null)[]>;

/**
 * Draws one account. An ad is unknown before it begins and a known 0 while it is stopped. Parents are
 * the sums of their children, and unknown where one that has begun is.
 */
export function simulateAccount(
  scenario: ForecastScenario,
  seed: number,
): Record<Metric, SeriesSet> {
  const random = createRandom(seed);
  const account = `${scenario.name}/${seed}`;
  const entities: (Pick<Series, "id" | "parentId"> & { days: EntityDays })[] = [];
  const add = (id: string, parentId: string | null, days: EntityDays) => {
    entities.push({ id, parentId, days });
    return days;
  };
  const ofAccount = accountPath(random, scenario);
  const campaigns = range(CAMPAIGNS).map((campaign) => {
    const place = `${account}/${campaign}`;
    const ofCampaign = campaignPath(random, scenario).map((level, day) =>
      level + (ofAccount[day] ?? 0)
    );
    const isMissing = missingDays(random, scenario);
    const adsets = range(ADSETS).map((adset) => {
      const ads = simulateAdset(random, scenario, ofCampaign, isMissing).map((days, ad) =>
        add(`ad:${place}.${adset}.${ad}`, `adset:${place}.${adset}`, split(days))
      );
      return add(`adset:${place}.${adset}`, `campaign:${place}`, sumOf(ads));
    });
    return add(`campaign:${place}`, `account:${account}`, sumOf(adsets));
  });
  add(`account:${account}`, null, sumOf(campaigns));
  const ofMetric = (metric: Metric): SeriesSet => ({
    firstDay: FIRST_DAY,
    series: entities.map(({ id, parentId, days }) => ({
      id: `${id} ${metric}`,
      parentId: parentId && `${parentId} ${metric}`,
      values: days[metric],
    })),
  });
  return { spend: ofMetric("spend"), leads: ofMetric("leads") };
}

function range(length: number): number[] {
  return Array.from({ length }, (_, index) => index);
}

function isDue(random: Random, share: number): boolean {
  return share > 0 && random.uniform() < share;
}

function between(random: Random, low: number, high: number): number {
  return low + (high - low) * random.uniform();
}

/** The logarithm of what a day does to the whole account. */
function accountPath(random: Random, scenario: ForecastScenario): number[] {
  const { days, accountNoise, growth, season } = scenario;
  const peak = random.uniform();
  return range(days).map((day) =>
    random.normal(0, accountNoise) + Math.log(growth) * day / 365 +
    season * Math.cos(2 * Math.PI * (day / 365 - peak))
  );
}

/** The logarithm of the level of a campaign, with its weekdays. */
function campaignPath(random: Random, scenario: ForecastScenario): number[] {
  const { days, weekdayStrength, weekdayDeviation } = scenario;
  const profile = WEEKEND.map((level) =>
    weekdayStrength * level + random.normal(0, weekdayDeviation)
  );
  const levels = wander(random, scenario);
  const trends = trendPath(random, scenario);
  const size = random.normal(0, 0.5);
  return range(days).map((day) =>
    size + (profile[day % 7] ?? 0) + (levels[day] ?? 0) + (trends[day] ?? 0)
  );
}

/** The logarithm of a level that drifts and jumps. */
function wander(random: Random, { days, weeklyDrift, shifts }: ForecastScenario): number[] {
  let level = 0;
  return range(days).map(() => {
    level += random.normal(0, weeklyDrift / Math.sqrt(7));
    if (isDue(random, shifts)) level = level / 2 + random.normal(0, 0.6);
    return level;
  });
}

/** The logarithm of a level that now and then moves by up to a factor of two and stays there. */
function trendPath(random: Random, { days, trends }: ForecastScenario): number[] {
  let [level, slope, left] = [0, 0, 0];
  return range(days).map(() => {
    if (left === 0 && isDue(random, trends)) {
      left = Math.round(between(random, 14, 42));
      slope = (between(random, -0.7, 0.7) - level / 2) / left;
    }
    if (left > 0) {
      left -= 1;
      level += slope;
    }
    return level;
  });
}

function missingDays(random: Random, { days, gaps }: ForecastScenario): boolean[] {
  let left = 0;
  return range(days).map(() => {
    if (left === 0 && isDue(random, gaps)) left = 1 + Math.floor(3 * random.uniform());
    const isMissing = left > 0;
    left = Math.max(0, left - 1);
    return isMissing;
  });
}

/** The ads of an ad set, whose budget is shared out between them; what stopped ones would get is not spent. */
function simulateAdset(
  random: Random,
  scenario: ForecastScenario,
  levels: readonly number[],
  isMissing: readonly boolean[],
): AdDay[][] {
  const { days, reallocations, leadsPerDay, adNoise, tails, bursts, overdispersion } = scenario;
  const budget = ADS * leadsPerDay * TYPICAL_CPL * Math.exp(random.normal(0, 0.3));
  const draw = () => range(ADS).map(() => random.gamma(3, 1));
  let weights = draw();
  const shares = range(days).map(() => {
    if (isDue(random, reallocations)) weights = draw();
    return weights;
  });
  return range(ADS).map((ad) => {
    const runs = runningDays(random, scenario);
    const own = wander(random, scenario);
    const cost = TYPICAL_CPL * Math.exp(random.normal(0, 0.3));
    const costs = wander(random, { ...scenario, shifts: scenario.shifts / 2 });
    return range(days).map((day) => {
      const isRunning = runs[day] ?? null;
      if (isRunning === null || isMissing[day]) return null;
      if (!isRunning) return { spend: 0, leads: 0 };
      const ofDay = shares[day] ?? [];
      const share = (ofDay[ad] ?? 0) / ofDay.reduce((sum, weight) => sum + weight, 0);
      const noise = adNoise * noiseOf(random, tails);
      const level = (levels[day] ?? 0) + (own[day] ?? 0);
      const spend = Math.round(100 * budget * share * Math.exp(level + noise)) / 100;
      const burst = isDue(random, bursts) ? between(random, 3, 10) : 1;
      const expected = burst * spend / (cost * Math.exp(costs[day] ?? 0));
      return { spend, leads: countOf(random, expected, overdispersion) };
    });
  });
}

/** Student's t, no more than tenfold, so that no exponential of it runs away. */
function noiseOf(random: Random, tails: number): number {
  const normal = random.normal(0, 1);
  if (tails === Infinity) return normal;
  return Math.max(-10, Math.min(10, normal / Math.sqrt(random.gamma(tails / 2, 2 / tails))));
}

/** Poisson, or a negative binomial count where there is more variance. */
function countOf(random: Random, mean: number, overdispersion: number): number {
  if (mean <= 0) return 0;
  return random.poisson(
    overdispersion > 0 ? random.gamma(1 / overdispersion, mean * overdispersion) : mean,
  );
}

/** Whether an ad runs, null before it begins. */
function runningDays(
  random: Random,
  { days, young, stops }: ForecastScenario,
): (boolean | null)[] {
  const start = isDue(random, young) ? Math.floor(between(random, 1, days)) : 0;
  let stopped = 0;
  return range(days).map((day) => {
    if (day < start) return null;
    if (stopped > 0) stopped -= 1;
    // A quarter of the stops is for good.
    else if (day > start && isDue(random, stops)) {
      stopped = isDue(random, 1 / 4) ? Infinity : Math.round(between(random, 7, 21));
    }
    return stopped === 0;
  });
}

function split(days: readonly AdDay[]): EntityDays {
  return {
    spend: days.map((day) => day && day.spend),
    leads: days.map((day) => day && day.leads),
  };
}

function sumOf(children: readonly EntityDays[]): EntityDays {
  return {
    spend: sumDays(children.map(({ spend }) => spend)),
    leads: sumDays(children.map(({ leads }) => leads)),
  };
}

/** What has not begun adds nothing, what has begun and is unknown makes the sum unknown. */
function sumDays(children: readonly Series["values"][]): (number | null)[] {
  const starts = children.map((values) => {
    const start = values.findIndex((value) => value !== null);
    return start < 0 ? Infinity : start;
  });
  return range(children[0]?.length ?? 0).map((day) => {
    const begun = children.filter((_, child) => day >= (starts[child] ?? Infinity))
      .map((values) => values[day] ?? null);
    const known = begun.filter((value) => value !== null);
    if (begun.length === 0 || known.length < begun.length) return null;
    return known.reduce((sum, value) => sum + value, 0);
  });
}
