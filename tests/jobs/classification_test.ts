import { assert, assertAlmostEquals, assertEquals, assertRejects } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { decideTier } from "../../core/tiers.ts";
import { readCandidates, storeFeatures } from "../../db/classification_job.ts";
import { readEvidence } from "../../db/evidence.ts";
import { type ClassificationRequest, classify, MODEL_VERSION } from "../../jobs/classification.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { AS_OF, daily, insertAccount, insertInsights } from "../db/views/rows.ts";

const NOW = new Date("2026-04-01T06:00:00Z");
const HOUR = 3_600_000;

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

function classifyAds(configId: number, request: Partial<ClassificationRequest> = {}) {
  return classify(database.sql, {
    configId,
    entityType: "ad",
    asOf: AS_OF,
    now: NOW,
    ...request,
  });
}

type HistoryRow = {
  entity_id: string;
  as_of: string;
  tier: string;
  previous_tier: string | null;
  tier_change_direction: string | null;
};

async function history(configId: number) {
  const rows = await database.sql<HistoryRow[]>`
    select entity_id, as_of, tier, previous_tier, tier_change_direction
    from ads.ml_classifications
    where config_id = ${configId}
    order by id`;
  return [...rows];
}

async function classified(configId: number) {
  return (await history(configId)).map((row) => row.entity_id).sort();
}

async function storedFeatures(configId: number) {
  const rows = await database.sql`
    select entity_id, feature_date, spend_7d, insufficient_data, computed_at
    from ads.ml_features
    where config_id = ${configId}
    order by entity_id, feature_date`;
  return [...rows];
}

async function setTarget(configId: number, target: number) {
  await database.sql`
    update ads.accounts set target_cpl = ${target} where config_id = ${configId}`;
}

/** Ten days with a CPL of 5. */
const TEN_DAYS = daily(10, { spend: 10, impressions: 1000, clicks: 20, leads: 2 });

Deno.test("classify() stores the tier with all that it rests on", async () => {
  await insertAccount(database.sql, 1, { target_cpl: 10, insights: TEN_DAYS });
  assertEquals(await classifyAds(1), {
    asOf: AS_OF,
    featuresStored: 1,
    classified: 1,
    kept: 0,
    insufficient: 0,
  });
  const [{ metrics_snapshot: snapshot, tier_probabilities, confidence_score, ...row } = {}] =
    await database.sql`
      select entity_type, entity_id, parent_id, tier, confidence_score, tier_probabilities,
        metrics_snapshot, feature_importances, previous_tier, tier_change_direction, as_of,
        window_days, model_version, classified_at, valid_until
      from ads.ml_classifications
      where config_id = 1`;
  assertEquals(row, {
    entity_type: "ad",
    entity_id: "31",
    parent_id: "21",
    tier: "HIGH_PERFORMER",
    feature_importances: {
      "own results, recent days weighing more": 1,
      "results of its siblings and of what it belongs to": 0,
    },
    previous_tier: null,
    tier_change_direction: null,
    as_of: AS_OF,
    window_days: 30,
    model_version: MODEL_VERSION,
    classified_at: NOW,
    valid_until: new Date(NOW.getTime() + 24 * HOUR),
  });
  // 20 leads for 100 and half a lead of prior.
  const { confidence, probabilities } = decideTier({ alpha: 20.5, beta: 100 }, 10);
  assertAlmostEquals(confidence_score, confidence, 1e-9);
  assertAlmostEquals(tier_probabilities.HIGH_PERFORMER, probabilities.HIGH_PERFORMER, 1e-9);
  const { alpha, beta, cpl_estimate, cpl_ratio, cpl_low_80, cpl_high_80, ...plain } = snapshot;
  assertEquals(plain, {
    spend_7d: 70,
    leads_7d: 14,
    cpl_7d: 5,
    ctr_7d: 2,
    // 14 leads for 70 after 6 for 30.
    cpl_trend: 0,
    leads_30d: 20,
    cpl_30d: 5,
    avg_cpl_reference: 10,
    reference_source: "target",
  });
  assertAlmostEquals(alpha, 20.5, 1e-9);
  assertAlmostEquals(beta, 100, 1e-9);
  assertAlmostEquals(cpl_ratio, cpl_estimate / 10, 1e-9);
  assert(cpl_low_80 < cpl_estimate && cpl_estimate < cpl_high_80);
});

