/** Makes one story of what stands out on a day, on whatever levels. */
import { continueIncidents, findIncidents, keyOf } from "../core/anomalies/incidents.ts";
import { testEntity } from "../core/anomalies/detect.ts";
import type { History } from "../core/anomalies/history.ts";
import { type AnomalyOptions, startProfile } from "../core/anomalies/profile.ts";
import type { Branch, PlacedAlarm } from "../core/anomalies/tree.ts";
import { LEVEL_FACTS, LEVELS } from "../core/level.ts";
import { getAccount } from "../db/accounts.ts";
import { readHistories } from "../db/anomaly_job.ts";
import type { Transaction } from "../db/connect.ts";
import {
  closeAsMix,
  namesBelow,
  openAnomalies,
  type OpenAnomaly,
  openIncidents,
  recoverIncidents,
  storeIncident,
} from "../db/incident_job.ts";

/**
 * Tells the incidents of the day `options.asOf`. Every level's run does so for all levels, because the
 * cause may sit on another one; doing it again changes nothing.
 *
 * @param account The account as a whole.
 * @param from The first day of all histories.
 * @returns How many stories the day has.
 */
export async function tellIncidents(
  sql: Transaction,
  { configId, account, from, options, now, signal }: {
    configId: number;
    account: History;
    from: string;
    options: AnomalyOptions;
    now: Date;
    signal: AbortSignal;
  },
): Promise<number> {
  const { asOf } = options;
  const anomalies = await openAnomalies(sql, configId, asOf);
  const before = await openIncidents(sql, configId, asOf);
  const found = anomalies.length === 0
    ? []
    : await findStories(sql, { configId, account, from, options, signal, anomalies });
  const { continued, recovered } = continueIncidents(before, found, asOf);
  await recoverIncidents(sql, configId, recovered.map(({ id }) => id), now);
  const idOf = new Map(
    anomalies.map(({ place, entity_id, anomaly_type, id }) => [
      `${keyOf(place, entity_id)} ${anomaly_type}`,
      id,
    ]),
  );
  for (const incident of found) {
    const members = incident.members.flatMap(({ place, alarm, contribution }) => {
      const name = `${keyOf(place, alarm.entityId)} ${alarm.type}`;
      const anomalyId = idOf.get(name);
      if (anomalyId === undefined) return [];
      idOf.delete(name);
      return [{ anomalyId, contribution }];
    });
    await storeIncident(sql, configId, incident, {
      id: continued.get(incident)?.id,
      members,
      at: now,
    });
  }
  await closeAsMix(sql, configId, [...idOf.values()], now);
  return found.length;
}

type Search = {
  configId: number;
  account: History;
  from: string;
  options: AnomalyOptions;
  signal: AbortSignal;
  anomalies: OpenAnomaly[];
};

async function findStories(sql: Transaction, search: Search) {
  const { configId, account, options, anomalies } = search;
  const { name, currency } = await getAccount(sql, configId);
  const learner = startProfile(account, options);
  learner.add(account);
  const root: Branch = {
    place: "account",
    name,
    history: account,
    profile: learner.finish(),
    children: [],
  };
  const branches = new Map([[keyOf("account", account.entityId), root]]);
  for await (const branch of readBranches(sql, search)) {
    const { place, history } = branch;
    branches.set(keyOf(place, history.entityId), branch);
    const above = LEVEL_FACTS[history.entityType].parent;
    const parent = above && history.parentId !== null
      ? branches.get(keyOf(above, history.parentId))
      : root;
    parent?.children.push(branch);
  }
  const alarms = anomalies.flatMap((anomaly): PlacedAlarm[] => {
    const branch = branches.get(keyOf(anomaly.place, anomaly.entity_id));
    const test = branch &&
      testEntity(branch.history, branch.profile).find(({ type, date, leadsStopped }) =>
        date === options.asOf &&
        (anomaly.anomaly_type === "tracking_break" ? leadsStopped : type === anomaly.anomaly_type)
      );
    if (!branch || !test) return [];
    const { q_value: q, severity, anomaly_type: type, place } = anomaly;
    const { entityId, parentId } = branch.history;
    return [{ place, alarm: { ...test, type, q, severity, entityId, parentId } }];
  });
  return findIncidents(alarms, root, currency);
}

/** All campaigns, and what is below those with an alarm, each level after the one above it. */
async function* readBranches(
  sql: Transaction,
  { configId, account, from, options, signal, anomalies }: Search,
): AsyncGenerator<Branch> {
  const campaigns = anomalies.flatMap(({ campaign_id }) => campaign_id ?? []);
  for (const entityType of LEVELS) {
    const known = await namesBelow(sql, configId, entityType, [...new Set(campaigns)]);
    const learner = startProfile(account, options);
    const kept: History[] = [];
    const request = { configId, entityType, from, asOf: options.asOf };
    for await (const batch of readHistories(sql, request)) {
      signal.throwIfAborted();
      for (const history of batch) {
        learner.add(history);
        if (known.has(history.entityId)) kept.push(history);
      }
    }
    const profile = learner.finish();
    for (const history of kept) {
      const name = known.get(history.entityId) ?? history.entityId;
      yield { place: entityType, name, history, profile, children: [] };
    }
  }
}
