/** What searches for anomalies find in simulated accounts, and what they make up. */
import { DAYS_BEFORE } from "../jobs/anomalies.ts";
import { mean, quantileSorted, standardDeviation, sum } from "simple-statistics";
import type { AnomalyType } from "../core/anomalies/anomaly.ts";
import { testEntity } from "../core/anomalies/detect.ts";
import type { Day } from "../core/anomalies/history.ts";
import {
  continueIncidents,
  findIncidents,
  keyOf,
  type OpenIncident,
} from "../core/anomalies/incidents.ts";
import { startProfile } from "../core/anomalies/profile.ts";
import { type Luck, searchEntities } from "../core/anomalies/search.ts";
import { startSelection } from "../core/anomalies/select.ts";
import type { Branch, Place } from "../core/anomalies/tree.ts";
import { LEVELS } from "../core/level.ts";
import {
  type AnomalyScenario,
  dayOf,
  type Fault,
  type FaultKind,
  historyAt,
  isPartOf,
  type ReplayedAccount,
  SIMULATED_DAYS,
  type SimulatedEntity,
  simulateReplay,
  TESTED_DAYS,
} from "./anomaly_simulation.ts";
import type { Hits } from "./tier_accuracy.ts";

/** What is told of a day as one story. */
export type FoundIncident = {
  /** The same on consecutive days of one story. */
  id: string;
  /** The entity at which it is told. */
  cause: SimulatedEntity;
  alarms: { entity: SimulatedEntity; type: AnomalyType }[];
};

/** A search, started once for an account and then asked for one day after the other. */
export type Search = (account: ReplayedAccount) => (day: number) => FoundIncident[];

/** The rates of the table, leads a day of an entity. */
export const RATES = [0.5, 1, 2, 5, 15] as const;

/** What is asked of the shares of hits, but for the sampling error (`isWithin`). */
export const ASKED_OF_ANOMALIES = {
  falseAlarms: { low: 0, high: 0.002 },
  recall: { low: 0.88, high: 1 },
  precision: { low: 0.92, high: 1 },
  causes: { low: 0.9, high: 1 },
} as const;

/** A level or, above all, the account. */
export type SimulatedLevel = SimulatedEntity["entityType"];

/** Alarms raised on pure noise. */
export type FalseAlarms = {
  level: SimulatedLevel;
  /** The nearest of the rates, null for entities beyond all of them. */
  rate: number | null;
  entityDays: number;
  alarms: number;
  alarmedDays: number;
};

/** What a search makes of pure noise and of planted faults. */
export type AnomalyAccuracy = {
  falseAlarms: FalseAlarms[];
  /** Of the alarms on pure noise. */
  falseTypes: Map<string, number>;
  /** Faults that were found on the day on which they were due, or before. */
  recall: (Hits & { kind: FaultKind; level: SimulatedLevel })[];
  /** Faults that were found at any time, of those due. */
  foundAtAll: Hits;
  /** Alarms that were right, on days with a fault and on all days of accounts with faults. */
  faultDayPrecision: Hits;
  precision: Hits;
  /** Incidents that were right, on all days. */
  incidentPrecision: Hits;
  /** The wrong ones, by what was around them. */
  wrongAlarms: Map<string, number>;
  /** Incidents of several entities around a fault that name the entity with the fault. */
  causes: (Hits & { level: SimulatedLevel })[];
  /** Incidents that a found fault of several days was told as. */
  incidentsPerFault: Hits;
};

/** An account without faults, and the same one with faults. */
export type ReplayPair = { quiet: ReplayedAccount; faulty: ReplayedAccount };

/** Draws the two accounts of a seed. */
export function simulatePair(scenario: AnomalyScenario, seed: number): ReplayPair {
  return {
    quiet: simulateReplay(scenario, seed, { withFaults: false }),
    faulty: simulateReplay(scenario, seed, { withFaults: true }),
  };
}

/** Replays accounts day by day and compares what a search says with the truth. */
export function measureAnomalies(search: Search, pairs: ReplayPair[]): AnomalyAccuracy {
  const total = noAccuracy();
  for (const { quiet, faulty } of pairs) {
    countFalseAlarms(total, search, quiet);
    countFaults(total, search, faulty);
  }
  return total;
}

