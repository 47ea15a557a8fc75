/** What the classification of a level reads and writes. */
import type { Tier, TierDecision } from "../core/tiers.ts";
import type { Level } from "../core/level.ts";
import { lastChange } from "./accounts.ts";
import type { Transaction } from "./connect.ts";
import type { EvidenceRow } from "./evidence.ts";
import { jsonColumn } from "./json_column.ts";
import { without } from "./planner.ts";
import { type EntityKey, pairUp, readAhead } from "./read_ahead.ts";

/** Stores the features of a level and returns the number of entities. */
export async function storeFeatures(
  sql: Transaction,
  configId: number,
  entityType: Level,
  asOf: string,
  at: Date,
): Promise<number> {
  const [row] = await sql<{ stored: number }[]>`
    select ads.store_features(${configId}, ${entityType}, ${asOf}, ${at}) as stored`;
  return row?.stored ?? 0;
}

/**
 * Whether the stored features of a level hold: nothing of the account was imported or set since, and
 * the same entities run.
 */
export async function featuresHold(
  sql: Transaction,
  { configId, entityType, asOf }: { configId: number; entityType: Level; asOf: string },
): Promise<boolean> {
  const changedAt = await lastChange(sql, configId, asOf);
  // As store_features: by loops the planner may compare all entities with all.
  const [row] = await without(sql, ["enable_nestloop"], () =>
    sql<{ hold: boolean }[]>`
    select f.computed_at > ${changedAt} and not exists (
      select
      from ads.ml_features s
      join ads.entities e
        on e.config_id = s.config_id
        and e.entity_type = s.entity_type
        and e.entity_id = s.entity_id
      where s.config_id = ${configId}
        and s.entity_type = ${entityType}
        and s.window_days = 30
        and s.feature_date = ${asOf}
        and s.is_active <> e.is_active
    ) as hold
    from ads.ml_features f
    where f.config_id = ${configId}
      and f.entity_type = ${entityType}
      and f.window_days = 30
      and f.feature_date = ${asOf}
    limit 1`);
  return row?.hold ?? false;
}

/** What is read of an entity beside the evidence. */
type Standing = EntityKey & {
  insufficient_data: boolean;
  spend_7d: number;
  leads_7d: number;
  cpl_7d: number | null;
  ctr_7d: number | null;
  cpl_trend: number | null;
  leads_30d: number;
  cpl_30d: number | null;
  previous_tier: Tier | null;
  /** The newest classification is of the same day and still holds. */
  still_valid: boolean;
};

/** One entity with all that its tier rests on. */
export type Candidate = Standing & EvidenceRow;

/**
 * Reads the entities of a level in batches, so that memory does not grow with the account. Needs the
 * features of the day to be stored.
 *
 * @param evidence Of the same level and day, from `readEvidence`.
 * @param entityIds Only these; without them all active entities.
 */
export function readCandidates(
  sql: Transaction,
  evidence: AsyncGenerator<EvidenceRow[]>,
  { configId, entityType, asOf, entityIds, at, batch }: {
    configId: number;
    entityType: Level;
    asOf: string;
    entityIds?: string[] | undefined;
    at: Date;
    batch: number;
  },
): AsyncGenerator<Candidate[]> {
  const query = sql`
    select
      f.entity_id,
      f.parent_id,
      f.insufficient_data,
      f.spend_7d,
      f.leads_7d,
      f.cpl_7d,
      f.ctr_7d,
      f.cpl_trend,
      f.leads_30d,
      f.cpl_30d,
      previous.tier as previous_tier,
      coalesce(previous.as_of = f.feature_date and previous.valid_until > ${at}, false)
        as still_valid
    from ads.ml_features f
    left join lateral ads.newest_tier(${configId}, ${entityType}, f.entity_id, ${asOf}) previous
      on true
    where f.config_id = ${configId}
      and f.entity_type = ${entityType}
      and f.window_days = 30
      and f.feature_date = ${asOf}
      and ${entityIds ? sql`f.entity_id = any(${entityIds})` : sql`f.is_active`}
    order by f.parent_id collate "C", f.entity_id collate "C"`;
  return pairUp(readAhead<Standing>(sql, query, batch, ["enable_nestloop"]), evidence);
}

/** One decision to store. */
export type StoredDecision = TierDecision & {
  entityId: string;
  parentId: string | null;
  previousTier: Tier | null;
  change: "improved" | "declined" | "stable" | null;
  metricsSnapshot: Record<string, number | string | null>;
  featureImportances: Record<string, number>;
};

/** Appends decisions to the history of tiers. */
export async function storeDecisions(
  sql: Transaction,
  { configId, entityType, asOf, at, validUntil, modelVersion }: {
    configId: number;
    entityType: Level;
    asOf: string;
    at: Date;
    validUntil: Date;
    modelVersion: string;
  },
  decisions: StoredDecision[],
): Promise<void> {
  await sql`
    insert into ads.ml_classifications (
      config_id, entity_type, entity_id, parent_id, tier, confidence_score, tier_probabilities,
      metrics_snapshot, feature_importances, previous_tier, tier_change_direction, as_of,
      window_days, model_version, classified_at, valid_until
    )
    select
      ${configId}, ${entityType}, d.entity_id, d.parent_id, d.tier, d.confidence,
      d.probabilities::jsonb, d.snapshot::jsonb, d.importances::jsonb, d.previous_tier, d.change,
      ${asOf}, 30, ${modelVersion}, ${at}, ${validUntil}
    from unnest(
      ${decisions.map((d) => d.entityId)}::text[],
      ${decisions.map((d) => d.parentId)}::text[],
      ${decisions.map((d) => d.tier)}::text[],
      ${decisions.map((d) => d.confidence)}::double precision[],
      ${jsonColumn(sql, decisions.map((d) => d.probabilities))},
      ${jsonColumn(sql, decisions.map((d) => d.metricsSnapshot))},
      ${jsonColumn(sql, decisions.map((d) => d.featureImportances))},
      ${decisions.map((d) => d.previousTier)}::text[],
      ${decisions.map((d) => d.change)}::text[]
    ) d (
      entity_id, parent_id, tier, confidence, probabilities, snapshot, importances, previous_tier,
      change
    )`;
}
