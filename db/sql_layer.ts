/**
 * The layer of views and functions in `sql/`, and their copies in the migrations. `sql/` is the one
 * place where a definition is edited; a migration carries an exact copy between two markers.
 */
import { join } from "node:path";
import { Refusal } from "../core/refusal.ts";
import { MIGRATIONS_FOLDER } from "./migrate.ts";

const ROOT = new URL("../", import.meta.url);
const COPY = /^-- include: (sql\/\S+)\n([\s\S]*?)^-- end include$/gm;
const REMOVAL = /^-- remove: (sql\/\S+)$/gm;
const OBJECT = /^create (?:or replace )?(view|function) (ads\.[a-z_0-9]+)/m;

/** The files of the layer in install order, as `sql/load.sql` lists them: `sql/views/entities.sql`. */
export async function layerFiles(): Promise<string[]> {
  const load = await readProjectFile("sql/load.sql");
  return [...load.matchAll(/^\\ir (\S+)$/gm)].map((line) => `sql/${line[1]}`);
}

/** Reads a file by its path from the project's root, wherever the program is started from. */
export async function readProjectFile(path: string): Promise<string> {
  return await Deno.readTextFile(new URL(path, ROOT));
}

/** The newest copy of each file that any migration installs and no later one removes, by its path. */
export async function newestCopies(folder = MIGRATIONS_FOLDER): Promise<Map<string, string>> {
  const names = await Array.fromAsync(Deno.readDir(folder), (entry) => entry.name);
  const copies = new Map<string, string>();
  for (const name of names.filter((name) => name.endsWith(".sql")).sort()) {
    const [up = ""] = (await Deno.readTextFile(join(folder, name))).split(/^-- migrate:down/m);
    for (const [, path = ""] of up.matchAll(REMOVAL)) copies.delete(path);
    for (const [, path = "", text = ""] of up.matchAll(COPY)) copies.set(path, text);
  }
  return copies;
}

/** The statement that removes what one file of the layer creates. */
export function dropStatement(path: string, definition: string): string {
  const [, kind, name] = definition.match(OBJECT) ?? [];
  if (!kind) {
    throw new Refusal(
      "invalid_parameter",
      `"${path}" creates no view and no function of schema ads`,
    );
  }
  return `drop ${kind} ${name};`;
}

/**
 * Writes a migration that installs the current text of some files over the copies of earlier
 * migrations, which it drops first: replacing a view could only append columns. Taking it back does
 * the same with the earlier copies. Everything in dependency order, so what depends on a file that
 * was there before has to be among the files. A file that `load.sql` no longer lists is removed.
 *
 * @param slug Verb and object, such as `add_entity_totals`.
 * @param paths Files under `sql/`.
 * @returns The path of the new migration.
 */
export async function writeLayerMigration(
  slug: string,
  paths: string[],
  now: Date,
  folder = MIGRATIONS_FOLDER,
): Promise<string> {
  if (!/^[a-z][a-z0-9_]*$/.test(slug)) {
    throw new Refusal("invalid_parameter", `"${slug}" is no slug such as "add_entity_totals"`);
  }
  const order = await layerFiles();
  const earlier = await newestCopies(folder);
  const stranger = paths.find((path) => !order.includes(path) && !earlier.has(path));
  if (stranger) {
    throw new Refusal("invalid_parameter", `"${stranger}" is not listed in sql/load.sql`);
  }
  const outdated: string[] = [];
  const up: string[] = [];
  const drops: string[] = [];
  const restores: string[] = [];
  for (const path of order.filter((path) => paths.includes(path))) {
    const text = await readProjectFile(path);
    const before = earlier.get(path);
    up.push(copy(path, text));
    drops.unshift(dropStatement(path, text));
    if (before === undefined) continue;
    outdated.unshift(dropStatement(path, before));
    restores.push(copy(path, before));
  }
  for (const path of paths.filter((path) => !order.includes(path))) {
    const before = earlier.get(path) ?? "";
    outdated.push(`-- remove: ${path}`, dropStatement(path, before));
    restores.unshift(copy(path, before));
  }
  const version = now.toISOString().replace(/\D/g, "").slice(0, 14);
  const file = join(folder, `${version}_${slug}.sql`);
  const sections = [
    "-- Why: \n\n-- migrate:up",
    ...outdated,
    ...up,
    "-- migrate:down",
    ...drops,
    ...restores,
  ];
  await Deno.writeTextFile(file, sections.join("\n") + "\n", { createNew: true });
  return file;
}

function copy(path: string, text: string): string {
  return `-- include: ${path}\n${text.trimEnd()}\n-- end include\n`;
}
