/** What a change did to the cost per lead, the leads, the CTR and the spend. */
import { createRoute, z } from "@hono/zod-openapi";
import { VERDICTS } from "../core/impact/analyze.ts";
import { CHANGE_TYPES } from "../core/impact/change.ts";
import { IMPACT_METRICS } from "../core/impact/metrics.ts";
import { HISTORY_WEEKS } from "../core/impact/history.ts";
import { LEVELS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import { measureChange, WINDOW_MAX } from "../jobs/impact.ts";
import { completeDay, requireAccount } from "./accounts.ts";
import { errorAnswers } from "./errors.ts";
import { ConfigId, Day, EntityId, EntityType, integer } from "./parameters.ts";
import { answer, createRouter, jsonBody, type Surroundings } from "./router.ts";
import { requireEntity } from "./selection.ts";

const WINDOW = 7;
const WINDOW_MIN = 3;

/** An interval of percent. */
const Percents = z.object({ low: z.number(), high: z.number() }).openapi("PercentInterval");

/** What a change did to one metric. */
export const MetricChange = z.object({
  metric: z.enum(IMPACT_METRICS).openapi({ description: "`leads` and `spend` are of a day" }),
  before: z.number().nullable().openapi({
    description:
      "Over `window_before`, its weekdays weighted as after; CTR and conversion rate in " +
      "percent",
  }),
  after: z.number().nullable(),
  expected: z.number().openapi({ description: "What it would have been after without the change" }),
  pct_change: z.number().openapi({ description: "Of `expected`; of a CPL below 0 is cheaper" }),
  interval: Percents.openapi({ description: "Holds the true `pct_change`, 95 % sure" }),
  p_value: z.number().min(0).max(1).openapi({
    description: "Two-sided: how often so much would come about by itself",
  }),
  adjusted_p_value: z.number().min(0).max(1).openapi({
    description:
      "The CPL, which decides, and spend are tested alone; the others together (Holm 1979)",
  }),
  is_significant: z.boolean().openapi({ description: "`adjusted_p_value` is below 0.05" }),
  confidence: z.number().min(0).max(1).openapi({ description: "1 - `p_value`" }),
  effect_size: z.number().openapi({
    description: "The change of the logarithm, in standard deviations of a day",
  }),
}).openapi("MetricChange");

/** Who a change was compared with. */
export const ImpactControl = z.object({
  kind: z.enum(["siblings", "account", "none"]).openapi({
    description:
      "The nearest that were not changed. With `none`, the interval is as wide as what " +
      "the weeks before usually did",
  }),
  siblings: z.int(),
  others: z.int().openapi({ description: "Of the level, below other parents" }),
  pct_change: z.number().openapi({ description: "Of their CPL, since the weeks before" }),
  interval: Percents.openapi({ description: "Holds the true `pct_change`, 95 % sure" }),
}).openapi("ImpactControl");

/** What a change did. */
export const ImpactAnalysis = z.object({
  config_id: z.int(),
  entity_type: EntityType,
  entity_id: z.string(),
  change_date: z.iso.date(),
  change_type: z.enum(CHANGE_TYPES),
  overall_impact: z.enum(VERDICTS).openapi({
    description: "By the CPL: `positive` is cheaper, `negative` dearer, `neutral` shown to have " +
      "changed little, `inconclusive` that it cannot be told",
  }),
  sentence: z.string(),
  recommendation: z.string().openapi({ description: "What to do" }),
  metric_changes: z.array(MetricChange).openapi({
    description: "The CPL first; a metric without anything to count is left out",
  }),
  control: ImpactControl,
  measured_type: z.enum(["account", ...LEVELS]).openapi({
    description: "What was measured: what was paused or started delivers nothing on one side, so " +
      "what is above it was",
  }),
  measured_id: z.string(),
  window_before: z.int(),
  window_after: z.int(),
  as_of: z.iso.date().openapi({ description: "The last day that counted" }),
  analyzed_at: z.iso.datetime(),
}).openapi("ImpactAnalysis");

const window = (side: string) =>
  integer(WINDOW_MIN, WINDOW_MAX).default(WINDOW).openapi({
    description: `Days ${side} the change (${WINDOW})`,
  });

const AnalyzeBody = z.object({
  config_id: ConfigId,
  entity_type: EntityType,
  entity_id: EntityId,
  change_date: Day.openapi({ description: "It counts on neither side" }),
  change_type: z.enum(CHANGE_TYPES),
  window_before: window("before"),
  window_after: window("after"),
  as_of: Day.nullish().openapi({
    description: "The last day that counts; yesterday in the account's time zone",
  }),
}).openapi("AnalyzeImpactRequest");

const analyzeRoute = createRoute({
  method: "post",
  path: "/analyze",
  summary: "What a change did to CPL, leads, CTR, conversion rate and spend",
  description: `What came after is compared with what would have come without the change: from up to
${HISTORY_WEEKS} weeks before, and from how siblings moved that were not changed. Where the days after
are not all over yet, those that are count.`,
  tags: ["Impact"],
  request: { body: jsonBody(AnalyzeBody) },
  responses: {
    200: answer("The effect, and how sure it is", ImpactAnalysis),
    ...errorAnswers(400, 404, 413),
  },
});

/** The routes under `/impact`. */
export function impactRoutes({ ask, now }: Surroundings) {
  return createRouter().openapi(analyzeRoute, (c) =>
    ask(c, async (sql) => {
      const body = c.req.valid("json");
      const account = await requireAccount(sql, body);
      const asOf = completeDay(account, body.as_of, now());
      const level = body.entity_type;
      const entity = await requireEntity(sql, account.config_id, level, body.entity_id);
      const found = await measureChange(sql, entity, {
        changeType: body.change_type,
        changeDate: body.change_date,
        windowBefore: body.window_before,
        windowAfter: body.window_after,
        asOf,
      });
      if ("missing" in found) throw new Refusal("not_found", found.missing);
      return c.json({
        config_id: account.config_id,
        entity_type: level,
        entity_id: body.entity_id,
        change_date: body.change_date,
        change_type: body.change_type,
        overall_impact: found.verdict,
        sentence: found.sentence,
        recommendation: found.advice,
        metric_changes: found.metrics,
        control: found.control,
        measured_type: found.measured.entityType,
        measured_id: found.measured.entityId,
        window_before: body.window_before,
        window_after: body.window_after,
        as_of: found.lastDay,
        analyzed_at: now().toISOString(),
      }, 200);
    }));
}
