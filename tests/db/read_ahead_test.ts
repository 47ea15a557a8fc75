import { assertEquals, assertRejects } from "@std/assert";
import { addDays } from "../../core/days.ts";
import { decideTier } from "../../core/tiers.ts";
import { readCandidates, storeDecisions, storeFeatures } from "../../db/classification_job.ts";
import type { Transaction } from "../../db/connect.ts";
import { readAhead } from "../../db/read_ahead.ts";
import { readFamilies } from "../../db/recommendation_job.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { AS_OF, daily, insertAccount } from "./views/rows.ts";

const NOW = new Date("2026-04-01T06:00:00Z");
const ADS = 200;

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

Deno.test("readAhead() returns all rows, and lets other statements run between batches", async () => {
  const batches = await database.sql.begin(async (transaction) => {
    const batches: number[][] = [];
    const numbers = transaction`select n from generate_series(1, 5) n`;
    for await (const rows of readAhead<{ n: number }>(transaction, numbers, 2)) {
      await transaction`select 1`;
      batches.push(rows.map(({ n }) => n));
    }
    return batches;
  });
  assertEquals(batches, [[1, 2], [3, 4], [5]]);
});

Deno.test("readAhead() fails as its query does", async () => {
  await assertRejects(
    () =>
      database.sql.begin(async (transaction) => {
        const query = transaction`select 1 / (3 - n) from generate_series(1, 5) n`;
        for await (const _ of readAhead(transaction, query, 1));
      }),
    Error,
    "division by zero",
  );
});

/** Does work in a transaction and returns how many tiers it read there. */
function countingTiers(work: (sql: Transaction) => Promise<void>): Promise<number> {
  return database.sql.begin(async (transaction) => {
    const count = async () => {
      const [row] = await transaction<{ read: number }[]>`
        select seq_tup_read + idx_tup_fetch as read
        from pg_catalog.pg_stat_xact_user_tables
        where relname = 'ml_classifications'`;
      return row?.read ?? NaN;
    };
    const before = await count();
    await work(transaction);
    return await count() - before;
  });
}

Deno.test("runs look tiers up by entity, also where the planner knows of none", async () => {
  const { sql } = database;
  await insertAccount(sql, 1, {
    target_cpl: 10,
    insights: Array.from(
      { length: ADS },
      (_, ad) =>
        daily(8, { spend: 40, impressions: 4000, clicks: 40, leads: 1, ad_id: `ad ${ad}` }),
    ).flat(),
  });
  await sql`vacuum analyze ads.ml_classifications`;
  const run = { configId: 1, entityType: "ad" as const, asOf: AS_OF, at: NOW };
  const classify = (asOf: string) =>
    countingTiers(async (transaction) => {
      const day = { ...run, asOf };
      await storeFeatures(transaction, 1, "ad", asOf, NOW);
      for await (const candidates of readCandidates(transaction, { ...day, batch: 10 })) {
        const decisions = candidates.map((candidate) => ({
          ...decideTier(candidate, 10),
          entityId: candidate.entity_id,
          parentId: candidate.parent_id,
          previousTier: candidate.previous_tier,
          change: null,
          metricsSnapshot: {},
          featureImportances: {},
        }));
        const stored = { ...day, validUntil: NOW, modelVersion: "test" };
        await storeDecisions(transaction, stored, decisions);
      }
    });
  assertEquals(await classify(addDays(AS_OF, -1)), 0);
  assertEquals(await classify(AS_OF), ADS);
  let underperforming = 0;
  const read = await countingTiers(async (transaction) => {
    for await (const family of readFamilies(transaction, { ...run, reference: 10 })) {
      underperforming += family.filter((ad) => ad.days_underperforming === 2).length;
    }
  });
  assertEquals(underperforming, ADS);
  // Of each whether there was another tier, which reads both days, and when the first was.
  assertEquals(read, 3 * ADS);
});
