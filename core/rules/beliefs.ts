/** What the posteriors say about the quantities that rules make claims about. */
import { lbeta, pbeta, pgamma, qgamma } from "lib-r-math.js";
import { cplInterval, cplMedian, type Interval, type Posterior } from "../evidence.ts";
import { betaQuantile, quantileBetween } from "../quantiles.ts";
import type { Quantity } from "./claim.ts";

/** Answers what is believed about an entity. */
export type Beliefs = {
  /** The probability that a true quantity is at most a value, null where nothing is known of it. */
  atMost(about: Quantity, value: number): number | null;
  /** The same for at least. */
  atLeast(about: Quantity, value: number): number | null;
  /** The true CPL by the reference, as likely below as above. */
  ratio(): number;
  /** The true CPL, 80 % sure. */
  cpl(): Estimate;
  /** The true change in percent, 80 % sure, null where nothing is known of it. */
  change(about: "cpl_change" | "ctr_change"): Estimate | null;
  /** What delivered beside it in the last 7 days, null where nothing did. */
  siblings: { count: number; spend: number; cpl: number } | null;
  /** The probability that no sibling costs less, 1 where there is none. */
  isBest(): number;
  /**
   * How likely the best of as many equal siblings looks as good as this one, or the worst as bad: what
   * picking one of many would find by chance alone.
   */
  chanceAmongEquals(side: "best" | "worst"): number | null;
  /** The probability that its true rate is at most so many times that of the account. */
  rateAtMost(rate: "ctr" | "conversion_rate", factor: number): number | null;
};

/** A range that holds the truth with a probability of 80 %, and what is as likely below as above. */
export type Estimate = Interval & { median: number };

/** What is known about an entity's CPL, as in `ads.entity_evidence`. */
export type Evidence = Posterior & {
  /** Its own leads and spend, as many recent and independent ones as they are worth. */
  events: number;
  exposure: number;
};

/** One entity with what beliefs are made of. */
export type Member = Evidence & {
  spend_7d: number;
  impressions_7d: number;
  clicks_7d: number;
  leads_7d: number;
  spend_7d_before: number;
  impressions_7d_before: number;
  clicks_7d_before: number;
  leads_7d_before: number;
};

/** How a rate usually differs and changes on a level, as in `ads.level_variation`. */
export type Variation = {
  /** The rate of the account over 7 days, null without exposure. */
  rate: number | null;
  /** The relative variance of entities around it. */
  variance: number;
  /** How many times what it was in the 7 days before the rate is, null where one of them is zero. */
  change: number | null;
  /** The relative variance of an entity's two weeks around what they have in common. */
  changeVariance: number;
  /** The relative variance of `change` itself. */
  changeError: number;
  /** The relative variance of an entity's rate from day to day within a week. */
  dayVariance: number;
};

/** That of each rate. `cpl` is leads by spend. */
export type Variations = Record<"cpl" | "ctr" | "conversion_rate", Variation>;

/**
 * The beliefs about the entities of one parent.
 *
 * @param members All that are known, also those that do not run.
 * @param reference What a CPL is compared with.
 */
