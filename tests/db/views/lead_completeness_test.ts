import { assertEquals } from "@std/assert";
import { testDatabase } from "../../database.ts";
import { insertAccount } from "./rows.ts";

Deno.test("ads.lead_completeness compares what was seen at an age with what there is by now", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  const days = ["2026-02-01", "2026-02-02", "2026-03-30"];
  for (const configId of [1, 2]) {
    await insertAccount(sql, configId, {
      insights: days.map((date) => ({ date, spend: 10, leads: 10 })),
    });
    await sql`select ads.store_account_days(${configId}, ${days}::date[], now())`;
  }
  await sql`
    insert into ads.leads_seen (config_id, date, age, leads)
    values
      (1, '2026-02-01', 0, 5),
      (1, '2026-02-02', 0, 7),
      (1, '2026-02-02', 1, 9),
      -- Not complete yet on 31 March, and longer ago than 90 days before that on 1 July.
      (1, '2026-03-30', 0, 1),
      (2, '2026-02-01', 0, 10)`;
  const completeness = async (asOf: string) => [
    ...await sql`
      select age, days, leads_then, leads_now, share
      from ads.lead_completeness
      where config_id = 1 and as_of = ${asOf}
      order by age`,
  ];
  assertEquals(await completeness("2026-03-31"), [
    { age: 0, days: 2, leads_then: 12, leads_now: 20, share: 0.6 },
    { age: 1, days: 1, leads_then: 9, leads_now: 10, share: 0.9 },
  ]);
  assertEquals(await completeness("2026-07-01"), [
    { age: 0, days: 1, leads_then: 1, leads_now: 10, share: 0.1 },
  ]);
});
