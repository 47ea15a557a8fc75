import { assertEquals } from "@std/assert";
import type { Level } from "../../core/level.ts";
import { featuresHold, storeFeatures } from "../../db/classification_job.ts";
import { readEvidence } from "../../db/evidence.ts";
import { levelVariations, readFamilies, type Subject } from "../../db/recommendation_job.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { AS_OF, daily, insertAccount, insertInsights } from "./views/rows.ts";

const NOW = new Date("2026-04-01T06:00:00Z");
const DAY = { spend: 40, impressions: 4000, clicks: 40, leads: 4 };

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

/** The families of a level, as they are read in batches of a few. */
function families(configId: number, entityType: Level = "ad", batch = 500) {
  return database.sql.begin(async (transaction) => {
    const level = { configId, entityType, asOf: AS_OF, reference: 10, at: NOW, batch };
    const evidence = readEvidence(transaction, level, batch);
    await storeFeatures(transaction, configId, entityType, AS_OF, NOW);
    const families: Subject[][] = [];
    for await (const family of readFamilies(transaction, evidence, level)) {
      // Others may use the connection between two batches.
      await transaction`select 1`;
      families.push(family);
    }
    return families;
  });
}

Deno.test("readFamilies() keeps those of a parent together whatever a batch holds", async () => {
  const ads = [["21", "31"], ["21", "32"], ["21", "33"], ["22", "34"], ["23", "35"], ["23", "36"]];
  await insertAccount(database.sql, 1, {
    insights: ads.map(([adset_id = "", ad_id = ""]) => ({ ...DAY, adset_id, ad_id })),
  });
  const expected = [["31", "32", "33"], ["34"], ["35", "36"]];
  for (const batch of [1, 2, 3, 5, 6, 500]) {
    const found = await families(1, "ad", batch);
    assertEquals([batch, found.map((family) => family.map((each) => each.entity_id))], [
      batch,
      expected,
    ]);
  }
});

Deno.test("readFamilies() has no family where nothing was delivered", async () => {
  await insertAccount(database.sql, 2, {});
  assertEquals(await families(2), []);
});

Deno.test("readFamilies() tells of each what it belongs to and who pays for it", async () => {
  await insertAccount(database.sql, 3, {
    campaigns: [
      { campaign_id: "11", daily_budget: 100 },
      { campaign_id: "12", status: "PAUSED", effective_status: "LEARNING" },
    ],
    adsets: [
      { adset_id: "21", effective_status: "LEARNING" },
      { adset_id: "22", campaign_id: "12", lifetime_budget: 900 },
    ],
    ads: [{ ad_id: "31" }, { ad_id: "32", adset_id: "22", campaign_id: "12" }],
    insights: [
      ...daily(10, DAY),
      ...daily(10, { ...DAY, ad_id: "32", adset_id: "22", campaign_id: "12" }),
    ],
  });
  const told = async (level: Level) =>
    Object.fromEntries(
      (await families(3, level)).flat().map((each) => [each.entity_id, [
        each.name,
        each.parent_id,
        each.campaign_id,
        each.budget_holder,
        each.daily_budget ?? each.lifetime_budget,
        each.is_learning,
      ]]),
    );
  assertEquals(await told("campaign"), {
    11: ["campaign 11", null, "11", "campaign", 100, false],
    12: ["campaign 12", null, "12", "adset", null, true],
  });
  assertEquals(await told("adset"), {
    21: ["ad set 21", "11", "11", "campaign", null, true],
    22: ["ad set 22", "12", "12", "adset", 900, true],
  });
  assertEquals(await told("ad"), {
    31: ["ad 31", "21", "11", "campaign", null, true],
    32: ["ad 32", "22", "12", "adset", null, false],
  });
});

