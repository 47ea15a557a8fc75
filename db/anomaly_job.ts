/** What the anomaly job asks of the database: histories in, alarms out. */
import {
  type Completeness,
  completenessOf,
  type LeadsSeen,
} from "../core/anomalies/completeness.ts";
import type { History, Holder } from "../core/anomalies/history.ts";
import type { Luck } from "../core/anomalies/search.ts";
import type { Alarm } from "../core/anomalies/select.ts";
import type { Place } from "../core/anomalies/tree.ts";
import { addDays, daysBetween } from "../core/days.ts";
import { type Level, LEVELS } from "../core/level.ts";
import type { Queries, Transaction } from "./connect.ts";

/** Which days of which level of an account are looked at. */
export type HistoryRequest = {
  configId: number;
  entityType: Level;
  /** The first and the last day of each history. */
  from: string;
  asOf: string;
};

/** A day's numbers have the same place in each array. */
type Row = {
  entity_id: string;
  parent_id: string | null;
  campaign_id: string;
  daily_budget: number | null;
  holder_budget: number | null;
  holder_ages: number[] | null;
  holder_spend: number[] | null;
  is_active: boolean;
  ages: number[];
  spend: number[];
  impressions: number[];
  reach: (number | null)[];
  clicks: number[];
  leads: number[];
};

const BATCH = 100;

/** Reads the histories of a level in batches, so that memory does not grow with the account. */
export async function* readHistories(
  sql: Transaction,
  { configId, entityType, from, asOf }: HistoryRequest,
): AsyncGenerator<History[]> {
  const above = LEVELS.slice(0, LEVELS.indexOf(entityType));
  // Level by level: the planner would take the two levels in one join for all there is to join by.
  const holders = (level: Level) =>
    sql`(
      select h.entity_id, h.daily_budget, d.ages, d.spend
      from ads.entities h
      left join ads.anomaly_baselines d
        on d.config_id = ${configId}
        and d.entity_type = ${level}
        and d.entity_id = h.entity_id
        and d.as_of = ${asOf}
        and d.date_from = ${from}
      where h.config_id = ${configId}
        and h.entity_type = ${level}
        and h.daily_budget is not null
        and ${above.includes(level)}
    )`;
  // As JSON, which is read many times quicker than arrays of PostgreSQL.
  const rows = sql<Row[]>`
    select
      b.entity_id,
      b.parent_id,
      coalesce(e.campaign_id, b.parent_id, b.entity_id) as campaign_id,
      coalesce(e.daily_budget, c.daily_budget) as daily_budget,
      coalesce(hc.daily_budget, hs.daily_budget) as holder_budget,
      array_to_json(coalesce(hc.ages, hs.ages)) as holder_ages,
      array_to_json(coalesce(hc.spend, hs.spend)) as holder_spend,
      coalesce(e.is_active, true) as is_active,
      array_to_json(b.ages) as ages,
      array_to_json(b.spend) as spend,
      array_to_json(b.impressions) as impressions,
      array_to_json(b.reach) as reach,
      array_to_json(b.clicks) as clicks,
      array_to_json(b.leads) as leads
    from ads.anomaly_baselines b
    left join ads.entities e
      on e.config_id = ${configId}
      and e.entity_type = ${entityType}
      and e.entity_id = b.entity_id
    -- What a campaign may spend where its ad sets hold the budgets, unless one of them has none a day.
    left join (
      select parent_id, sum(daily_budget) as daily_budget
      from ads.entities
      where config_id = ${configId}
        and entity_type = 'adset'
        and ${entityType} = 'campaign'
        and budget_holder is distinct from 'campaign'
        and is_active
      group by parent_id
      having count(*) = count(daily_budget)
    ) c on c.parent_id = b.entity_id
    left join ${holders("campaign")} hc
      on hc.entity_id = e.campaign_id
      and e.budget_holder = 'campaign'
    left join ${holders("adset")} hs
      on hs.entity_id = e.adset_id
      and e.budget_holder = 'adset'
    where b.config_id = ${configId}
      and b.entity_type = ${entityType}
      and b.as_of = ${asOf}
      and b.date_from = ${from}`.cursor(BATCH);
  const length = daysBetween(from, asOf) + 1;
  for await (const batch of rows) {
    yield batch.map((row) => ({
      entityType,
      entityId: row.entity_id,
      parentId: row.parent_id,
      campaignId: row.campaign_id,
      dailyBudget: row.daily_budget,
      holder: holderOf(row, length),
      isActive: row.is_active,
      days: daysOf(row, length),
    }));
  }
}

