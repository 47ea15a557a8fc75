import { assert, assertEquals } from "@std/assert";
import { testDatabase } from "../../database.ts";
import { runProgram } from "../../program.ts";

const JOB = "jobs/commands/job.ts";

Deno.test("job refuses arguments that make no sense before it opens the database", async () => {
  // No database is there to be opened.
  const env = { DATABASE_URL: "postgres://me@127.0.0.1:1/ads" };
  const cases: [string[], RegExp][] = [
    [["forecast", "--config", "1"], /^Usage: deno task job forecasts/],
    [["classification"], /^--config is missing/],
    [["classification", "--config", "one"], /^"one" is no config id/],
    [["classification", "--config", "1", "--level", "adgroup"], /^Unknown level "adgroup"/],
    [["classification", "--config", "1", "--as-of", "2026-02-30"], /^"2026-02-30" is no day/],
    [["classification", "--config", "1", "--forced"], /'--forced'/],
    [["anomalies", "--config", "1", "--replay", "2026-02-02..2026-02-01"], /is no period/],
    [["anomalies", "--config", "1", "--replay", "2026-02-02"], /is no period.*FROM\.\.TO/],
  ];
  for (const [args, sentence] of cases) {
    const { code, stdout, stderr } = await runProgram(JOB, args, env);
    assertEquals([code, stdout], [1, ""]);
    assert(sentence.test(stderr), stderr);
    assertEquals(stderr.trim().split("\n").length, 1);
  }
});

Deno.test("job refuses an account that does not exist", async () => {
  await using database = await testDatabase();
  const { code, stderr } = await runProgram(JOB, ["classification", "--config", "7"], {
    DATABASE_URL: database.url,
  });
  assertEquals([code, stderr], [1, "There is no account with config id 7\n"]);
});

Deno.test("job classifies every level of an account", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`insert into ads.accounts (config_id, name, currency, time_zone)
    values (7, 'Example', 'EUR', 'UTC')`;
  await sql`insert into ads.campaigns (config_id, campaign_id, name) values (7, 'c', 'Campaign')`;
  await sql`insert into ads.adsets (config_id, adset_id, campaign_id, name)
    values (7, 's', 'c', 'Ad set')`;
  await sql`insert into ads.ads (config_id, ad_id, adset_id, campaign_id, name)
    values (7, 'a', 's', 'c', 'Ad')`;
  await sql`select ads.create_insight_partitions('2026-02-01', '2026-02-28')`;
  await sql`
    insert into ads.insights
      (config_id, date, campaign_id, adset_id, ad_id, spend, impressions, clicks, leads)
    select 7, day::date, 'c', 's', 'a', 20, 2000, 30, 1
    from generate_series(date '2026-02-01', date '2026-02-28', interval '1 day') as day`;
  const outcome = await runProgram(
    JOB,
    ["classification", "--config", "7", "--as-of", "2026-02-28"],
    { DATABASE_URL: database.url },
  );
  assertEquals(outcome, {
    code: 0,
    stdout: "campaigns to 2026-02-28: 1 classified, 0 still valid, 0 without enough data\n" +
      "ad sets to 2026-02-28: 1 classified, 0 still valid, 0 without enough data\n" +
      "ads to 2026-02-28: 1 classified, 0 still valid, 0 without enough data\n",
    stderr: "",
  });
  const rows = await sql`
    select entity_type, entity_id
    from ads.ml_classifications
    where config_id = 7
    order by entity_id desc`;
  assertEquals([...rows], [
    { entity_type: "adset", entity_id: "s" },
    { entity_type: "campaign", entity_id: "c" },
    { entity_type: "ad", entity_id: "a" },
  ]);
});

Deno.test("job looks for anomalies on each day of a replay as if it were today", async () => {
  await using database = await testDatabase();
  await database.sql`
    insert into ads.accounts (config_id, name, currency, time_zone)
    values (7, 'Example', 'EUR', 'UTC')`;
  const { code, stdout } = await runProgram(
    JOB,
    ["anomalies", "--config", "7", "--level", "ad", "--replay", "2026-02-27..2026-03-01"],
    { DATABASE_URL: database.url },
  );
  assertEquals(code, 0);
  const outcome = "0 looked at, 0 new anomalies, 0 changed, 0 closed, 0 incidents of the day";
  assertEquals(
    stdout,
    ["2026-02-27", "2026-02-28", "2026-03-01"].map((day) => `ads to ${day}: ${outcome}\n`).join(""),
  );
});
