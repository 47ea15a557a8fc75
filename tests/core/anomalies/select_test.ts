import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import type { AnomalyTest } from "../../../core/anomalies/detect.ts";
import { adjust, startSelection } from "../../../core/anomalies/select.ts";

function test(changes: Partial<AnomalyTest>): AnomalyTest {
  return {
    metric: "spend",
    type: "spend_drop",
    date: "2026-01-31",
    windowDays: 1,
    observed: 50,
    expected: 100,
    deviation: -4,
    p: 1e-6,
    stake: 50,
    leadsStopped: false,
    ...changes,
  };
}

Deno.test("adjust() gives the q values of Benjamini and Hochberg", () => {
  // R: p.adjust(c(0.01, 0.04, 0.03, 0.005, 0.6), "BH")[1:4]
  const q = adjust([0.01, 0.04, 0.03, 0.005], 5);
  [0.025, 0.05, 0.05, 0.025].forEach((expected, index) => {
    assertAlmostEquals(q[index] ?? NaN, expected, 1e-12);
  });
});

Deno.test("adjust() keeps the order of p values, and is never below them", () => {
  fc.assert(fc.property(fc.array(fc.double({ min: 0, max: 1, noNaN: true })), (ps) => {
    const q = adjust(ps, ps.length + 3);
    ps.forEach((p, i) => {
      assert((q[i] ?? 0) >= p - 1e-12 && (q[i] ?? 2) <= 1);
      ps.forEach((other, j) => assert(p > other || (q[i] ?? 2) <= (q[j] ?? 0)));
    });
  }));
});

Deno.test("startSelection() counts all tests of a day, and each day for itself", () => {
  const alarmsAmong = (others: number) => {
    const selection = startSelection();
    selection.add({ entityId: "1", parentId: null }, [test({ p: 1e-4 })]);
    selection.add(
      { entityId: "2", parentId: null },
      Array.from({ length: others }, () => test({ p: 0.9 })),
    );
    selection.add({ entityId: "3", parentId: null }, [test({ p: 0.9, date: "2026-01-30" })]);
    assertEquals(selection.tested("2026-01-31"), { entities: 2, tests: others + 1 });
    return selection.finish(100).map(({ entityId, q }) => [entityId, q]);
  };
  assertEquals(alarmsAmong(99), [["1", 1e-4 * 100]]);
  assertEquals(alarmsAmong(999), []);
});

Deno.test("startSelection() raises no alarm that false discovery control alone would let pass", () => {
  const selection = startSelection();
  selection.add({ entityId: "1", parentId: null }, [test({ p: 0.01 })]);
  assertEquals(selection.finish(100), []);
});

Deno.test("startSelection() grades by the money at stake and the size of the effect", () => {
  const severity = (changes: Partial<AnomalyTest>) => {
    const selection = startSelection();
    selection.add({ entityId: "1", parentId: null }, [test(changes)]);
    return selection.finish(1000)[0]?.severity;
  };
  assertEquals(severity({ stake: 10 }), "LOW");
  assertEquals(severity({ stake: 20 }), "MEDIUM");
  assertEquals(severity({ stake: 100 }), "HIGH");
  assertEquals(severity({ stake: 300 }), "CRITICAL");
  assertEquals(severity({ stake: 20, observed: 0 }), "HIGH");
  assertEquals(severity({ stake: 300, type: "cpl_drop" }), "LOW");
});

Deno.test("startSelection() takes leads that stop on several entities for broken tracking", () => {
  const typesOf = (entities: string[]) => {
    const selection = startSelection();
    for (const entityId of entities) {
      selection.add({ entityId, parentId: null }, [
        test({ metric: "conversion_rate", type: "performance_drop", leadsStopped: true }),
      ]);
    }
    return selection.finish(1000).map(({ type }) => type);
  };
  assertEquals(typesOf(["1"]), ["performance_drop"]);
  assertEquals(typesOf(["1", "2"]), ["tracking_break", "tracking_break"]);
});
