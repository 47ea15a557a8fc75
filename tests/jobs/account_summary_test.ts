import { assertEquals } from "@std/assert";
import { getAccount } from "../../db/accounts.ts";
import { decideAndSummarize } from "../../jobs/account_summary.ts";
import { testDatabase } from "../database.ts";
import { daily, insertAccount } from "../db/views/rows.ts";

Deno.test("decideAndSummarize() decides on all levels and names the best, the worst and what to do", async () => {
  await using database = await testDatabase();
  const day = { spend: 10, impressions: 1000, clicks: 20 };
  await insertAccount(database.sql, 1, {
    target_cpl: 10,
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }],
    ads: [{ ad_id: "31" }, { ad_id: "32" }],
    insights: [...daily(20, { ...day, leads: 3 }), ...daily(20, { ...day, ad_id: "32" })],
  });
  const account = await getAccount(database.sql, 1);
  const lines = await decideAndSummarize(database.sql, account, new Date("2026-04-03T06:00Z"));
  assertEquals(lines.map((line) => line.replace(/\([^(]*%( sure)?\)/, "(sure)")), [
    "Example, 7 days to 2026-03-31, in EUR. Reference CPL 10.00",
    "",
    "              HIGH_PERFORMER  MODERATE  LOW  UNDERPERFORMER",
    "campaigns                  1         0    0               0",
    "ad sets                    1         0    0               0",
    "ads                        1         0    0               1",
    "",
    "                                                    spend     CPL  tier (confidence)",
    "Best campaigns",
    "  campaign 11                                      140.00    6.67  HIGH_PERFORMER (sure)",
    "Best ad sets",
    "  ad set 21                                        140.00    6.67  HIGH_PERFORMER (sure)" +
    "  in campaign 11",
    "Best ads",
    "  ad 31                                             70.00    3.33  HIGH_PERFORMER (sure)" +
    "  in campaign 11",
    "Worst ads",
    "  ad 32                                             70.00    none  UNDERPERFORMER (sure)" +
    "  in campaign 11",
    "",
    "What to do first",
    "  Pause ad “ad 32” (sure)  in campaign 11",
    "  Let ad “ad 31” have 20 % more of the budget above it (sure)  in campaign 11",
    "  Build on ad “ad 31”, a winner (sure)  in campaign 11",
  ]);
});
