import { assertEquals } from "@std/assert";
import { completenessOf, mayBeLate } from "../../../core/anomalies/completeness.ts";

const seen = (age: number, leadsThen: number, leadsNow = 100) => ({ age, leadsThen, leadsNow });

Deno.test("completenessOf() tells what a day of each age showed so far", () => {
  const { shares, atWorst } = completenessOf(0, [seen(0, 60), seen(1, 85), seen(2, 95)]);
  assertEquals(shares.slice(0, 5), [0.6, 0.85, 0.95, 0.95, 0.95]);
  assertEquals([shares.length, atWorst], [28, null]);
});

Deno.test("completenessOf() begins with the age that as_of had when its leads were read", () => {
  const all = [seen(0, 60), seen(1, 85), seen(2, 95)];
  assertEquals(completenessOf(1, all).shares.slice(0, 2), [0.85, 0.95]);
  // Read before as_of was over: nothing is less complete than the youngest day.
  assertEquals(completenessOf(-3, all).shares[0], 0.6);
  assertEquals(completenessOf(40, all), { shares: [], atWorst: null });
});

Deno.test("completenessOf() takes an age that no import met for as complete as the one before", () => {
  assertEquals(completenessOf(0, [seen(0, 60), seen(2, 90)]).shares.slice(0, 3), [0.6, 0.6, 0.9]);
});

Deno.test("completenessOf() knows the worst when nothing tells how late leads come", () => {
  const { shares, atWorst } = completenessOf(0, [seen(0, 10, 29)]);
  assertEquals(shares, new Array(28).fill(1));
  assertEquals(atWorst?.slice(0, 4), [0.5, 0.75, 0.9, 1]);
  assertEquals(completenessOf(3, []).atWorst, null);
});

Deno.test("completenessOf() takes days for complete when no import brought them", () => {
  assertEquals(completenessOf(null, [seen(0, 60)]), { shares: [], atWorst: null });
});

Deno.test("completenessOf() never expects more leads than there are", () => {
  assertEquals(completenessOf(0, [seen(0, 120)]).shares[0], 1);
});

Deno.test("mayBeLate() is about missing leads only", () => {
  assertEquals(
    (["cpl_spike", "performance_drop", "cpl_drop", "ctr_drop", "tracking_break"] as const)
      .filter(mayBeLate),
    ["cpl_spike", "performance_drop"],
  );
});
