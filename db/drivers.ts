/** Reading what two periods of entities are compared by. */
import { daysBetween } from "../core/days.ts";
import { NOTHING, scaleSums, type Sides, type Sums } from "../core/drivers.ts";
import type { Level } from "../core/level.ts";
import type { Queries } from "./connect.ts";
import type { Period } from "./entities.ts";

/** The two periods that are compared. */
export type Periods = { before: Period; after: Period };

/** An entity with what it delivered in both periods. */
export type EntitySides = Sides & { entity_id: string };

/** One entity, or all children of one. */
export type Chosen = { entityId: string } | { parentId: string };

/**
 * The entities that delivered in one of the periods, in the order of their ids. What they delivered
 * before is brought to as many days as the period after has, so that leads and spend can be compared.
 */
export async function entitySides(
  sql: Queries,
  configId: number,
  entityType: Level,
  chosen: Chosen,
  periods: Periods,
): Promise<EntitySides[]> {
  const sumsOf = async (period: Period) => {
    const rows = await periodSums(sql, configId, entityType, chosen, period);
    return new Map(rows.map(({ entity_id, ...sums }) => [entity_id, sums]));
  };
  const scale = lengthOf(periods.after) / lengthOf(periods.before);
  const [before, after] = await Promise.all([sumsOf(periods.before), sumsOf(periods.after)]);
  return [...new Set([...before.keys(), ...after.keys()])].sort().map((entity_id) => ({
    entity_id,
    before: scaleSums(before.get(entity_id) ?? NOTHING, scale),
    after: after.get(entity_id) ?? NOTHING,
  }));
}

function lengthOf({ from, to }: Period): number {
  return daysBetween(from, to) + 1;
}

/** The totals of a period; an entity that had two parents in it has a row with each of them. */
function periodSums(
  sql: Queries,
  configId: number,
  entityType: Level,
  chosen: Chosen,
  { from, to }: Period,
): Promise<(Sums & { entity_id: string })[]> {
  const isChosen = "entityId" in chosen
    ? sql`entity_id = ${chosen.entityId}`
    : sql`parent_id = ${chosen.parentId}`;
  return sql<(Sums & { entity_id: string })[]>`
    select
      entity_id,
      sum(spend) as spend,
      sum(impressions) as impressions,
      sum(clicks) as clicks,
      sum(leads) as leads
    from ads.entity_totals
    where config_id = ${configId}
      and entity_type = ${entityType}
      and ${isChosen}
      and date_from = ${from}
      and date_to = ${to}
    group by entity_id`;
}
