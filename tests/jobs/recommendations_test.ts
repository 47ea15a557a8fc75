import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { addDays } from "../../core/days.ts";
import { Refusal } from "../../core/refusal.ts";
import { tell } from "../../core/rules/recommendation.ts";
import {
  applyRecommendation,
  dismissRecommendation,
  type Recommendation,
} from "../../db/recommendations.ts";
import { recommendations } from "../../jobs/recommendations.ts";
import { startRun } from "../../jobs/runs.ts";
import type { TaskRequest } from "../../jobs/task.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { type AccountRows, AS_OF, daily, insertAccount } from "../db/views/rows.ts";

const HOUR = 3_600_000;

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

/** A day at the target: 4 leads for 40. */
const ORDINARY = { spend: 40, impressions: 4000, clicks: 40, leads: 4 };
const CHEAP = { ...ORDINARY, leads: 8 };
const DEAR = { ...ORDINARY, spend: 60, leads: 1 };

/** The ad 31 costs 6 times the target, the ad 32 half of it, the ad 33 what it may. */
const THREE_ADS = [
  ...daily(30, DEAR),
  ...daily(30, { ...CHEAP, ad_id: "32" }),
  ...daily(30, { ...ORDINARY, ad_id: "33" }),
];

let accounts = 0;

/** Writes an account whose target is 10, and returns its number. */
async function addAccount(
  { settings = {}, ...rows }: AccountRows & { settings?: unknown } = { insights: THREE_ADS },
): Promise<number> {
  const configId = ++accounts;
  const { sql } = database;
  await insertAccount(sql, configId, { target_cpl: 10, ...rows });
  await sql`
    update ads.accounts set settings = ${JSON.stringify(settings)}::text::jsonb
    where config_id = ${configId}`;
  return configId;
}

/** Six in the morning after a day. */
function morningAfter(day: string, hours = 0): Date {
  return new Date(Date.parse(`${addDays(day, 1)}T06:00:00Z`) + hours * HOUR);
}

async function recommend(configId: number, request: Partial<Omit<TaskRequest, "configId">> = {}) {
  const { asOf = AS_OF } = request;
  const run = await startRun(database.sql, recommendations, {
    configId,
    entityType: "ad",
    asOf,
    now: morningAfter(asOf),
    ...request,
  });
  return await run.done;
}

type Row = Omit<Recommendation, "entity_name"> & { kind: string; model_version: string };

async function stored(configId: number): Promise<Row[]> {
  const rows = await database.sql<Row[]>`
    select * from ads.ml_recommendations where config_id = ${configId} order by id`;
  return [...rows];
}

/** What was stored, each as its entity, its type and its status. */
async function told(configId: number): Promise<string[]> {
  return (await stored(configId)).map(({ entity_id, recommendation_type, status, ...row }) =>
    [entity_id, recommendation_type, row.superseded_because ?? status].join(" ")
  );
}

/** The only one of an entity. */
async function only(configId: number, entityId: string): Promise<Row> {
  const [row, ...others] = (await stored(configId)).filter((row) => row.entity_id === entityId);
  assertEquals(others, []);
  if (!row) throw new Error(`Nothing is recommended for ${entityId}`);
  return row;
}

/** Lets an ad have had as many leads a day as it is said. */
async function setLeads(configId: number, adId: string, leads: number): Promise<void> {
  await database.sql`
    update ads.insights set leads = ${leads} where config_id = ${configId} and ad_id = ${adId}`;
}

