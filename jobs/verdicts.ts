/** From an account's stored days to its tiers in words, on all levels. */
import { lastDayThatCounts } from "../core/days.ts";
import { type Level, LEVELS } from "../core/level.ts";
import { summaryLines, type Verdict } from "../core/summary.ts";
import { type Account, accountReference, lastDeliveryDay } from "../db/accounts.ts";
import { latestClassifications } from "../db/classifications.ts";
import type { Sql } from "../db/connect.ts";
import { classify } from "./classification.ts";

/**
 * Classifies all levels of an account as of its last complete day with data, and sums up the result.
 *
 * @returns The summary, one string per line.
 */
export async function classifyAndSummarize(
  sql: Sql,
  account: Account,
  now: Date,
): Promise<string[]> {
  const { config_id: configId } = account;
  const asOf = lastDayThatCounts(await lastDeliveryDay(sql, configId), account.time_zone, now);
  for (const entityType of LEVELS) await classify(sql, { configId, entityType, asOf });
  // Without statistics on what was written a moment ago the planner looks rows up one by one.
  await sql`analyze ads.campaigns, ads.adsets, ads.ads, ads.ml_classifications`;
  const reference = await accountReference(sql, configId, asOf);
  return summaryLines(
    {
      account: account.name,
      currency: account.currency,
      asOf,
      reference: reference?.reference ?? null,
    },
    {
      campaign: await verdicts(sql, configId, "campaign"),
      adset: await verdicts(sql, configId, "adset"),
      ad: await verdicts(sql, configId, "ad"),
    },
  );
}

async function verdicts(sql: Sql, configId: number, entityType: Level): Promise<Verdict[]> {
  const rows = await latestClassifications(sql, { configId, entityType });
  return rows.map((row) => ({
    name: row.entity_name ?? row.entity_id,
    campaign: entityType === "campaign" ? null : row.campaign_name,
    tier: row.tier,
    confidence: row.confidence_score,
    cpl: row.metrics_snapshot.cpl_7d ?? null,
    spend: row.metrics_snapshot.spend_7d ?? 0,
  }));
}