Deno.test("classify() stores the features of the day, over what was stored before", async () => {
  await insertAccount(database.sql, 2, { insights: TEN_DAYS });
  await classifyAds(2);
  await insertInsights(database.sql, 2, [
    { date: "2026-03-30", ad_id: "32", spend: 5 },
  ]);
  await database.sql`update ads.insights set spend = 30 where config_id = 2 and date = ${AS_OF}`;
  const later = new Date(NOW.getTime() + HOUR);
  await classifyAds(2, { now: later });
  const row = { feature_date: AS_OF, insufficient_data: false, computed_at: later };
  assertEquals(await storedFeatures(2), [
    { ...row, entity_id: "31", spend_7d: 90 },
    { ...row, entity_id: "32", spend_7d: 5 },
  ]);
});

Deno.test("classify() stores each feature in its own column", async () => {
  await insertAccount(database.sql, 3, {
    campaigns: [{ campaign_id: "11", daily_budget: 5 }],
    adsets: [{ adset_id: "21" }],
    ads: [{ ad_id: "31" }],
    insights: [
      { date: "2026-03-04", spend: 8, impressions: 90, reach: 80, clicks: 7, leads: 1 },
      { date: "2026-03-19", spend: 20, impressions: 150, reach: 80, clicks: 11, leads: 3 },
      { date: "2026-03-26", spend: 36, impressions: 500, reach: 300, clicks: 13, leads: 4 },
      { date: "2026-03-31", spend: 25, impressions: 600, reach: 350, clicks: 17, leads: 2 },
      { ad_id: "32", spend: 77, impressions: 900, clicks: 40, leads: 3 },
    ],
  });
  await classifyAds(3);
  const [computed] = await database.sql`
    select *
    from ads.entity_features
    where config_id = 3 and entity_type = 'ad' and entity_id = '31' and as_of = ${AS_OF}`;
  const [stored] = await database.sql`
    select *, feature_date as as_of
    from ads.ml_features
    where config_id = 3 and entity_id = '31'`;
  for (const [name, value] of Object.entries(computed ?? {})) {
    if (typeof value === "number") assertAlmostEquals(stored?.[name], value, 1e-9, name);
    else assertEquals(stored?.[name], value, name);
  }
  // So that no two columns could be mixed up unseen.
  const numbers = Object.values(computed ?? {}).filter((value) => typeof value === "number");
  assert(numbers.length > 25);
});

Deno.test("classify() keeps what still holds when it runs again", async () => {
  await insertAccount(database.sql, 4, { insights: TEN_DAYS });
  await classifyAds(4);
  const again = await classifyAds(4, { now: new Date(NOW.getTime() + 23 * HOUR) });
  assertEquals([again.classified, again.kept], [0, 1]);
  const expired = await classifyAds(4, { now: new Date(NOW.getTime() + 24 * HOUR) });
  assertEquals([expired.classified, expired.kept], [1, 0]);
  assertEquals((await history(4)).length, 2);
});

Deno.test("classify() adds only the entities that are new when it runs again", async () => {
  await insertAccount(database.sql, 5, { insights: TEN_DAYS });
  await classifyAds(5);
  await insertInsights(database.sql, 5, [{ ad_id: "32", spend: 5 }]);
  const { classified: added, kept } = await classifyAds(5);
  assertEquals([added, kept], [1, 1]);
  assertEquals(await classified(5), ["31", "32"]);
});

Deno.test("classify() adds to the history how a tier changed when it is forced", async () => {
  await insertAccount(database.sql, 6, { insights: TEN_DAYS });
  const row = { entity_id: "31", as_of: AS_OF };
  for (const target of [10, 1, 1, 10]) {
    await setTarget(6, target);
    const { classified, kept } = await classifyAds(6, { force: true });
    assertEquals([classified, kept], [1, 0]);
  }
  assertEquals(await history(6), [
    { ...row, tier: "HIGH_PERFORMER", previous_tier: null, tier_change_direction: null },
    {
      ...row,
      tier: "UNDERPERFORMER",
      previous_tier: "HIGH_PERFORMER",
      tier_change_direction: "declined",
    },
    {
      ...row,
      tier: "UNDERPERFORMER",
      previous_tier: "UNDERPERFORMER",
      tier_change_direction: "stable",
    },
    {
      ...row,
      tier: "HIGH_PERFORMER",
      previous_tier: "UNDERPERFORMER",
      tier_change_direction: "improved",
    },
  ]);
});