Deno.test("recommendations stores what to do about a dear and a cheap ad, and nothing about others", async () => {
  const configId = await addAccount({
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }],
    ads: [{ ad_id: "31" }, { ad_id: "32" }, { ad_id: "33" }],
    insights: THREE_ADS,
  });
  assertEquals(await recommend(configId), {
    asOf: AS_OF,
    read: 3,
    decided: 3,
    generated: 3,
    expired: 0,
    superseded: 0,
  });
  const rows = await stored(configId);
  assertEquals(
    rows.map((row) => [
      row.entity_id,
      row.recommendation_type,
      row.kind,
      row.reason_code,
      row.priority,
      row.reasoning.claim,
      row.expires_at.toISOString(),
    ]),
    [
      [
        "31",
        "PAUSE",
        "MONEY",
        "pause_expensive",
        6,
        { about: "cpl_ratio", at_least: 2.5 },
        "2026-04-04T06:00:00.000Z",
      ],
      [
        "32",
        "SCALE_UP",
        "MONEY",
        "scale_up",
        8,
        { about: "cpl_ratio", at_most: 0.7 },
        "2026-04-08T06:00:00.000Z",
      ],
      [
        "32",
        "CREATIVE_WINNER",
        "CREATIVE_WINNER",
        "creative_winner",
        7,
        { about: "cpl_by_siblings", at_most: 0.7 },
        "2026-04-08T06:00:00.000Z",
      ],
    ],
  );
  for (const row of rows) {
    assertEquals(
      [row.status, row.as_of, row.parent_id, row.campaign_id, row.created_at.toISOString()],
      ["active", AS_OF, "21", "11", "2026-04-01T06:00:00.000Z"],
    );
    assertEquals(row.confidence_score, row.reasoning.probability);
    assert(row.confidence_score > 0.999, `${row.confidence_score}`);
  }
});

Deno.test("recommendations says what to change, and why, in words", async () => {
  const configId = await addAccount();
  await recommend(configId);
  const { title, description, suggested_action } = await only(configId, "31");
  const { expected_effect, ...change } = suggested_action ?? {};
  assertEquals(change, {
    field: "status",
    change_type: "set",
    change_value: "PAUSED",
    target_entity_type: "ad",
    target_entity_id: "31",
  });
  assert(expected_effect);
  assertEquals(title, "Pause ad “31”");
  assertMatch(
    description,
    /^It delivered on 30 days and is far too expensive\. A lead probably costs €\d\d\.\d\d to /,
  );
});

Deno.test("recommendations writes in the language of the account", async () => {
  const configId = await addAccount({ insights: THREE_ADS, settings: { language: "pt" } });
  await recommend(configId);
  const { title, description } = await only(configId, "31");
  assertEquals(title, "Pausar o anúncio “31”");
  assertMatch(
    description,
    /^Veiculou em 30 dias e custa caro demais\. Um lead provavelmente custa /,
  );
});

/** The change that is suggested about an entity of a level. */
async function changeOf(configId: number, entityType: "campaign" | "adset", entityId: string) {
  await recommend(configId, { entityType });
  const [row, ...others] = (await stored(configId)).filter((row) =>
    row.entity_type === entityType && row.entity_id === entityId
  );
  assertEquals(others, []);
  const { expected_effect: _, ...change } = row?.suggested_action ?? {};
  return change;
}

Deno.test("recommendations raises the budget of a campaign that holds it, and leaves more of it to its ad sets", async () => {
  const configId = await addAccount({
    campaigns: [{ campaign_id: "11", daily_budget: 100 }],
    adsets: [{ adset_id: "21" }],
    insights: daily(30, CHEAP),
  });
  assertEquals(await changeOf(configId, "campaign", "11"), {
    field: "daily_budget",
    change_type: "percentage",
    change_value: 20,
    current_value: 100,
    new_value: 120,
    target_entity_type: "campaign",
    target_entity_id: "11",
  });
  const { recommendations: steps, ...ofAdset } = await changeOf(configId, "adset", "21");
  assertEquals(ofAdset, {
    action: "shift_budget",
    target_entity_type: "adset",
    target_entity_id: "21",
  });
  assert(Array.isArray(steps) && steps.length > 0);
});

Deno.test("recommendations raises the budget of an ad set that holds it", async () => {
  const configId = await addAccount({
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21", lifetime_budget: 900 }],
    insights: daily(30, CHEAP),
  });
  assertEquals(await changeOf(configId, "adset", "21"), {
    field: "lifetime_budget",
    change_type: "percentage",
    change_value: 20,
    current_value: 900,
    new_value: 1080,
    target_entity_type: "adset",
    target_entity_id: "21",
  });
});

