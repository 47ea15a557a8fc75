import { assertEquals } from "@std/assert";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { insertAccount } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

async function totals(configId: number, from: string, to: string, entityId: string) {
  const [row] = await database.sql`
    select parent_id, impressions, reach, clicks, spend, leads, conversions, ctr, cpc, cpl,
      days_active
    from ads.entity_totals
    where config_id = ${configId} and date_from = ${from} and date_to = ${to}
      and entity_id = ${entityId}`;
  return row;
}

const DAY = { spend: 20, impressions: 1000, reach: 500, clicks: 10, leads: 1, conversions: 2 };

Deno.test("ads.entity_totals adds up both ends of a period, over months", async () => {
  await insertAccount(database.sql, 1, {
    insights: [
      { ...DAY, date: "2026-01-30", spend: 1000 },
      { ...DAY, date: "2026-01-31" },
      { ...DAY, date: "2026-02-14", spend: 10, clicks: 20, leads: 2 },
      { ...DAY, date: "2026-03-01", ad_id: "32", spend: 0 },
      { ...DAY, date: "2026-03-02", spend: 1000 },
    ],
  });
  assertEquals(await totals(1, "2026-01-31", "2026-03-01", "31"), {
    parent_id: "21",
    impressions: 2000,
    reach: 1000,
    clicks: 30,
    spend: 30,
    leads: 3,
    conversions: 4,
    ctr: 1.5,
    cpc: 1,
    cpl: 10,
    days_active: 2,
  });
  const above = {
    impressions: 3000,
    reach: 1500,
    clicks: 40,
    spend: 30,
    leads: 4,
    conversions: 6,
    ctr: 40 / 30,
    cpc: 0.75,
    cpl: 7.5,
    days_active: 3,
  };
  assertEquals(await totals(1, "2026-01-31", "2026-03-01", "21"), { parent_id: "11", ...above });
  assertEquals(await totals(1, "2026-01-31", "2026-03-01", "11"), { parent_id: null, ...above });
});

Deno.test("ads.entity_totals covers a single day", async () => {
  await insertAccount(database.sql, 2, {
    insights: [{ ...DAY, date: "2026-03-01" }, { ...DAY, date: "2026-03-02" }],
  });
  assertEquals((await totals(2, "2026-03-01", "2026-03-01", "31"))?.spend, 20);
});

Deno.test("ads.entity_totals has null ratios when there is nothing to divide by", async () => {
  await insertAccount(database.sql, 3, {
    insights: [{ date: "2026-03-01" }, { date: "2026-03-02", spend: 5 }],
  });
  assertEquals(await totals(3, "2026-03-01", "2026-03-31", "31"), {
    parent_id: "21",
    impressions: 0,
    reach: null,
    clicks: 0,
    spend: 5,
    leads: 0,
    conversions: 0,
    ctr: null,
    cpc: null,
    cpl: null,
    days_active: 1,
  });
});

Deno.test("ads.entity_totals has no reach when that of a day with delivery is unknown", async () => {
  await insertAccount(database.sql, 7, {
    insights: [
      { date: "2026-03-01", impressions: 100, reach: 80 },
      { date: "2026-03-02", impressions: 0 },
      { date: "2026-03-03", impressions: 100 },
    ],
  });
  assertEquals((await totals(7, "2026-03-01", "2026-03-02", "31"))?.reach, 80);
  assertEquals((await totals(7, "2026-03-01", "2026-03-03", "31"))?.reach, null);
});

Deno.test("ads.entity_totals has no row when nothing lies in the period", async () => {
  await insertAccount(database.sql, 4, { insights: [{ ...DAY, date: "2026-03-01" }] });
  assertEquals(await totals(4, "2026-03-02", "2026-03-31", "31"), undefined);
  assertEquals(await totals(4, "2026-03-31", "2026-03-01", "31"), undefined);
});

Deno.test("ads.entity_totals keeps accounts apart when they hold the same ids", async () => {
  await insertAccount(database.sql, 5, { insights: [{ ...DAY, date: "2026-03-01" }] });
  await insertAccount(database.sql, 6, { insights: [{ ...DAY, date: "2026-03-01", spend: 7 }] });
  assertEquals((await totals(5, "2026-03-01", "2026-03-01", "11"))?.spend, 20);
  assertEquals((await totals(6, "2026-03-01", "2026-03-01", "11"))?.spend, 7);
});
