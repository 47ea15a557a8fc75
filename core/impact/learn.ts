/**
 * How rates move in an account, learned from the weeks before the change: each week of each entity is
 * a change that did not happen, and how far the method is off there is how far it may be off here.
 */
import { qnorm } from "lib-r-math.js";
import { type Filtered, follow, type Start, type Variation } from "./movement.ts";
import type { Panel } from "./panel.ts";

/** One of the ways in which rates may move, and how probable it is. */
export type Belief = { variation: Variation; filtered: Filtered; weight: number };

/** What is believed of a deviation before anything was seen: its median and its log deviation. */
type Prior = { median: number; spread: number };

const NAMES = ["day", "own", "parent", "account", "reversion"] as const;

type Priors = Record<typeof NAMES[number], Prior>;

/**
 * What accounts usually show; a few weeks of a few entities tell more. Rates move by some percent a
 * week, amounts by more.
 */
export const RATE_PRIORS: Priors = {
  day: { median: 0.25, spread: 1.2 },
  own: { median: 0.07, spread: 0.9 },
  parent: { median: 0.05, spread: 0.9 },
  account: { median: 0.07, spread: 0.9 },
  reversion: { median: 0.2, spread: 1.2 },
};
export const VOLUME_PRIORS: Priors = {
  day: { median: 0.3, spread: 1.2 },
  own: { median: 0.12, spread: 0.9 },
  parent: { median: 0.08, spread: 0.9 },
  account: { median: 0.1, spread: 0.9 },
  reversion: { median: 0.2, spread: 1.2 },
};

/** The same for each draw: a quasi-random sequence covers all dimensions evenly. */
const DRAWS = 32;
const BASES = [2, 3, 5, 7, 11];

/**
 * The ways in which rates may move, by their posterior probability. Its mode is climbed one parameter
 * at a time; around it, draws of a normal distribution of the logarithms are weighted by the true
 * posterior (importance sampling). The effect is then a mean over all of them, so that what few weeks
 * cannot tell widens its interval.
 */
export function learnVariation(panel: Panel, start: Start, priors: Priors): Belief[] {
  const posteriorOf = (logs: number[]) => {
    const variation = variationOf(logs);
    const filtered = follow(panel, start, variation);
    let value = filtered.likelihood;
    for (const [place, name] of NAMES.entries()) {
      const { median, spread } = priors[name];
      value -= (((logs[place] ?? 0) - Math.log(median)) / spread) ** 2 / 2;
    }
    return { variation, filtered, value };
  };
  const height = (logs: number[]) => posteriorOf(logs).value;
  const mode = climb(height, NAMES.map((name) => Math.log(priors[name].median)));
  const spreads = spreadsAround(height, mode)
    .map((spread, place) => Math.min(spread, priors[NAMES[place] ?? "day"].spread));
  const draws = Array.from({ length: DRAWS }, (_, draw) => {
    const normals = BASES.map((base) => qnorm(vanDerCorput(draw + 1, base)));
    const drawn = mode.map((log, place) => log + (spreads[place] ?? 0) * (normals[place] ?? 0));
    const { variation, filtered, value } = posteriorOf(drawn);
    const proposal = normals.reduce((sum, normal) => sum - normal ** 2 / 2, 0);
    return { variation, filtered, value: value - proposal };
  });
  const most = Math.max(...draws.map(({ value }) => value));
  const weights = draws.map(({ value }) => Math.exp(value - most));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return draws.map(({ variation, filtered }, draw) => ({
    variation,
    filtered,
    weight: (weights[draw] ?? 0) / total,
  }));
}

/** Up one parameter at a time, in smaller and smaller steps. */
function climb(height: (place: number[]) => number, from: number[]): number[] {
  let at = from;
  let highest = height(at);
  const step = (place: number, distance: number): boolean => {
    const next = at.with(place, (at[place] ?? 0) + distance);
    const reached = height(next);
    if (reached <= highest) return false;
    at = next;
    highest = reached;
    return true;
  };
  for (const distance of [0.8, 0.4, 0.2]) {
    for (const place of from.keys()) {
      const direction = [distance, -distance].find((each) => step(place, each));
      if (direction === undefined) continue;
      for (let more = 0; more < 3 && step(place, direction); more++);
    }
  }
  return at;
}

/**
 * How wide to draw around a mode, by the curvature in each direction, and somewhat wider: what is
 * drawn too often is weighted down, what is never drawn is lost.
 */
function spreadsAround(height: (place: number[]) => number, mode: number[]): number[] {
  const distance = 0.4;
  const top = height(mode);
  return mode.map((log, place) => {
    const sides = height(mode.with(place, log + distance)) +
      height(mode.with(place, log - distance));
    const curvature = (2 * top - sides) / distance ** 2;
    return 1.4 / Math.sqrt(Math.max(curvature, 1e-6));
  });
}

/** All but the last are deviations; of a share it is the odds whose logarithm is drawn. */
function variationOf(logs: number[]): Variation {
  const [day = 0, own = 0, parent = 0, account = 0] = logs.map((log) => Math.exp(2 * log));
  const odds = Math.exp(logs[4] ?? 0);
  return { day, own, parent, account, reversion: odds / (1 + odds) };
}

/** The digits of a number mirrored behind the point. */
function vanDerCorput(number: number, base: number): number {
  let value = 0;
  let part = 1 / base;
  for (let rest = number; rest > 0; rest = Math.floor(rest / base)) {
    value += (rest % base) * part;
    part /= base;
  }
  return value;
}
