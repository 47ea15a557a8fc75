import { assertEquals, assertThrows } from "@std/assert";
import { Refusal } from "../../core/refusal.ts";
import { readSchedule } from "../../jobs/schedule.ts";
import { TASKS } from "../../jobs/tasks.ts";

const crons = (environment: Record<string, string>) =>
  readSchedule(TASKS, environment).map(({ task, entityType, cron }) => [
    entityType,
    task.name,
    cron,
  ]);

Deno.test("readSchedule() has the usual times of every task and level", () => {
  assertEquals(crons({}), [
    ["campaign", "forecasts", "0 4 * * *"],
    ["adset", "forecasts", "30 4 * * *"],
    ["ad", "forecasts", "45 4 * * *"],
    ["campaign", "classification", "0 5 * * *"],
    ["adset", "classification", "30 5 * * *"],
    ["ad", "classification", "0 6 * * *"],
    ["campaign", "recommendations", "30 6 * * *"],
    ["adset", "recommendations", "45 6 * * *"],
    ["ad", "recommendations", "0 7 * * *"],
    ["campaign", "anomalies", "15 * * * *"],
    ["adset", "anomalies", "30 * * * *"],
    ["ad", "anomalies", "0 */2 * * *"],
    ["campaign", "validation", "0 8 * * *"],
    ["adset", "validation", "0 8 * * *"],
    ["ad", "validation", "0 8 * * *"],
    ["campaign", "impact", "15 8 * * *"],
    ["adset", "impact", "20 8 * * *"],
    ["ad", "impact", "25 8 * * *"],
  ]);
});

Deno.test("readSchedule() takes another time or off from the environment, level by level", () => {
  const environment = {
    ADSTRATA_CRON_AD_CLASSIFICATION: "0 */2 * * *",
    ADSTRATA_CRON_ADSET_CLASSIFICATION: "off",
    ADSTRATA_CRON_CAMPAIGN_CLASSIFICATION: "",
  };
  const ofClassification = crons(environment).filter(([, task]) => task === "classification");
  assertEquals(ofClassification.map(([, , cron]) => cron), [
    "0 5 * * *",
    null,
    "0 */2 * * *",
  ]);
});

Deno.test("readSchedule() refuses a wrong time with the name of its variable", () => {
  const environment = { ADSTRATA_CRON_AD_CLASSIFICATION: "0 25 * * *" };
  const error = assertThrows(() => crons(environment), Refusal);
  assertEquals(
    error.message,
    'ADSTRATA_CRON_AD_CLASSIFICATION is "0 25 * * *", which is no time of a schedule',
  );
});
