/** Campaigns, ad sets and ads with their numbers, one generic way for all levels. */
import { createRoute, z } from "@hono/zod-openapi";
import { addDays, daysBetween, yesterdayIn } from "../core/days.ts";
import { RANGES, verdictOf } from "../core/rules/verdict.ts";
import { type Account, accountReference, accountSettings } from "../db/accounts.ts";
import { latestClassifications } from "../db/classifications.ts";
import {
  countEntities,
  type DailyRow,
  entityDays,
  entityEvidence,
  entityFeatures,
  entityTotals,
  type Evidence as EvidenceRow,
  listEntities,
  type Period,
  type Totals,
} from "../db/entities.ts";
import { listRecommendations } from "../db/recommendations.ts";
import { requireAccount } from "./accounts.ts";
import { Classification, present } from "./classifications.ts";
import { errorAnswers, wrongParameter } from "./errors.ts";
import { Evidence, presentEvidence } from "./evidence.ts";
import { Features, presentFeatures } from "./features.ts";
import { listOf } from "./lists.ts";
import { accountParameters, Day, EntityId, EntityType, pageNumbers, pageOf } from "./parameters.ts";
import { presentRecommendation, Recommendation } from "./recommendations.ts";
import { answer, createRouter, eachOf, nullable, type Surroundings } from "./router.ts";
import { filterOf, requireEntity, selectionParameters } from "./selection.ts";

const METRICS: EvidenceRow["metric"][] = ["cpl", "ctr", "conversion_rate"];
/** More than an entity may have. */
const OPEN_MAX = 20;
const DAYS_SHOWN = 7;
const DAILY_SHOWN = 30;
const DAILY_MAX = 1_000;

const EntityShape = z.object({
  config_id: z.int(),
  entity_type: EntityType,
  entity_id: z.string(),
  parent_id: z.string().nullable(),
  campaign_id: z.string(),
  adset_id: z.string().nullable(),
  name: z.string(),
  objective: z.string().nullable(),
  status: z.string().nullable(),
  effective_status: z.string().nullable(),
  daily_budget: z.number().nullable(),
  lifetime_budget: z.number().nullable(),
  has_budget: z.boolean(),
  budget_holder: z.enum(["campaign", "adset"]).nullable(),
  is_active: z.boolean(),
}).openapi("Entity");

const ratio = z.number().nullable();

const TotalsShape = z.object({
  impressions: z.int(),
  reach: z.int().nullable().openapi({ description: "Daily reach added up: an upper bound" }),
  clicks: z.int(),
  spend: z.number(),
  leads: z.int(),
  conversions: z.int(),
  ctr: ratio.openapi({ description: "Percent" }),
  cpc: ratio,
  cpl: ratio,
  days_active: z.int(),
}).openapi("Totals");

/** A page of entities. */
export const EntityList = listOf(
  "entities",
  z.object({
    config_id: z.int(),
    date_from: z.iso.date(),
    date_to: z.iso.date(),
    total: z.int().nullable().openapi({ description: "All matches; null with `count=false`" }),
    page: z.int(),
    page_size: z.int(),
    next_after: z.string().nullable(),
    data: z.array(EntityShape.extend({ totals: TotalsShape })),
    entities: z.array(EntityShape.extend({ totals: TotalsShape })).openapi({
      description: "The same as `data`",
    }),
  }).openapi("EntityList"),
);

const VerdictShape = z.object({
  verdict: z.enum(["act", "settled", "wait"]).openapi({
    description:
      "`act`: there are recommendations; `settled`: its range is known and nothing has to " +
      "be done; `wait`: the data cannot tell",
  }),
  range: z.enum(RANGES).nullable().openapi({
    description: "Where its true CPL most probably lies; null where nothing is known",
  }),
  probabilities: eachOf(z.enum(RANGES), z.number()).nullable().openapi({
    description:
      "Of each range of the CPL ratio; cheap is up to 0.7, expensive from 1.5, or as the " +
      "account sets it",
  }),
  spend_to_settle: z.number().nullable().openapi({
    description:
      "How much more it has to spend until its range would be known, if its CPL is what " +
      "it seems to be; null where it is known, or where no such spend would do",
  }),
}).openapi("Verdict");