Deno.test("recommendations sets no budget when nobody knows who holds it", async () => {
  const configId = await addAccount({
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21" }],
    insights: daily(30, CHEAP),
  });
  const { recommendations: steps, ...change } = await changeOf(configId, "adset", "21");
  assertEquals(change, {
    action: "shift_budget",
    target_entity_type: "adset",
    target_entity_id: "21",
  });
  assert(Array.isArray(steps) && steps.length > 0);
});

Deno.test("recommendations lowers a budget only where it is held", async () => {
  // At 1.8 times the target, and a little more in the last week.
  const insights = [
    ...daily(30, { ...ORDINARY, spend: 720, leads: 40 }),
    ...daily(30, { ...ORDINARY, spend: 720, leads: 40, ad_id: "32", adset_id: "22" }),
  ].map((row) => row.date && row.date > addDays(AS_OF, -7) ? { ...row, leads: 39 } : row);
  const adsets = ["21", "22"];
  const ofCampaign = await addAccount({
    campaigns: [{ campaign_id: "11", daily_budget: 100 }],
    adsets: adsets.map((adset_id) => ({ adset_id })),
    insights,
  });
  const ofAdsets = await addAccount({
    campaigns: [{ campaign_id: "11" }],
    adsets: adsets.map((adset_id) => ({ adset_id, daily_budget: 50 })),
    insights,
  });
  const { change_value, new_value } = await changeOf(ofCampaign, "campaign", "11");
  assertEquals([change_value, new_value], [-20, 80]);
  await recommend(ofCampaign, { entityType: "adset" });
  assertEquals(await told(ofCampaign), ["11 BUDGET_DECREASE active"]);
  const below = await changeOf(ofAdsets, "adset", "21");
  assertEquals([below.change_value, below.new_value], [-20, 40]);
});

Deno.test("recommendations says nothing while Meta reports that an ad or its ad set is learning", async () => {
  const learning = { effective_status: "LEARNING" };
  const configId = await addAccount({
    campaigns: [{ campaign_id: "11" }],
    adsets: [
      { adset_id: "21" },
      { adset_id: "22", status: "ACTIVE", ...learning },
      { adset_id: "23", status: "LEARNING" },
      { adset_id: "24" },
    ],
    ads: [
      { ad_id: "31" },
      { ad_id: "32", ...learning },
      { ad_id: "33", adset_id: "22", effective_status: "ACTIVE" },
      { ad_id: "34", adset_id: "23" },
      { ad_id: "35", adset_id: "24" },
      { ad_id: "36", adset_id: "24", ...learning },
    ],
    insights: [
      ...daily(30, DEAR),
      ...daily(30, { ...DEAR, ad_id: "33", adset_id: "22" }),
      ...daily(30, { ...DEAR, ad_id: "34", adset_id: "23" }),
      ...daily(30, { ...ORDINARY, ad_id: "35", adset_id: "24" }),
      ...daily(30, { ...DEAR, ad_id: "36", adset_id: "24" }),
    ],
  });
  const pauses = async (entityType: "ad" | "adset") => {
    await recommend(configId, { entityType });
    return (await stored(configId))
      .filter((row) => row.entity_type === entityType && row.recommendation_type === "PAUSE")
      .map((row) => row.entity_id);
  };
  assertEquals(await pauses("ad"), ["31"]);
  assertEquals(await pauses("adset"), ["21"]);
  await database.sql`
    update ads.ads set effective_status = null where config_id = ${configId} and ad_id = '36'`;
  assertEquals(await pauses("ad"), ["31", "36"]);
});

Deno.test("recommendations says nothing of what delivered on fewer than three days", async () => {
  const much = { ...DEAR, spend: 2000 };
  const configId = await addAccount({
    insights: [
      ...daily(30, { ...ORDINARY, ad_id: "33" }),
      ...daily(2, much),
      ...daily(3, { ...much, ad_id: "32" }),
    ],
    settings: { rules: { pause_expensive: { days_active: 1 } } },
  });
  await recommend(configId);
  const pauses = (await told(configId)).filter((line) => line.includes("PAUSE"));
  assertEquals(pauses, ["32 PAUSE active"]);
});

