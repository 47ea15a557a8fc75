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

/** How errors of a level are distributed, once they are scaled and brought to the same distance. */
type Shape = Record<keyof typeof SIDES, number> & { growth(ahead: number): number };

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
  const shapes = new Map<number, Shape>();
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
    const scaled: { error: number; ahead: number }[] = [];
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
        scaled.push({
          error: wider * ((past[index]?.came[at] ?? 0) - expected) / spread,
          ahead: past[index]?.ahead[at] ?? 1,
        });
      });
    });
    const growth = growthOf(scaled);
    const sorted = scaled.map(({ error, ahead }) => error / growth(ahead)).sort((a, b) => a - b);
    const quantile = (p: number) =>
      sorted[Math.min(Math.floor(p * sorted.length), sorted.length - 1)];
    shapes.set(depth, {
      growth,
      low95: quantile(SIDES.low95) ?? -2,
      low80: quantile(SIDES.low80) ?? -1.3,
      high80: quantile(SIDES.high80) ?? 1.3,
      high95: quantile(SIDES.high95) ?? 2,
    });
  });
  const spreadOf = (node: Node, mean: number, ahead: number) => {
    const { factor, floor } = scales.get(node) ?? { factor: 1, floor: 1 };
    const growth = shapes.get(node.depth)?.growth(ahead) ?? 1;
    return growth * Math.sqrt(factor * Math.max(mean, floor));
  };
  return {
    varianceOf: (node, mean, ahead) => spreadOf(node, mean, ahead) ** 2,
    around: (node, mean, ahead) => {
      const spread = spreadOf(node, mean, ahead);
      const shape = shapes.get(node.depth);
      const at = (side: keyof typeof SIDES) => Math.max(mean + (shape?.[side] ?? 0) * spread, 0);
      return { low80: at("low80"), high80: at("high80"), low95: at("low95"), high95: at("high95") };
    },
  };
}

/** How many times their mean errors are, the further ahead: in between on a line, never less. */
function growthOf(scaled: readonly { error: number; ahead: number }[]): (ahead: number) => number {
  const sums = new Map<number, { squares: number; count: number }>();
  for (const { error, ahead } of scaled) {
    const { squares, count } = sums.get(ahead) ?? { squares: 0, count: 0 };
    sums.set(ahead, { squares: squares + error ** 2, count: count + 1 });
  }
  let most = 0;
  const knots = [...sums].sort(([a], [b]) => a - b).map(([ahead, { squares, count }]) => {
    most = Math.max(most, Math.sqrt(squares / count));
    return { ahead, error: most };
  });
  const usual = knots.reduce((sum, { error }) => sum + error, 0) / knots.length;
  if (!(usual > 0)) return () => 1;
  return (ahead) => {
    const next = knots.findIndex((knot) => knot.ahead >= ahead);
    const right = knots[next] ?? knots.at(-1);
    const left = knots[next - 1] ?? right;
    if (!left || !right) return 1;
    const way = right.ahead > left.ahead ? (ahead - left.ahead) / (right.ahead - left.ahead) : 0;
    return (left.error + way * (right.error - left.error)) / usual;
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
