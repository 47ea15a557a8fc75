import { assertEquals } from "@std/assert";
import { LEVELS } from "../../core/level.ts";
import { SCHEDULE } from "../../jobs/schedule.ts";

Deno.test("SCHEDULE classifies every level once a day, campaigns first", () => {
  assertEquals(SCHEDULE.map(({ task, entityType, cron }) => [task, entityType, cron]), [
    ["classification", "campaign", "0 5 * * *"],
    ["classification", "adset", "30 5 * * *"],
    ["classification", "ad", "0 6 * * *"],
  ]);
  assertEquals(SCHEDULE.map((job) => job.entityType), [...LEVELS]);
});
