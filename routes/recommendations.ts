/** What to do: recommendations, making new ones, and what people did with them. */
import { createRoute, z } from "@hono/zod-openapi";
import { sum } from "simple-statistics";
import { VERDICTS } from "../core/impact/analyze.ts";
import { CHANGE_TYPES } from "../core/impact/change.ts";
import { LEVEL_FACTS, LEVELS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import { RECOMMENDATION_TYPES } from "../core/rules/rules.ts";
import type { Queries } from "../db/connect.ts";
import * as db from "../db/recommendations.ts";
import { recommendations } from "../jobs/recommendations.ts";
import { completeDay, requireAccount } from "./accounts.ts";
import { errorAnswers } from "./errors.ts";
import { ImpactControl, MetricChange } from "./impact.ts";
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
  InstantFrom,
  InstantTo,
  integer,
  pageNumbers,
  pageOf,
  pagingParameters,
  RowId,
  text,
  timeOf,
} from "./parameters.ts";
import { answer, createRouter, eachOf, jsonBody, nullable, type Surroundings } from "./router.ts";
import { requireEntities } from "./selection.ts";

const TOP_ITEMS = 5;
const DAY_MS = 86_400_000;
const ROWS_MAX = 10_000;
/** From these priorities on, the levels of the page and of older clients. */
const HIGH_PRIORITY = 7;
const MEDIUM_PRIORITY = 4;

const TypeName = z.enum(RECOMMENDATION_TYPES).openapi("RecommendationType");
const StatusName = z.enum(db.RECOMMENDATION_STATUSES).openapi("RecommendationStatus");
const TypeCounts = eachOf(TypeName, z.int()).openapi("RecommendationTypeCounts");
const StatusCounts = eachOf(StatusName, z.int());

const RecommendationImpact = z.object({
  window_days: z.int(),
  change_type: z.enum(CHANGE_TYPES),
  change_date: z.iso.date(),
  as_of: z.iso.date().openapi({ description: "The last day that counted" }),
  measured_type: z.enum(["account", ...LEVELS]).nullable(),
  measured_id: z.string().nullable(),
  verdict: z.enum(VERDICTS).nullable().openapi({
    description: "By the CPL; null where too little was delivered, as `missing` says",
  }),
  missing: z.string().nullable(),
  sentence: z.string().nullable(),
  advice: z.string().nullable(),
  metrics: nullable(z.array(MetricChange)),
  control: nullable(ImpactControl),
}).openapi("RecommendationImpact");

/** One recommendation. */
export const Recommendation = z.object({
  id: z.int(),
  config_id: z.int(),
  entity_type: EntityType,
  entity_id: z.string(),
  entity_name: z.string().nullable(),
  parent_id: z.string().nullable(),
  campaign_id: z.string().nullable(),
  campaign_name: z.string().nullable(),
  recommendation_type: TypeName,
  action_type: TypeName.openapi({ description: "The same as `recommendation_type`" }),
  priority: z.int().min(1).max(10),
  priority_level: z.enum(["HIGH", "MED", "LOW"]),
  title: z.string(),
  description: z.string(),
  suggested_action: z.record(z.string(), z.unknown()).nullable().openapi({
    description: "`{field, change_type, change_value, ...}` or `{action, recommendations, ...}`, " +
      "with the target and the expected effect in a week, 80 % sure",
  }),
  confidence_score: z.number().min(0).max(1).openapi({
    description: "The posterior probability of `reasoning.claim`",
  }),
  reasoning: z.record(z.string(), z.unknown()).openapi({
    description: "Every number that the rule compared, and what it claims",
  }),
  reason_code: z.string().openapi({ description: "The rule" }),
  explain: z.record(z.string(), z.unknown()).openapi({ description: "The same as `reasoning`" }),
  is_active: z.boolean(),
  was_applied: z.boolean(),
  applied_at: z.iso.datetime().nullable(),
  applied_by: z.int().nullable(),
  applied_notes: z.string().nullable(),
  dismissed: z.boolean(),
  dismissed_at: z.iso.datetime().nullable(),
  dismissed_by: z.int().nullable(),
  dismissed_reason: z.string().nullable(),
  superseded_at: z.iso.datetime().nullable(),
  superseded_because: z.enum(["refuted", "renewed"]).nullable().openapi({
    description: "`refuted`: its claim had become improbable; `renewed`: by newer advice",
  }),
  impact: nullable(z.array(RecommendationImpact)).openapi({
    description: "What it did 7 and 14 days after it was applied; null until that is measured",
  }),
  status: StatusName.openapi({ description: "One that was superseded counts as `expired`" }),
  as_of: z.iso.date(),
  created_at: z.iso.datetime(),
  expires_at: z.iso.datetime().nullable(),
}).openapi("Recommendation");