Deno.test("readFamilies() gives the counts of both weeks and the past that still matters", async () => {
  const { sql } = database;
  await insertAccount(sql, 4, { insights: daily(7, DAY) });
  await insertInsights(sql, 4, [{ date: "2026-03-20", spend: 30, leads: 2, clicks: 5 }]);
  const past = (id: number, status: string, asOf: string, expiresAt: string, at: string | null) =>
    sql`
      insert into ads.ml_recommendations (
        config_id, id, entity_type, entity_id, recommendation_type, kind, reason_code, priority,
        title, description, confidence_score, reasoning, status, as_of, model_version, created_at,
        expires_at, applied_at, dismissed_at
      )
      values (
        4, ${id}, 'ad', '31', 'PAUSE', 'MONEY', 'pause_expensive', 6, '', '', 0.9,
        '{"claim": {"about": "cpl_ratio", "at_least": 2.5}}', ${status}, ${asOf}, 'test', ${NOW},
        ${expiresAt}, ${status === "applied" ? at : null}, ${status === "dismissed" ? at : null}
      )`;
  await past(1, "expired", "2026-02-01", "2026-02-04", null);
  await past(2, "expired", AS_OF, "2026-03-31", null);
  await past(3, "dismissed", "2026-03-26", "2026-04-01T06:00:01Z", "2026-03-27");
  await past(4, "dismissed", "2026-03-25", "2026-04-01T06:00:00Z", "2026-03-27");
  await past(5, "applied", "2026-02-28", "2026-03-04", "2026-03-02T06:00:01Z");
  await past(6, "applied", "2026-02-27", "2026-03-04", "2026-03-02T06:00:00Z");
  await past(7, "active", "2026-02-26", "2026-03-01", null);
  const [[subject] = []] = await families(4);
  assertEquals(
    [subject?.leads_7d, subject?.leads_7d_before, subject?.spend_7d_before, subject?.spend_7d],
    [28, 2, 30, 280],
  );
  assertEquals(subject?.past.map(({ id }) => id).sort(), [2, 3, 5, 7]);
  const dismissed = subject?.past.find(({ id }) => id === 3);
  assertEquals([dismissed?.priority, dismissed?.confidence_score, dismissed?.claim], [
    6,
    0.9,
    { about: "cpl_ratio", at_least: 2.5 },
  ]);
});

Deno.test("levelVariations() knows nothing but a guess where nothing was delivered", async () => {
  await insertAccount(database.sql, 5, {});
  const unknown = {
    rate: null,
    variance: 0.1,
    change: null,
    changeVariance: 0,
    changeError: 0,
    dayVariance: 0,
  };
  const found = await database.sql.begin((transaction) =>
    levelVariations(transaction, { configId: 5, entityType: "ad", asOf: AS_OF })
  );
  assertEquals(found, { cpl: unknown, ctr: unknown, conversion_rate: unknown });
});

Deno.test("featuresHold() says no where features may be others by now", async () => {
  const { sql } = database;
  await insertAccount(sql, 6, {
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }],
    ads: [{ ad_id: "31" }],
    insights: daily(7, DAY),
  });
  const noted = (at: string) =>
    sql`select ads.store_account_days(6, array[${AS_OF}]::date[], ${at})`;
  await sql`update ads.accounts set updated_at = '2026-04-01T03:00:00Z' where config_id = 6`;
  const renewedAt = async (at: string) => {
    await sql.begin(async (transaction) => {
      const level = { configId: 6, entityType: "ad", asOf: AS_OF } as const;
      if (await featuresHold(transaction, level)) return;
      await storeFeatures(transaction, 6, "ad", AS_OF, new Date(at));
    });
    const [row] = await sql<{ computed_at: Date }[]>`
      select computed_at from ads.ml_features where config_id = 6 and feature_date = ${AS_OF}`;
    return row?.computed_at.toISOString().slice(11, 16);
  };
  // Nobody told when the insights were written.
  assertEquals(await renewedAt("2026-04-01T06:00:00Z"), "06:00");
  assertEquals(await renewedAt("2026-04-01T06:01:00Z"), "06:01");
  await noted("2026-04-01T05:00:00Z");
  assertEquals(await renewedAt("2026-04-01T06:30:00Z"), "06:01");
  await noted("2026-04-01T05:02:00Z");
  assertEquals(await renewedAt("2026-04-01T06:40:00Z"), "06:40");
  assertEquals(await renewedAt("2026-04-01T06:50:00Z"), "06:40");
  await sql`update ads.campaigns set status = 'PAUSED' where config_id = 6`;
  assertEquals(await renewedAt("2026-04-01T06:51:00Z"), "06:51");
  assertEquals(await renewedAt("2026-04-01T06:52:00Z"), "06:51");
  await sql`update ads.accounts set updated_at = '2026-04-01T06:52:00Z' where config_id = 6`;
  assertEquals(await renewedAt("2026-04-01T06:53:00Z"), "06:53");
});
