/** The effect of a change as a distribution: what came after by what would have come without it. */
import { pf } from "lib-r-math.js";
import type { Interval } from "../evidence.ts";
import { quantileBetween } from "../quantiles.ts";
import type { Expectation } from "./movement.ts";
import type { Block } from "./panel.ts";

/** One of the expectations that may hold, and how probable it is. */
export type Possibility = { expectation: Expectation; weight: number };

/** How many times as many events by exposure there are as there would have been. */
export type Effect = {
  ratio: number;
  /** Holds the true ratio with a probability of 95 %. */
  interval: Interval;
  /** Two-sided: how often so much would come about without any effect. */
  p: number;
};

/** Half an event, as in Jeffreys' prior: says something of none at all, and centres what few say. */
const JEFFREYS = 0.5;

/** No effect is told of that is larger: few numbers are. */
const MOST_LOG = 700;

/** What is so improbable changes no quantile that is told. */
const NEGLIGIBLE = 1e-5;

/**
 * The effect. What came after is a gamma distribution of as many events, and so is what was expected,
 * of as many as it is worth; the ratio of two gammas is an F distribution. It is the mean of those of
 * all possibilities.
 */
export function effectOf({ events, exposure }: Block, possibilities: Possibility[]): Effect {
  const parts = possibilities.filter(({ weight }) => weight > NEGLIGIBLE).map((
    { expectation: { rate, variance }, weight },
  ) => ({
    weight,
    scale: (events + JEFFREYS) / (rate * exposure),
    after: 2 * (events + JEFFREYS),
    before: 2 / variance,
  }));
  const below = (ratio: number) =>
    parts.reduce((sum, { weight, scale, after, before }) => {
      return sum + weight * pf(ratio / scale, after, before);
    }, 0);
  const belowLog = (log: number) => below(Math.exp(log));
  const quantile = (probability: number) => {
    // On a log scale, from what came by what was expected, in steps that double.
    const scales = parts.map(({ scale }) => Math.log(scale));
    let low = Math.min(...scales);
    let high = Math.max(...scales);
    for (let step = 1; belowLog(low) > probability && low > -MOST_LOG; step *= 2) low -= step;
    for (let step = 1; belowLog(high) < probability && high < MOST_LOG; step *= 2) high += step;
    return Math.exp(quantileBetween(belowLog, probability, { low, high, tolerance: 1e-5 }));
  };
  const fewer = below(1);
  return {
    ratio: quantile(0.5),
    interval: { low: quantile(0.025), high: quantile(0.975) },
    p: Math.min(2 * Math.min(fewer, 1 - fewer), 1),
  };
}
