import { assert, assertEquals } from "@std/assert";
import { runProgram, startProgram } from "../../program.ts";
import { testDatabase } from "../../database.ts";

const DEMO = "jobs/commands/demo.ts";
const LISTENING = /Listening on (http:\S+\/)/;

Deno.test("demo makes the account, tells its tiers and serves it, and reuses it the next time", async () => {
  const ADSTRATA_DATA = await Deno.makeTempDir();
  const first = startProgram(DEMO, [], { ADSTRATA_DATA });
  const [, url = ""] = await first.printed(LISTENING);
  const entities = await fetch(`${url}api/v1/entities?config_id=1&entity_type=ad&limit=1`);
  assertEquals((await entities.json()).total, 250);
  const page = await fetch(url);
  assert((await page.text()).includes("Sonnenhof Solar (demo)"));
  const ended = await first.stop("SIGINT");
  assertEquals(ended.code, 0);
  const logged = ended.stderr.trim().split("\n").map((line) => JSON.parse(line).message);
  assertEquals(logged, ["Request answered", "Request answered"]);
  const tiers = [...ended.stdout.matchAll(/^(campaigns|ad sets|ads)((?: +\d+){4})$/gm)];
  assertEquals(tiers.map(([, level]) => level), ["campaigns", "ad sets", "ads"]);

  const second = startProgram(DEMO, [], { ADSTRATA_DATA });
  await second.printed(LISTENING);
  const again = await second.stop("SIGINT");
  assert(again.stdout.includes("The demo account is there already"));
  const summary = (text: string) =>
    text.slice(text.indexOf("Sonnenhof"), text.indexOf("Listening"));
  assertEquals(summary(again.stdout), summary(ended.stdout));
  await Deno.remove(ADSTRATA_DATA, { recursive: true });
});

Deno.test("demo refuses to touch an account that is not its own", async () => {
  await using database = await testDatabase();
  await database.sql`insert into ads.accounts (config_id, name, currency, time_zone)
    values (1, 'A real one', 'EUR', 'UTC')`;
  const { code, stderr } = await runProgram(DEMO, [], { DATABASE_URL: database.url });
  assertEquals(code, 1);
  assert(stderr.startsWith('Account 1 of this database is "A real one", not the demo'), stderr);
});
