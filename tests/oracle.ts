/**
 * What the best possible mind would believe of a simulated account: it knows the distribution that the
 * account was drawn from, but not the draws.
 */
import { createRandom, hashOf } from "../core/random.ts";

/** One ad with what was seen of it. */
export type SeenAd = {
  ad_id: string;
  adset_id: string;
  campaign_id: string;
  spend: number;
  leads: number;
};

/** The distribution of the logarithms of CPLs: normal steps from the account down to the ads. */
export type Population = {
  typicalCpl: number;
  campaignDeviation: number;
  adsetDeviation: number;
  adDeviation: number;
};

const POINTS = 241;
const REACH = Math.log(50);
const STEP = 2 * REACH / (POINTS - 1);

/**
 * Draws from the exact joint posterior of all ads' CPLs, on a grid of their logarithms: sums from the
 * ads up to the account, then draws from the account down to the ads.
 *
 * @returns The draws of each ad's CPL.
 */
export function drawPosterior(
  ads: readonly SeenAd[],
  population: Population,
  draws: number,
  seed: string,
): Map<string, Float64Array> {
  const random = createRandom(hashOf(seed));
  const { typicalCpl } = population;
  const cplAt = Float64Array.from(
    { length: POINTS },
    (_, point) => typicalCpl * Math.exp(-REACH + point * STEP),
  );
  const toAd = stepOf(population.adDeviation);
  const toAdset = stepOf(population.adsetDeviation);
  const toCampaign = stepOf(population.campaignDeviation);

  const result = new Map<string, Float64Array>();
  for (const adsets of groupsOf(ads, ({ campaign_id }) => campaign_id)) {
    const families = groupsOf(adsets, ({ adset_id }) => adset_id).map((family) => {
      const likelihoods = family.map((ad) => likelihoodOf(ad, cplAt));
      const below = likelihoods.map((likelihood) => smooth(toAd, likelihood));
      return { family, likelihoods, evidence: productOf(below) };
    });
    const evidence = productOf(families.map((each) => smooth(toAdset, each.evidence)));
    for (let draw = 0; draw < draws; draw++) {
      const campaign = drawFrom(
        random.uniform(),
        timesStep(toCampaign, (POINTS - 1) / 2, evidence),
      );
      for (const { family, likelihoods, evidence } of families) {
        const adset = drawFrom(random.uniform(), timesStep(toAdset, campaign, evidence));
        for (const [index, { ad_id }] of family.entries()) {
          const likelihood = likelihoods[index] ?? new Float64Array(POINTS);
          const ad = drawFrom(random.uniform(), timesStep(toAd, adset, likelihood));
          const cpls = result.get(ad_id) ?? new Float64Array(draws);
          cpls[draw] = cplAt[ad] ?? 0;
          result.set(ad_id, cpls);
        }
      }
    }
  }
  return result;
}

/** The probabilities of steps of a normal distribution, by their number of points. */
function stepOf(deviation: number): Float64Array {
  const density = Float64Array.from(
    { length: POINTS },
    (_, distance) => Math.exp(-0.5 * (distance * STEP / Math.max(deviation, STEP / 4)) ** 2),
  );
  const total = 2 * density.reduce((sum, value) => sum + value, 0) - (density[0] ?? 0);
  return density.map((value) => value / total);
}

/** The likelihood of an ad's leads at each CPL, scaled so that the largest is 1. */
function likelihoodOf({ spend, leads }: SeenAd, cplAt: Float64Array): Float64Array {
  const logs = cplAt.map((cpl) => leads * Math.log(spend / cpl) - spend / cpl);
  const most = Math.max(...logs);
  return logs.map((log) => Math.exp(log - most));
}

function smooth(step: Float64Array, values: Float64Array): Float64Array {
  return Float64Array.from({ length: POINTS }, (_, at) => {
    let sum = 0;
    for (let point = 0; point < POINTS; point++) {
      sum += (step[Math.abs(at - point)] ?? 0) * (values[point] ?? 0);
    }
    return sum;
  });
}

function productOf(parts: Float64Array[]): Float64Array {
  let product = new Float64Array(POINTS).fill(1);
  for (const part of parts) {
    product = product.map((value, point) => value * (part[point] ?? 0));
    const most = Math.max(...product);
    product = product.map((value) => value / most);
  }
  return product;
}

function timesStep(step: Float64Array, from: number, values: Float64Array): Float64Array {
  return values.map((value, point) => value * (step[Math.abs(point - from)] ?? 0));
}

function drawFrom(uniform: number, weights: Float64Array): number {
  let left = uniform * weights.reduce((sum, weight) => sum + weight, 0);
  for (let point = 0; point < weights.length; point++) {
    left -= weights[point] ?? 0;
    if (left <= 0) return point;
  }
  return weights.length - 1;
}

function groupsOf<Item>(items: readonly Item[], key: (item: Item) => string): Item[][] {
  return [...Map.groupBy(items, key).values()];
}