Deno.test("classify() classifies a new day although yesterday's tier is still valid", async () => {
  await insertAccount(database.sql, 7, { target_cpl: 10, insights: TEN_DAYS });
  await classifyAds(7, { asOf: "2026-03-30" });
  await setTarget(7, 1);
  await classifyAds(7);
  const [, today] = await history(7);
  assertEquals([today?.as_of, today?.previous_tier], [AS_OF, "HIGH_PERFORMER"]);
});

Deno.test("classify() replays a past day without hiding or asking the later one", async () => {
  await insertAccount(database.sql, 8, { target_cpl: 1, insights: TEN_DAYS });
  await classifyAds(8);
  await setTarget(8, 10);
  await classifyAds(8, { asOf: "2026-03-28", now: new Date(NOW.getTime() + HOUR) });
  const [, replayed] = await history(8);
  assertEquals(replayed, {
    entity_id: "31",
    as_of: "2026-03-28",
    tier: "HIGH_PERFORMER",
    previous_tier: null,
    tier_change_direction: null,
  });
  const latest = await database.sql`
    select as_of, tier
    from ads.latest_classifications
    where config_id = 8 and entity_type = 'ad' and entity_id = '31'`;
  assertEquals([...latest], [{ as_of: AS_OF, tier: "UNDERPERFORMER" }]);
});

Deno.test("classify() refuses an unknown account", async () => {
  const refusal = await assertRejects(() => classifyAds(404), Refusal, "config id 404");
  assertEquals(refusal.code, "not_found");
});

Deno.test("classify() says that nothing can be said when an account has neither a lead nor a target", async () => {
  await insertAccount(database.sql, 9, {
    insights: [...daily(10, { spend: 10 }), { ad_id: "32", spend: 5 }],
  });
  assertEquals(await classifyAds(9), {
    asOf: AS_OF,
    featuresStored: 2,
    classified: 0,
    kept: 0,
    insufficient: 2,
  });
  assertEquals(await history(9), []);
  assertEquals((await storedFeatures(9)).map((row) => row.insufficient_data), [true, true]);
});

Deno.test("classify() says that nothing can be said when leads cost the account nothing", async () => {
  await insertAccount(database.sql, 10, {
    insights: [{ date: "2026-03-05", spend: 100, leads: 2 }, { date: "2026-03-25", leads: 3 }],
  });
  const { classified, insufficient } = await classifyAds(10);
  assertEquals([classified, insufficient], [0, 1]);
});

Deno.test("classify() compares with the target when an account has no lead", async () => {
  await insertAccount(database.sql, 11, { target_cpl: 2, insights: daily(10, { spend: 50 }) });
  const { classified } = await classifyAds(11);
  assertEquals(classified, 1);
  assertEquals((await history(11)).map((row) => row.tier), ["UNDERPERFORMER"]);
});

Deno.test("classify() leaves out what has no spend to judge by", async () => {
  await insertAccount(database.sql, 12, {
    insights: [...TEN_DAYS, { ad_id: "32", impressions: 10 }],
  });
  const { classified: count, insufficient } = await classifyAds(12);
  assertEquals([count, insufficient], [1, 1]);
  assertEquals(await classified(12), ["31"]);
});

Deno.test("classify() leaves out what does not run, unless it is asked for", async () => {
  await insertAccount(database.sql, 13, {
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }, { adset_id: "22", status: "PAUSED" }],
    ads: [
      { ad_id: "31" },
      { ad_id: "32", status: "PAUSED" },
      { ad_id: "33", adset_id: "22", status: "ACTIVE" },
    ],
    insights: [
      ...TEN_DAYS,
      { ad_id: "32", spend: 5 },
      { ad_id: "33", adset_id: "22", spend: 5 },
    ],
  });
  const { classified: active, featuresStored } = await classifyAds(13);
  assertEquals([active, featuresStored], [1, 3]);
  assertEquals(await classified(13), ["31"]);
  const asked = await classifyAds(13, { entityIds: ["32", "33", "no such ad"] });
  assertEquals(asked.classified, 2);
  assertEquals(await classified(13), ["31", "32", "33"]);
});

