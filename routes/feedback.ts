/** What people say about tiers. */
import { createRoute, z } from "@hono/zod-openapi";
import { sum } from "simple-statistics";
import { LEVEL_FACTS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import { countsByTier } from "../core/tiers.ts";
import { countFeedback, insertFeedback } from "../db/feedback.ts";
import { requireAccount } from "./accounts.ts";
import { TierCounts, TierName } from "./classifications.ts";
import { errorAnswers, wrongParameter } from "./errors.ts";
import { ConfigId, EntityType, RowId, text } from "./parameters.ts";
import { answer, createRouter, jsonBody, type Surroundings } from "./router.ts";

const FeedbackAnswer = z.object({
  id: z.int(),
  classification_id: z.int(),
  entity_id: z.string(),
  entity_type: EntityType,
  original_tier: TierName,
  correct_tier: TierName,
  message: z.string(),
}).openapi("Feedback");

const FeedbackStats = z.object({
  config_id: z.int(),
  total_feedbacks: z.int(),
  by_original_tier: TierCounts,
  by_correct_tier: TierCounts,
  corrections: z.int().openapi({ description: "Feedback that gives another tier" }),
  correction_rate: z.number().nullable().openapi({
    description: "Corrections / feedback, 0 to 1; null without feedback",
  }),
}).openapi("FeedbackStats");

const tags = ["Feedback"];

const feedbackRoute = createRoute({
  method: "post",
  path: "/",
  summary: "Confirm or correct a tier",
  tags,
  request: {
    query: z.object({ user_id: RowId.optional() }),
    body: jsonBody(
      z.object({
        classification_id: RowId,
        correct_tier: TierName,
        reason: text(500, 0).nullish(),
        user_id: RowId.nullish().openapi({
          type: ["integer", "null"],
          description: "Required here or as a parameter",
        }),
      }).openapi("FeedbackRequest"),
    ),
  },
  responses: { 200: answer("What was stored", FeedbackAnswer), ...errorAnswers(400, 404, 413) },
});

const statsRoute = createRoute({
  method: "get",
  path: "/stats",
  summary: "How often people correct tiers",
  tags,
  request: { query: z.object({ config_id: ConfigId }) },
  responses: { 200: answer("The counts", FeedbackStats), ...errorAnswers(400, 404) },
});

/** The routes under `/classifications/feedback`. */
export function feedbackRoutes({ ask }: Surroundings) {
  return createRouter()
    .openapi(feedbackRoute, async (c) => {
      const body = c.req.valid("json");
      const userId = c.req.valid("query").user_id ?? body.user_id;
      if (!userId) throw wrongParameter("user_id", "required, in the body or as a parameter");
      const feedback = await ask(c, (sql) =>
        insertFeedback(sql, {
          classificationId: body.classification_id,
          correctTier: body.correct_tier,
          reason: body.reason || null,
          userId,
        }));
      if (!feedback) {
        throw new Refusal("not_found", `There is no classification ${body.classification_id}`);
      }
      const { original_tier: original, correct_tier: correct } = feedback;
      const what = `the ${LEVEL_FACTS[feedback.entity_type].one} is ${correct}`;
      return c.json({
        id: feedback.id,
        classification_id: feedback.classification_id,
        entity_id: feedback.entity_id,
        entity_type: feedback.entity_type,
        original_tier: original,
        correct_tier: correct,
        message: original === correct ? `Confirmed: ${what}` : `Noted: ${what}, not ${original}`,
      }, 200);
    })
    .openapi(statsRoute, async (c) => {
      const { config_id } = c.req.valid("query");
      const counts = await ask(c, async (sql) => {
        await requireAccount(sql, { config_id });
        return await countFeedback(sql, config_id);
      });
      const total = sum(counts.map((row) => row.count));
      const corrected = counts.filter((row) => row.original_tier !== row.correct_tier);
      const corrections = sum(corrected.map((row) => row.count));
      return c.json({
        config_id,
        total_feedbacks: total,
        by_original_tier: countsByTier(
          counts.map(({ original_tier, count }) => ({ tier: original_tier, count })),
        ),
        by_correct_tier: countsByTier(
          counts.map(({ correct_tier, count }) => ({ tier: correct_tier, count })),
        ),
        corrections,
        correction_rate: total === 0 ? null : corrections / total,
      }, 200);
    });
}