/** One entity with all that is known about it. */
export const EntityDetail = EntityShape.extend({
  as_of: z.iso.date(),
  features: nullable(Features).openapi({
    description: "Null where nothing was delivered in the 30 days to `as_of`",
  }),
  evidence: Evidence,
  classification: nullable(Classification).openapi({ description: "The newest one" }),
  verdict: nullable(VerdictShape).openapi({ description: "Null where it does not run" }),
  recommendations: z.array(Recommendation).openapi({ description: "The open ones" }),
}).openapi("EntityDetail");

const DailyShape = z.object({
  date: z.iso.date(),
  spend: z.number(),
  impressions: z.int(),
  reach: z.int().nullable(),
  clicks: z.int(),
  link_clicks: z.int().nullable(),
  leads: z.int(),
  conversions: z.int(),
  ctr: ratio.openapi({ description: "Percent" }),
  cpc: ratio,
  cpl: ratio,
}).openapi("Daily");

const DailyList = listOf(
  "daily",
  z.object({
    config_id: z.int(),
    entity_type: EntityType,
    entity_id: z.string(),
    date_from: z.iso.date(),
    date_to: z.iso.date(),
    total: z.int(),
    data: z.array(DailyShape).openapi({ description: "Days with delivery, the oldest first" }),
    daily: z.array(DailyShape).openapi({ description: "The same as `data`" }),
  }).openapi("DailyList"),
);

const tags = ["Entities"];
const oneEntity = z.object({ entity_type: EntityType, entity_id: EntityId });
const periodParameters = { date_from: Day.optional(), date_to: Day.optional() };
const asOf = Day.optional().openapi({
  description: "The last day that counts; yesterday in the account's time zone",
});

const listRoute = createRoute({
  method: "get",
  path: "/",
  summary: "A level's entities with their totals over a period",
  description: `Without a period, the ${DAYS_SHOWN} days to yesterday in the account's time zone.`,
  tags,
  request: { query: z.object({ ...selectionParameters, ...periodParameters }) },
  responses: { 200: EntityList.answer("One page"), ...errorAnswers(400, 404) },
});

const detailRoute = createRoute({
  method: "get",
  path: "/{entity_type}/{entity_id}",
  summary: "An entity with its features, the evidence and its tier",
  tags,
  request: { params: oneEntity, query: z.object({ ...accountParameters, as_of: asOf }) },
  responses: { 200: answer("The entity", EntityDetail), ...errorAnswers(400, 404) },
});

const dailyRoute = createRoute({
  method: "get",
  path: "/{entity_type}/{entity_id}/daily",
  summary: "An entity's days",
  description: `Without a period, the ${DAILY_SHOWN} days to yesterday; at most ${DAILY_MAX} days.`,
  tags,
  request: { params: oneEntity, query: z.object({ ...accountParameters, ...periodParameters }) },
  responses: { 200: DailyList.answer("The days"), ...errorAnswers(400, 404) },
});