function holderOf(
  { holder_budget, holder_ages, holder_spend }: Row,
  length: number,
): Holder | null {
  if (holder_budget === null) return null;
  const spend = Array.from({ length }, () => 0);
  holder_ages?.forEach((age, place) => spend[length - 1 - age] = holder_spend?.[place] ?? 0);
  return { dailyBudget: holder_budget, spend };
}

function daysOf(row: Omit<Row, "entity_id" | "parent_id">, length: number): History["days"] {
  const days: History["days"] = Array.from({ length }, () => null);
  row.ages.forEach((age, place) => {
    days[length - 1 - age] = {
      spend: row.spend[place] ?? 0,
      impressions: row.impressions[place] ?? 0,
      clicks: row.clicks[place] ?? 0,
      leads: row.leads[place] ?? 0,
      reach: row.reach[place] ?? null,
    };
  });
  return days;
}

/** The history of the account as a whole. */
export async function accountHistory(
  sql: Queries,
  { configId, from, asOf }: Omit<HistoryRequest, "entityType">,
): Promise<History> {
  const rows = await sql<
    { date: string; spend: number; impressions: number; clicks: number; leads: number }[]
  >`
    select date, spend, impressions, clicks, leads
    from ads.account_daily
    where config_id = ${configId}
      and date between ${from} and ${asOf}`;
  const days: History["days"] = Array.from({ length: daysBetween(from, asOf) + 1 }, () => null);
  for (const { date, ...day } of rows) days[daysBetween(from, date)] = { ...day, reach: null };
  return {
    entityType: "campaign",
    entityId: String(configId),
    parentId: null,
    campaignId: String(configId),
    dailyBudget: null,
    holder: null,
    isActive: true,
    days,
  };
}

/** How complete the leads of the days to `asOf` were when they were imported the last time. */
export async function leadCompleteness(
  sql: Queries,
  { configId, asOf }: Pick<HistoryRequest, "configId" | "asOf">,
): Promise<Completeness> {
  const [account] = await sql<{ age: number | null }[]>`
    select (last_import_at at time zone time_zone)::date - ${asOf}::date - 1 as age
    from ads.accounts
    where config_id = ${configId}`;
  const seen = await sql<LeadsSeen[]>`
    select age, leads_then as "leadsThen", leads_now as "leadsNow"
    from ads.lead_completeness
    where config_id = ${configId} and as_of = ${asOf}`;
  return completenessOf(account?.age ?? null, seen);
}

/** Told in percent, as everywhere outside the tests. */
const PERCENT = new Set<string>(["ctr", "conversion_rate"]);

/** What became of the alarms of a run. */
export type StoredAlarms = { added: number; changed: number; restated: number };

/**
 * Stores the alarms of some days of a level. What is stored already changes only where its numbers
 * did; what a person has closed stays as it is; what stands out no longer is closed.
 */
