/** Runs a scheduled job for every active account. */
import { getLogger } from "@logtape/logtape";
import { yesterdayIn } from "../core/days.ts";
import { listAccounts } from "../db/accounts.ts";
import type { Sql } from "../db/connect.ts";
import { classify } from "./classification.ts";
import type { ScheduledJob } from "./schedule.ts";

const logger = getLogger(["adstrata", "jobs"]);

const TASKS = { classification: classify };

/**
 * Runs a job for all active accounts, one after the other, each to the last complete day of its own
 * time zone. An account that fails is logged and stops no other.
 *
 * @param now The instant of the run.
 * @returns How many accounts succeeded and failed.
 */
export async function runForAllAccounts(
  sql: Sql,
  { task, entityType }: ScheduledJob,
  now: Date,
): Promise<{ succeeded: number; failed: number }> {
  const outcome = { succeeded: 0, failed: 0 };
  const accounts = await listAccounts(sql);
  for (const { config_id: configId, time_zone } of accounts.filter((each) => each.is_active)) {
    try {
      await TASKS[task](sql, { configId, entityType, asOf: yesterdayIn(time_zone, now) });
      outcome.succeeded += 1;
    } catch (error) {
      outcome.failed += 1;
      logger.error("{task} of level {entityType} failed for account {configId}: {error}", {
        task,
        entityType,
        configId,
        error,
      });
    }
  }
  return outcome;
}
