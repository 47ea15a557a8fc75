import { assert, assertEquals, assertMatch, assertRejects } from "@std/assert";
import { setTimeout as delay } from "node:timers/promises";
import { connect, type Sql } from "../db/connect.ts";
import { migrate } from "../db/migrate.ts";
import { classification } from "../jobs/classification.ts";
import type { ScheduledJob } from "../jobs/schedule.ts";
import { enterRuns, untilDone } from "../jobs/worker.ts";
import { startNativeServer } from "./native_server.ts";
import { runProgram, startProgram } from "./program.ts";
import { testDatabase } from "./database.ts";

// The service and the commands beside it, on an embedded data folder, each in its own process.
const MAIN = "main.ts";
const MIGRATE = "jobs/commands/migrate.ts";
const LISTENING = /Listening on (http:\S+\/)/;

const JOB: ScheduledJob = { task: classification, entityType: "ad", cron: "0 6 * * *" };

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

/** Without the hourly jobs, one of which may be due between two starts. */
const DAILY = {
  ADSTRATA_CRON_CAMPAIGN_ANOMALIES: "off",
  ADSTRATA_CRON_ADSET_ANOMALIES: "off",
  ADSTRATA_CRON_AD_ANOMALIES: "off",
};

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

/** As many as that schedule has jobs, for one account. */
const RUNS = 15;

async function untilAllEnded(sql: Sql): Promise<void> {
  const areOpen = async () => {
    const [row] = await sql<[{ open: boolean }]>`
      select count(*) < ${RUNS} or bool_or(status in ('waiting', 'running')) as open from ads.job_runs`;
    return row.open;
  };
  while (await areOpen()) await delay(20);
}

/** What a program logged of something: the level and the first words. */
function logged(stderr: string, of: string): [string, string][] {
  const lines = stderr.split("\n").filter((line) => line.startsWith("{"));
  return lines.map((line) => JSON.parse(line))
    .filter(({ logger }) => logger === of)
    .map(({ level, message }) => [level, message]);
}

async function insertAccount(sql: Sql): Promise<void> {
  await sql`
    insert into ads.accounts (config_id, name, currency, time_zone) values (1, 'a', 'EUR', 'UTC')`;
}

