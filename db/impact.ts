/** What the impact of changes is measured on, and where it is stored. */
import type { Control, ImpactVerdict, MetricChange } from "../core/impact/analyze.ts";
import type { ChangeType, MeasuredLevel } from "../core/impact/change.ts";
import type { Member } from "../core/impact/history.ts";
import { daysBetween } from "../core/days.ts";
import { type Level, LEVEL_FACTS } from "../core/level.ts";
import type { Queries, Transaction } from "./connect.ts";

/** So many siblings are compared with at most, and so many others: more say no more. */
const MEMBERS = 60;

/** A day's numbers have the same place in each array. */
type Row = {
  entity_id: string;
  parent_id: string | null;
  is_changed: boolean;
  ages: number[];
  spend: number[];
  impressions: number[];
  clicks: number[];
  leads: number[];
};

/** Which entity a change is measured on, and over which days. */
export type MeasuredEntity = {
  configId: number;
  entityType: Level;
  entityId: string;
  parentId: string | null;
  /** The first and the last day of the histories. */
  from: string;
  asOf: string;
  /** From this day on, who is changed too is not compared with. */
  windowFrom: string;
};

/** The entity itself, then some of its siblings and some other entities of its level. */
export async function impactMembers(
  sql: Queries,
  { configId, entityType, entityId, parentId, from, asOf, windowFrom }: MeasuredEntity,
): Promise<Member[]> {
  const some = (isSibling: boolean) =>
    sql`(
      select entity_id, ${isSibling ? 1 : 2}::integer as place
      from ads.entities
      where config_id = ${configId}
        and entity_type = ${entityType}
        and entity_id <> ${entityId}
        and parent_id ${isSibling ? sql`is not distinct from` : sql`is distinct from`} ${parentId}
      -- At random, but always the same.
      order by is_active desc, md5(entity_id)
      limit ${MEMBERS}
    )`;
  const above = LEVEL_FACTS[entityType].parent;
  // Each by its id, which leads to its rows by an index. As JSON, which is read many times quicker
  // than arrays of PostgreSQL.
  const rows = await sql<Row[]>`
    select
      b.entity_id,
      b.parent_id,
      exists (
        select
        from ads.entity_changes x
        where x.config_id = ${configId}
          and x.date between ${windowFrom} and ${asOf}
          and (
            x.entity_type = ${entityType} and x.entity_id = b.entity_id
            or x.entity_type = ${above} and x.entity_id = b.parent_id and x.is_own
              and b.parent_id is distinct from ${parentId}
          )
      ) as is_changed,
      array_to_json(b.ages) as ages,
      array_to_json(b.spend) as spend,
      array_to_json(b.impressions) as impressions,
      array_to_json(b.clicks) as clicks,
      array_to_json(b.leads) as leads
    from (
      select ${entityId} as entity_id, 0 as place
      union all
      select * from ${some(true)} siblings
      union all
      select * from ${some(false)} others
    ) e
    cross join lateral (
      select *
      from ads.anomaly_baselines
      where config_id = ${configId}
        and entity_type = ${entityType}
        and entity_id = e.entity_id
        and as_of = ${asOf}
        and date_from = ${from}
    ) b
    order by e.place, b.entity_id, b.parent_id is not distinct from ${parentId} desc`;
  const length = daysBetween(from, asOf) + 1;
  const members = rows.map((row) => ({
    entityId: row.entity_id,
    parentId: row.parent_id,
    isChanged: row.is_changed,
    days: daysOf(row, length),
  }));
  if (members[0]?.entityId === entityId) return members;
  const silent = { entityId, parentId, isChanged: true, days: Array.from({ length }, () => null) };
  return [silent, ...members];
}

function daysOf({ ages, spend, impressions, clicks, leads }: Row, length: number): Member["days"] {
  const days: Member["days"] = Array.from({ length }, () => null);
  ages.forEach((age, place) => {
    days[length - 1 - age] = {
      spend: spend[place] ?? 0,
      impressions: impressions[place] ?? 0,
      clicks: clicks[place] ?? 0,
      leads: leads[place] ?? 0,
    };
  });
  return days;
}

