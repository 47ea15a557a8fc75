/** Small accounts with something in every list, for tests that take their routes from the document. */
import type { Level } from "../../core/level.ts";
import type { Sql } from "../../db/connect.ts";
import { addKey, openApp, type Service } from "../routes/service.ts";

/** The account that requests are about, where nothing else is said. */
export const OWN = 14;
/** Another one. */
export const STRANGERS = 15;
const EMPTY = 16;
const BATCHES = ["2026-03-08T06:00Z", "2026-03-09T06:00Z"];
const ID_DIGITS: Record<Level, number> = { campaign: 15, adset: 17, ad: 18 };

/** The ids that existing rows have at their end. Between them is room for others. */
const NUMBERS = [10, 20, 30];

/** An id of a length that Meta uses. Those of ad sets and ads are none that a number can hold. */
function idOf(configId: number, level: Level, number: number): string {
  return `${configId}`.padEnd(ID_DIGITS[level] - 2, "0") + `${number}`.padStart(2, "0");
}

/** What a parameter is given: what exists, what exists in another account only, what nobody has. */
export type Known = { own: unknown; strangers?: unknown; unknown?: unknown };

function entity(level: Level, wrap: (id: string) => unknown = (id) => id): Known {
  return {
    own: wrap(idOf(OWN, level, 10)),
    strangers: wrap(idOf(STRANGERS, level, 10)),
    unknown: wrap(idOf(OWN + 3, level, 10)),
  };
}

/** The values that no schema can tell, by the name of the parameter or of the field of a body. */
const KNOWN: Record<string, Known> = {
  config_id: { own: OWN, unknown: OWN + 3 },
  ad_account_id: { own: accountIdOf(OWN), unknown: accountIdOf(OWN + 3) },
  entity_type: { own: "ad" },
  entity_id: entity("ad"),
  entity_ids: entity("ad", (id) => [id]),
  campaign_ids: entity("ad", (id) => [id]),
  campaign_id: entity("campaign"),
  adset_id: entity("adset"),
  parent_id: entity("adset"),
  id: { own: 1, unknown: 999_999 },
  classification_id: { own: 1, unknown: 999_999 },
  user_id: { own: 7 },
};

/** The same where an operation needs another one: what was applied cannot be dismissed. */
const KNOWN_OF: Record<string, Record<string, Known>> = {
  "POST /api/v1/recommendations/{id}/dismiss": { id: { own: 2, unknown: 999_999 } },
  "POST /api/v1/impact/analyze": {
    change_date: { own: "2026-03-04" },
    as_of: { own: "2026-03-09" },
  },
};

/** What a parameter of an operation is given, nothing where its schema tells it. */
export function knownOf(operation: string, parameter: string): Partial<Known> {
  return KNOWN_OF[operation]?.[parameter] ?? KNOWN[parameter] ?? {};
}

/** The id of the entity of a level that requests are about. */
export function ownEntity(level: Level): string {
  return idOf(OWN, level, NUMBERS[0] ?? 0);
}

/** What is in each good request that can say it, because the others only mean something with it. */
export const GIVEN = ["config_id", "entity_type", "user_id"];

/** An account in which there is nothing to find. */
export const EMPTY_ACCOUNT = EMPTY;

/** The app, and a key for its accounts but the strangers'. */
export type Contract = Service & { key: string };

/** The app on two accounts of three campaigns, ad sets and ads each, and on an empty one. */
export async function openContract(): Promise<Contract> {
  const service = await openApp({ requestsPerMinute: 1_000_000 });
  const { sql } = service;
  await sql`
    insert into ads.accounts (config_id, account_id, name, currency, time_zone)
    values
      (${OWN}, ${accountIdOf(OWN)}, 'Own', 'USD', 'America/New_York'),
      (${STRANGERS}, ${accountIdOf(STRANGERS)}, 'Strangers', 'EUR', 'Europe/Berlin'),
      (${EMPTY}, null, 'Empty', 'BRL', 'America/Sao_Paulo')`;
  await sql`select ads.create_insight_partitions('2026-02-01', '2026-03-31')`;
  for (const configId of [OWN, STRANGERS]) {
    for (const number of NUMBERS) await addCampaign(sql, configId, number);
    for (const at of BATCHES) await addClassifications(sql, configId, at);
    await service.post("/api/v1/classifications/classify", { config_id: configId });
    await addIncident(sql, configId);
    await addRecommendations(sql, configId, BATCHES);
    await addForecasts(sql, configId, BATCHES);
  }
  const key = await addKey(service, { configIds: [OWN, EMPTY], role: "admin" });
  return { ...service, key };
}