export function familyBeliefs(
  members: readonly Member[],
  reference: number,
  variations: Variations,
): Beliefs[] {
  const running = members.filter(({ spend_7d }) => spend_7d > 0);
  const all = running.map(weighted);
  const total = {
    spend: sumOf(all, ({ spend }) => spend),
    leads: sumOf(all, ({ leads }) => leads),
    variance: sumOf(all, ({ variance }) => variance),
    events: sumOf(running, ({ events }) => events),
    exposure: sumOf(running, ({ exposure }) => exposure),
  };
  return members.map((own) => {
    const ownWeight = own.spend_7d > 0 ? weighted(own) : { spend: 0, leads: 0, variance: 0 };
    const siblings = running.length - (own.spend_7d > 0 ? 1 : 0);
    const others = siblings === 0 ? null : {
      posterior: posteriorOf(
        total.spend - ownWeight.spend,
        total.leads - ownWeight.leads,
        total.variance - ownWeight.variance,
      ),
      events: Math.max(total.events - (own.spend_7d > 0 ? own.events : 0), 0),
      exposure: Math.max(total.exposure - (own.spend_7d > 0 ? own.exposure : 0), 0),
    };
    const changes = {
      cpl_change: changeOf(
        own.leads_7d,
        own.spend_7d,
        own.leads_7d_before,
        own.spend_7d_before,
        variations.cpl,
      ),
      ctr_change: changeOf(
        own.clicks_7d,
        own.impressions_7d,
        own.clicks_7d_before,
        own.impressions_7d_before,
        variations.ctr,
      ),
    };
    // Of each quantity, the probability that it lies on a side of a value.
    const sides = (about: Quantity, value: number, isAtMost: boolean): number | null => {
      switch (about) {
        case "cpl_ratio":
          return pgamma(1 / (value * reference), own.alpha, own.beta, undefined, !isAtMost);
        case "cpl_by_siblings":
          return others?.posterior
            ? rateRatioAtMost(own, others.posterior, 1 / value, !isAtMost)
            : null;
        case "cpl_change":
          // Costs rise by what the rate falls.
          return changes.cpl_change?.side(1 / (1 + value / 100), !isAtMost) ?? null;
        case "ctr_change":
          return changes.ctr_change?.side(1 + value / 100, isAtMost) ?? null;
      }
    };
    return {
      atMost: (about, value) => sides(about, value, true),
      atLeast: (about, value) => sides(about, value, false),
      ratio: () => cplMedian(own) / reference,
      cpl: () => ({ ...cplInterval(own, 0.8), median: cplMedian(own) }),
      change: (about) => {
        const factor = changes[about]?.quantile;
        if (!factor) return null;
        const percent = (p: number) =>
          about === "cpl_change" ? 100 * (1 / factor(1 - p) - 1) : 100 * (factor(p) - 1);
        return { low: percent(0.1), median: percent(0.5), high: percent(0.9) };
      },
      siblings: others?.posterior
        ? {
          count: siblings,
          spend: total.spend - ownWeight.spend,
          cpl: others.posterior.beta / others.posterior.alpha,
        }
        : null,
      isBest: () => bestOf(own, running.filter((member) => member !== own)),
      chanceAmongEquals: (side) => {
        if (others === null) return null;
        return chanceAmongEquals(own, others, siblings + 1, side);
      },
      rateAtMost: (rate, factor) => {
        const isCtr = rate === "ctr";
        return rateAtMost(
          isCtr ? own.clicks_7d : own.leads_7d,
          isCtr ? own.impressions_7d : own.clicks_7d,
          variations[rate],
          factor,
        );
      },
    };
  });
}

/** What a member adds to the leads that are expected of the spend of all, and to their variance. */
function weighted({ spend_7d, alpha, beta }: Member) {
  return {
    spend: spend_7d,
    leads: spend_7d * alpha / beta,
    variance: spend_7d ** 2 * alpha / beta ** 2,
  };
}

/** The Gamma distribution of a mix of rates, by its mean and its variance. */
function posteriorOf(spend: number, leads: number, variance: number): Posterior | null {
  if (!(spend > 0 && leads > 0 && variance > 0)) return null;
  return { alpha: leads ** 2 / variance, beta: spend * leads / variance };
}

/**
 * The probability that one rate is at most so many times another one. For independent Gamma variables
 * X and Y, bX / (bX + cY) with their rates b and c is Beta distributed.
 */
function rateRatioAtMost(
  own: Posterior,
  other: Posterior,
  factor: number,
  isAtMost: boolean,
): number {
  const bound = own.beta * factor / (own.beta * factor + other.beta);
  return pbeta(bound, own.alpha, other.alpha, undefined, isAtMost);
}

const QUANTILES = 50;

/** The probability that none of the others has a higher rate, over quantiles of the own one. */
function bestOf(own: Posterior, others: readonly Posterior[]): number {
  let sum = 0;
  for (let index = 0; index < QUANTILES; index++) {
    const rate = qgamma((index + 0.5) / QUANTILES, own.alpha, own.beta);
    sum += others.reduce((product, { alpha, beta }) => product * pgamma(rate, alpha, beta), 1);
  }
  return sum / QUANTILES;
}

/**
 * If all were equal, the leads would fall to each by its share of the spend, which is binomial; and the
 * best of k looks as good with a probability of 1 - (1 - p)^k (Sidak 1967).
 */