/** A page of recommendations. */
export const RecommendationList = listOf(
  "recommendations",
  z.object({
    config_id: z.int(),
    total: z.int().nullable().openapi({ description: "All matches; null with `count=false`" }),
    page: z.int(),
    page_size: z.int(),
    next_after: z.int().nullable().openapi({ description: "The `after` of the next page" }),
    by_type: z.union([TypeCounts, z.null()]).openapi({
      description: "All matches of any type; null with `count=false`",
    }),
    data: z.array(Recommendation),
    recommendations: z.array(Recommendation).openapi({ description: "The same as `data`" }),
  }).openapi("RecommendationList"),
);

const RecommendationSummary = z.object({
  config_id: z.int(),
  window_days: z.int(),
  date_from: z.iso.datetime().nullable(),
  date_to: z.iso.datetime().nullable(),
  total: z.int().openapi({ description: "The same as `total_active`" }),
  total_active: z.int().openapi({ description: "Open ones, whenever they were made" }),
  by_type: TypeCounts.openapi({ description: "Of the open ones" }),
  by_action: TypeCounts.openapi({ description: "The same as `by_type`" }),
  by_priority: z.object({ high: z.int(), medium: z.int(), low: z.int() }).openapi({
    description: `Of the open ones: from ${HIGH_PRIORITY}, from ${MEDIUM_PRIORITY}, and below`,
  }),
  high_priority_count: z.int(),
  by_status: StatusCounts.openapi({ description: "Of those made in the window" }),
  applied_last_7_days: z.int(),
  dismissed_last_7_days: z.int(),
  last_generated_at: z.iso.datetime().nullable(),
  top_items: z.array(Recommendation).openapi({ description: "The most urgent open ones" }),
}).openapi("RecommendationSummary");

const GenerateBody = z.object({
  config_id: ConfigId,
  entity_type: EntityTypeParameter,
  entity_ids: z.array(EntityId).nullish().openapi({
    description: "Without any, all entities of the level",
  }),
  force_refresh: flag.nullish().openapi({
    type: ["boolean", "null"],
    description: "Replace open recommendations of earlier days",
  }),
  as_of: Day.nullish().openapi({
    description: "The last day that counts; yesterday in the account's time zone",
  }),
}).openapi("GenerateRecommendationsRequest");

const GenerateAnswer = z.object({
  config_id: z.int(),
  as_of: z.iso.date(),
  generated_count: z.int(),
  recommendations: z.array(Recommendation).openapi({ description: "Only the new ones" }),
}).openapi("GenerateRecommendationsAnswer");

const tags = ["Recommendations"];

const windowParameters = {
  date_from: InstantFrom.optional(),
  date_to: InstantTo.optional(),
};

const listRoute = createRoute({
  method: "get",
  path: "/",
  summary: "What to do, the most urgent first",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      entity_type: EntityTypeParameter,
      entity_id: EntityId.optional(),
      campaign_id: EntityId.optional().openapi({
        description: "The campaign, or what belongs to it",
      }),
      recommendation_type: TypeName.optional(),
      type: TypeName.optional().openapi({ description: "Older name of `recommendation_type`" }),
      status: StatusName.optional(),
      is_active: flag.optional(),
      priority_min: integer(1, 10).optional(),
      ...windowParameters,
      ...pagingParameters,
      after: RowId.optional().openapi({ description: "The `next_after` of the page before" }),
    }),
  },
  responses: { 200: RecommendationList.answer("One page"), ...errorAnswers(400, 404) },
});

const campaignRoute = createRoute({
  method: "get",
  path: "/campaign/{campaign_id}",
  summary: "What to do about a campaign",
  tags,
  request: {
    params: z.object({ campaign_id: EntityId }),
    query: z.object({
      config_id: ConfigId,
      entity_type: EntityTypeParameter.openapi({
        description: "The campaign itself (`campaign`, where it is not given), or what is in it",
      }),
      ...pagingParameters,
      after: RowId.optional().openapi({ description: "The `next_after` of the page before" }),
    }),
  },
  responses: { 200: RecommendationList.answer("The open ones"), ...errorAnswers(400, 404) },
});

const summaryRoute = createRoute({
  method: "get",
  path: "/summary",
  summary: "What to do, summed up over all levels",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      entity_type: EntityType.optional(),
      window_days: integer(1, 30).default(7).openapi({
        description: "How many days back, where no date is given (7)",
      }),
      ...windowParameters,
    }),
  },
  responses: { 200: answer("The sums", RecommendationSummary), ...errorAnswers(400, 404) },
});

