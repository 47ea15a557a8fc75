import { assertEquals } from "@std/assert";
import { isMadeByBudget } from "../../../core/anomalies/budgets.ts";
import type { History } from "../../../core/anomalies/history.ts";
import { history } from "./accounts.ts";

const DAYS = 20;
const TODAY = DAYS - 1;

/** An ad that spent 20 a day, and `last` on the last days, of the 100 that its holder spent. */
function childOf(
  { last, all, dailyBudget = 100, windowDays = 1 }: {
    last: number;
    all: number;
    dailyBudget?: number;
    windowDays?: number;
  },
): boolean {
  const child = spending(20, last, windowDays);
  const holder = { dailyBudget, spend: spendOf(100, all, windowDays) };
  return isMadeByBudget({ ...child, holder }, moveOf(20, last, windowDays));
}

/** An entity with a budget of its own. */
function holderOf(last: number, { usual = 100, windowDays = 1 } = {}): boolean {
  const own = { ...spending(usual, last, windowDays), dailyBudget: 100 };
  return isMadeByBudget(own, moveOf(usual, last, windowDays));
}

function spendOf(usual: number, last: number, windowDays: number): number[] {
  return Array.from({ length: DAYS }, (_, day) => day < DAYS - windowDays ? usual : last);
}

function spending(usual: number, last: number, windowDays: number): History {
  const days = spendOf(usual, last, windowDays).map((spend) => ({
    spend,
    impressions: 1000,
    clicks: 10,
    leads: 1,
    reach: 900,
  }));
  return history("ad", "9", "1", days);
}

function moveOf(usual: number, last: number, windowDays: number) {
  return { excess: Math.log(last / usual), today: TODAY, windowDays };
}

Deno.test("isMadeByBudget() allows 75 % over a daily budget, and seven of them in a week", () => {
  assertEquals([170, 180].map((last) => holderOf(last)), [true, false]);
  assertEquals([170, 180].map((last) => holderOf(last, { windowDays: 3 })), [true, false]);
  assertEquals([115, 120].map((last) => holderOf(last, { windowDays: 6 })), [true, false]);
});

Deno.test("isMadeByBudget() lets no fall stand out of one who spends its budget", () => {
  assertEquals([90, 70].map((last) => holderOf(last, { usual: 160 })), [true, false]);
});

Deno.test("isMadeByBudget() explains nothing where no budget is known", () => {
  assertEquals(isMadeByBudget(spending(20, 60, 1), moveOf(20, 60, 1)), false);
});

Deno.test("isMadeByBudget() takes a rise with the siblings for the overspend of the holder", () => {
  assertEquals(childOf({ last: 36, all: 170 }), true);
  // More than Meta allows itself is told, whoever it went to.
  assertEquals(childOf({ last: 40, all: 180 }), false);
});

Deno.test("isMadeByBudget() takes a rise with the siblings for a budget that people raised", () => {
  assertEquals(childOf({ last: 60, all: 300, dailyBudget: 300 }), true);
  assertEquals(childOf({ last: 60, all: 300, dailyBudget: 100 }), false);
});

Deno.test("isMadeByBudget() tells a child that alone drives its holder over the budget", () => {
  assertEquals(childOf({ last: 60, all: 140 }), false);
  assertEquals(childOf({ last: 60, all: 140, windowDays: 3 }), false);
  // The same money, taken from the siblings.
  assertEquals(childOf({ last: 60, all: 100 }), true);
});

Deno.test("isMadeByBudget() tells an only child when it would tell its holder", () => {
  const only = (last: number) => {
    const child = spending(100, last, 1);
    const holder = { dailyBudget: 100, spend: spendOf(100, last, 1) };
    return isMadeByBudget({ ...child, holder }, moveOf(100, last, 1));
  };
  assertEquals([170, 180].map(only), [true, false]);
});

Deno.test("isMadeByBudget() takes a fall with the siblings for a budget that people cut", () => {
  assertEquals(childOf({ last: 10, all: 50, dailyBudget: 50 }), true);
  // With the old budget the holder has money left that it used to spend.
  assertEquals(childOf({ last: 10, all: 50, dailyBudget: 100 }), false);
  // The siblings do not share it, even if they have its money.
  assertEquals(childOf({ last: 4, all: 100 }), false);
});
