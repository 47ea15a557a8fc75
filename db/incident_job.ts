/** What telling incidents asks of the database: open anomalies in, stories out. */
import type { AnomalyType, Severity } from "../core/anomalies/anomaly.ts";
import { type Incident, keyOf, type OpenIncident } from "../core/anomalies/incidents.ts";
import type { Place } from "../core/anomalies/tree.ts";
import type { Level } from "../core/level.ts";
import type { Transaction } from "./connect.ts";

/** An open anomaly of a day, as far as it is needed to find it again in the numbers. */
export type OpenAnomaly = {
  id: number;
  place: Place;
  entity_id: string;
  anomaly_type: AnomalyType;
  /** The campaign that it belongs to; null for the account. */
  campaign_id: string | null;
  q_value: number;
  severity: Severity;
};

/** The anomalies of a day that nobody has closed, on all levels. */
export function openAnomalies(
  sql: Transaction,
  configId: number,
  date: string,
): Promise<OpenAnomaly[]> {
  return sql<OpenAnomaly[]>`
    select
      a.id, a.entity_type as place, a.entity_id, a.anomaly_type, e.campaign_id, a.q_value, a.severity
    from ads.ml_anomalies a
    left join lateral (
      select campaign_id
      from ads.entities
      where config_id = ${configId} and entity_type = a.entity_type and entity_id = a.entity_id
      limit 1
    ) e on true
    where a.config_id = ${configId} and a.anomaly_date = ${date} and a.status = 'open'`;
}

/** Closes anomalies that belong to no story: they only show that other children ran than before. */
export async function closeAsMix(
  sql: Transaction,
  configId: number,
  ids: number[],
  at: Date,
): Promise<void> {
  await sql`
    update ads.ml_anomalies
    set status = 'closed', closed_because = 'mix', updated_at = ${at}
    where config_id = ${configId} and id = any(${ids})`;
}

/** The names of a level's entities below some campaigns, or of all campaigns. */
export async function namesBelow(
  sql: Transaction,
  configId: number,
  entityType: Level,
  campaignIds: string[],
): Promise<Map<string, string>> {
  const rows = await sql<{ entity_id: string; name: string }[]>`
    select entity_id, name
    from ads.entities
    where config_id = ${configId}
      and entity_type = ${entityType}
      and (${entityType} = 'campaign' or campaign_id = any(${campaignIds}))`;
  return new Map(rows.map(({ entity_id, name }) => [entity_id, name]));
}

/** The stories that were going on by a day. */
export async function openIncidents(
  sql: Transaction,
  configId: number,
  date: string,
): Promise<OpenIncident[]> {
  const rows = await sql<
    { id: number; place: Place; entity_id: string; last_date: string; members: [Place, string][] }[]
  >`
    select
      i.id,
      i.entity_type as place,
      i.entity_id,
      i.last_date,
      coalesce(
        (
          select json_agg(distinct jsonb_build_array(a.entity_type, a.entity_id))
          from ads.incident_members m
          join ads.ml_anomalies a
            on a.config_id = m.config_id
            and a.id = m.anomaly_id
          where m.config_id = i.config_id and m.incident_id = i.id
        ),
        '[]'
      ) as members
    from ads.incidents i
    where i.config_id = ${configId} and i.state = 'open' and i.first_date <= ${date}`;
  return rows.map(({ id, place, entity_id, last_date, members }) => ({
    id,
    place,
    entityId: entity_id,
    lastDate: last_date,
    entities: members.map(([place, entityId]) => keyOf(place, entityId)),
  }));
}

/** Ends stories that are over. */
export async function recoverIncidents(
  sql: Transaction,
  configId: number,
  ids: number[],
  at: Date,
): Promise<void> {
  await sql`
    update ads.incidents
    set state = 'recovered', updated_at = ${at}
    where config_id = ${configId} and id = any(${ids})`;
}

/**
 * Stores a story: a new one, or another day of one that is told already.
 *
 * @param id Of the one that it continues.
 * @param members The ids of its anomalies, with what each explains.
 */
export async function storeIncident(
  sql: Transaction,
  configId: number,
  { place, entityId, alarm, severity, date, sentence }: Incident,
  { id, members, at }: {
    id: number | undefined;
    members: { anomalyId: number; contribution: number | null }[];
    at: Date;
  },
): Promise<void> {
  const told = {
    entity_type: place,
    entity_id: entityId,
    anomaly_type: alarm.type,
    severity,
    sentence,
    facts: sql.json({ ...alarm }),
    updated_at: at,
  };
  const [stored] = id === undefined
    ? await sql<{ id: number }[]>`
      insert into ads.incidents ${
      sql({
        ...told,
        config_id: configId,
        first_date: date,
        last_date: date,
        detected_at: at,
      })
    }
      on conflict (config_id, entity_type, entity_id, anomaly_type) where state = 'open'
      do update set
        severity = excluded.severity,
        sentence = excluded.sentence,
        facts = excluded.facts,
        last_date = greatest(incidents.last_date, excluded.last_date),
        updated_at = excluded.updated_at
      returning id`
    : await sql<{ id: number }[]>`
      update ads.incidents
      set ${sql(told)}, last_date = greatest(last_date, ${date}::date)
      where config_id = ${configId} and id = ${id}
      returning id`;
  if (!stored) throw new Error(`Incident ${id} is not there`);
  await sql`
    insert into ads.incident_members (config_id, incident_id, anomaly_id, contribution)
    select ${configId}, ${stored.id}, m.anomaly_id, m.contribution
    from unnest(
      ${members.map(({ anomalyId }) => anomalyId)}::bigint[],
      ${members.map(({ contribution }) => contribution)}::double precision[]
    ) m (anomaly_id, contribution)
    on conflict (config_id, anomaly_id) do update
    set incident_id = excluded.incident_id, contribution = excluded.contribution`;
}
