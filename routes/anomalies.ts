/** What stands out: anomalies of entities and days, their sums, and taking note of them. */
import { createRoute, z } from "@hono/zod-openapi";
import { sum } from "simple-statistics";
import { ANOMALY_STATUSES, ANOMALY_TYPES, SEVERITIES } from "../core/anomalies/anomaly.ts";
import { addDays, yesterdayIn } from "../core/days.ts";
import { LEVELS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import type { Account } from "../db/accounts.ts";
import * as db from "../db/anomalies.ts";
import type { Queries } from "../db/connect.ts";
import { anomalies } from "../jobs/anomalies.ts";
import { completeDay, requireAccount } from "./accounts.ts";
import { errorAnswers, wrongParameter } from "./errors.ts";
import { endsInTime, RunStarted } from "./jobs.ts";
import { listOf } from "./lists.ts";
import {
  accountParameters,
  ConfigId,
  Day,
  EntityId,
  EntityType,
  EntityTypeParameter,
  flag,
  integer,
  pageNumbers,
  pageOf,
  pagingParameters,
  RowId,
  text,
} from "./parameters.ts";
import { requireEntities } from "./selection.ts";
import { answer, createRouter, eachOf, jsonBody, nullable, type Surroundings } from "./router.ts";

const AnomalyTypeName = z.enum(ANOMALY_TYPES).openapi("AnomalyType");
/** How much an anomaly or an incident matters. */
export const SeverityName = z.enum(SEVERITIES).openapi("Severity");
const StatusName = z.enum(ANOMALY_STATUSES).openapi("AnomalyStatus");
/** Where something is told. */
export const Place = z.enum([...LEVELS, "account"]).openapi("Place", {
  description: "A level, or the account where it met all alike",
});
const TypeCounts = eachOf(AnomalyTypeName, z.int());
const SeverityCounts = eachOf(SeverityName, z.int()).openapi("SeverityCounts");

/** One anomaly. */
export const Anomaly = z.object({
  id: z.int(),
  config_id: z.int(),
  entity_type: Place,
  entity_id: z.string(),
  entity_name: z.string().nullable(),
  parent_id: z.string().nullable(),
  incident_id: z.int().nullable(),
  anomaly_type: AnomalyTypeName,
  type: AnomalyTypeName.openapi({ description: "The same as `anomaly_type`" }),
  metric_name: z.string(),
  observed_value: z.number().nullable().openapi({
    description: "Over `window_days`; null for a CPL without leads",
  }),
  expected_value: z.number().nullable(),
  current_value: z.number().nullable().openapi({ description: "The same as `observed_value`" }),
  baseline_value: z.number().nullable().openapi({ description: "The same as `expected_value`" }),
  window_days: z.int().openapi({
    description: "The days to `anomaly_date` that stand out together",
  }),
  baseline_window_days: z.int(),
  deviation_score: z.number().openapi({ description: "In standard deviations of what is usual" }),
  p_value: z.number(),
  q_value: z.number().openapi({
    description: "The share of luck among all alarms of the account, level and day up to this one",
  }),
  severity: SeverityName,
  is_acknowledged: z.boolean(),
  status: StatusName,
  acknowledged_by: z.int().nullable(),
  acknowledged_at: z.iso.datetime().nullable(),
  resolution_notes: z.string().nullable(),
  anomaly_date: z.iso.date(),
  detected_at: z.iso.datetime(),
  recommendation_id: z.int().nullable(),
}).openapi("Anomaly");

/** A page of anomalies. */
export const AnomalyList = listOf(
  "anomalies",
  z.object({
    config_id: z.int(),
    total: z.int().nullable().openapi({ description: "All matches; null with `count=false`" }),
    page: z.int(),
    page_size: z.int(),
    next_after: z.int().nullable().openapi({ description: "The `after` of the next page" }),
    by_severity: nullable(SeverityCounts).openapi({
      description: "All matches of any severity; null with `count=false`",
    }),
    unacknowledged_count: z.int().nullable().openapi({
      description: "All matches that nobody took note of; null with `count=false`",
    }),
    data: z.array(Anomaly),
    anomalies: z.array(Anomaly).openapi({ description: "The same as `data`" }),
  }).openapi("AnomalyList"),
);

const AnomalySummary = z.object({
  config_id: z.int(),
  window_days: z.int(),
  date_from: z.iso.date().nullable(),
  date_to: z.iso.date().nullable(),
  total: z.int(),
  by_severity: SeverityCounts,
  by_type: TypeCounts,
  unacknowledged: z.int(),
  critical_count: z.int(),
  last_detected_at: z.iso.datetime().nullable(),
}).openapi("AnomalySummary");

const luckFields = {
  entity_days: z.int().openapi({
    description: "The entities that could be tested, each once a day",
  }),
  alarms: z.int().openapi({ description: "What the searches raised, open or closed since" }),
  expected_by_luck: z.number().openapi({
    description: "How many alarms they raise on shuffled days of this account, on average. Past " +
      "faults are shuffled along and count, a level that slowly moves does not",
  }),
  share: z.number().nullable().openapi({
    description: "The share of luck in the alarms, `expected_by_luck` by `alarms`, 0 to 1; null " +
      "where there are no alarms",
  }),
};

const LuckByPlace = eachOf(Place, z.object(luckFields).openapi("Luck"));

const AnomalyLuck = z.object({
  config_id: z.int(),
  date_from: z.iso.date().nullable(),
  date_to: z.iso.date().nullable(),
  ...luckFields,
  by_entity_type: LuckByPlace,
}).openapi("AnomalyLuck");

const DetectBody = z.object({
  config_id: ConfigId,
  entity_type: EntityTypeParameter,
  entity_ids: z.array(EntityId).nullish().openapi({
    description: "Only anomalies of these are told; looked for are those of the whole level",
  }),
  days: integer(1, 7).default(1).openapi({ description: "How many days to `as_of` to look at" }),
  history_days: integer(7, 180).default(30).openapi({
    description: "How many days before those they are compared with",
  }),
  as_of: Day.nullish().openapi({
    description: "The last day that counts; yesterday in the account's time zone",
  }),
}).openapi("DetectRequest");

const DetectAnswer = z.object({
  config_id: z.int(),
  as_of: z.iso.date(),
  detected_count: z.int(),
  anomalies: z.array(Anomaly),
}).openapi("DetectAnswer");

/** The body by which somebody takes note. */
export const noteBody = z.object({
  user_id: RowId,
  notes: text(2000, 0).nullish(),
}).openapi("Note");

const period = {
  days: integer(1, 30).default(7).openapi({
    description: "How many days to yesterday, where no date is given (7)",
  }),
  date_from: Day.optional().openapi({ description: "By the day that stands out" }),
  date_to: Day.optional(),
  start_date: Day.optional().openapi({ description: "Older name of `date_from`" }),
  end_date: Day.optional().openapi({ description: "Older name of `date_to`" }),
};

const tags = ["Anomalies"];

const listRoute = createRoute({
  method: "get",
  path: "/",
  summary: "What stood out, newest first",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      entity_type: EntityTypeParameter,
      entity_id: EntityId.optional(),
      campaign_id: EntityId.optional().openapi({ description: "Older name of `entity_id`" }),
      severity: SeverityName.optional(),
      anomaly_type: AnomalyTypeName.optional(),
      type: AnomalyTypeName.optional().openapi({ description: "Older name of `anomaly_type`" }),
      acknowledged: flag.optional(),
      is_acknowledged: flag.optional().openapi({ description: "The same as `acknowledged`" }),
      status: StatusName.optional(),
      ...period,
      ...pagingParameters,
      after: RowId.optional().openapi({ description: "The `next_after` of the page before" }),
    }),
  },
  responses: { 200: AnomalyList.answer("One page"), ...errorAnswers(400, 404) },
});

