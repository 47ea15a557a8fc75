import { assertEquals, assertRejects, assertThrows } from "@std/assert";
import { join } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import {
  dropStatement,
  newestCopies,
  readProjectFile,
  writeLayerMigration,
} from "../../db/sql_layer.ts";

const NOW = new Date("2026-03-01T12:34:56Z");
const FUNCTION = "sql/functions/pct_change.sql";
const VIEW = "sql/views/entities.sql";

async function withFolder(run: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("writeLayerMigration() copies files in install order and drops them in the reverse", async () => {
  await withFolder(async (folder) => {
    const file = await writeLayerMigration("add_layer", [VIEW, FUNCTION], NOW, folder);
    assertEquals(file, join(folder, "20260301123456_add_layer.sql"));
    const [up = "", down = ""] = (await Deno.readTextFile(file)).split("-- migrate:down\n");
    assertEquals(up.indexOf(FUNCTION) < up.indexOf(VIEW), true);
    assertEquals(down.trim().split("\n"), [
      "drop view ads.entities;",
      "drop function ads.pct_change;",
    ]);
    assertEquals(
      await newestCopies(folder),
      new Map([[FUNCTION, await readProjectFile(FUNCTION)], [VIEW, await readProjectFile(VIEW)]]),
    );
  });
});

Deno.test("writeLayerMigration() replaces the earlier copy and restores it on the way down", async () => {
  await withFolder(async (folder) => {
    const before = `-- include: ${VIEW}\ncreate view ads.entities as select 1;\n-- end include\n`;
    await Deno.writeTextFile(
      join(folder, "1_first.sql"),
      `-- migrate:up\n${before}-- migrate:down\n`,
    );
    const file = await writeLayerMigration("change_entities", [VIEW], NOW, folder);
    const [up, down] = (await Deno.readTextFile(file)).split("-- migrate:down\n");
    assertEquals(up?.includes("-- migrate:up\ndrop view ads.entities;\n-- include:"), true);
    assertEquals(down?.trim(), `drop view ads.entities;\n${before}`.trim());
    assertEquals((await newestCopies(folder)).get(VIEW), await readProjectFile(VIEW));
  });
});

Deno.test("writeLayerMigration() removes what load.sql no longer lists and restores it on the way down", async () => {
  await withFolder(async (folder) => {
    const gone = "sql/views/gone.sql";
    const before = `-- include: ${gone}\ncreate view ads.gone as select 1;\n-- end include\n`;
    await Deno.writeTextFile(
      join(folder, "1_first.sql"),
      `-- migrate:up\n${before}-- migrate:down\n`,
    );
    const file = await writeLayerMigration("remove_gone", [gone], NOW, folder);
    const [up, down] = (await Deno.readTextFile(file)).split("-- migrate:down\n");
    assertEquals(up?.split("-- migrate:up\n")[1], `-- remove: ${gone}\ndrop view ads.gone;\n`);
    assertEquals(down?.trim(), before.trim());
    assertEquals(await newestCopies(folder), new Map());
  });
});

Deno.test("writeLayerMigration() refuses a wrong slug or a file that load.sql does not list", async () => {
  await withFolder(async (folder) => {
    const write = (slug: string, path: string) => writeLayerMigration(slug, [path], NOW, folder);
    await assertRejects(() => write("Add Layer", VIEW), Refusal, '"Add Layer"');
    await assertRejects(() => write("add_layer", "sql/views/nothing.sql"), Refusal, "nothing.sql");
    assertEquals([...Deno.readDirSync(folder)], []);
  });
});

Deno.test("dropStatement() names the view or function that a file creates", () => {
  const view = "-- One row per x.\ncreate or replace view ads.x as\nselect 1;\n";
  assertEquals(dropStatement("sql/views/x.sql", view), "drop view ads.x;");
  const name = "create function ads.f(a int) returns int language sql return a;\n";
  assertEquals(dropStatement("sql/functions/f.sql", name), "drop function ads.f;");
  assertThrows(() => dropStatement("sql/x.sql", "create table ads.t (a int);"), Refusal);
});
