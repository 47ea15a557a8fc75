import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { decimalEvidence, readNumber } from "../../../core/export/numbers.ts";

Deno.test("readNumber() reads both conventions when groups and signs fit", () => {
  const point = { "1,234.56": 1234.56, "12": 12, ".5": 0.5, "144.": 144, "1 234.5": 1234.5 };
  for (const [cell, value] of Object.entries(point)) assertEquals(readNumber(cell, "point"), value);
  const comma = {
    "1.234,56": 1234.56,
    "12": 12,
    "0,5": 0.5,
    "1'234,5": 1234.5,
    "1.234.567": 1234567,
  };
  for (const [cell, value] of Object.entries(comma)) assertEquals(readNumber(cell, "comma"), value);
});

Deno.test("readNumber() strips currencies and percent signs", () => {
  for (const cell of ["$12.50", "US$ 12.50", "12.50 €", "EUR 12.50", "12.50 USD", " 12.50% "]) {
    assertEquals(readNumber(cell, "point"), 12.5, cell);
  }
});

Deno.test("readNumber() reads negative numbers as such when they are written in any style", () => {
  for (const cell of ["-3.5", "−3.5", "(3.5)", "3.5-", "-$3.5", "$-3.5"]) {
    assertEquals(readNumber(cell, "point"), -3.5, cell);
  }
});

Deno.test("readNumber() returns null when the cell says that there is nothing", () => {
  for (const cell of ["", " ", "-", "—", "n/a", "NaN"]) {
    assertEquals(readNumber(cell, "point"), null);
  }
});

Deno.test("readNumber() returns NaN when the cell contradicts the convention or is text", () => {
  for (const cell of ["1,23", "12.345,6", "1.2.3", "12 apples", "1,2345", "45-49", "."]) {
    assertEquals(readNumber(cell, "point"), NaN, cell);
  }
  assertEquals(readNumber("12.5", "comma"), NaN);
});

Deno.test("readNumber() reads what was written when it was written in that convention", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e9 }), fc.integer({ min: 0, max: 99 }), (a, b) => {
      const value = (a * 100 + b) / 100;
      const [en, de] = ["en", "de"].map((locale) =>
        value.toLocaleString(locale, { minimumFractionDigits: 2 })
      );
      assertEquals(readNumber(en ?? "", "point"), value);
      assertEquals(readNumber(de ?? "", "comma"), value);
    }),
  );
});

Deno.test("decimalEvidence() decides only when a cell can be read in one way", () => {
  assertEquals(decimalEvidence("12.5", false), "point");
  assertEquals(decimalEvidence("12,50 €", false), "comma");
  assertEquals(decimalEvidence("1.234,5", false), "comma");
  assertEquals(decimalEvidence("1.234.567", false), "comma");
  assertEquals(decimalEvidence("0.125", false), "point");
  assertEquals(decimalEvidence("1234.567", false), "point");
  assertEquals(decimalEvidence("1.234", false), "ambiguous");
  assertEquals(decimalEvidence("1.234", true), "comma");
  assertEquals(decimalEvidence("1234", false), null);
  assertEquals(decimalEvidence("Using campaign budget", false), null);
});
