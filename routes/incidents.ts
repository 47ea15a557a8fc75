/** Incidents: what a person is told of the anomalies, one story each. */
import { createRoute, z } from "@hono/zod-openapi";
import { ANOMALY_TYPES, INCIDENT_STATES } from "../core/anomalies/anomaly.ts";
import { daysBetween } from "../core/days.ts";
import { Refusal } from "../core/refusal.ts";
import * as db from "../db/anomalies.ts";
import { requireAccount } from "./accounts.ts";
import { Anomaly, noteBody, Place, presentAnomaly, SeverityName } from "./anomalies.ts";
import { errorAnswers, wrongParameter } from "./errors.ts";
import { listOf } from "./lists.ts";
import {
  accountParameters,
  Day,
  flag,
  pageNumbers,
  pageOf,
  pagingParameters,
  RowId,
} from "./parameters.ts";
import { answer, createRouter, jsonBody, type Surroundings } from "./router.ts";

const MEMBERS_MAX = 1000;

const StateName = z.enum(INCIDENT_STATES).openapi("IncidentState");

/** One incident. */
export const Incident = z.object({
  id: z.int(),
  config_id: z.int(),
  entity_type: Place,
  entity_id: z.string(),
  entity_name: z.string().nullable(),
  anomaly_type: z.enum(ANOMALY_TYPES),
  severity: SeverityName,
  state: StateName.openapi({ description: "`recovered` where its numbers are as usual again" }),
  first_date: z.iso.date(),
  last_date: z.iso.date(),
  duration_days: z.int(),
  sentence: z.string().openapi({ description: "What happened, for a person" }),
  facts: z.record(z.string(), z.unknown()).openapi({
    description: "Every number and name of the sentence",
  }),
  detected_at: z.iso.datetime(),
  updated_at: z.iso.datetime(),
  is_acknowledged: z.boolean(),
  acknowledged_at: z.iso.datetime().nullable(),
  acknowledged_by: z.int().nullable(),
  notes: z.string().nullable(),
}).openapi("Incident");

const IncidentDetail = Incident.extend({
  members: z.array(Anomaly.extend({
    contribution: z.number().nullable().openapi({
      description: "Its share of the deviation of what the incident is told about",
    }),
  })).openapi({ description: "The anomalies that it explains" }),
}).openapi("IncidentDetail");

const IncidentList = listOf(
  "incidents",
  z.object({
    config_id: z.int(),
    total: z.int().nullable().openapi({ description: "All matches; null with `count=false`" }),
    page: z.int(),
    page_size: z.int(),
    next_after: z.int().nullable().openapi({ description: "The `after` of the next page" }),
    data: z.array(Incident),
    incidents: z.array(Incident).openapi({ description: "The same as `data`" }),
  }).openapi("IncidentList"),
);

const tags = ["Incidents"];

const listRoute = createRoute({
  method: "get",
  path: "/",
  summary: "What happened, the newest first",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      state: StateName.optional(),
      severity: SeverityName.optional(),
      is_acknowledged: flag.optional(),
      date_from: Day.optional().openapi({ description: "Still going on then" }),
      date_to: Day.optional().openapi({ description: "Begun by then" }),
      ...pagingParameters,
      after: RowId.optional().openapi({ description: "The `next_after` of the page before" }),
    }),
  },
  responses: { 200: IncidentList.answer("One page"), ...errorAnswers(400, 404) },
});

const detailRoute = createRoute({
  method: "get",
  path: "/{id}",
  summary: "An incident with its anomalies",
  tags,
  request: { params: z.object({ id: RowId }) },
  responses: { 200: answer("The incident", IncidentDetail), ...errorAnswers(400, 404) },
});

const acknowledgeRoute = createRoute({
  method: "post",
  path: "/{id}/acknowledge",
  summary: "Take note of an incident, which closes its anomalies",
  tags,
  request: { params: z.object({ id: RowId }), body: jsonBody(noteBody) },
  responses: {
    200: answer(
      "Noted; again changes nothing",
      z.object({ status: z.literal("acknowledged"), incident_id: z.int() })
        .openapi("IncidentAcknowledged"),
    ),
    ...errorAnswers(400, 404, 413),
  },
});

/** The routes under `/incidents`. */
export function incidentRoutes({ ask, now }: Surroundings) {
  return createRouter()
    .openapi(listRoute, (c) =>
      ask(c, async (sql) => {
        const query = c.req.valid("query");
        const { config_id: configId } = await requireAccount(sql, query);
        const { date_from: from, date_to: to } = query;
        if (from && to && from > to) throw wrongParameter("date_from", "is after date_to");
        const page = pageOf(query);
        const filter = {
          configId,
          state: query.state,
          severity: query.severity,
          isAcknowledged: query.is_acknowledged,
          from,
          to,
        };
        const rows = await db.listIncidents(sql, filter, { ...page, after: query.after });
        return IncidentList.respond(c, {
          config_id: configId,
          total: query.count ? await db.countIncidents(sql, filter) : null,
          ...pageNumbers(page),
          next_after: rows.length === page.limit ? rows.at(-1)?.id ?? null : null,
        }, rows.map(present));
      }))
    .openapi(detailRoute, (c) =>
      ask(c, async (sql) => {
        const { id } = c.req.valid("param");
        const incident = await db.findIncident(sql, id);
        if (!incident) throw new Refusal("not_found", `There is no incident ${id}`);
        const members = await db.listAnomalies(
          sql,
          { configId: incident.config_id, incidentId: id },
          { limit: MEMBERS_MAX, offset: 0 },
        );
        const shares = await db.contributions(sql, incident);
        return c.json({
          ...present(incident),
          members: members.map((member) => ({
            ...presentAnomaly(member),
            contribution: shares.get(member.id) ?? null,
          })),
        }, 200);
      }))
    .openapi(acknowledgeRoute, async (c) => {
      const { id } = c.req.valid("param");
      const { user_id: userId, notes } = c.req.valid("json");
      const found = await ask(
        c,
        (sql) => db.acknowledgeIncident(sql, { id, userId, notes: notes || null, at: now() }),
      );
      if (!found) throw new Refusal("not_found", `There is no incident ${id}`);
      return c.json({ status: "acknowledged" as const, incident_id: id }, 200);
    });
}

function present(row: db.Incident): z.input<typeof Incident> {
  return {
    ...row,
    duration_days: daysBetween(row.first_date, row.last_date) + 1,
    detected_at: row.detected_at.toISOString(),
    updated_at: row.updated_at.toISOString(),
    is_acknowledged: row.acknowledged_at !== null,
    acknowledged_at: row.acknowledged_at?.toISOString() ?? null,
  };
}
