import { assert, assertAlmostEquals, assertEquals } from "@std/assert";
import { createRandom } from "../../../core/random.ts";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, insertAccount } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

/** What an entity did in 7 days and in the 7 days before: spend, impressions, clicks and leads. */
type Weeks = { now: number[]; before: number[] };

/** Stores the features of entities, as a job does. */
async function storeWeeks(
  configId: number,
  entities: Weeks[],
  { asOf = AS_OF, entityType = "ad", windowDays = 30 } = {},
): Promise<void> {
  const column = (week: keyof Weeks, index: number) =>
    entities.map((entity) => entity[week][index] ?? 0);
  await database.sql`
    insert into ads.ml_features (
      config_id, entity_type, entity_id, window_days, feature_date, spend_7d, impressions_7d,
      clicks_7d, leads_7d, leads_14d, spend_7d_before, impressions_7d_before, clicks_7d_before,
      insufficient_data, computed_at
    )
    select
      ${configId}, ${entityType}, 'e' || w.n, ${windowDays}, ${asOf}, w.spend, w.impressions,
      w.clicks, w.leads, w.leads + w.leads_before, w.spend_before, w.impressions_before,
      w.clicks_before, false, now()
    from unnest(
      ${column("now", 0)}::numeric[],
      ${column("now", 1)}::bigint[],
      ${column("now", 2)}::bigint[],
      ${column("now", 3)}::bigint[],
      ${column("before", 0)}::numeric[],
      ${column("before", 1)}::bigint[],
      ${column("before", 2)}::bigint[],
      ${column("before", 3)}::bigint[]
    ) with ordinality w (
      spend, impressions, clicks, leads, spend_before, impressions_before, clicks_before,
      leads_before, n
    )`;
}

type Variation = {
  rate: number | null;
  variance: number;
  change: number | null;
  change_variance: number;
  change_error: number;
};

async function variations(configId: number, asOf = AS_OF): Promise<Record<string, Variation>> {
  const rows = await database.sql<({ metric: string } & Variation)[]>`
    select metric, rate, variance, change, change_variance, change_error
    from ads.level_variation
    where config_id = ${configId} and entity_type = 'ad' and as_of = ${asOf}`;
  return Object.fromEntries(rows.map(({ metric, ...row }) => [metric, row]));
}

function assertVariation(actual: Variation | undefined, expected: Variation): void {
  for (const [name, value] of Object.entries(expected)) {
    const found = Object.entries(actual ?? {}).find(([key]) => key === name)?.[1];
    if (value === null) assertEquals([name, found], [name, null]);
    else assertAlmostEquals(found ?? NaN, value, 1e-9, `${name}: ${found}, not ${value}`);
  }
}

Deno.test("ads.level_variation has the rate of all and how it changed, for each rate", async () => {
  await insertAccount(database.sql, 1, {});
  await storeWeeks(1, [
    { now: [100, 1000, 50, 5], before: [100, 2000, 50, 5] },
    { now: [300, 3000, 30, 3], before: [100, 2000, 50, 15] },
  ]);
  const { cpl, ctr, conversion_rate, ...others } = await variations(1);
  assertEquals(others, {});
  const rates = [cpl, ctr, conversion_rate].map((row) => [row?.rate, row?.change]);
  assertEquals(rates, [
    // 8 leads for 400 after 20 for 200, 80 clicks of 4,000 after 100 of 4,000, 8 leads of 80 clicks.
    [0.02, 0.02 / 0.1],
    [0.02, 0.02 / 0.025],
    [0.1, 0.1 / 0.2],
  ]);
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

Deno.test("ads.level_variation keeps accounts, levels, days and windows apart", async () => {
  for (const configId of [6, 7]) await insertAccount(database.sql, configId, {});
  const day = "2026-03-30";
  const [one, other] = [
    [{ now: [100, 0, 0, 4], before: [100, 0, 0, 4] }],
    [{ now: [100, 0, 0, 9], before: [100, 0, 0, 1] }],
  ];
  await storeWeeks(6, one);
  await storeWeeks(6, other, { asOf: day });
  await storeWeeks(6, other, { entityType: "adset" });
  await storeWeeks(6, other, { windowDays: 7 });
  await storeWeeks(7, other);
  assertEquals((await variations(6)).cpl?.rate, 0.04);
  assertEquals((await variations(6, day)).cpl?.rate, 0.09);
  assertEquals((await variations(7)).cpl?.rate, 0.09);
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
    select variance, change, change_variance, change_error
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
