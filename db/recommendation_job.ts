/** What the recommendations of a level are read from and written to. */
import { type Level, LEVELS } from "../core/level.ts";
import type { Evidence, Member, Variation, Variations } from "../core/rules/beliefs.ts";
import type { Advice, Past } from "../core/rules/engine.ts";
import { FEATURE_NAMES, type Features } from "../core/rules/facts.ts";
import type { Told } from "../core/rules/recommendation.ts";
import { canUnderperform } from "../core/tiers.ts";
import type { Transaction } from "./connect.ts";
import type { EvidenceRow } from "./evidence.ts";
import { jsonColumn } from "./json_column.ts";
import { type EntityKey, pairUp, readAhead } from "./read_ahead.ts";

/** One entity with all that its recommendations rest on. */
export type Subject = EntityKey & Member & Features & {
  campaign_id: string | null;
  name: string;
  is_active: boolean;
  parent_is_active: boolean;
  is_learning: boolean;
  /** It is advised to pause something above it. */
  is_below_pause: boolean;
  /** Who pays for it: what is above it, itself, or what is below it. */
  budget_holder: "campaign" | "adset" | null;
  daily_budget: number | null;
  lifetime_budget: number | null;
  days_underperforming: number;
  past: (Omit<Past, "expires_at" | "applied_at"> & {
    expires_at: string;
    applied_at: string | null;
  })[];
};

/** Which level of which account, on which day. */
export type LevelDay = { configId: number; entityType: Level; asOf: string };

/** How rates vary on a level. */
export async function levelVariations(
  sql: Transaction,
  { configId, entityType, asOf }: LevelDay,
): Promise<Variations> {
  const rows = await sql<(Variation & { metric: keyof Variations })[]>`
    select
      metric, rate, variance, change, change_variance as "changeVariance",
      change_error as "changeError", day_variance as "dayVariance"
    from ads.level_variation
    where config_id = ${configId} and entity_type = ${entityType} and as_of = ${asOf}`;
  const of = (metric: keyof Variations) =>
    rows.find((row) => row.metric === metric) ??
      {
        rate: null,
        variance: 0.1,
        change: null,
        changeVariance: 0,
        changeError: 0,
        dayVariance: 0,
      };
  return { cpl: of("cpl"), ctr: of("ctr"), conversion_rate: of("conversion_rate") };
}

/**
 * Reads the entities of a level, those of one parent together, in batches, so that memory does not
 * grow with the account. Needs the features of the day to be stored.
 *
 * @param evidence Of the same level and day, from `readEvidence`.
 */
export async function* readFamilies(
  sql: Transaction,
  evidence: AsyncGenerator<EvidenceRow[]>,
  level: LevelDay & { reference: number; at: Date; batch: number },
): AsyncGenerator<Subject[]> {
  let family: Subject[] = [];
  for await (const known of pairUp(readSubjects(sql, level), evidence)) {
    for (const subject of await withDaysUnderperforming(sql, level, known)) {
      if (family.length > 0 && family[0]?.parent_id !== subject.parent_id) {
        yield family;
        family = [];
      }
      family.push(subject);
    }
  }
  if (family.length > 0) yield family;
}

/** A subject as it is read before the evidence and its past tiers. */
type SubjectRow = Omit<Subject, keyof Evidence | "days_underperforming">;

