/** Forecasts spend and leads of all levels of an account, and scores the forecasts of the past. */
import { type EntityForecast, forecastAccount, PLACES } from "../core/forecast/account.ts";
import { recalibrate } from "../core/forecast/recalibrate.ts";
import { addDays } from "../core/days.ts";
import { leadCompleteness } from "../db/anomaly_job.ts";
import type { Transaction } from "../db/connect.ts";
import {
  countValidForecasts,
  heldDays,
  readLeaves,
  scoreForecasts,
  storeForecasts,
  storeShapes,
  unscoredDays,
} from "../db/forecast_job.ts";
import type { Task, TaskRequest } from "./task.ts";

/** Changes whenever the same data would give another forecast. */
const MODEL_VERSION = "combined-5";

/** How many days ahead are forecast: the longest month, so that its end is always among them. */
export const HORIZON = 31;

/** As much of 100,000 ads as there is room for: two weeks that methods start with, and 14 judged. */
const HISTORY_DAYS = 112;

const BATCH = 500;

/** What a run did. */
export type ForecastCounts = {
  asOf: string;
  /** Ads, and what was reported for ad sets as a whole. */
  read: number;
  /** Entities of all levels, and the account. */
  forecast: number;
  /** Entities of the level whose forecasts of the day still hold. */
  kept: number;
};

/**
 * The task that forecasts. Levels add up only if they are forecast together: whichever comes first on
 * a day makes the forecasts of all, and the others keep them unless the account has changed meanwhile.
 */
export const forecasts: Task<ForecastCounts> = {
  name: "forecasts",
  version: MODEL_VERSION,
  waitsFor: [],
  recomputes: false,
  schedule: { campaign: "0 4 * * *", adset: "30 4 * * *", ad: "45 4 * * *" },
  run: forecastLevel,
};

async function forecastLevel(
  transaction: Transaction,
  { configId, entityType, asOf, force = false, now, signal }: TaskRequest,
): Promise<ForecastCounts> {
  const run = { configId, asOf, at: now, modelVersion: MODEL_VERSION };
  if (!force) {
    const of = { ...run, place: entityType, days: HISTORY_DAYS };
    const kept = await countValidForecasts(transaction, of);
    if (kept > 0) return { asOf, read: 0, forecast: 0, kept };
  }
  const { shares } = await leadCompleteness(transaction, run);
  const leaves = await readLeaves(transaction, {
    ...run,
    from: addDays(asOf, 1 - HISTORY_DAYS),
    completeness: shares,
  });
  signal.throwIfAborted();
  const held = await heldDays(transaction, run);
  const { shapes, entities } = forecastAccount(leaves, {
    accountId: String(configId),
    horizon: HORIZON,
    wideningOf: (place, metric) => recalibrate(held.get(`${place} ${metric}`) ?? []),
  });
  await storeShapes(transaction, run, shapes);
  const counts = { asOf, read: leaves.length, forecast: 0, kept: 0 };
  let waiting: EntityForecast[] = [];
  let storing = Promise.resolve();
  const store = async () => {
    signal.throwIfAborted();
    await storing;
    counts.forecast += waiting.length;
    // The server stores these while the next ones are written.
    storing = storeForecasts(transaction, run, waiting);
    // A failure is met by the next wait; if there is none, the transaction has failed already.
    storing.catch(() => {});
    waiting = [];
  };
  for (const entity of entities()) {
    if (waiting.push(entity) >= BATCH) await store();
  }
  if (waiting.length > 0) await store();
  await storing;
  return counts;
}

/** What a run of the validation did. */
export type ValidationCounts = {
  asOf: string;
  /** Days that came, or changed, since the last time. */
  days: number;
  /** Scores of one metric of a day, so many days ahead. */
  scores: number;
};

/** The task that scores the forecasts of days that have come. The account goes with its campaigns. */
export const validation: Task<ValidationCounts> = {
  name: "validation",
  version: MODEL_VERSION,
  waitsFor: [],
  recomputes: true,
  schedule: { campaign: "0 8 * * *", adset: "0 8 * * *", ad: "0 8 * * *" },
  run: validateLevel,
};

async function validateLevel(
  transaction: Transaction,
  { configId, entityType, asOf, now, signal }: TaskRequest,
): Promise<ValidationCounts> {
  const counts = { asOf, days: 0, scores: 0 };
  for (const place of PLACES) {
    if (place !== entityType && (place !== "account" || entityType !== "campaign")) continue;
    for (const day of await unscoredDays(transaction, { configId, asOf, place })) {
      signal.throwIfAborted();
      counts.days += 1;
      counts.scores += await scoreForecasts(transaction, { configId, place, day, at: now });
    }
  }
  return counts;
}
