import { assert, assertEquals } from "@std/assert";
import { join } from "node:path";
import type { Sql, Transaction } from "../../db/connect.ts";
import { migrate, MIGRATIONS_FOLDER } from "../../db/migrate.ts";
import { dropStatement, layerFiles, newestCopies, readProjectFile } from "../../db/sql_layer.ts";
import { testDatabase } from "../database.ts";

class Rollback extends Error {}

/** Every view, function and comment of schema ads, as the server prints it. */
async function catalog(tx: Sql | Transaction) {
  const rows = await tx<{ object: string; definition: string; comment: string | null }[]>`
    select
      c.oid::regclass::text as object,
      pg_catalog.pg_get_viewdef(c.oid) as definition,
      (
        select jsonb_object_agg(d.objsubid, d.description order by d.objsubid)::text
        from pg_catalog.pg_description d
        where d.objoid = c.oid and d.classoid = 'pg_catalog.pg_class'::regclass
      ) as comment
    from pg_catalog.pg_class c
    where c.relkind = 'v' and c.relnamespace = to_regnamespace('ads')
    union all
    select
      p.oid::regprocedure::text,
      pg_catalog.pg_get_functiondef(p.oid),
      pg_catalog.obj_description(p.oid, 'pg_proc')
    from pg_catalog.pg_proc p
    where p.pronamespace = to_regnamespace('ads')
    order by object
  `;
  return [...rows];
}

Deno.test("newestCopies() equals every file of sql/ when the migrations are up to date", async () => {
  const copies = await newestCopies();
  const files = await layerFiles();
  assertEquals([...copies.keys()].sort(), files.toSorted());
  for (const file of files) assertEquals(copies.get(file), await readProjectFile(file), file);
});

Deno.test("layerFiles() lists every file of sql/ when load.sql is complete", async () => {
  const folders = ["sql/functions", "sql/views"];
  const present = await Promise.all(folders.map((folder) =>
    Array.fromAsync(
      Deno.readDir(new URL(`../../${folder}`, import.meta.url)),
      (entry) => `${folder}/${entry.name}`,
    )
  ));
  assertEquals((await layerFiles()).toSorted(), present.flat().sort());
});

Deno.test("load.sql leaves the catalog unchanged when the layer is dropped and reinstalled", async () => {
  await using database = await testDatabase();
  const files = await layerFiles();
  const definitions = await Promise.all(files.map(readProjectFile));
  const reinstall = database.sql.begin(async (tx) => {
    const before = await catalog(tx);
    for (const [index, file] of [...files.entries()].reverse()) {
      await tx.unsafe(dropStatement(file, definitions[index] ?? ""));
    }
    assertEquals(await catalog(tx), []);
    for (const definition of definitions) await tx.unsafe(definition);
    assertEquals(await catalog(tx), before);
    assert(before.length >= files.length);
    throw new Rollback();
  });
  await reinstall.catch((error) => {
    if (!(error instanceof Rollback)) throw error;
  });
});

Deno.test("each migration takes back the layer that it changed", async () => {
  await using database = await testDatabase({ migrated: false });
  const { sql, url } = database;
  const folder = await Deno.makeTempDir();
  try {
    const names = await Array.fromAsync(Deno.readDir(MIGRATIONS_FOLDER), (entry) => entry.name);
    const catalogs = [];
    for (const name of names.sort()) {
      catalogs.push(await catalog(sql));
      await Deno.copyFile(join(MIGRATIONS_FOLDER, name), join(folder, name));
      await migrate(url, "up", folder);
    }
    for (const before of catalogs.reverse()) {
      await migrate(url, "down", folder);
      assertEquals(await catalog(sql), before);
    }
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
