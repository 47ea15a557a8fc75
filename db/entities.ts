/** Reading campaigns, ad sets and ads with their numbers, one generic way for all levels. */
import { type Level, LEVELS } from "../core/level.ts";
import type { Queries } from "./connect.ts";

/** A campaign, ad set or ad. */
export type Entity = {
  config_id: number;
  entity_type: Level;
  entity_id: string;
  parent_id: string | null;
  campaign_id: string;
  adset_id: string | null;
  name: string;
  objective: string | null;
  status: string | null;
  effective_status: string | null;
  daily_budget: number | null;
  lifetime_budget: number | null;
  has_budget: boolean;
  budget_holder: "campaign" | "adset" | null;
  is_active: boolean;
};

/** Which entities of one level are meant. What is not given does not matter. */
export type EntityFilter = {
  configId: number;
  entityType: Level;
  entityId?: string | undefined;
  parentId?: string | undefined;
  campaignId?: string | undefined;
  adsetId?: string | undefined;
  isActive?: boolean | undefined;
  /** Part of the name, in any case. */
  search?: string | undefined;
};

/** One page of entities in the order of their ids, after the id `after` if there is one. */
export function listEntities(
  sql: Queries,
  filter: EntityFilter,
  { limit, offset, after }: { limit: number; offset: number; after?: string | undefined },
): Promise<Entity[]> {
  return sql<Entity[]>`
    select ${columns(sql)}
    from ads.entities
    where ${matches(sql, filter)}
      ${after === undefined ? sql`` : sql`and entity_id > ${after}`}
    order by entity_id
    limit ${limit}
    offset ${offset}`;
}

