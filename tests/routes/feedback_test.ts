import { assertEquals } from "@std/assert";
import { z } from "zod";
import { openService, Refused, storeClassifications } from "./service.ts";

const PATH = "/api/v1/classifications/feedback";

async function openWithOneClassification() {
  const service = await openService();
  await storeClassifications(service, [
    { entityType: "adset", entityId: "21", tier: "LOW", confidence: 0.6, at: "2026-03-10T05:30Z" },
  ]);
  return service;
}

Deno.test("POST /classifications/feedback stores a correction with the user from the query", async () => {
  await using service = await openWithOneClassification();
  const answer = await service.post(`${PATH}?user_id=7`, {
    classification_id: 101,
    correct_tier: "MODERATE",
    reason: "Counts offline sales",
  });
  assertEquals(answer.status, 200);
  const { id, ...rest } = answer.read(z.looseObject({ id: z.int() }));
  assertEquals(rest, {
    classification_id: 101,
    entity_id: "21",
    entity_type: "adset",
    original_tier: "LOW",
    correct_tier: "MODERATE",
    message: "Noted: the ad set is MODERATE, not LOW",
  });
  const stored = await service.sql`
    select config_id, id, user_id, reason from ads.ml_classification_feedback`;
  assertEquals([...stored], [{ config_id: 1, id, user_id: 7, reason: "Counts offline sales" }]);
});

Deno.test("POST /classifications/feedback takes the user from the body", async () => {
  await using service = await openWithOneClassification();
  const body = { classification_id: 101, correct_tier: "LOW" };
  const answer = await service.post(PATH, { ...body, user_id: 7 });
  assertEquals(
    answer.read(z.object({ message: z.string() })).message,
    "Confirmed: the ad set is LOW",
  );
  const nobody = await service.post(PATH, body);
  assertEquals(nobody.status, 400);
  assertEquals(nobody.read(Refused).details?.parameters.map(({ name }) => name), ["user_id"]);
});

Deno.test("POST /classifications/feedback refuses unknown ids and tiers and long reasons", async () => {
  await using service = await openWithOneClassification();
  const body = { classification_id: 101, correct_tier: "LOW", user_id: 7 };
  const statusOf = async (change: object) =>
    (await service.post(PATH, { ...body, ...change })).status;
  assertEquals(await statusOf({ classification_id: 102 }), 404);
  assertEquals(await statusOf({ correct_tier: "GREAT" }), 400);
  assertEquals(await statusOf({ reason: "x".repeat(501) }), 400);
  for (const reason of ["x".repeat(500), "\u{1F600}".repeat(500), "", null]) {
    assertEquals(await statusOf({ reason }), 200);
  }
});

Deno.test("GET /classifications/feedback/stats counts corrections by tier", async () => {
  await using service = await openWithOneClassification();
  for (const correct_tier of ["LOW", "MODERATE", "MODERATE", "UNDERPERFORMER"]) {
    await service.post(PATH, { classification_id: 101, correct_tier, user_id: 7 });
  }
  assertEquals((await service.get(`${PATH}/stats?config_id=1`)).body, {
    config_id: 1,
    total_feedbacks: 4,
    by_original_tier: { HIGH_PERFORMER: 0, MODERATE: 0, LOW: 4, UNDERPERFORMER: 0 },
    by_correct_tier: { HIGH_PERFORMER: 0, MODERATE: 2, LOW: 1, UNDERPERFORMER: 1 },
    corrections: 3,
    correction_rate: 0.75,
  });
  const none = (await service.get(`${PATH}/stats?config_id=2`)).read(
    z.object({ total_feedbacks: z.int(), correction_rate: z.null() }),
  );
  assertEquals(none.total_feedbacks, 0);
});