Deno.test("recommendations starts again only what is stopped itself", async () => {
  const configId = await addAccount({
    campaigns: [{ campaign_id: "11" }, { campaign_id: "12", status: "PAUSED" }],
    adsets: [
      { adset_id: "21" },
      { adset_id: "22", status: "PAUSED" },
      { adset_id: "23", campaign_id: "12", status: "PAUSED" },
    ],
    ads: [
      { ad_id: "31", status: "PAUSED" },
      { ad_id: "32", adset_id: "22", status: "PAUSED" },
      { ad_id: "33", adset_id: "23", campaign_id: "12" },
    ],
    insights: [
      ...daily(30, CHEAP),
      ...daily(30, { ...CHEAP, ad_id: "32", adset_id: "22" }),
      ...daily(30, { ...CHEAP, ad_id: "33", adset_id: "23", campaign_id: "12" }),
    ],
  });
  for (const entityType of ["campaign", "adset", "ad"] as const) {
    await recommend(configId, { entityType });
  }
  const started = (await told(configId)).filter((line) => line.includes("REACTIVATE"));
  assertEquals(started, ["12 REACTIVATE active", "22 REACTIVATE active", "31 REACTIVATE active"]);
  const { suggested_action, priority } = await only(configId, "31");
  assertEquals([suggested_action?.change_value, priority], ["ACTIVE", 3]);
});

Deno.test("recommendations pauses what has been an underperformer for seven days without a break", async () => {
  const configId = await addAccount({
    insights: ["31", "32", "33"].flatMap((ad_id) =>
      // Each the only one in its ad set, at 1.8 times the target.
      daily(30, { ...ORDINARY, spend: 72, ad_id, adset_id: `2${ad_id}` })
    ),
  });
  const tiers = (entityId: string, days: number, tier = "UNDERPERFORMER", until = AS_OF) =>
    database.sql`
      insert into ads.ml_classifications (
        config_id, entity_type, entity_id, tier, confidence_score, model_version, as_of,
        classified_at, valid_until
      )
      select
        ${configId}, 'ad', ${entityId}, ${tier}, 0.9, 'test', day::date, day, day
      from generate_series(
        ${until}::date - ${days}::integer + 1, ${until}::date, interval '1 day'
      ) day`;
  await tiers("31", 7);
  await tiers("32", 6);
  await tiers("33", 12);
  await tiers("33", 1, "LOW", addDays(AS_OF, -3));
  await recommend(configId);
  assertEquals(await told(configId), ["31 PAUSE active"]);
  const { reason_code, reasoning: { compared } } = await only(configId, "31");
  assertEquals(reason_code, "pause_lasting");
  assertEquals(compared.find(({ name }) => name === "days_underperforming")?.value, 7);
});

Deno.test("recommendations obeys what the account overrides", async () => {
  const configId = await addAccount({
    campaigns: [{ campaign_id: "11" }],
    adsets: [{ adset_id: "21", daily_budget: 100 }],
    insights: THREE_ADS,
    settings: {
      guardrails: { budget_step_percent: 5, recommendations_per_entity: 1 },
      rules: { pause_expensive: { ratio: 50 }, pause_against_siblings: { times_siblings: 50 } },
    },
  });
  await recommend(configId);
  assertEquals(await told(configId), ["32 SCALE_UP active"]);
  const { reasoning: { suggestion } } = await only(configId, "32");
  assertEquals(suggestion, { change: "budget", percent: 5 });
});

Deno.test("recommendations fails with the reason, and stores nothing, when an override is wrong", async () => {
  const configId = await addAccount({
    insights: THREE_ADS,
    settings: { rules: { scale_up: { probability: 2 } } },
  });
  const { message } = await assertRejects(() => recommend(configId), Refusal);
  assertMatch(message, /^Account \d+ has wrong settings: rules\.scale_up\.probability: /);
  const { sql } = database;
  const [run] = await sql`
    select status, error from ads.job_runs where config_id = ${configId}`;
  assertEquals(run?.status, "failed");
  assertMatch(run?.error, /rules\.scale_up\.probability/);
  const features = await sql`select from ads.ml_features where config_id = ${configId}`;
  assertEquals([await stored(configId), features.length], [[], 0]);
});

Deno.test("recommendations refuses an override that nobody knows", async () => {
  const configId = await addAccount({ settings: { rules: { scale_upp: {} } } });
  const { message } = await assertRejects(() => recommend(configId), Refusal);
  assertMatch(message, /scale_upp/);
});

