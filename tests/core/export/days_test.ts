import { assertEquals } from "@std/assert";
import fc from "fast-check";
import { dayEvidence, doubtAboutDay, readDay } from "../../../core/export/days.ts";

Deno.test("dayEvidence() decides only when a date can be read in one way", () => {
  assertEquals(dayEvidence("2024-06-13"), "iso");
  assertEquals(dayEvidence("17/08/2017"), "dmy");
  assertEquals(dayEvidence("08/17/2017"), "mdy");
  assertEquals(dayEvidence("05.08.2017"), "dmy");
  assertEquals(dayEvidence("05/08/2017"), "ambiguous");
  assertEquals(dayEvidence("05/05/2017"), null);
  assertEquals(dayEvidence("20/20/2017"), null);
  assertEquals(dayEvidence("Lookalike"), null);
});

Deno.test("readDay() reads the order that the file was found to have", () => {
  assertEquals(readDay("5/8/2017", "dmy"), "2017-08-05");
  assertEquals(readDay("5/8/2017", "mdy"), "2017-05-08");
  assertEquals(readDay("2024-06-13", "iso"), "2024-06-13");
  assertEquals(readDay("2024-06-13T00:00:00+0000", "iso"), "2024-06-13");
});

Deno.test("readDay() returns null when there is no such day", () => {
  for (const cell of ["2024-02-30", "2023-02-29", "2024-13-01", "2024-6-31", "24-06-01", "", "x"]) {
    assertEquals(readDay(cell, "iso"), null, cell);
  }
  assertEquals(readDay("13/13/2024", "dmy"), null);
  assertEquals(readDay("2024-06-13", "dmy"), null);
  assertEquals(readDay("2024-06-13 11:30", "iso"), null);
});

Deno.test("doubtAboutDay() tells words and short years from anything else", () => {
  for (const cell of ["13/06/24", "06-13-24", "13.6.24", "24/06/13"]) {
    assertEquals(doubtAboutDay(cell), "its year has only two digits", cell);
    for (const order of ["iso", "dmy", "mdy"] as const) assertEquals(readDay(cell, order), null);
  }
  for (const cell of ["Jun 13, 2024", "13 de junho de 2024", "13. März 2024", "13-févr.-24"]) {
    assertEquals(doubtAboutDay(cell), "its month is a word", cell);
    for (const order of ["iso", "dmy", "mdy"] as const) assertEquals(readDay(cell, order), null);
  }
  for (const cell of ["2024-06-13", "13/06/2024", "45456", "", "All", "2024-06-13T00:00:00+0000"]) {
    assertEquals(doubtAboutDay(cell), null, cell);
  }
});

Deno.test("readDay() finds the same day when it is written in each order", () => {
  const days = fc.date({
    min: new Date("2005-01-01"),
    max: new Date("2040-01-01"),
    noInvalidDate: true,
  });
  fc.assert(fc.property(days, (date) => {
    const iso = date.toISOString().slice(0, 10);
    const [year, month, day] = iso.split("-");
    assertEquals(readDay(iso, "iso"), iso);
    assertEquals(readDay(`${day}/${month}/${year}`, "dmy"), iso);
    assertEquals(readDay(`${month}/${day}/${year}`, "mdy"), iso);
  }));
});