const summaryRoute = createRoute({
  method: "get",
  path: "/summary",
  summary: "What stood out, summed up over all levels",
  tags,
  request: {
    query: z.object({ ...accountParameters, entity_type: EntityType.optional(), ...period }),
  },
  responses: { 200: answer("The sums", AnomalySummary), ...errorAnswers(400, 404) },
});

const luckRoute = createRoute({
  method: "get",
  path: "/luck",
  summary: "How many of the alarms are luck",
  tags,
  request: { query: z.object({ ...accountParameters, entity_type: Place.optional(), ...period }) },
  responses: { 200: answer("The sums", AnomalyLuck), ...errorAnswers(400, 404) },
});

const detectRoute = createRoute({
  method: "post",
  path: "/detect",
  summary: "Look for what stands out on a level",
  tags,
  request: { body: jsonBody(DetectBody) },
  responses: {
    200: answer("What is stored for these days", DetectAnswer),
    202: answer("It takes longer and goes on", RunStarted),
    ...errorAnswers(400, 404, 413),
  },
});

const acknowledgeRoute = createRoute({
  method: "post",
  path: "/{id}/acknowledge",
  summary: "Take note of an anomaly, which closes it",
  tags,
  request: { params: z.object({ id: RowId }), body: jsonBody(noteBody) },
  responses: {
    200: answer(
      "Noted; again changes nothing",
      z.object({ status: z.literal("acknowledged"), anomaly_id: z.int() })
        .openapi("AnomalyAcknowledged"),
    ),
    ...errorAnswers(400, 404, 413),
  },
});

