/** Series as a tree, and forecasts made coherent in it. */
import type { Series } from "./series.ts";

/** A series in its place. Unknown days are NaN. */
export type Node = {
  id: string;
  parent: Node | null;
  children: Node[];
  depth: number;
  values: Float64Array;
};

/** Puts series together, the top level first. One whose parent is not among them is at the top. */
export function levelsOf(all: readonly Series[]): Node[][] {
  const nodes = new Map<string, Node>();
  for (const { id, values } of all) {
    nodes.set(id, {
      id,
      parent: null,
      children: [],
      depth: 0,
      values: Float64Array.from(values, (value) => value ?? NaN),
    });
  }
  for (const { id, parentId } of all) {
    const node = nodes.get(id);
    const parent = parentId === null ? undefined : nodes.get(parentId);
    if (!node || !parent || parent === node) continue;
    node.parent = parent;
    parent.children.push(node);
  }
  const levels: Node[][] = [];
  let level = [...nodes.values()].filter(({ parent }) => parent === null);
  while (level.length > 0) {
    for (const node of level) node.depth = levels.length;
    levels.push(level);
    level = level.flatMap(({ children }) => children);
  }
  return levels;
}

/** A forecast of one day, and how far it is off in squares. */
export type Guess = { mean: number; variance: number };

/**
 * Makes the forecasts of a day add up: weighted least squares over all of them (Wickramasuriya,
 * Athanasopoulos and Hyndman 2019, with a diagonal covariance), which on a tree takes one way up and
 * one down. On the way up each node is what it forecast itself and what its children add up to,
 * weighted by how sure both are; on the way down what is left over goes to those that are least sure.
 * Nothing is negative: the leaves are cut at 0, and the others are their sums.
 */
export function reconcile(levels: readonly (readonly Node[])[], guesses: Map<Node, Guess>): void {
  const below = new Map<Node, Guess>();
  for (const nodes of levels.toReversed()) {
    for (const node of nodes) {
      const own = guesses.get(node) ?? { mean: 0, variance: 1 };
      if (node.children.length === 0) {
        below.set(node, own);
        continue;
      }
      let mean = 0;
      let variance = 0;
      for (const child of node.children) {
        const { mean: part, variance: doubt } = below.get(child) ?? own;
        mean += part;
        variance += doubt;
      }
      const share = variance / (variance + own.variance);
      below.set(node, {
        mean: mean + share * (own.mean - mean),
        variance: share * own.variance,
      });
    }
  }
  for (const nodes of levels) {
    for (const node of nodes) {
      const own = below.get(node);
      if (!own) continue;
      let mean = 0;
      let variance = 0;
      for (const child of node.children) {
        const part = below.get(child);
        mean += part?.mean ?? 0;
        variance += part?.variance ?? 0;
      }
      if (node.children.length === 0 || variance === 0) continue;
      for (const child of node.children) {
        const part = below.get(child);
        if (part) part.mean += (own.mean - mean) * part.variance / variance;
      }
    }
  }
  for (const nodes of levels.toReversed()) {
    for (const node of nodes) {
      const guess = guesses.get(node);
      if (!guess) continue;
      guess.mean = node.children.length === 0
        ? Math.max(below.get(node)?.mean ?? 0, 0)
        : node.children.reduce((sum, child) => sum + (guesses.get(child)?.mean ?? 0), 0);
    }
  }
}
