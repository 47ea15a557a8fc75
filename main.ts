/**
 * The service: wires settings, database, schedule and HTTP, and nothing else.
 *
 * It listens by itself, where `HOST` and `PORT` say, under `deno run` and `deno serve` alike: it has to
 * know its address before it opens its data, and a default export for `deno serve` to listen for would
 * make `deno run` warn. Deno Deploy puts its own address in place of that.
 */
import { configure, getJsonLinesFormatter, getLogger, getStreamSink } from "@logtape/logtape";
import { Refusal } from "./core/refusal.ts";
import { cronForDeno } from "./core/cron.ts";
import { checkEngine, isLoopback, readSettings, type Settings } from "./core/settings.ts";
import { hasApiKeys } from "./db/api_keys.ts";
import type { Sql } from "./db/connect.ts";
import { type Database, openDatabase, untilReady } from "./db/database.ts";
import project from "./deno.json" with { type: "json" };
import { command, print } from "./jobs/commands/command.ts";
import { interrupted } from "./jobs/commands/interrupted.ts";
import { readSchedule, type ScheduledJob } from "./jobs/schedule.ts";
import { TASKS } from "./jobs/tasks.ts";
import { enterRuns, startWorker, untilDone, type Worker } from "./jobs/worker.ts";
import { createApp } from "./routes/app.ts";

/** How long requests under way may take after Ctrl-C. */
export const PATIENCE_MS = 5_000;
/** How long runs of jobs may take after them. */
export const PATIENCE_WITH_RUNS_MS = 12_000;

const CONNECTIONS_BESIDE_RUNS = 10;

const logger = getLogger(["adstrata", "schedule"]);

/** Where the service listens. */
type Address = Pick<Settings, "host" | "port">;

/** Refuses to listen where other machines reach the service while there is no key. */
export async function checkHost(sql: Sql, host: string): Promise<void> {
  if (isLoopback(host) || await hasApiKeys(sql)) return;
  throw new Refusal(
    "forbidden",
    `Refusing to listen on "${host}": there is no API key yet, so anybody there could ask anything`,
    "Make one with `deno task key create`, or leave HOST at 127.0.0.1",
  );
}

/** Refuses an occupied port before anything else is done. */
export function checkPort({ host, port }: Address): void {
  orRefuse({ host, port }, () => Deno.listen({ hostname: host, port })).close();
}

/**
 * Answers HTTP until the program is interrupted, then lets requests under way finish.
 *
 * @param begin What else to begin, as soon as requests are answered. Where it fails, the service ends.
 */
export async function serve(
  { host, port, secret, corsOrigins, requestsPerMinute }: Settings,
  { sql }: Database,
  schedule: readonly ScheduledJob[] = [],
  begin: () => Promise<void> = () => Promise.resolve(),
): Promise<void> {
  await configureLogs();
  const { fetch } = createApp({
    sql,
    version: project.version,
    schedule,
    secret,
    corsOrigins,
    requestsPerMinute,
  });
  const abort = new AbortController();
  const stopped = interrupted();
  const server = orRefuse({ host, port }, () =>
    Deno.serve({
      hostname: host,
      port,
      signal: abort.signal,
      onListen: (address) =>
        print(`Listening on http://${address.hostname}:${address.port}/ until Ctrl-C`),
    }, (request, info) => fetch(request, info)));
  try {
    await Promise.race([stopped, begin().then(() => stopped)]);
  } finally {
    const impatience = setTimeout(() => abort.abort(), PATIENCE_MS);
    await server.shutdown();
    clearTimeout(impatience);
  }
}

function orRefuse<Listener>({ host, port }: Address, listen: () => Listener): Listener {
  try {
    return listen();
  } catch (error) {
    if (error instanceof Deno.errors.AddrInUse) {
      throw new Refusal(
        "conflict",
        `Port ${port} of ${host} is already in use`,
        "Stop the program that uses it, or set PORT to another one",
      );
    }
    throw error;
  }
}

/** One JSON object per line on standard error, so that standard output stays for people. */
async function configureLogs(): Promise<void> {
  const sinks = {
    stderr: getStreamSink(Deno.stderr.writable, { formatter: getJsonLinesFormatter() }),
  };
  await configure({
    sinks,
    loggers: [
      { category: "adstrata", sinks: ["stderr"], lowestLevel: "info" },
      { category: ["logtape", "meta"], sinks: ["stderr"], lowestLevel: "warning" },
    ],
  });
}

if (import.meta.main) {
  await command(async () => {
    const environment = Deno.env.toObject();
    const settings = readSettings(environment);
    const schedule = readSchedule(TASKS, environment);
    checkEngine(settings, environment);
    checkPort(settings);
    const begun = Promise.withResolvers<{ database: Database; worker: Worker }>();
    const enter = async (job: ScheduledJob) => {
      const { database, worker } = await begun.promise;
      await enterRuns(database, job);
      worker.wake();
      return database;
    };
    const onTime = async (job: ScheduledJob) => {
      const database = await enter(job);
      // There, an instance without a request or a cron job to do is stopped.
      if (environment.DENO_DEPLOY) await untilDone(database, job);
    };
    // Before anything is awaited: Deno wants its cron jobs at the top level of the program.
    for (const job of schedule) {
      if (job.cron === null) continue;
      const name = `${job.entityType} ${job.task.name}`;
      Deno.cron(
        name,
        cronForDeno(job.cron),
        () => onTime(job).catch((error) => logger.error("{name} failed: {error}", { name, error })),
      );
    }
    await using closing = new AsyncDisposableStack();
    const concurrency = settings.concurrency ?? navigator.hardwareConcurrency;
    const database = await openDatabase(settings, {
      exclusive: true,
      unseen: true,
      // Each run holds one; without others its lease could not be renewed, nor a request answered.
      connections: concurrency + CONNECTIONS_BESIDE_RUNS,
    });
    closing.defer(() => database.close());
    const checkDoor = () => checkHost(database.sql, settings.host);
    // A database that does not answer yet is asked again when it does.
    await checkDoor().catch((error) => {
      if (error instanceof Refusal) throw error;
    });
    await serve(settings, database, schedule, async () => {
      await untilReady(database);
      await checkDoor();
      // It may have been told to stop meanwhile.
      if (closing.disposed) return;
      const worker = startWorker(database.sql, TASKS, { concurrency });
      closing.defer(() => worker.stop(PATIENCE_WITH_RUNS_MS));
      begun.resolve({ database, worker });
      for (const job of schedule) await enter(job);
    });
  });
}