/** A pool whose next transaction fails. */
function failingOnce(sql: Sql, code: string): Sql {
  let hasFailed = false;
  return new Proxy(sql, {
    get(target, name) {
      if (name !== "begin" || hasFailed) return Reflect.get(target, name);
      hasFailed = true;
      return () => Promise.reject(Object.assign(new Error("Failed"), { code }));
    },
  });
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

Deno.test("main.ts listens where HOST and PORT say when `deno serve` runs it", async () => {
  const service = new Deno.Command(Deno.execPath(), {
    args: ["serve", "-A", "--no-check", "--host", "0.0.0.0", "--port", "1", "main.ts"],
    cwd: new URL("..", import.meta.url),
    env: { DATABASE_URL: "", HOST: "", PORT: "0", ...env },
    stdout: "piped",
  }).spawn();
  for await (const text of service.stdout.pipeThrough(new TextDecoderStream())) {
    const [, url] = text.match(LISTENING) ?? [];
    if (!url) continue;
    assertEquals(new URL(url).hostname, "127.0.0.1");
    assert(await isAlive(url));
    break;
  }
  service.kill("SIGTERM");
  assertEquals((await service.status).code, 0);
});

// What the platform sets, as its documentation says.
const DEPLOY = { DENO_DEPLOY: "true", DENO_AUTO_SERVE: "1" };

Deno.test("main.ts refuses to be without a server on Deno Deploy", async () => {
  const folder = await Deno.makeTempDir();
  const { code, stderr } = await runProgram(MAIN, [], { ...DEPLOY, ADSTRATA_DATA: folder });
  assertEquals(code, 1);
  assert(stderr.startsWith("Deno Deploy keeps no files"), stderr);
  assertEquals([...Deno.readDirSync(folder)], []);
  await Deno.remove(folder);
});

Deno.test("main.ts listens where Deno Deploy wants it", async () => {
  await using database = await testDatabase();
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const port = String(listener.addr.port);
  listener.close();
  const service = startProgram(MAIN, [], {
    ...DEPLOY,
    DATABASE_URL: database.url,
    DENO_SERVE_ADDRESS: `tcp:127.0.0.1:${port}`,
  });
  const [, url = ""] = await service.printed(LISTENING);
  assertEquals(new URL(url).port, port);
  assert(await isAlive(url));
  const { code, stderr } = await service.stop("SIGINT");
  assertEquals([code, stderr], [0, ""]);
});

Deno.test("enterRuns() begins again when the connection was lost", async () => {
  await using database = await testDatabase();
  const { sql, url } = database;
  await insertAccount(sql);
  await enterRuns({ sql: failingOnce(sql, "CONNECTION_CLOSED"), url }, JOB);
  assertEquals([...await sql`select status from ads.job_runs`], [{ status: "waiting" }]);
});

Deno.test("enterRuns() fails when more than the connection is wrong", async () => {
  await using database = await testDatabase();
  const { sql, url } = database;
  await assertRejects(
    () => enterRuns({ sql: failingOnce(sql, "42501"), url }, JOB),
    Error,
    "Failed",
  );
});

Deno.test("untilDone() waits while a run of the job is being done", async () => {
  await using database = await testDatabase();
  const { sql, url } = database;
  await insertAccount(sql);
  await enterRuns({ sql, url }, JOB);
  await sql`update ads.job_runs set status = 'running'`;
  let isDone = false;
  const done = untilDone({ sql }, JOB, 10).then(() => isDone = true);
  await delay(200);
  assertEquals(isDone, false);
  await sql`update ads.job_runs set status = 'succeeded'`;
  await done;
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
  await insertAccount(sql);
  for (let start = 0; start < 2; start++) {
    const service = startProgram(MAIN, [], { ...DAILY, DATABASE_URL: database.url });
    await service.printed(LISTENING);
    await untilAllEnded(sql);
    const { code, stderr } = await service.stop("SIGTERM");
    assertEquals([code, stderr], [0, ""]);
  }
  const runs = await sql`
    select job, entity_type, status, attempt from ads.job_runs order by job, entity_type`;
  const done = { status: "succeeded", attempt: 1 };
  assertEquals(
    [...runs].map((run) => ({ ...run })),
    ["classification", "forecasts", "impact", "recommendations", "validation"].flatMap((job) =>
      ["ad", "adset", "campaign"].map((entity_type) => ({ job, entity_type, ...done }))
    ),
  );
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

Deno.test("main.ts refuses a host that others can reach until there is a key", async () => {
  await using database = await testDatabase();
  const env = { DATABASE_URL: database.url, HOST: "0.0.0.0" };
  const { code, stdout, stderr } = await runProgram(MAIN, [], env);
  assertEquals([code, stdout], [1, ""]);
  assertMatch(stderr, /^Refusing to listen on "0.0.0.0".*deno task key create/);
  await database.sql`
    insert into ads.api_keys (prefix, secret_hash, name, role, created_at)
    values ('x', sha256(''), 'x', 'read', now())`;
  const service = startProgram(MAIN, [], env);
  const [, url = ""] = await service.printed(LISTENING);
  const address = url.replace("0.0.0.0", "127.0.0.1");
  assertEquals((await fetch(`${address}api/v1/facebook-ads/config`)).status, 401);
  assertEquals((await service.stop("SIGTERM")).code, 0);
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
  const [waiting] = logged(stderr, "adstrata.database");
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
    await insertAccount(sql);
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
    const [waiting, ...others] = logged(stderr, "adstrata.database");
    assert(waiting?.[1].includes("ECONNREFUSED"), stderr);
    assertEquals(others.at(-1), ["INFO", "The database is ready"]);
    assert(others.length <= 2, stderr);
  },
});

Deno.test({
  name: "main.ts does what was due when the server falls while it finds that out",
  ignore,
  async fn() {
    await using server = await startNativeServer({ synchronous_commit: "on" });
    await migrate(server.url, "up");
    const sql = connect(server.url);
    await insertAccount(sql);
    // Its lock keeps the service at that until the server falls.
    const holder = connect(server.url, { max: 1 });
    await holder.unsafe("begin; lock table ads.job_runs");
    const service = startProgram(MAIN, [], { DATABASE_URL: server.url });
    const [, url = ""] = await service.printed(LISTENING);
    const isHeld = async () => {
      const held = await sql`
        select from pg_stat_activity
        where wait_event_type = 'Lock' and query like '%A newer run was due%'`;
      return held.length > 0;
    };
    while (!await isHeld()) await delay(20);
    await server.crash();
    await holder.end({ timeout: 0 });
    await server.restart();
    await untilReady(url);
    await untilAllEnded(sql);
    await sql.end({ timeout: 1 });
    const { code, stderr } = await service.stop("SIGTERM");
    assertEquals(code, 0, stderr);
    assert(
      logged(stderr, "adstrata.jobs").some(([level, message]) =>
        level === "WARN" && message.startsWith("Entering runs")
      ),
      stderr,
    );
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
