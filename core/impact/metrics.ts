/** The numbers that a change may move, each as events in units of exposure. */
import type { Sums } from "../drivers.ts";
import { isDelivered, type Member } from "./history.ts";

/** What is measured. The first one decides. */
export const IMPACT_METRICS = ["cpl", "leads", "ctr", "conversion_rate", "spend"] as const;

/** One of them. */
export type ImpactMetric = typeof IMPACT_METRICS[number];

/** How a metric is counted. */
type Counting = {
  events: (day: Sums) => number;
  /** What the events are counted in; null where it is the day itself. */
  exposure: ((day: Sums) => number) | null;
  /** Whether the events come late. */
  isLate: boolean;
  /** Whether fewer events by exposure make the metric grow: CPL is spend by leads. */
  isInverse: boolean;
};

const COUNTINGS: Record<ImpactMetric, Counting> = {
  cpl: {
    events: ({ leads }) => leads,
    exposure: ({ spend }) => spend,
    isLate: true,
    isInverse: true,
  },
  leads: { events: ({ leads }) => leads, exposure: null, isLate: true, isInverse: false },
  ctr: {
    events: ({ clicks }) => clicks,
    exposure: ({ impressions }) => impressions,
    isLate: false,
    isInverse: false,
  },
  conversion_rate: {
    events: ({ leads }) => leads,
    exposure: ({ clicks }) => clicks,
    isLate: true,
    isInverse: false,
  },
  spend: { events: ({ spend }) => spend, exposure: null, isLate: false, isInverse: false },
};

/** Whether a metric grows when its events by exposure become fewer. */
export function isInverse(metric: ImpactMetric): boolean {
  return COUNTINGS[metric].isInverse;
}

/** The value of a metric, null where it has none. CTR and conversion rate are in percent. */
export function valueOf(
  metric: ImpactMetric,
  { events, plain }: { events: number; plain: number },
  part: number,
): number | null {
  const [above, below] = isInverse(metric) ? [plain, events] : [events * part, plain];
  if (below === 0) return null;
  return (isVolume(metric) || isInverse(metric) ? 1 : 100) * above / below;
}

/** Whether a metric is an amount of a day, and no rate. */
export function isVolume(metric: ImpactMetric): boolean {
  return COUNTINGS[metric].exposure === null;
}

/** What a metric counts, day by day. */
export type Counts = { events: Float64Array; exposure: Float64Array };

/**
 * Money is no count: cut into so many parts a day it is one whose chance is beside the point, and how
 * much days differ is learned like that of counts.
 */
const PARTS_OF_MONEY = 1000;

/**
 * The counts of all members, and how much one event is in the unit of the metric.
 *
 * @param completeness How many of a day's leads are known, by day.
 * @param changeDay From it on, a day without delivery is one of which nothing came; before it, one
 * before an entity began, or after it ended, is none.
 */
export function countsOf(
  metric: ImpactMetric,
  members: readonly Member[],
  completeness: (day: number) => number,
  changeDay: number,
): { counts: Counts[]; part: number; isLate: boolean } {
  const { events, exposure, isLate } = COUNTINGS[metric];
  const part = metric === "spend" ? typicalSpend(members) / PARTS_OF_MONEY : 1;
  const counts = members.map(({ days }) => {
    const first = days.findIndex(isDelivered);
    const last = days.findLastIndex(isDelivered);
    return {
      events: Float64Array.from(days, (day) => day ? events(day) / part : 0),
      exposure: Float64Array.from(days, (day, index) => {
        const known = isLate ? completeness(index) : 1;
        if (exposure) return day ? known * exposure(day) : 0;
        return index >= changeDay || index >= first && index <= last ? known : 0;
      }),
    };
  });
  return { counts, part, isLate };
}

function typicalSpend(members: readonly Member[]): number {
  let spend = 0;
  let days = 0;
  for (const member of members) {
    for (const day of member.days) {
      if (!isDelivered(day)) continue;
      spend += day.spend;
      days += 1;
    }
  }
  return spend > 0 ? spend / days : 1;
}
