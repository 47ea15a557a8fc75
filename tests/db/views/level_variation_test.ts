import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { addDays } from "../../../core/days.ts";
import { createRandom } from "../../../core/random.ts";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, insertAccount, insertInsights } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

/** What an entity did in 7 days and in the 7 days before: spend, impressions, clicks and leads. */
type Weeks = { now: number[]; before: number[] };

/** Stores what entities did on one day of each week. */
async function storeWeeks(configId: number, entities: Weeks[], asOf = AS_OF): Promise<void> {
  const rows = entities.flatMap(({ now, before }, index) =>
    [now, before].map(([spend = 0, impressions = 0, clicks = 0, leads = 0], weeksAgo) => ({
      ad_id: `e${index}`,
      date: addDays(asOf, -7 * weeksAgo),
      spend,
      impressions,
      clicks,
      leads,
    }))
  );
  await insertInsights(database.sql, configId, rows);
}

type Variation = {
  rate: number | null;
  variance: number;
  change: number | null;
  change_variance: number;
  change_error: number;
  day_variance: number;
};

async function variations(configId: number, asOf = AS_OF): Promise<Record<string, Variation>> {
  const rows = await database.sql<({ metric: string } & Variation)[]>`
    select metric, rate, variance, change, change_variance, change_error, day_variance
    from ads.level_variation
    where config_id = ${configId} and entity_type = 'ad' and as_of = ${asOf}`;
  return Object.fromEntries(rows.map(({ metric, ...row }) => [metric, row]));
}

function assertVariation(actual: Variation | undefined, expected: Partial<Variation>): void {
  for (const [name, value] of Object.entries(expected)) {
    const found = Object.entries(actual ?? {}).find(([key]) => key === name)?.[1];
    if (value === null) assertEquals([name, found], [name, null]);
    else assertAlmostEquals(found ?? NaN, value, 1e-9, `${name}: ${found}, not ${value}`);
  }
}

Deno.test("ads.level_variation has the rate of all, and how it changed within entities", async () => {
  await insertAccount(database.sql, 1, {});
  await storeWeeks(1, [
    { now: [100, 1000, 50, 5], before: [100, 2000, 50, 5] },
    { now: [300, 3000, 30, 3], before: [100, 2000, 50, 15] },
  ]);
  const { cpl, ctr, conversion_rate, ...others } = await variations(1);
  assertEquals(others, {});
  // By hand, as Mantel and Haenszel: for the CPL (5/2 + 3/4) / (5/2 + 15 x 3/4).
  assertVariation(cpl, { rate: 8 / 400, change: 3.25 / 13.75 });
  assertVariation(ctr, { rate: 80 / 4000, change: (100 / 3 + 12) / (50 / 3 + 30) });
  assertVariation(conversion_rate, { rate: 8 / 80, change: (2.5 + 1.875) / (2.5 + 5.625) });
});

Deno.test("ads.level_variation takes another mix of entities for no change", async () => {
  await insertAccount(database.sql, 8, {});
  await storeWeeks(8, [
    { now: [900, 0, 0, 90], before: [100, 0, 0, 10] },
    { now: [100, 0, 0, 40], before: [900, 0, 0, 360] },
  ]);
  const { cpl } = await variations(8);
  assertAlmostEquals(cpl?.change ?? 0, 1, 1e-9);
});

Deno.test("ads.level_variation sees how entities differ when none of them changes", async () => {
  await insertAccount(database.sql, 2, {});
  await storeWeeks(2, [
    { now: [100, 0, 0, 30], before: [100, 0, 0, 30] },
    { now: [100, 0, 0, 10], before: [100, 0, 0, 10] },
  ]);
  // Squared deviations of 10^2 + 10^2, less Poisson noise of 20, weighted by 20/361; 390 would be those
  // of a variance of 1. The guess of 0.1 counts as 10.
  assertVariation((await variations(2)).cpl, {
    rate: 0.2,
    variance: (180 * 20 / 361 + 10 * 0.1) / (390 * 20 / 361 + 10),
    change: 1,
    change_variance: 0,
    change_error: 1 / 40 + 1 / 40,
  });
});

Deno.test("ads.level_variation sees how entities change when all together do not", async () => {
  await insertAccount(database.sql, 3, {});
  await storeWeeks(3, [
    { now: [100, 0, 0, 30], before: [100, 0, 0, 10] },
    { now: [100, 0, 0, 10], before: [100, 0, 0, 30] },
  ]);
  const change_variance = 2 * 180 * 20 / 361 / (2 * 390 * 20 / 361 + 10);
  assertVariation((await variations(3)).cpl, {
    rate: 0.2,
    variance: (180 * 20 / 361 + 10 * 0.1) / (390 * 20 / 361 + 10),
    change: 1,
    change_variance,
    // Both entities count alike, so half of what each week adds.
    change_error: 1 / 40 + 1 / 40 + 2 * change_variance / 2,
  });
});

Deno.test("ads.level_variation takes no change of all for one of the entities", async () => {
  await insertAccount(database.sql, 4, {});
  const halved = { now: [100, 0, 0, 20], before: [50, 0, 0, 20] };
  await storeWeeks(4, [halved, halved]);
  const { cpl } = await variations(4);
  assertEquals([cpl?.rate, cpl?.change, cpl?.change_variance], [0.2, 0.5, 0]);
});

