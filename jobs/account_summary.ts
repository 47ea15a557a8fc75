/** From an account's stored days to its tiers and what to do, in words, on all levels. */
import { lastDayThatCounts } from "../core/days.ts";
import { LEVELS } from "../core/level.ts";
import { summaryLines } from "../core/summary.ts";
import { type Account, accountReference, lastDeliveryDay } from "../db/accounts.ts";
import type { Sql } from "../db/connect.ts";
import { levelStanding } from "../db/standing.ts";
import { firstRecommendations } from "../db/recommendations.ts";
import { classify } from "./classification.ts";
import { recommendations } from "./recommendations.ts";
import { startRun } from "./runs.ts";

/** How many of the best and of the worst are named on each level. */
const NAMED = 2;
/** How many recommendations are told. */
const TOLD = 5;

/**
 * Classifies all levels of an account as of its last complete day with data, makes recommendations, and
 * sums up the result.
 *
 * @returns The summary, one string per line.
 */
export async function decideAndSummarize(
  sql: Sql,
  account: Account,
  now: Date,
): Promise<string[]> {
  const { config_id: configId } = account;
  const asOf = lastDayThatCounts(await lastDeliveryDay(sql, configId), account.time_zone, now);
  for (const entityType of LEVELS) {
    await classify(sql, { configId, entityType, asOf });
    await (await startRun(sql, recommendations, { configId, entityType, asOf, now })).done;
  }
  const [advice, reference, campaign, adset, ad] = await Promise.all([
    firstRecommendations(sql, { configId, at: now, limit: TOLD }),
    accountReference(sql, configId, asOf),
    levelStanding(sql, configId, "campaign", NAMED),
    levelStanding(sql, configId, "adset", NAMED),
    levelStanding(sql, configId, "ad", NAMED),
  ]);
  return summaryLines(
    {
      account: account.name,
      currency: account.currency,
      asOf,
      reference: reference?.reference ?? null,
    },
    { campaign, adset, ad },
    advice,
  );
}
