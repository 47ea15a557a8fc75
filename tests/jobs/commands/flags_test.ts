import { assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../../core/refusal.ts";
import { readConfigId, readDay, readLevels, readPeriod } from "../../../jobs/commands/flags.ts";

Deno.test("readPeriod() lists the days of a period, both ends included", () => {
  assertEquals(readPeriod("2026-02-27..2026-03-01"), ["2026-02-27", "2026-02-28", "2026-03-01"]);
  assertEquals(readPeriod("2026-02-27..2026-02-27"), ["2026-02-27"]);
});

Deno.test("readPeriod() refuses what is no period", () => {
  for (const text of ["", "2026-02-27", "2026-02-28..2026-02-27", "2026-02-30..2026-03-01"]) {
    assertThrows(() => readPeriod(text), Refusal);
  }
  assertThrows(() => readPeriod("2026-02-01..2026-02-02..2026-02-03"), Refusal, "is no period");
});

Deno.test("readConfigId() takes a positive number and nothing else", () => {
  assertEquals(readConfigId("14", "Usage"), 14);
  for (const text of ["0", "-1", "1.5", "1e3", "", "one", "12345678901"]) {
    assertThrows(() => readConfigId(text, "Usage"), Refusal, `"${text}" is no config id`);
  }
  assertThrows(() => readConfigId(undefined, "Usage"), Refusal, "--config is missing");
});

Deno.test("readLevels() takes one level or all", () => {
  assertEquals(readLevels("adset"), ["adset"]);
  assertEquals(readLevels("all"), ["campaign", "adset", "ad"]);
  assertThrows(() => readLevels("adgroup"), Refusal, 'Unknown level "adgroup"');
});

Deno.test("readDay() takes a day of the calendar, or none", () => {
  assertEquals([readDay("2028-02-29"), readDay(undefined)], ["2028-02-29", null]);
  for (const text of ["2026-02-29", "yesterday", "01.02.2026", ""]) {
    assertThrows(() => readDay(text), Refusal, `"${text}" is no day`);
  }
});
