/** Looks for what stands out on a level: learns what is usual, tests every entity, stores alarms. */
import type { AnomalyOptions } from "../core/anomalies/profile.ts";
import { startProfile } from "../core/anomalies/profile.ts";
import { testEntity } from "../core/anomalies/detect.ts";
import type { History } from "../core/anomalies/history.ts";
import { type Alarm, startSelection } from "../core/anomalies/select.ts";
import { addDays } from "../core/days.ts";
import { accountHistory, readHistories, storeAlarms } from "../db/anomaly_job.ts";
import type { Transaction } from "../db/connect.ts";
import { tellIncidents } from "./incidents.ts";
import type { Task, TaskRequest } from "./task.ts";

/** Changes whenever the same data would raise other alarms. */
const MODEL_VERSION = "counts-2";

const HISTORY_DAYS = 30;

/** What stands out is also compared with the level of a week before, which needs its own days. */
export const DAYS_BEFORE = 7;

/** What a run did. */
export type AnomalyCounts = {
  asOf: string;
  /** Entities with delivery in the days looked at. */
  read: number;
  /** Tests of one metric of one entity on one day. */
  tested: number;
  added: number;
  changed: number;
  /** Anomalies that were closed, because their day stands out no longer. */
  restated: number;
  /** The stories of the day, over all levels. */
  incidents: number;
};

/** The task that looks for anomalies on a level of an account. */
export const anomalies: Task<AnomalyCounts> = {
  name: "anomalies",
  version: MODEL_VERSION,
  waitsFor: [],
  schedule: { campaign: "15 * * * *", adset: "30 * * * *", ad: "0 */2 * * *" },
  run: detectLevel,
};

async function detectLevel(
  transaction: Transaction,
  { configId, entityType, asOf, days = 1, historyDays = HISTORY_DAYS, now, signal }: TaskRequest,
): Promise<AnomalyCounts> {
  const options = { asOf, historyDays, daysToAnalyze: days };
  const request = {
    configId,
    entityType,
    from: addDays(asOf, 1 - DAYS_BEFORE - historyDays - days),
    asOf,
  };
  const account = await accountHistory(transaction, request);
  const dailySpend = spendPerDay(account);
  const counts = { asOf, read: 0, tested: 0, added: 0, changed: 0, restated: 0, incidents: 0 };

  const learner = startProfile(account, options);
  for await (const batch of readHistories(transaction, request)) {
    signal.throwIfAborted();
    batch.forEach(learner.add);
  }
  const profile = learner.finish();
  const selection = startSelection();
  for await (const batch of readHistories(transaction, request)) {
    signal.throwIfAborted();
    counts.read += batch.length;
    for (const history of batch) {
      const tests = testEntity(history, profile);
      counts.tested += tests.length;
      selection.add(history, tests);
    }
  }
  const run = { configId, asOf, days, historyDays, at: now, modelVersion: MODEL_VERSION };
  const store = async (place: typeof entityType | "account", alarms: Alarm[]) => {
    const { added, changed, restated } = await storeAlarms(transaction, { ...run, place }, alarms);
    counts.added += added;
    counts.changed += changed;
    counts.restated += restated;
  };
  await store(entityType, selection.finish(dailySpend));
  // What met the account as a whole is told once, with its campaigns.
  if (entityType === "campaign") await store("account", alarmsOf(account, options, dailySpend));
  counts.incidents = await tellIncidents(transaction, {
    ...request,
    account,
    options,
    now,
    signal,
  });
  return counts;
}

/** The alarms of the account as a whole, tested like one large entity. */
function alarmsOf(account: History, options: AnomalyOptions, dailySpend: number): Alarm[] {
  const learner = startProfile(account, options);
  learner.add(account);
  const selection = startSelection();
  selection.add(account, testEntity(account, learner.finish()));
  return selection.finish(dailySpend);
}

function spendPerDay({ days }: History): number {
  const delivered = days.filter((day) => day !== null);
  return delivered.reduce((sum, { spend }) => sum + spend, 0) / Math.max(delivered.length, 1);
}
