/** Reading the history of tiers. */
import type { Level } from "../core/level.ts";
import type { Tier } from "../core/tiers.ts";
import type { Queries } from "./connect.ts";

type Fragment = ReturnType<typeof stored>;

/** The numbers that a tier was decided on, as far as they were kept. */
export type MetricsSnapshot = {
  cpl_7d?: number | null;
  ctr_7d?: number | null;
  leads_7d?: number;
  spend_7d?: number;
  cpl_trend?: number | null;
  avg_cpl_reference?: number | null;
  cpl_low_80?: number;
  cpl_high_80?: number | null;
  alpha?: number;
  beta?: number;
  [other: string]: unknown;
};

/** One classification with the names of what it is about. */
export type Classification = {
  id: number;
  config_id: number;
  entity_type: Level;
  entity_id: string;
  entity_name: string | null;
  parent_id: string | null;
  campaign_id: string | null;
  campaign_name: string | null;
  tier: Tier;
  confidence_score: number;
  tier_probabilities: Record<Tier, number> | null;
  metrics_snapshot: MetricsSnapshot;
  feature_importances: Record<string, unknown> | null;
  previous_tier: Tier | null;
  tier_change_direction: "improved" | "declined" | "stable" | null;
  as_of: string;
  window_days: number;
  model_version: string;
  classified_at: Date;
  valid_until: Date;
};

/** Which classifications are meant. Instants: `from` is included, `before` is not. */
export type ClassificationFilter = {
  configId: number;
  entityType: Level;
  entityId?: string | undefined;
  minConfidence?: number | undefined;
  from?: Date | undefined;
  before?: Date | undefined;
};

/** One page of the history, newest first, after the row with the id `after` if there is one. */
export function listClassifications(
  sql: Queries,
  filter: ClassificationFilter & { tier?: Tier | undefined },
  { limit, offset, after }: { limit: number; offset: number; after?: number | undefined },
): Promise<Classification[]> {
  const ofTier = filter.tier === undefined ? sql`` : sql`and tier = ${filter.tier}`;
  // Both bounds as scalars, so that the comparison of the pair is a range of the index.
  const following = after === undefined ? sql`` : sql`
    and (classified_at, id) < ((
      select classified_at
      from ads.ml_classifications
      where config_id = ${filter.configId} and id = ${after}
    ), ${after})`;
  // The server plans anew each time for a limit that it does not know, so it is told.
  const page = sql`
    limit ${sql.unsafe(String(limit))} ${offset === 0 ? sql`` : sql`offset ${offset}`}`;
  const newestFirst = sql`order by classified_at desc, id desc`;
  return named(
    sql,
    filter.entityType,
    sql`
      select ${stored(sql)}
      from ads.ml_classifications
      where ${matches(sql, filter)} ${ofTier} ${following}
      ${newestFirst}
      ${page}`,
    newestFirst,
  );
}

/** How many classifications match, by tier. A tier without any has no row. */
export function countClassifications(
  sql: Queries,
  filter: ClassificationFilter,
): Promise<{ tier: Tier; count: number }[]> {
  return sql<{ tier: Tier; count: number }[]>`
    select tier, count(*) as count
    from ads.ml_classifications
    where ${matches(sql, filter)}
    group by tier`;
}

/** The newest classification of each of these entities. */
export function latestClassifications(
  sql: Queries,
  { configId, entityType, entityIds }: {
    configId: number;
    entityType: Level;
    entityIds: string[];
  },
): Promise<Classification[]> {
  return ofEach(
    sql,
    entityType,
    sql`select distinct unnest(${entityIds}::text[]) as entity_id`,
    sql`
      select ${stored(sql)}
      from ads.latest_classifications
      where config_id = ${configId}
        and entity_type = ${entityType}
        and entity_id = w.entity_id`,
  );
}

/**
 * The classification as of a day that is valid at an instant, for each of these entities or of all
 * active ones. One of another day, or an expired one, does not stand in for it.
 */
export function validClassifications(
  sql: Queries,
  { configId, entityType, asOf, entityIds, at }: {
    configId: number;
    entityType: Level;
    asOf: string;
    entityIds?: string[] | undefined;
    at: Date;
  },
): Promise<Classification[]> {
  return ofEach(
    sql,
    entityType,
    entityIds ? sql`select distinct unnest(${entityIds}::text[]) as entity_id` : sql`
      select entity_id
      from ads.entities
      where config_id = ${configId} and entity_type = ${entityType} and is_active`,
    sql`
      select ${stored(sql)}
      from ads.ml_classifications
      where config_id = ${configId}
        and entity_type = ${entityType}
        and entity_id = w.entity_id
        and as_of = ${asOf}
        and valid_until > ${at}
      order by classified_at desc, id desc`,
  );
}

