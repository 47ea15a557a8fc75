import { assertAlmostEquals, assertEquals } from "@std/assert";
import {
  Classification,
  ClassificationList,
  ClassificationSummary,
} from "../../routes/classifications.ts";
import { NOW, openService, storeClassifications } from "./service.ts";

type Service = Awaited<ReturnType<typeof openService>>;
let service: Service;

Deno.test.beforeAll(async () => {
  service = await openService();
  await storeClassifications(service, [
    {
      entityType: "campaign",
      entityId: "11",
      tier: "LOW",
      confidence: 0.5,
      at: "2026-02-01T05:00Z",
    },
    {
      entityType: "ad",
      entityId: "31",
      tier: "MODERATE",
      confidence: 0.6,
      at: "2026-03-08T06:00Z",
    },
    { entityType: "ad", entityId: "32", tier: "LOW", confidence: 0.7, at: "2026-03-09T06:00Z" },
    {
      entityType: "ad",
      entityId: "31",
      tier: "HIGH_PERFORMER",
      confidence: 0.9,
      at: "2026-03-10T06:00Z",
    },
    { entityType: "ad", entityId: "33", tier: "LOW", confidence: 0.8, at: "2026-03-10T06:00Z" },
  ]);
  await service.sql`
    update ads.ml_classifications
    set previous_tier = 'MODERATE', tier_change_direction = 'improved'
    where config_id = 1 and id = 104`;
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

const list = (query: string) => service.get(`/api/v1/classifications?config_id=1&${query}`);
const read = async (query: string) => (await list(query)).read(ClassificationList.schema);
const summary = async (query: string) =>
  (await service.get(`/api/v1/classifications/summary?${query}`)).read(ClassificationSummary);
const ids = (rows: { id: number }[]) => rows.map((row) => row.id);

Deno.test("GET /classifications answers with every field of the newest row first", async () => {
  const { status, body } = await list("entity_type=ad&limit=1&offset=1");
  const row = {
    id: 104,
    config_id: 1,
    entity_type: "ad",
    entity_id: "31",
    entity_name: "Video <b>",
    parent_id: "21",
    campaign_id: "11",
    campaign_name: "Spring",
    tier: "HIGH_PERFORMER",
    classification_label: "GOOD",
    confidence_score: 0.9,
    tier_probabilities: null,
    metrics_snapshot: {
      cpl_7d: null,
      ctr_7d: null,
      leads_7d: 3,
      spend_7d: 0,
      cpl_trend: null,
      avg_cpl_reference: null,
    },
    feature_importances: null,
    model_version: "test",
    previous_tier: "MODERATE",
    tier_change_direction: "improved",
    as_of: "2026-03-09",
    classified_at: "2026-03-10T06:00:00.000Z",
    valid_until: "2026-03-11T06:00:00.000Z",
    generated_at: "2026-03-10T06:00:00.000Z",
    window_days: 30,
  };
  assertEquals(status, 200);
  assertEquals(body, {
    config_id: 1,
    total: 4,
    page: 2,
    page_size: 1,
    next_after: 104,
    by_tier: { HIGH_PERFORMER: 1, MODERATE: 1, LOW: 2, UNDERPERFORMER: 0 },
    data: [row],
    classifications: [row],
  });
});

Deno.test("GET /classifications is about campaigns when no level is given", async () => {
  const { body } = await list("");
  const { data } = await read("");
  assertEquals(data.map((row) => [row.id, row.campaign_id, row.campaign_name]), [
    [101, "11", "Spring"],
  ]);
  assertEquals((await service.get("/api/v1/classifications/campaigns?config_id=1")).body, body);
});

Deno.test("GET /classifications counts all tiers when it is filtered by one", async () => {
  const page = await read("entity_type=ad&tier=LOW&limit=1");
  assertEquals(ids(page.data), [105]);
  assertEquals(page.total, 2);
  assertEquals(page.by_tier, { HIGH_PERFORMER: 1, MODERATE: 1, LOW: 2, UNDERPERFORMER: 0 });
});

Deno.test("GET /classifications filters by entity, confidence and time", async () => {
  const of = async (query: string) => ids((await read(`entity_type=ad&${query}`)).data);
  assertEquals(await of("entity_id=31"), [104, 102]);
  assertEquals(await of("campaign_id=31"), [104, 102]);
  assertEquals(await of("min_confidence=0.8"), [105, 104]);
  assertEquals(await of("min_confidence=8e-1"), [105, 104]);
  assertEquals(await of("date_from=2026-03-09"), [105, 104, 103]);
  assertEquals(await of("date_to=2026-03-09"), [103, 102]);
  assertEquals(await of("date_from=2026-03-09T01:00:00-05:00&date_to=2026-03-09T06:00:00"), [103]);
  assertEquals(await of("date_from=2026-03-09T06:00:01Z&date_to=2026-03-10T05:59:59Z"), []);
});

Deno.test("GET /classifications pages by number, by offset and by key to the same rows", async () => {
  const byNumber = await read("entity_type=ad&page=2&page_size=2");
  assertEquals(ids(byNumber.data), [103, 102]);
  assertEquals([byNumber.page, byNumber.page_size], [2, 2]);
  const byOffset = await read("entity_type=ad&limit=2&offset=2");
  assertEquals(byOffset, byNumber);
  const first = await read("entity_type=ad&limit=2");
  assertEquals(first.next_after, 104);
  const byKey = await read(`entity_type=ad&limit=2&after=${first.next_after}`);
  assertEquals(byKey.data, byNumber.data);
  assertEquals((await read("entity_type=ad&limit=3&after=104")).next_after, null);
});

Deno.test("GET /classifications leaves the counts out when it is told not to count", async () => {
  for (const no of ["false", "0"]) {
    const { total, by_tier, data } = await read(`entity_type=ad&count=${no}`);
    assertEquals([total, by_tier, data.length], [null, null, 4]);
  }
});

Deno.test("GET /classifications answers an empty page when the offset is past the end", async () => {
  const answer = await list("entity_type=ad&offset=2147483647");
  const { total, data } = answer.read(ClassificationList.schema);
  assertEquals([answer.status, total, data], [200, 4, []]);
});

Deno.test("GET /classifications finds the account by Meta's id with and without act_", async () => {
  const expected = (await list("")).body;
  for (const id of ["1234567890", "act_1234567890"]) {
    const { body } = await service.get(`/api/v1/classifications?ad_account_id=${id}`);
    assertEquals(body, expected);
  }
  const { status } = await list("ad_account_id=act_999");
  assertEquals(status, 404);
});

Deno.test("GET /classifications answers 404 when there is no such account, whatever else it names", async () => {
  for (const account of ["config_id=3", "config_id=1&ad_account_id=999", "config_id=2147483647"]) {
    const { status } = await service.get(`/api/v1/classifications?${account}&count=false`);
    assertEquals(status, 404, account);
  }
  const empty = await service.get("/api/v1/classifications?config_id=2");
  assertEquals([empty.status, empty.read(ClassificationList.schema).data], [200, []]);
});

Deno.test("GET /classifications/campaigns/{campaign_id} answers with the newest one", async () => {
  const answer = await service.get("/api/v1/classifications/campaigns/11?config_id=1");
  const { id, tier, classification_label } = answer.read(Classification);
  assertEquals([id, tier, classification_label], [101, "LOW", "BAD"]);
  const none = await service.get("/api/v1/classifications/campaigns/12?config_id=1");
  assertEquals(none.status, 404);
  assertEquals(none.body, {
    code: "not_found",
    message: 'There is no classification of "12"',
  });
});

Deno.test("GET /classifications/summary sums up the newest row per entity in the window", async () => {
  const { average_confidence, top_items, ...rest } = await summary(
    "config_id=1&entity_type=ad&window_days=3",
  );
  assertEquals(rest, {
    config_id: 1,
    window_days: 3,
    date_from: null,
    date_to: null,
    total_campaigns: 3,
    total: 3,
    by_tier: { HIGH_PERFORMER: 1, MODERATE: 0, LOW: 2, UNDERPERFORMER: 0 },
    by_label: { GOOD: 1, OK: 0, BAD: 2 },
    recent_changes: 1,
    last_classification_at: "2026-03-10T06:00:00.000Z",
    last_classification: "2026-03-10T06:00:00.000Z",
  });
  assertAlmostEquals(average_confidence, 0.8);
  assertEquals(ids(top_items), [104, 105, 103]);
});

Deno.test("GET /classifications/summary takes the newest row before the end of a given time", async () => {
  const { by_tier, date_to } = await summary("config_id=1&entity_type=ad&date_to=2026-03-09");
  assertEquals(by_tier, { HIGH_PERFORMER: 0, MODERATE: 1, LOW: 1, UNDERPERFORMER: 0 });
  assertEquals(date_to, "2026-03-09T23:59:59.999Z");
});

Deno.test("GET /classifications/summary has zeros when nothing is classified", async () => {
  const { total, average_confidence, top_items, last_classification_at } = await summary(
    "config_id=2",
  );
  assertEquals([total, average_confidence, top_items], [0, 0, []]);
  assertEquals(last_classification_at, null);
});

Deno.test("GET /classifications and their summary tell what was stored by SQL alone since", async () => {
  await using other = await openService();
  const { sql } = other;
  const ask = (path: string) => other.get(`/api/v1/classifications${path}?config_id=1`);
  const seen = async () => {
    const { data } = (await ask("")).read(ClassificationList.schema);
    const { total, top_items } = (await ask("/summary")).read(ClassificationSummary);
    const names = [...data, ...top_items].map((row) => row.entity_name);
    return [total, ...names];
  };
  assertEquals(await seen(), [0]);
  await storeClassifications(other, [{
    entityType: "campaign",
    entityId: "11",
    tier: "LOW",
    confidence: 0.5,
    at: "2026-03-10T06:00Z",
  }]);
  assertEquals(await seen(), [1, "Spring", "Spring"]);
  await sql`update ads.campaigns set name = 'Summer' where campaign_id = '11'`;
  assertEquals(await seen(), [1, "Summer", "Summer"]);
  await sql`delete from ads.ml_classifications`;
  assertEquals(await seen(), [0]);
});

Deno.test("GET /classifications/summary leaves out what left the last days though nothing is stored", async () => {
  const clock = { time: NOW };
  await using other = await openService({ now: () => clock.time });
  await storeClassifications(other, [
    {
      entityType: "campaign",
      entityId: "11",
      tier: "LOW",
      confidence: 0.5,
      at: "2026-03-10T06:00Z",
    },
    {
      entityType: "campaign",
      entityId: "12",
      tier: "LOW",
      confidence: 0.6,
      at: "2026-03-11T06:00Z",
    },
  ]);
  const totalAt = async (time: string) => {
    clock.time = new Date(time);
    const path = "/api/v1/classifications/summary?config_id=1&window_days=1";
    return (await other.get(path)).read(ClassificationSummary).total;
  };
  assertEquals(await totalAt("2026-03-11T06:00:00.000Z"), 2);
  assertEquals(await totalAt("2026-03-11T06:00:00.001Z"), 1);
  assertEquals(await totalAt("2026-03-12T06:00:00.001Z"), 0);
});

Deno.test("GET /classifications/summary shows five of the best tiers, the surest of each first", async () => {
  await using other = await openService();
  await storeClassifications(other, [
    ...["31", "32", "33", "34"].map((entityId, index) => ({
      entityType: "ad",
      entityId,
      tier: index < 2 ? "LOW" : "MODERATE",
      confidence: 0.5 + index % 2 / 10,
      at: "2026-03-10T06:00Z",
    })),
  ]);
  const path = "/api/v1/classifications/summary?config_id=1&entity_type=ad";
  const { top_items } = (await other.get(path)).read(ClassificationSummary);
  assertEquals(top_items.map((row) => row.entity_id), ["34", "33", "32", "31"]);
});