function readSubjects(
  sql: Transaction,
  { configId, entityType, asOf, at, batch }: LevelDay & { at: Date; batch: number },
): AsyncGenerator<SubjectRow[]> {
  // Read once: asked for each entity, the planner compares all with all. Each has one at most.
  const paused = (level: Level) =>
    sql`(
      select entity_id
      from ads.ml_recommendations
      where config_id = ${configId}
        and entity_type = ${level}
        and ${LEVELS.indexOf(level) < LEVELS.indexOf(entityType)}
        and recommendation_type = 'PAUSE'
        and status = 'active'
        and expires_at > ${at}
    )`;
  const query = sql`
    select
      f.entity_id,
      f.parent_id,
      coalesce(
        n.campaign_id,
        case ${entityType} when 'campaign' then f.entity_id when 'adset' then f.parent_id end
      ) as campaign_id,
      coalesce(n.name, f.entity_id) as name,
      f.is_active,
      coalesce(u.is_active, true) as parent_is_active,
      coalesce(n.effective_status, n.status) is not distinct from 'LEARNING'
        or coalesce(u.effective_status, u.status) is not distinct from 'LEARNING' as is_learning,
      coalesce(n.budget_holder, b.budget_holder) as budget_holder,
      coalesce(pc.entity_id, ps.entity_id) is not null as is_below_pause,
      n.daily_budget,
      n.lifetime_budget,
      f.leads_14d - f.leads_7d as leads_7d_before,
      ${sql(FEATURE_NAMES.map((name) => `f.${name}`))},
      coalesce(p.past, '[]') as past
    from ads.ml_features f
    left join ads.entities n
      on n.config_id = ${configId}
      and n.entity_type = ${entityType}
      and n.entity_id = f.entity_id
    left join ads.entities u
      on u.config_id = ${configId}
      and u.entity_id = n.parent_id
      and u.entity_type = case ${entityType} when 'adset' then 'campaign' when 'ad' then 'adset' end
    left join ${paused("campaign")} pc
      on pc.entity_id = n.campaign_id
    left join ${paused("adset")} ps
      on ps.entity_id = n.adset_id
    -- What the ad sets of a campaign hold, it does not.
    left join (
      select parent_id, 'adset' as budget_holder
      from ads.entities
      where config_id = ${configId}
        and entity_type = 'adset'
        and ${entityType} = 'campaign'
        and budget_holder = 'adset'
      group by parent_id
    ) b on b.parent_id = f.entity_id
    left join (
      select r.entity_id, json_agg(r.past) as past
      from (
        select
          entity_id,
          json_build_object(
            'id', id,
            'recommendation_type', recommendation_type,
            'reason_code', reason_code,
            'status', status,
            'priority', priority,
            'confidence_score', confidence_score,
            'as_of', as_of,
            'expires_at', expires_at,
            'applied_at', applied_at,
            'claim', reasoning -> 'claim'
          ) as past
        from ads.ml_recommendations
        where config_id = ${configId}
          and entity_type = ${entityType}
          and (
            status = 'active'
            or as_of = ${asOf}
            or expires_at > ${at}
            -- No cooldown is longer.
            or applied_at > ${at}::timestamptz - interval '30 days'
          )
        -- So that not the whole reasoning is sorted with it.
        offset 0
      ) r
      group by r.entity_id
    ) p on p.entity_id = f.entity_id
    where f.config_id = ${configId}
      and f.entity_type = ${entityType}
      and f.window_days = 30
      and f.feature_date = ${asOf}
    order by f.parent_id collate "C", f.entity_id collate "C"`;
  return readAhead<SubjectRow>(sql, query, batch, ["enable_nestloop"]);
}

/** Adds since when entities have been underperformers. Asked only of those that may be one. */
async function withDaysUnderperforming(
  sql: Transaction,
  { configId, entityType, asOf, reference }: LevelDay & { reference: number },
  known: (SubjectRow & EvidenceRow)[],
): Promise<Subject[]> {
  const ids = known.filter((each) => canUnderperform(each, reference)).map((each) =>
    each.entity_id
  );
  const rows = ids.length === 0 ? [] : await sql<{ entity_id: string; days: number }[]>`
    select
      u.entity_id,
      ads.days_underperforming(${configId}, ${entityType}, u.entity_id, ${asOf}) as days
    from unnest(${ids}::text[]) u (entity_id)`;
  const days = new Map(rows.map((row) => [row.entity_id, row.days]));
  return known.map((each) =>
    Object.assign(each, { days_underperforming: days.get(each.entity_id) ?? 0 })
  );
}

/** A recommendation to store. */
export type NewRecommendation = Advice & Told & {
  entityId: string;
  parentId: string | null;
  campaignId: string | null;
};

