/** Reading recommendations, and what people do with them. */
import { Refusal } from "../core/refusal.ts";
import type { Control, ImpactVerdict, MetricChange } from "../core/impact/analyze.ts";
import type { ChangeType, MeasuredLevel } from "../core/impact/change.ts";
import type { Level } from "../core/level.ts";
import type { Reasoning } from "../core/rules/reasoning.ts";
import type { Queries } from "./connect.ts";
import type { KeyPage } from "./anomalies.ts";

/** What became of a recommendation. One that gave way to another one has expired before its time. */
export const RECOMMENDATION_STATUSES = ["active", "expired", "dismissed", "applied"] as const;

/** One of them. */
export type RecommendationStatus = typeof RECOMMENDATION_STATUSES[number];

/** One recommendation as it is stored, with its status at an instant. */
export type Recommendation = {
  id: number;
  config_id: number;
  entity_type: Level;
  entity_id: string;
  entity_name: string | null;
  parent_id: string | null;
  campaign_id: string | null;
  campaign_name: string | null;
  recommendation_type: string;
  reason_code: string;
  priority: number;
  title: string;
  description: string;
  suggested_action: Record<string, unknown> | null;
  confidence_score: number;
  reasoning: Reasoning;
  status: RecommendationStatus;
  as_of: string;
  created_at: Date;
  expires_at: Date;
  applied_at: Date | null;
  applied_by: number | null;
  applied_notes: string | null;
  dismissed_at: Date | null;
  dismissed_by: number | null;
  dismissed_reason: string | null;
  superseded_at: Date | null;
  superseded_because: "refuted" | "renewed" | null;
  /** What it did, by window; null as long as nothing was measured. */
  impact: RecommendationImpact[] | null;
};

/** What an applied recommendation did in the days of a window. */
export type RecommendationImpact = {
  window_days: number;
  change_type: ChangeType;
  change_date: string;
  as_of: string;
  measured_type: MeasuredLevel | null;
  measured_id: string | null;
  verdict: ImpactVerdict | null;
  missing: string | null;
  sentence: string | null;
  advice: string | null;
  metrics: MetricChange[] | null;
  control: Control | null;
};

/** Which recommendations are meant. What is not given does not matter. Instants: `before` is not included. */
export type RecommendationFilter = {
  configId: number;
  entityType?: Level | undefined;
  entityId?: string | undefined;
  entityIds?: string[] | undefined;
  campaignId?: string | undefined;
  type?: string | undefined;
  status?: RecommendationStatus | undefined;
  isActive?: boolean | undefined;
  priorityMin?: number | undefined;
  from?: Date | undefined;
  before?: Date | undefined;
  /** When the status counts. */
  at: Date;
};

/** The open ones that one can act on at once, the most urgent first, then those with the most money. */
export function firstRecommendations(
  sql: Queries,
  { configId, at, limit }: { configId: number; at: Date; limit: number },
): Promise<Recommendation[]> {
  return named(
    sql,
    sql`
      select ${stored(sql, at)}
      from ads.ml_recommendations r
      where ${matches(sql, { configId, isActive: true, at })}`,
    sql`
      (r.suggested_action ? 'field') desc,
      r.priority desc,
      (r.reasoning -> 'features' ->> 'spend_7d')::double precision desc nulls last,
      r.id`,
    { limit, offset: 0 },
  );
}

/** One page, the most urgent first, then the newest. */
export function listRecommendations(
  sql: Queries,
  filter: RecommendationFilter,
  { limit, offset, after }: KeyPage,
): Promise<Recommendation[]> {
  const following = after === undefined ? sql`` : sql`
    and (r.priority, r.created_at, r.id) < (
      select priority, created_at, id
      from ads.ml_recommendations
      where config_id = ${filter.configId} and id = ${after}
    )`;
  return named(
    sql,
    sql`
      select ${stored(sql, filter.at)}
      from ads.ml_recommendations r
      where ${matches(sql, filter)} ${following}`,
    sql`r.priority desc, r.created_at desc, r.id desc`,
    { limit, offset },
  );
}

function stored(sql: Queries, at: Date) {
  return sql`
    r.id, r.config_id, r.entity_type, r.entity_id, r.parent_id, r.campaign_id,
    r.recommendation_type, r.reason_code, r.priority, r.title, r.description, r.suggested_action,
    r.confidence_score, r.reasoning, ${statusAt(sql, at)} as status, r.as_of, r.created_at,
    r.expires_at, r.applied_at, r.applied_by, r.applied_notes, r.dismissed_at, r.dismissed_by,
    r.dismissed_reason, r.superseded_at, r.superseded_because`;
}

/** A page of rows with their names, one look-up per row, however many entities there are. */
function named(
  sql: Queries,
  rows: ReturnType<typeof stored>,
  order: ReturnType<typeof stored>,
  { limit, offset }: { limit: number; offset: number },
) {
  return sql<Recommendation[]>`
    select r.*, e.name as entity_name, c.name as campaign_name, i.impact
    from (${rows} order by ${order} limit ${limit} offset ${offset}) r
    left join lateral (
      select name
      from ads.entities
      where config_id = r.config_id and entity_type = r.entity_type and entity_id = r.entity_id
      limit 1
    ) e on true
    left join lateral (
      select name
      from ads.entities
      where config_id = r.config_id and entity_type = 'campaign' and entity_id = r.campaign_id
      limit 1
    ) c on true
    left join lateral (
      select
        json_agg(
          json_build_object(
            'window_days', window_days,
            'change_type', change_type,
            'change_date', change_date,
            'as_of', as_of,
            'measured_type', measured_type,
            'measured_id', measured_id,
            'verdict', verdict,
            'missing', missing,
            'sentence', sentence,
            'advice', advice,
            'metrics', metrics,
            'control', control
          )
          order by window_days
        ) as impact
      from ads.impact_results
      where config_id = r.config_id and recommendation_id = r.id
    ) i on true
    order by ${order}`;
}

