/** What to expect: forecasts, making new ones, what months will come to. */
import { createRoute, z } from "@hono/zod-openapi";
import { PLACES } from "../core/forecast/account.ts";
import type { Queries } from "../db/connect.ts";
import * as db from "../db/forecasts.ts";
import { forecasts, HORIZON } from "../jobs/forecasts.ts";
import { completeDay, requireAccount } from "./accounts.ts";
import { errorAnswers } from "./errors.ts";
import { endsInTime, RunStarted } from "./jobs.ts";
import { listOf } from "./lists.ts";
import {
  accountParameters,
  ConfigId,
  Day,
  EntityId,
  InstantFrom,
  InstantTo,
  integer,
  pageNumbers,
  pageOf,
  pagingParameters,
  timeOf,
} from "./parameters.ts";
import { answer, createRouter, eachOf, jsonBody, nullable, type Surroundings } from "./router.ts";
import { requireEntities } from "./selection.ts";

const ROWS_MAX = 10_000;
const DAY_MS = 86_400_000;
/** How many of its spreads the next week has to differ from the last one to be a trend: 80 % sure. */
const TREND = 1.2816;

const Target = z.enum(db.TARGETS).openapi("ForecastMetric");
const Place = z.enum(PLACES).openapi("ForecastLevel");
const PlaceParameter = Place.default("campaign").openapi({
  description: "`campaign` where it is not given; `account` is the account as a whole",
});

/** How many days ahead a request asks about. */
export const HorizonDays = integer(1, 30).default(7).openapi({ description: "1 to 30 days (7)" });

const ranged = (what: string) => z.number().nullable().openapi({ description: what });

const ForecastDay = z.object({
  date: z.iso.date(),
  predicted_value: ranged("Of a CPL null where no leads are expected"),
  confidence_lower: ranged("80 % of the days lie between this and `confidence_upper`"),
  confidence_upper: ranged("80 % of the days lie between `confidence_lower` and this"),
  lower_95: ranged("95 % of the days lie between this and `upper_95`"),
  upper_95: ranged("95 % of the days lie between `lower_95` and this"),
}).openapi("ForecastDay");

/** One metric of an entity, forecast from a day. */
const Forecast = z.object({
  id: z.int(),
  config_id: z.int(),
  entity_type: Place,
  entity_id: z.string(),
  target_metric: Target,
  horizon_days: z.int(),
  method: z.string().openapi({ description: "How it was made" }),
  model_version: z.string().nullable(),
  window_days: z.int().nullable().openapi({ description: "Always null: all known days count" }),
  forecast_date: z.iso.date().openapi({ description: "The last day that was known" }),
  predictions: z.array(ForecastDay).openapi({ description: "Day by day from the next one on" }),
  insufficient_data: z.boolean().openapi({
    description: "It has fewer than 14 days: the forecast is mostly that of its siblings",
  }),
  created_at: z.iso.datetime(),
}).openapi("Forecast");

const ForecastList = listOf(
  "forecasts",
  z.object({
    config_id: z.int(),
    total: z.int().nullable().openapi({ description: "All matches; null with `count=false`" }),
    page: z.int(),
    page_size: z.int(),
    data: z.array(Forecast),
    forecasts: z.array(Forecast).openapi({ description: "The same as `data`" }),
  }).openapi("ForecastList"),
);

const ForecastSummary = z.object({
  config_id: z.int(),
  window_days: z.int(),
  date_from: z.iso.datetime().nullable(),
  date_to: z.iso.datetime().nullable(),
  total: z.int().openapi({ description: "Forecasts made in the window" }),
  by_metric: eachOf(Target, z.int()),
  trend: eachOf(Target, z.enum(["up", "down", "flat"])).openapi({
    description: "The account's next 7 days beside its last 7; `flat` where they may be the same",
  }),
}).openapi("ForecastSummary");

const GenerateBody = z.object({
  config_id: ConfigId,
  entity_type: PlaceParameter,
  entity_ids: z.array(EntityId).nullish().openapi({
    description: "Without any, all entities of the level",
  }),
  horizon_days: HorizonDays,
  as_of: Day.nullish().openapi({
    description: "The last day that counts; yesterday in the account's time zone",
  }),
}).openapi("GenerateForecastsRequest");

const GenerateAnswer = z.object({
  config_id: z.int(),
  as_of: z.iso.date(),
  generated_count: z.int(),
  data: z.array(Forecast),
  forecasts: z.array(Forecast).openapi({ description: "The same as `data`" }),
}).openapi("GenerateForecastsAnswer");