Deno.test("recommendations reasons by nothing but what is stored", async () => {
  const configId = await addAccount({ insights: THREE_ADS, settings: { language: "pt" } });
  await recommend(configId);
  const { sql } = database;
  const rows = await stored(configId);
  assertEquals(rows.length, 3);
  for (const { entity_id, reasoning, title, description, suggested_action } of rows) {
    const [features] = await sql`
      select *
      from ads.ml_features
      where config_id = ${configId}
        and entity_type = 'ad'
        and entity_id = ${entity_id}
        and feature_date = ${reasoning.as_of}`;
    for (const [name, value] of Object.entries(reasoning.features)) {
      assertEquals([name, value], [name, features?.[name]]);
    }
    const [evidence] = await sql`
      select alpha, beta
      from ads.entity_evidence
      where config_id = ${configId}
        and entity_type = 'ad'
        and entity_id = ${entity_id}
        and as_of = ${reasoning.as_of}
        and metric = 'cpl'`;
    const { alpha, beta, reference } = reasoning.estimate;
    assertEquals([alpha, beta, reference], [evidence?.alpha, evidence?.beta, 10]);
    assertEquals(tell(reasoning, "pt"), {
      title,
      description,
      suggested_action: suggested_action ?? {},
    });
  }
});

Deno.test("recommendations changes nothing when it runs again on the same day", async () => {
  const configId = await addAccount();
  await recommend(configId);
  const before = await stored(configId);
  const { generated, superseded } = await recommend(configId, { now: morningAfter(AS_OF, 5) });
  assertEquals([generated, superseded, await stored(configId)], [0, 0, before]);
});

Deno.test("recommendations leaves entities alone on the next day while something is open", async () => {
  const configId = await addAccount();
  await recommend(configId);
  const before = await stored(configId);
  // Another one fires by now.
  await database.sql`
    delete from ads.ml_recommendations
    where config_id = ${configId} and recommendation_type = 'SCALE_UP'`;
  await recommend(configId, { asOf: addDays(AS_OF, 1) });
  assertEquals(
    await stored(configId),
    before.filter((row) => row.recommendation_type !== "SCALE_UP"),
  );
});

Deno.test("recommendations withdraws what new data refute, and nothing else", async () => {
  const configId = await addAccount();
  await recommend(configId);
  await setLeads(configId, "31", 6);
  const asOf = addDays(AS_OF, 1);
  const { superseded, generated } = await recommend(configId, { asOf });
  assertEquals([superseded, generated], [1, 0]);
  const { status, superseded_because, superseded_at } = await only(configId, "31");
  assertEquals(
    [status, superseded_because, superseded_at],
    ["superseded", "refuted", morningAfter(asOf)],
  );
  assertEquals((await told(configId)).slice(1), [
    "32 SCALE_UP active",
    "32 CREATIVE_WINNER active",
  ]);
});

Deno.test("recommendations says the opposite at once when the data do", async () => {
  const configId = await addAccount();
  await recommend(configId);
  await setLeads(configId, "31", 12);
  await recommend(configId, { asOf: addDays(AS_OF, 1) });
  const lines = (await told(configId)).filter((line) => line.startsWith("31"));
  assertEquals(lines, ["31 PAUSE refuted", "31 SCALE_UP active"]);
});

Deno.test("recommendations keeps what was said on a later day when it replays an earlier one", async () => {
  const configId = await addAccount();
  await recommend(configId);
  const before = await stored(configId);
  // Until four days ago the dear ad was an ordinary one.
  await database.sql`
    update ads.insights
    set leads = 6
    where config_id = ${configId} and ad_id = '31' and date < ${AS_OF}::date - 3`;
  const earlier = { asOf: addDays(AS_OF, -4), now: morningAfter(AS_OF, 5) };
  await recommend(configId, earlier);
  await recommend(configId, { ...earlier, force: true });
  assertEquals(await stored(configId), before);
});

