import { assert, assertEquals } from "@std/assert";
import { delimiter, join } from "node:path";
import { testDatabase } from "../../database.ts";
import { runProgram, startProgram } from "../../program.ts";

const PSQL = "jobs/commands/psql.ts";

Deno.test("psql opens psql on the database in use and ends with its exit code", async () => {
  const folder = await Deno.makeTempDir();
  // Any psql will do: what counts is how it is called.
  await Deno.writeTextFile(join(folder, "psql"), '#!/bin/sh\necho "$PGOPTIONS psql $*"\nexit 3\n', {
    mode: 0o755,
  });
  const PATH = [folder, Deno.env.get("PATH")].join(delimiter);
  await using database = await testDatabase();
  const outcome = await runProgram(PSQL, ["-c", "select 1"], {
    DATABASE_URL: database.url,
    PATH,
    PGOPTIONS: "-c work_mem=64MB",
  });
  assertEquals(outcome, {
    code: 3,
    stdout: `-c work_mem=64MB -c jit=off psql ${database.url} -c select 1\n`,
    stderr: "",
  });
  await Deno.remove(folder, { recursive: true });
});

Deno.test("psql prints the address of the database where there is no psql", async () => {
  await using database = await testDatabase();
  const outcome = await runProgram(PSQL, [], { DATABASE_URL: database.url, PATH: "/nowhere" });
  assertEquals(outcome, { code: 0, stdout: `${database.url}\n`, stderr: "" });
});

Deno.test("psql keeps the embedded engine open until Ctrl-C where there is no psql", async () => {
  const ADSTRATA_DATA = await Deno.makeTempDir();
  const running = startProgram(PSQL, [], { ADSTRATA_DATA, PATH: "/nowhere" });
  const [url] = await running.printed(/postgres:\S+/);
  const { hostname, port } = new URL(url);
  (await Deno.connect({ hostname, port: Number(port) })).close();
  const { code } = await running.stop("SIGINT");
  assertEquals(code, 0);
  assert(running.stdout.includes("until Ctrl-C"));
  await Deno.remove(ADSTRATA_DATA, { recursive: true });
});