/** Marks what has expired, so that it is open no longer. */
export async function expireRecommendations(
  sql: Transaction,
  { configId, entityType, at }: { configId: number; entityType: Level; at: Date },
): Promise<number> {
  const { count } = await sql`
    update ads.ml_recommendations
    set status = 'expired'
    where config_id = ${configId}
      and entity_type = ${entityType}
      and status = 'active'
      and expires_at <= ${at}`;
  return count;
}

/** Closes open recommendations. What somebody has applied or dismissed meanwhile stays what it is. */
export async function supersedeRecommendations(
  sql: Transaction,
  { configId, at, because }: { configId: number; at: Date; because: "refuted" | "renewed" },
  ids: number[],
): Promise<number> {
  if (ids.length === 0) return 0;
  const { count } = await sql`
    update ads.ml_recommendations
    set status = 'superseded', superseded_at = ${at}, superseded_because = ${because}
    where config_id = ${configId}
      and id = any(${ids}::bigint[])
      and status = 'active'`;
  return count;
}

/**
 * Stores new recommendations. Where somebody else has made one of the same kind meanwhile, or the same
 * one on the same day, that one stays and the new one is left out.
 *
 * @returns How many were stored.
 */
export async function storeRecommendations(
  sql: Transaction,
  { configId, entityType, asOf, at, modelVersion }: LevelDay & { at: Date; modelVersion: string },
  recommendations: NewRecommendation[],
): Promise<number> {
  if (recommendations.length === 0) return 0;
  const column = <Value>(read: (each: NewRecommendation) => Value) => recommendations.map(read);
  const { count } = await sql`
    insert into ads.ml_recommendations (
      config_id, entity_type, entity_id, parent_id, campaign_id, recommendation_type, kind,
      reason_code, priority, title, description, suggested_action, confidence_score, reasoning,
      as_of, model_version, created_at, expires_at
    )
    select
      ${configId}, ${entityType}, n.entity_id, n.parent_id, n.campaign_id, n.type, n.kind, n.rule,
      n.priority, n.title, n.description, n.action::jsonb, n.confidence, n.reasoning::jsonb, ${asOf},
      ${modelVersion}, ${at}, ${at}::timestamptz + n.days * interval '24 hours'
    from unnest(
      ${column(({ entityId }) => entityId)}::text[],
      ${column(({ parentId }) => parentId)}::text[],
      ${column(({ campaignId }) => campaignId)}::text[],
      ${column(({ type }) => type)}::text[],
      ${column(({ kind }) => kind)}::text[],
      ${column(({ reasoning }) => reasoning.rule)}::text[],
      ${column(({ priority }) => priority)}::integer[],
      ${column(({ title }) => title)}::text[],
      ${column(({ description }) => description)}::text[],
      ${jsonColumn(sql, column((each) => each.suggested_action))},
      ${column(({ reasoning }) => reasoning.probability)}::double precision[],
      ${jsonColumn(sql, column(({ reasoning }) => reasoning))},
      ${column(({ expiresAfterDays }) => expiresAfterDays)}::integer[]
    ) n (
      entity_id, parent_id, campaign_id, type, kind, rule, priority, title, description, action,
      confidence, reasoning, days
    )
    on conflict do nothing`;
  return count;
}

/**
 * Takes back what a run stored after somebody had applied something of the same kind while it was
 * deciding. Once for all of it: asked with each batch, the planner scans the table that the run fills.
 *
 * @returns How many were taken back.
 */
export async function dropRecommendationsAfterApplied(
  sql: Transaction,
  { configId, entityType, asOf, at }: LevelDay & { at: Date },
): Promise<number> {
  const { count } = await sql`
    with applied as materialized (
      select entity_id, kind
      from ads.ml_recommendations
      where config_id = ${configId}
        and entity_type = ${entityType}
        and applied_at >= ${at}
    )
    delete from ads.ml_recommendations n
    using applied a
    where n.config_id = ${configId}
      and n.entity_type = ${entityType}
      and n.as_of = ${asOf}
      and n.created_at = ${at}
      and n.status = 'active'
      and n.entity_id = a.entity_id
      and n.kind = a.kind`;
  return count;
}
