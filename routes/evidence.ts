/** What is known about an entity's true rates: posteriors as means and intervals. */
import { z } from "@hono/zod-openapi";
import { cplInterval, cplMean, cplMedian, rateInterval } from "../core/evidence.ts";
import type { Evidence as EvidenceRow } from "../db/entities.ts";
import { nullable } from "./router.ts";

const Interval = z.object({
  low: z.number(),
  high: z.number().nullable().openapi({ description: "Null where there is no upper bound" }),
}).openapi("Interval");

const Estimate = z.object({
  mean: z.number().nullable().openapi({
    description: "The posterior mean, null where there is too little evidence for one",
  }),
  median: z.number().nullable().openapi({ description: "Of the CPL only" }),
  interval_80: Interval,
  interval_95: Interval,
  events: z.number().openapi({ description: "Own leads or clicks, recent days weighing more" }),
  exposure: z.number().openapi({
    description: "What they came from: spend, impressions or clicks, recent days weighing more",
  }),
  alpha: z.number().openapi({ description: "Of the posterior: events" }),
  beta: z.number().openapi({ description: "Of the posterior: exposure" }),
  prior_alpha: z.number().openapi({ description: "Of the prior, which comes from the parent" }),
  prior_beta: z.number(),
}).openapi("Estimate");

/** What is known about the rates of an entity, null where nothing is. */
export const Evidence = z.object({
  cpl: nullable(Estimate).openapi({ description: "Cost per lead, in the account's currency" }),
  ctr: nullable(Estimate).openapi({ description: "Percent" }),
  conversion_rate: nullable(Estimate).openapi({ description: "Percent" }),
}).openapi("Evidence");

/** The evidence about one entity as clients see it. */
export function presentEvidence(rows: EvidenceRow[]): z.input<typeof Evidence> {
  const estimateOf = (metric: EvidenceRow["metric"]) => {
    const row = rows.find((each) => each.metric === metric);
    return row && row.alpha > 0 && row.beta > 0 ? presentEstimate(row) : null;
  };
  return {
    cpl: estimateOf("cpl"),
    ctr: estimateOf("ctr"),
    conversion_rate: estimateOf("conversion_rate"),
  };
}

function presentEstimate(row: EvidenceRow): z.input<typeof Estimate> {
  const { events, exposure, alpha, beta, prior_alpha, prior_beta } = row;
  const known = { events, exposure, alpha, beta, prior_alpha, prior_beta };
  if (row.metric === "cpl") {
    const interval = (probability: number) => {
      const { low, high } = cplInterval(row, probability);
      return { low, high: finite(high) };
    };
    return {
      mean: cplMean(row),
      median: finite(cplMedian(row)),
      interval_80: interval(0.8),
      interval_95: interval(0.95),
      ...known,
    };
  }
  const interval = (probability: number) => {
    const { low, high } = rateInterval(row, probability);
    return { low: 100 * low, high: 100 * high };
  };
  return {
    mean: 100 * alpha / beta,
    median: null,
    interval_80: interval(0.8),
    interval_95: interval(0.95),
    ...known,
  };
}

/** A CPL has no upper bound where next to nothing is known. */
function finite(value: number): number | null {
  return Number.isFinite(value) ? value : null;
}
