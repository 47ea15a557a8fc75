/** Gives every entity of a level its tier: reads the evidence, decides, stores. */
import { cplInterval, cplMedian } from "../core/evidence.ts";
import type { Level } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import { decideTier, tierChange } from "../core/tiers.ts";
import { accountReference, type Reference } from "../db/accounts.ts";
import {
  type Candidate,
  readCandidates,
  type StoredDecision,
  storeDecisions,
  storeFeatures,
} from "../db/classification_job.ts";
import type { Sql, Transaction } from "../db/connect.ts";
import { recorded } from "./runs.ts";

/** Changes whenever the same data would give another tier. */
export const MODEL_VERSION = "evidence-2";

const VALID_FOR_HOURS = 24;

/** What a run did. */
export type ClassificationCounts = {
  asOf: string;
  /** What CPLs were compared with, null where the account has neither a target nor a lead. */
  reference: number | null;
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
export type ClassificationRequest = {
  configId: number;
  entityType: Level;
  asOf: string;
  /** Only these; without them all active entities. */
  entityIds?: string[] | undefined;
  /** Classify anew even where a classification of the same day still holds. */
  force?: boolean;
  now?: Date;
};

/**
 * Classifies a level of an account as of a day, in one transaction: all of it is stored, or nothing.
 * The run is recorded in `ads.job_runs`.
 *
 * @throws {Refusal} `not_found` if there is no such account.
 */
export async function classify(
  sql: Sql,
  request: ClassificationRequest,
): Promise<ClassificationCounts> {
  const { configId, entityType, asOf } = request;
  const reference = await accountReference(sql, configId, asOf);
  if (!reference) throw new Refusal("not_found", `There is no account with config id ${configId}`);
  return await recorded(
    sql,
    { job: "classification", configId, entityType, asOf },
    async () => await sql.begin((transaction) => classifyLevel(transaction, reference, request)),
  );
}

async function classifyLevel(
  transaction: Transaction,
  { reference, reference_source }: Reference,
  { configId, entityType, asOf, entityIds, force = false, now = new Date() }: ClassificationRequest,
): Promise<ClassificationCounts> {
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
    reference,
    featuresStored: await storeFeatures(transaction, configId, entityType, asOf, now),
    classified: 0,
    kept: 0,
    insufficient: 0,
  };
  let storing = Promise.resolve();
  for await (const candidates of readCandidates(transaction, { ...run, entityIds })) {
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