const TESTED = Array.from({ length: TESTED_DAYS }, (_, day) => SIMULATED_DAYS - TESTED_DAYS + day);

function noAccuracy(): AnomalyAccuracy {
  const none = () => ({ hits: 0, of: 0 });
  return {
    falseAlarms: [],
    falseTypes: new Map(),
    recall: [],
    foundAtAll: none(),
    faultDayPrecision: none(),
    precision: none(),
    incidentPrecision: none(),
    wrongAlarms: new Map(),
    causes: [],
    incidentsPerFault: none(),
  };
}

/** Adds up what was measured apart. */
export function poolAnomalyAccuracy(parts: AnomalyAccuracy[]): AnomalyAccuracy {
  const total = noAccuracy();
  for (const part of parts) {
    for (const { level, rate, entityDays, alarms, alarmedDays } of part.falseAlarms) {
      const sums = noisePart(total, level, rate);
      sums.entityDays += entityDays;
      sums.alarms += alarms;
      sums.alarmedDays += alarmedDays;
    }
    for (const { kind, level, ...hits } of part.recall) add(recallOf(total, kind, level), hits);
    for (const { level, ...hits } of part.causes) add(causesOf(total, level), hits);
    for (
      const name of [
        "foundAtAll",
        "faultDayPrecision",
        "precision",
        "incidentPrecision",
        "incidentsPerFault",
      ] as const
    ) add(total[name], part[name]);
    for (const name of ["falseTypes", "wrongAlarms"] as const) {
      for (const [key, count] of part[name]) increase(total[name], key, count);
    }
  }
  return total;
}

/** The sum of some hits. */
export function sumHits(parts: Hits[]): Hits {
  const total = { hits: 0, of: 0 };
  for (const part of parts) add(total, part);
  return total;
}

function add(total: Hits, { hits, of }: Hits): void {
  total.hits += hits;
  total.of += of;
}

function tally(hits: Hits, isHit: boolean): void {
  add(hits, { hits: Number(isHit), of: 1 });
}

function increase(counts: Map<string, number>, key: string, by = 1): void {
  counts.set(key, (counts.get(key) ?? 0) + by);
}

function noisePart(
  { falseAlarms }: AnomalyAccuracy,
  level: SimulatedLevel,
  rate: number | null,
): FalseAlarms {
  return findOrAdd(falseAlarms, (part) => part.level === level && part.rate === rate, {
    level,
    rate,
    entityDays: 0,
    alarms: 0,
    alarmedDays: 0,
  });
}

function recallOf({ recall }: AnomalyAccuracy, kind: FaultKind, level: SimulatedLevel) {
  return findOrAdd(recall, (part) => part.kind === kind && part.level === level, {
    kind,
    level,
    hits: 0,
    of: 0,
  });
}

function causesOf({ causes }: AnomalyAccuracy, level: SimulatedLevel) {
  return findOrAdd(causes, (part) => part.level === level, { level, hits: 0, of: 0 });
}

function findOrAdd<T>(items: T[], isIt: (item: T) => boolean, otherwise: T): T {
  const found = items.find(isIt);
  if (found === undefined) items.push(otherwise);
  return found ?? otherwise;
}

function countFalseAlarms(
  total: AnomalyAccuracy,
  search: Search,
  replayed: ReplayedAccount,
): void {
  const parts = new Map([replayed.account, ...replayed.entities].map((entity) => [
    entity,
    noisePart(total, entity.entityType, nearestRate(entity.leadsPerDay)),
  ]));
  const ask = search(replayed);
  for (const day of TESTED) {
    for (const [entity, part] of parts) {
      if (entity.days.slice(0, day).some((each) => each !== null)) part.entityDays += 1;
    }
    const alarmed = new Set<SimulatedEntity>();
    for (const { entity, type } of ask(day).flatMap(({ alarms }) => alarms)) {
      const part = parts.get(entity);
      if (part === undefined) throw new Error(`"${entity.entityId}" was never simulated`);
      part.alarms += 1;
      if (!alarmed.has(entity)) part.alarmedDays += 1;
      alarmed.add(entity);
      increase(total.falseTypes, `${entity.entityType} ${type}`);
    }
  }
}

