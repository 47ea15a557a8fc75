import { assert, assertEquals } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type Sql } from "../db/connect.ts";
import { migrate } from "../db/migrate.ts";
import { startNativeServer } from "./native_server.ts";
import { runProgram, startProgram } from "./program.ts";
import { testDatabase } from "./database.ts";

// The service and the commands beside it, on an embedded data folder, each in its own process.
const MAIN = "main.ts";
const MIGRATE = "jobs/commands/migrate.ts";
const LISTENING = /Listening on (http:\S+\/)/;

// The tests on the embedded engine take no other server than that.
const ignore = !Deno.env.get("TEST_DATABASE_URL");

// One folder for all of them: each leaves it as the next one would find it after a restart.
const env = { ADSTRATA_DATA: await Deno.makeTempDir() };

Deno.test.beforeAll(async () => {
  assertEquals((await runProgram(MIGRATE, [], env)).code, 0);
});

Deno.test.afterAll(async () => {
  await Deno.remove(env.ADSTRATA_DATA, { recursive: true });
});

async function isAlive(url: string): Promise<boolean> {
  const response = await fetch(`${url}api/v1/health/live`);
  await response.body?.cancel();
  return response.ok;
}

async function readiness(url: string): Promise<{ status: string; reason: string | null }> {
  return await (await fetch(`${url}api/v1/health/ready`)).json();
}

async function untilReady(url: string): Promise<void> {
  while ((await readiness(url)).status !== "ready") await delay(50);
}

async function untilAllEnded(sql: Sql): Promise<void> {
  const areOpen = async () => {
    const [row] = await sql<[{ open: boolean }]>`
      select count(*) < 3 or bool_or(status in ('waiting', 'running')) as open from ads.job_runs`;
    return row.open;
  };
  while (await areOpen()) await delay(20);
}

/** What a program logged of the database: the level and the first words. */
function databaseLog(stderr: string): [string, string][] {
  const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line))
    .filter(({ logger }) => logger === "adstrata.database")
    .map(({ level, message }) => [level, message]);
}

Deno.test("main.ts answers until it is told to stop, then ends cleanly", async () => {
  for (const signal of ["SIGINT", "SIGTERM"] as const) {
    const service = startProgram(MAIN, [], env);
    const [, url = ""] = await service.printed(LISTENING);
    assert(await isAlive(url));
    const { code, stderr } = await service.stop(signal);
    assertEquals([code, stderr], [0, ""]);
  }
});

Deno.test("main.ts refuses a folder that another service holds, which commands connect to", async () => {
  const service = startProgram(MAIN, [], env);
  const [, url = ""] = await service.printed(LISTENING);
  const second = await runProgram(MAIN, [], env);
  assertEquals(second.code, 1);
  assert(second.stderr.includes("is in use by another process"), second.stderr);
  const status = await runProgram(MIGRATE, ["status"], env);
  assertEquals([status.code, status.stderr], [0, ""]);
  assert(await isAlive(url));
  await service.stop("SIGTERM");
});

Deno.test("main.ts starts again when it was killed", async () => {
  const killed = startProgram(MAIN, [], env);
  await killed.printed(LISTENING);
  await killed.stop("SIGKILL");
  const service = startProgram(MAIN, [], env);
  const [, url = ""] = await service.printed(LISTENING);
  assert(await isAlive(url));
  await service.stop("SIGTERM");
});

