import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { aheadOf, levelsOf, type Node, reconcile } from "../../../core/forecast/tree.ts";

const FAMILY = [
  { id: "account", parentId: null, values: [5] },
  { id: "a", parentId: "account", values: [2] },
  { id: "b", parentId: "account", values: [null] },
  { id: "a1", parentId: "a", values: [2] },
  { id: "lost", parentId: "nobody", values: [1] },
];

/** What one day comes to, from the mean and the variance of each node. */
function reconciled(
  levels: Node[][],
  told: (id: string) => readonly [mean: number, variance: number],
) {
  const means = aheadOf(levels, 1);
  for (const { id, index } of levels.flat()) [means.numbers[index]] = told(id);
  reconcile(levels, means, ({ id }) => told(id)[1]);
  return Object.fromEntries(levels.flat().map(({ id, index }) => [id, means.numbers[index]]));
}

function guessesOf(
  levels: Node[][],
  means: Record<string, readonly [mean: number, variance: number]>,
) {
  return reconciled(levels, (id) => means[id] ?? [0, 1]);
}

Deno.test("levelsOf() puts series below their parents, and at the top what has none among them", () => {
  const levels = levelsOf(FAMILY);
  assertEquals(levels.map((nodes) => nodes.map(({ id }) => id)), [
    ["account", "lost"],
    ["a", "b"],
    ["a1"],
  ]);
  const [top] = levels;
  assertEquals(top?.[0]?.children.map(({ id }) => id), ["a", "b"]);
  assert(Number.isNaN(levels[1]?.[1]?.values[0]));
});

Deno.test("reconcile() weighs a parent and its children by how sure they are", () => {
  const levels = levelsOf(FAMILY.slice(0, 3));
  // By least squares: the sum of the children, 6 with a variance of 2, and the account, 3 with 1, meet
  // at 4; the surer child gives less.
  const told = guessesOf(levels, { account: [3, 1], a: [4, 0.5], b: [2, 1.5] });
  assertAlmostEquals(told.account ?? 0, 4, 1e-9);
  assertAlmostEquals(told.a ?? 0, 4 - 2 * 0.25, 1e-9);
  assertAlmostEquals(told.b ?? 0, 2 - 2 * 0.75, 1e-9);
});

Deno.test("reconcile() leaves alone what adds up already", () => {
  const levels = levelsOf(FAMILY.slice(0, 4));
  const means = { account: [6, 3], a: [4, 1], b: [2, 1], a1: [4, 9] } as const;
  const told = guessesOf(levels, {
    account: [...means.account],
    a: [...means.a],
    b: [...means.b],
    a1: [...means.a1],
  });
  assertEquals(told, { account: 6, a: 4, b: 2, a1: 4 });
});

Deno.test("reconcile() adds up on every level and gives nothing negative", () => {
  const mean = fc.double({ min: 0, max: 1000, noNaN: true });
  const variance = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
  fc.assert(
    fc.property(
      fc.array(fc.tuple(fc.nat(3), mean, variance), { minLength: 2, maxLength: 30 }),
      (nodes) => {
        // Each hangs below an earlier one, so that any tree may come.
        const series = nodes.map(([place], index) => ({
          id: String(index),
          parentId: index === 0 ? null : String(Math.max(index - 1 - place, 0)),
          values: [],
        }));
        const levels = levelsOf(series);
        const told = reconciled(levels, (id) => {
          const [, mean = 0, variance = 1] = nodes[Number(id)] ?? [];
          return [mean, variance];
        });
        for (const node of levels.flat()) {
          const own = told[node.id] ?? NaN;
          assert(own >= 0);
          if (node.children.length === 0) continue;
          const sum = node.children.reduce((all, { id }) => all + (told[id] ?? NaN), 0);
          assertAlmostEquals(own, sum, 1e-6);
        }
      },
    ),
    { numRuns: 500, seed: 3 },
  );
});

Deno.test("reconcile() gives what a parent has beyond its children to those that go on", () => {
  const levels = levelsOf(FAMILY.slice(0, 3));
  const told = guessesOf(levels, { account: [6, 1], a: [4, 1], b: [0, 0] });
  assertAlmostEquals(told.a ?? 0, 5, 1e-9);
  assertEquals(told.b, 0);
});

Deno.test("levelsOf() takes all below what has stopped for stopped", () => {
  const levels = levelsOf(FAMILY.map((each) => ({ ...each, isStopped: each.id === "a" })));
  const stopped = levels.flat().filter(({ isStopped }) => isStopped);
  assertEquals(stopped.map(({ id }) => id), ["a", "a1"]);
});
