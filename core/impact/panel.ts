/** Histories cut into weeks before the change and the window after it. */
import { type Counts, countsOf, type ImpactMetric } from "./metrics.ts";
import { isDelivered, type Member, type Span } from "./history.ts";
import { weekdayFactors } from "./weekdays.ts";

/** What was counted over some days. */
export type Block = {
  events: number;
  /** What they are counted in, as far as its events are known by now. */
  plain: number;
  /** The same with the weekdays in it, so that blocks of any days can be compared. */
  exposure: number;
  /** 1 by the number of days where all weigh alike, and 1 where one day has it all. */
  concentration: number;
};

/** A member in its place among the others. */
export type Row = {
  entityId: string;
  /** The number of its parent. */
  group: number;
  /** The weeks before the change, the oldest first. */
  weeks: Block[];
  after: Block;
  /** Whether it is compared with: unchanged, and delivering in both windows. */
  isControl: boolean;
};

/** All that is known of a metric; the first row is the entity on which the change is measured. */
export type Panel = {
  rows: Row[];
  groups: number;
  daysAfter: number;
  /** How much one event is in the unit of the metric. */
  part: number;
  /** Relative variance of what everybody's events after the change are known to miss. */
  lateness: number;
  /** The window before, its weekdays weighted as they are after. */
  before: Block;
};

/** How many of a day's leads are known by now, and how few they may be where that is not known. */
export type Known = { share: (day: number) => number; atWorst: (day: number) => number };

/**
 * Cuts histories into blocks. The weeks count back from the day of the change.
 *
 * @param members The measured entity first.
 * @param windowBefore A control has to deliver in so many days before the change, too.
 */
export function panelOf(
  metric: ImpactMetric,
  members: readonly Member[],
  { changeDay, lastDay }: Span,
  { windowBefore, known }: {
    windowBefore: number;
    known: Known;
  },
): Panel {
  const { counts, part, isLate } = countsOf(metric, members, known.share, changeDay);
  const factors = weekdayFactors(counts, changeDay);
  const groups = new Map<string | null, number>();
  const weeks = Math.ceil(changeDay / 7);
  const rows = members.map((member, index): Row => {
    const own = counts[index] ?? { events: new Float64Array(), exposure: new Float64Array() };
    const group = groups.get(member.parentId) ?? groups.size;
    groups.set(member.parentId, group);
    const delivered = (from: number, to: number) => member.days.slice(from, to).some(isDelivered);
    return {
      entityId: member.entityId,
      group,
      weeks: Array.from({ length: weeks }, (_, week) => {
        const end = changeDay - 7 * (weeks - 1 - week);
        return blockOf(own, daysFrom(Math.max(end - 7, 0), end), factors);
      }),
      after: blockOf(own, daysFrom(changeDay + 1, lastDay + 1), factors),
      isControl: index > 0 && !member.isChanged &&
        delivered(Math.max(changeDay - windowBefore, 0), changeDay) &&
        delivered(changeDay + 1, lastDay + 1),
    };
  });
  const [subject] = counts;
  const daysAfter = lastDay - changeDay;
  const before = matchedDays(Math.max(changeDay - windowBefore, 0), changeDay, daysAfter);
  return {
    rows,
    groups: groups.size,
    daysAfter,
    part,
    lateness: isLate ? latenessOf(daysFrom(changeDay + 1, lastDay + 1), known) : 0,
    before: subject ? blockOf(subject, before, NO_WEEKDAYS) : NOTHING,
  };
}

/** A block in which nothing was delivered. */
export const NOTHING: Block = { events: 0, plain: 0, exposure: 0, concentration: 1 };

const NO_WEEKDAYS = [1, 1, 1, 1, 1, 1, 1];

/** A day of a block, and how often it counts. */
type Part = { day: number; weight: number };

function daysFrom(from: number, to: number): Part[] {
  return Array.from({ length: Math.max(to - from, 0) }, (_, index) => ({
    day: from + index,
    weight: 1,
  }));
}

/**
 * The days before a change, each weekday weighing as it does in the window after. Where none of a
 * weekday is among them, the others stand for it.
 */
function matchedDays(from: number, changeDay: number, daysAfter: number): Part[] {
  const count = (days: Part[]) => {
    const counts = [0, 0, 0, 0, 0, 0, 0];
    for (const { day } of days) counts[day % 7] = (counts[day % 7] ?? 0) + 1;
    return counts;
  };
  const days = daysFrom(from, changeDay);
  const before = count(days);
  const after = count(daysFrom(changeDay + 1, changeDay + 1 + daysAfter));
  const matched = days.map(({ day }) => ({
    day,
    weight: (after[day % 7] ?? 0) / Math.max(before[day % 7] ?? 0, 1),
  }));
  return matched.some(({ weight }) => weight > 0) ? matched : days;
}

/** The variance of a share that lies anywhere between what it seems to be and its worst. */
function latenessOf(days: Part[], { share, atWorst }: Known): number {
  // Of a day of which nothing is known by now, nothing is counted, and nothing is missing.
  const known = days.filter(({ day }) => share(day) > 0);
  const missing = known.reduce((sum, { day }) => sum + 1 - atWorst(day) / share(day), 0);
  return (missing / Math.max(known.length, 1)) ** 2 / 12;
}

function blockOf({ events, exposure }: Counts, days: Part[], factors: number[]): Block {
  const block = { events: 0, plain: 0, exposure: 0 };
  let squares = 0;
  for (const { day, weight } of days) {
    const plain = weight * (exposure[day] ?? 0);
    const own = plain * (factors[day % 7] ?? 1);
    block.events += weight * (events[day] ?? 0);
    block.plain += plain;
    block.exposure += own;
    squares += own * own;
  }
  return { ...block, concentration: block.exposure > 0 ? squares / block.exposure ** 2 : 1 };
}
