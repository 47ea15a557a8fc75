/** What forecasting asks of the database: daily numbers in, forecasts out, and what became of them. */
import type { EntityForecast, Leaf, LevelShape, Metric, Place } from "../core/forecast/account.ts";
import type { HeldDay } from "../core/forecast/recalibrate.ts";
import { lastChange } from "./accounts.ts";
import type { Transaction } from "./connect.ts";

/** An account on a day. */
export type AccountDay = { configId: number; asOf: string };

type Row = {
  campaign_id: string;
  adset_id: string;
  ad_id: string | null;
  is_stopped: boolean;
  budget_level: "campaign" | "adset";
  ages: number[];
  spend: number[];
  leads: number[];
};

const BATCH = 500;

/** Of a day of whose leads less is known by now, nothing is. */
const LEAST_COMPLETE = 0.1;

/**
 * Reads the daily numbers of all ads. A day on which an ad has none was a day without delivery, from its
 * first one on; but where nothing of the whole account is known, nothing is known of it.
 *
 * @param completeness Of the leads of the days to `asOf`, the last one first: what is known of them so
 * far is taken for that share.
 */
export async function readLeaves(
  sql: Transaction,
  { configId, asOf, from, completeness }: AccountDay & { from: string; completeness: number[] },
): Promise<Leaf[]> {
  const known = await sql<{ age: number }[]>`
    select ${asOf}::date - date as age
    from ads.account_daily
    where config_id = ${configId} and date between ${from} and ${asOf}`;
  const length = 1 + Math.max(-1, ...known.map(({ age }) => age));
  const isKnown = new Uint8Array(length);
  for (const { age } of known) isKnown[length - 1 - age] = 1;
  const areLeadsKnown = isKnown.map((each, day) =>
    each && (completeness[length - 1 - day] ?? 1) >= LEAST_COMPLETE ? 1 : 0
  );
  const [newer] = await sql`
    select from ads.account_days where config_id = ${configId} and date > ${asOf} limit 1`;
  // Statuses are those of now: of an earlier day, the numbers alone say what ran.
  const isNow = newer === undefined;
  // As JSON, which is read many times quicker than arrays of PostgreSQL.
  const rows = sql<Row[]>`
    select
      l.campaign_id,
      l.adset_id,
      l.ad_id,
      not coalesce(a.is_active, s.is_active, true) as is_stopped,
      coalesce(s.budget_holder, 'adset') as budget_level,
      array_to_json(l.ages) as ages,
      array_to_json(l.spend) as spend,
      array_to_json(l.leads) as leads
    from ads.forecast_series l
    left join ads.entities a
      on a.config_id = ${configId}
      and a.entity_type = 'ad'
      and a.entity_id = l.ad_id
    left join ads.entities s
      on s.config_id = ${configId}
      and s.entity_type = 'adset'
      and s.entity_id = l.adset_id
    where l.config_id = ${configId}
      and l.as_of = ${asOf}
      and l.date_from = ${from}`.cursor(BATCH);
  const leaves: Leaf[] = [];
  for await (const batch of rows) {
    // One piece of memory for a batch: a hundred thousand small ones take several times as much.
    const numbers = new Float32Array(2 * batch.length * length).fill(NaN);
    for (const [index, row] of batch.entries()) {
      const spend = numbers.subarray(2 * index * length, (2 * index + 1) * length);
      const leads = numbers.subarray((2 * index + 1) * length, (2 * index + 2) * length);
      const begin = length - 1 - Math.max(...row.ages);
      for (let day = begin; day < length; day++) {
        if (isKnown[day]) spend[day] = 0;
        if (areLeadsKnown[day]) leads[day] = 0;
      }
      row.ages.forEach((age, place) => {
        const day = length - 1 - age;
        spend[day] = row.spend[place] ?? 0;
        if (areLeadsKnown[day]) leads[day] = (row.leads[place] ?? 0) / (completeness[age] ?? 1);
      });
      leaves.push({
        campaignId: row.campaign_id,
        adsetId: row.adset_id,
        adId: row.ad_id,
        spend,
        leads,
        isStopped: isNow && row.is_stopped,
        budgetLevel: row.budget_level,
      });
    }
  }
  return leaves;
}

/** How many forecasts of a day are stored and hold: nothing of the account has changed since. */
export async function countValidForecasts(
  sql: Transaction,
  { configId, asOf, place, days, modelVersion }: AccountDay & {
    place: Place;
    /** How many days it looks back. */
    days: number;
    modelVersion: string;
  },
): Promise<number> {
  const changedAt = await lastChange(sql, configId, asOf, days);
  if (changedAt === null) return 0;
  const [row] = await sql<{ count: number }[]>`
    select count(*)::integer as count
    from ads.ml_forecasts
    where config_id = ${configId}
      and entity_type = ${place}
      and as_of = ${asOf}
    having min(created_at) > ${changedAt} and bool_and(model_version = ${modelVersion})`;
  return row?.count ?? 0;
}

