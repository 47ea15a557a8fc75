import { assert, assertEquals, assertRejects } from "@std/assert";
import { join } from "node:path";
import { Refusal } from "../../core/refusal.ts";
import { openDatabase } from "../../db/database.ts";

// These tests are about the embedded engine's data folder and processes that share it.
const OPEN = new URL("open_database.ts", import.meta.url).pathname;

/** Another process that opens the database, runs a statement and then does nothing until killed. */
async function startProcess(dataFolder: string, statement = "select 1", exclusive = false) {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", OPEN, dataFolder, statement, String(exclusive)],
    stdout: "piped",
    stderr: "inherit",
  }).spawn();
  const { value } = await process.stdout.getReader().read();
  return {
    url: new TextDecoder().decode(value).trim(),
    async kill(signal: Deno.Signal) {
      process.kill(signal);
      await process.status;
    },
  };
}

async function withFolder(run: (dataFolder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await run(join(folder, "data folder"));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

function open(dataFolder: string, exclusive = false) {
  return openDatabase({ databaseUrl: null, dataFolder }, { exclusive, anyVersion: true });
}

Deno.test("openDatabase() keeps the rows when the folder is opened again", async () => {
  await withFolder(async (folder) => {
    const first = await open(folder);
    await first.sql`create table public.rows as select 1 as id`;
    await first.close();
    const second = await open(folder);
    assertEquals([...await second.sql`select id from public.rows`], [{ id: 1 }]);
    await second.close();
  });
});

Deno.test("openDatabase() lets only its own user read the folder", async () => {
  await withFolder(async (folder) => {
    const database = await open(folder);
    const modes = [folder, join(folder, "lock"), join(folder, "url")].map((path) =>
      (Deno.statSync(path).mode ?? 0) & 0o777
    );
    assertEquals(modes, [0o700, 0o600, 0o600]);
    await database.close();
  });
});

Deno.test("openDatabase() connects to the process that holds the folder", async () => {
  await withFolder(async (folder) => {
    const holder = await startProcess(folder, "create table public.rows as select 1 as id");
    const database = await open(folder);
    assertEquals(database.holdsEngine, false);
    assertEquals(database.url, holder.url);
    assertEquals([...await database.sql`select id from public.rows`], [{ id: 1 }]);
    await database.close();
    await holder.kill("SIGKILL");
  });
});

Deno.test("openDatabase() waits for a process that is still starting", async () => {
  await withFolder(async (folder) => {
    const [first, second] = await Promise.all([open(folder), open(folder)]);
    assertEquals([first.holdsEngine, second.holdsEngine].sort(), [false, true]);
    await (first.holdsEngine ? second : first).close();
    await (first.holdsEngine ? first : second).close();
  });
});

Deno.test("openDatabase() refuses a held folder when it is asked for exclusively", async () => {
  await withFolder(async (folder) => {
    const holder = await startProcess(folder);
    const error = await assertRejects(() => open(folder, true), Refusal);
    assertEquals(error.code, "conflict");
    assert(error.message.includes(folder));
    await holder.kill("SIGKILL");
  });
});

Deno.test("openDatabase() opens the folder of a killed process, without what it left unfinished", async () => {
  await withFolder(async (folder) => {
    const before = await open(folder);
    await before.sql`create table public.rows as select 1 as id`;
    await before.close();
    const killed = await startProcess(folder, "begin; insert into public.rows values (2)", true);
    await killed.kill("SIGKILL");
    const database = await open(folder, true);
    assert(database.url !== killed.url);
    assertEquals([...await database.sql`select id from public.rows`], [{ id: 1 }]);
    await database.close();
  });
});

Deno.test("openDatabase() starts afresh when a process was killed while it made the folder", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "data.new"), { recursive: true });
    await Deno.writeTextFile(join(folder, "data.new", "PG_VERSION"), "18\n");
    const database = await open(folder);
    assertEquals([...await database.sql`select 1 as one`], [{ one: 1 }]);
    await database.close();
  });
});

Deno.test("openDatabase() refuses a folder that it cannot make", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(folder, "a file");
    const error = await assertRejects(() => open(folder), Refusal);
    assert(error.hint?.includes("ADSTRATA_DATA"));
  });
});

Deno.test("openDatabase() refuses a server that does not answer, without its password", async () => {
  const settings = {
    databaseUrl: "postgres://me:secret@127.0.0.1:1/ads",
    dataFolder: "unused",
  };
  const error = await assertRejects(() => openDatabase(settings), Refusal);
  assertEquals(error.code, "unavailable");
  assert(error.message.includes("127.0.0.1:1/ads"));
  assert(!error.message.includes("secret"));
});
