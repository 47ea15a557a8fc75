import { assert, assertEquals, assertNotEquals } from "@std/assert";
import { ClassifyAnswer } from "../../routes/classifications.ts";
import { openService, Refused, storeClassifications } from "./service.ts";

const PATH = "/api/v1/classifications/classify";

Deno.test("POST /classifications/classify classifies all active entities of a level", async () => {
  await using service = await openService();
  const answer = await service.post(PATH, { config_id: 1, entity_type: "ad" });
  const { as_of, classified_count, classifications } = answer.read(ClassifyAnswer);
  assertEquals([answer.status, as_of, classified_count], [200, "2026-03-10", 3]);
  const found = classifications.map((row) => [row.entity_id, row.campaign_name, row.as_of]);
  assertEquals(found, [
    ["31", "Spring", "2026-03-10"],
    ["32", "Spring", "2026-03-10"],
    ["33", "Spring", "2026-03-10"],
  ]);
  const [video] = classifications;
  assertEquals(video?.metrics_snapshot.leads_7d, 28);
  assertEquals(video?.metrics_snapshot.cpl_7d, 5);
  assert(video && video.confidence_score > 0.5 && video.confidence_score <= 1);
});

Deno.test("POST /classifications/classify keeps what is still valid unless it is forced", async () => {
  await using service = await openService();
  const body = { config_id: "1", entity_type: "ad", campaign_ids: ["31"], entity_ids: null };
  const classify = async (change: object) =>
    (await service.post(PATH, { ...body, ...change })).read(ClassifyAnswer).classifications;
  const first = await classify({});
  assertEquals(await classify({}), first);
  const forced = await classify({ force_reclassify: "true" });
  assertEquals([first.length, forced.length], [1, 1]);
  assertNotEquals(forced[0]?.id, first[0]?.id);
});

Deno.test("POST /classifications/campaigns/classify is the same under its older name", async () => {
  await using service = await openService();
  const answer = await service.post("/api/v1/classifications/campaigns/classify", {
    config_id: 1,
    campaign_ids: ["11"],
    as_of: "2026-03-05",
  });
  const { as_of, classified_count, classifications } = answer.read(ClassifyAnswer);
  assertEquals([as_of, classified_count], ["2026-03-05", 1]);
  assertEquals(classifications.map((row) => row.entity_id), ["11"]);
});

Deno.test("POST /classifications/classify answers with the day that it is asked about", async () => {
  await using service = await openService();
  const days = async (as_of: string) => {
    const answer = await service.post(PATH, { config_id: 1, entity_type: "ad", as_of });
    return answer.read(ClassifyAnswer).classifications.map((row) => row.as_of);
  };
  const [today, before] = [await days("2026-03-10"), await days("2026-03-05")];
  assertEquals([today.length, before.length], [3, 3]);
  assertEquals(new Set(before), new Set(["2026-03-05"]));
});

Deno.test("POST /classifications/classify leaves out what is no longer valid", async () => {
  await using service = await openService();
  await service.sql`update ads.campaigns set status = 'ACTIVE' where config_id = 1`;
  // An ad without delivery, which had a tier once.
  await storeClassifications(service, [
    { entityType: "ad", entityId: "34", tier: "LOW", confidence: 0.6, at: "2026-02-01T06:00Z" },
  ]);
  const answer = await service.post(PATH, { config_id: 1, entity_type: "ad" });
  const ids = answer.read(ClassifyAnswer).classifications.map((row) => row.entity_id);
  assertEquals(ids, ["31", "32", "33"]);
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
  const answer = await service.post(PATH, {
    config_id: 1,
    entity_type: "ad",
    entity_ids: ["34"],
  });
  assertEquals(answer.status, 404);
  assertEquals(answer.read(Refused).message, 'There is too little data to classify the ad "34"');
});

Deno.test("POST /classifications/classify refuses a day that is not over in the account", async () => {
  await using service = await openService();
  const answer = await service.post(PATH, { config_id: 1, as_of: "2026-03-11" });
  assertEquals(answer.status, 400);
  assertEquals(answer.read(Refused).details, {
    parameters: [{ name: "as_of", problem: "the last complete day is 2026-03-10" }],
  });
});
