import { assertEquals } from "@std/assert";
import { changeTypeOf, measuredLevel } from "../../../core/impact/change.ts";
import { RECOMMENDATION_TYPES } from "../../../core/rules/rules.ts";

Deno.test("changeTypeOf() knows what following each type of recommendation changes", () => {
  const types = Object.fromEntries(RECOMMENDATION_TYPES.map((type) => [type, changeTypeOf(type)]));
  assertEquals(types, {
    SCALE_UP: "budget_change",
    BUDGET_INCREASE: "budget_change",
    BUDGET_DECREASE: "budget_change",
    PAUSE: "pause",
    PAUSE_CAMPAIGN: "pause",
    REACTIVATE: "reactivate",
    CREATIVE_REFRESH: "creative_change",
    CREATIVE_TEST: "creative_change",
    CREATIVE_WINNER: "creative_change",
    AUDIENCE_REVIEW: "audience_change",
    AUDIENCE_EXPANSION: "audience_change",
    AUDIENCE_NARROWING: "audience_change",
    OPTIMIZE_SCHEDULE: null,
  });
});

Deno.test("measuredLevel() is the one above for what delivers on one side only", () => {
  assertEquals(measuredLevel("ad", "creative_change"), "ad");
  assertEquals(measuredLevel("ad", "pause"), "adset");
  assertEquals(measuredLevel("adset", "reactivate"), "campaign");
  assertEquals(measuredLevel("campaign", "pause"), "account");
});