/** What the ranges held of the 28 days to a day, by level and metric. */
export async function heldDays(
  sql: Transaction,
  { configId, asOf }: AccountDay,
): Promise<Map<string, HeldDay[]>> {
  const rows = await sql<(HeldDay & { place: Place; metric: Metric })[]>`
    select
      entity_type as place,
      metric,
      sum(needed80 * ranges) / sum(ranges) as needed80,
      sum(needed95 * ranges) / sum(ranges) as needed95
    from ads.forecast_scores
    where config_id = ${configId}
      and date between ${asOf}::date - 27 and ${asOf}
      and needed80 is not null
      and needed95 is not null
    group by entity_type, metric, date`;
  return Map.groupBy(rows, ({ place, metric }) => `${place} ${metric}`);
}

/** A run that forecasts. */
export type ForecastRun = AccountDay & { at: Date; modelVersion: string };

/** Stores how errors are distributed, over what was stored for the day. */
export async function storeShapes(
  sql: Transaction,
  { configId, asOf }: ForecastRun,
  shapes: readonly LevelShape[],
): Promise<void> {
  await sql`delete from ads.forecast_shapes where config_id = ${configId} and as_of = ${asOf}`;
  const rows = shapes.map((shape) => ({
    config_id: configId,
    entity_type: shape.place,
    metric: shape.metric,
    as_of: asOf,
    low95: shape.low95,
    low80: shape.low80,
    high80: shape.high80,
    high95: shape.high95,
    widened80: shape.widened80,
    widened95: shape.widened95,
    day_correlations: shape.dayCorrelations,
    metric_correlation: shape.metricCorrelation,
  }));
  if (rows.length > 0) await sql`insert into ads.forecast_shapes ${sql(rows)}`;
}

/** An entity with less of its own says little of itself. */
const LEAST_DAYS = 14;

/** Stores forecasts, over what was stored for the day. */
export async function storeForecasts(
  sql: Transaction,
  { configId, asOf, at, modelVersion }: ForecastRun,
  forecasts: readonly EntityForecast[],
): Promise<void> {
  const column = <Value>(read: (each: EntityForecast) => Value) => forecasts.map(read);
  await sql`
    insert into ads.ml_forecasts (
      config_id, entity_type, entity_id, parent_id, as_of, spend, spend_spread, spend_scale, leads,
      leads_spread, leads_scale, known_days, insufficient_data, model_version, created_at
    )
    select
      ${configId}, n.entity_type, n.entity_id, n.parent_id, ${asOf}, n.spend::double precision[],
      n.spend_spread::real[], n.spend_scale, n.leads::double precision[], n.leads_spread::real[],
      n.leads_scale, n.known_days, n.known_days < ${LEAST_DAYS}, ${modelVersion}, ${at}
    from unnest(
      ${column(({ place }) => place)}::text[],
      ${column(({ entityId }) => entityId)}::text[],
      ${column(({ parentId }) => parentId)}::text[],
      ${column(({ spend }) => literal(spend.means))}::text[],
      ${column(({ spend }) => literal(spend.spreads.map(Math.fround)))}::text[],
      ${column(({ spend }) => spend.scale)}::real[],
      ${column(({ leads }) => literal(leads.means))}::text[],
      ${column(({ leads }) => literal(leads.spreads.map(Math.fround)))}::text[],
      ${column(({ leads }) => leads.scale)}::real[],
      ${column(({ knownDays }) => knownDays)}::integer[]
    ) n (
      entity_type, entity_id, parent_id, spend, spend_spread, spend_scale, leads, leads_spread,
      leads_scale, known_days
    )
    on conflict (config_id, entity_type, entity_id, as_of) do update set
      parent_id = excluded.parent_id,
      spend = excluded.spend,
      spend_spread = excluded.spend_spread,
      spend_scale = excluded.spend_scale,
      leads = excluded.leads,
      leads_spread = excluded.leads_spread,
      leads_scale = excluded.leads_scale,
      known_days = excluded.known_days,
      insufficient_data = excluded.insufficient_data,
      model_version = excluded.model_version,
      created_at = excluded.created_at`;
}

/** Numbers as PostgreSQL writes an array of them. */
function literal(numbers: Float64Array): string {
  return `{${numbers.join(",")}}`;
}

/** The days of the 28 to a day that are to be scored: never yet, or before they changed. */
export async function unscoredDays(
  sql: Transaction,
  { configId, asOf, place }: AccountDay & { place: Place },
): Promise<string[]> {
  const rows = await sql<{ date: string }[]>`
    select d.date
    from ads.account_daily d
    left join ads.account_days k
      on k.config_id = d.config_id
      and k.date = d.date
    where d.config_id = ${configId}
      and d.date between ${asOf}::date - 27 and ${asOf}
      and exists (
        select
        from ads.ml_forecasts f
        where f.config_id = ${configId}
          and f.entity_type = ${place}
          and f.as_of between d.date - 31 and d.date - 1
      )
      and not exists (
        select
        from ads.forecast_scores s
        where s.config_id = ${configId}
          and s.entity_type = ${place}
          and s.date = d.date
          and (k.changed_at is null or s.updated_at > k.changed_at)
      )
    order by d.date`;
  return rows.map(({ date }) => date);
}

/** Scores the forecasts of a day, and returns how many numbers of days ahead there were. */
export async function scoreForecasts(
  sql: Transaction,
  { configId, place, day, at }: { configId: number; place: Place; day: string; at: Date },
): Promise<number> {
  const [row] = await sql<{ stored: number }[]>`
    select ads.score_forecasts(${configId}, ${place}, ${day}, ${at}) as stored`;
  return row?.stored ?? 0;
}