/** The rate of the table that is nearest as a ratio, null for entities beyond all of them. */
function nearestRate(leadsPerDay: number): number | null {
  const distance = (rate: number) => Math.abs(Math.log(leadsPerDay / rate));
  const [nearest] = RATES.toSorted((a, b) => distance(a) - distance(b));
  return nearest !== undefined && distance(nearest) <= Math.log(2) ? nearest : null;
}

/** What a fault shows in, at its entity and below. */
const SHOWS_IN: Record<FaultKind, AnomalyType[]> = {
  "spend x3": ["spend_spike", "frequency_alert", "reach_saturation"],
  "spend x0.2": ["spend_drop"],
  "delivery stopped": ["zero_spend", "zero_impressions", "spend_drop"],
  "CTR x0.35": ["ctr_drop", "cpl_spike"],
  "CPL x4 by its cost": ["cpl_spike"],
  "CPL x4 by its leads": ["cpl_spike", "performance_drop", "tracking_break"],
  "conversion x0.3": ["performance_drop", "cpl_spike", "tracking_break"],
  "all spend x0.6": ["spend_drop"],
  "tracking broken": ["tracking_break", "performance_drop", "cpl_spike"],
};

function countFaults(total: AnomalyAccuracy, search: Search, replayed: ReplayedAccount): void {
  const ask = search(replayed);
  const found = new Map<Fault, { day: number; ids: Set<string> }>();
  for (const day of TESTED) {
    // Faults do not overlap.
    const fault = replayed.faults.find(({ from, to }) => from <= day && day <= to);
    for (const incident of ask(day)) {
      const isOfFault = fault !== undefined && isAbout(incident, fault);
      if (isOfFault) {
        const { ids } = found.getOrInsertComputed(fault, () => ({ day, ids: new Set() }));
        ids.add(incident.id);
      }
      const right = incident.alarms.map((alarm) => isOfFault && isRight(alarm, fault));
      tally(total.incidentPrecision, right.includes(true));
      incident.alarms.forEach((alarm, index) => {
        tally(total.precision, right[index] ?? false);
        if (fault) tally(total.faultDayPrecision, right[index] ?? false);
        if (!right[index]) {
          increase(total.wrongAlarms, describeWrong(alarm, day, replayed.faults));
        }
      });
      countCause(total, incident, fault);
    }
  }
  for (const fault of replayed.faults) {
    const { kind, entity, due, from, to } = fault;
    const story = found.get(fault);
    if (due !== null) {
      tally(recallOf(total, kind, entity.entityType), story !== undefined && story.day <= due);
      tally(total.foundAtAll, story !== undefined);
    }
    if (story && to > from) add(total.incidentsPerFault, { hits: story.ids.size, of: 1 });
  }
}

/** Whether an incident is told at the entity of a fault, or tells of it there. */
function isAbout({ cause, alarms }: FoundIncident, fault: Fault): boolean {
  return alarms.some((alarm) =>
    SHOWS_IN[fault.kind].includes(alarm.type) &&
    (alarm.entity === fault.entity || cause === fault.entity && isInLine(alarm.entity, cause))
  );
}

/**
 * Of an incident about the fault: what the fault shows in, at its entity and below. What it does to
 * a sum above also depends on how the parts differ, so there any type is right.
 */
function isRight({ entity, type }: FoundIncident["alarms"][number], fault: Fault): boolean {
  return isPartOf(entity, fault.entity)
    ? SHOWS_IN[fault.kind].includes(type)
    : isPartOf(fault.entity, entity);
}

function isInLine(entity: SimulatedEntity, other: SimulatedEntity): boolean {
  return isPartOf(entity, other) || isPartOf(other, entity);
}

/** Counts whether an incident that concerns more than the entity with the fault names that one. */
function countCause(
  total: AnomalyAccuracy,
  { cause, alarms }: FoundIncident,
  fault: Fault | undefined,
): void {
  if (fault === undefined) return;
  const concerned = alarms.filter(({ entity, type }) =>
    SHOWS_IN[fault.kind].includes(type) && isInLine(entity, fault.entity)
  );
  const isOfMany = concerned.some(({ entity }) => entity !== fault.entity);
  if (concerned.length > 0 && (isOfMany || cause !== fault.entity)) {
    tally(causesOf(total, fault.entity.entityType), cause === fault.entity);
  }
}