const generateRoute = createRoute({
  method: "post",
  path: "/generate",
  summary: "Make new recommendations for a level",
  description:
    "An entity with an open recommendation is left alone unless `force_refresh` is set; " +
    "the same entity gets the same advice at most once a day.",
  tags,
  request: { body: jsonBody(GenerateBody) },
  responses: {
    200: answer("The new ones", GenerateAnswer),
    202: answer("It takes longer and goes on", RunStarted),
    ...errorAnswers(400, 404, 413),
  },
});

const applyRoute = createRoute({
  method: "post",
  path: "/{id}/apply",
  summary: "Note that somebody followed a recommendation",
  tags,
  request: {
    params: z.object({ id: RowId }),
    body: jsonBody(
      z.object({ user_id: RowId, notes: text(2000, 0).nullish() }).openapi("ApplyRequest"),
    ),
  },
  responses: {
    200: answer(
      "Noted; again changes nothing",
      z.object({ status: z.literal("applied"), recommendation_id: z.int() })
        .openapi("RecommendationApplied"),
    ),
    ...errorAnswers(400, 404, 409, 413),
  },
});

const dismissRoute = createRoute({
  method: "post",
  path: "/{id}/dismiss",
  summary: "Note that somebody does not want a recommendation",
  description: "The same advice stays away until it would have expired, unless the facts change " +
    "clearly.",
  tags,
  request: {
    params: z.object({ id: RowId }),
    body: jsonBody(
      z.object({ user_id: RowId, reason: text(2000, 0).nullish() }).openapi("DismissRequest"),
    ),
  },
  responses: {
    200: answer(
      "Noted; again changes nothing",
      z.object({ status: z.literal("dismissed"), recommendation_id: z.int() })
        .openapi("RecommendationDismissed"),
    ),
    ...errorAnswers(400, 404, 409, 413),
  },
});

/** The routes under `/recommendations`. */
export function recommendationRoutes({ ask, startRun, now, runPatienceMs }: Surroundings) {
  const router = createRouter();

  router.openapi(listRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const { config_id: configId } = await requireAccount(sql, query);
      return await respondPage(c, sql, query, {
        configId,
        entityType: query.entity_type,
        entityId: query.entity_id,
        campaignId: query.campaign_id,
        type: query.recommendation_type ?? query.type,
        status: query.status,
        isActive: query.is_active,
        priorityMin: query.priority_min,
        ...timeOf(query),
        at: now(),
      });
    }));

  router.openapi(campaignRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const { campaign_id: campaignId } = c.req.valid("param");
      const { config_id: configId } = await requireAccount(sql, query);
      await requireEntities(sql, configId, "campaign", [campaignId]);
      return await respondPage(c, sql, query, {
        configId,
        entityType: query.entity_type,
        campaignId,
        isActive: true,
        at: now(),
      });
    }));

  router.openapi(summaryRoute, (c) =>
    ask(c, async (sql) => {
      const query = c.req.valid("query");
      const { config_id: configId } = await requireAccount(sql, query);
      const at = now();
      const { from, before } = timeOf(query);
      const since = new Date(at.getTime() - query.window_days * DAY_MS);
      const of = { configId, entityType: query.entity_type, at };
      const open = await db.countRecommendations(sql, { ...of, isActive: true });
      const made = await db.countRecommendations(sql, {
        ...of,
        from: from ?? (before ? undefined : since),
        before,
      });
      const { applied, dismissed, last_generated_at } = await db.recommendationActivity(sql, {
        ...of,
        since: new Date(at.getTime() - 7 * DAY_MS),
      });
      const top = await db.listRecommendations(sql, { ...of, isActive: true }, {
        limit: TOP_ITEMS,
        offset: 0,
      });
      const ofPriority = (low: number, high: number) =>
        totalOf(open.filter(({ priority }) => priority >= low && priority < high));
      const high = ofPriority(HIGH_PRIORITY, Infinity);
      return c.json({
        config_id: configId,
        window_days: query.window_days,
        date_from: query.date_from?.toISOString() ?? null,
        date_to: query.date_to?.toISOString() ?? null,
        total: totalOf(open),
        total_active: totalOf(open),
        by_type: byType(open),
        by_action: byType(open),
        by_priority: {
          high,
          medium: ofPriority(MEDIUM_PRIORITY, HIGH_PRIORITY),
          low: ofPriority(-Infinity, MEDIUM_PRIORITY),
        },
        high_priority_count: high,
        by_status: StatusCounts.parse(Object.fromEntries(
          db.RECOMMENDATION_STATUSES.map((status) => [
            status,
            totalOf(made.filter((each) => each.status === status)),
          ]),
        )),
        applied_last_7_days: applied,
        dismissed_last_7_days: dismissed,
        last_generated_at: last_generated_at?.toISOString() ?? null,
        top_items: top.map(presentRecommendation),
      }, 200);
    }));

  router.openapi(generateRoute, async (c) => {
    const body = c.req.valid("json");
    const subject = await ask(c, (sql) => subjectOf(sql, body));
    const { configId, entityType, asOf, entityIds } = subject;
    const at = now();
    const run = await startRun(recommendations, {
      ...subject,
      force: body.force_refresh ?? false,
      now: at,
    });
    const counts = await endsInTime(run, runPatienceMs);
    if (!counts) return c.json({ run_id: run.id, status: "running" as const }, 202);
    const [only, ...more] = entityIds ?? [];
    if (only !== undefined && more.length === 0 && counts.decided === 0) {
      throw new Refusal(
        "not_found",
        `There is too little data to say anything of the ${LEVEL_FACTS[entityType].one} "${only}"`,
      );
    }
    const made = await ask(c, (sql) =>
      db.listRecommendations(sql, {
        configId,
        entityType,
        entityIds,
        from: at,
        before: new Date(at.getTime() + 1),
        at,
      }, { limit: ROWS_MAX, offset: 0 }));
    return c.json({
      config_id: configId,
      as_of: asOf,
      generated_count: made.length,
      recommendations: made.map(presentRecommendation),
    }, 200);
  });

  router.openapi(applyRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { user_id: userId, notes } = c.req.valid("json");
    await ask(
      c,
      (sql) => db.applyRecommendation(sql, { id, userId, words: notes || null, at: now() }),
    );
    return c.json({ status: "applied" as const, recommendation_id: id }, 200);
  });

  router.openapi(dismissRoute, async (c) => {
    const { id } = c.req.valid("param");
    const { user_id: userId, reason } = c.req.valid("json");
    await ask(
      c,
      (sql) => db.dismissRecommendation(sql, { id, userId, words: reason || null, at: now() }),
    );
    return c.json({ status: "dismissed" as const, recommendation_id: id }, 200);
  });
  return router;

  async function subjectOf(sql: Queries, body: z.output<typeof GenerateBody>) {
    const account = await requireAccount(sql, body);
    const asOf = completeDay(account, body.as_of, now());
    const entityIds = body.entity_ids?.length ? [...new Set(body.entity_ids)] : undefined;
    if (entityIds) await requireEntities(sql, account.config_id, body.entity_type, entityIds);
    return { configId: account.config_id, entityType: body.entity_type, asOf, entityIds };
  }
}

