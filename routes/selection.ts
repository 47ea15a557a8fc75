/** Which entities of a level a request is about, in pages. */
import type { z } from "@hono/zod-openapi";
import type { Account } from "../db/accounts.ts";
import type { EntityFilter } from "../db/entities.ts";
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