/** How many recommendations match, by type, status and priority. */
export type RecommendationCount = {
  recommendation_type: string;
  status: RecommendationStatus;
  priority: number;
  count: number;
};

/** Counts recommendations. A combination without any has no row. */
export function countRecommendations(
  sql: Queries,
  filter: RecommendationFilter,
): Promise<RecommendationCount[]> {
  return sql<RecommendationCount[]>`
    select r.recommendation_type, ${
    statusAt(sql, filter.at)
  } as status, r.priority, count(*) as count
    from ads.ml_recommendations r
    where ${matches(sql, filter)}
    group by 1, 2, 3`;
}

/** What people did since an instant, and when the newest recommendation was made. */
export type RecommendationActivity = {
  applied: number;
  dismissed: number;
  last_generated_at: Date | null;
};

/** Sums up what happened in an account. */
export async function recommendationActivity(
  sql: Queries,
  { configId, entityType, since }: {
    configId: number;
    entityType?: Level | undefined;
    since: Date;
  },
): Promise<RecommendationActivity> {
  const [row] = await sql<RecommendationActivity[]>`
    select
      count(*) filter (where r.applied_at >= ${since}) as applied,
      count(*) filter (where r.dismissed_at >= ${since}) as dismissed,
      max(r.created_at) as last_generated_at
    from ads.ml_recommendations r
    where r.config_id = ${configId}
      ${entityType === undefined ? sql`` : sql`and r.entity_type = ${entityType}`}`;
  return row ?? { applied: 0, dismissed: 0, last_generated_at: null };
}

/** What somebody did with a recommendation. */
export type Reaction = {
  id: number;
  /** Null for somebody at the page, which knows keys but no users. */
  userId: number | null;
  words: string | null;
  at: Date;
};

/**
 * Notes that somebody followed a recommendation. Who did first stays; it may have expired by then.
 *
 * @throws {Refusal} `not_found` without such a one, `conflict` if somebody dismissed it.
 */
export async function applyRecommendation(sql: Queries, reaction: Reaction): Promise<void> {
  const { count } = await sql`
    update ads.ml_recommendations
    set
      status = 'applied',
      applied_at = ${reaction.at},
      applied_by = ${reaction.userId},
      applied_notes = ${reaction.words}
    where id = ${reaction.id} and status in ('active', 'expired')`;
  if (count === 0) await requireReacted(sql, reaction.id, "applied");
}

/** The same for one that somebody does not want. */
export async function dismissRecommendation(sql: Queries, reaction: Reaction): Promise<void> {
  const { count } = await sql`
    update ads.ml_recommendations
    set
      status = 'dismissed',
      dismissed_at = ${reaction.at},
      dismissed_by = ${reaction.userId},
      dismissed_reason = ${reaction.words}
    where id = ${reaction.id} and status in ('active', 'expired')`;
  if (count === 0) await requireReacted(sql, reaction.id, "dismissed");
}

async function requireReacted(
  sql: Queries,
  id: number,
  wanted: "applied" | "dismissed",
): Promise<void> {
  const [row] = await sql<{ status: string }[]>`
    select status from ads.ml_recommendations where id = ${id}`;
  if (!row) throw new Refusal("not_found", `There is no recommendation ${id}`);
  if (row.status === wanted) return;
  throw new Refusal(
    "conflict",
    `Recommendation ${id} cannot be ${wanted} any more: it is ${row.status}`,
    row.status === "superseded" ? "Look for the newest one of the same entity" : undefined,
  );
}

function statusAt(sql: Queries, at: Date) {
  return sql`
    case
      when r.status = 'superseded' then 'expired'
      when r.status = 'active' and r.expires_at <= ${at} then 'expired'
      else r.status
    end`;
}

function matches(sql: Queries, filter: RecommendationFilter) {
  const { entityType, entityId, entityIds, campaignId, type, status, isActive } = filter;
  const { priorityMin, from, before, at } = filter;
  // Open ones have an index of their own.
  const isOpen = sql`(r.status = 'active' and r.expires_at > ${at})`;
  return sql`
    r.config_id = ${filter.configId}
    ${entityType === undefined ? sql`` : sql`and r.entity_type = ${entityType}`}
    ${entityId === undefined ? sql`` : sql`and r.entity_id = ${entityId}`}
    ${entityIds === undefined ? sql`` : sql`and r.entity_id = any(${entityIds})`}
    ${campaignId === undefined ? sql`` : sql`and r.campaign_id = ${campaignId}`}
    ${type === undefined ? sql`` : sql`and r.recommendation_type = ${type}`}
    ${
    status === undefined
      ? sql``
      : status === "active"
      ? sql`and ${isOpen}`
      : sql`and ${statusAt(sql, at)} = ${status}`
  }
    ${isActive === undefined ? sql`` : isActive ? sql`and ${isOpen}` : sql`and not ${isOpen}`}
    ${priorityMin === undefined ? sql`` : sql`and r.priority >= ${priorityMin}`}
    ${from === undefined ? sql`` : sql`and r.created_at >= ${from}`}
    ${before === undefined ? sql`` : sql`and r.created_at < ${before}`}`;
}
