import { assertEquals } from "@std/assert";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { insertAccount } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

/** One column of all entities of an account, by their ids. */
async function column(configId: number, name: string) {
  const { sql } = database;
  const rows = await sql<{ entity_id: string; value: unknown }[]>`
    select entity_id, ${sql(name)} as value
    from ads.entities
    where config_id = ${configId}
    order by entity_id`;
  return Object.fromEntries(rows.map(({ entity_id, value }) => [entity_id, value]));
}

Deno.test("ads.entities has every level with its parents, names and own budgets", async () => {
  await insertAccount(database.sql, 1, {
    campaigns: [{
      campaign_id: "11",
      objective: "OUTCOME_LEADS",
      status: "ACTIVE",
      effective_status: "ACTIVE",
      lifetime_budget: 500,
    }],
    adsets: [{ adset_id: "21", status: "ACTIVE", effective_status: "CAMPAIGN_PAUSED" }],
    ads: [{ ad_id: "31", status: "PAUSED" }],
  });
  const rows = await database.sql`
    select config_id, entity_type, entity_id, parent_id, campaign_id, adset_id, name, objective,
      status, effective_status, daily_budget, lifetime_budget, has_budget, budget_holder, is_active
    from ads.entities
    where config_id = 1
    order by entity_id`;
  assertEquals(
    [...rows],
    [
      {
        config_id: 1,
        entity_type: "campaign",
        entity_id: "11",
        parent_id: null,
        campaign_id: "11",
        adset_id: null,
        name: "campaign 11",
        objective: "OUTCOME_LEADS",
        status: "ACTIVE",
        effective_status: "ACTIVE",
        daily_budget: null,
        lifetime_budget: 500,
        has_budget: true,
        budget_holder: "campaign",
        is_active: true,
      },
      {
        config_id: 1,
        entity_type: "adset",
        entity_id: "21",
        parent_id: "11",
        campaign_id: "11",
        adset_id: "21",
        name: "ad set 21",
        objective: "OUTCOME_LEADS",
        status: "ACTIVE",
        effective_status: "CAMPAIGN_PAUSED",
        daily_budget: null,
        lifetime_budget: null,
        has_budget: true,
        budget_holder: "campaign",
        is_active: false,
      },
      {
        config_id: 1,
        entity_type: "ad",
        entity_id: "31",
        parent_id: "21",
        campaign_id: "11",
        adset_id: "21",
        name: "ad 31",
        objective: "OUTCOME_LEADS",
        status: "PAUSED",
        effective_status: null,
        daily_budget: null,
        lifetime_budget: null,
        has_budget: true,
        budget_holder: "campaign",
        is_active: false,
      },
    ],
  );
});

Deno.test("ads.entities names the level that holds the budget", async () => {
  await insertAccount(database.sql, 2, {
    campaigns: [
      { campaign_id: "11", daily_budget: 100 },
      { campaign_id: "12" },
      { campaign_id: "13" },
    ],
    adsets: [
      { adset_id: "21", daily_budget: 10 },
      { adset_id: "22", campaign_id: "12", lifetime_budget: 10 },
      { adset_id: "23", campaign_id: "12" },
      { adset_id: "24", campaign_id: "13" },
    ],
    ads: [
      { ad_id: "31" },
      { ad_id: "32", adset_id: "22", campaign_id: "12" },
      { ad_id: "33", adset_id: "23", campaign_id: "12" },
      { ad_id: "34", adset_id: "24", campaign_id: "13" },
    ],
  });
  assertEquals(await column(2, "budget_holder"), {
    "11": "campaign",
    "12": null,
    "13": null,
    // A campaign's budget pays even where the ad set has a limit of its own.
    "21": "campaign",
    "22": "adset",
    "23": null,
    "24": null,
    "31": "campaign",
    "32": "adset",
    "33": null,
    "34": null,
  });
  const held = Object.entries(await column(2, "has_budget")).filter(([, has]) => has);
  assertEquals(held.map(([id]) => id), ["11", "21", "22", "31", "32"]);
});

Deno.test("ads.entities counts as active only what runs together with all above it", async () => {
  await insertAccount(database.sql, 3, {
    campaigns: [{ campaign_id: "11", status: "ACTIVE" }, { campaign_id: "12", status: "PAUSED" }],
    adsets: [
      { adset_id: "21", status: "ACTIVE" },
      { adset_id: "22", status: "ARCHIVED" },
      { adset_id: "23", campaign_id: "12", status: "ACTIVE" },
    ],
    ads: [
      { ad_id: "31", status: "ACTIVE" },
      { ad_id: "32", status: "PAUSED" },
      { ad_id: "33", adset_id: "22", status: "ACTIVE" },
      { ad_id: "34", adset_id: "23", campaign_id: "12", status: "ACTIVE" },
    ],
  });
  assertEquals(await column(3, "is_active"), {
    "11": true,
    "12": false,
    "21": true,
    "22": false,
    "23": false,
    "31": true,
    "32": false,
    "33": false,
    "34": false,
  });
});

Deno.test("ads.entities takes an unknown or untold status for running, the effective one first", async () => {
  await insertAccount(database.sql, 4, {
    campaigns: [
      { campaign_id: "11" },
      { campaign_id: "12", status: "ACTIVE", effective_status: "WITH_ISSUES" },
      { campaign_id: "13", effective_status: "NEVER_HEARD_OF" },
      { campaign_id: "14", status: "ACTIVE", effective_status: "PAUSED" },
      { campaign_id: "15", status: "ACTIVE", effective_status: "DISAPPROVED" },
      { campaign_id: "16", effective_status: "NOT_DELIVERING" },
      { campaign_id: "17", status: "DELETED" },
    ],
  });
  assertEquals(await column(4, "is_active"), {
    "11": true,
    "12": true,
    "13": true,
    "14": false,
    "15": false,
    "16": false,
    "17": false,
  });
});

Deno.test("ads.entities keeps accounts apart when they hold the same ids", async () => {
  const tree = { adsets: [{ adset_id: "21" }], ads: [{ ad_id: "31" }] };
  await insertAccount(database.sql, 5, {
    campaigns: [{ campaign_id: "11", daily_budget: 10 }],
    ...tree,
  });
  await insertAccount(database.sql, 6, {
    campaigns: [{ campaign_id: "11", status: "PAUSED" }],
    ...tree,
  });
  assertEquals(await column(5, "is_active"), { "11": true, "21": true, "31": true });
  assertEquals(await column(6, "is_active"), { "11": false, "21": false, "31": false });
  assertEquals(await column(6, "budget_holder"), { "11": null, "21": null, "31": null });
});