/** The routes under `/anomalies`. */
export function anomalyRoutes({ ask, startRun, now, runPatienceMs }: Surroundings) {
  const router = createRouter();

  router.openapi(listRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const account = await requireAccount(sql, query);
      const page = pageOf(query);
      const filter = {
        configId: account.config_id,
        entityType: query.entity_type,
        entityId: query.entity_id ?? query.campaign_id,
        type: query.anomaly_type ?? query.type,
        isAcknowledged: query.acknowledged ?? query.is_acknowledged,
        status: query.status,
        ...daysOf(account, query),
      };
      const rows = await db.listAnomalies(sql, { ...filter, severity: query.severity }, {
        ...page,
        after: query.after,
      });
      const counts = query.count ? await db.countAnomalies(sql, filter) : null;
      const matching = counts?.filter(({ severity }) =>
        query.severity === undefined || severity === query.severity
      );
      return AnomalyList.respond(c, {
        config_id: account.config_id,
        total: matching ? totalOf(matching) : null,
        ...pageNumbers(page),
        next_after: rows.length === page.limit ? rows.at(-1)?.id ?? null : null,
        by_severity: counts && bySeverity(counts),
        unacknowledged_count: matching
          ? totalOf(matching.filter((count) => !count.is_acknowledged))
          : null,
      }, rows.map(presentAnomaly));
    }));

  router.openapi(summaryRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const account = await requireAccount(sql, query);
      const days = daysOf(account, query);
      const counts = await db.countAnomalies(sql, {
        configId: account.config_id,
        entityType: query.entity_type,
        ...days,
      });
      const lastAt = counts.map((count) => count.last_detected_at.toISOString()).sort().at(-1);
      return c.json({
        config_id: account.config_id,
        window_days: query.days,
        date_from: days.from ?? null,
        date_to: days.to ?? null,
        total: totalOf(counts),
        by_severity: bySeverity(counts),
        by_type: TypeCounts.parse(Object.fromEntries(ANOMALY_TYPES.map((type) => [
          type,
          totalOf(counts.filter(({ anomaly_type }) => anomaly_type === type)),
        ]))),
        unacknowledged: totalOf(counts.filter((count) => !count.is_acknowledged)),
        critical_count: totalOf(counts.filter(({ severity }) => severity === "CRITICAL")),
        last_detected_at: lastAt ?? null,
      }, 200);
    }));

  router.openapi(luckRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const account = await requireAccount(sql, query);
      const days = daysOf(account, query);
      const rows = await db.sumLuck(sql, {
        configId: account.config_id,
        entityType: query.entity_type,
        ...days,
      });
      return c.json({
        config_id: account.config_id,
        date_from: days.from ?? null,
        date_to: days.to ?? null,
        ...luckOf(rows),
        by_entity_type: LuckByPlace.parse(Object.fromEntries(Place.options.map((place) => [
          place,
          luckOf(rows.filter(({ entity_type }) => entity_type === place)),
        ]))),
      }, 200);
    }));

  router.openapi(detectRoute, async (c) => {
    const body = c.req.valid("json");
    const subject = await ask(c, (sql) => subjectOf(sql, body));
    const run = await startRun(anomalies, { ...subject, now: now() });
    if (!await endsInTime(run, runPatienceMs)) {
      return c.json({ run_id: run.id, status: "running" as const }, 202);
    }
    const { configId, entityType, asOf, days, entityIds } = subject;
    const rows = await ask(c, (sql) =>
      db.listAnomalies(sql, {
        configId,
        entityType,
        from: addDays(asOf, 1 - days),
        to: asOf,
      }, { limit: ROWS_MAX, offset: 0 }));
    const told = rows.filter(({ entity_id }) => !entityIds || entityIds.includes(entity_id));
    return c.json({
      config_id: configId,
      as_of: asOf,
      detected_count: told.length,
      anomalies: told.map(presentAnomaly),
    }, 200);
  });

  router.openapi(acknowledgeRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { user_id: userId, notes } = c.req.valid("json");
    const found = await ask(
      c,
      (sql) => db.acknowledgeAnomaly(sql, { id, userId, notes: notes || null, at: now() }),
    );
    if (!found) throw new Refusal("not_found", `There is no anomaly ${id}`);
    return c.json({ status: "acknowledged" as const, anomaly_id: id }, 200);
  });
  return router;

  async function subjectOf(sql: Queries, body: z.output<typeof DetectBody>) {
    const account = await requireAccount(sql, body);
    const asOf = completeDay(account, body.as_of, now());
    const entityIds = body.entity_ids?.length ? [...new Set(body.entity_ids)] : undefined;
    if (entityIds) await requireEntities(sql, account.config_id, body.entity_type, entityIds);
    return {
      configId: account.config_id,
      entityType: body.entity_type,
      asOf,
      entityIds,
      days: body.days,
      historyDays: body.history_days,
    };
  }

  function daysOf(account: Account, query: z.output<z.ZodObject<typeof period>>) {
    const from = query.date_from ?? query.start_date;
    const to = query.date_to ?? query.end_date;
    if (from && to && from > to) throw wrongParameter("date_from", "is after date_to");
    if (from || to) return { from, to };
    const yesterday = yesterdayIn(account.time_zone, now());
    return { from: addDays(yesterday, 1 - query.days), to: undefined };
  }
}

