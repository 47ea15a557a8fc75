/** Reading anomalies and incidents, and what people do with them. */
import type { AnomalyType, Severity } from "../core/anomalies/anomaly.ts";
import type { Place } from "../core/anomalies/tree.ts";
import type { Level } from "../core/level.ts";
import type { Queries } from "./connect.ts";

/** One anomaly as it is stored. */
export type Anomaly = {
  id: number;
  config_id: number;
  entity_type: Place;
  entity_id: string;
  entity_name: string | null;
  parent_id: string | null;
  incident_id: number | null;
  anomaly_type: AnomalyType;
  metric_name: string;
  anomaly_date: string;
  observed_value: number | null;
  expected_value: number | null;
  deviation_score: number;
  window_days: number;
  baseline_window_days: number;
  p_value: number;
  q_value: number;
  severity: Severity;
  status: "open" | "closed";
  acknowledged_at: Date | null;
  acknowledged_by: number | null;
  resolution_notes: string | null;
  recommendation_id: number | null;
  detected_at: Date;
};

/** Which anomalies are meant. What is not given does not matter. Days are included. */
export type AnomalyFilter = {
  configId: number;
  entityType?: Level | undefined;
  entityId?: string | undefined;
  severity?: Severity | undefined;
  type?: AnomalyType | undefined;
  isAcknowledged?: boolean | undefined;
  status?: "open" | "closed" | undefined;
  from?: string | undefined;
  to?: string | undefined;
  incidentId?: number | undefined;
};

/** A page of a list that is read by the id of the last row before it. */
export type KeyPage = { limit: number; offset: number; after?: number | undefined };

/** One page of anomalies, the newest first. */
export function listAnomalies(
  sql: Queries,
  filter: AnomalyFilter,
  { limit, offset, after }: KeyPage,
): Promise<Anomaly[]> {
  return sql<Anomaly[]>`
    select
      a.id, a.config_id, a.entity_type, a.entity_id, e.name as entity_name, a.parent_id,
      m.incident_id, a.anomaly_type, a.metric_name, a.anomaly_date, a.observed_value,
      a.expected_value, a.deviation_score, a.window_days, a.baseline_window_days, a.p_value,
      a.q_value, a.severity, a.status, a.acknowledged_at, a.acknowledged_by, a.resolution_notes,
      a.recommendation_id, a.detected_at
    from (
      select *
      from ads.ml_anomalies a
      where ${matches(sql, filter)}
        ${
    after === undefined ? sql`` : sql`
        and (a.detected_at, a.id) < ((
          select detected_at from ads.ml_anomalies where config_id = ${filter.configId} and id = ${after}
        ), ${after})`
  }
      order by a.detected_at desc, a.id desc
      limit ${limit}
      offset ${offset}
    ) a
    left join ads.incident_members m
      on m.config_id = a.config_id
      and m.anomaly_id = a.id
    -- One look-up per row, however many entities there are.
    left join lateral (
      select name
      from ads.entities
      where config_id = ${filter.configId}
        and entity_type = a.entity_type
        and entity_id = a.entity_id
      limit 1
    ) e on true
    order by a.detected_at desc, a.id desc`;
}

/** How many anomalies match, by severity, type and whether somebody took note. */
export type AnomalyCount = {
  severity: Severity;
  anomaly_type: AnomalyType;
  is_acknowledged: boolean;
  count: number;
  last_detected_at: Date;
};

/** Counts anomalies. A combination without any has no row. */
export function countAnomalies(sql: Queries, filter: AnomalyFilter): Promise<AnomalyCount[]> {
  return sql<AnomalyCount[]>`
    select
      a.severity,
      a.anomaly_type,
      a.acknowledged_at is not null as is_acknowledged,
      count(*) as count,
      max(a.detected_at) as last_detected_at
    from ads.ml_anomalies a
    where ${matches(sql, filter)}
    group by a.severity, a.anomaly_type, a.acknowledged_at is not null`;
}

