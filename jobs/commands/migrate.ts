/** `deno task migrate [up|down|status]`: brings the schema of the database in use up to date. */
import { parseArgs } from "node:util";
import { Refusal } from "../../core/refusal.ts";
import { readSettings } from "../../core/settings.ts";
import { type Database, openDatabase } from "../../db/database.ts";
import { migrate, migrationState, refuseNewer } from "../../db/migrate.ts";
import { command, print } from "./command.ts";

const ACTIONS = { up, down, status };

await command(async (args) => {
  const [action = "up", ...rest] = parseArgs({ args, allowPositionals: true }).positionals;
  if (rest.length > 0 || !isAction(action)) {
    throw new Refusal("invalid_parameter", "Usage: deno task migrate [up|down|status]");
  }
  const database = await openDatabase(readSettings(Deno.env.toObject()), { anyVersion: true });
  try {
    await ACTIONS[action](database);
  } finally {
    await database.close();
  }
});

function isAction(word: string): word is keyof typeof ACTIONS {
  return Object.hasOwn(ACTIONS, word);
}

async function up({ sql, url }: Database): Promise<void> {
  refuseNewer(await migrationState(sql));
  for (const line of await migrate(url, "up")) print(line);
  print("The database is up to date");
}

async function down({ sql, url }: Database): Promise<void> {
  refuseNewer(await migrationState(sql));
  for (const line of await migrate(url, "down")) print(line);
}

async function status({ sql }: Database): Promise<void> {
  const { applied, pending, unknown } = await migrationState(sql);
  for (const version of applied) {
    print(`${version} ${unknown.includes(version) ? "unknown to this program" : "applied"}`);
  }
  for (const version of pending) print(`${version} pending`);
}
