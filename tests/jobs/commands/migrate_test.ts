import { assert, assertEquals } from "@std/assert";
import { testDatabase } from "../../database.ts";
import { runProgram } from "../../program.ts";

const MIGRATE = "jobs/commands/migrate.ts";

Deno.test("migrate goes up, down and tells the status", async () => {
  await using database = await testDatabase({ migrated: false });
  const env = { DATABASE_URL: database.url };
  const pending = await runProgram(MIGRATE, ["status"], env);
  assertEquals(pending.code, 0);
  assert(pending.stdout.split("\n").filter(Boolean).every((line) => /^\d+ pending$/.test(line)));

  const up = await runProgram(MIGRATE, [], env);
  assertEquals([up.code, up.stderr], [0, ""]);
  assert(up.stdout.endsWith("The database is up to date\n"));
  const applied = await runProgram(MIGRATE, ["status"], env);
  assertEquals(applied.stdout, pending.stdout.replaceAll("pending", "applied"));

  assertEquals((await runProgram(MIGRATE, ["down"], env)).code, 0);
  const { stdout } = await runProgram(MIGRATE, ["status"], env);
  assert(stdout.endsWith(" pending\n"));
});

Deno.test("migrate refuses a database that is newer than the program", async () => {
  await using database = await testDatabase();
  await database.sql`insert into public.adstrata_migrations (version) values ('29990101000000')`;
  const { code, stderr } = await runProgram(MIGRATE, ["up"], { DATABASE_URL: database.url });
  assertEquals(code, 1);
  assert(stderr.startsWith("The database is newer than this program: it has migration 29990101"));
});

Deno.test("migrate refuses an unknown action in one sentence", async () => {
  const { code, stderr } = await runProgram(MIGRATE, ["sideways"], {});
  assertEquals([code, stderr], [1, "Usage: deno task migrate [up|down|status]\n"]);
});

Deno.test("migrate refuses a server that does not answer in one sentence", async () => {
  const { code, stderr } = await runProgram(MIGRATE, [], {
    DATABASE_URL: "postgres://me:secret@127.0.0.1:1/ads",
  });
  assertEquals(code, 1);
  assertEquals(stderr.trim().split("\n").length, 1);
  assert(stderr.startsWith('Cannot reach the database "127.0.0.1:1/ads"'));
});
