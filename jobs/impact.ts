/** Says what changes did: reads the histories around one, measures it, and stores it with its advice. */
import {
  analyzeChange,
  type Control,
  DECIDING_METRIC,
  type ImpactVerdict,
  type MetricChange,
} from "../core/impact/analyze.ts";
import {
  type ChangeType,
  changeTypeOf,
  type MeasuredLevel,
  measuredLevel,
} from "../core/impact/change.ts";
import { HISTORY_WEEKS, type Member } from "../core/impact/history.ts";
import { impactAdvice, impactSentence, missingSentence } from "../core/impact/sentence.ts";
import { addDays, daysBetween } from "../core/days.ts";
import { LEVEL_FACTS } from "../core/level.ts";
import { Refusal } from "../core/refusal.ts";
import { accountSettings } from "../db/accounts.ts";
import { accountHistory, leadCompleteness } from "../db/anomaly_job.ts";
import type { Queries, Transaction } from "../db/connect.ts";
import { type Entity, findEntities } from "../db/entities.ts";
import {
  type DueChange,
  dueChanges,
  impactMembers,
  type NewImpact,
  storeImpacts,
} from "../db/impact.ts";
import type { Task, TaskRequest } from "./task.ts";

/** Changes whenever the same data would give another effect. */
const MODEL_VERSION = "levels-2";

/** How many days after a recommendation was applied it is measured. */
export const MEASURED_AFTER = [7, 14] as const;

/** The longest window that can be asked for. */
export const WINDOW_MAX = 30;

/** How long after its time a recommendation is still measured, where no service ran. */
const PATIENCE_DAYS = 30;

/** What a run did. */
export type ImpactCounts = {
  asOf: string;
  /** Windows of applied recommendations that were over. */
  read: number;
  /** Those with a verdict, and the others. */
  measured: number;
  insufficient: number;
};

/** The task that measures what applied recommendations of a level did. */
export const impact: Task<ImpactCounts> = {
  name: "impact",
  version: MODEL_VERSION,
  waitsFor: [],
  recomputes: true,
  schedule: { campaign: "15 8 * * *", adset: "20 8 * * *", ad: "25 8 * * *" },
  run: measureApplied,
};

async function measureApplied(
  transaction: Transaction,
  { configId, entityType, asOf, entityIds, force = false, now, signal }: TaskRequest,
): Promise<ImpactCounts> {
  const counts = { asOf, read: 0, measured: 0, insufficient: 0 };
  for (const windowDays of MEASURED_AFTER) {
    const due = await dueChanges(transaction, {
      configId,
      entityType,
      asOf,
      windowDays,
      patienceDays: PATIENCE_DAYS,
      entityIds,
      again: force,
    });
    const ids = [...new Set(due.map(({ entity_id }) => entity_id))];
    const entities = new Map(
      (await findEntities(transaction, configId, entityType, ids))
        .map((entity) => [entity.entity_id, entity]),
    );
    const impacts: NewImpact[] = [];
    for (const change of due) {
      signal.throwIfAborted();
      const entity = entities.get(change.entity_id);
      const changeType = changeTypeOf(change.recommendation_type);
      if (!entity || changeType === null) continue;
      const measurement = await measureChange(transaction, entity, {
        changeType,
        changeDate: change.change_date,
        windowBefore: windowDays,
        windowAfter: windowDays,
        asOf,
      });
      impacts.push(toStore(change, windowDays, changeType, measurement));
    }
    counts.read += impacts.length;
    counts.measured += impacts.filter(({ verdict }) => verdict !== null).length;
    await storeImpacts(
      transaction,
      { configId, entityType, at: now, modelVersion: MODEL_VERSION },
      impacts,
    );
  }
  counts.insufficient = counts.read - counts.measured;
  return counts;
}

function toStore(
  change: DueChange,
  windowDays: number,
  changeType: ChangeType,
  measurement: Measurement | Unmeasured,
): NewImpact {
  const told = { ...change, window_days: windowDays, change_type: changeType };
  if ("missing" in measurement) {
    return {
      ...told,
      as_of: measurement.lastDay,
      missing: measurement.missing,
      measured_type: null,
      measured_id: null,
      verdict: null,
      sentence: null,
      advice: null,
      cpl_pct_change: null,
      cpl_low: null,
      cpl_high: null,
      p_value: null,
      metrics: null,
      control: null,
    };
  }
  const { measured, verdict, sentence, advice, metrics, control, lastDay } = measurement;
  const cpl = metrics.find(({ metric }) => metric === DECIDING_METRIC);
  return {
    ...told,
    as_of: lastDay,
    missing: null,
    measured_type: measured.entityType,
    measured_id: measured.entityId,
    verdict,
    sentence,
    advice,
    cpl_pct_change: cpl?.pct_change ?? null,
    cpl_low: cpl?.interval.low ?? null,
    cpl_high: cpl?.interval.high ?? null,
    p_value: cpl?.p_value ?? null,
    metrics,
    control,
  };
}