const number = z.number();
const Pacing = z.object({
  entity_type: Place,
  entity_id: z.string(),
  entity_name: z.string().nullable(),
  parent_id: z.string().nullable(),
  as_of: z.iso.date(),
  month_start: z.iso.date(),
  month_end: z.iso.date(),
  days_left: z.int(),
  insufficient_data: z.boolean(),
  spend_to_date: number,
  leads_to_date: number,
  spend: number.openapi({ description: "Of the whole month, as the following" }),
  spend_low80: number,
  spend_high80: number,
  spend_low95: number,
  spend_high95: number,
  leads: number,
  leads_low80: number,
  leads_high80: number,
  leads_low95: number,
  leads_high95: number,
  cpl: ranged("Spend by leads of the whole month"),
  cpl_low80: ranged("Null where it may be anything"),
  cpl_high80: ranged("Null where it may be anything"),
  cpl_low95: ranged("Null where it may be anything"),
  cpl_high95: ranged("Null where it may be anything"),
}).openapi("Pacing");

const PacingList = listOf(
  "pacing",
  z.object({
    config_id: z.int(),
    as_of: nullable(z.iso.date()).openapi({ description: "Null where nothing was forecast yet" }),
    total: z.int().nullable().openapi({ description: "All matches; null with `count=false`" }),
    page: z.int(),
    page_size: z.int(),
    data: z.array(Pacing),
    pacing: z.array(Pacing).openapi({ description: "The same as `data`" }),
  }).openapi("PacingList"),
);

const tags = ["Forecasts"];

const windowParameters = {
  date_from: InstantFrom.optional(),
  date_to: InstantTo.optional(),
};

const listRoute = createRoute({
  method: "get",
  path: "/",
  summary: "Forecasts, the newest first",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      entity_type: PlaceParameter,
      entity_id: EntityId.optional(),
      campaign_id: EntityId.optional().openapi({ description: "Older name of `entity_id`" }),
      target_metric: Target.optional(),
      metric: Target.optional().openapi({ description: "Older name of `target_metric`" }),
      ...windowParameters,
      ...pagingParameters,
    }),
  },
  responses: { 200: ForecastList.answer("One page"), ...errorAnswers(400, 404) },
});

const summaryRoute = createRoute({
  method: "get",
  path: "/summary",
  summary: "How many forecasts were made, and where the account is heading",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      window_days: integer(1, 30).default(7).openapi({
        description: "How many days back, where no date is given (7)",
      }),
      ...windowParameters,
    }),
  },
  responses: { 200: answer("The sums", ForecastSummary), ...errorAnswers(400, 404) },
});

const generateRoute = createRoute({
  method: "post",
  path: "/generate",
  summary: "Forecast spend, leads and CPL",
  description:
    "Levels add up only if they are forecast together, so all of them are. Forecasts of the same day " +
    "that still hold are returned as they are.",
  tags,
  request: { body: jsonBody(GenerateBody) },
  responses: {
    200: answer("The forecasts", GenerateAnswer),
    202: answer("It takes longer and goes on", RunStarted),
    ...errorAnswers(400, 404, 413),
  },
});

const pacingRoute = createRoute({
  method: "get",
  path: "/pacing",
  summary: "What the month will come to",
  description:
    "Spend, leads and CPL of the month of the day after `as_of`: its days so far, and what " +
    "is forecast of the rest. Those with the most spend to come first.",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      entity_type: PlaceParameter,
      entity_id: EntityId.optional(),
      parent_id: EntityId.optional(),
      as_of: Day.optional().openapi({ description: "The newest day that was forecast from" }),
      ...pagingParameters,
    }),
  },
  responses: { 200: PacingList.answer("One page"), ...errorAnswers(400, 404) },
});

