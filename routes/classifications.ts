/** Tiers: their history, the newest ones, sums, and making new ones. */
import { createRoute, z } from "@hono/zod-openapi";
import { sum } from "simple-statistics";
import { LEVEL_FACTS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import { countsByTier, TIERS } from "../core/tiers.ts";
import * as db from "../db/classifications.ts";
import type { Queries } from "../db/connect.ts";
import { classification } from "../jobs/classification.ts";
import { completeDay, requireAccount } from "./accounts.ts";
import { errorAnswers } from "./errors.ts";
import { endsInTime, RunStarted } from "./jobs.ts";
import { listOf } from "./lists.ts";
import {
  accountParameters,
  ConfigId,
  Day,
  decimal,
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
  timeOf,
} from "./parameters.ts";
import { requireEntities } from "./selection.ts";
import {
  answer,
  createRouter,
  eachOf,
  jsonBody,
  nullable,
  type Surroundings,
  writtenAnswer,
} from "./router.ts";
import type { Written } from "./shared_answers.ts";

const TOP_ITEMS = 5;
const DAY_MS = 86_400_000;

const LABELS = {
  HIGH_PERFORMER: "GOOD",
  MODERATE: "OK",
  LOW: "BAD",
  UNDERPERFORMER: "BAD",
} as const;

/** A tier, as a parameter and in answers. */
export const TierName = z.enum(TIERS).openapi("Tier");
const Label = z.enum(["GOOD", "OK", "BAD"]).openapi("ClassificationLabel");
/** A number for each tier. */
export const TierCounts = eachOf(TierName, z.int()).openapi("TierCounts");

/** One classification of an entity. */
export const Classification = z.object({
  id: z.int(),
  config_id: z.int(),
  entity_type: EntityType,
  entity_id: z.string(),
  entity_name: z.string().nullable(),
  parent_id: z.string().nullable(),
  campaign_id: z.string().nullable(),
  campaign_name: z.string().nullable(),
  tier: TierName,
  classification_label: Label,
  confidence_score: z.number().min(0).max(1).openapi({
    description: "The probability that the entity's true CPL is in this tier",
  }),
  tier_probabilities: eachOf(TierName, z.number()).nullable(),
  metrics_snapshot: z.looseObject({
    cpl_7d: z.number().nullable(),
    ctr_7d: z.number().nullable(),
    leads_7d: z.number(),
    spend_7d: z.number(),
    cpl_trend: z.number().nullable(),
    avg_cpl_reference: z.number().nullable(),
  }),
  feature_importances: z.record(z.string(), z.unknown()).nullable(),
  model_version: z.string(),
  previous_tier: nullable(TierName),
  tier_change_direction: z.enum(["improved", "declined", "stable"]).nullable(),
  as_of: z.iso.date(),
  classified_at: z.iso.datetime(),
  valid_until: z.iso.datetime(),
  generated_at: z.iso.datetime().openapi({ description: "The same as `classified_at`" }),
  window_days: z.int(),
}).openapi("Classification");

/** A page of the history. */
export const ClassificationList = listOf(
  "classifications",
  z.object({
    config_id: z.int(),
    total: z.int().nullable().openapi({ description: "All matches; null with `count=false`" }),
    page: z.int(),
    page_size: z.int(),
    next_after: z.int().nullable().openapi({
      description: "The `after` of the next page, null on the last one",
    }),
    by_tier: nullable(TierCounts).openapi({
      description: "All matches of any tier; null with `count=false`",
    }),
    data: z.array(Classification),
    classifications: z.array(Classification).openapi({ description: "The same as `data`" }),
  }).openapi("ClassificationList"),
);

/** The newest classifications, summed up. */
export const ClassificationSummary = z.object({
  config_id: z.int(),
  window_days: z.int(),
  date_from: z.iso.datetime().nullable(),
  date_to: z.iso.datetime().nullable(),
  total_campaigns: z.int().openapi({ description: "The same as `total`, on every level" }),
  total: z.int(),
  by_tier: TierCounts,
  by_label: eachOf(Label, z.int()),
  average_confidence: z.number().openapi({ description: "0 where nothing is classified" }),
  recent_changes: z.int().openapi({ description: "How many improved or declined" }),
  last_classification_at: z.iso.datetime().nullable(),
  last_classification: z.iso.datetime().nullable(),
  top_items: z.array(Classification).openapi({ description: "The best ones, the surest first" }),
}).openapi("ClassificationSummary");

const ClassifyBody = z.object({
  config_id: ConfigId,
  entity_type: EntityTypeParameter,
  entity_ids: z.array(EntityId).nullish().openapi({
    description: "Without any, all active entities of the level",
  }),
  campaign_ids: z.array(EntityId).nullish().openapi({ description: "Older name of `entity_ids`" }),
  force_reclassify: flag.nullish().openapi({
    type: ["boolean", "null"],
    description: "Classify anew what is still valid",
  }),
  as_of: Day.nullish().openapi({
    description: "The last day that counts; yesterday in the account's time zone",
  }),
}).openapi("ClassifyRequest");

/** What was classified on demand. */
export const ClassifyAnswer = z.object({
  config_id: z.int(),
  as_of: z.iso.date(),
  classified_count: z.int().openapi({ description: "How many are in `classifications`" }),
  classifications: z.array(Classification),
}).openapi("ClassifyAnswer");

const tags = ["Classifications"];

const matching = {
  entity_type: EntityTypeParameter,
  date_from: InstantFrom.optional(),
  date_to: InstantTo.optional(),
};

const listQuery = z.object({
  ...accountParameters,
  ...matching,
  entity_id: EntityId.optional(),
  campaign_id: EntityId.optional().openapi({ description: "Older name of `entity_id`" }),
  tier: TierName.optional(),
  min_confidence: decimal(0, 1).optional(),
  ...pagingParameters,
  after: RowId.optional().openapi({
    description: "The `next_after` of the page before: as quick on the last page as on the first",
  }),
});

function listRoute(path: string) {
  return createRoute({
    method: "get",
    path,
    summary: "The history of tiers, newest first",
    tags,
    request: { query: listQuery },
    responses: { 200: ClassificationList.answer("One page"), ...errorAnswers(400, 404) },
  });
}

const newestRoute = createRoute({
  method: "get",
  path: "/campaigns/{campaign_id}",
  summary: "The newest tier of a campaign",
  tags,
  request: { params: z.object({ campaign_id: EntityId }), query: z.object(accountParameters) },
  responses: { 200: answer("The newest one", Classification), ...errorAnswers(400, 404) },
});

const summaryRoute = createRoute({
  method: "get",
  path: "/summary",
  summary: "The newest tier of each entity in a time, summed up",
  tags,
  request: {
    query: z.object({
      ...accountParameters,
      ...matching,
      window_days: integer(1, 30).default(7).openapi({
        description: "How many days back, where no date is given (7)",
      }),
    }),
  },
  responses: { 200: writtenAnswer("The sums", ClassificationSummary), ...errorAnswers(400, 404) },
});

function classifyRoute(path: string) {
  return createRoute({
    method: "post",
    path,
    summary: "Classify entities of one level",
    tags,
    request: { body: jsonBody(ClassifyBody) },
    responses: {
      200: answer("The new classifications, and those that are still valid", ClassifyAnswer),
      202: answer("It takes longer and goes on", RunStarted),
      ...errorAnswers(400, 404, 413),
    },
  });
}

/** The routes under `/classifications`, but feedback. */
export function classificationRoutes({ ask, share, startRun, now, runPatienceMs }: Surroundings) {
  const router = createRouter();

  for (const path of ["/", "/campaigns"]) {
    router.openapi(
      listRoute(path),
      (c) => share(c, (sql) => list(sql, c.req.valid("query"))),
    );
  }
  for (const path of ["/classify", "/campaigns/classify"]) {
    router.openapi(
      classifyRoute(path),
      async (c) => {
        const body = c.req.valid("json");
        const subject = await ask(c, (sql) => subjectOf(sql, body));
        const run = await startRun(classification, {
          ...subject,
          force: body.force_reclassify ?? false,
          now: now(),
        });
        const isDone = await endsInTime(run, runPatienceMs);
        return isDone
          ? c.json(await ask(c, (sql) => classified(sql, subject)), 200)
          : c.json({ run_id: run.id, status: "running" as const }, 202);
      },
    );
  }
  router.openapi(
    summaryRoute,
    (c) => share(c, (sql) => summarize(sql, c.req.valid("query"))),
  );
  router.openapi(newestRoute, (c) =>
    ask(c, async (sql) => {
      const { config_id: configId } = await requireAccount(sql, c.req.valid("query"));
      const entityId = c.req.valid("param").campaign_id;
      const [newest] = await db.latestClassifications(sql, {
        configId,
        entityType: "campaign",
        entityIds: [entityId],
      });
      if (!newest) throw new Refusal("not_found", `There is no classification of "${entityId}"`);
      return c.json(present(newest), 200);
    }));
  return router;

  async function list(sql: Queries, query: z.output<typeof listQuery>): Promise<Written> {
    const page = pageOf(query);
    const filter = {
      configId: await accountNumber(sql, query),
      entityType: query.entity_type,
      entityId: query.entity_id ?? query.campaign_id,
      minConfidence: query.min_confidence,
      ...timeOf(query),
    };
    const [rows, counts] = await Promise.all([
      db.listClassifications(sql, { ...filter, tier: query.tier }, { ...page, after: query.after }),
      query.count ? db.countClassifications(sql, filter) : null,
    ]);
    // A row proves that its account exists, so only who gets none waits for another query.
    if (rows.length === 0) await requireAccount(sql, { config_id: filter.configId });
    const byTier = counts && countsByTier(counts);
    const json = ClassificationList.write({
      config_id: filter.configId,
      total: byTier && (query.tier ? byTier[query.tier] : sum(Object.values(byTier))),
      ...pageNumbers(page),
      next_after: rows.length === page.limit ? rows.at(-1)?.id ?? null : null,
      by_tier: byTier,
    }, rows.map(present));
    return { json, until: Infinity };
  }

  async function summarize(
    sql: Queries,
    query: z.output<typeof summaryRoute.request.query>,
  ): Promise<Written> {
    const configId = await accountNumber(sql, query);
    const { entity_type: entityType } = query;
    const time = timeOf(query);
    const windowMs = time.from || time.before ? null : query.window_days * DAY_MS;
    if (windowMs !== null) time.from = new Date(now().getTime() - windowMs);
    const tiers = await db.summarizeClassifications(
      sql,
      { configId, entityType, ...time },
      TOP_ITEMS,
    );
    if (tiers.length === 0) await requireAccount(sql, { config_id: configId });
    const ids = TIERS.flatMap((tier) => tiers.find((sums) => sums.tier === tier)?.top_ids ?? [])
      .slice(0, TOP_ITEMS);
    const top = await db.findClassifications(sql, { configId, entityType, ids });
    const byTier = countsByTier(tiers);
    const total = sum(Object.values(byTier));
    const firstAt = Math.min(...tiers.map((tier) => tier.first_classified_at.getTime()));
    const lastAt = tiers.map((tier) => tier.last_classified_at.toISOString()).sort().at(-1) ?? null;
    const summary: z.input<typeof ClassificationSummary> = {
      config_id: configId,
      window_days: query.window_days,
      date_from: query.date_from?.toISOString() ?? null,
      date_to: query.date_to?.toISOString() ?? null,
      total_campaigns: total,
      total,
      by_tier: byTier,
      by_label: {
        GOOD: byTier.HIGH_PERFORMER,
        OK: byTier.MODERATE,
        BAD: byTier.LOW + byTier.UNDERPERFORMER,
      },
      average_confidence: total === 0 ? 0 : sum(tiers.map((tier) => tier.confidence_sum)) / total,
      recent_changes: sum(tiers.map((tier) => tier.changes)),
      last_classification_at: lastAt,
      last_classification: lastAt,
      top_items: top.map(present),
    };
    return {
      json: JSON.stringify(summary),
      // The last days move on, and leave the oldest row behind.
      until: windowMs === null ? Infinity : firstAt + windowMs,
    };
  }

  /** The number of the account, looked up only where it is not given alone. */
  async function accountNumber(
    sql: Queries,
    query: { config_id?: number; ad_account_id?: string },
  ): Promise<number> {
    const { config_id, ad_account_id } = query;
    if (config_id !== undefined && ad_account_id === undefined) return config_id;
    return (await requireAccount(sql, query)).config_id;
  }

  /** What a request wants to be classified. */
  async function subjectOf(sql: Queries, body: z.output<typeof ClassifyBody>) {
    const account = await requireAccount(sql, body);
    const configId = account.config_id;
    const entityType = body.entity_type;
    const asOf = completeDay(account, body.as_of, now());
    const given = [...new Set([...body.entity_ids ?? [], ...body.campaign_ids ?? []])];
    const entityIds = given.length > 0 ? given : undefined;
    if (entityIds) await requireEntities(sql, configId, entityType, entityIds);
    return { configId, entityType, asOf, entityIds };
  }

  async function classified(
    sql: Queries,
    { configId, entityType, asOf, entityIds }: Awaited<ReturnType<typeof subjectOf>>,
  ): Promise<z.input<typeof ClassifyAnswer>> {
    const rows = await db.validClassifications(sql, {
      configId,
      entityType,
      asOf,
      entityIds,
      at: now(),
    });
    if (entityIds?.length === 1 && rows.length === 0) {
      throw new Refusal(
        "not_found",
        `There is too little data to classify the ${LEVEL_FACTS[entityType].one} "${entityIds[0]}"`,
      );
    }
    return {
      config_id: configId,
      as_of: asOf,
      classified_count: rows.length,
      classifications: rows.map(present),
    };
  }
}

/** A stored classification as clients see it. */
export function present(row: db.Classification): z.input<typeof Classification> {
  const classifiedAt = row.classified_at.toISOString();
  return {
    id: row.id,
    config_id: row.config_id,
    entity_type: row.entity_type,
    entity_id: row.entity_id,
    entity_name: row.entity_name,
    parent_id: row.parent_id,
    campaign_id: row.campaign_id,
    campaign_name: row.campaign_name,
    tier: row.tier,
    classification_label: LABELS[row.tier],
    confidence_score: row.confidence_score,
    tier_probabilities: row.tier_probabilities,
    metrics_snapshot: {
      cpl_7d: null,
      ctr_7d: null,
      leads_7d: 0,
      spend_7d: 0,
      cpl_trend: null,
      avg_cpl_reference: null,
      ...row.metrics_snapshot,
    },
    feature_importances: row.feature_importances,
    model_version: row.model_version,
    previous_tier: row.previous_tier,
    tier_change_direction: row.tier_change_direction,
    as_of: row.as_of,
    classified_at: classifiedAt,
    valid_until: row.valid_until.toISOString(),
    generated_at: classifiedAt,
    window_days: row.window_days,
  };
}