Deno.test("classify() classifies only the entities that are asked for", async () => {
  await insertAccount(database.sql, 14, {
    insights: [...TEN_DAYS, { ad_id: "32", spend: 5 }],
  });
  await classifyAds(14, { entityIds: ["32"] });
  assertEquals(await classified(14), ["32"]);
  await classifyAds(14, { entityIds: [] });
  assertEquals(await classified(14), ["32"]);
});

Deno.test("classify() works alike on every level", async () => {
  await insertAccount(database.sql, 15, { target_cpl: 10, insights: TEN_DAYS });
  const ids = { campaign: "11", adset: "21", ad: "31" } as const;
  for (const entityType of ["campaign", "adset", "ad"] as const) {
    assertEquals((await classifyAds(15, { entityType })).classified, 1);
    const [row] = (await history(15)).filter((each) => each.entity_id === ids[entityType]);
    assertEquals(row?.tier, "HIGH_PERFORMER");
  }
});

Deno.test("classify() touches one account when others hold the same ids", async () => {
  await insertAccount(database.sql, 16, { target_cpl: 10, insights: TEN_DAYS });
  await insertAccount(database.sql, 17, { target_cpl: 1, insights: TEN_DAYS });
  await classifyAds(17);
  await classifyAds(16);
  const row = {
    entity_id: "31",
    as_of: AS_OF,
    previous_tier: null,
    tier_change_direction: null,
  };
  assertEquals(await history(16), [{ ...row, tier: "HIGH_PERFORMER" }]);
  assertEquals(await history(17), [{ ...row, tier: "UNDERPERFORMER" }]);
});

Deno.test("classify() stores nothing when a part of it fails, and records the failure", async () => {
  await insertAccount(database.sql, 18, {
    insights: [...TEN_DAYS, { ad_id: "unwelcome", spend: 5 }],
  });
  const { sql } = database;
  await sql`
    alter table ads.ml_classifications
      add constraint welcome check (entity_id <> 'unwelcome')`;
  try {
    await assertRejects(() => classifyAds(18), Error, "welcome");
  } finally {
    await sql`alter table ads.ml_classifications drop constraint welcome`;
  }
  assertEquals(await history(18), []);
  assertEquals(await storedFeatures(18), []);
  const runs = await sql`
    select job, entity_type, as_of, status from ads.job_runs where config_id = 18`;
  assertEquals([...runs], [
    { job: "classification", entity_type: "ad", as_of: AS_OF, status: "failed" },
  ]);
  assertEquals((await classifyAds(18)).classified, 2);
});

Deno.test("classify() classifies each of more entities than one batch holds once", async () => {
  // A process of its own: with a plan that compares all with all it would go on for ever, and the
  // embedded engine holds up the thread that it runs on, timers and all.
  const { signal, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-check", "tests/jobs/classify_thousands.ts"],
    cwd: new URL("../../", import.meta.url),
    signal: AbortSignal.timeout(60_000),
  }).output();
  assertEquals(signal, null, "It takes more than a minute: a plan went wrong");
  assertEquals(new TextDecoder().decode(stderr), "");
  assertEquals(JSON.parse(new TextDecoder().decode(stdout)), {
    featuresStored: 5501,
    classified: 5501,
    rows: 5501,
    entities: 5501,
  });
});

Deno.test("readCandidates() hands out batches between which others may use the connection", async () => {
  // Of which no two languages have the same order.
  const ads = ["a", "B", "é", "z-9", "z10"];
  await insertAccount(database.sql, 20, { insights: ads.map((ad_id) => ({ ad_id, spend: 5 })) });
  const request = { configId: 20, entityType: "ad", asOf: AS_OF, at: NOW, batch: 2 } as const;
  const batches: string[][] = [];
  await database.sql.begin(async (transaction) => {
    const evidence = readEvidence(transaction, request, 3);
    await storeFeatures(transaction, 20, "ad", AS_OF, NOW);
    for await (const candidates of readCandidates(transaction, evidence, request)) {
      await transaction`select 1`;
      batches.push(candidates.map((candidate) => candidate.entity_id));
    }
  });
  assertEquals(batches.map((batch) => batch.length), [2, 2, 1]);
  assertEquals(batches.flat(), ["B", "a", "z-9", "z10", "é"]);
});
