/** A search over the entities of a level, and over shuffled copies of them: how much of it is luck. */
import { sum } from "simple-statistics";
import { addDays } from "../days.ts";
import { testEntity } from "./detect.ts";
import type { History } from "./history.ts";
import { type AnomalyOptions, startProfile } from "./profile.ts";
import { type Alarm, startSelection } from "./select.ts";
import { reorder, shuffleDays } from "./shuffle.ts";

/** What is looked through. */
export type SearchSubject = {
  configId: number;
  /** The sums over all entities of the account. */
  account: History;
  options: AnomalyOptions;
  /** Reads all histories in batches, the same ones each time it is called. */
  read(): AsyncIterable<History[]> | Iterable<History[]>;
};

/** How many alarms a day raised, and how many its entities raise on shuffled days. */
export type Luck = {
  date: string;
  /** The entities that could be tested. */
  entities: number;
  alarms: number;
  /** How often the days were shuffled. */
  shuffles: number;
  /**
   * The alarms of a shuffle on average. Faults of the past are shuffled along and count, as far as they
   * show on a single day; what a drifting level makes stand out does not.
   */
  expectedByLuck: number;
};

/** What a search found. */
export type Found = {
  /** Entities with delivery in the days looked at. */
  read: number;
  /** Tests of one metric of one entity on one day. */
  tested: number;
  alarms: Alarm[];
  /** One for each day that was tested. */
  luck: Luck[];
};

/** Alarms are about 1 in 1,000 of these, so fewer say little, unless they are shuffled again. */
const ENOUGH_ENTITY_DAYS = 2000;
const MOST_SHUFFLES = 4;

/** Searches the days as they are and shuffled, by the same steps; memory holds one batch at a time. */
export async function searchEntities(
  { configId, account, options, read }: SearchSubject,
): Promise<Found> {
  const { asOf, daysToAnalyze } = options;
  const learner = startProfile(account, options);
  let entities = 0;
  for await (const batch of read()) {
    entities += batch.length;
    batch.forEach(learner.add);
  }
  const startTests = (look: (history: History) => History) => {
    const profile = learner.finish(look);
    const { add, tested, finish } = startSelection();
    return {
      test: (history: History) => add(history, testEntity(look(history), profile)),
      tested,
      finish: () => finish(spendPerDay(account)),
    };
  };
  const enough = Math.ceil(ENOUGH_ENTITY_DAYS / Math.max(entities * daysToAnalyze, 1));
  const search = startTests((history) => history);
  const shuffled = Array.from({ length: Math.min(enough, MOST_SHUFFLES) }, (_, number) => {
    const order = shuffleDays(account.days.length, { configId, asOf, number });
    return startTests((history) => reorder(history, order));
  });
  for await (const batch of read()) {
    for (const history of batch) {
      for (const each of [search, ...shuffled]) each.test(history);
    }
  }
  const alarms = search.finish();
  const byLuck = shuffled.flatMap((each) => each.finish());
  const dates = Array.from({ length: daysToAnalyze }, (_, before) => addDays(asOf, -before));
  return {
    read: entities,
    tested: sum(dates.map((date) => search.tested(date).tests)),
    alarms,
    luck: dates.map((date) => ({
      date,
      entities: search.tested(date).entities,
      alarms: countOn(date, alarms),
      shuffles: shuffled.length,
      expectedByLuck: countOn(date, byLuck) / shuffled.length,
    })),
  };
}

function countOn(date: string, alarms: Alarm[]): number {
  return alarms.filter((alarm) => alarm.date === date).length;
}

function spendPerDay({ days }: History): number {
  const delivered = days.filter((day) => day !== null);
  return sum(delivered.map(({ spend }) => spend)) / Math.max(delivered.length, 1);
}