/** What a wrong alarm has to do with the faults of its account. */
function describeWrong(
  { entity, type }: FoundIncident["alarms"][number],
  day: number,
  faults: Fault[],
): string {
  const near = faults.find(({ from, to, entity: cause }) =>
    from <= day && day <= to + 7 && isInLine(entity, cause)
  );
  if (!near) return `${entity.entityType} ${type}, far from any fault`;
  const when = day > near.to ? "after" : "during";
  return `${entity.entityType} ${type}, ${when} ${near.kind} of ${near.entity.entityType}`;
}

/** How the job asks by default. */
const HISTORY_DAYS = 30;

/** With the tested day and the week before the history, from which the job lets levels settle. */
const DAYS_READ = DAYS_BEFORE + HISTORY_DAYS + 1;

/** What severities are measured by; nothing here depends on them. */
const DAILY_SPEND = 1000;

/** The search of this program, as its job makes it. */
export const ownSearch: Search = ({ account, entities, completeness }) => {
  const all = [account, ...entities];
  const byKey = new Map(all.map((entity) => [keyOf(entity.entityType, entity.entityId), entity]));
  let open: OpenIncident[] = [];
  let lastId = 0;
  return (day) => {
    const date = dayOf(day);
    const options = { asOf: date, historyDays: HISTORY_DAYS, daysToAnalyze: 1, completeness };
    const histories = new Map(
      all.map((entity) => [entity, historyAt(entity, day, DAYS_READ)]),
    );
    const historyOf = (entity: SimulatedEntity) =>
      histories.get(entity) ?? historyAt(entity, day, DAYS_READ);
    const branches = new Map<SimulatedEntity, Branch>();
    const alarms = PLACES.flatMap((place) => {
      const ofPlace = all.filter(({ entityType }) => entityType === place);
      const learner = startProfile(historyOf(account), options);
      for (const entity of ofPlace) learner.add(historyOf(entity));
      const profile = learner.finish();
      const selection = startSelection();
      for (const entity of ofPlace) {
        const history = historyOf(entity);
        selection.add(history, testEntity(history, profile));
        const branch = { place, name: entity.entityId, history, profile, children: [] };
        branches.set(entity, branch);
        const [parent] = entity.ancestors;
        if (parent) branches.get(parent)?.children.push(branch);
      }
      return selection.finish(DAILY_SPEND).map((alarm) => ({ place, alarm }));
    });
    const tree = branches.get(account);
    if (tree === undefined) return [];
    const incidents = findIncidents(alarms, tree, "USD");
    const { continued, recovered } = continueIncidents(open, incidents, date);
    const told = incidents.map((incident) => {
      const before = continued.get(incident);
      const { place, entityId, members } = incident;
      const entities = members.map(({ place, alarm }) => keyOf(place, alarm.entityId));
      return { id: before?.id ?? ++lastId, place, entityId, lastDate: date, entities, members };
    });
    const over = new Set([...recovered, ...continued.values()]);
    open = [...open.filter((each) => !over.has(each)), ...told];
    return told.map(({ id, place, entityId, members }) => ({
      id: String(id),
      cause: entityOf(byKey, place, entityId),
      alarms: members.map(({ place, alarm }) => ({
        entity: entityOf(byKey, place, alarm.entityId),
        type: alarm.type,
      })),
    }));
  };
};

/** How many days lie between two that are searched for luck: alarms of days in a row are alike. */
const LUCK_DAYS = 3;

/** Counts what is raised on days of accounts without faults, and on the same days shuffled. */
export async function measureLuck(
  scenario: AnomalyScenario,
  seeds: number[],
): Promise<Pick<Luck, "alarms" | "expectedByLuck">> {
  const found: Luck[] = [];
  for (const seed of seeds) {
    const replayed = simulateReplay(scenario, seed, { withFaults: false });
    const all = [replayed.account, ...replayed.entities];
    for (const day of TESTED.filter((day) => day % LUCK_DAYS === 0)) {
      for (const place of PLACES) {
        const histories = all.filter(({ entityType }) => entityType === place)
          .map((entity) => historyAt(entity, day, DAYS_READ));
        const { luck } = await searchEntities({
          configId: seed,
          account: historyAt(replayed.account, day, DAYS_READ),
          options: { asOf: dayOf(day), historyDays: HISTORY_DAYS, daysToAnalyze: 1 },
          read: () => [histories],
        });
        found.push(...luck);
      }
    }
  }
  return {
    alarms: sum(found.map(({ alarms }) => alarms)),
    expectedByLuck: sum(found.map(({ expectedByLuck }) => expectedByLuck)),
  };
}

