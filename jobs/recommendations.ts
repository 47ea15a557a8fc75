/** Says what to do about the entities of a level: reads the facts, applies the rules, stores advice. */
import type { Level } from "../core/level.ts";
import { familyBeliefs, type Variations } from "../core/rules/beliefs.ts";
import { createEngine, type Past } from "../core/rules/engine.ts";
import type { Facts } from "../core/rules/facts.ts";
import { tell } from "../core/rules/recommendation.ts";
import { accountReference, accountSettings, getAccount } from "../db/accounts.ts";
import { featuresHold, storeFeatures } from "../db/classification_job.ts";
import type { Transaction } from "../db/connect.ts";
import { readEvidence } from "../db/evidence.ts";
import {
  dropRecommendationsAfterApplied,
  expireRecommendations,
  levelVariations,
  type NewRecommendation,
  readFamilies,
  storeRecommendations,
  type Subject,
  supersedeRecommendations,
} from "../db/recommendation_job.ts";
import { classification } from "./classification.ts";
import type { Task, TaskRequest } from "./task.ts";

/** Changes whenever the same data would give other advice. */
const MODEL_VERSION = "rules-1";

/** So many entities are read, and so many recommendations stored, at a time. */
const READ_BATCH = 500;
const STORE_BATCH = 200;

/** What a run did. */
export type RecommendationCounts = {
  asOf: string;
  /** Entities with delivery in the 30 days to `asOf`. */
  read: number;
  /** Those that were asked for. */
  decided: number;
  /** New recommendations. */
  generated: number;
  /** Open ones that expired, and that were closed because nothing speaks for them any more. */
  expired: number;
  superseded: number;
};

/** The task that makes recommendations for a level of an account. */
export const recommendations: Task<RecommendationCounts> = {
  name: "recommendations",
  version: MODEL_VERSION,
  waitsFor: [classification.name],
  // What should have been done on an earlier day helps nobody.
  recomputes: false,
  schedule: { campaign: "30 6 * * *", adset: "45 6 * * *", ad: "0 7 * * *" },
  run: (transaction, request, withReader) =>
    withReader((reader) => recommendForLevel(transaction, reader, request)),
};

async function recommendForLevel(
  transaction: Transaction,
  reader: Transaction,
  { configId, entityType, asOf, entityIds, force = false, now, signal }: TaskRequest,
): Promise<RecommendationCounts> {
  const { currency } = await getAccount(transaction, configId);
  const settings = await accountSettings(transaction, configId);
  const run = { configId, entityType, asOf, at: now, modelVersion: MODEL_VERSION };
  const counts = {
    asOf,
    read: 0,
    decided: 0,
    generated: 0,
    expired: await expireRecommendations(transaction, run),
    superseded: 0,
  };
  const wanted = entityIds && new Set(entityIds);
  const engine = createEngine(settings, currency);
  const closing: number[] = [];
  const waiting: NewRecommendation[] = [];
  const because = force ? "renewed" : "refuted";
  const store = async (closed: number[], advised: NewRecommendation[]) => {
    counts.superseded += await supersedeRecommendations(transaction, { ...run, because }, closed);
    counts.generated += await storeRecommendations(transaction, run, advised);
  };
  let storing = Promise.resolve();
  for await (const { facts, subject } of readFacts(transaction, reader, run)) {
    signal.throwIfAborted();
    counts.read += 1;
    if (wanted && !wanted.has(facts.entityId)) continue;
    counts.decided += 1;
    const { advice, superseded } = engine.decide({
      facts,
      posterior: subject,
      asOf,
      past: subject.past.map(pastOf),
      at: now,
      force,
    });
    closing.push(...superseded);
    waiting.push(...advice.map((each) => ({
      ...each,
      ...tell(each.reasoning, settings.language),
      entityId: facts.entityId,
      parentId: facts.parentId,
      campaignId: subject.campaign_id,
    })));
    if (closing.length + waiting.length < STORE_BATCH) continue;
    // The server stores these while the next ones are decided on.
    await storing;
    storing = store(closing.splice(0), waiting.splice(0));
    // A failure is met by the next wait; if there is none, the transaction has failed already.
    storing.catch(() => {});
  }
  await storing;
  await store(closing, waiting);
  counts.generated -= await dropRecommendationsAfterApplied(transaction, run);
  return counts;
}

/** An entity as it was read, and the facts made of it. */
export type KnownSubject = { facts: Facts; subject: Subject };

/**
 * The facts about all entities of a level, whose features of the day are stored anew where they may be
 * others by now. None where the account has nothing to compare with.
 *
 * @param reader What else is known is read here meanwhile. It may be the transaction itself.
 */
export async function* readFacts(
  transaction: Transaction,
  reader: Transaction,
  { configId, entityType, asOf, at }: {
    configId: number;
    entityType: Level;
    asOf: string;
    at: Date;
  },
): AsyncGenerator<KnownSubject> {
  const level = { configId, entityType, asOf };
  const { reference = null } = await accountReference(transaction, configId, asOf) ?? {};
  const hold = await featuresHold(transaction, level);
  // Evidence takes about as long as one of the other two.
  const variationsRead = levelVariations(hold ? transaction : reader, level);
  // If something else fails first, nobody waits for it.
  variationsRead.catch(() => {});
  const evidence = readEvidence(reader, level, READ_BATCH);
  if (!hold) await storeFeatures(transaction, configId, entityType, asOf, at);
  const variations = await variationsRead;
  if (reference === null) return;
  const known = { ...level, reference, at, batch: READ_BATCH };
  for await (const family of readFamilies(transaction, evidence, known)) {
    const beliefs = familyBeliefs(family, reference, variations);
    for (const [index, subject] of family.entries()) {
      const ofSubject = beliefs[index];
      if (ofSubject) {
        yield { subject, facts: factsOf(subject, entityType, reference, variations, ofSubject) };
      }
    }
  }
}

function factsOf(
  subject: Subject,
  entityType: Level,
  reference: number,
  { ctr, conversion_rate }: Variations,
  beliefs: Facts["beliefs"],
): Facts {
  const percent = (rate: number | null) => rate === null ? null : 100 * rate;
  return {
    entityType,
    entityId: subject.entity_id,
    parentId: subject.parent_id,
    name: subject.name,
    features: subject,
    isActive: subject.is_active,
    parentIsActive: subject.parent_is_active,
    isLearning: subject.is_learning,
    isBelowPause: subject.is_below_pause,
    budget: {
      holder: subject.budget_holder,
      daily: subject.daily_budget,
      lifetime: subject.lifetime_budget,
    },
    daysUnderperforming: subject.days_underperforming,
    account: {
      reference,
      ctr_7d: percent(ctr.rate),
      conversion_rate_7d: percent(conversion_rate.rate),
    },
    beliefs,
  };
}

function pastOf(past: Subject["past"][number]): Past {
  return {
    ...past,
    expires_at: new Date(past.expires_at),
    applied_at: past.applied_at === null ? null : new Date(past.applied_at),
  };
}
