import { assertEquals, assertMatch } from "@std/assert";
import { testDatabase } from "../../database.ts";
import { runProgram } from "../../program.ts";

Deno.test("jobs lists the schedule with the last and the next run", async () => {
  await using database = await testDatabase();
  await database.sql`
    insert into ads.job_runs (
      config_id, job, entity_type, as_of, status, scheduled_at, is_scheduled
    )
    values
      (1, 'classification', 'ad', '2026-03-09', 'succeeded', '2026-03-10T06:00Z', true),
      (2, 'classification', 'ad', '2026-03-09', 'failed', '2026-03-10T06:00Z', true),
      (1, 'classification', 'ad', '2026-03-08', 'skipped', '2026-03-09T06:00Z', true)`;
  const { code, stdout } = await runProgram("jobs/commands/jobs.ts", [], {
    DATABASE_URL: database.url,
    ADSTRATA_CRON_ADSET_CLASSIFICATION: "off",
  });
  assertEquals(code, 0);
  const [campaign, adset, ad] = stdout.split("\n").filter((line) => / classification /.test(line));
  assertMatch(campaign ?? "", /^campaign classification +0 5 \* \* \* +\d{4}-\d\d-\d\d 05:00Z +-$/);
  assertMatch(adset ?? "", /^adset classification +off +- +-$/);
  assertMatch(ad ?? "", / 06:00Z +2026-03-10 06:00Z 1 succeeded, 1 failed$/);
});
