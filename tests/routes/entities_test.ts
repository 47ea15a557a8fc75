import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { z } from "zod";
import { EntityDetail, EntityList } from "../../routes/entities.ts";
import { FeaturesList } from "../../routes/features.ts";
import { openService } from "./service.ts";

let service: Awaited<ReturnType<typeof openService>>;
Deno.test.beforeAll(async () => {
  service = await openService();
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

const list = async (query: string) =>
  (await service.get(`/api/v1/entities?config_id=1&${query}`)).read(EntityList.schema);
const names = async (query: string) => (await list(query)).data.map((entity) => entity.name);

const Interval = z.object({ low: z.number(), high: z.number() });

/** The evidence on an entity of which enough is known. */
const KnownRates = z.object({
  cpl: z.object({
    mean: z.number(),
    median: z.number(),
    interval_80: Interval,
    interval_95: Interval,
    alpha: z.number(),
    beta: z.number(),
  }),
  ctr: z.object({ mean: z.number() }),
});

Deno.test("GET /entities answers with an entity and its totals of the last 7 days", async () => {
  const { status, body } = await service.get(
    "/api/v1/entities?config_id=1&entity_type=adset&entity_id=21",
  );
  const entity = {
    config_id: 1,
    entity_type: "adset",
    entity_id: "21",
    parent_id: "11",
    campaign_id: "11",
    adset_id: "21",
    name: "Parents",
    objective: "OUTCOME_LEADS",
    status: "ACTIVE",
    effective_status: null,
    daily_budget: null,
    lifetime_budget: null,
    has_budget: true,
    budget_holder: "campaign",
    is_active: true,
    totals: {
      impressions: 14_000,
      reach: 11_200,
      clicks: 140,
      spend: 280,
      leads: 35,
      conversions: 35,
      ctr: 1,
      cpc: 2,
      cpl: 8,
      days_active: 7,
    },
  };
  assertEquals(status, 200);
  assertEquals(body, {
    config_id: 1,
    date_from: "2026-03-04",
    date_to: "2026-03-10",
    total: 1,
    page: 1,
    page_size: 50,
    next_after: null,
    data: [entity],
    entities: [entity],
  });
});

Deno.test("GET /entities filters by level, parent, state and name", async () => {
  assertEquals(await names(""), ["Spring", "Winter"]);
  assertEquals(await names("is_active=true"), ["Spring"]);
  assertEquals(await names("is_active=0"), ["Winter"]);
  assertEquals(await names("entity_type=adset&parent_id=11"), ["Parents", "Lookalike"]);
  assertEquals(await names("entity_type=ad&parent_id=21"), ["Video <b>", "Image"]);
  assertEquals(await names("entity_type=ad&campaign_id=12"), ["Snow"]);
  assertEquals(await names("entity_type=ad&adset_id=22"), ["Carousel"]);
  assertEquals(await names("entity_type=ad&is_active=false"), ["Snow"]);
  assertEquals(await names("entity_type=ad&search=CAR"), ["Carousel"]);
  assertEquals(await names("entity_type=ad&search=%25"), []);
});

Deno.test("GET /entities pages by key through all entities", async () => {
  const { total, next_after } = await list("entity_type=ad&limit=3");
  assertEquals([total, next_after], [4, "33"]);
  assertEquals(await names(`entity_type=ad&limit=3&after=${next_after}`), ["Snow"]);
});

Deno.test("GET /entities has null ratios when nothing was delivered in the period", async () => {
  const { total, data } = await list("date_from=2026-01-01&date_to=2026-01-31&count=false");
  assertEquals([total, data.length], [null, 2]);
  for (const { totals: { spend, cpl, ctr, reach } } of data) {
    assertEquals([spend, cpl, ctr, reach], [0, null, null, null]);
  }
});

Deno.test("GET /entities/{entity_type}/{entity_id} adds features, evidence and tier", async () => {
  const answer = await service.get("/api/v1/entities/ad/31?config_id=1");
  assertEquals(answer.status, 200);
  const { name, as_of, features, classification } = answer.read(EntityDetail);
  assertEquals([name, as_of, classification], ["Video <b>", "2026-03-10", null]);
  assertEquals([features?.leads_7d, features?.cpl_7d, features?.spend_7d], [28, 5, 140]);
  assertEquals(features?.computed_at, "2026-03-11T16:00:00.000Z");
  const { cpl, ctr } = answer.read(z.object({ evidence: KnownRates })).evidence;
  assertAlmostEquals(cpl.mean, cpl.beta / (cpl.alpha - 1));
  const { interval_80: narrow, interval_95: wide } = cpl;
  assert(wide.low < narrow.low && narrow.low < cpl.median);
  assert(cpl.median < narrow.high && narrow.high < wide.high);
  // Ten of a thousand impressions were clicks, every day.
  assertAlmostEquals(ctr.mean, 1, 0.1);
});

Deno.test("GET /entities/{entity_type}/{entity_id} has no features when nothing was delivered", async () => {
  const answer = await service.get("/api/v1/entities/ad/34?config_id=1");
  const { features, evidence } = answer.read(EntityDetail);
  assertEquals([answer.status, features], [200, null]);
  assertEquals(evidence, { cpl: null, ctr: null, conversion_rate: null });
});

Deno.test("GET /entities/{entity_type}/{entity_id} answers 404 when the level does not fit", async () => {
  const { status, body } = await service.get("/api/v1/entities/campaign/31?config_id=1");
  assertEquals(status, 404);
  assertEquals(body, {
    code: "not_found",
    message: 'There is no campaign "31" in this account',
  });
  assertEquals((await service.get("/api/v1/entities/ad/31?config_id=2")).status, 404);
  assertEquals((await service.get("/api/v1/entities/advert/31?config_id=1")).status, 400);
});

Deno.test("GET /entities/{entity_type}/{entity_id}/daily adds up its ads by day", async () => {
  const { body } = await service.get(
    "/api/v1/entities/campaign/11/daily?config_id=1&date_from=2026-03-09&date_to=2026-03-31",
  );
  const day = {
    spend: 60,
    impressions: 3000,
    reach: 2400,
    clicks: 30,
    link_clicks: null,
    leads: 7,
    conversions: 7,
    ctr: 1,
    cpc: 2,
    cpl: 60 / 7,
  };
  const data = [{ date: "2026-03-09", ...day }, { date: "2026-03-10", ...day }];
  assertEquals(body, {
    config_id: 1,
    entity_type: "campaign",
    entity_id: "11",
    date_from: "2026-03-09",
    date_to: "2026-03-31",
    total: 2,
    data,
    daily: data,
  });
});

Deno.test("GET /entities/{entity_type}/{entity_id}/daily refuses more than 1,000 days", async () => {
  const path = "/api/v1/entities/ad/31/daily?config_id=1&date_to=2026-03-10&date_from=";
  assertEquals((await service.get(`${path}2023-06-15`)).status, 200);
  assertEquals((await service.get(`${path}2023-06-14`)).status, 400);
});

Deno.test("GET /features answers for a day, a parent and a period", async () => {
  const get = async (query: string) =>
    (await service.get(`/api/v1/features?config_id=1&${query}`)).read(FeaturesList.schema);
  const day = await get("entity_type=ad&parent_id=21");
  assertEquals([day.date_from, day.date_to, day.total], ["2026-03-10", "2026-03-10", 2]);
  assertEquals(
    day.data.map(({ entity_id, cpl_7d, leads_7d }) => [entity_id, cpl_7d, leads_7d]),
    [["31", 5, 28], ["32", 20, 7]],
  );
  assertEquals(day.features, day.data);
  const earlier = await get("entity_type=ad&entity_id=31&as_of=2026-02-20");
  assertEquals(earlier.data.map((row) => row.leads_7d), [8]);
  const period = await get("entity_id=11&date_from=2026-03-08&date_to=2026-03-10");
  assertEquals(period.data.map((row) => row.as_of), [
    "2026-03-08",
    "2026-03-09",
    "2026-03-10",
  ]);
  assertEquals((await get("is_active=false")).data, []);
});

Deno.test("GET /features refuses a period of more than 31 days", async () => {
  const path = "/api/v1/features?config_id=1&date_to=2026-03-31&date_from=2026-02-";
  assertEquals((await service.get(`${path}28`)).status, 400);
  assertEquals(
    (await service.get("/api/v1/features?config_id=1&date_from=2026-03-12")).status,
    400,
  );
});
