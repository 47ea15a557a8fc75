import { assertEquals } from "@std/assert";
import type { Sql } from "../../db/connect.ts";
import { migrate, migrationState } from "../../db/migrate.ts";
import { recommendations } from "../../jobs/recommendations.ts";
import { startRun } from "../../jobs/runs.ts";
import { testDatabase } from "../database.ts";
import { AS_OF, daily, insertAccount } from "./views/rows.ts";

const CREATES_RECOMMENDATIONS = "20261128010000";
const NOW = new Date("2026-04-01T06:00:00Z");

async function features(sql: Sql) {
  const rows = await sql`
    select entity_id, spend_7d, leads_14d, cpl_trend, computed_at
    from ads.ml_features
    order by entity_id`;
  return [...rows];
}

async function recommend(sql: Sql): Promise<number> {
  const subject = { configId: 1, entityType: "ad", asOf: AS_OF, now: NOW } as const;
  const { generated } = await (await startRun(sql, recommendations, subject)).done;
  return generated;
}

Deno.test("migrations around recommendations keep the features when they go down and up again", async () => {
  await using database = await testDatabase();
  const { sql, url } = database;
  await insertAccount(sql, 1, {
    target_cpl: 10,
    insights: [
      ...daily(30, { spend: 60, leads: 1 }),
      ...daily(30, { spend: 400, leads: 40, ad_id: "32", adset_id: "22" }),
    ],
  });
  assertEquals(await recommend(sql), 1);
  const before = await features(sql);
  assertEquals(before.length, 2);
  const isApplied = async () =>
    (await migrationState(sql)).applied.includes(CREATES_RECOMMENDATIONS);
  while (await isApplied()) await migrate(url, "down");
  assertEquals(await features(sql), before);
  // The program of then writes them, too.
  const [stored] = await sql`select ads.store_features(1, 'ad', ${AS_OF}, ${NOW}) as rows`;
  assertEquals(stored?.rows, 2);

  await migrate(url, "up");
  assertEquals(await features(sql), before);
  assertEquals(await recommend(sql), 1);
  assertEquals(await features(sql), before);
});
