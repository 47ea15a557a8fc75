import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { z } from "zod";
import { openService, Refused, type Service } from "./service.ts";

const Day = z.object({
  date: z.string(),
  predicted_value: z.number().nullable(),
  confidence_lower: z.number().nullable(),
  confidence_upper: z.number().nullable(),
});
const Forecasts = z.object({
  total: z.number().nullable(),
  data: z.array(z.object({
    id: z.number(),
    entity_id: z.string(),
    target_metric: z.string(),
    forecast_date: z.string(),
    horizon_days: z.number(),
    predictions: z.array(Day),
  })),
});
const Predictions = z.array(z.object({
  id: z.number(),
  prediction_type: z.string(),
  forecast_date: z.string(),
  predicted_value: z.number().nullable(),
}));

let service: Service;
Deno.test.beforeAll(async () => {
  service = await openService();
});
Deno.test.afterAll(async () => await service[Symbol.asyncDispose]());

/** The forecasts of the ads of account 1, and with them those of all levels. */
async function generate() {
  const made = await service.post("/api/v1/forecasts/generate", {
    config_id: 1,
    entity_type: "ad",
    horizon_days: 5,
  });
  assertEquals(made.status, 200);
  return made.read(Forecasts.omit({ total: true }).extend({ as_of: z.string() }));
}

Deno.test("POST /forecasts/generate answers with spend, leads and CPL of each ad, so many days ahead", async () => {
  const made = await generate();
  assertEquals(made.as_of, "2026-03-10");
  const ofOne = made.data.filter(({ entity_id }) => entity_id === "31");
  assertEquals(ofOne.map(({ target_metric }) => target_metric), ["spend", "leads", "cpl"]);
  const [spend, leads, cpl] = ofOne.map(({ predictions }) => predictions);
  assertEquals(spend?.map(({ date }) => date), [11, 12, 13, 14, 15].map((day) => `2026-03-${day}`));
  const value = (days: typeof spend) => days?.[0]?.predicted_value ?? NaN;
  assertAlmostEquals(value(cpl), value(spend) / value(leads), 1e-9);
  assertEquals(new Set(made.data.map(({ id }) => id)).size, made.data.length);
});

Deno.test("GET /forecasts filters by level, entity and metric, and adds up over the levels", async () => {
  await generate();
  const list = async (query: string) =>
    (await service.get(`/api/v1/forecasts?config_id=1&${query}`)).read(Forecasts);
  const of = (page: z.output<typeof Forecasts>) =>
    page.data.reduce((sum, { predictions }) => sum + (predictions[3]?.predicted_value ?? 0), 0);
  const account = await list("entity_type=account&target_metric=leads");
  const ads = await list("entity_type=ad&metric=leads");
  assertEquals([account.total, account.data[0]?.entity_id, ads.total], [1, "1", ads.data.length]);
  assertAlmostEquals(of(account), of(ads), 1e-6);
  const one = await list("entity_type=ad&entity_id=31&count=false");
  assertEquals([one.total, one.data.map(({ entity_id }) => entity_id)], [null, ["31", "31", "31"]]);
  assertEquals((await list("entity_type=ad&date_to=2026-03-01")).data, []);
});

Deno.test("GET /forecasts/pacing tells what the month will come to, and /summary where it is heading", async () => {
  await generate();
  const pacing = (await service.get("/api/v1/forecasts/pacing?config_id=1&entity_type=account"))
    .read(z.object({
      data: z.array(z.object({
        month_end: z.string(),
        days_left: z.number(),
        spend_to_date: z.number(),
        spend: z.number(),
        spend_low80: z.number(),
        spend_high80: z.number(),
      })),
    }));
  const [month] = pacing.data;
  assertEquals([month?.month_end, month?.days_left], ["2026-03-31", 21]);
  if (!month) throw new Error("There is no month");
  assert(month.spend_to_date > 0 && month.spend > month.spend_to_date);
  assert(month.spend_low80 <= month.spend && month.spend <= month.spend_high80);
  const summary = (await service.get("/api/v1/forecasts/summary?config_id=1&window_days=30"))
    .read(z.object({
      total: z.number(),
      by_metric: z.record(z.string(), z.number()),
      trend: z.record(z.string(), z.string()),
    }));
  assertEquals(summary.total, 3 * (summary.by_metric.leads ?? NaN));
  assert(["up", "down", "flat"].includes(summary.trend.spend ?? ""));
});

Deno.test("POST /predictions/leads tells an entity day by day, and refuses what it knows too little of", async () => {
  const ask = (path: string, body: object) =>
    service.post(`/api/v1/predictions/${path}`, { config_id: 1, entity_type: "ad", ...body });
  const leads = (await ask("leads", { entity_id: "31", horizon_days: 3 })).read(Predictions);
  assertEquals(
    leads.map(({ prediction_type }) => prediction_type),
    Array(3).fill("LEADS_FORECAST"),
  );
  const both = (await ask("batch", { entity_ids: ["32", "31"], horizon_days: 2 })).read(
    Predictions,
  );
  assertEquals(both.map(({ forecast_date }) => forecast_date.slice(8)), ["11", "12", "11", "12"]);
  await service.sql`
    insert into ads.ads (config_id, ad_id, adset_id, campaign_id, name)
    values (1, '99', '21', '11', 'New')`;
  const unknown = await ask("cpl", { entity_id: "99" });
  assertEquals([unknown.status, unknown.read(Refused).message], [
    404,
    'There is too little data to forecast the ad "99"',
  ]);
  const series = (await service.get(
    "/api/v1/predictions/series/ad/31?config_id=1&prediction_type=SPEND_FORECAST&limit=4",
  )).read(z.object({ predictions: Predictions }));
  assertEquals(series.predictions.map(({ forecast_date }) => forecast_date.slice(8)), [
    "11",
    "12",
    "13",
    "14",
  ]);
});
