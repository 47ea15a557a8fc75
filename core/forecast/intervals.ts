/** Ranges around forecasts, from the errors of the past. */
import type { DayForecast } from "./series.ts";
import type { Node } from "./tree.ts";

/** What was expected of a series so many days ahead, and what came. */
export type PastError = {
  expected: number[];
  came: number[];
  ahead: number[];
  /** How much of what came is in what was expected, 0 to 1. */
  leverage: number;
};

/** Ranges of a level: how to get them for a forecast. */
export type Ranges = {
  /** The mean squared error that is to be expected. */
  varianceOf(node: Node, mean: number, ahead: number): number;
  around(node: Node, mean: number, ahead: number): Omit<DayForecast, "mean">;
};

const SIDES = { low95: 0.025, low80: 0.1, high80: 0.9, high95: 0.975 } as const;

/** As many errors of its own as the dispersion of its level counts. */
const POOLED_ERRORS = 40;

/**
 * Squared errors grow with the mean and with its square: dispersion x mean for what comes in single
 * events, and more for what moves as a whole. Both are estimated on the level and scaled for each
 * series; the shape of what is left is that of the level's own past errors (conformal, by quantiles
 * of the scaled errors), so the ranges hold as much as they did before.
 */
export function intervalsOf(
  levels: readonly (readonly Node[])[],
  errors: readonly (readonly PastError[])[],
): Ranges {
  const scales = new Map<Node, { factor: number; floor: number }>();
  const shapes = new Map<number, Record<keyof typeof SIDES, number>>();
  levels.forEach((nodes, depth) => {
    const past = errors[depth] ?? [];
    const dispersions = past.map(({ expected, came, leverage }) => {
      let squares = 0;
      let means = 0;
      expected.forEach((mean, index) => {
        squares += ((came[index] ?? 0) - mean) ** 2;
        means += mean;
      });
      squares *= widening(leverage);
      return { squares, means, count: expected.length };
    });
    const relative = dispersions.filter(({ means }) => means > 0)
      .map(({ squares, means, count }) => squares / means / (means / count) ** POWER);
    const usual = relative.length > 0 ? medianOf(relative) : 1;
    const scaled: number[] = [];
    nodes.forEach((node, index) => {
      const { squares, means, count } = dispersions[index] ?? { squares: 0, means: 0, count: 0 };
      const mean = count > 0 ? means / count : 0;
      const prior = usual * Math.max(mean, 1e-9) ** POWER;
      const factor = (squares + POOLED_ERRORS * prior * Math.max(mean, 1e-9)) /
        (means + POOLED_ERRORS * Math.max(mean, 1e-9));
      const floor = Math.max(mean / 4, 1e-9);
      scales.set(node, { factor: Math.max(factor, 1e-12), floor });
      past[index]?.expected.forEach((expected, at) => {
        const spread = Math.sqrt(factor * Math.max(expected, floor));
        const wider = Math.sqrt(widening(past[index]?.leverage ?? 0));
        scaled.push(wider * ((past[index]?.came[at] ?? 0) - expected) / spread);
      });
    });
    scaled.sort((a, b) => a - b);
    const quantile = (p: number) =>
      scaled[Math.min(Math.floor(p * scaled.length), scaled.length - 1)];
    shapes.set(depth, {
      low95: quantile(SIDES.low95) ?? -2,
      low80: quantile(SIDES.low80) ?? -1.3,
      high80: quantile(SIDES.high80) ?? 1.3,
      high95: quantile(SIDES.high95) ?? 2,
    });
  });
  const spreadOf = (node: Node, mean: number) => {
    const { factor, floor } = scales.get(node) ?? { factor: 1, floor: 1 };
    return Math.sqrt(factor * Math.max(mean, floor));
  };
  return {
    varianceOf: (node, mean) => spreadOf(node, mean) ** 2,
    around: (node, mean) => {
      const spread = spreadOf(node, mean);
      const shape = shapes.get(node.depth);
      const at = (side: keyof typeof SIDES) => Math.max(mean + (shape?.[side] ?? 0) * spread, 0);
      return { low80: at("low80"), high80: at("high80"), low95: at("low95"), high95: at("high95") };
    },
  };
}

/** How many times the squared errors of the past those to come are. */
function widening(leverage: number): number {
  return (1 + leverage) / (1 - Math.min(leverage, 0.5));
}

/** Between single events, 0, and what moves as a whole, 1. */
const POWER = 0.5;

function medianOf(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 1;
}
