import { assertEquals } from "@std/assert";
import { addDays, dayIn, daysBetween, yesterdayIn } from "../../core/days.ts";

const newYear = new Date("2026-01-01T01:30:00Z");

Deno.test("dayIn() gives the account's day when it is already tomorrow elsewhere", () => {
  assertEquals(dayIn("America/Sao_Paulo", newYear), "2025-12-31");
  assertEquals(dayIn("UTC", newYear), "2026-01-01");
  assertEquals(dayIn("Pacific/Auckland", new Date("2025-12-31T11:00:00Z")), "2026-01-01");
});

Deno.test("yesterdayIn() gives the last complete day when the account is behind UTC", () => {
  assertEquals(yesterdayIn("America/Sao_Paulo", newYear), "2025-12-30");
});

Deno.test("yesterdayIn() skips no day when the clocks change", () => {
  // In Berlin the clocks go forward at 01:00 UTC on this day, which lasts 23 hours.
  assertEquals(yesterdayIn("Europe/Berlin", new Date("2026-03-29T22:30:00Z")), "2026-03-29");
  assertEquals(yesterdayIn("Europe/Berlin", new Date("2026-03-29T21:30:00Z")), "2026-03-28");
});

Deno.test("addDays() crosses months and leap days", () => {
  assertEquals(addDays("2026-02-28", 1), "2026-03-01");
  assertEquals(addDays("2028-03-01", -1), "2028-02-29");
});

Deno.test("daysBetween() counts days and keeps the sign", () => {
  assertEquals(daysBetween("2026-01-31", "2026-03-01"), 29);
  assertEquals(daysBetween("2026-03-01", "2026-03-01"), 0);
  assertEquals(daysBetween("2026-03-01", "2026-02-28"), -1);
});
