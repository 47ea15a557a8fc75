/** Opens the database of a folder, runs a statement, prints the URL and waits to be killed. */
import { openDatabase } from "../../db/database.ts";

const [dataFolder = "", statement = "", exclusive] = Deno.args;
const { sql, url } = await openDatabase({ databaseUrl: null, dataFolder }, {
  exclusive: exclusive === "true",
  anyVersion: true,
});
const connection = await sql.reserve();
await connection.unsafe(statement);
await Deno.stdout.write(new TextEncoder().encode(`${url}\n`));
setInterval(() => {}, 60_000);
