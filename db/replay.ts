/** What the replay of past days is judged by. */
import type { Level } from "../core/level.ts";
import type { Queries } from "./connect.ts";

/** What an entity did over some days. */
export type DayTotals = {
  entity_id: string;
  parent_id: string | null;
  spend: number;
  impressions: number;
  clicks: number;
  leads: number;
};

/** The totals of all entities of a level over some days, by their ids. */
export async function dayTotals(
  sql: Queries,
  { configId, entityType, from, to }: {
    configId: number;
    entityType: Level;
    from: string;
    to: string;
  },
): Promise<Map<string, DayTotals>> {
  const rows = await sql<DayTotals[]>`
    select entity_id, parent_id, spend, impressions, clicks, leads
    from ads.entity_totals
    where config_id = ${configId}
      and entity_type = ${entityType}
      and date_from = ${from}
      and date_to = ${to}`;
  return new Map(rows.map((row) => [row.entity_id, row]));
}
