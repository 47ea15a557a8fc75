/** Small literal accounts for the tests of the views. */
import { addDays } from "../../../core/days.ts";
import type { Sql } from "../../../db/connect.ts";

/**
 * The day that the tests ask about, a Tuesday. The 7 days to it begin on 25 March, the 7 before on
 * 18 March, the 30 on 2 March.
 */
export const AS_OF = "2026-03-31";

/** A campaign; `status` and `effective_status` are null where they are left out. */
export type CampaignRow = {
  campaign_id: string;
  objective?: string;
  status?: string;
  effective_status?: string;
  daily_budget?: number;
  lifetime_budget?: number;
};

/** An ad set of the campaign 11, if not said otherwise. */
export type AdsetRow = Omit<CampaignRow, "campaign_id" | "objective"> & {
  adset_id: string;
  campaign_id?: string;
};

/** An ad of the campaign 11 and the ad set 21, if not said otherwise. */
export type AdRow = {
  ad_id: string;
  adset_id?: string;
  campaign_id?: string;
  status?: string;
  effective_status?: string;
};

/** A day of the ad 31 in the ad set 21 of the campaign 11, if not said otherwise. */
export type InsightRow = {
  date?: string;
  campaign_id?: string;
  adset_id?: string;
  ad_id?: string;
  spend?: number;
  impressions?: number;
  reach?: number | null;
  clicks?: number;
  link_clicks?: number | null;
  leads?: number;
  conversions?: number;
};

/** What an account consists of. */
export type AccountRows = {
  target_cpl?: number;
  campaigns?: CampaignRow[];
  adsets?: AdsetRow[];
  ads?: AdRow[];
  insights?: InsightRow[];
};

/** Writes an account with its entities and their days. */
export async function insertAccount(
  sql: Sql,
  config_id: number,
  { target_cpl, campaigns = [], adsets = [], ads = [], insights = [] }: AccountRows,
): Promise<void> {
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone, target_cpl)
    values (${config_id}, 'Example', 'EUR', 'UTC', ${target_cpl ?? null})`;
  const told = { config_id, status: null, effective_status: null };
  const budgets = { daily_budget: null, lifetime_budget: null };
  const above = { campaign_id: "11", adset_id: "21" };
  if (campaigns.length > 0) {
    const rows = campaigns.map((row) => ({
      ...told,
      ...budgets,
      objective: null,
      ...row,
      name: `campaign ${row.campaign_id}`,
    }));
    await sql`insert into ads.campaigns ${sql(rows)}`;
  }
  if (adsets.length > 0) {
    const rows = adsets.map((row) => ({
      ...told,
      ...budgets,
      campaign_id: above.campaign_id,
      ...row,
      name: `ad set ${row.adset_id}`,
    }));
    await sql`insert into ads.adsets ${sql(rows)}`;
  }
  if (ads.length > 0) {
    const rows = ads.map((row) => ({ ...told, ...above, ...row, name: `ad ${row.ad_id}` }));
    await sql`insert into ads.ads ${sql(rows)}`;
  }
  await insertInsights(sql, config_id, insights);
}

/** Writes days of an account. */
export async function insertInsights(
  sql: Sql,
  config_id: number,
  insights: InsightRow[],
): Promise<void> {
  if (insights.length === 0) return;
  const rows = insights.map((row) => ({
    config_id,
    date: AS_OF,
    campaign_id: "11",
    adset_id: "21",
    ad_id: "31",
    spend: 0,
    impressions: 0,
    reach: null,
    clicks: 0,
    link_clicks: null,
    leads: 0,
    conversions: 0,
    ...row,
  }));
  const days = rows.map((row) => row.date).sort();
  await sql`select ads.create_insight_partitions(${days[0] ?? AS_OF}, ${days.at(-1) ?? AS_OF})`;
  await sql`insert into ads.insights ${sql(rows)}`;
}

/** The same row on each of the `count` days to `AS_OF`. */
export function daily(count: number, row: InsightRow): InsightRow[] {
  return Array.from({ length: count }, (_, before) => ({ ...row, date: addDays(AS_OF, -before) }));
}

/** Rows of a view by the id of the entity, in the order of the ids. */
export function perEntity<Row extends { entity_id?: string }>(rows: Row[]): Record<string, Row> {
  const entries = rows.map((row): [string, Row] => [row.entity_id ?? "", row]);
  return Object.fromEntries(entries.sort(([a], [b]) => a < b ? -1 : 1));
}