Deno.test("ads.level_variation knows no change of what has no events, and no rate without exposure", async () => {
  await insertAccount(database.sql, 5, {});
  await storeWeeks(5, [
    { now: [100, 1000, 0, 4], before: [100, 0, 0, 0] },
    { now: [100, 1000, 0, 4], before: [0, 0, 0, 0] },
  ]);
  const { cpl, ctr, conversion_rate } = await variations(5);
  assertEquals([cpl?.rate, cpl?.change], [0.04, null]);
  assertVariation(ctr, {
    rate: 0,
    variance: 0.1,
    change: null,
    change_variance: 0,
    change_error: 0,
  });
  assertEquals(conversion_rate?.rate, null);
});

Deno.test("ads.level_variation keeps accounts, levels and days apart", async () => {
  for (const configId of [6, 7]) await insertAccount(database.sql, configId, {});
  const day = "2026-03-10";
  const one = { now: [100, 0, 0, 4], before: [100, 0, 0, 4] };
  const other = { now: [100, 0, 0, 9], before: [100, 0, 0, 1] };
  await storeWeeks(6, [one]);
  await storeWeeks(6, [other], day);
  await storeWeeks(7, [other]);
  assertEquals((await variations(6)).cpl?.rate, 0.04);
  assertEquals((await variations(6, day)).cpl?.rate, 0.09);
  assertEquals((await variations(7)).cpl?.rate, 0.09);
  const levels = await database.sql`
    select entity_type
    from ads.level_variation
    where config_id = 6 and as_of = ${AS_OF} and metric = 'cpl'
    order by entity_type`;
  assertEquals(levels.map(({ entity_type }) => entity_type), ["ad", "adset", "campaign"]);
});

Deno.test("ads.level_variation tells days that differ from weeks that change", async () => {
  const random = createRandom(5);
  const DAILY = 0.5;
  await insertAccount(database.sql, 9, {});
  const rows = Array.from({ length: 150 }, (_, index) =>
    Array.from({ length: 14 }, (_, ago) => ({
      ad_id: `e${index}`,
      date: addDays(AS_OF, -ago),
      spend: 20,
      leads: random.poisson(4 * random.gamma(1 / DAILY, DAILY)),
    }))).flat();
  await insertInsights(database.sql, 9, rows);
  const { cpl } = await variations(9);
  assertAlmostEquals(cpl?.day_variance ?? 0, DAILY, 0.1);
  assert((cpl?.change_variance ?? 1) < 0.02, String(cpl?.change_variance));
});

Deno.test("ads.level_variation finds the true variances and the change within their error", async () => {
  const ACCOUNTS = 40;
  const BETWEEN = 0.2;
  const WEEKLY = 0.05;
  const CHANGE = 0.8;
  const random = createRandom(20260331);
  for (let configId = 100; configId < 100 + ACCOUNTS; configId++) {
    await insertAccount(database.sql, configId, {});
    const entities = Array.from({ length: 100 }, () => {
      const rate = 0.1 * random.gamma(1 / BETWEEN, BETWEEN);
      const week = (spend: number, change: number) => {
        const leads = random.poisson(spend * rate * change * random.gamma(1 / WEEKLY, WEEKLY));
        return [spend, 0, 0, leads];
      };
      const spend = Math.round(400 * Math.exp(random.normal(0, 0.7)));
      return { now: week(spend, CHANGE), before: week(Math.round(spend * 0.9), 1) };
    });
    await storeWeeks(configId, entities);
  }
  const rows = await database.sql<Variation[]>`
    select variance, change, change_variance, change_error, day_variance
    from ads.level_variation
    where config_id >= 100 and entity_type = 'ad' and as_of = ${AS_OF} and metric = 'cpl'`;
  assertEquals(rows.length, ACCOUNTS);
  // A week's rates differ by both.
  const week = (1 + BETWEEN) * (1 + WEEKLY) - 1;
  for (const [name, truth] of [["variance", week], ["change_variance", WEEKLY]] as const) {
    const values = rows.map((row) => row[name]);
    const mean = values.reduce((sum, value) => sum + value, 0) / ACCOUNTS;
    const spread = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (ACCOUNTS - 1);
    const error = Math.sqrt(spread / ACCOUNTS);
    assert(Math.abs(mean - truth) < 3 * error, `${name} is ${mean}, not ${truth}`);
    // So that a wide spread does not excuse everything.
    assert(error < 0.1 * truth, `${name} errs by ${error}`);
  }
  // How far each change lies from the truth, by how far it is said to lie.
  const squares = rows.map(({ change, change_error }) =>
    (Math.log((change ?? 1) / CHANGE)) ** 2 / change_error
  );
  const mean = squares.reduce((sum, value) => sum + value, 0) / ACCOUNTS;
  // The mean of 40 squares of standard normal numbers, 99 % sure.
  assert(mean > 0.52 && mean < 1.67, `${mean} of the squared error that is told`);
});
