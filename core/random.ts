/** Reproducible random draws: each is the quantile of a uniform number, so a seed gives one story. */
import { qbinom, qgamma, qnorm, qpois } from "lib-r-math.js";

/** A stream of draws. */
export type Random = {
  /** Between 0 and 1, both excluded. */
  uniform(): number;
  normal(mean: number, deviation: number): number;
  /** With mean `shape * scale`. */
  gamma(shape: number, scale: number): number;
  poisson(mean: number): number;
  binomial(trials: number, probability: number): number;
};

/** Starts the stream of a seed. */
export function createRandom(seed: number): Random {
  const uniform = mulberry32(seed);
  return {
    uniform,
    normal: (mean, deviation) => qnorm(uniform(), mean, deviation),
    gamma: (shape, scale) => qgamma(uniform(), shape, undefined, scale),
    poisson: (mean) => qpois(uniform(), mean),
    binomial: (trials, probability) => qbinom(uniform(), trials, probability),
  };
}

/** Tommy Ettinger's mulberry32: 32 bits of state, good enough to tell a story. */
function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32;
  };
}

/**
 * What a text always gives: a seed, or a place in a random order. FNV-1a with a final mix, so that
 * texts that differ in the last digit lie far apart.
 */
export function hashOf(text: string): number {
  let hash = 0x811c9dc5;
  for (let index = 0; index < text.length; index++) {
    hash = Math.imul(hash ^ text.charCodeAt(index), 0x01000193);
  }
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  return (hash ^ (hash >>> 13)) >>> 0;
}
