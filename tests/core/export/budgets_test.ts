import { assertEquals } from "@std/assert";
import { readBudget } from "../../../core/export/budgets.ts";

Deno.test("readBudget() reads the amount under its kind", () => {
  assertEquals(readBudget("25.00", "Daily", "point"), { known: true, daily: 25, lifetime: null });
  assertEquals(readBudget("1.000,00", "Laufzeitbudget", "comma"), {
    known: true,
    daily: null,
    lifetime: 1000,
  });
});

Deno.test("readBudget() tells a level that holds none from one that the file is silent about", () => {
  assertEquals(readBudget("Using campaign budget", "", "point")?.known, true);
  assertEquals(readBudget("", "", "point")?.known, false);
  assertEquals(readBudget("0", "Daily", "point"), { known: true, daily: null, lifetime: null });
});

Deno.test("readBudget() returns null when the amount is not a number", () => {
  assertEquals(readBudget("25,0.1", "Daily", "point"), null);
  assertEquals(readBudget("-5", "Daily", "point"), null);
});
