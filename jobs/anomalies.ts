/** Looks for what stands out on a level: learns what is usual, tests every entity, stores alarms. */
import type { Place } from "../core/anomalies/tree.ts";
import { type Completeness, mayBeLate } from "../core/anomalies/completeness.ts";
import { type Found, searchEntities, type SearchSubject } from "../core/anomalies/search.ts";
import type { Alarm } from "../core/anomalies/select.ts";
import { addDays } from "../core/days.ts";
import {
  accountHistory,
  leadCompleteness,
  readHistories,
  storeAlarms,
  storeLuck,
} from "../db/anomaly_job.ts";
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
  recomputes: true,
  schedule: { campaign: "15 * * * *", adset: "30 * * * *", ad: "0 */2 * * *" },
  run: detectLevel,
};

async function detectLevel(
  transaction: Transaction,
  { configId, entityType, asOf, days = 1, historyDays = HISTORY_DAYS, now, signal }: TaskRequest,
): Promise<AnomalyCounts> {
  const completeness = await leadCompleteness(transaction, { configId, asOf });
  const options = {
    asOf,
    historyDays,
    daysToAnalyze: days,
    completeness: completeness.shares,
  };
  const request = {
    configId,
    entityType,
    from: addDays(asOf, 1 - DAYS_BEFORE - historyDays - days),
    asOf,
  };
  const account = await accountHistory(transaction, request);
  const { read, tested, ...found } = await searchEntities({
    configId,
    account,
    options,
    async *read() {
      for await (const batch of readHistories(transaction, request)) {
        signal.throwIfAborted();
        yield batch;
      }
    },
  });
  const counts = { asOf, read, tested, added: 0, changed: 0, restated: 0, incidents: 0 };
  const run = { configId, asOf, days, historyDays, at: now, modelVersion: MODEL_VERSION };
  const store = async (place: Place, { alarms, luck }: Pick<Found, "alarms" | "luck">) => {
    const { added, changed, restated } = await storeAlarms(transaction, { ...run, place }, alarms);
    counts.added += added;
    counts.changed += changed;
    counts.restated += restated;
    await storeLuck(transaction, { ...run, place }, luck);
  };
  await store(entityType, found);
  // What met the account as a whole is told once, with its campaigns, as of one large entity.
  if (entityType === "campaign") {
    const subject = { configId, account, options, read: () => [[account]] };
    await store("account", await withoutLateLeads(subject, completeness));
  }
  counts.incidents = await tellIncidents(transaction, {
    ...request,
    account,
    options,
    now,
    signal,
  });
  return counts;
}

/**
 * Searches the account as a whole. Leads that come late are missing everywhere, which an entity is not
 * told of: that is a move of all. Of the account it is only told if it would be even where as many are
 * still to come as may be; or when that is known.
 */
async function withoutLateLeads(
  subject: SearchSubject,
  { atWorst }: Completeness,
): Promise<Found> {
  const found = await searchEntities(subject);
  if (atWorst === null) return found;
  const options = { ...subject.options, completeness: atWorst };
  const { alarms } = await searchEntities({ ...subject, options });
  const isTold = ({ type, date }: Alarm) =>
    !mayBeLate(type) || alarms.some((alarm) => alarm.type === type && alarm.date === date);
  return { ...found, alarms: found.alarms.filter(isTold) };
}
