import { assertEquals } from "@std/assert";
import { type TestDatabase, testDatabase } from "../../database.ts";
import { AS_OF, insertAccount } from "./rows.ts";

let database: TestDatabase;
Deno.test.beforeAll(async () => {
  database = await testDatabase();
});
Deno.test.afterAll(async () => await database[Symbol.asyncDispose]());

async function reference(configId: number, asOf = AS_OF) {
  const [row] = await database.sql`
    select target_cpl, spend_14d, leads_14d, cpl_14d, reference, reference_source
    from ads.account_reference
    where config_id = ${configId} and as_of = ${asOf}`;
  return row;
}

Deno.test("ads.account_reference is the account's own CPL over 14 days when it has no target", async () => {
  await insertAccount(database.sql, 1, {
    insights: [
      { date: "2026-03-17", spend: 500, leads: 500 },
      { date: "2026-03-18", spend: 30, leads: 1 },
      // Delivery of an ad set for which no ad is named counts too.
      { date: "2026-03-31", ad_id: "21", spend: 30, leads: 2 },
      { date: "2026-04-01", spend: 500, leads: 500 },
    ],
  });
  assertEquals(await reference(1), {
    target_cpl: null,
    spend_14d: 60,
    leads_14d: 3,
    cpl_14d: 20,
    reference: 20,
    reference_source: "account",
  });
});

Deno.test("ads.account_reference is the target when the account has one", async () => {
  await insertAccount(database.sql, 2, { target_cpl: 12.5, insights: [{ spend: 60, leads: 3 }] });
  assertEquals(await reference(2), {
    target_cpl: 12.5,
    spend_14d: 60,
    leads_14d: 3,
    cpl_14d: 20,
    reference: 12.5,
    reference_source: "target",
  });
});

Deno.test("ads.account_reference is null when there is neither a target nor a lead", async () => {
  await insertAccount(database.sql, 3, {
    insights: [{ date: "2026-03-17", spend: 9, leads: 1 }, { spend: 60 }],
  });
  assertEquals(await reference(3), {
    target_cpl: null,
    spend_14d: 60,
    leads_14d: 0,
    cpl_14d: null,
    reference: null,
    reference_source: null,
  });
});

Deno.test("ads.account_reference has a row when the account has no insights", async () => {
  await insertAccount(database.sql, 4, {});
  assertEquals(await reference(4), {
    target_cpl: null,
    spend_14d: 0,
    leads_14d: 0,
    cpl_14d: null,
    reference: null,
    reference_source: null,
  });
  assertEquals(await reference(404), undefined);
});

Deno.test("ads.account_reference follows as_of", async () => {
  await insertAccount(database.sql, 5, {
    insights: [
      { date: "2026-03-10", spend: 10, leads: 1 },
      { date: "2026-03-30", spend: 40, leads: 1 },
    ],
  });
  assertEquals((await reference(5, "2026-03-23"))?.reference, 10);
  assertEquals((await reference(5, "2026-03-24"))?.reference, null);
  assertEquals((await reference(5, "2026-03-30"))?.reference, 40);
});
