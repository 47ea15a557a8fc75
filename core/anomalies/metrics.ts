/** What is watched of an entity, and how each metric is read off a day. */
import type { Day } from "./history.ts";

/** Quantities that vary by a factor: they are compared on a log scale. */
export const AMOUNTS = ["spend", "impressions", "frequency"] as const;

/** Events per exposure: they are compared as counts. The CPL is leads per spend, upside down. */
export const RATES = ["ctr", "cpl", "conversion_rate"] as const;

/** A quantity such as spend. */
export type Amount = (typeof AMOUNTS)[number];

/** A number of events given an exposure. */
export type Rate = (typeof RATES)[number];

/** A metric that an anomaly can be of. */
export type Metric = Amount | Rate;

/** An amount of a day, 0 where there was none, null where it is not known. */
export function amountOf(amount: Amount, day: Day | null | undefined): number | null {
  if (amount !== "frequency") return day?.[amount] ?? 0;
  return day?.reach ? day.impressions / day.reach : null;
}

/** The events of a rate on a day. */
export function eventsOf(rate: Rate, day: Day | null | undefined): number {
  return day?.[rate === "ctr" ? "clicks" : "leads"] ?? 0;
}

/** What the events of a rate on a day came from. */
export function exposureOf(rate: Rate, day: Day | null | undefined): number {
  return day?.[rate === "ctr" ? "impressions" : rate === "cpl" ? "spend" : "clicks"] ?? 0;
}

/** Whether an entity was shown on a day. */
export function delivered(day: Day | null | undefined): boolean {
  return (day?.impressions ?? 0) > 0;
}
