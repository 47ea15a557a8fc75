import { assertEquals } from "@std/assert";
import { runForAllAccounts } from "../../jobs/runner.ts";
import { testDatabase } from "../database.ts";

Deno.test("runForAllAccounts() goes on with the others when one account fails", async () => {
  await using database = await testDatabase();
  await database.sql`
    insert into ads.accounts (config_id, name, currency, time_zone, is_active)
    values
      (1, 'broken', 'EUR', 'Nowhere/At_All', true),
      (2, 'sound', 'EUR', 'Europe/Berlin', true),
      (3, 'disconnected', 'EUR', 'UTC', false)`;
  const outcome = await runForAllAccounts(
    database.sql,
    { task: "classification", entityType: "campaign", cron: "0 5 * * *" },
    new Date("2026-03-01T05:00:00Z"),
  );
  assertEquals(outcome, { succeeded: 1, failed: 1 });
});
