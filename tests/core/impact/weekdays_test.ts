import { assert, assertEquals } from "@std/assert";
import { weekdayFactors } from "../../../core/impact/weekdays.ts";

const counts = (days: number, events: (day: number) => number) => ({
  events: Float64Array.from({ length: days }, (_, day) => events(day)),
  exposure: new Float64Array(days).fill(1),
});

Deno.test("weekdayFactors() finds the weekdays of an account", () => {
  const factors = weekdayFactors([counts(84, (day) => day % 7 === 6 ? 50 : 100)], 84);
  assert((factors[6] ?? 1) < 0.57 && (factors[0] ?? 0) > 1.05);
});

Deno.test("weekdayFactors() finds none in what is chance, nor in two weeks", () => {
  const noise = [3, 1, 4, 1, 5, 9, 2, 6, 5, 3, 5, 8, 9, 7];
  const factors = weekdayFactors([counts(84, (day) => noise[(day * 5) % 13] ?? 0)], 84);
  assert(factors.every((factor) => Math.abs(factor - 1) < 0.25), `${factors}`);
  assertEquals(weekdayFactors([counts(14, (day) => day)], 14), [1, 1, 1, 1, 1, 1, 1]);
});

Deno.test("weekdayFactors() does not take a trend for a weekday", () => {
  const factors = weekdayFactors([counts(84, (day) => 100 * 1.05 ** Math.floor(day / 7))], 84);
  assert(factors.every((factor) => Math.abs(factor - 1) < 1e-9));
});
