import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import { checkMigrations, migrate, migrationState } from "../../db/migrate.ts";
import { testDatabase } from "../database.ts";

const FIRST = "-- migrate:up\ncreate schema ads;\n-- migrate:down\ndrop schema ads;\n";
const SECOND = "-- migrate:up\ncreate table ads.a (id int);\n-- migrate:down\ndrop table ads.a;\n";
const BROKEN = "-- migrate:up\ncreate table ads.b (id int);\nselect 1 / 0;\n-- migrate:down\n";

async function withMigrations(
  files: Record<string, string>,
  run: (folder: string) => Promise<void>,
): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    for (const [name, text] of Object.entries(files)) {
      await Deno.writeTextFile(join(folder, name), text);
    }
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("migrate() applies what is pending and takes back the newest", async () => {
  await using database = await testDatabase({ migrated: false });
  await withMigrations({ "1_first.sql": FIRST, "2_second.sql": SECOND }, async (folder) => {
    const state = () => migrationState(database.sql, folder);
    assertEquals(await state(), { applied: [], pending: ["1", "2"], unknown: [] });
    await migrate(database.url, "up", folder);
    assertEquals(await state(), { applied: ["1", "2"], pending: [], unknown: [] });
    await checkMigrations(database.sql, folder);
    assertEquals([...await database.sql`select id from ads.a`], []);
    await migrate(database.url, "down", folder);
    assertEquals(await state(), { applied: ["1"], pending: ["2"], unknown: [] });
  });
});

Deno.test("migrate() leaves nothing of a migration that fails", async () => {
  await using database = await testDatabase({ migrated: false });
  await withMigrations({ "1_first.sql": FIRST, "2_broken.sql": BROKEN }, async (folder) => {
    const error = await assertRejects(() => migrate(database.url, "up", folder), Refusal);
    assert(error.message.includes("division by zero"));
    assertEquals((await migrationState(database.sql, folder)).applied, ["1"]);
    const [table] = await database.sql`select to_regclass('ads.b') as name`;
    assertEquals(table?.name, null);
  });
});

Deno.test("checkMigrations() refuses a database that is behind or ahead", async () => {
  await using database = await testDatabase({ migrated: false });
  const both = { "1_first.sql": FIRST, "2_second.sql": SECOND };
  await withMigrations(both, async (folder) => {
    const behind = await assertRejects(() => checkMigrations(database.sql, folder), Refusal);
    assertEquals(behind.message, "The database is behind this program: 2 migrations are missing");
    assertEquals(behind.hint, "Run `deno task migrate`");
    await migrate(database.url, "up", folder);
  });
  await withMigrations({ "1_first.sql": FIRST }, async (folder) => {
    const ahead = await assertRejects(() => checkMigrations(database.sql, folder), Refusal);
    assertEquals(ahead.message, "The database is newer than this program: it has migration 2");
  });
});

Deno.test("migrate() refuses a server that does not answer, without its password", async () => {
  const error = await assertRejects(
    () => migrate("postgres://me:secret@127.0.0.1:1/ads", "up"),
    Refusal,
  );
  assert(!error.message.includes("secret"));
});
