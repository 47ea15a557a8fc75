import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { expect, follow, stepsTo, type Variation } from "../../../core/impact/movement.ts";
import type { Block, Panel } from "../../../core/impact/panel.ts";

const STILL: Variation = { day: 1e-6, own: 1e-6, parent: 1e-6, account: 1e-6, reversion: 0 };
const week = (events: number, exposure = 100): Block => ({
  events,
  exposure,
  plain: exposure,
  concentration: 1 / 7,
});

function panel(rows: { weeks: number[]; after: number; group?: number }[]): Panel {
  return {
    rows: rows.map(({ weeks, after, group = 0 }, index) => ({
      entityId: String(index),
      group,
      weeks: weeks.map((events) => week(events)),
      after: week(after),
      isControl: index > 0,
    })),
    groups: 1 + Math.max(...rows.map(({ group = 0 }) => group)),
    daysAfter: 7,
    part: 1,
    lateness: 0,
    before: week(0),
  };
}

function expected(of: Panel, variation: Variation) {
  const start = of.rows.map(() => ({ rate: 0.5, variance: 1 }));
  return expect(of, follow(of, start, variation), variation);
}

/** The most probable of all that is expected. */
function likely(of: Panel, variation: Variation) {
  const [most] = expected(of, variation).toSorted((a, b) => b.weight - a.weight);
  if (!most) throw new Error("Nothing is expected");
  return most;
}

Deno.test("expect() is the mean of all weeks where nothing moves", () => {
  const { expectation } = likely(panel([{ weeks: [40, 60, 50, 50], after: 50 }]), STILL);
  assertAlmostEquals(expectation.rate, 0.5, 0.005);
  assertAlmostEquals(expectation.variance, 1 / 200, 0.0005);
});

Deno.test("expect() follows the last week the more, the more entities move", () => {
  const bad = panel([{ weeks: [50, 50, 50, 20], after: 50 }]);
  const rates = [1e-6, 0.01, 0.1].map((own) => likely(bad, { ...STILL, own }).expectation.rate);
  assertEquals(rates, rates.toSorted((a, b) => b - a));
  // Some of a bad week is luck, however much they move.
  assert(rates.every((rate) => rate > 0.22));
});

Deno.test("expect() moves with the siblings by as much as they tell", () => {
  const doubled = panel([
    { weeks: [50, 50, 50], after: 50 },
    { weeks: [50, 50, 50], after: 100 },
    { weeks: [50, 50, 50], after: 100 },
  ]);
  const { move } = likely(doubled, { ...STILL, account: 0.3 });
  assert(move.factor > 1.8 && move.factor < 2 && move.variance < 0.02);
});

Deno.test("expect() finds a jump of all that no week before had", () => {
  const jumped = panel([
    { weeks: [50, 50, 50], after: 50 },
    { weeks: [50, 50, 50], after: 100 },
    { weeks: [50, 50, 50], after: 100 },
  ]);
  assert(likely(jumped, STILL).move.factor > 1.8);
  // Ten more of 100 is no jump.
  const luck = panel([{ weeks: [50, 50, 50], after: 50 }, { weeks: [50, 50, 50], after: 60 }]);
  assertAlmostEquals(likely(luck, STILL).move.factor, 1, 0.01);
});

Deno.test("expect() believes siblings before others where parents move by themselves", () => {
  const rows = (siblings: number, others: number) =>
    panel([
      { weeks: [50, 50], after: 50 },
      { weeks: [50, 50], after: siblings },
      { weeks: [50, 50], after: siblings },
      { weeks: [50, 50], after: others, group: 1 },
      { weeks: [50, 50], after: others, group: 2 },
    ]);
  const variation = { ...STILL, parent: 0.1, account: 0.1 };
  assert(likely(rows(100, 50), variation).move.factor > 1.4);
  assert(likely(rows(50, 100), variation).move.factor < 1.25);
});

Deno.test("expect() is as unsure as the account moves where there is nobody to compare with", () => {
  const { move } = likely(panel([{ weeks: [50, 50], after: 50 }]), {
    ...STILL,
    parent: 0.01,
    account: 0.02,
  });
  assertEquals(move.factor, 1);
  assertAlmostEquals(move.variance, 0.03 * stepsTo(7), 0.002);
});

Deno.test("follow() finds the movement that there was more probable than none", () => {
  const weeks = [50, 80, 40, 90, 45];
  const together = panel([1, 2, 3, 4].map(() => ({ weeks, after: 50 })));
  const start = together.rows.map(() => ({ rate: 0.5, variance: 1 }));
  const likelihood = (variation: Variation) => follow(together, start, variation).likelihood;
  assert(likelihood({ ...STILL, account: 0.1 }) > likelihood(STILL) + 5);
  assert(likelihood({ ...STILL, account: 0.1 }) > likelihood({ ...STILL, own: 0.1 }));
});