Deno.test("main.ts catches up on start what was due while no service ran, once", async () => {
  await using database = await testDatabase();
  const { sql } = database;
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone) values (1, 'a', 'EUR', 'UTC')`;
  for (let start = 0; start < 2; start++) {
    const service = startProgram(MAIN, [], { DATABASE_URL: database.url });
    await service.printed(LISTENING);
    await untilAllEnded(sql);
    const { code, stderr } = await service.stop("SIGTERM");
    assertEquals([code, stderr], [0, ""]);
  }
  const runs = await sql`
    select entity_type, status, attempt from ads.job_runs order by entity_type`;
  assertEquals([...runs].map((run) => ({ ...run })), [
    { entity_type: "ad", status: "succeeded", attempt: 1 },
    { entity_type: "adset", status: "succeeded", attempt: 1 },
    { entity_type: "campaign", status: "succeeded", attempt: 1 },
  ]);
});

Deno.test("main.ts refuses a wrong time of the schedule with the name of its variable", async () => {
  const outcome = await runProgram(MAIN, [], {
    ...env,
    ADSTRATA_CRON_AD_CLASSIFICATION: "nightly",
  });
  assertEquals(outcome.code, 1);
  assert(outcome.stderr.includes('ADSTRATA_CRON_AD_CLASSIFICATION is "nightly"'), outcome.stderr);
});

Deno.test("main.ts refuses an occupied port before it touches the data", async () => {
  const folder = await Deno.makeTempDir();
  using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const PORT = String(listener.addr.port);
  const { code, stderr } = await runProgram(MAIN, [], { ADSTRATA_DATA: folder, PORT });
  assertEquals(code, 1);
  assert(stderr.startsWith(`Port ${PORT} of 127.0.0.1 is already in use`), stderr);
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});

Deno.test("main.ts refuses a host that others can reach", async () => {
  const { code, stderr } = await runProgram(MAIN, [], { HOST: "0.0.0.0" });
  assertEquals(code, 1);
  assert(stderr.startsWith('Refusing to listen on "0.0.0.0"'), stderr);
});

Deno.test("main.ts waits until somebody has applied the migrations", async () => {
  await using database = await testDatabase({ migrated: false });
  const service = startProgram(MAIN, [], { DATABASE_URL: database.url });
  const [, url = ""] = await service.printed(LISTENING);
  assert(await isAlive(url));
  const { status, reason } = await readiness(url);
  assertEquals(status, "not_ready");
  assert(reason?.includes("deno task migrate"), `${reason}`);
  assertEquals((await runProgram(MIGRATE, [], { DATABASE_URL: database.url })).code, 0);
  await untilReady(url);
  const { code, stderr } = await service.stop("SIGTERM");
  assertEquals(code, 0, stderr);
  const [waiting] = databaseLog(stderr);
  assertEquals(waiting?.[0], "WARN");
});

Deno.test("main.ts refuses a database that is ahead", async () => {
  await using newer = await testDatabase();
  await newer.sql`insert into public.adstrata_migrations (version) values ('29990101000000')`;
  const ahead = await runProgram(MAIN, [], { DATABASE_URL: newer.url });
  assertEquals(ahead.code, 1);
  assert(ahead.stderr.startsWith("The database is newer than this program"), ahead.stderr);
});

Deno.test({
  name: "main.ts waits for a server that does not answer yet, then does what was due",
  ignore,
  async fn() {
    await using server = await startNativeServer({ synchronous_commit: "on" });
    await migrate(server.url, "up");
    const sql = connect(server.url);
    await sql`
      insert into ads.accounts (config_id, name, currency, time_zone)
      values (1, 'a', 'EUR', 'UTC')`;
    await server.crash();
    const service = startProgram(MAIN, [], { DATABASE_URL: server.url });
    const [, url = ""] = await service.printed(LISTENING);
    assert(await isAlive(url));
    assertEquals(await readiness(url), {
      status: "not_ready",
      reason: "The database does not answer",
    });
    await delay(3000); // It asks several times.
    await server.restart();
    await untilReady(url);
    await untilAllEnded(sql);
    await sql.end({ timeout: 1 });
    const { code, stderr } = await service.stop("SIGTERM");
    assertEquals(code, 0, stderr);
    const [waiting, ...others] = databaseLog(stderr);
    assert(waiting?.[1].includes("ECONNREFUSED"), stderr);
    assertEquals(others.at(-1), ["INFO", "The database is ready"]);
    assert(others.length <= 2, stderr);
  },
});

Deno.test({
  name: "main.ts refuses a wrong password and an unknown database",
  ignore,
  async fn() {
    await using server = await startNativeServer();
    for (const [part, value] of [["password", "wrong"], ["pathname", "/unknown"]] as const) {
      const url = new URL(server.url);
      url[part] = value;
      const { code, stderr } = await runProgram(MAIN, [], { DATABASE_URL: url.href });
      assertEquals(code, 1);
      assert(stderr.startsWith(`Cannot reach the database "${url.host}${url.pathname}"`), stderr);
    }
  },
});