/** An applied recommendation that is to be measured. */
export type DueChange = {
  recommendation_id: number;
  entity_id: string;
  recommendation_type: string;
  change_date: string;
};

/**
 * What was applied a window ago, or before and was never measured since.
 *
 * @param again Also what was measured on this day already.
 */
export function dueChanges(
  sql: Transaction,
  { configId, entityType, asOf, windowDays, patienceDays, entityIds, again }: {
    configId: number;
    entityType: Level;
    asOf: string;
    windowDays: number;
    /** How long after its time a change is still measured. */
    patienceDays: number;
    entityIds?: string[] | undefined;
    again: boolean;
  },
): Promise<DueChange[]> {
  return sql<DueChange[]>`
    select
      x.recommendation_id, x.entity_id, r.recommendation_type, x.date as change_date
    from ads.entity_changes x
    join ads.ml_recommendations r
      on r.config_id = x.config_id
      and r.id = x.recommendation_id
    left join ads.impact_results i
      on i.config_id = x.config_id
      and i.recommendation_id = x.recommendation_id
      and i.window_days = ${windowDays}
    where x.config_id = ${configId}
      and x.entity_type = ${entityType}
      and x.is_own
      and x.date between ${asOf}::date - ${windowDays + patienceDays}::integer
        and ${asOf}::date - ${windowDays}::integer
      ${entityIds === undefined ? sql`` : sql`and x.entity_id = any(${entityIds})`}
      and (i.recommendation_id is null or ${again} and i.as_of = ${asOf})
    order by x.recommendation_id`;
}

/** What an applied recommendation did, as it is stored; null where nothing can be said. */
export type NewImpact = {
  recommendation_id: number;
  window_days: number;
  entity_id: string;
  recommendation_type: string;
  change_type: ChangeType;
  change_date: string;
  as_of: string;
  /** Why nothing can be said. */
  missing: string | null;
  measured_type: MeasuredLevel | null;
  measured_id: string | null;
  verdict: ImpactVerdict | null;
  sentence: string | null;
  advice: string | null;
  cpl_pct_change: number | null;
  cpl_low: number | null;
  cpl_high: number | null;
  p_value: number | null;
  metrics: MetricChange[] | null;
  control: Control | null;
};

/** Stores what recommendations did; what is measured again takes the place of what was. */
export async function storeImpacts(
  sql: Transaction,
  { configId, entityType, at, modelVersion }: {
    configId: number;
    entityType: Level;
    at: Date;
    modelVersion: string;
  },
  impacts: NewImpact[],
): Promise<void> {
  if (impacts.length === 0) return;
  await sql`
    insert into ads.impact_results (
      config_id, entity_type, model_version, measured_at, recommendation_id, window_days, entity_id,
      recommendation_type, change_type, change_date, as_of, missing, measured_type, measured_id,
      verdict, sentence, advice, cpl_pct_change, cpl_low, cpl_high, p_value, metrics, control
    )
    select ${configId}, ${entityType}, ${modelVersion}, ${at}, n.*
    from json_to_recordset(${JSON.stringify(impacts)}::text::json) n (
      recommendation_id bigint,
      window_days integer,
      entity_id text,
      recommendation_type text,
      change_type text,
      change_date date,
      as_of date,
      missing text,
      measured_type text,
      measured_id text,
      verdict text,
      sentence text,
      advice text,
      cpl_pct_change double precision,
      cpl_low double precision,
      cpl_high double precision,
      p_value double precision,
      metrics jsonb,
      control jsonb
    )
    on conflict (config_id, recommendation_id, window_days) do update set
      model_version = excluded.model_version,
      measured_at = excluded.measured_at,
      as_of = excluded.as_of,
      missing = excluded.missing,
      measured_type = excluded.measured_type,
      measured_id = excluded.measured_id,
      verdict = excluded.verdict,
      sentence = excluded.sentence,
      advice = excluded.advice,
      cpl_pct_change = excluded.cpl_pct_change,
      cpl_low = excluded.cpl_low,
      cpl_high = excluded.cpl_high,
      p_value = excluded.p_value,
      metrics = excluded.metrics,
      control = excluded.control`;
}
