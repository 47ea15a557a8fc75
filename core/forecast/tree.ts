/** Series as a tree, and forecasts made coherent in it. */
import type { Series } from "./series.ts";

/** A series that may be held in less memory, and may have ended. */
export type TreeSeries = Omit<Series, "values"> & {
  /** As in other series, or with NaN for unknown. */
  values: Series["values"] | Float32Array;
  /** It will deliver nothing, nor will what is below it, whatever they did before. */
  isStopped?: boolean;
};

/** A series in its place. Unknown days are NaN; seven digits of a day are enough. */
export type Node = {
  id: string;
  /** Its place in what is kept of all nodes, level by level from the top. */
  index: number;
  depth: number;
  parent: Node | null;
  children: Node[];
  values: Float32Array;
  isStopped: boolean;
};

/** Puts series together, the top level first. One whose parent is not among them is at the top. */
export function levelsOf(all: readonly TreeSeries[]): Node[][] {
  const nodes = new Map<string, Node>();
  for (const { id, values, isStopped = false } of all) {
    nodes.set(id, {
      id,
      index: 0,
      depth: 0,
      parent: null,
      children: [],
      values: values instanceof Float32Array
        ? values
        : Float32Array.from(values, (value) => value ?? NaN),
      isStopped,
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
  let index = 0;
  let level = [...nodes.values()].filter(({ parent }) => parent === null);
  while (level.length > 0) {
    for (const node of level) {
      node.depth = levels.length;
      node.index = index++;
      node.isStopped ||= node.parent?.isStopped ?? false;
    }
    levels.push(level);
    level = level.flatMap(({ children }) => children);
  }
  return levels;
}

/** How far the forecast of a node is taken to be off in squares, of how far it is by its own errors. */
export type Doubt = (node: Node, variance: number) => number;

/** A number for each day ahead of each node: that of a day is at `index * horizon + day`. */
export type Ahead = { horizon: number; numbers: Float64Array };

/** One for each node of a tree. */
export function aheadOf(levels: readonly (readonly Node[])[], horizon: number): Ahead {
  const nodes = levels.reduce((sum, level) => sum + level.length, 0);
  return { horizon, numbers: new Float64Array(nodes * horizon) };
}

/**
 * Makes the forecasts of each day add up: weighted least squares over all of them (Wickramasuriya,
 * Athanasopoulos and Hyndman 2019, with a diagonal covariance), which on a tree takes one way up and
 * one down. On the way up each node is what it forecast itself and what its children add up to,
 * weighted by how sure both are; on the way down what is left over goes to those that are least sure.
 * Nothing is negative: the leaves are cut at 0, and the others are their sums.
 *
 * @param means What each node forecast; afterwards what adds up.
 * @param varianceOf How far a mean is off in squares; infinite for a parent that says nothing.
 */
export function reconcile(
  levels: readonly (readonly Node[])[],
  means: Ahead,
  varianceOf: (node: Node, mean: number, ahead: number) => number,
): void {
  const { horizon } = means;
  // What is known of a node from itself and all below it.
  const below = new Float64Array(means.numbers.length / Math.max(horizon, 1));
  for (let ahead = 1; ahead <= horizon; ahead++) {
    reconcileDay(levels, means, (node, mean) => varianceOf(node, mean, ahead), below, ahead - 1);
  }
}

function reconcileDay(
  levels: readonly (readonly Node[])[],
  { horizon, numbers: mean }: Ahead,
  varianceOf: (node: Node, mean: number) => number,
  below: Float64Array,
  day: number,
): void {
  for (const nodes of levels.toReversed()) {
    for (const node of nodes) {
      const { index, children } = node;
      const at = index * horizon + day;
      const variance = varianceOf(node, mean[at] ?? 0);
      below[index] = variance;
      if (children.length === 0) continue;
      let total = 0;
      let doubt = 0;
      for (const child of children) {
        total += mean[child.index * horizon + day] ?? 0;
        doubt += below[child.index] ?? 0;
      }
      const share = doubt + variance > 0 ? doubt / (doubt + variance) : 0;
      mean[at] = total + share * ((mean[at] ?? 0) - total);
      below[index] = variance === Infinity ? doubt : share * variance;
    }
  }
  for (const nodes of levels) {
    for (const { index, children } of nodes) {
      let left = mean[index * horizon + day] ?? 0;
      let doubt = 0;
      for (const child of children) {
        left -= mean[child.index * horizon + day] ?? 0;
        doubt += below[child.index] ?? 0;
      }
      if (!(doubt > 0)) continue;
      for (const child of children) {
        const place = child.index * horizon + day;
        mean[place] = (mean[place] ?? 0) + left * (below[child.index] ?? 0) / doubt;
      }
    }
  }
  for (const nodes of levels.toReversed()) {
    for (const { index, children } of nodes) {
      const at = index * horizon + day;
      mean[at] = children.length === 0
        ? Math.max(mean[at] ?? 0, 0)
        : children.reduce((sum, child) => sum + (mean[child.index * horizon + day] ?? 0), 0);
    }
  }
}