/**
 * Adds to every list of the account, between, before and after what is there already.
 *
 * @param round Counts from 1 to 9 how often this was done.
 */
export async function growAccount(sql: Sql, round: number): Promise<void> {
  for (const tens of [0, 1, 2, 3]) await addCampaign(sql, OWN, 10 * tens + round);
  const earlier = new Date(Date.UTC(2026, 1, 28 - round)).toISOString();
  const later = new Date(Date.UTC(2026, 2, 11, round)).toISOString();
  const instants = [earlier, ...BATCHES, later];
  for (const at of instants) await addClassifications(sql, OWN, at);
  await addAnomalies(sql, OWN, instants);
  await addRecommendations(sql, OWN, instants);
  await addForecasts(sql, OWN, instants);
}

/** What tells a text about the account: its number, its name, its ids. */
export const OWN_MARKS = [/"(config_id|id)":14\b/, /"Own"/, new RegExp(`"${OWN}0{10,}\\d+"`)];

function accountIdOf(configId: number): string {
  return `${configId}00000000000001`;
}

/** A campaign with an ad set, an ad and 14 days of delivery. */
async function addCampaign(sql: Sql, configId: number, number: number): Promise<void> {
  const campaign = idOf(configId, "campaign", number);
  const adset = idOf(configId, "adset", number);
  const ad = idOf(configId, "ad", number);
  await sql`
    insert into ads.campaigns (config_id, campaign_id, name, status, daily_budget)
    values (${configId}, ${campaign}, ${`Campaign ${number}`}, 'ACTIVE', 50)`;
  await sql`
    insert into ads.adsets (config_id, adset_id, campaign_id, name, status)
    values (${configId}, ${adset}, ${campaign}, ${`Ad set ${number}`}, 'ACTIVE')`;
  await sql`
    insert into ads.ads (config_id, ad_id, adset_id, campaign_id, name, status)
    values (${configId}, ${ad}, ${adset}, ${campaign}, ${`Ad ${number}`}, 'ACTIVE')`;
  await sql`
    insert into ads.insights (
      config_id, date, campaign_id, adset_id, ad_id, spend, impressions, reach, clicks, leads,
      conversions
    )
    select ${configId}, day::date, ${campaign}, ${adset}, ${ad}, 20, 1000, 800, 10, ${number} / 10, 0
    from generate_series(date '2026-02-25', date '2026-03-10', interval '1 day') day`;
}

/** An anomaly of every entity on each of two days, those of a campaign being one incident. */
async function addIncident(sql: Sql, configId: number): Promise<void> {
  await addAnomalies(sql, configId, BATCHES);
  await sql`
    insert into ads.incidents (
      config_id, entity_type, entity_id, anomaly_type, severity, first_date, last_date, sentence,
      detected_at, updated_at
    )
    values (
      ${configId}, 'campaign', ${
    idOf(configId, "campaign", 10)
  }, 'spend_drop', 'HIGH', '2026-03-07',
      '2026-03-08', 'It spent less', '2026-03-08', '2026-03-08'
    )`;
  await sql`
    insert into ads.incident_members (config_id, incident_id, anomaly_id, contribution)
    select a.config_id, i.id, a.id, 0.5
    from ads.ml_anomalies a
    join ads.incidents i
      on i.config_id = a.config_id
      and i.entity_id = a.entity_id
    where a.config_id = ${configId}`;
}