/** The routes under `/forecasts`. */
export function forecastRoutes({ ask, startRun, now, runPatienceMs }: Surroundings) {
  const router = createRouter();

  router.openapi(listRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const { config_id: configId } = await requireAccount(sql, query);
      const filter = {
        configId,
        place: query.entity_type,
        entityId: query.entity_id ?? query.campaign_id,
        target: query.target_metric ?? query.metric,
        ...timeOf(query),
      };
      const page = pageOf(query);
      const rows = await db.listForecasts(sql, filter, { ...page, days: HORIZON });
      return ForecastList.respond(c, {
        config_id: configId,
        total: query.count ? await db.countForecasts(sql, filter) : null,
        ...pageNumbers(page),
      }, rows.map(present));
    }));

  router.openapi(summaryRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const { config_id: configId } = await requireAccount(sql, query);
      const { from, before } = timeOf(query);
      const since = new Date(now().getTime() - query.window_days * DAY_MS);
      const count = await db.countForecasts(sql, {
        configId,
        from: from ?? (before ? undefined : since),
        before,
        target: "spend",
      });
      const asOf = await db.newestForecastDay(sql, configId, "account");
      const trends = asOf === null ? [] : await db.accountTrends(sql, { configId, asOf });
      return c.json({
        config_id: configId,
        window_days: query.window_days,
        date_from: query.date_from?.toISOString() ?? null,
        date_to: query.date_to?.toISOString() ?? null,
        total: count * db.TARGETS.length,
        by_metric: { spend: count, leads: count, cpl: count },
        trend: trendsOf(trends),
      }, 200);
    }));

  router.openapi(generateRoute, async (c) => {
    const body = c.req.valid("json");
    const { configId, asOf, entityIds } = await ask(c, (sql) => subjectOf(sql, body));
    const place = body.entity_type;
    const run = await startRun(forecasts, {
      configId,
      entityType: place === "account" ? "campaign" : place,
      asOf,
      now: now(),
    });
    if (!await endsInTime(run, runPatienceMs)) {
      return c.json({ run_id: run.id, status: "running" as const }, 202);
    }
    const made = await ask(c, (sql) =>
      db.listForecasts(sql, { configId, place, entityIds, asOf }, {
        limit: ROWS_MAX,
        offset: 0,
        days: body.horizon_days,
      }));
    const data = made.map(present);
    return c.json(
      { config_id: configId, as_of: asOf, generated_count: data.length, data, forecasts: data },
      200,
    );
  });

  router.openapi(pacingRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const { config_id: configId } = await requireAccount(sql, query);
      const place = query.entity_type;
      const page = pageOf(query);
      const asOf = query.as_of ?? await db.newestForecastDay(sql, configId, place);
      const filter = {
        configId,
        place,
        entityId: query.entity_id,
        parentId: query.parent_id,
        asOf: asOf ?? undefined,
      };
      const rows = asOf === null ? [] : await db.listPacing(sql, { ...filter, asOf }, page);
      return PacingList.respond(c, {
        config_id: configId,
        as_of: asOf,
        total: query.count ? await db.countEntities(sql, filter) : null,
        ...pageNumbers(page),
      }, rows);
    }));
  return router;

  async function subjectOf(sql: Queries, body: z.output<typeof GenerateBody>) {
    const account = await requireAccount(sql, body);
    const asOf = completeDay(account, body.as_of, now());
    const entityIds = body.entity_ids?.length ? [...new Set(body.entity_ids)] : undefined;
    if (entityIds && body.entity_type !== "account") {
      await requireEntities(sql, account.config_id, body.entity_type, entityIds);
    }
    return { configId: account.config_id, asOf, entityIds };
  }
}

function present(row: db.Forecast): z.input<typeof Forecast> {
  const { days, as_of, created_at, ...facts } = row;
  return {
    ...facts,
    horizon_days: days.length,
    method: "combination of small methods by their past errors, reconciled over the levels",
    window_days: null,
    forecast_date: as_of,
    predictions: days.map(({ date, mean, low80, high80, low95, high95 }) => ({
      date,
      predicted_value: mean,
      confidence_lower: low80,
      confidence_upper: high80,
      lower_95: low95,
      upper_95: high95,
    })),
    created_at: created_at.toISOString(),
  };
}

function trendsOf(trends: readonly db.Trend[]): z.input<typeof ForecastSummary>["trend"] {
  const of = (metric: db.Target) => trends.find((trend) => trend.metric === metric);
  const [spend, leads] = [of("spend"), of("leads")];
  const direction = (change: number, spread: number) =>
    Math.abs(change) <= TREND * spread ? "flat" : change > 0 ? "up" : "down";
  const moved = (trend: db.Trend | undefined) =>
    trend ? direction(trend.expected - trend.before, trend.spread) : "flat";
  // Of the CPL in logarithms, as the spreads of a ratio add up.
  const logChange = ({ expected, before }: db.Trend) => Math.log(expected / before);
  const share = ({ expected, spread }: db.Trend) => spread / expected;
  const cpl = spend && leads ? logChange(spend) - logChange(leads) : NaN;
  return {
    spend: moved(spend),
    leads: moved(leads),
    cpl: spend && leads && Number.isFinite(cpl)
      ? direction(cpl, Math.hypot(share(spend), share(leads)))
      : "flat",
  };
}
