import { assertEquals, assertRejects } from "@std/assert";
import fc from "fast-check";
import { addDays } from "../../core/days.ts";
import { decideTier } from "../../core/tiers.ts";
import { readCandidates, storeDecisions, storeFeatures } from "../../db/classification_job.ts";
import type { Transaction } from "../../db/connect.ts";
import { readEvidence } from "../../db/evidence.ts";
import { type EntityKey, pairUp, readAhead } from "../../db/read_ahead.ts";
import { readFamilies } from "../../db/recommendation_job.ts";
import { type TestDatabase, testDatabase } from "../database.ts";
import { AS_OF, daily, insertAccount } from "./views/rows.ts";

const NOW = new Date("2026-04-01T06:00:00Z");
const ADS = 200;

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

Deno.test("readAhead() returns all rows, and lets other statements run between batches", async () => {
  const batches = await database.sql.begin(async (transaction) => {
    const batches: number[][] = [];
    const numbers = transaction`select n from generate_series(1, 5) n`;
    for await (const rows of readAhead<{ n: number }>(transaction, numbers, 2)) {
      await transaction`select 1`;
      batches.push(rows.map(({ n }) => n));
    }
    return batches;
  });
  assertEquals(batches, [[1, 2], [3, 4], [5]]);
});

Deno.test("readAhead() fails as its query does", async () => {
  await assertRejects(
    () =>
      database.sql.begin(async (transaction) => {
        const query = transaction`select 1 / (3 - n) from generate_series(1, 5) n`;
        for await (const _ of readAhead(transaction, query, 1));
      }),
    Error,
    "division by zero",
  );
});

Deno.test("readAhead() lets several readings take turns, and begins each at once", async () => {
  const rows = await database.sql.begin(async (transaction) => {
    const numbers = transaction`select n from public.numbers order by n`;
    await transaction`create table public.numbers as select n from generate_series(1, 3) n`;
    const one = readAhead<{ n: number }>(transaction, numbers, 2);
    await transaction`delete from public.numbers where n = 3`;
    const other = readAhead<{ n: number }>(transaction, numbers, 1);
    const next = async (reading: typeof one) => {
      const { value }: { value?: { n: number }[] } = await reading.next();
      return value?.map(({ n }) => n);
    };
    return [
      [await next(one), await next(other)],
      [await next(one), await next(other)],
      [await next(one), await next(other)],
    ];
  });
  assertEquals(rows, [[[1, 2], [1]], [[3], [2]], [undefined, undefined]]);
});

async function* inBatches<Row>(rows: Row[], size: number) {
  for (let index = 0; index < rows.length; index += size) yield rows.slice(index, index + size);
}

const key = fc.record({
  parent_id: fc.constantFrom(null, "1", "10", "9", "a", "B", "é"),
  entity_id: fc.constantFrom("1", "10", "9", "a", "B", "é"),
});
const keys = fc.uniqueArray(key, { selector: (key) => JSON.stringify(key) });

Deno.test("pairUp() pairs what two readings have, whatever their batches and gaps", async () => {
  await fc.assert(fc.asyncProperty(
    keys,
    keys,
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 1, max: 9 }),
    async (some, others, size, otherSize) => {
      // As the server sorts by collate "C" with null last.
      const sorted = (keys: EntityKey[]) =>
        [...keys].sort((one, other) => {
          const [a, b] = [one, other].map(({ parent_id, entity_id }) =>
            [parent_id ?? "\uffff", entity_id].join("\u0000")
          );
          return a === b ? 0 : (a ?? "") < (b ?? "") ? -1 : 1;
        });
      const lefts = sorted(some).map((each, left) => ({ ...each, left }));
      const rights = sorted(others).map((each, right) => ({ ...each, right }));
      const expected = lefts.flatMap((left) =>
        rights
          .filter((right) =>
            right.parent_id === left.parent_id && right.entity_id === left.entity_id
          )
          .map((right) => ({ ...left, ...right }))
      );
      const pairs = await Array.fromAsync(
        pairUp(inBatches(lefts, size), inBatches(rights, otherSize)),
      );
      assertEquals(pairs.flat(), expected);
      assertEquals(pairs.length, Math.ceil(lefts.length / size));
    },
  ));
});

/** Does work in a transaction and returns how many tiers it read there. */
function countingTiers(work: (sql: Transaction) => Promise<void>): Promise<number> {
  return database.sql.begin(async (transaction) => {
    const count = async () => {
      const [row] = await transaction<{ read: number }[]>`
        select seq_tup_read + idx_tup_fetch as read
        from pg_catalog.pg_stat_xact_user_tables
        where relname = 'ml_classifications'`;
      return row?.read ?? NaN;
    };
    const before = await count();
    await work(transaction);
    return await count() - before;
  });
}

Deno.test("runs look tiers up by entity, also where the planner knows of none", async () => {
  const { sql } = database;
  await insertAccount(sql, 1, {
    target_cpl: 10,
    insights: Array.from(
      { length: ADS },
      (_, ad) =>
        daily(8, { spend: 40, impressions: 4000, clicks: 40, leads: 1, ad_id: `ad ${ad}` }),
    ).flat(),
  });
  await sql`vacuum analyze ads.ml_classifications`;
  const run = { configId: 1, entityType: "ad" as const, asOf: AS_OF, at: NOW };
  const classify = (asOf: string) =>
    countingTiers(async (transaction) => {
      const day = { ...run, asOf, batch: 10 };
      await storeFeatures(transaction, 1, "ad", asOf, NOW);
      const evidence = readEvidence(transaction, day, 10);
      for await (const candidates of readCandidates(transaction, evidence, day)) {
        const decisions = candidates.map((candidate) => ({
          ...decideTier(candidate, 10),
          entityId: candidate.entity_id,
          parentId: candidate.parent_id,
          previousTier: candidate.previous_tier,
          change: null,
          metricsSnapshot: {},
          featureImportances: {},
        }));
        const stored = { ...day, validUntil: NOW, modelVersion: "test" };
        await storeDecisions(transaction, stored, decisions);
      }
    });
  assertEquals(await classify(addDays(AS_OF, -1)), 0);
  assertEquals(await classify(AS_OF), ADS);
  let underperforming = 0;
  const read = await countingTiers(async (transaction) => {
    const evidence = readEvidence(transaction, run, 10);
    const known = { ...run, reference: 10, batch: 10 };
    for await (const family of readFamilies(transaction, evidence, known)) {
      underperforming += family.filter((ad) => ad.days_underperforming === 2).length;
    }
  });
  assertEquals(underperforming, ADS);
  // Of each whether there was another tier, which reads both days, and when the first was.
  assertEquals(read, 3 * ADS);
});