/** The routes under `/entities`. */
export function entityRoutes({ ask, now }: Surroundings) {
  return createRouter()
    .openapi(listRoute, (c) =>
      ask(c, async (sql) => {
        const query = c.req.valid("query");
        const account = await requireAccount(sql, query);
        const period = periodOf(account, query, DAYS_SHOWN, now());
        const page = pageOf(query);
        const filter = filterOf(account, query);
        const [entities, total] = await Promise.all([
          listEntities(sql, filter, { ...page, after: query.after }),
          query.count ? countEntities(sql, filter) : null,
        ]);
        const ids = entities.map((entity) => entity.entity_id);
        const totals = await entityTotals(sql, account.config_id, query.entity_type, period, ids);
        const data = entities.map((entity) => ({
          ...entity,
          totals: presentTotals(totals.get(entity.entity_id)),
        }));
        return EntityList.respond(c, {
          config_id: account.config_id,
          date_from: period.from,
          date_to: period.to,
          total,
          ...pageNumbers(page),
          next_after: ids.length === page.limit ? ids.at(-1) ?? null : null,
        }, data);
      }))
    .openapi(detailRoute, (c) =>
      ask(c, async (sql) => {
        const query = c.req.valid("query");
        const { entity_type: entityType, entity_id: entityId } = c.req.valid("param");
        const account = await requireAccount(sql, query);
        const configId = account.config_id;
        const asOf = query.as_of ?? yesterdayIn(account.time_zone, now());
        const entity = await requireEntity(sql, configId, entityType, entityId);
        const ids = [entityId];
        const [[features], evidence, [classification], reference, settings, open] = await Promise
          .all([
            entityFeatures(sql, configId, entityType, ids, { from: asOf, to: asOf }),
            entityEvidence(sql, configId, entityType, ids, asOf, METRICS),
            latestClassifications(sql, { configId, entityType, entityIds: ids }),
            accountReference(sql, configId, asOf),
            accountSettings(sql, configId),
            listRecommendations(sql, {
              configId,
              entityType,
              entityId,
              isActive: true,
              at: now(),
            }, { limit: OPEN_MAX, offset: 0 }),
          ]);
        return c.json({
          ...entity,
          as_of: asOf,
          features: features ? presentFeatures(features, now()) : null,
          evidence: presentEvidence(evidence),
          classification: classification ? present(classification) : null,
          verdict: entity.is_active
            ? verdictOf({
              posterior: evidence.find(({ metric, alpha }) => metric === "cpl" && alpha > 0) ??
                null,
              reference: reference?.reference ?? null,
              hasAdvice: open.length > 0,
            }, settings)
            : null,
          recommendations: open.map(presentRecommendation),
        }, 200);
      }))
    .openapi(dailyRoute, (c) =>
      ask(c, async (sql) => {
        const query = c.req.valid("query");
        const { entity_type, entity_id } = c.req.valid("param");
        const account = await requireAccount(sql, query);
        const period = periodOf(account, query, DAILY_SHOWN, now());
        if (daysBetween(period.from, period.to) >= DAILY_MAX) {
          throw wrongParameter("date_from", `more than ${DAILY_MAX} days`);
        }
        await requireEntity(sql, account.config_id, entity_type, entity_id);
        const days = await entityDays(sql, account.config_id, entity_type, entity_id, period);
        return DailyList.respond(c, {
          config_id: account.config_id,
          entity_type,
          entity_id,
          date_from: period.from,
          date_to: period.to,
          total: days.length,
        }, days.map(presentDay));
      }));
}

/** The period that is asked for; an end that is not given follows from the other one. */
function periodOf(
  account: Account,
  { date_from, date_to }: { date_from?: string; date_to?: string },
  days: number,
  now: Date,
): Period {
  const to = date_to ?? yesterdayIn(account.time_zone, now);
  const from = date_from ?? addDays(to, 1 - days);
  if (from > to) throw wrongParameter("date_from", `is after the last day, ${to}`);
  return { from, to };
}

type OwnTotals = Omit<Totals, "entity_id" | "parent_id">;

const NOTHING: OwnTotals = {
  impressions: 0,
  reach: null,
  clicks: 0,
  spend: 0,
  leads: 0,
  conversions: 0,
  ctr: null,
  cpc: null,
  cpl: null,
  days_active: 0,
};

function presentTotals(
  totals: Omit<Totals, "entity_id" | "parent_id"> = NOTHING,
): z.input<typeof TotalsShape> {
  const { impressions, reach, clicks, spend, leads, conversions, ctr, cpc, cpl } = totals;
  const { days_active } = totals;
  return { impressions, reach, clicks, spend, leads, conversions, ctr, cpc, cpl, days_active };
}

/** A day as clients see it. Ratios come from its own sums, null over zero. */
export function presentDay(day: DailyRow): z.input<typeof DailyShape> {
  return {
    ...day,
    ctr: day.impressions > 0 ? 100 * day.clicks / day.impressions : null,
    cpc: day.clicks > 0 ? day.spend / day.clicks : null,
    cpl: day.leads > 0 ? day.spend / day.leads : null,
  };
}