/** How many alarms the searches of some days raised on a level, and how many of them luck explains. */
export type LuckSum = {
  entity_type: Place;
  /** Each entity that could be tested, once for each day. */
  entity_days: number;
  alarms: number;
  expected_by_luck: number;
};

/** Sums up luck by level, the account itself being one. A level that was not searched has no row. */
export function sumLuck(
  sql: Queries,
  { configId, entityType, from, to }: Pick<AnomalyFilter, "configId" | "from" | "to"> & {
    entityType?: Place | undefined;
  },
): Promise<LuckSum[]> {
  return sql<LuckSum[]>`
    select
      entity_type,
      sum(entities) as entity_days,
      sum(alarms) as alarms,
      sum(expected_by_luck) as expected_by_luck
    from ads.anomaly_luck
    where config_id = ${configId}
      ${entityType === undefined ? sql`` : sql`and entity_type = ${entityType}`}
      ${from === undefined ? sql`` : sql`and anomaly_date >= ${from}`}
      ${to === undefined ? sql`` : sql`and anomaly_date <= ${to}`}
    group by entity_type`;
}

/** What somebody says when they take note. */
export type Note = { id: number; userId: number; notes: string | null; at: Date };

/**
 * Notes that somebody saw an anomaly, and closes it. Who saw it first stays.
 *
 * @returns False where there is none with this id.
 */
export async function acknowledgeAnomaly(sql: Queries, note: Note): Promise<boolean> {
  const { count } = await sql`
    update ads.ml_anomalies
    set ${acknowledgement(sql, note)}, resolution_notes = coalesce(resolution_notes, ${note.notes})
    where id = ${note.id}`;
  return count === 1;
}

/** The same for an incident and all its members. */
export async function acknowledgeIncident(sql: Queries, note: Note): Promise<boolean> {
  const [incident] = await sql<{ config_id: number }[]>`
    update ads.incidents
    set
      acknowledged_at = coalesce(acknowledged_at, ${note.at}),
      acknowledged_by = coalesce(acknowledged_by, ${note.userId}),
      notes = coalesce(notes, ${note.notes}),
      updated_at = ${note.at}
    where id = ${note.id}
    returning config_id`;
  if (!incident) return false;
  await sql`
    update ads.ml_anomalies a
    set ${acknowledgement(sql, note)}
    from ads.incident_members m
    where m.config_id = ${incident.config_id}
      and m.incident_id = ${note.id}
      and a.config_id = ${incident.config_id}
      and a.id = m.anomaly_id`;
  return true;
}

function acknowledgement(sql: Queries, { userId, at }: Note) {
  return sql`
    status = 'closed',
    closed_because = 'acknowledged',
    acknowledged_at = coalesce(acknowledged_at, ${at}),
    acknowledged_by = coalesce(acknowledged_by, ${userId}),
    updated_at = ${at}`;
}

/** One incident as it is stored. */
export type Incident = {
  id: number;
  config_id: number;
  entity_type: Place;
  entity_id: string;
  entity_name: string | null;
  anomaly_type: AnomalyType;
  severity: Severity;
  state: "open" | "recovered";
  first_date: string;
  last_date: string;
  sentence: string;
  facts: Record<string, unknown>;
  detected_at: Date;
  updated_at: Date;
  acknowledged_at: Date | null;
  acknowledged_by: number | null;
  notes: string | null;
};

/** Which incidents are meant. Days are included: a story counts if it touches them. */
export type IncidentFilter = {
  configId: number;
  state?: "open" | "recovered" | undefined;
  severity?: Severity | undefined;
  isAcknowledged?: boolean | undefined;
  from?: string | undefined;
  to?: string | undefined;
};

/** One page of incidents, those that stood out last first. */
export function listIncidents(
  sql: Queries,
  filter: IncidentFilter,
  { limit, offset, after }: KeyPage,
): Promise<Incident[]> {
  const following = after === undefined ? sql`` : sql`
    and (i.last_date, i.id) < ((
      select last_date from ads.incidents where config_id = ${filter.configId} and id = ${after}
    ), ${after})`;
  return sql<Incident[]>`
    select ${incidentColumns(sql)}
    from ads.incidents i
    ${withName(sql)}
    where ${incidentMatches(sql, filter)} ${following}
    order by i.last_date desc, i.id desc
    limit ${limit}
    offset ${offset}`;
}