/** How many entities match. */
export async function countEntities(sql: Queries, filter: EntityFilter): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from ads.entities where ${matches(sql, filter)}`;
  return row?.count ?? 0;
}

/** The entities with these ids. */
export function findEntities(
  sql: Queries,
  configId: number,
  entityType: Level,
  entityIds: string[],
): Promise<Entity[]> {
  return sql<Entity[]>`
    select ${columns(sql)}
    from ads.entities
    where config_id = ${configId}
      and entity_type = ${entityType}
      and entity_id = any(${entityIds})`;
}

/** What an entity did over a period. */
export type Totals = {
  entity_id: string;
  parent_id: string | null;
  impressions: number;
  reach: number | null;
  clicks: number;
  spend: number;
  leads: number;
  conversions: number;
  ctr: number | null;
  cpc: number | null;
  cpl: number | null;
  days_active: number;
};

/** Days from the first to the last one, both included. */
export type Period = { from: string; to: string };

/**
 * The totals of the entities of a level over a period, by their ids. One without delivery has none.
 *
 * @param entityIds Only these.
 */
export async function entityTotals(
  sql: Queries,
  configId: number,
  entityType: Level,
  period: Period,
  entityIds?: string[],
): Promise<Map<string, Totals>> {
  const rows = await sql<Totals[]>`
    select
      entity_id, parent_id, impressions, reach, clicks, spend, leads, conversions, ctr, cpc, cpl,
      days_active
    from ads.entity_totals
    where config_id = ${configId}
      and entity_type = ${entityType}
      and date_from = ${period.from}
      and date_to = ${period.to}
      ${entityIds ? sql`and entity_id = any(${entityIds})` : sql``}`;
  return new Map(rows.map((row) => [row.entity_id, row]));
}

/** One day of an entity. */
export type DailyRow = {
  date: string;
  spend: number;
  impressions: number;
  reach: number | null;
  clicks: number;
  link_clicks: number | null;
  leads: number;
  conversions: number;
};

/** The days of an entity with delivery, the oldest first. */
export function entityDays(
  sql: Queries,
  configId: number,
  entityType: Level,
  entityId: string,
  period: Period,
): Promise<DailyRow[]> {
  return sql<DailyRow[]>`
    select date, spend, impressions, reach, clicks, link_clicks, leads, conversions
    from ads.entity_daily
    where config_id = ${configId}
      and entity_type = ${entityType}
      and entity_id = ${entityId}
      and date between ${period.from} and ${period.to}
    order by date`;
}

const COUNTS = [
  "spend_7d",
  "impressions_7d",
  "clicks_7d",
  "leads_7d",
  "leads_14d",
  "leads_30d",
  "days_with_leads_7d",
  "days_active",
] as const;

const RATIOS = [
  "cpl_7d",
  "ctr_7d",
  "cpc_7d",
  "conversion_rate_7d",
  "cpl_trend",
  "leads_trend",
  "spend_trend",
  "ctr_trend",
  "cpl_14d",
  "cpl_30d",
  "avg_daily_spend_30d",
  "cpl_std_7d",
  "leads_std_7d",
  "best_day_of_week",
  "worst_day_of_week",
  "frequency_7d",
  "reach_7d",
  "share_of_parent_spend",
  "share_of_parent_leads",
  "performance_vs_siblings",
] as const;

/** The features of an entity on a day. Whatever can be undefined is null where it is. */
export type EntityFeatures =
  & {
    config_id: number;
    as_of: string;
    entity_type: Level;
    entity_id: string;
    parent_id: string | null;
    is_active: boolean;
    has_budget: boolean;
  }
  & Record<typeof COUNTS[number], number>
  & Record<typeof RATIOS[number], number | null>;

/**
 * The features of these entities on each day of a period, in the order of the ids and of the days. One
 * query for each: only a single id leads each part of the view to its rows by key, and several make
 * it read the whole account. Planning takes most of such a query's time, so it is written for the
 * server to keep its plan: with the level in its text, because no plan for all levels is worth keeping,
 * and a single day as such.
 */
export async function entityFeatures(
  sql: Queries,
  configId: number,
  entityType: Level,
  entityIds: string[],
  period: Period,
): Promise<EntityFeatures[]> {
  const { from, to } = period;
  // It becomes text: none but those that there are.
  const level = LEVELS.find((each) => each === entityType) ?? "";
  const rows = await Promise.all(entityIds.map((entityId) =>
    sql<EntityFeatures[]>`
      select
        config_id, as_of, entity_type, entity_id, parent_id, is_active, has_budget,
        ${sql([...COUNTS, ...RATIOS])}
      from ads.entity_features
      where config_id = ${configId}
        and entity_type = ${sql.unsafe(`'${level}'`)}
        and entity_id = ${entityId}
        and ${from === to ? sql`as_of = ${from}` : sql`as_of between ${from} and ${to}`}
      order by as_of`
  ));
  return rows.flat();
}

/** What is known about a rate of an entity on a day: events per unit of exposure. */
export type Evidence = {
  entity_id: string;
  metric: "cpl" | "ctr" | "conversion_rate";
  events: number;
  exposure: number;
  alpha: number;
  beta: number;
  prior_alpha: number;
  prior_beta: number;
};

/**
 * The evidence about these entities on a day, one row per metric. Each metric costs a look at all of
 * the account's last 30 days, because what is known about one entity comes from all of them.
 */
export function entityEvidence(
  sql: Queries,
  configId: number,
  entityType: Level,
  entityIds: string[],
  asOf: string,
  metrics: Evidence["metric"][],
): Promise<Evidence[]> {
  return sql<Evidence[]>`
    select entity_id, metric, events, exposure, alpha, beta, prior_alpha, prior_beta
    from ads.entity_evidence
    where config_id = ${configId}
      and entity_type = ${entityType}
      and entity_id = any(${entityIds})
      and as_of = ${asOf}
      and metric = any(${metrics})`;
}

function columns(sql: Queries) {
  return sql`
    config_id, entity_type, entity_id, parent_id, campaign_id, adset_id, name, objective, status,
    effective_status, daily_budget, lifetime_budget, has_budget, budget_holder, is_active`;
}

function matches(sql: Queries, filter: EntityFilter) {
  const { entityId, parentId, campaignId, adsetId, isActive, search } = filter;
  return sql`
    config_id = ${filter.configId}
    and entity_type = ${filter.entityType}
    ${entityId === undefined ? sql`` : sql`and entity_id = ${entityId}`}
    ${parentId === undefined ? sql`` : sql`and parent_id = ${parentId}`}
    ${campaignId === undefined ? sql`` : sql`and campaign_id = ${campaignId}`}
    ${adsetId === undefined ? sql`` : sql`and adset_id = ${adsetId}`}
    ${isActive === undefined ? sql`` : sql`and is_active = ${isActive}`}
    ${search === undefined ? sql`` : sql`and strpos(lower(name), lower(${search})) > 0`}`;
}
