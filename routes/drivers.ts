/** Why an entity's cost per lead changed between two periods, and in which of its children. */
import { createRoute, z } from "@hono/zod-openapi";
import { addDays, daysBetween, yesterdayIn } from "../core/days.ts";
import {
  FACTORS,
  MEASURES,
  NOTHING,
  ratiosOf,
  type Sides,
  splitByChild,
  splitChange,
  type Sums,
} from "../core/drivers.ts";
import { LEVEL_FACTS, LEVELS } from "../core/level.ts";
import { entitySides, type Periods } from "../db/drivers.ts";
import { findEntities } from "../db/entities.ts";
import { requireAccount } from "./accounts.ts";
import { errorAnswers, wrongParameter } from "./errors.ts";
import { accountParameters, Day, EntityId, EntityType, integer } from "./parameters.ts";
import { answer, createRouter, eachOf, nullable, type Surroundings } from "./router.ts";
import { requireEntity } from "./selection.ts";

const DAYS = 7;
const CHILDREN = 10;
const CHILDREN_MAX = 200;
const UNSEEN: Sides = { before: NOTHING, after: NOTHING };

const ratio = z.number().nullable();

const Side = z.object({
  spend: z.number(),
  impressions: z.number(),
  clicks: z.number(),
  leads: z.number(),
  cpm: ratio,
  ctr: ratio.openapi({ description: "Percent" }),
  conversion_rate: ratio.openapi({ description: "Percent" }),
  cpl: ratio,
}).openapi("Side");

const contribution = {
  contribution: z.number().openapi({ description: "To `change`: `rate` and `mix` together" }),
  rate: z.number().openapi({ description: "Because spend brought more or fewer leads there" }),
  mix: z.number().openapi({
    description: "Because more or less of the spend went there; of leads, more or less spend",
  }),
};

const ChildDriver = z.object({
  entity_id: z.string(),
  name: z.string().nullable(),
  before: Side,
  after: Side,
  ...contribution,
}).openapi("ChildDriver");

const OtherDrivers = z.object({ count: z.int(), ...contribution }).openapi("OtherDrivers");

/** What changed between two periods, and what did it. */
export const ChangeDrivers = z.object({
  config_id: z.int(),
  entity_type: EntityType,
  entity_id: z.string(),
  parent_id: z.string().nullable(),
  name: z.string(),
  date_from: z.iso.date(),
  date_to: z.iso.date(),
  before_from: z.iso.date(),
  before_to: z.iso.date(),
  before: Side.openapi({ description: "Brought to as many days as `after` has" }),
  after: Side,
  measure: z.enum(MEASURES).openapi({
    description: "What `change` is one of: `leads` where there are none on a side and so no CPL",
  }),
  change: z.number().openapi({
    description: "In the account's currency, or in leads: `after` minus `before`",
  }),
  parts: eachOf(z.enum(FACTORS), z.number()).openapi({
    description: "What each factor did. They add up to `change`; that of `spend` to a CPL is 0",
  }),
  children_type: nullable(EntityType).openapi({ description: "Null for an ad" }),
  children: z.array(ChildDriver).openapi({
    description: "The largest contributions first. With `others` they add up to `change`",
  }),
  others: nullable(OtherDrivers).openapi({
    description: "All other children, and what was reported for none of them; null for an ad",
  }),
}).openapi("ChangeDrivers");

const driversRoute = createRoute({
  method: "get",
  path: "/{entity_type}/{entity_id}/drivers",
  summary: "Why an entity's CPL changed, and which of its children changed it",
  description: `The ${DAYS} days to \`as_of\` against the ${DAYS} before, or any two periods. CPL is
CPM / (1000 x CTR x conversion rate); its change is split into those factors, and into the rates and
the mix of the children. Both splits are exact.`,
  tags: ["Entities"],
  request: {
    params: z.object({ entity_type: EntityType, entity_id: EntityId }),
    query: z.object({
      ...accountParameters,
      as_of: Day.optional().openapi({
        description: "The last day that counts; yesterday in the account's time zone",
      }),
      date_from: Day.optional().openapi({
        description: `The first day; without it, there are ${DAYS}`,
      }),
      date_to: Day.optional().openapi({ description: "The last day, instead of `as_of`" }),
      before_from: Day.optional().openapi({
        description: "The first day to compare with; without it, there are as many days",
      }),
      before_to: Day.optional().openapi({
        description: "The last day to compare with; the day before the first, without it",
      }),
      limit: integer(1, CHILDREN_MAX).default(CHILDREN).openapi({
        description: `Children to tell one by one (${CHILDREN})`,
      }),
    }),
  },
  responses: { 200: answer("The change and its parts", ChangeDrivers), ...errorAnswers(400, 404) },
});

/** The route `/drivers` of an entity. */
export function driverRoutes({ ask, now }: Surroundings) {
  return createRouter().openapi(driversRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const { entity_type: level, entity_id: id } = c.req.valid("param");
      const account = await requireAccount(sql, query);
      const configId = account.config_id;
      const periods = periodsOf(query, query.as_of ?? yesterdayIn(account.time_zone, now()));
      const { name, parent_id } = await requireEntity(sql, configId, level, id);
      const childLevel = LEVELS.find((each) => LEVEL_FACTS[each].parent === level) ?? null;
      const [[own = UNSEEN], children] = await Promise.all([
        entitySides(sql, configId, level, { entityId: id }, periods),
        childLevel ? entitySides(sql, configId, childLevel, { parentId: id }, periods) : [],
      ]);
      const change = splitChange(own);
      const { top, others } = splitByChild(own, children, query.limit);
      const ids = top.map((child) => child.entity_id);
      const named = childLevel ? await findEntities(sql, configId, childLevel, ids) : [];
      const names = new Map(named.map((child) => [child.entity_id, child.name]));
      return c.json({
        config_id: configId,
        entity_type: level,
        entity_id: id,
        parent_id,
        name,
        date_from: periods.after.from,
        date_to: periods.after.to,
        before_from: periods.before.from,
        before_to: periods.before.to,
        ...presentSides(own),
        ...change,
        children_type: childLevel,
        children: top.map((child) => ({
          ...child,
          name: names.get(child.entity_id) ?? null,
          ...presentSides(child),
        })),
        others: childLevel ? others : null,
      }, 200);
    }));
}

type PeriodParameters = {
  date_from?: string;
  date_to?: string;
  before_from?: string;
  before_to?: string;
};

/** The two periods that are asked for; an end that is not given follows from the others. */
function periodsOf(query: PeriodParameters, asOf: string): Periods {
  const to = query.date_to ?? asOf;
  const from = query.date_from ?? addDays(to, 1 - DAYS);
  if (from > to) throw wrongParameter("date_from", `is after the last day, ${to}`);
  const beforeTo = query.before_to ?? addDays(from, -1);
  const beforeFrom = query.before_from ?? addDays(beforeTo, -daysBetween(from, to));
  if (beforeFrom > beforeTo) {
    throw wrongParameter("before_from", `is after the last day before, ${beforeTo}`);
  }
  return { before: { from: beforeFrom, to: beforeTo }, after: { from, to } };
}

function presentSides({ before, after }: Sides) {
  return { before: presentSide(before), after: presentSide(after) };
}

function presentSide(sums: Sums): z.input<typeof Side> {
  return { ...sums, ...ratiosOf(sums) };
}
