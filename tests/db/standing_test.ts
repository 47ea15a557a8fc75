import { assertEquals } from "@std/assert";
import type { Level } from "../../core/level.ts";
import type { Tier } from "../../core/tiers.ts";
import { levelStanding } from "../../db/standing.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { AS_OF, insertAccount } from "./views/rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

/** An account with the campaign 11, its ad set 21, and these ads in it. */
async function insertAds(configId: number, ads: { ad_id: string; status?: string }[]) {
  await insertAccount(database.sql, configId, {
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }],
    ads,
  });
}

type Verdict = {
  id: string;
  tier: Tier;
  level?: Level;
  confidence?: number;
  spend?: number | null;
  cpl?: number | null;
  asOf?: string;
};

async function insertVerdicts(configId: number, verdicts: Verdict[]) {
  const rows = verdicts.map((verdict) => ({
    config_id: configId,
    entity_type: verdict.level ?? "ad",
    entity_id: verdict.id,
    tier: verdict.tier,
    confidence_score: verdict.confidence ?? 0.5,
    metrics_snapshot: {
      spend_7d: verdict.spend === undefined ? 100 : verdict.spend,
      cpl_7d: verdict.cpl ?? null,
    },
    as_of: verdict.asOf ?? AS_OF,
    model_version: "test",
    classified_at: "2026-04-01T06:00:00Z",
    valid_until: "2026-04-02T06:00:00Z",
  }));
  await database.sql`insert into ads.ml_classifications ${database.sql(rows)}`;
}

async function named(configId: number, limit: number) {
  const { best, worst } = await levelStanding(database.sql, configId, "ad", limit);
  return [best, worst].map((entities) => entities.map((entity) => entity.entity_id));
}

const NOTHING = { HIGH_PERFORMER: 0, MODERATE: 0, LOW: 0, UNDERPERFORMER: 0 };

Deno.test("levelStanding() tells what is known about an entity that stands out", async () => {
  await insertAds(1, [{ ad_id: "31" }]);
  await insertVerdicts(1, [
    { id: "31", tier: "HIGH_PERFORMER", confidence: 0.85, spend: 70.5, cpl: 9.4 },
  ]);
  assertEquals(await levelStanding(database.sql, 1, "ad", 2), {
    counts: { ...NOTHING, HIGH_PERFORMER: 1 },
    best: [{
      entity_id: "31",
      name: "ad 31",
      campaign_name: "campaign 11",
      tier: "HIGH_PERFORMER",
      confidence_score: 0.85,
      cpl_7d: 9.4,
      spend_7d: 70.5,
    }],
    worst: [],
  });
});

Deno.test("levelStanding() names the best and the worst by tier, the surest first", async () => {
  await insertAds(2, ["31", "32", "33", "34", "35", "36", "37", "38"].map((ad_id) => ({ ad_id })));
  await insertVerdicts(2, [
    { id: "31", tier: "MODERATE", confidence: 0.99 },
    { id: "32", tier: "UNDERPERFORMER", confidence: 0.6 },
    { id: "33", tier: "HIGH_PERFORMER", confidence: 0.6 },
    { id: "34", tier: "LOW", confidence: 0.99 },
    { id: "35", tier: "HIGH_PERFORMER", confidence: 0.9 },
    { id: "36", tier: "UNDERPERFORMER", confidence: 0.9 },
    { id: "38", tier: "HIGH_PERFORMER", confidence: 0.7 },
    { id: "37", tier: "HIGH_PERFORMER", confidence: 0.7 },
  ]);
  assertEquals(await named(2, 9), [["35", "37", "38", "33", "31"], ["36", "32", "34"]]);
  assertEquals(await named(2, 1), [["35"], ["36"]]);
});

Deno.test("levelStanding() counts what spent nothing, but does not name it", async () => {
  await insertAds(3, ["31", "32", "33"].map((ad_id) => ({ ad_id })));
  await insertVerdicts(3, [
    { id: "31", tier: "HIGH_PERFORMER", spend: 0 },
    { id: "32", tier: "UNDERPERFORMER", spend: null },
    { id: "33", tier: "LOW", spend: 0.01 },
  ]);
  const { counts } = await levelStanding(database.sql, 3, "ad", 2);
  assertEquals(counts, { HIGH_PERFORMER: 1, MODERATE: 0, LOW: 1, UNDERPERFORMER: 1 });
  assertEquals(await named(3, 2), [[], ["33"]]);
});

Deno.test("levelStanding() goes by the newest tier of what is active", async () => {
  await insertAds(4, [{ ad_id: "31" }, { ad_id: "32", status: "PAUSED" }]);
  await insertVerdicts(4, [
    { id: "31", tier: "LOW" },
    { id: "31", tier: "HIGH_PERFORMER", asOf: "2026-03-28" },
    { id: "32", tier: "UNDERPERFORMER" },
    { id: "no such ad", tier: "UNDERPERFORMER" },
  ]);
  const { counts } = await levelStanding(database.sql, 4, "ad", 2);
  assertEquals(counts, { ...NOTHING, LOW: 1 });
  assertEquals(await named(4, 2), [[], ["31"]]);
});

Deno.test("levelStanding() keeps levels and accounts apart when they share an id", async () => {
  for (const configId of [5, 6]) {
    await insertAccount(database.sql, configId, {
      campaigns: [{ campaign_id: "11" }],
      adsets: [{ adset_id: "11" }],
      ads: [{ ad_id: "11", adset_id: "11" }],
    });
  }
  await insertVerdicts(5, [
    { level: "campaign", id: "11", tier: "HIGH_PERFORMER" },
    { level: "adset", id: "11", tier: "MODERATE" },
    { level: "ad", id: "11", tier: "LOW" },
  ]);
  const counts = async (configId: number, level: Level) =>
    (await levelStanding(database.sql, configId, level, 2)).counts;
  assertEquals(await counts(5, "campaign"), { ...NOTHING, HIGH_PERFORMER: 1 });
  assertEquals(await counts(5, "adset"), { ...NOTHING, MODERATE: 1 });
  assertEquals(await counts(5, "ad"), { ...NOTHING, LOW: 1 });
  assertEquals(await levelStanding(database.sql, 6, "ad", 2), {
    counts: NOTHING,
    best: [],
    worst: [],
  });
});
