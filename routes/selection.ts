/** Which entities of a level a request is about, in pages. */
import type { z } from "@hono/zod-openapi";
import { type Level, LEVEL_FACTS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import type { Account } from "../db/accounts.ts";
import type { Queries } from "../db/connect.ts";
import { type Entity, type EntityFilter, findEntities } from "../db/entities.ts";
import {
  accountParameters,
  EntityId,
  EntityTypeParameter,
  flag,
  pagingParameters,
  text,
} from "./parameters.ts";

/** The parameters that choose entities of one level. */
export const selectionParameters = {
  ...accountParameters,
  entity_type: EntityTypeParameter,
  entity_id: EntityId.optional(),
  parent_id: EntityId.optional().openapi({
    description: "The campaign of ad sets, the ad set of ads",
  }),
  campaign_id: EntityId.optional(),
  adset_id: EntityId.optional(),
  is_active: flag.optional().openapi({ description: "All, where it is not given" }),
  search: text(200).optional().openapi({ description: "Part of the name" }),
  ...pagingParameters,
  after: EntityId.optional().openapi({ description: "The `next_after` of the page before" }),
};

type Selection = z.output<z.ZodObject<typeof selectionParameters>>;

/** The filter that those parameters mean. */
export function filterOf(account: Account, query: Selection): EntityFilter {
  return {
    configId: account.config_id,
    entityType: query.entity_type,
    entityId: query.entity_id,
    parentId: query.parent_id,
    campaignId: query.campaign_id,
    adsetId: query.adset_id,
    isActive: query.is_active,
    search: query.search,
  };
}

/** Finds the entities with these ids, all of them. */
export async function requireEntities(
  sql: Queries,
  configId: number,
  entityType: Level,
  entityIds: string[],
): Promise<Entity[]> {
  const found = await findEntities(sql, configId, entityType, entityIds);
  const known = new Set(found.map((entity) => entity.entity_id));
  const unknown = entityIds.filter((id) => !known.has(id));
  const [first] = unknown;
  if (first === undefined) return found;
  throw unknownEntity(entityType, first, { entity_ids: unknown });
}

/** Finds the entity with this id. */
export async function requireEntity(
  sql: Queries,
  configId: number,
  entityType: Level,
  entityId: string,
): Promise<Entity> {
  const [entity] = await findEntities(sql, configId, entityType, [entityId]);
  if (entity) return entity;
  throw unknownEntity(entityType, entityId);
}

function unknownEntity(level: Level, id: string, details?: Record<string, unknown>): Refusal {
  const { one } = LEVEL_FACTS[level];
  return new Refusal("not_found", `There is no ${one} "${id}" in this account`, undefined, details);
}