/** Anomalies of every entity at some instants, as a job finds them, and what of it is luck. */
async function addAnomalies(sql: Sql, configId: number, instants: string[]): Promise<void> {
  await sql`
    insert into ads.ml_anomalies (
      config_id, entity_type, entity_id, parent_id, anomaly_type, metric_name, anomaly_date,
      observed_value, expected_value, deviation_score, window_days, baseline_window_days, p_value,
      q_value, severity, model_version, detected_at, updated_at
    )
    select
      config_id, entity_type, entity_id, parent_id, 'spend_drop', 'spend', at::timestamptz::date - 1,
      10, 20, -4, 1, 30, 0.00001, 0.001, 'HIGH', 'test', at::timestamptz, at::timestamptz
    from ads.entities
    cross join unnest(${instants}::text[]) at
    where config_id = ${configId}
    on conflict do nothing`;
  await sql`
    insert into ads.anomaly_luck (
      config_id, entity_type, anomaly_date, entities, alarms, shuffles, expected_by_luck,
      model_version, updated_at
    )
    select
      ${configId}, entity_type, at::timestamptz::date - 1, 3, 3, 10, 0.2, 'test', at::timestamptz
    from unnest(array['account', 'campaign', 'adset', 'ad']) entity_type
    cross join unnest(${instants}::text[]) at
    on conflict do nothing`;
}

/** Recommendations for every entity at some instants, as a job makes them; the last ones are open. */
async function addRecommendations(sql: Sql, configId: number, instants: string[]): Promise<void> {
  await sql`
    insert into ads.ml_recommendations (
      config_id, entity_type, entity_id, parent_id, campaign_id, recommendation_type, kind,
      reason_code, priority, title, description, suggested_action, confidence_score, reasoning,
      status, as_of, model_version, created_at, expires_at
    )
    select
      config_id, entity_type, entity_id, parent_id, campaign_id, 'SCALE_UP', 'MONEY', 'scale_up',
      7 + extract(day from at::timestamptz)::integer % 2, 'Raise it', 'It is cheap',
      '{"field": "daily_budget", "change_type": "percentage", "change_value": 20}', 0.9,
      '{"rule": "scale_up", "claim": {"about": "cpl_ratio", "at_most": 0.7}}',
      case at when ${instants.at(-1) ?? ""} then 'active' else 'expired' end,
      at::timestamptz::date - 1, 'test', at::timestamptz, at::timestamptz + interval '7 days'
    from ads.entities
    cross join unnest(${instants}::text[]) at
    where config_id = ${configId}
    on conflict do nothing`;
}

/** Forecasts of every entity and of the account at some instants, as a job makes them. */
async function addForecasts(sql: Sql, configId: number, instants: string[]): Promise<void> {
  await sql`
    insert into ads.forecast_shapes
    select
      ${configId}, entity_type, metric, at::timestamptz::date - 1, -2, -1.3, 1.3, 2, 1, 1, 0.5,
      array_fill(0.1::double precision, array[31])
    from unnest(array['account', 'campaign', 'adset', 'ad']) entity_type
    cross join unnest(array['spend', 'leads']) metric
    cross join unnest(${instants}::text[]) at
    on conflict do nothing`;
  await sql`
    insert into ads.ml_forecasts (
      config_id, entity_type, entity_id, parent_id, as_of, spend, spend_spread, leads, leads_spread,
      known_days, insufficient_data, model_version, created_at
    )
    select
      ${configId}, entity_type, entity_id, parent_id, at::timestamptz::date - 1,
      array_fill(20.5, array[31]), array_fill(3, array[31]), array_fill(1.5, array[31]),
      array_fill(1, array[31]), 14, false, 'test', at::timestamptz
    from (
      select entity_type, entity_id, parent_id from ads.entities where config_id = ${configId}
      union all
      select 'account', ${configId}::text, null
    ) e
    cross join unnest(${instants}::text[]) at
    on conflict do nothing`;
}

/** A classification of every entity at one instant, as a job makes them. */
async function addClassifications(sql: Sql, configId: number, at: string): Promise<void> {
  await sql`
    insert into ads.ml_classifications (
      config_id, entity_type, entity_id, parent_id, tier, confidence_score, model_version, as_of,
      classified_at, valid_until
    )
    select
      config_id, entity_type, entity_id, parent_id, 'MODERATE', 0.6, 'test',
      ${at}::timestamptz::date - 1, ${at}, ${at}::timestamptz + interval '1 day'
    from ads.entities
    where config_id = ${configId}`;
}