Deno.test("recommendations renews what is open when it is forced", async () => {
  const configId = await addAccount();
  await recommend(configId);
  const asOf = addDays(AS_OF, 1);
  const { superseded, generated } = await recommend(configId, { asOf, force: true });
  assertEquals([superseded, generated], [3, 3]);
  const kinds = ["31 PAUSE", "32 SCALE_UP", "32 CREATIVE_WINNER"];
  assertEquals(await told(configId), [
    ...kinds.map((kind) => `${kind} renewed`),
    ...kinds.map((kind) => `${kind} active`),
  ]);
  assertEquals((await stored(configId)).map((row) => row.as_of), [
    ...kinds.map(() => AS_OF),
    ...kinds.map(() => asOf),
  ]);
});

Deno.test("recommendations gives the same advice once a day however often it is forced", async () => {
  const configId = await addAccount();
  await recommend(configId);
  const { id } = await only(configId, "31");
  const { sql } = database;
  await dismissRecommendation(sql, { id, userId: 7, words: null, at: morningAfter(AS_OF) });
  // Not even what was dismissed and would be more urgent now.
  await sql`update ads.ml_recommendations set priority = 1 where config_id = ${configId} and id = ${id}`;
  const before = await stored(configId);
  const { generated } = await recommend(configId, { force: true, now: morningAfter(AS_OF, 5) });
  assertEquals([generated, await stored(configId)], [0, before]);
});

Deno.test("recommendations marks what has expired, and gives the same advice anew", async () => {
  const configId = await addAccount();
  await recommend(configId);
  const asOf = addDays(AS_OF, 3);
  // A moment before, it is open.
  const early = await recommend(configId, {
    asOf,
    now: new Date(morningAfter(asOf).getTime() - 1),
  });
  assertEquals([early.expired, early.generated], [0, 0]);
  const { expired, generated } = await recommend(configId, { asOf });
  assertEquals([expired, generated], [1, 1]);
  const lines = (await told(configId)).filter((line) => line.startsWith("31"));
  assertEquals(lines, ["31 PAUSE expired", "31 PAUSE active"]);
});

/** Makes advice about the ad 31 and dismisses it, with the confidence and the priority that are given. */
async function dismissPause(
  configId: number,
  { confidence, priority }: { confidence?: number; priority?: number } = {},
): Promise<void> {
  const { sql } = database;
  await recommend(configId);
  const { id } = await only(configId, "31");
  await dismissRecommendation(sql, { id, userId: 7, words: "Brand ad", at: morningAfter(AS_OF) });
  await sql`
    update ads.ml_recommendations
    set
      confidence_score = coalesce(${confidence ?? null}, confidence_score),
      priority = coalesce(${priority ?? null}, priority)
    where config_id = ${configId} and id = ${id}`;
}

/** How often the advice about the ad 31 was given until a day. */
async function pausesTo(configId: number, asOf: string): Promise<number> {
  await recommend(configId, { asOf });
  return (await stored(configId)).filter((row) => row.entity_id === "31").length;
}

Deno.test("recommendations keeps away what somebody dismissed until it would have expired", async () => {
  const configId = await addAccount();
  await dismissPause(configId);
  assertEquals(await pausesTo(configId, addDays(AS_OF, 1)), 1);
  assertEquals(await pausesTo(configId, addDays(AS_OF, 2)), 1);
  assertEquals(await pausesTo(configId, addDays(AS_OF, 3)), 2);
  assertEquals((await told(configId))[0], "31 PAUSE dismissed");
});

Deno.test("recommendations brings back what was dismissed when its doubt shrank to a quarter", async () => {
  const configId = await addAccount();
  await dismissPause(configId, { confidence: 0.9 });
  assertEquals(await pausesTo(configId, addDays(AS_OF, 1)), 2);
});

Deno.test("recommendations asks the account how much doubt has to shrink", async () => {
  const settings = { guardrails: { dismissed_doubt_share: 0 } };
  const configId = await addAccount({ insights: THREE_ADS, settings });
  await dismissPause(configId, { confidence: 0.9 });
  assertEquals(await pausesTo(configId, addDays(AS_OF, 1)), 1);
});

Deno.test("recommendations brings back what was dismissed when it became more urgent", async () => {
  const settings = { guardrails: { dismissed_doubt_share: 0 } };
  const configId = await addAccount({ insights: THREE_ADS, settings });
  await dismissPause(configId, { priority: 5 });
  assertEquals(await pausesTo(configId, addDays(AS_OF, 1)), 2);
});

