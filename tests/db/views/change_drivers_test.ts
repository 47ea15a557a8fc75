import { assertAlmostEquals, assertEquals } from "@std/assert";
import fc from "fast-check";
import { addDays } from "../../../core/days.ts";
import { FACTORS, splitChange } from "../../../core/drivers.ts";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, daily, insertAccount, type InsightRow } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

type Row = {
  entity_type: string;
  entity_id: string;
  comparison: string;
  spend_before: number;
  impressions_before: number;
  clicks_before: number;
  leads_before: number;
  spend: number;
  impressions: number;
  clicks: number;
  leads: number;
  measure: string;
  change: number;
  spend_part: number;
  cpm_part: number;
  ctr_part: number;
  conversion_rate_part: number;
};

function drivers(configId: number): Promise<Row[]> {
  return database.sql<Row[]>`
    select
      entity_type, entity_id, comparison, spend_before, impressions_before, clicks_before,
      leads_before, spend, impressions, clicks, leads, measure, change, spend_part, cpm_part,
      ctr_part, conversion_rate_part
    from ads.change_drivers
    where config_id = ${configId}
      and as_of = ${AS_OF}`;
}

async function adDrivers(configId: number, comparison: string, entityId = "31") {
  const rows = (await drivers(configId)).filter((row) => row.comparison === comparison);
  return rows.find((row) => row.entity_type === "ad" && row.entity_id === entityId);
}

const day = (before: number) => addDays(AS_OF, -before);

/** 10 a lead: 10 a thousand impressions, CTR 1 %, conversion rate 10 %. */
const USUAL = { spend: 100, impressions: 10_000, clicks: 100, leads: 10 };

Deno.test("ads.change_drivers compares 7 days with the 7 before, from end to end", async () => {
  await insertAccount(database.sql, 1, {
    insights: [
      { ...USUAL, date: day(14), spend: 1e6 },
      { ...USUAL, date: day(13) },
      { ...USUAL, date: day(7) },
      { ...USUAL, date: day(6), spend: 400 },
      { ...USUAL, date: day(0) },
      { ...USUAL, date: addDays(AS_OF, 1), spend: 1e6 },
    ],
  });
  const row = await adDrivers(1, "week");
  assertEquals([row?.spend_before, row?.spend], [200, 500]);
  assertEquals([row?.leads_before, row?.leads], [20, 20]);
  assertEquals([row?.impressions_before, row?.clicks], [20_000, 200]);
  assertEquals([row?.measure, row?.change], ["cpl", 15]);
  assertAlmostEquals(row?.cpm_part ?? 0, 15, 1e-9);
  assertEquals([row?.spend_part, row?.ctr_part, row?.conversion_rate_part], [0, 0, 0]);
});

Deno.test("ads.change_drivers compares a day with the mean of the 28 before it", async () => {
  await insertAccount(database.sql, 2, {
    insights: [
      { ...USUAL, date: day(29), spend: 1e6 },
      { ...USUAL, date: day(28), spend: 140 },
      { ...USUAL, date: day(1), spend: 140, leads: 18 },
      { date: day(0), spend: 5, impressions: 250 },
    ],
  });
  const row = await adDrivers(2, "day");
  assertEquals([row?.spend_before, row?.leads_before], [10, 1]);
  assertEquals([row?.spend, row?.impressions, row?.leads], [5, 250, 0]);
  assertEquals([row?.measure, row?.change], ["leads", -1]);
  // Half of the spend promised half a lead, and at a CPM of 20 instead of 14 only 0.35 of one.
  assertAlmostEquals(row?.spend_part ?? 0, -0.5, 1e-9);
  assertAlmostEquals(row?.cpm_part ?? 0, -0.15, 1e-9);
  assertAlmostEquals(row?.ctr_part ?? 0, -0.35, 1e-9);
  assertAlmostEquals(row?.conversion_rate_part ?? 1, 0, 1e-9);
});

