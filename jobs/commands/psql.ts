/** `deno task psql [ARGUMENT...]`: opens psql on the database in use, or prints how to connect. */
import { readSettings } from "../../core/settings.ts";
import { openDatabase } from "../../db/database.ts";
import { command, print } from "./command.ts";
import { interrupted } from "./interrupted.ts";

await command(async (args) => {
  const database = await openDatabase(readSettings(Deno.env.toObject()), { anyVersion: true });
  try {
    // In psql, Ctrl-C cancels what is being typed; it must not take the engine away beneath it.
    const interruption = interrupted();
    const code = await runPsql([database.url, ...args]);
    if (code !== null) return code;
    print(database.url);
    if (!database.holdsEngine) return;
    print("There is no psql here. The embedded engine answers at this address until Ctrl-C");
    await interruption;
  } finally {
    await database.close();
  }
});

/** The exit code of psql, null where it is not installed. */
async function runPsql(args: string[]): Promise<number | null> {
  try {
    // Compiling the plan of a view over many partitions takes longer than running it.
    const options = `${Deno.env.get("PGOPTIONS") ?? ""} -c jit=off`;
    const psql = new Deno.Command("psql", { args, env: { PGOPTIONS: options } });
    return (await psql.spawn().status).code;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return null;
    throw error;
  }
}