type PageQuery = Parameters<typeof pageOf>[0] & { count: boolean; after?: number };

async function respondPage(
  c: Parameters<typeof RecommendationList.respond>[0],
  sql: Queries,
  query: PageQuery,
  filter: db.RecommendationFilter,
): Promise<Response> {
  const page = pageOf(query);
  const rows = await db.listRecommendations(sql, filter, { ...page, after: query.after });
  const counts = query.count
    ? await db.countRecommendations(sql, { ...filter, type: undefined })
    : null;
  const ofType = counts?.filter(({ recommendation_type }) =>
    filter.type === undefined || recommendation_type === filter.type
  );
  return RecommendationList.respond(c, {
    config_id: filter.configId,
    total: ofType ? totalOf(ofType) : null,
    ...pageNumbers(page),
    next_after: rows.length === page.limit ? rows.at(-1)?.id ?? null : null,
    by_type: counts && byType(counts),
  }, rows.map(presentRecommendation));
}

function totalOf(counts: Pick<db.RecommendationCount, "count">[]): number {
  return sum(counts.map(({ count }) => count));
}

function byType(counts: db.RecommendationCount[]) {
  return TypeCounts.parse(Object.fromEntries(RECOMMENDATION_TYPES.map((type) => [
    type,
    totalOf(counts.filter(({ recommendation_type }) => recommendation_type === type)),
  ])));
}

/** A stored recommendation as clients see it. */
export function presentRecommendation(
  row: db.Recommendation,
): z.input<typeof Recommendation> {
  return {
    ...row,
    action_type: row.recommendation_type,
    priority_level: row.priority >= HIGH_PRIORITY
      ? "HIGH"
      : row.priority >= MEDIUM_PRIORITY
      ? "MED"
      : "LOW",
    explain: row.reasoning,
    is_active: row.status === "active",
    was_applied: row.status === "applied",
    applied_at: row.applied_at?.toISOString() ?? null,
    dismissed: row.status === "dismissed",
    dismissed_at: row.dismissed_at?.toISOString() ?? null,
    superseded_at: row.superseded_at?.toISOString() ?? null,
    created_at: row.created_at.toISOString(),
    expires_at: row.expires_at.toISOString(),
  };
}
