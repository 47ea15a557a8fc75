import { assert, assertEquals } from "@std/assert";
import { sum } from "simple-statistics";
import type { History } from "../../../core/anomalies/history.ts";
import { searchEntities } from "../../../core/anomalies/search.ts";
import { createRandom } from "../../../core/random.ts";
import { drawAccount, type Event, PLAIN, type Scenario, sumOf } from "./accounts.ts";

const OPTIONS = { asOf: "2026-01-31", historyDays: 30, daysToAnalyze: 1 };

/** Days that differ by chance only, and much on weekends. */
const LUCK: Scenario = { ...PLAIN, entities: 300, leadsPerDay: 1, drift: 0, weekend: 0.4 };

function search(entities: History[], options = OPTIONS) {
  const batches = [entities.slice(0, 7), entities.slice(7)];
  return searchEntities({
    configId: 14,
    account: sumOf(entities),
    options,
    read: () => batches,
  });
}

/** Accounts of pure luck, in which every third entity has begun lately. */
function drawLuck(seed: number, event: Event, share: number): History[] {
  const random = createRandom(seed + 1000);
  const { entities } = drawAccount(LUCK, seed, () => random.uniform() < share ? event : {});
  return entities.map((entity, index) => {
    const begins = index % 3 === 0 ? index % 25 + 5 : 0;
    return { ...entity, days: entity.days.map((day, place) => place < begins ? null : day) };
  });
}

Deno.test("searchEntities() raises as many alarms on shuffled days as on days of pure luck", async () => {
  const options = { ...OPTIONS, daysToAnalyze: 7 };
  // Every fiftieth day spends eight times as much, so that there is luck enough to count.
  for (const [event, share, least] of [[{ spend: 8 }, 0.02, 50], [{}, 0, 0]] as const) {
    const searches = [1, 2, 3].map((seed) => search(drawLuck(seed, event, share), options));
    const days = (await Promise.all(searches)).flatMap(({ luck }) => luck);
    const alarms = sum(days.map((day) => day.alarms));
    const expected = sum(days.map((day) => day.expectedByLuck));
    const message = `${alarms} alarms, ${expected} by luck`;
    assert(alarms >= least, message);
    // Three standard errors of the difference of two counts.
    assert(Math.abs(alarms - expected) <= 3 * Math.sqrt(alarms + expected), message);
  }
});

Deno.test("searchEntities() takes what happened on the tested day for no luck", async () => {
  const { entities } = drawAccount(
    LUCK,
    1,
    (entity, day) => entity % 30 === 0 && day === LUCK.days - 1 ? { spend: 8 } : {},
  );
  const { luck: [day] } = await search(entities);
  const { alarms = 0, expectedByLuck = NaN } = day ?? {};
  assert(alarms >= 8 && expectedByLuck <= 0.5, `${alarms} alarms, ${expectedByLuck} by luck`);
});

Deno.test("searchEntities() counts each day for itself, and shuffles few entities more often", async () => {
  const { entities } = drawAccount({ ...LUCK, entities: 150 }, 2);
  const options = { ...OPTIONS, daysToAnalyze: 2 };
  const found = await search(entities, options);
  assertEquals(
    found.luck.map(({ date, entities, shuffles }) => [date, entities, shuffles]),
    [["2026-01-31", 150, 4], ["2026-01-30", 150, 4]],
  );
  assertEquals(sum(found.luck.map(({ alarms }) => alarms)), found.alarms.length);
  assertEquals((await search(entities.slice(0, 8))).luck[0]?.shuffles, 4);
  assertEquals((await search(entities, { ...options, daysToAnalyze: 5 })).luck[0]?.shuffles, 3);
  assertEquals((await search([...entities].reverse(), options)).luck, found.luck);
});
