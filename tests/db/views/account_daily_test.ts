import { assertEquals } from "@std/assert";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, insertAccount, insertInsights } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

const CHANGED_AT = new Date("2026-04-01T06:00:00Z");

async function store(configId: number, days: string[]): Promise<void> {
  await database.sql`select ads.store_account_days(${configId}, ${days}::date[], ${CHANGED_AT})`;
}

async function days(configId: number) {
  return [
    ...await database.sql`
      select date, spend, impressions, clicks, leads
      from ads.account_daily
      where config_id = ${configId} and date between '2026-03-01' and ${AS_OF}
      order by date`,
  ];
}

const SUMS = [
  { date: "2026-03-30", spend: 7, impressions: 70, clicks: 7, leads: 0 },
  { date: AS_OF, spend: 3.5, impressions: 30, clicks: 3, leads: 3 },
];

const INSIGHTS = [
  { date: "2026-03-30", spend: 7, impressions: 70, clicks: 7 },
  { ad_id: "31", spend: 1.25, impressions: 10, clicks: 1, leads: 1 },
  { ad_id: "32", spend: 2.25, impressions: 20, clicks: 2, leads: 2 },
  // A day of nothing is no delivery.
  { date: "2026-03-29" },
];

Deno.test("ads.account_daily adds up the days of all ads when no totals are kept", async () => {
  await insertAccount(database.sql, 1, { insights: INSIGHTS });
  assertEquals(await days(1), SUMS);
});

Deno.test("ads.account_daily has the same days when their totals are kept", async () => {
  await insertAccount(database.sql, 2, { insights: INSIGHTS });
  await store(2, ["2026-03-29", "2026-03-30", AS_OF]);
  assertEquals(await days(2), SUMS);
});

Deno.test("ads.account_daily mixes kept days with others, and keeps accounts apart", async () => {
  await insertAccount(database.sql, 3, { insights: INSIGHTS });
  await insertAccount(database.sql, 4, { insights: [{ spend: 100, leads: 9 }] });
  await store(3, [AS_OF]);
  await store(4, [AS_OF]);
  assertEquals(await days(3), SUMS);
});

Deno.test("ads.account_daily looks kept days up and does not read their insights", async () => {
  await insertAccount(database.sql, 5, { insights: INSIGHTS });
  await store(5, [AS_OF]);
  // Behind the back of what is kept, which only a reader of the rows would notice.
  await insertInsights(database.sql, 5, [{ ad_id: "33", spend: 50 }]);
  assertEquals((await days(5)).at(-1)?.spend, 3.5);
  await store(5, [AS_OF]);
  assertEquals((await days(5)).at(-1)?.spend, 53.5);
});

Deno.test("ads.store_account_days() forgets a day when its rows were deleted", async () => {
  await insertAccount(database.sql, 6, { insights: INSIGHTS });
  await store(6, ["2026-03-30", AS_OF]);
  await database.sql`delete from ads.insights where config_id = 6 and date = ${AS_OF}`;
  await store(6, [AS_OF]);
  assertEquals(await days(6), SUMS.slice(0, 1));
});

Deno.test("ads.store_account_days() remembers when the days changed", async () => {
  await insertAccount(database.sql, 7, { insights: INSIGHTS });
  await store(7, [AS_OF]);
  assertEquals(
    [...await database.sql`select date, changed_at from ads.account_days where config_id = 7`],
    [{ date: AS_OF, changed_at: CHANGED_AT }],
  );
});