export async function storeAlarms(
  sql: Transaction,
  { configId, place, asOf, days, historyDays, at, modelVersion }: {
    configId: number;
    place: Place;
    asOf: string;
    /** How many days to `asOf` were looked at. */
    days: number;
    historyDays: number;
    at: Date;
    modelVersion: string;
  },
  alarms: Alarm[],
): Promise<StoredAlarms> {
  const value = ({ metric }: Alarm, number: number | null) =>
    number !== null && PERCENT.has(metric) ? 100 * number : number;
  const column = <Value>(read: (alarm: Alarm) => Value) => alarms.map(read);
  const stored = await sql<{ is_new: boolean }[]>`
    insert into ads.ml_anomalies as a (
      config_id, entity_type, entity_id, parent_id, anomaly_type, metric_name, anomaly_date,
      observed_value, expected_value, deviation_score, window_days, baseline_window_days, p_value,
      q_value, severity, model_version, detected_at, updated_at
    )
    select
      ${configId}, ${place}, n.entity_id, n.parent_id, n.anomaly_type, n.metric_name, n.date,
      n.observed, n.expected, n.deviation, n.window_days, ${historyDays}, n.p, n.q, n.severity,
      ${modelVersion}, ${at}, ${at}
    from unnest(
      ${column(({ entityId }) => entityId)}::text[],
      ${column(({ parentId }) => parentId)}::text[],
      ${column(({ type }) => type)}::text[],
      ${column(({ metric }) => metric)}::text[],
      ${column(({ date }) => date)}::date[],
      ${column((alarm) => value(alarm, alarm.observed))}::double precision[],
      ${column((alarm) => value(alarm, alarm.expected))}::double precision[],
      ${column(({ deviation }) => deviation)}::double precision[],
      ${column(({ windowDays }) => windowDays)}::integer[],
      ${column(({ p }) => p)}::double precision[],
      ${column(({ q }) => q)}::double precision[],
      ${column(({ severity }) => severity)}::text[]
    ) n (
      entity_id, parent_id, anomaly_type, metric_name, date, observed, expected, deviation,
      window_days, p, q, severity
    )
    on conflict (config_id, entity_type, entity_id, anomaly_date, anomaly_type) do update
    set
      parent_id = excluded.parent_id,
      observed_value = excluded.observed_value,
      expected_value = excluded.expected_value,
      deviation_score = excluded.deviation_score,
      window_days = excluded.window_days,
      baseline_window_days = excluded.baseline_window_days,
      p_value = excluded.p_value,
      q_value = excluded.q_value,
      severity = excluded.severity,
      model_version = excluded.model_version,
      status = 'open',
      closed_because = null,
      updated_at = excluded.updated_at
    where (a.status = 'open' or a.closed_because = 'restated')
      and (a.status, a.observed_value, a.expected_value, a.window_days, a.severity)
        is distinct from ('open', excluded.observed_value, excluded.expected_value,
          excluded.window_days, excluded.severity)
    -- Only a row that was there before has been locked for its change.
    returning a.xmax = 0 as is_new`;
  const { count: restated } = await sql`
    update ads.ml_anomalies a
    set status = 'closed', closed_because = 'restated', updated_at = ${at}
    where a.config_id = ${configId}
      and a.entity_type = ${place}
      and a.anomaly_date between ${addDays(asOf, 1 - days)} and ${asOf}
      and a.status = 'open'
      and not exists (
        select
        from unnest(
          ${column(({ entityId }) => entityId)}::text[],
          ${column(({ type }) => type)}::text[],
          ${column(({ date }) => date)}::date[]
        ) n (entity_id, anomaly_type, date)
        where n.entity_id = a.entity_id
          and n.anomaly_type = a.anomaly_type
          and n.date = a.anomaly_date
      )`;
  const added = stored.filter((row) => row.is_new).length;
  return { added, changed: stored.length - added, restated };
}

/** Stores how many alarms each day raised and how many of them luck explains, where that is new. */
export async function storeLuck(
  sql: Transaction,
  { configId, place, at, modelVersion }: {
    configId: number;
    place: Place;
    at: Date;
    modelVersion: string;
  },
  luck: Luck[],
): Promise<void> {
  const column = <Value>(read: (day: Luck) => Value) => luck.map(read);
  await sql`
    insert into ads.anomaly_luck as l (
      config_id, entity_type, anomaly_date, entities, alarms, shuffles, expected_by_luck,
      model_version, updated_at
    )
    select
      ${configId}, ${place}, n.date, n.entities, n.alarms, n.shuffles, n.expected_by_luck,
      ${modelVersion}, ${at}
    from unnest(
      ${column(({ date }) => date)}::date[],
      ${column(({ entities }) => entities)}::integer[],
      ${column(({ alarms }) => alarms)}::integer[],
      ${column(({ shuffles }) => shuffles)}::integer[],
      ${column(({ expectedByLuck }) => expectedByLuck)}::double precision[]
    ) n (date, entities, alarms, shuffles, expected_by_luck)
    on conflict (config_id, entity_type, anomaly_date) do update
    set
      entities = excluded.entities,
      alarms = excluded.alarms,
      shuffles = excluded.shuffles,
      expected_by_luck = excluded.expected_by_luck,
      model_version = excluded.model_version,
      updated_at = excluded.updated_at
    where (l.entities, l.alarms, l.shuffles, l.expected_by_luck)
      is distinct from (excluded.entities, excluded.alarms, excluded.shuffles,
        excluded.expected_by_luck)`;
}
