import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { findColumns } from "../../../core/export/columns.ts";
import { type Conventions, ConventionSurvey } from "../../../core/export/conventions.ts";
import { Refusal } from "../../../core/refusal.ts";

const HEADER = findColumns(["Day", "Spend", "Impressions"], {});

function survey(rows: string[][], given: Partial<Conventions> = {}): ConventionSurvey {
  const survey = new ConventionSurvey(HEADER, given);
  for (const row of rows) survey.see(row);
  return survey;
}

Deno.test("ConventionSurvey decides by the first cells that can be read in one way", () => {
  const seen = survey([["05/08/2017", "1.234", "10"], ["17/08/2017", "5,50", "10"]]);
  assertEquals(seen.isDecided, true);
  assertEquals(seen.conclude(), { dates: "dmy", decimal: "comma" });
});

Deno.test("ConventionSurvey takes a grouped count as evidence about amounts", () => {
  assertEquals(survey([["2024-01-01", "1,234", "1,200"]]).conclude(), {
    dates: "iso",
    decimal: "point",
  });
});

Deno.test("ConventionSurvey refuses dates that stay ambiguous to the end", () => {
  const rows = [["05/08/2017", "1.5", "1"], ["06/08/2017", "1.5", "1"]];
  assertThrows(() => survey(rows).conclude(), Refusal, '"05/08/2017"');
  assertEquals(survey(rows, { dates: "mdy" }).conclude().dates, "mdy");
});

Deno.test("ConventionSurvey refuses days that cannot be read and says what to do", () => {
  const refusal = (cell: string) =>
    assertThrows(() => survey([[cell, "1.5", "1"]]).conclude(), Refusal);
  const { message, hint } = refusal("13/06/24");
  assertEquals(
    message,
    'The days in this file cannot be read: "13/06/24" (its year has only two digits)',
  );
  assertStringIncludes(hint ?? "", "YYYY-MM-DD");
  assertStringIncludes(refusal("Jun 13, 2024").message, '"Jun 13, 2024" (its month is a word)');
  assertEquals(survey([["Jun 13, 2024", "1.5", "1"], ["2024-06-14", "1.5", "1"]]).conclude(), {
    dates: "iso",
    decimal: "point",
  });
});

Deno.test("ConventionSurvey refuses amounts that stay ambiguous to the end", () => {
  const rows = [["2024-01-01", "1.234", "900"], ["2024-01-02", "12", "900"]];
  assertThrows(() => survey(rows).conclude(), Refusal, '"1.234" under "Spend"');
  assertEquals(survey(rows, { decimal: "comma" }).conclude().decimal, "comma");
});

Deno.test("ConventionSurvey needs no evidence where every reading is the same", () => {
  const seen = survey([["05/05/2017", "12", "900"]]);
  assertEquals(seen.isDecided, false);
  assertEquals(seen.conclude().decimal, "point");
});
