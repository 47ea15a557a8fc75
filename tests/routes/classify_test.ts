import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { openService } from "./service.ts";

const PATH = "/api/v1/classifications/classify";

Deno.test("POST /classifications/classify classifies all active entities of a level", async () => {
  await using service = await openService();
  const { status, body } = await service.post(PATH, { config_id: 1, entity_type: "ad" });
  assertEquals([status, body.as_of, body.classified_count], [200, "2026-03-10", 3]);
  const found = body.classifications.map((
    { entity_id, campaign_name, as_of }: Found,
  ) => [entity_id, campaign_name, as_of]);
  assertEquals(found, [
    ["31", "Spring", "2026-03-10"],
    ["32", "Spring", "2026-03-10"],
    ["33", "Spring", "2026-03-10"],
  ]);
  const video = body.classifications[0];
  assertEquals(video.metrics_snapshot.leads_7d, 28);
  assertEquals(video.metrics_snapshot.cpl_7d, 5);
  assert(video.confidence_score > 0.5 && video.confidence_score <= 1);
});

type Found = { entity_id: string; campaign_name: string; as_of: string; id: number };

Deno.test("POST /classifications/classify keeps what is still valid unless it is forced", async () => {
  await using service = await openService();
  const body = { config_id: "1", entity_type: "ad", campaign_ids: ["31"], entity_ids: null };
  const first = (await service.post(PATH, body)).body.classifications;
  const again = (await service.post(PATH, body)).body.classifications;
  assertEquals(again, first);
  const forced = await service.post(PATH, { ...body, force_reclassify: "true" });
  assertNotEquals(forced.body.classifications[0].id, first[0].id);
});

Deno.test("POST /classifications/campaigns/classify is the same under its older name", async () => {
  await using service = await openService();
  const { body } = await service.post("/api/v1/classifications/campaigns/classify", {
    config_id: 1,
    campaign_ids: ["11"],
    as_of: "2026-03-05",
  });
  assertEquals([body.as_of, body.classified_count], ["2026-03-05", 1]);
  assertEquals(body.classifications[0].entity_id, "11");
});

Deno.test("POST /classifications/classify refuses unknown ids before it does anything", async () => {
  await using service = await openService();
  const { status, body } = await service.post(PATH, {
    config_id: 1,
    entity_type: "ad",
    entity_ids: ["31", "77", "11"],
  });
  assertEquals(status, 404);
  assertEquals(body, {
    code: "not_found",
    message: 'There is no ad "77" in this account',
    details: { entity_ids: ["77", "11"] },
  });
  const [row] = await service.sql`select count(*) as count from ads.ml_classifications`;
  assertEquals(row?.count, 0);
});

Deno.test("POST /classifications/classify answers 404 when one entity has too little data", async () => {
  await using service = await openService();
  const { status, body } = await service.post(PATH, {
    config_id: 1,
    entity_type: "ad",
    entity_ids: ["34"],
  });
  assertEquals(status, 404);
  assertEquals(body.message, 'There is too little data to classify the ad "34"');
});

Deno.test("POST /classifications/classify refuses a day that is not over in the account", async () => {
  await using service = await openService();
  const { status, body } = await service.post(PATH, { config_id: 1, as_of: "2026-03-11" });
  assertEquals(status, 400);
  assertEquals(body.details, {
    parameters: [{ name: "as_of", problem: "the last complete day is 2026-03-10" }],
  });
});