/** How many incidents match. */
export async function countIncidents(sql: Queries, filter: IncidentFilter): Promise<number> {
  const [row] = await sql<{ count: number }[]>`
    select count(*) as count from ads.incidents i where ${incidentMatches(sql, filter)}`;
  return row?.count ?? 0;
}

/** The incident with this id, of any account. */
export async function findIncident(sql: Queries, id: number): Promise<Incident | undefined> {
  const [incident] = await sql<Incident[]>`
    select ${incidentColumns(sql)} from ads.incidents i ${withName(sql)} where i.id = ${id}`;
  return incident;
}

/** How much each anomaly of an incident explains, by the anomaly's id. */
export async function contributions(
  sql: Queries,
  { config_id, id }: Pick<Incident, "config_id" | "id">,
): Promise<Map<number, number | null>> {
  const rows = await sql<{ anomaly_id: number; contribution: number | null }[]>`
    select anomaly_id, contribution
    from ads.incident_members
    where config_id = ${config_id} and incident_id = ${id}`;
  return new Map(rows.map(({ anomaly_id, contribution }) => [anomaly_id, contribution]));
}

function incidentColumns(sql: Queries) {
  return sql`
    i.id, i.config_id, i.entity_type, i.entity_id, e.name as entity_name, i.anomaly_type,
    i.severity, i.state, i.first_date, i.last_date, i.sentence, i.facts, i.detected_at,
    i.updated_at, i.acknowledged_at, i.acknowledged_by, i.notes`;
}

function withName(sql: Queries) {
  return sql`
    left join lateral (
      select name
      from ads.entities
      where config_id = i.config_id
        and entity_type = i.entity_type
        and entity_id = i.entity_id
      limit 1
    ) e on true`;
}

function incidentMatches(
  sql: Queries,
  { configId, state, severity, isAcknowledged, from, to }: IncidentFilter,
) {
  return sql`
    i.config_id = ${configId}
    ${state === undefined ? sql`` : sql`and i.state = ${state}`}
    ${severity === undefined ? sql`` : sql`and i.severity = ${severity}`}
    ${
    isAcknowledged === undefined ? sql`` : sql`
      and (i.acknowledged_at is not null) = ${isAcknowledged}`
  }
    ${from === undefined ? sql`` : sql`and i.last_date >= ${from}`}
    ${to === undefined ? sql`` : sql`and i.first_date <= ${to}`}`;
}

function matches(sql: Queries, filter: AnomalyFilter) {
  const { entityType, entityId, severity, type, isAcknowledged, status, from, to } = filter;
  return sql`
    a.config_id = ${filter.configId}
    ${entityType === undefined ? sql`` : sql`and a.entity_type = ${entityType}`}
    ${entityId === undefined ? sql`` : sql`and a.entity_id = ${entityId}`}
    ${severity === undefined ? sql`` : sql`and a.severity = ${severity}`}
    ${type === undefined ? sql`` : sql`and a.anomaly_type = ${type}`}
    ${status === undefined ? sql`` : sql`and a.status = ${status}`}
    ${
    isAcknowledged === undefined ? sql`` : sql`
      and (a.acknowledged_at is not null) = ${isAcknowledged}`
  }
    ${from === undefined ? sql`` : sql`and a.anomaly_date >= ${from}`}
    ${to === undefined ? sql`` : sql`and a.anomaly_date <= ${to}`}
    ${
    filter.incidentId === undefined ? sql`` : sql`
      and exists (
        select
        from ads.incident_members x
        where x.config_id = a.config_id
          and x.incident_id = ${filter.incidentId}
          and x.anomaly_id = a.id
      )`
  }`;
}
