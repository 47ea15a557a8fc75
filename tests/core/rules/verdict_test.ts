import { assertAlmostEquals, assertEquals } from "@std/assert";
import { readAccountSettings } from "../../../core/rules/settings.ts";
import { verdictOf } from "../../../core/rules/verdict.ts";

const SETTINGS = readAccountSettings({});

function verdict(alpha: number, beta: number, hasAdvice = false) {
  return verdictOf({ posterior: { alpha, beta }, reference: 20, hasAdvice }, SETTINGS);
}

Deno.test("verdictOf() is settled when the CPL surely lies in one range", () => {
  const ranges = [[100, 1000], [400, 8000], [40, 2000]].map(([alpha = 0, beta = 0]) => {
    const { verdict: answer, range, spend_to_settle } = verdict(alpha, beta);
    return [answer, range, spend_to_settle];
  });
  assertEquals(ranges, [
    ["settled", "cheap", null],
    ["settled", "ordinary", null],
    ["settled", "expensive", null],
  ]);
});

Deno.test("verdictOf() waits where the data cannot tell, with the spend that would settle it", () => {
  const { verdict: answer, range, probabilities, spend_to_settle } = verdict(2, 20);
  assertEquals([answer, range], ["wait", "cheap"]);
  assertAlmostEquals(
    Object.values(probabilities ?? {}).reduce((sum, value) => sum + value, 0),
    1,
    1e-9,
  );
  // After that spend at the same CPL it is settled, and shortly before it is not.
  const cpl = 20 / 1.678;
  const after = (spend: number) => verdict(2 + spend / cpl, 20 + spend).verdict;
  const spend = spend_to_settle ?? NaN;
  assertEquals([after(1.02 * spend), after(0.9 * spend)], ["settled", "wait"]);
});

Deno.test("verdictOf() says that no spend would settle what lies on the limit of two ranges", () => {
  // The median lies on the limit itself, so more of the same never tells.
  const alpha = 3;
  const median = 2.674060313754;
  assertEquals(verdict(alpha, 0.7 * 20 * median).spend_to_settle, null);
});

Deno.test("verdictOf() is to act where something is recommended", () => {
  assertEquals([verdict(2, 20, true).verdict, verdict(2, 20, true).spend_to_settle], ["act", null]);
});

Deno.test("verdictOf() waits where nothing is known", () => {
  const subject = { posterior: null, reference: 20, hasAdvice: false };
  const nothing = { verdict: "wait", range: null, probabilities: null, spend_to_settle: null };
  assertEquals(verdictOf(subject, SETTINGS), nothing);
  const withoutReference = { posterior: { alpha: 2, beta: 20 }, reference: null, hasAdvice: false };
  assertEquals(verdictOf(withoutReference, SETTINGS), nothing);
});
