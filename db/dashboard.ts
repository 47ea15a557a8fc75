/** The table of the page. */
import type { Level } from "../core/level.ts";
import { type Tier, TIERS } from "../core/tiers.ts";
import type { Queries } from "./connect.ts";
import type { Period } from "./entities.ts";

/** The orders of the table. */
export const ORDERS = ["spend", "best", "worst", "name"] as const;

/** An order of the table. */
export type Order = typeof ORDERS[number];

/** One row of the table. */
export type TableRow = {
  entity_id: string;
  name: string;
  is_active: boolean;
  spend: number | null;
  leads: number | null;
  cpl: number | null;
  tier: Tier | null;
  confidence_score: number | null;
  /** Where the true CPL lies, 80 % sure. Without an upper bound where next to nothing is known. */
  cpl_low_80: number | null;
  cpl_high_80: number | null;
};

/** The entities of a level, or below one parent, with their totals over a period and their tier. */
export function tableOfEntities(
  sql: Queries,
  { configId, entityType, parentId, activeOnly, period, order, limit, offset }: {
    configId: number;
    entityType: Level;
    parentId: string | null;
    activeOnly: boolean;
    period: Period;
    order: Order;
    limit: number;
    offset: number;
  },
): Promise<TableRow[]> {
  const orderBy = {
    spend: sql`t.spend desc nulls last`,
    best: sql`array_position(${[...TIERS]}, c.tier) nulls last, c.confidence_score desc`,
    worst: sql`array_position(${[...TIERS]}, c.tier) desc nulls last, c.confidence_score desc`,
    name: sql`lower(e.name)`,
  };
  return sql<TableRow[]>`
    select
      e.entity_id,
      e.name,
      e.is_active,
      t.spend,
      t.leads,
      t.cpl,
      c.tier,
      c.confidence_score,
      (c.metrics_snapshot ->> 'cpl_low_80')::double precision as cpl_low_80,
      (c.metrics_snapshot ->> 'cpl_high_80')::double precision as cpl_high_80
    from ads.entities e
    left join ads.entity_totals t
      on t.config_id = ${configId}
      and t.entity_type = ${entityType}
      and t.date_from = ${period.from}
      and t.date_to = ${period.to}
      and t.entity_id = e.entity_id
    -- One look-up per entity, as in levelStanding.
    left join lateral (
      select tier, confidence_score, metrics_snapshot
      from ads.latest_classifications
      where config_id = ${configId} and entity_type = ${entityType} and entity_id = e.entity_id
      limit 1
    ) c on true
    where e.config_id = ${configId}
      and e.entity_type = ${entityType}
      ${parentId === null ? sql`` : sql`and e.parent_id = ${parentId}`}
      ${activeOnly ? sql`and e.is_active` : sql``}
    order by ${orderBy[order]}, e.entity_id
    limit ${limit}
    offset ${offset}`;
}
