import { assert, assertEquals, assertNotEquals } from "@std/assert";
import fc from "fast-check";
import type { Day } from "../../../core/anomalies/history.ts";
import { reorder, shuffleDays } from "../../../core/anomalies/shuffle.ts";
import { history } from "./accounts.ts";

const SHUFFLE = { configId: 14, asOf: "2026-03-31", number: 0 };

/** A history whose days tell where they are from; null for a day without delivery. */
function numbered(length: number, isDelivered: (day: number) => boolean) {
  return history(
    "ad",
    "1",
    null,
    Array.from(
      { length },
      (_, day): Day | null =>
        isDelivered(day) ? { spend: day, impressions: 100, clicks: 3, leads: 1, reach: 90 } : null,
    ),
  );
}

/** Where the days of a history are from after a shuffle. */
function sources(length: number, isDelivered: (day: number) => boolean): (number | null)[] {
  const { days } = reorder(numbered(length, isDelivered), shuffleDays(length, SHUFFLE));
  return days.map((day) => day?.spend ?? null);
}

Deno.test("shuffleDays() takes each day once, from another week and the same weekday", () => {
  fc.assert(fc.property(fc.integer({ min: 1, max: 200 }), fc.nat(), (length, number) => {
    const order = shuffleDays(length, { ...SHUFFLE, number });
    assertEquals(order.toSorted((a, b) => a - b), Array.from({ length }, (_, day) => day));
    order.forEach((source, day) => {
      assertEquals(source % 7, day % 7);
      if (length >= 14) assertNotEquals(source, day);
    });
  }));
});

Deno.test("shuffleDays() gives the same order for the same shuffle, and another for another", () => {
  const order = shuffleDays(38, SHUFFLE);
  assertEquals(shuffleDays(38, SHUFFLE), order);
  for (const other of [{ configId: 15 }, { asOf: "2026-04-01" }, { number: 1 }]) {
    assertNotEquals(shuffleDays(38, { ...SHUFFLE, ...other }), order);
  }
});

Deno.test("reorder() moves the numbers of a day together", () => {
  const before = numbered(38, () => true);
  const after = reorder(before, shuffleDays(38, SHUFFLE));
  assert(after.days.every((day) => before.days.includes(day)));
  assertEquals({ ...after, days: before.days }, before);
});

Deno.test("reorder() exchanges the days of young and ended entities like those of others", () => {
  const all = sources(38, () => true);
  for (const [first, last] of [[20, 37], [0, 25], [9, 26]] as const) {
    const isLife = (day: number | null) => day !== null && day >= first && day <= last;
    const own = sources(38, isLife);
    own.forEach((source, day) => {
      assertEquals(source !== null, isLife(day));
      if (isLife(day)) assertNotEquals(source, day);
      if (isLife(day) && isLife(all[day] ?? null)) assertEquals(source, all[day]);
    });
    const life = own.filter((source) => source !== null);
    assertEquals(new Set(life).size, life.length);
  }
});

Deno.test("reorder() moves a stop that may be a fault, and leaves what never delivered alone", () => {
  const stopped = sources(38, (day) => day < 37);
  assert(stopped[37] !== null, "the tested day is one with delivery");
  assertEquals(stopped.filter((source) => source === null).length, 1);
  assertEquals(sources(38, () => false), Array.from({ length: 38 }, () => null));
});
