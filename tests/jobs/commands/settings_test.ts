import { assert, assertEquals } from "@std/assert";
import { runProgram } from "../../program.ts";
import { testDatabase } from "../../database.ts";

const SETTINGS = "jobs/commands/settings.ts";

async function openAccount() {
  const database = await testDatabase();
  await database.sql`
    insert into ads.accounts (config_id, name, currency, time_zone)
    values (1, 'Example', 'EUR', 'UTC')`;
  const stored = async () => {
    const [row] = await database.sql`select settings from ads.accounts where config_id = 1`;
    return row?.settings;
  };
  const run = (...args: string[]) =>
    runProgram(SETTINGS, ["--config", "1", ...args], { DATABASE_URL: database.url });
  return { database, stored, run };
}

Deno.test("settings overrides limits, shows them, and goes back to the defaults", async () => {
  const { database, stored, run } = await openAccount();
  await using _ = database;
  const overrides = { language: "pt", rules: { scale_up: { probability: 0.9 } } };
  const set = await run("language=pt", "rules.scale_up.probability=0.9");
  assertEquals([set.code, JSON.parse(set.stdout)], [0, overrides]);
  assertEquals(await stored(), overrides);
  const shown = JSON.parse((await run("--all")).stdout);
  assertEquals([shown.language, shown.guardrails.cooldown_hours], ["pt", 72]);
  assertEquals((await run("language=", "rules.scale_up.probability=")).code, 0);
  assertEquals(await stored(), {});
});

Deno.test("settings refuses a wrong override with the reason, and changes nothing", async () => {
  const { database, stored, run } = await openAccount();
  await using _ = database;
  const { code, stderr } = await run("language=pt", "rules.scale_up.probability=90");
  assertEquals(code, 1);
  assert(stderr.startsWith("Wrong settings: rules.scale_up.probability: "), stderr);
  assertEquals(await stored(), {});
  assert((await run("probability")).stderr.startsWith('"probability" is no NAME=VALUE'));
});