Deno.test("ads.change_drivers has what appeared, what vanished and nothing else", async () => {
  await insertAccount(database.sql, 3, {
    insights: [
      { ...USUAL, date: day(0), ad_id: "31" },
      { ...USUAL, date: day(7), ad_id: "32" },
      { ...USUAL, date: day(29), ad_id: "33" },
    ],
  });
  const appeared = await adDrivers(3, "week", "31");
  assertEquals([appeared?.measure, appeared?.change, appeared?.spend_part], ["leads", 10, 10]);
  const vanished = await adDrivers(3, "week", "32");
  assertEquals([vanished?.measure, vanished?.change, vanished?.spend_part], ["leads", -10, -10]);
  assertEquals(await adDrivers(3, "day", "33"), undefined);
});

Deno.test("ads.change_drivers adds the children of a level up to their parents", async () => {
  const ads = [
    { ad_id: "31", adset_id: "21" },
    { ad_id: "32", adset_id: "21" },
    { ad_id: "33", adset_id: "22" },
  ];
  await insertAccount(database.sql, 4, {
    insights: ads.flatMap((ad, index) => daily(20 - 9 * index, { ...USUAL, ...ad })),
  });
  const rows = await drivers(4);
  for (const comparison of ["day", "week"]) {
    for (const name of ["spend", "leads", "spend_before", "leads_before"] as const) {
      const of = (level: string) =>
        rows.filter((row) => row.entity_type === level && row.comparison === comparison)
          .reduce((sum, row) => sum + row[name], 0);
      assertAlmostEquals(of("ad"), of("campaign"), 1e-9);
      assertAlmostEquals(of("adset"), of("campaign"), 1e-9);
    }
  }
});

Deno.test("ads.change_drivers splits as splitChange() does whatever is zero", async () => {
  const number = (max: number) => fc.oneof(fc.constant(0), fc.nat(3), fc.nat(max));
  const someDay = fc.record({
    date: fc.nat(30).map(day),
    spend: number(1e6).map((cents) => cents / 100),
    impressions: number(1e6),
    clicks: number(1e4),
    leads: number(100),
  });
  const accounts = fc.sample(fc.array(someDay, { minLength: 300, maxLength: 300 }), {
    seed: 42,
    numRuns: 1,
  });
  const insights = accounts.flat().map((row, index): InsightRow => ({
    ...row,
    ad_id: `${1000 + index % 150}`,
    adset_id: `${2000 + index % 50}`,
  }));
  const perDay = new Map(insights.map((row) => [`${row.date} ${row.ad_id}`, row]));
  await insertAccount(database.sql, 5, { insights: [...perDay.values()] });
  const rows = await drivers(5);
  assertEquals(new Set(rows.map((row) => row.measure)), new Set(["cpl", "leads"]));
  for (const row of rows) {
    const { measure, change, parts } = splitChange({
      before: {
        spend: row.spend_before,
        impressions: row.impressions_before,
        clicks: row.clicks_before,
        leads: row.leads_before,
      },
      after: row,
    });
    const magnitude = Math.max(1, ...Object.values(parts).map(Math.abs));
    const where = JSON.stringify(row);
    assertEquals(row.measure, measure, where);
    assertAlmostEquals(row.change, change, 1e-9 * magnitude, where);
    for (const factor of FACTORS) {
      assertAlmostEquals(row[`${factor}_part`], parts[factor], 1e-9 * magnitude, where);
    }
    const sum = row.spend_part + row.cpm_part + row.ctr_part + row.conversion_rate_part;
    assertAlmostEquals(sum, row.change, 1e-9 * magnitude, where);
  }
});

Deno.test("ads.change_drivers stays exact when the change is tiny", async () => {
  await insertAccount(database.sql, 6, {
    insights: [
      { ...USUAL, date: day(7), spend: 1e6 },
      { ...USUAL, date: day(0), spend: 1e6 + 1e-6, clicks: 200 },
    ],
  });
  const row = await adDrivers(6, "week");
  const parts = [row?.cpm_part, row?.ctr_part, row?.conversion_rate_part].map((part) => part ?? 0);
  assertAlmostEquals(parts.reduce((sum, part) => sum + part, 0), row?.change ?? 0, 1e-9);
  assertAlmostEquals(parts[1] ?? 0, -1e5 * Math.log(2), 1e-6);
});
