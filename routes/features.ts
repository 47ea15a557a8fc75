/** What the tiers are decided on: the features of entities on a day. */
import { createRoute, z } from "@hono/zod-openapi";
import { daysBetween, yesterdayIn } from "../core/days.ts";
import {
  countEntities,
  type EntityFeatures,
  entityFeatures,
  listEntities,
} from "../db/entities.ts";
import { requireAccount } from "./accounts.ts";
import { errorAnswers, wrongParameter } from "./errors.ts";
import { listOf } from "./lists.ts";
import { Day, EntityType, pageNumbers, pageOf } from "./parameters.ts";
import { createRouter, type Surroundings } from "./router.ts";
import { filterOf, selectionParameters } from "./selection.ts";

const DAYS_MAX = 31;

const count = z.number();
const ratio = z.number().nullable();
const percentChange = ratio.openapi({
  description: "Percent against the 7 days before; null where a side is undefined",
});
const weekday = z.int().min(0).max(6).nullable().openapi({
  description: "0 is Monday; by CPL over 30 days, null without leads",
});
const share = ratio.openapi({ description: "0 to 1, over 7 days" });

/** The features of an entity on a day. */
export const Features = z.object({
  entity_type: EntityType,
  entity_id: z.string(),
  config_id: z.int(),
  parent_id: z.string().nullable(),
  as_of: z.iso.date(),
  spend_7d: count,
  impressions_7d: count,
  clicks_7d: count,
  leads_7d: count,
  cpl_7d: ratio,
  ctr_7d: ratio,
  cpc_7d: ratio,
  conversion_rate_7d: ratio,
  cpl_trend: percentChange,
  leads_trend: percentChange,
  spend_trend: percentChange,
  ctr_trend: percentChange,
  cpl_14d: ratio,
  leads_14d: count,
  cpl_30d: ratio,
  leads_30d: count,
  avg_daily_spend_30d: ratio,
  cpl_std_7d: ratio,
  leads_std_7d: ratio,
  best_day_of_week: weekday,
  worst_day_of_week: weekday,
  frequency_7d: ratio.openapi({ description: "A lower bound where only daily reach is known" }),
  reach_7d: ratio.openapi({ description: "An upper bound where only daily reach is known" }),
  days_with_leads_7d: count,
  days_active: count,
  is_active: z.boolean(),
  has_budget: z.boolean(),
  share_of_parent_spend: share,
  share_of_parent_leads: share,
  performance_vs_siblings: ratio.openapi({
    description: "(siblings' CPL - own CPL) / siblings' CPL over 7 days; positive is better",
  }),
  computed_at: z.iso.datetime(),
}).openapi("EntityFeatures");

/** The features of a page of entities. */
export const FeaturesList = listOf(
  "features",
  z.object({
    config_id: z.int(),
    date_from: z.iso.date(),
    date_to: z.iso.date(),
    total: z.int().nullable().openapi({
      description: "All matching entities, with features or without; null with `count=false`",
    }),
    page: z.int(),
    page_size: z.int(),
    next_after: z.string().nullable(),
    data: z.array(Features).openapi({
      description: "One per entity and day. An entity without delivery in the 30 days has none",
    }),
    features: z.array(Features).openapi({ description: "The same as `data`" }),
  }).openapi("FeaturesList"),
);

const featuresRoute = createRoute({
  method: "get",
  path: "/",
  summary: "The features of a level's entities",
  tags: ["Entities"],
  request: {
    query: z.object({
      ...selectionParameters,
      as_of: Day.optional().openapi({
        description: "The last day that counts; yesterday in the account's time zone",
      }),
      date_from: Day.optional().openapi({
        description: `Features of each day from here to \`date_to\`, at most ${DAYS_MAX}`,
      }),
      date_to: Day.optional(),
    }),
  },
  responses: { 200: FeaturesList.answer("One page of entities"), ...errorAnswers(400, 404) },
});

/** The routes under `/features`. */
export function featureRoutes({ ask, now }: Surroundings) {
  return createRouter().openapi(featuresRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const account = await requireAccount(sql, query);
      const asOf = query.as_of ?? yesterdayIn(account.time_zone, now());
      const period = { from: query.date_from ?? query.date_to ?? asOf, to: query.date_to ?? asOf };
      const days = daysBetween(period.from, period.to) + 1;
      if (days < 1) throw wrongParameter("date_from", "is after the last day");
      if (days > DAYS_MAX) throw wrongParameter("date_from", `more than ${DAYS_MAX} days`);

      const page = pageOf(query);
      const filter = filterOf(account, query);
      const [entities, total] = await Promise.all([
        listEntities(sql, filter, { ...page, after: query.after }),
        query.count ? countEntities(sql, filter) : null,
      ]);
      const ids = entities.map((entity) => entity.entity_id);
      const rows = await entityFeatures(sql, account.config_id, query.entity_type, ids, period);
      return FeaturesList.respond(c, {
        config_id: account.config_id,
        date_from: period.from,
        date_to: period.to,
        total,
        ...pageNumbers(page),
        next_after: ids.length === page.limit ? ids.at(-1) ?? null : null,
      }, rows.map((row) => presentFeatures(row, now())));
    }));
}

/** Features as clients see them: computed when they are asked for. */
export function presentFeatures(row: EntityFeatures, now: Date): z.input<typeof Features> {
  return { ...row, computed_at: now.toISOString() };
}