Deno.test("recommendations keeps away what was dismissed although there never was a doubt", async () => {
  const configId = await addAccount();
  await recommend(configId);
  const { sql } = database;
  const winner = (await stored(configId)).find((row) =>
    row.recommendation_type === "CREATIVE_WINNER"
  );
  assertEquals(winner?.confidence_score, 1);
  for (const { id } of await stored(configId)) {
    await dismissRecommendation(sql, { id, userId: 7, words: null, at: morningAfter(AS_OF) });
  }
  await recommend(configId, { asOf: addDays(AS_OF, 1) });
  assertEquals((await stored(configId)).length, 3);
});

Deno.test("recommendations moves no money for 72 hours after somebody followed such advice", async () => {
  const configId = await addAccount({ insights: daily(30, CHEAP) });
  const raise = async (asOf: string, now: Date) =>
    (await recommend(configId, { entityType: "adset", asOf, now })).generated;
  assertEquals(await raise(AS_OF, morningAfter(AS_OF)), 1);
  const { id } = await only(configId, "21");
  const at = morningAfter(AS_OF, 4);
  await applyRecommendation(database.sql, { id, userId: 7, words: null, at });
  const asOf = addDays(AS_OF, 3);
  assertEquals(await raise(addDays(AS_OF, 1), morningAfter(addDays(AS_OF, 1))), 0);
  assertEquals(await raise(asOf, new Date(at.getTime() + 72 * HOUR - 1)), 0);
  assertEquals(await raise(asOf, new Date(at.getTime() + 72 * HOUR)), 1);
  assertEquals(await told(configId), ["21 SCALE_UP applied", "21 SCALE_UP active"]);
});

Deno.test("recommendations lets an account set its cooldown, but repeats no stop before its expiry", async () => {
  const settings = { guardrails: { cooldown_hours: 1 } };
  const configId = await addAccount({ insights: THREE_ADS, settings });
  await recommend(configId);
  const { id } = await only(configId, "31");
  const at = morningAfter(AS_OF);
  await applyRecommendation(database.sql, { id, userId: 7, words: null, at });
  assertEquals(await pausesTo(configId, addDays(AS_OF, 1)), 1);
  assertEquals(await pausesTo(configId, addDays(AS_OF, 2)), 1);
  assertEquals(await pausesTo(configId, addDays(AS_OF, 3)), 2);
});

Deno.test("recommendations decides only about the entities that are asked for", async () => {
  const configId = await addAccount();
  const { read, decided } = await recommend(configId, { entityIds: ["31", "no such ad"] });
  assertEquals([read, decided, await told(configId)], [3, 1, ["31 PAUSE active"]]);
});

Deno.test("recommendations touches one account when others hold the same ids", async () => {
  const [one, other] = [await addAccount(), await addAccount()];
  await recommend(one);
  const before = await stored(one);
  await recommend(other, { asOf: addDays(AS_OF, 1), force: true });
  assertEquals(await stored(one), before);
  assertEquals((await stored(other)).length, 3);
});

Deno.test("recommendations says nothing when an account has neither a lead nor a target", async () => {
  const insights = daily(30, { ...ORDINARY, leads: 0 });
  const configId = await addAccount({ insights });
  await database.sql`update ads.accounts set target_cpl = null where config_id = ${configId}`;
  const { read, generated } = await recommend(configId);
  assertEquals([read, generated], [0, 0]);
});

Deno.test("recommendations stores more than one batch", async () => {
  const ads = Array.from({ length: 230 }, (_, index) => `ad ${index}`);
  const configId = await addAccount({
    insights: [
      ...daily(9, { ...ORDINARY, spend: 40_000, leads: 4000, adset_id: "22" }),
      ...ads.flatMap((ad_id) => daily(9, { ...DEAR, spend: 120, ad_id })),
    ],
  });
  const { generated, read } = await recommend(configId);
  assertEquals([read, generated], [231, 230]);
  const rows = await stored(configId);
  assertEquals(new Set(rows.map((row) => row.entity_id)), new Set(ads));
});
