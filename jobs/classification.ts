/** Gives every entity of a level its tier: reads the evidence, decides, stores. */
import { cplInterval, cplMedian } from "../core/evidence.ts";
import { decideTier, tierChange } from "../core/tiers.ts";
import { accountReference, getAccount } from "../db/accounts.ts";
import {
  type Candidate,
  readCandidates,
  type StoredDecision,
  storeDecisions,
  storeFeatures,
} from "../db/classification_job.ts";
import type { Sql, Transaction } from "../db/connect.ts";
import { readEvidence } from "../db/evidence.ts";
import { startRun } from "./runs.ts";
import type { Task, TaskRequest } from "./task.ts";

/** Changes whenever the same data would give another tier. */
export const MODEL_VERSION = "evidence-2";

const VALID_FOR_HOURS = 24;

/** So many entities are read and stored at a time. */
const BATCH = 2000;

/** What a run did. */
export type ClassificationCounts = {
  asOf: string;
  /** Entities with delivery in the 30 days to `asOf`. */
  featuresStored: number;
  /** New classifications. */
  classified: number;
  /** Entities whose classification of the same day still holds. */
  kept: number;
  /** Entities about which nothing can be said: no spend, or no reference. */
  insufficient: number;
};

/** What to classify. */
export type ClassificationRequest = Omit<TaskRequest, "signal" | "now"> & { now?: Date };

/** The task that classifies a level of an account as of a day. */
export const classification: Task<ClassificationCounts> = {
  name: "classification",
  version: MODEL_VERSION,
  waitsFor: [],
  recomputes: true,
  // A level follows the one above it, because it starts from what is known there.
  schedule: { campaign: "0 5 * * *", adset: "30 5 * * *", ad: "0 6 * * *" },
  run: (transaction, request, withReader) =>
    withReader((reader) => classifyLevel(transaction, reader, request)),
};

/**
 * Classifies a level of an account as of a day, now and in one transaction: all of it is stored, or
 * nothing. The run is recorded in `ads.job_runs`.
 *
 * @throws {Refusal} `not_found` if there is no such account.
 */
export async function classify(
  sql: Sql,
  { now = new Date(), ...request }: ClassificationRequest,
): Promise<ClassificationCounts> {
  await getAccount(sql, request.configId);
  const run = await startRun(sql, classification, { now, ...request });
  return await run.done;
}

async function classifyLevel(
  transaction: Transaction,
  reader: Transaction,
  { configId, entityType, asOf, entityIds, force = false, now, signal }: TaskRequest,
): Promise<ClassificationCounts> {
  const evidence = readEvidence(reader, { configId, entityType, asOf }, BATCH);
  const { reference = null, reference_source = null } =
    await accountReference(transaction, configId, asOf) ?? {};
  const run = {
    configId,
    entityType,
    asOf,
    at: now,
    validUntil: new Date(now.getTime() + VALID_FOR_HOURS * 3_600_000),
    modelVersion: MODEL_VERSION,
  };
  const counts = {
    asOf,
    featuresStored: await storeFeatures(transaction, configId, entityType, asOf, now),
    classified: 0,
    kept: 0,
    insufficient: 0,
  };
  let storing = Promise.resolve();
  const request = { ...run, entityIds, batch: BATCH };
  for await (const candidates of readCandidates(transaction, evidence, request)) {
    signal.throwIfAborted();
    const decisions: StoredDecision[] = [];
    for (const candidate of candidates) {
      if (candidate.insufficient_data || reference === null) counts.insufficient += 1;
      else if (candidate.still_valid && !force) counts.kept += 1;
      else decisions.push(decide(candidate, reference, reference_source));
    }
    counts.classified += decisions.length;
    // The server stores these while the next ones are decided on.
    await storing;
    storing = storeDecisions(transaction, run, decisions);
    // A failure is met by the next wait; if there is none, the transaction has failed already.
    storing.catch(() => {});
  }
  await storing;
  return counts;
}

function decide(
  candidate: Candidate,
  reference: number,
  referenceSource: string | null,
): StoredDecision {
  const decision = decideTier(candidate, reference);
  const interval = cplInterval(candidate, 0.8);
  const median = cplMedian(candidate);
  const ownShare = candidate.exposure / candidate.beta;
  return {
    ...decision,
    entityId: candidate.entity_id,
    parentId: candidate.parent_id,
    previousTier: candidate.previous_tier,
    change: candidate.previous_tier && tierChange(candidate.previous_tier, decision.tier),
    metricsSnapshot: {
      spend_7d: candidate.spend_7d,
      leads_7d: candidate.leads_7d,
      cpl_7d: candidate.cpl_7d,
      ctr_7d: candidate.ctr_7d,
      cpl_trend: candidate.cpl_trend,
      leads_30d: candidate.leads_30d,
      cpl_30d: candidate.cpl_30d,
      avg_cpl_reference: reference,
      reference_source: referenceSource,
      cpl_estimate: median,
      cpl_ratio: median / reference,
      cpl_low_80: interval.low,
      cpl_high_80: interval.high,
      alpha: candidate.alpha,
      beta: candidate.beta,
    },
    featureImportances: {
      "own results, recent days weighing more": ownShare,
      "results of its siblings and of what it belongs to": 1 - ownShare,
    },
  };
}