function chanceAmongEquals(
  own: Pick<Evidence, "events" | "exposure">,
  others: Pick<Evidence, "events" | "exposure">,
  many: number,
  side: "best" | "worst",
): number {
  const share = own.exposure / (own.exposure + others.exposure);
  if (!(share > 0 && share < 1)) return 1;
  // At least, or at most, so many events of the total, which need not be whole.
  const p = side === "best"
    ? own.events > 0 ? pbeta(share, own.events, others.events + 1) : 1
    : others.events > 0
    ? pbeta(1 - share, others.events, own.events + 1)
    : 1;
  return -Math.expm1(many * Math.log1p(-Math.min(p, 1 - 1e-12)));
}

/** Less is not told apart from nothing. */
const LEAST_VARIANCE = 1e-6;

/**
 * What a change may be, before the two weeks are seen. Most entities change as is usual on their level;
 * a few change on their own, as when a creative tires or a form breaks, and usually by a third. Without
 * them, one that changes among many that do not would never be believed.
 */
const KINDS_OF_CHANGE = [
  { share: 0.98, variance: 0 },
  { share: 0.02, variance: Math.log(4 / 3) ** 2 },
] as const;

/** How many times a rate is now what it was the week before: the probability of a side, quantiles. */
type Change = {
  side(factor: number, isAtMost: boolean): number;
  quantile(probability: number): number;
};

/**
 * What is known about the change of a rate. Null without exposure in both weeks.
 *
 * Given how many events both weeks have together, those of the later one are binomial, whatever the
 * rate is. Each kind of change is a Beta distribution of their share, and as likely as it expects the
 * share that came.
 */
function changeOf(
  allEvents: number,
  allExposure: number,
  allEventsBefore: number,
  allExposureBefore: number,
  { change, changeVariance, changeError, dayVariance }: Variation,
): Change | null {
  if (!(allExposure > 0 && allExposureBefore > 0) || change === null) return null;
  // Events of a day come together: all of them tell as much as so many independent ones.
  const worth = 1 / (1 + (allEvents + allEventsBefore) / 14 * dayVariance);
  const events = worth * allEvents;
  const eventsBefore = worth * allEventsBefore;
  const ratio = allExposure / allExposureBefore;
  const usual = ratio * change / (ratio * change + 1);
  const kinds = KINDS_OF_CHANGE.map(({ share, variance: own }) => {
    // Two weeks differ by twice what each differs from both; the logit of a Beta variable has about
    // the variance 1/a + 1/b.
    const variance = Math.max(2 * changeVariance + changeError + own, LEAST_VARIANCE);
    const strength = 1 / (variance * usual * (1 - usual));
    const prior = { alpha: strength * usual, beta: strength * (1 - usual) };
    const alpha = prior.alpha + events;
    const beta = prior.beta + eventsBefore;
    return {
      alpha,
      beta,
      log: Math.log(share) + lbeta(alpha, beta) - lbeta(prior.alpha, prior.beta),
    };
  });
  const most = Math.max(...kinds.map(({ log }) => log));
  const total = kinds.reduce((sum, { log }) => sum + Math.exp(log - most), 0);
  const mixed = (value: (alpha: number, beta: number) => number) =>
    kinds.reduce(
      (sum, { alpha, beta, log }) => sum + Math.exp(log - most) / total * value(alpha, beta),
      0,
    );
  const side = (factor: number, isAtMost: boolean) => {
    const share = ratio * factor / (ratio * factor + 1);
    return mixed((alpha, beta) => pbeta(share, alpha, beta, undefined, isAtMost));
  };
  return {
    side,
    quantile: (probability) => {
      const ends = kinds.map(({ alpha, beta }) => betaQuantile(probability, alpha, beta));
      const share = quantileBetween(
        (value) => mixed((alpha, beta) => pbeta(value, alpha, beta)),
        probability,
        { low: Math.min(...ends), high: Math.max(...ends), tolerance: 1e-12 },
      );
      return share / (1 - share) / ratio;
    },
  };
}

/** The posterior of a rate whose prior is that entities lie around the rate of the account. */
function rateAtMost(
  events: number,
  exposure: number,
  { rate, variance }: Variation,
  factor: number,
): number | null {
  if (rate === null || !(rate > 0)) return null;
  const prior = 1 / Math.max(variance, LEAST_VARIANCE);
  return pgamma(factor * rate, prior + events, prior / rate + exposure);
}

function sumOf<Item>(items: readonly Item[], value: (item: Item) => number): number {
  return items.reduce((total, item) => total + value(item), 0);
}
