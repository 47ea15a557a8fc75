import { assertEquals } from "@std/assert";
import type { History } from "../../core/anomalies/history.ts";
import { addDays } from "../../core/days.ts";
import type { Level } from "../../core/level.ts";
import { readHistories } from "../../db/anomaly_job.ts";
import { testDatabase } from "../database.ts";
import { AS_OF, insertAccount } from "./views/rows.ts";

/** What the histories of a level know of budgets, over the two days to `AS_OF`. */
async function budgetsOf(read: AsyncGenerator<History[]>) {
  const known: Record<string, unknown> = {};
  for await (const batch of read) {
    for (const { entityId, dailyBudget, holder } of batch) {
      known[entityId] = [dailyBudget, holder && [holder.dailyBudget, ...holder.spend]];
    }
  }
  return known;
}

Deno.test("readHistories() gives every entity the budget above it and what was spent of it", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  const yesterday = addDays(AS_OF, -1);
  await insertAccount(sql, 1, {
    campaigns: [
      { campaign_id: "11", daily_budget: 100 },
      { campaign_id: "12" },
      { campaign_id: "13", lifetime_budget: 900 },
      { campaign_id: "14" },
    ],
    adsets: [
      { adset_id: "21" },
      { adset_id: "22" },
      { adset_id: "23", campaign_id: "12", daily_budget: 30 },
      { adset_id: "24", campaign_id: "12", daily_budget: 40 },
      { adset_id: "25", campaign_id: "12", daily_budget: 50, status: "PAUSED" },
      { adset_id: "26", campaign_id: "13" },
      { adset_id: "27", campaign_id: "14", daily_budget: 10 },
      { adset_id: "28", campaign_id: "14", lifetime_budget: 10 },
    ],
    ads: [
      { ad_id: "31" },
      { ad_id: "32", adset_id: "22" },
      { ad_id: "33", adset_id: "23", campaign_id: "12" },
      { ad_id: "36", adset_id: "26", campaign_id: "13" },
      { ad_id: "38", adset_id: "28", campaign_id: "14" },
    ],
    insights: [
      { spend: 60 },
      { adset_id: "22", ad_id: "32", spend: 30 },
      { adset_id: "22", ad_id: "32", spend: 20, date: yesterday },
      { campaign_id: "12", adset_id: "23", ad_id: "33", spend: 25 },
      { campaign_id: "13", adset_id: "26", ad_id: "36", spend: 5 },
      { campaign_id: "14", adset_id: "28", ad_id: "38", spend: 5 },
    ],
  });
  const read = (entityType: Level) =>
    sql.begin((tx) =>
      budgetsOf(readHistories(tx, { configId: 1, entityType, from: yesterday, asOf: AS_OF }))
    );
  assertEquals(await read("campaign"), {
    11: [100, null],
    12: [70, null],
    13: [null, null],
    // One of its ad sets has no budget a day.
    14: [null, null],
  });
  assertEquals(await read("adset"), {
    21: [null, [100, 20, 90]],
    22: [null, [100, 20, 90]],
    23: [30, null],
    26: [null, null],
    28: [null, null],
  });
  assertEquals(await read("ad"), {
    31: [null, [100, 20, 90]],
    32: [null, [100, 20, 90]],
    33: [null, [30, 0, 25]],
    36: [null, null],
    38: [null, null],
  });
});