/** A change that is to be measured. */
export type Change = {
  changeType: ChangeType;
  changeDate: string;
  windowBefore: number;
  windowAfter: number;
  /** The last day that counts. */
  asOf: string;
};

/** What a change did. */
export type Measurement = {
  measured: { entityType: MeasuredLevel; entityId: string; name: string };
  /** The last day that was compared. */
  lastDay: string;
  verdict: ImpactVerdict;
  metrics: MetricChange[];
  control: Control;
  sentence: string;
  advice: string;
};

/** Why it cannot be said. */
export type Unmeasured = { missing: string; lastDay: string };

/** Measures what a change of an entity did. */
export async function measureChange(
  sql: Queries,
  entity: Entity,
  { changeType, changeDate, windowBefore, windowAfter, asOf }: Change,
): Promise<Measurement | Unmeasured> {
  const configId = entity.config_id;
  const wholeWindow = addDays(changeDate, windowAfter);
  const lastDay = wholeWindow < asOf ? wholeWindow : asOf;
  const from = addDays(changeDate, -7 * HISTORY_WEEKS);
  if (lastDay <= changeDate) {
    return { missing: "There is too little data: no day is complete since the change", lastDay };
  }
  const measured = await measuredEntity(sql, entity, changeType);
  const members = await membersOf(sql, configId, measured, {
    from,
    asOf: lastDay,
    windowFrom: addDays(changeDate, -windowBefore),
  });
  const { shares, atWorst } = await leadCompleteness(sql, { configId, asOf: lastDay });
  const settings = await accountSettings(sql, configId);
  const lastIndex = daysBetween(from, lastDay);
  const smallPercent = settings.impact.small_percent;
  const share = (day: number) => shares[lastIndex - day] ?? 1;
  const impact = analyzeChange({
    members,
    changeDay: daysBetween(from, changeDate),
    lastDay: lastIndex,
    windowBefore,
    known: {
      share,
      atWorst: (day) => atWorst?.[lastIndex - day] ?? share(day),
    },
    smallPercent,
  });
  if ("missing" in impact) {
    return { missing: missingSentence(impact.missing, measured), lastDay };
  }
  const subject = {
    changed: { entityType: entity.entity_type, name: entity.name },
    measured,
    changeType,
    smallPercent,
  };
  const days = daysBetween(changeDate, lastDay);
  const later = days < WINDOW_MAX ? addDays(changeDate, Math.min(2 * days, WINDOW_MAX)) : null;
  return {
    measured,
    lastDay,
    ...impact,
    sentence: impactSentence(impact, subject),
    advice: impactAdvice(impact.verdict, changeType, later),
  };
}

type MeasuredOn = Measurement["measured"] & { parentId: string | null };

/** The entity on which a change shows: itself, or what is above it. */
async function measuredEntity(
  sql: Queries,
  entity: Entity,
  changeType: ChangeType,
): Promise<MeasuredOn> {
  const level = measuredLevel(entity.entity_type, changeType);
  if (level === "account") {
    const entityId = String(entity.config_id);
    return { entityType: level, entityId, name: "the account", parentId: null };
  }
  const [found] = level === entity.entity_type || entity.parent_id === null
    ? [entity]
    : await findEntities(sql, entity.config_id, level, [entity.parent_id]);
  if (!found) {
    throw new Refusal(
      "not_found",
      `There is no ${LEVEL_FACTS[level].one} "${entity.parent_id}" above it to measure it on`,
    );
  }
  return {
    entityType: found.entity_type,
    entityId: found.entity_id,
    name: found.name,
    parentId: found.parent_id,
  };
}

async function membersOf(
  sql: Queries,
  configId: number,
  { entityType, entityId, parentId }: MeasuredOn,
  days: { from: string; asOf: string; windowFrom: string },
): Promise<Member[]> {
  if (entityType !== "account") {
    return await impactMembers(sql, { configId, entityType, entityId, parentId, ...days });
  }
  const history = await accountHistory(sql, { configId, ...days });
  return [{ entityId, parentId, isChanged: true, days: history.days }];
}