/** More than a person could read; a level with more of them in a week is no level to answer for. */
const ROWS_MAX = 10_000;

function totalOf(counts: Pick<db.AnomalyCount, "count">[]): number {
  return sum(counts.map(({ count }) => count));
}

function bySeverity(counts: db.AnomalyCount[]) {
  const by = { LOW: 0, MEDIUM: 0, HIGH: 0, CRITICAL: 0 };
  for (const { severity, count } of counts) by[severity] += count;
  return by;
}

function luckOf(rows: db.LuckSum[]) {
  const total = (read: (row: db.LuckSum) => number) => sum(rows.map(read));
  const alarms = total((row) => row.alarms);
  const expected = total((row) => row.expected_by_luck);
  return {
    entity_days: total((row) => row.entity_days),
    alarms,
    expected_by_luck: expected,
    share: alarms > 0 ? Math.min(expected / alarms, 1) : null,
  };
}

/** A stored anomaly as clients see it. */
export function presentAnomaly(row: db.Anomaly): z.input<typeof Anomaly> {
  return {
    ...row,
    type: row.anomaly_type,
    current_value: row.observed_value,
    baseline_value: row.expected_value,
    is_acknowledged: row.acknowledged_at !== null,
    acknowledged_at: row.acknowledged_at?.toISOString() ?? null,
    detected_at: row.detected_at.toISOString(),
  };
}