const PLACES = ["account", ...LEVELS] as const;

function entityOf(
  byKey: Map<string, SimulatedEntity>,
  place: Place,
  entityId: string,
): SimulatedEntity {
  const entity = byKey.get(keyOf(place, entityId));
  if (entity === undefined) throw new Error(`The ${place} "${entityId}" was never simulated`);
  return entity;
}

/** A rule of thumb: what it says of the values of a metric that end with the tested day. */
type ClassicRule = (values: (number | null)[]) => "spike" | "drop" | null;

/** Values of the last 30 days before the tested one, without the days that have none. */
function pastOf(values: (number | null)[]): number[] {
  return values.slice(-31, -1).filter((value) => value !== null);
}

/** The rules that are in use everywhere. */
export const CLASSIC_RULES = {
  "z-score > 2.5": (values) => {
    const past = pastOf(values);
    const last = values.at(-1) ?? null;
    if (past.length < 7 || last === null) return null;
    const score = (last - mean(past)) / standardDeviation(past);
    return Math.abs(score) > 2.5 ? score > 0 ? "spike" : "drop" : null;
  },
  "outside 1.5 IQR": (values) => {
    const past = pastOf(values).toSorted((a, b) => a - b);
    const last = values.at(-1) ?? null;
    if (past.length < 7 || last === null) return null;
    const [low, high] = [quantileSorted(past, 0.25), quantileSorted(past, 0.75)];
    const reach = 1.5 * (high - low);
    return last > high + reach ? "spike" : last < low - reach ? "drop" : null;
  },
  "3 days against 7 by 30 %": (values) => {
    const recent = values.slice(-3).filter((value) => value !== null);
    const before = values.slice(-10, -3).filter((value) => value !== null);
    if (recent.length === 0 || before.length === 0) return null;
    const ratio = mean(recent) / mean(before);
    return ratio > 1.3 ? "spike" : ratio < 0.7 ? "drop" : null;
  },
} as const satisfies Record<string, ClassicRule>;

const CLASSIC_METRICS = [
  {
    valueOf: (day) => day?.spend ?? 0,
    types: { spike: "spend_spike", drop: "spend_drop" },
  },
  {
    valueOf: (day) => ratio(day?.spend, day?.leads),
    types: { spike: "cpl_spike", drop: "cpl_drop" },
  },
  {
    valueOf: (day) => ratio(day?.clicks, day?.impressions),
    types: { spike: "ctr_spike", drop: "ctr_drop" },
  },
  {
    valueOf: (day) => ratio(day?.leads, day?.clicks),
    types: { spike: "performance_spike", drop: "performance_drop" },
  },
] as const satisfies {
  valueOf: (day: Day | null) => number | null;
  types: { spike: AnomalyType; drop: AnomalyType };
}[];

function ratio(part: number | undefined, whole: number | undefined): number | null {
  return part !== undefined && whole ? part / whole : null;
}

/** A search that raises an alarm where one of some classic rules does; each is its own story. */
export function classicSearch(rules: ClassicRule[]): Search {
  return ({ account, entities }) => {
    const series = [account, ...entities].flatMap((entity) =>
      CLASSIC_METRICS.map(({ valueOf, types }) => ({
        entity,
        types,
        values: entity.days.map(valueOf),
      }))
    );
    return (day) =>
      series.flatMap(({ entity, types, values }) => {
        const known = values.slice(0, day + 1);
        const direction = rules.map((rule) => rule(known)).find((said) => said !== null);
        if (!direction) return [];
        const type = types[direction];
        return [{ id: `${entity.entityId} ${type}`, cause: entity, alarms: [{ entity, type }] }];
      });
  };
}
