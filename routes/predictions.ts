/** Forecasts of one entity as rows of single days, as older clients know them. */
import { createRoute, z } from "@hono/zod-openapi";
import type { Context } from "hono";
import { yesterdayIn } from "../core/days.ts";
import { type Level, LEVEL_FACTS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import * as db from "../db/forecasts.ts";
import { forecasts, HORIZON } from "../jobs/forecasts.ts";
import { requireAccount } from "./accounts.ts";
import { errorAnswers } from "./errors.ts";
import { HorizonDays } from "./forecasts.ts";
import { endsInTime, RunStarted } from "./jobs.ts";
import { ConfigId, EntityId, EntityType, EntityTypeParameter, integer } from "./parameters.ts";
import { answer, createRouter, jsonBody, type Surroundings } from "./router.ts";
import { requireEntities } from "./selection.ts";

const TYPES = {
  spend: "SPEND_FORECAST",
  leads: "LEADS_FORECAST",
  cpl: "CPL_FORECAST",
} as const satisfies Record<db.Target, string>;

const PredictionType = z.enum(TYPES).openapi("PredictionType");

/** One day of a forecast. */
const Prediction = z.object({
  id: z.int(),
  entity_type: EntityType,
  entity_id: z.string(),
  prediction_type: PredictionType,
  forecast_date: z.iso.date().openapi({ description: "The day that is forecast" }),
  predicted_value: z.number().nullable(),
  confidence_lower: z.number().nullable().openapi({
    description: "80 % of the days lie between this and `confidence_upper`",
  }),
  confidence_upper: z.number().nullable(),
  created_at: z.iso.datetime(),
}).openapi("Prediction");

const Predictions = z.array(Prediction);

const OneBody = z.object({
  config_id: ConfigId,
  entity_type: EntityTypeParameter,
  entity_id: EntityId,
  horizon_days: HorizonDays,
}).openapi("PredictionRequest");

const BatchBody = z.object({
  config_id: ConfigId,
  entity_type: EntityTypeParameter,
  entity_ids: z.array(EntityId).min(1).max(200),
  horizon_days: HorizonDays,
}).openapi("PredictionBatchRequest");

const tags = ["Predictions"];

const predictionResponses = {
  200: answer("One per day", Predictions),
  202: answer("It takes longer and goes on", RunStarted),
  ...errorAnswers(400, 404, 413),
};

const cplRoute = createRoute({
  method: "post",
  path: "/cpl",
  summary: "The CPL of the next days",
  tags,
  request: { body: jsonBody(OneBody) },
  responses: predictionResponses,
});

const leadsRoute = createRoute({
  method: "post",
  path: "/leads",
  summary: "The leads of the next days",
  tags,
  request: { body: jsonBody(OneBody) },
  responses: predictionResponses,
});

const batchRoute = createRoute({
  method: "post",
  path: "/batch",
  summary: "The CPL of the next days, of several entities",
  tags,
  request: { body: jsonBody(BatchBody) },
  responses: predictionResponses,
});

const seriesRoute = createRoute({
  method: "get",
  path: "/series/{entity_type}/{entity_id}",
  summary: "The newest forecasts of one entity",
  tags,
  request: {
    params: z.object({ entity_type: EntityType, entity_id: EntityId }),
    query: z.object({
      config_id: ConfigId,
      prediction_type: PredictionType.optional(),
      limit: integer(1, 100).default(30).openapi({ description: "At most so many rows (30)" }),
    }),
  },
  responses: {
    200: answer(
      "Its days, the next one first",
      z.object({
        entity_type: EntityType,
        entity_id: z.string(),
        predictions: Predictions,
      }).openapi("PredictionSeries"),
    ),
    ...errorAnswers(400, 404),
  },
});

type Asked = {
  configId: number;
  entityType: Level;
  entityIds: string[];
  target: db.Target;
  days: number;
};

/** The routes under `/predictions`. */
export function predictionRoutes({ ask, startRun, now, runPatienceMs }: Surroundings) {
  const router = createRouter();

  router.openapi(cplRoute, async (c) => {
    const made = await predict(c, one(c.req.valid("json"), "cpl"));
    return "run_id" in made ? c.json(made, 202) : c.json(made.predictions, 200);
  });

  router.openapi(leadsRoute, async (c) => {
    const made = await predict(c, one(c.req.valid("json"), "leads"));
    return "run_id" in made ? c.json(made, 202) : c.json(made.predictions, 200);
  });

  router.openapi(batchRoute, async (c) => {
    const body = c.req.valid("json");
    const made = await predict(c, {
      configId: body.config_id,
      entityType: body.entity_type,
      entityIds: [...new Set(body.entity_ids)],
      target: "cpl",
      days: body.horizon_days,
    });
    return "run_id" in made ? c.json(made, 202) : c.json(made.predictions, 200);
  });

  router.openapi(seriesRoute, (c) =>
    ask(c, async (sql) => {
      const { entity_type, entity_id } = c.req.valid("param");
      const { prediction_type, limit, ...account } = c.req.valid("query");
      const { config_id: configId } = await requireAccount(sql, account);
      await requireEntities(sql, configId, entity_type, [entity_id]);
      const asOf = await db.newestForecastDay(sql, configId, entity_type);
      const rows = asOf === null ? [] : await db.listForecasts(
        sql,
        { configId, place: entity_type, entityId: entity_id, asOf },
        { limit: db.TARGETS.length, offset: 0, days: HORIZON },
      );
      const predictions = rows.flatMap((row) => daysOf(row, entity_type))
        .filter((each) => prediction_type === undefined || each.prediction_type === prediction_type)
        .toSorted((a, b) => a.forecast_date.localeCompare(b.forecast_date))
        .slice(0, limit);
      return c.json({ entity_type, entity_id, predictions }, 200);
    }));
  return router;

  /** Forecasts, unless that was done already, and tells of some entities; or of a run that goes on. */
  async function predict(
    c: Context,
    { configId, entityType, entityIds, target, days }: Asked,
  ): Promise<{ predictions: z.input<typeof Predictions> } | z.input<typeof RunStarted>> {
    const asOf = await ask(c, async (sql) => {
      const account = await requireAccount(sql, { config_id: configId });
      await requireEntities(sql, configId, entityType, entityIds);
      return yesterdayIn(account.time_zone, now());
    });
    const run = await startRun(forecasts, { configId, entityType, asOf, now: now() });
    if (!await endsInTime(run, runPatienceMs)) return { run_id: run.id, status: "running" };
    const rows = await ask(
      c,
      (sql) =>
        db.listForecasts(sql, { configId, place: entityType, entityIds, target, asOf }, {
          limit: entityIds.length,
          offset: 0,
          days,
        }),
    );
    const known = new Map(rows.map((row) => [row.entity_id, row]));
    const predictions = entityIds.flatMap((entityId) => {
      const row = known.get(entityId);
      if (row && !row.insufficient_data) return daysOf(row, entityType);
      throw new Refusal(
        "not_found",
        `There is too little data to forecast the ${LEVEL_FACTS[entityType].one} "${entityId}"`,
        "It needs 14 days from its first delivery on",
      );
    });
    return { predictions };
  }
}

function one(body: z.output<typeof OneBody>, target: db.Target): Asked {
  return {
    configId: body.config_id,
    entityType: body.entity_type,
    entityIds: [body.entity_id],
    target,
    days: body.horizon_days,
  };
}

/** More than the days of a forecast, so that each of them has a number of its own. */
const NUMBERS = 100;

function daysOf(row: db.Forecast, entityType: Level): z.input<typeof Predictions> {
  return row.days.map(({ date, mean, low80, high80 }, index) => ({
    id: NUMBERS * row.id + index,
    entity_type: entityType,
    entity_id: row.entity_id,
    prediction_type: TYPES[row.target_metric],
    forecast_date: date,
    predicted_value: mean,
    confidence_lower: low80,
    confidence_upper: high80,
    created_at: row.created_at.toISOString(),
  }));
}