/** The first row for each wanted entity, one look-up per entity, however long the history is. */
function ofEach(sql: Queries, entityType: Level, wanted: Fragment, ofOne: Fragment) {
  return named(
    sql,
    entityType,
    sql`
      select c.*
      from (${wanted}) w
      cross join lateral (${ofOne} limit 1) c`,
    sql`order by entity_id`,
  );
}

/** The newest row per entity among the matching ones, summed up for one tier. */
export type TierSummary = {
  tier: Tier;
  count: number;
  confidence_sum: number;
  changes: number;
  first_classified_at: Date;
  last_classified_at: Date;
  /** The surest ones first. */
  top_ids: number[];
};

/** Sums up the newest row per entity among the matching ones. A tier without any has no row. */
export function summarizeClassifications(
  sql: Queries,
  filter: ClassificationFilter,
  top: number,
): Promise<TierSummary[]> {
  return sql<TierSummary[]>`
    select
      tier,
      count(*) as count,
      sum(confidence_score) as confidence_sum,
      count(*) filter (where tier_change_direction in ('improved', 'declined')) as changes,
      min(classified_at) as first_classified_at,
      max(classified_at) as last_classified_at,
      (array_agg(id order by confidence_score desc, id))[:${top}] as top_ids
    from (
      select distinct on (entity_id)
        id, tier, confidence_score, tier_change_direction, classified_at
      from ads.ml_classifications
      where ${matches(sql, filter)}
      order by entity_id, classified_at desc, id desc
    ) newest
    group by tier`;
}

/** The classifications with these ids, in their order. */
export function findClassifications(
  sql: Queries,
  { configId, entityType, ids }: { configId: number; entityType: Level; ids: number[] },
): Promise<Classification[]> {
  return named(
    sql,
    entityType,
    sql`
      select ${stored(sql)}
      from ads.ml_classifications
      where config_id = ${configId} and id = any(${ids}::bigint[])`,
    sql`order by array_position(${ids}::bigint[], id)`,
  );
}

function matches(sql: Queries, filter: ClassificationFilter) {
  const { configId, entityType, entityId, minConfidence, from, before } = filter;
  return sql`
    config_id = ${configId}
    and entity_type = ${levelLiteral(sql, entityType)}
    ${entityId === undefined ? sql`` : sql`and entity_id = ${entityId}`}
    ${minConfidence === undefined ? sql`` : sql`and confidence_score >= ${minConfidence}`}
    ${from === undefined ? sql`` : sql`and classified_at >= ${from}`}
    ${before === undefined ? sql`` : sql`and classified_at < ${before}`}`;
}

function stored(sql: Queries) {
  return sql`
    id, config_id, entity_type, entity_id, parent_id, tier, confidence_score, tier_probabilities,
    metrics_snapshot, feature_importances, previous_tier, tier_change_direction, as_of,
    window_days, model_version, classified_at, valid_until`;
}

/**
 * Adds the names to rows of one level, each looked up by its key so that rows are sent while later
 * ones are still read. A page has few campaigns, and the server keeps what it found for each. The
 * level stands there as a literal because planning for any level takes longer than the page, and
 * `limit 1` because the planner would otherwise read all entities for a page of unknown length.
 */
function named(sql: Queries, entityType: Level, rows: Fragment, order: Fragment) {
  return sql<Classification[]>`
    select
      r.*,
      e.name as entity_name,
      coalesce(e.campaign_id, case r.entity_type
        when 'campaign' then r.entity_id
        when 'adset' then r.parent_id
      end) as campaign_id,
      c.name as campaign_name
    from (${rows}) r
    left join lateral (
      select name, campaign_id
      from ads.entities
      where config_id = r.config_id
        and entity_type = ${levelLiteral(sql, entityType)}
        and entity_id = r.entity_id
      limit 1
    ) e on true
    left join lateral (
      select name
      from ads.entities
      where config_id = r.config_id and entity_type = 'campaign' and entity_id = e.campaign_id
      limit 1
    ) c on true
    ${order}`;
}

function levelLiteral(sql: Queries, entityType: Level) {
  return sql.unsafe(`'${entityType}'`);
}
