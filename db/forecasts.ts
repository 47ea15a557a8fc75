/** Reading forecasts. */
import { type Metric, METRICS, type Place } from "../core/forecast/account.ts";
import type { Queries } from "./connect.ts";

/** What is forecast; the CPL is made of the two others. */
export const TARGETS = [...METRICS, "cpl"] as const;

/** One of them. */
export type Target = (typeof TARGETS)[number];

/** What is expected of one day. Null where nothing can be said of a CPL. */
export type ForecastDay = {
  date: string;
  mean: number | null;
  low80: number | null;
  high80: number | null;
  low95: number | null;
  high95: number | null;
};

/** One metric of an entity, forecast from a day. */
export type Forecast = {
  id: number;
  config_id: number;
  entity_type: Place;
  entity_id: string;
  target_metric: Target;
  as_of: string;
  model_version: string;
  insufficient_data: boolean;
  created_at: Date;
  days: ForecastDay[];
};

/** Which forecasts are meant. What is not given does not matter. Instants: `before` is not included. */
export type ForecastFilter = {
  configId: number;
  place?: Place | undefined;
  entityId?: string | undefined;
  entityIds?: string[] | undefined;
  parentId?: string | undefined;
  target?: Target | undefined;
  asOf?: string | undefined;
  from?: Date | undefined;
  before?: Date | undefined;
};

/**
 * One page, the newest day first, then the newest row.
 *
 * @param days At most so many days of each forecast.
 */
export function listForecasts(
  sql: Queries,
  filter: ForecastFilter,
  { limit, offset, days }: { limit: number; offset: number; days: number },
): Promise<Forecast[]> {
  // A stored row holds all that is forecast of an entity; each target of it has a number of its own.
  return sql<Forecast[]>`
    select
      f.id, f.config_id, f.entity_type, f.entity_id, f.target_metric, f.as_of, f.model_version,
      f.insufficient_data, f.created_at, d.days
    from (
      select
        f.id as row, ${TARGETS.length} * f.id + t.place as id, f.config_id, f.entity_type, f.entity_id,
        t.target as target_metric, f.as_of, f.model_version, f.insufficient_data, f.created_at
      from ads.ml_forecasts f
      cross join unnest(${TARGETS}::text[]) with ordinality x (target, number)
      cross join lateral (select x.target, x.number::integer - 1 as place) t
      where ${matches(sql, filter)}
        ${filter.target === undefined ? sql`` : sql`and t.target = ${filter.target}`}
      order by f.as_of desc, f.id desc, t.place
      limit ${limit}
      offset ${offset}
    ) f
    cross join lateral (
      select coalesce(
        json_agg(
          json_build_object(
            'date', d.date,
            'mean', d.mean,
            'low80', d.low80,
            'high80', d.high80,
            'low95', d.low95,
            'high95', d.high95
          )
          order by d.date
        ),
        '[]'
      ) as days
      from ads.forecast_days d
      where d.config_id = f.config_id
        and d.entity_type = f.entity_type
        and d.entity_id = f.entity_id
        and d.as_of = f.as_of
        and d.metric = f.target_metric
        and d.days_ahead <= ${days}
    ) d
    order by f.as_of desc, f.row desc, f.id`;
}

/** How many forecasts match. */
export async function countForecasts(sql: Queries, filter: ForecastFilter): Promise<number> {
  const count = await countEntities(sql, filter);
  return count * (filter.target === undefined ? TARGETS.length : 1);
}

