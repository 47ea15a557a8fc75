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

Deno.test("readBudget() knows a lifetime budget in each language", () => {
  const kinds: [kind: string, isLifetime: boolean][] = [
    ["Lifetime", true],
    ["Vitalício", true],
    ["Total", true],
    ["Laufzeitbudget", true],
    ["Budget global", true],
    ["Daily", false],
    ["Diário", false],
    ["Diario", false],
    ["Tagesbudget", false],
    ["Quotidien", false],
  ];
  for (const [kind, isLifetime] of kinds) {
    assertEquals(readBudget("9", kind, "point")?.lifetime === 9, isLifetime, kind);
  }
});

Deno.test("readBudget() tells a level that holds none from one that the file is silent about", () => {
  for (const cell of ["Using campaign budget", "Usando o orçamento do conjunto de anúncios"]) {
    assertEquals(readBudget(cell, "", "point"), { known: true, daily: null, lifetime: null });
  }
  assertEquals(readBudget("", "", "point")?.known, false);
  assertEquals(readBudget("0", "Daily", "point"), { known: true, daily: null, lifetime: null });
});

Deno.test("readBudget() returns null when the amount is not a number", () => {
  assertEquals(readBudget("25,0.1", "Daily", "point"), null);
  assertEquals(readBudget("-5", "Daily", "point"), null);
});
