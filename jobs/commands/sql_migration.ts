/** `deno task sql:migration SLUG FILE...`: writes a migration with copies of files of `sql/`. */
import { parseArgs } from "node:util";
import { Refusal } from "../../core/refusal.ts";
import { writeLayerMigration } from "../../db/sql_layer.ts";
import { command, print } from "./command.ts";

await command(async (args) => {
  const [slug, ...files] = parseArgs({ args, allowPositionals: true }).positionals;
  if (!slug || files.length === 0) {
    throw new Refusal("invalid_parameter", "Usage: deno task sql:migration SLUG sql/FILE...");
  }
  print(await writeLayerMigration(slug, files, new Date()));
});