/** How many rows match, each of which holds all targets of an entity. */
export async function countEntities(sql: Queries, filter: ForecastFilter): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count
    from ads.ml_forecasts f
    where ${matches(sql, filter)}`;
  return row?.count ?? 0;
}

/** The newest day that an account was forecast from, null if it never was. */
export async function newestForecastDay(
  sql: Queries,
  configId: number,
  place: Place,
): Promise<string | null> {
  const [row] = await sql<{ as_of: string | null }[]>`
    select max(as_of) as as_of
    from ads.ml_forecasts
    where config_id = ${configId} and entity_type = ${place}`;
  return row?.as_of ?? null;
}

/** What the week after a day is expected to come to, beside the week to it. */
export type Trend = { metric: Metric; expected: number; spread: number; before: number };

/** The trends of an account as a whole, from its newest forecast. */
export function accountTrends(
  sql: Queries,
  { configId, asOf }: { configId: number; asOf: string },
): Promise<Trend[]> {
  return sql<Trend[]>`
    select
      s.metric,
      sum(d.mean) as expected,
      sqrt(
        (1 - s.day_correlations[7]) * sum(d.spread ^ 2)
          + s.day_correlations[7] * sum(d.spread) ^ 2
      ) as spread,
      b.before
    from ads.ml_forecasts f
    join ads.forecast_shapes s
      on s.config_id = f.config_id
      and s.entity_type = f.entity_type
      and s.as_of = f.as_of
    cross join lateral (
      select
        coalesce(
          sum(case s.metric when 'spend' then a.spend else a.leads end)::double precision,
          0
        ) as before
      from ads.account_daily a
      where a.config_id = f.config_id and a.date between f.as_of - 6 and f.as_of
    ) b
    cross join lateral unnest(
      case s.metric when 'spend' then f.spend[1:7] else f.leads[1:7] end,
      case s.metric when 'spend' then f.spend_spread[1:7] else f.leads_spread[1:7] end
    ) d (mean, spread)
    where f.config_id = ${configId}
      and f.entity_type = 'account'
      and f.as_of = ${asOf}
    group by s.metric, s.day_correlations, b.before`;
}

/** One number of a month, with its ranges. */
type Ranged<Name extends Target> = Record<
  Name | `${Name}_${"low80" | "high80" | "low95" | "high95"}`,
  Name extends "cpl" ? number | null : number
>;

/** What the month of an entity will come to. */
export type Pacing = Ranged<"spend"> & Ranged<"leads"> & Ranged<"cpl"> & {
  entity_type: Place;
  entity_id: string;
  entity_name: string | null;
  parent_id: string | null;
  as_of: string;
  month_start: string;
  month_end: string;
  days_left: number;
  insufficient_data: boolean;
  spend_to_date: number;
  leads_to_date: number;
};

/** What months will come to, those with the most spend to come first. */
export function listPacing(
  sql: Queries,
  { place, asOf, ...filter }: ForecastFilter & { place: Place; asOf: string },
  { limit, offset }: { limit: number; offset: number },
): Promise<Pacing[]> {
  return sql<Pacing[]>`
    select
      p.entity_type, p.entity_id, e.name as entity_name, p.parent_id, p.as_of, p.month_start,
      p.month_end, p.days_left, p.insufficient_data, p.spend_to_date, p.leads_to_date, p.spend,
      p.spend_low80, p.spend_high80, p.spend_low95, p.spend_high95, p.leads, p.leads_low80,
      p.leads_high80, p.leads_low95, p.leads_high95, p.cpl, p.cpl_low80, p.cpl_high80, p.cpl_low95,
      p.cpl_high95
    -- The page first: a month is added up for each of its entities.
    from (
      select f.entity_id, w.spend
      from ads.ml_forecasts f
      cross join lateral (select sum(x) as spend from unnest(f.spend) x) w
      where ${matches(sql, { ...filter, place, asOf })}
      order by w.spend desc, f.entity_id
      limit ${limit}
      offset ${offset}
    ) f
    join lateral (
      select *
      from ads.month_pacing
      where config_id = ${filter.configId}
        and entity_type = ${place}
        and entity_id = f.entity_id
        and as_of = ${asOf}
    ) p on true
    left join lateral (
      select name
      from ads.entities
      where config_id = ${filter.configId} and entity_type = ${place} and entity_id = f.entity_id
      limit 1
    ) e on true
    order by f.spend desc, f.entity_id`;
}

function matches(
  sql: Queries,
  { configId, place, entityId, entityIds, parentId, asOf, from, before }: ForecastFilter,
) {
  return sql`
    f.config_id = ${configId}
    ${place === undefined ? sql`` : sql`and f.entity_type = ${place}`}
    ${entityId === undefined ? sql`` : sql`and f.entity_id = ${entityId}`}
    ${entityIds === undefined ? sql`` : sql`and f.entity_id = any(${entityIds})`}
    ${parentId === undefined ? sql`` : sql`and f.parent_id = ${parentId}`}
    ${asOf === undefined ? sql`` : sql`and f.as_of = ${asOf}`}
    ${from === undefined ? sql`` : sql`and f.created_at >= ${from}`}
    ${before === undefined ? sql`` : sql`and f.created_at < ${before}`}`;
}
