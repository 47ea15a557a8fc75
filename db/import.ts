/** Merging what an import staged into an account, by sets and inside the import's transaction. */
import { type Level, LEVEL_FACTS, LEVELS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import type { Transaction } from "./connect.ts";
import { type PlannerSetting, without } from "./planner.ts";
import type { StagingTable } from "./staging.ts";

/** What the files said about campaigns, ad sets and ads, each with the newest day that says so. */
export const STAGED_ENTITIES: StagingTable = {
  name: "staged_entities",
  columns: {
    entity_type: "text",
    entity_id: "text",
    campaign_id: "text",
    adset_id: "text",
    name: "text",
    objective: "text",
    status: "text",
    effective_status: "text",
    budget_known: "boolean",
    daily_budget: "numeric",
    lifetime_budget: "numeric",
    key: "bigint",
    latest: "date",
  },
};

/**
 * The rows of a file. A number stands for the ad: sorting and grouping by it costs a third of what
 * the text of its id does. Counts fit an `integer`, whose sum is a `bigint`; a sum of those is a
 * slow `numeric`.
 */
export const STAGED_INSIGHTS: StagingTable = {
  name: "staged_insights",
  columns: {
    key: "bigint",
    date: "date",
    spend: "numeric",
    impressions: "integer",
    reach: "integer",
    clicks: "integer",
    link_clicks: "integer",
    leads: "integer",
    conversions: "integer",
  },
};

/** What differs between the tables of the levels. */
const TABLES: Record<Level, { name: string; key: string; parents: string[]; own: string[] }> = {
  campaign: {
    name: "campaigns",
    key: "campaign_id",
    parents: [],
    own: ["objective", "daily_budget", "lifetime_budget"],
  },
  adset: {
    name: "adsets",
    key: "adset_id",
    parents: ["campaign_id"],
    own: ["daily_budget", "lifetime_budget"],
  },
  ad: { name: "ads", key: "ad_id", parents: ["campaign_id", "adset_id"], own: [] },
};

/** How many entities of each level a file described. */
export type EntityCounts = Record<Level, number>;

/**
 * Brings the campaigns, ad sets and ads of an account up to date with the staged ones. Of several
 * descriptions the newest day's counts, and what it leaves open is taken from the one before.
 *
 * @param identifiedBy How the file identifies each level that it has.
 */
export async function mergeEntities(
  tx: Transaction,
  configId: number,
  identifiedBy: Partial<Record<Level, "id" | "name">>,
): Promise<EntityCounts> {
  await tx`drop table if exists pg_temp.merged_entities`;
  await tx`
    create temp table merged_entities on commit drop as
    select
      entity_type,
      entity_id,
      min(campaign_id) as campaign_id,
      min(adset_id) as adset_id,
      count(distinct (campaign_id, adset_id)) as places,
      min(key) as key,
      ${newest(tx, "name")} as name,
      ${newest(tx, "objective")} as objective,
      ${newest(tx, "status")} as status,
      ${newest(tx, "effective_status")} as effective_status,
      bool_or(budget_known) as budget_known,
      ${newest(tx, "daily_budget", tx`budget_known`)} as daily_budget,
      ${newest(tx, "lifetime_budget", tx`budget_known`)} as lifetime_budget
    from pg_temp.staged_entities
    group by entity_type, entity_id`;
  await tx`analyze pg_temp.merged_entities`;
  await refuseTwoPlaces(tx, configId);
  const counts: EntityCounts = { campaign: 0, adset: 0, ad: 0 };
  for (const level of LEVELS) {
    const by = identifiedBy[level];
    if (!by) continue;
    await refuseOtherIdentity(tx, configId, level, by);
    counts[level] = await mergeLevel(tx, configId, level);
  }
  return counts;
}

/** The value that the newest description gives; the value itself breaks a tie. */
function newest(tx: Transaction, column: string, counts = tx`${tx(column)} is not null`) {
  return tx`(array_agg(${tx(column)} order by latest desc, ${
    tx(column)
  } nulls last) filter (where ${counts}))[1]`;
}

/** Meta never moves an ad to another ad set, nor an ad set to another campaign. */
async function refuseTwoPlaces(tx: Transaction, configId: number): Promise<void> {
  const [entity] = await tx<{ entity_type: Level; entity_id: string }[]>`
    select m.entity_type, m.entity_id
    from pg_temp.merged_entities m
    left join ads.entities e
      on e.config_id = ${configId}
      and e.entity_type = m.entity_type
      and e.entity_id = m.entity_id
    where m.places > 1
      or e.parent_id <> case m.entity_type when 'ad' then m.adset_id else m.campaign_id end
    order by m.entity_type, m.entity_id
    limit 1`;
  if (!entity) return;
  throw new Refusal(
    "invalid_parameter",
    `The ${
      LEVEL_FACTS[entity.entity_type].one
    } "${entity.entity_id}" stands in more than one place: ` +
      "its rows, or earlier ones, name different campaigns or ad sets",
    "Check that no column slipped; if something was renamed, export the IDs of campaigns and ad sets too",
  );
}

async function refuseOtherIdentity(
  tx: Transaction,
  configId: number,
  level: Level,
  by: "id" | "name",
): Promise<void> {
  const { name: table, key } = TABLES[level];
  const [other] = await tx`
    select 1
    from ads.${tx(table)}
    where config_id = ${configId}
      and (${tx(key)} like 'name:%') = ${by === "id"}
    limit 1`;
  if (!other) return;
  const { one, many } = LEVEL_FACTS[level];
  throw new Refusal(
    "conflict",
    by === "id"
      ? `Account ${configId} knows its ${many} by name, the file by ID: everything would count twice`
      : `Account ${configId} knows its ${many} by ID, the file by name: everything would count twice`,
    by === "id"
      ? "Import it under a new --config, with its whole history"
      : `Export the column with the ${one} ID too`,
  );
}

async function mergeLevel(tx: Transaction, configId: number, level: Level): Promise<number> {
  const { name: table, key, parents, own } = TABLES[level];
  const columns = [...parents, "name", "status", "effective_status", ...own];
  const stored = (column: string) => tx`${tx(`t.${column}`)}`;
  // The id stands in for a name that no file told; it must not replace one.
  const updated = (column: string) =>
    column.endsWith("_budget")
      ? tx`case when m.budget_known then ${tx(`m.${column}`)} else ${stored(column)} end`
      : tx`coalesce(${tx(`m.${column}`)}, ${stored(column)})`;
  const list = (items: ReturnType<typeof stored>[]) =>
    items.reduce((before, item) => tx`${before}, ${item}`);
  await tx`
    update ads.${tx(table)} t
    set ${list(columns.map((column) => tx`${tx(column)} = ${updated(column)}`))}
    from pg_temp.merged_entities m
    where t.config_id = ${configId}
      and m.entity_type = ${level}
      and ${stored(key)} = m.entity_id
      and (${list(columns.map(stored))}) is distinct from (${list(columns.map(updated))})`;
  await tx`
    insert into ads.${tx(table)} (config_id, ${
    list([key, ...columns].map((column) => tx`${tx(column)}`))
  })
    select
      ${configId}::integer,
      m.entity_id,
      ${
    list(columns.map((column) =>
      column === "name" ? tx`coalesce(m.name, m.entity_id)` : tx`${tx(`m.${column}`)}`
    ))
  }
    from pg_temp.merged_entities m
    where m.entity_type = ${level}
    on conflict do nothing`;
  const [row] = await tx<{ count: number }[]>`
    select count(*) as count from pg_temp.merged_entities where entity_type = ${level}`;
  return row?.count ?? 0;
}

/** What merging the rows of a file did. */
export type InsightCounts = {
  days: number;
  dateFrom: string | null;
  dateTo: string | null;
  added: number;
  changed: number;
  unchanged: number;
  /** Stored rows removed because the file tells the same delivery at another level. */
  replaced: number;
  /** Rows of the file that were added to another one of the same ad and day. */
  addedUp: number;
};

/**
 * Writes the staged rows as one row per ad and day. What the file does not tell stays as it is, and
 * so does every row that already says the same. The caller holds the lock on the account.
 */
export async function mergeInsights(
  tx: Transaction,
  configId: number,
  now: Date,
): Promise<InsightCounts> {
  const days = await tx<{ date: string; rows: number }[]>`
    select date, count(*) as rows
    from pg_temp.staged_insights
    group by date
    order by date`;
  const [first, last] = [days[0]?.date, days.at(-1)?.date];
  if (first === undefined || last === undefined) {
    return { ...NOTHING, days: 0, dateFrom: null, dateTo: null, addedUp: 0 };
  }
  await createPartitions(tx, days.map(({ date }) => date));
  await tx`analyze pg_temp.staged_insights (key, date)`;
  const period = { configId, first, last };
  const isOverlapping = await hasInsights(tx, period);
  const merged = isOverlapping
    ? await mergeWithStored(tx, period)
    : { ...NOTHING, added: await insertInsights(tx, configId, dailyRows(tx)) };
  const all = days.map(({ date }) => date);
  const changed = isOverlapping && merged.replaced === 0 ? await changedDays(tx) : all;
  await tx`select ads.store_account_days(${configId}, ${changed}::date[], ${now})`;
  await storeLeadsSeen(tx, configId, all, now);
  const staged = days.reduce((sum, day) => sum + day.rows, 0);
  const addedUp = staged - merged.added - merged.changed - merged.unchanged;
  return { ...merged, days: days.length, dateFrom: first, dateTo: last, addedUp };
}

/** The days of which a row is new or says something else. */
async function changedDays(tx: Transaction): Promise<string[]> {
  const days = await tx<{ date: string }[]>`
    select distinct date
    from pg_temp.merged_insights
    where is_new or is_changed`;
  return days.map(({ date }) => date);
}

/** Remembers how many leads the last days have by now: how many come later is learned from that. */
async function storeLeadsSeen(
  tx: Transaction,
  configId: number,
  days: string[],
  now: Date,
): Promise<void> {
  await tx`
    insert into ads.leads_seen (config_id, date, age, leads)
    select d.config_id, d.date, a.today - d.date - 1, d.leads
    from ads.account_days d
    join (
      select config_id, (${now}::timestamptz at time zone time_zone)::date as today
      from ads.accounts
    ) a
      on a.config_id = d.config_id
    where d.config_id = ${configId}
      and d.date = any (${days}::date[])
      and d.date between a.today - 28 and a.today - 1
    on conflict (config_id, date, age) do update set leads = excluded.leads`;
}

type Period = { configId: number; first: string; last: string };
type Merged = Pick<InsightCounts, "added" | "changed" | "unchanged" | "replaced">;

const NOTHING: Merged = { added: 0, changed: 0, unchanged: 0, replaced: 0 };

async function createPartitions(tx: Transaction, days: string[]): Promise<void> {
  for (const month of new Set(days.map((day) => `${day.slice(0, 7)}-01`))) {
    await tx`select ads.create_insight_partitions(${month}, ${month})`;
  }
}

async function hasInsights(tx: Transaction, { configId, first, last }: Period): Promise<boolean> {
  const [stored] = await tx`
    select 1
    from ads.insights
    where config_id = ${configId}
      and date between ${first} and ${last}
    limit 1`;
  return stored !== undefined;
}

/** The staged rows added up per ad and day; reach does not add up. */
function dailyRows(tx: Transaction) {
  // In the order of the primary key, which the insert then fills from left to right.
  return tx`
    select e.campaign_id, e.adset_id, e.entity_id as ad_id, d.*
    from (
      select
        key,
        date,
        sum(spend) as spend,
        sum(impressions) as impressions,
        case when count(*) = 1 then min(reach) end::bigint as reach,
        sum(clicks) as clicks,
        sum(link_clicks) as link_clicks,
        sum(leads) as leads,
        sum(conversions) as conversions
      from pg_temp.staged_insights
      group by key, date
    ) d
    join pg_temp.merged_entities e on e.key = d.key
    order by d.key, d.date`;
}

/**
 * Inserts rows that are not stored yet. Nothing can conflict under the account's lock, so this does
 * without `on conflict`, which would cost it a quarter of its speed.
 */
async function insertInsights(
  tx: Transaction,
  configId: number,
  rows: ReturnType<typeof dailyRows>,
): Promise<number> {
  const { count } = await without(tx, HASHED_GROUPS, () =>
    tx`
      insert into ads.insights (
        config_id, date, campaign_id, adset_id, ad_id, spend, impressions, reach, clicks,
        link_clicks, leads, conversions
      )
      select
        ${configId}::integer, date, campaign_id, adset_id, ad_id, spend, impressions, reach,
        coalesce(clicks, 0), link_clicks, coalesce(leads, 0), coalesce(conversions, 0)
      from (${rows}) r`);
  return count;
}

async function mergeWithStored(tx: Transaction, period: Period): Promise<Merged> {
  await compareInsights(tx, period);
  const [counts = { rows: 0, added: 0, changed: 0 }] = await tx<
    { rows: number; added: number; changed: number }[]
  >`
    select
      count(*) as rows,
      count(*) filter (where is_new) as added,
      count(*) filter (where is_changed) as changed
    from pg_temp.merged_insights`;
  const replaced = await removeOtherLevel(tx, period);
  if (counts.changed > 0) await updateInsights(tx, period);
  if (counts.added > 0) {
    const rows = tx`select * from pg_temp.merged_insights where is_new`;
    await insertInsights(tx, period.configId, rows);
  }
  const { rows, added, changed } = counts;
  return { added, changed, unchanged: rows - added - changed, replaced };
}

/** Finds out what is new or changed, once and before anything is written. */
async function compareInsights(tx: Transaction, { configId, first, last }: Period): Promise<void> {
  await tx`drop table if exists pg_temp.merged_insights`;
  await without(tx, [...HASHED_GROUPS, ...REPEATED_SCANS], () =>
    tx`
      create temp table merged_insights on commit drop as
      select
        d.*,
        i.ad_id is null as is_new,
        i.ad_id is not null and (
          i.campaign_id, i.adset_id, i.spend, i.impressions, i.reach, i.clicks, i.link_clicks,
          i.leads, i.conversions
        ) is distinct from (
          d.campaign_id, d.adset_id, d.spend, d.impressions, coalesce(d.reach, i.reach),
          coalesce(d.clicks, i.clicks), coalesce(d.link_clicks, i.link_clicks),
          coalesce(d.leads, i.leads), coalesce(d.conversions, i.conversions)
        ) as is_changed
      from (${dailyRows(tx)}) d
      left join ads.insights i
        on i.config_id = ${configId}
        and i.date between ${first} and ${last}
        and i.ad_id = d.ad_id
        and i.date = d.date`);
}

/** The same delivery told per ad and as a whole ad set would count twice: the file in hand wins. */
async function removeOtherLevel(tx: Transaction, period: Period): Promise<number> {
  const { configId, first, last } = period;
  const { count } = await without(tx, NESTED_LOOPS, () =>
    tx`
      delete from ads.insights i
      where i.config_id = ${configId}
        and i.date between ${first} and ${last}
        and (i.ad_id = i.adset_id) <> (select ad_id = adset_id from pg_temp.merged_insights limit 1)
        and exists (
          select
          from pg_temp.merged_insights m
          where m.adset_id = i.adset_id
            and m.date = i.date
        )`);
  return count;
}

async function updateInsights(tx: Transaction, period: Period): Promise<void> {
  const { configId, first, last } = period;
  await tx`analyze pg_temp.merged_insights (ad_id, date, is_changed)`;
  await without(tx, REPEATED_SCANS, () =>
    tx`
      update ads.insights i
      set
        campaign_id = m.campaign_id,
        adset_id = m.adset_id,
        spend = m.spend,
        impressions = m.impressions,
        reach = coalesce(m.reach, i.reach),
        clicks = coalesce(m.clicks, i.clicks),
        link_clicks = coalesce(m.link_clicks, i.link_clicks),
        leads = coalesce(m.leads, i.leads),
        conversions = coalesce(m.conversions, i.conversions)
      from pg_temp.merged_insights m
      where m.is_changed
        and i.config_id = ${configId}
        and i.date between ${first} and ${last}
        and i.ad_id = m.ad_id
        and i.date = m.date`);
}

/** A hash of 5 million groups takes the server 2 GB and loses the order that the insert wants. */
const HASHED_GROUPS: PlannerSetting[] = ["enable_hashagg"];

/**
 * Of partitions that were never analyzed the planner expects a handful of rows. It would scan a copy
 * of millions once per row of the file; without the copy it takes the index or a hash.
 */
const REPEATED_SCANS: PlannerSetting[] = ["enable_material"];

/** For a join whose inner side is the whole file, which has no index. */
const NESTED_LOOPS: PlannerSetting[] = ["enable_nestloop"];
